//! Users: who is here, invited or gone, with which role and which record types; invitations and forgotten passwords.

use serde::Deserialize;
use serde::Serialize;

use super::session::Me;
use super::session::Role;
use crate::address::EmailAddress;
use crate::id::TypeName;
use crate::outbox::state::EnvelopeState;
use crate::time::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    Active,
    /// Has not answered the invitation yet.
    Invited,
    /// Can't log in; what he wrote stays.
    Archived,
}

impl PersonState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Archived => "archived",
        }
    }
}

/// A line of the Users page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PersonRow {
    /// Of the user, or of the invitation.
    pub id: String,
    pub name: String,
    pub email: EmailAddress,
    pub role: Role,
    pub state: PersonState,
    /// Record types he sees; none is all.
    pub types: Vec<TypeName>,
    pub last_seen: Option<Timestamp>,
    /// The address was answered from, or by its link.
    pub confirmed: bool,
    /// Of an invitation: until when it can be answered.
    pub expires: Option<Timestamp>,
    /// Of an invitation: what became of its mail.
    pub envelope: Option<EnvelopeState>,
    pub you: bool,
}

/// An invitation to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Invite {
    pub email: String,
    /// How the mail addresses him; he may change it.
    #[serde(default)]
    pub name: String,
    pub role: Role,
    /// Record types he will see; none is all.
    #[serde(default)]
    pub types: Vec<TypeName>,
}

/// Changes of a user; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EditPerson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// None is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<TypeName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// What a link in a mail is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkView {
    pub email: EmailAddress,
    pub name: String,
    pub company: String,
    /// Who invites.
    pub by: String,
    /// `en` or `vi`.
    pub language: String,
}

/// An answer to an invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Join {
    pub name: String,
    /// At least 10 characters.
    pub password: String,
    /// `en` or `vi`.
    #[serde(default)]
    pub language: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ForgottenPassword {
    pub email: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewPassword {
    /// At least 10 characters.
    pub password: String,
}

crate::endpoints! {
    ListPeople: Get "/api/v1/people" "Users and invitations" { query: (), body: () } -> Vec<PersonRow>;
    InvitePerson: Post "/api/v1/people" "Invite a colleague by mail" { query: (), body: Invite } -> PersonRow;
    ChangePerson: Patch "/api/v1/people/{id}" "Change role, visible record types, archive, take back" { query: (), body: EditPerson } -> PersonRow;
    ResendInvitation: Post "/api/v1/people/{id}/invitation" "Send an invitation again; the link before is void" { query: (), body: () } -> PersonRow;
    WithdrawInvitation: Delete "/api/v1/people/{id}/invitation" "Withdraw an invitation" { query: (), body: () } -> ();
    ReadInvitation: Get "/api/v1/join/{token}" "Whom an invitation is for" { query: (), body: () } -> LinkView;
    AnswerInvitation: Post "/api/v1/join/{token}" "Answer an invitation; logs in" { query: (), body: Join } -> Me;
    ForgetPassword: Post "/api/v1/password" "Ask for a mail to set a new password; never tells whether the address is known" { query: (), body: ForgottenPassword } -> ();
    ReadReset: Get "/api/v1/password/{token}" "Whose password a link sets" { query: (), body: () } -> LinkView;
    ResetPassword: Post "/api/v1/password/{token}" "Set a new password by its link; ends all sessions and logs in" { query: (), body: NewPassword } -> Me;
}

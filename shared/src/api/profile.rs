//! My profile: one's own address, password and sessions.

use serde::Deserialize;
use serde::Serialize;

use super::session::NotifyBy;
use crate::address::EmailAddress;
use crate::people::AddressWarning;
use crate::time::Timestamp;

/// An open login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionRow {
    pub id: String,
    /// `Firefox · Linux`.
    pub browser: String,
    pub created: Timestamp,
    pub last_seen: Timestamp,
    /// The one that asks.
    pub this: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Profile {
    pub name: String,
    pub email: EmailAddress,
    /// The address was answered from, or by its link. Until then no mail goes to customers.
    pub confirmed: bool,
    /// What speaks against the address.
    pub warnings: Vec<AddressWarning>,
    /// Takes effect when the mail to it is answered by its link.
    pub pending: Option<EmailAddress>,
    /// Until when that link works.
    pub pending_until: Option<Timestamp>,
    pub notify_by: NotifyBy,
    /// `en` or `vi`.
    pub language: String,
    /// The address that the domain offers: `admin@` and its name.
    pub suggestion: Option<EmailAddress>,
    pub sessions: Vec<SessionRow>,
}

/// A new address, or the present one to have its mail sent again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewAddress {
    pub email: String,
    /// The present password, to replace an address that is confirmed: an open browser alone must not do.
    #[serde(default)]
    pub password: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangedPassword {
    pub old: String,
    /// At least 10 characters.
    pub new: String,
}

/// An address that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Confirmed {
    pub email: EmailAddress,
}

crate::endpoints! {
    ReadProfile: Get "/api/v1/profile" "One's own address, preferences and sessions" { query: (), body: () } -> Profile;
    ChangeAddress: Post "/api/v1/profile/address" "Send the mail that confirms an address; a new one takes effect by its link" { query: (), body: NewAddress } -> Profile;
    ForgetAddress: Delete "/api/v1/profile/address" "Forget the address that waits to be confirmed" { query: (), body: () } -> Profile;
    ConfirmAddress: Post "/api/v1/confirm/{token}" "Confirm an address by the link in its mail" { query: (), body: () } -> Confirmed;
    ChangePassword: Post "/api/v1/profile/password" "Change one's own password; ends all other sessions" { query: (), body: ChangedPassword } -> Profile;
    EndSession: Delete "/api/v1/profile/sessions/{id}" "End one of one's own sessions" { query: (), body: () } -> Profile;
    EndOtherSessions: Delete "/api/v1/profile/sessions" "Log out everywhere else" { query: (), body: () } -> Profile;
}

//! First run, login, logout, who am I, and the preferences of a user.

use serde::Deserialize;
use serde::Serialize;

use crate::address::Domain;
use crate::address::EmailAddress;
use crate::id::ContactId;
use crate::id::UserId;

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Administrator,
    Agent,
    CampaignManager,
    ReadOnly,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Administrator, Self::Agent, Self::CampaignManager, Self::ReadOnly];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Agent => "agent",
            Self::CampaignManager => "campaign_manager",
            Self::ReadOnly => "read_only",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// How a user is told of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotifyBy {
    Email,
    Mailroom,
}

impl NotifyBy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Mailroom => "mailroom",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Email, Self::Mailroom].into_iter().find(|it| it.as_str() == text)
    }
}

/// The first-run form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetUp {
    /// Name of the company, shown as sender name of automatic mail.
    pub company: String,
    /// Name of the first administrator.
    pub name: String,
    /// Login and mail address of the first administrator; empty takes `admin@` the domain, to be changed later.
    #[serde(default)]
    pub email: String,
    /// At least 10 characters.
    pub password: String,
    /// The first alias domain, for example `corp.example`.
    pub domain: String,
    /// `en` or `vi`.
    pub language: String,
    /// First outgoing SMTP server; without it Cloudflare Email Sending is used.
    #[serde(default)]
    pub smtp: Option<SetUpSmtp>,
}

/// An SMTP server given with the first-run form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetUpSmtp {
    pub host: String,
    pub port: u16,
    /// `none`, `starttls` or `tls`.
    #[serde(default)]
    pub security: Option<String>,
}

/// Whether the first-run form is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetUpState {
    pub needed: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Login {
    pub email: String,
    pub password: String,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Me {
    pub user: UserId,
    pub contact: ContactId,
    pub name: String,
    pub email: EmailAddress,
    pub role: Role,
    /// `en` or `vi`.
    pub language: String,
    pub notify_by: NotifyBy,
    pub company: String,
    /// The first alias domain.
    pub domain: Domain,
    /// Seconds a sent message can be taken back.
    pub undo_seconds: u32,
    /// The address was answered from, or by its link. Until then no mail goes to customers.
    pub confirmed: bool,
}

/// Changes of one's own preferences; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeMe {
    pub language: Option<String>,
    pub notify_by: Option<NotifyBy>,
    pub name: Option<String>,
}

/// A colleague, for pickers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserRow {
    pub user: UserId,
    pub contact: ContactId,
    pub name: String,
    pub email: EmailAddress,
    pub role: Role,
}

/// A new colleague without an invitation: the administrator tells him the password.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewUser {
    pub name: String,
    pub email: String,
    pub password: String,
    pub role: Role,
}

crate::endpoints! {
    ReadSetUp: Get "/api/v1/setup" "Whether the first-run form is due" { query: (), body: () } -> SetUpState;
    DoSetUp: Post "/api/v1/setup" "First run: company, administrator, domain; logs in" { query: (), body: SetUp } -> Me;
    DoLogin: Post "/api/v1/session" "Log in with address and password" { query: (), body: Login } -> Me;
    ReadMe: Get "/api/v1/session" "Who is logged in; nothing when nobody is" { query: (), body: () } -> Option<Me>;
    ChangeMyself: Patch "/api/v1/session" "Change one's own preferences" { query: (), body: ChangeMe } -> Me;
    DoLogout: Delete "/api/v1/session" "Log out" { query: (), body: () } -> ();
    ListUsers: Get "/api/v1/users" "Colleagues" { query: (), body: () } -> Vec<UserRow>;
    CreateUser: Post "/api/v1/users" "Add a colleague" { query: (), body: NewUser } -> UserRow;
}

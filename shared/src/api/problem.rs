//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable code.

use serde::Deserialize;
use serde::Serialize;

/// What went wrong, for programs. The page has a sentence for each (`problem.<code>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Some field is missing or wrong; `fields` names each.
    Invalid,
    /// The body is no JSON of the expected shape; `detail` says where.
    Malformed,
    /// No or an expired session.
    Unauthorized,
    /// Wrong email address or password.
    WrongLogin,
    /// Your role doesn't allow this.
    Forbidden,
    /// The request did not come from our own page (CSRF).
    CrossSite,
    NotFound,
    /// Somebody else changed it meanwhile, or it exists already.
    Conflict,
    /// Too late: the mail has left or the row is in another state.
    WrongState,
    /// Your own address is not confirmed: mail to customers waits for that (My Profile).
    AddressUnconfirmed,
    /// A link of a mail that was used, is too old or is none of ours.
    LinkInvalid,
    /// Somebody has to be administrator.
    LastAdministrator,
    /// The API token lacks the scope that `detail` names.
    TokenScope,
    /// Too many requests; wait `retry_after` seconds.
    Limited,
    TooLarge,
    /// The installation isn't set up yet.
    NotSetUp,
    /// A binding or secret is missing; `detail` names it.
    Misconfigured,
    /// The database or the storage did not answer; nothing was lost.
    Unavailable,
    Internal,
}

impl ProblemCode {
    pub const ALL: [Self; 19] = [
        Self::Invalid,
        Self::Malformed,
        Self::Unauthorized,
        Self::WrongLogin,
        Self::Forbidden,
        Self::CrossSite,
        Self::NotFound,
        Self::Conflict,
        Self::WrongState,
        Self::AddressUnconfirmed,
        Self::LinkInvalid,
        Self::LastAdministrator,
        Self::TokenScope,
        Self::Limited,
        Self::TooLarge,
        Self::NotSetUp,
        Self::Misconfigured,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The code as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Malformed => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::WrongLogin => "wrong_login",
            Self::Forbidden => "forbidden",
            Self::CrossSite => "cross_site",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::WrongState => "wrong_state",
            Self::AddressUnconfirmed => "address_unconfirmed",
            Self::LinkInvalid => "link_invalid",
            Self::LastAdministrator => "last_administrator",
            Self::TokenScope => "token_scope",
            Self::Limited => "limited",
            Self::TooLarge => "too_large",
            Self::NotSetUp => "not_set_up",
            Self::Misconfigured => "misconfigured",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid | Self::Malformed => 422,
            Self::Unauthorized | Self::WrongLogin => 401,
            Self::Forbidden | Self::CrossSite | Self::TokenScope => 403,
            Self::NotFound | Self::LinkInvalid => 404,
            Self::Conflict | Self::WrongState | Self::NotSetUp | Self::AddressUnconfirmed | Self::LastAdministrator => {
                409
            }
            Self::Limited => 429,
            Self::TooLarge => 413,
            Self::Misconfigured | Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// The field as the request names it, for example `email`.
    pub field: String,
    /// Key of the sentence that says what is wrong and what to do, for example `field.address`.
    pub key: String,
    /// What stands in its placeholders.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub args: std::collections::BTreeMap<String, String>,
}

/// The error body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    pub code: ProblemCode,
    pub status: u16,
    /// For programmers, in English; never needed to understand what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldError>,
    /// Seconds to wait, with `limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Quote it when you report the error; the log has it too.
    #[serde(default)]
    pub request_id: String,
}

impl Problem {
    pub fn new(code: ProblemCode) -> Self {
        Self {
            code,
            status: code.status(),
            detail: String::new(),
            fields: Vec::new(),
            retry_after: None,
            request_id: String::new(),
        }
    }
}

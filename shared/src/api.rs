//! The wire: every operation of the HTTP API as a type, used by the Worker, the page and the tests alike.
//!
//! An operation names its method, its route and the shapes that go in and out. A list answers a [`Page`] and goes on
//! with its `next` cursor (seek pagination). An error is a [`Problem`] (RFC 9457) with a stable `code`; the page
//! translates the code and never shows server prose.

pub mod actions;
pub mod aliases;
pub mod campaigns;
pub mod contacts;
pub mod deliverability;
pub mod doctor;
pub mod emails;
pub mod failures;
pub mod incoming;
pub mod limits;
pub mod logs;
pub mod mailing_lists;
pub mod messages;
pub mod notifications;
#[cfg(feature = "schema")]
pub mod openapi;
pub mod people;
pub mod policy;
pub mod problem;
pub mod profile;
pub mod records;
pub mod route;
pub mod servers;
pub mod session;
pub mod shell;
pub mod status;
pub mod suppressions;
pub mod templates;
pub mod tokens;
pub mod trace;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use problem::FieldError;
pub use problem::Problem;
pub use problem::ProblemCode;

/// HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation. Path parameters are the `{name}`s of the route, filled in order by [`url`].
pub trait Endpoint {
    const METHOD: Method;
    /// The route as axum and OpenAPI write it, for example `/api/v1/records/{id}`.
    const ROUTE: &'static str;
    /// One sentence for the OpenAPI document.
    const ABOUT: &'static str;
    /// Query string; `()` for none.
    type Query: Serialize + DeserializeOwned;
    /// JSON body; `()` for none.
    type Body: Serialize + DeserializeOwned;
    /// JSON answer; `()` is 204.
    type Reply: Serialize + DeserializeOwned;
}

/// Declares operations: `Name: METHOD "/route" "about" { query: Q, body: B } -> R;`
#[macro_export]
macro_rules! endpoints {
    ($($name:ident: $method:ident $route:literal $about:literal { query: $query:ty, body: $body:ty } -> $reply:ty;)*) => {$(
        #[doc = $about]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl $crate::api::Endpoint for $name {
            const METHOD: $crate::api::Method = $crate::api::Method::$method;
            const ROUTE: &'static str = $route;
            const ABOUT: &'static str = $about;
            type Query = $query;
            type Body = $body;
            type Reply = $reply;
        }
    )*
        /// Adds these operations to the OpenAPI document.
        #[cfg(feature = "schema")]
        pub fn describe(document: &mut $crate::api::openapi::Document) {
            $(document.add::<$name>(stringify!($name));)*
        }
    };
}

/// The path of an operation with its parameters filled in, in order, percent-encoded.
pub fn url<E: Endpoint>(path: &[&str]) -> String {
    let mut values = path.iter();
    let mut out = String::with_capacity(E::ROUTE.len() + 32);
    for (i, segment) in E::ROUTE.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        if segment.starts_with('{') {
            out.push_str(&percent_encode(values.next().copied().unwrap_or_default()));
        } else {
            out.push_str(segment);
        }
    }
    out
}

/// Percent-encodes everything but RFC 3986 unreserved characters.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PageOf{T}"))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; absent on the last one.
    pub next: Option<String>,
    /// Rows that match in all, when it is cheap to know.
    pub total: Option<u32>,
}

/// What a live socket (`/api/live`) tells: these tags went stale, read again what you show of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    pub tags: Vec<String>,
}

/// Tags of the live socket and of the page's cache.
pub mod tag {
    /// Rail counts and status.
    pub const SHELL: &str = "shell";
    /// Any list of records, the inbox included.
    pub const RECORDS: &str = "records";
    /// Emails page.
    pub const EMAILS: &str = "emails";
    pub const ALIASES: &str = "aliases";
    pub const CONTACTS: &str = "contacts";
    pub const SUPPRESSIONS: &str = "suppressions";
    pub const SERVERS: &str = "servers";
    /// Use of the daily limit.
    pub const LIMITS: &str = "limits";
    pub const ACTIONS: &str = "actions";
    /// Users and invitations.
    pub const PEOPLE: &str = "people";
    pub const CAMPAIGNS: &str = "campaigns";
    pub const MAILING_LISTS: &str = "mailing_lists";
    /// The journal of everything that came in, paused senders.
    pub const INCOMING: &str = "incoming";
    /// The log and canaries.
    pub const LOGS: &str = "logs";
    /// Domain checks, changed settings.
    pub const DOCTOR: &str = "doctor";
    /// One record and its chatter.
    pub fn record(id: &str) -> String {
        format!("record:{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameters_are_encoded() {
        assert_eq!(url::<records::ReadRecord>(&["ticket/7 ü"]), "/api/v1/records/ticket%2F7%20%C3%BC");
    }
}

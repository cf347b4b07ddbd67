//! The routing dry run: what would become of a mail, and why. Nothing is written and nobody is told.

use serde::Deserialize;
use serde::Serialize;

use super::messages::TellBy;
use crate::id::RecordId;

/// A mail to try: raw, or typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteRequest {
    /// Envelope sender; without, that of the mail.
    #[serde(default)]
    pub mail_from: String,
    /// Envelope recipient; without, the first address of ours in the mail.
    #[serde(default)]
    pub rcpt_to: String,
    /// A raw mail in base64, instead of the fields below.
    #[serde(default)]
    pub raw: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub text: String,
    /// Message-ID it answers.
    #[serde(default)]
    pub in_reply_to: String,
    /// As if the sender had authenticated (true) or failed to (false).
    #[serde(default)]
    pub authenticated: Option<bool>,
    /// As if a program had written it.
    #[serde(default)]
    pub automatic: bool,
}

/// One thing that would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteView {
    /// `create` or `append`.
    pub action: String,
    pub r#type: String,
    pub record: Option<RecordId>,
    pub alias: Option<String>,
    /// `token`, `reference`, `alias`, `fixed`, `fallback`, `bounce-of`.
    pub by: String,
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub internal: bool,
    #[serde(default)]
    pub author: Option<String>,
    #[serde(default)]
    pub author_from: String,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    pub held: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusalView {
    pub status: String,
    pub reason: String,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuthenticationView {
    pub spf: String,
    pub dkim: String,
    pub dmarc: String,
    #[serde(default)]
    pub from_trusted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WhyView {
    pub rule: String,
    pub text: String,
}

/// Somebody who would be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToldView {
    pub name: String,
    pub email: Option<String>,
    pub by: TellBy,
    /// Key `goes.<why>`.
    pub why: String,
}

/// What would have to change for another outcome: key `route.change.<key>` and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeView {
    pub key: String,
    #[serde(default)]
    pub args: std::collections::BTreeMap<String, String>,
}

/// The answer of the dry run (same keys as the example `route`), with what a person needs to read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteReply {
    /// `accepted`, `held`, `refused`, `ignored`, `report`.
    pub decision: String,
    pub routes: Vec<RouteView>,
    pub refusal: Option<RefusalView>,
    pub ignored: Option<String>,
    pub duplicate_of: Option<String>,
    pub report: Option<serde_json::Value>,
    pub automatic: Option<String>,
    pub authentication: AuthenticationView,
    pub notify: Vec<String>,
    pub copied: Vec<String>,
    pub suggestion: Option<RecordId>,
    pub why: Vec<WhyView>,
    pub parsed: serde_json::Value,
    /// The envelope that was tried.
    #[serde(default)]
    pub mail_from: String,
    #[serde(default)]
    pub rcpt_to: String,
    #[serde(default)]
    pub told: Vec<ToldView>,
    /// Number and title of the record it would go to.
    #[serde(default)]
    pub record_number: Option<String>,
    #[serde(default)]
    pub record_title: Option<String>,
    /// Name of the customer of a new record, where he is known.
    #[serde(default)]
    pub author_name: Option<String>,
    #[serde(default)]
    pub changes: Vec<ChangeView>,
}

crate::endpoints! {
    TryRoute: Post "/api/v1/route" "What would become of a mail; nothing is written" { query: (), body: RouteRequest } -> RouteReply;
}

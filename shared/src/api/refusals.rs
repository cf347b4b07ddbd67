//! The journal of mail we said no to.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::id::RefusalId;
use crate::time::Timestamp;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusalQuery {
    /// Part of an address or of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Envelope, main headers, reason. Never the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusalRow {
    pub id: RefusalId,
    pub at: Timestamp,
    /// Empty is the null sender.
    pub mail_from: String,
    pub rcpt_to: String,
    pub subject: String,
    pub from: String,
    pub message_id: Option<String>,
    /// Enhanced status the peer saw, for example `5.1.1`.
    pub status: String,
    /// `refusal.<reason>`.
    pub reason: String,
    /// The words the peer saw.
    pub text: String,
    /// Rules that led to it, in order.
    pub why: Vec<String>,
}

crate::endpoints! {
    ListRefusals: Get "/api/v1/refusals" "Mail we refused, newest first" { query: RefusalQuery, body: () } -> Page<RefusalRow>;
}

//! The trace of one mail, in or out.

use serde::Deserialize;
use serde::Serialize;

use super::incoming::Fate;
use super::messages::DeliveryView;
use crate::id::RecordId;
use crate::log::Direction;
use crate::log::line::LogLine;
use crate::time::Timestamp;
use crate::way::Stop;

/// One rule that led to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleView {
    pub rule: String,
    pub text: String,
}

/// Results of the checks: `pass`, `fail`, … by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Checks {
    pub spf: String,
    pub dkim: String,
    pub dmarc: String,
    /// It is proven to be from the domain of From.
    pub trusted: bool,
    /// Domain of From.
    pub domain: String,
    /// Authentication-Results as they came, those of the receiving host alone.
    pub header: Option<String>,
}

/// A mail with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TraceView {
    /// Of the hand-over, the refusal, or the message that left.
    pub id: String,
    pub direction: Direction,
    pub at: Timestamp,
    pub subject: String,
    /// As people see it.
    pub from: String,
    /// Envelope sender; empty is the null sender.
    pub mail_from: String,
    /// Envelope recipients.
    pub rcpt_to: Vec<String>,
    pub message_id: Option<String>,
    pub size: Option<u32>,
    /// What became of a mail that came in.
    pub fate: Option<Fate>,
    pub reason: Option<String>,
    /// What the peer was told, for a refusal.
    pub answer: Option<String>,
    pub error: Option<String>,
    pub rules: Vec<RuleView>,
    pub checks: Option<Checks>,
    /// Oldest first.
    pub way: Vec<Stop>,
    /// Oldest first.
    pub lines: Vec<LogLine>,
    /// Of the message: those it was sent to, or who were told of it.
    pub deliveries: Vec<DeliveryView>,
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
    pub record_title: Option<String>,
    /// For a report: the mail of ours it is about, an id for `/trace/{id}`.
    pub about: Option<String>,
    /// Address of the raw mail.
    pub original: Option<String>,
}

crate::endpoints! {
    ReadTrace: Get "/api/v1/trace/{id}" "All that is known about one mail, in or out" { query: (), body: () } -> TraceView;
}

//! The log, its day files, and what became of a mail.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use super::emails::Wait;
use super::incoming::Fate;
use crate::id::RecordId;
use crate::log::Direction;
use crate::log::Kind;
use crate::log::Level;
use crate::log::line::LogLine;
use crate::log::question::Question;
use crate::outbox::state::DeliveryState;
use crate::time::Timestamp;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// This grave or graver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Name of an outgoing server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// An address or `@domain`, of whichever side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Number of a record (`S00042`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows, each of which may be several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl LogQuery {
    /// The kinds that are asked for; `None` for all.
    pub fn kinds(&self) -> Option<Vec<Kind>> {
        if self.kind.is_none() && self.direction.is_none() && self.level.is_none_or(|it| it == Level::Detail) {
            return None;
        }
        let wanted = |it: &Kind| {
            self.kind.is_none_or(|kind| kind == *it)
                && self.level.is_none_or(|level| it.level() >= level)
                && self.direction.is_none_or(|direction| it.direction() == direction)
        };
        Some(Kind::ALL.into_iter().filter(wanted).collect())
    }
}

/// A day of the log in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogFile {
    /// `2026-11-24`: the day on which it begins, at 05:00 UTC. `GET /api/v1/logs/files/{day}` has its lines as JSON.
    pub day: String,
    pub begins: Timestamp,
    pub ends: Timestamp,
    pub lines: u32,
    pub bytes: u64,
    /// All of the day is in it.
    pub complete: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailQuery {
    /// What is asked, in English or Vietnamese: `what happened to the mail from ann@shop.test around 10:03`.
    pub q: String,
    /// Time zone of the asker, in minutes east of UTC.
    #[serde(default)]
    pub offset: i64,
}

/// What became of a mail, in a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MailOutcome {
    In {
        fate: Fate,
        /// `held.*`, `refusal.*`, `ignored.*`, `fault.*`.
        reason: Option<String>,
    },
    Out {
        state: DeliveryState,
        wait: Option<Wait>,
        /// The last answer of the other side.
        answer: Option<String>,
        server: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailHit {
    /// Id for `/trace/{id}`.
    pub trace: String,
    pub at: Timestamp,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub outcome: MailOutcome,
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
}

/// Mails that fit a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailAnswer {
    /// As it was understood.
    pub question: Question,
    /// Newest first, at most 20.
    pub mails: Vec<MailHit>,
    /// There was none at that time: these are the nearest of any time.
    pub is_nearest: bool,
}

crate::endpoints! {
    ListLogs: Get "/api/v1/logs" "Every act on a mail, newest first" { query: LogQuery, body: () } -> Page<LogLine>;
    ListLogFiles: Get "/api/v1/logs/files" "Days of the log in storage, newest first" { query: (), body: () } -> Vec<LogFile>;
    SearchMails: Get "/api/v1/mails" "What happened to a mail: in and out, refused, held, ignored, queued" { query: MailQuery, body: () } -> MailAnswer;
}

//! Everything that came in: what became of it, why, and what a person can still do about it.

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::address::EmailAddress;
use crate::id::AliasId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::time::Timestamp;

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Accepted, being written or waiting out an outage.
    Waiting,
    /// A message on a record.
    Written,
    /// Kept apart until a person decides.
    Held,
    /// Held, and a person did not want it.
    Dismissed,
    /// A report about mail of ours.
    Report,
    /// Could not be written; a person decides.
    Failed,
    /// Could not be written, and a person did not want it.
    Discarded,
    /// Said no at SMTP time.
    Refused,
    /// Taken from the peer and dropped: we have it, or it is our own.
    Ignored,
}

impl Fate {
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::Written,
        Self::Held,
        Self::Dismissed,
        Self::Report,
        Self::Failed,
        Self::Discarded,
        Self::Refused,
        Self::Ignored,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Written => "written",
            Self::Held => "held",
            Self::Dismissed => "dismissed",
            Self::Report => "report",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
            Self::Refused => "refused",
            Self::Ignored => "ignored",
        }
    }
}

/// Which part of the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Show {
    #[default]
    All,
    Held,
    /// What could not be written: waits for a person.
    Unprocessed,
    Refused,
    Ignored,
}

impl Show {
    pub const ALL: [Self; 5] = [Self::All, Self::Held, Self::Unprocessed, Self::Refused, Self::Ignored];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Held => "held",
            Self::Unprocessed => "unprocessed",
            Self::Refused => "refused",
            Self::Ignored => "ignored",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<Show>,
    /// An address or Message-ID is looked for everywhere, other words in the newest 5 000 mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Mail that came by this alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasId>,
    /// A refusal reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingRow {
    pub id: String,
    pub at: Timestamp,
    pub fate: Fate,
    /// Why it is held, refused, ignored or could not be written: `held.*`, `refusal.*`, `ignored.*`, `fault.*`.
    pub reason: Option<String>,
    /// Empty is the null sender.
    pub mail_from: String,
    pub rcpt_to: String,
    pub from: String,
    pub subject: String,
    pub message_id: Option<String>,
    pub size: u32,
    /// Times the same mail came; more than one for what is ignored.
    pub times: u32,
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
    pub record_title: Option<String>,
    pub message: Option<MessageId>,
    /// There is a raw source: `GET /api/v1/incoming/{id}/original`.
    pub has_original: bool,
}

/// One line of what was done with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingEvent {
    pub at: Timestamp,
    /// `incoming.event.<kind>`.
    pub kind: String,
    pub by: Option<String>,
    pub text: String,
}

/// All that is known about one mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingView {
    pub row: IncomingRow,
    /// Rules that led to it, in order.
    pub why: Vec<String>,
    /// What the peer was told, for a refusal.
    pub answer: Option<String>,
    /// What went wrong, in the words of the part that failed.
    pub error: Option<String>,
    pub tries: u32,
    /// Results of the checks: `pass`, `fail`, … by name.
    pub spf: Option<String>,
    pub dkim: Option<String>,
    pub dmarc: Option<String>,
    pub events: Vec<IncomingEvent>,
    /// When it is deleted from the journal; accepted mail stays.
    pub kept_until: Option<Timestamp>,
}

/// What a person does about mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncomingAction {
    /// Held: it becomes what it would have become, and its sender gets in from now on.
    Release,
    /// Held: not wanted.
    Dismiss,
    /// Dismissed or discarded: back to where it was.
    Restore,
    /// Unprocessed: try again.
    Replay,
    /// Unprocessed or held: write it to `record` or as mail to `alias`, whatever the rules say.
    Route,
    /// Unprocessed: not wanted.
    Discard,
}

impl IncomingAction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dismiss => "dismiss",
            Self::Restore => "restore",
            Self::Replay => "replay",
            Self::Route => "route",
            Self::Discard => "discard",
        }
    }
}

/// An action on a list of mails, or on all that match. At most 20 are done per call: as long as `left` is not 0, ask
/// again with the same `started`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingActions {
    pub action: IncomingAction,
    #[serde(default)]
    pub ids: Vec<String>,
    /// All held or unprocessed mails of this sender or with these words, instead of `ids`.
    #[serde(default)]
    pub all: Option<IncomingQuery>,
    /// `started` of the first answer: each mail is acted on once.
    #[serde(default)]
    pub started: Option<Timestamp>,
    #[serde(default)]
    pub record: Option<RecordId>,
    #[serde(default)]
    pub alias: Option<AliasId>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingDone {
    /// Ids it was done with, for *Undo*.
    pub done: Vec<String>,
    /// In another state meanwhile, or failed again.
    pub skipped: u32,
    pub left: u32,
    /// Give it back as `started` while some are left.
    pub started: Option<Timestamp>,
}

/// One held message of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettleHeldMessage {
    /// `release`, `dismiss` or `restore`.
    pub action: IncomingAction,
}

/// Figures of the tabs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncomingCounts {
    pub held: u32,
    pub unprocessed: u32,
    pub paused: u32,
    /// Percent of the database that is used, from 70 on.
    pub database_percent: Option<u32>,
    /// Mails that wait because database or storage fail.
    pub waiting: u32,
    /// When storage failed last, for an hour after: senders were told to try again.
    #[serde(default)]
    pub storage_failed: Option<Timestamp>,
}

/// A sender whose mail is held until released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PausedRow {
    pub address: EmailAddress,
    /// `loop` or `person`.
    pub reason: String,
    pub note: String,
    pub by: Option<String>,
    pub since: Timestamp,
    /// It ends by itself then.
    pub until: Option<Timestamp>,
    /// Pauses in a row.
    pub times: u32,
    /// Mails that are held because of it.
    pub held: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewPause {
    pub address: String,
    #[serde(default)]
    pub note: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReleasePause {
    /// Loop protection leaves this sender alone from now on.
    #[serde(default)]
    pub never_again: bool,
    /// Its held mails are let in too.
    #[serde(default)]
    pub let_in: bool,
}

crate::endpoints! {
    ListIncoming: Get "/api/v1/incoming" "Everything that came in, newest first" { query: IncomingQuery, body: () } -> Page<IncomingRow>;
    CountIncoming: Get "/api/v1/incoming/counts" "What waits for a person" { query: (), body: () } -> IncomingCounts;
    ReadIncoming: Get "/api/v1/incoming/{id}" "What became of one mail, and why" { query: (), body: () } -> IncomingView;
    ActOnIncoming: Post "/api/v1/incoming/actions" "Release, dismiss, replay, route or discard mails" { query: (), body: IncomingActions } -> IncomingDone;
    CheckIncoming: Post "/api/v1/incoming/{id}/check" "Would it get in now?" { query: (), body: () } -> super::route::RouteReply;
    SettleHeld: Post "/api/v1/messages/{id}/held" "Let a held message in, or dismiss it" { query: (), body: SettleHeldMessage } -> ();
    ListPaused: Get "/api/v1/paused" "Paused senders" { query: (), body: () } -> Vec<PausedRow>;
    PauseSender: Post "/api/v1/paused" "Hold all mail of a sender" { query: (), body: NewPause } -> PausedRow;
    ReleaseSender: Post "/api/v1/paused/{address}/release" "Let a sender write again" { query: (), body: ReleasePause } -> ();
}

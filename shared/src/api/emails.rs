//! The outgoing queue as people see it (Settings › Technical › Emails).

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::id::DeliveryId;
use crate::id::EmailId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::outbox::state::DeliveryState;
use crate::time::Timestamp;

/// Tabs of the Emails page: groups of delivery states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EmailFilter {
    /// Everything that is neither sent, delivered, cancelled nor ignored.
    NotDelivered,
    /// Outgoing and sending.
    Outgoing,
    Deferred,
    /// Failed, bounced, complained.
    Failed,
    Unknown,
    /// Sent and delivered.
    Sent,
    /// Cancelled and ignored.
    Cancelled,
    All,
}

impl EmailFilter {
    pub const ALL: [Self; 8] = [
        Self::NotDelivered,
        Self::Outgoing,
        Self::Deferred,
        Self::Failed,
        Self::Unknown,
        Self::Sent,
        Self::Cancelled,
        Self::All,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotDelivered => "not_delivered",
            Self::Outgoing => "outgoing",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
            Self::All => "all",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// The states it shows.
    pub const fn states(self) -> &'static [DeliveryState] {
        use DeliveryState as S;
        match self {
            Self::NotDelivered => {
                &[S::Outgoing, S::Sending, S::Deferred, S::Failed, S::Bounced, S::Complained, S::Unknown]
            }
            Self::Outgoing => &[S::Outgoing, S::Sending],
            Self::Deferred => &[S::Deferred],
            Self::Failed => &[S::Failed, S::Bounced, S::Complained],
            Self::Unknown => &[S::Unknown],
            Self::Sent => &[S::Sent, S::Delivered],
            Self::Cancelled => &[S::Cancelled, S::Ignored],
            Self::All => &S::ALL,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EmailQuery {
    /// `not_delivered` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<EmailFilter>,
    /// Part of a recipient address or of the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One delivery in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EmailRow {
    pub delivery: DeliveryId,
    pub email: EmailId,
    pub message: MessageId,
    pub record: Option<RecordId>,
    pub record_number: Option<String>,
    pub subject: String,
    pub sender: String,
    pub recipient: String,
    pub state: DeliveryState,
    /// `urgent`, `normal` or `bulk`.
    pub lane: String,
    pub server: Option<String>,
    pub created: Timestamp,
    pub next_try: Option<Timestamp>,
    pub tries: u32,
    /// The last answer of the other side, one line.
    pub last_answer: Option<String>,
}

/// Rows per tab.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EmailCounts {
    pub counts: std::collections::BTreeMap<String, u32>,
}

/// What to do with queue rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EmailAction {
    /// Failed or cancelled → outgoing, sent by the next run.
    Retry,
    SendNow,
    Cancel,
    Ignore,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActOnEmails {
    pub action: EmailAction,
    /// Up to 500.
    pub deliveries: Vec<DeliveryId>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActedOnEmails {
    pub changed: u32,
    /// Not in a state in which this is possible.
    pub skipped: u32,
}

crate::endpoints! {
    ListEmails: Get "/api/v1/emails" "The outgoing queue, newest first" { query: EmailQuery, body: () } -> Page<EmailRow>;
    CountEmails: Get "/api/v1/emails/counts" "Rows per state" { query: (), body: () } -> EmailCounts;
    ActOnQueue: Post "/api/v1/emails/actions" "Retry, send now, cancel, ignore" { query: (), body: ActOnEmails } -> ActedOnEmails;
}

//! The outgoing queue as people see it (Settings › Technical › Emails).

use serde::Deserialize;
use serde::Serialize;

use super::Page;
use crate::id::DeliveryId;
use crate::id::EmailId;
use crate::id::MessageId;
use crate::id::RecordId;
use crate::id::ServerId;
use crate::outbox::delay::Delay;
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

/// Why an outgoing delivery is not due yet, when it is not its own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// A person holds it.
    Held,
    /// A limit is used up; it goes by itself when the limit begins anew.
    Limit,
    /// The recipient's domain asked us to slow down.
    Domain,
    /// Every server that may take it rests after trouble.
    Server,
    /// Not urgent: waits for the Email Queue Manager.
    Queue,
}

impl Wait {
    pub const ALL: [Self; 5] = [Self::Held, Self::Limit, Self::Domain, Self::Server, Self::Queue];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Limit => "limit",
            Self::Domain => "domain",
            Self::Server => "server",
            Self::Queue => "queue",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
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
    pub server: Option<ServerId>,
    /// `urgent`, `normal` or `bulk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// Domain of the recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Made at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Made before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
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
    pub wait: Option<Wait>,
    /// Why it has not left yet; none for what is on its way or over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
    /// `urgent`, `normal` or `bulk`.
    pub lane: String,
    pub server: Option<String>,
    pub created: Timestamp,
    pub next_try: Option<Timestamp>,
    pub tries: u32,
    /// The last answer of the other side, one line.
    pub last_answer: Option<String>,
}

/// Rows per tab, up to [`EmailCounts::MOST`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EmailCounts {
    pub counts: std::collections::BTreeMap<String, u32>,
}

impl EmailCounts {
    /// Counting stops here: this many or more.
    pub const MOST: u32 = 5_000;
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
    /// Stays in the queue until somebody releases it.
    Hold,
    Release,
    /// A person knows that an *unknown* one arrived.
    Arrived,
}

impl EmailAction {
    pub const ALL: [Self; 7] =
        [Self::Retry, Self::SendNow, Self::Cancel, Self::Ignore, Self::Hold, Self::Release, Self::Arrived];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::SendNow => "send_now",
            Self::Cancel => "cancel",
            Self::Ignore => "ignore",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Arrived => "arrived",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActOnEmails {
    pub action: EmailAction,
    /// Up to 500 …
    #[serde(default)]
    pub deliveries: Vec<DeliveryId>,
    /// … or all that match, a bounded part per call: call again with `cursor` until there is no `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<EmailQuery>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActedOnEmails {
    pub changed: u32,
    /// Not in a state in which this is possible.
    pub skipped: u32,
    /// With `matching`: there is more; give it back as `cursor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How many match, and for how many each action is possible. Counting stops at `most`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EmailMatches {
    pub total: u32,
    pub urgent: u32,
    /// Action (`retry`, …) to number.
    pub possible: std::collections::BTreeMap<String, u32>,
    /// There are more than were counted.
    pub is_more: bool,
}

crate::endpoints! {
    ListEmails: Get "/api/v1/emails" "The outgoing queue, newest first" { query: EmailQuery, body: () } -> Page<EmailRow>;
    CountEmails: Get "/api/v1/emails/counts" "Rows per state" { query: (), body: () } -> EmailCounts;
    MatchEmails: Get "/api/v1/emails/matching" "How many match, and what can be done with them" { query: EmailQuery, body: () } -> EmailMatches;
    ActOnQueue: Post "/api/v1/emails/actions" "Retry, send now, cancel, ignore, hold, release" { query: (), body: ActOnEmails } -> ActedOnEmails;
}

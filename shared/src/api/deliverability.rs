//! How mail arrives: by day, by recipient domain, by reason; and how well it reaches a contact.

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;
use crate::id::RecordId;
use crate::outbox::address_health::Mark;
use crate::outbox::breaker::Trip;
use crate::outbox::failure::Reason;
use crate::outbox::state::DeliveryState;
use crate::time::Timestamp;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeliverabilityQuery {
    /// Days back, 30 unless given; 90 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// Deliveries by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outcomes {
    /// Taken by the next server, and nothing bad heard since.
    pub sent: u32,
    /// Proven to have arrived.
    pub delivered: u32,
    /// Waits for another try.
    pub deferred: u32,
    /// Refused for good, given up or bounced.
    pub bounced: u32,
    pub complained: u32,
}

impl Outcomes {
    /// Counts deliveries in a state; those that are still with us count nowhere.
    pub const fn add(&mut self, state: DeliveryState, n: u32) {
        match state {
            DeliveryState::Sent => self.sent += n,
            DeliveryState::Delivered => self.delivered += n,
            DeliveryState::Deferred => self.deferred += n,
            DeliveryState::Failed | DeliveryState::Bounced | DeliveryState::Ignored => self.bounced += n,
            DeliveryState::Complained => self.complained += n,
            DeliveryState::Outgoing | DeliveryState::Sending | DeliveryState::Unknown | DeliveryState::Cancelled => {}
        }
    }

    pub const fn total(&self) -> u32 {
        self.sent + self.delivered + self.deferred + self.bounced + self.complained
    }

    /// Bounced in ten thousand.
    pub const fn bounce_rate(&self) -> u32 {
        match self.total() {
            0 => 0,
            total => (self.bounced as u64 * 10_000 / total as u64) as u32,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DayOutcomes {
    /// Its beginning, UTC.
    pub day: Timestamp,
    pub outcomes: Outcomes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DomainOutcomes {
    pub domain: String,
    pub outcomes: Outcomes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReasonCount {
    pub reason: Reason,
    pub n: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deliverability {
    pub total: Outcomes,
    /// Every day of the time, oldest first.
    pub days: Vec<DayOutcomes>,
    /// The twenty that got most.
    pub domains: Vec<DomainOutcomes>,
    /// Most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// Older deliveries were left out: there are too many.
    pub is_part: bool,
    /// Bulk mail waits, for this.
    pub breaker: Option<Trip>,
}

/// What a line of a contact's timeline is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ContactEventKind {
    /// We wrote; `state` says what became of it.
    Sent,
    /// A person wrote to us.
    Wrote,
    /// A machine wrote to us from this address.
    Automatic,
    /// We stopped writing to it.
    Suppressed,
    /// We write to it again; `text` says why.
    Lifted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactEvent {
    pub at: Timestamp,
    pub kind: ContactEventKind,
    pub address: String,
    pub subject: String,
    pub record: Option<RecordId>,
    pub state: Option<DeliveryState>,
    pub reason: Option<Reason>,
    /// The server's words, or the note of who suppressed it.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AddressHealth {
    pub address: EmailAddress,
    pub mark: Mark,
    /// We do not write to it at all.
    pub suppressed: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactTimeline {
    pub addresses: Vec<AddressHealth>,
    /// Newest first, up to 200.
    pub events: Vec<ContactEvent>,
}

crate::endpoints! {
    ReadDeliverability: Get "/api/v1/deliverability" "What became of mail by day, recipient domain and reason" { query: DeliverabilityQuery, body: () } -> Deliverability;
    ReadContactTimeline: Get "/api/v1/contacts/{id}/timeline" "Every delivery, bounce, complaint and reply of a contact's addresses" { query: (), body: () } -> ContactTimeline;
}

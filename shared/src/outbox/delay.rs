//! Why a delivery of the queue has not left at this moment.

use serde::Deserialize;
use serde::Serialize;

use super::retry;
use super::state::DeliveryState;
use crate::api::emails::Wait;
use crate::time::Span;
use crate::time::Timestamp;

/// The longest time to take a message back; what leaves later was scheduled.
const UNDO: Span = Span::minutes(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    Held,
    Limit,
    Domain,
    Server,
    Queue,
    /// Too much of the last day's bulk mail came back.
    Breaker,
    /// Its last try failed for now; the schedule says when it is next.
    Retry,
    /// Another server took it and goes on trying.
    Theirs,
    /// It can still be taken back.
    Undo,
    /// Somebody chose the time.
    Scheduled,
    /// It is due, and goes with the next run.
    Next,
}

impl Delay {
    pub const ALL: [Self; 11] = [
        Self::Held,
        Self::Limit,
        Self::Domain,
        Self::Server,
        Self::Queue,
        Self::Breaker,
        Self::Retry,
        Self::Theirs,
        Self::Undo,
        Self::Scheduled,
        Self::Next,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Limit => "limit",
            Self::Domain => "domain",
            Self::Server => "server",
            Self::Queue => "queue",
            Self::Breaker => "breaker",
            Self::Retry => "retry",
            Self::Theirs => "theirs",
            Self::Undo => "undo",
            Self::Scheduled => "scheduled",
            Self::Next => "next",
        }
    }
}

/// A delivery, as far as this question goes.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    pub state: DeliveryState,
    pub wait: Option<Wait>,
    pub is_bulk: bool,
    pub created: Timestamp,
    pub due: Timestamp,
}

/// `None` for what is on its way or over.
pub fn delay(it: &Waiting, now: Timestamp) -> Option<Delay> {
    if !matches!(it.state, DeliveryState::Outgoing | DeliveryState::Deferred) {
        return None;
    }
    let known = it.wait.map(|wait| match wait {
        Wait::Held => Delay::Held,
        Wait::Limit => Delay::Limit,
        Wait::Domain => Delay::Domain,
        Wait::Server => Delay::Server,
        Wait::Queue => Delay::Queue,
    });
    Some(known.unwrap_or_else(|| match it.state {
        DeliveryState::Deferred if it.due >= retry::NEVER => Delay::Theirs,
        DeliveryState::Deferred => Delay::Retry,
        _ if it.due <= now => Delay::Next,
        // Nothing else puts off a mail of a campaign whose turn it is.
        _ if it.is_bulk => Delay::Breaker,
        _ if it.due - it.created <= UNDO => Delay::Undo,
        _ => Delay::Scheduled,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_waiting_row_has_its_reason() {
        use DeliveryState as S;
        let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000);
        for (state, wait, is_bulk, due, expected) in [
            (S::Outgoing, None, false, at(10), Some(Delay::Undo)),
            (S::Outgoing, None, false, at(3_600), Some(Delay::Scheduled)),
            (S::Outgoing, None, false, at(3), Some(Delay::Next)),
            (S::Outgoing, None, true, at(900), Some(Delay::Breaker)),
            (S::Outgoing, Some(Wait::Limit), true, at(900), Some(Delay::Limit)),
            (S::Outgoing, Some(Wait::Queue), false, retry::NEVER, Some(Delay::Queue)),
            (S::Outgoing, Some(Wait::Held), false, retry::NEVER, Some(Delay::Held)),
            (S::Deferred, Some(Wait::Domain), false, at(900), Some(Delay::Domain)),
            (S::Deferred, Some(Wait::Server), false, at(20), Some(Delay::Server)),
            (S::Deferred, None, false, at(900), Some(Delay::Retry)),
            (S::Deferred, None, false, retry::NEVER, Some(Delay::Theirs)),
            (S::Sending, None, false, at(600), None),
            (S::Sent, None, false, at(0), None),
            (S::Failed, Some(Wait::Limit), false, at(0), None),
        ] {
            let it = Waiting { state, wait, is_bulk, created: at(0), due };
            assert_eq!(delay(&it, at(5)), expected, "{it:?}");
        }
    }
}

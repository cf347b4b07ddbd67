//! Whether mail flows.

use serde::Deserialize;
use serde::Serialize;

use crate::outbox::actions::Action;
use crate::time::Span;
use crate::time::Timestamp;
use crate::way::Stop;

/// After this long a canary counts as lost.
pub const CANARY_PATIENCE: Span = Span::minutes(5);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DomainFlow {
    pub domain: String,
    pub last_received: Option<Timestamp>,
    pub last_sent: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerFlow {
    pub name: String,
    pub enabled: bool,
    pub last_success: Option<Timestamp>,
    pub last_trouble: Option<Timestamp>,
    pub last_error: Option<String>,
    pub rests_until: Option<Timestamp>,
}

/// What waits, and since when the oldest does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waiting {
    pub n: u32,
    pub oldest: Option<Timestamp>,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Share {
    pub bad: u32,
    pub all: u32,
}

impl Share {
    /// In tenths of a percent; `None` of nothing.
    pub fn per_mille(self) -> Option<u32> {
        let all = u64::from(self.all);
        (all > 0).then(|| ((u64::from(self.bad) * 1_000 + all / 2) / all) as u32)
    }
}

/// A rate of the last 24 hours against the seven days before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rate {
    pub day: Share,
    pub week: Share,
}

impl Rate {
    /// Twice what it was and more than a few: somebody should look.
    pub fn is_unusual(self) -> bool {
        let (Some(day), week) = (self.day.per_mille(), self.week.per_mille().unwrap_or(0)) else { return false };
        self.day.bad >= 5 && day >= 20 && day >= week * 2
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LateAction {
    pub action: Action,
    /// Switched off, by a person or by itself.
    pub off: bool,
    /// When it should have run.
    pub due: Option<Timestamp>,
    pub last_error: Option<String>,
}

/// How far a canary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CanaryState {
    /// The server did not take it.
    Refused,
    /// On its way.
    Flying,
    Back,
    /// Not back within [`CANARY_PATIENCE`]. Should it come later, it is *back* after all.
    Lost,
}

impl CanaryState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Flying => "flying",
            Self::Back => "back",
            Self::Lost => "lost",
        }
    }

    /// From what is known of it.
    pub fn of(sent: Timestamp, taken: bool, answered: bool, returned: bool, now: Timestamp) -> Self {
        match (returned, answered, taken) {
            (true, ..) => Self::Back,
            (false, true, false) => Self::Refused,
            _ if now - sent > CANARY_PATIENCE => Self::Lost,
            _ => Self::Flying,
        }
    }
}

/// A mail that goes out and should come in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CanaryView {
    pub id: String,
    pub state: CanaryState,
    pub by: String,
    pub server: String,
    pub mail_from: String,
    pub rcpt_to: String,
    pub sent: Timestamp,
    pub answered: Option<Timestamp>,
    pub answer: String,
    pub returned: Option<Timestamp>,
    pub way: Vec<Stop>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusView {
    pub now: Timestamp,
    pub domains: Vec<DomainFlow>,
    pub servers: Vec<ServerFlow>,
    /// Deliveries that are due and have not left.
    pub due: Waiting,
    /// Deliveries that wait for the Email Queue Manager.
    pub queued: Waiting,
    /// Accepted mail that is not written yet.
    pub unwritten: Waiting,
    /// Mail that could not be written: waits for a person.
    pub unprocessed: Waiting,
    /// Of them, those the queue gave up.
    pub dead_letters: u32,
    /// Deliveries that servers refused, of all they were handed.
    pub failures: Rate,
    /// Mails we refused, of all that came.
    pub refusals: Rate,
    /// Actions that are late, off or failing.
    pub actions: Vec<LateAction>,
    pub canary: Option<CanaryView>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewCanary {
    /// Address of an alias of ours; without it the one that got mail last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

crate::endpoints! {
    ReadStatus: Get "/api/v1/status" "Whether mail flows: domains, servers, queues, rates, actions" { query: (), body: () } -> StatusView;
    SendCanary: Post "/api/v1/status/canary" "Send a mail through the whole loop, to an alias of ours" { query: (), body: NewCanary } -> CanaryView;
    ReadCanary: Get "/api/v1/status/canary/{id}" "How far a canary is" { query: (), body: () } -> CanaryView;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_lost_after_a_while_and_back_whenever_it_comes() {
        let sent = Timestamp::from_millis(0);
        let late = sent + CANARY_PATIENCE + Span::millis(1);
        for (taken, answered, returned, now, expected) in [
            (false, false, false, sent, CanaryState::Flying),
            (false, true, false, sent, CanaryState::Refused),
            (true, true, false, sent + CANARY_PATIENCE, CanaryState::Flying),
            (true, true, false, late, CanaryState::Lost),
            (false, false, false, late, CanaryState::Lost),
            (true, true, true, late, CanaryState::Back),
        ] {
            assert_eq!(CanaryState::of(sent, taken, answered, returned, now), expected);
        }
    }

    #[test]
    fn a_rate_is_unusual_when_it_doubles_and_is_more_than_a_few() {
        let rate = |bad, all, week_bad, week_all| Rate {
            day: Share { bad, all },
            week: Share { bad: week_bad, all: week_all },
        };
        assert!(rate(10, 100, 10, 700).is_unusual());
        assert!(!rate(4, 10, 0, 700).is_unusual());
        assert!(!rate(10, 100, 70, 700).is_unusual());
        assert!(!rate(10, 10_000, 0, 0).is_unusual());
        assert_eq!(Share { bad: 1, all: 3 }.per_mille(), Some(333));
        assert_eq!(Share::default().per_mille(), None);
    }
}

//! Where every recipient is. One row per address, each counted once; the sums always add up.

use serde::Deserialize;
use serde::Serialize;

use crate::outbox::state::DeliveryState;

/// The recipient that a Message-ID of a campaign names: the first 16 characters of the campaign's id, and its number. The
/// delivery of a recipient is called so, and its mail after it.
pub fn recipient_of(id: &str) -> Option<(String, u32)> {
    let (local, _) = id.trim_start_matches('<').split_once('@')?;
    let (campaign, n) = local.split_at_checked(16)?;
    let is_ours = n.len() == 10 && campaign.bytes().all(|it| it.is_ascii_alphanumeric());
    Some((campaign.to_ascii_uppercase(), n.parse().ok()?)).filter(|_| is_ours)
}

/// Why an address of the audience gets nothing. The order is that of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// A person or an import suppressed it.
    Suppressed,
    /// A server said that it does not exist.
    Bounced,
    /// Its owner called our mail abuse.
    Complained,
    /// Unsubscribed from all campaigns.
    Unsubscribed,
    /// Left the list.
    OptedOut,
    /// No address that mail can be sent to.
    Invalid,
    /// Unsubscribed or was suppressed after the recipients were fixed, before its mail left.
    Meanwhile,
}

impl LeftOut {
    pub const ALL: [Self; 7] = [
        Self::Suppressed,
        Self::Bounced,
        Self::Complained,
        Self::Unsubscribed,
        Self::OptedOut,
        Self::Invalid,
        Self::Meanwhile,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Unsubscribed => "unsubscribed",
            Self::OptedOut => "opted_out",
            Self::Invalid => "invalid",
            Self::Meanwhile => "meanwhile",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Where one recipient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "at")]
pub enum Place {
    LeftOut {
        why: LeftOut,
    },
    /// Not in the queue yet.
    Planned,
    /// In the queue or beyond.
    Queue {
        state: DeliveryState,
    },
}

impl Place {
    /// From a row of the ledger: why it was left out, and the state of its delivery.
    pub fn of(left_out: Option<LeftOut>, delivery: Option<DeliveryState>) -> Self {
        match (left_out, delivery) {
            (Some(why), _) => Self::LeftOut { why },
            (None, Some(state)) => Self::Queue { state },
            (None, None) => Self::Planned,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOutCount {
    pub why: LeftOut,
    pub n: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StateCount {
    pub state: DeliveryState,
    pub n: u32,
}

/// All recipients of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ledger {
    /// Entries on the lists: addresses and their repetitions.
    pub listed: u32,
    /// Repetitions of an address.
    pub duplicates: u32,
    pub left_out: Vec<LeftOutCount>,
    /// Not in the queue yet.
    pub planned: u32,
    pub states: Vec<StateCount>,
}

impl Ledger {
    /// From counts: rows of the ledger by reason (`None` is not left out), each with its repetitions, and deliveries by
    /// state, those cancelled for their recipient's sake included.
    pub fn build(rows: &[(Option<LeftOut>, u32, u32)], deliveries: &[(DeliveryState, u32)]) -> Self {
        let (mut ledger, mut open, mut meanwhile) = (Self::default(), 0_u32, 0_u32);
        for (why, n, copies) in rows {
            ledger.listed += copies;
            ledger.duplicates += copies.saturating_sub(*n);
            match why {
                Some(why) => {
                    ledger.left_out.push(LeftOutCount { why: *why, n: *n });
                    meanwhile += if *why == LeftOut::Meanwhile { *n } else { 0 };
                }
                None => open += n,
            }
        }
        ledger.left_out.sort_by_key(|it| it.why);
        for state in DeliveryState::ALL {
            let mut n: u32 = deliveries.iter().filter(|it| it.0 == state).map(|it| it.1).sum();
            if state == DeliveryState::Cancelled {
                n = n.saturating_sub(meanwhile);
            }
            if n > 0 {
                ledger.states.push(StateCount { state, n });
            }
        }
        ledger.planned = open.saturating_sub(ledger.queued());
        ledger
    }

    fn queued(&self) -> u32 {
        self.states.iter().map(|it| it.n).sum()
    }

    pub fn n_left_out(&self) -> u32 {
        self.left_out.iter().map(|it| it.n).sum()
    }

    /// Recipients that get it or should have.
    pub fn recipients(&self) -> u32 {
        self.planned + self.queued()
    }

    pub fn of(&self, states: &[DeliveryState]) -> u32 {
        self.states.iter().filter(|it| states.contains(&it.state)).map(|it| it.n).sum()
    }

    /// Another server took it.
    pub fn handed_over(&self) -> u32 {
        use DeliveryState as S;
        self.of(&[S::Sent, S::Delivered, S::Bounced, S::Complained])
    }

    /// Taken, and nothing bad was heard of it.
    pub fn delivered(&self) -> u32 {
        self.of(&[DeliveryState::Sent, DeliveryState::Delivered])
    }

    /// Still to be handed over by us.
    pub fn left(&self) -> u32 {
        self.planned + self.of(&[DeliveryState::Outgoing, DeliveryState::Sending])
    }

    /// Every entry is somewhere, and in one place only.
    pub fn adds_up(&self) -> bool {
        self.listed == self.duplicates + self.n_left_out() + self.planned + self.queued()
    }
}

/// Tenths of a percent; none of nothing.
pub const fn per_mille(n: u32, of: u32) -> u32 {
    if of == 0 { 0 } else { (n as u64 * 1_000 / of as u64) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_names_its_recipient() {
        let id = |text: &str| recipient_of(text);
        assert_eq!(id("<01m87m9kwrhfgnv70000000042@corp.test>"), Some(("01M87M9KWRHFGNV7".to_owned(), 42)));
        for other in
            ["<x@corp.test>", "<01m87m9kwrhfgnv7yyk8bpb47x@corp.test>", "<01m87m9kwrhfgnv700000000421@c.test>", "é"]
        {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn every_entry_is_counted_once() {
        use DeliveryState as S;
        let rows = [
            (None, 100, 103),
            (Some(LeftOut::Unsubscribed), 5, 6),
            (Some(LeftOut::Meanwhile), 2, 2),
            (Some(LeftOut::Suppressed), 1, 1),
        ];
        let ledger = Ledger::build(&rows, &[(S::Sent, 60), (S::Outgoing, 20), (S::Cancelled, 3), (S::Failed, 4)]);
        assert!(ledger.adds_up(), "{ledger:?}");
        assert_eq!((ledger.listed, ledger.duplicates, ledger.n_left_out()), (112, 4, 8));
        assert_eq!((ledger.planned, ledger.of(&[S::Cancelled]), ledger.left()), (15, 1, 35));
        assert_eq!((ledger.recipients(), ledger.handed_over()), (100, 60));
        assert!(Ledger::default().adds_up());
        assert!(!Ledger { listed: 1, ..Ledger::default() }.adds_up());
        assert_eq!((per_mille(1, 3), per_mille(1, 0)), (333, 0));
    }

    #[test]
    fn a_recipient_is_in_one_place() {
        let sent = Some(DeliveryState::Sent);
        assert_eq!(Place::of(None, sent), Place::Queue { state: DeliveryState::Sent });
        assert_eq!(Place::of(Some(LeftOut::Meanwhile), sent), Place::LeftOut { why: LeftOut::Meanwhile });
        assert_eq!(Place::of(None, None), Place::Planned);
        assert!(LeftOut::ALL.into_iter().all(|it| LeftOut::parse(it.as_str()) == Some(it)));
    }
}

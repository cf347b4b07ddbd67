//! The life of a delivery: one recipient of one email. The only place that says which state follows which.

use serde::Deserialize;
use serde::Serialize;

/// State of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its turn.
    Outgoing,
    /// Claimed by a run that is handing it over.
    Sending,
    /// Accepted by the next server.
    Sent,
    /// Proven to have arrived, by a report or a provider event.
    Delivered,
    /// A temporary error; tried again by ourselves.
    Deferred,
    /// Refused for good, or given up.
    Failed,
    /// Accepted first, then reported as undeliverable.
    Bounced,
    /// The recipient called it abuse.
    Complained,
    /// Handed over, but the answer was lost: sending again might deliver twice.
    Unknown,
    /// Taken out of the queue by a person.
    Cancelled,
    /// A failure a person decided to leave as it is.
    Ignored,
}

impl DeliveryState {
    pub const ALL: [Self; 11] = [
        Self::Outgoing,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Deferred,
        Self::Failed,
        Self::Bounced,
        Self::Complained,
        Self::Unknown,
        Self::Cancelled,
        Self::Ignored,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outgoing => "outgoing",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
            Self::Ignored => "ignored",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// A person has to decide or act.
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Failed | Self::Bounced | Self::Complained | Self::Unknown)
    }

    /// Handed over and, as far as we know, fine.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered)
    }

    /// A person may ask for another try.
    pub const fn can_retry(self) -> bool {
        matches!(apply(self, DeliveryEvent::Retry), Some(Self::Outgoing))
    }
}

/// What can happen to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryEvent {
    /// A run takes it to send it.
    Claim,
    /// The run gives it back untouched: its server or its limit has no room.
    Release,
    /// The server accepted it (2xx after the data).
    Accept,
    /// A temporary answer, or no connection.
    Defer,
    /// A permanent answer, or the last try was used up.
    Fail,
    /// The connection or the Worker died between hand-off and answer.
    Lose,
    /// A report or provider event: arrived.
    ReportDelivered,
    /// A report: the next server still tries.
    ReportDelayed,
    /// A report or provider event: undeliverable.
    ReportBounced,
    /// A complaint.
    ReportComplaint,
    /// A person: try again.
    Retry,
    /// A person: do not send.
    Cancel,
    /// A person: leave the failure as it is.
    Ignore,
}

impl DeliveryEvent {
    pub const ALL: [Self; 13] = [
        Self::Claim,
        Self::Release,
        Self::Accept,
        Self::Defer,
        Self::Fail,
        Self::Lose,
        Self::ReportDelivered,
        Self::ReportDelayed,
        Self::ReportBounced,
        Self::ReportComplaint,
        Self::Retry,
        Self::Cancel,
        Self::Ignore,
    ];
}

/// The state after an event; `None` when the event means nothing in this state and must change nothing.
///
/// Reports may come before our own bookkeeping, twice and in any order: they win over what we thought, and a bounce is
/// never undone by a late *delivered*.
pub const fn apply(state: DeliveryState, event: DeliveryEvent) -> Option<DeliveryState> {
    use DeliveryEvent as E;
    use DeliveryState as S;
    match (state, event) {
        (S::Outgoing | S::Deferred, E::Claim) => Some(S::Sending),
        (S::Sending, E::Release)
        | (S::Failed | S::Bounced | S::Unknown | S::Cancelled | S::Ignored | S::Deferred, E::Retry) => {
            Some(S::Outgoing)
        }
        (S::Sending, E::Accept) => Some(S::Sent),
        (S::Sending, E::Defer) | (S::Sent, E::ReportDelayed) => Some(S::Deferred),
        (S::Sending | S::Outgoing | S::Deferred, E::Fail) => Some(S::Failed),
        (S::Sending, E::Lose) => Some(S::Unknown),
        (S::Sending | S::Sent | S::Deferred | S::Unknown, E::ReportDelivered) => Some(S::Delivered),
        (S::Sending | S::Sent | S::Delivered | S::Deferred | S::Unknown, E::ReportBounced) => Some(S::Bounced),
        (S::Sending | S::Sent | S::Delivered | S::Deferred | S::Unknown, E::ReportComplaint) => Some(S::Complained),
        (S::Outgoing | S::Deferred | S::Failed | S::Bounced | S::Unknown, E::Cancel) => Some(S::Cancelled),
        (S::Failed | S::Bounced | S::Complained | S::Unknown | S::Deferred, E::Ignore) => Some(S::Ignored),
        _ => None,
    }
}

/// Colour of the envelope of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeState {
    /// White: everybody has it, or a person said that it is fine.
    Fine,
    /// Undo window, queue or hand-over.
    Leaving,
    /// Amber: we try again by ourselves.
    Waiting,
    /// Red: a person is needed.
    Failing,
}

impl EnvelopeState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Leaving => "leaving",
            Self::Waiting => "waiting",
            Self::Failing => "failing",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fine, Self::Leaving, Self::Waiting, Self::Failing].into_iter().find(|it| it.as_str() == text)
    }

    /// What one delivery alone would show.
    pub const fn of(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Outgoing | DeliveryState::Sending => Self::Leaving,
            DeliveryState::Deferred => Self::Waiting,
            DeliveryState::Failed | DeliveryState::Bounced | DeliveryState::Complained | DeliveryState::Unknown => {
                Self::Failing
            }
            DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Cancelled | DeliveryState::Ignored => {
                Self::Fine
            }
        }
    }
}

/// Envelope and the number beside it: the worst delivery decides; once one needs a person, those that wait after an
/// error are counted with the failed ones.
pub fn envelope(states: impl IntoIterator<Item = DeliveryState>) -> (EnvelopeState, u32) {
    let (mut worst, mut failed, mut waiting) = (EnvelopeState::Fine, 0, 0);
    for state in states {
        worst = worst.max(EnvelopeState::of(state));
        failed += u32::from(state.needs_person());
        waiting += u32::from(state == DeliveryState::Deferred);
    }
    (worst, if failed > 0 { failed + waiting } else { 0 })
}

/// The seed's word for an email: Outgoing, Sent, Delivery Failed, Cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmailState {
    Outgoing,
    Sent,
    DeliveryFailed,
    Cancelled,
}

impl EmailState {
    /// The worst of its deliveries.
    pub fn of(states: &[DeliveryState]) -> Self {
        let is = |wanted: fn(&DeliveryState) -> bool| states.iter().any(wanted);
        if is(|it| it.needs_person()) {
            Self::DeliveryFailed
        } else if is(|it| matches!(it, DeliveryState::Outgoing | DeliveryState::Sending | DeliveryState::Deferred)) {
            Self::Outgoing
        } else if is(|it| it.is_done()) {
            Self::Sent
        } else {
            Self::Cancelled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state against every event, in the order of `DeliveryEvent::ALL`; `-` changes nothing.
    const TABLE: [(&str, &str); 11] = [
        ("outgoing", "sending - - - failed - - - - - - cancelled -"),
        ("sending", "- outgoing sent deferred failed unknown delivered - bounced complained - - -"),
        ("sent", "- - - - - - delivered deferred bounced complained - - -"),
        ("delivered", "- - - - - - - - bounced complained - - -"),
        ("deferred", "sending - - - failed - delivered - bounced complained outgoing cancelled ignored"),
        ("failed", "- - - - - - - - - - outgoing cancelled ignored"),
        ("bounced", "- - - - - - - - - - outgoing cancelled ignored"),
        ("complained", "- - - - - - - - - - - - ignored"),
        ("unknown", "- - - - - - delivered - bounced complained outgoing cancelled ignored"),
        ("cancelled", "- - - - - - - - - - outgoing - -"),
        ("ignored", "- - - - - - - - - - outgoing - -"),
    ];

    #[test]
    fn every_state_and_event() {
        let mut pairs = 0;
        for (state, row) in TABLE {
            let state = DeliveryState::parse(state).unwrap();
            for (event, expected) in DeliveryEvent::ALL.into_iter().zip(row.split(' ')) {
                let got = apply(state, event).map_or("-", DeliveryState::as_str);
                assert_eq!(got, expected, "{state:?} and {event:?}");
                pairs += 1;
            }
        }
        assert_eq!(pairs, DeliveryState::ALL.len() * DeliveryEvent::ALL.len());
    }

    #[test]
    fn the_envelope_counts_waiting_ones_only_beside_a_failure() {
        use DeliveryState as S;
        let check = |states: &[S], expected| assert_eq!(envelope(states.iter().copied()), expected, "{states:?}");
        check(&[], (EnvelopeState::Fine, 0));
        check(&[S::Sent, S::Ignored], (EnvelopeState::Fine, 0));
        check(&[S::Sent, S::Outgoing], (EnvelopeState::Leaving, 0));
        check(&[S::Deferred, S::Outgoing], (EnvelopeState::Waiting, 0));
        check(&[S::Deferred, S::Failed, S::Sent], (EnvelopeState::Failing, 2));
        check(&[S::Unknown], (EnvelopeState::Failing, 1));
    }

    #[test]
    fn an_email_shows_its_worst_delivery() {
        use DeliveryState as S;
        assert_eq!(EmailState::of(&[S::Sent, S::Failed]), EmailState::DeliveryFailed);
        assert_eq!(EmailState::of(&[S::Sent, S::Deferred]), EmailState::Outgoing);
        assert_eq!(EmailState::of(&[S::Sent, S::Cancelled]), EmailState::Sent);
        assert_eq!(EmailState::of(&[S::Cancelled, S::Ignored]), EmailState::Cancelled);
    }
}

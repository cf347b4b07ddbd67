//! The life of a campaign. The only place that says which state follows which.

use serde::Deserialize;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// Being written; leaves only when somebody says so.
    Draft,
    /// In queue: leaves at its turn, not before its date.
    Queued,
    /// Its mails are being handed over.
    Sending,
    /// Nothing leaves until somebody resumes it; later campaigns don't wait for it.
    Paused,
    /// Everybody was handed over, or failed for good.
    Sent,
    /// Ended by a person; what had not left never will.
    Stopped,
}

impl CampaignState {
    pub const ALL: [Self; 6] = [Self::Draft, Self::Queued, Self::Sending, Self::Paused, Self::Sent, Self::Stopped];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Paused => "paused",
            Self::Sent => "sent",
            Self::Stopped => "stopped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Has or will have a place in the order of departure.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Paused)
    }
}

/// What people and the campaign queue do with a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CampaignAct {
    Edit,
    Delete,
    /// As soon as its turn comes.
    Send,
    /// Not before a date.
    Schedule,
    /// Out of the queue, to be written further.
    Cancel,
    Pause,
    Resume,
    Stop,
    /// Those that failed, once more; reported bounces stay.
    Retry,
    /// The queue: its turn has come.
    Begin,
    /// The queue: nothing is left to hand over.
    Finish,
}

impl CampaignAct {
    pub const ALL: [Self; 11] = [
        Self::Edit,
        Self::Delete,
        Self::Send,
        Self::Schedule,
        Self::Cancel,
        Self::Pause,
        Self::Resume,
        Self::Stop,
        Self::Retry,
        Self::Begin,
        Self::Finish,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Send => "send",
            Self::Schedule => "schedule",
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Retry => "retry",
            Self::Begin => "begin",
            Self::Finish => "finish",
        }
    }
}

/// The state after an act; `None` when it means nothing in this state. `has_begun` tells a campaign whose recipients are
/// fixed from one that nobody got yet: the latter can go back to being written.
pub const fn apply(state: CampaignState, act: CampaignAct, has_begun: bool) -> Option<CampaignState> {
    use CampaignAct as A;
    use CampaignState as S;
    match (state, act) {
        (S::Draft, A::Edit | A::Delete) | (S::Queued, A::Cancel) => Some(S::Draft),
        (S::Draft | S::Queued, A::Send | A::Schedule) => Some(S::Queued),
        (S::Paused, A::Cancel) if !has_begun => Some(S::Draft),
        (S::Queued, A::Begin) | (S::Sent, A::Retry) => Some(S::Sending),
        (S::Queued | S::Sending, A::Pause) => Some(S::Paused),
        (S::Paused, A::Resume) => Some(if has_begun { S::Sending } else { S::Queued }),
        (S::Sending | S::Paused, A::Stop) => Some(S::Stopped),
        (S::Sending, A::Finish) => Some(S::Sent),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state against every act, in the order of `CampaignAct::ALL`; `-` changes nothing. `paused+` has begun.
    const TABLE: [(&str, &str); 7] = [
        ("draft", "draft draft queued queued - - - - - - -"),
        ("queued", "- - queued queued draft paused - - - sending -"),
        ("sending", "- - - - - paused - stopped - - sent"),
        ("paused", "- - - - draft - queued stopped - - -"),
        ("paused+", "- - - - - - sending stopped - - -"),
        ("sent", "- - - - - - - - sending - -"),
        ("stopped", "- - - - - - - - - - -"),
    ];

    #[test]
    fn every_state_and_act() {
        let mut pairs = 0;
        for (name, row) in TABLE {
            let has_begun = name.ends_with('+') || matches!(name, "sending" | "sent" | "stopped");
            let state = CampaignState::parse(name.trim_end_matches('+')).unwrap();
            for (act, expected) in CampaignAct::ALL.into_iter().zip(row.split(' ')) {
                let got = apply(state, act, has_begun).map_or("-", CampaignState::as_str);
                assert_eq!(got, expected, "{name} and {}", act.as_str());
                pairs += 1;
            }
        }
        assert_eq!(pairs, TABLE.len() * CampaignAct::ALL.len());
    }
}

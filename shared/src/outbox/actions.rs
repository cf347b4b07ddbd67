//! Scheduled actions: which there are, when one is due, what a failure means.

use serde::Deserialize;
use serde::Serialize;

use crate::time::Span;
use crate::time::Timestamp;

/// What runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Writes accepted mail whose nudge was lost.
    IntakeSweep,
    /// Sends what is due: retries, scheduled mail at its minute, lost nudges; settles leases that ended.
    RetrySweep,
    /// Lets queued mail that isn't urgent go out.
    QueueManager,
    /// Lets campaigns leave, one after the other. Woken early when one is sent or scheduled.
    CampaignQueue,
    /// Removes what its retention is over for.
    AutoVacuum,
}

impl Action {
    /// In the order in which they run when several are due.
    pub const ALL: [Self; 5] =
        [Self::IntakeSweep, Self::RetrySweep, Self::QueueManager, Self::CampaignQueue, Self::AutoVacuum];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntakeSweep => "intake_sweep",
            Self::RetrySweep => "retry_sweep",
            Self::QueueManager => "queue_manager",
            Self::CampaignQueue => "campaign_queue",
            Self::AutoVacuum => "auto_vacuum",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Runs with every tick of the clock; its interval is no choice.
    pub const fn is_sweep(self) -> bool {
        matches!(self, Self::IntakeSweep | Self::RetrySweep)
    }

    /// Minutes between runs.
    pub const fn default_interval(self) -> u32 {
        match self {
            Self::IntakeSweep | Self::RetrySweep => 1,
            Self::QueueManager => 60,
            Self::CampaignQueue | Self::AutoVacuum => 24 * 60,
        }
    }

    /// A run that takes longer is taken for dead. What a sweep takes is claimed row by row besides, so that the next may
    /// begin before a slow one ends; one that died must not stop mail for longer than a minute.
    pub const fn lease(self) -> Span {
        if self.is_sweep() { Span::seconds(50) } else { Span::minutes(14) }
    }
}

/// The shortest interval of what is not a sweep, the longest, and the one to recommend.
pub const MIN_INTERVAL: u32 = 5;
pub const MAX_INTERVAL: u32 = 7 * 24 * 60;
pub const RECOMMENDED_INTERVAL: u32 = 15;

/// Failures in a row after which an action is switched off and the administrators are told.
pub const MAX_FAILURES: u32 = 5;

/// The next regular run: intervals missed meanwhile are not made up for.
pub fn next_run(was: Timestamp, interval: u32, now: Timestamp) -> Timestamp {
    let step = Span::minutes(i64::from(interval.max(1))).as_millis();
    let behind = (now - was).as_millis();
    if behind < 0 {
        return was;
    }
    was + Span::millis((behind / step + 1) * step)
}

/// What a failure leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// The next run tries again.
    GoOn,
    /// Goes on, and the administrators are told: without a sweep no mail would move at all.
    GoOnAndTell,
    /// Switched off, and the administrators are told.
    SwitchOff,
}

/// After the `failures`-th failure in a row.
pub const fn after_failure(action: Action, failures: u32) -> AfterFailure {
    if failures < MAX_FAILURES {
        AfterFailure::GoOn
    } else if action.is_sweep() {
        AfterFailure::GoOnAndTell
    } else {
        AfterFailure::SwitchOff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_runs_are_one_run_and_the_beat_is_kept() {
        let at = |minutes| Timestamp::from_millis(0) + Span::minutes(minutes);
        for (was, interval, now, expected) in
            [(0, 60, 0, 60), (0, 60, 1, 60), (0, 60, 59, 60), (0, 60, 60, 120), (0, 60, 605, 660), (90, 60, 5, 90)]
        {
            assert_eq!(next_run(at(was), interval, at(now)), at(expected), "{was} {interval} {now}");
        }
    }

    #[test]
    fn five_failures_switch_off_but_never_what_moves_mail() {
        assert_eq!(after_failure(Action::AutoVacuum, 4), AfterFailure::GoOn);
        assert_eq!(after_failure(Action::AutoVacuum, 5), AfterFailure::SwitchOff);
        assert_eq!(after_failure(Action::QueueManager, 5), AfterFailure::SwitchOff);
        assert_eq!(after_failure(Action::RetrySweep, 9), AfterFailure::GoOnAndTell);
    }

    #[test]
    fn names_read_back() {
        for it in Action::ALL {
            assert_eq!(Action::parse(it.as_str()), Some(it));
            assert!(it.is_sweep() || it.default_interval() >= MIN_INTERVAL);
        }
    }
}

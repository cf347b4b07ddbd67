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
    /// Cuts the log at 05:00 UTC and puts the day into storage.
    LogRotation,
    /// Asks DNS about our domains.
    DomainChecks,
}

impl Action {
    /// In the order in which they run when several are due.
    pub const ALL: [Self; 7] = [
        Self::IntakeSweep,
        Self::RetrySweep,
        Self::QueueManager,
        Self::CampaignQueue,
        Self::AutoVacuum,
        Self::LogRotation,
        Self::DomainChecks,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntakeSweep => "intake_sweep",
            Self::RetrySweep => "retry_sweep",
            Self::QueueManager => "queue_manager",
            Self::CampaignQueue => "campaign_queue",
            Self::AutoVacuum => "auto_vacuum",
            Self::LogRotation => "log_rotation",
            Self::DomainChecks => "domain_checks",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Runs with every tick of the clock; its interval is no choice.
    pub const fn is_sweep(self) -> bool {
        matches!(self, Self::IntakeSweep | Self::RetrySweep)
    }

    /// When it runs is no choice: with every tick, or at its hour.
    pub const fn is_fixed(self) -> bool {
        self.is_sweep() || matches!(self, Self::LogRotation)
    }

    /// The next regular run after one that was due at `was`.
    pub fn next_run(self, was: Timestamp, interval: u32, now: Timestamp) -> Timestamp {
        match self {
            Self::LogRotation => crate::log::cut_before(now) + Span::days(1),
            _ => next_run(was, interval, now),
        }
    }

    /// Minutes between runs.
    pub const fn default_interval(self) -> u32 {
        match self {
            Self::IntakeSweep | Self::RetrySweep => 1,
            Self::QueueManager => 60,
            Self::CampaignQueue | Self::AutoVacuum | Self::LogRotation | Self::DomainChecks => 24 * 60,
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
    fn the_log_is_cut_at_five_whenever_it_was_run() {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        for (now, next) in [
            ("2026-11-24T05:00:07Z", "2026-11-25T05:00:00Z"),
            ("2026-11-24T04:00:00Z", "2026-11-24T05:00:00Z"),
            ("2026-11-24T23:00:00Z", "2026-11-25T05:00:00Z"),
        ] {
            assert_eq!(Action::LogRotation.next_run(Timestamp::from_millis(0), 1_440, at(now)), at(next));
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

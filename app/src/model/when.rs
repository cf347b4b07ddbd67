//! Times as people say them. What day it is depends on where the reader is, so the offset from UTC is an argument.

use mailroom_shared::time::Timestamp;

/// How long ago, in the coarsest words that still help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    Now,
    Seconds(i64),
    Minutes(i64),
    Hours(i64),
    /// Yesterday or a weekday of this week.
    Days(i64),
    /// Longer ago: a date.
    Date,
}

/// The age of a point in time. The future counts as now: clocks differ by a little.
pub fn age(now: Timestamp, at: Timestamp) -> Age {
    let seconds = (now - at).as_millis() / 1_000;
    match seconds {
        i64::MIN..=4 => Age::Now,
        5..=59 => Age::Seconds(seconds),
        60..=3_599 => Age::Minutes(seconds / 60),
        3_600..=86_399 => Age::Hours(seconds / 3_600),
        86_400..=604_799 => Age::Days(seconds / 86_400),
        _ => Age::Date,
    }
}

/// How long until a point in time, for countdowns: never negative, rounded up.
pub fn seconds_until(now: Timestamp, at: Timestamp) -> i64 {
    ((at - now).as_millis() + 999).max(0) / 1_000
}

/// Of a wait from one time to another: never more than all of it, whatever the reader's clock says.
pub fn countdown(from: Timestamp, at: Timestamp, now: Timestamp) -> i64 {
    seconds_until(now, at).min(seconds_until(from, at))
}

/// Whether a message that was written at a time and leaves at another is scheduled, rather than held back for *Undo*.
pub fn is_scheduled(written: Timestamp, leaves: Timestamp) -> bool {
    seconds_until(written, leaves) > 60
}

/// Number of the local day, for comparing days. `offset` is minutes east of UTC at that time.
pub fn local_day(at: Timestamp, offset: i64) -> i64 {
    (at.as_millis() + offset * 60_000).div_euclid(86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_scheduled_by_its_own_times() {
        let check = |seconds: i64, expected| {
            let written = Timestamp::from_millis(1_800_000_000_000);
            assert_eq!(is_scheduled(written, Timestamp::from_millis(written.as_millis() + seconds * 1_000)), expected);
        };
        check(0, false);
        check(10, false);
        check(60, false);
        check(61, true);
        check(86_400, true);
    }

    #[test]
    fn ages() {
        let now = Timestamp::from_millis(10_000_000_000);
        let check = |seconds: i64, expected| {
            assert_eq!(age(now, Timestamp::from_millis(now.as_millis() - seconds * 1_000)), expected, "{seconds}");
        };
        check(-30, Age::Now);
        check(4, Age::Now);
        check(59, Age::Seconds(59));
        check(60, Age::Minutes(1));
        check(7_200, Age::Hours(2));
        check(86_400, Age::Days(1));
        check(700_000, Age::Date);
    }

    #[test]
    fn days_turn_at_local_midnight() {
        let at = Timestamp::parse_rfc3339("2026-11-24T23:30:00Z").unwrap();
        let next = Timestamp::parse_rfc3339("2026-11-25T10:00:00Z").unwrap();
        assert_ne!(local_day(at, 0), local_day(next, 0));
        assert_eq!(local_day(at, 60), local_day(next, 60));
    }

    #[test]
    fn countdown_rounds_up_and_stops() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(seconds_until(now, Timestamp::from_millis(1_001)), 1);
        assert_eq!(seconds_until(now, Timestamp::from_millis(500)), 0);
    }

    #[test]
    fn a_countdown_is_never_longer_than_its_wait() {
        let (from, at) = (Timestamp::from_millis(5_000_000), Timestamp::from_millis(5_010_000));
        for (now, expected) in [(5_000_000, 10), (5_007_500, 3), (5_020_000, 0), (1_000, 10)] {
            assert_eq!(countdown(from, at, Timestamp::from_millis(now)), expected, "{now}");
        }
    }
}

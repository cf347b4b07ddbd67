//! When a delivery is tried again by itself.

use crate::time::Span;
use crate::time::Timestamp;

/// Waits between tries after a temporary error (design section 4): quick first for greylisting, then less and less
/// often.
pub const WAITS: [Span; 7] = [
    Span::minutes(1),
    Span::minutes(5),
    Span::minutes(15),
    Span::minutes(60),
    Span::hours(3),
    Span::hours(6),
    Span::hours(12),
];

/// After this long a temporary error becomes a failure.
pub const LIFETIME: Span = Span::hours(48);

/// Due of a delivery that another server took and reports as delayed: it goes on trying, so we never send it again by
/// ourselves; a later report or a person moves it on. The last date that JavaScript knows.
pub const NEVER: Timestamp = Timestamp::from_millis(8_640_000_000_000_000);

/// The next try after `tries` tries (at least one was made) of a mail first due at `first_due`; `None` gives up.
/// The last wait repeats until the lifetime is over.
pub fn next_try(tries: u32, first_due: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let at = gives_up(first_due);
    if now >= at {
        return None;
    }
    let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    let wait = WAITS.get(index).copied().unwrap_or(Span::hours(12));
    // A last try just before giving up, instead of a wait that nobody would see the end of.
    Some((now + wait).min(at))
}

/// When we stop trying.
pub fn gives_up(first_due: Timestamp) -> Timestamp {
    first_due + LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_spread_over_two_days_and_end() {
        let start = Timestamp::from_millis(0);
        let (mut now, mut tries, mut at) = (start, 1, Vec::new());
        while let Some(next) = next_try(tries, start, now) {
            assert!(next > now, "time goes on");
            at.push((next - start).as_millis() / 60_000);
            now = next;
            tries += 1;
            assert!(tries < 50, "it ends");
        }
        assert_eq!(at, [1, 6, 21, 81, 261, 621, 1_341, 2_061, 2_781, 2_880]);
    }
}

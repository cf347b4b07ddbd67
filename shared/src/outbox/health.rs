//! Trouble of a server or of a recipient domain, as far as it is not the fault of one mail: rest, slow down, full.

use super::failure::Failure;
use super::failure::Reason;
use crate::time::Span;

/// Troubles in a row after which a server rests: fewer may be an accident.
pub const BREAKS_AFTER: u32 = 3;

/// How long a server rests after so many troubles in a row; its mail goes by another meanwhile.
pub fn rest(troubles: u32) -> Option<Span> {
    let step = troubles.checked_sub(BREAKS_AFTER)?;
    Some(Span::minutes([1, 2, 4, 8].get(step as usize).copied().unwrap_or(15)))
}

/// How long mail for a domain waits that asked us to slow down for the `step`-th time (from 0).
pub fn slow_down(step: u32) -> Span {
    Span::minutes([5, 10, 20, 40].get(step as usize).copied().unwrap_or(60))
}

/// The answer is about how much we send to a domain, not about this mail.
pub fn asks_to_slow_down(failure: &Failure) -> bool {
    failure.temporary && matches!(failure.reason, Reason::Speeding | Reason::TooManyConn)
}

/// The answer is that our own quota with the provider is used up for today: a recipient's full mailbox is another thing.
pub fn says_quota_is_used_up(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if text.contains("e_daily_limit_exceeded") {
        return true;
    }
    let has = |words: &[&str]| words.iter().any(|it| text.contains(it));
    has(&["daily", "per day", "24 hours", "24-hour"])
        && has(&["quota", "limit"])
        && has(&["exceeded", "reached", "over"])
        && !has(&["mailbox", "inbox", "storage", "recipient's", "account you tried to reach", "user you are trying"])
}

#[cfg(test)]
mod tests {
    use super::super::failure;
    use super::*;

    #[test]
    fn a_server_rests_longer_the_longer_it_is_ill() {
        let minutes: Vec<Option<i64>> = (0..10).map(|it| rest(it).map(|it| it.as_millis() / 60_000)).collect();
        assert_eq!(minutes, [None, None, None, Some(1), Some(2), Some(4), Some(8), Some(15), Some(15), Some(15)]);
        assert_eq!(slow_down(0), Span::minutes(5));
        assert_eq!(slow_down(99), Span::minutes(60));
    }

    #[test]
    fn a_wish_to_slow_down_is_told_from_greylisting_and_refusals() {
        for (code, status, text, expected) in [
            (421, "4.7.28", "Our system has detected an unusual rate of unsolicited mail. Rate limited", true),
            (421, "4.7.0", "Too many connections or mails from your address for now; try again later", true),
            (451, "4.7.1", "Greylisting in action, please come back in a few minutes", false),
            (452, "4.2.2", "The recipient's inbox is out of storage space", false),
            (550, "5.1.1", "no such user", false),
        ] {
            let failure = failure::classify(Some(code), Some(status), text);
            assert_eq!(asks_to_slow_down(&failure), expected, "{text} {:?}", failure.reason);
        }
    }

    #[test]
    fn our_quota_is_told_from_a_full_mailbox() {
        for (text, expected) in [
            ("E_DAILY_LIMIT_EXCEEDED daily sending limit exceeded", true),
            ("5.4.5 Daily user sending limit exceeded. For more information go to support", true),
            ("Throttling failure: Daily message quota exceeded.", true),
            ("You have reached the limit of 500 messages per day", true),
            ("4.2.2 The recipient's inbox is out of storage space: quota exceeded today", false),
            ("5.2.2 mailbox over its daily quota limit", false),
            ("E_RATE_LIMIT_EXCEEDED too many requests", false),
        ] {
            assert_eq!(says_quota_is_used_up(text), expected, "{text}");
        }
    }
}

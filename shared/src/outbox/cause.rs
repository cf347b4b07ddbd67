//! Failures that have one cause, and what they mean for the address: the failure inbox and suppressions.

use super::failure::Fault;
use super::failure::Reason;
use crate::time::Span;

/// Whether a failure says something about the receiving domain rather than about one mailbox: then a hundred of them are
/// one thing to look at (*gmail.com asked us to slow down*).
pub const fn is_of_domain(reason: Reason) -> bool {
    matches!(reason.fault(), Fault::Us | Fault::Network | Fault::Policy)
        && !matches!(reason, Reason::Feedback | Reason::Undefined | Reason::OnHold)
}

/// Names a group of failures: a reason, and a domain when the reason is one of domains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    pub reason: Reason,
    /// Empty when the reason is not about a domain.
    pub domain: String,
}

impl Cause {
    /// `speeding@gmail.com` or `userunknown`.
    pub fn key(&self) -> String {
        if self.domain.is_empty() {
            self.reason.as_str().to_owned()
        } else {
            format!("{}@{}", self.reason.as_str(), self.domain)
        }
    }

    /// Reads [`Cause::key`] back.
    pub fn parse(key: &str) -> Option<Self> {
        let (reason, domain) = key.split_once('@').unwrap_or((key, ""));
        let reason = Reason::parse(reason)?;
        (domain.is_empty() || is_of_domain(reason)).then(|| Self { reason, domain: domain.to_owned() })
    }
}

/// How long an address rests after a permanent failure for this reason; `None` when it is not the address's fault.
///
/// A mailbox that is gone stays gone for long; one that is suspended may come back.
pub const fn rests_for(reason: Reason) -> Option<Span> {
    match reason {
        Reason::UserUnknown | Reason::HostUnknown | Reason::HasMoved | Reason::NotAccept => Some(Span::days(365)),
        Reason::Suspend => Some(Span::days(90)),
        _ => None,
    }
}

/// Soft failures within [`SOFT_WINDOW`] after which an address rests (BN-19), when they are spread over more than
/// [`SOFT_SPREAD`] and nothing arrived since.
pub const SOFT_MOST: u32 = 5;
pub const SOFT_WINDOW: Span = Span::days(91);
pub const SOFT_SPREAD: Span = Span::days(7);
/// How long it rests then.
pub const SOFT_REST: Span = Span::days(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_back_from_its_key() {
        for (key, expect) in [
            ("userunknown", Some((Reason::UserUnknown, ""))),
            ("speeding@gmail.com", Some((Reason::Speeding, "gmail.com"))),
            // A mailbox that does not exist says nothing of its domain.
            ("userunknown@gmail.com", None),
            ("nonsense", None),
            ("", None),
        ] {
            let got = Cause::parse(key);
            assert_eq!(got.as_ref().map(|it| (it.reason, it.domain.as_str())), expect, "{key}");
            if let Some(cause) = got {
                assert_eq!(cause.key(), key);
            }
        }
    }

    #[test]
    fn only_addresses_that_are_at_fault_rest() {
        for (reason, rests) in [
            (Reason::UserUnknown, true),
            (Reason::HostUnknown, true),
            (Reason::MailboxFull, false),
            (Reason::SpamDetected, false),
            (Reason::Blocked, false),
            (Reason::AuthFailure, false),
        ] {
            assert_eq!(rests_for(reason).is_some(), rests, "{reason:?}");
        }
    }
}

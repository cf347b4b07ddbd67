//! Who fetched a picture or followed a link: a person or a machine that looks into mails.

use crate::time::Span;

/// What is known of a request.
#[derive(Debug, Clone, Default)]
pub struct Hit<'a> {
    pub is_head: bool,
    pub agent: &'a str,
    /// Since the mail was handed over; `None` when that is long ago or unknown.
    pub since_sent: Option<Span>,
    /// Different links of this mail that its recipient followed within [`AT_ONCE`], this one included; 0 for the picture.
    pub links_at_once: u32,
    /// Different links in the mail.
    pub links: u32,
}

/// Why a request is not a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Robot {
    /// `HEAD`: looks whether it is there, reads nothing.
    Head,
    Agent,
    /// Nobody reads a mail this quickly.
    TooSoon,
    /// Nobody follows every link in a moment.
    AllAtOnce,
}

impl Robot {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Agent => "agent",
            Self::TooSoon => "too_soon",
            Self::AllAtOnce => "all_at_once",
        }
    }
}

/// Less than this after the hand-over it was a scanner of the receiving server.
pub const TOO_SOON: Span = Span::seconds(8);
/// A moment.
pub const AT_ONCE: Span = Span::seconds(10);

/// Words of programs that fetch without a reader, in lower case. Gmail's picture proxy is none: it fetches when the mail
/// is opened.
const AGENTS: [&str; 22] = [
    "bot",
    "crawl",
    "spider",
    "scan",
    "preview",
    "barracuda",
    "proofpoint",
    "mimecast",
    "safelinks",
    "messagelabs",
    "trendmicro",
    "fireeye",
    "sophos",
    "symantec",
    "python",
    "curl",
    "wget",
    "go-http",
    "java/",
    "okhttp",
    "headless",
    "libwww",
];

/// The judgement; `None` is a person. Links of which more were followed at once than anybody can are all a robot's, those
/// before too: the caller marks them.
pub fn judge(hit: &Hit<'_>) -> Option<Robot> {
    let agent = hit.agent.trim().to_ascii_lowercase();
    if hit.is_head {
        Some(Robot::Head)
    } else if agent.is_empty() || agent == "mozilla/5.0" || AGENTS.iter().any(|it| agent.contains(it)) {
        // Apple's privacy proxy loads every picture and calls itself no more than Mozilla/5.0.
        Some(Robot::Agent)
    } else if hit.since_sent.is_some_and(|it| it < TOO_SOON) {
        Some(Robot::TooSoon)
    } else if hit.links_at_once > 3 || (hit.links_at_once >= 3 && hit.links_at_once >= hit.links) {
        Some(Robot::AllAtOnce)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanners_are_told_from_people() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
        let base =
            Hit { agent: firefox, since_sent: Some(Span::minutes(5)), links_at_once: 1, links: 3, ..Hit::default() };
        let check = |hit: Hit<'_>, expected| assert_eq!(judge(&hit), expected, "{hit:?}");
        check(base.clone(), None);
        check(Hit { is_head: true, ..base.clone() }, Some(Robot::Head));
        check(Hit { since_sent: Some(Span::seconds(2)), ..base.clone() }, Some(Robot::TooSoon));
        check(Hit { since_sent: None, ..base.clone() }, None);
        check(Hit { links_at_once: 3, ..base.clone() }, Some(Robot::AllAtOnce));
        check(Hit { links_at_once: 3, links: 9, ..base.clone() }, None);
        check(Hit { links_at_once: 4, links: 9, ..base.clone() }, Some(Robot::AllAtOnce));
        check(Hit { links_at_once: 2, links: 2, ..base.clone() }, None);
        for agent in ["", "Mozilla/5.0", "Barracuda Sentinel (EE)", "python-requests/2.32", "Googlebot/2.1"] {
            check(Hit { agent, ..base.clone() }, Some(Robot::Agent));
        }
        let proxy = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        check(Hit { agent: proxy, links_at_once: 0, ..base }, None);
    }
}

//! The log: every act on a mail as one line. Which kinds of lines there are, how grave each is, and how a day is cut.

pub mod line;
pub mod question;
pub mod talk;

use serde::Deserialize;
use serde::Serialize;

use crate::time::Span;
use crate::time::Timestamp;

/// What a line tells. `log.kind.<name>` has the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    // A mail that came in.
    /// Handed to us for one recipient.
    Received,
    /// The rule that decided about it.
    Decided,
    /// Said no at SMTP time.
    Refused,
    /// Taken and dropped: we have it, or it is our own.
    Dropped,
    Written,
    HeldApart,
    /// A report about mail of ours was read.
    ReportRead,
    /// Writing it did not work; it is tried again.
    NotWritten,
    GivenUp,
    LetIn,
    Dismissed,
    Restored,
    Replayed,
    Routed,
    Discarded,
    ActionFailed,
    // A delivery.
    Queued,
    /// A connection to a server: its greeting.
    Connected,
    /// One answer of a server.
    Answered,
    HandedOver,
    Deferred,
    /// The server said no for good.
    NotTaken,
    Bounced,
    Delivered,
    Complained,
    /// No answer came after the data.
    Unknown,
    /// Waits for a limit, a domain or a server.
    Parked,
    Retried,
    Ignored,
    Cancelled,
    /// A person holds it.
    Stopped,
    /// A person lets it go on.
    LetGo,
    Settled,
    AddressChanged,
    /// From had to be changed for the server.
    Rewritten,
    Undone,
    // The house.
    Suppressed,
    Unsuppressed,
    Paused,
    Unpaused,
    ServerIll,
    CanarySent,
    CanaryBack,
    /// A word that this build does not know.
    Noted,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Single steps: what a server answered.
    Detail,
    Info,
    /// It will be tried again, or a person may look.
    Warning,
    /// It did not get through.
    Error,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::Detail, Self::Info, Self::Warning, Self::Error];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detail => "detail",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Which way the mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    In,
    Out,
    /// About an address, a sender or a server rather than one mail.
    House,
}

impl Direction {
    pub const ALL: [Self; 3] = [Self::In, Self::Out, Self::House];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::House => "house",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl Kind {
    pub const ALL: [Self; 44] = [
        Self::Received,
        Self::Decided,
        Self::Refused,
        Self::Dropped,
        Self::Written,
        Self::HeldApart,
        Self::ReportRead,
        Self::NotWritten,
        Self::GivenUp,
        Self::LetIn,
        Self::Dismissed,
        Self::Restored,
        Self::Replayed,
        Self::Routed,
        Self::Discarded,
        Self::ActionFailed,
        Self::Queued,
        Self::Connected,
        Self::Answered,
        Self::HandedOver,
        Self::Deferred,
        Self::NotTaken,
        Self::Bounced,
        Self::Delivered,
        Self::Complained,
        Self::Unknown,
        Self::Parked,
        Self::Retried,
        Self::Ignored,
        Self::Cancelled,
        Self::Stopped,
        Self::LetGo,
        Self::Settled,
        Self::AddressChanged,
        Self::Rewritten,
        Self::Undone,
        Self::Suppressed,
        Self::Unsuppressed,
        Self::Paused,
        Self::Unpaused,
        Self::ServerIll,
        Self::CanarySent,
        Self::CanaryBack,
        Self::Noted,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Decided => "decided",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
            Self::Written => "written",
            Self::HeldApart => "held_apart",
            Self::ReportRead => "report_read",
            Self::NotWritten => "not_written",
            Self::GivenUp => "given_up",
            Self::LetIn => "let_in",
            Self::Dismissed => "dismissed",
            Self::Restored => "restored",
            Self::Replayed => "replayed",
            Self::Routed => "routed",
            Self::Discarded => "discarded",
            Self::ActionFailed => "action_failed",
            Self::Queued => "queued",
            Self::Connected => "connected",
            Self::Answered => "answered",
            Self::HandedOver => "handed_over",
            Self::Deferred => "deferred",
            Self::NotTaken => "not_taken",
            Self::Bounced => "bounced",
            Self::Delivered => "delivered",
            Self::Complained => "complained",
            Self::Unknown => "unknown",
            Self::Parked => "parked",
            Self::Retried => "retried",
            Self::Ignored => "ignored",
            Self::Cancelled => "cancelled",
            Self::Stopped => "stopped",
            Self::LetGo => "let_go",
            Self::Settled => "settled",
            Self::AddressChanged => "address_changed",
            Self::Rewritten => "rewritten",
            Self::Undone => "undone",
            Self::Suppressed => "suppressed",
            Self::Unsuppressed => "unsuppressed",
            Self::Paused => "paused",
            Self::Unpaused => "unpaused",
            Self::ServerIll => "server_ill",
            Self::CanarySent => "canary_sent",
            Self::CanaryBack => "canary_back",
            Self::Noted => "noted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    pub const fn level(self) -> Level {
        match self {
            Self::Connected | Self::Answered | Self::Decided => Level::Detail,
            Self::HeldApart
            | Self::NotWritten
            | Self::Deferred
            | Self::Unknown
            | Self::Parked
            | Self::Suppressed
            | Self::Paused
            | Self::ServerIll
            | Self::Stopped => Level::Warning,
            Self::Refused | Self::GivenUp | Self::ActionFailed | Self::NotTaken | Self::Bounced | Self::Complained => {
                Level::Error
            }
            _ => Level::Info,
        }
    }

    pub const fn direction(self) -> Direction {
        match self {
            Self::Received
            | Self::Decided
            | Self::Refused
            | Self::Dropped
            | Self::Written
            | Self::HeldApart
            | Self::ReportRead
            | Self::NotWritten
            | Self::GivenUp
            | Self::LetIn
            | Self::Dismissed
            | Self::Restored
            | Self::Replayed
            | Self::Routed
            | Self::Discarded
            | Self::ActionFailed => Direction::In,
            Self::Suppressed
            | Self::Unsuppressed
            | Self::Paused
            | Self::Unpaused
            | Self::ServerIll
            | Self::CanarySent
            | Self::CanaryBack
            | Self::Noted => Direction::House,
            _ => Direction::Out,
        }
    }

    /// Words of a hand-over's history, as rows have them.
    const INGEST: [(&'static str, Self); 16] = [
        ("written", Self::Written),
        ("held", Self::HeldApart),
        ("report", Self::ReportRead),
        ("ignored", Self::Dropped),
        ("write_failed", Self::NotWritten),
        ("given_up", Self::GivenUp),
        ("released", Self::LetIn),
        ("release", Self::LetIn),
        ("dismissed", Self::Dismissed),
        ("dismiss", Self::Dismissed),
        ("restored", Self::Restored),
        ("restore", Self::Restored),
        ("replay", Self::Replayed),
        ("route", Self::Routed),
        ("discard", Self::Discarded),
        ("action_failed", Self::ActionFailed),
    ];

    /// Words of a delivery's timeline, as rows have them.
    const DELIVERY: [(&'static str, Self); 18] = [
        ("queued", Self::Queued),
        ("accepted", Self::HandedOver),
        ("deferred", Self::Deferred),
        ("refused", Self::NotTaken),
        ("bounced", Self::Bounced),
        ("delivered", Self::Delivered),
        ("complained", Self::Complained),
        ("unknown", Self::Unknown),
        ("parked", Self::Parked),
        ("retried", Self::Retried),
        ("ignored", Self::Ignored),
        ("cancelled", Self::Cancelled),
        ("held", Self::Stopped),
        ("released", Self::LetGo),
        ("settled", Self::Settled),
        ("address_changed", Self::AddressChanged),
        ("rewritten", Self::Rewritten),
        ("undone", Self::Undone),
    ];

    pub fn of_ingest(word: &str) -> Self {
        Self::INGEST.into_iter().find(|(it, _)| *it == word).map_or(Self::Noted, |(_, kind)| kind)
    }

    pub fn of_delivery(word: &str) -> Self {
        Self::DELIVERY.into_iter().find(|(it, _)| *it == word).map_or(Self::Noted, |(_, kind)| kind)
    }

    /// The words that rows of a hand-over's history have for it.
    pub fn ingest_words(self) -> impl Iterator<Item = &'static str> {
        Self::INGEST.into_iter().filter(move |(_, kind)| *kind == self).map(|(word, _)| word)
    }

    /// The words that rows of a delivery's timeline have for it.
    pub fn delivery_words(self) -> impl Iterator<Item = &'static str> {
        Self::DELIVERY.into_iter().filter(move |(_, kind)| *kind == self).map(|(word, _)| word)
    }
}

/// Hour of the day, UTC, at which a day file is cut.
pub const CUT_HOUR: i64 = 5;
/// Lines written a moment before the cut may show only a moment after it: a day is closed this much later.
pub const SETTLES: Span = Span::seconds(50);

/// The last cut at or before a point in time.
pub fn cut_before(now: Timestamp) -> Timestamp {
    let day = Span::days(1).as_millis();
    let shift = Span::hours(CUT_HOUR).as_millis();
    Timestamp::from_millis((now.as_millis() - shift).div_euclid(day) * day + shift)
}

/// Name of the day that begins with a cut: `2026-11-24`.
pub fn day_name(begins: Timestamp) -> String {
    let c = begins.civil();
    format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)
}

/// The cut with which a named day begins.
pub fn day_begin(name: &str) -> Option<Timestamp> {
    let mut fields = name.splitn(3, '-').map(|it| it.parse::<i64>().ok());
    let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
    let at = Timestamp::from_civil(year, month, day, CUT_HOUR, 0, 0);
    (day_name(at) == name).then_some(at)
}

/// Where a part of a day lies in storage: the first is the file, further ones follow it.
pub fn part_key(day: &str, part: u32) -> String {
    if part == 0 { format!("logs/{day}.jsonl") } else { format!("logs/{day}.{part:04}.jsonl") }
}

/// Masks an address: `ann@customer.test` becomes `a**@customer.test`.
pub fn mask(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}**@{domain}", local.chars().next().unwrap_or('*')),
        None => "**".to_owned(),
    }
}

/// Masks every address in a text.
pub fn mask_text(text: &str) -> String {
    let is_outside = |c: char| c.is_whitespace() || "<>()[],;:\"'".contains(c);
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_outside) {
        let end = piece.trim_end_matches(is_outside).len();
        let (word, rest) = piece.split_at(end);
        if word.contains('@') {
            out.push_str(&mask(word));
        } else {
            out.push_str(word);
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_every_row_word_has_a_kind() {
        for it in Kind::ALL {
            assert_eq!(Kind::parse(it.as_str()), Some(it));
            assert!(it.ingest_words().all(|word| Kind::of_ingest(word) == it));
            assert!(it.delivery_words().all(|word| Kind::of_delivery(word) == it));
        }
        assert_eq!(Kind::of_delivery("from a later build"), Kind::Noted);
    }

    #[test]
    fn a_day_is_cut_at_five() {
        for (now, day) in [
            ("2026-11-24T05:00:00Z", "2026-11-24"),
            ("2026-11-24T04:59:59.999Z", "2026-11-23"),
            ("2026-11-25T00:00:00Z", "2026-11-24"),
            ("2027-01-01T03:00:00Z", "2026-12-31"),
        ] {
            let cut = cut_before(Timestamp::parse_rfc3339(now).unwrap());
            assert_eq!(day_name(cut), day, "{now}");
            assert_eq!(day_begin(day), Some(cut));
        }
        assert_eq!(day_begin("2026-02-30"), None);
        assert_eq!(day_begin("../../etc"), None);
        assert_eq!(
            (part_key("2026-11-24", 0), part_key("2026-11-24", 2)),
            ("logs/2026-11-24.jsonl".to_owned(), "logs/2026-11-24.0002.jsonl".to_owned())
        );
    }

    #[test]
    fn addresses_are_masked() {
        assert_eq!(mask("ann@customer.test"), "a**@customer.test");
        assert_eq!(mask("nobody"), "**");
        assert_eq!(
            mask_text("550 5.1.1 <ann@customer.test>: unknown, ask ben@x.test."),
            "550 5.1.1 <a**@customer.test>: unknown, ask b**@x.test."
        );
    }
}

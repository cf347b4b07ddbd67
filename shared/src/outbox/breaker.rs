//! Bulk mail stops by itself before a bad list costs the good name of the domain.

use serde::Deserialize;
use serde::Serialize;

/// What became of the bulk mail of the last day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkDay {
    /// Handed over or refused for good.
    pub answered: u32,
    /// Addresses that do not exist.
    pub dead: u32,
    pub complaints: u32,
}

/// Why it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trip {
    Bounces,
    Complaints,
}

impl Trip {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounces => "bounces",
            Self::Complaints => "complaints",
        }
    }
}

/// Fewer answers than this say nothing.
pub const LEAST: u32 = 50;
/// Dead addresses in a hundred: from here on providers take the sender for one who bought a list.
pub const MOST_DEAD: u32 = 5;
/// Complaints in a thousand: what Gmail's and Yahoo's rules for bulk senders allow.
pub const MOST_COMPLAINTS: u32 = 3;

/// Whether bulk mail has to wait, and why. Complaints count first: they cost more.
pub const fn trip(day: BulkDay) -> Option<Trip> {
    if day.answered < LEAST {
        return None;
    }
    // One complaint of fifty mails is bad luck.
    if day.complaints >= 3 && day.complaints * 1_000 > day.answered * MOST_COMPLAINTS {
        Some(Trip::Complaints)
    } else if day.dead * 100 > day.answered * MOST_DEAD {
        Some(Trip::Bounces)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_list_stops_and_bad_luck_does_not() {
        let check = |answered, dead, complaints, expected| {
            assert_eq!(trip(BulkDay { answered, dead, complaints }), expected, "{answered} {dead} {complaints}");
        };
        check(0, 0, 0, None);
        check(49, 49, 9, None);
        check(50, 2, 0, None);
        check(50, 3, 0, Some(Trip::Bounces));
        check(1_000, 50, 0, None);
        check(1_000, 51, 0, Some(Trip::Bounces));
        check(100, 0, 2, None);
        check(1_000, 0, 3, None);
        check(1_000, 0, 4, Some(Trip::Complaints));
        check(1_000, 900, 4, Some(Trip::Complaints));
    }
}

//! How well mail reaches an address: what its last signs say.

use serde::Deserialize;
use serde::Serialize;

use crate::time::Timestamp;

/// Something that tells whether an address works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A person wrote from it, or a server proved that our mail arrived.
    Alive,
    /// A server took our mail: it says little, a bounce may follow.
    Taken,
    /// A temporary failure that used up its tries, or a bounce that may pass.
    Soft,
    /// The address does not exist.
    Dead,
    Complaint,
}

/// The mark of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// No mail went to it, or none that says anything.
    #[default]
    Unknown,
    Good,
    /// It failed lately; it may pass.
    Shaky,
    /// Mail does not reach it.
    Bad,
}

impl Mark {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Shaky => "shaky",
            Self::Bad => "bad",
        }
    }
}

/// Soft failures in a row that make an address bad.
const MOST_SOFT: usize = 3;

/// Failures count until somebody writes from the address or a mail is proven to have arrived (BN-17); a mail that was
/// merely taken clears soft failures of before, not a dead address.
pub fn mark(signs: &[(Timestamp, Sign)]) -> Mark {
    let mut signs = signs.to_vec();
    signs.sort_by_key(|(at, _)| *at);
    let (mut soft, mut mark) = (0, Mark::Unknown);
    for (_, sign) in signs {
        match sign {
            Sign::Alive => (soft, mark) = (0, Mark::Good),
            Sign::Taken if mark != Mark::Bad => (soft, mark) = (0, Mark::Good),
            Sign::Taken => {}
            Sign::Soft => {
                soft += 1;
                mark = mark.max(if soft >= MOST_SOFT { Mark::Bad } else { Mark::Shaky });
            }
            Sign::Dead | Sign::Complaint => mark = Mark::Bad,
        }
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_signs_decide() {
        use Sign::Alive;
        use Sign::Complaint;
        use Sign::Dead;
        use Sign::Soft;
        use Sign::Taken;
        let check = |signs: &[Sign], expected: Mark| {
            let signs: Vec<_> = signs.iter().zip(1..).map(|(it, at)| (Timestamp::from_millis(at), *it)).collect();
            assert_eq!(mark(&signs), expected, "{signs:?}");
            let backwards: Vec<_> = signs.into_iter().rev().collect();
            assert_eq!(mark(&backwards), expected, "the order of the list means nothing");
        };
        check(&[], Mark::Unknown);
        check(&[Taken], Mark::Good);
        check(&[Taken, Soft], Mark::Shaky);
        check(&[Soft, Soft, Taken, Soft], Mark::Shaky);
        check(&[Soft, Soft, Soft], Mark::Bad);
        check(&[Soft, Soft, Soft, Taken], Mark::Bad);
        check(&[Taken, Dead], Mark::Bad);
        check(&[Dead, Taken], Mark::Bad);
        check(&[Dead, Alive], Mark::Good);
        check(&[Alive, Complaint], Mark::Bad);
    }
}

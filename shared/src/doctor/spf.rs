//! SPF (RFC 7208): the record as it is written, `check_host()` for one sender, and a walk through everything a record
//! includes, whoever sends.

pub mod evaluate;
pub mod macros;
pub mod record;
pub mod walk;

pub use evaluate::Outcome;
pub use evaluate::Sender;
pub use evaluate::Verdict;
pub use evaluate::evaluate;

/// Terms that ask DNS, in one evaluation (section 4.6.4).
pub const MAX_LOOKUPS: u32 = 10;
/// Lookups without an answer, in one evaluation (section 4.6.4).
pub const MAX_VOID: u32 = 2;
/// Names of one `mx` or `ptr` (section 4.6.4).
pub const MAX_NAMES: usize = 10;

/// Records among the TXT records of a name: those that begin with the version, alone or before a blank (section 4.5).
pub fn records<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    texts.filter(|it| is_spf(it)).collect()
}

fn is_spf(text: &str) -> bool {
    let Some(version) = text.get(..6) else { return false };
    version.eq_ignore_ascii_case("v=spf1") && matches!(text.as_bytes().get(6), None | Some(b' '))
}

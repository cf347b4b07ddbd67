//! SMTP replies (RFC 5321 section 4.2) with enhanced status codes (RFC 3463, RFC 2034), and the same found in free text.

use serde::Deserialize;
use serde::Serialize;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// For example `5.1.1`.
    pub status: Option<String>,
    /// The words of all lines without codes, joined by line feeds, at most 4,000 bytes.
    pub text: String,
}

/// More of a reply says nothing new.
const MAX_TEXT: usize = 4_000;

impl Reply {
    /// Reads one reply of one or several lines (`550-first`, `550 last`). Lines without a code are continued text.
    /// `None` when the first line has no code.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
        let (code, rest) = split_code(lines.next()?)?;
        let (status, rest) = split_status(rest);
        let mut res = Self { code, status: status.map(str::to_owned), text: rest.to_owned() };
        for line in lines {
            let line = match split_code(line) {
                Some((it, rest)) if it == code => rest,
                _ => line,
            };
            let (status, rest) = split_status(line);
            if res.status.is_none() {
                res.status = status.map(str::to_owned);
            }
            if !rest.is_empty() {
                res.text.push('\n');
                res.text.push_str(rest);
            }
            if res.text.len() > MAX_TEXT {
                break;
            }
        }
        while res.text.len() > MAX_TEXT {
            res.text.pop();
        }
        Some(res)
    }
}

/// `550-rest` or `550 rest` or `550`.
fn split_code(line: &str) -> Option<(u16, &str)> {
    let code: u16 = line.get(..3).filter(|it| it.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    if !(200..600).contains(&code) {
        return None;
    }
    let rest = line.get(3..)?;
    match rest.chars().next() {
        None => Some((code, "")),
        Some(' ' | '-' | '\t') => Some((code, rest.get(1..).unwrap_or_default().trim_start())),
        Some(_) => None,
    }
}

/// `5.1.1 rest`.
fn split_status(text: &str) -> (Option<&str>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if is_status(word) { (Some(word), rest.trim_start_matches(['-', ' ', '\t', ':'])) } else { (None, text) }
}

/// `class.subject.detail` of RFC 3463 section 2: class 2, 4 or 5, the others up to three digits.
pub fn is_status(word: &str) -> bool {
    let mut fields = word.split('.');
    let is_class = matches!(fields.next(), Some("2" | "4" | "5"));
    let mut is_number =
        || fields.next().is_some_and(|it| (1..=3).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit()));
    is_class && is_number() && is_number() && fields.next().is_none()
}

/// Code and status in free text such as `host mx.corp.test said: 550-5.1.1 no such user`. A code beside a status wins over
/// a lone number.
pub fn scan(text: &str) -> (Option<u16>, Option<&str>) {
    let mut lone_code = None;
    let mut lone_status = None;
    let bytes = text.as_bytes();
    let is_inner = |at: usize| bytes.get(at).is_some_and(|it| it.is_ascii_alphanumeric() || b"._-@/=".contains(it));
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|it| it.find(['2', '4', '5'])) {
        let start = at + found;
        at = start + 1;
        // `550-5.1.1` is two numbers, `x-550` is none.
        let is_after_code = start >= 4 && bytes.get(start - 1) == Some(&b'-') && code_at(text, start - 4).is_some();
        if start > 0 && is_inner(start - 1) && !is_after_code {
            continue;
        }
        if let Some(status) = status_at(text, start) {
            lone_status = lone_status.or(Some(status));
            at = start + status.len();
            continue;
        }
        if let Some(code) = code_at(text, start) {
            let rest = text.get(start + 3..).unwrap_or_default();
            let next = rest.trim_start_matches([' ', '-', '\t', '#', '(', '<', '[']);
            let gap = rest.len() - next.len();
            // The status belongs to this code only when it follows at once and has its class.
            let status =
                status_at(text, start + 3 + gap).filter(|it| gap <= 3 && it.as_bytes().first() == bytes.get(start));
            if status.is_some() {
                return (Some(code), status);
            }
            // A number of another class may be anything, a refusal tells more than a success.
            let is_success = |it: &u16| *it < 300;
            if lone_code.is_none() || lone_code.as_ref().is_some_and(is_success) && code >= 400 {
                lone_code = Some(code);
            }
            at = start + 3;
        }
    }
    (lone_code, lone_status)
}

fn code_at(text: &str, at: usize) -> Option<u16> {
    let word = text.get(at..at + 3)?;
    let is_code = matches!(word.as_bytes(), [b'4' | b'5', b'0'..=b'7', b'0'..=b'9'])
        || matches!(word, "211" | "214" | "220" | "221" | "235" | "250" | "251" | "252");
    let is_end = text
        .as_bytes()
        .get(at + 3)
        .is_none_or(|it| !it.is_ascii_alphanumeric() && *it != b'.' && *it != b'_' && *it != b'@');
    // `550.` ends a sentence, `550.1` doesn't.
    let is_end = is_end
        || text.get(at + 3..).is_some_and(|it| {
            it.starts_with('.') && !it.get(1..2).is_some_and(|c| c.starts_with(|c: char| c.is_ascii_digit()))
        });
    if is_code && is_end { word.parse().ok() } else { None }
}

fn status_at(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let word = rest.get(..end)?.trim_end_matches('.');
    let is_end = rest.as_bytes().get(word.len()).is_none_or(|it| !it.is_ascii_alphanumeric() && *it != b'_');
    if is_status(word) && is_end { Some(word) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read() {
        let check = |text: &str, code: u16, status: Option<&str>, words: &str| {
            let got = Reply::parse(text).unwrap();
            assert_eq!((got.code, got.status.as_deref(), got.text.as_str()), (code, status, words), "{text:?}");
        };
        check("250 OK", 250, None, "OK");
        check("550 5.1.1 No such user\r\n", 550, Some("5.1.1"), "No such user");
        check("550-5.7.26 First\r\n550-5.7.26 second\r\n550 5.7.26 third", 550, Some("5.7.26"), "First\nsecond\nthird");
        check("421", 421, None, "");
        check("550-first\n550 5.1.1 second", 550, Some("5.1.1"), "first\nsecond");
        check("550 5.1.1", 550, Some("5.1.1"), "");
        for text in ["", "hello", "55 x", "5500 x", "999 x"] {
            assert_eq!(Reply::parse(text), None, "{text}");
        }
        assert!(Reply::parse(&format!("550 {}", "é".repeat(5_000))).is_some_and(|it| it.text.len() <= MAX_TEXT));
    }

    #[test]
    fn codes_are_found_in_text() {
        for (text, code, status) in [
            ("smtp; 550 5.1.1 <a@b>... User Unknown", Some(550), Some("5.1.1")),
            ("host mx[192.0.2.25] said: 550-5.7.1 no", Some(550), Some("5.7.1")),
            ("SMTP error: 452 too many", Some(452), None),
            ("(#5.1.1)", None, Some("5.1.1")),
            ("550 #5.1.0 Address rejected", Some(550), Some("5.1.0")),
            ("554 4.4.7 Message expired <421 4.4.2 Connection timed out>", Some(421), Some("4.4.2")),
            ("10.5.1.1 and v5.1.1 and 2026-11-24 and abc-550", None, None),
            ("", None, None),
        ] {
            assert_eq!(scan(text), (code, status), "{text}");
        }
    }
}

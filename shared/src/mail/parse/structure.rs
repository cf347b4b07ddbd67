//! The MIME tree of a mail (RFC 2046 section 5.1): one pass over the lines, a heap-allocated stack, limits on depth and
//! number. mail-parser's own walk matches boundaries in the middle of a line and by prefix, scans the rest of the mail for
//! each missing boundary, and nests on the stack for messages within messages; a hostile mail must not stop a Worker.

use std::collections::HashMap;
use std::ops::Range;

use super::words::Structured;
use crate::mail::inbound::ParseIssue;
use crate::mail::inbound::RawHeader;

/// Deeper multiparts are left as text. Real mail stays below 20; browsers and mailers stop at a few hundred.
const MAX_DEPTH: usize = 1_200;
/// More parts are left unread: each becomes an object in the store.
const MAX_PARTS: usize = 2_000;
/// RFC 2046 section 5.1.1 says 70; some mailers write a little more.
const MAX_BOUNDARY: usize = 200;
/// The header section of the mail, in bytes.
pub(super) const MAX_HEAD: usize = 512 * 1024;
/// The header section of a part, in bytes.
const MAX_PART_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 1_000;

/// One part of the tree. Children come after their parent in the list.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) parent: Option<usize>,
    pub(super) headers: Vec<RawHeader>,
    pub(super) content_type: Structured,
    pub(super) disposition: Structured,
    /// The body in the raw mail, still encoded. For a multipart that could be split: empty.
    pub(super) body: Range<usize>,
    pub(super) is_multipart: bool,
}

impl Part {
    /// The topmost header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.name.eq_ignore_ascii_case(name)).map(|it| it.value.as_str())
    }
}

/// The header lines at the start of some bytes and the offset of the body.
pub(super) struct HeadLines {
    pub(super) headers: Vec<RawHeader>,
    pub(super) body: usize,
    pub(super) issues: Vec<ParseIssue>,
}

/// The line that starts at `at`, without its end, and where the next one starts.
fn line(raw: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = raw.get(at..).filter(|it| !it.is_empty())?;
    let (text, next) = match rest.iter().position(|it| *it == b'\n') {
        Some(end) => (rest.get(..end).unwrap_or_default(), at + end + 1),
        None => (rest, raw.len()),
    };
    Some((text.strip_suffix(b"\r").unwrap_or(text), next))
}

/// The name of a header line: printable ASCII before the colon (RFC 5322 section 2.2), blanks before the colon allowed.
fn header_name(line: &[u8]) -> Option<&str> {
    let colon = line.iter().take(200).position(|it| *it == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|it| (33..=126).contains(it));
    if is_name { core::str::from_utf8(name).ok() } else { None }
}

/// Reads header lines. Tolerates a leading mbox line, blank lines at the start of a mail, and a broken line between headers;
/// the body starts after the first blank line or at a line that is clearly none.
pub(super) fn read_head(raw: &[u8], start: usize, is_root: bool) -> HeadLines {
    let limit = start.saturating_add(if is_root { MAX_HEAD } else { MAX_PART_HEAD });
    let mut res = HeadLines { headers: Vec::new(), body: start, issues: Vec::new() };
    let mut values: Vec<(String, Vec<u8>)> = Vec::new();
    let mut at = start;
    loop {
        let Some((text, next)) = line(raw, at) else {
            res.body = raw.len();
            break;
        };
        if at > limit {
            res.issues.push(ParseIssue::HeaderTooLong);
            res.body = skip_head(raw, at);
            break;
        }
        if text.trim_ascii().is_empty() {
            // A line of blanks alone is folding, when the header goes on after it (RFC 5322 section 4.2).
            if !text.is_empty() && !values.is_empty() && goes_on(raw, next) {
                at = next;
                continue;
            }
            // Blank lines before the first header of a mail come from careless forwarders.
            if is_root && values.is_empty() && starts_late(raw, next) {
                at = next;
                continue;
            }
            res.body = next;
            break;
        }
        if text.first().is_some_and(|it| *it == b' ' || *it == b'\t') && !values.is_empty() {
            if let Some((_, value)) = values.last_mut() {
                value.push(b' ');
                value.extend_from_slice(text.trim_ascii());
            }
        } else if let Some(name) = header_name(text) {
            let value = text.iter().position(|it| *it == b':').and_then(|it| text.get(it + 1..)).unwrap_or_default();
            values.push((name.to_owned(), value.trim_ascii().to_vec()));
        } else {
            let is_mbox = is_root && values.is_empty() && (text.starts_with(b"From ") || text.starts_with(b">From "));
            let goes_on = || {
                line(raw, next).is_some_and(|(it, _)| {
                    header_name(it).is_some_and(|name| name.contains('-') || is_known(name)) && !text.starts_with(b"--")
                })
            };
            if !is_mbox {
                res.issues.push(ParseIssue::BrokenStructure);
                if values.is_empty() && !is_root || !goes_on() {
                    res.body = at;
                    break;
                }
            }
        }
        at = next;
    }
    if values.len() > MAX_HEADERS {
        values.truncate(MAX_HEADERS);
        res.issues.push(ParseIssue::HeaderTooLong);
    }
    // Raw bytes in a header are most often in the charset of the body (RFC 2047 forbids them, mailers don't).
    let content_type = values.iter().find(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
    let charset = content_type.and_then(|(_, value)| {
        let value = Structured::parse(&String::from_utf8_lossy(value));
        value.param("charset").map(str::to_owned)
    });
    for (name, value) in values {
        // Nothing to decode: neither other bytes nor an escape of ISO-2022 or HZ.
        let is_simple = super::is_plain(&value) && !value.windows(2).any(|it| it == b"~{");
        let value = match String::from_utf8(value) {
            Ok(text) if is_simple => {
                let value = if text.ends_with(' ') || text.starts_with(' ') { text.trim().to_owned() } else { text };
                res.headers.push(RawHeader { name, value });
                continue;
            }
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let is_unicode = core::str::from_utf8(&value).is_ok();
        let decoded = super::charset::decode(&value, charset.as_deref().filter(|_| !is_unicode));
        if !decoded.is_clean {
            res.issues.push(ParseIssue::UnknownCharset);
        }
        let clean = super::clean_header(&decoded.text);
        if decoded.text.contains(|c: char| c.is_control() && c != '\t') {
            res.issues.push(ParseIssue::ControlCharacters);
        }
        res.headers.push(RawHeader { name, value: clean });
    }
    res
}

/// A continuation, or a header that is plainly one.
fn goes_on(raw: &[u8], at: usize) -> bool {
    line(raw, at).is_some_and(|(it, _)| {
        let is_folded = it.first().is_some_and(|it| *it == b' ' || *it == b'\t') && !it.trim_ascii().is_empty();
        is_folded || header_name(it).is_some_and(|name| name.contains('-') || is_known(name))
    })
}

/// After blank lines at the very start, a header line.
fn starts_late(raw: &[u8], from: usize) -> bool {
    let mut at = from;
    for _ in 0..20 {
        match line(raw, at) {
            Some((text, next)) if text.trim_ascii().is_empty() => at = next,
            Some((text, _)) => return header_name(text).is_some(),
            None => return false,
        }
    }
    false
}

/// Headers without a hyphen that end a doubt.
fn is_known(name: &str) -> bool {
    ["from", "to", "cc", "bcc", "subject", "date", "sender", "received", "references"]
        .iter()
        .any(|it| name.eq_ignore_ascii_case(it))
}

/// The end of an over-long header section.
fn skip_head(raw: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some((text, next)) = line(raw, at) {
        if text.trim_ascii().is_empty() {
            return next;
        }
        at = next;
    }
    raw.len()
}

/// An open multipart.
struct Open {
    part: usize,
    boundary: Vec<u8>,
}

/// What a line beginning with `--` is.
enum Delimiter {
    Open(usize),
    Close(usize),
}

/// Reads the whole tree. The first part is the mail itself.
pub(super) fn read_tree(raw: &[u8], head: HeadLines, issues: &mut Vec<ParseIssue>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut stack: Vec<Open> = Vec::new();
    // Which open multipart a boundary belongs to: the innermost when one is used twice.
    let mut by_boundary: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    let mut next_head = Some(head);
    while let Some(head) = next_head.take() {
        let start = head.body;
        let parent = stack.last().map(|it| it.part);
        let index = parts.len();
        if index > 0 {
            issues.extend(head.issues.iter().filter(|it| **it != ParseIssue::BrokenStructure));
        }
        let mut part = new_part(head.headers, parent, parts.as_slice());
        if part.is_multipart {
            match boundary_of(&part, raw, start) {
                Some(boundary) if stack.len() < MAX_DEPTH => {
                    by_boundary.entry(boundary.clone()).or_default().push(stack.len());
                    stack.push(Open { part: index, boundary });
                }
                Some(_) => {
                    issues.push(ParseIssue::TooDeep);
                    part.is_multipart = false;
                }
                None => {
                    issues.push(ParseIssue::BrokenStructure);
                    part.is_multipart = false;
                }
            }
        }
        let is_multipart = part.is_multipart;
        parts.push(part);
        // The body of a leaf, or the preamble of a multipart, goes up to the next delimiter of any open multipart.
        let mut from = start;
        let mut is_body = !is_multipart;
        loop {
            let Some((end, next, delimiter)) = find_delimiter(raw, from, &by_boundary) else {
                if !stack.is_empty() {
                    issues.push(ParseIssue::BrokenStructure);
                }
                if let Some(part) = parts.last_mut().filter(|_| is_body) {
                    part.body = start..raw.len();
                } else if let Some(part) = parts.last_mut().filter(|it| it.is_multipart) {
                    // Opened and never used: what follows is all there is to read.
                    part.is_multipart = false;
                    part.body = start..raw.len();
                }
                return parts;
            };
            if let Some(part) = parts.last_mut().filter(|_| is_body) {
                part.body = start..end.max(start);
            }
            is_body = false;
            let level = match delimiter {
                Delimiter::Open(level) => level + 1,
                Delimiter::Close(level) => level,
            };
            // An outer delimiter ends inner multiparts that were left open.
            while stack.len() > level {
                if let Some(open) = stack.pop() {
                    if let Some(levels) = by_boundary.get_mut(&open.boundary) {
                        levels.pop();
                    }
                    if stack.len() > level {
                        issues.push(ParseIssue::BrokenStructure);
                    }
                    let has_children = parts.len() > open.part + 1;
                    if let Some(part) = parts.get_mut(open.part).filter(|_| !has_children) {
                        part.is_multipart = false;
                        part.body = start..end.max(start);
                    }
                }
            }
            from = next;
            if matches!(delimiter, Delimiter::Open(_)) {
                break;
            }
            if stack.is_empty() {
                return parts;
            }
        }
        if parts.len() >= MAX_PARTS {
            issues.push(ParseIssue::TooManyParts);
            return parts;
        }
        next_head = Some(read_head(raw, from, false));
    }
    parts
}

fn new_part(headers: Vec<RawHeader>, parent: Option<usize>, parts: &[Part]) -> Part {
    let mut part = Part { parent, headers, ..Part::default() };
    part.content_type = part.header("Content-Type").map(Structured::parse).unwrap_or_default();
    part.disposition = part.header("Content-Disposition").map(Structured::parse).unwrap_or_default();
    let is_digest = parent.and_then(|it| parts.get(it)).is_some_and(|it| it.content_type.value == "multipart/digest");
    if part.content_type.value.is_empty() && is_digest {
        "message/rfc822".clone_into(&mut part.content_type.value);
    }
    part.is_multipart = part.content_type.value.starts_with("multipart/");
    part
}

/// The boundary of a multipart. When it is missing or never used, the first line that looks like one.
fn boundary_of(part: &Part, raw: &[u8], start: usize) -> Option<Vec<u8>> {
    if let Some(declared) = part.content_type.param("boundary") {
        let declared = declared.trim_end();
        if !declared.is_empty() && declared.len() <= MAX_BOUNDARY {
            return Some(declared.as_bytes().to_vec());
        }
    }
    // Only the first lines: the search must stay cheap for any number of broken multiparts.
    let mut at = start;
    for _ in 0..20 {
        let (text, next) = line(raw, at)?;
        let text = text.trim_ascii_end();
        if let Some(boundary) = text.strip_prefix(b"--").filter(|it| !it.is_empty() && it.len() <= MAX_BOUNDARY) {
            return Some(boundary.to_vec());
        }
        at = next;
    }
    None
}

/// The first line that looks like a delimiter and comes again, without its dashes.
pub(super) fn used_boundary(raw: &[u8], start: usize) -> Option<String> {
    let mut at = start;
    let mut first: Option<&[u8]> = None;
    while let Some((text, next)) = line(raw, at) {
        at = next;
        let Some(rest) = text.trim_ascii_end().strip_prefix(b"--") else { continue };
        match first {
            None if (1..=MAX_BOUNDARY).contains(&rest.len()) => first = Some(rest),
            Some(it) if rest == it || rest.strip_suffix(b"--") == Some(it) => {
                return core::str::from_utf8(it).ok().filter(|it| !it.contains(['"', '\\'])).map(str::to_owned);
            }
            _ => {}
        }
    }
    None
}

/// The next delimiter line at or after `from`: where the text before it ends, where the line after it starts, what it is.
fn find_delimiter(
    raw: &[u8],
    from: usize,
    by_boundary: &HashMap<Vec<u8>, Vec<usize>>,
) -> Option<(usize, usize, Delimiter)> {
    let mut at = from;
    while let Some((text, next)) = line(raw, at) {
        if let Some(rest) = text.strip_prefix(b"--").filter(|it| it.len() <= MAX_BOUNDARY + 80) {
            let rest = rest.trim_ascii_end();
            let level = |boundary: &[u8]| by_boundary.get(boundary).and_then(|it| it.last()).copied();
            let found = match level(rest) {
                Some(level) => Some(Delimiter::Open(level)),
                None => rest.strip_suffix(b"--").and_then(level).map(Delimiter::Close),
            };
            if let Some(delimiter) = found {
                return Some((before_line_end(raw, from, at), next, delimiter));
            }
        }
        at = next;
    }
    None
}

/// The line end before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
fn before_line_end(raw: &[u8], from: usize, at: usize) -> usize {
    let text = raw.get(from..at).unwrap_or_default();
    let text = text.strip_suffix(b"\n").map_or(text, |it| it.strip_suffix(b"\r").unwrap_or(it));
    from + text.len()
}

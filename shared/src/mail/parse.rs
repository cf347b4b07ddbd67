//! Raw bytes to [`InboundMail`]. Never fails and never panics: what can't be read is an issue on the mail, and a mail in
//! which nothing can be read is still one. This module alone names `mail_parser`.
//!
//! mail-parser reads addresses, dates and the charsets of other systems. The walk through the MIME tree, transfer
//! encodings, encoded words and charset detection are ours ([`structure`] says why).

mod body;
mod charset;
mod fields;
mod files;
mod structure;
mod transfer;
mod words;

use std::collections::HashSet;

use sha2::Digest;
use sha2::Sha256;

use self::body::collect;
use self::fields::MAX_MAILBOXES;
pub use self::fields::parse_mailboxes;
use self::files::extract_data_images;
use self::files::mark_inline;
use self::structure::HeadLines;
use self::structure::Part;
use crate::address::Mailbox;
use crate::mail::html;
use crate::mail::inbound::Head;
use crate::mail::inbound::InboundMail;
use crate::mail::inbound::ParseIssue;
use crate::mail::inbound::RawHeader;
use crate::mail::rfc_id;
use crate::mail::rfc_id::RfcMessageId;
use crate::received::date::parse_date;

/// Reads the header section only: fast, for the decision to accept a mail. At most 512 KiB are looked at.
pub fn parse_head(raw: &[u8]) -> Head {
    let raw = with_line_feeds(raw);
    build_head(structure::read_head(&raw, 0, true), raw.is_empty())
}

/// Reads a whole mail.
pub fn parse(raw: &[u8]) -> InboundMail {
    let mut mail = open(raw).read();
    mail.sha256 = sha256_hex(raw);
    for file in mail.attachments.iter_mut().filter(|it| it.sha256.is_empty()) {
        file.sha256 = sha256_hex(&file.bytes);
    }
    mail
}

/// Reads the header section, so that the rest is read only when it is needed.
pub(in crate::mail) fn open(raw: &[u8]) -> Opened<'_> {
    let size = raw.len();
    let raw = with_line_feeds(raw);
    let lines = structure::read_head(&raw, 0, true);
    let body = lines.body;
    let head = build_head(lines, raw.is_empty());
    Opened { raw, size, body, head }
}

/// A mail of which the header section was read.
pub(in crate::mail) struct Opened<'a> {
    raw: std::borrow::Cow<'a, [u8]>,
    size: usize,
    body: usize,
    pub(in crate::mail) head: Head,
}

impl Opened<'_> {
    /// Reads the rest. Hashes are left empty: who only looks at a mail doesn't need them.
    pub(in crate::mail) fn read(self) -> InboundMail {
        let Self { raw, size, body, mut head } = self;
        let mut issues = Vec::new();
        let for_tree = HeadLines { headers: head.headers.clone(), body, issues: Vec::new() };
        let parts = read_parts(&raw, for_tree, &mut issues);
        let mut body = collect(&raw, &parts, &mut issues);
        if let Some(html) = &mut body.html {
            extract_data_images(html, &mut body.attachments);
        }
        mark_inline(body.html.as_deref(), &mut body.attachments);
        head.issues.extend(issues);
        dedupe(&mut head.issues);
        let text = match (body.text, &body.html) {
            (Some(text), _) => text,
            (None, Some(html)) => html::to_text(html),
            (None, None) => String::new(),
        };
        InboundMail { head, text, html: body.html, attachments: body.attachments, size, sha256: String::new() }
    }
}

/// The tree; when the boundary a mail declares is never used, with the one that is.
fn read_parts(raw: &[u8], head: HeadLines, issues: &mut Vec<ParseIssue>) -> Vec<Part> {
    let HeadLines { headers, body, .. } = head;
    let retry = headers.clone();
    let parts = structure::read_tree(raw, HeadLines { headers, body, issues: Vec::new() }, issues);
    let is_unsplit = |it: &Part| !it.is_multipart && it.content_type.value.starts_with("multipart/");
    let [root] = parts.as_slice() else { return parts };
    let Some(boundary) = Some(root).filter(|it| is_unsplit(it)).and_then(|_| structure::used_boundary(raw, body))
    else {
        return parts;
    };
    let declared = format!("{}; boundary=\"{boundary}\"", root.content_type.value);
    let headers = retry
        .into_iter()
        .map(|it| {
            if it.name.eq_ignore_ascii_case("Content-Type") {
                RawHeader { name: it.name, value: declared.clone() }
            } else {
                it
            }
        })
        .collect();
    structure::read_tree(raw, HeadLines { headers, body, issues: Vec::new() }, issues)
}

/// Lower-case hex of the SHA-256 of some bytes.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use core::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut res, byte| {
        let _ = write!(res, "{byte:02x}");
        res
    })
}

/// The id that stands in for a missing Message-ID: derived from the bytes, so that the same mail is found again.
pub fn derived_id(sha256: &str) -> Option<RfcMessageId> {
    RfcMessageId::parse(&format!("<{}@derived.invalid>", sha256.get(..32).unwrap_or(sha256))).ok()
}

/// Text in a charset that only mail-parser has a table for.
fn other_charset(label: &str, bytes: &[u8]) -> Option<String> {
    mail_parser::decoders::charsets::map::charset_decoder(label.as_bytes()).map(|decode| decode(bytes))
}

/// The text of an HTML entity such as `&eacute;`, or the entity itself.
pub(in crate::mail) fn entity(token: &str) -> String {
    let mut res = String::new();
    mail_parser::decoders::html::add_html_token(&mut res, token.as_bytes(), false);
    res
}

/// Old Mac mail has only carriage returns; a mark of UTF-8 at the start is no part of a header name.
fn with_line_feeds(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return raw.into();
    }
    raw.iter().map(|it| if *it == b'\r' { b'\n' } else { *it }).collect::<Vec<_>>().into()
}

fn build_head(lines: HeadLines, is_empty: bool) -> Head {
    let HeadLines { headers, mut issues, .. } = lines;
    if is_empty || headers.is_empty() {
        issues.push(ParseIssue::Unparsed);
    }
    let all = |name: &'static str| headers.iter().filter(move |it: &&RawHeader| it.name.eq_ignore_ascii_case(name));
    let first = |name| all(name).map(|it| it.value.as_str()).find(|it| !it.is_empty());
    let mailboxes =
        |name| -> Vec<Mailbox> { all(name).flat_map(|it| parse_mailboxes(&it.value)).take(MAX_MAILBOXES).collect() };
    // Several From headers are an old trick: the first readable one counts, as for DMARC.
    let from = all("From").map(|it| parse_mailboxes(&it.value)).find(|it| !it.is_empty()).unwrap_or_default();
    let from_raw = if from.is_empty() { first("From").map(words::decode).unwrap_or_default() } else { String::new() };
    if from.is_empty() {
        issues.push(if from_raw.is_empty() { ParseIssue::MissingFrom } else { ParseIssue::UnreadableFrom });
    }
    let hints = ["Delivered-To", "Resent-To", "Resent-Cc", "X-Original-To", "Envelope-To", "X-Forwarded-To"];
    let mut other_recipients = Vec::new();
    let mut seen = HashSet::new();
    for mailbox in hints.into_iter().flat_map(mailboxes) {
        if seen.insert(mailbox.address.key()) {
            other_recipients.push(mailbox.address);
        }
    }
    let date = first("Date").and_then(parse_date);
    if date.is_none() {
        issues.push(ParseIssue::UnreadableDate);
    }
    let message_id = all("Message-ID").find_map(|it| rfc_id::extract(&it.value).into_iter().next());
    if message_id.is_none() {
        issues.push(ParseIssue::MissingMessageId);
    }
    let ids = |name| {
        let joined = all(name).map(|it| it.value.as_str()).collect::<Vec<_>>().join(" ");
        rfc_id::extract(&joined)
    };
    let mut head = Head {
        subject: first("Subject").map(words::decode).unwrap_or_default(),
        from,
        from_raw,
        to: mailboxes("To"),
        cc: mailboxes("Cc"),
        reply_to: mailboxes("Reply-To"),
        other_recipients,
        date,
        message_id,
        references: ids("References"),
        in_reply_to: ids("In-Reply-To"),
        headers: Vec::new(),
        issues,
    };
    dedupe(&mut head.issues);
    head.headers = headers;
    head
}

fn dedupe(issues: &mut Vec<ParseIssue>) {
    let mut seen = HashSet::new();
    issues.retain(|it| seen.insert(*it));
}

/// A header value without control characters: they become blanks.
fn clean_header(text: &str) -> String {
    if is_plain(text.as_bytes()) {
        return text.trim().to_owned();
    }
    text.chars()
        .filter(|c| *c != '\0')
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Printable ASCII and blanks only, as nearly every header is.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|it| (b' '..=b'~').contains(it))
}

/// One line for people: controls and runs of blanks become one blank.
fn clean_line(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() && c != '\u{a0}' && c != '\u{3000}' || c.is_control()) {
        if !word.is_empty() {
            if !res.is_empty() {
                res.push(' ');
            }
            res.push_str(word);
        }
    }
    res
}

#[cfg(test)]
mod tests;

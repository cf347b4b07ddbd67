//! Raw bytes to [`InboundMail`]. Never fails and never panics: what can't be read is an issue on the mail, and a mail in
//! which nothing can be read is still one. The only file that names `mail_parser`.
//!
//! mail-parser reads addresses, dates and the charsets of other systems. The walk through the MIME tree, transfer
//! encodings, encoded words and charset detection are ours ([`structure`] says why).

mod charset;
mod structure;
mod transfer;
mod words;

use std::collections::HashSet;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use sha2::Digest;
use sha2::Sha256;

use self::structure::HeadLines;
use self::structure::Part;
use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::mail::html;
use crate::mail::inbound::Attachment;
use crate::mail::inbound::Head;
use crate::mail::inbound::InboundMail;
use crate::mail::inbound::ParseIssue;
use crate::mail::inbound::RawHeader;
use crate::mail::rfc_id;
use crate::mail::rfc_id::RfcMessageId;
use crate::time::Timestamp;

/// How many mailboxes of one header are read.
const MAX_MAILBOXES: usize = 2_000;
/// Alternatives within alternatives: each level may copy the body once.
const MAX_ALTERNATIVES: usize = 30;
/// How many pictures written into the HTML become attachments.
const MAX_DATA_IMAGES: usize = 200;

/// Reads the header section only: fast, for the decision to accept a mail. At most 512 KiB are looked at.
pub fn parse_head(raw: &[u8]) -> Head {
    let raw = with_line_feeds(raw);
    build_head(structure::read_head(&raw, 0, true), raw.is_empty())
}

/// Reads a whole mail.
pub fn parse(raw: &[u8]) -> InboundMail {
    let size = raw.len();
    let sha256 = sha256_hex(raw);
    let raw = &*with_line_feeds(raw);
    let lines = structure::read_head(raw, 0, true);
    let mut issues = Vec::new();
    let for_tree = HeadLines { headers: lines.headers.clone(), body: lines.body, issues: Vec::new() };
    let mut head = build_head(lines, raw.is_empty());
    let parts = read_parts(raw, for_tree, &mut issues);
    let mut body = collect(raw, &parts, &mut issues);
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
    InboundMail { head, text, html: body.html, attachments: body.attachments, size, sha256 }
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

/// The mailboxes of an address header value, unreadable ones left out.
pub fn parse_mailboxes(value: &str) -> Vec<Mailbox> {
    let mut input = words::recode(value);
    input.push('\n');
    let mut res = Vec::new();
    let HeaderValue::Address(parsed) = MessageStream::new(input.as_bytes()).parse_address() else { return res };
    for address in parsed.iter().take(MAX_MAILBOXES) {
        let name = address.name.as_deref().unwrap_or_default();
        let found = match &address.address {
            Some(text) => read_address(text).map(|it| (it, name)),
            // `ann@corp.test (Ann)` and bare words may end up as the name.
            None => read_address(name).map(|it| (it, "")),
        };
        if let Some((address, name)) = found {
            let name = without_quotes(name.trim());
            let is_repetition = EmailAddress::parse(name).is_ok_and(|it| it == address);
            res.push(Mailbox::new(Some(name).filter(|_| !is_repetition), address));
        }
    }
    res
}

/// `'Ann'` and `"Ann"` are habits of mailers, not names.
fn without_quotes(name: &str) -> &str {
    let inner = ['\'', '"'].into_iter().find_map(|it| name.strip_prefix(it).and_then(|rest| rest.strip_suffix(it)));
    inner.filter(|it| !it.contains(['\'', '"'])).unwrap_or(name).trim()
}

/// A date as mailers write it (RFC 5322 section 3.3 and what resembles it), in UTC. Without an offset it counts as UTC.
pub fn parse_date(value: &str) -> Option<Timestamp> {
    let input = format!("{}\n", value.trim());
    if let HeaderValue::DateTime(date) = MessageStream::new(input.as_bytes()).parse_date()
        && date.is_valid()
        && date.year >= 1970
        && is_day(i64::from(date.year), i64::from(date.month), i64::from(date.day))
    {
        return Some(Timestamp::from_millis(date.to_timestamp() * 1_000));
    }
    Timestamp::parse_rfc3339(value.trim()).or_else(|| scan_date(value))
}

/// The month has that day.
const fn is_day(year: i64, month: i64, day: i64) -> bool {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    };
    1 <= month && month <= 12 && 1 <= day && day <= last
}

/// Finds year, month, day, time and zone in any order: `Tue Nov 24 10:00:00 2026`, `24-Nov-26 10.00`, a leap second.
fn scan_date(value: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let value = value.get(..value.len().min(200)).unwrap_or(value).to_ascii_lowercase();
    let (mut day, mut month, mut year, mut time, mut zone) = (None, None, None, None, 0);
    for word in value.split(|c: char| c.is_whitespace() || c == ',').flat_map(|it| it.split('/')) {
        if let Some(digits) = word.strip_prefix(['+', '-']) {
            let digits = digits.replace(':', "");
            if let (4, Ok(number)) = (digits.len(), digits.parse::<i64>()) {
                zone = (number / 100 * 60 + number % 100) * if word.starts_with('-') { -1 } else { 1 };
            }
            continue;
        }
        if word.contains(':') {
            let mut fields = word.split([':', '.']).map(|it| it.parse::<i64>().ok());
            let (hour, minute) = (fields.next().flatten()?, fields.next().flatten()?);
            time = Some((hour, minute, fields.next().flatten().unwrap_or(0).min(59)));
            continue;
        }
        for piece in word.split('-').filter(|it| !it.is_empty()) {
            if let Some((number, _)) = (1..).zip(MONTHS).find(|(_, it)| piece.starts_with(it)) {
                month = Some(number);
            } else if let Ok(number) = piece.parse::<i64>() {
                match number {
                    1_900..=9_999 => year = Some(number),
                    1..=31 if day.is_none() => day = Some(number),
                    0..=99 if year.is_none() => year = Some(if number < 70 { number + 2_000 } else { number + 1_900 }),
                    _ => {}
                }
            }
        }
    }
    let (hour, minute, second) = time?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let (year, month, day) = (year?, month?, day?);
    if !is_day(year, month, day) {
        return None;
    }
    let at = Timestamp::from_civil(year, month, day, hour, minute, second);
    Some(Timestamp::from_millis(at.as_millis() - zone * 60_000))
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

/// Old Mac mail has only carriage returns.
fn with_line_feeds(raw: &[u8]) -> std::borrow::Cow<'_, [u8]> {
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

/// An address in the text of an address header, with what goes wrong around it.
fn read_address(text: &str) -> Option<EmailAddress> {
    if let Ok(address) = EmailAddress::parse(text) {
        return Some(address);
    }
    let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let strip = |it: &str| -> String {
        let it = it.trim_matches(|c: char| "<>[]()\"',;:".contains(c));
        let it = it
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
            .map_or(it, |_| it.get(7..).unwrap_or(it));
        it.trim_end_matches('.').to_owned()
    };
    // Words after the address must not be glued to its domain (OB-11), so single words go first.
    text.split_whitespace()
        .filter(|it| it.contains('@'))
        .map(strip)
        .chain([strip(&joined)])
        .find_map(|it| EmailAddress::parse(&it).ok())
}

fn dedupe(issues: &mut Vec<ParseIssue>) {
    let mut seen = HashSet::new();
    issues.retain(|it| seen.insert(*it));
}

/// What the parts of a mail add up to.
#[derive(Default)]
struct Body {
    text: Option<String>,
    html: Option<String>,
    attachments: Vec<Attachment>,
}

/// A stretch of body: the plain and the rich form of the same words, either may be missing.
#[derive(Default, Clone)]
struct Block {
    text: Option<String>,
    html: Option<String>,
}

/// Puts body and attachments together from the leaves upwards; children stand after their parent, so no recursion.
fn collect(raw: &[u8], parts: &[Part], issues: &mut Vec<ParseIssue>) -> Body {
    let mut blocks: Vec<Vec<Vec<Block>>> = parts.iter().map(|_| Vec::new()).collect();
    let mut attachments: Vec<Attachment> = Vec::new();
    let mut n_children = vec![0_usize; parts.len()];
    let mut order = vec![0_usize; parts.len()];
    for (index, part) in parts.iter().enumerate() {
        if let Some(count) = part.parent.and_then(|it| n_children.get_mut(it)) {
            if let Some(it) = order.get_mut(index) {
                *it = *count;
            }
            *count += 1;
        }
    }
    // How many alternatives a part is inside of.
    let mut levels = vec![0_usize; parts.len()];
    for (index, part) in parts.iter().enumerate() {
        let outer = part.parent.and_then(|it| levels.get(it)).copied().unwrap_or_default();
        if let Some(it) = levels.get_mut(index) {
            *it = outer + usize::from(part.content_type.value == "multipart/alternative");
        }
    }
    let mut root = Vec::new();
    for (index, part) in parts.iter().enumerate().rev() {
        let own = if part.is_multipart {
            let mut children = blocks.get_mut(index).map(core::mem::take).unwrap_or_default();
            children.reverse();
            if part.content_type.value == "multipart/alternative"
                && levels.get(index).is_some_and(|it| *it <= MAX_ALTERNATIVES)
            {
                vec![choose(children)]
            } else {
                children.into_iter().flatten().collect()
            }
        } else {
            let is_first = order.get(index).is_none_or(|it| *it == 0);
            match read_leaf(raw, part, part.parent.and_then(|it| parts.get(it)), is_first, issues) {
                Leaf::Body(block) => vec![block],
                Leaf::File(file) => {
                    attachments.push(*file);
                    Vec::new()
                }
                Leaf::Nothing => Vec::new(),
            }
        };
        match part.parent {
            Some(parent) => {
                if let Some(siblings) = blocks.get_mut(parent) {
                    siblings.push(own);
                }
            }
            None => root = own,
        }
    }
    attachments.reverse();
    drop_twin_invitations(&mut attachments);
    let has_html = root.iter().any(|it| it.html.is_some());
    let has_text = root.iter().any(|it| it.text.is_some());
    let html = if has_html { Some(join_html(root.iter().map(Block::clone).collect())) } else { None };
    let text = if has_text { Some(join_text(&mut root)) } else { None };
    Body { text, html, attachments }
}

/// multipart/alternative: the first plain form and the last rich one (RFC 2046 section 5.1.4).
fn choose(children: Vec<Vec<Block>>) -> Block {
    let (rich, plain): (Vec<_>, Vec<_>) =
        children.into_iter().filter(|it| !it.is_empty()).partition(|it| it.iter().any(|block| block.html.is_some()));
    let mut text = plain.into_iter().map(|mut it| join_text(&mut it)).find(|it| !it.trim().is_empty());
    let mut html = rich.into_iter().next_back();
    // A rich branch may bring its own plain form (nested alternatives).
    if let Some(blocks) =
        html.as_mut().filter(|it| text.is_none() && it.iter().all(|block| block.text.is_some() && block.html.is_some()))
    {
        text = Some(join_text(blocks));
    }
    Block { text, html: html.map(join_html) }
}

/// The plain forms of some blocks, taken out of them. The first is moved, not copied.
fn join_text(blocks: &mut [Block]) -> String {
    let texts = blocks.iter_mut().map(|it| match (it.text.take(), &it.html) {
        (Some(text), _) => text,
        (None, Some(html)) => html::to_text(html),
        (None, None) => String::new(),
    });
    join(texts.filter(|it| !it.is_empty()))
}

fn join(mut pieces: impl Iterator<Item = String>) -> String {
    let first = pieces.next().unwrap_or_default();
    pieces.fold(first, |mut joined, piece| {
        joined.push('\n');
        joined.push_str(&piece);
        joined
    })
}

fn join_html(blocks: Vec<Block>) -> String {
    join(blocks.into_iter().filter_map(|it| it.html.or_else(|| it.text.map(|text| html::from_text(&text)))))
}

enum Leaf {
    Body(Block),
    File(Box<Attachment>),
    Nothing,
}

fn read_leaf(raw: &[u8], part: &Part, parent: Option<&Part>, is_first: bool, issues: &mut Vec<ParseIssue>) -> Leaf {
    let encoded = raw.get(part.body.clone()).unwrap_or_default();
    let parent_type = parent.map_or("", |it| it.content_type.value.as_str());
    let declared_name = ["filename", "name"].into_iter().find_map(|it| {
        part.disposition.param(it).or_else(|| part.content_type.param(it)).filter(|it| !it.trim().is_empty())
    });
    let content_type = repair_type(&part.content_type.value, declared_name);
    let is_attached = part.disposition.value == "attachment" || (part.disposition.param("filename").is_some());
    let is_alone = parent.is_none();
    let is_text = match content_type.as_str() {
        // A multipart that could not be split.
        it if it.starts_with("multipart/") => true,
        // Text with a name is a file (PAR-17), but a lone body may be named by its mailer.
        "text/plain" => !is_attached && (is_alone || declared_name.is_none() || parent_type == "multipart/alternative"),
        "text/html" | "application/xhtml+xml" => !is_attached && (is_alone || declared_name.is_none()),
        "text/enriched" | "text/richtext" | "text/markdown" | "text/x-markdown" => {
            !is_attached && declared_name.is_none()
        }
        _ => false,
    };
    // Further texts of a multipart/related are resources of the first.
    let is_resource = parent_type == "multipart/related" && !is_first && part.header("Content-ID").is_some();
    if !is_text || is_resource {
        if content_type == "text/x-amp-html" && parent_type == "multipart/alternative" {
            return Leaf::Nothing;
        }
        let bytes = decode_transfer(part, encoded, issues);
        return Leaf::File(Box::new(attachment(part, &content_type, declared_name, bytes)));
    }
    let bytes = decode_transfer(part, encoded, issues);
    let is_html = matches!(content_type.as_str(), "text/html" | "application/xhtml+xml");
    let meta = if is_html { meta_charset(&bytes) } else { None };
    let label = part.content_type.param("charset").or(meta.as_deref());
    let decoded = charset::decode(&bytes, label);
    if !decoded.is_clean {
        issues.push(ParseIssue::UnknownCharset);
    }
    let (text, had_controls) = clean_body(&decoded.text);
    if had_controls {
        issues.push(ParseIssue::ControlCharacters);
    }
    Leaf::Body(match content_type.as_str() {
        "text/html" | "application/xhtml+xml" => Block { text: None, html: Some(text) },
        "text/enriched" | "text/richtext" => {
            Block { text: Some(html::to_text(&text.replace("<nl>", "<br>"))), html: None }
        }
        _ if part.content_type.param("format").is_some_and(|it| it.eq_ignore_ascii_case("flowed")) => {
            let joins_words = part.content_type.param("delsp").is_some_and(|it| it.eq_ignore_ascii_case("yes"));
            Block { text: Some(unflow(&text, joins_words)), html: None }
        }
        _ => Block { text: Some(text), html: None },
    })
}

fn decode_transfer(part: &Part, encoded: &[u8], issues: &mut Vec<ParseIssue>) -> Vec<u8> {
    let encoding = part.header("Content-Transfer-Encoding").unwrap_or_default();
    let encoding = encoding.split([';', ' ', '(']).next().unwrap_or_default().trim_matches('"');
    let (bytes, is_clean) = match encoding.to_ascii_lowercase().as_str() {
        "base64" => transfer::from_base64(encoded),
        "quoted-printable" => transfer::from_quoted_printable(encoded),
        "x-uuencode" | "uuencode" | "x-uue" | "uue" => transfer::from_uuencode(encoded),
        "" | "7bit" | "8bit" | "binary" => (encoded.to_vec(), true),
        _ => (encoded.to_vec(), false),
    };
    if !is_clean {
        issues.push(ParseIssue::BrokenEncoding);
    }
    bytes
}

/// `charset` of a `<meta>` in the first 2 KiB of an HTML text.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..bytes.len().min(2_048))?).to_ascii_lowercase();
    let meta = start.get(start.find("<meta")?..)?;
    let value = meta.get(meta.find("charset=")? + 8..)?.trim_start_matches(['"', '\'', ' ']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')?;
    value.get(..end).filter(|it| !it.is_empty()).map(str::to_owned)
}

/// Line ends as `\n`, no byte order mark, no control characters but tab and line feed; whether there were some.
fn clean_body(text: &str) -> (String, bool) {
    let mut res = String::with_capacity(text.len());
    let mut had_controls = false;
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    res.push('\n');
                }
            }
            '\n' | '\t' => res.push(c),
            '\u{c}' => res.push('\n'),
            _ if c.is_control() => had_controls = true,
            _ => res.push(c),
        }
    }
    (res, had_controls)
}

/// A header value without control characters: they become blanks.
fn clean_header(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\0')
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
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

/// RFC 3676: joins the lines that were broken for the way.
fn unflow(text: &str, joins_words: bool) -> String {
    let mut res = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    let n_lines = text.lines().count();
    for (i, line) in text.lines().enumerate() {
        let depth = line.bytes().take_while(|it| *it == b'>').count();
        let body = line.get(depth..).unwrap_or_default();
        let body = body.strip_prefix(' ').unwrap_or(body);
        let is_signature = body == "-- ";
        if open == Some(depth) && !is_signature {
            res.push_str(body);
        } else {
            if i > 0 {
                if open.is_some() {
                    res.truncate(res.trim_end_matches(' ').len());
                }
                if open.is_some() || !res.ends_with('\n') || i > 0 {
                    res.push('\n');
                }
            }
            if depth > 0 {
                res.extend(core::iter::repeat_n('>', depth));
                res.push(' ');
            }
            res.push_str(body);
        }
        open = None;
        if body.ends_with(' ') && !is_signature && i + 1 < n_lines {
            if joins_words {
                res.truncate(res.len() - 1);
            }
            open = Some(depth);
        }
    }
    if text.ends_with('\n') {
        res.push('\n');
    }
    res
}

/// A type as it should have been written (PAR-22, PAR-23).
fn repair_type(value: &str, name: Option<&str>) -> String {
    let is_token =
        |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=*".contains(&b));
    let repaired = match value {
        "" => {
            if name.is_some() {
                "application/octet-stream"
            } else {
                "text/plain"
            }
        }
        "text" | "plain" | "text/text" | "plain/text" | "text/ascii" | "txt" | "text/txt" => "text/plain",
        "html" | "text/htm" => "text/html",
        "pdf" | "application/x-pdf" | "text/pdf" | "application/acrobat" => "application/pdf",
        "jpeg" | "jpg" | "image/jpg" | "image/pjpeg" => "image/jpeg",
        "png" | "image/x-png" => "image/png",
        "gif" => "image/gif",
        "zip" | "application/x-zip-compressed" | "application/x-zip" => "application/zip",
        "calendar" => "text/calendar",
        other => match other.split_once('/') {
            Some((kind, sub)) if is_token(kind) && is_token(sub) && kind != "binary" && kind != "unknown" => other,
            _ => "application/octet-stream",
        },
    };
    repaired.to_owned()
}

fn attachment(part: &Part, content_type: &str, declared_name: Option<&str>, bytes: Vec<u8>) -> Attachment {
    let name = declared_name.map(safe_name).filter(|it| !it.is_empty());
    let name = name.unwrap_or_else(|| default_name(content_type, &bytes));
    let cid = part.header("Content-ID").and_then(clean_cid);
    let is_image = content_type.starts_with("image/");
    let inline = is_image && part.disposition.value == "inline";
    Attachment { name, content_type: content_type.to_owned(), sha256: sha256_hex(&bytes), bytes, cid, inline }
}

fn clean_cid(value: &str) -> Option<String> {
    let value: String = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let value = value.trim_matches(['<', '>']);
    if value.is_empty() || value.len() > 500 { None } else { Some(value.to_owned()) }
}

/// A file name without path parts, control and direction characters or reserved characters, at most 200 characters.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|it| !it.trim().is_empty()).unwrap_or_default();
    // `C:report.pdf` names a drive.
    let last = match last.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 && drive.chars().all(|c| c.is_ascii_alphabetic()) => rest,
        _ => last,
    };
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let clean: String = last.chars().filter(|c| !is_bad(*c)).collect();
    let clean = clean.trim().trim_start_matches("..").trim_matches(' ');
    if clean.chars().all(|c| c == '.') {
        return String::new();
    }
    if clean.chars().count() <= 200 {
        return clean.to_owned();
    }
    // Keep the extension of an over-long name.
    let extension = clean.rsplit_once('.').map(|(_, it)| it).filter(|it| it.chars().count() <= 10);
    let n_kept = 200 - extension.map_or(0, |it| it.chars().count() + 1);
    let start: String = clean.chars().take(n_kept).collect();
    extension.map_or_else(|| start.clone(), |it| format!("{start}.{it}"))
}

/// What a file without a name is called.
fn default_name(content_type: &str, bytes: &[u8]) -> String {
    let name = match content_type {
        "message/rfc822" | "message/global" => {
            let head = parse_head(bytes.get(..bytes.len().min(structure::MAX_HEAD)).unwrap_or_default());
            let subject: String =
                head.subject.chars().map(|c| if "/\\:*?\"<>|".contains(c) { '_' } else { c }).take(100).collect();
            let subject = safe_name(&subject);
            return if subject.is_empty() { "message.eml".to_owned() } else { format!("{subject}.eml") };
        }
        "text/calendar" | "application/ics" => "invite.ics",
        "text/vcard" | "text/x-vcard" => "contact.vcf",
        "message/delivery-status" | "message/global-delivery-status" => "delivery-status.txt",
        "message/disposition-notification" => "disposition-notification.txt",
        "message/feedback-report" => "feedback-report.txt",
        "text/rfc822-headers" | "message/global-headers" => "headers.txt",
        "application/pgp-signature" => "signature.asc",
        "application/pgp-encrypted" => "version.asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "winmail.dat",
        "application/pdf" => "attachment.pdf",
        "application/zip" => "attachment.zip",
        "text/plain" => "attachment.txt",
        "text/html" => "attachment.html",
        "text/csv" => "attachment.csv",
        "text/xml" | "application/xml" => "attachment.xml",
        "application/json" => "attachment.json",
        "image/jpeg" => "image.jpg",
        "image/svg+xml" => "image.svg",
        "image/tiff" => "image.tif",
        _ => match content_type.split_once('/') {
            Some(("image", sub)) if sub.len() <= 5 => return format!("image.{sub}"),
            _ => "attachment",
        },
    };
    name.to_owned()
}

/// An invitation comes twice from several calendars: once to show, once to save.
fn drop_twin_invitations(attachments: &mut Vec<Attachment>) {
    let mut seen = HashSet::new();
    attachments.retain(|it| {
        let is_invitation = matches!(it.content_type.as_str(), "text/calendar" | "application/ics");
        !is_invitation || seen.insert(it.sha256.clone())
    });
}

/// Pictures written into the HTML as data URIs become attachments, referenced by `cid:` (PAR-21).
fn extract_data_images(html: &mut String, attachments: &mut Vec<Attachment>) {
    const START: &str = "data:image/";
    if !html.contains(START) {
        return;
    }
    let mut res = String::with_capacity(html.len());
    let mut rest = html.as_str();
    let mut count = 0;
    while let Some(at) = rest.find(START) {
        let (before, uri) = rest.split_at(at);
        res.push_str(before);
        let quote = before.trim_end_matches([' ', '\n']).chars().next_back().filter(|it| *it == '"' || *it == '\'');
        let end = quote.and_then(|it| uri.find(it));
        let decoded = end.and_then(|it| uri.get(..it)).filter(|_| count < MAX_DATA_IMAGES).and_then(decode_data_image);
        let (Some(end), Some((content_type, bytes))) = (end, decoded) else {
            let (skipped, after) = uri.split_at(START.len());
            res.push_str(skipped);
            rest = after;
            continue;
        };
        let sha256 = sha256_hex(&bytes);
        let cid = format!("{}@image.invalid", sha256.get(..32).unwrap_or(&sha256));
        res.push_str("cid:");
        res.push_str(&cid);
        if !attachments.iter().any(|it| it.cid.as_deref() == Some(cid.as_str())) {
            let extension = default_name(&content_type, &[]);
            let extension = extension.rsplit_once('.').map_or("bin", |(_, it)| it);
            let name = format!("image{count}.{extension}");
            count += 1;
            attachments.push(Attachment { name, content_type, bytes, cid: Some(cid), inline: true, sha256 });
        }
        rest = uri.get(end..).unwrap_or_default();
    }
    res.push_str(rest);
    *html = res;
}

fn decode_data_image(uri: &str) -> Option<(String, Vec<u8>)> {
    let (head, data) = uri.strip_prefix("data:")?.split_once(',')?;
    let (content_type, params) = head.split_once(';')?;
    if !params.trim().to_ascii_lowercase().ends_with("base64") || content_type.len() > 60 {
        return None;
    }
    let data = data.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let (bytes, is_clean) = transfer::from_base64(data.as_bytes());
    let content_type = repair_type(&content_type.trim().to_ascii_lowercase(), None);
    if is_clean && !bytes.is_empty() && content_type.starts_with("image/") { Some((content_type, bytes)) } else { None }
}

/// What the HTML shows by `cid:` is inline, whatever its disposition says.
fn mark_inline(html: Option<&str>, attachments: &mut [Attachment]) {
    let Some(html) = html else { return };
    let mut shown = HashSet::new();
    for (at, _) in html.match_indices("cid:").chain(html.match_indices("CID:")) {
        let rest = html.get(at + 4..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>)\\".contains(c)).unwrap_or(rest.len());
        shown.insert(rest.get(..end).unwrap_or_default().replace("%40", "@").replace("&amp;", "&"));
    }
    for attachment in attachments {
        if attachment.cid.as_ref().is_some_and(|it| shown.contains(it)) {
            attachment.inline = true;
        }
    }
}

#[cfg(test)]
mod tests;

//! From the parts of a mail to one body and its files: which form of the words is shown, what is a file.

use super::charset;
use super::files::attachment;
use super::files::drop_twin_invitations;
use super::files::repair_type;
use super::structure::Part;
use super::transfer;
use crate::mail::html;
use crate::mail::inbound::Attachment;
use crate::mail::inbound::ParseIssue;

/// Alternatives within alternatives: each level may copy the body once.
const MAX_ALTERNATIVES: usize = 30;

/// What the parts of a mail add up to.
#[derive(Default)]
pub(super) struct Body {
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) attachments: Vec<Attachment>,
}

/// A stretch of body: the plain and the rich form of the same words, either may be missing.
#[derive(Default, Clone)]
struct Block {
    text: Option<String>,
    html: Option<String>,
}

/// Puts body and attachments together from the leaves upwards; children stand after their parent, so no recursion.
pub(super) fn collect(raw: &[u8], parts: &[Part], issues: &mut Vec<ParseIssue>) -> Body {
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

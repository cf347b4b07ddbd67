//! `.eml` in the browser. mail-parser alone: the page shows and sends a part, the Worker's own reading decides.

use mail_parser::Message;
use mail_parser::MessageParser;
use mail_parser::MimeHeaders;
use mail_parser::decoders::html::html_to_text;

use super::Dropped;
use super::FileInfo;
use super::Format;
use super::one_line;

/// Files that are listed.
const MAX_FILES: usize = 200;
/// Mails within mails that are read.
const MAX_DEPTH: usize = 3;

pub(super) fn read(bytes: &[u8]) -> Option<Dropped> {
    // Some mail programs put a line of the mailbox format before the head.
    let bytes = match bytes.strip_prefix(b"From ") {
        Some(rest) => rest.iter().position(|it| *it == b'\n').and_then(|at| rest.get(at + 1..)).unwrap_or_default(),
        None => bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
    };
    let message = MessageParser::default().parse(bytes)?;
    dropped(&message, 0)
}

fn dropped(message: &Message<'_>, depth: usize) -> Option<Dropped> {
    let fields: Vec<(String, String)> =
        message.headers_raw().map(|(name, value)| (name.to_owned(), one_line(&words(value)))).take(500).collect();
    if !fields.iter().any(|(name, _)| {
        ["from", "received", "date", "subject", "message-id", "to"].contains(&name.to_ascii_lowercase().as_str())
    }) {
        return None;
    }
    let text = match (message.body_text(0), message.body_html(0)) {
        (Some(text), _) => text.into_owned(),
        (None, Some(html)) => html_to_text(&html),
        (None, None) => String::new(),
    };
    let files = message
        .attachments()
        .take(MAX_FILES)
        .map(|it| FileInfo {
            name: it.attachment_name().unwrap_or("").to_owned(),
            kind: it.content_type().map_or_else(
                || "application/octet-stream".to_owned(),
                |c| format!("{}/{}", c.ctype(), c.subtype().unwrap_or("*")),
            ),
            size: it.contents().len(),
        })
        .collect();
    let nested = message.attachments().take(MAX_FILES).filter_map(|it| it.message()).filter(|_| depth < MAX_DEPTH);
    let inner = nested.filter_map(|it| dropped(it, depth + 1)).collect();
    Some(Dropped { format: Format::Eml, fields, has_transport: true, text, files, inner })
}

/// Encoded words of a field, read by giving it to the parser as a subject.
pub(super) fn words(value: &str) -> String {
    if !value.contains("=?") {
        return value.to_owned();
    }
    let folded = one_line(value);
    let probe = format!("Subject: {folded}\r\n\r\n");
    let message = MessageParser::default().parse(probe.as_bytes());
    message.and_then(|it| it.subject().map(str::to_owned)).unwrap_or(folded)
}

/// The fields of a head alone, as Outlook keeps it.
pub(super) fn head(text: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = out.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':')
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_graphic())
        {
            out.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    out.into_iter().map(|(name, value)| (name, one_line(&words(&value)))).take(500).collect()
}

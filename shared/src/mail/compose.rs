//! A mail to send, as bytes. The only file that names `mail_builder`.
//!
//! No field can add a header: control characters become blanks before anything is written, and names of extra headers are
//! checked. Header lines are 7-bit (RFC 2047) but for local parts that only exist in UTF-8; lines end with CRLF and have at
//! most 998 bytes. The same input gives the same bytes.

use base64::Engine as _;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::BodyPart;
use mail_builder::mime::MimePart;

use crate::address::Mailbox;
use crate::mail::html;
use crate::mail::parse::sha256_hex;
use crate::mail::rfc_id::RfcMessageId;
use crate::time::Timestamp;

/// A file to send along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingFile {
    pub name: String,
    /// `type/subtype`; what is none becomes `application/octet-stream`.
    pub content_type: String,
    pub bytes: Vec<u8>,
    /// Set for a picture that the HTML shows by `cid:`; without angle brackets.
    pub cid: Option<String>,
}

/// A header of our own or of a standard that [`Outgoing`] has no field for: `X-Mailroom-*`, `List-Unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHeader {
    name: String,
    value: String,
}

/// Why a header can't be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    #[error("a header name has 1 to 76 letters, digits and hyphens")]
    Name,
    #[error("this header is set from a field of the mail")]
    Reserved,
    #[error("a header value has no line ends or control characters")]
    Value,
    #[error("a header value has at most 4,000 bytes and no word above 900")]
    TooLong,
}

/// Headers that only [`compose`] writes. `Bcc` must never be written at all.
const RESERVED: [&str; 16] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "auto-submitted",
    "resent-bcc",
    "return-path",
    "received",
];

impl ExtraHeader {
    /// Checks a header (RFC 5322 section 2.2).
    ///
    /// # Errors
    /// A name or value that is not legal, or one that belongs to a field.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidHeader> {
        if !(1..=76).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(InvalidHeader::Name);
        }
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) || lower.starts_with("content-") {
            return Err(InvalidHeader::Reserved);
        }
        let value = value.trim();
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(InvalidHeader::Value);
        }
        if value.len() > 4_000 || value.split(' ').any(|it| it.len() > 900) {
            return Err(InvalidHeader::TooLong);
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn value(&self) -> &str {
        &self.value
    }
}

/// `Auto-Submitted` (RFC 3834 section 5): tells other machines not to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoSubmitted {
    /// A machine wrote it on its own: notifications, digests.
    Generated,
    /// A machine answers a mail: refusal notices, receipts.
    Replied,
}

/// Everything a mail says. There is no Bcc: who gets a mail is the envelope's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub from: Mailbox,
    /// When somebody else hands it in (RFC 5322 section 3.6.2).
    pub sender: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    pub subject: String,
    pub date: Timestamp,
    pub message_id: RfcMessageId,
    pub in_reply_to: Option<RfcMessageId>,
    /// Oldest first. At most 20 are written: the first and the last 19.
    pub references: Vec<RfcMessageId>,
    /// Made from the HTML when missing.
    pub text: Option<String>,
    /// Made from the text when missing.
    pub html: Option<String>,
    pub attachments: Vec<OutgoingFile>,
    pub extra_headers: Vec<ExtraHeader>,
    pub auto_submitted: Option<AutoSubmitted>,
}

/// More ancestors help nobody, and long headers are refused by some servers.
const MAX_REFERENCES: usize = 20;
/// Longer ids don't fit a line of 998 bytes with their header name.
const MAX_ID: usize = 900;
/// RFC 5322 section 2.1.1 limits lines, not subjects; nobody shows more.
const MAX_SUBJECT: usize = 800;

/// Writes the mail.
pub fn compose(mail: &Outgoing) -> Vec<u8> {
    let date = mail.date.to_rfc5322();
    let mut builder = MessageBuilder::new().header("Date", raw(&date)).from(address(&mail.from));
    if let Some(sender) = mail.sender.as_ref().filter(|it| it.address != mail.from.address) {
        builder = builder.sender(address(sender));
    }
    if !mail.reply_to.is_empty() {
        builder = builder.reply_to(addresses(&mail.reply_to));
    }
    builder = if !mail.to.is_empty() {
        builder.to(addresses(&mail.to))
    } else if mail.cc.is_empty() {
        builder.header("To", raw("undisclosed-recipients:;"))
    } else {
        builder
    };
    if !mail.cc.is_empty() {
        builder = builder.cc(addresses(&mail.cc));
    }
    builder = builder.subject(subject(&mail.subject));
    builder = builder.message_id(MessageId::new(mail.message_id.bare()));
    if let Some(id) = mail.in_reply_to.as_ref().filter(|it| it.bare().len() <= MAX_ID) {
        builder = builder.in_reply_to(MessageId::new(id.bare()));
    }
    let references = bounded(&mail.references);
    if !references.is_empty() {
        builder = builder.references(MessageId::new_list(references.into_iter()));
    }
    match mail.auto_submitted {
        Some(AutoSubmitted::Generated) => builder = builder.header("Auto-Submitted", raw("auto-generated")),
        Some(AutoSubmitted::Replied) => builder = builder.header("Auto-Submitted", raw("auto-replied")),
        None => {}
    }
    for header in &mail.extra_headers {
        let value: HeaderType<'_> =
            if header.value.is_ascii() { raw(&header.value).into() } else { Text::new(header.value.as_str()).into() };
        builder = builder.header(header.name.as_str(), value);
    }
    let mut res = Vec::new();
    builder.header("MIME-Version", raw("1.0")).body(body(mail)).serialize(&mut res);
    res
}

fn raw(text: &str) -> Raw<'_> {
    Raw::new(text)
}

fn address(mailbox: &Mailbox) -> Address<'static> {
    let name = Mailbox::new(mailbox.name.as_deref(), mailbox.address.clone()).name;
    let name = name.map(|it| it.chars().take(200).collect::<String>());
    Address::new_address(name, mailbox.address.to_smtp())
}

fn addresses(mailboxes: &[Mailbox]) -> Address<'static> {
    Address::new_list(mailboxes.iter().map(address).collect())
}

fn subject(text: &str) -> Text<'static> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SUBJECT).collect();
    Text::new(clean.trim().to_owned())
}

fn bounded(references: &[RfcMessageId]) -> Vec<&str> {
    let usable: Vec<&str> = references.iter().map(RfcMessageId::bare).filter(|it| it.len() <= MAX_ID).collect();
    let n_cut = usable.len().saturating_sub(MAX_REFERENCES);
    usable.into_iter().enumerate().filter(|(i, _)| *i == 0 || *i > n_cut).map(|(_, it)| it).collect()
}

fn body(mail: &Outgoing) -> MimePart<'static> {
    let text = match (&mail.text, &mail.html) {
        (Some(text), _) => text.clone(),
        (None, Some(html)) => html::to_text(html),
        (None, None) => String::new(),
    };
    let html = document(&mail.html.clone().unwrap_or_else(|| html::from_text(&text)));
    let text = with_crlf(&text);
    let html = with_crlf(&html);
    let mut boundaries = boundaries(mail, &[&text, &html]);
    let mut multipart = |kind: &'static str, parts: Vec<MimePart<'static>>| {
        MimePart::new(ContentType::new(kind).attribute("boundary", boundaries.next().unwrap_or_default()), parts)
    };
    let (inline, files): (Vec<_>, Vec<_>) = mail.attachments.iter().partition(|it| it.cid.is_some());
    let mut rich = MimePart::new("text/html", BodyPart::Text(html.into()));
    if !inline.is_empty() {
        let parts = core::iter::once(rich).chain(inline.into_iter().map(file)).collect();
        rich = multipart("multipart/related", parts);
    }
    let plain = MimePart::new("text/plain", BodyPart::Text(text.into()));
    let both = multipart("multipart/alternative", vec![plain, rich]);
    if files.is_empty() {
        return both;
    }
    let parts = core::iter::once(both).chain(files.into_iter().map(file)).collect();
    multipart("multipart/mixed", parts)
}

/// A fragment becomes a document: without a charset in it some clients guess.
fn document(html: &str) -> String {
    let has_root = html.get(..html.len().min(500)).unwrap_or(html).to_ascii_lowercase().contains("<html");
    if has_root {
        return html.to_owned();
    }
    format!("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n{html}\n</body></html>\n")
}

/// Line ends as CRLF, no control characters but tab.
fn with_crlf(text: &str) -> String {
    let mut res = String::with_capacity(text.len() + text.len() / 32);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    res.push_str("\r\n");
                }
            }
            '\n' => res.push_str("\r\n"),
            '\t' => res.push(c),
            _ if c.is_control() => {}
            _ => res.push(c),
        }
    }
    if !res.is_empty() && !res.ends_with('\n') {
        res.push_str("\r\n");
    }
    res
}

/// Boundaries that occur in no part: `=_` can't stand in base 64 or quoted-printable, and no text holds the rest.
fn boundaries<'a>(mail: &'a Outgoing, texts: &[&str]) -> impl Iterator<Item = String> + use<'a> {
    let mut round = 0_u32;
    let seed = loop {
        let hash = sha256_hex(format!("{} {} {round}", mail.message_id, mail.date.as_millis()).as_bytes());
        let seed = format!("=_{}", hash.get(..24).unwrap_or(&hash));
        let is_used = texts.iter().any(|it| it.contains(&seed))
            || mail.attachments.iter().any(|it| it.bytes.windows(seed.len()).any(|window| window == seed.as_bytes()));
        if !is_used {
            break seed;
        }
        round += 1;
    };
    (0..).map(move |n: u32| format!("{seed}_{n}"))
}

/// A file part, byte for byte: always base 64, but for a mail within a mail, which must not be (RFC 2046 section 5.2.1).
fn file(file: &OutgoingFile) -> MimePart<'static> {
    let name = file_name(&file.name);
    let is_mail = file.content_type.eq_ignore_ascii_case("message/rfc822");
    let kind = if is_mail && !is_seven_bit(&file.bytes) {
        "application/octet-stream".to_owned()
    } else {
        content_type(&file.content_type)
    };
    let (encoding, bytes) =
        if kind == "message/rfc822" { ("7bit", file.bytes.clone()) } else { ("base64", to_base64(&file.bytes)) };
    let disposition = if file.cid.is_some() { "inline" } else { "attachment" };
    let mut part =
        MimePart::new(ContentType::new(kind).attribute("name", name.clone()), BodyPart::Binary(bytes.into()))
            .header("Content-Disposition", ContentType::new(disposition).attribute("filename", name))
            .transfer_encoding(encoding);
    if let Some(cid) = &file.cid {
        let clean: String = cid.chars().filter(|c| c.is_ascii_graphic() && !"<>\"".contains(*c)).take(MAX_ID).collect();
        part = part.cid(clean);
    }
    part
}

fn file_name(name: &str) -> String {
    let clean: String = name
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| if c == '/' || c == '\\' { '_' } else { c })
        .take(200)
        .collect();
    if clean.trim().is_empty() { "attachment".to_owned() } else { clean.trim().to_owned() }
}

fn content_type(text: &str) -> String {
    let lower = text.trim().to_ascii_lowercase();
    let is_token = |it: &str| {
        !it.is_empty() && it.len() <= 100 && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    match lower.split_once('/') {
        Some((kind, sub)) if is_token(kind) && is_token(sub) && kind != "multipart" => lower,
        _ => "application/octet-stream".to_owned(),
    }
}

fn is_seven_bit(bytes: &[u8]) -> bool {
    bytes.iter().all(|it| it.is_ascii() && *it != 0)
        && bytes.split(|it| *it == b'\n').all(|it| it.len() <= 990)
        && bytes.windows(2).all(|it| it != b"\n\n" && (it.get(1) != Some(&b'\n') || it.first() == Some(&b'\r')))
}

fn to_base64(bytes: &[u8]) -> Vec<u8> {
    // 57 bytes make a line of 76 (RFC 2045 section 6.8).
    let mut res = String::with_capacity(bytes.len() / 57 * 78 + 80);
    for chunk in bytes.chunks(57) {
        base64::engine::general_purpose::STANDARD.encode_string(chunk, &mut res);
        res.push_str("\r\n");
    }
    res.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::EmailAddress;
    use crate::mail::parse;

    fn mailbox(name: &str, address: &str) -> Mailbox {
        Mailbox::new(Some(name), EmailAddress::parse(address).unwrap())
    }

    fn outgoing() -> Outgoing {
        Outgoing {
            from: mailbox("Bo Holm", "bo@corp.test"),
            sender: None,
            to: vec![mailbox("Ann", "ann@customer.test")],
            cc: Vec::new(),
            reply_to: Vec::new(),
            subject: "Hello".into(),
            date: Timestamp::from_civil(2026, 11, 24, 10, 0, 0),
            message_id: RfcMessageId::parse("<m1@corp.test>").unwrap(),
            in_reply_to: None,
            references: Vec::new(),
            text: Some("Hi Ann,\nall fine.".into()),
            html: None,
            attachments: Vec::new(),
            extra_headers: Vec::new(),
            auto_submitted: None,
        }
    }

    fn check_form(raw: &[u8]) {
        let text = String::from_utf8_lossy(raw);
        assert!(raw.is_ascii(), "{text}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "bare line end in {text:?}");
        assert!(text.split("\r\n").all(|it| it.len() <= 998), "long line");
    }

    #[test]
    fn a_plain_mail_reads_back() {
        let mut mail = outgoing();
        mail.cc = vec![mailbox("Nguyễn, Văn \"An\"", "an@corp.test")];
        mail.reply_to = vec![mailbox("Corp", "reply+token@corp.test")];
        mail.subject =
            "Báo giá số 42 — gửi lại theo yêu cầu của quý khách, xin vui lòng kiểm tra và phản hồi sớm".into();
        mail.in_reply_to = Some(RfcMessageId::parse("<q@customer.test>").unwrap());
        mail.references = (0..30).map(|i| RfcMessageId::parse(&format!("<{i}@corp.test>")).unwrap()).collect();
        mail.extra_headers = vec![ExtraHeader::new("X-Mailroom-Record", "order/42").unwrap()];
        mail.auto_submitted = Some(AutoSubmitted::Generated);
        let raw = compose(&mail);
        check_form(&raw);
        assert_eq!(raw, compose(&mail));
        let read = parse::parse(&raw);
        assert_eq!(read.head.issues, []);
        assert_eq!(read.head.from, [mail.from.clone()]);
        assert_eq!(read.head.cc, mail.cc);
        assert_eq!(read.head.reply_to, mail.reply_to);
        assert_eq!(read.head.subject, mail.subject);
        assert_eq!(read.head.date, Some(mail.date));
        assert_eq!(read.head.message_id.as_ref(), Some(&mail.message_id));
        assert_eq!(read.head.references.len(), 20);
        assert_eq!(read.head.references.first(), mail.references.first());
        assert_eq!(read.head.references.last(), mail.references.last());
        assert_eq!(read.head.first("x-mailroom-record"), Some("order/42"));
        assert_eq!(read.head.first("Auto-Submitted"), Some("auto-generated"));
        assert_eq!(read.text.trim_end(), "Hi Ann,\nall fine.");
        assert!(read.html.unwrap().contains("<p>Hi Ann,<br>"));
    }

    #[test]
    fn files_keep_their_bytes_and_names() {
        let mut mail = outgoing();
        mail.text = None;
        mail.html = Some("<p>Look: <img src=\"cid:pic@corp.test\"></p>".into());
        let all: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        let file = |name: &str, kind: &str, bytes: &[u8], cid: Option<&str>| OutgoingFile {
            name: name.into(),
            content_type: kind.into(),
            bytes: bytes.to_vec(),
            cid: cid.map(Into::into),
        };
        mail.attachments = vec![
            file("Báo giá (bản cuối), 2026.pdf", "application/pdf", &all, None),
            file("notes.txt", "text/plain", b"a\nb\r\nc\rd", None),
            file("a/b.eml", "message/rfc822", b"Subject: x\r\n\r\nbody\r\n", None),
            file("x", "not a type\r\nX: y", b"", None),
            file("pic.png", "image/png", &all, Some("pic@corp.test")),
        ];
        let raw = compose(&mail);
        check_form(&raw);
        let read = parse::parse(&raw);
        assert_eq!(read.text.trim(), "Look:");
        let got: Vec<_> =
            read.attachments.iter().map(|it| (it.name.as_str(), it.content_type.as_str(), it.inline)).collect();
        assert_eq!(
            got,
            [
                ("pic.png", "image/png", true),
                ("Báo giá (bản cuối), 2026.pdf", "application/pdf", false),
                ("notes.txt", "text/plain", false),
                ("a_b.eml", "message/rfc822", false),
                ("x", "application/octet-stream", false),
            ]
        );
        for (i, sent) in [4, 0, 1, 2, 3].into_iter().enumerate() {
            assert_eq!(read.attachments[i].bytes, mail.attachments[sent].bytes, "{i}");
        }
    }

    #[test]
    fn headers_are_checked() {
        for (name, value, why) in [
            ("", "x", InvalidHeader::Name),
            ("X Y", "x", InvalidHeader::Name),
            ("X:", "x", InvalidHeader::Name),
            ("Bcc", "a@b.test", InvalidHeader::Reserved),
            ("content-type", "text/html", InvalidHeader::Reserved),
            ("X-A", "a\r\nBcc: b@c.test", InvalidHeader::Value),
            ("X-A", "a\0b", InvalidHeader::Value),
            ("X-A", " ", InvalidHeader::Value),
        ] {
            assert_eq!(ExtraHeader::new(name, value), Err(why), "{name:?} {value:?}");
        }
        assert_eq!(ExtraHeader::new("X-A", &"a".repeat(901)), Err(InvalidHeader::TooLong));
        assert!(ExtraHeader::new("List-Unsubscribe", "<https://corp.test/u?t=1>").is_ok());
    }

    /// No text in any field adds a header, a line that is too long or a byte above 127.
    #[test]
    fn nothing_can_be_injected() {
        let pieces = [
            "a",
            "\r\n",
            "\n",
            "\r",
            "\0",
            "Bcc: evil@x.test",
            ":",
            " ",
            "\t",
            "é",
            "日本語",
            "=?utf-8?Q?=0D=0ABcc:_x?=",
            "\"",
            "\\",
            "<",
            ">",
            ",",
            ";",
            "\u{2028}",
            "\u{85}",
            "--=_",
            "\r\n\r\n<script>",
            ".",
            "\u{1f600}",
            "Content-Type: text/html",
        ];
        let mut state = 7_u64;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for round in 0..400 {
            let mut nasty = || {
                let n = next(12);
                let mut text: String = (0..n).map(|_| pieces[next(pieces.len())]).collect();
                if round % 20 == 0 {
                    text.push_str(&"x".repeat(next(3_000)));
                }
                text
            };
            let mut mail = outgoing();
            mail.subject = nasty();
            mail.from.name = Some(nasty());
            mail.to = vec![Mailbox { name: Some(nasty()), address: EmailAddress::parse("t@x.test").unwrap() }];
            mail.text = Some(nasty());
            mail.attachments = vec![OutgoingFile {
                name: nasty(),
                content_type: nasty(),
                bytes: nasty().into_bytes(),
                cid: Some(nasty()),
            }];
            mail.extra_headers =
                ExtraHeader::new(&nasty(), &nasty()).into_iter().chain(ExtraHeader::new("X-A", &nasty())).collect();
            let raw = compose(&mail);
            check_form(&raw);
            let read = parse::parse(&raw);
            let names: Vec<_> = read.head.headers.iter().map(|it| it.name.to_ascii_lowercase()).collect();
            assert!(!names.contains(&"bcc".to_owned()), "{}", String::from_utf8_lossy(&raw));
            let n_known = ["date", "from", "to", "subject", "message-id", "mime-version", "content-type"].len();
            assert!(names.len() <= n_known + mail.extra_headers.len(), "{names:?}");
            assert_eq!(read.head.from.len(), 1, "{}", String::from_utf8_lossy(&raw));
            assert_eq!(read.head.to.len(), 1, "{}", String::from_utf8_lossy(&raw));
            assert_eq!(read.attachments.len(), 1);
            assert_eq!(read.attachments[0].bytes, mail.attachments[0].bytes);
        }
    }
}

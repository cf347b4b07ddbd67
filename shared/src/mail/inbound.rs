//! Our own owned model of a mail that came in. Built by [`super::parse`] only.

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::mail::rfc_id::RfcMessageId;
use crate::time::Timestamp;

/// The SMTP envelope of one hand-over (RFC 5321 section 2.3.1). One recipient each: Email Routing calls once per
/// recipient. It decides where the mail goes; the headers only decide which thread it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `None` is the null sender `<>` of reports and automatic mail (RFC 5321 section 4.5.5).
    pub mail_from: Option<EmailAddress>,
    pub rcpt_to: EmailAddress,
}

/// What can be wrong with a mail that is kept all the same. Shown on the message and in the test box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParseIssue {
    /// No usable Message-ID: one was derived from the bytes, so duplicates are still found.
    MissingMessageId,
    /// No From mailbox could be read; the raw text stands in.
    UnreadableFrom,
    MissingFrom,
    /// Missing or unreadable Date: the time of arrival stands in.
    UnreadableDate,
    /// Bytes that are not valid in the declared charset, or an unknown charset.
    UnknownCharset,
    BrokenEncoding,
    /// A multipart without its end, or nested deeper than is read.
    BrokenStructure,
    TooDeep,
    TooManyParts,
    /// Bare NUL or control characters were removed.
    ControlCharacters,
    /// More header bytes than are looked at.
    HeaderTooLong,
    /// The parser gave up: only the source is left.
    Unparsed,
}

/// One header line as it came, for "show original" and for rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawHeader {
    /// As written, for example `X-Original-To`.
    pub name: String,
    /// Unfolded, undecoded except for charset repair, trimmed.
    pub value: String,
}

/// The header section: all that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub subject: String,
    /// All mailboxes of From; the first is the sender (PAR-4).
    pub from: Vec<Mailbox>,
    /// The header text when no mailbox could be read (PAR-5).
    pub from_raw: String,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    /// Delivered-To, Resent-To, Resent-Cc, X-Original-To, Envelope-To, X-Forwarded-To: hints, never decisive.
    pub other_recipients: Vec<EmailAddress>,
    /// `None` when missing or unreadable.
    pub date: Option<Timestamp>,
    /// `None` when missing or unusable.
    pub message_id: Option<RfcMessageId>,
    /// In header order, de-duplicated, at most the last 200 (RFC 5322 section 3.6.4).
    pub references: Vec<RfcMessageId>,
    pub in_reply_to: Vec<RfcMessageId>,
    /// Every header line in order, topmost first, at most 1 000.
    pub headers: Vec<RawHeader>,
    pub issues: Vec<ParseIssue>,
}

impl Head {
    /// The values of all headers of this name, topmost first; the name is compared without case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |it| it.name.eq_ignore_ascii_case(name)).map(|it| it.value.as_str())
    }

    /// The topmost value of a header.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The sender: the first readable From mailbox.
    pub fn sender(&self) -> Option<&Mailbox> {
        self.from.first()
    }
}

/// A file that came with a mail, or that its HTML shows inline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// A safe file name: no path parts, no control characters, never empty, at most 200 characters.
    pub name: String,
    /// Lower case `type/subtype`, repaired (PAR-22, PAR-23).
    pub content_type: String,
    pub bytes: Vec<u8>,
    /// Content-ID without angle brackets.
    pub cid: Option<String>,
    /// Shown inside the body: referenced by `cid:` or marked `inline` as an image.
    pub inline: bool,
    /// SHA-256 of the bytes, lower case hex.
    pub sha256: String,
}

/// A mail read completely. A mail that can't be read at all is still one, with an issue and an empty body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMail {
    pub head: Head,
    /// Plain text of the body: the text part, or made from the HTML.
    pub text: String,
    /// The HTML body as it came (not sanitised), all HTML parts joined (PAR-15, PAR-16). `None` for text mail.
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// Size of the raw mail in bytes.
    pub size: usize,
    /// SHA-256 of the raw mail, lower case hex.
    pub sha256: String,
}

//! One hand-over of one mail, read as far as a decision needs it.

use sha2::Digest;
use sha2::Sha256;

use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::mail::authres;
use crate::mail::automatic;
use crate::mail::automatic::Automatic;
use crate::mail::inbound::Envelope;
use crate::mail::inbound::Head;
use crate::mail::parse;

use super::confirmation;
use super::confirmation::Confirmation;
use super::report;
use super::report::Reported;
use super::verdict::Authenticity;

/// What a decision looks at.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub envelope: Envelope,
    pub head: Head,
    pub authentication: Authenticity,
    pub automatic: Option<Automatic>,
    /// What the provider of a mailbox that forwards to us wants confirmed.
    pub confirmation: Option<Confirmation>,
    /// What it reports about a message of somebody.
    pub report: Option<Reported>,
    /// Of the raw bytes, lower-case hex.
    pub sha256: String,
    /// Of From, Subject, Date and the body: the same for another hand-over of the same mail, whose trace headers differ.
    pub content_sha256: String,
    /// Bytes of the raw mail.
    pub size: usize,
}

impl Arrival {
    /// Reads a hand-over; never fails. `receiving_host` is the only host whose Authentication-Results count.
    pub fn read(envelope: Envelope, raw: &[u8], receiving_host: &str) -> Self {
        let head = parse::parse_head(raw);
        let found = authres::authenticate(&head, receiving_host);
        let authentication = Authenticity {
            spf: found.spf,
            dkim: found.dkim,
            dmarc: found.dmarc,
            from_trusted: head.sender().is_some_and(|it| found.from_trusted(it.address.domain())),
        };
        let automatic = automatic::classify(&head, envelope.mail_from.is_none());
        let report = report::read(raw);
        let confirmation = confirmation::read(&head, raw);
        let content_sha256 = content_hash(&head, raw);
        Self {
            sha256: sha256_hex(&[raw]),
            content_sha256,
            size: raw.len(),
            envelope,
            head,
            authentication,
            automatic,
            confirmation,
            report,
        }
    }

    /// The sender: the first From mailbox (PAR-4).
    pub fn sender(&self) -> Option<&Mailbox> {
        self.head.sender()
    }

    /// Who counts as sender for looking up and counting: From, else the envelope's.
    pub fn sender_address(&self) -> Option<&EmailAddress> {
        self.sender().map(|it| &it.address).or(self.envelope.mail_from.as_ref())
    }

    /// From as a person should see it: name and address, else the raw text, else the envelope sender.
    pub fn author_from(&self) -> String {
        match (self.sender(), &self.envelope.mail_from) {
            (Some(mailbox), _) => mailbox.display(),
            (None, _) if !self.head.from_raw.trim().is_empty() => self.head.from_raw.trim().to_owned(),
            (None, Some(address)) => address.as_str().to_owned(),
            (None, None) => String::new(),
        }
    }

    /// The envelope recipient, then To, Cc and the hints of other headers. Each may come several times.
    pub fn recipients(&self) -> impl Iterator<Item = &EmailAddress> {
        let head = &self.head;
        core::iter::once(&self.envelope.rcpt_to)
            .chain(head.to.iter().chain(&head.cc).map(|it| &it.address))
            .chain(&head.other_recipients)
    }

    /// Whether an address stands in Cc and not in To.
    pub(super) fn is_only_copied(&self, address: &EmailAddress) -> bool {
        let is = |it: &Mailbox| &it.address == address;
        self.head.cc.iter().any(is) && !self.head.to.iter().any(is)
    }
}

fn content_hash(head: &Head, raw: &[u8]) -> String {
    let line = |name| head.first(name).unwrap_or_default().as_bytes();
    sha256_hex(&[line("From"), b"\0", line("Subject"), b"\0", line("Date"), b"\0", body(raw)])
}

/// What follows the first empty line.
fn body(raw: &[u8]) -> &[u8] {
    let lf = raw.windows(2).position(|it| it == b"\n\n").map(|i| i + 2);
    let crlf = raw.windows(4).position(|it| it == b"\r\n\r\n").map(|i| i + 4);
    let start = match (lf, crlf) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b).unwrap_or(raw.len()),
    };
    raw.get(start..).unwrap_or_default()
}

/// Lower-case hex of the SHA-256 of some bytes.
fn sha256_hex(parts: &[&[u8]]) -> String {
    use core::fmt::Write as _;
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut out, byte| {
        // Writing to a String can't fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

//! Mail that mail systems write: delivery reports (RFC 3464), complaints (RFC 5965) and absence notes (RFC 3834).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Header fields of a raw mail, unfolded, and where its body begins.
pub struct Head<'a> {
    pub raw: &'a [u8],
    pub body_at: usize,
}

impl<'a> Head<'a> {
    pub fn of(raw: &'a [u8]) -> Self {
        let mut at = 0;
        for line in raw.split_inclusive(|&it| it == b'\n') {
            at += line.len();
            if matches!(line, b"\n" | b"\r\n") {
                break;
            }
        }
        Self { raw, body_at: at }
    }

    /// The whole header section, including the blank line.
    pub fn section(&self) -> &'a [u8] {
        self.raw.get(..self.body_at).unwrap_or(self.raw)
    }

    /// The line between header and body, empty when the mail has no body at all.
    pub fn blank_line(&self) -> &'a [u8] {
        match self.section().split_inclusive(|&it| it == b'\n').next_back() {
            Some(line) if matches!(line, b"\n" | b"\r\n") => line,
            _ => b"",
        }
    }

    pub fn body(&self) -> &'a [u8] {
        self.raw.get(self.body_at..).unwrap_or_default()
    }

    /// Each field as it stands, with its continuation lines and line ends.
    pub fn fields(&self) -> Vec<&'a [u8]> {
        let section = self.section();
        let mut fields = Vec::new();
        let (mut start, mut at) = (0, 0);
        for line in section.split_inclusive(|&it| it == b'\n') {
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            if !folded && at > start {
                fields.extend(section.get(start..at));
                start = at;
            }
            at += line.len();
        }
        fields.extend(section.get(start..at));
        fields.retain(|it| !matches!(*it, b"\n" | b"\r\n" | b""));
        fields
    }

    /// Value of the first field of that name, unfolded and trimmed.
    pub fn get(&self, name: &str) -> Option<String> {
        self.fields().into_iter().find(|it| is_named(it, name)).map(value)
    }
}

pub fn is_named(field: &[u8], name: &str) -> bool {
    let end = field.iter().position(|&it| it == b':').unwrap_or(0);
    field.get(..end).is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

pub fn value(field: &[u8]) -> String {
    let start = field.iter().position(|&it| it == b':').map_or(0, |it| it + 1);
    let text = String::from_utf8_lossy(field.get(start..).unwrap_or_default()).replace(['\r', '\n'], "");
    text.trim().to_owned()
}

/// The address in `Name <address>`, or the text itself.
pub fn address_of(value: &str) -> &str {
    match (value.rfind('<'), value.rfind('>')) {
        (Some(open), Some(close)) if open < close => value.get(open + 1..close).unwrap_or(value).trim(),
        _ => value.split(',').next().unwrap_or(value).trim(),
    }
}

pub fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// RFC 5322 date of now; HTTP writes the same format with an obsolete zone name.
pub fn now() -> String {
    httpdate::fmt_http_date(SystemTime::now()).replace("GMT", "+0000")
}

/// Unique within and across runs, and short.
pub fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_nanos());
    format!("{nanos:x}{:x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What went wrong for one recipient.
pub struct Failure<'a> {
    pub recipient: &'a str,
    /// `5.1.1`
    pub status: &'a str,
    /// `550 5.1.1 no such user`
    pub diagnostic: &'a str,
}

/// A delivery report from `host` to `to` about the mail `original`.
pub fn delivery_failure(host: &str, to: &str, failures: &[Failure<'_>], original: &[u8]) -> Vec<u8> {
    let id = unique();
    let head = Head::of(original);
    let mut people = String::new();
    let mut groups = String::new();
    for it in failures {
        // Writing to a String does not fail.
        let _ = write!(people, "<{}>: host {host} said:\r\n    {}\r\n\r\n", it.recipient, it.diagnostic);
        let _ = write!(
            groups,
            "Final-Recipient: rfc822; {}\r\nOriginal-Recipient: rfc822;{}\r\nAction: failed\r\nStatus: {}\r\n\
             Remote-MTA: dns; {host}\r\nDiagnostic-Code: smtp; {}\r\n\r\n",
            it.recipient, it.recipient, it.status, it.diagnostic
        );
    }
    let top = format!(
        "Date: {date}\r\nFrom: Mail Delivery System <MAILER-DAEMON@{host}>\r\nTo: {to}\r\nSubject: Undelivered Mail Returned \
         to Sender\r\nMessage-ID: <{id}@{host}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{id}/{host}\"\r\n\r\n\
         This is a MIME-encapsulated message.\r\n\r\n\
         --{id}/{host}\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         This is the mail system at host {host}.\r\n\r\n\
         Your message could not be delivered to the recipients below. Nothing more will be tried.\r\n\r\n{people}\
         --{id}/{host}\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; {host}\r\nArrival-Date: {date}\r\n\r\n{groups}\
         --{id}/{host}\r\nContent-Description: Undelivered Message Headers\r\nContent-Type: text/rfc822-headers\r\n\r\n",
        date = now(),
    );
    let mut mail = top.into_bytes();
    mail.extend_from_slice(head.section());
    mail.extend_from_slice(format!("\r\n--{id}/{host}--\r\n").as_bytes());
    mail
}

/// A spam complaint of `recipient`'s provider `host`, sent to `to`.
pub fn complaint(host: &str, to: &str, sender: &str, recipient: &str, original: &[u8]) -> Vec<u8> {
    let id = unique();
    let head = Head::of(original);
    let subject = head.get("Subject").unwrap_or_default();
    let top = format!(
        "Date: {date}\r\nFrom: Feedback loop <feedback@{host}>\r\nTo: {to}\r\nSubject: FW: {subject}\r\n\
         Message-ID: <{id}@{host}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report;\r\n\tboundary=\"{id}\"\r\n\r\n\
         --{id}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         This is a report about an email that one of our customers marked as spam.\r\n\r\n\
         --{id}\r\nContent-Type: message/feedback-report\r\n\r\n\
         Feedback-Type: abuse\r\nUser-Agent: SinkFeedback/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <{sender}>\r\n\
         Original-Rcpt-To: <{recipient}>\r\nArrival-Date: {date}\r\nSource-IP: 127.0.0.1\r\n\r\n\
         --{id}\r\nContent-Type: message/rfc822\r\n\r\n",
        date = now(),
    );
    let mut mail = top.into_bytes();
    mail.extend_from_slice(original);
    mail.extend_from_slice(format!("\r\n--{id}--\r\n").as_bytes());
    mail
}

/// An absence note of `recipient` about `original`, to `to`.
pub fn out_of_office(recipient: &str, to: &str, original: &[u8]) -> Vec<u8> {
    let id = unique();
    let head = Head::of(original);
    let subject = head.get("Subject").unwrap_or_default();
    let original_id = head.get("Message-ID").unwrap_or_default();
    let references = head.get("References").map(|it| format!("{it} ")).unwrap_or_default();
    format!(
        "Date: {date}\r\nFrom: {recipient}\r\nTo: {to}\r\nSubject: Automatic reply: {subject}\r\n\
         Message-ID: <{id}@{host}>\r\nIn-Reply-To: {original_id}\r\nReferences: {references}{original_id}\r\n\
         Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Thank you for your message. I am out of the office until Monday and will answer then.\r\n",
        date = now(),
        host = domain_of(recipient),
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: Ana <ana@a.test>\r\nSubject: a\r\n  long one\r\nX-Empty:\r\n\r\nbody\r\n";

    #[test]
    fn head_ends_at_the_blank_line_and_unfolds() {
        let head = Head::of(MAIL);
        assert_eq!(head.fields().len(), 3);
        assert_eq!(head.get("subject").as_deref(), Some("a  long one"));
        assert_eq!(head.get("x-empty").as_deref(), Some(""));
        assert_eq!(head.body(), b"body\r\n");
        assert_eq!(Head::of(b"no header end").body(), b"");
    }

    #[test]
    fn address_is_found_with_and_without_a_name() {
        assert_eq!(address_of("Ana <ana@a.test>"), "ana@a.test");
        assert_eq!(address_of("ana@a.test, b@b.test"), "ana@a.test");
        assert_eq!(domain_of("ana@a.test"), "a.test");
    }

    #[test]
    fn a_failure_report_names_the_recipient_and_closes_every_part() {
        let failure = Failure { recipient: "x@sink.test", status: "5.1.1", diagnostic: "550 5.1.1 gone" };
        let report = String::from_utf8(delivery_failure("mx.sink.test", "ana@a.test", &[failure], MAIL)).unwrap();
        assert!(report.contains("Final-Recipient: rfc822; x@sink.test\r\n"));
        assert!(report.contains("Subject: a\r\n  long one\r\n"));
        assert!(report.trim_end().ends_with("--"));
    }
}

//! DKIM signatures (RFC 6376), relaxed/relaxed with RSA-SHA256: what is signed, and the header around the signature. The
//! signature itself is made by whoever has the key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;
use sha2::Sha256;

use crate::time::Timestamp;

/// Signed when present. From is named once more than it occurs, so that nobody can add a second one (section 8.15).
const HEADERS: [&str; 16] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "auto-submitted",
    // RFC 8058 section 4 wants both covered.
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-id",
];

/// A signature to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// `DKIM-Signature: …; b=`, folded, without the signature.
    header: String,
    /// What the key signs.
    pub input: Vec<u8>,
}

impl Unsigned {
    /// The mail with its signature in front.
    pub fn finish(self, signature: &[u8], raw: &[u8]) -> Vec<u8> {
        let mut out = self.header.into_bytes();
        // Blanks in b= don't count, so it may be folded.
        for (i, part) in STANDARD.encode(signature).as_bytes().chunks(72).enumerate() {
            if i > 0 {
                out.extend_from_slice(b"\r\n\t ");
            }
            out.extend_from_slice(part);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(raw);
        out
    }
}

/// Prepares the signature of a mail (RFC 5322, CRLF) in the name of a domain.
pub fn prepare(raw: &[u8], domain: &str, selector: &str, now: Timestamp) -> Unsigned {
    let (head, body) = split(raw);
    let fields = fields(head);
    let mut names = vec!["from"];
    names.extend(HEADERS.iter().filter(|name| fields.iter().any(|(it, _)| it == *name)));
    let hash = STANDARD.encode(Sha256::digest(body_of(body)));
    let header = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain};\r\n\ts={selector}; t={}; q=dns/txt;\r\n\th={};\r\n\tbh={hash};\r\n\tb=",
        now.as_millis() / 1_000,
        names.join(":"),
    );
    let mut input = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for name in &names {
        // The nth naming of a header is its nth occurrence from below; one that does not exist is the empty text.
        let nth = used.iter().filter(|it| *it == name).count();
        used.push(name);
        if let Some((name, value)) = fields.iter().rev().filter(|(it, _)| it == name).nth(nth) {
            input.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
    }
    let (_, own) = header.split_once(':').unwrap_or_default();
    input.extend_from_slice(format!("dkim-signature:{}", relaxed(own.as_bytes())).as_bytes());
    Unsigned { header, input }
}

/// Value of the DNS record with a public key (SubjectPublicKeyInfo, DER).
pub fn record(spki: &[u8]) -> String {
    format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(spki))
}

/// Head and body, without the empty line between.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    match raw.windows(4).position(|it| it == b"\r\n\r\n") {
        Some(at) => (raw.get(..at + 2).unwrap_or_default(), raw.get(at + 4..).unwrap_or_default()),
        None => (raw, &[]),
    }
}

/// Header fields in order: lower-case name, relaxed value.
fn fields(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let mut out: Vec<(String, String)> = Vec::new();
    for line in text.split("\r\n").filter(|it| !it.is_empty()) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = out.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            out.push((name.trim_end().to_ascii_lowercase(), value.to_owned()));
        }
    }
    for (_, value) in &mut out {
        *value = relaxed(value.as_bytes());
    }
    out
}

/// Section 3.4.2: unfolded, blanks joined, none at the ends.
fn relaxed(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value).replace("\r\n", "");
    text.split([' ', '\t']).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Section 3.4.4: blanks joined, none at the ends of lines, no empty lines at the end.
fn body_of(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let at = rest.windows(2).position(|it| it == b"\r\n");
        let (line, tail) = match at {
            Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 2..).unwrap_or_default()),
            None => (rest, &[][..]),
        };
        let mut blank = false;
        for byte in line {
            if matches!(byte, b' ' | b'\t') {
                blank = true;
            } else {
                if blank {
                    out.push(b' ');
                    blank = false;
                }
                out.push(*byte);
            }
        }
        out.extend_from_slice(b"\r\n");
        rest = tail;
    }
    while out.ends_with(b"\r\n\r\n") {
        out.truncate(out.len() - 2);
    }
    if out == b"\r\n" {
        out.clear();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relaxed_as_the_rfc_shows_it() {
        // Section 3.4.5.
        let raw = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (head, body) = split(raw);
        assert_eq!(fields(head), [("a".to_owned(), "X".to_owned()), ("b".to_owned(), "Y Z".to_owned())]);
        assert_eq!(body_of(body), b" C\r\nD E\r\n");
        assert_eq!(body_of(b"\r\n\r\n"), b"");
        assert_eq!(body_of(b"no end"), b"no end\r\n");
        // The hash of nothing, section 3.4.4.
        let empty = STANDARD.encode(Sha256::digest(body_of(b"")));
        assert_eq!(empty, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn from_is_named_once_more_than_it_occurs() {
        let raw = b"From: a@corp.test\r\nTo: b@else.test\r\nSubject: Hi\r\n\r\nHello\r\n";
        let it = prepare(raw, "corp.test", "s1", Timestamp::from_millis(5_000));
        assert!(it.header.contains("h=from:from:to:subject;"), "{}", it.header);
        let input = String::from_utf8(it.input.clone()).unwrap();
        assert!(
            input.starts_with("from:a@corp.test\r\nto:b@else.test\r\nsubject:Hi\r\ndkim-signature:v=1; a=rsa-sha256;"),
            "{input}"
        );
        assert!(input.ends_with("; b="), "{input}");
        let done = String::from_utf8(it.finish(&[0; 256], raw)).unwrap();
        assert!(done.starts_with("DKIM-Signature: ") && done.ends_with("Hello\r\n"));
        assert!(done.lines().all(|it| it.len() < 100), "{done}");
    }
}

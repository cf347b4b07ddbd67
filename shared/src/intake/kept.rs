//! The header lines a refusal keeps: enough to decide again, nothing of the text.

use crate::mail::inbound::Head;

/// Lines that decisions look at and people recognise a mail by.
const NAMES: [&str; 26] = [
    "Authentication-Results",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Resent-To",
    "Delivered-To",
    "X-Original-To",
    "X-Forwarded-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
    "X-Autoreply",
    "X-Autorespond",
    "List-Id",
    "List-Unsubscribe",
    "Feedback-ID",
    "Return-Path",
    crate::policy::HEADER_LOOP,
    crate::policy::HEADER_MESSAGE,
];
/// Longest line and longest head in bytes.
const MAX_LINE: usize = 4 * 1024;
const MAX_HEAD: usize = 24 * 1024;

/// The kept lines, in their order, each ending with CRLF.
pub fn kept_head(head: &Head) -> String {
    let mut out = String::new();
    for it in &head.headers {
        if !NAMES.iter().any(|name| it.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        let value: String = it.value.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        let line = format!("{}: {}\r\n", it.name, cut(&value, MAX_LINE));
        if out.len() + line.len() > MAX_HEAD {
            break;
        }
        out.push_str(&line);
    }
    out
}

/// A mail made of a kept head: what [`crate::gateway::arrival::Arrival::read`] takes.
pub fn mail_of(head: &str) -> Vec<u8> {
    format!("{head}\r\n").into_bytes()
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse::parse_head;

    #[test]
    fn a_kept_head_reads_like_the_mail_and_holds_no_text() {
        let raw = b"Received: by x\r\nAuthentication-Results: mx.test; spf=pass\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@a.test>\r\n\
            To: b@corp.test\r\nSubject: Gr\xC3\xBC\xC3\x9Fe\r\n\tan alle\r\nMessage-ID: <1@a.test>\r\nX-Secret: no\r\n\r\nBody text\r\n";
        let kept = kept_head(&parse_head(raw));
        assert!(!kept.contains("Body") && !kept.contains("X-Secret") && !kept.contains("Received"), "{kept}");
        let (before, after) = (parse_head(raw), parse_head(&mail_of(&kept)));
        assert_eq!(before.subject, after.subject);
        assert_eq!(before.from, after.from);
        assert_eq!(before.message_id, after.message_id);
        assert_eq!(before.first("Authentication-Results"), after.first("Authentication-Results"));
    }
}

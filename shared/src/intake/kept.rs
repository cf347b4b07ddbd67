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
/// The way a mail took is kept too, with bounds of its own: a loop has hundreds of stops, and each writes what it wants.
const WAY: &str = "Received";
const MAX_STOPS: usize = 30;
const MAX_STOP: usize = 512;

/// The kept lines, in their order, each ending with CRLF.
pub fn kept_head(head: &Head) -> String {
    let mut out = String::new();
    let (mut size, mut stops) = (0, 0);
    for it in &head.headers {
        let is_stop = it.name.eq_ignore_ascii_case(WAY);
        if !is_stop && !NAMES.iter().any(|name| it.name.eq_ignore_ascii_case(name)) {
            continue;
        }
        let value: String = it.value.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        if is_stop {
            stops += 1;
            if stops <= MAX_STOPS {
                for text in [it.name.as_str(), ": ", &stop(&value), "\r\n"] {
                    out.push_str(text);
                }
            }
            continue;
        }
        let line = format!("{}: {}\r\n", it.name, cut(&value, MAX_LINE));
        size += line.len();
        if size > MAX_HEAD {
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

/// A long Received line loses its middle: the time stands at its end.
fn stop(value: &str) -> String {
    let time = value.rfind(';').and_then(|at| value.get(at..)).unwrap_or_default();
    if value.len() <= MAX_STOP || time.len() >= MAX_STOP {
        return cut(value, MAX_STOP).to_owned();
    }
    format!("{}{time}", cut(value, MAX_STOP - time.len()))
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
    use crate::mail::inbound::Head;
    use crate::mail::parse::parse_head;
    use crate::received;
    use crate::received::Hop;

    fn hops(head: &Head) -> Vec<Hop> {
        received::hops(head.all("Received"))
    }

    #[test]
    fn a_kept_head_reads_like_the_mail_and_holds_no_text() {
        let raw = b"Received: from a.test by x; Tue, 24 Nov 2026 10:00:00 +0000\r\nAuthentication-Results: mx.test; spf=pass\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@a.test>\r\n\
            To: b@corp.test\r\nSubject: Gr\xC3\xBC\xC3\x9Fe\r\n\tan alle\r\nMessage-ID: <1@a.test>\r\nX-Secret: no\r\n\r\nBody text\r\n";
        let kept = kept_head(&parse_head(raw));
        assert!(!kept.contains("Body") && !kept.contains("X-Secret"), "{kept}");
        let (before, after) = (parse_head(raw), parse_head(&mail_of(&kept)));
        assert_eq!(before.subject, after.subject);
        assert_eq!(before.from, after.from);
        assert_eq!(before.message_id, after.message_id);
        assert_eq!(before.first("Authentication-Results"), after.first("Authentication-Results"));
        assert_eq!(hops(&before), hops(&after));
    }

    #[test]
    fn the_way_of_a_loop_is_kept_within_bounds_and_crowds_nothing_out() {
        let long = "x".repeat(1_000);
        let line = format!("Received: from a.test (helo {long}) by b.test; Tue, 24 Nov 2026 10:00:00 +0000\r\n");
        let raw = format!("{}From: a@a.test\r\nTo: b@corp.test\r\n\r\n", line.repeat(100));
        let kept = kept_head(&parse_head(raw.as_bytes()));
        assert!(kept.len() < 20_000 && kept.ends_with("From: a@a.test\r\nTo: b@corp.test\r\n"), "{}", kept.len());
        let stops = hops(&parse_head(&mail_of(&kept)));
        assert_eq!(stops.len(), MAX_STOPS);
        assert!(stops.iter().all(|it| it.at.is_some() && it.from.as_deref() == Some("a.test")), "{stops:?}");
    }
}

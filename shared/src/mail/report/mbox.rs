//! Mailboxes as files (RFC 4155): several messages behind one another, each with a `From ` line before it.

/// The messages in some bytes: one, unless the bytes begin as an mbox file does.
pub(super) fn split(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_mbox = raw.starts_with(b"From ");
    let mut rest = Some(raw);
    core::iter::from_fn(move || {
        let current = rest.take()?;
        let next = if is_mbox { next_start(current) } else { None };
        let (message, after) = current.split_at_checked(next.unwrap_or(current.len()))?;
        rest = Some(after).filter(|it| !it.is_empty());
        Some(message)
    })
}

/// Where the next message begins: a line `From who when` with a header line behind it, for a quoted or written `From ` has none.
fn next_start(raw: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = raw.get(at..)?.windows(6).position(|it| it == b"\nFrom ") {
        let start = at + found + 1;
        let mut lines = raw.get(start..)?.split(|it| *it == b'\n');
        let words = lines.next().unwrap_or_default().split(|it| *it == b' ').filter(|it| !it.is_empty()).count();
        let header = lines.next().unwrap_or_default();
        let name = header.split(|it| *it == b':').next().unwrap_or_default();
        let is_header = name.len() < header.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        if is_header && (6..=10).contains(&words) {
            return Some(start);
        }
        at = start;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_file() {
        let check = |raw: &str, n: usize| {
            assert_eq!(split(raw.as_bytes()).count(), n, "{raw}");
            assert_eq!(split(raw.as_bytes()).collect::<Vec<_>>().concat(), raw.as_bytes());
        };
        let one = "From MAILER-DAEMON  Thu Jul  2 12:05:05 2020\nSubject: x\n\nFrom now on it is different: you see\n";
        check(one, 1);
        check(&one.repeat(3), 3);
        check(&format!("Subject: y\n\n{one}"), 1);
        check("", 1);
    }
}

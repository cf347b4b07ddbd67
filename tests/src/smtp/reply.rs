//! One SMTP reply, which may take several lines.

/// RFC 5321 section 4.5.3.1.5 allows 512 octets for a reply line; this leaves room for the code, the status and CRLF.
const MAX_TEXT: usize = 480;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// Enhanced status code (RFC 3463), absent where none exists (greeting, 354).
    pub status: Option<String>,
    pub text: String,
    /// The server hangs up after this reply, as a 421 asks for.
    pub closes: bool,
}

impl Reply {
    pub fn new(code: u16, status: &str, text: impl Into<String>) -> Self {
        Self { code, status: Some(status.to_owned()), text: text.into(), closes: code == 421 }
    }

    pub fn plain(code: u16, text: impl Into<String>) -> Self {
        Self { code, status: None, text: text.into(), closes: false }
    }

    #[must_use]
    pub fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// `utf8`: the peer asked for SMTPUTF8, so the text may hold more than ASCII (RFC 6531 section 3.7.4).
    pub fn write_to(&self, out: &mut Vec<u8>, utf8: bool) {
        let lines = wrap(&self.text, utf8);
        let last = lines.len().saturating_sub(1);
        for (n, line) in lines.iter().enumerate() {
            let separator = if n == last { ' ' } else { '-' };
            let status = self.status.as_deref().map(|it| format!("{it} ")).unwrap_or_default();
            out.extend_from_slice(format!("{}{separator}{status}{line}\r\n", self.code).as_bytes());
        }
    }
}

/// Lines of at most `MAX_TEXT` octets without control characters; a reason may come from a mail and must not forge a line.
fn wrap(text: &str, utf8: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let word: String = word.chars().map(|c| shown(c, utf8)).collect();
            if !line.is_empty() && line.len() + 1 + word.len() > MAX_TEXT {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            for c in word.chars() {
                if line.len() + c.len_utf8() > MAX_TEXT {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn shown(c: char, utf8: bool) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '?',
        c if !utf8 && !c.is_ascii() => '?',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: &Reply, utf8: bool, expect: &str) {
        let mut out = Vec::new();
        reply.write_to(&mut out, utf8);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn one_line_carries_code_and_status() {
        check(&Reply::new(550, "5.1.1", "No such user"), false, "550 5.1.1 No such user\r\n");
        check(&Reply::plain(354, "Go on"), false, "354 Go on\r\n");
    }

    #[test]
    fn several_lines_repeat_the_code() {
        check(&Reply::new(451, "4.7.1", "Wait\nTry later"), false, "451-4.7.1 Wait\r\n451 4.7.1 Try later\r\n");
    }

    #[test]
    fn a_reason_cannot_forge_a_line() {
        check(&Reply::new(550, "5.1.1", "a\r250 ok\u{7}"), false, "550 5.1.1 a?250 ok?\r\n");
    }

    #[test]
    fn text_beyond_ascii_needs_smtputf8() {
        check(&Reply::new(550, "5.1.1", "Grüße"), false, "550 5.1.1 Gr??e\r\n");
        check(&Reply::new(550, "5.1.1", "Grüße"), true, "550 5.1.1 Grüße\r\n");
    }

    #[test]
    fn no_line_is_longer_than_the_rfc_allows() {
        let mut out = Vec::new();
        Reply::new(550, "5.1.1", format!("{} {}", "x".repeat(900), "word ".repeat(300))).write_to(&mut out, true);
        assert!(String::from_utf8(out).unwrap().split_inclusive("\r\n").all(|line| line.len() <= 512));
    }
}

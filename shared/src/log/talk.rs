//! What was said to a server and what it answered: written down from the bytes that pass, without secrets and bodies.

use std::collections::VecDeque;

use crate::time::Timestamp;

/// Characters of a reply that are kept.
const MAX_REPLY: usize = 300;
/// Steps of one hand-over that are kept.
const MAX_STEPS: usize = 24;

/// One step: a command (empty for the greeting) and its answer. On the wire `[milliseconds, command, answer]`.
pub type Step = (Timestamp, String, String);

/// Listens to a connection.
#[derive(Debug, Default)]
pub struct Listener {
    steps: Vec<Step>,
    /// Commands whose answers are to come; several when they were sent together (RFC 2920).
    said: VecDeque<String>,
    line: Vec<u8>,
    reply: String,
    /// The server waits for the mail, and so many bytes of it went out.
    data: Option<usize>,
    /// The server asked for a part of a login.
    is_login: bool,
}

impl Listener {
    /// Bytes that go to the server.
    pub fn said(&mut self, bytes: &[u8]) {
        if let Some(sent) = &mut self.data {
            *sent += bytes.len();
            if bytes.ends_with(b"\r\n.\r\n") || bytes == b".\r\n" {
                self.said.push_back(format!("({sent} bytes)"));
                self.data = None;
            }
            return;
        }
        if self.is_login {
            self.said.push_back("***".to_owned());
            return;
        }
        for line in bytes.split(|b| *b == b'\r' || *b == b'\n').filter(|it| !it.is_empty()).take(MAX_STEPS) {
            let line = String::from_utf8_lossy(line);
            let mut words = line.split(' ');
            self.said.push_back(match (words.next().unwrap_or_default(), words.next()) {
                (verb, Some(how)) if verb.eq_ignore_ascii_case("AUTH") => format!("AUTH {how} ***"),
                _ => line.chars().take(MAX_REPLY).collect(),
            });
        }
    }

    /// Bytes that came from the server, read at a time.
    pub fn heard(&mut self, bytes: &[u8], at: Timestamp) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_of_line(at),
                b'\r' => {}
                _ if self.line.len() < 2_000 => self.line.push(*byte),
                _ => {}
            }
        }
    }

    fn end_of_line(&mut self, at: Timestamp) {
        let line = String::from_utf8_lossy(&core::mem::take(&mut self.line)).into_owned();
        let is_last = line.as_bytes().get(3).is_none_or(|it| *it != b'-');
        // `250-2.1.0 one`, `250 2.1.0 two`: the code once, then the words.
        let words = if self.reply.is_empty() { line.as_str() } else { line.get(4..).unwrap_or_default() };
        if !self.reply.is_empty() {
            self.reply.push(' ');
        }
        self.reply.push_str(words);
        if !is_last {
            return;
        }
        let reply = core::mem::take(&mut self.reply);
        let said = self.said.pop_front().unwrap_or_default();
        self.is_login = reply.starts_with("334");
        if reply.starts_with("354") {
            self.data = Some(0);
        }
        // What a login asks is of no interest to anybody.
        if !self.is_login && self.steps.len() < MAX_STEPS {
            self.steps.push((at, said, reply.chars().take(MAX_REPLY).collect()));
        }
    }

    /// A new connection: what was half said on the one before is forgotten, its steps stay.
    pub fn begin(&mut self) {
        *self = Self { steps: core::mem::take(&mut self.steps), ..Self::default() };
    }

    /// What was said since the last call.
    pub fn take(&mut self) -> Vec<Step> {
        core::mem::take(&mut self.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_answers_without_secrets_and_bodies() {
        let mut it = Listener::default();
        let at = Timestamp::from_millis(7);
        let talk: [(&[u8], &[u8]); 8] = [
            (b"", b"220 mx.sink.test ready\r\n"),
            (b"EHLO us.test\r\n", b"250-mx.sink.test\r\n250-SIZE 10\r\n250 AUTH PLAIN LOGIN\r\n"),
            (b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"),
            (b"c2VjcmV0\r\n", b"235 2.7.0 ok\r\n"),
            (b"MAIL FROM:<a@us.test>\r\n", b"250 2.1.0 ok\r\n"),
            (b"RCPT TO:<b@sink.test>\r\n", b"250 2.1.5 Recip"),
            (b"DATA\r\n", b"354 go on\r\n"),
            (b"Subject: very secret\r\n\r\nbody\r\n.\r\n", b"250 2.0.0 queued as 1\r\n"),
        ];
        for (said, heard) in talk {
            if !said.is_empty() {
                it.said(said);
            }
            it.heard(heard, at);
            if heard.ends_with(b"Recip") {
                it.heard(b"ient ok\r\n", at);
            }
        }
        let steps: Vec<String> = it.take().into_iter().map(|(_, said, answer)| format!("{said} > {answer}")).collect();
        assert_eq!(
            steps,
            [
                " > 220 mx.sink.test ready",
                "EHLO us.test > 250-mx.sink.test SIZE 10 AUTH PLAIN LOGIN",
                "*** > 235 2.7.0 ok",
                "MAIL FROM:<a@us.test> > 250 2.1.0 ok",
                "RCPT TO:<b@sink.test> > 250 2.1.5 Recipient ok",
                "DATA > 354 go on",
                "(33 bytes) > 250 2.0.0 queued as 1",
            ]
        );
        assert!(it.take().is_empty());
        // Sent together, answered one by one.
        it.said(b"MAIL FROM:<a@us.test>\r\nRCPT TO:<b@sink.test>\r\nDATA\r\n");
        it.heard(b"250 one\r\n550 two\r\n503 three\r\n", at);
        let steps: Vec<String> = it.take().into_iter().map(|(_, said, answer)| format!("{said} > {answer}")).collect();
        assert_eq!(steps, ["MAIL FROM:<a@us.test> > 250 one", "RCPT TO:<b@sink.test> > 550 two", "DATA > 503 three"]);
    }
}

//! A mail that somebody drops into the page: read in the browser, shown as a trace, packed for support without its secrets.
//!
//! `.eml` is RFC 5322; `.msg` is Outlook's compound file. Both become a [`Dropped`]. Reading never fails on odd content:
//! what can't be read is missing in the result.

pub mod bundle;
mod eml;
mod msg;
mod rtf;
#[cfg(test)]
mod tests;

use crate::received;
use crate::received::Hop;
use crate::way::Stop;

/// How the mail was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Eml,
    Msg,
}

/// A file in a mail; its bytes stay where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    pub name: String,
    pub kind: String,
    pub size: usize,
}

/// A mail as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    pub format: Format,
    /// Header fields in order, unfolded and decoded; made from properties when Outlook kept none.
    pub fields: Vec<(String, String)>,
    /// The fields are as they came, not made from properties.
    pub has_transport: bool,
    pub text: String,
    pub files: Vec<FileInfo>,
    /// Mails that are attached to it, which are often the ones that were meant.
    pub inner: Vec<Dropped>,
}

/// Why nothing can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No header field in it.
    NoMail,
    /// A compound file that is no message, or damaged.
    NoMessage,
}

impl Trouble {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoMail => "no_mail",
            Self::NoMessage => "no_message",
        }
    }
}

/// First bytes of every compound file.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Reads a dropped file, whatever its name.
pub fn read(bytes: &[u8]) -> Result<Dropped, Trouble> {
    if bytes.starts_with(&COMPOUND) {
        msg::read(bytes).ok_or(Trouble::NoMessage)
    } else {
        eml::read(bytes).ok_or(Trouble::NoMail)
    }
}

impl Dropped {
    /// The first field of a name.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Message-IDs of the mail and of those it answers, without brackets, its own first.
    pub fn ids(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for name in ["message-id", "in-reply-to", "references"] {
            for id in self.field(name).split(['<', '>', ' ', '\t', ',']).filter(|it| it.contains('@')) {
                if !out.iter().any(|it| it == id) {
                    out.push(id.to_owned());
                }
            }
        }
        out.truncate(20);
        out
    }

    /// Envelope sender, as the last host noted it.
    pub fn envelope_from(&self) -> String {
        ["return-path", "x-envelope-from", "envelope-from"]
            .iter()
            .map(|it| self.field(it).trim_matches(['<', '>', ' ']).to_owned())
            .find(|it| !it.is_empty())
            .unwrap_or_default()
    }

    /// Envelope recipient, as a host noted it, else what `for` in a Received field says.
    pub fn envelope_to(&self) -> String {
        ["delivered-to", "x-original-to", "envelope-to", "x-forwarded-to", "x-envelope-to"]
            .iter()
            .map(|it| self.field(it).trim_matches(['<', '>', ' ']).to_owned())
            .find(|it| it.contains('@'))
            .or_else(|| self.hops().iter().rev().find_map(|it| it.recipient.clone()))
            .unwrap_or_default()
    }

    /// Way of the mail, the first host first.
    pub fn hops(&self) -> Vec<Hop> {
        received::hops(self.all("received"))
    }

    /// The same as stretches that can be drawn, from who wrote it.
    pub fn way(&self) -> Vec<Stop> {
        received::way(&self.hops(), received::date::parse_date(self.field("date")), None, "")
    }

    /// What receiving hosts said: host, method, result, and the rest of the sentence.
    pub fn authentication(&self) -> Vec<(String, String, String, String)> {
        let mut out = Vec::new();
        for value in self.all("authentication-results").take(10) {
            let mut parts = value.split(';');
            let host = parts.next().unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned();
            for part in parts {
                let part = part.trim();
                let Some((method, rest)) = part.split_once('=') else { continue };
                let result: String = rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
                let more = rest.get(result.len()..).unwrap_or_default().trim();
                let method = method.trim().to_ascii_lowercase();
                if ["spf", "dkim", "dmarc", "arc"].contains(&method.as_str()) && !result.is_empty() {
                    out.push((host.clone(), method, result.to_ascii_lowercase(), more.to_owned()));
                }
            }
        }
        out
    }

    /// Lists and forwarders that passed it on leave such fields.
    pub fn is_forwarded(&self) -> bool {
        let names = ["x-forwarded-for", "x-forwarded-to", "resent-from", "x-ms-exchange-inbox-rules-loop", "x-gm-fwd"];
        names.iter().any(|it| !self.field(it).is_empty())
    }

    pub fn is_reply(&self) -> bool {
        !self.field("in-reply-to").is_empty() || !self.field("references").is_empty()
    }

    /// The mail as text: head, text, and names of files instead of their bytes.
    pub fn as_text(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.fields {
            let is_form = ["content-type", "content-transfer-encoding", "mime-version"];
            if !is_form.iter().any(|it| name.eq_ignore_ascii_case(it)) {
                out.extend([name, ": ", value, "\r\n"]);
            }
        }
        out.push_str(
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        );
        out.push_str(&self.text.replace("\r\n", "\n").replace('\n', "\r\n"));
        for file in &self.files {
            let line = format!("\r\n[{} · {} · {} B]", file.name, file.kind, file.size);
            out.push_str(&line);
        }
        out.push_str("\r\n");
        out
    }
}

/// A value on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

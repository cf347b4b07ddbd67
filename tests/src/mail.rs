//! Test mails: built, sent by a real SMTP client, or posted straight to the Worker.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

use crate::report::unique;

/// A mail to build. Only what is set is written; Date and Message-ID are always there.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    from: (String, String),
    to: Vec<String>,
    subject: String,
    text: String,
    html: Option<String>,
    headers: Vec<(String, String)>,
    attachments: Vec<(String, String, Vec<u8>)>,
    /// Type, name, content id, bytes.
    inline: Vec<(String, String, String, Vec<u8>)>,
    message_id: Option<String>,
    /// Seconds since 1970, now when absent.
    date: Option<u64>,
}

impl Mail {
    /// `from` is `address` or `Name <address>`.
    pub fn new(from: &str, to: &str, subject: &str, text: &str) -> Self {
        let (name, address) = mailbox(from);
        Self {
            from: (name.to_owned(), address.to_owned()),
            to: vec![to.to_owned()],
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn html(mut self, html: &str) -> Self {
        self.html = Some(html.to_owned());
        self
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without angle brackets.
    #[must_use]
    pub fn message_id(mut self, id: &str) -> Self {
        self.message_id = Some(id.to_owned());
        self
    }

    #[must_use]
    pub fn reply_to(self, message_id: &str) -> Self {
        let id = format!("<{}>", message_id.trim_matches(['<', '>']));
        self.header("In-Reply-To", &id).header("References", &id)
    }

    #[must_use]
    pub fn to(mut self, to: &str) -> Self {
        self.to = vec![to.to_owned()];
        self
    }

    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// In seconds since 1970.
    #[must_use]
    pub fn date(mut self, date: u64) -> Self {
        self.date = Some(date);
        self
    }

    /// A picture that the HTML shows as `cid:…`.
    #[must_use]
    pub fn inline(mut self, kind: &str, name: &str, cid: &str, bytes: &[u8]) -> Self {
        self.inline.push((kind.to_owned(), name.to_owned(), cid.to_owned(), bytes.to_owned()));
        self
    }

    #[must_use]
    pub fn attach(mut self, kind: &str, name: &str, bytes: &[u8]) -> Self {
        self.attachments.push((kind.to_owned(), name.to_owned(), bytes.to_owned()));
        self
    }

    pub fn raw(&self) -> Result<Vec<u8>> {
        let domain = crate::report::domain_of(&self.from.1);
        let id = self.message_id.clone().unwrap_or_else(|| format!("{}@{domain}", unique()));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let from = (self.from.0.as_str(), self.from.1.as_str());
        let mut mail = MessageBuilder::new()
            .message_id(id)
            .date(i64::try_from(self.date.unwrap_or(now.as_secs()))?)
            .to(self.to.iter().map(|it| mailbox(it)).collect::<Vec<_>>())
            .subject(self.subject.as_str())
            .text_body(self.text.as_str());
        mail = if from.0.is_empty() { mail.from(from.1) } else { mail.from(from) };
        if let Some(html) = &self.html {
            mail = mail.html_body(html.as_str());
        }
        for (name, value) in &self.headers {
            mail = mail.header(name.as_str(), Raw::new(value.as_str()));
        }
        for (kind, name, cid, bytes) in &self.inline {
            let kind = format!("{kind}; name=\"{name}\"");
            mail = mail.inline(kind, cid.as_str(), bytes.as_slice());
        }
        for (kind, name, bytes) in &self.attachments {
            mail = mail.attachment(kind.as_str(), name.as_str(), bytes.as_slice());
        }
        mail.write_to_vec().context("the mail could not be written")
    }
}

/// Name, perhaps empty, and address of `address` or `Name <address>`.
fn mailbox(text: &str) -> (&str, &str) {
    let name = text.split('<').next().filter(|_| text.contains('<')).unwrap_or_default();
    (name.trim().trim_matches('"'), crate::report::address_of(text))
}

/// What swaks, a real SMTP client, was told.
#[derive(Debug)]
pub struct SwaksResult {
    pub accepted: bool,
    /// The dialogue, for assertions and for people.
    pub transcript: String,
}

/// Sends `raw` with swaks. `extra` are more options, such as `--tls`.
pub fn swaks(server: SocketAddr, from: &str, to: &str, raw: &[u8], extra: &[&str]) -> Result<SwaksResult> {
    let file = std::env::temp_dir().join(format!("mailroom-swaks-{}.eml", unique()));
    // swaks escapes a leading dot by itself, and takes the file as it stands.
    fs::write(&file, raw)?;
    let output = Command::new("swaks")
        .args(["--server", &server.ip().to_string(), "--port", &server.port().to_string()])
        .args(["--helo", "client.test", "--from", from, "--to", to, "--data"])
        .arg(format!("@{}", file.display()))
        .args(extra)
        .output();
    let _ = fs::remove_file(&file);
    let output =
        output.context("swaks does not start; `cargo xtask setup --tests` installs it (Debian package swaks)")?;
    let transcript = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok(SwaksResult { accepted: output.status.success(), transcript })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_mail_holds_what_was_asked_for() {
        let mail = Mail::new("Ana Ruiz <ana@a.test>", "sales@b.test", "Grüße", "Hi")
            .message_id("1@a.test")
            .reply_to("0@b.test")
            .attach("application/pdf", "offer.pdf", b"%PDF");
        let raw = String::from_utf8(mail.raw().unwrap()).unwrap();
        for it in ["<ana@a.test>", "Message-ID: <1@a.test>", "In-Reply-To: <0@b.test>", "offer.pdf", "multipart/mixed"]
        {
            assert!(raw.contains(it), "{it} is not in\n{raw}");
        }
    }
}

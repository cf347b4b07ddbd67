//! Sending by SMTP: what the sink answers with, and what tests and the demonstration send.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use lettre::address::Envelope;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::extension::ClientId;

/// Sends one mail over its own connection. `from` empty is the null sender. `Err` holds the server's reply.
pub fn send(server: SocketAddr, from: &str, to: &[&str], raw: &[u8]) -> Result<()> {
    let mut connection = Connection::open(server)?;
    connection.send(from, to, raw)?;
    connection.quit();
    Ok(())
}

/// A connection that carries several mails.
pub struct Connection {
    inner: SmtpConnection,
}

impl Connection {
    pub fn open(server: SocketAddr) -> Result<Self> {
        let hello = ClientId::Domain("mail.sink.test".to_owned());
        let inner = SmtpConnection::connect(server, Some(Duration::from_mins(1)), &hello, None, None)
            .with_context(|| format!("no SMTP server answers on {server}"))?;
        Ok(Self { inner })
    }

    pub fn send(&mut self, from: &str, to: &[&str], raw: &[u8]) -> Result<()> {
        let from =
            if from.is_empty() { None } else { Some(from.parse().with_context(|| format!("bad sender {from}"))?) };
        let to = to
            .iter()
            .map(|it| it.parse().with_context(|| format!("bad recipient {it}")))
            .collect::<Result<Vec<_>>>()?;
        let envelope = Envelope::new(from, to)?;
        // The client ends every mail with CRLF and a dot; a mail that has its last line end must not get another.
        self.inner.send(&envelope, raw.strip_suffix(b"\r\n").unwrap_or(raw))?;
        Ok(())
    }

    pub fn quit(mut self) {
        let _ = self.inner.quit();
    }
}

//! SMTP over Worker sockets (RFC 5321, 3207, 4954): `wasm-smtp` speaks the protocol, this file knows how far a
//! hand-over came when a connection dies.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::Either;
use futures::future::select;
use wasm_smtp::IoError;
use wasm_smtp::SmtpClient;
use wasm_smtp::SmtpError;
use wasm_smtp::StartTlsCapable;
use wasm_smtp::Transport;
use wasm_smtp_cloudflare::CloudflareTransport;
use worker::SecureTransport;
use worker::Socket;

use crate::ports::Envelope;
use crate::ports::MailSession;
use crate::ports::Security;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;

/// RFC 5321 section 4.5.3.2 asks for minutes; an invocation has fifteen in all, and a retry costs little.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const SEND_TIMEOUT: Duration = Duration::from_mins(2);

/// A transport that remembers whether the end of the data went out.
struct Watched {
    inner: CloudflareTransport,
    data_ended: Rc<Cell<bool>>,
}

impl Transport for Watched {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, IoError> {
        self.inner.read(buf).await
    }

    async fn write_all(&mut self, buf: &[u8]) -> Result<(), IoError> {
        // Set before the write: bytes that we believe lost may have arrived.
        if buf.ends_with(b"\r\n.\r\n") {
            self.data_ended.set(true);
        }
        self.inner.write_all(buf).await
    }

    async fn close(&mut self) -> Result<(), IoError> {
        self.inner.close().await
    }
}

impl StartTlsCapable for Watched {
    async fn upgrade_to_tls(&mut self) -> Result<(), IoError> {
        self.inner.upgrade_to_tls().await
    }
}

pub(super) struct SmtpSession {
    server: ServerAccess,
    is_dev: bool,
    client: Option<SmtpClient<Watched>>,
    data_ended: Rc<Cell<bool>>,
}

async fn within<T>(
    limit: Duration,
    what: &str,
    future: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, SmtpError> {
    match select(Box::pin(future), Box::pin(worker::Delay::from(limit))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(SmtpError::Io(IoError::new(format!("no answer to {what} in {} s", limit.as_secs())))),
    }
}

impl SmtpSession {
    pub(super) fn new(server: ServerAccess, is_dev: bool) -> Self {
        Self { server, is_dev, client: None, data_ended: Rc::default() }
    }

    async fn connect(&self) -> Result<SmtpClient<Watched>, SmtpError> {
        let secure = match self.server.security {
            Security::None => SecureTransport::Off,
            Security::StartTls => SecureTransport::StartTls,
            Security::Tls => SecureTransport::On,
        };
        let socket = Socket::builder()
            .secure_transport(secure)
            .connect(self.server.host.clone(), self.server.port)
            .map_err(|e| SmtpError::Io(IoError::new(e.to_string())))?;
        let transport =
            Watched { inner: CloudflareTransport::from_socket(socket), data_ended: Rc::clone(&self.data_ended) };
        let mut client = match self.server.security {
            Security::StartTls => SmtpClient::connect_starttls(transport, &self.server.ehlo).await?,
            Security::None | Security::Tls => SmtpClient::connect(transport, &self.server.ehlo).await?,
        };
        if !self.server.username.is_empty() {
            client.login(&self.server.username, &self.server.password).await?;
        }
        Ok(client)
    }

    async fn exchange(&mut self, envelope: &Envelope) -> Result<(u16, String), SmtpError> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => within(CONNECT_TIMEOUT, "the connection", self.connect()).await?,
        };
        let to = [envelope.rcpt_to.as_str()];
        let sent =
            within(SEND_TIMEOUT, "the mail", client.send_mail_bytes(&envelope.mail_from, &to, &envelope.raw)).await?;
        // Only a session in a known state is used again.
        self.client = Some(client);
        Ok((sent.code, sent.server_message))
    }
}

#[async_trait(?Send)]
impl MailSession for SmtpSession {
    async fn send(&mut self, envelope: &Envelope) -> SendOutcome {
        if !self.is_dev && (self.server.port == 25 || is_private(&self.server.host)) {
            let text = "E_FORBIDDEN_SERVER port 25, loopback and private addresses can't be reached from Cloudflare";
            return SendOutcome::Refused { code: 0, text: text.to_owned() };
        }
        self.data_ended.set(false);
        let reused = self.client.is_some();
        let mut result = self.exchange(envelope).await;
        // A kept connection may have been closed meanwhile; before the data that costs nothing but a new one.
        if reused && !self.data_ended.get() && result.as_ref().is_err_and(is_connection_error) {
            result = self.exchange(envelope).await;
        }
        match result {
            Ok((code, text)) => SendOutcome::Accepted { text: format!("{code} {text}"), provider_id: None },
            Err(error) => outcome(&error, self.data_ended.get()),
        }
    }

    async fn close(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = within(Duration::from_secs(5), "QUIT", client.quit()).await;
        }
    }
}

fn is_connection_error(error: &SmtpError) -> bool {
    use wasm_smtp::ProtocolError as P;
    matches!(error, SmtpError::Io(_) | SmtpError::Protocol(P::UnexpectedClose | P::UnexpectedCode { actual: 421, .. }))
}

fn outcome(error: &SmtpError, data_ended: bool) -> SendOutcome {
    use wasm_smtp::ProtocolError as P;
    match error {
        SmtpError::Protocol(P::UnexpectedCode { actual, message, .. }) => {
            SendOutcome::Refused { code: *actual, text: message.clone() }
        }
        SmtpError::Auth(auth) => SendOutcome::Refused { code: 535, text: auth.to_string() },
        SmtpError::InvalidInput(input) => SendOutcome::Refused { code: 553, text: format!("5.1.3 {input}") },
        _ if data_ended => SendOutcome::Lost { text: error.to_string() },
        _ => SendOutcome::Refused { code: 0, text: error.to_string() },
    }
}

/// Loopback, private and link-local names and addresses; the platform refuses most of them, we say why.
fn is_private(host: &str) -> bool {
    let name = host.trim_matches(['[', ']']).to_ascii_lowercase();
    match name.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => {
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(std::net::IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unspecified() || (ip.segments()[0] & 0xfe00) == 0xfc00
        }
        Err(_) => matches!(name.rsplit('.').next(), Some("localhost" | "local")),
    }
}

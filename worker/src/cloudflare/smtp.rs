//! SMTP over Worker sockets (RFC 5321, 3207, 4954): `wasm-smtp` speaks the protocol, this file knows how far a
//! hand-over came when a connection dies.

use std::cell::Cell;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::Either;
use futures::future::select;
use mailroom_shared::api::servers::Auth;
use mailroom_shared::api::servers::Security;
use mailroom_shared::log::talk::Listener;
use mailroom_shared::log::talk::Step;
use mailroom_shared::outbox::choice::is_private_host;
use mailroom_shared::outbox::health;
use wasm_smtp::AuthMechanism;
use wasm_smtp::IoError;
use wasm_smtp::SmtpClient;
use wasm_smtp::SmtpError;
use wasm_smtp::StartTlsCapable;
use wasm_smtp::Transport;

use super::clock::PlatformClock;
use super::socket::Connection;
use crate::ports::Clock;
use crate::ports::Envelope;
use crate::ports::MailSession;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;

/// Why port and host can't be reached from the platform, in production.
pub(super) fn forbidden(server: &ServerAccess) -> Option<&'static str> {
    if server.port == 25 {
        Some("Cloudflare blocks connections to port 25; use 465 or 587")
    } else if is_private_host(&server.host) {
        Some("loopback and private addresses can't be reached from Cloudflare; use a public name")
    } else {
        None
    }
}

/// A transport that remembers whether the end of the data went out, and what was said.
struct Watched {
    inner: Connection,
    data_ended: Rc<Cell<bool>>,
    listener: Rc<RefCell<Listener>>,
}

impl Transport for Watched {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, IoError> {
        let n = self.inner.read(buf).await?;
        self.listener.borrow_mut().heard(buf.get(..n).unwrap_or_default(), PlatformClock.now());
        Ok(n)
    }

    async fn write_all(&mut self, buf: &[u8]) -> Result<(), IoError> {
        // Set before the write: bytes that we believe lost may have arrived.
        if buf.ends_with(b"\r\n.\r\n") {
            self.data_ended.set(true);
        }
        self.listener.borrow_mut().said(buf);
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
    listener: Rc<RefCell<Listener>>,
}

pub(super) async fn within<T>(
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
        Self { server, is_dev, client: None, data_ended: Rc::default(), listener: Rc::default() }
    }

    async fn connect(&self) -> Result<SmtpClient<Watched>, SmtpError> {
        let connection = Connection::open(&self.server.host, self.server.port, self.server.security)?;
        // A conversation that broke off has no place in the next one.
        self.listener.borrow_mut().begin();
        let transport =
            Watched { inner: connection, data_ended: Rc::clone(&self.data_ended), listener: Rc::clone(&self.listener) };
        let mut client = SmtpClient::connect(transport, &self.server.ehlo).await?;
        if self.server.security == Security::StartTls && (self.server.strict_tls || offers(&client, "STARTTLS")) {
            client.starttls().await?;
        }
        log_in(&mut client, &self.server).await?;
        Ok(client)
    }

    async fn exchange(&mut self, envelope: &Envelope) -> Result<(u16, String), Trouble> {
        let mut client = if let Some(client) = self.client.take() {
            client
        } else {
            let limit = Duration::from_secs(u64::from(self.server.connect_timeout));
            within(limit, "the connection", self.connect()).await.map_err(Trouble::Server)?
        };
        let to = [envelope.rcpt_to.as_str()];
        let limit = Duration::from_secs(u64::from(self.server.send_timeout));
        let sent = within(limit, "the mail", client.send_mail_bytes(&envelope.mail_from, &to, &envelope.raw))
            .await
            .map_err(Trouble::Mail)?;
        // Only a session in a known state is used again.
        self.client = Some(client);
        Ok((sent.code, sent.server_message))
    }
}

/// Whose trouble it is: before the first envelope that of the server, later perhaps that of the mail.
enum Trouble {
    Server(SmtpError),
    Mail(SmtpError),
}

/// Whether EHLO offered an extension.
pub(super) fn offers<T: Transport>(client: &SmtpClient<T>, name: &str) -> bool {
    client.capabilities().iter().any(|it| it.split_whitespace().next().is_some_and(|it| it.eq_ignore_ascii_case(name)))
}

/// Logs in as the server's settings say; without a user name there is nothing to do.
pub(super) async fn log_in<T: Transport>(client: &mut SmtpClient<T>, server: &ServerAccess) -> Result<(), SmtpError> {
    let (user, password) = (server.username.as_str(), server.password.as_str());
    if user.is_empty() {
        return Ok(());
    }
    match server.auth {
        Auth::Auto => client.login(user, password).await,
        Auth::Plain => client.login_with(AuthMechanism::Plain, user, password).await,
        Auth::Login => client.login_with(AuthMechanism::Login, user, password).await,
        Auth::Scram => client.login_with(AuthMechanism::ScramSha256, user, password).await,
    }
}

#[async_trait(?Send)]
impl MailSession for SmtpSession {
    async fn send(&mut self, envelope: &Envelope) -> SendOutcome {
        if !self.is_dev
            && let Some(why) = forbidden(&self.server)
        {
            return SendOutcome::Down { text: why.to_owned() };
        }
        self.data_ended.set(false);
        let reused = self.client.is_some();
        let mut result = self.exchange(envelope).await;
        // A kept connection may have been closed meanwhile; before the data that costs nothing but a new one.
        if reused
            && !self.data_ended.get()
            && matches!(&result, Err(Trouble::Mail(error)) if is_connection_error(error))
        {
            result = self.exchange(envelope).await;
        }
        match result {
            Ok((code, text)) => SendOutcome::Accepted { text: format!("{code} {text}"), provider_id: None },
            Err(Trouble::Server(error)) => SendOutcome::Down { text: server_text(&error) },
            Err(Trouble::Mail(error)) => match outcome(&error, self.data_ended.get()) {
                SendOutcome::Refused { code, text } if health::says_quota_is_used_up(&text) => {
                    SendOutcome::Full { text: format!("{code} {text}") }
                }
                outcome => outcome,
            },
        }
    }

    fn talk(&mut self) -> Vec<Step> {
        self.listener.borrow_mut().take()
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

/// The server's own words where it said some.
pub(super) fn server_text(error: &SmtpError) -> String {
    match error {
        SmtpError::Protocol(wasm_smtp::ProtocolError::UnexpectedCode { actual, message, .. }) => {
            format!("{actual} {message}")
        }
        other => other.to_string(),
    }
}

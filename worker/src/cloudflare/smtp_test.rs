//! *Test connection*: goes through the stages of a hand-over one by one and stops before a recipient is named. Nothing is
//! sent. What fails is told apart, since each has another remedy.

use std::rc::Rc;
use std::time::Duration;

use futures::lock::Mutex;
use mailroom_shared::api::servers::Security;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::api::servers::TestStage;
use wasm_smtp::AuthError;
use wasm_smtp::IoError;
use wasm_smtp::ProtocolError;
use wasm_smtp::SmtpClient;
use wasm_smtp::SmtpError;
use wasm_smtp::StartTlsCapable;
use wasm_smtp::Transport;

use super::smtp::forbidden;
use super::smtp::log_in;
use super::smtp::offers;
use super::smtp::server_text;
use super::smtp::within;
use super::socket::Connection;
use crate::ports::ServerAccess;

/// A transport that two can hold: the client up to the login, then we, for the one command it does not offer alone.
#[derive(Clone)]
struct Lent(Rc<Mutex<Connection>>);

impl Transport for Lent {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, IoError> {
        self.0.lock().await.read(buf).await
    }
    async fn write_all(&mut self, buf: &[u8]) -> Result<(), IoError> {
        self.0.lock().await.write_all(buf).await
    }
    async fn close(&mut self) -> Result<(), IoError> {
        self.0.lock().await.close().await
    }
}

impl StartTlsCapable for Lent {
    async fn upgrade_to_tls(&mut self) -> Result<(), IoError> {
        self.0.lock().await.upgrade_to_tls().await
    }
}

/// How far it came.
struct Course {
    passed: Vec<TestStage>,
    offers: Vec<String>,
}

type Ended = Result<(), (TestStage, String)>;

pub(super) async fn run(server: &ServerAccess, is_dev: bool, sender: &str) -> TestReport {
    #[expect(clippy::disallowed_methods, reason = "measures the platform's own time, which nobody moves")]
    let clock = || worker::Date::now().as_millis();
    let started = clock();
    let mut course = Course { passed: Vec::new(), offers: Vec::new() };
    let ended = stages(server, is_dev, sender, &mut course).await;
    let max_size = course.offers.iter().find_map(|it| it.strip_prefix("SIZE ")).and_then(|it| it.trim().parse().ok());
    let (failed, text) = match ended {
        Ok(()) => (None, String::new()),
        Err((stage, text)) => (Some(stage), text),
    };
    TestReport {
        ok: failed.is_none(),
        passed: course.passed,
        failed,
        text,
        max_size: max_size.filter(|it| *it > 0),
        offers: course.offers,
        millis: u32::try_from(clock().saturating_sub(started)).unwrap_or(u32::MAX),
    }
}

fn open(server: &ServerAccess, security: Security) -> Result<Connection, (TestStage, String)> {
    Connection::open(&server.host, server.port, security).map_err(|e| (TestStage::Connect, e.to_string()))
}

/// Whether the words of the platform are about the name rather than the connection.
fn is_about_dns(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["dns", "resolve", "not found", "nodename", "no address"].iter().any(|it| text.contains(it))
}

/// The connection alone. The platform tells of a missing name in words only, so the address book is asked too.
async fn connects(server: &ServerAccess, is_dev: bool, limit: Duration) -> Ended {
    let connection = open(server, Security::None)?;
    let opened = within(limit, "the connection", async { connection.opened().await.map_err(SmtpError::Io) });
    let Err(error) = opened.await else { return Ok(()) };
    let text = error.to_string();
    let is_name = server.host.parse::<std::net::IpAddr>().is_err();
    // Names below `invalid` never lead anywhere (RFC 6761 section 6.4); no need to ask.
    let never = server.host.trim_end_matches('.').to_ascii_lowercase().ends_with(".invalid");
    if is_name && (never || is_about_dns(&text) || (!is_dev && !has_address(&server.host).await)) {
        return Err((TestStage::Dns, text));
    }
    Err((TestStage::Connect, text))
}

/// DNS over HTTPS; no answer is no verdict.
async fn has_address(host: &str) -> bool {
    for kind in ["A", "AAAA"] {
        let name = mailroom_shared::api::percent_encode(host);
        let url = format!("https://cloudflare-dns.com/dns-query?name={name}&type={kind}");
        let mut init = worker::RequestInit::new();
        let headers = worker::Headers::new();
        if headers.set("accept", "application/dns-json").is_err() {
            return true;
        }
        init.with_headers(headers);
        let Ok(request) = worker::Request::new_with_init(&url, &init) else { return true };
        let Ok(mut response) = worker::Fetch::Request(request).send().await else { return true };
        let Ok(answer) = response.json::<serde_json::Value>().await else { return true };
        if answer.get("Answer").and_then(serde_json::Value::as_array).is_some_and(|it| !it.is_empty()) {
            return true;
        }
    }
    false
}

async fn stages(server: &ServerAccess, is_dev: bool, sender: &str, course: &mut Course) -> Ended {
    let limit = Duration::from_secs(u64::from(server.connect_timeout.clamp(3, 60)));
    if !is_dev && let Some(why) = forbidden(server) {
        return Err((TestStage::Allowed, why.to_owned()));
    }
    course.passed.push(TestStage::Allowed);
    connects(server, is_dev, limit).await?;
    course.passed.extend([TestStage::Dns, TestStage::Connect]);

    let implicit = server.security == Security::Tls;
    let mut lent = Lent(Rc::new(Mutex::new(open(server, server.security)?)));
    // With implicit TLS nothing can be read before the handshake: what fails here is the handshake, unless words were read.
    let client = within(limit, "the greeting", SmtpClient::connect(lent.clone(), &server.ehlo)).await;
    let mut client = client.map_err(|error| {
        let is_word = matches!(error, SmtpError::Protocol(_))
            && !matches!(error, SmtpError::Protocol(ProtocolError::UnexpectedClose));
        (if implicit && !is_word { TestStage::Tls } else { TestStage::Greeting }, server_text(&error))
    })?;
    if implicit {
        course.passed.push(TestStage::Tls);
    }
    course.passed.push(TestStage::Greeting);
    if server.security == Security::StartTls && (server.strict_tls || offers(&client, "STARTTLS")) {
        within(limit, "STARTTLS", client.starttls()).await.map_err(|e| (TestStage::Tls, server_text(&e)))?;
        course.passed.push(TestStage::Tls);
    }
    course.offers = client.capabilities().to_vec();
    if !server.username.is_empty() {
        within(limit, "the login", log_in(&mut client, server)).await.map_err(|error| match &error {
            SmtpError::Auth(AuthError::UnsupportedMechanism) => {
                let offered: Vec<&str> = client_auth(&course.offers).unwrap_or_default().split_whitespace().collect();
                (TestStage::Login, format!("this way of login is not offered; offered: {}", offered.join(" ")))
            }
            _ => (TestStage::Login, server_text(&error)),
        })?;
        course.passed.push(TestStage::Login);
    }
    // The session is at rest after EHLO or login, so the transport may be used beside the client.
    let answer = within(limit, "MAIL FROM", command(&mut lent, &format!("MAIL FROM:<{sender}>\r\n"))).await;
    let result = match answer {
        Ok(text) if text.starts_with('2') => Ok(()),
        Ok(text) => Err((TestStage::Sender, text)),
        Err(error) => Err((TestStage::Sender, server_text(&error))),
    };
    let _ = within(Duration::from_secs(3), "QUIT", command(&mut lent, "RSET\r\nQUIT\r\n")).await;
    drop(client);
    let _ = lent.close().await;
    result?;
    course.passed.push(TestStage::Sender);
    Ok(())
}

fn client_auth(offers: &[String]) -> Option<&str> {
    offers.iter().find_map(|it| it.strip_prefix("AUTH "))
}

/// One command and its reply, joined to one line.
async fn command(transport: &mut Lent, text: &str) -> Result<String, SmtpError> {
    transport.write_all(text.as_bytes()).await?;
    let (mut reply, mut buffer) = (Vec::new(), [0; 512]);
    loop {
        let n = transport.read(&mut buffer).await?;
        if n == 0 {
            return Err(SmtpError::Protocol(ProtocolError::UnexpectedClose));
        }
        reply.extend_from_slice(buffer.get(..n).unwrap_or_default());
        let read = String::from_utf8_lossy(&reply);
        // The last line has a blank behind its code.
        if read.ends_with("\r\n") && read.lines().last().is_some_and(|it| it.as_bytes().get(3) == Some(&b' ')) {
            return Ok(read.trim_end().replace("\r\n", " "));
        }
        if reply.len() > 8_000 {
            return Ok(read.into_owned());
        }
    }
}

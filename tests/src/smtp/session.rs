//! The dialogue of one connection.
//!
//! Replies are collected and written when the input is used up, which is what PIPELINING (RFC 2920) is for.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use smtp_proto::request::receiver::{
    BdatReceiver, DataReceiver, DummyDataReceiver, DummyLineReceiver, LineReceiver, RequestReceiver,
};
use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, AUTH_SCRAM_SHA_256, EXT_8BIT_MIME, EXT_AUTH, EXT_CHUNKING, EXT_ENHANCED_STATUS_CODES,
    EXT_PIPELINING, EXT_SIZE, EXT_SMTP_UTF8, EXT_START_TLS, EhloResponse, Error, MAIL_SMTPUTF8, Request,
};

use super::reply::Reply;
use super::scram::Scram;
use super::stream::Stream;

/// RFC 5321 section 4.5.3.1.8 asks for at least 100.
const MAX_RECIPIENTS: usize = 1000;

/// What the dialogue needs to know from the server it speaks for.
pub trait Service: Send + Sync + 'static {
    /// Host name in the greeting.
    fn name(&self) -> &str;
    fn max_size(&self) -> usize;
    /// Offers STARTTLS when present.
    fn tls(&self) -> Option<Arc<ServerConfig>> {
        None
    }
    /// `Some` offers AUTH PLAIN and LOGIN and answers for a login.
    fn login(&self, _user: &str, _password: &str) -> Option<bool> {
        None
    }
    /// `Some` offers SCRAM-SHA-256 too, which needs to know the password.
    fn password(&self, _user: &str) -> Option<String> {
        None
    }
    fn sender(&self, _from: &str) -> Reply {
        Reply::new(250, "2.1.0", "Ok")
    }
    fn recipient(&self, _envelope: &Envelope, _to: &str) -> Reply {
        Reply::new(250, "2.1.5", "Ok")
    }
    fn message(&self, envelope: Envelope, raw: Vec<u8>) -> Answer;
}

pub enum Answer {
    Reply(Reply),
    /// Closes the connection without a word: the peer cannot know whether the mail was taken.
    Hangup,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    pub helo: String,
    pub peer: String,
    pub tls: bool,
    /// Name the peer logged in with.
    pub login: Option<String>,
    pub utf8: bool,
    /// Empty for the null sender `<>`.
    pub from: String,
    pub to: Vec<String>,
}

enum State {
    Command(RequestReceiver),
    Data(DataReceiver),
    /// Swallows a mail that is too large or has no recipient, to its end.
    SkipData(DummyDataReceiver, Reply),
    Chunk(BdatReceiver),
    SkipChunk(DummyDataReceiver, Reply),
    SkipLine(DummyLineReceiver),
    Login(LineReceiver<Login>),
}

/// Where an AUTH exchange stands.
#[derive(Default)]
enum Login {
    #[default]
    Plain,
    User,
    Password(String),
    ScramFirst,
    ScramLast(Scram),
    /// Its proof was right; ours was sent.
    ScramDone(String),
}

enum Next {
    Continue,
    StartTls,
    Close,
}

struct Session<'a> {
    service: &'a dyn Service,
    envelope: Envelope,
    in_mail: bool,
    greeted: bool,
    raw: Vec<u8>,
    out: Vec<u8>,
}

/// Serves one connection to its end.
pub(super) fn serve(tcp: TcpStream, service: &dyn Service) -> io::Result<()> {
    let peer = tcp.peer_addr().map(|it| it.ip().to_string()).unwrap_or_default();
    let mut stream = Stream::Plain(tcp);
    let mut session = Session {
        service,
        envelope: Envelope { peer, ..Envelope::default() },
        in_mail: false,
        greeted: false,
        raw: Vec::new(),
        out: Vec::new(),
    };
    let mut state = State::Command(RequestReceiver::default());
    session.say(&Reply::plain(220, format!("{} ESMTP ready", service.name())));
    let mut chunk = vec![0_u8; 64 * 1024];
    loop {
        stream.write_all(&session.out)?;
        stream.flush()?;
        session.out.clear();
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            return Ok(());
        }
        let mut bytes = chunk.get(..n).unwrap_or_default().iter();
        loop {
            let next;
            (state, next) = session.step(state, &mut bytes);
            match next {
                Some(Next::Continue) => {}
                Some(Next::StartTls) => {
                    // What was sent before the handshake is not to be trusted (CVE-2011-0411): it is dropped with `bytes`.
                    stream.write_all(&session.out)?;
                    session.out.clear();
                    let Some(config) = service.tls() else { return Ok(()) };
                    stream = stream.upgrade(config)?;
                    session.reset();
                    session.greeted = false;
                    session.envelope.tls = stream.is_tls();
                    break;
                }
                Some(Next::Close) => {
                    stream.write_all(&session.out)?;
                    return stream.flush();
                }
                None => break,
            }
        }
    }
}

impl Session<'_> {
    /// One step over the bytes at hand; `None` when they are used up.
    fn step(&mut self, state: State, bytes: &mut std::slice::Iter<'_, u8>) -> (State, Option<Next>) {
        match state {
            State::Command(mut receiver) => {
                let request = receiver.ingest(bytes).map(Request::into_owned);
                match request {
                    Ok(request) => {
                        let (next_state, next) = self.command(request);
                        (next_state.unwrap_or(State::Command(receiver)), Some(next))
                    }
                    Err(Error::NeedsMoreData { .. }) => (State::Command(receiver), None),
                    Err(Error::ResponseTooLong) => {
                        (State::SkipLine(DummyLineReceiver::default()), Some(Next::Continue))
                    }
                    Err(error) => {
                        self.say(&syntax_reply(&error));
                        (State::Command(receiver), Some(Next::Continue))
                    }
                }
            }
            State::Data(mut receiver) => {
                let done = receiver.ingest(bytes, &mut self.raw);
                if done {
                    let next = self.deliver();
                    return (command_state(), Some(next));
                }
                if self.raw.len() > self.service.max_size() {
                    self.raw = Vec::new();
                    return (
                        State::SkipData(DummyDataReceiver::new_data(&receiver), too_large(self.service.max_size())),
                        None,
                    );
                }
                (State::Data(receiver), None)
            }
            State::SkipData(mut receiver, reply) | State::SkipChunk(mut receiver, reply) => {
                if receiver.ingest(bytes) {
                    self.reset();
                    self.say(&reply);
                    return (command_state(), Some(Next::Continue));
                }
                (State::SkipData(receiver, reply), None)
            }
            State::Chunk(mut receiver) => {
                if !receiver.ingest(bytes, &mut self.raw) {
                    return (State::Chunk(receiver), None);
                }
                let next = if receiver.is_last {
                    self.deliver()
                } else {
                    self.say(&Reply::new(250, "2.0.0", "Chunk taken"));
                    Next::Continue
                };
                (command_state(), Some(next))
            }
            State::SkipLine(mut receiver) => {
                if receiver.ingest(bytes) {
                    self.say(&Reply::new(500, "5.5.2", "Line too long"));
                    return (command_state(), Some(Next::Continue));
                }
                (State::SkipLine(receiver), None)
            }
            State::Login(mut receiver) => {
                if !receiver.ingest(bytes) {
                    return (State::Login(receiver), None);
                }
                let next = self.login_line(receiver);
                (next, Some(Next::Continue))
            }
        }
    }

    fn command(&mut self, request: Request<String>) -> (Option<State>, Next) {
        match request {
            Request::Ehlo { host } => self.ehlo(host),
            Request::Helo { host } => {
                self.reset();
                self.greeted = true;
                self.envelope.helo = host;
                let name = self.service.name().to_owned();
                self.say(&Reply::plain(250, name));
            }
            Request::Mail { from } => self.mail_from(&from),
            Request::Rcpt { to } => return (None, self.rcpt_to(to.address)),
            Request::Data => {
                if self.envelope.to.is_empty() {
                    self.say(&Reply::new(503, "5.5.1", "Send MAIL and RCPT first"));
                } else {
                    self.say(&Reply::plain(354, "Send the mail, end with <CRLF>.<CRLF>"));
                    return (Some(State::Data(DataReceiver::new())), Next::Continue);
                }
            }
            Request::Bdat { chunk_size, is_last } => return (Some(self.chunk(chunk_size, is_last)), Next::Continue),
            Request::StartTls if self.service.tls().is_some() && !self.envelope.tls => {
                self.say(&Reply::new(220, "2.0.0", "Ready for TLS"));
                return (None, Next::StartTls);
            }
            Request::Auth { mechanism, initial_response } if self.offers_login() => {
                return (self.auth(mechanism, &initial_response), Next::Continue);
            }
            Request::Noop { .. } => self.say(&Reply::new(250, "2.0.0", "Ok")),
            Request::Rset => {
                self.reset();
                self.say(&Reply::new(250, "2.0.0", "Ok"));
            }
            Request::Vrfy { .. } => self.say(&Reply::new(252, "2.5.0", "Send some mail, I will try")),
            Request::Quit => {
                self.say(&Reply::new(221, "2.0.0", "Bye"));
                return (None, Next::Close);
            }
            _ => self.say(&Reply::new(502, "5.5.1", "Command not implemented")),
        }
        (None, Next::Continue)
    }

    fn ehlo(&mut self, host: String) {
        self.reset();
        self.greeted = true;
        let mut answer = EhloResponse::new(self.service.name());
        answer.capabilities =
            EXT_PIPELINING | EXT_SIZE | EXT_8BIT_MIME | EXT_SMTP_UTF8 | EXT_ENHANCED_STATUS_CODES | EXT_CHUNKING;
        answer.size = self.service.max_size();
        if self.service.tls().is_some() && !self.envelope.tls {
            answer.capabilities |= EXT_START_TLS;
        }
        if self.offers_login() {
            answer.capabilities |= EXT_AUTH;
            answer.auth_mechanisms = AUTH_PLAIN | AUTH_LOGIN;
            if self.service.password("").is_some() {
                answer.auth_mechanisms |= AUTH_SCRAM_SHA_256;
            }
        }
        self.envelope.helo = host;
        // Writing to memory does not fail.
        let _ = answer.write(&mut self.out);
    }

    fn mail_from(&mut self, from: &smtp_proto::MailFrom<String>) {
        if !self.greeted {
            return self.say(&Reply::new(503, "5.5.1", "Say EHLO first"));
        }
        if self.in_mail {
            return self.say(&Reply::new(503, "5.5.1", "One sender at a time"));
        }
        if from.size > self.service.max_size() {
            return self.say(&too_large(self.service.max_size()));
        }
        let reply = self.service.sender(&from.address);
        if !reply.is_positive() {
            return self.say(&reply);
        }
        self.in_mail = true;
        self.envelope.utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        self.envelope.from.clone_from(&from.address);
        self.say(&reply);
    }

    fn rcpt_to(&mut self, to: String) -> Next {
        if !self.in_mail {
            self.say(&Reply::new(503, "5.5.1", "Send MAIL first"));
            return Next::Continue;
        }
        if self.envelope.to.len() >= MAX_RECIPIENTS {
            self.say(&Reply::new(452, "4.5.3", "Too many recipients in one mail"));
            return Next::Continue;
        }
        let reply = self.service.recipient(&self.envelope, &to);
        if reply.is_positive() {
            self.envelope.to.push(to);
        }
        let closes = reply.closes;
        self.say(&reply);
        if closes { Next::Close } else { Next::Continue }
    }

    fn chunk(&mut self, size: usize, is_last: bool) -> State {
        if self.envelope.to.is_empty() {
            return State::SkipChunk(
                DummyDataReceiver::new_bdat(size),
                Reply::new(503, "5.5.1", "Send MAIL and RCPT first"),
            );
        }
        if self.raw.len().saturating_add(size) > self.service.max_size() {
            return State::SkipChunk(DummyDataReceiver::new_bdat(size), too_large(self.service.max_size()));
        }
        State::Chunk(BdatReceiver::new(size, is_last))
    }

    fn deliver(&mut self) -> Next {
        let raw = std::mem::take(&mut self.raw);
        if raw.len() > self.service.max_size() {
            self.reset();
            self.say(&too_large(self.service.max_size()));
            return Next::Continue;
        }
        let envelope = self.envelope.clone();
        let answer = self.service.message(envelope, raw);
        match answer {
            Answer::Reply(reply) => {
                let closes = reply.closes;
                self.say(&reply);
                self.reset();
                if closes { Next::Close } else { Next::Continue }
            }
            Answer::Hangup => {
                self.out.clear();
                Next::Close
            }
        }
    }

    fn offers_login(&self) -> bool {
        self.service.login("", "").is_some()
    }

    fn auth(&mut self, mechanism: u64, initial: &str) -> Option<State> {
        match mechanism {
            AUTH_PLAIN if !initial.is_empty() => {
                self.plain_login(initial);
                None
            }
            AUTH_PLAIN => {
                self.out.extend_from_slice(b"334 \r\n");
                Some(State::Login(LineReceiver { buf: Vec::new(), state: Login::Plain }))
            }
            AUTH_LOGIN if initial.is_empty() => {
                self.say(&Reply::plain(334, STANDARD.encode("Username:")));
                Some(State::Login(LineReceiver { buf: Vec::new(), state: Login::User }))
            }
            AUTH_LOGIN => {
                let user = decoded(initial.as_bytes());
                self.say(&Reply::plain(334, STANDARD.encode("Password:")));
                Some(State::Login(LineReceiver { buf: Vec::new(), state: Login::Password(user) }))
            }
            AUTH_SCRAM_SHA_256 if self.service.password("").is_some() => {
                if initial.is_empty() {
                    self.out.extend_from_slice(b"334 \r\n");
                    return Some(State::Login(LineReceiver { buf: Vec::new(), state: Login::ScramFirst }));
                }
                Some(self.scram_challenge(initial.as_bytes()))
            }
            _ => {
                self.say(&Reply::new(504, "5.5.4", "Mechanism not offered"));
                None
            }
        }
    }

    fn login_line(&mut self, receiver: LineReceiver<Login>) -> State {
        let line = receiver.buf.trim_ascii();
        match receiver.state {
            Login::Plain => self.plain_login(&String::from_utf8_lossy(line)),
            Login::User => {
                self.say(&Reply::plain(334, STANDARD.encode("Password:")));
                let state = Login::Password(decoded(line));
                return State::Login(LineReceiver { buf: Vec::new(), state });
            }
            Login::Password(user) => self.finish_login(&user, &decoded(line)),
            Login::ScramFirst => return self.scram_challenge(line),
            Login::ScramLast(scram) => {
                let password = self.service.password(&scram.user).unwrap_or_default();
                if let Some(proof) = scram.check(&decoded(line), &password) {
                    self.say(&Reply::plain(334, proof));
                    let state = Login::ScramDone(scram.user);
                    return State::Login(LineReceiver { buf: Vec::new(), state });
                }
                self.refuse_login();
            }
            Login::ScramDone(user) => self.accept_login(&user),
        }
        command_state()
    }

    /// RFC 4616: authorization identity, user and password, separated by NUL.
    fn plain_login(&mut self, encoded: &str) {
        let text = decoded(encoded.as_bytes());
        let mut fields = text.splitn(3, '\0').skip(1);
        let user = fields.next().unwrap_or_default().to_owned();
        let password = fields.next().unwrap_or_default().to_owned();
        self.finish_login(&user, &password);
    }

    fn finish_login(&mut self, user: &str, password: &str) {
        if self.service.login(user, password) == Some(true) { self.accept_login(user) } else { self.refuse_login() }
    }

    fn accept_login(&mut self, user: &str) {
        self.envelope.login = Some(user.to_owned());
        self.say(&Reply::new(235, "2.7.0", "Authentication successful"));
    }

    fn refuse_login(&mut self) {
        self.say(&Reply::new(535, "5.7.8", "Username and password not accepted"));
    }

    fn scram_challenge(&mut self, first: &[u8]) -> State {
        let Some(scram) = Scram::begin(&decoded(first)) else {
            self.say(&Reply::new(501, "5.5.2", "No first message of SCRAM-SHA-256"));
            return command_state();
        };
        self.say(&Reply::plain(334, scram.challenge()));
        State::Login(LineReceiver { buf: Vec::new(), state: Login::ScramLast(scram) })
    }

    fn say(&mut self, reply: &Reply) {
        reply.write_to(&mut self.out, self.envelope.utf8);
    }

    fn reset(&mut self) {
        self.in_mail = false;
        self.raw = Vec::new();
        self.envelope.from.clear();
        self.envelope.to.clear();
        self.envelope.utf8 = false;
    }
}

fn command_state() -> State {
    State::Command(RequestReceiver::default())
}

fn decoded(line: &[u8]) -> String {
    String::from_utf8_lossy(&STANDARD.decode(line).unwrap_or_default()).into_owned()
}

fn too_large(max: usize) -> Reply {
    Reply::new(552, "5.3.4", format!("Message exceeds the fixed maximum of {max} bytes"))
}

fn syntax_reply(error: &Error) -> Reply {
    match error {
        Error::InvalidSenderAddress => Reply::new(501, "5.1.7", "Bad sender address syntax"),
        Error::InvalidRecipientAddress => Reply::new(501, "5.1.3", "Bad recipient address syntax"),
        Error::SyntaxError { syntax } => Reply::new(501, "5.5.2", format!("Syntax error, expected: {syntax}")),
        Error::InvalidParameter { param } => Reply::new(501, "5.5.4", format!("Bad parameter {param}")),
        Error::UnsupportedParameter { param } => Reply::new(555, "5.5.4", format!("Parameter {param} not supported")),
        _ => Reply::new(500, "5.5.1", "Command not recognized"),
    }
}

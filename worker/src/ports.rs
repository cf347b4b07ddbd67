//! What the Worker needs of the world. Adapters: `cloudflare` in production, `testing` in native tests.
//!
//! Every effect is safe to run twice but one, [`Mailer::send`]; that one is claimed first.

use std::borrow::Cow;

use async_trait::async_trait;
use mailroom_shared::api::servers::Auth;
use mailroom_shared::api::servers::Security;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::doctor::dns::Answer;
use mailroom_shared::doctor::dns::Question;
use mailroom_shared::log::talk::Step;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use crate::jobs::Job;

/// A bound parameter. Numbers travel as doubles: D1 knows no 64-bit integers, and milliseconds fit in 53 bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Number(f64),
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Number(at.as_millis() as f64)
    }
}
/// In milliseconds.
impl From<Span> for Value {
    fn from(span: Span) -> Self {
        Self::Number(span.as_millis() as f64)
    }
}
impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Number(f64::from(n))
    }
}
impl From<u16> for Value {
    fn from(n: u16) -> Self {
        Self::Number(f64::from(n))
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Number(n as f64)
    }
}
impl From<usize> for Value {
    fn from(n: usize) -> Self {
        Self::Number(n as f64)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Number(if b { 1.0 } else { 0.0 })
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One SQL statement with its parameters `?1`, `?2`, ….
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub sql: Cow<'static, str>,
    pub params: Vec<Value>,
}

impl Statement {
    pub fn new(sql: impl Into<Cow<'static, str>>) -> Self {
        Self { sql: sql.into(), params: Vec::new() }
    }

    /// Adds the next parameter.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.params.push(value.into());
        self
    }
}

/// `statement!("… ?1 … ?2", a, b)`
#[macro_export]
macro_rules! statement {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        $crate::ports::Statement::new($sql)$(.bind($value))*
    };
}

/// One row, column name to value.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// What one statement answered.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub rows: Vec<Row>,
    /// Rows a write changed.
    pub changes: u32,
    /// Size of the whole database afterwards, where the platform tells it.
    pub database_bytes: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// A UNIQUE or PRIMARY KEY constraint, as `table.column`. Often means *already done*.
    #[error("unique constraint {0}")]
    Unique(String),
    /// Anything else; nothing of the batch was written.
    #[error("database: {0}")]
    Failed(String),
}

/// The relational store.
#[async_trait(?Send)]
pub trait Db: Send + Sync {
    /// Runs all statements in order in one transaction and one round trip: all of them, or none.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DbError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage: {0}")]
pub struct BlobError(pub String);

/// The store of bytes. Keys are content hashes, so writing twice is a no-op.
#[async_trait(?Send)]
pub trait Blobs: Send + Sync {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BlobError>;
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BlobError>;
    /// Up to `most` objects behind a cursor, in the order of their keys.
    async fn list(&self, prefix: &str, cursor: Option<&str>, most: u32) -> Result<BlobPage, BlobError>;
    async fn delete(&self, keys: &[String]) -> Result<(), BlobError>;
}

/// An object that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    pub key: String,
    pub size: u64,
    pub stored: Timestamp,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobPage {
    pub blobs: Vec<StoredBlob>,
    /// Where to go on; none at the end.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("queue: {0}")]
pub struct JobError(pub String);

/// Nudges. Losing one is harmless: the minute sweep finds the work.
#[async_trait(?Send)]
pub trait Jobs: Send + Sync {
    async fn send(&self, job: &Job, delay_seconds: u32) -> Result<(), JobError>;
}

/// Tells open pages which tags went stale. Best effort.
#[async_trait(?Send)]
pub trait Live: Send + Sync {
    async fn publish(&self, tags: &[String]);
}

/// An outgoing server with its password opened.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAccess {
    pub id: String,
    pub name: String,
    pub kind: ServerKind,
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// With STARTTLS: nothing goes without encryption.
    pub strict_tls: bool,
    pub auth: Auth,
    pub username: String,
    pub password: String,
    /// What we call ourselves in EHLO.
    pub ehlo: String,
    /// Seconds.
    pub connect_timeout: u32,
    pub send_timeout: u32,
}

/// One envelope with its content: one recipient, always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Return-Path; empty is the null sender.
    pub mail_from: String,
    pub rcpt_to: String,
    /// From as the header has it, for providers that want it apart.
    pub header_from: String,
    /// RFC 5322, CRLF.
    pub raw: Vec<u8>,
}

/// How a hand-over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// 2xx after the data. `provider_id` when the provider gave one.
    Accepted { text: String, provider_id: Option<String> },
    /// The server said no, or could not be reached: nothing was handed over. `code` 0 when no reply was read.
    Refused { code: u16, text: String },
    /// The mail was handed over but the answer did not come.
    Lost { text: String },
    /// The server itself is in trouble: no connection, no encryption, no login. Another mail would fare the same.
    Down { text: String },
    /// The provider takes no more from us today.
    Full { text: String },
}

/// Sends mail.
#[async_trait(?Send)]
pub trait Mailer: Send + Sync {
    /// A session with one server. Nothing happens before the first envelope.
    fn open(&self, server: &ServerAccess) -> Box<dyn MailSession>;
    /// Connects, encrypts, logs in and names the sender; sends nothing.
    async fn test(&self, server: &ServerAccess, sender: &str) -> TestReport;
}

/// One connection, opened when the first envelope needs it, kept for the next, opened anew after a failure.
#[async_trait(?Send)]
pub trait MailSession {
    /// Hands one envelope over. Never fails: what went wrong is an outcome.
    async fn send(&mut self, envelope: &Envelope) -> SendOutcome;
    /// What was said and answered since the last call, where there is a conversation.
    fn talk(&mut self) -> Vec<Step> {
        Vec::new()
    }
    /// Says goodbye; a session that is just dropped is no harm.
    async fn close(&mut self);
}

/// Time. The only way to read it.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key: {0}")]
pub struct KeyError(pub String);

/// An RSA key of 2048 bits: PKCS #8 and SubjectPublicKeyInfo, DER.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    pub private: Vec<u8>,
    pub public: Vec<u8>,
}

/// RSA keys, which sign DKIM headers (RSASSA-PKCS1-v1_5 with SHA-256).
#[async_trait(?Send)]
pub trait Keys: Send + Sync {
    async fn make(&self) -> Result<KeyPair, KeyError>;
    async fn sign(&self, private: &[u8], input: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// Asks DNS.
#[async_trait(?Send)]
pub trait Resolver: Send + Sync {
    /// The answers in the order of the questions. Never fails: silence is an answer. `url` is a DNS over HTTPS resolver.
    async fn resolve(&self, url: &str, questions: &[Question]) -> Vec<Answer>;
}

/// Randomness. The only source of it.
pub trait Random: Send + Sync {
    fn bytes(&self, buffer: &mut [u8]);
}

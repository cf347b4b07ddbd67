//! The world in a test: SQLite with the real migrations, blobs in memory, recorded nudges, a scripted mailer, a clock
//! that moves when told.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::api::servers::TestStage;
use mailroom_shared::doctor::dns::Answer as DnsAnswer;
use mailroom_shared::doctor::dns::Data;
use mailroom_shared::doctor::dns::Kind;
use mailroom_shared::doctor::dns::Question;
use mailroom_shared::doctor::dns::State;
use mailroom_shared::time::Timestamp;
use rsa::pkcs8::DecodePrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::pkcs8::EncodePublicKey;
use rsa::signature::SignatureEncoding;
use rsa::signature::Signer;
use rusqlite::Connection;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;

use crate::app::App;
use crate::app::Config;
use crate::app::SharedApp;
use crate::jobs::Job;
use crate::ports::BlobError;
use crate::ports::BlobPage;
use crate::ports::Blobs;
use crate::ports::Clock;
use crate::ports::Db;
use crate::ports::DbError;
use crate::ports::Envelope;
use crate::ports::JobError;
use crate::ports::Jobs;
use crate::ports::KeyError;
use crate::ports::KeyPair;
use crate::ports::Keys;
use crate::ports::Live;
use crate::ports::MailSession;
use crate::ports::Mailer;
use crate::ports::Random;
use crate::ports::Resolver;
use crate::ports::Row;
use crate::ports::Rows;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;
use crate::ports::Statement;
use crate::ports::StoredBlob;
use crate::ports::Value;

mod campaigns;
mod doctor;
mod logs;
mod outgoing;

/// All migrations in order, as files.
pub(crate) fn migrations() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut all: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "sql"))
        .map(|it| (it.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&it).unwrap()))
        .collect();
    all.sort();
    all
}

/// What D1 takes (its documentation and workerd): parameters, octets of a statement and of a pattern, terms of a `UNION`.
const D1_LIMITS: [(Limit, i32); 4] = [
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
];

/// SQLite in memory, as strict as D1.
pub(crate) struct Sqlite(Mutex<Connection>, Arc<AtomicU64>);

impl Sqlite {
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        for (name, sql) in migrations() {
            connection.execute_batch(&sql).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        for (limit, most) in D1_LIMITS {
            connection.set_limit(limit, most).unwrap();
        }
        Self(Mutex::new(connection), Arc::default())
    }

    /// What `EXPLAIN QUERY PLAN` says, one line per step.
    pub(crate) fn plan(&self, statement: &Statement) -> Vec<String> {
        let connection = self.0.lock().unwrap();
        let mut prepared = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
        bind(&mut prepared, statement);
        let mut rows = prepared.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            out.push(row.get::<_, String>(3).unwrap());
        }
        out
    }
}

fn bind(prepared: &mut rusqlite::Statement<'_>, statement: &Statement) {
    for (i, value) in statement.params.iter().enumerate() {
        match value {
            Value::Null => prepared.raw_bind_parameter(i + 1, rusqlite::types::Null),
            // A whole double is an integer to D1 too.
            Value::Number(n) if n.fract() == 0.0 => prepared.raw_bind_parameter(i + 1, *n as i64),
            Value::Number(n) => prepared.raw_bind_parameter(i + 1, *n),
            Value::Text(text) => prepared.raw_bind_parameter(i + 1, text),
        }
        .unwrap();
    }
}

fn translate(error: &rusqlite::Error) -> DbError {
    let text = error.to_string();
    match text.split_once("UNIQUE constraint failed: ") {
        Some((_, what)) => DbError::Unique(what.to_owned()),
        None => DbError::Failed(text),
    }
}

fn run(connection: &Connection, statement: &Statement) -> Result<Rows, rusqlite::Error> {
    let mut prepared = connection.prepare(&statement.sql)?;
    bind(&mut prepared, statement);
    let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
    let mut out = Rows::default();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        let mut object = Row::new();
        for (i, name) in names.iter().enumerate() {
            let value = match row.get_ref(i)? {
                ValueRef::Integer(n) => n.into(),
                ValueRef::Real(n) => n.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
                ValueRef::Null | ValueRef::Blob(_) => serde_json::Value::Null,
            };
            object.insert(name.clone(), value);
        }
        out.rows.push(object);
    }
    drop(rows);
    out.changes = u32::try_from(connection.changes()).unwrap();
    Ok(out)
}

#[async_trait(?Send)]
impl Db for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DbError> {
        self.1.fetch_add(statements.len() as u64, Ordering::Relaxed);
        let mut connection = self.0.lock().unwrap();
        let transaction = connection.transaction().map_err(|e| translate(&e))?;
        let answers: Result<Vec<Rows>, _> = statements.iter().map(|it| run(&transaction, it)).collect();
        let answers = answers.map_err(|e| translate(&e))?;
        transaction.commit().map_err(|e| translate(&e))?;
        Ok(answers)
    }
}

#[derive(Default)]
pub(crate) struct MemoryBlobs {
    pub(crate) kept: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Out of order while set.
    pub(crate) fails: AtomicBool,
    pub(crate) reads: AtomicU64,
}

impl MemoryBlobs {
    /// Loses everything, and gives it to the test.
    pub(crate) fn take_all(&self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut self.kept.lock().unwrap())
    }
    pub(crate) fn put_back(&self, all: BTreeMap<String, Vec<u8>>) {
        self.kept.lock().unwrap().extend(all);
    }
    fn check(&self) -> Result<(), BlobError> {
        if self.fails.load(Ordering::Relaxed) { Err(BlobError("out of order".to_owned())) } else { Ok(()) }
    }
}

#[async_trait(?Send)]
impl Blobs for Arc<MemoryBlobs> {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BlobError> {
        self.check()?;
        self.kept.lock().unwrap().insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BlobError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.check()?;
        Ok(self.kept.lock().unwrap().get(key).cloned())
    }
    async fn list(&self, prefix: &str, cursor: Option<&str>, most: u32) -> Result<BlobPage, BlobError> {
        self.check()?;
        let kept = self.kept.lock().unwrap();
        let blobs: Vec<StoredBlob> = kept
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && cursor.is_none_or(|it| key.as_str() > it))
            .take(most as usize)
            .map(|(key, bytes)| StoredBlob {
                key: key.clone(),
                size: bytes.len() as u64,
                stored: Timestamp::from_millis(1_800_000_000_000),
            })
            .collect();
        let next = (blobs.len() == most as usize).then(|| blobs.last().map(|it| it.key.clone())).flatten();
        Ok(BlobPage { blobs, next })
    }
    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        self.check()?;
        self.kept.lock().unwrap().retain(|key, _| !keys.contains(key));
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct RecordedJobs(pub(crate) Mutex<Vec<Job>>);

#[async_trait(?Send)]
impl Jobs for Arc<RecordedJobs> {
    async fn send(&self, job: &Job, _: u32) -> Result<(), JobError> {
        self.0.lock().unwrap().push(job.clone());
        Ok(())
    }
}

struct Deaf;

#[async_trait(?Send)]
impl Live for Deaf {
    async fn publish(&self, _: &[String]) {}
}

/// Answers as told, then accepts; remembers what it was given.
#[derive(Default)]
pub(crate) struct ScriptedMailer {
    pub(crate) script: Mutex<VecDeque<SendOutcome>>,
    pub(crate) sent: Mutex<Vec<Envelope>>,
    /// Names of the servers that took what was sent, in the same order.
    pub(crate) servers: Mutex<Vec<String>>,
    /// Servers that can't be reached.
    pub(crate) dead: Mutex<Vec<String>>,
    /// Connections that were opened.
    pub(crate) opened: AtomicU64,
}

struct Session(Arc<ScriptedMailer>, String);

#[async_trait(?Send)]
impl MailSession for Session {
    async fn send(&mut self, envelope: &Envelope) -> SendOutcome {
        if self.0.dead.lock().unwrap().contains(&self.1) {
            return SendOutcome::Down { text: "connection refused".to_owned() };
        }
        self.0.sent.lock().unwrap().push(envelope.clone());
        self.0.servers.lock().unwrap().push(self.1.clone());
        let accepted = SendOutcome::Accepted { text: "250 2.0.0 Ok".to_owned(), provider_id: None };
        self.0.script.lock().unwrap().pop_front().unwrap_or(accepted)
    }
    async fn close(&mut self) {}
}

#[async_trait(?Send)]
impl Mailer for Arc<ScriptedMailer> {
    fn open(&self, server: &ServerAccess) -> Box<dyn MailSession> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Box::new(Session(Arc::clone(self), server.name.clone()))
    }
    async fn test(&self, server: &ServerAccess, sender: &str) -> TestReport {
        TestReport {
            ok: true,
            passed: vec![TestStage::Login],
            failed: None,
            text: format!("{} {}", server.password, sender),
            max_size: None,
            offers: Vec::new(),
            millis: 1,
        }
    }
}

#[derive(Default)]
pub(crate) struct MovedClock(pub(crate) AtomicI64);

impl Clock for Arc<MovedClock> {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Random for Counter {
    fn bytes(&self, buffer: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let at = buffer.len().saturating_sub(n.len());
        buffer.fill(0);
        for (to, from) in buffer[at..].iter_mut().zip(n) {
            *to = from;
        }
    }
}

/// RSA in Rust: another implementation than the platform's, so that each checks the other.
struct NativeKeys;

#[async_trait(?Send)]
impl Keys for NativeKeys {
    async fn make(&self) -> Result<KeyPair, KeyError> {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        Ok(KeyPair {
            private: key.to_pkcs8_der().unwrap().as_bytes().to_vec(),
            public: key.to_public_key().to_public_key_der().unwrap().as_bytes().to_vec(),
        })
    }
    async fn sign(&self, private: &[u8], input: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = rsa::RsaPrivateKey::from_pkcs8_der(private).map_err(|e| KeyError(e.to_string()))?;
        Ok(rsa::pkcs1v15::SigningKey::<sha2::Sha256>::new(key).sign(input).to_vec())
    }
}

/// DNS as a test sets it; what is not set does not exist.
#[derive(Default)]
pub(crate) struct FakeDns {
    pub(crate) zone: Mutex<BTreeMap<(String, Kind), Vec<Data>>>,
    /// Says nothing while set.
    pub(crate) is_silent: AtomicBool,
    pub(crate) asked: Mutex<Vec<Question>>,
}

impl FakeDns {
    pub(crate) fn text(&self, name: &str, texts: &[&str]) {
        let data = texts.iter().map(|it| Data::Txt((*it).to_owned())).collect();
        self.zone.lock().unwrap().insert((name.to_owned(), Kind::Txt), data);
    }
}

#[async_trait(?Send)]
impl Resolver for Arc<FakeDns> {
    async fn resolve(&self, _: &str, questions: &[Question]) -> Vec<DnsAnswer> {
        self.asked.lock().unwrap().extend_from_slice(questions);
        let zone = self.zone.lock().unwrap();
        let answer = |it: &Question| {
            if self.is_silent.load(Ordering::Relaxed) {
                return DnsAnswer::failed("silent");
            }
            let records = zone.get(&(it.name.clone(), it.kind)).cloned().unwrap_or_default();
            let exists = zone.keys().any(|(name, _)| *name == it.name || name.ends_with(&format!(".{}", it.name)));
            DnsAnswer { state: if exists { State::Found } else { State::Missing }, records, alias: None }
        };
        questions.iter().map(answer).collect()
    }
}

/// An installation in a test.
pub(crate) struct TestApp {
    pub(crate) app: SharedApp,
    pub(crate) blobs: Arc<MemoryBlobs>,
    pub(crate) jobs: Arc<RecordedJobs>,
    pub(crate) mailer: Arc<ScriptedMailer>,
    pub(crate) clock: Arc<MovedClock>,
    pub(crate) dns: Arc<FakeDns>,
    /// Statements that the database was asked.
    pub(crate) statements: Arc<AtomicU64>,
}

impl TestApp {
    pub(crate) fn new() -> Self {
        Self::with_seal("test seal")
    }

    pub(crate) fn with_seal(secret: &str) -> Self {
        let blobs = Arc::<MemoryBlobs>::default();
        let dns = Arc::<FakeDns>::default();
        let (db, jobs, mailer, clock) =
            (Sqlite::new(), Arc::default(), Arc::<ScriptedMailer>::default(), Arc::<MovedClock>::default());
        let statements = Arc::clone(&db.1);
        let app = App {
            db: Box::new(db),
            blobs: Box::new(Arc::clone(&blobs)),
            jobs: Box::new(Arc::clone(&jobs)),
            live: Box::new(Deaf),
            mailer: Box::new(Arc::clone(&mailer)),
            clock: Box::new(Arc::clone(&clock)),
            random: Box::new(Counter::default()),
            keys: Box::new(NativeKeys),
            resolver: Box::new(Arc::clone(&dns)),
            config: Config { token_secret: "test".to_owned(), seal_secret: secret.to_owned(), ..Config::default() },
        };
        Self { app: Arc::new(app), blobs, jobs, mailer, clock, dns, statements }
    }
}

mod access;
mod failures;
mod followers;
mod inbound;
mod kills;
mod people;
mod reports;

pub(crate) mod tests {
    use axum::body::Body;
    use futures::executor::block_on;
    use mailroom_shared::api::emails::EmailFilter;
    use mailroom_shared::api::emails::EmailQuery;
    use mailroom_shared::api::failures::FailureRowsQuery;
    use mailroom_shared::api::messages::MessageQuery;
    use mailroom_shared::api::records::RecordQuery;
    use mailroom_shared::api::suppressions::SuppressionHistoryQuery;
    use mailroom_shared::api::suppressions::SuppressionQuery;
    use mailroom_shared::id::TypeName;
    use mailroom_shared::id::UserId;
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;
    use crate::http::Background;
    use crate::http::router;
    use crate::inbound;
    use crate::inbound::Admission;
    use crate::store;
    use crate::store::sight::Sight;

    pub(crate) struct Answer {
        pub(crate) status: u16,
        pub(crate) body: serde_json::Value,
        pub(crate) cookie: Option<String>,
    }

    pub(crate) fn call(test: &TestApp, method: &str, path: &str, cookie: &str, body: &serde_json::Value) -> Answer {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://mailroom.test{path}"))
            .header("host", "mailroom.test")
            .header("x-mailroom", "1")
            .header("cookie", cookie)
            .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) })
            .unwrap();
        block_on(async {
            let response = router(Arc::clone(&test.app), Background::default()).oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let cookie = response.headers().get("set-cookie").map(|it| it.to_str().unwrap().to_owned());
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default(), cookie }
        })
    }

    /// First run done; the cookie of the administrator.
    pub(crate) fn set_up(test: &TestApp) -> String {
        let form = json!({
            "company": "Corp", "name": "Mai", "email": "mai@corp.test", "password": "long enough", "domain": "corp.test",
            "language": "en", "smtp": { "host": "127.0.0.1", "port": 25 },
        });
        let answer = call(test, "POST", "/api/v1/setup", "", &form);
        assert_eq!(answer.status, 200, "{}", answer.body);
        confirm_all(test);
        answer.cookie.unwrap().split(';').next().unwrap().to_owned()
    }

    /// Everybody has answered the mail to his address.
    pub(crate) fn confirm_all(test: &TestApp) {
        block_on(test.app.run(store::people::confirm_all(test.app.now()))).unwrap();
    }

    const MAIL: &str = "From: Ann <ann@customer.test>\r\nTo: support@corp.test\r\nSubject: Hatch\r\n\
        Message-ID: <1@customer.test>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nIt leaks.\r\n";

    pub(crate) fn arrive(test: &TestApp, raw: &str, to: &str) -> Admission {
        let admit = inbound::admit(&test.app, "ann@customer.test", to, raw.as_bytes().to_vec(), raw.len());
        block_on(admit).unwrap()
    }

    /// Does what was nudged.
    pub(crate) fn work(test: &TestApp, admission: &Admission) {
        if let Admission::Accepted { nudge: Some(job) } = admission {
            let failed =
                block_on(crate::jobs::consume(&test.app, "mailroom-jobs", &[serde_json::to_string(job).unwrap()]));
            assert!(failed.is_empty());
        }
    }

    #[test]
    fn every_list_uses_an_index() {
        let db = Sqlite::new();
        let user = UserId::parse("u").unwrap();
        let ticket = Some(TypeName::parse("ticket").unwrap());
        let cursor = Some("1~x".to_owned());
        let (all, some) = (Sight::default(), Sight::of(vec![TypeName::parse("ticket").unwrap()]));
        let records = [
            RecordQuery::default(),
            RecordQuery { cursor: cursor.clone(), ..RecordQuery::default() },
            RecordQuery { r#type: ticket.clone(), ..RecordQuery::default() },
            RecordQuery { r#type: ticket, stage: Some("New".to_owned()), ..RecordQuery::default() },
            RecordQuery { waiting: Some(true), ..RecordQuery::default() },
            RecordQuery { responsible: Some("me".to_owned()), ..RecordQuery::default() },
        ];
        let mut statements: Vec<Statement> =
            records.iter().map(|it| store::records::list_statement(it, &user, &all).0).collect();
        // Who sees only some types walks the same indexes.
        statements.extend(records.iter().map(|it| store::records::list_statement(it, &user, &some).0));
        for filter in EmailFilter::ALL {
            let query = EmailQuery { filter: Some(filter), cursor: cursor.clone(), ..EmailQuery::default() };
            statements.push(store::queue::list_statement(&query, &all).0);
            statements.push(store::queue::list_statement(&query, &some).0);
        }
        statements.push(store::messages::list_statement("r", &MessageQuery { cursor: cursor.clone(), limit: None }).0);
        statements.push(store::contacts::list_statement(&mailroom_shared::api::contacts::ContactQuery::default()).0);
        for filter in mailroom_shared::api::notifications::NotificationFilter::ALL {
            let query = mailroom_shared::api::notifications::NotificationQuery {
                filter: Some(filter),
                cursor: cursor.clone(),
                limit: None,
            };
            statements.push(store::notifications::list_statement(&query, "u", &some, Timestamp::from_millis(0)).0);
        }
        statements.push(store::notifications::unread("u", &some, Timestamp::from_millis(0)));
        statements.push(store::templates::list_statement());
        let cause = mailroom_shared::outbox::cause::Cause::parse("speeding@gmail.com").unwrap();
        let rows = FailureRowsQuery { cursor: Some("1~x".to_owned()), ..FailureRowsQuery::default() };
        statements.push(store::failures::rows_statement(&cause, None, &rows, &some).0);
        let since = mailroom_shared::time::Timestamp::from_millis(0);
        statements.push(store::provider_events::found(since, 100));
        statements.push(store::deliverability::by_day(since));
        statements.push(store::deliverability::by_domain(since));
        statements.push(store::deliverability::by_reason(since));
        statements.push(store::deliverability::bulk(since));
        statements.push(store::deliverability::of_address("ann@customer.test"));
        let suppressed = SuppressionQuery::default();
        statements.push(store::suppressions::list_statement(&suppressed, 200).0);
        let one = SuppressionHistoryQuery {
            address: Some("ann@customer.test".to_owned()),
            ..SuppressionHistoryQuery::default()
        };
        statements.push(store::suppressions::history_statement(&one).0);
        statements.push(store::suppressions::history_statement(&SuppressionHistoryQuery::default()).0);
        statements.push(store::failures::count_statement(None, &some));
        statements.push(store::changes::list(Timestamp::from_millis(0)));
        statements.extend(store::doctor::facts("[]"));
        let mut ran = 0;
        for statement in statements {
            for step in db.plan(&statement) {
                // The record types are a handful of rows.
                let is_scan = step.starts_with("SCAN")
                    && !step.contains("USING")
                    && !step.contains(" t")
                    // A list of ids that was given.
                    && !step.contains("json_each")
                    && !step.contains("(subquery");
                assert!(!is_scan && !step.contains("TEMP B-TREE FOR ORDER"), "{step}\n{}", statement.sql);
                ran += 1;
            }
        }
        assert!(ran > 20, "{ran}");
    }

    #[test]
    fn migrations_are_numbered_without_gaps_and_known_to_the_build() {
        let names: Vec<String> = migrations().into_iter().map(|(name, _)| name).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", i + 1)), "{name}");
        }
        assert_eq!(names.len() as u32, crate::http::MIGRATIONS);
    }

    #[test]
    fn a_hand_over_is_written_once_whatever_comes_twice() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let first = arrive(&test, MAIL, "support@corp.test");
        work(&test, &first);
        // The nudge again, and the mail again.
        work(&test, &first);
        assert_eq!(arrive(&test, MAIL, "support@corp.test"), Admission::Accepted { nudge: None });
        let list = call(&test, "GET", "/api/v1/records", &cookie, &serde_json::Value::Null).body;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(list["items"][0]["title"], "Hatch");
        let refused = arrive(&test, MAIL, "nobody@corp.test");
        assert!(matches!(&refused, Admission::Refused { text } if text.contains("nobody@corp.test")), "{refused:?}");
    }

    #[test]
    fn sending_is_claimed_retried_and_never_repeated() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let new = json!({ "type": "order", "title": "S1", "email": "ann@customer.test" });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/records/{record}/messages");
        let message = call(&test, "POST", &path, &cookie, &json!({ "mode": "message", "text": "Hello" })).body;
        let id = message["id"].as_str().unwrap();
        let state = || {
            let dialog =
                call(&test, "GET", &format!("/api/v1/messages/{id}/deliveries"), &cookie, &serde_json::Value::Null);
            dialog.body["deliveries"][0]["state"].as_str().unwrap().to_owned()
        };
        let later = |seconds: i64| {
            test.clock.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
            block_on(crate::cron::tick(&test.app));
        };
        block_on(crate::cron::tick(&test.app));
        assert_eq!((state().as_str(), test.mailer.sent.lock().unwrap().len()), ("outgoing", 0), "undo window");
        let busy = SendOutcome::Refused { code: 451, text: "4.7.1 come back later".to_owned() };
        test.mailer.script.lock().unwrap().push_back(busy);
        later(11);
        assert_eq!(state(), "deferred");
        later(30);
        assert_eq!(test.mailer.sent.lock().unwrap().len(), 1, "not before its time");
        test.mailer.script.lock().unwrap().push_back(SendOutcome::Lost { text: "connection reset".to_owned() });
        later(40);
        assert_eq!(state(), "unknown", "nobody knows whether it arrived");
        later(100_000);
        assert_eq!(test.mailer.sent.lock().unwrap().len(), 2, "and so nobody sends it again");
        let wish = json!({ "retry": [{ "delivery": call(&test, "GET", &format!("/api/v1/messages/{id}/deliveries"), &cookie,
            &serde_json::Value::Null).body["deliveries"][0]["id"] }] });
        call(&test, "POST", &format!("/api/v1/messages/{id}/deliveries"), &cookie, &wish);
        later(1);
        assert_eq!(state(), "sent", "a person decided");
        assert!(test.jobs.0.lock().unwrap().is_empty(), "nudges go out after the answer, which nobody awaited here");
    }

    pub(crate) fn rows(test: &TestApp, sql: &'static str) -> Vec<Row> {
        block_on(test.app.run(Statement::new(sql))).unwrap().rows
    }

    /// A record with one message that was handed over to ann@customer.test; ids of message and delivery.
    fn sent_message(test: &TestApp, cookie: &str) -> (String, String) {
        let new = json!({ "type": "order", "title": "S1", "email": "ann@customer.test" });
        let record = call(test, "POST", "/api/v1/records", cookie, &new).body["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/records/{record}/messages");
        let message = call(test, "POST", &path, cookie, &json!({ "mode": "message", "text": "Hello" })).body;
        test.clock.0.fetch_add(11_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        let delivery = rows(test, "SELECT id FROM deliveries")[0]["id"].as_str().unwrap().to_owned();
        (message["id"].as_str().unwrap().to_owned(), delivery)
    }

    #[test]
    fn what_another_server_reports_as_delayed_is_never_sent_again_by_us() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let (message, delivery) = sent_message(&test, &cookie);
        let local = mailroom_shared::token::bounce_local("test", "bounce", &delivery);
        let report = format!(
            "From: MAILER-DAEMON@mx.test\r\nTo: {local}@corp.test\r\nSubject: Delayed\r\nMessage-ID: <d@mx.test>\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nStill trying.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; ann@customer.test\r\nAction: delayed\r\n\
             Status: 4.4.1\r\nDiagnostic-Code: smtp; 451 4.4.1 busy\r\n\r\n--b--\r\n"
        );
        work(&test, &arrive(&test, &report, &format!("{local}@corp.test")));
        let dialog = || {
            call(&test, "GET", &format!("/api/v1/messages/{message}/deliveries"), &cookie, &serde_json::Value::Null)
                .body
        };
        let delayed = &dialog()["deliveries"][0];
        assert_eq!(delayed["state"], "deferred", "{delayed}");
        assert!(delayed["next_try"].is_null() && delayed["gives_up"].is_null(), "it is not ours to try: {delayed}");
        for _ in 0..10 {
            test.clock.0.fetch_add(24 * 3_600_000, Ordering::Relaxed);
            block_on(crate::cron::tick(&test.app));
        }
        assert_eq!(test.mailer.sent.lock().unwrap().len(), 1, "the other server has it");
        assert_eq!(dialog()["deliveries"][0]["state"], "deferred");
    }

    #[test]
    fn an_outage_is_waited_out_however_long_it_takes() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let alias = json!({ "address": "Help@corp.test", "creates": "ticket" });
        assert_eq!(call(&test, "POST", "/api/v1/aliases", &cookie, &alias).status, 200);
        let admission = arrive(&test, MAIL, "help@corp.test");
        test.blobs.fails.store(true, Ordering::Relaxed);
        work(&test, &admission);
        for _ in 0..30 {
            test.clock.0.fetch_add(60_000, Ordering::Relaxed);
            block_on(crate::cron::tick(&test.app));
        }
        let waiting = rows(&test, "SELECT state, tries FROM ingests").remove(0);
        assert_eq!(waiting["state"], "accepted", "{waiting:?}");
        test.blobs.fails.store(false, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        let done = rows(&test, "SELECT state, alias_key FROM ingests").remove(0);
        assert_eq!((&done["state"], &done["alias_key"]), (&json!("done"), &json!("help@corp.test")));
    }

    #[test]
    fn taking_a_message_back_takes_its_files_off_the_record() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let new = json!({ "type": "order", "title": "S1", "email": "ann@customer.test" });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        let file =
            call(&test, "POST", "/api/v1/attachments?name=a.txt&content_type=text/plain", &cookie, &json!("x")).body;
        let body = json!({ "mode": "message", "text": "See file", "attachments": [file["id"]] });
        let message = call(&test, "POST", &format!("/api/v1/records/{record}/messages"), &cookie, &body).body;
        let files = || {
            call(&test, "GET", "/api/v1/records", &cookie, &serde_json::Value::Null).body["items"][0]["attachments"]
                .clone()
        };
        assert_eq!(files(), 1);
        let id = message["id"].as_str().unwrap();
        let back = call(&test, "DELETE", &format!("/api/v1/messages/{id}"), &cookie, &serde_json::Value::Null);
        assert_eq!((back.status, &back.body["text"]), (200, &json!("See file")));
        assert_eq!(files(), 0);
    }

    /// `n` deliveries to these addresses that are refused with that answer.
    pub(crate) fn refused(test: &TestApp, cookie: &str, addresses: &[&str], code: u16, answer: &str) {
        for address in addresses {
            let new = json!({ "type": "order", "title": format!("For {address}"), "email": address });
            let record = call(test, "POST", "/api/v1/records", cookie, &new).body["id"].as_str().unwrap().to_owned();
            let body = json!({ "mode": "message", "text": "Hello", "to": [address] });
            let posted = call(test, "POST", &format!("/api/v1/records/{record}/messages"), cookie, &body);
            assert_eq!(posted.status, 200, "{}", posted.body);
            let refusal = SendOutcome::Refused { code, text: answer.to_owned() };
            test.mailer.script.lock().unwrap().push_back(refusal);
        }
        test.clock.0.fetch_add(11_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        test.mailer.script.lock().unwrap().clear();
    }

    #[test]
    fn the_goes_to_line_says_who_is_held_back_and_when_mail_leaves() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let contact = call(
            &test,
            "POST",
            "/api/v1/contacts",
            &cookie,
            &json!({ "name": "Ann", "emails": ["ann@old.test", "ann@home.test"] }),
        );
        assert_eq!(contact.status, 200, "{}", contact.body);
        let new = json!({ "type": "order", "title": "For Ann", "email": "ann@old.test" });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        let preview = |to: &[&str]| {
            let body = json!({ "mode": "message", "text": "", "to": to });
            call(&test, "POST", &format!("/api/v1/records/{record}/recipients"), &cookie, &body).body
        };
        let seen = preview(&[]);
        assert_eq!((&seen["by_email"], &seen["leaves"]["when"]), (&json!(1), &json!("at_once")), "{seen}");
        let suppress = |address: &str, scope: &str| {
            let body = json!({ "address": address, "scope": scope, "note": "asked by phone" });
            assert_eq!(call(&test, "POST", "/api/v1/suppressions", &cookie, &body).status, 200);
        };
        suppress("ann@old.test", "all");
        suppress("ann@old.test", "campaigns");
        let seen = preview(&[]);
        let ann = seen["people"].as_array().unwrap().iter().find(|it| it["why"] == "suppressed").unwrap();
        assert_eq!((&seen["by_email"], &seen["leaves"]), (&json!(0), &json!(null)));
        let held = &ann["held_back"];
        assert_eq!(
            (&held["scope"], &held["source"], &held["note"]),
            (&json!("all"), &json!("manual"), &json!("asked by phone"))
        );
        assert_eq!(held["others"], json!(["ann@home.test"]));
        assert_eq!(preview(&["ann@home.test"])["by_email"], 1, "another address of hers");
        assert_eq!(preview(&["ann@old.test"])["by_email"], 0);
        let lift = json!({ "address": "ann@old.test", "scope": "all", "note": "she called back" });
        assert_eq!(call(&test, "POST", "/api/v1/suppressions/lift", &cookie, &lift).status, 200);
        let seen = preview(&[]);
        assert_eq!(
            (&seen["by_email"], &seen["people"][0]["held_back"]["scope"]),
            (&json!(1), &json!("campaigns")),
            "{seen}"
        );
        let noted = rows(&test, "SELECT text FROM log_lines WHERE kind = 'unsuppressed'");
        assert_eq!(noted[0]["text"], "she called back");
        // What one server can't take, it says.
        block_on(test.app.run(crate::statement!(
            "UPDATE servers SET rests_until = ?1",
            test.app.now() + mailroom_shared::time::Span::hours(1)
        )))
        .unwrap();
        assert_eq!(preview(&[])["leaves"]["when"], "rest");
    }

    #[test]
    fn whoever_looks_after_failed_mail_hears_of_it_once_per_cause() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let null = serde_json::Value::Null;
        let told = || {
            let all = call(&test, "GET", "/api/v1/notices", &cookie, &null).body;
            let failing = all.as_array().unwrap().iter().filter(|it| it["kind"] == "failing").cloned();
            failing.collect::<Vec<_>>()
        };
        refused(&test, &cookie, &["a@one.test", "b@two.test", "c@one.test"], 550, "5.1.1 no such user here");
        refused(&test, &cookie, &["d@strict.test"], 550, "5.7.1 Service unavailable; client blocked using a blocklist");
        let seen = told();
        assert_eq!(seen.len(), 2, "two causes: {seen:?}");
        let unknown = seen.iter().find(|it| it["args"]["reason"] == "userunknown").unwrap();
        assert_eq!((&unknown["args"]["n"], &unknown["args"]["domain"]), (&json!("3"), &json!("")));
        assert!(seen.iter().any(|it| it["args"]["domain"] == "strict.test"), "{seen:?}");
        // Read, it is gone until more of it comes.
        let path = format!("/api/v1/notices/{}", unknown["id"].as_str().unwrap());
        assert_eq!(call(&test, "DELETE", &path, &cookie, &null).status, 204);
        assert_eq!(told().len(), 1);
        refused(&test, &cookie, &["e@one.test"], 550, "5.1.1 no such user here");
        assert_eq!(told().len(), 2);
        // Settled where it is seen, it says nothing any more.
        let ignore = json!({ "action": "ignore", "group": "userunknown" });
        call(&test, "POST", "/api/v1/failures/actions", &cookie, &ignore);
        assert_eq!(told().len(), 1);
        // Mail that no person wrote goes to the record's responsible.
        let user = rows(&test, "SELECT id FROM users LIMIT 1")[0]["id"].as_str().unwrap().to_owned();
        block_on(test.app.run(crate::statement!("UPDATE messages SET author_id = NULL"))).unwrap();
        block_on(test.app.run(crate::statement!("UPDATE records SET responsible_id = ?1", user.as_str()))).unwrap();
        block_on(test.app.run(crate::statement!("DELETE FROM notices"))).unwrap();
        let failed = rows(&test, "SELECT id FROM deliveries WHERE state = 'failed'");
        let ids: Vec<&str> = failed.iter().map(|it| it["id"].as_str().unwrap()).collect();
        block_on(test.app.run(crate::store::failures::tell(&ids, test.app.now()))).unwrap();
        assert_eq!(told().len(), 1);
    }

    #[test]
    fn a_corrected_address_takes_the_other_failures_along_and_gives_them_back() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let null = serde_json::Value::Null;
        refused(&test, &cookie, &["ann@old.test"], 550, "5.1.1 no such user here");
        // Written although it rests, as it was before the first answer came.
        block_on(test.app.run(crate::statement!("DELETE FROM suppressions"))).unwrap();
        refused(&test, &cookie, &["Ann@old.test", "bob@old.test"], 550, "5.1.1 no such user here");
        let rest = call(&test, "GET", "/api/v1/failures/userunknown", &cookie, &null).body;
        let first =
            rest["items"].as_array().unwrap().iter().find(|it| it["address"] == "ann@old.test").unwrap().clone();
        let path = format!("/api/v1/messages/{}/deliveries", first["message"].as_str().unwrap());
        let fix =
            json!({ "retry": [{ "delivery": first["delivery"], "address": "ann@new.test", "update_contact": true }] });
        assert_eq!(call(&test, "POST", &path, &cookie, &fix).status, 200);
        let correct = |apply| {
            let body = json!({ "old": "ann@old.test", "new": "ann@new.test", "apply": apply });
            call(&test, "POST", "/api/v1/failures/corrections", &cookie, &body).body
        };
        assert_eq!(correct(false), json!({ "n": 1, "operation": null }), "the one in the dialog goes anyway");
        let done = correct(true);
        let addresses = || {
            let found = rows(&test, "SELECT address || ' ' || state AS it FROM deliveries ORDER BY address, state");
            found.iter().map(|it| it["it"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let moved = ["ann@new.test outgoing", "ann@new.test outgoing", "bob@old.test failed"];
        assert_eq!(addresses(), moved);
        let undo = format!("/api/v1/failures/actions/{}", done["operation"].as_str().unwrap());
        assert_eq!(call(&test, "DELETE", &undo, &cookie, &null).body["changed"], 1);
        assert_eq!(addresses(), ["Ann@old.test failed", "ann@new.test outgoing", "bob@old.test failed"]);
        correct(true);
        test.clock.0.fetch_add(11_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        assert_eq!(addresses(), ["ann@new.test sent", "ann@new.test sent", "bob@old.test failed"]);
        let same = json!({ "old": "ann@new.test", "new": "Ann@New.test" });
        assert_eq!(call(&test, "POST", "/api/v1/failures/corrections", &cookie, &same).status, 422);
    }

    #[test]
    fn failures_are_grouped_by_cause_acted_on_together_and_undone() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let null = serde_json::Value::Null;
        let groups = || call(&test, "GET", "/api/v1/failures", &cookie, &null).body;
        assert_eq!(groups(), json!({ "groups": [], "mine": 0, "all": 0 }));
        refused(&test, &cookie, &["a@one.test", "b@two.test", "c@one.test"], 550, "5.1.1 no such user here");
        refused(
            &test,
            &cookie,
            &["d@slow.test", "e@slow.test"],
            450,
            "4.7.28 too many messages, slow down, rate limited",
        );
        let seen = groups();
        let list = seen["groups"].as_array().unwrap();
        assert_eq!((list.len(), &seen["all"], &seen["mine"]), (2, &json!(3), &json!(3)), "{seen}");
        assert_eq!((&list[0]["key"], &list[0]["failing"]), (&json!("userunknown"), &json!(3)));
        assert_eq!(list[1]["domain"], "slow.test");
        assert_eq!((&list[1]["failing"], &list[1]["waiting"]), (&json!(0), &json!(2)));
        assert!(list[1]["next_try"].is_number());

        let rows = call(&test, "GET", "/api/v1/failures/userunknown?limit=2", &cookie, &null).body;
        assert_eq!(rows["items"].as_array().unwrap().len(), 2);
        let next = rows["next"].as_str().unwrap();
        let rest =
            call(&test, "GET", &format!("/api/v1/failures/userunknown?limit=2&cursor={next}"), &cookie, &null).body;
        assert_eq!(rest["items"][0]["address"], "a@one.test");
        assert_eq!(rest["items"][0]["assigned"], "Mai");

        // All of a cause, taken back while it can be.
        let act = |body: serde_json::Value| call(&test, "POST", "/api/v1/failures/actions", &cookie, &body);
        let done = act(json!({ "action": "ignore", "group": "userunknown" })).body;
        assert_eq!((&done["changed"], &done["left"], &groups()["all"]), (&json!(3), &json!(0), &json!(0)));
        let path = format!("/api/v1/failures/actions/{}", done["operation"].as_str().unwrap());
        assert_eq!(call(&test, "DELETE", &path, &cookie, &null).body["changed"], 3);
        assert_eq!(groups()["all"], 3);
        assert_eq!(call(&test, "DELETE", &path, &cookie, &null).body["code"], "wrong_state", "twice is too often");

        // A retry leaves when it can't be taken back any more.
        let first = rest["items"][0]["delivery"].clone();
        let sent = || test.mailer.sent.lock().unwrap().len();
        let before = sent();
        let done = act(json!({ "action": "retry", "deliveries": [first] })).body;
        assert_eq!(done["changed"], 1);
        block_on(crate::cron::tick(&test.app));
        assert_eq!(sent(), before, "not within the undo window");
        test.clock.0.fetch_add(11_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        assert_eq!(sent(), before + 1);
        let path = format!("/api/v1/failures/actions/{}", done["operation"].as_str().unwrap());
        assert_eq!(call(&test, "DELETE", &path, &cookie, &null).status, 409, "it has left");
        assert_eq!(groups()["all"], 2);
        assert_eq!(call(&test, "GET", "/api/v1/failures/nonsense", &cookie, &null).status, 404);
    }

    #[test]
    fn an_address_that_is_gone_rests_until_somebody_writes_from_it_or_lifts_it() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let null = serde_json::Value::Null;
        let list = || call(&test, "GET", "/api/v1/suppressions", &cookie, &null).body["items"].clone();
        refused(&test, &cookie, &["full@customer.test"], 552, "5.2.2 mailbox full");
        assert_eq!(list(), json!([]), "a full mailbox is not gone");
        refused(&test, &cookie, &["ann@customer.test", "bob@customer.test"], 550, "5.1.1 no such user here");
        let gone = list();
        assert_eq!(gone.as_array().unwrap().len(), 2, "{gone}");
        assert_eq!(
            (&gone[0]["source"], &gone[0]["reason"], &gone[0]["scope"]),
            (&json!("bounce"), &json!("userunknown"), &json!("all"))
        );
        assert!(gone[0]["expires"].is_number() && gone[0]["evidence"].as_str().unwrap().contains("no such user"));

        // The composer tells, and nothing goes there.
        let new = json!({ "type": "order", "title": "Next", "email": "bob@customer.test" });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        let body = json!({ "mode": "message", "text": "x", "to": ["bob@customer.test"] });
        let people = call(&test, "POST", &format!("/api/v1/records/{record}/recipients"), &cookie, &body).body;
        let bob = people["people"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["why"] == "suppressed")
            .unwrap_or_else(|| panic!("{people}"));
        assert_eq!((&bob["by"], &bob["why"]), (&json!("nobody"), &json!("suppressed")), "{people}");

        // Ann writes: her address works.
        let host = crate::app::RECEIVING_HOST;
        let mail = format!(
            "Authentication-Results: {host}; dmarc=pass header.from=customer.test; spf=pass smtp.mailfrom=customer.test\r\n{MAIL}"
        );
        work(&test, &arrive(&test, &mail, "support@corp.test"));
        assert_eq!(list().as_array().unwrap().len(), 1, "{}", list());

        // A person lifts the other.
        let bob_again = json!({ "address": "bob@customer.test", "scope": "all", "note": "asked his colleague" });
        assert_eq!(call(&test, "POST", "/api/v1/suppressions/lift", &cookie, &bob_again).status, 200);
        assert_eq!(call(&test, "POST", "/api/v1/suppressions/lift", &cookie, &bob_again).status, 404);
        assert_eq!(list(), json!([]));

        // Lists in and out.
        let csv = json!({ "csv": "address,scope,note\r\nx@y.test,campaigns,\"said =no, thanks\"\r\nnot an address\r\nz@y.test\r\n" });
        let imported = call(&test, "POST", "/api/v1/suppressions/import", &cookie, &csv).body;
        assert_eq!(imported, json!({ "added": 2, "wrong_lines": [3] }));
        test.clock.0.fetch_add(400 * 24 * 3_600_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        assert_eq!(rows(&test, "SELECT address FROM suppressions").len(), 2, "what people entered stays");
    }

    fn sending_event(id: &str, kind: &str, mail: &str, to: &str, at: &str, more: &serde_json::Value) -> String {
        let mut payload =
            json!({ "eventId": id, "messageId": mail, "sender": "notifications@corp.test", "recipient": to });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": format!("cf.email.sending.message.{kind}"), "payload": payload, "metadata": { "eventTimestamp": at } })
            .to_string()
    }

    /// A message to a customer that the provider took as `<p1@mx>`. Returns the record and the message.
    fn taken(test: &TestApp, cookie: &str) -> (String, String) {
        let admission = arrive(test, MAIL, "support@corp.test");
        work(test, &admission);
        let list = call(test, "GET", "/api/v1/records", cookie, &serde_json::Value::Null).body;
        let record = list["items"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/records/{record}/messages");
        let body = json!({ "mode": "message", "text": "On its way.", "key": "k1", "to": ["ann@customer.test"] });
        let posted = call(test, "POST", &path, cookie, &body).body;
        let message = posted["id"].as_str().unwrap().to_owned();
        test.clock.0.fetch_add(60_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        block_on(test.app.run(Statement::new("UPDATE deliveries SET provider_id = '<p1@mx>'"))).unwrap();
        (record, message)
    }

    #[test]
    fn events_of_the_provider_settle_their_delivery_in_any_order_and_once() {
        let check = |events: &[(&str, &str, &str, serde_json::Value)], expected: (&str, usize)| {
            let test = TestApp::new();
            let cookie = set_up(&test);
            let (_, message) = taken(&test, &cookie);
            for (id, kind, at, more) in events {
                let body = sending_event(id, kind, "<p1@mx>", "Ann@Customer.test", at, more);
                assert!(block_on(crate::jobs::consume(&test.app, "mailroom-sending-events", &[body])).is_empty());
            }
            let path = format!("/api/v1/messages/{message}/deliveries");
            let deliveries = call(&test, "GET", &path, &cookie, &serde_json::Value::Null).body;
            let it = &deliveries["deliveries"][0];
            let told = it["events"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|it| !["queued", "accepted"].contains(&it["kind"].as_str().unwrap()));
            assert_eq!((it["state"].as_str().unwrap(), told.count()), expected, "{events:?} {it}");
        };
        let none = || json!({});
        let dead = || json!({ "bounce": { "type": "hard" }, "delivery": { "response": "550 5.1.1 user unknown" } });
        let (ten, eleven) = ("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z");
        check(&[], ("sent", 0));
        check(&[("1", "delivered", ten, none())], ("delivered", 1));
        check(&[("1", "delivered", ten, none()), ("1", "delivered", eleven, none())], ("delivered", 1));
        check(&[("1", "deferred", ten, none()), ("2", "delivered", eleven, none())], ("delivered", 2));
        check(&[("2", "delivered", eleven, none()), ("1", "deferred", ten, none())], ("delivered", 1));
        check(&[("1", "bounced", ten, dead())], ("bounced", 1));
        check(&[("1", "bounced", eleven, dead()), ("2", "delivered", ten, none())], ("bounced", 1));
        check(&[("1", "rejected", ten, json!({ "reason": "suppressed" }))], ("bounced", 1));
        check(&[("1", "delivered", ten, none()), ("2", "complained", eleven, none())], ("complained", 2));
    }

    #[test]
    fn an_event_of_an_unknown_mail_waits_for_it_and_changes_nothing_else() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let dead = json!({ "bounce": { "type": "hard" } });
        let bodies = [
            "{\"type\":\"a\"}".to_owned(),
            sending_event("1", "bounced", "<p2@mx>", "ann@customer.test", "2026-11-24T10:00:00Z", &dead),
            sending_event("2", "bounced", "<p1@mx>", "other@customer.test", "2026-11-24T10:00:00Z", &dead),
        ];
        assert!(block_on(crate::jobs::consume(&test.app, "mailroom-sending-events", &bodies)).is_empty());
        taken(&test, &cookie);
        let state = || rows(&test, "SELECT state, reason FROM deliveries")[0].clone();
        assert_eq!(state()["state"], "sent");
        // The provider was quicker than our own bookkeeping.
        block_on(test.app.run(Statement::new("UPDATE deliveries SET provider_id = '<p2@mx>'"))).unwrap();
        block_on(crate::cron::tick(&test.app));
        assert_eq!((&state()["state"], &state()["reason"]), (&json!("bounced"), &json!("userunknown")));
        assert_eq!(rows(&test, "SELECT sha256 FROM provider_events WHERE matched IS NULL").len(), 2, "kept");
    }

    #[test]
    fn figures_and_timeline_tell_how_mail_arrives() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        taken(&test, &cookie);
        let get = |path: &str| call(&test, "GET", path, &cookie, &serde_json::Value::Null).body;
        let contact = get("/api/v1/contacts?q=ann")["items"][0]["id"].as_str().unwrap().to_owned();
        let timeline = format!("/api/v1/contacts/{contact}/timeline");
        assert_eq!(get(&timeline)["addresses"][0]["mark"], "good");
        let dead = json!({ "bounce": { "type": "hard" }, "delivery": { "response": "550 5.1.1 user unknown" } });
        let body = sending_event("1", "bounced", "<p1@mx>", "ann@customer.test", "2026-11-24T10:00:00Z", &dead);
        block_on(crate::jobs::consume(&test.app, "mailroom-sending-events", &[body]));
        let told = get(&timeline);
        assert_eq!((&told["addresses"][0]["mark"], &told["addresses"][0]["suppressed"]), (&json!("bad"), &json!(true)));
        let kinds: Vec<_> = told["events"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds.iter().filter(|it| **it == "sent").count(), 1, "{kinds:?}");
        assert!(kinds.contains(&"wrote") && kinds.contains(&"suppressed"), "{kinds:?}");
        let figures = get("/api/v1/deliverability?days=7");
        assert_eq!(figures["days"].as_array().unwrap().len(), 7);
        assert_eq!(
            figures["total"],
            json!({ "sent": 0, "delivered": 0, "deferred": 0, "bounced": 1, "complained": 0 })
        );
        assert_eq!(
            (&figures["domains"][0]["domain"], &figures["reasons"][0]),
            (&json!("customer.test"), &json!({ "reason": "userunknown", "n": 1 }))
        );
        assert_eq!(figures["breaker"], serde_json::Value::Null);
    }

    #[test]
    fn nobody_gets_in_without_a_session_and_no_other_site_writes() {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let null = serde_json::Value::Null;
        for path in ["/api/v1/records", "/api/v1/emails", "/api/v1/shell", "/api/v1/contacts", "/api/v1/attachments/x"]
        {
            let answer = call(&test, "GET", path, "", &null);
            assert_eq!((answer.status, answer.body["code"].as_str().unwrap()), (401, "unauthorized"), "{path}");
        }
        let request = axum::http::Request::post("http://mailroom.test/api/v1/records")
            .header("cookie", &cookie)
            .header("host", "mailroom.test")
            .header("origin", "https://evil.test")
            .header("x-mailroom", "1")
            .body(Body::from("{}"))
            .unwrap();
        let response = block_on(router(Arc::clone(&test.app), Background::default()).oneshot(request)).unwrap();
        assert_eq!(response.status().as_u16(), 403);
        let form =
            json!({ "company": "", "name": "", "email": "x", "password": "short", "domain": "-", "language": "en" });
        assert_eq!(call(&test, "POST", "/api/v1/setup", "", &form).status, 409, "the first run is over");
        let wrong = call(&TestApp::new(), "POST", "/api/v1/setup", "", &form).body;
        assert_eq!(wrong["fields"].as_array().unwrap().len(), 5, "all that is wrong, at once: {wrong}");
    }
}

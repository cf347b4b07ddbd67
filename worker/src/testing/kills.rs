//! The process dies, or a part of the platform fails, before and after every single effect of a mail's way in and an
//! answer's way out. The points are counted, not chosen: the story runs once for each until a run meets none.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use axum::body::Body;
use futures::FutureExt;
use mailroom_shared::api::servers::TestReport;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use super::MemoryBlobs;
use super::RecordedJobs;
use super::ScriptedMailer;
use super::Sqlite;
use super::TestApp;
use super::tests::call;
use super::tests::rows;
use super::tests::set_up;
use crate::app::App;
use crate::http::Background;
use crate::http::router;
use crate::inbound;
use crate::inbound::Admission;
use crate::inbound::InboundFault;
use crate::jobs::Job;
use crate::ports::BlobError;
use crate::ports::BlobPage;
use crate::ports::Blobs;
use crate::ports::Db;
use crate::ports::DbError;
use crate::ports::Envelope;
use crate::ports::JobError;
use crate::ports::Jobs;
use crate::ports::MailSession;
use crate::ports::Mailer;
use crate::ports::Rows;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;
use crate::ports::Statement;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Nothing of the process goes on from here.
    Kill,
    /// The effect is answered with an error.
    Fail,
}

#[derive(Debug)]
struct FuseState {
    harm: Harm,
    /// Points to go before it.
    left: usize,
    is_armed: bool,
    is_dead: bool,
    hit: Option<String>,
}

/// Counts the points at which harm may be done, and does it at one.
#[derive(Clone)]
struct Fuse(Arc<Mutex<FuseState>>);

impl Fuse {
    fn new(harm: Harm, at: usize) -> Self {
        Self(Arc::new(Mutex::new(FuseState { harm, left: at, is_armed: false, is_dead: false, hit: None })))
    }

    /// What is only looked at is no part of the story.
    fn arm(&self, armed: bool) {
        self.0.lock().unwrap().is_armed = armed;
    }

    /// A new process.
    fn revive(&self) {
        self.0.lock().unwrap().is_dead = false;
    }

    fn hit(&self) -> Option<String> {
        self.0.lock().unwrap().hit.clone()
    }

    /// Comes back with `true` when the effect must fail; does not come back in a dead process.
    async fn point(&self, what: &str, can_fail: bool) -> bool {
        let fails = {
            let mut state = self.0.lock().unwrap();
            let counts = state.is_armed && state.hit.is_none() && (state.harm == Harm::Kill || can_fail);
            let hits = counts && state.left == 0;
            if counts && !hits {
                state.left -= 1;
            }
            if hits {
                state.hit = Some(what.to_owned());
                state.is_dead = state.harm == Harm::Kill;
            }
            hits && state.harm == Harm::Fail
        };
        if self.0.lock().unwrap().is_dead {
            std::future::pending::<()>().await;
        }
        fails
    }
}

struct FusedDb(Sqlite, Fuse);

#[async_trait(?Send)]
impl Db for FusedDb {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DbError> {
        let first = statements.first().map(|it| it.sql.chars().take(60).collect::<String>()).unwrap_or_default();
        if self.1.point(&format!("before D1 {first}"), true).await {
            return Err(DbError::Failed("D1 is out of order".to_owned()));
        }
        let answer = self.0.batch(statements).await;
        // Written, and the answer is lost.
        if self.1.point(&format!("after D1 {first}"), true).await {
            return Err(DbError::Failed("the answer of D1 was lost".to_owned()));
        }
        answer
    }
}

struct FusedBlobs(Arc<MemoryBlobs>, Fuse);

#[async_trait(?Send)]
impl Blobs for FusedBlobs {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), BlobError> {
        if self.1.point("before R2 put", true).await {
            return Err(BlobError("out of order".to_owned()));
        }
        self.0.put(key, bytes).await?;
        if self.1.point("after R2 put", true).await { Err(BlobError("lost".to_owned())) } else { Ok(()) }
    }
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BlobError> {
        if self.1.point("R2 get", true).await {
            return Err(BlobError("out of order".to_owned()));
        }
        self.0.get(key).await
    }
    async fn list(&self, prefix: &str, cursor: Option<&str>, most: u32) -> Result<BlobPage, BlobError> {
        self.0.list(prefix, cursor, most).await
    }
    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        self.0.delete(keys).await
    }
}

struct FusedJobs(Arc<RecordedJobs>, Fuse);

#[async_trait(?Send)]
impl Jobs for FusedJobs {
    async fn send(&self, job: &Job, delay: u32) -> Result<(), JobError> {
        if self.1.point("before queue send", true).await {
            return Err(JobError("out of order".to_owned()));
        }
        self.0.send(job, delay).await?;
        if self.1.point("after queue send", true).await { Err(JobError("lost".to_owned())) } else { Ok(()) }
    }
}

struct FusedMailer(Arc<ScriptedMailer>, Fuse);
struct FusedSession(Box<dyn MailSession>, Fuse);

#[async_trait(?Send)]
impl MailSession for FusedSession {
    async fn send(&mut self, envelope: &Envelope) -> SendOutcome {
        self.1.point("before SMTP", false).await;
        let outcome = self.0.send(envelope).await;
        self.1.point("after SMTP", false).await;
        outcome
    }
    async fn close(&mut self) {
        self.1.point("SMTP quit", false).await;
    }
}

#[async_trait(?Send)]
impl Mailer for FusedMailer {
    fn open(&self, server: &ServerAccess) -> Box<dyn MailSession> {
        Box::new(FusedSession(self.0.open(server), self.1.clone()))
    }
    async fn test(&self, server: &ServerAccess, sender: &str) -> TestReport {
        self.0.test(server, sender).await
    }
}

fn fused(fuse: &Fuse) -> TestApp {
    let TestApp { app, blobs, jobs, mailer, clock, dns, statements } = TestApp::new();
    let Ok(app) = Arc::try_unwrap(app) else { panic!("nobody else has it yet") };
    let app = App {
        db: Box::new(FusedDb(Sqlite::new(), fuse.clone())),
        blobs: Box::new(FusedBlobs(Arc::clone(&blobs), fuse.clone())),
        jobs: Box::new(FusedJobs(Arc::clone(&jobs), fuse.clone())),
        mailer: Box::new(FusedMailer(Arc::clone(&mailer), fuse.clone())),
        ..app
    };
    TestApp { app: Arc::new(app), blobs, jobs, mailer, clock, dns, statements }
}

const MAIL: &str = "From: Ann <ann@customer.test>\r\nTo: support@corp.test\r\nSubject: Hatch\r\nMessage-ID: <1@customer.test>\r\n\
    Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nIt leaks.\r\n--b\r\nContent-Type: text/csv\r\n\
    Content-Disposition: attachment; filename=leaks.csv\r\n\r\na,b\r\n--b--\r\n";

struct Story {
    test: TestApp,
    fuse: Fuse,
    cookie: String,
    /// How often the peer was told to come again, and how often the process died.
    told_to_retry: u32,
    deaths: u32,
}

impl Story {
    /// A step of a process: `None` when it died on the way. Then there is a new one.
    fn step<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let done = work.now_or_never();
        if done.is_none() {
            self.deaths += 1;
            self.fuse.revive();
        }
        done
    }

    /// A mail server: comes again until it has a 250.
    fn hand_over(&mut self) {
        for _ in 0..5 {
            let app = Arc::clone(&self.test.app);
            let raw = MAIL.as_bytes().to_vec();
            let size = raw.len();
            let work = async move {
                let admission = inbound::admit(&app, "ann@customer.test", "support@corp.test", raw, size).await?;
                if let Admission::Accepted { nudge: Some(job) } = &admission {
                    app.nudge(job.clone(), 0).await;
                }
                Ok::<_, InboundFault>(admission)
            };
            match self.step(work) {
                Some(Ok(Admission::Accepted { .. })) => return,
                Some(Ok(other)) => panic!("a fault of ours is no refusal: {other:?}"),
                Some(Err(_)) | None => self.told_to_retry += 1,
            }
        }
        panic!("never accepted");
    }

    /// The queue: at least once.
    fn work(&mut self) {
        for _ in 0..20 {
            let jobs = std::mem::take(&mut *self.test.jobs.0.lock().unwrap());
            if jobs.is_empty() {
                return;
            }
            let app = Arc::clone(&self.test.app);
            let bodies: Vec<String> = jobs.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
            let failed = self.step(async { crate::jobs::consume(&app, "mailroom-jobs", &bodies).await });
            let again = match failed {
                None => jobs,
                Some(places) => places.iter().map(|it| jobs[*it].clone()).collect(),
            };
            self.test.jobs.0.lock().unwrap().extend(again);
        }
        panic!("the queue never ran dry");
    }

    fn minutes(&mut self, n: u32) {
        for _ in 0..n {
            self.test.clock.0.fetch_add(60_000, std::sync::atomic::Ordering::Relaxed);
            let app = Arc::clone(&self.test.app);
            self.step(async { crate::cron::tick(&app).await });
            self.work();
        }
    }

    /// The page: the same post with the same key until there is an answer.
    fn answer(&mut self, record: &str) {
        let body = json!({ "mode": "message", "text": "On its way.", "key": "k1", "to": ["ann@customer.test"] });
        for _ in 0..5 {
            let request = axum::http::Request::post(format!("http://mailroom.test/api/v1/records/{record}/messages"))
                .header("host", "mailroom.test")
                .header("x-mailroom", "1")
                .header("cookie", &self.cookie)
                .body(Body::from(body.to_string()))
                .unwrap();
            let background = Background::default();
            let app = Arc::clone(&self.test.app);
            let work = async {
                let answer = router(app, background.clone()).oneshot(request).await;
                if let Some(rest) = background.take() {
                    rest.await;
                }
                answer
            };
            if self.step(work).is_some_and(|it| it.is_ok_and(|it| it.status().is_success())) {
                return;
            }
        }
        panic!("never posted");
    }

    fn records(&self) -> Value {
        call(&self.test, "GET", "/api/v1/records", &self.cookie, &Value::Null).body["items"].clone()
    }
}

/// One run with harm at a point. Says where that was, or nothing when the run had fewer points.
fn run(harm: Harm, at: usize) -> Option<String> {
    let fuse = Fuse::new(harm, at);
    let test = fused(&fuse);
    let cookie = set_up(&test);
    let mut story = Story { test, fuse: fuse.clone(), cookie, told_to_retry: 0, deaths: 0 };
    fuse.arm(true);
    story.hand_over();
    story.work();
    story.minutes(2);
    fuse.arm(false);
    let all = story.records();
    fuse.arm(true);
    let at_point = fuse.hit().unwrap_or_default();
    assert_eq!(all.as_array().map(Vec::len), Some(1), "one record: {at_point}");
    let record = all[0]["id"].as_str().unwrap().to_owned();
    story.answer(&record);
    story.minutes(3);
    fuse.arm(false);
    // Leases end, retries come.
    story.minutes(15);
    let count = |sql: &'static str| rows(&story.test, sql).len();
    assert_eq!(count("SELECT id FROM records WHERE type = 'ticket' AND deleted = 0"), 1, "{at_point}");
    assert_eq!(count("SELECT id FROM messages WHERE incoming = 1"), 1, "the mail once: {at_point}");
    assert_eq!(count("SELECT id FROM messages WHERE kind = 'comment'"), 1, "the answer once: {at_point}");
    let files = rows(&story.test, "SELECT sha256 FROM attachments");
    let kept = story.test.blobs.kept.lock().unwrap();
    assert_eq!(files.len(), 1, "{at_point}");
    let key = format!("att/{}", files[0]["sha256"].as_str().unwrap());
    assert_eq!(kept.get(&key).map(Vec::as_slice), Some("a,b".as_bytes()), "{at_point}");
    assert_eq!(count("SELECT id FROM ingests WHERE state <> 'done'"), 0, "{at_point}");
    let deliveries = rows(&story.test, "SELECT state FROM deliveries WHERE address_key = 'ann@customer.test'");
    assert_eq!(deliveries.len(), 1, "{at_point}");
    let sent = story.test.mailer.sent.lock().unwrap().len();
    let state = deliveries[0]["state"].as_str().unwrap();
    // Sent once and known to be; or a person is asked, because it may have left.
    let is_fine = matches!((sent, state), (1, "sent") | (0 | 1, "unknown"));
    assert!(is_fine, "{sent} sent, {state}: {at_point}");
    if let Some(hit) = fuse.hit() {
        assert_eq!(story.deaths > 0, harm == Harm::Kill, "{hit}");
        assert!(story.told_to_retry <= 1, "{hit}");
        return Some(hit);
    }
    assert_eq!((sent, state, story.told_to_retry), (1, "sent", 0), "without harm");
    None
}

#[track_caller]
fn check(harm: Harm, least: usize) {
    let mut points = Vec::new();
    while let Some(hit) = run(harm, points.len()) {
        points.push(hit);
        assert!(points.len() < 2_000, "it never ends");
    }
    println!("{harm:?} at {} points, each survived", points.len());
    assert!(points.len() >= least, "{points:#?}");
    for kind in ["before D1", "after D1", "R2 put", "queue send"] {
        assert!(points.iter().any(|it| it.contains(kind)), "no point at {kind}");
    }
}

#[test]
fn killed_between_every_two_effects_nothing_is_lost_and_nothing_comes_twice() {
    check(Harm::Kill, 40);
}

#[test]
fn whatever_part_fails_once_nothing_is_lost_and_nothing_comes_twice() {
    check(Harm::Fail, 30);
}

//! The outgoing server of development: takes every mail and behaves as its recipient's address says.
//!
//! `ok@ soft@ hard@ full@ spam@ slow@ drop@ later@ ooo@ complain@` at `sink.test` or below it, see [`Behavior`]; anything
//! after a dot or a plus is free (`ok.anna@sink.test`). All other addresses are accepted; a canary, which Mailroom writes to
//! itself, goes in again by the front door. What was accepted can be read
//! through [`Sink::messages_to`], or by HTTP: `GET /messages?to=ADDRESS`, `GET /messages/ID` (raw), `DELETE /messages`.

mod behavior;
mod echo;
mod store;
mod view;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustls::ServerConfig;

use crate::journal::Journal;
use crate::smtp::{Answer, Envelope, Reply, Server, Service, TestCa};

pub use behavior::Behavior;
pub use store::{Received, Store};

/// What `soft@` asks for: this many refusals before it accepts.
const DEFERRALS: u32 = 2;

pub struct SinkOptions {
    pub listen: SocketAddr,
    pub http: SocketAddr,
    /// Where reports and absence notes are sent to: the front door. Without it they are only noted.
    pub front_door: Option<SocketAddr>,
    /// How long `slow@` takes, and `later@`, `ooo@` and `complain@` wait before they write.
    pub slow: Duration,
    pub later: Duration,
    pub journal: Journal,
}

impl Default for SinkOptions {
    fn default() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: free,
            http: free,
            front_door: None,
            slow: Duration::from_secs(5),
            later: Duration::from_millis(500),
            journal: Journal::silent(),
        }
    }
}

pub struct Sink {
    server: Server,
    view: view::View,
    store: Arc<Store>,
    echo: Arc<echo::Echo>,
}

impl Sink {
    pub fn start(options: SinkOptions, ca: &TestCa) -> Result<Self> {
        let store = Arc::new(Store::default());
        let view = view::View::start(options.http, Arc::clone(&store))?;
        let echo = Arc::new(echo::Echo::start(options.front_door, options.later, options.journal.clone())?);
        let service = Arc::new(SinkService {
            tls: ca.server_config(),
            store: Arc::clone(&store),
            deferrals: Mutex::default(),
            slow: options.slow,
            echo: Arc::clone(&echo),
            journal: options.journal,
        });
        let server = Server::start(options.listen, service)?;
        Ok(Self { server, view, store, echo })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub fn http_address(&self) -> SocketAddr {
        self.view.address()
    }

    /// How long `later@`, `ooo@` and `complain@` wait from now on.
    pub fn set_later(&self, later: Duration) {
        self.echo.set_later(later);
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Accepted mails for `to`, oldest first.
    pub fn messages_to(&self, to: &str) -> Vec<Received> {
        self.store.find(Some(to))
    }

    /// Waits until `n` mails for `to` have come.
    pub fn wait_for(&self, to: &str, n: usize, within: Duration) -> Result<Vec<Received>> {
        let end = Instant::now() + within;
        loop {
            let found = self.messages_to(to);
            if found.len() >= n {
                return Ok(found);
            }
            if Instant::now() > end {
                bail!("the sink got {} of {n} mails for {to} within {} s", found.len(), within.as_secs());
            }
            thread::sleep(Duration::from_millis(25));
        }
    }
}

struct SinkService {
    tls: Arc<ServerConfig>,
    store: Arc<Store>,
    deferrals: Mutex<HashMap<String, u32>>,
    slow: Duration,
    echo: Arc<echo::Echo>,
    journal: Journal,
}

impl SinkService {
    /// Refuses `DEFERRALS` times, then accepts once and begins anew.
    fn defer(&self, to: &str) -> Reply {
        let mut deferrals = self.deferrals.lock().unwrap_or_else(PoisonError::into_inner);
        let count = deferrals.entry(to.to_ascii_lowercase()).or_default();
        if *count < DEFERRALS {
            *count += 1;
            return behavior::deferral(*count);
        }
        *count = 0;
        accepted_recipient()
    }
}

impl Service for SinkService {
    fn name(&self) -> &'static str {
        "mx.sink.test"
    }

    fn max_size(&self) -> usize {
        50 * 1024 * 1024
    }

    fn tls(&self) -> Option<Arc<ServerConfig>> {
        Some(Arc::clone(&self.tls))
    }

    /// Any login is right, unless the password is `wrong`: enough to try what an administrator gets wrong.
    fn login(&self, _user: &str, password: &str) -> Option<bool> {
        Some(password != "wrong")
    }

    /// Of everybody.
    fn password(&self, _user: &str) -> Option<String> {
        Some("right".to_owned())
    }

    /// `refused@` of any domain may not send here, whoever logged in.
    fn sender(&self, from: &str) -> Reply {
        behavior::refusal_of_sender(from).unwrap_or_else(|| Reply::new(250, "2.1.0", "Ok"))
    }

    fn recipient(&self, _envelope: &Envelope, to: &str) -> Reply {
        let reply = match Behavior::of(to) {
            Behavior::Defer => self.defer(to),
            behavior => behavior.refusal_of_recipient(to).unwrap_or_else(accepted_recipient),
        };
        if !reply.is_positive() {
            self.journal.note(format!("sink {to}: {} {}", reply.code, reply.text));
        }
        reply
    }

    fn message(&self, envelope: Envelope, raw: Vec<u8>) -> Answer {
        let behaviors: Vec<Behavior> = envelope.to.iter().map(|it| Behavior::of(it)).collect();
        if behaviors.contains(&Behavior::Drop) {
            self.journal.note(format!("sink {}: hung up after DATA", envelope.to.join(" ")));
            return Answer::Hangup;
        }
        if let Some(spam) = envelope.to.iter().find(|it| Behavior::of(it) == Behavior::Spam) {
            let reply = behavior::policy_refusal(spam);
            self.journal.note(format!("sink {spam}: {} {}", reply.code, reply.text));
            return Answer::Reply(reply);
        }
        if behaviors.contains(&Behavior::Slow) {
            thread::sleep(self.slow);
        }
        for (to, behavior) in envelope.to.iter().zip(behaviors) {
            self.echo.after(behavior, &envelope, to, &raw);
            self.echo.pass_on(&envelope, to, &raw);
        }
        self.journal.note(format!("sink {} <- {}: taken", envelope.to.join(" "), envelope.from));
        let id = self.store.add(envelope, raw);
        Answer::Reply(Reply::new(250, "2.0.0", format!("Ok: queued as {id}")))
    }
}

fn accepted_recipient() -> Reply {
    Reply::new(250, "2.1.5", "Recipient ok")
}

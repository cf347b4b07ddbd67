//! Everything a handler needs, put together once per event.

use std::sync::Arc;

use mailroom_shared::time::Timestamp;

use crate::jobs::Job;
use crate::log;
use crate::ports::Blobs;
use crate::ports::Clock;
use crate::ports::Db;
use crate::ports::DbError;
use crate::ports::Jobs;
use crate::ports::Keys;
use crate::ports::Live;
use crate::ports::Mailer;
use crate::ports::Random;
use crate::ports::Resolver;
use crate::ports::Rows;
use crate::ports::Statement;

/// Host that writes the Authentication-Results we believe: Email Routing's.
pub const RECEIVING_HOST: &str = "mx.cloudflare.net";

/// Values of the environment.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Signs reply and bounce addresses and links.
    pub token_secret: String,
    /// Makes the key that seals passwords of outgoing servers; empty when it is missing.
    pub seal_secret: String,
    /// Development: the clock can be moved, faults can be made, loopback servers are allowed.
    pub is_dev: bool,
    /// DNS over HTTPS resolver; empty leaves it to the setting.
    pub resolver: String,
    /// Each binding and secret with whether it is there.
    pub bindings: std::collections::BTreeMap<String, bool>,
}

/// The world as one event sees it.
pub struct App {
    pub db: Box<dyn Db>,
    pub blobs: Box<dyn Blobs>,
    pub jobs: Box<dyn Jobs>,
    pub live: Box<dyn Live>,
    pub mailer: Box<dyn Mailer>,
    pub clock: Box<dyn Clock>,
    pub random: Box<dyn Random>,
    pub keys: Box<dyn Keys>,
    pub resolver: Box<dyn Resolver>,
    pub config: Config,
}

pub type SharedApp = Arc<App>;

impl App {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new ULID.
    pub fn new_id(&self) -> String {
        let mut random = [0; 10];
        self.random.bytes(&mut random);
        mailroom_shared::id::ulid(self.now(), random)
    }

    /// One statement in a transaction of its own.
    pub async fn run(&self, statement: Statement) -> Result<Rows, DbError> {
        let mut all = self.db.batch(vec![statement]).await?;
        Ok(all.pop().unwrap_or_default())
    }

    /// Sends a nudge. A lost one is found again by the minute sweep, so a failure is only logged.
    pub async fn nudge(&self, job: Job, delay_seconds: u32) {
        if let Err(error) = self.jobs.send(&job, delay_seconds).await {
            log::warn("nudge_lost", &[("job", job.name()), ("error", &error.to_string())]);
        }
    }

    /// Tells open pages to read again.
    pub async fn stale(&self, tags: &[String]) {
        self.live.publish(tags).await;
    }
}

//! Nudges. A job carries ids, never bodies; the rows say what is to be done, and doing it twice does no harm.

pub mod actions;
pub mod breaker;
pub mod campaigns;
pub mod canary;
mod deliver;
mod held;
mod ingest;
mod rotation;
mod sending_events;
pub mod vacuum;

use serde::Deserialize;
use serde::Serialize;

use crate::app::SharedApp;
use crate::log;

pub use deliver::Fleet;
pub use deliver::RULES;
pub use deliver::compiled;
pub use deliver::run as deliver;
pub use held::dismiss;
pub use held::release;
pub use held::reply_address;
pub use held::restore;
pub use ingest::Fault;
pub use ingest::run as ingest;
pub use ingest::write_all;

/// What a queue message asks for. Versioned by name: a new shape is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Write an accepted mail.
    Ingest { id: String },
    /// Write these accepted mails.
    IngestAll { ids: Vec<String> },
    /// Send what is due.
    Deliver,
    /// Let the next campaign leave.
    Campaigns,
}

impl Job {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ingest { .. } | Self::IngestAll { .. } => "ingest",
            Self::Deliver => "deliver",
            Self::Campaigns => "campaigns",
        }
    }
}

/// Does the jobs of a batch, those of one kind together. Returns the indexes of those to be tried again.
pub async fn consume(app: &SharedApp, queue: &str, bodies: &[String]) -> Vec<usize> {
    if queue.ends_with("-dlq") {
        log::warn("dead_letters", &[("queue", queue), ("count", &bodies.len().to_string())]);
        return drain(app, bodies).await;
    }
    if queue.ends_with("-sending-events") {
        return sending_events::consume(app, bodies).await;
    }
    let mut ingests = Vec::new();
    let (mut deliver_asked, mut campaigns_asked) = (None, None);
    for (index, body) in bodies.iter().enumerate() {
        match serde_json::from_str::<Job>(body) {
            Ok(Job::Ingest { id }) => ingests.push((index, id)),
            Ok(Job::IngestAll { ids }) => ingests.extend(ids.into_iter().map(|id| (index, id))),
            Ok(Job::Deliver) => deliver_asked = Some(index),
            Ok(Job::Campaigns) => campaigns_asked = Some(index),
            Err(error) => log::warn("unknown_job", &[("queue", queue), ("error", &error.to_string())]),
        }
    }
    let mut failed = Vec::new();
    if !ingests.is_empty() {
        let ids: Vec<String> = ingests.iter().map(|(_, id)| id.clone()).collect();
        if let Err(error) = ingest(app, &ids).await {
            log::error("ingest_failed", &[("error", &error.to_string())]);
            failed.extend(ingests.iter().map(|(index, _)| *index));
            failed.dedup();
        }
    }
    if let Some(index) = deliver_asked
        && let Err(error) = deliver(app).await
    {
        log::error("deliver_failed", &[("error", &error.to_string())]);
        failed.push(index);
    }
    if let Some(index) = campaigns_asked
        && let Err(error) = campaigns::wake(app).await
    {
        log::error("campaigns_failed", &[("error", &error.to_string())]);
        failed.push(index);
    }
    failed
}

/// Dead letters: mails go to the tray of the unprocessed and are tried once more; any other nudge is found again by the
/// minute sweep.
async fn drain(app: &SharedApp, bodies: &[String]) -> Vec<usize> {
    let ids: Vec<String> = bodies
        .iter()
        .flat_map(|it| match serde_json::from_str::<Job>(it) {
            Ok(Job::Ingest { id }) => vec![id],
            Ok(Job::IngestAll { ids }) => ids,
            _ => Vec::new(),
        })
        .collect();
    if ids.is_empty() {
        return Vec::new();
    }
    match ingest::drain(app, &ids).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            log::error("dead_letters_not_drained", &[("error", &error.to_string())]);
            (0..bodies.len()).collect()
        }
    }
}

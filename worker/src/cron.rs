//! Every minute: what was lost is found, what is due is nudged, what died is settled.

use mailroom_shared::time::Span;

use crate::app::SharedApp;
use crate::jobs;
use crate::log;
use crate::ports::DbError;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::aliases;
use crate::store::deliveries;
use crate::store::incoming;
use crate::store::ingests;
use crate::store::refusals;
use crate::store::settings;

/// A nudge is given this long before its mail counts as forgotten.
const PATIENCE: Span = Span::seconds(20);
/// Mails picked up per minute; the rest waits for the next.
const MAX_STUCK: u32 = 200;

/// The minute's work. Each part for itself: one that fails does not stop the others.
pub async fn tick(app: &SharedApp) {
    if let Err(error) = settle_lost(app).await {
        log::error("sweep_leases_failed", &[("error", &error.to_string())]);
    }
    if let Err(error) = pick_up(app).await {
        log::error("sweep_ingests_failed", &[("error", &error.to_string())]);
    }
    if let Err(error) = keep_house(app).await {
        log::error("housekeeping_failed", &[("error", &error.to_string())]);
    }
    if let Err(error) = jobs::deliver(app).await {
        log::error("sweep_deliveries_failed", &[("error", &error.to_string())]);
    }
}

async fn settle_lost(app: &SharedApp) -> Result<(), DbError> {
    let answers = app.db.batch(deliveries::settle_lost(app.now()).to_vec()).await?;
    if answers.iter().any(|it| it.changes > 0) {
        app.stale(&[
            mailroom_shared::api::tag::EMAILS.to_owned(),
            mailroom_shared::api::tag::SHELL.to_owned(),
            mailroom_shared::api::tag::RECORDS.to_owned(),
        ])
        .await;
    }
    Ok(())
}

async fn pick_up(app: &SharedApp) -> Result<(), StoreError> {
    let stuck = ingests::stuck(app, app.now() - PATIENCE, MAX_STUCK).await?;
    if !stuck.is_empty() {
        log::warn("picked_up", &[("count", &stuck.len().to_string())]);
        jobs::write_all(app, stuck).await;
    }
    Ok(())
}

/// Former addresses of an alias live until nobody used them for so long.
const QUIET: Span = Span::days(90);

/// Old lines of the journal and quiet addresses go; the size of the database is noted, so that people are told in time.
async fn keep_house(app: &SharedApp) -> Result<(), StoreError> {
    let now = app.now();
    let mut answers = Answers::new(app.db.batch(vec![settings::get(refusals::JOURNAL_DAYS)]).await?);
    let days = settings::days(&mut answers, refusals::KEPT_DAYS)?;
    let mut statements = refusals::forget(now - Span::days(i64::from(days))).to_vec();
    statements.push(aliases::retire_names(now - QUIET));
    let size = app.db.batch(statements).await?.iter().filter_map(|it| it.database_bytes).next_back();
    if let Some(size) = size {
        app.run(settings::set(incoming::DATABASE_BYTES, &format!("{size:.0}"))).await?;
    }
    Ok(())
}

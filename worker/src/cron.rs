//! Every minute: what was lost is found, what is due is nudged, what died is settled.

use mailroom_shared::time::Span;

use crate::app::SharedApp;
use crate::jobs;
use crate::log;
use crate::ports::DbError;
use crate::store::StoreError;
use crate::store::deliveries;
use crate::store::ingests;
use crate::store::suppressions;

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
    if let Err(error) = jobs::deliver(app).await {
        log::error("sweep_deliveries_failed", &[("error", &error.to_string())]);
    }
}

async fn settle_lost(app: &SharedApp) -> Result<(), DbError> {
    let mut statements = deliveries::settle_lost(app.now()).to_vec();
    statements.push(suppressions::expire(app.now()));
    let answers = app.db.batch(statements).await?;
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

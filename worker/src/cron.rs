//! Every minute: the scheduled actions that are due (`jobs::actions`), and what keeps the house clean.

use mailroom_shared::time::Span;

use crate::app::SharedApp;
use crate::jobs;
use crate::log;
use crate::store::StoreError;
use crate::store::aliases;
use crate::store::incoming;
use crate::store::messages;
use crate::store::settings;

/// The minute's work. Each part for itself: one that fails does not stop the others.
pub async fn tick(app: &SharedApp) {
    jobs::actions::run_due(app).await;
    if let Err(error) = keep_house(app).await {
        log::error("housekeeping_failed", &[("error", &error.to_string())]);
    }
}

/// Former addresses of an alias live until nobody used them for so long.
const QUIET: Span = Span::days(90);
/// Mail servers give up on a mail after five days.
const AWAITED: Span = Span::days(14);

/// Quiet addresses go; the size of the database is noted, so that people are told in time.
async fn keep_house(app: &SharedApp) -> Result<(), StoreError> {
    let now = app.now();
    app.run(messages::forget_awaited(now - AWAITED)).await?;
    let size = app.run(aliases::retire_names(now - QUIET)).await?.database_bytes;
    if let Some(size) = size {
        app.run(settings::set(incoming::DATABASE_BYTES, &format!("{size:.0}"))).await?;
    }
    Ok(())
}

//! The provider's events: each is counted once with the delivery it is about, in whatever order they come.

use mailroom_shared::api::tag;
use mailroom_shared::outbox::sending_event;
use mailroom_shared::outbox::sending_event::SendingEvent;
use mailroom_shared::time::Span;

use crate::app::App;
use crate::log;
use crate::store;
use crate::store::StoreError;
use crate::store::deliveries;
use crate::store::provider_events;
use crate::store::suppressions;

/// An event that found no delivery in this time is of no mail of ours.
const PATIENCE: Span = Span::days(3);
/// Events of one batch.
const CHUNK: u32 = 100;

/// Keeps events as they come and counts what can be. Returns the places of those that could not be kept.
pub(super) async fn consume(app: &App, bodies: &[String]) -> Vec<usize> {
    let rows = bodies.iter().map(|it| provider_events::keep(it, app.now())).collect();
    if let Err(error) = app.db.batch(rows).await {
        log::error("events_not_kept", &[("error", &error.to_string())]);
        return (0..bodies.len()).collect();
    }
    // They are rows: should this fail, the minute's sweep counts them.
    if let Err(error) = count(app).await {
        log::error("events_not_counted", &[("error", &error.to_string())]);
    }
    Vec::new()
}

/// Counts events whose delivery is known. Returns how many.
pub(super) async fn count(app: &App) -> Result<u32, StoreError> {
    let now = app.now();
    let rows: Vec<provider_events::Found> =
        store::decode(app.run(provider_events::found(now - PATIENCE, CHUNK)).await?)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut events: Vec<(SendingEvent, &provider_events::Found)> =
        rows.iter().filter_map(|row| Some((sending_event::read(&row.body)?, row))).collect();
    events.sort_by_key(|(event, _)| event.at);
    let mut statements = Vec::new();
    for (event, row) in &events {
        let mark = deliveries::Mark {
            delivery: &row.delivery_id,
            from: deliveries::sources(event.event()),
            to: event.outcome(),
            reason: event.failure.as_ref().map(|it| it.reason),
            permanent: event.failure.as_ref().is_some_and(|it| it.permanent),
            code: event.code,
            status: event.status.as_deref(),
            text: &event.text,
            event: event.outcome().as_str(),
            ingest: None,
        };
        statements.extend(deliveries::mark(&mark, now));
        statements.extend(suppressions::of_failures(&[row.delivery_id.as_str()], now));
        statements.push(crate::store::failures::tell(&[row.delivery_id.as_str()], now));
    }
    statements.push(provider_events::matched(&rows.iter().map(|it| it.sha256.clone()).collect::<Vec<_>>(), now));
    app.db.batch(statements).await?;
    let mut tags = vec![tag::SHELL.to_owned(), tag::EMAILS.to_owned(), tag::RECORDS.to_owned()];
    tags.extend(rows.iter().filter_map(|it| it.record_id.as_deref()).map(tag::record));
    tags.sort();
    tags.dedup();
    app.stale(&tags).await;
    Ok(rows.len() as u32)
}

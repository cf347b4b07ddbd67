//! Senders whose mail is held: put there by a person, or by loop protection for a while.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::incoming::PausedRow;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// The first pause of a sender who loops; each further one is twice as long.
const FIRST: Span = Span::hours(1);
/// A sender who was quiet for so long begins anew.
const FORGIVEN: Span = Span::days(7);

/// Pauses a sender whose loop was refused: an hour, then two, four, … up to 64.
pub fn pause_loop(key: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO paused_senders (address_key, reason, created, until, times) VALUES (?1, 'loop', ?2, ?2 + ?3, 1)
         ON CONFLICT (address_key) DO UPDATE SET
           times = CASE WHEN created < ?2 - ?4 THEN 1 ELSE times + 1 END,
           until = ?2 + ?3 * (1 << MIN(CASE WHEN created < ?2 - ?4 THEN 0 ELSE times END, 6)),
           created = ?2, reason = 'loop', released = NULL
         WHERE released IS NOT NULL OR (until IS NOT NULL AND until <= ?2)",
        key,
        now,
        crate::ports::Value::Number(FIRST.as_millis() as f64),
        crate::ports::Value::Number(FORGIVEN.as_millis() as f64)
    )
}

pub fn pause_by_hand(key: &str, by: &str, note: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO paused_senders (address_key, reason, created, until, by_name, note) VALUES (?1, 'person', ?2, NULL, ?3, ?4)
         ON CONFLICT (address_key) DO UPDATE SET reason = 'person', created = ?2, until = NULL, released = NULL,
           by_name = ?3, note = ?4",
        key,
        now,
        by,
        super::messages::cut(note, 500)
    )
}

/// Lets a sender write again; what he wrote before counts for no loop any more. The row stays, so that the next pause is
/// longer.
pub fn release(key: &str, now: Timestamp) -> Statement {
    statement!("UPDATE paused_senders SET released = ?2 WHERE address_key = ?1 AND released IS NULL", key, now)
}

#[derive(Deserialize)]
struct Row {
    address: EmailAddress,
    reason: String,
    note: String,
    by_name: Option<String>,
    since: Timestamp,
    until: Option<Timestamp>,
    times: u32,
    held: u32,
}

/// Those who are paused now, newest first.
pub fn list_statement(now: Timestamp) -> Statement {
    statement!(
        "SELECT p.address_key AS address, p.reason, p.note, p.by_name, p.created AS since, p.until, p.times,
         (SELECT COUNT(*) FROM ingests i WHERE i.sender_key = p.address_key AND i.outcome = 'held') AS held
         FROM paused_senders p WHERE p.released IS NULL AND (p.until IS NULL OR p.until > ?1)
         ORDER BY p.created DESC, p.address_key LIMIT 500",
        now
    )
}

pub async fn list(app: &App) -> Result<Vec<PausedRow>, StoreError> {
    let rows: Vec<Row> = super::decode(app.run(list_statement(app.now())).await?)?;
    Ok(rows
        .into_iter()
        .map(|it| PausedRow {
            address: it.address,
            reason: it.reason,
            note: it.note,
            by: it.by_name,
            since: it.since,
            until: it.until,
            times: it.times,
            held: it.held,
        })
        .collect())
}

//! What the provider tells of mail it took from us: kept as it came, counted once its delivery is known.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::outbox::sending_event;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::to_json;
use crate::ports::Statement;
use crate::statement;

/// Keeps an event; the same one again changes nothing, byte by byte or by its id.
pub fn keep(body: &str, now: Timestamp) -> Statement {
    let event = sending_event::read(body);
    let recipient = event.as_ref().and_then(|it| EmailAddress::parse(&it.recipient).ok()).map(|it| it.key());
    statement!(
        "INSERT OR IGNORE INTO provider_events (sha256, body, received, event_id, mail_id, recipient_key, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        mailroom_shared::mail::parse::sha256_hex(body.as_bytes()),
        body,
        now,
        event.as_ref().map(|it| it.id.as_str()),
        event.as_ref().map(|it| it.message_id.as_str()),
        recipient.as_deref(),
        event.as_ref().map(|it| it.state.as_str())
    )
}

#[derive(Debug, Deserialize)]
pub struct Found {
    pub sha256: String,
    pub body: String,
    pub delivery_id: String,
    pub record_id: Option<String>,
}

/// Events that wait and whose delivery is known by now, by the id the provider gave the mail or by our own. One of which
/// nothing is known yet stays: it may have been quicker than our own bookkeeping.
pub fn found(since: Timestamp, most: u32) -> Statement {
    statement!(
        "SELECT e.sha256, e.body, d.id AS delivery_id, d.record_id FROM provider_events e INDEXED BY provider_events_open
           JOIN deliveries d ON d.address_key = e.recipient_key AND (d.provider_id = e.mail_id
             OR d.message_id IN (SELECT id FROM messages WHERE rfc_id = e.mail_id))
         WHERE e.matched IS NULL AND e.mail_id IS NOT NULL AND e.received >= ?1 ORDER BY e.received LIMIT ?2",
        since,
        most
    )
}

pub fn matched(keys: &[String], now: Timestamp) -> Statement {
    statement!(
        "UPDATE provider_events SET matched = ?2 WHERE sha256 IN (SELECT value FROM json_each(?1))",
        to_json(keys),
        now
    )
}

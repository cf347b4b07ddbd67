//! How mail arrives: figures over deliveries, and the timeline of a contact.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::deliverability::ContactEvent;
use mailroom_shared::api::deliverability::ContactEventKind;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::int_bool;
use crate::ports::Statement;
use crate::statement;

/// Deliveries looked at: figures of more would be no better and take too long.
pub const MOST: u32 = 200_000;

/// The newest deliveries of a time.
fn newest() -> String {
    format!(
        "(SELECT created, state, rcpt_domain, reason, permanent FROM deliveries INDEXED BY deliveries_by_time
          WHERE created >= ?1 ORDER BY created DESC LIMIT {MOST})"
    )
}

#[derive(Deserialize)]
pub struct DayRow {
    /// Days since 1970, UTC.
    pub day: i64,
    pub state: DeliveryState,
    pub n: u32,
}

pub fn by_day(since: Timestamp) -> Statement {
    statement!(format!("SELECT created / 86400000 AS day, state, COUNT(*) AS n FROM {} GROUP BY 1, 2", newest()), since)
}

#[derive(Deserialize)]
pub struct DomainRow {
    pub domain: String,
    pub state: DeliveryState,
    pub n: u32,
}

pub fn by_domain(since: Timestamp) -> Statement {
    statement!(format!("SELECT rcpt_domain AS domain, state, COUNT(*) AS n FROM {} GROUP BY 1, 2", newest()), since)
}

#[derive(Deserialize)]
pub struct ReasonRow {
    pub reason: Reason,
    pub n: u32,
}

pub fn by_reason(since: Timestamp) -> Statement {
    statement!(
        format!(
            "SELECT reason, COUNT(*) AS n FROM {} WHERE reason IS NOT NULL
             AND state IN ('deferred', 'failed', 'bounced', 'complained', 'ignored') GROUP BY 1",
            newest()
        ),
        since
    )
}

/// Answered bulk mail of a time, as [`mailroom_shared::outbox::breaker::BulkDay`].
pub fn bulk(since: Timestamp) -> Statement {
    statement!(
        "SELECT COUNT(*) AS answered, COALESCE(SUM(permanent = 1 AND state IN ('failed', 'bounced', 'ignored')), 0) AS dead,
           COALESCE(SUM(state = 'complained'), 0) AS complaints FROM deliveries INDEXED BY deliveries_by_time
         WHERE created >= ?1 AND lane = 'bulk' AND state IN ('sent', 'delivered', 'failed', 'bounced', 'complained', 'ignored')",
        since
    )
}

#[derive(Deserialize)]
struct EventRow {
    at: Timestamp,
    kind: ContactEventKind,
    address: String,
    subject: String,
    record_id: Option<RecordId>,
    state: Option<DeliveryState>,
    reason: Option<Reason>,
    text: Option<String>,
    #[serde(deserialize_with = "int_bool")]
    permanent: bool,
}

/// A line of a timeline, and whether its failure is for good.
pub struct Told {
    pub event: ContactEvent,
    pub permanent: bool,
}

/// The newest of what happened with one address, by its key.
pub fn of_address(key: &str) -> Statement {
    statement!(
        "SELECT * FROM (SELECT d.state_at AS at, 'sent' AS kind, d.address, e.subject, d.record_id, d.state, d.reason,
             d.server_text AS text, d.permanent FROM deliveries d JOIN emails e ON e.id = d.email_id
           WHERE d.address_key = ?1 ORDER BY d.created DESC LIMIT 100)
         UNION ALL
         SELECT * FROM (SELECT received, IIF(json_extract(verdict, '$.alive') IS NULL, 'automatic', 'wrote'), sender_key, subject,
             record_id, NULL, NULL, NULL, 0 FROM ingests WHERE sender_key = ?1 ORDER BY received DESC LIMIT 100)
         UNION ALL
         SELECT created, 'suppressed', address, '', NULL, NULL, reason, COALESCE(note, evidence), 0
           FROM suppressions WHERE address_key = ?1 AND scope = 'all'
         UNION ALL
         SELECT * FROM (SELECT at, 'lifted', address, '', NULL, NULL, reason,
             CASE WHEN actor IS NULL THEN text ELSE actor || ': ' || text END, 0 FROM suppression_events
           WHERE address_key = ?1 AND scope = 'all' AND kind IN ('lifted', 'answered', 'expired') ORDER BY at DESC LIMIT 20)",
        key
    )
}

/// Reads the answer of [`of_address`].
pub fn told(rows: crate::ports::Rows) -> Result<Vec<Told>, super::StoreError> {
    Ok(super::decode::<EventRow>(rows)?
        .into_iter()
        .map(|it| Told {
            event: ContactEvent {
                at: it.at,
                kind: it.kind,
                address: it.address,
                subject: it.subject,
                record: it.record_id,
                state: it.state,
                reason: it.reason,
                text: it.text.unwrap_or_default(),
            },
            permanent: it.permanent,
        })
        .collect())
}

/// Statements for all addresses of a contact, in their order.
pub fn of_addresses(addresses: &[EmailAddress]) -> Vec<Statement> {
    addresses.iter().map(|it| of_address(&it.key())).collect()
}

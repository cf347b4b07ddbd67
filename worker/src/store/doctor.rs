//! Domains as last checked, and what the installation says about itself.

use mailroom_shared::doctor::Report;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::json;
use super::to_json;
use crate::ports::Statement;
use crate::statement;

/// Setting: the DNS over HTTPS resolver; absent takes the default.
pub const RESOLVER: &str = "resolver";

/// A domain as last checked.
#[derive(Debug, Clone, Deserialize)]
pub struct Checked {
    pub domain: String,
    pub at: Timestamp,
    pub changed: Option<Timestamp>,
    #[serde(deserialize_with = "json")]
    pub report: Report,
}

/// One row per alias domain.
pub fn list() -> Statement {
    statement!("SELECT domain, at, changed, report FROM domain_checks ORDER BY domain")
}

pub fn save(report: &Report, changed: Option<Timestamp>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO domain_checks (domain, at, changed, report) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (domain) DO UPDATE SET at = excluded.at, changed = excluded.changed, report = excluded.report",
        &report.domain,
        now,
        changed,
        to_json(report)
    )
}

/// Domains that are no longer ours.
pub fn forget_others() -> Statement {
    statement!("DELETE FROM domain_checks WHERE domain NOT IN (SELECT name FROM domains)")
}

/// Older notices about a domain give way to a new one.
pub fn settle_notices(domain: &str, now: Timestamp) -> Statement {
    let prefix = format!("domain_changed:{domain}:");
    statement!(
        "UPDATE notices SET settled = ?3 WHERE id >= ?1 AND id < ?2 AND settled IS NULL",
        &prefix,
        format!("{prefix}~"),
        now
    )
}

/// Lines about mails with these Message-IDs (a JSON array, in angle brackets), most of each kind.
pub fn facts(ids: &str) -> [Statement; 6] {
    let all = |sql: &'static str| statement!(sql, ids);
    [
        all("SELECT received AS at, 'incoming' AS kind, rfc_id AS id, record_id AS record,
               state || ' for ' || rcpt_to || ' from ' || mail_from || COALESCE(', ' || outcome, '') || COALESCE(', held: ' || held, '')
                 || COALESCE(', ' || fault, '') || COALESCE(': ' || error, '') || '. ' || verdict AS text
             FROM ingests WHERE rfc_id IN (SELECT value FROM json_each(?1)) LIMIT 100"),
        all("SELECT e.at, 'act' AS kind, i.rfc_id AS id, i.record_id AS record,
               e.kind || COALESCE(' by ' || e.by_name, '') || CASE e.text WHEN '' THEN '' ELSE ': ' || e.text END AS text
             FROM ingests i CROSS JOIN ingest_events e ON e.ingest_id = i.id
             WHERE i.rfc_id IN (SELECT value FROM json_each(?1)) LIMIT 100"),
        all("SELECT at, 'refused' AS kind, rfc_id AS id, NULL AS record, '550 ' || status || ' ' || text || ' (' || reason || ') ' || why AS text
             FROM refusals WHERE rfc_id IN (SELECT value FROM json_each(?1)) AND rfc_id IS NOT NULL LIMIT 100"),
        all("SELECT at, 'ignored' AS kind, rfc_id AS id, NULL AS record, kind || ', ' || times || ' times. ' || why AS text
             FROM ignored WHERE rfc_id IN (SELECT value FROM json_each(?1)) AND rfc_id IS NOT NULL LIMIT 100"),
        all("SELECT d.state_at AS at, 'delivery' AS kind, m.rfc_id AS id, d.record_id AS record,
               d.address || ': ' || d.state || ', tries: ' || d.tries || COALESCE(', by ' || d.server_name, '')
                 || COALESCE(', ' || d.reason, '') || COALESCE('. ' || d.server_text, '') AS text
             FROM messages m CROSS JOIN deliveries d ON d.message_id = m.id
             WHERE m.rfc_id IN (SELECT value FROM json_each(?1)) AND m.rfc_id IS NOT NULL LIMIT 200"),
        all("SELECT e.at, 'event' AS kind, m.rfc_id AS id, d.record_id AS record,
               d.address || ': ' || e.kind || COALESCE(' by ' || e.by_name, '') || CASE e.text WHEN '' THEN '' ELSE ': ' || e.text END AS text
             FROM messages m CROSS JOIN deliveries d ON d.message_id = m.id CROSS JOIN events e ON e.delivery_id = d.id
             WHERE m.rfc_id IN (SELECT value FROM json_each(?1)) AND m.rfc_id IS NOT NULL LIMIT 400"),
    ]
}

/// Numbers of the installation.
#[derive(Debug, Default, Deserialize)]
pub struct Installation {
    /// When the sweeps run next; a minute before, the clock was seen.
    pub next_tick: Option<Timestamp>,
    /// Scheduled actions that are off or failing, parted by commas.
    pub actions: Option<String>,
    pub due: u32,
    pub due_oldest: Option<Timestamp>,
    pub unprocessed: u32,
    pub aliases: u32,
    pub failing_aliases: Option<String>,
    /// Mails that left by Cloudflare in the last week.
    pub by_cloudflare: u32,
    pub database_bytes: Option<String>,
    /// Administrators without a real address.
    pub placeholders: Option<String>,
}

/// One row; each part reads a handful of rows or an index.
pub fn installation(late: Timestamp, now: Timestamp, week_ago: Timestamp) -> Statement {
    statement!(
        "SELECT (SELECT MAX(next_run) FROM actions WHERE name IN ('intake_sweep', 'retry_sweep')) AS next_tick,
           (SELECT group_concat(name, ', ') FROM actions WHERE enabled = 0 OR failures > 0) AS actions,
           (SELECT COUNT(*) FROM deliveries INDEXED BY deliveries_due WHERE state IN ('outgoing', 'deferred') AND due <= ?2) AS due,
           (SELECT MIN(due) FROM deliveries INDEXED BY deliveries_due WHERE state IN ('outgoing', 'deferred') AND due <= ?2) AS due_oldest,
           (SELECT COUNT(*) FROM ingests WHERE state = 'failed')
             + (SELECT COUNT(*) FROM ingests WHERE state = 'accepted' AND received < ?1) AS unprocessed,
           (SELECT COUNT(*) FROM aliases) AS aliases,
           (SELECT group_concat(address, ', ') FROM aliases WHERE state = 'failing') AS failing_aliases,
           (SELECT COALESCE(SUM(u.n), 0) FROM servers s CROSS JOIN server_usage u ON u.server_id = s.id AND u.hour >= ?3
             WHERE s.kind = 'cloudflare') AS by_cloudflare,
           (SELECT value FROM settings WHERE key = ?4) AS database_bytes,
           (SELECT group_concat(e.address, ', ') FROM users u CROSS JOIN contact_emails e ON e.contact_id = u.contact_id AND e.position = 0
             WHERE u.role = 'administrator' AND u.archived = 0 AND (e.key LIKE '%@example.%' OR e.key LIKE '%.example'
               OR e.key LIKE '%.invalid' OR e.key LIKE '%.localhost')) AS placeholders",
        late,
        now,
        week_ago.as_millis().div_euclid(3_600_000),
        super::incoming::DATABASE_BYTES
    )
}

#[derive(Debug, Deserialize)]
pub struct EventType {
    pub name: Option<String>,
}

/// Types of delivery events among the newest.
pub fn event_types() -> Statement {
    statement!(
        "SELECT DISTINCT CASE WHEN json_valid(body) THEN json_extract(body, '$.type') END AS name FROM
           (SELECT body FROM provider_events INDEXED BY provider_events_by_time ORDER BY received DESC LIMIT 2000)"
    )
}

//! From lists to recipients, from recipients to the queue: in chunks that each know by themselves where the last one
//! ended. A chunk and its place are one transaction, so a run may die anywhere and nobody is written down twice.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::campaigns::Audience;
use mailroom_shared::campaign::ledger::LeftOut;
use mailroom_shared::outbox::retry;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::super::to_json;
use crate::ports::Statement;
use crate::statement;

/// Why an address is left out, blacklist first, then unsubscribed, then the list's own opt-out.
fn left_out(key: &str, address: &str, opted_out: &str) -> String {
    let suppressed = |column: &str, scope: &str| {
        format!(
            "(SELECT s.{column} FROM suppressions s WHERE s.address_key = {key} AND s.scope = '{scope}'
               AND (s.expires IS NULL OR s.expires > ?3))"
        )
    };
    format!(
        "CASE WHEN {address} NOT LIKE '_%@_%' THEN 'invalid' ELSE COALESCE(
           CASE {} WHEN 'manual' THEN 'suppressed' WHEN 'import' THEN 'suppressed' WHEN 'complaint' THEN 'complained'
             WHEN 'unsubscribe' THEN 'unsubscribed' WHEN 'bounce' THEN 'bounced' WHEN 'soft' THEN 'bounced' END,
           CASE {} WHEN 'manual' THEN 'suppressed' WHEN 'import' THEN 'suppressed' WHEN 'unsubscribe' THEN 'unsubscribed'
             WHEN 'complaint' THEN 'complained' WHEN 'bounce' THEN 'bounced' WHEN 'soft' THEN 'bounced' END,
           {opted_out}) END",
        suppressed("source", "all"),
        suppressed("source", "campaigns")
    )
}

/// Being on two lists, and opted out on one of them, is being on the other.
const ON_CONFLICT: &str = "ON CONFLICT (campaign_id, address_key) DO UPDATE SET copies = copies + excluded.copies,
  left_out = CASE WHEN campaign_recipients.left_out = 'opted_out' AND excluded.left_out IS NULL THEN NULL
    ELSE campaign_recipients.left_out END";

/// The next members of the list that is its turn.
pub fn write_members(id: &str, most: u32, now: Timestamp) -> [Statement; 2] {
    let chunk = "FROM campaigns k CROSS JOIN mailing_list_members m
         ON m.list_id = json_extract(k.audience, '$.lists[' || k.source || ']') AND m.address_key > k.after
       WHERE k.id = ?1 AND k.state = 'sending' AND k.is_listed = 0";
    let why = left_out("m.address_key", "m.address_key", "CASE WHEN m.opted_out IS NOT NULL THEN 'opted_out' END");
    [
        statement!(
            format!(
                "INSERT INTO campaign_recipients (campaign_id, address_key, address, name, fields, left_out)
                 SELECT k.id, m.address_key, m.address, m.name, m.fields, {why} {chunk} ORDER BY m.address_key LIMIT ?2 {ON_CONFLICT}"
            ),
            id,
            most,
            now
        ),
        advance(&format!("SELECT m.address_key AS key {chunk} ORDER BY m.address_key LIMIT ?2"), id, most),
    ]
}

/// The next customers among the contacts.
pub fn write_contacts(id: &str, most: u32, now: Timestamp) -> [Statement; 2] {
    let chunk = "FROM campaigns k CROSS JOIN contact_emails e INDEXED BY contact_emails_by_key ON e.key > k.after
         CROSS JOIN contacts c ON c.id = e.contact_id
       WHERE k.id = ?1 AND k.state = 'sending' AND k.is_listed = 0 AND k.audience ->> 'contacts' IS NOT NULL
         AND e.position = 0 AND c.archived = 0 AND c.internal = 0
         AND (instr(e.key, lower(k.audience ->> 'contacts')) OR instr(lower(c.name), lower(k.audience ->> 'contacts')))";
    let why = left_out("e.key", "e.key", "NULL");
    [
        statement!(
            format!(
                "INSERT INTO campaign_recipients (campaign_id, address_key, address, name, fields, copies, left_out)
                 SELECT k.id, e.key, MIN(e.address), MIN(c.name), '{{}}', COUNT(*), {why} {chunk}
                 GROUP BY e.key ORDER BY e.key LIMIT ?2 {ON_CONFLICT}"
            ),
            id,
            most,
            now
        ),
        advance(&format!("SELECT e.key AS key {chunk} GROUP BY e.key ORDER BY e.key LIMIT ?2"), id, most),
    ]
}

/// After a chunk: its last address, or the next source.
fn advance(chunk: &str, id: &str, most: u32) -> Statement {
    statement!(
        format!(
            "UPDATE campaigns SET source = source + (j.n < ?2), after = CASE WHEN j.n < ?2 THEN '' ELSE j.last END
             FROM (SELECT COUNT(*) AS n, MAX(key) AS last FROM ({chunk})) AS j
             WHERE campaigns.id = ?1 AND campaigns.state = 'sending' AND campaigns.is_listed = 0"
        ),
        id,
        most
    )
}

/// All are written down. `sources` are the lists, and one more for contacts.
pub fn close_list(id: &str, sources: usize) -> Statement {
    statement!(
        "UPDATE campaigns SET is_listed = 1,
           recipients = (SELECT COUNT(*) FROM campaign_recipients r WHERE r.campaign_id = ?1 AND r.left_out IS NULL)
         WHERE id = ?1 AND source >= ?2 AND is_listed = 0 AND state = 'sending'",
        id,
        sources
    )
}

/// The next recipients become deliveries.
pub fn queue_up(id: &str, most: u32, now: Timestamp) -> [Statement; 3] {
    let prefix: String = id.chars().take(16).collect();
    let chunk = "FROM campaigns k CROSS JOIN campaign_recipients r INDEXED BY recipients_in_order
         ON r.campaign_id = k.id AND r.n > k.handed
       WHERE k.id = ?1 AND k.state = 'sending' AND k.is_listed = 1 AND k.is_expanded = 0 AND r.left_out IS NULL
       ORDER BY r.n LIMIT ?2";
    [
        statement!(
            format!(
                "INSERT OR IGNORE INTO deliveries (id, email_id, message_id, name, address, address_key, field, lane, state, state_at,
                   due, first_due, created)
                 SELECT ?3 || printf('%010d', r.n), k.id, k.id, r.name, r.address, r.address_key, 'to', 'bulk', 'outgoing',
                   ?4, ?4, ?4, ?4 {chunk}"
            ),
            id,
            most,
            prefix.as_str(),
            now
        ),
        statement!(
            format!(
                "INSERT INTO events (delivery_id, at, kind) SELECT ?3 || printf('%010d', r.n), ?4, 'queued' {chunk}"
            ),
            id,
            most,
            prefix.as_str(),
            now
        ),
        statement!(
            format!(
                "UPDATE campaigns SET handed = COALESCE(j.last, handed), is_expanded = (j.n < ?2)
                 FROM (SELECT COUNT(*) AS n, MAX(n) AS last FROM (SELECT r.n AS n {chunk})) AS j
                 WHERE campaigns.id = ?1 AND campaigns.state = 'sending' AND campaigns.is_listed = 1"
            ),
            id,
            most
        ),
    ]
}

/// How far a campaign is.
#[derive(Debug, Clone, Deserialize)]
pub struct Progress {
    pub state: String,
    pub source: u32,
    pub is_listed: u32,
    pub is_expanded: u32,
}

pub fn progress(id: &str) -> Statement {
    statement!("SELECT state, source, is_listed, is_expanded FROM campaigns WHERE id = ?1", id)
}

/// What of a paused campaign still waits in the queue is held, a part at a time.
pub fn hold(id: &str, most: u32) -> Statement {
    statement!(
        "UPDATE deliveries SET wait = 'held', due = ?2 WHERE id IN
           (SELECT id FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
              AND state IN ('outgoing', 'deferred') AND due < ?2 AND COALESCE(wait, '') <> 'held' LIMIT ?3)
           AND EXISTS (SELECT 1 FROM campaigns WHERE id = ?1 AND state = 'paused')",
        id,
        retry::NEVER,
        most
    )
}

/// What was held goes on; before the campaign itself does, so that whoever dies in between only has to resume again.
pub fn release(id: &str, most: u32, now: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET wait = NULL, due = ?2, first_due = ?2 WHERE id IN
           (SELECT id FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
              AND state IN ('outgoing', 'deferred') AND wait = 'held' LIMIT ?3)",
        id,
        now,
        most
    )
}

/// What of a stopped one has not left never will.
pub fn cancel(id: &str, by: &str, most: u32, now: Timestamp) -> [Statement; 2] {
    let rows = "FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
       AND state IN ('outgoing', 'deferred') AND NOT (state = 'deferred' AND wait IS NULL AND due >= ?5) LIMIT ?3";
    let never = retry::NEVER;
    let stopped = "EXISTS (SELECT 1 FROM campaigns WHERE id = ?1 AND state = 'stopped')";
    [
        statement!(
            format!(
                "INSERT INTO events (delivery_id, at, kind, by_name) SELECT id, ?2, 'cancelled', ?4
                 FROM (SELECT id {rows}) WHERE {stopped}"
            ),
            id,
            now,
            most,
            by,
            never
        ),
        statement!(
            format!(
                "UPDATE deliveries SET state = 'cancelled', state_at = ?2, wait = NULL
                 WHERE ?4 = ?4 AND id IN (SELECT id {rows}) AND {stopped}"
            ),
            id,
            now,
            most,
            by,
            never
        ),
    ]
}

/// Those that failed go once more; reported bounces and complaints stay what they are.
pub fn retry_failed(id: &str, by: &str, most: u32, now: Timestamp) -> [Statement; 2] {
    let rows =
        "FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk' AND state = 'failed'
       ORDER BY id LIMIT ?3";
    [
        statement!(
            format!("INSERT INTO events (delivery_id, at, kind, by_name) SELECT id, ?2, 'retried', ?4 {rows}"),
            id,
            now,
            most,
            by
        ),
        statement!(
            format!(
                "UPDATE deliveries SET state = 'outgoing', state_at = ?2, due = ?2, first_due = ?2, wait = NULL, tries = 0
                 WHERE id IN (SELECT id {rows})"
            ),
            id,
            now,
            most
        ),
    ]
}

/// All servers that take it are full or rest (`limit` or `server`): what waits of this campaign waits with it, at once
/// rather than claim by claim.
pub fn park(id: &str, why: Option<&str>, until: Timestamp, now: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET wait = ?4, due = ?2 WHERE id IN
           (SELECT id FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
              AND state = 'outgoing' AND due <= ?3)",
        id,
        until,
        now,
        why
    )
}

/// What a campaign would come to now, counted and not written.
#[derive(Debug, Clone, Deserialize)]
pub struct Counted {
    pub left_out: Option<LeftOut>,
    pub n: u32,
    pub copies: u32,
}

pub fn count(audience: &Audience, now: Timestamp) -> Statement {
    let of_lists =
        left_out("m.address_key", "m.address_key", "CASE WHEN MIN(m.opted_out IS NOT NULL) = 1 THEN 'opted_out' END");
    let of_contacts = left_out("e.key", "e.key", "NULL");
    statement!(
        format!(
            "SELECT left_out, COUNT(*) AS n, SUM(copies) AS copies FROM
               (SELECT key, SUM(copies) AS copies,
                  CASE WHEN MAX(left_out) = 'opted_out' AND SUM(left_out IS NULL) > 0 THEN NULL ELSE MAX(left_out) END AS left_out FROM
                 (SELECT m.address_key AS key, COUNT(*) AS copies, {of_lists} AS left_out FROM mailing_list_members m
                    WHERE m.list_id IN (SELECT value FROM json_each(?1)) GROUP BY m.address_key
                  UNION ALL
                  SELECT e.key, COUNT(*), {of_contacts} FROM contact_emails e JOIN contacts c ON c.id = e.contact_id
                    WHERE ?2 IS NOT NULL AND e.position = 0 AND c.archived = 0 AND c.internal = 0
                      AND (instr(e.key, lower(?2)) OR instr(lower(c.name), lower(?2))) GROUP BY e.key)
                GROUP BY key)
             GROUP BY left_out"
        ),
        to_json(&audience.lists),
        audience.contacts.as_deref(),
        now
    )
}

#[derive(Debug, Clone, Deserialize)]
pub struct Sample {
    pub name: String,
    pub address: EmailAddress,
}

/// Somebody to show a mail for.
pub fn sample(audience: &Audience) -> Statement {
    statement!(
        "SELECT name, address FROM mailing_list_members WHERE list_id = ?1 AND opted_out IS NULL ORDER BY address_key LIMIT 1",
        audience.lists.first().map_or("", |it| it.as_str())
    )
}

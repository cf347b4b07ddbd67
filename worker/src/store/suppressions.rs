//! Addresses we do not write to. The rules are `outbox::cause`; here they become statements beside the failure itself.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::suppressions::SuppressionEvent;
use mailroom_shared::api::suppressions::SuppressionHistoryQuery;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::api::suppressions::SuppressionSource;
use mailroom_shared::api::suppressions::SuppressionStep;
use mailroom_shared::outbox::cause;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::Filter;
use super::StoreError;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

#[derive(Serialize)]
struct Rest {
    reason: &'static str,
    rest: i64,
}

/// Suppresses the addresses of those of these deliveries that failed for good or were complained about, and of those
/// that failed too often. Goes into the batch that writes the failures, after them.
pub fn of_failures(ids: &[&str], now: Timestamp) -> [Statement; 3] {
    let ids = to_json(ids);
    let rests: Vec<Rest> = Reason::ALL
        .iter()
        .filter_map(|it| cause::rests_for(*it).map(|rest| Rest { reason: it.as_str(), rest: rest.as_millis() }))
        .collect();
    [
        statement!(
            format!(
                "INSERT INTO suppressions (address_key, scope, address, source, reason, evidence, ingest_id, created, expires)
             SELECT d.address_key, 'all', d.address, CASE d.state WHEN 'complained' THEN 'complaint' ELSE 'bounce' END, d.reason,
               substr(d.server_text, 1, {EVIDENCE}), {REPORT}, ?2,
               CASE WHEN d.state <> 'complained' THEN ?2 + (SELECT value ->> 'rest' FROM json_each(?3) WHERE value ->> 'reason' = d.reason) END
             FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(?1)) AND (d.state = 'complained'
               OR (d.state IN ('failed', 'bounced') AND d.reason IN (SELECT value ->> 'reason' FROM json_each(?3))
                 -- A suspended mailbox is not dead, but stays closed when the answer was final.
                 AND (d.permanent = 1 OR (d.reason = 'suspend' AND COALESCE(d.status, d.reply_code, '5') LIKE '5%'))))
             ON CONFLICT (address_key, scope) DO UPDATE SET source = excluded.source, reason = excluded.reason,
               evidence = excluded.evidence, ingest_id = excluded.ingest_id, created = excluded.created, expires = excluded.expires
             WHERE suppressions.source IN ('bounce', 'soft')"
            ),
            ids.as_str(),
            now,
            to_json(&rests)
        ),
        statement!(
            format!(
                "INSERT OR IGNORE INTO suppressions (address_key, scope, address, source, reason, evidence, ingest_id, created, expires)
             SELECT d.address_key, 'all', d.address, 'soft', d.reason, substr(d.server_text, 1, {EVIDENCE}), {REPORT}, ?2, ?2 + ?6
             FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(?1)) AND d.state = 'failed' AND d.permanent = 0
               AND (SELECT COUNT(*) >= ?3 AND MIN(o.created) < ?2 - ?5 FROM deliveries o WHERE o.address_key = d.address_key
                 AND o.permanent = 0 AND o.state IN ('failed', 'bounced', 'ignored') AND o.created > MAX(?2 - ?4, COALESCE(
                   (SELECT MAX(s.created) FROM deliveries s WHERE s.address_key = d.address_key AND s.state IN ('sent', 'delivered')), 0)))"
            ),
            ids.as_str(),
            now,
            cause::SOFT_MOST,
            cause::SOFT_WINDOW,
            cause::SOFT_SPREAD,
            cause::SOFT_REST
        ),
        // Both have just been written, at this moment.
        remember(
            SuppressionStep::Added,
            None,
            "",
            now,
            "created = $0 AND address_key IN (SELECT address_key FROM deliveries WHERE id IN (SELECT value FROM json_each($1)))
              AND source IN ('bounce', 'soft', 'complaint')",
            vec![now.into(), ids.into()],
        ),
    ]
}

/// Bytes of a server's answer that stay with a suppression.
const EVIDENCE: u32 = 2_000;

/// The newest report about a delivery `d`.
const REPORT: &str = "(SELECT e.ingest_id FROM events e WHERE e.delivery_id = d.id AND e.ingest_id IS NOT NULL ORDER BY e.id DESC LIMIT 1)";

/// All that makes up a suppression.
const WHOLE: &str = "address_key, scope, address, source, reason, evidence, ingest_id, note, by_name, created, expires";

/// A line of the history for each suppression that a condition finds (`$0`, `$1`, … are its values). Before they go, or
/// after they came. Gives back its ids.
fn remember(
    step: SuppressionStep,
    actor: Option<&str>,
    text: &str,
    now: Timestamp,
    condition: &str,
    values: Vec<Value>,
) -> Statement {
    let mut filter = Filter::new(vec![now.into(), step.as_str().into(), text.into(), actor.into()]);
    filter.and(condition, values);
    let sql = format!(
        "INSERT INTO suppression_events (at, kind, text, actor, {WHOLE}) SELECT ?1, ?2, ?3, ?4, {WHOLE} FROM suppressions
         WHERE 1 = 1{} RETURNING id",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

/// A person wrote from this address: it works, whatever servers said (BN-17).
pub fn wrote(address_key: &str, now: Timestamp) -> [Statement; 2] {
    let those = "address_key = $0 AND source IN ('bounce', 'soft')";
    [
        remember(SuppressionStep::Answered, None, "", now, those, vec![address_key.into()]),
        statement!("DELETE FROM suppressions WHERE address_key = ?1 AND source IN ('bounce', 'soft')", address_key),
    ]
}

/// Those whose time is over.
pub fn expire(now: Timestamp) -> [Statement; 2] {
    [
        remember(SuppressionStep::Expired, None, "", now, "expires < $0", vec![now.into()]),
        statement!("DELETE FROM suppressions WHERE expires < ?1", now),
    ]
}

/// What people enter, one by one or by a file.
#[derive(Debug, Clone, Serialize)]
pub struct Entered {
    pub key: String,
    pub address: String,
    pub scope: &'static str,
    pub source: &'static str,
    pub note: Option<String>,
    pub reason: Option<&'static str>,
    pub created: i64,
    pub expires: Option<i64>,
}

/// Writes entries; an address that is held back already is so for the new reason from now on.
pub fn enter(rows: &[Entered], by: &str, now: Timestamp) -> [Statement; 2] {
    let rows = to_json(rows);
    [
        statement!(
            "INSERT INTO suppressions (address_key, scope, address, source, note, by_name, reason, created, expires)
             SELECT value ->> 'key', value ->> 'scope', value ->> 'address', value ->> 'source', value ->> 'note', ?2,
               value ->> 'reason', value ->> 'created', value ->> 'expires' FROM json_each(?1) WHERE true
             ON CONFLICT (address_key, scope) DO UPDATE SET source = excluded.source, note = excluded.note,
               by_name = excluded.by_name, reason = excluded.reason, evidence = NULL, ingest_id = NULL,
               expires = excluded.expires, created = excluded.created",
            rows.as_str(),
            by
        ),
        remember(
            SuppressionStep::Added,
            Some(by),
            "",
            now,
            "(address_key, scope) IN (SELECT value ->> 'key', value ->> 'scope' FROM json_each($0))",
            vec![rows.into()],
        ),
    ]
}

/// A recipient wants no more campaigns. What holds back more than that stays what it is.
pub fn unsubscribe(address_key: &str, address: &str, note: &str, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "INSERT OR IGNORE INTO suppressions (address_key, scope, address, source, note, created)
             VALUES (?1, 'campaigns', ?2, 'unsubscribe', ?3, ?4)",
            address_key,
            address,
            note,
            now
        ),
        remember(
            SuppressionStep::Added,
            None,
            "",
            now,
            "address_key = $0 AND scope = 'campaigns' AND source = 'unsubscribe' AND created = $1",
            vec![address_key.into(), now.into()],
        ),
    ]
}

/// And does again.
pub fn resubscribe(address_key: &str, now: Timestamp) -> [Statement; 2] {
    let those = "address_key = $0 AND scope = 'campaigns' AND source = 'unsubscribe'";
    [
        remember(SuppressionStep::Resubscribed, None, "", now, those, vec![address_key.into()]),
        statement!(
            "DELETE FROM suppressions WHERE address_key = ?1 AND scope = 'campaigns' AND source = 'unsubscribe'",
            address_key
        ),
    ]
}

/// A person says that the address works. The first answers with the line of the history.
pub fn lift(address_key: &str, scope: SuppressionScope, why: &str, by: &str, now: Timestamp) -> [Statement; 2] {
    let values = vec![address_key.into(), scope.as_str().into()];
    [
        remember(SuppressionStep::Lifted, Some(by), why, now, "address_key = $0 AND scope = $1", values),
        statement!("DELETE FROM suppressions WHERE address_key = ?1 AND scope = ?2", address_key, scope.as_str()),
    ]
}

/// Takes a lift back: the suppression is what it was, unless there is another by now.
pub fn restore(event: u32, by: &str, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            format!(
                "INSERT OR IGNORE INTO suppressions ({WHOLE}) SELECT {WHOLE} FROM suppression_events WHERE id = ?1 AND kind = 'lifted'"
            ),
            event
        ),
        statement!(
            format!(
                "INSERT INTO suppression_events (at, kind, actor, {WHOLE}) SELECT ?2, 'restored', ?3, {WHOLE}
                 FROM suppression_events WHERE id = ?1 AND kind = 'lifted'"
            ),
            event,
            now,
            by
        ),
    ]
}

#[derive(Deserialize)]
struct EventRow {
    id: u32,
    at: Timestamp,
    kind: SuppressionStep,
    actor: Option<String>,
    text: String,
    address: String,
    scope: SuppressionScope,
    source: SuppressionSource,
    reason: Option<Reason>,
    note: Option<String>,
}

pub fn history_statement(query: &SuppressionHistoryQuery) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let mut filter = Filter::new(vec![(limit + 1).into()]);
    if let Some(address) = query.address.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        filter.and(
            "address_key = $0",
            [EmailAddress::parse(address).map_or_else(|_| address.to_lowercase(), |it| it.key()).into()],
        );
    }
    if let Some(q) = query.q.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        filter.and("instr(address_key, $0)", [q.to_lowercase().into()]);
    }
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and("(at, id) < ($0, CAST($1 AS INTEGER))", [Value::Number(at), id.into()]);
    }
    let sql = format!(
        "SELECT id, at, kind, actor, text, address, scope, source, reason, note FROM suppression_events
         WHERE 1 = 1{} ORDER BY at DESC, id DESC LIMIT ?1",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

/// What became of suppressions, newest first.
pub async fn history(app: &App, query: &SuppressionHistoryQuery) -> Result<Page<SuppressionEvent>, StoreError> {
    let (statement, limit) = history_statement(query);
    let mut rows: Vec<EventRow> = super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.at.as_millis(), &it.id.to_string()));
    let items = rows
        .into_iter()
        .map(|it| SuppressionEvent {
            id: it.id.to_string(),
            at: it.at,
            step: it.kind,
            by: it.actor,
            text: it.text,
            address: it.address,
            scope: it.scope,
            source: it.source,
            reason: it.reason,
            note: it.note,
        })
        .collect();
    Ok(Page { items, next, total: None })
}

#[derive(Deserialize)]
struct Row {
    address_key: String,
    address: String,
    scope: SuppressionScope,
    source: SuppressionSource,
    reason: Option<Reason>,
    evidence: Option<String>,
    report: Option<String>,
    note: Option<String>,
    by_name: Option<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
}

const COLUMNS: &str = "address_key, address, scope, source, reason, evidence, note, by_name, created, expires,
  (SELECT i.id FROM ingests i WHERE i.id = suppressions.ingest_id AND i.raw_key <> '') AS report";

impl From<Row> for SuppressionRow {
    fn from(it: Row) -> Self {
        Self {
            id: format!("{} {}", it.scope.as_str(), it.address_key),
            address: it.address,
            scope: it.scope,
            source: it.source,
            reason: it.reason,
            evidence: it.evidence,
            report: it.report,
            note: it.note,
            by: it.by_name,
            created: it.created,
            expires: it.expires,
        }
    }
}

pub fn list_statement(query: &SuppressionQuery, most: u32) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, most);
    let mut filter = Filter::new(vec![(limit + 1).into()]);
    if let Some(q) = query.q.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        filter.and("instr(address_key, $0)", [q.to_lowercase().into()]);
    }
    if let Some((at, key)) = super::read_cursor(query.cursor.as_deref()) {
        // One address has two scopes at most: both are on one page or the second is read again.
        filter.and("(created < $0 OR (created = $0 AND address_key > $1))", [Value::Number(at), key.into()]);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM suppressions WHERE 1 = 1{} ORDER BY created DESC, address_key LIMIT ?1",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

pub async fn list(app: &App, query: &SuppressionQuery, most: u32) -> Result<Page<SuppressionRow>, StoreError> {
    let (statement, limit) = list_statement(query, most);
    let mut rows: Vec<Row> = super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.created.as_millis(), &it.address_key));
    Ok(Page { items: rows.into_iter().map(Into::into).collect(), next, total: None })
}

pub async fn read(app: &App, address_key: &str, scope: SuppressionScope) -> Result<Option<SuppressionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM suppressions WHERE address_key = ?1 AND scope = ?2");
    let row: Option<Row> = super::decode_one(app.run(statement!(sql, address_key, scope.as_str())).await?)?;
    Ok(row.map(Into::into))
}

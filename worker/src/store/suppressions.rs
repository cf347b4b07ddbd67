//! Addresses we do not write to. The rules are `outbox::cause`; here they become statements beside the failure itself.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::api::suppressions::SuppressionSource;
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
pub fn of_failures(ids: &[&str], now: Timestamp) -> [Statement; 2] {
    let ids = to_json(ids);
    let rests: Vec<Rest> = Reason::ALL
        .iter()
        .filter_map(|it| cause::rests_for(*it).map(|rest| Rest { reason: it.as_str(), rest: rest.as_millis() }))
        .collect();
    [
        statement!(
            "INSERT INTO suppressions (address_key, scope, address, source, reason, evidence, created, expires)
             SELECT d.address_key, 'all', d.address, CASE d.state WHEN 'complained' THEN 'complaint' ELSE 'bounce' END, d.reason,
               substr(d.server_text, 1, 500), ?2,
               CASE WHEN d.state <> 'complained' THEN ?2 + (SELECT value ->> 'rest' FROM json_each(?3) WHERE value ->> 'reason' = d.reason) END
             FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(?1)) AND (d.state = 'complained'
               OR (d.state IN ('failed', 'bounced') AND d.permanent = 1 AND d.reason IN (SELECT value ->> 'reason' FROM json_each(?3))))
             ON CONFLICT (address_key, scope) DO UPDATE SET source = excluded.source, reason = excluded.reason,
               evidence = excluded.evidence, created = excluded.created, expires = excluded.expires
             WHERE suppressions.source IN ('bounce', 'soft')",
            ids.as_str(),
            now,
            to_json(&rests)
        ),
        statement!(
            "INSERT OR IGNORE INTO suppressions (address_key, scope, address, source, reason, evidence, created, expires)
             SELECT d.address_key, 'all', d.address, 'soft', d.reason, substr(d.server_text, 1, 500), ?2, ?2 + ?6
             FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(?1)) AND d.state = 'failed' AND d.permanent = 0
               AND (SELECT COUNT(*) >= ?3 AND MIN(o.created) < ?2 - ?5 FROM deliveries o WHERE o.address_key = d.address_key
                 AND o.permanent = 0 AND o.state IN ('failed', 'bounced', 'ignored') AND o.created > MAX(?2 - ?4, COALESCE(
                   (SELECT MAX(s.created) FROM deliveries s WHERE s.address_key = d.address_key AND s.state IN ('sent', 'delivered')), 0)))",
            ids.as_str(),
            now,
            cause::SOFT_MOST,
            cause::SOFT_WINDOW,
            cause::SOFT_SPREAD,
            cause::SOFT_REST
        ),
    ]
}

/// A person wrote from this address: it works, whatever servers said (BN-17).
pub fn wrote(address_key: &str) -> Statement {
    statement!("DELETE FROM suppressions WHERE address_key = ?1 AND source IN ('bounce', 'soft')", address_key)
}

/// Those whose time is over.
pub fn expire(now: Timestamp) -> Statement {
    statement!("DELETE FROM suppressions WHERE expires < ?1", now)
}

pub fn insert(
    address: &EmailAddress,
    scope: SuppressionScope,
    source: SuppressionSource,
    note: &str,
    by: &str,
    now: Timestamp,
) -> Statement {
    statement!(
        "INSERT INTO suppressions (address_key, scope, address, source, note, by_name, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (address_key, scope) DO UPDATE SET source = excluded.source, note = excluded.note, by_name = excluded.by_name,
           reason = NULL, evidence = NULL, expires = NULL, created = excluded.created",
        address.key(),
        scope.as_str(),
        address.as_str(),
        source.as_str(),
        Some(note).filter(|it| !it.is_empty()),
        by,
        now
    )
}

/// A recipient wants no more campaigns. What holds back more than that stays what it is.
pub fn unsubscribe(address_key: &str, address: &str, note: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO suppressions (address_key, scope, address, source, note, created)
         VALUES (?1, 'campaigns', ?2, 'unsubscribe', ?3, ?4)",
        address_key,
        address,
        note,
        now
    )
}

/// And does again.
pub fn resubscribe(address_key: &str) -> Statement {
    statement!(
        "DELETE FROM suppressions WHERE address_key = ?1 AND scope = 'campaigns' AND source = 'unsubscribe'",
        address_key
    )
}

pub fn delete(address_key: &str, scope: SuppressionScope) -> Statement {
    statement!("DELETE FROM suppressions WHERE address_key = ?1 AND scope = ?2", address_key, scope.as_str())
}

#[derive(Deserialize)]
struct Row {
    address_key: String,
    address: String,
    scope: SuppressionScope,
    source: SuppressionSource,
    reason: Option<Reason>,
    evidence: Option<String>,
    note: Option<String>,
    by_name: Option<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
}

const COLUMNS: &str = "address_key, address, scope, source, reason, evidence, note, by_name, created, expires";

impl From<Row> for SuppressionRow {
    fn from(it: Row) -> Self {
        Self {
            address: it.address,
            scope: it.scope,
            source: it.source,
            reason: it.reason,
            evidence: it.evidence,
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

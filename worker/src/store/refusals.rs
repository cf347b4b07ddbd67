//! The journal of mail we said no to: envelope, main headers, reason, never the body.

use mailroom_shared::api::Page;
use mailroom_shared::api::refusals::RefusalQuery;
use mailroom_shared::api::refusals::RefusalRow;
use mailroom_shared::gateway::why;
use mailroom_shared::gateway::why::Why;
use mailroom_shared::i18n::Lang;
use mailroom_shared::id::RefusalId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Filter;
use super::StoreError;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: RefusalId,
    at: Timestamp,
    mail_from: String,
    rcpt_to: String,
    subject: String,
    from_text: String,
    rfc_id: Option<String>,
    status: String,
    reason: String,
    text: String,
    why: String,
}

pub fn list_statement(query: &RefusalQuery) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let mut filter = Filter::new(vec![(limit + 1).into()]);
    if let Some(q) = query.q.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        // A scan by instr over the newest rows: the journal is short-lived and read by administrators.
        filter.and(
            "(instr(lower(mail_from), $0) OR instr(lower(rcpt_to), $0) OR instr(lower(subject), $0))",
            [q.to_lowercase().into()],
        );
    }
    if let Some(since) = query.since {
        filter.and("at >= $0", [since.into()]);
    }
    if let Some(until) = query.until {
        filter.and("at < $0", [until.into()]);
    }
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and("(at, id) < ($0, $1)", [Value::Number(at), id.into()]);
    }
    let sql = format!(
        "SELECT id, at, mail_from, rcpt_to, subject, from_text, rfc_id, status, reason, text, why FROM refusals
         WHERE 1 = 1{} ORDER BY at DESC, id DESC LIMIT ?1",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

/// `lang`: of the reasons.
pub async fn list(app: &App, query: &RefusalQuery, lang: Lang) -> Result<Page<RefusalRow>, StoreError> {
    let (statement, limit) = list_statement(query);
    let mut rows: Vec<Row> = super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.at.as_millis(), it.id.as_str()));
    let items = rows
        .into_iter()
        .map(|it| RefusalRow {
            id: it.id,
            at: it.at,
            mail_from: it.mail_from,
            rcpt_to: it.rcpt_to,
            subject: it.subject,
            from: it.from_text,
            message_id: it.rfc_id,
            status: it.status,
            reason: it.reason,
            text: it.text,
            why: why::read_kept(&it.why).iter().map(|it| it.say(lang)).collect(),
        })
        .collect();
    Ok(Page { items, next, total: None })
}

/// A refusal to be written down.
pub struct NewRefusal<'a> {
    pub id: &'a str,
    pub mail_from: &'a str,
    pub rcpt_to: &'a str,
    pub subject: &'a str,
    pub from: &'a str,
    pub rfc_id: Option<&'a str>,
    pub sha256: &'a str,
    pub content_sha256: &'a str,
    pub size: usize,
    pub recipient_key: &'a str,
    /// Main header lines, see `intake::kept`.
    pub head: &'a str,
    pub status: &'a str,
    pub reason: &'a str,
    pub text: &'a str,
    pub why: &'a [Why],
    pub sender_key: Option<&'a str>,
}

pub fn insert(r: &NewRefusal<'_>, at: Timestamp) -> Statement {
    statement!(
        "INSERT INTO refusals (id, at, mail_from, rcpt_to, subject, from_text, rfc_id, sha256, status, reason, text, why, sender_key,
           content_sha256, size, recipient_key, head)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        r.id,
        at,
        r.mail_from,
        r.rcpt_to,
        super::messages::cut(r.subject, 500),
        super::messages::cut(r.from, 500),
        r.rfc_id,
        r.sha256,
        r.status,
        r.reason,
        r.text,
        super::to_json(r.why),
        r.sender_key,
        r.content_sha256,
        r.size,
        r.recipient_key,
        r.head
    )
}

/// A broken alias that had to refuse is shown as failing. Without an alias of that address nothing happens.
pub fn alias_fails(key: &str, now: Timestamp) -> Statement {
    statement!(
        "UPDATE aliases SET state = 'failing', failing_since = COALESCE(failing_since, ?2) WHERE key = ?1",
        key,
        now
    )
}

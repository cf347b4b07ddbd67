//! The outgoing queue: emails, their deliveries, and what became of each.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::messages::DeliveryView;
use mailroom_shared::api::messages::EventView;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::id::EmailId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::Answers;
use super::StoreError;
use super::int_bool;
use super::json;
use super::messages::Recipients;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// The text must equal the condition of the index `deliveries_due`.
const DUE: &str = "state IN ('outgoing', 'deferred')";

/// An email to be.
pub struct NewEmail<'a> {
    pub id: &'a str,
    pub message: &'a str,
    pub record: &'a str,
    pub lane: &'a str,
    pub sender: &'a Mailbox,
    pub domain: &'a str,
    pub subject: &'a str,
    pub refs: &'a [String],
}

pub fn insert_email(e: &NewEmail<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO emails (id, message_id, record_id, lane, sender, domain, subject, refs, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        e.id,
        e.message,
        e.record,
        e.lane,
        to_json(e.sender),
        e.domain,
        e.subject,
        to_json(e.refs),
        now
    )
}

/// A delivery to be; many go in one statement.
#[derive(Debug, Serialize)]
pub struct NewDelivery {
    pub id: String,
    pub contact: Option<String>,
    pub name: String,
    pub address: String,
    pub key: String,
    /// `to`, `cc` or `bcc`.
    pub field: &'static str,
    /// 1 when told for following the record.
    pub follows: u8,
}

pub fn insert_deliveries(
    email: &NewEmail<'_>,
    deliveries: &[NewDelivery],
    due: Timestamp,
    now: Timestamp,
) -> [Statement; 2] {
    let rows = to_json(deliveries);
    [
        statement!(
            "INSERT INTO deliveries (id, email_id, message_id, record_id, contact_id, name, address, address_key, field, lane,
               state, state_at, due, first_due, wait, created, follows)
             SELECT value ->> 'id', ?2, ?3, ?4, value ->> 'contact', value ->> 'name', value ->> 'address', value ->> 'key',
               value ->> 'field', ?5, 'outgoing', ?7, CASE ?5 WHEN 'normal' THEN ?8 ELSE ?6 END, ?6,
               -- What is neither urgent nor a campaign waits for the Email Queue Manager.
               CASE ?5 WHEN 'normal' THEN 'queue' END, ?7, COALESCE(value ->> 'follows', 0) FROM json_each(?1)",
            rows.as_str(),
            email.id,
            email.message,
            email.record,
            email.lane,
            due,
            now,
            retry::NEVER
        ),
        statement!(
            "INSERT INTO events (delivery_id, at, kind) SELECT value ->> 'id', ?2, 'queued' FROM json_each(?1)",
            rows.as_str(),
            now
        ),
    ]
}

/// Makes a scheduled message due; the last statement changes nothing when it has left.
pub fn send_now(message: &str, now: Timestamp) -> [Statement; 3] {
    let open = "(SELECT leaves_at FROM messages WHERE id = ?1) > ?2";
    [
        statement!(
            format!(
                "INSERT INTO events (delivery_id, at, kind) SELECT id, ?2, 'released' FROM deliveries
                 WHERE message_id = ?1 AND state = 'outgoing' AND {open}"
            ),
            message,
            now
        ),
        statement!(
            format!(
                "UPDATE deliveries SET due = ?2, first_due = ?2
                 WHERE message_id = ?1 AND state = 'outgoing' AND wait IS NULL AND {open}"
            ),
            message,
            now
        ),
        statement!("UPDATE messages SET leaves_at = ?2 WHERE id = ?1 AND leaves_at > ?2", message, now),
    ]
}

/// Takes up to `most` due deliveries: they are ours until the lease ends. One statement, so two runs never share one.
///
/// Urgent ones come first, campaigns last; within a lane the recipient domains take turns, so that a thousand mails for one of them don't
/// keep a single one for another waiting. Looked at are the oldest few of each lane, however long the queue is.
pub fn claim(claim: &str, now: Timestamp, lease: Timestamp, most: u32) -> Statement {
    let sql = format!(
        "UPDATE deliveries SET state = 'sending', claim = ?1, due = ?3, tries = tries + 1, state_at = ?2
         WHERE id IN (SELECT id FROM
           (SELECT id, late, due, ROW_NUMBER() OVER (PARTITION BY late, rcpt_domain ORDER BY due, id) AS turn FROM
             (SELECT * FROM (SELECT id, due, rcpt_domain, 0 AS late FROM deliveries INDEXED BY deliveries_due_urgent
                WHERE {DUE} AND lane = 'urgent' AND due <= ?2 ORDER BY due, id LIMIT ?4 * 4)
              UNION ALL
              SELECT * FROM (SELECT id, due, rcpt_domain, 1 AS late FROM deliveries INDEXED BY deliveries_due_normal
                WHERE {DUE} AND lane = 'normal' AND due <= ?2 ORDER BY due, id LIMIT ?4 * 4)
              UNION ALL
              SELECT * FROM (SELECT id, due, rcpt_domain, 2 AS late FROM deliveries INDEXED BY deliveries_due_later
                WHERE {DUE} AND lane <> 'urgent' AND lane = 'bulk' AND due <= ?2 ORDER BY due, id LIMIT ?4 * 4)))
           ORDER BY late, turn, due, id LIMIT ?4)"
    );
    statement!(sql, claim, now, lease, most)
}

/// A claimed delivery with all that its content needs but files.
#[derive(Debug, Deserialize)]
pub struct Claimed {
    pub id: DeliveryId,
    pub email_id: EmailId,
    pub message_id: MessageId,
    pub record_id: Option<RecordId>,
    pub address: EmailAddress,
    pub tries: u32,
    pub first_due: Timestamp,
    pub lane: String,
    #[serde(deserialize_with = "json")]
    pub sender: Mailbox,
    pub domain: String,
    pub subject: String,
    #[serde(deserialize_with = "json")]
    pub refs: Vec<String>,
    pub email_created: Timestamp,
    pub text: String,
    pub rfc_id: Option<String>,
    #[serde(deserialize_with = "json")]
    pub recipients: Recipients,
    #[serde(deserialize_with = "int_bool")]
    pub internal: bool,
    pub rcpt_domain: String,
    /// `to`, `cc` or `bcc`.
    pub field: String,
    /// Of its last try.
    pub reason: Option<String>,
    /// Of the recipient.
    pub name: String,
    /// The campaign it belongs to, or is a test of.
    pub campaign_id: Option<String>,
    /// The recipient is one of us.
    #[serde(deserialize_with = "int_bool")]
    pub colleague: bool,
    /// Page and id of the link that its text leaves room for.
    pub account_link: Option<String>,
    pub contact_id: Option<ContactId>,
    /// Told for following the record.
    #[serde(deserialize_with = "int_bool")]
    pub follows: bool,
    pub record_title: Option<String>,
    /// Of the recipient, when he is a user.
    pub language: Option<String>,
}

pub fn claimed(claim: &str) -> Statement {
    statement!(
        "SELECT d.id, d.email_id, d.message_id, d.record_id, d.address, d.tries, d.first_due, d.lane, e.sender, e.domain,
           e.subject, e.refs, e.created AS email_created, m.text, m.rfc_id, m.recipients, m.internal,
           d.rcpt_domain, d.field, d.reason, d.name, e.campaign_id, COALESCE(c.internal, 0) AS colleague, e.account_link,
           d.contact_id, d.follows, r.title AS record_title, u.language
         FROM deliveries d JOIN emails e ON e.id = d.email_id JOIN messages m ON m.id = d.message_id
         LEFT JOIN contacts c ON c.id = d.contact_id LEFT JOIN records r ON r.id = d.record_id
         LEFT JOIN users u ON u.contact_id = d.contact_id
         WHERE d.claim = ?1 AND d.claim IS NOT NULL ORDER BY d.lane <> 'urgent', d.email_id, d.id",
        claim
    )
}

#[derive(Debug, Deserialize)]
pub struct ClaimedFile {
    pub message_id: String,
    pub name: String,
    pub content_type: String,
    pub sha256: String,
    pub cid: Option<String>,
    pub id: String,
    pub size: u32,
}

pub fn claimed_files(claim: &str) -> Statement {
    statement!(
        "SELECT message_id, name, content_type, sha256, cid, id, size FROM attachments
         WHERE message_id IN (SELECT message_id FROM deliveries WHERE claim = ?1 AND claim IS NOT NULL) ORDER BY created, rowid",
        claim
    )
}

/// What left can't be taken back: forgets the drafts of a claim.
pub fn forget_drafts(claim: &str) -> Statement {
    statement!(
        "UPDATE messages SET draft = NULL
         WHERE id IN (SELECT message_id FROM deliveries WHERE claim = ?1 AND claim IS NOT NULL) AND draft IS NOT NULL",
        claim
    )
}

/// What one hand-over came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub id: String,
    pub state: &'static str,
    /// Deferred: the next try.
    pub due: i64,
    pub reason: Option<&'static str>,
    /// 0 or 1.
    pub permanent: u8,
    pub code: Option<u16>,
    pub status: Option<String>,
    pub text: Option<String>,
    pub provider: Option<String>,
    pub server: String,
    pub server_name: String,
    /// Word of the timeline.
    pub event: &'static str,
    /// Outgoing: why it is not due yet.
    pub wait: Option<&'static str>,
    /// Words of the timeline where they are not those of the server.
    pub note: Option<String>,
    /// 1 takes the claim's try back: it was not one.
    pub untried: u8,
    /// What was said to the server and answered, as JSON.
    pub talk: Option<String>,
    /// Its recipient opted out of campaigns meanwhile.
    #[serde(skip)]
    pub is_left_out: bool,
}

/// Writes outcomes down, only of what is still ours: a lease that ended meanwhile is somebody else's to settle.
pub fn record(claim: &str, outcomes: &[&Outcome], now: Timestamp) -> [Statement; 2] {
    let rows = to_json(outcomes);
    [
        statement!(
            "INSERT INTO events (delivery_id, at, kind, text, server, talk)
             SELECT value ->> 'id', ?2, value ->> 'event', COALESCE(value ->> 'note', value ->> 'text', ''),
               NULLIF(value ->> 'server_name', ''), value ->> 'talk' FROM json_each(?1)
             JOIN deliveries d ON d.id = value ->> 'id'
             -- What goes on waiting for the same was told when it began.
             WHERE d.claim = ?3 AND (value ->> 'wait' IS NULL OR d.wait IS NOT value ->> 'wait')",
            rows.as_str(),
            now,
            claim
        ),
        statement!(
            "UPDATE deliveries SET state = j.state, state_at = ?2, due = j.due, permanent = j.permanent,
               -- What it waits for is no answer: the last one stays.
               reason = CASE WHEN j.wait IS NULL THEN j.reason ELSE COALESCE(j.reason, deliveries.reason) END,
               reply_code = CASE WHEN j.wait IS NULL THEN j.code ELSE COALESCE(j.code, reply_code) END,
               status = CASE WHEN j.wait IS NULL THEN j.status ELSE COALESCE(j.status, deliveries.status) END,
               server_text = CASE WHEN j.wait IS NULL THEN j.text ELSE COALESCE(j.text, server_text) END, provider_id = COALESCE(j.provider, provider_id),
               server_id = j.server, server_name = j.server_name, wait = j.wait, tries = tries - j.untried, claim = NULL
             FROM (SELECT value ->> 'id' AS id, value ->> 'state' AS state, value ->> 'due' AS due,
               value ->> 'reason' AS reason, value ->> 'permanent' AS permanent, value ->> 'code' AS code,
               value ->> 'status' AS status, value ->> 'text' AS text, value ->> 'provider' AS provider,
               value ->> 'server' AS server, value ->> 'server_name' AS server_name, value ->> 'wait' AS wait,
               value ->> 'untried' AS untried FROM json_each(?1)) AS j
             WHERE deliveries.id = j.id AND deliveries.claim = ?3 AND deliveries.claim IS NOT NULL",
            rows.as_str(),
            now,
            claim
        ),
    ]
}

/// A line in the timelines of deliveries, `[id, text]` each.
pub fn note(kind: &str, rows: &[(String, String)], now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO events (delivery_id, at, kind, text) SELECT value ->> 0, ?2, ?3, value ->> 1 FROM json_each(?1)",
        to_json(rows),
        now,
        kind
    )
}

/// Leases that ended: whoever had them died between claim and record. Whether the mail left, nobody knows.
pub fn settle_lost(now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "INSERT INTO events (delivery_id, at, kind) SELECT id, ?1, 'unknown' FROM deliveries
             WHERE state = 'sending' AND due < ?1",
            now
        ),
        statement!(
            "UPDATE deliveries SET state = 'unknown', state_at = ?1, claim = NULL, reason = 'undefined'
             WHERE state = 'sending' AND due < ?1",
            now
        ),
    ]
}

#[derive(Deserialize)]
struct DeliveryRow {
    id: DeliveryId,
    contact_id: Option<ContactId>,
    name: String,
    address: EmailAddress,
    state: DeliveryState,
    state_at: Timestamp,
    due: Timestamp,
    first_due: Timestamp,
    tries: u32,
    reason: Option<Reason>,
    #[serde(deserialize_with = "int_bool")]
    permanent: bool,
    reply_code: Option<u16>,
    status: Option<String>,
    server_text: Option<String>,
    server_name: Option<String>,
}

#[derive(Deserialize)]
struct EventRow {
    delivery_id: DeliveryId,
    at: Timestamp,
    kind: String,
    text: String,
    by_name: Option<String>,
    report: Option<String>,
}

/// All deliveries of a message with their timelines.
pub async fn of_message(app: &App, message: &str) -> Result<Vec<DeliveryView>, StoreError> {
    let statements = vec![
        statement!(
            "SELECT id, contact_id, name, address, state, state_at, due, first_due, tries, reason, permanent, reply_code,
               status, server_text, server_name FROM deliveries WHERE message_id = ?1 ORDER BY field DESC, created, id LIMIT 500",
            message
        ),
        statement!(
            "SELECT delivery_id, at, kind, text, by_name,
               (SELECT i.id FROM ingests i WHERE i.id = events.ingest_id AND i.raw_key <> '') AS report FROM events
             WHERE delivery_id IN (SELECT id FROM deliveries WHERE message_id = ?1) ORDER BY id LIMIT 5000",
            message
        ),
    ];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let rows: Vec<DeliveryRow> = answers.rows()?;
    let events: Vec<EventRow> = answers.rows()?;
    Ok(rows
        .into_iter()
        .map(|row| DeliveryView {
            events: events
                .iter()
                .filter(|it| it.delivery_id == row.id)
                .map(|it| EventView {
                    at: it.at,
                    kind: it.kind.clone(),
                    text: it.text.clone(),
                    by: it.by_name.clone(),
                    report: it.report.clone(),
                })
                .collect(),
            can_retry: row.state.can_retry(),
            next_try: (row.state == DeliveryState::Deferred).then_some(row.due).filter(|it| *it < retry::NEVER),
            gives_up: (row.state == DeliveryState::Deferred && row.due < retry::NEVER)
                .then(|| retry::gives_up(row.first_due)),
            id: row.id,
            contact: row.contact_id,
            name: row.name,
            address: row.address,
            state: row.state,
            at: row.state_at,
            tries: row.tries,
            reason: row.reason,
            permanent: row.permanent,
            reply_code: row.reply_code,
            status: row.status,
            server_text: row.server_text,
            server: row.server_name,
            advice: None,
        })
        .collect())
}

/// A change a person asks for, of deliveries that are in one of the states named.
pub struct Change<'a> {
    pub ids: &'a [String],
    /// Only from these states (the machine decides, see `outbox::state`).
    pub from: &'a [DeliveryState],
    pub to: DeliveryState,
    pub event: &'a str,
    pub by: &'a str,
}

/// States from which an event leads somewhere, and where.
pub fn sources(event: mailroom_shared::outbox::state::DeliveryEvent) -> Vec<DeliveryState> {
    DeliveryState::ALL.into_iter().filter(|it| mailroom_shared::outbox::state::apply(*it, event).is_some()).collect()
}

pub fn change(c: &Change<'_>, now: Timestamp) -> [Statement; 2] {
    let ids = to_json(c.ids);
    let from = to_json(&c.from.iter().map(|it| it.as_str()).collect::<Vec<_>>());
    [
        statement!(
            "INSERT INTO events (delivery_id, at, kind, by_name) SELECT id, ?3, ?4, ?5 FROM deliveries
             WHERE id IN (SELECT value FROM json_each(?1)) AND state IN (SELECT value FROM json_each(?2))",
            ids.as_str(),
            from.as_str(),
            now,
            c.event,
            c.by
        ),
        // A retry by a person starts the schedule anew.
        statement!(
            "UPDATE deliveries SET state = ?4, state_at = ?3, due = ?3, first_due = CASE WHEN ?4 = 'outgoing' THEN ?3 ELSE first_due END
             WHERE id IN (SELECT value FROM json_each(?1)) AND state IN (SELECT value FROM json_each(?2))",
            ids.as_str(),
            from.as_str(),
            now,
            c.to.as_str()
        ),
    ]
}

/// Corrects the address of a delivery that has not left.
pub fn change_address(id: &str, address: &EmailAddress, by: &str, text: &str, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "UPDATE deliveries SET address = ?2, address_key = ?3, reason = NULL, permanent = 0, reply_code = NULL,
               status = NULL, server_text = NULL WHERE id = ?1 AND state NOT IN ('sending', 'sent', 'delivered')",
            id,
            address.as_str(),
            address.key()
        ),
        statement!(
            "INSERT INTO events (delivery_id, at, kind, text, by_name) VALUES (?1, ?2, 'address_changed', ?3, ?4)",
            id,
            now,
            text,
            by
        ),
    ]
}

/// Messages and records that deliveries belong to, to tell open pages.
#[derive(Deserialize)]
pub struct Owner {
    pub record_id: Option<String>,
}

pub async fn owners(app: &App, ids: &[String]) -> Result<Vec<Owner>, StoreError> {
    let sql = "SELECT DISTINCT record_id FROM deliveries WHERE id IN (SELECT value FROM json_each(?1))";
    super::decode(app.run(statement!(sql, to_json(ids))).await?)
}

/// What a report says of one delivery. Only from the states the machine allows.
#[derive(Debug, Clone)]
pub struct Mark<'a> {
    pub delivery: &'a str,
    pub from: Vec<DeliveryState>,
    pub to: DeliveryState,
    pub reason: Option<Reason>,
    pub permanent: bool,
    pub code: Option<u16>,
    pub status: Option<&'a str>,
    pub text: &'a str,
    pub event: &'a str,
    /// The mail that said it.
    pub ingest: Option<&'a str>,
}

pub fn mark(m: &Mark<'_>, now: Timestamp) -> [Statement; 2] {
    let from = to_json(&m.from.iter().map(|it| it.as_str()).collect::<Vec<_>>());
    [
        statement!(
            "INSERT INTO events (delivery_id, at, kind, text, ingest_id) SELECT id, ?2, ?3, ?4, ?6 FROM deliveries
             WHERE id = ?1 AND state IN (SELECT value FROM json_each(?5))",
            m.delivery,
            now,
            m.event,
            m.text,
            from.as_str(),
            m.ingest
        ),
        statement!(
            "UPDATE deliveries SET state = ?2, state_at = ?3, reason = ?4, permanent = ?5, reply_code = ?6, status = ?7,
               server_text = COALESCE(?8, server_text), claim = NULL, due = CASE WHEN ?2 = 'deferred' THEN ?10 ELSE due END
             WHERE id = ?1 AND state IN (SELECT value FROM json_each(?9))",
            m.delivery,
            m.to.as_str(),
            now,
            m.reason.or(m.to.needs_person().then_some(Reason::Undefined)).map(Reason::as_str),
            m.permanent,
            m.code,
            m.status,
            // A report without words doesn't take away those we have.
            (!m.text.is_empty()).then_some(m.text),
            from.as_str(),
            // Whoever took it from us goes on trying; we don't.
            retry::NEVER
        ),
    ]
}

//! Hand-overs: raw mails accepted for one recipient, and what became of them.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::intake::wish::Wish;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// A hand-over to be written down.
pub struct NewIngest<'a> {
    pub id: &'a str,
    pub key: &'a str,
    /// Empty is the null sender.
    pub mail_from: &'a str,
    pub rcpt_to: &'a EmailAddress,
    pub rfc_id: Option<&'a str>,
    pub sha256: &'a str,
    pub content_sha256: &'a str,
    pub size: usize,
    pub raw_key: &'a str,
    pub sender_key: Option<&'a str>,
    pub alias_key: Option<&'a str>,
    pub r#type: Option<&'a str>,
    pub record: Option<&'a str>,
    /// As people see it in the journal.
    pub from: &'a str,
    pub subject: &'a str,
    /// Same Message-ID as another mail of this recipient, other content: kept for a person, never written by itself.
    pub is_conflict: bool,
    pub verdict: &'a str,
}

/// A second hand-over with the same key breaks on it: it is a duplicate.
pub fn insert(i: &NewIngest<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO ingests (id, key, mail_from, rcpt_to, rfc_id, sha256, content_sha256, size, raw_key, recipient_key,
           sender_key, alias_key, type, record_id, state, verdict, received, from_text, subject, fault)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        i.id,
        i.key,
        i.mail_from,
        i.rcpt_to.as_str(),
        i.rfc_id,
        i.sha256,
        i.content_sha256,
        i.size,
        i.raw_key,
        i.rcpt_to.key(),
        i.sender_key,
        i.alias_key,
        i.r#type,
        i.record,
        if i.is_conflict { "failed" } else { "accepted" },
        i.verdict,
        now,
        super::messages::cut(i.from, 500),
        super::messages::cut(i.subject, 500),
        i.is_conflict.then_some("conflict")
    )
}

/// An accepted hand-over that waits to be written.
#[derive(Debug, Clone, Deserialize)]
pub struct Open {
    pub id: String,
    pub mail_from: String,
    pub rcpt_to: EmailAddress,
    pub raw_key: String,
    pub tries: u32,
    pub received: Timestamp,
    /// What a person decided about it.
    #[serde(deserialize_with = "super::opt_json")]
    pub wish: Option<Wish>,
}

const OPEN: &str = "id, mail_from, rcpt_to, raw_key, tries, received, wish";

/// Those of a list that still wait.
pub async fn open(app: &App, ids: &[String]) -> Result<Vec<Open>, StoreError> {
    let sql = format!(
        "SELECT {OPEN} FROM ingests WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'accepted'
         ORDER BY received, id"
    );
    super::decode(app.run(statement!(sql, super::to_json(ids))).await?)
}

/// Those of a list that could not be written.
pub async fn failed_of(app: &App, ids: &[String]) -> Result<Vec<Open>, StoreError> {
    let sql = format!(
        "SELECT {OPEN} FROM ingests WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'failed'
         ORDER BY received, id"
    );
    super::decode(app.run(statement!(sql, super::to_json(ids))).await?)
}

/// Those whose nudge was lost: accepted before a time and still waiting.
pub async fn stuck(app: &App, before: Timestamp, most: u32) -> Result<Vec<Open>, StoreError> {
    let sql =
        format!("SELECT {OPEN} FROM ingests WHERE state = 'accepted' AND received < ?1 ORDER BY received LIMIT ?2");
    super::decode(app.run(statement!(sql, before, most)).await?)
}

/// First statement of the batch that writes a mail: whoever comes second breaks on it, and with it his whole batch.
pub fn claim_done(id: &str) -> Statement {
    statement!("INSERT INTO ingests_done (ingest_id) VALUES (?1)", id)
}

pub fn done(
    id: &str,
    record: Option<&str>,
    message: Option<&str>,
    alias_key: Option<&str>,
    r#type: Option<&str>,
) -> Statement {
    statement!(
        "UPDATE ingests SET state = 'done', error = NULL, fault = NULL, record_id = COALESCE(?2, record_id), message_id = ?3,
           alias_key = COALESCE(?4, alias_key), type = COALESCE(?5, type) WHERE id = ?1",
        id,
        record,
        message,
        alias_key,
        r#type
    )
}

/// A try that did not work. After `most` tries it is shown to people instead of being tried for ever.
pub fn failed(id: &str, fault: &str, error: &str, most: u32) -> Statement {
    statement!(
        "UPDATE ingests SET tries = tries + 1, error = ?2, fault = ?4,
           state = CASE WHEN tries + 1 >= ?3 THEN 'failed' ELSE state END
         WHERE id = ?1 AND state = 'accepted'",
        id,
        super::messages::cut(error, 1_000),
        most,
        fault
    )
}

/// The alias of a mail that could not be written is shown as failing, once it is with the people.
pub fn alias_fails(id: &str, now: Timestamp) -> Statement {
    statement!(
        "UPDATE aliases SET state = 'failing', failing_since = COALESCE(failing_since, ?2)
         WHERE key = (SELECT alias_key FROM ingests WHERE id = ?1 AND state = 'failed' AND fault IS NOT 'conflict')",
        id,
        now
    )
}

/// Kept apart until a person decides, without a record.
pub fn hold(id: &str, held: &str) -> Statement {
    statement!(
        "UPDATE ingests SET state = 'done', outcome = 'held', held = ?2, error = NULL, fault = NULL
         WHERE id = ?1 AND state <> 'done'",
        id,
        held
    )
}

/// Something besides a plain message: `held` on a record, a `report`, or `ignored` after all.
pub fn set_outcome(id: &str, outcome: &str, held: Option<&str>) -> Statement {
    statement!("UPDATE ingests SET outcome = ?2, held = COALESCE(?3, held) WHERE id = ?1", id, outcome, held)
}

pub fn set_confirmation(id: &str, confirmation: &str) -> Statement {
    statement!("UPDATE ingests SET confirmation = ?2 WHERE id = ?1", id, confirmation)
}

/// The queue gave these up: shown to people, and out of the sweep's way.
pub fn give_up(ids: &[String], now: Timestamp) -> [Statement; 2] {
    let ids = super::to_json(ids);
    [
        statement!(
            "INSERT INTO ingest_events (ingest_id, at, kind) SELECT id, ?2, 'given_up' FROM ingests
             WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'accepted'",
            &ids,
            now
        ),
        statement!(
            "UPDATE ingests SET state = 'failed', fault = 'dead_letter'
             WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'accepted'",
            &ids
        ),
    ]
}

/// One line of the history of a hand-over.
pub fn event(id: &str, kind: &str, by: Option<&str>, text: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO ingest_events (ingest_id, at, kind, by_name, text) VALUES (?1, ?2, ?3, ?4, ?5)",
        id,
        now,
        kind,
        by,
        super::messages::cut(text, 500)
    )
}

/// What an action of a person does to a row that is in the right state: the event and the change, of which the second
/// tells by its changes whether it was.
pub struct Act<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub by: &'a str,
    pub text: &'a str,
    /// SQL about `ingests`; never user text.
    pub when: &'static str,
    pub set: &'static str,
    pub wish: Option<&'a str>,
}

pub fn act(a: &Act<'_>, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            format!(
                "INSERT INTO ingest_events (ingest_id, at, kind, by_name, text)
                 SELECT id, ?2, ?3, ?4, ?5 FROM ingests WHERE id = ?1 AND {}",
                a.when
            ),
            a.id,
            now,
            a.kind,
            a.by,
            super::messages::cut(a.text, 500)
        ),
        statement!(
            format!(
                "UPDATE ingests SET touched = ?2, wish = COALESCE(?3, wish), {} WHERE id = ?1 AND {}",
                a.set, a.when
            ),
            a.id,
            now,
            a.wish
        ),
    ]
}

/// A held hand-over.
#[derive(Debug, Clone, Deserialize)]
pub struct HeldMail {
    pub id: String,
    pub mail_from: String,
    pub rcpt_to: EmailAddress,
    pub raw_key: String,
    pub received: Timestamp,
    pub sender_key: Option<String>,
    pub alias_key: Option<String>,
    pub outcome: String,
    pub held: Option<String>,
    pub record_id: Option<String>,
    pub message_id: Option<String>,
}

const HELD: &str =
    "id, mail_from, rcpt_to, raw_key, received, sender_key, alias_key, outcome, held, record_id, message_id";

/// Those of a list that are held or were dismissed.
pub async fn held(app: &App, ids: &[String]) -> Result<Vec<HeldMail>, StoreError> {
    let sql = format!(
        "SELECT {HELD} FROM ingests WHERE id IN (SELECT value FROM json_each(?1)) AND outcome IN ('held', 'dismissed')
         ORDER BY received, id"
    );
    super::decode(app.run(statement!(sql, super::to_json(ids))).await?)
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// The hand-over a message was written from.
pub fn of_message(message: &str) -> Statement {
    statement!(
        "SELECT i.id FROM messages m JOIN ingests i ON i.sha256 = substr(m.raw_key, 5, 64)
         WHERE m.id = ?1 AND i.message_id = m.id LIMIT 1",
        message
    )
}

pub async fn id_of_message(app: &App, message: &str) -> Result<Option<String>, StoreError> {
    Ok(super::decode_one::<Id>(app.run(of_message(message)).await?)?.map(|it| it.id))
}

/// What failed again after a person tried it.
pub fn back_to_people(id: &str) -> Statement {
    statement!("UPDATE ingests SET state = 'failed' WHERE id = ?1 AND state = 'accepted'", id)
}

/// Seen by an action on all that match, whatever came of it.
pub fn touch(id: &str, now: Timestamp) -> Statement {
    statement!("UPDATE ingests SET touched = ?2 WHERE id = ?1", id, now)
}

//! Hand-overs: raw mails accepted for one recipient, and what became of them.

use mailroom_shared::address::EmailAddress;
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
    pub verdict: &'a str,
}

/// A second hand-over with the same key breaks on it: it is a duplicate.
pub fn insert(i: &NewIngest<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO ingests (id, key, mail_from, rcpt_to, rfc_id, sha256, content_sha256, size, raw_key, recipient_key,
           sender_key, alias_key, type, record_id, state, verdict, received)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'accepted', ?15, ?16)",
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
        i.verdict,
        now
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
}

/// Those of a list that still wait.
pub async fn open(app: &App, ids: &[String]) -> Result<Vec<Open>, StoreError> {
    let sql = "SELECT id, mail_from, rcpt_to, raw_key, tries, received FROM ingests
      WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'accepted' ORDER BY received, id";
    super::decode(app.run(statement!(sql, super::to_json(ids))).await?)
}

/// Those whose nudge was lost: accepted before a time and still waiting.
pub async fn stuck(app: &App, before: Timestamp, most: u32) -> Result<Vec<Open>, StoreError> {
    let sql = "SELECT id, mail_from, rcpt_to, raw_key, tries, received FROM ingests
      WHERE state = 'accepted' AND received < ?1 ORDER BY received LIMIT ?2";
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
        "UPDATE ingests SET state = 'done', error = NULL, record_id = COALESCE(?2, record_id), message_id = ?3,
           alias_key = COALESCE(?4, alias_key), type = COALESCE(?5, type) WHERE id = ?1",
        id,
        record,
        message,
        alias_key,
        r#type
    )
}

/// A try that did not work. After `most` tries it is shown to people instead of being tried for ever.
pub fn failed(id: &str, error: &str, most: u32) -> Statement {
    statement!(
        "UPDATE ingests SET tries = tries + 1, error = ?2, state = CASE WHEN tries + 1 >= ?3 THEN 'failed' ELSE state END
         WHERE id = ?1 AND state = 'accepted'",
        id,
        super::messages::cut(error, 1_000),
        most
    )
}

//! The journal of mail we said no to: envelope, main headers, reason, never the body.

use mailroom_shared::gateway::why::Why;
use mailroom_shared::time::Timestamp;

use crate::ports::Statement;
use crate::statement;

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

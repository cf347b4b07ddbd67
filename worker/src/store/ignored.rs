//! Mail that was taken from the peer and dropped. The same mail again is counted, not listed twice.

use mailroom_shared::gateway::why::Why;
use mailroom_shared::time::Timestamp;

use crate::ports::Statement;
use crate::statement;

/// A dropped mail to be written down.
pub struct NewIgnored<'a> {
    pub id: &'a str,
    /// As `Ignored::as_str`.
    pub kind: &'a str,
    pub mail_from: &'a str,
    pub rcpt_to: &'a str,
    pub recipient_key: &'a str,
    pub from: &'a str,
    pub subject: &'a str,
    pub sender_key: Option<&'a str>,
    pub rfc_id: Option<&'a str>,
    pub sha256: &'a str,
    pub size: usize,
    pub why: &'a [Why],
    /// The message we have of it.
    pub message: Option<&'a str>,
}

pub fn insert(i: &NewIgnored<'_>, at: Timestamp) -> Statement {
    statement!(
        "INSERT INTO ignored (id, key, kind, first_at, at, mail_from, rcpt_to, from_text, subject, sender_key, rfc_id,
           sha256, size, why, message_id)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (key) DO UPDATE SET times = times + 1, at = excluded.at",
        i.id,
        format!("{}:{}:{}", i.recipient_key, i.kind, i.sha256),
        i.kind,
        at,
        i.mail_from,
        i.rcpt_to,
        super::messages::cut(i.from, 500),
        super::messages::cut(i.subject, 500),
        i.sender_key,
        i.rfc_id,
        i.sha256,
        i.size,
        super::to_json(i.why),
        i.message
    )
}

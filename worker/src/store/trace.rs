//! What a trace needs beside the journal: the message a mail is, or was sent as.

use mailroom_shared::address::Mailbox;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::int_bool;
use super::opt_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub record_id: RecordId,
    #[serde(deserialize_with = "int_bool")]
    pub incoming: bool,
    pub subject: String,
    pub author_name: String,
    /// From of the email it left as.
    #[serde(deserialize_with = "opt_json")]
    pub sender: Option<Mailbox>,
    pub rfc_id: Option<String>,
    pub at: Timestamp,
    prefix: Option<String>,
    number: Option<u32>,
    pub title: Option<String>,
}

impl Message {
    pub fn record_number(&self) -> Option<String> {
        self.prefix.as_ref().zip(self.number).map(|(prefix, n)| super::records::number(prefix, n))
    }
}

/// The message with this id, or that of the delivery with this id.
pub fn message_statement(id: &str) -> Statement {
    statement!(
        "SELECT m.id, m.record_id, m.incoming, m.subject, m.author_name, m.rfc_id, m.at, t.prefix, r.number, r.title,
           (SELECT sender FROM emails WHERE message_id = m.id LIMIT 1) AS sender
         FROM messages m LEFT JOIN records r ON r.id = m.record_id LEFT JOIN record_types t ON t.name = r.type
         WHERE m.id = COALESCE((SELECT message_id FROM deliveries WHERE id = ?1), ?1)",
        id
    )
}

pub async fn message(app: &App, id: &str) -> Result<Option<Message>, StoreError> {
    super::decode_one(app.run(message_statement(id)).await?)
}

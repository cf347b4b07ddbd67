//! What posting to a record depends on.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::api::suppressions::SuppressionSource;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::MessageId;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::facts;
use super::records::Wants;
use super::settings;
use super::to_json;
use crate::ports::Statement;
use crate::statement;

#[derive(Debug, Deserialize)]
pub struct RecordRow {
    pub title: String,
    pub customer_id: Option<ContactId>,
    pub alias: Option<EmailAddress>,
    pub waiting_since: Option<Timestamp>,
}

#[derive(Deserialize)]
pub struct FollowerRow {
    pub contact_id: ContactId,
    #[serde(flatten)]
    pub wants: Wants,
}

#[derive(Deserialize)]
pub struct HeldRow {
    pub address_key: String,
    pub scope: SuppressionScope,
    pub source: SuppressionSource,
    pub reason: Option<Reason>,
    pub note: Option<String>,
    pub evidence: Option<String>,
    pub report: Option<String>,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
}

#[derive(Deserialize)]
pub struct AncestorRow {
    pub id: MessageId,
    pub rfc_id: RfcMessageId,
    #[serde(deserialize_with = "crate::store::int_bool")]
    pub internal: bool,
    pub kind: MessageKind,
}

#[derive(Deserialize)]
pub struct TroubleRow {
    pub address_key: String,
    pub state: DeliveryState,
}

/// The record, its followers, everybody who may be told (as JSON: called contacts, typed address keys), what holds their
/// addresses back, the messages before, our domains, and how mail to them fared: answers in this order.
pub fn facts(record: &str, mentions: &str, keys: &str) -> Vec<Statement> {
    let people = "c.id IN (SELECT contact_id FROM followers WHERE record_id = ?1
        UNION SELECT customer_id FROM records WHERE id = ?1 AND customer_id IS NOT NULL
        UNION SELECT value FROM json_each(?2)
        UNION SELECT contact_id FROM contact_emails WHERE key IN (SELECT value FROM json_each(?3)))";
    vec![
        statement!("SELECT title, customer_id, alias, waiting_since FROM records WHERE id = ?1 AND deleted = 0", record),
        statement!(
            "SELECT contact_id, messages, notes, stages FROM followers WHERE record_id = ?1
             ORDER BY created, contact_id LIMIT 500",
            record
        ),
        statement!(facts::contacts_where(people), record, mentions, keys),
        statement!(
            "SELECT address_key, scope, source, reason, note, evidence, created, expires,
               (SELECT i.id FROM ingests i WHERE i.id = suppressions.ingest_id AND i.raw_key <> '') AS report
             FROM suppressions WHERE address_key IN (
               SELECT value FROM json_each(?3)
               UNION SELECT key FROM contact_emails WHERE contact_id IN (SELECT contact_id FROM followers WHERE record_id = ?1
                 UNION SELECT customer_id FROM records WHERE id = ?1 AND customer_id IS NOT NULL
                 UNION SELECT value FROM json_each(?2)
                 UNION SELECT contact_id FROM contact_emails WHERE key IN (SELECT value FROM json_each(?3))))
             ORDER BY scope LIMIT 500",
            record,
            mentions,
            keys
        ),
        statement!(
            "SELECT id, rfc_id, internal, kind FROM messages WHERE record_id = ?1 AND rfc_id IS NOT NULL AND held IS NULL
             ORDER BY at DESC, id DESC LIMIT 32",
            record
        ),
        settings::list_domains(),
        statement!(
            "SELECT address_key, state FROM deliveries WHERE address_key IN
               (SELECT key FROM contact_emails e JOIN contacts c ON c.id = e.contact_id WHERE e.position = 0 AND
                 (c.id IN (SELECT contact_id FROM followers WHERE record_id = ?1)
                  OR c.id = (SELECT customer_id FROM records WHERE id = ?1))
                UNION SELECT value FROM json_each(?2)) ORDER BY created DESC LIMIT 300",
            record,
            keys
        ),
    ]
}

/// Notes who took part in a conversation: their replies are let in.
pub fn take_part(record: &str, keys: &[&str]) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO participants (record_id, address_key) SELECT ?1, value FROM json_each(?2)",
        record,
        to_json(keys)
    )
}

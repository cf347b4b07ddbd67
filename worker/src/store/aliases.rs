//! Inbound addresses.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::aliases::RuleOutcome;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: AliasId,
    address: EmailAddress,
    creates: Option<TypeName>,
    record_id: Option<RecordId>,
    prefix: Option<String>,
    number: Option<u32>,
    record_title: Option<String>,
    contact_rule: ContactRule,
    #[serde(deserialize_with = "json")]
    listed: Vec<String>,
    outcome: RuleOutcome,
    refusal_text: Option<String>,
    owner_id: Option<UserId>,
    owner_name: Option<String>,
    state: AliasState,
    failing_since: Option<Timestamp>,
    received: u32,
    last_received: Option<Timestamp>,
}

impl From<Row> for AliasRow {
    fn from(row: Row) -> Self {
        Self {
            record_number: row.prefix.zip(row.number).map(|(prefix, n)| super::records::number(&prefix, n)),
            id: row.id,
            address: row.address,
            creates: row.creates,
            record: row.record_id,
            record_title: row.record_title,
            contact_rule: row.contact_rule,
            listed: row.listed,
            outcome: row.outcome,
            refusal_text: row.refusal_text,
            owner: row.owner_id,
            owner_name: row.owner_name,
            state: row.state,
            failing_since: row.failing_since,
            received: row.received,
            last_received: row.last_received,
        }
    }
}

const SELECT: &str = "SELECT a.id, a.address, a.creates, a.record_id, t.prefix, r.number, r.title AS record_title,
 a.contact_rule, a.listed, a.outcome, a.refusal_text, a.owner_id, c.name AS owner_name, a.state, a.failing_since,
 a.received, a.last_received
 FROM aliases a LEFT JOIN records r ON r.id = a.record_id LEFT JOIN record_types t ON t.name = r.type
 LEFT JOIN users u ON u.id = a.owner_id LEFT JOIN contacts c ON c.id = u.contact_id";

pub async fn list(app: &App) -> Result<Vec<AliasRow>, StoreError> {
    let rows = app.run(statement!(format!("{SELECT} ORDER BY a.key LIMIT 2000"))).await?;
    Ok(super::decode::<Row>(rows)?.into_iter().map(Into::into).collect())
}

pub async fn read(app: &App, id: &str) -> Result<Option<AliasRow>, StoreError> {
    let rows = app.run(statement!(format!("{SELECT} WHERE a.id = ?1"), id)).await?;
    Ok(super::decode_one::<Row>(rows)?.map(Into::into))
}

/// The alias with this address, if any: who has it already.
pub async fn by_key(app: &App, key: &str) -> Result<Option<AliasRow>, StoreError> {
    let rows = app.run(statement!(format!("{SELECT} WHERE a.key = ?1"), key)).await?;
    Ok(super::decode_one::<Row>(rows)?.map(Into::into))
}

/// All editable fields, checked.
pub struct Edit<'a> {
    pub address: &'a EmailAddress,
    pub creates: Option<&'a str>,
    pub record: Option<&'a str>,
    pub contact_rule: ContactRule,
    pub listed: &'a [String],
    pub outcome: RuleOutcome,
    pub refusal_text: Option<&'a str>,
    pub owner: Option<&'a str>,
}

pub fn insert(id: &str, edit: &Edit<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO aliases (id, address, key, creates, record_id, contact_rule, listed, outcome, refusal_text, owner_id,
           state, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'not_tested', ?11)",
        id,
        edit.address.as_str(),
        edit.address.key(),
        edit.creates,
        edit.record,
        edit.contact_rule.as_str(),
        super::to_json(edit.listed),
        edit.outcome.as_str(),
        edit.refusal_text,
        edit.owner,
        now
    )
}

/// A changed alias has not been tested as it is now.
pub fn update(id: &str, edit: &Edit<'_>) -> Statement {
    statement!(
        "UPDATE aliases SET address = ?2, key = ?3, creates = ?4, record_id = ?5, contact_rule = ?6, listed = ?7,
           outcome = ?8, refusal_text = ?9, owner_id = ?10, state = 'not_tested', failing_since = NULL WHERE id = ?1",
        id,
        edit.address.as_str(),
        edit.address.key(),
        edit.creates,
        edit.record,
        edit.contact_rule.as_str(),
        super::to_json(edit.listed),
        edit.outcome.as_str(),
        edit.refusal_text,
        edit.owner
    )
}

pub fn delete(id: &str) -> Statement {
    statement!("DELETE FROM aliases WHERE id = ?1", id)
}

/// A mail went through: it works.
pub fn mark_received(id: &str, at: Timestamp) -> Statement {
    statement!(
        "UPDATE aliases SET received = received + 1, last_received = ?2, state = 'valid', failing_since = NULL WHERE id = ?1",
        id,
        at
    )
}

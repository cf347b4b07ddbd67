//! Inbound addresses.

use std::collections::BTreeMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::ConfirmationView;
use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::aliases::RuleOutcome;
use mailroom_shared::gateway::confirmation::Confirmation;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::int_bool;
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
    #[serde(deserialize_with = "json")]
    defaults: serde_json::Map<String, serde_json::Value>,
    #[serde(deserialize_with = "int_bool")]
    any_domain: bool,
    parent_record_id: Option<RecordId>,
    #[serde(deserialize_with = "json")]
    also: Vec<EmailAddress>,
    #[serde(deserialize_with = "json")]
    former: Vec<EmailAddress>,
    #[serde(deserialize_with = "int_bool")]
    is_orphan: bool,
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
            defaults: row
                .defaults
                .into_iter()
                .map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (name, text)
                })
                .collect(),
            any_domain: row.any_domain,
            parent: row.parent_record_id,
            also: row.also,
            former: row.former,
            is_orphan: row.is_orphan,
        }
    }
}

const SELECT: &str = "SELECT a.id, a.address, a.creates, a.record_id, t.prefix, r.number, r.title AS record_title,
 a.contact_rule, a.listed, a.outcome, a.refusal_text, a.owner_id, c.name AS owner_name, a.state, a.failing_since,
 a.received, a.last_received, a.defaults, a.any_domain, a.parent_record_id,
 (SELECT json_group_array(address) FROM alias_names n WHERE n.alias_id = a.id AND n.kind = 'also') AS also,
 (SELECT json_group_array(address) FROM alias_names n WHERE n.alias_id = a.id AND n.kind = 'former') AS former,
 NOT EXISTS (SELECT 1 FROM domains d WHERE d.name = lower(substr(a.address, instr(a.address, '@') + 1))) AS is_orphan
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
    pub defaults: &'a BTreeMap<String, String>,
    pub any_domain: bool,
    pub parent: Option<&'a str>,
}

/// The values in the order of the columns both statements name, from `?2` on.
fn values(statement: Statement, edit: &Edit<'_>) -> Statement {
    statement
        .bind(edit.address.as_str())
        .bind(edit.address.key())
        .bind(edit.creates)
        .bind(edit.record)
        .bind(edit.contact_rule.as_str())
        .bind(super::to_json(edit.listed))
        .bind(edit.outcome.as_str())
        .bind(edit.refusal_text)
        .bind(edit.owner)
        .bind(super::to_json(edit.defaults))
        .bind(edit.any_domain)
        .bind(edit.parent)
}

pub fn insert(id: &str, edit: &Edit<'_>, now: Timestamp) -> Statement {
    let sql = "INSERT INTO aliases (id, address, key, creates, record_id, contact_rule, listed, outcome, refusal_text,
         owner_id, defaults, any_domain, parent_record_id, state, created)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'not_tested', ?14)";
    values(statement!(sql, id), edit).bind(now)
}

/// What an alias does has to prove itself again when it changed (AL-10).
pub fn update(id: &str, edit: &Edit<'_>, state: AliasState) -> Statement {
    let sql = "UPDATE aliases SET address = ?2, key = ?3, creates = ?4, record_id = ?5, contact_rule = ?6, listed = ?7,
         outcome = ?8, refusal_text = ?9, owner_id = ?10, defaults = ?11, any_domain = ?12, parent_record_id = ?13,
         state = ?14, failing_since = IIF(?14 = 'failing', failing_since, NULL) WHERE id = ?1";
    values(statement!(sql, id), edit).bind(state.as_str())
}

/// A further address of an alias.
pub struct Name<'a> {
    pub address: &'a EmailAddress,
    /// One it had before, rather than one it has too.
    pub is_former: bool,
}

/// Lays down the further addresses of an alias; what was known of one that stays is kept.
pub fn set_names(id: &str, names: &[Name<'_>], now: Timestamp) -> Vec<Statement> {
    let keys: Vec<String> = names.iter().map(|it| it.address.key()).collect();
    let mut out = vec![statement!(
        "DELETE FROM alias_names WHERE alias_id = ?1 AND key NOT IN (SELECT value FROM json_each(?2))",
        id,
        super::to_json(&keys)
    )];
    for (name, key) in names.iter().zip(keys) {
        out.push(statement!(
            "INSERT INTO alias_names (key, address, alias_id, kind, created) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (key) DO UPDATE SET kind = excluded.kind WHERE alias_id = excluded.alias_id",
            key,
            name.address.as_str(),
            id,
            if name.is_former { "former" } else { "also" },
            now
        ));
    }
    out
}

pub fn delete(id: &str) -> [Statement; 2] {
    [statement!("DELETE FROM alias_names WHERE alias_id = ?1", id), statement!("DELETE FROM aliases WHERE id = ?1", id)]
}

/// Ends former addresses that took no mail since `quiet` and whose conversations were quiet since then.
pub fn retire_names(quiet: Timestamp) -> Statement {
    statement!(
        "DELETE FROM alias_names WHERE kind = 'former' AND created < ?1 AND COALESCE(last_received, 0) < ?1
         AND NOT EXISTS (SELECT 1 FROM records r WHERE r.alias = alias_names.address AND r.deleted = 0 AND r.last_at >= ?1)",
        quiet
    )
}

#[derive(Deserialize)]
struct ConfirmationRow {
    #[serde(deserialize_with = "json")]
    confirmation: Confirmation,
    received: Timestamp,
    record_id: Option<RecordId>,
}

/// Providers' requests that came by an alias since then, newest first.
pub fn confirmations_statement(id: &str, since: Timestamp) -> Statement {
    statement!(
        "SELECT confirmation, received, record_id FROM ingests WHERE confirmation IS NOT NULL AND received >= ?2
         AND alias_key IN (SELECT key FROM aliases WHERE id = ?1 UNION SELECT key FROM alias_names WHERE alias_id = ?1)
         ORDER BY received DESC LIMIT 5",
        id,
        since
    )
}

pub async fn confirmations(app: &App, id: &str, since: Timestamp) -> Result<Vec<ConfirmationView>, StoreError> {
    let rows: Vec<ConfirmationRow> = super::decode(app.run(confirmations_statement(id, since)).await?)?;
    Ok(rows
        .into_iter()
        .map(|it| ConfirmationView {
            provider: it.confirmation.provider.name().to_owned(),
            account: it.confirmation.mailbox,
            code: it.confirmation.code,
            link: it.confirmation.link,
            at: it.received,
            record: it.record_id,
        })
        .collect())
}

/// A mail went through: it works. `key` is the address it was written to, perhaps an earlier one of the alias.
pub fn mark_received(id: &str, key: &str, at: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "UPDATE aliases SET received = received + 1, last_received = ?2, state = 'valid', failing_since = NULL WHERE id = ?1",
            id,
            at
        ),
        statement!("UPDATE alias_names SET last_received = ?2 WHERE key = ?1", key, at),
    ]
}

/// It can't do what it is set up for.
pub fn mark_failing(id: &str, at: Timestamp) -> Statement {
    statement!(
        "UPDATE aliases SET state = 'failing', failing_since = COALESCE(failing_since, ?2) WHERE id = ?1",
        id,
        at
    )
}

/// Adds a sender to the list of an alias with that rule; nothing with another rule, or when he is on it.
pub fn add_listed(key: &str, sender: &str, rule: ContactRule) -> Statement {
    statement!(
        "UPDATE aliases SET listed = json_insert(listed, '$[#]', ?2) WHERE contact_rule = ?3
         AND id IN (SELECT id FROM aliases WHERE key = ?1 UNION SELECT alias_id FROM alias_names WHERE key = ?1)
         AND NOT EXISTS (SELECT 1 FROM json_each(listed) WHERE value = ?2)",
        key,
        sender,
        rule.as_str()
    )
}

/// Where an alias takes followers only, the sender becomes one.
pub fn follow_when_asked(key: &str, record: &str, contact: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO followers (record_id, contact_id, created)
         SELECT ?2, ?3, ?4 FROM aliases WHERE contact_rule = 'followers'
         AND id IN (SELECT id FROM aliases WHERE key = ?1 UNION SELECT alias_id FROM alias_names WHERE key = ?1)",
        key,
        record,
        contact,
        now
    )
}

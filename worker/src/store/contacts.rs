//! Contacts and their addresses.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::contacts::ContactQuery;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::id::ContactId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Filter;
use super::StoreError;
use super::decode;
use super::decode_one;
use super::int_bool;
use super::json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: ContactId,
    name: String,
    sort_name: String,
    #[serde(deserialize_with = "json")]
    emails: Vec<EmailAddress>,
    #[serde(deserialize_with = "int_bool")]
    internal: bool,
    records: u32,
    created: Timestamp,
}

impl From<Row> for ContactRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            emails: row.emails,
            internal: row.internal,
            records: row.records,
            created: row.created,
        }
    }
}

const SELECT: &str = "SELECT c.id, c.name, c.sort_name, c.internal, c.created,
 (SELECT json_group_array(address) FROM (SELECT address FROM contact_emails WHERE contact_id = c.id ORDER BY position)) AS emails,
 (SELECT COUNT(*) FROM records r WHERE r.customer_id = c.id AND r.deleted = 0) AS records
 FROM contacts c";

/// Lower case, for sorting and for finding by the beginning.
pub fn sort_name(name: &str) -> String {
    name.trim().to_lowercase()
}

/// By name. `q` finds the beginning of a name or of an address.
pub fn list_statement(query: &ContactQuery) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let mut filter = Filter::new(vec![(limit + 1).into()]);
    if let Some(q) = query.q.as_deref().map(sort_name).filter(|it| !it.is_empty()) {
        // A range instead of LIKE: it uses the index and has no wildcards to escape.
        filter.and(
            "((c.sort_name >= $0 AND c.sort_name < $1)
              OR c.id IN (SELECT contact_id FROM contact_emails WHERE key >= $0 AND key < $1))",
            [q.as_str().into(), format!("{q}\u{10ffff}").into()],
        );
    }
    if let Some((name, id)) = query.cursor.as_deref().and_then(|it| it.rsplit_once('~')) {
        filter.and("(c.sort_name, c.id) > ($0, $1)", [name.into(), id.into()]);
    }
    let sql = format!("{SELECT} WHERE c.archived = 0{} ORDER BY c.sort_name, c.id LIMIT ?1", filter.sql);
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

pub async fn list(app: &App, query: &ContactQuery) -> Result<Page<ContactRow>, StoreError> {
    let (statement, limit) = list_statement(query);
    let mut rows: Vec<Row> = decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| format!("{}~{}", it.sort_name, it.id));
    Ok(Page { items: rows.into_iter().map(Into::into).collect(), next, total: None })
}

pub async fn read(app: &App, id: &str) -> Result<Option<ContactRow>, StoreError> {
    let rows = app.run(statement!(format!("{SELECT} WHERE c.id = ?1"), id)).await?;
    Ok(decode_one::<Row>(rows)?.map(Into::into))
}

#[derive(Deserialize)]
struct Id {
    id: ContactId,
}

/// A contact that is there and in use.
pub async fn is_active(app: &App, id: &str) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM contacts WHERE id = ?1 AND archived = 0";
    Ok(decode_one::<Id>(app.run(statement!(sql, id)).await?)?.is_some())
}

/// The contact that has an address.
pub async fn by_address(app: &App, address: &EmailAddress) -> Result<Option<ContactId>, StoreError> {
    let sql = "SELECT c.id FROM contact_emails e JOIN contacts c ON c.id = e.contact_id
      WHERE e.key = ?1 ORDER BY c.archived, c.internal DESC, c.created LIMIT 1";
    Ok(decode_one::<Id>(app.run(statement!(sql, address.key())).await?)?.map(|it| it.id))
}

pub fn insert(id: &str, name: &str, internal: bool, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO contacts (id, name, sort_name, internal, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        id,
        name,
        sort_name(name),
        internal,
        now
    )
}

pub fn insert_email(contact: &str, address: &EmailAddress, position: usize) -> Statement {
    statement!(
        "INSERT INTO contact_emails (contact_id, key, address, position) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (contact_id, key) DO UPDATE SET address = excluded.address, position = excluded.position",
        contact,
        address.key(),
        address.as_str(),
        position
    )
}

pub fn rename(id: &str, name: &str) -> Statement {
    statement!("UPDATE contacts SET name = ?2, sort_name = ?3 WHERE id = ?1", id, name, sort_name(name))
}

pub fn clear_emails(id: &str) -> Statement {
    statement!("DELETE FROM contact_emails WHERE contact_id = ?1", id)
}

/// Takes the place of an address that turned out wrong, keeping its position.
pub fn replace_email(contact: &str, old_key: &str, address: &EmailAddress) -> Vec<Statement> {
    vec![
        statement!(
            "INSERT OR REPLACE INTO contact_emails (contact_id, key, address, position)
             VALUES (?1, ?2, ?3, COALESCE((SELECT position FROM contact_emails WHERE contact_id = ?1 AND key = ?4), 0))",
            contact,
            address.key(),
            address.as_str(),
            old_key
        ),
        statement!("DELETE FROM contact_emails WHERE contact_id = ?1 AND key = ?2 AND key <> ?3", contact, old_key, address.key()),
    ]
}

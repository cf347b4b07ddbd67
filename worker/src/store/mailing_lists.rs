//! Mailing lists and their members.

use std::collections::BTreeMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::mailing_lists::MailingListRow;
use mailroom_shared::api::mailing_lists::MailingListSettings;
use mailroom_shared::api::mailing_lists::MemberQuery;
use mailroom_shared::api::mailing_lists::MemberRow;
use mailroom_shared::id::MailingListId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::StoreError;
use super::int_bool;
use super::json;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: MailingListId,
    name: String,
    #[serde(deserialize_with = "int_bool")]
    public: bool,
    #[serde(deserialize_with = "int_bool")]
    archived: bool,
    #[serde(deserialize_with = "json")]
    columns: Vec<String>,
    created: Timestamp,
    members: u32,
    opted_out: u32,
    suppressed: u32,
}

impl From<Row> for MailingListRow {
    fn from(it: Row) -> Self {
        Self {
            id: it.id,
            settings: MailingListSettings { name: it.name, public: it.public, archived: it.archived },
            members: it.members,
            opted_out: it.opted_out,
            suppressed: it.suppressed,
            columns: it.columns,
            created: it.created,
        }
    }
}

/// Lists by name, a handful; `id` picks one.
pub fn list_statement(id: Option<&str>) -> Statement {
    statement!(
        "SELECT l.id, l.name, l.public, l.archived, l.columns, l.created,
           (SELECT COUNT(*) FROM mailing_list_members m WHERE m.list_id = l.id) AS members,
           (SELECT COUNT(*) FROM mailing_list_members m INDEXED BY members_opted_out
              WHERE m.list_id = l.id AND m.opted_out IS NOT NULL) AS opted_out,
           (SELECT COUNT(DISTINCT m.address_key) FROM suppressions s CROSS JOIN mailing_list_members m
              ON m.list_id = l.id AND m.address_key = s.address_key AND m.opted_out IS NULL) AS suppressed
         FROM mailing_lists l WHERE ?1 IS NULL OR l.id = ?1 ORDER BY l.archived, lower(l.name), l.id",
        id
    )
}

pub async fn list(app: &App) -> Result<Vec<MailingListRow>, StoreError> {
    let rows: Vec<Row> = super::decode(app.run(list_statement(None)).await?)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub async fn read(app: &App, id: &str) -> Result<Option<MailingListRow>, StoreError> {
    let row: Option<Row> = super::decode_one(app.run(list_statement(Some(id))).await?)?;
    Ok(row.map(Into::into))
}

#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    pub id: MailingListId,
    pub name: String,
    #[serde(deserialize_with = "int_bool")]
    pub public: bool,
    #[serde(deserialize_with = "json")]
    pub columns: Vec<String>,
}

/// Lists by their ids.
pub fn named(ids: &[MailingListId]) -> Statement {
    statement!(
        "SELECT id, name, public, columns FROM mailing_lists WHERE id IN (SELECT value FROM json_each(?1))",
        to_json(ids)
    )
}

pub fn create(id: &str, it: &MailingListSettings, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO mailing_lists (id, name, public, archived, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        id,
        it.name.as_str(),
        it.public,
        it.archived,
        now
    )
}

pub fn change(id: &str, it: &MailingListSettings) -> Statement {
    statement!(
        "UPDATE mailing_lists SET name = ?2, public = ?3, archived = ?4 WHERE id = ?1",
        id,
        it.name.as_str(),
        it.public,
        it.archived
    )
}

/// Campaigns that are not over and go to this list.
pub fn used_by(id: &str) -> Statement {
    statement!(
        "SELECT COUNT(*) AS n FROM campaigns INDEXED BY campaigns_by_state WHERE state IN ('queued', 'sending', 'paused')
           AND EXISTS (SELECT 1 FROM json_each(campaigns.audience, '$.lists') WHERE value = ?1)",
        id
    )
}

/// A member to be.
#[derive(Debug, Clone, Serialize)]
pub struct NewMember {
    pub key: String,
    pub address: String,
    pub name: String,
    pub fields: String,
}

impl NewMember {
    pub fn new(address: &EmailAddress, name: &str, fields: &BTreeMap<String, String>) -> Self {
        let name = name.chars().filter(|c| !c.is_control()).take(200).collect();
        Self { key: address.key(), address: address.as_str().to_owned(), name, fields: to_json(fields) }
    }
}

/// How many of these are on the list.
pub fn count_known(list: &str, keys: &[&str]) -> Statement {
    statement!(
        "SELECT COUNT(*) AS n FROM json_each(?2) j CROSS JOIN mailing_list_members m ON m.list_id = ?1 AND m.address_key = j.value",
        list,
        to_json(keys)
    )
}

/// Puts contacts on a list. Who is on it gets the new name and columns; who left stays out.
pub fn add(list: &str, members: &[NewMember], now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO mailing_list_members (list_id, address_key, address, name, fields, added)
         SELECT ?1, value ->> 'key', value ->> 'address', value ->> 'name', value ->> 'fields', ?3 FROM json_each(?2) WHERE 1 = 1
         ON CONFLICT (list_id, address_key) DO UPDATE SET
           name = CASE WHEN excluded.name = '' THEN name ELSE excluded.name END,
           fields = json_patch(fields, excluded.fields)",
        list,
        to_json(members),
        now
    )
}

pub fn set_columns(list: &str, columns: &[String]) -> Statement {
    statement!("UPDATE mailing_lists SET columns = ?2 WHERE id = ?1", list, to_json(columns))
}

pub fn opt_out(lists: &[MailingListId], key: &str, by: Option<&str>, now: Timestamp) -> Statement {
    statement!(
        "UPDATE mailing_list_members SET opted_out = ?3, opted_out_by = ?4
         WHERE list_id IN (SELECT value FROM json_each(?1)) AND address_key = ?2 AND opted_out IS NULL",
        to_json(lists),
        key,
        now,
        by
    )
}

pub fn opt_in(lists: &[MailingListId], key: &str) -> Statement {
    statement!(
        "UPDATE mailing_list_members SET opted_out = NULL, opted_out_by = NULL
         WHERE list_id IN (SELECT value FROM json_each(?1)) AND address_key = ?2",
        to_json(lists),
        key
    )
}

pub fn remove(list: &str, key: &str) -> Statement {
    statement!("DELETE FROM mailing_list_members WHERE list_id = ?1 AND address_key = ?2", list, key)
}

#[derive(Deserialize)]
struct Member {
    address_key: String,
    address: String,
    name: String,
    #[serde(deserialize_with = "json")]
    fields: BTreeMap<String, String>,
    added: Timestamp,
    opted_out: Option<Timestamp>,
    opted_out_by: Option<String>,
    #[serde(deserialize_with = "int_bool")]
    is_suppressed: bool,
}

pub fn members_statement(list: &str, query: &MemberQuery, most: u32) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, most);
    let statement = statement!(
        "SELECT m.address_key, m.address, m.name, m.fields, m.added, m.opted_out, m.opted_out_by,
           EXISTS (SELECT 1 FROM suppressions s WHERE s.address_key = m.address_key) AS is_suppressed
         FROM mailing_list_members m WHERE m.list_id = ?1 AND m.address_key > ?2
           AND (?3 = '' OR instr(m.address_key, ?3) OR instr(lower(m.name), ?3))
         ORDER BY m.address_key LIMIT ?4",
        list,
        query.cursor.as_deref().unwrap_or_default(),
        query.q.as_deref().unwrap_or_default().trim().to_lowercase(),
        limit + 1
    );
    (statement, limit)
}

pub async fn members(app: &App, list: &str, query: &MemberQuery, most: u32) -> Result<Page<MemberRow>, StoreError> {
    let (statement, limit) = members_statement(list, query, most);
    let mut rows: Vec<Member> = super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| it.address_key.clone());
    let items = rows
        .into_iter()
        .map(|it| MemberRow {
            address: it.address,
            name: it.name,
            fields: it.fields,
            added: it.added,
            opted_out: it.opted_out,
            by: it.opted_out_by,
            is_suppressed: it.is_suppressed,
        })
        .collect();
    Ok(Page { items, next, total: None })
}

//! Templates for mail to customers, and what fills them.

use mailroom_shared::api::templates::TemplateContent;
use mailroom_shared::api::templates::TemplateRow;
use mailroom_shared::id::RecordId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::decode;
use super::decode_one;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    subject: String,
    text: String,
    by_name: String,
    changed: Timestamp,
}

impl From<Row> for TemplateRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            content: TemplateContent { name: row.name, subject: row.subject, text: row.text },
            by: row.by_name,
            changed: row.changed,
        }
    }
}

pub fn list_statement() -> Statement {
    statement!("SELECT id, name, subject, text, by_name, changed FROM templates ORDER BY name, id LIMIT 500")
}

/// All, by name.
pub async fn list(app: &App) -> Result<Vec<TemplateRow>, StoreError> {
    Ok(decode::<Row>(app.run(list_statement()).await?)?.into_iter().map(Into::into).collect())
}

pub async fn read(app: &App, id: &str) -> Result<Option<TemplateRow>, StoreError> {
    let sql = "SELECT id, name, subject, text, by_name, changed FROM templates WHERE id = ?1";
    Ok(decode_one::<Row>(app.run(statement!(sql, id)).await?)?.map(Into::into))
}

pub fn insert(id: &str, it: &TemplateContent, by: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO templates (id, name, subject, text, by_name, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        id,
        it.name.trim(),
        it.subject.trim(),
        &it.text,
        by,
        now
    )
}

pub fn update(id: &str, it: &TemplateContent, by: &str, now: Timestamp) -> Statement {
    statement!(
        "UPDATE templates SET name = ?2, subject = ?3, text = ?4, by_name = ?5, changed = ?6 WHERE id = ?1",
        id,
        it.name.trim(),
        it.subject.trim(),
        &it.text,
        by,
        now
    )
}

pub fn delete(id: &str) -> Statement {
    statement!("DELETE FROM templates WHERE id = ?1", id)
}

#[derive(Deserialize)]
struct Id {
    id: RecordId,
}

/// The record with the newest message among the types that a person sees.
pub async fn newest_record(app: &App, sight: &super::sight::Sight, me: &str) -> Result<Option<RecordId>, StoreError> {
    let query = mailroom_shared::api::records::RecordQuery::default();
    let user = mailroom_shared::id::UserId::parse(me).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let (statement, _) = super::records::list_statement(&query, &user, sight);
    Ok(decode::<Id>(app.run(statement).await?)?.into_iter().next().map(|it| it.id))
}

//! Which record types somebody sees. What he does not see is not there for him: lists leave it out, all else is *not found*.

use mailroom_shared::id::TypeName;
use serde::Deserialize;

use super::Filter;
use super::StoreError;
use super::decode;
use super::decode_one;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// The record types somebody sees; none chosen is all of them, and costs nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight(Vec<TypeName>);

#[derive(Deserialize)]
struct TypeRow {
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct IdRow {
    id: String,
}

impl Sight {
    pub fn of(types: Vec<TypeName>) -> Self {
        Self(types)
    }

    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    pub fn sees(&self, name: &str) -> bool {
        self.is_all() || self.0.iter().any(|it| it.as_str() == name)
    }

    fn names(&self) -> Value {
        to_json(&self.0).into()
    }

    /// Leaves out rows whose type, as this SQL says it, is hidden. What has no type belongs to nobody and stays.
    pub fn narrow(&self, filter: &mut Filter, r#type: &str) {
        if !self.is_all() {
            let condition = format!("COALESCE({type} IN (SELECT value FROM json_each($0)), 1)");
            filter.and(&condition, [self.names()]);
        }
    }

    /// The same by the record that a column names.
    pub fn narrow_by_record(&self, filter: &mut Filter, record: &str) {
        self.narrow(filter, &format!("(SELECT type FROM records WHERE id = {record})"));
    }

    /// Whether what a statement finds the type of is seen. What is not found is for others to say.
    async fn asks(&self, app: &App, statement: impl FnOnce() -> Statement) -> Result<bool, StoreError> {
        if self.is_all() {
            return Ok(true);
        }
        let row: Option<TypeRow> = decode_one(app.run(statement()).await?)?;
        Ok(row.and_then(|it| it.r#type).is_none_or(|it| self.sees(&it)))
    }

    pub async fn sees_record(&self, app: &App, id: &str) -> Result<bool, StoreError> {
        self.asks(app, || statement!("SELECT type FROM records WHERE id = ?1", id)).await
    }

    pub async fn sees_message(&self, app: &App, id: &str) -> Result<bool, StoreError> {
        let sql = "SELECT r.type FROM messages m JOIN records r ON r.id = m.record_id WHERE m.id = ?1";
        self.asks(app, || statement!(sql, id)).await
    }

    pub async fn sees_attachment(&self, app: &App, id: &str) -> Result<bool, StoreError> {
        let sql = "SELECT r.type FROM attachments a LEFT JOIN messages m ON m.id = a.message_id
          JOIN records r ON r.id = COALESCE(a.record_id, m.record_id) WHERE a.id = ?1";
        self.asks(app, || statement!(sql, id)).await
    }

    /// A hand-over: by the record it became, by the type it would make, by the mail of ours it reports on.
    pub async fn sees_ingest(&self, app: &App, id: &str) -> Result<bool, StoreError> {
        let sql =
            "SELECT COALESCE(r.type, i.type, (SELECT o.type FROM events e JOIN deliveries d ON d.id = e.delivery_id
            JOIN records o ON o.id = d.record_id WHERE e.ingest_id = i.id LIMIT 1)) AS type
          FROM ingests i LEFT JOIN records r ON r.id = i.record_id WHERE i.id = ?1";
        self.asks(app, || statement!(sql, id)).await
    }

    /// Of these records, those that are seen.
    pub async fn of_records(&self, app: &App, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        if self.is_all() {
            return Ok(ids);
        }
        let sql = "SELECT id FROM records WHERE id IN (SELECT value FROM json_each(?1))
          AND type IN (SELECT value FROM json_each(?2))";
        let rows: Vec<IdRow> = decode(app.run(statement!(sql, to_json(&ids), self.names())).await?)?;
        Ok(rows.into_iter().map(|it| it.id).collect())
    }

    /// Of these deliveries, those that are seen.
    pub async fn of_deliveries(&self, app: &App, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        if self.is_all() {
            return Ok(ids);
        }
        let sql = "SELECT d.id FROM deliveries d LEFT JOIN records r ON r.id = d.record_id
          WHERE d.id IN (SELECT value FROM json_each(?1))
            AND (r.type IS NULL OR r.type IN (SELECT value FROM json_each(?2)))";
        let rows: Vec<IdRow> = decode(app.run(statement!(sql, to_json(&ids), self.names())).await?)?;
        Ok(rows.into_iter().map(|it| it.id).collect())
    }
}

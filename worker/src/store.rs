//! SQL: one file per aggregate. Functions build statements and read rows; nothing here decides.

pub mod actions;
pub mod aliases;
pub mod campaigns;
pub mod canaries;
pub mod changes;
pub mod contacts;
pub mod deliverability;
pub mod deliveries;
pub mod dkim;
pub mod doctor;
pub mod facts;
pub mod failures;
pub mod ignored;
pub mod incoming;
pub mod ingests;
pub mod limits;
pub mod logs;
pub mod mailing_lists;
pub mod messages;
pub mod moves;
pub mod notifications;
pub mod paused;
pub mod people;
pub mod posting;
pub mod provider_events;
pub mod queue;
pub mod records;
pub mod refusals;
pub mod servers;
pub mod settings;
pub mod sight;
pub mod status;
pub mod suppressions;
pub mod templates;
pub mod tokens;
pub mod trace;
pub mod users;
pub mod vacuum;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ports::DbError;
use crate::ports::Rows;
use crate::ports::Value;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Db(#[from] DbError),
    /// A row that is not what the schema promises; names the column.
    #[error("unexpected row: {0}")]
    Corrupt(String),
}

/// All rows as a type.
pub fn decode<T: DeserializeOwned>(rows: Rows) -> Result<Vec<T>, StoreError> {
    rows.rows
        .into_iter()
        .map(|row| {
            serde_json::from_value(serde_json::Value::Object(row)).map_err(|e| StoreError::Corrupt(e.to_string()))
        })
        .collect()
}

/// The first row, if any.
pub fn decode_one<T: DeserializeOwned>(rows: Rows) -> Result<Option<T>, StoreError> {
    Ok(decode(rows)?.into_iter().next())
}

/// Takes the answers of a batch one by one, in the order the statements stood.
pub struct Answers(std::vec::IntoIter<Rows>);

impl Answers {
    pub fn new(rows: Vec<Rows>) -> Self {
        Self(rows.into_iter())
    }

    pub fn rows<T: DeserializeOwned>(&mut self) -> Result<Vec<T>, StoreError> {
        decode(self.0.next().unwrap_or_default())
    }

    pub fn one<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        decode_one(self.0.next().unwrap_or_default())
    }

    /// The answer as it came.
    pub fn take(&mut self) -> Rows {
        self.0.next().unwrap_or_default()
    }

    /// Rows the statement changed.
    pub fn changes(&mut self) -> u32 {
        self.0.next().unwrap_or_default().changes
    }
}

/// SQLite has no booleans: 0 or 1.
pub fn int_bool<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(f64::deserialize(deserializer)? != 0.0)
}

/// A nullable 0 or 1.
pub fn opt_int_bool<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.map(|it| it != 0.0))
}

/// A JSON column.
pub fn json<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: DeserializeOwned,
{
    let text = String::deserialize(deserializer)?;
    serde_json::from_str(&text).map_err(serde::de::Error::custom)
}

/// A JSON column that may be NULL.
pub fn opt_json<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: DeserializeOwned,
{
    match Option::<String>::deserialize(deserializer)? {
        Some(text) => serde_json::from_str(&text).map(Some).map_err(serde::de::Error::custom),
        None => Ok(None),
    }
}

/// JSON text for a column or for `json_each`.
pub fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// A page: at most this many rows, and the place to go on.
pub fn limit(asked: Option<u32>, default: u32, most: u32) -> u32 {
    asked.unwrap_or(default).clamp(1, most)
}

/// A cursor is `<number>~<id>` of the last row seen.
pub fn read_cursor(cursor: Option<&str>) -> Option<(f64, String)> {
    let (number, id) = cursor?.split_once('~')?;
    Some((number.parse().ok()?, id.to_owned()))
}

pub fn write_cursor(number: i64, id: &str) -> String {
    format!("{number}~{id}")
}

/// Conditions of a list statement with their parameters. `$0`, `$1`, … in a condition are its own values.
pub struct Filter {
    pub sql: String,
    pub params: Vec<Value>,
}

impl Filter {
    /// Parameters that the statement names itself come first.
    pub fn new(params: Vec<Value>) -> Self {
        Self { sql: String::new(), params }
    }

    /// Adds ` AND condition`.
    pub fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        let mut text = condition.to_owned();
        for (i, value) in values.into_iter().enumerate() {
            self.params.push(value);
            text = text.replace(&format!("${i}"), &format!("?{}", self.params.len()));
        }
        self.sql.push_str(" AND ");
        self.sql.push_str(&text);
    }
}

/// Words for FTS5, each quoted, the last as a prefix; `None` when there is nothing to look for.
pub fn fts_query(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|it| !it.is_empty())
        .take(12)
        .map(|word| format!("\"{word}\""))
        .collect();
    if words.is_empty() { None } else { Some(format!("{}*", words.join(" "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_full_text_search() {
        assert_eq!(fts_query("a\" OR b*"), Some("\"a\" \"OR\" \"b\"*".to_owned()));
        assert_eq!(fts_query(" - "), None);
    }
}

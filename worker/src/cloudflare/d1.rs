//! D1. One batch is one transaction and one round trip; the answer crosses into wasm as one JSON text, which is
//! quicker than value by value.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use js_sys::Array;
use js_sys::JSON;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::env::DEV_FAULTS;
use super::halt;
use crate::ports::Db;
use crate::ports::DbError;
use crate::ports::Row;
use crate::ports::Rows;
use crate::ports::Statement;
use crate::ports::Value;

#[wasm_bindgen]
extern "C" {
    /// `D1Database` of the runtime.
    #[derive(Debug, Clone)]
    pub(super) type RawD1;

    #[derive(Debug, Clone)]
    type RawStatement;

    #[wasm_bindgen(method, catch)]
    fn prepare(this: &RawD1, sql: &str) -> Result<RawStatement, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn batch(this: &RawD1, statements: &Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, variadic)]
    fn bind(this: &RawStatement, values: &Array) -> Result<RawStatement, JsValue>;
}

pub(super) struct D1(pub(super) worker::send::SendWrapper<RawD1>);

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Vec<Row>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    changes: f64,
    #[serde(default)]
    size_after: Option<f64>,
}

/// D1 says `D1_ERROR: UNIQUE constraint failed: table.column: SQLITE_CONSTRAINT`.
fn translate(error: &JsValue) -> DbError {
    let text = js_sys::Reflect::get(error, &"message".into())
        .ok()
        .and_then(|it| it.as_string())
        .unwrap_or_else(|| format!("{error:?}"));
    match text.split_once("UNIQUE constraint failed: ") {
        Some((_, rest)) => DbError::Unique(rest.split(':').next().unwrap_or(rest).trim().to_owned()),
        None => DbError::Failed(text),
    }
}

impl D1 {
    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, JsValue> {
        let prepared = Array::new();
        for statement in statements {
            let values = Array::new();
            for param in statement.params {
                values.push(&match param {
                    Value::Null => JsValue::NULL,
                    Value::Number(n) => JsValue::from_f64(n),
                    Value::Text(text) => JsValue::from_str(&text),
                });
            }
            prepared.push(self.0.prepare(&statement.sql)?.bind(&values)?.as_ref());
        }
        let answers = self.0.batch(&prepared).await?;
        let text = String::from(JSON::stringify(&answers)?);
        let answers: Vec<Answer> = serde_json::from_str(&text).map_err(|e| JsValue::from_str(&e.to_string()))?;
        Ok(answers
            .into_iter()
            .map(|it| Rows { rows: it.results, changes: it.meta.changes as u32, database_bytes: it.meta.size_after })
            .collect())
    }
}

#[async_trait(?Send)]
impl Db for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DbError> {
        if DEV_FAULTS.db.load(Ordering::Relaxed) {
            return Err(DbError::Failed("made to fail".to_owned()));
        }
        halt::before(statements.first().map_or("D1", |it| &it.sql)).await;
        self.run(statements).await.map_err(|error| translate(&error))
    }
}

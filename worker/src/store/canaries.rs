//! Mails that go out and should come in again.

use mailroom_shared::api::status::CanaryState;
use mailroom_shared::api::status::CanaryView;
use mailroom_shared::time::Timestamp;
use mailroom_shared::way::Stop;
use serde::Deserialize;

use super::StoreError;
use super::int_bool;
use super::json;
use super::to_json;
use crate::app::App;
use crate::ports::Rows;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: String,
    at: Timestamp,
    by_name: String,
    server: String,
    mail_from: String,
    rcpt_to: String,
    answered: Option<Timestamp>,
    #[serde(deserialize_with = "int_bool")]
    taken: bool,
    answer: String,
    returned: Option<Timestamp>,
    #[serde(deserialize_with = "json")]
    way: Vec<Stop>,
}

const COLUMNS: &str = "id, at, by_name, server, mail_from, rcpt_to, answered, taken, answer, returned, way";

/// A canary before it is sent.
pub struct NewCanary<'a> {
    pub id: &'a str,
    pub by: &'a str,
    pub server: &'a str,
    pub mail_from: &'a str,
    pub rcpt_to: &'a str,
}

pub fn insert(c: &NewCanary<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO canaries (id, at, by_name, server, mail_from, rcpt_to) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        c.id,
        now,
        c.by,
        c.server,
        c.mail_from,
        c.rcpt_to
    )
}

pub fn answered(id: &str, taken: bool, answer: &str, now: Timestamp) -> Statement {
    statement!(
        "UPDATE canaries SET answered = ?2, taken = ?3, answer = ?4 WHERE id = ?1",
        id,
        now,
        taken,
        super::messages::cut(answer, 500)
    )
}

/// It came back; the second time nothing changes.
pub fn returned(id: &str, way: &[Stop], now: Timestamp) -> Statement {
    statement!("UPDATE canaries SET returned = ?2, way = ?3 WHERE id = ?1 AND returned IS NULL", id, now, to_json(way))
}

pub fn newest() -> Statement {
    statement!(format!("SELECT {COLUMNS} FROM canaries ORDER BY at DESC, id DESC LIMIT 1"))
}

pub fn view(rows: Rows, now: Timestamp) -> Result<Option<CanaryView>, StoreError> {
    Ok(super::decode_one::<Row>(rows)?.map(|it| CanaryView {
        state: CanaryState::of(it.at, it.taken, it.answered.is_some(), it.returned.is_some(), now),
        id: it.id,
        by: it.by_name,
        server: it.server,
        mail_from: it.mail_from,
        rcpt_to: it.rcpt_to,
        sent: it.at,
        answered: it.answered,
        answer: it.answer,
        returned: it.returned,
        way: it.way,
    }))
}

pub async fn read(app: &App, id: &str) -> Result<Option<CanaryView>, StoreError> {
    let rows = app.run(statement!(format!("SELECT {COLUMNS} FROM canaries WHERE id = ?1"), id)).await?;
    view(rows, app.now())
}

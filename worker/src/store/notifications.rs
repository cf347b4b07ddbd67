//! What users were told in Mailroom.

use mailroom_shared::api::Page;
use mailroom_shared::api::messages::TellBy;
use mailroom_shared::api::notifications::MarkNotifications;
use mailroom_shared::api::notifications::NotificationFilter;
use mailroom_shared::api::notifications::NotificationQuery;
use mailroom_shared::api::notifications::NotificationRow;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::thread::recipients::Recipient;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Filter;
use super::StoreError;
use super::decode;
use super::int_bool;
use super::records::number;
use super::sight::Sight;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// Lines for those who are told in Mailroom, from that moment on.
pub fn insert(people: &[Recipient], message: &str, record: &str, at: Timestamp) -> Vec<Statement> {
    people
        .iter()
        .filter(|it| it.by == TellBy::Mailroom)
        .filter_map(|it| it.user.as_ref())
        .map(|user| {
            statement!(
                "INSERT OR IGNORE INTO notifications (user_id, message_id, record_id, at) VALUES (?1, ?2, ?3, ?4)",
                user.as_str(),
                message,
                record,
                at
            )
        })
        .collect()
}

/// A message that was to leave later leaves now.
pub fn hasten(message: &str, now: Timestamp) -> Statement {
    statement!("UPDATE notifications SET at = ?2 WHERE message_id = ?1 AND at > ?2", message, now)
}

#[derive(Deserialize)]
struct Row {
    message: MessageId,
    record: RecordId,
    prefix: String,
    number: u32,
    title: String,
    author: String,
    #[serde(deserialize_with = "int_bool")]
    internal: bool,
    snippet: String,
    at: Timestamp,
    #[serde(deserialize_with = "int_bool")]
    read: bool,
    #[serde(deserialize_with = "int_bool")]
    starred: bool,
}

impl From<Row> for NotificationRow {
    fn from(row: Row) -> Self {
        Self {
            message: row.message,
            record: row.record,
            number: number(&row.prefix, row.number),
            title: row.title,
            author: row.author,
            internal: row.internal,
            snippet: row.snippet,
            at: row.at,
            read: row.read,
            starred: row.starred,
        }
    }
}

/// Those of a user, newest first.
pub fn list_statement(query: &NotificationQuery, user: &str, sight: &Sight, now: Timestamp) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let mut filter = Filter::new(vec![user.into(), (limit + 1).into(), now.into()]);
    sight.narrow(&mut filter, "r.type");
    let index = match query.filter.unwrap_or_default() {
        NotificationFilter::Unread => {
            filter.and("n.read_at IS NULL", []);
            "notifications_unread"
        }
        NotificationFilter::Starred => {
            filter.and("n.starred = 1", []);
            "notifications_starred"
        }
        NotificationFilter::All => "notifications_by_time",
    };
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and("(n.at, n.message_id) < ($0, $1)", [Value::Number(at), id.into()]);
    }
    let sql = format!(
        "SELECT n.message_id AS message, n.record_id AS record, t.prefix, r.number, r.title, m.author_name AS author,
           m.internal, substr(m.text, 1, 200) AS snippet, n.at, n.read_at IS NOT NULL AS read, n.starred
         FROM notifications n INDEXED BY {index} CROSS JOIN messages m ON m.id = n.message_id
         CROSS JOIN records r ON r.id = n.record_id AND r.deleted = 0 CROSS JOIN record_types t ON t.name = r.type
         WHERE n.user_id = ?1 AND n.at <= ?3{} ORDER BY n.at DESC, n.message_id DESC LIMIT ?2",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

pub async fn list(
    app: &App,
    query: &NotificationQuery,
    user: &str,
    sight: &Sight,
) -> Result<Page<NotificationRow>, StoreError> {
    let (statement, limit) = list_statement(query, user, sight, app.now());
    let mut rows: Vec<Row> = decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.at.as_millis(), it.message.as_str()));
    Ok(Page { items: rows.into_iter().map(Into::into).collect(), next, total: None })
}

#[derive(Debug, Default, Deserialize)]
pub struct Unread {
    pub n: u32,
}

/// How many the rail says.
pub fn unread(user: &str, sight: &Sight, now: Timestamp) -> Statement {
    let mut filter = Filter::new(vec![user.into(), now.into()]);
    sight.narrow_by_record(&mut filter, "n.record_id");
    let sql = format!(
        "SELECT COUNT(*) AS n FROM notifications n INDEXED BY notifications_unread
         WHERE n.user_id = ?1 AND n.read_at IS NULL AND n.at <= ?2{}",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

pub fn mark(what: &MarkNotifications, user: &str, now: Timestamp) -> Vec<Statement> {
    let ids = to_json(&what.messages);
    let mut statements = Vec::new();
    let chosen = "user_id = ?1 AND message_id IN (SELECT value FROM json_each(?2))";
    match what.read {
        Some(true) if what.messages.is_empty() => statements.push(statement!(
            "UPDATE notifications SET read_at = ?2 WHERE user_id = ?1 AND read_at IS NULL AND at <= ?2",
            user,
            now
        )),
        Some(read) => statements.push(statement!(
            format!("UPDATE notifications SET read_at = ?3 WHERE {chosen}"),
            user,
            ids.as_str(),
            read.then_some(now)
        )),
        None => {}
    }
    if let Some(starred) = what.starred {
        statements.push(statement!(
            format!("UPDATE notifications SET starred = ?3 WHERE {chosen}"),
            user,
            ids.as_str(),
            starred
        ));
    }
    statements
}

/// Who reads a record knows what he was told of it.
pub fn read_record(user: &str, record: &str, now: Timestamp) -> Statement {
    statement!(
        "UPDATE notifications SET read_at = ?3 WHERE user_id = ?1 AND record_id = ?2 AND read_at IS NULL AND at <= ?3",
        user,
        record,
        now
    )
}

/// What was read so long ago and has no star.
pub fn forget(before: Timestamp, most: u32) -> Statement {
    statement!(
        "DELETE FROM notifications WHERE (user_id, message_id) IN
           (SELECT user_id, message_id FROM notifications INDEXED BY notifications_read
            WHERE read_at IS NOT NULL AND starred = 0 AND read_at < ?1 LIMIT ?2)",
        before,
        most
    )
}

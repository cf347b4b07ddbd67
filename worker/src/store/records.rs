//! Records, their followers and what each user has read of them.

use std::collections::BTreeMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::records::AttachmentView;
use mailroom_shared::api::records::FollowerView;
use mailroom_shared::api::records::RecordQuery;
use mailroom_shared::api::records::RecordRow;
use mailroom_shared::api::records::RecordView;
use mailroom_shared::api::records::Subtypes;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::api::shell::TypeRow;
use mailroom_shared::id::AttachmentId;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::outbox::state::envelope;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::Filter;
use super::StoreError;
use super::decode;
use super::int_bool;
use super::json;
use super::opt_json;
use super::sight::Sight;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// Deliveries that colour an envelope. The text must equal the condition of the index `deliveries_trouble`.
const TROUBLE: &str = "state IN ('outgoing', 'sending', 'deferred', 'failed', 'bounced', 'complained', 'unknown')";

/// `T00042`.
pub fn number(prefix: &str, number: u32) -> String {
    format!("{prefix}{number:05}")
}

#[derive(Deserialize)]
struct Row {
    id: RecordId,
    r#type: TypeName,
    prefix: String,
    number: u32,
    title: String,
    stage: Option<String>,
    customer: Option<String>,
    responsible: Option<UserId>,
    responsible_name: Option<String>,
    waiting_since: Option<Timestamp>,
    last_author: Option<String>,
    last_snippet: Option<String>,
    last_at: Timestamp,
    messages: u32,
    attachments: u32,
    #[serde(deserialize_with = "int_bool")]
    unread: bool,
    states: Option<String>,
}

pub fn states(joined: Option<&str>) -> impl Iterator<Item = DeliveryState> + '_ {
    joined.unwrap_or_default().split(',').filter_map(DeliveryState::parse)
}

impl From<Row> for RecordRow {
    fn from(row: Row) -> Self {
        let any = row.states.is_some();
        let (worst, failing) = envelope(states(row.states.as_deref()));
        Self {
            number: number(&row.prefix, row.number),
            id: row.id,
            r#type: row.r#type,
            title: row.title,
            stage: row.stage,
            customer: row.customer,
            responsible: row.responsible,
            responsible_name: row.responsible_name,
            waiting_since: row.waiting_since,
            last_author: row.last_author,
            last_snippet: row.last_snippet,
            last_at: row.last_at,
            unread: row.unread,
            messages: row.messages,
            envelope: any.then_some(worst),
            failing,
            attachments: row.attachments,
        }
    }
}

/// The list statement for a query, for the user who asks.
pub fn list_statement(query: &RecordQuery, user: &UserId, sight: &Sight) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let is_inbox = query.waiting == Some(true);
    let order = if is_inbox { "r.waiting_since" } else { "r.last_at" };
    let mut filter = Filter::new(vec![user.as_str().into(), (limit + 1).into()]);
    sight.narrow(&mut filter, "r.type");
    if is_inbox {
        filter.and("r.waiting_since IS NOT NULL", []);
    }
    if let Some(name) = &query.r#type {
        filter.and("r.type = $0", [name.as_str().into()]);
    }
    if let Some(stage) = &query.stage {
        filter.and("r.stage = $0", [stage.into()]);
    }
    match query.responsible.as_deref() {
        Some("me") => filter.and("r.responsible_id = ?1", []),
        Some("nobody") => filter.and("r.responsible_id IS NULL", []),
        Some(id) => filter.and("r.responsible_id = $0", [id.into()]),
        None => {}
    }
    if let Some(words) = query.q.as_deref().and_then(super::fts_query) {
        filter.and(
            "r.id IN (SELECT record_id FROM search WHERE search MATCH $0 ORDER BY rowid DESC LIMIT 1000)",
            [words.into()],
        );
    }
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and(&format!("({order}, r.id) < ($0, $1)"), [Value::Number(at), id.into()]);
    }
    // Named, because the planner would sort by itself rather than walk an index in order. Words find few rows by id.
    let index = match query {
        RecordQuery { q: Some(q), .. } if super::fts_query(q).is_some() => "",
        _ if is_inbox => " INDEXED BY records_waiting",
        RecordQuery { responsible: Some(_), .. } => " INDEXED BY records_by_responsible",
        RecordQuery { r#type: Some(_), stage: Some(_), .. } => " INDEXED BY records_by_stage",
        RecordQuery { r#type: Some(_), .. } => " INDEXED BY records_by_type",
        _ => " INDEXED BY records_by_activity",
    };
    let sql = format!(
        "SELECT r.id, r.type, t.prefix, r.number, r.title, r.stage, COALESCE(c.name, r.email) AS customer,
         r.responsible_id AS responsible, uc.name AS responsible_name, r.waiting_since, r.last_author, r.last_snippet,
         r.last_at, r.messages, r.attachments,
         COALESCE((SELECT read_at FROM reads WHERE user_id = ?1 AND record_id = r.id), 0) < r.last_at AS unread,
         (SELECT group_concat(state) FROM deliveries WHERE record_id = r.id AND {TROUBLE}) AS states
         FROM records r{index} CROSS JOIN record_types t ON t.name = r.type
         LEFT JOIN contacts c ON c.id = r.customer_id
         LEFT JOIN users u ON u.id = r.responsible_id LEFT JOIN contacts uc ON uc.id = u.contact_id
         WHERE r.deleted = 0{} ORDER BY {order} DESC, r.id DESC LIMIT ?2",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

pub async fn list(app: &App, query: &RecordQuery, user: &UserId, sight: &Sight) -> Result<Page<RecordRow>, StoreError> {
    let (statement, limit) = list_statement(query, user, sight);
    let mut rows: Vec<Row> = decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| {
        let at = if query.waiting == Some(true) { it.waiting_since.unwrap_or(it.last_at) } else { it.last_at };
        super::write_cursor(at.as_millis(), it.id.as_str())
    });
    Ok(Page { items: rows.into_iter().map(Into::into).collect(), next, total: None })
}

#[derive(Deserialize)]
struct ViewRow {
    id: RecordId,
    r#type: TypeName,
    prefix: String,
    number: u32,
    title: String,
    stage: Option<String>,
    #[serde(deserialize_with = "json")]
    stages: Vec<String>,
    email: Option<EmailAddress>,
    customer: Option<ContactId>,
    customer_name: Option<String>,
    responsible: Option<UserId>,
    responsible_name: Option<String>,
    waiting_since: Option<Timestamp>,
    created: Timestamp,
    alias: Option<EmailAddress>,
    #[serde(deserialize_with = "json")]
    tags: Vec<String>,
    #[serde(deserialize_with = "json")]
    fields: BTreeMap<String, String>,
    version: u32,
}

/// Columns of a follower's row.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Wants {
    #[serde(deserialize_with = "int_bool")]
    messages: bool,
    #[serde(deserialize_with = "int_bool")]
    notes: bool,
    #[serde(deserialize_with = "int_bool")]
    stages: bool,
}

impl From<Wants> for Subtypes {
    fn from(row: Wants) -> Self {
        Self { messages: row.messages, notes: row.notes, stages: row.stages }
    }
}

#[derive(Deserialize)]
struct FollowerRow {
    contact: ContactId,
    name: String,
    email: Option<EmailAddress>,
    #[serde(deserialize_with = "int_bool")]
    internal: bool,
    user: Option<UserId>,
    notify_by: Option<NotifyBy>,
    last_state: Option<DeliveryState>,
    #[serde(flatten)]
    wants: Wants,
}

#[derive(Deserialize)]
pub struct AttachmentRow {
    pub id: AttachmentId,
    pub message_id: Option<String>,
    pub name: String,
    pub content_type: String,
    pub size: u32,
    pub sha256: String,
    #[serde(deserialize_with = "int_bool")]
    pub inline: bool,
    pub cid: Option<String>,
    pub created: Timestamp,
}

impl From<AttachmentRow> for AttachmentView {
    fn from(row: AttachmentRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            content_type: row.content_type,
            size: row.size,
            inline: row.inline,
            cid: row.cid,
            created: row.created,
        }
    }
}

/// A record with followers and attachments, one round trip.
pub async fn read(app: &App, id: &str, me: &Me) -> Result<Option<RecordView>, StoreError> {
    let statements = vec![
        statement!(
            "SELECT r.id, r.type, t.prefix, r.number, r.title, r.stage, t.stages, r.email, r.customer_id AS customer,
             c.name AS customer_name, r.responsible_id AS responsible, uc.name AS responsible_name, r.waiting_since,
             r.created, r.alias, r.tags, r.fields, r.version
             FROM records r JOIN record_types t ON t.name = r.type LEFT JOIN contacts c ON c.id = r.customer_id
             LEFT JOIN users u ON u.id = r.responsible_id LEFT JOIN contacts uc ON uc.id = u.contact_id
             WHERE r.id = ?1 AND r.deleted = 0",
            id
        ),
        statement!(
            "SELECT c.id AS contact, c.name, e.address AS email, c.internal, u.id AS user, u.notify_by, f.messages, f.notes, f.stages,
             (SELECT state FROM deliveries d WHERE d.address_key = e.key AND d.record_id = ?1 ORDER BY created DESC LIMIT 1)
               AS last_state
             FROM followers f JOIN contacts c ON c.id = f.contact_id
             LEFT JOIN contact_emails e ON e.contact_id = c.id AND e.position = 0
             LEFT JOIN users u ON u.contact_id = c.id
             WHERE f.record_id = ?1 ORDER BY c.internal, f.created, c.sort_name",
            id
        ),
        statement!(
            "SELECT id, message_id, name, content_type, size, sha256, inline, cid, created FROM attachments
             WHERE record_id = ?1 AND inline = 0 ORDER BY created DESC, rowid DESC LIMIT 200",
            id
        ),
    ];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let Some(row) = answers.one::<ViewRow>()? else { return Ok(None) };
    let followers: Vec<FollowerRow> = answers.rows()?;
    let attachments: Vec<AttachmentRow> = answers.rows()?;
    Ok(Some(RecordView {
        number: number(&row.prefix, row.number),
        id: row.id,
        r#type: row.r#type,
        title: row.title,
        stage: row.stage,
        stages: row.stages,
        email: row.email,
        customer: row.customer,
        customer_name: row.customer_name,
        responsible: row.responsible,
        responsible_name: row.responsible_name,
        waiting_since: row.waiting_since,
        created: row.created,
        alias: row.alias,
        tags: row.tags,
        fields: row.fields,
        following: followers.iter().any(|it| it.contact == me.contact),
        followers: followers
            .into_iter()
            .map(|it| FollowerView {
                you: it.contact == me.contact,
                by: match (&it.user, it.notify_by) {
                    (Some(_), Some(by)) => by,
                    _ => NotifyBy::Email,
                },
                envelope: it.last_state.map(mailroom_shared::outbox::state::EnvelopeState::of),
                wants: it.wants.into(),
                contact: it.contact,
                name: it.name,
                email: it.email,
                internal: it.internal,
            })
            .collect(),
        attachments: attachments.into_iter().map(Into::into).collect(),
        version: row.version,
    }))
}

/// A record to be.
pub struct NewRecord<'a> {
    pub id: &'a str,
    pub r#type: &'a str,
    pub title: &'a str,
    /// `None` takes the type's first stage.
    pub stage: Option<&'a str>,
    pub email: Option<&'a EmailAddress>,
    pub customer: Option<&'a str>,
    pub responsible: Option<&'a str>,
    pub alias: Option<&'a str>,
    pub tags: &'a [String],
    pub fields: &'a BTreeMap<String, String>,
}

/// Inserts with the type's next number. Two statements, in one batch.
pub fn insert(record: &NewRecord<'_>, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "INSERT INTO records (id, type, number, title, stage, email, email_key, customer_id, responsible_id, alias, tags,
               fields, last_at, created)
             SELECT ?1, name, next_number, ?3, COALESCE(?4, stages ->> '$[0]'), ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12
             FROM record_types WHERE name = ?2",
            record.id,
            record.r#type,
            record.title,
            record.stage,
            record.email.map(EmailAddress::as_str),
            record.email.map(EmailAddress::key),
            record.customer,
            record.responsible,
            record.alias,
            super::to_json(record.tags),
            super::to_json(record.fields),
            now,
        ),
        statement!("UPDATE record_types SET next_number = next_number + 1 WHERE name = ?1", record.r#type),
    ]
}

#[derive(Deserialize)]
struct LabelRow {
    prefix: String,
    number: u32,
    title: String,
}

/// Number and title of a record.
pub async fn label(app: &App, record: &str) -> Result<Option<(String, String)>, StoreError> {
    let sql =
        "SELECT t.prefix, r.number, r.title FROM records r JOIN record_types t ON t.name = r.type WHERE r.id = ?1";
    let row = super::decode_one::<LabelRow>(app.run(statement!(sql, record)).await?)?;
    Ok(row.map(|it| (number(&it.prefix, it.number), it.title)))
}

#[derive(Deserialize)]
struct MessageIdRow {
    id: String,
}

/// What mail for a record hangs on: its newest public message, else its newest line. `None`: there is no such record.
pub async fn newest_message(app: &App, record: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT COALESCE(
        (SELECT id FROM messages WHERE record_id = r.id AND kind IN ('comment', 'email') AND internal = 0 AND held IS NULL
           ORDER BY at DESC, id DESC LIMIT 1),
        (SELECT id FROM messages WHERE record_id = r.id AND internal = 0 ORDER BY at DESC, id DESC LIMIT 1)) AS id
      FROM records r WHERE r.id = ?1 AND r.deleted = 0";
    let rows = app.run(statement!(sql, record)).await?;
    Ok(super::decode_one::<MessageIdRow>(rows)?.map(|it| it.id))
}

/// Adds words to the full-text index.
pub fn index_words(record: &str, words: &str) -> Statement {
    statement!("INSERT INTO search (text, record_id) VALUES (?1, ?2)", words, record)
}

pub fn follow(record: &str, contact: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO followers (record_id, contact_id, created) VALUES (?1, ?2, ?3)",
        record,
        contact,
        now
    )
}

/// Who writes follows; a program, whose contact is archived, does not.
pub fn author_follows(record: &str, contact: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO followers (record_id, contact_id, created)
         SELECT ?1, id, ?3 FROM contacts WHERE id = ?2 AND archived = 0",
        record,
        contact,
        now
    )
}

/// What the page of an unfollow link says.
#[derive(Debug, Deserialize)]
pub struct Following {
    pub title: String,
    /// Of the contact.
    pub name: String,
    #[serde(deserialize_with = "super::int_bool")]
    pub follows: bool,
}

/// A record and a contact, whether he follows or not.
pub async fn following(app: &App, record: &str, contact: &str) -> Result<Option<Following>, StoreError> {
    let statement = statement!(
        "SELECT r.title, c.name, EXISTS (SELECT 1 FROM followers WHERE record_id = ?1 AND contact_id = ?2) AS follows
         FROM records r, contacts c WHERE r.id = ?1 AND r.deleted = 0 AND c.id = ?2 AND c.archived = 0",
        record,
        contact
    );
    super::decode_one(app.run(statement).await?)
}

/// What a follower is told of.
pub fn choose(record: &str, contact: &str, wants: Subtypes) -> Statement {
    statement!(
        "UPDATE followers SET messages = ?3, notes = ?4, stages = ?5 WHERE record_id = ?1 AND contact_id = ?2",
        record,
        contact,
        wants.messages,
        wants.notes,
        wants.stages
    )
}

pub fn unfollow(record: &str, contact: &str) -> Statement {
    statement!("DELETE FROM followers WHERE record_id = ?1 AND contact_id = ?2", record, contact)
}

pub fn mark_read(user: &UserId, record: &str, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO reads (user_id, record_id, read_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id, record_id) DO UPDATE SET read_at = excluded.read_at",
        user.as_str(),
        record,
        now
    )
}

/// A customer waits since then, unless he waits longer already.
pub fn start_waiting(record: &str, since: Timestamp) -> Statement {
    statement!("UPDATE records SET waiting_since = COALESCE(waiting_since, ?2) WHERE id = ?1", record, since)
}

pub fn set_waiting(record: &str, since: Option<Timestamp>) -> Statement {
    statement!("UPDATE records SET waiting_since = ?2 WHERE id = ?1", record, since)
}

/// Changes one column and raises the version. `column` is never user text.
pub fn set_column(record: &str, column: &'static str, value: impl Into<Value>) -> Statement {
    let sql = format!("UPDATE records SET {column} = ?2, version = version + 1 WHERE id = ?1");
    Statement::new(sql).bind(record).bind(value)
}

#[derive(Deserialize)]
struct TypeRowDb {
    name: TypeName,
    label: Option<String>,
    label_plural: Option<String>,
    icon: String,
    prefix: String,
    #[serde(deserialize_with = "opt_json")]
    stages: Option<Vec<String>>,
    #[serde(deserialize_with = "int_bool")]
    receives_mail: bool,
    waiting: u32,
}

/// Types with the number of records that wait.
pub fn list_types() -> Statement {
    statement!(
        "SELECT t.name, t.label, t.label_plural, t.icon, t.prefix, t.stages, t.receives_mail, COALESCE(w.n, 0) AS waiting
         FROM record_types t LEFT JOIN (SELECT type, COUNT(*) AS n FROM records
           WHERE waiting_since IS NOT NULL AND deleted = 0 GROUP BY type) w ON w.type = t.name
         WHERE t.hidden = 0 ORDER BY t.position, t.name"
    )
}

/// Reads them; `label` names built-in types in the user's language.
pub fn types(answers: &mut Answers, label: impl Fn(&str, &str) -> String) -> Result<Vec<TypeRow>, StoreError> {
    let rows: Vec<TypeRowDb> = answers.rows()?;
    Ok(rows
        .into_iter()
        .map(|it| TypeRow {
            label: it.label.unwrap_or_else(|| label(it.name.as_str(), "one")),
            label_plural: it.label_plural.unwrap_or_else(|| label(it.name.as_str(), "other")),
            name: it.name,
            icon: it.icon,
            prefix: it.prefix,
            stages: it.stages.unwrap_or_default(),
            receives_mail: it.receives_mail,
            waiting: it.waiting,
        })
        .collect())
}

#[derive(Deserialize)]
struct Known {
    n: u32,
}

pub async fn type_exists(app: &App, name: &str) -> Result<bool, StoreError> {
    let rows =
        app.run(statement!("SELECT COUNT(*) AS n FROM record_types WHERE name = ?1 AND hidden = 0", name)).await?;
    Ok(super::decode_one::<Known>(rows)?.is_some_and(|it| it.n > 0))
}

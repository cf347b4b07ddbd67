//! Messages of a chatter.

use std::collections::HashMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::Page;
use mailroom_shared::api::messages::CalendarEvent;
use mailroom_shared::api::messages::EnvelopeView;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::messages::MessageQuery;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::api::messages::SuggestionView;
use mailroom_shared::api::messages::SystemLine;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::outbox::state::envelope;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::Answers;
use super::StoreError;
use super::int_bool;
use super::json;
use super::opt_int_bool;
use super::opt_json;
use super::records::AttachmentRow;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// Largest text kept in a row, in bytes; the raw mail in R2 has the whole.
pub const MAX_TEXT: usize = 64 * 1024;

/// Cuts at a character boundary.
pub fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Header recipients of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    #[serde(default)]
    pub to: Vec<Mailbox>,
    #[serde(default)]
    pub cc: Vec<Mailbox>,
    #[serde(default)]
    pub reply_to: Vec<Mailbox>,
}

#[derive(Debug, Deserialize)]
struct Row {
    id: MessageId,
    kind: MessageKind,
    #[serde(deserialize_with = "int_bool")]
    internal: bool,
    #[serde(deserialize_with = "int_bool")]
    incoming: bool,
    automatic: Option<String>,
    author_id: Option<ContactId>,
    author_name: String,
    author_email: Option<EmailAddress>,
    #[serde(deserialize_with = "opt_int_bool")]
    author_internal: Option<bool>,
    subject: String,
    #[serde(deserialize_with = "json")]
    recipients: Recipients,
    delivered_to: Option<EmailAddress>,
    text: String,
    folded: Option<String>,
    #[serde(deserialize_with = "int_bool")]
    has_html: bool,
    #[serde(deserialize_with = "int_bool")]
    has_remote_images: bool,
    #[serde(deserialize_with = "opt_int_bool")]
    authenticated: Option<bool>,
    #[serde(deserialize_with = "opt_json")]
    system: Option<SystemLine>,
    #[serde(deserialize_with = "json")]
    issues: Vec<String>,
    held: Option<String>,
    raw_key: Option<String>,
    leaves_at: Option<Timestamp>,
    at: Timestamp,
    settled: u32,
    #[serde(deserialize_with = "opt_json")]
    calendar: Option<Vec<CalendarEvent>>,
    suggestion_id: Option<RecordId>,
    suggestion_number: Option<u32>,
    suggestion_title: Option<String>,
    suggestion_prefix: Option<String>,
}

#[derive(Deserialize)]
struct StateRow {
    message_id: String,
    state: DeliveryState,
    n: u32,
}

const SELECT: &str =
    "SELECT m.id, m.kind, m.internal, m.incoming, m.automatic, m.author_id, m.author_name, m.author_email,
 c.internal AS author_internal, m.subject, m.recipients, m.delivered_to, m.text, m.folded, m.has_html,
 m.has_remote_images, m.authenticated, m.system, m.issues, m.held, m.raw_key, m.leaves_at, m.at, m.settled, m.calendar,
 s.id AS suggestion_id, s.number AS suggestion_number, s.title AS suggestion_title, st.prefix AS suggestion_prefix
 FROM messages m LEFT JOIN contacts c ON c.id = m.author_id
 LEFT JOIN records s ON s.id = m.suggestion_id AND s.deleted = 0 LEFT JOIN record_types st ON st.name = s.type";

/// Envelope of a message out of the states of its deliveries.
pub fn envelope_view(
    states: &[(DeliveryState, u32)],
    leaves_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<EnvelopeView> {
    let recipients: u32 = states.iter().map(|(_, n)| n).sum();
    if recipients == 0 {
        return None;
    }
    let (state, failing) = envelope(states.iter().flat_map(|(state, n)| std::iter::repeat_n(*state, *n as usize)));
    Some(EnvelopeView {
        state,
        recipients,
        done: states.iter().filter(|(state, _)| state.is_done()).map(|(_, n)| n).sum(),
        failing,
        leaves_at: leaves_at.filter(|it| *it > now),
    })
}

fn assemble(
    rows: Vec<Row>,
    attachments: Vec<AttachmentRow>,
    states: Vec<StateRow>,
    now: Timestamp,
) -> Vec<MessageView> {
    let mut files: HashMap<String, Vec<AttachmentRow>> = HashMap::new();
    for file in attachments {
        if let Some(message) = file.message_id.clone() {
            files.entry(message).or_default().push(file);
        }
    }
    let mut by_message: HashMap<String, Vec<(DeliveryState, u32)>> = HashMap::new();
    for row in states {
        by_message.entry(row.message_id).or_default().push((row.state, row.n));
    }
    rows.into_iter()
        .map(|row| {
            let mut states = by_message.remove(row.id.as_str()).unwrap_or_default();
            // Whose rows have left the queue: they had it.
            if row.settled > 0 {
                states.push((DeliveryState::Sent, row.settled));
            }
            MessageView {
                envelope: envelope_view(&states, row.leaves_at, now),
                attachments: files.remove(row.id.as_str()).unwrap_or_default().into_iter().map(Into::into).collect(),
                id: row.id,
                kind: row.kind,
                internal: row.internal,
                incoming: row.incoming,
                automatic: row.automatic,
                author: row.author_id,
                author_name: row.author_name,
                author_email: row.author_email,
                author_internal: row.author_internal == Some(true),
                subject: row.subject,
                to: row.recipients.to,
                cc: row.recipients.cc,
                reply_to: row.recipients.reply_to,
                delivered_to: row.delivered_to,
                text: row.text,
                folded: row.folded,
                has_html: row.has_html,
                has_remote_images: row.has_remote_images,
                at: row.at,
                authenticated: row.authenticated,
                system: row.system,
                issues: row.issues,
                held: row.held,
                has_original: row.raw_key.is_some(),
                calendar: row.calendar.unwrap_or_default(),
                suggestion: row.suggestion_id.zip(row.suggestion_title).map(|(record, title)| SuggestionView {
                    number: super::records::number(
                        &row.suggestion_prefix.unwrap_or_default(),
                        row.suggestion_number.unwrap_or_default(),
                    ),
                    record,
                    title,
                }),
            }
        })
        .collect()
}

/// Attachments and delivery states of the messages that `ids` (a sub-select over `m`) names.
fn companions(inner: &str, params: &[Value]) -> [Statement; 2] {
    let files = format!(
        "SELECT id, message_id, name, content_type, size, sha256, inline, cid, created FROM attachments
         WHERE message_id IN (SELECT id FROM ({inner})) ORDER BY created, rowid"
    );
    let states = format!(
        "SELECT message_id, state, COUNT(*) AS n FROM deliveries WHERE message_id IN (SELECT id FROM ({inner}))
         GROUP BY message_id, state"
    );
    [
        Statement { sql: files.into(), params: params.to_vec() },
        Statement { sql: states.into(), params: params.to_vec() },
    ]
}

/// The newest page first, each page oldest first.
pub fn list_statement(record: &str, query: &MessageQuery) -> (Statement, u32) {
    let limit = super::limit(query.limit, 40, 100);
    let mut filter = super::Filter::new(vec![record.into(), (limit + 1).into()]);
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and("(m.at, m.id) < ($0, $1)", [Value::Number(at), id.into()]);
    }
    // A dismissed one is in the journal, not in the chatter.
    let sql = format!(
        "{SELECT} WHERE m.record_id = ?1 AND m.held IS NOT 'dismissed'{} ORDER BY m.at DESC, m.id DESC LIMIT ?2",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

pub async fn list(app: &App, record: &str, query: &MessageQuery) -> Result<Page<MessageView>, StoreError> {
    let (statement, limit) = list_statement(record, query);
    let [files, states] = companions(&statement.sql, &statement.params);
    let mut answers = Answers::new(app.db.batch(vec![statement, files, states]).await?);
    let mut rows: Vec<Row> = answers.rows()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.at.as_millis(), it.id.as_str()));
    rows.reverse();
    let items = assemble(rows, answers.rows()?, answers.rows()?, app.now());
    Ok(Page { items, next, total: None })
}

pub async fn read(app: &App, id: &str) -> Result<Option<MessageView>, StoreError> {
    let statement = statement!(format!("{SELECT} WHERE m.id = ?1"), id);
    let [files, states] = companions(&statement.sql, &statement.params);
    let mut answers = Answers::new(app.db.batch(vec![statement, files, states]).await?);
    let rows = answers.rows()?;
    Ok(assemble(rows, answers.rows()?, answers.rows()?, app.now()).pop())
}

/// What belongs to a message but is not shown in the chatter.
#[derive(Debug, Deserialize)]
pub struct Source {
    pub record_id: RecordId,
    pub raw_key: Option<String>,
    pub subject: String,
    pub text: String,
    pub post_key: Option<String>,
    #[serde(deserialize_with = "opt_json")]
    pub draft: Option<Draft>,
    pub leaves_at: Option<Timestamp>,
    pub author_id: Option<ContactId>,
}

pub async fn source(app: &App, id: &str) -> Result<Option<Source>, StoreError> {
    let sql =
        "SELECT record_id, raw_key, subject, text, post_key, draft, leaves_at, author_id FROM messages WHERE id = ?1";
    super::decode_one(app.run(statement!(sql, id)).await?)
}

/// What is kept while a message can be taken back.
#[derive(Debug, Serialize, Deserialize)]
pub struct Draft {
    pub request: mailroom_shared::api::messages::NewMessage,
    /// Since when the customer waited before.
    pub waiting_since: Option<Timestamp>,
}

/// Removes a message of which nothing has left and whose undo window is open; false when it is too late. The first
/// statement decides, and all others look whether it did, so a run that claims a delivery at the same time wins or
/// loses as a whole.
pub async fn take_back(
    app: &App,
    id: &str,
    record: &str,
    waiting_since: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let gone = "NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = ?1)";
    let open = "(SELECT leaves_at FROM messages WHERE id = ?1) > ?2";
    let now = app.now();
    let sql = |text: String| statement!(text, id, now);
    let newest =
        "FROM messages WHERE record_id = ?3 AND id <> ?1 AND kind <> 'system' ORDER BY at DESC, id DESC LIMIT 1";
    let statements = vec![
        sql(format!(
            "DELETE FROM deliveries WHERE message_id = ?1 AND {open}
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = ?1 AND d.state <> 'outgoing')"
        )),
        sql(format!("DELETE FROM emails WHERE message_id = ?1 AND {gone} AND {open}")),
        sql(format!("DELETE FROM notifications WHERE message_id = ?1 AND {gone} AND {open}")),
        sql(format!(
            "DELETE FROM search WHERE rowid = (SELECT search_row FROM messages WHERE id = ?1) AND {gone} AND {open}"
        )),
        statement!(
            format!(
                "UPDATE records SET messages = MAX(messages - 1, 0), waiting_since = ?4,
                 attachments = MAX(attachments - (SELECT COUNT(*) FROM attachments WHERE message_id = ?1), 0),
                 last_author = (SELECT author_name {newest}), last_snippet = (SELECT substr(text, 1, 140) {newest})
                 WHERE id = ?3 AND {gone} AND {open}"
            ),
            id,
            now,
            record,
            waiting_since
        ),
        sql(format!(
            "UPDATE attachments SET message_id = NULL, record_id = NULL WHERE message_id = ?1 AND {gone} AND {open}"
        )),
        sql(format!("DELETE FROM messages WHERE id = ?1 AND {gone} AND leaves_at > ?2")),
    ];
    let answers = app.db.batch(statements).await?;
    Ok(answers.last().is_some_and(|it| it.changes > 0))
}

#[derive(Deserialize)]
struct Id {
    id: MessageId,
}

pub async fn by_post_key(app: &App, key: &str) -> Result<Option<MessageId>, StoreError> {
    let rows = app.run(statement!("SELECT id FROM messages WHERE post_key = ?1", key)).await?;
    Ok(super::decode_one::<Id>(rows)?.map(|it| it.id))
}

/// A message to be.
#[derive(Debug, Clone, Default)]
pub struct NewMessage {
    pub id: String,
    pub record: String,
    pub parent: Option<String>,
    pub kind: Option<MessageKind>,
    pub internal: bool,
    pub incoming: bool,
    pub automatic: Option<String>,
    pub author: Option<String>,
    pub author_name: String,
    pub author_email: Option<EmailAddress>,
    pub subject: String,
    pub recipients: Recipients,
    pub delivered_to: Option<EmailAddress>,
    pub text: String,
    pub folded: Option<String>,
    pub has_html: bool,
    pub has_remote_images: bool,
    pub authenticated: Option<bool>,
    pub system: Option<SystemLine>,
    pub issues: Vec<String>,
    pub held: Option<String>,
    pub rfc_id: Option<String>,
    pub raw_key: Option<String>,
    pub post_key: Option<String>,
    pub draft: Option<String>,
    pub leaves_at: Option<Timestamp>,
}

pub fn insert(m: &NewMessage, at: Timestamp) -> Statement {
    statement!(
        "INSERT INTO messages (id, record_id, parent_id, kind, internal, incoming, automatic, author_id, author_name,
           author_email, subject, recipients, delivered_to, text, folded, has_html, has_remote_images, authenticated,
           system, issues, held, rfc_id, raw_key, post_key, draft, leaves_at, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
           ?23, ?24, ?25, ?26, ?27)",
        &m.id,
        &m.record,
        m.parent.as_ref(),
        m.kind.unwrap_or(MessageKind::System).as_str(),
        m.internal,
        m.incoming,
        m.automatic.as_ref(),
        m.author.as_ref(),
        &m.author_name,
        m.author_email.as_ref().map(EmailAddress::as_str),
        &m.subject,
        to_json(&m.recipients),
        m.delivered_to.as_ref().map(EmailAddress::as_str),
        cut(&m.text, MAX_TEXT),
        m.folded.as_deref().map(|it| cut(it, MAX_TEXT)),
        m.has_html,
        m.has_remote_images,
        m.authenticated,
        m.system.as_ref().map(to_json),
        to_json(&m.issues),
        m.held.as_ref(),
        m.rfc_id.as_ref(),
        m.raw_key.as_ref(),
        m.post_key.as_ref(),
        m.draft.as_ref(),
        m.leaves_at,
        at,
    )
}

/// No longer held; with the contact who is now believed to have written it.
pub fn let_in(id: &str, author: Option<&str>) -> Statement {
    statement!("UPDATE messages SET held = NULL, author_id = COALESCE(?2, author_id) WHERE id = ?1", id, author)
}

pub fn hold_again(id: &str, held: &str) -> Statement {
    statement!("UPDATE messages SET held = ?2 WHERE id = ?1 AND held = 'dismissed'", id, held)
}

/// Takes a held message off its record's chatter and figures.
pub fn dismiss(record: &str, id: &str) -> [Statement; 2] {
    let newest = "FROM messages WHERE record_id = ?1 AND kind <> 'system' AND held IS NOT 'dismissed'
      ORDER BY at DESC, id DESC LIMIT 1";
    [
        statement!("UPDATE messages SET held = 'dismissed' WHERE id = ?1", id),
        statement!(
            format!(
                "UPDATE records SET messages = MAX(messages - 1, 0),
                 attachments = MAX(attachments - (SELECT COUNT(*) FROM attachments WHERE message_id = ?2 AND inline = 0), 0),
                 last_author = (SELECT author_name {newest}), last_snippet = (SELECT substr(text, 1, 140) {newest})
                 WHERE id = ?1"
            ),
            record,
            id
        ),
    ]
}

/// Puts a message back into its record's figures.
pub fn count_again(record: &str, id: &str) -> Statement {
    statement!(
        "UPDATE records SET messages = messages + 1,
           attachments = attachments + (SELECT COUNT(*) FROM attachments WHERE message_id = ?2 AND inline = 0),
           last_author = (SELECT author_name FROM messages WHERE id = ?2),
           last_snippet = (SELECT substr(text, 1, 140) FROM messages WHERE id = ?2) WHERE id = ?1",
        record,
        id
    )
}

/// Invitations of a message, and the record it may be meant for.
pub fn set_remarks(id: &str, calendar: &[CalendarEvent], suggestion: Option<&str>) -> Statement {
    statement!(
        "UPDATE messages SET calendar = ?2, suggestion_id = ?3 WHERE id = ?1",
        id,
        Some(calendar).filter(|it| !it.is_empty()).map(to_json),
        suggestion
    )
}

/// A line of what happened.
pub fn system_line(
    id: &str,
    record: &str,
    author: Option<(&str, &str)>,
    key: &str,
    args: &[(&str, &str)],
) -> NewMessage {
    NewMessage {
        id: id.to_owned(),
        record: record.to_owned(),
        kind: Some(MessageKind::System),
        author: author.map(|(id, _)| id.to_owned()),
        author_name: author.map(|(_, name)| name.to_owned()).unwrap_or_default(),
        system: Some(SystemLine {
            key: key.to_owned(),
            args: args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }),
        ..NewMessage::default()
    }
}

/// Copies of a record's newest message, for its list line. System lines don't count.
pub fn touch_record(record: &str, author: &str, snippet: &str, attachments: usize, at: Timestamp) -> Statement {
    statement!(
        "UPDATE records SET last_at = MAX(last_at, ?2), last_author = ?3, last_snippet = ?4, messages = messages + 1,
           attachments = attachments + ?5 WHERE id = ?1",
        record,
        at,
        author,
        snippet,
        attachments
    )
}

/// Adds the words of a message to the full-text index; taking it back takes them too.
pub fn index_words(message: &str, record: &str, words: &str) -> [Statement; 2] {
    [
        super::records::index_words(record, words),
        statement!("UPDATE messages SET search_row = last_insert_rowid() WHERE id = ?1", message),
    ]
}

/// A file row. Its bytes are in R2 under `att/<sha256>` before.
pub struct NewAttachment<'a> {
    pub id: &'a str,
    pub message: Option<&'a str>,
    pub record: Option<&'a str>,
    pub name: &'a str,
    pub content_type: &'a str,
    pub size: usize,
    pub sha256: &'a str,
    pub inline: bool,
    pub cid: Option<&'a str>,
    pub uploaded_by: Option<&'a str>,
}

/// Message-IDs that a mail refers to and that nobody here knows: should such a mail come later, it finds its answer.
pub fn await_ids(message: &str, ids: &[&str], now: Timestamp) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO awaited_ids (rfc_id, message_id, at) SELECT value, ?1, ?3 FROM json_each(?2)",
        message,
        super::to_json(ids),
        now
    )
}

/// What did not come by then does not come any more.
pub fn forget_awaited(before: Timestamp) -> Statement {
    statement!("DELETE FROM awaited_ids WHERE at < ?1", before)
}

pub fn insert_attachment(a: &NewAttachment<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO attachments (id, message_id, record_id, name, content_type, size, sha256, inline, cid, uploaded_by, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        a.id,
        a.message,
        a.record,
        a.name,
        a.content_type,
        a.size,
        a.sha256,
        a.inline,
        a.cid,
        a.uploaded_by,
        now
    )
}

/// Where the bytes of a file are.
pub fn blob_key(sha256: &str) -> String {
    format!("att/{sha256}")
}

/// Gives uploaded files to a message; only files of the uploader that belong to none yet.
pub fn adopt_attachments(ids: &[String], message: &str, record: &str, user: &str) -> Statement {
    statement!(
        "UPDATE attachments SET message_id = ?2, record_id = ?3
         WHERE id IN (SELECT value FROM json_each(?1)) AND message_id IS NULL AND uploaded_by = ?4",
        to_json(ids),
        message,
        record,
        user
    )
}

pub async fn attachment(app: &App, id: &str) -> Result<Option<AttachmentRow>, StoreError> {
    let sql =
        "SELECT id, message_id, name, content_type, size, sha256, inline, cid, created FROM attachments WHERE id = ?1";
    super::decode_one(app.run(statement!(sql, id)).await?)
}

/// Inline images of a message, to show its HTML.
pub async fn inline_images(app: &App, message: &str) -> Result<Vec<AttachmentRow>, StoreError> {
    let sql = "SELECT id, message_id, name, content_type, size, sha256, inline, cid, created FROM attachments
      WHERE message_id = ?1 AND cid IS NOT NULL";
    super::decode(app.run(statement!(sql, message)).await?)
}

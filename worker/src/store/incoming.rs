//! The journal of everything that came in: hand-overs, refusals and what was dropped, as one list in time.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::incoming::Fate;
use mailroom_shared::api::incoming::IncomingAction;
use mailroom_shared::api::incoming::IncomingCounts;
use mailroom_shared::api::incoming::IncomingEvent;
use mailroom_shared::api::incoming::IncomingQuery;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::api::incoming::IncomingView;
use mailroom_shared::api::incoming::Show;
use mailroom_shared::gateway::verdict::Verdict;
use mailroom_shared::gateway::why::Why;
use mailroom_shared::gateway::why::read_kept;
use mailroom_shared::i18n::Lang;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::mail::authres::AuthResult;
use mailroom_shared::outbox::retention::Class;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::Filter;
use super::StoreError;
use super::json;
use super::settings;
use super::sight::Sight;
use super::vacuum;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// Words that are no address are looked for in so many of the newest mails; addresses everywhere.
const SCANNED: u32 = 5_000;

#[derive(Deserialize)]
struct Row {
    source: String,
    id: String,
    at: Timestamp,
    mail_from: String,
    rcpt_to: String,
    from_text: String,
    subject: String,
    rfc_id: Option<String>,
    size: u32,
    times: u32,
    state: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
    record_id: Option<RecordId>,
    message_id: Option<MessageId>,
    prefix: Option<String>,
    number: Option<u32>,
    title: Option<String>,
}

impl Row {
    fn fate(&self) -> Fate {
        match (self.source.as_str(), self.state.as_deref(), self.outcome.as_deref()) {
            ("refusal", _, _) => Fate::Refused,
            ("ignored", _, _) | (_, _, Some("ignored")) => Fate::Ignored,
            (_, Some("failed"), _) => Fate::Failed,
            (_, Some("accepted"), _) => Fate::Waiting,
            (_, _, Some("held")) => Fate::Held,
            (_, _, Some("dismissed")) => Fate::Dismissed,
            (_, _, Some("discarded")) => Fate::Discarded,
            (_, _, Some("report")) => Fate::Report,
            _ => Fate::Written,
        }
    }
}

impl From<Row> for IncomingRow {
    fn from(row: Row) -> Self {
        Self {
            fate: row.fate(),
            has_original: row.source == "mail",
            id: row.id,
            at: row.at,
            reason: row.reason,
            mail_from: row.mail_from,
            rcpt_to: row.rcpt_to,
            from: row.from_text,
            subject: row.subject,
            message_id: row.rfc_id,
            size: row.size,
            times: row.times,
            record_number: row.prefix.zip(row.number).map(|(prefix, n)| super::records::number(&prefix, n)),
            record: row.record_id,
            record_title: row.title,
            message: row.message_id,
        }
    }
}

/// One of the three tables, with its columns under common names.
struct Source {
    table: &'static str,
    columns: &'static str,
    at: &'static str,
    recipient: &'static str,
}

const MAILS: Source = Source {
    table: "ingests",
    columns:
        "'mail' AS source, id, received AS at, mail_from, rcpt_to, from_text, subject, rfc_id, size, 1 AS times, state,
     outcome, CASE WHEN state = 'failed' OR fault IS NOT NULL THEN fault ELSE held END AS reason, record_id, message_id",
    at: "received",
    // The unique key begins with the recipient.
    recipient: "(key >= 'in:v1:' || $0 || ':' AND key < 'in:v1:' || $0 || ';')",
};
const REFUSALS: Source = Source {
    table: "refusals",
    columns:
        "'refusal' AS source, id, at, mail_from, rcpt_to, from_text, subject, rfc_id, size, 1 AS times, NULL AS state,
     NULL AS outcome, reason, NULL AS record_id, NULL AS message_id",
    at: "at",
    recipient: "recipient_key = $0",
};
const IGNORED: Source = Source {
    table: "ignored",
    columns: "'ignored' AS source, id, at, mail_from, rcpt_to, from_text, subject, rfc_id, size, times, NULL AS state,
     NULL AS outcome, kind AS reason, (SELECT record_id FROM messages WHERE messages.id = ignored.message_id) AS record_id,
     message_id",
    at: "at",
    recipient: "(key >= $0 || ':' AND key < $0 || ';')",
};

/// What a person typed into the search.
enum Wanted {
    Address(String),
    MessageId(String),
    Words(String),
}

fn wanted(q: Option<&str>) -> Option<Wanted> {
    let q = q.map(str::trim).filter(|it| !it.is_empty())?;
    if q.starts_with('<') && q.ends_with('>') {
        return Some(Wanted::MessageId(q.to_owned()));
    }
    Some(match EmailAddress::parse(q) {
        Ok(address) => Wanted::Address(address.key()),
        Err(_) => Wanted::Words(q.to_lowercase()),
    })
}

fn part(source: &Source, query: &IncomingQuery, sight: &Sight, params: Vec<Value>) -> (String, Vec<Value>) {
    let Source { table, columns, at, recipient } = source;
    let mut filter = Filter::new(params);
    match *table {
        "ingests" => sight.narrow(&mut filter, "COALESCE((SELECT type FROM records WHERE id = record_id), type)"),
        "ignored" => sight.narrow(
            &mut filter,
            "(SELECT r.type FROM messages m JOIN records r ON r.id = m.record_id WHERE m.id = message_id)",
        ),
        // What was refused never had a type.
        _ => {}
    }
    match query.show.unwrap_or_default() {
        Show::Held => filter.and("outcome = 'held'", []),
        Show::Unprocessed => filter.and("state = 'failed'", []),
        Show::All | Show::Refused | Show::Ignored => {}
    }
    if let Some(since) = query.since {
        filter.and(&format!("{at} >= $0"), [since.into()]);
    }
    if let Some(until) = query.until {
        filter.and(&format!("{at} < $0"), [until.into()]);
    }
    if let Some((millis, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and(&format!("({at}, id) < ($0, $1)"), [Value::Number(millis), id.into()]);
    }
    if let Some(alias) = query.alias.as_ref() {
        let names = "(SELECT key FROM aliases WHERE id = $0 UNION SELECT key FROM alias_names WHERE alias_id = $0)";
        let column = if *table == "ingests" { "alias_key" } else { "recipient_key" };
        filter.and(&format!("{column} IN {names}"), [alias.as_str().into()]);
    }
    if let Some(reason) = query.reason.as_ref().filter(|_| *table == "refusals") {
        filter.and("reason = $0", [reason.into()]);
    }
    let order = format!("ORDER BY {at} DESC, id DESC");
    let mut from = (*table).to_owned();
    match wanted(query.q.as_deref()) {
        Some(Wanted::MessageId(id)) => filter.and("rfc_id = $0", [id.into()]),
        // Each half by its own index.
        Some(Wanted::Address(key)) => filter.and(&format!("(sender_key = $0 OR {recipient})"), [key.into()]),
        Some(Wanted::Words(words)) => {
            from = format!("(SELECT * FROM {table} {order} LIMIT {SCANNED}) AS {table}");
            filter.and(
                "(instr(lower(from_text), $0) OR instr(lower(rcpt_to), $0) OR instr(lower(subject), $0)
                  OR instr(lower(mail_from), $0) OR rfc_id = '<' || $0 || '>')",
                [words.into()],
            );
        }
        None => {}
    }
    // The newest of each table, then the newest of all: no table is read further than the page asks for.
    let sql = format!("SELECT * FROM (SELECT {columns} FROM {from} WHERE 1 = 1{} {order} LIMIT ?1)", filter.sql);
    (sql, filter.params)
}

pub fn list_statement(query: &IncomingQuery, sight: &Sight) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let sources: &[&Source] = match query.show.unwrap_or_default() {
        // An alias has no column in `ignored`.
        Show::All if query.alias.is_some() => &[&MAILS, &REFUSALS],
        Show::All => &[&MAILS, &REFUSALS, &IGNORED],
        Show::Held | Show::Unprocessed => &[&MAILS],
        Show::Refused => &[&REFUSALS],
        Show::Ignored => &[&IGNORED],
    };
    let mut params: Vec<Value> = vec![(limit + 1).into()];
    let mut parts = Vec::new();
    for source in sources {
        let (sql, grown) = part(source, query, sight, params);
        params = grown;
        parts.push(sql);
    }
    let sql = format!(
        "SELECT x.*, t.prefix, r.number, r.title FROM ({}) x
         LEFT JOIN records r ON r.id = x.record_id LEFT JOIN record_types t ON t.name = r.type",
        parts.join(" UNION ALL ")
    );
    (Statement { sql: sql.into(), params }, limit)
}

pub async fn list(app: &App, query: &IncomingQuery, sight: &Sight) -> Result<Page<IncomingRow>, StoreError> {
    let (statement, limit) = list_statement(query, sight);
    let mut rows: Vec<Row> = super::decode(app.run(statement).await?)?;
    rows.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.at.as_millis(), &it.id));
    Ok(Page { items: rows.into_iter().map(Into::into).collect(), next, total: None })
}

#[derive(Deserialize)]
struct Details {
    why: Option<String>,
    verdict: Option<String>,
    status: Option<String>,
    text: Option<String>,
    error: Option<String>,
    tries: u32,
}

#[derive(Deserialize)]
struct EventRow {
    at: Timestamp,
    kind: String,
    by_name: Option<String>,
    text: String,
}

fn row_statement(id: &str) -> Statement {
    let one = |source: &Source| format!("SELECT {} FROM {} WHERE id = ?1", source.columns, source.table);
    statement!(
        format!(
            "SELECT x.*, t.prefix, r.number, r.title FROM ({} UNION ALL {} UNION ALL {}) x
             LEFT JOIN records r ON r.id = x.record_id LEFT JOIN record_types t ON t.name = r.type",
            one(&MAILS),
            one(&REFUSALS),
            one(&IGNORED)
        ),
        id
    )
}

/// All that is known about one mail, and the reasons of its fate by rule; `lang` is what these are told in.
pub async fn read(app: &App, id: &str, lang: Lang) -> Result<Option<(IncomingView, Vec<Why>)>, StoreError> {
    let statements = vec![
        row_statement(id),
        statement!(
            "SELECT NULL AS why, verdict, NULL AS status, NULL AS text, error, tries FROM ingests WHERE id = ?1
             UNION ALL SELECT why, NULL, status, text, NULL, 0 FROM refusals WHERE id = ?1
             UNION ALL SELECT why, NULL, NULL, NULL, NULL, 0 FROM ignored WHERE id = ?1",
            id
        ),
        statement!("SELECT at, kind, by_name, text FROM ingest_events WHERE ingest_id = ?1 ORDER BY id LIMIT 200", id),
        settings::get(vacuum::RETENTION),
    ];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let (Some(row), Some(details)) = (answers.one::<Row>()?, answers.one::<Details>()?) else { return Ok(None) };
    let row = IncomingRow::from(row);
    let events: Vec<EventRow> = answers.rows()?;
    let days = vacuum::retention(answers.take())?.days(Class::Refusals);
    let verdict: Option<Verdict> = details.verdict.as_deref().and_then(|it| serde_json::from_str(it).ok());
    let why = match (&details.why, &verdict) {
        (Some(text), _) => read_kept(text),
        (None, Some(verdict)) => verdict.why.clone(),
        (None, None) => Vec::new(),
    };
    let (record, number) = (row.record.as_ref().map(RecordId::as_str), row.record_number.as_deref());
    let why: Vec<Why> = why.into_iter().map(|it| it.naming(record, number)).collect();
    let check = |pick: fn(&Verdict) -> AuthResult| verdict.as_ref().map(|it| word(pick(it)));
    let view = IncomingView {
        kept_until: (days > 0 && matches!(row.fate, Fate::Refused | Fate::Ignored))
            .then(|| row.at + Span::days(i64::from(days))),
        why: why.iter().map(|it| it.say(lang)).collect(),
        answer: details.status.zip(details.text).map(|(status, text)| format!("550 {status} {text}")),
        error: details.error,
        tries: details.tries,
        spf: check(|it| it.authentication.spf),
        dkim: check(|it| it.authentication.dkim),
        dmarc: check(|it| it.authentication.dmarc),
        events: events
            .into_iter()
            .map(|it| IncomingEvent { at: it.at, kind: it.kind, by: it.by_name, text: it.text })
            .collect(),
        row,
    };
    Ok(Some((view, why)))
}

/// The name of a check's result, as it stands in the header.
pub fn word(result: AuthResult) -> String {
    serde_json::to_value(result).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What is kept of a mail to decide about it again.
#[derive(Debug, Deserialize)]
pub struct Kept {
    pub mail_from: String,
    pub rcpt_to: EmailAddress,
    /// Of an accepted mail.
    pub raw_key: Option<String>,
    /// Of a refused one.
    pub head: Option<String>,
    pub sha256: String,
    pub content_sha256: String,
    pub size: usize,
}

pub async fn kept(app: &App, id: &str) -> Result<Option<Kept>, StoreError> {
    let sql =
        "SELECT mail_from, rcpt_to, raw_key, NULL AS head, sha256, content_sha256, size FROM ingests WHERE id = ?1
      UNION ALL SELECT mail_from, rcpt_to, NULL, head, sha256, content_sha256, size FROM refusals WHERE id = ?1";
    super::decode_one(app.run(statement!(sql, id)).await?)
}

#[derive(Deserialize)]
struct Verdicts {
    id: String,
    #[serde(deserialize_with = "json")]
    verdict: Verdict,
}

/// The verdict a message was written by, with the hand-over's id.
pub async fn verdict_of(app: &App, ingest: &str) -> Result<Option<(String, Verdict)>, StoreError> {
    let rows = app.run(statement!("SELECT id, verdict FROM ingests WHERE id = ?1", ingest)).await?;
    Ok(super::decode_one::<Verdicts>(rows)?.map(|it| (it.id, it.verdict)))
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// Mails an action on *all that match* has still to see: those not touched since it began.
pub fn matching(query: &IncomingQuery, started: Timestamp, most: u32) -> Statement {
    let mut filter = Filter::new(vec![most.into(), started.into()]);
    let index = match query.show.unwrap_or_default() {
        Show::Held => "ingests_held",
        _ => "ingests_failed",
    };
    filter.and(if index == "ingests_held" { "outcome = 'held'" } else { "state = 'failed'" }, []);
    if let Some(since) = query.since {
        filter.and("received >= $0", [since.into()]);
    }
    if let Some(until) = query.until {
        filter.and("received < $0", [until.into()]);
    }
    match wanted(query.q.as_deref()) {
        Some(Wanted::MessageId(id)) => filter.and("rfc_id = $0", [id.into()]),
        Some(Wanted::Address(key)) => {
            filter.and(&format!("(sender_key = $0 OR {})", MAILS.recipient), [key.into()]);
        }
        Some(Wanted::Words(words)) => filter.and(
            "(instr(lower(from_text), $0) OR instr(lower(rcpt_to), $0) OR instr(lower(subject), $0)
              OR instr(lower(mail_from), $0))",
            [words.into()],
        ),
        None => {}
    }
    let sql = format!(
        "SELECT id FROM ingests INDEXED BY {index} WHERE COALESCE(touched, 0) < ?2{} ORDER BY received DESC, id DESC LIMIT ?1",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

pub async fn ids(app: &App, statement: Statement) -> Result<Vec<String>, StoreError> {
    Ok(super::decode::<Id>(app.run(statement).await?)?.into_iter().map(|it| it.id).collect())
}

#[derive(Deserialize)]
struct CountRow {
    held: u32,
    unprocessed: u32,
    paused: u32,
    waiting: u32,
    database_bytes: Option<String>,
    database_limit: Option<String>,
    storage_failed: Option<String>,
}

/// Largest database of the platform's paid plan, unless a setting says otherwise.
pub const DATABASE_LIMIT: f64 = 10.0 * 1024.0 * 1024.0 * 1024.0;
/// From here on people are told.
const WARN_PERCENT: u32 = 70;
/// Names of the settings.
pub const DATABASE_BYTES: &str = "database_bytes";
/// When a mail could not be kept last.
pub const STORAGE_FAILED: &str = "storage_failed";
/// For so long people are told of that.
const TOLD: Span = Span::hours(1);

pub async fn counts(app: &App) -> Result<IncomingCounts, StoreError> {
    let sql = "SELECT (SELECT COUNT(*) FROM ingests WHERE outcome = 'held') AS held,
      (SELECT COUNT(*) FROM ingests WHERE state = 'failed') AS unprocessed,
      (SELECT COUNT(*) FROM paused_senders WHERE released IS NULL AND (until IS NULL OR until > ?1)) AS paused,
      (SELECT COUNT(*) FROM ingests WHERE state = 'accepted' AND tries > 0) AS waiting,
      (SELECT value FROM settings WHERE key = ?2) AS database_bytes,
      (SELECT value FROM settings WHERE key = ?3) AS database_limit,
      (SELECT value FROM settings WHERE key = ?4) AS storage_failed";
    let statement = statement!(sql, app.now(), DATABASE_BYTES, settings::DATABASE_LIMIT, STORAGE_FAILED);
    let Some(row) = super::decode_one::<CountRow>(app.run(statement).await?)? else {
        return Ok(IncomingCounts::default());
    };
    let number = |text: &Option<String>| text.as_deref().and_then(|it| it.parse::<f64>().ok());
    let limit = number(&row.database_limit).filter(|it| *it > 0.0).unwrap_or(DATABASE_LIMIT);
    let percent = number(&row.database_bytes).map(|it| (it * 100.0 / limit) as u32);
    Ok(IncomingCounts {
        held: row.held,
        unprocessed: row.unprocessed,
        paused: row.paused,
        database_percent: percent.filter(|it| *it >= WARN_PERCENT),
        waiting: row.waiting,
        storage_failed: row
            .storage_failed
            .and_then(|it| it.parse().ok())
            .map(Timestamp::from_millis)
            .filter(|it| *it > app.now() - TOLD),
    })
}

/// What an action of this kind needs to be true of a hand-over, and what it makes of it.
pub const fn transition(action: IncomingAction) -> (&'static str, &'static str) {
    match action {
        IncomingAction::Replay => ("state = 'failed'", "state = 'accepted', tries = 0"),
        IncomingAction::Route => (
            "(state = 'failed' OR (outcome IN ('held', 'dismissed', 'discarded') AND message_id IS NULL))",
            "state = 'accepted', outcome = NULL, tries = 0",
        ),
        IncomingAction::Discard => ("state = 'failed'", "state = 'done', outcome = 'discarded'"),
        // Of what was discarded; held mail has its own way.
        IncomingAction::Restore => ("outcome = 'discarded'", "state = 'failed', outcome = NULL"),
        IncomingAction::Release | IncomingAction::Dismiss => ("0", "touched = touched"),
    }
}

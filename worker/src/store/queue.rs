//! The queue as the Emails page shows it: list, counts, and what people do with rows.

use mailroom_shared::address::Mailbox;
use mailroom_shared::api::Page;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailCounts;
use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::EmailMatches;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::emails::Wait;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::id::EmailId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::delay::Waiting;
use mailroom_shared::outbox::delay::delay;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryEvent;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Filter;
use super::StoreError;
use super::deliveries::sources;
use super::json;
use super::sight::Sight;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

#[derive(Deserialize)]
struct QueueRow {
    delivery: DeliveryId,
    email: EmailId,
    message: MessageId,
    record: Option<RecordId>,
    prefix: Option<String>,
    number: Option<u32>,
    subject: String,
    #[serde(deserialize_with = "json")]
    sender: Mailbox,
    name: String,
    address: String,
    state: DeliveryState,
    wait: Option<Wait>,
    lane: String,
    server: Option<String>,
    created: Timestamp,
    due: Timestamp,
    tries: u32,
    server_text: Option<String>,
}

/// The conditions of a query, and the index to walk.
fn conditions(query: &EmailQuery, filter: &mut Filter) -> &'static str {
    let tab = query.filter.unwrap_or(EmailFilter::NotDelivered);
    let states: Vec<String> = tab.states().iter().map(|it| format!("'{}'", it.as_str())).collect();
    let is_all = tab == EmailFilter::All;
    if !is_all {
        filter.and(&format!("d.state IN ({})", states.join(", ")), []);
    }
    if let Some(q) = query.q.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        filter.and(
            "(instr(d.address_key, $0) OR instr(lower(e.subject), $0) OR instr(lower(d.name), $0))",
            [q.to_lowercase().into()],
        );
    }
    if let Some(server) = &query.server {
        filter.and("d.server_id = $0", [server.as_str().into()]);
    }
    if let Some(lane) = query.lane.as_deref() {
        filter.and("d.lane = $0", [lane.into()]);
    }
    if let Some(since) = query.since {
        filter.and("d.created >= $0", [since.into()]);
    }
    if let Some(until) = query.until {
        filter.and("d.created < $0", [until.into()]);
    }
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and("(d.created, d.id) < ($0, $1)", [Value::Number(at), id.into()]);
    }
    if let Some(domain) = query.domain.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        filter.and("d.rcpt_domain = $0", [domain.to_lowercase().into()]);
        return "deliveries_by_domain";
    }
    if let Some(wait) = query.wait {
        // The word stands in the text: the planner must see that it is not NULL.
        filter.and(&format!("d.wait = '{}' AND d.wait IS NOT NULL", wait.as_str()), []);
        return "deliveries_waiting";
    }
    // Several states: walking the time index and skipping is cheaper than sorting all of them.
    if is_all || tab.states().len() > 1 { "deliveries_by_time" } else { "deliveries_by_state" }
}

/// The queue, newest first.
pub fn list_statement(query: &EmailQuery, sight: &Sight) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let mut filter = Filter::new(vec![(limit + 1).into()]);
    let index = conditions(query, &mut filter);
    sight.narrow_by_record(&mut filter, "d.record_id");
    let sql = format!(
        "SELECT d.id AS delivery, d.email_id AS email, d.message_id AS message, d.record_id AS record, t.prefix, r.number,
           e.subject, e.sender, d.name, d.address, d.state, d.wait, d.lane, d.server_name AS server, d.created, d.due,
           d.tries, d.server_text
         FROM deliveries d INDEXED BY {index} JOIN emails e ON e.id = d.email_id
         LEFT JOIN records r ON r.id = d.record_id LEFT JOIN record_types t ON t.name = r.type
         WHERE 1 = 1{} ORDER BY d.created DESC, d.id DESC LIMIT ?1",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

pub async fn list(app: &App, query: &EmailQuery, sight: &Sight) -> Result<Page<EmailRow>, StoreError> {
    let (statement, limit) = list_statement(query, sight);
    let mut rows: Vec<QueueRow> = super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.created.as_millis(), it.delivery.as_str()));
    let now = app.now();
    Ok(Page { items: rows.into_iter().map(|it| it.shown(now)).collect(), next, total: None })
}

/// Deliveries of the message with a Message-ID.
pub fn of_rfc_id_statement(id: &str) -> Statement {
    statement!(
        "SELECT d.id AS delivery, d.email_id AS email, d.message_id AS message, d.record_id AS record, t.prefix, r.number,
           e.subject, e.sender, d.name, d.address, d.state, d.wait, d.lane, d.server_name AS server, d.created, d.due,
           d.tries, d.server_text
         FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN emails e ON e.id = d.email_id
         LEFT JOIN records r ON r.id = d.record_id LEFT JOIN record_types t ON t.name = r.type
         WHERE m.rfc_id = ?1 LIMIT 50",
        id
    )
}

pub async fn of_rfc_id(app: &App, id: &str) -> Result<Vec<EmailRow>, StoreError> {
    let rows: Vec<QueueRow> = super::decode(app.run(of_rfc_id_statement(id)).await?)?;
    let now = app.now();
    Ok(rows.into_iter().map(|it| it.shown(now)).collect())
}

impl QueueRow {
    fn shown(self, now: Timestamp) -> EmailRow {
        let it = self;
        let waiting =
            Waiting { state: it.state, wait: it.wait, is_bulk: it.lane == "bulk", created: it.created, due: it.due };
        EmailRow {
            delay: delay(&waiting, now),
            delivery: it.delivery,
            email: it.email,
            message: it.message,
            record: it.record,
            record_number: it.prefix.zip(it.number).map(|(prefix, n)| super::records::number(&prefix, n)),
            subject: it.subject,
            sender: it.sender.name.unwrap_or_else(|| it.sender.address.as_str().to_owned()),
            recipient: if it.name.is_empty() || it.name == it.address {
                it.address
            } else {
                format!("{} <{}>", it.name, it.address)
            },
            state: it.state,
            wait: it.wait.filter(|_| matches!(it.state, DeliveryState::Outgoing | DeliveryState::Deferred)),
            lane: it.lane,
            server: it.server,
            created: it.created,
            next_try: matches!(it.state, DeliveryState::Outgoing | DeliveryState::Deferred)
                .then_some(it.due)
                .filter(|it| *it < retry::NEVER),
            tries: it.tries,
            last_answer: it.server_text,
        }
    }
}

#[derive(Deserialize)]
struct Count {
    state: DeliveryState,
    n: u32,
}

/// Each state by its index, and not beyond [`EmailCounts::MOST`]: what was sent may be a hundred times what is open.
pub fn count_by_state(sight: &Sight) -> Statement {
    let mut filter = Filter::new(vec![to_json(&DeliveryState::ALL.map(DeliveryState::as_str)).into()]);
    sight.narrow_by_record(&mut filter, "deliveries.record_id");
    let sql = format!(
        "SELECT s.value AS state, (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_by_state
           WHERE state = s.value{} LIMIT {})) AS n FROM json_each(?1) s",
        filter.sql,
        EmailCounts::MOST
    );
    Statement { sql: sql.into(), params: filter.params }
}

/// Rows per tab.
pub async fn counts(app: &App, sight: &Sight) -> Result<EmailCounts, StoreError> {
    let rows: Vec<Count> = super::decode(app.run(count_by_state(sight)).await?)?;
    let counts = EmailFilter::ALL
        .into_iter()
        .map(|filter| {
            let n: u32 = rows.iter().filter(|it| filter.states().contains(&it.state)).map(|it| it.n).sum();
            (filter.as_str().to_owned(), n.min(EmailCounts::MOST))
        })
        .collect();
    Ok(EmailCounts { counts })
}

/// Condition, as SQL over the columns of `d`, under which an action leads somewhere.
fn possible(action: EmailAction, d: &str) -> String {
    let list = |states: Vec<DeliveryState>| {
        let words: Vec<String> = states.into_iter().map(|it| format!("'{}'", it.as_str())).collect();
        format!("{d}state IN ({})", words.join(", "))
    };
    // What another server took and is still trying is not ours to send again.
    let never = retry::NEVER.as_millis();
    let ours = format!("NOT ({d}state = 'deferred' AND {d}wait IS NULL AND {d}due >= {never})");
    let waiting = format!("{d}state IN ('outgoing', 'deferred')");
    match action {
        EmailAction::Retry => format!("{} AND {ours}", list(sources(DeliveryEvent::Retry))),
        EmailAction::SendNow => {
            let mut states = sources(DeliveryEvent::Retry);
            states.push(DeliveryState::Outgoing);
            format!("{} AND {ours}", list(states))
        }
        EmailAction::Cancel => list(sources(DeliveryEvent::Cancel)),
        EmailAction::Ignore => list(sources(DeliveryEvent::Ignore)),
        EmailAction::Hold => format!("{waiting} AND COALESCE({d}wait, '') <> 'held' AND {ours}"),
        EmailAction::Release => format!("{waiting} AND COALESCE({d}wait, '') = 'held'"),
        EmailAction::Arrived => format!("{d}state = 'unknown'"),
    }
}

/// Word of the timeline.
const fn event(action: EmailAction) -> &'static str {
    match action {
        EmailAction::Retry | EmailAction::SendNow => "retried",
        EmailAction::Cancel => "cancelled",
        EmailAction::Ignore => "ignored",
        EmailAction::Hold => "held",
        EmailAction::Release => "released",
        EmailAction::Arrived => "settled",
    }
}

/// Does what a person asks for with the rows that are in a state for it, and writes down who did it. Twice does no harm.
pub fn act(action: EmailAction, ids: &[String], by: &str, now: Timestamp) -> [Statement; 2] {
    let ids = to_json(ids);
    let never = retry::NEVER.as_millis();
    let change = match action {
        // The next run sends it: the retry sweep what is urgent, the Email Queue Manager the rest.
        EmailAction::Retry => format!(
            "state = 'outgoing', state_at = ?2, first_due = ?2, due = CASE lane WHEN 'urgent' THEN ?2 ELSE {never} END,
             wait = CASE lane WHEN 'urgent' THEN NULL ELSE 'queue' END"
        ),
        EmailAction::SendNow => "state = 'outgoing', state_at = ?2, first_due = ?2, due = ?2, wait = NULL".to_owned(),
        EmailAction::Cancel => "state = 'cancelled', state_at = ?2, wait = NULL".to_owned(),
        EmailAction::Ignore => "state = 'ignored', state_at = ?2, wait = NULL".to_owned(),
        EmailAction::Hold => format!("wait = 'held', due = {never}"),
        // It did not grow old while it was held.
        EmailAction::Release => "wait = NULL, due = ?2, first_due = ?2".to_owned(),
        EmailAction::Arrived => "state = 'delivered', state_at = ?2, reason = NULL".to_owned(),
    };
    let possible = possible(action, "");
    [
        statement!(
            format!(
                "INSERT INTO events (delivery_id, at, kind, by_name) SELECT id, ?2, ?3, ?4 FROM deliveries
                 WHERE id IN (SELECT value FROM json_each(?1)) AND {possible}"
            ),
            ids.as_str(),
            now,
            event(action),
            by
        ),
        Statement {
            sql: format!("UPDATE deliveries SET {change} WHERE id IN (SELECT value FROM json_each(?1)) AND {possible}")
                .into(),
            // What is held has no time.
            params: if change.contains("?2") { vec![ids.into(), now.into()] } else { vec![ids.into()] },
        },
    ]
}

/// Counting stops here.
const MOST: u32 = 20_000;

#[derive(Deserialize)]
pub struct Matched {
    pub id: String,
    pub created: Timestamp,
}

/// The next rows that match and with which the action is possible, newest first. Of *unknown* ones only when they were
/// asked for by name: each might arrive twice.
pub fn matching_ids(query: &EmailQuery, action: EmailAction, most: u32, sight: &Sight) -> Statement {
    let mut filter = Filter::new(vec![most.into()]);
    let index = conditions(query, &mut filter);
    sight.narrow_by_record(&mut filter, "d.record_id");
    filter.and(&possible(action, "d."), []);
    if query.filter != Some(EmailFilter::Unknown) && matches!(action, EmailAction::Retry | EmailAction::SendNow) {
        filter.and("d.state <> 'unknown'", []);
    }
    let sql = format!(
        "SELECT d.id, d.created FROM deliveries d INDEXED BY {index} JOIN emails e ON e.id = d.email_id
         WHERE 1 = 1{} ORDER BY d.created DESC, d.id DESC LIMIT ?1",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

pub fn count_matching(query: &EmailQuery, sight: &Sight) -> Statement {
    let mut filter = Filter::new(vec![(MOST + 1).into()]);
    let index = conditions(query, &mut filter);
    sight.narrow_by_record(&mut filter, "d.record_id");
    let by_action: Vec<String> = EmailAction::ALL
        .into_iter()
        .map(|it| format!("COALESCE(SUM({}), 0) AS {}", possible(it, ""), it.as_str()))
        .collect();
    let sql = format!(
        "SELECT COUNT(*) AS total, COALESCE(SUM(lane = 'urgent'), 0) AS urgent, {} FROM
           (SELECT d.state, d.lane, d.due, d.wait FROM deliveries d INDEXED BY {index} JOIN emails e ON e.id = d.email_id
            WHERE 1 = 1{} LIMIT ?1)",
        by_action.join(", "),
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

pub async fn matches(app: &App, query: &EmailQuery, sight: &Sight) -> Result<EmailMatches, StoreError> {
    let rows = app.run(count_matching(query, sight)).await?;
    let Some(row) = rows.rows.into_iter().next() else { return Ok(EmailMatches::default()) };
    let number = |name: &str| row.get(name).and_then(serde_json::Value::as_f64).unwrap_or_default() as u32;
    Ok(EmailMatches {
        total: number("total").min(MOST),
        urgent: number("urgent"),
        possible: EmailAction::ALL.into_iter().map(|it| (it.as_str().to_owned(), number(it.as_str()))).collect(),
        is_more: number("total") > MOST,
    })
}

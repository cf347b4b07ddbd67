//! The failure inbox: deliveries in trouble, by cause, and what people did about many of them at once.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::failures::FailingAddress;
use mailroom_shared::api::failures::FailureAction;
use mailroom_shared::api::failures::FailureGroup;
use mailroom_shared::api::failures::FailureGroups;
use mailroom_shared::api::failures::FailureOperation;
use mailroom_shared::api::failures::FailureRow;
use mailroom_shared::api::failures::FailureRowsQuery;
use mailroom_shared::api::session::Me;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::cause::Cause;
use mailroom_shared::outbox::cause::is_of_domain;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::Filter;
use super::StoreError;
use super::sight::Sight;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::ports::Value;
use crate::statement;

/// The text must equal the condition of the index `deliveries_failing`.
const FAILING: &str = "d.state IN ('deferred', 'failed', 'bounced', 'complained', 'unknown') AND d.reason IS NOT NULL";

/// Assigned to a user (`$0` his contact, `$1` he): he wrote it, or no person did and he answers for the record (RI-12).
const MINE: &str = "(m.author_id = $0 OR (r.responsible_id = $1
  AND NOT EXISTS (SELECT 1 FROM users u WHERE u.contact_id = m.author_id)))";

const DOMAIN: &str = "substr(d.address_key, instr(d.address_key, '@') + 1)";

fn reasons_of_domains() -> String {
    to_json(&Reason::ALL.iter().copied().filter(|it| is_of_domain(*it)).map(Reason::as_str).collect::<Vec<_>>())
}

fn mine(filter: &mut Filter, me: &Me) {
    filter.and(MINE, [me.contact.as_str().into(), me.user.as_str().into()]);
}

#[derive(Deserialize)]
struct GroupRow {
    reason: Reason,
    domain: String,
    failing: u32,
    waiting: u32,
    next_try: Option<Timestamp>,
    since: Timestamp,
    latest: Timestamp,
}

#[derive(Deserialize)]
pub struct CountRow {
    pub n: u32,
}

pub fn groups_statement(me: &Me, only_mine: bool, sight: &Sight) -> Statement {
    let mut filter = Filter::new(vec![reasons_of_domains().into(), retry::NEVER.into()]);
    sight.narrow(&mut filter, "r.type");
    if only_mine {
        mine(&mut filter, me);
    }
    let sql = format!(
        "SELECT d.reason, CASE WHEN d.reason IN (SELECT value FROM json_each(?1)) THEN {DOMAIN} ELSE '' END AS domain,
           SUM(d.state <> 'deferred') AS failing, SUM(d.state = 'deferred') AS waiting,
           MIN(CASE WHEN d.state = 'deferred' AND d.due < ?2 THEN d.due END) AS next_try,
           MIN(d.state_at) AS since, MAX(d.state_at) AS latest
         FROM deliveries d INDEXED BY deliveries_failing JOIN messages m ON m.id = d.message_id
           LEFT JOIN records r ON r.id = d.record_id
         WHERE {FAILING}{} GROUP BY 1, 2 LIMIT 500",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

/// How many wait for a person: the badge of the rail, and what the page shows under *Needs you*. All that failed, bounced,
/// was complained about or is unknown, in the whole team, since anybody may settle it; not what we try again by ourselves.
pub fn count_statement(me: Option<&Me>, sight: &Sight) -> Statement {
    let mut filter = Filter::new(Vec::new());
    sight.narrow(&mut filter, "r.type");
    if let Some(me) = me {
        mine(&mut filter, me);
    }
    let sql = format!(
        "SELECT COUNT(*) AS n FROM deliveries d INDEXED BY deliveries_failing JOIN messages m ON m.id = d.message_id
           LEFT JOIN records r ON r.id = d.record_id WHERE {FAILING} AND d.state <> 'deferred'{}",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

/// Failures by cause, those that need most hands first.
pub async fn groups(app: &App, me: &Me, only_mine: bool, sight: &Sight) -> Result<FailureGroups, StoreError> {
    let statements =
        vec![groups_statement(me, only_mine, sight), count_statement(Some(me), sight), count_statement(None, sight)];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let rows: Vec<GroupRow> = answers.rows()?;
    let mut count = || Ok::<_, StoreError>(answers.one::<CountRow>()?.map_or(0, |it| it.n));
    let (mine, all) = (count()?, count()?);
    let mut groups: Vec<FailureGroup> = rows
        .into_iter()
        .map(|it| FailureGroup {
            key: Cause { reason: it.reason, domain: it.domain.clone() }.key(),
            reason: it.reason,
            domain: Some(it.domain).filter(|it| !it.is_empty()),
            failing: it.failing,
            waiting: it.waiting,
            next_try: it.next_try,
            advice: String::new(),
            since: it.since,
            latest: it.latest,
        })
        .collect();
    groups.sort_by_key(|it| std::cmp::Reverse((it.failing, it.waiting, it.latest)));
    Ok(FailureGroups { groups, mine, all })
}

/// Conditions of one group.
fn of_cause(filter: &mut Filter, cause: &Cause, me: Option<&Me>) {
    filter.and("d.reason = $0", [cause.reason.as_str().into()]);
    if !cause.domain.is_empty() {
        filter.and(&format!("{DOMAIN} = $0"), [cause.domain.as_str().into()]);
    }
    if let Some(me) = me {
        mine(filter, me);
    }
}

#[derive(Deserialize)]
struct Row {
    delivery: DeliveryId,
    message: MessageId,
    record: Option<RecordId>,
    prefix: Option<String>,
    number: Option<u32>,
    subject: String,
    contact: Option<ContactId>,
    name: String,
    address: String,
    state: DeliveryState,
    at: Timestamp,
    created: Timestamp,
    due: Timestamp,
    tries: u32,
    reply_code: Option<u16>,
    status: Option<String>,
    server_text: Option<String>,
    assigned: Option<String>,
}

pub fn rows_statement(cause: &Cause, me: Option<&Me>, query: &FailureRowsQuery, sight: &Sight) -> (Statement, u32) {
    let limit = super::limit(query.limit, 50, 200);
    let mut filter = Filter::new(vec![(limit + 1).into()]);
    of_cause(&mut filter, cause, me);
    sight.narrow(&mut filter, "r.type");
    if let Some((at, id)) = super::read_cursor(query.cursor.as_deref()) {
        filter.and("(d.created, d.id) < ($0, $1)", [Value::Number(at), id.into()]);
    }
    let sql = format!(
        "SELECT d.id AS delivery, d.message_id AS message, d.record_id AS record, t.prefix, r.number,
           e.subject, d.contact_id AS contact, d.name, d.address, d.state, d.state_at AS at, d.created, d.due, d.tries,
           d.reply_code, d.status, d.server_text,
           CASE WHEN EXISTS (SELECT 1 FROM users u WHERE u.contact_id = m.author_id) THEN m.author_name
             ELSE (SELECT c.name FROM users u JOIN contacts c ON c.id = u.contact_id WHERE u.id = r.responsible_id) END AS assigned
         FROM deliveries d INDEXED BY deliveries_failing JOIN emails e ON e.id = d.email_id
           JOIN messages m ON m.id = d.message_id LEFT JOIN records r ON r.id = d.record_id
           LEFT JOIN record_types t ON t.name = r.type
         WHERE {FAILING}{} ORDER BY d.created DESC, d.id DESC LIMIT ?1",
        filter.sql
    );
    (Statement { sql: sql.into(), params: filter.params }, limit)
}

/// The deliveries of a cause, newest first.
pub async fn rows(
    app: &App,
    cause: &Cause,
    me: Option<&Me>,
    query: &FailureRowsQuery,
    sight: &Sight,
) -> Result<Page<FailureRow>, StoreError> {
    let (statement, limit) = rows_statement(cause, me, query, sight);
    let mut rows: Vec<Row> = super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| super::write_cursor(it.created.as_millis(), it.delivery.as_str()));
    let items = rows
        .into_iter()
        .map(|it| FailureRow {
            next_try: (it.state == DeliveryState::Deferred).then_some(it.due).filter(|it| *it < retry::NEVER),
            record_number: it.prefix.zip(it.number).map(|(prefix, n)| super::records::number(&prefix, n)),
            delivery: it.delivery,
            message: it.message,
            record: it.record,
            subject: it.subject,
            contact: it.contact,
            name: it.name,
            address: it.address,
            state: it.state,
            at: it.at,
            tries: it.tries,
            reply_code: it.reply_code,
            status: it.status,
            server_text: it.server_text,
            assigned: it.assigned,
        })
        .collect();
    Ok(Page { items, next, total: None })
}

#[derive(Deserialize)]
struct IdRow {
    id: String,
}

/// Something of the deliveries of a cause that are in one of these states.
fn select(what: &str, cause: &Cause, me: Option<&Me>, from: &[DeliveryState], most: u32, sight: &Sight) -> Statement {
    let mut filter = Filter::new(vec![most.into()]);
    of_cause(&mut filter, cause, me);
    sight.narrow(&mut filter, "r.type");
    let states = to_json(&from.iter().map(|it| it.as_str()).collect::<Vec<_>>());
    filter.and("d.state IN (SELECT value FROM json_each($0))", [states.into()]);
    let sql = format!(
        "SELECT {what} FROM deliveries d INDEXED BY deliveries_failing JOIN messages m ON m.id = d.message_id
           LEFT JOIN records r ON r.id = d.record_id WHERE {FAILING}{} LIMIT ?1",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

/// Ids of up to `most` of them.
pub async fn ids(
    app: &App,
    cause: &Cause,
    me: Option<&Me>,
    from: &[DeliveryState],
    most: u32,
    sight: &Sight,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<IdRow> = super::decode(app.run(select("d.id", cause, me, from, most, sight)).await?)?;
    Ok(rows.into_iter().map(|it| it.id).collect())
}

/// How many there are.
pub async fn count(
    app: &App,
    cause: &Cause,
    me: Option<&Me>,
    from: &[DeliveryState],
    sight: &Sight,
) -> Result<u32, StoreError> {
    let statement = select("COUNT(*) AS n", cause, me, from, 1, sight);
    let row: Option<CountRow> = super::decode_one(app.run(statement).await?)?;
    Ok(row.map_or(0, |it| it.n))
}

/// Records an operation was about.
pub async fn owners(app: &App, operation: &str) -> Result<Vec<super::deliveries::Owner>, StoreError> {
    let sql = "SELECT DISTINCT record_id FROM deliveries
      WHERE id IN (SELECT delivery_id FROM operation_items WHERE operation_id = ?1)";
    super::decode(app.run(statement!(sql, operation)).await?)
}

/// Notes where deliveries are before an action moves them.
pub fn begin(
    operation: &str,
    me: &Me,
    kind: FailureAction,
    ids: &str,
    from: &[DeliveryState],
    now: Timestamp,
) -> [Statement; 2] {
    [
        statement!(
            "INSERT OR IGNORE INTO operations (id, at, user_id, kind) VALUES (?1, ?2, ?3, ?4)",
            operation,
            now,
            me.user.as_str(),
            kind.as_str()
        ),
        statement!(
            "INSERT OR IGNORE INTO operation_items (operation_id, delivery_id, state) SELECT ?1, id, state FROM deliveries
             WHERE id IN (SELECT value FROM json_each(?2)) AND state IN (SELECT value FROM json_each(?3))",
            operation,
            ids,
            to_json(&from.iter().map(|it| it.as_str()).collect::<Vec<_>>())
        ),
    ]
}

/// Beginning of the ids of what [`tell`] writes.
pub const NOTICE: &str = "failing";

/// Tells whoever looks after these deliveries, once per cause: the author, or the record's responsible when no person wrote
/// (RI-12). A campaign has its own page. Goes into the batch that writes the failures, after them; `ids` as JSON.
pub fn tell(ids: &[&str], now: Timestamp) -> Statement {
    statement!(
        format!(
            "INSERT INTO notices (id, kind, args, at, user_id)
             SELECT '{NOTICE}:' || who || ':' || reason || '@' || domain, '{NOTICE}',
               json_object('reason', reason, 'domain', domain), ?2, who
             FROM (SELECT COALESCE((SELECT u.id FROM users u WHERE u.contact_id = m.author_id), r.responsible_id) AS who, d.reason,
                 CASE WHEN d.reason IN (SELECT value FROM json_each(?3)) THEN {DOMAIN} ELSE '' END AS domain
               FROM deliveries d JOIN messages m ON m.id = d.message_id LEFT JOIN records r ON r.id = d.record_id
               WHERE d.id IN (SELECT value FROM json_each(?1)) AND d.state IN ('failed', 'bounced', 'complained')
                 AND d.reason IS NOT NULL AND d.lane <> 'bulk')
             WHERE who IS NOT NULL GROUP BY 1
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, settled = NULL WHERE notices.settled IS NOT NULL"
        ),
        to_json(ids),
        now,
        reasons_of_domains()
    )
}

/// What failed at an address and waits for a person. Mails of campaigns are not among it: who gets those is the list's to say.
pub fn at_address(key: &str, most: u32) -> Statement {
    statement!(
        "SELECT id FROM deliveries INDEXED BY deliveries_by_address WHERE address_key = ?1 AND state IN ('failed', 'bounced')
           AND lane <> 'bulk' ORDER BY created DESC LIMIT ?2",
        key,
        most
    )
}

/// As [`at_address`], ids of what is seen.
pub async fn ids_at(app: &App, key: &str, most: u32, sight: &Sight) -> Result<Vec<String>, StoreError> {
    let rows: Vec<IdRow> = super::decode(app.run(at_address(key, most)).await?)?;
    sight.of_deliveries(app, rows.into_iter().map(|it| it.id).collect()).await
}

/// Another address for the deliveries of an operation that [`begin`] noted; it remembers the old one.
pub fn correct(operation: &str, address: &EmailAddress, text: &str, by: &str, now: Timestamp) -> [Statement; 4] {
    let of_it =
        "id IN (SELECT delivery_id FROM operation_items WHERE operation_id = ?1) AND state IN ('failed', 'bounced')";
    [
        statement!(
            // Those of an earlier correction of the same operation know theirs.
            "UPDATE operation_items SET (address, address_key) =
               (SELECT d.address, d.address_key FROM deliveries d WHERE d.id = operation_items.delivery_id)
             WHERE operation_id = ?1 AND address IS NULL",
            operation
        ),
        statement!(
            format!(
                "INSERT OR IGNORE INTO participants (record_id, address_key) SELECT record_id, ?2 FROM deliveries WHERE {of_it} AND record_id IS NOT NULL"
            ),
            operation,
            address.key()
        ),
        statement!(
            format!(
                "INSERT INTO events (delivery_id, at, kind, text, by_name) SELECT id, ?2, 'address_changed', ?3, ?4 FROM deliveries WHERE {of_it}"
            ),
            operation,
            now,
            text,
            by
        ),
        statement!(
            format!("UPDATE deliveries SET address = ?2, address_key = ?3 WHERE {of_it}"),
            operation,
            address.as_str(),
            address.key()
        ),
    ]
}

/// Where the deliveries of a cause failed, those with most first.
pub fn addresses_statement(cause: &Cause, me: Option<&Me>, sight: &Sight) -> Statement {
    let mut filter = Filter::new(Vec::new());
    of_cause(&mut filter, cause, me);
    sight.narrow(&mut filter, "r.type");
    let sql = format!(
        "SELECT MAX(d.address) AS address, MAX(d.name) AS name, COUNT(*) AS n, MAX(d.contact_id IS NOT NULL) AS contact
         FROM deliveries d INDEXED BY deliveries_failing JOIN messages m ON m.id = d.message_id
           LEFT JOIN records r ON r.id = d.record_id
         WHERE {FAILING} AND d.state IN ('failed', 'bounced') AND d.lane <> 'bulk'{} GROUP BY d.address_key
         ORDER BY 3 DESC, 1 LIMIT 200",
        filter.sql
    );
    Statement { sql: sql.into(), params: filter.params }
}

#[derive(Deserialize)]
struct AddressRow {
    address: String,
    name: String,
    n: u32,
    #[serde(deserialize_with = "super::int_bool")]
    contact: bool,
}

pub async fn addresses(
    app: &App,
    cause: &Cause,
    me: Option<&Me>,
    sight: &Sight,
) -> Result<Vec<FailingAddress>, StoreError> {
    let rows: Vec<AddressRow> = super::decode(app.run(addresses_statement(cause, me, sight)).await?)?;
    let row = |it: AddressRow| FailingAddress { address: it.address, name: it.name, n: it.n, contact: it.contact };
    Ok(rows.into_iter().map(row).collect())
}

#[derive(Deserialize)]
struct ContactRow {
    contact_id: String,
}

/// Contacts of these deliveries, without those of users: they change their address themselves.
pub async fn contacts_of(app: &App, ids: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT contact_id FROM deliveries WHERE id IN (SELECT value FROM json_each(?1)) AND contact_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.contact_id = deliveries.contact_id)";
    let rows: Vec<ContactRow> = super::decode(app.run(statement!(sql, ids)).await?)?;
    Ok(rows.into_iter().map(|it| it.contact_id).collect())
}

/// Of these deliveries, those that failed at an address.
pub async fn ids_among(app: &App, ids: &[String], key: &str, sight: &Sight) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT id FROM deliveries WHERE id IN (SELECT value FROM json_each(?1)) AND address_key = ?2
      AND state IN ('failed', 'bounced')";
    let rows: Vec<IdRow> = super::decode(app.run(statement!(sql, to_json(ids), key)).await?)?;
    sight.of_deliveries(app, rows.into_iter().map(|it| it.id).collect()).await
}

#[derive(Deserialize)]
struct OperationRow {
    id: String,
    at: Timestamp,
    by_name: String,
    kind: FailureAction,
    n: u32,
    corrected: u32,
    undoable: u32,
}

/// The newest operations. Their ids grow with time.
pub fn operations_statement(me: &Me) -> Statement {
    statement!(
        "SELECT o.id, o.at, c.name AS by_name, o.kind, COUNT(i.delivery_id) AS n, COUNT(i.address) AS corrected,
           COALESCE(SUM(o.user_id = ?1 AND d.state = CASE o.kind WHEN 'retry' THEN 'outgoing' WHEN 'ignore' THEN 'ignored' ELSE 'cancelled' END), 0) AS undoable
         FROM (SELECT * FROM operations ORDER BY id DESC LIMIT 20) o JOIN users u ON u.id = o.user_id
           JOIN contacts c ON c.id = u.contact_id LEFT JOIN operation_items i ON i.operation_id = o.id
           LEFT JOIN deliveries d ON d.id = i.delivery_id
         GROUP BY o.id HAVING n > 0 ORDER BY o.id DESC",
        me.user.as_str()
    )
}

pub async fn operations(app: &App, me: &Me) -> Result<Vec<FailureOperation>, StoreError> {
    let rows: Vec<OperationRow> = super::decode(app.run(operations_statement(me)).await?)?;
    let row = |it: OperationRow| FailureOperation {
        id: it.id,
        at: it.at,
        by: it.by_name,
        action: it.kind,
        n: it.n,
        corrected: it.corrected,
        undoable: it.undoable,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// What was put back into the queue leaves when it can't be undone any more.
pub fn leave_at(ids: &str, due: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET due = ?2, first_due = ?2
         WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'outgoing'",
        ids,
        due
    )
}

/// Puts back what an operation moved and nothing else has moved since.
pub fn undo(operation: &str, me: &Me, now: Timestamp) -> [Statement; 2] {
    let moved = "id IN (SELECT delivery_id FROM operation_items i JOIN operations o ON o.id = i.operation_id
        WHERE o.id = ?1 AND o.user_id = ?2)
      AND state = (SELECT CASE kind WHEN 'retry' THEN 'outgoing' WHEN 'ignore' THEN 'ignored' ELSE 'cancelled' END
        FROM operations WHERE id = ?1)";
    [
        statement!(
            format!("INSERT INTO events (delivery_id, at, kind, by_name) SELECT id, ?3, 'undone', ?4 FROM deliveries WHERE {moved}"),
            operation,
            me.user.as_str(),
            now,
            me.name.as_str()
        ),
        statement!(
            format!(
                "UPDATE deliveries SET state_at = ?3,
                   (address, address_key) = (SELECT COALESCE(i.address, deliveries.address), COALESCE(i.address_key, deliveries.address_key)
                     FROM operation_items i WHERE i.operation_id = ?1 AND i.delivery_id = deliveries.id),
                   state = (SELECT i.state FROM operation_items i WHERE i.operation_id = ?1 AND i.delivery_id = deliveries.id)
                 WHERE {moved}"
            ),
            operation,
            me.user.as_str(),
            now
        ),
    ]
}

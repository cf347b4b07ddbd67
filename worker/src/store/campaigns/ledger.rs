//! The ledger: counts, and one line per recipient. The state of a delivery has its home in `deliveries`; what Auto-vacuum
//! takes from there it leaves here.

use mailroom_shared::api::Page;
use mailroom_shared::api::campaigns::DomainResult;
use mailroom_shared::api::campaigns::RecipientFilter;
use mailroom_shared::api::campaigns::RecipientQuery;
use mailroom_shared::api::campaigns::RecipientRow;
use mailroom_shared::campaign::ledger::Ledger;
use mailroom_shared::campaign::ledger::LeftOut;
use mailroom_shared::campaign::ledger::Place;
use mailroom_shared::outbox::failure::Reason;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::super::Answers;
use super::super::StoreError;
use super::super::to_json;
use super::audience::Counted;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct StateRow {
    state: DeliveryState,
    n: u32,
}

/// Recipients by reason, deliveries by state, and those that Auto-vacuum removed.
pub fn counts(id: &str) -> [Statement; 3] {
    [
        statement!(
            "SELECT left_out, COUNT(*) AS n, SUM(copies) AS copies FROM campaign_recipients INDEXED BY recipients_by_reason
             WHERE campaign_id = ?1 GROUP BY left_out",
            id
        ),
        statement!(
            "SELECT state, COUNT(*) AS n FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
             GROUP BY state",
            id
        ),
        statement!(
            "SELECT final AS state, COUNT(*) AS n FROM campaign_recipients INDEXED BY recipients_final
             WHERE campaign_id = ?1 AND final IS NOT NULL GROUP BY final",
            id
        ),
    ]
}

pub fn read_counts(answers: &mut Answers) -> Result<Ledger, StoreError> {
    let rows: Vec<Counted> = answers.rows()?;
    let mut states: Vec<StateRow> = answers.rows()?;
    states.extend(answers.rows::<StateRow>()?);
    let rows: Vec<(Option<LeftOut>, u32, u32)> = rows.into_iter().map(|it| (it.left_out, it.n, it.copies)).collect();
    let states: Vec<(DeliveryState, u32)> = states.into_iter().map(|it| (it.state, it.n)).collect();
    Ok(Ledger::build(&rows, &states))
}

pub async fn ledger(app: &App, id: &str) -> Result<Ledger, StoreError> {
    read_counts(&mut Answers::new(app.db.batch(counts(id).to_vec()).await?))
}

/// Deliveries of many campaigns by state.
#[derive(Debug, Deserialize)]
pub struct CampaignState {
    pub id: String,
    pub state: DeliveryState,
    pub n: u32,
}

/// All states of those that move; of the others only what did not arrive, which is little.
pub fn states_of(active: &[&str], done: &[&str]) -> [Statement; 2] {
    [
        statement!(
            "SELECT email_id AS id, state, COUNT(*) AS n FROM deliveries INDEXED BY deliveries_of_campaigns
             WHERE email_id IN (SELECT value FROM json_each(?1)) AND lane = 'bulk' GROUP BY email_id, state",
            to_json(active)
        ),
        statement!(
            "SELECT email_id AS id, state, COUNT(*) AS n FROM deliveries INDEXED BY deliveries_of_campaigns
             WHERE email_id IN (SELECT value FROM json_each(?1)) AND lane = 'bulk'
               AND state IN ('outgoing', 'sending', 'deferred', 'failed', 'bounced', 'complained', 'unknown', 'cancelled', 'ignored')
             GROUP BY email_id, state",
            to_json(done)
        ),
    ]
}

/// Something of a campaign can still be handed over; what a person holds or the next server tries is not ours to wait for.
pub fn has_left(id: &str) -> Statement {
    statement!(
        "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
             AND (state = 'sending' OR (state = 'outgoing' AND COALESCE(wait, '') <> 'held')
               OR (state = 'deferred' AND wait IN ('limit', 'server', 'domain')))) AS n,
           EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_of_campaigns WHERE email_id = ?1 AND lane = 'bulk'
             AND (state IN ('sending', 'outgoing') OR (state = 'deferred' AND due < ?2))) AS open",
        id,
        retry::NEVER
    )
}

/// A row of the ledger with its delivery.
#[derive(Debug, Deserialize)]
struct Row {
    n: i64,
    address: String,
    name: String,
    copies: u32,
    left_out: Option<LeftOut>,
    state: Option<DeliveryState>,
    at: Option<Timestamp>,
    reason: Option<Reason>,
    answer: Option<String>,
    opened: Option<Timestamp>,
    clicked: Option<Timestamp>,
    unsubscribed: Option<Timestamp>,
    answered: Option<Timestamp>,
}

const COLUMNS: &str = "r.n, r.address, r.name, r.copies, r.left_out, COALESCE(d.state, r.final) AS state,
  COALESCE(d.state_at, r.final_at) AS at, d.reason, d.server_text AS answer,
  (SELECT MIN(first_at) FROM campaign_hits h WHERE h.n = r.n AND h.kind IN ('open', 'click') AND h.robot = 0) AS opened,
  (SELECT MIN(first_at) FROM campaign_hits h WHERE h.n = r.n AND h.kind = 'click' AND h.robot = 0) AS clicked,
  (SELECT MIN(first_at) FROM campaign_hits h WHERE h.n = r.n AND h.kind = 'unsubscribe') AS unsubscribed, r.answered";

/// The ledger in the order of sending, or the part of it a filter names.
pub fn list_statement(id: &str, query: &RecipientQuery, most: u32) -> (Statement, u32) {
    let limit = super::super::limit(query.limit, 50, most);
    let prefix: String = id.chars().take(16).collect();
    let after: i64 = query.cursor.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0);
    let delivery = "LEFT JOIN deliveries d ON d.id = ?2 || printf('%010d', r.n)";
    let filter = query.filter.unwrap_or(RecipientFilter::All);
    if let Some(address) = query.address.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        let sql = format!(
            "SELECT {COLUMNS} FROM campaign_recipients r {delivery}
             WHERE r.campaign_id = ?1 AND r.address_key = ?5 AND r.n > ?3 LIMIT ?4"
        );
        let key = mailroom_shared::address::EmailAddress::parse(address)
            .map_or_else(|_| address.to_lowercase(), |it| it.key());
        return (statement!(sql, id, prefix, after, limit + 1, key), limit);
    }
    let sql = match filter {
        RecipientFilter::All => format!(
            "SELECT {COLUMNS} FROM campaign_recipients r INDEXED BY recipients_in_order {delivery}
             WHERE r.campaign_id = ?1 AND r.n > ?3 ORDER BY r.n LIMIT ?4"
        ),
        RecipientFilter::LeftOut => format!(
            "SELECT {COLUMNS} FROM campaign_recipients r INDEXED BY recipients_in_order {delivery}
             WHERE r.campaign_id = ?1 AND r.n > ?3 AND r.left_out IS NOT NULL ORDER BY r.n LIMIT ?4"
        ),
        RecipientFilter::Answered => format!(
            "SELECT {COLUMNS} FROM campaign_recipients r INDEXED BY recipients_answered {delivery}
             WHERE r.campaign_id = ?1 AND r.n > ?3 AND r.answered IS NOT NULL ORDER BY r.n LIMIT ?4"
        ),
        RecipientFilter::Opened | RecipientFilter::Clicked | RecipientFilter::Unsubscribed => {
            let kinds = match filter {
                RecipientFilter::Opened => "'open', 'click'",
                RecipientFilter::Clicked => "'click'",
                _ => "'unsubscribe'",
            };
            format!(
                "SELECT {COLUMNS} FROM (SELECT DISTINCT h.n FROM campaign_hits h INDEXED BY hits_by_campaign
                   WHERE h.campaign_id = ?1 AND h.kind IN ({kinds}) AND h.robot = 0 AND h.n > ?3 ORDER BY h.n LIMIT ?4) AS j
                 CROSS JOIN campaign_recipients r ON r.n = j.n {delivery} ORDER BY r.n"
            )
        }
        _ => {
            let words: Vec<String> = filter.states().iter().map(|it| format!("'{}'", it.as_str())).collect();
            format!(
                "SELECT {COLUMNS} FROM (SELECT o.id FROM deliveries o INDEXED BY deliveries_of_campaigns
                   WHERE o.email_id = ?1 AND o.lane = 'bulk' AND o.state IN ({}) AND o.id > ?2 || printf('%010d', ?3)
                   ORDER BY o.id LIMIT ?4) AS j
                 CROSS JOIN deliveries d ON d.id = j.id
                 CROSS JOIN campaign_recipients r ON r.n = CAST(substr(d.id, 17) AS INTEGER)
                 WHERE r.left_out IS NULL ORDER BY d.id",
                words.join(", ")
            )
        }
    };
    (statement!(sql, id, prefix, after, limit + 1), limit)
}

pub async fn list(app: &App, id: &str, query: &RecipientQuery, most: u32) -> Result<Page<RecipientRow>, StoreError> {
    let (statement, limit) = list_statement(id, query, most);
    let mut rows: Vec<Row> = super::super::decode(app.run(statement).await?)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|it| it.n.to_string());
    let items = rows
        .into_iter()
        .map(|it| RecipientRow {
            n: it.n,
            address: it.address,
            name: it.name,
            place: Place::of(it.left_out, it.state),
            at: it.at,
            reason: it.reason,
            answer: it.answer,
            opened: it.opened,
            clicked: it.clicked,
            unsubscribed: it.unsubscribed,
            answered: it.answered,
            copies: it.copies,
        })
        .collect();
    Ok(Page { items, next, total: None })
}

#[derive(Debug, Deserialize)]
pub struct DomainRow {
    domain: String,
    recipients: u32,
    delivered: u32,
    failed: u32,
    opened: u32,
}

/// So many domains are told apart; all others are one.
const DOMAINS: usize = 12;

/// By the domain of the address. Reads the whole ledger once: asked for by a person, not by live updates.
pub fn domains_statement(id: &str) -> Statement {
    let prefix: String = id.chars().take(16).collect();
    statement!(
        "SELECT domain, COUNT(*) AS recipients, SUM(state IN ('sent', 'delivered')) AS delivered,
           SUM(state IN ('failed', 'bounced', 'complained', 'unknown')) AS failed, SUM(opened) AS opened
         FROM (SELECT substr(r.address_key, instr(r.address_key, '@') + 1) AS domain,
             COALESCE(d.state, r.final, '') AS state, EXISTS (SELECT 1 FROM campaign_hits h
               WHERE h.n = r.n AND h.kind IN ('open', 'click') AND h.robot = 0) AS opened
           FROM campaign_recipients r INDEXED BY recipients_in_order LEFT JOIN deliveries d ON d.id = ?2 || printf('%010d', r.n)
           WHERE r.campaign_id = ?1 AND r.left_out IS NULL)
         GROUP BY domain",
        id,
        prefix
    )
}

/// The largest first, what is left at the end.
pub async fn domains(app: &App, id: &str) -> Result<Vec<DomainResult>, StoreError> {
    let rows: Vec<DomainRow> = super::super::decode(app.run(domains_statement(id)).await?)?;
    let mut all: Vec<DomainResult> = rows
        .into_iter()
        .map(|it| DomainResult {
            domain: it.domain,
            recipients: it.recipients,
            delivered: it.delivered,
            failed: it.failed,
            opened: it.opened,
        })
        .collect();
    all.sort_by(|a, b| b.recipients.cmp(&a.recipients).then_with(|| a.domain.cmp(&b.domain)));
    if all.len() > DOMAINS {
        let rest = all.split_off(DOMAINS).into_iter().fold(DomainResult::default(), |sum, it| DomainResult {
            domain: String::new(),
            recipients: sum.recipients + it.recipients,
            delivered: sum.delivered + it.delivered,
            failed: sum.failed + it.failed,
            opened: sum.opened + it.opened,
        });
        all.push(rest);
    }
    Ok(all)
}

/// Before Auto-vacuum removes deliveries: what they came to stays in the ledger. `still` is its own condition.
pub fn keep_final(still: &str, ids: &str, before: Timestamp) -> Statement {
    statement!(
        format!(
            "UPDATE campaign_recipients SET final = j.state, final_at = j.state_at FROM
               (SELECT CAST(substr(id, 17) AS INTEGER) AS n, email_id, state, state_at FROM deliveries WHERE {still} AND lane = 'bulk') AS j
             WHERE campaign_recipients.n = j.n AND campaign_recipients.campaign_id = j.email_id"
        ),
        ids,
        before
    )
}

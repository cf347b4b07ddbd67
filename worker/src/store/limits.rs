//! Use of outgoing servers by hour and class, and what administrators must know.

use std::collections::BTreeMap;

use mailroom_shared::api::failures::FailureGroup;
use mailroom_shared::api::limits::Notice;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::Role;
use mailroom_shared::outbox::limit::LimitPolicy;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::StoreError;
use super::failures;
use super::json;
use super::sight::Sight;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// Key of [`LimitPolicy`] in the settings.
pub const LIMITS: &str = "limits";

/// What a server handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    pub today: u32,
    pub this_hour: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub struct UsageRow {
    pub server_id: String,
    pub hour: i64,
    pub class: String,
    pub n: u32,
}

/// Use of all servers since an hour.
pub fn since(hour: i64) -> Statement {
    statement!(
        "SELECT u.server_id, u.hour, u.class, u.n FROM servers s CROSS JOIN server_usage u ON u.server_id = s.id AND u.hour >= ?1
         ORDER BY u.server_id, u.hour",
        hour
    )
}

/// Use of one server out of those rows.
pub fn used(rows: &[UsageRow], server: &str, day_start: i64, hour: i64) -> Used {
    let mut out = Used::default();
    for row in rows.iter().filter(|it| it.server_id == server && it.hour >= day_start) {
        out.today += row.n;
        if row.hour == hour {
            out.this_hour += row.n;
        }
    }
    out
}

/// Mails of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    pub class: &'static str,
    pub n: u32,
}

/// What of a server's limits must still hold when the mails are counted.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub day_start: i64,
    pub daily: Option<u32>,
    pub hourly: Option<u32>,
}

/// Counts mails before they leave, all of them or, when somebody else was quicker and they no longer fit, none.
pub fn reserve(server: &str, hour: i64, counts: &[ClassCount], bounds: Bounds) -> Statement {
    let total: u32 = counts.iter().map(|it| it.n).sum();
    statement!(
        "INSERT INTO server_usage (server_id, hour, class, n)
         SELECT ?1, ?2, value ->> 'class', value ->> 'n' FROM json_each(?3)
         WHERE (?5 IS NULL OR ?4 + COALESCE((SELECT SUM(n) FROM server_usage WHERE server_id = ?1 AND hour >= ?6), 0) <= ?5)
           AND (?7 IS NULL OR ?4 + COALESCE((SELECT SUM(n) FROM server_usage WHERE server_id = ?1 AND hour = ?2), 0) <= ?7)
         ON CONFLICT (server_id, hour, class) DO UPDATE SET n = n + excluded.n",
        server,
        hour,
        to_json(counts),
        total,
        bounds.daily,
        bounds.day_start,
        bounds.hourly
    )
}

/// Counts mails that left by a server without limits.
pub fn count(server: &str, hour: i64, class: &str, n: u32) -> Statement {
    statement!(
        "INSERT INTO server_usage (server_id, hour, class, n) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (server_id, hour, class) DO UPDATE SET n = n + ?4",
        server,
        hour,
        class,
        n
    )
}

/// Gives back what was reserved and did not leave.
pub fn give_back(server: &str, hour: i64, class: &str, n: u32) -> Statement {
    statement!(
        "UPDATE server_usage SET n = MAX(0, n - ?4) WHERE server_id = ?1 AND hour = ?2 AND class = ?3",
        server,
        hour,
        class,
        n
    )
}

#[derive(Deserialize)]
struct ValueRow {
    value: String,
}

/// The policy of a settings row, the default where none was saved.
pub fn policy(rows: crate::ports::Rows) -> Result<LimitPolicy, StoreError> {
    match super::decode_one::<ValueRow>(rows)? {
        Some(row) => serde_json::from_str(&row.value).map_err(|e| StoreError::Corrupt(format!("settings.limits: {e}"))),
        None => Ok(LimitPolicy::default()),
    }
}

/// Parked deliveries; with the servers unknown before they leave, they are one number.
pub fn count_parked() -> Statement {
    statement!("SELECT COUNT(*) AS n FROM deliveries WHERE wait = 'limit' AND state IN ('outgoing', 'deferred')")
}

/// Lets parked mail go before its time: a limit was raised.
pub fn unpark(now: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET due = ?1, wait = NULL WHERE wait = 'limit' AND state IN ('outgoing', 'deferred') AND due > ?1",
        now
    )
}

/// Lets so many parked mails try again: places in a limit were given back.
pub fn unpark_some(n: u32, now: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET due = ?1 WHERE id IN
           (SELECT id FROM deliveries INDEXED BY deliveries_waiting WHERE wait = 'limit' AND wait IS NOT NULL
              AND state IN ('outgoing', 'deferred') ORDER BY created, id LIMIT ?2)",
        now,
        n
    )
}

#[derive(Debug, Default, Deserialize)]
pub struct Telling {
    pub by_email: u32,
    pub in_mailroom: u32,
    pub saved: u32,
}

/// How colleagues are told, and how many notices stayed inside since `since`.
pub fn telling(since: Timestamp) -> Statement {
    statement!(
        "SELECT (SELECT COUNT(*) FROM users WHERE archived = 0 AND notify_by = 'email') AS by_email,
           (SELECT COUNT(*) FROM users WHERE archived = 0 AND notify_by = 'mailroom') AS in_mailroom,
           (SELECT COUNT(*) FROM users u CROSS JOIN notifications n ON n.user_id = u.id WHERE n.at >= ?1) AS saved",
        since
    )
}

#[derive(Debug, Default, Deserialize)]
pub struct Outcomes {
    pub users: u32,
    pub handed_over: u32,
    pub bounced: u32,
    pub complained: u32,
    pub days_at_limit: u32,
}

/// What support asks for, of the days since `since`. Refusals for good count as bounces: the address did not get it.
pub fn outcomes(since: Timestamp) -> Statement {
    statement!(
        "SELECT (SELECT COUNT(*) FROM users WHERE archived = 0) AS users,
           (SELECT COALESCE(SUM(n), 0) FROM servers s CROSS JOIN server_usage u ON u.server_id = s.id AND u.hour >= ?2) AS handed_over,
           (SELECT COUNT(*) FROM deliveries WHERE state = 'bounced' AND created >= ?1)
             + (SELECT COUNT(*) FROM deliveries WHERE state = 'failed' AND created >= ?1 AND permanent = 1) AS bounced,
           (SELECT COUNT(*) FROM deliveries WHERE state = 'complained' AND created >= ?1) AS complained,
           (SELECT COUNT(*) FROM notices WHERE id >= 'limit_reached:' AND id < 'limit_reached;' AND at >= ?1) AS days_at_limit",
        since,
        since.as_millis().div_euclid(3_600_000)
    )
}

#[derive(Debug, Deserialize)]
pub struct DomainAliases {
    pub name: mailroom_shared::address::Domain,
    pub aliases: u32,
    pub tested: u32,
    pub failing: u32,
    #[serde(deserialize_with = "super::int_bool")]
    pub dkim: bool,
}

/// Alias domains with their aliases: a handful of rows each.
pub fn domain_aliases() -> Statement {
    statement!(
        "SELECT d.name, COUNT(a.id) AS aliases, COALESCE(SUM(a.state = 'valid'), 0) AS tested,
           COALESCE(SUM(a.state = 'failing'), 0) AS failing,
           EXISTS (SELECT 1 FROM dkim_keys k WHERE k.domain = d.name) AS dkim
         FROM domains d LEFT JOIN aliases a ON substr(a.key, -length(d.name) - 1) = '@' || d.name GROUP BY d.name"
    )
}

/// Tells the administrators once per id.
pub fn notify(id: &str, kind: &str, args: &BTreeMap<String, String>, now: Timestamp) -> Statement {
    statement!(
        "INSERT OR IGNORE INTO notices (id, kind, args, at) VALUES (?1, ?2, ?3, ?4)",
        id,
        kind,
        to_json(args),
        now
    )
}

/// What it was about is over.
pub fn settle(id: &str, now: Timestamp) -> Statement {
    statement!("UPDATE notices SET settled = ?2 WHERE id = ?1 AND settled IS NULL", id, now)
}

/// He has read it, if it is one that he sees.
pub fn read_by(id: &str, user: &str, is_administrator: bool, now: Timestamp) -> Statement {
    statement!(
        "UPDATE notices SET settled = ?2 WHERE id = ?1 AND settled IS NULL AND (user_id = ?3 OR (user_id IS NULL AND ?4))",
        id,
        now,
        user,
        is_administrator
    )
}

/// As if it had never been told: the next time tells again.
pub fn forget_notice(id: &str) -> Statement {
    statement!("DELETE FROM notices WHERE id = ?1", id)
}

#[derive(Deserialize)]
struct NoticeRow {
    id: String,
    kind: String,
    #[serde(deserialize_with = "json")]
    args: BTreeMap<String, String>,
    at: Timestamp,
}

/// Those of a user, and those of all administrators when he is one.
pub fn list_notices(user: &str, is_administrator: bool) -> Statement {
    statement!(
        "SELECT id, kind, args, at FROM notices INDEXED BY notices_open WHERE settled IS NULL
           AND (user_id = ?1 OR (user_id IS NULL AND ?2)) ORDER BY at DESC LIMIT 20",
        user,
        is_administrator
    )
}

/// What a user has to know. How many mails a cause has is counted now; one that has none left says nothing.
pub async fn notices(app: &App, me: &Me, sight: &Sight) -> Result<Vec<Notice>, StoreError> {
    let is_administrator = me.role == Role::Administrator;
    let mut rows: Vec<NoticeRow> = super::decode(app.run(list_notices(me.user.as_str(), is_administrator)).await?)?;
    if rows.iter().any(|it| it.kind == failures::NOTICE) {
        let groups = failures::groups(app, me, true, sight).await?.groups;
        rows.retain_mut(|it| {
            if it.kind != failures::NOTICE {
                return true;
            }
            let arg = |name: &str| it.args.get(name).map_or("", String::as_str);
            let (reason, domain) = (arg("reason"), arg("domain"));
            let of_cause =
                |g: &&FailureGroup| g.reason.as_str() == reason && g.domain.as_deref().unwrap_or_default() == domain;
            let n = groups.iter().find(of_cause).map_or(0, |g| g.failing);
            it.args.insert("n".to_owned(), n.to_string());
            n > 0
        });
    }
    Ok(rows.into_iter().map(|it| Notice { id: it.id, kind: it.kind, args: it.args, at: it.at }).collect())
}

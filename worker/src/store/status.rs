//! Whether mail flows: a few numbers for the rail and for health.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::status::Rate;
use mailroom_shared::api::status::Share;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// Numbers of the rail.
#[derive(Debug, Default, Deserialize)]
pub struct Counts {
    pub outgoing: u32,
    pub unprocessed: u32,
    pub last_received: Option<Timestamp>,
    pub last_sent: Option<Timestamp>,
}

/// Mails accepted before `late` and still not written count as unprocessed.
pub fn counts(late: Timestamp) -> Statement {
    statement!(
        "SELECT (SELECT COUNT(*) FROM deliveries WHERE state IN ('outgoing', 'sending', 'deferred')) AS outgoing,
         (SELECT COUNT(*) FROM ingests WHERE state = 'failed')
           + (SELECT COUNT(*) FROM ingests WHERE state = 'accepted' AND received < ?1) AS unprocessed,
         (SELECT MAX(received) FROM ingests) AS last_received,
         (SELECT MAX(state_at) FROM deliveries WHERE state IN ('sent', 'delivered')) AS last_sent",
        late
    )
}

#[derive(Deserialize)]
struct Applied {
    n: u32,
}

/// Migrations applied. The table is wrangler's; without it, or without a database, none was.
pub async fn migrations(app: &App) -> u32 {
    let rows = app.run(statement!("SELECT COUNT(*) AS n FROM d1_migrations")).await.unwrap_or_default();
    super::decode_one::<Applied>(rows).ok().flatten().map_or(0, |it| it.n)
}

/// When mail of a domain last came and left.
#[derive(Debug, Deserialize)]
pub struct Flow {
    pub domain: String,
    pub last_received: Option<Timestamp>,
    pub last_sent: Option<Timestamp>,
}

/// So many of the newest mails are looked at.
const SCANNED: u32 = 2_000;

pub fn domains() -> Statement {
    statement!(format!(
        "SELECT d.name AS domain,
           (SELECT MAX(received) FROM (SELECT received, rcpt_to FROM ingests ORDER BY received DESC, id DESC LIMIT {SCANNED})
             WHERE lower(substr(rcpt_to, -length(d.name) - 1)) = '@' || d.name) AS last_received,
           (SELECT MAX(state_at) FROM (SELECT x.state_at, o.domain FROM deliveries x INDEXED BY deliveries_sent
              JOIN emails o ON o.id = x.email_id WHERE x.state IN ('sent', 'delivered') ORDER BY x.state_at DESC LIMIT {SCANNED})
             WHERE domain = d.name) AS last_sent
         FROM domains d ORDER BY d.position, d.name"
    ))
}

#[derive(Debug, Default, Deserialize)]
pub struct Unprocessed {
    pub n: u32,
    pub oldest: Option<Timestamp>,
    pub dead: u32,
}

pub fn unprocessed() -> Statement {
    statement!(
        "SELECT COUNT(*) AS n, MIN(received) AS oldest, COALESCE(SUM(fault = 'dead_letter'), 0) AS dead
         FROM ingests WHERE state = 'failed'"
    )
}

/// Counts of the last day, and of the seven days before it.
#[derive(Debug, Default, Deserialize)]
pub struct Rates {
    refused_day: u32,
    refused_week: u32,
    received_day: u32,
    received_week: u32,
    handed_day: Option<u32>,
    handed_week: Option<u32>,
    failed_day: Option<u32>,
    failed_week: Option<u32>,
}

impl Rates {
    pub fn refusals(&self) -> Rate {
        Rate {
            day: Share { bad: self.refused_day, all: self.refused_day + self.received_day },
            week: Share { bad: self.refused_week, all: self.refused_week + self.received_week },
        }
    }

    pub fn failures(&self) -> Rate {
        let share = |bad: Option<u32>, all: Option<u32>| Share { bad: bad.unwrap_or(0), all: all.unwrap_or(0) };
        Rate { day: share(self.failed_day, self.handed_day), week: share(self.failed_week, self.handed_week) }
    }
}

pub fn rates(now: Timestamp) -> Statement {
    let day = now - Span::days(1);
    let week = day - Span::days(7);
    let hour = |at: Timestamp| at.as_millis().div_euclid(3_600_000);
    statement!(
        "SELECT (SELECT COUNT(*) FROM refusals WHERE at >= ?1) AS refused_day,
           (SELECT COUNT(*) FROM refusals WHERE at >= ?2 AND at < ?1) AS refused_week,
           (SELECT COUNT(*) FROM ingests WHERE received >= ?1) AS received_day,
           (SELECT COUNT(*) FROM ingests WHERE received >= ?2 AND received < ?1) AS received_week,
           SUM(CASE WHEN hour > ?3 THEN taken + refused END) AS handed_day,
           SUM(CASE WHEN hour <= ?3 THEN taken + refused END) AS handed_week,
           SUM(CASE WHEN hour > ?3 THEN refused END) AS failed_day,
           SUM(CASE WHEN hour <= ?3 THEN refused END) AS failed_week
         FROM server_hours WHERE hour > ?4",
        day,
        week,
        hour(day),
        hour(week)
    )
}

#[derive(Deserialize)]
struct AddressRow {
    address: EmailAddress,
}

pub async fn is_alias(app: &App, key: &str) -> Result<bool, StoreError> {
    let sql = "SELECT address FROM aliases WHERE key = ?1 UNION ALL SELECT address FROM alias_names WHERE key = ?1";
    Ok(super::decode_one::<AddressRow>(app.run(statement!(sql, key)).await?)?.is_some())
}

/// The alias that got mail last.
pub async fn canary_address(app: &App) -> Result<Option<EmailAddress>, StoreError> {
    let sql = "SELECT address FROM aliases ORDER BY COALESCE(last_received, 0) DESC, created LIMIT 1";
    Ok(super::decode_one::<AddressRow>(app.run(statement!(sql)).await?)?.map(|it| it.address))
}

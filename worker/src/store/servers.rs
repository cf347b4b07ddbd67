//! Outgoing servers: settings, health, and recipient domains that asked one of them to slow down.

use mailroom_shared::api::servers::Auth;
use mailroom_shared::api::servers::EditServer;
use mailroom_shared::api::servers::Security;
use mailroom_shared::api::servers::ServerHealth;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::servers::ServerRow;
use mailroom_shared::api::servers::SlowedDomain;
use mailroom_shared::id::ServerId;
use mailroom_shared::outbox::choice::Candidate;
use mailroom_shared::outbox::choice::FromFilter;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::StoreError;
use super::int_bool;
use crate::app::App;
use crate::ports::ServerAccess;
use crate::ports::Statement;
use crate::seal;
use crate::seal::SealError;
use crate::statement;

/// What a sealed password is for.
pub fn purpose(id: &str) -> String {
    format!("server:{id}")
}

/// A row of the table.
#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    pub id: ServerId,
    pub name: String,
    pub kind: ServerKind,
    pub host: String,
    pub port: u16,
    pub security: Security,
    #[serde(deserialize_with = "int_bool")]
    pub strict_tls: bool,
    pub auth: Auth,
    pub username: String,
    pub password_sealed: String,
    pub from_filter: String,
    pub priority: i32,
    #[serde(deserialize_with = "int_bool")]
    pub bulk: bool,
    #[serde(deserialize_with = "int_bool")]
    pub enabled: bool,
    #[serde(deserialize_with = "int_bool")]
    pub archived: bool,
    pub daily_limit: Option<u32>,
    pub hourly_limit: Option<u32>,
    pub max_size: Option<u32>,
    pub connect_timeout: u32,
    pub send_timeout: u32,
    #[serde(deserialize_with = "int_bool")]
    pub dkim: bool,
    pub last_success: Option<Timestamp>,
    pub last_trouble: Option<Timestamp>,
    pub last_error: Option<String>,
    pub troubles: u32,
    pub rests_until: Option<Timestamp>,
    pub learned_limit: Option<u32>,
    pub learned_at: Option<Timestamp>,
}

impl Server {
    /// `ehlo` is what we call ourselves.
    pub fn access(&self, app: &App, ehlo: &str) -> Result<ServerAccess, SealError> {
        let password = match self.password_sealed.as_str() {
            "" => String::new(),
            sealed => seal::open(app, &purpose(self.id.as_str()), sealed)?,
        };
        Ok(access(self.id.as_str(), &self.settings(), password, ehlo))
    }

    /// What a person may set, without the password.
    pub fn settings(&self) -> EditServer {
        EditServer {
            name: self.name.clone(),
            kind: self.kind,
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            strict_tls: self.strict_tls,
            auth: self.auth,
            username: self.username.clone(),
            password: None,
            from_filter: self.from_filter.clone(),
            priority: self.priority,
            bulk: self.bulk,
            enabled: self.enabled,
            daily_limit: self.daily_limit,
            hourly_limit: self.hourly_limit,
            max_size: self.max_size,
            connect_timeout: self.connect_timeout,
            send_timeout: self.send_timeout,
            dkim: self.dkim,
        }
    }

    /// As the choice sees it; limits are for the caller to add.
    pub fn candidate(&self, now: Timestamp) -> Candidate {
        Candidate {
            id: self.id.as_str().to_owned(),
            // Checked when it was saved; a filter that can't be read carries nothing it should not.
            filter: FromFilter::parse(&self.from_filter).unwrap_or_default(),
            priority: i64::from(self.priority),
            bulk: self.bulk,
            max_size: self.max_size.map(u64::from),
            full_until: None,
            rests_until: self.rests_until.filter(|it| *it > now),
            archived: self.archived || !self.enabled,
        }
    }
}

/// Settings with a password, ready to connect.
pub fn access(id: &str, settings: &EditServer, password: String, ehlo: &str) -> ServerAccess {
    ServerAccess {
        id: id.to_owned(),
        name: settings.name.clone(),
        kind: settings.kind,
        host: settings.host.clone(),
        port: settings.port,
        security: settings.security,
        strict_tls: settings.strict_tls,
        auth: settings.auth,
        username: settings.username.clone(),
        password,
        ehlo: ehlo.to_owned(),
        connect_timeout: settings.connect_timeout,
        send_timeout: settings.send_timeout,
    }
}

const COLUMNS: &str = "id, name, kind, host, port, security, strict_tls, auth, username, password_sealed, from_filter,
  priority, bulk, enabled, archived, daily_limit, hourly_limit, max_size, connect_timeout, send_timeout, dkim,
  last_success, last_trouble, last_error, troubles, rests_until, learned_limit, learned_at";

/// All, archived ones last, in the order of choice. A handful of rows.
pub fn list() -> Statement {
    Statement::new(format!("SELECT {COLUMNS} FROM servers ORDER BY archived, priority, created"))
}

pub fn by_id(id: &str) -> Statement {
    statement!(format!("SELECT {COLUMNS} FROM servers WHERE id = ?1"), id)
}

pub async fn read(app: &App, id: &str) -> Result<Option<Server>, StoreError> {
    super::decode_one(app.run(by_id(id)).await?)
}

/// A server to be, as the first-run form knows it.
pub struct NewServer<'a> {
    pub id: &'a str,
    pub name: &'a str,
    /// `cloudflare` or `smtp`.
    pub kind: &'a str,
    pub host: &'a str,
    pub port: u16,
    /// `none`, `starttls` or `tls`.
    pub security: &'a str,
}

pub fn insert(s: &NewServer<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO servers (id, name, kind, host, port, security, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        s.id,
        s.name,
        s.kind,
        s.host,
        s.port,
        s.security,
        now
    )
}

/// Makes or changes a server. Without a sealed password the old one stays; with other settings its rest is over.
pub fn save(id: &str, s: &EditServer, sealed: Option<&str>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO servers (id, name, kind, host, port, security, strict_tls, auth, username, password_sealed, from_filter,
           priority, bulk, enabled, daily_limit, hourly_limit, max_size, connect_timeout, send_timeout, dkim, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, COALESCE(?10, ''), ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
         ON CONFLICT (id) DO UPDATE SET name = ?2, kind = ?3, host = ?4, port = ?5, security = ?6, strict_tls = ?7,
           auth = ?8, username = ?9, password_sealed = COALESCE(?10, password_sealed), from_filter = ?11, priority = ?12,
           bulk = ?13, enabled = ?14, daily_limit = ?15, hourly_limit = ?16, max_size = ?17, connect_timeout = ?18,
           send_timeout = ?19, dkim = ?20, archived = 0, troubles = 0, rests_until = NULL",
        id,
        s.name.trim(),
        s.kind.as_str(),
        s.host.trim(),
        s.port,
        s.security.as_str(),
        s.strict_tls,
        s.auth.as_str(),
        s.username.trim(),
        sealed,
        s.from_filter.trim(),
        i64::from(s.priority),
        s.bulk,
        s.enabled,
        s.daily_limit,
        s.hourly_limit,
        s.max_size,
        s.connect_timeout,
        s.send_timeout,
        s.dkim,
        now
    )
}

/// Archives; its password is forgotten.
pub fn archive(id: &str) -> Statement {
    statement!("UPDATE servers SET archived = 1, enabled = 0, password_sealed = '' WHERE id = ?1", id)
}

/// Deliveries that are with the server now. Those that wait have none yet: the choice is made when they leave.
pub fn in_use(id: &str) -> Statement {
    statement!("SELECT COUNT(*) AS n FROM deliveries WHERE state = 'sending' AND server_id = ?1", id)
}

/// How hand-overs to a server went, in one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub server: String,
    pub taken: u32,
    pub refused: u32,
    pub trouble: u32,
    /// Milliseconds of those taken.
    pub millis: i64,
}

pub fn count_results(tally: &Tally, hour: i64) -> Statement {
    statement!(
        "INSERT INTO server_hours (server_id, hour, taken, refused, trouble, millis) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (server_id, hour) DO UPDATE SET taken = taken + ?3, refused = refused + ?4, trouble = trouble + ?5,
           millis = millis + ?6",
        tally.server.as_str(),
        hour,
        tally.taken,
        tally.refused,
        tally.trouble,
        tally.millis
    )
}

/// It took mail: its troubles are over.
pub fn is_well(id: &str, now: Timestamp) -> Statement {
    statement!("UPDATE servers SET last_success = ?2, troubles = 0, rests_until = NULL WHERE id = ?1", id, now)
}

/// It is in trouble; `rest` is none as long as it may be an accident.
pub fn is_ill(id: &str, error: &str, troubles: u32, rests_until: Option<Timestamp>, now: Timestamp) -> Statement {
    statement!(
        "UPDATE servers SET last_trouble = ?3, last_error = ?2, troubles = ?4, rests_until = ?5 WHERE id = ?1",
        id,
        error,
        now,
        troubles,
        rests_until
    )
}

/// The provider takes no more today.
pub fn learn_limit(id: &str, used: u32, now: Timestamp) -> Statement {
    statement!("UPDATE servers SET learned_limit = ?2, learned_at = ?3 WHERE id = ?1", id, used.max(1), now)
}

#[derive(Debug, Deserialize)]
pub struct Hours {
    pub server_id: String,
    pub taken: u32,
    pub refused: u32,
    pub trouble: u32,
    pub millis: i64,
}

/// Results since an hour, per server.
pub fn results_since(hour: i64) -> Statement {
    statement!(
        "SELECT h.server_id, SUM(h.taken) AS taken, SUM(h.refused) AS refused, SUM(h.trouble) AS trouble,
           SUM(h.millis) AS millis FROM servers s CROSS JOIN server_hours h ON h.server_id = s.id AND h.hour >= ?1
         GROUP BY h.server_id",
        hour
    )
}

/// A server as the page shows it.
pub fn row(
    server: &Server,
    hours: &[Hours],
    used: super::limits::Used,
    limit: Option<u32>,
    now: Timestamp,
) -> ServerRow {
    let found = hours.iter().find(|it| it.server_id == server.id.as_str());
    let (taken, refused, trouble, millis) =
        found.map_or((0, 0, 0, 0), |it| (it.taken, it.refused, it.trouble, it.millis));
    ServerRow {
        id: server.id.clone(),
        settings: server.settings(),
        has_password: !server.password_sealed.is_empty(),
        archived: server.archived,
        health: ServerHealth {
            last_success: server.last_success,
            last_trouble: server.last_trouble,
            last_error: server.last_error.clone(),
            rests_until: server.rests_until.filter(|it| *it > now),
            taken,
            refused,
            trouble,
            latency: u32::try_from(millis / i64::from(taken.max(1))).ok().filter(|_| taken > 0),
        },
        used_today: used.today,
        used_hour: used.this_hour,
        learned: limit.is_some() && limit != server.daily_limit && server.learned_limit.is_some(),
        limit,
    }
}

/// A domain asks a server to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    pub domain: String,
    pub server: String,
    pub until: Timestamp,
    pub step: u32,
    pub text: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct BackoffRow {
    pub domain: String,
    pub server_id: String,
    pub until: Timestamp,
    pub step: u32,
}

/// Those that are known for the recipients of a claim; ended ones tell how often it was.
pub fn backoffs_of_claim(claim: &str) -> Statement {
    statement!(
        "SELECT domain, server_id, until, step FROM domain_backoff WHERE domain IN
           (SELECT rcpt_domain FROM deliveries WHERE claim = ?1 AND claim IS NOT NULL)",
        claim
    )
}

/// Notes the wish of a domain, and lets all that is due for it wait: what is behind in the queue gets its turn.
pub fn slow_down(it: &Backoff, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "INSERT INTO domain_backoff (domain, server_id, until, step, since, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (domain, server_id) DO UPDATE SET until = ?3, step = ?4, text = ?6",
            it.domain.as_str(),
            it.server.as_str(),
            it.until,
            it.step,
            now,
            it.text.as_str()
        ),
        put_off(&it.domain, it.until, now),
    ]
}

/// Bounded, so that one domain with a hundred thousand mails can't fill a transaction; the rest is put off when claimed.
fn put_off(domain: &str, until: Timestamp, now: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET due = ?2, wait = 'domain' WHERE id IN
           (SELECT id FROM deliveries WHERE rcpt_domain = ?1 AND state IN ('outgoing', 'deferred') AND due <= ?3 LIMIT 2000)",
        domain,
        until,
        now
    )
}

/// It takes mail again.
pub fn forget_backoff(domain: &str, server: &str) -> Statement {
    statement!("DELETE FROM domain_backoff WHERE domain = ?1 AND server_id = ?2", domain, server)
}

/// A person lets all mail for a domain go now.
pub fn lift(domain: &str, now: Timestamp) -> [Statement; 2] {
    [
        statement!("DELETE FROM domain_backoff WHERE domain = ?1", domain),
        statement!(
            "UPDATE deliveries SET due = ?2, wait = NULL WHERE rcpt_domain = ?1 AND wait = 'domain'
             AND state IN ('outgoing', 'deferred')",
            domain,
            now
        ),
    ]
}

pub fn backoff_of(domain: &str) -> Statement {
    statement!("SELECT domain, server_id, until, step FROM domain_backoff WHERE domain = ?1", domain)
}

#[derive(Deserialize)]
struct SlowedRow {
    domain: String,
    server: ServerId,
    server_name: String,
    since: Timestamp,
    until: Timestamp,
    text: String,
    waiting: u32,
}

/// Domains that asked us to slow down and are not yet tried again.
pub fn list_slowed(now: Timestamp) -> Statement {
    statement!(
        "SELECT b.domain, b.server_id AS server, s.name AS server_name, b.since, b.until, b.text,
           (SELECT COUNT(*) FROM deliveries d WHERE d.rcpt_domain = b.domain AND d.wait = 'domain'
              AND d.state IN ('outgoing', 'deferred')) AS waiting
         FROM domain_backoff b CROSS JOIN servers s ON s.id = b.server_id WHERE b.until > ?1 LIMIT 200",
        now
    )
}

pub async fn slowed(app: &App) -> Result<Vec<SlowedDomain>, StoreError> {
    let rows: Vec<SlowedRow> = super::decode(app.run(list_slowed(app.now())).await?)?;
    let mut all: Vec<SlowedDomain> = rows
        .into_iter()
        .map(|it| SlowedDomain {
            domain: it.domain,
            server: it.server,
            server_name: it.server_name,
            since: it.since,
            until: it.until,
            text: it.text,
            waiting: it.waiting,
        })
        .collect();
    all.sort_by_key(|it| it.until);
    Ok(all)
}

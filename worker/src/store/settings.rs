//! Settings of the installation and its alias domains.

use mailroom_shared::address::Domain;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::policy::Policy;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::StoreError;
use super::decode;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// Name of the company; its presence means that the first run is over.
pub const COMPANY: &str = "company";
/// `gateway` policy as JSON.
pub const POLICY: &str = "policy";
/// Bytes the database may have on the platform's plan.
pub const DATABASE_LIMIT: &str = "database_limit";

/// `https://` and the host of the page, for links in mails.
pub const BASE_URL: &str = "base_url";

pub fn get(key: &str) -> Statement {
    statement!("SELECT value FROM settings WHERE key = ?1", key)
}

pub fn set(key: &str, value: &str) -> Statement {
    statement!(
        "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value
    )
}

/// Ends the first run. A plain INSERT: of two first runs at once, one breaks on the key and writes nothing.
pub fn found(company: &str) -> Statement {
    statement!("INSERT INTO settings (key, value) VALUES (?1, ?2)", COMPANY, company)
}

#[derive(Deserialize)]
struct ValueRow {
    value: String,
}

/// The value of a setting.
pub async fn value(app: &App, key: &str) -> Result<Option<String>, StoreError> {
    Ok(super::decode_one::<ValueRow>(app.run(get(key)).await?)?.map(|it| it.value))
}

/// A setting that is a number, if it was saved.
pub fn number(answers: &mut Answers) -> Result<Option<u64>, StoreError> {
    Ok(answers.one::<ValueRow>()?.and_then(|it| it.value.parse().ok()))
}

/// The policy of a settings row, the default where none was saved.
pub fn policy(answers: &mut Answers) -> Result<Policy, StoreError> {
    match answers.one::<ValueRow>()? {
        Some(row) => serde_json::from_str(&row.value).map_err(|e| StoreError::Corrupt(format!("settings.policy: {e}"))),
        None => Ok(Policy::default()),
    }
}

pub fn list_domains() -> Statement {
    statement!("SELECT name, catchall, bounce, default_from FROM domains ORDER BY position, name")
}

pub async fn domains(app: &App) -> Result<Vec<DomainRow>, StoreError> {
    decode(app.run(list_domains()).await?)
}

/// Domains with the number of aliases at each.
pub async fn domains_with_aliases(app: &App) -> Result<Vec<DomainRow>, StoreError> {
    let sql = "SELECT name, catchall, bounce, default_from,
      (SELECT COUNT(*) FROM aliases a WHERE lower(substr(a.address, instr(a.address, '@') + 1)) = domains.name) AS aliases
      FROM domains ORDER BY position, name";
    decode(app.run(statement!(sql)).await?)
}

pub fn insert_domain(name: &Domain, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO domains (name, catchall, bounce, default_from, created) VALUES (?1, 'catchall', 'bounce', 'notifications', ?2)",
        name.as_str(),
        now
    )
}

/// Special addresses of a domain, checked; empty catchall means none.
pub struct DomainEdit<'a> {
    pub name: &'a Domain,
    pub catchall: &'a str,
    pub bounce: &'a str,
    pub default_from: &'a str,
}

pub fn add_domain(d: &DomainEdit<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO domains (name, catchall, bounce, default_from, position, created)
         VALUES (?1, ?2, ?3, ?4, (SELECT COALESCE(MAX(position), 0) + 1 FROM domains), ?5)",
        d.name.as_str(),
        d.catchall,
        d.bounce,
        d.default_from,
        now
    )
}

pub fn change_domain(d: &DomainEdit<'_>) -> Statement {
    statement!(
        "UPDATE domains SET catchall = ?2, bounce = ?3, default_from = ?4 WHERE name = ?1",
        d.name.as_str(),
        d.catchall,
        d.bounce,
        d.default_from
    )
}

/// Removes a domain unless it is the only one.
pub fn delete_domain(name: &str) -> Statement {
    statement!("DELETE FROM domains WHERE name = ?1 AND (SELECT COUNT(*) FROM domains) > 1", name)
}

//! Users, their passwords and sessions.

use mailroom_shared::access::Scope;
use mailroom_shared::address::Domain;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::api::session::Role;
use mailroom_shared::api::session::UserRow;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::policy::UNDO_SECONDS;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::StoreError;
use super::decode;
use super::decode_one;
use super::int_bool;
use super::json;
use super::sight::Sight;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct MeRow {
    user: UserId,
    contact: ContactId,
    name: String,
    email: EmailAddress,
    role: Role,
    language: String,
    notify_by: NotifyBy,
    company: String,
    domain: Domain,
    #[serde(deserialize_with = "int_bool")]
    confirmed: bool,
    #[serde(deserialize_with = "json")]
    types: Vec<TypeName>,
    /// Of the session.
    #[serde(default)]
    last_seen: Option<Timestamp>,
    #[serde(default)]
    session: Option<String>,
    /// Of the token.
    #[serde(default)]
    scopes: Option<String>,
    #[serde(default)]
    requests: u32,
}

impl From<MeRow> for Me {
    fn from(row: MeRow) -> Self {
        Self {
            user: row.user,
            contact: row.contact,
            name: row.name,
            email: row.email,
            role: row.role,
            language: row.language,
            notify_by: row.notify_by,
            company: row.company,
            domain: row.domain,
            undo_seconds: UNDO_SECONDS,
            confirmed: row.confirmed,
        }
    }
}

/// Who calls, and what the call may touch.
#[derive(Debug, Clone)]
pub struct Caller {
    pub me: Me,
    pub sight: Sight,
    /// Of a person: id of the session, and when it was last seen.
    pub session: Option<(String, Option<Timestamp>)>,
    /// Of a token.
    pub scopes: Option<Vec<Scope>>,
    /// Requests of the token within this minute.
    pub requests: u32,
}

impl TryFrom<MeRow> for Caller {
    type Error = StoreError;

    fn try_from(mut row: MeRow) -> Result<Self, StoreError> {
        let scopes = row.scopes.take();
        let scopes = scopes.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            sight: Sight::of(std::mem::take(&mut row.types)),
            session: row.session.take().map(|id| (id, row.last_seen)),
            scopes: scopes.map_err(|e| StoreError::Corrupt(format!("api_tokens.scopes: {e}")))?,
            requests: row.requests,
            me: row.into(),
        })
    }
}

/// A token has no address: it signs with that of the domain.
const ME: &str = "u.id AS user, c.id AS contact, c.name AS name,
 COALESCE(e.address, (SELECT default_from || '@' || name FROM domains ORDER BY position, name LIMIT 1)) AS email,
 u.role AS role, u.language AS language, u.notify_by AS notify_by, u.confirmed IS NOT NULL AS confirmed,
 (SELECT json_group_array(type) FROM user_types WHERE user_id = u.id) AS types,
 COALESCE((SELECT value FROM settings WHERE key = 'company'), '') AS company,
 COALESCE((SELECT name FROM domains ORDER BY position, name LIMIT 1), '') AS domain";
const FROM: &str = "FROM users u JOIN contacts c ON c.id = u.contact_id
 LEFT JOIN contact_emails e ON e.contact_id = c.id AND e.position = 0";

/// The user of a session that has not ended.
pub async fn by_session(app: &App, session: &str) -> Result<Option<Caller>, StoreError> {
    let sql = format!(
        "SELECT {ME}, s.id AS session, s.last_seen AS last_seen {FROM} JOIN sessions s ON s.user_id = u.id
         WHERE s.id = ?1 AND s.expires > ?2 AND u.archived = 0"
    );
    let rows = app.run(statement!(sql, session, app.now())).await?;
    decode_one::<MeRow>(rows)?.map(TryInto::try_into).transpose()
}

/// The user of a token that is still good; counts the request.
pub async fn by_token(app: &App, hash: &str) -> Result<Option<Caller>, StoreError> {
    let now = app.now();
    let minute = now.as_millis().div_euclid(60_000);
    let good = "hash = ?1 AND revoked IS NULL AND (expires IS NULL OR expires > ?2)";
    let count = format!(
        "UPDATE api_tokens SET requests = CASE WHEN minute = ?3 THEN requests + 1 ELSE 1 END, minute = ?3, last_used = ?2
         WHERE {good}"
    );
    let sql = format!(
        "SELECT {ME}, k.scopes AS scopes, k.requests AS requests {FROM} JOIN api_tokens k ON k.user_id = u.id
         WHERE k.{good} AND u.archived = 0"
    );
    let statements = vec![statement!(count, hash, now, minute), statement!(sql, hash, now)];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let _counted = answers.changes();
    answers.one::<MeRow>()?.map(TryInto::try_into).transpose()
}

pub async fn by_id(app: &App, user: &str) -> Result<Option<Me>, StoreError> {
    let rows = app.run(statement!(format!("SELECT {ME} {FROM} WHERE u.id = ?1"), user)).await?;
    Ok(decode_one::<MeRow>(rows)?.map(Into::into))
}

/// Who can answer for a record: a person who is still here.
pub async fn assignable(app: &App, user: &str) -> Result<Option<Me>, StoreError> {
    let sql = format!("SELECT {ME} {FROM} WHERE u.id = ?1 AND u.archived = 0 AND u.kind = 'person'");
    Ok(decode_one::<MeRow>(app.run(statement!(sql, user)).await?)?.map(Into::into))
}

/// Somebody is here. Told now and then, not with each request.
pub fn seen(session: &str, user: &UserId, now: Timestamp) -> [Statement; 2] {
    [
        statement!("UPDATE sessions SET last_seen = ?2 WHERE id = ?1", session, now),
        statement!("UPDATE users SET last_seen = ?2 WHERE id = ?1", user.as_str(), now),
    ]
}

/// What a login needs.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    pub id: UserId,
    pub password_hash: String,
    pub failed_logins: u32,
    pub locked_until: Option<Timestamp>,
}

pub async fn credentials(app: &App, login_key: &str) -> Result<Option<Credentials>, StoreError> {
    let sql = "SELECT id, password_hash, failed_logins, locked_until FROM users
      WHERE login_key = ?1 AND archived = 0 AND kind = 'person'";
    decode_one(app.run(statement!(sql, login_key)).await?)
}

/// What a change of one's own password needs.
pub async fn credentials_of(app: &App, user: &UserId) -> Result<Option<Credentials>, StoreError> {
    let sql = "SELECT id, password_hash, failed_logins, locked_until FROM users WHERE id = ?1";
    decode_one(app.run(statement!(sql, user.as_str())).await?)
}

pub fn set_failures(user: &UserId, failures: u32, locked_until: Option<Timestamp>) -> Statement {
    statement!(
        "UPDATE users SET failed_logins = ?2, locked_until = ?3 WHERE id = ?1",
        user.as_str(),
        failures,
        locked_until
    )
}

/// `agent` is what the browser calls itself.
pub fn insert_session(id: &str, user: &str, agent: &str, now: Timestamp, expires: Timestamp) -> Statement {
    statement!(
        "INSERT INTO sessions (id, user_id, agent, created, last_seen, expires) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
        id,
        user,
        agent,
        now,
        expires
    )
}

pub fn delete_session(id: &str) -> Statement {
    statement!("DELETE FROM sessions WHERE id = ?1", id)
}

/// A user to be; the contact is inserted before.
pub struct NewUser<'a> {
    pub id: &'a str,
    pub contact: &'a str,
    pub email: &'a EmailAddress,
    pub password_hash: &'a str,
    pub role: Role,
    pub language: &'a str,
}

pub fn insert(user: &NewUser<'_>, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO users (id, contact_id, login_key, password_hash, role, language, notify_by, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'mailroom', ?7)",
        user.id,
        user.contact,
        user.email.key(),
        user.password_hash,
        user.role.as_str(),
        user.language,
        now,
    )
}

pub fn change(user: &UserId, language: Option<&str>, notify_by: Option<NotifyBy>) -> Statement {
    statement!(
        "UPDATE users SET language = COALESCE(?2, language), notify_by = COALESCE(?3, notify_by) WHERE id = ?1",
        user.as_str(),
        language,
        notify_by.map(NotifyBy::as_str),
    )
}

pub async fn list(app: &App) -> Result<Vec<UserRow>, StoreError> {
    let sql = "SELECT u.id AS user, c.id AS contact, c.name AS name, e.address AS email, u.role AS role
      FROM users u JOIN contacts c ON c.id = u.contact_id
      JOIN contact_emails e ON e.contact_id = c.id AND e.position = 0
      WHERE u.archived = 0 AND u.kind = 'person' ORDER BY c.sort_name LIMIT 500";
    decode(app.run(statement!(sql)).await?)
}

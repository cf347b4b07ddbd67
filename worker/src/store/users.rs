//! Users, their passwords and sessions.

use mailroom_shared::address::Domain;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::api::session::Role;
use mailroom_shared::api::session::UserRow;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::UserId;
use mailroom_shared::policy::UNDO_SECONDS;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::decode;
use super::decode_one;
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
        }
    }
}

const ME: &str = "SELECT u.id AS user, c.id AS contact, c.name AS name, e.address AS email, u.role AS role,
 u.language AS language, u.notify_by AS notify_by,
 COALESCE((SELECT value FROM settings WHERE key = 'company'), '') AS company,
 COALESCE((SELECT name FROM domains ORDER BY position, name LIMIT 1), '') AS domain
 FROM users u JOIN contacts c ON c.id = u.contact_id
 JOIN contact_emails e ON e.contact_id = c.id AND e.position = 0";

/// The user of a session that has not ended.
pub async fn by_session(app: &App, session: &str) -> Result<Option<Me>, StoreError> {
    let sql = format!("{ME} JOIN sessions s ON s.user_id = u.id WHERE s.id = ?1 AND s.expires > ?2 AND u.archived = 0");
    let rows = app.run(statement!(sql, session, app.now())).await?;
    Ok(decode_one::<MeRow>(rows)?.map(Into::into))
}

pub async fn by_id(app: &App, user: &str) -> Result<Option<Me>, StoreError> {
    let rows = app.run(statement!(format!("{ME} WHERE u.id = ?1"), user)).await?;
    Ok(decode_one::<MeRow>(rows)?.map(Into::into))
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
    let sql = "SELECT id, password_hash, failed_logins, locked_until FROM users WHERE login_key = ?1 AND archived = 0";
    decode_one(app.run(statement!(sql, login_key)).await?)
}

pub fn set_failures(user: &UserId, failures: u32, locked_until: Option<Timestamp>) -> Statement {
    statement!(
        "UPDATE users SET failed_logins = ?2, locked_until = ?3 WHERE id = ?1",
        user.as_str(),
        failures,
        locked_until
    )
}

pub fn insert_session(id: &str, user: &str, now: Timestamp, expires: Timestamp) -> Statement {
    statement!("INSERT INTO sessions (id, user_id, created, expires) VALUES (?1, ?2, ?3, ?4)", id, user, now, expires)
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
      JOIN contact_emails e ON e.contact_id = c.id AND e.position = 0 WHERE u.archived = 0 ORDER BY c.sort_name LIMIT 500";
    decode(app.run(statement!(sql)).await?)
}

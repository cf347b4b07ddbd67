//! API tokens.

use mailroom_shared::access::Scope;
use mailroom_shared::access::role_of;
use mailroom_shared::api::tokens::TokenRow;
use mailroom_shared::people::API_SUFFIX;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::contacts;
use super::decode;
use super::json;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    #[serde(deserialize_with = "json")]
    scopes: Vec<Scope>,
    by_name: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    revoked: Option<Timestamp>,
}

/// All tokens, those that still work first.
pub async fn list(app: &App) -> Result<Vec<TokenRow>, StoreError> {
    let sql = "SELECT id, name, scopes, by_name, created, expires, last_used, revoked FROM api_tokens
      ORDER BY revoked IS NOT NULL, created DESC LIMIT 500";
    let rows: Vec<Row> = decode(app.run(statement!(sql)).await?)?;
    Ok(rows
        .into_iter()
        .map(|it| TokenRow {
            id: it.id,
            name: it.name,
            scopes: it.scopes,
            by: it.by_name,
            created: it.created,
            expires: it.expires,
            last_used: it.last_used,
            revoked: it.revoked.is_some(),
        })
        .collect())
}

/// A token to be, with the user it acts as.
pub struct NewToken<'a> {
    pub id: &'a str,
    pub user: &'a str,
    pub contact: &'a str,
    pub name: &'a str,
    pub hash: &'a str,
    pub scopes: &'a [Scope],
    pub by_name: &'a str,
    pub language: &'a str,
    pub expires: Option<Timestamp>,
}

pub fn insert(t: &NewToken<'_>, now: Timestamp) -> Vec<Statement> {
    vec![
        contacts::insert(t.contact, &format!("{}{API_SUFFIX}", t.name), true, now),
        // Its contact is no one to write to: hidden from the pickers.
        statement!("UPDATE contacts SET archived = 1 WHERE id = ?1", t.contact),
        statement!(
            "INSERT INTO users (id, contact_id, login_key, password_hash, role, language, notify_by, kind, confirmed, created)
             VALUES (?1, ?2, 'token:' || ?1, '', ?3, ?4, 'mailroom', 'token', ?5, ?5)",
            t.user,
            t.contact,
            role_of(t.scopes).as_str(),
            t.language,
            now
        ),
        statement!(
            "INSERT INTO api_tokens (id, user_id, name, hash, scopes, by_name, created, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            t.id,
            t.user,
            t.name,
            t.hash,
            to_json(t.scopes),
            t.by_name,
            now,
            t.expires
        ),
    ]
}

pub fn revoke(id: &str, now: Timestamp) -> Statement {
    statement!("UPDATE api_tokens SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL", id, now)
}

//! Users as the Users page shows them, links in mails about their logins, their sessions.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::people::PersonRow;
use mailroom_shared::api::people::PersonState;
use mailroom_shared::api::profile::SessionRow;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::Role;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::outbox::state::EnvelopeState;
use mailroom_shared::people::Surroundings;
use mailroom_shared::people::browser;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::StoreError;
use super::decode;
use super::decode_one;
use super::int_bool;
use super::json;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

#[derive(Deserialize)]
struct Row {
    id: String,
    name: String,
    email: EmailAddress,
    role: Role,
    #[serde(deserialize_with = "int_bool")]
    archived: bool,
    #[serde(deserialize_with = "json")]
    types: Vec<TypeName>,
    last_seen: Option<Timestamp>,
    #[serde(deserialize_with = "int_bool")]
    confirmed: bool,
    /// Of an invitation.
    expires: Option<Timestamp>,
    state: Option<DeliveryState>,
}

const USERS: &str = "SELECT u.id, c.name, e.address AS email, u.role, u.archived,
   (SELECT json_group_array(type) FROM user_types WHERE user_id = u.id) AS types,
   NULLIF(MAX(COALESCE(u.last_seen, 0), COALESCE((SELECT MAX(last_seen) FROM sessions WHERE user_id = u.id), 0)), 0)
     AS last_seen,
   u.confirmed IS NOT NULL AS confirmed, NULL AS expires, NULL AS state
 FROM users u JOIN contacts c ON c.id = u.contact_id
 JOIN contact_emails e ON e.contact_id = c.id AND e.position = 0
 WHERE u.kind = 'person'";
const INVITATIONS: &str =
    "SELECT l.id, l.name, l.email, l.role, 0 AS archived, l.types, NULL AS last_seen, 0 AS confirmed,
   l.expires, (SELECT state FROM deliveries WHERE email_id = l.email_id) AS state
 FROM account_links l WHERE l.kind = 'invitation'";

/// Users by name, those who are gone last; then invitations.
pub async fn list(app: &App, me: &Me) -> Result<Vec<PersonRow>, StoreError> {
    let statements = vec![
        statement!(format!("{USERS} ORDER BY u.archived, c.sort_name LIMIT 1000")),
        statement!(format!("{INVITATIONS} ORDER BY l.created DESC LIMIT 1000")),
    ];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let users: Vec<Row> = answers.rows()?;
    let invitations: Vec<Row> = answers.rows()?;
    let line = |row: Row| PersonRow {
        you: row.id == me.user.as_str(),
        state: match (row.expires, row.archived) {
            (Some(_), _) => PersonState::Invited,
            (None, true) => PersonState::Archived,
            (None, false) => PersonState::Active,
        },
        id: row.id,
        name: row.name,
        email: row.email,
        role: row.role,
        types: row.types,
        last_seen: row.last_seen,
        confirmed: row.confirmed,
        expires: row.expires,
        envelope: row.state.map(EnvelopeState::of),
    };
    Ok(users.into_iter().chain(invitations).map(line).collect())
}

/// Changes a role unless nobody would be administrator afterwards.
pub fn set_role(user: &str, role: Role) -> Statement {
    statement!(
        format!("UPDATE users SET role = ?2 WHERE id = ?1 AND (?2 = 'administrator' OR {NOT_LAST})"),
        user,
        role.as_str()
    )
}

/// Archives unless nobody would be administrator afterwards, or takes back.
pub fn set_archived(user: &str, archived: bool) -> Statement {
    statement!(format!("UPDATE users SET archived = ?2 WHERE id = ?1 AND (?2 = 0 OR {NOT_LAST})"), user, archived)
}

/// Nothing is mailed to who is gone.
pub fn archive_contact(user: &str, archived: bool) -> Statement {
    statement!(
        "UPDATE contacts SET archived = ?2 WHERE id = (SELECT contact_id FROM users WHERE id = ?1)",
        user,
        archived
    )
}

/// He is no administrator, or there is another one who can log in.
const NOT_LAST: &str = "(role <> 'administrator' OR archived = 1 OR EXISTS (SELECT 1 FROM users o WHERE o.id <> ?1
   AND o.role = 'administrator' AND o.archived = 0 AND o.kind = 'person'))";

/// Chooses the record types a user sees; he no longer follows what he can't see.
pub fn set_types(user: &str, types: &[TypeName]) -> Vec<Statement> {
    let names = to_json(types);
    let mut statements = vec![
        statement!("DELETE FROM user_types WHERE user_id = ?1", user),
        statement!(
            "INSERT INTO user_types (user_id, type)
             SELECT ?1, name FROM record_types WHERE name IN (SELECT value FROM json_each(?2))",
            user,
            names.as_str()
        ),
    ];
    if !types.is_empty() {
        statements.push(statement!(
            "DELETE FROM followers WHERE contact_id = (SELECT contact_id FROM users WHERE id = ?1)
               AND (SELECT type FROM records WHERE id = record_id) NOT IN (SELECT value FROM json_each(?2))",
            user,
            names.as_str()
        ));
    }
    statements
}

/// How many of these are record types.
pub async fn count_types(app: &App, types: &[TypeName]) -> Result<usize, StoreError> {
    #[derive(Deserialize)]
    struct Count {
        n: usize,
    }
    let sql = "SELECT COUNT(*) AS n FROM record_types WHERE name IN (SELECT value FROM json_each(?1))";
    Ok(decode_one::<Count>(app.run(statement!(sql, to_json(types))).await?)?.map_or(0, |it| it.n))
}

/// What a link in a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    Invitation,
    Password,
    Address,
}

impl LinkKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Password => "password",
            Self::Address => "address",
        }
    }
}

/// A link that can still be used.
#[derive(Debug, Clone, Deserialize)]
pub struct Link {
    pub id: String,
    pub email: EmailAddress,
    pub user_id: Option<UserId>,
    pub name: String,
    pub role: Option<Role>,
    #[serde(deserialize_with = "json")]
    pub types: Vec<TypeName>,
    pub by_name: String,
    pub language: String,
    pub created: Timestamp,
    pub expires: Timestamp,
}

const LINK: &str =
    "SELECT id, email, user_id, name, role, types, by_name, language, created, expires FROM account_links";

pub async fn link_by_hash(app: &App, kind: LinkKind, hash: &str) -> Result<Option<Link>, StoreError> {
    let sql = format!("{LINK} WHERE hash = ?1 AND kind = ?2 AND expires > ?3");
    decode_one(app.run(statement!(sql, hash, kind.as_str(), app.now())).await?)
}

/// An invitation, also one that is over.
pub async fn invitation(app: &App, id: &str) -> Result<Option<Link>, StoreError> {
    decode_one(app.run(statement!(format!("{LINK} WHERE id = ?1 AND kind = 'invitation'"), id)).await?)
}

/// The open links of a kind for an address, newest first.
pub async fn links_of(app: &App, kind: LinkKind, email: &EmailAddress) -> Result<Vec<Link>, StoreError> {
    let sql = format!("{LINK} WHERE email_key = ?1 AND kind = ?2 ORDER BY created DESC LIMIT 20");
    decode(app.run(statement!(sql, email.key(), kind.as_str())).await?)
}

/// The address of a user that waits to be confirmed.
pub async fn pending_of(app: &App, user: &UserId) -> Result<Vec<Link>, StoreError> {
    let sql = format!(
        "{LINK} WHERE user_id = ?1 AND user_id IS NOT NULL AND kind = 'address' AND expires > ?2 ORDER BY created DESC LIMIT 20"
    );
    decode(app.run(statement!(sql, user.as_str(), app.now())).await?)
}

/// A link to be.
pub struct NewLink<'a> {
    pub id: &'a str,
    pub kind: LinkKind,
    pub hash: &'a str,
    pub email: &'a EmailAddress,
    pub user: Option<&'a UserId>,
    pub name: &'a str,
    pub role: Option<Role>,
    pub types: &'a [TypeName],
    pub by_name: &'a str,
    pub language: &'a str,
    pub email_id: &'a str,
    pub created: Timestamp,
    pub expires: Timestamp,
}

pub fn insert_link(l: &NewLink<'_>) -> Statement {
    statement!(
        "INSERT INTO account_links (id, kind, hash, email, email_key, user_id, name, role, types, by_name, language, email_id,
           created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        l.id,
        l.kind.as_str(),
        l.hash,
        l.email.as_str(),
        l.email.key(),
        l.user.map(UserId::as_str),
        l.name,
        l.role.map(Role::as_str),
        to_json(l.types),
        l.by_name,
        l.language,
        l.email_id,
        l.created,
        l.expires
    )
}

/// Another mail for the same invitation: the link before is void.
pub fn renew_link(id: &str, hash: &str, email_id: &str, expires: Timestamp) -> Statement {
    statement!(
        "UPDATE account_links SET hash = ?2, email_id = ?3, expires = ?4 WHERE id = ?1",
        id,
        hash,
        email_id,
        expires
    )
}

/// Uses a link up, or withdraws it. Of two who try at once one changes a row.
pub fn delete_link(id: &str) -> Statement {
    statement!("DELETE FROM account_links WHERE id = ?1", id)
}

/// Forgets the links of a kind of a user.
pub fn delete_links(user: &UserId, kind: LinkKind) -> Statement {
    statement!(
        "DELETE FROM account_links WHERE user_id = ?1 AND user_id IS NOT NULL AND kind = ?2",
        user.as_str(),
        kind.as_str()
    )
}

/// The mail of a link; belongs to no record.
pub struct LinkMail<'a> {
    pub email: &'a str,
    pub message: &'a str,
    pub delivery: &'a str,
    /// Id the token in the text is made of.
    pub link: &'a str,
    pub sender: &'a mailroom_shared::address::Mailbox,
    pub domain: &'a str,
    pub subject: &'a str,
    pub to_name: &'a str,
    pub to: &'a EmailAddress,
}

pub fn insert_mail(m: &LinkMail<'_>, now: Timestamp) -> [Statement; 3] {
    [
        statement!(
            "INSERT INTO emails (id, message_id, lane, sender, domain, subject, account_link, created)
             VALUES (?1, ?2, 'urgent', ?3, ?4, ?5, ?6, ?7)",
            m.email,
            m.message,
            to_json(m.sender),
            m.domain,
            m.subject,
            m.link,
            now
        ),
        statement!(
            "INSERT INTO deliveries (id, email_id, message_id, contact_id, name, address, address_key, field, lane, state,
               state_at, due, first_due, created)
             VALUES (?1, ?2, ?3, (SELECT u.contact_id FROM users u WHERE u.login_key = ?6), ?4, ?5, ?6, 'to', 'urgent',
               'outgoing', ?7, ?7, ?7, ?7)",
            m.delivery,
            m.email,
            m.message,
            m.to_name,
            m.to.as_str(),
            m.to.key(),
            now
        ),
        statement!("INSERT INTO events (delivery_id, at, kind) VALUES (?1, ?2, 'queued')", m.delivery, now),
    ]
}

/// The user of an address, who can log in.
pub async fn login_of(app: &App, key: &str) -> Result<Option<UserId>, StoreError> {
    #[derive(Deserialize)]
    struct Id {
        id: UserId,
    }
    let sql = "SELECT id FROM users WHERE login_key = ?1 AND archived = 0 AND kind = 'person'";
    Ok(decode_one::<Id>(app.run(statement!(sql, key)).await?)?.map(|it| it.id))
}

/// Whether an address is somebody's login, archived or not.
pub async fn is_taken(app: &App, key: &str) -> Result<bool, StoreError> {
    Ok(!app.run(statement!("SELECT 1 AS n FROM users WHERE login_key = ?1", key)).await?.rows.is_empty())
}

/// Whether a contact is a user who does not see records of a type: what is written there is not for him.
pub async fn is_hidden_from(app: &App, contact: &str, r#type: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n FROM users u WHERE u.contact_id = ?1
      AND EXISTS (SELECT 1 FROM user_types WHERE user_id = u.id)
      AND NOT EXISTS (SELECT 1 FROM user_types WHERE user_id = u.id AND type = ?2)";
    Ok(!app.run(statement!(sql, contact, r#type)).await?.rows.is_empty())
}

/// The same for a record.
pub async fn is_hidden_on(app: &App, contact: &str, record: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 AS n FROM users u JOIN records r ON r.id = ?2 WHERE u.contact_id = ?1
      AND EXISTS (SELECT 1 FROM user_types WHERE user_id = u.id)
      AND NOT EXISTS (SELECT 1 FROM user_types WHERE user_id = u.id AND type = r.type)";
    Ok(!app.run(statement!(sql, contact, record)).await?.rows.is_empty())
}

/// Whether a contact is a user: only he changes his addresses.
pub async fn is_user(app: &App, contact: &str) -> Result<bool, StoreError> {
    Ok(!app.run(statement!("SELECT 1 AS n FROM users WHERE contact_id = ?1", contact)).await?.rows.is_empty())
}

pub fn set_password(user: &UserId, hash: &str) -> Statement {
    statement!(
        "UPDATE users SET password_hash = ?2, failed_logins = 0, locked_until = NULL WHERE id = ?1",
        user.as_str(),
        hash
    )
}

/// A mail to the address was answered.
pub fn confirm(user: &UserId, now: Timestamp) -> Statement {
    statement!("UPDATE users SET confirmed = COALESCE(confirmed, ?2) WHERE id = ?1", user.as_str(), now)
}

/// Development: everybody's address is good.
pub fn confirm_all(now: Timestamp) -> Statement {
    statement!("UPDATE users SET confirmed = COALESCE(confirmed, ?1)", now)
}

/// A mail came from the address of a user: proven to be his, or not.
pub fn wrote(key: &str, is_proven: bool, now: Timestamp) -> Statement {
    let change =
        if is_proven { "confirmed = COALESCE(confirmed, ?2), failed_checks = NULL" } else { "failed_checks = ?2" };
    statement!(format!("UPDATE users SET {change} WHERE login_key = ?1"), key, now)
}

/// The new address of a user takes effect. Breaks when it is somebody's login already.
pub fn change_address(user: &UserId, contact: &str, address: &EmailAddress, now: Timestamp) -> Vec<Statement> {
    vec![
        statement!(
            "UPDATE users SET login_key = ?2, confirmed = ?3, failed_checks = NULL WHERE id = ?1",
            user.as_str(),
            address.key(),
            now
        ),
        statement!(
            "DELETE FROM contact_emails WHERE contact_id = ?1 AND (position = 0 OR key = ?2)",
            contact,
            address.key()
        ),
        super::contacts::insert_email(contact, address, 0),
    ]
}

/// A contact that has become a colleague.
pub fn make_colleague(contact: &str) -> Statement {
    statement!("UPDATE contacts SET internal = 1, archived = 0 WHERE id = ?1", contact)
}

/// The first characters of its id name a session: enough to end it, too little to be it.
const SESSION_NAME: &str = "substr(id, 1, 20)";

#[derive(Deserialize)]
struct SessionDb {
    id: String,
    name: String,
    agent: String,
    created: Timestamp,
    last_seen: Option<Timestamp>,
}

/// The open sessions of a user, the one that asks first.
pub async fn sessions(app: &App, user: &UserId, this: &str) -> Result<Vec<SessionRow>, StoreError> {
    let sql = format!(
        "SELECT id, {SESSION_NAME} AS name, agent, created, last_seen FROM sessions WHERE user_id = ?1 AND expires > ?2
         ORDER BY COALESCE(last_seen, created) DESC LIMIT 100"
    );
    let rows: Vec<SessionDb> = decode(app.run(statement!(sql, user.as_str(), app.now())).await?)?;
    let mut list: Vec<SessionRow> = rows
        .into_iter()
        .map(|it| SessionRow {
            this: it.id == this,
            id: it.name,
            browser: browser(&it.agent),
            created: it.created,
            last_seen: it.last_seen.unwrap_or(it.created),
        })
        .collect();
    list.sort_by_key(|it| !it.this);
    Ok(list)
}

pub fn end_session(user: &UserId, name: &str) -> Statement {
    statement!(format!("DELETE FROM sessions WHERE user_id = ?1 AND {SESSION_NAME} = ?2"), user.as_str(), name)
}

/// Ends the sessions of a user but one; an empty one ends all.
pub fn end_sessions(user: &str, but: &str) -> Statement {
    statement!("DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2", user, but)
}

#[derive(Deserialize)]
struct Around {
    #[serde(deserialize_with = "int_bool")]
    is_alias: bool,
    #[serde(deserialize_with = "json")]
    catchalls: Vec<String>,
    #[serde(deserialize_with = "json")]
    bounces: Vec<String>,
    #[serde(deserialize_with = "int_bool")]
    failed_checks: bool,
}

/// What is known around the address of a user.
pub async fn surroundings(app: &App, user: &UserId, address: &EmailAddress) -> Result<Surroundings, StoreError> {
    let sql = "SELECT
      EXISTS (SELECT 1 FROM aliases WHERE key = ?2) OR EXISTS (SELECT 1 FROM alias_names WHERE key = ?2) AS is_alias,
      (SELECT json_group_array(catchall || '@' || name) FROM domains WHERE catchall <> '') AS catchalls,
      (SELECT json_group_array(bounce || '@' || name) FROM domains WHERE bounce <> '') AS bounces,
      EXISTS (SELECT 1 FROM users WHERE id = ?1 AND failed_checks IS NOT NULL) AS failed_checks";
    let row: Option<Around> = decode_one(app.run(statement!(sql, user.as_str(), address.key())).await?)?;
    Ok(row.map_or_else(Surroundings::default, |it| Surroundings {
        is_alias: it.is_alias,
        catchalls: it.catchalls,
        bounces: it.bounces,
        failed_checks: it.failed_checks,
    }))
}

//! Facts for decisions: contacts with the users they are, and everything an inbound mail has to be held against. One
//! batch of reads; lists travel as JSON, so no statement has more than a few parameters.

mod together;

use std::collections::HashMap;

use mailroom_shared::address::Domain;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::aliases::RuleOutcome;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::api::session::Role;
use mailroom_shared::gateway::facts::AliasFact;
use mailroom_shared::gateway::facts::ContactFact;
use mailroom_shared::gateway::facts::Context;
use mailroom_shared::gateway::facts::DeliveryFact;
use mailroom_shared::gateway::facts::Direction;
use mailroom_shared::gateway::facts::DomainFact;
use mailroom_shared::gateway::facts::EarlierFact;
use mailroom_shared::gateway::facts::Facts;
use mailroom_shared::gateway::facts::MessageFact;
use mailroom_shared::gateway::facts::ReceivedFact;
use mailroom_shared::gateway::facts::RecordFact;
use mailroom_shared::gateway::facts::SuggestionFact;
use mailroom_shared::gateway::facts::Target;
use mailroom_shared::gateway::facts::TypeFact;
use mailroom_shared::gateway::facts::UserFact;
use mailroom_shared::gateway::facts::Volume;
use mailroom_shared::gateway::inquire::Inquiry;
use mailroom_shared::id::AliasId;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;
use mailroom_shared::mail::rfc_id::RfcMessageId;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Answers;
use super::StoreError;
use super::int_bool;
use super::json;
use super::settings;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// Longest loop window a policy may ask for.
const LOOP_WINDOW: Span = Span::days(1);

#[derive(Deserialize)]
pub struct ContactRow {
    id: ContactId,
    name: String,
    #[serde(deserialize_with = "json")]
    emails: Vec<EmailAddress>,
    #[serde(deserialize_with = "int_bool")]
    archived: bool,
    user_id: Option<UserId>,
    role: Option<Role>,
    notify_by: Option<NotifyBy>,
    language: Option<String>,
    #[serde(deserialize_with = "int_bool")]
    user_archived: bool,
    #[serde(deserialize_with = "int_bool")]
    is_alias: bool,
    #[serde(deserialize_with = "int_bool")]
    suppressed: bool,
}

impl From<ContactRow> for ContactFact {
    fn from(row: ContactRow) -> Self {
        Self {
            user: row.user_id.zip(row.role).zip(row.notify_by).map(|((id, role), notify_by)| UserFact {
                id,
                role,
                notify_by,
                archived: row.user_archived,
            }),
            id: row.id,
            name: row.name,
            emails: row.emails,
            archived: row.archived,
            is_alias: row.is_alias,
            suppressed: row.suppressed,
            language: row.language,
        }
    }
}

/// Contacts with the users they are; `condition` is about `c`. `emails` is made text: as JSON it would nest in [`together`].
pub fn contacts_where(condition: &str) -> String {
    format!(
        "SELECT c.id, c.name, c.archived,
         (SELECT json_group_array(address) FROM (SELECT address FROM contact_emails WHERE contact_id = c.id ORDER BY position))
           || '' AS emails,
         u.id AS user_id, u.role, u.notify_by, u.language, COALESCE(u.archived, 0) AS user_archived,
         EXISTS (SELECT 1 FROM contact_emails e JOIN aliases a ON a.key = e.key WHERE e.contact_id = c.id)
           OR EXISTS (SELECT 1 FROM contact_emails e JOIN alias_names n ON n.key = e.key WHERE e.contact_id = c.id) AS is_alias,
         EXISTS (SELECT 1 FROM contact_emails e JOIN suppressions s ON s.address_key = e.key
           WHERE e.contact_id = c.id AND e.position = 0 AND s.scope = 'all') AS suppressed
         FROM contacts c LEFT JOIN users u ON u.contact_id = c.id WHERE {condition}"
    )
}

/// What an inquiry is about, found once for all questions that refer to it: `?1` our message ids, `?2` Message-IDs, `?3`
/// alias keys, `?4` local parts, each JSON; `?5` the Message-ID of the mail. `OR` instead of `UNION` where it can be: D1 takes five terms in a compound
/// select, and each of these uses an index of its own.
const ASKED: &str = "asked_messages AS MATERIALIZED (
   SELECT id, record_id, author_id FROM messages WHERE id IN (SELECT value FROM json_each(?1))
     OR rfc_id IN (SELECT value FROM json_each(?2))
     OR id IN (SELECT message_id FROM deliveries WHERE provider_id IN (SELECT value FROM json_each(?2)))
     OR id IN (SELECT message_id FROM awaited_ids WHERE rfc_id = ?5)),
 asked_aliases AS MATERIALIZED (
   SELECT id, record_id, parent_record_id, owner_id FROM aliases WHERE key IN (SELECT value FROM json_each(?3))
     OR id IN (SELECT alias_id FROM alias_names WHERE key IN (SELECT value FROM json_each(?3)))
     OR (any_domain = 1 AND substr(key, 1, instr(key, '@') - 1) IN (SELECT value FROM json_each(?4)))),
 asked_records AS MATERIALIZED (
   SELECT record_id AS id FROM asked_messages UNION SELECT record_id FROM asked_aliases
     UNION SELECT parent_record_id FROM asked_aliases),
 asked_people AS MATERIALIZED (
   SELECT contact_id AS id FROM followers WHERE record_id IN (SELECT id FROM asked_records)
     UNION SELECT customer_id FROM records WHERE id IN (SELECT id FROM asked_records)
     UNION SELECT u.contact_id FROM records r JOIN users u ON u.id = r.responsible_id
       WHERE r.id IN (SELECT id FROM asked_records)
     UNION SELECT author_id FROM asked_messages
     UNION SELECT contact_id FROM users WHERE id IN (SELECT owner_id FROM asked_aliases))";

/// Since when mail of a sender (`?1`) counts for loop protection: a person may have released him.
const COUNTED: &str = "(SELECT COALESCE(MAX(released), 0) FROM paused_senders WHERE address_key = ?1)";

fn asked(inquiry: &Inquiry) -> Statement {
    statement!(
        ASKED,
        to_json(&inquiry.reply_ids),
        to_json(&inquiry.references),
        to_json(&inquiry.alias_keys),
        to_json(&inquiry.alias_names),
        inquiry.message_id.as_ref().map_or("", RfcMessageId::as_str)
    )
}

#[derive(Deserialize)]
struct TypeRow {
    name: TypeName,
    #[serde(deserialize_with = "int_bool")]
    receives_mail: bool,
    #[serde(deserialize_with = "int_bool")]
    flat: bool,
}

#[derive(Deserialize)]
struct AliasRow {
    id: AliasId,
    address: EmailAddress,
    creates: Option<TypeName>,
    record_id: Option<RecordId>,
    parent_record_id: Option<RecordId>,
    #[serde(deserialize_with = "json")]
    defaults: serde_json::Map<String, serde_json::Value>,
    contact_rule: ContactRule,
    #[serde(deserialize_with = "json")]
    listed: Vec<String>,
    outcome: RuleOutcome,
    refusal_text: Option<String>,
    #[serde(deserialize_with = "int_bool")]
    any_domain: bool,
    state: AliasState,
    owner_contact: Option<ContactId>,
    #[serde(deserialize_with = "json")]
    also: Vec<EmailAddress>,
    #[serde(deserialize_with = "json")]
    former: Vec<EmailAddress>,
}

#[derive(Deserialize)]
struct MessageRow {
    id: MessageId,
    rfc_id: Option<RfcMessageId>,
    record_id: Option<RecordId>,
    kind: MessageKind,
    #[serde(deserialize_with = "int_bool")]
    internal: bool,
    #[serde(deserialize_with = "int_bool")]
    incoming: bool,
    automatic: Option<String>,
    author_id: Option<ContactId>,
    at: Timestamp,
    #[serde(deserialize_with = "int_bool")]
    is_early: bool,
}

#[derive(Deserialize)]
struct RecordRow {
    id: RecordId,
    r#type: TypeName,
    title: String,
    email: Option<EmailAddress>,
    customer_id: Option<ContactId>,
    responsible_contact: Option<ContactId>,
    #[serde(deserialize_with = "int_bool")]
    deleted: bool,
    last_message: Option<MessageId>,
}

#[derive(Deserialize)]
struct FollowerRow {
    record_id: RecordId,
    contact_id: ContactId,
    #[serde(flatten)]
    wants: super::records::Wants,
}

#[derive(Deserialize)]
struct ParticipantRow {
    record_id: RecordId,
    address_key: String,
}

#[derive(Deserialize)]
struct EarlierRow {
    #[serde(deserialize_with = "int_bool")]
    incoming: bool,
    recipient_key: Option<String>,
    sha256: Option<String>,
    content_sha256: Option<String>,
    message_id: Option<MessageId>,
    record_id: Option<RecordId>,
}

#[derive(Deserialize)]
struct DeliveryRow {
    id: String,
    message_id: MessageId,
    rfc_id: Option<RfcMessageId>,
    record_id: Option<RecordId>,
    address: EmailAddress,
    state: DeliveryState,
}

#[derive(Deserialize)]
struct ReceivedRow {
    alias_key: Option<String>,
    record_id: Option<RecordId>,
    r#type: Option<TypeName>,
    received: Timestamp,
}

#[derive(Deserialize)]
struct AtRow {
    at: Timestamp,
}

#[derive(Deserialize)]
struct VolumeRow {
    alias: u32,
    domain: u32,
}

#[derive(Deserialize)]
struct PausedRow {
    #[serde(deserialize_with = "int_bool")]
    paused: bool,
}

#[derive(Deserialize)]
struct SuggestionRow {
    id: RecordId,
    title: String,
    #[serde(deserialize_with = "int_bool")]
    answered: bool,
}

/// Policy, domains and types.
fn context_statements() -> Vec<Statement> {
    vec![
        settings::get(settings::POLICY),
        settings::list_domains(),
        statement!("SELECT name, receives_mail, flat FROM record_types"),
    ]
}

fn read_context(answers: &mut Answers, secret: &str) -> Result<Context, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        name: Domain,
        catchall: String,
        bounce: String,
        default_from: String,
    }
    let policy = settings::policy(answers)?;
    let domains: Vec<Row> = answers.rows()?;
    let types: Vec<TypeRow> = answers.rows()?;
    Ok(Context {
        policy,
        domains: domains
            .into_iter()
            .map(|it| DomainFact {
                name: it.name,
                catchall: it.catchall,
                bounce: it.bounce,
                default_from: it.default_from,
            })
            .collect(),
        types: types
            .into_iter()
            .map(|it| TypeFact {
                name: it.name,
                receives_mail: it.receives_mail,
                flat: it.flat,
                main_email: true,
                title: true,
            })
            .collect(),
        secret: secret.to_owned(),
    })
}

fn statements(inquiry: &Inquiry, now: Timestamp, except: Option<&str>) -> Vec<Statement> {
    let addresses = to_json(&inquiry.addresses);
    let sender = inquiry.sender.clone().unwrap_or_default();
    let window = now - LOOP_WINDOW;
    vec![
        statement!(
            "SELECT a.id, a.address, a.creates, a.record_id, a.parent_record_id, a.defaults, a.contact_rule, a.listed, a.outcome,
             a.refusal_text, a.any_domain, a.state, u.contact_id AS owner_contact,
             (SELECT json_group_array(address) FROM alias_names n WHERE n.alias_id = a.id AND n.kind = 'also') || '' AS also,
             (SELECT json_group_array(address) FROM alias_names n WHERE n.alias_id = a.id AND n.kind = 'former') || '' AS former
             FROM aliases a LEFT JOIN users u ON u.id = a.owner_id WHERE a.id IN (SELECT id FROM asked_aliases)"
        ),
        statement!(
            "SELECT id, rfc_id, record_id, kind, internal, incoming, automatic, author_id, at,
             held IS NULL AND EXISTS (SELECT 1 FROM awaited_ids a WHERE a.rfc_id = ?1 AND a.message_id = messages.id) AS is_early
             FROM messages WHERE id IN (SELECT id FROM asked_messages)",
            inquiry.message_id.as_ref().map_or("", RfcMessageId::as_str)
        ),
        statement!(
            "SELECT r.id, r.type, r.title, r.email, r.customer_id, u.contact_id AS responsible_contact, r.deleted,
             COALESCE((SELECT id FROM messages WHERE record_id = r.id AND kind IN ('comment', 'email') AND internal = 0
                 ORDER BY at DESC, id DESC LIMIT 1),
               (SELECT id FROM messages WHERE record_id = r.id ORDER BY at DESC, id DESC LIMIT 1)) AS last_message
             FROM records r LEFT JOIN users u ON u.id = r.responsible_id WHERE r.id IN (SELECT id FROM asked_records)"
        ),
        statement!("SELECT record_id, contact_id, messages, notes, stages FROM followers WHERE record_id IN (SELECT id FROM asked_records)"),
        statement!(
            "SELECT record_id, address_key FROM participants WHERE record_id IN (SELECT id FROM asked_records)
             AND (address_key = ?1 OR address_key IN (SELECT key FROM contact_emails WHERE contact_id IN
               (SELECT contact_id FROM contact_emails WHERE key = ?1)))",
            &sender
        ),
        statement!(
            contacts_where(
                "c.id IN (SELECT contact_id FROM contact_emails WHERE key IN (SELECT value FROM json_each(?1))
                   UNION SELECT id FROM asked_people)"
            ),
            &addresses
        ),
        statement!(
            "SELECT 1 AS incoming, recipient_key, sha256, content_sha256, message_id, record_id FROM ingests
               WHERE rfc_id = ?1 AND (?3 IS NULL OR id < ?3)
             UNION ALL SELECT 1, recipient_key, sha256, content_sha256, message_id, record_id FROM ingests
               WHERE sha256 = ?2 AND (?1 IS NULL OR rfc_id IS NOT ?1) AND (?3 IS NULL OR id < ?3)
             UNION ALL SELECT 0, NULL, NULL, NULL, id, record_id FROM messages
               WHERE rfc_id = ?1 AND rfc_id IS NOT NULL AND incoming = 0 LIMIT 100",
            inquiry.message_id.as_ref().map(RfcMessageId::as_str),
            &inquiry.sha256,
            except
        ),
        statement!(
            "SELECT d.id, d.message_id, m.rfc_id, d.record_id, d.address, d.state FROM deliveries d
             JOIN messages m ON m.id = d.message_id
             WHERE d.id IN (SELECT value FROM json_each(?1)) OR d.message_id IN
               (SELECT id FROM messages WHERE rfc_id IN (SELECT value FROM json_each(?2)) AND rfc_id IS NOT NULL)
             LIMIT 500",
            to_json(&inquiry.bounce_ids),
            to_json(&inquiry.reported)
        ),
        statement!(
            format!(
                "SELECT alias_key, record_id, type, received FROM ingests WHERE sender_key = ?1
                 AND received > MAX(?2, {COUNTED}) AND id IS NOT ?3 ORDER BY received DESC LIMIT 1000"
            ),
            &sender,
            window,
            except
        ),
        statement!(
            format!(
                "SELECT at FROM refusals WHERE sender_key = ?1 AND sender_key IS NOT NULL AND reason = 'loop'
                 AND at > MAX(?2, {COUNTED}) LIMIT 100"
            ),
            &sender,
            window
        ),
        volume(&sender, now, except),
        statement!(
            "SELECT EXISTS (SELECT 1 FROM paused_senders WHERE address_key = ?1 AND released IS NULL
               AND (until IS NULL OR until > ?2)) AS paused",
            &sender,
            now
        ),
        statement!(
            "SELECT r.id, r.title,
             EXISTS (SELECT 1 FROM deliveries d WHERE d.address_key = ?1 AND d.record_id = r.id) AS answered
             FROM participants p JOIN records r ON r.id = p.record_id WHERE p.address_key = ?1 AND r.deleted = 0
             ORDER BY r.last_at DESC LIMIT 20",
            &sender
        ),
    ]
}

/// Mails of everybody to the asked aliases and from the sender's domain within the policy's window. Counts nothing that
/// the policy does not limit.
fn volume(sender: &str, now: Timestamp, except: Option<&str>) -> Statement {
    let domain = sender.rsplit_once('@').map_or("", |(_, it)| it);
    statement!(
        "SELECT (SELECT COUNT(*) FROM ingests WHERE json_extract(value, '$.loop.per_alias') > 0
           AND received > ?2 - 60000 * json_extract(value, '$.loop.minutes') AND (?3 IS NULL OR id < ?3) AND alias_key IN
           (SELECT key FROM aliases WHERE id IN (SELECT id FROM asked_aliases)
            UNION SELECT key FROM alias_names WHERE alias_id IN (SELECT id FROM asked_aliases))) AS alias,
         (SELECT COUNT(*) FROM ingests WHERE json_extract(value, '$.loop.per_domain') > 0 AND sender_domain = ?1
           AND received > ?2 - 60000 * json_extract(value, '$.loop.minutes') AND (?3 IS NULL OR id < ?3)) AS domain
         FROM settings WHERE key = 'policy'",
        domain,
        now,
        except
    )
}

/// The statements of [`load`] as they travel, for the test that reads their plans.
#[cfg(test)]
pub(crate) fn travelling(inquiry: &Inquiry, now: Timestamp) -> Vec<Statement> {
    let mut all = context_statements();
    all.extend(statements(inquiry, now, Some("i")));
    together::join(&asked(inquiry), all).0
}

/// Answers an inquiry: one round trip. `except` is the hand-over that asks: only older ones are
/// earlier than it, or two hand-overs of one mail would each take the other for the first and both be dropped.
pub async fn load(app: &App, inquiry: &Inquiry, except: Option<&str>) -> Result<(Context, Facts), StoreError> {
    let mut all = context_statements();
    all.extend(statements(inquiry, app.now(), except));
    let mut answers = together::run(app, &asked(inquiry), all).await?;
    let context = read_context(&mut answers, &app.config.token_secret)?;
    Ok((context, read(&mut answers)?))
}

fn read(answers: &mut Answers) -> Result<Facts, StoreError> {
    let aliases: Vec<AliasRow> = answers.rows()?;
    let messages: Vec<MessageRow> = answers.rows()?;
    let records: Vec<RecordRow> = answers.rows()?;
    let followers: Vec<FollowerRow> = answers.rows()?;
    let participants: Vec<ParticipantRow> = answers.rows()?;
    let contacts: Vec<ContactFact> = answers.rows::<ContactRow>()?.into_iter().map(Into::into).collect();
    let earlier: Vec<EarlierRow> = answers.rows()?;
    let deliveries: Vec<DeliveryRow> = answers.rows()?;
    let received: Vec<ReceivedRow> = answers.rows()?;
    let loop_refusals: Vec<AtRow> = answers.rows()?;
    let volume =
        answers.one::<VolumeRow>()?.map_or_else(Volume::default, |it| Volume { alias: it.alias, domain: it.domain });
    let paused = answers.one::<PausedRow>()?.is_some_and(|it| it.paused);
    let suggestions: Vec<SuggestionRow> = answers.rows()?;
    let by_id: HashMap<&str, &ContactFact> = contacts.iter().map(|it| (it.id.as_str(), it)).collect();
    let contact = |id: Option<&ContactId>| id.and_then(|it| by_id.get(it.as_str())).map(|it| (*it).clone());
    Ok(Facts {
        aliases: aliases
            .into_iter()
            .filter_map(|it| {
                let target = match (it.creates, it.record_id) {
                    (Some(r#type), _) => Target::New { r#type, defaults: it.defaults },
                    (None, Some(record)) => Target::Record(record),
                    // The schema's CHECK rules this out.
                    (None, None) => return None,
                };
                Some(AliasFact {
                    owner: contact(it.owner_contact.as_ref()),
                    id: it.id,
                    address: it.address,
                    also: it.also,
                    former: it.former,
                    target,
                    parent: it.parent_record_id,
                    contact_rule: it.contact_rule,
                    listed: it.listed,
                    outcome: it.outcome,
                    refusal_text: it.refusal_text,
                    any_domain: it.any_domain,
                    state: it.state,
                })
            })
            .collect(),
        messages: messages
            .into_iter()
            .map(|it| MessageFact {
                author: contact(it.author_id.as_ref()),
                automated: it.automatic.is_some() || it.kind == MessageKind::Notification,
                direction: if it.incoming { Direction::In } else { Direction::Out },
                id: it.id,
                message_id: it.rfc_id,
                record: it.record_id,
                kind: it.kind,
                internal: it.internal,
                date: Some(it.at),
                is_early: it.is_early,
            })
            .collect(),
        records: records
            .into_iter()
            .map(|it| RecordFact {
                customer: contact(it.customer_id.as_ref()),
                responsible: contact(it.responsible_contact.as_ref()),
                followers: followers
                    .iter()
                    .filter(|f| f.record_id == it.id)
                    .filter_map(|f| contact(Some(&f.contact_id)))
                    .collect(),
                wants: followers
                    .iter()
                    .filter(|f| f.record_id == it.id)
                    .map(|f| (f.contact_id.clone(), f.wants.into()))
                    .collect(),
                participants: participants
                    .iter()
                    .filter(|p| p.record_id == it.id)
                    .map(|p| p.address_key.clone())
                    .collect(),
                id: it.id,
                r#type: it.r#type,
                title: it.title,
                email: it.email,
                deleted: it.deleted,
                last_message: it.last_message,
            })
            .collect(),
        earlier: earlier
            .into_iter()
            .map(|it| EarlierFact {
                direction: if it.incoming { Direction::In } else { Direction::Out },
                recipients: it.recipient_key.into_iter().collect(),
                sha256: it.sha256,
                content_sha256: it.content_sha256,
                message: it.message_id,
                record: it.record_id,
            })
            .collect(),
        deliveries: deliveries
            .into_iter()
            .map(|it| DeliveryFact {
                id: it.id,
                message: it.message_id,
                message_id: it.rfc_id,
                record: it.record_id,
                recipient: it.address,
                state: Some(it.state),
            })
            .collect(),
        received: received
            .into_iter()
            .map(|it| ReceivedFact { alias: it.alias_key, record: it.record_id, r#type: it.r#type, at: it.received })
            .collect(),
        volume,
        loop_refusals: loop_refusals.into_iter().map(|it| it.at).collect(),
        paused,
        suggestions: suggestions
            .into_iter()
            .map(|it| SuggestionFact { record: it.id, title: it.title, answered: it.answered })
            .collect(),
        contacts,
    })
}

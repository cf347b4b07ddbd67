//! Campaigns: what they say, who gets them, what became of each.

pub mod audience;
pub mod hits;
pub mod ledger;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::campaigns::Audience;
use mailroom_shared::api::campaigns::CampaignSettings;
use mailroom_shared::campaign::content::Content;
use mailroom_shared::campaign::state::CampaignState;
use mailroom_shared::id::CampaignId;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::int_bool;
use super::json;
use super::opt_json;
use super::to_json;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// The record that messages of campaigns hang on; no list shows it.
pub const RECORD: &str = "campaigns";

#[derive(Debug, Clone, Deserialize)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    pub subject: String,
    pub preheader: String,
    #[serde(deserialize_with = "opt_json")]
    pub sender: Option<Mailbox>,
    pub reply_to: Option<EmailAddress>,
    pub language: String,
    #[serde(deserialize_with = "json")]
    pub audience: Audience,
    #[serde(deserialize_with = "json")]
    pub content: Content,
    #[serde(deserialize_with = "int_bool")]
    pub track: bool,
    pub state: CampaignState,
    pub by_name: String,
    pub created: Timestamp,
    pub scheduled: Option<Timestamp>,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    #[serde(deserialize_with = "int_bool")]
    pub is_listed: bool,
    #[serde(deserialize_with = "int_bool")]
    pub is_expanded: bool,
    pub recipients: u32,
}

impl Campaign {
    pub fn settings(&self) -> CampaignSettings {
        CampaignSettings {
            name: self.name.clone(),
            subject: self.subject.clone(),
            preheader: self.preheader.clone(),
            from: self.sender.clone(),
            reply_to: self.reply_to.clone(),
            language: self.language.clone(),
            audience: self.audience.clone(),
            content: self.content.clone(),
            track: self.track,
        }
    }
}

const COLUMNS: &str =
    "id, name, subject, preheader, sender, reply_to, language, audience, content, track, state, by_name, created,
  scheduled, started, ended, is_listed, is_expanded, recipients";

/// Campaigns shown at most: those in the queue, and the newest others.
const MOST: u32 = 300;

pub fn get(id: &str) -> Statement {
    statement!(format!("SELECT {COLUMNS} FROM campaigns WHERE id = ?1"), id)
}

pub async fn read(app: &App, id: &str) -> Result<Option<Campaign>, StoreError> {
    super::decode_one(app.run(get(id)).await?)
}

/// The newest, without their content.
pub fn list() -> Statement {
    let columns = COLUMNS.replace(" content,", " '{}' AS content,");
    statement!(
        format!("SELECT {columns} FROM campaigns INDEXED BY campaigns_by_time ORDER BY created DESC, id DESC LIMIT ?1"),
        MOST
    )
}

/// Those that move or may.
pub fn active() -> Statement {
    let columns = COLUMNS.replace(" content,", " '{}' AS content,");
    statement!(format!(
        "SELECT {columns} FROM campaigns INDEXED BY campaigns_by_state WHERE state IN ('queued', 'sending', 'paused')
         ORDER BY created, id"
    ))
}

#[derive(Debug, Deserialize)]
pub struct Count {
    pub n: u32,
}

/// Stopped lately, to look after what had not left.
pub fn stopped_since(since: Timestamp) -> Statement {
    statement!(
        "SELECT id, by_name FROM campaigns INDEXED BY campaigns_by_state WHERE state = 'stopped' AND ended > ?1",
        since
    )
}

pub fn create(id: &str, settings: &CampaignSettings, by: &str, now: Timestamp) -> [Statement; 2] {
    [
        statement!(
            "INSERT INTO campaigns (id, name, by_name, created) VALUES (?1, ?2, ?3, ?4)",
            id,
            settings.name.as_str(),
            by,
            now
        ),
        change(id, settings),
    ]
}

/// Only a draft is written.
pub fn change(id: &str, it: &CampaignSettings) -> Statement {
    statement!(
        "UPDATE campaigns SET name = ?2, subject = ?3, preheader = ?4, sender = ?5, reply_to = ?6, language = ?7, audience = ?8,
           content = ?9, track = ?10 WHERE id = ?1 AND state = 'draft'",
        id,
        it.name.as_str(),
        it.subject.as_str(),
        it.preheader.as_str(),
        it.from.as_ref().map(to_json),
        it.reply_to.as_ref().map(|it| it.as_str()),
        it.language.as_str(),
        to_json(&it.audience),
        to_json(&it.content),
        it.track
    )
}

pub fn delete(id: &str) -> Statement {
    statement!("DELETE FROM campaigns WHERE id = ?1 AND state = 'draft'", id)
}

/// From one state to another; nothing changes when somebody was quicker.
pub fn step(
    id: &str,
    from: CampaignState,
    to: CampaignState,
    scheduled: Option<Timestamp>,
    now: Timestamp,
) -> Statement {
    statement!(
        "UPDATE campaigns SET state = ?3, scheduled = CASE ?3 WHEN 'queued' THEN ?4 WHEN 'draft' THEN NULL ELSE scheduled END,
           started = CASE ?3 WHEN 'sending' THEN COALESCE(started, ?5) ELSE started END,
           ended = CASE WHEN ?3 IN ('sent', 'stopped') THEN ?5 ELSE NULL END WHERE id = ?1 AND state = ?2",
        id,
        from.as_str(),
        to.as_str(),
        scheduled,
        now
    )
}

/// The message and the email that the deliveries of a campaign belong to, written by whoever needs them first.
pub fn email(it: &Campaign, sender: &Mailbox, domain: &str, now: Timestamp) -> [Statement; 2] {
    let id = it.id.as_str();
    [
        message(it, sender, now),
        statement!(
            "INSERT OR IGNORE INTO emails (id, message_id, lane, sender, domain, subject, created, campaign_id)
             VALUES (?1, ?1, 'bulk', ?2, ?3, ?4, ?5, ?1)",
            id,
            to_json(sender),
            domain,
            it.subject.as_str(),
            now
        ),
    ]
}

fn message(it: &Campaign, sender: &Mailbox, now: Timestamp) -> Statement {
    statement!(
        "INSERT INTO messages (id, record_id, kind, author_name, author_email, subject, at) VALUES (?1, ?2, 'email', ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET author_name = excluded.author_name, author_email = excluded.author_email,
           subject = excluded.subject",
        it.id.as_str(),
        RECORD,
        it.by_name.as_str(),
        sender.address.as_str(),
        it.subject.as_str(),
        now
    )
}

/// A test to look at: an email of its own, urgent, that no ledger counts.
pub struct Test<'a> {
    pub email: &'a str,
    pub delivery: &'a str,
    pub to: &'a EmailAddress,
    /// Whom the mail takes its reader for.
    pub name: &'a str,
}

pub fn test(it: &Campaign, sender: &Mailbox, domain: &str, test: &Test<'_>, now: Timestamp) -> [Statement; 4] {
    [
        message(it, sender, now),
        statement!(
            "INSERT INTO emails (id, message_id, lane, sender, domain, subject, created, campaign_id)
             VALUES (?1, ?2, 'urgent', ?3, ?4, ?5, ?6, ?2)",
            test.email,
            it.id.as_str(),
            to_json(sender),
            domain,
            it.subject.as_str(),
            now
        ),
        statement!(
            "INSERT INTO deliveries (id, email_id, message_id, name, address, address_key, field, lane, state, state_at, due,
               first_due, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'to', 'urgent', 'outgoing', ?7, ?7, ?7, ?7)",
            test.delivery,
            test.email,
            it.id.as_str(),
            test.name,
            test.to.as_str(),
            test.to.key(),
            now
        ),
        statement!("INSERT INTO events (delivery_id, at, kind) VALUES (?1, ?2, 'queued')", test.delivery, now),
    ]
}

/// Campaigns of a claim, with their content.
pub fn of_claim(claim: &str) -> Statement {
    statement!(
        format!(
            "SELECT {COLUMNS} FROM campaigns WHERE id IN (SELECT e.campaign_id FROM deliveries d JOIN emails e ON e.id = d.email_id
               WHERE d.claim = ?1 AND d.claim IS NOT NULL AND e.campaign_id IS NOT NULL)"
        ),
        claim
    )
}

/// A recipient of a claim.
#[derive(Debug, Clone, Deserialize)]
pub struct Person {
    pub delivery: String,
    pub n: u32,
    pub name: String,
    pub address: String,
    #[serde(deserialize_with = "json")]
    pub fields: std::collections::BTreeMap<String, String>,
    /// Unsubscribed or was suppressed meanwhile, or left every list that the campaign goes to.
    #[serde(deserialize_with = "int_bool")]
    pub is_out: bool,
}

/// Recipients of a claim. Opting out wins until the last moment, so it is asked here.
pub fn people_of_claim(claim: &str, now: Timestamp) -> Statement {
    statement!(
        "SELECT d.id AS delivery, r.n, r.name, r.address, r.fields,
           (EXISTS (SELECT 1 FROM suppressions s WHERE s.address_key = d.address_key AND (s.expires IS NULL OR s.expires > ?2))
            OR (k.audience ->> 'contacts' IS NULL
              AND EXISTS (SELECT 1 FROM json_each(k.audience, '$.lists') l JOIN mailing_list_members m
                ON m.list_id = l.value AND m.address_key = r.address_key AND m.opted_out IS NOT NULL)
              AND NOT EXISTS (SELECT 1 FROM json_each(k.audience, '$.lists') l JOIN mailing_list_members m
                ON m.list_id = l.value AND m.address_key = r.address_key AND m.opted_out IS NULL))) AS is_out
         FROM deliveries d JOIN campaigns k ON k.id = d.email_id
         JOIN campaign_recipients r ON r.n = CAST(substr(d.id, 17) AS INTEGER)
         WHERE d.claim = ?1 AND d.claim IS NOT NULL AND d.lane = 'bulk'",
        claim,
        now
    )
}

/// Recipients whose mail was held back at the last moment.
pub fn leave_out(deliveries: &[&str]) -> Statement {
    statement!(
        "UPDATE campaign_recipients SET left_out = 'meanwhile'
         WHERE n IN (SELECT CAST(substr(value, 17) AS INTEGER) FROM json_each(?1))",
        to_json(deliveries)
    )
}

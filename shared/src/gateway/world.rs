//! A small world as JSON, for scenario files and the routing dry run: what a store would answer, written by hand.
//!
//! Only `envelope` is needed. What the world leaves out follows from the rest: domains from the aliases and the
//! envelope, types from aliases and records. Ids of deliveries are made from `message/address`, short enough for a local part.

use serde_json::Map;
use serde_json::Value;

use crate::address::Domain;
use crate::address::EmailAddress;
use crate::api::aliases::AliasState;
use crate::api::aliases::ContactRule;
use crate::api::aliases::RuleOutcome;
use crate::api::messages::MessageKind;
use crate::api::session::NotifyBy;
use crate::api::session::Role;
use crate::id::AliasId;
use crate::id::TypeName;
use crate::mail::inbound::Envelope;
use crate::mail::parse;
use crate::mail::rfc_id::RfcMessageId;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::token;

use super::answer::Answer;
use super::arrival::Arrival;
use super::decide::decide;
use super::facts::AliasFact;
use super::facts::ContactFact;
use super::facts::Context;
use super::facts::DeliveryFact;
use super::facts::Direction;
use super::facts::DomainFact;
use super::facts::EarlierFact;
use super::facts::Facts;
use super::facts::MessageFact;
use super::facts::ReceivedFact;
use super::facts::RecordFact;
use super::facts::SuggestionFact;
use super::facts::Target;
use super::facts::TypeFact;
use super::facts::UserFact;
use super::inquire::Inquiry;
use super::inquire::inquire;

/// What is wrong with a world, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidWorld {
    /// For example `aliases[0].target.new`.
    pub field: String,
    pub problem: String,
}

type Result<T> = core::result::Result<T, InvalidWorld>;

/// A world with one mail on its way.
#[derive(Debug, Clone)]
pub struct World {
    pub now: Timestamp,
    pub receiving_host: String,
    pub context: Context,
    envelope: (Option<String>, String),
    aliases: Vec<AliasFact>,
    contacts: Vec<ContactFact>,
    records: Vec<WorldRecord>,
    received: Vec<(String, ReceivedFact)>,
    paused: Vec<String>,
}

#[derive(Debug, Clone)]
struct WorldRecord {
    fact: RecordFact,
    messages: Vec<WorldMessage>,
}

#[derive(Debug, Clone)]
struct WorldMessage {
    fact: MessageFact,
    recipients: Vec<EmailAddress>,
    from: Option<EmailAddress>,
    raw_sha256: Option<String>,
}

impl World {
    /// Reads a world from JSON text.
    ///
    /// # Errors
    /// [`InvalidWorld`] names the field.
    pub fn parse(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text)
            .map_err(|it| InvalidWorld { field: "(the file)".to_owned(), problem: it.to_string() })?;
        Self::read(&value)
    }

    /// Reads a world.
    ///
    /// # Errors
    /// [`InvalidWorld`] names the field.
    pub fn read(value: &Value) -> Result<Self> {
        let world = Field { path: String::new(), value };
        world.object()?;
        let envelope = world.get("envelope").ok_or_else(|| world.error_at("envelope", "is missing"))?;
        envelope.object()?;
        let rcpt_to = envelope.get("rcpt_to").ok_or_else(|| envelope.error_at("rcpt_to", "is missing"))?.text()?;
        let mail_from = envelope.get("mail_from").map(|it| it.text()).transpose()?;
        let secret = world.get("secret").map(|it| it.text()).transpose()?.unwrap_or_default();
        let policy = match world.get("policy") {
            Some(it) => serde_json::from_value::<Policy>(it.value.clone()).map_err(|e| it.error(e.to_string()))?,
            None => Policy::default(),
        };
        let suppressed = world.list("suppressed")?.iter().map(address_of).collect::<Result<Vec<_>>>()?;
        let domains = world.list("domains")?.iter().map(read_domain).collect::<Result<Vec<_>>>()?;
        let mut contacts = world.list("contacts")?.iter().map(read_contact).collect::<Result<Vec<_>>>()?;
        for contact in &mut contacts {
            contact.suppressed = contact.emails.first().is_some_and(|it| suppressed.contains(&it.key()));
        }
        for user in world.list("users")? {
            read_user(&user, &mut contacts)?;
        }
        let mut aliases = Vec::new();
        for (i, field) in world.list("aliases")?.iter().enumerate() {
            // An alias without a domain exists, but never matches (RT-25).
            if field.need("address")?.text()?.contains('@') {
                aliases.push(read_alias(i, field, &contacts)?);
            }
        }
        let domains = if world.get("domains").is_some() { domains } else { domains_of(&aliases, &rcpt_to) };
        for contact in &mut contacts {
            contact.is_alias = contact.emails.iter().any(|it| is_ours(&aliases, &domains, it));
        }
        let records = world.list("records")?.iter().map(|it| read_record(it, &contacts)).collect::<Result<Vec<_>>>()?;
        let types = read_types(&world, &aliases, &records, &policy)?;
        let received =
            world.list("received")?.iter().map(|it| read_received(it, &records)).collect::<Result<Vec<_>>>()?;
        let paused = world.list("paused")?.iter().map(address_of).collect::<Result<Vec<_>>>()?;
        let times = records.iter().flat_map(|it| it.messages.iter().filter_map(|m| m.fact.date));
        let latest = times.chain(received.iter().map(|(_, it)| it.at)).max();
        let now = world.get("now").map(|it| it.time()).transpose()?.or(latest).unwrap_or(Timestamp::from_millis(0));
        let receiving_host = world.get("receiving_host").map(|it| it.text()).transpose()?;
        let world = Self {
            now,
            receiving_host: receiving_host.unwrap_or_else(|| "mx.cloudflare.net".to_owned()),
            context: Context { policy, domains, types, secret },
            envelope: (mail_from, rcpt_to),
            aliases,
            contacts,
            records,
            received,
            paused,
        };
        world.envelope().map(|_| world)
    }

    /// The envelope with its placeholders replaced.
    ///
    /// # Errors
    /// An address that is none.
    pub fn envelope(&self) -> Result<Envelope> {
        let fill = |text: &str| String::from_utf8_lossy(&self.fill(text.as_bytes())).into_owned();
        let read = |field: &str, text: &str| {
            EmailAddress::parse(text)
                .map_err(|it| InvalidWorld { field: field.to_owned(), problem: format!("{text:?}: {it}") })
        };
        let mail_from = self.envelope.0.as_deref().map(fill).filter(|it| !matches!(it.trim(), "" | "<>"));
        Ok(Envelope {
            mail_from: mail_from.map(|it| read("envelope.mail_from", &it)).transpose()?,
            rcpt_to: read("envelope.rcpt_to", &fill(&self.envelope.1))?,
        })
    }

    /// A mail with its placeholders replaced: `{{reply:m1}}` and `{{bounce:m1/ann@customer.test}}` become local parts.
    pub fn fill(&self, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(start) = find(rest, b"{{") {
            let (before, tail) = rest.split_at(start);
            out.extend_from_slice(before);
            let end = find(tail, b"}}").filter(|it| *it < 400);
            let name = end.and_then(|it| core::str::from_utf8(tail.get(2..it)?).ok());
            let after = end.and_then(|it| tail.get(it + 2..)).unwrap_or_default();
            if let Some(local) = name.and_then(|it| self.placeholder(it, after)) {
                out.extend_from_slice(local.as_bytes());
                rest = after;
            } else {
                out.extend_from_slice(b"{{");
                rest = tail.get(2..).unwrap_or_default();
            }
        }
        out.extend_from_slice(rest);
        out
    }

    fn placeholder(&self, name: &str, after: &[u8]) -> Option<String> {
        let secret = &self.context.secret;
        match name.split_once(':')? {
            ("reply", message) => Some(token::reply_local(secret, message.trim())),
            ("bounce", delivery) => {
                let (message, address) = delivery.trim().split_once('/')?;
                let domain = self
                    .context
                    .domains
                    .iter()
                    .find(|it| after.get(1..).is_some_and(|text| text.starts_with(it.name.as_str().as_bytes())));
                let bounce = domain.or(self.context.domains.first()).map_or("bounce", |it| it.bounce.as_str());
                Some(token::bounce_local(secret, bounce, &delivery_id(message, address)))
            }
            _ => None,
        }
    }

    /// Routes the mail: the answer of the dry run. A broken mail never fails.
    ///
    /// # Errors
    /// A broken envelope.
    pub fn route(&self, raw: &[u8]) -> Result<Answer> {
        let raw = self.fill(raw);
        let arrival = Arrival::read(self.envelope()?, &raw, &self.receiving_host);
        let inquiry = inquire(&arrival, &self.context.secret);
        let facts = self.facts(&inquiry);
        let verdict = decide(&arrival, &facts, &self.context, self.now);
        Ok(Answer::new(verdict, &parse::parse(&raw), self.now))
    }

    /// What a store would answer.
    pub fn facts(&self, inquiry: &Inquiry) -> Facts {
        let messages = || self.records.iter().flat_map(|it| &it.messages);
        let is_sender = |key: &str| inquiry.sender.as_deref() == Some(key);
        let deliveries = messages().filter(|it| it.fact.direction == Direction::Out).flat_map(|it| {
            it.recipients.iter().map(|recipient| DeliveryFact {
                id: delivery_id(it.fact.id.as_str(), recipient.as_str()),
                message: it.fact.id.clone(),
                message_id: it.fact.message_id.clone(),
                record: it.fact.record.clone(),
                recipient: recipient.clone(),
                state: None,
            })
        });
        let earlier = messages().filter(|it| {
            let same_id = it.fact.message_id.is_some() && it.fact.message_id == inquiry.message_id;
            same_id || it.raw_sha256.as_ref() == Some(&inquiry.sha256)
        });
        Facts {
            aliases: self.aliases.clone(),
            messages: messages().map(|it| it.fact.clone()).collect(),
            records: self.records.iter().map(|it| it.fact.clone()).collect(),
            contacts: self.contacts.clone(),
            earlier: earlier
                .map(|it| EarlierFact {
                    direction: it.fact.direction,
                    recipients: it.recipients.iter().map(EmailAddress::key).collect(),
                    sha256: it.raw_sha256.clone(),
                    content_sha256: None,
                    message: Some(it.fact.id.clone()),
                    record: it.fact.record.clone(),
                })
                .collect(),
            deliveries: deliveries.collect(),
            received: self.received(&is_sender),
            loop_refusals: Vec::new(),
            paused: self.paused.iter().any(|it| is_sender(it)),
            suggestions: self.suggestions(&is_sender),
        }
    }

    /// Mails of the sender: those listed, and the messages on records that are not.
    fn received(&self, is_sender: &dyn Fn(&str) -> bool) -> Vec<ReceivedFact> {
        let mut out: Vec<ReceivedFact> =
            self.received.iter().filter(|(from, _)| is_sender(from)).map(|(_, it)| it.clone()).collect();
        for record in &self.records {
            for message in &record.messages {
                let Some(at) = message.fact.date else { continue };
                let is_theirs = message.from.as_ref().is_some_and(|it| is_sender(&it.key()));
                let id = Some(record.fact.id.clone());
                let is_listed = out.iter().any(|it| it.record == id && it.at == at);
                if message.fact.direction == Direction::In && is_theirs && !is_listed {
                    out.push(ReceivedFact { alias: None, record: id, r#type: Some(record.fact.r#type.clone()), at });
                }
            }
        }
        out
    }

    fn suggestions(&self, is_sender: &dyn Fn(&str) -> bool) -> Vec<SuggestionFact> {
        let theirs = |it: &&WorldRecord| {
            !it.fact.deleted
                && (it.fact.participants.iter().any(|key| is_sender(key))
                    || it.fact.email.as_ref().is_some_and(|it| is_sender(&it.key()))
                    || it.fact.customer.as_ref().is_some_and(|c| c.emails.iter().any(|it| is_sender(&it.key()))))
        };
        let answered = |it: &WorldMessage| {
            it.fact.direction == Direction::Out && it.recipients.iter().any(|it| is_sender(&it.key()))
        };
        let mut found: Vec<&WorldRecord> = self.records.iter().filter(theirs).collect();
        found.sort_by_key(|it| core::cmp::Reverse(it.messages.iter().filter_map(|m| m.fact.date).max()));
        found
            .into_iter()
            .map(|it| SuggestionFact {
                record: it.fact.id.clone(),
                title: it.fact.title.clone(),
                answered: it.messages.iter().any(answered),
            })
            .collect()
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|it| it == wanted)
}

/// 16 hex digits of `message/address`: an address as it is would make a local part too long (RFC 5321: 64 octets).
fn delivery_id(message: &str, address: &str) -> String {
    let address = EmailAddress::parse(address).map_or_else(|_| address.to_lowercase(), |it| it.key());
    let mut id = parse::sha256_hex(format!("{message}/{address}").as_bytes());
    id.truncate(16);
    id
}

/// A value with the way to it.
struct Field<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    fn error(&self, problem: impl Into<String>) -> InvalidWorld {
        let field = if self.path.is_empty() { "(the file)".to_owned() } else { self.path.clone() };
        InvalidWorld { field, problem: problem.into() }
    }

    fn error_at(&self, name: &str, problem: &str) -> InvalidWorld {
        InvalidWorld { field: self.join(name), problem: problem.to_owned() }
    }

    fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn object(&self) -> Result<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.error("must be an object"))
    }

    /// A member that is there and not `null`.
    fn get(&self, name: &str) -> Option<Field<'a>> {
        let value = self.value.get(name).filter(|it| !it.is_null())?;
        Some(Field { path: self.join(name), value })
    }

    fn need(&self, name: &str) -> Result<Field<'a>> {
        self.object()?;
        self.get(name).ok_or_else(|| self.error_at(name, "is missing"))
    }

    fn list(&self, name: &str) -> Result<Vec<Field<'a>>> {
        let Some(field) = self.get(name) else { return Ok(Vec::new()) };
        let items = field.value.as_array().ok_or_else(|| field.error("must be a list"))?;
        let path = |i| format!("{}[{i}]", field.path);
        Ok(items.iter().enumerate().map(|(i, value)| Field { path: path(i), value }).collect())
    }

    fn text(&self) -> Result<String> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.error("must be a text"))
    }

    fn text_at(&self, name: &str) -> Result<Option<String>> {
        self.get(name).map(|it| it.text()).transpose()
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool> {
        let Some(field) = self.get(name) else { return Ok(default) };
        field.value.as_bool().ok_or_else(|| field.error("must be true or false"))
    }

    /// Anything that is parsed from a text.
    fn parsed<T, E: core::fmt::Display>(&self, read: impl Fn(String) -> core::result::Result<T, E>) -> Result<T> {
        let text = self.text()?;
        read(text.clone()).map_err(|it| self.error(format!("{text:?}: {it}")))
    }

    fn address(&self) -> Result<EmailAddress> {
        self.parsed(|it| EmailAddress::parse(&it))
    }

    fn word<T>(&self, read: impl Fn(&str) -> Option<T>) -> Result<T> {
        self.parsed(|it| read(&it).ok_or("is not one of the known words"))
    }

    fn time(&self) -> Result<Timestamp> {
        self.parsed(|it| Timestamp::parse_rfc3339(&it).ok_or("is no time like 2026-11-24T10:00:00Z"))
    }
}

/// A bare address, or an object that holds one.
fn address_of(field: &Field<'_>) -> Result<String> {
    let names = ["address", "from", "sender", "email"];
    let inner = names.iter().find_map(|it| field.get(it));
    inner.as_ref().unwrap_or(field).address().map(|it| it.key())
}

fn read_domain(field: &Field<'_>) -> Result<DomainFact> {
    // A full address keeps only its local part (AL-16).
    let local = |name: &str, default: &str| -> Result<String> {
        let found = match field.value.get(name) {
            Some(Value::Null) => Some(String::new()),
            _ => field.text_at(name)?,
        };
        let text = found.unwrap_or_else(|| default.to_owned());
        Ok(text.split('@').next().unwrap_or_default().trim().to_lowercase())
    };
    Ok(DomainFact {
        name: field.need("name")?.parsed(|it| Domain::parse(&it))?,
        catchall: local("catchall", "catchall")?,
        bounce: local("bounce", "bounce")?,
        default_from: field.text_at("default_from")?.unwrap_or_else(|| "notifications".to_owned()),
    })
}

/// The domains of the aliases, and that of the envelope: somebody has to be in charge of it.
fn domains_of(aliases: &[AliasFact], rcpt_to: &str) -> Vec<DomainFact> {
    let mut out: Vec<DomainFact> = Vec::new();
    let own = rcpt_to.rsplit_once('@').map(|(_, it)| it.to_owned());
    let names = aliases.iter().map(|it| it.address.domain().to_owned()).chain(own);
    for name in names.filter_map(|it| Domain::parse(&it).ok()) {
        if out.iter().all(|it| it.name != name) {
            let text = str::to_owned;
            out.push(DomainFact {
                name,
                catchall: text("catchall"),
                bounce: text("bounce"),
                default_from: text("notifications"),
            });
        }
    }
    out
}

fn is_ours(aliases: &[AliasFact], domains: &[DomainFact], address: &EmailAddress) -> bool {
    let local = address.local();
    let is = |it: &DomainFact| {
        it.name.as_str() == address.domain()
            && [&it.catchall, &it.bounce].iter().any(|name| !name.is_empty() && name.eq_ignore_ascii_case(&local))
    };
    aliases.iter().any(|it| it.address == *address) || domains.iter().any(is)
}

fn read_contact(field: &Field<'_>) -> Result<ContactFact> {
    let id = field.need("id")?.parsed(crate::id::ContactId::parse)?;
    Ok(ContactFact {
        name: field.text_at("name")?.unwrap_or_else(|| id.as_str().to_owned()),
        id,
        emails: field.list("emails")?.iter().map(Field::address).collect::<Result<_>>()?,
        archived: field.flag("archived", false)?,
        user: None,
        is_alias: false,
        suppressed: false,
        language: field.text_at("language")?,
    })
}

fn read_user(field: &Field<'_>, contacts: &mut [ContactFact]) -> Result<()> {
    let id = field.need("id")?.parsed(crate::id::UserId::parse)?;
    let contact_id = field.need("contact")?.parsed(crate::id::ContactId::parse)?;
    let contact = contacts
        .iter_mut()
        .find(|it| it.id == contact_id)
        .ok_or_else(|| field.error_at("contact", &format!("{contact_id} is not one of the contacts")))?;
    let role = field.get("role").map(|it| it.word(Role::parse)).transpose()?.unwrap_or(Role::Agent);
    let notify_by = field.get("notify_by").map(|it| it.word(NotifyBy::parse)).transpose()?;
    let archived = field.flag("archived", false)?;
    contact.user = Some(UserFact { id, role, notify_by: notify_by.unwrap_or(NotifyBy::Email), archived });
    Ok(())
}

fn read_alias(index: usize, field: &Field<'_>, contacts: &[ContactFact]) -> Result<AliasFact> {
    let target = field.need("target")?;
    target.object()?;
    let target = match (target.get("new"), target.get("record")) {
        (Some(name), None) => {
            let defaults = target.get("defaults").map(|it| it.object().cloned()).transpose()?;
            Target::New { r#type: name.parsed(TypeName::parse)?, defaults: defaults.unwrap_or_default() }
        }
        (None, Some(record)) => Target::Record(record.parsed(crate::id::RecordId::parse)?),
        _ => return Err(target.error("must have either new or record")),
    };
    let owner = field.get("owner").map(|it| it.parsed(crate::id::UserId::parse)).transpose()?;
    let is_owner = |it: &&ContactFact| it.user.as_ref().is_some_and(|user| Some(&user.id) == owner.as_ref());
    Ok(AliasFact {
        id: AliasId::parse(format!("alias-{}", index + 1)).map_err(|it| field.error(it.to_string()))?,
        address: field.need("address")?.address()?,
        target,
        parent: field.get("parent").map(|it| it.parsed(crate::id::RecordId::parse)).transpose()?,
        contact_rule: field.get("contact_rule").map(|it| it.word(ContactRule::parse)).transpose()?.unwrap_or_default(),
        listed: field.list("listed")?.iter().map(Field::text).collect::<Result<_>>()?,
        outcome: field.get("outcome").map(|it| it.word(RuleOutcome::parse)).transpose()?.unwrap_or_default(),
        refusal_text: field.text_at("refusal_text")?,
        any_domain: field.flag("any_domain", false)?,
        state: field.get("state").map(|it| it.word(AliasState::parse)).transpose()?.unwrap_or_default(),
        owner: contacts.iter().find(is_owner).cloned(),
    })
}

fn read_record(field: &Field<'_>, contacts: &[ContactFact]) -> Result<WorldRecord> {
    let id = field.need("id")?.parsed(crate::id::RecordId::parse)?;
    let r#type = match field.get("type") {
        Some(it) => it.parsed(TypeName::parse)?,
        None => TypeName::parse(id.as_str().split('/').next().unwrap_or_default())
            .map_err(|it| field.error_at("type", &it.to_string()))?,
    };
    let messages = field.list("messages")?;
    let messages = messages.iter().map(|it| read_message(it, &id, contacts)).collect::<Result<Vec<_>>>()?;
    let follower = |it: &Field<'_>| contact_at(it, contacts);
    let responsible = field.get("responsible").map(|it| it.parsed(crate::id::UserId::parse)).transpose()?;
    let is_responsible =
        |it: &&ContactFact| it.user.as_ref().is_some_and(|user| Some(&user.id) == responsible.as_ref());
    field.get("created").map(|it| it.time()).transpose()?;
    let fact = RecordFact {
        r#type,
        title: field.text_at("title")?.unwrap_or_default(),
        email: field.get("email").map(|it| it.address()).transpose()?,
        customer: field.get("customer").map(|it| contact_at(&it, contacts)).transpose()?,
        responsible: contacts.iter().find(is_responsible).cloned(),
        followers: field.list("followers")?.iter().map(follower).collect::<Result<_>>()?,
        participants: participants(&messages),
        deleted: field.flag("deleted", false)?,
        last_message: last_message(&messages),
        id,
    };
    Ok(WorldRecord { fact, messages })
}

fn contact_at(field: &Field<'_>, contacts: &[ContactFact]) -> Result<ContactFact> {
    let id = field.parsed(crate::id::ContactId::parse)?;
    contacts
        .iter()
        .find(|it| it.id == id)
        .cloned()
        .ok_or_else(|| field.error(format!("{id} is not one of the contacts")))
}

fn participants(messages: &[WorldMessage]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for message in messages {
        let author = message.fact.author.iter().flat_map(|it| &it.emails);
        for key in author.chain(&message.from).chain(&message.recipients).map(EmailAddress::key) {
            if !out.contains(&key) {
                out.push(key);
            }
        }
    }
    out
}

/// The last public comment or email, else the last message (TH-5).
fn last_message(messages: &[WorldMessage]) -> Option<crate::id::MessageId> {
    let is_talk =
        |it: &&WorldMessage| matches!(it.fact.kind, MessageKind::Comment | MessageKind::Email) && !it.fact.internal;
    // The last of equals: `max_by_key` takes it.
    let newest = |it: &&WorldMessage| it.fact.date;
    let talk = messages.iter().filter(is_talk).max_by_key(newest);
    talk.or_else(|| messages.iter().max_by_key(newest)).map(|it| it.fact.id.clone())
}

fn read_message(field: &Field<'_>, record: &crate::id::RecordId, contacts: &[ContactFact]) -> Result<WorldMessage> {
    let direction = match field.text_at("direction")?.as_deref() {
        Some("in") | None => Direction::In,
        Some("out") => Direction::Out,
        Some(_) => return Err(field.error_at("direction", "must be in or out")),
    };
    let kind = field.get("kind").map(|it| it.word(MessageKind::parse)).transpose()?.unwrap_or(MessageKind::Email);
    let from = field.text_at("from")?.and_then(|it| parse::parse_mailboxes(&it).into_iter().next());
    let message_id = field.get("message_id").map(|it| it.parsed(|text| RfcMessageId::parse(&text))).transpose()?;
    let fact = MessageFact {
        id: field.need("id")?.parsed(crate::id::MessageId::parse)?,
        message_id,
        record: Some(record.clone()),
        kind,
        internal: field.flag("internal", kind == MessageKind::Note)?,
        automated: field.flag("automated", false)?,
        author: field.get("author").map(|it| contact_at(&it, contacts)).transpose()?,
        direction,
        date: field.get("date").map(|it| it.time()).transpose()?,
    };
    Ok(WorldMessage {
        fact,
        recipients: field.list("recipients")?.iter().map(Field::address).collect::<Result<_>>()?,
        from: from.map(|it| it.address),
        raw_sha256: field.text_at("raw_sha256")?.map(|it| it.to_ascii_lowercase()),
    })
}

fn read_types(
    world: &Field<'_>,
    aliases: &[AliasFact],
    records: &[WorldRecord],
    policy: &Policy,
) -> Result<Vec<TypeFact>> {
    let mut out = Vec::new();
    for field in world.list("types")? {
        out.push(TypeFact {
            name: field.need("name")?.parsed(TypeName::parse)?,
            receives_mail: field.flag("receives_mail", true)?,
            flat: field.flag("flat", true)?,
            main_email: field.flag("main_email", true)?,
            title: field.flag("title", true)?,
        });
    }
    let created = aliases.iter().filter_map(|it| match &it.target {
        Target::New { r#type, .. } => Some(r#type.clone()),
        Target::Record(_) => None,
    });
    let fallback = policy.fallback_type.iter().filter(|_| world.get("types").is_none());
    let fallback = fallback.filter_map(|it| TypeName::parse(it.as_str()).ok());
    for name in created.chain(records.iter().map(|it| it.fact.r#type.clone())).chain(fallback) {
        if out.iter().all(|it| it.name != name) {
            out.push(TypeFact { name, receives_mail: true, flat: true, main_email: true, title: true });
        }
    }
    Ok(out)
}

fn read_received(field: &Field<'_>, records: &[WorldRecord]) -> Result<(String, ReceivedFact)> {
    let record = field.get("record").map(|it| it.parsed(crate::id::RecordId::parse)).transpose()?;
    let r#type = record.as_ref().and_then(|id| {
        let known = records.iter().find(|it| &it.fact.id == id).map(|it| it.fact.r#type.clone());
        known.or_else(|| TypeName::parse(id.as_str().split_once('/')?.0).ok())
    });
    let from = field.need("from")?;
    let sender = match parse::parse_mailboxes(&from.text()?).into_iter().next() {
        Some(it) => it.address.key(),
        None => from.address()?.key(),
    };
    let alias = field.get("alias").map(|it| it.address()).transpose()?.map(|it| it.key());
    Ok((sender, ReceivedFact { alias, record, r#type, at: field.need("at")?.time()? }))
}

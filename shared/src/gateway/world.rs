//! A small world as JSON, for scenario files and the routing dry run: what a store would answer, written by hand.
//!
//! Only `envelope` is needed. What the world leaves out follows from the rest: domains from the aliases and the
//! envelope, types from aliases and records. Ids of deliveries are made from `message/address`, short enough for a local part.

mod facts;
mod field;
mod read;

use serde_json::Value;

use self::field::Field;
use self::read::address_of;
use self::read::domains_of;
use self::read::is_ours;
use self::read::read_alias;
use self::read::read_contact;
use self::read::read_domain;
use self::read::read_message;
use self::read::read_received;
use self::read::read_record;
use self::read::read_types;
use self::read::read_user;
use super::answer::Answer;
use super::arrival::Arrival;
use super::facts::AliasFact;
use super::facts::ContactFact;
use super::facts::Context;
use super::facts::MessageFact;
use super::facts::ReceivedFact;
use super::facts::RecordFact;
use super::inquire::inquire;
use crate::address::EmailAddress;
use crate::mail::inbound::Envelope;
use crate::mail::parse;
use crate::mail::rfc_id::RfcMessageId;
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::token;

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
    pub(super) aliases: Vec<AliasFact>,
    contacts: Vec<ContactFact>,
    pub(super) records: Vec<WorldRecord>,
    /// Messages on no record (RT-12).
    loose: Vec<WorldMessage>,
    received: Vec<(String, ReceivedFact)>,
    paused: Vec<String>,
    /// When mail of a sender was refused as a loop.
    refusals: Vec<(String, Timestamp)>,
}

#[derive(Debug, Clone)]
pub(super) struct WorldRecord {
    pub(super) fact: RecordFact,
    pub(super) messages: Vec<WorldMessage>,
}

#[derive(Debug, Clone)]
pub(super) struct WorldMessage {
    pub(super) fact: MessageFact,
    recipients: Vec<EmailAddress>,
    from: Option<EmailAddress>,
    raw_sha256: Option<String>,
    /// Message-IDs it refers to.
    references: Vec<RfcMessageId>,
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
            Some(it) => {
                serde_json::from_value::<Policy>(without_nulls(it.value)).map_err(|e| it.error(e.to_string()))?
            }
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
            if field.need("address")?.text()?.trim_end_matches('@').contains('@') {
                aliases.push(read_alias(i, field, &contacts)?);
            }
        }
        let domains = if world.get("domains").is_some() { domains } else { domains_of(&aliases, &rcpt_to) };
        for contact in &mut contacts {
            contact.is_alias = contact.emails.iter().any(|it| is_ours(&aliases, &domains, it));
        }
        let records = world.list("records")?.iter().map(|it| read_record(it, &contacts)).collect::<Result<Vec<_>>>()?;
        let loose =
            world.list("messages")?.iter().map(|it| read_message(it, None, &contacts)).collect::<Result<_>>()?;
        let types = read_types(&world, &aliases, &records, &policy)?;
        let received =
            world.list("received")?.iter().map(|it| read_received(it, &records)).collect::<Result<Vec<_>>>()?;
        let paused = world.list("paused")?.iter().map(address_of).collect::<Result<Vec<_>>>()?;
        let refusals = world.list("refusals")?;
        let refusals =
            refusals.iter().map(|it| Ok((address_of(it)?, it.need("at")?.time()?))).collect::<Result<_>>()?;
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
            loose,
            received,
            paused,
            refusals,
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
        let bare = |it: String| it.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
        // As in the Worker, a word without a domain is no sender; blanks are a broken world.
        let is_sender = |it: &String| it.contains(['@', ' ']);
        let mail_from = self.envelope.0.as_deref().map(fill).map(bare).filter(is_sender);
        Ok(Envelope {
            mail_from: mail_from.map(|it| read("envelope.mail_from", &it)).transpose()?,
            rcpt_to: read("envelope.rcpt_to", &bare(fill(&self.envelope.1)))?,
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
        Ok(Answer::new(&arrival, &parse::parse(&raw), &facts, &self.context, self.now))
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

/// A setting that is `null` is one that was left out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(keys) => {
            keys.iter().filter(|(_, it)| !it.is_null()).map(|(key, it)| (key.clone(), without_nulls(it))).collect()
        }
        other => other.clone(),
    }
}

//! The members of a world from JSON. What names something that is not there is read as far as it makes sense: a follower
//! nobody knows is one without an address.

use serde_json::Value;

use super::Result;
use super::WorldMessage;
use super::WorldRecord;
use super::field::Field;
use crate::address::Domain;
use crate::address::EmailAddress;
use crate::api::aliases::AliasState;
use crate::api::aliases::ContactRule;
use crate::api::aliases::RuleOutcome;
use crate::api::messages::MessageKind;
use crate::api::session::NotifyBy;
use crate::api::session::Role;
use crate::gateway::facts::AliasFact;
use crate::gateway::facts::ContactFact;
use crate::gateway::facts::Direction;
use crate::gateway::facts::DomainFact;
use crate::gateway::facts::MessageFact;
use crate::gateway::facts::ReceivedFact;
use crate::gateway::facts::RecordFact;
use crate::gateway::facts::Target;
use crate::gateway::facts::TypeFact;
use crate::gateway::facts::UserFact;
use crate::id::AliasId;
use crate::id::TypeName;
use crate::mail::parse;
use crate::mail::rfc_id::RfcMessageId;
use crate::policy::Policy;

/// A bare address, or an object that holds one.
pub(super) fn address_of(field: &Field<'_>) -> Result<String> {
    let names = ["address", "from", "sender", "email"];
    let inner = names.iter().find_map(|it| field.get(it));
    inner.as_ref().unwrap_or(field).address().map(|it| it.key())
}

pub(super) fn read_domain(field: &Field<'_>) -> Result<DomainFact> {
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
pub(super) fn domains_of(aliases: &[AliasFact], rcpt_to: &str) -> Vec<DomainFact> {
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

pub(super) fn is_ours(aliases: &[AliasFact], domains: &[DomainFact], address: &EmailAddress) -> bool {
    let local = address.local();
    let is = |it: &DomainFact| {
        it.name.as_str() == address.domain()
            && [&it.catchall, &it.bounce].iter().any(|name| !name.is_empty() && name.eq_ignore_ascii_case(&local))
    };
    aliases.iter().any(|it| it.address == *address) || domains.iter().any(is)
}

pub(super) fn read_contact(field: &Field<'_>) -> Result<ContactFact> {
    let id = field.need("id")?.parsed(crate::id::ContactId::parse)?;
    Ok(ContactFact {
        name: field.text_at("name")?.unwrap_or_else(|| id.as_str().to_owned()),
        id,
        emails: field.addresses("emails")?,
        archived: field.flag("archived", false)?,
        user: None,
        is_alias: false,
        suppressed: false,
        language: field.text_at("language")?,
    })
}

pub(super) fn read_user(field: &Field<'_>, contacts: &mut [ContactFact]) -> Result<()> {
    let id = field.need("id")?.parsed(crate::id::UserId::parse)?;
    let contact_id = field.get("contact").map(|it| it.parsed(crate::id::ContactId::parse)).transpose()?;
    let role = field.text_at("role")?.and_then(|it| Role::parse(&it)).unwrap_or(Role::Agent);
    let notify_by = field.get("notify_by").map(|it| it.word(NotifyBy::parse)).transpose()?;
    let archived = field.flag("archived", false)?;
    let Some(contact) = contacts.iter_mut().find(|it| Some(&it.id) == contact_id.as_ref()) else { return Ok(()) };
    contact.user = Some(UserFact { id, role, notify_by: notify_by.unwrap_or(NotifyBy::Email), archived });
    Ok(())
}

pub(super) fn read_alias(index: usize, field: &Field<'_>, contacts: &[ContactFact]) -> Result<AliasFact> {
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
        also: field.addresses("also")?,
        former: field.addresses("former")?,
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

pub(super) fn read_record(field: &Field<'_>, contacts: &[ContactFact]) -> Result<WorldRecord> {
    let id = field.need("id")?.parsed(crate::id::RecordId::parse)?;
    let r#type = match field.get("type") {
        Some(it) => it.parsed(TypeName::parse)?,
        None => TypeName::parse(id.as_str().split('/').next().unwrap_or_default())
            .map_err(|it| field.error_at("type", &it.to_string()))?,
    };
    let messages = field.list("messages")?;
    let messages = messages.iter().map(|it| read_message(it, Some(&id), contacts)).collect::<Result<Vec<_>>>()?;
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
        wants: Vec::new(),
        participants: participants(&messages),
        deleted: field.flag("deleted", false)?,
        last_message: last_message(&messages),
        id,
    };
    Ok(WorldRecord { fact, messages })
}

pub(super) fn contact_at(field: &Field<'_>, contacts: &[ContactFact]) -> Result<ContactFact> {
    let id = field.parsed(crate::id::ContactId::parse)?;
    let known = contacts.iter().find(|it| it.id == id).cloned();
    Ok(known.unwrap_or_else(|| ContactFact {
        name: id.as_str().to_owned(),
        id,
        emails: Vec::new(),
        archived: false,
        user: None,
        is_alias: false,
        suppressed: false,
        language: None,
    }))
}

pub(super) fn participants(messages: &[WorldMessage]) -> Vec<String> {
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
pub(super) fn last_message(messages: &[WorldMessage]) -> Option<crate::id::MessageId> {
    let is_talk =
        |it: &&WorldMessage| matches!(it.fact.kind, MessageKind::Comment | MessageKind::Email) && !it.fact.internal;
    // The last of equals: `max_by_key` takes it.
    let newest = |it: &&WorldMessage| it.fact.date;
    let talk = messages.iter().filter(is_talk).max_by_key(newest);
    talk.or_else(|| messages.iter().max_by_key(newest)).map(|it| it.fact.id.clone())
}

pub(super) fn read_message(
    field: &Field<'_>,
    record: Option<&crate::id::RecordId>,
    contacts: &[ContactFact],
) -> Result<WorldMessage> {
    let author = field.get("author").map(|it| contact_at(&it, contacts)).transpose()?;
    let direction = match field.text_at("direction")?.as_deref() {
        // What a colleague wrote left the house.
        None if author.as_ref().is_some_and(ContactFact::is_internal) => Direction::Out,
        Some("in") | None => Direction::In,
        Some("out") => Direction::Out,
        Some(_) => return Err(field.error_at("direction", "must be in or out")),
    };
    let kind = field.text_at("kind")?.and_then(|it| MessageKind::parse(&it)).unwrap_or(MessageKind::Email);
    let from = field.text_at("from")?.and_then(|it| parse::parse_mailboxes(&it).into_iter().next());
    let message_id = field.get("message_id").map(|it| it.parsed(|text| RfcMessageId::parse(&text))).transpose()?;
    let fact = MessageFact {
        id: field.need("id")?.parsed(crate::id::MessageId::parse)?,
        message_id,
        record: record.cloned(),
        kind,
        internal: field.flag("internal", kind == MessageKind::Note)?,
        automated: field.flag("automated", false)?,
        author,
        direction,
        date: field.get("date").map(|it| it.time()).transpose()?,
        is_early: false,
    };
    let references = field.list("references")?;
    let references = references.iter().map(|it| it.parsed(|text| RfcMessageId::parse(&text))).collect::<Result<_>>()?;
    Ok(WorldMessage {
        fact,
        recipients: field.addresses("recipients")?,
        from: from.map(|it| it.address),
        raw_sha256: field.text_at("raw_sha256")?.map(|it| it.to_ascii_lowercase()),
        references,
    })
}

pub(super) fn read_types(
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

pub(super) fn read_received(field: &Field<'_>, records: &[WorldRecord]) -> Result<(String, ReceivedFact)> {
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

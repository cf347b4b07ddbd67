//! What a scenario may ask instead of routing a mail: statements about names, domains and outgoing threads.

use serde_json::Value;
use serde_json::json;

use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::api::messages::MessageKind;
use crate::gateway::facts::DomainFact;
use crate::gateway::names;
use crate::gateway::world::World;
use crate::id::MessageId;
use crate::mail::compose::Outgoing;
use crate::mail::compose::compose;
use crate::mail::parse;
use crate::mail::rfc_id;
use crate::thread::references::Ancestor;
use crate::thread::references::references;
use crate::token;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// One answer per question.
pub(super) fn ask(world: &World, question: &Value) -> Value {
    let mut out = serde_json::Map::new();
    for (name, of) in question.as_object().unwrap() {
        let answer = match name.as_str() {
            "alias_names" => texts(of).into_iter().map(names::alias_name).collect(),
            "domain_list" => match names::domain_list(of.as_str().unwrap()) {
                Ok(found) => found.iter().map(|it| Value::from(it.as_str())).collect(),
                Err(wrong) => json!({ "wrong": wrong }),
            },
            "clashes" => clashes(world, of),
            "domain_clashes" => domain_clashes(world, of),
            "state_after" => state_after(world, of),
            "found" => {
                let found = world.aliases.iter().filter(|it| names::is_found(it, of.as_str().unwrap()));
                found.map(|it| it.address.as_str()).collect()
            }
            "outgoing" => outgoing(world, of),
            other => panic!("nobody can answer {other}"),
        };
        out.insert(name.clone(), answer);
    }
    Value::Object(out)
}

/// Addresses asked for together; `change` names the alias that is renamed.
fn clashes(world: &World, of: &Value) -> Value {
    let changed = world.aliases.iter().find(|it| it.address.as_str() == text(of, "change")).map(|it| it.id.clone());
    let wanted: Vec<names::Wanted> = texts(&of["addresses"])
        .into_iter()
        .map(|it| names::Wanted { id: changed.clone(), address: EmailAddress::parse(it).unwrap() })
        .collect();
    serde_json::to_value(names::clashes(&wanted, &world.aliases, &world.context.domains)).unwrap()
}

fn domain_clashes(world: &World, of: &Value) -> Value {
    let domain = DomainFact {
        name: text(of, "name").parse_domain(),
        catchall: text(of, "catchall").to_owned(),
        bounce: text(of, "bounce").to_owned(),
        default_from: String::new(),
    };
    serde_json::to_value(names::domain_clashes(&domain, &world.aliases, &world.context.domains)).unwrap()
}

trait ParseDomain {
    fn parse_domain(&self) -> crate::address::Domain;
}

impl ParseDomain for str {
    fn parse_domain(&self) -> crate::address::Domain {
        crate::address::Domain::parse(self).unwrap()
    }
}

/// The first alias becomes like the second.
fn state_after(world: &World, of: &Value) -> Value {
    let find = |name| world.aliases.iter().find(|it| it.address.as_str() == text(of, name)).unwrap();
    Value::from(names::state_after(find("before"), find("after")).as_str())
}

/// A message on a record as it leaves: Message-ID, References, Reply-To.
fn outgoing(world: &World, of: &Value) -> Value {
    let record = world.records.iter().find(|it| it.fact.id.as_str() == text(of, "record")).unwrap();
    let earlier: Vec<Ancestor> = record
        .messages
        .iter()
        .filter_map(|it| {
            Some(Ancestor {
                id: it.fact.id.clone(),
                message_id: it.fact.message_id.clone()?,
                internal: it.fact.internal,
                log: matches!(it.fact.kind, MessageKind::Notification | MessageKind::System),
            })
        })
        .collect();
    let parent = MessageId::parse(text(of, "parent")).ok();
    let refs = references(&earlier, parent.as_ref());
    let id = text(of, "id");
    let domain = &world.context.domains[0].name;
    let local = token::reply_local(&world.context.secret, id);
    let reply_to = EmailAddress::parse(&format!("{local}@{domain}")).unwrap();
    let author =
        Mailbox::new(Some(text(of, "author")), EmailAddress::parse(&format!("notifications@{domain}")).unwrap());
    let raw = compose(&Outgoing {
        from: author.clone(),
        sender: None,
        to: vec![Mailbox::new(None, EmailAddress::parse("mia@pedal.test").unwrap())],
        cc: Vec::new(),
        reply_to: vec![Mailbox::new(author.name.as_deref(), reply_to)],
        subject: record.fact.title.clone(),
        date: world.now,
        message_id: rfc_id::make(id, domain.as_str()),
        in_reply_to: refs.last().cloned(),
        references: refs,
        text: Some("Done.".to_owned()),
        html: None,
        attachments: Vec::new(),
        extra_headers: Vec::new(),
        auto_submitted: None,
    });
    let longest = raw.split(|it| *it == b'\n').map(<[u8]>::len).max();
    let head = parse::parse_head(&raw);
    let ids = |list: &[rfc_id::RfcMessageId]| list.iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>();
    let reply = head.reply_to.first().unwrap();
    json!({
        "message_id": ids(head.message_id.as_slice()),
        "references": ids(&head.references),
        "in_reply_to": ids(&head.in_reply_to),
        "reply_name": reply.name,
        "reply_names_message": token::read_reply_local(&world.context.secret, &reply.address.local()),
        "lines_fit": longest <= Some(998),
    })
}

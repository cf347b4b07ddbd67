//! What scenario files can't say: bounds of an inquiry, rows of a plan, errors of a world, speed-proof shapes.

use serde_json::Value;
use serde_json::json;

use super::arrival::Arrival;
use super::decide::decide;
use super::facts::EarlierFact;
use super::inquire::inquire;
use super::loops::loop_value;
use super::plan::IngestPlan;
use super::plan::plan;
use super::verdict::Decision;
use super::verdict::Held;
use super::verdict::Ignored;
use super::verdict::Verdict;
use super::world::World;
use crate::mail::parse;
use crate::thread::recipients::Recipient;
use crate::time::Timestamp;

const PROVEN: &str = "Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=customer.test\n";

fn base() -> Value {
    json!({
        "now": "2026-03-02T10:00:00Z",
        "secret": "s",
        "envelope": {"mail_from": "ann@customer.test", "rcpt_to": "help@corp.test"},
        "domains": [{"name": "corp.test"}],
        "contacts": [
            {"id": "c-bo", "name": "Bo", "emails": ["bo@corp.test"]},
            {"id": "c-cy", "name": "Cy", "emails": ["cy@corp.test"]},
            {"id": "c-eve", "name": "Eve", "emails": ["eve@customer.test"]},
        ],
        "users": [
            {"id": "u-bo", "contact": "c-bo", "role": "agent", "notify_by": "mailroom"},
            {"id": "u-cy", "contact": "c-cy", "role": "agent"},
        ],
        "aliases": [
            {"address": "help@corp.test", "owner": "u-bo",
             "target": {"new": "ticket", "defaults": {"stage": "New", "source": "mail", "score": 3}}},
            {"address": "seven@corp.test", "target": {"record": "ticket/7"}},
        ],
        "records": [{
            "id": "ticket/7", "title": "Seven", "followers": ["c-cy"], "customer": "c-eve", "responsible": "u-bo",
            "messages": [{"id": "m1", "message_id": "<m1@corp.test>", "kind": "comment", "author": "c-cy",
                "direction": "out", "date": "2026-03-01T10:00:00Z", "recipients": ["eve@customer.test"]}],
        }],
    })
}

/// The base with some keys replaced.
fn world(over: &Value) -> World {
    let mut all = base();
    all.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    World::read(&all).unwrap()
}

fn run(world: &World, mail: &str) -> (Verdict, IngestPlan) {
    let raw = world.fill(mail.as_bytes());
    let arrival = Arrival::read(world.envelope().unwrap(), &raw, &world.receiving_host);
    let facts = world.facts(&inquire(&arrival, &world.context.secret));
    let verdict = decide(&arrival, &facts, &world.context, world.now);
    let mut n = 0;
    let mut ids = || {
        n += 1;
        format!("id-{n}")
    };
    let plan = plan(&parse::parse(&raw), &arrival, &verdict, &facts, &world.context, &mut ids, world.now);
    (verdict, plan)
}

fn told(list: &[Recipient]) -> Vec<&str> {
    list.iter().filter(|it| it.is_told()).map(|it| it.name.as_str()).collect()
}

#[test]
fn a_stranger_makes_a_record_a_message_and_a_contact() {
    let mail = format!(
        "{PROVEN}From: Ann Lee <ann@customer.test>\nTo: help@corp.test, Tom <tom@else.test>\nReply-To: desk@customer.test\n\
         Subject: Broken\nMessage-ID: <1@customer.test>\nDate: Mon, 02 Mar 2026 09:59:00 +0000\n\nIt broke.\n\n\
         On Sun, 1 Mar 2026 at 10:00, Bo wrote:\n> Does it work?\n> Tell us.\n"
    );
    let (verdict, plan) = run(&world(&json!({})), &mail);
    assert_eq!(verdict.decision, Decision::Accepted);
    let [contact] = plan.contacts.as_slice() else { panic!("{:?}", plan.contacts) };
    assert_eq!((contact.name.as_str(), contact.address.as_str()), ("Ann Lee", "ann@customer.test"));
    let [write] = plan.writes.as_slice() else { panic!("{:?}", plan.writes) };
    let record = write.new_record.as_ref().unwrap();
    assert_eq!(record.title, "Broken");
    assert_eq!(record.email.as_ref().unwrap().as_str(), "ann@customer.test");
    assert_eq!(record.customer.as_ref(), Some(&contact.id));
    assert_eq!(record.responsible.as_ref().unwrap().as_str(), "u-bo");
    assert_eq!(record.stage.as_deref(), Some("New"));
    let fields: Vec<_> = record.fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(fields, ["score=3", "source=mail"]);
    let follow: Vec<_> = write.follow.iter().map(crate::id::ContactId::as_str).collect();
    assert_eq!(follow, ["c-bo"], "the responsible follows, the customer does not");
    assert_eq!(told(&write.notify), ["Bo"]);
    let message = &write.message;
    assert_eq!(message.record, write.record);
    assert_eq!(message.author.as_ref(), Some(&contact.id));
    assert_eq!(message.text.trim(), "It broke.");
    assert!(message.folded.as_ref().unwrap().contains("> Does it work?"));
    let to: Vec<_> = message.to.iter().map(|it| it.address.as_str()).collect();
    assert_eq!(to, ["tom@else.test"], "PAR-8: our own address is left out");
    assert_eq!(message.reply_to.len(), 1, "PAR-9");
    assert_eq!(message.authenticated, Some(true));
    assert_eq!(write.waiting_since, Some(Timestamp::parse_rfc3339("2026-03-02T10:00:00Z").unwrap()));
    assert!(write.alias.is_some(), "RT-42: the alias is proven to work");
}

#[test]
fn nobody_is_made_from_automatic_held_or_forged_mail() {
    let from = "From: Ann <ann@customer.test>\nTo: help@corp.test\nMessage-ID: <1@customer.test>\n";
    let automatic = format!("{PROVEN}{from}Auto-Submitted: auto-replied\n\nAway.\n");
    let (_, plan) = run(&world(&json!({})), &automatic);
    assert_eq!((plan.contacts.len(), plan.writes.len()), (0, 1));
    assert_eq!(plan.writes[0].waiting_since, None, "a machine does not wait");
    let null = json!({"envelope": {"mail_from": "<>", "rcpt_to": "help@corp.test"}});
    assert_eq!(run(&world(&null), &format!("{PROVEN}{from}\nHello.\n")).1.contacts.len(), 0);
    let paused = json!({"paused": ["ann@customer.test"]});
    let (verdict, plan) = run(&world(&paused), &format!("{PROVEN}{from}\nHello.\n"));
    assert_eq!(verdict.decision, Decision::Held);
    assert_eq!(plan.contacts.len(), 0);
    assert_eq!(plan.writes[0].message.held, Some(Held::Paused));
    assert_eq!((plan.writes[0].waiting_since, plan.writes[0].notify.len()), (None, 0));
    assert_eq!(plan.writes[0].alias, None);
    let forged = "Authentication-Results: mx.cloudflare.net; dmarc=fail header.from=customer.test\n\
        From: Eve <eve@customer.test>\nTo: help@corp.test\nMessage-ID: <2@customer.test>\n\nHello.\n";
    let (_, plan) = run(&world(&json!({})), forged);
    assert_eq!((plan.contacts.len(), &plan.writes[0].message.author), (0, &None));
    assert_eq!(plan.writes[0].message.authenticated, Some(false));
}

#[test]
fn a_colleagues_public_answer_reaches_the_customer() {
    let rcpt = json!({"envelope": {"mail_from": "cy@corp.test", "rcpt_to": "{{reply:m1}}@corp.test"}});
    let mail = "Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=corp.test\nFrom: Cy <cy@corp.test>\n\
        To: {{reply:m1}}@corp.test\nSubject: Re: Seven\nMessage-ID: <9@corp.test>\n\nWe come.\n";
    let (verdict, plan) = run(&world(&rcpt), mail);
    assert_eq!(verdict.decision, Decision::Accepted, "{:?}", verdict.why);
    let write = &plan.writes[0];
    assert_eq!(told(&write.notify), ["Eve", "Bo"]);
    assert_eq!(write.waiting_since, None, "we wrote, nobody waits for us");
    assert!(write.new_record.is_none() && write.follow.is_empty());
    assert_eq!(write.message.to, []);
}

#[test]
fn a_record_always_has_a_title_and_files_keep_their_names() {
    let mail = format!(
        "{PROVEN}From: Ann <ann@customer.test>\nTo: help@corp.test\nMessage-ID: <1@customer.test>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>First words</p>\
         <img src=\"https://x.test/a.png\">\n--b\nContent-Type: text/csv; name=\"a.csv\"\n\
         Content-Disposition: attachment; filename=\"a.csv\"\n\n1,2\n--b--\n"
    );
    let (verdict, plan) = run(&world(&json!({})), &mail);
    assert_eq!(verdict.routes[0].title.as_deref(), Some(""));
    let write = &plan.writes[0];
    assert_eq!(write.new_record.as_ref().unwrap().title, "First words");
    assert!(write.message.has_html && write.message.has_remote_images);
    let names: Vec<_> = write.attachments.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a.csv"]);
}

#[test]
fn an_inquiry_is_bounded() {
    let many = |name: &str, n: usize| {
        let list: Vec<String> = (0..n).map(|i| format!("{name}{i}+tag@corp.test")).collect();
        list.join(",\n ")
    };
    let references: Vec<String> = (0..200).map(|i| format!("<r{i}@customer.test>")).collect();
    let mail = format!(
        "From: ann@customer.test\nTo: {}\nCc: {}\nReferences: {}\nIn-Reply-To: <p1@x.test> <p2@x.test>\n\nHello\n",
        many("to", 500),
        many("cc", 500),
        references.join("\n ")
    );
    let world = world(&json!({}));
    let arrival = Arrival::read(world.envelope().unwrap(), mail.as_bytes(), "mx.cloudflare.net");
    let inquiry = inquire(&arrival, "s");
    for (name, n) in [
        ("reply_ids", inquiry.reply_ids.len()),
        ("bounce_ids", inquiry.bounce_ids.len()),
        ("references", inquiry.references.len()),
        ("alias_keys", inquiry.alias_keys.len()),
        ("alias_names", inquiry.alias_names.len()),
        ("addresses", inquiry.addresses.len()),
    ] {
        assert!(n <= 95, "{name} has {n}: D1 takes 100 parameters");
    }
    assert_eq!(inquiry.references.len(), 34, "two of In-Reply-To and the last 32");
    assert_eq!(inquiry.references.last().unwrap().as_str(), "<r168@customer.test>");
    assert_eq!(inquiry.alias_keys.first().map(String::as_str), Some("help@corp.test"), "the envelope comes first");
    assert_eq!(inquiry.sender.as_deref(), Some("ann@customer.test"));
}

#[test]
fn our_loop_header_counts_only_when_we_signed_it() {
    let mail = |value: &str| {
        format!(
            "{PROVEN}From: ann@customer.test\nTo: help@corp.test\nX-Mailroom-Loop: {value}\nMessage-ID: <1@c.test>\n\nHi\n"
        )
    };
    let world = world(&json!({}));
    let ignored = |value: &str| run(&world, &mail(value)).0.ignored;
    assert_eq!(ignored(&loop_value("s")), Some(Ignored::OwnLoopTag));
    assert_eq!(ignored(&loop_value("another installation")), None);
    assert_eq!(ignored("yes"), None);
}

#[test]
fn machines_that_go_on_are_not_answered() {
    let received: Vec<Value> = (0..20)
        .map(|i| {
            json!({"from": "ann@customer.test", "alias": "help@corp.test", "record": format!("ticket/{}", 100 + i),
            "at": format!("2026-03-02T09:{:02}:00Z", 10 + i)})
        })
        .collect();
    let world = world(&json!({"received": received}));
    let mail = |extra: &str| {
        format!("{PROVEN}From: ann@customer.test\nTo: help@corp.test\nMessage-ID: <1@c.test>\n{extra}\nHi\n")
    };
    let route = |extra: &str, refused_before: bool| {
        let raw = mail(extra);
        let arrival = Arrival::read(world.envelope().unwrap(), raw.as_bytes(), "mx.cloudflare.net");
        let mut facts = world.facts(&inquire(&arrival, "s"));
        facts.loop_refusals.extend(Some(world.now).filter(|_| refused_before));
        let verdict = decide(&arrival, &facts, &world.context, world.now);
        (verdict.decision, verdict.refusal.is_some_and(|it| it.notice), verdict.ignored)
    };
    let machine = "Auto-Submitted: auto-replied\n";
    assert_eq!(route("", false), (Decision::Refused, true, None));
    assert_eq!(route("", true), (Decision::Refused, false, None));
    assert_eq!(route(machine, false), (Decision::Refused, false, None));
    assert_eq!(route(machine, true), (Decision::Ignored, false, Some(Ignored::LoopSilent)));
}

#[test]
fn another_hand_over_of_the_same_content_is_no_conflict() {
    let world = world(&json!({}));
    let mail = |trace: &str, body: &str| {
        format!(
            "Received: from a by b; {trace}\n{PROVEN}From: ann@customer.test\nTo: help@corp.test\nMessage-ID: <1@c.test>\n\n{body}\n"
        )
    };
    let read = |text: &str| Arrival::read(world.envelope().unwrap(), text.as_bytes(), "mx.cloudflare.net");
    let first = read(&mail("10:00", "Hi"));
    let ignored = |text: &str| {
        let arrival = read(text);
        let mut facts = world.facts(&inquire(&arrival, "s"));
        facts.earlier.push(EarlierFact {
            direction: super::facts::Direction::In,
            recipients: vec!["help@corp.test".to_owned()],
            sha256: Some(first.sha256.clone()),
            content_sha256: Some(first.content_sha256.clone()),
            message: None,
            record: None,
        });
        decide(&arrival, &facts, &world.context, world.now).ignored
    };
    assert_eq!(ignored(&mail("10:00", "Hi")), Some(Ignored::Duplicate));
    assert_eq!(ignored(&mail("10:07", "Hi")), Some(Ignored::Duplicate), "only the trace differs");
    assert_eq!(ignored(&mail("10:07", "Something else")), Some(Ignored::Conflict));
}

#[test]
fn a_broken_world_names_the_field() {
    let check = |over: Value, field: &str| {
        let mut all = base();
        all.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        let error = World::read(&all).unwrap_err();
        assert_eq!(error.field, field, "{error}");
    };
    check(json!({"envelope": null}), "envelope");
    check(json!({"envelope": []}), "envelope");
    check(json!({"envelope": {"mail_from": "a@b.test"}}), "envelope.rcpt_to");
    check(json!({"envelope": {"rcpt_to": "nowhere"}}), "envelope.rcpt_to");
    check(json!({"envelope": {"rcpt_to": "a@b.test", "mail_from": "x y"}}), "envelope.mail_from");
    check(json!({"now": "today"}), "now");
    check(json!({"policy": {"loop": {"threshold": "many"}}}), "policy");
    check(json!({"domains": {"name": "corp.test"}}), "domains");
    check(json!({"domains": [{"name": "no domain"}]}), "domains[0].name");
    check(json!({"types": [{"name": "a", "flat": "yes"}]}), "types[0].flat");
    check(json!({"aliases": [{"address": "a@corp.test"}]}), "aliases[0].target");
    check(json!({"aliases": [{"address": "a@corp.test", "target": {}}]}), "aliases[0].target");
    check(
        json!({"aliases": [{"address": "a@corp.test", "target": {"new": "t"}, "contact_rule": "all"}]}),
        "aliases[0].contact_rule",
    );
    check(json!({"contacts": [{"id": "c-bo"}, {"id": "c-cy"}, {"name": "No id"}]}), "contacts[2].id");
    check(json!({"records": [{"id": "ticket/7", "followers": [7]}]}), "records[0].followers[0]");
    check(json!({"records": [{"id": "t/1", "messages": [{"id": "m", "date": "x"}]}]}), "records[0].messages[0].date");
    check(json!({"received": [{"from": "a@b.test"}]}), "received[0].at");
    check(json!({"paused": ["x"]}), "paused[0]");
    assert_eq!(World::parse("{").unwrap_err().field, "(the file)");
    assert_eq!(World::parse("[]").unwrap_err().field, "(the file)");
}

#[test]
fn only_the_envelope_is_needed() {
    let world = World::parse(r#"{"envelope": {"rcpt_to": "help@corp.test"}}"#).unwrap();
    let answer = world.route(b"From: ann@customer.test\n\nHello\n").unwrap();
    assert_eq!(answer.verdict.decision, Decision::Refused);
    let text = r#"{"envelope": {"rcpt_to": "help@corp.test"}, "policy": {"fallback_type": "ticket"}}"#;
    let answer = World::parse(text).unwrap().route(b"").unwrap();
    assert_eq!(answer.verdict.decision, Decision::Accepted);
}

#[test]
fn the_quick_key_is_the_key() {
    for text in [
        "Ann@Corp.TEST",
        "\"a b\"@corp.test",
        "\"Ann\"@corp.test",
        "Đặng@mail.test",
        "x@bücher.test",
        "x@xn--bcher-kva.test",
        "x@[192.0.2.1]",
    ] {
        let address = crate::address::EmailAddress::parse(text).unwrap();
        assert_eq!(super::alias::key_of(&address), address.key(), "{text}");
    }
}

//! Mails that come in another order than they were written.

use std::sync::atomic::Ordering;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::gateway::inquire::inquire;
use mailroom_shared::mail::inbound::Envelope;
use mailroom_shared::time::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::World;
use super::come;
use super::mail;
use crate::app::RECEIVING_HOST;
use crate::store::facts;
use crate::testing::Sqlite;
use crate::testing::tests::rows;

/// An answer to `to_id`.
fn answer(from: &str, id: &str, to_id: &str) -> String {
    let text = mail(from, "support@corp.test", "Re: Hatch", id, "It leaks more");
    text.replacen(
        "Message-ID:",
        &format!("In-Reply-To: <{to_id}>\r\nReferences: <root@c.test> <{to_id}>\r\nMessage-ID:"),
        1,
    )
}

fn first(from: &str, id: &str) -> String {
    mail(from, "support@corp.test", "Hatch", id, "It leaks")
}

#[test]
fn an_answer_that_overtook_its_mail_shares_the_record_with_it() {
    let world = World::new();
    let ann = "Ann <ann@customer.test>";
    come(&world.test, &answer(ann, "b@c.test", "a@c.test"), "support@corp.test");
    come(&world.test, &first(ann, "a@c.test"), "support@corp.test");
    let records = world.records();
    assert_eq!(records.len(), 1, "{records:?}");
    let all = world.messages(&records[0]["id"]);
    assert_eq!(all.len(), 2, "{all:?}");
    // Once more, as a mail server repeats it: nothing twice. And what answers the late one is at home too.
    come(&world.test, &first(ann, "a@c.test"), "support@corp.test");
    come(&world.test, &answer(ann, "c@c.test", "a@c.test"), "support@corp.test");
    assert_eq!((world.records().len(), world.messages(&records[0]["id"]).len()), (1, 3));
    // Known ids are not waited for, and the others not for ever.
    let waits = rows(&world.test, "SELECT rfc_id, message_id FROM awaited_ids");
    assert_eq!(waits.len(), 3, "<root@c.test> twice and <a@c.test> once: {waits:?}");
    let tick = || futures::executor::block_on(crate::cron::tick(&world.test.app));
    world.test.clock.0.fetch_add(13 * 86_400_000, Ordering::Relaxed);
    tick();
    assert_eq!(rows(&world.test, "SELECT 1 FROM awaited_ids").len(), 3);
    world.test.clock.0.fetch_add(2 * 86_400_000, Ordering::Relaxed);
    tick();
    assert!(rows(&world.test, "SELECT 1 FROM awaited_ids").is_empty());
}

#[test]
fn the_answer_of_somebody_else_only_suggests_and_one_click_moves() {
    let world = World::new();
    come(&world.test, &answer("Eve <eve@other.test>", "b@c.test", "a@c.test"), "support@corp.test");
    let eves = world.records()[0]["id"].clone();
    come(&world.test, &first("Ann <ann@customer.test>", "a@c.test"), "support@corp.test");
    assert_eq!(world.records().len(), 2, "she may have guessed the Message-ID");
    let anns = world.records().into_iter().find(|it| it["id"] != eves).unwrap()["id"].clone();
    let message = world.messages(&anns)[0].clone();
    assert_eq!(message["suggestion"]["record"], eves, "{message}");
    let path = format!("/api/v1/messages/{}/move", message["id"].as_str().unwrap());
    world.send("POST", &path, &json!({ "record": eves }));
    assert_eq!(world.messages(&eves).len(), 2);
    assert!(world.messages(&eves).iter().all(|it| it["suggestion"].is_null()));
}

#[test]
fn an_answer_that_comes_before_our_own_copy_is_joined_by_it() {
    let world = World::new();
    // A colleague writes by his own program with us in Cc; the customer's answer is quicker than the copy.
    come(&world.test, &answer("Ann <ann@customer.test>", "b@c.test", "mai-1@corp.test"), "support@corp.test");
    let record = world.records()[0]["id"].clone();
    let copy = mail("Mai <mai@corp.test>", "ann@customer.test", "Hatch", "mai-1@corp.test", "We are on it");
    let copy = copy.replacen("Subject:", "Cc: support@corp.test\r\nSubject:", 1);
    // In the name of the colleague, but not proven to be his: that gets nowhere near the record.
    let forged = copy.replacen("dmarc=pass", "dmarc=fail", 1).replacen("spf=pass", "spf=fail", 1);
    come(&world.test, &forged.replacen("dkim=pass", "dkim=fail", 1), "support@corp.test");
    assert_eq!((world.records().len(), world.messages(&record).len()), (1, 1));
    let held = world.incoming("held");
    assert_eq!(held[0]["reason"], "unauthenticated_insider", "{held:?}");
    world.act("discard", &held[0]["id"]);
    let copy = copy.replace("mai-1@", "mai-2@");
    come(&world.test, &answer("Ann <ann@customer.test>", "d@c.test", "mai-2@corp.test"), "support@corp.test");
    let second = world.records().into_iter().find(|it| it["id"] != record).unwrap()["id"].clone();
    come(&world.test, &copy, "support@corp.test");
    let all = world.messages(&second);
    assert_eq!((world.records().len(), all.len()), (2, 2), "{all:?}");
    assert!(all.iter().all(|it| it["held"] == Value::Null));
}

#[test]
fn every_question_of_a_decision_uses_an_index() {
    let envelope = Envelope { mail_from: None, rcpt_to: EmailAddress::parse("support@corp.test").unwrap() };
    let raw = answer("Ann <ann@customer.test>", "b@c.test", "a@c.test");
    let inquiry = inquire(&Arrival::read(envelope, raw.as_bytes(), RECEIVING_HOST), "s");
    let db = Sqlite::new();
    let statements = facts::travelling(&inquiry, Timestamp::from_millis(0));
    assert!(statements.len() > 1);
    // Lists of the inquiry itself, what was found before, and tables of a handful of rows.
    let small = ["json_each", "asked_", "(subquery", "CONSTANT ROW", "record_types", "domains"];
    let mut steps = 0;
    for statement in &statements {
        for step in db.plan(statement) {
            let is_fine =
                !step.starts_with("SCAN") || step.contains("USING") || small.iter().any(|it| step.contains(it));
            assert!(is_fine, "{step}\n{}", statement.sql);
            steps += 1;
        }
    }
    assert!(steps > 40, "{steps}");
}

//! Debian's Postfix both ways: Mailroom sends through it, and it sends to Mailroom.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::time::Duration;

use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::postfix::Postfix;
use mailroom_tests::postfix::Routes;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::*;
use serde_json::json;

/// Mail for the company goes to the front door, all else to the sink, as DNS would have it.
fn postfix(stack: &Stack) -> Postfix {
    let routes = Routes { domains: &[(DOMAIN, stack.front_door().unwrap())], others: stack.sink().address() };
    Postfix::start(&routes).unwrap()
}

fn is_possible() -> bool {
    let possible = Postfix::is_possible().unwrap();
    if !possible {
        eprintln!("left out: Postfix only runs as root");
    }
    possible
}

#[test]
fn as_outgoing_server_it_relays_and_its_report_turns_the_envelope_red() {
    if !is_possible() {
        return;
    }
    let mut relay = None;
    let (stack, api) = start_with("postfix-out", |stack| relay.insert(postfix(stack)).address().port());
    let relay = relay.unwrap();
    let new = json!({ "type": "order", "title": "Six stools", "email": "ok.ann@sink.test", "customer_name": "Ann" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let body = json!({ "text": "Dear Ann,\n\nthey ship on Friday.\n\n.\nMai", "cc": ["hard.bea@sink.test"] });
    let message = id(&post(&api, &record, body));
    send_now(&stack, &api, Duration::from_secs(11));

    // Postfix took both; what it says later is what counts.
    let mail = stack.sink().wait_for("ok.ann@sink.test", 1, SOON).unwrap().remove(0);
    assert!(mail.raw.contains("by relay.test (Postfix)"), "{}", mail.raw);
    assert!(mail.raw.contains("they ship on Friday.\r\n\r\n.\r\nMai"), "{}", mail.raw);
    assert!(mail.from.starts_with("bounce+"), "{}", mail.from);
    within(SOON, "the report of Postfix", &stack, || {
        (state_of(&api, &message, "hard.bea@sink.test") == "bounced").then_some(())
    });
    let dialog = deliveries(&api, &message);
    assert_eq!(dialog["envelope"]["state"], "failing", "{}", relay.log());
    let failed = dialog["deliveries"].as_array().unwrap().iter().find(|it| it["state"] == "bounced").unwrap();
    assert_eq!(failed["status"], "5.1.1");
    assert_eq!(failed["reply_code"], 550);
    assert_eq!(failed["reason"], "userunknown");
    assert_eq!(failed["permanent"], true);
    assert!(failed["server_text"].as_str().unwrap().contains("not known here"), "{failed}");
    assert_eq!(state_of(&api, &message, "ok.ann@sink.test"), "sent");
    // The report is no message of the conversation, and no record of its own.
    assert_eq!(messages(&api, &record).len(), 1);
    assert_eq!(records(&api).len(), 1);
    assert!(relay.queue().unwrap().is_empty(), "{:?}", relay.queue());
}

#[test]
fn as_sender_it_delivers_returns_what_was_refused_and_keeps_what_must_wait() {
    if !is_possible() {
        return;
    }
    let (stack, api) = start("postfix-in");
    let relay = postfix(&stack);
    let send = |to: &str, subject: &str| {
        let raw = Mail::new("Ann Reid <ok.ann@sink.test>", to, subject, "Hello\n.\n..\n").raw().unwrap();
        let sent = swaks(relay.address(), "ok.ann@sink.test", to, &raw, &[]).unwrap();
        assert!(sent.accepted, "{}", sent.transcript);
    };
    // Accepted.
    send("support@corp.example", "By relay");
    let record = id(&record_titled(&api, &stack, "By relay"));
    let first = messages(&api, &record);
    assert_eq!(first[0]["author_name"], "Ann Reid");
    assert_eq!(first[0]["text"].as_str().unwrap().trim(), "Hello\n.\n..");

    // Refused with 550: the sender has it back, with our words.
    send("nosuch@corp.example", "Anybody?");
    let report = stack.sink().wait_for("ok.ann@sink.test", 1, SOON).unwrap().remove(0);
    assert_eq!(report.from, "");
    assert!(report.raw.contains("Final-Recipient: rfc822; nosuch@corp.example"), "{}", report.raw);
    assert!(report.raw.contains("Status: 5.1.1"), "{}", report.raw);
    assert!(report.raw.contains("smtp; 550 5.1.1"), "{}", report.raw);

    // A fault of ours is a 451: Postfix keeps the mail, and its next try delivers it, once.
    api.post("/api/dev/switches", &json!({ "db": true })).unwrap().ok().unwrap();
    send("support@corp.example", "During an outage");
    let kept = within(SOON, "the deferral", &stack, || {
        relay.queue().unwrap().into_iter().find(|it| it["queue_name"] == "deferred")
    });
    let reason = kept["recipients"][0]["delay_reason"].as_str().unwrap();
    assert!(reason.contains("451 4.3.0"), "{reason}");
    api.post("/api/dev/switches", &json!({ "db": false })).unwrap().ok().unwrap();
    relay.flush().unwrap();
    record_titled(&api, &stack, "During an outage");
    within(SOON, "an empty queue", &stack, || relay.queue().unwrap().is_empty().then_some(()));
    assert_eq!(records(&api).len(), 2, "each once");
    assert_eq!(stack.sink().messages_to("ok.ann@sink.test").len(), 1, "no second report");
}

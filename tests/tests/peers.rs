//! Debian's Postfix on the other side: as our outgoing server, and as somebody who writes to us.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::time::Duration;

use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::postfix::Postfix;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use mailroom_tests::story::*;
use serde_json::json;

/// Its queue manager and bounce daemon take a second or two on a busy machine.
const RELAYED: Duration = Duration::from_secs(30);

fn relay(stack: &Stack) -> Postfix {
    Postfix::start(&[("corp.example", stack.front_door().unwrap()), ("sink.test", stack.sink().address())]).unwrap()
}

#[test]
fn postfix_sends_for_us_and_its_report_turns_the_envelope_red() {
    let stack = Stack::start(StackOptions::test("postfix-out")).unwrap();
    let postfix = relay(&stack);
    let api = set_up(&stack, postfix.address());
    let new = json!({ "type": "order", "title": "S1", "email": "ok.ann@sink.test", "customer_name": "Ann" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let message = id(&post(&api, &record, json!({ "text": "Your order", "cc": ["hard.postfix.bob@sink.test"] })));
    send_now(&stack, &api, Duration::from_secs(11));
    // The relay took both; what became of them shows later.
    assert_eq!(state_of(&api, &message, "ok.ann@sink.test"), "sent", "{}", postfix.log());
    within(RELAYED, "the answer behind the relay", &stack, || {
        (received(&stack, "ok.ann@sink.test").len() == 1).then_some(())
    });
    within(RELAYED, "the report of the relay", &stack, || {
        (state_of(&api, &message, "hard.postfix.bob@sink.test") == "bounced").then_some(())
    });
    let dialog = deliveries(&api, &message);
    assert_eq!(dialog["envelope"]["state"], "failing");
    let all = dialog["deliveries"].as_array().unwrap();
    let bounced = all.iter().find(|it| it["state"] == "bounced").unwrap();
    assert_eq!(bounced["reason"], "userunknown");
    assert_eq!(bounced["status"], "5.1.1");
    assert_eq!(bounced["permanent"], true);
    let text = bounced["server_text"].as_str().unwrap();
    assert!(text.contains("User unknown in virtual mailbox table"), "the words of the far server: {text}");
    assert_eq!(state_of(&api, &message, "ok.ann@sink.test"), "sent", "only its own recipient is marked");
    assert_eq!(records(&api).len(), 1, "a report is no message of its own");
}

#[test]
fn postfix_writes_to_us_bounces_what_we_refuse_and_repeats_what_we_could_not_take() {
    let stack = Stack::start(StackOptions::test("postfix-in")).unwrap();
    let postfix = relay(&stack);
    let api = set_up(&stack, stack.sink().address());
    let write = |to: &str, subject: &str| {
        let mail = Mail::new("Ann Reid <ok.ann@sink.test>", to, subject, "Hello").raw().unwrap();
        let sent = swaks(postfix.address(), "ok.ann@sink.test", to, &mail, &[]).unwrap();
        assert!(sent.accepted, "{}", sent.transcript);
    };
    write("support@corp.example", "By relay");
    within(RELAYED, "the record", &stack, || records(&api).into_iter().find(|it| it["title"] == "By relay"));

    write("nosuch@corp.example", "To nobody");
    let report = within(RELAYED, "the bounce to the sender", &stack, || {
        received(&stack, "ok.ann@sink.test").into_iter().find(|it| it.raw.contains("nosuch@corp.example"))
    });
    assert!(report.raw.contains("550 5.1.1"), "{}", report.raw);
    assert_eq!(get(&api, "/api/v1/refusals")["items"][0]["rcpt_to"], "nosuch@corp.example");

    api.post("/api/dev/switches", &json!({ "db": true })).unwrap().ok().unwrap();
    write("support@corp.example", "While down");
    within(RELAYED, "the relay to be told 451", &stack, || {
        postfix.queue().unwrap().contains("451 4.3.0").then_some(())
    });
    api.post("/api/dev/switches", &json!({ "db": false })).unwrap().ok().unwrap();
    postfix.flush().unwrap();
    within(RELAYED, "the record after the outage", &stack, || {
        records(&api).into_iter().find(|it| it["title"] == "While down")
    });
    within(RELAYED, "the relay's queue to be empty", &stack, || {
        postfix.queue().unwrap().trim().is_empty().then_some(())
    });
    assert_eq!(records(&api).iter().filter(|it| it["title"] == "While down").count(), 1);
}

//! Every mail is accounted for, through real SMTP and the running Worker: held and let in, refused and asked again,
//! unprocessed and replayed, loops that end by themselves, dead letters.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::thread;
use std::time::Duration;
use std::time::Instant;

use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::SwaksResult;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use serde_json::Value;
use serde_json::json;

const SOON: Duration = Duration::from_secs(15);

fn start(name: &str) -> (Stack, Client) {
    let stack = Stack::start(StackOptions::test(name)).unwrap();
    let form = json!({
        "company": "Corp", "name": "Mai Lindqvist", "email": "mai@corp.example", "password": "a good password",
        "domain": "corp.example", "language": "en",
        "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    });
    assert!(stack.set_up(&form).unwrap());
    let api = stack.client();
    api.login("mai@corp.example", "a good password").unwrap();
    (stack, api)
}

fn within<T>(what: &str, stack: &Stack, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + SOON;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "waited {SOON:?} for {what}\n{}", stack.log_tail(60));
        thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn get(api: &Client, path: &str) -> Value {
    api.get(path).unwrap().ok().unwrap()
}

#[track_caller]
fn post(api: &Client, path: &str, body: Value) -> Value {
    api.post(path, &body).unwrap().ok().unwrap()
}

fn items(api: &Client, path: &str) -> Vec<Value> {
    get(api, path)["items"].as_array().unwrap().clone()
}

fn incoming(api: &Client, show: &str) -> Vec<Value> {
    items(api, &format!("/api/v1/incoming?limit=200&show={show}"))
}

fn records(api: &Client) -> Vec<Value> {
    items(api, "/api/v1/records?limit=200")
}

fn send(stack: &Stack, from: &str, to: &str, raw: &[u8]) -> SwaksResult {
    swaks(stack.front_door().unwrap(), from, to, raw, &[]).unwrap()
}

#[test]
fn a_held_mail_is_let_in_and_the_colleague_who_answers_for_the_alias_is_told() {
    let (stack, api) = start("inbound-held");
    // A colleague who reads mail elsewhere, so that being told is a mail we can see.
    let colleague = json!({
        "name": "Bo", "email": "ok.bo@sink.test", "password": "a good password", "role": "agent",
    });
    let bo = post(&api, "/api/v1/users", colleague);
    let as_bo = stack.client();
    as_bo.login("ok.bo@sink.test", "a good password").unwrap();
    as_bo.patch("/api/v1/session", &json!({ "notify_by": "email" })).unwrap().ok().unwrap();
    let alias = json!({
        "address": "vip@corp.example", "creates": "ticket", "contact_rule": "known", "outcome": "hold", "owner": bo["user"],
    });
    post(&api, "/api/v1/aliases", alias);
    let raw = Mail::new("Eve <ok.eve@sink.test>", "vip@corp.example", "May I?", "Please").raw().unwrap();
    assert!(send(&stack, "ok.eve@sink.test", "vip@corp.example", &raw).accepted);
    let held = within("the held mail", &stack, || incoming(&api, "held").pop());
    assert_eq!(held["reason"], "contact_rule");
    assert!(records(&api).is_empty(), "no record for what nobody wanted yet");
    assert!(stack.sink().messages_to("ok.bo@sink.test").is_empty(), "and nobody is told");

    let done = post(&as_bo, "/api/v1/incoming/actions", json!({ "action": "release", "ids": [held["id"]] }));
    assert_eq!(done["done"][0], held["id"], "{done}");
    let record = records(&api).remove(0);
    assert_eq!(record["title"], "May I?");
    stack.cron(None).unwrap();
    let told = stack.sink().wait_for("ok.bo@sink.test", 1, SOON).unwrap();
    assert_eq!(told.len(), 1, "told once");
    let again = post(&api, "/api/v1/incoming/actions", json!({ "action": "release", "ids": [held["id"]] }));
    assert_eq!(again["skipped"], 1, "released once");
    // The same mail again is a duplicate, and the next one passes.
    assert!(send(&stack, "ok.eve@sink.test", "vip@corp.example", &raw).accepted);
    within("the duplicate in the journal", &stack, || {
        incoming(&api, "ignored").into_iter().find(|it| it["reason"] == "duplicate")
    });
    let raw = Mail::new("Eve <ok.eve@sink.test>", "vip@corp.example", "Thanks", "!").raw().unwrap();
    assert!(send(&stack, "ok.eve@sink.test", "vip@corp.example", &raw).accepted);
    within("the second record", &stack, || (records(&api).len() == 2).then_some(()));
}

#[test]
fn a_refused_mail_would_get_in_once_the_alias_exists() {
    let (stack, api) = start("inbound-refused");
    let raw = Mail::new("Ann <ok.ann@sink.test>", "new@corp.example", "Hello?", "Private words").raw().unwrap();
    let sent = send(&stack, "ok.ann@sink.test", "new@corp.example", &raw);
    assert!(!sent.accepted && sent.transcript.contains("550 5.1.1"), "{}", sent.transcript);
    let row = incoming(&api, "refused").remove(0);
    let check = format!("/api/v1/incoming/{}/check", row["id"].as_str().unwrap());
    assert_eq!(post(&api, &check, Value::Null)["decision"], "refused");
    post(&api, "/api/v1/aliases", json!({ "address": "new@corp.example", "creates": "lead" }));
    let now = post(&api, &check, Value::Null);
    assert_eq!((&now["decision"], &now["routes"][0]["type"]), (&json!("accepted"), &json!("lead")), "{now}");
    assert!(records(&api).is_empty() && incoming(&api, "all").len() == 1, "asking wrote nothing");
    assert!(send(&stack, "ok.ann@sink.test", "new@corp.example", &raw).accepted, "and it is true");
    within("the record", &stack, || records(&api).pop());
    let found = items(&api, "/api/v1/incoming?q=ok.ann@sink.test");
    assert_eq!(found.len(), 2, "months later both can be found: {found:?}");
}

#[test]
fn what_the_queue_gave_up_is_drained_into_the_tray_and_replayed_once() {
    let (stack, api) = start("inbound-dlq");
    let switch = |fault: &str, on: bool| post(&api, "/api/dev/switches", json!({ fault: on }));
    // Accepted while the nudges are lost, then the storage breaks: the mail waits and is not lost.
    switch("jobs", true);
    let raw = Mail::new("Ann <ok.ann@sink.test>", "support@corp.example", "Hatch", "It leaks").raw().unwrap();
    assert!(send(&stack, "ok.ann@sink.test", "support@corp.example", &raw).accepted);
    switch("jobs", false);
    let waiting = incoming(&api, "all").remove(0);
    assert_eq!(waiting["fate"], "waiting", "{waiting}");
    let id = waiting["id"].as_str().unwrap().to_owned();
    switch("blobs", true);
    let letters = json!({ "queue": "mailroom-jobs-dlq", "bodies": [{ "job": "ingest", "id": id }] });
    post(&api, "/api/dev/queue", letters.clone());
    let tray = incoming(&api, "unprocessed");
    assert_eq!((tray.len(), &tray[0]["reason"]), (1, &json!("dead_letter")), "{tray:?}");
    assert_eq!(get(&api, "/api/v1/shell")["unprocessed"], 1);
    let replay = json!({ "action": "replay", "all": {} });
    let failed = post(&api, "/api/v1/incoming/actions", replay.clone());
    assert_eq!((&failed["skipped"], &failed["left"]), (&json!(1), &json!(0)), "the storage is still away: {failed}");
    assert_eq!(incoming(&api, "unprocessed")[0]["reason"], "storage");
    switch("blobs", false);
    let done = post(&api, "/api/v1/incoming/actions", replay);
    assert_eq!(done["done"][0], json!(id), "{done}");
    assert_eq!(records(&api).len(), 1);
    // The letter comes again, and a person tries again: nothing twice.
    post(&api, "/api/dev/queue", letters);
    post(&api, "/api/v1/incoming/actions", json!({ "action": "replay", "ids": [id] }));
    stack.cron(None).unwrap();
    assert_eq!(records(&api).len(), 1);
    assert!(incoming(&api, "unprocessed").is_empty());
    let view = get(&api, &format!("/api/v1/incoming/{id}"));
    let kinds: Vec<&str> = view["events"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    let told = |it: &&str| !matches!(*it, "write_failed" | "written");
    let acts: Vec<&str> = kinds.iter().copied().filter(told).collect();
    assert_eq!(acts, ["given_up", "replay", "replay"], "its history is told: {view}");
    assert_eq!(kinds.iter().filter(|it| **it == "written").count(), 1, "written once: {view}");
}

/// Passes on what the sink got for one address to another, as a forwarder that knows no manners: new Message-ID, no header
/// of ours. Returns what our side said.
fn forward(stack: &Stack, seen: &mut usize, from: &str, to: &str) -> Vec<bool> {
    let got = stack.sink().messages_to(from);
    let fresh = got.len() - *seen;
    let out = (0..fresh)
        .map(|_| {
            let raw = Mail::new(&format!("Loop <{from}>"), to, "Round and round", "Here it is again").raw().unwrap();
            send(stack, from, to, &raw).accepted
        })
        .collect();
    *seen = got.len();
    out
}

#[test]
fn two_domains_that_write_to_each_other_stop_by_themselves() {
    let (stack, api) = start("inbound-loop");
    post(&api, "/api/v1/domains", json!({ "name": "second.example" }));
    // Two records, each followed by a mailbox whose owner sends everything on to the other domain's alias.
    let mut aliases = Vec::new();
    for (domain, follower) in [("corp.example", "ok.one@sink.test"), ("second.example", "ok.two@sink.test")] {
        let record =
            post(&api, "/api/v1/records", json!({ "type": "ticket", "title": domain, "email": "ok.ann@sink.test" }));
        let id = record["id"].as_str().unwrap();
        post(&api, &format!("/api/v1/records/{id}/followers"), json!({ "email": follower, "name": follower }));
        let address = format!("loop@{domain}");
        post(&api, "/api/v1/aliases", json!({ "address": address, "record": id }));
        aliases.push((address, follower));
    }
    let first = Mail::new("Ann <ok.ann@sink.test>", &aliases[0].0, "Round", "Go").raw().unwrap();
    assert!(send(&stack, "ok.ann@sink.test", &aliases[0].0, &first).accepted);
    let (mut one, mut two) = (0, 0);
    let (mut rounds, mut quiet, mut refused) = (0, 0, 0);
    // Five seconds without a mail: it is over.
    while quiet < 20 {
        assert!(rounds < 500, "the loop goes on: {} mails came", incoming(&api, "all").len());
        rounds += 1;
        stack.cron(None).unwrap();
        let mut answers = forward(&stack, &mut one, aliases[0].1, &aliases[1].0);
        answers.extend(forward(&stack, &mut two, aliases[1].1, &aliases[0].0));
        refused += answers.iter().filter(|it| !**it).count();
        quiet = if answers.is_empty() { quiet + 1 } else { 0 };
        thread::sleep(Duration::from_millis(250 * u64::from(quiet > 0)));
    }
    let all = incoming(&api, "all");
    assert!(refused >= 1, "somebody was told no");
    assert!(all.len() <= 60, "bounded: {}", all.len());
    let paused = get(&api, "/api/v1/paused");
    assert!(paused.as_array().unwrap().iter().any(|it| it["reason"] == "loop"), "{paused}");
    // What comes meanwhile is held, and nothing leaves because of it.
    let before = stack.sink().store().total();
    let looper = paused[0]["address"].as_str().unwrap().to_owned();
    let raw = Mail::new(&looper, "support@corp.example", "Still here", "x").raw().unwrap();
    assert!(send(&stack, &looper, "support@corp.example", &raw).accepted);
    within("the held mail", &stack, || incoming(&api, "held").into_iter().find(|it| it["reason"] == "paused"));
    stack.cron(None).unwrap();
    assert_eq!(stack.sink().store().total(), before);
}

#[test]
fn an_absence_note_is_posted_marked_and_never_answered() {
    let (stack, api) = start("inbound-ooo");
    let new = json!({ "type": "order", "title": "S1", "email": "ooo.fay@sink.test", "customer_name": "Fay" });
    let record = post(&api, "/api/v1/records", new);
    let id = record["id"].as_str().unwrap().to_owned();
    post(&api, &format!("/api/v1/records/{id}/followers"), json!({ "email": "ok.gil@sink.test", "name": "Gil" }));
    post(
        &api,
        &format!("/api/v1/records/{id}/messages"),
        json!({ "mode": "message", "text": "Your order", "key": "k" }),
    );
    post(&api, "/api/dev/switches", json!({ "clock_offset": 11_000 }));
    stack.cron(None).unwrap();
    let note = within("the absence note", &stack, || {
        let all = items(&api, &format!("/api/v1/records/{id}/messages?limit=50"));
        all.into_iter().find(|it| it["automatic"] == "auto-reply")
    });
    assert!(note["held"].is_null(), "it belongs on its thread: {note}");
    assert!(get(&api, &format!("/api/v1/records/{id}"))["waiting_since"].is_null(), "nobody waits for an answer");
    let sent = stack.sink().store().total();
    for minute in 1..4 {
        post(&api, "/api/dev/switches", json!({ "clock_offset": 11_000 + minute * 60_000 }));
        stack.cron(None).unwrap();
    }
    assert_eq!(stack.sink().store().total(), sent, "nothing answers it, nothing passes it on");
    assert_eq!(records(&api).len(), 1);
}

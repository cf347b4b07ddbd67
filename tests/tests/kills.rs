//! SIGKILL to the running Worker between every two effects of one mail's way in. The Worker counts its effects and stands
//! still before the one that was asked for; then the process is ended there. The peer comes again as any mail server does.
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
use mailroom_tests::story::*;
use serde_json::Value;
use serde_json::json;

const TO: &str = "support@corp.example";
const FILE: &[u8] = b"valve,leaks\n7,yes\n";
/// The mail is written and nothing is under way: the last effect was this one, and none came for so long.
const LAST: &str = "queue acknowledge";
const QUIET: Duration = Duration::from_secs(2);

fn switches(api: &Client, body: Value) -> Value {
    api.post("/api/dev/switches", &body).unwrap().ok().unwrap()["halt"].clone()
}

/// Waits until the Worker stands, and says before what; `None` when it went through to the end.
fn stand(api: &Client, stack: &Stack) -> Option<String> {
    let mut seen = (Value::Null, Instant::now());
    within(Duration::from_secs(30), "the Worker to stand still or to be done", stack, || {
        let halt = switches(api, json!({}));
        if let Some(what) = halt["halted"].as_str() {
            return Some(Some(what.split_whitespace().take(4).collect::<Vec<_>>().join(" ")));
        }
        if seen.0 != halt["effects"] {
            seen = (halt["effects"].clone(), Instant::now());
        }
        (halt["last"] == LAST && seen.1.elapsed() > QUIET).then_some(None)
    })
}

#[test]
fn killed_between_every_two_effects_on_the_way_in_a_mail_is_there_once() {
    let (mut stack, api) = start("kills");
    let door = stack.front_door().unwrap();
    let mut points: Vec<String> = Vec::new();
    let mut told_to_retry = 0;
    loop {
        let n = points.len();
        let title = format!("Round {n}");
        let from = format!("ok.p{n}@sink.test");
        let raw = Mail::new(&from, TO, &title, "It leaks").attach("text/csv", "leaks.csv", FILE).raw().unwrap();
        let hand_over = || swaks(door, &from, TO, &raw, &[]).unwrap();
        switches(&api, json!({ "halt": n }));
        let (point, sent): (Option<String>, SwaksResult) = thread::scope(|scope| {
            let peer = scope.spawn(hand_over);
            let point = stand(&api, &stack);
            if point.is_some() {
                stack.kill_hard().unwrap();
            }
            (point, peer.join().unwrap())
        });
        let at = point.clone().unwrap_or_else(|| "nowhere".to_owned());
        if point.is_some() {
            stack.restart().unwrap();
        }
        // The process is new and so is its clock; it must not go back.
        set_clock(&api, Duration::from_mins(2 * (n as u64 + 1)));
        if sent.accepted {
            assert!(sent.transcript.contains("250 2.0.0"), "{at}: {}", sent.transcript);
        } else {
            assert!(sent.transcript.contains("451 4.3.0"), "before {at}: {}", sent.transcript);
            told_to_retry += 1;
            let again = hand_over();
            assert!(again.accepted, "before {at}: {}", again.transcript);
        }
        switches(&api, json!({ "halt": -1 }));
        // What was accepted and whose nudge died with the process is found by the minute's sweep.
        stack.cron(None).unwrap();
        let record = record_titled(&api, &stack, &title);
        let all = messages(&api, &id(&record));
        assert_eq!(all.len(), 1, "before {at}: {all:?}");
        let files = all[0]["attachments"].as_array().unwrap();
        assert_eq!(files.len(), 1, "before {at}: {files:?}");
        let got = api.get(&format!("/api/v1/attachments/{}", id(&files[0]))).unwrap();
        assert_eq!(got.bytes, FILE, "before {at}");
        let Some(point) = point else { break };
        points.push(point);
        assert!(points.len() < 60, "it never ends: {points:#?}");
    }
    println!("killed before each of {} effects: {points:#?}", points.len());
    println!("the peer was told to come again {told_to_retry} times");
    for kind in ["answer to the peer", "R2 put", "R2 get", "queue send", LAST] {
        assert!(points.iter().any(|it| it == kind), "no point at {kind}: {points:#?}");
    }
    let n_accepted = points.iter().position(|it| it == "answer to the peer").unwrap() + 1;
    assert_eq!(told_to_retry, n_accepted, "451 for each of the points up to the answer, and for none after it");
    // Late nudges and sweeps do nothing twice.
    set_clock(&api, Duration::from_hours(3));
    stack.cron(None).unwrap();
    let mut titles: Vec<String> = records(&api).iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    let before = titles.len();
    titles.dedup();
    assert_eq!((before, titles.len()), (points.len() + 1, points.len() + 1), "{titles:?}");
    let journal = get(&api, "/api/v1/incoming?show=all&limit=200");
    for row in journal["items"].as_array().unwrap() {
        let is_fine = row["fate"] == "written" || row["reason"] == "duplicate";
        assert!(is_fine, "{row}");
    }
}

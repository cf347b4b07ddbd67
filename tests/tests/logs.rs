//! *Email is not received*: a mail in, an answer out, a refusal, all found in the log, the search and their traces; a day
//! file that is the day; a canary through the whole loop. Through real SMTP and the running Worker.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::time::Duration;
use std::time::SystemTime;

use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::story;
use mailroom_tests::story::SOON;
use mailroom_tests::story::get;
use mailroom_tests::story::within;
use serde_json::Value;
use serde_json::json;

const DAY: i64 = 86_400_000;

fn lines(api: &Client, query: &str) -> Vec<Value> {
    let mut out = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(api, &format!("/api/v1/logs?{query}{cursor}"));
        out.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return out };
        cursor = format!("&cursor={next}");
    }
}

fn kinds(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|it| it["kind"].as_str().unwrap()).collect()
}

fn ask(api: &Client, question: &str) -> Value {
    get(
        api,
        &format!("/api/v1/mails?offset=0&q={}", question.replace(' ', "+").replace('<', "%3C").replace('>', "%3E")),
    )
}

/// A mail in, an answer out, a refusal.
fn a_day(stack: &Stack, api: &Client) -> String {
    let door = stack.front_door().unwrap();
    let mail = Mail::new("Ann Reid <ok.ann@sink.test>", "support@corp.example", "Leaking hatch", "It leaks")
        .message_id("1@sink.test")
        .raw()
        .unwrap();
    assert!(swaks(door, "ok.ann@sink.test", "support@corp.example", &mail, &[]).unwrap().accepted);
    let record = story::id(&story::record_titled(api, stack, "Leaking hatch"));
    let lost = Mail::new("Carl <ok.carl@sink.test>", "nobody@corp.example", "Anybody there?", "Hello").raw().unwrap();
    assert!(!swaks(door, "ok.carl@sink.test", "nobody@corp.example", &lost, &[]).unwrap().accepted);
    story::post(api, &record, json!({ "text": "We come on Monday." }));
    story::send_now(stack, api, Duration::from_secs(11));
    within(SOON, "the answer", stack, || story::received(stack, "ok.ann@sink.test").pop());
    record
}

#[test]
fn a_mail_an_answer_and_a_refusal_are_in_log_search_and_trace() {
    let (stack, api) = story::start("logs");
    a_day(&stack, &api);
    let all = within(SOON, "the hand-over", &stack, || {
        let all = lines(&api, "");
        kinds(&all).contains(&"handed_over").then_some(all)
    });
    for kind in ["received", "decided", "written", "refused", "queued", "connected", "answered", "handed_over"] {
        assert!(kinds(&all).contains(&kind), "{kind}: {:?}", kinds(&all));
    }
    // Every answer of the server, and no secret.
    let talk: Vec<String> = lines(&api, "direction=out")
        .iter()
        .rev()
        .map(|it| it["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    let order = ["220 ", "MAIL FROM:", "RCPT TO:<ok.ann@sink.test> → 250", "DATA → 354", "250 2.0.0 Ok: queued as"];
    let mut from = 0;
    for step in order {
        let at = talk.iter().skip(from).position(|it| it.contains(step));
        from += at.unwrap_or_else(|| panic!("{step} after {from} in {talk:#?}"));
    }
    let server = all.iter().find(|it| it["kind"] == "handed_over").unwrap()["server"].clone();
    assert!(server.as_str().is_some_and(|it| !it.is_empty()));
    assert_eq!(kinds(&lines(&api, "address=ok.carl@sink.test&level=error")), ["refused"]);

    // "What happened to the mail from Ann around now?", in both languages.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() % 86_400;
    let time = format!("{:02}:{:02}", now / 3_600, now / 60 % 60);
    let question = format!("what happened to the mail from ok.ann@sink.test around {time}");
    let asked = ask(&api, &question);
    assert_eq!(asked["question"]["address"], "ok.ann@sink.test", "{asked}");
    assert_eq!(asked["mails"][0]["outcome"]["in"]["fate"], "written", "{asked}");
    let refused = ask(&api, "thu+tu+ok.carl@sink.test+hom+nay");
    assert_eq!(refused["mails"][0]["outcome"]["in"]["reason"], "no_such_address", "{refused}");
    let sent = ask(&api, "mail to ok.ann@sink.test");
    assert_eq!(sent["mails"][0]["outcome"]["out"]["state"], "sent", "{sent}");
    let id = get(&api, &format!("/api/v1/trace/{}", sent["mails"][0]["trace"].as_str().unwrap()))["message_id"].clone();
    let by_id = ask(&api, id.as_str().unwrap());
    assert_eq!(by_id["mails"][0]["trace"], sent["mails"][0]["trace"], "by its Message-ID: {by_id}");

    let came = get(&api, &format!("/api/v1/trace/{}", asked["mails"][0]["trace"].as_str().unwrap()));
    assert_eq!((&came["fate"], &came["record_number"]), (&json!("written"), &json!("T00001")));
    let stops: Vec<&str> = came["way"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(stops.get(1..), Some(&["mx.cloudflare.net", "Mailroom"][..]), "{stops:?}");
    assert_eq!(came["checks"]["trusted"], true);
    assert_eq!(kinds(came["lines"].as_array().unwrap()), ["received", "decided", "written"]);
    let original = api.get(came["original"].as_str().unwrap()).unwrap().text();
    assert!(original.contains("Subject: Leaking hatch"), "{original}");
    let no = get(&api, &format!("/api/v1/trace/{}", refused["mails"][0]["trace"].as_str().unwrap()));
    assert!(no["answer"].as_str().unwrap().starts_with("550 5.1.1"), "{no}");
}

#[test]
fn a_day_file_is_the_day() {
    let (stack, api) = story::start("logs-day");
    a_day(&stack, &api);
    within(SOON, "the hand-over", &stack, || kinds(&lines(&api, "kind=handed_over")).first().map(|_| ()));
    // To 05:00:30, when the day may still be written to, then to 05:02.
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let cut = ((now + 30_000) - 5 * 3_600_000).div_euclid(DAY) * DAY + DAY + 5 * 3_600_000;
    let ahead = |at: i64| Duration::from_millis(u64::try_from(at - now).unwrap());
    story::send_now(&stack, &api, ahead(cut + 10_000));
    story::send_now(&stack, &api, ahead(cut + 120_000));
    let file = within(SOON, "the file", &stack, || {
        let files = get(&api, "/api/v1/logs/files");
        let found = files.as_array().unwrap().iter().find(|it| it["ends"] == cut).cloned();
        found.filter(|it| it["complete"] == true)
    });
    let day = file["day"].as_str().unwrap();
    let text = api.get(&format!("/api/v1/logs/files/{day}")).unwrap().text();
    let written: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let mut expected = lines(&api, &format!("limit=7&since={}&until={cut}", cut - DAY));
    expected.reverse();
    assert!(written.len() > 10, "{text}");
    assert_eq!(written, expected);
    assert_eq!(file["lines"], written.len());
}

#[test]
fn a_canary_flies_through_the_whole_loop() {
    let (stack, api) = story::start("logs-canary");
    let sent = api.post("/api/v1/status/canary", &json!({})).unwrap().ok().unwrap();
    assert!(sent["answer"].as_str().unwrap().starts_with("250"), "{sent}");
    let path = format!("/api/v1/status/canary/{}", sent["id"].as_str().unwrap());
    let back = within(SOON, "the canary", &stack, || Some(get(&api, &path)).filter(|it| it["state"] == "back"));
    let stops: Vec<&str> = back["way"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(stops.contains(&"mx.sink.test") && stops.contains(&"mx.cloudflare.net"), "{stops:?}");
    assert!(story::records(&api).is_empty(), "a canary is no ticket");
    assert_eq!(get(&api, "/api/v1/status")["canary"]["state"], "back");
    assert_eq!(kinds(&lines(&api, "direction=house")), ["canary_back", "canary_sent"]);
}

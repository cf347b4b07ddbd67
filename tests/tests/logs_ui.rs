//! *Email is not received* in the page, by clicks in real Chromium: ask the top search, open the trace, read the log, send a
//! canary; every screen in both languages, themes and widths.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::story;
use mailroom_tests::story::SOON;
use mailroom_tests::story::get;
use mailroom_tests::story::within;
use serde_json::json;

/// A mail that lay at one host, an answer that was refused, a refusal.
fn world(name: &str) -> (Stack, Client) {
    let (stack, api) = story::start(name);
    let door = stack.front_door().unwrap();
    let slow = Mail::new("Ann Reid <hard.ann@sink.test>", "support@corp.example", "Leaking hatch", "It leaks")
        .message_id("1@sink.test")
        .raw()
        .unwrap();
    let mut mail = b"Received: from relay.sink.test (relay.sink.test [192.0.2.9]) by mx.nordpost.test with ESMTPS id 2; Tue, 24 Nov 2026 10:00:20 +0000\r\n\
        Received: from [10.0.0.14] by smtp.sink.test with ESMTPSA id 1; Tue, 24 Nov 2026 10:00:02 +0000\r\n"
        .to_vec();
    mail.extend_from_slice(&slow);
    assert!(swaks(door, "hard.ann@sink.test", "support@corp.example", &mail, &[]).unwrap().accepted);
    let lost = Mail::new("Carl <ok.carl@sink.test>", "nobody@corp.example", "Anybody there?", "Hello").raw().unwrap();
    assert!(!swaks(door, "ok.carl@sink.test", "nobody@corp.example", &lost, &[]).unwrap().accepted);
    let record = story::id(&story::record_titled(&api, &stack, "Leaking hatch"));
    story::post(&api, &record, json!({ "text": "We come on Monday." }));
    story::send_now(&stack, &api, Duration::from_secs(11));
    within(SOON, "the refusal of the answer", &stack, || {
        let lines = get(&api, "/api/v1/logs?kind=not_taken");
        (!lines["items"].as_array().unwrap().is_empty()).then_some(())
    });
    (stack, api)
}

fn browser(stack: &Stack, api: &Client) -> Browser {
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(api).unwrap();
    browser
}

#[test]
fn somebody_asks_what_happened_and_reads_the_trace() {
    let (stack, api) = world("ui-logs");
    let browser = browser(&stack, &api);
    browser.open("/").unwrap();
    browser.find(".rail").unwrap();
    browser.fill(".topbar input[type=search]", "what happened to the mail from hard.ann@sink.test today").unwrap();
    browser.press_enter().unwrap();
    browser.click_text("[data-mails] a", "Leaking hatch").unwrap();
    browser.find("[data-fate=written]").unwrap();
    browser.find("[data-hop='mx.nordpost.test'] .slow").unwrap();
    browser.find("[data-log=written]").unwrap();
    browser.find("[data-check=dkim]").unwrap();
    // From the message on the record to the same trace, and to that of the answer.
    browser.click_text(".acts a", "Open T00001").unwrap();
    browser.click(".msg--out [aria-haspopup=menu]").unwrap();
    browser.click_text("[role=menuitem]", "Trace").unwrap();
    browser.find("[data-log=not_taken]").unwrap();
    browser.find_text("[data-delivery]", "550 5.1.1").unwrap();

    browser.open("/technical/logs?level=error").unwrap();
    browser.find("tr[data-log=not_taken]").unwrap();
    browser.wait_gone("tr[data-log=received]").unwrap();
    browser.open("/technical/logs?q=ok.carl@sink.test").unwrap();
    browser.click_text("tr[data-log=refused] a", "Trace").unwrap();
    browser.find("[data-fate=refused]").unwrap();
    // A line comes while somebody looks.
    browser.open("/technical/logs").unwrap();
    browser.find("tr[data-log=received]").unwrap();
    let door = stack.front_door().unwrap();
    let more = Mail::new("Dora <ok.dora@sink.test>", "nobody@corp.example", "Live", "Hello").raw().unwrap();
    assert!(!swaks(door, "ok.dora@sink.test", "nobody@corp.example", &more, &[]).unwrap().accepted);
    browser.find_text("tr[data-log=refused] td", "ok.dora@sink.test").unwrap();

    browser.open("/technical/status").unwrap();
    browser.click_text("button", "Send a canary").unwrap();
    browser.find("[data-canary=back]").unwrap();
    browser.find("[data-hop='mx.sink.test']").unwrap();
}

#[test]
fn every_screen_of_the_log_in_both_languages_and_themes() {
    let (stack, api) = world("ui-logs-pages");
    api.post("/api/v1/status/canary", &json!({})).unwrap().ok().unwrap();
    within(SOON, "the canary", &stack, || {
        Some(get(&api, "/api/v1/status")).filter(|it| it["canary"]["state"] == "back").map(|_| ())
    });
    api.post("/api/v1/actions/log_rotation/runs", &json!(null)).unwrap().ok().unwrap();
    let trace = |direction: &str| {
        let mails = get(&api, "/api/v1/mails?offset=0&q=hard.ann@sink.test")["mails"].as_array().unwrap().clone();
        let found = mails.into_iter().find(|it| it["outcome"].get(direction).is_some()).unwrap();
        format!("/trace/{}", found["trace"].as_str().unwrap())
    };
    let refused = get(&api, "/api/v1/mails?offset=0&q=ok.carl@sink.test")["mails"][0]["trace"].clone();
    let pages = [
        ("logs", "/technical/logs".to_owned()),
        ("trace-in", trace("in")),
        ("trace-out", trace("out")),
        ("trace-refused", format!("/trace/{}", refused.as_str().unwrap())),
        ("status", "/technical/status".to_owned()),
        ("search", "/search?q=mail%20from%20hard.ann@sink.test%20today".to_owned()),
    ];
    let browser = browser(&stack, &api);
    let mut wrong = Vec::new();
    for (language, dark, width) in [("en", false, 1440), ("vi", true, 1440), ("en", true, 390), ("vi", false, 390)] {
        api.patch("/api/v1/session", &json!({ "language": language })).unwrap().ok().unwrap();
        browser.set_size(width, 900).unwrap();
        browser.set_dark(dark).unwrap();
        for (name, page) in &pages {
            browser.open(page).unwrap();
            browser.find("main h1").unwrap();
            browser.wait_gone("main .sk, main [aria-busy=true]").unwrap();
            if *name == "search" {
                browser.find("[data-mails]").unwrap();
            }
            let name = format!("log-{name}-{language}-{}-{width}", if dark { "dark" } else { "light" });
            browser.screenshot(&name).unwrap();
            let errors = browser.console_errors().unwrap();
            let findings = browser.accessibility_findings().unwrap();
            wrong.extend(errors.into_iter().chain(findings).map(|it| format!("{name}: {it}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

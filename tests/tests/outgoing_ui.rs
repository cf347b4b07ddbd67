//! The pages about outgoing mail in real Chromium: no console error, no serious accessibility finding, and what people do
//! there works.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use serde_json::json;

/// All that the console and axe-core say of the page as it is.
fn look(browser: &Browser, what: &str, wrong: &mut Vec<String>) {
    browser.screenshot(what).unwrap();
    // The browser itself reports an answer of 422; the form shows what is wrong.
    let errors = browser.console_errors().unwrap().into_iter().filter(|it| !it.contains("422"));
    let findings = browser.accessibility_findings().unwrap();
    wrong.extend(errors.chain(findings).map(|it| format!("{what}: {it}")));
}

fn tick(stack: &Stack, api: &Client, ahead: Duration) {
    let offset = i64::try_from(ahead.as_millis()).unwrap();
    api.post("/api/dev/switches", &json!({ "clock_offset": offset })).unwrap().ok().unwrap();
    stack.cron(None).unwrap();
}

#[test]
fn servers_limits_actions_and_the_queue() {
    let stack = Stack::start(StackOptions::test("ui-outgoing")).unwrap();
    let port = stack.sink().address().port();
    let form = json!({
        "company": "Haldenmoss", "name": "Mai Lindqvist", "email": "mai@corp.example", "password": "a good password",
        "domain": "corp.example", "language": "en", "smtp": { "host": "127.0.0.1", "port": port },
    });
    assert!(stack.set_up(&form).unwrap());
    let api = stack.client();
    api.login("mai@corp.example", "a good password").unwrap();
    let new = json!({ "type": "order", "title": "Twelve chairs", "email": "ok.ann@sink.test" });
    let record = api.post("/api/v1/records", &new).unwrap().ok().unwrap();
    let to: Vec<String> =
        (0..70).map(|i| format!("{}.p{i}@sink.test", if i % 9 == 0 { "hard" } else { "ok" })).collect();
    let path = format!("/api/v1/records/{}/messages", record["id"].as_str().unwrap());
    let body = json!({ "mode": "message", "text": "Your order", "bcc": to });
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.fill("[type=email]", "mai@corp.example").unwrap();
    browser.fill("[type=password]", "a good password").unwrap();
    browser.press_enter().unwrap();
    browser.find(".rail").unwrap();
    let mut wrong = Vec::new();

    // The server gets a limit and is tested before it is saved.
    browser.open("/settings/servers").unwrap();
    browser.click("[data-server] button.link").unwrap();
    browser.fill("[name=name]", "Relay").unwrap();
    browser.fill("[name=daily_limit]", "40").unwrap();
    browser.click_text("button", "Test connection").unwrap();
    browser.find("[data-test=ok]").unwrap();
    look(&browser, "servers-form", &mut wrong);
    browser.click_text(".dialog-foot button", "Save").unwrap();
    browser.find_text("[data-server]", "Relay").unwrap();
    browser.fill("form [name=from]", "ann@else.example").unwrap();
    browser.fill("form [name=to]", "x@customer.example").unwrap();
    browser.click_text("button", "Simulate").unwrap();
    browser.find_text("[data-simulation]", "It leaves by Relay").unwrap();
    look(&browser, "servers", &mut wrong);
    // Not before: it would leave by itself while there is no limit yet.
    api.post(&path, &body).unwrap().ok().unwrap();

    // Places that refused mails gave back are used in the minutes after.
    for seconds in [11, 80, 150, 220, 290, 360, 430] {
        tick(&stack, &api, Duration::from_secs(seconds));
    }
    browser.open("/settings/limits").unwrap();
    browser.find_text("[data-meter]", "of 40 today").unwrap();
    browser.find_text("main", "The limit is reached").unwrap();
    look(&browser, "limits", &mut wrong);

    browser.open("/emails?filter=not_delivered").unwrap();
    browser.find_text("main", "daily limit").unwrap();
    browser.find("[data-delivery] [data-delay=limit]").unwrap();
    look(&browser, "emails", &mut wrong);
    // All that match: more rows than were loaded are held in one go.
    browser.open("/emails?filter=all").unwrap();
    browser.find("[data-delivery]").unwrap();
    // Rows that come after the click are not selected by it: then it takes another.
    for _ in 0..3 {
        browser.click("thead .check").unwrap();
        if browser.find_text("button", "Select all that match").is_ok() {
            break;
        }
    }
    browser.click_text("button", "Select all that match").unwrap();
    browser.find_text("[data-selected]", "All 71 that match").unwrap();
    look(&browser, "emails-all", &mut wrong);
    browser.click_text("button", "Hold").unwrap();
    browser.find_text("body", "emails held").unwrap();
    let held = api.get("/api/v1/emails?wait=held&limit=200").unwrap().ok().unwrap();
    assert!(held["items"].as_array().unwrap().len() > 20, "{held}");

    browser.open("/technical/actions").unwrap();
    browser.find_text("[data-action=queue_manager]", "every 60 min").unwrap();
    browser.click("[data-action=auto_vacuum] .acts .btn").unwrap();
    browser.find_text("[data-action=auto_vacuum]", "done").unwrap();
    browser.click("[data-action=queue_manager] button[aria-expanded]").unwrap();
    browser.fill("[name=interval]", "4").unwrap();
    browser.click_text(".sub-row button", "Save").unwrap();
    browser.find_text(".sub-row", "5 minutes at least").unwrap();
    look(&browser, "actions", &mut wrong);

    // The next day there is room, and a domain asks for less: its second answer to us is that we are too many.
    let day = Duration::from_hours(24);
    let body = json!({ "mode": "message", "text": "And one more", "bcc": ["soft.s@slow.sink.test"] });
    api.post("/api/dev/switches", &json!({ "clock_offset": day.as_millis() as u64 })).unwrap().ok().unwrap();
    api.post(&path, &body).unwrap().ok().unwrap();
    for seconds in [11, 80, 150] {
        tick(&stack, &api, day + Duration::from_secs(seconds));
    }
    browser.open("/settings/servers").unwrap();
    browser.find_text("main", "slow.sink.test asked Relay to slow down until").unwrap();
    browser.click_text("main button", "Try now").unwrap();
    browser.find_text("body", "slow.sink.test").unwrap();

    browser.set_size(360, 740).unwrap();
    browser.set_dark(true).unwrap();
    for (path, part, name) in [
        ("/settings/servers", "[data-server]", "servers-narrow"),
        ("/settings/limits", "[data-meter]", "limits-narrow"),
        ("/technical/actions", "[data-action]", "actions-narrow"),
        ("/emails?filter=all", "[data-delivery]", "emails-narrow"),
    ] {
        browser.open(path).unwrap();
        browser.find(part).unwrap();
        look(&browser, name, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

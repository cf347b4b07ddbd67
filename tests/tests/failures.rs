//! The failure inbox and suppressions in real Chromium: causes, acting on all of one, undo, the address that rests.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::story::*;
use serde_json::json;

/// One record with one message to each address.
fn write_to(api: &Client, addresses: &[&str]) {
    for address in addresses {
        let name = address.split(['.', '@']).nth(1).unwrap();
        let new =
            json!({ "type": "order", "title": format!("Order for {name}"), "email": address, "customer_name": name });
        let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
        post(api, &record, json!({ "text": "Your order has left the house." }));
    }
}

fn check_page(browser: &Browser, what: &str) {
    let errors = browser.console_errors().unwrap();
    assert!(errors.is_empty(), "{what}: console: {errors:#?}");
    let findings = browser.accessibility_findings().unwrap();
    assert!(findings.is_empty(), "{what}: accessibility: {findings:#?}");
}

#[test]
fn failures_are_seen_by_cause_and_settled_together() {
    let (stack, api) = start("failures");
    write_to(&api, &["hard.anna@sink.test", "hard.outlook.bruno@sink.test", "hard.carla@sink.test"]);
    write_to(
        &api,
        &["full.permanent.dora@sink.test", "spam.emil@sink.test", "soft.finn@sink.test", "soft.greta@sink.test"],
    );
    send_now(&stack, &api, Duration::from_secs(11));
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open("/failures").unwrap();
    browser.find("[data-group=userunknown] .frow").unwrap();
    browser.screenshot("failures").unwrap();
    check_page(&browser, "failures");
    // What we try again by ourselves is not counted as needing a person.
    browser.wait_for_text(".badge--red", "5").unwrap();

    // By keys: the first row of the first cause is selected and settled, then taken back.
    browser.press("j").unwrap();
    browser.press("x").unwrap();
    browser.wait_for_text(".bulkbar", "1 selected").unwrap();
    browser.screenshot("failures-selected").unwrap();
    browser.press("i").unwrap();
    browser.wait_for_text(".toast", "1 failure ignored").unwrap();
    browser.click_text(".toast button", "Undo").unwrap();
    within(SOON, "all failures to be back", &stack, || (get(&api, "/api/v1/shell")["failures"] == 5).then_some(()));

    // All of a cause at once.
    browser.click_text("[data-group=userunknown] button", "Ignore all").unwrap();
    browser.wait_for_text(".toast", "3 failures ignored").unwrap();
    browser.wait_gone("[data-group=userunknown]").unwrap();
    assert_eq!(get(&api, "/api/v1/shell")["failures"], 2);

    // The row leads to the dialog, where the server's words are.
    browser.click_text(".frow[data-delivery] button", "Details").unwrap();
    browser.find("dialog .dlv").unwrap();
    browser.press_escape().unwrap();

    // The addresses that do not exist rest; lifting one lets it be written to again.
    browser.open("/settings/suppressions").unwrap();
    browser.find("[data-suppression='hard.anna@sink.test']").unwrap();
    browser.screenshot("suppressions").unwrap();
    check_page(&browser, "suppressions");
    browser.click("[data-suppression='hard.anna@sink.test'] button").unwrap();
    browser.wait_gone("[data-suppression='hard.anna@sink.test']").unwrap();
    browser.fill("[name=address]", "no-more@example.org").unwrap();
    browser.press_enter().unwrap();
    browser.find("[data-suppression='no-more@example.org']").unwrap();
    for (name, width, dark) in
        [("failures-390", 390, false), ("failures-390-dark", 390, true), ("failures-dark", 1440, true)]
    {
        browser.set_size(width, 900).unwrap();
        browser.set_dark(dark).unwrap();
        browser.open("/failures").unwrap();
        browser.find(".group").unwrap();
        browser.wait_gone("main .sk").unwrap();
        browser.screenshot(name).unwrap();
    }
}

#[test]
fn five_hundred_failures_go_out_again_together() {
    let (stack, api) = start("many-failures");
    let new = json!({ "type": "order", "title": "Many", "email": "ok.many@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let total = 520;
    for chunk in (0..total).collect::<Vec<_>>().chunks(130) {
        let cc: Vec<String> = chunk.iter().map(|i| format!("spam.many{i}@sink.test")).collect();
        post(&api, &record, json!({ "text": "To many", "cc": cc }));
    }
    send_now(&stack, &api, Duration::from_secs(11));
    within(Duration::from_mins(1), "all to fail", &stack, || {
        stack.cron(None).unwrap();
        (get(&api, "/api/v1/failures")["all"] == total).then_some(())
    });
    let groups = get(&api, "/api/v1/failures")["groups"].clone();
    let key = groups[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(groups[0]["failing"], total, "one cause: {groups}");
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open("/failures").unwrap();
    browser.click_text(&format!("[data-group='{key}'] button"), "Try again").unwrap();
    browser.wait_for_text(".toast", "520 deliveries go out again").unwrap();
    browser.screenshot("failures-many").unwrap();
    assert_eq!(get(&api, "/api/v1/failures")["all"], 0);
}

#[test]
fn a_corrected_address_takes_other_failures_along_and_the_composer_says_who_is_held_back() {
    let (stack, api) = start("corrected");
    write_to(&api, &["full.permanent.ann@sink.test", "full.permanent.ann@sink.test"]);
    send_now(&stack, &api, Duration::from_secs(11));
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open("/failures").unwrap();
    browser.wait_for_text(".notice", "did not arrive (2)").unwrap();
    browser.screenshot("failures-told").unwrap();
    check_page(&browser, "failures with a notice");
    browser.click_text(".frow[data-delivery] button", "Details").unwrap();
    browser.fill("dialog .fix input[type=text]", "ok.ann@sink.test").unwrap();
    browser.click_text("dialog footer button", "Send & close").unwrap();
    browser.wait_for_text(".toast", "1 other mail to full.permanent.ann@sink.test failed too").unwrap();
    browser.screenshot("failures-others").unwrap();
    browser.click_text(".toast button", "Send").unwrap();
    browser.wait_for_text(".toast", "1 delivery goes out again").unwrap();
    assert_eq!(get(&api, "/api/v1/shell")["failures"], 0);
    send_now(&stack, &api, Duration::from_secs(40));
    assert_eq!(received(&stack, "ok.ann@sink.test").len(), 2);

    let held = json!({ "address": "ok.bea@sink.test", "scope": "all", "note": "asked by phone" });
    api.post("/api/v1/suppressions", &held).unwrap().ok().unwrap();
    let new = json!({ "type": "order", "title": "For Bea", "email": "ok.bea@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    browser.open(&format!("/record/{record}")).unwrap();
    browser.wait_for_text("[data-held]", "asked by phone").unwrap();
    browser.screenshot("composer-held").unwrap();
    check_page(&browser, "composer with an address held back");
    browser.click_text("[data-held] button", "Write all the same").unwrap();
    browser.fill("[data-held] input", "She called back").unwrap();
    browser.click_text("[data-held] button", "Lift").unwrap();
    browser.wait_gone("[data-held]").unwrap();
    browser.wait_for_text(".composer-top", "leaves at once").unwrap();
    browser.screenshot("composer-leaves").unwrap();
}

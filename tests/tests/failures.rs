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
    browser.click_text("[data-suppression='hard.anna@sink.test'] button", "Write again").unwrap();
    browser.find_text("dialog .code", "550").unwrap();
    browser.find_text("dialog [data-step=added]", "held back").unwrap();
    browser.screenshot("suppression").unwrap();
    check_page(&browser, "the dialog of a suppression");
    // Nobody lifts without a word.
    browser.click_text("dialog footer button", "Write again").unwrap();
    browser.wait_for_text("dialog .hint--bad", "needed").unwrap();
    browser.fill("dialog [name=why]", "She has a new mailbox").unwrap();
    browser.click_text("dialog footer button", "Write again").unwrap();
    browser.wait_gone("[data-suppression='hard.anna@sink.test']").unwrap();
    browser.click_text(".toolbar .seg button", "History").unwrap();
    browser.find_text("[data-step=lifted]", "She has a new mailbox").unwrap();
    browser.find_text("[data-step=lifted]", "Mai Lindqvist").unwrap();
    browser.screenshot("suppressions-history").unwrap();
    check_page(&browser, "history of suppressions");
    browser.click_text(".toolbar .seg button", "Held back").unwrap();
    browser.click_text(".toolbar button", "Add").unwrap();
    browser.fill("dialog [name=address]", "no-more@example.org").unwrap();
    browser.fill("dialog [name=note]", "asked by phone").unwrap();
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
    browser.find(&format!("[data-group='{key}']")).unwrap();
    let watch = "window.said = []; new MutationObserver(() => document.querySelectorAll('[role=status]')
      .forEach((it) => window.said.push(it.innerText))).observe(document.body, { childList: true, subtree: true, characterData: true })";
    browser.run(watch, &[]).unwrap();
    browser.click_text(&format!("[data-group='{key}'] button"), "Try again").unwrap();
    browser.wait_for_text(".toast", "520 deliveries go out again").unwrap();
    browser.screenshot("failures-many").unwrap();
    let said = browser.run("return window.said", &[]).unwrap();
    for progress in ["0 of 520", "500 of 520"] {
        assert!(said.as_array().unwrap().iter().any(|it| it == progress), "{progress}: {said}");
    }
    assert_eq!(get(&api, "/api/v1/failures")["all"], 0);
    // Who did it, and one undo for all of it.
    browser.click(".done-list summary").unwrap();
    browser.find_text("[data-operation]", "520 deliveries go out again").unwrap();
    browser.find_text("[data-operation]", "Mai Lindqvist").unwrap();
    browser.click_text("[data-operation] button", "Undo").unwrap();
    within(SOON, "all to be back", &stack, || (get(&api, "/api/v1/failures")["all"] == total).then_some(()));
    browser.find_text(&format!("[data-group='{key}'] .num"), "520").unwrap();
    // Again, and this time they leave.
    browser.click_text(&format!("[data-group='{key}'] button"), "Try again").unwrap();
    browser.wait_for_text(".toast", "520 deliveries go out again").unwrap();
    send_now(&stack, &api, Duration::from_secs(40));
    within(Duration::from_mins(1), "all to be tried again", &stack, || {
        stack.cron(None).unwrap();
        (get(&api, "/api/v1/failures")["all"] == total).then_some(())
    });
    let row = get(&api, &format!("/api/v1/failures/{key}?limit=1"))["items"][0].clone();
    assert_eq!(row["tries"], 2, "refused once more: {row}");
}

#[test]
fn a_selection_is_fixed_address_by_address() {
    let (stack, api) = start("fixed");
    write_to(&api, &["hard.ann@sink.test", "hard.bob@sink.test", "hard.cyd@sink.test"]);
    send_now(&stack, &api, Duration::from_secs(11));
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open("/failures").unwrap();
    browser.find(".frow").unwrap();
    // Two of three by hand.
    for _ in 0..2 {
        browser.press("j").unwrap();
        browser.press("x").unwrap();
    }
    browser.wait_for_text(".bulkbar", "2 selected").unwrap();
    browser.click_text(".bulkbar button", "Fix and retry").unwrap();
    browser.find("dialog [data-fix='hard.cyd@sink.test']").unwrap();
    let fields = browser.run("return document.querySelectorAll('dialog [data-fix]').length", &[]).unwrap();
    assert_eq!(fields, 2, "one field per address of the selection");
    browser.fill("dialog [data-fix='hard.cyd@sink.test']", "ok.cyd@sink.test").unwrap();
    browser.wait_for_text("dialog footer", "sends 1 mail").unwrap();
    browser.screenshot("failures-fix").unwrap();
    check_page(&browser, "fix and retry");
    browser.click_text("dialog footer button", "Send").unwrap();
    browser.wait_for_text(".toast", "1 delivery goes out again").unwrap();
    // The rest of the cause as a whole.
    browser.click_text("[data-group=userunknown] button", "Fix and retry").unwrap();
    browser.fill("dialog [data-fix='hard.ann@sink.test']", "ok.ann@sink.test").unwrap();
    browser.fill("dialog [data-fix='hard.bob@sink.test']", "ok.bob@sink.test").unwrap();
    browser.click_text("dialog footer button", "Send").unwrap();
    browser.wait_for_text(".toast", "2 deliveries go out again").unwrap();
    assert_eq!(get(&api, "/api/v1/shell")["failures"], 0);
    send_now(&stack, &api, Duration::from_secs(40));
    for name in ["ann", "bob", "cyd"] {
        assert_eq!(received(&stack, &format!("ok.{name}@sink.test")).len(), 1, "{name}");
        let contacts = get(&api, &format!("/api/v1/contacts?q=ok.{name}"));
        assert_eq!(contacts["items"][0]["name"], name, "the contact has it too: {contacts}");
    }
}

/// What *Send & close* does to those switched off is what the dialog says.
#[test]
fn who_is_switched_off_stays_failing_unless_ignored() {
    let (stack, api) = start("switched-off");
    let new = json!({ "type": "order", "title": "Two", "email": "spam.ann@sink.test" });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let message = id(&post(&api, &record, json!({ "text": "Hello", "cc": ["spam.bob@sink.test"] })));
    send_now(&stack, &api, Duration::from_secs(11));
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open(&format!("/record/{record}")).unwrap();
    browser.click(".env--fail").unwrap();
    browser.find("dialog .dlv").unwrap();
    assert!(browser.find_now(".dlv-off").unwrap().is_none(), "nobody is switched off");
    let row = |address: &str| {
        let all = deliveries(&api, &message);
        id(all["deliveries"].as_array().unwrap().iter().find(|it| it["address"] == address).unwrap())
    };
    let switch = |address: &str| {
        browser.click(&format!("[data-delivery='{}'] .again button", row(address))).unwrap();
    };
    switch("spam.bob@sink.test");
    browser.wait_for_text(".dlv-off", "nothing is sent to 1 recipient").unwrap();
    browser.wait_for_text(".dlv-off", "the envelope stays red").unwrap();
    browser.screenshot("dialog-off").unwrap();
    browser.set_size(390, 844).unwrap();
    browser.screenshot("dialog-off-390").unwrap();
    browser.set_size(1440, 900).unwrap();
    check_page(&browser, "the dialog with one switched off");
    browser.click_text("dialog footer button", "Send & close").unwrap();
    browser.wait_for_text(".toast", "1 recipient is tried again").unwrap();
    let tries = |address: &str| {
        let all = deliveries(&api, &message);
        let it = all["deliveries"].as_array().unwrap().iter().find(|it| it["address"] == address).unwrap().clone();
        (it["tries"].as_u64().unwrap(), it["state"].as_str().unwrap().to_owned())
    };
    within(SOON, "the second refusal", &stack, || {
        (tries("spam.ann@sink.test") == (2, "failed".to_owned())).then_some(())
    });
    assert_eq!(tries("spam.bob@sink.test"), (1, "failed".to_owned()), "left as it was");
    browser.find(".env--fail").unwrap();

    // The seed's way: whoever is switched off is ignored, and the envelope turns white.
    browser.click(".env--fail").unwrap();
    browser.find("dialog .dlv").unwrap();
    switch("spam.ann@sink.test");
    switch("spam.bob@sink.test");
    browser.wait_for_text(".dlv-off", "2 recipients").unwrap();
    browser.click_text(".dlv-off label", "Ignore those switched off").unwrap();
    browser.wait_for_text(".dlv-off", "no longer count").unwrap();
    browser.click_text("dialog footer button", "Send & close").unwrap();
    browser.wait_for_text(".toast", "envelope is white").unwrap();
    assert_eq!(state_of(&api, &message, "spam.bob@sink.test"), "ignored");
    browser.wait_gone(".env--fail").unwrap();
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

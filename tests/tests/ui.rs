//! The page in real Chromium: the main job by clicks, every page in both languages without console errors or serious
//! accessibility findings.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::time::Duration;
use std::time::Instant;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use serde_json::json;

fn send_mail(stack: &Stack, from: &str, to: &str, subject: &str, text: &str) {
    let raw = Mail::new(from, to, subject, text).raw().unwrap();
    let address = from.split(['<', '>']).nth(1).unwrap_or(from);
    let sent = swaks(stack.front_door().unwrap(), address, to, &raw, &[]).unwrap();
    assert!(sent.accepted, "{}", sent.transcript);
}

/// Fails with everything the console and axe-core say of the page as it is.
fn check_page(browser: &Browser, what: &str) {
    let errors = browser.console_errors().unwrap();
    assert!(errors.is_empty(), "{what}: console: {errors:#?}");
    let findings = browser.accessibility_findings().unwrap();
    assert!(findings.is_empty(), "{what}: accessibility: {findings:#?}");
}

/// The same for many pages: all that is wrong, at once.
fn look(browser: &Browser, what: &str, wrong: &mut Vec<String>) {
    let errors = browser.console_errors().unwrap();
    let findings = browser.accessibility_findings().unwrap();
    wrong.extend(errors.into_iter().chain(findings).map(|it| format!("{what}: {it}")));
}

fn api_session(stack: &Stack, email: &str, password: &str) -> Client {
    let api = stack.client();
    api.login(email, password).unwrap();
    api
}

#[test]
fn set_up_mail_in_answer_red_envelope_correct_and_close() {
    let stack = Stack::start(StackOptions::test("ui-main")).unwrap();
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    // First run.
    browser.open("/").unwrap();
    browser.find("[name=company]").unwrap();
    browser.screenshot("set-up").unwrap();
    browser.fill("[name=company]", "Haldenmoss").unwrap();
    browser.fill("[name=name]", "Mai Lindqvist").unwrap();
    browser.fill("[name=email]", "mai@corp.example").unwrap();
    browser.fill("[name=password]", "a good password").unwrap();
    browser.fill("[name=domain]", "corp.example").unwrap();
    check_page(&browser, "set-up");
    browser.click("[type=checkbox]").unwrap();
    browser.fill("[name=smtp_host]", "127.0.0.1").unwrap();
    browser.fill("[name=smtp_port]", &stack.sink().address().port().to_string()).unwrap();
    browser.run("const s = document.querySelector('select'); s.value = 'none'; s.dispatchEvent(new Event('change', { bubbles: true }))", &[]).unwrap();
    browser.click("button[type=submit]").unwrap();
    browser.find(".rail").unwrap();
    browser.find("[data-banner=placeholder]").unwrap();
    stack.confirm_addresses().unwrap();

    // A mail shows in the open list by itself.
    browser.open("/inbox").unwrap();
    browser.find(".rail").unwrap();
    browser.screenshot("inbox-empty").unwrap();
    let arrived = Instant::now();
    send_mail(
        &stack,
        "Ann Reid <ok.ann@sink.test>",
        "support@corp.example",
        "Leaking hatch",
        "Dear all,\n\nthe hatch leaks.",
    );
    browser.wait_for_text("*", "Leaking hatch").unwrap();
    assert!(arrived.elapsed() < Duration::from_secs(3), "shown after {:?}", arrived.elapsed());
    browser.screenshot("inbox").unwrap();
    check_page(&browser, "inbox");

    // Open it, answer with a copy to somebody who does not exist.
    browser.click_text("a", "Leaking hatch").unwrap();
    browser.wait_for_text(".msg-body", "the hatch leaks").unwrap();
    browser.screenshot("record").unwrap();
    browser.click_text("button", "Cc").unwrap();
    browser.fill("[data-row=\"1\"] input", "hard.bea@sink.test").unwrap();
    browser.fill(".composer-text", "Dear Ann, we come on Friday.").unwrap();
    browser.screenshot("composer").unwrap();
    check_page(&browser, "record");
    browser.click(".composer .btn--primary").unwrap();
    browser.wait_for_text(".toast", "Undo").unwrap();
    browser.screenshot("sending").unwrap();
    browser.find(".env--fail").unwrap_or_else(|_| browser.find(".env--fail").unwrap());
    assert_eq!(stack.sink().messages_to("ok.ann@sink.test").len(), 1);
    browser.screenshot("red").unwrap();

    // The dialog: what happened, the corrected address, Send & close.
    browser.click(".env--fail").unwrap();
    browser.wait_for_text(".dialog", "hard.bea@sink.test").unwrap();
    browser.screenshot("dialog").unwrap();
    check_page(&browser, "dialog");
    browser.fill(".dialog .fix .input", "ok.bea@sink.test").unwrap();
    browser.click_text(".dialog button", "Send & close").unwrap();
    browser.wait_gone(".dialog").unwrap();
    browser.wait_gone(".env--fail").unwrap();
    assert_eq!(stack.sink().messages_to("ok.bea@sink.test").len(), 1, "exactly one");
    browser.screenshot("white").unwrap();
    check_page(&browser, "after");
}

/// Pages about one thing: a record, a contact, an alias, a campaign, the trace of a mail in and of one out.
fn single_pages(api: &Client, record: &str) -> Vec<String> {
    let get = |path: &str| api.get(path).unwrap().ok().unwrap();
    let post = |path: &str, body: serde_json::Value| api.post(path, &body).unwrap().ok().unwrap();
    let one = |path: &str, pointer: &str| {
        let all = get(path);
        all.pointer(pointer).and_then(|it| it.as_str()).unwrap_or_else(|| panic!("{path}: {all}")).to_owned()
    };
    let list = post("/api/v1/mailing-lists", json!({ "name": "Customers", "public": true }))["id"].clone();
    let path = format!("/api/v1/mailing-lists/{}/import", list.as_str().unwrap());
    post(&path, json!({ "csv": "ok.reader@sink.test,Reader\n" }));
    let campaign = post("/api/v1/campaigns", json!({ "name": "Winter letter" }))["row"]["id"].clone();
    vec![
        format!("/record/{record}"),
        format!("/contacts/{}", one("/api/v1/contacts?limit=1", "/items/0/id")),
        format!("/settings/aliases/{}", one("/api/v1/aliases", "/0/id")),
        format!("/campaigns/{}", campaign.as_str().unwrap()),
        format!("/trace/{}", one("/api/v1/incoming?show=all&limit=1", "/items/0/id")),
        format!("/trace/{}", one("/api/v1/emails?filter=all&limit=1", "/items/0/message")),
    ]
}

/// The address of a page without the id in it.
fn kind_of(page: &str) -> String {
    let page = page.trim_matches('/');
    match page.rsplit_once('/') {
        Some((kind, id)) if id.len() > 20 && !id.contains('?') => format!("{kind}-one"),
        _ => page.to_owned(),
    }
}

#[test]
fn every_page_in_both_languages_and_themes() {
    let stack = Stack::start(StackOptions::test("ui-pages")).unwrap();
    let form = json!({
        "company": "Corp", "name": "Mai Lindqvist", "email": "mai@corp.example", "password": "a good password",
        "domain": "corp.example", "language": "en",
        "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    });
    stack.set_up(&form).unwrap();
    let api = api_session(&stack, "mai@corp.example", "a good password");
    for (i, subject) in ["Leaking hatch", "24 Alva chairs", "Invoice 2026-0871"].iter().enumerate() {
        send_mail(&stack, &format!("Customer {i} <ok.c{i}@sink.test>"), "orders@corp.example", subject, "Hello\n\nBye");
    }
    let new = json!({ "type": "order", "title": "S1", "email": "hard.bea@sink.test", "customer_name": "Bea" });
    let record = api.post("/api/v1/records", &new).unwrap().ok().unwrap()["id"].as_str().unwrap().to_owned();
    api.post(&format!("/api/v1/records/{record}/messages"), &json!({ "mode": "message", "text": "Hi" }))
        .unwrap()
        .ok()
        .unwrap();
    api.post("/api/dev/switches", &json!({ "clock_offset": 11_000 })).unwrap().ok().unwrap();
    stack.cron(None).unwrap();
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.find("[name=email]").unwrap();
    browser.screenshot("login").unwrap();
    check_page(&browser, "login");
    browser.fill("[name=email]", "mai@corp.example").unwrap();
    browser.fill("[name=password]", "a good password").unwrap();
    browser.press_enter().unwrap();
    browser.find(".rail").unwrap();
    let pages = [
        "/inbox",
        "/records/order",
        "/search?q=hatch",
        "/failures",
        "/emails?filter=all",
        "/contacts",
        "/deliverability",
        "/campaigns",
        "/campaigns/lists",
        "/settings/aliases",
        "/settings/aliases/new",
        "/settings/servers",
        "/settings/limits",
        "/settings/suppressions",
        "/settings/users",
        "/settings/tokens",
        "/profile",
        "/profile?tab=security",
        "/technical/actions",
        "/technical/incoming?show=all",
        "/technical/incoming?show=held",
        "/technical/incoming?show=unprocessed",
        "/technical/incoming?show=refused",
        "/technical/incoming?show=ignored",
        "/technical/incoming?show=paused",
        "/technical/incoming?show=rules",
        "/technical/logs",
        "/technical/status",
        "/technical/doctor",
        "/technical/support",
        "/nowhere",
    ];
    let made = single_pages(&api, &record);
    let mut wrong = Vec::new();
    for (language, dark, width) in [("en", false, 1440), ("vi", true, 1440), ("en", true, 390), ("vi", false, 390)] {
        api.patch("/api/v1/session", &json!({ "language": language })).unwrap().ok().unwrap();
        browser.set_size(width, 900).unwrap();
        browser.set_dark(dark).unwrap();
        for page in pages.iter().copied().chain(made.iter().map(String::as_str)) {
            browser.open(page).unwrap();
            browser.find("main h1").unwrap();
            browser.wait_gone("main .sk, main [aria-busy=true]").unwrap();
            let name = format!(
                "{}-{language}-{}-{width}",
                kind_of(page).replace(['/', '?', '='], "-"),
                if dark { "dark" } else { "light" }
            );
            browser.screenshot(&name).unwrap();
            look(&browser, &name, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// After a new release the files of the old one are gone, and offline nothing comes. The build that is deployed has such
/// files; in a development build all is one module and there is nothing to lose.
#[test]
fn a_part_that_does_not_come_says_so_and_comes_later() {
    let assets = mailroom_tests::paths::root().join("app/dist/assets");
    let is_split =
        std::fs::read_dir(assets).unwrap().flatten().any(|it| it.file_name().to_string_lossy().starts_with("split_"));
    if !is_split {
        return;
    }
    let stack = Stack::start(StackOptions::test("ui-parts")).unwrap();
    let form = json!({
        "company": "Corp", "name": "Mai Lindqvist", "email": "mai@corp.example", "password": "a good password",
        "domain": "corp.example", "language": "vi",
    });
    stack.set_up(&form).unwrap();
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.fill("[name=email]", "mai@corp.example").unwrap();
    browser.fill("[name=password]", "a good password").unwrap();
    browser.press_enter().unwrap();
    browser.find(".rail").unwrap();
    browser.devtools("Network.enable", &json!({})).unwrap();
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": ["*/assets/split_*"] })).unwrap();
    browser.open("/contacts").unwrap();
    // The shell stands, in the reader's language; the page offers the remedy.
    browser.wait_for_text("main button", "Tải lại trang").unwrap();
    browser.find(".rail").unwrap();
    browser.screenshot("part-gone").unwrap();
    browser.devtools("Network.setBlockedURLs", &json!({ "urls": [] })).unwrap();
    browser.click_text("main button", "Tải lại trang").unwrap();
    browser.find("main h1").unwrap();
    browser.wait_for_text("main h1", "Liên hệ").unwrap();
}

//! Incoming mail in the page, by clicks in real Chromium: let in, route, try a mail, and every screen in both languages,
//! both themes and both widths without console errors or serious accessibility findings.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use serde_json::Value;
use serde_json::json;

const INVITATION: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Visit of the workshop\r\n\
    DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nLOCATION:Hall 3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn post(api: &Client, path: &str, body: &Value) -> Value {
    api.post(path, body).unwrap().ok().unwrap()
}

fn send(stack: &Stack, from: &str, to: &str, mail: &Mail) -> bool {
    swaks(stack.front_door().unwrap(), from, to, &mail.raw().unwrap(), &[]).unwrap().accepted
}

/// A world with one of everything that these screens show.
fn world(name: &str) -> (Stack, Client) {
    let stack = Stack::start(StackOptions::test(name)).unwrap();
    let form = json!({
        "company": "Corp", "name": "Mai Lindqvist", "email": "mai@corp.example", "password": "a good password",
        "domain": "corp.example", "language": "en",
        "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    });
    stack.set_up(&form).unwrap();
    let api = stack.client();
    api.login("mai@corp.example", "a good password").unwrap();
    post(&api, "/api/v1/domains", &json!({ "name": "second.example" }));
    let vip = json!({ "address": "vip@corp.example", "creates": "ticket", "contact_rule": "known", "outcome": "hold" });
    post(&api, "/api/v1/aliases", &vip);
    let ann = |id: &str, subject: &str| {
        Mail::new("Ann Reid <ok.ann@sink.test>", "support@corp.example", subject, "It leaks").message_id(id)
    };
    let first = ann("1@sink.test", "Leaking hatch").raw().unwrap();
    for _ in 0..2 {
        let door = stack.front_door().unwrap();
        assert!(swaks(door, "ok.ann@sink.test", "support@corp.example", &first, &[]).unwrap().accepted);
    }
    // Other content under the same Message-ID.
    let other = Mail::new("Ann Reid <ok.ann@sink.test>", "support@corp.example", "Leaking hatch", "Other words");
    assert!(send(&stack, "ok.ann@sink.test", "support@corp.example", &other.message_id("1@sink.test")));
    let held = Mail::new("Eve Novak <ok.eve@sink.test>", "vip@corp.example", "May I ask for a price?", "Please");
    assert!(send(&stack, "ok.eve@sink.test", "vip@corp.example", &held));
    let stranger = Mail::new("Bob <ok.bob@sink.test>", "support@corp.example", "Re: Leaking hatch", "Me too");
    assert!(send(&stack, "ok.bob@sink.test", "support@corp.example", &stranger.reply_to("1@sink.test")));
    let lost = Mail::new("Carl <ok.carl@sink.test>", "nobody@corp.example", "Anybody there?", "Hello");
    assert!(!send(&stack, "ok.carl@sink.test", "nobody@corp.example", &lost));
    let answer = ann("2@sink.test", "Re: Leaking hatch")
        .header("Reply-To", "workshop@sink.test")
        .attach("text/calendar", "visit.ics", INVITATION.as_bytes())
        .attach(
            "message/rfc822",
            "inner.eml",
            b"From: Zoe <zoe@other.test>\r\nSubject: The inner mail\r\n\r\nDeep inside\r\n",
        );
    assert!(send(&stack, "ok.ann@sink.test", "support@corp.example", &answer));
    post(&api, "/api/v1/paused", &json!({ "address": "loud@other.test", "note": "asks for money" }));
    (stack, api)
}

fn browser(stack: &Stack) -> Browser {
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.fill("[name=email]", "mai@corp.example").unwrap();
    browser.fill("[name=password]", "a good password").unwrap();
    browser.press_enter().unwrap();
    browser.find(".rail").unwrap();
    browser
}

fn look(browser: &Browser, what: &str, wrong: &mut Vec<String>) {
    browser.screenshot(what).unwrap();
    let errors = browser.console_errors().unwrap();
    let findings = browser.accessibility_findings().unwrap();
    wrong.extend(errors.into_iter().chain(findings).map(|it| format!("{what}: {it}")));
}

#[test]
fn held_mail_is_let_in_a_conflict_is_routed_and_a_mail_is_tried() {
    let (stack, api) = world("ui-inbound");
    let browser = browser(&stack);
    browser.open("/technical/incoming?show=held").unwrap();
    browser.find_text("td", "May I ask for a price?").unwrap();
    browser.click("[data-fate=held] [aria-expanded]").unwrap();
    browser.find_text(".sub-row button", "Let in").unwrap();
    // By key: the first line, selected, let in.
    browser.open("/technical/incoming?show=held&q=ok.eve@sink.test").unwrap();
    browser.find_text("td", "May I ask for a price?").unwrap();
    browser.press("j").unwrap();
    browser.press("x").unwrap();
    browser.find(".selbar .btn--primary").unwrap();
    browser.press("r").unwrap();
    browser.find_text(".toast", "1 mail let in").unwrap();
    browser.wait_gone("[data-fate=held]").unwrap();

    browser.open("/technical/incoming?show=unprocessed").unwrap();
    browser.find_text("td", "same Message-ID").unwrap();
    browser.click("tbody input[type=checkbox]").unwrap();
    browser.click_text(".selbar button", "Route to").unwrap();
    browser.click_text(".dialog .choice", "sales@corp.example").unwrap();
    browser.find_text(".toast", "1 mail routed").unwrap();

    // The stranger on the record.
    let records = api.get("/api/v1/records?type=ticket&limit=20").unwrap().ok().unwrap();
    let record = records["items"].as_array().unwrap().iter().find(|it| it["number"] == "T00001").unwrap()["id"].clone();
    browser.open(&format!("/record/{}", record.as_str().unwrap())).unwrap();
    browser.click_text(".msg-bar button", "Let the sender in").unwrap();
    browser.wait_gone(".msg-bar--warn").unwrap();

    browser.open("/settings/aliases").unwrap();
    browser.click_text("[data-alias] a", "support@corp.example").unwrap();
    browser.fill(".test-box [name=from]", "ann@customer.example").unwrap();
    browser.fill(".test-box [name=rcpt_to]", "support+hanoi@corp.example").unwrap();
    browser.fill(".test-box [name=subject]", "Six tables").unwrap();
    browser.press_enter().unwrap();
    browser.find("[data-outcome=create]").unwrap();
    browser.wait_for_text(".outcome", "hanoi").unwrap();
    browser.screenshot("alias-tried").unwrap();
    browser.fill(".test-box [name=rcpt_to]", "nowhere@corp.example").unwrap();
    browser.press_enter().unwrap();
    browser.find("[data-outcome=refused]").unwrap();
}

#[test]
fn every_screen_of_incoming_mail_in_both_languages_and_themes() {
    let (stack, api) = world("ui-inbound-pages");
    let browser = browser(&stack);
    let aliases = api.get("/api/v1/aliases").unwrap().ok().unwrap();
    let support = aliases.as_array().unwrap().iter().find(|it| it["address"] == "support@corp.example").unwrap();
    let records = api.get("/api/v1/records?type=ticket&limit=20").unwrap().ok().unwrap();
    let answered = records["items"].as_array().unwrap().iter().find(|it| it["number"] == "T00002").unwrap();
    let pages = [
        ("incoming", "/technical/incoming".to_owned()),
        ("held", "/technical/incoming?show=held".to_owned()),
        ("unprocessed", "/technical/incoming?show=unprocessed".to_owned()),
        ("refused", "/technical/incoming?show=refused".to_owned()),
        ("ignored", "/technical/incoming?show=ignored".to_owned()),
        ("paused", "/technical/incoming?show=paused".to_owned()),
        ("aliases", "/settings/aliases".to_owned()),
        ("alias", format!("/settings/aliases/{}", support["id"].as_str().unwrap())),
        ("alias-new", "/settings/aliases/new".to_owned()),
        ("suggestion", format!("/record/{}", answered["id"].as_str().unwrap())),
    ];
    let mut wrong = Vec::new();
    for (language, dark, width) in [("en", false, 1440), ("vi", true, 1440), ("en", true, 390), ("vi", false, 390)] {
        api.patch("/api/v1/session", &json!({ "language": language })).unwrap().ok().unwrap();
        browser.set_size(width, 900).unwrap();
        browser.set_dark(dark).unwrap();
        for (name, page) in &pages {
            browser.open(page).unwrap();
            browser.find("main h1").unwrap();
            browser.wait_gone("main .sk, main [aria-busy=true]").unwrap();
            let name = format!("in-{name}-{language}-{}-{width}", if dark { "dark" } else { "light" });
            if page.ends_with("show=refused") {
                browser.click("[data-fate] [aria-expanded]").unwrap();
                browser.find(".sub-row .kv").unwrap();
            }
            look(&browser, &name, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_full_database_and_failing_storage_are_told_and_the_journal_is_narrowed_by_time() {
    let (stack, api) = world("ui-inbound-full");
    let mut rules = api.get("/api/v1/policy").unwrap().ok().unwrap();
    rules["database_limit"] = json!(500_000);
    api.patch("/api/v1/policy", &rules).unwrap().ok().unwrap();
    // The minute's work notes how large the database is.
    stack.cron(None).unwrap();
    let mail = |subject: &str| Mail::new("Ann Reid <ok.ann@sink.test>", "support@corp.example", subject, "Still here");
    assert!(
        send(&stack, "ok.ann@sink.test", "support@corp.example", &mail("It comes in")),
        "a warning refuses nothing"
    );
    post(&api, "/api/dev/switches", &json!({ "blobs": true }));
    let lost = mail("It does not").raw().unwrap();
    let sent = swaks(stack.front_door().unwrap(), "ok.ann@sink.test", "support@corp.example", &lost, &[]).unwrap();
    assert!(sent.transcript.contains("451 4.3.0"), "{}", sent.transcript);
    post(&api, "/api/dev/switches", &json!({ "blobs": false }));

    let browser = browser(&stack);
    browser.open("/technical/incoming").unwrap();
    browser.wait_for_text("main", "full. Mail still comes in").unwrap();
    browser.wait_for_text("main", "senders were told to try again").unwrap();
    browser.find_text("td", "It comes in").unwrap();
    let mut wrong = Vec::new();
    look(&browser, "in-capacity-1440", &mut wrong);
    // Since tomorrow nothing came, until tomorrow all.
    let tomorrow = "const it = document.querySelector(arguments[0]); const at = new Date(Date.now() + 86400000);
      it.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
      it.dispatchEvent(new Event('change', { bubbles: true }))";
    browser.run(tomorrow, &[json!("[name=since]")]).unwrap();
    browser.wait_gone("td").unwrap();
    assert!(browser.run("return location.search", &[]).unwrap().as_str().unwrap().contains("since="));
    browser.open("/technical/incoming").unwrap();
    browser.find_text("td", "It comes in").unwrap();
    browser.run(tomorrow, &[json!("[name=until]")]).unwrap();
    browser.find_text("td", "It comes in").unwrap();
    assert!(browser.run("return location.search", &[]).unwrap().as_str().unwrap().contains("until="));
    // Narrow screens show all of it too.
    browser.set_size(390, 900).unwrap();
    api.patch("/api/v1/session", &json!({ "language": "vi" })).unwrap().ok().unwrap();
    browser.open("/technical/incoming").unwrap();
    browser.wait_for_text("main", "Thư vẫn vào được").unwrap();
    // The reasons are told in the reader's language too.
    browser.open("/technical/incoming?show=refused").unwrap();
    browser.click("[data-fate] [aria-expanded]").unwrap();
    browser.wait_for_text(".sub-row .kv", "ở đây không có địa chỉ nobody@corp.example").unwrap();
    look(&browser, "in-capacity-vi-390", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

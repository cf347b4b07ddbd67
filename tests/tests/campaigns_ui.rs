//! Campaigns in real Chromium: a list from a file, a campaign from blocks, preflight, test, sending, results; no console
//! error and no serious accessibility finding.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::story;
use serde_json::json;

/// All that the console and axe-core say of the page as it is.
fn look(browser: &Browser, what: &str, wrong: &mut Vec<String>) {
    browser.screenshot(what).unwrap();
    // The browser itself reports an answer of 422; the form shows what is wrong.
    let errors = browser.console_errors().unwrap().into_iter().filter(|it| !it.contains("422"));
    let findings = browser.accessibility_findings().unwrap();
    wrong.extend(errors.chain(findings).map(|it| format!("{what}: {it}")));
}

#[test]
fn a_campaign_is_written_checked_sent_and_read() {
    let (stack, api) = story::start("ui-campaigns");
    let server = story::get(&api, "/api/v1/servers")[0].clone();
    let mut settings = server["settings"].clone();
    settings["bulk"] = true.into();
    settings["name"] = "mx-bulk".into();
    let path = format!("/api/v1/servers/{}", server["id"].as_str().unwrap());
    api.patch(&path, &settings).unwrap().ok().unwrap();

    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.fill("[type=email]", story::AGENT).unwrap();
    browser.fill("[type=password]", story::PASSWORD).unwrap();
    browser.press_enter().unwrap();
    browser.find(".rail").unwrap();
    let mut wrong = Vec::new();

    // A list from a file, with what is wrong in it shown before anything is done.
    browser.open("/campaigns/lists").unwrap();
    browser.click_text("button", "New list").unwrap();
    browser.fill(".dialog-body [name=name]", "Customers and friends").unwrap();
    browser.click_text(".dialog-foot button", "Save").unwrap();
    browser.find_text("[data-list]", "Customers and friends").unwrap();
    let mut csv = vec!["email,name,city\n".to_owned()];
    csv.extend((0..40).map(|i| format!("{}.p{i}@sink.test,Person {i},Huế\n", if i % 13 == 0 { "hard" } else { "ok" })));
    csv.push("no address,Nobody,\nok.p1@sink.test,Twice,\n".to_owned());
    let file = stack.state().join("people.csv");
    std::fs::write(&file, csv.concat()).unwrap();
    browser.choose_file("[name=csv]", &file).unwrap();
    browser.find_text(".dialog-body", "40 new contacts").unwrap();
    browser.find_text(".dialog-body", "the same address again").unwrap();
    look(&browser, "lists-import", &mut wrong);
    browser.click_text(".dialog-foot button", "Import").unwrap();
    browser.find("[data-member]").unwrap();
    look(&browser, "lists", &mut wrong);

    // The campaign.
    browser.open("/campaigns").unwrap();
    browser.click_text("button", "New campaign").unwrap();
    browser.fill(".dialog-body [name=name]", "Winter workshop letter").unwrap();
    browser.click_text(".dialog-foot button", "Create draft").unwrap();
    browser.find("#preflight [data-finding]").unwrap();
    browser.fill("[name=subject]", "Winter for {{contact.first_name | you}}").unwrap();
    browser.fill("[name=preheader]", "Open on all four Advent weekends").unwrap();
    browser.fill("[name=heading]", "The workshop in winter").unwrap();
    browser
        .fill(
            "textarea[name=text]",
            "Hello {{contact.name}},\n\nwe are **open** again. See [the list](https://corp.example/list).",
        )
        .unwrap();
    browser.click_text("button", "Button").unwrap();
    browser.fill("[name=button-text]", "Book a table").unwrap();
    browser.fill("[name=button-url]", "https://corp.example/book").unwrap();
    browser.click("#audience .check").unwrap();
    browser.find_text("#preflight", "40 recipients").unwrap();
    browser.find("[data-finding=links][data-level=ok]").unwrap();
    look(&browser, "campaign-editor", &mut wrong);
    let inside = "return document.querySelector('#preview iframe').srcdoc";
    let html = browser.run(inside, &[]).unwrap().as_str().unwrap().to_owned();
    assert!(html.contains("Book a table") && html.contains("Hello Ann Lee"), "{html}");
    browser.run("scrollTo(0, 0)", &[]).unwrap();
    look(&browser, "campaign-editor-top", &mut wrong);
    browser.click_text("#preview button", "Plain text").unwrap();
    browser.find_text("#preview pre", "Book a table: https://corp.example/book").unwrap();
    browser.click_text("#preview button", "Phone").unwrap();
    browser.fill("[name=test-to]", "ok.me@sink.test").unwrap();
    browser.click_text("button", "Test").unwrap();
    browser.find_text("body", "A test is on its way").unwrap();
    story::within(story::SOON, "the test", &stack, || {
        (story::received(&stack, "ok.me@sink.test").len() == 1).then_some(())
    });
    browser.run("scrollTo(0, 0)", &[]).unwrap();
    browser.click_text("main .page-head button", "Send").unwrap();
    browser.find("main [data-state]").unwrap();
    for minute in 1..=4 {
        story::send_now(&stack, &api, Duration::from_mins(minute));
    }
    browser.find_text("main", "36 ").unwrap();
    let opened = story::received(&stack, "ok.p1@sink.test")[0].raw.replace("=\r\n", "");
    let at = opened.find("/o/").unwrap();
    let pixel: String = opened[at..].chars().take_while(|c| !c.is_whitespace() && *c != '"').collect();
    story::set_clock(&api, Duration::from_mins(30));
    browser.open(pixel.trim_end_matches("=3D")).unwrap();
    browser.open("/campaigns").unwrap();
    browser.find_text("[data-campaign]", "Winter workshop letter").unwrap();
    look(&browser, "campaigns", &mut wrong);
    browser.click_text("[data-campaign] a", "Winter workshop letter").unwrap();
    browser.find("[data-adds-up=yes]").unwrap();
    browser.find(".chart rect").unwrap();
    browser.find("[data-recipient]").unwrap();
    browser.find_text("main", "answered, ").unwrap();
    browser.find("#domains [data-domain='sink.test']").unwrap();
    look(&browser, "campaign", &mut wrong);
    browser.run("document.querySelector('#domains').scrollIntoView()", &[]).unwrap();
    look(&browser, "campaign-domains", &mut wrong);
    browser.set_size(390, 800).unwrap();
    browser.run("document.querySelector('#domains').scrollIntoView()", &[]).unwrap();
    look(&browser, "campaign-domains-narrow", &mut wrong);
    browser.run("scrollTo(0, 0)", &[]).unwrap();
    look(&browser, "campaign-narrow", &mut wrong);
    browser.open("/campaigns").unwrap();
    browser.find("[data-campaign]").unwrap();
    look(&browser, "campaigns-narrow", &mut wrong);
    api.patch("/api/v1/session", &json!({ "language": "vi" })).ok();
    browser.set_dark(true).unwrap();
    browser.set_size(1440, 900).unwrap();
    browser.open("/campaigns").unwrap();
    browser.find("[data-campaign]").unwrap();
    look(&browser, "campaigns-dark", &mut wrong);
    // Who may not send reads a draft, and finds nothing that would be refused.
    let draft = json!({ "name": "Spring letter", "copy_of": null });
    let draft = api.post("/api/v1/campaigns", &draft).unwrap().ok().unwrap();
    let agent = json!({ "name": "Bob", "email": "ok.bob@sink.test", "password": "long enough", "role": "agent", "language": "en" });
    api.post("/api/v1/users", &agent).unwrap().ok().unwrap();
    let of_bob = stack.client();
    of_bob.login("ok.bob@sink.test", "long enough").unwrap();
    browser.forget_session().unwrap();
    browser.take_session(&of_bob).unwrap();
    browser.open(&format!("/campaigns/{}", draft["row"]["id"].as_str().unwrap())).unwrap();
    browser.find("main .notice").unwrap();
    browser.find("#preflight [data-finding]").unwrap();
    assert!(browser.find_now("main [name=subject]").unwrap().is_none(), "nothing to write into");
    look(&browser, "campaign-read", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

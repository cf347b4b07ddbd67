//! Following, writing and being told, clicked through in real Chromium: what each follower hears of, the way out that his
//! mail carries, templates, mail that leaves later, drafts, addresses that are held back, mentions.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::SOON;
use mailroom_tests::story::get;
use mailroom_tests::story::id;
use mailroom_tests::story::link_to;
use mailroom_tests::story::received;
use mailroom_tests::story::send_now;
use mailroom_tests::story::start;
use mailroom_tests::story::within;
use serde_json::Value;
use serde_json::json;

/// Bob, a colleague who reads his mail at the sink.
const COLLEAGUE: &str = "ok.bob@sink.test";
const CUSTOMER: &str = "ok.ann@sink.test";

struct Story {
    stack: Stack,
    api: Client,
    browser: Browser,
    record: String,
    wrong: Vec<String>,
}

impl Story {
    /// An order of Ann's that Bob follows, open in the browser of Mai.
    fn new(name: &str) -> Self {
        let (stack, api) = start(name);
        let bob = json!({ "name": "Bob Tran", "email": COLLEAGUE, "password": "long enough", "role": "agent", "language": "en" });
        api.post("/api/v1/users", &bob).unwrap().ok().unwrap();
        let new = json!({ "type": "order", "title": "Twelve chairs", "email": CUSTOMER, "customer_name": "Ann Lee" });
        let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
        let path = format!("/api/v1/records/{record}/followers");
        api.post(&path, &json!({ "email": COLLEAGUE })).unwrap().ok().unwrap();
        // He is new: told in Mailroom until he says otherwise.
        let of_bob = stack.client();
        of_bob.login(COLLEAGUE, "long enough").unwrap();
        of_bob.patch("/api/v1/session", &json!({ "notify_by": "email" })).unwrap().ok().unwrap();
        let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
        browser.open("/login").unwrap();
        browser.take_session(&api).unwrap();
        let story = Self { stack, api, browser, record, wrong: Vec::new() };
        story.open();
        story
    }

    fn open(&self) {
        self.browser.open(&format!("/record/{}", self.record)).unwrap();
        self.browser.find(".goes .chip").unwrap();
    }

    fn at(&self, rest: &str) -> String {
        format!("/api/v1/records/{}/{rest}", self.record)
    }

    /// All that the console and axe-core say of the page as it is. The browser itself reports what the Worker refuses.
    fn look(&mut self, what: &str) {
        self.browser.screenshot(what).unwrap();
        let errors = self.browser.console_errors().unwrap().into_iter().filter(|it| !it.contains("422"));
        let findings = self.browser.accessibility_findings().unwrap();
        self.wrong.extend(errors.chain(findings).map(|it| format!("{what}: {it}")));
    }

    /// The same on a phone, and in the dark, and back.
    fn look_everywhere(&mut self, what: &str) {
        self.look(what);
        let theme = |name: &str| {
            self.browser.run("document.documentElement.dataset.theme = arguments[0]", &[json!(name)]).unwrap();
            // Pages of ours without the program follow the system.
            self.browser.set_dark(name == "dark").unwrap();
        };
        theme("dark");
        self.browser.screenshot(&format!("{what}-dark")).unwrap();
        self.browser.set_size(390, 844).unwrap();
        self.browser.screenshot(&format!("{what}-narrow-dark")).unwrap();
        theme("light");
        self.look(&format!("{what}-narrow"));
        self.browser.set_size(1440, 900).unwrap();
    }

    fn write(&self, text: &str) {
        self.browser.fill(".composer-text", text).unwrap();
    }

    fn send(&self) {
        self.browser.click("[data-send]").unwrap();
    }

    fn later(&self, ahead: Duration) {
        send_now(&self.stack, &self.api, ahead);
    }

    /// Mails to an address, once there are so many; no more come.
    fn mails(&self, address: &str, n: usize) -> Vec<String> {
        within(SOON, &format!("{n} mails to {address}"), &self.stack, || {
            let all = received(&self.stack, address);
            (all.len() >= n).then_some(all)
        })
        .into_iter()
        .map(|it| it.raw)
        .collect()
    }

    fn finish(self) {
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}

#[test]
fn followers_choose_what_they_hear_of_and_can_leave_by_their_mail() {
    let mut story = Story::new("ui-followers");
    story.browser.click_text(".side button", "Actions for Bob Tran").unwrap();
    story.browser.find_text("[role=menuitemcheckbox]", "Notes").unwrap();
    story.look_everywhere("follower-menu");
    story.browser.click_text("[role=menuitemcheckbox]", "Notes").unwrap();
    story.browser.find_text(".toast", "Saved").unwrap();
    let wants = || {
        let record = get(&story.api, &format!("/api/v1/records/{}", story.record));
        record["followers"].as_array().unwrap().iter().find(|it| it["name"] == "Bob Tran").unwrap()["wants"].clone()
    };
    assert_eq!(wants(), json!({ "messages": true, "notes": true, "stages": false }));

    // A note reaches him now; the goes-to line says so before it is written, and why.
    story.browser.click_text(".composer .seg button", "Log note").unwrap();
    story.browser.find_text(".goes [title*='follows this record']", "Bob").unwrap();
    story.write("He wants oak.");
    story.send();
    story.later(Duration::from_secs(15));
    let mail = story.mails(COLLEAGUE, 1).remove(0);
    assert!(mail.contains("He wants oak."), "{mail}");
    assert!(received(&story.stack, CUSTOMER).is_empty(), "a note stays inside");

    // The way out: one question, one click, and back.
    let link = link_to(&story.stack, COLLEAGUE, "f");
    story.browser.open(&link).unwrap();
    story.browser.find_text("h1", "Stop following?").unwrap();
    story.look_everywhere("unfollow");
    story.browser.click_text("button", "Stop following").unwrap();
    story.browser.find_text("h1", "You no longer follow this").unwrap();
    story.look("unfollow-done");
    story.browser.click_text("button", "Undo").unwrap();
    story.browser.find_text("h1", "You follow this again").unwrap();
    story.browser.open(&link).unwrap();
    story.browser.click_text("button", "Stop following").unwrap();
    story.browser.find_text("h1", "You no longer follow this").unwrap();
    story.open();
    story.browser.find_text(".sys", "Bob Tran").unwrap();
    assert_eq!(story.browser.all(".side .person").unwrap().len(), 1, "Mai is left");

    // Added again by name; then a message, which he and the customer get, each a copy of his own.
    story.browser.click_text(".side button", "Add").unwrap();
    story.browser.fill(".dialog input", "bob").unwrap();
    story.browser.find_text(".dialog .menu-item", "Bob Tran").unwrap();
    story.look_everywhere("follower-add");
    story.browser.click_text(".dialog .menu-item", "Bob Tran").unwrap();
    story.browser.find_text(".side button", "Actions for Bob Tran").unwrap();
    story.browser.click_text(".composer .seg button", "Send message").unwrap();
    story.browser.find_text(".goes [title*='the customer']", "Ann").unwrap();
    story.browser.find_text(".goes [title*='follows this record']", "Bob").unwrap();
    story.write("The chairs are ready.");
    story.look_everywhere("composer-goes");
    // The × leaves him out, the chip brings him back.
    story.browser.click("[aria-label='Leave out Bob Tran']").unwrap();
    story.browser.click_text(".goes button", "2 not told").unwrap();
    story.browser.click("[title='Tell Bob Tran after all']").unwrap();
    story.browser.find("[aria-label='Leave out Bob Tran']").unwrap();
    story.send();
    story.browser.find_text(".toast", "Undo").unwrap();
    story.look("composer-sent");
    story.later(Duration::from_secs(30));
    story.mails(CUSTOMER, 1);
    assert_eq!(story.mails(COLLEAGUE, 2).len(), 2);
    story.finish();
}

#[test]
fn a_template_is_made_and_fills_the_composer() {
    let mut story = Story::new("ui-templates");
    story.browser.open("/settings/templates").unwrap();
    story.browser.find_text("main", "No templates yet").unwrap();
    story.look_everywhere("templates-none");
    story.browser.click_text("button", "New template").unwrap();
    story.browser.fill("[name=name]", "Ready").unwrap();
    story.browser.fill("[name=text]", "Dear {{contact.phone}}").unwrap();
    story.browser.find_text(".dialog .hint--bad", "contact.phone").unwrap();
    story.look("templates-unknown");
    story.browser.fill("[name=subject]", "{{record.title}} are ready").unwrap();
    story.browser.fill("[name=text]", "Dear {{contact.first_name}},\n\nall is ready.\n\n").unwrap();
    story.browser.click_text(".dialog .chip", "{{user.name}}").unwrap();
    // The preview is that of a real record, whatever is typed.
    story.browser.find_text("[data-preview]", "Dear Ann,").unwrap();
    story.browser.find_text("[data-preview]", "Twelve chairs are ready").unwrap();
    story.browser.find_text("[data-preview]", "Mai Lindqvist").unwrap();
    story.look_everywhere("templates-editor");
    story.browser.click_text(".dialog-foot button", "Save").unwrap();
    story.browser.find("[data-template=Ready]").unwrap();
    story.look_everywhere("templates");

    story.open();
    story.browser.click_text(".composer button", "Use a template").unwrap();
    story.look("template-menu");
    story.browser.click_text("[role=menuitem]", "Ready").unwrap();
    within(SOON, "the filled text", &story.stack, || {
        let text = story.browser.run("return document.querySelector('.composer-text').value", &[]).unwrap();
        text.as_str().unwrap().contains("Dear Ann,").then_some(())
    });
    story.look_everywhere("template-filled");
    story.send();
    story.browser.find_text(".toast", "Undo").unwrap();
    story.later(Duration::from_secs(15));
    let mail = story.mails(CUSTOMER, 1).remove(0);
    assert!(mail.contains("Subject: Twelve chairs are ready"), "{mail}");
    assert!(mail.contains("Dear Ann,"), "{mail}");
    story.finish();
}

/// What is typed into a `datetime-local` field by keys depends on the language of the browser; a value does not.
fn set_time(browser: &Browser, minutes: i64) {
    let script = "const field = document.querySelector('#composer-later');
        const at = new Date(Date.now() + arguments[0] * 60000 - new Date().getTimezoneOffset() * 60000);
        field.value = at.toISOString().slice(0, 16);
        field.dispatchEvent(new Event('change', { bubbles: true }));";
    browser.run(script, &[json!(minutes)]).unwrap();
}

#[test]
fn mail_leaves_later_or_is_taken_back_and_drafts_are_kept() {
    let mut story = Story::new("ui-later");
    // A draft outlives a reload, with its fields.
    story.browser.click_text(".composer .cc button", "Cc").unwrap();
    story.browser.fill("[data-row='1'] input", "ok.cc@sink.test").unwrap();
    story.write("Half a sentence");
    story.browser.open("/contacts").unwrap();
    story.open();
    let value = |story: &Story, css: &str| -> String {
        story
            .browser
            .run("return document.querySelector(arguments[0]).value", &[json!(css)])
            .unwrap()
            .as_str()
            .unwrap()
            .into()
    };
    assert_eq!(value(&story, ".composer-text"), "Half a sentence");
    assert_eq!(value(&story, "[data-row='1'] input"), "ok.cc@sink.test");
    story.browser.click("[aria-label='Remove Cc']").unwrap();

    // Undo: nothing leaves, the text is back, the mention in it still counts.
    story.write("Please look, @bo");
    story.browser.find_text("[role=option]", "Bob Tran").unwrap();
    story.look_everywhere("composer-mention");
    story.browser.press_enter().unwrap();
    story.browser.find_text(".goes [title*='called with @']", "Bob").unwrap();
    assert_eq!(value(&story, ".composer-text"), "Please look, @Bob Tran ");
    story.send();
    story.browser.click_text(".toast button", "Undo").unwrap();
    within(SOON, "the text to come back", &story.stack, || {
        (value(&story, ".composer-text").trim() == "Please look, @Bob Tran").then_some(())
    });
    story.browser.find_text(".goes [title*='called with @']", "Bob").unwrap();
    story.later(Duration::from_secs(30));
    assert!(received(&story.stack, CUSTOMER).is_empty(), "it was taken back");

    // Later: it waits in the chatter with its time, and leaves in its minute.
    story.browser.click("[aria-label='Send later']").unwrap();
    set_time(&story.browser, 120);
    story.browser.find_text("[data-send]", "Schedule").unwrap();
    story.look_everywhere("composer-later");
    story.send();
    story.browser.find_text(".toast", "Scheduled for").unwrap();
    story.browser.find("[data-scheduled]").unwrap();
    story.look_everywhere("message-scheduled");
    story.later(Duration::from_mins(110));
    assert!(received(&story.stack, CUSTOMER).is_empty(), "not before its time");
    story.later(Duration::from_mins(121));
    story.mails(CUSTOMER, 1);
    story.browser.wait_gone("[data-scheduled]").unwrap();

    // Cancelled: the text comes back. Sent now: it leaves at once.
    story.write("Another");
    story.browser.click("[aria-label='Send later']").unwrap();
    set_time(&story.browser, 600);
    story.send();
    story.browser.click_text("[data-scheduled] button", "Cancel").unwrap();
    story.browser.wait_gone("[data-scheduled]").unwrap();
    within(SOON, "the text to come back", &story.stack, || {
        (value(&story, ".composer-text") == "Another").then_some(())
    });
    story.browser.find_text("[data-send]", "Schedule").unwrap();
    story.send();
    story.browser.click_text("[data-scheduled] button", "Send now").unwrap();
    story.browser.wait_gone("[data-scheduled]").unwrap();
    assert_eq!(story.mails(CUSTOMER, 2).len(), 2);
    story.finish();
}

#[test]
fn a_held_address_says_why_and_what_can_be_done() {
    let mut story = Story::new("ui-held");
    let hold = json!({ "address": CUSTOMER, "scope": "all", "note": "Asked us not to write" });
    story.api.post("/api/v1/suppressions", &hold).unwrap().ok().unwrap();
    story.open();
    story.browser.find_text("[data-held]", "Asked us not to write").unwrap();
    story.look_everywhere("composer-held");
    // Nobody is left but Bob; when he is left out, it can't be sent.
    story.browser.click_text("[data-held] button", "Write all the same").unwrap();
    story.browser.fill("[data-held] input", "She called and asked for it").unwrap();
    story.look("composer-held-reason");
    story.browser.click_text("[data-held] button", "Lift").unwrap();
    story.browser.wait_gone("[data-held]").unwrap();
    story.write("The chairs are ready.");
    story.send();
    story.browser.find_text(".toast", "Undo").unwrap();
    story.later(Duration::from_secs(15));
    story.mails(CUSTOMER, 1);
    story.finish();
}

#[test]
fn whoever_prefers_mailroom_is_told_there_and_live() {
    let mut story = Story::new("ui-notifications");
    let of_bob = story.stack.client();
    of_bob.login(COLLEAGUE, "long enough").unwrap();
    of_bob.patch("/api/v1/session", &json!({ "notify_by": "mailroom" })).unwrap().ok().unwrap();
    let bob = get(&of_bob, "/api/v1/session");
    story.browser.forget_session().unwrap();
    story.browser.take_session(&of_bob).unwrap();
    story.browser.open("/notifications").unwrap();
    story.browser.find_text("main", "Nothing new").unwrap();
    story.look_everywhere("notifications-none");
    // A message, a mention in a note and an assignment, while he looks.
    let post = |body: Value| story.api.post(&story.at("messages"), &body).unwrap().ok().unwrap();
    post(json!({ "mode": "message", "text": "The chairs are ready." }));
    post(json!({ "mode": "note", "text": "@Bob Tran please look", "mentions": [bob["contact"]] }));
    let take = json!({ "responsible": bob["user"] });
    story.api.patch(&format!("/api/v1/records/{}", story.record), &take).unwrap().ok().unwrap();
    story.browser.find_text("[data-notification]", "Mai Lindqvist made you responsible for “Twelve chairs”").unwrap();
    story.browser.find_text("[data-notification]", "please look").unwrap();
    story.browser.find_text(".rail-item .count", "3").unwrap();
    story.look_everywhere("notifications");
    story.browser.click_text("[data-notification]:last-child button", "Star").unwrap();
    story.browser.click_text("[data-notification]:last-child button", "Done").unwrap();
    story.browser.find_text(".rail-item .count", "2").unwrap();
    story.browser.click_text(".seg button", "Starred").unwrap();
    story.browser.find_text("[data-notification]", "The chairs are ready.").unwrap();
    story.look("notifications-starred");
    // Opening the record is reading all that was told of it.
    story.browser.click("[data-notification] a").unwrap();
    story.browser.find_text("h1", "Order").unwrap();
    within(SOON, "nothing unread", &story.stack, || (get(&of_bob, "/api/v1/shell")["told"] == 0).then_some(()));
    assert!(received(&story.stack, COLLEAGUE).is_empty(), "he is told here");
    story.finish();
}

//! One story for each heading of the page on common emailing issues, named after it: what its reader looks for is done in
//! real Chromium, in the words that a user sees. The admin's placeholder address has its story in `people_ui.rs`.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::report::address_of;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::*;
use serde_json::Value;
use serde_json::json;

/// One installation for the stories that run at the same time; they take turns, since they share its clock.
struct World {
    turn: Mutex<Duration>,
    stack: Stack,
    api: Client,
}

static WORLD: Mutex<Weak<World>> = Mutex::new(Weak::new());
static STARTED: AtomicU32 = AtomicU32::new(0);

/// A story's turn: nobody else moves the clock meanwhile.
struct Turn<'a> {
    world: &'a World,
    ahead: MutexGuard<'a, Duration>,
    browser: Browser,
}

/// The installation of whoever runs now, or a new one. It ends with the last story that holds it.
fn world() -> Arc<World> {
    let mut shared = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(world) = shared.upgrade() {
        return world;
    }
    let (stack, api) = start(&format!("seed-{}", STARTED.fetch_add(1, Ordering::Relaxed)));
    let world = Arc::new(World { turn: Mutex::new(Duration::ZERO), stack, api });
    change_server(&world, json!({ "name": "Relay", "bulk": true }));
    *shared = Arc::downgrade(&world);
    world
}

fn change_server(world: &World, change: Value) {
    let server = get(&world.api, "/api/v1/servers")[0].clone();
    let mut settings = server["settings"].clone();
    for (key, value) in change.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let path = format!("/api/v1/servers/{}", server["id"].as_str().unwrap());
    world.api.patch(&path, &settings).unwrap().ok().unwrap();
}

impl World {
    fn turn(&self) -> Turn<'_> {
        let ahead = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let browser = Browser::start(&self.stack.base_url(), 1440, 900).unwrap();
        browser.open("/login").unwrap();
        browser.take_session(&self.api).unwrap();
        Turn { world: self, ahead, browser }
    }
}

impl Turn<'_> {
    fn api(&self) -> &Client {
        &self.world.api
    }

    fn stack(&self) -> &Stack {
        &self.world.stack
    }

    /// Time goes by, and the minute's trigger runs.
    fn later(&mut self, by: Duration) {
        *self.ahead += by;
        send_now(&self.world.stack, &self.world.api, *self.ahead);
    }

    fn record(&self, title: &str, address: &str) -> String {
        let new = json!({ "type": "order", "title": title, "email": address });
        id(&self.api().post("/api/v1/records", &new).unwrap().ok().unwrap())
    }

    /// A message that has left; its id.
    fn send(&mut self, record: &str, text: &str, cc: &[&str]) -> String {
        let message = id(&post(self.api(), record, json!({ "text": text, "cc": cc })));
        self.later(Duration::from_secs(11));
        message
    }

    fn delivery(&self, message: &str, address: &str) -> String {
        let all = deliveries(self.api(), message);
        id(all["deliveries"].as_array().unwrap().iter().find(|it| it["address"] == address).unwrap())
    }

    fn arrive(&self, from: &str, to: &str, mail: Mail) -> (bool, String) {
        let sent = swaks(self.stack().front_door().unwrap(), from, to, &mail.raw().unwrap(), &[]).unwrap();
        (sent.accepted, sent.transcript)
    }

    fn open(&self, path: &str) {
        self.browser.open(path).unwrap();
        self.browser.find("main h1").unwrap();
        self.browser.wait_gone("main .sk, main [aria-busy=true]").unwrap();
    }

    fn reads(&self, css: &str, words: &str) {
        self.browser.find_text(css, words).unwrap();
    }

    fn press(&self, css: &str, words: &str) {
        self.browser.click_text(css, words).unwrap();
    }

    /// Ends the story: the console has no error.
    fn end(self, name: &str) {
        self.browser.screenshot(&format!("seed-{name}")).unwrap();
        let errors = self.browser.console_errors().unwrap();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn odoo_is_not_an_email_provider() {
    let world = world();
    let mut turn = world.turn();
    // Followers instead of copies: the line above the text says who is told, and how.
    let record = turn.record("Six lamps", "ok.lena@sink.test");
    let path = format!("/api/v1/records/{record}/followers");
    turn.api().post(&path, &json!({ "name": "Nils Berg", "email": "ok.nils@sink.test" })).unwrap().ok().unwrap();
    turn.open(&format!("/record/{record}"));
    turn.reads(".goes", "Nils Berg");
    turn.browser.fill(".composer-text", "The lamps are ready to be fetched.").unwrap();
    turn.browser.click(".composer .btn--primary").unwrap();
    turn.reads(".toast", "Undo");
    turn.later(Duration::from_secs(11));
    for address in ["ok.lena@sink.test", "ok.nils@sink.test"] {
        let mails = within(SOON, address, turn.stack(), || {
            Some(received(turn.stack(), address)).filter(|it: &Vec<_>| !it.is_empty())
        });
        assert_eq!(mails.len(), 1, "one copy for {address}");
        assert!(header(&mails[0].raw, "Cc").is_empty() && header(&mails[0].raw, "Bcc").is_empty(), "{}", mails[0].raw);
    }
    // Two copies left, and the chatter holds the text once.
    turn.open(&format!("/record/{record}"));
    turn.reads(".msg-body", "The lamps are ready");
    let bodies = "return [...document.querySelectorAll('.msg-body')].filter((it) => it.innerText.includes('The lamps are ready')).length";
    assert_eq!(turn.browser.run(bodies, &[]).unwrap(), 1);

    // A reply is found by what it refers to, whatever its subject; what belongs nowhere is refused, but not lost.
    let sent = received(turn.stack(), "ok.lena@sink.test").pop().unwrap();
    let reply_to = header(&sent.raw, "Reply-To");
    let to = address_of(&reply_to);
    let answer = Mail::new("Lena <ok.lena@sink.test>", to, "Something else", "I come on Friday.")
        .reply_to(&header(&sent.raw, "Message-ID"));
    assert!(turn.arrive("ok.lena@sink.test", to, answer).0);
    turn.reads(".msg-body", "I come on Friday.");
    let lost = Mail::new("Carl <ok.carl@sink.test>", "nowhere@corp.example", "For nobody", "Hello");
    let (accepted, said) = turn.arrive("ok.carl@sink.test", "nowhere@corp.example", lost);
    assert!(!accepted && said.contains("550"), "{said}");
    turn.open("/technical/incoming?show=refused");
    turn.reads("[data-fate=refused] td", "For nobody");
    turn.end("not-a-provider");
}

#[test]
fn delivery_failure() {
    let world = world();
    let mut turn = world.turn();
    let record = turn.record("Twelve chairs", "hard.dora@sink.test");
    let message = turn.send(&record, "Your order has left.", &["spam.emil@sink.test", "ok.finn@sink.test"]);
    turn.open(&format!("/record/{record}"));
    turn.browser.click(".msg .env--fail").unwrap();
    // Who got it and who did not, the reason, what the other server said.
    turn.reads(".dialog", "1 handed over, 2 need you");
    let dora = format!(".dialog [data-delivery='{}']", turn.delivery(&message, "hard.dora@sink.test"));
    turn.press(&format!("{dora} button"), "See error details");
    turn.reads(&format!("{dora} pre"), "550");
    turn.browser.screenshot("seed-delivery-dialog").unwrap();
    // The one that is switched on goes again, to the corrected address; the other stays as the line beside the button says.
    turn.browser.fill(&format!("{dora} .fix .input"), "ok.dora@sink.test").unwrap();
    let emil = format!(".dialog [data-delivery='{}']", turn.delivery(&message, "spam.emil@sink.test"));
    turn.reads(".dialog-foot", "sends 2 now");
    turn.browser.click(&format!("{emil} [role=switch]")).unwrap();
    turn.reads(".dialog-foot", "sends 1 now");
    turn.reads(".dialog-foot", "leaves 1 failing");
    turn.press(".dialog button", "Send & close");
    turn.browser.wait_gone(".dialog").unwrap();
    within(SOON, "the corrected mail", turn.stack(), || received(turn.stack(), "ok.dora@sink.test").pop());
    turn.browser.click(".msg .env--fail").unwrap();
    turn.press(".dialog button", "Ignore all");
    turn.browser.wait_gone(".env--fail").unwrap();

    // A domain of its own: one that asks to wait slows all mail to it. The queue: Delivery Failed, Retry; Send now and Cancel for what waits.
    let message = turn.send(
        &record,
        "One more thing.",
        &["spam.gerd@sink.test", "soft.hans@busy.sink.test", "soft.ida@busy.sink.test"],
    );
    let line = |address: &str| format!("tr[data-delivery='{}']", turn.delivery(&message, address));
    let (gerd, hans, ida) =
        (line("spam.gerd@sink.test"), line("soft.hans@busy.sink.test"), line("soft.ida@busy.sink.test"));
    for (filter, line, state, button, said) in [
        ("failed", &gerd, "Delivery Failed", "Retry", "1 email goes out again"),
        ("deferred", &hans, "Deferred", "Send now", "1 email is sent now"),
        ("deferred", &ida, "Deferred", "Cancel", "1 email cancelled"),
    ] {
        turn.open(&format!("/emails?filter={filter}"));
        turn.reads(line, state);
        turn.browser.click(&format!("{line} .check")).unwrap();
        turn.press(".selbar button", button);
        turn.reads(".toast", said);
    }
    assert_eq!(state_of(turn.api(), &message, "soft.ida@busy.sink.test"), "cancelled");
    turn.end("delivery-failure");
}

#[test]
fn daily_limit_reached() {
    let world = world();
    let mut turn = world.turn();
    turn.api().postpone_reset().unwrap();
    let record = turn.record("Ten stools", "ok.limit0@sink.test");
    turn.send(&record, "The first leaves.", &[]);
    change_server(&world, json!({ "daily_limit": 1 }));
    let message = turn.send(&record, "These wait.", &["ok.limit1@sink.test", "ok.limit2@sink.test"]);
    turn.open("/emails?filter=not_delivered&wait=limit");
    turn.reads("tr[data-delivery]", "daily limit");
    // How much is used, what counts, and the three ways out: ask for more, an own server, the next day.
    turn.open("/settings/limits");
    turn.reads("[data-meter='Relay']", "of 1 today");
    turn.reads("[data-meter='Relay']", "The limit is reached. Mail is parked and goes by itself after");
    turn.reads("main", "A colleague who is told in Mailroom costs nothing");
    turn.reads("main h2", "Ask for more");
    turn.reads("[data-point]", "Bounce rate");
    turn.reads("main", "use an outgoing server of your own");
    turn.browser.screenshot("seed-limit").unwrap();
    // The next day all of them are there, once, without anybody pressing anything.
    change_server(&world, json!({ "daily_limit": 50 }));
    turn.later(Duration::from_hours(24));
    turn.later(Duration::from_mins(2));
    within(Duration::from_mins(1), "the parked mails", turn.stack(), || {
        ["ok.limit1@sink.test", "ok.limit2@sink.test"]
            .iter()
            .all(|it| state_of(turn.api(), &message, it) == "sent")
            .then_some(())
    });
    for address in ["ok.limit1@sink.test", "ok.limit2@sink.test"] {
        assert_eq!(received(turn.stack(), address).len(), 1, "{address}");
    }
    change_server(&world, json!({ "daily_limit": null }));
    turn.end("daily-limit");
}

#[test]
fn smtp_errors() {
    let world = world();
    let mut turn = world.turn();
    let record = turn.record("Four tables", "ok.smtp@sink.test");
    // Servers word the same refusal differently; each is shown as it was said, with what it means.
    let mails = ["hard.anton@sink.test", "hard.outlook.berta@sink.test", "full.permanent.carl@sink.test"];
    let message = turn.send(&record, "Your tables.", &mails);
    turn.open(&format!("/record/{record}"));
    turn.browser.click(".msg .env--fail").unwrap();
    for (address, code, words) in [
        (mails[0], "550 5.1.1", "The mailbox you tried to write to is not known here"),
        (mails[1], "550 5.5.0", "mailbox unavailable"),
        (mails[2], "552 5.2.2", "quota exceeded"),
    ] {
        let line = format!(".dialog [data-delivery='{}']", turn.delivery(&message, address));
        turn.reads(&line, code);
        turn.press(&format!("{line} button"), "See error details");
        turn.reads(&format!("{line} pre"), words);
    }
    // The same cause of all three, in the list of the whole team.
    turn.browser.screenshot("seed-smtp-errors").unwrap();
    turn.open("/failures");
    turn.reads("[data-group=userunknown]", "hard.anton@sink.test");
    turn.reads("[data-group=userunknown]", "hard.outlook.berta@sink.test");
    turn.end("failures-by-cause");
}

#[test]
fn no_error_populated() {
    let world = world();
    let mut turn = world.turn();
    let record = turn.record("A bench", "drop.quiet@sink.test");
    let message = turn.send(&record, "Your bench.", &[]);
    let is_unknown = || state_of(turn.api(), &message, "drop.quiet@sink.test") == "unknown";
    within(SOON, "the end of the try", turn.stack(), || is_unknown().then_some(()));
    turn.open(&format!("/record/{record}"));
    turn.browser.click(".msg .env--fail").unwrap();
    // No answer is said to be none, with what follows from that; nothing is made up and nothing goes twice by itself.
    turn.reads(".dialog", "Nobody knows whether it arrived.");
    turn.reads(".dialog", "Trying again may deliver it twice");
    turn.browser.screenshot("seed-no-error").unwrap();
    turn.browser.press_escape().unwrap();
    turn.later(Duration::from_hours(2));
    assert_eq!(state_of(turn.api(), &message, "drop.quiet@sink.test"), "unknown");
    // What is known of the way there: the trace; and the usual cause: SPF and DKIM of the own domain.
    turn.open(&format!("/trace/{message}"));
    turn.browser.find("[data-delivery]").unwrap();
    turn.open("/technical/doctor");
    turn.browser.find("[data-domain='corp.example'] button").unwrap();
    turn.end("no-error");
}

#[test]
fn execution_time() {
    let world = world();
    let mut turn = world.turn();
    turn.open("/technical/actions");
    turn.reads("[data-action=queue_manager]", "every 60 min");
    turn.reads("main", "5 minutes are the shortest interval, 15 the one we recommend");
    turn.reads("[data-action=campaign_queue]", "daily");
    turn.browser.click("[data-action=queue_manager] button[aria-expanded]").unwrap();
    turn.browser.fill("[name=interval]", "15").unwrap();
    turn.press(".sub-row button", "Save");
    turn.reads("[data-action=queue_manager]", "every 15 min");
    turn.browser.fill("[name=interval]", "60").unwrap();
    turn.press(".sub-row button", "Save");
    turn.reads("[data-action=queue_manager]", "every 60 min");
    // From one person to another: it does not wait for any action, and is not among what waits.
    let record = turn.record("A sofa", "ok.urgent@sink.test");
    turn.open(&format!("/record/{record}"));
    turn.browser.fill(".composer-text", "Your sofa is ready.").unwrap();
    turn.browser.click(".composer .btn--primary").unwrap();
    turn.reads(".toast", "Undo");
    within(Duration::from_secs(30), "the urgent mail", turn.stack(), || {
        received(turn.stack(), "ok.urgent@sink.test").pop()
    });
    turn.open("/emails?filter=not_delivered&q=ok.urgent@sink.test");
    assert!(turn.browser.find_now("tr[data-delivery]").unwrap().is_none(), "sent mail does not wait");
    // A campaign leaves as soon as possible: sending wakes the queue, long before its daily run.
    let campaign = draft(&turn, "Workshop letter", "exec");
    turn.open(&format!("/campaigns/{campaign}"));
    turn.press("main .page-head button", "Send");
    turn.reads(".toast", "It leaves as soon as its turn comes");
    within(Duration::from_secs(30), "the campaign", turn.stack(), || {
        received(turn.stack(), "ok.exec0@sink.test").pop()
    });
    turn.open("/campaigns");
    turn.reads("main", "Running it by hand under Technical › Scheduled actions, even many times, does no harm");
    turn.later(Duration::from_mins(1));
    turn.end("execution-time");
}

/// A campaign to a list of three of its own; its id.
fn draft(turn: &Turn<'_>, name: &str, prefix: &str) -> String {
    let api = turn.api();
    let list = id(&api.post("/api/v1/mailing-lists", &json!({ "name": name, "public": true })).unwrap().ok().unwrap());
    let csv: String = (0..3).map(|i| format!("ok.{prefix}{i}@sink.test,Person {i}\n")).collect::<Vec<_>>().concat();
    api.post(&format!("/api/v1/mailing-lists/{list}/import"), &json!({ "csv": csv })).unwrap().ok().unwrap();
    let made = api.post("/api/v1/campaigns", &json!({ "name": name })).unwrap().ok().unwrap();
    let campaign = id(&made["row"]);
    let mut settings = made["settings"].clone();
    settings["subject"] = name.into();
    settings["audience"] = json!({ "lists": [list] });
    settings["content"] = json!({ "blocks": [
        { "kind": "text", "text": "Hello, see [the list](https://corp.example/list)." },
        { "kind": "footer", "text": "Corp" },
    ] });
    api.patch(&format!("/api/v1/campaigns/{campaign}"), &settings).unwrap().ok().unwrap();
    campaign
}

#[test]
fn campaigns_stuck_in_the_queue() {
    let world = world();
    let mut turn = world.turn();
    let names = ["Queue letter A", "Queue letter B", "Queue letter C"];
    let ids: Vec<String> = names.iter().zip(["qa", "qb", "qc"]).map(|(name, it)| draft(&turn, name, it)).collect();
    // Put there in the other order: that of creation decides.
    let at = get(turn.api(), "/api/v1/shell")["now"].as_i64().unwrap() + 10 * 60 * 1_000;
    for id in ids.iter().rev() {
        let path = format!("/api/v1/campaigns/{id}/acts");
        turn.api().post(&path, &json!({ "act": "schedule", "at": at })).unwrap().ok().unwrap();
    }
    turn.open("/campaigns");
    turn.reads("main", "in the order in which they were created");
    for (position, id) in ids.iter().enumerate() {
        turn.reads(&format!("[data-campaign='{id}'] td:first-child"), &(position + 1).to_string());
        turn.reads(&format!("[data-campaign='{id}'] [data-state]"), "In queue");
        turn.reads(&format!("[data-campaign='{id}']"), "Scheduled for");
    }
    turn.browser.screenshot("seed-campaign-queue").unwrap();
    turn.later(Duration::from_mins(11));
    for _ in 0..4 {
        turn.later(Duration::from_mins(1));
    }
    let subjects: Vec<String> = within(SOON, "all campaigns", turn.stack(), || {
        let all = turn.stack().sink().store().find(None);
        let theirs: Vec<String> =
            all.iter().map(|it| header(&it.raw, "Subject")).filter(|it| names.contains(&it.as_str())).collect();
        (theirs.len() == 9).then_some(theirs)
    });
    let order: Vec<&str> = names.iter().flat_map(|it| [*it; 3]).collect();
    assert_eq!(subjects, order);
    turn.open("/campaigns");
    for id in &ids {
        turn.reads(&format!("[data-campaign='{id}'] [data-state=sent]"), "Sent");
    }
    turn.end("campaigns-sent");
}

#[test]
fn incoming_emails() {
    let world = world();
    let turn = world.turn();
    // The sender's program gets the bounce; here is an indication all the same, with what the sender saw.
    let mail = Mail::new("Olga <ok.olga@sink.test>", "oders@corp.example", "Where is my order?", "Hello");
    let (accepted, said) = turn.arrive("ok.olga@sink.test", "oders@corp.example", mail);
    assert!(!accepted && said.contains("550"), "{said}");
    turn.open("/technical/incoming?show=refused&q=ok.olga@sink.test");
    turn.reads("[data-fate=refused] td", "Where is my order?");
    turn.browser.click("[data-fate=refused] [aria-expanded]").unwrap();
    turn.reads(".sub-row", "What the sender saw");
    turn.reads(".sub-row", "550");
    turn.end("incoming");
}

#[test]
fn email_is_not_received() {
    let world = world();
    let turn = world.turn();
    let mail = Mail::new("Petra <ok.petra@sink.test>", "nobody@corp.example", "My offer", "Hello");
    assert!(!turn.arrive("ok.petra@sink.test", "nobody@corp.example", mail).0);
    // Asked in words, answered with what happened to it.
    turn.open("/inbox");
    turn.browser.fill(".topbar input[type=search]", "what happened to the mail from ok.petra@sink.test today").unwrap();
    turn.browser.press_enter().unwrap();
    turn.press("[data-mails] a", "My offer");
    turn.browser.find("[data-fate=refused]").unwrap();
    turn.browser.screenshot("seed-trace").unwrap();
    // The log has every act with its time, and the files of the days.
    turn.open("/technical/logs?q=ok.petra@sink.test");
    turn.browser.find("tr[data-log=refused]").unwrap();
    turn.api().post("/api/v1/actions/log_rotation/runs", &Value::Null).unwrap().ok().unwrap();
    turn.open("/technical/logs");
    turn.reads("main", "05:00");
    turn.end("logs");
}

#[test]
fn information_for_support() {
    let world = world();
    let turn = world.turn();
    turn.open("/technical/support");
    turn.press("summary", "How to get the file out of your mail program");
    for program in ["Gmail", "Outlook", "Thunderbird", "Apple Mail"] {
        turn.reads("details dt", program);
    }
    // A mail that never got here: read in the browser, shown as its way, and decided as of today.
    let path = turn.stack().state().join("lost.eml");
    let mail = Mail::new("Rita <ok.rita@sink.test>", "nobody@corp.example", "Lost and found", "Hello").raw().unwrap();
    std::fs::write(&path, mail).unwrap();
    turn.browser.choose_file("input[type=file]", &path).unwrap();
    turn.reads("[data-trace]", "Lost and found");
    turn.press("[data-dry-run] button", "Send it and try");
    turn.browser.find("[data-today]").unwrap();
    // The questions, and what goes to support.
    turn.press("[data-answers] button", "Look it up");
    turn.browser.find("[data-facts]").unwrap();
    for question in ["reply", "settings", "generic"] {
        turn.browser.find(&format!("[data-answers] [name={question}]")).unwrap();
    }
    turn.press("[data-answers] button", "Look at the bundle");
    turn.browser.find("[data-part='mail.eml']").unwrap();
    turn.reads("[data-bundle] button", "Download zip");
    turn.end("support");
}

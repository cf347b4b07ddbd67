//! What leaves, over the running Worker and real SMTP: every answer of a server leads to its state, every action to its
//! effect, limits park and resume, and nothing is sent twice whoever runs, dies or presses a button.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use mailroom_tests::client::Client;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use serde_json::Value;
use serde_json::json;

const PASSWORD: &str = "a good password";

const KILLS: usize = 5;

/// Mails of the drain during which the Worker is killed five times. `MAILROOM_DRAIN=10000` makes it the one of the
/// acceptance, which takes some minutes.
fn drain_size() -> usize {
    std::env::var("MAILROOM_DRAIN").ok().and_then(|it| it.parse().ok()).unwrap_or(1_000)
}

const SOON: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_hours(24);

struct Office {
    stack: Stack,
    api: Client,
    record: String,
}

impl Office {
    fn start(name: &str) -> Self {
        let stack = Stack::start(StackOptions::test(name)).unwrap();
        let form = json!({
            "company": "Corp", "name": "Mai Lindqvist", "email": "mai@corp.example", "password": PASSWORD,
            "domain": "corp.example", "language": "en",
            "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
        });
        assert!(stack.set_up(&form).unwrap());
        let api = login(&stack);
        let new = json!({ "type": "order", "title": "S1", "email": "ok.customer@sink.test" });
        let record = api.post("/api/v1/records", &new).unwrap().ok().unwrap()["id"].as_str().unwrap().to_owned();
        Self { stack, api, record }
    }

    fn get(&self, path: &str) -> Value {
        self.api.get(path).unwrap().ok().unwrap()
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.api.post(path, &body).unwrap().ok().unwrap()
    }

    /// Writes to these addresses alone, each in Bcc; the id of the message.
    fn write(&self, to: &[String]) -> String {
        let contacts = self.get("/api/v1/contacts?limit=200");
        let all: Vec<&Value> = contacts["items"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        let body = json!({ "mode": "message", "text": "Hello", "bcc": to, "leave_out": all });
        let path = format!("/api/v1/records/{}/messages", self.record);
        self.post(&path, body)["id"].as_str().unwrap().to_owned()
    }

    fn set_clock(&self, ahead: Duration) {
        set_clock(&self.api, ahead);
    }

    /// Moves the clock and runs the minute.
    fn tick(&self, ahead: Duration) {
        self.set_clock(ahead);
        self.stack.cron(None).unwrap();
    }

    fn within<T>(&self, limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + limit;
        loop {
            if let Some(found) = ask() {
                return found;
            }
            assert!(Instant::now() < end, "waited {limit:?} for {what}\n{}", self.stack.log_tail(60));
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// All rows of the queue, by recipient.
    fn rows(&self) -> BTreeMap<String, Value> {
        let (mut rows, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let page = self.get(&format!("/api/v1/emails?filter=all&limit=200{cursor}"));
            for row in page["items"].as_array().unwrap() {
                let text = row["recipient"].as_str().unwrap();
                let address = text.split(['<', '>']).nth(1).unwrap_or(text).to_owned();
                rows.insert(address, row.clone());
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    fn state(&self, address: &str) -> String {
        self.rows().get(address).map(|it| it["state"].as_str().unwrap().to_owned()).unwrap_or_default()
    }

    fn count(&self, state: &str) -> usize {
        self.rows().values().filter(|it| it["state"] == state).count()
    }

    fn received(&self, address: &str) -> usize {
        self.stack.sink().messages_to(address).len()
    }

    fn act(&self, action: &str, addresses: &[&str]) -> Value {
        let rows = self.rows();
        let ids: Vec<&Value> = addresses.iter().map(|it| &rows[*it]["delivery"]).collect();
        self.post("/api/v1/emails/actions", json!({ "action": action, "deliveries": ids }))
    }

    fn server(&self) -> Value {
        self.get("/api/v1/servers")[0].clone()
    }

    /// Changes settings of the first server.
    fn change_server(&self, change: Value) -> Value {
        let server = self.server();
        let mut settings = server["settings"].clone();
        for (key, value) in change.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let path = format!("/api/v1/servers/{}", server["id"].as_str().unwrap());
        self.api.patch(&path, &settings).unwrap().ok().unwrap()
    }

    fn events(&self, message: &str, address: &str) -> Vec<(String, String)> {
        let dialog = self.get(&format!("/api/v1/messages/{message}/deliveries"));
        let all = dialog["deliveries"].as_array().unwrap();
        let found = all.iter().find(|it| it["address"] == address).unwrap();
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        found["events"].as_array().unwrap().iter().map(|it| (text(&it["kind"]), text(&it["by"]))).collect()
    }
}

fn login(stack: &Stack) -> Client {
    let api = stack.client();
    api.login("mai@corp.example", PASSWORD).unwrap();
    api
}

fn set_clock(api: &Client, ahead: Duration) {
    let offset = i64::try_from(ahead.as_millis()).unwrap();
    api.post("/api/dev/switches", &json!({ "clock_offset": offset })).unwrap().ok().unwrap();
}

fn addresses(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}.p{i}@sink.test")).collect()
}

#[test]
fn every_answer_leads_to_its_state_and_every_action_to_its_effect() {
    let office = Office::start("states");
    let cases = [
        ("ok.a@sink.test", "sent", ""),
        ("slow.a@sink.test", "sent", ""),
        ("soft.a@sink.test", "deferred", ""),
        ("full.a@sink.test", "deferred", "mailboxfull"),
        ("hard.a@sink.test", "failed", "userunknown"),
        ("hard.outlook@sink.test", "failed", ""),
        ("hard.postfix@sink.test", "failed", "userunknown"),
        ("full.permanent@sink.test", "failed", "mailboxfull"),
        ("spam.a@sink.test", "failed", "spamdetected"),
        ("drop.a@sink.test", "unknown", ""),
        ("ooo.a@sink.test", "sent", ""),
    ];
    let to: Vec<String> = cases.iter().map(|(address, ..)| (*address).to_owned()).collect();
    let message = office.write(&to);
    office.tick(Duration::from_secs(11));
    let dialog = office.get(&format!("/api/v1/messages/{message}/deliveries"));
    let deliveries = dialog["deliveries"].as_array().unwrap();
    for (address, state, reason) in cases {
        let found = deliveries.iter().find(|it| it["address"] == address).unwrap();
        assert_eq!(found["state"], state, "{address}: {found}");
        assert!(reason.is_empty() || found["reason"] == reason, "{address}: {found}");
    }
    // Accepted first, reported later.
    office.write(&["later.b@sink.test".to_owned()]);
    office.tick(Duration::from_secs(30));
    office.within(SOON, "the report", || (office.state("later.b@sink.test") == "bounced").then_some(()));
    office.write(&["complain.b@sink.test".to_owned()]);
    office.tick(Duration::from_secs(50));
    office.within(SOON, "the complaint", || (office.state("complain.b@sink.test") == "complained").then_some(()));

    // A person settles what is unknown, retries, cancels; sent ones never go again.
    assert_eq!(office.act("arrived", &["drop.a@sink.test"])["changed"], 1);
    assert_eq!(office.state("drop.a@sink.test"), "delivered");
    for action in ["retry", "send_now", "cancel", "hold"] {
        assert_eq!(office.act(action, &["ok.a@sink.test", "drop.a@sink.test"])["changed"], 0, "{action}");
    }
    assert_eq!(office.act("cancel", &["soft.a@sink.test", "hard.a@sink.test"])["changed"], 2);
    assert_eq!(office.act("retry", &["hard.a@sink.test"])["changed"], 1);
    assert_eq!(office.state("hard.a@sink.test"), "outgoing");
    office.tick(Duration::from_mins(1));
    assert_eq!(office.state("hard.a@sink.test"), "failed", "the next run tried it");
    assert_eq!(office.act("send_now", &["soft.a@sink.test"])["changed"], 1);
    office.within(SOON, "send now without a tick", || (office.state("soft.a@sink.test") == "deferred").then_some(()));
    assert_eq!(office.received("ok.a@sink.test"), 1);

    // Held mail stays, whatever time it is; released it goes at once.
    let message = office.write(&["ok.held@sink.test".to_owned()]);
    office.act("hold", &["ok.held@sink.test"]);
    office.tick(Duration::from_hours(3));
    assert_eq!(
        (office.received("ok.held@sink.test"), office.rows()["ok.held@sink.test"]["wait"].as_str()),
        (0, Some("held"))
    );
    office.act("release", &["ok.held@sink.test"]);
    office.within(SOON, "the released mail", || (office.received("ok.held@sink.test") == 1).then_some(()));
    office.within(SOON, "its state", || (office.state("ok.held@sink.test") == "sent").then_some(()));
    let events = office.events(&message, "ok.held@sink.test");
    for kind in ["held", "released"] {
        assert!(events.contains(&(kind.to_owned(), "Mai Lindqvist".to_owned())), "{events:?}");
    }
}

#[test]
fn at_17_of_50_the_limit_parks_and_the_next_day_all_are_there_once() {
    let office = Office::start("limit");
    office.api.postpone_reset().unwrap();
    office.change_server(json!({ "daily_limit": 50 }));
    office.write(&addresses("ok.before", 33));
    office.tick(Duration::from_secs(11));
    assert_eq!(office.count("sent"), 33);
    let all = addresses("ok.after", 50);
    office.write(&all);
    office.tick(Duration::from_secs(30));
    let there = |office: &Office| all.iter().filter(|it| office.received(it) == 1).count();
    assert_eq!(there(&office), 17);
    let parked = office.get("/api/v1/emails?wait=limit&limit=200");
    let parked = parked["items"].as_array().unwrap();
    let meter = &office.get("/api/v1/limits")["meters"][0];
    assert_eq!((parked.len(), &meter["used"], &meter["left"]), (33, &json!(50), &json!(0)));
    assert!(parked.iter().all(|it| it["next_try"] == meter["resets_at"] && it["state"] == "outgoing"), "{parked:?}");
    for seconds in [60, 120, 180] {
        office.tick(Duration::from_secs(seconds));
    }
    assert_eq!(there(&office), 17, "not one more today");
    let notices = office.get("/api/v1/notices");
    let told = notices.as_array().unwrap().iter().filter(|it| it["kind"] == "limit_reached").count();
    assert_eq!(told, 1, "{notices}");
    office.tick(DAY);
    assert_eq!(there(&office), 50, "by itself, each once");
    assert_eq!((office.count("sent"), office.count("outgoing")), (83, 0));
    assert!(all.iter().all(|it| office.received(it) == 1));
}

#[test]
fn several_runs_at_once_drain_one_queue_and_nothing_goes_twice() {
    let office = Office::start("together");
    let all: Vec<String> = (0..3).flat_map(|i| addresses(&format!("ok.m{i}"), 150)).collect();
    for part in all.chunks(150) {
        office.write(part);
    }
    office.set_clock(Duration::from_secs(11));
    thread::scope(|scope| {
        for i in 0..6 {
            let office = &office;
            scope.spawn(move || {
                if i % 2 == 0 {
                    office.stack.cron(None).unwrap();
                } else {
                    login(&office.stack).post("/api/dev/tick", &json!({})).unwrap();
                }
            });
        }
    });
    office.tick(Duration::from_secs(90));
    let counts: Vec<usize> = all.iter().map(|it| office.received(it)).collect();
    assert_eq!(
        counts.iter().filter(|n| **n == 1).count(),
        all.len(),
        "{:?}",
        counts.iter().filter(|n| **n != 1).count()
    );
    assert_eq!(office.count("sent"), all.len());
}

#[test]
fn a_worker_killed_five_times_in_a_drain_sends_nothing_twice_and_lists_what_it_does_not_know() {
    let mut office = Office::start("drain");
    let size = drain_size();
    let all = addresses("ok.drain", size);
    for part in all.chunks(200) {
        office.write(part);
    }
    let mut ahead = Duration::from_secs(11);
    for round in 0..KILLS {
        office.set_clock(ahead);
        // The cron call dies with the Worker.
        let (client, before) = (login(&office.stack), office.stack.sink().store().total());
        let drain = thread::spawn(move || client.post("/api/dev/tick", &json!({})).is_ok());
        let enough = (size / (KILLS + 1)).min(1_000) as u64;
        office.within(SOON * 3, "some mails of the drain", || {
            (office.stack.sink().store().total() >= before + enough).then_some(())
        });
        office.stack.kill_hard().unwrap();
        let _ = drain.join();
        office.stack.restart().unwrap();
        office.api = login(&office.stack);
        // The leases of the dead end one after the other.
        ahead += Duration::from_mins(12);
        assert!(round < KILLS);
    }
    let end = Instant::now() + Duration::from_mins(2) + Duration::from_millis(60 * size as u64);
    loop {
        office.tick(ahead);
        if office.count("outgoing") + office.count("sending") + office.count("deferred") == 0 {
            break;
        }
        assert!(Instant::now() < end, "the drain does not end\n{}", office.stack.log_tail(60));
        ahead += Duration::from_mins(12);
    }
    let rows = office.rows();
    assert_eq!(rows.len(), size);
    let (mut unknown, mut lost) = (0, 0);
    for address in &all {
        let (state, copies) = (rows[address]["state"].as_str().unwrap(), office.received(address));
        assert!(copies <= 1, "{address} came {copies} times");
        match state {
            "sent" => assert_eq!(copies, 1, "{address} is said to be sent"),
            "unknown" => {
                unknown += 1;
                lost += usize::from(copies == 0);
            }
            _ => panic!("{address} is {state}"),
        }
    }
    println!("{KILLS} kills in a drain of {size}: {unknown} unknown, of which {lost} did not arrive");
    assert!(unknown > 0, "the Worker died with mails in its hands");
    assert!(unknown <= KILLS * 2 * 48, "at most what the runs had claimed: {unknown}");
}

#[test]
fn a_connection_is_tested_stage_by_stage_and_a_login_works_by_every_way() {
    let office = Office::start("connection");
    let port = office.stack.sink().address().port();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = json!({ "name": "T", "kind": "smtp", "host": "127.0.0.1", "port": port, "security": "none" });
    let with = |change: Value| {
        let mut it = base.clone();
        for (key, value) in change.as_object().unwrap() {
            it[key] = value.clone();
        }
        it
    };
    let before = office.stack.sink().store().total();
    for (change, failed) in [
        (json!({}), ""),
        (json!({ "security": "starttls", "host": "localhost" }), ""),
        (json!({ "security": "starttls", "host": "localhost", "username": "mai", "password": "right" }), ""),
        (json!({ "host": "no-such-host.invalid", "connect_timeout": 5 }), "dns"),
        (json!({ "port": closed }), "connect"),
        (json!({ "security": "tls", "connect_timeout": 5 }), "tls"),
        (json!({ "security": "starttls", "host": "localhost", "username": "mai", "password": "wrong" }), "login"),
        (
            json!({ "security": "starttls", "host": "localhost", "username": "mai", "password": "right", "auth": "scram" }),
            "",
        ),
        (
            json!({ "security": "starttls", "host": "localhost", "username": "mai", "password": "wrong", "auth": "scram" }),
            "login",
        ),
        // The login is right, and yet may not send in this name.
        (json!({ "from_filter": "refused@corp.example" }), "sender"),
        (
            json!({
                "security": "starttls", "host": "localhost", "username": "mai", "password": "right",
                "from_filter": "refused@corp.example",
            }),
            "sender",
        ),
    ] {
        let report = office.post("/api/v1/servers/test", json!({ "settings": with(change.clone()) }));
        assert_eq!(report["failed"].as_str().unwrap_or_default(), failed, "{change}: {report}");
        assert_eq!(report["ok"], failed.is_empty(), "{report}");
        assert!(failed.is_empty() || !report["text"].as_str().unwrap().is_empty(), "in words: {report}");
        let words = report["text"].as_str().unwrap_or_default();
        assert_eq!(failed == "sender", words.contains("not owned by the user"), "the server's own words: {report}");
    }
    assert_eq!(office.stack.sink().store().total(), before, "nothing was sent");
    for (i, auth) in ["auto", "plain", "login", "scram"].into_iter().enumerate() {
        office.change_server(json!({
            "security": "starttls", "host": "localhost", "username": "mai", "password": "right", "auth": auth,
        }));
        let address = format!("ok.{auth}@sink.test");
        office.write(std::slice::from_ref(&address));
        office.tick(Duration::from_secs(11 * (i as u64 + 1)));
        let got = office.stack.sink().messages_to(&address);
        assert_eq!(got.len(), 1, "{auth}: {}", office.rows()[&address]);
        assert!(got[0].tls, "{auth}: encrypted");
        assert_eq!(got[0].login.as_deref(), Some("mai"), "{auth}");
    }
    // A password that is wrong is the server's trouble: the mail waits and the page says why.
    office.change_server(json!({ "password": "wrong", "auth": "auto" }));
    office.write(&["ok.waits@sink.test".to_owned()]);
    office.tick(Duration::from_mins(2));
    let row = &office.rows()["ok.waits@sink.test"];
    assert_eq!(
        (&row["state"], &row["wait"], &row["tries"]),
        (&json!("deferred"), &json!("server"), &json!(0)),
        "{row}"
    );
    office.change_server(json!({ "password": "right" }));
    office.tick(Duration::from_mins(4));
    assert_eq!(office.received("ok.waits@sink.test"), 1);
}

/// Asks another implementation, dkimpy, with what our page says is to be put into DNS. Its clock is ours, moved ahead.
fn dkimpy(stack: &Stack, raw: &[u8], name: &str, record: &str) -> bool {
    const VERIFY: &str = "import sys, time\n\
        now = time.time\n\
        time.time = lambda: now() + 3600\n\
        import dkim\n\
        name, record = sys.argv[2:]\n\
        answer = lambda asked, timeout=5: record if asked.decode().rstrip('.') == name else None\n\
        print(dkim.verify(open(sys.argv[1], 'rb').read(), dnsfunc=answer))\n";
    let file = stack.state().join("signed.eml");
    std::fs::write(&file, raw).unwrap();
    let mut command = std::process::Command::new("/usr/bin/python3");
    command.args(["-c", VERIFY]).arg(&file).args([name, record]);
    let Ok(output) = command.output() else {
        panic!("no /usr/bin/python3: run `cargo xtask setup`, or apt-get install python3-dkim")
    };
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "dkimpy does not run; apt-get install python3-dkim\n{error}");
    said.trim() == "True"
}

#[test]
fn a_server_that_wants_it_gets_signed_mail() {
    let office = Office::start("dkim");
    let key = office.post("/api/v1/dkim/corp.example", Value::Null);
    office.change_server(json!({ "dkim": true }));
    office.write(&["ok.signed@sink.test".to_owned()]);
    office.tick(Duration::from_secs(11));
    let mail = office.stack.sink().messages_to("ok.signed@sink.test")[0].clone();
    let (raw, selector) = (&mail.raw, key["selector"].as_str().unwrap());
    assert!(raw.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=corp.example;"), "{raw}");
    assert!(raw.contains(&format!("s={selector};")), "{raw}");
    assert_eq!(key["record_name"], format!("{selector}._domainkey.corp.example"));
    let record = key["record_value"].as_str().unwrap();
    let verified = |raw: &[u8]| dkimpy(&office.stack, raw, key["record_name"].as_str().unwrap(), record);
    assert!(verified(&mail.bytes), "{raw}");
    // It is the mail that is signed, not just any.
    for (from, to) in
        [("Hello", "Hallo"), ("\r\nSubject: ", "\r\nSubject: Your"), ("\r\nTo: ", "\r\nFrom: x@y.test\r\nTo: ")]
    {
        let changed = raw.replacen(from, to, 1);
        assert!(changed != *raw && !verified(changed.as_bytes()), "{from:?} changed");
    }
}

#[test]
fn a_person_runs_an_action_and_its_run_is_kept() {
    let office = Office::start("actions");
    office.tick(Duration::ZERO);
    let run = office.post("/api/v1/actions/auto_vacuum/runs", Value::Null);
    assert_eq!((&run["ok"], &run["by"]), (&json!(true), &json!("Mai Lindqvist")), "{run}");
    let actions = office.get("/api/v1/actions");
    let names: Vec<&str> = actions.as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "domain_checks",
            "log_rotation",
            "auto_vacuum",
            "campaign_queue",
            "queue_manager",
            "retry_sweep",
            "intake_sweep"
        ]
    );
    let short = office.api.patch("/api/v1/actions/queue_manager", &json!({ "interval": 4 })).unwrap();
    assert_eq!((short.status, short.json().unwrap()["fields"][0]["key"].as_str()), (422, Some("min_interval")));
    office.api.patch("/api/v1/actions/queue_manager", &json!({ "interval": 15 })).unwrap().ok().unwrap();
    office.tick(Duration::from_mins(16));
    let actions = office.get("/api/v1/actions");
    let manager = actions.as_array().unwrap().iter().find(|it| it["action"] == "queue_manager").unwrap();
    assert_eq!((&manager["interval"], &manager["runs"][0]["ok"]), (&json!(15), &json!(true)), "{manager}");
}

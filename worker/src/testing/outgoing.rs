//! Outgoing servers, limits, actions and retention over SQLite.

use std::sync::atomic::Ordering;

use futures::executor::block_on;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::Wait;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::retention::Class;
use serde_json::Value as Json;
use serde_json::json;

use super::TestApp;
use super::tests::call;
use super::tests::rows;
use super::tests::set_up;
use crate::ports::SendOutcome;
use crate::ports::Statement;
use crate::store;
use crate::store::sight::Sight;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

struct Office {
    test: TestApp,
    cookie: String,
    record: String,
}

impl Office {
    fn new() -> Self {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let new = json!({ "type": "order", "title": "S1", "email": "ann@customer.test" });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        Self { test, cookie, record }
    }

    fn call(&self, method: &str, path: &str, body: &Json) -> Json {
        let answer = call(&self.test, method, path, &self.cookie, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    fn get(&self, path: &str) -> Json {
        self.call("GET", path, &Json::Null)
    }

    fn status(&self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let answer = call(&self.test, method, path, &self.cookie, body);
        (answer.status, answer.body)
    }

    /// Writes to these addresses, in Bcc.
    fn write(&self, to: &[&str]) -> String {
        let body = json!({ "mode": "message", "text": "Hello", "bcc": to, "leave_out": self.people() });
        let path = format!("/api/v1/records/{}/messages", self.record);
        self.call("POST", &path, &body)["id"].as_str().unwrap().to_owned()
    }

    fn people(&self) -> Vec<String> {
        let rows = rows(&self.test, "SELECT id FROM contacts");
        rows.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }

    fn tick(&self, later: i64) {
        self.test.clock.0.fetch_add(later, Ordering::Relaxed);
        block_on(crate::cron::tick(&self.test.app));
    }

    fn run(&self, sql: &'static str) {
        block_on(self.test.app.run(Statement::new(sql))).unwrap();
    }

    fn states(&self) -> Vec<String> {
        let rows = rows(&self.test, "SELECT state, wait FROM deliveries ORDER BY id");
        rows.iter()
            .map(|it| match it["wait"].as_str() {
                Some(wait) => format!("{} {wait}", it["state"].as_str().unwrap()),
                None => it["state"].as_str().unwrap().to_owned(),
            })
            .collect()
    }

    fn count(&self, state: &str) -> usize {
        self.states().iter().filter(|it| *it == state).count()
    }

    fn sent(&self) -> usize {
        self.test.mailer.sent.lock().unwrap().len()
    }

    fn server(&self, settings: &Json) -> Json {
        let mut body = json!({ "kind": "smtp", "host": "mx.test", "port": 465 });
        for (key, value) in settings.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.call("POST", "/api/v1/servers", &body)
    }

    fn first_server(&self) -> Json {
        self.get("/api/v1/servers")[0].clone()
    }

    /// Changes the server that the first run made.
    fn change(&self, settings: &Json) -> Json {
        let now = self.first_server();
        let mut body = now["settings"].clone();
        for (key, value) in settings.as_object().unwrap() {
            body[key] = value.clone();
        }
        body["host"] = "mx.test".into();
        body["port"] = 465.into();
        self.call("PATCH", &format!("/api/v1/servers/{}", now["id"].as_str().unwrap()), &body)
    }

    fn act(&self, action: &str, query: &Json) -> Json {
        self.call("POST", "/api/v1/emails/actions", &json!({ "action": action, "matching": query }))
    }
}

fn addresses(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("p{i}@d{}.test", i % 5)).collect()
}

fn refs(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

#[test]
fn every_statement_of_the_queue_uses_an_index() {
    let db = super::Sqlite::new();
    let at = mailroom_shared::time::Timestamp::from_millis(1);
    let mut statements = Vec::new();
    let base = EmailQuery { cursor: Some("1~x".to_owned()), ..EmailQuery::default() };
    let mut queries: Vec<EmailQuery> =
        EmailFilter::ALL.into_iter().map(|it| EmailQuery { filter: Some(it), ..base.clone() }).collect();
    queries.extend(Wait::ALL.into_iter().map(|it| EmailQuery { wait: Some(it), ..base.clone() }));
    queries.push(EmailQuery { domain: Some("x.test".to_owned()), lane: Some("urgent".to_owned()), ..base.clone() });
    queries.push(EmailQuery { since: Some(at), until: Some(at), q: Some("x".to_owned()), ..base });
    for query in &queries {
        statements.push(store::queue::list_statement(query, &Sight::default()).0);
        statements.push(store::queue::count_matching(query, &Sight::default()));
        statements.extend(
            EmailAction::ALL.into_iter().map(|it| store::queue::matching_ids(query, it, 10, &Sight::default())),
        );
    }
    statements.extend(EmailAction::ALL.into_iter().flat_map(|it| store::queue::act(it, &[], "x", at)));
    let counts = store::queue::count_by_state(&Sight::default());
    assert!(counts.sql.contains("LIMIT 5000"), "what was sent is not counted to its end: {}", counts.sql);
    statements.push(counts);
    for class in Class::ALL {
        statements.extend(store::vacuum::preview(class, at));
        statements.extend(store::vacuum::remove_rows(class, at, 10));
    }
    for class in [Class::SentEmails, Class::CancelledEmails] {
        statements.push(store::vacuum::done_deliveries(class, at, 10));
        statements.extend(store::vacuum::remove_deliveries(class, &[], at));
    }
    statements.push(store::vacuum::old_raws(at, 10));
    statements.extend(store::vacuum::forget_raws(&[]));
    statements.push(store::vacuum::orphans(&["att/x".to_owned()]));
    statements.extend([
        store::actions::queued(),
        store::actions::overdue(at),
        store::actions::unwritten(at),
        store::actions::release_queued(10, at),
        store::actions::runs_statement(Action::AutoVacuum),
        store::limits::since(1),
        store::limits::count_parked(),
        store::limits::unpark(at),
        store::limits::list_notices("u", true),
        store::servers::list_slowed(at),
        store::servers::results_since(1),
        store::servers::backoffs_of_claim("x"),
        store::deliveries::claim("c", at, at, 10),
        store::deliveries::claimed("c"),
    ]);
    statements.extend(store::servers::lift("x", at));
    // A handful of rows each, or made for the statement.
    let small = [
        "servers",
        "SCAN s",
        "SCAN a",
        "domain_backoff",
        "SCAN b",
        "subquery",
        "json_each",
        "actions",
        "SCAN j",
        "server_",
        "notices",
        "SCAN t",
        "CONSTANT ROW",
    ];
    let mut ran = 0;
    for statement in statements {
        for step in db.plan(&statement) {
            let is_scan =
                step.starts_with("SCAN") && !step.contains("USING") && !small.iter().any(|it| step.contains(it));
            assert!(!is_scan, "{step}\n{}", statement.sql);
            ran += 1;
        }
        if statement.sql.contains("ORDER BY d.created") {
            let sorts = db.plan(&statement).iter().any(|it| it.contains("TEMP B-TREE"));
            assert!(!sorts, "{}", statement.sql);
        }
    }
    assert!(ran > 100, "{ran}");
}

#[test]
fn passwords_are_sealed_and_never_come_back() {
    let office = Office::new();
    let made = office.server(&json!({ "name": "Relay", "username": "mai", "password": "s3cret pass" }));
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["has_password"], true);
    for text in [made.to_string(), office.get("/api/v1/servers").to_string()] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    let kept = rows(&office.test, "SELECT password_sealed FROM servers WHERE name = 'Relay'").remove(0);
    assert!(kept["password_sealed"].as_str().unwrap().starts_with("v1."), "{kept:?}");
    // A test without a password takes the one that is kept; changed settings keep it.
    let mut settings = made["settings"].clone();
    settings["name"] = "Relay 2".into();
    let test = json!({ "server": id, "settings": settings });
    let report = office.call("POST", "/api/v1/servers/test", &test);
    assert_eq!(report["text"], "s3cret pass notifications@corp.test");
    let changed = office.call("PATCH", &format!("/api/v1/servers/{id}"), &settings);
    assert_eq!((&changed["has_password"], &changed["settings"]["name"]), (&json!(true), &json!("Relay 2")));
    settings["password"] = "".into();
    assert_eq!(office.call("PATCH", &format!("/api/v1/servers/{id}"), &settings)["has_password"], false);
}

#[test]
fn what_production_cannot_reach_is_refused_with_the_reason() {
    let office = Office::new();
    let form = |host: &str, port: u16| json!({ "name": "X", "kind": "smtp", "host": host, "port": port });
    for (host, port, field, key) in [
        ("127.0.0.1", 465, "host", "private_host"),
        ("mail.local", 587, "host", "private_host"),
        ("smtp.corp.test", 25, "port", "port_25"),
        ("smtp.corp.test", 0, "port", "number"),
        ("", 465, "host", "required"),
    ] {
        let (status, problem) = office.status("POST", "/api/v1/servers", &form(host, port));
        assert_eq!(status, 422, "{host}:{port}");
        assert_eq!(problem["fields"], json!([{ "field": field, "key": key }]), "{host}:{port}");
    }
    let wrong = json!({ "name": "", "host": "smtp.corp.test", "port": 465, "from_filter": "not an address", "connect_timeout": 0 });
    let (_, problem) = office.status("POST", "/api/v1/servers", &wrong);
    assert_eq!(problem["fields"].as_array().unwrap().len(), 3, "all at once: {problem}");
}

#[test]
fn the_last_server_and_one_at_work_are_not_archived() {
    let office = Office::new();
    let first = office.first_server()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/servers/{first}");
    assert_eq!(office.status("DELETE", &path, &Json::Null).0, 409, "the last one");
    office.server(&json!({ "name": "Second", "priority": 20 }));
    office.write(&["x@d.test"]);
    office
        .run("UPDATE deliveries SET state = 'sending', server_id = (SELECT id FROM servers ORDER BY created LIMIT 1)");
    let (status, problem) = office.status("DELETE", &path, &Json::Null);
    assert_eq!(status, 409, "{problem}");
    office.run("UPDATE deliveries SET state = 'sent'");
    office.call("DELETE", &path, &Json::Null);
    let all = office.get("/api/v1/servers");
    assert_eq!((&all[1]["archived"], &all[1]["settings"]["enabled"]), (&json!(true), &json!(false)), "{all}");
    // What is written now leaves by the other.
    office.write(&["y@d.test"]);
    office.tick(11_000);
    assert_eq!(*office.test.mailer.servers.lock().unwrap(), ["Second"]);
}

#[test]
fn simulation_and_queue_agree() {
    let office = Office::new();
    office.change(&json!({ "name": "Open", "priority": 10 }));
    office.server(&json!({ "name": "Corp", "from_filter": "corp.test", "priority": 50 }));
    let ask = |from: &str| office.get(&format!("/api/v1/servers/simulate?from={from}&to=x@d.test"));
    let found = ask("mai@corp.test");
    assert_eq!(found["outcome"]["server"], "Corp");
    assert_eq!((&found["outcome"]["why"], &found["outcome"]["is_rewritten"]), (&json!("from_domain"), &json!(false)));
    assert_eq!(ask("ann@else.test")["outcome"]["from"], "ann <notifications@corp.test>", "never in silence");
    office.write(&["x@d.test"]);
    office.tick(11_000);
    assert_eq!(*office.test.mailer.servers.lock().unwrap(), ["Corp"]);
    office.call("PATCH", "/api/v1/outgoing-rules", &json!({ "on_mismatch": "refuse" }));
    assert_eq!(ask("ann@else.test")["outcome"]["server"], "Open", "no rewriting: the one without filter takes it");
    let only = office.first_server()["id"].as_str().unwrap().to_owned();
    assert_eq!(office.first_server()["settings"]["name"], "Open");
    office.call("DELETE", &format!("/api/v1/servers/{only}"), &Json::Null);
    assert_eq!(ask("ann@else.test")["outcome"]["because"], "from_not_allowed");
    assert_eq!(office.status("GET", "/api/v1/servers/simulate?from=no&to=x@d.test", &Json::Null).0, 422);
}

#[test]
fn a_server_in_trouble_rests_and_another_takes_over() {
    let office = Office::new();
    office.change(&json!({ "name": "First", "priority": 1 }));
    office.server(&json!({ "name": "Spare", "priority": 2 }));
    office.test.mailer.dead.lock().unwrap().push("First".to_owned());
    office.write(&refs(&addresses(12)));
    office.tick(11_000);
    // The first few find out, the rest leaves by the other in the same run, and no try was spent.
    assert!(office.count("sent") >= 8, "{:?}", office.states());
    office.tick(30_000);
    assert_eq!(office.count("sent"), 12, "{:?}", office.states());
    assert!(office.test.mailer.servers.lock().unwrap().iter().all(|it| it == "Spare"));
    let tries = rows(&office.test, "SELECT MAX(tries) AS n FROM deliveries").remove(0);
    assert_eq!(tries["n"], 1, "a server's trouble is no try of the mail");
    let health = &office.first_server()["health"];
    assert!(health["rests_until"].is_number() && health["trouble"].as_u64().unwrap() >= 3, "{health}");
    assert_eq!(health["last_error"], "connection refused");
    // It gets well again.
    office.test.mailer.dead.lock().unwrap().clear();
    office.write(&["later@d.test"]);
    office.tick(20 * MINUTE);
    assert_eq!(office.test.mailer.servers.lock().unwrap().last().unwrap(), "First");
    assert!(office.first_server()["health"]["rests_until"].is_null());
}

#[test]
fn without_a_spare_mail_waits_for_the_server_and_gives_up_after_two_days() {
    let office = Office::new();
    office.change(&json!({ "name": "Only" }));
    office.test.mailer.dead.lock().unwrap().push("Only".to_owned());
    office.write(&["x@d.test"]);
    for _ in 0..10 {
        office.tick(MINUTE);
    }
    assert_eq!(office.states(), ["deferred server"]);
    assert_eq!(rows(&office.test, "SELECT tries FROM deliveries")[0]["tries"], 0);
    let told = rows(&office.test, "SELECT COUNT(*) AS n FROM events WHERE kind = 'deferred'").remove(0);
    assert!(told["n"].as_u64().unwrap() <= 2, "told when it began, not every minute: {told:?}");
    office.tick(2 * DAY);
    assert_eq!(office.states(), ["failed"]);
}

#[test]
fn a_mail_that_cannot_be_rendered_holds_up_nothing_but_itself() {
    let office = Office::new();
    let upload = "/api/v1/attachments?name=a.txt&content_type=text/plain";
    let file = office.call("POST", upload, &json!("x"));
    let path = format!("/api/v1/records/{}/messages", office.record);
    let poison = json!({ "mode": "message", "text": "See file", "bcc": ["p@d.test"], "attachments": [file["id"]], "leave_out": office.people() });
    office.call("POST", &path, &poison);
    office.test.blobs.kept.lock().unwrap().clear();
    office.write(&refs(&addresses(5)));
    office.tick(11_000);
    assert_eq!((office.count("sent"), office.count("deferred")), (5, 1), "{:?}", office.states());
    office.tick(3 * DAY);
    assert_eq!((office.count("sent"), office.count("failed")), (5, 1), "{:?}", office.states());
}

#[test]
fn a_domain_that_asks_us_to_slow_down_waits_and_others_go_on() {
    let office = Office::new();
    let slow: Vec<String> = (0..60).map(|i| format!("p{i}@gmail.test")).collect();
    let slow_down = || SendOutcome::Refused {
        code: 421,
        text: "4.7.28 unusual rate of mail, rate limited, try again later".to_owned(),
    };
    office.write(&refs(&slow));
    office.test.mailer.script.lock().unwrap().extend(std::iter::repeat_with(slow_down).take(48));
    office.tick(11_000);
    assert_eq!(office.count("sent"), 0);
    assert_eq!(
        office.count("outgoing domain") + office.count("deferred") + office.count("deferred domain"),
        60,
        "{:?}",
        office.states()
    );
    let list = office.get("/api/v1/slowed");
    assert_eq!(list[0]["domain"], "gmail.test");
    assert_eq!(list[0]["until"].as_i64().unwrap(), 1_800_000_011_000 + 5 * MINUTE);
    assert!(list[0]["waiting"].as_u64().unwrap() >= 12, "{list}");
    let found = office.get("/api/v1/servers/simulate?from=mai@corp.test&to=x@gmail.test");
    assert!(found["slowed_until"].is_number(), "{found}");
    office.write(&["x@other.test"]);
    office.tick(11_000);
    assert_eq!(office.count("sent"), 1, "other domains don't wait");
    let before = office.sent();
    office.tick(MINUTE);
    assert_eq!(office.sent(), before, "not before its time");
    office.call("DELETE", "/api/v1/slowed/gmail.test", &Json::Null);
    office.tick(1_000);
    assert!(office.count("sent") >= 12, "a person let them go: {:?}", office.states());
    office.tick(30 * MINUTE);
    assert_eq!(office.count("sent"), 61);
    assert_eq!(office.get("/api/v1/slowed"), json!([]));
}

#[test]
fn one_run_keeps_its_connections_and_reads_a_file_once() {
    let office = Office::new();
    let file = office.call("POST", "/api/v1/attachments?name=a.txt&content_type=text/plain", &json!("x"));
    let path = format!("/api/v1/records/{}/messages", office.record);
    // Each of them is named in his own mail, so that each is rendered.
    let body = json!({ "mode": "message", "text": "See file", "bcc": addresses(150), "attachments": [file["id"]],
        "leave_out": office.people() });
    office.call("POST", &path, &body);
    let (opened, reads) = (&office.test.mailer.opened, &office.test.blobs.reads);
    let before = reads.load(Ordering::Relaxed);
    office.tick(11_000);
    assert_eq!(office.count("sent"), 150);
    assert_eq!((opened.load(Ordering::Relaxed), reads.load(Ordering::Relaxed) - before), (4, 1), "four claims");
    let raws: Vec<String> = office
        .test
        .mailer
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|it| String::from_utf8_lossy(&it.raw).into_owned())
        .collect();
    assert!(raws.iter().all(|it| it.contains("filename=")), "{}", raws[0]);
}

#[test]
fn each_mark_of_the_limit_is_told_once() {
    let office = Office::new();
    office.change(&json!({ "name": "Relay", "daily_limit": 50 }));
    let mut told = Vec::new();
    for n in [39, 1, 4, 1, 5] {
        office.write(&refs(&addresses(n)));
        office.tick(11_000);
        office.tick(MINUTE);
        let notices = office.get("/api/v1/notices");
        let limits = notices.as_array().unwrap().iter().filter(|it| it["kind"].as_str().unwrap().starts_with("limit"));
        told.push(limits.map(|it| it["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" "));
    }
    assert_eq!(told, ["", "limit_80", "limit_80", "limit_90", "limit_reached"], "the higher one says it all");
}

#[test]
fn what_is_refused_for_now_ends_after_two_days_and_its_author_hears_of_it() {
    let office = Office::new();
    let busy = || SendOutcome::Refused { code: 451, text: "4.3.0 busy, try again later".to_owned() };
    office.test.mailer.script.lock().unwrap().extend(std::iter::repeat_with(busy).take(30));
    let message = office.write(&["x@busy.test"]);
    let row = || office.get("/api/v1/emails?filter=all")["items"][0].clone();
    assert_eq!(row()["delay"], "undo", "{}", row());
    office.tick(11_000);
    assert_eq!((row()["state"].clone(), row()["delay"].clone()), (json!("deferred"), json!("retry")));
    let dialog = office.get(&format!("/api/v1/messages/{message}/deliveries"));
    let delivery = &dialog["deliveries"][0];
    assert_eq!(
        delivery["gives_up"].as_i64().unwrap() - 2 * DAY,
        1_800_000_010_000,
        "two days after it was due, and the dialog says so: {delivery}"
    );
    for _ in 0..12 {
        office.tick(6 * 60 * MINUTE);
    }
    assert_eq!(row()["state"], "failed");
    assert!(row()["delay"].is_null() && row()["next_try"].is_null(), "{}", row());
    let notices = office.get("/api/v1/notices");
    let told = notices.as_array().unwrap().iter().filter(|it| it["kind"].as_str().unwrap().starts_with("failing"));
    assert_eq!(told.count(), 1, "{notices}");
}

#[test]
fn domains_take_turns_and_urgent_mail_goes_first() {
    let office = Office::new();
    let many: Vec<String> = (0..150).map(|i| format!("p{i}@big.test")).collect();
    office.write(&refs(&many));
    office.run("UPDATE deliveries SET lane = 'normal'");
    office.write(&["late@urgent.test"]);
    office.run("UPDATE deliveries SET due = due + 1 WHERE rcpt_domain = 'urgent.test'");
    office.tick(12_000);
    let order: Vec<String> = office.test.mailer.sent.lock().unwrap().iter().map(|it| it.rcpt_to.clone()).collect();
    assert!(order[..4].contains(&"late@urgent.test".to_owned()), "one of the first four connections: {order:?}");
    // Among equals: one of each domain before the second of any.
    office.write(&refs(&many));
    office.write(&["single@small.test"]);
    office.tick(12_000);
    let order: Vec<String> =
        office.test.mailer.sent.lock().unwrap().iter().skip(151).map(|it| it.rcpt_to.clone()).collect();
    let place = order.iter().position(|it| it == "single@small.test").unwrap();
    assert!(place < 48, "in the first claim: {place}");
}

#[test]
fn at_the_limit_mail_is_parked_and_goes_by_itself_the_next_day() {
    let office = Office::new();
    office.change(&json!({ "name": "Limited", "daily_limit": 17 }));
    office.write(&refs(&addresses(50)));
    office.tick(11_000);
    assert_eq!((office.count("sent"), office.count("outgoing limit")), (17, 33), "{:?}", office.states());
    let meter = &office.get("/api/v1/limits")["meters"][0];
    assert_eq!(
        (&meter["used"], &meter["limit"], &meter["left"], &meter["parked"]),
        (&json!(17), &json!(17), &json!(0), &json!(33))
    );
    let list = office.get("/api/v1/emails?wait=limit");
    assert_eq!(list["items"][0]["next_try"], meter["resets_at"], "the time it will go is shown");
    let notices = office.get("/api/v1/notices");
    for _ in 0..5 {
        office.tick(MINUTE);
    }
    assert_eq!(office.sent(), 17, "not one more");
    let reached: Vec<Json> = office
        .get("/api/v1/notices")
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["kind"] == "limit_reached")
        .cloned()
        .collect();
    assert_eq!(reached.len(), 1, "one notice: {notices}");
    let mut days = 0;
    while office.count("sent") < 50 {
        office.tick(DAY);
        days += 1;
        assert_eq!(office.count("sent"), 50.min(17 * (days + 1)), "day {days}");
    }
    let mut to: Vec<String> = office.test.mailer.sent.lock().unwrap().iter().map(|it| it.rcpt_to.clone()).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), office.sent()), (50, 50), "each once");
}

#[test]
fn urgent_mail_has_a_reserve_and_a_raised_limit_acts_at_once() {
    let office = Office::new();
    office.change(&json!({ "daily_limit": 20 }));
    office.write(&refs(&addresses(30)));
    office.run("UPDATE deliveries SET lane = 'normal'");
    office.tick(11_000);
    assert_eq!((office.count("sent"), office.count("outgoing limit")), (18, 12), "two are kept");
    office.write(&["x@urgent.test"]);
    office.tick(11_000);
    assert_eq!(office.count("sent"), 19);
    office.change(&json!({ "daily_limit": 100 }));
    office.tick(1_000);
    assert_eq!(office.count("sent"), 31);
}

#[test]
fn the_built_in_server_has_the_limit_of_the_table_and_the_provider_teaches_the_real_one() {
    let office = Office::new();
    office.run("UPDATE servers SET kind = 'cloudflare', name = 'Cloudflare'");
    let mut policy = office.get("/api/v1/limits")["policy"].clone();
    assert_eq!(office.get("/api/v1/limits")["daily"], 200);
    policy["plan"] = "one_app_free".into();
    policy["reserve"] = 0.into();
    assert_eq!(office.call("PATCH", "/api/v1/limits", &policy)["meters"][0]["limit"], 20);
    let full = SendOutcome::Full { text: "E_DAILY_LIMIT_EXCEEDED".to_owned() };
    let ok = || SendOutcome::Accepted { text: "ok".to_owned(), provider_id: None };
    office.test.mailer.script.lock().unwrap().extend(std::iter::repeat_with(ok).take(8).chain([full]));
    office.write(&refs(&addresses(15)));
    office.tick(11_000);
    let meter = &office.get("/api/v1/limits")["meters"][0];
    assert_eq!((&meter["used"], &meter["learned"], &meter["left"]), (&json!(8), &json!(true), &json!(0)), "{meter}");
    assert_eq!((office.count("sent"), office.count("outgoing limit")), (8, 7));
    assert_eq!(rows(&office.test, "SELECT MAX(tries) AS n FROM deliveries WHERE wait = 'limit'")[0]["n"], 0);
    office.tick(DAY);
    assert_eq!(office.count("sent"), 15, "9 a day later would be the learned tenth more; 7 fit");
    // An external server is exempt.
    let spare = office.server(&json!({ "name": "Own", "priority": 1 }));
    assert!(spare["limit"].is_null());
    office.write(&refs(&addresses(40)));
    office.tick(11_000);
    assert_eq!(office.count("sent"), 55);
}

#[test]
fn two_runs_never_share_the_last_place_of_a_limit() {
    let office = Office::new();
    let server = office.change(&json!({ "daily_limit": 10 }))["id"].as_str().unwrap().to_owned();
    let counts = [store::limits::ClassCount { class: "customer", n: 6 }];
    let bounds = store::limits::Bounds { day_start: 0, daily: Some(10), hourly: None };
    let reserve = || {
        let statement = store::limits::reserve(&server, 500_000, &counts, bounds);
        block_on(office.test.app.run(statement)).unwrap().changes
    };
    assert_eq!((reserve(), reserve()), (1, 0), "six and six are more than ten");
}

#[test]
fn people_hold_release_cancel_and_settle_and_the_history_says_who() {
    let office = Office::new();
    let message = office.write(&refs(&addresses(6)));
    let held = office.act("hold", &json!({}));
    assert_eq!(held["changed"], 6, "{held}");
    office.tick(HOUR);
    assert_eq!((office.sent(), office.count("outgoing held")), (0, 6));
    assert_eq!(office.act("hold", &json!({}))["changed"], 0, "twice does no harm");
    assert_eq!(office.act("release", &json!({ "domain": "d0.test" }))["changed"], 2);
    office.tick(1_000);
    assert_eq!(office.count("sent"), 2);
    assert_eq!(office.act("cancel", &json!({ "domain": "d2.test" }))["changed"], 1);
    office.run("UPDATE deliveries SET state = 'unknown', wait = NULL WHERE rcpt_domain = 'd3.test'");
    let matches = office.get("/api/v1/emails/matching?filter=all");
    assert_eq!(
        (&matches["total"], &matches["possible"]["arrived"], &matches["possible"]["release"]),
        (&json!(6), &json!(1), &json!(2)),
        "{matches}"
    );
    // What may have arrived isn't sent again by a wholesale retry, unless it was asked for by name.
    assert_eq!(office.act("retry", &json!({ "filter": "all" }))["changed"], 1, "the cancelled one");
    assert_eq!(office.act("arrived", &json!({ "filter": "unknown" }))["changed"], 1);
    assert_eq!(office.count("delivered"), 1);
    // Sent ones are never sent again, whatever is asked.
    let ids: Vec<Json> = rows(&office.test, "SELECT id FROM deliveries WHERE state IN ('sent', 'delivered')")
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    let asked = json!({ "action": "send_now", "deliveries": ids });
    let answer = office.call("POST", "/api/v1/emails/actions", &asked);
    assert_eq!((&answer["changed"], &answer["skipped"]), (&json!(0), &json!(3)));
    let dialog = office.get(&format!("/api/v1/messages/{message}/deliveries"));
    let events: Vec<String> = dialog["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it["events"].as_array().unwrap().clone())
        .filter(|it| it["by"] == "Mai")
        .map(|it| it["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["held", "released", "cancelled", "retried", "settled"] {
        assert!(events.iter().any(|it| it == kind), "{kind}: {events:?}");
    }
}

#[test]
fn all_that_match_is_done_in_bounded_parts() {
    let office = Office::new();
    for _ in 0..6 {
        office.write(&refs(&addresses(190)));
    }
    let (mut done, mut calls, mut cursor) = (0, 0, Json::Null);
    loop {
        let mut query = json!({ "filter": "not_delivered" });
        if cursor.is_string() {
            query["cursor"] = cursor.clone();
        }
        let answer = office.act("cancel", &query);
        done += answer["changed"].as_u64().unwrap();
        calls += 1;
        cursor = answer["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!((done, calls), (1_140, 3));
    assert_eq!(office.count("cancelled"), 1_140);
}

#[test]
fn normal_mail_waits_for_the_queue_manager_and_runs_are_kept() {
    let office = Office::new();
    office.tick(0);
    let (message, email) = (office.write(&["urgent@d.test"]), office.test.app.new_id());
    let sender = mailroom_shared::address::Mailbox::new(
        None,
        mailroom_shared::address::EmailAddress::parse("mai@corp.test").unwrap(),
    );
    let mail = store::deliveries::NewEmail {
        id: &email,
        message: &message,
        record: &office.record,
        lane: "normal",
        sender: &sender,
        domain: "corp.test",
        subject: "Digest",
        refs: &[],
    };
    let people: Vec<store::deliveries::NewDelivery> = addresses(3)
        .into_iter()
        .map(|it| store::deliveries::NewDelivery {
            id: office.test.app.new_id(),
            contact: None,
            name: String::new(),
            key: it.clone(),
            address: it,
            field: "to",
            follows: 0,
        })
        .collect();
    let now = office.test.app.now();
    let mut statements = vec![store::deliveries::insert_email(&mail, now)];
    statements.extend(store::deliveries::insert_deliveries(&mail, &people, now, now));
    block_on(office.test.app.db.batch(statements)).unwrap();
    for _ in 0..5 {
        office.tick(MINUTE);
    }
    assert_eq!((office.sent(), office.count("outgoing queue")), (1, 3), "the urgent one alone");
    let actions = office.get("/api/v1/actions");
    let manager = actions.as_array().unwrap().iter().find(|it| it["action"] == "queue_manager").unwrap();
    assert_eq!((&manager["interval"], &manager["fixed"]), (&json!(60), &json!(false)));
    for (minutes, status) in [(4, 422), (15, 200)] {
        let answer = office.status("PATCH", "/api/v1/actions/queue_manager", &json!({ "interval": minutes }));
        assert_eq!(answer.0, status, "{}", answer.1);
    }
    office.tick(16 * MINUTE);
    assert_eq!(office.count("sent"), 4);
    // Failed ones that are not urgent wait for the next run when they are retried.
    office.run("UPDATE deliveries SET state = 'failed' WHERE rcpt_domain = 'd1.test'");
    office.act("retry", &json!({ "filter": "failed" }));
    assert_eq!(office.count("outgoing queue"), 1);
    let run = office.call("POST", "/api/v1/actions/queue_manager/runs", &Json::Null);
    assert_eq!((&run["items"], &run["by"], &run["ok"]), (&json!(1), &json!("Mai"), &json!(true)), "{run}");
    assert_eq!(office.sent(), 5);
}

#[test]
fn an_action_runs_once_whoever_is_awake_and_missed_runs_are_one() {
    let office = Office::new();
    let app = &office.test.app;
    let all = block_on(store::actions::all(app)).unwrap();
    let manager = all.iter().find(|it| it.name == Action::QueueManager).unwrap();
    let now = app.now();
    let lease = |by: &str| {
        let until = now + Action::QueueManager.lease();
        block_on(app.run(store::actions::lease(Action::QueueManager, by, Some(manager.next_run), until, now)))
            .unwrap()
            .changes
    };
    assert_eq!((lease("a"), lease("b")), (1, 0), "two Workers at once");
    assert_eq!(office.status("POST", "/api/v1/actions/queue_manager/runs", &Json::Null).0, 409);
    // The first died: after its lease the next tick takes over.
    office.tick(15 * MINUTE);
    let count =
        || rows(&office.test, "SELECT COUNT(*) AS n FROM action_runs WHERE action = 'queue_manager'")[0]["n"].clone();
    assert_eq!(count(), 1);
    // Two that saw the same due run are one run.
    let seen =
        block_on(store::actions::all(app)).unwrap().into_iter().find(|it| it.name == Action::QueueManager).unwrap();
    office.test.clock.0.fetch_add(2 * HOUR, Ordering::Relaxed);
    assert!(block_on(crate::jobs::actions::run(app, &seen, None)).unwrap().is_some());
    assert!(block_on(crate::jobs::actions::run(app, &seen, None)).unwrap().is_none());
    office.tick(10 * HOUR);
    office.tick(MINUTE);
    assert_eq!(count(), 3, "ten missed hours are one run");
    // A trigger wakes it in its minute, paused ones stay asleep.
    let trigger = |later| {
        block_on(app.run(store::actions::trigger(
            Action::QueueManager,
            app.now() + mailroom_shared::time::Span::minutes(later),
        )))
        .unwrap()
    };
    trigger(3);
    office.tick(2 * MINUTE);
    assert_eq!(count(), 3);
    office.tick(MINUTE);
    assert_eq!(count(), 4);
    office.call("PATCH", "/api/v1/actions/queue_manager", &json!({ "enabled": false }));
    trigger(0);
    office.tick(5 * HOUR);
    assert_eq!(count(), 4);
}

#[test]
fn five_failures_switch_an_action_off_and_tell() {
    let office = Office::new();
    office.test.blobs.fails.store(true, Ordering::Relaxed);
    for _ in 0..7 {
        office.tick(25 * HOUR);
    }
    let actions = office.get("/api/v1/actions");
    let vacuum = actions.as_array().unwrap().iter().find(|it| it["action"] == "auto_vacuum").unwrap().clone();
    assert_eq!((&vacuum["enabled"], &vacuum["failures"]), (&json!(false), &json!(5)), "{vacuum}");
    assert!(vacuum["last_error"].as_str().unwrap().contains("out of order"), "{vacuum}");
    assert!(vacuum["switched_off"].is_number());
    // Whatever else writes to storage fails too.
    let notices = office.get("/api/v1/notices");
    let all = notices.as_array().unwrap();
    assert!(all.iter().all(|it| it["kind"] == "action_switched_off"), "{notices}");
    assert!(all.iter().any(|it| it["args"]["action"] == "auto_vacuum"), "{notices}");
    for it in all {
        office.call("DELETE", &format!("/api/v1/notices/{}", it["id"].as_str().unwrap()), &Json::Null);
    }
    assert_eq!(office.get("/api/v1/notices"), json!([]));
    office.test.blobs.fails.store(false, Ordering::Relaxed);
    office.call("PATCH", "/api/v1/actions/auto_vacuum", &json!({ "enabled": true }));
    office.tick(25 * HOUR);
    let actions = office.get("/api/v1/actions");
    let vacuum = actions.as_array().unwrap().iter().find(|it| it["action"] == "auto_vacuum").unwrap();
    assert_eq!(
        (&vacuum["enabled"], &vacuum["failures"], &vacuum["runs"][0]["ok"]),
        (&json!(true), &json!(0), &json!(true)),
        "{vacuum}"
    );
}

#[test]
fn auto_vacuum_removes_what_is_over_and_never_what_failed_or_waits() {
    let office = Office::new();
    let message = office.write(&refs(&addresses(10)));
    office.tick(11_000);
    office.run("UPDATE deliveries SET state = 'failed' WHERE rcpt_domain = 'd1.test'");
    office.run("UPDATE deliveries SET state = 'cancelled' WHERE rcpt_domain = 'd2.test'");
    office.run(
        "UPDATE deliveries SET state = 'outgoing', wait = 'held', due = 8640000000000000 WHERE rcpt_domain = 'd3.test'",
    );
    let line = |class: &str| {
        let all = office.get("/api/v1/retention/preview");
        all.as_array().unwrap().iter().find(|it| it["class"] == class).unwrap().clone()
    };
    assert_eq!(line("sent_emails")["items"], 0);
    let mut days = office.get("/api/v1/retention");
    days["sent_emails"] = 10.into();
    office.call("PATCH", "/api/v1/retention", &days);
    office.test.clock.0.fetch_add(11 * DAY, Ordering::Relaxed);
    assert_eq!((&line("sent_emails")["items"], &line("sent_emails")["days"]), (&json!(4), &json!(10)));
    // Uploaded and never sent; and bytes that no row names.
    office.call("POST", "/api/v1/attachments?name=a.txt&content_type=text/plain", &json!("x"));
    office.test.blobs.kept.lock().unwrap().insert("att/orphan".to_owned(), vec![1]);
    let run = office.call("POST", "/api/v1/actions/auto_vacuum/runs", &Json::Null);
    assert_eq!(run["ok"], true, "{run}");
    assert_eq!(
        (office.count("sent"), office.count("failed"), office.count("cancelled"), office.count("outgoing held")),
        (0, 2, 2, 2)
    );
    assert!(!office.test.blobs.kept.lock().unwrap().contains_key("att/orphan"));
    let files = office.test.blobs.kept.lock().unwrap().keys().filter(|it| it.starts_with("att/")).count();
    assert_eq!(files, 1, "the upload is young");
    let messages = office.get(&format!("/api/v1/records/{}/messages", office.record));
    let envelope =
        messages["items"].as_array().unwrap().iter().find(|it| it["id"] == message.as_str()).unwrap()["envelope"]
            .clone();
    assert_eq!(
        (&envelope["recipients"], &envelope["done"]),
        (&json!(10), &json!(4)),
        "the message remembers: {envelope}"
    );
    office.tick(200 * DAY);
    assert_eq!((office.count("cancelled"), office.count("failed"), office.count("outgoing held")), (0, 2, 2));
    let left: Vec<String> = office.test.blobs.kept.lock().unwrap().keys().cloned().collect();
    assert!(left.iter().all(|it| it.starts_with("logs/")), "{left:?}");
    let left = rows(&office.test, "SELECT COUNT(*) AS n FROM emails").remove(0);
    assert_eq!(left["n"], 1, "an email goes with its last delivery");
}

#[test]
fn what_is_too_large_becomes_a_link_that_ends() {
    let office = Office::new();
    office.change(&json!({ "max_size": 20_000 }));
    let file = |name: &str, size: usize| {
        let path = format!("/api/v1/attachments?name={name}&content_type=application/pdf");
        office.call("POST", &path, &json!("x".repeat(size)))["id"].clone()
    };
    let (small, large) = (file("small.pdf", 2_000), file("large.pdf", 40_000));
    let path = format!("/api/v1/records/{}/messages", office.record);
    let body = json!({ "mode": "message", "text": "See files", "bcc": ["x@d.test"], "attachments": [small, large], "leave_out": office.people() });
    office.call("POST", &path, &body);
    office.tick(11_000);
    let raw = String::from_utf8_lossy(&office.test.mailer.sent.lock().unwrap()[0].raw).into_owned();
    assert!(raw.contains("small.pdf") && raw.len() < 20_000, "{}", raw.len());
    let text = raw.replace("=\r\n", "");
    let at = text.find("/api/files/").expect("a link");
    let link: String = text[at..].chars().take_while(|c| !c.is_whitespace() && *c != '<' && *c != '"').collect();
    let anyone = call(&office.test, "GET", &link, "", &Json::Null);
    assert_eq!(anyone.status, 200, "{link}");
    let mut forged = link.clone();
    forged.pop();
    assert_eq!(call(&office.test, "GET", &forged, "", &Json::Null).status, 404);
    office.test.clock.0.fetch_add(31 * DAY, Ordering::Relaxed);
    assert_eq!(call(&office.test, "GET", &link, "", &Json::Null).status, 404, "its time is over");
}

#[test]
fn the_case_for_support_weighs_what_the_seed_names() {
    let office = Office::new();
    office.write(&refs(&addresses(10)));
    let gone = || SendOutcome::Refused { code: 550, text: "5.1.1 no such user".to_owned() };
    office.test.mailer.script.lock().unwrap().extend([gone(), gone()]);
    office.tick(11_000);
    let case = office.get("/api/v1/limits/support");
    assert_eq!((&case["users"], &case["handed_over"], &case["bounced"]), (&json!(1), &json!(8), &json!(2)), "{case}");
    let keys: Vec<&str> = case["points"].as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["users", "apps", "bounces", "aliases", "domain"]);
    assert_eq!(case["points"][2]["good"], false);
    assert_eq!(case["domains"][0]["aliases"], 3);
}

#[test]
fn places_that_refused_mail_gives_back_are_used_the_same_day() {
    let office = Office::new();
    office.change(&json!({ "daily_limit": 10 }));
    let gone = || SendOutcome::Refused { code: 550, text: "5.1.1 no such user".to_owned() };
    office.test.mailer.script.lock().unwrap().extend(std::iter::repeat_with(gone).take(4));
    office.write(&refs(&addresses(20)));
    office.tick(11_000);
    assert_eq!((office.count("sent"), office.count("failed")), (6, 4));
    office.tick(MINUTE);
    assert_eq!((office.count("sent"), office.count("outgoing limit")), (10, 6), "{:?}", office.states());
    office.tick(MINUTE);
    assert_eq!(office.count("sent"), 10);
    let open = office.get("/api/v1/notices");
    let kinds: Vec<&str> = open.as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["limit_reached", "failing"], "the highest warning alone, and the failures: {open}");
}

#[test]
fn a_signed_mail_has_the_key_of_its_domain() {
    let office = Office::new();
    office.change(&json!({ "dkim": true }));
    office.write(&["plain@d.test"]);
    office.tick(11_000);
    let key = office.call("POST", "/api/v1/dkim/corp.test", &Json::Null);
    assert_eq!(office.call("POST", "/api/v1/dkim/corp.test", &Json::Null), key, "a published key stays");
    assert_eq!(office.status("POST", "/api/v1/dkim/else.test", &Json::Null).0, 404, "not ours");
    let name = format!("{}._domainkey.corp.test", key["selector"].as_str().unwrap());
    assert_eq!(key["record_name"], name.as_str());
    assert!(key["record_value"].as_str().unwrap().starts_with("v=DKIM1; k=rsa; p=MII"), "{key}");
    office.write(&["signed@d.test"]);
    office.tick(11_000);
    let sent: Vec<String> = office
        .test
        .mailer
        .sent
        .lock()
        .unwrap()
        .iter()
        .map(|it| String::from_utf8_lossy(&it.raw).into_owned())
        .collect();
    assert!(!sent[0].contains("DKIM-Signature"), "no key yet: {}", sent[0]);
    assert!(sent[1].starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=corp.test;"), "{}", sent[1]);
    let sealed = rows(&office.test, "SELECT private_sealed FROM dkim_keys").remove(0);
    assert!(sealed["private_sealed"].as_str().unwrap().starts_with("v1."), "{sealed:?}");
}

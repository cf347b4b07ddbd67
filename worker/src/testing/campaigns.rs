//! Campaigns over SQLite: recipients, order, limits, opting out, what is fetched.

use std::sync::atomic::Ordering;

use axum::body::Body;
use futures::executor::block_on;
use mailroom_shared::api::campaigns::RecipientFilter;
use mailroom_shared::api::campaigns::RecipientQuery;
use mailroom_shared::api::mailing_lists::MemberQuery;
use mailroom_shared::time::Timestamp;
use serde_json::Value as Json;
use serde_json::json;
use tower::ServiceExt;

use super::TestApp;
use super::tests::call;
use super::tests::rows;
use super::tests::set_up;
use crate::http::Background;
use crate::http::router;
use crate::ports::SendOutcome;
use crate::ports::Statement;
use crate::store;
use crate::store::campaigns as sql;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";

struct Office {
    test: TestApp,
    cookie: String,
}

impl Office {
    fn new() -> Self {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let office = Self { test, cookie };
        office.server("mx-bulk", &json!({}));
        office
    }

    fn server(&self, name: &str, more: &Json) -> Json {
        let mut body = json!({ "name": name, "kind": "smtp", "host": "mx.test", "port": 465, "bulk": true });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.call("POST", "/api/v1/servers", &body)
    }

    fn status(&self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let answer = call(&self.test, method, path, &self.cookie, body);
        (answer.status, answer.body)
    }

    fn call(&self, method: &str, path: &str, body: &Json) -> Json {
        let (status, body) = self.status(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    fn get(&self, path: &str) -> Json {
        self.call("GET", path, &Json::Null)
    }

    fn list(&self, name: &str, csv: &str) -> String {
        let list = self.call("POST", "/api/v1/mailing-lists", &json!({ "name": name, "public": true }));
        let id = list["id"].as_str().unwrap().to_owned();
        self.call("POST", &format!("/api/v1/mailing-lists/{id}/import"), &json!({ "csv": csv }));
        id
    }

    /// A draft for these lists.
    fn draft(&self, name: &str, lists: &[&str], more: &Json) -> String {
        let made = self.call("POST", "/api/v1/campaigns", &json!({ "name": name }));
        let id = made["row"]["id"].as_str().unwrap().to_owned();
        let mut settings = made["settings"].clone();
        settings["subject"] = format!("{name} for {{{{contact.first_name | you}}}}").into();
        settings["audience"] = json!({ "lists": lists });
        settings["content"] = json!({ "blocks": [
            { "kind": "text", "text": "Hello {{contact.name}}, look at [the list](https://corp.test/a) and [more](https://corp.test/b)." },
            { "kind": "button", "text": "Book", "url": "https://corp.test/book?m={{contact.email}}" },
            { "kind": "footer", "text": "Corp" },
        ] });
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        self.call("PATCH", &format!("/api/v1/campaigns/{id}"), &settings);
        // Created one after the other.
        self.test.clock.0.fetch_add(1, Ordering::Relaxed);
        id
    }

    fn act(&self, id: &str, act: &str) -> Json {
        self.call("POST", &format!("/api/v1/campaigns/{id}/acts"), &json!({ "act": act }))
    }

    fn view(&self, id: &str) -> Json {
        let view = self.get(&format!("/api/v1/campaigns/{id}"));
        let ledger: mailroom_shared::campaign::ledger::Ledger = serde_json::from_value(view["ledger"].clone()).unwrap();
        assert!(ledger.adds_up(), "{ledger:?}");
        view
    }

    fn state(&self, id: &str) -> String {
        self.view(id)["row"]["state"].as_str().unwrap().to_owned()
    }

    fn n(&self, id: &str, state: &str) -> u64 {
        let view = self.view(id);
        let all = view["ledger"]["states"].as_array().unwrap().clone();
        all.iter().find(|it| it["state"] == state).map_or(0, |it| it["n"].as_u64().unwrap())
    }

    fn tick(&self, later: i64) {
        self.test.clock.0.fetch_add(later, Ordering::Relaxed);
        block_on(crate::cron::tick(&self.test.app));
    }

    /// Ticks until nothing moves.
    fn settle(&self) {
        for _ in 0..6 {
            self.tick(MINUTE);
        }
    }

    fn run(&self, sql: String) {
        block_on(self.test.app.run(Statement { sql: sql.into(), params: Vec::new() })).unwrap();
    }

    fn sent_to(&self) -> Vec<String> {
        self.test.mailer.sent.lock().unwrap().iter().map(|it| it.rcpt_to.clone()).collect()
    }

    fn raw(&self, n: usize) -> String {
        let raw = String::from_utf8(self.test.mailer.sent.lock().unwrap()[n].raw.clone()).unwrap();
        raw.replace("=\r\n", "").replace("=3D", "=")
    }

    /// As a mail client or scanner: status, Location or body.
    fn visit(&self, method: &str, path: &str, agent: &str) -> (u16, String) {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://mailroom.test{path}"))
            .header("host", "mailroom.test")
            .header("user-agent", agent)
            .body(Body::empty())
            .unwrap();
        block_on(async {
            let response =
                router(std::sync::Arc::clone(&self.test.app), Background::default()).oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let to = response.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, to.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()))
        })
    }
}

fn people(prefix: &str, n: usize) -> String {
    let lines: Vec<String> = (0..n).map(|i| format!("{prefix}{i:05}@d{}.test,Person {i}\n", i % 7)).collect();
    lines.concat()
}

/// The first address of a kind (`u`, `o`, `c`) in a mail, as a path.
fn path_in(raw: &str, kind: &str, nth: usize) -> String {
    let mark = format!("/{kind}/");
    let mut found: Vec<String> = Vec::new();
    for (at, _) in raw.match_indices(&mark) {
        let rest = &raw[at..];
        let end = rest.find(['"', '>', ' ', '\r', '\n', '<']).unwrap_or(rest.len());
        let path = rest[..end].to_owned();
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found.get(nth).unwrap_or_else(|| panic!("{kind} {nth} in {raw}")).clone()
}

#[test]
fn every_statement_of_campaigns_uses_an_index() {
    let db = super::Sqlite::new();
    let at = Timestamp::from_millis(1);
    let ids = [mailroom_shared::id::MailingListId::parse("l").unwrap()];
    let audience = mailroom_shared::api::campaigns::Audience { lists: ids.to_vec(), contacts: Some("x".to_owned()) };
    let mut statements = vec![
        sql::get("c"),
        sql::list(),
        sql::active(),
        sql::stopped_since(at),
        sql::of_claim("c"),
        sql::people_of_claim("c", at),
        sql::leave_out(&["x"]),
        sql::audience::close_list("c", 1),
        sql::audience::progress("c"),
        sql::audience::hold("c", 1),
        sql::audience::release("c", 1, at),
        sql::audience::park("c", Some("limit"), at, at),
        sql::audience::sample(&audience),
        sql::ledger::has_left("c"),
        sql::hits::visitor(1, 1, at),
        sql::hits::forget_unsubscribed(1),
        store::mailing_lists::list_statement(Some("l")),
        store::mailing_lists::named(&ids),
        store::mailing_lists::used_by("l"),
        store::mailing_lists::count_known("l", &["k"]),
        store::mailing_lists::opt_out(&ids, "k", None, at),
        store::mailing_lists::opt_in(&ids, "k"),
        store::mailing_lists::remove("l", "k"),
        store::mailing_lists::members_statement("l", &MemberQuery::default(), 10).0,
    ];
    statements.extend(sql::audience::write_members("c", 10, at));
    statements.extend(sql::audience::write_contacts("c", 10, at));
    statements.extend(sql::audience::queue_up("c", 10, at));
    statements.extend(sql::audience::cancel("c", "x", 10, at));
    statements.extend(sql::audience::retry_failed("c", "x", 10, at));
    statements.extend(sql::ledger::counts("c"));
    statements.extend(sql::ledger::states_of(&["c"], &["d"]));
    statements.extend(sql::hits::results("c"));
    statements.extend(sql::hits::were_robots(1, "x", at));
    for filter in RecipientFilter::ALL {
        let query = RecipientQuery { filter: Some(filter), ..RecipientQuery::default() };
        statements.push(sql::ledger::list_statement("c", &query, 10).0);
    }
    let one = RecipientQuery { address: Some("a@b.test".to_owned()), ..RecipientQuery::default() };
    statements.push(sql::ledger::list_statement("c", &one, 10).0);
    let small =
        ["json_each", "SCAN j", "SCAN l", "SCAN suppressions", "SCAN s", "CONSTANT ROW", "subquery", "SCAN value"];
    let mut ran = 0;
    for statement in statements {
        for step in db.plan(&statement) {
            let is_scan =
                step.starts_with("SCAN") && !step.contains("USING") && !small.iter().any(|it| step.contains(it));
            assert!(!is_scan, "{step}\n{}", statement.sql);
            ran += 1;
        }
        let is_chunk =
            statement.sql.contains("FROM campaigns k CROSS JOIN") || statement.sql.contains("recipients_in_order");
        let sorts = db.plan(&statement).iter().any(|it| it.contains("TEMP B-TREE FOR ORDER"));
        assert!(!(is_chunk && sorts), "sorts: {}", statement.sql);
    }
    assert!(ran > 60, "{ran}");
}

#[test]
fn every_exclusion_is_counted_and_everybody_else_gets_it_once() {
    let office = Office::new();
    let a = office
        .list("Customers", "email,name,city\nann@c.test,Ann Lee,Huế\nbo@c.test,Bo,\ncy@c.test,Cy,\ndee@c.test,Dee,\n");
    let b = office.list("Friends", "ann@c.test,Ann\neve@c.test,Eve\nbo@c.test,Bo\ngone@c.test,Gone\n");
    let opt_out = |list: &str, address: &str| {
        office.call(
            "POST",
            &format!("/api/v1/mailing-lists/{list}/acts"),
            &json!({ "address": address, "act": "opt_out" }),
        );
    };
    opt_out(&a, "bo@c.test");
    opt_out(&a, "cy@c.test");
    office.call("POST", "/api/v1/suppressions", &json!({ "address": "gone@c.test", "scope": "all" }));
    office.call("POST", "/api/v1/suppressions", &json!({ "address": "eve@c.test", "scope": "campaigns" }));
    let id = office.draft("Winter", &[&a, &b], &json!({}));
    let before = office.get(&format!("/api/v1/campaigns/{id}/preflight"));
    assert_eq!((&before["recipients"], &before["duplicates"]), (&json!(3), &json!(2)), "{before}");
    office.act(&id, "send");
    office.settle();
    let mut sent = office.sent_to();
    sent.sort();
    assert_eq!(sent, ["ann@c.test", "bo@c.test", "dee@c.test"], "bo left one list and is on the other (EX-5)");
    let view = office.view(&id);
    assert_eq!(view["ledger"]["listed"], 8);
    assert_eq!(
        view["ledger"]["left_out"],
        json!([{ "why": "suppressed", "n": 2 }, { "why": "opted_out", "n": 1 }]),
        "{view}"
    );
    assert_eq!((view["row"]["state"].as_str().unwrap(), office.n(&id, "sent")), ("sent", 3));
    // What the mail looks like.
    let ann = office.sent_to().iter().position(|it| it == "ann@c.test").unwrap();
    let raw = office.raw(ann);
    for part in [
        "Subject: Winter for Ann\r\n",
        "To: \"Ann Lee\" <ann@c.test>\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "Precedence: list\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Hello Ann Lee, look at",
    ] {
        assert!(raw.contains(part), "{part}\n{raw}");
    }
    assert!(!raw.contains("https://corp.test/a"), "links are followed through us: {raw}");
    let page = office.get(&format!("/api/v1/campaigns/{id}/recipients?filter=left_out"));
    assert_eq!(page["items"].as_array().unwrap().len(), 3, "{page}");
    let page = office.get(&format!("/api/v1/campaigns/{id}/recipients?filter=handed_over&limit=2"));
    assert_eq!((page["items"].as_array().unwrap().len(), page["next"].is_string()), (2, true), "{page}");
    let (_, csv) = {
        let answer =
            call(&office.test, "GET", &format!("/api/v1/campaigns/{id}/recipients.csv"), &office.cookie, &Json::Null);
        (answer.status, answer.body)
    };
    assert!(csv.is_null(), "bytes, no JSON");
}

#[test]
fn campaigns_leave_in_the_order_of_creation_one_after_the_other() {
    let office = Office::new();
    let list = office.list("All", &people("p", 120));
    let ids: Vec<String> =
        ["First", "Second", "Third"].iter().map(|name| office.draft(name, &[&list], &json!({}))).collect();
    // Sent the other way round.
    for id in ids.iter().rev() {
        office.act(id, "send");
    }
    let rows = office.get("/api/v1/campaigns");
    let names: Vec<&str> = rows.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["First", "Second", "Third"]);
    assert_eq!(rows[1]["departure"]["waits"], json!({ "why": "turn", "ahead": 1 }), "{rows}");
    assert_eq!(rows[2]["departure"]["position"], 3);
    for _ in 0..12 {
        office.tick(MINUTE);
    }
    let subjects: Vec<String> = (0..360)
        .map(|i| {
            office.raw(i).lines().find(|it| it.starts_with("Subject:")).unwrap().split(' ').nth(1).unwrap().to_owned()
        })
        .collect();
    for (i, name) in ["First", "Second", "Third"].iter().enumerate() {
        assert!(subjects[i * 120..(i + 1) * 120].iter().all(|it| it == name), "{name}: {subjects:?}");
    }
    for id in &ids {
        assert_eq!((office.state(id).as_str(), office.n(id, "sent")), ("sent", 120));
    }
}

#[test]
fn a_run_may_die_anywhere_and_nobody_is_written_down_twice() {
    let office = Office::new();
    let (a, b) = (office.list("A", &people("p", 5_200)), office.list("B", &people("p", 2_300)));
    let id = office.draft("Winter", &[&a, &b], &json!({}));
    office.act(&id, "send");
    office.run(format!("UPDATE campaigns SET state = 'sending', started = 1 WHERE id = '{id}'"));
    let app = &office.test.app;
    let now = app.now();
    // Each chunk by itself; what is repeated does nothing twice because its place moved with it.
    for step in 0..10 {
        let statements = if step < 5 {
            sql::audience::write_members(&id, 2_000, now)
        } else {
            sql::audience::write_contacts(&id, 2_000, now)
        };
        block_on(app.db.batch(statements.to_vec())).unwrap();
    }
    block_on(app.run(sql::audience::close_list(&id, 3))).unwrap();
    let counted = rows(
        &office.test,
        "SELECT COUNT(*) AS n, SUM(copies) AS copies, COUNT(DISTINCT address_key) AS keys FROM campaign_recipients",
    );
    assert_eq!(
        (&counted[0]["n"], &counted[0]["copies"], &counted[0]["keys"]),
        (&json!(5_200), &json!(7_500), &json!(5_200))
    );
    // Died after one chunk of deliveries; the queue goes on from there.
    let campaign = block_on(sql::read(app, &id)).unwrap().unwrap();
    let fleet = block_on(crate::jobs::Fleet::load(app)).unwrap();
    let (sender, domain) = block_on(crate::jobs::campaigns::sender(app, &fleet, &campaign)).unwrap();
    let mut statements = sql::email(&campaign, &sender, &domain, now).to_vec();
    statements.extend(sql::audience::queue_up(&id, 2_000, now));
    block_on(app.db.batch(statements)).unwrap();
    office.tick(MINUTE);
    let deliveries = rows(&office.test, "SELECT COUNT(*) AS n, COUNT(DISTINCT address_key) AS keys FROM deliveries");
    assert_eq!((&deliveries[0]["n"], &deliveries[0]["keys"]), (&json!(5_200), &json!(5_200)));
    let view = office.view(&id);
    assert_eq!((&view["ledger"]["planned"], &view["ledger"]["duplicates"]), (&json!(0), &json!(2_300)), "{view}");
}

#[test]
fn the_limit_parks_a_campaign_as_a_whole_and_the_next_day_it_goes_on() {
    let office = Office::new();
    let bulk = office
        .get("/api/v1/servers")
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["settings"]["name"] == "mx-bulk")
        .unwrap()
        .clone();
    let mut settings = bulk["settings"].clone();
    settings["daily_limit"] = 100.into();
    office.call("PATCH", &format!("/api/v1/servers/{}", bulk["id"].as_str().unwrap()), &settings);
    let list = office.list("All", &people("p", 240));
    let id = office.draft("Winter", &[&list], &json!({}));
    let preflight = office.get(&format!("/api/v1/campaigns/{id}/preflight"));
    let limit = preflight["findings"].as_array().unwrap().iter().find(|it| it["key"] == "limit").unwrap().clone();
    assert_eq!(limit["args"]["days"], "3", "{limit}");
    office.act(&id, "send");
    office.settle();
    let first = office.sent_to().len();
    assert!((85..=100).contains(&first), "a tenth is kept for urgent mail: {first}");
    let view = office.view(&id);
    assert_eq!(view["row"]["departure"]["waits"]["why"], "parked", "{view}");
    assert_eq!(view["row"]["departure"]["waits"]["parked"]["by"], "limit");
    let parked = rows(&office.test, "SELECT COUNT(*) AS n FROM deliveries WHERE wait = 'limit'");
    assert_eq!(parked[0]["n"], 240 - first, "all of the rest, in one step");
    for _ in 0..2 {
        office.tick(DAY);
        office.settle();
    }
    assert_eq!((office.sent_to().len(), office.state(&id).as_str()), (240, "sent"));
}

#[test]
fn pause_resume_stop_and_retry() {
    let office = Office::new();
    let list = office.list("All", &people("p", 60));
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    // Cancelled in time it is a draft again (CP-5).
    assert_eq!(office.act(&id, "cancel")["row"]["state"], "draft");
    office.act(&id, "send");
    office.tick(MINUTE);
    assert_eq!((office.state(&id).as_str(), office.n(&id, "outgoing")), ("sending", 60));
    let paused = office.act(&id, "pause");
    assert_eq!(
        (&paused["row"]["state"], &paused["row"]["departure"]["waits"]["why"]),
        (&json!("paused"), &json!("pause"))
    );
    office.settle();
    assert!(office.sent_to().is_empty(), "nothing leaves while it is paused");
    // A row that slipped through is stopped at the last moment.
    office.run(format!("UPDATE deliveries SET wait = NULL, due = 1 WHERE email_id = '{id}'"));
    office.settle();
    assert!(office.sent_to().is_empty());
    // Another one does not wait for it.
    let other = office.draft("Other", &[&list], &json!({}));
    office.act(&other, "send");
    office.settle();
    assert_eq!(office.state(&other), "sent");
    office.test.mailer.sent.lock().unwrap().clear();
    for _ in 0..3 {
        let code = SendOutcome::Refused { code: 550, text: "5.1.1 no such user here".to_owned() };
        office.test.mailer.script.lock().unwrap().push_back(code);
    }
    office.act(&id, "resume");
    office.settle();
    assert_eq!((office.n(&id, "sent"), office.n(&id, "failed"), office.state(&id).as_str()), (57, 3, "sent"));
    let (status, _) = office.status("POST", &format!("/api/v1/campaigns/{id}/acts"), &json!({ "act": "pause" }));
    assert_eq!(status, 409, "it is over");
    // Retried: suppressed ones are left out, and the ledger still adds up.
    office.act(&id, "retry");
    office.settle();
    let view = office.view(&id);
    assert_eq!(view["ledger"]["left_out"], json!([{ "why": "meanwhile", "n": 3 }]), "{view}");
    // Stopped half-way: what had not left never will.
    let stopped = office.draft("Last", &[&list], &json!({}));
    office.act(&stopped, "send");
    office.tick(MINUTE);
    assert_eq!(office.act(&stopped, "stop")["row"]["state"], "stopped");
    office.settle();
    assert_eq!((office.n(&stopped, "cancelled"), office.n(&stopped, "sent")), (57, 0));
}

#[test]
fn opting_out_wins_until_the_last_moment_and_can_be_undone() {
    let office = Office::new();
    let list = office.list("All", "ann@c.test,Ann\nbo@c.test,Bo\ncy@c.test,Cy\n");
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    office.tick(MINUTE);
    office.call("POST", "/api/v1/suppressions", &json!({ "address": "bo@c.test", "scope": "campaigns" }));
    office.settle();
    assert_eq!(office.sent_to(), ["ann@c.test", "cy@c.test"]);
    assert_eq!(office.view(&id)["ledger"]["left_out"], json!([{ "why": "meanwhile", "n": 1 }]));

    let raw = office.raw(0);
    let way_out = path_in(&raw, "u", 0);
    let suppressed =
        || rows(&office.test, "SELECT address_key, scope, source FROM suppressions WHERE source = 'unsubscribe'");
    for method in ["GET", "HEAD"] {
        let (status, page) = office.visit(method, &way_out, FIREFOX);
        assert_eq!(status, 200);
        assert!(method == "HEAD" || page.contains("ann@c.test"), "{page}");
    }
    assert!(suppressed().is_empty(), "looking changes nothing: scanners follow every link");
    let (status, page) = office.visit("POST", &way_out, "");
    assert_eq!((status, suppressed().len()), (200, 1), "{page}");
    assert_eq!(suppressed()[0]["scope"], "campaigns");
    assert_eq!(office.get(&format!("/api/v1/campaigns/{id}/results"))["unsubscribed"], 1);
    // Twice is once; undone it is as before.
    office.visit("POST", &way_out, "");
    assert_eq!(suppressed().len(), 1);
    office.visit("POST", &format!("{way_out}?undo=all"), FIREFOX);
    assert_eq!(
        (suppressed().len(), &office.get(&format!("/api/v1/campaigns/{id}/results"))["unsubscribed"]),
        (0, &json!(0))
    );
    // Only this list.
    office.visit("POST", &format!("{way_out}?list={list}"), FIREFOX);
    let members = office.get(&format!("/api/v1/mailing-lists/{list}/members"));
    assert!(members["items"][0]["opted_out"].is_number() && suppressed().is_empty(), "{members}");
    let (status, _) = office.visit("POST", &format!("{way_out}?list=other"), FIREFOX);
    assert_eq!(status, 404);
    for wrong in ["/u/y1.aaaaaaaaaaaaaaaa", "/c/y1-0.aaaaaaaaaaaaaaaa", &way_out.replace("/u/", "/c/")] {
        assert_eq!(office.visit("GET", wrong, FIREFOX).0, 404, "{wrong}");
    }
}

#[test]
fn people_are_told_from_scanners_and_links_lead_where_the_campaign_says() {
    let office = Office::new();
    let list = office.list("All", "ann@c.test,Ann\nbo@c.test,Bo\ncy@c.test,Cy\n");
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    office.settle();
    let raw: Vec<String> = (0..3).map(|i| office.raw(i)).collect();
    let later = |by: i64| office.test.clock.0.fetch_add(by, Ordering::Relaxed);
    let results = || office.get(&format!("/api/v1/campaigns/{id}/results"));
    later(5 * MINUTE);
    // Ann reads and follows one link.
    assert_eq!(office.visit("GET", &path_in(&raw[0], "o", 0), FIREFOX).0, 200);
    let (status, to) = office.visit("GET", &path_in(&raw[0], "c", 0), FIREFOX);
    assert_eq!((status, to.as_str()), (302, "https://corp.test/a"));
    let book = (0..3)
        .map(|i| office.visit("HEAD", &path_in(&raw[0], "c", i), FIREFOX).1)
        .find(|it| it.contains("book"))
        .unwrap();
    assert_eq!(book, "https://corp.test/book?m=ann%40c.test");
    let found = results();
    assert_eq!((&found["opened"], &found["clicked"], &found["robots"]), (&json!(1), &json!(1), &json!(0)), "{found}");
    assert_eq!((&found["links"][0]["people"], &found["links"][0]["robots"]), (&json!(1), &json!(1)), "{found}");
    // Bo's server looks at all links at once.
    for i in 0..3 {
        office.visit("GET", &path_in(&raw[1], "c", i), FIREFOX);
    }
    assert_eq!((&results()["clicked"], &results()["robots"]), (&json!(1), &json!(1)), "{}", results());
    // Later Bo reads it.
    later(MINUTE);
    office.visit("GET", &path_in(&raw[1], "c", 1), FIREFOX);
    assert_eq!((&results()["clicked"], &results()["robots"]), (&json!(2), &json!(0)));
    office.visit("GET", &path_in(&raw[2], "o", 0), "Barracuda Sentinel (EE)");
    assert_eq!((&results()["opened"], &results()["robots"]), (&json!(2), &json!(1)));
    let clicked = office.get(&format!("/api/v1/campaigns/{id}/recipients?filter=clicked"));
    assert_eq!(clicked["items"].as_array().unwrap().len(), 2, "{clicked}");
    assert!(results()["hours"].as_array().unwrap().iter().any(|it| it["opened"].as_u64() > Some(0)), "{}", results());
}

#[test]
fn a_test_leaves_at_once_and_counts_nothing() {
    let office = Office::new();
    let list = office.list("All", "zed@c.test,Zed Sample\n");
    let id = office.draft("Winter", &[&list], &json!({}));
    office.call("POST", &format!("/api/v1/campaigns/{id}/test"), &json!({ "to": "me@corp.test" }));
    office.tick(1_000);
    assert_eq!(office.sent_to(), ["me@corp.test"]);
    let raw = office.raw(0);
    assert!(raw.contains("Subject: [Test] Winter for Zed\r\n") && raw.contains("Hello Zed Sample"), "{raw}");
    assert_eq!(*office.test.mailer.servers.lock().unwrap(), ["mx-bulk"], "the way the campaign will go");
    let (status, page) = office.visit("POST", &path_in(&raw, "u", 0), FIREFOX);
    assert!(status == 200 && page.contains("test"), "{page}");
    assert_eq!((office.state(&id).as_str(), &office.view(&id)["ledger"]["listed"]), ("draft", &json!(0)));
    let wrong = office.draft("Wrong", &[&list], &json!({ "subject": "{{contact.nam}}" }));
    let (status, problem) =
        office.status("POST", &format!("/api/v1/campaigns/{wrong}/test"), &json!({ "to": "me@corp.test" }));
    assert_eq!((status, &problem["fields"][0]["key"]), (422, &json!("unknown_field")), "{problem}");
}

#[test]
fn nothing_leaves_that_the_preflight_stops_and_dates_are_kept() {
    let office = Office::new();
    let list = office.list("All", "ann@c.test,Ann\n");
    let empty = office.draft("Empty", &[], &json!({}));
    let send = |id: &str, body: Json| office.status("POST", &format!("/api/v1/campaigns/{id}/acts"), &body);
    let (status, problem) = send(&empty, json!({ "act": "send" }));
    assert_eq!((status, &problem["fields"][0]["key"]), (422, &json!("preflight_no_recipients")), "{problem}");
    let id = office.draft("Winter", &[&list], &json!({}));
    let at = office.test.app.now().as_millis() + 90 * MINUTE;
    assert_eq!(send(&id, json!({ "act": "schedule" })).0, 422, "without a date");
    let (_, view) = send(&id, json!({ "act": "schedule", "at": at }));
    assert_eq!(view["row"]["departure"]["waits"], json!({ "why": "schedule", "until": at }), "{view}");
    assert_eq!(send(&id, json!({ "act": "begin" })).0, 409, "not for people");
    let settings = office.view(&id)["settings"].clone();
    assert_eq!(office.status("PATCH", &format!("/api/v1/campaigns/{id}"), &settings).0, 409, "only drafts are written");
    assert_eq!(office.status("DELETE", &format!("/api/v1/campaigns/{id}"), &Json::Null).0, 409);
    let archive = json!({ "name": "All", "archived": true });
    assert_eq!(office.status("PATCH", &format!("/api/v1/mailing-lists/{list}"), &archive).0, 409, "in use (ML-4)");
    office.tick(60 * MINUTE);
    office.settle();
    assert!(office.sent_to().is_empty(), "not before its date");
    office.tick(31 * MINUTE);
    office.settle();
    assert_eq!((office.sent_to().len(), office.state(&id).as_str()), (1, "sent"));
    // By hand, many times: no harm.
    for _ in 0..5 {
        office.call("POST", "/api/v1/actions/campaign_queue/runs", &Json::Null);
    }
    office.settle();
    assert_eq!(office.sent_to().len(), 1);
    assert_eq!(office.status("DELETE", &format!("/api/v1/campaigns/{empty}"), &Json::Null).0, 204);
}

#[test]
fn auto_vacuum_leaves_the_ledger_whole() {
    let office = Office::new();
    let list = office.list("All", &people("p", 30));
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    office.settle();
    let before = office.view(&id)["ledger"].clone();
    office.test.clock.0.fetch_add(40 * DAY, Ordering::Relaxed);
    office.run("UPDATE sessions SET expires = expires * 2".to_owned());
    office.call("POST", "/api/v1/actions/auto_vacuum/runs", &Json::Null);
    assert_eq!(rows(&office.test, "SELECT COUNT(*) AS n FROM deliveries")[0]["n"], 0);
    assert_eq!(office.view(&id)["ledger"], before);
    let page = office.get(&format!("/api/v1/campaigns/{id}/recipients"));
    assert_eq!(page["items"][0]["place"], json!({ "at": "queue", "state": "sent" }), "{page}");
}

#[test]
fn a_campaign_of_contacts_skips_colleagues() {
    let office = Office::new();
    for (name, address) in [("Ann", "ann@c.test"), ("Ann Two", "ann@c.test"), ("Bo", "bo@other.test")] {
        office.call("POST", "/api/v1/contacts", &json!({ "name": name, "emails": [address] }));
    }
    let id = office.draft("Winter", &[], &json!({ "audience": { "contacts": "c.test" } }));
    office.act(&id, "send");
    office.settle();
    assert_eq!(office.sent_to(), ["ann@c.test"]);
}

/// The platform answers 1,000 statements per invocation.
#[test]
fn no_invocation_asks_too_much_of_the_database() {
    let office = Office::new();
    let list = office.list("All", "zed@c.test\n");
    let many = "INSERT INTO mailing_list_members (list_id, address_key, address, added)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
       SELECT (SELECT id FROM mailing_lists), printf('p%06d@d%d.test', i, i % 9), printf('p%06d@d%d.test', i, i % 9), 1 FROM n";
    office.run(many.to_owned());
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    let app = &office.test.app;
    let mut most = 0;
    let mut count = |what: &mut dyn FnMut()| {
        let before = office.test.statements.load(Ordering::Relaxed);
        what();
        let n = office.test.statements.load(Ordering::Relaxed) - before;
        most = most.max(n);
        n
    };
    for _ in 0..4 {
        let n = count(&mut || block_on(crate::jobs::campaigns::wake(app)).unwrap());
        assert!(n < 400, "{n}: the minute has other work besides");
    }
    let view = office.view(&id);
    assert_eq!((&view["is_expanding"], &view["ledger"]["planned"]), (&json!(false), &json!(0)), "{view}");
    assert_eq!(office.n(&id, "outgoing"), 100_001);
    count(&mut || {
        block_on(crate::jobs::deliver(app)).unwrap();
    });
    assert!(office.sent_to().len() >= 1_200);
    count(&mut || block_on(crate::cron::tick(app)));
    assert!(most < 1_000, "{most}");
}

/// RFC 8058 section 4: a receiver believes one-click unsubscribing only when the signature covers it.
#[test]
fn the_way_out_is_signed() {
    let office = Office::new();
    office.call("POST", "/api/v1/dkim/corp.test", &Json::Null);
    let servers = office.get("/api/v1/servers");
    let bulk = servers.as_array().unwrap().iter().find(|it| it["settings"]["name"] == "mx-bulk").unwrap();
    let mut settings = bulk["settings"].clone();
    settings["dkim"] = true.into();
    office.call("PATCH", &format!("/api/v1/servers/{}", bulk["id"].as_str().unwrap()), &settings);
    let list = office.list("All", "ann@c.test,Ann\n");
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    office.settle();
    let raw = office.raw(0).replace("\r\n\t", "").replace("\r\n ", "");
    let signature = raw.lines().find(|it| it.starts_with("DKIM-Signature:")).unwrap().replace(' ', "");
    assert!(signature.contains("list-unsubscribe:list-unsubscribe-post"), "{signature}");
}

#[test]
fn campaigns_are_for_campaign_managers() {
    let office = Office::new();
    let list = office.list("All", "ann@c.test,Ann\n");
    let id = office.draft("Winter", &[&list], &json!({}));
    let (acts, members) = (format!("/api/v1/campaigns/{id}/acts"), format!("/api/v1/mailing-lists/{list}/members"));
    for (role, may) in [("read_only", false), ("agent", false), ("campaign_manager", true), ("administrator", true)] {
        office.run(format!("UPDATE users SET role = '{role}'"));
        assert_eq!(office.status("GET", "/api/v1/campaigns", &Json::Null).0, 200, "{role} may look");
        for (method, path, body) in [
            ("POST", "/api/v1/campaigns", json!({ "name": role })),
            ("POST", acts.as_str(), json!({ "act": "send" })),
            ("GET", members.as_str(), Json::Null),
        ] {
            let (status, _) = office.status(method, path, &body);
            assert_eq!(status != 403, may, "{role} {method} {path}: {status}");
        }
    }
}

#[test]
fn a_bad_list_stops_campaigns_and_they_go_on_by_themselves() {
    let office = Office::new();
    let bad = office.list("Bought", &people("b", 400));
    let good = office.list("Good", &people("g", 20));
    let first = office.draft("Bought", &[&bad], &json!({}));
    let second = office.draft("Good", &[&good], &json!({}));
    for i in 0..240 {
        let dead = SendOutcome::Refused { code: 550, text: "5.1.1 no such user".to_owned() };
        let taken = SendOutcome::Accepted { text: "250 ok".to_owned(), provider_id: None };
        office.test.mailer.script.lock().unwrap().push_back(if i % 10 == 0 { dead } else { taken });
    }
    office.act(&first, "send");
    office.act(&second, "send");
    office.settle();
    let left = office.sent_to().len();
    assert!(left < 400, "it stopped on the way: {left}");
    let view = office.view(&first);
    assert_eq!(view["row"]["departure"]["waits"]["parked"]["by"], "bounces", "{view}");
    assert_eq!(view["row"]["departure"]["parts"], json!([]), "nobody can tell when");
    assert_eq!(office.state(&second), "queued");
    let waiting = office.get("/api/v1/emails?filter=outgoing&lane=bulk");
    assert_eq!(waiting["items"][0]["delay"], "breaker", "the queue says why: {waiting}");
    let notices = |kind: &str| {
        let all = office.get("/api/v1/notices");
        all.as_array().unwrap().iter().filter(|it| it["kind"] == kind).count()
    };
    assert_eq!(notices("bulk_wait_bounces"), 1);
    for _ in 0..4 {
        office.tick(15 * MINUTE);
    }
    assert_eq!((office.sent_to().len(), notices("bulk_wait_bounces")), (left, 1), "still, and said once");
    office.tick(DAY);
    office.settle();
    let ends = (office.state(&first), office.state(&second));
    assert_eq!(ends, ("sent".to_owned(), "sent".to_owned()));
    assert_eq!(notices("bulk_wait_bounces"), 0);
    assert!(office.sent_to().iter().any(|it| it.starts_with("g00000")));
}

/// RFC 2369: who can't follow a link writes to the address beside it.
#[test]
fn a_mail_to_the_signed_address_unsubscribes_and_an_answer_is_counted() {
    let office = Office::new();
    let list = office.list("All", "ann@c.test,Ann\nbo@d.test,Bo\ncy@d.test,Cy\n");
    let id = office.draft("Winter", &[&list], &json!({}));
    office.act(&id, "send");
    office.settle();
    let at = |address: &str| office.sent_to().iter().position(|it| it == address).unwrap();
    let raw = office.raw(at("ann@c.test"));
    let unfolded = raw.replace("\r\n\t", " ").replace("\r\n ", " ");
    let line = unfolded.lines().find(|it| it.starts_with("List-Unsubscribe: ")).unwrap();
    let (_, rest) = line.split_once("<mailto:").unwrap();
    let (address, _) = rest.split_once("?subject=unsubscribe>").unwrap();
    assert!(line.contains("<https://") && address.ends_with("@corp.test"), "{line}");
    let admit = |from: &str, to: &str, raw: &str| {
        let raw = raw.as_bytes().to_vec();
        let size = raw.len();
        block_on(crate::inbound::admit(&office.test.app, from, to, raw, size)).unwrap()
    };
    let mail = "From: Ann <ann@c.test>\r\nTo: x@corp.test\r\nSubject: unsubscribe\r\nMessage-ID: <u1@c.test>\r\n\r\n";
    // A bounce asks for nothing, and a changed address is nobody's.
    for (from, to) in [("", address.to_owned()), ("ann@c.test", address.replace('.', ".a"))] {
        assert!(matches!(admit(from, &to, mail), crate::inbound::Admission::Refused { .. }), "{to}");
    }
    let out = || rows(&office.test, "SELECT address, scope, source FROM suppressions");
    assert!(out().is_empty());
    // Twice is once.
    for _ in 0..2 {
        assert!(matches!(admit("ann@c.test", address, mail), crate::inbound::Admission::Accepted { nudge: None }));
    }
    assert_eq!(out().len(), 1, "{:?}", out());
    assert_eq!((&out()[0]["address"], &out()[0]["scope"]), (&json!("ann@c.test"), &json!("campaigns")));
    let results = || office.get(&format!("/api/v1/campaigns/{id}/results"));
    assert_eq!(results()["unsubscribed"], 1);
    let journal = office.get("/api/v1/incoming?fate=ignored");
    assert_eq!(journal["items"][0]["reason"], "unsubscribe", "{journal}");

    // Bo writes back, his machine does too; only he counts.
    office.call("POST", "/api/v1/aliases", &json!({ "address": "hello@corp.test", "creates": "lead" }));
    let message_id = |address: &str| {
        let raw = office.raw(at(address));
        let line = raw.lines().find(|it| it.to_lowercase().starts_with("message-id:")).unwrap().to_owned();
        line[11..].trim().to_owned()
    };
    let answer = |from: &str, of: &str, more: &str, key: &str| {
        let raw = format!(
            "From: <{from}>\r\nTo: hello@corp.test\r\nSubject: Re: Winter\r\nMessage-ID: <{key}@d.test>\r\nIn-Reply-To: {of}\r\n{more}\r\nYes\r\n"
        );
        admit(from, "hello@corp.test", &raw);
        office.settle();
    };
    answer("cy@d.test", &message_id("cy@d.test"), "Auto-Submitted: auto-replied\r\n", "a1");
    assert_eq!(results()["answered"], 0, "a machine");
    answer("bo@d.test", &message_id("bo@d.test"), "", "a2");
    assert_eq!(results()["answered"], 1);
    let page = office.get(&format!("/api/v1/campaigns/{id}/recipients?filter=answered"));
    assert_eq!((&page["items"][0]["address"], page["items"].as_array().unwrap().len()), (&json!("bo@d.test"), 1));
    // And how the providers took it.
    let domains = office.get(&format!("/api/v1/campaigns/{id}/domains"));
    let shown: Vec<(&str, u64, u64)> = domains
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["domain"].as_str().unwrap(), it["recipients"].as_u64().unwrap(), it["delivered"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(shown, [("d.test", 2, 2), ("c.test", 1, 1)]);
}

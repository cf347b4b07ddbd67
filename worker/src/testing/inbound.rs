//! Every mail is accounted for: tray, journal, unprocessed, paused senders, aliases and domains, over the real router.

mod reasons;
mod threads;

use std::sync::atomic::Ordering;

use base64::Engine;
use futures::executor::block_on;
use mailroom_shared::api::incoming::IncomingQuery;
use mailroom_shared::api::incoming::Show;
use mailroom_shared::id::AliasId;
use mailroom_shared::time::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Sqlite;
use super::TestApp;
use super::tests::arrive;
use super::tests::call;
use super::tests::confirm_all;
use super::tests::rows;
use super::tests::set_up;
use super::tests::work;
use crate::inbound::Admission;
use crate::store;
use crate::store::sight::Sight;

/// A mail with its own Message-ID; the topmost header says that the sender is proven.
fn mail(from: &str, to: &str, subject: &str, id: &str, text: &str) -> String {
    let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
    format!(
        "Authentication-Results: mx.cloudflare.net; spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass\r\n\
         From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    )
}

fn come(test: &TestApp, raw: &str, to: &str) -> Admission {
    let admission = arrive(test, raw, to);
    work(test, &admission);
    admission
}

struct World {
    test: TestApp,
    admin: String,
}

impl World {
    fn new() -> Self {
        let test = TestApp::new();
        let admin = set_up(&test);
        Self { test, admin }
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let answer = call(&self.test, "GET", path, &self.admin, &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = call(&self.test, method, path, &self.admin, body);
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    fn incoming(&self, show: &str) -> Vec<Value> {
        self.get(&format!("/api/v1/incoming?show={show}"))["items"].as_array().unwrap().clone()
    }

    #[track_caller]
    fn act(&self, action: &str, id: &Value) -> Value {
        self.send("POST", "/api/v1/incoming/actions", &json!({ "action": action, "ids": [id] }))
    }

    fn records(&self) -> Vec<Value> {
        self.get("/api/v1/records?limit=100")["items"].as_array().unwrap().clone()
    }

    fn messages(&self, record: &Value) -> Vec<Value> {
        let path = format!("/api/v1/records/{}/messages", record.as_str().unwrap());
        let all = self.get(&path)["items"].as_array().unwrap().clone();
        all.into_iter().filter(|it| it["kind"] != "system").collect()
    }

    fn alias(&self, extra: &Value) -> Value {
        let mut body = json!({ "address": "vip@corp.test", "creates": "ticket" });
        for (key, value) in extra.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.send("POST", "/api/v1/aliases", &body)
    }

    /// The cookie of a new user with this role.
    fn user(&self, role: &str) -> String {
        let email = format!("{role}@corp.test");
        let body = json!({ "name": role, "email": email, "password": "long enough", "role": role, "language": "en" });
        self.send("POST", "/api/v1/users", &body);
        confirm_all(&self.test);
        let login = json!({ "email": email, "password": "long enough" });
        let answer = call(&self.test, "POST", "/api/v1/session", "", &login);
        answer.cookie.unwrap().split(';').next().unwrap().to_owned()
    }
}

#[test]
fn what_an_alias_holds_waits_without_a_record_until_its_sender_is_let_in() {
    let world = World::new();
    world.alias(&json!({ "contact_rule": "known", "outcome": "hold" }));
    let raw = mail("Eve <eve@new.test>", "vip@corp.test", "May I?", "1@new.test", "Please");
    assert!(matches!(come(&world.test, &raw, "vip@corp.test"), Admission::Accepted { .. }));
    assert!(world.records().is_empty(), "nothing is made of it yet");
    let held = world.incoming("held");
    assert_eq!((held.len(), &held[0]["fate"], &held[0]["reason"]), (1, &json!("held"), &json!("contact_rule")));
    assert_eq!((&held[0]["subject"], &held[0]["from"]), (&json!("May I?"), &json!("Eve <eve@new.test>")));
    assert_eq!(world.get("/api/v1/incoming/counts")["held"], 1);

    assert_eq!(world.act("dismiss", &held[0]["id"])["done"].as_array().unwrap().len(), 1);
    assert!(world.incoming("held").is_empty());
    assert_eq!(world.incoming("all")[0]["fate"], "dismissed");
    world.act("restore", &held[0]["id"]);
    assert_eq!(world.act("release", &held[0]["id"])["done"][0], held[0]["id"]);
    let records = world.records();
    assert_eq!((records.len(), &records[0]["title"]), (1, &json!("May I?")));
    assert!(records[0]["waiting_since"].is_number(), "somebody waits for an answer now");
    assert_eq!(world.act("release", &held[0]["id"])["skipped"], 1, "once");
    let view = world.get(&format!("/api/v1/incoming/{}", held[0]["id"].as_str().unwrap()));
    assert_eq!((&view["row"]["fate"], &view["row"]["record"]), (&json!("written"), &records[0]["id"]));
    let kinds: Vec<_> = view["events"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["held", "dismissed", "restored", "released", "written"]);

    // A contact now: the next mail passes by itself.
    come(&world.test, &mail("Eve <eve@new.test>", "vip@corp.test", "Thanks", "2@new.test", "!"), "vip@corp.test");
    assert_eq!(world.records().len(), 2);
}

#[test]
fn a_stranger_on_a_record_counts_as_nothing_until_let_in_by_one_click() {
    let world = World::new();
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "support@corp.test", "Hatch", "1@customer.test", "It leaks"),
        "support@corp.test",
    );
    let record = world.records()[0]["id"].clone();
    let id = record.as_str().unwrap();
    // Handled: nobody waits.
    world.send("PATCH", &format!("/api/v1/records/{id}"), &json!({ "waiting": false }));
    let raw = mail("Eve <eve@new.test>", "support@corp.test", "Re: Hatch", "2@new.test", "Me too")
        .replace("Subject:", "In-Reply-To: <1@customer.test>\r\nSubject:");
    come(&world.test, &raw, "support@corp.test");
    let held = world.messages(&record).pop().unwrap();
    assert_eq!(held["held"], "stranger_reply", "{held}");
    let row = world.incoming("held").remove(0);
    assert_eq!((&row["record"], &row["message"]), (&record, &held["id"]));
    assert!(world.records()[0]["waiting_since"].is_null());

    let path = format!("/api/v1/messages/{}/held", held["id"].as_str().unwrap());
    world.send("POST", &path, &json!({ "action": "dismiss" }));
    assert_eq!(world.messages(&record).len(), 1, "off the chatter");
    assert_eq!(world.records()[0]["messages"], 1);
    world.send("POST", &path, &json!({ "action": "restore" }));
    assert_eq!(world.messages(&record).len(), 2);
    world.send("POST", &path, &json!({ "action": "release" }));
    let message = world.messages(&record).pop().unwrap();
    assert!(message["held"].is_null() && message["author"].is_string(), "{message}");
    assert!(world.records()[0]["waiting_since"].is_number());
    assert!(!rows(&world.test, "SELECT 1 FROM participants WHERE address_key = 'eve@new.test'").is_empty());
    let again = call(&world.test, "POST", &path, &world.admin, &json!({ "action": "release" }));
    assert_eq!((again.status, again.body["code"].as_str().unwrap()), (409, "wrong_state"));

    let raw = raw.replace("2@new.test", "3@new.test");
    come(&world.test, &raw, "support@corp.test");
    assert!(world.messages(&record).pop().unwrap()["held"].is_null(), "further mail passes");
}

#[test]
fn a_refusal_keeps_its_head_and_can_be_asked_again() {
    let world = World::new();
    let raw = mail("Ann <ann@customer.test>", "new@corp.test", "Hello?", "9@customer.test", "Secret text");
    assert!(matches!(come(&world.test, &raw, "new@corp.test"), Admission::Refused { .. }));
    let kept = rows(&world.test, "SELECT head, size FROM refusals").remove(0);
    assert!(kept["head"].as_str().unwrap().contains("Subject: Hello?"), "{kept:?}");
    assert!(!kept["head"].as_str().unwrap().contains("Secret"), "never the body");
    let row = world.incoming("refused").remove(0);
    let path = format!("/api/v1/incoming/{}/check", row["id"].as_str().unwrap());
    let now = world.send("POST", &path, &json!(null));
    assert_eq!((&now["decision"], &now["changes"][0]["key"]), (&json!("refused"), &json!("make_alias")), "{now}");
    world.alias(&json!({ "address": "new@corp.test" }));
    let now = world.send("POST", &path, &json!(null));
    assert_eq!((&now["decision"], &now["routes"][0]["title"]), (&json!("accepted"), &json!("Hello?")), "{now}");
    assert!(world.records().is_empty(), "asking writes nothing");
    let view = world.get(&format!("/api/v1/incoming/{}", row["id"].as_str().unwrap()));
    assert!(view["answer"].as_str().unwrap().starts_with("550 5.1.1"), "{view}");
    assert!(view["kept_until"].is_number());
    // The journal ends after its days.
    world.test.clock.0.fetch_add(91 * 24 * 3_600_000, Ordering::Relaxed);
    block_on(crate::cron::tick(&world.test.app));
    assert!(rows(&world.test, "SELECT 1 FROM refusals").is_empty());
}

#[test]
fn duplicates_are_counted_and_a_conflict_is_kept_for_a_person() {
    let world = World::new();
    let raw = mail("Ann <ann@customer.test>", "support@corp.test", "Hatch", "1@customer.test", "It leaks");
    for _ in 0..3 {
        come(&world.test, &raw, "support@corp.test");
    }
    let ignored = world.incoming("ignored");
    assert_eq!((ignored.len(), &ignored[0]["reason"], &ignored[0]["times"]), (1, &json!("duplicate"), &json!(2)));
    assert_eq!(ignored[0]["record"], world.records()[0]["id"], "with a link to what we have");

    let other = raw.replace("It leaks", "Something else");
    for _ in 0..2 {
        come(&world.test, &other, "support@corp.test");
    }
    assert_eq!(world.records().len(), 1, "nothing is overwritten");
    let tray = world.incoming("unprocessed");
    assert_eq!((tray.len(), &tray[0]["reason"]), (1, &json!("conflict")), "{tray:?}");
    let id = tray[0]["id"].as_str().unwrap();
    let original = call(&world.test, "GET", &format!("/api/v1/incoming/{id}/original"), &world.admin, &Value::Null);
    assert_eq!(original.status, 200);
    let aliases = world.get("/api/v1/aliases");
    let sales = aliases.as_array().unwrap().iter().find(|it| it["address"] == "sales@corp.test").unwrap();
    let body = json!({ "action": "route", "ids": [id], "alias": sales["id"] });
    assert_eq!(world.send("POST", "/api/v1/incoming/actions", &body)["done"][0], id);
    let records = world.records();
    assert_eq!(records.len(), 2);
    assert!(records.iter().any(|it| it["type"] == "lead"), "{records:?}");
    assert!(world.incoming("unprocessed").is_empty());
}

#[test]
fn dead_letters_wait_for_a_person_who_replays_routes_or_discards_them() {
    let world = World::new();
    let raw = mail("Ann <ann@customer.test>", "support@corp.test", "Hatch", "1@customer.test", "It leaks");
    let letters: Vec<String> = (0..3)
        .map(|i| {
            let raw = raw.replace("1@customer", &format!("{i}@customer"));
            let Admission::Accepted { nudge: Some(job) } = arrive(&world.test, &raw, "support@corp.test") else {
                panic!("not accepted")
            };
            serde_json::to_string(&job).unwrap()
        })
        .collect();
    // Nudges of one moment travel as one letter.
    let ids = letters.iter().skip(1).map(|it| match serde_json::from_str(it).unwrap() {
        crate::jobs::Job::Ingest { id } => id,
        other => panic!("{other:?}"),
    });
    let together = serde_json::to_string(&crate::jobs::Job::IngestAll { ids: ids.collect() }).unwrap();
    let letters = vec![letters[0].clone(), together];
    let kept = world.test.blobs.take_all();
    assert!(block_on(crate::jobs::consume(&world.test.app, "mailroom-jobs-dlq", &letters)).is_empty());
    let tray = world.incoming("unprocessed");
    assert_eq!((tray.len(), &tray[0]["reason"]), (3, &json!("dead_letter")), "{tray:?}");
    // The sweep leaves them alone, and trying again tells why.
    block_on(crate::cron::tick(&world.test.app));
    let all = json!({ "action": "replay", "all": {} });
    let done = world.send("POST", "/api/v1/incoming/actions", &all);
    assert_eq!((&done["done"], &done["skipped"], &done["left"]), (&json!([]), &json!(3), &json!(0)));
    assert_eq!(world.incoming("unprocessed")[0]["reason"], "no_raw");
    world.test.blobs.put_back(kept);
    assert_eq!(world.act("discard", &tray[0]["id"])["done"][0], tray[0]["id"]);
    assert_eq!(world.act("restore", &tray[0]["id"])["done"][0], tray[0]["id"]);
    world.act("discard", &tray[0]["id"]);
    assert_eq!(world.act("replay", &tray[1]["id"])["done"][0], tray[1]["id"]);
    let record = world.records()[0]["id"].clone();
    let body = json!({ "action": "route", "ids": [tray[2]["id"]], "record": record });
    assert_eq!(world.send("POST", "/api/v1/incoming/actions", &body)["done"][0], tray[2]["id"]);
    assert_eq!(world.messages(&record).len(), 2, "one by replay, one by hand");
    assert_eq!(world.act("replay", &tray[1]["id"])["skipped"], 1, "written once");
    assert_eq!(world.records().len(), 1);
    let fates: Vec<_> = world.incoming("all").iter().map(|it| it["fate"].clone()).collect();
    assert_eq!(fates.iter().filter(|it| **it == "written").count(), 2, "{fates:?}");
    assert_eq!(fates.iter().filter(|it| **it == "discarded").count(), 1, "{fates:?}");
}

#[test]
fn who_loops_is_paused_longer_each_time_and_a_person_lets_him_go() {
    let world = World::new();
    let write = |n: u32| {
        let raw = mail("Bot <bot@loop.test>", "support@corp.test", "Again", &format!("{n}@loop.test"), "x");
        come(&world.test, &raw, "support@corp.test")
    };
    let mut n = 0;
    let mut until_refused = || {
        loop {
            n += 1;
            assert!(n < 100, "the loop goes on");
            if let Admission::Refused { text } = write(n) {
                assert!(text.starts_with("5.4.6"), "{text}");
                return n;
            }
        }
    };
    assert_eq!(until_refused(), 21);
    let paused = world.get("/api/v1/paused");
    assert_eq!((&paused[0]["address"], &paused[0]["reason"]), (&json!("bot@loop.test"), &json!("loop")));
    let hour = |it: &Value| (it["until"].as_i64().unwrap() - it["since"].as_i64().unwrap()) / 3_600_000;
    assert_eq!(hour(&paused[0]), 1);
    // Nothing is lost while he is paused: it is held.
    let raw = mail("Bot <bot@loop.test>", "support@corp.test", "Held", "held@loop.test", "x");
    come(&world.test, &raw, "support@corp.test");
    assert_eq!((world.records().len(), &world.incoming("held")[0]["reason"]), (20, &json!("paused")));
    world.send("POST", "/api/v1/paused/bot%40loop.test/release", &json!({ "let_in": true }));
    assert!(world.get("/api/v1/paused").as_array().unwrap().is_empty());
    assert_eq!(world.records().len(), 21);
    world.test.clock.0.fetch_add(1_000, Ordering::Relaxed);
    assert!(until_refused() >= 40, "what was before the release does not count");
    assert_eq!(hour(&world.get("/api/v1/paused")[0]), 2, "twice as long");

    world.send("POST", "/api/v1/paused", &json!({ "address": "Eve@New.test", "note": "asks for money" }));
    let raw = mail("Eve <eve@new.test>", "support@corp.test", "Money", "1@new.test", "x");
    come(&world.test, &raw, "support@corp.test");
    assert_eq!(world.incoming("held")[0]["subject"], "Money");
    let paused = world.get("/api/v1/paused");
    let eve = paused.as_array().unwrap().iter().find(|it| it["address"] == "eve@new.test").unwrap();
    assert_eq!((&eve["by"], &eve["until"], &eve["held"]), (&json!("Mai"), &Value::Null, &json!(1)));
    world.send("POST", "/api/v1/paused/bot%40loop.test/release", &json!({ "never_again": true }));
    let policy = rows(&world.test, "SELECT value FROM settings WHERE key = 'policy'").remove(0);
    assert!(policy["value"].as_str().unwrap().contains("bot@loop.test"), "{policy:?}");
}

#[test]
fn roles_decide_who_may_do_what() {
    let world = World::new();
    world.alias(&json!({ "contact_rule": "known", "outcome": "hold" }));
    come(&world.test, &mail("Eve <eve@new.test>", "vip@corp.test", "May I?", "1@new.test", "x"), "vip@corp.test");
    let id = world.incoming("held")[0]["id"].clone();
    let (agent, reader) = (world.user("agent"), world.user("read_only"));
    let status =
        |cookie: &str, method: &str, path: &str, body: &Value| call(&world.test, method, path, cookie, body).status;
    let actions = "/api/v1/incoming/actions";
    for cookie in [&agent, &reader] {
        assert_eq!(status(cookie, "GET", "/api/v1/incoming", &Value::Null), 200);
        assert_eq!(status(cookie, "POST", "/api/v1/domains", &json!({ "name": "new.test" })), 403);
        assert_eq!(status(cookie, "POST", "/api/v1/paused", &json!({ "address": "a@b.test" })), 403);
        assert_eq!(status(cookie, "POST", actions, &json!({ "action": "replay", "ids": [id] })), 403);
        assert_eq!(status(cookie, "POST", actions, &json!({ "action": "discard", "ids": [id] })), 403);
    }
    assert_eq!(status(&reader, "POST", actions, &json!({ "action": "release", "ids": [id] })), 403);
    assert_eq!(status(&agent, "POST", actions, &json!({ "action": "release", "ids": [id] })), 200);
    for path in ["/api/v1/incoming", "/api/v1/paused", "/api/v1/incoming/x/original"] {
        assert_eq!(status("", "GET", path, &Value::Null), 401, "{path}");
    }
    assert_eq!(status("", "POST", "/api/v1/route", &json!({})), 401);
}

#[test]
fn a_renamed_alias_answers_to_its_old_name_until_it_is_quiet() {
    let world = World::new();
    let alias = world.alias(&json!({ "defaults": { "stage": "Waiting", "region": "north" } }));
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "vip@corp.test", "One", "1@customer.test", "x"),
        "vip@corp.test",
    );
    let record = world.get(&format!("/api/v1/records/{}", world.records()[0]["id"].as_str().unwrap()));
    assert_eq!((&record["stage"], &record["fields"]["region"]), (&json!("Waiting"), &json!("north")));
    let path = format!("/api/v1/aliases/{}", alias["id"].as_str().unwrap());
    let renamed = json!({ "address": "gold@corp.test", "creates": "ticket", "also": ["vip-too@corp.test"] });
    let row = world.send("PATCH", &path, &renamed);
    assert_eq!((&row["former"], &row["also"]), (&json!(["vip@corp.test"]), &json!(["vip-too@corp.test"])));
    for (n, to) in ["vip@corp.test", "vip-too@corp.test", "gold@corp.test"].into_iter().enumerate() {
        let raw = mail("Ann <ann@customer.test>", to, to, &format!("r{n}@customer.test"), "x");
        assert!(matches!(come(&world.test, &raw, to), Admission::Accepted { .. }), "{to}");
    }
    assert_eq!(world.records().len(), 4);
    assert_eq!(world.get(&path)["alias"]["received"], 4);
    assert_eq!(
        world.get(&format!("/api/v1/incoming?alias={}", alias["id"].as_str().unwrap()))["items"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    // Nobody else may take it meanwhile.
    let taken = call(
        &world.test,
        "POST",
        "/api/v1/aliases",
        &world.admin,
        &json!({ "address": "vip@corp.test", "creates": "lead" }),
    );
    assert_eq!(taken.body["fields"][0]["key"], "taken_by");
    assert_eq!(taken.body["fields"][0]["args"]["alias"], "gold@corp.test", "{}", taken.body);
    for _ in 0..2 {
        world.test.clock.0.fetch_add(60 * 24 * 3_600_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&world.test.app));
    }
    let admin = call(
        &world.test,
        "POST",
        "/api/v1/session",
        "",
        &json!({ "email": "mai@corp.test", "password": "long enough" }),
    );
    let cookie = admin.cookie.unwrap().split(';').next().unwrap().to_owned();
    let row = call(&world.test, "GET", &path, &cookie, &Value::Null).body;
    assert_eq!((&row["alias"]["former"], &row["alias"]["also"]), (&json!([]), &json!(["vip-too@corp.test"])));
}

#[test]
fn domains_come_and_go_and_their_special_addresses_never_clash() {
    let world = World::new();
    let new = world.send("POST", "/api/v1/domains", &json!({ "name": "Second.test", "catchall": "all" }));
    assert_eq!(
        (&new["name"], &new["bounce"], &new["catchall"]),
        (&json!("second.test"), &json!("bounce"), &json!("all"))
    );
    let wrong = |body: &Value| {
        let answer = call(&world.test, "POST", "/api/v1/domains", &world.admin, body);
        assert_eq!(answer.status, 422, "{}", answer.body);
        (
            answer.body["fields"][0]["field"].as_str().unwrap().to_owned(),
            answer.body["fields"][0]["key"].as_str().unwrap().to_owned(),
        )
    };
    let pair = |field: &str, key: &str| (field.to_owned(), key.to_owned());
    assert_eq!(wrong(&json!({ "name": "second.test" })), pair("name", "taken"));
    assert_eq!(wrong(&json!({ "name": "not a domain" })), pair("name", "domain"));
    assert_eq!(wrong(&json!({ "name": "third.test", "bounce": "x", "catchall": "x" })), pair("bounce", "twice"));
    assert_eq!(wrong(&json!({ "name": "third.test", "bounce": "reply" })), pair("bounce", "reserved"));
    let clash =
        call(&world.test, "PATCH", "/api/v1/domains/corp.test", &world.admin, &json!({ "catchall": "support" }));
    assert_eq!(clash.body["fields"][0]["key"], "taken_by", "{}", clash.body);
    let reserved = call(
        &world.test,
        "POST",
        "/api/v1/aliases",
        &world.admin,
        &json!({ "address": "all@second.test", "creates": "lead" }),
    );
    assert_eq!(reserved.body["fields"][0]["key"], "reserved");
    world.send("POST", "/api/v1/aliases", &json!({ "address": "all@corp.test", "creates": "lead" }));

    world.send("POST", "/api/v1/aliases", &json!({ "address": "hi@second.test", "creates": "lead" }));
    let raw = mail("Ann <ann@customer.test>", "hi@second.test", "Hi", "h@customer.test", "x");
    assert!(matches!(come(&world.test, &raw, "hi@second.test"), Admission::Accepted { .. }));
    world.send("DELETE", "/api/v1/domains/second.test", &Value::Null);
    let raw = raw.replace("h@customer", "h2@customer");
    assert!(matches!(come(&world.test, &raw, "hi@second.test"), Admission::Refused { .. }));
    let rows = world.get("/api/v1/aliases");
    let orphan = rows.as_array().unwrap().iter().find(|it| it["address"] == "hi@second.test").unwrap();
    assert_eq!(orphan["is_orphan"], true);
    let last = call(&world.test, "DELETE", "/api/v1/domains/corp.test", &world.admin, &Value::Null);
    assert_eq!(last.status, 409, "the only one stays");
}

#[test]
fn the_test_box_says_what_would_happen_and_writes_nothing() {
    let world = World::new();
    let before =
        rows(&world.test, "SELECT (SELECT COUNT(*) FROM ingests) + (SELECT COUNT(*) FROM refusals) AS n").remove(0);
    let typed = |body: &Value| world.send("POST", "/api/v1/route", body);
    let answer = typed(&json!({
        "mail_from": "ann@customer.test", "rcpt_to": "support+hanoi@corp.test", "subject": "Chairs", "text": "six", "authenticated": true,
    }));
    assert_eq!(
        (&answer["decision"], &answer["routes"][0]["action"]),
        (&json!("accepted"), &json!("create")),
        "{answer}"
    );
    assert_eq!((&answer["routes"][0]["tags"], &answer["routes"][0]["title"]), (&json!(["hanoi"]), &json!("Chairs")));
    assert_eq!(answer["authentication"]["from_trusted"], true);
    assert!(answer["why"].as_array().unwrap().iter().any(|it| it["rule"] == "alias"), "{answer}");
    let answer = typed(
        &json!({ "from": "mai@corp.test", "rcpt_to": "support@corp.test", "subject": "x", "authenticated": false }),
    );
    assert_eq!(
        (&answer["decision"], &answer["changes"][0]["key"]),
        (&json!("held"), &json!("authenticate")),
        "{answer}"
    );
    let raw = base64::engine::general_purpose::STANDARD.encode(mail(
        "Ann <ann@customer.test>",
        "x@y.test, sales@corp.test",
        "Raw",
        "1@c.test",
        "x",
    ));
    let answer = typed(&json!({ "raw": raw }));
    assert_eq!(
        (&answer["rcpt_to"], &answer["routes"][0]["type"]),
        (&json!("sales@corp.test"), &json!("lead")),
        "{answer}"
    );
    let bad = call(&world.test, "POST", "/api/v1/route", &world.admin, &json!({ "rcpt_to": "support@corp.test" }));
    assert_eq!(bad.body["fields"][0]["field"], "from");
    let after =
        rows(&world.test, "SELECT (SELECT COUNT(*) FROM ingests) + (SELECT COUNT(*) FROM refusals) AS n").remove(0);
    assert_eq!(before, after);
}

#[test]
fn the_journal_answers_what_became_of_a_mail() {
    let world = World::new();
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "support@corp.test", "Hatch", "1@customer.test", "x"),
        "support@corp.test",
    );
    world.test.clock.0.fetch_add(1_000, Ordering::Relaxed);
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "nobody@corp.test", "Lost", "2@customer.test", "x"),
        "nobody@corp.test",
    );
    world.test.clock.0.fetch_add(1_000, Ordering::Relaxed);
    come(&world.test, &mail("Bo <bo@other.test>", "sales@corp.test", "Offer", "3@other.test", "x"), "sales@corp.test");
    let found = |query: &str| -> Vec<String> {
        let page = world.get(&format!("/api/v1/incoming?{query}"));
        page["items"].as_array().unwrap().iter().map(|it| it["subject"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found(""), ["Offer", "Lost", "Hatch"]);
    assert_eq!(found("q=Ann%40Customer.test"), ["Lost", "Hatch"]);
    assert_eq!(found("q=nobody@corp.test"), ["Lost"]);
    assert_eq!(found("q=support@corp.test"), ["Hatch"]);
    assert_eq!(found("q=%3C3%40other.test%3E"), ["Offer"]);
    assert_eq!(found("q=off"), ["Offer"]);
    assert_eq!(found("show=refused&reason=no_such_address"), ["Lost"]);
    assert_eq!(found("show=refused&reason=loop"), Vec::<String>::new());
    let first = world.get("/api/v1/incoming?limit=1");
    let cursor = first["next"].as_str().unwrap();
    assert_eq!(found(&format!("limit=1&cursor={cursor}")), ["Lost"]);
    assert_eq!(world.incoming("all")[2]["record_number"], "T00001");
}

#[test]
fn invitations_confirmations_and_suggestions_are_noted() {
    let world = World::new();
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "support@corp.test", "Hatch", "1@customer.test", "x"),
        "support@corp.test",
    );
    let first = world.records()[0]["id"].clone();
    let raw = mail("Ann <ann@customer.test>", "support@corp.test", "Re: Hatch", "2@customer.test", "BODY").replace(
        "\r\n\r\nBODY\r\n",
        "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee you\r\n\
         --b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
         SUMMARY:Visit\r\nDTSTART:20261201T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: bo@other.test\r\nSubject: Inner\r\n\r\nDeep inside\r\n--b--\r\n",
    );
    come(&world.test, &raw, "support@corp.test");
    let second = world.records().into_iter().find(|it| it["id"] != first).unwrap()["id"].clone();
    let message = world.messages(&second).remove(0);
    assert_eq!(
        (&message["calendar"][0]["summary"], &message["calendar"][0]["start"]),
        (&json!("Visit"), &json!("2026-12-01T09:00Z")),
        "{message}"
    );
    assert_eq!((&message["suggestion"]["record"], &message["suggestion"]["number"]), (&first, &json!("T00001")));
    let file =
        message["attachments"].as_array().unwrap().iter().find(|it| it["content_type"] == "message/rfc822").unwrap();
    let inner = world.get(&format!("/api/v1/attachments/{}/mail", file["id"].as_str().unwrap()));
    assert_eq!((&inner["subject"], inner["text"].as_str().unwrap().trim()), (&json!("Inner"), "Deep inside"));
    let id = message["id"].as_str().unwrap();
    let origin = world.get(&format!("/api/v1/messages/{id}/origin"));
    assert_eq!((&origin["dkim"], &origin["from_trusted"]), (&json!("pass"), &json!(true)), "{origin}");

    world.send("POST", &format!("/api/v1/messages/{id}/move"), &json!({ "record": first }));
    assert_eq!(world.messages(&first).len(), 2);
    assert_eq!(world.records().len(), 1, "the record it had made is gone");
    assert!(world.messages(&first)[1]["suggestion"].is_null());
    assert_eq!(world.incoming("all")[0]["record"], first, "the journal knows where it is");
    assert_eq!(world.get("/api/v1/records?q=see%20you")["items"][0]["id"], first, "and so does the search");

    let raw = mail(
        "Gmail <forwarding-noreply@google.com>",
        "sales@corp.test",
        "(#123456789) Gmail Forwarding Confirmation - Receive Mail from ann@customer.test",
        "g@google.com",
        "https://mail-settings.google.com/mail/vf-x",
    );
    come(&world.test, &raw, "sales@corp.test");
    let aliases = world.get("/api/v1/aliases");
    let sales = aliases.as_array().unwrap().iter().find(|it| it["address"] == "sales@corp.test").unwrap();
    let view = world.get(&format!("/api/v1/aliases/{}", sales["id"].as_str().unwrap()));
    assert_eq!(
        (&view["confirmations"][0]["provider"], &view["confirmations"][0]["code"]),
        (&json!("Gmail"), &json!("123456789")),
        "{view}"
    );
}

#[test]
fn every_list_of_the_journal_uses_an_index() {
    let db = Sqlite::new();
    let base = |show| IncomingQuery { show: Some(show), ..IncomingQuery::default() };
    let mut queries: Vec<IncomingQuery> = Show::ALL.into_iter().map(base).collect();
    queries.push(IncomingQuery { cursor: Some("1~x".to_owned()), ..base(Show::All) });
    queries.push(IncomingQuery { reason: Some("loop".to_owned()), ..base(Show::Refused) });
    let time = |show| IncomingQuery {
        since: Some(Timestamp::from_millis(1)),
        until: Some(Timestamp::from_millis(2)),
        ..base(show)
    };
    queries.extend(Show::ALL.into_iter().map(time));
    let mut statements: Vec<(crate::ports::Statement, bool)> =
        queries.iter().map(|it| (store::incoming::list_statement(it, &Sight::default()).0, true)).collect();
    // These find few rows and may sort them.
    for q in ["ann@customer.test", "<1@customer.test>"] {
        statements.push((
            store::incoming::list_statement(
                &IncomingQuery { q: Some(q.to_owned()), ..base(Show::All) },
                &Sight::default(),
            )
            .0,
            false,
        ));
    }
    let alias = Some(AliasId::parse("a").unwrap());
    statements.push((
        store::incoming::list_statement(&IncomingQuery { alias, ..base(Show::All) }, &Sight::default()).0,
        false,
    ));
    let at = Timestamp::from_millis(0);
    statements.push((store::incoming::matching(&base(Show::Held), at, 1), true));
    statements.push((store::incoming::matching(&time(Show::Held), at, 1), true));
    statements.push((store::incoming::matching(&base(Show::Unprocessed), at, 1), true));
    statements.push((store::aliases::confirmations_statement("a", at), false));
    statements.push((store::ingests::of_message("m"), false));
    let mut ran = 0;
    for (statement, in_order) in statements {
        for step in db.plan(&statement) {
            let is_scan = step.starts_with("SCAN")
                && !step.contains("USING")
                && !step.contains("(subquery")
                && !["SCAN x", "SCAN json_each"].iter().any(|it| step.starts_with(it));
            assert!(!is_scan, "{step}\n{}", statement.sql);
            assert!(!in_order || !step.contains("TEMP B-TREE FOR ORDER"), "{step}\n{}", statement.sql);
            ran += 1;
        }
    }
    assert!(ran > 30, "{ran}");
}

#[test]
fn an_alias_and_a_domain_have_limits_of_their_own() {
    let w = World::new();
    let rules = w.get("/api/v1/policy");
    assert_eq!(rules["policy"]["loop"]["per_domain"], 0);
    let check = |guard: Value, senders: [&str; 3], expected: [bool; 3]| {
        let mut rules = rules.clone();
        for (name, value) in guard.as_object().unwrap() {
            rules["policy"]["loop"][name] = value.clone();
        }
        w.send("PATCH", "/api/v1/policy", &rules);
        let taken = senders.map(|from| {
            let id = format!("{}@x", w.test.app.new_id());
            let raw = mail(from, "support@corp.test", "Hello", &id, "Hi");
            matches!(come(&w.test, &raw, "support@corp.test"), Admission::Accepted { .. })
        });
        assert_eq!(taken, expected, "{guard}");
    };
    let all = [true, true, true];
    check(json!({ "per_domain": 0 }), ["a@one.test", "b@one.test", "c@one.test"], all);
    check(json!({ "per_domain": 2 }), ["a@two.test", "b@two.test", "c@two.test"], [true, true, false]);
    check(json!({ "per_domain": 2, "allow": ["@three.test"] }), ["a@three.test", "b@three.test", "c@three.test"], all);
    check(json!({ "per_alias": 10 }), ["a@four.test", "a@five.test", "a@six.test"], [true, true, false]);
}

#[test]
fn rules_that_make_no_sense_are_refused_by_field() {
    let w = World::new();
    let rules = w.get("/api/v1/policy");
    let check = |at: &[&str], value: Value, field: &str| {
        let mut rules = rules.clone();
        let place = at.iter().fold(&mut rules["policy"], |it, name| &mut it[*name]);
        *place = value;
        let answer = call(&w.test, "PATCH", "/api/v1/policy", &w.admin, &rules);
        assert_eq!((answer.status, &answer.body["fields"][0]["field"]), (422, &json!(field)), "{}", answer.body);
    };
    check(&["loop", "threshold"], json!(0), "threshold");
    check(&["loop", "minutes"], json!(2_000), "minutes");
    check(&["loop", "allow"], json!(["ann@b.test", "nonsense"]), "allow");
    check(&["local_part_domains"], json!(["a b"]), "local_part_domains");
    check(&["max_size"], json!(99_000_000), "max_size");
    check(&["fallback_type"], json!("dragon"), "fallback_type");
    assert_eq!(w.get("/api/v1/policy"), rules);
}

//! The log over the real router: what rows say, as lines; day files; traces; canaries.

use std::sync::atomic::Ordering;

use futures::executor::block_on;
use mailroom_shared::log::Kind;
use mailroom_shared::log::line::LogLine;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Sqlite;
use super::TestApp;
use super::tests::arrive;
use super::tests::call;
use super::tests::rows;
use super::tests::set_up;
use super::tests::work;
use crate::inbound::Admission;
use crate::ports::SendOutcome;
use crate::store::logs;
use crate::store::logs::About;
use crate::store::logs::Cursor;
use crate::store::logs::Order;
use crate::store::logs::Rows;

const MAIL: &str = "Received: from mail.customer.test (mail.customer.test [192.0.2.7]) by mx.cloudflare.net with ESMTPS id 1; Tue, 24 Nov 2026 10:00:05 +0000\r\n\
    Authentication-Results: mx.cloudflare.net; spf=pass smtp.mailfrom=customer.test; dkim=pass header.d=customer.test; dmarc=pass\r\n\
    From: Ann <ann@customer.test>\r\nTo: support@corp.test\r\nSubject: Hatch\r\nMessage-ID: <1@customer.test>\r\n\
    Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nIt leaks.\r\n";

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
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = call(&self.test, "POST", path, &self.admin, body);
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Newest first.
    fn lines(&self, query: &str) -> Vec<LogLine> {
        let mut out = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/api/v1/logs?{query}{cursor}"));
            out.extend(serde_json::from_value::<Vec<LogLine>>(page["items"].clone()).unwrap());
            let Some(next) = page["next"].as_str() else { return out };
            cursor = format!("&cursor={}", mailroom_shared::api::percent_encode(next));
        }
    }

    fn kinds(&self, query: &str) -> Vec<&'static str> {
        self.lines(query).iter().map(|it| it.kind.as_str()).collect()
    }

    fn later(&self, span: Span) {
        self.test.clock.0.fetch_add(span.as_millis(), Ordering::Relaxed);
    }

    fn set_clock(&self, at: &str) {
        let ahead = Timestamp::parse_rfc3339(at).unwrap() - self.test.app.now();
        self.later(ahead);
    }

    /// A mail in, a refused answer out, a refusal.
    fn a_day(&self) {
        let admission = arrive(&self.test, MAIL, "support@corp.test");
        work(&self.test, &admission);
        self.later(Span::seconds(1));
        assert!(matches!(arrive(&self.test, MAIL, "nobody@corp.test"), Admission::Refused { .. }));
        let record = rows(&self.test, "SELECT id FROM records WHERE type = 'ticket' AND deleted = 0")[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let answer = SendOutcome::Refused { code: 550, text: "5.1.1 <ann@customer.test> is gone".to_owned() };
        self.test.mailer.script.lock().unwrap().push_back(answer);
        self.post(&format!("/api/v1/records/{record}/messages"), &json!({ "mode": "message", "text": "Hello" }));
        self.later(Span::seconds(11));
        block_on(crate::cron::tick(&self.test.app));
    }

    fn rotate(&self) -> Value {
        self.post("/api/v1/actions/log_rotation/runs", &Value::Null)
    }

    fn file(&self, day: &str) -> Vec<LogLine> {
        let request = axum::http::Request::get(format!("http://mailroom.test/api/v1/logs/files/{day}"))
            .header("cookie", &self.admin)
            .body(axum::body::Body::empty())
            .unwrap();
        let text = block_on(async {
            use tower::ServiceExt;
            let router = crate::http::router(std::sync::Arc::clone(&self.test.app), crate::http::Background::default());
            let response = router.oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200);
            axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap()
        });
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }
}

#[test]
fn every_statement_of_the_log_walks_an_index() {
    let db = Sqlite::new();
    let at = Timestamp::from_millis(1);
    let text = || "x".to_owned();
    let abouts = [
        About::All,
        About::Address("a@x.test".to_owned()),
        About::Domain("@x.test".to_owned()),
        About::MessageId("<1@x.test>".to_owned()),
        About::Record(text()),
        About::Mail { arrival: Some(text()), message: Some(text()) },
    ];
    let mut ran = 0;
    for about in abouts {
        for order in [Order::Down, Order::Up] {
            for kinds in [None, Some(Kind::ALL.to_vec())] {
                let is_all = matches!(about, About::All);
                let rows = Rows { since: Some(at), until: Some(at), kinds, server: None, about: about.clone() };
                let after = Cursor { at: 1.0, rank: 4, key: "7".to_owned() };
                for statement in logs::statements(&rows, Some(&after), order, 10) {
                    for step in db.plan(&statement) {
                        // A canary is sent by hand: a handful of rows; what is about one thing is found, then sorted.
                        let is_scan = step.starts_with("SCAN")
                            && !step.contains("USING")
                            && !["SCAN c", "SCAN x", "SCAN t", "(subquery", "SCAN (sub"]
                                .iter()
                                .any(|it| step.contains(it));
                        let sorts = step.contains("TEMP B-TREE FOR ORDER") && is_all;
                        assert!(!is_scan && !sorts, "{step}\n{}", statement.sql);
                        ran += 1;
                    }
                }
            }
        }
    }
    assert!(ran > 300, "{ran}");
}

#[test]
fn each_act_is_one_line_and_is_found_by_each_filter() {
    let world = World::new();
    world.a_day();
    let all = world.kinds("");
    for kind in ["received", "decided", "written", "refused", "queued", "not_taken", "suppressed"] {
        assert!(all.contains(&kind), "{kind}: {all:?}");
    }
    let times: Vec<i64> = world.lines("").iter().map(|it| it.at.as_millis()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    assert_eq!(world.lines("limit=1"), world.lines("limit=200"), "page by page it is the same");
    let sorted = |query: &str| {
        let mut kinds = world.kinds(query);
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(sorted("direction=in&address=nobody@corp.test"), ["decided", "received", "refused"]);
    assert_eq!(sorted("address=ann@customer.test&level=error"), ["not_taken", "refused"]);
    assert_eq!(sorted("direction=out"), ["not_taken", "queued"]);
    assert_eq!(sorted("kind=written"), ["written"]);
    assert_eq!(sorted("message_id=1@customer.test&direction=in&kind=received"), ["received", "received"]);
    assert_eq!(sorted("record=T00001"), ["decided", "not_taken", "queued", "received", "written"]);
    assert_eq!(sorted("record=T00099"), Vec::<&str>::new());
    assert_eq!(sorted("address=@customer.test&kind=not_taken"), ["not_taken"]);
    let server = rows(&world.test, "SELECT name FROM servers")[0]["name"].as_str().unwrap().to_owned();
    assert_eq!(sorted(&format!("server={}", mailroom_shared::api::percent_encode(&server))), ["not_taken"]);
    let refused = world.lines("kind=not_taken").remove(0);
    assert_eq!(refused.text, "550 5.1.1 <ann@customer.test> is gone");
    assert!(refused.trace.is_some() && refused.record.is_some());
}

#[test]
fn a_day_file_equals_the_days_lines_however_often_it_is_cut() {
    let world = World::new();
    world.set_clock("2027-01-15T12:00:00Z");
    // The first run has nothing to cut but an empty day.
    world.rotate();
    world.set_clock("2027-01-16T04:59:30Z");
    world.a_day();
    // Lines of the next day.
    world.set_clock("2027-01-16T05:00:05Z");
    assert!(matches!(arrive(&world.test, MAIL, "other@corp.test"), Admission::Refused { .. }));
    block_on(crate::cron::tick(&world.test.app));
    let open = world.get("/api/v1/logs/files")[0].clone();
    assert_eq!((&open["day"], &open["complete"]), (&json!("2027-01-15"), &json!(false)), "somebody may still write");
    world.set_clock("2027-01-16T05:01:00Z");
    block_on(crate::cron::tick(&world.test.app));
    world.rotate();
    let since = Timestamp::parse_rfc3339("2027-01-15T05:00:00Z").unwrap().as_millis();
    let until = Timestamp::parse_rfc3339("2027-01-16T05:00:00Z").unwrap().as_millis();
    let mut expected = world.lines(&format!("since={since}&until={until}"));
    expected.reverse();
    assert!(expected.len() >= 8, "{expected:?}");
    let file = world.file("2027-01-15");
    assert_eq!(file, expected);
    assert!(!file.iter().any(|it| it.to == "other@corp.test"));
    let listed = world.get("/api/v1/logs/files")[0].clone();
    assert_eq!((&listed["complete"], &listed["lines"]), (&json!(true), &json!(file.len())));
    let next = rows(&world.test, "SELECT next_run FROM actions WHERE name = 'log_rotation'")[0]["next_run"].clone();
    assert_eq!(next.as_i64(), Some(until + 86_400_000), "at five, not a day after it ran");
    // The vacuum leaves it alone until its time is over.
    let vacuum = "/api/v1/actions/auto_vacuum/runs";
    world.later(Span::days(20));
    world.post(vacuum, &Value::Null);
    assert_eq!(world.file("2027-01-15"), expected);
    world.later(Span::days(400));
    block_on(crate::cron::tick(&world.test.app));
    assert!(!world.test.blobs.take_all().keys().any(|it| it.starts_with("logs/2027-01-15")));
}

#[test]
fn a_question_finds_the_mail_and_its_trace_says_what_happened() {
    let world = World::new();
    world.set_clock("2027-01-15T10:03:10Z");
    world.a_day();
    let ask = |q: &str| world.get(&format!("/api/v1/mails?q={}&offset=0", mailroom_shared::api::percent_encode(q)));
    let answer = ask("what happened to the mail from ann@customer.test around 10:05?");
    let mails = answer["mails"].as_array().unwrap();
    assert_eq!(mails.len(), 2, "{answer}");
    assert_eq!(mails[0]["outcome"]["in"]["fate"], "refused");
    assert_eq!(mails[1]["outcome"]["in"]["fate"], "written");
    let late = ask("mail from ann@customer.test at 8:00");
    assert_eq!((&late["is_nearest"], late["mails"].as_array().unwrap().len()), (&json!(true), 2));
    assert_eq!(ask("<1@customer.test>")["mails"].as_array().unwrap().len(), 2);
    assert_eq!(ask("T00001")["mails"].as_array().unwrap().len(), 2);
    assert_eq!(ask("who else")["mails"].as_array().unwrap().len(), 0);
    let out = ask("mail to ann@customer.test")["mails"][0].clone();
    assert_eq!(out["outcome"]["out"]["state"], "failed");

    let came = world.get(&format!("/api/v1/trace/{}", mails[1]["trace"].as_str().unwrap()));
    assert_eq!(
        (&came["direction"], &came["fate"], &came["record_number"]),
        (&json!("in"), &json!("written"), &json!("T00001"))
    );
    let names: Vec<&str> = came["way"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mail.customer.test", "mx.cloudflare.net", "Mailroom"]);
    assert_eq!(came["way"][0]["stay"], 5_000);
    assert_eq!((&came["checks"]["dkim"], &came["checks"]["trusted"]), (&json!("pass"), &json!(true)));
    assert_eq!(came["rules"][0]["rule"], "alias");
    let kinds: Vec<&str> = came["lines"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["received", "decided", "written"]);

    let refused = world.get(&format!("/api/v1/trace/{}", mails[0]["trace"].as_str().unwrap()));
    assert!(refused["answer"].as_str().unwrap().starts_with("550 5.1.1"), "{refused}");

    let left = world.get(&format!("/api/v1/trace/{}", out["trace"].as_str().unwrap()));
    assert_eq!((&left["direction"], &left["deliveries"][0]["state"]), (&json!("out"), &json!("failed")));
    let delivery = left["deliveries"][0]["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/api/v1/trace/{delivery}"))["id"], left["id"]);
    assert_eq!(call(&world.test, "GET", "/api/v1/trace/nothing", &world.admin, &Value::Null).status, 404);
}

#[test]
fn who_only_reads_sees_no_address_in_full_and_gets_no_file() {
    let world = World::new();
    world.a_day();
    world.rotate();
    let user = json!({ "name": "Rea", "email": "rea@corp.test", "password": "long enough", "role": "read_only", "language": "en" });
    world.post("/api/v1/users", &user);
    let login = json!({ "email": "rea@corp.test", "password": "long enough" });
    let cookie = call(&world.test, "POST", "/api/v1/session", "", &login).cookie.unwrap();
    let cookie = cookie.split(';').next().unwrap();
    for path in ["/api/v1/logs", "/api/v1/mails?q=ann@customer.test"] {
        let answer = call(&world.test, "GET", path, cookie, &Value::Null);
        assert_eq!(answer.status, 200);
        let text = answer.body.to_string().replace("\"address\":\"ann@customer.test\"", "");
        assert!(text.contains("a**@customer.test") && !text.contains("ann@customer.test"), "{text}");
    }
    let day = rows(&world.test, "SELECT day FROM log_files")[0]["day"].as_str().unwrap().to_owned();
    assert_eq!(call(&world.test, "GET", &format!("/api/v1/logs/files/{day}"), cookie, &Value::Null).status, 403);
}

#[test]
fn a_canary_comes_back_once_and_makes_no_record() {
    let world = World::new();
    world.post("/api/v1/aliases", &json!({ "address": "canary@corp.test", "creates": "ticket" }));
    let flying = world.post("/api/v1/status/canary", &json!({ "to": "canary@corp.test" }));
    assert_eq!((&flying["state"], &flying["answer"]), (&json!("flying"), &json!("250 2.0.0 Ok")));
    let raw = String::from_utf8(world.test.mailer.sent.lock().unwrap().last().unwrap().raw.clone()).unwrap();
    world.later(Span::seconds(3));
    let before =
        rows(&world.test, "SELECT (SELECT COUNT(*) FROM records) + (SELECT COUNT(*) FROM ingests) AS n")[0]["n"]
            .clone();
    assert_eq!(arrive(&world.test, &raw, "canary@corp.test"), Admission::Accepted { nudge: None });
    let path = format!("/api/v1/status/canary/{}", flying["id"].as_str().unwrap());
    let back = world.get(&path);
    assert_eq!(back["state"], "back");
    let after =
        rows(&world.test, "SELECT (SELECT COUNT(*) FROM records) + (SELECT COUNT(*) FROM ingests) AS n")[0]["n"]
            .clone();
    assert_eq!(before, after);
    // The same again is a mail like any other, and so is one that somebody made up.
    let again = arrive(&world.test, &raw, "canary@corp.test");
    assert!(matches!(again, Admission::Accepted { nudge: Some(_) }), "{again:?}");
    let forged = raw.replace("X-Mailroom-Canary: ", "X-Mailroom-Canary: x").replace("canary-", "forged-");
    assert!(matches!(arrive(&world.test, &forged, "canary@corp.test"), Admission::Accepted { nudge: Some(_) }));
    assert_eq!(world.get(&path)["returned"], back["returned"]);
    assert_eq!(world.kinds("direction=house&address=canary@corp.test"), ["canary_back", "canary_sent"]);

    // One that never comes is lost, not waited for for ever; one that is not taken says so.
    let lost = world.post("/api/v1/status/canary", &json!({}));
    world.later(Span::minutes(6));
    assert_eq!(world.get(&format!("/api/v1/status/canary/{}", lost["id"].as_str().unwrap()))["state"], "lost");
    let no = SendOutcome::Refused { code: 550, text: "5.7.1 no".to_owned() };
    world.test.mailer.script.lock().unwrap().push_back(no);
    assert_eq!(world.post("/api/v1/status/canary", &json!({}))["state"], "refused");
    assert_eq!(
        call(&world.test, "POST", "/api/v1/status/canary", &world.admin, &json!({ "to": "x@y.test" })).status,
        422
    );
}

#[test]
fn status_says_what_flows_what_waits_and_what_is_off() {
    let world = World::new();
    world.a_day();
    let action = json!({ "enabled": false });
    assert_eq!(call(&world.test, "PATCH", "/api/v1/actions/queue_manager", &world.admin, &action).status, 200);
    let status = world.get("/api/v1/status");
    assert_eq!(status["domains"][0]["domain"], "corp.test");
    assert!(status["domains"][0]["last_received"].is_number());
    assert_eq!(status["refusals"]["day"], json!({ "bad": 1, "all": 2 }));
    assert_eq!(status["failures"]["day"], json!({ "bad": 1, "all": 1 }));
    assert_eq!(status["due"]["n"], 0);
    let off: Vec<&Value> = status["actions"].as_array().unwrap().iter().filter(|it| it["off"] == true).collect();
    assert_eq!(off.len(), 1);
    assert_eq!(off[0]["action"], "queue_manager");
}

/// D1 compares no pattern of more than 50 octets.
#[test]
fn a_long_domain_is_found_like_any_other() {
    let world = World::new();
    let long = format!("{}.{}.test", "a".repeat(40), "b".repeat(40));
    world.post("/api/v1/domains", &json!({ "name": long }));
    world.post("/api/v1/aliases", &json!({ "address": format!("support@{long}"), "creates": "ticket" }));
    let admission = arrive(&world.test, MAIL, &format!("support@{}", long.to_uppercase()));
    work(&world.test, &admission);
    assert!(world.kinds(&format!("address=@{long}")).contains(&"received"));
    let status = world.get("/api/v1/status");
    let domain = status["domains"].as_array().unwrap().iter().find(|it| it["domain"] == long.as_str()).unwrap();
    assert!(domain["last_received"].is_number(), "{domain}");
    let case = world.get("/api/v1/limits/support");
    let domain = case["domains"].as_array().unwrap().iter().find(|it| it["domain"] == long.as_str()).unwrap();
    assert_eq!((&domain["aliases"], &domain["tested"]), (&json!(1), &json!(1)));
}

//! The failure inbox and suppressions: what they rest on, what was done about them, and that numbers agree.

use std::sync::atomic::Ordering;

use futures::executor::block_on;
use mailroom_shared::token::bounce_local;
use serde_json::Value as Json;
use serde_json::json;
use tower::ServiceExt;

use super::TestApp;
use super::tests::arrive;
use super::tests::call;
use super::tests::refused;
use super::tests::rows;
use super::tests::set_up;
use super::tests::work;
use crate::http::Background;
use crate::http::router;

const NULL: Json = Json::Null;

fn get(test: &TestApp, cookie: &str, path: &str) -> Json {
    let answer = call(test, "GET", path, cookie, &NULL);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[test]
fn a_report_is_the_evidence_of_what_it_changed() {
    let test = TestApp::new();
    let cookie = set_up(&test);
    let new = json!({ "type": "order", "title": "S1", "email": "ann@customer.test" });
    let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/records/{record}/messages");
    let message = call(&test, "POST", &path, &cookie, &json!({ "mode": "message", "text": "Hello" })).body;
    test.clock.0.fetch_add(11_000, Ordering::Relaxed);
    block_on(crate::cron::tick(&test.app));
    let delivery = rows(&test, "SELECT id FROM deliveries")[0]["id"].as_str().unwrap().to_owned();
    let to = format!("{}@corp.test", bounce_local("test", "bounce", &delivery));
    let report = format!(
        "From: MAILER-DAEMON@mx.test\r\nTo: {to}\r\nSubject: Undelivered\r\nMessage-ID: <d@mx.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nNobody of that name lives here.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n\
         Final-Recipient: rfc822; ann@customer.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 no such mailbox\r\n\r\n--b--\r\n"
    );
    work(&test, &arrive(&test, &report, &to));

    // The dialog's last event, the suppression and the composer all lead to the raw report.
    let dialog = get(&test, &cookie, &format!("/api/v1/messages/{}/deliveries", message["id"].as_str().unwrap()));
    let event = dialog["deliveries"][0]["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(event["kind"], "bounced", "{event}");
    let kept = event["report"].as_str().unwrap().to_owned();
    let gone = get(&test, &cookie, "/api/v1/suppressions")["items"][0].clone();
    assert_eq!(gone["report"], kept.as_str(), "{gone}");
    assert!(gone["evidence"].as_str().unwrap().contains("no such mailbox"), "{gone}");
    let body = json!({ "mode": "message", "text": "x" });
    let people = call(&test, "POST", &format!("/api/v1/records/{record}/recipients"), &cookie, &body).body;
    let held = people["people"][0]["held_back"].clone();
    assert_eq!((&held["report"], held["expires"].is_number()), (&json!(kept), true), "{people}");
    let raw = test.blobs.take_all();
    assert!(raw.values().any(|it| it == report.as_bytes()), "the report is stored as it came");
    test.blobs.put_back(raw);

    // Retention took the raw mail: the words stay, the link goes.
    block_on(test.app.run(crate::statement!("UPDATE ingests SET raw_key = ''"))).unwrap();
    let gone = get(&test, &cookie, "/api/v1/suppressions")["items"][0].clone();
    assert_eq!((&gone["report"], gone["evidence"].is_string()), (&NULL, true));
}

#[test]
fn lifting_asks_why_and_the_history_keeps_who_and_when() {
    let test = TestApp::new();
    let cookie = set_up(&test);
    refused(&test, &cookie, &["ann@customer.test"], 550, "5.1.1 no such user here");
    let before = get(&test, &cookie, "/api/v1/suppressions")["items"].clone();
    let lift = |note: &str| {
        let body = json!({ "address": "Ann@customer.test", "scope": "all", "note": note });
        call(&test, "POST", "/api/v1/suppressions/lift", &cookie, &body)
    };
    let refused = lift("  ");
    assert_eq!((refused.status, &refused.body["fields"][0]["field"]), (422, &json!("note")), "{}", refused.body);
    assert_eq!(get(&test, &cookie, "/api/v1/suppressions")["items"], before);
    let lifted = lift("She has a new mailbox");
    assert_eq!(lifted.status, 200, "{}", lifted.body);
    let steps = |cookie: &str| {
        let all = get(&test, cookie, "/api/v1/suppressions/history?address=ann@customer.test")["items"].clone();
        let words = |it: &Json| format!("{} {} {}", it["step"], it["by"], it["text"]).replace('"', "");
        all.as_array().unwrap().iter().map(words).collect::<Vec<_>>()
    };
    assert_eq!(steps(&cookie), ["lifted Mai She has a new mailbox", "added null "]);
    // Taken back, it is what it was: with its source, evidence and end.
    let path = format!("/api/v1/suppressions/history/{}", lifted.body["event"].as_str().unwrap());
    assert_eq!(call(&test, "DELETE", &path, &cookie, &NULL).status, 204);
    assert_eq!(get(&test, &cookie, "/api/v1/suppressions")["items"], before);
    assert_eq!(call(&test, "DELETE", &path, &cookie, &NULL).status, 404, "twice is too often");
    // What ends by itself says so too.
    test.clock.0.fetch_add(400 * 24 * 3_600_000, Ordering::Relaxed);
    block_on(crate::cron::tick(&test.app));
    // So long that the session ended too.
    let login = json!({ "email": "mai@corp.test", "password": "long enough" });
    let cookie = call(&test, "POST", "/api/v1/session", "", &login).cookie.unwrap();
    assert_eq!(steps(&cookie)[0], "expired null ");
    let timeline = rows(&test, "SELECT id FROM contacts WHERE internal = 0");
    let path = format!("/api/v1/contacts/{}/timeline", timeline[0]["id"].as_str().unwrap());
    let events = get(&test, &cookie, &path)["events"].clone();
    let lifted = events.as_array().unwrap().iter().find(|it| it["kind"] == "lifted" && it["text"] != "").unwrap();
    assert_eq!(lifted["text"], "Mai: She has a new mailbox", "{events}");
}

#[test]
fn what_is_exported_can_be_imported_and_is_the_same() {
    let test = TestApp::new();
    let cookie = set_up(&test);
    refused(&test, &cookie, &["gone@customer.test"], 550, "5.1.1 no such user here");
    let import = |to: &TestApp, cookie: &str, csv: &str| {
        call(to, "POST", "/api/v1/suppressions/import", cookie, &json!({ "csv": csv })).body
    };
    let plain = "\u{feff}x@y.test,campaigns,\"=SUM(A1), \"\"quoted\"\"\"\r\nnot an address\r\nz@y.test,everything\r\nw@y.test\r\n";
    assert_eq!(import(&test, &cookie, plain), json!({ "added": 2, "wrong_lines": [2, 3] }));
    let export = |from: &TestApp, cookie: &str| {
        let request = axum::http::Request::builder().uri("/api/v1/suppressions.csv").header("cookie", cookie);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let app = std::sync::Arc::clone(&from.app);
        block_on(async {
            let answer = router(app, Background::default()).oneshot(request).await.unwrap();
            let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        })
    };
    let csv = export(&test, &cookie);
    assert!(csv.starts_with("address,scope,note,source,reason,created,expires\n"), "{csv}");
    assert!(csv.contains("'=SUM(A1)"), "a spreadsheet must not compute it: {csv}");

    let other = TestApp::new();
    let there = set_up(&other);
    other.clock.0.store(test.clock.0.load(Ordering::Relaxed), Ordering::Relaxed);
    assert_eq!(import(&other, &there, &csv), json!({ "added": 3, "wrong_lines": [] }));
    let lines = |csv: &str| {
        let mut all: Vec<String> = csv.lines().map(str::to_owned).collect();
        all.sort();
        all
    };
    assert_eq!(lines(&export(&other, &there)), lines(&csv));
    let note = rows(&other, "SELECT note FROM suppressions WHERE address = 'x@y.test'");
    assert_eq!(note[0]["note"], "=SUM(A1), \"quoted\"");
}

#[test]
fn a_selection_is_fixed_address_by_address_and_taken_back_at_once() {
    let test = TestApp::new();
    let cookie = set_up(&test);
    let addresses = ["ann@old.test", "bob@old.test", "cyd@old.test"];
    refused(&test, &cookie, &addresses, 550, "5.1.1 no such user here");
    let offered = get(&test, &cookie, "/api/v1/failures/userunknown/addresses");
    assert_eq!(offered.as_array().unwrap().len(), 3, "{offered}");
    assert_eq!((&offered[0]["n"], &offered[0]["contact"]), (&json!(1), &json!(true)), "{offered}");
    let all = get(&test, &cookie, "/api/v1/failures/userunknown")["items"].clone();
    let selection: Vec<&Json> = all.as_array().unwrap().iter().map(|it| &it["delivery"]).collect();
    let mut operation = NULL;
    for (old, new) in [("ann@old.test", "ann@new.test"), ("bob@old.test", "bob@new.test")] {
        let body = json!({ "old": old, "new": new, "apply": true, "deliveries": selection, "update_contact": true, "operation": operation });
        let done = call(&test, "POST", "/api/v1/failures/corrections", &cookie, &body).body;
        assert_eq!(done["n"], 1, "{done}");
        operation = done["operation"].clone();
    }
    let states = || {
        let found = rows(&test, "SELECT address || ' ' || state AS it FROM deliveries ORDER BY address");
        found.iter().map(|it| it["it"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["ann@new.test outgoing", "bob@new.test outgoing", "cyd@old.test failed"]);
    let contacts = rows(&test, "SELECT COUNT(*) AS n FROM contact_emails WHERE key LIKE '%@new.test'");
    assert_eq!(contacts[0]["n"], 2);
    let done = get(&test, &cookie, "/api/v1/failures/actions")[0].clone();
    assert_eq!(
        (&done["by"], &done["action"], &done["n"], &done["corrected"], &done["undoable"]),
        (&json!("Mai"), &json!("retry"), &json!(2), &json!(2), &json!(2)),
        "{done}"
    );
    let undo = format!("/api/v1/failures/actions/{}", operation.as_str().unwrap());
    assert_eq!(call(&test, "DELETE", &undo, &cookie, &NULL).body["changed"], 2);
    assert_eq!(states(), ["ann@old.test failed", "bob@old.test failed", "cyd@old.test failed"]);
}

#[test]
fn the_badge_counts_what_the_page_shows_as_needing_a_person() {
    let test = TestApp::new();
    let cookie = set_up(&test);
    refused(&test, &cookie, &["a@one.test", "b@two.test"], 550, "5.1.1 no such user here");
    refused(&test, &cookie, &["c@slow.test"], 450, "4.7.28 too many messages, slow down, rate limited");
    refused(&test, &cookie, &["d@strict.test"], 550, "5.7.1 Service unavailable; client blocked using a blocklist");
    let check = |expected: u64| {
        let page = get(&test, &cookie, "/api/v1/failures");
        let needs: u64 = page["groups"].as_array().unwrap().iter().map(|it| it["failing"].as_u64().unwrap()).sum();
        let badge = get(&test, &cookie, "/api/v1/shell")["failures"].as_u64().unwrap();
        assert_eq!((badge, needs, page["all"].as_u64().unwrap()), (expected, expected, expected), "{page}");
    };
    // One of the four is tried again by ourselves.
    check(3);
    let ignore = json!({ "action": "ignore", "group": "userunknown" });
    call(&test, "POST", "/api/v1/failures/actions", &cookie, &ignore);
    check(1);
    block_on(test.app.run(crate::statement!(
        "UPDATE deliveries SET state = 'unknown', reason = 'undefined' WHERE state = 'ignored'"
    )))
    .unwrap();
    check(3);
}

#[test]
fn a_closed_mailbox_rests_for_a_season_and_a_locked_one_does_not() {
    let test = TestApp::new();
    let cookie = set_up(&test);
    refused(&test, &cookie, &["ann@customer.test"], 550, "5.2.1 The mailbox is disabled");
    refused(&test, &cookie, &["bob@customer.test"], 450, "4.2.1 The mailbox is disabled for now");
    let held = get(&test, &cookie, "/api/v1/suppressions")["items"].clone();
    assert_eq!((held.as_array().unwrap().len(), &held[0]["address"]), (1, &json!("ann@customer.test")), "{held}");
    let days = (held[0]["expires"].as_i64().unwrap() - held[0]["created"].as_i64().unwrap()) / (24 * 3_600_000);
    assert_eq!((&held[0]["reason"], days), (&json!("suspend"), 90));
}

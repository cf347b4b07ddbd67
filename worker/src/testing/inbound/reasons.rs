//! Why a mail became what it became is told in the language of whoever asks.

use std::sync::atomic::Ordering;

use serde_json::Value;
use serde_json::json;

use super::World;
use super::come;
use super::mail;
use crate::inbound::Admission;
use crate::ports::Statement;
use crate::testing::tests::call;

impl World {
    fn reads(&self, language: &str) {
        self.send("PATCH", "/api/v1/session", &json!({ "language": language }));
    }
}

#[test]
fn reasons_are_told_in_the_language_of_the_reader_everywhere() {
    let world = World::new();
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "support@corp.test", "In", "1@c.test", "x"),
        "support@corp.test",
    );
    come(
        &world.test,
        &mail("Ann <ann@customer.test>", "support@corp.test", "In", "1@c.test", "x"),
        "support@corp.test",
    );
    come(&world.test, &mail("Ann <ann@customer.test>", "nobody@corp.test", "No", "2@c.test", "x"), "nobody@corp.test");
    let (written, ignored, refused) =
        (&world.incoming("all")[2], &world.incoming("ignored")[0], &world.incoming("refused")[0]);
    let record = &world.records()[0];
    let message = &world.messages(&record["id"])[0]["id"];
    let typed = json!({ "mail_from": "ann@customer.test", "rcpt_to": "support@corp.test", "subject": "Try" });
    // Where they are told, and what of them.
    let told = |language: &str| -> Vec<String> {
        world.reads(language);
        let mut all = Vec::new();
        for row in [written, ignored, refused] {
            let id = row["id"].as_str().unwrap();
            all.push(world.get(&format!("/api/v1/incoming/{id}"))["why"].clone());
            all.push(world.get(&format!("/api/v1/trace/{id}"))["rules"].clone());
        }
        let id = refused["id"].as_str().unwrap();
        all.push(world.send("POST", &format!("/api/v1/incoming/{id}/check"), &Value::Null)["why"].clone());
        all.push(world.get(&format!("/api/v1/messages/{}/origin", message.as_str().unwrap()))["why"].clone());
        all.push(world.send("POST", "/api/v1/route", &typed)["why"].clone());
        all.iter().map(ToString::to_string).collect()
    };
    let (english, vietnamese) = (told("en"), told("vi"));
    for (en, vi) in english.iter().zip(&vietnamese) {
        assert!(en.contains("support@corp.test") || en.contains("nobody@corp.test"), "{en}");
        assert!(["creates a", "has it already", "nothing here has"].iter().any(|it| en.contains(it)), "{en}");
        assert!(["tạo", "đã có thư này", "không có địa chỉ"].iter().any(|it| vi.contains(it)), "{vi}");
        assert!(!["creates a", "has it already", "nothing here has"].iter().any(|it| vi.contains(it)), "{vi}");
    }
    // What was written down before reasons had keys stays as it was.
    let old =
        Statement { sql: "UPDATE refusals SET why = '[\"no_such_address: as it was\"]'".into(), params: Vec::new() };
    futures::executor::block_on(world.test.app.run(old)).unwrap();
    let refused = refused["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/api/v1/incoming/{refused}"))["why"], json!(["as it was"]));
    let trace = world.get(&format!("/api/v1/trace/{refused}"));
    assert_eq!(trace["rules"], json!([{ "rule": "no_such_address", "text": "as it was" }]));
    let lines = call(&world.test, "GET", "/api/v1/logs?limit=50", &world.admin, &Value::Null);
    let lines = lines.body.to_string();
    assert!(lines.contains("no_such_address: as it was") && lines.contains("alias: support@corp.test"), "{lines}");
}

#[test]
fn a_refused_mail_shows_the_way_it_took() {
    let world = World::new();
    let raw = mail("Ann <ann@customer.test>", "nobody@corp.test", "No", "2@c.test", "x");
    let way = "Received: from mail.customer.test by mx.cloudflare.net with ESMTPS; Tue, 24 Nov 2026 10:00:02 +0000\r\n\
        Received: from laptop by mail.customer.test with ESMTPSA; Tue, 24 Nov 2026 10:00:01 +0000\r\n";
    come(&world.test, &format!("{way}{raw}"), "nobody@corp.test");
    let id = world.incoming("refused")[0]["id"].as_str().unwrap().to_owned();
    let trace = world.get(&format!("/api/v1/trace/{id}"));
    let stops = trace["way"].as_array().unwrap();
    let at = trace["at"].as_i64().unwrap();
    let found = |query: String| world.get(&format!("/api/v1/{query}"))["items"].as_array().unwrap().len();
    for list in ["incoming?show=refused&", "incoming?"] {
        let (from, to) = (found(format!("{list}since={at}")), found(format!("{list}until={at}")));
        assert_eq!((from, to), (1, 0), "{list}");
        assert_eq!(found(format!("{list}since={at}&until={}", at + 1)), 1, "{list}");
    }
    assert!(stops.len() >= 3 && trace["way"].to_string().contains("mail.customer.test"), "{}", trace["way"]);
}

#[test]
fn storage_that_runs_full_or_fails_is_told_and_mail_still_comes_in() {
    let world = World::new();
    let mut rules = world.get("/api/v1/policy");
    rules["database_limit"] = json!(1_000);
    world.send("PATCH", "/api/v1/policy", &rules);
    let full = |bytes: u32| {
        let set = crate::store::settings::set(crate::store::incoming::DATABASE_BYTES, &bytes.to_string());
        futures::executor::block_on(world.test.app.run(set)).unwrap();
        world.get("/api/v1/incoming/counts")["database_percent"].clone()
    };
    assert_eq!((full(699), full(700), full(1_000)), (Value::Null, json!(70), json!(100)));
    let raw = |id: &str| mail("Ann <ann@customer.test>", "support@corp.test", "In", id, "x");
    assert!(matches!(come(&world.test, &raw("1@c.test"), "support@corp.test"), Admission::Accepted { .. }));
    assert_eq!(world.records().len(), 1, "a warning refuses nothing");

    // The storage fails: the peer comes again, and people are told for an hour.
    world.test.blobs.fails.store(true, Ordering::Relaxed);
    let (text, size) = (raw("2@c.test"), raw("2@c.test").len());
    let admit = crate::inbound::admit(&world.test.app, "ann@customer.test", "support@corp.test", text.into(), size);
    assert!(futures::executor::block_on(admit).is_err());
    world.test.blobs.fails.store(false, Ordering::Relaxed);
    assert!(world.get("/api/v1/incoming/counts")["storage_failed"].is_i64());
    world.test.clock.0.fetch_add(3_700_000, Ordering::Relaxed);
    assert!(world.get("/api/v1/incoming/counts")["storage_failed"].is_null());
}

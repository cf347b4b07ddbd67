//! Why a mail became what it became is told in the language of whoever asks.

use serde_json::Value;
use serde_json::json;

use super::World;
use super::come;
use super::mail;
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
        all.push(world.get("/api/v1/refusals")["items"][0]["why"].clone());
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
    assert_eq!(world.get("/api/v1/refusals")["items"][0]["why"], json!(["as it was"]));
    let trace = world.get(&format!("/api/v1/trace/{}", refused["id"].as_str().unwrap()));
    assert_eq!(trace["rules"], json!([{ "rule": "no_such_address", "text": "as it was" }]));
    let lines = call(&world.test, "GET", "/api/v1/logs?limit=50", &world.admin, &Value::Null);
    let lines = lines.body.to_string();
    assert!(lines.contains("no_such_address: as it was") && lines.contains("alias: support@corp.test"), "{lines}");
}

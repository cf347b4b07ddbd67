//! People and programs over the real Worker: an invitation answered by its link, a shop that sends documents by token.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::process::Command;
use std::time::Duration;

use mailroom_tests::story::SOON;
use mailroom_tests::story::get;
use mailroom_tests::story::header;
use mailroom_tests::story::link_to;
use mailroom_tests::story::messages;
use mailroom_tests::story::received;
use mailroom_tests::story::record_titled;
use mailroom_tests::story::records;
use mailroom_tests::story::send_now;
use mailroom_tests::story::start;
use mailroom_tests::story::within;
use serde_json::json;

#[test]
fn somebody_is_invited_by_mail_and_forgets_his_password() {
    let (stack, api) = start("people");
    let bo = json!({ "email": "ok.bo@sink.test", "name": "Bo", "role": "agent", "types": ["ticket"] });
    api.post("/api/v1/people", &bo).unwrap().ok().unwrap();
    let link = link_to(&stack, "ok.bo@sink.test", "join");
    let mail = received(&stack, "ok.bo@sink.test").pop().unwrap().raw;
    assert_eq!(header(&mail, "Subject"), "Mai Lindqvist invites you to Corp");
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(&mail, "Reply-To"), "", "nobody reads answers to it");

    let as_bo = stack.client();
    let answer = json!({ "name": "Bo Tran", "password": "a good password", "language": "vi" });
    let me = as_bo.post(&format!("/api/v1{link}"), &answer).unwrap().ok().unwrap();
    assert_eq!((&me["name"], &me["role"]), (&json!("Bo Tran"), &json!("agent")));
    assert_eq!(as_bo.post(&format!("/api/v1{link}"), &answer).unwrap().status, 404, "once");
    assert_eq!(get(&as_bo, "/api/v1/shell")["types"].as_array().unwrap().len(), 1);

    // The mail waits for nothing: no clock was moved.
    let nobody = stack.client();
    for address in ["ok.bo@sink.test", "ok.nobody@sink.test"] {
        assert_eq!(nobody.post("/api/v1/password", &json!({ "email": address })).unwrap().status, 204);
    }
    let link = link_to(&stack, "ok.bo@sink.test", "password");
    let new = json!({ "password": "another good one" });
    nobody.post(&format!("/api/v1{link}"), &new).unwrap().ok().unwrap();
    assert_eq!(as_bo.get("/api/v1/profile").unwrap().status, 401, "all other sessions are over");
    assert!(received(&stack, "ok.nobody@sink.test").is_empty());
    stack.client().login("ok.bo@sink.test", "another good one").unwrap();
}

#[test]
fn a_shop_sends_a_quotation_and_an_invoice_by_token() {
    let (stack, api) = start("people-shop");
    let token = json!({ "name": "Shop", "scopes": ["read", "write", "send"], "days": 30 });
    let made = api.post("/api/v1/tokens", &token).unwrap().ok().unwrap();
    let secret = made["secret"].as_str().unwrap();
    let shop = || {
        let ran = Command::new(env!("CARGO_BIN_EXE_shop"))
            .args([stack.base_url().as_str(), "ok.ann@sink.test"])
            .env("MAILROOM_TOKEN", secret)
            .output()
            .unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{text}");
        text
    };
    let first = shop();
    assert_eq!(shop(), first, "the same messages once more");
    send_now(&stack, &api, Duration::from_secs(11));
    let mails = within(SOON, "two mails", &stack, || {
        let mails = received(&stack, "ok.ann@sink.test");
        (mails.len() >= 2).then_some(mails)
    });
    let mut subjects: Vec<String> = mails.iter().map(|it| header(&it.raw, "Subject")).collect();
    subjects.sort();
    assert_eq!(subjects, ["Invoice I1042", "Quotation Q1042"]);
    for mail in &mails {
        assert_eq!(header(&mail.raw, "From"), "\"Shop\" <notifications@corp.example>");
        assert!(mail.raw.contains("application/pdf") && mail.raw.contains("1042.pdf"), "{}", mail.raw);
    }
    assert_eq!(records(&api).len(), 2);
    let record = record_titled(&api, &stack, "Quotation Q1042");
    let chatter = messages(&api, record["id"].as_str().unwrap());
    assert_eq!((chatter.len(), &chatter[0]["author_name"]), (1, &json!("Shop (API)")));
    assert_eq!(chatter[0]["attachments"][0]["name"], "quotation-Q1042.pdf");
    assert!(get(&api, "/api/v1/tokens")[0]["last_used"].is_number());

    api.delete(&format!("/api/v1/tokens/{}", made["row"]["id"].as_str().unwrap())).unwrap().ok().unwrap();
    assert_eq!(stack.client().with_token(secret).get("/api/v1/records").unwrap().status, 401);
}

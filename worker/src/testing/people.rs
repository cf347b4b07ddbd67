//! Users, their links, sessions, addresses and tokens, through the real router.

use axum::body::Body;
use futures::executor::block_on;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use super::TestApp;
use super::tests::set_up;
use crate::http::Background;
use crate::http::router;
use crate::statement;

const NOTHING: Value = Value::Null;

pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
    cookie: Option<String>,
}

/// One request, with what goes on after its answer.
pub(super) fn ask(test: &TestApp, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    let mut request = axum::http::Request::builder()
        .method(method)
        .uri(format!("http://mailroom.test{path}"))
        .header("host", "mailroom.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap();
    block_on(async {
        let background = Background::default();
        let response = router(std::sync::Arc::clone(&test.app), background.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let cookie = response.headers().get("set-cookie").map(|it| it.to_str().unwrap());
        let cookie = cookie.map(|it| it.split(';').next().unwrap().to_owned());
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await.unwrap();
        if let Some(work) = background.take() {
            work.await;
        }
        Reply { status, body: serde_json::from_slice(&bytes).unwrap_or_default(), cookie }
    })
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

    fn by(&self, cookie: &str, method: &str, path: &str, body: &Value) -> Reply {
        ask(&self.test, method, path, &[("x-mailroom", "1"), ("cookie", cookie), ("user-agent", "Firefox/128.0")], body)
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let reply = self.by(&self.admin, method, path, body);
        assert!((200..300).contains(&reply.status), "{method} {path}: {} {}", reply.status, reply.body);
        reply.body
    }

    fn open(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.by("", method, path, body)
    }

    fn later(&self, seconds: i64) {
        self.test.clock.0.fetch_add(seconds * 1_000, std::sync::atomic::Ordering::Relaxed);
        block_on(crate::cron::tick(&self.test.app));
    }

    /// Sends what waits; the newest mail to an address, if one came.
    fn mail_to(&self, address: &str) -> Option<String> {
        self.later(0);
        let sent = self.test.mailer.sent.lock().unwrap();
        let found = sent.iter().rev().find(|it| it.rcpt_to == address)?;
        Some(mailroom_shared::mail::parse::parse(&found.raw).text)
    }

    /// The token in the link of the newest mail to an address.
    fn token(&self, address: &str, page: &str) -> String {
        let text = self.mail_to(address).unwrap_or_else(|| panic!("no mail to {address}"));
        let (_, rest) = text.split_once(&format!("https://mailroom.test/{page}/")).unwrap_or_else(|| panic!("{text}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Somebody invited who has joined: his cookie.
    fn joined(&self, email: &str, role: &str, types: &Value) -> String {
        self.admin("POST", "/api/v1/people", &json!({ "email": email, "role": role, "types": types }));
        let token = self.token(email, "join");
        let form = json!({ "name": email, "password": "long enough", "language": "en" });
        self.open("POST", &format!("/api/v1/join/{token}"), &form).cookie.unwrap()
    }

    fn person(&self, email: &str) -> Value {
        let list = self.admin("GET", "/api/v1/people", &NOTHING);
        list.as_array().unwrap().iter().find(|it| it["email"] == email).cloned().unwrap_or_default()
    }

    fn texts_in_database(&self) -> String {
        let rows = block_on(self.test.app.run(statement!("SELECT text FROM messages"))).unwrap();
        format!("{:?}", rows.rows)
    }
}

#[test]
fn an_invitation_is_answered_once_by_its_link_and_never_after_its_end() {
    let world = World::new();
    let bo = json!({ "email": "bo@corp.test", "name": "Bo", "role": "agent", "types": ["ticket"] });
    let row = world.admin("POST", "/api/v1/people", &bo);
    assert_eq!((&row["state"], &row["role"]), (&json!("invited"), &json!("agent")));
    let first = world.token("bo@corp.test", "join");
    assert!(!world.texts_in_database().contains(&first), "what is stored opens nothing");
    assert_eq!(world.person("bo@corp.test")["envelope"], "fine");
    let again = world.by(&world.admin, "POST", "/api/v1/people", &bo);
    assert_eq!((again.status, &again.body["fields"][0]["key"]), (422, &json!("invited")));

    // Sent again: the link before is void.
    let path = format!("/api/v1/people/{}/invitation", row["id"].as_str().unwrap());
    world.admin("POST", &path, &NOTHING);
    let second = world.token("bo@corp.test", "join");
    assert_ne!(first, second);
    let answer = |token: &str, body: &Value| world.open("POST", &format!("/api/v1/join/{token}"), body);
    let form = json!({ "name": "Bo Tran", "password": "long enough", "language": "vi" });
    assert_eq!(answer(&first, &form).body["code"], "link_invalid");
    let view = world.open("GET", &format!("/api/v1/join/{second}"), &NOTHING).body;
    assert_eq!(
        (&view["email"], &view["by"], &view["company"]),
        (&json!("bo@corp.test"), &json!("Mai"), &json!("Corp"))
    );
    assert_eq!(
        answer(&second, &json!({ "name": "", "password": "short" })).body["fields"].as_array().unwrap().len(),
        2
    );
    let joined = answer(&second, &form);
    assert_eq!((joined.status, &joined.body["name"], &joined.body["language"]), (200, &json!("Bo Tran"), &json!("vi")));
    assert_eq!(joined.body["confirmed"], true, "the mail was read");
    assert_eq!(answer(&second, &form).body["code"], "link_invalid", "once");
    let person = world.person("bo@corp.test");
    assert_eq!((&person["state"], &person["types"]), (&json!("active"), &json!(["ticket"])));

    // Withdrawn, and too late.
    let row = world.admin("POST", "/api/v1/people", &json!({ "email": "cy@corp.test", "role": "read_only" }));
    let token = world.token("cy@corp.test", "join");
    world.admin("DELETE", &format!("/api/v1/people/{}/invitation", row["id"].as_str().unwrap()), &NOTHING);
    assert_eq!(answer(&token, &form).status, 404);
    world.admin("POST", "/api/v1/people", &json!({ "email": "di@corp.test", "role": "read_only" }));
    let token = world.token("di@corp.test", "join");
    world.later(7 * 24 * 3_600 + 1);
    assert_eq!(answer(&token, &form).body["code"], "link_invalid");
    assert_eq!(answer("01hzxyabcdefghjkmnpqrstvwx.aaaaaaaaaaaaaaaa", &form).status, 404, "not signed by us");
}

#[test]
fn an_answer_to_mail_about_a_login_reaches_no_chatter() {
    let world = World::new();
    world.admin("POST", "/api/v1/people", &json!({ "email": "bo@corp.test", "role": "agent" }));
    world.mail_to("bo@corp.test").unwrap();
    let raw = world.test.mailer.sent.lock().unwrap().last().unwrap().raw.clone();
    let id = mailroom_shared::mail::parse::parse(&raw).head.message_id.unwrap();
    for to in ["notifications@corp.test", "support@corp.test"] {
        let raw = format!(
            "From: Bo <bo@corp.test>\r\nTo: {to}\r\nSubject: Re: invitation\r\nMessage-ID: <{to}>\r\n\
             In-Reply-To: {}\r\nReferences: {}\r\n\r\nThanks\r\n",
            id.as_str(),
            id.as_str()
        );
        let admitted = super::tests::arrive(&world.test, &raw, to);
        super::tests::work(&world.test, &admitted);
    }
    let rows = block_on(world.test.app.run(statement!(
        "SELECT COUNT(*) AS n FROM messages m JOIN records r ON r.id = m.record_id WHERE r.number = 0"
    )));
    assert_eq!(rows.unwrap().rows[0]["n"], 1, "the invitation alone");
}

#[test]
fn a_customer_who_is_invited_keeps_what_he_wrote() {
    let world = World::new();
    let new = json!({ "type": "ticket", "title": "Leak", "email": "ann@customer.test" });
    let record = world.admin("POST", "/api/v1/records", &new);
    world.joined("ann@customer.test", "agent", &json!([]));
    let users = world.admin("GET", "/api/v1/users", &NOTHING);
    let ann = users.as_array().unwrap().iter().find(|it| it["email"] == "ann@customer.test").unwrap();
    assert_eq!(ann["contact"], record["customer"]);
}

#[test]
fn the_last_administrator_stays() {
    let world = World::new();
    let mai = world.person("mai@corp.test")["id"].as_str().unwrap().to_owned();
    let change = |id: &str, body: Value| world.by(&world.admin, "PATCH", &format!("/api/v1/people/{id}"), &body);
    assert_eq!(change(&mai, json!({ "role": "agent" })).body["code"], "last_administrator");
    assert_eq!(change(&mai, json!({ "archived": true })).body["code"], "last_administrator");
    let bo = world.joined("bo@corp.test", "agent", &json!([]));
    let id = world.person("bo@corp.test")["id"].as_str().unwrap().to_owned();
    assert_eq!(change(&id, json!({ "role": "administrator" })).body["role"], "administrator");
    assert_eq!(world.by(&bo, "GET", "/api/v1/people", &NOTHING).status, 200);
    assert_eq!(change(&id, json!({ "archived": true })).body["state"], "archived");
    assert_eq!(world.by(&bo, "GET", "/api/v1/session", &NOTHING).status, 204, "archived: his sessions are over");
    let login = json!({ "email": "bo@corp.test", "password": "long enough" });
    assert_eq!(world.open("POST", "/api/v1/session", &login).status, 401);
    assert_eq!(
        change(&mai, json!({ "role": "agent" })).body["code"],
        "last_administrator",
        "who is gone does not count"
    );
    assert_eq!(change(&id, json!({ "archived": false })).body["state"], "active");
    assert_eq!(world.open("POST", "/api/v1/session", &login).status, 200);
    assert_eq!(change("nobody", json!({ "role": "agent" })).status, 404);
}

#[test]
fn what_a_user_may_not_see_is_not_there() {
    let world = World::new();
    let raw = "From: Ann <ann@customer.test>\r\nTo: orders@corp.test\r\nSubject: Secret order\r\n\
        Message-ID: <1@customer.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nHush\r\n--b\r\nContent-Type: text/plain\r\n\
        Content-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--b--\r\n";
    let admitted = super::tests::arrive(&world.test, raw, "orders@corp.test");
    super::tests::work(&world.test, &admitted);
    world.admin("POST", "/api/v1/records", &json!({ "type": "ticket", "title": "Open ticket" }));
    let record =
        world.admin("GET", "/api/v1/records?type=order", &NOTHING)["items"][0]["id"].as_str().unwrap().to_owned();
    let reply = json!({ "mode": "message", "text": "Thanks", "subject": "Secret" });
    let sent = world.admin("POST", &format!("/api/v1/records/{record}/messages"), &reply);
    let full = crate::ports::SendOutcome::Refused { code: 550, text: "5.1.1 no such user".to_owned() };
    world.test.mailer.script.lock().unwrap().push_back(full);
    world.later(11);
    let chatter = world.admin("GET", &format!("/api/v1/records/{record}/messages"), &NOTHING);
    let came = chatter["items"].as_array().unwrap().iter().find(|it| it["incoming"] == true).unwrap().clone();
    let (message, file) = (came["id"].as_str().unwrap(), came["attachments"][0]["id"].as_str().unwrap());
    let sent = sent["id"].as_str().unwrap();
    let mail = world.admin("GET", "/api/v1/incoming", &NOTHING)["items"][0]["id"].as_str().unwrap().to_owned();

    let bo = world.joined("bo@corp.test", "agent", &json!(["ticket"]));
    let all = world.joined("cy@corp.test", "agent", &json!([]));
    let get = |cookie: &str, path: &str| world.by(cookie, "GET", path, &NOTHING);
    for path in [
        format!("/api/v1/records/{record}"),
        format!("/api/v1/records/{record}/messages"),
        format!("/api/v1/messages/{message}/body"),
        format!("/api/v1/messages/{message}/original"),
        format!("/api/v1/messages/{message}/origin"),
        format!("/api/v1/messages/{sent}/deliveries"),
        format!("/api/v1/attachments/{file}"),
        format!("/api/v1/incoming/{mail}"),
        format!("/api/v1/incoming/{mail}/original"),
    ] {
        assert_eq!(get(&bo, &path).status, 404, "{path}");
        assert_eq!(get(&all, &path).status, 200, "{path}");
    }
    for (method, path, body) in [
        ("PATCH", format!("/api/v1/records/{record}"), json!({ "title": "Mine" })),
        ("POST", format!("/api/v1/records/{record}/messages"), reply.clone()),
        ("POST", format!("/api/v1/records/{record}/recipients"), reply),
        ("POST", format!("/api/v1/records/{record}/followers"), json!({ "email": "x@y.test" })),
        ("POST", format!("/api/v1/messages/{sent}/deliveries"), json!({ "ignore_all": true })),
    ] {
        assert_eq!(world.by(&bo, method, &path, &body).status, 404, "{method} {path}");
    }
    for (path, n) in [
        ("/api/v1/records", 1),
        ("/api/v1/records?q=secret", 0),
        ("/api/v1/records?type=order", 0),
        ("/api/v1/emails?filter=all&q=ann", 0),
        ("/api/v1/incoming", 0),
    ] {
        assert_eq!(get(&bo, path).body["items"].as_array().unwrap().len(), n, "{path}");
        assert!(get(&all, path).body["items"].as_array().unwrap().len() > n, "{path}");
    }
    let failing = |cookie: &str| get(cookie, "/api/v1/failures").body;
    assert_eq!((&failing(&bo)["all"], failing(&bo)["groups"].as_array().unwrap().len()), (&json!(0), 0));
    assert_eq!((&failing(&all)["all"], failing(&all)["groups"].as_array().unwrap().len()), (&json!(1), 1));
    let counts = |cookie: &str| get(cookie, "/api/v1/emails/counts").body["counts"]["failed"].clone();
    assert_eq!((counts(&bo), counts(&all)), (json!(0), json!(1)));
    let delivery = world.admin("GET", &format!("/api/v1/messages/{sent}/deliveries"), &NOTHING);
    let ignore = json!({ "action": "ignore", "deliveries": [delivery["deliveries"][0]["id"]] });
    for path in ["/api/v1/emails/actions", "/api/v1/failures/actions"] {
        assert_eq!(world.by(&bo, "POST", path, &ignore).body["changed"], 0, "{path}");
    }
    let dry = json!({
        "mail_from": "ann@customer.test", "from": "ann@customer.test", "rcpt_to": "orders@corp.test",
        "subject": "Re: Secret order", "text": "More", "in_reply_to": "<1@customer.test>", "authenticated": true,
    });
    let title = |cookie: &str| world.by(cookie, "POST", "/api/v1/route", &dry).body["record_title"].clone();
    assert_eq!((title(&bo), title(&all)), (NOTHING, json!("Secret order")));
    let types = get(&bo, "/api/v1/shell").body["types"].as_array().unwrap().clone();
    assert_eq!(types.iter().map(|it| &it["name"]).collect::<Vec<_>>(), ["ticket"]);
    let new = json!({ "type": "order", "title": "Mine" });
    assert_eq!(world.by(&bo, "POST", "/api/v1/records", &new).status, 422);

    // What is taken from him he no longer follows.
    let cy = world.person("cy@corp.test")["id"].as_str().unwrap().to_owned();
    let me = json!({ "contact": get(&all, "/api/v1/session").body["contact"] });
    assert_eq!(world.by(&all, "POST", &format!("/api/v1/records/{record}/followers"), &me).status, 200);
    let followers = || world.admin("GET", &format!("/api/v1/records/{record}"), &NOTHING)["followers"].to_string();
    assert!(followers().contains("cy@corp.test"));
    world.admin("PATCH", &format!("/api/v1/people/{cy}"), &json!({ "types": ["ticket"] }));
    assert!(!followers().contains("cy@corp.test"));
    // Nor does anybody bring him back to it.
    let contact = world.admin("GET", "/api/v1/users", &NOTHING);
    let contact = contact.as_array().unwrap().iter().find(|it| it["email"] == "cy@corp.test").unwrap().clone();
    for (method, path, body) in [
        ("POST", format!("/api/v1/records/{record}/followers"), json!({ "contact": contact["contact"] })),
        ("PATCH", format!("/api/v1/records/{record}"), json!({ "responsible": cy })),
        (
            "POST",
            format!("/api/v1/records/{record}/messages"),
            json!({ "mode": "note", "text": "@Cy", "mentions": [contact["contact"]] }),
        ),
        ("POST", "/api/v1/records".to_owned(), json!({ "type": "order", "title": "T", "responsible": cy })),
    ] {
        let refused = world.by(&world.admin, method, &path, &body);
        assert_eq!((refused.status, &refused.body["fields"][0]["key"]), (422, &json!("hidden")), "{method} {path}");
    }
    assert_eq!(get(&all, &format!("/api/v1/records/{record}")).status, 404, "at once");
}

#[test]
fn a_forgotten_password_is_set_by_mail_without_telling_who_is_known() {
    let world = World::new();
    let forget = |email: &str| world.open("POST", "/api/v1/password", &json!({ "email": email })).status;
    assert_eq!((forget("mai@corp.test"), forget("nobody@corp.test")), (204, 204));
    assert_eq!(world.mail_to("nobody@corp.test"), None);
    let token = world.token("mai@corp.test", "password");
    assert!(!world.texts_in_database().contains(&token));
    let set = |token: &str, password: &str| {
        world.open("POST", &format!("/api/v1/password/{token}"), &json!({ "password": password }))
    };
    assert_eq!(set(&token, "short").status, 422);
    let new = set(&token, "something else");
    assert_eq!((new.status, &new.body["email"]), (200, &json!("mai@corp.test")));
    assert_eq!(set(&token, "something else").body["code"], "link_invalid", "once");
    assert_eq!(world.by(&world.admin, "GET", "/api/v1/session", &NOTHING).status, 204, "all other sessions are over");
    let login = |password: &str| {
        world.open("POST", "/api/v1/session", &json!({ "email": "mai@corp.test", "password": password })).status
    };
    assert_eq!((login("long enough"), login("something else")), (401, 200));

    // Too many in an hour are not sent.
    for _ in 0..6 {
        assert_eq!(forget("mai@corp.test"), 204);
    }
    world.later(0);
    let is_reset = |it: &&crate::ports::Envelope| it.rcpt_to == "mai@corp.test";
    assert_eq!(world.test.mailer.sent.lock().unwrap().iter().filter(is_reset).count(), 1 + 3);
    let token = world.token("mai@corp.test", "password");
    world.later(3_601);
    assert_eq!(set(&token, "something else").body["code"], "link_invalid", "after an hour");
}

#[test]
fn an_address_takes_effect_by_its_link_and_customers_wait_for_that() {
    let world = World::new();
    block_on(world.test.app.run(statement!("UPDATE users SET confirmed = NULL"))).unwrap();
    let me = || world.admin("GET", "/api/v1/session", &NOTHING);
    assert_eq!(me()["confirmed"], false);
    let new = json!({ "type": "ticket", "title": "T", "email": "ann@customer.test" });
    let record = world.admin("POST", "/api/v1/records", &new)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/records/{record}/messages");
    let post = |body: Value| world.by(&world.admin, "POST", &path, &body);
    let refused = post(json!({ "mode": "message", "text": "Hello" }));
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("address_unconfirmed")));
    assert_eq!(post(json!({ "mode": "note", "text": "Colleagues may hear it" })).status, 200);

    let profile = world.admin("GET", "/api/v1/profile", &NOTHING);
    assert_eq!((&profile["warnings"], &profile["suggestion"]), (&json!(["reserved"]), &json!("admin@corp.test")));
    let change = |email: &str| {
        let body = json!({ "email": email, "password": "long enough" });
        world.by(&world.admin, "POST", "/api/v1/profile/address", &body)
    };
    assert_eq!(change("mai@real.vn").body["pending"], "mai@real.vn");
    assert_eq!(me()["email"], "mai@corp.test", "not yet");
    let token = world.token("mai@real.vn", "confirm");
    assert!(!world.texts_in_database().contains(&token));
    let confirm = |token: &str| world.open("POST", &format!("/api/v1/confirm/{token}"), &NOTHING);
    assert_eq!(confirm(&token).body["email"], "mai@real.vn");
    assert_eq!(confirm(&token).body["code"], "link_invalid", "once");
    assert_eq!((&me()["email"], &me()["confirmed"]), (&json!("mai@real.vn"), &json!(true)));
    assert_eq!(post(json!({ "mode": "message", "text": "Hello" })).status, 200);
    let login = json!({ "email": "mai@real.vn", "password": "long enough" });
    assert_eq!(world.open("POST", "/api/v1/session", &login).status, 200, "the login goes with it");
    assert_eq!(world.admin("GET", "/api/v1/profile", &NOTHING)["warnings"], json!([]));

    world.joined("bo@corp.test", "agent", &json!([]));
    assert_eq!(change("bo@corp.test").body["fields"][0]["key"], "taken");
    let stolen = json!({ "email": "eve@evil.test" });
    let refused = world.by(&world.admin, "POST", "/api/v1/profile/address", &stolen);
    assert_eq!(refused.body["fields"][0]["key"], "wrong_password", "an open browser alone does not do");
    assert_eq!(change("support@corp.test").status, 200, "warned of, not forbidden");
    assert_eq!(world.admin("DELETE", "/api/v1/profile/address", &NOTHING)["pending"], NOTHING);
    for _ in 0..3 {
        assert_eq!(change("mai@other.vn").status, 200);
    }
    let limited = change("mai@other.vn");
    assert_eq!((limited.status, &limited.body["retry_after"]), (429, &json!(3_600)));
}

#[test]
fn mail_from_an_address_confirms_it_when_it_is_proven_and_warns_when_not() {
    let world = World::new();
    block_on(world.test.app.run(statement!("UPDATE users SET confirmed = NULL"))).unwrap();
    let come = |id: &str, word: &str| {
        let raw = format!(
            "Authentication-Results: mx.cloudflare.net; spf={word} smtp.mailfrom=corp.test; dkim={word} header.d=corp.test;\
             \r\n dmarc={word} header.from=corp.test\r\nFrom: Mai <mai@corp.test>\r\nTo: support@corp.test\r\n\
             Subject: {id}\r\nMessage-ID: <{id}@corp.test>\r\n\r\nHello\r\n"
        );
        let admit = crate::inbound::admit(
            &world.test.app,
            "mai@corp.test",
            "support@corp.test",
            raw.as_bytes().to_vec(),
            raw.len(),
        );
        super::tests::work(&world.test, &block_on(admit).unwrap());
    };
    let profile = || world.admin("GET", "/api/v1/profile", &NOTHING);
    come("1", "fail");
    assert_eq!(profile()["confirmed"], false);
    assert_eq!(profile()["warnings"], json!(["reserved", "not_authenticated"]));
    come("2", "pass");
    assert_eq!((&profile()["confirmed"], &profile()["warnings"]), (&json!(true), &json!(["reserved"])));
}

#[test]
fn sessions_are_told_apart_and_ended() {
    let world = World::new();
    let login = json!({ "email": "mai@corp.test", "password": "long enough" });
    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36";
    let headers = [("x-mailroom", "1"), ("user-agent", agent)];
    let open = || ask(&world.test, "POST", "/api/v1/session", &headers, &login).cookie.unwrap();
    let (second, third) = (open(), open());
    let sessions = |cookie: &str| {
        let profile = world.by(cookie, "GET", "/api/v1/profile", &NOTHING).body;
        profile["sessions"].as_array().unwrap().clone()
    };
    let list = sessions(&second);
    assert_eq!((list.len(), &list[0]["this"], &list[0]["browser"]), (3, &json!(true), &json!("Chrome · Linux")));
    let other = list.iter().find(|it| it["browser"] == "Chrome · Linux" && it["this"] == false).unwrap();
    let end = format!("/api/v1/profile/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(world.by(&second, "DELETE", &end, &NOTHING).body["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(world.by(&third, "GET", "/api/v1/profile", &NOTHING).status, 401);
    assert_eq!(world.by(&second, "DELETE", &end, &NOTHING).status, 404);

    world.later(600);
    sessions(&second);
    let seen = world.person("mai@corp.test")["last_seen"].as_i64().unwrap();
    assert_eq!(seen, world.test.app.now().as_millis(), "noted after the answer");

    let wrong = json!({ "old": "wrong", "new": "something else" });
    let change = |body: &Value| world.by(&second, "POST", "/api/v1/profile/password", body);
    assert_eq!(change(&wrong).body["fields"][0]["key"], "wrong_password");
    assert_eq!(change(&json!({ "old": "long enough", "new": "short" })).body["fields"][0]["key"], "password_short");
    assert_eq!(change(&json!({ "old": "long enough", "new": "something else" })).status, 200);
    assert_eq!(sessions(&second).len(), 1, "all others have ended");
    assert_eq!(world.by(&world.admin, "GET", "/api/v1/profile", &NOTHING).status, 401);
}

#[test]
fn a_colleagues_address_is_changed_by_himself_alone() {
    let world = World::new();
    let bo = world.joined("bo@corp.test", "agent", &json!([]));
    let contact = world.admin("GET", "/api/v1/session", &NOTHING)["contact"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/contacts/{contact}");
    let taken = world.by(&bo, "PATCH", &path, &json!({ "name": "Mai", "emails": ["bo@evil.test"] }));
    assert_eq!((taken.status, &taken.body["fields"][0]["key"]), (422, &json!("of_user")));
    assert_eq!(
        world.by(&bo, "PATCH", &path, &json!({ "name": "Mai L", "emails": ["mai@corp.test", "m@x.test"] })).status,
        200
    );
}

#[test]
fn a_token_does_what_it_was_made_for_and_no_more() {
    let world = World::new();
    let make = |name: &str, scopes: Value, days: Value| {
        world.admin("POST", "/api/v1/tokens", &json!({ "name": name, "scopes": scopes, "days": days }))
    };
    let shop = make("Shop", json!(["send", "read", "write"]), NOTHING);
    let secret = shop["secret"].as_str().unwrap().to_owned();
    assert_eq!(shop["row"]["scopes"], json!(["read", "write", "send"]));
    let by = |secret: &str, method: &str, path: &str, body: &Value| {
        ask(&world.test, method, path, &[("authorization", &format!("Bearer {secret}"))], body)
    };
    // No header against forged requests is needed: no browser sends a token by itself.
    let new = json!({ "type": "order", "title": "Quotation 7", "email": "ann@customer.test" });
    let record = by(&secret, "POST", "/api/v1/records", &new);
    assert_eq!((record.status, &record.body["responsible"]), (200, &NOTHING), "{}", record.body);
    assert_eq!(record.body["followers"], json!([]), "a program follows nothing");
    let path = format!("/api/v1/records/{}/messages", record.body["id"].as_str().unwrap());
    let letter = json!({ "mode": "message", "text": "Your quotation", "key": "q7" });
    let message = by(&secret, "POST", &path, &letter);
    assert_eq!((message.status, &message.body["author_name"]), (200, &json!("Shop (API)")), "{}", message.body);
    assert_eq!(by(&secret, "POST", &path, &letter).body["id"], message.body["id"], "posted once");
    world.later(11);
    let sent = world.test.mailer.sent.lock().unwrap().last().unwrap().clone();
    let from = mailroom_shared::mail::parse::parse(&sent.raw).head.from;
    assert_eq!(
        (sent.rcpt_to.as_str(), from[0].display().as_str()),
        ("ann@customer.test", "Shop <notifications@corp.test>")
    );

    let code = |secret: &str, method: &str, path: &str| {
        let reply = by(secret, method, path, &json!({}));
        (reply.status, reply.body["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code(&secret, "POST", "/api/v1/aliases"), (403, "token_scope".to_owned()));
    assert_eq!(code(&secret, "GET", "/api/v1/profile"), (403, "forbidden".to_owned()), "a person's own affair");
    assert_eq!(code(&secret, "GET", "/api/v1/tokens"), (403, "forbidden".to_owned()));
    let reader = make("Report", json!(["read"]), json!(1));
    let reader = reader["secret"].as_str().unwrap();
    assert_eq!(by(reader, "GET", "/api/v1/records", &NOTHING).status, 200);
    assert_eq!(code(reader, "POST", "/api/v1/records"), (403, "token_scope".to_owned()));
    assert_eq!(by("mailroom_nonsense", "GET", "/api/v1/records", &NOTHING).status, 401);

    // It is nobody to assign, mention or log in as.
    assert!(!world.admin("GET", "/api/v1/users", &NOTHING).to_string().contains("Shop"));
    assert!(!world.admin("GET", "/api/v1/people", &NOTHING).to_string().contains("Shop"));
    assert!(!world.admin("GET", "/api/v1/contacts", &NOTHING).to_string().contains("Shop"));

    let list = world.admin("GET", "/api/v1/tokens", &NOTHING);
    assert!(list.as_array().unwrap().iter().all(|it| it["last_used"].is_i64()), "{list}");
    assert!(!list.to_string().contains(&secret));
    world.later(24 * 3_600);
    assert_eq!(by(reader, "GET", "/api/v1/records", &NOTHING).status, 401, "it has ended");
    for _ in 0..mailroom_shared::people::TOKEN_REQUESTS {
        assert_eq!(by(&secret, "GET", "/api/v1/session", &NOTHING).status, 200);
    }
    let limited = by(&secret, "GET", "/api/v1/records", &NOTHING);
    assert_eq!((limited.status, limited.body["retry_after"].as_u64().is_some_and(|it| it <= 60)), (429, true));
    world.later(60);
    assert_eq!(by(&secret, "GET", "/api/v1/records", &NOTHING).status, 200);
    world.admin("DELETE", &format!("/api/v1/tokens/{}", shop["row"]["id"].as_str().unwrap()), &NOTHING);
    assert_eq!(by(&secret, "GET", "/api/v1/records", &NOTHING).status, 401, "revoked");
}

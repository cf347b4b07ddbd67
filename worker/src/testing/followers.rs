//! Following a record: what is told to whom, and the way out.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use futures::executor::block_on;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use super::TestApp;
use super::tests::call;
use super::tests::rows;
use super::tests::set_up;
use crate::http::Background;
use crate::http::router;

struct Office {
    test: TestApp,
    cookie: String,
    record: String,
}

impl Office {
    /// A record of Ann's that Lee, no colleague, follows.
    fn new() -> Self {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let new = json!({ "type": "order", "title": "Blue <boat>", "email": "ann@customer.test", "customer_name": "Ann Lee" });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        let office = Self { test, cookie, record };
        office.call("POST", &office.at("followers"), &json!({ "email": "lee@else.test", "name": "Lee" }));
        office
    }

    fn at(&self, rest: &str) -> String {
        format!("/api/v1/records/{}/{rest}", self.record)
    }

    fn status(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let answer = call(&self.test, method, path, &self.cookie, body);
        (answer.status, answer.body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, body) = self.status(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {body}");
        body
    }

    fn later(&self, seconds: i64) {
        self.test.clock.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&self.test.app));
    }

    fn write(&self, text: &str) -> Value {
        self.call("POST", &self.at("messages"), &json!({ "mode": "message", "text": text }))
    }

    /// Who got mail so far, in order of address.
    fn sent_to(&self) -> Vec<String> {
        let mut all: Vec<String> = self.test.mailer.sent.lock().unwrap().iter().map(|it| it.rcpt_to.clone()).collect();
        all.sort();
        all
    }

    /// The newest mail to an address.
    fn mail(&self, address: &str) -> (String, String) {
        let sent = self.test.mailer.sent.lock().unwrap();
        let raw = &sent.iter().rev().find(|it| it.rcpt_to == address).unwrap().raw;
        (String::from_utf8_lossy(raw).into_owned(), mailroom_shared::mail::parse::parse(raw).text)
    }

    fn visit(&self, method: &str, path: &str) -> (u16, String) {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://mailroom.test{path}"))
            .header("host", "mailroom.test")
            .body(Body::empty())
            .unwrap();
        block_on(async {
            let response = router(Arc::clone(&self.test.app), Background::default()).oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, String::from_utf8_lossy(&bytes).into_owned())
        })
    }

    fn followers(&self) -> Vec<String> {
        let sql = "SELECT c.name FROM followers f JOIN contacts c ON c.id = f.contact_id ORDER BY c.name";
        rows(&self.test, sql).iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn who_follows_can_stop_by_the_link_of_his_mail() {
    let office = Office::new();
    office.write("It is ready.");
    office.later(15);
    assert_eq!(office.sent_to(), ["ann@customer.test", "lee@else.test"]);
    assert!(!office.mail("ann@customer.test").1.contains("/f/"), "the customer is written to, he does not follow");
    let (raw, text) = office.mail("lee@else.test");
    assert!(!raw.contains("List-Unsubscribe"), "{raw}");
    assert!(text.contains("because you follow “Blue <boat>”"), "{text}");
    let (_, rest) = text.split_once("https://mailroom.test/f/").unwrap();
    let path = format!("/f/{}", rest.split_whitespace().next().unwrap());
    for method in ["GET", "HEAD"] {
        let (status, page) = office.visit(method, &path);
        assert_eq!(status, 200);
        assert!(page.is_empty() || page.contains("Blue &lt;boat&gt;"), "{page}");
    }
    assert_eq!(office.followers(), ["Lee", "Mai"], "looking changes nothing");
    let lines = || rows(&office.test, "SELECT author_name FROM messages WHERE system LIKE '%follower_removed%'").len();
    // Twice is once.
    for _ in 0..2 {
        let (status, page) = office.visit("POST", &path);
        assert_eq!((status, office.followers(), lines()), (200, vec!["Mai".to_owned()], 1), "{page}");
    }
    office.write("Again.");
    office.later(15);
    assert_eq!(office.sent_to(), ["ann@customer.test", "ann@customer.test", "lee@else.test"]);
    office.visit("POST", &format!("{path}?undo=1"));
    assert_eq!(office.followers(), ["Lee", "Mai"]);
    for wrong in [path.replace("/f/", "/u/"), format!("{path}a"), "/f/y1.aaaaaaaaaaaaaaaa".to_owned()] {
        assert_eq!(office.visit("POST", &wrong).0, 404, "{wrong}");
    }
}

#[test]
fn each_follower_is_told_of_what_was_chosen_for_him() {
    let office = Office::new();
    let bo =
        json!({ "name": "Bo", "email": "bo@corp.test", "password": "long enough", "role": "agent", "language": "vi" });
    office.call("POST", "/api/v1/users", &bo);
    block_on(office.test.app.run(crate::statement!(
        "UPDATE users SET notify_by = 'email', language = 'vi' WHERE login_key = 'bo@corp.test'"
    )))
    .unwrap();
    office.call("POST", &office.at("followers"), &json!({ "email": "bo@corp.test" }));
    let follower = |name: &str| {
        let record = office.call("GET", &format!("/api/v1/records/{}", office.record), &Value::Null);
        record["followers"].as_array().unwrap().iter().find(|it| it["name"] == name).cloned().unwrap()
    };
    let choose = |name: &str, wants: &Value| {
        let contact = follower(name)["contact"].as_str().unwrap().to_owned();
        office.status("PATCH", &office.at(&format!("followers/{contact}")), wants)
    };
    let plain = json!({ "messages": true, "notes": false, "stages": false });
    assert_eq!((&follower("Bo")["wants"], &follower("Lee")["wants"]), (&plain, &plain), "notes are asked for");
    let note = || office.call("POST", &office.at("messages"), &json!({ "mode": "note", "text": "Look" }));
    let stage = |to: &str| {
        office.call("PATCH", &format!("/api/v1/records/{}", office.record), &json!({ "stage": to }));
    };
    let stages = office.call("GET", &format!("/api/v1/records/{}", office.record), &Value::Null)["stages"].clone();
    note();
    stage(stages[1].as_str().unwrap());
    office.later(15);
    assert!(office.sent_to().is_empty());
    assert_eq!(choose("Lee", &json!({ "messages": true, "notes": true, "stages": false })).0, 422);
    assert_eq!(choose("Lee", &json!({ "messages": false, "notes": false, "stages": false })).0, 200);
    assert_eq!(choose("Bo", &json!({ "messages": false, "notes": true, "stages": true })).0, 200);
    office.write("Ready.");
    note();
    office.later(15);
    assert_eq!(office.sent_to(), ["ann@customer.test", "bo@corp.test"], "the note alone");
    assert!(office.mail("bo@corp.test").1.contains("Ngừng theo dõi"), "in his language");
    stage(stages[2].as_str().unwrap());
    office.later(15);
    let (_, text) = office.mail("bo@corp.test");
    assert!(text.starts_with("Mai moved it from"), "{text}");
    assert_eq!(office.sent_to().len(), 3);
    let people = office.call("POST", &office.at("recipients"), &json!({ "mode": "message", "text": "" }));
    let why: Vec<String> =
        people["people"].as_array().unwrap().iter().map(|it| format!("{} {}", it["name"], it["why"])).collect();
    let expected = ["\"Ann Lee\" \"customer\"", "\"Mai\" \"author\"", "\"Lee\" \"unwanted\"", "\"Bo\" \"unwanted\""];
    assert_eq!(why, expected);
}

#[test]
fn templates_are_checked_filled_and_chosen_for_a_record() {
    let office = Office::new();
    let content = |name: &str, text: &str| json!({ "name": name, "subject": "{{record.title}}", "text": text });
    let wrong = office.status("POST", "/api/v1/templates", &content("A", "Hi {{contact.phone}}"));
    assert_eq!((wrong.0, &wrong.1["fields"][0]["args"]["name"]), (422, &json!("contact.phone")), "{}", wrong.1);
    assert_eq!(office.status("POST", "/api/v1/templates", &content(" ", "")).0, 422);
    office.call("POST", "/api/v1/templates", &content("Thanks", "Dear {{contact.first_name}},\n{{user.name}}"));
    let list = office.call("POST", "/api/v1/templates", &content("Delay", "Later"));
    assert_eq!((&list[0]["content"]["name"], &list[1]["content"]["name"]), (&json!("Delay"), &json!("Thanks")));
    let id = list[1]["id"].as_str().unwrap();
    let filled = office.call("GET", &office.at(&format!("templates/{id}")), &Value::Null);
    let expected = json!({ "subject": "Blue <boat>", "text": "Dear Ann,\nMai", "record": "Blue <boat>" });
    assert_eq!(filled, expected);
    let preview = json!({ "content": content("Thanks", "{{contact.email}}") });
    assert_eq!(office.call("POST", "/api/v1/templates/preview", &preview)["text"], "ann@customer.test");
    let changed = office.call("PATCH", &format!("/api/v1/templates/{id}"), &content("About", "x"));
    assert_eq!((&changed[0]["content"]["name"], &changed[0]["by"]), (&json!("About"), &json!("Mai")));
    let left = office.call("DELETE", &format!("/api/v1/templates/{id}"), &Value::Null);
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(office.status("PATCH", &format!("/api/v1/templates/{id}"), &content("B", "x")).0, 404);
}

#[test]
fn a_scheduled_message_leaves_at_its_minute_unless_it_is_sent_now_or_cancelled() {
    let office = Office::new();
    let at = |seconds: i64| office.test.app.now().as_millis() + seconds * 1_000;
    let schedule = |at: i64| {
        let body = json!({ "mode": "message", "text": "Later", "send_at": at });
        office.status("POST", &office.at("messages"), &body)
    };
    assert_eq!(schedule(at(400 * 86_400)).0, 422);
    let (_, first) = schedule(at(3_600));
    assert_eq!(first["envelope"]["leaves_at"], at(3_600));
    office.later(3_500);
    assert!(office.sent_to().is_empty(), "not before its time");
    office.later(110);
    assert_eq!(office.sent_to().len(), 2);
    let act = |method: &str, message: &Value, rest: &str| {
        office.status(method, &format!("/api/v1/messages/{}{rest}", message["id"].as_str().unwrap()), &Value::Null)
    };
    assert_eq!((act("POST", &first, "/send-now").0, act("DELETE", &first, "").0), (409, 409), "it has left");
    let (_, second) = schedule(at(3_600));
    assert_eq!(act("POST", &second, "/send-now").0, 200);
    office.later(60);
    assert_eq!(office.sent_to().len(), 4);
    let (_, third) = schedule(at(3_600));
    let (status, draft) = act("DELETE", &third, "");
    assert_eq!((status, &draft["text"]), (200, &json!("Later")));
    office.later(7_200);
    assert_eq!(office.sent_to().len(), 4);
}

/// Adds a colleague and logs him in: his contact and his cookie.
fn colleague(office: &Office, name: &str, role: &str, notify_by: &str) -> (String, String, String) {
    let address = format!("{}@corp.test", name.to_lowercase());
    let new = json!({ "name": name, "email": address, "password": "long enough", "role": role, "language": "en" });
    office.call("POST", "/api/v1/users", &new);
    let login = json!({ "email": address, "password": "long enough" });
    let answer = call(&office.test, "POST", "/api/v1/session", "", &login);
    let cookie = answer.cookie.unwrap_or_else(|| panic!("{}", answer.body));
    call(&office.test, "PATCH", "/api/v1/session", &cookie, &json!({ "notify_by": notify_by }));
    let me = call(&office.test, "GET", "/api/v1/session", &cookie, &Value::Null).body;
    let text = |name: &str| me[name].as_str().unwrap().to_owned();
    (text("user"), text("contact"), cookie)
}

#[test]
fn who_is_made_responsible_is_told_as_he_prefers_and_never_by_himself() {
    let office = Office::new();
    let (bo, _, _) = colleague(&office, "Bo", "agent", "email");
    let (cy, cy_contact, of_cy) = colleague(&office, "Cy", "agent", "mailroom");
    let assign =
        |to: &str| office.status("PATCH", &format!("/api/v1/records/{}", office.record), &json!({ "responsible": to }));
    let told = |cookie: &str| call(&office.test, "GET", "/api/v1/notifications", cookie, &Value::Null).body;
    assert_eq!(assign(&bo).0, 200);
    office.later(15);
    assert_eq!(office.sent_to(), ["bo@corp.test"]);
    let (raw, text) = office.mail("bo@corp.test");
    assert!(text.contains(&format!("Open in Mailroom: https://mailroom.test/record/{}", office.record)), "{text}");
    assert!(raw.contains("Subject: Assigned to you: Blue <boat>"), "{raw}");
    assert!(text.starts_with("Mai made you responsible for “Blue <boat>”."), "{text}");
    assert_eq!(assign(&cy).0, 200);
    office.later(15);
    assert_eq!(office.sent_to().len(), 1, "he prefers to be told here");
    let list = told(&of_cy);
    assert_eq!(list["items"][0]["snippet"], "Mai made you responsible for “Blue <boat>”.", "{list}");
    // Taking it on oneself is no news, for oneself at least.
    let take = json!({ "responsible": cy });
    let new = json!({ "type": "order", "title": "Oar", "responsible": bo });
    call(&office.test, "PATCH", &format!("/api/v1/records/{}", office.record), &of_cy, &json!({ "responsible": "" }));
    call(&office.test, "PATCH", &format!("/api/v1/records/{}", office.record), &of_cy, &take);
    assert_eq!(told(&of_cy)["items"].as_array().unwrap().len(), 1);
    // A new record for somebody tells him too, and he follows.
    let made = office.call("POST", "/api/v1/records", &new);
    office.later(15);
    assert!(made["followers"].as_array().unwrap().iter().any(|it| it["name"] == "Bo"), "{made}");
    assert_eq!(office.sent_to().len(), 2);
    // A note makes nobody a follower, a message does (FO-12).
    office.call("DELETE", &office.at(&format!("followers/{cy_contact}")), &Value::Null);
    block_on(office.test.app.run(crate::statement!("UPDATE users SET confirmed = 1"))).unwrap();
    for (mode, follows) in [("note", false), ("message", true)] {
        call(&office.test, "POST", &office.at("messages"), &of_cy, &json!({ "mode": mode, "text": "Hm" }));
        assert_eq!(office.followers().contains(&"Cy".to_owned()), follows, "{mode}");
    }
    // Who has left the company answers for nothing.
    assert_eq!(assign(&bo).0, 200);
    office.call("PATCH", &format!("/api/v1/people/{cy}"), &json!({ "archived": true }));
    assert_eq!(assign(&cy).0, 422);
}

#[test]
fn what_is_told_in_mailroom_is_listed_read_starred_and_forgotten() {
    let office = Office::new();
    let (_, contact, of_cy) = colleague(&office, "Cy", "agent", "mailroom");
    office.call("POST", &office.at("followers"), &json!({ "contact": contact }));
    let ask = |method: &str, path: &str, body: &Value| call(&office.test, method, path, &of_cy, body).body;
    let unread = || ask("GET", "/api/v1/shell", &Value::Null)["told"].as_u64().unwrap();
    let list = |filter: &str| -> Vec<String> {
        let all = ask("GET", &format!("/api/v1/notifications?filter={filter}"), &Value::Null);
        all["items"].as_array().unwrap().iter().map(|it| it["snippet"].as_str().unwrap().to_owned()).collect()
    };
    let first = office.write("First")["id"].as_str().unwrap().to_owned();
    office.later(1);
    office.write("Second");
    // What leaves later is told when it leaves.
    let at = office.test.app.now().as_millis() + 3_600_000;
    let scheduled = json!({ "mode": "message", "text": "Third", "send_at": at });
    office.call("POST", &office.at("messages"), &scheduled);
    assert_eq!((unread(), list("unread")), (2, vec!["Second".to_owned(), "First".to_owned()]));
    office.later(3_700);
    assert_eq!(list("unread"), ["Third", "Second", "First"]);
    ask("PATCH", "/api/v1/notifications", &json!({ "messages": [first], "read": true, "starred": true }));
    assert_eq!((unread(), list("starred"), list("all").len()), (2, vec!["First".to_owned()], 3));
    // Reading the record is reading what was told of it.
    ask("PATCH", &format!("/api/v1/records/{}", office.record), &json!({ "read": true }));
    assert_eq!(unread(), 0);
    ask("PATCH", "/api/v1/notifications", &json!({ "messages": [first], "read": false }));
    assert_eq!(list("unread"), ["First"]);
    ask("PATCH", "/api/v1/notifications", &json!({ "read": true }));
    assert_eq!(unread(), 0);
    for wrong in [json!({ "starred": true }), json!({ "read": false })] {
        assert_eq!(call(&office.test, "PATCH", "/api/v1/notifications", &of_cy, &wrong).status, 422, "{wrong}");
    }
    // Nobody sees what others were told.
    assert!(
        office.call("GET", "/api/v1/notifications?filter=all", &Value::Null)["items"].as_array().unwrap().is_empty()
    );
    // Auto-vacuum takes what was read long ago and has no star.
    let now = office.test.app.now() + mailroom_shared::time::Span::days(1);
    block_on(office.test.app.run(crate::store::notifications::forget(now, 100))).unwrap();
    assert_eq!(list("all"), ["First"]);
}

#[test]
fn who_only_reads_follows_for_himself_alone() {
    let office = Office::new();
    let (_, contact, of_ria) = colleague(&office, "Ria", "read_only", "mailroom");
    let lee = rows(&office.test, "SELECT id FROM contacts WHERE name = 'Lee'")[0]["id"].as_str().unwrap().to_owned();
    let ask =
        |method: &str, rest: &str, body: &Value| call(&office.test, method, &office.at(rest), &of_ria, body).status;
    assert_eq!(ask("POST", "followers", &json!({ "contact": contact })), 200);
    assert!(office.followers().contains(&"Ria".to_owned()));
    let all = json!({ "messages": true, "notes": true, "stages": true });
    assert_eq!(ask("PATCH", &format!("followers/{contact}"), &all), 200);
    assert_eq!(ask("DELETE", &format!("followers/{lee}"), &Value::Null), 403);
    assert_eq!(ask("POST", "followers", &json!({ "email": "new@else.test" })), 403);
    assert_eq!(ask("DELETE", &format!("followers/{contact}"), &Value::Null), 200);
    assert_eq!(office.followers(), ["Lee", "Mai"]);
}

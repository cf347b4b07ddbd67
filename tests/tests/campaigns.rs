//! Campaigns over the running Worker and real SMTP: each recipient once whatever dies, strictly in the order of creation,
//! over the days that a limit makes of it; the way out in one click; machines told from people.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use mailroom_tests::client::Client;
use mailroom_tests::stack::Stack;
use mailroom_tests::story;
use serde_json::Value;
use serde_json::json;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
/// Recipients of the campaign during which the Worker is killed.
const MANY: usize = 2_000;
const KILLS: usize = 3;
const MINUTE: Duration = Duration::from_mins(1);

struct Office {
    stack: Stack,
    api: Client,
    ahead: Duration,
}

impl Office {
    fn start(name: &str) -> Self {
        let (stack, api) = story::start(name);
        let mut office = Self { stack, api, ahead: Duration::ZERO };
        let server = office.servers()[0].clone();
        office.change_server(&server, json!({ "name": "mx-bulk", "bulk": true }));
        office.tick(Duration::ZERO);
        office
    }

    fn get(&self, path: &str) -> Value {
        story::get(&self.api, path)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.api.post(path, &body).unwrap().ok().unwrap()
    }

    fn servers(&self) -> Vec<Value> {
        self.get("/api/v1/servers").as_array().unwrap().clone()
    }

    fn change_server(&self, server: &Value, change: Value) {
        let mut settings = server["settings"].clone();
        for (key, value) in change.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let path = format!("/api/v1/servers/{}", server["id"].as_str().unwrap());
        self.api.patch(&path, &settings).unwrap().ok().unwrap();
    }

    /// Moves the clock on and runs the minute.
    fn tick(&mut self, later: Duration) {
        self.ahead += later;
        story::set_clock(&self.api, self.ahead);
        self.stack.cron(None).unwrap();
    }

    fn list(&self, name: &str, addresses: &[String]) -> String {
        let list = self.post("/api/v1/mailing-lists", json!({ "name": name, "public": true }));
        let id = story::id(&list);
        let csv = addresses.iter().map(|it| format!("{it},Person\n")).collect::<Vec<_>>().concat();
        let report = self.post(&format!("/api/v1/mailing-lists/{id}/import"), json!({ "csv": csv }));
        assert_eq!(report["added"], addresses.len(), "{report}");
        id
    }

    fn draft(&self, name: &str, list: &str, more: Value) -> String {
        let made = self.post("/api/v1/campaigns", json!({ "name": name }));
        let id = story::id(&made["row"]);
        let mut settings = made["settings"].clone();
        settings["subject"] = name.into();
        settings["audience"] = json!({ "lists": [list] });
        settings["content"] = json!({ "blocks": [
            { "kind": "text", "text": "Hello {{contact.name | friend}}, see [one](https://corp.example/1) and [two](https://corp.example/2)." },
            { "kind": "button", "text": "Three", "url": "https://corp.example/3" },
            { "kind": "footer", "text": "Corp" },
        ] });
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        self.api.patch(&format!("/api/v1/campaigns/{id}"), &settings).unwrap().ok().unwrap();
        id
    }

    fn act(&self, id: &str, act: &str) -> Value {
        self.post(&format!("/api/v1/campaigns/{id}/acts"), json!({ "act": act }))
    }

    fn view(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/campaigns/{id}"))
    }

    fn state(&self, id: &str) -> String {
        self.view(id)["row"]["state"].as_str().unwrap().to_owned()
    }

    /// Minutes go by until the campaign is in this state.
    fn until(&mut self, id: &str, state: &str) {
        let end = Instant::now() + Duration::from_mins(2);
        while self.state(id) != state {
            assert!(Instant::now() < end, "{state}: {}\n{}", self.view(id), self.stack.log_tail(40));
            self.tick(MINUTE);
        }
    }

    /// Copies that the sink has, by address.
    fn copies(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for mail in self.stack.sink().store().find(None) {
            for to in mail.to {
                *all.entry(to).or_default() += 1;
            }
        }
        all
    }

    fn counts(&self, id: &str) -> BTreeMap<String, usize> {
        let ledger = self.view(id)["ledger"].clone();
        let n = |it: &Value| usize::try_from(it.as_u64().unwrap()).unwrap();
        let states = ledger["states"].as_array().unwrap().iter();
        let mut all: BTreeMap<String, usize> =
            states.map(|it| (it["state"].as_str().unwrap().to_owned(), n(&it["n"]))).collect();
        let left_out: usize = ledger["left_out"].as_array().unwrap().iter().map(|it| n(&it["n"])).sum();
        let sum = all.values().sum::<usize>() + left_out + n(&ledger["planned"]) + n(&ledger["duplicates"]);
        assert_eq!(sum, n(&ledger["listed"]), "it adds up: {ledger}");
        all.insert("planned".to_owned(), n(&ledger["planned"]));
        all
    }

    /// As a mail program: status and where it leads.
    fn visit(&self, method: &str, path: &str, agent: &str) -> (u16, String) {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.stack.base_url()))
            .header("user-agent", agent)
            .body(())
            .unwrap();
        let response = config.new_agent().run(request).unwrap();
        let to = response.headers().get("location").map(|it| it.to_str().unwrap().to_owned());
        (response.status().as_u16(), to.unwrap_or_default())
    }
}

fn addresses(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("ok.{prefix}{i:04}@sink.test")).collect()
}

/// Paths of a kind (`u`, `o`, `c`) in a mail, each once.
fn paths(raw: &str, kind: &str) -> Vec<String> {
    let raw = raw.replace("=\r\n", "").replace("=3D", "=");
    let mut found: Vec<String> = Vec::new();
    for (at, _) in raw.match_indices(&format!("/{kind}/")) {
        let rest = &raw[at..];
        let path = rest[..rest.find(['"', '>', ' ', '\r', '<']).unwrap_or(rest.len())].to_owned();
        if !found.contains(&path) {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "{kind} in {raw}");
    found
}

#[test]
fn two_thousand_get_it_once_whenever_the_worker_dies() {
    let mut office = Office::start("campaign-kill");
    let all = addresses("many", MANY);
    let list = office.list("All", &all);
    let id = office.draft("Winter", &list, json!({}));
    office.act(&id, "send");
    for round in 0..=KILLS {
        story::set_clock(&office.api, office.ahead);
        let client = office.stack.client();
        client.login(story::AGENT, story::PASSWORD).unwrap();
        let before = office.stack.sink().store().total();
        let drain = thread::spawn(move || client.post("/api/dev/tick", &json!({})).is_ok());
        if round == 0 {
            // While recipients are written down, or just after.
            thread::sleep(Duration::from_millis(30));
        } else {
            story::within(story::SOON, "some mails", &office.stack, || {
                (office.stack.sink().store().total() >= before + 150).then_some(())
            });
        }
        office.stack.kill_hard().unwrap();
        let _ = drain.join();
        office.stack.restart().unwrap();
        office.api = office.stack.client();
        office.api.login(story::AGENT, story::PASSWORD).unwrap();
        // The leases of the dead end.
        office.ahead += Duration::from_mins(15);
    }
    office.until(&id, "sent");
    let (counts, copies) = (office.counts(&id), office.copies());
    let twice: Vec<_> = all.iter().filter(|it| copies.get(*it).copied().unwrap_or(0) > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let (sent, unknown) = (counts["sent"], counts.get("unknown").copied().unwrap_or(0));
    assert_eq!(sent + unknown, MANY, "{counts:?}");
    let there = all.iter().filter(|it| copies.get(*it) == Some(&1)).count();
    println!("{KILLS} kills in a campaign of {MANY}: {sent} sent, {unknown} unknown, {there} in the sink, none twice");
    assert!(there >= sent && unknown <= (KILLS + 1) * 2 * 48, "{there} {counts:?}");
    // What is said to be sent is there.
    let page = office.get(&format!("/api/v1/campaigns/{id}/recipients?filter=unknown&limit=200"));
    assert_eq!(page["items"].as_array().unwrap().len(), unknown.min(200), "the ledger lists them");
}

#[test]
fn three_leave_in_the_order_of_creation_and_a_fourth_waits_for_its_server() {
    let mut office = Office::start("campaign-order");
    office.api.postpone_reset().unwrap();
    let server = office.servers()[0].clone();
    office.change_server(&server, json!({ "name": "mx-bulk", "bulk": true, "from_filter": "corp.example" }));
    let port = office.stack.sink().address().port();
    office.post(
        "/api/v1/servers",
        json!({
            "name": "mx-four", "kind": "smtp", "host": "127.0.0.1", "port": port, "security": "none", "bulk": true,
            "from_filter": "other.example", "daily_limit": 1,
        }),
    );
    let list = office.list("All", &addresses("order", 60));
    let mut ids: Vec<String> =
        ["First", "Second", "Third"].iter().map(|it| office.draft(it, &list, json!({}))).collect();
    ids.push(office.draft("Fourth", &list, json!({ "from": { "name": "News", "address": "news@other.example" } })));
    // All in the queue before the first leaves, the last created first.
    for id in ids.iter().rev() {
        let at = 1_000 * 60 * 10;
        let now = office.get("/api/v1/shell")["now"].as_i64().unwrap();
        office.post(&format!("/api/v1/campaigns/{id}/acts"), json!({ "act": "schedule", "at": now + at }));
    }
    office.tick(Duration::from_mins(11));
    for id in &ids[..3] {
        office.until(id, "sent");
    }
    let subjects: Vec<String> =
        office.stack.sink().store().find(None).iter().map(|it| story::header(&it.raw, "Subject")).collect();
    for (i, name) in ["First", "Second", "Third"].iter().enumerate() {
        let theirs = &subjects[i * 60..(i + 1) * 60];
        assert!(theirs.iter().all(|it| it == name), "{name}: {theirs:?}");
    }
    let fourth = office.view(&ids[3]);
    let waits = &fourth["row"]["departure"]["waits"];
    assert_eq!((&waits["why"], &waits["parked"]["server"]), (&json!("parked"), &json!("mx-four")), "{fourth}");
    assert_eq!(fourth["row"]["departure"]["position"], 1);
    assert!(office.copies().values().all(|n| *n <= 4));
    // Its limit is raised: it goes on.
    let four = office.servers().into_iter().find(|it| it["settings"]["name"] == "mx-four").unwrap();
    office.change_server(&four, json!({ "daily_limit": 500 }));
    office.until(&ids[3], "sent");
    assert_eq!(office.counts(&ids[3])["sent"], 60);
}

#[test]
fn a_limit_makes_two_days_of_it() {
    let mut office = Office::start("campaign-limit");
    office.api.postpone_reset().unwrap();
    let server = office.servers()[0].clone();
    office.change_server(&server, json!({ "daily_limit": 100 }));
    let all = addresses("limit", 150);
    let list = office.list("All", &all);
    let id = office.draft("Winter", &list, json!({}));
    let found = office.get(&format!("/api/v1/campaigns/{id}/preflight"));
    let limit = found["findings"].as_array().unwrap().iter().find(|it| it["key"] == "limit").unwrap().clone();
    assert_eq!(limit["args"]["days"], "2", "{limit}");
    office.act(&id, "send");
    for _ in 0..4 {
        office.tick(MINUTE);
    }
    let first = office.copies().len();
    assert!((80..=100).contains(&first), "a part is kept for urgent mail: {first}");
    let departure = office.view(&id)["row"]["departure"].clone();
    assert_eq!(departure["waits"]["parked"]["by"], "limit", "{departure}");
    assert_eq!(office.counts(&id)["outgoing"], 150 - first);
    office.tick(Duration::from_hours(24));
    office.until(&id, "sent");
    assert_eq!((office.copies().len(), office.copies().values().all(|n| *n == 1)), (150, true));
}

#[test]
fn one_click_takes_out_and_machines_are_no_readers() {
    let mut office = Office::start("campaign-visits");
    let all = ["ok.ann@sink.test".to_owned(), "ok.bo@sink.test".to_owned(), "later.cy@sink.test".to_owned()];
    let list = office.list("All", &all);
    let id = office.draft("Winter", &list, json!({}));
    office.act(&id, "send");
    office.until(&id, "sent");
    let mail = |address: &str| office.stack.sink().messages_to(address)[0].raw.clone();
    let (ann, bo) = (mail(&all[0]), mail(&all[1]));
    let way_out = story::header(&ann, "List-Unsubscribe");
    assert!(way_out.starts_with(&format!("<{}/u/", office.stack.base_url())), "{way_out}");
    assert_eq!(story::header(&ann, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    // The sink's report of one comes back by its return path.
    story::within(story::SOON, "the report", &office.stack, || {
        (office.counts(&id).get("bounced") == Some(&1)).then_some(())
    });
    // The receiving server looks at everything at once, seconds after the hand-over.
    for path in paths(&ann, "c").iter().chain(&paths(&ann, "u")) {
        let (status, _) = office.visit("GET", path, FIREFOX);
        assert!(status == 302 || status == 200, "{path}: {status}");
    }
    let results = |office: &Office| office.get(&format!("/api/v1/campaigns/{id}/results"));
    assert_eq!((&results(&office)["clicked"], &results(&office)["robots"]), (&json!(0), &json!(1)));
    assert_eq!(results(&office)["unsubscribed"], 0, "looking at the way out takes nobody out");
    office.tick(Duration::from_mins(10));
    assert_eq!(office.visit("GET", &paths(&bo, "o")[0], FIREFOX).0, 200);
    let (status, to) = office.visit("GET", &paths(&bo, "c")[0], FIREFOX);
    assert_eq!((status, to.as_str()), (302, "https://corp.example/1"));
    assert_eq!((&results(&office)["opened"], &results(&office)["clicked"]), (&json!(1), &json!(1)));
    // One click, and the next campaign leaves her out.
    assert_eq!(office.visit("POST", &paths(&ann, "u")[0], "").0, 200);
    assert_eq!(results(&office)["unsubscribed"], 1);
    let next = office.draft("Spring", &list, json!({}));
    office.act(&next, "send");
    office.until(&next, "sent");
    let left_out = office.view(&next)["ledger"]["left_out"].clone();
    assert!(left_out.to_string().contains("unsubscribed"), "{left_out}");
    assert_eq!((office.copies()[&all[0]], office.copies()[&all[1]]), (1, 2));
}

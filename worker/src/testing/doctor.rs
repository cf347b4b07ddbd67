//! Domain checks with DNS in memory, notices on change, the installation, and settings that were changed.

use std::sync::atomic::Ordering;

use futures::executor::block_on;
use mailroom_shared::doctor::dns::Data;
use mailroom_shared::doctor::dns::Kind;
use serde_json::Value as Json;
use serde_json::json;

use super::TestApp;
use super::tests::call;
use super::tests::set_up;

struct Office {
    test: TestApp,
    cookie: String,
}

impl Office {
    fn new() -> Self {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let route = Data::Mx { preference: 10, host: "route1.mx.cloudflare.net".to_owned() };
        test.dns.zone.lock().unwrap().insert(("corp.test".to_owned(), Kind::Mx), vec![route]);
        test.dns.text("corp.test", &["v=spf1 include:_spf.mx.cloudflare.net ~all"]);
        test.dns.text("_spf.mx.cloudflare.net", &["v=spf1 ip4:104.30.0.0/20 ~all"]);
        test.dns.text("_dmarc.corp.test", &["v=DMARC1; p=reject; rua=mailto:d@corp.test"]);
        Self { test, cookie }
    }

    fn call(&self, method: &str, path: &str, body: &Json) -> Json {
        let answer = call(&self.test, method, path, &self.cookie, body);
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    fn codes(report: &Json) -> Vec<&str> {
        report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
    }

    fn check(&self) -> Json {
        self.call("POST", "/api/v1/doctor/domains/corp.test", &Json::Null)
    }

    fn run_action(&self) {
        self.call("POST", "/api/v1/actions/domain_checks/runs", &Json::Null);
        self.test.clock.0.fetch_add(60_000, Ordering::Relaxed);
    }

    fn notices(&self) -> Vec<(String, String)> {
        let all = self.call("GET", "/api/v1/notices", &Json::Null);
        let all = all.as_array().unwrap().iter();
        all.map(|it| (it["kind"].as_str().unwrap().to_owned(), it["args"]["what"].as_str().unwrap_or("").to_owned()))
            .collect()
    }
}

#[test]
fn a_domain_is_checked_and_its_key_has_to_be_published() {
    let office = Office::new();
    let before = office.call("GET", "/api/v1/doctor", &Json::Null);
    assert_eq!(before["unchecked"], json!(["corp.test"]));
    let report = office.check();
    let codes = Office::codes(&report);
    for code in ["mx_routing", "spf_good", "dmarc_good", "dkim_none"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    let key = office.call("POST", "/api/v1/dkim/corp.test", &Json::Null);
    let report = office.check();
    let missing = report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "dkim_missing").unwrap();
    assert_eq!(missing["records"][0]["name"], key["record_name"]);
    assert_eq!(missing["records"][0]["value"], key["record_value"]);
    assert!(missing["what"].as_str().unwrap().contains("not published"), "{missing}");
    office.test.dns.text(key["record_name"].as_str().unwrap(), &[key["record_value"].as_str().unwrap()]);
    assert!(Office::codes(&office.check()).contains(&"dkim_good"));
    // Kept, and told in the reader's language.
    office.call("PATCH", "/api/v1/session", &json!({ "language": "vi" }));
    let doctor = office.call("GET", "/api/v1/doctor", &Json::Null);
    assert_eq!(doctor["unchecked"], json!([]));
    let good = doctor["domains"][0]["findings"].as_array().unwrap().iter().find(|it| it["code"] == "spf_good").unwrap();
    assert!(good["what"].as_str().unwrap().contains("ổn"), "{good}");
    // Another domain is looked at from outside and not kept.
    let other = office.call("POST", "/api/v1/doctor/domains/gone.test", &Json::Null);
    assert!(Office::codes(&other).contains(&"domain_missing"));
    assert_eq!(office.call("GET", "/api/v1/doctor", &Json::Null)["domains"].as_array().unwrap().len(), 1);
    assert_eq!(call(&office.test, "POST", "/api/v1/doctor/domains/a%20b", &office.cookie, &Json::Null).status, 422);
    // A lookup that was asked once is not asked again within a check.
    let asked = office.test.dns.asked.lock().unwrap();
    assert!(asked.len() < 200, "{}", asked.len());
}

#[test]
fn a_change_is_told_once_and_silence_is_no_change() {
    let office = Office::new();
    office.run_action();
    assert_eq!(office.notices(), [], "the first check has nothing to compare with");
    office.run_action();
    assert_eq!(office.notices(), []);
    office.test.dns.text("corp.test", &["v=spf1 -all", "v=spf1 +all"]);
    office.run_action();
    assert_eq!(office.notices(), [("domain_worse".to_owned(), "SPF".to_owned())]);
    office.run_action();
    assert_eq!(office.notices().len(), 1, "told once");
    office.test.dns.is_silent.store(true, Ordering::Relaxed);
    office.run_action();
    assert_eq!(office.notices().len(), 1, "silence is no change");
    let doctor = office.call("GET", "/api/v1/doctor", &Json::Null);
    assert!(Office::codes(&doctor["domains"][0]).contains(&"spf_several"), "the last good look is kept");
    office.test.dns.is_silent.store(false, Ordering::Relaxed);
    office.test.dns.text("corp.test", &["v=spf1 include:_spf.mx.cloudflare.net ~all"]);
    office.run_action();
    // One notice per domain: the newest.
    assert_eq!(office.notices(), [("domain_better".to_owned(), "SPF".to_owned())]);
    assert!(office.call("GET", "/api/v1/doctor", &Json::Null)["domains"][0]["changed"].is_number());
}

#[test]
fn the_installation_tells_what_it_lacks() {
    let office = Office::new();
    let codes = |office: &Office| {
        let doctor = office.call("GET", "/api/v1/doctor", &Json::Null);
        let all = doctor["installation"].as_array().unwrap().clone();
        assert!(all.iter().all(|it| !it["what"].as_str().unwrap().contains(['{', '_'])), "{all:#?}");
        all.into_iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let has = |all: &[String], code: &str| all.iter().any(|it| it == code);
    let all = codes(&office);
    // No clock has ticked in this world, and wrangler's table of migrations is not there.
    assert!(
        has(&all, "cron_late") && has(&all, "migrations_due") && has(&all, "servers") && has(&all, "processed"),
        "{all:?}"
    );
    block_on(crate::cron::tick(&office.test.app));
    assert!(has(&codes(&office), "cron"));
    let run = |sql: &'static str| block_on(office.test.app.run(crate::ports::Statement::new(sql))).unwrap();
    run("UPDATE servers SET enabled = 0");
    run("UPDATE aliases SET state = 'failing'");
    run("UPDATE actions SET enabled = 0 WHERE name = 'auto_vacuum'");
    run(
        "INSERT INTO settings (key, value) VALUES ('database_bytes', '9500000000') ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    run(
        "INSERT INTO provider_events (sha256, body, received) VALUES ('a', '{\"type\":\"cf.email.sending.message.delivered\"}', 1), ('b', 'no json', 2)",
    );
    let all = codes(&office);
    for code in ["servers_none", "actions_off", "database_full", "events", "events_some"] {
        assert!(has(&all, code), "{code}: {all:?}");
    }
    let people = call(&office.test, "GET", "/api/v1/doctor", "", &Json::Null);
    assert_eq!(people.status, 401);
}

#[test]
fn changed_settings_are_noted_without_secrets() {
    let office = Office::new();
    let changes = || office.call("GET", "/api/v1/setting-changes", &Json::Null).as_array().unwrap().clone();
    let first = changes();
    let server = json!({ "name": "Relay", "kind": "smtp", "host": "relay.test", "port": 465, "username": "corp",
        "password": "hunter2-very-secret" });
    let made = office.call("POST", "/api/v1/servers", &server);
    let id = made["id"].as_str().unwrap().to_owned();
    office.call(
        "PATCH",
        &format!("/api/v1/servers/{id}"),
        &json!({ "name": "Relay", "kind": "smtp", "host": "r2.test", "port": 465 }),
    );
    office.call("POST", "/api/v1/domains", &json!({ "name": "two.test" }));
    office.call("PATCH", "/api/v1/domains/two.test", &json!({ "catchall": "all" }));
    // The same again changes nothing and leaves no row.
    office.call("PATCH", "/api/v1/domains/two.test", &json!({ "catchall": "all" }));
    office.call("DELETE", "/api/v1/domains/two.test", &Json::Null);
    let alias = office.call("POST", "/api/v1/aliases", &json!({ "address": "shop@corp.test", "creates": "lead" }));
    office.call("DELETE", &format!("/api/v1/aliases/{}", alias["id"].as_str().unwrap()), &Json::Null);
    office.call("PATCH", "/api/v1/actions/auto_vacuum", &json!({ "interval": 720 }));
    office.call("PATCH", "/api/v1/doctor/resolver", &json!({ "url": "https://dns.test/dns-query" }));
    office.call("POST", "/api/v1/dkim/corp.test", &Json::Null);
    office.call("DELETE", &format!("/api/v1/servers/{id}"), &Json::Null);
    let all = changes();
    let told: Vec<String> = all
        .iter()
        .rev()
        .skip(first.len())
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap().to_owned();
            let kind = match (it["before"] == "", it["after"] == "") {
                (true, _) => "new",
                (_, true) => "gone",
                _ => "changed",
            };
            assert_eq!(text("by"), "Mai");
            format!("{} {} {kind}", text("area"), text("item"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "server Relay new",
            "server Relay changed",
            "domain two.test new",
            "domain two.test changed",
            "domain two.test gone",
            "alias shop@corp.test new",
            "alias shop@corp.test gone",
            "action auto_vacuum changed",
            "resolver  new",
            "dkim corp.test new",
            "server Relay changed",
        ]
    );
    let text = serde_json::to_string(&all).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("sealed") && text.contains("r2.test"), "{text}");
    // What did not happen is not told.
    assert_eq!(
        call(&office.test, "POST", "/api/v1/domains", &office.cookie, &json!({ "name": "corp.test" })).status,
        422
    );
    assert_eq!(changes().len(), all.len());
    for url in ["http://dns.test/", "https://", "ftp://dns.test", "https://a b"] {
        let answer = call(&office.test, "PATCH", "/api/v1/doctor/resolver", &office.cookie, &json!({ "url": url }));
        assert_eq!(answer.status, 422, "{url}");
    }
}

//! Domain checks end to end: the Worker and `cargo xtask doctor` ask a DNS over HTTPS server of our own. A good domain, a
//! broken one, a change that is told.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::process::Command;

use mailroom_tests::client::Client;
use mailroom_tests::resolver::Resolver;
use mailroom_tests::story::*;
use serde_json::Value;
use serde_json::json;

const GOOD: &str = "corp.example MX 10 route1.mx.cloudflare.net
    corp.example MX 20 route2.mx.cloudflare.net
    corp.example TXT other=1
    corp.example TXT v=spf1 include:_spf.mx.cloudflare.net ip4:192.0.2.25 include:_spf.relay.example exists:%{i}._ok.relay.example -all
    _spf.mx.cloudflare.net TXT v=spf1 ip4:104.30.0.0/20 ip6:2405:8100:c000::/38 ~all
    _spf.relay.example TXT v=spf1 a:out.relay.example mx:relay.example ~all
    out.relay.example CNAME pool.relay.example
    pool.relay.example A 198.51.100.7
    relay.example MX 5 out.relay.example
    192.0.2.99._ok.relay.example A 127.0.0.2
    _dmarc.corp.example TXT v=DMARC1; p=reject; rua=mailto:dmarc@corp.example";

fn codes(report: &Value) -> Vec<String> {
    report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

fn finding(report: &Value, code: &str) -> Value {
    let all = report["findings"].as_array().unwrap();
    all.iter().find(|it| it["code"] == code).unwrap_or_else(|| panic!("{code}: {report:#}")).clone()
}

fn post(api: &Client, path: &str) -> Value {
    api.post(path, &Value::Null).unwrap().ok().unwrap()
}

/// `cargo xtask doctor`, as it was built with this test.
fn xtask(resolver: &Resolver, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.arg("doctor").args(words).args(["--resolver", &resolver.url()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn the_command_line_checks_a_domain() {
    let resolver = Resolver::start(GOOD).unwrap();
    let (ok, text) = xtask(&resolver, &["corp.example", "--sender", "192.0.2.25"]);
    assert!(ok, "{text}");
    for part in [
        "Email Routing",
        "spf_good",
        "5 of 10",
        "DMARC of corp.example: reject",
        "192.0.2.25 may send",
        "v=spf1 a:out.relay.example",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let spf = |ip: &str| xtask(&resolver, &["corp.example", "--ip", ip]).1;
    assert!(spf("104.30.1.1").contains("spf=pass"));
    assert!(spf("198.51.100.7").contains("by include:_spf.relay.example of corp.example"), "{}", spf("198.51.100.7"));
    assert!(spf("192.0.2.99").contains("spf=pass") && spf("192.0.2.98").contains("spf=fail"));
    assert!(spf("2405:8100:c000::1").contains("spf=pass"));
    resolver.set("corp.example TXT v=spf1 ipv4:192.0.2.1 -all");
    let (ok, text) = xtask(&resolver, &["corp.example", "--json"]);
    assert!(!ok && text.contains("spf_syntax_mechanism") && text.contains("mx_missing"), "{text}");
    let (_, text) = xtask(&resolver, &["corp.example", "--lang", "vi"]);
    assert!(text.contains("không tồn tại"), "{text}");
    assert!(xtask(&resolver, &["not a domain"]).1.contains("no domain name"));
}

#[test]
fn a_good_domain_a_broken_one_and_a_change_that_is_told() {
    let resolver = Resolver::start(GOOD).unwrap();
    let (stack, api) = start("doctor");
    api.patch("/api/v1/doctor/resolver", &json!({ "url": resolver.url() })).unwrap().ok().unwrap();

    let report = post(&api, "/api/v1/doctor/domains/corp.example");
    for code in ["mx_routing", "spf_good", "dmarc_good", "dkim_none"] {
        assert!(codes(&report).contains(&code.to_owned()), "{code}: {:?}\n{}", codes(&report), stack.log_tail(30));
    }
    assert_eq!(report["spf_lookups"], 5);
    // A key of 2048 bits is split in its record, and read whole.
    let key = post(&api, "/api/v1/dkim/corp.example");
    let missing = finding(&post(&api, "/api/v1/doctor/domains/corp.example"), "dkim_missing");
    let record = &missing["records"][0];
    assert_eq!(record["value"], key["record_value"]);
    let published = format!("{GOOD}\n{} TXT {}", record["name"].as_str().unwrap(), record["value"].as_str().unwrap());
    resolver.set(&published);
    let good = finding(&post(&api, "/api/v1/doctor/domains/corp.example"), "dkim_good");
    assert!(good["what"].as_str().unwrap().contains("RSA 2048"), "{good}");

    // The daily action finds what broke over night and tells it once.
    resolver.set(&published.replace("p=reject", "p=rejekt").replace("-all", "-all include:late.example"));
    for _ in 0..2 {
        post(&api, "/api/v1/actions/domain_checks/runs");
    }
    let notices = get(&api, "/api/v1/notices");
    let told: Vec<&Value> = notices.as_array().unwrap().iter().filter(|it| it["kind"] == "domain_worse").collect();
    assert_eq!(told.len(), 1, "{notices:#}");
    assert_eq!(told[0]["args"]["what"], "DMARC, SPF");
    let doctor = get(&api, "/api/v1/doctor");
    assert!(codes(&doctor["domains"][0]).contains(&"dmarc_odd".to_owned()));
    assert!(doctor["installation"].as_array().unwrap().iter().any(|it| it["code"] == "migrations"), "{doctor:#}");

    // A resolver that is gone is said to be, and changes nothing.
    api.patch("/api/v1/doctor/resolver", &json!({ "url": "http://127.0.0.1:9/dns-query" })).unwrap().ok().unwrap();
    post(&api, "/api/v1/actions/domain_checks/runs");
    assert_eq!(get(&api, "/api/v1/notices").as_array().unwrap().len(), notices.as_array().unwrap().len());
    let changes = get(&api, "/api/v1/setting-changes");
    assert!(changes.as_array().unwrap().iter().any(|it| it["area"] == "resolver"), "{changes:#}");
}

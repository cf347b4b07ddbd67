//! Doctor and support bundle in real Chromium: records to copy, a dropped `.eml` and `.msg`, the trace, the dry run, and a
//! bundle in which nothing planted is left.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::io::Cursor;
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::resolver::Resolver;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::*;
use serde_json::Value;
use serde_json::json;

const ZONE: &str = "corp.example MX 10 route1.mx.cloudflare.net
    corp.example TXT v=spf1 include:_spf.mx.cloudflare.net include:gone.relay.example ?all
    corp.example TXT google-site-verification=abc
    _spf.mx.cloudflare.net TXT v=spf1 ip4:104.30.0.0/20 ~all
    _dmarc.corp.example TXT v=DMARC1; p=none";

const SECRETS: [&str; 4] = [
    "hunter2-Very-Secret-99",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "d41d8cd98f00b204e9800998ecf8427e",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
];

const HEAD: &str = "Return-Path: <ok.ann@sink.test>\r\nDelivered-To: support@corp.example\r\n\
    Received: from out.sink.test (out.sink.test [192.0.2.7]) by mx.cloudflare.net with ESMTPS for <support@corp.example>; Tue, 24 Nov 2026 10:09:30 +0000\r\n\
    Received: from laptop by out.sink.test with ESMTPA; Tue, 24 Nov 2026 10:00:04 +0000\r\n\
    Authentication-Results: mx.cloudflare.net; spf=pass smtp.mailfrom=sink.test; dkim=fail header.d=sink.test; dmarc=pass header.from=sink.test\r\n\
    From: Ann Reid <ok.ann@sink.test>\r\nTo: support@corp.example\r\nSubject: Re: Leaking hatch\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\
    Message-ID: <lost@sink.test>\r\nIn-Reply-To: <first@sink.test>\r\n";

fn body() -> String {
    format!(
        "It still leaks.\r\nThe login: password: {}\r\ncurl -H 'Authorization: Bearer {}'\r\nhttps://files.example/a?id=7&sig={}\r\nKey {}\r\n",
        SECRETS[0], SECRETS[1], SECRETS[2], SECRETS[3]
    )
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What Outlook would write: a Unicode message with its transport head, a file and a mail.
fn msg() -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    let inside = "/__attach_version1.0_#00000001/__substg1.0_3701000D";
    file.create_storage("/__attach_version1.0_#00000000").unwrap();
    file.create_storage_all(inside).unwrap();
    for (path, bytes) in [
        ("/__properties_version1.0", vec![0; 32]),
        ("/__substg1.0_007D001F", wide(HEAD)),
        ("/__substg1.0_0037001F", wide("Re: Leaking hatch")),
        ("/__substg1.0_1000001F", wide(&body())),
        ("/__attach_version1.0_#00000000/__properties_version1.0", vec![0; 8]),
        ("/__attach_version1.0_#00000000/__substg1.0_3707001F", wide("Bản vẽ.pdf")),
        ("/__attach_version1.0_#00000000/__substg1.0_37010102", vec![7; 9_000]),
    ] {
        file.create_stream(path).unwrap().write_all(&bytes).unwrap();
    }
    // A mail that was attached to it.
    for (path, bytes) in [
        ("/__attach_version1.0_#00000001/__properties_version1.0".to_owned(), vec![0; 8]),
        (format!("{inside}/__properties_version1.0"), vec![0; 24]),
        (format!("{inside}/__substg1.0_0037001F"), wide("Inside")),
        (format!("{inside}/__substg1.0_1035001F"), wide("<deep@sink.test>")),
        (format!("{inside}/__substg1.0_1000001F"), wide("The mail that was meant")),
    ] {
        file.create_stream(path).unwrap().write_all(&bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

fn file(stack: &Stack, name: &str, bytes: &[u8]) -> PathBuf {
    let path = stack.state().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn world(name: &str) -> (Stack, Client, Resolver) {
    let resolver = Resolver::start(ZONE).unwrap();
    let (stack, api) = start(name);
    api.patch("/api/v1/doctor/resolver", &json!({ "url": resolver.url() })).unwrap().ok().unwrap();
    api.post("/api/v1/dkim/corp.example", &Value::Null).unwrap().ok().unwrap();
    let first = Mail::new("Ann Reid <ok.ann@sink.test>", "support@corp.example", "Leaking hatch", "It leaks")
        .message_id("first@sink.test");
    let door = stack.front_door().unwrap();
    assert!(swaks(door, "ok.ann@sink.test", "support@corp.example", &first.raw().unwrap(), &[]).unwrap().accepted);
    record_titled(&api, &stack, "Leaking hatch");
    (stack, api, resolver)
}

fn browser(stack: &Stack, api: &Client) -> Browser {
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.take_session(api).unwrap();
    browser
}

fn look(browser: &Browser, what: &str, wrong: &mut Vec<String>) {
    browser.screenshot(what).unwrap();
    let errors = browser.console_errors().unwrap();
    let findings = browser.accessibility_findings().unwrap();
    wrong.extend(errors.into_iter().chain(findings).map(|it| format!("{what}: {it}")));
}

/// The text of the zip (its files are stored as they are), once the page has made it.
fn downloaded(browser: &Browser) -> String {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let text = browser.run("return window.zipText || ''", &[]).unwrap();
        if let Some(text) = text.as_str().filter(|it| !it.is_empty()) {
            return text.to_owned();
        }
        assert!(Instant::now() < end, "no download");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_domain_shows_what_to_mend() {
    let (stack, api, _resolver) = world("ui-doctor");
    let browser = browser(&stack, &api);
    browser.open("/technical/doctor").unwrap();
    browser.click_text("[data-domain='corp.example'] button", "Check now").unwrap();
    browser.find("[data-domain='corp.example'][data-worst=error] [data-code=spf_include_nothing]").unwrap();
    browser.find("[data-code=dkim_missing] .doctor-record").unwrap();
    browser.find("[data-installation] [data-code=migrations]").unwrap();
    browser.fill("[name=other_domain]", "gone.example").unwrap();
    browser.press_enter().unwrap();
    browser.find("[data-domain='gone.example'] [data-code=domain_missing]").unwrap();
    let mut wrong = Vec::new();
    for (language, dark, width) in [("en", false, 1440), ("vi", true, 390), ("vi", false, 1440), ("en", true, 390)] {
        api.patch("/api/v1/session", &json!({ "language": language })).unwrap().ok().unwrap();
        browser.set_size(width, 900).unwrap();
        browser.set_dark(dark).unwrap();
        browser.open("/technical/doctor").unwrap();
        browser.find("[data-code=dkim_missing]").unwrap();
        look(&browser, &format!("doctor-{language}-{width}"), &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_dropped_mail_is_traced_tried_and_packed_without_secrets() {
    let (stack, api, _resolver) = world("ui-support");
    let browser = browser(&stack, &api);
    let eml = file(&stack, "lost.eml", format!("{HEAD}\r\n{}", body()).as_bytes());
    let outlook = file(&stack, "lost.msg", &msg());
    let broken = file(&stack, "broken.eml", b"no mail at all");
    let mut wrong = Vec::new();
    browser.open("/technical/support").unwrap();
    browser.find("input[type=file]").unwrap();
    look(&browser, "support-empty", &mut wrong);
    browser.choose_file("input[type=file]", &broken).unwrap();
    browser.find(".notice--bad").unwrap();
    for (name, path) in [("eml", &eml), ("msg", &outlook)] {
        browser.open("/technical/support").unwrap();
        browser.find("input[type=file]").unwrap();
        let before = browser.requests().unwrap().len();
        browser.choose_file("input[type=file]", path).unwrap();
        browser.wait_for_text("[data-trace]", "Re: Leaking hatch").unwrap();
        browser.wait_for_text("[data-trace]", "lost@sink.test").unwrap();
        browser.find(".hops .slow").unwrap();
        browser.wait_for_text(".hops", "9 min").unwrap();
        browser.wait_for_text("[data-auth]", "The signature does not fit").unwrap();
        if name == "msg" {
            browser.wait_for_text("[data-trace]", "Bản vẽ.pdf").unwrap();
            // A mail attached to it is looked into without another file.
            browser.click_text("button", "Look into “Inside”").unwrap();
            browser.wait_for_text("[data-trace]", "deep@sink.test").unwrap();
            look(&browser, "support-inner", &mut wrong);
            browser.choose_file("input[type=file]", path).unwrap();
            browser.wait_for_text("[data-trace]", "lost@sink.test").unwrap();
        }
        let sent: Vec<String> = browser.requests().unwrap().into_iter().skip(before).collect();
        assert!(!sent.iter().any(|it| it.contains("/api/v1/route") || it.contains("facts")), "{sent:?}");
        // In which words it would be attached.
        browser.click_text("[data-dry-run] button", "Send it and try").unwrap();
        browser.wait_for_text("[data-today]", "attached to T00001").unwrap();
        browser.click_text("[data-answers] button", "Look it up").unwrap();
        browser.find("[data-facts]").unwrap();
        let answer =
            |name: &str| browser.run(&format!("return document.querySelector('[name={name}]').value"), &[]).unwrap();
        assert!(answer("reply").as_str().unwrap().contains("<first@sink.test>"), "{}", answer("reply"));
        assert!(answer("settings").as_str().unwrap().contains("DKIM key"), "{}", answer("settings"));
        browser.fill("[name=generic]", &format!("Since Monday. My token is {}", SECRETS[1])).unwrap();
        browser.click_text("[data-answers] button", "Look at the bundle").unwrap();
        browser.click("[data-part='mail.eml'] summary").unwrap();
        browser.wait_for_text("[data-part='mail.eml'] .bundle-diff", "removed]").unwrap();
        look(&browser, &format!("support-{name}"), &mut wrong);
        let hook = "window.zipText = ''; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.text().then((it) => { window.zipText = it; }); return make.call(URL, blob); };";
        browser.run(hook, &[]).unwrap();
        browser.click_text("[data-bundle] button", "Download zip").unwrap();
        let zip = downloaded(&browser);
        for part in [
            "answers.txt",
            "mail.eml",
            "timeline.txt",
            "decisions.txt",
            "doctor.txt",
            "settings.txt",
            "versions.txt",
            "It still leaks.",
            "spf",
            "Mailroom ",
        ] {
            assert!(zip.contains(part), "{part} is missing\n{zip}");
        }
        for secret in SECRETS {
            assert!(!zip.contains(secret), "{secret} is in\n{zip}");
        }
        assert!(zip.starts_with("PK") && !zip.contains("ok.ann@sink.test") && zip.contains("support@corp.example"));
    }
    for (language, dark, width) in [("vi", false, 1440), ("vi", true, 390), ("en", false, 390)] {
        api.patch("/api/v1/session", &json!({ "language": language })).unwrap().ok().unwrap();
        browser.set_size(width, 900).unwrap();
        browser.set_dark(dark).unwrap();
        browser.open("/technical/support").unwrap();
        browser.find("input[type=file]").unwrap();
        browser.choose_file("input[type=file]", &eml).unwrap();
        browser.find(".hops").unwrap();
        look(&browser, &format!("support-{language}-{width}"), &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

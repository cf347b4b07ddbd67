//! Mail that means harm, or is merely broken: neither the Worker nor the page may come to harm, and nothing may be lost.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::fs;
use std::time::Duration;

use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::paths;
use mailroom_tests::report::unique;
use mailroom_tests::story::*;
use serde_json::Value;
use serde_json::json;

const FROM: &str = "ok.mallory@sink.test";

fn raw(subject: &str, rest: &str) -> Vec<u8> {
    format!(
        "From: Mallory <{FROM}>\r\nTo: support@corp.example\r\nSubject: {subject}\r\nMessage-ID: <{}@sink.test>\r\n\
         Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n{rest}",
        unique()
    )
    .into_bytes()
}

/// A multipart within a multipart, `depth` times, with a text at the bottom.
fn nested(depth: usize) -> String {
    let mut out = String::new();
    for i in 0..depth {
        out.push_str(&format!("Content-Type: multipart/mixed; boundary=\"b{i}\"\r\n\r\n--b{i}\r\n"));
    }
    out.push_str("Content-Type: text/plain\r\n\r\nat the bottom\r\n");
    for i in (0..depth).rev() {
        out.push_str(&format!("--b{i}--\r\n"));
    }
    out
}

fn with_parts(parts: &[(&str, &str)]) -> String {
    let mut out = "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n".to_owned();
    for (head, body) in parts {
        out.push_str(&format!("--b\r\n{head}\r\n\r\n{body}\r\n"));
    }
    out + "--b--\r\n"
}

/// What is sent, and what must be found again.
struct Case {
    title: &'static str,
    raw: Vec<u8>,
    /// Must be in the text of the message.
    text: &'static str,
    files: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let case = |title, raw, text, files| Case { title, raw, text, files };
    let plain = |body: &str| format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n");
    vec![
        case("Nested a thousand times", raw("Nested a thousand times", &nested(1_000)), "", &[]),
        case("NUL bytes", raw("NUL bytes", &plain("before\0after")), "before", &[]),
        case(
            "Bcc: everyone@corp.example",
            raw("=?utf-8?Q?Bcc:_everyone@corp.example=0D=0AX-Injected:_yes?=", &plain("a line break in a subject")),
            "a line break in a subject",
            &[],
        ),
        case(
            "UTF-7",
            raw("UTF-7", "Content-Type: text/plain; charset=utf-7\r\n\r\n1 +- 1 is two, +AOQ-pfel\r\n"),
            "äpfel",
            &[],
        ),
        case(
            "Wrong charset",
            raw(
                "Wrong charset",
                "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u{fc}\u{df}e\r\n",
            ),
            "Grüße",
            &[],
        ),
        case(
            "Unknown charset",
            raw("Unknown charset", "Content-Type: text/plain; charset=x-martian\r\n\r\nstill readable\r\n"),
            "still readable",
            &[],
        ),
        case(
            "Names with paths",
            raw(
                "Names with paths",
                &with_parts(&[
                    ("Content-Type: text/plain", "see files"),
                    (
                        "Content-Type: application/zip; name=\"../../etc/passwd.zip\"\r\nContent-Disposition: attachment; \
                         filename=\"../../etc/passwd.zip\"",
                        "PK",
                    ),
                    (
                        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"C:\\\\temp\\\\bill.pdf\"",
                        "%PDF",
                    ),
                    (
                        "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; \
                         filename*=utf-8''invoice%E2%80%AEfdp.exe",
                        "MZ",
                    ),
                ]),
            ),
            "see files",
            &["passwd.zip", "bill.pdf", "invoicefdp.exe"],
        ),
        case("No body at all", raw("No body at all", ""), "", &[]),
        case(
            "A boundary that never comes",
            raw(
                "A boundary that never comes",
                "Content-Type: multipart/mixed; boundary=\"never\"\r\n\r\nloose text\r\n",
            ),
            "loose text",
            &[],
        ),
    ]
}

#[test]
fn hostile_and_broken_mail_is_taken_and_shown_for_what_it_is() {
    let (stack, api) = start("hostile");
    let cases = cases();
    for case in &cases {
        let sent = swaks(stack.front_door().unwrap(), FROM, "support@corp.example", &case.raw, &[]).unwrap();
        assert!(sent.accepted, "{}: {}", case.title, sent.transcript);
    }
    for case in &cases {
        let record = within(SOON, case.title, &stack, || {
            records(&api).into_iter().find(|it| it["title"].as_str().is_some_and(|it| it.starts_with(case.title)))
        });
        let all = messages(&api, record["id"].as_str().unwrap());
        let message = &all[0];
        let text = message["text"].as_str().unwrap();
        assert!(text.contains(case.text), "{}: {text:?}", case.title);
        assert!(!text.contains('\0'), "{}: {text:?}", case.title);
        let names: Vec<&str> =
            message["attachments"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, case.files, "{}", case.title);
        for file in message["attachments"].as_array().unwrap() {
            let got = api.get(&format!("/api/v1/attachments/{}", file["id"].as_str().unwrap())).unwrap();
            assert_eq!(got.status, 200, "{}", case.title);
        }
        // An answer to it can't be made to say more than we wrote.
        let record = record["id"].as_str().unwrap().to_owned();
        post(&api, &record, json!({ "text": format!("Answer to {}", case.title) }));
    }
    assert_eq!(get(&api, "/api/v1/shell")["unprocessed"], 0);
    send_now(&stack, &api, Duration::from_secs(11));
    let answers = received(&stack, FROM);
    assert_eq!(answers.len(), cases.len());
    for answer in answers {
        assert!(
            header(&answer.raw, "X-Injected").is_empty() && header(&answer.raw, "Bcc").is_empty(),
            "{}",
            answer.raw
        );
        assert!(header(&answer.raw, "Subject").starts_with("Re: "), "{}", answer.raw);
    }
}

#[test]
fn a_mail_of_almost_25_mib_comes_out_as_it_went_in_and_a_larger_one_is_told_its_size() {
    let (stack, api) = start("large");
    let bytes: Vec<u8> = (0..18_500_000_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mail = Mail::new(FROM, "support@corp.example", "Large", "See file")
        .attach("application/octet-stream", "all.bin", &bytes)
        .raw()
        .unwrap();
    assert!((24 << 20..25 << 20).contains(&mail.len()), "{}", mail.len());
    let sent = swaks(stack.front_door().unwrap(), FROM, "support@corp.example", &mail, &[]).unwrap();
    assert!(sent.accepted, "{}", sent.transcript.chars().take(2_000).collect::<String>());
    let record = within(Duration::from_secs(60), "the large record", &stack, || {
        records(&api).into_iter().find(|it| it["title"] == "Large")
    });
    let message = &messages(&api, record["id"].as_str().unwrap())[0];
    let file = &message["attachments"][0];
    let got = api.get(&format!("/api/v1/attachments/{}", file["id"].as_str().unwrap())).unwrap();
    assert!(got.bytes == bytes, "{} bytes came out of {}", got.bytes.len(), bytes.len());

    let larger = Mail::new(FROM, "support@corp.example", "Larger", "See file")
        .attach("application/octet-stream", "all.bin", &[bytes, vec![7; 2_000_000]].concat())
        .raw()
        .unwrap();
    let sent = swaks(stack.front_door().unwrap(), FROM, "support@corp.example", &larger, &[]).unwrap();
    assert!(!sent.accepted);
    let answer = sent.transcript.lines().rev().find(|it| it.contains(" 552 ")).unwrap_or_default().to_owned();
    assert!(answer.contains("5.3.4"), "{answer}");
    assert_eq!(records(&api).len(), 1);
}

#[test]
fn every_odd_mail_of_the_collection_is_taken() {
    let (stack, api) = start("odd");
    let folder = paths::root().join("../shared/corpora/mime");
    let mut mails: Vec<(String, Vec<u8>)> = cases().into_iter().map(|it| (it.title.to_owned(), it.raw)).collect();
    let own = mails.len();
    if let Ok(files) = fs::read_dir(&folder) {
        let mut files: Vec<_> = files.map(|it| it.unwrap().path()).filter(|it| it.is_file()).collect();
        files.sort();
        mails.extend(files.into_iter().map(|it| (it.display().to_string(), fs::read(it).unwrap())));
    }
    println!("{} odd mails, {} of them from the collection", mails.len(), mails.len() - own);
    for (name, raw) in &mails {
        let sent = swaks(stack.front_door().unwrap(), FROM, "support@corp.example", raw, &[]).unwrap();
        assert!(sent.accepted, "{name}: {}", sent.transcript.chars().take(3_000).collect::<String>());
    }
    send_now(&stack, &api, Duration::from_secs(60));
    within(Duration::from_secs(60), "all to be processed", &stack, || {
        let shell: Value = get(&api, "/api/v1/shell");
        (shell["unprocessed"] == 0).then_some(())
    });
    assert!(records(&api).len() >= own);
}

#[cfg(feature = "browser")]
#[test]
fn html_that_means_harm_does_nothing_in_the_page() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    use mailroom_tests::browser::Browser;

    // Whoever is asked here was told that the mail was read.
    let tracker = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
    let hits = Arc::new(AtomicU32::new(0));
    let base = format!("http://{}", tracker.server_addr());
    let counter = (Arc::clone(&tracker), Arc::clone(&hits));
    let thread = std::thread::spawn(move || {
        for request in counter.0.incoming_requests() {
            counter.1.fetch_add(1, Ordering::Relaxed);
            let _ = request.respond(tiny_http::Response::from_string("x"));
        }
    });
    let html = format!(
        r#"<html><head><base href="{base}/"><meta http-equiv="refresh" content="0;url={base}/refresh">
<style>@import url("{base}/import.css"); body {{ background: url({base}/bg) }} p[title^="a"] {{ list-style: url({base}/leak) }}</style>
<link rel="stylesheet" href="{base}/link.css"><script>top.pwned = 1</script></head>
<body onload="top.pwned = 2" style="background-image: url('{base}/inline')">
<p title="abc">Visible words</p>
<img src="{base}/pixel.gif" onerror="top.pwned = 3"><img src=x onerror="top.pwned = 4">
<svg onload="top.pwned = 5"><script>top.pwned = 6</script><a xlink:href="javascript:top.pwned=7"><text>svg</text></a></svg>
<math><mtext><table><mglyph><style><img src onerror="top.pwned = 8"></style></mglyph></table></mtext></math>
<a href="javascript:top.pwned=9" id="trap">click</a><a href="&#106;avascript:top.pwned=10">click</a>
<iframe src="{base}/frame"></iframe><object data="{base}/object"></object><embed src="{base}/embed">
<form action="{base}/form"><input name="q" autofocus onfocus="top.pwned = 11"><button>Go</button></form>
<video src="{base}/video" poster="{base}/poster"></video><audio src="{base}/audio"></audio>
<div style="width: expression(top.pwned = 12); position: fixed; inset: 0; z-index: 99999">cover</div>
<template><img src="{base}/template" onerror="top.pwned = 13"></template>
<noscript><p title="</noscript><img src=x onerror=top.pwned=14>"></noscript></body></html>"#
    );
    let (stack, api) = start("hostile-page");
    let subject = "<img src=x onerror=top.pwned=20>Look";
    let name = "\"<script>top.pwned=21</script>\" <ok.mallory@sink.test>";
    let mail = Mail::new(FROM, "support@corp.example", subject, "x").html(&html).raw().unwrap();
    let mail = String::from_utf8(mail).unwrap();
    let from = mail.lines().find(|it| it.starts_with("From:")).unwrap();
    let mail = mail.replace(from, &format!("From: {name}"));
    let sent = swaks(stack.front_door().unwrap(), FROM, "support@corp.example", mail.as_bytes(), &[]).unwrap();
    assert!(sent.accepted, "{}", sent.transcript);
    let record = record_titled(&api, &stack, subject);

    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open(&format!("/record/{}", record["id"].as_str().unwrap())).unwrap();
    browser.find(".msg").unwrap();
    let in_frame = "const f = document.querySelector('iframe.msg-frame'); \
                    return f && f.contentDocument && f.contentDocument.body ? f.contentDocument.body.innerText : null";
    within(SOON, "the words of the mail", &stack, || {
        browser.run(in_frame, &[]).unwrap().as_str().is_some_and(|it| it.contains("Visible words")).then_some(())
    });
    let inside = "const d = document.querySelector('iframe.msg-frame').contentDocument; \
        const bad = d.querySelectorAll('body script, iframe, object, embed, form, input, svg, math, video, audio, body link, body meta, body base'); \
        const on = [...d.querySelectorAll('body *')].flatMap((it) => [...it.attributes]) \
          .filter((it) => it.name.startsWith('on') || /^\\s*javascript:/i.test(it.value)); \
        return [...bad].map((it) => it.outerHTML).concat(on.map((it) => it.name + '=' + it.value))";
    assert_eq!(browser.run(inside, &[]).unwrap(), json!([]), "what must not be in the frame");
    // A link of the mail is pressed, as somebody might.
    browser
        .run(
            "const a = document.querySelector('iframe.msg-frame').contentDocument.querySelector('a'); if (a) a.click()",
            &[],
        )
        .unwrap();
    browser.screenshot("hostile").unwrap();
    assert_eq!(browser.run("return window.pwned ?? null", &[]).unwrap(), Value::Null, "a script of the mail ran");
    // The cover of the mail stays in its frame: the page can still be used.
    browser.type_into(".composer textarea", "We do not click on that.").unwrap();
    browser.open("/inbox").unwrap();
    browser.wait_for_text("*", "Look").unwrap();
    assert_eq!(browser.run("return window.pwned ?? null", &[]).unwrap(), Value::Null, "a script of the subject ran");
    assert_eq!(hits.load(Ordering::Relaxed), 0, "somebody was told that the mail was read");
    tracker.unblock();
    thread.join().unwrap();
}

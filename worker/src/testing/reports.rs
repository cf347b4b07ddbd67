//! Reports of other servers: each marks exactly what it is about, and a forged one nothing but the journal.

use std::sync::atomic::Ordering;

use futures::executor::block_on;
use mailroom_shared::token::bounce_local;
use serde_json::Value as Json;
use serde_json::json;

use super::TestApp;
use super::tests::arrive;
use super::tests::call;
use super::tests::rows;
use super::tests::set_up;
use super::tests::work;
use crate::store::deliveries;
use crate::store::deliveries::Outcome;

/// A message that left for these addresses.
struct Sent {
    test: TestApp,
    /// Message-ID of what left, with its angles.
    message_id: String,
}

impl Sent {
    fn to(addresses: &[&str]) -> Self {
        let test = TestApp::new();
        let cookie = set_up(&test);
        let new = json!({ "type": "order", "title": "S1", "email": addresses[0] });
        let record = call(&test, "POST", "/api/v1/records", &cookie, &new).body["id"].as_str().unwrap().to_owned();
        let body = json!({ "mode": "message", "text": "Hello", "to": &addresses[1..] });
        let posted = call(&test, "POST", &format!("/api/v1/records/{record}/messages"), &cookie, &body);
        assert_eq!(posted.status, 200, "{}", posted.body);
        test.clock.0.fetch_add(11_000, Ordering::Relaxed);
        block_on(crate::cron::tick(&test.app));
        let raw = String::from_utf8(test.mailer.sent.lock().unwrap()[0].raw.clone()).unwrap();
        let line = raw.lines().find(|it| it.to_ascii_lowercase().starts_with("message-id:")).unwrap();
        let message_id = line.split_once(':').unwrap().1.trim().to_owned();
        Self { test, message_id }
    }

    fn delivery(&self, address: &str) -> String {
        let all = rows(&self.test, "SELECT id, address FROM deliveries");
        all.iter().find(|it| it["address"] == address).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Where a report about this recipient goes.
    fn bounce_address(&self, address: &str) -> String {
        format!("{}@corp.test", bounce_local("test", "bounce", &self.delivery(address)))
    }

    fn comes(&self, raw: &str, to: &str) {
        work(&self.test, &arrive(&self.test, raw, to));
    }

    /// `address state`, by address.
    fn states(&self) -> Vec<String> {
        let all = rows(&self.test, "SELECT address || ' ' || state AS it FROM deliveries ORDER BY address");
        all.iter().map(|it| it["it"].as_str().unwrap().to_owned()).collect()
    }

    fn count(&self, sql: &'static str) -> Json {
        rows(&self.test, sql)[0]["n"].clone()
    }
}

/// A report with these blocks (`recipient action status`) about a mail.
fn dsn(to: &str, message_id: &str, blocks: &[&str]) -> String {
    let blocks: Vec<String> = blocks
        .iter()
        .map(|it| {
            let words: Vec<&str> = it.split(' ').collect();
            format!(
                "Final-Recipient: rfc822; {}\r\nAction: {}\r\nStatus: {}\r\nDiagnostic-Code: smtp; 550 {} as told\r\n\r\n",
                words[0], words[1], words[2], words[2]
            )
        })
        .collect();
    let blocks = blocks.concat();
    multipart(
        to,
        "delivery-status",
        "message/delivery-status",
        &format!("Reporting-MTA: dns; mx.test\r\n\r\n{blocks}"),
        message_id,
    )
}

fn multipart(to: &str, kind: &str, content_type: &str, facts: &str, message_id: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.test\r\nTo: {to}\r\nSubject: Report\r\nMessage-ID: <r@mx.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nAs told.\r\n--b\r\nContent-Type: {content_type}\r\n\r\n{facts}\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\nSubject: S1\r\n\r\n--b--\r\n"
    )
}

#[test]
fn a_forged_bounce_changes_nothing_but_the_journal() {
    let sent = Sent::to(&["ann@customer.test"]);
    let id = sent.delivery("ann@customer.test");
    let forged = bounce_local("another secret", "bounce", &id);
    let block = ["ann@customer.test failed 5.1.1"];
    for (to, message_id) in [
        // Neither token nor an id of ours.
        ("bounce@corp.test", "<made-up@elsewhere.test>"),
        // A token that somebody else signed.
        (format!("{forged}@corp.test").as_str(), "<made-up@elsewhere.test>"),
    ] {
        let before = sent.count("SELECT COUNT(*) AS n FROM ingests");
        sent.comes(&dsn(to, message_id, &block).replace("<r@mx.test>", &format!("<{}@mx.test>", to.len())), to);
        assert_eq!(sent.states(), ["ann@customer.test sent"], "{to}");
        let journal = sent.count("SELECT (SELECT COUNT(*) FROM ingests) + (SELECT COUNT(*) FROM refusals) + (SELECT COUNT(*) FROM ignored) AS n");
        assert!(journal.as_u64() > before.as_u64(), "{to}: {journal} {before}");
    }
    for table in [
        "SELECT COUNT(*) AS n FROM suppressions",
        "SELECT COUNT(*) AS n FROM notices WHERE kind = 'failing'",
        "SELECT COUNT(*) AS n FROM events WHERE kind = 'bounced'",
        "SELECT COUNT(*) - 1 AS n FROM messages WHERE kind <> 'system'",
    ] {
        assert_eq!(sent.count(table), 0, "{table}");
    }
}

#[test]
fn a_report_about_several_marks_exactly_them() {
    let sent = Sent::to(&["ann@customer.test", "bob@customer.test", "cyd@customer.test", "dan@customer.test"]);
    let to = sent.bounce_address("ann@customer.test");
    let blocks =
        ["ann@customer.test failed 5.1.1", "bob@customer.test failed 5.2.2", "cyd@customer.test delayed 4.4.1"];
    sent.comes(&dsn(&to, &sent.message_id, &blocks), &to);
    let expected = [
        "ann@customer.test bounced",
        "bob@customer.test bounced",
        "cyd@customer.test deferred",
        "dan@customer.test sent",
    ];
    assert_eq!(sent.states(), expected);
}

#[test]
fn a_bounce_that_comes_while_the_mail_is_being_sent_stays() {
    let sent = Sent::to(&["ann@customer.test"]);
    let id = sent.delivery("ann@customer.test");
    // As a run has it between hand-over and record.
    block_on(sent.test.app.run(crate::statement!("UPDATE deliveries SET state = 'sending', claim = 'run'"))).unwrap();
    let to = sent.bounce_address("ann@customer.test");
    sent.comes(&dsn(&to, &sent.message_id, &["ann@customer.test failed 5.1.1"]), &to);
    assert_eq!(sent.states(), ["ann@customer.test bounced"]);
    let outcome = Outcome {
        id,
        state: "sent",
        due: 0,
        reason: None,
        permanent: 0,
        code: None,
        status: None,
        text: Some("250 ok".to_owned()),
        provider: None,
        server: String::new(),
        server_name: "mx".to_owned(),
        event: "accepted",
        wait: None,
        note: None,
        untried: 0,
        talk: None,
        is_left_out: false,
    };
    let record = deliveries::record("run", &[&outcome], sent.test.app.now()).to_vec();
    block_on(sent.test.app.db.batch(record)).unwrap();
    assert_eq!(sent.states(), ["ann@customer.test bounced"], "what the run knows is older");
}

#[test]
fn receipts_complaints_delays_and_arrivals_end_where_they_should() {
    let check = |kind: &str, content_type: &str, facts: &str, expected: &str, suppressed: u32| {
        let sent = Sent::to(&["ann@customer.test"]);
        let to = sent.bounce_address("ann@customer.test");
        sent.comes(&multipart(&to, kind, content_type, facts, &sent.message_id), &to);
        assert_eq!(sent.states(), [format!("ann@customer.test {expected}")], "{kind}: {facts}");
        assert_eq!(sent.count("SELECT COUNT(*) AS n FROM suppressions"), suppressed, "{kind}: {facts}");
        let failing = u32::from(matches!(expected, "bounced" | "complained"));
        assert_eq!(sent.count("SELECT COUNT(*) AS n FROM notices WHERE kind = 'failing'"), failing, "{facts}");
    };
    let status = |action: &str, status: &str| {
        format!(
            "Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; ann@customer.test\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        )
    };
    let delivery = "message/delivery-status";
    check("delivery-status", delivery, &status("delivered", "2.1.5"), "delivered", 0);
    check("delivery-status", delivery, &status("delayed", "4.4.1"), "deferred", 0);
    check("delivery-status", delivery, &status("failed", "5.1.1"), "bounced", 1);
    let read =
        "Final-Recipient: rfc822; ann@customer.test\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n\r\n";
    let sent = Sent::to(&["ann@customer.test"]);
    let to = sent.bounce_address("ann@customer.test");
    let raw = multipart(&to, "disposition-notification", "message/disposition-notification", read, &sent.message_id);
    sent.comes(&raw, &to);
    assert!(matches!(sent.states()[0].as_str(), "ann@customer.test sent" | "ann@customer.test delivered"), "a receipt");
    assert_eq!(sent.count("SELECT COUNT(*) AS n FROM suppressions"), 0);
    let abuse =
        "Feedback-Type: abuse\r\nUser-Agent: loop/1\r\nVersion: 1\r\nOriginal-Rcpt-To: <ann@customer.test>\r\n\r\n";
    check("feedback-report", "message/feedback-report", abuse, "complained", 1);
}

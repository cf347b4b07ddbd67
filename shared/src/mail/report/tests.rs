//! One check for all: own fixtures, the corpora beside the checkout when there are some, and what must hold for any bytes.

use core::fmt::Write as _;

use super::*;

/// kind, then per report: recipient, action, status, code, reason, permanent.
fn check(raw: &str, kind: &str, expect: &[(&str, &str, &str, u16, &str, bool)]) {
    for raw in [raw.to_owned(), raw.replace('\n', "\r\n")] {
        let got = read(raw.as_bytes());
        assert_eq!(got.kind.as_str(), kind, "{raw}\n{got:#?}");
        let rows: Vec<_> = got
            .reports
            .iter()
            .map(|it| {
                (
                    it.recipient.as_deref().unwrap_or(""),
                    it.action.as_deref().unwrap_or(""),
                    it.status.as_deref().unwrap_or(""),
                    it.reply_code.unwrap_or(0),
                    it.reason.as_str(),
                    it.permanent,
                )
            })
            .collect();
        assert_eq!(rows, expect, "{raw}\n{got:#?}");
    }
}

const DSN: &str = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.corp.test\nTo: bo@corp.test\nSubject: Undelivered Mail Returned to Sender\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nIt failed.\n\n\
    --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.corp.test\n\nFinal-Recipient: rfc822; ann@customer.test\n\
    Original-Recipient: rfc822;sales@customer.test\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <ann@customer.test>:\n \
    Recipient address rejected: User unknown\n\nFinal-Recipient: rfc822; joe@customer.test\nAction: failed\nStatus: 5.2.2\n\
    Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\n\n--b\nContent-Type: message/rfc822\n\nFrom: bo@corp.test\nTo: ann@customer.test\n\
    Message-ID: <m1@corp.test>\nSubject: x\n\nbody\n--b--\n";

#[test]
fn all_recipients_of_a_delivery_report() {
    check(
        DSN,
        "bounce",
        &[
            ("ann@customer.test", "failed", "5.1.1", 550, "userunknown", true),
            ("joe@customer.test", "failed", "5.2.2", 552, "mailboxfull", false),
        ],
    );
    let got = read(DSN.as_bytes());
    assert_eq!(got.original_ids.first().map(RfcMessageId::as_str), Some("<m1@corp.test>"));
    assert_eq!(got.reports[0].original_recipient.as_deref(), Some("sales@customer.test"));
    check(
        &DSN.replace("failed\n", "delayed\n")
            .replace("Status: 5", "Status: 4")
            .replace("552 5.2.2", "452 4.2.2")
            .replace("550 5.1.1", "450 4.1.1"),
        "delay",
        &[
            ("ann@customer.test", "delayed", "4.1.1", 450, "userunknown", false),
            ("joe@customer.test", "delayed", "4.2.2", 452, "mailboxfull", false),
        ],
    );
}

#[test]
fn complaints_receipts_and_absence() {
    check(
        "From: fbl@provider.test\nSubject: complaint\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\
         Content-Type: text/plain\n\nAn abuse report.\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\
         Original-Rcpt-To: <ann@customer.test>\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <m1@corp.test>\nTo: ann@customer.test\n\nx\n--b--\n",
        "complaint",
        &[("ann@customer.test", "", "", 0, "feedback", false)],
    );
    check(
        "From: ann@customer.test\nSubject: Read: offer\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\n\
         Read.\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ann@customer.test\n\
         Original-Message-ID: <m1@corp.test>\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n",
        "receipt",
        &[("ann@customer.test", "displayed", "", 0, "delivered", false)],
    );
    check(
        "From: ann@customer.test\nSubject: Automatic reply: offer\nAuto-Submitted: auto-replied\n\nI am away.\n",
        "auto-reply",
        &[("ann@customer.test", "", "", 0, "vacation", false)],
    );
    check("From: ann@customer.test\nSubject: Undelivered parcel\n\nWhere is parcel 550?\n", "message", &[]);
    check("From: ann@customer.test\nSubject: Hello\n\nHi\n", "message", &[]);
    check("", "message", &[]);
}

#[test]
fn bounces_in_prose() {
    check(
        "Return-Path: <>\nFrom: MAILER-DAEMON@corp.test\nTo: bo@corp.test\nSubject: failure notice\n\n\
         Hi. This is the qmail-send program at corp.test.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\
         This is a permanent error; I've given up. Sorry it didn't work out.\n\n<ann@customer.test>:\n192.0.2.1 does not like recipient.\n\
         Remote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n<joe@customer.test>:\nSorry, mailbox full. (#5.2.2)\n\n\
         --- Below this line is a copy of the message.\n\nReturn-Path: <bo@corp.test>\nMessage-ID: <m1@corp.test>\nTo: other@customer.test\nSubject: x\n\nHi\n",
        "bounce",
        &[
            ("ann@customer.test", "failed", "5.1.1", 550, "userunknown", true),
            ("joe@customer.test", "failed", "5.2.2", 0, "mailboxfull", false),
        ],
    );
    check(
        "Return-Path: <>\nX-Failed-Recipients: ann@customer.test\nFrom: Mail Delivery System <Mailer-Daemon@corp.test>\nTo: bo@corp.test\n\
         Subject: Mail delivery failed: returning message to sender\n\nThis message was created automatically by mail delivery software.\n\n\
         A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  \
         ann@customer.test\n    host mx.customer.test [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<ann@customer.test>:\n    \
         550 unknown user\n\n------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: <m1@corp.test>\nTo: x@y.test\n\nHi\n",
        "bounce",
        &[("ann@customer.test", "failed", "", 550, "userunknown", true)],
    );
    check(
        "Return-Path: <>\nFrom: postmaster@corp.test\nTo: bo@corp.test\nSubject: Warning: message delayed\n\n\
         This is a warning message only. You do not need to resend your message.\n\nDelivery to the following recipient has been delayed:\n\n  \
         ann@customer.test\n\nConnection timed out\n",
        "delay",
        &[("ann@customer.test", "delayed", "", 0, "expired", false)],
    );
}

/// A record of `fixtures/reports`: `=== name`, a line `kind|recipient action status code reason permanent|…`, the raw mail.
struct Fixture {
    name: &'static str,
    expect: &'static str,
    raw: &'static str,
}

fn fixtures() -> Vec<Fixture> {
    let files = [
        include_str!("../../../fixtures/reports/hosts.txt"),
        include_str!("../../../fixtures/reports/languages.txt"),
        include_str!("../../../fixtures/reports/old-systems.txt"),
        include_str!("../../../fixtures/reports/providers.txt"),
    ];
    let records = files.into_iter().flat_map(|it| it.split("=== ").skip(1));
    records
        .map(|record| {
            let (name, rest) = record.split_once('\n').unwrap();
            let (expect, raw) = rest.split_once('\n').unwrap();
            Fixture { name, expect, raw }
        })
        .collect()
}

#[test]
fn fixtures_of_many_systems() {
    let all = fixtures();
    assert!(all.len() > 40);
    for Fixture { name, expect, raw } in all {
        for raw in [raw.to_owned(), raw.replace('\n', "\r\n")] {
            let got = read(raw.as_bytes());
            let mut line = got.kind.as_str().to_owned();
            for it in &got.reports {
                let _ = write!(
                    line,
                    "|{} {} {} {} {} {}",
                    it.recipient.as_deref().unwrap_or("-"),
                    it.action.as_deref().unwrap_or("-"),
                    it.status.as_deref().unwrap_or("-"),
                    it.reply_code.unwrap_or(0),
                    it.reason.as_str(),
                    if it.permanent { "permanent" } else { "soft" },
                );
            }
            assert_eq!(line, expect, "{name}\n{got:#?}");
            if raw.contains("<m1@corp.test>") && got.kind != Kind::Message {
                assert_eq!(got.original_ids.first().map(RfcMessageId::as_str), Some("<m1@corp.test>"), "{name}");
            }
        }
    }
}

/// Repeatable noise (xorshift).
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n.max(1)
    }
}

#[test]
fn any_bytes_are_read() {
    let mut noise = Noise(0x5EED);
    for fixture in fixtures() {
        for round in 0..24 {
            let mut raw = fixture.raw.as_bytes().to_vec();
            match round % 4 {
                0 => raw.truncate(noise.below(raw.len())),
                1 => {
                    for _ in 0..20 {
                        let at = noise.below(raw.len());
                        raw[at] = u8::try_from(noise.below(256)).unwrap();
                    }
                }
                2 => {
                    let ends: &[u8] = [b"\r\n".as_slice(), b"\r", b"\n\n", b"\n\r"][noise.below(4)];
                    raw = raw.split(|it| *it == b'\n').collect::<Vec<_>>().join(ends);
                }
                _ => {
                    let (from, to) = (noise.below(raw.len()), noise.below(raw.len()));
                    let piece = raw[from.min(to)..from.max(to)].to_vec();
                    let at = noise.below(raw.len());
                    raw.splice(at..at, piece);
                }
            }
            let got = read(&raw);
            assert!(got.kind != Kind::Message || got.reports.is_empty(), "{}", fixture.name);
            assert!(got.reports.iter().all(|it| it.diagnostic.as_ref().is_none_or(|it| it.chars().count() <= 2_000)));
            assert!(got.reports.len() <= MAX_RECIPIENTS && got.original_ids.len() <= MAX_IDS);
        }
    }
}

/// Twice as much takes about twice as long, whatever it is made of.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test measures, natively")]
fn time_grows_with_size() {
    let head = "From: MAILER-DAEMON@corp.test\nTo: bo@corp.test\nSubject: Undelivered mail\n\n";
    let status = "From: MAILER-DAEMON@corp.test\nSubject: x\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
        --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; corp.test\n\n";
    let pieces: [(&str, &str); 8] = [
        (head, "550 "),
        (head, "host a said user @ unknown <x@y.z>: "),
        (head, "<ann@customer.test>:\n550 unknown user\n"),
        (head, "From a b c d e f\nx: y\n"),
        (head, "> --- below this line is\n"),
        ("From x\nSubject: y\n\n", "\nFrom a b c d e f\nx: y\n\n"),
        (status, "Final-Recipient: rfc822; ann@customer.test\nAction: failed\nStatus: 5.1.1\n\n"),
        (status, "Diagnostic-Code: smtp; 550\n 5.1.1\n"),
    ];
    for (start, piece) in pieces {
        let time = |n: usize| {
            let raw = format!("{start}{}", piece.repeat(n / piece.len()));
            let tries = (0..3).map(|_| {
                let at = std::time::Instant::now();
                std::hint::black_box(read(raw.as_bytes()));
                at.elapsed()
            });
            tries.min().unwrap()
        };
        let (once, twice) = (time(30_000), time(60_000));
        assert!(twice < once * 4 + std::time::Duration::from_millis(30), "{piece:?}: {once:?}, {twice:?}");
    }
}

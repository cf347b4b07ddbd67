//! Reading mail: a table of odd mails, hostile ones, and every mail of the corpora when they are there.

use super::*;
use crate::mail::inbound::Attachment;
use crate::time::Timestamp;

/// What a mail must read as: `key = value` lines, only the named keys are compared.
fn check(raw: &str, expect: &str) {
    for raw in [raw.to_owned(), raw.replace('\n', "\r\n")] {
        let mail = parse(raw.as_bytes());
        for line in expect.lines().map(str::trim).filter(|it| !it.is_empty()) {
            let (key, value) = line.split_once(" = ").unwrap_or((line.trim_end_matches(" ="), ""));
            let join = |list: &[Mailbox]| list.iter().map(Mailbox::display).collect::<Vec<_>>().join("; ");
            let ids = |list: &[RfcMessageId]| list.iter().map(RfcMessageId::as_str).collect::<Vec<_>>().join(" ");
            let files =
                |show: fn(&Attachment) -> String| mail.attachments.iter().map(show).collect::<Vec<_>>().join("; ");
            let got = match key {
                "subject" => mail.head.subject.clone(),
                "from" => join(&mail.head.from),
                "from_raw" => mail.head.from_raw.clone(),
                "to" => join(&mail.head.to),
                "reply_to" => join(&mail.head.reply_to),
                "other" => mail
                    .head
                    .other_recipients
                    .iter()
                    .map(crate::address::EmailAddress::as_str)
                    .collect::<Vec<_>>()
                    .join(" "),
                "date" => mail.head.date.map(Timestamp::to_rfc3339).unwrap_or_default(),
                "id" => mail.head.message_id.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
                "references" => ids(&mail.head.references),
                "text" => mail.text.trim_end().replace('\n', "|"),
                "html" => mail.html.clone().unwrap_or_default().trim_end().replace('\n', "|"),
                "files" => files(|it| format!("{} {} {}", it.name, it.content_type, it.bytes.len())),
                "bytes" => files(|it| String::from_utf8_lossy(&it.bytes).replace("\r\n", "\n").replace('\n', "|")),
                "cids" => files(|it| format!("{} {}", it.cid.as_deref().unwrap_or("-"), it.inline)),
                "issues" => mail.head.issues.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(" "),
                _ => panic!("no key {key:?}"),
            };
            assert_eq!(got, value, "{key} of {raw}");
        }
    }
}

const HEAD: &str = "From: a@x.test\nDate: Tue, 24 Nov 2026 10:00:00 +0000\nMessage-ID: <m@x.test>\n";

#[test]
fn headers() {
    check(
        "From: =?utf-8?Q?Nguy=E1=BB=85n?= <a@x.test>, \"Doe, Jo\" <b@y.test>\nTo: Team: c@x.test, d@x.test;\nSubject: =?utf-8?Q?B=C3=A1o?=\n =?utf-8?Q?_gi=C3=A1?=\n\
         Reply-To: e@x.test\nDelivered-To: f@x.test\nX-Original-To: F@x.test\nDate: Tue, 24 Nov 2026 12:00:00 +0200\nMessage-ID:  <m1@\n x.test> \n\
         References: <r1@x.test>\n <r2@x.test>\n\nhi\n",
        "from = Nguyễn <a@x.test>; \"Doe, Jo\" <b@y.test>
         to = c@x.test; d@x.test
         subject = Báo giá
         reply_to = e@x.test
         other = f@x.test
         date = 2026-11-24T10:00:00Z
         id = <m1@x.test>
         references = <r1@x.test> <r2@x.test>
         text = hi
         issues =",
    );
    check("Subject: x\n\nhi", "from =\nid =\nissues = MissingFrom UnreadableDate MissingMessageId");
    check(
        "From: nobody at all\nDate: yesterday\n\nhi",
        "from =\nfrom_raw = nobody at all\nissues = UnreadableFrom UnreadableDate MissingMessageId",
    );
    check("From: a@x.test Some Words\n\n", "from = a@x.test");
    check("From: \"a@x.test\" <a@x.test>\n\n", "from = a@x.test");
    check("From: 'Ann' <mailto:a@x.test>\n\n", "from = Ann <a@x.test>");
    check("From a@x.test Tue Nov 24\nFrom: a@x.test\n\nhi", "from = a@x.test\ntext = hi");
    check("\n\nFrom: a@x.test\n\nhi", "from = a@x.test\ntext = hi");
    check("From: a@x.test\nbroken line\nSubject: s\n\nhi", "subject = s\ntext = hi");
    check("From: a@x.test\nSubject: s\nHello there,\nno blank line", "subject = s\ntext = Hello there,|no blank line");
}

#[test]
fn dates() {
    for (text, expect) in [
        ("Tue, 24 Nov 2026 10:00:00 -0500", Some("2026-11-24T15:00:00Z")),
        ("24 Nov 2026 10:00 GMT", Some("2026-11-24T10:00:00Z")),
        ("Tue, 24 Nov 26 10:00:00 +0000 (UTC)", Some("2026-11-24T10:00:00Z")),
        ("Tue Nov 24 10:00:00 2026", Some("2026-11-24T10:00:00Z")),
        ("2026-11-24T10:00:00+01:00", Some("2026-11-24T09:00:00Z")),
        ("Tue, 24 Nov 2026 10:00:00", Some("2026-11-24T10:00:00Z")),
        ("24-Nov-2026 10:00:00 +0000", Some("2026-11-24T10:00:00Z")),
        ("Tue, 31 Dec 2016 23:59:60 +0000", Some("2016-12-31T23:59:59Z")),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(parse_date(text).map(Timestamp::to_rfc3339).as_deref(), expect, "{text}");
    }
}

#[test]
fn bodies() {
    let html = |rest: &str| format!("{HEAD}MIME-Version: 1.0\n{rest}");
    check(&html("\nplain"), "text = plain\nhtml =\nfiles =\nissues =");
    check(&html("Content-Type: text/html\n\n<p>Hi <b>you</b></p>"), "text = Hi you\nhtml = <p>Hi <b>you</b></p>");
    check(
        &html(
            "Content-Type: multipart/alternative; boundary=b\n\npre\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\npost",
        ),
        "text = plain\nhtml = <p>rich</p>\nfiles =\nissues =",
    );
    // PAR-16: several rich parts are one body, their plain twins too.
    check(
        &html(
            "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i1\n\n--i1\n\none\n--i1\nContent-Type: text/html\n\n<p>1</p>\n--i1--\n\
             --o\nContent-Type: multipart/alternative; boundary=i2\n\n--i2\n\ntwo\n--i2\nContent-Type: text/html\n\n<p>2</p>\n--i2--\n--o\n\nfooter <x>\n--o--",
        ),
        "text = one|two|footer <x>\nhtml = <p>1</p>|<p>2</p>|<p>footer &lt;x&gt;</p>",
    );
    // PAR-17: HTML with a name is a file.
    check(
        &html(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n--b\nContent-Type: text/html; name=page.html\n\n<p>x</p>\n--b--",
        ),
        "text = body\nhtml =\nfiles = page.html text/html 8",
    );
    // The boundary of one part is the start of another's.
    check(
        &html(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\none --b\n--b1--\n--b\n\ntwo --b1\n--b--",
        ),
        "text = one --b|two --b1\nfiles =",
    );
    check(&html("Content-Type: multipart/mixed; boundary=declared\n\n--used\n\nbody\n--used--"), "text = body");
    check(&html("Content-Type: multipart/mixed\n\n--used\n\nbody\n--used--"), "text = body");
    check(
        &html("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nno end"),
        "text = no end\nissues = BrokenStructure",
    );
    check(&html("Content-Type: multipart/mixed; boundary=b\n\nno parts at all"), "text = no parts at all\nfiles =");
    check(
        &html("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ=="),
        "text = Grüße",
    );
    check(&html("Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe=\n!"), "text = Grüße!");
    check(
        &html("Content-Type: text/plain; format=flowed\n\nsoft \nbreak\nhard\n-- \nsig"),
        "text = soft break|hard|-- |sig",
    );
    check(&html("Content-Type: text/plain\n\na\0b\x07c"), "text = abc\nissues = ControlCharacters");
    check(&html("Content-Type: text/plain\n\n   \n"), "text =\nfiles =");
}

#[test]
fn files() {
    let mixed =
        |part: &str| format!("{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n--b\n{part}\n--b--\n");
    let named = |name: &str| {
        mixed(&format!("Content-Type: application/octet-stream\nContent-Disposition: attachment; {name}\n\nx"))
    };
    check(&named("filename=\"../../etc/passwd\""), "files = passwd application/octet-stream 1");
    check(&named("filename=\"C:\\dir\\x.txt\""), "files = x.txt application/octet-stream 1");
    check(&named("filename=\"..\""), "files = attachment application/octet-stream 1");
    check(
        &named("filename*=utf-8''62_%40%3B%2C%5D%5B%29%3D.%28%C3%87%C3%80%C3%89.txt"),
        "files = 62_@;,][)=.(ÇÀÉ.txt application/octet-stream 1",
    );
    check(&named("filename=\"a\u{202e}fdp.exe\""), "files = afdp.exe application/octet-stream 1");
    check(&mixed("Content-Type: pdf; name=x.pdf\n\nx"), "files = x.pdf application/pdf 1");
    check(&mixed("Content-Type: binary/octet-stream; name=x\n\nx"), "files = x application/octet-stream 1");
    check(&mixed("Content-Type: */*; name=x\n\nx"), "files = x application/octet-stream 1");
    check(&mixed("Content-Type: application/pdf\n\nx"), "files = attachment.pdf application/pdf 1");
    check(
        &mixed("Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR"),
        "text = body\nfiles = invite.ics text/calendar 15",
    );
    check(
        &mixed("Content-Type: message/rfc822\n\nSubject: inner\nFrom: z@x.test\n\n--c\nhi"),
        "text = body\nbytes = Subject: inner|From: z@x.test||--c|hi",
    );
    check(
        &format!("{HEAD}Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERg=="),
        "text =\nfiles = a.pdf application/pdf 4",
    );
    check(
        &format!(
            "{HEAD}Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=\"cid:i@x\"><img src='data:image/png;base64,iVBORw0KGgo='>\n--b\n\
             Content-Type: image/png\nContent-ID: <i@x>\n\nx\n--b--"
        ),
        "files = attachment.png image/png 1; image0.png image/png 8
         cids = i@x true; 4c4b6a3be1314ab86138bef4314dde02@image.invalid true
         html = <img src=\"cid:i@x\"><img src='cid:4c4b6a3be1314ab86138bef4314dde02@image.invalid'>",
    );
}

#[test]
fn hostile_mail_is_cheap() {
    let nest = |kind: &str, depth: usize| -> String {
        let mut raw = HEAD.to_owned();
        for i in 0..depth {
            raw += &["Content-Type: ", kind, "; boundary=b", &i.to_string(), "\n\n--b", &i.to_string(), "\n"].concat();
        }
        raw.push_str("\ndeepest\n");
        raw
    };
    let within = |kind: &str, depth: usize| format!("Content-Type: {kind}\n\n").repeat(depth);
    let mail = parse(nest("multipart/mixed", 1_000).as_bytes());
    assert_eq!(mail.text.trim(), "deepest");
    assert!(parse(nest("multipart/mixed", 20_000).as_bytes()).head.issues.contains(&ParseIssue::TooDeep));
    for raw in [
        nest("multipart/alternative", 1_000),
        nest("multipart/digest", 5_000),
        within("message/rfc822", 100_000),
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=never\n\n"
            .repeat(20_000),
        "Content-Type: multipart/mixed\n\n".repeat(100_000),
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n".repeat(500_000)),
        format!("Subject: {}\n\n", "=?utf-8?Q?a?= ".repeat(100_000)),
        format!("From: {}\n\n", "\"(<".repeat(200_000)),
        format!("To: {}\n\n", "a@x.test,".repeat(100_000)),
        format!("References: {}\n\n", "<".repeat(300_000)),
        format!("Content-Type: text/plain; {}\n\n", "x*0*=a;".repeat(50_000)),
        "X: y\n".repeat(200_000),
        "\0".repeat(100_000),
        format!("Content-Type: text/html\n\n{}", "<img src=\"data:image/png;base64,".repeat(50_000)),
    ] {
        let _ = parse(raw.as_bytes());
        let _ = crate::mail::report::read(raw.as_bytes());
    }
}

#[test]
fn a_large_mail_is_read() {
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\n";
    let file = line.repeat(25 * 1024 * 1024 / line.len());
    let raw = format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nbody\n--b\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n{file}--b--\n"
    );
    let mail = parse(raw.as_bytes());
    assert_eq!(mail.text, "body");
    assert_eq!(mail.attachments[0].bytes.len(), 25 * 1024 * 1024 / line.len() * 51);
}

#[test]
fn bare_ends_and_nothing() {
    let mail = parse(b"From: a@x.test\rSubject: s\r\rone\rtwo");
    assert_eq!((mail.head.subject.as_str(), mail.text.as_str()), ("s", "one\ntwo"));
    let mail = parse(b"");
    assert!(mail.head.issues.contains(&ParseIssue::Unparsed));
    assert_eq!((mail.text.as_str(), mail.size), ("", 0));
    assert_eq!(derived_id(&mail.sha256).unwrap().as_str(), "<e3b0c44298fc1c149afbf4c8996fb924@derived.invalid>");
}

/// Bytes out of mail-like pieces: whatever comes, reading ends and never panics.
#[test]
fn noise_never_panics() {
    let pieces: [&[u8]; 32] = [
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"From: ",
        b"To: ",
        b"Subject: ",
        b"Content-Type: ",
        b"multipart/mixed; boundary=b",
        b"text/html",
        b"message/rfc822",
        b"--b",
        b"--b--",
        b"=?utf-8?B?",
        b"?=",
        b"\"",
        b"<",
        b">",
        b"(",
        b"@",
        b"a@x.test",
        b";",
        b"filename*0*=",
        b"charset=iso-2022-jp",
        b"\x1b$B",
        b"\xff\xfe",
        b"\xe3\x81",
        b"base64",
        b"Content-Transfer-Encoding: ",
        b"<blockquote>",
        b"=",
        b"Date: Tue, 99 Foo 9999 99:99:99 +9999",
    ];
    let mut state = 42_u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for _ in 0..3_000 {
        let n = next(60);
        let raw: Vec<u8> = (0..n).flat_map(|_| pieces[next(pieces.len())].to_vec()).collect();
        let mail = parse(&raw);
        let _ = crate::mail::report::read_mail(&mail);
        let _ = crate::mail::quote::fold_text(&mail.text);
        if let Some(html) = &mail.html {
            let _ = crate::mail::quote::fold_html(&html::sanitise(html));
        }
    }
}

/// Real odd mail, when the corpora lie beside the checkout: all of it reads, and bodies are found.
#[test]
fn corpora_are_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora");
    if !folder.is_dir() {
        println!("skipped: no corpora");
        return;
    }
    let (mut n_read, mut n_empty) = (0, 0);
    for set in ["mime", "not-bounces", "bounces", "bounces-flufl"] {
        for entry in std::fs::read_dir(folder.join(set)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|it| it != "eml") {
                continue;
            }
            let raw = std::fs::read(&path).unwrap();
            let mail = parse(&raw);
            n_read += 1;
            n_empty += usize::from(mail.text.trim().is_empty() && mail.attachments.is_empty());
            assert_eq!(parse_head(&raw).from, mail.head.from, "{}", path.display());
            if let Some(html) = &mail.html {
                let safe = html::sanitise(html).to_lowercase();
                assert!(!safe.contains("<script") && !safe.contains("javascript:"), "{}", path.display());
                let _ = crate::mail::quote::fold_html(&safe);
            }
        }
    }
    assert!(n_read > 400, "{n_read}");
    assert!(n_empty * 20 < n_read, "{n_empty} of {n_read} have neither text nor files");
}

/// Every mail of `fixtures/charsets` has the same text in Subject and body.
#[test]
fn charsets_are_read() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/charsets");
    let expected = std::fs::read_to_string(dir.join("expected.tsv")).unwrap();
    let mut bad = Vec::new();
    let mut n_read = 0;
    for (name, text) in expected.lines().skip(1).filter_map(|it| it.split_once('\t')) {
        let mail = parse(&std::fs::read(dir.join(format!("{name}.eml"))).unwrap());
        n_read += 1;
        for (what, got) in [("subject", mail.head.subject.as_str()), ("text", mail.text.trim_end())] {
            if got != text {
                bad.push(format!("{name} {what}: {got:?} instead of {text:?}"));
            }
        }
    }
    let n_mails = std::fs::read_dir(&dir).unwrap().count() - 1;
    println!("{n_read} mails in charsets read");
    assert!(n_read > 0 && n_read == n_mails, "{n_mails} mails, {n_read} expectations");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

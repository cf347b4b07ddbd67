//! Mails that are built here: `.eml`, and `.msg` of both kinds, with every way Outlook keeps a body.

use std::io::Cursor;
use std::io::Write;

use super::*;
use crate::support::rtf::Body;

const HEAD: &str = "Return-Path: <ann@customer.test>\r\nDelivered-To: support@corp.test\r\n\
    Received: from mx.customer.test (mx.customer.test [192.0.2.1])\r\n by mx.corp.test (x; y) with ESMTPS for <support@corp.test>;\r\n Tue, 24 Nov 2026 10:00:09 +0000 (UTC)\r\n\
    Received: from laptop by mx.customer.test with ESMTPA; Tue, 24 Nov 2026 10:00:04 +0000\r\n\
    Authentication-Results: mx.cloudflare.net; spf=pass smtp.mailfrom=customer.test; dkim=fail (bad) header.d=customer.test\r\n\
    From: =?utf-8?B?w4RubmU=?= <ann@customer.test>\r\nTo: support@corp.test\r\nSubject: =?utf-8?Q?D=C3=A4cher?=\r\n\
    Message-ID: <1@customer.test>\r\nIn-Reply-To: <0@corp.test>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n";

fn check_trace(it: &Dropped) {
    assert_eq!(it.field("from"), "Änne <ann@customer.test>");
    assert_eq!(it.field("subject"), "Dächer");
    assert_eq!(it.ids(), ["1@customer.test", "0@corp.test"]);
    assert_eq!((it.envelope_from().as_str(), it.envelope_to().as_str()), ("ann@customer.test", "support@corp.test"));
    let hops = it.hops();
    assert_eq!(hops.len(), 2);
    assert_eq!((hops[0].from.as_deref(), hops[0].by.as_deref()), (Some("laptop"), Some("mx.customer.test")));
    let way: Vec<(String, i64)> =
        it.way().into_iter().map(|it| (it.name, it.stay.map_or(-1, |it| it.as_millis()))).collect();
    let expected = [("laptop", 4_000), ("mx.customer.test", 5_000), ("mx.corp.test", -1)];
    assert_eq!(way, expected.map(|(name, stay)| (name.to_owned(), stay)));
    assert_eq!(hops[1].with.as_deref(), Some("ESMTPS"));
    let results: Vec<String> =
        it.authentication().into_iter().map(|(host, m, r, _)| format!("{host} {m} {r}")).collect();
    assert_eq!(results, ["mx.cloudflare.net spf pass", "mx.cloudflare.net dkim fail"]);
    assert!(it.is_reply() && !it.is_forwarded() && it.has_transport);
}

#[test]
fn an_eml_is_read() {
    let body = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nTOG7l2kgcuG7k2k=\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\
        Content-Disposition: attachment; filename=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n";
    let it = read(format!("{HEAD}{body}").as_bytes()).unwrap();
    check_trace(&it);
    assert_eq!(it.text.trim(), "Lỗi rồi");
    assert_eq!(it.files, [FileInfo { name: "a.png".to_owned(), kind: "image/png".to_owned(), size: 3 }]);
    let forwarded = format!(
        "Subject: Fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nLook\r\n--o\r\n\
         Content-Type: message/rfc822\r\n\r\n{HEAD}\r\nInside\r\n--o--\r\n"
    );
    let outer = read(forwarded.as_bytes()).unwrap();
    check_trace(&outer.inner[0]);
    assert_eq!((outer.field("subject"), outer.inner[0].text.trim()), ("Fwd", "Inside"));
    let again = read(it.as_text().as_bytes()).unwrap();
    check_trace(&again);
    assert!(again.text.contains("Lỗi rồi") && again.text.contains("a.png"));
    assert!(read(b"From x@y Tue Nov 24\nSubject: Hi\n\nHello").is_ok_and(|it| it.field("subject") == "Hi"));
    for bad in [&b""[..], b"hello", b"%PDF-1.4 x", &[0; 100], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1broken"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

/// A `.msg` of streams: path and bytes. Storages are made as they are named.
fn msg(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, bytes) in streams {
        if let Some((storage, _)) = path.rsplit_once('/') {
            file.create_storage_all(format!("/{storage}")).unwrap();
        }
        file.create_stream(format!("/{path}")).unwrap().write_all(bytes).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// A property stream: bytes before the entries, then id and value.
fn properties(head: usize, entries: &[(u16, u64)]) -> Vec<u8> {
    let mut out = vec![0; head];
    for (id, value) in entries {
        out.extend_from_slice(&[3, 0]);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&value.to_le_bytes());
    }
    out
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_unicode_msg_with_its_transport_head_is_read() {
    let bytes = msg(&[
        ("__properties_version1.0", properties(32, &[])),
        ("__substg1.0_007D001F", wide(HEAD)),
        ("__substg1.0_0037001F", wide("Dächer")),
        ("__substg1.0_1000001F", wide("Lỗi rồi 🙂")),
        ("__attach_version1.0_#00000000/__properties_version1.0", properties(8, &[])),
        ("__attach_version1.0_#00000000/__substg1.0_3707001F", wide("Báo giá.pdf")),
        ("__attach_version1.0_#00000000/__substg1.0_370E001F", wide("application/pdf")),
        ("__attach_version1.0_#00000000/__substg1.0_37010102", vec![7; 5_000]),
        ("__attach_version1.0_#00000001/__substg1.0_3704001F", wide("INNER")),
        ("__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F", wide("inner")),
    ]);
    // The second storage has no properties: a mail that can't be read is still listed.
    let it = read(&bytes).unwrap();
    assert_eq!(it.format, Format::Msg);
    check_trace(&it);
    assert_eq!(it.text, "Lỗi rồi 🙂");
    let files: Vec<_> = it.files.iter().map(|it| (it.name.as_str(), it.kind.as_str(), it.size)).collect();
    assert_eq!(files, [("Báo giá.pdf", "application/pdf", 5_000), ("INNER", "message/rfc822", 0)]);
}

/// A mail in a mail in a mail, each with its own code page, properties and files: what Outlook makes of *forward as
/// attachment*. The property stream of an embedded message begins after 24 bytes.
#[test]
fn a_msg_within_a_msg_is_read_like_its_own_file() {
    let outer = "__attach_version1.0_#00000000/__substg1.0_3701000D";
    let deep = format!("{outer}/__attach_version1.0_#00000000/__substg1.0_3701000D");
    let at = |base: &str, name: &str| format!("{base}/{name}");
    let streams = [
        ("__properties_version1.0".to_owned(), properties(32, &[(0x3ffd, 1252)])),
        ("__substg1.0_0037001F".to_owned(), wide("Fwd: please look")),
        ("__substg1.0_1000001F".to_owned(), wide("See the mail inside.")),
        ("__attach_version1.0_#00000000/__properties_version1.0".to_owned(), properties(8, &[])),
        // ANSI with its own code page, RTF that wraps HTML, recipients and a file of its own.
        (at(outer, "__properties_version1.0"), properties(24, &[(0x3ffd, 1251)])),
        (at(outer, "__substg1.0_0037001E"), vec![0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
        (at(outer, "__substg1.0_5D01001E"), b"anya@corp.test".to_vec()),
        (at(outer, "__substg1.0_007D001E"), HEAD.as_bytes().to_vec()),
        (
            at(outer, "__substg1.0_10090102"),
            stored(
                b"{\\rtf1\\ansi\\ansicpg1251\\fromhtml1 {\\*\\htmltag64 <p>}\\'cf\\'f0\\u1080?{\\*\\htmltag72 </p>}}",
            ),
        ),
        (at(outer, "__recip_version1.0_#00000000/__properties_version1.0"), properties(8, &[(0x0c15, 1)])),
        (at(outer, "__recip_version1.0_#00000000/__substg1.0_39FE001E"), b"bob@sink.test".to_vec()),
        (at(outer, "__attach_version1.0_#00000000/__properties_version1.0"), properties(8, &[])),
        (at(outer, "__attach_version1.0_#00000001/__properties_version1.0"), properties(8, &[])),
        (at(outer, "__attach_version1.0_#00000001/__substg1.0_3707001E"), vec![0xf4, b'.', b't', b'x', b't']),
        (at(outer, "__attach_version1.0_#00000001/__substg1.0_37010102"), b"hello".to_vec()),
        (at(&deep, "__properties_version1.0"), properties(24, &[])),
        (at(&deep, "__substg1.0_0037001F"), wide("Deepest")),
        (at(&deep, "__substg1.0_1000001F"), wide("The first of them")),
    ];
    let streams: Vec<(&str, Vec<u8>)> = streams.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
    let bytes = msg(&streams);
    let it = read(&bytes).unwrap();
    assert_eq!((it.field("subject"), it.text.as_str()), ("Fwd: please look", "See the mail inside."));
    assert_eq!(
        (it.files[0].name.as_str(), it.files[0].kind.as_str()),
        ("Dächer", "message/rfc822"),
        "called by subject"
    );
    let inner = &it.inner[0];
    check_trace(inner);
    assert_eq!(inner.text.trim(), "При");
    let files: Vec<_> = inner.files.iter().map(|it| (it.name.as_str(), it.size)).collect();
    assert_eq!(files, [("Deepest", 17), ("ф.txt", 5)]);
    assert_eq!(inner.inner[0].text, "The first of them");
    // However it is cut or broken, reading ends.
    for cut in (0..bytes.len()).step_by(97) {
        let _ = read(&bytes[..cut]);
        let mut broken = bytes.clone();
        broken[cut] ^= 0x55;
        let _ = read(&broken);
    }
}

#[test]
fn an_ansi_msg_without_a_head_is_made_from_its_properties() {
    // 2026-11-24 10:00:00 UTC as FILETIME.
    let time = (1_795_514_400_u64 + 11_644_473_600) * 10_000_000;
    let bytes = msg(&[
        ("__properties_version1.0", properties(32, &[(0x3ffd, 1251), (0x0039, time)])),
        ("__substg1.0_0037001E", vec![0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
        ("__substg1.0_0C1A001E", vec![0xc0, 0xed, 0xff]),
        ("__substg1.0_0C1F001E", b"/O=CORP/CN=ANYA".to_vec()),
        ("__substg1.0_5D01001E", b"anya@corp.test".to_vec()),
        ("__substg1.0_1035001E", b"<9@corp.test>".to_vec()),
        ("__recip_version1.0_#00000000/__properties_version1.0", properties(8, &[(0x0c15, 1)])),
        ("__recip_version1.0_#00000000/__substg1.0_3001001E", b"Bob".to_vec()),
        ("__recip_version1.0_#00000000/__substg1.0_39FE001E", b"bob@sink.test".to_vec()),
        ("__recip_version1.0_#00000001/__properties_version1.0", properties(8, &[(0x0c15, 2)])),
        ("__recip_version1.0_#00000001/__substg1.0_3003001E", b"cc@sink.test".to_vec()),
        (
            "__substg1.0_10090102",
            stored(b"{\\rtf1\\ansi\\ansicpg1251 {\\fonttbl{\\f0 Arial;}}\\'cf\\'f0\\par \\u1080?\\{x\\}}"),
        ),
    ]);
    let it = read(&bytes).unwrap();
    assert!(!it.has_transport);
    assert_eq!(it.field("subject"), "Привет");
    assert_eq!(it.field("from"), "Аня <anya@corp.test>");
    assert_eq!((it.field("to"), it.field("cc")), ("Bob <bob@sink.test>", "cc@sink.test"));
    assert!(it.field("date").contains("24 Nov 2026 10:00:00"), "{}", it.field("date"));
    assert_eq!(it.ids(), ["9@corp.test"]);
    assert_eq!(it.text, "Пр\nи{x}");
    assert!(read(&msg(&[("other", vec![1])])).is_err());
}

/// RTF without compression.
fn stored(rtf: &[u8]) -> Vec<u8> {
    let mut out = (rtf.len() as u32 + 12).to_le_bytes().to_vec();
    out.extend_from_slice(&(rtf.len() as u32).to_le_bytes());
    out.extend_from_slice(b"MELA\0\0\0\0");
    out.extend_from_slice(rtf);
    out
}

#[test]
fn compressed_rtf_is_read() {
    // The examples of MS-OXRTFCP section 4.
    let simple = [
        0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0, 0x0a, 0, 0x72, 0x63,
        0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0, 0x20, 0x62, 0x77, 0x05,
        0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
    ];
    let text = rtf::decompress(&simple).unwrap();
    assert_eq!(String::from_utf8_lossy(&text), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    assert_eq!(rtf::unwrap(&text, 1252), Body::Text("hello world".to_owned()));
    for cut in 0..simple.len() {
        let _ = rtf::decompress(&simple[..cut]);
    }
    let html = b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0 Arial;}}{\\*\\htmltag19 <html>}{\\*\\htmltag34 <body>}\
        \\htmlrtf {\\htmlrtf0 {\\*\\htmltag64 <p>}Gr\\'fc\\'dfe \\u8364?{\\*\\htmltag84 <b>}\\htmlrtf \\b\\htmlrtf0 now{\\*\\htmltag92 </b>}\
        {\\*\\mhtmltag72 x}\\htmlrtf }\\htmlrtf0 {\\*\\htmltag58 </body>}}";
    assert_eq!(rtf::unwrap(html, 1252), Body::Html("<html><body><p>Grüße €<b>now</b></body>".to_owned()));
}

/// Whatever is planted wherever, nothing of it is in the bundle.
#[test]
fn planted_secrets_never_leave() {
    use base64::Engine;
    let secrets = [
        "hunter2-Very-Secret-99",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "Zm9vYmFyYmF6cXV4cXV1eDEyMzQ1Njc4",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "d41d8cd98f00b204e9800998ecf8427e",
    ];
    // Each secret in the ways people and programs write it.
    let shapes: [fn(&str) -> String; 9] = [
        |s| format!("password: {s}"),
        |s| format!("My password is {s}."),
        |s| format!("{{\"api_key\": \"{s}\"}}"),
        |s| format!("https://host.test/download?file=1&signature={s}"),
        |s| format!("https://user:{s}@host.test/"),
        |s| format!("TOKEN={s}"),
        |s| format!("Authorization: Bearer {s}"),
        |s| format!("Cookie: session={s}"),
        |s| format!("-----BEGIN RSA PRIVATE KEY-----\n{s}\n-----END RSA PRIVATE KEY-----"),
    ];
    for secret in secrets {
        for shape in shapes {
            let line = shape(secret);
            let one = line.replace('\n', "\r\n");
            let base64 = base64::engine::general_purpose::STANDARD.encode(&one);
            let word = base64::engine::general_purpose::STANDARD.encode(line.replace('\n', " "));
            let html = format!("<p>{}</p>", one.replace('"', "&quot;"));
            let quoted = one.bytes().map(|b| format!("={b:02X}")).collect::<Vec<_>>().concat();
            let soft: String = quoted.as_bytes().chunks(72).map(|it| String::from_utf8_lossy(it) + "=\r\n").collect();
            let mails = [
                format!("{HEAD}\r\n{one}\r\n"),
                format!("{HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n"),
                format!(
                    "{HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{soft}\r\n"
                ),
                format!("{HEAD}Content-Type: text/html\r\n\r\n{html}\r\n"),
                format!("{HEAD}X-Note: =?utf-8?B?{word}?=\r\n\r\nHi\r\n"),
                format!("{HEAD}X-Api-Key: {secret}\r\nX-Token:\r\n {secret}\r\n\r\nHi\r\n"),
                format!(
                    "{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\nContent-Type: text/plain\r\n\
                     Content-Disposition: attachment; filename=env.txt\r\n\r\n{one}\r\n--b--\r\n"
                ),
            ];
            for mail in mails {
                let dropped = read(mail.as_bytes()).unwrap();
                let parts = vec![
                    ("mail.eml".to_owned(), dropped.as_text()),
                    ("answers.txt".to_owned(), line.clone()),
                    ("settings.json".to_owned(), serde_json::json!({ "secret": secret, "note": line }).to_string()),
                ];
                let bundle = bundle::prepare(parts, &["corp.test".to_owned()], true);
                let zip = bundle.zip().unwrap();
                let found = zip.windows(secret.len()).any(|it| it == secret.as_bytes());
                assert!(!found, "{secret} in\n{mail}\n{:#?}", bundle.parts);
            }
        }
    }
}

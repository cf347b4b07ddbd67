//! Declared, wrong and missing charsets.

use super::*;

const RUSSIAN: &str = "Здравствуйте! Когда придёт наш заказ? Спасибо за быстрый ответ.";
const JAPANESE: &str = "お世話になっております。注文の件でご連絡いたしました。よろしくお願いします。";
const CHINESE: &str = "您好，我们想订购这个产品，请告诉我们价格和交货时间，谢谢。";
const TAIWANESE: &str = "您好，我們想訂購這個產品，請告訴我們價格和交貨時間，謝謝。";
const KOREAN: &str = "안녕하세요. 주문한 제품의 배송 일정을 알려 주시기 바랍니다. 감사합니다.";

fn check(bytes: &[u8], label: Option<&str>, expect: &str) {
    assert_eq!(decode(bytes, label).text, expect, "{label:?}");
}

fn encode(text: &str, label: &str) -> Vec<u8> {
    Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
}

#[test]
fn declared_charsets_are_decoded() {
    for (text, web, labels) in [
        (JAPANESE, "iso-2022-jp", &["ISO-2022-JP", "iso-2022-jp-ms", "csISO2022JP"][..]),
        (JAPANESE, "shift_jis", &["Shift_JIS", "cp932", "windows-31j", "x-sjis"]),
        (JAPANESE, "euc-jp", &["EUC-JP", "cp51932"]),
        (CHINESE, "gb18030", &["GB18030", "gb2312", "GBK", "cp936"]),
        (TAIWANESE, "big5", &["Big5", "big5-hkscs", "cp950"]),
        (KOREAN, "euc-kr", &["EUC-KR", "ks_c_5601-1987", "cp949"]),
        (RUSSIAN, "koi8-r", &["KOI8-R", "\"koi8-r\"", "koi8-r*ru"]),
        (RUSSIAN, "windows-1251", &["windows-1251", "cp1251", "win-1251"]),
        ("Grüße, façade €", "windows-1252", &["iso-8859-1", "latin1", "ISO8859-1", "windows-1252"]),
        ("Grüße € ž", "iso-8859-15", &["ISO-8859-15", "iso_8859-15"]),
        ("שלום", "iso-8859-8-i", &["iso-8859-8-i", "ISO-8859-8"]),
        ("สวัสดีครับ", "windows-874", &["windows-874", "tis-620"]),
    ] {
        for label in labels {
            let bytes = encode(text, web);
            check(&bytes, Some(label), text);
            assert!(decode(&bytes, Some(label)).is_clean, "{label}");
        }
    }
    check(
        b"\x1b$)C\x0e>H3gGO\x0f OK",
        Some("iso-2022-kr"),
        &decode(b"\xbe\xc8\xb3\xe7\xc7\xcf OK", Some("euc-kr")).text,
    );
    check(b"~{VPND~} ~~ hz", Some("hz-gb-2312"), "中文 ~ hz");
    check(b"\x1b$)A\x0eVPND\x0f cn", Some("iso-2022-cn"), "中文 cn");
    check(b"\x1b(I1\x1b(B", Some("iso-2022-jp"), "ｱ");
    check(b"Hi +AOQ-+AGE- 1 +- 1 +ZeVnLIqe-", Some("utf-7"), "Hi äa 1 + 1 日本語");
    check(b"A\0\0\0\xe4\0\0\0", Some("utf-32le"), "Aä");
    check(&[0x82], Some("cp850"), "é");
}

#[test]
fn wrong_and_missing_labels_are_seen_through() {
    check("Grüße".as_bytes(), Some("iso-8859-1"), "Grüße");
    check("Grüße".as_bytes(), Some("us-ascii"), "Grüße");
    check("Grüße".as_bytes(), Some("x-no-such-thing"), "Grüße");
    check(b"Gr\xfc\xdfe aus K\xf6ln", Some("utf-8"), "Grüße aus Köln");
    check(b"caf\xe9", None, "café");
    check(RUSSIAN.as_bytes(), Some("koi8-r"), RUSSIAN);
    for (text, label) in [
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "ibm866"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "iso-2022-jp"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "big5"),
        (KOREAN, "euc-kr"),
        ("Ελληνικά: η παραγγελία μας δεν έφτασε ακόμα, παρακαλώ απαντήστε.", "windows-1253"),
        ("שלום, מתי תגיע ההזמנה שלנו? תודה רבה מראש.", "windows-1255"),
        ("مرحبا، متى سيصل طلبنا؟ شكرا جزيلا لكم", "windows-1256"),
        ("สวัสดีครับ สินค้าที่สั่งซื้อจะมาถึงเมื่อไหร่", "windows-874"),
        ("Où est passée ma commande ? Merci d’avance, à bientôt.", "windows-1252"),
        ("Żółte łódki płyną, proszę o fakturę i odpowiedź.", "windows-1250"),
        ("Siparişimiz ne zaman gelecek? Teşekkür ederiz, iyi günler, ığdır.", "windows-1254"),
    ] {
        check(&encode(text, label), None, text);
        check(&encode(text, label), Some("utf-8"), text);
    }
}

#[test]
fn cut_utf8_stays_utf8() {
    let bytes = "Đơn hàng của chúng tôi chưa đế".as_bytes();
    let cut = &bytes[..bytes.len() - 1];
    assert!(decode(cut, Some("utf-8")).text.starts_with("Đơn hàng của chúng tôi"));
    assert!(!decode(cut, Some("utf-8")).is_clean);
}

//! Quotations and signatures of real mailers.

use super::*;
use crate::mail::html::sanitise;

/// Body, visible, quoted starts with, signature starts with.
fn check(text: &str, visible: &str, quoted: Option<&str>, signature: Option<&str>) {
    let got = fold_text(text);
    assert_eq!(got.visible, visible, "{text}");
    let starts = |got: &Option<String>, expect: Option<&str>| match (got, expect) {
        (Some(got), Some(expect)) => got.starts_with(expect),
        (None, None) => true,
        _ => false,
    };
    assert!(starts(&got.quoted, quoted), "{text}\n{got:?}");
    assert!(starts(&got.signature, signature), "{text}\n{got:?}");
}

#[test]
fn text_quotations_fold() {
    check(
        "Yes.\n\nOn Mon, 23 Nov 2026 at 10:00, Ann <ann@corp.test> wrote:\n> May I?\n> Ann\n",
        "Yes.",
        Some("On Mon"),
        None,
    );
    check(
        "Yes.\n\nOn Mon, 23 Nov 2026 at 10:00, Ann Long Name\n<ann@corp.test> wrote:\n\n> May I?\n",
        "Yes.",
        Some("On Mon"),
        None,
    );
    check("Ja.\n\nAm 23.11.2026 um 10:00 schrieb Ann Lee:\n> Darf ich?\n", "Ja.", Some("Am 23"), None);
    check(
        "Oui.\n\nLe lun. 23 nov. 2026 à 10:00, Ann <ann@corp.test> a écrit :\n> Puis-je ?\n",
        "Oui.",
        Some("Le lun."),
        None,
    );
    check(
        "Vâng.\n\nVào Th 2, 23 thg 11, 2026 lúc 10:00 Ann <ann@corp.test> đã viết:\n> Được không?\n",
        "Vâng.",
        Some("Vào"),
        None,
    );
    check("Yes.\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\n\nMay I?", "Yes.", Some("-----Original"), None);
    check("Ja.\n\n-----Ursprüngliche Nachricht-----\nVon: Ann\n\nDarf ich?", "Ja.", Some("-----Urs"), None);
    check(
        "Yes.\n\n________________________________\nFrom: Ann <ann@corp.test>\nSent: Monday\nTo: Bo\nSubject: x\n\nMay I?",
        "Yes.",
        Some("____"),
        None,
    );
    check("Ja.\n\nVon: Ann\nGesendet: Montag\nAn: Bo\nBetreff: x\n\nDarf ich?", "Ja.", Some("Von:"), None);
    check("Vâng.\n\nTừ: Ann\nNgày: 23/11\nĐến: Bo\nChủ đề: x\n\nĐược không?", "Vâng.", Some("Từ:"), None);
    check("> May I?\n> Ann\n\nYes, you may.", "Yes, you may.", Some("> May I?"), None);
    check("Yes.\n> a\n> b", "Yes.", Some("> a"), None);
}

#[test]
fn what_is_not_quoted_stays() {
    for text in [
        "Hello\n\nworld",
        "> one line\nanswer one\n> other line\nanswer two",
        "From: the desk of Ann\n\nHello",
        "He wrote: hello\nand left.",
        "Run this:\n> ls\nand tell me.",
        "Only\n\nOn Monday we wrote:\nnothing",
        "> all quoted\n> and nothing else",
        "-- \nOnly a signature",
        "",
    ] {
        check(text, text, None, None);
    }
}

#[test]
fn signatures_fold() {
    check("Hi\n\n-- \nAnn\nCorp", "Hi", None, Some("-- \nAnn"));
    check("Hi\n\nSent from my iPhone", "Hi", None, Some("Sent from"));
    check("Hi\n\nĐã gửi từ iPhone của tôi", "Hi", None, Some("Đã gửi"));
    check(
        "Hi\n\n-- \nAnn\n\nOn Mon, 23 Nov 2026, Bo <bo@corp.test> wrote:\n> x\n> y",
        "Hi",
        Some("On Mon"),
        Some("-- \nAnn"),
    );
    let long = format!("Hi\n--\n{}", "line\n".repeat(40));
    check(&long, long.as_str(), None, None);
}

/// HTML, words of the visible piece, words of the quoted piece.
fn check_html(html: &str, visible: &str, quoted: Option<&str>) {
    let safe = sanitise(html);
    let got = fold_html(&safe);
    let words = |html: &str| crate::mail::html::to_text(html).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&got.visible), visible, "{html}\n{got:?}");
    assert_eq!(got.quoted.as_deref().map(words).as_deref(), quoted, "{html}\n{got:?}");
    // Both pieces are well-formed: cleaning them again changes nothing.
    assert_eq!(sanitise(&got.visible).len(), got.visible.len(), "{}", got.visible);
}

#[test]
fn html_quotations_fold() {
    check_html(
        "<div dir=\"ltr\">Yes.</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Mon wrote:<br></div>\
         <blockquote class=\"gmail_quote\">May I?</blockquote></div>",
        "Yes.",
        Some("On Mon wrote: > May I?"),
    );
    check_html(
        "<p>Yes.</p><div class=\"moz-cite-prefix\">Am 23.11. schrieb Ann:</div><blockquote type=\"cite\"><p>Darf ich?</p></blockquote>",
        "Yes.",
        Some("Am 23.11. schrieb Ann: > Darf ich?"),
    );
    check_html(
        "<div>Yes.</div><div><br><blockquote type=\"cite\"><div>On 23 Nov 2026, at 10:00, Ann wrote:</div><div>May I?</div></blockquote></div>",
        "Yes.",
        Some("> On 23 Nov 2026, at 10:00, Ann wrote: > May I?"),
    );
    check_html(
        "<div>Yes.</div><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> Ann</div><div>May I?</div>",
        "Yes.",
        Some("-------- From: Ann May I?"),
    );
    check_html(
        "<div class=\"WordSection1\"><p>Yes.</p><div><div style=\"border:none;border-top:solid #E1E1E1 1.0pt\"><p><b>From:</b> Ann<br><b>Sent:</b> \
         Monday<br><b>To:</b> Bo<br><b>Subject:</b> x</p></div></div><p>May I?</p></div>",
        "Yes.",
        Some("From: Ann Sent: Monday To: Bo Subject: x May I?"),
    );
    check_html(
        "<p>Yes.</p><div class=\"yahoo_quoted\">On Monday, Ann wrote: May I?</div>",
        "Yes.",
        Some("On Monday, Ann wrote: May I?"),
    );
    check_html("<blockquote type=\"cite\">May I?</blockquote><p>Yes, you may.</p>", "Yes, you may.", Some("> May I?"));
}

#[test]
fn html_that_is_not_quoted_stays() {
    check_html("<p>Hello</p>", "Hello", None);
    check_html("<p>See:</p><blockquote>a citation</blockquote>", "See: > a citation", None);
    check_html(
        "<blockquote type=\"cite\">One?</blockquote><p>1</p><blockquote type=\"cite\">Two?</blockquote><p>2</p>",
        "> One? 1 > Two? 2",
        None,
    );
    check_html("<div class=\"gmail_quote\">all quoted</div>", "all quoted", None);
}

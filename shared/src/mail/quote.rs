//! Folding: what a mail newly says, what it quotes, how it signs. For showing only; nothing is thrown away, and in doubt a
//! text stays visible.

use super::html::scan;
use super::html::scan::Token;

/// A text body in up to three pieces. Blank lines between the pieces are dropped; a signature below a quotation stays with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    pub visible: String,
    /// Quoted history with the line that introduces it.
    pub quoted: Option<String>,
    /// The signature between the visible text and the quotation.
    pub signature: Option<String>,
}

/// An HTML body in up to two pieces, each well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedHtml {
    pub visible: String,
    pub quoted: Option<String>,
}

/// A signature has at most this many lines.
const MAX_SIGNATURE: usize = 15;

/// Splits a text body.
pub fn fold_text(text: &str) -> Folded {
    let lines: Vec<&str> = text.lines().collect();
    let (start, end) = find_quotation(&lines).unwrap_or((lines.len(), lines.len()));
    let before = lines.get(..start).unwrap_or_default();
    let quoted = lines.get(start..end).unwrap_or_default();
    let after = lines.get(end..).unwrap_or_default();
    // A quotation on top, the answer below it.
    let own: &[&str] = if is_blank(before) && !is_blank(after) { after } else { before };
    if is_blank(own) {
        // Nothing but a quotation: hiding it would show an empty mail.
        return Folded { visible: text.to_owned(), quoted: None, signature: None };
    }
    let (visible, signature) = split_signature(own);
    if is_blank(quoted) && signature.is_empty() {
        return Folded { visible: text.to_owned(), quoted: None, signature: None };
    }
    Folded {
        visible: join(visible),
        quoted: Some(join(quoted)).filter(|it| !it.trim().is_empty()),
        signature: Some(join(signature)).filter(|it| !it.trim().is_empty()),
    }
}

fn is_blank(lines: &[&str]) -> bool {
    lines.iter().all(|it| it.trim().is_empty())
}

fn join(lines: &[&str]) -> String {
    let first = lines.iter().position(|it| !it.trim().is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|it| !it.trim().is_empty()).map_or(first, |it| it + 1);
    lines.get(first..last).unwrap_or_default().join("\n")
}

/// The lines of the one quotation of a mail: at its end, or at its start. `None` for none, or for an answer between quoted
/// lines, which makes no sense without them.
fn find_quotation(lines: &[&str]) -> Option<(usize, usize)> {
    if let Some(start) = find_history(lines) {
        return Some((start, lines.len()));
    }
    let is_quoted = |line: &str| line.trim_start().starts_with('>');
    let first = lines.iter().position(|it| is_quoted(it))?;
    let last = lines.iter().rposition(|it| is_quoted(it))? + 1;
    let block = lines.get(first..last)?;
    if block.iter().any(|it| !is_quoted(it) && !it.trim().is_empty()) {
        return None;
    }
    // One quoted line in a text is emphasis, a prompt or a diff.
    let introduced = introduction_before(lines, first);
    if introduced.is_none() && block.len() < 2 {
        return None;
    }
    let start = introduced.unwrap_or(first);
    let is_at_end =
        is_blank(lines.get(last..)?) || split_signature(lines.get(last..)?).0.iter().all(|it| it.trim().is_empty());
    let is_at_start = is_blank(lines.get(..start)?);
    if is_at_end {
        Some((start, lines.len()))
    } else if is_at_start {
        Some((start, last))
    } else {
        None
    }
}

/// `On … wrote:` in the lines just above a quotation, over up to four lines.
fn introduction_before(lines: &[&str], quote: usize) -> Option<usize> {
    let above = lines.get(..quote)?;
    let last = above.iter().rposition(|it| !it.trim().is_empty())?;
    if quote - last > 3 {
        return None;
    }
    let mut found = None;
    for n_lines in 1..=4_usize {
        let Some(start) = (last + 1).checked_sub(n_lines) else { break };
        let joined = above.get(start..=last)?.iter().map(|it| it.trim()).collect::<Vec<_>>().join(" ");
        if is_introduction(&joined) {
            found = found.or(Some(start));
            let lower = joined.trim_start_matches(['*', ' ']).to_lowercase();
            if OPENERS.iter().any(|it| lower.starts_with(it)) {
                return Some(start);
            }
        }
    }
    found
}

/// How an introduction starts, to know where one of several lines begins.
const OPENERS: [&str; 14] =
    ["on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "vào ", "dne ", "w dniu ", "lúc ", "ngày ", "on\u{a0}"];

/// A line that introduces a quotation: ends like `wrote:` in some language and names a date or an address before it.
pub(in crate::mail) fn is_introduction(line: &str) -> bool {
    const ENDS: [&str; 22] = [
        "wrote:",
        "writes:",
        "said:",
        "schrieb:",
        "geschrieben:",
        "a écrit :",
        "a écrit:",
        "écrit :",
        "escribió:",
        "ha scritto:",
        "escreveu:",
        "schreef:",
        "schreef het volgende:",
        "skrev:",
        "napisał:",
        "napsal:",
        "kirjoitti:",
        "đã viết:",
        "viết:",
        "написал:",
        "写道:",
        "写道：",
    ];
    if line.len() > 400 {
        return false;
    }
    let lower = line.trim().trim_start_matches(['>', '*', ' ']).to_lowercase();
    let lower = lower.trim_end_matches(['*', ' ']);
    // `schrieb Ann <ann@corp.test>:`, `2026年11月24日 ann <ann@corp.test>:`
    let german = lower.contains(" schrieb ") && lower.ends_with(':');
    let by_address = lower.ends_with(">:") && lower.chars().any(|c| c.is_ascii_digit());
    let has_end = ENDS.iter().any(|it| lower.ends_with(it));
    let names_somebody = lower.contains('@') || lower.chars().filter(char::is_ascii_digit).count() >= 2;
    (has_end || german || by_address) && names_somebody
}

/// The start of a history without `>`: Outlook's header block, a line of dashes with words, underscores.
fn find_history(lines: &[&str]) -> Option<usize> {
    let mut has_text = false;
    for (i, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let rest = lines.get(i + 1..).unwrap_or_default();
        if is_original_message(trimmed) {
            return Some(i);
        }
        let is_rule = trimmed.len() >= 10 && trimmed.chars().all(|c| c == '_' || c == '-' || c == '―' || c == '—');
        let next = rest.iter().position(|it| !it.trim().is_empty());
        if is_rule && next.is_some_and(|at| is_header_block(rest.get(at..).unwrap_or_default())) {
            return Some(i);
        }
        if is_header_block(lines.get(i..).unwrap_or_default()) {
            return Some(i);
        }
        // An introduction with unmarked text below it (Yahoo, some phones), only with something said above.
        if has_text
            && is_dated_introduction(trimmed)
            && !is_blank(rest)
            && !rest.iter().any(|it| it.trim_start().starts_with('>'))
        {
            return Some(i);
        }
        has_text = true;
    }
    None
}

/// A whole introduction on one line that names an address or a year: sure enough to stand alone.
fn is_dated_introduction(line: &str) -> bool {
    let digits = line.chars().filter(char::is_ascii_digit).count();
    is_introduction(line) && digits >= 4 && (line.contains('@') || digits >= 6) && line.len() > 25
}

/// `-----Original Message-----` and its like.
fn is_original_message(line: &str) -> bool {
    const WORDS: [&str; 22] = [
        "original message",
        "forwarded message",
        "begin forwarded message",
        "ursprüngliche nachricht",
        "originalnachricht",
        "original-nachricht",
        "weitergeleitete nachricht",
        "message d'origine",
        "message d’origine",
        "message original",
        "message transféré",
        "mensaje original",
        "messaggio originale",
        "oorspronkelijk bericht",
        "thư gốc",
        "tin nhắn gốc",
        "thư đã chuyển tiếp",
        "thư được chuyển tiếp",
        "原始邮件",
        "原始郵件",
        "original appointment",
        "reply message",
    ];
    let lower = line.to_lowercase();
    let is_dashed = lower.starts_with("--") && lower.ends_with("--");
    let core = lower.trim_matches(|c: char| c == '-' || c == '_' || c.is_whitespace() || c == ':');
    is_dashed && WORDS.contains(&core) || lower.starts_with("begin forwarded message:")
}

/// `From: … Sent: … To: … Subject: …` in the first lines: From first and at least two more of the others.
fn is_header_block(lines: &[&str]) -> bool {
    const FROM: [&str; 9] = ["from:", "von:", "de :", "de:", "từ:", "da:", "van:", "发件人:", "发件人："];
    const MORE: [&str; 36] = [
        "sent:",
        "date:",
        "to:",
        "subject:",
        "cc:",
        "gesendet:",
        "datum:",
        "an:",
        "betreff:",
        "envoyé :",
        "envoyé:",
        "date :",
        "à :",
        "à:",
        "objet :",
        "objet:",
        "cc :",
        "enviado:",
        "para:",
        "asunto:",
        "fecha:",
        "đã gửi:",
        "ngày:",
        "đến:",
        "tới:",
        "chủ đề:",
        "gửi:",
        "tiêu đề:",
        "inviato:",
        "oggetto:",
        "a:",
        "verzonden:",
        "aan:",
        "onderwerp:",
        "发送时间:",
        "主题:",
    ];
    let starts = |line: &str, words: &[&str]| {
        let lower = line.trim().trim_start_matches(['*', '>', ' ']).to_lowercase();
        // `*From:* Ann` is bold in text form.
        let lower = lower.replacen(":*", ":", 1);
        words.iter().any(|it| lower.starts_with(it))
    };
    let mut block = lines.iter().filter(|it| !it.trim().is_empty()).take(7);
    let is_from = block.next().is_some_and(|it| starts(it, &FROM));
    is_from && block.filter(|it| starts(it, &MORE)).count() >= 2
}

/// Visible lines and the signature after them.
fn split_signature<'a, 'b>(lines: &'a [&'b str]) -> (&'a [&'b str], &'a [&'b str]) {
    let n = lines.len();
    let is_near_end = |at: usize| {
        lines.get(at..).unwrap_or_default().iter().filter(|it| !it.trim().is_empty()).count() <= MAX_SIGNATURE
    };
    // RFC 3676 section 4.3: `-- ` alone on a line; mailers lose the blank.
    let dashes = lines.iter().rposition(|it| *it == "-- " || *it == "--" || it.trim_end() == "\u{2014}");
    let phone = lines.iter().rposition(|it| is_phone_line(it));
    let start = match (dashes, phone) {
        (Some(at), _) if is_near_end(at) => at,
        (_, Some(at)) if n - at <= 4 && is_near_end(at) => at,
        _ => return (lines, &[]),
    };
    if is_blank(lines.get(..start).unwrap_or_default()) {
        return (lines, &[]);
    }
    lines.split_at(start)
}

/// `Sent from my iPhone` in the languages of phones.
fn is_phone_line(line: &str) -> bool {
    const STARTS: [&str; 17] = [
        "sent from my ",
        "sent from outlook",
        "sent from yahoo",
        "sent from mail for",
        "sent via ",
        "get outlook for ",
        "von meinem ",
        "gesendet von ",
        "gesendet mit ",
        "envoyé de mon ",
        "envoyé depuis ",
        "enviado desde ",
        "inviato da ",
        "đã gửi từ ",
        "gửi từ ",
        "tải outlook cho ",
        "发自我的",
    ];
    let lower = line.trim().to_lowercase();
    lower.len() < 120 && STARTS.iter().any(|it| lower.starts_with(it))
}

/// An element of sanitised HTML that is, or starts, a quotation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The element holds the quotation.
    Inside,
    /// The quotation starts here and goes on to the end of the mail.
    ToEnd,
    /// The line above a quotation (`On … wrote:`); folded with it.
    Above,
}

struct Element {
    start: usize,
    /// Behind the end tag.
    end: usize,
    mark: Mark,
}

/// Splits sanitised HTML ([`super::html::sanitise`]).
pub fn fold_html(html: &str) -> FoldedHtml {
    let whole = || FoldedHtml { visible: html.to_owned(), quoted: None };
    let elements = marked_elements(html);
    if let Some(element) = elements.iter().find(|it| it.mark == Mark::ToEnd) {
        return cut(html, element.start, html.len()).unwrap_or_else(whole);
    }
    let mut quotes = elements.iter().filter(|it| it.mark == Mark::Inside).collect::<Vec<_>>();
    // Inner quotations belong to the outer one.
    let mut end = 0;
    quotes.retain(|it| {
        let is_outer = it.start >= end;
        end = end.max(it.end);
        is_outer
    });
    let (Some(first), Some(last)) = (quotes.first(), quotes.last()) else {
        return fold_outlook(html).unwrap_or_else(whole);
    };
    for pair in quotes.windows(2) {
        if let [a, b] = pair
            && has_words(html.get(a.end..b.start).unwrap_or_default())
        {
            // An answer between quotations needs them.
            return whole();
        }
    }
    let above = elements.iter().rfind(|it| {
        it.mark == Mark::Above && it.end <= first.start && !has_words(html.get(it.end..first.start).unwrap_or_default())
    });
    let start = above.map_or(first.start, |it| it.start);
    let start = introduction_start(html, start).unwrap_or(start);
    cut(html, start, last.end).unwrap_or_else(whole)
}

/// Elements that known mailers put around quotations.
fn marked_elements(html: &str) -> Vec<Element> {
    let mut res: Vec<Element> = Vec::new();
    // Name, and the element when it is marked.
    let mut open: Vec<(String, Option<usize>)> = Vec::new();
    let mut at = 0;
    for token in scan::tokens(html) {
        let length = match &token {
            Token::Text(it)
            | Token::Raw { source: it }
            | Token::Start { source: it, .. }
            | Token::End { source: it, .. } => it.len(),
            Token::Comment => 0,
        };
        match token {
            Token::Start { name, source, is_void } if !is_void => {
                let mark = mark_of(&name, source).map(|mark| {
                    res.push(Element { start: at, end: html.len(), mark });
                    res.len() - 1
                });
                open.push((name, mark));
            }
            Token::End { name, .. } => {
                while let Some((inner, mark)) = open.pop() {
                    let is_it = inner == name;
                    if let Some(element) = mark.and_then(|it| res.get_mut(it)) {
                        element.end = if is_it { at + length } else { at };
                    }
                    if is_it {
                        break;
                    }
                }
            }
            _ => {}
        }
        at += length;
    }
    res
}

fn mark_of(name: &str, source: &str) -> Option<Mark> {
    let class = scan::attribute(source, "class").unwrap_or_default();
    let id = scan::attribute(source, "id").unwrap_or_default();
    let has_class = |it: &str| class.split_whitespace().any(|class| class == it);
    if ["moz-cite-prefix", "gmail_attr"].into_iter().any(has_class) {
        return Some(Mark::Above);
    }
    if [
        "divRplyFwdMsg",
        "appendonsend",
        "OLK_SRC_BODY_SECTION",
        "mail-editor-reference-message-container",
        "isReplyContent",
    ]
    .contains(&id)
    {
        return Some(if id == "mail-editor-reference-message-container" { Mark::Inside } else { Mark::ToEnd });
    }
    if has_class("OutlookMessageHeader") {
        return Some(Mark::ToEnd);
    }
    let is_marked = [
        "gmail_quote",
        "gmail_quote_container",
        "yahoo_quoted",
        "protonmail_quote",
        "tutanota_quote",
        "zmail_extra",
        "iCloud-quote",
    ]
    .into_iter()
    .any(has_class);
    let is_cite =
        name == "blockquote" && scan::attribute(source, "type").is_some_and(|it| it.eq_ignore_ascii_case("cite"));
    if is_marked || is_cite { Some(Mark::Inside) } else { None }
}

/// Outlook on Windows marks nothing: a ruled line above, then bold From, Sent, To, Subject.
fn fold_outlook(html: &str) -> Option<FoldedHtml> {
    const NAMES: [&str; 4] = ["from:", "von:", "de :", "từ:"];
    for (at, _) in html.match_indices("border-top:solid").chain(html.match_indices("border-top: solid")) {
        let start = html.get(..at)?.rfind("<div")?;
        let text = super::html::to_text(html.get(start..(at + 3_000).min(html.len())).or_else(|| html.get(start..))?);
        let lines: Vec<&str> = text.lines().collect();
        let lower = text.trim_start().to_lowercase();
        if NAMES.iter().any(|it| lower.starts_with(it)) && is_header_block(&lines) {
            return cut(html, start, html.len());
        }
    }
    None
}

/// The start of an unmarked `On … wrote:` directly above a quotation, when it fills its own block.
fn introduction_start(html: &str, quote: usize) -> Option<usize> {
    let above = html.get(..quote)?;
    let trimmed = trim_tags_end(above);
    // The last block or line of what is above.
    let start = ["<div", "<p", "<br"].iter().filter_map(|it| trimmed.rfind(it)).max()?;
    let piece = trimmed.get(start..)?;
    let text = super::html::to_text(piece);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let from = if piece.starts_with("<br") { start + piece.find('>')? + 1 } else { start };
    is_introduction(&joined).then_some(from)
}

/// Drops empty tags and blanks at the end.
fn trim_tags_end(html: &str) -> &str {
    let mut rest = html.trim_end();
    while rest.ends_with("<br>") || rest.ends_with("&nbsp;") {
        rest = rest.strip_suffix("<br>").or_else(|| rest.strip_suffix("&nbsp;")).unwrap_or(rest).trim_end();
    }
    rest
}

fn has_words(html: &str) -> bool {
    let has_picture = html.contains("<img");
    has_picture || super::html::to_text(html).chars().any(char::is_alphanumeric)
}

/// Takes a range out of HTML. Tags that are open at its ends are closed and opened again on both sides. `None` when that
/// would leave nothing to see.
fn cut(html: &str, start: usize, end: usize) -> Option<FoldedHtml> {
    let open_at_start = open_tags(html.get(..start)?);
    let open_at_end = open_tags(html.get(..end)?);
    let opening = |tags: &[(String, &str)]| tags.iter().map(|(_, source)| *source).collect::<String>();
    let closing =
        |tags: &[(String, &str)]| tags.iter().rev().fold(String::new(), |res, (name, _)| res + "</" + name + ">");
    // What is open on both sides stays open in the visible piece.
    let n_common = open_at_start.iter().zip(&open_at_end).take_while(|(a, b)| core::ptr::eq(a.1, b.1)).count();
    let left_behind = open_at_start.get(n_common..)?;
    let opened_inside = open_at_end.get(n_common..)?;
    let rest = html.get(end..)?;
    let mut visible = html.get(..start)?.to_owned();
    visible.push_str(&closing(left_behind));
    visible.push_str(&opening(opened_inside));
    visible.push_str(rest);
    if rest.is_empty() {
        visible.push_str(&closing(&open_at_end));
    }
    if !has_words(&visible) {
        return None;
    }
    let mut quoted = opening(&open_at_start);
    quoted.push_str(html.get(start..end)?);
    quoted.push_str(&closing(&open_at_end));
    Some(FoldedHtml { visible, quoted: Some(quoted) })
}

/// The tags that are open at the end of some HTML, outermost first.
fn open_tags(html: &str) -> Vec<(String, &str)> {
    let mut open: Vec<(String, &str)> = Vec::new();
    for token in scan::tokens(html) {
        match token {
            Token::Start { name, source, is_void } if !is_void => open.push((name, source)),
            Token::End { name, .. } => {
                if let Some(at) = open.iter().rposition(|(it, _)| *it == name) {
                    open.truncate(at);
                }
            }
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
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
        check(
            "Yes.\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\n\nMay I?",
            "Yes.",
            Some("-----Original"),
            None,
        );
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
        check_html(
            "<blockquote type=\"cite\">May I?</blockquote><p>Yes, you may.</p>",
            "Yes, you may.",
            Some("> May I?"),
        );
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
}

//! Folding: what a mail newly says, what it quotes, how it signs. For showing only; nothing is thrown away, and in doubt a
//! text stays visible.

mod markup;

pub use self::markup::fold_html;

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

#[cfg(test)]
mod tests;

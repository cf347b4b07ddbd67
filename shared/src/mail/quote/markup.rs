//! Quoted history within HTML: known marks of mailers, and the introduction before them.

use super::FoldedHtml;
use super::is_header_block;
use super::is_introduction;
use crate::mail::html;
use crate::mail::html::scan;
use crate::mail::html::scan::Token;

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

/// Splits sanitised HTML ([`html::sanitise`]).
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
        let text = html::to_text(html.get(start..(at + 3_000).min(html.len())).or_else(|| html.get(start..))?);
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
    let text = html::to_text(piece);
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
    has_picture || html::to_text(html).chars().any(char::is_alphanumeric)
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

//! HTML to text and back.

use super::scan;
use super::scan::Token;

/// Nested quotations deeper than this share one mark.
const MAX_QUOTE_DEPTH: usize = 20;

/// A writer that joins blanks, breaks lines where blocks end, and marks quotations.
struct Writer {
    res: String,
    /// Line feeds owed before the next word.
    n_breaks: usize,
    /// The quotation depth where the first of them was owed.
    break_depth: usize,
    is_space_owed: bool,
    quote_depth: usize,
    pre_depth: usize,
}

impl Writer {
    fn break_line(&mut self, n: usize) {
        if !self.res.is_empty() {
            if self.n_breaks == 0 {
                self.break_depth = self.quote_depth;
            }
            self.n_breaks = self.n_breaks.max(n);
        }
        self.is_space_owed = false;
    }

    fn line_feed(&mut self) {
        if self.n_breaks == 0 {
            self.break_depth = self.quote_depth;
        }
        self.n_breaks += usize::from(!self.res.is_empty());
        self.is_space_owed = false;
    }

    fn word(&mut self, word: &str) {
        let starts_line = self.n_breaks > 0 || self.res.is_empty();
        if starts_line {
            while self.res.ends_with(' ') {
                self.res.pop();
            }
            for i in 0..self.n_breaks {
                if i > 0 {
                    let depth = self.quote_depth.min(self.break_depth);
                    self.res.push_str(&">".repeat(depth.min(MAX_QUOTE_DEPTH)));
                }
                self.res.push('\n');
            }
            if self.quote_depth > 0 {
                self.res.push_str(&">".repeat(self.quote_depth.min(MAX_QUOTE_DEPTH)));
                self.res.push(' ');
            }
        } else if self.is_space_owed {
            self.res.push(' ');
        }
        self.n_breaks = 0;
        self.is_space_owed = false;
        self.res.push_str(word);
    }

    fn text(&mut self, text: &str) {
        if self.pre_depth > 0 {
            for (i, line) in text.split('\n').enumerate() {
                if i > 0 {
                    self.line_feed();
                }
                if !line.is_empty() {
                    self.word(line);
                }
            }
            return;
        }
        let is_blank = |c: char| c.is_ascii_whitespace();
        if text.starts_with(is_blank) && self.n_breaks == 0 && !self.res.is_empty() {
            self.is_space_owed = true;
        }
        let mut is_first = true;
        for word in text.split(is_blank).filter(|it| !it.is_empty()) {
            if !is_first {
                self.is_space_owed = true;
            }
            is_first = false;
            // Characters that only fill the preview of a newsletter.
            if word.contains(['\u{a0}', '\u{200b}', '\u{feff}', '\u{ad}', '\u{34f}']) {
                let cleaned: String = word
                    .chars()
                    .filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{34f}'))
                    .map(|c| if c == '\u{a0}' { ' ' } else { c })
                    .collect();
                if !cleaned.is_empty() {
                    self.word(&cleaned);
                }
            } else {
                self.word(word);
            }
        }
        if text.ends_with(is_blank) && !is_first {
            self.is_space_owed = true;
        }
    }
}

/// The words of an HTML text: paragraphs and lists as lines, quotations with `>`, links with their address behind them.
pub fn to_text(html: &str) -> String {
    let mut out = Writer {
        res: String::with_capacity(html.len() / 2),
        n_breaks: 0,
        break_depth: 0,
        is_space_owed: false,
        quote_depth: 0,
        pre_depth: 0,
    };
    let mut links: Vec<(String, usize)> = Vec::new();
    let mut lists: Vec<Option<usize>> = Vec::new();
    let mut is_in_head = false;
    let mut decoded = String::new();
    for token in scan::tokens(html) {
        match token {
            Token::Text(text) if !is_in_head => {
                decoded.clear();
                scan::decode_entities(text, &mut decoded);
                out.text(&decoded);
            }
            Token::Text(_) | Token::Comment | Token::Raw { .. } => {}
            Token::Start { name, source, .. } => match name.as_str() {
                "head" => is_in_head = true,
                "body" => is_in_head = false,
                "br" => out.line_feed(),
                "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" | "form" | "section" | "article" => {
                    out.break_line(2);
                }
                "pre" => {
                    out.break_line(2);
                    out.pre_depth += 1;
                }
                "ul" | "ol" => {
                    out.break_line(if lists.is_empty() { 2 } else { 1 });
                    if lists.len() < 50 {
                        lists.push((name == "ol").then_some(0));
                    }
                }
                "li" => {
                    out.break_line(1);
                    let indent = "  ".repeat(lists.len().saturating_sub(1).min(8));
                    let mark = match lists.last_mut() {
                        Some(Some(count)) => {
                            *count += 1;
                            format!("{indent}{count}. ")
                        }
                        _ => format!("{indent}- "),
                    };
                    out.word(&mark);
                }
                "blockquote" => {
                    out.break_line(2);
                    out.quote_depth += 1;
                }
                "hr" => {
                    out.break_line(1);
                    out.word("--------");
                    out.break_line(1);
                }
                "td" | "th" => out.is_space_owed = !out.res.is_empty(),
                "div" | "tr" | "center" | "address" | "dt" | "dd" | "header" | "footer" | "figure" | "tbody"
                | "caption" => out.break_line(1),
                "a" if links.len() < 50 => {
                    let href = scan::attribute(source, "href").unwrap_or_default();
                    links.push((href.to_owned(), out.res.len()));
                }
                "img" => {
                    if let Some(alt) = scan::attribute(source, "alt").filter(|it| !it.trim().is_empty()) {
                        decoded.clear();
                        scan::decode_entities(alt, &mut decoded);
                        out.text(&decoded);
                    }
                }
                _ => {}
            },
            Token::End { name, .. } => match name.as_str() {
                "head" => is_in_head = false,
                "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" => out.break_line(2),
                "pre" => {
                    out.pre_depth = out.pre_depth.saturating_sub(1);
                    out.break_line(2);
                }
                "ul" | "ol" => {
                    lists.pop();
                    out.break_line(if lists.is_empty() { 2 } else { 1 });
                }
                "blockquote" => {
                    out.break_line(2);
                    out.quote_depth = out.quote_depth.saturating_sub(1);
                }
                "div" | "tr" | "li" | "center" | "address" | "dt" | "dd" | "header" | "footer" | "figure" => {
                    out.break_line(1);
                }
                "a" => {
                    if let Some((href, from)) = links.pop() {
                        end_link(&mut out, &href, from);
                    }
                }
                _ => {}
            },
        }
    }
    let mut res = out.res;
    res.truncate(res.trim_end().len());
    res
}

/// Writes the address of a link behind its words when they don't show it already.
fn end_link(out: &mut Writer, href: &str, from: usize) {
    let mut address = String::new();
    scan::decode_entities(href.trim(), &mut address);
    let is_web = address.starts_with("http://") || address.starts_with("https://");
    let shown = out.res.get(from..).unwrap_or_default().trim();
    let bare =
        |it: &str| it.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned();
    if is_web && !shown.is_empty() && bare(shown) != bare(&address) && address.len() <= 500 {
        out.is_space_owed = true;
        out.word(&format!("<{address}>"));
    }
}

/// Text as HTML: escaped, paragraphs at blank lines, quotations as `<blockquote>`, web and mail addresses as links.
pub fn from_text(text: &str) -> String {
    let mut res = String::with_capacity(text.len() + text.len() / 8 + 16);
    let mut depth = 0_usize;
    let mut is_open = false;
    for line in text.lines() {
        let (line_depth, body) = quote_level(line);
        let line_depth = line_depth.min(8);
        let body = body.trim_end();
        if body.is_empty() || line_depth != depth {
            if is_open {
                res.push_str("</p>\n");
                is_open = false;
            }
            while depth > line_depth && !body.is_empty() {
                res.push_str("</blockquote>\n");
                depth -= 1;
            }
            if body.is_empty() {
                continue;
            }
            while depth < line_depth {
                res.push_str("<blockquote type=\"cite\">\n");
                depth += 1;
            }
        }
        res.push_str(if is_open { "<br>\n" } else { "<p>" });
        is_open = true;
        linkify(body, &mut res);
    }
    if is_open {
        res.push_str("</p>\n");
    }
    for _ in 0..depth {
        res.push_str("</blockquote>\n");
    }
    res
}

/// How many `>` a line starts with, and what follows them.
fn quote_level(line: &str) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = line;
    while let Some(after) = rest.strip_prefix('>') {
        depth += 1;
        rest = after;
        // `> > >` as well as `>>>`.
        if let Some(next) = rest.strip_prefix(' ').filter(|it| it.starts_with('>')) {
            rest = next;
        }
    }
    if depth > 0 { (depth, rest.strip_prefix(' ').unwrap_or(rest)) } else { (0, line) }
}

fn linkify(line: &str, res: &mut String) {
    // Blanks at the start and runs of blanks are meant.
    let mut is_after_blank = true;
    for piece in line.split_inclusive([' ', '\t']) {
        let word = piece.trim_end_matches([' ', '\t']);
        link_word(word, res);
        for c in piece.get(word.len()..).unwrap_or_default().chars() {
            if c == '\t' {
                res.push_str("&nbsp; &nbsp; ");
            } else if word.is_empty() && is_after_blank {
                res.push_str("&nbsp;");
            } else {
                res.push(' ');
            }
        }
        is_after_blank = true;
    }
}

fn link_word(word: &str, res: &mut String) {
    let opening = word.find(|c: char| !"<([{\"'«“„".contains(c)).unwrap_or(word.len());
    let (before, rest) = word.split_at(opening);
    let core = rest.trim_end_matches(['>', ')', ']', '}', '"', '\'', '.', ',', ';', ':', '!', '?', '»', '”']);
    let is_web = (core.starts_with("http://") || core.starts_with("https://")) && core.len() > 10
        || core.starts_with("www.") && core.len() > 8;
    let is_mail = !is_web
        && core.contains('@')
        && crate::address::EmailAddress::parse(core).is_ok_and(|it| it.domain().contains('.'));
    if !is_web && !is_mail {
        escape(word, res);
        return;
    }
    escape(before, res);
    res.push_str("<a href=\"");
    res.push_str(if is_mail {
        "mailto:"
    } else if core.starts_with("www.") {
        "http://"
    } else {
        ""
    });
    escape(core, res);
    res.push_str("\">");
    escape(core, res);
    res.push_str("</a>");
    escape(rest.get(core.len()..).unwrap_or_default(), res);
}

fn escape(text: &str, res: &mut String) {
    for c in text.chars() {
        match c {
            '&' => res.push_str("&amp;"),
            '<' => res.push_str("&lt;"),
            '>' => res.push_str("&gt;"),
            '"' => res.push_str("&quot;"),
            '\'' => res.push_str("&#39;"),
            _ => res.push(c),
        }
    }
}

/// The first words of a text on one line, at most `n` characters, with `…` when something was cut.
pub fn snippet(text: &str, n: usize) -> String {
    let mut res = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let needed = length + usize::from(count > 0);
        if count + needed > n {
            if count == 0 {
                res.extend(word.chars().take(n.saturating_sub(1)));
            }
            res.push('…');
            return res;
        }
        if count > 0 {
            res.push(' ');
        }
        res.push_str(word);
        count += needed;
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        for (html, expect) in [
            ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
            ("<div>a</div><div>b</div>", "a\nb"),
            ("a<b>b</b> c\n\n  d", "ab c d"),
            ("<ul><li>x</li><li>y</li></ul>z", "- x\n- y\n\nz"),
            ("<ol><li>x<li>y</ol>", "1. x\n2. y"),
            ("<blockquote><p>q</p><p>r</p></blockquote>s", "> q\n>\n> r\n\ns"),
            ("<a href=\"https://x.test/a\">here</a>.", "here <https://x.test/a>."),
            ("<a href=\"https://x.test/\">x.test</a>", "x.test"),
            ("<head><title>t</title><style>p{}</style></head><body>b</body>", "b"),
            ("&lt;b&gt; &amp; &eacute;&nbsp;&#8364; &unknown; AT&T", "<b> & é € &unknown; AT&T"),
            ("<pre>a  b\n  c</pre>", "a  b\n  c"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("<img alt=\"Logo\" src=\"x\"> <script>x</script>", "Logo"),
            ("<!--[if mso]><p>no</p><![endif]-->yes", "yes"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("", ""),
        ] {
            assert_eq!(to_text(html), expect, "{html}");
        }
    }

    #[test]
    fn text_becomes_html() {
        for (text, expect) in [
            ("a\nb\n\nc", "<p>a<br>\nb</p>\n<p>c</p>\n"),
            ("<b> & \"q\"", "<p>&lt;b&gt; &amp; &quot;q&quot;</p>\n"),
            (
                "see https://x.test/a?b=1&c=2.",
                "<p>see <a href=\"https://x.test/a?b=1&amp;c=2\">https://x.test/a?b=1&amp;c=2</a>.</p>\n",
            ),
            ("(www.corp.test)", "<p>(<a href=\"http://www.corp.test\">www.corp.test</a>)</p>\n"),
            ("<ann@corp.test>", "<p>&lt;<a href=\"mailto:ann@corp.test\">ann@corp.test</a>&gt;</p>\n"),
            (
                "x\n> q\n>> r\ny",
                "<p>x</p>\n<blockquote type=\"cite\">\n<p>q</p>\n<blockquote type=\"cite\">\n<p>r</p>\n</blockquote>\n</blockquote>\n<p>y</p>\n",
            ),
            ("javascript:alert(1)", "<p>javascript:alert(1)</p>\n"),
        ] {
            assert_eq!(from_text(text), expect, "{text}");
        }
    }

    #[test]
    fn snippets_are_short() {
        assert_eq!(snippet("one  two\nthree", 20), "one two three");
        assert_eq!(snippet("one two three", 9), "one two…");
        assert_eq!(snippet("unbreakable", 5), "unbr…");
        assert_eq!(snippet("", 5), "");
    }
}

//! HTML of mails: made safe to show, turned into text, made from text. Linear, and no recursion over the nesting.

pub(in crate::mail) mod scan;
mod text;

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::Builder;
use ammonia::UrlRelative;

use self::scan::Token;
pub use self::text::from_text;
pub use self::text::snippet;
pub use self::text::to_text;

/// Browsers cap nesting at 512 levels.
const MAX_DEPTH: usize = 400;
/// Open formatting elements are reopened in every block (HTML section 13.2.4.3): without a cap the output may explode.
const MAX_FORMATTING: usize = 60;

/// Elements that stay. Everything else is dropped and its content kept, but for [`DROPPED`].
const TAGS: &str = "a abbr acronym address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd \
    del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p \
    pre q rp rt ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var \
    wbr";

/// Elements that go with all they contain.
const DROPPED: &str = "script style title head noscript template iframe object embed applet audio video canvas svg math \
    select textarea xmp noembed noframes";

/// Classes that tell where a quotation or a signature starts ([`super::quote`]); all others are dropped.
const CLASSES: &str = "gmail_quote gmail_quote_container gmail_attr gmail_extra gmail_signature moz-cite-prefix moz-signature \
    moz-forward-container yahoo_quoted yahoo_quoted_begin protonmail_quote tutanota_quote zmail_extra WordSection1 \
    OutlookMessageHeader AppleMailSignature iCloud-quote mail-quote quote freebirdFormviewerViewItemsItemItem";

/// The same, as ids.
const IDS: [&str; 12] = [
    "divRplyFwdMsg",
    "appendonsend",
    "mail-editor-reference-message-container",
    "reply-intro",
    "OLK_SRC_BODY_SECTION",
    "isForwardContent",
    "isReplyContent",
    "ms-outlook-mobile-signature",
    "Signature",
    "AppleMailSignature",
    "lineBreakAtBeginningOfMessage",
    "replySplit",
];

/// CSS that can't leave its box, load anything or hide the page around it.
const PROPERTIES: &str = "background-color border border-bottom border-bottom-color border-bottom-left-radius \
    border-bottom-right-radius border-bottom-style border-bottom-width border-collapse border-color border-left \
    border-left-color border-left-style border-left-width border-radius border-right border-right-color border-right-style \
    border-right-width border-spacing border-style border-top border-top-color border-top-left-radius \
    border-top-right-radius border-top-style border-top-width border-width box-sizing caption-side clear color direction \
    display empty-cells float font font-family font-size font-style font-variant font-weight height letter-spacing \
    line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width min-width \
    overflow-wrap padding padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration \
    text-decoration-color text-decoration-line text-decoration-style text-indent text-transform unicode-bidi \
    vertical-align white-space width word-break word-spacing word-wrap background";

static PROPERTY_SET: LazyLock<HashSet<&'static str>> = LazyLock::new(|| PROPERTIES.split_whitespace().collect());

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags: HashSet<&str> = TAGS.split_whitespace().collect();
    let classes: HashSet<&str> = CLASSES.split_whitespace().collect();
    let attributes = [
        ("a", &["href", "name"][..]),
        ("img", &["src", "alt", "width", "height", "border", "align", "hspace", "vspace"]),
        ("font", &["color", "face", "size"]),
        ("table", &["border", "cellpadding", "cellspacing", "width", "height", "bgcolor", "align", "summary"]),
        ("tr", &["bgcolor", "align", "valign", "height"]),
        ("td", &["bgcolor", "align", "valign", "width", "height", "colspan", "rowspan", "nowrap"]),
        ("th", &["bgcolor", "align", "valign", "width", "height", "colspan", "rowspan", "nowrap", "scope"]),
        ("col", &["span", "width"]),
        ("colgroup", &["span", "width"]),
        ("ol", &["start", "type", "reversed"]),
        ("ul", &["type"]),
        ("li", &["value"]),
        ("blockquote", &["type"]),
        ("hr", &["size", "width", "color", "align", "noshade"]),
        ("br", &["clear"]),
        ("time", &["datetime"]),
        ("details", &["open"]),
    ];
    let attributes: HashMap<&str, HashSet<&str>> =
        attributes.into_iter().map(|(tag, names)| (tag, names.iter().copied().collect())).collect();
    let marked = ["div", "blockquote", "span", "p", "table", "section"];
    let mut builder = Builder::default();
    builder
        .allowed_classes(marked.into_iter().map(|tag| (tag, classes.clone())).collect())
        .tag_attributes(attributes)
        .tag_attribute_values(HashMap::new())
        .generic_attributes(["style", "dir", "lang", "title", "id"].into_iter().collect())
        .tags(tags)
        .clean_content_tags(DROPPED.split_whitespace().collect())
        .url_schemes(["http", "https", "mailto", "cid"].into_iter().collect())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_values([("a", [("target", "_blank")].into_iter().collect())].into_iter().collect())
        .strip_comments(true)
        .attribute_filter(|tag, name, value| match (tag, name) {
            (_, "style") => Some(safe_style(value)).filter(|it| !it.is_empty()).map(Into::into),
            (_, "id") => IDS.iter().find(|it| value.ends_with(**it)).map(|it| (*it).into()),
            ("a", "href") => Some(value.into()).filter(|_| !has_scheme(value, "cid:")),
            ("img", "src") => Some(value.trim().into()).filter(|_| !has_scheme(value, "mailto:")),
            ("img" | "table" | "td" | "th" | "hr", "width" | "height") => {
                Some(value.into()).filter(|_| value.len() < 8)
            }
            _ => Some(value.into()),
        });
    builder
});

/// Makes the HTML of a mail safe to put into a page, as a fragment.
///
/// Gone: scripts, event handlers, forms, frames, style sheets, comments, unknown attributes, every URL but `http`, `https`
/// and `mailto` links. Inline styles keep what can't leave its box or load anything. Links open a new tab without referrer.
/// Pictures load nothing: those of the mail keep `src="cid:…"` for the page to replace, remote ones get `data-remote-src`.
pub fn sanitise(html: &str) -> String {
    defer_images(&CLEANER.clean(&tame(html)).to_string())
}

fn has_scheme(value: &str, scheme: &str) -> bool {
    value.trim_start().get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme))
}

/// The declarations of a `style` attribute that may stay.
fn safe_style(style: &str) -> String {
    let mut res = String::new();
    // Escapes and comments only serve to hide something in a mail.
    if style.contains(['\\', '<', '@', '{', '}']) || style.contains("/*") || style.len() > 4_096 {
        return res;
    }
    for declaration in split_declarations(style) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim();
        let lower = value.to_ascii_lowercase();
        let has_function = lower.contains('(') && !lower.starts_with("rgb") && !lower.starts_with("hsl");
        let is_number_below_zero = |it: &str| {
            it.starts_with('-') && it.get(1..2).is_some_and(|c| c.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
        };
        let is_bad = has_function
            || ["url", "expression", "javascript", "import", "image(", "var("].iter().any(|it| lower.contains(it))
            || (name.starts_with("margin") || name == "text-indent")
                && lower.split_whitespace().any(is_number_below_zero)
            || name == "display"
                && !matches!(
                    lower.trim_end_matches("!important").trim(),
                    "none" | "block" | "inline" | "inline-block" | "table" | "table-row" | "table-cell" | "list-item"
                );
        if PROPERTY_SET.contains(name.as_str()) && !is_bad && !value.is_empty() {
            if !res.is_empty() {
                res.push(';');
            }
            res.push_str(&name);
            res.push(':');
            res.push_str(value);
        }
    }
    res
}

/// Splits at semicolons outside of quotes and parentheses.
fn split_declarations(style: &str) -> impl Iterator<Item = &str> {
    let (mut quote, mut depth) = (None, 0_usize);
    style.split(move |c: char| {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ';') => return depth == 0,
            _ => {}
        }
        false
    })
}

/// Takes the pathological nesting out of HTML before a real parser sees it. What is cut is only markup, never text.
fn tame(html: &str) -> String {
    let mut res = String::with_capacity(html.len());
    let (mut depth, mut n_formatting) = (0_usize, 0_usize);
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut cut: HashMap<String, usize> = HashMap::new();
    for token in scan::tokens(html) {
        match token {
            Token::Text(text) => res.push_str(text),
            Token::Raw { .. } | Token::Comment => {}
            Token::Start { name, source, is_void, .. } => {
                let is_formatting = scan::is_formatting(&name);
                if !is_void && !scan::closes_itself(&name) {
                    if depth >= MAX_DEPTH || is_formatting && n_formatting >= MAX_FORMATTING {
                        *cut.entry(name).or_default() += 1;
                        continue;
                    }
                    depth += 1;
                    n_formatting += usize::from(is_formatting);
                    *open.entry(name).or_default() += 1;
                }
                res.push_str(source);
            }
            Token::End { name, source } => {
                if let Some(count) = cut.get_mut(&name).filter(|it| **it > 0) {
                    *count -= 1;
                    continue;
                }
                if let Some(count) = open.get_mut(&name).filter(|it| **it > 0) {
                    *count -= 1;
                    depth = depth.saturating_sub(1);
                    n_formatting = n_formatting.saturating_sub(usize::from(scan::is_formatting(&name)));
                } else if !scan::closes_itself(&name) {
                    // An end without a start makes a parser search the whole stack.
                    continue;
                }
                res.push_str(source);
            }
        }
    }
    res
}

/// Renames `src` of pictures on other hosts, so that nothing loads before somebody asks for it, and drops empty classes.
fn defer_images(html: &str) -> String {
    if !html.contains("<img") && !html.contains(" class=\"\"") {
        return html.to_owned();
    }
    let mut res = String::with_capacity(html.len() + 64);
    for token in scan::tokens(html) {
        match token {
            Token::Start { name, source, .. } if name == "img" => {
                let attributes: Vec<_> = scan::attributes(source).collect();
                let source_of_image = attributes.iter().find(|(name, _)| *name == "src").map(|(_, value)| *value);
                match source_of_image {
                    // A picture without any address is a hole in the page.
                    None => {}
                    Some(src) => {
                        res.push_str("<img");
                        for (name, value) in &attributes {
                            let name =
                                if *name == "src" && !has_scheme(src, "cid:") { "data-remote-src" } else { name };
                            res.push(' ');
                            res.push_str(name);
                            res.push_str("=\"");
                            res.push_str(value);
                            res.push('"');
                        }
                        res.push('>');
                    }
                }
            }
            Token::Start { source, .. } if source.contains(" class=\"\"") => {
                res.push_str(&source.replacen(" class=\"\"", "", 1));
            }
            Token::Start { source, .. } | Token::End { source, .. } | Token::Raw { source } | Token::Text(source) => {
                res.push_str(source);
            }
            Token::Comment => {}
        }
    }
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expect: &str) {
        assert_eq!(sanitise(html), expect, "{html}");
    }

    #[test]
    fn active_content_is_gone() {
        check("<p onclick=\"x()\">a</p>", "<p>a</p>");
        check("a<script>alert(1)</script>b", "ab");
        check("<style>p{color:red}</style><p>x</p>", "<p>x</p>");
        check("<form action=\"http://evil.test\"><input name=q>pay</form>", "pay");
        check("<iframe src=\"http://evil.test\"></iframe>x", "x");
        check("<svg><script>alert(1)</script></svg>x", "x");
        for href in [
            "javascript:alert(1)",
            "cid:x",
            "data:text/html,x",
            "vbscript:x",
            " java\nscript:x",
            "/relative",
            "file:///etc",
        ] {
            assert!(!sanitise(&format!("<a href=\"{href}\">x</a>")).contains("href"), "{href}");
        }
        check("<base href=\"http://evil.test\"><p>x</p>", "<p>x</p>");
        check("<meta http-equiv=refresh content=\"0;url=http://evil.test\">x", "x");
        check("<!-- x --><p>y</p>", "<p>y</p>");
        check("<div id=\"app\" class=\"toolbar\">x</div>", "<div>x</div>");
        check("<p data-remote-src=\"x\">y</p>", "<p>y</p>");
        check("<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>z", "z");
    }

    #[test]
    fn links_and_pictures() {
        check(
            "<a href=\"https://x.test/?a=1&amp;b=2\">x</a>",
            "<a href=\"https://x.test/?a=1&amp;b=2\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a>",
        );
        check("<img src=\"cid:a@b\" alt=\"A\">", "<img src=\"cid:a@b\" alt=\"A\">");
        check("<img src=\"https://t.test/p.gif\">", "<img data-remote-src=\"https://t.test/p.gif\">");
        check(
            "<IMG SRC='http://t.test/p.gif?a=&quot;1' srcset='http://t.test/2'>",
            "<img data-remote-src=\"http://t.test/p.gif?a=&quot;1\">",
        );
        check("<img src=\"data:text/html,x\"><img src=\"//t.test/x\">", "");
        check("<td background=\"http://t.test/x\">y</td>", "y");
        check(
            "<p title=\"<img src='http://t.test/x'>\">y</p>",
            &sanitise("<p title=\"&lt;img src='http://t.test/x'&gt;\">y</p>"),
        );
        assert!(!sanitise("<p title=\"<img src=http://t.test/x>\">y</p>").contains("<img"));
    }

    #[test]
    fn styles_stay_in_their_box() {
        check("<p style=\"color:red;position:fixed;top:0\">x</p>", "<p style=\"color:red\">x</p>");
        check("<p style=\"background:url(http://t.test/x)\">x</p>", "<p>x</p>");
        check("<p style=\"background: #fff; width:expression(alert(1))\">x</p>", "<p style=\"background:#fff\">x</p>");
        check("<p style=\"color:\\72 ed;width:1px\">x</p>", "<p>x</p>");
        check("<p style=\"margin:-50px 0;padding:1px\">x</p>", "<p style=\"padding:1px\">x</p>");
        check("<p style=\"color:rgb(1,2,3)\">x</p>", "<p style=\"color:rgb(1,2,3)\">x</p>");
        check("<p style=\"font-family:'a;b',serif\">x</p>", "<p style=\"font-family:'a;b',serif\">x</p>");
    }

    #[test]
    fn quotation_markers_stay() {
        check("<div class=\"gmail_quote x\">q</div>", "<div class=\"gmail_quote\">q</div>");
        check("<div id=\"x_divRplyFwdMsg\">q</div>", "<div id=\"divRplyFwdMsg\">q</div>");
        check("<blockquote type=\"cite\" cite=\"mid:x\">q</blockquote>", "<blockquote type=\"cite\">q</blockquote>");
    }

    #[test]
    fn pathological_html_is_cheap() {
        for html in [
            "<div>".repeat(50_000) + "text" + &"</div>".repeat(50_000),
            "<b><i><font>".repeat(20_000) + &"<p>x".repeat(20_000),
            "<table><tr><td>".repeat(20_000) + "text",
            "</x>".repeat(100_000) + "text",
            "<a ".repeat(100_000),
            "<!--".repeat(100_000),
            "<".repeat(200_000),
            "&".repeat(200_000),
            format!("<p title=\"{}", "x".repeat(200_000)),
        ] {
            let safe = sanitise(&html);
            assert!(safe.len() < 30_000_000, "{}", safe.len());
            let _ = to_text(&html);
        }
    }
}

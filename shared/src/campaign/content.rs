//! What a campaign says: blocks become HTML and plain text, once for the campaign, then once more for each recipient.
//!
//! Everything a person typed is escaped here; nothing of it can be markup, so nothing has to be sanitised.

use serde::Deserialize;
use serde::Serialize;

use super::merge;
use super::merge::Fields;
use super::merge::MergeError;

/// A part of a mail, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    Heading {
        text: String,
    },
    /// Paragraphs, parted by blank lines; `**strong**`, `[words](https://…)`, and bare web addresses are links.
    Text {
        text: String,
    },
    Image {
        url: String,
        /// For those who see no pictures.
        #[serde(default)]
        alt: String,
        /// Where a click leads.
        #[serde(default)]
        link: String,
    },
    Button {
        text: String,
        url: String,
    },
    Divider,
    /// Who sends this, and the link to unsubscribe.
    Footer {
        text: String,
    },
}

impl Block {
    pub const KINDS: [&'static str; 6] = ["heading", "text", "image", "button", "divider", "footer"];

    /// An empty block of a kind.
    pub fn new(kind: &str) -> Option<Self> {
        let text = String::new;
        Some(match kind {
            "heading" => Self::Heading { text: text() },
            "text" => Self::Text { text: text() },
            "image" => Self::Image { url: text(), alt: text(), link: text() },
            "button" => Self::Button { text: text(), url: text() },
            "divider" => Self::Divider,
            "footer" => Self::Footer { text: text() },
            _ => return None,
        })
    }

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Heading { .. } => "heading",
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::Button { .. } => "button",
            Self::Divider => "divider",
            Self::Footer { .. } => "footer",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Content {
    #[serde(default)]
    pub blocks: Vec<Block>,
    /// Own plain-text part; empty makes it from the blocks.
    #[serde(default)]
    pub text: String,
}

/// Blocks and bytes that a mail may have.
pub const MAX_BLOCKS: usize = 100;
pub const MAX_TEXT: usize = 20_000;

/// Words that stand around the content, in the language of the campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Of the link in the footer.
    pub unsubscribe: String,
}

/// A link of the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    /// What stands for it in the mail; empty when nothing does.
    pub words: String,
}

/// The mail as all recipients have it in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    pub html: String,
    pub text: String,
    /// By number; the same address twice is one link.
    pub links: Vec<Link>,
    pub has_unsubscribe: bool,
    /// Pictures without a description.
    pub images_without_alt: u32,
}

/// Marks places that each recipient has filled. From the private use area: taken out of everything a person typed.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// Where links of one recipient lead.
pub struct Urls<'a> {
    pub link: &'a dyn Fn(usize, &str) -> String,
    pub unsubscribe: &'a str,
    /// The picture that tells that the mail was opened.
    pub pixel: Option<&'a str>,
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !matches!(*c, OPEN | CLOSE) && (!c.is_control() || *c == '\n')).collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// Web and mail addresses may be linked to, nothing else.
pub fn is_link(url: &str) -> bool {
    let url = url.trim().to_ascii_lowercase();
    let has_rest = |scheme: &str| url.strip_prefix(scheme).is_some_and(|it| !it.is_empty());
    (has_rest("https://") || has_rest("http://") || has_rest("mailto:")) && !url.contains(char::is_whitespace)
}

struct Writer {
    out: Compiled,
}

impl Writer {
    /// The number of a link, and its marker.
    fn link(&mut self, url: &str, words: &str) -> String {
        let url = clean(url).trim().to_owned();
        let known = self.out.links.iter().position(|it| it.url == url);
        let index = known.unwrap_or_else(|| {
            self.out.links.push(Link { url, words: String::new() });
            self.out.links.len() - 1
        });
        if let Some(link) = self.out.links.get_mut(index).filter(|it| it.words.is_empty()) {
            words.trim().clone_into(&mut link.words);
        }
        format!("{OPEN}{index}{CLOSE}")
    }

    /// One line of text: HTML and plain.
    fn inline(&mut self, line: &str) -> (String, String) {
        let (mut html, mut text) = (String::new(), String::new());
        let mut rest = line;
        let mut is_strong = false;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("**") {
                let closes = is_strong || after.contains("**");
                if closes {
                    html.push_str(if is_strong { "</strong>" } else { "<strong>" });
                    is_strong = !is_strong;
                } else {
                    html.push_str("**");
                    text.push_str("**");
                }
                rest = after;
            } else if let Some((words, url, after)) = bracket_link(rest) {
                let mark = self.link(url, words);
                html.extend([format!("<a href=\"{mark}\" style=\"color:#1d4ed8\">{}</a>", escape(words))]);
                text.extend([format!("{words} <{mark}>")]);
                rest = after;
            } else if rest.starts_with("https://") || rest.starts_with("http://") {
                let end = rest.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(rest.len());
                let bare = rest.get(..end).unwrap_or(rest).trim_end_matches(['.', ',', ')', ';', ':', '!', '?']);
                let mark = self.link(bare, bare);
                html.extend([format!("<a href=\"{mark}\" style=\"color:#1d4ed8\">{}</a>", escape(bare))]);
                text.push_str(&mark);
                rest = rest.get(bare.len()..).unwrap_or("");
            } else {
                let next = rest.char_indices().skip(1).map(|(i, _)| i).find(|i| {
                    let at = rest.get(*i..).unwrap_or("");
                    at.starts_with("**") || at.starts_with('[') || at.starts_with("http")
                });
                let plain = rest.get(..next.unwrap_or(rest.len())).unwrap_or(rest);
                html.push_str(&escape(plain));
                text.push_str(plain);
                rest = rest.get(plain.len()..).unwrap_or("");
            }
        }
        if is_strong {
            html.push_str("</strong>");
        }
        (html, text)
    }

    fn paragraphs(&mut self, text: &str, style: &str) {
        for paragraph in clean(text).split("\n\n").map(str::trim).filter(|it| !it.is_empty()) {
            let (mut html, mut plain) = (Vec::new(), Vec::new());
            for line in paragraph.lines() {
                let (a, b) = self.inline(line.trim_end());
                html.push(a);
                plain.push(b);
            }
            self.out.html.extend([format!("<p style=\"{style}\">{}</p>\n", html.join("<br>\n"))]);
            self.out.text.push_str(&plain.join("\n"));
            self.out.text.push_str("\n\n");
        }
    }

    fn block(&mut self, block: &Block, words: &Words) {
        match block {
            Block::Heading { text } => {
                let text = clean(text).replace('\n', " ");
                if text.trim().is_empty() {
                    return;
                }
                self.out.html.extend([format!(
                    "<h1 style=\"font-size:24px;line-height:1.3;margin:0 0 16px\">{}</h1>\n",
                    escape(text.trim())
                )]);
                let line: String = text.trim().chars().map(|_| '=').take(60).collect();
                self.out.text.extend([format!("{}\n{line}\n\n", text.trim())]);
            }
            Block::Text { text } => self.paragraphs(text, "margin:0 0 16px"),
            Block::Image { url, alt, link } => {
                if url.trim().is_empty() {
                    return;
                }
                let alt = clean(alt).replace('\n', " ");
                self.out.images_without_alt += u32::from(alt.trim().is_empty());
                let image = format!(
                    "<img src=\"{}\" alt=\"{}\" style=\"display:block;max-width:100%;height:auto;border:0;margin:0 0 16px\">",
                    escape(clean(url).trim()),
                    escape(alt.trim())
                );
                if is_link(link) {
                    let mark = self.link(link, &alt);
                    self.out.html.extend([format!("<a href=\"{mark}\">{image}</a>\n")]);
                    self.out.text.extend([format!("{} <{mark}>\n\n", alt.trim())]);
                } else {
                    self.out.html.push_str(&image);
                    self.out.html.push('\n');
                    if !alt.trim().is_empty() {
                        self.out.text.extend([format!("{}\n\n", alt.trim())]);
                    }
                }
            }
            Block::Button { text, url } => {
                let text = clean(text).replace('\n', " ");
                let mark = self.link(url, &text);
                self.out.html.extend([format!(
                    "<p style=\"margin:0 0 16px\"><a href=\"{mark}\" style=\"display:inline-block;padding:12px 22px;\
                     border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:600\">{}</a></p>\n",
                    escape(text.trim())
                )]);
                self.out.text.extend([format!("{}: {mark}\n\n", text.trim())]);
            }
            Block::Divider => {
                self.out.html.push_str("<hr style=\"border:0;border-top:1px solid #d4d9e2;margin:24px 0\">\n");
                self.out.text.push_str("--------\n\n");
            }
            Block::Footer { text } => {
                self.paragraphs(text, "margin:24px 0 8px;font-size:13px;color:#5b6474");
                self.out.html.extend([format!(
                    "<p style=\"margin:0;font-size:13px\"><a href=\"{OPEN}U{CLOSE}\" style=\"color:#5b6474\">{}</a></p>\n",
                    escape(&words.unsubscribe)
                )]);
                self.out.text.extend([format!("{}: {OPEN}U{CLOSE}\n\n", words.unsubscribe)]);
                self.out.has_unsubscribe = true;
            }
        }
    }
}

/// `[words](url)` at the start: words, address, what follows.
fn bracket_link(text: &str) -> Option<(&str, &str, &str)> {
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, rest) = rest.split_once(')')?;
    (!words.contains(['[', ']', '\n']) && is_link(url)).then_some((words, url, rest))
}

/// Writes what all recipients have in common. `preheader` is what a list of mails shows behind the subject.
pub fn compile(content: &Content, preheader: &str, words: &Words) -> Compiled {
    let mut writer = Writer { out: Compiled::default() };
    let preheader = clean(preheader).replace('\n', " ");
    if !preheader.trim().is_empty() {
        writer.out.html.extend([format!(
            "<div style=\"display:none;max-height:0;overflow:hidden\">{}</div>\n",
            escape(preheader.trim())
        )]);
    }
    writer.out.html.push_str(
        "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>\
         <td align=\"center\" style=\"padding:24px 12px\">\
         <table role=\"presentation\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" \
         style=\"width:100%;max-width:600px\"><tr><td style=\"font-family:Helvetica,Arial,sans-serif;font-size:16px;\
         line-height:1.5;color:#1b2230;text-align:left\">\n",
    );
    for block in content.blocks.iter().take(MAX_BLOCKS) {
        writer.block(block, words);
    }
    writer.out.html.extend([format!("</td></tr></table></td></tr></table>{OPEN}O{CLOSE}\n")]);
    let own = clean(&content.text);
    if !own.trim().is_empty() {
        let mut text = own.trim().to_owned();
        if writer.out.has_unsubscribe {
            // Whatever else it says, plain text tells how to unsubscribe too.
            text.extend([format!("\n\n{}: {OPEN}U{CLOSE}", words.unsubscribe)]);
        }
        writer.out.text = text;
    }
    writer.out.text.truncate(writer.out.text.trim_end().len());
    writer.out.text.push('\n');
    writer.out
}

/// Fills the places of one recipient.
fn fill(template: &str, compiled: &Compiled, urls: &Urls<'_>, write: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        let Some((name, tail)) = after.split_once(CLOSE) else { break };
        match name {
            "U" => out.push_str(&write(urls.unsubscribe)),
            "O" => {
                if let Some(pixel) = urls.pixel {
                    out.extend([format!(
                        "<img src=\"{}\" alt=\"\" width=\"1\" height=\"1\" style=\"display:block;border:0\">",
                        escape(pixel)
                    )]);
                }
            }
            number => {
                if let Some((i, link)) =
                    number.parse().ok().and_then(|i: usize| compiled.links.get(i).map(|it| (i, it)))
                {
                    out.push_str(&write(&(urls.link)(i, &link.url)));
                }
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// A link's address for one recipient: values of fields are encoded.
pub fn link_url(url: &str, fields: &Fields) -> String {
    merge::render(url, fields, crate::api::percent_encode)
}

impl Compiled {
    /// HTML and plain text for one recipient.
    pub fn personal(&self, fields: &Fields, urls: &Urls<'_>) -> (String, String) {
        // Fields first: what a recipient is called must not become a place to fill.
        let html = merge::render(&self.html, fields, |it| escape(&clean(it)));
        let text = merge::render(&self.text, fields, clean);
        (fill(&html, self, urls, escape), fill(&text, self, urls, str::to_owned))
    }

    /// The first mistake in the fields of content and addresses.
    pub fn check(&self, columns: &[String]) -> Result<(), MergeError> {
        merge::check(&self.html, columns)?;
        merge::check(&self.text, columns)?;
        self.links.iter().try_for_each(|it| merge::check(&it.url, columns))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn content() -> Content {
        Content {
            blocks: vec![
                Block::Heading { text: "Winter & you".to_owned() },
                Block::Text {
                    text: "Hi {{contact.name | friend}},\n**new** things: [the list](https://corp.test/list?c={{contact.email}}).\n\n\
                           See https://corp.test/x, <b>now</b>"
                        .to_owned(),
                },
                Block::Image { url: "https://corp.test/a.png".to_owned(), alt: String::new(), link: String::new() },
                Block::Button { text: "Book".to_owned(), url: "https://corp.test/x".to_owned() },
                Block::Divider,
                Block::Footer { text: "Corp, 1 Road".to_owned() },
            ],
            text: String::new(),
        }
    }

    fn personal(compiled: &Compiled, name: &str) -> (String, String) {
        let fields = merge::fields(name, "ann+x@customer.test", "Winter", &BTreeMap::new());
        let urls = Urls {
            link: &|i, url| format!("https://m.test/c/{i}?{}", link_url(url, &fields)),
            unsubscribe: "https://m.test/u/1",
            pixel: Some("https://m.test/o/1.gif"),
        };
        compiled.personal(&fields, &urls)
    }

    #[test]
    fn blocks_become_html_and_text_with_the_same_links() {
        let compiled = compile(&content(), "A look ahead", &Words { unsubscribe: "Unsubscribe".to_owned() });
        assert_eq!(compiled.links.len(), 2, "the same address twice is one link: {:?}", compiled.links);
        assert_eq!((compiled.has_unsubscribe, compiled.images_without_alt), (true, 1));
        assert_eq!(compiled.check(&[]), Ok(()));
        let (html, text) = personal(&compiled, "Ann <script>");
        for part in [
            "Winter &amp; you",
            "Hi Ann &lt;script&gt;,",
            "<strong>new</strong>",
            "href=\"https://m.test/c/0?https://corp.test/list?c=ann%2Bx%40customer.test\"",
            "&lt;b&gt;now&lt;/b&gt;",
            "href=\"https://m.test/u/1\"",
            "src=\"https://m.test/o/1.gif\"",
            ">A look ahead</div>",
        ] {
            assert!(html.contains(part), "{part}\n{html}");
        }
        for part in [
            "Hi Ann <script>,",
            "the list <https://m.test/c/0?",
            "Book: https://m.test/c/1?",
            "Unsubscribe: https://m.test/u/1",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!html.contains([OPEN, CLOSE]) && !text.contains([OPEN, CLOSE]));
        assert!(personal(&compiled, "").1.starts_with("Winter & you\n============\n\nHi friend,"));
    }

    #[test]
    fn nothing_typed_becomes_markup_or_a_place_to_fill() {
        let evil = format!("{OPEN}U{CLOSE} \"><img onerror=x> javascript:x [a](javascript:alert) **open");
        let blocks = vec![
            Block::Text { text: evil.clone() },
            Block::Heading { text: evil.clone() },
            Block::Image { url: "\" onerror=\"x".to_owned(), alt: evil.clone(), link: "javascript:x".to_owned() },
            Block::Footer { text: evil.clone() },
        ];
        let compiled = compile(&Content { blocks, text: String::new() }, &evil, &Words::default());
        assert!(compiled.links.is_empty(), "{:?}", compiled.links);
        let (html, _) = personal(&compiled, &evil);
        assert!(!html.contains("<img onerror") && !html.contains("href=\"javascript"), "{html}");
        assert_eq!(html.matches("https://m.test/u/1").count(), 1, "{html}");
    }

    /// What we write is what the sanitiser would let through.
    #[cfg(feature = "mail")]
    #[test]
    fn the_sanitiser_finds_nothing_to_take_away() {
        let compiled = compile(&content(), "x", &Words { unsubscribe: "Unsubscribe".to_owned() });
        let (html, _) = personal(&compiled, "Ann");
        let words = |it: &str| crate::mail::html::to_text(it).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&crate::mail::html::sanitise(&html)), words(&html));
    }

    #[test]
    fn own_plain_text_keeps_the_way_out() {
        let own = Content { text: "Short and plain, {{contact.name}}".to_owned(), ..content() };
        let compiled = compile(&own, "", &Words { unsubscribe: "Unsubscribe".to_owned() });
        assert_eq!(personal(&compiled, "Ann").1, "Short and plain, Ann\n\nUnsubscribe: https://m.test/u/1\n");
        assert!(Block::KINDS.into_iter().all(|it| Block::new(it).is_some_and(|block| block.kind() == it)));
    }
}

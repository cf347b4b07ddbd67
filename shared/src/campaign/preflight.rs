//! What to know before a campaign leaves. A finding that stops keeps it from leaving; the others are advice.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::content::Compiled;
use super::content::is_link;
use super::merge;
use super::merge::MergeError;
use super::queue::Part;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Stops,
    Warns,
    Fine,
}

/// One line; its words are `preflight.<key>` and, when it is not fine, `preflight.<key>.why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    pub key: String,
    pub level: Level,
    #[serde(default)]
    pub args: BTreeMap<String, String>,
}

/// Every key there is, with whether it can be fine.
pub const KEYS: [&str; 15] = [
    "recipients",
    "no_recipients",
    "server",
    "no_server",
    "from",
    "subject",
    "empty",
    "unsubscribe",
    "unsubscribe_https",
    "fields",
    "links",
    "images",
    "size",
    "text",
    "limit",
];

/// Everything that is looked at.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// Those who will get it.
    pub recipients: u32,
    pub left_out: u32,
    pub duplicates: u32,
    pub subject: &'a str,
    pub preheader: &'a str,
    /// Columns of the lists.
    pub columns: &'a [String],
    /// Own plain text, where there is one.
    pub own_text: &'a str,
    /// Name of the server that takes it.
    pub server: Option<&'a str>,
    /// The From is an address of one of our domains.
    pub is_from_ours: bool,
    pub from_domain: &'a str,
    /// Where the page is reached.
    pub base_url: &'a str,
    /// When it would leave, day by day.
    pub parts: &'a [Part],
}

/// Gmail shows no more of a mail.
pub const CLIPPED_AT: usize = 102 * 1024;
const MAX_SUBJECT: usize = 200;

fn finding(key: &str, level: Level, args: &[(&str, String)]) -> Finding {
    let args = args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Finding { key: key.to_owned(), level, args }
}

/// All findings, those that stop first.
pub fn check(compiled: &Compiled, facts: &Facts<'_>) -> Vec<Finding> {
    use Level::Fine;
    use Level::Stops;
    use Level::Warns;
    let mut out = Vec::new();
    let level = |is_fine: bool, otherwise: Level| if is_fine { Fine } else { otherwise };
    if facts.recipients == 0 {
        out.push(finding("no_recipients", Stops, &[("left_out", facts.left_out.to_string())]));
    } else {
        let args = [
            ("n", facts.recipients.to_string()),
            ("left_out", facts.left_out.to_string()),
            ("duplicates", facts.duplicates.to_string()),
        ];
        out.push(finding("recipients", Fine, &args));
    }
    match facts.server {
        Some(name) => out.push(finding("server", Fine, &[("server", name.to_owned())])),
        None => out.push(finding("no_server", Stops, &[])),
    }
    out.push(finding("from", level(facts.is_from_ours, Warns), &[("domain", facts.from_domain.to_owned())]));
    let has_subject = !facts.subject.trim().is_empty() && facts.subject.chars().count() <= MAX_SUBJECT;
    out.push(finding("subject", level(has_subject, Stops), &[]));
    let words = compiled.text.split_whitespace().count();
    if words < 3 {
        out.push(finding("empty", Stops, &[]));
    }
    out.push(finding("unsubscribe", level(compiled.has_unsubscribe, Stops), &[]));
    if compiled.has_unsubscribe {
        let is_secure = facts.base_url.starts_with("https://");
        out.push(finding("unsubscribe_https", level(is_secure, Warns), &[("url", facts.base_url.to_owned())]));
    }
    let wrong = merge::check(facts.subject, facts.columns)
        .and_then(|()| merge::check(facts.preheader, facts.columns))
        .and_then(|()| compiled.check(facts.columns));
    match wrong {
        Ok(()) => out.push(finding("fields", Fine, &[])),
        Err(MergeError::Unknown(name) | MergeError::Unclosed(name)) => {
            out.push(finding("fields", Stops, &[("field", name)]));
        }
    }
    let broken = compiled.links.iter().find(|it| !is_link(&it.url));
    let silent = compiled.links.iter().find(|it| it.words.trim().is_empty());
    match broken.or(silent) {
        Some(link) => {
            let level = if broken.is_some() { Stops } else { Warns };
            out.push(finding("links", level, &[("url", link.url.clone()), ("n", compiled.links.len().to_string())]));
        }
        None => out.push(finding("links", Fine, &[("n", compiled.links.len().to_string())])),
    }
    if compiled.images_without_alt > 0 {
        out.push(finding("images", Warns, &[("n", compiled.images_without_alt.to_string())]));
    }
    let size = compiled.html.len();
    out.push(finding("size", level(size < CLIPPED_AT, Warns), &[("kb", size.div_ceil(1024).to_string())]));
    // Its own plain text may have been forgotten when the blocks changed.
    let links_in_text =
        !facts.own_text.trim().is_empty() && !compiled.links.is_empty() && !facts.own_text.contains("http");
    out.push(finding("text", level(!links_in_text, Warns), &[]));
    if facts.parts.len() > 1 {
        let first = facts.parts.first().map_or(0, |it| it.n);
        let args = [
            ("days", facts.parts.len().to_string()),
            ("first", first.to_string()),
            ("rest", facts.recipients.saturating_sub(first).to_string()),
            ("ends", facts.parts.last().map_or(0, |it| it.ends.as_millis()).to_string()),
        ];
        out.push(finding("limit", Warns, &args));
    }
    out.sort_by_key(|it| it.level);
    out
}

/// Nothing keeps it from leaving.
pub fn may_leave(findings: &[Finding]) -> bool {
    findings.iter().all(|it| it.level != Level::Stops)
}

#[cfg(test)]
mod tests {
    use super::super::content::Block;
    use super::super::content::Content;
    use super::super::content::Words;
    use super::super::content::compile;
    use super::*;
    use crate::time::Timestamp;

    fn text(text: &str) -> Block {
        Block::Text { text: text.to_owned() }
    }

    fn fine() -> Facts<'static> {
        Facts {
            recipients: 10,
            subject: "Winter",
            server: Some("mx-bulk"),
            is_from_ours: true,
            from_domain: "corp.test",
            base_url: "https://mail.corp.test",
            ..Facts::default()
        }
    }

    #[test]
    fn each_mistake_is_found() {
        let footer = || Block::Footer { text: "Corp".to_owned() };
        let good = || vec![text("Hello to all of you, see [it](https://corp.test)"), footer()];
        let bad = |blocks: Vec<Block>, facts: Facts<'_>| {
            let content = Content { blocks, text: facts.own_text.to_owned() };
            let compiled = compile(&content, facts.preheader, &Words { unsubscribe: "Unsubscribe".to_owned() });
            let found = check(&compiled, &facts);
            assert!(found.iter().all(|it| KEYS.contains(&it.key.as_str())), "{found:?}");
            let words: Vec<String> = found
                .iter()
                .filter(|it| it.level != Level::Fine)
                .map(|it| format!("{}{}", it.key, if it.level == Level::Stops { "!" } else { "" }))
                .collect();
            assert_eq!(may_leave(&found), !words.iter().any(|it| it.ends_with('!')));
            words.join(" ")
        };
        assert_eq!(bad(good(), fine()), "");
        assert_eq!(bad(good(), Facts { recipients: 0, ..fine() }), "no_recipients!");
        assert_eq!(bad(good(), Facts { server: None, ..fine() }), "no_server!");
        assert_eq!(bad(good(), Facts { subject: " ", ..fine() }), "subject!");
        assert_eq!(bad(good(), Facts { is_from_ours: false, ..fine() }), "from");
        assert_eq!(bad(good(), Facts { subject: "{{contact.nam}}", ..fine() }), "fields!");
        assert_eq!(bad(good(), Facts { base_url: "http://127.0.0.1", ..fine() }), "unsubscribe_https");
        assert_eq!(bad(good(), Facts { own_text: "Nothing of the link here", ..fine() }), "text");
        assert_eq!(bad(vec![text("Hello to all of you")], fine()), "unsubscribe!");
        assert_eq!(bad(vec![Block::Divider], fine()), "empty! unsubscribe!");
        let button = |text: &str, url: &str| {
            let mut all = good();
            all.insert(0, Block::Button { text: text.to_owned(), url: url.to_owned() });
            all
        };
        assert_eq!(bad(button("Go", "corp.test"), fine()), "links!");
        assert_eq!(bad(button(" ", "https://corp.test/a"), fine()), "links");
        let mut long = good();
        long.push(text(&"word ".repeat(25_000)));
        assert_eq!(bad(long, fine()), "size");
        let part = Part { starts: Timestamp::from_millis(0), ends: Timestamp::from_millis(1), n: 5 };
        assert_eq!(bad(good(), Facts { parts: &[part, part], ..fine() }), "limit");
    }
}

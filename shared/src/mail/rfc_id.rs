//! Message-ID, References, In-Reply-To (RFC 5322 section 3.6.4): read what real mailers write, write only what is legal.

use serde::Deserialize;
use serde::Serialize;

/// A message id with its angle brackets, for example `<abc@corp.test>`. Never holds blanks or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RfcMessageId(String);

/// Why a text is no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id looks like <left@right>, at most 998 bytes")]
pub struct InvalidMessageId;

impl RfcMessageId {
    /// The text with its angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without angle brackets, as MIME libraries want it.
    pub fn bare(&self) -> &str {
        self.0.trim_start_matches('<').trim_end_matches('>')
    }

    /// One id; blanks from folding inside are removed (RT-31), missing brackets added.
    pub fn parse(text: &str) -> Result<Self, InvalidMessageId> {
        let inner: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let inner = inner.trim_start_matches('<').trim_end_matches('>');
        if inner.is_empty() || inner.len() > 996 || inner.contains(['<', '>']) {
            return Err(InvalidMessageId);
        }
        Ok(Self(format!("<{inner}>")))
    }
}

/// How much of a References header is read, in bytes: far more than any mailer writes.
const MAX_TEXT: usize = 64 * 1024;
/// How many ids are kept: the last ones, which are the nearest ancestors.
const MAX_IDS: usize = 200;

/// All ids of a References or In-Reply-To header in order, each once, at most the last 200 (RFC 5322 section 3.6.4).
/// Copes with missing brackets, commas, folding inside an id, and words around it (`Your message of Monday <a@b>`).
pub fn extract(text: &str) -> Vec<RfcMessageId> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut found = Vec::new();
    let mut rest = text.get(..end).unwrap_or_default();
    while !rest.is_empty() {
        let Some((before, after)) = rest.split_once('<') else {
            found.extend(loose(rest));
            break;
        };
        found.extend(loose(before));
        // An id that was cut off by the next one still counts.
        let end = after.find(['>', '<']).unwrap_or(after.len());
        found.extend(after.get(..end).and_then(|it| RfcMessageId::parse(it).ok()).filter(has_two_sides));
        rest = after.get(end..).unwrap_or_default();
        rest = rest.strip_prefix('>').unwrap_or(rest);
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|id: &RfcMessageId| seen.insert(id.clone()));
    found.drain(..found.len().saturating_sub(MAX_IDS));
    found
}

/// A new id. `unique` comes from the caller (an id plus randomness); what is no `atext` in it becomes `-`.
pub fn make(unique: &str, domain: &str) -> RfcMessageId {
    let clean = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.=+".contains(c) { c } else { '-' }).take(200).collect()
    };
    let domain = crate::address::Domain::parse(domain).map_or_else(|_| clean(domain), |it| it.ascii().into_owned());
    RfcMessageId(format!("<{}@{domain}>", clean(unique)))
}

/// Ids without brackets between others.
fn loose(text: &str) -> impl Iterator<Item = RfcMessageId> {
    text.split(|c: char| c.is_whitespace() || ",;\"'()".contains(c))
        .filter(|word| word.contains('@') && !word.starts_with('@') && !word.ends_with('@'))
        .filter_map(|word| RfcMessageId::parse(word).ok())
}

/// Junk in brackets, for example `<>` or `<unknown>`, is no id worth a lookup; `<abc@>` from old mailers is.
fn has_two_sides(id: &RfcMessageId) -> bool {
    id.bare().len() >= 3
}

impl TryFrom<String> for RfcMessageId {
    type Error = InvalidMessageId;
    fn try_from(text: String) -> Result<Self, InvalidMessageId> {
        Self::parse(&text)
    }
}

impl From<RfcMessageId> for String {
    fn from(id: RfcMessageId) -> String {
        id.0
    }
}

impl core::fmt::Display for RfcMessageId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let got: Vec<String> = extract(text).into_iter().map(String::from).collect();
        assert_eq!(got, expect, "{text:?}");
    }

    #[test]
    fn ids_are_found_in_what_mailers_write() {
        check("<a@b> <c@d>", &["<a@b>", "<c@d>"]);
        check("<a@b>,<c@d>", &["<a@b>", "<c@d>"]);
        check("<a@b><c@d>", &["<a@b>", "<c@d>"]);
        check("a@b c@d", &["<a@b>", "<c@d>"]);
        check("<very-long-\r\n id@host.test>", &["<very-long-id@host.test>"]);
        check("Your message of \"Mon, 2 Nov\" <a@b>", &["<a@b>"]);
        check("<a@b> <c@d> <a@b>", &["<a@b>", "<c@d>"]);
        check("<a@b <c@d>", &["<a@b>", "<c@d>"]);
        check("<a@b", &["<a@b>"]);
        check("<> junk", &[]);
        check("", &[]);
        check("<no-at-sign>", &["<no-at-sign>"]);
    }

    #[test]
    fn long_lists_are_bounded_and_keep_the_nearest() {
        let text = (0..1_000).map(|i| format!("<{i}@host.test>")).collect::<Vec<_>>().join(" ");
        let got = extract(&text);
        assert_eq!(got.len(), MAX_IDS);
        assert_eq!(got.last().map(RfcMessageId::as_str), Some("<999@host.test>"));
        assert!(extract(&"é".repeat(100_000)).is_empty());
    }

    #[test]
    fn made_ids_are_legal() {
        assert_eq!(make("01J>\r\nX", "bücher.example").as_str(), "<01J---X@xn--bcher-kva.example>");
    }
}

//! Addresses of the envelope and of the headers (RFC 5321 section 4.1.2, RFC 5322 section 3.4, RFC 6531, IDNA 2008).
//!
//! Comparison: two addresses are the same when their domains are equal as ASCII (A-labels) without case and their local
//! parts are equal without case. RFC 5321 allows a server to tell `Ann` from `ann`; no provider in use does, and every
//! product that did lost mail over it. What was written is kept for display and for sending.

use core::cmp::Ordering;
use core::fmt;
use core::hash::Hash;
use core::hash::Hasher;
use core::net::Ipv4Addr;
use core::net::Ipv6Addr;
use core::str::FromStr;
use std::borrow::Cow;

use serde::Deserialize;
use serde::Serialize;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    #[error("an address has the form name@domain")]
    NoAt,
    #[error("the part before @ is empty, longer than 64 bytes or holds characters that are not allowed there")]
    LocalPart,
    #[error("the part after @ is not a domain name")]
    Domain,
    #[error("an address has at most 254 bytes")]
    TooLong,
}

/// A domain name in lower case, U-labels kept as written (`bücher.example`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

/// `local@domain`, as written but for a lower-case domain. Equality is by [`EmailAddress::key`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// A display name and an address (RFC 5322 `mailbox`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: EmailAddress,
}

impl Domain {
    /// A domain name, one label is enough (`localhost`). Blanks around it and one final dot are dropped, the case is
    /// lowered. Address literals are not domains.
    ///
    /// # Errors
    /// [`InvalidAddress::Domain`] for anything that has no ASCII form of letters, digits, `-` and `_` in labels of 1 to 63.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let lower = lower(text.strip_suffix('.').unwrap_or(text));
        if to_ascii(&lower).is_some() { Ok(Self(lower)) } else { Err(InvalidAddress::Domain) }
    }

    /// Lower case, U-labels as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The A-label form (`xn--bcher-kva.example`), the one to compare and to look up.
    pub fn ascii(&self) -> Cow<'_, str> {
        ascii_domain(&self.0)
    }
}

impl EmailAddress {
    /// Reads `local@domain`. Blanks around it are dropped. Accepted: quoted local parts, UTF-8 local parts (RFC 6531),
    /// international domains, address literals `[192.0.2.1]` and `[IPv6:2001:db8::1]`, and the doubled or final dots that
    /// some Japanese carriers handed out. Control characters never pass, so an address can't inject a header or a command.
    ///
    /// # Errors
    /// Which part is wrong; angle brackets and display names are not part of an address.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (local, domain) = if text.starts_with('"') {
            let (local, rest) = unquote(text).ok_or(InvalidAddress::LocalPart)?;
            (Cow::Owned(local), rest.strip_prefix('@').ok_or(InvalidAddress::NoAt)?)
        } else {
            let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress::NoAt)?;
            if !local.chars().all(|c| c == '.' || is_atext(c)) {
                return Err(InvalidAddress::LocalPart);
            }
            (Cow::Borrowed(local), domain)
        };
        Self::build(&local, domain)
    }

    /// Puts an address together from an unquoted local part and a domain.
    ///
    /// # Errors
    /// As [`EmailAddress::parse`].
    pub fn new(local: &str, domain: &Domain) -> Result<Self, InvalidAddress> {
        Self::build(local, domain.as_str())
    }

    fn build(local: &str, domain: &str) -> Result<Self, InvalidAddress> {
        // RFC 5321 section 4.5.3.1.1: 64 octets.
        if local.is_empty() || local.len() > 64 || local.chars().any(is_forbidden) {
            return Err(InvalidAddress::LocalPart);
        }
        let domain = lower(domain.strip_suffix('.').unwrap_or(domain));
        if domain.starts_with('[') {
            if !is_literal(&domain) {
                return Err(InvalidAddress::Domain);
            }
        } else if to_ascii(&domain).is_none() {
            return Err(InvalidAddress::Domain);
        }
        let text = format!("{}@{domain}", written(local));
        // RFC 3696 erratum 1690: a path holds 254 octets.
        if text.len() > 254 { Err(InvalidAddress::TooLong) } else { Ok(Self(text)) }
    }

    /// As written, with a lower-case domain and without needless quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before `@`, without quotes and escapes.
    pub fn local(&self) -> String {
        unquote(&self.0)
            .map_or_else(|| self.0.rsplit_once('@').map(|(it, _)| it.to_owned()).unwrap_or_default(), |(it, _)| it)
    }

    /// The part after `@`: lower case, U-labels as written, or an address literal.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What two spellings of one address have in common: lower-case local part, `@`, domain in A-labels. For indexes.
    pub fn key(&self) -> String {
        format!("{}@{}", lower(&self.local()), ascii_domain(self.domain()))
    }

    /// The form for SMTP and headers: quoted where RFC 5321 asks for it, domain in A-labels. A local part that is not
    /// ASCII stays UTF-8 and needs a server with SMTPUTF8, see [`EmailAddress::needs_smtputf8`].
    pub fn to_smtp(&self) -> String {
        let local = self.local();
        let local = if is_dot_atom(&local) { local } else { quote(&local) };
        format!("{local}@{}", ascii_domain(self.domain()))
    }

    /// The local part is not ASCII (RFC 6531).
    pub fn needs_smtputf8(&self) -> bool {
        !self.local().is_ascii()
    }

    /// The same domain with another local part (unquoted).
    ///
    /// # Errors
    /// As [`EmailAddress::parse`].
    pub fn with_local(&self, local: &str) -> Result<Self, InvalidAddress> {
        Self::build(local, self.domain())
    }

    /// `sales+webshop@corp.test` is (`sales@corp.test`, `webshop`) (RFC 5233). `None` without a tag or a name before it.
    pub fn split_tag(&self) -> Option<(Self, String)> {
        let local = self.local();
        let (base, tag) = local.split_once('+')?;
        let base = self.with_local(base).ok()?;
        if tag.is_empty() { None } else { Some((base, tag.to_owned())) }
    }
}

impl Mailbox {
    /// Takes a display name as it came: control characters become blanks, blanks are joined, an empty one is none.
    pub fn new(name: Option<&str>, address: EmailAddress) -> Self {
        let name = name.map(clean_name).filter(|it| !it.is_empty());
        Self { name, address }
    }

    /// RFC 5322 `mailbox`, quoted where needed, not encoded: `"Doe, John" <john@corp.test>`.
    pub fn display(&self) -> String {
        match &self.name {
            None => self.address.to_string(),
            Some(name) => {
                let name = clean_name(name);
                let is_phrase = name.chars().all(|c| c == ' ' || is_atext(c));
                let name = if is_phrase { name } else { quote(&name) };
                format!("{name} <{}>", self.address)
            }
        }
    }

    /// What to call this person on the screen: the name, else the address.
    pub fn short(&self) -> &str {
        self.name.as_deref().map(str::trim).filter(|it| !it.is_empty()).unwrap_or_else(|| self.address.as_str())
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

macro_rules! text_like {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidAddress;
            fn try_from(text: String) -> Result<Self, InvalidAddress> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(it: $name) -> String {
                it.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidAddress;
            fn from_str(text: &str) -> Result<Self, InvalidAddress> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_like!(Domain, EmailAddress);

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        if self.0.is_ascii() && other.0.is_ascii() && !has_a_label(&self.0) && !has_a_label(&other.0) {
            self.0.eq_ignore_ascii_case(&other.0)
        } else {
            self.key() == other.key()
        }
    }
}

impl Eq for EmailAddress {}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for EmailAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EmailAddress {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

fn has_a_label(text: &str) -> bool {
    text.contains("xn--")
}

/// RFC 5322 `atext`, widened to UTF-8 by RFC 6532.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !is_forbidden(c) && !c.is_whitespace())
}

/// Characters that no address may hold, quoted or not: controls, line and paragraph separators, direction overrides.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn written(local: &str) -> Cow<'_, str> {
    if local.chars().all(|c| c == '.' || is_atext(c)) { Cow::Borrowed(local) } else { Cow::Owned(quote(local)) }
}

fn quote(text: &str) -> String {
    let mut res = String::with_capacity(text.len() + 2);
    res.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            res.push('\\');
        }
        res.push(c);
    }
    res.push('"');
    res
}

/// The content of a quoted string at the start of the text, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut res = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some((res, chars.as_str())),
            '\\' => res.push(chars.next()?),
            _ => res.push(c),
        }
    }
    None
}

fn clean_name(name: &str) -> String {
    let mut res = String::with_capacity(name.len());
    for word in name.split(|c: char| c.is_whitespace() || is_forbidden(c)).filter(|it| !it.is_empty()) {
        if !res.is_empty() {
            res.push(' ');
        }
        res.push_str(word);
    }
    res
}

fn is_literal(domain: &str) -> bool {
    let Some(inner) = domain.strip_prefix('[').and_then(|it| it.strip_suffix(']')) else {
        return false;
    };
    match inner.strip_prefix("ipv6:") {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
        None => inner.parse::<Ipv4Addr>().is_ok(),
    }
}

fn ascii_domain(domain: &str) -> Cow<'_, str> {
    if domain.starts_with('[') {
        return Cow::Borrowed(domain);
    }
    to_ascii(domain).unwrap_or(Cow::Borrowed(domain))
}

/// The A-label form of a lower-case domain, or `None` when it is no domain.
fn to_ascii(domain: &str) -> Option<Cow<'_, str>> {
    let is_plain = domain.is_ascii() && !has_a_label(domain);
    let ascii = if is_plain { Cow::Borrowed(domain) } else { a_labels(domain)? };
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || (cfg!(not(feature = "mail")) && !b.is_ascii());
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| is_letter(b) || b == b'-' || b == b'_')
    };
    let is_name = !ascii.is_empty() && ascii.len() <= 253 && ascii.split('.').all(is_label);
    // A last label of digits is a broken address literal (RFC 1123 section 2.1).
    let is_number = ascii.rsplit('.').next().is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit()));
    if is_name && !is_number { Some(ascii) } else { None }
}

#[cfg(feature = "mail")]
fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// The page keeps the case of letters beyond ASCII: their tables weigh more than this whole module.
#[cfg(not(feature = "mail"))]
fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

#[cfg(feature = "mail")]
fn a_labels(domain: &str) -> Option<Cow<'_, str>> {
    idna::domain_to_ascii(domain).ok().map(Cow::Owned)
}

/// The page does without the tables of IDNA, a quarter of its budget: there an international domain stays as it is
/// written, and the Worker has the last word.
#[cfg(not(feature = "mail"))]
fn a_labels(domain: &str) -> Option<Cow<'_, str>> {
    let is_fine = |c: char| c.is_ascii() || !(is_forbidden(c) || c.is_whitespace());
    domain.chars().all(is_fine).then_some(Cow::Borrowed(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Input, as_str, to_smtp, key.
    fn check(input: &str, expect: Result<(&str, &str, &str), InvalidAddress>) {
        let got = EmailAddress::parse(input);
        let got = got.as_ref().map(|it| (it.as_str().to_owned(), it.to_smtp(), it.key()));
        let expect = expect.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(got.map_err(|it| *it), expect, "{input:?}");
    }

    #[test]
    fn addresses_are_read_and_written() {
        use InvalidAddress::*;
        check(" Ann@Corp.TEST. ", Ok(("Ann@corp.test", "Ann@corp.test", "ann@corp.test")));
        check("\"ann\"@corp.test", Ok(("ann@corp.test", "ann@corp.test", "ann@corp.test")));
        check("\"a b\"@corp.test", Ok(("\"a b\"@corp.test", "\"a b\"@corp.test", "a b@corp.test")));
        check("\"a@b\\\"c\"@corp.test", Ok(("\"a@b\\\"c\"@corp.test", "\"a@b\\\"c\"@corp.test", "a@b\"c@corp.test")));
        check("a..b.@docomo.test", Ok(("a..b.@docomo.test", "\"a..b.\"@docomo.test", "a..b.@docomo.test")));
        check(
            "ann@Bücher.example",
            Ok(("ann@bücher.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example")),
        );
        check("Đặng@mail.vn", Ok(("Đặng@mail.vn", "Đặng@mail.vn", "đặng@mail.vn")));
        check("x@[192.0.2.1]", Ok(("x@[192.0.2.1]", "x@[192.0.2.1]", "x@[192.0.2.1]")));
        check("x@[IPv6:2001:DB8::1]", Ok(("x@[ipv6:2001:db8::1]", "x@[ipv6:2001:db8::1]", "x@[ipv6:2001:db8::1]")));
        check("root@localhost", Ok(("root@localhost", "root@localhost", "root@localhost")));
        check(
            "o'hara+x=y@my_host.test",
            Ok(("o'hara+x=y@my_host.test", "o'hara+x=y@my_host.test", "o'hara+x=y@my_host.test")),
        );
        for (text, why) in [
            ("", NoAt),
            ("corp.test", NoAt),
            ("@corp.test", LocalPart),
            ("a b@corp.test", LocalPart),
            ("a@b@corp.test", LocalPart),
            ("<a@corp.test>", LocalPart),
            ("\"a\r\nRCPT TO:<x@y.test>\"@corp.test", LocalPart),
            ("\"open@corp.test", LocalPart),
            ("a\u{0}@corp.test", LocalPart),
            ("a\u{202e}b@corp.test", LocalPart),
            ("a@", Domain),
            ("a@corp..test", Domain),
            ("a@-corp.test", Domain),
            ("a@corp.test some words", Domain),
            ("a@corp.test\r\nBcc: x@y.test", LocalPart),
            ("a@192.0.2.1", Domain),
            ("a@[192.0.2.999]", Domain),
            ("a@☃️ .test", Domain),
        ] {
            check(text, Err(why));
        }
        check(&format!("{}@corp.test", "a".repeat(65)), Err(LocalPart));
        check(&format!("a@{}test", "label.".repeat(60)), Err(Domain));
        check(&format!("{}@{}test", "a".repeat(60), "labels.".repeat(30)), Err(TooLong));
    }

    #[test]
    fn spellings_of_one_address_are_equal() {
        let same = [
            ("Ann@Corp.test", "ann@corp.TEST"),
            ("ann@bücher.example", "ANN@XN--BCHER-KVA.example"),
            ("\"ann\"@corp.test", "ann@corp.test"),
        ];
        for (a, b) in same {
            let (a, b) = (EmailAddress::parse(a).unwrap(), EmailAddress::parse(b).unwrap());
            assert_eq!(a, b);
            assert_eq!(a.cmp(&b), Ordering::Equal);
        }
        assert_ne!(EmailAddress::parse("a@corp.test").unwrap(), EmailAddress::parse("b@corp.test").unwrap());
    }

    #[test]
    fn tags_split_off() {
        let split = |text: &str| {
            let address = EmailAddress::parse(text).unwrap();
            address.split_tag().map(|(base, tag)| (base.to_string(), tag))
        };
        assert_eq!(split("sales+webshop@corp.test"), Some(("sales@corp.test".into(), "webshop".into())));
        assert_eq!(split("sales+a+b@corp.test"), Some(("sales@corp.test".into(), "a+b".into())));
        assert_eq!(split("+x@corp.test"), None);
        assert_eq!(split("sales+@corp.test"), None);
        assert_eq!(split("sales@corp.test"), None);
    }

    #[test]
    fn mailboxes_are_displayed_safely() {
        let show = |name: &str| Mailbox::new(Some(name), EmailAddress::parse("a@corp.test").unwrap()).display();
        assert_eq!(show("Ann Lee"), "Ann Lee <a@corp.test>");
        assert_eq!(show("Doe, John"), "\"Doe, John\" <a@corp.test>");
        assert_eq!(show("J. \"JD\" Doe"), "\"J. \\\"JD\\\" Doe\" <a@corp.test>");
        assert_eq!(show("x\r\nBcc: y@z.test"), "\"x Bcc: y@z.test\" <a@corp.test>");
        assert_eq!(show("  "), "a@corp.test");
        assert_eq!(show("Nguyễn Văn A"), "Nguyễn Văn A <a@corp.test>");
        let unnamed = Mailbox::new(None, EmailAddress::parse("a@corp.test").unwrap());
        assert_eq!(unnamed.short(), "a@corp.test");
    }
}

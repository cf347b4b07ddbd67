//! The grammar of a record (RFC 7208 section 12). An error anywhere makes the whole record wrong (section 4.6).

use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use super::macros;
use super::macros::Spec;

/// What a match means (section 4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    Pass,
    Fail,
    Softfail,
    Neutral,
}

impl Qualifier {
    pub const fn as_char(self) -> char {
        match self {
            Self::Pass => '+',
            Self::Fail => '-',
            Self::Softfail => '~',
            Self::Neutral => '?',
        }
    }
}

/// Lengths of the networks in which an address has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    pub v4: u8,
    pub v6: u8,
}

/// Section 5. A domain that is absent is the one whose record this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    All,
    Include(Spec),
    A(Option<Spec>, Cidr),
    Mx(Option<Spec>, Cidr),
    Ptr(Option<Spec>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(Spec),
}

impl Mechanism {
    /// Asks DNS, and counts among the ten.
    pub const fn asks(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4(..) | Self::Ip6(..))
    }
}

/// A mechanism with its qualifier, and as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    pub qualifier: Qualifier,
    pub mechanism: Mechanism,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    pub directives: Vec<Directive>,
    pub redirect: Option<Spec>,
    pub explanation: Option<Spec>,
    /// Names of modifiers nobody knows; they are ignored (section 6).
    pub unknown: Vec<String>,
}

impl Record {
    pub fn all(&self) -> Option<&Directive> {
        self.directives.iter().find(|it| it.mechanism == Mechanism::All)
    }

    /// The redirect that counts: none beside an `all` (section 6.1).
    pub fn effective_redirect(&self) -> Option<&Spec> {
        self.redirect.as_ref().filter(|_| self.all().is_none())
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The term.
    pub term: String,
    /// `mechanism`, `domain`, `ip`, `cidr`, `twice`, `blank` or `characters`.
    pub what: &'static str,
}

fn error(term: &str, what: &'static str) -> SyntaxError {
    SyntaxError { term: term.to_owned(), what }
}

/// Reads a record that begins with the version.
pub fn parse(text: &str) -> Result<Record, SyntaxError> {
    let terms = text.get(6..).unwrap_or_default();
    let mut record = Record::default();
    // Blanks part terms; a tab or line break does not, and belongs nowhere.
    for term in terms.split(' ').filter(|it| !it.is_empty()) {
        if !term.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(error(term, "characters"));
        }
        match modifier(term) {
            Some((name, value)) => {
                let name = name.to_ascii_lowercase();
                let slot = match name.as_str() {
                    "redirect" => &mut record.redirect,
                    "exp" => &mut record.explanation,
                    _ => {
                        macros::check_string(value).ok_or_else(|| error(term, "domain"))?;
                        record.unknown.push(name);
                        continue;
                    }
                };
                if slot.is_some() {
                    return Err(error(term, "twice"));
                }
                *slot = Some(Spec::parse(value).ok_or_else(|| error(term, "domain"))?);
            }
            None => record.directives.push(directive(term)?),
        }
    }
    Ok(record)
}

/// `name=value`, where the name is one (section 12). A mechanism has no `=` before its `:` or `/`.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let mut bytes = name.bytes();
    let is_name =
        bytes.next()?.is_ascii_alphabetic() && bytes.all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_name.then_some((name, value))
}

fn directive(term: &str) -> Result<Directive, SyntaxError> {
    let (qualifier, rest) = match term.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, term.get(1..)),
        Some(b'-') => (Qualifier::Fail, term.get(1..)),
        Some(b'~') => (Qualifier::Softfail, term.get(1..)),
        Some(b'?') => (Qualifier::Neutral, term.get(1..)),
        _ => (Qualifier::Pass, Some(term)),
    };
    let rest = rest.unwrap_or_default();
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, tail) = rest.split_at(end);
    let value = tail.strip_prefix(':');
    let name = name.to_ascii_lowercase();
    let mechanism = match name.as_str() {
        "all" if tail.is_empty() => Mechanism::All,
        "include" | "exists" => {
            let spec = value.and_then(Spec::parse).ok_or_else(|| error(term, "domain"))?;
            if name == "include" { Mechanism::Include(spec) } else { Mechanism::Exists(spec) }
        }
        "a" | "mx" => {
            let (domain, cidr) = lengths(value.unwrap_or(tail)).ok_or_else(|| error(term, "cidr"))?;
            let spec = match (value, domain) {
                // Without a colon there is nothing before the length.
                (None, "") => None,
                (None, _) => return Err(error(term, "domain")),
                (Some(_), domain) => Some(Spec::parse(domain).ok_or_else(|| error(term, "domain"))?),
            };
            if name == "a" { Mechanism::A(spec, cidr) } else { Mechanism::Mx(spec, cidr) }
        }
        "ptr" => match value {
            None if tail.is_empty() => Mechanism::Ptr(None),
            None => return Err(error(term, "domain")),
            Some(value) => Mechanism::Ptr(Some(Spec::parse(value).ok_or_else(|| error(term, "domain"))?)),
        },
        "ip4" => {
            let (ip, length) = network(value.unwrap_or_default(), 32).ok_or_else(|| error(term, "cidr"))?;
            Mechanism::Ip4(ip.parse().map_err(|_| error(term, "ip"))?, length)
        }
        "ip6" => {
            let (ip, length) = network(value.unwrap_or_default(), 128).ok_or_else(|| error(term, "cidr"))?;
            Mechanism::Ip6(ip.parse().map_err(|_| error(term, "ip"))?, length)
        }
        _ => return Err(error(term, "mechanism")),
    };
    Ok(Directive { qualifier, mechanism, text: term.to_owned() })
}

/// A length in digits without leading zeros.
fn length(text: &str, most: u8) -> Option<u8> {
    let is_number = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    let is_plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|it| is_number && is_plain && *it <= most)
}

fn network(text: &str, most: u8) -> Option<(&str, u8)> {
    match text.split_once('/') {
        Some((ip, digits)) => Some((ip, length(digits, most)?)),
        None => Some((text, most)),
    }
}

/// Parts `domain/24//64`: everything behind the last macro may be a length.
fn lengths(text: &str) -> Option<(&str, Cidr)> {
    let mut cidr = Cidr { v4: 32, v6: 128 };
    // A slash within `%{…}` is a delimiter.
    let from = text.rfind('}').map_or(0, |it| it + 1);
    let (head, tail) = text.split_at(from);
    // So is a slash that more than digits follow: a domain-spec takes any visible character.
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let tail = match tail.rsplit_once("//") {
        Some((before, digits)) if are_digits(digits) => {
            cidr.v6 = length(digits, 128)?;
            before
        }
        _ => tail,
    };
    let tail = match tail.rsplit_once('/') {
        Some((before, digits)) if are_digits(digits) => {
            cidr.v4 = length(digits, 32)?;
            before
        }
        _ => tail,
    };
    Some((text.get(..head.len() + tail.len())?, cidr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_the_grammar() {
        for good in [
            "v=spf1",
            "v=spf1 ",
            "V=SPF1 -ALL",
            "v=spf1   a  mx  -all ",
            "v=spf1 a/24 mx//64 a:h.test/24//64 mx:h.test -all",
            "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 ip6:2001:db8::/32 ?all",
            "v=spf1 include:_spf.h.test redirect=h.test",
            "v=spf1 exists:%{ir}.%{v}._spf.%{d2} exp=explain._spf.%{d}",
            "v=spf1 a:%{d1r+-}.h.test ptr ptr:h.test ~all",
            "v=spf1 moo.cow-far_out=man:dog/cat all",
            "v=spf1 moo= all",
            "v=spf1 include:h.test. -all",
            "v=spf1 a:%{d}/24 -all",
            "v=spf1 a:museum.h-1 -all",
            "v=spf1 ip4:192.0.2.1/0 -all",
            "v=spf1 a:under:score/x.h.test/24 -all",
        ] {
            assert!(parse(good).is_ok(), "{good}: {:?}", parse(good));
        }
        for (bad, what) in [
            ("v=spf1 a:", "domain"),
            ("v=spf1 include", "domain"),
            ("v=spf1 include:", "domain"),
            ("v=spf1 include:h.test/24 -all", "domain"),
            ("v=spf1 ipv4:192.0.2.1", "mechanism"),
            ("v=spf1 ip4:192.0.2", "ip"),
            ("v=spf1 ip4", "ip"),
            ("v=spf1 ip4:192.0.2.1/33", "cidr"),
            ("v=spf1 ip4:192.0.2.1/", "cidr"),
            ("v=spf1 ip4:192.0.2.1/032", "cidr"),
            ("v=spf1 ip6:2001:db8::/129", "cidr"),
            ("v=spf1 ip6:192.0.2.1", "ip"),
            ("v=spf1 a/33", "cidr"),
            ("v=spf1 a//129", "cidr"),
            ("v=spf1 a/24/64", "cidr"),
            ("v=spf1 all:h.test", "mechanism"),
            ("v=spf1 all/8", "mechanism"),
            ("v=spf1 redirect=a.test redirect=b.test", "twice"),
            ("v=spf1 exp=a.test exp=b.test", "twice"),
            ("v=spf1 redirect=", "domain"),
            ("v=spf1 a:%{x}.h.test", "domain"),
            ("v=spf1 a:%{d0}.h.test", "domain"),
            ("v=spf1 a:%d.h.test", "domain"),
            ("v=spf1 a:h.123", "domain"),
            ("v=spf1 a:localhost", "domain"),
            ("v=spf1 exists:%{c}.h.test", "domain"),
            ("v=spf1 a\t-all", "characters"),
            ("v=spf1 a:b\u{fc}cher.test", "characters"),
            ("v=spf1 -include:h.test --all", "mechanism"),
            ("v=spf1 =h.test", "mechanism"),
            ("v=spf1 ptr/24", "domain"),
            ("v=spf1 a:%{d}x -all", "domain"),
        ] {
            assert_eq!(parse(bad).map_err(|it| it.what), Err(what), "{bad}");
        }
    }
}

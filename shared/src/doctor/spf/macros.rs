//! Macros of RFC 7208 section 7.

use std::net::IpAddr;

/// A part of a text with macros.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Macro {
        /// Lower case.
        letter: char,
        /// Written in upper case: what comes out is percent-encoded.
        encoded: bool,
        /// Right-hand parts to keep; 0 keeps all.
        keep: usize,
        reversed: bool,
        delimiters: String,
    },
}

/// A domain-spec: a text with macros that ends like a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pieces: Vec<Piece>,
    text: String,
}

/// Letters for a domain, and those for explanations besides.
const LETTERS: &str = "slodiphv";
const MORE_LETTERS: &str = "crt";

impl Spec {
    /// `None` when the grammar knows no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        let pieces = pieces(text, LETTERS)?;
        match pieces.last()? {
            Piece::Macro { .. } => {}
            Piece::Literal(_) if ends_like_a_domain(text) => {}
            Piece::Literal(_) => return None,
        }
        Some(Self { pieces, text: text.to_owned() })
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Without macros: the name, whoever sends.
    pub fn fixed(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|it| match it {
                Piece::Literal(text) => Some(text.as_str()),
                Piece::Macro { .. } => None,
            })
            .collect::<Option<String>>()
            .map(|it| it.trim_end_matches('.').to_ascii_lowercase())
    }

    /// Whether it names the host that connects, which takes lookups of its own.
    pub fn needs_host(&self) -> bool {
        self.pieces.iter().any(|it| matches!(it, Piece::Macro { letter: 'p', .. }))
    }

    /// The name for one sender, shortened from the left to what DNS can carry (section 7.3).
    pub fn expand(&self, values: &Values<'_>) -> String {
        let mut name = expand(&self.pieces, values);
        while name.len() > 253 {
            match name.split_once('.') {
                Some((_, rest)) => name = rest.to_owned(),
                None => break,
            }
        }
        name.trim_end_matches('.').to_ascii_lowercase()
    }
}

/// The text behind `exp=` (section 6.2), which may have blanks and further letters. `None` when it is wrong.
pub fn explain(text: &str, values: &Values<'_>) -> Option<String> {
    let is_ascii = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let letters = format!("{LETTERS}{MORE_LETTERS}");
    is_ascii.then(|| pieces(text, &letters)).flatten().map(|it| expand(&it, values))
}

/// Whether an explanation names the host that connects.
pub fn names_host(text: &str) -> bool {
    let all = pieces(text, &format!("{LETTERS}{MORE_LETTERS}")).unwrap_or_default();
    all.iter().any(|it| matches!(it, Piece::Macro { letter: 'p', .. }))
}

/// Whether a text is a macro-string, as the value of any modifier has to be.
pub fn check_string(text: &str) -> Option<()> {
    pieces(text, &format!("{LETTERS}{MORE_LETTERS}")).map(|_| ())
}

/// A dot and a toplabel, perhaps with a last dot: letters, digits and inner hyphens, not digits alone.
fn ends_like_a_domain(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((_, top)) = text.rsplit_once('.') else { return false };
    !top.is_empty()
        && top.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !top.starts_with('-')
        && !top.ends_with('-')
        && !top.bytes().all(|b| b.is_ascii_digit())
}

fn pieces(text: &str, letters: &str) -> Option<Vec<Piece>> {
    let mut res = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..)?;
        if c != '%' {
            literal.push(c);
            continue;
        }
        let next = rest.chars().next()?;
        rest = rest.get(next.len_utf8()..)?;
        match next {
            '%' => literal.push('%'),
            '_' => literal.push(' '),
            '-' => literal.push_str("%20"),
            '{' => {
                let (inner, tail) = rest.split_once('}')?;
                rest = tail;
                if !literal.is_empty() {
                    res.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                res.push(one(inner, letters)?);
            }
            _ => return None,
        }
    }
    if !literal.is_empty() {
        res.push(Piece::Literal(literal));
    }
    Some(res)
}

/// What stands between the braces.
fn one(inner: &str, letters: &str) -> Option<Piece> {
    let c = inner.chars().next()?;
    let letter = c.to_ascii_lowercase();
    if !letters.contains(letter) {
        return None;
    }
    let rest = inner.get(1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let keep = match number {
        "" => 0,
        // More than there can be parts keeps all.
        number => number.parse().unwrap_or(usize::MAX),
    };
    if !number.is_empty() && keep == 0 {
        return None;
    }
    let (reversed, rest) = match rest.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    rest.bytes().all(|b| b".-+,/_=".contains(&b)).then(|| Piece::Macro {
        letter,
        encoded: c.is_ascii_uppercase(),
        keep,
        reversed,
        delimiters: if rest.is_empty() { ".".to_owned() } else { rest.to_owned() },
    })
}

/// What macros stand for.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    pub local: &'a str,
    /// Domain of the sender.
    pub sender_domain: &'a str,
    /// Domain whose record is read.
    pub domain: &'a str,
    pub ip: IpAddr,
    pub helo: &'a str,
    /// The proven name of the host, `unknown` without one.
    pub host: &'a str,
    /// Who checks, and when (seconds since 1970).
    pub receiver: &'a str,
    pub time: i64,
}

impl Values<'_> {
    fn of(&self, letter: char) -> String {
        match letter {
            's' => format!("{}@{}", self.local, self.sender_domain),
            'l' => self.local.to_owned(),
            'o' => self.sender_domain.to_owned(),
            'd' => self.domain.to_owned(),
            'i' => dotted(self.ip),
            'p' => self.host.to_owned(),
            'h' => self.helo.to_owned(),
            'v' => if self.ip.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            'c' => self.ip.to_string(),
            'r' => self.receiver.to_owned(),
            't' => self.time.to_string(),
            _ => String::new(),
        }
    }
}

/// An IPv6 address is written nibble by nibble.
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let nibbles: Vec<String> =
                ip.octets().iter().flat_map(|it| [it >> 4, it & 15]).map(|it| format!("{it:x}")).collect();
            nibbles.join(".")
        }
    }
}

fn expand(pieces: &[Piece], values: &Values<'_>) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Macro { letter, encoded, keep, reversed, delimiters } => {
                let value = values.of(*letter);
                let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
                if *reversed {
                    parts.reverse();
                }
                if *keep > 0 && parts.len() > *keep {
                    parts.drain(..parts.len() - keep);
                }
                let text = parts.join(".");
                if *encoded {
                    out.push_str(&crate::api::percent_encode(&text));
                } else {
                    out.push_str(&text);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of section 7.4.
    #[test]
    fn macros_expand_as_the_rfc_shows() {
        let check = |ip: &str, text: &str, expected: &str| {
            let values = Values {
                local: "strong-bad",
                sender_domain: "email.example.com",
                domain: "email.example.com",
                ip: ip.parse().unwrap(),
                helo: "h.test",
                host: "mx.example.org",
                receiver: "r.test",
                time: 7,
            };
            assert_eq!(expand(&pieces(text, LETTERS).unwrap(), &values), expected, "{text}");
        };
        let v4 = "192.0.2.3";
        for (text, expected) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%%%_%-%{S}", "% %20strong-bad%40email.example.com"),
        ] {
            check(v4, text, expected);
        }
        check(
            "2001:db8::cb01",
            "%{ir}.%{v}._spf.%{d2}",
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
        );
    }

    #[test]
    fn long_names_lose_labels_on_the_left() {
        let long = format!("{}.h.test", vec!["abcdefgh"; 40].join("."));
        let spec = Spec::parse("%{d}.tail.test").unwrap();
        let values = Values {
            local: "a",
            sender_domain: "o.test",
            domain: &long,
            ip: "192.0.2.3".parse().unwrap(),
            helo: "h",
            host: "unknown",
            receiver: "",
            time: 0,
        };
        let name = spec.expand(&values);
        assert!(name.len() <= 253 && name.len() > 240 && name.ends_with(".h.test.tail.test"), "{name}");
    }
}

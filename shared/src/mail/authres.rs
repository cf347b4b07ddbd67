//! Authentication-Results (RFC 8601): what the receiving host found out about the sender.
//!
//! Only the topmost header whose authserv-id is the receiving host counts: anybody can write one into a mail, and the host
//! adds its own above them. The text is read by its grammar, since a comment may echo what the sender wrote
//! (`spf=fail (… dmarc=pass …)`).

use serde::Deserialize;
use serde::Serialize;

use crate::address::Domain;
use crate::mail::inbound::Head;

/// The outcome of one method (RFC 8601 section 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthResult {
    Pass,
    Fail,
    Softfail,
    Neutral,
    None,
    Temperror,
    Permerror,
    /// The host said nothing, or a word that is not in the RFC.
    #[default]
    Unknown,
}

impl AuthResult {
    /// The word of the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Softfail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
            Self::Unknown => "unknown",
        }
    }

    fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pass" => Self::Pass,
            "fail" | "hardfail" => Self::Fail,
            "softfail" => Self::Softfail,
            "neutral" | "policy" => Self::Neutral,
            "none" => Self::None,
            "temperror" => Self::Temperror,
            "permerror" => Self::Permerror,
            _ => Self::Unknown,
        }
    }
}

/// What the receiving host found. Everything is unknown without its header.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Authentication {
    pub spf: AuthResult,
    /// The best result of all signatures.
    pub dkim: AuthResult,
    pub dmarc: AuthResult,
    /// Domains with a valid signature (`header.d`), in A-labels.
    pub dkim_domains: Vec<String>,
    /// The domain SPF speaks for (`smtp.mailfrom`, else `smtp.helo`), in A-labels.
    pub spf_domain: Option<String>,
    /// The domain DMARC speaks for (`header.from`), in A-labels.
    pub dmarc_from: Option<String>,
}

impl Authentication {
    /// May the From domain of this mail be believed? Only with a DMARC pass for just this domain, or a pass of DKIM or SPF
    /// for an aligned one: equal, or one a subdomain of the other (RFC 7489 section 3.1, without a public suffix list).
    /// A DMARC failure outweighs them. Unknown is not trusted.
    pub fn from_trusted(&self, from_domain: &str) -> bool {
        let Some(from) = canonical(from_domain) else { return false };
        match self.dmarc {
            AuthResult::Pass if self.dmarc_from.as_ref().is_none_or(|it| is_aligned(it, &from)) => return true,
            AuthResult::Fail => return false,
            _ => {}
        }
        self.dkim_domains.iter().any(|it| is_aligned(it, &from))
            || self.spf == AuthResult::Pass && self.spf_domain.as_ref().is_some_and(|it| is_aligned(it, &from))
    }
}

/// Equal or subdomain, either way round. A single label (`com`) never aligns with what is below it.
fn is_aligned(a: &str, b: &str) -> bool {
    let is_below = |inner: &str, outer: &str| {
        outer.contains('.') && inner.strip_suffix(outer).is_some_and(|it| it.ends_with('.')) && !is_public_suffix(outer)
    };
    a == b || is_below(a, b) || is_below(b, a)
}

/// The commonest two-label suffixes under which strangers register: enough to keep `evil.co.uk` from speaking for `co.uk`.
fn is_public_suffix(domain: &str) -> bool {
    let Some((second, top)) = domain.split_once('.') else { return true };
    top.len() == 2
        && !top.contains('.')
        && matches!(second, "co" | "com" | "net" | "org" | "gov" | "edu" | "ac" | "or" | "ne" | "go" | "gob" | "gov.uk")
}

fn canonical(domain: &str) -> Option<String> {
    Domain::parse(domain).ok().map(|it| it.ascii().into_owned())
}

/// Reads what `receiving_host` wrote into the header section.
pub fn authenticate(head: &Head, receiving_host: &str) -> Authentication {
    let receiving_host = receiving_host.trim().trim_end_matches('.');
    head.all("Authentication-Results")
        .take(50)
        .filter_map(parse)
        .find(|(host, _)| host.trim_end_matches('.').eq_ignore_ascii_case(receiving_host))
        .map(|(_, found)| found)
        .unwrap_or_default()
}

/// One header value: the authserv-id and the results. `None` when there is no authserv-id.
pub fn parse(value: &str) -> Option<(String, Authentication)> {
    let tokens = tokenize(value);
    let mut sections = tokens.split(|it| *it == Piece::Semicolon);
    let Some(Piece::Word(host)) = sections.next()?.first() else { return None };
    // A header without an id starts with a result at once.
    if host.contains('=') {
        return None;
    }
    let mut found = Authentication::default();
    let mut dkim = Vec::new();
    for section in sections {
        read_section(section, &mut found, &mut dkim);
    }
    found.dkim = dkim.iter().copied().min_by_key(|it| rank(*it)).unwrap_or_default();
    Some((host.clone(), found))
}

/// Best first.
const fn rank(result: AuthResult) -> u8 {
    match result {
        AuthResult::Pass => 0,
        AuthResult::Fail | AuthResult::Softfail => 1,
        AuthResult::Temperror => 2,
        AuthResult::Permerror => 3,
        AuthResult::Neutral => 4,
        AuthResult::None => 5,
        AuthResult::Unknown => 6,
    }
}

fn read_section(section: &[Piece], found: &mut Authentication, dkim: &mut Vec<AuthResult>) {
    let pairs = pairs(section);
    let Some((method, result)) = pairs.first() else { return };
    // `dkim/1=pass` names a version.
    let method = method.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let result = AuthResult::parse(result);
    let property = |names: &[&str]| {
        names.iter().find_map(|name| {
            pairs.iter().skip(1).find(|(it, _)| it.eq_ignore_ascii_case(name)).and_then(|(_, value)| domain_of(value))
        })
    };
    match method.as_str() {
        // The first result of a method counts; several signatures are told one by one.
        "spf" if found.spf == AuthResult::Unknown => {
            found.spf = result;
            found.spf_domain = property(&["smtp.mailfrom", "smtp.mail", "smtp.envfrom", "smtp.helo"]);
        }
        "dmarc" if found.dmarc == AuthResult::Unknown => {
            found.dmarc = result;
            found.dmarc_from = property(&["header.from", "from"]);
        }
        "dkim" => {
            dkim.push(result);
            if result == AuthResult::Pass {
                let domain = property(&["header.d", "header.i"]);
                found.dkim_domains.extend(domain.filter(|it| !found.dkim_domains.contains(it)));
            }
        }
        _ => {}
    }
}

/// The domain of `a@b`, `@b` or `b`.
fn domain_of(value: &str) -> Option<String> {
    canonical(value.rsplit('@').next().unwrap_or(value))
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Word(String),
    Equals,
    Semicolon,
}

/// Words, `=` and `;` of a value. Comments vanish, nested and with escapes; quoted strings are words.
fn tokenize(value: &str) -> Vec<Piece> {
    let mut res = Vec::new();
    let mut word = String::new();
    let mut depth = 0_usize;
    let mut chars = value.chars();
    let flush = |word: &mut String, res: &mut Vec<Piece>| {
        if !word.is_empty() {
            res.push(Piece::Word(core::mem::take(word)));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' if depth > 0 => {
                chars.next();
            }
            '(' => {
                flush(&mut word, &mut res);
                depth += 1;
            }
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '"' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '"' => break,
                        '\\' => word.extend(chars.next()),
                        // A quoted `;` or `=` is no structure; it can't be part of a domain either.
                        _ => word.push(inner),
                    }
                }
                if word.is_empty() {
                    res.push(Piece::Word(String::new()));
                }
            }
            ';' => {
                flush(&mut word, &mut res);
                res.push(Piece::Semicolon);
            }
            '=' => {
                flush(&mut word, &mut res);
                res.push(Piece::Equals);
            }
            _ if c.is_whitespace() => flush(&mut word, &mut res),
            _ => word.push(c),
        }
        if res.len() > 1_000 {
            break;
        }
    }
    flush(&mut word, &mut res);
    res
}

/// `name = value` pairs of one section.
fn pairs(section: &[Piece]) -> Vec<(&str, &str)> {
    section
        .windows(3)
        .filter_map(|it| match it {
            [Piece::Word(name), Piece::Equals, Piece::Word(value)] => Some((name.as_str(), value.as_str())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "mx.cloudflare.net";

    /// spf, dkim, dmarc as words, and whether From at `from` is trusted.
    fn check(headers: &[&str], from: &str, expect: (&str, &str, &str, bool)) {
        let mut raw = String::new();
        for header in headers {
            raw.push_str("Authentication-Results: ");
            raw.push_str(header);
            raw.push_str("\r\n");
        }
        raw.push_str("From: a@x.test\r\n\r\n");
        let head = crate::mail::parse::parse_head(raw.as_bytes());
        let got = authenticate(&head, HOST);
        let words = (got.spf.as_str(), got.dkim.as_str(), got.dmarc.as_str(), got.from_trusted(from));
        assert_eq!(words, expect, "{headers:?}");
    }

    #[test]
    fn results_of_the_receiving_host_count() {
        let good = "mx.cloudflare.net; dkim=pass header.d=corp.test header.s=s1;\r\n dmarc=pass header.from=corp.test \
            policy.dmarc=none;\r\n spf=pass (mx.cloudflare.net: domain of a@corp.test designates 1.2.3.4) smtp.mailfrom=a@corp.test";
        check(&[good], "corp.test", ("pass", "pass", "pass", true));
        check(&[good], "other.test", ("pass", "pass", "pass", false));
        check(&[], "corp.test", ("unknown", "unknown", "unknown", false));
        check(&["evil.test; dmarc=pass header.from=corp.test"], "corp.test", ("unknown", "unknown", "unknown", false));
        // The host's own header is above a forged one.
        check(
            &["mx.cloudflare.net; dmarc=fail header.from=corp.test", good],
            "corp.test",
            ("unknown", "unknown", "fail", false),
        );
        check(
            &["mx.cloudflare.net 1; dmarc=pass header.from=corp.test"],
            "corp.test",
            ("unknown", "unknown", "pass", true),
        );
        check(&["mx.cloudflare.net; none"], "corp.test", ("unknown", "unknown", "unknown", false));
    }

    #[test]
    fn comments_and_quotes_are_not_results() {
        check(
            &[
                "mx.cloudflare.net; spf=fail (sender <x; dmarc=pass header.from=corp.test;@evil.test>) smtp.mailfrom=evil.test",
            ],
            "corp.test",
            ("fail", "unknown", "unknown", false),
        );
        check(
            &[
                "mx.cloudflare.net; spf=fail (a (nested) \\) ; dmarc=pass header.from=corp.test) smtp.mailfrom=evil.test",
            ],
            "corp.test",
            ("fail", "unknown", "unknown", false),
        );
        check(
            &["mx.cloudflare.net; spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=corp.test\"@evil.test"],
            "corp.test",
            ("pass", "unknown", "unknown", false),
        );
        check(
            &["mx.cloudflare.net (x); dkim (y) = pass header.d = corp.test"],
            "corp.test",
            ("unknown", "pass", "unknown", true),
        );
    }

    #[test]
    fn alignment_is_relaxed_but_not_blind() {
        let dkim = |domain: &str| format!("{HOST}; dkim=fail header.d=corp.test; dkim=pass header.i=@{domain}");
        check(&[&dkim("mail.corp.test")], "corp.test", ("unknown", "pass", "unknown", true));
        check(&[&dkim("corp.test")], "news.corp.test", ("unknown", "pass", "unknown", true));
        check(&[&dkim("evilcorp.test")], "corp.test", ("unknown", "pass", "unknown", false));
        check(&[&dkim("co.uk")], "shop.co.uk", ("unknown", "pass", "unknown", false));
        check(&[&dkim("test")], "corp.test", ("unknown", "pass", "unknown", false));
        check(
            &["mx.cloudflare.net; spf=softfail smtp.mailfrom=corp.test"],
            "corp.test",
            ("softfail", "unknown", "unknown", false),
        );
        check(
            &["mx.cloudflare.net; spf=pass smtp.mailfrom=corp.test; dmarc=fail header.from=corp.test"],
            "corp.test",
            ("pass", "unknown", "fail", false),
        );
        check(
            &["mx.cloudflare.net; dkim=pass header.d=xn--bcher-kva.test"],
            "bücher.test",
            ("unknown", "pass", "unknown", true),
        );
    }
}

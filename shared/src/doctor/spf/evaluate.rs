//! `check_host()` (RFC 7208 section 4) over what is known of DNS.

#![allow(clippy::option_option, reason = "outer: to be asked first; inner: nothing there")]
#![allow(
    clippy::unnecessary_wraps,
    clippy::match_same_arms,
    reason = "what `known!` unwraps; one arm per line of the RFC's table"
)]

use std::net::IpAddr;

use super::MAX_LOOKUPS;
use super::MAX_NAMES;
use super::MAX_VOID;
use super::macros;
use super::macros::Spec;
use super::macros::Values;
use super::record;
use super::record::Mechanism;
use super::record::Qualifier;
use super::record::Record;
use crate::doctor::dns;
use crate::doctor::dns::Answer;
use crate::doctor::dns::Kind;
use crate::doctor::dns::Known;

/// Section 2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    None,
    Neutral,
    Pass,
    Fail,
    Softfail,
    Temperror,
    Permerror,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Softfail => "softfail",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
        }
    }
}

impl From<Qualifier> for Verdict {
    fn from(it: Qualifier) -> Self {
        match it {
            Qualifier::Pass => Self::Pass,
            Qualifier::Fail => Self::Fail,
            Qualifier::Softfail => Self::Softfail,
            Qualifier::Neutral => Self::Neutral,
        }
    }
}

/// Who sends.
#[derive(Debug, Clone)]
pub struct Sender<'a> {
    pub ip: IpAddr,
    /// MAIL FROM; without one, `postmaster` at the name in HELO (section 2.4).
    pub mail_from: &'a str,
    pub helo: &'a str,
}

/// What came out, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// Domain and term that decided.
    pub matched: Option<(String, String)>,
    /// Why it is an error: `lookups`, `void`, `names`, `several`, `syntax`, `include`, `redirect` or `dns`, and where.
    pub error: Option<(&'static str, String)>,
    /// What the domain tells those it refuses.
    pub explanation: Option<String>,
    pub lookups: u32,
    pub void: u32,
}

/// Ends the evaluation.
struct Stop {
    verdict: Verdict,
    why: &'static str,
    place: String,
}

fn stop<T>(verdict: Verdict, why: &'static str, place: &str) -> Option<Result<T, Stop>> {
    Some(Err(Stop { verdict, why, place: place.to_owned() }))
}

/// Unwraps what is known and goes on; `None` (to be asked) and errors go up.
macro_rules! known {
    ($value:expr) => {
        match $value? {
            Ok(value) => value,
            Err(stop) => return Some(Err(stop)),
        }
    };
}

struct Run<'a> {
    known: &'a Known<'a>,
    ip: IpAddr,
    local: String,
    sender_domain: String,
    helo: String,
    lookups: u32,
    void: u32,
    matched: Option<(String, String)>,
    explanation: Option<String>,
    depth: u32,
}

/// Evaluates the record of the sender's domain. `None` when more has to be asked first.
pub fn evaluate(known: &Known<'_>, sender: &Sender<'_>) -> Option<Outcome> {
    // An IPv4 address in IPv6's clothes is one (section 5).
    let ip = match sender.ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(sender.ip, IpAddr::V4),
        ip @ IpAddr::V4(_) => ip,
    };
    let (local, domain) = match sender.mail_from.rsplit_once('@') {
        Some((local, domain)) => (if local.is_empty() { "postmaster" } else { local }, domain),
        None if sender.mail_from.is_empty() => ("postmaster", sender.helo),
        None => ("postmaster", sender.mail_from),
    };
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let mut run = Run {
        known,
        ip,
        local: local.to_owned(),
        sender_domain: domain.clone(),
        helo: sender.helo.to_owned(),
        lookups: 0,
        void: 0,
        matched: None,
        explanation: None,
        depth: 0,
    };
    let (verdict, error) = match run.check(&domain)? {
        Ok(verdict) => (verdict, None),
        Err(stop) => (stop.verdict, Some((stop.why, stop.place))),
    };
    Some(Outcome {
        verdict,
        matched: if error.is_none() { run.matched } else { None },
        error,
        explanation: run.explanation.filter(|_| verdict == Verdict::Fail),
        lookups: run.lookups,
        void: run.void,
    })
}

/// A name in which SPF can be looked for: at least two labels that DNS can carry (section 4.3).
fn is_checkable(domain: &str) -> bool {
    dns::can_exist(domain) && domain.contains('.')
}

impl Run<'_> {
    fn check(&mut self, domain: &str) -> Option<Result<Verdict, Stop>> {
        if !is_checkable(domain) {
            return Some(Ok(Verdict::None));
        }
        let answer = self.known.ask(domain, Kind::Txt)?;
        if answer.failure().is_some() {
            return stop(Verdict::Temperror, "dns", domain);
        }
        let texts = super::records(answer.texts());
        let text = match texts.as_slice() {
            [] => return Some(Ok(Verdict::None)),
            [one] => one,
            _ => return stop(Verdict::Permerror, "several", domain),
        };
        match record::parse(text) {
            Ok(record) => self.apply(domain, &record),
            Err(error) => stop(Verdict::Permerror, "syntax", &format!("{domain}: {}", error.term)),
        }
    }

    fn apply(&mut self, domain: &str, record: &Record) -> Option<Result<Verdict, Stop>> {
        for directive in &record.directives {
            if known!(self.matches(domain, &directive.mechanism)) {
                self.matched = Some((domain.to_owned(), directive.text.clone()));
                let verdict = directive.qualifier.into();
                if verdict == Verdict::Fail && self.depth == 0 {
                    self.explanation = self.explain(domain, record.explanation.as_ref())?;
                }
                return Some(Ok(verdict));
            }
        }
        let Some(redirect) = record.effective_redirect() else { return Some(Ok(Verdict::Neutral)) };
        known!(self.count(domain));
        let target = known!(self.expand(redirect, domain));
        match known!(self.check(&target)) {
            Verdict::None => stop(Verdict::Permerror, "redirect", &target),
            verdict => Some(Ok(verdict)),
        }
    }

    /// One more term that asks DNS.
    fn count(&mut self, domain: &str) -> Option<Result<(), Stop>> {
        self.lookups += 1;
        if self.lookups > MAX_LOOKUPS { stop(Verdict::Permerror, "lookups", domain) } else { Some(Ok(())) }
    }

    fn expand(&mut self, spec: &Spec, domain: &str) -> Option<Result<String, Stop>> {
        let host = if spec.needs_host() { self.host(domain)? } else { "unknown".to_owned() };
        Some(Ok(spec.expand(&self.values(domain, &host))))
    }

    fn values<'b>(&'b self, domain: &'b str, host: &'b str) -> Values<'b> {
        Values {
            local: &self.local,
            sender_domain: &self.sender_domain,
            domain,
            ip: self.ip,
            helo: &self.helo,
            host,
            receiver: "unknown",
            time: 0,
        }
    }

    fn target(&mut self, spec: Option<&Spec>, domain: &str) -> Option<Result<String, Stop>> {
        match spec {
            Some(spec) => self.expand(spec, domain),
            None => Some(Ok(domain.to_owned())),
        }
    }

    /// Asks for a term. Nothing there is a void lookup, of which two are borne.
    fn lookup(&mut self, name: &str, kind: Kind) -> Option<Result<Answer, Stop>> {
        let answer = self.known.ask(name, kind)?;
        if answer.failure().is_some() {
            return stop(Verdict::Temperror, "dns", name);
        }
        if answer.is_void() {
            self.void += 1;
            if self.void > MAX_VOID {
                return stop(Verdict::Permerror, "void", name);
            }
        }
        Some(Ok(answer))
    }

    fn address_kind(&self) -> Kind {
        if self.ip.is_ipv4() { Kind::A } else { Kind::Aaaa }
    }

    fn matches(&mut self, domain: &str, mechanism: &Mechanism) -> Option<Result<bool, Stop>> {
        if mechanism.asks() {
            known!(self.count(domain));
        }
        match mechanism {
            Mechanism::All => Some(Ok(true)),
            Mechanism::Ip4(network, length) => Some(Ok(within(self.ip, (*network).into(), *length))),
            Mechanism::Ip6(network, length) => Some(Ok(within(self.ip, (*network).into(), *length))),
            Mechanism::Include(spec) => {
                let target = known!(self.expand(spec, domain));
                self.depth += 1;
                let verdict = known!(self.check(&target));
                self.depth -= 1;
                match verdict {
                    Verdict::Pass => Some(Ok(true)),
                    Verdict::None => stop(Verdict::Permerror, "include", &target),
                    Verdict::Temperror => stop(Verdict::Temperror, "dns", &target),
                    Verdict::Permerror => stop(Verdict::Permerror, "include", &target),
                    Verdict::Fail | Verdict::Softfail | Verdict::Neutral => Some(Ok(false)),
                }
            }
            Mechanism::A(spec, cidr) => {
                let target = known!(self.target(spec.as_ref(), domain));
                let answer = known!(self.lookup(&target, self.address_kind()));
                let length = if self.ip.is_ipv4() { cidr.v4 } else { cidr.v6 };
                Some(Ok(answer.addresses().any(|it| within(self.ip, it, length))))
            }
            Mechanism::Mx(spec, cidr) => {
                let target = known!(self.target(spec.as_ref(), domain));
                let answer = known!(self.lookup(&target, Kind::Mx));
                let hosts = answer.exchangers();
                if hosts.len() > MAX_NAMES {
                    return stop(Verdict::Permerror, "names", &target);
                }
                let length = if self.ip.is_ipv4() { cidr.v4 } else { cidr.v6 };
                // All that may be needed is asked at once.
                let all: Vec<Option<Answer>> =
                    hosts.iter().map(|(_, host)| self.known.ask(host, self.address_kind())).collect();
                for ((_, host), answer) in hosts.iter().zip(all) {
                    let answer = answer?;
                    if host.is_empty() {
                        continue;
                    }
                    if answer.failure().is_some() {
                        return stop(Verdict::Temperror, "dns", host);
                    }
                    if answer.addresses().any(|it| within(self.ip, it, length)) {
                        return Some(Ok(true));
                    }
                }
                Some(Ok(false))
            }
            Mechanism::Exists(spec) => {
                let target = known!(self.expand(spec, domain));
                // Always an A record, whatever the sender's address (section 5.7).
                let answer = known!(self.lookup(&target, Kind::A));
                Some(Ok(answer.addresses().next().is_some()))
            }
            Mechanism::Ptr(spec) => {
                let target = known!(self.target(spec.as_ref(), domain));
                let names = self.proven_names()?;
                let is_below = |it: &String| it == &target || it.ends_with(&format!(".{target}"));
                Some(Ok(names.iter().any(is_below)))
            }
        }
    }

    /// Names of the connecting address that lead back to it; at most ten are looked at, errors mean no name (section 5.5).
    fn proven_names(&mut self) -> Option<Vec<String>> {
        let answer = self.known.ask(&dns::reverse(self.ip), Kind::Ptr)?;
        if answer.failure().is_some() {
            return Some(Vec::new());
        }
        let names: Vec<String> =
            answer.names().take(MAX_NAMES).map(|it| it.trim_end_matches('.').to_ascii_lowercase()).collect();
        let all: Vec<Option<Answer>> = names.iter().map(|it| self.known.ask(it, self.address_kind())).collect();
        let mut proven = Vec::new();
        for (name, answer) in names.into_iter().zip(all) {
            if answer?.addresses().any(|it| it == self.ip) {
                proven.push(name);
            }
        }
        Some(proven)
    }

    /// `%{p}`: the domain itself, else a name below it, else any (section 7.3).
    fn host(&mut self, domain: &str) -> Option<String> {
        let names = self.proven_names()?;
        let below = format!(".{domain}");
        let best = names
            .iter()
            .find(|it| *it == domain)
            .or_else(|| names.iter().find(|it| it.ends_with(&below)))
            .or_else(|| names.first());
        Some(best.cloned().unwrap_or_else(|| "unknown".to_owned()))
    }

    /// What is wrong with an explanation is no error (section 6.2).
    fn explain(&mut self, domain: &str, spec: Option<&Spec>) -> Option<Option<String>> {
        let Some(spec) = spec else { return Some(None) };
        let host = if spec.needs_host() { self.host(domain)? } else { "unknown".to_owned() };
        let name = spec.expand(&self.values(domain, &host));
        let answer = self.known.ask(&name, Kind::Txt)?;
        let texts: Vec<&str> = answer.texts().collect();
        let [text] = texts.as_slice() else { return Some(None) };
        // The text may name the host where its address does not.
        let host = if macros::names_host(text) { self.host(domain)? } else { host };
        Some(macros::explain(text, &self.values(domain, &host)))
    }
}

/// Both of one family, and the first bits alike.
pub(crate) fn within(ip: IpAddr, network: IpAddr, length: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let shift = 32_u32.saturating_sub(length.into());
            let mask = u32::MAX.checked_shl(shift).unwrap_or(0);
            u32::from(ip) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let shift = 128_u32.saturating_sub(length.into());
            let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
            u128::from(ip) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

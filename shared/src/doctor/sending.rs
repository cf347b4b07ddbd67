//! DKIM keys of a domain, its DMARC policy, and whether what each of our servers sends passes and is aligned.

#![allow(clippy::option_option, reason = "outer: to be asked first; inner: nothing there")]

use std::net::IpAddr;

use super::COMMON_SELECTORS;
use super::Finding;
use super::Subject;
use super::Via;
use super::Way;
use super::dkim;
use super::dkim::Key;
use super::dkim::KeyError;
use super::dkim::KeyKind;
use super::dmarc;
use super::dmarc::Alignment;
use super::dmarc::Discovery;
use super::dmarc::Policy;
use super::dmarc::RecordError;
use super::dns::Kind;
use super::dns::Known;
use super::failed;
use super::spf;
use super::spf::walk::Walk;
use super::spf_findings::needed;
use super::spf_findings::with_terms;
use crate::api::doctor::Severity;
use crate::api::doctor::Topic;

/// Relays that send from elsewhere than where they take mail, each with the record to include. Sources: their manuals.
const PROVIDERS: [(&str, &str); 16] = [
    ("gmail.com", "_spf.google.com"),
    ("google.com", "_spf.google.com"),
    ("office365.com", "spf.protection.outlook.com"),
    ("outlook.com", "spf.protection.outlook.com"),
    ("sendgrid.net", "sendgrid.net"),
    ("mailgun.org", "mailgun.org"),
    ("amazonaws.com", "amazonses.com"),
    ("postmarkapp.com", "spf.mtasv.net"),
    ("brevo.com", "spf.brevo.com"),
    ("sendinblue.com", "spf.sendinblue.com"),
    ("mailjet.com", "spf.mailjet.com"),
    ("mandrillapp.com", "spf.mandrillapp.com"),
    ("zoho.com", "zohomail.com"),
    ("zoho.eu", "zohomail.eu"),
    ("sparkpostmail.com", "sparkpostmail.com"),
    ("mx.cloudflare.net", "_spf.mx.cloudflare.net"),
];

/// Addresses of a relay that are tried.
const MAX_ADDRESSES: usize = 4;

/// The record to include for a relay that is known.
pub(super) fn provider(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    PROVIDERS
        .iter()
        .find(|(suffix, _)| host.strip_suffix(suffix).is_some_and(|it| it.is_empty() || it.ends_with('.')))
        .map(|(_, include)| *include)
}

/// Keys of a domain.
pub(super) struct Keys {
    pub findings: Vec<Finding>,
    /// Our own is published as it should be.
    pub ours: bool,
    /// Cloudflare's is.
    pub cloudflare: bool,
}

fn key_finding(severity: Severity, code: &str, name: &str) -> Finding {
    Finding::new(Topic::Dkim, severity, code).arg("name", name)
}

/// Texts at a selector, with the alias that led to them.
struct At {
    texts: Vec<String>,
    alias: Option<String>,
    failure: Option<String>,
}

fn at(known: &Known<'_>, name: &str) -> Option<At> {
    let answer = known.ask(name, Kind::Txt)?;
    Some(At {
        texts: answer.texts().map(str::to_owned).collect(),
        failure: answer.failure().map(str::to_owned),
        alias: answer.alias,
    })
}

impl At {
    fn seen(&self, name: &str) -> Vec<String> {
        let alias = self.alias.iter().map(|it| format!("{name} CNAME {it}"));
        alias.chain(self.texts.iter().map(|it| format!("TXT {it}"))).collect()
    }
}

pub(super) fn keys(known: &Known<'_>, subject: &Subject) -> Option<Keys> {
    let domain = &subject.domain;
    let own: Vec<&str> = subject.keys.iter().map(|it| it.selector.as_str()).collect();
    let others: Vec<&str> =
        subject.selectors.iter().map(String::as_str).chain(COMMON_SELECTORS).filter(|it| !own.contains(it)).collect();
    let name = |selector: &str| format!("{selector}._domainkey.{domain}");
    let asked: Vec<Option<At>> = own.iter().chain(&others).map(|it| at(known, &name(it))).collect();
    let mut asked = asked.into_iter();
    let mut out = Keys { findings: Vec::new(), ours: false, cloudflare: false };
    for key in &subject.keys {
        let at = asked.next()??;
        let name = name(&key.selector);
        let (findings, is_good) = own_key(&name, &key.record, &at);
        out.findings.extend(findings);
        out.ours |= is_good;
    }
    let mut n_found = 0;
    for selector in others {
        let at = asked.next()??;
        let name = name(selector);
        let is_asked_for = subject.selectors.iter().any(|it| it == selector);
        if at.failure.is_some() || at.texts.is_empty() {
            if let Some(why) = at.failure.as_ref().filter(|_| is_asked_for) {
                out.findings.push(failed(Topic::Dkim, &name, why));
            } else if is_asked_for || at.alias.is_some() {
                // An alias to nothing is a key that was taken away.
                out.findings.push(key_finding(Severity::Warning, "dkim_absent", &name).see_all(at.seen(&name)));
            }
            continue;
        }
        let (findings, is_good) = any_key(&name, &at, is_asked_for);
        // A wildcard answers to every name; what is no key is no finding.
        n_found += u32::from(!findings.is_empty());
        out.cloudflare |= is_good && selector == "cf-bounce";
        out.findings.extend(findings);
    }
    if subject.keys.is_empty() && n_found == 0 && !out.findings.iter().any(|it| it.topic == Topic::Dkim) {
        out.findings.push(key_finding(Severity::Warning, "dkim_none", domain));
    }
    Some(out)
}

/// One record, which has to be a key.
fn only<'a>(name: &str, at: &'a At) -> Result<(&'a str, Key), Finding> {
    let meant: Vec<&str> =
        at.texts.iter().map(String::as_str).filter(|it| dkim::parse(it) != Err(KeyError::NoKey)).collect();
    let text = match meant.as_slice() {
        [] => return Err(key_finding(Severity::Error, "dkim_no_key", name)),
        [one] => *one,
        many => return Err(key_finding(Severity::Error, "dkim_several", name).arg("n", many.len())),
    };
    match dkim::parse(text) {
        Ok(key) => Ok((text, key)),
        Err(error) => {
            let (code, part) = match &error {
                KeyError::NoKey => ("dkim_no_key", String::new()),
                KeyError::Revoked => ("dkim_revoked", String::new()),
                KeyError::Tags(error) => ("dkim_tags", error.place().to_owned()),
                KeyError::Version(it) => ("dkim_version", it.clone()),
                KeyError::NoPublic => ("dkim_no_public", String::new()),
                KeyError::Damaged => ("dkim_damaged", String::new()),
                KeyError::Kind(it) => ("dkim_kind", it.clone()),
                KeyError::Hash(it) => ("dkim_hash", it.clone()),
                KeyError::Service(it) => ("dkim_service", it.clone()),
            };
            Err(key_finding(Severity::Error, code, name).arg("part", part))
        }
    }
}

/// What can be said of a key that can be used, and whether receivers take it.
fn usable(name: &str, key: &Key) -> (Vec<Finding>, bool) {
    let mut out = Vec::new();
    let mut is_good = true;
    let kind = match key.kind {
        KeyKind::Rsa { bits } => format!("RSA {bits}"),
        KeyKind::Ed25519 => "Ed25519".to_owned(),
    };
    let find = |severity, code| key_finding(severity, code, name).arg("kind", &kind);
    match key.kind {
        KeyKind::Rsa { bits } if bits < 1024 => {
            is_good = false;
            out.push(find(Severity::Error, "dkim_too_weak"));
        }
        KeyKind::Rsa { bits } if bits < 2048 => out.push(find(Severity::Warning, "dkim_weak")),
        KeyKind::Rsa { bits } if bits > 4096 => out.push(find(Severity::Warning, "dkim_large")),
        KeyKind::Rsa { .. } => {}
        KeyKind::Ed25519 => out.push(find(Severity::Hint, "dkim_ed25519")),
    }
    if key.testing {
        out.push(find(Severity::Warning, "dkim_testing"));
    }
    if out.iter().all(|it| it.severity < Severity::Warning) {
        out.insert(0, find(Severity::Good, "dkim_good"));
    }
    (out, is_good)
}

fn own_key(name: &str, record: &str, at: &At) -> (Vec<Finding>, bool) {
    if let Some(why) = &at.failure {
        return (vec![failed(Topic::Dkim, name, why)], false);
    }
    if at.texts.is_empty() {
        let it = key_finding(Severity::Error, "dkim_missing", name).see_all(at.seen(name));
        return (vec![it.record("TXT", name, record)], false);
    }
    let seen = at.seen(name);
    match only(name, at) {
        Err(finding) => (vec![finding.see_all(seen).record("TXT", name, record)], false),
        Ok((_, key)) => {
            if dkim::parse(record).is_ok_and(|it| it.public != key.public) {
                let it = key_finding(Severity::Error, "dkim_different", name).see_all(seen);
                return (vec![it.record("TXT", name, record)], false);
            }
            let (mut findings, is_good) = usable(name, &key);
            if let Some(first) = findings.first_mut() {
                first.seen = seen;
            }
            (findings, is_good)
        }
    }
}

fn any_key(name: &str, at: &At, is_asked_for: bool) -> (Vec<Finding>, bool) {
    let seen = at.seen(name);
    let (mut findings, is_good) = match only(name, at) {
        // Not a key, and nobody asked for one.
        Err(it) if it.code == "dkim_no_key" && !is_asked_for => return (Vec::new(), false),
        // A key that was taken back is no fault by itself.
        Err(it) if it.code == "dkim_revoked" => (vec![Finding { severity: Severity::Hint, ..it }], false),
        Err(it) => (vec![Finding { severity: Severity::Warning, ..it }], false),
        Ok((_, key)) => usable(name, &key),
    };
    if let Some(first) = findings.first_mut() {
        first.seen = seen;
    }
    (findings, is_good)
}

fn dmarc_finding(severity: Severity, code: &str, subject: &Subject) -> Finding {
    Finding::new(Topic::Dmarc, severity, code).arg("domain", &subject.domain)
}

/// What is to be said of the policy.
pub(super) fn dmarc(known: &Known<'_>, subject: &Subject, found: &Discovery) -> Option<Vec<Finding>> {
    let domain = &subject.domain;
    let name = format!("_dmarc.{domain}");
    let suggested = format!("v=DMARC1; p=none; rua=mailto:{}@{domain}", subject.reports_to);
    let find = |severity, code: &str| dmarc_finding(severity, code, subject);
    let (at, text, record) = match found {
        Discovery::Nothing => {
            return Some(vec![find(Severity::Error, "dmarc_missing").record("TXT", &name, &suggested)]);
        }
        Discovery::Failed(why) => return Some(vec![failed(Topic::Dmarc, &name, why)]),
        Discovery::Several(at, texts) => {
            let it = find(Severity::Error, "dmarc_several").arg("n", texts.len());
            let it = it.see_all(texts.iter().map(|it| format!("_dmarc.{at} TXT {it}")));
            return Some(vec![it.record("TXT", &format!("_dmarc.{at}"), texts.first().map_or("", String::as_str))]);
        }
        Discovery::Wrong(at, text, error) => {
            let (code, part) = match error {
                RecordError::Tags(error) => ("dmarc_tags", error.place().to_owned()),
                RecordError::Policy(word) => ("dmarc_policy", word.clone()),
            };
            let it = find(Severity::Error, code).arg("part", part).see(format!("_dmarc.{at} TXT {text}"));
            return Some(vec![it.record("TXT", &format!("_dmarc.{at}"), &suggested)]);
        }
        Discovery::Found { at, text, record } => (at, text, record),
    };
    let is_inherited = at != domain;
    let policy = if is_inherited { record.for_subdomains() } else { record.policy };
    let mut out = Vec::new();
    let code = if is_inherited { "dmarc_inherited" } else { "dmarc_good" };
    let it = find(Severity::Good, code).arg("policy", policy.as_str()).arg("at", at);
    out.push(it.see(format!("_dmarc.{at} TXT {text}")));
    if policy == Policy::None {
        out.push(find(Severity::Hint, "dmarc_none"));
    }
    if record.percent < 100 && policy > Policy::None {
        out.push(find(Severity::Hint, "dmarc_percent").arg("n", record.percent));
    }
    if !is_inherited && record.subdomains.is_some_and(|it| it < record.policy) {
        let it = find(Severity::Hint, "dmarc_subdomains");
        out.push(it.arg("policy", record.for_subdomains().as_str()));
    }
    if !record.odd.is_empty() {
        out.push(find(Severity::Warning, "dmarc_odd").arg("tags", record.odd.join("; ")));
    }
    if record.reports.is_empty() {
        let value = format!("{}; rua=mailto:{}@{domain}", text.trim_end_matches([';', ' ']), subject.reports_to);
        out.push(find(Severity::Hint, "dmarc_no_reports").record("TXT", &format!("_dmarc.{at}"), &value));
    }
    out.extend(report_targets(known, subject, at, record)?);
    Some(out)
}

/// Another organization has to agree to get reports (section 7.1).
fn report_targets(known: &Known<'_>, subject: &Subject, at: &str, record: &dmarc::Record) -> Option<Vec<Finding>> {
    let ours = dmarc::organization(at);
    let mut targets: Vec<String> = record
        .reports
        .iter()
        .chain(&record.failures)
        .filter_map(|it| dmarc::address(it)?.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase()))
        .filter(|it| dmarc::organization(it) != ours)
        .collect();
    targets.sort_unstable();
    targets.dedup();
    targets.truncate(5);
    let names: Vec<String> = targets.iter().map(|it| format!("{at}._report._dmarc.{it}")).collect();
    let answers: Vec<_> = names.iter().map(|it| known.ask(it, Kind::Txt)).collect();
    let mut out = Vec::new();
    for ((target, name), answer) in targets.iter().zip(&names).zip(answers) {
        let answer = answer?;
        if answer.failure().is_none() && dmarc::records(answer.texts()).is_empty() {
            let it = dmarc_finding(Severity::Warning, "dmarc_report_denied", subject).arg("target", target);
            out.push(it.record("TXT", name, "v=DMARC1"));
        }
    }
    Some(out)
}

/// How one way fares.
struct Fare {
    finding: Finding,
    spf: bool,
    /// The domain SPF speaks for.
    mail_from: String,
}

/// A finding per server: SPF for what it sends, and the alignment of SPF and DKIM.
pub(super) fn ways(
    known: &Known<'_>,
    subject: &Subject,
    walk: Option<&Walk>,
    keys: Option<&Keys>,
    dmarc: Option<&Discovery>,
) -> Option<Vec<Finding>> {
    let fares: Vec<Option<Option<Fare>>> = subject.ways.iter().map(|it| fare(known, subject, it, walk)).collect();
    let (keys, dmarc) = (keys?, dmarc?);
    let mut out = Vec::new();
    for (way, fare) in subject.ways.iter().zip(fares) {
        let Some(fare) = fare? else { continue };
        let modes = dmarc.record().map_or((Alignment::Relaxed, Alignment::Relaxed), |it| (it.spf, it.dkim));
        let spf = fare.spf && dmarc::is_aligned(&fare.mail_from, &subject.domain, modes.0);
        // We sign as the From domain, Cloudflare does too.
        let dkim = (way.signs && keys.ours) || (way.via == Via::Cloudflare && keys.cloudflare);
        let (severity, code) = match (spf, dkim) {
            (true, true) => (Severity::Good, "align_both"),
            (false, true) => (Severity::Good, "align_dkim"),
            (true, false) => (Severity::Warning, "align_spf"),
            (false, false) => (Severity::Error, "align_none"),
        };
        let it = Finding::new(Topic::Sending, severity, code).arg("server", &way.server);
        out.push(fare.finding);
        out.push(it.arg("domain", &subject.domain).arg("mail_from", &fare.mail_from));
    }
    Some(out)
}

/// Outer: to be asked first. Inner: nothing to say (a server of a test bench).
fn fare(known: &Known<'_>, subject: &Subject, way: &Way, walk: Option<&Walk>) -> Option<Option<Fare>> {
    let domain = &subject.domain;
    let find = |severity, code: &str, mail_from: &str| {
        let it = Finding::new(Topic::Sending, severity, code).arg("server", &way.server);
        it.arg("mail_from", mail_from)
    };
    match &way.via {
        Via::Cloudflare => {
            let mail_from = format!("cf-bounce.{domain}");
            let bounce = spf::walk::walk(known, &mail_from)?;
            let spf = bounce.root.lines().iter().any(|(_, it)| it.domain.ends_with("mx.cloudflare.net"));
            let finding = if spf {
                find(Severity::Good, "send_cloudflare", &mail_from)
            } else {
                let it = find(Severity::Error, "send_cloudflare_missing", &mail_from);
                it.record("TXT", &mail_from, "v=spf1 include:_spf.mx.cloudflare.net ~all")
            };
            Some(Some(Fare { finding: finding.see_all(texts(&bounce)), spf, mail_from }))
        }
        Via::Smtp(host) => match (provider(host), host.parse::<IpAddr>()) {
            (_, Ok(ip)) => by_addresses(known, subject, way, walk, &[ip], host),
            (Some(include), _) => {
                let walk = walk?;
                let spf = walk.root.lines().iter().any(|(_, it)| it.domain == include);
                let finding = if spf {
                    find(Severity::Good, "send_include", domain).arg("include", include)
                } else {
                    let it = find(Severity::Error, "send_include_missing", domain).arg("include", include);
                    it.record("TXT", domain, &with_terms(&walk.root.text, &[format!("include:{include}")]))
                };
                Some(Some(Fare { finding, spf, mail_from: domain.clone() }))
            }
            (None, _) => {
                let (v4, v6) = (known.ask(host, Kind::A), known.ask(host, Kind::Aaaa));
                let (v4, v6) = (v4?, v6?);
                let all: Vec<IpAddr> = v4.addresses().chain(v6.addresses()).take(MAX_ADDRESSES).collect();
                by_addresses(known, subject, way, walk, &all, host)
            }
        },
        Via::Address(ip) => by_addresses(known, subject, way, walk, &[*ip], &ip.to_string()),
    }
}

fn texts(walk: &Walk) -> Vec<String> {
    if walk.root.text.is_empty() { Vec::new() } else { vec![format!("{} TXT {}", walk.root.domain, walk.root.text)] }
}

fn by_addresses(
    known: &Known<'_>,
    subject: &Subject,
    way: &Way,
    walk: Option<&Walk>,
    addresses: &[IpAddr],
    host: &str,
) -> Option<Option<Fare>> {
    let domain = &subject.domain;
    if addresses.iter().any(|it| is_private(*it)) || host == "localhost" {
        return Some(None);
    }
    let find = |severity, code: &str| {
        let it = Finding::new(Topic::Sending, severity, code).arg("server", &way.server);
        it.arg("mail_from", domain).arg("host", host)
    };
    let mail_from = format!("postmaster@{domain}");
    let outcomes: Vec<_> = addresses
        .iter()
        .map(|ip| spf::evaluate(known, &spf::Sender { ip: *ip, mail_from: &mail_from, helo: host }))
        .collect();
    let mut bad = Vec::new();
    for (ip, outcome) in addresses.iter().zip(outcomes) {
        let outcome = outcome?;
        if outcome.verdict != spf::Verdict::Pass {
            bad.push((*ip, outcome));
        }
    }
    let walk = walk?;
    let (finding, spf) = if addresses.is_empty() {
        (find(Severity::Warning, "send_no_address"), false)
    } else if let Some((ip, outcome)) = bad.first() {
        let mut more = needed(&Subject { ways: vec![way.clone()], ..Subject::default() });
        if matches!(way.via, Via::Smtp(_)) && host.parse::<IpAddr>().is_ok() {
            more = vec![if ip.is_ipv4() { format!("ip4:{ip}") } else { format!("ip6:{ip}") }];
        }
        let it = find(Severity::Error, "send_fails").arg("ip", ip).arg("result", outcome.verdict.as_str());
        let it = match (&outcome.error, &outcome.matched) {
            (Some((why, place)), _) => it.see(format!("{}: {why} ({place})", outcome.verdict.as_str())),
            (None, Some((place, term))) => it.see(format!("{ip}: {} by {term} of {place}", outcome.verdict.as_str())),
            (None, None) => it,
        };
        let is_mendable = outcome.error.is_none();
        let it = if is_mendable { it.record("TXT", domain, &with_terms(&walk.root.text, &more)) } else { it };
        (it, false)
    } else {
        let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        (find(Severity::Good, "send_passes").arg("ip", list.join(", ")), true)
    };
    Some(Some(Fare { finding, spf, mail_from: domain.clone() }))
}

/// Networks nobody sees from outside.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.is_unspecified() || ip.segments().first().is_some_and(|it| it & 0xfe00 == 0xfc00)
        }
    }
}

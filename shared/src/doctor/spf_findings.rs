//! What is to be said about a domain's SPF record.

use super::Finding;
use super::Subject;
use super::Via;
use super::dns::Kind;
use super::dns::Known;
use super::failed;
use super::sending::provider;
use super::spf;
use super::spf::record::Mechanism;
use super::spf::record::Qualifier;
use super::spf::record::Record;
use super::spf::walk::Found;
use super::spf::walk::Node;
use super::spf::walk::Walk;
use crate::api::doctor::Severity;
use crate::api::doctor::SpfLine;
use crate::api::doctor::Topic;

fn finding(severity: Severity, code: &str, subject: &Subject) -> Finding {
    Finding::new(Topic::Spf, severity, code).arg("domain", &subject.domain)
}

/// The tree as lines.
pub(super) fn tree(walk: &Walk) -> Vec<SpfLine> {
    let lines = walk.root.lines();
    lines
        .into_iter()
        .map(|(depth, node)| SpfLine {
            depth: depth as u32,
            term: node.term.clone(),
            domain: node.domain.clone(),
            text: match &node.found {
                Found::Several(texts) => texts.join("\n"),
                _ => node.text.clone(),
            },
            state: state(&node.found).to_owned(),
            lookups: node.lookups,
        })
        .collect()
}

const fn state(found: &Found) -> &'static str {
    match found {
        Found::Record(_) => "ok",
        Found::Nothing => "nothing",
        Found::Several(_) => "several",
        Found::Syntax(_) => "syntax",
        Found::Failed(_) => "failed",
        Found::Loop => "loop",
        Found::Dynamic => "dynamic",
        Found::Cut => "cut",
    }
}

/// Terms that let our servers send.
pub(super) fn needed(subject: &Subject) -> Vec<String> {
    let mut out = Vec::new();
    for way in &subject.ways {
        let term = match &way.via {
            // Bounces go to a subdomain with a record of its own; this one covers forwarding by Email Routing.
            Via::Cloudflare => "include:_spf.mx.cloudflare.net".to_owned(),
            Via::Smtp(host) => provider(host).map_or_else(|| format!("a:{host}"), |it| format!("include:{it}")),
            Via::Address(ip @ std::net::IpAddr::V4(_)) => format!("ip4:{ip}"),
            Via::Address(ip) => format!("ip6:{ip}"),
        };
        if !out.contains(&term) {
            out.push(term);
        }
    }
    if out.is_empty() {
        out.push("include:_spf.mx.cloudflare.net".to_owned());
    }
    out
}

/// A record of these terms, our own first, that ends with `~all`.
fn compose(terms: impl IntoIterator<Item = String>) -> String {
    let mut out = vec!["v=spf1".to_owned()];
    for term in terms {
        let is_all = term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all");
        if !is_all && !term.is_empty() && !out.contains(&term) {
            out.push(term);
        }
    }
    out.push("~all".to_owned());
    out.join(" ")
}

/// The record as it is, with terms added.
pub(super) fn with_terms(text: &str, more: &[String]) -> String {
    let own = text.get(6..).unwrap_or_default().split(' ').map(str::to_owned);
    let ends: Vec<&str> =
        text.split(' ').filter(|it| it.to_ascii_lowercase().ends_with("all") && it.len() == 4).collect();
    let new = compose(own.chain(more.iter().cloned()).filter(|it| !it.to_ascii_lowercase().starts_with("redirect=")));
    // A stricter end than ours stays.
    if ends.contains(&"-all") { new.replace(" ~all", " -all") } else { new }
}

pub(super) fn findings(known: &Known<'_>, subject: &Subject, walk: &Walk) -> Vec<Finding> {
    let mut out = Vec::new();
    let domain = &subject.domain;
    let root = &walk.root;
    let suggested = || compose(needed(subject));
    match &root.found {
        Found::Nothing | Found::Dynamic | Found::Loop | Found::Cut => {
            let almost = almost(known, domain);
            let code = if almost.is_empty() { "spf_missing" } else { "spf_almost" };
            out.push(finding(Severity::Error, code, subject).see_all(almost).record("TXT", domain, &suggested()));
        }
        Found::Several(texts) => {
            let merged = texts.iter().flat_map(|it| it.get(6..).unwrap_or_default().split(' ').map(str::to_owned));
            let merged = compose(merged.collect::<Vec<_>>());
            let it = finding(Severity::Error, "spf_several", subject).arg("n", texts.len());
            out.push(it.see_all(texts.iter().map(|it| format!("TXT {it}"))).record("TXT", domain, &merged));
        }
        Found::Syntax(error) => {
            let it = finding(Severity::Error, &format!("spf_syntax_{}", error.what), subject).arg("term", &error.term);
            out.push(it.see(format!("TXT {}", root.text)));
        }
        Found::Failed(why) => out.push(failed(Topic::Spf, domain, why)),
        Found::Record(record) => {
            let before = out.len();
            own_record(subject, walk, record, &mut out);
            below(subject, walk, &mut out);
            let is_fine = out.iter().skip(before).all(|it| it.severity < Severity::Warning);
            if is_fine {
                let it = finding(Severity::Good, "spf_good", subject).arg("n", root.lookups);
                out.insert(before, it.see(format!("TXT {}", root.text)));
            } else if let Some(first) = out.get_mut(before) {
                first.seen.insert(0, format!("TXT {}", root.text));
            }
        }
    }
    out
}

/// Records that mean to be SPF but are none: quotes, blanks or a semicolon at the wrong place.
fn almost(known: &Known<'_>, domain: &str) -> Vec<String> {
    let answer = known.ask(domain, Kind::Txt).unwrap_or_default();
    let is_meant =
        |it: &&str| it.to_ascii_lowercase().contains("spf1") || it.to_ascii_lowercase().starts_with("spf2.0/");
    answer.texts().filter(is_meant).map(|it| format!("TXT {it}")).collect()
}

fn own_record(subject: &Subject, walk: &Walk, record: &Record, out: &mut Vec<Finding>) {
    let domain = &subject.domain;
    let text = &walk.root.text;
    let fixed = with_terms(text, &[]);
    if let Some(place) = &walk.open {
        let it = finding(Severity::Error, "spf_open", subject).arg("place", place);
        out.push(if place == domain { it.record("TXT", domain, &fixed) } else { it });
    }
    match record.all().map(|it| it.qualifier) {
        None if record.redirect.is_none() => {
            out.push(finding(Severity::Warning, "spf_no_all", subject).record("TXT", domain, &fixed));
        }
        Some(Qualifier::Neutral) => {
            out.push(finding(Severity::Warning, "spf_neutral", subject).record("TXT", domain, &fixed));
        }
        _ => {}
    }
    let position = record.directives.iter().position(|it| it.mechanism == Mechanism::All);
    if let Some(position) = position
        && position + 1 < record.directives.len()
    {
        let ignored: Vec<&str> = record.directives.iter().skip(position + 1).map(|it| it.text.as_str()).collect();
        out.push(finding(Severity::Warning, "spf_after_all", subject).arg("terms", ignored.join(" ")));
    }
    if record.redirect.is_some() && record.all().is_some() {
        out.push(finding(Severity::Hint, "spf_redirect_ignored", subject));
    }
    if !record.unknown.is_empty() {
        out.push(finding(Severity::Hint, "spf_unknown", subject).arg("terms", record.unknown.join(", ")));
    }
    if text.len() > 450 {
        out.push(finding(Severity::Hint, "spf_long", subject).arg("n", text.len()));
    }
}

fn below(subject: &Subject, walk: &Walk, out: &mut Vec<Finding>) {
    let n = walk.root.lookups;
    if n > spf::MAX_LOOKUPS {
        let heavy = heavy(&walk.root);
        out.push(finding(Severity::Error, "spf_lookups", subject).arg("n", n).see_all(heavy));
    } else if n >= spf::MAX_LOOKUPS - 1 {
        out.push(finding(Severity::Hint, "spf_lookups_near", subject).arg("n", n));
    }
    if !walk.void.is_empty() {
        let many = walk.void.len() > spf::MAX_VOID as usize;
        let (severity, code) = if many { (Severity::Error, "spf_void") } else { (Severity::Warning, "spf_void_some") };
        let it = finding(severity, code, subject).arg("n", walk.void.len());
        out.push(it.see_all(walk.void.iter().map(|(name, term)| format!("{term} → {name}"))));
    }
    for term in &walk.ptr {
        out.push(finding(Severity::Warning, "spf_ptr", subject).arg("term", term));
    }
    for term in &walk.crowded {
        out.push(finding(Severity::Error, "spf_names", subject).arg("term", term));
    }
    for term in &walk.failed {
        out.push(failed(Topic::Spf, term, ""));
    }
    for (_, node) in walk.root.lines().into_iter().skip(1) {
        let it =
            |severity, code: &str| finding(severity, code, subject).arg("term", &node.term).arg("place", &node.domain);
        match &node.found {
            Found::Nothing => out.push(it(Severity::Error, "spf_include_nothing")),
            Found::Several(_) => out.push(it(Severity::Error, "spf_include_several")),
            Found::Syntax(error) => out.push(it(Severity::Error, "spf_include_syntax").arg("part", &error.term)),
            Found::Loop => out.push(it(Severity::Error, "spf_loop")),
            Found::Failed(why) => out.push(failed(Topic::Spf, &node.domain, why)),
            Found::Record(_) | Found::Dynamic | Found::Cut => {}
        }
    }
}

/// Which of the record's own terms ask most.
fn heavy(root: &Node) -> Vec<String> {
    let mut all: Vec<(u32, &str)> = root.children.iter().map(|it| (it.lookups + 1, it.term.as_str())).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.into_iter().map(|(n, term)| format!("{term}: {n}")).collect()
}

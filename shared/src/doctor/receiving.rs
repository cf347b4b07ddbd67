//! Where mail for a domain goes (RFC 5321 section 5.1, RFC 7505).

use super::Finding;
use super::Subject;
use super::dns::Kind;
use super::dns::Known;
use super::dns::State;
use super::failed;
use crate::api::doctor::Severity;
use crate::api::doctor::Topic;

/// Hosts of Email Routing.
const ROUTING: &str = ".mx.cloudflare.net";
/// What Email Routing enters by itself when it is enabled.
const HOSTS: [&str; 3] = ["route1.mx.cloudflare.net", "route2.mx.cloudflare.net", "route3.mx.cloudflare.net"];

/// Exchangers whose addresses are looked up.
const MAX_HOSTS: usize = 6;

fn finding(severity: Severity, code: &str, subject: &Subject) -> Finding {
    Finding::new(Topic::Receiving, severity, code).arg("domain", &subject.domain)
}

fn with_records(finding: Finding, subject: &Subject) -> Finding {
    HOSTS
        .iter()
        .zip([10, 20, 30])
        .fold(finding, |it, (host, preference)| it.record("MX", &subject.domain, &format!("{preference} {host}")))
}

pub(super) fn check(known: &Known<'_>, subject: &Subject) -> Option<Vec<Finding>> {
    let answer = known.ask(&subject.domain, Kind::Mx)?;
    if let Some(why) = answer.failure() {
        return Some(vec![failed(Topic::Receiving, &subject.domain, why)]);
    }
    if answer.state == State::Missing {
        return Some(vec![with_records(finding(Severity::Error, "domain_missing", subject), subject)]);
    }
    let exchangers = answer.exchangers();
    let seen: Vec<String> = exchangers.iter().map(|(preference, host)| format!("MX {preference} {host}")).collect();
    if exchangers.is_empty() {
        return Some(vec![with_records(finding(Severity::Error, "mx_missing", subject), subject)]);
    }
    if exchangers.iter().any(|(_, host)| host.is_empty()) {
        let code = if exchangers.len() == 1 { "mx_null" } else { "mx_null_beside" };
        return Some(vec![with_records(finding(Severity::Error, code, subject), subject).see_all(seen)]);
    }
    let hosts: Vec<&str> = exchangers.iter().map(|(_, host)| *host).collect();
    let n_ours = hosts.iter().filter(|it| it.ends_with(ROUTING)).count();
    let names = hosts.join(", ");
    let mut out = vec![match n_ours {
        0 => finding(Severity::Warning, "mx_elsewhere", subject).arg("hosts", names),
        n if n == hosts.len() => finding(Severity::Good, "mx_routing", subject),
        _ => with_records(finding(Severity::Error, "mx_mixed", subject).arg("hosts", names), subject),
    }];
    if let Some(first) = out.first_mut() {
        first.seen = seen;
    }
    let others: Vec<&str> = hosts.into_iter().filter(|it| !it.ends_with(ROUTING)).take(MAX_HOSTS).collect();
    let asked: Vec<_> = others.iter().map(|it| (known.ask(it, Kind::A), known.ask(it, Kind::Aaaa))).collect();
    for (host, (v4, v6)) in others.into_iter().zip(asked) {
        let (v4, v6) = (v4?, v6?);
        if host.parse::<std::net::IpAddr>().is_ok() {
            out.push(finding(Severity::Error, "mx_address", subject).arg("host", host));
        } else if let Some(why) = v4.failure().or_else(|| v6.failure()) {
            out.push(failed(Topic::Receiving, host, why));
        } else if v4.is_void() && v6.is_void() {
            out.push(finding(Severity::Error, "mx_no_address", subject).arg("host", host));
        } else if let Some(alias) = v4.alias.or(v6.alias) {
            let it = finding(Severity::Hint, "mx_alias", subject).arg("host", host);
            out.push(it.see(format!("{host} CNAME {alias}")));
        }
    }
    Some(out)
}

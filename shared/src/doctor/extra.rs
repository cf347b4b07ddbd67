//! What is not needed but good to have: MTA-STS (RFC 8461), TLS-RPT (RFC 8460), BIMI.

use super::Finding;
use super::Subject;
use super::dmarc::Discovery;
use super::dmarc::Policy;
use super::dns::Kind;
use super::dns::Known;
use crate::api::doctor::Severity;
use crate::api::doctor::Topic;

pub(super) fn check(known: &Known<'_>, subject: &Subject, dmarc: Option<&Discovery>) -> Option<Vec<Finding>> {
    let domain = &subject.domain;
    let names = [
        ("mta_sts", format!("_mta-sts.{domain}"), "v=STSv1"),
        ("tls_rpt", format!("_smtp._tls.{domain}"), "v=TLSRPTv1"),
        ("bimi", format!("default._bimi.{domain}"), "v=BIMI1"),
    ];
    let answers: Vec<_> = names.iter().map(|(_, name, _)| known.ask(name, Kind::Txt)).collect();
    let mut out = Vec::new();
    for ((code, name, version), answer) in names.iter().zip(answers) {
        let answer = answer?;
        let texts: Vec<&str> = answer.texts().filter(|it| it.trim_start().starts_with(version)).collect();
        let finding = |severity, code: &str| Finding::new(Topic::Extra, severity, code).arg("domain", domain);
        match texts.as_slice() {
            [] if answer.failure().is_some() => {}
            [] => {
                let it = finding(Severity::Hint, &format!("{code}_missing"));
                out.push(match *code {
                    "tls_rpt" => {
                        let value = format!("v=TLSRPTv1; rua=mailto:{}@{domain}", subject.reports_to);
                        it.record("TXT", name, &value)
                    }
                    _ => it,
                });
            }
            [text] => out.push(finding(Severity::Good, code).see(*text)),
            many => out.push(finding(Severity::Hint, &format!("{code}_several")).see_all(many.iter().copied())),
        }
    }
    // A logo is shown for domains that refuse what fails.
    let enforces = dmarc?.record().is_some_and(|it| it.policy > Policy::None && it.percent == 100);
    if !enforces {
        out.retain(|it| it.code != "bimi_missing");
    }
    Some(out)
}

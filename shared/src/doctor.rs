//! Domain checks: from a set of DNS answers to findings, each with its severity, what is seen and the record to copy.
//!
//! Nothing here asks DNS. [`check`] runs over what is known and says what it still needs; the Worker and `cargo xtask
//! doctor` ask and run it again, so that both say the same.

pub mod dkim;
pub mod dmarc;
pub mod dns;
mod extra;
mod receiving;
mod sending;
pub mod spf;
mod spf_findings;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod wire;
pub mod words;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use self::dns::Answers;
use self::dns::Known;
use self::dns::Question;
use crate::api::doctor::DnsRecord;
use crate::api::doctor::Severity;
use crate::api::doctor::SpfLine;
use crate::api::doctor::Topic;

/// The resolver without a setting: Cloudflare's (RFC 8484).
pub const DEFAULT_RESOLVER: &str = "https://cloudflare-dns.com/dns-query";

/// Questions for one domain, and rounds of them. Beyond, DNS counts as silent.
pub const MAX_QUESTIONS: usize = 250;
pub const MAX_ROUNDS: usize = 30;

/// Selectors that are looked for besides our own: those of Cloudflare and of common providers.
pub const COMMON_SELECTORS: [&str; 17] = [
    "cf-bounce",
    "cf2024-1",
    "google",
    "selector1",
    "selector2",
    "k1",
    "k2",
    "k3",
    "s1",
    "s2",
    "default",
    "dkim",
    "mail",
    "smtp",
    "mandrill",
    "pm",
    "fm1",
];

/// A DKIM key of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    pub selector: String,
    /// Value of the record it needs.
    pub record: String,
}

/// Way by which mail of the domain leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Name of the server.
    pub server: String,
    pub via: Via,
    /// Signs with our key.
    pub signs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Cloudflare Email Sending: bounces go to `cf-bounce.` of the domain, which has its SPF.
    Cloudflare,
    /// A relay, by name or address.
    Smtp(String),
    /// An address that sends itself.
    Address(std::net::IpAddr),
}

/// What is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// In A-labels.
    pub domain: String,
    pub keys: Vec<OwnKey>,
    /// Further selectors to look for.
    pub selectors: Vec<String>,
    pub ways: Vec<Way>,
    /// Local part to suggest for reports.
    pub reports_to: String,
}

/// A finding without words, so that it can be kept and told in any language (`words`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub topic: Topic,
    pub severity: Severity,
    pub code: String,
    pub args: BTreeMap<String, String>,
    pub seen: Vec<String>,
    pub records: Vec<DnsRecord>,
}

impl Finding {
    fn new(topic: Topic, severity: Severity, code: &str) -> Self {
        Self { topic, severity, code: code.to_owned(), args: BTreeMap::new(), seen: Vec::new(), records: Vec::new() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    fn arg(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    fn see(mut self, line: impl Into<String>) -> Self {
        self.seen.push(line.into());
        self
    }

    fn see_all<T: Into<String>>(mut self, lines: impl IntoIterator<Item = T>) -> Self {
        self.seen.extend(lines.into_iter().map(Into::into));
        self
    }

    fn record(mut self, kind: &str, name: &str, value: &str) -> Self {
        self.records.push(DnsRecord { kind: kind.to_owned(), name: name.to_owned(), value: value.to_owned() });
        self
    }
}

/// All findings about a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub domain: String,
    pub findings: Vec<Finding>,
    pub spf_lookups: u32,
    pub spf_tree: Vec<SpfLine>,
}

impl Report {
    pub fn worst(&self) -> Severity {
        self.findings.iter().map(|it| it.severity).max().unwrap_or_default()
    }

    /// DNS was silent about some of it: nothing to compare with what was before.
    pub fn is_partial(&self) -> bool {
        self.findings.iter().any(|it| it.code == "dns_failed")
    }

    /// What has to change to be worth a notice: warnings and errors with what they are about.
    pub fn troubles(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .findings
            .iter()
            .filter(|it| it.severity >= Severity::Warning)
            .map(|it| {
                let args: Vec<String> = it.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{}:{}:{}", it.topic.as_str(), it.code, args.join(","))
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What to do next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Ask these and run again.
    Ask(Vec<Question>),
    Done(Box<Report>),
}

/// Runs the checks over what is known.
pub fn check(subject: &Subject, answers: &Answers) -> Step {
    let known = Known::new(answers);
    // All run, so that what they need is asked at once.
    let spf = spf::walk::walk(&known, &subject.domain);
    let dmarc = dmarc::discover(&known, &subject.domain);
    let receiving = receiving::check(&known, subject);
    let keys = sending::keys(&known, subject);
    let extra = extra::check(&known, subject, dmarc.as_ref());
    let dmarc_findings = dmarc.as_ref().and_then(|it| sending::dmarc(&known, subject, it));
    let ways = sending::ways(&known, subject, spf.as_ref(), keys.as_ref(), dmarc.as_ref());
    let (Some(spf), Some(receiving), Some(keys), Some(extra), Some(dmarc_findings), Some(ways)) =
        (spf, receiving, keys, extra, dmarc_findings, ways)
    else {
        return Step::Ask(known.wanted());
    };
    let mut findings = receiving;
    findings.extend(spf_findings::findings(&known, subject, &spf));
    findings.extend(keys.findings);
    findings.extend(dmarc_findings);
    findings.extend(ways);
    findings.extend(extra);
    Step::Done(Box::new(Report {
        domain: subject.domain.clone(),
        findings,
        spf_lookups: spf.root.lookups,
        spf_tree: spf_findings::tree(&spf),
    }))
}

/// Asks with `resolve` until the checks are done: for whoever may wait for each answer.
pub fn run(subject: &Subject, mut resolve: impl FnMut(&[Question]) -> Vec<dns::Answer>) -> Report {
    let mut answers = Answers::default();
    let mut rounds = 0;
    loop {
        match check(subject, &answers) {
            Step::Done(report) => return *report,
            Step::Ask(questions) => {
                rounds += 1;
                let questions = bounded(&mut answers, questions, rounds);
                for (question, answer) in questions.iter().zip(resolve(&questions)) {
                    answers.insert(question.clone(), answer);
                }
                // Whatever was left out: the next round needs an answer to everything.
                for question in questions {
                    if answers.get(&question).is_none() {
                        answers.insert(question, dns::Answer::failed("no answer"));
                    }
                }
            }
        }
    }
}

/// The questions that may still be asked; the others are answered with silence.
pub fn bounded(answers: &mut Answers, mut questions: Vec<Question>, round: usize) -> Vec<Question> {
    let room = if round > MAX_ROUNDS { 0 } else { MAX_QUESTIONS.saturating_sub(answers.len()) };
    for question in questions.drain(room.min(questions.len())..) {
        answers.insert(question, dns::Answer::failed("too many questions"));
    }
    questions
}

fn failed(topic: Topic, name: &str, why: &str) -> Finding {
    Finding::new(topic, Severity::Warning, "dns_failed").arg("name", name).arg("reason", why)
}

//! `cargo xtask doctor DOMAIN`: the checks of the doctor page from the command line, before anything is deployed.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mailroom_shared::address::Domain;
use mailroom_shared::api::doctor::{DomainReport, Severity, Topic};
use mailroom_shared::doctor::dns::{Answer, Answers, Known, Question};
use mailroom_shared::doctor::words::Words;
use mailroom_shared::doctor::{DEFAULT_RESOLVER, Subject, Via, Way, run, spf, wire};
use mailroom_shared::i18n::Lang;
use mailroom_shared::time::Timestamp;

use super::args::Args;

const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Options {
    domain: String,
    resolver: String,
    /// Selectors to look for.
    selectors: Vec<String>,
    /// Hosts or addresses that send for the domain.
    senders: Vec<String>,
    cloudflare: bool,
    /// Answers SPF for this address instead of looking at everything.
    ip: Option<String>,
    mail_from: Option<String>,
    helo: Option<String>,
    language: Lang,
    json: bool,
}

impl Options {
    pub(super) fn read(mut args: Args) -> Result<Self> {
        let (mut selectors, mut senders) = (Vec::new(), Vec::new());
        while let Some(it) = args.value("--selector")? {
            selectors.push(it);
        }
        while let Some(it) = args.value("--sender")? {
            senders.push(it);
        }
        let options = Self {
            resolver: args.value("--resolver")?.unwrap_or_else(|| DEFAULT_RESOLVER.to_owned()),
            selectors,
            senders,
            cloudflare: args.flag("--cloudflare"),
            ip: args.value("--ip")?,
            mail_from: args.value("--mail-from")?,
            helo: args.value("--helo")?,
            language: args.value("--lang")?.map_or(Lang::En, |it| Lang::of(&it)),
            json: args.flag("--json"),
            domain: args.word().context("which domain? `cargo xtask doctor corp.example`")?,
        };
        args.finish()?;
        Ok(options)
    }
}

pub(super) fn doctor(options: &Options) -> Result<()> {
    let name = options.domain.trim();
    let Ok(domain) = Domain::parse(name) else { bail!("{name} is no domain name") };
    let domain = domain.ascii().into_owned();
    if let Some(ip) = &options.ip {
        return spf_of(options, &domain, ip);
    }
    let mut ways: Vec<Way> = options
        .senders
        .iter()
        .map(|it| Way {
            server: it.clone(),
            via: it.parse().map_or_else(|_| Via::Smtp(it.to_lowercase()), Via::Address),
            signs: false,
        })
        .collect();
    if options.cloudflare {
        ways.push(Way { server: "Cloudflare".to_owned(), via: Via::Cloudflare, signs: false });
    }
    let subject = Subject {
        domain,
        selectors: options.selectors.clone(),
        ways,
        reports_to: "postmaster".to_owned(),
        keys: Vec::new(),
    };
    let agent = agent();
    let report = run(&subject, |questions| ask_all(&agent, &options.resolver, questions));
    let words = Words::new(options.language);
    let report = words.report(&report, Timestamp::from_millis(0), None);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report, &words);
    }
    if report.worst == Severity::Error {
        bail!("{} has errors", report.domain);
    }
    Ok(())
}

/// `check_host()` for one sender.
fn spf_of(options: &Options, domain: &str, ip: &str) -> Result<()> {
    let ip = ip.parse().with_context(|| format!("{ip} is no address"))?;
    let mail_from = options.mail_from.clone().unwrap_or_else(|| format!("postmaster@{domain}"));
    let sender = spf::Sender { ip, mail_from: &mail_from, helo: options.helo.as_deref().unwrap_or(domain) };
    let agent = agent();
    let mut answers = Answers::default();
    let outcome = loop {
        let known = Known::new(&answers);
        if let Some(outcome) = spf::evaluate(&known, &sender) {
            break outcome;
        }
        let wanted = known.wanted();
        for (question, answer) in wanted.iter().zip(ask_all(&agent, &options.resolver, &wanted)) {
            answers.insert(question.clone(), answer);
        }
    };
    let verdict = outcome.verdict.as_str();
    if options.json {
        let value = serde_json::json!({
            "result": verdict,
            "matched": outcome.matched.as_ref().map(|(domain, term)| serde_json::json!({ "domain": domain, "term": term })),
            "error": outcome.error.as_ref().map(|(why, place)| serde_json::json!({ "why": why, "place": place })),
            "explanation": outcome.explanation,
            "lookups": outcome.lookups,
            "void_lookups": outcome.void,
        });
        println!("{value:#}");
        return Ok(());
    }
    println!("spf={verdict} for {ip}, mail from {mail_from}");
    if let Some((domain, term)) = &outcome.matched {
        println!("  by {term} of {domain}");
    }
    if let Some((why, place)) = &outcome.error {
        println!("  because of {why} at {place}");
    }
    if let Some(text) = &outcome.explanation {
        println!("  the domain says: {text}");
    }
    println!(
        "  {} lookups of {}, {} without an answer of {}",
        outcome.lookups,
        spf::MAX_LOOKUPS,
        outcome.void,
        spf::MAX_VOID
    );
    Ok(())
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into()
}

fn ask_all(agent: &ureq::Agent, resolver: &str, questions: &[Question]) -> Vec<Answer> {
    // A few at a time: each waits for the network.
    let mut out = Vec::with_capacity(questions.len());
    for group in questions.chunks(8) {
        std::thread::scope(|scope| {
            let asked: Vec<_> = group.iter().map(|it| scope.spawn(|| ask(agent, resolver, it))).collect();
            out.extend(asked.into_iter().map(|it| it.join().unwrap_or_else(|_| Answer::failed("broken"))));
        });
    }
    out
}

fn ask(agent: &ureq::Agent, resolver: &str, question: &Question) -> Answer {
    let ask = || -> Result<Vec<u8>> {
        let query = wire::query(question).map_err(anyhow::Error::msg)?;
        let mut response =
            agent.post(resolver).header("content-type", wire::MEDIA).header("accept", wire::MEDIA).send(&query[..])?;
        if response.status() != 200 {
            bail!("HTTP {}", response.status());
        }
        let mut bytes = Vec::new();
        response.body_mut().as_reader().take(65_535).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match ask() {
        Ok(bytes) => wire::read(question, &bytes),
        Err(error) => Answer::failed(&error.to_string()),
    }
}

fn print(report: &DomainReport, words: &Words) {
    println!("{}", report.domain);
    for topic in Topic::ALL {
        let findings: Vec<_> = report.findings.iter().filter(|it| it.topic == topic).collect();
        if findings.is_empty() {
            continue;
        }
        println!("\n{}", topic.as_str());
        for it in findings {
            println!("  [{}] {} ({})", words.severity(it.severity), it.what, it.code);
            println!("      {}", it.why);
            for line in &it.seen {
                println!("      | {line}");
            }
            for record in &it.records {
                println!("      → {} {} \"{}\"", record.name, record.kind, record.value);
            }
        }
        if topic == Topic::Spf && report.spf_tree.len() > 1 {
            println!("  {} lookups:", report.spf_lookups);
            for line in &report.spf_tree {
                let indent = "  ".repeat(line.depth as usize + 2);
                let name = if line.term.is_empty() { &line.domain } else { &line.term };
                println!(
                    "{indent}{name} ({}) {}",
                    line.lookups,
                    if line.state == "ok" { &line.text } else { &line.state }
                );
            }
        }
    }
}

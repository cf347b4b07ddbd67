//! Doctor: asks DNS about our domains, keeps what came out, tells administrators when it changed; and looks at the
//! installation itself.

use std::collections::BTreeMap;

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::doctor::InstallationCheck;
use mailroom_shared::api::doctor::Severity;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::doctor::OwnKey;
use mailroom_shared::doctor::Report;
use mailroom_shared::doctor::Step;
use mailroom_shared::doctor::Subject;
use mailroom_shared::doctor::Via;
use mailroom_shared::doctor::Way;
use mailroom_shared::doctor::bounded;
use mailroom_shared::doctor::check;
use mailroom_shared::doctor::dns::Answers as DnsAnswers;
use mailroom_shared::doctor::words::Words;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use crate::app::App;
use crate::http::MIGRATIONS;
use crate::ports::Statement;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::dkim;
use crate::store::doctor;
use crate::store::doctor::Checked;
use crate::store::doctor::Installation;
use crate::store::limits;
use crate::store::servers;
use crate::store::servers::Server;
use crate::store::settings;
use crate::store::status;

/// Longer than this an accepted mail does not wait to be written, and a mail that is due does not wait to leave.
const LATE: Span = Span::minutes(5);
/// Largest database of the platform, bytes.
const MAX_DATABASE: f64 = 10e9;
/// What Cloudflare Email Sending tells of a mail.
const EVENTS: [&str; 6] = ["delivered", "deferred", "bounced", "failed", "rejected", "complained"];

/// The resolver to ask: that of the environment, else the setting, else the default.
pub(crate) async fn resolver(app: &App) -> Result<String, StoreError> {
    if !app.config.resolver.is_empty() {
        return Ok(app.config.resolver.clone());
    }
    let set = settings::value(app, doctor::RESOLVER).await?;
    Ok(set.filter(|it| !it.is_empty()).unwrap_or_else(|| mailroom_shared::doctor::DEFAULT_RESOLVER.to_owned()))
}

/// What is known about our domains.
struct Ours {
    domains: Vec<DomainRow>,
    keys: Vec<dkim::Key>,
    servers: Vec<Server>,
    before: Vec<Checked>,
}

async fn ours(app: &App) -> Result<Ours, StoreError> {
    let statements = vec![settings::list_domains(), dkim::list(), servers::list(), doctor::list()];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    Ok(Ours { domains: answers.rows()?, keys: answers.rows()?, servers: answers.rows()?, before: answers.rows()? })
}

impl Ours {
    /// What to check of a domain; of one that is not ours, what can be seen from outside.
    fn subject(&self, name: &str, now: Timestamp) -> Subject {
        let mut subject =
            Subject { domain: name.to_owned(), reports_to: "postmaster".to_owned(), ..Subject::default() };
        let Some(domain) = self.domains.iter().find(|it| it.name.ascii() == name) else { return subject };
        let sender = EmailAddress::new(&domain.default_from, &domain.name).ok();
        let keys = self.keys.iter().filter(|it| it.domain == domain.name);
        subject.keys = keys.map(|it| OwnKey { selector: it.selector.clone(), record: it.public.clone() }).collect();
        for server in self.servers.iter().filter(|it| it.enabled && !it.archived) {
            if sender.as_ref().is_some_and(|it| !server.candidate(now).filter.allows(it)) {
                continue;
            }
            let via = match (server.kind, server.host.trim().trim_matches(['[', ']']).parse()) {
                (ServerKind::Cloudflare, _) => Via::Cloudflare,
                (ServerKind::Smtp, Ok(ip)) => Via::Address(ip),
                (ServerKind::Smtp, Err(_)) => Via::Smtp(server.host.trim().to_lowercase()),
            };
            subject.ways.push(Way { server: server.name.clone(), via, signs: server.dkim && !subject.keys.is_empty() });
        }
        subject
    }
}

/// Asks DNS until the checks are done.
async fn examine(app: &App, resolver: &str, subject: &Subject) -> Report {
    let mut answers = DnsAnswers::default();
    let mut rounds = 0;
    loop {
        match check(subject, &answers) {
            Step::Done(report) => return *report,
            Step::Ask(questions) => {
                rounds += 1;
                let questions = bounded(&mut answers, questions, rounds);
                let came = app.resolver.resolve(resolver, &questions).await;
                for (question, answer) in questions.into_iter().zip(came) {
                    answers.insert(question, answer);
                }
            }
        }
    }
}

/// Statements that keep a report; with a notice when something came or went since the last one. Silence of DNS is no change.
fn keep(report: &Report, before: Option<&Checked>, now: Timestamp) -> Vec<Statement> {
    let Some(before) = before else { return vec![doctor::save(report, None, now)] };
    if report.is_partial() && !before.report.is_partial() {
        return Vec::new();
    }
    let (was, is) = (before.report.troubles(), report.troubles());
    if was == is || before.report.is_partial() {
        return vec![doctor::save(report, before.changed, now)];
    }
    let topics = |all: &[String], others: &[String]| {
        let mut names: Vec<String> = all
            .iter()
            .filter(|it| !others.contains(it))
            .filter_map(|it| it.split(':').next().map(str::to_uppercase))
            .collect();
        names.dedup();
        names.join(", ")
    };
    let (worse, better) = (topics(&is, &was), topics(&was, &is));
    let kind = if worse.is_empty() { "domain_better" } else { "domain_worse" };
    let what = if worse.is_empty() { better } else { worse };
    let args = BTreeMap::from([("domain".to_owned(), report.domain.clone()), ("what".to_owned(), what)]);
    vec![
        doctor::save(report, Some(now), now),
        doctor::settle_notices(&report.domain, now),
        limits::notify(&format!("domain_changed:{}:{}", report.domain, now.as_millis()), kind, &args, now),
    ]
}

/// Checks a domain now; one of ours is kept.
pub(crate) async fn check_now(app: &App, name: &str) -> Result<Checked, StoreError> {
    let ours = ours(app).await?;
    let now = app.now();
    let report = examine(app, &resolver(app).await?, &ours.subject(name, now)).await;
    let before = ours.before.iter().find(|it| it.domain == name);
    let mut changed = before.and_then(|it| it.changed);
    if ours.domains.iter().any(|it| it.name.ascii() == name) {
        let statements = keep(&report, before, now);
        if statements.len() > 1 {
            changed = Some(now);
        }
        if !statements.is_empty() {
            app.db.batch(statements).await?;
        }
    }
    Ok(Checked { domain: name.to_owned(), at: now, changed, report })
}

/// Checks all our domains, one after the other. How many.
pub(crate) async fn check_all(app: &App) -> Result<u32, StoreError> {
    let ours = ours(app).await?;
    let resolver = resolver(app).await?;
    let mut statements = vec![doctor::forget_others()];
    for domain in &ours.domains {
        let name = domain.name.ascii();
        let report = examine(app, &resolver, &ours.subject(&name, app.now())).await;
        let before = ours.before.iter().find(|it| it.domain == name);
        statements.extend(keep(&report, before, app.now()));
    }
    app.db.batch(statements).await?;
    Ok(ours.domains.len() as u32)
}

/// Domains as last checked, and those that never were.
pub(crate) async fn last(app: &App) -> Result<(Vec<Checked>, Vec<String>), StoreError> {
    let mut ours = ours(app).await?;
    let names: Vec<String> = ours.domains.iter().map(|it| it.name.ascii().into_owned()).collect();
    ours.before.retain(|it| names.contains(&it.domain));
    let unchecked = names.into_iter().filter(|it| !ours.before.iter().any(|b| b.domain == *it)).collect();
    Ok((ours.before, unchecked))
}

/// The installation now.
pub(crate) async fn installation(app: &App, words: &Words) -> Result<Vec<InstallationCheck>, StoreError> {
    use Severity::Error;
    use Severity::Good;
    use Severity::Hint;
    use Severity::Warning;
    let now = app.now();
    let applied = status::migrations(app).await;
    let statements =
        vec![doctor::installation(now - LATE, now, now - Span::days(7)), doctor::event_types(), servers::list()];
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let it: Installation = answers.one()?.unwrap_or_default();
    let types: Vec<doctor::EventType> = answers.rows()?;
    let servers: Vec<Server> = answers.rows()?;
    let minutes = |at: Timestamp| ((now - at).as_millis().max(0) / 60_000).to_string();
    let mut out = Vec::new();
    let mut say = |code: &str, severity, args: &[(&str, &str)]| out.push(words.installation(code, severity, args));

    let missing: Vec<&String> = app.config.bindings.iter().filter(|(_, is)| !**is).map(|(name, _)| name).collect();
    for name in &missing {
        say("binding", Error, &[("name", name)]);
    }
    if missing.is_empty() {
        say("bindings", Good, &[("n", &app.config.bindings.len().to_string())]);
    }
    let (n, expected) = (applied.to_string(), MIGRATIONS.to_string());
    if applied < MIGRATIONS {
        say("migrations_due", Error, &[("n", &n), ("expected", &expected)]);
    } else {
        say("migrations", Good, &[("n", &n)]);
    }
    let tick = it.next_tick.map_or_else(|| Timestamp::from_millis(0), |at| at - Span::minutes(1));
    let is_late = (now - tick).as_millis() > LATE.as_millis();
    say(if is_late { "cron_late" } else { "cron" }, if is_late { Error } else { Good }, &[("minutes", &minutes(tick))]);
    if let Some(names) = &it.actions {
        let names: Vec<String> = names.split(", ").map(|it| words.action(it)).collect();
        say("actions_off", Warning, &[("names", &names.join(", "))]);
    }
    let oldest = it.due_oldest.map_or_else(|| "0".to_owned(), minutes);
    let is_old = it.due_oldest.is_some_and(|at| (now - at).as_millis() > LATE.as_millis());
    let args = [("n", it.due.to_string()), ("minutes", oldest)];
    let args = args.each_ref().map(|(name, value)| (*name, value.as_str()));
    say(if is_old { "queue_old" } else { "queue" }, if is_old { Warning } else { Good }, &args);
    if it.unprocessed > 0 {
        say("unprocessed", Error, &[("n", &it.unprocessed.to_string())]);
    } else {
        say("processed", Good, &[]);
    }
    if let Some(bytes) = it.database_bytes.as_ref().and_then(|it| it.parse::<f64>().ok()) {
        let percent = bytes / MAX_DATABASE * 100.0;
        let (code, severity) = match percent {
            it if it >= 90.0 => ("database_full", Error),
            it if it >= 70.0 => ("database_full", Warning),
            _ => ("database", Good),
        };
        let (mb, percent) = (format!("{:.1}", bytes / 1e6), format!("{percent:.1}"));
        say(code, severity, &[("mb", &mb), ("percent", &percent)]);
    }
    match &it.failing_aliases {
        Some(names) => say("aliases_failing", Error, &[("names", names)]),
        None => say("aliases", Good, &[("n", &it.aliases.to_string())]),
    }
    if let Some(names) = &it.placeholders {
        say("admin_placeholder", Warning, &[("names", names)]);
    }
    let ready: Vec<&Server> = servers.iter().filter(|it| it.enabled && !it.archived).collect();
    let troubled = |it: &&&Server| it.troubles > 0 || it.rests_until.is_some_and(|at| at > now);
    for server in ready.iter().filter(troubled) {
        let error = server.last_error.clone().unwrap_or_default();
        say("server_trouble", Warning, &[("name", &server.name), ("error", &error)]);
    }
    if ready.is_empty() {
        say("servers_none", Error, &[]);
    } else if !ready.iter().any(|it| troubled(&it)) {
        say("servers", Good, &[("n", &ready.len().to_string())]);
    }
    let seen =
        |name: &&str| types.iter().any(|it| it.name.as_ref().is_some_and(|it| it.ends_with(&format!(".{name}"))));
    let (came, never): (Vec<&str>, Vec<&str>) = EVENTS.iter().partition(|it| seen(it));
    if !came.is_empty() {
        say("events", Good, &[("names", &came.join(", "))]);
        if !never.is_empty() {
            say("events_some", Hint, &[("names", &never.join(", "))]);
        }
    } else if it.by_cloudflare > 0 {
        say("events_missing", Warning, &[]);
    }
    out.sort_by_key(|it| std::cmp::Reverse(it.severity));
    Ok(out)
}

/// A reader's language.
pub(crate) fn words(language: &str) -> Words {
    Words::new(mailroom_shared::i18n::Lang::of(language))
}

/// The view of a check.
pub(crate) fn view(words: &Words, it: &Checked) -> mailroom_shared::api::doctor::DomainReport {
    words.report(&it.report, it.at, it.changed)
}

/// What is wrong with the address of a resolver, if anything. Plain HTTP is for development.
pub(crate) fn is_resolver(url: &str, is_dev: bool) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(|_| is_dev));
    rest.is_some_and(|it| {
        !it.is_empty()
            && url.len() <= 300
            && !it.starts_with('/')
            && !it.contains(char::is_whitespace)
            && !it.contains('@')
    })
}

//! Outgoing servers: settings, test, simulation, slowed domains.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailroom_shared::address::Domain;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::servers::ArchiveServer;
use mailroom_shared::api::servers::ChangeRules;
use mailroom_shared::api::servers::ChangeServer;
use mailroom_shared::api::servers::CreateServer;
use mailroom_shared::api::servers::DkimKey;
use mailroom_shared::api::servers::EditServer;
use mailroom_shared::api::servers::LiftSlowed;
use mailroom_shared::api::servers::ListDkim;
use mailroom_shared::api::servers::ListServers;
use mailroom_shared::api::servers::ListSlowed;
use mailroom_shared::api::servers::MakeDkim;
use mailroom_shared::api::servers::Outcome;
use mailroom_shared::api::servers::OutgoingRules;
use mailroom_shared::api::servers::PassedOver;
use mailroom_shared::api::servers::ReadRules;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::servers::ServerRow;
use mailroom_shared::api::servers::Simulate;
use mailroom_shared::api::servers::Simulation;
use mailroom_shared::api::servers::SlowedDomain;
use mailroom_shared::api::servers::TestConnection;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::api::tag;
use mailroom_shared::mail::parse::parse_mailboxes;
use mailroom_shared::outbox::choice::Choice;
use mailroom_shared::outbox::choice::FromFilter;
use mailroom_shared::outbox::choice::Wish;
use mailroom_shared::outbox::choice::choose;
use mailroom_shared::outbox::choice::is_private_host;
use serde::Deserialize;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Fleet;
use crate::jobs::Job;
use crate::jobs::RULES;
use crate::seal;
use crate::seal::SealError;
use crate::store;
use crate::store::Answers;
use crate::store::changes::Area;
use crate::store::dkim;
use crate::store::limits;
use crate::store::servers;
use crate::store::servers::BackoffRow;
use crate::store::servers::Server;
use crate::store::settings;
use crate::store::to_json;

impl From<SealError> for AppError {
    fn from(error: SealError) -> Self {
        Self::new(ProblemCode::Misconfigured).detail(error.to_string())
    }
}

async fn rows(app: &App) -> AppResult<Vec<ServerRow>> {
    let now = app.now();
    let (hour, _) = mailroom_shared::outbox::limit::hour(now);
    let mut statements = Fleet::statements(now);
    statements.push(servers::results_since(hour - 23));
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let fleet = Fleet::read(&mut answers, now)?;
    let hours: Vec<servers::Hours> = answers.rows()?;
    Ok(fleet
        .servers
        .iter()
        .map(|it| {
            let used = limits::used(&fleet.usage, it.id.as_str(), fleet.day_hour(), fleet.hour);
            servers::row(it, &hours, used, fleet.daily(it), now)
        })
        .collect())
}

async fn row(app: &App, id: &str) -> AppResult<ServerRow> {
    rows(app).await?.into_iter().find(|it| it.id.as_str() == id).ok_or_else(AppError::not_found)
}

pub(super) async fn list(call: Call<ListServers>) -> AppResult<Vec<ServerRow>> {
    rows(&call.app).await
}

/// All that is wrong, at once. What can't be reached from production is refused there, with the reason as key.
fn check(app: &App, s: &EditServer) -> AppResult<()> {
    let mut wrong = Vec::new();
    if s.name.trim().is_empty() {
        wrong.push(("name", "required"));
    } else if s.name.chars().count() > 60 {
        wrong.push(("name", "too_long"));
    }
    if FromFilter::parse(&s.from_filter).is_err() {
        wrong.push(("from_filter", "from_filter"));
    }
    if s.kind == ServerKind::Smtp {
        if s.host.trim().is_empty() || s.host.contains(char::is_whitespace) {
            wrong.push(("host", "required"));
        } else if !app.config.is_dev && is_private_host(&s.host) {
            wrong.push(("host", "private_host"));
        }
        if s.port == 0 {
            wrong.push(("port", "number"));
        } else if !app.config.is_dev && s.port == 25 {
            wrong.push(("port", "port_25"));
        }
    }
    for (field, limit) in [("daily_limit", s.daily_limit), ("hourly_limit", s.hourly_limit)] {
        if limit == Some(0) {
            wrong.push((field, "number"));
        }
    }
    if s.max_size.is_some_and(|it| it < 10_000) {
        wrong.push(("max_size", "number"));
    }
    if !(1..=300).contains(&s.connect_timeout) {
        wrong.push(("connect_timeout", "number"));
    }
    if !(5..=600).contains(&s.send_timeout) {
        wrong.push(("send_timeout", "number"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(AppError::fields(wrong)) }
}

async fn save<E: Endpoint<Body = EditServer>>(call: &Call<E>, id: &str) -> AppResult<ServerRow> {
    let (app, s) = (&call.app, &call.body);
    check(app, s)?;
    let sealed = match s.password.as_deref() {
        Some("") => Some(String::new()),
        Some(password) => Some(seal::seal(app, &servers::purpose(id), password)?),
        None => None,
    };
    let now = app.now();
    // A raised limit lets parked mail go.
    let work = [servers::save(id, s, sealed.as_deref(), now), limits::unpark(now)];
    app.db.batch(call.noted(Area::Server, id, work)?).await?;
    row(app, id).await
}

pub(super) async fn create(call: Call<CreateServer>) -> AppResult<ServerRow> {
    let row = save(&call, &call.app.new_id()).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::SERVERS.to_owned(), tag::LIMITS.to_owned()]);
    Ok(row)
}

pub(super) async fn change(call: Call<ChangeServer>) -> AppResult<ServerRow> {
    let id = call.path(0).to_owned();
    if servers::read(&call.app, &id).await?.is_none() {
        return Err(AppError::not_found());
    }
    let row = save(&call, &id).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::SERVERS.to_owned(), tag::LIMITS.to_owned()]);
    Ok(row)
}

#[derive(Deserialize)]
struct Count {
    n: u32,
}

/// Refused while mail is with it, and when it is the last: nothing could leave any more.
pub(super) async fn archive(call: Call<ArchiveServer>) -> AppResult<()> {
    let id = call.path(0).to_owned();
    let mut answers = Answers::new(call.app.db.batch(vec![servers::list(), servers::in_use(&id)]).await?);
    let all: Vec<Server> = answers.rows()?;
    let busy = answers.one::<Count>()?.map_or(0, |it| it.n);
    if !all.iter().any(|it| it.id.as_str() == id && !it.archived) {
        return Err(AppError::not_found());
    }
    if busy > 0 {
        return Err(AppError::new(ProblemCode::WrongState).detail(format!("{busy} mails are with it now")));
    }
    if !all.iter().any(|it| it.id.as_str() != id && !it.archived && it.enabled) {
        return Err(AppError::new(ProblemCode::WrongState).detail("it is the last server: no mail could leave"));
    }
    call.app.db.batch(call.noted(Area::Server, &id, [servers::archive(&id)])?).await?;
    call.stale(vec![tag::SERVERS.to_owned(), tag::LIMITS.to_owned()]);
    Ok(())
}

pub(super) async fn test(call: Call<TestConnection>) -> AppResult<TestReport> {
    let app = &call.app;
    let s = &call.body.settings;
    let fleet = Fleet::load(app).await?;
    let kept = match &call.body.server {
        Some(id) => fleet.servers.iter().find(|it| it.id == *id).map(|it| it.password_sealed.clone()),
        None => None,
    };
    let password = match (&s.password, &call.body.server, kept) {
        (Some(password), ..) => password.clone(),
        (None, Some(id), Some(sealed)) if !sealed.is_empty() => {
            seal::open(app, &servers::purpose(id.as_str()), &sealed)?
        }
        _ => String::new(),
    };
    let access = servers::access("test", s, password, fleet.ehlo());
    // An address that the filter lets through, else that of notifications.
    let filtered = s.from_filter.split([',', '\n']).map(str::trim).find_map(|it| EmailAddress::parse(it).ok());
    let notifications = fleet.notifications(fleet.ehlo());
    let of_domain = s.from_filter.split([',', '\n']).map(|it| it.trim().trim_start_matches('@')).find_map(|it| {
        let local = notifications.as_ref().map_or_else(|| "notifications".to_owned(), EmailAddress::local);
        (!it.is_empty()).then(|| EmailAddress::parse(&format!("{local}@{it}")).ok()).flatten()
    });
    let sender = filtered.or(of_domain).or(notifications).map(|it| it.to_smtp()).unwrap_or_default();
    Ok(app.mailer.test(&access, &sender).await)
}

pub(super) async fn simulate(call: Call<Simulate>) -> AppResult<Simulation> {
    let app = &call.app;
    let query = &call.query;
    let from = match EmailAddress::parse(query.from.trim()) {
        Ok(address) => Mailbox::new(None, address),
        Err(_) => parse_mailboxes(&query.from).into_iter().next().ok_or_else(|| AppError::field("from", "address"))?,
    };
    let to = EmailAddress::parse(query.to.trim()).map_err(|_| AppError::field("to", "address"))?;
    let now = app.now();
    let key = to.key();
    let domain = key.rsplit_once('@').map_or("", |(_, it)| it);
    let mut statements = Fleet::statements(now);
    statements.push(servers::backoff_of(domain));
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let fleet = Fleet::read(&mut answers, now)?;
    let backoffs: Vec<BackoffRow> = answers.rows()?;
    let own =
        fleet.domains.iter().find(|it| it.name.as_str() == from.address.domain()).or_else(|| fleet.domains.first());
    let bounce_domain = own.map_or("", |it| it.name.as_str());
    let notifications = fleet.notifications(bounce_domain);
    let lane = query.lane.as_deref().unwrap_or("urgent");
    let wish = Wish {
        from: &from,
        notifications: notifications.as_ref(),
        bounce_domain,
        bulk: lane == "bulk",
        size: query.size.map(u64::from),
        forced: None,
        on_mismatch: fleet.rules.on_mismatch,
    };
    let decision = choose(&wish, &fleet.candidates(lane == "urgent"));
    let name = |index: usize| fleet.servers.get(index).map(|it| it.name.clone()).unwrap_or_default();
    let mut slowed_until = None;
    let outcome = match decision.choice {
        Choice::Leaves { server, from, is_rewritten, return_path, why } => {
            let id = fleet.servers.get(server).map_or("", |it| it.id.as_str());
            slowed_until = backoffs.iter().find(|it| it.server_id == id && it.until > now).map(|it| it.until);
            Outcome::Leaves { server: name(server), from: from.display(), is_rewritten, return_path, why }
        }
        Choice::Waits { until, because, server } => Outcome::Waits { server: name(server), until, because },
        Choice::Never(because) => Outcome::Never { because },
    };
    let passed = decision.passed.into_iter().map(|(index, why)| PassedOver { server: name(index), why }).collect();
    Ok(Simulation { outcome, passed, slowed_until })
}

pub(super) async fn slowed(call: Call<ListSlowed>) -> AppResult<Vec<SlowedDomain>> {
    Ok(servers::slowed(&call.app).await?)
}

pub(super) async fn lift(call: Call<LiftSlowed>) -> AppResult<()> {
    let domain = call.path(0).to_lowercase();
    call.app.db.batch(servers::lift(&domain, call.app.now()).to_vec()).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::SERVERS.to_owned(), tag::EMAILS.to_owned()]);
    Ok(())
}

pub(super) async fn list_dkim(call: Call<ListDkim>) -> AppResult<Vec<DkimKey>> {
    let keys: Vec<dkim::Key> = store::decode(call.app.run(dkim::list()).await?)?;
    Ok(keys.into_iter().map(Into::into).collect())
}

/// Makes a key for one of our domains; a domain that has one keeps it.
pub(super) async fn make_dkim(call: Call<MakeDkim>) -> AppResult<DkimKey> {
    let app = &call.app;
    let domain = Domain::from_str(call.path(0)).map_err(|_| AppError::not_found())?;
    if !settings::domains(app).await?.iter().any(|it| it.name == domain) {
        return Err(AppError::not_found());
    }
    let failed = |e: crate::ports::KeyError| AppError::new(ProblemCode::Internal).detail(e.to_string());
    let pair = app.keys.make().await.map_err(failed)?;
    let now = app.now();
    // Told apart by the year, so that a later key can stand beside it.
    let selector = format!("mailroom{}", now.civil().year);
    let private = seal::seal(app, &dkim::purpose(domain.as_str(), &selector), &STANDARD.encode(&pair.private))?;
    let record = mailroom_shared::mail::dkim::record(&pair.public);
    let work = [dkim::insert(domain.as_str(), &selector, &private, &record, now)];
    app.db.batch(call.noted(Area::Dkim, domain.as_str(), work)?).await?;
    call.stale(vec![tag::SERVERS.to_owned()]);
    let keys: Vec<dkim::Key> = store::decode(app.run(dkim::list()).await?)?;
    keys.into_iter().find(|it| it.domain == domain).map(Into::into).ok_or_else(AppError::not_found)
}

#[derive(Deserialize)]
struct ValueRow {
    value: String,
}

pub(super) async fn read_rules(call: Call<ReadRules>) -> AppResult<OutgoingRules> {
    let row: Option<ValueRow> = store::decode_one(call.app.run(settings::get(RULES)).await?)?;
    Ok(row.and_then(|it| serde_json::from_str(&it.value).ok()).unwrap_or_default())
}

pub(super) async fn change_rules(call: Call<ChangeRules>) -> AppResult<OutgoingRules> {
    let work = [settings::set(RULES, &to_json(&call.body))];
    call.app.db.batch(call.noted(Area::Rules, RULES, work)?).await?;
    call.stale(vec![tag::SERVERS.to_owned()]);
    Ok(call.body)
}

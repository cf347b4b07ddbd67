//! The daily limit, what speaks for a higher one, and notices to administrators.

use std::collections::BTreeMap;

use mailroom_shared::api::limits::ChangeLimits;
use mailroom_shared::api::limits::ClassCount;
use mailroom_shared::api::limits::HourCount;
use mailroom_shared::api::limits::Limits;
use mailroom_shared::api::limits::ListNotices;
use mailroom_shared::api::limits::Meter;
use mailroom_shared::api::limits::Notice;
use mailroom_shared::api::limits::ReadLimits;
use mailroom_shared::api::limits::ReadSupportCase;
use mailroom_shared::api::limits::SettleNotice;
use mailroom_shared::api::limits::SupportCase;
use mailroom_shared::api::limits::SupportDomain;
use mailroom_shared::api::limits::points;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::session::Role;
use mailroom_shared::api::tag;
use mailroom_shared::outbox::limit;
use mailroom_shared::time::Span;
use serde::Deserialize;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Fleet;
use crate::jobs::Job;
use crate::store::Answers;
use crate::store::changes::Area;
use crate::store::limits;
use crate::store::servers::Server;
use crate::store::settings;
use crate::store::to_json;

/// What support and the savings look back on.
const LOOK_BACK: Span = Span::days(30);

#[derive(Deserialize)]
struct Count {
    n: u32,
}

fn meter(fleet: &Fleet, server: &Server, parked: u32) -> Meter {
    let usage = fleet.use_of(server);
    let rows = fleet.usage.iter().filter(|it| it.server_id == server.id.as_str() && it.hour >= fleet.day_hour());
    let (mut by_class, mut by_hour): (BTreeMap<&str, u32>, BTreeMap<i64, u32>) = Default::default();
    for row in rows {
        *by_class.entry(&row.class).or_default() += row.n;
        *by_hour.entry(row.hour).or_default() += row.n;
    }
    let per_hour: Vec<(i64, u32)> = by_hour.into_iter().collect();
    Meter {
        server: server.id.clone(),
        name: server.name.clone(),
        built_in: server.kind == ServerKind::Cloudflare,
        bulk: server.bulk,
        used: usage.today,
        limit: usage.daily,
        left: usage.daily.map(|it| it.saturating_sub(usage.today)),
        reserved: usage.reserved().min(usage.daily.map_or(0, |it| it.saturating_sub(usage.today))),
        resets_at: fleet.day_end,
        hourly: usage.hourly,
        this_hour: usage.this_hour,
        forecast: limit::forecast(&usage, &per_hour, fleet.now, fleet.day_end),
        learned: server.learned_limit.is_some() && usage.daily != server.daily_limit,
        by_class: by_class.into_iter().map(|(class, n)| ClassCount { class: class.to_owned(), n }).collect(),
        per_hour: per_hour.into_iter().map(|(hour, n)| HourCount { hour, n }).collect(),
        parked,
    }
}

async fn read_all(app: &App) -> AppResult<Limits> {
    let now = app.now();
    let mut statements = Fleet::statements(now);
    statements.push(limits::count_parked());
    statements.push(limits::telling(now - LOOK_BACK));
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let fleet = Fleet::read(&mut answers, now)?;
    let mut parked = answers.one::<Count>()?.map_or(0, |it| it.n);
    let telling: limits::Telling = answers.one()?.unwrap_or_default();
    let mut meters = Vec::new();
    for server in fleet.servers.iter().filter(|it| !it.archived && it.enabled) {
        // Parked mail has no server yet; it is shown with the first that is full.
        let is_full = fleet.use_of(server).room(false) == Some(0);
        meters.push(meter(&fleet, server, if is_full { std::mem::take(&mut parked) } else { 0 }));
    }
    Ok(Limits {
        meters,
        daily: fleet.policy.limit(),
        policy: fleet.policy,
        told_by_email: telling.by_email,
        told_in_mailroom: telling.in_mailroom,
        saved: telling.saved,
    })
}

pub(super) async fn read(call: Call<ReadLimits>) -> AppResult<Limits> {
    read_all(&call.app).await
}

/// A higher limit lets parked mail go at once; what does not fit is parked again.
pub(super) async fn change(call: Call<ChangeLimits>) -> AppResult<Limits> {
    let wrong = call.body.check();
    if !wrong.is_empty() {
        return Err(AppError::fields(wrong));
    }
    let statements = vec![settings::set(limits::LIMITS, &to_json(&call.body)), limits::unpark(call.app.now())];
    call.app.db.batch(call.noted(Area::Limits, limits::LIMITS, statements)?).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::LIMITS.to_owned(), tag::EMAILS.to_owned()]);
    read_all(&call.app).await
}

pub(super) async fn support(call: Call<ReadSupportCase>) -> AppResult<SupportCase> {
    let since = call.app.now() - LOOK_BACK;
    let statements = vec![settings::get(limits::LIMITS), limits::outcomes(since), limits::domain_aliases()];
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let policy = limits::policy(answers.take())?;
    let outcomes: limits::Outcomes = answers.one()?.unwrap_or_default();
    let domains: Vec<limits::DomainAliases> = answers.rows()?;
    let mut case = SupportCase {
        users: outcomes.users,
        plan: policy.plan,
        marketing: policy.marketing,
        migrating: policy.migrating,
        handed_over: outcomes.handed_over,
        bounced: outcomes.bounced,
        complained: outcomes.complained,
        days_at_limit: outcomes.days_at_limit,
        domains: domains
            .into_iter()
            .map(|it| SupportDomain {
                domain: it.name,
                aliases: it.aliases,
                tested: it.tested,
                failing: it.failing,
                dkim: it.dkim,
            })
            .collect(),
        points: Vec::new(),
    };
    case.points = points(&case);
    Ok(case)
}

pub(super) async fn notices(call: Call<ListNotices>) -> AppResult<Vec<Notice>> {
    Ok(limits::notices(&call.app, call.me()?, call.sight()?).await?)
}

pub(super) async fn settle(call: Call<SettleNotice>) -> AppResult<()> {
    let me = call.me()?;
    let is_administrator = me.role == Role::Administrator;
    call.app.run(limits::read_by(call.path(0), me.user.as_str(), is_administrator, call.app.now())).await?;
    call.stale(vec![tag::LIMITS.to_owned(), tag::ACTIONS.to_owned(), tag::EMAILS.to_owned()]);
    Ok(())
}

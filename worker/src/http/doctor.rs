//! Doctor: domains and installation; the resolver; settings that were changed.

use mailroom_shared::address::Domain;
use mailroom_shared::api::doctor::ChangeResolver;
use mailroom_shared::api::doctor::CheckDomain;
use mailroom_shared::api::doctor::Doctor;
use mailroom_shared::api::doctor::DomainReport;
use mailroom_shared::api::doctor::EditResolver;
use mailroom_shared::api::doctor::FactLine;
use mailroom_shared::api::doctor::Facts;
use mailroom_shared::api::doctor::ListSettingChanges;
use mailroom_shared::api::doctor::ReadDoctor;
use mailroom_shared::api::doctor::ReadFacts;
use mailroom_shared::api::doctor::SettingChange;
use mailroom_shared::api::tag;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use crate::doctor;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::Answers;
use crate::store::changes;
use crate::store::changes::Area;
use crate::store::doctor as store;
use crate::store::doctor::RESOLVER;
use crate::store::settings;
use crate::store::status;
use crate::store::to_json;

/// How far back changes are told without a wish.
const DAYS: u32 = 30;

pub(super) async fn read(call: Call<ReadDoctor>) -> AppResult<Doctor> {
    let app = &call.app;
    let words = doctor::words(&call.me()?.language);
    let (checked, unchecked) = doctor::last(app).await?;
    Ok(Doctor {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        installation: doctor::installation(app, &words).await?,
        domains: checked.iter().map(|it| doctor::view(&words, it)).collect(),
        unchecked,
        resolver: doctor::resolver(app).await?,
        resolver_is_fixed: !app.config.resolver.is_empty(),
    })
}

pub(super) async fn check(call: Call<CheckDomain>) -> AppResult<DomainReport> {
    let domain = Domain::parse(call.path(0).trim()).map_err(|_| AppError::field("name", "domain"))?;
    let words = doctor::words(&call.me()?.language);
    let checked = doctor::check_now(&call.app, &domain.ascii()).await?;
    call.stale(vec![tag::DOCTOR.to_owned(), tag::LIMITS.to_owned()]);
    Ok(doctor::view(&words, &checked))
}

pub(super) async fn change_resolver(call: Call<ChangeResolver>) -> AppResult<EditResolver> {
    let url = call.body.url.trim();
    if !url.is_empty() && !doctor::is_resolver(url, call.app.config.is_dev) {
        return Err(AppError::field("url", "url"));
    }
    let statements = call.noted(Area::Resolver, RESOLVER, [settings::set(RESOLVER, url)])?;
    call.app.db.batch(statements).await?;
    call.stale(vec![tag::DOCTOR.to_owned()]);
    Ok(EditResolver { url: doctor::resolver(&call.app).await? })
}

/// Message-IDs that are looked up.
const MAX_IDS: usize = 20;

pub(super) async fn facts(call: Call<ReadFacts>) -> AppResult<Facts> {
    let app = &call.app;
    let ids: Vec<String> = call
        .body
        .ids
        .iter()
        .map(|it| it.trim().trim_matches(['<', '>']))
        .filter(|it| !it.is_empty() && it.len() < 1_000)
        .take(MAX_IDS)
        .map(|it| format!("<{it}>"))
        .collect();
    let mut answers = Answers::new(app.db.batch(store::facts(&to_json(&ids)).to_vec()).await?);
    let mut lines: Vec<FactLine> = Vec::new();
    for _ in 0..6 {
        lines.extend(answers.rows::<FactLine>()?);
    }
    lines.sort_by_key(|it| it.at);
    Ok(Facts { lines, migration: status::migrations(app).await, version: env!("CARGO_PKG_VERSION").to_owned() })
}

pub(super) async fn changes(call: Call<ListSettingChanges>) -> AppResult<Vec<SettingChange>> {
    let days = call.query.days.unwrap_or(DAYS).min(3_650);
    Ok(changes::since(&call.app, call.app.now() - Span::days(i64::from(days))).await?)
}

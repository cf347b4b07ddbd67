//! Scheduled actions and retention.

use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::actions::ActionRow;
use mailroom_shared::api::actions::ChangeOneAction;
use mailroom_shared::api::actions::ChangeRetention;
use mailroom_shared::api::actions::ListActions;
use mailroom_shared::api::actions::PreviewVacuum;
use mailroom_shared::api::actions::ReadRetention;
use mailroom_shared::api::actions::RunAction;
use mailroom_shared::api::actions::RunView;
use mailroom_shared::api::actions::VacuumLine;
use mailroom_shared::api::tag;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::actions::MAX_INTERVAL;
use mailroom_shared::outbox::actions::MIN_INTERVAL;
use mailroom_shared::outbox::retention::Class;
use mailroom_shared::outbox::retention::Retention;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs;
use crate::store::Answers;
use crate::store::actions;
use crate::store::actions::ActionState;
use crate::store::changes::Area;
use crate::store::settings;
use crate::store::to_json;
use crate::store::vacuum;

async fn rows(app: &App) -> AppResult<Vec<ActionRow>> {
    let now = app.now();
    let mut all = actions::all(app).await?;
    all.sort_by_key(|it| std::cmp::Reverse(it.name));
    let statements = all.iter().map(|it| actions::runs_statement(it.name)).collect();
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let mut out = Vec::with_capacity(all.len());
    for it in all {
        let next = if it.name.is_sweep() { now + Span::minutes(1) } else { it.next_run.max(now) };
        let next = it.trigger_at.map_or(next, |at| at.max(now).min(next));
        out.push(ActionRow {
            action: it.name,
            interval: it.interval_minutes,
            enabled: it.enabled,
            fixed: it.name.is_fixed(),
            next_run: it.enabled.then_some(next),
            is_running: it.is_running(now),
            failures: it.failures,
            last_error: it.last_error.clone(),
            switched_off: it.switched_off_at.filter(|_| !it.enabled),
            backlog: it.backlog,
            oldest: it.oldest,
            runs: actions::runs(answers.take())?,
        });
    }
    Ok(out)
}

pub(super) async fn list(call: Call<ListActions>) -> AppResult<Vec<ActionRow>> {
    rows(&call.app).await
}

async fn named(app: &App, name: &str) -> AppResult<ActionState> {
    let action = Action::parse(name).ok_or_else(AppError::not_found)?;
    actions::all(app).await?.into_iter().find(|it| it.name == action).ok_or_else(AppError::not_found)
}

pub(super) async fn change(call: Call<ChangeOneAction>) -> AppResult<ActionRow> {
    let app = &call.app;
    let state = named(app, call.path(0)).await?;
    let interval = call.body.interval.filter(|it| *it != state.interval_minutes);
    if let Some(minutes) = interval {
        if state.name.is_fixed() {
            return Err(AppError::field("interval", "fixed_interval"));
        }
        if !(MIN_INTERVAL..=MAX_INTERVAL).contains(&minutes) {
            return Err(AppError::field("interval", "min_interval"));
        }
    }
    // A shorter interval counts from now: nobody waits for the end of the old one.
    let next = match interval {
        Some(minutes) => (app.now() + Span::minutes(i64::from(minutes))).min(state.next_run.max(app.now())),
        None => state.next_run,
    };
    let work = [actions::change(state.name, interval, call.body.enabled, next)];
    app.db.batch(call.noted(Area::Action, state.name.as_str(), work)?).await?;
    call.stale(vec![tag::ACTIONS.to_owned()]);
    rows(app).await?.into_iter().find(|it| it.action == state.name).ok_or_else(AppError::not_found)
}

/// Runs in this request, paused or not. Somebody else's run is not doubled.
pub(super) async fn run(call: Call<RunAction>) -> AppResult<RunView> {
    let me = call.me()?;
    let state = named(&call.app, call.path(0)).await?;
    let view = jobs::actions::run(&call.app, &state, Some(&me.name)).await?;
    call.stale(vec![tag::ACTIONS.to_owned(), tag::EMAILS.to_owned()]);
    view.ok_or_else(|| AppError::new(ProblemCode::WrongState).detail("it runs already"))
}

async fn retention(app: &App) -> AppResult<Retention> {
    Ok(vacuum::retention(app.run(settings::get(vacuum::RETENTION)).await?)?)
}

pub(super) async fn read_retention(call: Call<ReadRetention>) -> AppResult<Retention> {
    retention(&call.app).await
}

pub(super) async fn change_retention(call: Call<ChangeRetention>) -> AppResult<Retention> {
    let wrong: Vec<(&str, &str)> =
        Class::ALL.into_iter().filter(|it| call.body.days(*it) > 36_500).map(|it| (it.as_str(), "number")).collect();
    if !wrong.is_empty() {
        return Err(AppError::fields(wrong));
    }
    let work = [settings::set(vacuum::RETENTION, &to_json(&call.body))];
    call.app.db.batch(call.noted(Area::Retention, vacuum::RETENTION, work)?).await?;
    call.stale(vec![tag::ACTIONS.to_owned()]);
    Ok(call.body)
}

pub(super) async fn preview(call: Call<PreviewVacuum>) -> AppResult<Vec<VacuumLine>> {
    let retention = retention(&call.app).await?;
    Ok(jobs::vacuum::preview(&call.app, &retention).await?)
}

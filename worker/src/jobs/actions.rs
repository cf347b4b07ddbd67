//! The engine of scheduled actions: what is due runs once, whoever else is awake; what fails is counted and told.

use std::collections::BTreeMap;

use mailroom_shared::api::actions::RunView;
use mailroom_shared::api::tag;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::actions::AfterFailure;
use mailroom_shared::outbox::actions::after_failure;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::campaigns;
use super::rotation;
use super::vacuum;
use crate::app::App;
use crate::app::SharedApp;
use crate::doctor;
use crate::log;
use crate::store;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::actions;
use crate::store::actions::ActionState;
use crate::store::actions::Backlog;
use crate::store::actions::Ended;
use crate::store::deliveries;
use crate::store::ingests;
use crate::store::limits;
use crate::store::suppressions;

/// A nudge is given this long before its mail counts as forgotten.
const PATIENCE: Span = Span::seconds(20);
/// Mails picked up per minute; the rest waits for the next.
const MAX_STUCK: u32 = 200;
/// Queued mails that one run of the Email Queue Manager lets go.
const MAX_QUEUED: u32 = 2_000;

/// What a run did.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Done {
    pub items: u32,
    pub backlog: Backlog,
    /// It stopped at its bounds; it goes on with the next tick.
    pub is_more: bool,
    /// It wants to be woken then, whatever its interval.
    pub wake_at: Option<Timestamp>,
    /// It was woken to look and found nothing to do: no run worth keeping.
    pub is_quiet: bool,
}

/// Runs what is due. Each for itself: one that fails does not stop the others.
pub async fn run_due(app: &SharedApp) {
    let all = match actions::all(app).await {
        Ok(all) => all,
        Err(error) => {
            log::error("actions_not_read", &[("error", &error.to_string())]);
            return;
        }
    };
    for state in all {
        if state.is_due(app.now())
            && let Err(error) = run(app, &state, None).await
        {
            log::error("action_not_recorded", &[("action", state.name.as_str()), ("error", &error.to_string())]);
        }
    }
}

/// Runs an action now. `None` when somebody else has it.
pub async fn run(app: &SharedApp, state: &ActionState, by: Option<&str>) -> Result<Option<RunView>, StoreError> {
    let (started, lease) = (app.now(), app.new_id());
    let action = state.name;
    // Without a person the run that was seen as due must still be due: two ticks at once are one run.
    let seen = (by.is_none() && !action.is_sweep() && state.next_run <= started).then_some(state.next_run);
    let taken = app.run(actions::lease(action, &lease, seen, started + action.lease(), started)).await?;
    if taken.changes == 0 {
        return Ok(None);
    }
    let result = perform(app, action).await;
    let failures = if result.is_ok() { 0 } else { state.failures + 1 };
    let consequence = result.as_ref().err().map_or(AfterFailure::GoOn, |_| after_failure(action, failures));
    let error = result.as_ref().err().cloned();
    let done = result.unwrap_or_default();
    let now = app.now();
    let ended = Ended {
        id: &app.new_id(),
        action,
        lease: &lease,
        started,
        error: error.as_deref(),
        items: done.items,
        backlog: done.backlog.n,
        oldest: done.backlog.oldest,
        by,
        next_run: action.next_run(state.next_run, state.interval_minutes, now),
        failures,
        switch_off: consequence == AfterFailure::SwitchOff,
        is_kept: !(action.is_sweep() || done.is_quiet) || done.items > 0 || error.is_some() || by.is_some(),
    };
    let mut statements = actions::end(&ended, now);
    statements.push(actions::serve_triggers(action, started));
    if done.is_more {
        statements.push(actions::trigger(action, now));
    } else if let Some(at) = done.wake_at {
        statements.push(actions::trigger(action, at));
    }
    let notice = format!("action_failed:{}", action.as_str());
    if consequence != AfterFailure::GoOn {
        let kind = if ended.switch_off { "action_switched_off" } else { "action_failing" };
        let args = BTreeMap::from([
            ("action".to_owned(), action.as_str().to_owned()),
            ("n".to_owned(), failures.to_string()),
            ("error".to_owned(), error.clone().unwrap_or_default()),
        ]);
        // Told anew when it fails anew, later.
        statements.push(limits::notify(&format!("{notice}:{}", started.as_millis() / 3_600_000), kind, &args, now));
    }
    app.db.batch(statements).await?;
    if let Some(error) = &error {
        log::error("action_failed", &[("action", action.as_str()), ("error", error)]);
    }
    if ended.is_kept {
        app.stale(&[tag::ACTIONS.to_owned()]).await;
    }
    Ok(Some(RunView {
        started,
        ended: now,
        ok: error.is_none(),
        error,
        items: done.items,
        backlog: done.backlog.n,
        oldest: done.backlog.oldest,
        by: by.map(str::to_owned),
    }))
}

async fn perform(app: &SharedApp, action: Action) -> Result<Done, String> {
    match action {
        Action::IntakeSweep => pick_up(app).await.map_err(|e| e.to_string()),
        Action::RetrySweep => sweep(app).await.map_err(|e| e.to_string()),
        Action::QueueManager => release(app).await.map_err(|e| e.to_string()),
        Action::CampaignQueue => campaigns::run(app).await.map_err(|e| e.to_string()),
        Action::AutoVacuum => vacuum::run(app).await,
        Action::LogRotation => rotation::run(app).await,
        Action::DomainChecks => check_domains(app).await.map_err(|e| e.to_string()),
    }
}

async fn backlog(app: &App, statement: crate::ports::Statement) -> Result<Backlog, StoreError> {
    Ok(store::decode_one(app.run(statement).await?)?.unwrap_or_default())
}

async fn pick_up(app: &SharedApp) -> Result<Done, StoreError> {
    let before: Timestamp = app.now() - PATIENCE;
    let stuck = ingests::stuck(app, before, MAX_STUCK).await?;
    if stuck.is_empty() {
        return Ok(Done::default());
    }
    let items = stuck.len() as u32;
    log::warn("picked_up", &[("count", &items.to_string())]);
    super::write_all(app, stuck).await;
    Ok(Done { items, backlog: backlog(app, actions::unwritten(before)).await?, is_more: false, ..Done::default() })
}

/// What DNS says about our domains; administrators are told when it changed.
async fn check_domains(app: &SharedApp) -> Result<Done, StoreError> {
    let items = doctor::check_all(app).await?;
    app.stale(&[tag::DOCTOR.to_owned(), tag::LIMITS.to_owned()]).await;
    Ok(Done { items, ..Done::default() })
}

/// Settles what died, then sends what is due.
async fn sweep(app: &SharedApp) -> Result<Done, StoreError> {
    let mut statements = deliveries::settle_lost(app.now()).to_vec();
    statements.extend(suppressions::expire(app.now()));
    let answers = app.db.batch(statements).await?;
    let lost = Answers::new(answers).changes();
    if lost > 0 {
        app.stale(&[tag::EMAILS.to_owned(), tag::SHELL.to_owned(), tag::RECORDS.to_owned()]).await;
    }
    let items = lost + super::sending_events::count(app).await? + super::deliver(app).await?;
    let backlog = if items > 0 { backlog(app, actions::overdue(app.now())).await? } else { Backlog::default() };
    Ok(Done { items, backlog, is_more: false, ..Done::default() })
}

/// The Email Queue Manager: what isn't urgent leaves now, after what is.
async fn release(app: &SharedApp) -> Result<Done, StoreError> {
    let released = app.run(actions::release_queued(MAX_QUEUED, app.now())).await?.changes;
    if released > 0 {
        super::deliver(app).await?;
        app.stale(&[tag::EMAILS.to_owned(), tag::SHELL.to_owned()]).await;
    }
    let backlog = backlog(app, actions::queued()).await?;
    Ok(Done { items: released, backlog, is_more: released > 0 && backlog.n > 0, ..Done::default() })
}

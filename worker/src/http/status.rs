//! Whether mail flows, and canaries.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::status::CanaryView;
use mailroom_shared::api::status::DomainFlow;
use mailroom_shared::api::status::LateAction;
use mailroom_shared::api::status::ReadCanary;
use mailroom_shared::api::status::ReadStatus;
use mailroom_shared::api::status::SendCanary;
use mailroom_shared::api::status::ServerFlow;
use mailroom_shared::api::status::StatusView;
use mailroom_shared::api::status::Waiting;
use mailroom_shared::api::tag;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::canary;
use crate::jobs::canary::NoCanary;
use crate::store::Answers;
use crate::store::actions;
use crate::store::actions::ActionState;
use crate::store::actions::Backlog;
use crate::store::canaries;
use crate::store::servers;
use crate::store::servers::Server;
use crate::store::status;

/// An action that is due for so long is late.
const LATE: Span = Span::minutes(5);

pub(super) async fn read(call: Call<ReadStatus>) -> AppResult<StatusView> {
    let now = call.app.now();
    let statements = vec![
        status::domains(),
        servers::list(),
        actions::overdue(now),
        actions::queued(),
        actions::unwritten(now),
        status::unprocessed(),
        status::rates(now),
        actions::list(),
        canaries::newest(),
    ];
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let domains: Vec<status::Flow> = answers.rows()?;
    let servers: Vec<Server> = answers.rows()?;
    let mut waiting = || -> AppResult<Waiting> {
        let it: Backlog = answers.one()?.unwrap_or_default();
        Ok(Waiting { n: it.n, oldest: it.oldest })
    };
    let (due, queued, unwritten) = (waiting()?, waiting()?, waiting()?);
    let unprocessed: status::Unprocessed = answers.one()?.unwrap_or_default();
    let rates: status::Rates = answers.one()?.unwrap_or_default();
    let actions: Vec<ActionState> = answers.rows()?;
    let late = actions.into_iter().filter_map(|it| {
        let due = if it.name.is_sweep() { it.next_run } else { it.trigger_at.unwrap_or(it.next_run).min(it.next_run) };
        // A new installation has not had its first run.
        let is_late = due.as_millis() > 0 && due + LATE < now && !it.is_running(now);
        (!it.enabled || is_late || it.failures > 0).then_some(LateAction {
            action: it.name,
            off: !it.enabled,
            due: is_late.then_some(due),
            last_error: it.last_error,
        })
    });
    Ok(StatusView {
        now,
        domains: domains
            .into_iter()
            .map(|it| DomainFlow { domain: it.domain, last_received: it.last_received, last_sent: it.last_sent })
            .collect(),
        servers: servers
            .into_iter()
            .filter(|it| !it.archived)
            .map(|it| ServerFlow {
                name: it.name,
                enabled: it.enabled,
                last_success: it.last_success,
                last_trouble: it.last_trouble,
                last_error: it.last_error,
                rests_until: it.rests_until.filter(|until| *until > now),
            })
            .collect(),
        due,
        queued,
        unwritten,
        unprocessed: Waiting { n: unprocessed.n, oldest: unprocessed.oldest },
        dead_letters: unprocessed.dead,
        failures: rates.failures(),
        refusals: rates.refusals(),
        actions: late.collect(),
        canary: canaries::view(answers.take(), now)?,
    })
}

pub(super) async fn send_canary(call: Call<SendCanary>) -> AppResult<CanaryView> {
    let app = &call.app;
    let to = match call.body.to.as_deref().map(str::trim).filter(|it| !it.is_empty()) {
        Some(text) => {
            let to = EmailAddress::parse(text).map_err(|_| AppError::field("to", "address"))?;
            if !status::is_alias(app, &to.key()).await? {
                return Err(AppError::field("to", "unknown"));
            }
            to
        }
        None => status::canary_address(app).await?.ok_or_else(|| {
            AppError::new(ProblemCode::WrongState).detail("there is no alias that a canary could be sent to")
        })?,
    };
    let view = canary::send(app, &to, &call.me()?.name).await.map_err(|error| match error {
        NoCanary::Store(error) => error.into(),
        other => AppError::new(ProblemCode::WrongState).detail(other.to_string()),
    })?;
    call.stale(vec![tag::LOGS.to_owned(), tag::LIMITS.to_owned()]);
    Ok(view)
}

pub(super) async fn read_canary(call: Call<ReadCanary>) -> AppResult<CanaryView> {
    canaries::read(&call.app, call.path(0)).await?.ok_or_else(AppError::not_found)
}

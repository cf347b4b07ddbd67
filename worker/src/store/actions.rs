//! Scheduled actions: leases, runs, triggers.

use mailroom_shared::api::actions::RunView;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::StoreError;
use super::int_bool;
use crate::app::App;
use crate::ports::Statement;
use crate::statement;

/// Runs kept in sight.
pub const RUNS: u32 = 14;

#[derive(Debug, Clone, Deserialize)]
pub struct ActionState {
    pub name: Action,
    pub interval_minutes: u32,
    #[serde(deserialize_with = "int_bool")]
    pub enabled: bool,
    pub next_run: Timestamp,
    pub failures: u32,
    pub last_error: Option<String>,
    pub switched_off_at: Option<Timestamp>,
    pub lease_until: Option<Timestamp>,
    pub backlog: u32,
    pub oldest: Option<Timestamp>,
    /// The earliest trigger.
    pub trigger_at: Option<Timestamp>,
}

impl ActionState {
    pub fn is_due(&self, now: Timestamp) -> bool {
        let is_time = self.name.is_sweep() || self.next_run <= now || self.trigger_at.is_some_and(|at| at <= now);
        self.enabled && is_time && !self.is_running(now)
    }

    pub fn is_running(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|it| it > now)
    }
}

pub fn list() -> Statement {
    statement!(
        "SELECT name, interval_minutes, enabled, next_run, failures, last_error, switched_off_at, lease_until, backlog, oldest,
           (SELECT MIN(at) FROM action_triggers t WHERE t.action = a.name) AS trigger_at FROM actions a"
    )
}

/// All actions, those with failures after the others, then in the order of [`Action::ALL`].
pub async fn all(app: &App) -> Result<Vec<ActionState>, StoreError> {
    let mut all: Vec<ActionState> = super::decode(app.run(list()).await?)?;
    all.sort_by_key(|it| (it.failures, it.name));
    Ok(all)
}

/// Takes an action for one run. Nothing changes when somebody else has it, or it was done meanwhile.
pub fn lease(action: Action, by: &str, seen_next: Option<Timestamp>, until: Timestamp, now: Timestamp) -> Statement {
    statement!(
        "UPDATE actions SET lease = ?2, lease_until = ?3 WHERE name = ?1 AND (lease_until IS NULL OR lease_until <= ?4)
           AND (?5 IS NULL OR next_run = ?5)",
        action.as_str(),
        by,
        until,
        now,
        seen_next
    )
}

/// How a run ended.
pub struct Ended<'a> {
    pub id: &'a str,
    pub action: Action,
    pub lease: &'a str,
    pub started: Timestamp,
    pub error: Option<&'a str>,
    pub items: u32,
    pub backlog: u32,
    pub oldest: Option<Timestamp>,
    pub by: Option<&'a str>,
    pub next_run: Timestamp,
    pub failures: u32,
    pub switch_off: bool,
    /// A run with nothing to do leaves no row.
    pub is_kept: bool,
}

/// Writes a run down and gives the action back; only by whoever still has it.
pub fn end(e: &Ended<'_>, now: Timestamp) -> Vec<Statement> {
    let mut statements = Vec::with_capacity(3);
    if e.is_kept {
        statements.push(statement!(
            "INSERT INTO action_runs (id, action, started, ended, result, error, items, backlog, oldest, by_name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            e.id,
            e.action.as_str(),
            e.started,
            now,
            if e.error.is_some() { "failed" } else { "done" },
            e.error,
            e.items,
            e.backlog,
            e.oldest,
            e.by
        ));
    }
    statements.push(statement!(
        "UPDATE actions SET lease = NULL, lease_until = NULL, next_run = ?3, failures = ?4,
           last_error = CASE WHEN ?4 = 0 THEN NULL ELSE ?5 END, backlog = ?6, oldest = ?7,
           enabled = CASE WHEN ?8 = 1 THEN 0 ELSE enabled END, switched_off_at = CASE WHEN ?8 = 1 THEN ?9 ELSE switched_off_at END
         WHERE name = ?1 AND lease = ?2",
        e.action.as_str(),
        e.lease,
        e.next_run,
        e.failures,
        e.error,
        e.backlog,
        e.oldest,
        e.switch_off,
        now
    ));
    statements
}

/// Triggers up to the start of a run are served by it.
pub fn serve_triggers(action: Action, started: Timestamp) -> Statement {
    statement!("DELETE FROM action_triggers WHERE action = ?1 AND at <= ?2", action.as_str(), started)
}

/// Wakes an action at a time, whatever its interval.
pub fn trigger(action: Action, at: Timestamp) -> Statement {
    statement!("INSERT OR IGNORE INTO action_triggers (action, at) VALUES (?1, ?2)", action.as_str(), at)
}

/// Changes by a person; an action that was switched off begins anew.
pub fn change(action: Action, interval: Option<u32>, enabled: Option<bool>, next_run: Timestamp) -> Statement {
    statement!(
        "UPDATE actions SET interval_minutes = COALESCE(?2, interval_minutes), enabled = COALESCE(?3, enabled), next_run = ?4,
           failures = CASE WHEN ?3 = 1 THEN 0 ELSE failures END,
           switched_off_at = CASE WHEN ?3 = 1 THEN NULL ELSE switched_off_at END WHERE name = ?1",
        action.as_str(),
        interval,
        enabled,
        next_run
    )
}

#[derive(Deserialize)]
struct RunRow {
    started: Timestamp,
    ended: Timestamp,
    result: String,
    error: Option<String>,
    items: u32,
    backlog: u32,
    oldest: Option<Timestamp>,
    by_name: Option<String>,
}

pub fn runs_statement(action: Action) -> Statement {
    statement!(
        "SELECT started, ended, result, error, items, backlog, oldest, by_name FROM action_runs WHERE action = ?1
         ORDER BY started DESC, id DESC LIMIT ?2",
        action.as_str(),
        RUNS
    )
}

pub fn runs(rows: crate::ports::Rows) -> Result<Vec<RunView>, StoreError> {
    let rows: Vec<RunRow> = super::decode(rows)?;
    Ok(rows
        .into_iter()
        .map(|it| RunView {
            started: it.started,
            ended: it.ended,
            ok: it.result == "done",
            error: it.error,
            items: it.items,
            backlog: it.backlog,
            oldest: it.oldest,
            by: it.by_name,
        })
        .collect())
}

/// Lets up to `most` queued mails that aren't urgent go out now.
pub fn release_queued(most: u32, now: Timestamp) -> Statement {
    statement!(
        "UPDATE deliveries SET wait = NULL, due = ?1, first_due = ?1 WHERE id IN
           (SELECT id FROM deliveries INDEXED BY deliveries_waiting WHERE wait = 'queue' AND wait IS NOT NULL
             ORDER BY created, id LIMIT ?2) AND state = 'outgoing'",
        now,
        most
    )
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub struct Backlog {
    pub n: u32,
    pub oldest: Option<Timestamp>,
}

/// What waits for the Email Queue Manager.
pub fn queued() -> Statement {
    statement!(
        "SELECT COUNT(*) AS n, MIN(created) AS oldest FROM deliveries INDEXED BY deliveries_waiting WHERE wait = 'queue' AND wait IS NOT NULL"
    )
}

/// What is due and has not left.
pub fn overdue(now: Timestamp) -> Statement {
    statement!(
        "SELECT COUNT(*) AS n, MIN(due) AS oldest FROM deliveries INDEXED BY deliveries_due
         WHERE state IN ('outgoing', 'deferred') AND due <= ?1",
        now
    )
}

/// Accepted mail that is not written.
pub fn unwritten(before: Timestamp) -> Statement {
    statement!(
        "SELECT COUNT(*) AS n, MIN(received) AS oldest FROM ingests WHERE state = 'accepted' AND received < ?1",
        before
    )
}

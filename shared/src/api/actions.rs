//! Scheduled actions and retention.

use serde::Deserialize;
use serde::Serialize;

use crate::outbox::actions::Action;
use crate::outbox::retention::Class;
use crate::outbox::retention::Retention;
use crate::time::Timestamp;

/// One run of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunView {
    pub started: Timestamp,
    pub ended: Timestamp,
    pub ok: bool,
    pub error: Option<String>,
    /// Done by this run.
    pub items: u32,
    /// Left after it.
    pub backlog: u32,
    /// Since when the oldest of those waits.
    pub oldest: Option<Timestamp>,
    /// Who pressed *Run manually*.
    pub by: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActionRow {
    pub action: Action,
    /// Minutes.
    pub interval: u32,
    pub enabled: bool,
    /// A sweep: runs with every minute.
    pub fixed: bool,
    pub next_run: Option<Timestamp>,
    pub is_running: bool,
    pub failures: u32,
    pub last_error: Option<String>,
    /// It was switched off by itself.
    pub switched_off: Option<Timestamp>,
    pub backlog: u32,
    pub oldest: Option<Timestamp>,
    /// Newest first. Runs with nothing to do are not kept.
    pub runs: Vec<RunView>,
}

/// What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeAction {
    /// Minutes, 5 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What Auto-vacuum would remove of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VacuumLine {
    pub class: Class,
    /// Days it is kept; 0 is for ever.
    pub days: u32,
    pub items: u32,
    /// Bytes, where they are known.
    pub bytes: Option<u64>,
}

crate::endpoints! {
    ListActions: Get "/api/v1/actions" "Scheduled actions with their last runs" { query: (), body: () } -> Vec<ActionRow>;
    ChangeOneAction: Patch "/api/v1/actions/{name}" "Change interval, pause or switch on" { query: (), body: ChangeAction } -> ActionRow;
    RunAction: Post "/api/v1/actions/{name}/runs" "Run now, in this request" { query: (), body: () } -> RunView;
    ReadRetention: Get "/api/v1/retention" "Days per class" { query: (), body: () } -> Retention;
    ChangeRetention: Patch "/api/v1/retention" "Change days per class" { query: (), body: Retention } -> Retention;
    PreviewVacuum: Get "/api/v1/retention/preview" "What Auto-vacuum would remove now" { query: (), body: () } -> Vec<VacuumLine>;
}

//! Outgoing servers, limits, scheduled actions.

use mailroom_shared::api::actions::ActionRow;
use mailroom_shared::api::actions::ChangeAction;
use mailroom_shared::api::actions::ChangeOneAction;
use mailroom_shared::api::actions::ChangeRetention;
use mailroom_shared::api::actions::ListActions;
use mailroom_shared::api::actions::PreviewVacuum;
use mailroom_shared::api::actions::RunAction;
use mailroom_shared::api::actions::RunView;
use mailroom_shared::api::actions::VacuumLine;
use mailroom_shared::api::limits::ChangeLimits;
use mailroom_shared::api::limits::Limits;
use mailroom_shared::api::limits::ListNotices;
use mailroom_shared::api::limits::Notice;
use mailroom_shared::api::limits::ReadLimits;
use mailroom_shared::api::limits::ReadSupportCase;
use mailroom_shared::api::limits::SettleNotice;
use mailroom_shared::api::limits::SupportCase;
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
use mailroom_shared::api::servers::OutgoingRules;
use mailroom_shared::api::servers::ReadRules;
use mailroom_shared::api::servers::ServerRow;
use mailroom_shared::api::servers::Simulate;
use mailroom_shared::api::servers::SimulateQuery;
use mailroom_shared::api::servers::Simulation;
use mailroom_shared::api::servers::SlowedDomain;
use mailroom_shared::api::servers::TestConnection;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::api::servers::TestServer;
use mailroom_shared::api::tag;
use mailroom_shared::id::ServerId;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::limit::LimitPolicy;
use mailroom_shared::outbox::retention::Retention;

use super::Cache;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

fn tags(list: &[&str]) -> Vec<String> {
    list.iter().map(|it| (*it).to_owned()).collect()
}

pub fn use_servers() -> Read<Vec<ServerRow>> {
    read::<ListServers>(tags(&[tag::SERVERS, tag::LIMITS]), || Some(api::address::<ListServers>(&[], &())))
}

pub fn use_slowed() -> Read<Vec<SlowedDomain>> {
    read::<ListSlowed>(tags(&[tag::SERVERS, tag::EMAILS]), || Some(api::address::<ListSlowed>(&[], &())))
}

pub fn use_rules() -> Read<OutgoingRules> {
    read::<ReadRules>(tags(&[tag::SERVERS]), || Some(api::address::<ReadRules>(&[], &())))
}

/// Makes a server, or changes the one given.
pub async fn save_server(cache: Cache, id: Option<ServerId>, edit: EditServer) -> Result<ServerRow, ApiError> {
    let answer = match id {
        Some(id) => api::call::<ChangeServer>(&[id.as_str()], &(), &edit).await,
        None => api::call::<CreateServer>(&[], &(), &edit).await,
    };
    cache.settle(answer, &[tag::SERVERS, tag::LIMITS])
}

pub async fn archive_server(cache: Cache, id: ServerId) -> Result<(), ApiError> {
    cache.settle(api::call::<ArchiveServer>(&[id.as_str()], &(), &()).await, &[tag::SERVERS, tag::LIMITS])
}

pub async fn test_server(cache: Cache, what: TestServer) -> Result<TestReport, ApiError> {
    cache.settle(api::call::<TestConnection>(&[], &(), &what).await, &[])
}

pub async fn simulate(cache: Cache, query: SimulateQuery) -> Result<Simulation, ApiError> {
    cache.settle(api::call::<Simulate>(&[], &query, &()).await, &[])
}

pub async fn lift_slowed(cache: Cache, domain: String) -> Result<(), ApiError> {
    cache.settle(api::call::<LiftSlowed>(&[&domain], &(), &()).await, &[tag::SERVERS, tag::EMAILS])
}

pub async fn change_rules(cache: Cache, rules: OutgoingRules) -> Result<OutgoingRules, ApiError> {
    cache.settle(api::call::<ChangeRules>(&[], &(), &rules).await, &[tag::SERVERS])
}

pub fn use_dkim() -> Read<Vec<DkimKey>> {
    read::<ListDkim>(tags(&[tag::SERVERS]), || Some(api::address::<ListDkim>(&[], &())))
}

pub async fn make_dkim(cache: Cache, domain: String) -> Result<DkimKey, ApiError> {
    cache.settle(api::call::<MakeDkim>(&[&domain], &(), &()).await, &[tag::SERVERS])
}

pub fn use_limits() -> Read<Limits> {
    read::<ReadLimits>(tags(&[tag::LIMITS]), || Some(api::address::<ReadLimits>(&[], &())))
}

pub fn use_support_case() -> Read<SupportCase> {
    read::<ReadSupportCase>(tags(&[tag::LIMITS]), || Some(api::address::<ReadSupportCase>(&[], &())))
}

/// What administrators must know; nobody else is asked.
pub fn use_notices() -> Read<Vec<Notice>> {
    read::<ListNotices>(tags(&[tag::LIMITS, tag::ACTIONS, tag::EMAILS]), || Some(api::address::<ListNotices>(&[], &())))
}

pub async fn settle_notice(cache: Cache, id: String) -> Result<(), ApiError> {
    cache.settle(api::call::<SettleNotice>(&[&id], &(), &()).await, &[tag::LIMITS, tag::ACTIONS, tag::EMAILS])
}

pub async fn change_limits(cache: Cache, policy: LimitPolicy) -> Result<Limits, ApiError> {
    cache.settle(api::call::<ChangeLimits>(&[], &(), &policy).await, &[tag::LIMITS, tag::EMAILS])
}

pub fn use_actions() -> Read<Vec<ActionRow>> {
    read::<ListActions>(tags(&[tag::ACTIONS]), || Some(api::address::<ListActions>(&[], &())))
}

pub async fn change_action(cache: Cache, action: Action, change: ChangeAction) -> Result<ActionRow, ApiError> {
    let answer = api::call::<ChangeOneAction>(&[action.as_str()], &(), &change).await;
    cache.settle(answer, &[tag::ACTIONS])
}

pub async fn run_action(cache: Cache, action: Action) -> Result<RunView, ApiError> {
    let answer = api::call::<RunAction>(&[action.as_str()], &(), &()).await;
    cache.settle(answer, &[tag::ACTIONS, tag::EMAILS])
}

pub fn use_vacuum() -> Read<Vec<VacuumLine>> {
    read::<PreviewVacuum>(tags(&[tag::ACTIONS]), || Some(api::address::<PreviewVacuum>(&[], &())))
}

pub async fn change_retention(cache: Cache, days: Retention) -> Result<Retention, ApiError> {
    cache.settle(api::call::<ChangeRetention>(&[], &(), &days).await, &[tag::ACTIONS])
}

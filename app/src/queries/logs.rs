//! The log, traces, status, canaries.

use leptos::prelude::*;
use mailroom_shared::api::logs::ListLogFiles;
use mailroom_shared::api::logs::ListLogs;
use mailroom_shared::api::logs::LogFile;
use mailroom_shared::api::logs::LogQuery;
use mailroom_shared::api::logs::MailAnswer;
use mailroom_shared::api::logs::MailQuery;
use mailroom_shared::api::logs::SearchMails;
use mailroom_shared::api::status::CanaryView;
use mailroom_shared::api::status::NewCanary;
use mailroom_shared::api::status::ReadStatus;
use mailroom_shared::api::status::SendCanary;
use mailroom_shared::api::status::StatusView;
use mailroom_shared::api::tag;
use mailroom_shared::api::trace::ReadTrace;
use mailroom_shared::api::trace::TraceView;
use mailroom_shared::log::line::LogLine;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub fn use_logs(query: impl Fn() -> LogQuery + Send + Sync + 'static) -> List<LogLine> {
    List::new(tag::LOGS, Signal::derive(move || api::address::<ListLogs>(&[], &query())))
}

pub fn use_log_files() -> Read<Vec<LogFile>> {
    read::<ListLogFiles>(vec![tag::ACTIONS.to_owned()], || Some(api::address::<ListLogFiles>(&[], &())))
}

/// Nothing asked, nothing sent.
pub fn use_mails(query: impl Fn() -> MailQuery + Send + Sync + 'static) -> Read<MailAnswer> {
    read::<SearchMails>(vec![tag::INCOMING.to_owned(), tag::EMAILS.to_owned()], move || {
        let query = query();
        (!query.q.trim().is_empty()).then(|| api::address::<SearchMails>(&[], &query))
    })
}

pub fn use_trace(id: String) -> Read<TraceView> {
    let tags = [tag::INCOMING, tag::EMAILS, tag::RECORDS].map(str::to_owned).to_vec();
    read::<ReadTrace>(tags, move || Some(api::address::<ReadTrace>(&[&id], &())))
}

pub fn use_status() -> Read<StatusView> {
    let tags = [tag::SHELL, tag::ACTIONS, tag::SERVERS, tag::LOGS].map(str::to_owned).to_vec();
    read::<ReadStatus>(tags, || Some(api::address::<ReadStatus>(&[], &())))
}

pub async fn send_canary(cache: Cache, to: Option<String>) -> Result<CanaryView, ApiError> {
    let answer = api::call::<SendCanary>(&[], &(), &NewCanary { to }).await;
    cache.settle(answer, &[tag::LOGS, tag::LIMITS])
}

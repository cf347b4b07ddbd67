//! The outgoing queue.

use leptos::prelude::*;
use mailroom_shared::api::emails::ActOnEmails;
use mailroom_shared::api::emails::ActOnQueue;
use mailroom_shared::api::emails::ActedOnEmails;
use mailroom_shared::api::emails::CountEmails;
use mailroom_shared::api::emails::EmailCounts;
use mailroom_shared::api::emails::EmailMatches;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::emails::ListEmails;
use mailroom_shared::api::emails::MatchEmails;
use mailroom_shared::api::tag;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub fn use_emails(query: impl Fn() -> EmailQuery + Send + Sync + 'static) -> List<EmailRow> {
    List::new(tag::EMAILS, Signal::derive(move || api::address::<ListEmails>(&[], &query())))
}

pub fn use_counts() -> Read<EmailCounts> {
    read::<CountEmails>(vec![tag::EMAILS.to_owned()], || Some(api::address::<CountEmails>(&[], &())))
}

/// How many match, and what can be done with them.
pub async fn matching(cache: Cache, query: EmailQuery) -> Result<EmailMatches, ApiError> {
    cache.settle(api::call::<MatchEmails>(&[], &query, &()).await, &[])
}

pub async fn act(cache: Cache, what: ActOnEmails) -> Result<ActedOnEmails, ApiError> {
    let answer = api::call::<ActOnQueue>(&[], &(), &what).await;
    cache.settle(answer, &[tag::EMAILS, tag::SHELL])
}

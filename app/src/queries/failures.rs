//! The failure inbox and the addresses we do not write to.

use leptos::prelude::*;
use mailroom_shared::api::failures::ActOnFailing;
use mailroom_shared::api::failures::ActOnFailures;
use mailroom_shared::api::failures::ActedOnFailures;
use mailroom_shared::api::failures::CorrectFailing;
use mailroom_shared::api::failures::CorrectFailures;
use mailroom_shared::api::failures::CorrectedFailures;
use mailroom_shared::api::failures::FailingAddress;
use mailroom_shared::api::failures::FailureGroups;
use mailroom_shared::api::failures::FailureOperation;
use mailroom_shared::api::failures::FailureQuery;
use mailroom_shared::api::failures::FailureRow;
use mailroom_shared::api::failures::FailureRowsQuery;
use mailroom_shared::api::failures::ListFailingAddresses;
use mailroom_shared::api::failures::ListFailureOperations;
use mailroom_shared::api::failures::ListFailureRows;
use mailroom_shared::api::failures::ListFailures;
use mailroom_shared::api::failures::UndoFailures;
use mailroom_shared::api::failures::UndoneFailures;
use mailroom_shared::api::suppressions::CreateSuppression;
use mailroom_shared::api::suppressions::ImportSuppressionList;
use mailroom_shared::api::suppressions::ImportSuppressions;
use mailroom_shared::api::suppressions::ImportedSuppressions;
use mailroom_shared::api::suppressions::Lift;
use mailroom_shared::api::suppressions::LiftSuppression;
use mailroom_shared::api::suppressions::Lifted;
use mailroom_shared::api::suppressions::ListSuppressionHistory;
use mailroom_shared::api::suppressions::ListSuppressions;
use mailroom_shared::api::suppressions::NewSuppression;
use mailroom_shared::api::suppressions::RestoreSuppression;
use mailroom_shared::api::suppressions::SuppressionEvent;
use mailroom_shared::api::suppressions::SuppressionHistoryQuery;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::tag;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;
use crate::model::filters;

pub fn use_failures(mine: impl Fn() -> bool + Send + Sync + 'static) -> Read<FailureGroups> {
    read::<ListFailures>(vec![tag::EMAILS.to_owned()], move || {
        Some(api::address::<ListFailures>(&[], &FailureQuery { mine: mine().then_some(true) }))
    })
}

pub fn use_failure_rows(group: String, mine: bool) -> List<FailureRow> {
    let query = FailureRowsQuery { mine: mine.then_some(true), cursor: None, limit: Some(filters::PAGE) };
    List::new(tag::EMAILS, Signal::derive(move || api::address::<ListFailureRows>(&[&group], &query)))
}

pub async fn act(cache: Cache, what: &ActOnFailures) -> Result<ActedOnFailures, ApiError> {
    let answer = api::call::<ActOnFailing>(&[], &(), what).await;
    cache.settle(answer, &[tag::EMAILS, tag::SHELL])
}

pub async fn correct(cache: Cache, what: &CorrectFailures) -> Result<CorrectedFailures, ApiError> {
    let answer = api::call::<CorrectFailing>(&[], &(), what).await;
    let tags: &[&str] = if what.apply { &[tag::EMAILS, tag::SHELL] } else { &[] };
    cache.settle(answer, tags)
}

/// Where the deliveries of a cause failed.
pub async fn addresses_of(group: &str, mine: bool) -> Result<Vec<FailingAddress>, ApiError> {
    api::call::<ListFailingAddresses>(&[group], &FailureQuery { mine: mine.then_some(true) }, &()).await
}

pub fn use_operations() -> Read<Vec<FailureOperation>> {
    read::<ListFailureOperations>(vec![tag::EMAILS.to_owned()], || {
        Some(api::address::<ListFailureOperations>(&[], &()))
    })
}

pub async fn undo(cache: Cache, operation: &str) -> Result<UndoneFailures, ApiError> {
    let answer = api::call::<UndoFailures>(&[operation], &(), &()).await;
    cache.settle(answer, &[tag::EMAILS, tag::SHELL])
}

pub fn use_suppressions(query: impl Fn() -> SuppressionQuery + Send + Sync + 'static) -> List<SuppressionRow> {
    List::new(tag::SUPPRESSIONS, Signal::derive(move || api::address::<ListSuppressions>(&[], &query())))
}

pub async fn suppress(cache: Cache, what: NewSuppression) -> Result<SuppressionRow, ApiError> {
    cache.settle(api::call::<CreateSuppression>(&[], &(), &what).await, &[tag::SUPPRESSIONS])
}

pub fn use_suppression_history(
    query: impl Fn() -> SuppressionHistoryQuery + Send + Sync + 'static,
) -> List<SuppressionEvent> {
    List::new(tag::SUPPRESSIONS, Signal::derive(move || api::address::<ListSuppressionHistory>(&[], &query())))
}

pub async fn restore(cache: Cache, event: &str) -> Result<(), ApiError> {
    cache.settle(api::call::<RestoreSuppression>(&[event], &(), &()).await, &[tag::SUPPRESSIONS])
}

pub async fn lift(cache: Cache, what: Lift) -> Result<Lifted, ApiError> {
    cache.settle(api::call::<LiftSuppression>(&[], &(), &what).await, &[tag::SUPPRESSIONS])
}

pub async fn import(cache: Cache, csv: String) -> Result<ImportedSuppressions, ApiError> {
    let answer = api::call::<ImportSuppressionList>(&[], &(), &ImportSuppressions { csv }).await;
    cache.settle(answer, &[tag::SUPPRESSIONS])
}

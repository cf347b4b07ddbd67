//! Records and their followers.

use leptos::prelude::*;
use mailroom_shared::api::records::AddFollower;
use mailroom_shared::api::records::ChangeAFollower;
use mailroom_shared::api::records::ChangeARecord;
use mailroom_shared::api::records::ChangeRecord;
use mailroom_shared::api::records::CreateRecord;
use mailroom_shared::api::records::ListRecords;
use mailroom_shared::api::records::NewFollower;
use mailroom_shared::api::records::NewRecord;
use mailroom_shared::api::records::ReadRecord;
use mailroom_shared::api::records::RecordQuery;
use mailroom_shared::api::records::RecordRow;
use mailroom_shared::api::records::RecordView;
use mailroom_shared::api::records::RemoveFollower;
use mailroom_shared::api::records::Subtypes;
use mailroom_shared::api::tag;
use mailroom_shared::id::ContactId;
use mailroom_shared::id::RecordId;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

/// A list of records, newest activity first.
pub fn use_records(query: impl Fn() -> RecordQuery + Send + Sync + 'static) -> List<RecordRow> {
    List::new(tag::RECORDS, Signal::derive(move || api::address::<ListRecords>(&[], &query())))
}

pub fn use_record(id: &RecordId) -> Read<RecordView> {
    let address = api::address::<ReadRecord>(&[id.as_str()], &());
    read::<ReadRecord>(vec![tag::record(id.as_str())], move || Some(address.clone()))
}

pub async fn create_record(cache: Cache, new: NewRecord) -> Result<RecordView, ApiError> {
    let answer = api::call::<CreateRecord>(&[], &(), &new).await;
    cache.settle(answer, &[tag::RECORDS, tag::SHELL])
}

pub async fn change_record(cache: Cache, id: RecordId, change: ChangeRecord) -> Result<(), ApiError> {
    let answer = api::tell::<ChangeARecord>(&[id.as_str()], &change).await;
    cache.settle(answer, &[&tag::record(id.as_str()), tag::RECORDS, tag::SHELL])
}

pub async fn add_follower(cache: Cache, id: RecordId, new: NewFollower) -> Result<RecordView, ApiError> {
    let answer = api::call::<AddFollower>(&[id.as_str()], &(), &new).await;
    cache.settle(answer, &[&tag::record(id.as_str())])
}

pub async fn change_follower(
    cache: Cache,
    id: RecordId,
    contact: ContactId,
    wants: Subtypes,
) -> Result<RecordView, ApiError> {
    let answer = api::call::<ChangeAFollower>(&[id.as_str(), contact.as_str()], &(), &wants).await;
    cache.settle(answer, &[&tag::record(id.as_str())])
}

pub async fn remove_follower(cache: Cache, id: RecordId, contact: ContactId) -> Result<RecordView, ApiError> {
    let answer = api::call::<RemoveFollower>(&[id.as_str(), contact.as_str()], &(), &()).await;
    cache.settle(answer, &[&tag::record(id.as_str())])
}

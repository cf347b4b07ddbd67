//! Everything that came in, paused senders, the dry run.

use leptos::prelude::*;
use mailroom_shared::api::incoming::ActOnIncoming;
use mailroom_shared::api::incoming::CheckIncoming;
use mailroom_shared::api::incoming::CountIncoming;
use mailroom_shared::api::incoming::IncomingAction;
use mailroom_shared::api::incoming::IncomingActions;
use mailroom_shared::api::incoming::IncomingCounts;
use mailroom_shared::api::incoming::IncomingDone;
use mailroom_shared::api::incoming::IncomingQuery;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::api::incoming::IncomingView;
use mailroom_shared::api::incoming::ListIncoming;
use mailroom_shared::api::incoming::ListPaused;
use mailroom_shared::api::incoming::NewPause;
use mailroom_shared::api::incoming::PauseSender;
use mailroom_shared::api::incoming::PausedRow;
use mailroom_shared::api::incoming::ReadIncoming;
use mailroom_shared::api::incoming::ReleasePause;
use mailroom_shared::api::incoming::ReleaseSender;
use mailroom_shared::api::incoming::SettleHeld;
use mailroom_shared::api::incoming::SettleHeldMessage;
use mailroom_shared::api::messages::AttachedMail;
use mailroom_shared::api::messages::MoveMessage;
use mailroom_shared::api::messages::MoveTo;
use mailroom_shared::api::messages::OriginView;
use mailroom_shared::api::messages::ReadAttachedMail;
use mailroom_shared::api::messages::ReadOrigin;
use mailroom_shared::api::policy::ChangeInboundRules;
use mailroom_shared::api::policy::InboundRules;
use mailroom_shared::api::policy::ReadInboundRules;
use mailroom_shared::api::route::RouteReply;
use mailroom_shared::api::route::RouteRequest;
use mailroom_shared::api::route::TryRoute;
use mailroom_shared::api::tag;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub fn use_incoming(query: impl Fn() -> IncomingQuery + Send + Sync + 'static) -> List<IncomingRow> {
    List::new(tag::INCOMING, Signal::derive(move || api::address::<ListIncoming>(&[], &query())))
}

pub fn use_incoming_counts() -> Read<IncomingCounts> {
    read::<CountIncoming>(vec![tag::INCOMING.to_owned()], || Some(api::address::<CountIncoming>(&[], &())))
}

pub fn use_incoming_view(id: String) -> Read<IncomingView> {
    read::<ReadIncoming>(vec![tag::INCOMING.to_owned()], move || Some(api::address::<ReadIncoming>(&[&id], &())))
}

pub async fn act_on_incoming(cache: Cache, what: &IncomingActions) -> Result<IncomingDone, ApiError> {
    let answer = api::call::<ActOnIncoming>(&[], &(), what).await;
    cache.settle(answer, &[tag::INCOMING, tag::SHELL, tag::RECORDS])
}

pub fn use_inbound_rules() -> Read<InboundRules> {
    read::<ReadInboundRules>(vec![tag::INCOMING.to_owned()], || Some(api::address::<ReadInboundRules>(&[], &())))
}

pub async fn change_inbound_rules(cache: Cache, rules: InboundRules) -> Result<InboundRules, ApiError> {
    cache.settle(api::call::<ChangeInboundRules>(&[], &(), &rules).await, &[tag::INCOMING])
}

pub async fn check_incoming(id: &str) -> Result<RouteReply, ApiError> {
    api::call::<CheckIncoming>(&[id], &(), &()).await
}

pub async fn try_route(request: RouteRequest) -> Result<RouteReply, ApiError> {
    api::call::<TryRoute>(&[], &(), &request).await
}

/// Where the raw source of a mail is.
pub fn incoming_original(id: &str) -> String {
    format!("{}/original", mailroom_shared::api::url::<ReadIncoming>(&[id]))
}

pub async fn settle_held(
    cache: Cache,
    record: &RecordId,
    message: &MessageId,
    action: IncomingAction,
) -> Result<(), ApiError> {
    let answer = api::call::<SettleHeld>(&[message.as_str()], &(), &SettleHeldMessage { action }).await;
    cache.settle(answer, &[&tag::record(record.as_str()), tag::RECORDS, tag::INCOMING, tag::SHELL])
}

/// Moves a message, or takes its suggestion away.
pub async fn move_message(
    cache: Cache,
    from: &RecordId,
    message: &MessageId,
    record: Option<RecordId>,
) -> Result<(), ApiError> {
    let answer = api::call::<MoveMessage>(&[message.as_str()], &(), &MoveTo { record }).await;
    cache.settle(answer, &[&tag::record(from.as_str()), tag::RECORDS, tag::INCOMING, tag::SHELL])
}

pub fn use_origin(message: &MessageId) -> Read<OriginView> {
    let address = api::address::<ReadOrigin>(&[message.as_str()], &());
    read::<ReadOrigin>(Vec::new(), move || Some(address.clone()))
}

pub fn use_attached_mail(attachment: &str) -> Read<AttachedMail> {
    let address = api::address::<ReadAttachedMail>(&[attachment], &());
    read::<ReadAttachedMail>(Vec::new(), move || Some(address.clone()))
}

pub fn use_paused() -> Read<Vec<PausedRow>> {
    read::<ListPaused>(vec![tag::INCOMING.to_owned()], || Some(api::address::<ListPaused>(&[], &())))
}

pub async fn pause_sender(cache: Cache, new: NewPause) -> Result<PausedRow, ApiError> {
    let answer = api::call::<PauseSender>(&[], &(), &new).await;
    cache.settle(answer, &[tag::INCOMING])
}

pub async fn release_sender(cache: Cache, address: &str, how: ReleasePause) -> Result<(), ApiError> {
    let answer = api::call::<ReleaseSender>(&[address], &(), &how).await;
    cache.settle(answer, &[tag::INCOMING, tag::SHELL, tag::RECORDS])
}

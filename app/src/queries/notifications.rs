//! What one was told in Mailroom.

use leptos::prelude::*;
use mailroom_shared::api::notifications::ChangeNotifications;
use mailroom_shared::api::notifications::ListNotifications;
use mailroom_shared::api::notifications::MarkNotifications;
use mailroom_shared::api::notifications::NotificationQuery;
use mailroom_shared::api::notifications::NotificationRow;
use mailroom_shared::api::tag;

use super::Cache;
use super::List;
use crate::api;
use crate::api::ApiError;

pub fn use_notifications(query: impl Fn() -> NotificationQuery + Send + Sync + 'static) -> List<NotificationRow> {
    List::new(tag::SHELL, Signal::derive(move || api::address::<ListNotifications>(&[], &query())))
}

pub async fn mark_notifications(cache: Cache, what: MarkNotifications) -> Result<(), ApiError> {
    let answer = api::tell::<ChangeNotifications>(&[], &what).await;
    cache.settle(answer, &[tag::SHELL])
}

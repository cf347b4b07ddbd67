//! Aliases, domains and the journal of refusals.

use leptos::prelude::*;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::ChangeAlias;
use mailroom_shared::api::aliases::CreateAlias;
use mailroom_shared::api::aliases::DeleteAlias;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::aliases::EditAlias;
use mailroom_shared::api::aliases::ListAliases;
use mailroom_shared::api::aliases::ListDomains;
use mailroom_shared::api::refusals::ListRefusals;
use mailroom_shared::api::refusals::RefusalQuery;
use mailroom_shared::api::refusals::RefusalRow;
use mailroom_shared::api::tag;
use mailroom_shared::id::AliasId;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub fn use_aliases() -> Read<Vec<AliasRow>> {
    read::<ListAliases>(vec![tag::ALIASES.to_owned()], || Some(api::address::<ListAliases>(&[], &())))
}

pub fn use_domains() -> Read<Vec<DomainRow>> {
    read::<ListDomains>(vec![tag::ALIASES.to_owned()], || Some(api::address::<ListDomains>(&[], &())))
}

/// Creates an alias, or changes the one given.
pub async fn save_alias(cache: Cache, id: Option<AliasId>, edit: EditAlias) -> Result<AliasRow, ApiError> {
    let answer = match id {
        Some(id) => api::call::<ChangeAlias>(&[id.as_str()], &(), &edit).await,
        None => api::call::<CreateAlias>(&[], &(), &edit).await,
    };
    cache.settle(answer, &[tag::ALIASES, tag::SHELL])
}

pub async fn delete_alias(cache: Cache, id: AliasId) -> Result<(), ApiError> {
    let answer = api::call::<DeleteAlias>(&[id.as_str()], &(), &()).await;
    cache.settle(answer, &[tag::ALIASES, tag::SHELL])
}

pub fn use_refusals(query: impl Fn() -> RefusalQuery + Send + Sync + 'static) -> List<RefusalRow> {
    List::new(tag::REFUSALS, Signal::derive(move || api::address::<ListRefusals>(&[], &query())))
}

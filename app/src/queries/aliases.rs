//! Aliases and domains.

use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasView;
use mailroom_shared::api::aliases::ChangeAlias;
use mailroom_shared::api::aliases::ChangeDomain;
use mailroom_shared::api::aliases::CreateAlias;
use mailroom_shared::api::aliases::CreateDomain;
use mailroom_shared::api::aliases::DeleteAlias;
use mailroom_shared::api::aliases::DeleteDomain;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::aliases::EditAlias;
use mailroom_shared::api::aliases::EditDomain;
use mailroom_shared::api::aliases::ListAliases;
use mailroom_shared::api::aliases::ListDomains;
use mailroom_shared::api::aliases::ReadAlias;
use mailroom_shared::api::tag;
use mailroom_shared::id::AliasId;

use super::Cache;
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

pub fn use_alias(id: &AliasId) -> Read<AliasView> {
    let address = api::address::<ReadAlias>(&[id.as_str()], &());
    read::<ReadAlias>(vec![tag::ALIASES.to_owned(), tag::INCOMING.to_owned()], move || Some(address.clone()))
}

/// Adds a domain, or changes the special addresses of one.
pub async fn save_domain(cache: Cache, is_new: bool, edit: EditDomain) -> Result<DomainRow, ApiError> {
    let answer = if is_new {
        api::call::<CreateDomain>(&[], &(), &edit).await
    } else {
        api::call::<ChangeDomain>(&[&edit.name], &(), &edit).await
    };
    cache.settle(answer, &[tag::ALIASES])
}

pub async fn delete_domain(cache: Cache, name: &str) -> Result<(), ApiError> {
    let answer = api::call::<DeleteDomain>(&[name], &(), &()).await;
    cache.settle(answer, &[tag::ALIASES])
}

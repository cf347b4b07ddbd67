//! Doctor and support.

use mailroom_shared::api::doctor::ChangeResolver;
use mailroom_shared::api::doctor::CheckDomain;
use mailroom_shared::api::doctor::Doctor;
use mailroom_shared::api::doctor::DomainReport;
use mailroom_shared::api::doctor::EditResolver;
use mailroom_shared::api::doctor::Facts;
use mailroom_shared::api::doctor::FactsQuery;
use mailroom_shared::api::doctor::ListSettingChanges;
use mailroom_shared::api::doctor::ReadDoctor;
use mailroom_shared::api::doctor::ReadFacts;
use mailroom_shared::api::doctor::SettingChange;
use mailroom_shared::api::doctor::Since;
use mailroom_shared::api::tag;

use super::Cache;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub fn use_doctor() -> Read<Doctor> {
    let tags = [tag::DOCTOR, tag::ALIASES, tag::SERVERS];
    read::<ReadDoctor>(tags.map(str::to_owned).to_vec(), || Some(api::address::<ReadDoctor>(&[], &())))
}

pub async fn check_domain(cache: Cache, name: &str) -> Result<DomainReport, ApiError> {
    cache.settle(api::call::<CheckDomain>(&[name], &(), &()).await, &[tag::DOCTOR, tag::LIMITS])
}

pub async fn change_resolver(cache: Cache, url: String) -> Result<EditResolver, ApiError> {
    cache.settle(api::call::<ChangeResolver>(&[], &(), &EditResolver { url }).await, &[tag::DOCTOR])
}

/// What support wants to know besides the mail; each is missing when the reader may not see it.
pub async fn facts(ids: Vec<String>) -> Result<Facts, ApiError> {
    api::call::<ReadFacts>(&[], &(), &FactsQuery { ids }).await
}

pub async fn doctor() -> Result<Doctor, ApiError> {
    api::call::<ReadDoctor>(&[], &(), &()).await
}

pub async fn setting_changes() -> Result<Vec<SettingChange>, ApiError> {
    api::call::<ListSettingChanges>(&[], &Since::default(), &()).await
}

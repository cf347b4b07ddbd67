//! Set-up, login, preferences, colleagues.

use mailroom_shared::api::session::ChangeMe;
use mailroom_shared::api::session::ChangeMyself;
use mailroom_shared::api::session::DoLogin;
use mailroom_shared::api::session::DoLogout;
use mailroom_shared::api::session::DoSetUp;
use mailroom_shared::api::session::ListUsers;
use mailroom_shared::api::session::Login;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::SetUp;
use mailroom_shared::api::session::UserRow;

use super::Cache;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub async fn log_in(login: Login) -> Result<Me, ApiError> {
    api::call::<DoLogin>(&[], &(), &login).await
}

pub async fn set_up(form: SetUp) -> Result<Me, ApiError> {
    api::call::<DoSetUp>(&[], &(), &form).await
}

pub async fn log_out() -> Result<(), ApiError> {
    api::call::<DoLogout>(&[], &(), &()).await
}

pub async fn change_me(cache: Cache, change: ChangeMe) -> Result<Me, ApiError> {
    let answer = api::call::<ChangeMyself>(&[], &(), &change).await;
    cache.settle(answer, &[])
}

/// Colleagues; they change rarely, so no tag.
pub fn use_users() -> Read<Vec<UserRow>> {
    read::<ListUsers>(Vec::new(), || Some(api::address::<ListUsers>(&[], &())))
}

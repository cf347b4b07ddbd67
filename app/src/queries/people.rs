//! Users, invitations, one's own profile, API tokens.

use mailroom_shared::api::people::AnswerInvitation;
use mailroom_shared::api::people::ChangePerson;
use mailroom_shared::api::people::EditPerson;
use mailroom_shared::api::people::ForgetPassword;
use mailroom_shared::api::people::ForgottenPassword;
use mailroom_shared::api::people::Invite;
use mailroom_shared::api::people::InvitePerson;
use mailroom_shared::api::people::Join;
use mailroom_shared::api::people::LinkView;
use mailroom_shared::api::people::ListPeople;
use mailroom_shared::api::people::NewPassword;
use mailroom_shared::api::people::PersonRow;
use mailroom_shared::api::people::ReadInvitation;
use mailroom_shared::api::people::ReadReset;
use mailroom_shared::api::people::ResendInvitation;
use mailroom_shared::api::people::ResetPassword;
use mailroom_shared::api::people::WithdrawInvitation;
use mailroom_shared::api::profile::ChangeAddress;
use mailroom_shared::api::profile::ChangePassword;
use mailroom_shared::api::profile::ChangedPassword;
use mailroom_shared::api::profile::ConfirmAddress;
use mailroom_shared::api::profile::Confirmed;
use mailroom_shared::api::profile::EndOtherSessions;
use mailroom_shared::api::profile::EndSession;
use mailroom_shared::api::profile::ForgetAddress;
use mailroom_shared::api::profile::NewAddress;
use mailroom_shared::api::profile::Profile;
use mailroom_shared::api::profile::ReadProfile;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::tag;
use mailroom_shared::api::tokens::CreateToken;
use mailroom_shared::api::tokens::CreatedToken;
use mailroom_shared::api::tokens::ListTokens;
use mailroom_shared::api::tokens::NewToken;
use mailroom_shared::api::tokens::RevokeToken;
use mailroom_shared::api::tokens::TokenRow;

use super::Cache;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

/// Of the page alone: nobody else changes them.
const PROFILE: &str = "profile";
const TOKENS: &str = "tokens";

pub fn use_people() -> Read<Vec<PersonRow>> {
    // What becomes of the mail of an invitation is told by the emails.
    read::<ListPeople>(vec![tag::PEOPLE.to_owned(), tag::EMAILS.to_owned()], || {
        Some(api::address::<ListPeople>(&[], &()))
    })
}

pub async fn invite(cache: Cache, invite: Invite) -> Result<PersonRow, ApiError> {
    cache.settle(api::call::<InvitePerson>(&[], &(), &invite).await, &[tag::PEOPLE])
}

pub async fn resend(cache: Cache, id: String) -> Result<PersonRow, ApiError> {
    cache.settle(api::call::<ResendInvitation>(&[&id], &(), &()).await, &[tag::PEOPLE])
}

pub async fn withdraw(cache: Cache, id: String) -> Result<(), ApiError> {
    cache.settle(api::call::<WithdrawInvitation>(&[&id], &(), &()).await, &[tag::PEOPLE])
}

pub async fn change_person(cache: Cache, id: String, edit: EditPerson) -> Result<PersonRow, ApiError> {
    cache.settle(api::call::<ChangePerson>(&[&id], &(), &edit).await, &[tag::PEOPLE])
}

pub async fn read_invitation(token: &str) -> Result<LinkView, ApiError> {
    api::call::<ReadInvitation>(&[token], &(), &()).await
}

pub async fn join(token: &str, join: Join) -> Result<Me, ApiError> {
    api::call::<AnswerInvitation>(&[token], &(), &join).await
}

pub async fn forget_password(email: String) -> Result<(), ApiError> {
    api::call::<ForgetPassword>(&[], &(), &ForgottenPassword { email }).await
}

pub async fn read_reset(token: &str) -> Result<LinkView, ApiError> {
    api::call::<ReadReset>(&[token], &(), &()).await
}

pub async fn reset_password(token: &str, password: String) -> Result<Me, ApiError> {
    api::call::<ResetPassword>(&[token], &(), &NewPassword { password }).await
}

pub async fn confirm_address(token: &str) -> Result<Confirmed, ApiError> {
    api::call::<ConfirmAddress>(&[token], &(), &()).await
}

pub fn use_profile() -> Read<Profile> {
    read::<ReadProfile>(vec![PROFILE.to_owned(), tag::PEOPLE.to_owned()], || {
        Some(api::address::<ReadProfile>(&[], &()))
    })
}

pub async fn change_address(cache: Cache, new: NewAddress) -> Result<Profile, ApiError> {
    cache.settle(api::call::<ChangeAddress>(&[], &(), &new).await, &[PROFILE])
}

pub async fn forget_address(cache: Cache) -> Result<Profile, ApiError> {
    cache.settle(api::call::<ForgetAddress>(&[], &(), &()).await, &[PROFILE])
}

pub async fn change_password(cache: Cache, change: ChangedPassword) -> Result<Profile, ApiError> {
    cache.settle(api::call::<ChangePassword>(&[], &(), &change).await, &[PROFILE])
}

pub async fn end_session(cache: Cache, id: String) -> Result<Profile, ApiError> {
    cache.settle(api::call::<EndSession>(&[&id], &(), &()).await, &[PROFILE])
}

pub async fn end_other_sessions(cache: Cache) -> Result<Profile, ApiError> {
    cache.settle(api::call::<EndOtherSessions>(&[], &(), &()).await, &[PROFILE])
}

pub fn use_tokens() -> Read<Vec<TokenRow>> {
    read::<ListTokens>(vec![TOKENS.to_owned()], || Some(api::address::<ListTokens>(&[], &())))
}

pub async fn create_token(cache: Cache, token: NewToken) -> Result<CreatedToken, ApiError> {
    cache.settle(api::call::<CreateToken>(&[], &(), &token).await, &[TOKENS])
}

pub async fn revoke_token(cache: Cache, id: String) -> Result<(), ApiError> {
    cache.settle(api::call::<RevokeToken>(&[&id], &(), &()).await, &[TOKENS])
}

//! My profile: address, password, sessions.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::profile::ChangeAddress;
use mailroom_shared::api::profile::ChangePassword;
use mailroom_shared::api::profile::ConfirmAddress;
use mailroom_shared::api::profile::Confirmed;
use mailroom_shared::api::profile::EndOtherSessions;
use mailroom_shared::api::profile::EndSession;
use mailroom_shared::api::profile::ForgetAddress;
use mailroom_shared::api::profile::Profile;
use mailroom_shared::api::profile::ReadProfile;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::tag;
use mailroom_shared::people::LINKS_PER_HOUR;
use mailroom_shared::people::MIN_PASSWORD;
use mailroom_shared::people::warnings;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use super::session::hash;
use super::session::matches;
use crate::account;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Job;
use crate::ports::DbError;
use crate::store::people as store;
use crate::store::people::LinkKind;
use crate::store::users;
use crate::store::users::Caller;

async fn profile(app: &App, caller: &Caller) -> AppResult<Profile> {
    // As it is after a change.
    let me = users::by_id(app, caller.me.user.as_str()).await?.ok_or_else(AppError::not_found)?;
    let this = caller.session.as_ref().map_or("", |(id, _)| id.as_str());
    let pending = store::pending_of(app, &me.user).await?.into_iter().next();
    // A mail to the present address changes nothing but that it is confirmed.
    let pending = pending.filter(|it| it.email.key() != me.email.key() || !me.confirmed);
    let suggestion = EmailAddress::parse(&format!("admin@{}", me.domain.as_str())).ok();
    let around = store::surroundings(app, &me.user, &me.email).await?;
    Ok(Profile {
        warnings: warnings(&me.email, &around),
        pending_until: pending.as_ref().map(|it| it.expires),
        pending: pending.map(|it| it.email),
        suggestion: suggestion.filter(|it| it.key() != me.email.key()),
        sessions: store::sessions(app, &me.user, this).await?,
        name: me.name,
        email: me.email,
        confirmed: me.confirmed,
        notify_by: me.notify_by,
        language: me.language,
    })
}

pub(super) async fn read(call: Call<ReadProfile>) -> AppResult<Profile> {
    profile(&call.app, call.caller()?).await
}

async fn too_many(app: &App, me: &Me) -> AppResult<bool> {
    let hour_ago = app.now() - Span::hours(1);
    let sent = store::pending_of(app, &me.user).await?;
    Ok(sent.iter().filter(|it| it.created > hour_ago).count() >= LINKS_PER_HOUR as usize)
}

/// Sends the mail that confirms an address. Nothing changes before it is answered.
pub(super) async fn change_address(call: Call<ChangeAddress>) -> AppResult<Profile> {
    let (app, me) = (&call.app, call.me()?);
    let email = EmailAddress::parse(call.body.email.trim()).map_err(|_| AppError::field("email", "address"))?;
    let is_new = email.key() != me.email.key();
    if is_new && store::is_taken(app, &email.key()).await? {
        return Err(AppError::field("email", "taken"));
    }
    if is_new && me.confirmed {
        let credentials = users::credentials_of(app, &me.user).await?.ok_or_else(AppError::not_found)?;
        if !matches(&call.body.password, &credentials.password_hash) {
            return Err(AppError::field("password", "wrong_password"));
        }
    }
    if too_many(app, me).await? {
        let mut error = AppError::new(ProblemCode::Limited);
        error.0.retry_after = Some(3_600);
        return Err(error);
    }
    let wanted = account::Wanted {
        kind: LinkKind::Address,
        email: &email,
        user: Some(&me.user),
        name: &me.name,
        by: "",
        company: &me.company,
        language: &me.language,
        role: None,
        types: &[],
    };
    let (_, statements) = account::send(app, &wanted).await?;
    app.db.batch(statements).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::EMAILS.to_owned()]);
    profile(app, call.caller()?).await
}

pub(super) async fn forget_address(call: Call<ForgetAddress>) -> AppResult<Profile> {
    call.app.run(store::delete_links(&call.me()?.user, LinkKind::Address)).await?;
    profile(&call.app, call.caller()?).await
}

/// The link of the mail: the address takes effect. Works in any browser; it logs nobody in.
pub(super) async fn confirm_address(call: Call<ConfirmAddress>) -> AppResult<Confirmed> {
    let app = &call.app;
    let invalid = || AppError::new(ProblemCode::LinkInvalid);
    let link = account::find(app, LinkKind::Address, call.path(0)).await?;
    let user = link.user_id.clone().ok_or_else(invalid)?;
    let me = users::by_id(app, user.as_str()).await?.ok_or_else(invalid)?;
    if !account::use_up(app, &link).await? {
        return Err(invalid());
    }
    let mut statements = if link.email.key() == me.email.key() {
        vec![store::confirm(&user, app.now())]
    } else {
        store::change_address(&user, me.contact.as_str(), &link.email, app.now())
    };
    statements.push(store::delete_links(&user, LinkKind::Address));
    // To the old address, which may be another's by now.
    statements.push(store::delete_links(&user, LinkKind::Password));
    match app.db.batch(statements).await {
        Ok(_) => {}
        Err(DbError::Unique(_)) => return Err(AppError::field("email", "taken")),
        Err(error) => return Err(error.into()),
    }
    call.stale(vec![tag::PEOPLE.to_owned(), tag::CONTACTS.to_owned()]);
    Ok(Confirmed { email: link.email })
}

pub(super) async fn change_password(call: Call<ChangePassword>) -> AppResult<Profile> {
    let (app, caller) = (&call.app, call.caller()?);
    let credentials = users::credentials_of(app, &caller.me.user).await?.ok_or_else(AppError::not_found)?;
    if !matches(&call.body.old, &credentials.password_hash) {
        return Err(AppError::field("old", "wrong_password"));
    }
    if call.body.new.chars().count() < MIN_PASSWORD {
        return Err(AppError::field("new", "password_short"));
    }
    let this = caller.session.as_ref().map_or("", |(id, _)| id.as_str());
    let statements = vec![
        store::set_password(&caller.me.user, &hash(app, &call.body.new)?),
        store::delete_links(&caller.me.user, LinkKind::Password),
        store::end_sessions(caller.me.user.as_str(), this),
    ];
    app.db.batch(statements).await?;
    profile(app, caller).await
}

pub(super) async fn end_session(call: Call<EndSession>) -> AppResult<Profile> {
    if call.app.run(store::end_session(&call.me()?.user, call.path(0))).await?.changes == 0 {
        return Err(AppError::not_found());
    }
    profile(&call.app, call.caller()?).await
}

pub(super) async fn end_other_sessions(call: Call<EndOtherSessions>) -> AppResult<Profile> {
    let caller = call.caller()?;
    let this = caller.session.as_ref().map_or("", |(id, _)| id.as_str());
    call.app.run(store::end_sessions(caller.me.user.as_str(), this)).await?;
    profile(&call.app, caller).await
}

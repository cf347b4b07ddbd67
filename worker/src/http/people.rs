//! The Users page; invitations and forgotten passwords, which are answered without a login.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::people::AnswerInvitation;
use mailroom_shared::api::people::ChangePerson;
use mailroom_shared::api::people::ForgetPassword;
use mailroom_shared::api::people::InvitePerson;
use mailroom_shared::api::people::LinkView;
use mailroom_shared::api::people::ListPeople;
use mailroom_shared::api::people::PersonRow;
use mailroom_shared::api::people::ReadInvitation;
use mailroom_shared::api::people::ReadReset;
use mailroom_shared::api::people::ResendInvitation;
use mailroom_shared::api::people::ResetPassword;
use mailroom_shared::api::people::WithdrawInvitation;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::tag;
use mailroom_shared::i18n::Lang;
use mailroom_shared::id::TypeName;
use mailroom_shared::people::LINKS_PER_HOUR;
use mailroom_shared::people::MIN_PASSWORD;
use mailroom_shared::time::Span;

use super::endpoint::Answer;
use super::endpoint::Call;
use super::session::hash;
use super::session::open_session;
use crate::account;
use crate::app::App;
use crate::app::SharedApp;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Job;
use crate::log;
use crate::ports::DbError;
use crate::store::contacts;
use crate::store::people as store;
use crate::store::people::Link;
use crate::store::people::LinkKind;
use crate::store::settings;
use crate::store::users;

const MAX_NAME: usize = 200;

pub(super) async fn list(call: Call<ListPeople>) -> AppResult<Vec<PersonRow>> {
    Ok(store::list(&call.app, call.me()?).await?)
}

async fn row(app: &App, me: &Me, id: &str) -> AppResult<PersonRow> {
    store::list(app, me).await?.into_iter().find(|it| it.id == id).ok_or_else(AppError::not_found)
}

async fn check_types(app: &App, types: &[TypeName]) -> AppResult<()> {
    if store::count_types(app, types).await? == types.len() { Ok(()) } else { Err(AppError::field("types", "unknown")) }
}

fn wanted<'a>(me: &'a Me, email: &'a EmailAddress, name: &'a str) -> account::Wanted<'a> {
    account::Wanted {
        kind: LinkKind::Invitation,
        email,
        user: None,
        name,
        by: &me.name,
        company: &me.company,
        language: &me.language,
        role: None,
        types: &[],
    }
}

pub(super) async fn invite(call: Call<InvitePerson>) -> AppResult<PersonRow> {
    let (app, me, body) = (&call.app, call.me()?, &call.body);
    let email = EmailAddress::parse(body.email.trim()).map_err(|_| AppError::field("email", "address"))?;
    let name = body.name.trim();
    if name.chars().count() > MAX_NAME {
        return Err(AppError::field("name", "too_long"));
    }
    check_types(app, &body.types).await?;
    if store::is_taken(app, &email.key()).await? {
        return Err(AppError::field("email", "taken"));
    }
    if !store::links_of(app, LinkKind::Invitation, &email).await?.is_empty() {
        return Err(AppError::field("email", "invited"));
    }
    let wanted = account::Wanted { role: Some(body.role), types: &body.types, ..wanted(me, &email, name) };
    let (id, statements) = account::send(app, &wanted).await?;
    app.db.batch(statements).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::PEOPLE.to_owned(), tag::EMAILS.to_owned()]);
    row(app, me, &id).await
}

pub(super) async fn resend(call: Call<ResendInvitation>) -> AppResult<PersonRow> {
    let (app, me) = (&call.app, call.me()?);
    let link = store::invitation(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let statements = account::send_again(app, &link.id, &wanted(me, &link.email, &link.name)).await?;
    app.db.batch(statements).await?;
    call.nudge(Job::Deliver, 0);
    call.stale(vec![tag::PEOPLE.to_owned(), tag::EMAILS.to_owned()]);
    row(app, me, &link.id).await
}

pub(super) async fn withdraw(call: Call<WithdrawInvitation>) -> AppResult<()> {
    let link = store::invitation(&call.app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    call.app.run(store::delete_link(&link.id)).await?;
    call.stale(vec![tag::PEOPLE.to_owned()]);
    Ok(())
}

/// Role, visible types, archive and take back. Whether an administrator would be left is asked in the statement itself, so
/// that two who demote one another don't both succeed.
pub(super) async fn change(call: Call<ChangePerson>) -> AppResult<PersonRow> {
    let (app, me, body) = (&call.app, call.me()?, &call.body);
    let id = call.path(0);
    row(app, me, id).await?;
    if let Some(types) = &body.types {
        check_types(app, types).await?;
        app.db.batch(store::set_types(id, types)).await?;
    }
    let last = || AppError::new(ProblemCode::LastAdministrator);
    if let Some(role) = body.role
        && app.run(store::set_role(id, role)).await?.changes == 0
    {
        return Err(last());
    }
    if let Some(archived) = body.archived {
        if app.run(store::set_archived(id, archived)).await?.changes == 0 {
            return Err(last());
        }
        let mut statements = vec![store::archive_contact(id, archived)];
        if archived {
            statements.push(store::end_sessions(id, ""));
        }
        app.db.batch(statements).await?;
    }
    call.stale(vec![tag::PEOPLE.to_owned(), tag::CONTACTS.to_owned()]);
    row(app, me, id).await
}

async fn view(app: &App, link: Link) -> AppResult<LinkView> {
    let company = settings::value(app, settings::COMPANY).await?.unwrap_or_default();
    Ok(LinkView { email: link.email, name: link.name, company, by: link.by_name, language: link.language })
}

pub(super) async fn read_invitation(call: Call<ReadInvitation>) -> AppResult<LinkView> {
    let link = account::find(&call.app, LinkKind::Invitation, call.path(0)).await?;
    view(&call.app, link).await
}

/// The user is made, the link used up and the session opened in one transaction. The address is good: its mail was read.
pub(super) async fn join(call: Call<AnswerInvitation>) -> AppResult<Answer<Me>> {
    let (app, body) = (&call.app, &call.body);
    let link = account::find(app, LinkKind::Invitation, call.path(0)).await?;
    let role = link.role.ok_or_else(|| AppError::new(ProblemCode::LinkInvalid))?;
    let name = body.name.trim();
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push(("name", "required"));
    }
    if name.chars().count() > MAX_NAME {
        wrong.push(("name", "too_long"));
    }
    if body.password.chars().count() < MIN_PASSWORD {
        wrong.push(("password", "password_short"));
    }
    if !wrong.is_empty() {
        return Err(AppError::fields(wrong));
    }
    let now = app.now();
    let user = app.new_id();
    let password_hash = hash(app, &body.password)?;
    let language = if body.language.is_empty() { link.language.as_str() } else { body.language.as_str() };
    // Whom we wrote with before becomes a colleague, with all that he wrote.
    let known = contacts::by_address(app, &link.email).await?.map(|it| it.as_str().to_owned());
    let mut statements = match &known {
        Some(contact) => vec![contacts::rename(contact, name), store::make_colleague(contact)],
        None => Vec::new(),
    };
    let contact = known.unwrap_or_else(|| app.new_id());
    if statements.is_empty() {
        statements.push(contacts::insert(&contact, name, true, now));
        statements.push(contacts::insert_email(&contact, &link.email, 0));
    }
    let new = users::NewUser {
        id: &user,
        contact: &contact,
        email: &link.email,
        password_hash: &password_hash,
        role,
        language: Lang::of(language).code(),
    };
    statements.push(users::insert(&new, now));
    statements.extend(store::set_types(&user, &link.types));
    let (session, cookie) = open_session(app, &user, &call.headers);
    let by = mailroom_shared::id::UserId::parse(user.clone()).map_err(|_| AppError::not_found())?;
    statements.extend([store::confirm(&by, now), store::delete_link(&link.id), session]);
    match app.db.batch(statements).await {
        Ok(_) => {}
        // Answered twice at once, or somebody has the address by now.
        Err(DbError::Unique(_)) => return Err(AppError::new(ProblemCode::LinkInvalid)),
        Err(error) => return Err(error.into()),
    }
    call.stale(vec![tag::PEOPLE.to_owned(), tag::CONTACTS.to_owned()]);
    let me = users::by_id(app, &user).await?.ok_or_else(AppError::not_found)?;
    Ok(Answer::with_cookie(me, cookie))
}

/// Answers the same, and as fast, whether the address is known or not: what there is to do is done afterwards.
pub(super) async fn forget_password(call: Call<ForgetPassword>) -> AppResult<()> {
    let email = EmailAddress::parse(call.body.email.trim()).map_err(|_| AppError::field("email", "address"))?;
    let app = SharedApp::clone(&call.app);
    call.background.add(async move {
        match send_reset(&app, &email).await {
            Ok(true) => app.nudge(Job::Deliver, 0).await,
            Ok(false) => {}
            Err(error) => log::error("reset_not_sent", &[("error", &error.0.detail)]),
        }
    });
    Ok(())
}

async fn send_reset(app: &App, email: &EmailAddress) -> AppResult<bool> {
    let Some(user) = store::login_of(app, &email.key()).await? else { return Ok(false) };
    let hour_ago = app.now() - Span::hours(1);
    let links = store::links_of(app, LinkKind::Password, email).await?;
    if links.iter().filter(|it| it.created > hour_ago).count() >= LINKS_PER_HOUR as usize {
        return Ok(false);
    }
    let Some(me) = users::by_id(app, user.as_str()).await? else { return Ok(false) };
    let wanted = account::Wanted {
        kind: LinkKind::Password,
        email,
        user: Some(&user),
        name: &me.name,
        by: "",
        company: &me.company,
        language: &me.language,
        role: None,
        types: &[],
    };
    let (_, statements) = account::send(app, &wanted).await?;
    app.db.batch(statements).await?;
    Ok(true)
}

pub(super) async fn read_reset(call: Call<ReadReset>) -> AppResult<LinkView> {
    let link = account::find(&call.app, LinkKind::Password, call.path(0)).await?;
    view(&call.app, link).await
}

/// All sessions end: whoever knew the old password is out. The mail was read, so the address is good.
pub(super) async fn reset_password(call: Call<ResetPassword>) -> AppResult<Answer<Me>> {
    let app = &call.app;
    let invalid = || AppError::new(ProblemCode::LinkInvalid);
    let link = account::find(app, LinkKind::Password, call.path(0)).await?;
    if call.body.password.chars().count() < MIN_PASSWORD {
        return Err(AppError::field("password", "password_short"));
    }
    let user = link.user_id.clone().ok_or_else(invalid)?;
    // The address may have changed since, and then the mail box is no longer his.
    if store::login_of(app, &link.email.key()).await?.as_ref() != Some(&user) || !account::use_up(app, &link).await? {
        return Err(invalid());
    }
    let (session, cookie) = open_session(app, user.as_str(), &call.headers);
    let statements = vec![
        store::set_password(&user, &hash(app, &call.body.password)?),
        store::confirm(&user, app.now()),
        store::delete_links(&user, LinkKind::Password),
        store::end_sessions(user.as_str(), ""),
        session,
    ];
    app.db.batch(statements).await?;
    let me = users::by_id(app, user.as_str()).await?.ok_or_else(invalid)?;
    Ok(Answer::with_cookie(me, cookie))
}

//! Everything that came in, and what people do about it.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
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
use mailroom_shared::api::incoming::PauseSender;
use mailroom_shared::api::incoming::PausedRow;
use mailroom_shared::api::incoming::ReadIncoming;
use mailroom_shared::api::incoming::ReleaseSender;
use mailroom_shared::api::incoming::SettleHeld;
use mailroom_shared::api::incoming::Show;
use mailroom_shared::api::route::RouteReply;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::Role;
use mailroom_shared::api::tag;
use mailroom_shared::gateway::arrival::Arrival;
use mailroom_shared::intake::kept;
use mailroom_shared::intake::wish::Wish;
use mailroom_shared::log::Kind;
use mailroom_shared::mail::inbound::Envelope;
use mailroom_shared::mail::parse;

use super::endpoint::Call;
use super::route;
use crate::app::RECEIVING_HOST;
use crate::app::SharedApp;
use crate::error::AppError;
use crate::error::AppResult;
use crate::inbound;
use crate::jobs;
use crate::log;
use crate::store::aliases;
use crate::store::incoming;
use crate::store::ingests;
use crate::store::logs;
use crate::store::paused;
use crate::store::settings;
use crate::store::to_json;

/// Mails an action does per call: each is read and parsed as a whole.
const AT_ONCE: u32 = 20;
/// Mails counted for *left*; more are "many".
const COUNTED: u32 = 1_000;

pub(super) async fn list(call: Call<ListIncoming>) -> AppResult<Page<IncomingRow>> {
    Ok(incoming::list(&call.app, &call.query, call.sight()?).await?)
}

pub(super) async fn counts(call: Call<CountIncoming>) -> AppResult<IncomingCounts> {
    Ok(incoming::counts(&call.app).await?)
}

pub(super) async fn read(call: Call<ReadIncoming>) -> AppResult<IncomingView> {
    call.must_see_ingest(call.path(0)).await?;
    let found = incoming::read(&call.app, call.path(0), call.lang()?).await?;
    found.map(|(view, _)| view).ok_or_else(AppError::not_found)
}

/// Decides about a stored mail in the world as it is now; nothing is written.
pub(super) async fn check(call: Call<CheckIncoming>) -> AppResult<RouteReply> {
    let app = &call.app;
    call.must_see_ingest(call.path(0)).await?;
    let kept = incoming::kept(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let envelope = Envelope { mail_from: inbound::sender(&kept.mail_from), rcpt_to: kept.rcpt_to };
    let raw = match (kept.raw_key, kept.head) {
        (Some(key), _) => app.blobs.get(&key).await?.ok_or_else(AppError::not_found)?,
        (None, head) => kept::mail_of(&head.unwrap_or_default()),
    };
    let mut arrival = Arrival::read(envelope, &raw, RECEIVING_HOST);
    // Of the whole mail, which a refusal does not keep.
    arrival.size = kept.size.max(arrival.size);
    arrival.sha256 = kept.sha256;
    arrival.content_sha256 = kept.content_sha256;
    route::answer(app, arrival, &parse::parse(&raw), Some(call.path(0)), call.lang()?).await
}

/// Where an action needs an address: that of the record or the alias it names.
async fn target(app: &SharedApp, body: &IncomingActions) -> AppResult<Option<EmailAddress>> {
    if body.action != IncomingAction::Route {
        return Ok(None);
    }
    let found = match (&body.record, &body.alias) {
        (Some(record), _) => jobs::reply_address(app, record.as_str()).await?,
        (None, Some(alias)) => aliases::read(app, alias.as_str()).await?.map(|it| it.address),
        (None, None) => return Err(AppError::field("record", "required")),
    };
    Ok(Some(found.ok_or_else(|| AppError::field("record", "unknown"))?))
}

/// Agents decide about held mail; what could not be written is the administrators' affair.
fn may(me: &Me, action: IncomingAction) -> bool {
    me.role == Role::Administrator
        || matches!(action, IncomingAction::Release | IncomingAction::Dismiss | IncomingAction::Restore)
}

pub(super) async fn act(call: Call<ActOnIncoming>) -> AppResult<IncomingDone> {
    let app = &call.app;
    let me = call.me()?;
    let body = &call.body;
    if !may(me, body.action) {
        return Err(AppError::new(ProblemCode::Forbidden));
    }
    let to = target(app, body).await?;
    let now = app.now();
    let started = body.started.filter(|it| *it <= now).unwrap_or(now);
    let query = body.all.as_ref().map(|it| IncomingQuery {
        show: Some(if matches!(body.action, IncomingAction::Release | IncomingAction::Dismiss) {
            Show::Held
        } else {
            it.show.filter(|it| *it == Show::Held).unwrap_or(Show::Unprocessed)
        }),
        ..it.clone()
    });
    let mut ids: Vec<String> = match &query {
        Some(query) => incoming::ids(app, incoming::matching(query, started, AT_ONCE)).await?,
        None => body.ids.clone(),
    };
    let beyond = ids.len().saturating_sub(AT_ONCE as usize) as u32;
    ids.truncate(AT_ONCE as usize);
    let mut done = IncomingDone { started: Some(started), ..IncomingDone::default() };
    for id in &ids {
        if !call.sight()?.sees_ingest(app, id).await? {
            done.skipped += 1;
            continue;
        }
        match act_on(app, me, body.action, id, to.as_ref()).await {
            Ok(true) => done.done.push(id.clone()),
            Ok(false) => done.skipped += 1,
            Err(error) => {
                log::error("action_failed", &[("mail", id), ("error", &error.to_string())]);
                app.run(ingests::event(id, "action_failed", Some(&me.name), &error.to_string(), app.now())).await?;
                done.skipped += 1;
            }
        }
        if query.is_some() {
            app.run(ingests::touch(id, app.now())).await?;
        }
    }
    done.left = match &query {
        Some(query) => incoming::ids(app, incoming::matching(query, started, COUNTED)).await?.len() as u32,
        None => beyond,
    };
    call.stale(vec![tag::INCOMING.to_owned(), tag::SHELL.to_owned()]);
    Ok(done)
}

async fn act_on(
    app: &SharedApp,
    me: &Me,
    action: IncomingAction,
    id: &str,
    to: Option<&EmailAddress>,
) -> Result<bool, jobs::Fault> {
    let one = [id.to_owned()];
    if matches!(action, IncomingAction::Release | IncomingAction::Dismiss | IncomingAction::Restore)
        && let Some(held) = ingests::held(app, &one).await?.first()
    {
        return match action {
            IncomingAction::Release => jobs::release(app, held, me).await,
            IncomingAction::Dismiss => jobs::dismiss(app, held, me).await,
            _ => jobs::restore(app, held, me).await,
        };
    }
    let wish = to.map(|it| to_json(&Wish { to: Some(it.clone()), by: me.name.clone() }));
    let (when, set) = incoming::transition(action);
    let text = to.map(EmailAddress::as_str).unwrap_or_default();
    let act = ingests::Act { id, kind: action.as_str(), by: &me.name, text, when, set, wish: wish.as_deref() };
    let answers = app.db.batch(ingests::act(&act, app.now()).to_vec()).await?;
    if answers.get(1).is_none_or(|it| it.changes == 0) {
        return Ok(false);
    }
    if !matches!(action, IncomingAction::Replay | IncomingAction::Route) {
        return Ok(true);
    }
    let open = ingests::open(app, &one).await?;
    let failed = jobs::write_all(app, open).await > 0;
    if failed {
        // A person looks at it now: what fails again goes back to him at once instead of being tried for minutes.
        app.run(ingests::back_to_people(id)).await?;
    }
    Ok(!failed)
}

/// One held message on its record.
pub(super) async fn settle_held(call: Call<SettleHeld>) -> AppResult<()> {
    let app = &call.app;
    let me = call.me()?;
    call.must_see_message(call.path(0)).await?;
    let id = ingests::id_of_message(app, call.path(0)).await?.ok_or_else(AppError::not_found)?;
    let held = ingests::held(app, std::slice::from_ref(&id)).await?;
    let held = held.first().ok_or_else(|| AppError::new(ProblemCode::WrongState).detail("it is not held"))?;
    let done = match call.body.action {
        IncomingAction::Release => jobs::release(app, held, me).await,
        IncomingAction::Dismiss => jobs::dismiss(app, held, me).await,
        IncomingAction::Restore => jobs::restore(app, held, me).await,
        _ => return Err(AppError::field("action", "one_of")),
    };
    match done {
        Ok(true) => Ok(()),
        Ok(false) => Err(AppError::new(ProblemCode::WrongState)),
        Err(jobs::Fault::Gone(why)) => Err(AppError::new(ProblemCode::WrongState).detail(why)),
        Err(error) => Err(AppError::new(ProblemCode::Unavailable).detail(error.to_string())),
    }
}

pub(super) async fn paused(call: Call<ListPaused>) -> AppResult<Vec<PausedRow>> {
    Ok(paused::list(&call.app).await?)
}

pub(super) async fn pause(call: Call<PauseSender>) -> AppResult<PausedRow> {
    let app = &call.app;
    let address = EmailAddress::parse(call.body.address.trim()).map_err(|_| AppError::field("address", "address"))?;
    let key = address.key();
    let (by, note) = (&call.me()?.name, call.body.note.trim());
    app.db
        .batch(vec![
            paused::pause_by_hand(&key, by, note, app.now()),
            logs::note(Kind::Paused, &key, None, note, Some(by), app.now()),
        ])
        .await?;
    call.stale(vec![tag::INCOMING.to_owned()]);
    paused::list(app).await?.into_iter().find(|it| it.address.key() == key).ok_or_else(AppError::not_found)
}

pub(super) async fn release_sender(call: Call<ReleaseSender>) -> AppResult<()> {
    let app = &call.app;
    let me = call.me()?;
    let address = EmailAddress::parse(call.path(0)).map_err(|_| AppError::not_found())?;
    let key = address.key();
    let mut statements =
        vec![paused::release(&key, app.now()), logs::note(Kind::Unpaused, &key, None, "", Some(&me.name), app.now())];
    if call.body.never_again {
        let mut answers = crate::store::Answers::new(app.db.batch(vec![settings::get(settings::POLICY)]).await?);
        let mut policy = settings::policy(&mut answers)?;
        if !policy.r#loop.allow.iter().any(|it| it.eq_ignore_ascii_case(&key)) {
            policy.r#loop.allow.push(key.clone());
            statements.push(settings::set(settings::POLICY, &to_json(&policy)));
        }
    }
    let answers = app.db.batch(statements).await?;
    if answers.first().is_none_or(|it| it.changes == 0) {
        return Err(AppError::new(ProblemCode::WrongState).detail("it is not paused"));
    }
    if call.body.let_in {
        let query = IncomingQuery { show: Some(Show::Held), q: Some(key), ..IncomingQuery::default() };
        let ids = incoming::ids(app, incoming::matching(&query, app.now(), AT_ONCE)).await?;
        for id in &ids {
            if let Err(error) = act_on(app, me, IncomingAction::Release, id, None).await {
                log::error("action_failed", &[("mail", id), ("error", &error.to_string())]);
            }
        }
    }
    call.stale(vec![tag::INCOMING.to_owned(), tag::SHELL.to_owned()]);
    Ok(())
}

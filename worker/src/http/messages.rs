//! The chatter: list, post, take back, bodies, deliveries.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::messages::AdviceView;
use mailroom_shared::api::messages::BodyView;
use mailroom_shared::api::messages::DeliveriesView;
use mailroom_shared::api::messages::DeliveryView;
use mailroom_shared::api::messages::ListMessages;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::api::messages::NewMessage;
use mailroom_shared::api::messages::PostMessage;
use mailroom_shared::api::messages::PreviewRecipients;
use mailroom_shared::api::messages::ReadBody;
use mailroom_shared::api::messages::ReadDeliveries;
use mailroom_shared::api::messages::RecipientsView;
use mailroom_shared::api::messages::SendMessageNow;
use mailroom_shared::api::messages::SettleMessage;
use mailroom_shared::api::messages::UndoMessage;
use mailroom_shared::api::tag;
use mailroom_shared::i18n::Lang;
use mailroom_shared::mail::html;
use mailroom_shared::mail::parse;
use mailroom_shared::mail::quote;
use mailroom_shared::outbox::advice::Advisor;
use mailroom_shared::outbox::advice::Case;
use mailroom_shared::outbox::state::DeliveryEvent;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::policy::UNDO_SECONDS;

use super::endpoint::Call;
use super::session::must_exist;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Fleet;
use crate::jobs::Job;
use crate::ports::DbError;
use crate::post;
use crate::store::contacts;
use crate::store::deliveries;
use crate::store::messages;
use crate::store::notifications;
use crate::store::people;
use crate::store::posting;

pub(super) async fn list(call: Call<ListMessages>) -> AppResult<Page<MessageView>> {
    call.must_see_record(call.path(0)).await?;
    let page = messages::list(&call.app, call.path(0), &call.query).await?;
    if page.items.is_empty() {
        // A chatter always has its first line; nothing at all means no such record.
        must_exist(&call.app, call.path(0), call.caller()?).await?;
    }
    Ok(page)
}

async fn read(app: &App, id: &str) -> AppResult<MessageView> {
    messages::read(app, id).await?.ok_or_else(AppError::not_found)
}

fn tags(record: &str) -> Vec<String> {
    vec![tag::record(record), tag::RECORDS.to_owned(), tag::SHELL.to_owned(), tag::EMAILS.to_owned()]
}

/// Writes the message with all its deliveries in one transaction; posting twice with one key posts once.
pub(super) async fn post(call: Call<PostMessage>) -> AppResult<MessageView> {
    let app = &call.app;
    let me = call.me()?;
    let record = call.path(0);
    call.must_see_record(record).await?;
    for contact in &call.body.mentions {
        if people::is_hidden_on(app, contact.as_str(), record).await? {
            return Err(AppError::field("mentions", "hidden"));
        }
    }
    let situation = post::situation(app, record, &call.body).await?;
    let posted = post::prepare(app, record, me, &call.body, &situation)?;
    match app.db.batch(posted.statements).await {
        Ok(_) => {}
        Err(DbError::Unique(what)) if what.contains("post_key") => {
            let id = messages::by_post_key(app, call.body.key.trim()).await?.ok_or_else(AppError::not_found)?;
            return read(app, id.as_str()).await;
        }
        Err(error) => return Err(error.into()),
    }
    if posted.has_mail {
        call.nudge(Job::Deliver, UNDO_SECONDS);
    }
    call.stale(tags(record));
    read(app, &posted.id).await
}

pub(super) async fn preview(call: Call<PreviewRecipients>) -> AppResult<RecipientsView> {
    call.must_see_record(call.path(0)).await?;
    let situation = post::situation(&call.app, call.path(0), &call.body).await?;
    let me = call.me()?;
    let mut view = situation.view(situation.recipients(&call.body, &me.contact));
    if view.by_email > 0 {
        view.leaves = situation.leaves(&Fleet::load(&call.app).await?, me);
    }
    Ok(view)
}

/// A scheduled message leaves now.
pub(super) async fn send_now(call: Call<SendMessageNow>) -> AppResult<MessageView> {
    let app = &call.app;
    let id = call.path(0);
    call.must_see_message(id).await?;
    let source = messages::source(app, id).await?.ok_or_else(AppError::not_found)?;
    let now = app.now();
    let mut statements = vec![notifications::hasten(id, now)];
    statements.extend(deliveries::send_now(id, now));
    let done = app.db.batch(statements).await?;
    if done.last().is_none_or(|it| it.changes == 0) {
        return Err(AppError::new(ProblemCode::WrongState).detail("it has left"));
    }
    call.nudge(Job::Deliver, 0);
    call.stale(tags(source.record_id.as_str()));
    read(app, id).await
}

/// Takes a message back as long as nothing of it has left. The text goes back to the composer.
pub(super) async fn undo(call: Call<UndoMessage>) -> AppResult<NewMessage> {
    let app = &call.app;
    let id = call.path(0);
    call.must_see_message(id).await?;
    let source = messages::source(app, id).await?.ok_or_else(AppError::not_found)?;
    if source.author_id.as_ref() != Some(&call.me()?.contact) {
        return Err(AppError::new(ProblemCode::Forbidden));
    }
    let too_late = || AppError::new(ProblemCode::WrongState).detail("it has left");
    let draft = source.draft.ok_or_else(too_late)?;
    let record = source.record_id.as_str();
    if !messages::take_back(app, id, record, draft.waiting_since).await? {
        return Err(too_late());
    }
    call.stale(tags(record));
    Ok(draft.request)
}

/// The HTML of a mail that came in, made safe: sanitised, inline images by our own routes, remote ones on demand.
pub(super) async fn body(call: Call<ReadBody>) -> AppResult<BodyView> {
    let app = &call.app;
    let id = call.path(0);
    call.must_see_message(id).await?;
    let source = messages::source(app, id).await?.ok_or_else(AppError::not_found)?;
    let Some(key) = source.raw_key else {
        return Ok(BodyView { html: html::from_text(&source.text), folded: None, has_remote_images: false });
    };
    let raw = app.blobs.get(&key).await?.ok_or_else(AppError::not_found)?;
    let mail = parse::parse(&raw);
    let Some(unsafe_html) = mail.html else {
        return Ok(BodyView { html: html::from_text(&mail.text), folded: None, has_remote_images: false });
    };
    let clean = html::sanitise(&unsafe_html);
    let files = messages::inline_images(app, id).await?;
    let link = |cid: &str| {
        files.iter().find(|it| it.cid.as_deref() == Some(cid)).map(|it| format!("/api/v1/attachments/{}", it.id))
    };
    let has_remote_images = clean.contains(REMOTE);
    let mut shown = link_images(&clean, &link);
    if call.query.images {
        shown = shown.replace(REMOTE, "src=\"");
    }
    let folded = quote::fold_html(&shown);
    Ok(BodyView { html: folded.visible, folded: folded.quoted, has_remote_images })
}

/// What the sanitiser writes for a picture of another host, instead of loading it.
const REMOTE: &str = "data-remote-src=\"";

/// Points pictures of the mail at our own route; those that are not there stay without a source.
fn link_images(clean: &str, link: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(clean.len());
    let mut rest = clean;
    while let Some((before, after)) = rest.split_once("src=\"cid:") {
        let (cid, tail) = after.split_once('"').unwrap_or((after, ""));
        out.push_str(before);
        // A Content-ID in a URL is percent-encoded (RFC 2392).
        let cid = super::endpoint::percent_decode(&cid.replace("&amp;", "&"));
        match link(&cid) {
            Some(url) => out.extend(["src=\"", &url, "\""]),
            None => out.push_str("data-missing=\"\""),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// What to tell about a delivery that is not simply fine.
fn advice(advisor: &Advisor, it: &DeliveryView) -> Option<AdviceView> {
    let needs_words = it.state.needs_person() || it.reason.is_some() && !it.state.is_done();
    let case = Case {
        state: it.state,
        reason: it.reason,
        permanent: it.permanent,
        tries_again: it.next_try.is_some(),
        code: it.reply_code,
        status: it.status.as_deref(),
        text: it.server_text.as_deref().unwrap_or_default(),
    };
    needs_words.then(|| advisor.explain(&case))
}

async fn deliveries_of(app: &App, id: &str, language: &str) -> AppResult<DeliveriesView> {
    let message = read(app, id).await?;
    let mut deliveries = deliveries::of_message(app, id).await?;
    let advisor = Advisor::new(Lang::of(language));
    for it in &mut deliveries {
        it.advice = advice(&advisor, it);
    }
    let states: Vec<(DeliveryState, u32)> = deliveries.iter().map(|it| (it.state, 1)).collect();
    let leaves_at = message.envelope.as_ref().and_then(|it| it.leaves_at);
    // Without rows the message knows how many had it: Auto-vacuum took them.
    let envelope = messages::envelope_view(&states, leaves_at, app.now()).or_else(|| message.envelope.clone());
    let envelope = envelope.ok_or_else(AppError::not_found)?;
    Ok(DeliveriesView {
        message: message.id,
        subject: message.subject,
        author_name: message.author_name,
        sent_at: message.at,
        envelope,
        deliveries,
    })
}

pub(super) async fn deliveries(call: Call<ReadDeliveries>) -> AppResult<DeliveriesView> {
    call.must_see_message(call.path(0)).await?;
    deliveries_of(&call.app, call.path(0), &call.me()?.language).await
}

/// *Send & close* and *Ignore all*.
pub(super) async fn settle(call: Call<SettleMessage>) -> AppResult<DeliveriesView> {
    let app = &call.app;
    let me = call.me()?;
    let id = call.path(0);
    call.must_see_message(id).await?;
    let source = messages::source(app, id).await?.ok_or_else(AppError::not_found)?;
    let before = deliveries::of_message(app, id).await?;
    let now = app.now();
    let mut statements = Vec::new();
    let mut retried = Vec::new();
    for (index, wish) in call.body.retry.iter().enumerate() {
        let Some(delivery) = before.iter().find(|it| it.id == wish.delivery) else {
            return Err(AppError::field(&format!("retry.{index}.delivery"), "unknown"));
        };
        if !delivery.can_retry {
            return Err(
                AppError::new(ProblemCode::WrongState).detail(format!("{} is {:?}", delivery.id, delivery.state))
            );
        }
        let corrected = wish.address.as_deref().map(str::trim).filter(|it| !it.is_empty());
        if let Some(text) = corrected {
            let address =
                EmailAddress::parse(text).map_err(|_| AppError::field(&format!("retry.{index}.address"), "address"))?;
            if address != delivery.address {
                let change = format!("{} → {}", delivery.address, address);
                statements.extend(deliveries::change_address(delivery.id.as_str(), &address, &me.name, &change, now));
                statements.push(posting::take_part(source.record_id.as_str(), &[&address.key()]));
                let contact = delivery.contact.as_ref().filter(|_| wish.update_contact);
                if let Some(contact) = contact
                    && !people::is_user(app, contact.as_str()).await?
                {
                    statements.extend(contacts::replace_email(contact.as_str(), &delivery.address.key(), &address));
                }
            }
        }
        retried.push(wish.delivery.as_str().to_owned());
    }
    if !retried.is_empty() {
        let from = deliveries::sources(DeliveryEvent::Retry);
        let change = deliveries::Change {
            ids: &retried,
            from: &from,
            to: DeliveryState::Outgoing,
            event: "retried",
            by: &me.name,
        };
        statements.extend(deliveries::change(&change, now));
    }
    let ignored: Vec<String> = if call.body.ignore_all {
        before
            .iter()
            .filter(|it| it.state.needs_person() && !retried.iter().any(|id| id == it.id.as_str()))
            .map(|it| it.id.as_str().to_owned())
            .collect()
    } else {
        call.body.ignore.iter().map(|it| it.as_str().to_owned()).collect()
    };
    if !ignored.is_empty() {
        let from = deliveries::sources(DeliveryEvent::Ignore);
        let change = deliveries::Change {
            ids: &ignored,
            from: &from,
            to: DeliveryState::Ignored,
            event: "ignored",
            by: &me.name,
        };
        statements.extend(deliveries::change(&change, now));
    }
    if !statements.is_empty() {
        app.db.batch(statements).await?;
    }
    if !retried.is_empty() {
        call.nudge(Job::Deliver, 0);
    }
    call.stale(tags(source.record_id.as_str()));
    deliveries_of(app, id, &me.language).await
}

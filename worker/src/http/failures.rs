//! The failure inbox.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::failures::ActOnFailing;
use mailroom_shared::api::failures::ActedOnFailures;
use mailroom_shared::api::failures::CorrectFailing;
use mailroom_shared::api::failures::CorrectedFailures;
use mailroom_shared::api::failures::FailingAddress;
use mailroom_shared::api::failures::FailureAction;
use mailroom_shared::api::failures::FailureGroups;
use mailroom_shared::api::failures::FailureOperation;
use mailroom_shared::api::failures::FailureRow;
use mailroom_shared::api::failures::ListFailingAddresses;
use mailroom_shared::api::failures::ListFailureOperations;
use mailroom_shared::api::failures::ListFailureRows;
use mailroom_shared::api::failures::ListFailures;
use mailroom_shared::api::failures::UndoFailures;
use mailroom_shared::api::failures::UndoneFailures;
use mailroom_shared::api::tag;
use mailroom_shared::i18n::Lang;
use mailroom_shared::outbox::advice::Advisor;
use mailroom_shared::outbox::advice::Case;
use mailroom_shared::outbox::cause::Cause;
use mailroom_shared::outbox::state::DeliveryEvent;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;

use super::endpoint::Call;
use crate::app::App;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Job;
use crate::store::Answers;
use crate::store::contacts;
use crate::store::deliveries;
use crate::store::failures;
use crate::store::to_json;

/// Deliveries moved by one request.
const MAX_AT_ONCE: u32 = 500;

pub(super) async fn groups(call: Call<ListFailures>) -> AppResult<FailureGroups> {
    let me = call.me()?;
    let mut found = failures::groups(&call.app, me, call.query.mine.unwrap_or(false), call.sight()?).await?;
    let advisor = Advisor::new(Lang::of(&me.language));
    for group in &mut found.groups {
        // Of the cause in general: the words of one server are in its row.
        let case = Case {
            state: DeliveryState::Failed,
            reason: Some(group.reason),
            permanent: group.failing > 0,
            tries_again: group.next_try.is_some(),
            code: None,
            status: None,
            text: "",
        };
        group.advice = advisor.explain(&case).you_can;
    }
    Ok(found)
}

fn cause(key: &str) -> AppResult<Cause> {
    Cause::parse(key).ok_or_else(AppError::not_found)
}

pub(super) async fn rows(call: Call<ListFailureRows>) -> AppResult<Page<FailureRow>> {
    let me = call.query.mine.unwrap_or(false).then(|| call.me()).transpose()?;
    Ok(failures::rows(&call.app, &cause(call.path(0))?, me, &call.query, call.sight()?).await?)
}

pub(super) async fn addresses(call: Call<ListFailingAddresses>) -> AppResult<Vec<FailingAddress>> {
    let me = call.query.mine.unwrap_or(false).then(|| call.me()).transpose()?;
    Ok(failures::addresses(&call.app, &cause(call.path(0))?, me, call.sight()?).await?)
}

pub(super) async fn operations(call: Call<ListFailureOperations>) -> AppResult<Vec<FailureOperation>> {
    Ok(failures::operations(&call.app, call.me()?).await?)
}

/// The operation a page goes on with, or a new one.
fn operation_id(app: &App, asked: Option<&str>) -> String {
    match asked {
        Some(id) if !id.is_empty() && id.len() <= 40 => id.to_owned(),
        _ => app.new_id(),
    }
}

/// Pages that show what changed.
fn told<E: mailroom_shared::api::Endpoint>(call: &Call<E>, owners: Vec<deliveries::Owner>) {
    let mut tags = vec![tag::EMAILS.to_owned(), tag::SHELL.to_owned(), tag::RECORDS.to_owned()];
    tags.extend(owners.into_iter().filter_map(|it| it.record_id).map(|it| tag::record(&it)));
    call.stale(tags);
}

pub(super) async fn act(call: Call<ActOnFailing>) -> AppResult<ActedOnFailures> {
    let (app, body, me) = (&call.app, &call.body, call.me()?);
    let (event, to, word) = match body.action {
        FailureAction::Retry => (DeliveryEvent::Retry, DeliveryState::Outgoing, "retried"),
        FailureAction::Ignore => (DeliveryEvent::Ignore, DeliveryState::Ignored, "ignored"),
        FailureAction::Cancel => (DeliveryEvent::Cancel, DeliveryState::Cancelled, "cancelled"),
    };
    let from = deliveries::sources(event);
    let group = body.group.as_deref().map(cause).transpose()?;
    let mine = body.mine.unwrap_or(false).then_some(me);
    let ids: Vec<String> = match &group {
        Some(cause) if body.deliveries.is_empty() => {
            failures::ids(app, cause, mine, &from, MAX_AT_ONCE, call.sight()?).await?
        }
        _ => body.deliveries.iter().map(|it| it.as_str().to_owned()).collect(),
    };
    if ids.len() > MAX_AT_ONCE as usize {
        return Err(AppError::field("deliveries", "too_many"));
    }
    let ids = call.sight()?.of_deliveries(app, ids).await?;
    let operation = operation_id(app, body.operation.as_deref());
    let now = app.now();
    let list = to_json(&ids);
    let change = deliveries::Change { ids: &ids, from: &from, to, event: word, by: &me.name };
    let mut statements = failures::begin(&operation, me, body.action, &list, &from, now).to_vec();
    statements.extend(deliveries::change(&change, now));
    let window = Span::seconds(i64::from(me.undo_seconds));
    if to == DeliveryState::Outgoing {
        statements.push(failures::leave_at(&list, now + window));
    }
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let _ = (answers.changes(), answers.changes(), answers.changes());
    let changed = answers.changes();
    if to == DeliveryState::Outgoing && changed > 0 {
        call.nudge(Job::Deliver, me.undo_seconds + 1);
    }
    let left = match &group {
        Some(cause) if body.deliveries.is_empty() && ids.len() == MAX_AT_ONCE as usize => {
            failures::count(app, cause, mine, &from, call.sight()?).await?
        }
        _ => 0,
    };
    told(&call, deliveries::owners(app, &ids).await?);
    Ok(ActedOnFailures { operation, changed, left })
}

/// What else failed at an address that was corrected: counted, or sent to the new one.
pub(super) async fn correct(call: Call<CorrectFailing>) -> AppResult<CorrectedFailures> {
    let (app, me) = (&call.app, call.me()?);
    let parse =
        |field: &str, text: &str| EmailAddress::parse(text.trim()).map_err(|_| AppError::field(field, "address"));
    let (old, new) = (parse("old", &call.body.old)?, parse("new", &call.body.new)?);
    if old.key() == new.key() {
        return Err(AppError::field("new", "address"));
    }
    if call.body.deliveries.len() > MAX_AT_ONCE as usize {
        return Err(AppError::field("deliveries", "too_many"));
    }
    let chosen: Vec<String> = call.body.deliveries.iter().map(|it| it.as_str().to_owned()).collect();
    let ids = if chosen.is_empty() {
        failures::ids_at(app, &old.key(), MAX_AT_ONCE, call.sight()?).await?
    } else {
        failures::ids_among(app, &chosen, &old.key(), call.sight()?).await?
    };
    let n = ids.len() as u32;
    if !call.body.apply || ids.is_empty() {
        return Ok(CorrectedFailures { n, operation: None });
    }
    let (operation, now, list) = (operation_id(app, call.body.operation.as_deref()), app.now(), to_json(&ids));
    let from = [DeliveryState::Failed, DeliveryState::Bounced];
    let change =
        deliveries::Change { ids: &ids, from: &from, to: DeliveryState::Outgoing, event: "retried", by: &me.name };
    let mut statements = failures::begin(&operation, me, FailureAction::Retry, &list, &from, now).to_vec();
    statements.extend(failures::correct(&operation, &new, &format!("{old} → {new}"), &me.name, now));
    statements.extend(deliveries::change(&change, now));
    statements.push(failures::leave_at(&list, now + Span::seconds(i64::from(me.undo_seconds))));
    if call.body.update_contact {
        for contact in failures::contacts_of(app, &list).await? {
            statements.extend(contacts::replace_email(&contact, &old.key(), &new));
        }
    }
    app.db.batch(statements).await?;
    call.nudge(Job::Deliver, me.undo_seconds + 1);
    told(&call, deliveries::owners(app, &ids).await?);
    Ok(CorrectedFailures { n, operation: Some(operation) })
}

pub(super) async fn undo(call: Call<UndoFailures>) -> AppResult<UndoneFailures> {
    let me = call.me()?;
    let operation = call.path(0);
    let statements = failures::undo(operation, me, call.app.now()).to_vec();
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let _ = answers.changes();
    let changed = answers.changes();
    if changed == 0 {
        return Err(AppError::new(ProblemCode::WrongState).detail("nothing of it can be taken back any more"));
    }
    told(&call, failures::owners(&call.app, operation).await?);
    Ok(UndoneFailures { changed })
}

//! The outgoing queue.

use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::emails::ActOnQueue;
use mailroom_shared::api::emails::ActedOnEmails;
use mailroom_shared::api::emails::CountEmails;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailCounts;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::emails::ListEmails;
use mailroom_shared::api::tag;
use mailroom_shared::outbox::state::DeliveryEvent;
use mailroom_shared::outbox::state::DeliveryState;

use super::endpoint::Call;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Job;
use crate::store::Answers;
use crate::store::deliveries;

const MAX_AT_ONCE: usize = 500;

pub(super) async fn list(call: Call<ListEmails>) -> AppResult<Page<EmailRow>> {
    Ok(deliveries::list(&call.app, &call.query).await?)
}

pub(super) async fn counts(call: Call<CountEmails>) -> AppResult<EmailCounts> {
    Ok(deliveries::counts(&call.app).await?)
}

/// Retry and send now differ for people only: both leave with the next run, which is nudged at once.
pub(super) async fn act(call: Call<ActOnQueue>) -> AppResult<ActedOnEmails> {
    let me = call.me()?;
    let ids: Vec<String> = call.body.deliveries.iter().map(|it| it.as_str().to_owned()).collect();
    if ids.len() > MAX_AT_ONCE {
        return Err(AppError::new(ProblemCode::Invalid).detail(format!("at most {MAX_AT_ONCE} at once")));
    }
    let (from, to, event) = match call.body.action {
        EmailAction::Retry => (deliveries::sources(DeliveryEvent::Retry), DeliveryState::Outgoing, "retried"),
        EmailAction::SendNow => {
            let mut from = deliveries::sources(DeliveryEvent::Retry);
            from.push(DeliveryState::Outgoing);
            (from, DeliveryState::Outgoing, "retried")
        }
        EmailAction::Cancel => (deliveries::sources(DeliveryEvent::Cancel), DeliveryState::Cancelled, "cancelled"),
        EmailAction::Ignore => (deliveries::sources(DeliveryEvent::Ignore), DeliveryState::Ignored, "ignored"),
    };
    let change = deliveries::Change { ids: &ids, from: &from, to, event, by: &me.name };
    let statements = deliveries::change(&change, call.app.now()).to_vec();
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let _events = answers.changes();
    let changed = answers.changes();
    if to == DeliveryState::Outgoing && changed > 0 {
        call.nudge(Job::Deliver, 0);
    }
    let mut tags = vec![tag::EMAILS.to_owned(), tag::SHELL.to_owned(), tag::RECORDS.to_owned()];
    tags.extend(
        deliveries::owners(&call.app, &ids).await?.into_iter().filter_map(|it| it.record_id).map(|it| tag::record(&it)),
    );
    call.stale(tags);
    Ok(ActedOnEmails { changed, skipped: (ids.len() as u32).saturating_sub(changed) })
}

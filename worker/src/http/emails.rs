//! The outgoing queue.

use mailroom_shared::api::Page;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::emails::ActOnQueue;
use mailroom_shared::api::emails::ActedOnEmails;
use mailroom_shared::api::emails::CountEmails;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailCounts;
use mailroom_shared::api::emails::EmailMatches;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::emails::ListEmails;
use mailroom_shared::api::emails::MatchEmails;
use mailroom_shared::api::tag;

use super::endpoint::Call;
use crate::error::AppError;
use crate::error::AppResult;
use crate::jobs::Job;
use crate::store;
use crate::store::Answers;
use crate::store::deliveries;
use crate::store::queue;

/// Rows of one call: what one transaction takes without keeping others waiting.
const MAX_AT_ONCE: usize = 500;

pub(super) async fn list(call: Call<ListEmails>) -> AppResult<Page<EmailRow>> {
    Ok(queue::list(&call.app, &call.query, call.sight()?).await?)
}

pub(super) async fn counts(call: Call<CountEmails>) -> AppResult<EmailCounts> {
    Ok(queue::counts(&call.app, call.sight()?).await?)
}

pub(super) async fn matching(call: Call<MatchEmails>) -> AppResult<EmailMatches> {
    Ok(queue::matches(&call.app, &call.query, call.sight()?).await?)
}

/// Acts on the rows named, or on the next part of all that match. *Retry* leaves it to the next run, *Send now* wakes one.
pub(super) async fn act(call: Call<ActOnQueue>) -> AppResult<ActedOnEmails> {
    let me = call.me()?;
    let action = call.body.action;
    let (ids, next) = match &call.body.matching {
        Some(query) => {
            let statement = queue::matching_ids(query, action, MAX_AT_ONCE as u32, call.sight()?);
            let found: Vec<queue::Matched> = store::decode(call.app.run(statement).await?)?;
            let next = found
                .last()
                .filter(|_| found.len() == MAX_AT_ONCE)
                .map(|it| store::write_cursor(it.created.as_millis(), &it.id));
            (found.into_iter().map(|it| it.id).collect(), next)
        }
        None => (call.body.deliveries.iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>(), None),
    };
    if ids.len() > MAX_AT_ONCE {
        return Err(AppError::new(ProblemCode::Invalid).detail(format!("at most {MAX_AT_ONCE} at once")));
    }
    let ids = call.sight()?.of_deliveries(&call.app, ids).await?;
    let statements = queue::act(action, &ids, &me.name, call.app.now()).to_vec();
    let mut answers = Answers::new(call.app.db.batch(statements).await?);
    let _events = answers.changes();
    let changed = answers.changes();
    if matches!(action, EmailAction::SendNow | EmailAction::Release) && changed > 0 {
        call.nudge(Job::Deliver, 0);
    }
    let mut tags = vec![tag::EMAILS.to_owned(), tag::SHELL.to_owned(), tag::RECORDS.to_owned()];
    tags.extend(
        deliveries::owners(&call.app, &ids).await?.into_iter().filter_map(|it| it.record_id).map(|it| tag::record(&it)),
    );
    call.stale(tags);
    Ok(ActedOnEmails { changed, skipped: (ids.len() as u32).saturating_sub(changed), next })
}

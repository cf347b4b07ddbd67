//! Mails that arrive within a moment are written together: one nudge for all of them. Writing in the middle of a burst,
//! mail by mail, would hold up those that still wait for their answer.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use worker::Context;

use crate::app::SharedApp;
use crate::jobs::Job;

/// How long a mail waits for others. Short beside the second in which it has to be seen.
const GATHER: Duration = Duration::from_millis(150);
/// A gathering that did not end by then was given up with the event that held it.
const GIVEN_UP: Span = Span::seconds(1);
/// Mails of one nudge: an invocation may ask the database 1 000 questions.
const MOST: usize = 40;

struct Gathering {
    ids: Vec<String>,
    since: Option<Timestamp>,
}

/// Of the whole isolate, whichever event adds to it.
static GATHERING: Mutex<Gathering> = Mutex::new(Gathering { ids: Vec::new(), since: None });

/// Sends a nudge after the answer, together with those of the same moment.
pub(super) fn gather(app: SharedApp, ctx: &Context, job: Job) {
    let Job::Ingest { id } = job else {
        ctx.wait_until(async move { app.nudge(job, 0).await });
        return;
    };
    let now = app.now();
    {
        let mut it = GATHERING.lock().unwrap_or_else(PoisonError::into_inner);
        it.ids.push(id);
        if it.since.is_some_and(|since| since - now < GIVEN_UP && now - since < GIVEN_UP) {
            return;
        }
        it.since = Some(now);
    }
    ctx.wait_until(async move {
        worker::Delay::from(GATHER).await;
        let ids = {
            let mut it = GATHERING.lock().unwrap_or_else(PoisonError::into_inner);
            it.since = None;
            std::mem::take(&mut it.ids)
        };
        for ids in ids.chunks(MOST) {
            app.nudge(Job::IngestAll { ids: ids.to_vec() }, 0).await;
        }
    });
}

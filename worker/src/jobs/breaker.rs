//! Bulk mail waits while its last day looks like that of a bad list; administrators hear of it once.

use std::collections::BTreeMap;

use mailroom_shared::outbox::breaker;
use mailroom_shared::outbox::breaker::BulkDay;
use mailroom_shared::outbox::breaker::Trip;
use mailroom_shared::time::Span;

use crate::app::App;
use crate::store;
use crate::store::StoreError;
use crate::store::deliverability;
use crate::store::limits;

/// The one notice; it goes when the rate is down, so that the next time tells again.
const NOTICE: &str = "bulk_wait";
/// How long bulk mail is put off before it is looked at again.
pub const PAUSE: Span = Span::minutes(15);
/// Bulk mails handed over before the rate is asked for again: a bad list shows early, and the question reads a day of rows.
const LOOK_EVERY: u32 = 240;

/// Whether bulk mail has to wait.
pub async fn trip(app: &App) -> Result<Option<Trip>, StoreError> {
    let day: Option<BulkDay> = store::decode_one(app.run(deliverability::bulk(app.now() - Span::days(1))).await?)?;
    Ok(day.and_then(breaker::trip))
}

/// As [`trip`], and tells the administrators, or takes back what they were told.
pub async fn look(app: &App) -> Result<Option<Trip>, StoreError> {
    let found = trip(app).await?;
    let statement = match found {
        Some(why) => {
            let kind = format!("{NOTICE}_{}", why.as_str());
            limits::notify(NOTICE, &kind, &BTreeMap::new(), app.now())
        }
        None => limits::forget_notice(NOTICE),
    };
    app.run(statement).await?;
    Ok(found)
}

/// What one run of the queue knows of it.
#[derive(Default)]
pub(super) struct Breaker {
    found: Option<Trip>,
    /// Mails until the next look.
    left: u32,
}

impl Breaker {
    /// Asked before `n` bulk mails leave.
    pub(super) async fn before(&mut self, app: &App, n: u32) -> Result<Option<Trip>, StoreError> {
        if n == 0 {
            return Ok(None);
        }
        if self.left == 0 {
            self.found = look(app).await?;
            self.left = LOOK_EVERY;
        }
        self.left = self.left.saturating_sub(n);
        Ok(self.found)
    }
}

//! What of a claim does not leave: campaigns that rest, limits that are reached, mail no server may take.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use mailroom_shared::outbox::choice::Hindrance;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::Run;
use super::campaign::Bar;
use super::choose::Plan;
use super::choose::class_of;
use crate::jobs::breaker;
use crate::ports::Statement;
use crate::store::StoreError;
use crate::store::campaigns;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::Outcome;

/// A delivery that does not leave now.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) id: &'a str,
    /// An earlier try failed.
    pub(super) has_failed: bool,
}

impl<'a> From<&'a Claimed> for Kept<'a> {
    fn from(row: &'a Claimed) -> Self {
        Self { id: row.id.as_str(), has_failed: row.reason.is_some() }
    }
}

impl Run<'_> {
    /// Mails of campaigns that are paused, stopped, or not wanted any more.
    pub(super) fn bar(&self, barred: &[(Claimed, Bar)]) {
        for (row, why) in barred {
            let mut outcome = self.outcome(row.id.as_str(), None);
            outcome.untried = 1;
            if *why == Bar::Paused {
                outcome.due = retry::NEVER.as_millis();
                outcome.wait = Some("held");
                outcome.event = "held";
            } else if let Bar::Breaker(trip) = why {
                if row.reason.is_some() {
                    outcome.state = DeliveryState::Deferred.as_str();
                }
                outcome.due = (self.app.now() + breaker::PAUSE).as_millis();
                outcome.event = "parked";
                outcome.note = Some(trip.as_str().to_owned());
            } else {
                outcome.state = DeliveryState::Cancelled.as_str();
                outcome.event = "cancelled";
                outcome.is_left_out = *why == Bar::LeftOut;
            }
            self.push(outcome, None, "automatic", false);
        }
    }

    /// The rest of a campaign that waits for a better rate waits with it.
    pub(super) async fn park_barred(&self, barred: &[(Claimed, Bar)]) -> Result<(), StoreError> {
        let emails: BTreeSet<&str> = barred
            .iter()
            .filter(|(_, why)| matches!(why, Bar::Breaker(_)))
            .map(|(row, _)| row.email_id.as_str())
            .collect();
        let (until, now) = (self.fleet.now + breaker::PAUSE, self.fleet.now);
        let parked: Vec<Statement> =
            emails.into_iter().map(|id| campaigns::audience::park(id, None, until, now)).collect();
        if !parked.is_empty() {
            self.app.db.batch(parked).await?;
        }
        Ok(())
    }

    /// A campaign whose servers are all full waits as a whole: claiming its mails one by one would find out nothing new.
    pub(super) async fn park_the_rest(&self, rows: &[Claimed], plan: &Plan) -> Result<(), StoreError> {
        let mut until: BTreeMap<&str, (Timestamp, &str)> = BTreeMap::new();
        for (index, at, why, _) in &plan.wait {
            if let Some(row) = rows.get(*index).filter(|it| it.lane == "bulk" && matches!(*why, "limit" | "server")) {
                until.insert(row.email_id.as_str(), (*at, why));
            }
        }
        let parked: Vec<Statement> = until
            .into_iter()
            .map(|(id, (at, why))| campaigns::audience::park(id, Some(why), at, self.fleet.now))
            .collect();
        if !parked.is_empty() {
            self.app.db.batch(parked).await?;
        }
        Ok(())
    }

    /// What the plan lets wait or fail.
    pub(super) fn keep_back(&self, rows: &[Claimed], plan: &Plan) {
        for (index, until, why, name) in &plan.wait {
            if let Some(row) = rows.get(*index) {
                self.push(self.waiting(row.into(), None, *until, why, name), None, class_of(row), false);
            }
        }
        for (index, why) in &plan.fail {
            let Some(row) = rows.get(*index) else { continue };
            let mut outcome = self.outcome(row.id.as_str(), None);
            outcome.untried = 1;
            outcome.text = Some(hindrance_text(*why, row));
            outcome.reason = Some(match why {
                Hindrance::TooLarge => "mesgtoobig",
                Hindrance::FromNotAllowed => "rejected",
                Hindrance::NoServer | Hindrance::NoBulkServer | Hindrance::ForcedGone => "systemerror",
            });
            // Somebody may set up a server meanwhile; a From or a size does not change by waiting.
            let waits = matches!(why, Hindrance::NoServer | Hindrance::NoBulkServer | Hindrance::ForcedGone);
            let now = self.app.now();
            if waits && now < retry::gives_up(row.first_due) {
                outcome.state = DeliveryState::Deferred.as_str();
                outcome.event = "deferred";
                outcome.due = (now + Span::minutes(1)).as_millis();
                outcome.wait = Some("server");
            } else {
                outcome.state = DeliveryState::Failed.as_str();
                outcome.event = "refused";
            }
            self.push(outcome, None, class_of(row), false);
        }
    }

    /// Not yet, through no fault of its own. What was deferred before goes on being that.
    pub(super) fn waiting(
        &self,
        it: Kept<'_>,
        server: Option<usize>,
        until: Timestamp,
        why: &'static str,
        name: &str,
    ) -> Outcome {
        let mut outcome = self.outcome(it.id, server);
        if it.has_failed {
            outcome.state = DeliveryState::Deferred.as_str();
        }
        outcome.due = until.as_millis();
        outcome.wait = Some(why);
        outcome.event = "parked";
        outcome.note = Some(name.to_owned());
        outcome.untried = 1;
        outcome
    }
}

/// In English, like the words of any server; the page explains the reason in its own language.
fn hindrance_text(why: Hindrance, row: &Claimed) -> String {
    match why {
        Hindrance::NoServer => "no outgoing server is set up".to_owned(),
        Hindrance::NoBulkServer => "no outgoing server is marked for campaigns".to_owned(),
        Hindrance::TooLarge => "larger than every outgoing server takes".to_owned(),
        Hindrance::FromNotAllowed => {
            format!("5.7.1 no outgoing server may send as {}", row.sender.address.as_str())
        }
        Hindrance::ForcedGone => "the outgoing server it must leave by is archived".to_owned(),
    }
}

//! What a hand-over came to: the state machine and the retry schedule decide.

use mailroom_shared::outbox::failure;
use mailroom_shared::outbox::health;
use mailroom_shared::outbox::reply;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;

use super::Run;
use crate::ports::SendOutcome;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::Outcome;
use crate::store::servers::Backoff;

impl Run<'_> {
    /// An outcome that changes nothing yet.
    pub(super) fn outcome(&self, id: &str, server: Option<usize>) -> Outcome {
        let server = server.and_then(|it| self.server(it));
        Outcome {
            id: id.to_owned(),
            state: DeliveryState::Outgoing.as_str(),
            due: self.app.now().as_millis(),
            reason: None,
            permanent: 0,
            code: None,
            status: None,
            text: None,
            provider: None,
            server: server.map(|it| it.id.as_str().to_owned()).unwrap_or_default(),
            server_name: server.map(|it| it.name.clone()).unwrap_or_default(),
            event: "queued",
            wait: None,
            note: None,
            untried: 0,
            talk: None,
            is_left_out: false,
        }
    }

    /// A file could not be read: this mail waits, with the usual schedule; the others go.
    pub(super) fn unreadable(&self, it: &Claimed, server: usize, why: &str) -> Outcome {
        let mut outcome = self.outcome(it.id.as_str(), Some(server));
        outcome.reason = Some("systemerror");
        outcome.text = Some(why.to_owned());
        if let Some(at) = retry::next_try(it.tries, it.first_due, self.app.now()) {
            outcome.state = DeliveryState::Deferred.as_str();
            outcome.event = "deferred";
            outcome.due = at.as_millis();
        } else {
            outcome.state = DeliveryState::Failed.as_str();
            outcome.event = "refused";
        }
        outcome
    }

    /// The server is in trouble: the mail waits for another, or for its rest to end, and no try of its own is spent.
    pub(super) fn down(&self, it: &Claimed, server: usize, text: &str) -> Outcome {
        let now = self.app.now();
        let mut outcome = self.outcome(it.id.as_str(), Some(server));
        outcome.reason = Some("networkerror");
        outcome.text = Some(text.to_owned());
        outcome.untried = 1;
        if now >= retry::gives_up(it.first_due) {
            outcome.state = DeliveryState::Failed.as_str();
            outcome.event = "refused";
            outcome.reason = Some("expired");
            return outcome;
        }
        let mut news = self.news.borrow_mut();
        let before = self.server(server).map_or(0, |it| it.troubles);
        let (troubles, words) = news.ill.entry(server).or_insert((before, String::new()));
        *troubles += 1;
        text.clone_into(words);
        let rests = health::rest(*troubles).map(|it| now + it);
        if let Some(until) = rests {
            news.closed.insert(server, (until, "server"));
        }
        outcome.state = DeliveryState::Deferred.as_str();
        outcome.event = "deferred";
        outcome.wait = Some("server");
        // Another server may take it at once.
        outcome.due = if rests.is_some() { now } else { now + Span::seconds(20) }.as_millis();
        outcome
    }

    /// What a hand-over means: the state machine and the retry schedule decide. Also, whether it counts as having left.
    pub(super) fn judge(&self, server: usize, it: &Claimed, sent: SendOutcome, millis: i64) -> (Outcome, bool) {
        let now = self.app.now();
        let mut outcome = self.outcome(it.id.as_str(), Some(server));
        let (mut taken, mut refused, mut trouble, mut left) = (0, 0, 0, false);
        match sent {
            SendOutcome::Accepted { text, provider_id } => {
                outcome.state = DeliveryState::Sent.as_str();
                outcome.event = "accepted";
                outcome.text = Some(text);
                outcome.provider = provider_id;
                taken = 1;
                left = true;
                let mut news = self.news.borrow_mut();
                news.well.insert(server);
                news.ill.remove(&server);
            }
            SendOutcome::Lost { text } => {
                outcome.state = DeliveryState::Unknown.as_str();
                outcome.event = "unknown";
                outcome.reason = Some("networkerror");
                outcome.text = Some(text);
                trouble = 1;
                left = true;
            }
            SendOutcome::Down { text } => {
                outcome = self.down(it, server, &text);
                trouble = 1;
            }
            SendOutcome::Full { text } => {
                let name = self.server(server).map(|it| it.name.clone()).unwrap_or_default();
                outcome = self.waiting(it.into(), Some(server), self.fleet.day_end, "limit", &name);
                outcome.text = Some(text);
                let mut news = self.news.borrow_mut();
                news.full.insert(server);
                news.closed.insert(server, (self.fleet.day_end, "limit"));
                refused = 1;
            }
            SendOutcome::Refused { code, text } => {
                let (_, found) = reply::scan(&text);
                let status = found.map(str::to_owned);
                let failure = failure::classify((code > 0).then_some(code), status.as_deref(), &text);
                let next = if failure.temporary { retry::next_try(it.tries, it.first_due, now) } else { None };
                outcome.reason = Some(failure.reason.as_str());
                outcome.code = (code > 0).then_some(code);
                outcome.status = status;
                outcome.permanent = u8::from(failure.permanent);
                if health::asks_to_slow_down(&failure) {
                    self.slow_down(server, &it.rcpt_domain, &text);
                }
                outcome.text = Some(if code > 0 { format!("{code} {text}") } else { text });
                if let Some(at) = next {
                    outcome.state = DeliveryState::Deferred.as_str();
                    outcome.event = "deferred";
                    outcome.due = at.as_millis();
                } else {
                    outcome.state = DeliveryState::Failed.as_str();
                    outcome.event = "refused";
                }
                refused = 1;
            }
        }
        let mut news = self.news.borrow_mut();
        let tally = news.tallies.entry(server).or_default();
        tally.taken += taken;
        tally.refused += refused;
        tally.trouble += trouble;
        tally.millis += if taken > 0 { millis } else { 0 };
        (outcome, left)
    }

    fn slow_down(&self, server: usize, domain: &str, text: &str) {
        let Some(row) = self.server(server) else { return };
        let known = self.backoffs.iter().find(|it| it.server_id == row.id.as_str() && it.domain == domain);
        let step = known.map_or(0, |it| it.step + 1);
        let it = Backoff {
            domain: domain.to_owned(),
            server: row.id.as_str().to_owned(),
            until: self.app.now() + health::slow_down(step),
            step,
            text: text.to_owned(),
        };
        self.news.borrow_mut().slow.insert((domain.to_owned(), server), it);
    }
}

//! What a run writes down: outcomes as it goes, what it learned about servers, domains and limits at its end.

use std::collections::BTreeMap;

use mailroom_shared::log::Kind;
use mailroom_shared::outbox::limit;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Timestamp;

use super::Judged;
use super::News;
use super::Run;
use crate::log;
use crate::ports::DbError;
use crate::ports::Statement;
use crate::store::StoreError;
use crate::store::campaigns;
use crate::store::deliveries;
use crate::store::deliveries::Outcome;
use crate::store::failures;
use crate::store::limits;
use crate::store::logs;
use crate::store::servers;
use crate::store::servers::Server;
use crate::store::servers::Tally;
use crate::store::suppressions;

impl Run<'_> {
    /// Writes outcomes when there are at least so many. What could not be written stays to be tried again.
    pub(super) async fn record(&self, at_least: usize) -> Result<(), DbError> {
        if self.judged.borrow().len() < at_least.max(1) {
            return Ok(());
        }
        let judged = self.judged.take();
        let (statements, given_back) = self.written(&judged);
        // Two tries: what was sent must be known to be sent.
        let mut result = self.app.db.batch(statements.clone()).await;
        if result.is_err() {
            result = self.app.db.batch(statements).await;
        }
        if let Err(error) = result {
            self.judged.borrow_mut().splice(0..0, judged);
            self.is_broken.set(true);
            return Err(error);
        }
        self.news.borrow_mut().given_back += given_back;
        Ok(())
    }

    /// Outcomes as statements, and how many places in limits they give back.
    fn written(&self, judged: &[Judged]) -> (Vec<Statement>, u32) {
        let mut counts: BTreeMap<(usize, &'static str), (u32, u32)> = BTreeMap::new();
        for it in judged {
            if let Some(server) = it.server {
                let (left, stayed) = counts.entry((server, it.class)).or_default();
                *(if it.left { left } else { stayed }) += 1;
            }
        }
        let outcomes: Vec<&Outcome> = judged.iter().map(|it| &it.outcome).collect();
        let mut statements = deliveries::record(self.claim, &outcomes, self.app.now()).to_vec();
        let failed: Vec<&str> =
            outcomes.iter().filter(|it| it.state == DeliveryState::Failed.as_str()).map(|it| it.id.as_str()).collect();
        let left_out: Vec<&str> = outcomes.iter().filter(|it| it.is_left_out).map(|it| it.id.as_str()).collect();
        if !left_out.is_empty() {
            statements.push(campaigns::leave_out(&left_out));
        }
        if !failed.is_empty() {
            statements.extend(suppressions::of_failures(&failed, self.app.now()));
            statements.push(failures::tell(&failed, self.app.now()));
        }
        let mut given_back = 0;
        for ((index, class), (left, stayed)) in counts {
            let Some(server) = self.server(index) else { continue };
            match self.reserved.hour(index) {
                Some(hour) if stayed > 0 => {
                    if !self.news.borrow().full.contains(&index) {
                        given_back += stayed;
                    }
                    statements.push(limits::give_back(server.id.as_str(), hour, class, stayed));
                }
                None if left > 0 => statements.push(limits::count(server.id.as_str(), self.fleet.hour, class, left)),
                _ => {}
            }
        }
        (statements, given_back)
    }

    /// Writes down what was learned about servers and domains.
    pub(super) async fn finish(&self) -> Result<(), StoreError> {
        let news = self.news.take();
        let now = self.app.now();
        let mut statements: Vec<Statement> = self.warnings(&news, now);
        for (index, tally) in &news.tallies {
            let Some(server) = self.server(*index) else { continue };
            // One line for all: the rows have the rest, and a line costs as much as a mail.
            let (taken, stayed) = (tally.taken.to_string(), (tally.refused + tally.trouble).to_string());
            log::info("mails_handed_over", &[("server", &server.name), ("taken", &taken), ("not_taken", &stayed)]);
            let tally = Tally { server: server.id.as_str().to_owned(), ..tally.clone() };
            statements.push(servers::count_results(&tally, self.fleet.hour));
        }
        for index in &news.well {
            if let Some(server) = self.server(*index).filter(|_| !news.ill.contains_key(index)) {
                statements.push(servers::is_well(server.id.as_str(), now));
                // A domain that takes mail again has had its wait.
                let over = self.backoffs.iter().filter(|it| it.server_id == server.id.as_str() && it.until <= now);
                for it in over.filter(|it| !news.slow.contains_key(&(it.domain.clone(), *index))) {
                    statements.push(servers::forget_backoff(&it.domain, &it.server_id));
                }
            }
        }
        for (index, (troubles, text)) in &news.ill {
            let Some(server) = self.server(*index) else { continue };
            let until = news.closed.get(index).map(|(at, _)| *at);
            statements.push(servers::is_ill(server.id.as_str(), text, *troubles, until, now));
            statements.push(logs::note(Kind::ServerIll, "", Some(&server.name), text, None, now));
        }
        for index in &news.full {
            let Some(server) = self.server(*index) else { continue };
            let used = self.used(server, *index, &news);
            statements.push(servers::learn_limit(server.id.as_str(), used, now));
        }
        for it in news.slow.values() {
            statements.extend(servers::slow_down(it, now));
        }
        if news.given_back > 0 {
            statements.push(limits::unpark_some(news.given_back, now));
        }
        if !news.rewritten.is_empty() {
            statements.push(deliveries::note("rewritten", &news.rewritten, now));
        }
        if !statements.is_empty() {
            self.app.db.batch(statements).await?;
        }
        Ok(())
    }

    /// Mails of the day, those of this run included.
    fn used(&self, server: &Server, index: usize, news: &News) -> u32 {
        self.fleet.use_of(server).today + news.tallies.get(&index).map_or(0, |it| it.taken)
    }

    /// 80 %, 90 %, reached: each once per server and day.
    fn warnings(&self, news: &News, now: Timestamp) -> Vec<Statement> {
        let mut out = Vec::new();
        for (index, server) in self.fleet.servers.iter().enumerate().filter(|(_, it)| !it.archived) {
            let usage = limit::Use { today: self.used(server, index, news), ..self.fleet.use_of(server) };
            let Some(warning) = limit::warning(&usage) else { continue };
            let args = BTreeMap::from([
                ("server".to_owned(), server.name.clone()),
                ("limit".to_owned(), usage.daily.unwrap_or_default().to_string()),
            ]);
            let id = |it: limit::Warning| format!("{}:{}:{}", it.as_str(), server.id, self.fleet.day_start.as_millis());
            out.push(limits::notify(&id(warning), warning.as_str(), &args, now));
            // The higher one says it all.
            let lower = [limit::Warning::Eighty, limit::Warning::Ninety].into_iter().filter(|it| *it < warning);
            out.extend(lower.map(|it| limits::settle(&id(it), now)));
        }
        out
    }
}

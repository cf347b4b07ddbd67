//! Connections to servers. They outlive a claim: the next one goes on over those that are open.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures::future::join_all;

use super::Judged;
use super::Run;
use super::choose::Way;
use super::choose::class_of;
use super::render;
use crate::app::App;
use crate::ports::MailSession;
use crate::ports::ServerAccess;
use crate::store::deliveries::Claimed;
use crate::store::to_json;

/// Connections to servers at once; the platform allows six in all.
const CONNECTIONS: usize = 4;
/// Outcomes written together.
const RECORD: usize = 12;

/// What leaves by one server.
pub(super) struct Group<'a> {
    pub(super) server: usize,
    pub(super) access: ServerAccess,
    pub(super) queue: RefCell<VecDeque<(&'a Claimed, &'a Way)>>,
}

type Session = Box<dyn MailSession>;

/// The connections of a run.
#[derive(Default)]
pub(super) struct Lines(Vec<(ServerAccess, Session)>);

impl Lines {
    /// So many for each group: first those that are open. What is left is closed, to stay within what the platform allows.
    async fn take<'a>(&mut self, app: &App, groups: &'a [Group<'a>]) -> Vec<(&'a Group<'a>, Session)> {
        let each = (CONNECTIONS / groups.len().max(1)).max(1);
        let mut taken = Vec::new();
        for group in groups {
            for _ in 0..each.min(group.queue.borrow().len()) {
                let open = self.0.iter().position(|(access, _)| *access == group.access);
                let session = match open {
                    Some(at) => self.0.swap_remove(at).1,
                    None => app.mailer.open(&group.access),
                };
                taken.push((group, session));
            }
        }
        self.close().await;
        taken
    }

    pub(super) async fn close(&mut self) {
        let open = std::mem::take(&mut self.0);
        join_all(open.into_iter().map(|(_, mut session)| async move { session.close().await })).await;
    }
}

impl Run<'_> {
    /// Hands over to all servers at once, each on connections of its own: a slow one keeps no other waiting.
    pub(super) async fn send<'b>(&self, groups: &'b [Group<'b>], lines: &mut Lines) {
        let taken = lines.take(self.app, groups).await;
        let ended = join_all(taken.into_iter().map(|(group, mut session)| async move {
            self.line(group, session.as_mut()).await;
            (group.access.clone(), session)
        }));
        lines.0 = ended.await;
    }

    /// One connection, one envelope after the other.
    async fn line(&self, group: &Group<'_>, session: &mut dyn MailSession) {
        loop {
            let next = group.queue.borrow_mut().pop_front();
            let Some((row, way)) = next else { break };
            let judged = self.hand_over(group, session, row, way).await;
            self.judged.borrow_mut().push(judged);
            // What could not be written is tried once more at the end; nothing new begins until then.
            let _ = self.record(RECORD).await;
        }
    }

    async fn hand_over(&self, group: &Group<'_>, session: &mut dyn MailSession, row: &Claimed, way: &Way) -> Judged {
        let judged = |outcome, left| Judged { outcome, server: Some(group.server), class: class_of(row), left };
        let closed = self.news.borrow().closed.get(&group.server).copied();
        if let Some((until, why)) = closed {
            // Another server may take it at once; the next claim decides.
            let (server, until) = if why == "server" { (None, self.app.now()) } else { (Some(group.server), until) };
            return judged(self.waiting(row.into(), server, until, why, &group.access.name), false);
        }
        let _one = self.letters.heavy(render::size_of_files(row, self.files)).await;
        if self.app.now() >= self.stop_at || self.is_broken.get() {
            let mut outcome = self.outcome(row.id.as_str(), Some(group.server));
            outcome.untried = 1;
            return judged(outcome, false);
        }
        let envelope = match self.envelope(row, group.server, way).await {
            Ok(envelope) => envelope,
            Err(why) => return judged(self.unreadable(row, group.server, &why), false),
        };
        if way.is_rewritten {
            self.news.borrow_mut().rewritten.push((row.id.as_str().to_owned(), way.from.display()));
        }
        let begin = self.app.now();
        let sent = session.send(&envelope).await;
        let (mut outcome, left) = self.judge(group.server, row, sent, (self.app.now() - begin).as_millis());
        let talk = session.talk();
        outcome.talk = (!talk.is_empty()).then(|| to_json(&talk));
        judged(outcome, left)
    }
}

//! Sends what is due: claim, render, hand over, record. A claim is a lease, so two runs never hold one delivery, and one
//! that dies leaves *unknown*, which a person or a report settles; nothing is ever sent twice by ourselves.

mod campaign;
mod choose;
mod fleet;
mod judge;
mod letters;
mod lines;
mod record;
mod render;
mod stay;

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use mailroom_shared::api::tag;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use super::breaker::Breaker;
use crate::app::App;
use crate::app::SharedApp;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::campaigns;
use crate::store::deliveries;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::ClaimedFile;
use crate::store::deliveries::Outcome;
use crate::store::servers;
use crate::store::servers::Backoff;
use crate::store::servers::BackoffRow;
use crate::store::servers::Server;
use crate::store::servers::Tally;
use campaign::Bar;
use campaign::Bulk;
pub use campaign::compiled;
use choose::Reserved;
use choose::Way;
use choose::class_of;
pub use fleet::Fleet;
pub use fleet::RULES;
use letters::Letters;
use lines::Group;
use lines::Lines;
pub(super) use render::sign;

/// Deliveries claimed at once: what a crash may leave unknown.
const CLAIM: u32 = 48;
/// A lease outlives every timeout of one hand-over several times.
const LEASE: Span = Span::minutes(10);
/// Nothing new is started this close to the end of the lease.
const LEASE_MARGIN: Span = Span::minutes(3);
/// Deliveries per run; what is left is nudged again, in a fresh invocation with fresh limits.
const MAX_PER_RUN: u32 = 1_200;

/// What claims of one run share.
#[derive(Default)]
struct Desk {
    breaker: Breaker,
    lines: Lines,
    letters: Letters,
}

/// Sends everything that is due. Returns how many deliveries it handled.
pub async fn run(app: &SharedApp) -> Result<u32, StoreError> {
    let mut desk = Desk::default();
    let result = drain(app, &mut desk).await;
    desk.lines.close().await;
    result
}

async fn drain(app: &SharedApp, desk: &mut Desk) -> Result<u32, StoreError> {
    let (mut sent, mut has_campaigns) = (0, false);
    loop {
        let taken = batch(app, desk).await?;
        sent += taken.n;
        has_campaigns |= taken.has_campaigns;
        if taken.n < CLAIM && !taken.is_due_again {
            // The queue is empty: the next campaign may begin.
            if has_campaigns {
                app.nudge(super::Job::Campaigns, 0).await;
            }
            break;
        }
        if sent >= MAX_PER_RUN {
            app.nudge(super::Job::Deliver, 0).await;
            break;
        }
    }
    Ok(sent)
}

/// What a claim took.
#[derive(Default)]
struct Taken {
    n: u32,
    /// Some of them are due again: for another server.
    is_due_again: bool,
    has_campaigns: bool,
}

async fn batch(app: &SharedApp, desk: &mut Desk) -> Result<Taken, StoreError> {
    let claim = app.new_id();
    let now = app.now();
    let lease = now + LEASE;
    let mut statements = vec![
        deliveries::claim(&claim, now, lease, CLAIM),
        deliveries::claimed(&claim),
        deliveries::claimed_files(&claim),
        servers::backoffs_of_claim(&claim),
        deliveries::forget_drafts(&claim),
        campaigns::of_claim(&claim),
        campaigns::people_of_claim(&claim, now),
    ];
    statements.extend(Fleet::statements(now));
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let _ = answers.changes();
    let rows: Vec<Claimed> = answers.rows()?;
    if rows.is_empty() {
        return Ok(Taken::default());
    }
    let files: Vec<ClaimedFile> = answers.rows()?;
    let backoffs: Vec<BackoffRow> = answers.rows()?;
    let _ = answers.changes();
    let bulk = Bulk::read(&mut answers)?;
    let mut fleet = Fleet::read(&mut answers, now)?;
    let n = rows.len() as u32;
    let n_bulk = rows.iter().filter(|it| it.lane == "bulk").count() as u32;
    let has_campaigns = n_bulk > 0;
    let trip = desk.breaker.before(app, n_bulk).await?;
    let bar = |it: &Claimed| bulk.bar(it).or_else(|| trip.filter(|_| it.lane == "bulk").map(Bar::Breaker));
    let mut barred: Vec<(Claimed, Bar)> = Vec::new();
    let mut free: Vec<Claimed> = Vec::with_capacity(rows.len());
    for it in rows {
        match bar(&it) {
            Some(why) => barred.push((it, why)),
            None => free.push(it),
        }
    }
    let rows = free;
    let records: BTreeSet<String> =
        rows.iter().filter_map(|it| it.record_id.as_ref()).map(|it| tag::record(it.as_str())).collect();

    let sizes: Vec<u64> = rows
        .iter()
        .map(|it| bulk.size(it).unwrap_or_else(|| render::least_size(it, &files, fleet.base_url.is_some())))
        .collect();
    let mut plan = choose::plan(&fleet, &rows, &sizes, &backoffs);
    let reserved = choose::reserve(app, &mut fleet, &rows, &mut plan).await?;
    let run = Run {
        app,
        claim: &claim,
        stop_at: lease - LEASE_MARGIN,
        fleet: &fleet,
        reserved: &reserved,
        backoffs: &backoffs,
        bulk: &bulk,
        files: &files,
        letters: &desk.letters,
        judged: RefCell::default(),
        news: RefCell::default(),
        is_broken: Cell::default(),
    };
    run.keep_back(&rows, &plan);
    run.bar(&barred);
    run.park_barred(&barred).await?;
    run.park_the_rest(&rows, &plan).await?;
    let groups = run.groups(&rows, &plan.leave);
    run.send(&groups, &mut desk.lines).await;
    run.record(1).await?;
    let again = run.news.borrow().closed.values().any(|(_, why)| *why == "server");
    run.finish().await?;
    let mut tags: Vec<String> = records.into_iter().collect();
    if has_campaigns {
        tags.push(tag::CAMPAIGNS.to_owned());
    }
    tags.extend([tag::EMAILS, tag::SHELL, tag::RECORDS, tag::LIMITS].map(str::to_owned));
    app.stale(&tags).await;
    Ok(Taken { n, is_due_again: again, has_campaigns })
}

/// An outcome and how it counts.
struct Judged {
    outcome: Outcome,
    /// Index of the server, when there was one.
    server: Option<usize>,
    class: &'static str,
    /// It left, or may have.
    left: bool,
}

/// What a run learned about servers and domains.
#[derive(Default)]
struct News {
    tallies: BTreeMap<usize, Tally>,
    /// Troubles in a row, with the words of the last one.
    ill: BTreeMap<usize, (u32, String)>,
    well: BTreeSet<usize>,
    /// Take no more for now, until then and why.
    closed: BTreeMap<usize, (Timestamp, &'static str)>,
    full: BTreeSet<usize>,
    /// Places in limits that were reserved and not used.
    given_back: u32,
    slow: BTreeMap<(String, usize), Backoff>,
    /// `[delivery, From]` of mails whose From was changed.
    rewritten: Vec<(String, String)>,
}

/// One claim on its way.
struct Run<'a> {
    app: &'a App,
    claim: &'a str,
    stop_at: Timestamp,
    fleet: &'a Fleet,
    reserved: &'a Reserved,
    backoffs: &'a [BackoffRow],
    bulk: &'a Bulk,
    files: &'a [ClaimedFile],
    letters: &'a Letters,
    judged: RefCell<Vec<Judged>>,
    news: RefCell<News>,
    /// Outcomes could not be written: nothing new begins.
    is_broken: Cell<bool>,
}

impl Run<'_> {
    fn server(&self, index: usize) -> Option<&Server> {
        self.fleet.servers.get(index)
    }

    fn push(&self, outcome: Outcome, server: Option<usize>, class: &'static str, left: bool) {
        self.judged.borrow_mut().push(Judged { outcome, server, class, left });
    }

    /// What leaves, server by server. The mails of a server whose password can't be read wait.
    fn groups<'b>(&self, rows: &'b [Claimed], leave: &'b BTreeMap<usize, Vec<(usize, Way)>>) -> Vec<Group<'b>> {
        let mut groups = Vec::new();
        for (index, list) in leave {
            let Some(server) = self.server(*index) else { continue };
            let queue = list.iter().filter_map(|(at, way)| rows.get(*at).map(|row| (row, way)));
            match server.access(self.app, self.fleet.ehlo()) {
                Ok(access) => groups.push(Group { server: *index, access, queue: RefCell::new(queue.collect()) }),
                Err(error) => {
                    for (row, _) in queue {
                        let outcome = self.down(row, *index, &error.to_string());
                        self.push(outcome, Some(*index), class_of(row), false);
                    }
                }
            }
        }
        groups
    }
}

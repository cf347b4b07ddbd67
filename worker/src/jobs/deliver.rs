//! Sends what is due: claim, render, hand over, record. A claim is a lease, so two runs never hold one delivery, and one
//! that dies leaves *unknown*, which a person or a report settles; nothing is ever sent twice by ourselves.

mod campaign;
mod choose;
mod fleet;
mod render;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;

use mailroom_shared::api::tag;
use mailroom_shared::log::Kind;
use mailroom_shared::outbox::choice::Hindrance;
use mailroom_shared::outbox::choice::ReturnPath;
use mailroom_shared::outbox::failure;
use mailroom_shared::outbox::health;
use mailroom_shared::outbox::limit;
use mailroom_shared::outbox::reply;
use mailroom_shared::outbox::retry;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use mailroom_shared::token;

use super::breaker;
use super::breaker::Breaker;
use crate::app::App;
use crate::app::SharedApp;
use crate::log;
use crate::ports::DbError;
use crate::ports::Envelope;
use crate::ports::SendOutcome;
use crate::ports::ServerAccess;
use crate::ports::Statement;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::campaigns;
use crate::store::deliveries;
use crate::store::deliveries::Claimed;
use crate::store::deliveries::ClaimedFile;
use crate::store::deliveries::Outcome;
use crate::store::failures;
use crate::store::limits;
use crate::store::logs;
use crate::store::servers;
use crate::store::servers::Backoff;
use crate::store::servers::BackoffRow;
use crate::store::servers::Server;
use crate::store::servers::Tally;
use crate::store::suppressions;
use crate::store::to_json;
use campaign::Bar;
use campaign::Bulk;
pub use campaign::compiled;
use choose::Reserved;
use choose::Way;
use choose::class_of;
pub use fleet::Fleet;
pub use fleet::RULES;
pub(super) use render::sign;

/// Deliveries claimed at once: what a crash may leave unknown.
const CLAIM: u32 = 48;
/// Connections to one server at once; the platform allows six in all.
const CONNECTIONS: usize = 4;
/// Outcomes written together.
const RECORD: usize = 12;
/// A lease outlives every timeout of one hand-over several times.
const LEASE: Span = Span::minutes(10);
/// Nothing new is started this close to the end of the lease.
const LEASE_MARGIN: Span = Span::minutes(3);
/// Deliveries per run; what is left is nudged again, in a fresh invocation with fresh limits.
const MAX_PER_RUN: u32 = 1_200;

/// A delivery ready to go.
struct Prepared {
    id: String,
    envelope: Envelope,
    tries: u32,
    first_due: Timestamp,
    domain: String,
    class: &'static str,
    /// An earlier try failed.
    has_failed: bool,
}

impl Prepared {
    fn kept(&self) -> Kept<'_> {
        Kept { id: &self.id, has_failed: self.has_failed }
    }
}

/// Sends everything that is due. Returns how many deliveries it handled.
pub async fn run(app: &SharedApp) -> Result<u32, StoreError> {
    let (mut sent, mut has_campaigns, mut breaker) = (0, false, Breaker::default());
    loop {
        let taken = batch(app, &mut breaker).await?;
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

async fn batch(app: &SharedApp, breaker: &mut Breaker) -> Result<Taken, StoreError> {
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
    let trip = breaker.before(app, n_bulk).await?;
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
        judged: RefCell::default(),
        news: RefCell::default(),
    };
    run.keep_back(&rows, &plan);
    run.bar(&barred);
    run.park_barred(&barred).await?;
    run.park_the_rest(&rows, &plan).await?;
    let groups = run.prepare(&rows, &files, plan.leave).await;
    run.send(groups).await?;
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

struct Run<'a> {
    app: &'a App,
    claim: &'a str,
    stop_at: Timestamp,
    fleet: &'a Fleet,
    reserved: &'a Reserved,
    backoffs: &'a [BackoffRow],
    bulk: &'a Bulk,
    judged: RefCell<Vec<Judged>>,
    news: RefCell<News>,
}

/// A delivery that does not leave now.
#[derive(Clone, Copy)]
struct Kept<'a> {
    id: &'a str,
    /// An earlier try failed.
    has_failed: bool,
}

/// Envelopes for one server.
struct Group {
    server: usize,
    access: ServerAccess,
    queue: RefCell<VecDeque<Prepared>>,
}

impl Run<'_> {
    fn server(&self, index: usize) -> Option<&Server> {
        self.fleet.servers.get(index)
    }

    /// An outcome that changes nothing yet.
    fn outcome(&self, id: &str, server: Option<usize>) -> Outcome {
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

    fn push(&self, outcome: Outcome, server: Option<usize>, class: &'static str, left: bool) {
        self.judged.borrow_mut().push(Judged { outcome, server, class, left });
    }

    /// Mails of campaigns that are paused, stopped, or not wanted any more.
    fn bar(&self, barred: &[(Claimed, Bar)]) {
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
    async fn park_barred(&self, barred: &[(Claimed, Bar)]) -> Result<(), StoreError> {
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
    async fn park_the_rest(&self, rows: &[Claimed], plan: &choose::Plan) -> Result<(), StoreError> {
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
    fn keep_back(&self, rows: &[Claimed], plan: &choose::Plan) {
        for (index, until, why, name) in &plan.wait {
            if let Some(row) = rows.get(*index) {
                self.push(
                    self.waiting(
                        Kept { id: row.id.as_str(), has_failed: row.reason.is_some() },
                        None,
                        *until,
                        why,
                        name,
                    ),
                    None,
                    class_of(row),
                    false,
                );
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
    fn waiting(&self, it: Kept<'_>, server: Option<usize>, until: Timestamp, why: &'static str, name: &str) -> Outcome {
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

    /// Renders what leaves, server by server. What can't be rendered holds up nothing but itself.
    async fn prepare(
        &self,
        rows: &[Claimed],
        files: &[ClaimedFile],
        leave: BTreeMap<usize, Vec<(usize, Way)>>,
    ) -> Vec<Group> {
        let mut groups = Vec::new();
        for (index, list) in leave {
            let Some(server) = self.server(index) else { continue };
            let access = match server.access(self.app, self.fleet.ehlo()) {
                Ok(access) => access,
                Err(error) => {
                    for row in list.iter().filter_map(|(at, _)| rows.get(*at)) {
                        self.push(
                            self.down(row.id.as_str(), row.first_due, index, &error.to_string()),
                            Some(index),
                            class_of(row),
                            false,
                        );
                    }
                    continue;
                }
            };
            let mut rendered: HashMap<(&str, bool), Result<Vec<u8>, String>> = HashMap::new();
            let mut queue = VecDeque::with_capacity(list.len());
            for (row, way) in list.iter().filter_map(|(at, way)| rows.get(*at).map(|row| (row, way))) {
                let key = (
                    row.email_id.as_str(),
                    row.field == "bcc" || row.follows || render::is_passed_on(row) || row.campaign_id.is_some(),
                );
                // One rendering for all who see the same; a mail passed on names its one recipient.
                let known = rendered.get(&key).cloned().filter(|_| !key.1);
                let raw = if let Some(raw) = known {
                    raw
                } else {
                    let raw = match self.bulk.mail(self.app, self.fleet.base_url.as_deref(), row, &way.from) {
                        Some(mail) => render::finish(self.app, self.fleet, server, &way.from, &mail).await,
                        None => render::render(self.app, self.fleet, server, row, files, &way.from).await,
                    };
                    if !key.1 {
                        rendered.insert(key, raw.clone());
                    }
                    raw
                };
                match raw {
                    Ok(raw) => {
                        if way.is_rewritten {
                            let line = (row.id.as_str().to_owned(), way.from.display());
                            self.news.borrow_mut().rewritten.push(line);
                        }
                        queue.push_back(self.prepared(row, way, raw));
                    }
                    Err(why) => {
                        let (outcome, class) = (self.unreadable(row, index, &why), class_of(row));
                        self.push(outcome, Some(index), class, false);
                    }
                }
            }
            groups.push(Group { server: index, access, queue: RefCell::new(queue) });
        }
        groups
    }

    fn prepared(&self, row: &Claimed, way: &Way, raw: Vec<u8>) -> Prepared {
        let bounce = self
            .fleet
            .domains
            .iter()
            .find(|it| it.name.as_str() == row.domain)
            .map_or("bounce", |it| it.bounce.as_str());
        let local = token::bounce_local(&self.app.config.token_secret, bounce, row.id.as_str());
        Prepared {
            id: row.id.as_str().to_owned(),
            envelope: Envelope {
                mail_from: match way.return_path {
                    ReturnPath::Bounce => format!("{local}@{}", row.domain),
                    ReturnPath::From => way.from.address.to_smtp(),
                },
                rcpt_to: row.address.to_smtp(),
                header_from: way.from.address.to_smtp(),
                raw,
            },
            tries: row.tries,
            first_due: row.first_due,
            domain: row.rcpt_domain.clone(),
            class: class_of(row),
            has_failed: row.reason.is_some(),
        }
    }

    /// A file could not be read: this mail waits, with the usual schedule; the others go.
    fn unreadable(&self, row: &Claimed, server: usize, why: &str) -> Outcome {
        let mut outcome = self.outcome(row.id.as_str(), Some(server));
        outcome.reason = Some("systemerror");
        outcome.text = Some(why.to_owned());
        if let Some(at) = retry::next_try(row.tries, row.first_due, self.app.now()) {
            outcome.state = DeliveryState::Deferred.as_str();
            outcome.event = "deferred";
            outcome.due = at.as_millis();
        } else {
            outcome.state = DeliveryState::Failed.as_str();
            outcome.event = "refused";
        }
        outcome
    }

    /// Hands over to all servers at once, each on connections of its own: a slow one keeps no other waiting.
    async fn send(&self, groups: Vec<Group>) -> Result<(), StoreError> {
        let each = (CONNECTIONS / groups.len().max(1)).max(1);
        let lines = groups.iter().flat_map(|group| (0..each).map(move |_| self.line(group)));
        futures::future::try_join_all(lines).await?;
        Ok(())
    }

    /// One connection, one envelope after the other.
    async fn line(&self, group: &Group) -> Result<(), StoreError> {
        let mut session = self.app.mailer.open(&group.access);
        loop {
            let next = group.queue.borrow_mut().pop_front();
            let Some(next) = next else { break };
            let closed = self.news.borrow().closed.get(&group.server).copied();
            let now = self.app.now();
            let (outcome, left) = match closed {
                // Another server may take it at once; the next claim decides.
                Some((_, why @ "server")) => (self.waiting(next.kept(), None, now, why, &group.access.name), false),
                Some((until, why)) => {
                    (self.waiting(next.kept(), Some(group.server), until, why, &group.access.name), false)
                }
                None if now < self.stop_at => {
                    let sent = session.send(&next.envelope).await;
                    let (mut outcome, left) = self.judge(group.server, &next, sent, (self.app.now() - now).as_millis());
                    let talk = session.talk();
                    outcome.talk = (!talk.is_empty()).then(|| to_json(&talk));
                    (outcome, left)
                }
                None => {
                    let mut outcome = self.outcome(&next.id, Some(group.server));
                    outcome.untried = 1;
                    (outcome, false)
                }
            };
            self.push(outcome, Some(group.server), next.class, left);
            self.record(RECORD).await?;
        }
        session.close().await;
        Ok(())
    }

    /// Writes outcomes when there are at least so many.
    async fn record(&self, at_least: usize) -> Result<(), DbError> {
        if self.judged.borrow().len() < at_least {
            return Ok(());
        }
        let judged = self.judged.take();
        if judged.is_empty() {
            return Ok(());
        }
        let mut counts: BTreeMap<(usize, &'static str), (u32, u32)> = BTreeMap::new();
        for it in &judged {
            if let Some(server) = it.server {
                let (left, stayed) = counts.entry((server, it.class)).or_default();
                *(if it.left { left } else { stayed }) += 1;
            }
        }
        let outcomes: Vec<Outcome> = judged.into_iter().map(|it| it.outcome).collect();
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
        for ((index, class), (left, stayed)) in counts {
            let Some(server) = self.server(index) else { continue };
            match self.reserved.hour(index) {
                Some(hour) if stayed > 0 => {
                    if !self.news.borrow().full.contains(&index) {
                        self.news.borrow_mut().given_back += stayed;
                    }
                    statements.push(limits::give_back(server.id.as_str(), hour, class, stayed));
                }
                None if left > 0 => statements.push(limits::count(server.id.as_str(), self.fleet.hour, class, left)),
                _ => {}
            }
        }
        // Two tries: what was sent must be known to be sent.
        match self.app.db.batch(statements.clone()).await {
            Ok(_) => Ok(()),
            Err(_) => self.app.db.batch(statements).await.map(|_| ()),
        }
    }

    /// The server is in trouble: the mail waits for another, or for its rest to end, and no try of its own is spent.
    fn down(&self, id: &str, first_due: Timestamp, server: usize, text: &str) -> Outcome {
        let now = self.app.now();
        let mut outcome = self.outcome(id, Some(server));
        outcome.reason = Some("networkerror");
        outcome.text = Some(text.to_owned());
        outcome.untried = 1;
        if now >= retry::gives_up(first_due) {
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
    fn judge(&self, server: usize, it: &Prepared, sent: SendOutcome, millis: i64) -> (Outcome, bool) {
        let now = self.app.now();
        let mut outcome = self.outcome(&it.id, Some(server));
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
                outcome = self.down(&it.id, it.first_due, server, &text);
                trouble = 1;
            }
            SendOutcome::Full { text } => {
                let name = self.server(server).map(|it| it.name.clone()).unwrap_or_default();
                outcome = self.waiting(it.kept(), Some(server), self.fleet.day_end, "limit", &name);
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
                    self.slow_down(server, &it.domain, &text);
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
        let name = self.server(server).map_or("", |it| it.name.as_str());
        log::info("mail_handed_over", &[("delivery", &outcome.id), ("state", outcome.state), ("server", name)]);
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

    /// Writes down what was learned about servers and domains.
    async fn finish(&self) -> Result<(), StoreError> {
        let news = self.news.take();
        let now = self.app.now();
        let mut statements: Vec<Statement> = self.warnings(&news, now);
        for (index, tally) in &news.tallies {
            let Some(server) = self.server(*index) else { continue };
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

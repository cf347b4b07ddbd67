//! The campaign queue: one campaign after the other, in the order in which they were created. Every step is a transaction
//! that says by itself whether it still applies, so a run may die or be started by hand at any time.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::campaign::queue;
use mailroom_shared::campaign::queue::Departure;
use mailroom_shared::campaign::queue::Item;
use mailroom_shared::campaign::queue::Pace;
use mailroom_shared::campaign::queue::Parked;
use mailroom_shared::campaign::queue::ParkedBy;
use mailroom_shared::campaign::state::CampaignState;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::choice::Candidate;
use mailroom_shared::outbox::choice::Choice;
use mailroom_shared::outbox::choice::Passed;
use mailroom_shared::outbox::choice::Wish;
use mailroom_shared::outbox::choice::choose;
use mailroom_shared::outbox::limit::Use;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use serde::Deserialize;

use super::Fleet;
use super::Job;
use super::actions::Done;
use super::breaker;
use crate::app::App;
use crate::app::SharedApp;
use crate::log;
use crate::ports::Statement;
use crate::store;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::actions;
use crate::store::actions::Backlog;
use crate::store::campaigns;
use crate::store::campaigns::Campaign;
use crate::store::campaigns::audience;
use crate::store::campaigns::audience::Counted;
use crate::store::campaigns::audience::Progress;
use crate::store::campaigns::ledger;
use crate::store::settings;

/// Recipients of one statement.
const CHUNK: u32 = 2_000;
/// Chunks of one transaction.
const CHUNKS: u32 = 5;
/// Transactions of one run. An invocation may ask the database 1,000 times, and the minute's has other work besides; what
/// is left goes on in an invocation of its own.
const BATCHES: u32 = 12;
/// Rows that one statement holds, lets go or cancels.
const MANY: u32 = 5_000;
/// A stopped campaign is looked after this long.
const AFTERCARE: Span = Span::days(1);

#[derive(Deserialize)]
struct Left {
    n: u32,
    open: u32,
}

/// Does what can be done now.
pub(super) async fn run(app: &SharedApp) -> Result<Done, StoreError> {
    let mut done = Done { is_quiet: true, ..Done::default() };
    let mut batches = BATCHES;
    settle(app).await?;
    let mut trip = None;
    let mut has_looked = false;
    loop {
        let now = app.now();
        let active: Vec<Campaign> = store::decode(app.run(campaigns::active()).await?)?;
        let left = left_of(app, &active).await?;
        let mut changed = 0;
        for (it, left) in active.iter().zip(&left) {
            if it.state == CampaignState::Sending && it.is_expanded && left.open == 0 {
                let step = campaigns::step(it.id.as_str(), it.state, CampaignState::Sent, None, now);
                changed += app.run(step).await?.changes;
                log::info("campaign_sent", &[("campaign", it.id.as_str())]);
            }
        }
        if changed > 0 {
            done.is_quiet = false;
            continue;
        }
        let items: Vec<Item> = active.iter().zip(&left).map(|(it, left)| item(it, left.n, None)).collect();
        if !has_looked && !active.is_empty() {
            trip = breaker::look(app).await?;
            has_looked = true;
        }
        if let Some(it) = queue::next(&items, now).filter(|_| trip.is_none()).and_then(|i| active.get(i)) {
            begin(app, it, now).await?;
            done.is_quiet = false;
            continue;
        }
        let growing = active.iter().find(|it| it.state == CampaignState::Sending && !it.is_expanded);
        let Some(it) = growing else {
            let waits =
                active.iter().filter(|it| it.state == CampaignState::Queued && it.scheduled.is_none_or(|at| at <= now));
            done.backlog = Backlog { n: waits.clone().count() as u32, oldest: waits.map(|it| it.created).min() };
            let is_moving = active.iter().any(|it| it.state == CampaignState::Sending) || done.backlog.n > 0;
            done.wake_at = is_moving.then(|| now + if trip.is_some() { breaker::PAUSE } else { Span::minutes(1) });
            break;
        };
        if batches == 0 {
            done.is_more = true;
            app.nudge(Job::Campaigns, 0).await;
            break;
        }
        done.items += expand(app, it, &mut batches).await?;
        done.is_quiet = false;
    }
    if done.items > 0 {
        app.nudge(Job::Deliver, 0).await;
    }
    if !done.is_quiet {
        app.stale(&[mailroom_shared::api::tag::CAMPAIGNS.to_owned(), mailroom_shared::api::tag::EMAILS.to_owned()])
            .await;
    }
    Ok(done)
}

/// Starts the queue by itself: somebody sent one, or the last mails of one are handed over.
pub async fn wake(app: &SharedApp) -> Result<(), StoreError> {
    let all = actions::all(app).await?;
    let Some(state) = all.into_iter().find(|it| it.name == Action::CampaignQueue && it.enabled) else { return Ok(()) };
    super::actions::run(app, &state, None).await?;
    Ok(())
}

async fn left_of(app: &App, active: &[Campaign]) -> Result<Vec<Left>, StoreError> {
    if active.is_empty() {
        return Ok(Vec::new());
    }
    let statements = active.iter().map(|it| ledger::has_left(it.id.as_str())).collect();
    let mut answers = Answers::new(app.db.batch(statements).await?);
    active
        .iter()
        .map(|it| {
            let left: Left = answers.one()?.unwrap_or(Left { n: 0, open: 0 });
            Ok(if it.is_expanded { left } else { Left { n: 1, open: 1 } })
        })
        .collect()
}

fn item(it: &Campaign, left: u32, parked: Option<Parked>) -> Item {
    Item { state: it.state, created: it.created, scheduled: it.scheduled, left, parked }
}

#[derive(Deserialize)]
struct IdRow {
    id: String,
    by_name: String,
}

/// What a pause or a stop left over when its request died.
async fn settle(app: &App) -> Result<(), StoreError> {
    let active: Vec<Campaign> = store::decode(app.run(campaigns::active()).await?)?;
    for it in active.iter().filter(|it| it.state == CampaignState::Paused && it.started.is_some()) {
        hold(app, it.id.as_str()).await?;
    }
    let stopped: Vec<IdRow> = store::decode(app.run(campaigns::stopped_since(app.now() - AFTERCARE)).await?)?;
    for it in stopped {
        cancel(app, &it.id, &it.by_name).await?;
    }
    Ok(())
}

/// Repeats a statement until it finds nothing more to do; what is left after that many is found by the next run.
async fn repeat(app: &App, make: impl Fn() -> Vec<Statement>) -> Result<(), StoreError> {
    for _ in 0..60 {
        let answers = app.db.batch(make()).await?;
        if answers.last().is_none_or(|it| it.changes < MANY) {
            break;
        }
    }
    Ok(())
}

/// Nothing more of it leaves.
pub async fn hold(app: &App, id: &str) -> Result<(), StoreError> {
    repeat(app, || vec![audience::hold(id, MANY)]).await
}

pub async fn release(app: &App, id: &str) -> Result<(), StoreError> {
    repeat(app, || vec![audience::release(id, MANY, app.now())]).await
}

pub async fn cancel(app: &App, id: &str, by: &str) -> Result<(), StoreError> {
    repeat(app, || audience::cancel(id, by, MANY, app.now()).to_vec()).await
}

pub async fn retry_failed(app: &App, id: &str, by: &str) -> Result<(), StoreError> {
    repeat(app, || audience::retry_failed(id, by, MANY, app.now()).to_vec()).await
}

/// Its turn has come: from now on its recipients are fixed.
async fn begin(app: &App, it: &Campaign, now: Timestamp) -> Result<(), StoreError> {
    let fleet = Fleet::load(app).await?;
    let (sender, domain) = sender(app, &fleet, it).await?;
    let Some(whole) = campaigns::read(app, it.id.as_str()).await? else { return Ok(()) };
    let mut statements =
        vec![campaigns::step(it.id.as_str(), CampaignState::Queued, CampaignState::Sending, None, now)];
    statements.extend(campaigns::email(&whole, &sender, &domain, now));
    app.db.batch(statements).await?;
    log::info("campaign_begun", &[("campaign", it.id.as_str())]);
    Ok(())
}

/// Writes recipients down and puts them into the queue. Returns how many went into the queue.
async fn expand(app: &App, it: &Campaign, batches: &mut u32) -> Result<u32, StoreError> {
    let id = it.id.as_str();
    let lists = it.audience.lists.len();
    let mut queued = 0;
    // Auto-vacuum takes an email without deliveries away.
    let fleet = Fleet::load(app).await?;
    let (sender, domain) = sender(app, &fleet, it).await?;
    let mut progress: Option<Progress> = store::decode_one(app.run(audience::progress(id)).await?)?;
    while *batches > 0 {
        *batches -= 1;
        let Some(at) = progress.as_ref().filter(|at| at.state == CampaignState::Sending.as_str()) else { break };
        let now = app.now();
        let mut statements = Vec::new();
        if at.is_listed == 0 {
            for _ in 0..CHUNKS {
                statements.extend(if (at.source as usize) < lists {
                    audience::write_members(id, CHUNK, now)
                } else {
                    audience::write_contacts(id, CHUNK, now)
                });
            }
            statements.push(audience::close_list(id, lists + 1));
        } else if at.is_expanded == 0 {
            statements.extend(campaigns::email(it, &sender, &domain, now));
            for _ in 0..CHUNKS {
                statements.extend(audience::queue_up(id, CHUNK, now));
            }
        } else {
            break;
        }
        let is_queueing = at.is_listed == 1;
        statements.push(audience::progress(id));
        let mut answers = app.db.batch(statements).await?;
        progress = store::decode_one(answers.pop().unwrap_or_default())?;
        if is_queueing {
            queued += answers.iter().skip(2).step_by(3).map(|it| it.changes).sum::<u32>();
        }
    }
    Ok(queued)
}

/// The From of a campaign and the alias domain that its bounces go to.
pub async fn sender(app: &App, fleet: &Fleet, it: &Campaign) -> Result<(Mailbox, String), StoreError> {
    let sender = if let Some(sender) = &it.sender {
        sender.clone()
    } else {
        let company = settings::value(app, settings::COMPANY).await?.unwrap_or_default();
        let address = fleet.domains.first().and_then(|it| fleet.notifications(it.name.as_str()));
        let address = match address {
            Some(address) => address,
            None => {
                EmailAddress::parse("campaigns@mailroom.invalid").map_err(|e| StoreError::Corrupt(e.to_string()))?
            }
        };
        Mailbox::new(Some(&company), address)
    };
    let ours =
        fleet.domains.iter().find(|it| it.name.as_str() == sender.address.domain()).or_else(|| fleet.domains.first());
    Ok((sender, ours.map_or_else(|| "mailroom.invalid".to_owned(), |it| it.name.as_str().to_owned())))
}

/// What limits campaigns now.
pub fn pace(fleet: &Fleet, is_off: bool) -> Pace {
    let candidates = fleet.candidates(false);
    let bulk: Vec<_> = fleet
        .servers
        .iter()
        .zip(&candidates)
        .filter(|(_, it)| it.bulk && !it.archived)
        .map(|(server, _)| server)
        .collect();
    let sum = |room: &dyn Fn(&Use) -> Option<u32>| -> Option<u32> {
        bulk.iter().map(|it| room(&fleet.use_of(it))).try_fold(0_u32, |sum, n| n.map(|n| sum.saturating_add(n)))
    };
    Pace {
        has_server: !bulk.is_empty(),
        room_today: sum(&|it| Use { hourly: None, ..*it }.room(false)),
        per_day: sum(&|it| Use { today: 0, this_hour: 0, hourly: None, ..*it }.room(false)),
        day_end: fleet.day_end,
        parked: None,
        is_off,
    }
}

/// What holds up all campaigns: a last day that went badly.
pub async fn held_up(app: &App, now: Timestamp) -> Result<Option<Parked>, StoreError> {
    let trip = breaker::trip(app).await?;
    Ok(trip.map(|it| Parked { by: it.into(), server: String::new(), until: now + breaker::PAUSE }))
}

/// The server that takes a campaign now, or what it waits for.
pub fn way(fleet: &Fleet, from: &Mailbox, domain: &str) -> (Option<String>, Option<Parked>) {
    let candidates: Vec<Candidate> = fleet.candidates(false);
    let notifications = fleet.notifications(domain);
    let wish = Wish {
        from,
        notifications: notifications.as_ref(),
        bounce_domain: domain,
        bulk: true,
        size: None,
        forced: None,
        on_mismatch: fleet.rules.on_mismatch,
    };
    let name = |index: usize| fleet.servers.get(index).map(|it| it.name.clone());
    match choose(&wish, &candidates).choice {
        Choice::Leaves { server, .. } => (name(server), None),
        Choice::Waits { until, because, server } => {
            let by = if because == Passed::Full { ParkedBy::Limit } else { ParkedBy::Server };
            (name(server), Some(Parked { by, server: name(server).unwrap_or_default(), until }))
        }
        Choice::Never(_) => (None, None),
    }
}

/// Campaigns in the queue with where each stands.
pub async fn departures(app: &App, fleet: &Fleet) -> Result<Vec<(Campaign, Departure)>, StoreError> {
    let active: Vec<Campaign> = store::decode(app.run(campaigns::active()).await?)?;
    if active.is_empty() {
        return Ok(Vec::new());
    }
    let now = app.now();
    let ids: Vec<&str> = active.iter().map(|it| it.id.as_str()).collect();
    let [states, _] = ledger::states_of(&ids, &[]);
    let mut statements = vec![states, actions::list()];
    statements.extend(active.iter().filter(|it| !it.is_listed).map(|it| audience::count(&it.audience, now)));
    let mut answers = Answers::new(app.db.batch(statements).await?);
    let states: Vec<ledger::CampaignState> = answers.rows()?;
    let all: Vec<actions::ActionState> = answers.rows()?;
    let is_off = all.iter().any(|it| it.name == Action::CampaignQueue && !it.enabled);
    let mut items = Vec::with_capacity(active.len());
    for it in &active {
        let of = |wanted: &[DeliveryState]| -> u32 {
            states.iter().filter(|s| s.id == it.id.as_str() && wanted.contains(&s.state)).map(|s| s.n).sum()
        };
        let recipients = if it.is_listed {
            it.recipients
        } else {
            let counted: Vec<Counted> = answers.rows()?;
            counted.iter().filter(|it| it.left_out.is_none()).map(|it| it.n).sum()
        };
        let left = if it.is_expanded {
            of(&[DeliveryState::Outgoing, DeliveryState::Sending])
        } else {
            let gone = of(&DeliveryState::ALL) - of(&[DeliveryState::Outgoing, DeliveryState::Sending]);
            recipients.saturating_sub(gone)
        };
        let (from, domain) = sender(app, fleet, it).await?;
        items.push(item(it, left, way(fleet, &from, &domain).1));
    }
    let pace = Pace { parked: held_up(app, now).await?, ..pace(fleet, is_off) };
    let found = queue::departures(&items, &pace, now);
    Ok(active.into_iter().zip(found).collect())
}

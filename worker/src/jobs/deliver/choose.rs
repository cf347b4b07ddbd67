//! Each claimed delivery finds its server, or why it must wait or fail. Limits are reserved here, before anything leaves.

use std::collections::BTreeMap;
use std::collections::HashMap;

use mailroom_shared::address::Mailbox;
use mailroom_shared::outbox::choice::Choice;
use mailroom_shared::outbox::choice::Hindrance;
use mailroom_shared::outbox::choice::Passed;
use mailroom_shared::outbox::choice::ReturnPath;
use mailroom_shared::outbox::choice::Wish;
use mailroom_shared::outbox::choice::choose;
use mailroom_shared::outbox::limit;
use mailroom_shared::time::Timestamp;

use super::fleet::Fleet;
use crate::app::App;
use crate::store::Answers;
use crate::store::StoreError;
use crate::store::deliveries::Claimed;
use crate::store::limits;
use crate::store::limits::Bounds;
use crate::store::limits::ClassCount;
use crate::store::servers::BackoffRow;

/// Room for headers, both texts of a mail and what its files grow by.
pub(super) fn size_of(row: &Claimed, files: u64) -> u64 {
    4_000 + row.text.len() as u64 * 3 + files * 4 / 3
}

/// How a mail counts in the meter.
pub(super) fn class_of(row: &Claimed) -> &'static str {
    if row.colleague {
        "colleague"
    } else if row.lane == "urgent" {
        "customer"
    } else {
        "automatic"
    }
}

/// How a delivery leaves.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub from: Mailbox,
    pub is_rewritten: bool,
    pub return_path: ReturnPath,
}

/// Where the rows of a claim go, by their indexes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// By server.
    pub leave: BTreeMap<usize, Vec<(usize, Way)>>,
    /// Not before, and why.
    pub wait: Vec<(usize, Timestamp, &'static str, String)>,
    pub fail: Vec<(usize, Hindrance)>,
}

/// Plans a claim. `sizes` are those of the rows.
pub(super) fn plan(fleet: &Fleet, rows: &[Claimed], sizes: &[u64], backoffs: &[BackoffRow]) -> Plan {
    let (urgent, others) = (fleet.candidates(true), fleet.candidates(false));
    let mut plan = Plan::default();
    for (index, (row, size)) in rows.iter().zip(sizes).enumerate() {
        let notifications = fleet.notifications(&row.domain);
        let wish = Wish {
            from: &row.sender,
            notifications: notifications.as_ref(),
            bounce_domain: &row.domain,
            // A test leaves as the campaign will.
            bulk: row.lane == "bulk" || row.campaign_id.is_some(),
            size: Some(*size),
            forced: None,
            on_mismatch: fleet.rules.on_mismatch,
        };
        let candidates = if row.lane == "urgent" { &urgent } else { &others };
        match choose(&wish, candidates).choice {
            Choice::Leaves { server, from, is_rewritten, return_path, .. } => {
                let id = fleet.servers.get(server).map_or("", |it| it.id.as_str());
                let slowed = backoffs
                    .iter()
                    .find(|it| it.server_id == id && it.domain == row.rcpt_domain && it.until > fleet.now);
                match slowed {
                    Some(it) => plan.wait.push((index, it.until, "domain", row.rcpt_domain.clone())),
                    None => {
                        plan.leave.entry(server).or_default().push((index, Way { from, is_rewritten, return_path }));
                    }
                }
            }
            Choice::Waits { until, because, server } => {
                let name = fleet.servers.get(server).map(|it| it.name.clone()).unwrap_or_default();
                let why = if because == Passed::Full { "limit" } else { "server" };
                plan.wait.push((index, until, why, name));
            }
            Choice::Never(why) => plan.fail.push((index, why)),
        }
    }
    plan
}

/// What was counted before it left, to be given back when it doesn't.
#[derive(Debug, Default)]
pub(super) struct Reserved(HashMap<usize, i64>);

impl Reserved {
    /// The hour in which a server's mails of this claim were counted; none for a server without limits.
    pub(super) fn hour(&self, server: usize) -> Option<i64> {
        self.0.get(&server).copied()
    }
}

/// Takes what leaves out of the limits; what has no room waits. Counted in one transaction with the check, so that two runs
/// never share the last place.
pub(super) async fn reserve(
    app: &App,
    fleet: &mut Fleet,
    rows: &[Claimed],
    plan: &mut Plan,
) -> Result<Reserved, StoreError> {
    let mut reserved = Reserved::default();
    let limited: Vec<usize> = plan.leave.keys().copied().collect();
    for index in limited {
        for attempt in 0..4 {
            let Some(server) = fleet.servers.get(index).cloned() else { break };
            let usage = fleet.use_of(&server);
            if usage.daily.is_none() && usage.hourly.is_none() {
                break;
            }
            let wanted = plan.leave.remove(&index).unwrap_or_default();
            let urgent = |at: &usize| rows.get(*at).is_some_and(|it| it.lane == "urgent");
            let wants: Vec<bool> = wanted.iter().map(|(at, _)| urgent(at)).collect();
            let granted = limit::grant(&usage, &wants);
            let mut counts: BTreeMap<&'static str, u32> = BTreeMap::new();
            let (mut go, mut stay) = (Vec::new(), Vec::new());
            for (it, may) in wanted.into_iter().zip(granted) {
                if may {
                    if let Some(row) = rows.get(it.0) {
                        *counts.entry(class_of(row)).or_default() += 1;
                    }
                    go.push(it);
                } else {
                    stay.push(it);
                }
            }
            let counts: Vec<ClassCount> = counts.into_iter().map(|(class, n)| ClassCount { class, n }).collect();
            let has_room = if go.is_empty() {
                true
            } else {
                let bounds = Bounds { day_start: fleet.day_hour(), daily: usage.daily, hourly: usage.hourly };
                let statement = limits::reserve(server.id.as_str(), fleet.hour, &counts, bounds);
                app.run(statement).await?.changes > 0
            };
            if has_room || attempt == 3 {
                if !has_room {
                    stay.append(&mut go);
                }
                for (at, _) in stay {
                    let n = go.len() as u32;
                    let after = limit::Use { today: usage.today + n, this_hour: usage.this_hour + n, ..usage };
                    let until = after.full_until(urgent(&at), fleet.day_end, fleet.hour_end).unwrap_or(fleet.hour_end);
                    plan.wait.push((at, until, "limit", server.name.clone()));
                }
                if !go.is_empty() {
                    reserved.0.insert(index, fleet.hour);
                    plan.leave.insert(index, go);
                }
                break;
            }
            // Somebody else was quicker: with his figures it is decided again.
            let mut all = go;
            all.append(&mut stay);
            all.sort_unstable_by_key(|(at, _)| *at);
            plan.leave.insert(index, all);
            let answers = app.db.batch(vec![limits::since(limit::hour(fleet.day_start).0)]).await?;
            fleet.usage = Answers::new(answers).rows()?;
        }
    }
    Ok(reserved)
}

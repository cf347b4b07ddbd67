//! Departure: campaigns leave one after the other, strictly in the order in which they were created. One that is not due
//! or paused holds up nobody; one that waits for a server or a limit holds up those behind it, and says so.

use serde::Deserialize;
use serde::Serialize;

use super::state::CampaignState;
use crate::outbox::breaker::Trip;
use crate::time::Span;
use crate::time::Timestamp;

/// A campaign in the queue as the order sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub state: CampaignState,
    pub created: Timestamp,
    /// Not before.
    pub scheduled: Option<Timestamp>,
    /// Recipients that have not been handed over yet.
    pub left: u32,
    /// What the mails that are next wait for.
    pub parked: Option<Parked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParkedBy {
    /// The daily or hourly limit is used up.
    Limit,
    /// The server rests after trouble.
    Server,
    /// The recipients' server asked to slow down.
    Domain,
    /// Too many addresses of the last day did not exist.
    Bounces,
    /// Too many recipients of the last day complained.
    Complaints,
}

impl ParkedBy {
    /// Ends when figures are better, which nobody can date.
    pub const fn is_open_ended(self) -> bool {
        matches!(self, Self::Bounces | Self::Complaints)
    }
}

impl From<Trip> for ParkedBy {
    fn from(it: Trip) -> Self {
        match it {
            Trip::Bounces => Self::Bounces,
            Trip::Complaints => Self::Complaints,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Parked {
    pub by: ParkedBy,
    pub server: String,
    pub until: Timestamp,
}

/// What limits the pace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// A server marked *bulk* is there.
    pub has_server: bool,
    /// Mails that may still leave today; `None` without a limit.
    pub room_today: Option<u32>,
    /// Mails of a whole day; `None` without a limit.
    pub per_day: Option<u32>,
    /// The limit begins anew.
    pub day_end: Timestamp,
    /// All servers that take campaigns are full or rest.
    pub parked: Option<Parked>,
    /// The scheduled action is switched off.
    pub is_off: bool,
}

/// Mails a minute when nothing limits them: what one connection to a near server takes with room to spare.
pub const PER_MINUTE: u32 = 1_500;

/// Why a campaign does not move now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Waits {
    /// A person paused it.
    Pause,
    /// Its date has not come.
    Schedule {
        until: Timestamp,
    },
    /// Campaigns created before it are not handed over yet.
    Turn {
        ahead: u32,
    },
    Parked {
        parked: Parked,
    },
    /// No outgoing server is marked *bulk*.
    NoServer,
    /// The action *Campaign queue* is switched off.
    ActionOff,
}

/// Mails of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    pub starts: Timestamp,
    pub ends: Timestamp,
    pub n: u32,
}

/// Where a campaign stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Departure {
    /// From 1; none while it is paused.
    pub position: Option<u32>,
    pub waits: Option<Waits>,
    /// What is left, day by day; empty when nobody can tell.
    pub parts: Vec<Part>,
}

/// Parts that are worth telling.
const MOST_PARTS: usize = 60;

const fn is_due(item: &Item, now: Timestamp) -> bool {
    match item.scheduled {
        Some(at) => at.as_millis() <= now.as_millis(),
        None => true,
    }
}

/// Indexes in the order of departure: by creation, those whose date has not come after the others by their date, paused
/// ones last.
pub fn order(items: &[Item], now: Timestamp) -> Vec<usize> {
    let mut indexes: Vec<usize> = (0..items.len()).collect();
    indexes.sort_by_key(|index| {
        items.get(*index).map(|it| {
            let is_paused = it.state == CampaignState::Paused;
            let date = it.scheduled.filter(|_| it.state == CampaignState::Queued && !is_due(it, now));
            (is_paused, date, it.created, *index)
        })
    });
    indexes
}

/// The campaign that begins now: none while another has something left to hand over.
pub fn next(items: &[Item], now: Timestamp) -> Option<usize> {
    if items.iter().any(|it| it.state == CampaignState::Sending && it.left > 0) {
        return None;
    }
    let first =
        order(items, now).into_iter().find(|i| items.get(*i).is_some_and(|it| it.state == CampaignState::Queued))?;
    items.get(first).filter(|it| is_due(it, now)).map(|_| first)
}

/// Position, reason and estimate of each, by index.
pub fn departures(items: &[Item], pace: &Pace, now: Timestamp) -> Vec<Departure> {
    let mut out = vec![Departure { position: None, waits: None, parts: Vec::new() }; items.len()];
    let mut clock = Clock::new(pace, now);
    let mut ahead = 0;
    for (index, item) in order(items, now).into_iter().filter_map(|i| items.get(i).map(|it| (i, it))) {
        let Some(slot) = out.get_mut(index) else { continue };
        if item.state == CampaignState::Paused {
            slot.waits = Some(Waits::Pause);
            continue;
        }
        slot.position = Some(ahead + 1);
        slot.waits = waits(item, pace, ahead, now);
        let is_open_ended =
            [item.parked.as_ref(), pace.parked.as_ref()].into_iter().flatten().any(|it| it.by.is_open_ended());
        let is_known = !is_open_ended && !matches!(slot.waits, Some(Waits::NoServer | Waits::ActionOff));
        if is_known && pace.has_server && !pace.is_off {
            let not_before = item.scheduled.unwrap_or(now).max(item.parked.as_ref().map_or(now, |it| it.until));
            slot.parts = clock.take(item.left, not_before);
        }
        ahead += 1;
    }
    out
}

fn waits(item: &Item, pace: &Pace, ahead: u32, now: Timestamp) -> Option<Waits> {
    if !pace.has_server {
        return Some(Waits::NoServer);
    }
    if pace.is_off && item.state == CampaignState::Queued {
        return Some(Waits::ActionOff);
    }
    if item.state == CampaignState::Queued {
        if let Some(until) = item.scheduled.filter(|_| !is_due(item, now)) {
            return Some(Waits::Schedule { until });
        }
        if ahead > 0 {
            return Some(Waits::Turn { ahead });
        }
    }
    // What holds up all of them says more than what one of them would meet next.
    let parked = pace
        .parked
        .clone()
        .filter(|it| it.by.is_open_ended())
        .or_else(|| item.parked.clone())
        .or_else(|| pace.parked.clone());
    parked.filter(|it| it.until > now).map(|parked| Waits::Parked { parked })
}

/// Hands out time, day by day.
struct Clock {
    at: Timestamp,
    room: Option<u32>,
    per_day: Option<u32>,
    day_end: Timestamp,
}

impl Clock {
    fn new(pace: &Pace, now: Timestamp) -> Self {
        let rests = pace.parked.as_ref().filter(|it| it.by != ParkedBy::Limit).map_or(now, |it| it.until.max(now));
        Self {
            at: rests,
            room: pace.room_today,
            per_day: pace.per_day,
            day_end: pace.day_end.max(now + Span::millis(1)),
        }
    }

    fn next_day(&mut self) {
        self.at = self.at.max(self.day_end);
        self.day_end = self.day_end + Span::days(1);
        self.room = self.per_day;
    }

    fn take(&mut self, mut left: u32, not_before: Timestamp) -> Vec<Part> {
        let mut parts = Vec::new();
        // A date far away begins a day of its own.
        while not_before >= self.day_end && parts.len() < MOST_PARTS {
            let days = ((not_before - self.day_end).as_millis() / 86_400_000).max(0);
            self.day_end = self.day_end + Span::days(days);
            self.next_day();
        }
        self.at = self.at.max(not_before);
        while left > 0 && parts.len() < MOST_PARTS {
            let n = self.room.map_or(left, |room| room.min(left));
            if n == 0 {
                if self.per_day == Some(0) {
                    break;
                }
                self.next_day();
                continue;
            }
            let ends = self.at + Span::millis(i64::from(n) * 60_000 / i64::from(PER_MINUTE));
            parts.push(Part { starts: self.at, ends, n });
            self.at = ends;
            self.room = self.room.map(|room| room - n);
            left -= n;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(0) + Span::minutes(minutes)
    }

    fn item(state: CampaignState, created: i64, left: u32) -> Item {
        Item { state, created: at(created), scheduled: None, left, parked: None }
    }

    fn pace(room: Option<u32>, per_day: Option<u32>) -> Pace {
        Pace { has_server: true, room_today: room, per_day, day_end: at(24 * 60), ..Pace::default() }
    }

    use CampaignState::Paused;
    use CampaignState::Queued;
    use CampaignState::Sending;

    #[test]
    fn strictly_by_creation_and_one_after_the_other() {
        let now = at(100);
        let mut items = vec![item(Queued, 3, 10), item(Queued, 1, 10), item(Queued, 2, 10)];
        assert_eq!((order(&items, now), next(&items, now)), (vec![1, 2, 0], Some(1)));
        items[1].state = Sending;
        assert_eq!(next(&items, now), None, "the first has something left");
        items[1].left = 0;
        assert_eq!(next(&items, now), Some(2));
        items[2].state = Paused;
        assert_eq!(next(&items, now), Some(0), "a paused one holds up nobody");
        items[0].scheduled = Some(at(200));
        assert_eq!(next(&items, now), None, "its date has not come");
        assert_eq!(next(&items, at(200)), Some(0));
    }

    #[test]
    fn a_later_campaign_leaves_before_one_that_is_not_due() {
        let items = vec![Item { scheduled: Some(at(500)), ..item(Queued, 1, 10) }, item(Queued, 2, 10)];
        assert_eq!(next(&items, at(100)), Some(1));
        let found = departures(&items, &pace(None, None), at(100));
        assert_eq!(found[0].waits, Some(Waits::Schedule { until: at(500) }));
        assert_eq!((found[0].position, found[1].position), (Some(2), Some(1)));
        assert_eq!(found[0].parts[0].starts, at(500));
        assert_eq!(next(&items, at(500)), Some(0), "both are due: by creation");
    }

    #[test]
    fn each_says_why_it_waits() {
        let now = at(100);
        let parked = Parked { by: ParkedBy::Server, server: "mx-bulk".to_owned(), until: at(130) };
        let items = vec![
            Item { parked: Some(parked.clone()), ..item(Sending, 1, 5) },
            item(Queued, 2, 5),
            item(Paused, 3, 5),
            item(Queued, 4, 5),
        ];
        let why: Vec<_> = departures(&items, &pace(None, None), now).into_iter().map(|it| it.waits).collect();
        assert_eq!(
            why,
            [
                Some(Waits::Parked { parked }),
                Some(Waits::Turn { ahead: 1 }),
                Some(Waits::Pause),
                Some(Waits::Turn { ahead: 2 })
            ]
        );
        let none = departures(&items, &Pace::default(), now);
        assert_eq!((&none[1].waits, none[1].parts.len()), (&Some(Waits::NoServer), 0));
        let off = departures(&items, &Pace { is_off: true, ..pace(None, None) }, now);
        assert_eq!(off[1].waits, Some(Waits::ActionOff));
    }

    #[test]
    fn the_daily_limit_spreads_over_days() {
        let items = vec![item(Sending, 1, 1_000), item(Queued, 2, 2_500)];
        let found = departures(&items, &pace(Some(1_500), Some(1_800)), at(60));
        let parts = |i: usize| found[i].parts.iter().map(|it| (it.starts, it.n)).collect::<Vec<_>>();
        let (day, day2) = (at(24 * 60), at(48 * 60));
        assert_eq!(parts(0), [(at(60), 1_000)]);
        assert_eq!(parts(1), [(found[0].parts[0].ends, 500), (day, 1_800), (day2, 200)]);
        let none = departures(&items, &pace(Some(0), Some(0)), at(60));
        assert!(none[0].parts.is_empty(), "a limit of nothing never ends");
    }
}

//! The daily limit: how much may leave by the built-in server, what it depends on, what it means for each lane, and when it
//! begins anew. External servers have limits of their own, which count the same way.

use serde::Deserialize;
use serde::Serialize;

use crate::time::Span;
use crate::time::Timestamp;

/// Type of the subscription.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    OneAppFree,
    Trial,
    #[default]
    Paying,
}

impl Plan {
    pub const ALL: [Self; 3] = [Self::OneAppFree, Self::Trial, Self::Paying];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneAppFree => "one_app_free",
            Self::Trial => "trial",
            Self::Paying => "paying",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// A row of the table: the first that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LimitRow {
    /// Any without.
    #[serde(default)]
    pub plan: Option<Plan>,
    /// Marketing apps are installed; either without.
    #[serde(default)]
    pub marketing: Option<bool>,
    /// A database migration goes on; either without.
    #[serde(default)]
    pub migrating: Option<bool>,
    pub limit: u32,
}

/// All that an administrator may set about the daily limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct LimitPolicy {
    pub plan: Plan,
    pub marketing: bool,
    pub migrating: bool,
    pub table: Vec<LimitRow>,
    /// A figure that was agreed on; it wins over the table.
    pub granted: Option<u32>,
    /// Hundredths of the limit that only urgent mail may use.
    pub reserve: u32,
    /// Hour (UTC) at which the count begins anew.
    pub resets_at: u32,
}

impl Default for LimitPolicy {
    fn default() -> Self {
        let row = |plan, marketing, migrating, limit| LimitRow { plan, marketing, migrating, limit };
        Self {
            plan: Plan::default(),
            marketing: false,
            migrating: false,
            table: vec![
                row(Some(Plan::OneAppFree), Some(true), None, 5),
                row(Some(Plan::OneAppFree), None, None, 20),
                row(None, None, Some(true), 50),
                row(Some(Plan::Trial), None, None, 50),
                row(None, None, None, 200),
            ],
            granted: None,
            reserve: 10,
            resets_at: 0,
        }
    }
}

impl LimitPolicy {
    /// Mails per day.
    pub fn limit(&self) -> u32 {
        let fits = |row: &&LimitRow| {
            row.plan.is_none_or(|it| it == self.plan)
                && row.marketing.is_none_or(|it| it == self.marketing)
                && row.migrating.is_none_or(|it| it == self.migrating)
        };
        self.granted.unwrap_or_else(|| self.table.iter().find(fits).map_or(LEAST, |it| it.limit))
    }

    /// Fields that are wrong, with the key of the sentence.
    pub fn check(&self) -> Vec<(&'static str, &'static str)> {
        let mut wrong = Vec::new();
        if self.table.is_empty() || self.table.len() > 20 {
            wrong.push(("table", "required"));
        }
        if self.reserve > 90 {
            wrong.push(("reserve", "number"));
        }
        if self.resets_at > 23 {
            wrong.push(("resets_at", "number"));
        }
        wrong
    }
}

/// Where no row fits.
const LEAST: u32 = 5;

/// The day that counts now: since when, until when.
pub fn day(now: Timestamp, resets_at: u32) -> (Timestamp, Timestamp) {
    let shift = Span::hours(i64::from(resets_at)).as_millis();
    let day = Span::days(1).as_millis();
    let start = (now.as_millis() - shift).div_euclid(day) * day + shift;
    (Timestamp::from_millis(start), Timestamp::from_millis(start + day))
}

/// The hour that counts now, as number since 1970, and its end.
pub const fn hour(now: Timestamp) -> (i64, Timestamp) {
    let n = now.as_millis().div_euclid(3_600_000);
    (n, Timestamp::from_millis((n + 1) * 3_600_000))
}

/// Limits and use of one server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    pub daily: Option<u32>,
    pub hourly: Option<u32>,
    /// Hundredths of the daily limit kept for urgent mail.
    pub reserve: u32,
    pub today: u32,
    pub this_hour: u32,
}

impl Use {
    /// Figures kept for urgent mail.
    pub const fn reserved(&self) -> u32 {
        match self.daily {
            Some(daily) => daily * self.reserve / 100,
            None => 0,
        }
    }

    /// How many more may leave today and this hour; `None` is without bounds.
    pub fn room(&self, urgent: bool) -> Option<u32> {
        let kept = if urgent { 0 } else { self.reserved() };
        let of_day = self.daily.map(|it| it.saturating_sub(kept).saturating_sub(self.today));
        let of_hour = self.hourly.map(|it| it.saturating_sub(self.this_hour));
        match (of_day, of_hour) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// When there is room again: the end of the hour, or of the day when that is what is used up.
    pub fn full_until(&self, urgent: bool, day_end: Timestamp, hour_end: Timestamp) -> Option<Timestamp> {
        if self.room(urgent) != Some(0) {
            return None;
        }
        let kept = if urgent { 0 } else { self.reserved() };
        let day_is_full = self.daily.is_some_and(|it| it.saturating_sub(kept) <= self.today);
        Some(if day_is_full { day_end } else { hour_end })
    }

    /// Hundredths of the day used.
    pub fn percent(&self) -> Option<u32> {
        self.daily.map(|it| if it == 0 { 100 } else { (u64::from(self.today) * 100 / u64::from(it)) as u32 })
    }
}

/// Of those who want to leave (true is urgent), who may: urgent ones first, each lane in the order given.
pub fn grant(it: &Use, wants: &[bool]) -> Vec<bool> {
    let mut left = *it;
    let mut out = vec![false; wants.len()];
    for urgent in [true, false] {
        for (slot, _) in out.iter_mut().zip(wants).filter(|(_, want)| **want == urgent) {
            if left.room(urgent) == Some(0) {
                break;
            }
            *slot = true;
            left.today += 1;
            left.this_hour += 1;
        }
    }
    out
}

/// The limit that counts, when the provider's own *no more today* taught one: that of today as it was met, later ones a
/// tenth above, so that a limit that grows is found.
pub fn learned(configured: Option<u32>, met: Option<(u32, Timestamp)>, day_start: Timestamp) -> Option<u32> {
    let Some((n, at)) = met else { return configured };
    let days = ((day_start - at).as_millis() / Span::days(1).as_millis() + i64::from(at < day_start)).max(0);
    let mut limit = u64::from(n.max(1));
    for _ in 0..days.min(30) {
        limit += limit.div_ceil(10);
    }
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    Some(configured.map_or(limit, |it| it.min(limit)))
}

/// A warning to give once per day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    Eighty,
    Ninety,
    Reached,
}

impl Warning {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eighty => "limit_80",
            Self::Ninety => "limit_90",
            Self::Reached => "limit_reached",
        }
    }
}

pub fn warning(it: &Use) -> Option<Warning> {
    match it.percent()? {
        100.. => Some(Warning::Reached),
        90..=99 => Some(Warning::Ninety),
        80..=89 => Some(Warning::Eighty),
        _ => None,
    }
}

/// When the day's limit will be reached if mail goes on as in the last three hours; `None` when it will not.
pub fn forecast(it: &Use, per_hour: &[(i64, u32)], now: Timestamp, day_end: Timestamp) -> Option<Timestamp> {
    let daily = it.daily?;
    let left = daily.saturating_sub(it.today);
    if left == 0 {
        return Some(now);
    }
    let (this, _) = hour(now);
    let recent: u32 = per_hour.iter().filter(|(h, _)| *h > this - 3 && *h <= this).map(|(_, n)| n).sum();
    if recent == 0 {
        return None;
    }
    let span = now - Timestamp::from_millis((this - 2) * 3_600_000);
    let millis = i64::from(left) * span.as_millis() / i64::from(recent);
    let at = now + Span::millis(millis);
    (at < day_end).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_decides_by_plan_apps_and_migration() {
        for (plan, marketing, migrating, expected) in [
            (Plan::Paying, false, false, 200),
            (Plan::Paying, true, false, 200),
            (Plan::Paying, false, true, 50),
            (Plan::Trial, false, false, 50),
            (Plan::OneAppFree, false, false, 20),
            (Plan::OneAppFree, true, true, 5),
        ] {
            let policy = LimitPolicy { plan, marketing, migrating, ..LimitPolicy::default() };
            assert_eq!(policy.limit(), expected, "{plan:?} {marketing} {migrating}");
        }
        let granted = LimitPolicy { granted: Some(2_000), ..LimitPolicy::default() };
        assert_eq!(granted.limit(), 2_000);
        assert_eq!(LimitPolicy { table: Vec::new(), ..LimitPolicy::default() }.limit(), 5);
    }

    #[test]
    fn the_day_begins_at_its_hour() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        for (now, hour, start) in [
            ("2026-11-24T10:00:00Z", 0, "2026-11-24T00:00:00Z"),
            ("2026-11-24T22:59:59Z", 23, "2026-11-23T23:00:00Z"),
            ("2026-11-24T23:00:00Z", 23, "2026-11-24T23:00:00Z"),
        ] {
            let (from, to) = day(at(now), hour);
            assert_eq!(from, at(start), "{now}");
            assert_eq!((to - from).as_millis(), 86_400_000);
        }
    }

    const FIFTY: Use = Use { daily: Some(50), hourly: None, reserve: 10, today: 0, this_hour: 0 };

    #[test]
    fn urgent_mail_keeps_a_reserve() {
        let check =
            |today, urgent, expected| assert_eq!(Use { today, ..FIFTY }.room(urgent), Some(expected), "{today}");
        check(0, true, 50);
        check(0, false, 45);
        check(45, false, 0);
        check(45, true, 5);
        check(60, true, 0);
        assert_eq!(Use::default().room(false), None);
        // Normal ones came first, urgent ones go first.
        let wants = [false, false, true, true, false];
        let got = grant(&Use { today: 43, ..FIFTY }, &wants);
        assert_eq!(got, [false, false, true, true, false], "45 and more are kept");
        assert_eq!(grant(&Use { today: 40, ..FIFTY }, &wants), [true, true, true, true, true]);
        assert_eq!(
            grant(&Use { daily: Some(17), reserve: 0, ..FIFTY }, &[true; 50]).iter().filter(|it| **it).count(),
            17
        );
    }

    #[test]
    fn full_until_the_bound_that_is_used_up_ends() {
        let (day_end, hour_end) = (Timestamp::from_millis(90), Timestamp::from_millis(9));
        let both = Use { hourly: Some(10), this_hour: 10, today: 12, ..FIFTY };
        assert_eq!(both.full_until(true, day_end, hour_end), Some(hour_end));
        assert_eq!(Use { today: 50, ..both }.full_until(true, day_end, hour_end), Some(day_end));
        assert_eq!(Use { today: 45, ..FIFTY }.full_until(true, day_end, hour_end), None);
        assert_eq!(Use { today: 45, ..FIFTY }.full_until(false, day_end, hour_end), Some(day_end));
    }

    #[test]
    fn warnings_come_at_80_90_and_the_limit() {
        for (today, expected) in [
            (39, None),
            (40, Some(Warning::Eighty)),
            (45, Some(Warning::Ninety)),
            (50, Some(Warning::Reached)),
            (51, Some(Warning::Reached)),
        ] {
            assert_eq!(warning(&Use { today, ..FIFTY }), expected, "{today}");
        }
        assert_eq!(warning(&Use { daily: Some(0), ..FIFTY }), Some(Warning::Reached));
        assert_eq!(warning(&Use::default()), None);
    }

    #[test]
    fn a_provider_teaches_its_limit_and_may_raise_it() {
        let start = Timestamp::parse_rfc3339("2026-11-24T00:00:00Z").unwrap();
        let at = |text: &str| Some((100, Timestamp::parse_rfc3339(text).unwrap()));
        assert_eq!(learned(Some(200), None, start), Some(200));
        assert_eq!(learned(Some(200), at("2026-11-24T09:00:00Z"), start), Some(100), "today as it was met");
        assert_eq!(learned(None, at("2026-11-23T09:00:00Z"), start), Some(110), "tomorrow a tenth more");
        assert_eq!(learned(Some(105), at("2026-11-20T09:00:00Z"), start), Some(105), "never above what is set");
    }

    #[test]
    fn the_forecast_follows_the_last_hours() {
        let now = Timestamp::parse_rfc3339("2026-11-24T12:00:00Z").unwrap();
        let (_, end) = day(now, 0);
        let (h, _) = hour(now);
        let it = Use { today: 30, ..FIFTY };
        let at = forecast(&it, &[(h - 2, 5), (h - 1, 5), (h, 0), (h - 9, 40)], now, end);
        assert_eq!(at, Some(now + Span::hours(4)), "20 left at 5 an hour");
        assert_eq!(forecast(&it, &[(h, 1)], now, end), None, "not today");
        assert_eq!(forecast(&it, &[], now, end), None);
        assert_eq!(forecast(&Use { today: 50, ..FIFTY }, &[], now, end), Some(now));
    }
}

//! Points in time, in milliseconds since 1970-01-01 UTC. Nothing here reads a clock.

use serde::Deserialize;
use serde::Serialize;

/// A point in time with millisecond precision; on the wire an integer of milliseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    pub const fn millis(n: i64) -> Self {
        Self(n)
    }
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1_000)
    }
    pub const fn minutes(n: i64) -> Self {
        Self(n * 60_000)
    }
    pub const fn hours(n: i64) -> Self {
        Self(n * 3_600_000)
    }
    pub const fn days(n: i64) -> Self {
        Self(n * 86_400_000)
    }
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

impl core::ops::Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl core::ops::Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl core::ops::Sub<Timestamp> for Timestamp {
    type Output = Span;
    fn sub(self, other: Timestamp) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

/// Calendar fields of a point in time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    /// 0 = Sunday.
    pub weekday: i64,
}

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// From the number a database or JavaScript hands out.
    pub const fn from_f64(millis: f64) -> Self {
        Self(millis as i64)
    }

    /// From calendar fields in UTC (proleptic Gregorian; Howard Hinnant's `days_from_civil`).
    pub const fn from_civil(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Self {
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        let days = era * 146_097 + doe - 719_468;
        Self(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000)
    }

    /// Calendar fields in UTC.
    pub const fn civil(self) -> Civil {
        let seconds = self.0.div_euclid(1_000);
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil {
            year: yoe + era * 400 + if month <= 2 { 1 } else { 0 },
            month,
            day: doy - (153 * mp + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest % 3_600 / 60,
            second: rest % 60,
            weekday: (days + 4).rem_euclid(7),
        }
    }

    /// `2026-11-24T10:00:00Z` (RFC 3339, UTC, seconds).
    pub fn to_rfc3339(self) -> String {
        let c = self.civil();
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }

    /// `Tue, 24 Nov 2026 10:00:00 +0000` (RFC 5322 section 3.3).
    pub fn to_rfc5322(self) -> String {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let c = self.civil();
        let day = DAYS.get(c.weekday as usize).copied().unwrap_or_default();
        let month = MONTHS.get(c.month as usize - 1).copied().unwrap_or_default();
        format!("{day}, {:02} {month} {} {:02}:{:02}:{:02} +0000", c.day, c.year, c.hour, c.minute, c.second)
    }

    /// Reads `2026-11-24T10:00:00[.sss](Z|±hh:mm)` (RFC 3339).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let number = |range: core::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<i64>().ok());
        let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if separators.iter().any(|(i, c)| text.as_bytes().get(*i) != Some(c)) {
            return None;
        }
        let base = Self::from_civil(
            number(0..4)?,
            number(5..7)?,
            number(8..10)?,
            number(11..13)?,
            number(14..16)?,
            number(17..19)?,
        );
        let mut rest = text.get(19..)?;
        let mut millis = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            let digits: String = fraction.get(..end)?.chars().chain("000".chars()).take(3).collect();
            millis = digits.parse().ok()?;
            rest = fraction.get(end..)?;
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = match rest.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let hours: i64 = rest.get(1..3)?.parse().ok()?;
                let minutes: i64 = rest.get(4..6)?.parse().ok()?;
                sign * (hours * 60 + minutes)
            }
        };
        Some(Self(base.0 + millis - offset * 60_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_back() {
        for text in ["2026-11-24T10:00:00Z", "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "1969-12-31T23:59:59Z"] {
            let at = Timestamp::parse_rfc3339(text).unwrap();
            assert_eq!(at.to_rfc3339(), text);
        }
        let at = Timestamp::parse_rfc3339("2026-11-24T12:00:00.5+02:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-24T10:00:00Z");
        assert_eq!(at.as_millis() % 1_000, 500);
        assert_eq!(at.to_rfc5322(), "Tue, 24 Nov 2026 10:00:00 +0000");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }
}

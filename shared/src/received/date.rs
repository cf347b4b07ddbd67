//! Dates of headers, as mailers really write them; mail-parser reads what is regular.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use crate::time::Timestamp;

/// A date as mailers write it (RFC 5322 section 3.3 and what resembles it), in UTC. Without an offset it counts as UTC.
pub fn parse_date(value: &str) -> Option<Timestamp> {
    let input = format!("{}\n", value.trim());
    if let HeaderValue::DateTime(date) = MessageStream::new(input.as_bytes()).parse_date()
        && date.is_valid()
        && date.year >= 1970
        && is_day(i64::from(date.year), i64::from(date.month), i64::from(date.day))
    {
        return Some(Timestamp::from_millis(date.to_timestamp() * 1_000));
    }
    Timestamp::parse_rfc3339(value.trim()).or_else(|| scan_date(value))
}

/// The month has that day.
const fn is_day(year: i64, month: i64, day: i64) -> bool {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    };
    1 <= month && month <= 12 && 1 <= day && day <= last
}

/// Finds year, month, day, time and zone in any order: `Tue Nov 24 10:00:00 2026`, `24-Nov-26 10.00`, a leap second.
fn scan_date(value: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let value = value.get(..value.len().min(200)).unwrap_or(value).to_ascii_lowercase();
    let (mut day, mut month, mut year, mut time, mut zone) = (None, None, None, None, 0);
    for word in value.split(|c: char| c.is_whitespace() || c == ',').flat_map(|it| it.split('/')) {
        if let Some(digits) = word.strip_prefix(['+', '-']) {
            let digits = digits.replace(':', "");
            if let (4, Ok(number)) = (digits.len(), digits.parse::<i64>()) {
                zone = (number / 100 * 60 + number % 100) * if word.starts_with('-') { -1 } else { 1 };
            }
            continue;
        }
        if word.contains(':') {
            let mut fields = word.split([':', '.']).map(|it| it.parse::<i64>().ok());
            let (hour, minute) = (fields.next().flatten()?, fields.next().flatten()?);
            time = Some((hour, minute, fields.next().flatten().unwrap_or(0).min(59)));
            continue;
        }
        for piece in word.split('-').filter(|it| !it.is_empty()) {
            if let Some((number, _)) = (1..).zip(MONTHS).find(|(_, it)| piece.starts_with(it)) {
                month = Some(number);
            } else if let Ok(number) = piece.parse::<i64>() {
                match number {
                    1_900..=9_999 => year = Some(number),
                    1..=31 if day.is_none() => day = Some(number),
                    0..=99 if year.is_none() => year = Some(if number < 70 { number + 2_000 } else { number + 1_900 }),
                    _ => {}
                }
            }
        }
    }
    let (hour, minute, second) = time?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let (year, month, day) = (year?, month?, day?);
    if !is_day(year, month, day) {
        return None;
    }
    let at = Timestamp::from_civil(year, month, day, hour, minute, second);
    Some(Timestamp::from_millis(at.as_millis() - zone * 60_000))
}

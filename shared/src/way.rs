//! The way of a mail as stretches: hosts, and how long each had it. `received` reads it from a mail; here is what a
//! drawing of it needs.

use serde::Deserialize;
use serde::Serialize;

use crate::time::Span;
use crate::time::Timestamp;

/// Clocks of two hosts may differ by so much without anybody noticing.
pub const CLOCK_SKEW: Span = Span::seconds(3);

/// A stretch of the way: a host, and how long it had the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stop {
    /// Host name; empty when nobody wrote it down.
    pub name: String,
    /// Address or name that the next stop saw.
    pub seen: Option<String>,
    /// Protocol it came by (`ESMTPS`).
    pub with: Option<String>,
    /// The way to it was encrypted; unknown for the first.
    pub encrypted: Option<bool>,
    /// When it got the mail, by its own clock.
    pub at: Option<Timestamp>,
    /// Milliseconds until the next stop had it.
    pub stay: Option<Span>,
    /// The next stop had it earlier than this one: a clock is wrong by more than [`CLOCK_SKEW`].
    pub backwards: bool,
}

/// A bar to draw, in thousandths of the whole way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    pub start: u32,
    pub length: u32,
}

/// Where the bars of stops lie, and when the drawing begins and ends. A stop without a time, and one whose clock runs
/// ahead, has none.
pub fn bars(stops: &[Stop]) -> (Vec<Option<Bar>>, Option<(Timestamp, Timestamp)>) {
    let begin = stops.iter().filter(|it| !it.backwards).filter_map(|it| it.at).min();
    let end = stops
        .iter()
        .filter(|it| !it.backwards)
        .filter_map(|it| it.at.map(|at| at + it.stay.unwrap_or(Span::millis(0))))
        .max();
    let (Some(begin), Some(end)) = (begin, end) else { return (stops.iter().map(|_| None).collect(), None) };
    let whole = (end - begin).as_millis().max(1);
    let part = |span: Span| (span.as_millis().clamp(0, whole) * 1_000 / whole) as u32;
    let bars = stops
        .iter()
        .map(|it| {
            let at = it.at.filter(|_| !it.backwards)?;
            Some(Bar { start: part(at - begin), length: it.stay.map_or(0, part) })
        })
        .collect();
    (bars, Some((begin, end)))
}

/// The stop where the mail lay longest, when that was more than half of its way and more than a minute.
pub fn held_up(stops: &[Stop]) -> Option<usize> {
    let whole: i64 = stops.iter().filter_map(|it| it.stay).map(Span::as_millis).sum();
    let (index, longest) =
        stops.iter().enumerate().filter_map(|(i, it)| Some((i, it.stay?.as_millis()))).max_by_key(|(_, stay)| *stay)?;
    (longest > 60_000 && longest * 2 > whole).then_some(index)
}

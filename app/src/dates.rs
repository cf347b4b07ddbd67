//! Dates and times in the reader's language and time zone, by the browser's own formatter: no tables to ship.

use std::cell::RefCell;

use gloo::timers::callback::Interval;
use js_sys::Array;
use js_sys::Date;
use js_sys::Object;
use js_sys::Reflect;
use leptos::prelude::*;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use wasm_bindgen::JsValue;

use crate::i18n;
use crate::model::when;
use crate::model::when::Age;
use crate::t;
use crate::tn;

/// How a point in time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// 13:59
    Time,
    /// 13:59:08
    Seconds,
    /// Tuesday 24 November
    Day,
    /// 24 Nov 2026
    Date,
    /// 24 Nov
    Short,
    /// Thu 13:59
    WeekdayTime,
    /// Tuesday, 24 November 2026 at 13:59:08
    Full,
}

impl Style {
    fn options(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Time => &[("hour", "2-digit"), ("minute", "2-digit")],
            Self::Seconds => &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")],
            Self::Day => &[("weekday", "long"), ("day", "numeric"), ("month", "long")],
            Self::Date => &[("day", "numeric"), ("month", "short"), ("year", "numeric")],
            Self::Short => &[("day", "numeric"), ("month", "short")],
            Self::WeekdayTime => &[("weekday", "short"), ("hour", "2-digit"), ("minute", "2-digit")],
            Self::Full => &[("dateStyle", "full"), ("timeStyle", "medium")],
        }
    }
}

thread_local! {
    /// A formatter costs a millisecond to make and is asked for hundreds of times.
    static FORMATS: RefCell<Vec<((&'static str, Style), js_sys::Function)>> = const { RefCell::new(Vec::new()) };
}

fn formatter(style: Style) -> js_sys::Function {
    // British order of day and month; Mailroom's English is read all over the world.
    let locale = match i18n::lang_now().code() {
        "en" => "en-GB",
        code => code,
    };
    let known =
        FORMATS.with(|all| all.borrow().iter().find(|(it, _)| *it == (locale, style)).map(|(_, it)| it.clone()));
    known.unwrap_or_else(|| {
        let options = Object::new();
        for (name, value) in style.options() {
            let _ = Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value));
        }
        let _ = Reflect::set(&options, &JsValue::from_str("hourCycle"), &JsValue::from_str("h23"));
        let made = js_sys::Intl::DateTimeFormat::new(&Array::of1(&JsValue::from_str(locale)), &options).format();
        FORMATS.with(|all| all.borrow_mut().push(((locale, style), made.clone())));
        made
    })
}

/// A point in time as text.
pub fn format(at: Timestamp, style: Style) -> String {
    let date = Date::new(&JsValue::from_f64(at.as_millis() as f64));
    formatter(style).call1(&JsValue::NULL, &date).ok().and_then(|it| it.as_string()).unwrap_or_default()
}

/// Minutes east of UTC at a point in time.
pub fn offset(at: Timestamp) -> i64 {
    -(Date::new(&JsValue::from_f64(at.as_millis() as f64)).get_timezone_offset() as i64)
}

/// The browser's clock.
pub fn now() -> Timestamp {
    Timestamp::from_f64(Date::now())
}

fn is_same_day(a: Timestamp, b: Timestamp) -> bool {
    when::local_day(a, offset(a)) == when::local_day(b, offset(b))
}

/// `Today, Tuesday 24 November`.
pub fn day_line(at: Timestamp, now: Timestamp) -> String {
    let day = format(at, Style::Day);
    let days = when::local_day(now, offset(now)) - when::local_day(at, offset(at));
    match days {
        0 => t!("day.today", day = day),
        1 => t!("day.yesterday", day = day),
        -1..=300 => day,
        _ => format(at, Style::Date),
    }
}

/// The time today, else day and time: for *sent …* and *next try …*.
pub fn when_text(at: Timestamp, now: Timestamp) -> String {
    let far = (at - now).as_millis().abs();
    if is_same_day(at, now) {
        format(at, Style::Time)
    } else if far < 6 * 86_400_000 {
        format(at, Style::WeekdayTime)
    } else {
        format(at, Style::Date)
    }
}

/// `8 min`, `2 h`, `yesterday`, `24 Nov`: the narrow column of lists.
pub fn age_text(at: Timestamp, now: Timestamp) -> String {
    match when::age(now, at) {
        Age::Now => t!("age.now"),
        Age::Seconds(n) => t!("age.seconds", n = n),
        Age::Minutes(n) => t!("age.minutes", n = n),
        Age::Hours(n) if n < 6 || is_same_day(at, now) => t!("age.hours", n = n),
        Age::Hours(_) | Age::Days(1) => t!("age.yesterday"),
        Age::Days(n) => tn!("age.days", n),
        Age::Date => format(at, Style::Short),
    }
}

/// The decimal sign of the language.
pub fn decimal() -> char {
    if i18n::lang_now().code() == "vi" { ',' } else { '.' }
}

/// A whole number with the language's separators.
pub fn number(n: u32) -> String {
    let separator = if decimal() == ',' { '.' } else { ',' };
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// The time, moved on every ten seconds: enough for ages.
#[derive(Clone, Copy)]
pub struct Clock(pub RwSignal<Timestamp>);

/// Makes [`use_now`] work below.
pub fn provide_clock() {
    let clock = RwSignal::new(now());
    StoredValue::new_local(Interval::new(10_000, move || clock.set(now())));
    provide_context(Clock(clock));
}

pub fn use_now() -> RwSignal<Timestamp> {
    use_context::<Clock>().map_or_else(|| RwSignal::new(now()), |it| it.0)
}

/// Seconds until a point in time, counted down.
pub fn use_countdown(from: Timestamp, at: Timestamp) -> ReadSignal<i64> {
    let (left, set_left) = signal(when::countdown(from, at, now()));
    let timer = Interval::new(500, move || {
        let seconds = when::countdown(from, at, now());
        if left.try_get_untracked().is_some_and(|it| it != seconds) {
            set_left.set(seconds);
        }
    });
    StoredValue::new_local(timer);
    left
}

/// Waits.
pub async fn sleep(millis: u32) {
    let (done, waited) = futures::channel::oneshot::channel::<()>();
    let timer = gloo::timers::callback::Timeout::new(millis, move || {
        let _ = done.send(());
    });
    let _ = waited.await;
    drop(timer);
}

/// Milliseconds of what a date field says, in the reader's time zone.
pub fn from_local(text: &str) -> Option<Timestamp> {
    let millis = js_sys::Date::parse(text);
    millis.is_finite().then(|| Timestamp::from_f64(millis))
}

/// `24 Nov 2026 13:59`.
pub fn day_and_time(at: Timestamp) -> String {
    format!("{} {}", format(at, Style::Date), format(at, Style::Time))
}

/// What such a field shows for a time.
pub fn to_local(at: Timestamp) -> String {
    let date = Date::new(&JsValue::from_f64(at.as_millis() as f64));
    let shift = Span::minutes(-(date.get_timezone_offset() as i64));
    (at + shift).to_rfc3339().chars().take(16).collect()
}

//! The way of a mail, drawn: one line for each host, as long as it had the mail.

use leptos::prelude::*;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use mailroom_shared::way::Stop;
use mailroom_shared::way::bars;
use mailroom_shared::way::held_up;

use crate::dates;
use crate::t;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;

/// `84 ms`, `2 s`, `11 min 20 s`, `3 h 5 min`, `2 d 3 h`.
pub fn span_text(span: Span) -> String {
    let millis = span.as_millis().max(0);
    let seconds = millis / 1_000;
    match (seconds / 86_400, seconds / 3_600, seconds / 60) {
        (0, 0, 0) if millis < 1_000 => t!("hops.millis", n = millis),
        (0, 0, 0) => t!("hops.seconds", n = seconds),
        (0, 0, minutes) => t!("hops.minutes", n = minutes, s = seconds % 60),
        (0, hours, minutes) => t!("hops.hours", n = hours, m = minutes % 60),
        (days, hours, _) => t!("hops.days", n = days, h = hours % 24),
    }
}

/// A card with the whole way; nothing when the mail says nothing of it.
#[component]
pub fn Hops(stops: Vec<Stop>) -> AnyView {
    let (bars, drawn) = bars(&stops);
    // Of a refused mail only our own stop is known: that is no way.
    let Some((begin, end)) = drawn.filter(|_| stops.len() > 1) else { return ().into_any() };
    let slow = held_up(&stops);
    let sum = match slow.and_then(|it| stops.get(it)).and_then(|it| it.stay) {
        Some(stay) => t!("hops.sum.slow", whole = span_text(end - begin), one = span_text(stay)),
        None => span_text(end - begin),
    };
    let tone = if slow.is_some() { Tone::Amber } else { Tone::Plain };
    let has_wrong_clock = stops.iter().any(|it| it.backwards);
    let last = stops.len().saturating_sub(1);
    let lines = stops.into_iter().zip(bars).enumerate().map(|(index, (stop, bar))| {
        let glyph = match index {
            _ if index == last => Glyph::Inbox,
            0 => Glyph::People,
            _ => Glyph::Technical,
        };
        let secure = match stop.encrypted {
            Some(true) => Some(t!("hops.encrypted")),
            Some(false) => Some(t!("hops.plain")),
            None => None,
        };
        let about: Vec<String> = [stop.seen, stop.with, secure].into_iter().flatten().collect();
        let about = about.join(", ");
        let name = if stop.name.is_empty() { t!("hops.unnamed") } else { stop.name };
        let took = match (stop.backwards, stop.stay) {
            (true, _) => view! { <Tag tone=Tone::Amber icon=Glyph::Clock text=t!("hops.clock") title=t!("hops.clock.title")/> }.into_any(),
            (false, Some(stay)) if stay.as_millis() > 0 => span_text(stay).into_any(),
            _ => "–".into_any(),
        };
        let place = bar.map(|it| {
            format!("--x:{}.{}%;--w:{}.{}%", it.start / 10, it.start % 10, it.length / 10, it.length % 10)
        });
        let title = stop.at.map(|at| dates::format(at, dates::Style::Full));
        view! {
            <li class="hop" data-hop=name.clone()>
                <div class="node">
                    <Icon glyph/>
                    <span>
                        <span class="trunc med" style="display:block" title=name.clone()>{name.clone()}</span>
                        <small class="trunc" title=about.clone()>{about.clone()}</small>
                    </span>
                </div>
                <div class="lane" title=title>{place.map(|style| view! { <i class:slow=slow == Some(index) style=style></i> })}</div>
                <div class="took soft">{took}</div>
            </li>
        }
    });
    let lines = lines.collect_view();
    view! {
        <section class="card">
            <header class="card-head">
                <h2>{t!("hops.title")}</h2>
                <span class="sub">{t!("hops.from_to", from = dates::format(begin, dates::Style::Seconds), to = dates::format(end, dates::Style::Seconds))}</span>
                <span class="push"><Tag tone=tone icon=Glyph::Clock text=sum/></span>
            </header>
            <div class="hops-body">
                <ol class="hops">{lines}</ol>
                <div class="hop hop--axis" aria-hidden="true"><span></span><div class="lane">{axis(begin, end)}</div><span></span></div>
            </div>
            <div class="card-foot">
                <Icon glyph=Glyph::Info/>
                <span class="grow">{if has_wrong_clock { t!("hops.note.clock") } else { t!("hops.note") }}</span>
            </div>
        </section>
    }
    .into_any()
}

/// The beginning, then sixths of the way.
fn axis(begin: Timestamp, end: Timestamp) -> AnyView {
    let whole = (end - begin).as_millis();
    (0..6)
        .map(|n| {
            let words = match n {
                0 => dates::format(begin, dates::Style::Seconds),
                n => format!("+{}", span_text(Span::millis(whole * n / 6))),
            };
            view! { <span>{words}</span> }
        })
        .collect_view()
        .into_any()
}

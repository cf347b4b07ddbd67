//! Lines of the log in words.

use leptos::prelude::*;
use mailroom_shared::log::Kind;
use mailroom_shared::log::Level;
use mailroom_shared::log::line::LogLine;
use mailroom_shared::time::Timestamp;

use crate::dates;
use crate::i18n;
use crate::model::envelope::EnvelopeGlyph;
use crate::t;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;

/// `13:21:40.118`
pub fn clock(at: Timestamp) -> String {
    format!("{}.{:03}", dates::format(at, dates::Style::Seconds), at.as_millis().rem_euclid(1_000))
}

pub const fn glyph(kind: Kind) -> Glyph {
    match kind {
        Kind::Received | Kind::CanaryBack => Glyph::Inbox,
        Kind::Decided => Glyph::Filter,
        Kind::Refused | Kind::NotTaken | Kind::Suppressed => Glyph::Ban,
        Kind::Dropped | Kind::Dismissed | Kind::Discarded | Kind::Cancelled => Glyph::Close,
        Kind::HeldApart | Kind::Stopped | Kind::Paused => Glyph::Lock,
        Kind::ReportRead | Kind::Noted => Glyph::Info,
        Kind::NotWritten | Kind::GivenUp | Kind::ActionFailed | Kind::Unknown | Kind::ServerIll => Glyph::Alert,
        Kind::Queued | Kind::Deferred | Kind::Parked => Glyph::Clock,
        Kind::Connected => Glyph::Technical,
        Kind::Answered => Glyph::Right,
        Kind::HandedOver | Kind::CanarySent => Glyph::Send,
        Kind::Bounced | Kind::Complained => Glyph::Envelope(EnvelopeGlyph::X),
        Kind::Restored | Kind::Undone => Glyph::Undo,
        Kind::Retried | Kind::Replayed => Glyph::Retry,
        Kind::Routed | Kind::LetGo => Glyph::Arrow,
        Kind::AddressChanged | Kind::Rewritten => Glyph::Edit,
        _ => Glyph::Check,
    }
}

/// Class of the word, whose colour never stands alone.
pub const fn class(level: Level) -> &'static str {
    match level {
        Level::Detail => "state state--off",
        Level::Info => "state",
        Level::Warning => "state state--wait",
        Level::Error => "state state--fail",
    }
}

pub fn word(kind: Kind) -> String {
    t!(&format!("log.kind.{}", kind.as_str()))
}

/// What was said, or why.
pub fn text(line: &LogLine) -> String {
    let reason = line.reason.as_ref().map(|code| {
        let family = match line.kind {
            Kind::HeldApart => "held",
            Kind::Refused => "refusal",
            _ => "ignored",
        };
        i18n::try_text(&format!("{family}.{code}"), &[]).unwrap_or_else(|| code.clone())
    });
    match (reason, line.text.is_empty()) {
        (Some(reason), true) => reason,
        (Some(reason), false) => format!("{reason} · {}", line.text),
        (None, _) => line.text.clone(),
    }
}

/// A timeline, the oldest line first.
#[component]
pub fn LogLines(
    lines: Vec<LogLine>,
    /// Of whom it is, on each line of a delivery.
    #[prop(optional)]
    with_recipient: bool,
) -> AnyView {
    let mut day = String::new();
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let now = dates::format(line.at, dates::Style::Date);
            let is_new = std::mem::replace(&mut day, now.clone()) != now;
            let by = line.by.clone().map(|by| t!("log.by", name = by)).unwrap_or_default();
            let to = (with_recipient && line.kind.level() != Level::Detail).then(|| line.to.clone());
            view! {
                {is_new.then(|| view! { <li class="events-day"><b class="med">{now}</b></li> })}
                <li data-log=line.kind.as_str()>
                    <time datetime=line.at.to_rfc3339()>{clock(line.at)}</time>
                    <Icon glyph=glyph(line.kind)/>
                    <span>
                        <b class="med">{word(line.kind)}</b>
                        {to.filter(|it| !it.is_empty()).map(|it| format!(" {it}"))}
                        {line.server.clone().map(|it| view! { <span class="muted">" · "{it}</span> })}
                        " "
                        <span class="soft break">{text(&line)}</span>
                        <span class="muted">{by}</span>
                    </span>
                </li>
            }
        })
        .collect();
    view! { <ul class="events">{lines}</ul> }.into_any()
}

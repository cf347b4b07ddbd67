//! What stands between the head of a message and its text: held, meant for another record, an invitation; and how it
//! came, for those who ask.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::incoming::IncomingAction;
use mailroom_shared::api::messages::CalendarEvent;
use mailroom_shared::api::messages::SuggestionView;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;

use crate::i18n;
use crate::queries::incoming::move_message;
use crate::queries::incoming::settle_held;
use crate::queries::incoming::use_origin;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_go;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::toast_problem;

/// Why it is held, and the two things to do about it.
#[component]
pub fn HeldBar(why: String, record: RecordId, message: MessageId) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let why = i18n::try_text(&format!("message.held.{why}"), &[]).unwrap_or(why);
    let target = StoredValue::new((record, message));
    let busy = RwSignal::new(false);
    let settle = move |action: IncomingAction| {
        busy.set(true);
        spawn_local(async move {
            let (record, message) = target.get_value();
            let answer = settle_held(cache, &record, &message, action).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) if action == IncomingAction::Dismiss => {
                    let undo = Callback::new(move |()| {
                        let (record, message) = (record.clone(), message.clone());
                        spawn_local(async move {
                            if let Err(error) = settle_held(cache, &record, &message, IncomingAction::Restore).await {
                                toast_problem(toasts, &error);
                            }
                        });
                    });
                    toasts.show(Toast::new(Glyph::Trash, t!("message.held.dismissed")).undo(undo));
                }
                Ok(()) => toasts.done(t!("message.held.released")),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <div class="msg-bar msg-bar--warn" role="note">
            <Icon glyph=Glyph::ShieldAlert/>
            <span><b>{t!("message.held")}</b>" "{why}</span>
            <Button small=true icon=Glyph::Check text=t!("message.held.release") disabled=busy on_press=move |()| settle(IncomingAction::Release)/>
            <Button small=true kind=Kind::Ghost text=t!("message.held.dismiss") disabled=busy on_press=move |()| settle(IncomingAction::Dismiss)/>
        </div>
    }
    .into_any()
}

/// `It looks like the answer to T00042`: a person decides.
#[component]
pub fn SuggestionBar(it: SuggestionView, record: RecordId, message: MessageId) -> AnyView {
    let (cache, toasts, go) = (use_cache(), use_toasts(), use_go());
    let target = StoredValue::new((record, message));
    let busy = RwSignal::new(false);
    let to = StoredValue::new(it.record.clone());
    let act = move |moves: bool| {
        busy.set(true);
        spawn_local(async move {
            let (record, message) = target.get_value();
            let to = to.get_value();
            let answer = move_message(cache, &record, &message, moves.then(|| to.clone())).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) if moves => go.to(Page::Record(to).href()),
                Ok(()) => {}
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let name = format!("{} {}", it.number, it.title);
    view! {
        <div class="msg-bar" role="note" data-suggestion=it.record.to_string()>
            <Icon glyph=Glyph::Reply/>
            <span>{t!("message.suggestion")}" "<a href=Page::Record(it.record.clone()).href()>{name}</a></span>
            <Button small=true icon=Glyph::Arrow text=t!("message.suggestion.move", number = it.number) disabled=busy on_press=move |()| act(true)/>
            <Button small=true kind=Kind::Ghost text=t!("message.suggestion.no") disabled=busy on_press=move |()| act(false)/>
        </div>
    }
    .into_any()
}

/// What, when, where; the time as the inviter wrote it.
#[component]
pub fn Invitation(event: CalendarEvent) -> AnyView {
    let kind = match event.method.as_str() {
        "cancel" => t!("message.invitation.cancel"),
        "reply" => t!("message.invitation.reply"),
        _ => t!("message.invitation"),
    };
    let when = |text: &str| text.trim_end_matches('Z').replace('T', " ");
    let zone = if event.start.ends_with('Z') { "UTC".to_owned() } else { event.zone.clone() };
    let end = match event.end.split_once('T') {
        // The same day: the time is enough.
        Some((day, clock)) if event.start.starts_with(day) => clock.trim_end_matches('Z').to_owned(),
        _ => when(&event.end),
    };
    let mut time = when(&event.start);
    if !end.is_empty() {
        time = format!("{time} – {end}");
    }
    if !zone.is_empty() {
        time = format!("{time} ({zone})");
    }
    let rest = [event.location.clone(), event.organizer.clone()].into_iter().filter(|it| !it.is_empty());
    let rest = rest.collect::<Vec<_>>().join(" · ");
    view! {
        <div class="msg-bar msg-event" role="note">
            <Icon glyph=Glyph::Clock/>
            <span>
                <b>{kind}</b>" "{event.summary.clone()}<br/>
                <span class="num">{time}</span>
                {event.repeats.then(|| format!(" · {}", t!("message.invitation.repeats")))}
                {(!rest.is_empty()).then(|| format!(" · {rest}"))}
            </span>
        </div>
    }
    .into_any()
}

/// The checks of the sender in words, and the rules that brought the mail here.
#[component]
pub fn Origin(message: MessageId) -> AnyView {
    let origin = use_origin(&message);
    let word =
        |result: &str| i18n::try_text(&format!("authentication.{result}"), &[]).unwrap_or_else(|| result.to_owned());
    view! {
        {move || origin.data().map(|it| {
            let checks = format!("SPF: {} · DKIM: {} · DMARC: {}", word(&it.spf), word(&it.dkim), word(&it.dmarc));
            let why = it.why.join(" → ");
            view! {
                <dt>{t!("message.details.checks")}</dt><dd>{checks}</dd>
                {(!why.is_empty()).then(|| view! { <dt>{t!("message.details.why")}</dt><dd>{why.clone()}</dd> })}
            }
        })}
    }
    .into_any()
}

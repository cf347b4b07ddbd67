//! The goes-to line: who is told and how, before anything is sent; the × leaves somebody out.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::messages::RecipientView;
use mailroom_shared::api::messages::TellBy;
use mailroom_shared::api::suppressions::Lift;
use mailroom_shared::outbox::state::EnvelopeState;

use super::Composer;
use crate::dates;
use crate::i18n;
use crate::model::composer::split_told;
use crate::model::envelope;
use crate::model::envelope::EnvelopeGlyph;
use crate::queries::failures::lift;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::chip::Chip;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::toast::use_toasts;
use crate::widgets::evidence::raw_report;
use crate::widgets::problem::toast_problem;

#[component]
pub(super) fn Goes(composer: Composer) -> AnyView {
    let all = RwSignal::new(false);
    let lead = move || if composer.is_note() { t!("goes.lead.note") } else { t!("goes.lead") };
    view! {
        <div class="goes">
            <span class="lead">{lead}</span>
            {move || {
                let people = composer.people.with(|it| it.as_ref().map(|it| split_told(&it.people)));
                let Some((told, rest)) = people else {
                    return view! { <span class="sk wait-150" style="--w:180px"></span> }.into_any();
                };
                let nobody = told.is_empty().then(|| view! { <span class="muted">{t!("goes.nobody")}</span> });
                let chips = told.into_iter().map(|person| view! { <Person composer person/> }).collect_view();
                let n_rest = rest.len();
                let others = if all.get() {
                    rest.into_iter().map(|person| view! { <Person composer person/> }).collect_view().into_any()
                } else if n_rest > 0 {
                    let why: Vec<_> = rest.iter().map(|it| format!("{}: {}", it.name, why_text(it))).collect();
                    view! {
                        <button type="button" class="chip chip--off" title=why.join("\n") on:click=move |_| all.set(true)>
                            {tn!("goes.rest", n_rest)}
                        </button>
                    }
                    .into_any()
                } else {
                    ().into_any()
                };
                view! { {nobody}{chips}{others} }.into_any()
            }}
        </div>
        {move || {
            let people = composer.people.with(|it| it.as_ref().map(|it| it.people.clone())).unwrap_or_default();
            let held = people.into_iter().filter(|it| it.by == TellBy::Nobody && it.held_back.is_some());
            held.map(|person| view! { <Held composer person/> }).collect_view()
        }}
    }
    .into_any()
}

/// An address that is not written to: why, and the ways on.
#[component]
fn Held(composer: Composer, person: RecipientView) -> AnyView {
    let (Some(held), Some(address)) = (person.held_back, person.email) else { return ().into_any() };
    let (cache, toasts) = (use_cache(), use_toasts());
    let why = held
        .reason
        .map_or_else(|| t!(&format!("suppressions.source.{}", held.source.as_str())), |it| t!(it.title_key()));
    let since = dates::when_text(held.since, dates::now());
    let text = t!("goes.held", address = address.to_string(), why = why, when = since);
    let text = held.note.map_or(text.clone(), |note| format!("{text} “{note}”"));
    let text = match held.expires {
        Some(at) => format!("{text} {}", t!("goes.held.until", when = dates::format(at, dates::Style::Date))),
        None => text,
    };
    let report = held.report.map(|it| raw_report(&it));
    let answer = held.evidence.filter(|_| report.is_none()).map(|words| {
        view! { <details class="held-answer"><summary class="link">{t!("evidence.answer")}</summary><pre class="code">{words}</pre></details> }
    });
    let reason = RwSignal::new(String::new());
    let asks = RwSignal::new(false);
    let scope = held.scope;
    let lifted = address.to_string();
    let lift = move |()| {
        let what = Lift { address: lifted.clone(), scope, note: reason.get_untracked() };
        spawn_local(async move {
            match lift(cache, what).await {
                Ok(_) => composer.ask_again().await,
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let others = held.others.into_iter().map(|other| {
        let other = other.to_string();
        let words = t!("goes.held.other", address = other);
        let add = move |()| {
            composer.draft.update(|it| {
                let sep = if it.to.trim().is_empty() { "" } else { ", " };
                it.to = format!("{}{sep}{other}", it.to.trim());
            });
            composer.rows.update(|it| {
                if let Some(row) = it.first_mut() {
                    *row = true;
                }
            });
        };
        view! { <Button small=true text=words on_press=add/> }
    });
    view! {
        <div class="held row row--wrap small" role="note" data-held=address.to_string()>
            <Icon glyph=Glyph::Ban/>
            <span>{text}</span>
            {report}
            {answer}
            {others.collect_view()}
            {move || if asks.get() {
                let lift = lift.clone();
                view! {
                    <input
                        class="input input--sm"
                        placeholder=t!("goes.held.reason")
                        aria-label=t!("goes.held.reason")
                        prop:value=reason
                        on:input=move |event| reason.set(event_target_value(&event))
                    />
                    <Button
                        small=true
                        text=t!("goes.held.lift")
                        disabled=Signal::derive(move || reason.with(|it| it.trim().is_empty()))
                        on_press=lift
                    />
                }
                .into_any()
            } else {
                view! { <Button small=true text=t!("goes.held.ask") on_press=move |()| asks.set(true)/> }.into_any()
            }}
        </div>
    }
    .into_any()
}

/// Why somebody is told, or is not.
fn why_text(person: &RecipientView) -> String {
    i18n::try_text(&format!("goes.{}", person.why), &[]).unwrap_or_else(|| person.why.clone())
}

/// One person. The chip of somebody who is not told brings him back when he was left out by hand.
#[component]
fn Person(composer: Composer, person: RecipientView) -> AnyView {
    let name = if person.name.is_empty() {
        person.email.as_ref().map(ToString::to_string).unwrap_or_default()
    } else {
        person.name.clone()
    };
    let address = person.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let trouble = person.trouble.filter(|_| person.by == TellBy::Email);
    let (icon, class) = match (person.by, trouble) {
        (TellBy::Nobody, _) => (Glyph::Ban, "chip--off"),
        (TellBy::Mailroom, _) => (Glyph::Bell, ""),
        (TellBy::Email, Some(EnvelopeState::Failing)) => (Glyph::Envelope(EnvelopeGlyph::Fail), "chip--bad"),
        (TellBy::Email, Some(state)) if state == EnvelopeState::Waiting => {
            (Glyph::Envelope(envelope::look(state).0), "chip--wait")
        }
        (TellBy::Email, _) => (Glyph::Envelope(EnvelopeGlyph::Plain), ""),
    };
    let how = match (person.by, trouble) {
        (TellBy::Nobody, _) => t!("goes.how.nobody"),
        (TellBy::Mailroom, _) => t!("goes.how.mailroom"),
        (TellBy::Email, Some(EnvelopeState::Failing)) => t!("goes.how.failing"),
        (TellBy::Email, Some(EnvelopeState::Waiting)) => t!("goes.how.waiting"),
        (TellBy::Email, _) => t!("goes.how.email"),
    };
    let campaigns = person.held_back.as_ref().filter(|_| person.by == TellBy::Email).map(|_| t!("goes.held.campaigns"));
    let title = [how, why_text(&person), address, campaigns.unwrap_or_default()]
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    let Some(contact) = person.contact.clone() else {
        // Typed in by hand: it leaves with its field.
        return view! { <Chip class icon text=name title/> }.into_any();
    };
    if person.by == TellBy::Nobody {
        if person.why != "left_out" {
            return view! { <Chip class icon text=name title/> }.into_any();
        }
        let back = move |_| composer.draft.update(|it| it.leave_out.retain(|id| *id != contact));
        return view! {
            <button type="button" class="chip chip--off" title=t!("goes.back", name = name) on:click=back>{name.clone()}</button>
        }
        .into_any();
    }
    let leave_out = move |()| composer.draft.update(|it| it.leave_out.push(contact.clone()));
    view! { <Chip class icon text=name.clone() title remove_label=t!("goes.leave_out", name = name) on_remove=leave_out/> }
        .into_any()
}

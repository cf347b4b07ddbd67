//! The goes-to line: who is told and how, before anything is sent; the × leaves somebody out.

use leptos::prelude::*;
use mailroom_shared::api::messages::RecipientView;
use mailroom_shared::api::messages::TellBy;
use mailroom_shared::outbox::state::EnvelopeState;

use super::Composer;
use crate::i18n;
use crate::model::composer::split_told;
use crate::model::envelope;
use crate::model::envelope::EnvelopeGlyph;
use crate::t;
use crate::tn;
use crate::ui::chip::Chip;
use crate::ui::icon::Glyph;

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
    let title =
        [how, why_text(&person), address].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ");
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

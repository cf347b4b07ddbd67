//! The envelope: on a message, in a list, with a word.

use leptos::prelude::*;
use mailroom_shared::api::messages::EnvelopeView;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::outbox::state::EnvelopeState;

use crate::model::envelope;
use crate::t;
use crate::tn;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;

/// What an envelope says in words.
pub fn envelope_words(it: &EnvelopeView) -> String {
    match it.state {
        EnvelopeState::Fine => t!("envelope.fine", done = it.done, n = it.recipients),
        EnvelopeState::Leaving if it.leaves_at.is_some() => t!("envelope.undo"),
        EnvelopeState::Leaving => tn!("envelope.leaving", it.recipients.saturating_sub(it.done).max(1)),
        EnvelopeState::Waiting => t!("envelope.waiting"),
        EnvelopeState::Failing => tn!("envelope.failing", it.failing.max(1), of = it.recipients),
    }
}

/// The envelope of a message; a press opens the delivery dialog.
#[component]
pub fn EnvelopeButton(
    #[prop(into)] envelope: Signal<Option<EnvelopeView>>,
    #[prop(into)] on_press: Callback<()>,
) -> AnyView {
    view! {
        {move || {
            envelope.get().map(|it| {
                let (glyph, class) = envelope::look(it.state);
                let words = envelope_words(&it);
                view! {
                    <button
                        type="button"
                        class=format!("env {class}")
                        data-envelope=it.state.as_str()
                        aria-label=format!("{words}. {}", t!("envelope.open"))
                        title=words.clone()
                        on:click=move |_| on_press.run(())
                    >
                        <Icon glyph=Glyph::Envelope(glyph)/>
                        {envelope::number(&it).map(|n| view! { <span class="env-n">{n}</span> })}
                    </button>
                }
            })
        }}
    }
    .into_any()
}

/// The envelope of a list row: to look at.
#[component]
pub fn EnvelopeMark(state: EnvelopeState, #[prop(optional)] failing: u32) -> AnyView {
    let (glyph, class) = envelope::look(state);
    let words = t!(&format!("env.{}", state.as_str()));
    let title = words.clone();
    let number = (state == EnvelopeState::Failing && failing > 0).then_some(failing);
    view! {
        <span class=format!("env env--still {class}") title=title data-envelope=state.as_str()>
            <Icon glyph=Glyph::Envelope(glyph)/>
            {number.map(|n| view! { <span class="env-n">{n}</span> })}
            <span class="vh">{words}</span>
        </span>
    }
    .into_any()
}

/// The state of one delivery with its word.
#[component]
pub fn StateWord(state: DeliveryState) -> AnyView {
    let (glyph, class) = envelope::delivery_look(state);
    view! {
        <span class=format!("state {class}") data-state=state.as_str()>
            <Icon glyph=Glyph::Envelope(glyph)/>
            {t!(&format!("state.{}", state.as_str()))}
        </span>
    }
    .into_any()
}

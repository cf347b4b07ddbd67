//! Checkbox and switch.

use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// A checkbox with its words, or with a name for screen readers only.
#[component]
pub fn Check(
    #[prop(into)] checked: Signal<bool>,
    /// Some of many are on.
    #[prop(optional, into)]
    mixed: Signal<bool>,
    /// Words beside the box.
    #[prop(optional, into)]
    text: String,
    #[prop(optional, into)] label: String,
    #[prop(into)] on_change: Callback<bool>,
) -> AnyView {
    let node = NodeRef::<leptos::html::Input>::new();
    // `indeterminate` exists as a property only.
    Effect::new(move |_| {
        let mixed = mixed.get();
        if let Some(input) = node.get() {
            input.set_indeterminate(mixed);
        }
    });
    let input = view! {
        <input
            type="checkbox"
            class="check"
            class:is-mixed=mixed
            node_ref=node
            aria-label=(!label.is_empty()).then_some(label)
            prop:checked=checked
            on:change=move |event| on_change.run(event_target::<HtmlInputElement>(&event).checked())
        />
    };
    if text.is_empty() {
        input.into_any()
    } else {
        view! { <label class="row soft">{input}<span>{text}</span></label> }.into_any()
    }
}

/// A switch: acts at once or by the button beside it, as its label says.
#[component]
pub fn Switch(
    #[prop(into)] on: Signal<bool>,
    #[prop(into)] label: String,
    #[prop(into)] on_change: Callback<bool>,
) -> AnyView {
    view! {
        <button
            type="button"
            class="switch"
            role="switch"
            aria-checked=move || if on.get() { "true" } else { "false" }
            aria-label=label
            on:click=move |_| on_change.run(!on.get_untracked())
        ></button>
    }
    .into_any()
}

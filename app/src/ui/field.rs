//! Form fields: label, control, hint, error. The error takes the hint's place and is read out with the control.

use leptos::prelude::*;

use super::button::Button;
use super::button::Kind;
use super::icon::Glyph;
use super::unique_id;
use crate::t;

/// What is typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Input {
    #[default]
    Text,
    Email,
    Password,
    Lines,
}

/// A field for text.
#[component]
pub fn TextField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    #[prop(optional)] kind: Input,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] autocomplete: &'static str,
    /// Name for password managers and tests.
    #[prop(optional)]
    name: &'static str,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] required: bool,
) -> AnyView {
    let id = unique_id("field");
    let hint_id = format!("{id}-hint");
    let is_bad = move || error.with(Option::is_some);
    let shown = RwSignal::new(false);
    let described = {
        let (hint_id, has_hint) = (hint_id.clone(), !hint.is_empty());
        move || (has_hint || is_bad()).then(|| hint_id.clone())
    };
    let control = if kind == Input::Lines {
        view! {
            <textarea
                class="input"
                class:is-bad=is_bad
                id=id.clone()
                name=name
                rows="3"
                placeholder=placeholder
                aria-invalid=move || is_bad().then_some("true")
                aria-describedby=described
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            ></textarea>
        }
        .into_any()
    } else {
        let input_type = move || match kind {
            Input::Email => "email",
            Input::Password if !shown.get() => "password",
            Input::Text | Input::Lines | Input::Password => "text",
        };
        view! {
            <input
                class="input"
                class:is-bad=is_bad
                id=id.clone()
                name=name
                type=input_type
                placeholder=placeholder
                autocomplete=if autocomplete.is_empty() { "off" } else { autocomplete }
                autofocus=autofocus
                required=required
                spellcheck="false"
                aria-invalid=move || is_bad().then_some("true")
                aria-describedby=described
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
        }
        .into_any()
    };
    let control = if kind == Input::Password {
        view! {
            <div class="password">
                {control}
                <Button kind=Kind::Ghost icon=Glyph::Eye label=t!("ui.show_password") on_press=move |()| shown.update(|it| *it = !*it)/>
            </div>
        }
        .into_any()
    } else {
        control
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            {control}
            <FieldHint id=hint_id hint=hint error=error/>
        </div>
    }
    .into_any()
}

/// A choice of one.
#[component]
pub fn SelectField(
    #[prop(into)] label: String,
    value: RwSignal<String>,
    /// Value and words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] name: &'static str,
) -> AnyView {
    let id = unique_id("field");
    let hint_id = format!("{id}-hint");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select
                class="input"
                id=id
                name=name
                aria-describedby=hint_id.clone()
                on:change=move |event| value.set(event_target_value(&event))
            >
                {move || {
                    let now = value.get();
                    options
                        .get()
                        .into_iter()
                        .map(|(key, words)| {
                            let is_now = key == now;
                            view! { <option value=key selected=is_now>{words}</option> }
                        })
                        .collect_view()
                }}
            </select>
            <FieldHint id=hint_id hint=hint error=error/>
        </div>
    }
    .into_any()
}

#[component]
fn FieldHint(id: String, hint: String, error: Signal<Option<String>>) -> AnyView {
    view! {
        <span class="hint" class:hint--bad=move || error.with(Option::is_some) id=id aria-live="polite">
            {move || error.get().unwrap_or_else(|| hint.clone())}
        </span>
    }
    .into_any()
}

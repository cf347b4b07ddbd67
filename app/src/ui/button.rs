//! Buttons.

use leptos::prelude::*;

use super::icon::Glyph;
use super::icon::Icon;

/// Weight of a button; one primary per surface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Plain,
    Primary,
    Danger,
    Ghost,
    /// A link in running text.
    Link,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "btn",
            Self::Primary => "btn btn--primary",
            Self::Danger => "btn btn--danger",
            Self::Ghost => "btn btn--ghost",
            Self::Link => "link",
        }
    }
}

/// A button. Without words it is an icon button and needs a `label`.
#[component]
pub fn Button(
    /// Classes beside its own.
    #[prop(optional)]
    class: &'static str,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] small: bool,
    #[prop(optional, into)] icon: Option<Glyph>,
    /// Name for screen readers and tooltip, for a button without words.
    #[prop(optional, into)]
    label: String,
    #[prop(optional, into)] text: String,
    /// The key that does the same, shown beside the words.
    #[prop(optional, into)]
    keys: String,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] submit: bool,
    #[prop(optional, into)] on_press: Option<Callback<()>>,
) -> AnyView {
    let is_icon = text.is_empty() && kind != Kind::Link;
    let size = if small { " btn--sm" } else { "" };
    let shape = if is_icon { " btn--icon" } else { "" };
    let title = (!label.is_empty()).then(|| label.clone());
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=format!("{}{size}{shape} {class}", kind.as_str())
            aria-label=(is_icon && !label.is_empty()).then(|| label.clone())
            title=title
            disabled=disabled
            on:click=move |_| {
                if let Some(press) = on_press {
                    press.run(());
                }
            }
        >
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {text}
            {(!keys.is_empty()).then(|| view! { <kbd class="kbd only-wide">{keys}</kbd> })}
        </button>
    }
    .into_any()
}

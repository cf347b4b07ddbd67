//! Chips and tags.

use leptos::prelude::*;

use super::icon::Glyph;
use super::icon::Icon;

/// Colour of a tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Accent,
    Red,
    Amber,
    Green,
}

impl Tone {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "tag",
            Self::Accent => "tag tag--accent",
            Self::Red => "tag tag--red",
            Self::Amber => "tag tag--amber",
            Self::Green => "tag tag--green",
        }
    }
}

/// A word in a box, for a property of what stands before it.
#[component]
pub fn Tag(
    #[prop(optional)] tone: Tone,
    #[prop(optional, into)] icon: Option<Glyph>,
    #[prop(into)] text: String,
    #[prop(optional, into)] title: String,
    /// On narrow screens only the icon stays.
    #[prop(optional)]
    shrinks: bool,
) -> AnyView {
    view! {
        <span class=tone.as_str() title=(!title.is_empty()).then_some(title)>
            {icon.map(|glyph| view! { <Icon glyph/> })}
            <span class=if shrinks { "only-wide" } else { "" }>{text}</span>
        </span>
    }
    .into_any()
}

/// A person or filter that can be taken away.
#[component]
pub fn Chip(
    #[prop(optional)] class: &'static str,
    #[prop(optional, into)] icon: Option<Glyph>,
    #[prop(into)] text: String,
    #[prop(optional, into)] title: String,
    /// Name of the × for screen readers; without it there is none.
    #[prop(optional, into)]
    remove_label: String,
    #[prop(optional, into)] on_remove: Option<Callback<()>>,
) -> AnyView {
    view! {
        <span class=format!("chip {class}") title=(!title.is_empty()).then_some(title)>
            {icon.map(|glyph| view! { <Icon glyph/> })}
            {text}
            {on_remove.map(|remove| view! {
                <button type="button" class="x" aria-label=remove_label on:click=move |_| remove.run(())>
                    <Icon glyph=Glyph::Close/>
                </button>
            })}
        </span>
    }
    .into_any()
}

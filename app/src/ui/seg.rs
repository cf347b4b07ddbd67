//! A segmented control: one of a few.

use leptos::prelude::*;

use super::icon::Glyph;
use super::icon::Icon;

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub value: &'static str,
    pub text: String,
    pub icon: Option<Glyph>,
}

impl Segment {
    pub fn new(value: &'static str, text: String) -> Self {
        Self { value, text, icon: None }
    }
}

/// Segments; the one that is on is pressed.
#[component]
pub fn Seg(
    #[prop(into)] label: String,
    segments: Vec<Segment>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<&'static str>,
) -> AnyView {
    view! {
        <div class="seg" role="group" aria-label=label>
            {segments
                .into_iter()
                .map(|Segment { value: name, text, icon }| {
                    view! {
                        <button
                            type="button"
                            aria-pressed=move || if value.with(|it| it == name) { "true" } else { "false" }
                            on:click=move |_| on_change.run(name)
                        >
                            {icon.map(|glyph| view! { <Icon glyph/> })}
                            {text}
                        </button>
                    }
                })
                .collect_view()}
        </div>
    }
    .into_any()
}

/// One tab of a row of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    pub href: String,
    pub text: String,
    pub count: Option<String>,
    pub is_now: bool,
}

/// Tabs that are links: the choice stands in the address bar.
#[component]
pub fn Tabs(#[prop(into)] label: String, #[prop(into)] tabs: Signal<Vec<Tab>>) -> AnyView {
    view! {
        <nav class="tabs" aria-label=label>
            {move || {
                tabs.get()
                    .into_iter()
                    .map(|tab| {
                        view! {
                            <a href=tab.href aria-current=tab.is_now.then_some("true")>
                                {tab.text}
                                {tab.count.map(|n| view! { <span class="n">{n}</span> })}
                            </a>
                        }
                    })
                    .collect_view()
            }}
        </nav>
    }
    .into_any()
}

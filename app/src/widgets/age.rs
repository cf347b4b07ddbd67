//! How long ago, kept true while it is shown; the exact time is the tooltip.

use leptos::prelude::*;
use mailroom_shared::time::Timestamp;

use crate::dates;
use crate::dates::Style;

/// `8 min`.
#[component]
pub fn Age(at: Timestamp, #[prop(optional)] class: &'static str) -> AnyView {
    let now = dates::use_now();
    view! {
        <time class=class datetime=at.to_rfc3339() title=dates::format(at, Style::Full)>
            {move || dates::age_text(at, now.get())}
        </time>
    }
    .into_any()
}

/// `13:59`.
#[component]
pub fn Clock(at: Timestamp) -> AnyView {
    view! {
        <time datetime=at.to_rfc3339() title=dates::format(at, Style::Full)>{dates::format(at, Style::Time)}</time>
    }
    .into_any()
}

//! A span of time in the address: `since` and `until`, in milliseconds.

use leptos::prelude::*;
use mailroom_shared::time::Timestamp;

use crate::dates;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;

/// Two fields, each a parameter of the address.
#[component]
pub fn Period() -> AnyView {
    let (query, set) = (use_query(), use_set_query());
    let field = move |name: &'static str| {
        let value = move || {
            query
                .with(|it| it.get(name).and_then(|it| it.parse().ok()).map(Timestamp::from_millis).map(dates::to_local))
        };
        view! {
            <label class="row gap-1 soft small">
                {t!(&format!("logs.by.{name}"))}
                <input type="datetime-local" class="input input--sm" name=name prop:value=move || value().unwrap_or_default()
                    on:change=move |event| set(name, dates::from_local(&event_target_value(&event)).map(|it| it.as_millis().to_string()))/>
            </label>
        }
    };
    view! { <span class="row gap-2 log-times">{field("since")}{field("until")}</span> }.into_any()
}

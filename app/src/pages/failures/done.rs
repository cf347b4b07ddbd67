//! What was done to failures, by whom; whoever did it takes it back as long as it can be.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::failures::FailureOperation;

use super::glyph_of;
use crate::queries::failures::undo;
use crate::queries::failures::use_operations;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Icon;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::toast_problem;

#[component]
pub(super) fn DoneList() -> AnyView {
    let read = use_operations();
    let all = Memo::new(move |_| read.data().unwrap_or_default());
    view! {
        {move || all.with(|it| !it.is_empty()).then(|| view! {
            <details class="card done-list">
                <summary class="card-head"><h2>{t!("failures.history")}</h2></summary>
                <ul class="card-body supp-steps">
                    <For each=move || all.get() key=|it| format!("{} {} {}", it.id, it.n, it.undoable) let:it>{line(it)}</For>
                </ul>
            </details>
        })}
    }
    .into_any()
}

fn line(it: FailureOperation) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let what = tn!(&format!("failures.done.{}", it.action.as_str()), it.n);
    let corrected = (it.corrected > 0).then(|| tn!("failures.history.corrected", it.corrected));
    let id = StoredValue::new(it.id.clone());
    let press = move |()| {
        spawn_local(async move {
            if let Err(error) = undo(cache, &id.get_value()).await {
                toast_problem(toasts, &error);
            }
        });
    };
    view! {
        <li class="supp-step" data-operation=it.id>
            <Icon glyph=glyph_of(it.action)/>
            <span>
                <span class="soft">{what}</span>" "<span class="muted">{it.by}{corrected.map(|it| format!(" · {it}"))}</span>
                {(it.undoable > 0).then(|| view! { " "<Button kind=Kind::Link text=t!("ui.undo") on_press=press/> })}
            </span>
            <span class="muted num"><Age at=it.at/></span>
        </li>
    }
    .into_any()
}

//! Shapes of what comes, after 150 ms, so that a quick answer shows none.

use leptos::prelude::*;

use crate::t;

const WIDTHS: [(u32, u32); 8] = [(44, 64), (58, 48), (36, 72), (52, 56), (61, 40), (40, 64), (49, 52), (33, 60)];

/// A list being read.
#[component]
pub fn SkeletonList(#[prop(optional)] bare: bool) -> AnyView {
    let rows = WIDTHS.map(|(left, right)| {
        view! {
            <div class="skel-row">
                <span class="sk sk--box"></span>
                <span class="sk" style=format!("--w:{left}%")></span>
                <span class="grow"></span>
                <span class="sk" style=format!("--w:{right}px")></span>
            </div>
        }
    });
    view! {
        <div class=if bare { "wait-150" } else { "mails wait-150" } role="status" aria-busy="true" aria-label=t!("ui.loading")>
            {rows.into_iter().collect_view()}
        </div>
    }
    .into_any()
}

/// A conversation being read.
#[component]
pub fn SkeletonChatter() -> AnyView {
    let blocks = [[40, 92, 76], [32, 84, 88], [28, 64, 90]].map(|widths| {
        view! {
            <div class="row gap-3" style="align-items:flex-start;margin-top:16px">
                <span class="sk sk--dot"></span>
                <div class="stack grow" style="gap:10px;padding-top:6px">
                    {widths.map(|w| view! { <span class="sk" style=format!("--w:{w}%")></span> }).into_iter().collect_view()}
                </div>
            </div>
        }
    });
    view! {
        <div class="wait-150" role="status" aria-busy="true" aria-label=t!("ui.loading")>
            {blocks.into_iter().collect_view()}
        </div>
    }
    .into_any()
}

//! The states of what is read, a seek-paged list or a whole: loading, failed, empty, there, and there but old.

use leptos::prelude::*;

use super::problem::ProblemBlank;
use super::problem::StaleNotice;
use crate::api::ApiError;
use crate::model::merge::Row;
use crate::queries::List;
use crate::queries::Read;
use crate::t;
use crate::ui::button::Button;
use crate::ui::skeleton::SkeletonList;

/// Shows what was read in the state it is in: loading, failed, there, or old because reading it again failed.
pub fn read_body<T>(read: Read<T>, shown: impl Fn(T) -> AnyView + Send + Sync + 'static) -> AnyView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let retry = Callback::new(move |()| read.retry());
    view! {
        {move || {
            let state = read.state.get();
            match (state.data, state.problem) {
                (None, None) => view! { <SkeletonList/> }.into_any(),
                (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                (Some(data), problem) => view! {
                    {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                    {shown(data)}
                }
                .into_any(),
            }
        }}
    }
    .into_any()
}

#[derive(Clone, PartialEq)]
enum Phase {
    Loading,
    Failed(ApiError),
    Empty,
    Rows,
}

/// Shows a list in the state it is in.
pub fn list_body<T>(
    list: List<T>,
    empty: impl Fn() -> AnyView + Send + Sync + 'static,
    rows: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Row + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    let phase = Memo::new(move |_| match (list.ready.get(), list.problem.get()) {
        (false, Some(error)) => Phase::Failed(error),
        (false, None) => Phase::Loading,
        (true, _) if list.rows.with(Vec::is_empty) => Phase::Empty,
        (true, _) => Phase::Rows,
    });
    let retry = Callback::new(move |()| list.retry());
    view! {
        <div class="busy-line" class:is-busy=list.stale><i></i></div>
        {move || {
            let error = list.problem.get().filter(|_| list.ready.get());
            error.map(|error| view! { <StaleNotice error on_retry=retry/> })
        }}
        <div class:is-stale=list.stale>
            {move || match phase.get() {
                Phase::Loading => view! { <SkeletonList/> }.into_any(),
                Phase::Failed(error) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                Phase::Empty => empty(),
                Phase::Rows => rows(),
            }}
        </div>
    }
    .into_any()
}

/// Below the rows: reads on when it comes into view, and says how many there are.
pub fn list_foot<T>(list: List<T>, end: Signal<usize>) -> AnyView
where
    T: Row + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    Effect::new(move |_| {
        let near = end.get() + 15 >= list.rows.with(Vec::len);
        if near && list.has_more() {
            list.read_more();
        }
    });
    view! {
        {move || list.has_more().then(|| view! {
            <div class="list-foot"><Button small=true text=t!("list.more") on_press=move |()| list.read_more()/></div>
        })}
    }
    .into_any()
}

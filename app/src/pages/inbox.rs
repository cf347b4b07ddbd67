//! The Inbox: what waits for an answer from us, oldest promise first on the mind, newest first in the list.

use leptos::prelude::*;

use crate::model::filters;
use crate::pages::shell::use_crumbs;
use crate::pages::shell::use_shell_state;
use crate::parts;
use crate::queries::aliases::use_aliases;
use crate::queries::records::use_records;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::widgets::record_rows::RecordRows;
use crate::widgets::rows::list_body;

#[component]
pub fn InboxPage() -> AnyView {
    use_crumbs(vec![(t!("inbox.title"), None)]);
    let (query, set_query, state) = (use_query(), use_set_query(), use_shell_state());
    let list = use_records(move || query.with(filters::inbox));
    let who = Signal::derive(move || query.with(|it| it.get("who").unwrap_or("all").to_owned()));
    let segments = vec![
        Segment::new("all", t!("inbox.tab.all")),
        Segment::new("me", t!("inbox.tab.mine")),
        Segment::new("nobody", t!("inbox.tab.nobody")),
    ];
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("inbox.title")}</h1><p>{t!("inbox.text")}</p></div>
                <div class="acts">
                    <Button icon=Glyph::Plus text=t!("record.new") keys="C" on_press=move |()| state.compose.set(true)/>
                </div>
            </div>
            <div class="toolbar">
                <Seg
                    label=t!("inbox.tab")
                    segments
                    value=who
                    on_change=move |it: &'static str| set_query("who", (it != "all").then(|| it.to_owned()))
                />
            </div>
            {list_body(
                list,
                move || view! { <section class="card">{parts::inbox_empty()}</section> }.into_any(),
                move || view! { <RecordRows list can_finish=true/> }.into_any(),
            )}
        </main>
    }
    .into_any()
}

/// Why nothing is there: nothing fits the filter, no mail has come yet, or all is answered.
#[component]
pub fn InboxEmpty() -> AnyView {
    let (query, aliases) = (use_query(), use_aliases());
    view! {
        {move || {
            let filtered = query.with(|it| filters::is_filtered(&filters::inbox(it)));
            let address =
                aliases.data().and_then(|all| all.into_iter().find(|it| it.creates.is_some())).map(|it| it.address);
            let has_mail = aliases.data().is_some_and(|all| all.iter().any(|it| it.received > 0));
            match (filtered, has_mail, address) {
                (true, ..) => {
                    view! { <Blank art=Art::Done title=t!("inbox.empty.filtered") text=t!("inbox.empty.filtered.text")/> }
                        .into_any()
                }
                (false, false, Some(address)) => {
                    view! { <Blank title=t!("inbox.empty.first") text=t!("inbox.empty.first.text", address = address)/> }
                        .into_any()
                }
                (false, ..) => {
                    view! { <Blank art=Art::Done title=t!("inbox.empty") text=t!("inbox.empty.text")/> }.into_any()
                }
            }
        }}
    }
    .into_any()
}

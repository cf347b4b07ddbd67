//! Records of one type, with filters in the address bar.

use leptos::prelude::*;
use mailroom_shared::id::TypeName;

use crate::model::filters;
use crate::pages::shell::use_crumbs;
use crate::pages::shell::use_shell_state;
use crate::queries::records::use_records;
use crate::queries::session::use_users;
use crate::queries::shell::many_of;
use crate::queries::shell::stage_label;
use crate::queries::shell::use_types;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::ui::menu::MenuItem;
use crate::ui::menu::Opens;
use crate::widgets::record_rows::RecordRows;
use crate::widgets::rows::list_body;

#[component]
pub fn RecordsPage(kind: TypeName) -> AnyView {
    let (query, set_query, state, types) = (use_query(), use_set_query(), use_shell_state(), use_types());
    let name = kind.clone();
    let row = Memo::new(move |_| types.with(|all| all.iter().find(|it| it.name == name).cloned()));
    let title = Memo::new(move |_| row.with(|it| it.as_ref().map(many_of)).unwrap_or_default());
    Effect::new(move |_| use_crumbs(vec![(title.get(), None)]));
    let list = use_records(move || query.with(|it| filters::records(Some(&kind), it)));
    let filtered =
        move || query.with(|it| filters::is_filtered(&filters::records(None, it)) || it.get("waiting").is_some());
    let empty = move || {
        let inside = if filtered() {
            view! { <Blank art=Art::Search title=t!("records.none") text=t!("records.none.text")>
                <ClearFilters/>
            </Blank> }
            .into_any()
        } else {
            view! { <Blank title=t!("records.empty") text=t!("records.empty.text")>
                <Button kind=Kind::Primary icon=Glyph::Plus text=t!("record.new") on_press=move |()| state.compose.set(true)/>
            </Blank> }
            .into_any()
        };
        view! { <section class="card">{inside}</section> }.into_any()
    };
    let stages = Memo::new(move |_| row.get().map(|it| it.stages).unwrap_or_default());
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{title}</h1></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("record.new") keys="C" on_press=move |()| state.compose.set(true)/>
                </div>
            </div>
            <div class="toolbar">
                <ListSearch placeholder=t!("records.search")/>
                <StageFilter stages=stages.into()/>
                <WhoFilter/>
                <button
                    type="button"
                    class="chip chip--filter"
                    aria-pressed=move || if query.with(|it| it.get("waiting").is_some()) { "true" } else { "false" }
                    on:click=move |_| {
                        let on = query.with_untracked(|it| it.get("waiting").is_some());
                        set_query("waiting", (!on).then(|| "yes".to_owned()));
                    }
                >
                    {move || query.with(|it| it.get("waiting").is_some()).then(|| view! { <Icon glyph=Glyph::Check/> })}
                    {t!("records.waiting")}
                </button>
                {move || filtered().then(|| view! { <ClearFilters/> })}
                <span class="row push nowrap muted num small">
                    {move || list.total.get().map(|n| crate::tn!("list.total", n, total = crate::dates::number(n)))}
                </span>
            </div>
            {list_body(list, empty, move || view! { <RecordRows list/> }.into_any())}
        </main>
    }
    .into_any()
}

#[component]
fn ClearFilters() -> AnyView {
    let go = crate::routes::use_go();
    view! { <Button kind=Kind::Link class="small" text=t!("records.clear") on_press=move |()| go.clear_query()/> }
        .into_any()
}

/// Words to look for within a list, a moment after the last key.
#[component]
pub fn ListSearch(#[prop(into)] placeholder: String) -> AnyView {
    let (query, set_query) = (use_query(), use_set_query());
    let value = move || query.with(|it| it.get("q").unwrap_or_default().to_owned());
    let typed = RwSignal::new(String::new());
    let on_input = move |event: web_sys::Event| {
        let now = event_target_value(&event);
        typed.set(now.clone());
        set_timeout(
            move || {
                if typed.try_get_untracked().is_some_and(|it| it == now) {
                    set_query("q", Some(now));
                }
            },
            std::time::Duration::from_millis(220),
        );
    };
    view! {
        <label class="searchbox">
            <Icon glyph=Glyph::Search/>
            <input type="search" aria-label=placeholder.clone() placeholder=placeholder autocomplete="off" prop:value=value on:input=on_input/>
        </label>
    }
    .into_any()
}

#[component]
fn StageFilter(stages: Signal<Vec<String>>) -> AnyView {
    let (query, set_query) = (use_query(), use_set_query());
    view! {
        {move || {
            let now = query.with(|it| it.get("stage").map(str::to_owned));
            let trigger = filter_words(t!("records.stage"), now.as_deref().map_or_else(|| t!("records.any"), stage_label));
            view! {
                <Menu class="chip chip--filter" opens=Opens::DownRight label=t!("records.stage") trigger>
                    <MenuItem text=t!("records.any") checked=now.is_none() on_press=move |()| set_query("stage", None)/>
                    {stages
                        .get()
                        .into_iter()
                        .map(|stage| {
                            let is_now = now.as_ref() == Some(&stage);
                            let text = stage_label(&stage);
                            view! { <MenuItem text checked=is_now on_press=move |()| set_query("stage", Some(stage.clone()))/> }
                        })
                        .collect_view()}
                </Menu>
            }
        }}
    }
    .into_any()
}

#[component]
fn WhoFilter() -> AnyView {
    let (query, set_query, users) = (use_query(), use_set_query(), use_users());
    view! {
        {move || {
            let now = query.with(|it| it.get("who").map(str::to_owned));
            let all = users.data().unwrap_or_default();
            let words = match now.as_deref() {
                None => t!("records.any"),
                Some("me") => t!("records.who.me"),
                Some("nobody") => t!("records.who.nobody"),
                Some(id) => all.iter().find(|it| it.user.as_str() == id).map_or_else(String::new, |it| it.name.clone()),
            };
            let trigger = filter_words(t!("records.who"), words);
            view! {
                <Menu class="chip chip--filter" opens=Opens::DownRight label=t!("records.who") trigger>
                    <MenuItem text=t!("records.any") checked=now.is_none() on_press=move |()| set_query("who", None)/>
                    <MenuItem text=t!("records.who.me") checked=now.as_deref() == Some("me") on_press=move |()| set_query("who", Some("me".to_owned()))/>
                    <MenuItem text=t!("records.who.nobody") checked=now.as_deref() == Some("nobody") on_press=move |()| set_query("who", Some("nobody".to_owned()))/>
                    <div class="menu-sep"></div>
                    {all
                        .iter()
                        .map(|user| {
                            let id = user.user.to_string();
                            let is_now = now.as_ref() == Some(&id);
                            view! { <MenuItem text=user.name.clone() checked=is_now on_press=move |()| set_query("who", Some(id.clone()))/> }
                        })
                        .collect_view()}
                </Menu>
            }
        }}
    }
    .into_any()
}

/// `Stage: any ⌄` on a filter.
pub fn filter_words(name: String, value: String) -> AnyView {
    view! { <span>{name}</span>{value}<Icon glyph=Glyph::Down/> }.into_any()
}

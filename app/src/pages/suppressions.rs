//! Settings › Suppressions: addresses we do not write to, why, on what evidence, until when; add, lift, import, export;
//! and what became of earlier ones.

mod dialogs;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::suppressions::SuppressionEvent;
use mailroom_shared::api::suppressions::SuppressionHistoryQuery;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use wasm_bindgen_futures::JsFuture;

use self::dialogs::AddDialog;
use self::dialogs::LiftDialog;
use self::dialogs::step;
use crate::dates;
use crate::dates::Style;
use crate::model::filters;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::List;
use crate::queries::failures::import;
use crate::queries::failures::use_suppression_history;
use crate::queries::failures::use_suppressions;
use crate::queries::use_cache;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::tn;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

/// The dialog that is open.
#[derive(Clone)]
enum Shown {
    New,
    One(SuppressionRow),
}

type Opened = RwSignal<Option<Shown>>;

#[component]
pub fn SuppressionsPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("suppressions.title"), None)]);
    let (query, set_query) = (use_query(), use_set_query());
    let wanted = move || query.with(|it| it.get("q").map(str::to_owned));
    let list = use_suppressions(move || SuppressionQuery { q: wanted(), cursor: None, limit: Some(filters::PAGE) });
    let is_past = Memo::new(move |_| query.with(|it| it.get("show") == Some("history")));
    let opened: Opened = RwSignal::new(None);
    let shows = Signal::derive(move || if is_past.get() { "history" } else { "now" }.to_owned());
    let empty = move || {
        let inside = if wanted().is_some() {
            view! { <Blank art=Art::Search title=t!("suppressions.none") text=t!("suppressions.none.text")/> }
                .into_any()
        } else {
            view! { <Blank art=Art::Done title=t!("suppressions.empty") text=t!("suppressions.empty.text")/> }
                .into_any()
        };
        view! { <section class="card">{inside}</section> }.into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("suppressions.title")}</h1><p>{t!("suppressions.text")}</p></div>
                <div class="acts row">
                    <Import/>
                    <a class="btn" href="/api/v1/suppressions.csv" download="suppressions.csv">{t!("suppressions.export")}</a>
                </div>
            </div>
            <div class="toolbar">
                <ListSearch placeholder=t!("suppressions.search")/>
                <Seg
                    label=t!("suppressions.show")
                    segments=vec![Segment::new("now", t!("suppressions.show.now")), Segment::new("history", t!("suppressions.show.history"))]
                    value=shows
                    on_change=move |it: &'static str| set_query("show", (it == "history").then(|| it.to_owned()))
                />
                <Button class="push" icon=Glyph::Plus text=t!("suppressions.add") on_press=move |()| opened.set(Some(Shown::New))/>
            </div>
            {move || if is_past.get() {
                let past = use_suppression_history(move || SuppressionHistoryQuery {
                    q: wanted(),
                    limit: Some(filters::PAGE),
                    ..SuppressionHistoryQuery::default()
                });
                let none = || {
                    view! { <section class="card"><Blank art=Art::Search title=t!("suppressions.history.empty") text=""/></section> }
                        .into_any()
                };
                list_body(past, none, move || view! { <History list=past/> }.into_any())
            } else {
                list_body(list, empty, move || view! { <Table list opened/> }.into_any())
            }}
            {move || {
                let on_close = move |()| opened.set(None);
                opened.get().map(|it| match it {
                    Shown::New => view! { <AddDialog on_close/> }.into_any(),
                    Shown::One(row) => view! { <LiftDialog row on_close/> }.into_any(),
                })
            }}
        </main>
    }
    .into_any()
}

/// A file of addresses.
#[component]
fn Import() -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(file) = input.get_untracked().and_then(|it| it.files()).and_then(|it| it.get(0)) else { return };
        spawn_local(async move {
            let text = JsFuture::from(file.text()).await.ok().and_then(|it| it.as_string()).unwrap_or_default();
            match import(cache, text).await {
                Ok(done) => {
                    let lines: Vec<String> = done.wrong_lines.iter().take(8).map(u32::to_string).collect();
                    let detail = if lines.is_empty() {
                        String::new()
                    } else {
                        t!("suppressions.wrong_lines", lines = lines.join(", "))
                    };
                    toasts.show(Toast::new(Glyph::Check, tn!("suppressions.imported", done.added)).detail(detail));
                }
                Err(error) => toast_problem(toasts, &error),
            }
            // The same file may be chosen again.
            if let Some(input) = input.get_untracked() {
                input.set_value("");
            }
        });
    };
    view! {
        <label class="btn">
            {t!("suppressions.import")}
            <input class="vh" type="file" accept=".csv,text/csv" node_ref=input on:change=chosen/>
        </label>
    }
    .into_any()
}

#[component]
fn Table(list: List<SuppressionRow>, opened: Opened) -> AnyView {
    let end = Signal::derive(move || list.rows.with(Vec::len));
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("suppressions.title")>
            <table class="tbl" style="min-width:760px">
                <colgroup><col/><col style="width:150px"/><col/><col style="width:96px"/><col style="width:130px"/><col style="width:140px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("suppressions.column.address")}</th>
                        <th>{t!("suppressions.column.scope")}</th>
                        <th>{t!("suppressions.column.why")}</th>
                        <th aria-sort="descending">{t!("suppressions.column.since")}</th>
                        <th>{t!("suppressions.column.until")}</th>
                        <th><span class="vh">{t!("suppressions.column.action")}</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.rows.get() key=|it| format!("{} {:?}", it.id, it.created) let:row>
                        <Line row opened/>
                    </For>
                </tbody>
            </table>
        </div>
        {list_foot(list, end)}
    }
    .into_any()
}

/// `Refused for good · Address does not exist · note`.
fn why_of(row: &SuppressionRow) -> String {
    let mut parts = vec![t!(&format!("suppressions.source.{}", row.source.as_str()))];
    parts.extend(row.reason.map(|it| t!(it.title_key())));
    parts.extend(row.note.clone().or_else(|| row.by.clone()));
    parts.join(" · ")
}

fn until_of(row: &SuppressionRow) -> String {
    row.expires.map_or_else(|| t!("suppressions.forever"), |at| dates::format(at, Style::Date))
}

#[component]
fn Line(row: SuppressionRow, opened: Opened) -> AnyView {
    let why = why_of(&row);
    let (for_name, for_lift) = (row.clone(), row.clone());
    view! {
        <tr data-suppression=row.address.clone()>
            <td title=row.address.clone()>
                <button type="button" class="link trunc" on:click=move |_| opened.set(Some(Shown::One(for_name.clone())))>{row.address.clone()}</button>
            </td>
            <td>{t!(&format!("suppressions.scope.{}", row.scope.as_str()))}</td>
            <td class="soft" title=row.evidence.clone().unwrap_or_else(|| why.clone())>{why.clone()}</td>
            <td class="muted" data-label=t!("suppressions.column.since")><Age at=row.created/></td>
            <td class="muted" data-label=t!("suppressions.column.until")>{until_of(&row)}</td>
            <td class="r"><Button kind=Kind::Ghost small=true text=t!("suppressions.lift") on_press=move |()| opened.set(Some(Shown::One(for_lift.clone())))/></td>
        </tr>
    }
    .into_any()
}

/// What became of suppressions, of all addresses.
#[component]
fn History(list: List<SuppressionEvent>) -> AnyView {
    let end = Signal::derive(move || list.rows.with(Vec::len));
    view! {
        <section class="card">
            <ul class="card-body supp-steps">
                <For each=move || list.rows.get() key=|it| it.id.clone() let:event>
                    {step(event, true)}
                </For>
            </ul>
        </section>
        {list_foot(list, end)}
    }
    .into_any()
}

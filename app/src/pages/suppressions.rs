//! Settings › Suppressions: addresses we do not write to, why, until when; add, lift, import, export.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::suppressions::Lift;
use mailroom_shared::api::suppressions::NewSuppression;
use mailroom_shared::api::suppressions::SuppressionQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::suppressions::SuppressionScope;
use wasm_bindgen_futures::JsFuture;

use crate::dates;
use crate::dates::Style;
use crate::model::filters;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::List;
use crate::queries::failures::import;
use crate::queries::failures::lift;
use crate::queries::failures::suppress;
use crate::queries::failures::use_suppressions;
use crate::queries::use_cache;
use crate::routes::use_query;
use crate::t;
use crate::tn;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

#[component]
pub fn SuppressionsPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("suppressions.title"), None)]);
    let query = use_query();
    let list = use_suppressions(move || {
        query.with(|it| SuppressionQuery {
            q: it.get("q").map(str::to_owned),
            cursor: None,
            limit: Some(filters::PAGE),
        })
    });
    let empty = move || {
        let inside = if query.with(|it| it.get("q").is_some()) {
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
            <div class="toolbar"><ListSearch placeholder=t!("suppressions.search")/><Add/></div>
            {list_body(list, empty, move || view! { <Table list/> }.into_any())}
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

/// One address, by hand.
#[component]
fn Add() -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let address = RwSignal::new(String::new());
    let wrong = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let what =
            NewSuppression { address: address.get_untracked(), scope: SuppressionScope::All, note: String::new() };
        spawn_local(async move {
            match suppress(cache, what).await {
                Ok(row) => {
                    wrong.set(false);
                    address.set(String::new());
                    toasts.done(t!("suppressions.added", address = row.address));
                }
                Err(error) => {
                    wrong.set(true);
                    toast_problem(toasts, &error);
                }
            }
        });
    };
    view! {
        <form class="row push grows" on:submit=submit>
            <input
                class="input"
                class:is-bad=wrong
                type="email"
                name="address"
                required
                autocomplete="off"
                aria-label=t!("suppressions.address")
                placeholder=t!("suppressions.address")
                prop:value=address
                on:input=move |event| address.set(event_target_value(&event))
            />
            <Button icon=Glyph::Plus text=t!("suppressions.add") submit=true/>
        </form>
    }
    .into_any()
}

#[component]
fn Table(list: List<SuppressionRow>) -> AnyView {
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
                    <For each=move || list.rows.get() key=|it| format!("{} {}", it.address, it.scope.as_str()) let:row>
                        <Line row/>
                    </For>
                </tbody>
            </table>
        </div>
        {list_foot(list, end)}
    }
    .into_any()
}

#[component]
fn Line(row: SuppressionRow) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let mut why = t!(&format!("suppressions.source.{}", row.source.as_str()));
    if let Some(reason) = row.reason {
        why = format!("{why} · {}", t!(reason.title_key()));
    }
    if let Some(more) = row.note.clone().or_else(|| row.by.clone()) {
        why = format!("{why} · {more}");
    }
    let until = row.expires.map_or_else(|| t!("suppressions.forever"), |at| dates::format(at, Style::Date));
    let again =
        NewSuppression { address: row.address.clone(), scope: row.scope, note: row.note.clone().unwrap_or_default() };
    let (address, scope) = (row.address.clone(), row.scope);
    let press = move |()| {
        let (address, again) = (address.clone(), again.clone());
        spawn_local(async move {
            match lift(cache, Lift { address: address.clone(), scope, note: String::new() }).await {
                Ok(()) => {
                    let toast = Toast::new(Glyph::Check, t!("suppressions.lifted", address = address));
                    toasts.show(toast.undo(Callback::new(move |()| {
                        let again = again.clone();
                        spawn_local(async move {
                            if let Err(error) = suppress(cache, again).await {
                                toast_problem(toasts, &error);
                            }
                        });
                    })));
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <tr data-suppression=row.address.clone()>
            <td title=row.address.clone()>{row.address.clone()}</td>
            <td>{t!(&format!("suppressions.scope.{}", row.scope.as_str()))}</td>
            <td class="soft" title=row.evidence.clone().unwrap_or_else(|| why.clone())>{why.clone()}</td>
            <td class="muted" data-label=t!("suppressions.column.since")><Age at=row.created/></td>
            <td class="muted" data-label=t!("suppressions.column.until")>{until}</td>
            <td class="r"><Button kind=Kind::Ghost small=true text=t!("suppressions.lift") on_press=press/></td>
        </tr>
    }
    .into_any()
}

//! Technical › Refusals: the journal of mail we said no to, and why.

use leptos::prelude::*;
use mailroom_shared::api::refusals::RefusalQuery;
use mailroom_shared::api::refusals::RefusalRow;

use crate::dates;
use crate::dates::Style;
use crate::i18n;
use crate::model::filters;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::List;
use crate::queries::aliases::use_refusals;
use crate::routes::use_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::widgets::age::Age;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

#[component]
pub fn RefusalsPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("refusals.title"), None)]);
    let query = use_query();
    let list = use_refusals(move || {
        query.with(|it| RefusalQuery { q: it.get("q").map(str::to_owned), cursor: None, limit: Some(filters::PAGE) })
    });
    let empty = move || {
        let inside = if query.with(|it| it.get("q").is_some()) {
            view! { <Blank art=Art::Search title=t!("refusals.none") text=t!("refusals.none.text")/> }.into_any()
        } else {
            view! { <Blank art=Art::Done title=t!("refusals.empty") text=t!("refusals.empty.text")/> }.into_any()
        };
        view! { <section class="card">{inside}</section> }.into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("refusals.title")}</h1><p>{t!("refusals.text")}</p></div></div>
            <div class="toolbar"><ListSearch placeholder=t!("refusals.search")/></div>
            {list_body(list, empty, move || view! { <Table list/> }.into_any())}
        </main>
    }
    .into_any()
}

#[component]
fn Table(list: List<RefusalRow>) -> AnyView {
    // Which line shows all it knows.
    let opened = RwSignal::new(None::<String>);
    let end = Signal::derive(move || list.rows.with(Vec::len));
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("refusals.title")>
            <table class="tbl" style="min-width:880px">
                <colgroup><col style="width:96px"/><col style="width:232px"/><col style="width:220px"/><col/><col style="width:240px"/></colgroup>
                <thead>
                    <tr>
                        <th aria-sort="descending">{t!("refusals.column.at")}</th>
                        <th>{t!("refusals.column.from")}</th>
                        <th>{t!("refusals.column.to")}</th>
                        <th>{t!("refusals.column.subject")}</th>
                        <th>{t!("refusals.column.reason")}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.rows.get() key=|it| it.id.to_string() let:row>
                        <Line row opened/>
                    </For>
                </tbody>
            </table>
        </div>
        {list_foot(list, end)}
    }
    .into_any()
}

/// Why, in words.
fn reason_text(row: &RefusalRow) -> String {
    i18n::try_text(&format!("refusal.{}", row.reason), &[]).unwrap_or_else(|| row.reason.clone())
}

#[component]
fn Line(row: RefusalRow, opened: RwSignal<Option<String>>) -> AnyView {
    let id = row.id.to_string();
    let (for_test, for_press) = (id.clone(), id.clone());
    let is_open = Memo::new(move |_| opened.with(|it| it.as_deref() == Some(for_test.as_str())));
    let sender = if row.mail_from.is_empty() { t!("refusals.null_sender") } else { row.mail_from.clone() };
    let reason = reason_text(&row);
    let press = move |_| {
        opened
            .update(|it| *it = if it.as_deref() == Some(for_press.as_str()) { None } else { Some(for_press.clone()) });
    };
    let details = StoredValue::new(row.clone());
    view! {
        <tr data-refusal=id>
            <td class="muted"><Age at=row.at/></td>
            <td title=row.from.clone()>{sender}</td>
            <td title=row.rcpt_to.clone()>{row.rcpt_to.clone()}</td>
            <td class="soft" title=row.subject.clone()>{row.subject.clone()}</td>
            <td>
                <button type="button" class="link state state--fail trunc" aria-expanded=move || if is_open.get() { "true" } else { "false" } on:click=press>
                    <Icon glyph=Glyph::Ban/><span class="trunc">{reason}</span>
                </button>
            </td>
        </tr>
        {move || is_open.get().then(|| view! { <Details row=details.get_value()/> })}
    }
    .into_any()
}

#[component]
fn Details(row: RefusalRow) -> AnyView {
    let lines = [
        (t!("refusals.details.at"), dates::format(row.at, Style::Full)),
        (t!("refusals.details.from"), row.from),
        (t!("refusals.details.message_id"), row.message_id.unwrap_or_default()),
        (t!("refusals.details.why"), row.why.join(" → ")),
    ];
    view! {
        <tr class="sub-row">
            <td colspan="5">
                <div class="card-body stack gap-3">
                    <div>
                        <p class="label">{t!("refusals.details.answer")}</p>
                        <pre class="code" tabindex="0">{format!("550 {} {}", row.status, row.text)}</pre>
                    </div>
                    <dl class="kv" style="grid-template-columns:max-content minmax(0,1fr)">
                        {lines
                            .into_iter()
                            .filter(|(_, value)| !value.is_empty())
                            .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
                            .collect_view()}
                    </dl>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

//! The ledger, one line per recipient, with filter and export.

use leptos::prelude::*;
use mailroom_shared::api::campaigns::RecipientFilter;
use mailroom_shared::api::campaigns::RecipientQuery;
use mailroom_shared::api::campaigns::RecipientRow;
use mailroom_shared::campaign::ledger::Place;
use mailroom_shared::id::CampaignId;

use crate::dates;
use crate::model::filters;
use crate::queries::List;
use crate::queries::campaigns::use_recipients;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::widgets::envelope::StateWord;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

#[component]
pub(super) fn Recipients(id: CampaignId) -> AnyView {
    let (query, set_query) = (use_query(), use_set_query());
    let filter = Memo::new(move |_| {
        query.with(|it| it.get("filter").and_then(RecipientFilter::parse)).unwrap_or(RecipientFilter::All)
    });
    let list = use_recipients(id.clone(), move || RecipientQuery {
        filter: Some(filter.get()),
        address: query.with(|it| it.get("q").map(str::to_owned)),
        cursor: None,
        limit: Some(filters::PAGE),
    });
    let options = RecipientFilter::ALL
        .into_iter()
        .map(|it| {
            view! {
                <option value=it.as_str() selected=move || filter.get() == it>{t!(&format!("campaign.filter.{}", it.as_str()))}</option>
            }
        })
        .collect_view();
    let empty = move || {
        view! { <section class="card"><Blank art=Art::Search title=t!("campaign.nobody") text=t!("campaign.nobody.text")/></section> }
            .into_any()
    };
    let file = move || format!("/api/v1/campaigns/{id}/recipients.csv?filter={}", filter.get().as_str());
    view! {
        <div class="toolbar mt-4">
            <h2>{t!("campaign.list")}</h2>
            <label class="row push">
                <span class="vh">{t!("campaign.filter")}</span>
                <select class="input" on:change=move |event| {
                    let value = event_target_value(&event);
                    set_query("filter", Some(value).filter(|it| it != "all"));
                }>{options}</select>
            </label>
            <a class="btn" href=file download="recipients.csv">{t!("campaign.export")}</a>
        </div>
        {list_body(list, empty, move || view! { <Table list/> }.into_any())}
    }
    .into_any()
}

#[component]
fn Table(list: List<RecipientRow>) -> AnyView {
    let end = Signal::derive(move || list.rows.with(Vec::len));
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("campaign.list")>
            <table class="tbl" style="min-width:820px">
                <colgroup><col/><col style="width:210px"/><col style="width:110px"/><col/><col style="width:110px"/><col style="width:110px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("campaign.column.recipient")}</th>
                        <th>{t!("campaign.column.place")}</th>
                        <th>{t!("campaign.column.at")}</th>
                        <th>{t!("campaign.column.answer")}</th>
                        <th>{t!("campaign.column.opened")}</th>
                        <th>{t!("campaign.column.clicked")}</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.rows.get() key=|it| format!("{it:?}") let:row>
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
fn Line(row: RecipientRow) -> AnyView {
    let now = dates::now();
    let time = |at: Option<_>| at.map_or_else(|| "–".to_owned(), |at| dates::when_text(at, now));
    let place = match row.place {
        Place::Queue { state } => view! { <StateWord state/> }.into_any(),
        Place::Planned => view! { <span class="muted">{t!("campaign.place.planned")}</span> }.into_any(),
        Place::LeftOut { why } => {
            view! { <span class="muted">{t!(&format!("campaign.left_out.{}", why.as_str()))}</span> }.into_any()
        }
    };
    let who = if row.name.is_empty() { row.address.clone() } else { format!("{} <{}>", row.name, row.address) };
    let answer = match (row.unsubscribed, row.answer) {
        (Some(at), _) => t!("campaign.unsubscribed_at", when = dates::when_text(at, now)),
        (None, Some(text)) => text,
        (None, None) => String::new(),
    };
    view! {
        <tr data-recipient=row.address>
            <td class="trunc" title=who.clone()>{who.clone()}</td>
            <td>{place}</td>
            <td class="num muted">{time(row.at)}</td>
            <td class="soft trunc" title=answer.clone()>{answer.clone()}</td>
            <td class="num muted">{time(row.opened)}</td>
            <td class="num muted">{time(row.clicked)}</td>
        </tr>
    }
    .into_any()
}

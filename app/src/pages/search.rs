//! Records that hold the words of the search box.

use leptos::prelude::*;

use crate::model::filters;
use crate::pages::shell::use_crumbs;
use crate::queries::records::use_records;
use crate::routes::Page;
use crate::routes::use_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::widgets::record_rows::RecordRows;
use crate::widgets::rows::list_body;

#[component]
pub fn SearchPage() -> AnyView {
    use_crumbs(vec![(t!("search.title"), None)]);
    let query = use_query();
    let words = move || query.with(|it| it.get("q").unwrap_or_default().to_owned());
    let journal = move || format!("{}?q={}", Page::Incoming.href(), mailroom_shared::api::percent_encode(&words()));
    let list = use_records(move || query.with(|it| filters::records(None, it)));
    let empty = move || {
        view! {
            <section class="card">
                <Blank art=Art::Search title=t!("search.none", words = words()) text=t!("search.none.text")>
                    <a class="btn" href=journal()>{t!("search.incoming")}</a>
                </Blank>
            </section>
        }
        .into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{move || t!("search.results", words = words())}</h1></div>
            </div>
            {list_body(list, empty, move || view! { <RecordRows list/> }.into_any())}
        </main>
    }
    .into_any()
}

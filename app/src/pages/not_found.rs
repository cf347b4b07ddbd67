//! No page at this address.

use leptos::prelude::*;

use crate::pages::shell::use_crumbs;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;

#[component]
pub fn NotFoundPage() -> AnyView {
    use_crumbs(vec![(t!("not_found.title"), None)]);
    view! {
        <main class="page" id="content">
            <h1 class="vh">{t!("not_found.title")}</h1>
            <Blank art=Art::Search title=t!("not_found.title") text=t!("not_found.text")>
                <a class="btn btn--primary" href="/">{t!("not_found.back")}</a>
            </Blank>
        </main>
    }
    .into_any()
}

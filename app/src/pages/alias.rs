//! One alias: where its mail goes and who may write, what came lately, and a box to try a mail without sending one.

mod form;
mod test_box;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasView;
use mailroom_shared::api::aliases::ConfirmationView;
use mailroom_shared::api::incoming::Fate;
use mailroom_shared::api::incoming::IncomingQuery;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::id::AliasId;

use crate::dates;
use crate::pages::aliases::StateTag;
use crate::pages::incoming::reason_text;
use crate::pages::shell::use_crumbs;
use crate::queries::aliases::use_alias;
use crate::queries::incoming::use_incoming;
use crate::routes::Page;
use crate::t;
use crate::tn;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use form::AliasForm;
use test_box::TestBox;

#[component]
pub fn AliasPage(id: Option<AliasId>) -> AnyView {
    let Some(id) = id else {
        crumbs(t!("aliases.new"));
        return view! { <New/> }.into_any();
    };
    let alias = use_alias(&id);
    let retry = Callback::new(move |()| alias.retry());
    Effect::new(move |_| {
        if let Some(it) = alias.part(|it| it.alias.address.to_string()).get() {
            crumbs(it);
        }
    });
    // The form is built once per address book entry, not per mail that comes in: what is typed stays.
    let form_of = Memo::new(move |_| alias.data().map(|it| without_figures(it.alias)));
    view! {
        <main class="page" id="content">
            {move || {
                let state = alias.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), problem) => view! {
                        {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                        <Head view=it/>
                    }
                    .into_any(),
                }
            }}
            {move || form_of.get().map(|row| view! {
                <div class="cols cols--form">
                    <div class="stack gap-4">
                        <AliasForm alias=Some(row.clone())/>
                        <Recent id=row.id.clone()/>
                    </div>
                    <TestBox address=row.address.to_string()/>
                </div>
            })}
        </main>
    }
    .into_any()
}

fn crumbs(last: String) {
    use_crumbs(vec![(t!("settings.title"), None), (t!("aliases.title"), Some(Page::Aliases.href())), (last, None)]);
}

/// What the form edits; figures change with every mail.
fn without_figures(row: AliasRow) -> AliasRow {
    AliasRow {
        received: 0,
        last_received: None,
        failing_since: None,
        state: mailroom_shared::api::aliases::AliasState::NotTested,
        ..row
    }
}

#[component]
fn New() -> AnyView {
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("aliases.new")}</h1><p>{t!("aliases.text")}</p></div></div>
            <div class="cols cols--form">
                <AliasForm alias=None/>
                <TestBox address=String::new()/>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn Head(view: AliasView) -> AnyView {
    let toasts = use_toasts();
    let AliasView { alias, confirmations } = view;
    let address = alias.address.to_string();
    let for_copy = address.clone();
    let figures = match alias.last_received {
        Some(at) => tn!("alias.received", alias.received, when = dates::when_text(at, dates::now())),
        None => t!("alias.received.none"),
    };
    let copy = move |()| {
        let text = for_copy.clone();
        spawn_local(async move {
            let promise = window().navigator().clipboard().write_text(&text);
            if wasm_bindgen_futures::JsFuture::from(promise).await.is_ok() {
                toasts.done(t!("ui.copied"));
            }
        });
    };
    view! {
        <div class="page-head">
            <div class="head-text">
                <div class="row row--wrap"><h1>{address}</h1><StateTag row=alias/></div>
                <p>{figures}</p>
            </div>
            <div class="acts"><Button icon=Glyph::Copy text=t!("alias.copy") on_press=copy/></div>
        </div>
        {confirmations.into_iter().map(|it| view! { <Confirmation it/> }).collect_view()}
    }
    .into_any()
}

/// A provider wants to know whether the mailbox may forward here.
#[component]
fn Confirmation(it: ConfirmationView) -> AnyView {
    let text = match &it.account {
        Some(account) => t!("alias.confirmation.account", provider = it.provider, account = account),
        None => t!("alias.confirmation", provider = it.provider),
    };
    view! {
        <div class="notice notice--info mb-3" role="status" data-confirmation=it.provider.clone()>
            <Icon glyph=Glyph::Info/>
            <span>
                {text}
                {it.code.clone().map(|code| view! { " "{t!("alias.confirmation.code")}" "<code class="code-big">{code}</code> })}
                " "<Age at=it.at/>
            </span>
            {it.link.clone().map(|href| view! {
                <a class="btn" href=href target="_blank" rel="noopener noreferrer">{t!("alias.confirmation.open", provider = it.provider)}</a>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn Recent(id: AliasId) -> AnyView {
    let query_id = id.clone();
    let list = use_incoming(move || IncomingQuery {
        alias: Some(query_id.clone()),
        limit: Some(8),
        ..IncomingQuery::default()
    });
    view! {
        <section class="card" aria-label=t!("alias.recent")>
            <header class="card-head"><h2>{t!("alias.recent")}</h2></header>
            {move || {
                if !list.ready.get() {
                    return match list.problem.get() {
                        Some(error) => view! { <ProblemBlank error on_retry=move |()| list.retry()/> }.into_any(),
                        None => view! { <SkeletonList/> }.into_any(),
                    };
                }
                if list.rows.with(Vec::is_empty) {
                    return view! { <Blank title=t!("alias.recent.empty") text=t!("alias.recent.empty.text")/> }.into_any();
                }
                let rows: Vec<IncomingRow> = list.rows.with(|all| all.iter().take(8).cloned().collect());
                view! {
                    <div class="tbl-scroll" tabindex="0" role="region" aria-label=t!("alias.recent")>
                        <table class="tbl" style="min-width:440px">
                            <colgroup><col/><col style="width:188px"/><col style="width:88px"/></colgroup>
                            <tbody>{rows.into_iter().map(|row| view! { <RecentLine row/> }).collect_view()}</tbody>
                        </table>
                    </div>
                }
                .into_any()
            }}
        </section>
    }
    .into_any()
}

#[component]
fn RecentLine(row: IncomingRow) -> AnyView {
    let fate = match (row.record.clone(), row.fate) {
        (Some(record), Fate::Written | Fate::Held) => {
            let number = row.record_number.clone().unwrap_or_default();
            view! { <a href=Page::Record(record).href()>{number}</a> }.into_any()
        }
        (_, fate) => {
            let class = if matches!(fate, Fate::Refused | Fate::Failed) { "state state--fail" } else { "state" };
            let title = reason_text(fate, row.reason.as_deref());
            view! { <span class=class title=title>{t!(&format!("incoming.fate.{}", fate.as_str()))}</span> }.into_any()
        }
    };
    view! {
        <tr>
            <td title=row.subject.clone()>{row.from.clone()}" "<span class="muted">{row.subject.clone()}</span></td>
            <td>{fate}</td>
            <td class="r muted"><Age at=row.at/></td>
        </tr>
    }
    .into_any()
}

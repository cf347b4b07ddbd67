//! The rail: where things are, what waits, whether mail flows.

use leptos::prelude::*;
use mailroom_shared::api::shell::Shell;

use super::Brand;
use super::use_shell_state;
use crate::dates;
use crate::live::Live;
use crate::model::envelope::EnvelopeGlyph;
use crate::model::server::meter_class;
use crate::model::server::share;
use crate::queries::shell::ShellData;
use crate::queries::shell::many_of;
use crate::queries::shell::use_types;
use crate::routes::Page;
use crate::t;
use crate::tn;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;

#[component]
pub(super) fn Rail(page: Memo<Page>) -> AnyView {
    let state = use_shell_state();
    let types = use_types();
    let shell = use_context::<ShellData>();
    let part = move |pick: fn(&Shell) -> u32| {
        Memo::new(move |_| shell.and_then(|it| it.0.state.with(|it| it.data.as_ref().map(pick))).unwrap_or(0))
    };
    let is_failures = Memo::new(move |_| page.with(|it| *it == Page::Failures));
    let (inbox, failures, told) = (part(|it| it.inbox), part(|it| it.failures), part(|it| it.told));
    view! {
        <aside class="rail" class:is-open=state.drawer>
            <Brand/>
            <nav aria-label=t!("shell.menu")>
                <Item page target=Page::Inbox glyph=Glyph::Inbox text=t!("rail.inbox") count=inbox/>
                <Item page target=Page::Notifications glyph=Glyph::Bell text=t!("notifications.title") count=told/>
                <div class="rail-label">{t!("rail.records")}</div>
                {move || types
                    .get()
                    .into_iter()
                    .map(|row| {
                        let waiting = row.waiting;
                        view! {
                            <Item
                                page
                                target=Page::Records(row.name.clone())
                                glyph=Glyph::of_type(&row.icon)
                                text=many_of(&row)
                                count=Signal::derive(move || waiting)
                            />
                        }
                    })
                    .collect_view()}
                <div class="rail-label">{t!("rail.delivery")}</div>
                <a class="rail-item" class:is-current=is_failures aria-current=move || is_failures.get().then_some("page") href=Page::Failures.href()>
                    <Icon glyph=Glyph::Envelope(EnvelopeGlyph::X)/>
                    {t!("rail.failures")}
                    {move || {
                        let n = failures.get();
                        (n > 0).then(|| view! { <span class="badge badge--red" aria-label=tn!("rail.failures.count", n)>{dates::number(n)}</span> })
                    }}
                </a>
                <Item page target=Page::Emails glyph=Glyph::Send text=t!("rail.emails")/>
                <Item page target=Page::Deliverability glyph=Glyph::Chart text=t!("deliverability.title")/>
                <Item page target=Page::Campaigns glyph=Glyph::Megaphone text=t!("campaigns.title")/>
                <Item page target=Page::Contacts glyph=Glyph::People text=t!("rail.contacts")/>
                <div class="rail-label">{t!("rail.settings")}</div>
                <Item page target=Page::Aliases glyph=Glyph::At text=t!("rail.aliases")/>
                <Item page target=Page::Suppressions glyph=Glyph::Ban text=t!("rail.suppressions")/>
                <Item page target=Page::Servers glyph=Glyph::Settings text=t!("servers.title")/>
                <Item page target=Page::Limits glyph=Glyph::Shield text=t!("limits.title")/>
                <Item page target=Page::Templates glyph=Glyph::Record text=t!("templates.title")/>
                <Item page target=Page::People glyph=Glyph::People text=t!("people.title")/>
                <Item page target=Page::Tokens glyph=Glyph::Lock text=t!("tokens.title")/>
                <div class="rail-label">{t!("rail.technical")}</div>
                <Item page target=Page::Status glyph=Glyph::Bolt text=t!("flow.title")/>
                <Item page target=Page::Actions glyph=Glyph::Clock text=t!("actions.title")/>
                <Item page target=Page::Incoming glyph=Glyph::Technical text=t!("rail.incoming") count=part(|it| it.unprocessed)/>
                <Item page target=Page::Logs glyph=Glyph::File text=t!("logs.title")/>
                <Item page target=Page::Doctor glyph=Glyph::Shield text=t!("doctor.title")/>
                <Item page target=Page::Support glyph=Glyph::Help text=t!("bundle.title")/>
            </nav>
            <Status/>
        </aside>
        {move || state.drawer.get().then(|| view! {
            <button type="button" class="drawer-scrim" aria-label=t!("ui.close") on:click=move |_| state.drawer.set(false)></button>
        })}
    }
    .into_any()
}

#[component]
fn Item(
    page: Memo<Page>,
    target: Page,
    glyph: Glyph,
    text: String,
    #[prop(optional, into)] count: Signal<u32>,
) -> AnyView {
    let href = target.href();
    let is_now = Memo::new(move |_| {
        page.with(|it| {
            *it == target
                || (target == Page::Aliases && matches!(it, Page::Alias(_)))
                || (target == Page::Contacts && matches!(it, Page::Contact(_)))
                || (target == Page::Campaigns && matches!(it, Page::Campaign(_) | Page::MailingLists))
        })
    });
    view! {
        <a class="rail-item" class:is-current=is_now aria-current=move || is_now.get().then_some("page") href=href>
            <Icon glyph/>
            <span class="trunc">{text}</span>
            {move || {
                let n = count.get();
                (n > 0).then(|| view! { <span class="count">{dates::number(n)}</span> })
            }}
        </a>
    }
    .into_any()
}

/// Whether mail flows, and when it last did.
#[component]
fn Status() -> AnyView {
    let shell = use_context::<ShellData>();
    let live = use_context::<Live>();
    let now = dates::use_now();
    let data = move || shell.and_then(|it| it.0.data());
    let is_open = move || live.is_none_or(|it| it.0.get());
    view! {
        {move || data().map(|it| {
            let (dot, words) = match (is_open(), it.unprocessed) {
                (false, _) => ("dot dot--warn", t!("status.offline")),
                (true, 0) => ("dot dot--ok", t!("status.flows")),
                (true, n) => ("dot dot--bad", tn!("status.late", n)),
            };
            let ago = |at: Option<_>| at.map_or_else(|| t!("status.never"), |at| dates::age_text(at, now.get()));
            view! {
                <div class="rail-foot" role="status">
                    <span class="row"><span class=dot></span><b>{words}</b></span>
                    <span>{t!("status.last", received = ago(it.last_received), sent = ago(it.last_sent))}</span>
                    {it.limit.map(|today| {
                        let percent = share(today.used, Some(today.limit));
                        // In whole numbers: what writes fractions is dear on a first visit.
                        let width = percent as u32;
                        let words = t!("status.limit", used = dates::number(today.used), limit = dates::number(today.limit));
                        view! {
                            <span class=meter_class(percent) aria-hidden="true"><i style=format!("--v:{width}%")></i></span>
                            <span class="num">{words}</span>
                        }
                    })}
                    {(it.outgoing > 0).then(|| view! { <span class="num">{tn!("status.outgoing", it.outgoing)}</span> })}
                </div>
            }
        })}
    }
    .into_any()
}

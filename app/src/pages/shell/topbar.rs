//! Where the reader is, search, help, theme, user.

use leptos::prelude::*;

use super::Crumbs;
use super::use_shell_state;
use crate::i18n;
use crate::parts;
use crate::queries::shell::ShellData;
use crate::routes::Page;
use crate::routes::use_go;
use crate::routes::use_page;
use crate::routes::use_query;
use crate::session::use_me;
use crate::t;
use crate::theme;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;

#[component]
pub(super) fn TopBar() -> AnyView {
    let state = use_shell_state();
    let shell = use_context::<ShellData>();
    let dark = theme::use_dark();
    let has_news =
        move || shell.is_some_and(|it| it.0.state.with(|it| it.data.as_ref().is_some_and(|it| it.failures > 0)));
    view! {
        <header class="topbar">
            <button
                type="button"
                class="btn btn--ghost btn--icon menu-btn"
                class:has-news=has_news
                aria-label=t!("shell.menu")
                aria-expanded=move || if state.drawer.get() { "true" } else { "false" }
                on:click=move |_| state.drawer.update(|it| *it = !*it)
            >
                <Icon glyph=Glyph::Menu/>
            </button>
            <CrumbLine/>
            <Search/>
            <Button class="only-wide" kind=Kind::Ghost icon=Glyph::Help label=t!("shell.help") on_press=move |()| state.help.set(true)/>
            {move || {
                let glyph = if dark.get() { Glyph::Sun } else { Glyph::Moon };
                view! { <Button kind=Kind::Ghost icon=glyph label=t!("shell.theme") on_press=move |()| theme::toggle(dark)/> }
            }}
            <UserMenu/>
        </header>
    }
    .into_any()
}

#[component]
fn CrumbLine() -> AnyView {
    let crumbs = use_context::<Crumbs>();
    view! {
        <nav class="crumbs" aria-label=t!("shell.crumbs")>
            {move || {
                crumbs
                    .map(|it| it.0.get())
                    .unwrap_or_default()
                    .into_iter()
                    .rev()
                    .enumerate()
                    .map(|(behind, (text, href))| match (behind, href) {
                        (0, _) => view! { <span aria-current="page">{text}</span> }.into_any(),
                        (_, Some(href)) => view! { <a href=href>{text}</a><Icon glyph=Glyph::Right/> }.into_any(),
                        (_, None) => view! { <span class="only-wide">{text}</span><Icon glyph=Glyph::Right/> }.into_any(),
                    })
                    .rev()
                    .collect_view()
            }}
        </nav>
    }
    .into_any()
}

/// Looks for records; the words stand in the address of the results.
#[component]
fn Search() -> AnyView {
    let (go, page, query) = (use_go(), use_page(), use_query());
    let shown = move || match page.get() {
        Page::Search => query.with(|it| it.get("q").unwrap_or_default().to_owned()),
        _ => String::new(),
    };
    let input = NodeRef::<leptos::html::Input>::new();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(input) = input.get_untracked() else { return };
        let words = input.value();
        if !words.trim().is_empty() {
            let words = mailroom_shared::api::percent_encode(words.trim());
            go.to(format!("{}?q={words}", Page::Search.href()));
            let _ = input.blur();
        }
    };
    view! {
        <form class="searchbox" role="search" on:submit=submit>
            <Icon glyph=Glyph::Search/>
            <input
                type="search"
                node_ref=input
                aria-label=t!("shell.search")
                placeholder=t!("shell.search")
                autocomplete="off"
                prop:value=shown
                on:keydown=move |event| {
                    if event.key() == "Escape"
                        && let Some(input) = input.get_untracked()
                    {
                        let _ = input.blur();
                    }
                }
            />
            <kbd class="kbd" aria-hidden="true">"/"</kbd>
        </form>
    }
    .into_any()
}

#[component]
fn UserMenu() -> AnyView {
    let me = use_me();
    view! {
        {move || me.get().map(|me| {
            let trigger = view! {
                <Avatar name=me.name.clone() side=Side::Us/>
                <span>{i18n::lang_now().code().to_ascii_uppercase()}</span>
                <Icon glyph=Glyph::Down/>
            }
            .into_any();
            view! { <Menu class="me" label=t!("user.menu", name = me.name) trigger>{parts::user_menu()}</Menu> }
        })}
    }
    .into_any()
}

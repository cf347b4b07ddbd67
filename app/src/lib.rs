//! The page of Mailroom. Start here: [`App`] decides between set-up, login and the shell; `pages` has the rest.
//!
//! What is absent: rules (they are in `mailroom-shared` and in `model`, which is tested natively), raw colours and
//! sizes (`style/tokens.css`), texts (`shared/locales`), requests outside `api`.

#![expect(
    clippy::needless_pass_by_value,
    clippy::large_types_passed_by_value,
    reason = "props of components are passed by value"
)]
#![expect(unreachable_pub, reason = "the component macro makes a public type for the props of a private component")]

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::pages::shell::Shell;
use crate::session::CurrentUser;
use crate::session::Session;
use crate::session::SessionState;
use crate::ui::blank::Blank;
use crate::ui::toast::ToastHost;
use crate::ui::toast::Toasts;
use crate::widgets::problem::ProblemBlank;

pub mod api;
pub mod dates;
pub mod i18n;
pub mod json;
pub mod later;
pub mod live;
pub mod model;
pub mod pages;
pub mod parts;
pub mod queries;
pub mod routes;
pub mod session;
pub mod theme;
pub mod ui;
pub mod widgets;

/// Called by the boot script once the module is loaded.
///
/// # Errors
/// The texts can't be had; the boot script says so.
#[wasm_bindgen]
pub async fn run() -> Result<(), JsValue> {
    i18n::start().await.map_err(|_| JsValue::from_str("no texts"))?;
    mount_to_body(App);
    Ok(())
}

/// The contexts that outlive a change of language.
#[component]
pub fn App() -> AnyView {
    let session = SessionState::provide();
    Toasts::provide();
    routes::Address::provide();
    dates::provide_clock();
    provide_context(theme::Dark(RwSignal::new(theme::is_dark())));
    spawn_local(session.load());
    if matches!(routes::use_page().get_untracked(), routes::Page::Record(_)) {
        later::fetch_ahead(parts::PARTS, "record");
    }
    view! { <Gate/> }.into_any()
}

/// What is shown depends on who is there. A change of language builds all of it anew.
#[component]
fn Gate() -> AnyView {
    let session = session::use_session();
    let me = Memo::new(move |_| match session.get() {
        Session::LoggedIn(me) => Some(*me),
        _ => None,
    });
    provide_context(CurrentUser(me));
    // Who it is may change without the page being built anew: the name, the way of notification.
    let kind = Memo::new(move |_| match session.get() {
        Session::LoggedIn(me) => (1, Some(me.user)),
        Session::Unknown => (0, None),
        Session::SetUp => (2, None),
        Session::LoggedOut => (3, None),
        Session::Unreachable(_) => (4, None),
    });
    let page = routes::use_page();
    // What a link in a mail is about has nothing to do with who is logged in here.
    let account = Memo::new(move |_| match page.get() {
        routes::Page::Account(path) => Some(path),
        _ => None,
    });
    view! {
        {move || {
            i18n::lang();
            if let Some(path) = account.get() {
                return parts::account(path);
            }
            match kind.get().0 {
                0 => ().into_any(),
                1 => view! { <Shell/> }.into_any(),
                2 => parts::set_up(),
                3 => parts::login(),
                _ => view! { <Unreachable/> }.into_any(),
            }
        }}
        {move || {
            i18n::lang();
            view! { <ToastHost/> }
        }}
    }
    .into_any()
}

#[component]
fn Unreachable() -> AnyView {
    let session = session::use_session();
    let inside = match session.get() {
        Session::Unreachable(error) => {
            let retry = move |()| spawn_local(session.load());
            view! { <ProblemBlank error on_retry=retry/> }.into_any()
        }
        _ => view! { <Blank title=t!("ui.loading")/> }.into_any(),
    };
    view! { <main class="gate"><div class="gate-card">{inside}</div></main> }.into_any()
}

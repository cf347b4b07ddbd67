//! What surrounds every page: rail, top bar, live updates, keys of the whole page.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::i18n::Lang;

use self::rail::Rail;
use self::topbar::TopBar;
use crate::i18n;
use crate::later;
use crate::live;
use crate::pages::inbox::InboxPage;
use crate::parts;
use crate::queries::Cache;
use crate::queries::shell::provide_shell;
use crate::routes::Page;
use crate::routes::use_go;
use crate::routes::use_page;
use crate::session::use_me;
use crate::t;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys;
use crate::ui::keys::use_keys;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::toast_problem;

pub(crate) mod banner;
pub(crate) mod help;
mod rail;
mod topbar;
pub(crate) mod user_menu;

/// Words of the breadcrumb, the last one being the page; the others lead somewhere.
type Crumb = (String, Option<String>);

#[derive(Clone, Copy)]
struct Crumbs(RwSignal<Vec<Crumb>>);

/// Says where the reader is: breadcrumb and title of the browser tab.
pub fn use_crumbs(crumbs: Vec<Crumb>) {
    if let Some((last, _)) = crumbs.last() {
        set_title(last);
    }
    if let Some(Crumbs(signal)) = use_context::<Crumbs>() {
        signal.set(crumbs);
    }
}

/// Title of the browser tab.
pub fn set_title(text: &str) {
    document().set_title(&format!("{text} · Mailroom"));
}

/// State of the shell that its parts share.
#[derive(Clone, Copy)]
pub struct ShellState {
    /// The rail lies over the page (narrow screens).
    pub drawer: RwSignal<bool>,
    pub help: RwSignal<bool>,
    pub compose: RwSignal<bool>,
}

pub fn use_shell_state() -> ShellState {
    use_context::<ShellState>().unwrap_or_else(|| ShellState {
        drawer: RwSignal::new(false),
        help: RwSignal::new(false),
        compose: RwSignal::new(false),
    })
}

/// The shell with the page of the address bar.
#[component]
pub fn Shell() -> AnyView {
    let state = ShellState { drawer: RwSignal::new(false), help: RwSignal::new(false), compose: RwSignal::new(false) };
    provide_context(state);
    provide_context(Crumbs(RwSignal::new(Vec::new())));
    let cache = Cache::provide();
    provide_shell();
    live::start(cache);
    later::prefetch(parts::PARTS);
    hear_keys(state);
    let page = use_page();
    let me = use_me();
    let unconfirmed = Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(|it| !it.confirmed)));
    // The drawer has done its work once the page changes.
    Effect::new(move |_| {
        page.track();
        state.drawer.set(false);
    });
    view! {
        <a class="skip" href="#content" rel="external">{t!("shell.skip")}</a>
        <div class="app">
            <Rail page/>
            <div class="main">
                <TopBar/>
                {move || unconfirmed.get().then(parts::banner)}
                {move || show(page.get())}
            </div>
        </div>
        {move || state.help.get().then(|| parts::help(Callback::new(move |()| state.help.set(false))))}
        {move || state.compose.get().then(|| {
            let kind = match page.get_untracked() {
                Page::Records(kind) => Some(kind),
                _ => None,
            };
            parts::new_record(kind, Callback::new(move |()| state.compose.set(false)))
        })}
    }
    .into_any()
}

fn show(page: Page) -> AnyView {
    match page {
        Page::Inbox => view! { <InboxPage/> }.into_any(),
        Page::Records(kind) => parts::records(kind),
        Page::Record(id) => parts::record(id),
        Page::Search => parts::search(),
        Page::Notifications => parts::notifications(),
        Page::Failures => parts::failures(),
        Page::Suppressions => parts::suppressions(),
        Page::Emails => parts::emails(),
        Page::Campaigns => parts::campaigns(),
        Page::Campaign(id) => parts::campaign(id),
        Page::MailingLists => parts::mailing_lists(),
        Page::Contacts => parts::contacts(),
        Page::Contact(id) => parts::contact(id),
        Page::Deliverability => parts::deliverability(),
        Page::Aliases => parts::aliases(),
        Page::Servers => parts::servers(),
        Page::Limits => parts::limits(),
        Page::Actions => parts::actions(),
        Page::Alias(id) => parts::alias(id),
        Page::Incoming => parts::incoming(),
        Page::People => parts::people(),
        Page::Profile => parts::profile(),
        Page::Templates => parts::templates(),
        Page::Tokens => parts::tokens(),
        Page::Logs => parts::logs(),
        Page::Trace(id) => parts::trace(id),
        Page::Status => parts::status(),
        Page::Doctor => parts::doctor(),
        Page::Support => parts::support(),
        Page::NotFound | Page::Account(_) => parts::not_found(),
    }
}

fn hear_keys(state: ShellState) {
    let (toasts, go) = (use_toasts(), use_go());
    use_keys(move |key, _| {
        match key {
            "/" => keys::focus(".topbar input[type=search]"),
            "?" => state.help.set(true),
            "c" => state.compose.set(true),
            "z" => return toasts.undo_last(),
            "g" => go.to(Page::Inbox.href()),
            _ => return false,
        }
        true
    });
}

/// Mark and name.
#[component]
pub fn Brand() -> AnyView {
    let glyph = Glyph::Envelope(crate::model::envelope::EnvelopeGlyph::Plain);
    view! {
        <a class="brand" href="/"><span class="mark"><Icon glyph/></span>{t!("app.name")}</a>
    }
    .into_any()
}

/// English or Vietnamese, before anybody is logged in.
#[component]
pub fn LanguageSeg() -> AnyView {
    let toasts = use_toasts();
    let segments = Lang::ALL.into_iter().map(|it| Segment::new(it.code(), it.name().to_owned())).collect();
    view! {
        <Seg
            label=t!("user.language")
            segments
            value=Signal::derive(|| i18n::lang().code().to_owned())
            on_change=move |code: &'static str| {
                spawn_local(async move {
                    if let Err(error) = i18n::set_lang(Lang::of(code)).await {
                        toast_problem(toasts, &error);
                    }
                });
            }
        />
    }
    .into_any()
}

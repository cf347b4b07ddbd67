//! My Profile › Preferences: name, address, language, theme, notifications; password and sessions beside them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::profile::Profile;
use mailroom_shared::api::session::ChangeMe;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::i18n::Lang;

use self::address::AddressCard;
use self::security::PasswordCard;
use self::security::SessionsCard;
use crate::api::ApiError;
use crate::i18n;
use crate::pages::shell::use_crumbs;
use crate::queries::people::use_profile;
use crate::queries::session::change_me;
use crate::queries::use_cache;
use crate::routes::use_query;
use crate::session::use_me;
use crate::session::use_session;
use crate::t;
use crate::theme;
use crate::ui::button::Button;
use crate::ui::field::TextField;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::seg::Tab;
use crate::ui::seg::Tabs;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

mod address;
mod security;

/// Query of the second tab.
const SECURITY: &str = "security";

#[component]
pub fn ProfilePage() -> AnyView {
    use_crumbs(vec![(t!("profile.title"), None)]);
    let (profile, query) = (use_profile(), use_query());
    let retry = Callback::new(move |()| profile.retry());
    let is_security = Memo::new(move |_| query.with(|it| it.get("tab") == Some(SECURITY)));
    let tabs = Signal::derive(move || {
        let tab = |href: &str, text: String, is_now: bool| Tab { href: href.to_owned(), text, count: None, is_now };
        vec![
            tab("/profile", t!("profile.preferences"), !is_security.get()),
            tab("/profile?tab=security", t!("profile.security"), is_security.get()),
        ]
    });
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("profile.title")}</h1></div></div>
            <Tabs label=t!("profile.title") tabs/>
            {move || {
                let state = profile.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), _) if is_security.get() => view! {
                        <div class="cols cols--2">
                            <PasswordCard/>
                            <SessionsCard rows=it.sessions/>
                        </div>
                    }
                    .into_any(),
                    (Some(it), _) => view! { <Preferences it/> }.into_any(),
                }
            }}
        </main>
    }
    .into_any()
}

#[component]
fn Preferences(it: Profile) -> AnyView {
    view! {
        <div class="cols cols--2">
            <AddressCard it=it.clone()/>
            <Habits name=it.name/>
        </div>
    }
    .into_any()
}

/// Name, language, theme, notifications: each is saved at once, but the name.
#[component]
fn Habits(name: String) -> AnyView {
    let (me, session, cache, toasts) = (use_me(), use_session(), use_cache(), use_toasts());
    let dark = theme::use_dark();
    let name = RwSignal::new(name);
    let error = RwSignal::new(None::<ApiError>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "name")));
    let change = move |change: ChangeMe| {
        spawn_local(async move {
            match change_me(cache, change).await {
                Ok(me) => {
                    let _ = error.try_set(None);
                    session.enter(me).await;
                    toasts.done(t!("profile.saved"));
                }
                Err(problem) => {
                    toast_problem(toasts, &problem);
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        change(ChangeMe { name: Some(name.get_untracked()), ..ChangeMe::default() });
    };
    let languages = Lang::ALL.into_iter().map(|it| Segment::new(it.code(), it.name().to_owned())).collect();
    let themes = ["light", "dark"].map(|it| Segment::new(it, t!(&format!("profile.theme.{it}")))).to_vec();
    let ways = [NotifyBy::Email, NotifyBy::Mailroom]
        .map(|it| Segment::new(it.as_str(), t!(&format!("user.notify.{}", it.as_str()))))
        .to_vec();
    let way =
        Signal::derive(move || me.with(|it| it.as_ref().map_or(String::new(), |it| it.notify_by.as_str().to_owned())));
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("profile.preferences")}</h2></header>
            <div class="card-body stack gap-4">
                <form class="stack gap-3" on:submit=submit>
                    <TextField label=t!("profile.name") value=name name="name" autocomplete="name" error=wrong/>
                    <div><Button submit=true text=t!("ui.save")/></div>
                </form>
                <div class="field">
                    <span class="label">{t!("profile.language")}</span>
                    <Seg
                        label=t!("profile.language")
                        segments=languages
                        value=Signal::derive(|| i18n::lang().code().to_owned())
                        on_change=move |code: &'static str| change(ChangeMe { language: Some(code.to_owned()), ..ChangeMe::default() })
                    />
                </div>
                <div class="field">
                    <span class="label">{t!("profile.theme")}</span>
                    <Seg
                        label=t!("profile.theme")
                        segments=themes
                        value=Signal::derive(move || if dark.get() { "dark".to_owned() } else { "light".to_owned() })
                        on_change=move |name: &'static str| {
                            if theme::is_dark() != (name == "dark") {
                                theme::toggle(dark);
                            }
                        }
                    />
                </div>
                <div class="field">
                    <span class="label">{t!("profile.notifications")}</span>
                    <Seg
                        label=t!("profile.notifications")
                        segments=ways
                        value=way
                        on_change=move |by: &'static str| change(ChangeMe { notify_by: NotifyBy::parse(by), ..ChangeMe::default() })
                    />
                    <span class="hint">{t!("profile.notifications.hint")}</span>
                </div>
            </div>
        </section>
    }
    .into_any()
}

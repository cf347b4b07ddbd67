//! What the menu of the user holds: language, way of notification, log out.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::session::ChangeMe;
use mailroom_shared::api::session::NotifyBy;
use mailroom_shared::i18n::Lang;

use crate::i18n;
use crate::queries::session::change_me;
use crate::queries::session::log_out;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::session::use_me;
use crate::session::use_session;
use crate::t;
use crate::ui::icon::Glyph;
use crate::ui::menu::MenuItem;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::toast_problem;

#[component]
pub fn UserMenuItems() -> AnyView {
    let (me, session, cache, toasts) = (use_me(), use_session(), use_cache(), use_toasts());
    let change = move |change: ChangeMe| {
        spawn_local(async move {
            match change_me(cache, change).await {
                Ok(me) => session.enter(me).await,
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let leave = move |()| {
        spawn_local(async move {
            match log_out().await {
                Ok(()) => session.leave(),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        {move || me.get().map(|me| {
            let notify = me.notify_by;
            view! {
                <div class="menu-label"><b class="soft">{me.name}</b><br/>{me.email.to_string()}</div>
                <div class="menu-sep"></div>
                <MenuItem icon=Glyph::Settings text=t!("profile.title") href=Page::Profile.href()/>
                <div class="menu-sep"></div>
                <div class="menu-label">{t!("user.language")}</div>
                {Lang::ALL
                    .into_iter()
                    .map(|lang| view! {
                        <MenuItem
                            text=lang.name()
                            checked=lang == i18n::lang_now()
                            on_press=move |()| change(ChangeMe { language: Some(lang.code().to_owned()), ..ChangeMe::default() })
                        />
                    })
                    .collect_view()}
                <div class="menu-sep"></div>
                <div class="menu-label">{t!("user.notify")}</div>
                {[NotifyBy::Email, NotifyBy::Mailroom]
                    .into_iter()
                    .map(|by| view! {
                        <MenuItem
                            text=t!(&format!("user.notify.{}", by.as_str()))
                            checked=by == notify
                            on_press=move |()| change(ChangeMe { notify_by: Some(by), ..ChangeMe::default() })
                        />
                    })
                    .collect_view()}
                <div class="menu-sep"></div>
                <MenuItem icon=Glyph::LogOut text=t!("user.log_out") on_press=leave/>
            }
        })}
    }
    .into_any()
}

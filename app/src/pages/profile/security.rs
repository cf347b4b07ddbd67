//! The own password, and where one is logged in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::profile::ChangedPassword;
use mailroom_shared::api::profile::SessionRow;

use crate::api::ApiError;
use crate::dates;
use crate::queries::people::change_password;
use crate::queries::people::end_other_sessions;
use crate::queries::people::end_session;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

#[component]
pub(super) fn PasswordCard() -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let (old, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let change = ChangedPassword { old: old.get_untracked(), new: new.get_untracked() };
        busy.set(true);
        spawn_local(async move {
            let answer = change_password(cache, change).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => {
                    let _ = error.try_set(None);
                    let _ = (old.try_set(String::new()), new.try_set(String::new()));
                    toasts.done(t!("profile.password.changed"));
                }
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("profile.password")}</h2></header>
            <form class="card-body stack gap-3" on:submit=submit>
                <TextField label=t!("profile.password.old") value=old kind=Input::Password name="old" autocomplete="current-password" error=wrong("old") required=true/>
                <TextField label=t!("password.new") value=new kind=Input::Password name="new" autocomplete="new-password" hint=t!("setup.password.hint") error=wrong("new") required=true/>
                <FormProblem error=error.into()/>
                <div><Button kind=Kind::Primary submit=true text=t!("profile.password.change") disabled=busy/></div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
pub(super) fn SessionsCard(rows: Vec<SessionRow>) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let has_others = rows.len() > 1;
    let end_others = move |()| {
        spawn_local(async move {
            match end_other_sessions(cache).await {
                Ok(_) => toasts.done(t!("profile.sessions.others_ended")),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let line = move |row: SessionRow| {
        let id = StoredValue::new(row.id);
        let end = move |()| {
            let id = id.get_value();
            spawn_local(async move {
                match end_session(cache, id).await {
                    Ok(_) => toasts.done(t!("profile.sessions.ended")),
                    Err(error) => toast_problem(toasts, &error),
                }
            });
        };
        let browser = if row.browser.is_empty() { t!("profile.sessions.unknown") } else { row.browser };
        let last = if row.this {
            view! { <Tag tone=Tone::Accent text=t!("profile.sessions.this")/> }.into_any()
        } else {
            view! { <Button small=true text=t!("profile.sessions.end") on_press=end/> }.into_any()
        };
        view! {
            <tr data-session=if row.this { "this" } else { "other" }>
                <td>{browser}</td>
                <td class="r muted" data-label=t!("profile.sessions.seen")><Age at=row.last_seen/></td>
                <td class="r muted" data-label=t!("profile.sessions.since")>{dates::format(row.created, dates::Style::Date)}</td>
                <td class="r">{last}</td>
            </tr>
        }
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("profile.sessions")}</h2></header>
            <div class="card-body stack gap-3">
                <p class="soft">{t!("profile.sessions.text")}</p>
                <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("profile.sessions")>
                    <table class="tbl">
                        <colgroup><col/><col style="width:100px"/><col style="width:110px"/><col style="width:110px"/></colgroup>
                        <thead>
                            <tr>
                                <th>{t!("profile.sessions.browser")}</th>
                                <th class="r">{t!("profile.sessions.seen")}</th>
                                <th class="r">{t!("profile.sessions.since")}</th>
                                <th></th>
                            </tr>
                        </thead>
                        <tbody>{rows.into_iter().map(line).collect_view()}</tbody>
                    </table>
                </div>
                {has_others.then(|| view! { <div><Button text=t!("profile.sessions.end_others") on_press=end_others/></div> })}
            </div>
        </section>
    }
    .into_any()
}

//! The own address: whether it is confirmed, what speaks against it, another one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::profile::NewAddress;
use mailroom_shared::api::profile::Profile;

use crate::api::ApiError;
use crate::dates;
use crate::queries::people::change_address;
use crate::queries::people::forget_address;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

#[component]
pub(super) fn AddressCard(it: Profile) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let email = it.email.to_string();
    let value = RwSignal::new(email.clone());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let password = RwSignal::new(String::new());
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let send = move |address: String| {
        let new = NewAddress { email: address.clone(), password: password.get_untracked() };
        busy.set(true);
        spawn_local(async move {
            let answer = change_address(cache, new).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => toasts.done(t!("profile.mail_sent", email = address)),
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        error.set(None);
        send(value.get_untracked().trim().to_owned());
    };
    let forget = move |()| {
        spawn_local(async move {
            if let Err(error) = forget_address(cache).await {
                toast_problem(toasts, &error);
            }
        });
    };
    let (tone, icon, word) = if it.confirmed {
        (Tone::Green, Glyph::Check, t!("profile.confirmed"))
    } else {
        (Tone::Amber, Glyph::Alert, t!("profile.unconfirmed"))
    };
    let pending = it.pending.clone().zip(it.pending_until).map(|(address, until)| {
        let text = t!("profile.pending", email = address, when = dates::when_text(until, dates::now()));
        view! {
            <div data-pending=address.to_string()>
                <Notice weight=Weight::Info icon=Glyph::Clock text>
                    <Button small=true text=t!("profile.forget") on_press=forget/>
                </Notice>
            </div>
        }
    });
    let unconfirmed = (!it.confirmed).then(|| {
        let text = t!("profile.unconfirmed.text", email = email);
        view! { <Notice weight=Weight::Warn icon=Glyph::Alert text/> }
    });
    let warnings = it.warnings.iter().map(|it| {
        let text = t!(&format!("profile.warning.{}", it.as_str()));
        view! { <div data-warning=it.as_str()><Notice weight=Weight::Warn icon=Glyph::ShieldAlert text/></div> }
    });
    let present = email.clone();
    // The same address once more is the mail again; another one is a change.
    let press = move || {
        if value.with(|it| it.trim().eq_ignore_ascii_case(&present)) {
            t!("profile.send_mail")
        } else {
            t!("profile.change_email")
        }
    };
    let is_confirmed = it.confirmed;
    let for_idle = email.clone();
    // Nothing to do about an address that is good.
    let idle = Memo::new(move |_| is_confirmed && value.with(|it| it.trim() == for_idle));
    let suggestion = it.suggestion.filter(|_| !it.confirmed).map(|it| t!("profile.suggestion", email = it));
    view! {
        <section class="card" data-confirmed=it.confirmed.to_string()>
            <header class="card-head"><h2>{t!("profile.email")}</h2><Tag tone icon=icon text=word/></header>
            <form class="card-body stack gap-3" on:submit=submit>
                {unconfirmed}
                {pending}
                {warnings.collect_view()}
                <TextField label=t!("profile.email") value kind=Input::Email name="email" autocomplete="email" hint=t!("profile.email.hint") error=wrong("email") required=true/>
                {move || (is_confirmed && !idle.get()).then(|| view! {
                    <TextField label=t!("profile.password.old") value=password kind=Input::Password name="password" autocomplete="current-password" error=wrong("password") required=true/>
                })}
                {suggestion.map(|text| view! { <p class="muted small">{text}</p> })}
                <FormProblem error=error.into()/>
                {move || (!idle.get()).then(|| view! {
                    <div><Button kind=Kind::Primary submit=true icon=Glyph::Send text=press() disabled=busy/></div>
                })}
            </form>
        </section>
    }
    .into_any()
}

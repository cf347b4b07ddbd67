//! What links in mails open, with or without a login: join, set a password, confirm an address; and *Forgot password*.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::people::Join;
use mailroom_shared::api::people::LinkView;
use mailroom_shared::api::session::Me;

use crate::api::ApiError;
use crate::i18n;
use crate::pages::shell::Brand;
use crate::pages::shell::LanguageSeg;
use crate::pages::shell::set_title;
use crate::queries::people::confirm_address;
use crate::queries::people::forget_password;
use crate::queries::people::join;
use crate::queries::people::read_invitation;
use crate::queries::people::read_reset;
use crate::queries::people::reset_password;
use crate::routes::use_go;
use crate::session::SessionState;
use crate::session::use_session;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::problem_text;

/// `path` is that of the page without its first slash, for example `join/TOKEN`.
#[component]
pub fn AccountPage(path: String) -> AnyView {
    let (page, token) = path.split_once('/').unwrap_or((&path, ""));
    let token = token.to_owned();
    let inside = match (page, token.is_empty()) {
        ("join", _) => view! { <JoinForm token/> }.into_any(),
        ("confirm", _) => view! { <ConfirmForm token/> }.into_any(),
        (_, true) => view! { <ForgotForm/> }.into_any(),
        (_, false) => view! { <ResetForm token/> }.into_any(),
    };
    view! {
        <main class="gate" id="content">
            <div class="gate-card gate-card--login">
                <Brand/>
                {inside}
                <div class="gate-foot"><LanguageSeg/></div>
            </div>
        </main>
    }
    .into_any()
}

/// Logs in and goes to the Inbox.
async fn enter(session: SessionState, go: crate::routes::Go, me: Me) {
    session.enter(me).await;
    go.to("/");
}

/// Instead of a form whose link is none.
#[component]
fn Invalid(error: ApiError) -> AnyView {
    view! {
        <h1>{t!("link.invalid")}</h1>
        <p>{problem_text(&error)}</p>
        <a class="btn" href="/">{t!("confirm.go")}</a>
    }
    .into_any()
}

/// What the Worker says of a link: nothing yet, whom it is for, or why it does not work.
type Known = RwSignal<Option<Result<LinkView, ApiError>>>;

#[component]
fn JoinForm(token: String) -> AnyView {
    let known: Known = RwSignal::new(None);
    let asked = token.clone();
    spawn_local(async move {
        let answer = read_invitation(&asked).await;
        let _ = known.try_set(Some(answer));
    });
    let token = StoredValue::new(token);
    view! {
        {move || match known.get() {
            None => ().into_any(),
            Some(Err(error)) => view! { <Invalid error/> }.into_any(),
            Some(Ok(link)) => view! { <JoinFields link token=token.get_value()/> }.into_any(),
        }}
    }
    .into_any()
}

#[component]
fn JoinFields(link: LinkView, token: String) -> AnyView {
    let title = t!("join.title", company = link.company);
    set_title(&title);
    let (session, go) = (use_session(), use_go());
    let (name, password) = (RwSignal::new(link.name.clone()), RwSignal::new(String::new()));
    let email = RwSignal::new(link.email.to_string());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let form = Join {
            name: name.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
            language: i18n::lang_now().code().to_owned(),
        };
        let token = token.clone();
        busy.set(true);
        spawn_local(async move {
            match join(&token, form).await {
                Ok(me) => enter(session, go, me).await,
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                    let _ = busy.try_set(false);
                }
            }
        });
    };
    view! {
        <h1>{title}</h1>
        <p>{t!("join.text", by = link.by)}</p>
        <form on:submit=submit>
            // For the browser's store of passwords.
            <input type="hidden" name="username" autocomplete="username" prop:value=email/>
            <p class="med">{move || email.get()}</p>
            <TextField label=t!("join.name") value=name name="name" autocomplete="name" error=wrong("name") autofocus=true required=true/>
            <TextField label=t!("login.password") value=password kind=Input::Password name="password" autocomplete="new-password" hint=t!("setup.password.hint") error=wrong("password") required=true/>
            <FormProblem error=error.into()/>
            <Button kind=Kind::Primary submit=true text=t!("join.submit") disabled=busy/>
        </form>
    }
    .into_any()
}

#[component]
fn ForgotForm() -> AnyView {
    set_title(&t!("password.ask.title"));
    let email = RwSignal::new(String::new());
    let error = RwSignal::new(None::<ApiError>);
    let asked = RwSignal::new(None::<String>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "email")));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let address = email.get_untracked().trim().to_owned();
        spawn_local(async move {
            let answer = forget_password(address.clone()).await;
            let _ = asked.try_set(answer.is_ok().then_some(address));
            let _ = error.try_set(answer.err());
        });
    };
    view! {
        <h1>{t!("password.ask.title")}</h1>
        <p>{t!("password.ask.text")}</p>
        <form on:submit=submit>
            <TextField label=t!("login.email") value=email kind=Input::Email name="email" autocomplete="username" error=wrong autofocus=true required=true/>
            <FormProblem error=error.into()/>
            {move || asked.get().map(|it| view! {
                <Notice weight=Weight::Info icon=Glyph::Send text=t!("password.asked", email = it)/>
            })}
            <Button kind=Kind::Primary submit=true text=t!("password.ask.submit")/>
        </form>
        <p><a href="/">{t!("password.back")}</a></p>
    }
    .into_any()
}

#[component]
fn ResetForm(token: String) -> AnyView {
    let known: Known = RwSignal::new(None);
    let asked = token.clone();
    spawn_local(async move {
        let answer = read_reset(&asked).await;
        let _ = known.try_set(Some(answer));
    });
    let token = StoredValue::new(token);
    view! {
        {move || match known.get() {
            None => ().into_any(),
            Some(Err(error)) => view! {
                <Invalid error/>
                <p><a href="/password">{t!("login.forgot")}</a></p>
            }
            .into_any(),
            Some(Ok(link)) => view! { <ResetFields link token=token.get_value()/> }.into_any(),
        }}
    }
    .into_any()
}

#[component]
fn ResetFields(link: LinkView, token: String) -> AnyView {
    set_title(&t!("password.set.title"));
    let (session, go) = (use_session(), use_go());
    let password = RwSignal::new(String::new());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "password")));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (token, password) = (token.clone(), password.get_untracked());
        busy.set(true);
        spawn_local(async move {
            match reset_password(&token, password).await {
                Ok(me) => enter(session, go, me).await,
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                    let _ = busy.try_set(false);
                }
            }
        });
    };
    view! {
        <h1>{t!("password.set.title")}</h1>
        <p>{t!("password.set.text", email = link.email)}</p>
        <form on:submit=submit>
            <TextField label=t!("password.new") value=password kind=Input::Password name="password" autocomplete="new-password" hint=t!("setup.password.hint") error=wrong autofocus=true required=true/>
            <FormProblem error=error.into()/>
            <Button kind=Kind::Primary submit=true text=t!("password.set.submit") disabled=busy/>
        </form>
    }
    .into_any()
}

/// A button, since programs that scan mail open links too.
#[component]
fn ConfirmForm(token: String) -> AnyView {
    set_title(&t!("confirm.title"));
    let session = use_session();
    let done = RwSignal::new(None::<Result<String, ApiError>>);
    let busy = RwSignal::new(false);
    let token = StoredValue::new(token);
    let press = move |()| {
        let token = token.get_value();
        busy.set(true);
        spawn_local(async move {
            let answer = confirm_address(&token).await;
            if answer.is_ok() {
                // Whoever is logged in here may be the one.
                session.load().await;
            }
            let _ = done.try_set(Some(answer.map(|it| it.email.to_string())));
        });
    };
    view! {
        <h1>{t!("confirm.title")}</h1>
        {move || match done.get() {
            None => view! {
                <p>{t!("confirm.text")}</p>
                <Button kind=Kind::Primary text=t!("confirm.submit") disabled=busy on_press=press/>
            }
            .into_any(),
            Some(Ok(email)) => view! {
                <Notice weight=Weight::Info icon=Glyph::Check text=t!("confirm.done", email = email)/>
                <p><a class="btn" href="/">{t!("confirm.go")}</a></p>
            }
            .into_any(),
            Some(Err(error)) => view! {
                <Notice weight=Weight::Bad icon=Glyph::Alert text=problem_text(&error)/>
                <p><a class="btn" href="/profile">{t!("profile.title")}</a></p>
            }
            .into_any(),
        }}
    }
    .into_any()
}

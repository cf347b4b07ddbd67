//! Log in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::session::Login;

use crate::api::ApiError;
use crate::pages::shell::Brand;
use crate::pages::shell::LanguageSeg;
use crate::pages::shell::set_title;
use crate::queries::session::log_in;
use crate::session::use_session;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;

#[component]
pub fn LoginPage() -> AnyView {
    set_title(&t!("login.title"));
    let session = use_session();
    let (email, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let login = Login { email: email.get_untracked().trim().to_owned(), password: password.get_untracked() };
        busy.set(true);
        spawn_local(async move {
            match log_in(login).await {
                Ok(me) => session.enter(me).await,
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                    let _ = busy.try_set(false);
                }
            }
        });
    };
    view! {
        <main class="gate" id="content">
            <div class="gate-card gate-card--login">
                <Brand/>
                <h1>{t!("login.title")}</h1>
                <p>{t!("login.text")}</p>
                <form on:submit=submit>
                    <TextField label=t!("login.email") value=email kind=Input::Email name="email" autocomplete="username" error=wrong("email") autofocus=true required=true/>
                    <TextField label=t!("login.password") value=password kind=Input::Password name="password" autocomplete="current-password" error=wrong("password") required=true/>
                    <FormProblem error=error.into()/>
                    <Button kind=Kind::Primary submit=true text=t!("login.submit") disabled=busy/>
                </form>
                <p><a href="/password">{t!("login.forgot")}</a></p>
                <div class="gate-foot"><LanguageSeg/></div>
            </div>
        </main>
    }
    .into_any()
}

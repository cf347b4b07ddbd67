//! First run: the company, its first administrator, its domain.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::session::SetUp;
use mailroom_shared::api::session::SetUpSmtp;

use crate::api::ApiError;
use crate::i18n;
use crate::pages::shell::Brand;
use crate::pages::shell::LanguageSeg;
use crate::pages::shell::set_title;
use crate::queries::session::set_up;
use crate::session::use_session;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;

#[component]
pub fn SetUpPage() -> AnyView {
    set_title(&t!("setup.title"));
    let session = use_session();
    let text = || RwSignal::new(String::new());
    let (company, name, email, password, domain) = (text(), text(), text(), text(), text());
    let (host, port, security) = (text(), RwSignal::new("587".to_owned()), RwSignal::new("starttls".to_owned()));
    let with_smtp = RwSignal::new(false);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let trimmed = |it: RwSignal<String>| it.get_untracked().trim().to_owned();
        let smtp = with_smtp.get_untracked().then(|| SetUpSmtp {
            host: trimmed(host),
            port: trimmed(port).parse().unwrap_or(587),
            security: Some(security.get_untracked()),
        });
        let form = SetUp {
            company: trimmed(company),
            name: trimmed(name),
            email: trimmed(email),
            password: password.get_untracked(),
            domain: trimmed(domain),
            language: i18n::lang_now().code().to_owned(),
            smtp,
        };
        busy.set(true);
        spawn_local(async move {
            match set_up(form).await {
                Ok(me) => session.enter(me).await,
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                    let _ = busy.try_set(false);
                }
            }
        });
    };
    let securities = Signal::derive(|| {
        ["starttls", "tls", "none"].map(|it| (it.to_owned(), t!(&format!("setup.smtp.security.{it}")))).to_vec()
    });
    view! {
        <main class="gate" id="content">
            <div class="gate-card gate-card--wide">
                <Brand/>
                <h1>{t!("setup.title")}</h1>
                <p>{t!("setup.text")}</p>
                <form on:submit=submit>
                    <div class="form-section">
                        <TextField label=t!("setup.company") value=company name="company" autocomplete="organization" error=wrong("company") autofocus=true required=true/>
                        <TextField label=t!("setup.domain") value=domain name="domain" placeholder=t!("setup.domain.placeholder") hint=t!("setup.domain.hint") error=wrong("domain") required=true/>
                    </div>
                    <div class="form-section">
                        <h2>{t!("setup.administrator")}</h2>
                        <div class="form-two">
                            <TextField label=t!("setup.name") value=name name="name" autocomplete="name" error=wrong("name") required=true/>
                            <TextField label=t!("setup.email") value=email kind=Input::Email name="email" autocomplete="username" hint=t!("setup.email.hint") error=wrong("email")/>
                        </div>
                        <TextField label=t!("setup.password") value=password kind=Input::Password name="password" autocomplete="new-password" hint=t!("setup.password.hint") error=wrong("password") required=true/>
                    </div>
                    <div class="form-section">
                        <h2>{t!("setup.smtp")}</h2>
                        <Check text=t!("setup.smtp.own") checked=with_smtp on_change=move |on: bool| with_smtp.set(on)/>
                        {move || with_smtp.get().then(|| view! {
                            <TextField label=t!("setup.smtp.host") value=host name="smtp_host" error=wrong("smtp.host")/>
                            <div class="form-two">
                                <TextField label=t!("setup.smtp.port") value=port name="smtp_port" error=wrong("smtp.port")/>
                                <SelectField label=t!("setup.smtp.security") value=security options=securities error=wrong("smtp.security")/>
                            </div>
                        })}
                    </div>
                    <FormProblem error=error.into()/>
                    <Button kind=Kind::Primary submit=true text=t!("setup.submit") disabled=busy/>
                </form>
                <div class="gate-foot"><LanguageSeg/></div>
            </div>
        </main>
    }
    .into_any()
}

//! The form of an outgoing server, with *Test connection*.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::servers::Auth;
use mailroom_shared::api::servers::EditServer;
use mailroom_shared::api::servers::Security;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::servers::ServerRow;
use mailroom_shared::api::servers::TestReport;
use mailroom_shared::api::servers::TestServer;

use crate::api::ApiError;
use crate::model::server::megabytes;
use crate::model::server::optional_number;
use crate::model::server::usual_port;
use crate::queries::servers::archive_server;
use crate::queries::servers::save_server;
use crate::queries::servers::test_server;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

#[component]
pub(super) fn ServerDialog(server: Option<ServerRow>, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog on_close>
            <Form server/>
        </Dialog>
    }
    .into_any()
}

/// The fields, as typed.
#[derive(Clone, Copy)]
struct Fields {
    name: RwSignal<String>,
    kind: RwSignal<String>,
    host: RwSignal<String>,
    port: RwSignal<String>,
    security: RwSignal<String>,
    strict_tls: RwSignal<bool>,
    auth: RwSignal<String>,
    username: RwSignal<String>,
    password: RwSignal<String>,
    from_filter: RwSignal<String>,
    priority: RwSignal<String>,
    bulk: RwSignal<bool>,
    dkim: RwSignal<bool>,
    enabled: RwSignal<bool>,
    daily: RwSignal<String>,
    hourly: RwSignal<String>,
    size: RwSignal<String>,
    connect: RwSignal<String>,
    send: RwSignal<String>,
}

impl Fields {
    fn of(s: &EditServer) -> Self {
        let number = |n: Option<u32>| RwSignal::new(n.map(|it| it.to_string()).unwrap_or_default());
        Self {
            name: RwSignal::new(s.name.clone()),
            kind: RwSignal::new(s.kind.as_str().to_owned()),
            host: RwSignal::new(s.host.clone()),
            port: RwSignal::new(s.port.to_string()),
            security: RwSignal::new(s.security.as_str().to_owned()),
            strict_tls: RwSignal::new(s.strict_tls),
            auth: RwSignal::new(s.auth.as_str().to_owned()),
            username: RwSignal::new(s.username.clone()),
            password: RwSignal::new(String::new()),
            from_filter: RwSignal::new(s.from_filter.clone()),
            priority: RwSignal::new(s.priority.to_string()),
            bulk: RwSignal::new(s.bulk),
            dkim: RwSignal::new(s.dkim),
            enabled: RwSignal::new(s.enabled),
            daily: number(s.daily_limit),
            hourly: number(s.hourly_limit),
            size: RwSignal::new(megabytes(s.max_size)),
            connect: number(Some(s.connect_timeout)),
            send: number(Some(s.send_timeout)),
        }
    }

    /// What is no number becomes one that the Worker refuses, beside all else that is wrong.
    fn read(self, old: &EditServer) -> EditServer {
        let number = |it: RwSignal<String>| optional_number(&it.get_untracked()).unwrap_or(Some(0));
        EditServer {
            name: self.name.get_untracked(),
            kind: ServerKind::parse(&self.kind.get_untracked()).unwrap_or_default(),
            host: self.host.get_untracked().trim().to_owned(),
            port: self.port.get_untracked().trim().parse().unwrap_or(0),
            security: Security::parse(&self.security.get_untracked()).unwrap_or_default(),
            strict_tls: self.strict_tls.get_untracked(),
            auth: Auth::parse(&self.auth.get_untracked()).unwrap_or_default(),
            username: self.username.get_untracked().trim().to_owned(),
            password: Some(self.password.get_untracked()).filter(|it| !it.is_empty()),
            from_filter: self.from_filter.get_untracked(),
            priority: self.priority.get_untracked().trim().parse().unwrap_or(old.priority),
            bulk: self.bulk.get_untracked(),
            enabled: self.enabled.get_untracked(),
            daily_limit: number(self.daily),
            hourly_limit: number(self.hourly),
            max_size: number(self.size).map(|it| it.saturating_mul(1_000_000)),
            connect_timeout: number(self.connect).unwrap_or(old.connect_timeout),
            send_timeout: number(self.send).unwrap_or(old.send_timeout),
            dkim: self.dkim.get_untracked(),
        }
    }
}

#[component]
fn Form(server: Option<ServerRow>) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let title = server.as_ref().map_or_else(|| t!("servers.new"), |it| it.settings.name.clone());
    let old = server.as_ref().map(|it| it.settings.clone()).unwrap_or_default();
    let fields = Fields::of(&old);
    let id = StoredValue::new(server.as_ref().map(|it| it.id.clone()));
    let is_archived = server.as_ref().is_some_and(|it| it.archived);
    let has_password = server.as_ref().is_some_and(|it| it.has_password);
    let old = StoredValue::new(old);
    let error = RwSignal::new(None::<ApiError>);
    let report = RwSignal::new(None::<TestReport>);
    let (busy, testing) = (RwSignal::new(false), RwSignal::new(false));
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let options = |prefix: &'static str, all: Vec<&'static str>| {
        Signal::derive(move || {
            all.iter().map(|it| ((*it).to_owned(), t!(&format!("servers.{prefix}.{it}")))).collect::<Vec<_>>()
        })
    };
    let is_smtp = move || fields.kind.with(|it| it == "smtp");
    // The usual port follows the encryption until another one is typed.
    Effect::new(move |before: Option<String>| {
        let now = fields.security.get();
        if let Some(before) = before.filter(|it| *it != now)
            && fields.port.with_untracked(|it| it == usual_port(&before))
        {
            fields.port.set(usual_port(&now).to_owned());
        }
        now
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let edit = fields.read(&old.get_value());
        busy.set(true);
        let id = id.get_value();
        spawn_local(async move {
            let answer = save_server(cache, id, edit).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("servers.saved", name = row.settings.name));
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let test = move |()| {
        let what = TestServer { server: id.get_value(), settings: fields.read(&old.get_value()) };
        testing.set(true);
        report.set(None);
        spawn_local(async move {
            let answer = test_server(cache, what).await;
            let _ = testing.try_set(false);
            match answer {
                Ok(it) => {
                    let _ = report.try_set(Some(it));
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let archive = move |()| {
        let Some(id) = id.get_value() else { return };
        spawn_local(async move {
            match archive_server(cache, id).await {
                Ok(()) => {
                    dialog.close();
                    toasts.done(t!("servers.archived"));
                }
                Err(problem) => toast_problem(toasts, &problem),
            }
        });
    };
    let flag = |text: String, signal: RwSignal<bool>| {
        view! { <Check text checked=signal on_change=move |it: bool| signal.set(it)/> }
    };
    view! {
        <DialogHead title/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("servers.name") value=fields.name name="name" error=wrong("name") autofocus=true required=true/>
                <SelectField label=t!("servers.kind") value=fields.kind options=options("kind", vec!["smtp", "cloudflare"]) name="kind"/>
                {move || is_smtp().then(|| view! {
                    <div class="form-two">
                        <TextField label=t!("servers.host") value=fields.host name="host" placeholder="smtp.corp.example" error=wrong("host")/>
                        <TextField label=t!("servers.port") value=fields.port name="port" error=wrong("port")/>
                    </div>
                    <SelectField label=t!("servers.security") value=fields.security options=options("security", vec!["tls", "starttls", "none"]) name="security"/>
                    {move || fields.security.with(|it| it == "starttls").then(|| flag(t!("servers.strict_tls"), fields.strict_tls))}
                    <div class="form-two">
                        <TextField label=t!("servers.username") value=fields.username name="username" hint=t!("servers.username.hint")/>
                        <TextField label=t!("servers.password") value=fields.password kind=Input::Password autocomplete="new-password" name="server-password"
                            hint=if has_password { t!("servers.password.kept") } else { String::new() }/>
                    </div>
                    <SelectField label=t!("servers.auth") value=fields.auth options=options("auth", vec!["auto", "plain", "login", "scram"]) name="auth"/>
                })}
                <TextField label=t!("servers.filter") value=fields.from_filter name="from_filter" hint=t!("servers.filter.hint") error=wrong("from_filter")/>
                <div class="form-two">
                    <TextField label=t!("servers.priority") value=fields.priority name="priority" hint=t!("servers.priority.hint")/>
                    <TextField label=t!("servers.size") value=fields.size name="max_size" hint=t!("servers.size.hint") error=wrong("max_size")/>
                </div>
                <div class="form-two">
                    <TextField label=t!("servers.daily") value=fields.daily name="daily_limit" hint=t!("servers.daily.hint") error=wrong("daily_limit")/>
                    <TextField label=t!("servers.hourly") value=fields.hourly name="hourly_limit" error=wrong("hourly_limit")/>
                </div>
                <div class="form-two">
                    <TextField label=t!("servers.connect_timeout") value=fields.connect name="connect_timeout" error=wrong("connect_timeout")/>
                    <TextField label=t!("servers.send_timeout") value=fields.send name="send_timeout" error=wrong("send_timeout")/>
                </div>
                {flag(t!("servers.bulk.text"), fields.bulk)}
                {move || is_smtp().then(|| flag(t!("servers.dkim"), fields.dkim))}
                {flag(t!("servers.enabled"), fields.enabled)}
                <FormProblem error=error.into()/>
            </div>
            {move || report.get().map(|it| view! { <div class="card-body"><Report it/></div> })}
            <footer class="dialog-foot">
                {(id.with_value(Option::is_some) && !is_archived).then(|| view! {
                    <Button kind=Kind::Danger icon=Glyph::Trash text=t!("servers.archive") on_press=archive/>
                })}
                <Button class="push" icon=Glyph::Technical text=t!("servers.test") disabled=testing on_press=test/>
                <Button text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("ui.save") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

/// How far the test came, what it means, what to do.
#[component]
fn Report(it: TestReport) -> AnyView {
    let passed: Vec<String> = it.passed.iter().map(|stage| t!(&format!("servers.stage.{}", stage.as_str()))).collect();
    let (weight, icon, text) = match it.failed {
        None => (Weight::Info, Glyph::Check, t!("servers.test.ok", ms = it.millis)),
        Some(stage) => (Weight::Bad, Glyph::Alert, t!(&format!("servers.test.{}", stage.as_str()))),
    };
    let state = it.failed.map_or("ok", |stage| stage.as_str());
    view! {
        <div class="stack gap-3" data-test=state>
            <Notice weight icon text/>
            {(!it.text.is_empty()).then(|| view! { <pre class="code" tabindex="0">{it.text.clone()}</pre> })}
            {(!passed.is_empty()).then(|| view! { <p class="muted small">{t!("servers.test.passed", stages = passed.join(", "))}</p> })}
            {it.max_size.map(|n| view! { <p class="muted small">{t!("servers.test.size", mb = n / 1_000_000)}</p> })}
        </div>
    }
    .into_any()
}

//! Technical › Doctor: the installation, and each domain with the records it has and those it should have.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::doctor::Doctor;
use mailroom_shared::api::doctor::DomainReport;
use mailroom_shared::api::doctor::FindingView;
use mailroom_shared::api::doctor::InstallationCheck;
use mailroom_shared::api::doctor::Severity;
use mailroom_shared::api::doctor::SpfLine;
use mailroom_shared::api::doctor::Topic;

use crate::api::ApiError;
use crate::dates;
use crate::pages::shell::use_crumbs;
use crate::queries::doctor::change_resolver;
use crate::queries::doctor::check_domain;
use crate::queries::doctor::use_doctor;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::notices::Notices;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

#[component]
pub fn DoctorPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("doctor.title"), None)]);
    let doctor = use_doctor();
    let retry = Callback::new(move |()| doctor.retry());
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("doctor.title")}</h1><p>{t!("doctor.text")}</p></div></div>
            <Notices/>
            {move || {
                let state = doctor.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), _) => view! { <All it/> }.into_any(),
                }
            }}
        </main>
    }
    .into_any()
}

#[component]
fn All(it: Doctor) -> AnyView {
    let others = it.unchecked.iter().map(|name| view! { <Unchecked name=name.clone()/> }).collect_view();
    view! {
        <div class="stack gap-4">
            {it.domains.into_iter().map(|report| view! { <Domain report/> }).collect_view()}
            {others}
            <Other/>
            <Installation checks=it.installation version=it.version/>
            <Resolver url=it.resolver is_fixed=it.resolver_is_fixed/>
        </div>
    }
    .into_any()
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Good => Tone::Green,
        Severity::Hint => Tone::Plain,
        Severity::Warning => Tone::Amber,
        Severity::Error => Tone::Red,
    }
}

fn glyph(severity: Severity) -> Glyph {
    match severity {
        Severity::Good => Glyph::Check,
        Severity::Hint => Glyph::Info,
        Severity::Warning => Glyph::Alert,
        Severity::Error => Glyph::ShieldAlert,
    }
}

#[component]
fn Mark(severity: Severity) -> AnyView {
    let text = t!(&format!("doctor.severity.{}", severity.as_str()));
    view! { <Tag tone=tone(severity) icon=glyph(severity) text/> }.into_any()
}

/// Asks DNS about a domain; what comes is news for the page itself.
fn asker(name: StoredValue<String>, busy: RwSignal<bool>) -> impl Fn(()) + Copy {
    let (cache, toasts) = (use_cache(), use_toasts());
    move |()| {
        busy.set(true);
        let name = name.get_value();
        spawn_local(async move {
            let answer = check_domain(cache, &name).await;
            let _ = busy.try_set(false);
            if let Err(error) = answer {
                toast_problem(toasts, &error);
            }
        });
    }
}

#[component]
fn Unchecked(name: String) -> AnyView {
    let busy = RwSignal::new(false);
    let ask = asker(StoredValue::new(name.clone()), busy);
    view! {
        <section class="card" data-domain=name.clone()>
            <header class="card-head">
                <h2>{name.clone()}</h2><span class="sub">{t!("doctor.unchecked")}</span>
                <span class="push"></span>
                <Button kind=Kind::Primary icon=Glyph::Retry text=t!("doctor.check") disabled=busy on_press=ask/>
            </header>
        </section>
    }
    .into_any()
}

/// Any domain: a customer's whose mail does not come, for example.
#[component]
fn Other() -> AnyView {
    let cache = use_cache();
    let (name, busy) = (RwSignal::new(String::new()), RwSignal::new(false));
    let error = RwSignal::new(None::<ApiError>);
    let report = RwSignal::new(None::<DomainReport>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "name")));
    let ask = move || {
        if name.with_untracked(|it| it.trim().is_empty()) {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let answer = check_domain(cache, name.get_untracked().trim()).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(it) => {
                    let _ = error.try_set(None);
                    let _ = report.try_set(Some(it));
                }
                Err(it) => {
                    let _ = error.try_set(Some(it));
                }
            }
        });
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("doctor.other")}</h2><span class="sub">{t!("doctor.other.text")}</span></header>
            <form
                class="card-body stack gap-3"
                on:submit=move |event| {
                    event.prevent_default();
                    ask();
                }
            >
                <TextField label=t!("doctor.domain") value=name name="other_domain" placeholder="customer.example" error=wrong/>
                <div class="row"><span class="push"></span><Button submit=true icon=Glyph::Search text=t!("doctor.check") disabled=busy/></div>
                <FormProblem error=error.into()/>
            </form>
        </section>
        {move || report.get().map(|report| view! { <Domain report/> })}
    }
    .into_any()
}

#[component]
fn Domain(report: DomainReport) -> AnyView {
    let busy = RwSignal::new(false);
    let ask = asker(StoredValue::new(report.domain.clone()), busy);
    let now = dates::now();
    let when = t!("doctor.checked", when = dates::when_text(report.checked, now));
    let changed = report.changed.map(|at| t!("doctor.changed", when = dates::when_text(at, now)));
    let tree = report.spf_tree.clone();
    let n = report.spf_lookups;
    let topics = Topic::ALL
        .into_iter()
        .map(|topic| {
            let all: Vec<FindingView> = report.findings.iter().filter(|it| it.topic == topic).cloned().collect();
            let tree = (topic == Topic::Spf && tree.len() > 1).then(|| view! { <Tree lines=tree.clone() n/> });
            (!all.is_empty()).then(|| view! {
                <div class="doctor-topic" data-topic=topic.as_str()>
                    <h3>{t!(&format!("doctor.topic.{}", topic.as_str()))}</h3>
                    <div class="doctor-list">{all.into_iter().map(|it| view! { <Finding it/> }).collect_view()}{tree}</div>
                </div>
            })
        })
        .collect_view();
    view! {
        <section class="card" data-domain=report.domain.clone() data-worst=report.worst.as_str()>
            <header class="card-head row--wrap">
                <h2>{report.domain.clone()}</h2>
                <Mark severity=report.worst/>
                <span class="sub">{when}{changed.map(|it| format!(" · {it}"))}</span>
                <span class="push"></span>
                <Button icon=Glyph::Retry text=t!("doctor.again") disabled=busy on_press=ask/>
            </header>
            {topics}
        </section>
    }
    .into_any()
}

#[component]
fn Finding(it: FindingView) -> AnyView {
    let is_open = it.severity >= Severity::Warning || !it.records.is_empty();
    let seen = it.seen.join("\n");
    view! {
        <details class="doctor-finding" open=is_open data-code=it.code.clone()>
            <summary><Mark severity=it.severity/><span>{it.what}</span></summary>
            <p class="soft">{it.why}</p>
            {(!seen.is_empty()).then(|| view! { <pre class="code" tabindex="0">{seen}</pre> })}
            {it.records
                .into_iter()
                .map(|record| {
                    let value = record.value.clone();
                    view! {
                        <dl class="kv doctor-record">
                            <dt>{t!("doctor.record.type")}</dt><dd class="mono">{record.kind}</dd>
                            <dt>{t!("doctor.record.name")}</dt><dd><Copyable text=record.name/></dd>
                            <dt>{t!("doctor.record.value")}</dt><dd><Copyable text=value/></dd>
                        </dl>
                    }
                })
                .collect_view()}
        </details>
    }
    .into_any()
}

/// A text with a button that copies it.
#[component]
fn Copyable(text: String) -> AnyView {
    let toasts = use_toasts();
    let kept = StoredValue::new(text.clone());
    let copy = move |()| {
        let promise = window().navigator().clipboard().write_text(&kept.get_value());
        spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(promise).await.is_ok() {
                toasts.done(t!("ui.copied"));
            }
        });
    };
    view! {
        <span class="doctor-copy">
            <code class="mono">{text}</code>
            <Button kind=Kind::Ghost small=true icon=Glyph::Copy label=t!("ui.copy") on_press=copy/>
        </span>
    }
    .into_any()
}

#[component]
fn Tree(lines: Vec<SpfLine>, n: u32) -> AnyView {
    let rows = lines
        .into_iter()
        .map(|it| {
            let name = if it.term.is_empty() { it.domain.clone() } else { it.term.clone() };
            let words = if it.state == "ok" { it.text } else { t!(&format!("doctor.spf.{}", it.state)) };
            let style = format!("--depth:{}", it.depth);
            view! {
                <li style=style class:is-bad=!matches!(it.state.as_str(), "ok" | "dynamic")>
                    <b class="mono">{name}</b><span class="num muted">{tn!("doctor.spf.lookups", it.lookups)}</span>
                    <span class="mono soft">{words}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <details class="doctor-finding">
            <summary><Icon glyph=Glyph::Filter/><span>{t!("doctor.spf.tree", n = dates::number(n))}</span></summary>
            <ul class="doctor-tree">{rows}</ul>
        </details>
    }
    .into_any()
}

#[component]
fn Installation(checks: Vec<InstallationCheck>, version: String) -> AnyView {
    let line = |it: InstallationCheck| {
        let is_open = it.severity >= Severity::Warning;
        view! {
            <details class="doctor-finding" open=is_open data-code=it.code>
                <summary><Mark severity=it.severity/><span>{it.what}</span></summary>
                <p class="soft">{it.why}</p>
            </details>
        }
    };
    view! {
        <section class="card" data-installation="">
            <header class="card-head"><h2>{t!("doctor.installation")}</h2><span class="sub">{t!("doctor.version", version = version)}</span></header>
            <div class="doctor-topic"><div class="doctor-list">{checks.into_iter().map(line).collect_view()}</div></div>
        </section>
    }
    .into_any()
}

#[component]
fn Resolver(url: String, is_fixed: bool) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let value = RwSignal::new(url);
    let error = RwSignal::new(None::<ApiError>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "url")));
    let save = move || {
        spawn_local(async move {
            match change_resolver(cache, value.get_untracked()).await {
                Ok(_) => {
                    let _ = error.try_set(None);
                    toasts.done(t!("doctor.resolver.saved"));
                }
                Err(it) => {
                    let _ = error.try_set(Some(it));
                }
            }
        });
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("doctor.resolver")}</h2></header>
            <form
                class="card-body stack gap-3"
                on:submit=move |event| {
                    event.prevent_default();
                    save();
                }
            >
                <TextField label=t!("doctor.resolver.url") value name="resolver" hint=t!("doctor.resolver.hint") error=wrong/>
                <FormProblem error=error.into()/>
                <div class="row"><span class="push"></span><Button submit=true text=t!("ui.save") disabled=Signal::derive(move || is_fixed)/></div>
            </form>
        </section>
    }
    .into_any()
}

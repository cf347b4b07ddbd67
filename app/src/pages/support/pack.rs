//! The questions support asks, answered as far as Mailroom knows, and the bundle: looked at first, then downloaded.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::doctor::Doctor;
use mailroom_shared::api::doctor::Facts;
use mailroom_shared::api::doctor::SettingChange;
use mailroom_shared::api::doctor::Severity;
use mailroom_shared::support::Dropped;
use mailroom_shared::support::bundle;
use mailroom_shared::support::bundle::Bundle;
use wasm_bindgen::JsCast;

use super::Case;
use crate::dates;
use crate::queries::doctor::doctor;
use crate::queries::doctor::facts;
use crate::queries::doctor::setting_changes;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::toast_problem;

/// The seed's questions, in its order.
const QUESTIONS: [&str; 8] = ["flow", "reply", "sent", "forwarded", "example", "settings", "generic", "expected"];
/// Changed lines that are shown per file.
const SHOWN: usize = 40;

/// What Mailroom knows besides the mail.
#[derive(Clone, Default)]
struct Known {
    facts: Facts,
    doctor: Option<Doctor>,
    changes: Vec<SettingChange>,
}

#[component]
pub(super) fn Pack(case: Case) -> AnyView {
    let toasts = use_toasts();
    let mail = StoredValue::new(case.mail);
    let known = RwSignal::new(None::<Known>);
    let answers = QUESTIONS.map(|it| (it, RwSignal::new(String::new())));
    let (hides_people, busy) = (RwSignal::new(true), RwSignal::new(false));
    let bundle = RwSignal::new(None::<Bundle>);
    // Only Message-IDs are asked for; the mail itself stays here.
    let ask = move |()| {
        busy.set(true);
        spawn_local(async move {
            let ids = mail.with_value(Dropped::ids);
            let got = facts(ids).await;
            let _ = busy.try_set(false);
            let facts = match got {
                Ok(it) => it,
                Err(error) => {
                    toast_problem(toasts, &error);
                    return;
                }
            };
            let it = Known { facts, doctor: doctor().await.ok(), changes: setting_changes().await.unwrap_or_default() };
            for (name, answer) in answers {
                let text = mail.with_value(|mail| prefill(name, mail, &it));
                if answer.try_get_untracked().is_some_and(|it| it.is_empty()) {
                    let _ = answer.try_set(text);
                }
            }
            let _ = known.try_set(Some(it));
        });
    };
    let own = move || {
        let domains = known.with_untracked(|it| {
            let doctor = it.as_ref().and_then(|it| it.doctor.as_ref());
            doctor.map(|it| it.domains.iter().map(|d| d.domain.clone()).chain(it.unchecked.clone()).collect::<Vec<_>>())
        });
        domains.unwrap_or_default()
    };
    let look = move |()| {
        let parts = mail.with_value(|mail| parts(mail, &known.get_untracked().unwrap_or_default(), &answers));
        bundle.set(Some(bundle::prepare(parts, &own(), hides_people.get_untracked())));
    };
    view! {
        <section class="card" data-answers="">
            <header class="card-head row--wrap">
                <h2>{t!("bundle.answers")}</h2><span class="sub">{t!("bundle.answers.text")}</span>
                <span class="push"></span>
                <Button icon=Glyph::Search text=t!("bundle.ask") disabled=busy on_press=ask/>
            </header>
            {move || known.get().map(|it| view! { <Timeline facts=it.facts/> })}
            <div class="card-body stack gap-3">
                {answers.map(|(name, value)| view! {
                    <TextField label=t!(&format!("bundle.question.{name}")) value kind=Input::Lines name=name/>
                }).into_iter().collect_view()}
                <Check checked=hides_people text=t!("bundle.people") on_change=move |it| {
                    hides_people.set(it);
                    bundle.set(None);
                }/>
                <div class="row row--wrap"><span class="push"></span><Button kind=Kind::Primary icon=Glyph::Eye text=t!("bundle.look") on_press=look/></div>
            </div>
        </section>
        {move || bundle.get().map(|bundle| view! { <Preview bundle/> })}
    }
    .into_any()
}

#[component]
fn Timeline(facts: Facts) -> AnyView {
    let now = dates::now();
    let is_empty = facts.lines.is_empty();
    let rows = facts
        .lines
        .into_iter()
        .map(|it| view! {
            <li><span class="num muted">{dates::when_text(it.at, now)}</span><b>{t!(&format!("bundle.fact.{}", it.kind))}</b><span class="break">{it.text}</span></li>
        })
        .collect_view();
    view! {
        {if is_empty {
            view! { <p class="card-body soft" data-facts="0">{t!("bundle.facts.none")}</p> }.into_any()
        } else {
            view! { <ol class="card-body bundle-facts" data-facts="some">{rows}</ol> }.into_any()
        }}
    }
    .into_any()
}

/// What Mailroom can say to a question; empty when it can't.
fn prefill(question: &str, mail: &Dropped, known: &Known) -> String {
    let has = |kind: &str| known.facts.lines.iter().any(|it| it.kind == kind);
    let of =
        |kind: &str| known.facts.lines.iter().find(|it| it.kind == kind).map(|it| it.text.clone()).unwrap_or_default();
    match question {
        "flow" => {
            let subject = mail.field("subject").to_owned();
            let way = mail.hops().iter().filter_map(|it| it.by.clone()).collect::<Vec<_>>().join(" → ");
            let direction = if has("delivery") {
                "out"
            } else if has("incoming") || has("refused") {
                "in"
            } else {
                "unknown"
            };
            t!(&format!("bundle.prefill.flow.{direction}"), subject = subject, date = mail.field("date"), way = way)
        }
        "reply" if mail.is_reply() => t!("bundle.prefill.reply.yes", id = mail.field("in-reply-to")),
        "reply" => t!("bundle.prefill.reply.no"),
        "sent" if has("delivery") => t!("bundle.prefill.sent.yes", text = of("delivery")),
        "sent" => t!("bundle.prefill.sent.no"),
        "forwarded" if mail.is_forwarded() => t!("bundle.prefill.forwarded.yes"),
        "forwarded" if has("incoming") => t!("bundle.prefill.forwarded.no"),
        "settings" if !known.changes.is_empty() => {
            let newest: Vec<String> = known
                .changes
                .iter()
                .take(5)
                .map(|it| {
                    format!(
                        "{} {} ({}, {})",
                        t!(&format!("bundle.area.{}", it.area)),
                        it.item,
                        dates::when_text(it.at, dates::now()),
                        it.by
                    )
                })
                .collect();
            tn!("bundle.prefill.settings", known.changes.len() as u32, list = newest.join("; "))
        }
        "settings" => t!("bundle.prefill.settings.none"),
        "expected" if has("refused") => t!("bundle.prefill.expected.refused", text = of("refused")),
        "expected" if has("delivery") => t!("bundle.prefill.expected.delivery", text = of("delivery")),
        _ => String::new(),
    }
}

/// Files of the bundle before redaction.
fn parts(mail: &Dropped, known: &Known, answers: &[(&'static str, RwSignal<String>)]) -> Vec<(String, String)> {
    let lines = |all: Vec<String>| all.join("\n") + "\n";
    let asked: Vec<String> = answers
        .iter()
        .map(|(name, value)| {
            format!("{}\n  {}\n", t!(&format!("bundle.question.{name}")), value.get_untracked().replace('\n', "\n  "))
        })
        .collect();
    let hops = mail.way().into_iter().map(|it| {
        let stay = it.stay.map_or_else(|| "?".to_owned(), |it| format!("{} ms", it.as_millis()));
        let seen = it.seen.map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}{seen} {} {stay}", it.name, it.with.unwrap_or_default())
    });
    let timeline =
        known.facts.lines.iter().map(|it| format!("{} {} {} {}", it.at.to_rfc5322(), it.kind, it.id, it.text));
    let decisions =
        known.facts.lines.iter().filter(|it| matches!(it.kind.as_str(), "incoming" | "refused" | "ignored"));
    let decisions: Vec<String> = decisions.map(|it| format!("{}: {}", it.id, it.text)).collect();
    let mut checks = Vec::new();
    if let Some(doctor) = &known.doctor {
        checks.extend(doctor.installation.iter().map(|it| format!("[{}] {}", it.severity.as_str(), it.what)));
        for domain in &doctor.domains {
            checks.push(format!("\n{} ({})", domain.domain, domain.checked.to_rfc5322()));
            for it in &domain.findings {
                checks.push(format!("[{}] {} {}", it.severity.as_str(), it.code, it.what));
                if it.severity >= Severity::Warning {
                    checks.extend(it.seen.iter().map(|it| format!("    {it}")));
                }
            }
        }
    }
    let changes = known.changes.iter().map(|it| {
        format!("{} {} {} {}\n  - {}\n  + {}", it.at.to_rfc5322(), it.by, it.area, it.item, it.before, it.after)
    });
    let versions = format!(
        "Mailroom {}\nmigration {}\n{}\n",
        known.facts.version,
        known.facts.migration,
        window().navigator().user_agent().unwrap_or_default()
    );
    vec![
        ("answers.txt".to_owned(), lines(asked)),
        ("mail.eml".to_owned(), mail.as_text()),
        ("hops.txt".to_owned(), lines(hops.collect())),
        ("timeline.txt".to_owned(), lines(timeline.collect())),
        ("decisions.txt".to_owned(), lines(decisions)),
        ("doctor.txt".to_owned(), lines(checks)),
        ("settings.txt".to_owned(), lines(changes.collect())),
        ("versions.txt".to_owned(), versions),
    ]
}

#[component]
fn Preview(bundle: Bundle) -> AnyView {
    let counts = bundle
        .counts
        .iter()
        .map(|(what, n)| tn!(&format!("bundle.cut.{}", what.as_str()), *n as u32))
        .collect::<Vec<_>>()
        .join(", ");
    let summary = if counts.is_empty() { t!("bundle.cut.none") } else { t!("bundle.cut", list = counts) };
    let parts = bundle
        .parts
        .iter()
        .map(|part| {
            let changes = part.changes(SHOWN);
            let n = changes.len() as u32;
            let rows = changes
                .into_iter()
                .map(|it| view! { <div class="is-gone">{it.before}</div><div class="is-new">{it.after}</div> })
                .collect_view();
            view! {
                <details class="doctor-finding" data-part=part.name.clone()>
                    <summary><Icon glyph=Glyph::File/><span class="mono">{part.name.clone()}</span><span class="muted">{tn!("bundle.lines", n)}</span></summary>
                    {(n > 0).then(|| view! { <div class="bundle-diff mono" tabindex="0">{rows}</div> })}
                    <pre class="code bundle-part" tabindex="0">{part.after.clone()}</pre>
                </details>
            }
        })
        .collect_view();
    let bundle = StoredValue::new(bundle);
    let save = move |()| {
        if let Some(zip) = bundle.with_value(Bundle::zip) {
            download(&zip);
        }
    };
    view! {
        <section class="card" data-bundle="">
            <header class="card-head row--wrap">
                <h2>{t!("bundle.bundle")}</h2><span class="sub">{summary}</span>
                <span class="push"></span>
                <Button kind=Kind::Primary icon=Glyph::Download text=t!("bundle.download") on_press=save/>
            </header>
            <div class="doctor-topic"><div class="doctor-list">{parts}</div></div>
        </section>
    }
    .into_any()
}

/// Gives bytes to the browser as a file.
fn download(bytes: &[u8]) {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let Ok(blob) = web_sys::Blob::new_with_u8_array_sequence(&parts) else { return };
    let Ok(href) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
    let link = document().create_element("a").ok().and_then(|it| it.dyn_into::<web_sys::HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&href);
        link.set_download("mailroom-support.zip");
        link.click();
    }
    // The browser has fetched it by then.
    gloo::timers::callback::Timeout::new(30_000, move || {
        let _ = web_sys::Url::revoke_object_url(&href);
    })
    .forget();
}

//! The way of a dropped mail: envelope, hops with delays, authentication in words, and what would become of it today.

use base64_of::base64;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::route::RouteReply;
use mailroom_shared::api::route::RouteRequest;
use mailroom_shared::support::Format;

use super::Case;
use crate::api::ApiError;
use crate::i18n;
use crate::model::route;
use crate::model::server::bytes;
use crate::queries::incoming::try_route;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::widgets::hops::Hops;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::route_answer::RouteAnswer;

/// As much text is sent for a dry run; what decides stands at the beginning.
const MAX_TEXT: usize = 200_000;

#[component]
pub(super) fn Trace(case: Case) -> AnyView {
    let mail = &case.mail;
    let or_unknown = |text: String| if text.is_empty() { t!("bundle.unknown") } else { text };
    let rows: Vec<(String, String)> = vec![
        (t!("bundle.field.from"), or_unknown(mail.field("from").to_owned())),
        (t!("bundle.field.to"), or_unknown(mail.field("to").to_owned())),
        (t!("bundle.field.subject"), or_unknown(mail.field("subject").to_owned())),
        (t!("bundle.field.date"), or_unknown(mail.field("date").to_owned())),
        (t!("bundle.field.id"), or_unknown(mail.field("message-id").to_owned())),
        (t!("bundle.field.envelope_from"), or_unknown(mail.envelope_from())),
        (t!("bundle.field.envelope_to"), or_unknown(mail.envelope_to())),
    ];
    let files =
        mail.files.iter().map(|it| format!("{} ({})", it.name, bytes(it.size as u64))).collect::<Vec<_>>().join(", ");
    let format = if mail.format == Format::Msg { t!("bundle.format.msg") } else { t!("bundle.format.eml") };
    let no_head = !mail.has_transport;
    view! {
        <section class="card" data-trace="">
            <header class="card-head row--wrap"><h2>{case.name.clone()}</h2><span class="sub">{format}" · "{bytes(case.bytes as u64)}" · "{t!("bundle.local")}</span></header>
            <div class="card-body stack gap-3">
                {no_head.then(|| view! { <Notice weight=Weight::Warn icon=Glyph::Alert text=t!("bundle.no_head")/> })}
                <dl class="kv">
                    {rows.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd class="break">{value}</dd> }).collect_view()}
                    {(!files.is_empty()).then(|| view! { <dt>{t!("bundle.field.files")}</dt><dd class="break">{files}</dd> })}
                </dl>
            </div>
        </section>
        {if mail.hops().is_empty() {
            view! { <section class="card"><p class="card-body muted">{t!("bundle.hops.none")}</p></section> }.into_any()
        } else {
            view! { <Hops stops=mail.way()/> }.into_any()
        }}
        <Authentication all=mail.authentication()/>
        <DryRun case/>
    }
    .into_any()
}

#[component]
fn Authentication(all: Vec<(String, String, String, String)>) -> AnyView {
    let is_empty = all.is_empty();
    let rows = all
        .into_iter()
        .map(|(host, method, result, more)| {
            let tone = match result.as_str() {
                "pass" => Tone::Green,
                "fail" | "permerror" => Tone::Red,
                "softfail" | "temperror" => Tone::Amber,
                _ => Tone::Plain,
            };
            let words = i18n::try_text(&format!("bundle.auth.{method}.{result}"), &[])
                .or_else(|| i18n::try_text(&format!("bundle.auth.{result}{}", if result == "none" { ".result" } else { "" }), &[]))
                .unwrap_or_default();
            view! {
                <li>
                    <span class="row row--wrap"><b>{method.to_uppercase()}</b><Tag tone text=result/><span>{words}</span></span>
                    <small class="muted break">{host}": "{more}</small>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" data-auth="">
            <header class="card-head"><h2>{t!("bundle.auth")}</h2></header>
            {if is_empty {
                view! { <p class="card-body muted">{t!("bundle.auth.none")}</p> }.into_any()
            } else {
                view! { <ul class="card-body bundle-auth">{rows}</ul> }.into_any()
            }}
        </section>
    }
    .into_any()
}

/// Sends head and text to the routing dry run, when asked.
#[component]
fn DryRun(case: Case) -> AnyView {
    let to = RwSignal::new(case.mail.envelope_to());
    let mail = StoredValue::new(case.mail);
    let (busy, error) = (RwSignal::new(false), RwSignal::new(None::<ApiError>));
    let answer = RwSignal::new(None::<RouteReply>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "rcpt_to")));
    let run = move || {
        let request = mail.with_value(|mail| {
            let mut text = mail.as_text();
            let mut end = text.len().min(MAX_TEXT);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            RouteRequest {
                raw: base64(text.as_bytes()),
                rcpt_to: to.get_untracked(),
                mail_from: mail.envelope_from(),
                ..RouteRequest::default()
            }
        });
        busy.set(true);
        spawn_local(async move {
            let got = try_route(request).await;
            let _ = busy.try_set(false);
            match got {
                Ok(it) => {
                    let _ = error.try_set(None);
                    let _ = answer.try_set(Some(it));
                }
                Err(it) => {
                    let _ = error.try_set(Some(it));
                }
            }
        });
    };
    view! {
        <section class="card" data-dry-run="">
            <header class="card-head"><h2>{t!("bundle.try")}</h2><span class="sub">{t!("bundle.try.text")}</span></header>
            <form
                class="card-body stack gap-3"
                on:submit=move |event| {
                    event.prevent_default();
                    run();
                }
            >
                <TextField label=t!("bundle.field.envelope_to") value=to name="rcpt_to" error=wrong/>
                <FormProblem error=error.into()/>
                <div class="row"><span class="push"></span><Button kind=Kind::Primary submit=true icon=Glyph::Send text=t!("bundle.try.run") disabled=busy/></div>
            </form>
            {move || answer.get().map(|reply| view! {
                <p class="card-body" data-today=""><b>{today(&reply)}</b></p>
                <RouteAnswer reply/>
            })}
        </section>
    }
    .into_any()
}

/// "Today this would be attached to Order 42, because …"
fn today(reply: &RouteReply) -> String {
    let outcome = route::outcome(reply);
    let record = reply.record_number.clone().or_else(|| reply.record_title.clone()).unwrap_or_default();
    let why = reply.why.iter().map(|it| it.text.clone()).collect::<Vec<_>>().join(". ");
    let key = format!("bundle.today.{outcome}");
    i18n::try_text(&key, &[("record", &record), ("why", &why)]).unwrap_or_else(|| t!("bundle.today.other", why = why))
}

mod base64_of {
    use leptos::prelude::window;

    /// `btoa` takes one character per byte.
    pub(super) fn base64(bytes: &[u8]) -> String {
        let text: String = bytes.iter().copied().map(char::from).collect();
        window().btoa(&text).unwrap_or_default()
    }
}

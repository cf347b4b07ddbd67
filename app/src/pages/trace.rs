//! One mail, in or out: the way it came, what happened to it, why, and whether it is really from its sender.

use leptos::prelude::*;
use mailroom_shared::api::incoming::Fate;
use mailroom_shared::api::messages::DeliveryView;
use mailroom_shared::api::trace::Checks;
use mailroom_shared::api::trace::RuleView;
use mailroom_shared::api::trace::TraceView;
use mailroom_shared::log::Direction;

use crate::dates;
use crate::i18n;
use crate::model::server::bytes;
use crate::pages::incoming::reason_text;
use crate::pages::shell::set_title;
use crate::pages::shell::use_crumbs;
use crate::queries::logs::use_trace;
use crate::routes::Page;
use crate::t;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::envelope::StateWord;
use crate::widgets::hops::Hops;
use crate::widgets::log_lines::LogLines;
use crate::widgets::problem::ProblemBlank;

#[component]
pub fn TracePage(id: String) -> AnyView {
    use_crumbs(vec![
        (t!("technical.title"), None),
        (t!("logs.title"), Some(Page::Logs.href())),
        (t!("trace.title"), None),
    ]);
    let trace = use_trace(id);
    let retry = Callback::new(move |()| trace.retry());
    view! {
        <main class="page" id="content">
            {move || trace.state.with(|it| match (&it.data, &it.problem) {
                (Some(view), _) => view! { <Whole it=view.clone()/> }.into_any(),
                (None, Some(error)) => view! { <h1 class="vh">{t!("trace.title")}</h1><ProblemBlank error=error.clone() on_retry=retry/> }.into_any(),
                (None, None) => view! { <SkeletonList/> }.into_any(),
            })}
        </main>
    }
    .into_any()
}

#[component]
fn Whole(it: TraceView) -> AnyView {
    let subject = if it.subject.is_empty() { t!("emails.no_subject") } else { it.subject.clone() };
    set_title(&subject);
    let record = it.record.clone().map(|id| {
        let number = it.record_number.clone().unwrap_or_default();
        view! { <a class="btn btn--primary" href=Page::Record(id).href()>{t!("trace.open", record = number)}</a> }
    });
    let about = it.about.clone().map(
        |id| view! { <a class="btn" href=Page::Trace(id).href()><Icon glyph=Glyph::Arrow/>{t!("trace.about")}</a> },
    );
    let original = it.original.clone().map(|href| view! {
        <a class="btn" href=href target="_blank" rel="noopener external"><Icon glyph=Glyph::Source/>{t!("message.original")}</a>
    });
    let from = if it.from.is_empty() { it.mail_from.clone() } else { it.from.clone() };
    let line = t!("trace.from_to", from = from, to = it.rcpt_to.join(", "));
    let size = it.size.map(|n| format!(" · {}", bytes(u64::from(n)))).unwrap_or_default();
    let line = format!("{line} · {}{size}", dates::format(it.at, dates::Style::Full));
    let has_many = it.deliveries.len() > 1 || it.direction == Direction::In;
    view! {
        <div class="page-head">
            <div class="head-text"><h1>{subject}</h1><p class="break">{line}</p></div>
            <div class="acts">{original}{about}{record}</div>
        </div>
        <div class="cols cols--side">
            <div class="stack gap-4">
                <Hops stops=it.way.clone()/>
                <section class="card">
                    <header class="card-head"><h2>{t!("trace.happened")}</h2></header>
                    <div class="card-body"><LogLines lines=it.lines.clone() with_recipient=has_many/></div>
                </section>
                <Deliveries deliveries=it.deliveries.clone() direction=it.direction/>
            </div>
            <div class="stack gap-4">
                <Outcome it=it.clone()/>
                {it.checks.clone().map(|checks| view! { <Authentic checks/> })}
                <EnvelopeCard it=it.clone()/>
            </div>
        </div>
    }
    .into_any()
}

/// What became of it, with the rules that led there.
#[component]
fn Outcome(it: TraceView) -> AnyView {
    let (title, text) = if let Some(fate) = it.fate {
        let number = it.record_number.clone().unwrap_or_default();
        let title = match fate {
            Fate::Written if !number.is_empty() => t!("trace.written", record = number),
            fate => t!(&format!("incoming.fate.{}", fate.as_str())),
        };
        let reason = reason_text(fate, it.reason.as_deref());
        (title, if reason.is_empty() { it.record_title.clone().unwrap_or_default() } else { reason })
    } else {
        let worst = it.deliveries.iter().find(|it| it.state.needs_person()).or_else(|| it.deliveries.first());
        let title = worst.map_or_else(|| t!("trace.no_deliveries"), |it| t!(&format!("state.{}", it.state.as_str())));
        (title, it.record_number.clone().map(|number| t!("trace.part_of", record = number)).unwrap_or_default())
    };
    let class = match it.fate {
        Some(Fate::Refused | Fate::Failed) => "outcome outcome--bad",
        Some(Fate::Held | Fate::Waiting) => "outcome outcome--warn",
        _ if it.deliveries.iter().any(|it| it.state.needs_person()) && it.fate.is_none() => "outcome outcome--bad",
        _ => "outcome",
    };
    let n = it.rules.len();
    let rules = it
        .rules
        .into_iter()
        .enumerate()
        .map(|(index, rule)| view! { <Rule rule is_last=index + 1 == n/> })
        .collect_view();
    view! {
        <section class="card" style="overflow:hidden" data-fate=it.fate.map(Fate::as_str)>
            <div class=class>
                <Icon glyph=Glyph::Envelope(crate::model::envelope::EnvelopeGlyph::Plain)/>
                <div><h3>{title}</h3><p>{text}</p></div>
            </div>
            {(n > 0).then(|| view! { <ol class="rules" aria-label=t!("trace.rules")>{rules}</ol> })}
            {it.answer.map(|answer| view! { <div class="card-body"><p class="label">{t!("incoming.details.answer")}</p><pre class="code" tabindex="0">{answer}</pre></div> })}
            {it.error.map(|error| view! { <div class="card-body"><p class="label">{t!("incoming.details.error")}</p><pre class="code" tabindex="0">{error}</pre></div> })}
        </section>
    }
    .into_any()
}

#[component]
fn Rule(rule: RuleView, is_last: bool) -> AnyView {
    let key = format!("trace.rule.{}", rule.rule.replace('-', "_"));
    let name = i18n::try_text(&key, &[]).unwrap_or_else(|| rule.rule.replace(['_', '-'], " "));
    view! {
        <li class:is-match=is_last data-rule=rule.rule.clone()>
            <span><b>{name}</b><small class="break">{rule.text}</small></span>
            <span>{is_last.then(|| view! { <b>{t!("trace.decided")}</b> })}</span>
        </li>
    }
    .into_any()
}

/// The checks in words.
#[component]
fn Authentic(checks: Checks) -> AnyView {
    let line = |name: &str, result: &str| {
        let (class, glyph) = match result {
            "pass" => ("ok", Glyph::Check),
            "fail" => ("bad", Glyph::Alert),
            "softfail" | "permerror" | "temperror" => ("warn", Glyph::Info),
            _ => ("", Glyph::Info),
        };
        let kind = match result {
            "pass" => "pass",
            "none" | "neutral" | "" => "none",
            _ => "fail",
        };
        let words = t!(&format!("trace.check.{name}.{kind}"), domain = checks.domain);
        let result = if result.is_empty() { "none".to_owned() } else { result.to_owned() };
        let small = format!("{} {result}", name.to_uppercase());
        view! { <li data-check=name.to_owned()><Icon glyph class=class/><span>{words}<small>{small}</small></span></li> }
    };
    let tag = if checks.trusted {
        view! { <Tag tone=Tone::Green icon=Glyph::Shield text=t!("trace.trusted")/> }
    } else {
        view! { <Tag tone=Tone::Amber icon=Glyph::ShieldAlert text=t!("trace.untrusted")/> }
    };
    let domain = checks.domain.clone();
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("trace.authentic", domain = domain)}</h2><span class="push">{tag}</span></header>
            <div class="card-body">
                <ul class="pre">{line("dkim", &checks.dkim)}{line("spf", &checks.spf)}{line("dmarc", &checks.dmarc)}</ul>
                {checks.header.clone().map(|header| view! {
                    <details class="mt-2"><summary class="link">{t!("trace.auth_header")}</summary><pre class="code" tabindex="0">{header}</pre></details>
                })}
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn EnvelopeCard(it: TraceView) -> AnyView {
    let sender = match (it.mail_from.is_empty(), it.direction) {
        (true, Direction::In) => "<>".to_owned(),
        _ => it.mail_from.clone(),
    };
    let lines = [
        (t!("incoming.details.mail_from"), sender),
        (t!("incoming.details.to"), it.rcpt_to.join(", ")),
        (t!("incoming.details.message_id"), it.message_id.clone().unwrap_or_default()),
    ];
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("trace.envelope")}</h2></header>
            <div class="card-body">
                <dl class="kv" style="grid-template-columns:max-content minmax(0,1fr)">
                    {lines
                        .into_iter()
                        .filter(|(_, value)| !value.is_empty())
                        .map(|(name, value)| view! { <dt>{name}</dt><dd class="break">{value}</dd> })
                        .collect_view()}
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// Those it went to, each with the last answer.
#[component]
fn Deliveries(deliveries: Vec<DeliveryView>, direction: Direction) -> AnyView {
    if deliveries.is_empty() {
        return ().into_any();
    }
    let title = if direction == Direction::In { t!("trace.told") } else { t!("trace.deliveries") };
    view! {
        <section class="card">
            <header class="card-head"><h2>{title}</h2></header>
            <ul class="log-files">
                {deliveries.into_iter().map(|it| view! {
                    <li data-delivery=it.id.to_string()>
                        <StateWord state=it.state/>
                        <span class="med">{it.address.as_str().to_owned()}</span>
                        {it.server.map(|server| view! { <span class="muted">{server}</span> })}
                        {it.server_text.map(|text| view! { <span class="soft break grow">{text}</span> })}
                    </li>
                }).collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

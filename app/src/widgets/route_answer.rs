//! What would become of a mail: headline, questions in their order, who would be told, what would change it.

use leptos::prelude::*;
use mailroom_shared::api::messages::TellBy;
use mailroom_shared::api::route::RouteReply;

use crate::i18n;
use crate::model::route;
use crate::model::route::Answer;
use crate::queries::shell::one_of;
use crate::queries::shell::use_types;
use crate::routes::Page;
use crate::t;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;

#[component]
pub fn RouteAnswer(reply: RouteReply) -> AnyView {
    let types = use_types();
    let first = reply.routes.first().cloned();
    let kind = first.as_ref().map(|it| it.r#type.clone()).unwrap_or_default();
    let kind_name =
        types.with_untracked(|all| all.iter().find(|it| it.name.as_str() == kind).map(one_of)).unwrap_or(kind);
    let outcome = route::outcome(&reply);
    let number = reply.record_number.clone().unwrap_or_default();
    let title = t!(&format!("route.outcome.{outcome}"), kind = kind_name, number = number);
    let (class, glyph) = match outcome {
        "create" | "append" | "note" => ("outcome", Glyph::Check),
        "refused" => ("outcome outcome--bad", Glyph::Ban),
        "held" => ("outcome outcome--warn", Glyph::ShieldAlert),
        _ => ("outcome outcome--plain", Glyph::Info),
    };
    let tell = |by: &TellBy| if *by == TellBy::Mailroom { Glyph::Bell } else { Glyph::Send };
    let changes: Vec<String> = reply
        .changes
        .iter()
        .map(|it| {
            let args: Vec<(&str, &str)> = it.args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            i18n::try_text(&format!("route.change.{}", it.key), &args).unwrap_or_else(|| it.key.clone())
        })
        .collect();
    let rules = reply.why.iter().map(|it| it.text.clone()).collect::<Vec<_>>();
    let suggestion = reply.suggestion.clone().map(|id| {
        let title = reply.record_title.clone().unwrap_or_default();
        view! {
            <p class="card-foot">
                <span>{t!("route.suggestion")}</span>
                <a href=Page::Record(id).href()>{format!("{number} {title}")}</a>
            </p>
        }
    });
    view! {
        <div class=class role="status" data-outcome=outcome>
            <Icon glyph/>
            <div><h3>{title}</h3><p>{summary(&reply)}</p></div>
        </div>
        <ol class="rules" aria-label=t!("route.rules")>
            {route::answers(&reply)
                .into_iter()
                .map(|(name, answer)| {
                    let is_match = answer == Answer::Yes;
                    let words = match answer {
                        Answer::No => t!("route.no"),
                        Answer::Yes => t!("route.yes"),
                        Answer::NotAsked => t!("route.not_asked"),
                    };
                    let question = t!(&format!("route.step.{name}"));
                    let small = is_match.then(|| rules.join(". "));
                    view! {
                        <li class:is-match=is_match>
                            <span>{if is_match { view! { <b>{question}</b> }.into_any() } else { question.into_any() }}{small.map(|it| view! { <small>{it}</small> })}</span>
                            <span>{words}</span>
                        </li>
                    }
                })
                .collect_view()}
        </ol>
        {(!changes.is_empty()).then(|| view! {
            <div class="route-changes">
                <p class="label">{t!("route.changes")}</p>
                <ul>{changes.into_iter().map(|it| view! { <li>{it}</li> }).collect_view()}</ul>
            </div>
        })}
        {suggestion}
        <div class="card-foot row--wrap">
            <span>{if reply.told.is_empty() { t!("route.told.nobody") } else { t!("route.told") }}</span>
            {reply.told
                .iter()
                .map(|it| view! {
                    <span class="chip" title=it.email.clone()><Icon glyph=tell(&it.by)/>{it.name.clone()}</span>
                })
                .collect_view()}
        </div>
    }
    .into_any()
}

/// The sentence below the headline.
fn summary(reply: &RouteReply) -> String {
    if let Some(refusal) = &reply.refusal {
        return format!("550 {} {}", refusal.status, refusal.text);
    }
    if let Some(why) = &reply.ignored {
        return i18n::try_text(&format!("ignored.{why}"), &[]).unwrap_or_else(|| why.clone());
    }
    let Some(first) = reply.routes.first() else { return String::new() };
    if let Some(held) = &first.held {
        return i18n::try_text(&format!("message.held.{held}"), &[]).unwrap_or_else(|| held.clone());
    }
    let who = reply.author_name.clone().unwrap_or_else(|| first.author_from.clone());
    let mut parts = Vec::new();
    match (&first.title, &reply.record_title) {
        (Some(title), _) | (None, Some(title)) => parts.push(format!("“{title}”")),
        (None, None) => {}
    }
    parts.push(t!("route.from", who = who));
    if !first.tags.is_empty() {
        parts.push(t!("route.tags", tags = first.tags.join(", ")));
    }
    parts.join(", ")
}

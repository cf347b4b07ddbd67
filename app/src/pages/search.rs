//! Records that hold the words of the search box.

use leptos::prelude::*;
use mailroom_shared::api::logs::MailAnswer;
use mailroom_shared::api::logs::MailHit;
use mailroom_shared::api::logs::MailOutcome;
use mailroom_shared::api::logs::MailQuery;
use mailroom_shared::log::question::Question;

use crate::dates;
use crate::model::filters;
use crate::pages::incoming::reason_text;
use crate::pages::shell::use_crumbs;
use crate::queries::Read;
use crate::queries::logs::use_mails;
use crate::queries::records::use_records;
use crate::routes::Page;
use crate::routes::use_query;
use crate::t;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::widgets::record_rows::RecordRows;
use crate::widgets::rows::list_body;

/// What became of the mails that fit: "what happened to the mail from Ann around 10:03".
#[component]
fn Mails(answer: Read<MailAnswer>) -> AnyView {
    view! {
        {move || answer.data().filter(|it| !it.mails.is_empty() || it.question.since.is_some()).map(|it| {
            let about = asked(&it.question);
            let n = it.mails.len().to_string();
            let is_none = it.mails.is_empty();
            view! {
                <section class="card mb-3" data-mails=n>
                    <header class="card-head">
                        <h2>{t!("mails.title")}</h2>
                        <span class="sub">{about}</span>
                    </header>
                    {it.is_nearest.then(|| view! { <p class="card-body muted">{t!("mails.nearest")}</p> })}
                    {is_none.then(|| view! { <p class="card-body muted">{t!("mails.none")}</p> })}
                    <ul class="log-files">{it.mails.into_iter().map(|hit| view! { <Hit hit/> }).collect_view()}</ul>
                </section>
            }
        })}
    }
    .into_any()
}

/// The question as it was understood.
fn asked(it: &Question) -> String {
    let style = |at| dates::format(at, dates::Style::WeekdayTime);
    let side = it.direction.map(|it| t!(&format!("log.direction.{}", it.as_str())));
    let time = match (it.at, it.since, it.until) {
        (Some(at), ..) => Some(t!("mails.around", when = style(at))),
        (None, Some(since), Some(until)) => Some(t!("mails.between", from = style(since), to = style(until))),
        _ => None,
    };
    let words = (!it.words.is_empty()).then(|| format!("“{}”", it.words));
    let parts = [side, it.address.clone(), it.message_id.clone(), it.record.clone(), words, time];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[component]
fn Hit(hit: MailHit) -> AnyView {
    let outcome = match hit.outcome {
        MailOutcome::In { fate, reason } => {
            let word = t!(&format!("incoming.fate.{}", fate.as_str()));
            let reason = reason_text(fate, reason.as_deref());
            if reason.is_empty() { word } else { format!("{word}: {reason}") }
        }
        MailOutcome::Out { state, wait, answer, server } => {
            let word = t!(&format!("state.{}", state.as_str()));
            let wait = wait.map(|it| t!(&format!("wait.{}", it.as_str())));
            let via = server.filter(|it| !it.is_empty());
            [Some(word), wait, via, answer].into_iter().flatten().collect::<Vec<_>>().join(" · ")
        }
    };
    let subject = if hit.subject.is_empty() { t!("emails.no_subject") } else { hit.subject };
    let way = t!("trace.from_to", from = hit.from, to = hit.to);
    let record = hit.record.zip(hit.record_number);
    view! {
        <li class="mail-hit">
            <time class="muted num nowrap" datetime=hit.at.to_rfc3339()>{dates::format(hit.at, dates::Style::Short)}" "{dates::format(hit.at, dates::Style::Seconds)}</time>
            <span class="grow">
                <a class="link med" href=Page::Trace(hit.trace).href()>{subject}</a>
                {record.map(|(id, number)| view! { " "<a class="ref" href=Page::Record(id).href()><span>{number}</span></a> })}
                <small class="muted break">{way}</small>
            </span>
            <span class="soft break mail-outcome">{outcome}</span>
        </li>
    }
    .into_any()
}

#[component]
pub fn SearchPage() -> AnyView {
    use_crumbs(vec![(t!("search.title"), None)]);
    let query = use_query();
    let words = move || query.with(|it| it.get("q").unwrap_or_default().to_owned());
    let journal = move || format!("{}?q={}", Page::Incoming.href(), mailroom_shared::api::percent_encode(&words()));
    let list = use_records(move || query.with(|it| filters::records(None, it)));
    let now = dates::now();
    let answer = use_mails(move || MailQuery { q: words(), offset: dates::offset(now) });
    let has_mails = answer.part(|it| !it.mails.is_empty());
    let empty = move || {
        // The question had its answer.
        if has_mails.get() == Some(true) {
            return ().into_any();
        }
        view! {
            <section class="card">
                <Blank art=Art::Search title=t!("search.none", words = words()) text=t!("search.none.text")>
                    <a class="btn" href=journal()>{t!("search.incoming")}</a>
                </Blank>
            </section>
        }
        .into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{move || t!("search.results", words = words())}</h1></div>
            </div>
            <Mails answer/>
            {list_body(list, empty, move || view! { <RecordRows list/> }.into_any())}
        </main>
    }
    .into_any()
}

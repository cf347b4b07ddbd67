//! How mail arrives: by day, by recipient domain, by reason.

use leptos::prelude::*;
use mailroom_shared::api::deliverability::Deliverability;
use mailroom_shared::api::deliverability::DomainOutcomes;
use mailroom_shared::api::deliverability::Outcomes;
use mailroom_shared::outbox::breaker::MOST_DEAD;

use crate::dates;
use crate::model::text::tenths;
use crate::pages::shell::use_crumbs;
use crate::queries::contacts::use_deliverability;
use crate::routes::use_query;
use crate::t;
use crate::tn;
use crate::ui::blank::Blank;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::seg::Tab;
use crate::ui::seg::Tabs;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;

const SPANS: [u32; 3] = [7, 30, 90];

/// Its name, which is that of its colour too, and its number.
type Part = (&'static str, fn(&Outcomes) -> u32);

/// What is counted, from the ground up.
const PARTS: [Part; 5] = [
    ("delivered", |it| it.delivered),
    ("sent", |it| it.sent),
    ("deferred", |it| it.deferred),
    ("bounced", |it| it.bounced),
    ("complained", |it| it.complained),
];

#[component]
pub fn DeliverabilityPage() -> AnyView {
    use_crumbs(vec![(t!("deliverability.title"), None)]);
    let query = use_query();
    let days = Memo::new(move |_| {
        let asked = query.with(|it| it.get("days").and_then(|it| it.parse().ok()));
        asked.filter(|it| SPANS.contains(it)).unwrap_or(30)
    });
    let figures = use_deliverability(move || days.get());
    let retry = Callback::new(move |()| figures.retry());
    let tabs = Signal::derive(move || {
        SPANS
            .map(|it| Tab {
                href: format!("/deliverability?days={it}"),
                text: tn!("deliverability.days", it),
                count: None,
                is_now: it == days.get(),
            })
            .to_vec()
    });
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("deliverability.title")}</h1><p>{t!("deliverability.text")}</p></div></div>
            <Tabs label=t!("deliverability.span") tabs/>
            {move || {
                let state = figures.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), problem) => view! {
                        {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                        <Figures it/>
                    }
                    .into_any(),
                }
            }}
        </main>
    }
    .into_any()
}

/// `3.2 %` of ten-thousandths.
fn percent(rate: u32) -> String {
    format!("{} %", tenths(rate / 10, dates::decimal()))
}

#[component]
fn Figures(it: Deliverability) -> AnyView {
    let total = it.total;
    if total.total() == 0 {
        return view! { <section class="card"><Blank title=t!("deliverability.empty") text=t!("deliverability.empty.text")/></section> }
            .into_any();
    }
    let rate = total.bounce_rate();
    let figures = PARTS
        .map(|(name, part)| {
            let n = part(&total);
            view! {
                <div class="figure">
                    <b class="num">{dates::number(n)}</b>
                    <span class="row"><i class=format!("key c-{name}")></i>{t!(&format!("deliverability.{name}"))}</span>
                </div>
            }
        })
        .into_iter()
        .collect_view();
    view! {
        {it.breaker.map(|why| view! {
            <Notice class="mb-3" weight=Weight::Bad icon=Glyph::ShieldAlert text=t!(&format!("deliverability.breaker.{}", why.as_str()))/>
        })}
        {(it.breaker.is_none() && rate > MOST_DEAD * 100).then(|| view! {
            <Notice class="mb-3" weight=Weight::Warn icon=Glyph::Alert text=t!("deliverability.high", rate = percent(rate))/>
        })}
        <section class="card mb-3">
            <header class="card-head"><h2>{t!("deliverability.by_day")}</h2><span class="push muted">{t!("deliverability.rate", rate = percent(rate))}</span></header>
            <div class="card-body stack gap-3">
                <div class="figures">{figures}</div>
                <Days it=it.clone()/>
                {it.is_part.then(|| view! { <p class="muted small">{t!("deliverability.part")}</p> })}
            </div>
        </section>
        <section class="card mb-3">
            <header class="card-head"><h2>{t!("deliverability.by_domain")}</h2></header>
            <Domains rows=it.domains/>
        </section>
        {(!it.reasons.is_empty()).then(|| {
            let most = it.reasons.iter().map(|it| it.n).max().unwrap_or(1);
            let lines = it.reasons.iter().map(|it| {
                let width = f64::from(it.n) * 100.0 / f64::from(most.max(1));
                view! {
                    <li class="bar-line">
                        <span>{t!(&format!("reason.{}.title", it.reason.as_str()))}</span>
                        <span class="meter" aria-hidden="true"><i class="m-red" style=format!("width:{width:.0}%")></i></span>
                        <span class="num">{dates::number(it.n)}</span>
                    </li>
                }
            }).collect_view();
            view! {
                <section class="card">
                    <header class="card-head"><h2>{t!("deliverability.by_reason")}</h2><a class="push" href="/failures">{t!("deliverability.failures")}</a></header>
                    <ul class="card-body bar-lines">{lines}</ul>
                </section>
            }
        })}
    }
    .into_any()
}

/// One bar a day, its parts one above the other.
#[component]
fn Days(it: Deliverability) -> AnyView {
    let most = it.days.iter().map(|it| it.outcomes.total()).max().unwrap_or(0).max(1);
    let n = it.days.len();
    let scale = |n: u32| f64::from(n) * 100.0 / f64::from(most);
    let bars = it
        .days
        .iter()
        .enumerate()
        .map(|(i, day)| {
            let mut top = 100.0;
            let parts = PARTS
                .map(|(name, part)| {
                    let height = scale(part(&day.outcomes));
                    top -= height;
                    (height > 0.0).then(|| {
                        view! { <rect class=format!("c-{name}") x=i * 10 + 1 width="8" y=format!("{top:.2}") height=format!("{height:.2}")></rect> }
                    })
                })
                .into_iter()
                .collect_view();
            let said = format!(
                "{}: {}",
                dates::format(day.day, dates::Style::Date),
                t!("deliverability.day", total = dates::number(day.outcomes.total()), bounced = dates::number(day.outcomes.bounced))
            );
            view! { <g><title>{said}</title><rect class="c-none" x=i * 10 width="10" y="0" height="100"></rect>{parts}</g> }
        })
        .collect_view();
    let said = t!("deliverability.chart", days = n, most = dates::number(most));
    let ends = it.days.first().zip(it.days.last()).map(|(first, last)| {
        view! {
            <div class="row muted small">
                <span>{dates::format(first.day, dates::Style::Date)}</span>
                <span class="push">{dates::format(last.day, dates::Style::Date)}</span>
            </div>
        }
    });
    view! {
        <div>
            <svg class="chart" role="img" aria-label=said viewBox=format!("0 0 {} 100", n * 10) preserveAspectRatio="none">{bars}</svg>
            {ends}
        </div>
    }
    .into_any()
}

#[component]
fn Domains(rows: Vec<DomainOutcomes>) -> AnyView {
    let heads = PARTS
        .map(|(name, _)| view! { <th class="r">{t!(&format!("deliverability.{name}"))}</th> })
        .into_iter()
        .collect_view();
    let lines = rows
        .into_iter()
        .map(|row| {
            let cells = PARTS
                .map(|(name, part)| {
                    let n = part(&row.outcomes);
                    let text = if n == 0 { "–".to_owned() } else { dates::number(n) };
                    let class = if n == 0 { "r muted" } else { "r" };
                    view! { <td class=class data-label=t!(&format!("deliverability.{name}"))>{text}</td> }
                })
                .into_iter()
                .collect_view();
            let rate = row.outcomes.bounce_rate();
            let class = if rate > MOST_DEAD * 100 { "r bad" } else { "r" };
            let href = format!("/emails?q={}", mailroom_shared::api::percent_encode(&row.domain));
            view! {
                <tr>
                    <td><a href=href>{row.domain}</a></td>
                    {cells}
                    <td class=class data-label=t!("deliverability.column.rate")>{percent(rate)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="tbl-wrap tbl-scroll" tabindex="0" role="region" aria-label=t!("deliverability.by_domain")>
            <table class="tbl" style="min-width:640px">
                <thead><tr><th>{t!("deliverability.domain")}</th>{heads}<th class="r">{t!("deliverability.column.rate")}</th></tr></thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

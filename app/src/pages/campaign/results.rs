//! What a campaign came to: where everybody is, who opened it, which links were followed.

use leptos::prelude::*;
use mailroom_shared::api::campaigns::CampaignResults;
use mailroom_shared::api::campaigns::CampaignView;
use mailroom_shared::api::campaigns::DomainResult;
use mailroom_shared::campaign::ledger::Ledger;
use mailroom_shared::campaign::ledger::per_mille;
use mailroom_shared::campaign::queue::Part;
use mailroom_shared::id::CampaignId;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use crate::dates;
use crate::dates::Style;
use crate::model::campaign::bars;
use crate::queries::Read;
use crate::queries::campaigns::use_campaign_domains;
use crate::queries::campaigns::use_results;
use crate::t;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;

/// `97.1 %`
fn percent(n: u32, of: u32) -> String {
    let share = per_mille(n, of);
    format!("{}{}{} %", share / 10, dates::decimal(), share % 10)
}

/// Hours of the chart.
const HOURS: usize = 48;

fn dot(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Sent | DeliveryState::Delivered => "dot dot--ok",
        DeliveryState::Failed | DeliveryState::Bounced | DeliveryState::Complained => "dot dot--bad",
        DeliveryState::Deferred | DeliveryState::Unknown => "dot dot--warn",
        _ => "dot",
    }
}

/// Every entry of the lists, each in one place.
#[component]
pub(super) fn Where(ledger: Ledger) -> AnyView {
    let listed = ledger.listed;
    let adds_up = ledger.adds_up();
    let line = |dot: &'static str, words: String, n: u32| {
        view! {
            <div>
                <span><span class=dot></span></span>
                <span>{words}</span>
                <span class="v">{dates::number(n)}</span>
                <span class="p">{percent(n, listed)}</span>
            </div>
        }
    };
    let states: Vec<_> = ledger
        .states
        .iter()
        .map(|it| line(dot(it.state), t!(&format!("campaign.place.{}", it.state.as_str())), it.n))
        .collect();
    let planned = (ledger.planned > 0).then(|| line("dot", t!("campaign.place.planned"), ledger.planned));
    let left_out: Vec<_> = ledger
        .left_out
        .iter()
        .map(|it| line("dot", t!(&format!("campaign.left_out.{}", it.why.as_str())), it.n))
        .collect();
    let repeated = (ledger.duplicates > 0).then(|| line("dot", t!("campaign.left_out.duplicate"), ledger.duplicates));
    let share = |n: u32| format!("--v:{}%", f64::from(per_mille(n, listed)) / 10.0);
    let bad = ledger.of(&[DeliveryState::Failed, DeliveryState::Bounced, DeliveryState::Complained]);
    let waits = ledger.of(&[DeliveryState::Deferred, DeliveryState::Unknown]);
    view! {
        <section class="card" data-adds-up=if adds_up { "yes" } else { "no" }>
            <header class="card-head">
                <h2>{t!("campaign.where", n = dates::number(listed))}</h2>
                <span class="sub">{t!("campaign.where.once")}</span>
            </header>
            <div class="card-body stack gap-3">
                <div class="meter meter--lg" aria-hidden="true">
                    <i style=share(ledger.delivered())></i>
                    <i class="m-amber" style=share(waits)></i>
                    <i class="m-red" style=share(bad)></i>
                    <i class="m-2" style=share(ledger.left())></i>
                </div>
                <div class="cols cols--2">
                    <div class="ledger">
                        {states}{planned}
                        <div class="sum">
                            <span></span><span>{t!("campaign.recipients")}</span>
                            <span class="v">{dates::number(ledger.recipients())}</span>
                            <span class="p">{percent(ledger.recipients(), listed)}</span>
                        </div>
                    </div>
                    <div class="ledger">
                        {left_out}{repeated}
                        <div class="sum">
                            <span></span><span>{t!("campaign.left_out")}</span>
                            <span class="v">{dates::number(ledger.n_left_out() + ledger.duplicates)}</span>
                            <span class="p">{percent(ledger.n_left_out() + ledger.duplicates, listed)}</span>
                        </div>
                    </div>
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// What leaves on which day.
pub(super) fn parts(parts: &[Part], now: Timestamp) -> AnyView {
    let lines = parts
        .iter()
        .enumerate()
        .map(|(i, it)| {
            let when =
                t!("campaign.part.when", from = dates::when_text(it.starts, now), to = dates::when_text(it.ends, now));
            view! {
                <tr>
                    <td>{t!("campaign.part", n = i + 1)}</td>
                    <td class="soft">{when}</td>
                    <td class="r num">{dates::number(it.n)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("campaign.parts.title")}</h2><span class="sub">{t!("campaign.parts.why")}</span></header>
            <table class="tbl tbl--inner"><tbody>{lines}</tbody></table>
        </section>
    }
    .into_any()
}

#[component]
pub(super) fn Results(id: CampaignId, view: Signal<Option<CampaignView>>) -> AnyView {
    let domains = use_campaign_domains(&id);
    let results = use_results(id);
    view! {
        {move || results.data().zip(view.get()).map(|(found, it)| {
            let taken = it.ledger.handed_over();
            view! {
                <div class="stack gap-4 mt-4">
                    <Figures ledger=it.ledger found=found.clone()/>
                    {(!found.hours.is_empty()).then(|| chart(&found))}
                    {(!found.links.is_empty()).then(|| links(&found, taken))}
                    {move || domains.data().filter(|it| !it.is_empty()).map(|all| by_domain(&all, domains))}
                </div>
            }
        })}
    }
    .into_any()
}

#[component]
fn Figures(ledger: Ledger, found: CampaignResults) -> AnyView {
    let (recipients, taken, delivered) = (ledger.recipients(), ledger.handed_over(), ledger.delivered());
    let stat = |n: u32, words: String| view! { <div class="stat"><b>{dates::number(n)}</b><span>{words}</span></div> };
    view! {
        <section class="stats" aria-label=t!("campaign.figures")>
            {stat(taken, t!("campaign.figure.handed_over", of = dates::number(recipients)))}
            {stat(delivered, t!("campaign.figure.delivered", share = percent(delivered, taken)))}
            {stat(found.opened, t!("campaign.figure.opened", share = percent(found.opened, delivered), robots = dates::number(found.robots)))}
            {stat(found.clicked, t!("campaign.figure.clicked", share = percent(found.clicked, delivered)))}
            {stat(found.answered, t!("campaign.figure.answered", share = percent(found.answered, delivered)))}
            {stat(found.unsubscribed, t!("campaign.figure.unsubscribed", share = percent(found.unsubscribed, delivered)))}
        </section>
    }
    .into_any()
}

/// Handed over, opened and clicked by hour.
fn chart(found: &CampaignResults) -> AnyView {
    let (all, top) = bars(&found.hours, HOURS);
    let height = 150.0;
    let hour_of = |hour: i64| Timestamp::from_millis(0) + Span::hours(hour);
    let columns = all
        .iter()
        .map(|bar| {
            let title = dates::format(hour_of(bar.hour), Style::Time);
            let rects = bar
                .heights
                .iter()
                .zip(["c1", "c2", "ca"])
                .enumerate()
                .map(|(i, (share, class))| {
                    let tall = share / 100.0 * height;
                    let x = 40.0 + (bar.left + bar.width * i as f64) * 10.6;
                    view! {
                        <rect class=class x=format!("{x:.1}") y=format!("{:.1}", 10.0 + height - tall)
                            width=format!("{:.1}", (bar.width * 10.6 - 1.0).max(1.0)) height=format!("{tall:.1}") rx="1"></rect>
                    }
                })
                .collect_view();
            let x = 40.0 + (bar.left + bar.width * 1.5) * 10.6;
            let is_told = all.len() <= 16 || bar.hour % 6 == 0;
            view! {
                {rects}
                {is_told.then(|| view! { <text x=format!("{x:.1}") y="178" text-anchor="middle">{title}</text> })}
            }
        })
        .collect_view();
    view! {
        <section class="card">
            <header class="card-head">
                <h2>{t!("campaign.by_hour")}</h2>
                <span class="legend push">
                    <span><i></i>{t!("campaign.chart.handed_over")}</span>
                    <span><i class="k2"></i>{t!("campaign.chart.opened")}</span>
                    <span><i class="ka"></i>{t!("campaign.chart.clicked")}</span>
                </span>
            </header>
            <div class="card-body tbl-scroll" tabindex="0" role="region" aria-label=t!("campaign.by_hour")>
                <svg class="chart" viewBox="0 0 1100 186" style="min-width:680px" role="img" aria-label=t!("campaign.by_hour")>
                    <line class="grid" x1="40" x2="1100" y1="10" y2="10"></line>
                    <line class="grid" x1="40" x2="1100" y1="85" y2="85"></line>
                    <line class="axis" x1="40" x2="1100" y1="160" y2="160"></line>
                    <text x="34" y="14" text-anchor="end">{dates::number(top)}</text>
                    <text x="34" y="89" text-anchor="end">{dates::number(top / 2)}</text>
                    <text x="34" y="164" text-anchor="end">"0"</text>
                    {columns}
                </svg>
            </div>
        </section>
    }
    .into_any()
}

/// How the providers took it: a bar per recipient domain.
fn by_domain(all: &[DomainResult], read: Read<Vec<DomainResult>>) -> AnyView {
    let lines = all
        .iter()
        .map(|it| {
            let name = if it.domain.is_empty() { t!("campaign.domains.others") } else { it.domain.clone() };
            let share = |n: u32| format!("--v:{}%", f64::from(per_mille(n, it.recipients)) / 10.0);
            view! {
                <tr data-domain=it.domain.clone()>
                    <td class="trunc" title=name.clone()>{name.clone()}</td>
                    <td>
                        <div class="meter" aria-hidden="true">
                            <i style=share(it.delivered)></i>
                            <i class="m-red" style=share(it.failed)></i>
                        </div>
                    </td>
                    <td class="r num">{dates::number(it.recipients)}</td>
                    <td class="r num">{percent(it.delivered, it.recipients)}</td>
                    <td class="r num">{percent(it.failed, it.recipients)}</td>
                    <td class="r num">{percent(it.opened, it.delivered)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card" id="domains">
            <header class="card-head">
                <h2>{t!("campaign.domains")}</h2>
                <span class="sub">{t!("campaign.domains.text")}</span>
                <Button class="push" small=true icon=Glyph::Retry text=t!("preflight.again") on_press=move |()| read.retry()/>
            </header>
            <div class="tbl-scroll" tabindex="0" role="region" aria-label=t!("campaign.domains")>
                <table class="tbl tbl--inner" style="min-width:540px">
                    <colgroup><col style="width:150px"/><col/><col style="width:90px"/><col style="width:84px"/><col style="width:72px"/><col style="width:72px"/></colgroup>
                    <thead>
                        <tr>
                            <th>{t!("campaign.domains.domain")}</th>
                            <th><span class="vh">{t!("campaign.domains.delivered")}</span></th>
                            <th class="r">{t!("campaign.domains.recipients")}</th>
                            <th class="r">{t!("campaign.domains.delivered")}</th>
                            <th class="r">{t!("campaign.domains.failed")}</th>
                            <th class="r">{t!("campaign.domains.opened")}</th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn links(found: &CampaignResults, taken: u32) -> AnyView {
    let lines = found
        .links
        .iter()
        .map(|it| {
            view! {
                <tr>
                    <td class="trunc" title=it.url.clone()>{if it.words.is_empty() { it.url.clone() } else { it.words.clone() }}</td>
                    <td class="muted trunc">{it.url.clone()}</td>
                    <td class="r num">{dates::number(it.people)}</td>
                    <td class="r num muted">{percent(it.people, taken)}</td>
                    <td class="r num muted">{dates::number(it.robots)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("campaign.links")}</h2><span class="sub">{t!("campaign.links.robots")}</span></header>
            <div class="tbl-scroll" tabindex="0" role="region" aria-label=t!("campaign.links")>
                <table class="tbl tbl--inner" style="min-width:620px">
                    <colgroup><col/><col/><col style="width:90px"/><col style="width:80px"/><col style="width:110px"/></colgroup>
                    <thead>
                        <tr>
                            <th>{t!("campaign.links.words")}</th>
                            <th>{t!("campaign.links.address")}</th>
                            <th class="r">{t!("campaign.links.people")}</th>
                            <th class="r">"%"</th>
                            <th class="r">{t!("campaign.links.machines")}</th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

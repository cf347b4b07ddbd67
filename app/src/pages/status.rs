//! Technical › Status: is mail flowing?

use gloo::timers::callback::Interval;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::status::CanaryState;
use mailroom_shared::api::status::CanaryView;
use mailroom_shared::api::status::Rate;
use mailroom_shared::api::status::Share;
use mailroom_shared::api::status::StatusView;
use mailroom_shared::api::status::Waiting;
use mailroom_shared::api::tag;
use mailroom_shared::time::Timestamp;

use crate::dates;
use crate::model::server::meter_class;
use crate::model::server::share;
use crate::pages::incoming::is_administrator;
use crate::pages::shell::use_crumbs;
use crate::queries::logs::send_canary;
use crate::queries::logs::use_status;
use crate::queries::servers::use_limits;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::toast::use_toasts;
use crate::widgets::hops::Hops;
use crate::widgets::hops::span_text;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::read_body;

/// How often the page asks again while it is open; faster while a canary flies.
const OFTEN: u32 = 15_000;
const FLYING: u32 = 1_500;

#[component]
pub fn StatusPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("flow.title"), None)]);
    let (status, cache) = (use_status(), use_cache());
    let is_flying = status.part(|it| it.canary.as_ref().is_some_and(|it| it.state == CanaryState::Flying));
    let ticks = StoredValue::new(0_u32);
    let timer = Interval::new(FLYING, move || {
        let Some(n) = ticks.try_update_value(|it| {
            *it = it.wrapping_add(1);
            *it
        }) else {
            return;
        };
        let is_due = is_flying.try_get_untracked().flatten() == Some(true) || n.is_multiple_of(OFTEN / FLYING);
        if is_due && !document().hidden() {
            cache.stale(tag::LOGS);
        }
    });
    StoredValue::new_local(timer);
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("flow.title")}</h1><p>{t!("flow.text")}</p></div></div>
            {read_body(status, |it| view! { <Whole it/> }.into_any())}
        </main>
    }
    .into_any()
}

fn when(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| t!("status.never"), |at| dates::age_text(at, now))
}

#[component]
fn Whole(it: StatusView) -> AnyView {
    let now = it.now;
    view! {
        <Numbers it=it.clone()/>
        <div class="cols cols--side mt-4">
            <div class="stack gap-4">
                <Canary canary=it.canary.clone()/>
                {it.canary.clone().map(|it| view! { <Hops stops=it.way/> })}
                <section class="card">
                    <header class="card-head"><h2>{t!("flow.domains")}</h2></header>
                    <table class="tbl tbl--plain">
                        <thead><tr><th>{t!("flow.domain")}</th><th>{t!("flow.received")}</th><th>{t!("flow.sent")}</th></tr></thead>
                        <tbody>
                            {it.domains.iter().map(|row| view! {
                                <tr><td class="med">{row.domain.clone()}</td><td>{when(row.last_received, now)}</td><td>{when(row.last_sent, now)}</td></tr>
                            }).collect_view()}
                        </tbody>
                    </table>
                </section>
                <section class="card">
                    <header class="card-head"><h2>{t!("flow.servers")}</h2><a class="link push" href=Page::Servers.href()>{t!("servers.title")}</a></header>
                    <table class="tbl tbl--plain">
                        <thead><tr><th>{t!("flow.server")}</th><th>{t!("flow.sent")}</th><th>{t!("flow.trouble")}</th></tr></thead>
                        <tbody>
                            {it.servers.iter().map(|row| {
                                let dot = match (row.enabled, row.rests_until) {
                                    (false, _) => "dot",
                                    (true, Some(_)) => "dot dot--bad",
                                    (true, None) => "dot dot--ok",
                                };
                                let state = match (row.enabled, row.rests_until) {
                                    (false, _) => t!("flow.off"),
                                    (true, Some(until)) => t!("flow.rests", when = dates::when_text(until, now)),
                                    (true, None) => String::new(),
                                };
                                let trouble = row.last_trouble.map_or_else(|| "–".to_owned(), |at| dates::age_text(at, now));
                                view! {
                                    <tr>
                                        <td class="med"><span class=dot></span>" "{row.name.clone()}" "<span class="muted">{state}</span></td>
                                        <td>{when(row.last_success, now)}</td>
                                        <td title=row.last_error.clone()>{trouble}</td>
                                    </tr>
                                }
                            }).collect_view()}
                        </tbody>
                    </table>
                </section>
            </div>
            <div class="stack gap-4">
                <Late it=it.clone()/>
                <Meters/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Numbers(it: StatusView) -> AnyView {
    let now = it.now;
    let waiting = |name: &str, it: Waiting, href: String| {
        let since = it.oldest.map(|at| t!("flow.since", when = span_text(now - at))).unwrap_or_default();
        let title = t!(&format!("flow.waiting.{name}"));
        view! { <a class="stat" href=href data-stat=name.to_owned()><small>{title}</small><b class="num">{dates::number(it.n)}</b><small>{since}</small></a> }
    };
    let rate = |name: &str, it: Rate, href: String| {
        let title = t!(&format!("flow.rate.{name}"));
        let before = t!("flow.rate.before", percent = percent(it.week));
        let class = if it.is_unusual() { "num bad" } else { "num" };
        let of = t!("flow.rate.of", bad = dates::number(it.day.bad), all = dates::number(it.day.all));
        view! { <a class="stat" href=href data-stat=name.to_owned() title=of><small>{title}</small><b class=class>{percent(it.day)}</b><small>{before}</small></a> }
    };
    view! {
        <div class="stats stats--links">
            {waiting("due", it.due, format!("{}?filter=outgoing", Page::Emails.href()))}
            {waiting("queued", it.queued, format!("{}?filter=outgoing&wait=queue", Page::Emails.href()))}
            {waiting("unwritten", it.unwritten, Page::Incoming.href())}
            {waiting("unprocessed", it.unprocessed, format!("{}?show=unprocessed", Page::Incoming.href()))}
            {rate("failures", it.failures, Page::Failures.href())}
            {rate("refusals", it.refusals, format!("{}?show=refused", Page::Incoming.href()))}
        </div>
        {(it.dead_letters > 0).then(|| view! { <p class="bad small mt-2">{tn!("flow.dead", it.dead_letters)}</p> })}
    }
    .into_any()
}

fn percent(it: Share) -> String {
    it.per_mille().map_or_else(|| "–".to_owned(), |n| format!("{}{}{} %", n / 10, dates::decimal(), n % 10))
}

/// Actions that are late, off or failing.
#[component]
fn Late(it: StatusView) -> AnyView {
    let now = it.now;
    let lines = it.actions.into_iter().map(|row| {
        let name = t!(&format!("actions.name.{}", row.action.as_str()));
        let text = match (row.off, row.due) {
            (true, _) => t!("flow.action.off"),
            (false, Some(due)) => t!("flow.action.late", when = span_text(now - due)),
            (false, None) => t!("flow.action.failing"),
        };
        view! { <li data-action=row.action.as_str()><Icon glyph=Glyph::Alert class="warn"/><span>{name}<small>{text}" "{row.last_error}</small></span></li> }
    });
    let lines: Vec<_> = lines.collect();
    let is_fine = lines.is_empty();
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("actions.title")}</h2><a class="link push" href=Page::Actions.href()>{t!("flow.all")}</a></header>
            <div class="card-body">
                {is_fine.then(|| view! { <ul class="pre"><li><Icon glyph=Glyph::Check class="ok"/><span>{t!("flow.action.fine")}</span></li></ul> })}
                <ul class="pre">{lines}</ul>
            </div>
        </section>
    }
    .into_any()
}

/// Daily limits of the servers that have one.
#[component]
fn Meters() -> AnyView {
    let limits = use_limits();
    view! {
        {move || limits.data().map(|all| {
            let meters: Vec<_> = all.meters.into_iter().filter(|it| it.limit.is_some()).collect();
            (!meters.is_empty()).then(|| view! {
                <section class="card">
                    <header class="card-head"><h2>{t!("limits.title")}</h2><a class="link push" href=Page::Limits.href()>{t!("flow.all")}</a></header>
                    <div class="card-body stack gap-3">
                        {meters.into_iter().map(|it| {
                            let percent = share(it.used, it.limit);
                            view! {
                                <div>
                                    <div class="row"><b class="med">{it.name}</b><span class="push num">{dates::number(it.used)}" "<span class="muted">{t!("limits.of", limit = dates::number(it.limit.unwrap_or(0)))}</span></span></div>
                                    <div class=meter_class(percent)><i style=format!("--v:{percent:.1}%")></i></div>
                                </div>
                            }
                        }).collect_view()}
                    </div>
                </section>
            })
        })}
    }
    .into_any()
}

#[component]
fn Canary(canary: Option<CanaryView>) -> AnyView {
    let (cache, toasts, me) = (use_cache(), use_toasts(), use_me());
    let busy = RwSignal::new(false);
    let is_admin = Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(is_administrator)));
    let send = move |()| {
        busy.set(true);
        spawn_local(async move {
            if let Err(error) = send_canary(cache, None).await {
                toast_problem(toasts, &error);
            }
            let _ = busy.try_set(false);
        });
    };
    view! {
        <section class="card">
            <header class="card-head">
                <h2>{t!("canary.title")}</h2>
                <span class="push">
                    {move || is_admin.get().then(|| view! { <Button kind=Kind::Primary icon=Glyph::Send text=t!("canary.send") disabled=busy on_press=send/> })}
                </span>
            </header>
            <div class="card-body stack gap-2">
                <p class="soft">{t!("canary.text")}</p>
                {canary.map(|it| view! { <Steps it/> })}
            </div>
        </section>
    }
    .into_any()
}

/// Each step with its time.
#[component]
fn Steps(it: CanaryView) -> AnyView {
    let after = |at: Timestamp| format!("+{}", span_text(at - it.sent));
    let sent = t!("canary.sent", server = it.server, to = it.rcpt_to, name = it.by);
    let answered = it.answered.map(|at| (after(at), it.answer.clone()));
    let (class, glyph, words) = match (it.state, it.returned) {
        (CanaryState::Back, Some(at)) => ("ok", Glyph::Check, t!("canary.back", took = span_text(at - it.sent))),
        (CanaryState::Back | CanaryState::Flying, _) => ("", Glyph::Clock, t!("canary.flying")),
        (CanaryState::Refused, _) => ("bad", Glyph::Ban, t!("canary.refused")),
        (CanaryState::Lost, _) => ("bad", Glyph::Alert, t!("canary.lost")),
    };
    view! {
        <ul class="pre" data-canary=it.state.as_str()>
            <li><Icon glyph=Glyph::Send/><span>{sent}<small>{dates::format(it.sent, dates::Style::Full)}</small></span></li>
            {answered.map(|(when, answer)| view! { <li><Icon glyph=Glyph::Right/><span class="break">{t!("canary.answered", answer = answer)}<small>{when}</small></span></li> })}
            <li><Icon glyph class=class/><span>{words}<small>{it.returned.map(after)}</small></span></li>
        </ul>
    }
    .into_any()
}

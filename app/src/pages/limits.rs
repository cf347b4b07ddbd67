//! Settings › Daily limit: what is used and left, when it begins anew, who uses it, and how to ask for more.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::limits::Limits;
use mailroom_shared::api::limits::Meter;
use mailroom_shared::api::limits::SupportCase;
use mailroom_shared::outbox::limit::LimitPolicy;
use mailroom_shared::outbox::limit::Plan;

use crate::api::ApiError;
use crate::dates;
use crate::model::server::meter_class;
use crate::model::server::optional_number;
use crate::model::server::share;
use crate::pages::shell::use_crumbs;
use crate::queries::servers::change_limits;
use crate::queries::servers::use_limits;
use crate::queries::servers::use_support_case;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::notices::Notices;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::field_error;

#[component]
pub fn LimitsPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("limits.title"), None)]);
    let limits = use_limits();
    let retry = Callback::new(move |()| limits.retry());
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("limits.title")}</h1><p>{t!("limits.text")}</p></div></div>
            <Notices/>
            {move || {
                let state = limits.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(it), _) => view! { <Figures it/> }.into_any(),
                }
            }}
            <Support/>
        </main>
    }
    .into_any()
}

#[component]
fn Figures(it: Limits) -> AnyView {
    let saving = (it.told_by_email > 0).then(|| tn!("limits.by_email", it.told_by_email));
    let saved = (it.saved > 0).then(|| tn!("limits.saved", it.saved));
    let policy = it.policy.clone();
    view! {
        <div class="cols cols--side">
            <div class="stack gap-4">
                {it.meters.into_iter().map(|meter| view! { <MeterCard meter/> }).collect_view()}
            </div>
            <div class="stack gap-4">
                <section class="card">
                    <header class="card-head"><h2>{t!("limits.save")}</h2></header>
                    <div class="card-body stack gap-3">
                        <p class="soft">{t!("limits.counts")}</p>
                        {saving.map(|text| view! { <p>{text}</p> })}
                        {saved.map(|text| view! { <p class="muted small">{text}</p> })}
                    </div>
                </section>
                <PolicyCard policy daily=it.daily/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn MeterCard(meter: Meter) -> AnyView {
    let now = dates::now();
    let when = |at| dates::when_text(at, now);
    let percent = share(meter.used, meter.limit);
    let kept = share(meter.reserved, meter.limit);
    let sub = if meter.built_in { t!("limits.built_in") } else { t!("limits.own") };
    let words = match (meter.limit, meter.left) {
        (Some(_), Some(0)) => (Weight::Warn, t!("limits.reached", when = when(meter.resets_at))),
        (Some(_), Some(left)) if left <= meter.reserved => {
            (Weight::Warn, t!("limits.reserve_only", n = dates::number(left), when = when(meter.resets_at)))
        }
        (Some(_), _) => match meter.forecast {
            Some(at) => (Weight::Warn, t!("limits.forecast", when = when(at))),
            None => (Weight::Plain, t!("limits.enough")),
        },
        (None, _) => (Weight::Plain, t!("limits.unlimited")),
    };
    let total: u32 = meter.by_class.iter().map(|it| it.n).sum();
    let lines = meter
        .by_class
        .iter()
        .map(|it| {
            let name = t!(&format!("limits.class.{}", it.class));
            let part = format!("{} %", u64::from(it.n) * 100 / u64::from(total.max(1)));
            view! { <div><span></span><span class="trunc">{name}</span><span class="v">{dates::number(it.n)}</span><span class="p">{part}</span></div> }
        })
        .collect_view();
    view! {
        <section class="card" data-meter=meter.name.clone()>
            <header class="card-head"><h2>{meter.name.clone()}</h2><span class="sub">{sub}</span></header>
            <div class="card-body stack gap-3">
                <div class="row">
                    <b class="num">{dates::number(meter.used)}</b>
                    {meter.limit.map(|limit| view! { <span class="muted num">{t!("limits.of_today", limit = dates::number(limit))}</span> })}
                    {meter.learned.then(|| view! { <span class="muted small">{t!("limits.learned")}</span> })}
                    {meter.left.map(|left| view! { <span class="push num">{t!("limits.left", n = dates::number(left))}</span> })}
                </div>
                {meter.limit.is_some().then(|| view! {
                    <div class=format!("{} meter--lg", meter_class(percent)) role="img" aria-label=format!("{percent:.0} %")>
                        <i style=format!("--v:{percent:.1}%")></i>
                        <i class="m-2" style=format!("--v:{kept:.1}%")></i>
                    </div>
                })}
                <Hours meter=meter.clone()/>
                <Notice weight=words.0 icon=Glyph::Clock text=words.1/>
                {(meter.parked > 0).then(|| view! {
                    <p><a href="/emails?wait=limit">{tn!("limits.parked", meter.parked)}</a></p>
                })}
                {meter.hourly.map(|n| view! { <p class="muted small">{t!("limits.hourly", used = dates::number(meter.this_hour), limit = dates::number(n))}</p> })}
                <p class="muted small">{t!("limits.resets", when = when(meter.resets_at))}</p>
                <div class="ledger">{lines}</div>
            </div>
        </section>
    }
    .into_any()
}

/// Mails hour by hour since the day began.
#[component]
fn Hours(meter: Meter) -> AnyView {
    let most = meter.per_hour.iter().map(|it| it.n).max().unwrap_or(0);
    let end = meter.resets_at.as_millis() / 3_600_000;
    let bars = (end - 24..end)
        .map(|hour| {
            let n = meter.per_hour.iter().find(|it| it.hour == hour).map_or(0, |it| it.n);
            let height = if most == 0 { 0.0 } else { f64::from(n) * 100.0 / f64::from(most) };
            view! { <i style=format!("--h:{height:.0}%") title=n.to_string()></i> }
        })
        .collect_view();
    view! { <span class="runs runs--day" role="img" aria-label=t!("limits.hours", n = dates::number(most))>{bars}</span> }.into_any()
}

#[component]
fn PolicyCard(policy: LimitPolicy, daily: u32) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let old = StoredValue::new(policy.clone());
    let plan = RwSignal::new(policy.plan.as_str().to_owned());
    let (marketing, migrating) = (RwSignal::new(policy.marketing), RwSignal::new(policy.migrating));
    let granted = RwSignal::new(policy.granted.map(|it| it.to_string()).unwrap_or_default());
    let reserve = RwSignal::new(policy.reserve.to_string());
    let resets = RwSignal::new(policy.resets_at.to_string());
    let limits: Vec<_> = policy.table.iter().map(|row| RwSignal::new(row.limit.to_string())).collect();
    let error = RwSignal::new(None::<ApiError>);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let plans = Signal::derive(|| {
        Plan::ALL.map(|it| (it.as_str().to_owned(), t!(&format!("limits.plan.{}", it.as_str())))).to_vec()
    });
    let cells = limits.clone();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let number = |it: RwSignal<String>, bad| optional_number(&it.get_untracked()).ok().flatten().unwrap_or(bad);
        let mut policy = old.get_value();
        policy.plan = Plan::parse(&plan.get_untracked()).unwrap_or_default();
        policy.marketing = marketing.get_untracked();
        policy.migrating = migrating.get_untracked();
        policy.granted = optional_number(&granted.get_untracked()).unwrap_or(policy.granted);
        policy.reserve = number(reserve, 999);
        policy.resets_at = number(resets, 99);
        for (row, cell) in policy.table.iter_mut().zip(&cells) {
            row.limit = number(*cell, row.limit);
        }
        spawn_local(async move {
            match change_limits(cache, policy).await {
                Ok(_) => toasts.done(t!("limits.saved_policy")),
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let rows = policy
        .table
        .iter()
        .zip(limits)
        .map(|(row, cell)| {
            let mut words =
                vec![row.plan.map_or_else(|| t!("limits.any_plan"), |it| t!(&format!("limits.plan.{}", it.as_str())))];
            if row.marketing == Some(true) {
                words.push(t!("limits.with_marketing"));
            }
            if row.migrating == Some(true) {
                words.push(t!("limits.while_migrating"));
            }
            view! { <div class="figure-row"><TextField label=words.join(", ") value=cell/></div> }
        })
        .collect_view();
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("limits.policy")}</h2><span class="sub">{t!("limits.now", n = dates::number(daily))}</span></header>
            <form class="card-body stack gap-3" on:submit=submit>
                <SelectField label=t!("limits.plan") value=plan options=plans name="plan"/>
                <Check text=t!("limits.marketing") checked=marketing on_change=move |it: bool| marketing.set(it)/>
                <Check text=t!("limits.migrating") checked=migrating on_change=move |it: bool| migrating.set(it)/>
                <div class="form-section figure-rows">{rows}</div>
                <TextField label=t!("limits.granted") value=granted name="granted" hint=t!("limits.granted.hint")/>
                <div class="form-two">
                    <TextField label=t!("limits.reserve") value=reserve name="reserve" error=wrong("reserve")/>
                    <TextField label=t!("limits.resets_at") value=resets name="resets_at" error=wrong("resets_at")/>
                </div>
                <FormProblem error=error.into()/>
                <div><Button kind=Kind::Primary submit=true text=t!("ui.save")/></div>
            </form>
        </section>
    }
    .into_any()
}

/// What support weighs, each with what to do about it.
#[component]
fn Support() -> AnyView {
    let case = use_support_case();
    view! {
        {move || case.data().map(|it| view! {
            <section class="card mt-4">
                <header class="card-head"><h2>{t!("support.title")}</h2></header>
                <div class="card-body stack gap-3">
                    <p class="soft">{t!("support.text")}</p>
                    <Points it=it.clone()/>
                    <textarea class="input code" rows="8" readonly=true aria-label=t!("support.letter")>{letter(&it)}</textarea>
                    <p class="muted small">{t!("support.other")}</p>
                </div>
            </section>
        })}
    }
    .into_any()
}

#[component]
fn Points(it: SupportCase) -> AnyView {
    let lines = it
        .points
        .iter()
        .map(|point| {
            let (glyph, end) = if point.good { (Glyph::Check, "good") } else { (Glyph::Alert, "bad") };
            let text = t!(&format!("support.{}.{end}", point.key), figure = point.figure);
            view! { <li class="row" data-point=point.key.clone()><Icon glyph/><span>{text}</span></li> }
        })
        .collect_view();
    view! { <ul class="stack gap-3">{lines}</ul> }.into_any()
}

/// The figures as a letter to copy.
fn letter(it: &SupportCase) -> String {
    let domains: Vec<String> = it
        .domains
        .iter()
        .map(|d| t!("support.letter.domain", domain = d.domain, aliases = d.aliases, tested = d.tested))
        .collect();
    let rate = it.bounce_rate();
    t!(
        "support.letter.text",
        users = it.users,
        plan = t!(&format!("limits.plan.{}", it.plan.as_str())),
        sent = dates::number(it.handed_over),
        bounced = dates::number(it.bounced),
        rate = format!("{}.{}", rate / 10, rate % 10),
        complained = dates::number(it.complained),
        days = it.days_at_limit,
        domains = domains.join("\n")
    )
}

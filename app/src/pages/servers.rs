//! Settings › Outgoing servers: who takes our mail, how it is, and by whom a mail would leave.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::servers::Outcome;
use mailroom_shared::api::servers::OutgoingRules;
use mailroom_shared::api::servers::ServerRow;
use mailroom_shared::api::servers::SimulateQuery;
use mailroom_shared::api::servers::Simulation;
use mailroom_shared::api::servers::SlowedDomain;
use mailroom_shared::outbox::choice::Mismatch;
use mailroom_shared::outbox::choice::ReturnPath;

use self::form::ServerDialog;
use crate::api::ApiError;
use crate::dates;
use crate::model::server::Condition;
use crate::model::server::meter_class;
use crate::model::server::place;
use crate::model::server::share;
use crate::pages::shell::use_crumbs;
use crate::queries::servers::change_rules;
use crate::queries::servers::lift_slowed;
use crate::queries::servers::simulate;
use crate::queries::servers::use_rules;
use crate::queries::servers::use_servers;
use crate::queries::servers::use_slowed;
use crate::queries::use_cache;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::dkim::DkimKeys;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

mod form;

/// Nothing, a new server, or one that is changed.
type Editing = RwSignal<Option<Option<ServerRow>>>;

#[component]
pub fn ServersPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("servers.title"), None)]);
    let servers = use_servers();
    let editing: Editing = RwSignal::new(None);
    let retry = Callback::new(move |()| servers.retry());
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("servers.title")}</h1><p>{t!("servers.text")}</p></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("servers.new") on_press=move |()| editing.set(Some(None))/>
                </div>
            </div>
            <Slowed/>
            {move || {
                let state = servers.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(rows), problem) => view! {
                        {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                        <Table rows editing/>
                    }
                    .into_any(),
                }
            }}
            <div class="cols cols--2 mt-4">
                <SimulateCard/>
                <RulesCard/>
            </div>
            <DkimKeys/>
            {move || editing.get().map(|server| view! { <ServerDialog server on_close=move |()| editing.set(None)/> })}
        </main>
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<ServerRow>, editing: Editing) -> AnyView {
    let lines = rows.into_iter().map(|row| view! { <Line row editing/> }).collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("servers.title")>
            <table class="tbl" style="min-width:960px">
                <colgroup>
                    <col/><col style="width:150px"/><col style="width:200px"/><col style="width:80px"/>
                    <col style="width:180px"/><col style="width:110px"/><col style="width:110px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th>{t!("servers.column.name")}</th>
                        <th>{t!("servers.column.state")}</th>
                        <th>{t!("servers.column.filter")}</th>
                        <th class="r">{t!("servers.column.priority")}</th>
                        <th>{t!("servers.column.today")}</th>
                        <th class="r">{t!("servers.column.errors")}</th>
                        <th class="r">{t!("servers.column.last")}</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Line(row: ServerRow, editing: Editing) -> AnyView {
    let condition = Condition::of(&row);
    let (tone, icon) = match condition {
        Condition::Well => (Tone::Green, Glyph::Check),
        Condition::Rests | Condition::Shaky => (Tone::Red, Glyph::Alert),
        Condition::Full => (Tone::Amber, Glyph::Clock),
        Condition::Archived | Condition::Off | Condition::Unused => (Tone::Plain, Glyph::Clock),
    };
    let word = t!(&format!("servers.condition.{}", condition.as_str()));
    let health = row.health.clone();
    let title = match (condition, &health.rests_until, &health.last_error) {
        (Condition::Rests, Some(at), error) => {
            let error = error.clone().unwrap_or_default();
            t!("servers.rests_until", when = dates::when_text(*at, dates::now()), error = error)
        }
        (Condition::Shaky, _, Some(error)) => error.clone(),
        _ => String::new(),
    };
    let settings = row.settings.clone();
    let filter = if settings.from_filter.is_empty() { t!("servers.any_from") } else { settings.from_filter.clone() };
    let used = match row.limit {
        Some(limit) => t!("servers.used_of", used = dates::number(row.used_today), limit = dates::number(limit)),
        None => dates::number(row.used_today),
    };
    let percent = share(row.used_today, row.limit);
    let errors = format!("{} %", health.error_rate());
    let latency = health.latency.map(|it| t!("servers.latency", ms = it)).unwrap_or_default();
    let kind = t!(&format!("servers.kind.{}", settings.kind.as_str()));
    let place = place(&settings);
    let for_edit = row.clone();
    view! {
        <tr data-server=row.id.to_string() data-condition=condition.as_str()>
            <td>
                <button type="button" class="link" on:click=move |_| editing.set(Some(Some(for_edit.clone())))>{settings.name.clone()}</button>
                " "<span class="muted small">{if place.is_empty() { kind } else { place }}</span>
                {settings.bulk.then(|| view! { " "<Tag text=t!("servers.bulk")/> })}
            </td>
            <td><Tag tone icon=icon text=word title=title/></td>
            <td class="soft trunc" data-label=t!("servers.column.filter") title=filter.clone()>{filter.clone()}</td>
            <td class="r num" data-label=t!("servers.column.priority")>{settings.priority}</td>
            <td data-label=t!("servers.column.today")>
                <span class="num">{used}</span>
                {row.limit.is_some().then(|| view! { <div class=meter_class(percent)><i style=format!("--v:{percent:.1}%")></i></div> })}
            </td>
            <td class="r num" data-label=t!("servers.column.errors") title=latency>{errors}</td>
            <td class="r muted" data-label=t!("servers.column.last")>{health.last_success.map(|at| view! { <Age at/> })}</td>
        </tr>
    }
    .into_any()
}

/// `gmail.com asked us to slow down until 14:20`
#[component]
fn Slowed() -> AnyView {
    let slowed = use_slowed();
    view! { {move || slowed.data().unwrap_or_default().into_iter().map(|it| view! { <SlowedLine it/> }).collect_view()} }
        .into_any()
}

#[component]
fn SlowedLine(it: SlowedDomain) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let text = t!(
        "servers.slowed",
        domain = it.domain,
        when = dates::when_text(it.until, dates::now()),
        server = it.server_name,
        n = dates::number(it.waiting)
    );
    let domain = StoredValue::new(it.domain.clone());
    let lift = move |()| {
        // The line is gone when the answer comes.
        let domain = domain.get_value();
        spawn_local(async move {
            match lift_slowed(cache, domain.clone()).await {
                Ok(()) => toasts.done(t!("servers.lifted", domain = domain)),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <Notice class="mb-3" weight=Weight::Warn icon=Glyph::Clock text>
            <Button small=true text=t!("servers.lift") on_press=lift/>
        </Notice>
    }
    .into_any()
}

#[component]
fn SimulateCard() -> AnyView {
    let (cache, me) = (use_cache(), use_me());
    let mine = me.get_untracked().map(|it| it.email.to_string()).unwrap_or_default();
    let (from, to, lane) = (RwSignal::new(mine), RwSignal::new(String::new()), RwSignal::new("urgent".to_owned()));
    let (found, error) = (RwSignal::new(None::<Simulation>), RwSignal::new(None::<ApiError>));
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let lanes =
        Signal::derive(|| ["urgent", "normal", "bulk"].map(|it| (it.to_owned(), t!(&format!("lane.{it}")))).to_vec());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let query = SimulateQuery {
            from: from.get_untracked(),
            to: to.get_untracked(),
            lane: Some(lane.get_untracked()),
            size: None,
        };
        spawn_local(async move {
            let answer = simulate(cache, query).await;
            let _ = error.try_set(answer.as_ref().err().cloned());
            let _ = found.try_set(answer.ok());
        });
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("servers.simulate")}</h2></header>
            <form class="card-body stack gap-3" on:submit=submit>
                <TextField label=t!("servers.simulate.from") value=from name="from" error=wrong("from")/>
                <TextField label=t!("servers.simulate.to") value=to name="to" placeholder="ann@customer.example" error=wrong("to")/>
                <SelectField label=t!("emails.column.lane") value=lane options=lanes/>
                <FormProblem error=error.into()/>
                <div><Button submit=true icon=Glyph::Send text=t!("servers.simulate.go")/></div>
                {move || found.get().map(|it| view! { <Found it/> })}
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Found(it: Simulation) -> AnyView {
    let (weight, icon, text) = match &it.outcome {
        Outcome::Leaves { server, from, is_rewritten, why, .. } => {
            let why = t!(&format!("servers.why.{}", why.as_str()));
            let text = t!("servers.simulate.leaves", server = server, from = from, why = why);
            if *is_rewritten {
                (Weight::Warn, Glyph::Alert, format!("{text} {}", t!("servers.simulate.rewritten")))
            } else {
                (Weight::Info, Glyph::Check, text)
            }
        }
        Outcome::Waits { server, until, because } => {
            let when = dates::when_text(*until, dates::now());
            let why = t!(&format!("servers.passed.{}", because.as_str()));
            (Weight::Warn, Glyph::Clock, t!("servers.simulate.waits", server = server, when = when, why = why))
        }
        Outcome::Never { because } => (Weight::Bad, Glyph::Ban, t!(&format!("servers.never.{}", because.as_str()))),
    };
    let from_only = matches!(&it.outcome, Outcome::Leaves { return_path: ReturnPath::From, .. });
    let slowed = it.slowed_until.map(|at| t!("servers.simulate.slowed", when = dates::when_text(at, dates::now())));
    view! {
        <div class="stack gap-3" data-simulation="">
            <Notice weight icon text/>
            {slowed.map(|text| view! { <Notice weight=Weight::Warn icon=Glyph::Clock text/> })}
            {from_only.then(|| view! { <p class="muted small">{t!("servers.simulate.return_path")}</p> })}
            {(!it.passed.is_empty()).then(|| view! {
                <ul class="muted small">
                    {it.passed
                        .into_iter()
                        .map(|it| view! { <li>{format!("{}: {}", it.server, t!(&format!("servers.passed.{}", it.why.as_str())))}</li> })
                        .collect_view()}
                </ul>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn RulesCard() -> AnyView {
    let (cache, toasts, rules) = (use_cache(), use_toasts(), use_rules());
    let value = RwSignal::new("rewrite".to_owned());
    // What was saved, until somebody chooses.
    let saved = Memo::new(move |_| rules.data().map(|it| it.on_mismatch));
    let options = Signal::derive(move || {
        let first = if saved.get() == Some(Mismatch::Refuse) { ["refuse", "rewrite"] } else { ["rewrite", "refuse"] };
        first.map(|it| (it.to_owned(), t!(&format!("servers.mismatch.{it}")))).to_vec()
    });
    let save = move |()| {
        let on_mismatch = if value.get_untracked() == "refuse" { Mismatch::Refuse } else { Mismatch::Rewrite };
        spawn_local(async move {
            match change_rules(cache, OutgoingRules { on_mismatch }).await {
                Ok(_) => toasts.done(t!("servers.rules.saved")),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let now = move || {
        saved.get().map(|it| {
            let key = if it == Mismatch::Refuse { "refuse" } else { "rewrite" };
            t!("servers.rules.now", rule = t!(&format!("servers.mismatch.{key}")))
        })
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("servers.rules")}</h2></header>
            <div class="card-body stack gap-3">
                <p class="soft">{t!("servers.rules.text")}</p>
                <p class="muted small">{now}</p>
                <SelectField label=t!("servers.mismatch") value options name="on_mismatch"/>
                <div><Button text=t!("ui.save") on_press=save/></div>
                <p class="muted small">{tn!("servers.order", 9)}</p>
            </div>
        </section>
    }
    .into_any()
}

//! Technical › Scheduled actions: what runs by itself, when, and what it did; and what Auto-vacuum keeps.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::actions::ActionRow;
use mailroom_shared::api::actions::ChangeAction;
use mailroom_shared::api::actions::RunView;
use mailroom_shared::api::actions::VacuumLine;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::retention::Retention;

use crate::api::ApiError;
use crate::dates;
use crate::model::server::bytes;
use crate::model::server::optional_number;
use crate::model::server::seconds;
use crate::pages::shell::use_crumbs;
use crate::queries::servers::change_action;
use crate::queries::servers::change_retention;
use crate::queries::servers::run_action;
use crate::queries::servers::use_actions;
use crate::queries::servers::use_vacuum;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Switch;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::notices::Notices;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

#[component]
pub fn ActionsPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("actions.title"), None)]);
    let actions = use_actions();
    let opened = RwSignal::new(None::<Action>);
    let retry = Callback::new(move |()| actions.retry());
    // The table is built once: what somebody types in it outlives the news of the minute.
    let is_there = Memo::new(move |_| actions.state.with(|it| it.data.is_some()));
    let problem = Memo::new(move |_| actions.state.with(|it| it.problem.clone()));
    let rows = Signal::derive(move || actions.data().unwrap_or_default());
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("actions.title")}</h1><p>{t!("actions.text")}</p></div></div>
            <Notices/>
            {move || problem.get().filter(|_| is_there.get()).map(|error| view! { <StaleNotice error on_retry=retry/> })}
            {move || match (is_there.get(), problem.get().filter(|_| !is_there.get_untracked())) {
                (true, _) => view! { <Table rows opened/> }.into_any(),
                (false, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                (false, None) => view! { <SkeletonList/> }.into_any(),
            }}
            <p class="muted small mt-4">{t!("actions.advice")}</p>
            <Vacuum/>
        </main>
    }
    .into_any()
}

#[component]
fn Table(rows: Signal<Vec<ActionRow>>, opened: RwSignal<Option<Action>>) -> AnyView {
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("actions.title")>
            <table class="tbl" style="min-width:860px">
                <colgroup>
                    <col style="width:48px"/><col/><col style="width:130px"/><col style="width:110px"/>
                    <col style="width:170px"/><col style="width:110px"/><col style="width:90px"/><col style="width:110px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th></th>
                        <th>{t!("actions.column.name")}</th>
                        <th>{t!("actions.column.interval")}</th>
                        <th>{t!("actions.column.runs")}</th>
                        <th>{t!("actions.column.result")}</th>
                        <th>{t!("actions.column.next")}</th>
                        <th class="r">{t!("actions.column.backlog")}</th>
                        <th></th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || rows.get() key=|row| format!("{row:?}") let:row>
                        <Line row opened/>
                    </For>
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

fn interval_words(row: &ActionRow) -> String {
    match row.interval {
        _ if row.action == Action::LogRotation => t!("actions.daily_at_five"),
        _ if row.fixed => t!("actions.every_minute"),
        1_440 => t!("actions.daily"),
        n if n % 1_440 == 0 => tn!("actions.every_days", n / 1_440),
        n => tn!("actions.every_minutes", n),
    }
}

/// What a run came to, in words.
fn result_words(run: &RunView) -> String {
    match &run.error {
        Some(error) => error.clone(),
        None if run.items == 0 => t!("actions.nothing"),
        None => tn!("actions.items", run.items),
    }
}

#[component]
fn Line(row: ActionRow, opened: RwSignal<Option<Action>>) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let action = row.action;
    let name = t!(&format!("actions.name.{}", action.as_str()));
    let now = dates::now();
    let last = row.runs.first().cloned();
    let (dot, result) = match &last {
        _ if row.is_running => ("dot dot--run", t!("actions.running")),
        Some(run) if run.ok => ("dot dot--ok", t!("actions.done", when = dates::when_text(run.started, now))),
        Some(run) => ("dot dot--bad", t!("actions.failed", when = dates::when_text(run.started, now))),
        None => ("dot", t!("actions.nothing")),
    };
    let most = row.runs.iter().map(|it| it.items).max().unwrap_or(0).max(1);
    let bars = row
        .runs
        .iter()
        .rev()
        .map(|it| {
            let height = (it.items * 100 / most).max(12);
            view! { <i class:r-bad=!it.ok style=format!("--h:{height}%")></i> }
        })
        .collect_view();
    let next = row.next_run.map_or_else(|| "–".to_owned(), |at| dates::when_text(at, now));
    let backlog = if row.backlog == 0 { "–".to_owned() } else { dates::number(row.backlog) };
    let oldest = row.oldest.map(|at| t!("actions.oldest", when = dates::when_text(at, now)));
    let run = move |()| {
        spawn_local(async move {
            match run_action(cache, action).await {
                Ok(run) => toasts.done(t!(
                    "actions.ran",
                    result = result_words(&run),
                    took = seconds((run.ended - run.started).as_millis())
                )),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let switch = move |on: bool| {
        spawn_local(async move {
            let change = ChangeAction { interval: None, enabled: Some(on) };
            if let Err(error) = change_action(cache, action, change).await {
                toast_problem(toasts, &error);
            }
        });
    };
    let enabled = row.enabled;
    let is_open = move || opened.get() == Some(action);
    let toggle = move |_| opened.update(|it| *it = if *it == Some(action) { None } else { Some(action) });
    let interval = interval_words(&row);
    let detail = StoredValue::new(row.clone());
    view! {
        <tr data-action=action.as_str()>
            <td>
                <button type="button" class="btn btn--ghost btn--sm btn--icon" aria-label=t!("actions.show_runs", name = name)
                    aria-expanded=move || if is_open() { "true" } else { "false" } on:click=toggle>
                    {move || view! { <crate::ui::icon::Icon glyph=if is_open() { Glyph::Down } else { Glyph::Right }/> }}
                </button>
            </td>
            <td><b class="med">{name.clone()}</b></td>
            <td class="soft" data-label=t!("actions.column.interval")>{interval}</td>
            <td data-label=t!("actions.column.runs")><span class="runs" aria-hidden="true">{bars}</span></td>
            <td data-label=t!("actions.column.result") title=last.map(|it| result_words(&it))><span><span class=dot></span>" "{result}</span></td>
            <td class="num" data-label=t!("actions.column.next")>{next}</td>
            <td class="r" data-label=t!("actions.column.backlog") title=oldest>{backlog}</td>
            <td>
                <span class="acts">
                    <Button small=true icon=Glyph::Bolt label=t!("actions.run", name = name) on_press=run/>
                    <Switch on=Signal::derive(move || enabled) label=t!("actions.switch", name = name) on_change=switch/>
                </span>
            </td>
        </tr>
        {move || is_open().then(|| view! { <Runs row=detail.get_value()/> })}
    }
    .into_any()
}

#[component]
fn Runs(row: ActionRow) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let now = dates::now();
    let minutes = RwSignal::new(row.interval.to_string());
    let error = RwSignal::new(None::<ApiError>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "interval")));
    let (action, fixed) = (row.action, row.fixed);
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let interval = optional_number(&minutes.get_untracked()).ok().flatten().unwrap_or(0);
        spawn_local(async move {
            match change_action(cache, action, ChangeAction { interval: Some(interval), enabled: None }).await {
                Ok(_) => toasts.done(t!("actions.interval_saved")),
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let about = t!(&format!("actions.about.{}", action.as_str()));
    let lines = row
        .runs
        .iter()
        .map(|it| {
            let result = result_words(it);
            let by = it.by.clone().map(|by| t!("actions.by", name = by)).unwrap_or_default();
            view! {
                <tr>
                    <td class="num">{dates::when_text(it.started, now)}</td>
                    <td class="num">{seconds((it.ended - it.started).as_millis())}</td>
                    <td class:bad=!it.ok>{result}" "<span class="muted">{by}</span></td>
                    <td class="r">{dates::number(it.items)}</td>
                    <td class="r">{dates::number(it.backlog)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <tr class="sub-row">
            <td colspan="8">
                <div class="card-body stack gap-3">
                    <p class="soft">{about}</p>
                    {(!fixed).then(|| view! {
                        <form class="row" on:submit=save>
                            <TextField label=t!("actions.interval") value=minutes name="interval" hint=t!("actions.interval.hint") error=wrong/>
                            <Button submit=true text=t!("ui.save")/>
                        </form>
                    })}
                    <table class="tbl tbl--inner">
                        <thead>
                            <tr>
                                <th>{t!("actions.column.started")}</th>
                                <th>{t!("actions.column.took")}</th>
                                <th>{t!("actions.column.result")}</th>
                                <th class="r">{t!("actions.column.items")}</th>
                                <th class="r">{t!("actions.column.left")}</th>
                            </tr>
                        </thead>
                        <tbody>{lines}</tbody>
                    </table>
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// Days per class, and what would go now.
#[component]
fn Vacuum() -> AnyView {
    let lines = use_vacuum();
    view! {
        {move || lines.data().map(|rows| view! {
            <section class="card mt-4">
                <header class="card-head"><h2>{t!("retention.title")}</h2></header>
                <RetentionForm rows/>
            </section>
        })}
    }
    .into_any()
}

#[component]
fn RetentionForm(rows: Vec<VacuumLine>) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let fields: Vec<_> = rows.iter().map(|it| (it.class, RwSignal::new(it.days.to_string()))).collect();
    let error = RwSignal::new(None::<ApiError>);
    let typed = fields.clone();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let mut days = Retention::default();
        for (class, value) in &typed {
            *days.days_mut(*class) = optional_number(&value.get_untracked()).ok().flatten().unwrap_or(u32::MAX);
        }
        spawn_local(async move {
            match change_retention(cache, days).await {
                Ok(_) => toasts.done(t!("retention.saved")),
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let items: u32 = rows.iter().map(|it| it.items).sum();
    let size: u64 = rows.iter().filter_map(|it| it.bytes).sum();
    let total = if items == 0 { t!("retention.none") } else { tn!("retention.would", items, size = bytes(size)) };
    let lines = rows
        .into_iter()
        .zip(fields)
        .map(|(it, (class, value))| {
            let name = class.as_str();
            let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), name)));
            let found = match it.bytes {
                Some(n) => format!("{} · {}", dates::number(it.items), bytes(n)),
                None => dates::number(it.items),
            };
            view! {
                <div class="figure-row" data-class=name>
                    <TextField label=t!(&format!("retention.class.{name}")) value error=wrong/>
                    <p class="muted num">{found}</p>
                </div>
            }
        })
        .collect_view();
    view! {
        <form class="card-body stack gap-3" on:submit=submit>
            <p class="soft">{t!("retention.text")}</p>
            <p><b>{total}</b></p>
            <div class="figure-rows">{lines}</div>
            <FormProblem error=error.into()/>
            <div><Button kind=Kind::Primary submit=true text=t!("ui.save")/></div>
        </form>
    }
    .into_any()
}

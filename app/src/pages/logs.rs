//! Technical › Logs: every act on a mail as one line, as it happens; days in storage.

use gloo::timers::callback::Interval;
use leptos::html;
use leptos::prelude::*;
use mailroom_shared::api::logs::LogFile;
use mailroom_shared::api::tag;
use mailroom_shared::log::Direction;
use mailroom_shared::log::Kind;
use mailroom_shared::log::Level;
use mailroom_shared::log::line::LogLine;

use crate::dates;
use crate::model::filters;
use crate::model::merge::Row;
use crate::model::server::bytes;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::List;
use crate::queries::logs::use_log_files;
use crate::queries::logs::use_logs;
use crate::queries::servers::use_limits;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::tn;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind as ButtonKind;
use crate::ui::check::Switch;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::window::is_narrow;
use crate::ui::window::use_window;
use crate::widgets::log_lines;
use crate::widgets::period::Period;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

/// Lines come to those who look this often; news of mail at once.
const TAIL: u32 = 4_000;

#[component]
pub fn LogsPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("logs.title"), None)]);
    let query = use_query();
    let list = use_logs(move || query.with(filters::logs));
    let live = RwSignal::new(true);
    tail(live);
    let empty = move || {
        view! {
            <section class="card">
                {if query.with(filters::narrows_logs) {
                    view! { <Blank art=Art::Search title=t!("logs.none") text=t!("logs.none.text")/> }
                } else {
                    view! { <Blank title=t!("logs.empty") text=t!("logs.empty.text")/> }
                }}
            </section>
        }
        .into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("logs.title")}</h1><p>{t!("logs.text")}</p></div>
                <span class="acts row gap-2"><span class="soft" aria-hidden="true">{t!("logs.live")}</span><Switch on=live label=t!("logs.live") on_change=move |on: bool| live.set(on)/></span>
            </div>
            <div class="toolbar log-tools"><ListSearch placeholder=t!("logs.search")/><Filters/></div>
            {list_body(list, empty, move || view! { <Table list/> }.into_any())}
            <Files/>
        </main>
    }
    .into_any()
}

/// Reads again while the page is open.
fn tail(live: RwSignal<bool>) {
    let cache = use_cache();
    let timer = Interval::new(TAIL, move || {
        if live.try_get_untracked() == Some(true) && !document().hidden() {
            cache.stale(tag::LOGS);
        }
    });
    StoredValue::new_local(timer);
    Effect::new(move |before: Option<()>| {
        for it in [tag::INCOMING, tag::EMAILS] {
            cache.track(it);
        }
        if before.is_some() && live.get_untracked() {
            cache.stale(tag::LOGS);
        }
    });
}

/// Kind, level, direction, server, time: each a parameter of the address.
#[component]
fn Filters() -> AnyView {
    let (query, set, limits) = (use_query(), use_set_query(), use_limits());
    let choice = move |name: &'static str, options: Vec<(String, String)>| {
        let label = t!(&format!("logs.by.{name}"));
        let any = format!("{label}: {}", t!("emails.by.any"));
        let options = std::iter::once((String::new(), any)).chain(options).collect::<Vec<_>>();
        view! {
            <select class="input input--sm" name=name aria-label=label on:change=move |event| set(name, Some(event_target_value(&event)))>
                {move || {
                    let now = query.with(|it| it.get(name).unwrap_or_default().to_owned());
                    options
                        .iter()
                        .map(|(key, words)| view! { <option value=key.clone() selected=*key == now>{words.clone()}</option> })
                        .collect_view()
                }}
            </select>
        }
    };
    let kinds = Kind::ALL.into_iter().map(|it| (it.as_str().to_owned(), log_lines::word(it))).collect();
    let levels = Level::ALL
        .into_iter()
        .skip(1)
        .map(|it| (it.as_str().to_owned(), t!(&format!("log.level.{}", it.as_str()))))
        .collect();
    let directions = Direction::ALL
        .into_iter()
        .map(|it| (it.as_str().to_owned(), t!(&format!("log.direction.{}", it.as_str()))))
        .collect();
    let servers = move || {
        let all = limits.data().map(|it| it.meters).unwrap_or_default();
        all.into_iter().map(|it| (it.name.clone(), it.name)).collect::<Vec<_>>()
    };
    let narrowed = move || query.with(filters::narrows_logs);
    view! {
        {choice("level", levels)}
        {choice("direction", directions)}
        {choice("kind", kinds)}
        {move || choice("server", servers())}
        <Period/>
        {move || narrowed().then(|| view! {
            <Button kind=ButtonKind::Link text=t!("emails.by.clear") on_press=move |()| {
                for name in filters::LOG_FILTERS {
                    set(name, None);
                }
            }/>
        })}
    }
    .into_any()
}

fn row_height() -> f64 {
    if is_narrow() { 136.0 } else { 32.0 }
}

#[component]
fn Table(list: List<LogLine>) -> AnyView {
    let host = NodeRef::<html::Div>::new();
    let total = Signal::derive(move || list.rows.with(Vec::len));
    let window = use_window(total, row_height, host);
    let visible = move || {
        let (start, end) = window.get();
        list.rows.with(|all| all.get(start..end.min(all.len())).map(<[_]>::to_vec).unwrap_or_default())
    };
    let pad = |n: usize| format!("height:{}px", n * row_height() as usize);
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("logs.title") node_ref=host>
            <table class="tbl tbl--log" style="min-width:1000px">
                <colgroup>
                    <col style="width:150px"/><col style="width:168px"/><col style="width:200px"/><col style="width:200px"/><col/>
                    <col style="width:84px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th aria-sort="descending">{t!("logs.column.at")}</th>
                        <th>{t!("logs.column.kind")}</th>
                        <th>{t!("logs.column.from")}</th>
                        <th>{t!("logs.column.to")}</th>
                        <th>{t!("logs.column.text")}</th>
                        <th><span class="vh">{t!("trace.title")}</span></th>
                    </tr>
                </thead>
                <tbody>
                    {move || (window.get().0 > 0).then(|| view! { <tr aria-hidden="true" style=pad(window.get().0)></tr> })}
                    <For each=visible key=|it| it.id().to_owned() let:line>
                        <Line line/>
                    </For>
                    {move || {
                        let below = total.get().saturating_sub(window.get().1);
                        (below > 0).then(|| view! { <tr aria-hidden="true" style=pad(below)></tr> })
                    }}
                </tbody>
            </table>
        </div>
        {list_foot(list, Signal::derive(move || window.get().1))}
    }
    .into_any()
}

#[component]
fn Line(line: LogLine) -> AnyView {
    let text = log_lines::text(&line);
    let subject = Some(line.subject.clone()).filter(|it| line.kind == Kind::Received && !it.is_empty());
    let parts = [line.server.clone(), subject, Some(text).filter(|it| !it.is_empty()), line.by.clone()];
    let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let at = format!("{} {}", dates::format(line.at, dates::Style::Short), log_lines::clock(line.at));
    let from =
        if line.from.is_empty() && line.direction == Direction::In { "<>".to_owned() } else { line.from.clone() };
    let record = line.record.clone().zip(line.record_number.clone());
    view! {
        <tr data-log=line.kind.as_str()>
            <td class="num muted nowrap" title=dates::format(line.at, dates::Style::Full)>{at}</td>
            <td><span class=log_lines::class(line.level)><Icon glyph=log_lines::glyph(line.kind)/><span class="trunc">{log_lines::word(line.kind)}</span></span></td>
            <td title=from.clone()>{from.clone()}</td>
            <td title=line.to.clone()>{line.to.clone()}</td>
            <td class="soft" title=whole.clone()>
                {record.map(|(id, number)| view! { <a class="ref" href=Page::Record(id).href()><span>{number}</span></a>" " })}
                {whole.clone()}
            </td>
            <td class="r">{line.trace.clone().map(|id| view! { <a class="link" href=Page::Trace(id).href()>{t!("trace.title")}</a> })}</td>
        </tr>
    }
    .into_any()
}

/// Days in storage.
#[component]
fn Files() -> AnyView {
    let files = use_log_files();
    view! {
        <section class="card mt-4">
            <header class="card-head"><h2>{t!("logs.files")}</h2><span class="sub">{t!("logs.files.text")}</span></header>
            {move || match files.data() {
                Some(all) if !all.is_empty() => view! {
                    <ul class="log-files">{all.into_iter().map(|file| view! { <Day file/> }).collect_view()}</ul>
                }.into_any(),
                _ => view! { <p class="card-body muted">{t!("logs.files.none")}</p> }.into_any(),
            }}
        </section>
    }
    .into_any()
}

#[component]
fn Day(file: LogFile) -> AnyView {
    let span = t!(
        "logs.files.span",
        from = dates::format(file.begins, dates::Style::WeekdayTime),
        to = dates::format(file.ends, dates::Style::WeekdayTime)
    );
    let size = format!("{} · {}", tn!("logs.files.lines", file.lines), bytes(file.bytes));
    let href = format!("/api/v1/logs/files/{}", file.day);
    view! {
        <li data-day=file.day.clone()>
            <Icon glyph=Glyph::File/>
            <a class="link num" href=href download="">{format!("{}.jsonl", file.day)}</a>
            <span class="muted num">{size}</span>
            <span class="muted only-wide">{span}</span>
            {(!file.complete).then(|| view! { <span class="state state--wait"><Icon glyph=Glyph::Clock/>{t!("logs.files.open")}</span> })}
        </li>
    }
    .into_any()
}

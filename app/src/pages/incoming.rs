//! Technical › Incoming: what became of every mail that came, and the trays that wait for a person.

mod details;
mod paused;
mod route_to;
mod rules;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::incoming::Fate;
use mailroom_shared::api::incoming::IncomingAction;
use mailroom_shared::api::incoming::IncomingActions;
use mailroom_shared::api::incoming::IncomingQuery;
use mailroom_shared::api::incoming::IncomingRow;
use mailroom_shared::api::incoming::Show;
use mailroom_shared::time::Timestamp;

use crate::dates;
use crate::i18n;
use crate::model::filters;
use crate::model::merge::Row;
use crate::model::query::Query;
use crate::model::selection::Selection;
use crate::model::selection::step;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::Cache;
use crate::queries::List;
use crate::queries::incoming::act_on_incoming;
use crate::queries::incoming::use_incoming;
use crate::queries::incoming::use_incoming_counts;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_query;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys::use_keys;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::seg::Tab;
use crate::ui::seg::Tabs;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::period::Period;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;
use details::Details;
use paused::PausedList;
use route_to::RouteDialog;
use rules::InboundRulesTab;

/// The tabs beside the parts of the journal.
const PAUSED: &str = "paused";
const RULES: &str = "rules";

fn show_of(query: &Query) -> Show {
    query.get("show").and_then(Show::parse).unwrap_or_default()
}

/// The mails of a part of the journal that the address asks for.
fn wanted(query: &Query) -> IncomingQuery {
    let time = |name: &str| query.get(name).and_then(|it| it.parse().ok()).map(Timestamp::from_millis);
    IncomingQuery {
        show: Some(show_of(query)),
        q: query.get("q").map(str::to_owned),
        since: time("since"),
        until: time("until"),
        ..IncomingQuery::default()
    }
}

/// What the rows of a tray share.
#[derive(Clone, Copy)]
struct Tray {
    list: List<IncomingRow>,
    selection: RwSignal<Selection>,
    cursor: RwSignal<Option<String>>,
    /// The line that shows all it knows.
    opened: RwSignal<Option<String>>,
    /// Mails that are to be routed.
    routing: RwSignal<Option<Vec<String>>>,
    /// Done and in all, while *all that match* goes on.
    progress: RwSignal<Option<(u32, u32)>>,
    query: Memo<Query>,
    cache: Cache,
    toasts: Toasts,
}

#[component]
pub fn IncomingPage() -> AnyView {
    use_crumbs(vec![(t!("technical.title"), None), (t!("incoming.title"), None)]);
    let query = use_query();
    let tab = Memo::new(move |_| query.with(|it| it.get("show").map(str::to_owned)));
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("incoming.title")}</h1><p>{t!("incoming.text")}</p></div></div>
            <Capacity/>
            <PageTabs query/>
            {move || match tab.get().as_deref() {
                Some(PAUSED) => view! { <PausedList/> }.into_any(),
                Some(RULES) => view! { <InboundRulesTab/> }.into_any(),
                _ => view! { <Journal query/> }.into_any(),
            }}
        </main>
    }
    .into_any()
}

/// Storage that runs full or fails is told while mail still comes in.
#[component]
fn Capacity() -> AnyView {
    let counts = use_incoming_counts();
    view! {
        {move || counts.data().map(|it| view! {
            {it.database_percent.map(|n| view! {
                <Notice class="mb-3" weight=Weight::Warn icon=Glyph::Alert text=t!("incoming.capacity", percent = n)/>
            })}
            {it.storage_failed.map(|at| view! {
                <Notice class="mb-3" weight=Weight::Warn icon=Glyph::Alert text=t!("incoming.storage", at = dates::day_and_time(at))/>
            })}
            {(it.waiting > 0).then(|| view! {
                <Notice class="mb-3" weight=Weight::Warn icon=Glyph::Clock text=tn!("incoming.waiting", it.waiting)/>
            })}
        })}
    }
    .into_any()
}

#[component]
fn PageTabs(query: Memo<Query>) -> AnyView {
    let counts = use_incoming_counts();
    let tabs = Signal::derive(move || {
        let now = query.with(|it| it.get("show").map_or_else(|| show_of(it).as_str().to_owned(), str::to_owned));
        let counts = counts.data().unwrap_or_default();
        let count = |n: u32| (n > 0).then(|| dates::number(n));
        let tab = |name: &str, count: Option<String>| Tab {
            href: format!("{}?show={name}", Page::Incoming.href()),
            text: t!(&format!("incoming.show.{name}")),
            count,
            is_now: now == name,
        };
        let of = |show: Show| match show {
            Show::Held => count(counts.held),
            Show::Unprocessed => count(counts.unprocessed),
            Show::All | Show::Refused | Show::Ignored => None,
        };
        let mut out: Vec<Tab> = Show::ALL.into_iter().map(|it| tab(it.as_str(), of(it))).collect();
        out.push(tab(PAUSED, count(counts.paused)));
        out.push(tab(RULES, None));
        out
    });
    view! { <Tabs label=t!("incoming.show") tabs/> }.into_any()
}

#[component]
fn Journal(query: Memo<Query>) -> AnyView {
    let list = use_incoming(move || {
        query.with(|it| IncomingQuery {
            reason: it.get("reason").map(str::to_owned),
            limit: Some(filters::PAGE),
            ..wanted(it)
        })
    });
    let tray = Tray {
        list,
        selection: RwSignal::new(Selection::default()),
        cursor: RwSignal::new(None),
        opened: RwSignal::new(None),
        routing: RwSignal::new(None),
        progress: RwSignal::new(None),
        query,
        cache: use_cache(),
        toasts: use_toasts(),
    };
    tray.hear_keys();
    Effect::new(move |_| {
        list.rows.with(|rows| tray.selection.update(|it| it.keep(rows.iter().map(Row::id))));
    });
    view! {
        <div class="toolbar log-tools"><ListSearch placeholder=t!("incoming.search")/><Period/></div>
        <SelectionBar tray/>
        {list_body(list, move || view! { <Empty query/> }.into_any(), move || view! { <Table tray/> }.into_any())}
        {move || tray.routing.get().map(|ids| view! {
            <RouteDialog on_close=move |()| tray.routing.set(None) on_choose=Callback::new(move |(record, alias)| {
                tray.act_with(IncomingActions { record, alias, ..actions(IncomingAction::Route, ids.clone()) });
            })/>
        })}
    }
    .into_any()
}

#[component]
fn Empty(query: Memo<Query>) -> AnyView {
    let inside = move || {
        let (show, searched) =
            query.with(|it| (show_of(it), ["q", "since", "until"].iter().any(|name| it.get(name).is_some())));
        if searched {
            return view! { <Blank art=Art::Search title=t!("incoming.none") text=t!("incoming.none.text")/> };
        }
        let (title, text) =
            (t!(&format!("incoming.empty.{}", show.as_str())), t!(&format!("incoming.empty.{}.text", show.as_str())));
        if show == Show::All {
            view! { <Blank title text/> }
        } else {
            view! { <Blank art=Art::Done title text/> }
        }
    };
    view! { <section class="card">{inside}</section> }.into_any()
}

fn actions(action: IncomingAction, ids: Vec<String>) -> IncomingActions {
    IncomingActions { action, ids, all: None, started: None, record: None, alias: None }
}

/// What can be done with mails of a part of the journal, the likeliest first.
fn actions_of(show: Show, is_admin: bool) -> &'static [IncomingAction] {
    match show {
        Show::Held => &[IncomingAction::Release, IncomingAction::Dismiss],
        Show::Unprocessed if is_admin => &[IncomingAction::Replay, IncomingAction::Route, IncomingAction::Discard],
        Show::Unprocessed | Show::All | Show::Refused | Show::Ignored => &[],
    }
}

const fn glyph(action: IncomingAction) -> Glyph {
    match action {
        IncomingAction::Release => Glyph::Check,
        IncomingAction::Dismiss | IncomingAction::Discard => Glyph::Trash,
        IncomingAction::Restore => Glyph::Undo,
        IncomingAction::Replay => Glyph::Retry,
        IncomingAction::Route => Glyph::Arrow,
    }
}

/// The key that does it.
const fn key(action: IncomingAction) -> &'static str {
    match action {
        IncomingAction::Release | IncomingAction::Replay => "R",
        IncomingAction::Dismiss | IncomingAction::Discard => "⌫",
        IncomingAction::Restore => "",
        IncomingAction::Route => "M",
    }
}

impl Tray {
    fn show(self) -> Show {
        self.query.with(show_of)
    }

    fn hear_keys(self) {
        let me = use_me();
        use_keys(move |pressed, _| {
            let now = self.cursor.get_untracked();
            match pressed {
                "j" | "ArrowDown" => self.step(1),
                "k" | "ArrowUp" => self.step(-1),
                "Enter" => self.opened.update(|it| *it = if *it == now { None } else { now }),
                "x" => match now {
                    Some(id) => self.selection.update(|it| it.toggle(&id)),
                    None => return false,
                },
                other => {
                    let is_admin = me.with_untracked(|it| it.as_ref().is_some_and(is_administrator));
                    let wanted = match other {
                        "Backspace" | "Delete" => "⌫".to_owned(),
                        other => other.to_uppercase(),
                    };
                    let show = self.query.with_untracked(show_of);
                    match actions_of(show, is_admin).iter().find(|it| key(**it) == wanted) {
                        Some(action) => self.act(*action, None),
                        None => return false,
                    }
                }
            }
            true
        });
    }

    fn step(self, by: isize) {
        let ids: Vec<_> = self.list.rows.with_untracked(|all| all.iter().map(|it| it.id.clone()).collect());
        self.cursor.update(|now| *now = step(&ids, now.as_deref(), by));
    }

    /// On one mail, else on the selection, else on the line under the cursor.
    fn act(self, action: IncomingAction, id: Option<String>) {
        let mut ids: Vec<String> = id.into_iter().collect();
        if ids.is_empty() {
            ids = self.selection.with_untracked(|it| it.ids().map(str::to_owned).collect());
        }
        if ids.is_empty() {
            ids.extend(self.cursor.get_untracked());
        }
        if ids.is_empty() {
            return;
        }
        if action == IncomingAction::Route {
            self.routing.set(Some(ids));
        } else {
            self.act_with(actions(action, ids));
        }
    }

    /// On all that match the search of this part.
    fn act_on_all(self, action: IncomingAction) {
        let all = self.query.with_untracked(wanted);
        self.act_with(IncomingActions { all: Some(all), ..actions(action, Vec::new()) });
    }

    /// Goes on until nothing is left, and says how far it is.
    fn act_with(self, mut what: IncomingActions) {
        self.selection.update(Selection::clear);
        spawn_local(async move {
            let (mut done, mut skipped) = (Vec::new(), 0);
            loop {
                match act_on_incoming(self.cache, &what).await {
                    Ok(answer) => {
                        let seen = answer.done.len() as u32 + answer.skipped;
                        done.extend(answer.done);
                        skipped += answer.skipped;
                        let so_far = done.len() as u32 + skipped;
                        if answer.left == 0 || seen == 0 {
                            break;
                        }
                        let _ = self.progress.try_set(Some((so_far, so_far + answer.left)));
                        if what.all.is_some() {
                            what.started = answer.started;
                        } else {
                            what.ids.drain(..(seen as usize).min(what.ids.len()));
                        }
                    }
                    Err(error) => {
                        toast_problem(self.toasts, &error);
                        break;
                    }
                }
            }
            let _ = self.progress.try_set(None);
            self.tell(what.action, done, skipped);
        });
    }

    fn tell(self, action: IncomingAction, done: Vec<String>, skipped: u32) {
        let n = done.len() as u32;
        if n == 0 && skipped == 0 {
            return;
        }
        let detail = if skipped > 0 { tn!("incoming.skipped", skipped) } else { String::new() };
        let toast = Toast::new(glyph(action), tn!(&format!("incoming.done.{}", action.as_str()), n)).detail(detail);
        let can_undo = n > 0 && matches!(action, IncomingAction::Dismiss | IncomingAction::Discard);
        self.toasts.show(if can_undo {
            toast.undo(Callback::new(move |()| self.act_with(actions(IncomingAction::Restore, done.clone()))))
        } else if n == 0 {
            toast.bad()
        } else {
            toast
        });
    }
}

pub(crate) fn is_administrator(me: &mailroom_shared::api::session::Me) -> bool {
    me.role == mailroom_shared::api::session::Role::Administrator
}

#[component]
fn SelectionBar(tray: Tray) -> AnyView {
    let me = use_me();
    let is_admin = Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(is_administrator)));
    let has_rows = Memo::new(move |_| tray.list.rows.with(|it| !it.is_empty()));
    view! {
        {move || tray.progress.get().map(|(done, all)| view! {
            <div class="selbar mb-3" role="status">
                <b class="nowrap">{t!("incoming.progress", done = dates::number(done), all = dates::number(all))}</b>
                <progress class="push" max=all value=done></progress>
            </div>
        })}
        {move || {
            let n = tray.selection.with(Selection::len);
            let possible = actions_of(tray.show(), is_admin.get());
            let shown = tray.progress.with(Option::is_none) && has_rows.get() && !possible.is_empty();
            shown.then(|| {
                let is_all = n == 0;
                let buttons = possible
                    .iter()
                    .enumerate()
                    .filter(|(_, action)| !is_all || **action != IncomingAction::Route)
                    .map(|(i, action)| {
                        let action = *action;
                        let form = if is_all { "all" } else { "some" };
                        let text = t!(&format!("incoming.action.{}.{form}", action.as_str()));
                        let kind = match (i, action) {
                            (0, _) if !is_all => Kind::Primary,
                            (_, IncomingAction::Dismiss | IncomingAction::Discard) => Kind::Danger,
                            _ => Kind::Plain,
                        };
                        let press = move |()| if is_all { tray.act_on_all(action) } else { tray.act(action, None) };
                        view! { <Button kind icon=glyph(action) text keys=if is_all { "" } else { key(action) } on_press=press/> }
                    })
                    .collect_view();
                view! {
                    <div class="selbar mb-3" role="toolbar" aria-label=t!("list.selection")>
                        {(!is_all).then(|| view! { <b class="nowrap">{tn!("list.selected", n)}</b> })}
                        {is_all.then(|| view! { <span class="muted">{t!("incoming.all.lead")}</span> })}
                        <span class="push"></span>
                        {buttons}
                        {(!is_all).then(|| view! {
                            <Button kind=Kind::Ghost icon=Glyph::Close label=t!("list.clear") on_press=move |()| tray.selection.update(Selection::clear)/>
                        })}
                    </div>
                }
            })
        }}
    }
    .into_any()
}

#[component]
fn Table(tray: Tray) -> AnyView {
    let list = tray.list;
    let end = Signal::derive(move || list.rows.with(Vec::len));
    let all_on =
        Signal::derive(move || list.rows.with(|rows| tray.selection.with(|it| it.covers(rows.iter().map(Row::id)))));
    let some_on = Signal::derive(move || !all_on.get() && tray.selection.with(|it| !it.is_empty()));
    let toggle_all = move |_: bool| {
        list.rows.with_untracked(|rows| tray.selection.update(|it| it.toggle_all(rows.iter().map(Row::id))));
    };
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("incoming.title")>
            <table class="tbl" style="min-width:960px">
                <colgroup><col style="width:40px"/><col style="width:92px"/><col style="width:232px"/><col style="width:208px"/><col/><col style="width:248px"/><col style="width:64px"/></colgroup>
                <thead>
                    <tr>
                        <th><Check label=t!("incoming.select_all") checked=all_on mixed=some_on on_change=toggle_all/></th>
                        <th aria-sort="descending">{t!("incoming.column.at")}</th>
                        <th>{t!("incoming.column.from")}</th>
                        <th>{t!("incoming.column.to")}</th>
                        <th>{t!("incoming.column.subject")}</th>
                        <th>{t!("incoming.column.fate")}</th>
                        <th><span class="vh">{t!("trace.title")}</span></th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.rows.get() key=version let:row>
                        <Line tray row/>
                    </For>
                </tbody>
            </table>
        </div>
        {list_foot(list, end)}
    }
    .into_any()
}

fn version(row: &IncomingRow) -> String {
    format!("{} {} {} {:?} {:?}", row.id, row.fate.as_str(), row.times, row.reason, row.record)
}

/// Why, in words: `held.*`, `refusal.*`, `ignored.*`, `fault.*`.
pub(crate) fn reason_text(fate: Fate, reason: Option<&str>) -> String {
    let Some(reason) = reason else { return String::new() };
    let family = match fate {
        Fate::Held | Fate::Dismissed => "held",
        Fate::Refused => "refusal",
        Fate::Ignored => "ignored",
        _ => "fault",
    };
    i18n::try_text(&format!("{family}.{reason}"), &[]).unwrap_or_else(|| reason.to_owned())
}

/// What became of it, with a sign whose colour never stands alone.
#[component]
fn FateWord(row: IncomingRow) -> AnyView {
    let (class, glyph) = match row.fate {
        Fate::Written => ("state", Glyph::Check),
        Fate::Report => ("state", Glyph::Info),
        Fate::Waiting => ("state state--wait", Glyph::Clock),
        Fate::Held => ("state state--wait", Glyph::ShieldAlert),
        Fate::Failed => ("state state--fail", Glyph::Alert),
        Fate::Refused => ("state state--fail", Glyph::Ban),
        Fate::Dismissed | Fate::Discarded | Fate::Ignored => ("state state--off", Glyph::Close),
    };
    let reason = reason_text(row.fate, row.reason.as_deref());
    let words = t!(&format!("incoming.fate.{}", row.fate.as_str()));
    let words = match (reason.is_empty(), row.times) {
        (true, 0 | 1) => words,
        (true, n) => format!("{words} ×{n}"),
        (false, 0 | 1) => format!("{words}: {reason}"),
        (false, n) => format!("{words}: {reason} ×{n}"),
    };
    view! { <span class=class><Icon glyph/><span class="trunc">{words}</span></span> }.into_any()
}

#[component]
fn Line(tray: Tray, row: IncomingRow) -> AnyView {
    let id = row.id.clone();
    let (for_open, for_cursor, for_select, toggled, pressed) =
        (id.clone(), id.clone(), id.clone(), id.clone(), id.clone());
    let is_open = Memo::new(move |_| tray.opened.with(|it| it.as_deref() == Some(for_open.as_str())));
    let is_cursor = move || tray.cursor.with(|it| it.as_deref() == Some(for_cursor.as_str()));
    let selected = Signal::derive(move || tray.selection.with(|it| it.has(&for_select)));
    let sender = match (row.from.is_empty(), row.mail_from.is_empty()) {
        (false, _) => row.from.clone(),
        (true, false) => row.mail_from.clone(),
        (true, true) => t!("incoming.null_sender"),
    };
    let subject = if row.subject.is_empty() { t!("emails.no_subject") } else { row.subject.clone() };
    let subject_title = subject.clone();
    let label = t!("incoming.select", subject = subject, from = sender);
    let press = move |_| {
        tray.opened
            .update(|it| *it = if it.as_deref() == Some(pressed.as_str()) { None } else { Some(pressed.clone()) });
    };
    let record = row.record.clone().map(|record| {
        let number = row.record_number.clone().unwrap_or_default();
        view! { <a class="ref" href=Page::Record(record).href() title=row.record_title.clone()><span>{number}</span></a>" " }
    });
    let details = StoredValue::new(row.clone());
    view! {
        <tr class:is-selected=selected class:is-cursor=is_cursor data-incoming=id data-fate=row.fate.as_str()>
            <td>
                <Check
                    label=label
                    checked=selected
                    on_change=move |_: bool| tray.selection.update(|it| it.toggle(&toggled))
                />
            </td>
            <td class="muted"><Age at=row.at/></td>
            <td title=sender.clone()>{sender.clone()}</td>
            <td title=row.rcpt_to.clone()>{row.rcpt_to.clone()}</td>
            <td class="soft" title=subject_title>{record}{subject}</td>
            <td>
                <button type="button" class="link trunc" aria-expanded=move || if is_open.get() { "true" } else { "false" } on:click=press>
                    <FateWord row=row.clone()/>
                </button>
            </td>
            <td class="r"><a class="link" href=Page::Trace(row.id.clone()).href()>{t!("trace.title")}</a></td>
        </tr>
        {move || is_open.get().then(|| view! { <Details tray row=details.get_value()/> })}
    }
    .into_any()
}

//! The outgoing queue: what is on its way, what waits, what failed; act on one, on a selection, on all that match, by button
//! or key.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::emails::ActOnEmails;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailCounts;
use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::EmailMatches;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::api::emails::Wait;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::delay::Delay;
use mailroom_shared::outbox::state::DeliveryState;

use crate::dates;
use crate::i18n;
use crate::model::filters;
use crate::model::merge::Row;
use crate::model::selection::Selection;
use crate::model::selection::step;
use crate::model::server::meter_class;
use crate::model::server::share;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::Cache;
use crate::queries::List;
use crate::queries::emails::act;
use crate::queries::emails::matching;
use crate::queries::emails::use_counts;
use crate::queries::emails::use_emails;
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
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::chip::Tag;
use crate::ui::icon::Glyph;
use crate::ui::keys::use_keys;
use crate::ui::seg::Tab;
use crate::ui::seg::Tabs;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::ui::window::is_narrow;
use crate::ui::window::use_window;
use crate::widgets::age::Age;
use crate::widgets::delivery_dialog::DeliveryDialog;
use crate::widgets::envelope::StateWord;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

/// What the rows of the queue share.
#[derive(Clone, Copy)]
struct Queue {
    list: List<EmailRow>,
    selection: RwSignal<Selection>,
    /// All that match are meant, not only those selected.
    all: RwSignal<Option<EmailMatches>>,
    /// How many are done, while a part after the other goes to the Worker.
    progress: RwSignal<Option<u32>>,
    query: Memo<EmailQuery>,
    cursor: RwSignal<Option<String>>,
    opened: RwSignal<Option<(Option<RecordId>, MessageId)>>,
    cache: Cache,
    toasts: Toasts,
}

#[component]
pub fn EmailsPage() -> AnyView {
    use_crumbs(vec![(t!("emails.title"), None)]);
    let (query, counts) = (use_query(), use_counts());
    let asked = Memo::new(move |_| query.with(|it| filters::emails(it, dates::now())));
    let list = use_emails(move || asked.get());
    let queue = Queue {
        list,
        selection: RwSignal::new(Selection::default()),
        all: RwSignal::new(None),
        progress: RwSignal::new(None),
        query: asked,
        cursor: RwSignal::new(None),
        opened: RwSignal::new(None),
        cache: use_cache(),
        toasts: use_toasts(),
    };
    queue.hear_keys();
    // What left the list is no longer selected.
    Effect::new(move |_| {
        list.rows.with(|rows| queue.selection.update(|it| it.keep(rows.iter().map(Row::id))));
    });
    // Another question, another answer.
    Effect::new(move |_| {
        asked.track();
        queue.all.set(None);
    });
    let tabs = Signal::derive(move || {
        let (now, counts) = (query.with(filters::tab), counts.data().unwrap_or_default());
        EmailFilter::ALL
            .into_iter()
            .map(|filter| Tab {
                href: format!("{}?filter={}", Page::Emails.href(), filter.as_str()),
                text: t!(&format!("emails.filter.{}", filter.as_str())),
                count: counts.counts.get(filter.as_str()).map(|n| shown(*n)),
                is_now: filter == now,
            })
            .collect::<Vec<_>>()
    });
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("emails.title")}</h1><p>{t!("emails.text")}</p></div>
                <LimitCard/>
            </div>
            <Tabs label=t!("emails.filter") tabs/>
            <div class="toolbar"><ListSearch placeholder=t!("emails.search")/><Filters/></div>
            <SelectionBar queue/>
            {list_body(list, move || view! { <Empty/> }.into_any(), move || view! { <Table queue/> }.into_any())}
            {move || queue.opened.get().map(|(record, message)| view! {
                <DeliveryDialog record message on_close=move |()| queue.opened.set(None)/>
            })}
        </main>
    }
    .into_any()
}

/// `37`, `5,000+`: nobody counts further.
fn shown(n: u32) -> String {
    if n < EmailCounts::MOST { dates::number(n) } else { format!("{}+", dates::number(EmailCounts::MOST)) }
}

#[component]
fn Empty() -> AnyView {
    let query = use_query();
    let inside = move || {
        let (filter, searched) = query.with(|it| (filters::tab(it), filters::narrows(it)));
        match filter {
            _ if searched => view! { <Blank art=Art::Search title=t!("emails.none") text=t!("emails.none.text")/> },
            EmailFilter::Failed | EmailFilter::NotDelivered | EmailFilter::Unknown => {
                view! { <Blank art=Art::Done title=t!("emails.empty.failed") text=t!("emails.empty.failed.text")/> }
            }
            _ => view! { <Blank title=t!("emails.empty") text=t!("emails.empty.text")/> },
        }
    };
    view! { <section class="card">{inside}</section> }.into_any()
}

impl Queue {
    fn hear_keys(self) {
        use_keys(move |key, _| {
            let now = self.cursor.get_untracked();
            match key {
                "j" | "ArrowDown" => self.step(1),
                "k" | "ArrowUp" => self.step(-1),
                "x" => match now {
                    Some(id) => self.selection.update(|it| it.toggle(&id)),
                    None => return false,
                },
                "Enter" => match now {
                    Some(id) => self.open(&id),
                    None => return false,
                },
                "r" => self.act(EmailAction::Retry),
                "s" => self.act(EmailAction::SendNow),
                "i" => self.act(EmailAction::Ignore),
                "h" => self.act(EmailAction::Hold),
                "Backspace" | "Delete" => self.act(EmailAction::Cancel),
                _ => return false,
            }
            true
        });
    }

    fn step(self, by: isize) {
        let ids: Vec<_> = self.list.rows.with_untracked(|all| all.iter().map(|it| it.id().to_owned()).collect());
        self.cursor.update(|now| *now = step(&ids, now.as_deref(), by));
    }

    fn open(self, id: &str) {
        let found = self.list.rows.with_untracked(|all| {
            all.iter().find(|it| it.id() == id).map(|it| (it.record.clone(), it.message.clone()))
        });
        self.opened.set(found);
    }

    /// Acts on all that match when they are meant, on the selection, else on the row under the cursor.
    fn act(self, action: EmailAction) {
        if self.all.with_untracked(Option::is_some) {
            self.act_on_all(action);
            return;
        }
        let mut ids: Vec<String> = self.selection.with_untracked(|it| it.ids().map(str::to_owned).collect());
        if ids.is_empty() {
            ids.extend(self.cursor.get_untracked());
        }
        self.act_on(action, &ids);
    }

    /// Asks how many match and means all of them from now on.
    fn mean_all(self) {
        let query = self.query.get_untracked();
        spawn_local(async move {
            match matching(self.cache, query).await {
                Ok(found) => {
                    let _ = self.all.try_set(Some(found));
                }
                Err(error) => toast_problem(self.toasts, &error),
            }
        });
    }

    /// Part after part, with the figure so far in sight. A part that fails ends it; what is done stays done, and again does
    /// no harm.
    fn act_on_all(self, action: EmailAction) {
        if self.progress.with_untracked(Option::is_some) {
            return;
        }
        let mut query = self.query.get_untracked();
        self.progress.set(Some(0));
        spawn_local(async move {
            let (mut changed, mut skipped) = (0, 0);
            loop {
                let what = ActOnEmails { action, deliveries: Vec::new(), matching: Some(query.clone()) };
                match act(self.cache, what).await {
                    Ok(done) => {
                        changed += done.changed;
                        skipped += done.skipped;
                        let _ = self.progress.try_set(Some(changed));
                        match done.next {
                            Some(next) => query.cursor = Some(next),
                            None => break,
                        }
                    }
                    Err(error) => {
                        toast_problem(self.toasts, &error);
                        break;
                    }
                }
            }
            let _ = self.progress.try_set(None);
            let _ = self.all.try_set(None);
            let _ = self.selection.try_update(Selection::clear);
            self.tell(action, changed, skipped, Vec::new());
        });
    }

    fn act_on(self, action: EmailAction, ids: &[String]) {
        let deliveries: Vec<_> = ids.iter().filter_map(|it| DeliveryId::parse(it.as_str()).ok()).collect();
        if deliveries.is_empty() {
            return;
        }
        self.selection.update(Selection::clear);
        spawn_local(async move {
            match act(self.cache, ActOnEmails { action, deliveries: deliveries.clone(), matching: None }).await {
                Ok(done) => self.tell(action, done.changed, done.skipped, deliveries),
                Err(error) => toast_problem(self.toasts, &error),
            }
        });
    }

    /// What was done, in figures; a cancelled mail can be put back.
    fn tell(self, action: EmailAction, changed: u32, skipped: u32, deliveries: Vec<DeliveryId>) {
        let name = action.as_str();
        let detail = if skipped > 0 { tn!("emails.skipped", skipped) } else { String::new() };
        let toast = Toast::new(action_glyph(action), tn!(&format!("emails.done.{name}"), changed)).detail(detail);
        let can_undo = changed > 0 && matches!(action, EmailAction::Cancel) && !deliveries.is_empty();
        self.toasts.show(if can_undo {
            toast.undo(Callback::new(move |()| {
                let what = ActOnEmails { action: EmailAction::Retry, deliveries: deliveries.clone(), matching: None };
                spawn_local(async move {
                    if let Err(error) = act(self.cache, what).await {
                        toast_problem(self.toasts, &error);
                    }
                });
            }))
        } else {
            toast
        });
    }
}

const fn action_glyph(action: EmailAction) -> Glyph {
    match action {
        EmailAction::Retry => Glyph::Retry,
        EmailAction::SendNow => Glyph::Send,
        EmailAction::Cancel => Glyph::Ban,
        EmailAction::Ignore | EmailAction::Arrived => Glyph::Check,
        EmailAction::Hold => Glyph::Lock,
        EmailAction::Release => Glyph::Arrow,
    }
}

/// For how many of all an action is possible.
fn possible(all: &EmailMatches, action: EmailAction) -> String {
    dates::number(all.possible.get(action.as_str()).copied().unwrap_or(0))
}

/// Server, lane, wait, domain, time: each a parameter of the address.
#[component]
fn Filters() -> AnyView {
    let (query, set, servers) = (use_query(), use_set_query(), use_server_names());
    let choice = move |name: &'static str, options: Vec<(String, String)>| {
        let value = move || query.with(|it| it.get(name).unwrap_or_default().to_owned());
        let label = t!(&format!("emails.by.{name}"));
        let any = format!("{label}: {}", t!("emails.by.any"));
        let options = std::iter::once((String::new(), any)).chain(options).collect::<Vec<_>>();
        view! {
            <select class="input input--sm" name=name aria-label=label on:change=move |event| set(name, Some(event_target_value(&event)))>
                {move || {
                    let now = value();
                    options
                        .iter()
                        .map(|(key, words)| view! { <option value=key.clone() selected=*key == now>{words.clone()}</option> })
                        .collect_view()
                }}
            </select>
        }
    };
    let words = |prefix: &str, all: &[&str]| -> Vec<(String, String)> {
        all.iter().map(|it| ((*it).to_owned(), t!(&format!("{prefix}.{it}")))).collect()
    };
    let waits: Vec<&str> = Wait::ALL.iter().map(|it| it.as_str()).collect();
    let domain = move || query.with(|it| it.get("domain").unwrap_or_default().to_owned());
    let narrowed = move || query.with(filters::narrows);
    view! {
        {move || servers.get().map(|all| choice("server", all))}
        {choice("lane", words("lane", &["urgent", "normal", "bulk"]))}
        {choice("wait", words("wait", &waits))}
        {choice("made", words("emails.made", &["hour", "day", "week"]))}
        <input class="input input--sm" name="domain" placeholder=t!("emails.by.domain") aria-label=t!("emails.by.domain")
            prop:value=domain on:change=move |event| set("domain", Some(event_target_value(&event)))/>
        {move || narrowed().then(|| view! {
            <Button kind=Kind::Link text=t!("emails.by.clear") on_press=move |()| {
                for name in ["q", "server", "lane", "wait", "domain", "made"] {
                    set(name, None);
                }
            }/>
        })}
    }
    .into_any()
}

/// Servers with their names, as soon as they are known.
fn use_server_names() -> Signal<Option<Vec<(String, String)>>> {
    let limits = use_limits();
    Signal::derive(move || {
        limits.data().map(|it| it.meters.into_iter().map(|meter| (meter.server.to_string(), meter.name)).collect())
    })
}

/// The meter of the server that is nearest to its limit.
#[component]
fn LimitCard() -> AnyView {
    let limits = use_limits();
    let nearest = Memo::new(move |_| {
        let meters = limits.data().map(|it| it.meters).unwrap_or_default();
        meters.into_iter().filter(|it| it.limit.is_some()).max_by_key(|it| share(it.used, it.limit) as u32)
    });
    view! {
        {move || nearest.get().map(|it| {
            let percent = share(it.used, it.limit);
            let left = it.left.unwrap_or(0);
            let words = if left > 0 && left <= it.reserved { t!("limits.card.reserve", n = dates::number(left)) } else { t!("limits.left", n = dates::number(left)) };
            view! {
                <a class="card limit-card" href=Page::Limits.href()>
                    <div class="row">
                        <b class="med">{t!("limits.title")}</b>
                        <span class="muted">{it.name.clone()}</span>
                        <span class="push num"><b>{dates::number(it.used)}</b>" "<span class="muted">{t!("limits.of", limit = dates::number(it.limit.unwrap_or(0)))}</span></span>
                    </div>
                    <div class=meter_class(percent)><i style=format!("--v:{percent:.1}%")></i></div>
                    <div class="row muted small">
                        <span class="num">{words}</span>
                        <span class="push">{t!("limits.resets", when = dates::when_text(it.resets_at, dates::now()))}</span>
                    </div>
                </a>
            }
        })}
    }
    .into_any()
}

#[component]
fn SelectionBar(queue: Queue) -> AnyView {
    view! {
        {move || {
            let n = queue.selection.with(Selection::len);
            let shown = queue.list.rows.with(Vec::len);
            let can_all = n > 0 && n == shown;
            (n > 0 || queue.all.with(Option::is_some)).then(|| view! {
                <div class="selbar mb-3" role="toolbar" aria-label=t!("list.selection")>
                    <b class="nowrap" data-selected="">{move || match (queue.progress.get(), queue.all.get()) {
                        (Some(done), _) => tn!("emails.progress", done),
                        (None, Some(all)) if all.is_more => tn!("emails.all.more", all.total),
                        (None, Some(all)) => tn!("emails.all", all.total),
                        (None, None) => tn!("list.selected", n),
                    }}</b>
                    {(can_all && queue.all.with(Option::is_none)).then(|| view! {
                        <Button kind=Kind::Link text=t!("emails.mean_all") on_press=move |()| queue.mean_all()/>
                    })}
                    {move || queue.all.get().map(|all| view! {
                        <span class="hint trunc">{t!("emails.all.hint", retry = possible(&all, EmailAction::Retry), cancel = possible(&all, EmailAction::Cancel), urgent = dates::number(all.urgent))}</span>
                    })}
                    <Button kind=Kind::Primary icon=Glyph::Retry text=t!("emails.action.retry") keys="R" on_press=move |()| queue.act(EmailAction::Retry)/>
                    <span class="push"></span>
                    <Button text=t!("emails.action.send_now") keys="S" on_press=move |()| queue.act(EmailAction::SendNow)/>
                    <Button text=t!("emails.action.hold") keys="H" on_press=move |()| queue.act(EmailAction::Hold)/>
                    <Button text=t!("emails.action.release") on_press=move |()| queue.act(EmailAction::Release)/>
                    {move || (queue.query.with(|it| it.filter == Some(EmailFilter::Unknown))).then(|| view! {
                        <Button text=t!("emails.action.arrived") on_press=move |()| queue.act(EmailAction::Arrived)/>
                    })}
                    <Button text=t!("emails.action.ignore") keys="I" on_press=move |()| queue.act(EmailAction::Ignore)/>
                    <Button kind=Kind::Danger text=t!("emails.action.cancel") keys="⌫" on_press=move |()| queue.act(EmailAction::Cancel)/>
                    <Button kind=Kind::Ghost icon=Glyph::Close label=t!("list.clear") on_press=move |()| {
                        queue.all.set(None);
                        queue.selection.update(Selection::clear);
                    }/>
                </div>
            })
        }}
    }
    .into_any()
}

fn row_height() -> f64 {
    if is_narrow() { 92.0 } else { 36.0 }
}

#[component]
fn Table(queue: Queue) -> AnyView {
    let list = queue.list;
    let host = NodeRef::<html::Div>::new();
    let total = Signal::derive(move || list.rows.with(Vec::len));
    let window = use_window(total, row_height, host);
    let visible = move || {
        let (start, end) = window.get();
        list.rows.with(|all| all.get(start..end.min(all.len())).map(<[_]>::to_vec).unwrap_or_default())
    };
    let pad = |n: usize| format!("height:{}px", n * row_height() as usize);
    let all_on =
        Signal::derive(move || list.rows.with(|rows| queue.selection.with(|it| it.covers(rows.iter().map(Row::id)))));
    let some_on = Signal::derive(move || !all_on.get() && queue.selection.with(|it| !it.is_empty()));
    let toggle_all = move |_: bool| {
        list.rows.with_untracked(|rows| queue.selection.update(|it| it.toggle_all(rows.iter().map(Row::id))));
    };
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("emails.title") node_ref=host>
            <table class="tbl" style="min-width:1080px">
                <colgroup>
                    <col style="width:40px"/><col style="width:168px"/><col/><col style="width:264px"/><col style="width:92px"/>
                    <col style="width:96px"/><col style="width:84px"/><col style="width:96px"/><col style="width:60px"/><col style="width:64px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th><Check label=t!("emails.select_all") checked=all_on mixed=some_on on_change=toggle_all/></th>
                        <th>{t!("emails.column.state")}</th>
                        <th>{t!("emails.column.record")}</th>
                        <th>{t!("emails.column.recipient")}</th>
                        <th>{t!("emails.column.lane")}</th>
                        <th>{t!("emails.column.server")}</th>
                        <th aria-sort="descending">{t!("emails.column.made")}</th>
                        <th>{t!("emails.column.next")}</th>
                        <th class="r">{t!("emails.column.tries")}</th>
                        <th><span class="vh">{t!("trace.title")}</span></th>
                    </tr>
                </thead>
                <tbody>
                    {move || (window.get().0 > 0).then(|| view! { <tr aria-hidden="true" style=pad(window.get().0)></tr> })}
                    <For each=visible key=version let:row>
                        <Line queue row/>
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

fn version(row: &EmailRow) -> String {
    let wait = row.delay.map_or("", Delay::as_str);
    format!("{} {} {wait} {} {:?} {}", row.delivery, row.state.as_str(), row.tries, row.next_try, row.recipient)
}

#[component]
fn Line(queue: Queue, row: EmailRow) -> AnyView {
    let id = row.delivery.to_string();
    let (is_on, is_here, toggled, opened) = (id.clone(), id.clone(), id.clone(), id.clone());
    let selected = Signal::derive(move || queue.selection.with(|it| it.has(&is_on)));
    let is_cursor = move || queue.cursor.with(|it| it.as_deref() == Some(is_here.as_str()));
    let next = match row.state {
        DeliveryState::Sending => t!("emails.next.now"),
        DeliveryState::Unknown => t!("emails.next.you"),
        _ if row.wait == Some(Wait::Queue) => t!("emails.next.queue"),
        _ if row.wait == Some(Wait::Held) => t!("emails.next.held"),
        _ => row.next_try.map_or_else(|| "–".to_owned(), |at| dates::when_text(at, dates::now())),
    };
    let lane = i18n::try_text(&format!("lane.{}", row.lane), &[]).unwrap_or_else(|| row.lane.clone());
    let lane_icon = (row.lane == "urgent").then_some(Glyph::Bolt);
    let subject = if row.subject.is_empty() { t!("emails.no_subject") } else { row.subject.clone() };
    let record = match (row.record.clone(), row.record_number.clone()) {
        (Some(record), number) => {
            let href = Page::Record(record).href();
            view! { <a class="ref" href=href title=subject.clone()><span>{number}</span>" "{subject.clone()}</a> }
                .into_any()
        }
        (None, _) => view! { <span title=subject.clone()>{subject.clone()}</span> }.into_any(),
    };
    view! {
        <tr class:is-selected=selected class:is-cursor=is_cursor data-delivery=id data-state=row.state.as_str()>
            <td>
                <Check
                    label=t!("emails.select", subject = subject, recipient = row.recipient)
                    checked=selected
                    on_change=move |_: bool| queue.selection.update(|it| it.toggle(&toggled))
                />
            </td>
            <td>
                <button type="button" class="link" title=row.last_answer.clone() on:click=move |_| queue.open(&opened)>
                    <StateWord state=row.state/>
                    {row.delay.map(|it| view! {
                        <span class="muted small" data-delay=it.as_str() title=t!(&format!("delay.{}", it.as_str()))>" "{t!(&format!("wait.{}", it.as_str()))}</span>
                    })}
                    <span class="vh">" "{t!("emails.open")}</span>
                </button>
            </td>
            <td><span title=t!("emails.from", sender = row.sender)>{record}</span></td>
            <td title=row.recipient.clone()>{row.recipient.clone()}</td>
            <td>{match lane_icon {
                Some(icon) => view! { <Tag icon=icon text=lane/> },
                None => view! { <Tag text=lane/> },
            }}</td>
            <td class="soft">{row.server.clone()}</td>
            <td class="muted num"><Age at=row.created/></td>
            <td class="num">{next}</td>
            <td class="r muted">{row.tries}</td>
            <td class="r"><a class="link" href=Page::Trace(row.message.to_string()).href()>{t!("trace.title")}</a></td>
        </tr>
    }
    .into_any()
}

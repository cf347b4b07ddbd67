//! The outgoing queue: what is on its way, what waits, what failed; act on one, on a selection, by button or key.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::emails::ActOnEmails;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::EmailQuery;
use mailroom_shared::api::emails::EmailRow;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::state::DeliveryState;

use crate::dates;
use crate::i18n;
use crate::model::filters;
use crate::model::merge::Row;
use crate::model::selection::Selection;
use crate::model::selection::step;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::Cache;
use crate::queries::List;
use crate::queries::emails::act;
use crate::queries::emails::use_counts;
use crate::queries::emails::use_emails;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_query;
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

fn filter_of(query: &crate::model::query::Query) -> EmailFilter {
    query.get("filter").and_then(EmailFilter::parse).unwrap_or(EmailFilter::NotDelivered)
}

/// What the rows of the queue share.
#[derive(Clone, Copy)]
struct Queue {
    list: List<EmailRow>,
    selection: RwSignal<Selection>,
    cursor: RwSignal<Option<String>>,
    opened: RwSignal<Option<(Option<RecordId>, MessageId)>>,
    cache: Cache,
    toasts: Toasts,
}

#[component]
pub fn EmailsPage() -> AnyView {
    use_crumbs(vec![(t!("emails.title"), None)]);
    let (query, counts) = (use_query(), use_counts());
    let list = use_emails(move || {
        query.with(|it| EmailQuery {
            filter: Some(filter_of(it)),
            q: it.get("q").map(str::to_owned),
            cursor: None,
            limit: Some(filters::PAGE),
        })
    });
    let queue = Queue {
        list,
        selection: RwSignal::new(Selection::default()),
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
    let tabs = Signal::derive(move || {
        let (now, counts) = (query.with(filter_of), counts.data().unwrap_or_default());
        EmailFilter::ALL
            .into_iter()
            .map(|filter| Tab {
                href: format!("{}?filter={}", Page::Emails.href(), filter.as_str()),
                text: t!(&format!("emails.filter.{}", filter.as_str())),
                count: counts.counts.get(filter.as_str()).map(|n| dates::number(*n)),
                is_now: filter == now,
            })
            .collect::<Vec<_>>()
    });
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("emails.title")}</h1><p>{t!("emails.text")}</p></div></div>
            <Tabs label=t!("emails.filter") tabs/>
            <div class="toolbar"><ListSearch placeholder=t!("emails.search")/></div>
            <SelectionBar queue/>
            {list_body(list, move || view! { <Empty/> }.into_any(), move || view! { <Table queue/> }.into_any())}
            {move || queue.opened.get().map(|(record, message)| view! {
                <DeliveryDialog record message on_close=move |()| queue.opened.set(None)/>
            })}
        </main>
    }
    .into_any()
}

#[component]
fn Empty() -> AnyView {
    let query = use_query();
    let inside = move || {
        let (filter, searched) = query.with(|it| (filter_of(it), it.get("q").is_some()));
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

    /// Acts on the selection, else on the row under the cursor.
    fn act(self, action: EmailAction) {
        let mut ids: Vec<String> = self.selection.with_untracked(|it| it.ids().map(str::to_owned).collect());
        if ids.is_empty() {
            ids.extend(self.cursor.get_untracked());
        }
        self.act_on(action, &ids);
    }

    fn act_on(self, action: EmailAction, ids: &[String]) {
        let deliveries: Vec<_> = ids.iter().filter_map(|it| DeliveryId::parse(it.as_str()).ok()).collect();
        if deliveries.is_empty() {
            return;
        }
        self.selection.update(Selection::clear);
        spawn_local(async move {
            match act(self.cache, ActOnEmails { action, deliveries: deliveries.clone() }).await {
                Ok(done) => self.tell(action, done.changed, done.skipped, deliveries),
                Err(error) => toast_problem(self.toasts, &error),
            }
        });
    }

    /// What was done, in figures; a cancelled mail can be put back.
    fn tell(self, action: EmailAction, changed: u32, skipped: u32, deliveries: Vec<DeliveryId>) {
        let name = action_name(action);
        let detail = if skipped > 0 { tn!("emails.skipped", skipped) } else { String::new() };
        let toast = Toast::new(action_glyph(action), tn!(&format!("emails.done.{name}"), changed)).detail(detail);
        let can_undo = changed > 0 && matches!(action, EmailAction::Cancel);
        self.toasts.show(if can_undo {
            toast.undo(Callback::new(move |()| {
                let what = ActOnEmails { action: EmailAction::Retry, deliveries: deliveries.clone() };
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

const fn action_name(action: EmailAction) -> &'static str {
    match action {
        EmailAction::Retry => "retry",
        EmailAction::SendNow => "send_now",
        EmailAction::Cancel => "cancel",
        EmailAction::Ignore => "ignore",
    }
}

const fn action_glyph(action: EmailAction) -> Glyph {
    match action {
        EmailAction::Retry => Glyph::Retry,
        EmailAction::SendNow => Glyph::Send,
        EmailAction::Cancel => Glyph::Ban,
        EmailAction::Ignore => Glyph::Check,
    }
}

#[component]
fn SelectionBar(queue: Queue) -> AnyView {
    view! {
        {move || {
            let n = queue.selection.with(Selection::len);
            (n > 0).then(|| view! {
                <div class="selbar mb-3" role="toolbar" aria-label=t!("list.selection")>
                    <b class="nowrap">{tn!("list.selected", n)}</b>
                    <Button kind=Kind::Primary icon=Glyph::Retry text=t!("emails.action.retry") keys="R" on_press=move |()| queue.act(EmailAction::Retry)/>
                    <span class="push"></span>
                    <Button text=t!("emails.action.send_now") keys="S" on_press=move |()| queue.act(EmailAction::SendNow)/>
                    <Button text=t!("emails.action.ignore") keys="I" on_press=move |()| queue.act(EmailAction::Ignore)/>
                    <Button kind=Kind::Danger text=t!("emails.action.cancel") keys="⌫" on_press=move |()| queue.act(EmailAction::Cancel)/>
                    <Button kind=Kind::Ghost icon=Glyph::Close label=t!("list.clear") on_press=move |()| queue.selection.update(Selection::clear)/>
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
                    <col style="width:96px"/><col style="width:84px"/><col style="width:96px"/><col style="width:60px"/>
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
    format!("{} {} {} {:?} {}", row.delivery, row.state.as_str(), row.tries, row.next_try, row.recipient)
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
                    <span class="vh">" "{t!("emails.open")}</span>
                </button>
            </td>
            <td>{record}</td>
            <td title=row.recipient.clone()>{row.recipient.clone()}</td>
            <td>{match lane_icon {
                Some(icon) => view! { <Tag icon=icon text=lane/> },
                None => view! { <Tag text=lane/> },
            }}</td>
            <td class="soft">{row.server.clone()}</td>
            <td class="muted num"><Age at=row.created/></td>
            <td class="num">{next}</td>
            <td class="r muted">{row.tries}</td>
        </tr>
    }
    .into_any()
}

//! Rows of records, calm and dense like a mail list: who, what, how it is, how long ago. `j` `k` move, `Enter` opens,
//! `x` selects, `d` is Done.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::records::ChangeRecord;
use mailroom_shared::api::records::RecordRow;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::state::EnvelopeState;

use super::age::Age;
use super::envelope::EnvelopeMark;
use super::problem::toast_problem;
use super::rows::list_foot;
use crate::dates;
use crate::model::selection::Selection;
use crate::model::selection::step;
use crate::queries::Cache;
use crate::queries::List;
use crate::queries::records::change_record;
use crate::queries::shell::stage_label;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_go;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys::use_keys;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::ui::window::is_narrow;
use crate::ui::window::use_window;

/// What the rows of one list share.
#[derive(Clone, Copy)]
struct Rows {
    list: List<RecordRow>,
    cursor: RwSignal<Option<String>>,
    selection: RwSignal<Selection>,
    /// Rows younger than this came in while the list was open.
    opened: StoredValue<i64>,
    can_finish: bool,
    cache: Cache,
    toasts: Toasts,
}

/// The height of a row, as `--msg-row` in the style sheet has it.
fn row_height() -> f64 {
    if is_narrow() { 84.0 } else { 60.0 }
}

/// The rows that are there, with keyboard, selection and reading on.
#[component]
pub fn RecordRows(
    list: List<RecordRow>,
    /// The list is of what waits for an answer: rows can be done.
    #[prop(optional)]
    can_finish: bool,
) -> AnyView {
    let rows = Rows {
        list,
        cursor: RwSignal::new(None),
        selection: RwSignal::new(Selection::default()),
        opened: StoredValue::new(dates::now().as_millis()),
        can_finish,
        cache: use_cache(),
        toasts: use_toasts(),
    };
    let host = NodeRef::<html::Div>::new();
    let total = Signal::derive(move || list.rows.with(Vec::len));
    let window = use_window(total, row_height, host);
    rows.hear_keys();
    let visible = move || {
        let (start, end) = window.get();
        list.rows.with(|all| all.get(start..end.min(all.len())).map(<[_]>::to_vec).unwrap_or_default())
    };
    let pad = move |n: usize| format!("height:{}px", n * row_height() as usize);
    view! {
        <div class="mails" node_ref=host role="list" aria-label=t!("list.records")>
            <div style=move || pad(window.get().0) aria-hidden="true"></div>
            <For each=visible key=version let:row>
                <RecordLine rows row/>
            </For>
            <div style=move || pad(total.get().saturating_sub(window.get().1)) aria-hidden="true"></div>
        </div>
        {list_foot(list, Signal::derive(move || window.get().1))}
        {can_finish.then(|| view! { <SelectionBar rows/> })}
    }
    .into_any()
}

/// A row is built anew when something that it shows has changed.
fn version(row: &RecordRow) -> String {
    format!(
        "{} {} {} {} {:?} {} {:?} {:?} {}",
        row.id,
        row.last_at.as_millis(),
        row.unread,
        row.messages,
        row.envelope,
        row.failing,
        row.stage,
        row.responsible_name,
        row.title,
    )
}

impl Rows {
    fn hear_keys(self) {
        let go = use_go();
        use_keys(move |key, _| {
            let now = self.cursor.get_untracked();
            match key {
                "j" | "ArrowDown" => self.step(1),
                "k" | "ArrowUp" => self.step(-1),
                "Enter" | "o" => {
                    let Some(id) = now.and_then(|it| RecordId::parse(it).ok()) else { return false };
                    go.to(Page::Record(id).href());
                }
                "x" => {
                    let Some(id) = now.filter(|_| self.can_finish) else { return false };
                    self.selection.update(|it| it.toggle(&id));
                }
                "d" if self.can_finish => {
                    let selected: Vec<_> = self.selection.with_untracked(|it| it.ids().map(str::to_owned).collect());
                    let ids = if selected.is_empty() { now.into_iter().collect() } else { selected };
                    if ids.is_empty() {
                        return false;
                    }
                    self.finish(&ids);
                }
                _ => return false,
            }
            true
        });
    }

    fn step(self, by: isize) {
        let ids: Vec<_> = self.list.rows.with_untracked(|all| all.iter().map(|it| it.id.to_string()).collect());
        let next = self.cursor.with_untracked(|now| step(&ids, now.as_deref(), by));
        if let Some(id) = &next {
            let selector = format!("[data-record=\"{id}\"]");
            request_animation_frame(move || {
                if let Some(row) = document().query_selector(&selector).ok().flatten() {
                    let options = web_sys::ScrollIntoViewOptions::new();
                    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                    row.scroll_into_view_with_scroll_into_view_options(&options);
                }
            });
        }
        self.cursor.set(next);
    }

    /// Nobody waits any more: the rows go at once, and Undo brings them back.
    fn finish(self, ids: &[String]) {
        let ids: Vec<RecordId> = ids.iter().filter_map(|it| RecordId::parse(it.as_str()).ok()).collect();
        if ids.iter().any(|id| self.cursor.with_untracked(|it| it.as_deref() == Some(id.as_str()))) {
            self.step(1);
        }
        let first = self.list.rows.with_untracked(|all| {
            all.iter().find(|it| ids.first() == Some(&it.id)).map(|it| format!("{} {}", it.number, it.title))
        });
        for id in &ids {
            self.list.take_out(id.as_str());
        }
        self.selection.update(Selection::clear);
        let undo_ids = ids.clone();
        let undo = Callback::new(move |()| set_waiting(self.cache, self.toasts, undo_ids.clone(), true));
        let toast = Toast::new(Glyph::Check, tn!("inbox.done", ids.len()));
        let detail = if ids.len() == 1 { first.unwrap_or_default() } else { String::new() };
        self.toasts.show(toast.detail(detail).undo(undo));
        set_waiting(self.cache, self.toasts, ids, false);
    }
}

/// Marks records as done or takes that back.
pub fn set_waiting(cache: Cache, toasts: Toasts, ids: Vec<RecordId>, waiting: bool) {
    spawn_local(async move {
        for id in ids {
            let change = ChangeRecord { waiting: Some(waiting), ..ChangeRecord::default() };
            if let Err(error) = change_record(cache, id, change).await {
                toast_problem(toasts, &error);
            }
        }
    });
}

#[component]
fn RecordLine(rows: Rows, row: RecordRow) -> AnyView {
    let id = row.id.to_string();
    let (cursor_id, selected_id, done_id) = (id.clone(), id.clone(), id.clone());
    let is_cursor = move || rows.cursor.with(|it| it.as_deref() == Some(cursor_id.as_str()));
    let is_selected = move || rows.selection.with(|it| it.has(&selected_id));
    let is_new = row.last_at.as_millis() > rows.opened.get_value();
    let customer = row.customer.clone().unwrap_or_else(|| t!("record.no_customer"));
    let stage = row.stage.as_deref().map(stage_label);
    let sub = match (&stage, &row.responsible_name) {
        (Some(stage), Some(who)) => format!("{stage} · {who}"),
        (Some(stage), None) => stage.clone(),
        (None, who) => who.clone().unwrap_or_default(),
    };
    let snippet = match (&row.last_author, &row.last_snippet) {
        (Some(author), Some(text)) if Some(author) != row.customer.as_ref() => format!("{author}: {text}"),
        (_, text) => text.clone().unwrap_or_default(),
    };
    let name = format!("{} {}, {customer}", row.number, row.title);
    let envelope = row.envelope.filter(|it| *it != EnvelopeState::Fine);
    let failing = row.failing;
    view! {
        <div
            class="mail"
            class:is-unread=row.unread
            class:is-cursor=is_cursor
            class:is-selected=is_selected
            class:is-new=is_new
            role="listitem"
            data-record=id
        >
            <a class="cover" href=Page::Record(row.id.clone()).href() aria-label=name></a>
            <span class="mail-dot" title=row.unread.then(|| t!("list.unread"))></span>
            <span class="mail-who trunc"><span class="trunc">{customer.clone()}</span><small class="trunc">{sub}</small></span>
            <span class="mail-text trunc">
                <span class="mail-title trunc" style="display:block"><span class="no">{row.number.clone()}</span>{row.title.clone()}</span>
                <small class="trunc">{snippet}</small>
            </span>
            <span class="mail-files">
                {(row.attachments > 0).then(|| view! { <Icon glyph=Glyph::Clip/> })}
                {(row.messages > 1).then(|| view! { <span class="num small" title=tn!("list.messages", row.messages)>{row.messages}</span> })}
            </span>
            <span class="mail-env">{envelope.map(|state| view! { <EnvelopeMark state failing/> })}</span>
            <Age class="mail-age" at=row.waiting_since.filter(|_| rows.can_finish).unwrap_or(row.last_at)/>
            {rows.can_finish.then(|| view! {
                <span class="mail-acts">
                    <Button small=true icon=Glyph::Check text=t!("inbox.finish") keys="D" on_press=move |()| rows.finish(std::slice::from_ref(&done_id))/>
                </span>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn SelectionBar(rows: Rows) -> AnyView {
    view! {
        {move || {
            let n = rows.selection.with(Selection::len);
            (n > 0).then(|| view! {
                <div class="bulkbar" role="toolbar" aria-label=t!("list.selection")>
                    <b class="nowrap">{tn!("list.selected", n)}</b>
                    <Button
                        kind=Kind::Primary
                        icon=Glyph::Check
                        text=t!("inbox.finish")
                        on_press=move |()| {
                            let ids: Vec<_> = rows.selection.with_untracked(|it| it.ids().map(str::to_owned).collect());
                            rows.finish(&ids);
                        }
                    />
                    <Button kind=Kind::Ghost icon=Glyph::Close label=t!("list.clear") on_press=move |()| rows.selection.update(Selection::clear)/>
                </div>
            })
        }}
    }
    .into_any()
}

/// A record's stage in a list of one type.
#[component]
pub fn StageTag(#[prop(into)] stage: String) -> AnyView {
    view! { <Tag text=stage_label(&stage)/> }.into_any()
}

//! Failures: what did not arrive, by cause, for the whole team. Act on one, on a selection, or on all of a cause; what was
//! done stands below.

mod done;
mod fix;

use std::collections::HashMap;
use std::collections::HashSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::failures::ActOnFailures;
use mailroom_shared::api::failures::FailingAddress;
use mailroom_shared::api::failures::FailureAction;
use mailroom_shared::api::failures::FailureGroup;
use mailroom_shared::api::failures::FailureRow;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::failure::Fault;
use mailroom_shared::outbox::failure::Reason;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use self::done::DoneList;
use self::fix::Fix;
use self::fix::FixDialog;
use crate::dates;
use crate::model::envelope;
use crate::model::envelope::EnvelopeGlyph;
use crate::model::merge::Row;
use crate::pages::shell::use_crumbs;
use crate::queries::Cache;
use crate::queries::failures::act;
use crate::queries::failures::addresses_of;
use crate::queries::failures::undo;
use crate::queries::failures::use_failure_rows;
use crate::queries::failures::use_failures;
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
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys::use_keys;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::delivery_dialog::DeliveryDialog;
use crate::widgets::notices::Notices;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

/// What the groups share.
#[derive(Clone, Copy)]
struct Inbox {
    mine: Memo<bool>,
    selection: RwSignal<HashSet<String>>,
    opened: RwSignal<Option<(Option<RecordId>, MessageId)>>,
    /// Rows that were shown, by delivery: what a correction of the selection asks about.
    known: StoredValue<HashMap<String, FailingAddress>>,
    /// Of an action: key of the cause, empty for a selection; done, in all.
    progress: RwSignal<Option<(String, u32, u32)>>,
    fixing: RwSignal<Option<Fix>>,
    cache: Cache,
    toasts: Toasts,
}

#[component]
pub fn FailuresPage() -> AnyView {
    use_crumbs(vec![(t!("failures.title"), None)]);
    let (query, set_query) = (use_query(), use_set_query());
    let mine = Memo::new(move |_| query.with(|it| it.get("whose") == Some("mine")));
    let read = use_failures(move || mine.get());
    let inbox = Inbox {
        mine,
        selection: RwSignal::new(HashSet::new()),
        opened: RwSignal::new(None),
        known: StoredValue::new(HashMap::new()),
        progress: RwSignal::new(None),
        fixing: RwSignal::new(None),
        cache: use_cache(),
        toasts: use_toasts(),
    };
    inbox.hear_keys();
    let value = Signal::derive(move || if mine.get() { "mine" } else { "all" }.to_owned());
    let groups = Memo::new(move |_| read.data().map(|it| it.groups));
    view! {
        <main class="page" id="content">
            <div class="page-head"><div class="head-text"><h1>{t!("failures.title")}</h1><p>{t!("failures.text")}</p></div></div>
            <div class="toolbar">
                <Seg
                    label=t!("failures.whose")
                    segments=vec![Segment::new("all", t!("failures.whose.all")), Segment::new("mine", t!("failures.whose.mine"))]
                    value
                    on_change=move |it: &'static str| set_query("whose", (it == "mine").then(|| it.to_owned()))
                />
            </div>
            {move || {
                let state = read.state.get();
                let retry = move |()| read.retry();
                match (state.data.is_some(), state.problem) {
                    (false, None) => view! { <SkeletonList/> }.into_any(),
                    (false, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (true, Some(error)) => view! { <StaleNotice error on_retry=retry/> }.into_any(),
                    (true, None) => ().into_any(),
                }
            }}
            <Notices failing=true/>
            <Section inbox groups needs_person=true/>
            <Section inbox groups needs_person=false/>
            {move || groups.get().filter(Vec::is_empty).map(|_| view! {
                <section class="card"><Blank art=Art::Done title=t!("failures.empty") text=t!("failures.empty.text")/></section>
            })}
            {move || inbox.progress.get().filter(|it| it.0.is_empty()).map(|(_, done, all)| progress(done, all))}
            <BulkBar inbox/>
            <DoneList/>
            {move || inbox.fixing.get().map(|fix| view! {
                <FixDialog inbox fix on_close=move |()| inbox.fixing.set(None)/>
            })}
            {move || inbox.opened.get().map(|(record, message)| view! {
                <DeliveryDialog record message on_close=move |()| inbox.opened.set(None)/>
            })}
        </main>
    }
    .into_any()
}

/// So many failing mails fit on a screen; with more the causes come closed.
const OPEN_AT_ONCE: u32 = 20;

/// Those that need a person, or those that we try again by ourselves.
#[component]
fn Section(inbox: Inbox, groups: Memo<Option<Vec<FailureGroup>>>, needs_person: bool) -> AnyView {
    let shown = Memo::new(move |_| {
        let all = groups.get().unwrap_or_default();
        all.into_iter().filter(|it| (it.failing > 0) == needs_person).collect::<Vec<_>>()
    });
    let total = Memo::new(move |_| {
        shown.with(|all| all.iter().map(|it| if needs_person { it.failing } else { it.waiting }).sum::<u32>())
    });
    view! {
        {move || (total.get() > 0).then(|| view! {
            <h2 class="section-title">
                {if needs_person { t!("failures.needs_you") } else { t!("failures.waits") }}
                " "
                <span class=if needs_person { "badge badge--red" } else { "n num" }>{move || dates::number(total.get())}</span>
            </h2>
        })}
        <For each=move || shown.get() key=|it| format!("{} {} {}", it.key, it.failing, it.waiting) let:group>
            <Group inbox group open=needs_person && total.get_untracked() <= OPEN_AT_ONCE/>
        </For>
    }
    .into_any()
}

impl Inbox {
    /// The row that has the focus.
    fn focused() -> Option<String> {
        document().active_element()?.closest(".frow").ok()??.get_attribute("data-delivery")
    }

    /// Moves the focus up or down, across groups.
    fn step(by: isize) {
        let Ok(rows) = document().query_selector_all(".frow") else { return };
        let all: Vec<HtmlElement> =
            (0..rows.length()).filter_map(|i| rows.get(i)?.dyn_into::<HtmlElement>().ok()).collect();
        let now = Self::focused()
            .and_then(|id| all.iter().position(|it| it.get_attribute("data-delivery").as_deref() == Some(id.as_str())));
        let next = now.map_or(0, |it| it.saturating_add_signed(by).min(all.len().saturating_sub(1)));
        if let Some(row) = all.get(next) {
            let _ = row.focus();
        }
    }

    fn hear_keys(self) {
        use_keys(move |key, _| {
            let now = Self::focused();
            match (key, now) {
                ("j" | "ArrowDown", _) => Self::step(1),
                ("k" | "ArrowUp", _) => Self::step(-1),
                ("x", Some(id)) => self.toggle(&id),
                ("r", now) => self.act(FailureAction::Retry, now),
                ("i", now) => self.act(FailureAction::Ignore, now),
                _ => return false,
            }
            true
        });
    }

    fn toggle(self, id: &str) {
        self.selection.update(|all| {
            if !all.remove(id) {
                all.insert(id.to_owned());
            }
        });
    }

    /// Acts on the selection, else on one row.
    fn act(self, action: FailureAction, row: Option<String>) {
        let mut ids: Vec<String> = self.selection.with_untracked(|it| it.iter().cloned().collect());
        if ids.is_empty() {
            ids.extend(row);
        }
        let deliveries: Vec<_> = ids.iter().filter_map(|it| DeliveryId::parse(it.as_str()).ok()).collect();
        if deliveries.is_empty() {
            return;
        }
        self.selection.update(HashSet::clear);
        let total = deliveries.len() as u32;
        let chunks = deliveries.chunks(MOST).map(<[_]>::to_vec).collect();
        self.run(
            ActOnFailures { action, deliveries: Vec::new(), group: None, mine: None, operation: None },
            chunks,
            total,
        );
    }

    /// Asks for another address for each of those in the selection.
    fn fix_selection(self) {
        let ids = self.selection.get_untracked();
        let mut addresses: Vec<FailingAddress> = Vec::new();
        self.known.with_value(|known| {
            for row in ids.iter().filter_map(|it| known.get(it)) {
                match addresses.iter_mut().find(|it| it.address.eq_ignore_ascii_case(&row.address)) {
                    Some(it) => it.n += 1,
                    None => addresses.push(row.clone()),
                }
            }
        });
        addresses.sort_by(|a, b| a.address.cmp(&b.address));
        let deliveries = ids.iter().filter_map(|it| DeliveryId::parse(it.as_str()).ok()).collect();
        self.fixing.set(Some(Fix { addresses, deliveries }));
    }

    /// The same for all of a cause.
    fn fix_group(self, group: String) {
        let mine = self.mine.get_untracked();
        spawn_local(async move {
            match addresses_of(&group, mine).await {
                Ok(addresses) => self.fixing.set(Some(Fix { addresses, deliveries: Vec::new() })),
                Err(error) => toast_problem(self.toasts, &error),
            }
        });
    }

    /// Acts on all of a cause.
    fn act_on_group(self, action: FailureAction, group: &str, total: u32) {
        let mine = self.mine.get_untracked().then_some(true);
        let group = Some(group.to_owned());
        self.run(ActOnFailures { action, deliveries: Vec::new(), group, mine, operation: None }, Vec::new(), total);
    }

    /// Asks until nothing is left, shows how far it is, and offers one undo for all of it. A selection comes in chunks.
    fn run(self, mut what: ActOnFailures, mut chunks: Vec<Vec<DeliveryId>>, total: u32) {
        spawn_local(async move {
            let mut changed = 0;
            loop {
                if let Some(chunk) = chunks.pop() {
                    what.deliveries = chunk;
                }
                self.progress.set(Some((what.group.clone().unwrap_or_default(), changed, total)));
                match act(self.cache, &what).await {
                    Ok(done) => {
                        changed += done.changed;
                        what.operation = Some(done.operation);
                        if chunks.is_empty() && (done.left == 0 || done.changed == 0) {
                            break;
                        }
                    }
                    Err(error) => {
                        toast_problem(self.toasts, &error);
                        break;
                    }
                }
            }
            self.progress.set(None);
            match (what.operation.clone(), changed) {
                (Some(operation), 1..) => self.tell(what.action, changed, operation),
                // Somebody else was quicker, or that can't be done to it.
                (Some(_), 0) => self.toasts.done(t!("failures.done.nothing")),
                _ => {}
            }
        });
    }

    fn tell(self, action: FailureAction, changed: u32, operation: String) {
        let toast = Toast::new(glyph_of(action), tn!(&format!("failures.done.{}", action.as_str()), changed));
        self.toasts.show(toast.undo(Callback::new(move |()| {
            let operation = operation.clone();
            spawn_local(async move {
                if let Err(error) = undo(self.cache, &operation).await {
                    toast_problem(self.toasts, &error);
                }
            });
        })));
    }
}

/// Deliveries of one request.
const MOST: usize = 500;

fn progress(done: u32, all: u32) -> AnyView {
    let words = t!("failures.progress", done = dates::number(done), all = dates::number(all));
    view! { <span class="muted num nowrap" role="status">{words}</span> }.into_any()
}

const fn glyph_of(action: FailureAction) -> Glyph {
    match action {
        FailureAction::Retry => Glyph::Retry,
        FailureAction::Ignore => Glyph::Check,
        FailureAction::Cancel => Glyph::Ban,
    }
}

/// `gmail.com: Too many mails in too short a time`.
fn title_of(group: &FailureGroup) -> String {
    let title = t!(group.reason.title_key());
    match &group.domain {
        Some(domain) => t!("failures.of_domain", domain = domain, title = title),
        None => title,
    }
}

/// When we try again, or the first thing to know.
fn advice_of(group: &FailureGroup) -> String {
    match group.next_try.filter(|_| group.failing == 0) {
        Some(at) => t!("failures.next_try", when = dates::when_text(at, dates::now())),
        None => group.advice.clone(),
    }
}

#[component]
fn Group(inbox: Inbox, group: FailureGroup, open: bool) -> AnyView {
    let is_open = RwSignal::new(open);
    let (glyph, colour) = if group.failing > 0 {
        (EnvelopeGlyph::Fail, "color:var(--red);--env-flap:var(--bg-sunken);display:grid")
    } else {
        (EnvelopeGlyph::Wait, "color:var(--amber);--env-flap:var(--bg-sunken);display:grid")
    };
    let (failing, waiting) = (group.failing, group.waiting);
    let total = failing + waiting;
    let title = title_of(&group);
    let advice = advice_of(&group);
    // Sending to an address that is wrong can't help: correcting it comes first there.
    let is_address = group.reason.fault() == Fault::Recipient;
    let is_full = group.reason == Reason::MailboxFull;
    // Nothing but leaving it alone helps where somebody complained.
    let is_complaint = group.reason == Reason::Feedback;
    let again = if failing == 0 { t!("failures.action.now") } else { t!("failures.action.retry") };
    let [key, for_ignore, for_cancel, for_fix, for_progress, for_rows] = [(); 6].map(|()| group.key.clone());
    let busy = Memo::new(move |_| {
        inbox.progress.with(|it| it.as_ref().filter(|it| it.0 == for_progress).map(|it| (it.1, it.2)))
    });
    let disabled = Signal::derive(move || busy.get().is_some());
    let label = title.clone();
    view! {
        <section class="group" class:is-open=is_open data-group=group.key.clone()>
            <div class="group-head group-head--plain">
                <span style=colour><Icon glyph=Glyph::Envelope(glyph)/></span>
                <div class="cause">
                    <h3>{title}</h3>
                    <span class="num muted">{dates::number(if failing > 0 { failing } else { waiting })}</span>
                    {(failing > 0 && waiting > 0).then(|| view! { <span class="muted nowrap">{tn!("failures.and_waiting", waiting)}</span> })}
                    <span class="advice trunc" title=advice.clone()>{advice.clone()}</span>
                </div>
                <div class="g-acts row">
                    {move || busy.get().map(|(done, all)| progress(done, all))}
                    {(is_address && !is_complaint && failing > 0).then(|| view! {
                        <Button small=true icon=Glyph::Edit text=t!("failures.action.fix") disabled on_press=move |()| inbox.fix_group(for_fix.clone())/>
                    })}
                    {(!is_complaint && (!is_address || is_full || failing == 0)).then(|| view! {
                        <Button small=true icon=Glyph::Retry text=again disabled on_press=move |()| inbox.act_on_group(FailureAction::Retry, &key, total)/>
                    })}
                    {(failing > 0).then(|| view! {
                        <Button small=true text=t!("failures.action.ignore_all") disabled on_press=move |()| inbox.act_on_group(FailureAction::Ignore, &for_ignore, failing)/>
                    })}
                    {(!is_complaint).then(|| view! {
                    <Button kind=Kind::Ghost small=true text=t!("failures.action.cancel_all") disabled on_press=move |()| inbox.act_on_group(FailureAction::Cancel, &for_cancel, total)/>
                    })}
                    <button
                        type="button"
                        class="btn btn--ghost btn--sm btn--icon"
                        aria-expanded=move || if is_open.get() { "true" } else { "false" }
                        aria-label=t!("failures.open", title = label)
                        on:click=move |_| is_open.update(|it| *it = !*it)
                    >
                        {move || view! { <Icon glyph=if is_open.get() { Glyph::Down } else { Glyph::Right }/> }}
                    </button>
                </div>
            </div>
            {move || is_open.get().then(|| view! { <Rows inbox group=for_rows.clone()/> })}
        </section>
    }
    .into_any()
}

#[component]
fn Rows(inbox: Inbox, group: String) -> AnyView {
    let list = use_failure_rows(group, inbox.mine.get_untracked());
    let end = Signal::derive(move || list.rows.with(Vec::len));
    let rows = move || {
        view! {
            <ul>
                <For each=move || list.rows.get() key=|it| format!("{} {} {}", it.delivery, it.state.as_str(), it.tries) let:row>
                    <Line inbox row/>
                </For>
            </ul>
            {list_foot(list, end)}
        }
        .into_any()
    };
    // An empty group is about to go away.
    list_body(list, || ().into_any(), rows)
}

#[component]
fn Line(inbox: Inbox, row: FailureRow) -> AnyView {
    let id = row.id().to_owned();
    inbox.known.update_value(|known| {
        let about = FailingAddress {
            address: row.address.clone(),
            name: row.name.clone(),
            n: 1,
            contact: row.contact.is_some(),
        };
        known.insert(id.clone(), about);
    });
    let (is_on, toggled, for_retry) = (id.clone(), id.clone(), id.clone());
    let selected = Signal::derive(move || inbox.selection.with(|it| it.contains(&is_on)));
    let (glyph, look) = envelope::delivery_look(row.state);
    let colour = if look == "state--wait" { "color:var(--amber)" } else { "" };
    let who = if row.name.is_empty() { row.address.clone() } else { row.name.clone() };
    let code = row.status.clone().or_else(|| row.reply_code.map(|it| it.to_string())).unwrap_or_default();
    // Its codes stand before it in their own type.
    let words = row.server_text.clone().unwrap_or_default();
    let words = words.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ' | '-')).to_owned();
    let open = (row.record.clone(), row.message.clone());
    let for_key = open.clone();
    let subject = row.subject.clone();
    let record = match (row.record.clone(), row.record_number.clone()) {
        (Some(record), number) => {
            view! { <a class="ref" href=Page::Record(record).href() title=subject.clone()><span>{number}</span>" "{subject.clone()}</a> }
                .into_any()
        }
        (None, _) => view! { <span>{subject}</span> }.into_any(),
    };
    view! {
        <li
            class="frow"
            class:is-selected=selected
            tabindex="-1"
            data-delivery=id
            on:keydown=move |event| {
                // Only on the row itself: its buttons have their own.
                if event.key() == "Enter" && event.target() == event.current_target() {
                    inbox.opened.set(Some(for_key.clone()));
                }
            }
        >
            <Check label=t!("failures.select", who = who) checked=selected on_change=move |_: bool| inbox.toggle(&toggled)/>
            <span class="ic" style=colour><Icon glyph=Glyph::Envelope(glyph)/></span>
            <span class="trunc">
                <span class="who">{who.clone()}</span>" "
                {(!row.name.is_empty()).then(|| view! { <span class="addr" title=row.address.clone()>{row.address.clone()}</span> })}
            </span>
            <span class="trunc">{record}</span>
            <span class="trunc muted why" title=words.clone()><span class="mono soft">{code}</span>" "{words.clone()}</span>
            <span class="muted num age" title=row.assigned.clone()><Age at=row.at/></span>
            <span class="acts">
                <Button kind=Kind::Ghost small=true text=t!("failures.action.details") on_press=move |()| inbox.opened.set(Some(open.clone()))/>
                {row.state.can_retry().then(|| view! {
                    <Button kind=Kind::Ghost small=true text=t!("failures.action.retry") on_press=move |()| {
                        inbox.selection.update(HashSet::clear);
                        inbox.act(FailureAction::Retry, Some(for_retry.clone()));
                    }/>
                })}
            </span>
        </li>
    }
    .into_any()
}

#[component]
fn BulkBar(inbox: Inbox) -> AnyView {
    view! {
        {move || {
            let n = inbox.selection.with(HashSet::len);
            (n > 0).then(|| view! {
                <div class="bulkbar" role="toolbar" aria-label=t!("list.selection")>
                    <b class="num nowrap">{tn!("list.selected", n)}</b>
                    <span class="sep only-wide"></span>
                    <Button kind=Kind::Primary icon=Glyph::Retry text=t!("failures.action.retry") keys="R" on_press=move |()| inbox.act(FailureAction::Retry, None)/>
                    <Button kind=Kind::Ghost icon=Glyph::Edit text=t!("failures.action.fix") on_press=move |()| inbox.fix_selection()/>
                    <Button kind=Kind::Ghost text=t!("failures.action.ignore") keys="I" on_press=move |()| inbox.act(FailureAction::Ignore, None)/>
                    <Button kind=Kind::Ghost text=t!("failures.action.cancel") on_press=move |()| inbox.act(FailureAction::Cancel, None)/>
                    <Button kind=Kind::Ghost icon=Glyph::Close label=t!("list.clear") on_press=move |()| inbox.selection.update(HashSet::clear)/>
                </div>
            })
        }}
    }
    .into_any()
}

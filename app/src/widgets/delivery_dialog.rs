//! The dialog behind an envelope: each recipient's state in plain words, the server's words one click away, a place to
//! correct the address, *Try again*, *Send & close*, *Ignore all*.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::failures::CorrectFailures;
use mailroom_shared::api::messages::AdviceView;
use mailroom_shared::api::messages::DeliveriesView;
use mailroom_shared::api::messages::DeliveryView;
use mailroom_shared::api::messages::SettleDeliveries;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::state::DeliveryState;

use super::evidence::raw_report;
use super::problem::ProblemBlank;
use super::problem::toast_problem;
use crate::dates;
use crate::dates::Style;
use crate::i18n;
use crate::model::delivery;
use crate::model::delivery::Choices;
use crate::model::delivery::Outcome;
use crate::model::envelope;
use crate::queries::Cache;
use crate::queries::failures::correct;
use crate::queries::failures::undo;
use crate::queries::messages::settle_deliveries;
use crate::queries::messages::use_deliveries;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::check::Switch;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys;
use crate::ui::skeleton::SkeletonChatter;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::ui::unique_id;

/// The dialog of one message.
#[component]
pub fn DeliveryDialog(record: Option<RecordId>, message: MessageId, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog on_close>
            <Content record message/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Content(record: Option<RecordId>, message: MessageId) -> AnyView {
    let read = use_deliveries(record.as_ref(), &message);
    let choices = RwSignal::new(Choices::new());
    // What a person chose wins over what a live update brings; the rest follows the update.
    let current = Memo::new(move |_| {
        let view = read.data()?;
        let all = choices.with(|chosen| delivery::choices(&view, chosen));
        Some((view, all))
    });
    let head = Memo::new(move |_| read.data().map(|it| (it.subject, it.envelope)));
    let sub = Signal::derive(move || read.data().as_ref().map(head_line).unwrap_or_default());
    view! {
        <DialogHead
            title=Signal::derive(move || head.get().map_or_else(|| t!("delivery.title"), |(subject, _)| subject))
            mark=move || head.get().map(|(_, envelope)| mark(&envelope))
            sub
            focus=true
        />
        <div class="dialog-body" tabindex="0">
            {move || {
                let state = read.state.get();
                match (state.data.is_some(), state.problem) {
                    (false, Some(error)) => {
                        view! { <ProblemBlank error on_retry=move |()| read.retry()/> }.into_any()
                    }
                    (false, None) => view! { <div style="padding-bottom:24px"><SkeletonChatter/></div> }.into_any(),
                    (true, _) => ().into_any(),
                }
            }}
            {move || head.get().is_some().then(|| view! {
                <div class="dlv-head">
                    <span></span>
                    <span>{t!("delivery.recipient")}</span>
                    <span class="only-wide">{t!("delivery.state")}</span>
                    <span>{t!("delivery.again")}</span>
                </div>
            })}
            <ul>
                <For each=move || read.data().map(|it| it.deliveries).unwrap_or_default() key=row_key let:row>
                    <Line row choices current/>
                </For>
            </ul>
        </div>
        <Foot record message current/>
    }
    .into_any()
}

/// A row is built anew when it tells something else.
fn row_key(row: &DeliveryView) -> String {
    format!("{}:{}:{}:{}", row.id, row.state.as_str(), row.events.len(), row.address)
}

type Current = Memo<Option<(DeliveriesView, Choices)>>;

fn mark(it: &mailroom_shared::api::messages::EnvelopeView) -> AnyView {
    let (glyph, class) = envelope::look(it.state);
    view! {
        <span class=format!("env env--still {class}") aria-hidden="true" style="margin-top:1px">
            <Icon glyph=Glyph::Envelope(glyph)/>
            {envelope::number(it).map(|n| view! { <span class="env-n">{n}</span> })}
        </span>
    }
    .into_any()
}

/// `Sent today 13:59 by Mai · 1 delivered, 1 needs you`.
fn head_line(view: &DeliveriesView) -> String {
    let figures: Vec<_> =
        delivery::figures(view).into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| tn!(key, n)).collect();
    let when = dates::when_text(view.sent_at, dates::now());
    format!("{} · {}", t!("delivery.sent", when = when, who = view.author_name), figures.join(", "))
}

/// One recipient.
#[component]
fn Line(row: DeliveryView, choices: RwSignal<Choices>, current: Current) -> AnyView {
    let (glyph, look) = envelope::delivery_look(row.state);
    let class = match look {
        "state--fail" => "dlv dlv--fail",
        "state--wait" => "dlv dlv--wait",
        _ => "dlv",
    };
    let id = row.id.clone();
    let again = Signal::derive(move || {
        current.with(|it| it.as_ref().and_then(|(_, all)| all.get(&id)).is_some_and(|it| it.again))
    });
    let id = row.id.clone();
    let change = move |edit: &dyn Fn(&mut delivery::Choice)| {
        let now = current.get_untracked().and_then(|(_, all)| all.get(&id).cloned());
        if let Some(mut choice) = now {
            edit(&mut choice);
            choices.update(|all| {
                all.insert(id.clone(), choice);
            });
        }
    };
    let name = if row.name.is_empty() { row.address.to_string() } else { row.name.clone() };
    // What arrived needs no explanation, even if the server said something kind.
    let needs_more = row.state.needs_person() || (row.reason.is_some() && !row.state.is_done());
    let toggle = change.clone();
    view! {
        <li class=class data-delivery=row.id.to_string() data-state=row.state.as_str()>
            <Icon glyph=Glyph::Envelope(glyph)/>
            <div>
                <span class="who">{name.clone()}</span>
                {(!row.name.is_empty() && row.name != row.address.as_str()).then(|| view! { <span class="addr">{row.address.to_string()}</span> })}
            </div>
            <div class="when">{state_line(&row)}</div>
            <div class="again">
                {if row.can_retry {
                    view! {
                        <Switch
                            on=again
                            label=t!("delivery.again.label", name = name)
                            on_change=move |on: bool| toggle(&|it| it.again = on)
                        />
                    }
                    .into_any()
                } else {
                    view! { <span class="muted">"–"</span> }.into_any()
                }}
            </div>
            {needs_more.then(|| view! {
                <div class="dlv-more">
                    {explanation(&row)}
                    {(row.can_retry && row.state.needs_person()).then(|| view! {
                        <Fix row=row.clone() current change=StoredValue::new(Box::new(change.clone()) as Change)/>
                    })}
                    <ServerWords row=row.clone()/>
                </div>
            })}
        </li>
    }
    .into_any()
}

type Change = Box<dyn Fn(&dyn Fn(&mut delivery::Choice)) + Send + Sync>;

fn state_line(row: &DeliveryView) -> AnyView {
    let word = t!(&format!("state.{}", row.state.as_str()));
    let (class, rest) = match row.state {
        DeliveryState::Failed | DeliveryState::Bounced | DeliveryState::Complained => {
            ("word--fail", dates::format(row.at, Style::Seconds))
        }
        DeliveryState::Deferred => {
            let rest = row.next_try.map(|at| t!("delivery.next_try", when = dates::when_text(at, dates::now())));
            ("word--wait", rest.unwrap_or_default())
        }
        DeliveryState::Unknown => ("word--wait", dates::format(row.at, Style::Seconds)),
        _ => ("", dates::format(row.at, Style::Seconds)),
    };
    view! { <span class=class>{word}</span>" "<span class="muted num">{rest}</span> }.into_any()
}

/// What happened, whose move it is and what can be done, in the Worker's words; the codes behind them.
fn explanation(row: &DeliveryView) -> AnyView {
    let domain = row.address.domain().to_owned();
    let address = row.address.to_string();
    let args = [("domain", domain.as_str()), ("address", address.as_str())];
    let known = |pick: fn(&AdviceView) -> &String| row.advice.as_ref().map(|it| pick(it).clone());
    let fallback = |part: &str| {
        let key = if row.state == DeliveryState::Unknown { "unknown" } else { "other" };
        i18n::text(&format!("delivery.why.{key}.{part}"), &args)
    };
    let title = known(|it| &it.headline).unwrap_or_else(|| fallback("title"));
    let advice = known(|it| &it.you_can).unwrap_or_else(|| fallback("advice"));
    let whose = known(|it| &it.whose_move).unwrap_or_default();
    let next = match (row.state, row.next_try, row.gives_up) {
        (DeliveryState::Deferred, Some(next), Some(end)) => {
            let now = dates::now();
            t!("delivery.schedule", next = dates::when_text(next, now), end = dates::when_text(end, now))
        }
        _ => known(|it| &it.we_do).unwrap_or_default(),
    };
    let title = if title.ends_with(['.', '!', '?']) { title } else { format!("{title}.") };
    let code = [row.reply_code.map(|it| it.to_string()), row.status.clone()].into_iter().flatten().collect::<Vec<_>>();
    view! {
        <p>
            <b>{title}</b>" "{advice}" "{next}" "
            <span class="mono muted">{code.join(" ")}</span>
        </p>
        {(!whose.is_empty()).then(|| view! { <p class="muted small">{whose}</p> })}
    }
    .into_any()
}

/// The codes in words, and what it usually is when there are none that help.
fn meanings(row: &DeliveryView) -> AnyView {
    let Some(advice) = row.advice.clone() else { return ().into_any() };
    let line = |it: String| view! { <li class="muted small">{it}</li> };
    let codes = advice.codes.into_iter().map(|it| line(it.text)).collect_view();
    let has_causes = !advice.causes.is_empty();
    view! {
        <ul>{codes}</ul>
        {has_causes.then(|| view! { <p class="muted small">{t!("delivery.causes")}</p> })}
        <ul>{advice.causes.into_iter().map(line).collect_view()}</ul>
    }
    .into_any()
}

/// Another address for this recipient.
#[component]
fn Fix(row: DeliveryView, current: Current, change: StoredValue<Change>) -> AnyView {
    let id = unique_id("fix");
    let key = row.id.clone();
    let choice = Memo::new(move |_| current.with(|it| it.as_ref().and_then(|(_, all)| all.get(&key).cloned())));
    let old = row.address.to_string();
    let is_bad =
        move || choice.with(|it| it.as_ref().is_some_and(|it| it.again && !delivery::looks_like_address(&it.address)));
    let has_contact = row.contact.is_some();
    let typed_old = old.clone();
    view! {
        <div class="field">
            <label for=id.clone()>{t!("delivery.fix")}</label>
            <div class="fix">
                <input
                    id=id.clone()
                    class="input"
                    class:is-bad=is_bad
                    type="text"
                    inputmode="email"
                    autocomplete="off"
                    spellcheck="false"
                    aria-invalid=move || is_bad().then_some("true")
                    prop:value=move || choice.get().map(|it| it.address)
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        change.with_value(|change| change(&|it| delivery::type_address(it, &typed_old, &typed)));
                    }
                />
                {has_contact.then(|| view! {
                    <Check
                        text=t!("delivery.fix.contact")
                        checked=Signal::derive(move || choice.get().is_some_and(|it| it.update_contact))
                        on_change=move |on: bool| change.with_value(|change| change(&|it| it.update_contact = on))
                    />
                })}
            </div>
            {move || is_bad().then(|| view! { <span class="hint hint--bad" role="alert">{t!("field.address")}</span> })}
        </div>
    }
    .into_any()
}

/// The server's own words and the line of tries.
#[component]
fn ServerWords(row: DeliveryView) -> AnyView {
    let open = RwSignal::new(false);
    let row = StoredValue::new(row);
    view! {
        <button
            type="button"
            class="link"
            style="justify-self:start"
            aria-expanded=move || if open.get() { "true" } else { "false" }
            on:click=move |_| open.update(|it| *it = !*it)
        >
            {move || if open.get() { t!("delivery.details.hide") } else { t!("delivery.details.show") }}
        </button>
        {move || open.get().then(|| {
            let row = row.get_value();
            let words = row.server_text.clone().unwrap_or_else(|| t!("delivery.details.none"));
            view! {
                <pre class="code" tabindex="0">{words}</pre>
                {row.events.iter().rev().find_map(|it| it.report.clone()).map(|it| raw_report(&it))}
                {meanings(&row)}
                {row.server.clone().map(|server| view! { <p class="muted small">{t!("delivery.server", server = server)}</p> })}
                <Tries row/>
            }
        })}
    }
    .into_any()
}

#[component]
fn Tries(row: DeliveryView) -> AnyView {
    let now = dates::now();
    // The line has room for a few; the oldest of many are the least telling.
    let skip = row.events.len().saturating_sub(5);
    let n_events = row.events.len();
    let past = row.events.iter().enumerate().skip(skip).map(|(i, event)| {
        let is_last = i + 1 == n_events;
        let class = match event.kind.as_str() {
            "deferred" | "refused" | "bounced" | "complained" | "unknown" if is_last => "t-wait t-last",
            "deferred" | "refused" | "bounced" | "complained" | "unknown" => "t-wait",
            _ => "t-ok",
        };
        let word = i18n::try_text(&format!("event.{}", event.kind), &[]).unwrap_or_else(|| event.kind.clone());
        let text = match &event.by {
            Some(who) => format!("{word}, {who}"),
            None => word,
        };
        view! { <li class=class title=event.text.clone()><b>{dates::format(event.at, Style::Seconds)}</b>{text}</li> }
    });
    let next = row.next_try.map(|at| {
        view! { <li class="t-next"><b>{dates::when_text(at, now)}</b>{t!("event.next")}</li> }
    });
    let end = row.gives_up.filter(|_| row.state == DeliveryState::Deferred).map(|at| {
        view! { <li><b>{dates::when_text(at, now)}</b>{t!("event.gives_up")}</li> }
    });
    view! { <ol class="tries" aria-label=t!("delivery.tries")>{past.collect_view()}{next}{end}</ol> }.into_any()
}

#[component]
fn Foot(record: Option<RecordId>, message: MessageId, current: Current) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let (busy, ignores_rest) = (RwSignal::new(false), RwSignal::new(false));
    let target = StoredValue::new((record, message));
    let outcome = Memo::new(move |_| {
        current.with(|it| it.as_ref().map(|(view, all)| delivery::outcome(view, all))).unwrap_or_default()
    });
    let failing = Memo::new(move |_| outcome.with(|it| it.leaves + it.keeps + it.sends > 0));
    let run = move |settle: SettleDeliveries| {
        if busy.get_untracked() {
            return;
        }
        let (record, message) = target.get_value();
        let corrections =
            current.with_untracked(|it| it.as_ref().map(|(view, _)| delivery::corrections(view, &settle)));
        busy.set(true);
        spawn_local(async move {
            if settle_and_tell(cache, toasts, record, message, settle).await {
                for (old, new) in corrections.unwrap_or_default() {
                    offer_others(cache, toasts, old, new).await;
                }
            }
            let _ = busy.try_set(false);
        });
        dialog.close();
    };
    let send = move || {
        let Some((view, all)) = current.get_untracked() else { return };
        if outcome.get_untracked().bad_address > 0 {
            return;
        }
        let settle = delivery::settle(&view, &all, ignores_rest.get_untracked());
        if settle.retry.is_empty() && settle.ignore.is_empty() { dialog.close() } else { run(settle) }
    };
    let hotkey = window_event_listener(leptos::ev::keydown, move |event| {
        if keys::is_send(&event) {
            event.prevent_default();
            send();
        }
    });
    on_cleanup(move || hotkey.remove());
    let off = Memo::new(move |_| outcome.with(|it| it.leaves));
    view! {
        {move || (off.get() > 0).then(|| view! {
            <div class="dlv-off small" role="note">
                <span class="muted">
                    {move || tn!(if ignores_rest.get() { "delivery.off.ignored" } else { "delivery.off" }, off.get())}
                </span>
                " "
                <Check text=t!("delivery.off.ignore") checked=ignores_rest on_change=move |on: bool| ignores_rest.set(on)/>
            </div>
        })}
        <footer class="dialog-foot">
            {move || failing.get().then(|| view! {
                <Button
                    text=t!("delivery.ignore_all")
                    on_press=move |()| run(SettleDeliveries { ignore_all: true, ..SettleDeliveries::default() })
                />
                <span class="muted only-wide small">{t!("delivery.ignore_all.hint")}</span>
            })}
            <span class="muted push only-wide small">{move || outcome_line(outcome.get(), ignores_rest.get())}</span>
            <span class="push only-narrow"></span>
            {move || if failing.get() {
                view! {
                    <Button
                        kind=Kind::Primary
                        text=t!("delivery.send")
                        keys=keys::send_keys()
                        disabled=Signal::derive(move || outcome.get().bad_address > 0)
                        on_press=move |()| send()
                    />
                }
                .into_any()
            } else {
                view! { <Button text=t!("ui.close") on_press=move |()| dialog.close()/> }.into_any()
            }}
        </footer>
    }
    .into_any()
}

/// `sends 1 now, keeps 1 for later`.
fn outcome_line(outcome: Outcome, ignores_rest: bool) -> String {
    [
        ("delivery.outcome.sends", outcome.sends),
        ("delivery.outcome.keeps", outcome.keeps),
        (if ignores_rest { "delivery.outcome.ignores" } else { "delivery.outcome.leaves" }, outcome.leaves),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(key, n)| tn!(key, n))
    .collect::<Vec<_>>()
    .join(", ")
}

async fn settle_and_tell(
    cache: Cache,
    toasts: Toasts,
    record: Option<RecordId>,
    message: MessageId,
    settle: SettleDeliveries,
) -> bool {
    let (n_retry, ignored) = (settle.retry.len(), settle.ignore_all);
    match settle_deliveries(cache, record, message, settle).await {
        Ok(_) if ignored || n_retry == 0 => toasts.done(t!("delivery.ignored")),
        Ok(_) => toasts.done(tn!("delivery.retried", n_retry)),
        Err(error) => {
            toast_problem(toasts, &error);
            return false;
        }
    }
    true
}

/// What else failed at the old address: offered, and taken back by one undo.
async fn offer_others(cache: Cache, toasts: Toasts, old: String, new: String) {
    let what = CorrectFailures {
        old: old.clone(),
        new,
        apply: false,
        deliveries: Vec::new(),
        update_contact: false,
        operation: None,
    };
    // An offer that can't be made is no trouble worth telling.
    let Ok(found) = correct(cache, &what).await else { return };
    if found.n == 0 {
        return;
    }
    let mut toast = Toast::new(Glyph::Retry, tn!("delivery.others", found.n, address = old)).seconds(20);
    let apply = Callback::new(move |()| {
        let what = CorrectFailures { apply: true, ..what.clone() };
        spawn_local(async move {
            match correct(cache, &what).await {
                Ok(done) => {
                    let toast = Toast::new(Glyph::Retry, tn!("failures.done.retry", done.n));
                    let Some(operation) = done.operation else { return };
                    toasts.show(toast.undo(Callback::new(move |()| {
                        let operation = operation.clone();
                        spawn_local(async move {
                            if let Err(error) = undo(cache, &operation).await {
                                toast_problem(toasts, &error);
                            }
                        });
                    })));
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    });
    toast.action = Some((t!("delivery.others.send"), apply));
    toasts.show(toast);
}

//! One suppression with all that is known of it, the way to lift it; and a new one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::suppressions::Lift;
use mailroom_shared::api::suppressions::NewSuppression;
use mailroom_shared::api::suppressions::SuppressionEvent;
use mailroom_shared::api::suppressions::SuppressionHistoryQuery;
use mailroom_shared::api::suppressions::SuppressionRow;
use mailroom_shared::api::suppressions::SuppressionScope;
use mailroom_shared::api::suppressions::SuppressionStep;

use super::until_of;
use crate::dates;
use crate::queries::failures::lift;
use crate::queries::failures::restore;
use crate::queries::failures::suppress;
use crate::queries::failures::use_suppression_history;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::evidence::raw_report;
use crate::widgets::problem::toast_problem;

/// A line of the history: what happened, who did it, why.
pub(super) fn step(event: SuppressionEvent, with_address: bool) -> AnyView {
    let glyph = match event.step {
        SuppressionStep::Added | SuppressionStep::Restored => Glyph::Ban,
        _ => Glyph::Check,
    };
    let what = t!(&format!("suppressions.step.{}", event.step.as_str()));
    let why = match event.step {
        SuppressionStep::Added => {
            let source = t!(&format!("suppressions.source.{}", event.source.as_str()));
            [Some(source), event.reason.map(|it| t!(it.title_key())), event.note]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · ")
        }
        _ => event.text,
    };
    let scope = t!(&format!("suppressions.scope.{}", event.scope.as_str()));
    view! {
        <li class="supp-step" data-step=event.step.as_str()>
            <Icon glyph/>
            <span>
                {with_address.then(|| view! { <b>{event.address.clone()}</b>" " })}
                <span class="soft">{what}</span>" "<span class="muted">{scope}{event.by.map(|who| format!(" · {who}"))}</span>
                {(!why.is_empty()).then(|| view! { <span class="supp-why">{why}</span> })}
            </span>
            <span class="muted num"><Age at=event.at/></span>
        </li>
    }
    .into_any()
}

/// What is known of a suppression; lifting it asks why.
#[component]
pub(super) fn LiftDialog(row: SuppressionRow, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! { <Dialog on_close><One row/></Dialog> }.into_any()
}

#[component]
fn One(row: SuppressionRow) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let (reason, error, busy) = (RwSignal::new(String::new()), RwSignal::new(None), RwSignal::new(false));
    let address = row.address.clone();
    let history = use_suppression_history(move || SuppressionHistoryQuery {
        address: Some(address.clone()),
        limit: Some(20),
        ..SuppressionHistoryQuery::default()
    });
    let (address, scope) = (row.address.clone(), row.scope);
    let press = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let note = reason.get_untracked().trim().to_owned();
        if note.is_empty() {
            error.set(Some(t!("field.required")));
            return;
        }
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let address = address.clone();
        spawn_local(async move {
            match lift(cache, Lift { address: address.clone(), scope, note }).await {
                Ok(done) => {
                    let toast = Toast::new(Glyph::Check, t!("suppressions.lifted", address = address));
                    toasts.show(toast.undo(Callback::new(move |()| {
                        let event = done.event.clone();
                        spawn_local(async move {
                            if let Err(error) = restore(cache, &event).await {
                                toast_problem(toasts, &error);
                            }
                        });
                    })));
                    dialog.close();
                }
                Err(error) => toast_problem(toasts, &error),
            }
            let _ = busy.try_set(false);
        });
    };
    let facts = [
        ("suppressions.column.scope", Some(t!(&format!("suppressions.scope.{}", row.scope.as_str())))),
        ("suppressions.column.source", Some(t!(&format!("suppressions.source.{}", row.source.as_str())))),
        ("suppressions.column.why", row.reason.map(|it| t!(it.title_key()))),
        ("suppressions.column.note", row.note.clone()),
        ("suppressions.column.by", row.by.clone()),
        ("suppressions.column.since", Some(dates::when_text(row.created, dates::now()))),
        ("suppressions.column.until", Some(until_of(&row))),
    ];
    let facts =
        facts.into_iter().filter_map(|(key, value)| Some(view! { <dt>{t!(key)}</dt><dd>{value?}</dd> })).collect_view();
    let evidence = row.evidence.clone().map(|words| view! { <pre class="code" tabindex="0">{words}</pre> });
    let report = row.report.clone().map(|it| raw_report(&it));
    let has_evidence = evidence.is_some() || report.is_some();
    view! {
        <DialogHead title=row.address.clone() sub=t!("suppressions.dialog") focus=true/>
        <form on:submit=press>
            <div class="dialog-body dialog-body--form">
                <dl class="kv" style="grid-template-columns:max-content minmax(0,1fr)">{facts}</dl>
                {has_evidence.then(|| view! {
                    <div class="stack gap-2"><h3>{t!("evidence.title")}</h3>{evidence}{report}</div>
                })}
                <div class="stack gap-2">
                    <h3>{t!("suppressions.show.history")}</h3>
                    <ul class="supp-steps">
                        <For each=move || history.rows.get() key=|it| it.id.clone() let:event>{step(event, false)}</For>
                    </ul>
                </div>
                <TextField label=t!("suppressions.lift.why") value=reason name="why" hint=t!("suppressions.lift.hint") error=error/>
            </div>
            <footer class="dialog-foot">
                <span class="push"></span>
                <Button text=t!("ui.close") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary text=t!("suppressions.lift.send") submit=true disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

/// An address that somebody holds back by hand.
#[component]
pub(super) fn AddDialog(#[prop(into)] on_close: Callback<()>) -> AnyView {
    view! { <Dialog on_close><New/></Dialog> }.into_any()
}

#[component]
fn New() -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let (address, note, error) = (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(None));
    let scope = RwSignal::new(SuppressionScope::All);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let what = NewSuppression {
            address: address.get_untracked(),
            scope: scope.get_untracked(),
            note: note.get_untracked(),
        };
        spawn_local(async move {
            match suppress(cache, what).await {
                Ok(row) => {
                    toasts.done(t!("suppressions.added", address = row.address));
                    dialog.close();
                }
                Err(problem) => {
                    error.set(Some(t!("field.address")));
                    toast_problem(toasts, &problem);
                }
            }
        });
    };
    let segments = [SuppressionScope::All, SuppressionScope::Campaigns]
        .map(|it| Segment::new(it.as_str(), t!(&format!("suppressions.scope.{}", it.as_str()))));
    view! {
        <DialogHead title=t!("suppressions.add.title")/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("suppressions.column.address") value=address kind=Input::Email name="address" error=error required=true autofocus=true/>
                <Seg
                    label=t!("suppressions.column.scope")
                    segments=segments.to_vec()
                    value=Signal::derive(move || scope.get().as_str().to_owned())
                    on_change=move |it: &'static str| scope.set(if it == "all" { SuppressionScope::All } else { SuppressionScope::Campaigns })
                />
                <TextField label=t!("suppressions.column.note") value=note name="note" hint=t!("suppressions.add.hint")/>
            </div>
            <footer class="dialog-foot">
                <span class="push"></span>
                <Button text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary text=t!("suppressions.add") submit=true/>
            </footer>
        </form>
    }
    .into_any()
}

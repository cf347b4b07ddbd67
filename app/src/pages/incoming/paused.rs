//! Senders whose mail is held until they are released.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::incoming::NewPause;
use mailroom_shared::api::incoming::PausedRow;
use mailroom_shared::api::incoming::ReleasePause;

use super::is_administrator;
use crate::api::ApiError;
use crate::dates;
use crate::queries::incoming::pause_sender;
use crate::queries::incoming::release_sender;
use crate::queries::incoming::use_paused;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

#[component]
pub(super) fn PausedList() -> AnyView {
    let paused = use_paused();
    let me = use_me();
    let is_admin = Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(is_administrator)));
    let adding = RwSignal::new(false);
    let releasing = RwSignal::new(None::<PausedRow>);
    let retry = Callback::new(move |()| paused.retry());
    view! {
        <div class="toolbar">
            <span class="muted">{t!("paused.text")}</span>
            {move || is_admin.get().then(|| view! {
                <Button class="push" icon=Glyph::Plus text=t!("paused.add") on_press=move |()| adding.set(true)/>
            })}
        </div>
        {move || {
            let state = paused.state.get();
            match (state.data, state.problem) {
                (None, None) => view! { <SkeletonList/> }.into_any(),
                (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                (Some(rows), problem) => view! {
                    {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                    <Table rows releasing is_admin/>
                }
                .into_any(),
            }
        }}
        {move || adding.get().then(|| view! {
            <Dialog class="dialog--sm" on_close=move |()| adding.set(false)><AddForm/></Dialog>
        })}
        {move || releasing.get().map(|row| view! {
            <Dialog class="dialog--sm" on_close=move |()| releasing.set(None)><ReleaseForm row/></Dialog>
        })}
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<PausedRow>, releasing: RwSignal<Option<PausedRow>>, is_admin: Memo<bool>) -> AnyView {
    if rows.is_empty() {
        return view! {
            <section class="card"><Blank art=Art::Done title=t!("paused.empty") text=t!("paused.empty.text")/></section>
        }
        .into_any();
    }
    let lines = rows
        .into_iter()
        .map(|row| {
            let why = if row.reason == "loop" {
                tn!("paused.reason.loop", row.times)
            } else {
                let by = row.by.clone().unwrap_or_default();
                if row.note.is_empty() {
                    t!("paused.reason.person", by = by)
                } else {
                    t!("paused.reason.note", by = by, note = row.note)
                }
            };
            let until = row.until.map_or_else(|| t!("paused.until.released"), |at| dates::when_text(at, dates::now()));
            let href = format!("{}?show=held&q={}", Page::Incoming.href(), mailroom_shared::api::percent_encode(row.address.as_str()));
            let for_press = row.clone();
            view! {
                <tr data-paused=row.address.to_string()>
                    <td>{row.address.to_string()}</td>
                    <td class="soft" title=why.clone()>{why.clone()}</td>
                    <td class="muted"><Age at=row.since/></td>
                    <td>{until}</td>
                    <td class="r"><a href=href>{dates::number(row.held)}</a></td>
                    <td class="r">
                        {move || {
                            let row = for_press.clone();
                            is_admin.get().then(|| view! {
                                <Button small=true text=t!("paused.release") on_press=move |()| releasing.set(Some(row.clone()))/>
                            })
                        }}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("incoming.show.paused")>
            <table class="tbl" style="min-width:820px">
                <colgroup><col style="width:240px"/><col/><col style="width:96px"/><col style="width:160px"/><col style="width:72px"/><col style="width:120px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("paused.column.sender")}</th>
                        <th>{t!("paused.column.why")}</th>
                        <th>{t!("paused.column.since")}</th>
                        <th>{t!("paused.column.until")}</th>
                        <th class="r">{t!("paused.column.held")}</th>
                        <th></th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn AddForm() -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let (address, note) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "address")));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        busy.set(true);
        let new = NewPause { address: address.get_untracked(), note: note.get_untracked() };
        spawn_local(async move {
            let answer = pause_sender(cache, new).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("paused.added", address = row.address));
                }
                Err(it) => {
                    let _ = error.try_set(Some(it));
                }
            }
        });
    };
    view! {
        <DialogHead title=t!("paused.add")/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("paused.address") value=address kind=Input::Email name="address" error=wrong autofocus=true required=true/>
                <TextField label=t!("paused.note") value=note name="note" hint=t!("paused.note.hint")/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("paused.pause") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

#[component]
fn ReleaseForm(row: PausedRow) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let (let_in, never_again) = (RwSignal::new(row.held > 0), RwSignal::new(false));
    let is_loop = row.reason == "loop";
    let held = row.held;
    let address = StoredValue::new(row.address.to_string());
    let press = move |()| {
        let how = ReleasePause { never_again: never_again.get_untracked(), let_in: let_in.get_untracked() };
        dialog.close();
        spawn_local(async move {
            let address = address.get_value();
            match release_sender(cache, &address, how).await {
                Ok(()) => toasts.done(t!("paused.released", address = address)),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <DialogHead title=t!("paused.release.title", address = address.get_value())/>
        <div class="dialog-body dialog-body--form">
            {(held > 0).then(|| view! { <Check checked=let_in text=tn!("paused.release.let_in", held) on_change=move |it| let_in.set(it)/> })}
            {is_loop.then(|| view! { <Check checked=never_again text=t!("paused.release.never") on_change=move |it| never_again.set(it)/> })}
        </div>
        <footer class="dialog-foot">
            <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
            <Button kind=Kind::Primary text=t!("paused.release") on_press=press/>
        </footer>
    }
    .into_any()
}

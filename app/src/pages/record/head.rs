//! Number, title, stages, following, what can be done with the record as a whole.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::records::ChangeRecord;
use mailroom_shared::api::records::NewFollower;
use mailroom_shared::id::ContactId;

use super::Open;
use super::edit::EditDialog;
use crate::queries::records::add_follower;
use crate::queries::records::remove_follower;
use crate::queries::shell::one_of;
use crate::queries::shell::stage_label;
use crate::queries::shell::use_types;
use crate::routes::Page;
use crate::routes::use_go;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::ui::menu::MenuItem;
use crate::ui::toast::Toast;
use crate::widgets::problem::toast_problem;
use crate::widgets::record_rows::set_waiting;

#[component]
pub(super) fn RecordHead(open: Open) -> AnyView {
    let types = use_types();
    let editing = RwSignal::new(false);
    let name = Memo::new(move |_| {
        let (kind, number) = open.record.data().map(|it| (it.r#type, it.number))?;
        let label = types.with(|all| all.iter().find(|it| it.name == kind).map(one_of)).unwrap_or_default();
        Some(format!("{label} {number}").trim().to_owned())
    });
    let title = open.record.part(|it| it.title.clone());
    let waiting = open.record.part(|it| it.waiting_since.is_some());
    view! {
        <header class="record-head">
            <div class="title">
                <div class="record-title">
                    <h1>{move || name.get()}</h1>
                    <button type="button" class="title-edit" title=t!("record.title.edit") on:click=move |_| editing.set(true)>
                        {move || title.get()}
                    </button>
                </div>
                <span class="row push">
                    {move || (waiting.get() == Some(true)).then(|| view! { <DoneButton open/> })}
                    <FollowButton open/>
                    <MoreMenu open editing/>
                </span>
            </div>
            <div class="meta"><Stages open/></div>
            {move || editing.get().then(|| view! { <EditDialog open on_close=move |()| editing.set(false)/> })}
        </header>
    }
    .into_any()
}

/// Nobody waits any more; back to the list, and Undo brings it back.
#[component]
fn DoneButton(open: Open) -> AnyView {
    let go = use_go();
    let press = move |()| {
        let id = open.id.get_value();
        set_waiting(open.cache, open.toasts, vec![id.clone()], false);
        let (cache, toasts) = (open.cache, open.toasts);
        let undo = Callback::new(move |()| set_waiting(cache, toasts, vec![id.clone()], true));
        open.toasts.show(Toast::new(Glyph::Check, tn!("inbox.done", 1)).undo(undo));
        go.to(Page::Inbox.href());
    };
    view! { <Button icon=Glyph::Check text=t!("inbox.finish") on_press=press/> }.into_any()
}

#[component]
fn FollowButton(open: Open) -> AnyView {
    let me = use_me();
    let following = open.record.part(|it| it.following);
    let press = move |()| {
        let Some(contact) = me.get_untracked().map(|it| it.contact) else { return };
        let on = following.get_untracked() == Some(true);
        spawn_local(follow(open, contact, !on));
    };
    view! {
        {move || {
            let on = following.get() == Some(true);
            view! {
                <button type="button" class="btn" aria-pressed=if on { "true" } else { "false" } on:click=move |_| press(())>
                    {on.then(|| view! { <Icon glyph=Glyph::Check/> })}
                    {if on { t!("record.following") } else { t!("record.follow") }}
                </button>
            }
        }}
    }
    .into_any()
}

async fn follow(open: Open, contact: ContactId, on: bool) {
    let id = open.id.get_value();
    let answer = if on {
        let new = NewFollower { contact: Some(contact), ..NewFollower::default() };
        add_follower(open.cache, id, new).await
    } else {
        remove_follower(open.cache, id, contact).await
    };
    if let Err(error) = answer {
        toast_problem(open.toasts, &error);
    }
}

#[component]
fn MoreMenu(open: Open, editing: RwSignal<bool>) -> AnyView {
    let waiting = open.record.part(|it| it.waiting_since.is_some());
    let trigger = view! { <Icon glyph=Glyph::More/> }.into_any();
    let wait = move |on: bool| open.change(ChangeRecord { waiting: Some(on), ..ChangeRecord::default() });
    let copy = move |()| {
        let href = window().location().href().unwrap_or_default();
        crate::pages::record::side::copy(open, href);
    };
    view! {
        <Menu class="btn btn--icon" label=t!("record.more") trigger>
            <MenuItem icon=Glyph::Edit text=t!("record.edit") on_press=move |()| editing.set(true)/>
            {move || if waiting.get() == Some(true) {
                view! { <MenuItem icon=Glyph::Check text=t!("inbox.finish") on_press=move |()| wait(false)/> }
            } else {
                view! { <MenuItem icon=Glyph::Inbox text=t!("record.wait") on_press=move |()| wait(true)/> }
            }}
            <MenuItem icon=Glyph::Copy text=t!("record.copy_link") on_press=copy/>
        </Menu>
    }
    .into_any()
}

#[component]
fn Stages(open: Open) -> AnyView {
    let stages = open.record.part(|it| (it.stages.clone(), it.stage.clone()));
    let set = move |stage: String| open.change(ChangeRecord { stage: Some(stage), ..ChangeRecord::default() });
    view! {
        {move || {
            let (stages, now) = stages.get()?;
            let index = now.as_ref().and_then(|now| stages.iter().position(|it| it == now));
            (!stages.is_empty()).then(|| view! {
                <ol class="stages" aria-label=t!("record.stage")>
                    {stages
                        .into_iter()
                        .enumerate()
                        .map(|(i, stage)| {
                            let is_now = index == Some(i);
                            let is_done = index.is_some_and(|now| i < now);
                            let text = stage_label(&stage);
                            let title = text.clone();
                            view! {
                                <li class:is-now=is_now class:is-done=is_done aria-current=is_now.then_some("step")>
                                    <button type="button" title=title on:click=move |_| {
                                        if !is_now {
                                            set(stage.clone());
                                        }
                                    }>
                                        {is_done.then(|| view! { <Icon glyph=Glyph::Check/> })}
                                        <span>{text}</span>
                                    </button>
                                </li>
                            }
                        })
                        .collect_view()}
                </ol>
            })
        }}
    }
    .into_any()
}

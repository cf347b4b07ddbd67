//! Settings › Users: who works here, who is invited, what each may do and see.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::people::EditPerson;
use mailroom_shared::api::people::PersonRow;
use mailroom_shared::api::people::PersonState;
use mailroom_shared::outbox::state::EnvelopeState;

use self::form::PersonDialog;
use crate::dates;
use crate::pages::shell::use_crumbs;
use crate::queries::people::change_person;
use crate::queries::people::resend;
use crate::queries::people::use_people;
use crate::queries::people::withdraw;
use crate::queries::shell::many_of;
use crate::queries::shell::use_types;
use crate::queries::use_cache;
use crate::t;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::icon::Glyph;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::read_body;

mod form;

/// Nothing, an invitation, or somebody who is changed.
type Editing = RwSignal<Option<Option<PersonRow>>>;

#[component]
pub fn PeoplePage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("people.title"), None)]);
    let people = use_people();
    let editing: Editing = RwSignal::new(None);
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("people.title")}</h1><p>{t!("people.text")}</p></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("people.invite") on_press=move |()| editing.set(Some(None))/>
                </div>
            </div>
            {read_body(people, move |rows| view! { <Table rows editing/> }.into_any())}
            {move || editing.get().map(|person| view! { <PersonDialog person on_close=move |()| editing.set(None)/> })}
        </main>
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<PersonRow>, editing: Editing) -> AnyView {
    let lines = rows.into_iter().map(|row| view! { <Line row editing/> }).collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("people.title")>
            <table class="tbl" style="min-width:900px">
                <colgroup>
                    <col/><col style="width:150px"/><col style="width:190px"/><col style="width:190px"/><col style="width:120px"/>
                    <col style="width:190px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th>{t!("people.column.name")}</th>
                        <th>{t!("people.column.role")}</th>
                        <th>{t!("people.column.types")}</th>
                        <th>{t!("people.column.state")}</th>
                        <th class="r">{t!("people.column.seen")}</th>
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
fn Line(row: PersonRow, editing: Editing) -> AnyView {
    let types = use_types();
    let email = row.email.to_string();
    let name = if row.name.is_empty() { email.clone() } else { row.name.clone() };
    let chosen = row.types.clone();
    let sees = move || {
        if chosen.is_empty() {
            return t!("people.all_types");
        }
        let known = types.get();
        let names =
            chosen.iter().map(|it| known.iter().find(|row| row.name == *it).map_or_else(|| it.to_string(), many_of));
        names.collect::<Vec<_>>().join(", ")
    };
    let person = if row.state == PersonState::Invited {
        view! { <span class="med trunc">{name.clone()}</span> }.into_any()
    } else {
        let for_edit = row.clone();
        view! {
            <button type="button" class="link trunc" on:click=move |_| editing.set(Some(Some(for_edit.clone())))>{name.clone()}</button>
        }
        .into_any()
    };
    let seen = match (row.last_seen, row.state) {
        (Some(at), _) => view! { <Age at/> }.into_any(),
        (None, PersonState::Invited) => ().into_any(),
        (None, _) => t!("people.never").into_any(),
    };
    let (address, state) = (email.clone(), row.state.as_str());
    view! {
        <tr data-person=address data-state=state>
            <td>
                <span class="row">
                    <Avatar name=name side=Side::Us small=true/>
                    {person}
                    {row.you.then(|| view! { <Tag tone=Tone::Accent text=t!("people.you")/> })}
                    <span class="muted small trunc">{email}</span>
                </span>
            </td>
            <td>{t!(&format!("role.{}", row.role.as_str()))}</td>
            <td class="soft" data-label=t!("people.column.types")>{sees}</td>
            <td><State row=row.clone()/></td>
            <td class="r muted" data-label=t!("people.column.seen")>{seen}</td>
            <td class="r"><Acts row/></td>
        </tr>
    }
    .into_any()
}

#[component]
fn State(row: PersonRow) -> AnyView {
    let word = t!(&format!("people.state.{}", row.state.as_str()));
    match row.state {
        PersonState::Active if !row.confirmed => {
            view! { <Tag tone=Tone::Amber icon=Glyph::Alert text=t!("people.unconfirmed")/> }.into_any()
        }
        PersonState::Active => view! { <Tag tone=Tone::Green icon=Glyph::Check text=word/> }.into_any(),
        PersonState::Archived => view! { <Tag text=word/> }.into_any(),
        PersonState::Invited if row.envelope == Some(EnvelopeState::Failing) => {
            view! { <Tag tone=Tone::Red icon=Glyph::Alert text=t!("people.mail_failed")/> }.into_any()
        }
        PersonState::Invited => {
            let until = row.expires.map(|at| {
                if at < dates::now() {
                    t!("people.expired")
                } else {
                    t!("people.expires", when = dates::when_text(at, dates::now()))
                }
            });
            view! { <Tag tone=Tone::Accent icon=Glyph::Send text=word title=until.clone().unwrap_or_default()/> " " <span class="muted small">{until}</span> }
                .into_any()
        }
    }
}

#[component]
fn Acts(row: PersonRow) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let (id, email) = (StoredValue::new(row.id.clone()), StoredValue::new(row.email.to_string()));
    let done = move |answer: Result<String, crate::api::ApiError>| match answer {
        Ok(words) => toasts.done(words),
        Err(error) => toast_problem(toasts, &error),
    };
    if row.state == PersonState::Invited {
        // The line may be drawn anew before the answer comes.
        let again = move |()| {
            let (id, email) = (id.get_value(), email.get_value());
            spawn_local(async move {
                done(resend(cache, id).await.map(|_| t!("people.resent", email = email)));
            });
        };
        let back = move |()| {
            let (id, email) = (id.get_value(), email.get_value());
            spawn_local(async move {
                done(withdraw(cache, id).await.map(|()| t!("people.withdrawn", email = email)));
            });
        };
        return view! {
            <span class="row acts">
                <Button small=true text=t!("people.resend") on_press=again/>
                <Button small=true text=t!("people.withdraw") on_press=back/>
            </span>
        }
        .into_any();
    }
    let is_gone = row.state == PersonState::Archived;
    let press = move |()| {
        let id = id.get_value();
        spawn_local(async move {
            let edit = EditPerson { archived: Some(!is_gone), ..EditPerson::default() };
            let answer = change_person(cache, id, edit).await;
            done(answer.map(|it| {
                if is_gone { t!("people.restored", name = it.name) } else { t!("people.archived", name = it.name) }
            }));
        });
    };
    let text = if is_gone { t!("people.restore") } else { t!("people.archive") };
    view! { <Button small=true text on_press=press/> }.into_any()
}

//! Inviting somebody, and changing what somebody may do and see.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::people::EditPerson;
use mailroom_shared::api::people::Invite;
use mailroom_shared::api::people::PersonRow;
use mailroom_shared::api::session::Role;
use mailroom_shared::id::TypeName;

use crate::api::ApiError;
use crate::queries::people::change_person;
use crate::queries::people::invite;
use crate::queries::shell::many_of;
use crate::queries::shell::use_types;
use crate::queries::use_cache;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;

#[component]
pub(super) fn PersonDialog(person: Option<PersonRow>, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            {match person {
                Some(person) => view! { <Change person/> }.into_any(),
                None => view! { <Invitation/> }.into_any(),
            }}
        </Dialog>
    }
    .into_any()
}

/// Role and record types, as both forms have them.
#[derive(Clone, Copy)]
struct Rights {
    role: RwSignal<String>,
    types: RwSignal<Vec<TypeName>>,
}

impl Rights {
    fn new(role: Role, types: Vec<TypeName>) -> Self {
        Self { role: RwSignal::new(role.as_str().to_owned()), types: RwSignal::new(types) }
    }

    fn role(self) -> Role {
        Role::parse(&self.role.get_untracked()).unwrap_or(Role::ReadOnly)
    }
}

#[component]
fn RightsFields(rights: Rights) -> AnyView {
    let all = use_types();
    let roles =
        Signal::derive(|| Role::ALL.map(|it| (it.as_str().to_owned(), t!(&format!("role.{}", it.as_str())))).to_vec());
    let about = move || t!(&format!("role.hint.{}", rights.role.get()));
    view! {
        <SelectField label=t!("people.column.role") value=rights.role options=roles name="role"/>
        <p class="muted small">{about}</p>
        <fieldset class="field">
            <legend class="label">{t!("people.types")}</legend>
            {move || all
                .get()
                .into_iter()
                .map(|row| {
                    let (text, name) = (many_of(&row), StoredValue::new(row.name.clone()));
                    let checked = Signal::derive(move || name.with_value(|name| rights.types.with(|it| it.contains(name))));
                    let change = move |on: bool| {
                        rights.types.update(|list| {
                            list.retain(|it| name.with_value(|name| it != name));
                            if on {
                                list.push(name.get_value());
                            }
                        });
                    };
                    view! { <Check text checked on_change=change/> }
                })
                .collect_view()}
            <span class="hint">{t!("people.types.hint")}</span>
        </fieldset>
    }
    .into_any()
}

#[component]
fn Invitation() -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let (email, name) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let rights = Rights::new(Role::Agent, Vec::new());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let form = Invite {
            email: email.get_untracked().trim().to_owned(),
            name: name.get_untracked().trim().to_owned(),
            role: rights.role(),
            types: rights.types.get_untracked(),
        };
        busy.set(true);
        spawn_local(async move {
            let answer = invite(cache, form).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("people.invited", email = row.email));
                }
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    view! {
        <DialogHead title=t!("people.invite.title")/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <p class="soft">{t!("people.invite.text")}</p>
                <TextField label=t!("people.invite.email") value=email kind=Input::Email name="email" error=wrong("email") autofocus=true required=true/>
                <TextField label=t!("people.invite.name") value=name name="name" hint=t!("people.invite.name.hint") error=wrong("name")/>
                <RightsFields rights/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true icon=Glyph::Send text=t!("people.invite.send") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

#[component]
fn Change(person: PersonRow) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let rights = Rights::new(person.role, person.types.clone());
    let (id, error, busy) = (person.id.clone(), RwSignal::new(None::<ApiError>), RwSignal::new(false));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let edit = EditPerson { role: Some(rights.role()), types: Some(rights.types.get_untracked()), archived: None };
        let id = id.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = change_person(cache, id, edit).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("people.saved", name = row.name));
                }
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    let email = person.email.to_string();
    view! {
        <DialogHead title=person.name sub=email/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <RightsFields rights/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("ui.save") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

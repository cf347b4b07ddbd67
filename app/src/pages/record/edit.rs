//! Title, customer's address and responsible of a record.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::records::ChangeRecord;

use super::Open;
use crate::api::ApiError;
use crate::queries::records::change_record;
use crate::queries::session::use_users;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;

#[component]
pub(super) fn EditDialog(open: Open, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            <Form open/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(open: Open) -> AnyView {
    let (dialog, users) = (use_dialog(), use_users());
    let record = open.record.state.with_untracked(|it| it.data.clone());
    let version = record.as_ref().map(|it| it.version);
    let title = RwSignal::new(record.as_ref().map(|it| it.title.clone()).unwrap_or_default());
    let old_email = record.as_ref().and_then(|it| it.email.as_ref().map(ToString::to_string)).unwrap_or_default();
    let email = RwSignal::new(old_email.clone());
    let old_responsible = record.and_then(|it| it.responsible.map(|it| it.to_string())).unwrap_or_default();
    let responsible = RwSignal::new(old_responsible.clone());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let options = Signal::derive(move || {
        let nobody = (String::new(), t!("record.nobody"));
        let users = users.data().unwrap_or_default().into_iter().map(|it| (it.user.to_string(), it.name));
        std::iter::once(nobody).chain(users).collect::<Vec<_>>()
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let changed = |now: String, old: &str| (now != old).then_some(now);
        let change = ChangeRecord {
            title: Some(title.get_untracked().trim().to_owned()),
            email: changed(email.get_untracked().trim().to_owned(), &old_email),
            responsible: changed(responsible.get_untracked(), &old_responsible),
            version,
            ..ChangeRecord::default()
        };
        let id = open.id.get_value();
        busy.set(true);
        spawn_local(async move {
            let answer = change_record(open.cache, id, change).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(()) => dialog.close(),
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <DialogHead title=t!("record.edit")/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("record.new.subject") value=title name="title" error=wrong("title") autofocus=true required=true/>
                <TextField label=t!("record.new.email") value=email kind=Input::Email name="email" error=wrong("email")/>
                <SelectField label=t!("record.details.responsible") value=responsible options error=wrong("responsible")/>
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

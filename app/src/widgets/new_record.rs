//! A new record by hand.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::records::NewRecord;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;

use super::problem::FormProblem;
use super::problem::field_error;
use crate::api::ApiError;
use crate::queries::records::create_record;
use crate::queries::session::use_users;
use crate::queries::shell::one_of;
use crate::queries::shell::stage_label;
use crate::queries::shell::use_types;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_go;
use crate::session::use_me;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;

/// The dialog; the type is chosen when the page doesn't say it.
#[component]
pub fn NewRecordDialog(kind: Option<TypeName>, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            <Form kind/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(kind: Option<TypeName>) -> AnyView {
    let (cache, go, dialog, types, me) = (use_cache(), use_go(), use_dialog(), use_types(), use_me());
    let first = kind.map(|it| it.to_string());
    let first = first.or_else(|| types.with_untracked(|all| all.first().map(|it| it.name.to_string())));
    let name = RwSignal::new(first.unwrap_or_default());
    let (title, email, customer) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let stage = RwSignal::new(String::new());
    let mine = me.get_untracked().map(|it| it.user.to_string());
    let responsible = RwSignal::new(mine.unwrap_or_default());
    let users = use_users();
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));

    let type_options = Signal::derive(move || {
        types.with(|all| all.iter().map(|it| (it.name.to_string(), one_of(it))).collect::<Vec<_>>())
    });
    let stage_options = Signal::derive(move || {
        let now = name.get();
        types.with(|all| {
            let row = all.iter().find(|it| it.name.as_str() == now);
            row.map(|it| it.stages.iter().map(|it| (it.clone(), stage_label(it))).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    let user_options = Signal::derive(move || {
        let nobody = (String::new(), t!("record.nobody"));
        let users = users.data().unwrap_or_default().into_iter().map(|it| (it.user.to_string(), it.name));
        std::iter::once(nobody).chain(users).collect::<Vec<_>>()
    });
    let some = |text: String| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Ok(kind) = TypeName::parse(name.get_untracked()) else { return };
        let new = NewRecord {
            r#type: kind,
            title: title.get_untracked().trim().to_owned(),
            email: some(email.get_untracked()),
            customer_name: some(customer.get_untracked()),
            stage: some(stage.get_untracked()),
            responsible: UserId::parse(responsible.get_untracked()).ok(),
            fields: std::collections::BTreeMap::new(),
        };
        busy.set(true);
        spawn_local(async move {
            let answer = create_record(cache, new).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(record) => {
                    dialog.close();
                    go.to(Page::Record(record.id).href());
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <DialogHead title=t!("record.new.title")/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <SelectField label=t!("record.new.type") value=name options=type_options error=wrong("type")/>
                <TextField label=t!("record.new.subject") value=title error=wrong("title") name="title" autofocus=true required=true/>
                <div class="form-two">
                    <TextField label=t!("record.new.customer") value=customer error=wrong("customer_name") name="customer_name"/>
                    <TextField label=t!("record.new.email") value=email kind=Input::Email error=wrong("email") name="email"/>
                </div>
                <div class="form-two">
                    <SelectField label=t!("record.details.responsible") value=responsible options=user_options error=wrong("responsible")/>
                    <SelectField label=t!("record.stage") value=stage options=stage_options error=wrong("stage")/>
                </div>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("record.new.create") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

//! Settings › Templates: ready texts for mail to customers, with fields that the record fills.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::templates::FilledTemplate;
use mailroom_shared::api::templates::TemplateContent;
use mailroom_shared::api::templates::TemplateRow;
use mailroom_shared::template::FIELDS;

use crate::api::ApiError;
use crate::dates;
use crate::pages::shell::use_crumbs;
use crate::queries::templates::delete_template;
use crate::queries::templates::preview_template;
use crate::queries::templates::save_template;
use crate::queries::templates::use_templates;
use crate::queries::use_cache;
use crate::t;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::read_body;

/// Nothing, a new template, or one that is changed.
type Editing = RwSignal<Option<Option<TemplateRow>>>;

#[component]
pub fn TemplatesPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("templates.title"), None)]);
    let templates = use_templates();
    // Some(None) writes a new one.
    let editing = RwSignal::new(None::<Option<TemplateRow>>);
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("templates.title")}</h1><p>{t!("templates.text")}</p></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("templates.new") on_press=move |()| editing.set(Some(None))/>
                </div>
            </div>
            {read_body(templates, move |rows| {
                if rows.is_empty() {
                    return view! { <Blank title=t!("templates.none") text=t!("templates.none.text")/> }.into_any();
                }
                view! { <Table rows editing/> }.into_any()
            })}
            {move || editing.get().map(|row| view! {
                <Dialog on_close=move |()| editing.set(None)><Editor row/></Dialog>
            })}
        </main>
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<TemplateRow>, editing: Editing) -> AnyView {
    let lines = rows
        .into_iter()
        .map(|row| {
            let (name, subject) = (row.content.name.clone(), row.content.subject.clone());
            let for_tests = name.clone();
            let (by, changed) = (row.by.clone(), row.changed);
            view! {
                <tr data-template=for_tests>
                    <td class="med">
                        <button type="button" class="link" on:click=move |_| editing.set(Some(Some(row.clone())))>{name}</button>
                    </td>
                    <td class="muted trunc">{subject}</td>
                    <td class="muted" data-label=t!("templates.column.by")>{by}</td>
                    <td class="r muted" data-label=t!("templates.column.changed")><Age at=changed/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("templates.title")>
            <table class="tbl" style="min-width:640px">
                <colgroup><col/><col/><col style="width:150px"/><col style="width:110px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("templates.name")}</th>
                        <th>{t!("templates.subject")}</th>
                        <th>{t!("templates.column.by")}</th>
                        <th class="r">{t!("templates.column.changed")}</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Editor(row: Option<TemplateRow>) -> AnyView {
    let (cache, dialog, toasts) = (use_cache(), use_dialog(), use_toasts());
    let title = if row.is_some() { t!("templates.edit") } else { t!("templates.new") };
    let content = row.as_ref().map(|it| it.content.clone()).unwrap_or_default();
    let id = StoredValue::new(row.map(|it| it.id));
    let (name, subject) = (RwSignal::new(content.name), RwSignal::new(content.subject));
    let text = RwSignal::new(content.text);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let shown = RwSignal::new(None::<FilledTemplate>);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let typed = Memo::new(move |_| TemplateContent { name: name.get(), subject: subject.get(), text: text.get() });
    // The preview follows what is typed, a moment later.
    Effect::new(move |_| {
        let asked = typed.get();
        spawn_local(async move {
            dates::sleep(300).await;
            if asked.text.trim().is_empty() || typed.try_get_untracked().is_none_or(|it| it != asked) {
                return;
            }
            match preview_template(asked).await {
                Ok(it) => {
                    let _ = (shown.try_set(Some(it)), error.try_set(None));
                }
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        busy.set(true);
        let (id, content) = (id.get_value(), typed.get_untracked());
        spawn_local(async move {
            let answer = save_template(cache, id.as_deref(), &content).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(_) => {
                    toasts.done(t!("templates.saved"));
                    dialog.close();
                }
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    let delete = move |()| {
        let Some(id) = id.get_value() else { return };
        spawn_local(async move {
            match delete_template(cache, &id).await {
                Ok(_) => {
                    toasts.done(t!("templates.deleted"));
                    dialog.close();
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let fields = FIELDS.map(|it| {
        let field = format!("{{{{{it}}}}}");
        let shown = field.clone();
        view! {
            <button type="button" class="chip" on:click=move |_| text.update(|it| it.push_str(&field))>{shown}</button>
        }
    });
    view! {
        <DialogHead title/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("templates.name") value=name name="name" error=wrong("name") autofocus=true required=true/>
                <TextField label=t!("templates.subject") value=subject name="subject" hint=t!("templates.subject.hint") error=wrong("subject")/>
                <TextField label=t!("templates.body") value=text name="text" kind=Input::Lines error=wrong("text") required=true/>
                <div class="fields row row--wrap"><span class="muted small">{t!("templates.fields")}</span>{fields}</div>
                {move || shown.get().map(|it| view! {
                    <section class="card" aria-label=t!("templates.preview") data-preview="">
                        <header class="card-head">
                            <h3>{t!("templates.preview")}</h3>
                            <span class="sub">{t!("templates.preview.of", title = it.record)}</span>
                        </header>
                        <div class="card-body">
                            <p class="med">{it.subject}</p>
                            <p style="white-space:pre-wrap">{it.text}</p>
                        </div>
                    </section>
                })}
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                {id.with_value(Option::is_some).then(|| view! {
                    <Button kind=Kind::Danger text=t!("templates.delete") on_press=delete/>
                })}
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("templates.save") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

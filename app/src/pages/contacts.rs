//! People and companies.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::contacts::ContactQuery;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::contacts::EditContact;

use crate::api::ApiError;
use crate::dates;
use crate::model::composer::addresses;
use crate::model::filters;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::List;
use crate::queries::contacts::save_contact;
use crate::queries::contacts::use_contacts;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_query;
use crate::t;
use crate::tn;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::toast::use_toasts;
use crate::ui::window::is_narrow;
use crate::ui::window::use_window;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

/// Nothing, a new contact, or one that is changed.
type Editing = RwSignal<Option<Option<ContactRow>>>;

#[component]
pub fn ContactsPage() -> AnyView {
    use_crumbs(vec![(t!("contacts.title"), None)]);
    let query = use_query();
    let list = use_contacts(move || {
        query.with(|it| ContactQuery { q: it.get("q").map(str::to_owned), cursor: None, limit: Some(filters::PAGE) })
    });
    let editing: Editing = RwSignal::new(None);
    let empty = move || {
        let inside = if query.with(|it| it.get("q").is_some()) {
            view! { <Blank art=Art::Search title=t!("contacts.none") text=t!("contacts.none.text")/> }.into_any()
        } else {
            view! { <Blank title=t!("contacts.empty") text=t!("contacts.empty.text")/> }.into_any()
        };
        view! { <section class="card">{inside}</section> }.into_any()
    };
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("contacts.title")}</h1><p>{t!("contacts.text")}</p></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("contacts.new") on_press=move |()| editing.set(Some(None))/>
                </div>
            </div>
            <div class="toolbar"><ListSearch placeholder=t!("contacts.search")/></div>
            {list_body(list, empty, move || view! { <Table list editing/> }.into_any())}
            {move || editing.get().map(|contact| view! { <ContactDialog contact on_close=move |()| editing.set(None)/> })}
        </main>
    }
    .into_any()
}

fn row_height() -> f64 {
    if is_narrow() { 68.0 } else { 36.0 }
}

#[component]
fn Table(list: List<ContactRow>, editing: Editing) -> AnyView {
    let host = NodeRef::<html::Div>::new();
    let total = Signal::derive(move || list.rows.with(Vec::len));
    let window = use_window(total, row_height, host);
    let visible = move || {
        let (start, end) = window.get();
        list.rows.with(|all| all.get(start..end.min(all.len())).map(<[_]>::to_vec).unwrap_or_default())
    };
    let pad = |n: usize| format!("height:{}px", n * row_height() as usize);
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("contacts.title") node_ref=host>
            <table class="tbl" style="min-width:640px">
                <colgroup><col/><col/><col style="width:112px"/><col style="width:120px"/><col style="width:48px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("contacts.column.name")}</th>
                        <th>{t!("contacts.column.addresses")}</th>
                        <th class="r">{t!("contacts.column.records")}</th>
                        <th class="r">{t!("contacts.column.since")}</th>
                        <th><span class="vh">{t!("contacts.edit")}</span></th>
                    </tr>
                </thead>
                <tbody>
                    {move || (window.get().0 > 0).then(|| view! { <tr aria-hidden="true" style=pad(window.get().0)></tr> })}
                    <For each=visible key=|it| format!("{} {} {:?} {}", it.id, it.name, it.emails, it.records) let:row>
                        <Line row editing/>
                    </For>
                    {move || {
                        let below = total.get().saturating_sub(window.get().1);
                        (below > 0).then(|| view! { <tr aria-hidden="true" style=pad(below)></tr> })
                    }}
                </tbody>
            </table>
        </div>
        {list_foot(list, Signal::derive(move || window.get().1))}
    }
    .into_any()
}

#[component]
fn Line(row: ContactRow, editing: Editing) -> AnyView {
    let side = if row.internal { Side::Us } else { Side::Them };
    let first = row.emails.first().map(ToString::to_string).unwrap_or_default();
    let more = row.emails.len().saturating_sub(1);
    let href = format!(
        "/search?q={}",
        mailroom_shared::api::percent_encode(if first.is_empty() { &row.name } else { &first })
    );
    let all = row.emails.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let page = Page::Contact(row.id.clone()).href();
    let for_edit = row.clone();
    view! {
        <tr data-contact=row.id.to_string()>
            <td>
                <span class="row">
                    <Avatar name=row.name.clone() side small=true/>
                    <a class="trunc" href=page>{row.name.clone()}</a>
                    {row.internal.then(|| view! { <Tag tone=Tone::Accent text=t!("contacts.internal")/> })}
                </span>
            </td>
            <td title=all>{first}{(more > 0).then(|| view! { <span class="muted">" +"{more}</span> })}</td>
            <td class="r">
                {if row.records > 0 {
                    view! { <a href=href aria-label=tn!("contacts.records", row.records)>{dates::number(row.records)}</a> }.into_any()
                } else {
                    view! { <span class="muted">"–"</span> }.into_any()
                }}
            </td>
            <td class="r muted">{dates::format(row.created, dates::Style::Date)}</td>
            <td><span class="acts"><Button kind=Kind::Ghost icon=Glyph::Edit label=t!("contacts.edit") on_press=move |()| editing.set(Some(Some(for_edit.clone())))/></span></td>
        </tr>
    }
    .into_any()
}

#[component]
pub fn ContactDialog(contact: Option<ContactRow>, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            <Form contact/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(contact: Option<ContactRow>) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let id = contact.as_ref().map(|it| it.id.clone());
    let title = if id.is_some() { t!("contacts.edit") } else { t!("contacts.new") };
    let name = RwSignal::new(contact.as_ref().map(|it| it.name.clone()).unwrap_or_default());
    let all = contact.map(|it| it.emails.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    let emails = RwSignal::new(all.unwrap_or_default());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let edit =
            EditContact { name: name.get_untracked().trim().to_owned(), emails: addresses(&emails.get_untracked()) };
        let id = id.clone();
        busy.set(true);
        spawn_local(async move {
            let answer = save_contact(cache, id, edit).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("contacts.saved", name = row.name));
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    view! {
        <DialogHead title/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("contacts.name") value=name name="name" error=wrong("name") autofocus=true required=true/>
                <TextField label=t!("contacts.emails") value=emails kind=Input::Lines name="emails" hint=t!("contacts.emails.hint") error=wrong("emails")/>
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

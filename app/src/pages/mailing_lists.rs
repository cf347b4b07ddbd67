//! Mailing lists: members, import with a preview, export.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::mailing_lists::ActOnMember;
use mailroom_shared::api::mailing_lists::ImportMembers;
use mailroom_shared::api::mailing_lists::ImportReport;
use mailroom_shared::api::mailing_lists::MailingListRow;
use mailroom_shared::api::mailing_lists::MailingListSettings;
use mailroom_shared::api::mailing_lists::MemberAct;
use mailroom_shared::api::mailing_lists::MemberQuery;
use mailroom_shared::api::mailing_lists::MemberRow;
use mailroom_shared::api::mailing_lists::NewMember;
use mailroom_shared::id::MailingListId;
use wasm_bindgen_futures::JsFuture;

use crate::api::ApiError;
use crate::dates;
use crate::model::filters;
use crate::pages::campaigns::tabs;
use crate::pages::records::ListSearch;
use crate::pages::shell::use_crumbs;
use crate::queries::List;
use crate::queries::campaigns::act_on_member;
use crate::queries::campaigns::add_member;
use crate::queries::campaigns::import_members;
use crate::queries::campaigns::save_mailing_list;
use crate::queries::campaigns::use_mailing_lists;
use crate::queries::campaigns::use_members;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_query;
use crate::routes::use_set_query;
use crate::t;
use crate::tn;
use crate::ui::blank::Art;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::seg::Tabs;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::list_body;
use crate::widgets::rows::list_foot;

/// Nothing, a new list, or one that is changed.
type Editing = RwSignal<Option<Option<MailingListRow>>>;

#[component]
pub fn MailingListsPage() -> AnyView {
    use_crumbs(vec![(t!("campaigns.title"), Some(Page::Campaigns.href())), (t!("lists.title"), None)]);
    let lists = use_mailing_lists();
    let editing: Editing = RwSignal::new(None);
    let query = use_query();
    let chosen = Memo::new(move |_| query.with(|it| it.get("list").and_then(|it| MailingListId::parse(it).ok())));
    let retry = Callback::new(move |()| lists.retry());
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("lists.title")}</h1><p>{t!("lists.text")}</p></div>
                <div class="acts"><Button kind=Kind::Primary icon=Glyph::Plus text=t!("lists.new") on_press=move |()| editing.set(Some(None))/></div>
            </div>
            <Tabs label=t!("campaigns.title") tabs=tabs(&Page::MailingLists)/>
            {move || match lists.state.get() {
                it if it.data.is_some() => {
                    let rows = it.data.unwrap_or_default();
                    if rows.is_empty() {
                        view! { <section class="card"><Blank title=t!("lists.empty") text=t!("lists.empty.text")/></section> }.into_any()
                    } else {
                        table(rows, editing)
                    }
                }
                it => match it.problem {
                    Some(error) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    None => view! { <SkeletonList/> }.into_any(),
                },
            }}
            {move || chosen.get().map(|id| view! { <Members id/> })}
            {move || editing.get().map(|row| view! {
                <Dialog class="dialog--sm" on_close=move |()| editing.set(None)><Form row/></Dialog>
            })}
        </main>
    }
    .into_any()
}

fn table(rows: Vec<MailingListRow>, editing: Editing) -> AnyView {
    let lines = rows
        .into_iter()
        .map(|row| {
            let valid = row.members.saturating_sub(row.opted_out + row.suppressed);
            let href = format!("{}?list={}", Page::MailingLists.href(), row.id);
            let for_edit = row.clone();
            view! {
                <tr data-list=row.settings.name.clone()>
                    <td>
                        <span class="row">
                            <a class="med trunc" href=href>{row.settings.name.clone()}</a>
                            {row.settings.public.then(|| view! { <Tag text=t!("lists.public")/> })}
                            {row.settings.archived.then(|| view! { <Tag text=t!("lists.archived")/> })}
                        </span>
                    </td>
                    <td class="r num" data-label=t!("lists.column.members")>{dates::number(row.members)}</td>
                    <td class="r num" data-label=t!("lists.column.valid")>{dates::number(valid)}</td>
                    <td class="r num muted" data-label=t!("lists.column.opted_out")>{dates::number(row.opted_out)}</td>
                    <td class="r num muted" data-label=t!("lists.column.suppressed")>{dates::number(row.suppressed)}</td>
                    <td class="r">
                        <Button kind=Kind::Ghost small=true icon=Glyph::Edit label=t!("lists.edit", name = row.settings.name)
                            on_press=move |()| editing.set(Some(Some(for_edit.clone())))/>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("lists.title")>
            <table class="tbl" style="min-width:680px">
                <colgroup><col/><col style="width:100px"/><col style="width:120px"/><col style="width:110px"/><col style="width:120px"/><col style="width:60px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("lists.column.name")}</th>
                        <th class="r">{t!("lists.column.members")}</th>
                        <th class="r">{t!("lists.column.valid")}</th>
                        <th class="r">{t!("lists.column.opted_out")}</th>
                        <th class="r">{t!("lists.column.suppressed")}</th>
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
fn Form(row: Option<MailingListRow>) -> AnyView {
    let (cache, dialog, set_query) = (use_cache(), use_dialog(), use_set_query());
    let (id, it) = (row.as_ref().map(|it| it.id.clone()), row.map(|it| it.settings));
    let title = if id.is_some() { t!("lists.change") } else { t!("lists.new") };
    let name = RwSignal::new(it.as_ref().map(|it| it.name.clone()).unwrap_or_default());
    let public = RwSignal::new(it.as_ref().is_none_or(|it| it.public));
    let archived = RwSignal::new(it.is_some_and(|it| it.archived));
    let is_old = id.is_some();
    let error = RwSignal::new(None::<ApiError>);
    let wrong = Signal::derive(move || error.with(|it| field_error(it.as_ref(), "name")));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let settings = MailingListSettings {
            name: name.get_untracked(),
            public: public.get_untracked(),
            archived: archived.get_untracked(),
        };
        let id = id.clone();
        spawn_local(async move {
            match save_mailing_list(cache, id, settings).await {
                Ok(row) => {
                    dialog.close();
                    set_query("list", Some(row.id.to_string()));
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
                <TextField label=t!("lists.column.name") value=name name="name" error=wrong autofocus=true required=true/>
                <Check checked=public text=t!("lists.public.hint") on_change=move |on| public.set(on)/>
                {is_old.then(|| view! { <Check checked=archived text=t!("lists.archive") on_change=move |on| archived.set(on)/> })}
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("ui.save")/>
            </footer>
        </form>
    }
    .into_any()
}

/// The members of one list.
#[component]
fn Members(id: MailingListId) -> AnyView {
    let query = use_query();
    let list = use_members(id.clone(), move || MemberQuery {
        q: query.with(|it| it.get("q").map(str::to_owned)),
        cursor: None,
        limit: Some(filters::PAGE),
    });
    let file = RwSignal::new(None::<String>);
    let empty = move || {
        view! { <section class="card"><Blank art=Art::Search title=t!("lists.nobody") text=t!("lists.nobody.text")/></section> }
            .into_any()
    };
    let export = format!("/api/v1/mailing-lists/{id}/members.csv");
    let (for_import, for_add, for_rows) = (id.clone(), id.clone(), StoredValue::new(id));
    view! {
        <div class="toolbar mt-4">
            <ListSearch placeholder=t!("lists.search")/>
            <Add id=for_add/>
            <span class="row push"><ChooseFile file/><a class="btn" href=export download="members.csv">{t!("lists.export")}</a></span>
        </div>
        {list_body(list, empty, move || view! { <Table id=for_rows.get_value() list/> }.into_any())}
        {move || file.get().map(|csv| {
            let id = for_import.clone();
            view! { <Dialog on_close=move |()| file.set(None)><Import id csv/></Dialog> }
        })}
    }
    .into_any()
}

#[component]
fn ChooseFile(file: RwSignal<Option<String>>) -> AnyView {
    let input = NodeRef::<html::Input>::new();
    let chosen = move |_| {
        let Some(found) = input.get_untracked().and_then(|it| it.files()).and_then(|it| it.get(0)) else { return };
        spawn_local(async move {
            let text = JsFuture::from(found.text()).await.ok().and_then(|it| it.as_string()).unwrap_or_default();
            let _ = file.try_set(Some(text));
            // The same file may be chosen again.
            if let Some(input) = input.get_untracked() {
                input.set_value("");
            }
        });
    };
    view! {
        <label class="btn">
            {t!("lists.import")}
            <input class="vh" type="file" name="csv" accept=".csv,text/csv,text/plain" node_ref=input on:change=chosen/>
        </label>
    }
    .into_any()
}

/// What the file would come to, then what it did.
#[component]
fn Import(id: MailingListId, csv: String) -> AnyView {
    let (cache, dialog, toasts) = (use_cache(), use_dialog(), use_toasts());
    let report = RwSignal::new(None::<Result<ImportReport, ApiError>>);
    let (id, csv) = (StoredValue::new(id), StoredValue::new(csv));
    let ask = move |preview: bool| {
        let (id, csv) = (id.get_value(), csv.get_value());
        spawn_local(async move {
            let answer = import_members(cache, id, ImportMembers { csv, preview }).await;
            if let (false, Ok(done)) = (preview, &answer) {
                toasts.done(tn!("lists.imported", done.added));
                dialog.close();
            }
            let _ = report.try_set(Some(answer));
        });
    };
    ask(true);
    view! {
        <DialogHead title=t!("lists.import")/>
        <div class="dialog-body dialog-body--form stack gap-3">
            {move || match report.get() {
                None => view! { <SkeletonList/> }.into_any(),
                Some(Err(error)) => view! { <ProblemBlank error on_retry=move |()| ask(true)/> }.into_any(),
                Some(Ok(it)) => shown(&it),
            }}
        </div>
        <footer class="dialog-foot">
            <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
            <Button kind=Kind::Primary text=t!("lists.import.do") on_press=move |()| ask(false)/>
        </footer>
    }
    .into_any()
}

fn shown(it: &ImportReport) -> AnyView {
    let sample =
        it.sample.iter().map(|it| view! { <li>{it.name.clone()}" <"{it.address.clone()}">"</li> }).collect_view();
    let wrong = it
        .wrong
        .iter()
        .map(|it| {
            view! {
                <tr>
                    <td class="r num">{it.line}</td>
                    <td class="bad">{t!(&format!("lists.line.{}", it.problem))}</td>
                    <td class="muted trunc">{it.text.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = it.columns.iter().map(|it| format!("{{{{contact.{it}}}}}")).collect::<Vec<_>>().join(", ");
    view! {
        <p><b>{tn!("lists.would_add", it.added)}</b>" "{(it.known > 0).then(|| tn!("lists.would_know", it.known))}</p>
        {(!columns.is_empty()).then(|| view! { <p class="soft">{t!("lists.columns", columns = columns)}</p> })}
        <ul class="soft">{sample}</ul>
        {(it.n_wrong > 0).then(|| view! {
            <p class="warn">{tn!("lists.wrong", it.n_wrong)}</p>
            <div class="tbl-scroll" tabindex="0" role="region" aria-label=t!("lists.import")><table class="tbl tbl--inner"><tbody>{wrong}</tbody></table></div>
        })}
    }
    .into_any()
}

/// One address, by hand.
#[component]
fn Add(id: MailingListId) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let address = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let (id, new) = (id.clone(), NewMember { address: address.get_untracked(), name: String::new() });
        spawn_local(async move {
            match add_member(cache, id, new).await {
                Ok(()) => address.set(String::new()),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <form class="row" on:submit=submit>
            <input class="input" type="email" name="address" required autocomplete="off" aria-label=t!("lists.address")
                placeholder=t!("lists.address") prop:value=address on:input=move |event| address.set(event_target_value(&event))/>
            <Button icon=Glyph::Plus text=t!("lists.add") submit=true/>
        </form>
    }
    .into_any()
}

#[component]
fn Table(id: MailingListId, list: List<MemberRow>) -> AnyView {
    let end = Signal::derive(move || list.rows.with(Vec::len));
    let id = StoredValue::new(id);
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("lists.members.title")>
            <table class="tbl" style="min-width:640px">
                <colgroup><col/><col/><col style="width:190px"/><col style="width:110px"/><col style="width:170px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("lists.column.address")}</th>
                        <th>{t!("lists.column.name")}</th>
                        <th>{t!("lists.column.state")}</th>
                        <th>{t!("lists.column.since")}</th>
                        <th></th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.rows.get() key=|it| format!("{it:?}") let:row>
                        <Line id=id.get_value() row/>
                    </For>
                </tbody>
            </table>
        </div>
        {list_foot(list, end)}
    }
    .into_any()
}

#[component]
fn Line(id: MailingListId, row: MemberRow) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let now = dates::now();
    let state = match (row.opted_out, row.is_suppressed) {
        (Some(at), _) => {
            let by = row.by.clone().unwrap_or_else(|| t!("lists.by_member"));
            view! { <Tag text=t!("lists.opted_out", when = dates::when_text(at, now)) title=by/> }.into_any()
        }
        (None, true) => view! { <Tag tone=Tone::Amber text=t!("lists.suppressed")/> }.into_any(),
        (None, false) => view! { <span class="soft">{t!("lists.active")}</span> }.into_any(),
    };
    let act = {
        let address = row.address.clone();
        move |act: MemberAct| {
            let (id, address) = (id.clone(), address.clone());
            spawn_local(async move {
                if let Err(error) = act_on_member(cache, id, ActOnMember { address, act }).await {
                    toast_problem(toasts, &error);
                }
            });
        }
    };
    let is_out = row.opted_out.is_some();
    let (turn, remove) = (act.clone(), act);
    view! {
        <tr data-member=row.address.clone()>
            <td class="trunc">{row.address.clone()}</td>
            <td class="trunc">{row.name}</td>
            <td>{state}</td>
            <td class="muted num" data-label=t!("lists.column.since")>{dates::when_text(row.added, now)}</td>
            <td class="r">
                <span class="acts">
                    <Button kind=Kind::Ghost small=true text=if is_out { t!("lists.opt_in") } else { t!("lists.opt_out") }
                        on_press=move |()| turn(if is_out { MemberAct::OptIn } else { MemberAct::OptOut })/>
                    <Button kind=Kind::Ghost small=true icon=Glyph::Trash label=t!("lists.remove", address = row.address)
                        on_press=move |()| remove(MemberAct::Remove)/>
                </span>
            </td>
        </tr>
    }
    .into_any()
}

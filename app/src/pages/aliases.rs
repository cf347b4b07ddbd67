//! Settings › Aliases and domains: the addresses that take mail, and the domains they belong to.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::DomainRow;
use mailroom_shared::api::aliases::EditDomain;

use crate::api::ApiError;
use crate::dates;
use crate::pages::incoming::is_administrator;
use crate::pages::shell::use_crumbs;
use crate::queries::aliases::delete_domain;
use crate::queries::aliases::save_domain;
use crate::queries::aliases::use_aliases;
use crate::queries::aliases::use_domains;
use crate::queries::shell::one_of;
use crate::queries::shell::use_types;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::session::use_me;
use crate::t;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::dkim::DkimKeys;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::read_body;

/// Nothing, a new domain, or one that is changed.
type Editing = RwSignal<Option<Option<DomainRow>>>;

#[component]
pub fn AliasesPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("aliases.title"), None)]);
    let aliases = use_aliases();
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("aliases.title")}</h1><p>{t!("aliases.text")}</p></div>
                <div class="acts"><NewLink/></div>
            </div>
            {read_body(aliases, move |rows| view! { <Table rows/> }.into_any())}
            <Domains/>
        </main>
    }
    .into_any()
}

/// Only administrators change addresses.
fn use_is_admin() -> Memo<bool> {
    let me = use_me();
    Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(is_administrator)))
}

#[component]
fn NewLink() -> AnyView {
    let is_admin = use_is_admin();
    view! {
        {move || is_admin.get().then(|| view! {
            <a class="btn btn--primary" href=Page::Alias(None).href()><Icon glyph=Glyph::Plus/>{t!("aliases.new")}</a>
        })}
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<AliasRow>) -> AnyView {
    if rows.is_empty() {
        return view! {
            <section class="card"><Blank title=t!("aliases.empty") text=t!("aliases.empty.text")><NewLink/></Blank></section>
        }
        .into_any();
    }
    let lines = rows.into_iter().map(|row| view! { <Line row/> }).collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("aliases.title")>
            <table class="tbl" style="min-width:880px">
                <colgroup><col/><col style="width:220px"/><col style="width:188px"/><col style="width:150px"/><col style="width:96px"/><col style="width:128px"/></colgroup>
                <thead>
                    <tr>
                        <th>{t!("aliases.column.address")}</th>
                        <th>{t!("aliases.column.target")}</th>
                        <th>{t!("aliases.column.rule")}</th>
                        <th>{t!("aliases.column.state")}</th>
                        <th class="r">{t!("aliases.column.received")}</th>
                        <th class="r">{t!("aliases.column.last")}</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Line(row: AliasRow) -> AnyView {
    let types = use_types();
    let target = match (row.creates.clone(), row.record.clone()) {
        (Some(kind), _) => {
            let name = move || {
                types.with(|all| all.iter().find(|it| it.name == kind).map(one_of)).unwrap_or_else(|| kind.to_string())
            };
            view! { {move || t!("aliases.creates", kind = name())} }.into_any()
        }
        (None, Some(record)) => {
            let number = row.record_number.clone().unwrap_or_default();
            view! { <a class="ref" href=Page::Record(record).href()><span>{number}</span>" "{row.record_title.clone()}</a> }.into_any()
        }
        (None, None) => ().into_any(),
    };
    let state = view! { <StateTag row=row.clone()/> };
    let address = row.address.to_string();
    let href = Page::Alias(Some(row.id.clone())).href();
    let others: Vec<String> = row.also.iter().chain(&row.former).map(ToString::to_string).collect();
    let more = (!others.is_empty())
        .then(|| view! { " "<span class="muted" title=others.join(", ")>{format!("+{}", others.len())}</span> });
    view! {
        <tr data-alias=row.id.to_string()>
            <td><a href=href>{address}</a>{more}</td>
            <td>{target}</td>
            <td class="soft">{t!(&format!("aliases.rule.{}", row.contact_rule.as_str()))}</td>
            <td>{state}</td>
            <td class="r">{dates::number(row.received)}</td>
            <td class="r muted">{row.last_received.map(|at| view! { <Age at/> })}</td>
        </tr>
    }
    .into_any()
}

/// Whether an alias is known to work, and since when it does not.
#[component]
pub(crate) fn StateTag(row: AliasRow) -> AnyView {
    if row.is_orphan {
        return view! { <Tag tone=Tone::Red icon=Glyph::Ban text=t!("aliases.state.orphan") title=t!("aliases.state.orphan.text")/> }
            .into_any();
    }
    let (tone, icon) = match row.state {
        AliasState::NotTested => (Tone::Plain, Glyph::Clock),
        AliasState::Valid => (Tone::Green, Glyph::Check),
        AliasState::Failing => (Tone::Red, Glyph::Alert),
    };
    let since = row.failing_since.map(|at| t!("aliases.failing_since", when = dates::when_text(at, dates::now())));
    let state = t!(&format!("aliases.state.{}", row.state.as_str()));
    let text = since.map_or_else(|| state.clone(), |since| format!("{state} · {since}"));
    view! { <Tag tone icon=icon text/> }.into_any()
}

#[component]
fn Domains() -> AnyView {
    let domains = use_domains();
    let is_admin = use_is_admin();
    let editing: Editing = RwSignal::new(None);
    view! {
        {move || domains.data().map(|rows| view! {
            <div class="row section-head">
                <h2 class="section-title">{t!("domains.title")}</h2>
                {move || is_admin.get().then(|| view! {
                    <Button class="push" icon=Glyph::Plus text=t!("domains.new") on_press=move |()| editing.set(Some(None))/>
                })}
            </div>
            <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("domains.title")>
                <table class="tbl" style="min-width:720px">
                    <thead>
                        <tr>
                            <th>{t!("domains.column.name")}</th>
                            <th>{t!("domains.column.catchall")}</th>
                            <th>{t!("domains.column.bounce")}</th>
                            <th>{t!("domains.column.from")}</th>
                            <th class="r">{t!("domains.column.aliases")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().map(|row| view! { <DomainLine row editing is_admin/> }).collect_view()}</tbody>
                </table>
            </div>
        })}
        {move || is_admin.get().then(|| view! { <DkimKeys/> })}
        {move || editing.get().map(|domain| view! {
            <Dialog class="dialog--sm" on_close=move |()| editing.set(None)><DomainForm domain/></Dialog>
        })}
    }
    .into_any()
}

#[component]
fn DomainLine(row: DomainRow, editing: Editing, is_admin: Memo<bool>) -> AnyView {
    let at = |local: &str| match local {
        "" => "–".to_owned(),
        _ if local.contains('@') => local.to_owned(),
        _ => format!("{local}@{}", row.name),
    };
    let for_edit = StoredValue::new(row.clone());
    view! {
        <tr data-domain=row.name.to_string()>
            <td class="med">
                {move || {
                    let name = for_edit.with_value(|it| it.name.to_string());
                    if is_admin.get() {
                        view! { <button type="button" class="link" on:click=move |_| editing.set(Some(Some(for_edit.get_value())))>{name}</button> }.into_any()
                    } else {
                        name.into_any()
                    }
                }}
            </td>
            <td data-label=t!("domains.column.catchall")>{at(&row.catchall)}</td>
            <td data-label=t!("domains.column.bounce")>{at(&row.bounce)}</td>
            <td data-label=t!("domains.column.from")>{at(&row.default_from)}</td>
            <td class="r" data-label=t!("domains.column.aliases")>{dates::number(row.aliases)}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn DomainForm(domain: Option<DomainRow>) -> AnyView {
    let (cache, toasts, dialog) = (use_cache(), use_toasts(), use_dialog());
    let is_new = domain.is_none();
    let title = domain.as_ref().map_or_else(|| t!("domains.new"), |it| it.name.to_string());
    let old = StoredValue::new(domain.clone());
    let text = |get: fn(&DomainRow) -> String, default: &str| {
        RwSignal::new(domain.as_ref().map_or_else(|| default.to_owned(), get))
    };
    let name = text(|it| it.name.to_string(), "");
    let catchall = text(|it| it.catchall.clone(), "catchall");
    let bounce = text(|it| it.bounce.clone(), "bounce");
    let sender = text(|it| it.default_from.clone(), "notifications");
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let edit = move || EditDomain {
        name: name.get_untracked().trim().to_owned(),
        catchall: catchall.get_untracked(),
        bounce: bounce.get_untracked(),
        default_from: sender.get_untracked(),
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        busy.set(true);
        spawn_local(async move {
            let answer = save_domain(cache, is_new, edit()).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("domains.saved", name = row.name));
                }
                Err(it) => {
                    let _ = error.try_set(Some(it));
                }
            }
        });
    };
    let remove = move |()| {
        let Some(domain) = old.get_value() else { return };
        dialog.close();
        spawn_local(async move {
            let name = domain.name.to_string();
            match delete_domain(cache, &name).await {
                Ok(()) => {
                    let back = EditDomain {
                        name: name.clone(),
                        catchall: domain.catchall,
                        bounce: domain.bounce,
                        default_from: domain.default_from,
                    };
                    let undo = Callback::new(move |()| {
                        let back = back.clone();
                        spawn_local(async move {
                            if let Err(error) = save_domain(cache, true, back).await {
                                toast_problem(toasts, &error);
                            }
                        });
                    });
                    let detail = if domain.aliases > 0 {
                        crate::tn!("domains.deleted.aliases", domain.aliases)
                    } else {
                        String::new()
                    };
                    toasts.show(Toast::new(Glyph::Trash, t!("domains.deleted", name = name)).detail(detail).undo(undo));
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <DialogHead title/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                {is_new.then(|| view! {
                    <TextField label=t!("domains.column.name") value=name name="name" placeholder="corp.example" hint=t!("domains.name.hint") error=wrong("name") autofocus=true required=true/>
                })}
                <TextField label=t!("domains.column.catchall") value=catchall name="catchall" hint=t!("domains.catchall.hint") error=wrong("catchall")/>
                <TextField label=t!("domains.column.bounce") value=bounce name="bounce" hint=t!("domains.bounce.hint") error=wrong("bounce")/>
                <TextField label=t!("domains.column.from") value=sender name="default_from" hint=t!("domains.from.hint") error=wrong("default_from")/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                {(!is_new).then(|| view! {
                    <Button kind=Kind::Danger icon=Glyph::Trash text=t!("domains.delete") on_press=remove/>
                })}
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("ui.save") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

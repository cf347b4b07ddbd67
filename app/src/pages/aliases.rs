//! Settings › Aliases: the addresses that take mail, and the domains they belong to.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::aliases::EditAlias;
use mailroom_shared::api::aliases::RuleOutcome;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;

use crate::api::ApiError;
use crate::dates;
use crate::model::composer::addresses;
use crate::pages::shell::use_crumbs;
use crate::queries::aliases::delete_alias;
use crate::queries::aliases::save_alias;
use crate::queries::aliases::use_aliases;
use crate::queries::aliases::use_domains;
use crate::queries::session::use_users;
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
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::skeleton::SkeletonList;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::ProblemBlank;
use crate::widgets::problem::StaleNotice;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

/// Nothing, a new alias, or one that is changed.
type Editing = RwSignal<Option<Option<AliasRow>>>;

#[component]
pub fn AliasesPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("aliases.title"), None)]);
    let aliases = use_aliases();
    let editing: Editing = RwSignal::new(None);
    let retry = Callback::new(move |()| aliases.retry());
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("aliases.title")}</h1><p>{t!("aliases.text")}</p></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("aliases.new") on_press=move |()| editing.set(Some(None))/>
                </div>
            </div>
            {move || {
                let state = aliases.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=retry/> }.into_any(),
                    (Some(rows), problem) => view! {
                        {problem.map(|error| view! { <StaleNotice error on_retry=retry/> })}
                        <Table rows editing/>
                    }
                    .into_any(),
                }
            }}
            <Domains/>
            {move || editing.get().map(|alias| view! { <AliasDialog alias on_close=move |()| editing.set(None)/> })}
        </main>
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<AliasRow>, editing: Editing) -> AnyView {
    if rows.is_empty() {
        return view! {
            <section class="card">
                <Blank title=t!("aliases.empty") text=t!("aliases.empty.text")>
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("aliases.new") on_press=move |()| editing.set(Some(None))/>
                </Blank>
            </section>
        }
        .into_any();
    }
    let lines = rows.into_iter().map(|row| view! { <Line row editing/> }).collect_view();
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
fn Line(row: AliasRow, editing: Editing) -> AnyView {
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
    let (tone, icon) = match row.state {
        AliasState::NotTested => (Tone::Plain, Glyph::Clock),
        AliasState::Valid => (Tone::Green, Glyph::Check),
        AliasState::Failing => (Tone::Red, Glyph::Alert),
    };
    let state = t!(&format!("aliases.state.{}", row.state.as_str()));
    let title = row.failing_since.map(|at| t!("aliases.failing_since", when = dates::when_text(at, dates::now())));
    let address = row.address.to_string();
    let for_edit = row.clone();
    view! {
        <tr data-alias=row.id.to_string()>
            <td><button type="button" class="link" on:click=move |_| editing.set(Some(Some(for_edit.clone())))>{address}</button></td>
            <td>{target}</td>
            <td class="soft">{t!(&format!("aliases.rule.{}", row.contact_rule.as_str()))}</td>
            <td><Tag tone icon=icon text=state title=title.unwrap_or_default()/></td>
            <td class="r">{dates::number(row.received)}</td>
            <td class="r muted">{row.last_received.map(|at| view! { <Age at/> })}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Domains() -> AnyView {
    let domains = use_domains();
    view! {
        {move || domains.data().filter(|it| !it.is_empty()).map(|rows| view! {
            <h2 class="section-title">{t!("domains.title")}</h2>
            <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("domains.title")>
                <table class="tbl" style="min-width:720px">
                    <thead>
                        <tr>
                            <th>{t!("domains.column.name")}</th>
                            <th>{t!("domains.column.catchall")}</th>
                            <th>{t!("domains.column.bounce")}</th>
                            <th>{t!("domains.column.from")}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {rows
                            .into_iter()
                            .map(|row| {
                                let at = |local: &str| if local.contains('@') { local.to_owned() } else { format!("{local}@{}", row.name) };
                                view! {
                                    <tr>
                                        <td class="med">{row.name.to_string()}</td>
                                        <td>{at(&row.catchall)}</td>
                                        <td>{at(&row.bounce)}</td>
                                        <td>{at(&row.default_from)}</td>
                                    </tr>
                                }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </div>
        })}
    }
    .into_any()
}

#[component]
fn AliasDialog(alias: Option<AliasRow>, #[prop(into)] on_close: Callback<()>) -> AnyView {
    view! {
        <Dialog class="dialog--sm" on_close>
            <Form alias/>
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(alias: Option<AliasRow>) -> AnyView {
    let (cache, toasts, dialog, types, users, me) =
        (use_cache(), use_toasts(), use_dialog(), use_types(), use_users(), use_me());
    let title = alias.as_ref().map_or_else(|| t!("aliases.new"), |it| it.address.to_string());
    let old = StoredValue::new(alias.clone());
    let text = |get: fn(&AliasRow) -> String| RwSignal::new(alias.as_ref().map(get).unwrap_or_default());
    let address = text(|it| it.address.to_string());
    let first = types.with_untracked(|all| all.first().map(|it| it.name.to_string())).unwrap_or_default();
    let creates = RwSignal::new(
        alias.as_ref().map_or(first, |it| it.creates.as_ref().map(ToString::to_string).unwrap_or_default()),
    );
    let rule = RwSignal::new(alias.as_ref().map(|it| it.contact_rule).unwrap_or_default().as_str().to_owned());
    let outcome = RwSignal::new(alias.as_ref().map(|it| it.outcome).unwrap_or_default().as_str().to_owned());
    let listed = text(|it| it.listed.join("\n"));
    let refusal = text(|it| it.refusal_text.clone().unwrap_or_default());
    let owner = text(|it| it.owner.as_ref().map(ToString::to_string).unwrap_or_default());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let is_fixed = alias.as_ref().is_some_and(|it| it.record.is_some());

    let type_options = Signal::derive(move || {
        types.with(|all| all.iter().map(|it| (it.name.to_string(), one_of(it))).collect::<Vec<_>>())
    });
    let rule_options = Signal::derive(|| {
        ContactRule::ALL.map(|it| (it.as_str().to_owned(), t!(&format!("aliases.rule.{}", it.as_str())))).to_vec()
    });
    let outcome_options = Signal::derive(|| {
        [RuleOutcome::Refuse, RuleOutcome::Hold]
            .map(|it| (it.as_str().to_owned(), t!(&format!("aliases.outcome.{}", it.as_str()))))
            .to_vec()
    });
    let user_options = Signal::derive(move || {
        let nobody = (String::new(), t!("record.nobody"));
        let users = users.data().unwrap_or_default().into_iter().map(|it| (it.user.to_string(), it.name));
        std::iter::once(nobody).chain(users).collect::<Vec<_>>()
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let old = old.get_value();
        let typed = address.get_untracked().trim().to_owned();
        // The domain may be left out while there is one.
        let domain = me.get_untracked().map(|it| it.domain.to_string());
        let typed = match domain {
            Some(domain) if !typed.contains('@') && !typed.is_empty() => format!("{typed}@{domain}"),
            _ => typed,
        };
        let edit = EditAlias {
            address: typed,
            creates: if is_fixed { None } else { TypeName::parse(creates.get_untracked()).ok() },
            record: old.as_ref().and_then(|it| it.record.clone()),
            contact_rule: ContactRule::parse(&rule.get_untracked()).unwrap_or_default(),
            listed: addresses(&listed.get_untracked()),
            outcome: RuleOutcome::parse(&outcome.get_untracked()).unwrap_or_default(),
            refusal_text: Some(refusal.get_untracked().trim().to_owned()).filter(|it| !it.is_empty()),
            owner: UserId::parse(owner.get_untracked()).ok(),
        };
        let id = old.map(|it| it.id);
        busy.set(true);
        spawn_local(async move {
            let answer = save_alias(cache, id, edit).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    dialog.close();
                    toasts.done(t!("aliases.saved", address = row.address));
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let remove = move |()| {
        let Some(alias) = old.get_value() else { return };
        dialog.close();
        spawn_local(async move {
            match delete_alias(cache, alias.id.clone()).await {
                Ok(()) => {
                    let address = alias.address.to_string();
                    let back = edit_of(alias);
                    let undo = Callback::new(move |()| {
                        let back = back.clone();
                        spawn_local(async move {
                            if let Err(error) = save_alias(cache, None, back).await {
                                toast_problem(toasts, &error);
                            }
                        });
                    });
                    toasts.show(Toast::new(Glyph::Trash, t!("aliases.deleted", address = address)).undo(undo));
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let rule_now = move || ContactRule::parse(&rule.get()).unwrap_or_default();
    let refuses = move || rule_now() != ContactRule::Everyone && outcome.get() == RuleOutcome::Refuse.as_str();
    view! {
        <DialogHead title/>
        <form on:submit=submit>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("aliases.address") value=address name="address" hint=t!("aliases.address.hint") error=wrong("address") autofocus=true required=true/>
                {(!is_fixed).then(|| view! {
                    <SelectField label=t!("aliases.target") value=creates options=type_options error=wrong("creates") name="creates"/>
                })}
                <SelectField label=t!("aliases.rule") value=rule options=rule_options hint=t!("aliases.rule.hint") error=wrong("contact_rule") name="contact_rule"/>
                {move || (rule_now() == ContactRule::Listed).then(|| view! {
                    <TextField label=t!("aliases.listed") value=listed kind=Input::Lines hint=t!("aliases.listed.hint") error=wrong("listed")/>
                })}
                {move || (rule_now() != ContactRule::Everyone).then(|| view! {
                    <SelectField label=t!("aliases.outcome") value=outcome options=outcome_options error=wrong("outcome")/>
                })}
                {move || refuses().then(|| view! {
                    <TextField label=t!("aliases.refusal") value=refusal placeholder=t!("aliases.refusal.placeholder") error=wrong("refusal_text")/>
                })}
                <SelectField label=t!("aliases.owner") value=owner options=user_options error=wrong("owner")/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                {old.with_value(Option::is_some).then(|| view! {
                    <Button kind=Kind::Danger icon=Glyph::Trash text=t!("aliases.delete") on_press=remove/>
                })}
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("ui.save") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

/// What makes an alias anew, for Undo.
fn edit_of(row: AliasRow) -> EditAlias {
    EditAlias {
        address: row.address.to_string(),
        creates: row.creates,
        record: row.record,
        contact_rule: row.contact_rule,
        listed: row.listed,
        outcome: row.outcome,
        refusal_text: row.refusal_text,
        owner: row.owner,
    }
}

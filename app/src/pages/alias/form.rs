//! The form of an alias.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::aliases::AliasRow;
use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::aliases::EditAlias;
use mailroom_shared::api::aliases::RuleOutcome;
use mailroom_shared::api::records::RecordQuery;
use mailroom_shared::id::RecordId;
use mailroom_shared::id::TypeName;
use mailroom_shared::id::UserId;

use crate::api::ApiError;
use crate::model::composer::addresses;
use crate::pages::incoming::is_administrator;
use crate::queries::aliases::delete_alias;
use crate::queries::aliases::save_alias;
use crate::queries::aliases::use_domains;
use crate::queries::records::use_records;
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
use crate::ui::check::Check;
use crate::ui::chip::Chip;
use crate::ui::field::Input;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::toast::Toast;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

/// Value of the choice "an existing record" among the types.
const FIXED: &str = "";

/// `name = value` lines of the defaults that have no field of their own.
fn lines_of(defaults: &BTreeMap<String, String>) -> String {
    defaults
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "stage" | "title"))
        .map(|(name, value)| format!("{name} = {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn defaults_of(lines: &str, stage: &str, title: &str) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = lines
        .lines()
        .filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect();
    for (name, value) in [("stage", stage), ("title", title)] {
        if !value.trim().is_empty() {
            out.insert(name.to_owned(), value.trim().to_owned());
        }
    }
    out
}

#[component]
pub(super) fn AliasForm(alias: Option<AliasRow>) -> AnyView {
    let (cache, toasts, go, types, users, me, domains) =
        (use_cache(), use_toasts(), use_go(), use_types(), use_users(), use_me(), use_domains());
    let old = StoredValue::new(alias.clone());
    let text = |get: fn(&AliasRow) -> String| RwSignal::new(alias.as_ref().map(get).unwrap_or_default());
    let local = text(|it| it.address.local());
    let domain = text(|it| it.address.domain().to_owned());
    let first = types.with_untracked(|all| all.first().map(|it| it.name.to_string())).unwrap_or_default();
    let creates = RwSignal::new(
        alias.as_ref().map_or(first, |it| it.creates.as_ref().map(ToString::to_string).unwrap_or_default()),
    );
    let record = RwSignal::new(alias.as_ref().and_then(|it| it.record.clone()));
    let record_label = RwSignal::new(
        alias
            .as_ref()
            .map(|it| {
                format!(
                    "{} {}",
                    it.record_number.clone().unwrap_or_default(),
                    it.record_title.clone().unwrap_or_default()
                )
            })
            .unwrap_or_default(),
    );
    let parent = RwSignal::new(alias.as_ref().and_then(|it| it.parent.clone()));
    let parent_label =
        RwSignal::new(alias.as_ref().and_then(|it| it.parent.as_ref().map(ToString::to_string)).unwrap_or_default());
    let rule = RwSignal::new(alias.as_ref().map(|it| it.contact_rule).unwrap_or_default().as_str().to_owned());
    let outcome = RwSignal::new(alias.as_ref().map(|it| it.outcome).unwrap_or_default().as_str().to_owned());
    let listed = text(|it| it.listed.join("\n"));
    let refusal = text(|it| it.refusal_text.clone().unwrap_or_default());
    let owner = text(|it| it.owner.as_ref().map(ToString::to_string).unwrap_or_default());
    let stage = text(|it| it.defaults.get("stage").cloned().unwrap_or_default());
    let title = text(|it| it.defaults.get("title").cloned().unwrap_or_default());
    let fields = text(|it| lines_of(&it.defaults));
    let also = text(|it| it.also.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    let former = RwSignal::new(alias.as_ref().map(|it| it.former.clone()).unwrap_or_default());
    let any_domain = RwSignal::new(alias.as_ref().is_some_and(|it| it.any_domain));
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let is_admin = Memo::new(move |_| me.with(|it| it.as_ref().is_some_and(is_administrator)));

    let domain_options = Signal::derive(move || {
        let mut all: Vec<String> =
            domains.data().unwrap_or_default().into_iter().map(|it| it.name.to_string()).collect();
        let now = domain.get_untracked();
        if now.is_empty() {
            if let Some(first) = all.first() {
                domain.set(first.clone());
            }
        } else if !all.contains(&now) {
            all.push(now);
        }
        all.into_iter().map(|it| (it.clone(), format!("@{it}"))).collect::<Vec<_>>()
    });
    let type_options = Signal::derive(move || {
        let mut all = types.with(|all| all.iter().map(|it| (it.name.to_string(), one_of(it))).collect::<Vec<_>>());
        all.push((FIXED.to_owned(), t!("alias.target.record")));
        all
    });
    let stage_options = Signal::derive(move || {
        let now = creates.get();
        let stages = types.with(|all| all.iter().find(|it| it.name.as_str() == now).map(|it| it.stages.clone()));
        let all = stages.unwrap_or_default().into_iter().map(|it| (it.clone(), stage_label(&it)));
        std::iter::once((String::new(), t!("alias.stage.first"))).chain(all).collect::<Vec<_>>()
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
    let rule_now = move || ContactRule::parse(&rule.get()).unwrap_or_default();
    let is_fixed = Memo::new(move |_| creates.with(|it| it == FIXED));
    let refuses = move || rule_now() != ContactRule::Everyone && outcome.get() == RuleOutcome::Refuse.as_str();

    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let name = local.get_untracked().trim().to_owned();
        let address = if name.contains('@') { name } else { format!("{name}@{}", domain.get_untracked()) };
        let fixed = is_fixed.get_untracked();
        let edit = EditAlias {
            address,
            creates: if fixed { None } else { TypeName::parse(creates.get_untracked()).ok() },
            record: record.get_untracked().filter(|_| fixed),
            contact_rule: ContactRule::parse(&rule.get_untracked()).unwrap_or_default(),
            listed: addresses(&listed.get_untracked()),
            outcome: RuleOutcome::parse(&outcome.get_untracked()).unwrap_or_default(),
            refusal_text: Some(refusal.get_untracked().trim().to_owned()).filter(|it| !it.is_empty()),
            owner: UserId::parse(owner.get_untracked()).ok(),
            defaults: defaults_of(&fields.get_untracked(), &stage.get_untracked(), &title.get_untracked()),
            any_domain: any_domain.get_untracked(),
            parent: parent.get_untracked().filter(|_| !fixed),
            also: addresses(&also.get_untracked()),
            former: Some(former.get_untracked().iter().map(ToString::to_string).collect()),
        };
        let id = old.get_value().map(|it| it.id);
        let is_new = id.is_none();
        busy.set(true);
        spawn_local(async move {
            let answer = save_alias(cache, id, edit).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(row) => {
                    let _ = error.try_set(None);
                    toasts.done(t!("aliases.saved", address = row.address));
                    if is_new {
                        go.to(Page::Alias(Some(row.id)).href());
                    }
                }
                Err(problem) => {
                    let _ = error.try_set(Some(problem));
                }
            }
        });
    };
    let remove = move |()| {
        let Some(alias) = old.get_value() else { return };
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
                    go.to(Page::Aliases.href());
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <section class="card">
            <header class="card-head"><h2>{t!("alias.where")}</h2></header>
            <form on:submit=submit>
                <fieldset class="card-body stack gap-4 bare" disabled=move || !is_admin.get()>
                    <div class="cols cols--2">
                        <TextField label=t!("alias.name") value=local name="address" error=wrong("address") autofocus=old.with_value(Option::is_none) required=true/>
                        <SelectField label=t!("domains.column.name") value=domain options=domain_options name="domain"/>
                    </div>
                    <SelectField label=t!("aliases.target") value=creates options=type_options error=wrong("creates") name="creates"/>
                    {move || if is_fixed.get() {
                        view! { <RecordField label=t!("alias.record") value=record shown=record_label error=wrong("record")/> }.into_any()
                    } else {
                        view! {
                            <div class="cols cols--2">
                                <SelectField label=t!("aliases.owner") value=owner options=user_options error=wrong("owner")/>
                                <SelectField label=t!("alias.stage") value=stage options=stage_options/>
                            </div>
                        }
                        .into_any()
                    }}
                    <SelectField label=t!("aliases.rule") value=rule options=rule_options hint=t!("aliases.rule.hint") error=wrong("contact_rule") name="contact_rule"/>
                    {move || (rule_now() == ContactRule::Listed).then(|| view! {
                        <TextField label=t!("aliases.listed") value=listed kind=Input::Lines hint=t!("aliases.listed.hint") error=wrong("listed")/>
                    })}
                    {move || (rule_now() == ContactRule::Followers && !is_fixed.get()).then(|| view! {
                        <RecordField label=t!("alias.parent") value=parent shown=parent_label error=wrong("parent")/>
                    })}
                    {move || (rule_now() != ContactRule::Everyone).then(|| view! {
                        <SelectField label=t!("aliases.outcome") value=outcome options=outcome_options error=wrong("outcome") name="outcome"/>
                    })}
                    {move || refuses().then(|| view! {
                        <TextField label=t!("aliases.refusal") value=refusal placeholder=t!("aliases.refusal.placeholder") error=wrong("refusal_text")/>
                    })}
                    <details class="more">
                        <summary>{t!("alias.more")}</summary>
                        <div class="stack gap-4">
                            {move || (!is_fixed.get()).then(|| view! {
                                <TextField label=t!("alias.title") value=title hint=t!("alias.title.hint")/>
                                <TextField label=t!("alias.fields") value=fields kind=Input::Lines hint=t!("alias.fields.hint") error=wrong("defaults")/>
                            })}
                            <TextField label=t!("alias.also") value=also kind=Input::Lines hint=t!("alias.also.hint") error=wrong("also")/>
                            <Check checked=any_domain text=t!("alias.any_domain") on_change=move |it| any_domain.set(it)/>
                        </div>
                    </details>
                    {move || {
                        let all = former.get();
                        (!all.is_empty()).then(|| view! {
                            <div class="field">
                                <span class="label">{t!("alias.former")}</span>
                                <div class="row row--wrap">
                                    {all.into_iter().map(|it| {
                                        let text = it.to_string();
                                        let remove = move |()| former.update(|all| all.retain(|other| *other != it));
                                        view! { <Chip text=text.clone() remove_label=t!("alias.former.end", address = text) on_remove=Callback::new(remove)/> }
                                    }).collect_view()}
                                </div>
                                <span class="hint">{t!("alias.former.hint")}</span>
                            </div>
                        })
                    }}
                    <FormProblem error=error.into()/>
                </fieldset>
                {move || if is_admin.get() {
                    view! {
                        <footer class="card-foot">
                            {old.with_value(Option::is_some).then(|| view! {
                                <Button kind=Kind::Danger icon=Glyph::Trash text=t!("aliases.delete") on_press=remove/>
                            })}
                            <span class="push"></span>
                            <Button kind=Kind::Primary submit=true text=t!("ui.save") disabled=busy/>
                        </footer>
                    }
                    .into_any()
                } else {
                    view! { <footer class="card-foot"><span class="muted">{t!("alias.read_only")}</span></footer> }.into_any()
                }}
            </form>
        </section>
    }
    .into_any()
}

/// A record, found by its words.
#[component]
fn RecordField(
    #[prop(into)] label: String,
    value: RwSignal<Option<RecordId>>,
    shown: RwSignal<String>,
    error: Signal<Option<String>>,
) -> AnyView {
    let words = RwSignal::new(String::new());
    let found = use_records(move || RecordQuery {
        q: Some(words.get()).filter(|it| !it.trim().is_empty()),
        limit: Some(6),
        ..RecordQuery::default()
    });
    view! {
        {move || match value.get() {
            Some(_) => {
                let text = shown.get();
                view! {
                    <div class="field">
                        <span class="label">{label.clone()}</span>
                        <div class="row"><Chip text=text.clone() remove_label=t!("alias.record.other") on_remove=Callback::new(move |()| value.set(None))/></div>
                    </div>
                }
                .into_any()
            }
            None => view! {
                <div class="stack">
                    <TextField label=label.clone() value=words placeholder=t!("incoming.route.record.hint") error/>
                    <ul class="choices">
                        <For each=move || found.rows.get() key=|it| it.id.to_string() let:row>
                            <li>
                                <button type="button" class="choice" on:click={
                                    let row = row.clone();
                                    move |_| {
                                        shown.set(format!("{} {}", row.number, row.title));
                                        value.set(Some(row.id.clone()));
                                    }
                                }>
                                    <span class="muted num">{row.number.clone()}</span>" "<span class="trunc">{row.title.clone()}</span>
                                </button>
                            </li>
                        </For>
                    </ul>
                </div>
            }
            .into_any(),
        }}
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
        defaults: row.defaults,
        any_domain: row.any_domain,
        parent: row.parent,
        also: row.also.iter().map(ToString::to_string).collect(),
        former: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_lines_and_two_fields() {
        let all = defaults_of("region = north\nnonsense\n price = 1 = 2 ", "New", " ");
        assert_eq!(all.len(), 3);
        assert_eq!(all.get("price").map(String::as_str), Some("1 = 2"));
        assert_eq!(lines_of(&all), "price = 1 = 2\nregion = north");
    }
}

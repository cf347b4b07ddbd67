//! Settings › API tokens: how other programs call. A token is shown once, when it is made.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::access::Scope;
use mailroom_shared::api::tokens::NewToken;
use mailroom_shared::api::tokens::TokenRow;
use wasm_bindgen_futures::JsFuture;

use crate::api::ApiError;
use crate::dates;
use crate::pages::shell::use_crumbs;
use crate::queries::people::create_token;
use crate::queries::people::revoke_token;
use crate::queries::people::use_tokens;
use crate::queries::use_cache;
use crate::t;
use crate::tn;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::dialog::use_dialog;
use crate::ui::field::SelectField;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::toast::use_toasts;
use crate::widgets::age::Age;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;
use crate::widgets::rows::read_body;

/// What the form offers, in days.
const DAYS: [u32; 3] = [30, 90, 365];

#[component]
pub fn TokensPage() -> AnyView {
    use_crumbs(vec![(t!("settings.title"), None), (t!("tokens.title"), None)]);
    let tokens = use_tokens();
    let making = RwSignal::new(false);
    view! {
        <main class="page" id="content">
            <div class="page-head">
                <div class="head-text"><h1>{t!("tokens.title")}</h1><p>{t!("tokens.text")}</p></div>
                <div class="acts">
                    <Button kind=Kind::Primary icon=Glyph::Plus text=t!("tokens.new") on_press=move |()| making.set(true)/>
                </div>
            </div>
            {read_body(tokens, move |rows| {
                if rows.is_empty() {
                    return view! { <Blank title=t!("tokens.none") text=t!("tokens.none.text")/> }.into_any();
                }
                view! { <Table rows/> }.into_any()
            })}
            {move || making.get().then(|| view! {
                <Dialog class="dialog--sm" on_close=move |()| making.set(false)><Making/></Dialog>
            })}
        </main>
    }
    .into_any()
}

#[component]
fn Table(rows: Vec<TokenRow>) -> AnyView {
    let lines = rows.into_iter().map(|row| view! { <Line row/> }).collect_view();
    view! {
        <div class="tbl-wrap" tabindex="0" role="region" aria-label=t!("tokens.title")>
            <table class="tbl" style="min-width:860px">
                <colgroup>
                    <col/><col style="width:300px"/><col style="width:110px"/><col style="width:120px"/><col style="width:130px"/>
                    <col style="width:110px"/>
                </colgroup>
                <thead>
                    <tr>
                        <th>{t!("tokens.column.name")}</th>
                        <th>{t!("tokens.column.scopes")}</th>
                        <th class="r">{t!("tokens.column.used")}</th>
                        <th class="r">{t!("tokens.column.expires")}</th>
                        <th>{t!("tokens.column.by")}</th>
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
fn Line(row: TokenRow) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let (id, name) = (StoredValue::new(row.id), StoredValue::new(row.name.clone()));
    let revoke = move |()| {
        let (id, name) = (id.get_value(), name.get_value());
        spawn_local(async move {
            match revoke_token(cache, id).await {
                Ok(()) => toasts.done(t!("tokens.revoked", name = name)),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let has_ended = row.expires.is_some_and(|it| it < dates::now());
    let last = if row.revoked {
        view! { <Tag text=t!("tokens.state.revoked")/> }.into_any()
    } else if has_ended {
        view! { <Tag tone=Tone::Amber text=t!("tokens.state.expired")/> }.into_any()
    } else {
        view! { <Button small=true text=t!("tokens.revoke") on_press=revoke/> }.into_any()
    };
    let used = match row.last_used {
        Some(at) => view! { <Age at/> }.into_any(),
        None => t!("people.never").into_any(),
    };
    let ends = row.expires.map_or_else(|| t!("tokens.days.never"), |at| dates::format(at, dates::Style::Date));
    let scopes = row.scopes.iter().map(|it| view! { <Tag text=t!(&format!("scope.{}", it.as_str()))/> " " });
    let (for_tests, is_revoked) = (row.name.clone(), row.revoked.to_string());
    view! {
        <tr data-token=for_tests data-revoked=is_revoked>
            <td class="med">{row.name}</td>
            <td>{scopes.collect_view()}</td>
            <td class="r muted" data-label=t!("tokens.column.used")>{used}</td>
            <td class="r muted" data-label=t!("tokens.column.expires")>{ends}</td>
            <td class="muted" data-label=t!("tokens.column.by")>{row.by}</td>
            <td class="r">{last}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Making() -> AnyView {
    let (cache, dialog) = (use_cache(), use_dialog());
    let name = RwSignal::new(String::new());
    let scopes = RwSignal::new(vec![Scope::Read, Scope::Write, Scope::Send]);
    let days = RwSignal::new("365".to_owned());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let secret = RwSignal::new(None::<String>);
    let wrong = move |field: &'static str| Signal::derive(move || error.with(|it| field_error(it.as_ref(), field)));
    let options = Signal::derive(|| {
        let mut list = DAYS.map(|it| (it.to_string(), tn!("tokens.days", it))).to_vec();
        list.push(("never".to_owned(), t!("tokens.days.never")));
        list
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let token = NewToken {
            name: name.get_untracked().trim().to_owned(),
            scopes: scopes.get_untracked(),
            days: days.get_untracked().parse().ok(),
        };
        busy.set(true);
        spawn_local(async move {
            let answer = create_token(cache, token).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(made) => drop(secret.try_set(Some(made.secret))),
                Err(problem) => drop(error.try_set(Some(problem))),
            }
        });
    };
    let choices = Scope::ALL.map(|scope| {
        let checked = Signal::derive(move || scopes.with(|it| it.contains(&scope)));
        let change = move |on: bool| {
            scopes.update(|list| {
                list.retain(|it| *it != scope);
                if on {
                    list.push(scope);
                }
            });
        };
        let text =
            format!("{}: {}", t!(&format!("scope.{}", scope.as_str())), t!(&format!("scope.hint.{}", scope.as_str())));
        view! { <Check text checked on_change=change/> }
    });
    view! {
        <DialogHead title=t!("tokens.new")/>
        {move || match secret.get() {
            Some(secret) => view! { <Made secret/> }.into_any(),
            None => ().into_any(),
        }}
        <form on:submit=submit hidden=move || secret.with(Option::is_some)>
            <div class="dialog-body dialog-body--form">
                <TextField label=t!("tokens.name") value=name name="name" hint=t!("tokens.name.hint") error=wrong("name") autofocus=true required=true/>
                <fieldset class="field">
                    <legend class="label">{t!("tokens.scopes")}</legend>
                    {choices}
                    {move || wrong("scopes").get().map(|text| view! { <span class="hint hint--bad">{text}</span> })}
                </fieldset>
                <SelectField label=t!("tokens.days") value=days options name="days"/>
                <FormProblem error=error.into()/>
            </div>
            <footer class="dialog-foot">
                <Button class="push" text=t!("ui.cancel") on_press=move |()| dialog.close()/>
                <Button kind=Kind::Primary submit=true text=t!("tokens.create") disabled=busy/>
            </footer>
        </form>
    }
    .into_any()
}

/// The token, this once.
#[component]
fn Made(secret: String) -> AnyView {
    let (dialog, toasts) = (use_dialog(), use_toasts());
    let for_copy = StoredValue::new(secret.clone());
    let copy = move |()| {
        let promise = window().navigator().clipboard().write_text(&for_copy.get_value());
        spawn_local(async move {
            if JsFuture::from(promise).await.is_ok() {
                toasts.done(t!("ui.copied"));
            }
        });
    };
    view! {
        <div class="dialog-body dialog-body--form">
            <Notice weight=Weight::Warn icon=Glyph::Lock text=t!("tokens.created")/>
            <pre class="code" tabindex="0" data-secret="">{secret}</pre>
        </div>
        <footer class="dialog-foot">
            <Button class="push" icon=Glyph::Copy text=t!("tokens.copy") on_press=copy/>
            <Button kind=Kind::Primary text=t!("tokens.done") on_press=move |()| dialog.close()/>
        </footer>
    }
    .into_any()
}

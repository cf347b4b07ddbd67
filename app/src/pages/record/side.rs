//! Beside the chatter: details, followers, attachments. On narrow screens three tabs above it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::Open;
use super::edit::EditDialog;
use crate::dates;
use crate::dates::Style;
use crate::t;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side as Whose;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::icon::Glyph;
use crate::widgets::age::Age;
use crate::widgets::attachments::FileLine;
use crate::widgets::followers::AddFollower;
use crate::widgets::followers::FollowerLine;

#[component]
pub(super) fn Side(open: Open) -> AnyView {
    // Which section is open on a narrow screen.
    let shown = RwSignal::new("");
    view! {
        <aside class="side" aria-label=t!("record.side")>
            // Stays in view beside a long conversation.
            <div class="side-in">
                <Details open shown/>
                <Followers open shown/>
                <Files open shown/>
            </div>
        </aside>
    }
    .into_any()
}

/// The head of a section: a title on wide screens, a tab on narrow ones.
#[component]
fn Head(
    name: &'static str,
    #[prop(into)] title: String,
    #[prop(optional, into)] count: Signal<Option<usize>>,
    shown: RwSignal<&'static str>,
    #[prop(optional)] children: Option<Children>,
) -> AnyView {
    view! {
        <h2 class="sec-head">
            <button
                type="button"
                class="sec-toggle"
                aria-expanded=move || if shown.get() == name { "true" } else { "false" }
                on:click=move |_| shown.update(|it| *it = if *it == name { "" } else { name })
            >
                {title}
                {move || count.get().map(|n| view! { <span class="n">{n}</span> })}
            </button>
            {children.map(|it| it())}
        </h2>
    }
    .into_any()
}

#[component]
fn Details(open: Open, shown: RwSignal<&'static str>) -> AnyView {
    let editing = RwSignal::new(false);
    view! {
        <section class="sec" class:is-open=move || shown.get() == "details">
            <Head name="details" title=t!("record.details") shown>
                <Button class="push" kind=Kind::Ghost small=true icon=Glyph::Edit text=t!("record.details.edit") on_press=move |()| editing.set(true)/>
            </Head>
            {move || open.record.data().map(|it| {
                let customer = it.customer_name.clone().map(|name| {
                    let href = format!("/contacts?q={}", mailroom_shared::api::percent_encode(&name));
                    view! { <dt>{t!("record.details.customer")}</dt><dd><a href=href>{name}</a></dd> }
                });
                let email = it.email.clone().map(|email| view! { <dt>{t!("record.details.email")}</dt><dd>{email.to_string()}</dd> });
                let responsible = match it.responsible_name.clone() {
                    Some(name) => view! { <dd class="row"><Avatar name=name.clone() side=Whose::Us small=true/>{name}</dd> }.into_any(),
                    None => view! { <dd class="muted">{t!("record.nobody")}</dd> }.into_any(),
                };
                let waiting = it.waiting_since.map(|at| view! { <dt>{t!("record.details.waiting")}</dt><dd><Age at/></dd> });
                let alias = it.alias.clone().map(|alias| {
                    let text = alias.to_string();
                    view! {
                        <dt>{t!("record.details.alias")}</dt>
                        <dd class="row">
                            <span class="trunc" title=text.clone()>{text.clone()}</span>
                            <Button kind=Kind::Ghost small=true icon=Glyph::Copy label=t!("ui.copy") on_press=move |()| copy(open, text.clone())/>
                        </dd>
                    }
                });
                let tags = (!it.tags.is_empty()).then(|| view! {
                    <dt>{t!("record.details.tags")}</dt>
                    <dd class="row row--wrap">{it.tags.iter().map(|it| view! { <Tag text=it.clone()/> }).collect_view()}</dd>
                });
                let fields = it.fields.iter().map(|(name, value)| view! { <dt>{name.clone()}</dt><dd>{value.clone()}</dd> });
                view! {
                    <dl class="kv sec-body">
                        {customer}
                        {email}
                        <dt>{t!("record.details.responsible")}</dt>
                        {responsible}
                        {waiting}
                        <dt>{t!("record.details.created")}</dt>
                        <dd class="num">{dates::format(it.created, Style::Date)}</dd>
                        {alias}
                        {tags}
                        {fields.collect_view()}
                    </dl>
                }
            })}
            {move || editing.get().then(|| view! { <EditDialog open on_close=move |()| editing.set(false)/> })}
        </section>
    }
    .into_any()
}

#[component]
fn Followers(open: Open, shown: RwSignal<&'static str>) -> AnyView {
    let adding = RwSignal::new(false);
    let followers = open.record.part(|it| it.followers.clone());
    let count = Signal::derive(move || followers.with(|it| it.as_ref().map(Vec::len)));
    view! {
        <section class="sec" class:is-open=move || shown.get() == "followers">
            <Head name="followers" title=t!("record.followers") count shown>
                <Button class="push" kind=Kind::Ghost small=true icon=Glyph::Plus text=t!("record.followers.add") on_press=move |()| adding.set(true)/>
            </Head>
            <ul class="sec-body">
                {move || followers
                    .get()
                    .unwrap_or_default()
                    .into_iter()
                    .map(|follower| view! { <FollowerLine record=open.id.get_value() follower/> })
                    .collect_view()}
            </ul>
            {move || adding.get().then(|| view! {
                <AddFollower record=open.id.get_value() on_close=move |()| adding.set(false)/>
            })}
        </section>
    }
    .into_any()
}

#[component]
fn Files(open: Open, shown: RwSignal<&'static str>) -> AnyView {
    let files = open.record.part(|it| it.attachments.iter().filter(|it| !it.inline).cloned().collect::<Vec<_>>());
    let count = Signal::derive(move || files.with(|it| it.as_ref().map(Vec::len)));
    view! {
        <section class="sec" class:is-open=move || shown.get() == "files">
            <Head name="files" title=t!("record.files") count shown/>
            <ul class="sec-body">
                {move || {
                    let files = files.get().unwrap_or_default();
                    if files.is_empty() {
                        view! { <li class="muted small">{t!("record.files.none")}</li> }.into_any()
                    } else {
                        files.into_iter().map(|file| view! { <FileLine file/> }).collect_view().into_any()
                    }
                }}
            </ul>
        </section>
    }
    .into_any()
}

/// Copies a text and says so.
pub(super) fn copy(open: Open, text: String) {
    spawn_local(async move {
        let written = JsFuture::from(window().navigator().clipboard().write_text(&text)).await;
        if written.is_ok() {
            open.toasts.done(t!("ui.copied"));
        }
    });
}

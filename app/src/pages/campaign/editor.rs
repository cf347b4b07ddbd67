//! Writing a campaign: fields and blocks on one side, what becomes of them on the other. What is typed is kept by itself.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::address::EmailAddress;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::campaigns::ActOnCampaign;
use mailroom_shared::api::campaigns::Audience;
use mailroom_shared::api::campaigns::CampaignSettings;
use mailroom_shared::api::campaigns::CampaignView;
use mailroom_shared::campaign::content::Content;
use mailroom_shared::campaign::content::Urls;
use mailroom_shared::campaign::content::Words;
use mailroom_shared::campaign::content::compile;
use mailroom_shared::campaign::merge;
use mailroom_shared::campaign::state::CampaignAct;
use mailroom_shared::id::CampaignId;
use mailroom_shared::id::MailingListId;
use mailroom_shared::time::Timestamp;

use super::blocks::Blocks;
use super::preflight::Panel;
use crate::api::ApiError;
use crate::dates;
use crate::model::campaign::Numbered;
use crate::pages::campaigns::may_send;
use crate::pages::campaigns::state_word;
use crate::queries::Cache;
use crate::queries::campaigns::act_on_campaign;
use crate::queries::campaigns::delete_campaign;
use crate::queries::campaigns::save_campaign;
use crate::queries::campaigns::test_campaign;
use crate::queries::campaigns::use_mailing_lists;
use crate::queries::use_cache;
use crate::routes::Page;
use crate::routes::use_go;
use crate::session::use_me;
use crate::t;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::check::Check;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::widgets::problem::FormProblem;
use crate::widgets::problem::field_error;
use crate::widgets::problem::toast_problem;

/// What is typed is kept this long after the last key.
const PAUSE: Duration = Duration::from_millis(700);

/// The fields of a draft.
#[derive(Clone, Copy)]
struct Draft {
    id: StoredValue<CampaignId>,
    name: RwSignal<String>,
    subject: RwSignal<String>,
    preheader: RwSignal<String>,
    from: RwSignal<String>,
    reply_to: RwSignal<String>,
    language: RwSignal<String>,
    lists: RwSignal<Vec<MailingListId>>,
    has_contacts: RwSignal<bool>,
    contacts: RwSignal<String>,
    track: RwSignal<bool>,
    blocks: RwSignal<Vec<Numbered>>,
    text: RwSignal<String>,
    /// As the Worker has them.
    kept: RwSignal<CampaignSettings>,
    error: RwSignal<Option<ApiError>>,
}

/// `Name <address>` or an address; nothing is nothing.
fn mailbox(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    match text.rsplit_once('<') {
        Some((name, rest)) => {
            let address = EmailAddress::parse(rest.trim_end_matches('>').trim()).ok()?;
            Some(Mailbox::new(Some(name.trim()), address))
        }
        None => Some(Mailbox::new(None, EmailAddress::parse(text).ok()?)),
    }
}

impl Draft {
    fn new(first: &CampaignView) -> Self {
        let it = first.settings.clone();
        let blocks = it.content.blocks.iter().cloned().enumerate().map(|(i, block)| (i as u32, block)).collect();
        Self {
            id: StoredValue::new(first.row.id.clone()),
            name: RwSignal::new(it.name.clone()),
            subject: RwSignal::new(it.subject.clone()),
            preheader: RwSignal::new(it.preheader.clone()),
            from: RwSignal::new(it.from.as_ref().map(Mailbox::display).unwrap_or_default()),
            reply_to: RwSignal::new(it.reply_to.as_ref().map(ToString::to_string).unwrap_or_default()),
            language: RwSignal::new(it.language.clone()),
            lists: RwSignal::new(it.audience.lists.clone()),
            has_contacts: RwSignal::new(it.audience.contacts.is_some()),
            contacts: RwSignal::new(it.audience.contacts.clone().unwrap_or_default()),
            track: RwSignal::new(it.track),
            blocks: RwSignal::new(blocks),
            text: RwSignal::new(it.content.text.clone()),
            kept: RwSignal::new(it),
            error: RwSignal::new(None),
        }
    }

    fn content(self) -> Content {
        let blocks = self.blocks.with(|all| all.iter().map(|(_, it)| it.clone()).collect());
        Content { blocks, text: self.text.get() }
    }

    /// Tracked.
    fn settings(self) -> CampaignSettings {
        CampaignSettings {
            name: self.name.get(),
            subject: self.subject.get(),
            preheader: self.preheader.get(),
            from: mailbox(&self.from.get()),
            reply_to: EmailAddress::parse(self.reply_to.get().trim()).ok(),
            language: self.language.get(),
            audience: Audience {
                lists: self.lists.get(),
                contacts: self.has_contacts.get().then(|| self.contacts.get()),
            },
            content: self.content(),
            track: self.track.get(),
        }
    }

    /// Keeps what differs. Whoever sends or tests waits for this.
    async fn save(self, cache: Cache) -> Result<(), ApiError> {
        let now = untrack(|| self.settings());
        if self.kept.with_untracked(|it| *it == now) {
            return Ok(());
        }
        let answer = save_campaign(cache, self.id.get_value(), now.clone()).await;
        let _ = self.error.try_set(answer.as_ref().err().cloned());
        answer?;
        let _ = self.kept.try_set(now);
        Ok(())
    }
}

#[component]
pub(super) fn Editor(first: CampaignView) -> AnyView {
    let cache = use_cache();
    let draft = Draft::new(&first);
    let settings = Memo::new(move |_| draft.settings());
    let is_kept = Memo::new(move |_| settings.with(|now| draft.kept.with(|it| it == now)));
    Effect::new(move |_| {
        let now = settings.get();
        set_timeout(
            move || {
                if settings.try_get_untracked().is_some_and(|it| it == now) {
                    spawn_local(async move {
                        let _ = draft.save(cache).await;
                    });
                }
            },
            PAUSE,
        );
    });
    let wrong =
        move |field: &'static str| Signal::derive(move || draft.error.with(|it| field_error(it.as_ref(), field)));
    let from_wrong = Signal::derive(move || {
        let text = draft.from.get();
        (!text.trim().is_empty() && mailbox(&text).is_none()).then(|| t!("field.address"))
    });
    let sender = first.sender.clone();
    let id = first.row.id.clone();
    view! {
        <div class="page-head">
            <div class="head-text">
                <h1>{move || draft.name.get()}</h1>
                <p>{move || if is_kept.get() { t!("campaign.kept") } else { t!("campaign.keeping") }}</p>
            </div>
            {may_send().then(|| view! { <Leave draft/> })}
        </div>
        <div class="cols cols--form mt-4">
            <div class="stack gap-4">
                <section class="card">
                    <div class="card-body stack gap-3">
                        <TextField label=t!("campaigns.name") value=draft.name name="name" error=wrong("name") required=true/>
                        <TextField label=t!("campaign.subject") value=draft.subject name="subject" error=wrong("subject") hint=t!("campaign.fields.hint", example = "{{contact.first_name | friend}}")/>
                        <TextField label=t!("campaign.preheader") value=draft.preheader name="preheader" hint=t!("campaign.preheader.hint")/>
                        <div class="form-two">
                            <TextField label=t!("campaign.from") value=draft.from name="from" placeholder=sender error=from_wrong/>
                            <TextField label=t!("campaign.reply_to") value=draft.reply_to kind=Input::Email name="reply_to" placeholder=t!("campaign.reply_to.from")/>
                        </div>
                    </div>
                </section>
                <AudienceCard draft/>
                <Blocks blocks=draft.blocks/>
                <section class="card">
                    <div class="card-body stack gap-3">
                        <TextField label=t!("campaign.plain") value=draft.text kind=Input::Lines name="plain" hint=t!("campaign.plain.hint")/>
                        <Check checked=draft.track text=t!("campaign.track") on_change=move |on| draft.track.set(on)/>
                        <FormProblem error=draft.error.into()/>
                    </div>
                </section>
            </div>
            <div class="stack gap-4">
                <Preview draft/>
                <Panel id/>
                {may_send().then(|| view! { <Later draft/> })}
            </div>
        </div>
    }
    .into_any()
}

/// A draft for those who may not write campaigns: what it says and what is still missing.
#[component]
pub(super) fn ReadDraft(first: CampaignView) -> AnyView {
    let id = first.row.id.clone();
    let row = first.row.clone();
    view! {
        <div class="page-head">
            <div class="head-text">
                <div class="row"><h1>{row.name.clone()}</h1>{state_word(row.state)}</div>
                <p>{t!("campaign.from_to", from = first.sender.clone(), subject = row.subject, name = row.by)}</p>
            </div>
        </div>
        <Notice icon=Glyph::Info text=t!("campaign.readonly")/>
        <div class="cols cols--form mt-4">
            <Preview draft=Draft::new(&first)/>
            <Panel id/>
        </div>
    }
    .into_any()
}

/// To whom.
#[component]
fn AudienceCard(draft: Draft) -> AnyView {
    let lists = use_mailing_lists();
    view! {
        <section class="card" id="audience">
            <header class="card-head">
                <h2>{t!("campaign.audience")}</h2>
                <a class="push" href=Page::MailingLists.href()>{t!("lists.title")}</a>
            </header>
            <div class="card-body stack gap-3">
                {move || lists.data().map(|rows| {
                    let rows: Vec<_> = rows.into_iter().filter(|it| !it.settings.archived).collect();
                    if rows.is_empty() {
                        return view! { <p class="muted">{t!("campaign.no_lists")}</p> }.into_any();
                    }
                    rows.into_iter().map(|row| {
                        let (id, other) = (row.id.clone(), row.id.clone());
                        let words = format!("{} · {}", row.settings.name, tn!("lists.members", row.members));
                        view! {
                            <Check
                                checked=Signal::derive(move || draft.lists.with(|it| it.contains(&id)))
                                text=words
                                on_change=move |on| draft.lists.update(|all| {
                                    all.retain(|it| *it != other);
                                    if on {
                                        all.push(other.clone());
                                    }
                                })
                            />
                        }
                    }).collect_view().into_any()
                })}
                <Check checked=draft.has_contacts text=t!("campaign.contacts") on_change=move |on| draft.has_contacts.set(on)/>
                {move || draft.has_contacts.get().then(|| view! {
                    <TextField label=t!("campaign.contacts.filter") value=draft.contacts name="contacts" hint=t!("campaign.contacts.hint")/>
                })}
            </div>
        </section>
    }
    .into_any()
}

/// What recipients see: the code that writes the mail runs here too.
#[component]
fn Preview(draft: Draft) -> AnyView {
    let shape = RwSignal::new("desktop".to_owned());
    let compiled = Memo::new(move |_| {
        let content = draft.content();
        let made = compile(&content, &draft.preheader.get(), &Words { unsubscribe: t!("mail.unsubscribe") });
        let fields = merge::fields("Ann Lee", "ann@example.com", &draft.name.get(), &std::collections::BTreeMap::new());
        let urls = Urls { link: &|_, url| url.to_owned(), unsubscribe: "#", pixel: None };
        let (html, text) = made.personal(&fields, &urls);
        (html, text, merge::render(&draft.subject.get(), &fields, str::to_owned))
    });
    let document = move || {
        let html = compiled.with(|it| it.0.clone());
        format!(
            "<!doctype html><html><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'\"><base target=\"_blank\">\
             </head><body style=\"margin:0;background:#fff\">{html}</body></html>"
        )
    };
    let width = move || if shape.with(|it| it == "phone") { "width:375px;max-width:100%" } else { "width:100%" };
    view! {
        <section class="card" id="preview">
            <header class="card-head">
                <h2 class="trunc">{move || compiled.with(|it| if it.2.is_empty() { t!("campaign.preview") } else { it.2.clone() })}</h2>
                <span class="push">
                    <Seg
                        label=t!("campaign.preview")
                        segments=vec![
                            Segment::new("desktop", t!("campaign.preview.desktop")),
                            Segment::new("phone", t!("campaign.preview.phone")),
                            Segment::new("plain", t!("campaign.preview.plain")),
                        ]
                        value=shape
                        on_change=move |it: &'static str| shape.set(it.to_owned())
                    />
                </span>
            </header>
            <div class="card-body">
                {move || if shape.with(|it| it == "plain") {
                    view! { <pre class="code" style="white-space:pre-wrap;max-height:520px;overflow:auto">{move || compiled.with(|it| it.1.clone())}</pre> }.into_any()
                } else {
                    view! {
                        <iframe
                            title=t!("campaign.preview")
                            sandbox="allow-popups allow-popups-to-escape-sandbox"
                            referrerpolicy="no-referrer"
                            style=move || format!("display:block;margin:0 auto;border:0;height:520px;background:#fff;{}", width())
                            srcdoc=document
                        ></iframe>
                    }.into_any()
                }}
            </div>
        </section>
    }
    .into_any()
}

/// Send, or throw away.
#[component]
fn Leave(draft: Draft) -> AnyView {
    let (cache, toasts, go) = (use_cache(), use_toasts(), use_go());
    let busy = RwSignal::new(false);
    let throw_away = move |()| {
        let id = draft.id.get_value();
        spawn_local(async move {
            match delete_campaign(cache, id).await {
                Ok(()) => {
                    toasts.done(t!("campaign.deleted"));
                    go.to(Page::Campaigns.href());
                }
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    view! {
        <div class="acts row">
            <Button kind=Kind::Ghost icon=Glyph::Trash label=t!("campaign.delete") on_press=throw_away/>
            <Button kind=Kind::Primary icon=Glyph::Send text=t!("campaign.act.send") disabled=busy
                on_press=move |()| act(cache, toasts, draft, busy, CampaignAct::Send, None)/>
        </div>
    }
    .into_any()
}

/// Keeps what is typed, then acts.
fn act(cache: Cache, toasts: Toasts, draft: Draft, busy: RwSignal<bool>, act: CampaignAct, at: Option<Timestamp>) {
    busy.set(true);
    let id = draft.id.get_value();
    spawn_local(async move {
        let answer = match draft.save(cache).await {
            Ok(()) => act_on_campaign(cache, id, ActOnCampaign { act, at }).await.map(drop),
            Err(error) => Err(error),
        };
        let _ = busy.try_set(false);
        match answer {
            Ok(()) => toasts.done(t!(&format!("campaign.did.{}", act.as_str()))),
            Err(error) => toast_problem(toasts, &error),
        }
    });
}

/// A test to one address; a date.
#[component]
fn Later(draft: Draft) -> AnyView {
    let (cache, toasts) = (use_cache(), use_toasts());
    let to = RwSignal::new(use_me().get_untracked().map(|it| it.email.to_string()).unwrap_or_default());
    let at = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let test = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (id, address) = (draft.id.get_value(), to.get_untracked());
        spawn_local(async move {
            let answer = match draft.save(cache).await {
                Ok(()) => test_campaign(cache, id, address.clone()).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(()) => toasts.done(t!("campaign.tested", address = address)),
                Err(error) => toast_problem(toasts, &error),
            }
        });
    };
    let schedule = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        match dates::from_local(&at.get_untracked()) {
            Some(at) => act(cache, toasts, draft, busy, CampaignAct::Schedule, Some(at)),
            None => toasts.done(t!("campaign.no_date")),
        }
    };
    view! {
        <section class="card">
            <div class="card-body stack gap-3">
                <form class="row" on:submit=test>
                    <input class="input" type="email" name="test-to" required aria-label=t!("campaign.test.to") prop:value=to
                        on:input=move |event| to.set(event_target_value(&event))/>
                    <Button submit=true icon=Glyph::Eye text=t!("campaign.test")/>
                </form>
                <form class="row" on:submit=schedule>
                    <input class="input" type="datetime-local" name="at" aria-label=t!("campaign.schedule.at")
                        title=t!("campaign.schedule.at") prop:value=at on:input=move |event| at.set(event_target_value(&event))/>
                    <Button submit=true icon=Glyph::Clock text=t!("campaign.act.schedule") disabled=busy/>
                </form>
            </div>
        </section>
    }
    .into_any()
}

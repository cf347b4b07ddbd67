//! One entry of the chatter: white for what came in, tinted for ours, paper for notes, dashed for automatic mail, a
//! line for what happened.

use leptos::prelude::*;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::messages::EnvelopeView;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::api::messages::SystemLine;
use mailroom_shared::id::RecordId;
use mailroom_shared::time::Timestamp;

use super::age::Clock;
use super::attachments::Attachment;
use super::envelope::EnvelopeButton;
use super::html_frame::HtmlFrame;
use super::message_bars::HeldBar;
use super::message_bars::Invitation;
use super::message_bars::Origin;
use super::message_bars::SuggestionBar;
use crate::dates;
use crate::i18n;
use crate::model::text;
use crate::model::text::Piece;
use crate::model::timeline::subject_is_news;
use crate::model::when::is_scheduled;
use crate::queries::messages::original_address;
use crate::queries::messages::use_body;
use crate::queries::shell::stage_label;
use crate::routes::Page;
use crate::t;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::chip::Tag;
use crate::ui::chip::Tone;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::ui::menu::MenuItem;
use crate::ui::seg::Seg;

/// What a card needs of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardContext {
    pub record: RecordId,
    pub title: String,
    /// Names that may stand behind an @.
    pub people: Vec<String>,
}

/// A message, or a system line.
#[component]
pub fn MessageCard(
    message: MessageView,
    /// Changes more often than the rest.
    #[prop(into)]
    envelope: Signal<Option<EnvelopeView>>,
    context: CardContext,
    #[prop(into)] on_envelope: Callback<()>,
    #[prop(into)] on_reply: Callback<MessageView>,
    #[prop(into)] on_cancel: Callback<MessageView>,
    #[prop(into)] on_send_now: Callback<MessageView>,
) -> AnyView {
    if let Some(line) = &message.system {
        return view! { <SystemEntry line=line.clone() message=message.clone()/> }.into_any();
    }
    let is_automatic = message.automatic.is_some();
    let is_pending = move || envelope.with(|it| it.as_ref().is_some_and(|it| it.leaves_at.is_some()));
    let class = match (message.internal, message.incoming) {
        (true, _) => "msg msg--note",
        (false, true) if is_automatic => "msg msg--auto",
        (false, true) => "msg msg--in",
        (false, false) => "msg msg--out",
    };
    let side = match (is_automatic, message.author_internal) {
        (true, _) => Side::Machine,
        (false, true) => Side::Us,
        (false, false) => Side::Them,
    };
    let details = RwSignal::new(false);
    let subject =
        (!message.internal && subject_is_news(&message.subject, &context.title)).then(|| message.subject.clone());
    let files: Vec<_> = message.attachments.iter().filter(|it| !it.inline).cloned().collect();
    let for_details = StoredValue::new(message.clone());
    view! {
        <article class=class class:msg--pending=is_pending id=format!("message-{}", message.id) data-message=message.id.to_string()>
            <Avatar name=message.author_name.clone() side/>
            <div class="msg-box">
                {message.internal.then(|| view! {
                    <div class="msg-strip"><Icon glyph=Glyph::Lock/>{t!("message.note.strip")}</div>
                })}
                <header class="msg-head">
                    <span class="who">{message.author_name.clone()}</span>
                    {kind_tag(&message)}
                    <span class="to" title=recipients(&message)>{recipients(&message)}</span>
                    <span class="end">
                        {trust_tag(&message)}
                        <Leaves envelope written=message.at/>
                        <span class:vh=is_pending><Clock at=message.at/></span>
                        <EnvelopeButton envelope on_press=on_envelope/>
                        <CardMenu message=message.clone() details on_reply/>
                    </span>
                </header>
                {subject.map(|it| view! { <p class="msg-subject">{it}</p> })}
                {move || details.get().then(|| view! { <Details message=for_details.get_value()/> })}
                {message.held.clone().map(|why| view! { <HeldBar why record=context.record.clone() message=message.id.clone()/> })}
                {message.suggestion.clone().map(|it| view! { <SuggestionBar it record=context.record.clone() message=message.id.clone()/> })}
                <Scheduled envelope message=message.clone() on_cancel on_send_now/>
                {(!message.reply_to.is_empty()).then(|| view! { <p class="msg-note">{t!("message.reply_to", to = names(&message.reply_to))}</p> })}
                {message.calendar.iter().cloned().map(|event| view! { <Invitation event/> }).collect_view()}
                <Body message=message.clone() people=context.people/>
                {(!files.is_empty()).then(|| view! {
                    <div class="msg-foot">
                        {files.into_iter().map(|file| view! { <Attachment file/> }).collect_view()}
                    </div>
                })}
            </div>
        </article>
    }
    .into_any()
}

fn kind_tag(message: &MessageView) -> Option<AnyView> {
    if let Some(kind) = &message.automatic {
        let text = i18n::try_text(&format!("message.automatic.{kind}"), &[]).unwrap_or_else(|| t!("message.automatic"));
        return Some(view! { <Tag icon=Glyph::Bot text/> }.into_any());
    }
    let is_customer = message.incoming && !message.author_internal;
    is_customer.then(|| view! { <span class="only-wide"><Tag text=t!("message.customer")/></span> }.into_any())
}

fn trust_tag(message: &MessageView) -> Option<AnyView> {
    if !message.incoming {
        return None;
    }
    let domain = message.author_email.as_ref().map(|it| it.domain().to_owned()).unwrap_or_default();
    message.authenticated.map(|proven| {
        if proven {
            let title = t!("message.verified.title", domain = domain);
            view! { <Tag tone=Tone::Green icon=Glyph::Shield text=t!("message.verified") title shrinks=true/> }
                .into_any()
        } else {
            let title = t!("message.unverified.title", domain = domain);
            view! { <Tag tone=Tone::Amber icon=Glyph::ShieldAlert text=t!("message.unverified") title shrinks=true/> }
                .into_any()
        }
    })
}

fn names(all: &[Mailbox]) -> String {
    all.iter().map(|it| it.short().to_owned()).collect::<Vec<_>>().join(", ")
}

/// `to orders@…, cc Aurélie`.
fn recipients(message: &MessageView) -> String {
    let to = match &message.delivered_to {
        // A reply address of ours says nothing to a reader; the details have it.
        Some(to) if message.to.is_empty() && !to.as_str().starts_with("reply+") => to.to_string(),
        _ => names(&message.to),
    };
    match (to.is_empty(), message.cc.is_empty()) {
        (true, true) => String::new(),
        (false, true) => t!("message.to", to = to),
        (true, false) => t!("message.cc", cc = names(&message.cc)),
        (false, false) => t!("message.to_cc", to = to, cc = names(&message.cc)),
    }
}

/// `leaves in 8 s`, while the message can be taken back.
#[component]
fn Leaves(envelope: Signal<Option<EnvelopeView>>, written: Timestamp) -> AnyView {
    let at = Memo::new(move |_| envelope.with(|it| it.as_ref().and_then(|it| it.leaves_at)));
    view! {
        {move || at.get().map(|at| {
            if is_scheduled(written, at) {
                return view! { <span class="muted nowrap num">{t!("message.scheduled", when = dates::day_and_time(at))}</span> }
                    .into_any();
            }
            let left = dates::use_countdown(written, at);
            view! {
                <span class="muted nowrap num">
                    {move || match left.get() {
                        0 => t!("message.leaving"),
                        n => t!("message.leaves", n = n),
                    }}
                </span>
            }
            .into_any()
        })}
    }
    .into_any()
}

/// What can be done about a message that leaves later.
#[component]
fn Scheduled(
    envelope: Signal<Option<EnvelopeView>>,
    message: MessageView,
    on_cancel: Callback<MessageView>,
    on_send_now: Callback<MessageView>,
) -> AnyView {
    let written = message.at;
    let message = StoredValue::new(message);
    let waits = Memo::new(move |_| {
        let leaves = envelope.with(|it| it.as_ref().and_then(|it| it.leaves_at));
        leaves.is_some_and(|it| is_scheduled(written, it))
    });
    view! {
        {move || waits.get().then(|| view! {
            <p class="msg-acts row gap-2" data-scheduled="">
                <Button small=true icon=Glyph::Send text=t!("message.send_now") on_press=move |()| on_send_now.run(message.get_value())/>
                <Button small=true icon=Glyph::Close text=t!("message.cancel") on_press=move |()| on_cancel.run(message.get_value())/>
            </p>
        })}
    }
    .into_any()
}

#[component]
fn CardMenu(message: MessageView, details: RwSignal<bool>, on_reply: Callback<MessageView>) -> AnyView {
    let trigger = view! { <Icon glyph=Glyph::More/> }.into_any();
    let original = message.has_original.then(|| original_address(&message.id));
    let can_reply = !message.internal && message.kind != MessageKind::Notification;
    // A note that nobody is mailed leaves no trace.
    let has_trace = message.incoming || message.envelope.is_some();
    let message = StoredValue::new(message);
    view! {
        <Menu class="btn btn--ghost btn--sm btn--icon" label=t!("message.more") trigger>
            {can_reply.then(|| view! {
                <MenuItem icon=Glyph::Reply text=t!("message.reply") on_press=move |()| on_reply.run(message.get_value())/>
            })}
            <MenuItem icon=Glyph::Info text=t!("message.details") on_press=move |()| details.update(|it| *it = !*it)/>
            {has_trace.then(|| view! {
                <MenuItem icon=Glyph::Clock text=t!("trace.title") href=Page::Trace(message.with_value(|it| it.id.to_string())).href()/>
            })}
            {original.clone().map(|href| view! {
                <MenuItem icon=Glyph::Source text=t!("message.original") href=href blank=true/>
            })}
        </Menu>
    }
    .into_any()
}

/// The head of the mail, in full.
#[component]
fn Details(message: MessageView) -> AnyView {
    let full = |all: &[Mailbox]| all.iter().map(Mailbox::display).collect::<Vec<_>>().join(", ");
    let from = message.author_email.as_ref().map_or_else(String::new, |it| format!("{} <{it}>", message.author_name));
    let issues: Vec<_> = message
        .issues
        .iter()
        .map(|it| i18n::try_text(&format!("issue.{it}"), &[]).unwrap_or_else(|| it.clone()))
        .collect();
    let lines = [
        (t!("message.details.from"), from),
        (t!("message.details.to"), full(&message.to)),
        (t!("message.details.cc"), full(&message.cc)),
        (t!("message.details.reply_to"), full(&message.reply_to)),
        (
            t!("message.details.delivered_to"),
            message.delivered_to.as_ref().map(ToString::to_string).unwrap_or_default(),
        ),
        (t!("message.details.subject"), message.subject.clone()),
        (t!("message.details.date"), dates::format(message.at, dates::Style::Full)),
        (t!("message.details.issues"), issues.join(" ")),
    ];
    let origin = (message.incoming && message.has_original).then(|| view! { <Origin message=message.id.clone()/> });
    view! {
        <dl class="msg-details">
            {lines
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
                .collect_view()}
            {origin}
        </dl>
    }
    .into_any()
}

/// The text, replaced by the HTML body when that shows more; quotes folded.
#[component]
fn Body(message: MessageView, people: Vec<String>) -> AnyView {
    let unfolded = RwSignal::new(false);
    let images = RwSignal::new(false);
    let framed = RwSignal::new(false);
    let folded = StoredValue::new(message.folded.clone());
    let wanted = RwSignal::new(message.has_html);
    let body = message.has_html.then(|| use_body(&message.id, wanted.into(), images.into()));
    let people = StoredValue::new(people);
    let html = Memo::new(move |_| {
        body.and_then(crate::queries::Read::data).filter(|it| text::needs_frame(&it.html)).map(|it| (it, images.get()))
    });
    let plain = paragraphs(&message.text, &people.get_value());
    let has_remote = message.has_remote_images;
    view! {
        {move || {
            let asks = has_remote && framed.get() && !images.get();
            asks.then(|| view! {
                <div class="msg-bar">
                    <Icon glyph=Glyph::Image/>
                    <span>{t!("message.images.blocked")}</span>
                    <Button class="push" kind=Kind::Link text=t!("message.images.load") on_press=move |()| images.set(true)/>
                </div>
            })
        }}
        <div class="msg-body">
            <div hidden=framed>{plain}</div>
            {move || html.get().map(|(body, images)| view! { <HtmlFrame body images on_ready=move |()| framed.set(true)/> })}
            {move || unfolded.get().then(|| view! {
                <div class="folded">{paragraphs(&folded.get_value().unwrap_or_default(), &people.get_value())}</div>
            })}
        </div>
        {folded.with_value(Option::is_some).then(|| view! {
            <button
                type="button"
                class="quote-btn"
                aria-expanded=move || if unfolded.get() { "true" } else { "false" }
                aria-label=t!("message.quote")
                title=t!("message.quote")
                on:click=move |_| unfolded.update(|it| *it = !*it)
            >
                "•••"
            </button>
        })}
    }
    .into_any()
}

fn paragraphs(text: &str, people: &[String]) -> AnyView {
    text::paragraphs(text)
        .into_iter()
        .map(|it| {
            let pieces = text::pieces(&it, people).into_iter().map(|piece| match piece {
                Piece::Text(text) => text.into_any(),
                Piece::Link(text, href) => {
                    view! { <a href=href target="_blank" rel="noopener noreferrer nofollow">{text}</a> }.into_any()
                }
                Piece::Mention(text) => view! { <span class="mention">{text}</span> }.into_any(),
            });
            view! { <p>{pieces.collect_view()}</p> }
        })
        .collect_view()
        .into_any()
}

/// `Mai Lindqvist moved it from New to In progress · 13:58`.
#[component]
fn SystemEntry(line: SystemLine, message: MessageView) -> AnyView {
    let args: Vec<(String, String)> = line
        .args
        .iter()
        .map(|(name, value)| {
            let value = if line.key == "stage_changed" { stage_label(value) } else { value.clone() };
            (name.clone(), value)
        })
        .collect();
    let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let to = line.args.get("to").map_or("", String::as_str);
    let whom = line.args.get("name").map_or("", String::as_str);
    let key = match line.key.as_str() {
        "responsible_changed" if to.is_empty() => "responsible_removed",
        "responsible_changed" if to == message.author_name => "responsible_taken",
        "follower_added" if whom == message.author_name => "follower_joined",
        "follower_removed" if whom == message.author_name => "follower_left",
        other => other,
    };
    let text = i18n::try_text(&format!("system.{key}"), &args).unwrap_or_else(|| message.text.clone());
    let glyph = match line.key.as_str() {
        "record_created" | "record_created_by_mail" => Glyph::Plus,
        "follower_added" | "follower_removed" | "responsible_changed" => Glyph::People,
        "message_retried" => Glyph::Retry,
        "failures_ignored" => Glyph::Envelope(crate::model::envelope::EnvelopeGlyph::Off),
        "title_changed" | "email_changed" | "address_changed" => Glyph::Edit,
        _ => Glyph::Arrow,
    };
    view! {
        <p class="sys" data-system=line.key>
            <Icon glyph/>
            <span><b>{message.author_name.clone()}</b>" "{text}" · "<Clock at=message.at/></span>
        </p>
    }
    .into_any()
}

/// The control above the chatter.
#[component]
pub fn ShowSeg(show: RwSignal<crate::model::timeline::Show>) -> AnyView {
    use crate::model::timeline::Show;
    use crate::ui::seg::Segment;
    let segments = Show::ALL
        .into_iter()
        .map(|it| Segment::new(it.as_str(), t!(&format!("chatter.show.{}", it.as_str()))))
        .collect();
    view! {
        <Seg
            label=t!("chatter.show")
            segments
            value=Signal::derive(move || show.get().as_str().to_owned())
            on_change=move |it: &'static str| show.set(Show::parse(it))
        />
    }
    .into_any()
}

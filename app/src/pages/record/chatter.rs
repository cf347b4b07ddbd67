//! The stream of messages with day lines, oldest first, the newest in view.

use leptos::prelude::*;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::api::messages::PostMode;
use mailroom_shared::id::MessageId;
use mailroom_shared::time::Timestamp;

use super::Open;
use crate::dates;
use crate::model::timeline;
use crate::model::timeline::Entry;
use crate::model::timeline::Show;
use crate::t;
use crate::ui::blank::Blank;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::skeleton::SkeletonChatter;
use crate::ui::window::is_at_end;
use crate::ui::window::scroll_to_end;
use crate::widgets::message_card::CardContext;
use crate::widgets::message_card::MessageCard;
use crate::widgets::message_card::ShowSeg;
use crate::widgets::problem::ProblemBlank;

#[component]
pub(super) fn ChatterStream(open: Open) -> AnyView {
    let show = RwSignal::new(Show::All);
    let chatter = open.chatter;
    // With its key, so that a message whose content changed is built anew.
    let entries = Memo::new(move |_| {
        chatter.messages.with(|all| {
            let entries = timeline::entries(all, show.get(), dates::offset);
            entries.into_iter().map(|it| (key(all, &it), it)).collect::<Vec<_>>()
        })
    });
    scroll_when_ready(open);
    let is_empty = Memo::new(move |_| chatter.ready.get() && entries.with(Vec::is_empty));
    view! {
        <div class="chatter-bar"><ShowSeg show/></div>
        <div class="stream" role="log" aria-label=t!("chatter.label") aria-live="off">
            {move || match (chatter.ready.get(), chatter.problem.get()) {
                (true, _) => ().into_any(),
                (false, None) => view! { <SkeletonChatter/> }.into_any(),
                (false, Some(error)) => view! { <ProblemBlank error on_retry=move |()| chatter.retry()/> }.into_any(),
            }}
            {move || chatter.has_earlier().then(|| view! {
                <div class="load-earlier">
                    <Button kind=Kind::Ghost small=true text=t!("chatter.earlier") on_press=move |()| chatter.read_earlier()/>
                </div>
            })}
            {move || is_empty.get().then(|| view! { <Blank title=t!("chatter.empty") text=t!("chatter.empty.text")/> })}
            <For each=move || entries.get() key=|(key, _)| key.clone() let:entry>
                {match entry.1 {
                    Entry::Day(_, at) => view! { <DayLine at/> }.into_any(),
                    Entry::Message(id) => view! { <Card open id/> }.into_any(),
                }}
            </For>
        </div>
    }
    .into_any()
}

/// A card is built anew when its content changes; its envelope moves by itself.
fn key(messages: &[MessageView], entry: &Entry) -> String {
    let Entry::Message(id) = entry else { return entry.key() };
    let Some(it) = messages.iter().find(|it| it.id == *id) else { return entry.key() };
    let has_suggestion = it.suggestion.is_some();
    format!("{id} {} {} {} {:?} {has_suggestion}", it.text.len(), it.has_html, it.attachments.len(), it.held)
}

#[component]
fn DayLine(at: Timestamp) -> AnyView {
    let now = dates::use_now();
    view! { <h2 class="day">{move || dates::day_line(at, now.get())}</h2> }.into_any()
}

#[component]
fn Card(open: Open, id: MessageId) -> AnyView {
    let messages = open.chatter.messages;
    let message = messages.with_untracked(|all| all.iter().find(|it| it.id == id).cloned());
    let for_envelope = id.clone();
    let envelope = Memo::new(move |_| {
        messages.with(|all| all.iter().find(|it| it.id == for_envelope).and_then(|it| it.envelope.clone()))
    });
    let title = open.record.state.with_untracked(|it| it.data.as_ref().map(|it| it.title.clone()));
    let people = open.record.state.with_untracked(|it| {
        it.data.as_ref().map(|it| it.followers.iter().map(|it| it.name.clone()).collect::<Vec<_>>())
    });
    let context = CardContext {
        record: open.id.get_value(),
        title: title.unwrap_or_default(),
        people: people.unwrap_or_default(),
    };
    message
        .map(|message| {
            view! {
                <MessageCard
                    message
                    envelope
                    context
                    on_envelope=move |()| open.deliveries.set(Some(id.clone()))
                    on_reply=move |_: MessageView| open.composer.write(PostMode::Message)
                    on_cancel=move |it: MessageView| open.composer.cancel(it)
                    on_send_now=move |it: MessageView| open.composer.send_now(it)
                />
            }
        })
        .into_any()
}

/// The newest message is what a reader came for. Later ones scroll into view when the reader is at the end already.
fn scroll_when_ready(open: Open) {
    let last = Memo::new(move |_| open.chatter.messages.with(|all| all.last().map(|it| it.id.clone())));
    Effect::new(move |before: Option<Option<MessageId>>| {
        let now = last.get();
        let is_first = before.flatten().is_none() && now.is_some();
        if is_first || is_at_end() {
            request_animation_frame(scroll_to_end);
        }
        now
    });
}

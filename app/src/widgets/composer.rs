//! The composer: a message to people, or a note for the team; clearly different, each with its own text. It shows who
//! will be told before anything is sent, and what was sent can be taken back for some seconds.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::messages::EnvelopeView;
use mailroom_shared::api::messages::LeavesWhen;
use mailroom_shared::api::messages::MessageKind;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::api::messages::NewMessage;
use mailroom_shared::api::messages::PostMode;
use mailroom_shared::api::messages::RecipientsView;
use mailroom_shared::api::records::AttachmentView;
use mailroom_shared::api::session::Me;
use mailroom_shared::api::session::UserRow;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;
use mailroom_shared::outbox::state::EnvelopeState;
use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;
use web_sys::DragEvent;
use web_sys::KeyboardEvent;

use self::files::FileChips;
use self::files::Uploads;
use self::goes::Goes;
use self::later::LaterRow;
use self::later::TemplateMenu;
use self::mention::MentionList;
use self::mention::Mentions;
use super::problem::problem_text;
use crate::api::ApiError;
use crate::dates;
use crate::model::composer::Draft;
use crate::model::composer::placeholder_names;
use crate::model::envelope::EnvelopeGlyph;
use crate::model::when;
use crate::queries::Cache;
use crate::queries::Read;
use crate::queries::messages::Chatter;
use crate::queries::messages::post_message;
use crate::queries::messages::preview_recipients;
use crate::queries::messages::send_message_now;
use crate::queries::messages::undo_message;
use crate::queries::session::use_users;
use crate::queries::use_cache;
use crate::session::use_me;
use crate::t;
use crate::theme;
use crate::tn;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;
use crate::ui::seg::Seg;
use crate::ui::seg::Segment;
use crate::ui::toast::Toast;
use crate::ui::toast::Toasts;
use crate::ui::toast::use_toasts;
use crate::ui::window::scroll_to_end;

mod files;
mod goes;
mod later;
mod mention;

/// What is written on one record, shared by the composer's parts and by what acts on it from outside (reply).
#[derive(Clone, Copy)]
pub struct Composer {
    pub draft: RwSignal<Draft>,
    /// Which of the rows To, Cc, Bcc, Subject are open.
    pub rows: RwSignal<[bool; 4]>,
    /// Who would be told.
    pub people: RwSignal<Option<RecipientsView>>,
    pub error: RwSignal<Option<ApiError>>,
    /// The row with the time to leave at is open.
    later: RwSignal<bool>,
    busy: RwSignal<bool>,
    record: StoredValue<RecordId>,
    /// Who can be called with @.
    users: Read<Vec<UserRow>>,
    cache: Cache,
    toasts: Toasts,
    chatter: Chatter,
    me: Memo<Option<Me>>,
}

fn storage_key(record: &RecordId) -> String {
    format!("mailroom-draft-{record}")
}

impl Composer {
    /// The composer of a record, with what was written there before.
    pub fn open(record: &RecordId, chatter: Chatter) -> Self {
        let stored = theme::stored(&storage_key(record)).and_then(|it| crate::json::read::<Draft>(&it).ok());
        let draft = stored.unwrap_or_default();
        let rows = [&draft.to, &draft.cc, &draft.bcc, &draft.subject].map(|it| !it.is_empty());
        let later = draft.send_at.is_some();
        let composer = Self {
            later: RwSignal::new(later),
            draft: RwSignal::new(draft),
            rows: RwSignal::new(rows),
            people: RwSignal::new(None),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
            record: StoredValue::new(record.clone()),
            users: use_users(),
            cache: use_cache(),
            toasts: use_toasts(),
            chatter,
            me: use_me(),
        };
        composer.keep();
        composer.preview();
        composer
    }

    /// Keeps the draft in the browser.
    fn keep(self) {
        Effect::new(move |_| {
            let key = storage_key(&self.record.get_value());
            self.draft.with(|draft| {
                if draft.is_blank() {
                    theme::forget(&key);
                } else if let Ok(text) = serde_json::to_string(draft) {
                    theme::store(&key, &text);
                }
            });
        });
    }

    /// Asks who would be told, shortly after what decides it has changed: not with every letter of the text.
    fn preview(self) {
        let question = Memo::new(move |_| {
            let post = self.draft.with(|it| it.post(""));
            NewMessage { text: String::new(), attachments: Vec::new(), subject: String::new(), send_at: None, ..post }
        });
        Effect::new(move |before: Option<()>| {
            self.cache.track(&mailroom_shared::api::tag::record(self.record.get_value().as_str()));
            let asked = question.get();
            spawn_local(async move {
                dates::sleep(if before.is_some() { 250 } else { 0 }).await;
                if question.try_get_untracked().is_none_or(|it| it != asked) {
                    return;
                }
                let Some(record) = self.record.try_get_value() else { return };
                if let Ok(people) = preview_recipients(record, asked).await {
                    let _ = self.people.try_set(Some(people));
                }
            });
        });
    }

    /// Asks who would be told although the draft is the same: something else has changed.
    async fn ask_again(self) {
        let post = self.draft.with_untracked(|it| it.post(""));
        let asked = NewMessage { text: String::new(), attachments: Vec::new(), subject: String::new(), ..post };
        let Some(record) = self.record.try_get_value() else { return };
        if let Ok(people) = preview_recipients(record, asked).await {
            let _ = self.people.try_set(Some(people));
        }
    }

    /// Switches to a mode and puts the cursor into the text.
    pub fn write(self, mode: PostMode) {
        self.draft.update(|it| it.mode = mode);
        request_animation_frame(|| keys::focus(".composer-text"));
    }

    fn is_note(self) -> bool {
        self.draft.with(|it| it.mode == PostMode::Note)
    }

    /// Posts what is written. The text is gone at once and comes back when it could not be posted.
    fn send(self) {
        if self.busy.get_untracked() || !self.draft.with_untracked(Draft::can_send) {
            return;
        }
        let key = random_key();
        let before = self.draft.get_untracked();
        let post = before.post(&key);
        let (record, files) = (self.record.get_value(), before.now().attachments.clone());
        let pending = MessageId::parse(format!("pending-{key}")).ok();
        if let Some(message) = pending.clone().and_then(|id| self.pending(id, &post, files.clone())) {
            self.chatter.put(message);
        }
        self.draft.update(Draft::clear_sent);
        self.rows.set([false; 4]);
        self.later.set(false);
        self.error.set(None);
        self.busy.set(true);
        let people = self.people.get_untracked();
        spawn_local(async move {
            let answer = post_message(self.cache, record.clone(), post).await;
            if self.busy.try_set(false).is_some() {
                // The page was left meanwhile; the draft is kept in the browser when it could not be sent.
                if answer.is_err() {
                    if let Ok(text) = serde_json::to_string(&before) {
                        theme::store(&storage_key(&record), &text);
                    }
                    super::problem::toast_problem(self.toasts, &ApiError::Offline);
                }
                return;
            }
            if let Some(id) = pending {
                self.chatter.take_out(&id);
            }
            match answer {
                Ok(message) => {
                    self.offer_undo(&message, people.as_ref(), files);
                    self.chatter.put(message);
                    request_animation_frame(scroll_to_end);
                }
                Err(error) => {
                    self.draft.set(before);
                    self.error.set(Some(error));
                }
            }
        });
        request_animation_frame(scroll_to_end);
    }

    /// The card that is shown until the Worker has answered.
    fn pending(self, id: MessageId, post: &NewMessage, files: Vec<AttachmentView>) -> Option<MessageView> {
        let me = self.me.get_untracked()?;
        let is_note = post.mode == PostMode::Note;
        let now = dates::now();
        let envelope = EnvelopeView {
            state: EnvelopeState::Leaving,
            recipients: 0,
            done: 0,
            failing: 0,
            leaves_at: Some(now + Span::seconds(i64::from(me.undo_seconds))),
        };
        Some(MessageView {
            id,
            kind: if is_note { MessageKind::Note } else { MessageKind::Comment },
            internal: is_note,
            incoming: false,
            automatic: None,
            author: Some(me.contact),
            author_name: me.name,
            author_email: Some(me.email),
            author_internal: true,
            subject: post.subject.clone(),
            to: Vec::new(),
            cc: Vec::new(),
            reply_to: Vec::new(),
            delivered_to: None,
            text: post.text.clone(),
            folded: None,
            has_html: false,
            has_remote_images: false,
            attachments: files,
            at: now,
            envelope: (!is_note).then_some(envelope),
            authenticated: None,
            system: None,
            issues: Vec::new(),
            held: None,
            has_original: false,
            calendar: Vec::new(),
            suggestion: None,
        })
    }

    /// A toast for as long as the message can be taken back.
    fn offer_undo(self, message: &MessageView, people: Option<&RecipientsView>, files: Vec<AttachmentView>) {
        let Some(leaves_at) = message.envelope.as_ref().and_then(|it| it.leaves_at) else { return };
        // Both times are the Worker's: the reader's clock may be wrong.
        let seconds = when::seconds_until(message.at, leaves_at);
        if seconds <= 0 {
            return;
        }
        if when::is_scheduled(message.at, leaves_at) {
            let when = dates::day_and_time(leaves_at);
            self.toasts.done(t!("composer.scheduled", when = when));
            return;
        }
        let (id, record) = (message.id.clone(), self.record.get_value());
        let undo = Callback::new(move |()| {
            let (id, record, files) = (id.clone(), record.clone(), files.clone());
            spawn_local(async move {
                match undo_message(self.cache, record.clone(), id.clone()).await {
                    Ok(post) => self.take_back(&record, &id, &post, files),
                    Err(error) => super::problem::toast_problem(self.toasts, &error),
                }
            });
        });
        let toast = Toast::new(Glyph::Envelope(EnvelopeGlyph::Out), t!("composer.leaving"))
            .detail(people.map(counts).unwrap_or_default())
            .seconds(u32::try_from(seconds).unwrap_or(10))
            .undo(undo);
        self.toasts.show(toast);
    }

    /// Cancels a scheduled message: its text comes back into the composer.
    pub fn cancel(self, message: MessageView) {
        let record = self.record.get_value();
        spawn_local(async move {
            match undo_message(self.cache, record.clone(), message.id.clone()).await {
                Ok(post) => self.take_back(&record, &message.id, &post, message.attachments),
                Err(error) => super::problem::toast_problem(self.toasts, &error),
            }
        });
    }

    /// A scheduled message leaves now.
    pub fn send_now(self, message: MessageView) {
        let record = self.record.get_value();
        spawn_local(async move {
            match send_message_now(self.cache, record, message.id).await {
                Ok(message) => self.chatter.put(message),
                Err(error) => super::problem::toast_problem(self.toasts, &error),
            }
        });
    }

    fn take_back(self, record: &RecordId, id: &MessageId, post: &NewMessage, files: Vec<AttachmentView>) {
        if self.busy.is_disposed() {
            // Another record is open: what was taken back waits in the draft of its own.
            let mut draft = Draft::default();
            draft.put_back(post, files, Vec::new());
            if let Ok(text) = serde_json::to_string(&draft) {
                theme::store(&storage_key(record), &text);
            }
            return;
        }
        self.chatter.take_out(id);
        let users = untrack(move || self.users.data()).unwrap_or_default();
        let called = users.into_iter().filter(|it| post.mentions.contains(&it.contact)).map(|it| (it.contact, it.name));
        self.draft.update(|it| it.put_back(post, files, called.collect()));
        self.later.set(post.send_at.is_some());
        self.draft.with_untracked(|it| {
            self.rows.set([&it.to, &it.cc, &it.bcc, &it.subject].map(|it| !it.is_empty()));
        });
        request_animation_frame(|| keys::focus(".composer-text"));
    }
}

/// `3 by email, 1 in Mailroom`.
fn counts(people: &RecipientsView) -> String {
    match (people.by_email, people.in_mailroom) {
        (0, 0) => t!("composer.counts.nobody"),
        (email, 0) => tn!("composer.counts.email", email),
        (0, app) => tn!("composer.counts.mailroom", app),
        (email, app) => t!("composer.counts.both", email = email, app = app),
    }
}

/// `leaves at once`, or what it waits for.
fn leaves_words(it: &LeavesWhen) -> String {
    let when = |at: Timestamp| dates::when_text(at, dates::now());
    match it {
        LeavesWhen::AtOnce { .. } => t!("composer.leaves.at_once"),
        LeavesWhen::Limit { server, until } => t!("composer.leaves.limit", server = server, when = when(*until)),
        LeavesWhen::Rest { server, until } => t!("composer.leaves.rest", server = server, when = when(*until)),
        LeavesWhen::Never => t!("composer.leaves.never"),
    }
}

/// A key no other post has.
fn random_key() -> String {
    let mut bytes = [0_u8; 12];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The box below the chatter.
#[component]
pub fn ComposerBox(composer: Composer) -> AnyView {
    let text = NodeRef::<html::Textarea>::new();
    let uploads = Uploads::new(composer);
    let mentions = Mentions::new(composer, text);
    let dropping = RwSignal::new(false);
    let on_drop = move |event: DragEvent| {
        event.prevent_default();
        dropping.set(false);
        uploads.add(event.data_transfer().and_then(|it| it.files()));
    };
    let on_keydown = move |event: KeyboardEvent| {
        if mentions.take_key(&event) {
            event.prevent_default();
        } else if keys::is_send(&event) {
            event.prevent_default();
            composer.send();
        } else if event.key() == "Escape"
            && let Some(text) = text.get_untracked()
        {
            let _ = text.blur();
        }
    };
    view! {
        <form
            class="composer"
            class:composer--note=move || composer.is_note()
            aria-label=t!("composer.label")
            on:submit=move |event| event.prevent_default()
        >
            <div
                class="composer-box"
                class:is-dropping=dropping
                on:dragover=move |event: DragEvent| { event.prevent_default(); dropping.set(true); }
                on:dragleave=move |_| dropping.set(false)
                on:drop=on_drop
            >
                <Top composer/>
                <Goes composer/>
                <ExtraRows composer/>
                <LaterRow composer/>
                <textarea
                    class="composer-text"
                    rows="2"
                    node_ref=text
                    aria-label=t!("composer.text")
                    placeholder=move || placeholder(composer)
                    prop:value=move || composer.draft.with(|it| it.now().text.clone())
                    on:input=move |event| {
                        let typed = event_target_value(&event);
                        composer.draft.update(|it| it.now_mut().text = typed);
                        mentions.look();
                    }
                    on:keydown=on_keydown
                    on:click=move |_| mentions.look()
                    on:blur=move |_| mentions.close_soon()
                    on:paste=move |event| {
                        let files = event.clipboard_data().and_then(|it| it.files()).filter(|it| it.length() > 0);
                        if files.is_some() {
                            event.prevent_default();
                            uploads.add(files);
                        }
                    }
                ></textarea>
                <MentionList mentions/>
                <FileChips composer uploads/>
                {move || composer.error.get().map(|error| view! {
                    <div class="composer-error">
                        <Notice weight=Weight::Bad icon=Glyph::Alert text=format!("{} {}", t!("composer.failed"), problem_text(&error))/>
                    </div>
                })}
                <Tools composer uploads mentions/>
            </div>
        </form>
    }
    .into_any()
}

fn placeholder(composer: Composer) -> String {
    if composer.is_note() {
        return t!("composer.placeholder.note");
    }
    let (names, more) =
        composer.people.with(|it| it.as_ref().map(|it| placeholder_names(&it.people))).unwrap_or_default();
    match (names.is_empty(), more) {
        (true, _) => t!("composer.placeholder.nobody"),
        (false, 0) => t!("composer.placeholder", names = names.join(", ")),
        (false, n) => tn!("composer.placeholder.more", n, names = names.join(", ")),
    }
}

#[component]
fn Top(composer: Composer) -> AnyView {
    let segments = vec![
        Segment {
            value: "message",
            text: t!("composer.mode.message"),
            icon: Some(Glyph::Envelope(EnvelopeGlyph::Plain)),
        },
        Segment { value: "note", text: t!("composer.mode.note"), icon: Some(Glyph::Lock) },
    ];
    let value = Signal::derive(move || if composer.is_note() { "note".to_owned() } else { "message".to_owned() });
    let summary = move || {
        let people = composer.people.get();
        match (composer.is_note(), people) {
            (_, None) => String::new(),
            (true, Some(_)) => t!("composer.note.summary"),
            (false, Some(people)) => {
                let leaves = match composer.draft.with(|it| it.send_at) {
                    Some(at) => Some(t!("composer.leaves.later", when = dates::day_and_time(at))),
                    None => people.leaves.as_ref().map(leaves_words),
                };
                [Some(counts(&people)), leaves].into_iter().flatten().collect::<Vec<_>>().join(" · ")
            }
        }
    };
    let row = move |index: usize, label: String| {
        view! {
            <button
                type="button"
                class="link"
                hidden=move || composer.rows.with(|it| it.get(index).copied().unwrap_or_default())
                on:click=move |_| {
                    composer.rows.update(|it| if let Some(row) = it.get_mut(index) { *row = true });
                    request_animation_frame(move || keys::focus(&format!("[data-row=\"{index}\"] input")));
                }
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="composer-top">
            <Seg
                label=t!("composer.mode")
                segments
                value
                on_change=move |it: &'static str| {
                    composer.write(if it == "note" { PostMode::Note } else { PostMode::Message });
                }
            />
            <span class="muted only-wide push small trunc">{summary}</span>
            <span class="row cc" hidden=move || composer.is_note()>
                <span class="only-wide">{row(3, t!("composer.row.subject"))}</span>
                <span class="only-wide">{row(0, t!("composer.row.to"))}</span>
                {row(1, t!("composer.row.cc"))}
                {row(2, t!("composer.row.bcc"))}
            </span>
        </div>
    }
    .into_any()
}

/// To, Cc, Bcc and subject, each shown once it is asked for.
#[component]
fn ExtraRows(composer: Composer) -> AnyView {
    let row = move |index: usize, label: String, get: fn(&Draft) -> &String, set: fn(&mut Draft) -> &mut String| {
        let id = crate::ui::unique_id("composer");
        let open = move || !composer.is_note() && composer.rows.with(|it| it.get(index).copied().unwrap_or_default());
        view! {
            <div class="cc-row" data-row=index.to_string() hidden=move || !open()>
                <label for=id.clone()>{label.clone()}</label>
                <input
                    id=id.clone()
                    type="text"
                    autocomplete="off"
                    spellcheck=if index == 3 { "true" } else { "false" }
                    placeholder=if index == 3 { t!("composer.row.subject.hint") } else { t!("composer.row.address.hint") }
                    prop:value=move || composer.draft.with(|it| get(it).clone())
                    on:input=move |event| composer.draft.update(|it| *set(it) = event_target_value(&event))
                />
                <Button
                    kind=Kind::Ghost
                    small=true
                    icon=Glyph::Close
                    label=t!("composer.row.close", name = label)
                    on_press=move |()| {
                        composer.draft.update(|it| set(it).clear());
                        composer.rows.update(|it| if let Some(row) = it.get_mut(index) { *row = false });
                    }
                />
            </div>
        }
    };
    view! {
        {row(0, t!("composer.row.to"), |it| &it.to, |it| &mut it.to)}
        {row(1, t!("composer.row.cc"), |it| &it.cc, |it| &mut it.cc)}
        {row(2, t!("composer.row.bcc"), |it| &it.bcc, |it| &mut it.bcc)}
        {row(3, t!("composer.row.subject"), |it| &it.subject, |it| &mut it.subject)}
    }
    .into_any()
}

#[component]
fn Tools(composer: Composer, uploads: Uploads, mentions: Mentions) -> AnyView {
    let picker = NodeRef::<html::Input>::new();
    let disabled =
        Signal::derive(move || composer.busy.get() || uploads.is_busy() || !composer.draft.with(Draft::can_send));
    view! {
        <div class="composer-tools">
            <input
                type="file"
                multiple
                hidden
                node_ref=picker
                aria-label=t!("composer.attach")
                on:change=move |_| {
                    if let Some(input) = picker.get_untracked() {
                        uploads.add(input.files());
                        input.set_value("");
                    }
                }
            />
            <Button
                kind=Kind::Ghost
                icon=Glyph::Clip
                label=t!("composer.attach")
                on_press=move |()| {
                    if let Some(input) = picker.get_untracked() {
                        input.click();
                    }
                }
            />
            <Button kind=Kind::Ghost icon=Glyph::At label=t!("composer.mention") on_press=move |()| mentions.begin()/>
            <TemplateMenu composer/>
            {move || (!composer.is_note()).then(|| view! {
                <Button
                    kind=Kind::Ghost
                    icon=Glyph::Clock
                    label=t!("composer.later")
                    on_press=move |()| {
                        composer.later.set(true);
                        request_animation_frame(|| keys::focus("#composer-later"));
                    }
                />
            })}
            <span class="push"></span>
            <button type="button" class="btn btn--primary" data-send="" disabled=disabled on:click=move |_| composer.send()>
                {move || composer.is_note().then(|| view! { <Icon glyph=Glyph::Lock/> })}
                {move || {
                    let is_later = composer.draft.with(|it| it.send_at.is_some());
                    match (composer.is_note(), is_later) {
                        (true, _) => t!("composer.log"),
                        (false, true) => t!("composer.schedule"),
                        (false, false) => t!("composer.send"),
                    }
                }}
                <kbd class="kbd only-wide">{keys::send_keys()}</kbd>
            </button>
        </div>
    }
    .into_any()
}

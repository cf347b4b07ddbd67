//! The chatter, the composer and the delivery dialog.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::Endpoint;
use mailroom_shared::api::Page;
use mailroom_shared::api::messages::BodyQuery;
use mailroom_shared::api::messages::BodyView;
use mailroom_shared::api::messages::DeliveriesView;
use mailroom_shared::api::messages::ListMessages;
use mailroom_shared::api::messages::MessageQuery;
use mailroom_shared::api::messages::MessageView;
use mailroom_shared::api::messages::NewMessage;
use mailroom_shared::api::messages::PostMessage;
use mailroom_shared::api::messages::PreviewRecipients;
use mailroom_shared::api::messages::ReadBody;
use mailroom_shared::api::messages::ReadDeliveries;
use mailroom_shared::api::messages::RecipientsView;
use mailroom_shared::api::messages::SendMessageNow;
use mailroom_shared::api::messages::SettleDeliveries;
use mailroom_shared::api::messages::SettleMessage;
use mailroom_shared::api::messages::UndoMessage;
use mailroom_shared::api::tag;
use mailroom_shared::id::MessageId;
use mailroom_shared::id::RecordId;

use super::Cache;
use super::Read;
use super::read;
use super::use_cache;
use crate::api;
use crate::api::ApiError;
use crate::model::timeline;

/// The chatter of a record: the newest page, older ones on demand, kept up to date.
#[derive(Clone, Copy)]
pub struct Chatter {
    pub messages: RwSignal<Vec<MessageView>>,
    pub ready: RwSignal<bool>,
    pub problem: RwSignal<Option<ApiError>>,
    earlier: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    again: RwSignal<u32>,
    record: StoredValue<RecordId>,
    cache: Cache,
}

/// Opens the chatter of a record.
pub fn use_chatter(record: RecordId) -> Chatter {
    let cache = use_cache();
    let chatter = Chatter {
        messages: RwSignal::new(Vec::new()),
        ready: RwSignal::new(false),
        problem: RwSignal::new(None),
        earlier: RwSignal::new(None),
        busy: RwSignal::new(false),
        again: RwSignal::new(0),
        record: StoredValue::new(record),
        cache,
    };
    Effect::new(move |_| {
        chatter.again.track();
        cache.track(&tag::record(chatter.record.get_value().as_str()));
        chatter.read_newest();
    });
    chatter
}

impl Chatter {
    fn read_newest(self) {
        spawn_local(async move {
            let Some(answer) = self.page(None).await else { return };
            match answer {
                Ok(page) => {
                    let is_first = !self.ready.get_untracked();
                    let fresh = if page.next.is_none() {
                        page.items
                    } else {
                        self.messages.with_untracked(|old| timeline::refresh(old, &page.items))
                    };
                    if is_first {
                        self.earlier.set(page.next);
                    }
                    if self.messages.with_untracked(|old| *old != fresh) {
                        self.messages.set(fresh);
                    }
                    self.problem.set(None);
                    self.ready.set(true);
                }
                Err(error) => {
                    self.cache.failed(&error);
                    self.problem.set(Some(error));
                }
            }
        });
    }

    /// The answer for a page; nothing when the record was left meanwhile.
    async fn page(self, cursor: Option<String>) -> Option<Result<Page<MessageView>, ApiError>> {
        let record = self.record.try_get_value()?;
        let query = MessageQuery { cursor, limit: None };
        let answer = api::call::<ListMessages>(&[record.as_str()], &query, &()).await;
        self.record.try_get_value().map(|_| answer)
    }

    /// Reads the page before the oldest message that is there.
    pub fn read_earlier(self) {
        let Some(cursor) = self.earlier.get_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        self.busy.set(true);
        spawn_local(async move {
            match self.page(Some(cursor)).await {
                Some(Ok(page)) => {
                    self.messages.update(|all| *all = timeline::join(all, &page.items));
                    self.earlier.set(page.next);
                }
                Some(Err(error)) => self.problem.set(Some(error)),
                None => return,
            }
            self.busy.set(false);
        });
    }

    pub fn has_earlier(self) -> bool {
        self.earlier.with(Option::is_some)
    }

    pub fn retry(self) {
        self.problem.set(None);
        self.again.update(|it| *it += 1);
    }

    /// Shows what the Worker answered to a post before the list is read again.
    pub fn put(self, message: MessageView) {
        self.messages.update(|all| *all = timeline::join(all, &[message]));
    }

    /// Takes a message out that was taken back.
    pub fn take_out(self, id: &MessageId) {
        self.messages.update(|all| all.retain(|it| it.id != *id));
    }
}

pub async fn post_message(cache: Cache, record: RecordId, new: NewMessage) -> Result<MessageView, ApiError> {
    let answer = api::call::<PostMessage>(&[record.as_str()], &(), &new).await;
    cache.settle(answer, &[&tag::record(record.as_str()), tag::RECORDS, tag::SHELL])
}

pub async fn undo_message(cache: Cache, record: RecordId, id: MessageId) -> Result<NewMessage, ApiError> {
    let answer = api::call::<UndoMessage>(&[id.as_str()], &(), &()).await;
    cache.settle(answer, &[&tag::record(record.as_str()), tag::RECORDS, tag::SHELL])
}

pub async fn send_message_now(cache: Cache, record: RecordId, id: MessageId) -> Result<MessageView, ApiError> {
    let answer = api::call::<SendMessageNow>(&[id.as_str()], &(), &()).await;
    cache.settle(answer, &[&tag::record(record.as_str()), tag::EMAILS])
}

pub async fn preview_recipients(record: RecordId, new: NewMessage) -> Result<RecipientsView, ApiError> {
    api::call::<PreviewRecipients>(&[record.as_str()], &(), &new).await
}

/// The HTML body, read when it is asked for.
pub fn use_body(id: &MessageId, wanted: Signal<bool>, images: Signal<bool>) -> Read<BodyView> {
    let id = id.clone();
    read::<ReadBody>(Vec::new(), move || {
        wanted.get().then(|| api::address::<ReadBody>(&[id.as_str()], &BodyQuery { images: images.get() }))
    })
}

pub fn use_deliveries(record: Option<&RecordId>, id: &MessageId) -> Read<DeliveriesView> {
    let address = api::address::<ReadDeliveries>(&[id.as_str()], &());
    let tag = record.map_or_else(|| tag::EMAILS.to_owned(), |it| tag::record(it.as_str()));
    read::<ReadDeliveries>(vec![tag], move || Some(address.clone()))
}

pub async fn settle_deliveries(
    cache: Cache,
    record: Option<RecordId>,
    id: MessageId,
    settle: SettleDeliveries,
) -> Result<DeliveriesView, ApiError> {
    let answer = api::call::<SettleMessage>(&[id.as_str()], &(), &settle).await;
    let record = record.map_or_else(|| tag::EMAILS.to_owned(), |it| tag::record(it.as_str()));
    cache.settle(answer, &[&record, tag::EMAILS, tag::RECORDS, tag::SHELL])
}

/// Where the raw source of a message is.
pub fn original_address(id: &MessageId) -> String {
    format!("{}/original", mailroom_shared::api::url::<UndoMessage>(&[id.as_str()]))
}

/// Where the bytes of an attachment are.
pub fn attachment_address(id: &str) -> String {
    format!("{}/{}", mailroom_shared::api::messages::UploadAttachment::ROUTE, mailroom_shared::api::percent_encode(id))
}

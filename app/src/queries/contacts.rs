//! People and companies.

use leptos::prelude::*;
use mailroom_shared::api::contacts::ChangeContact;
use mailroom_shared::api::contacts::ContactQuery;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::contacts::CreateContact;
use mailroom_shared::api::contacts::EditContact;
use mailroom_shared::api::contacts::ListContacts;
use mailroom_shared::api::contacts::ReadContact;
use mailroom_shared::api::deliverability::ContactTimeline;
use mailroom_shared::api::deliverability::Deliverability;
use mailroom_shared::api::deliverability::DeliverabilityQuery;
use mailroom_shared::api::deliverability::ReadContactTimeline;
use mailroom_shared::api::deliverability::ReadDeliverability;
use mailroom_shared::api::tag;
use mailroom_shared::id::ContactId;

use super::Cache;
use super::List;
use super::Read;
use super::read;
use crate::api;
use crate::api::ApiError;

pub fn use_contacts(query: impl Fn() -> ContactQuery + Send + Sync + 'static) -> List<ContactRow> {
    List::new(tag::CONTACTS, Signal::derive(move || api::address::<ListContacts>(&[], &query())))
}

pub fn use_contact(id: ContactId) -> Read<ContactRow> {
    read::<ReadContact>(vec![tag::CONTACTS.to_owned()], move || Some(api::address::<ReadContact>(&[id.as_str()], &())))
}

/// What went to and fro; new with every mail.
pub fn use_contact_timeline(id: ContactId) -> Read<ContactTimeline> {
    let tags = vec![tag::CONTACTS.to_owned(), tag::EMAILS.to_owned(), tag::INCOMING.to_owned()];
    read::<ReadContactTimeline>(tags, move || Some(api::address::<ReadContactTimeline>(&[id.as_str()], &())))
}

pub fn use_deliverability(days: impl Fn() -> u32 + Send + Sync + 'static) -> Read<Deliverability> {
    read::<ReadDeliverability>(vec![tag::EMAILS.to_owned()], move || {
        Some(api::address::<ReadDeliverability>(&[], &DeliverabilityQuery { days: Some(days()) }))
    })
}

/// Creates a contact, or changes the one given.
pub async fn save_contact(cache: Cache, id: Option<ContactId>, edit: EditContact) -> Result<ContactRow, ApiError> {
    let answer = match id {
        Some(id) => api::call::<ChangeContact>(&[id.as_str()], &(), &edit).await,
        None => api::call::<CreateContact>(&[], &(), &edit).await,
    };
    cache.settle(answer, &[tag::CONTACTS])
}

/// Contacts whose name or address contains a text, for pickers.
pub async fn find_contacts(text: &str) -> Result<Vec<ContactRow>, ApiError> {
    let query = ContactQuery { q: Some(text.to_owned()), cursor: None, limit: Some(8) };
    api::call::<ListContacts>(&[], &query, &()).await.map(|it| it.items)
}

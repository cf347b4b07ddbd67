//! People and companies.

use leptos::prelude::*;
use mailroom_shared::api::contacts::ChangeContact;
use mailroom_shared::api::contacts::ContactQuery;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::contacts::CreateContact;
use mailroom_shared::api::contacts::EditContact;
use mailroom_shared::api::contacts::ListContacts;
use mailroom_shared::api::tag;
use mailroom_shared::id::ContactId;

use super::Cache;
use super::List;
use crate::api;
use crate::api::ApiError;

pub fn use_contacts(query: impl Fn() -> ContactQuery + Send + Sync + 'static) -> List<ContactRow> {
    List::new(tag::CONTACTS, Signal::derive(move || api::address::<ListContacts>(&[], &query())))
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

//! Contacts.

use mailroom_shared::address::EmailAddress;
use mailroom_shared::api::Page;
use mailroom_shared::api::contacts::ChangeContact;
use mailroom_shared::api::contacts::ContactRow;
use mailroom_shared::api::contacts::CreateContact;
use mailroom_shared::api::contacts::EditContact;
use mailroom_shared::api::contacts::ListContacts;
use mailroom_shared::api::contacts::ReadContact;
use mailroom_shared::api::tag;

use super::endpoint::Call;
use crate::error::AppError;
use crate::error::AppResult;
use crate::store::contacts;
use crate::store::people;

pub(super) async fn list(call: Call<ListContacts>) -> AppResult<Page<ContactRow>> {
    Ok(contacts::list(&call.app, &call.query).await?)
}

pub(super) async fn read(call: Call<ReadContact>) -> AppResult<ContactRow> {
    contacts::read(&call.app, call.path(0)).await?.ok_or_else(AppError::not_found)
}

/// Name and addresses, checked.
fn check(edit: &EditContact) -> AppResult<(String, Vec<EmailAddress>)> {
    let name = edit.name.trim();
    if name.is_empty() {
        return Err(AppError::field("name", "required"));
    }
    if name.chars().count() > 200 {
        return Err(AppError::field("name", "too_long"));
    }
    let mut addresses: Vec<EmailAddress> = Vec::new();
    for text in edit.emails.iter().map(|it| it.trim()).filter(|it| !it.is_empty()) {
        let address = EmailAddress::parse(text).map_err(|_| AppError::field("emails", "address"))?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok((name.to_owned(), addresses))
}

pub(super) async fn create(call: Call<CreateContact>) -> AppResult<ContactRow> {
    let (name, addresses) = check(&call.body)?;
    let id = call.app.new_id();
    let mut statements = vec![contacts::insert(&id, &name, false, call.app.now())];
    statements.extend(addresses.iter().enumerate().map(|(i, it)| contacts::insert_email(&id, it, i)));
    call.app.db.batch(statements).await?;
    call.stale(vec![tag::CONTACTS.to_owned()]);
    contacts::read(&call.app, &id).await?.ok_or_else(AppError::not_found)
}

pub(super) async fn change(call: Call<ChangeContact>) -> AppResult<ContactRow> {
    let (name, addresses) = check(&call.body)?;
    let id = call.path(0).to_owned();
    let before = contacts::read(&call.app, &id).await?.ok_or_else(AppError::not_found)?;
    // It is his login and what his mail is sent from; he changes it himself, by a mail to the new one.
    if before.emails.first() != addresses.first() && people::is_user(&call.app, &id).await? {
        return Err(AppError::field("emails", "of_user"));
    }
    let mut statements = vec![contacts::rename(&id, &name), contacts::clear_emails(&id)];
    statements.extend(addresses.iter().enumerate().map(|(i, it)| contacts::insert_email(&id, it, i)));
    call.app.db.batch(statements).await?;
    call.stale(vec![tag::CONTACTS.to_owned(), tag::RECORDS.to_owned()]);
    contacts::read(&call.app, &id).await?.ok_or_else(AppError::not_found)
}

//! What has to be looked up before a mail can be decided, bounded so that each list fits one database statement.

use crate::address::EmailAddress;
use crate::id::MessageId;
use crate::mail::rfc_id::RfcMessageId;
use crate::policy;
use crate::token;

use super::arrival::Arrival;

/// D1 takes 100 bound parameters per statement; a few are left for the rest of it.
const MAX_KEYS: usize = 90;
/// References are read from the end (RT-27).
const MAX_REFERENCES: usize = 32;
/// In-Reply-To names one message; some clients name several.
const MAX_IN_REPLY_TO: usize = 8;

/// Questions for the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// Key of the envelope recipient.
    pub recipient: String,
    /// `in:v1:<recipient>:<Message-ID or SHA-256>`.
    pub duplicate_key: String,
    pub message_id: Option<RfcMessageId>,
    /// Of the raw bytes.
    pub sha256: String,
    /// Our messages by their own id: from reply tokens and our message header.
    pub reply_ids: Vec<MessageId>,
    /// Deliveries by the id their bounce address carries.
    pub bounce_ids: Vec<String>,
    /// Messages by Message-ID: In-Reply-To, the last 32 references, and the originals of a report.
    pub references: Vec<RfcMessageId>,
    /// The part of `references` that a report is about: their deliveries are needed too.
    pub reported: Vec<RfcMessageId>,
    /// Aliases by address key: recipients in envelope, To and Cc with and without plus tag, and the sender.
    pub alias_keys: Vec<String>,
    /// Aliases of any domain by local part: the envelope recipient's with and without plus tag.
    pub alias_names: Vec<String>,
    /// Key of the sender: From, else the envelope's.
    pub sender: Option<String>,
    /// Contacts by address key: sender, To and Cc.
    pub addresses: Vec<String>,
}

/// What has to be looked up. The same mail for the same recipient always asks the same.
pub fn inquire(arrival: &Arrival, secret: &str) -> Inquiry {
    let head = &arrival.head;
    let recipient = arrival.envelope.rcpt_to.key();
    let mut bounce_ids = Vec::new();
    push(&mut bounce_ids, bounce_id(secret, &arrival.envelope.rcpt_to), MAX_KEYS);
    let mut reply_ids = Vec::new();
    for address in arrival.recipients() {
        push(&mut reply_ids, reply_id(secret, address), MAX_KEYS);
    }
    push(&mut reply_ids, header_id(arrival), MAX_KEYS);
    let reported: Vec<_> =
        arrival.report.iter().flat_map(|it| &it.original_ids).take(MAX_IN_REPLY_TO).cloned().collect();
    let mut references = Vec::new();
    let newest = head.references.iter().rev().take(MAX_REFERENCES);
    for id in reported.iter().chain(head.in_reply_to.iter().take(MAX_IN_REPLY_TO)).chain(newest) {
        push(&mut references, Some(id.clone()), MAX_KEYS);
    }
    let sender = arrival.sender_address().map(EmailAddress::key);
    let mut alias_keys = Vec::new();
    let mut alias_names = Vec::new();
    for (i, address) in arrival.recipients().enumerate() {
        let mut spelled = vec![address.clone()];
        spelled.extend(address.split_tag().map(|(base, _)| base));
        for it in spelled {
            push(&mut alias_keys, Some(it.key()), MAX_KEYS);
            if i == 0 {
                push(&mut alias_names, Some(it.local().to_lowercase()), MAX_KEYS);
            }
        }
    }
    push(&mut alias_keys, sender.clone(), MAX_KEYS + 1);
    let mut addresses = Vec::new();
    push(&mut addresses, sender.clone(), MAX_KEYS);
    for it in head.to.iter().chain(&head.cc) {
        push(&mut addresses, Some(it.address.key()), MAX_KEYS);
    }
    Inquiry {
        duplicate_key: duplicate_key(&recipient, arrival),
        recipient,
        message_id: head.message_id.clone(),
        sha256: arrival.sha256.clone(),
        reply_ids,
        bounce_ids,
        references,
        reported,
        alias_keys,
        alias_names,
        sender,
        addresses,
    }
}

/// `in:v1:<recipient>:<Message-ID or SHA-256>`: what is kept once.
pub fn duplicate_key(recipient: &str, arrival: &Arrival) -> String {
    match &arrival.head.message_id {
        Some(id) => format!("in:v1:{recipient}:{}", id.as_str()),
        None => format!("in:v1:{recipient}:{}", arrival.sha256),
    }
}

/// The message a signed reply address belongs to.
pub(super) fn reply_id(secret: &str, address: &EmailAddress) -> Option<MessageId> {
    MessageId::parse(token::read_reply_local(secret, &address.local())?).ok()
}

/// The delivery a signed bounce address belongs to; the name before `+` is the domain's affair.
pub(super) fn bounce_id(secret: &str, address: &EmailAddress) -> Option<String> {
    let local = address.local();
    let (_, signed) = local.split_once('+')?;
    token::verify(secret, token::Purpose::Bounce, signed)
}

/// The message our own header names: some systems keep unknown headers in their answers.
pub(super) fn header_id(arrival: &Arrival) -> Option<MessageId> {
    MessageId::parse(arrival.head.first(policy::HEADER_MESSAGE)?.trim()).ok()
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: Option<T>, max: usize) {
    if let Some(item) = item
        && list.len() < max
        && !list.contains(&item)
    {
        list.push(item);
    }
}

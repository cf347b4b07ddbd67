//! What a store would answer about a world.

use super::World;
use super::WorldMessage;
use super::WorldRecord;
use super::delivery_id;
use crate::address::EmailAddress;
use crate::gateway::facts::DeliveryFact;
use crate::gateway::facts::Direction;
use crate::gateway::facts::EarlierFact;
use crate::gateway::facts::Facts;
use crate::gateway::facts::MessageFact;
use crate::gateway::facts::ReceivedFact;
use crate::gateway::facts::SuggestionFact;
use crate::gateway::facts::Volume;
use crate::gateway::inquire::Inquiry;
use crate::time::Span;

impl World {
    /// What a store would answer.
    pub fn facts(&self, inquiry: &Inquiry) -> Facts {
        let messages = || self.records.iter().flat_map(|it| &it.messages).chain(&self.loose);
        let is_sender = |key: &str| inquiry.sender.as_deref() == Some(key);
        let deliveries = messages().filter(|it| it.fact.direction == Direction::Out).flat_map(|it| {
            it.recipients.iter().map(|recipient| DeliveryFact {
                id: delivery_id(it.fact.id.as_str(), recipient.as_str()),
                message: it.fact.id.clone(),
                message_id: it.fact.message_id.clone(),
                record: it.fact.record.clone(),
                recipient: recipient.clone(),
                state: None,
            })
        });
        let earlier = messages().filter(|it| {
            let same_id = it.fact.message_id.is_some() && it.fact.message_id == inquiry.message_id;
            same_id || it.raw_sha256.as_ref() == Some(&inquiry.sha256)
        });
        Facts {
            aliases: self.aliases.clone(),
            messages: messages()
                .map(|it| {
                    let is_early = it.fact.direction == Direction::In
                        && inquiry.message_id.as_ref().is_some_and(|id| it.references.contains(id));
                    MessageFact { is_early, ..it.fact.clone() }
                })
                .collect(),
            records: self.records.iter().map(|it| it.fact.clone()).collect(),
            contacts: self.contacts.clone(),
            earlier: earlier
                .map(|it| EarlierFact {
                    direction: it.fact.direction,
                    recipients: it.recipients.iter().map(EmailAddress::key).collect(),
                    sha256: it.raw_sha256.clone(),
                    content_sha256: None,
                    message: Some(it.fact.id.clone()),
                    record: it.fact.record.clone(),
                })
                .collect(),
            deliveries: deliveries.collect(),
            received: self.received(&is_sender),
            volume: self.volume(inquiry),
            loop_refusals: self.refusals.iter().filter(|(from, _)| is_sender(from)).map(|(_, at)| *at).collect(),
            paused: self.paused.iter().any(|it| is_sender(it)),
            suggestions: self.suggestions(&is_sender),
        }
    }

    /// Mails of everybody within the loop window.
    fn volume(&self, inquiry: &Inquiry) -> Volume {
        let since = self.now - Span::minutes(i64::from(self.context.policy.r#loop.minutes));
        let recent = || self.received.iter().filter(|(_, it)| it.at >= since && it.at <= self.now);
        let alias = self.aliases.iter().find(|it| inquiry.alias_keys.first() == Some(&it.address.key()));
        let key = alias.map(|it| it.address.key());
        let domain = |key: &str| key.rsplit_once('@').map(|(_, it)| it.to_owned());
        let sender = inquiry.sender.as_deref().and_then(domain);
        Volume {
            alias: recent().filter(|(_, it)| key.is_some() && it.alias == key).count() as u32,
            domain: recent().filter(|(from, _)| sender.is_some() && domain(from) == sender).count() as u32,
        }
    }

    /// Mails of the sender: those listed, and the messages on records that are not.
    fn received(&self, is_sender: &dyn Fn(&str) -> bool) -> Vec<ReceivedFact> {
        let mut out: Vec<ReceivedFact> =
            self.received.iter().filter(|(from, _)| is_sender(from)).map(|(_, it)| it.clone()).collect();
        for record in &self.records {
            for message in &record.messages {
                let Some(at) = message.fact.date else { continue };
                let is_theirs = message.from.as_ref().is_some_and(|it| is_sender(&it.key()));
                let id = Some(record.fact.id.clone());
                let is_listed = out.iter().any(|it| it.record == id && it.at == at);
                if message.fact.direction == Direction::In && is_theirs && !is_listed {
                    out.push(ReceivedFact { alias: None, record: id, r#type: Some(record.fact.r#type.clone()), at });
                }
            }
        }
        out
    }

    fn suggestions(&self, is_sender: &dyn Fn(&str) -> bool) -> Vec<SuggestionFact> {
        let theirs = |it: &&WorldRecord| {
            !it.fact.deleted
                && (it.fact.participants.iter().any(|key| is_sender(key))
                    || it.fact.email.as_ref().is_some_and(|it| is_sender(&it.key()))
                    || it.fact.customer.as_ref().is_some_and(|c| c.emails.iter().any(|it| is_sender(&it.key()))))
        };
        let answered = |it: &WorldMessage| {
            it.fact.direction == Direction::Out && it.recipients.iter().any(|it| is_sender(&it.key()))
        };
        let mut found: Vec<&WorldRecord> = self.records.iter().filter(theirs).collect();
        found.sort_by_key(|it| core::cmp::Reverse(it.messages.iter().filter_map(|m| m.fact.date).max()));
        found
            .into_iter()
            .map(|it| SuggestionFact {
                record: it.fact.id.clone(),
                title: it.fact.title.clone(),
                answered: it.messages.iter().any(answered),
            })
            .collect()
    }
}

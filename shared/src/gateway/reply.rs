//! Replies: by which proof a mail belongs to a message of ours, and whether its sender may write there.

use crate::address::EmailAddress;
use crate::policy::Caution;

use super::case::Admission;
use super::case::Case;
use super::case::Trust;
use super::facts::ContactFact;
use super::facts::Direction;
use super::facts::MessageFact;
use super::facts::RecordFact;
use super::facts::Target;
use super::inquire;
use super::verdict::By;
use super::verdict::Held;
use super::verdict::RefusalReason;

/// A message of ours that a mail answers.
#[derive(Debug, Clone)]
pub(super) struct Thread<'a> {
    pub(super) by: By,
    pub(super) parent: &'a MessageFact,
    pub(super) record: &'a RecordFact,
    /// The message answers this mail, and came before it.
    pub(super) is_early: bool,
}

/// Stands in the Message-ID of a message whose answers make new records (RT-28).
const NEW_THREAD_TAG: &str = "reply_to";

impl<'a> Case<'a> {
    /// The message a signed reply address names: the envelope recipient's, else one of To, Cc or a header hint.
    pub(super) fn reply_by_token(&mut self) -> Option<Thread<'a>> {
        for (i, address) in self.arrival.recipients().enumerate() {
            let Some(id) = inquire::reply_id(&self.context.secret, address) else { continue };
            let found = self.message(&id).and_then(|parent| self.thread(By::Token, parent));
            let Some(thread) = found else {
                self.because("token", "token.gone", &[("message", id.as_str())]);
                continue;
            };
            // A mail to another alias that only copies us is a matter of that alias (RT-7).
            if i > 0 && self.is_forward(thread.record) {
                continue;
            }
            self.because("token", "token", &thread.names());
            return Some(thread);
        }
        None
    }

    /// The message In-Reply-To names (PAR-11), else the newest known one of the last 32 references (RT-27, RT-30), else
    /// the one our own header names; else one that answers this mail and overtook it.
    pub(super) fn reply_by_reference(&mut self) -> Option<Thread<'a>> {
        let head = &self.arrival.head;
        // The message it answers asked for new records: its ancestors must not catch the answer (TH-17).
        let nearest = head.in_reply_to.first().or(head.references.last());
        if nearest.is_some_and(|id| self.starts_new(id)) {
            self.because("new_thread", "new_thread", &[]);
            return None;
        }
        let named = head.in_reply_to.iter().filter_map(|id| self.by_message_id(id)).max_by(|a, b| newer(a, b));
        let listed =
            head.references.iter().rev().take(32).filter_map(|id| self.by_message_id(id)).max_by(|a, b| newer(a, b));
        let marked = inquire::header_id(self.arrival).and_then(|id| self.message(&id));
        let Some(parent) = named.or(listed).or(marked) else { return self.overtaken() };
        let Some(thread) = self.thread(By::Reference, parent) else {
            self.because("reference", "reference.none", &[("message", parent.id.as_str())]);
            return None;
        };
        if self.is_forward(thread.record) {
            self.because("forward", "forward", &thread.names());
            return None;
        }
        self.because("reference", "reference", &thread.names());
        Some(thread)
    }

    /// An answer to this mail was here before it (a colleague, or the sender himself, wrote to us as well and his mail was
    /// quicker): both belong together. Proven by its reference to the Message-ID of this mail, and safe when the sender
    /// wrote the answer too, or a colleague did, or a colleague wrote this mail to who answered it; else it is only offered.
    fn overtaken(&mut self) -> Option<Thread<'a>> {
        if self.trust == Trust::Failed {
            return None;
        }
        let sender = self.sender.clone()?;
        let is_colleague = self.trust == Trust::Proven && self.contact(None).is_some_and(ContactFact::is_internal);
        let head = &self.arrival.head;
        let is_addressed = |it: &ContactFact| head.to.iter().chain(&head.cc).any(|to| it.has(&to.address.key()));
        let may = |it: &ContactFact| it.is_internal() || it.has(&sender) || (is_colleague && is_addressed(it));
        let parent = self.early().find(|it| it.author.as_ref().is_some_and(may))?;
        let thread = Thread { is_early: true, ..self.thread(By::Reference, parent)? };
        // An alias makes records of its own type, and one of a record leads there.
        let found = self.find_alias(&self.arrival.envelope.rcpt_to);
        let is_elsewhere = match found.as_ref().map(|it| &it.alias.target) {
            Some(Target::Record(id)) => *id != thread.record.id,
            Some(Target::New { r#type, .. }) => *r#type != thread.record.r#type,
            None => self.is_forward(thread.record),
        };
        if is_elsewhere {
            return None;
        }
        self.because("reference", "reference.early", &thread.names());
        Some(thread)
    }

    /// Messages that answer this mail and came before it, the oldest first.
    pub(super) fn early(&self) -> impl Iterator<Item = &'a MessageFact> {
        let is_alive = |it: &&MessageFact| {
            let record = it.record.as_ref().and_then(|id| self.record(id));
            it.is_early && record.is_some_and(|it| !it.deleted)
        };
        let mut all: Vec<&'a MessageFact> = self.facts.messages.iter().filter(is_alive).collect();
        all.sort_by(|a, b| newer(a, b));
        all.into_iter()
    }

    fn thread(&self, by: By, parent: &'a MessageFact) -> Option<Thread<'a>> {
        let record = self.record(parent.record.as_ref()?)?;
        Some(Thread { by, parent, record, is_early: false })
    }

    fn starts_new(&self, id: &crate::mail::rfc_id::RfcMessageId) -> bool {
        let known = || {
            self.facts.messages.iter().any(|it| it.message_id.as_ref() == Some(id) && it.direction == Direction::Out)
        };
        let domain = id.bare().rsplit_once('@').map_or("", |(_, it)| it);
        let is_ours = || self.context.domains.iter().any(|it| it.name.ascii().eq_ignore_ascii_case(domain));
        id.bare().contains(NEW_THREAD_TAG) && (is_ours() || known())
    }

    fn by_message_id(&self, id: &crate::mail::rfc_id::RfcMessageId) -> Option<&'a MessageFact> {
        let same = self.facts.messages.iter().filter(|it| it.message_id.as_ref() == Some(id));
        let starts_new = |it: &&MessageFact| it.direction == Direction::Out && id.bare().contains(NEW_THREAD_TAG);
        same.filter(|it| !starts_new(it)).max_by(|a, b| newer(a, b))
    }

    /// A mail that refers to a record, but To names an alias of another type (RT-7). An alias in Cc only does not make a
    /// forward (RT-9), nor does one of the same type (RT-8). For the hand-over to an alias of the same type it is a reply.
    fn is_forward(&self, record: &RecordFact) -> bool {
        let other_type = |address: &EmailAddress| {
            self.find_alias(address).and_then(|it| self.target_type(it.alias)).map(|it| it != record.r#type.as_str())
        };
        let rcpt = &self.arrival.envelope.rcpt_to;
        match other_type(rcpt) {
            Some(true) => !self.arrival.is_only_copied(rcpt),
            Some(false) => false,
            None => self.arrival.head.to.iter().any(|it| other_type(&it.address) == Some(true)),
        }
    }

    /// Whether the sender may write on a record he answers to: colleagues, participants and followers, or with a signed
    /// address; the alias of the same type it was handed over to has a say too (RT-10). Others are held (RT-11).
    pub(super) fn admit_reply(&mut self, thread: &Thread<'a>) -> Admission {
        let has_token = thread.by != By::Reference;
        match self.admit_sender(Some(thread.record), has_token) {
            Admission::Admit => {}
            other => return other,
        }
        if has_token {
            return Admission::Admit;
        }
        let author = self.author(Some(thread.record), false);
        let found = self.find_alias(&self.arrival.envelope.rcpt_to);
        if let Some(found) = found.filter(|it| self.target_type(it.alias) == Some(thread.record.r#type.as_str())) {
            match self.admit_by_rule(found.alias, author, Some(thread.record)) {
                // Whoever may write to the alias of this very record needs no other right.
                Admission::Admit if found.alias.target == Target::Record(thread.record.id.clone()) => {
                    return Admission::Admit;
                }
                Admission::Admit => {}
                other => return other,
            }
        }
        if author.is_some_and(ContactFact::is_internal) || self.takes_part(author, thread.record) {
            return Admission::Admit;
        }
        let who = self.arrival.author_from();
        self.because("stranger", "stranger", &[("who", &who), ("record", thread.record.id.as_str())]);
        match self.context.policy.stranger_reply {
            Caution::Hold => Admission::Hold(Held::StrangerReply),
            Caution::Refuse => Admission::Refuse(RefusalReason::StrangerReply),
            Caution::Mark | Caution::Accept => Admission::Admit,
        }
    }

    /// An answer to a note is internal, unless the note was written by a program (PAR-12).
    pub(super) fn is_internal_reply(parent: &MessageFact) -> bool {
        parent.internal && !parent.automated
    }
}

impl<'a> Thread<'a> {
    /// For the words of a reason.
    fn names(&self) -> [(&'static str, &'a str); 2] {
        [("message", self.parent.id.as_str()), ("record", self.record.id.as_str())]
    }
}

/// Order in time; equal or missing dates are told apart by id, numbers in it by value (RT-30, TH-7).
fn newer(a: &MessageFact, b: &MessageFact) -> core::cmp::Ordering {
    let by_date = match (a.date, b.date) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => core::cmp::Ordering::Equal,
    };
    by_date.then_with(|| natural(a.id.as_str()).cmp(&natural(b.id.as_str())))
}

/// `m9` before `m10`, ULIDs as they are.
fn natural(id: &str) -> (&str, usize, &str) {
    let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (name, number) = id.split_at(id.len() - digits);
    (name, number.trim_start_matches('0').len(), number.trim_start_matches('0'))
}

//! Where mail goes that answers nothing: catchall, aliases, the fallback type, or nowhere.

use serde_json::Map;
use serde_json::Value;

use crate::address::EmailAddress;

use super::alias::Match;
use super::case::Admission;
use super::case::Case;
use super::case::Trust;
use super::decide::Draft;
use super::decide::Outcome;
use super::facts::RecordFact;
use super::facts::Target;
use super::verdict::By;
use super::verdict::RefusalReason;

impl<'a> Case<'a> {
    /// The catchall only takes replies. A mail that also names an alias is served there, once: whichever hand-over comes
    /// first (RT-15). With a fallback type unknown addresses beside it win (RT-16).
    pub(super) fn at_catchall(&mut self, rcpt: EmailAddress) -> Outcome {
        let head = &self.arrival.head;
        let named: Vec<EmailAddress> =
            head.to.iter().chain(&head.cc).map(|it| it.address.clone()).filter(|it| *it != rcpt).collect();
        if let Some((found, address)) = named.iter().find_map(|it| Some((self.find_alias(it)?, it))) {
            self.because("catchall", format!("{rcpt} was written to beside {address}, which takes it"));
            if let Some(outcome) = self.duplicate(&address.key()) {
                return outcome;
            }
            return self.at_alias(found, address.clone());
        }
        let other = named.iter().find(|it| self.special(it).is_none());
        if let Some(other) = other.filter(|_| self.context.policy.fallback_type.is_some()) {
            // Ours and unknown: the fallback of its own hand-over. Anybody else's: the catchall stands for it.
            let effective = if self.domain(other).is_some() { other.clone() } else { rcpt.clone() };
            if let Some(outcome) = self.duplicate(&effective.key()) {
                return outcome;
            }
            if let Some(draft) = self.fallback_draft(effective) {
                return self.write(draft);
            }
        }
        self.because("catchall", format!("{rcpt} only takes answers to our messages, and this is none"));
        Self::refuse(RefusalReason::CatchallOnly, rcpt)
    }

    pub(super) fn at_alias(&mut self, found: Match<'a>, rcpt: EmailAddress) -> Outcome {
        let alias = found.alias;
        if found.is_former {
            self.because("former", format!("{rcpt} is what {} was called before", alias.address));
        }
        let text = match &found.tag {
            Some(tag) => format!("{}, tag {tag}", Self::describe(alias)),
            None => Self::describe(alias),
        };
        self.because("alias", text);
        match &alias.target {
            Target::New { r#type, defaults } => {
                let parent = alias.parent.as_ref().and_then(|it| self.record(it));
                if self.r#type(r#type.as_str()).is_none_or(|it| !it.receives_mail) {
                    self.failing = Some(alias.id.clone());
                    self.because("alias", format!("type {type} takes no mail: the alias is broken"));
                    return Self::refuse(RefusalReason::NoSuchAddress, rcpt);
                }
                self.create_by(found, parent, r#type.clone(), defaults.clone(), rcpt)
            }
            Target::Record(id) => match self.record(id) {
                Some(record) if !record.deleted => self.append_by(found, record, rcpt),
                Some(record) => {
                    self.because("deleted", format!("{id} was deleted: a new {} is made", record.r#type));
                    self.create_by(found, Some(record), record.r#type.clone(), Map::new(), rcpt)
                }
                None => {
                    self.failing = Some(alias.id.clone());
                    self.because("alias", format!("{id} does not exist: the alias is broken"));
                    Self::refuse(RefusalReason::NoSuchAddress, rcpt)
                }
            },
        }
    }

    fn create_by(
        &mut self,
        found: Match<'a>,
        parent: Option<&'a RecordFact>,
        r#type: crate::id::TypeName,
        defaults: Map<String, Value>,
        rcpt: EmailAddress,
    ) -> Outcome {
        let admission = self.admit_at(&found, parent);
        self.write(Draft {
            by: By::Alias,
            found: Some(found),
            record: None,
            parent: None,
            internal: false,
            r#type,
            defaults,
            seen_from: parent,
            has_token: false,
            admission,
            recipient: rcpt,
        })
    }

    fn append_by(&mut self, found: Match<'a>, record: &'a RecordFact, rcpt: EmailAddress) -> Outcome {
        if let Some(outcome) = self.duplicate_on(record) {
            return outcome;
        }
        let admission = self.admit_at(&found, Some(record));
        // TH-5, TH-6: flat types hang everything on what was said last.
        let is_flat = self.r#type(record.r#type.as_str()).is_none_or(|it| it.flat);
        let parent = record.last_message.clone().filter(|_| is_flat);
        self.write(Draft {
            by: By::Fixed,
            found: Some(found),
            record: Some(record),
            parent,
            internal: false,
            r#type: record.r#type.clone(),
            defaults: Map::new(),
            seen_from: Some(record),
            has_token: false,
            admission,
            recipient: rcpt,
        })
    }

    fn admit_at(&mut self, found: &Match<'a>, record: Option<&'a RecordFact>) -> Admission {
        // Whoever shall forward to us must be able to prove it, or nobody but known contacts could ever be forwarded.
        if self.arrival.confirmation.is_some() && self.trust == Trust::Proven {
            self.because("confirmation", "a provider wants a forwarding confirmed");
            return Admission::Admit;
        }
        match self.admit_sender(record, false) {
            Admission::Admit => {}
            other => return other,
        }
        let author = self.author(record, false);
        self.admit_by_rule(found.alias, author, record)
    }

    pub(super) fn fallback(&mut self, rcpt: EmailAddress) -> Outcome {
        if self.domain(&rcpt).is_some()
            && let Some(draft) = self.fallback_draft(rcpt.clone())
        {
            return self.write(draft);
        }
        let text = if self.domain(&rcpt).is_some() {
            format!("nothing here has the address {rcpt}")
        } else {
            format!("{} is no domain of ours", rcpt.domain())
        };
        self.because("no_such_address", text);
        Self::refuse(RefusalReason::NoSuchAddress, rcpt)
    }

    /// RT-18, RT-19.
    fn fallback_draft(&mut self, recipient: EmailAddress) -> Option<Draft<'a>> {
        let name = self.context.policy.fallback_type.clone()?;
        let Some(r#type) = self.r#type(&name).filter(|it| it.receives_mail) else {
            self.because("fallback", format!("the fallback type {name} takes no mail"));
            return None;
        };
        self.because("fallback", format!("no alias has {recipient}: the fallback type makes a {name}"));
        let admission = self.admit_sender(None, false);
        Some(Draft {
            by: By::Fallback,
            found: None,
            record: None,
            parent: None,
            internal: false,
            r#type: r#type.name.clone(),
            defaults: Map::new(),
            seen_from: None,
            has_token: false,
            admission,
            recipient,
        })
    }
}

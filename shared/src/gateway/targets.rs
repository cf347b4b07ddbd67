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
            let args = [("catchall", rcpt.as_str()), ("address", address.as_str())];
            self.because("catchall", "catchall.beside", &args);
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
        self.because("catchall", "catchall.only", &[("address", rcpt.as_str())]);
        Self::refuse(RefusalReason::CatchallOnly, rcpt)
    }

    pub(super) fn at_alias(&mut self, found: Match<'a>, rcpt: EmailAddress) -> Outcome {
        let alias = found.alias;
        if found.is_former {
            let args = [("former", rcpt.as_str()), ("address", alias.address.as_str())];
            self.because("former", "former", &args);
        }
        self.describe(&found);
        match &alias.target {
            Target::New { r#type, defaults } => {
                let parent = alias.parent.as_ref().and_then(|it| self.record(it));
                if self.r#type(r#type.as_str()).is_none_or(|it| !it.receives_mail) {
                    self.failing = Some(alias.id.clone());
                    self.because("alias", "alias.no_mail", &[("type", r#type.as_str())]);
                    return Self::refuse(RefusalReason::NoSuchAddress, rcpt);
                }
                self.create_by(found, parent, r#type.clone(), defaults.clone(), rcpt)
            }
            Target::Record(id) => match self.record(id) {
                Some(record) if !record.deleted => self.append_by(found, record, rcpt),
                Some(record) => {
                    self.because("deleted", "deleted", &[("record", id.as_str()), ("type", record.r#type.as_str())]);
                    self.create_by(found, Some(record), record.r#type.clone(), Map::new(), rcpt)
                }
                None => {
                    self.failing = Some(alias.id.clone());
                    self.because("alias", "alias.gone", &[("record", id.as_str())]);
                    Self::refuse(RefusalReason::NoSuchAddress, rcpt)
                }
            },
        }
    }

    /// Why the address of an alias matched.
    fn describe(&mut self, found: &Match<'a>) {
        let address = ("address", found.alias.address.as_str());
        let (key, target) = match &found.alias.target {
            Target::New { r#type, .. } => ("alias.new", ("type", r#type.as_str())),
            Target::Record(record) => ("alias.record", ("record", record.as_str())),
        };
        match &found.tag {
            Some(tag) => self.because("alias", &format!("{key}.tag"), &[address, target, ("tag", tag)]),
            None => self.because("alias", key, &[address, target]),
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
            self.because("confirmation", "confirmation", &[]);
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
        if self.domain(&rcpt).is_some() {
            self.because("no_such_address", "address.none", &[("address", rcpt.as_str())]);
        } else {
            self.because("no_such_address", "address.foreign", &[("domain", rcpt.domain())]);
        }
        Self::refuse(RefusalReason::NoSuchAddress, rcpt)
    }

    /// RT-18, RT-19.
    fn fallback_draft(&mut self, recipient: EmailAddress) -> Option<Draft<'a>> {
        let name = self.context.policy.fallback_type.clone()?;
        let Some(r#type) = self.r#type(&name).filter(|it| it.receives_mail) else {
            self.because("fallback", "fallback.no_mail", &[("type", &name)]);
            return None;
        };
        self.because("fallback", "fallback", &[("address", recipient.as_str()), ("type", &name)]);
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

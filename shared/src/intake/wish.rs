//! What a person decided about a mail: it gets in, here or elsewhere. The decision is made again with this in mind, so
//! that the rules still say what is written and who is told.

use serde::Deserialize;
use serde::Serialize;

use crate::address::EmailAddress;
use crate::api::aliases::ContactRule;
use crate::gateway::arrival::Arrival;
use crate::gateway::facts::Context;
use crate::gateway::facts::Facts;
use crate::policy::Caution;

/// Kept with the hand-over, so that a later try knows it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Instead of the envelope recipient: an alias, or a signed reply address of a record.
    #[serde(default)]
    pub to: Option<EmailAddress>,
    /// Who decided.
    pub by: String,
}

impl Wish {
    /// Before anything is looked up.
    pub fn address(&self, arrival: &mut Arrival) {
        if let Some(to) = &self.to {
            arrival.envelope.rcpt_to = to.clone();
            // A person who moves a report to a record wants to read it there.
            arrival.report = None;
        }
    }

    /// Takes away what would keep the mail out. The sender stays as unproven as he is: letting a mail in makes nobody a
    /// colleague.
    pub fn admit(&self, facts: &mut Facts, context: &mut Context) {
        facts.paused = false;
        facts.earlier.clear();
        facts.received.clear();
        for alias in &mut facts.aliases {
            alias.contact_rule = ContactRule::Everyone;
        }
        let policy = &mut context.policy;
        policy.max_size = usize::MAX;
        policy.stranger_reply = Caution::Accept;
        if policy.unauthenticated_insider != Caution::Accept {
            policy.unauthenticated_insider = Caution::Mark;
        }
    }
}

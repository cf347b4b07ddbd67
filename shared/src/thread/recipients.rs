//! Who is told of a message, and how. One function for the goes-to line, for posting and for mail that came in.
//!
//! A person is told once, whatever the paths (NT-5): an explicit address wins over a mention, over being the customer,
//! over following. Notes never leave the house: only colleagues who are mentioned or follow notes are told (NT-14,
//! NT-15). Nobody is told what he wrote himself or got already (NT-3, NT-4).

use std::collections::HashSet;

use serde::Serialize;

use crate::address::EmailAddress;
use crate::address::Mailbox;
use crate::api::messages::TellBy;
use crate::api::records::Subtype;
use crate::api::records::Subtypes;
use crate::api::session::NotifyBy;
use crate::gateway::facts::ContactFact;
use crate::id::ContactId;
use crate::id::UserId;

/// Header field a recipient stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    To,
    Cc,
    Bcc,
}

impl Field {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
        }
    }
}

/// Somebody who follows the record.
#[derive(Debug, Clone, Copy)]
pub struct Follower<'a> {
    pub contact: &'a ContactFact,
    pub wants: Subtypes,
}

/// An address typed into To, Cc or Bcc.
#[derive(Debug, Clone, Copy)]
pub struct Extra<'a> {
    pub mailbox: &'a Mailbox,
    pub field: Field,
    /// The contact this address belongs to.
    pub contact: Option<&'a ContactFact>,
    pub suppressed: bool,
}

/// What decides about recipients.
#[derive(Debug, Clone, Default)]
pub struct PostInput<'a> {
    pub subtype: Subtype,
    /// Not told, unless he put himself into To, Cc or Bcc.
    pub author: Option<&'a ContactId>,
    pub followers: Vec<Follower<'a>>,
    pub customer: Option<&'a ContactFact>,
    pub extra: Vec<Extra<'a>>,
    pub mentions: Vec<&'a ContactFact>,
    /// Left out by hand.
    pub leave_out: Vec<&'a ContactId>,
    /// Address keys that have the message already: To and Cc of a mail that came in (NT-12).
    pub already: Vec<String>,
    /// Tells colleagues only: for automatic mail, which is never passed on to the outside.
    pub colleagues_only: bool,
}

/// One person or address, with the answer. Those who are not told are listed too, so that the page can say why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    pub contact: Option<ContactId>,
    /// The user to tell inside.
    pub user: Option<UserId>,
    pub name: String,
    /// Where email goes; `None` when there is no address.
    pub address: Option<EmailAddress>,
    pub by: TellBy,
    /// `follower`, `customer`, `added`, `mention`; when told by nobody `author`, `left_out`, `suppressed`, `no_address`,
    /// `internal_only`, `already`, `archived`, `unwanted` (follows, but not this subtype).
    pub why: &'static str,
    pub field: Field,
}

impl Recipient {
    /// Told, by email or inside.
    pub fn is_told(&self) -> bool {
        self.by != TellBy::Nobody
    }
}

/// Who is told, and how: explicit addresses first, then mentions, the customer, followers, each in the order given.
pub fn recipients(input: &PostInput<'_>) -> Vec<Recipient> {
    let mut list = List { input, seen: HashSet::new(), keys: HashSet::new(), out: Vec::new() };
    for extra in &input.extra {
        list.add_address(extra);
    }
    for contact in &input.mentions {
        list.add(contact, "mention", false);
    }
    for contact in input.customer.into_iter().filter(|_| input.subtype == Subtype::Message) {
        list.add(contact, "customer", false);
    }
    // Who follows twice, as himself and as the responsible, is told if he wants it once.
    let wants = |it: &&Follower<'_>| it.wants.has(input.subtype);
    for follower in input.followers.iter().filter(wants).chain(input.followers.iter().filter(|it| !wants(it))) {
        // Customers never hear of what stays in the house, whatever their row says (FO-3).
        if input.subtype == Subtype::Message || follower.contact.is_internal() {
            let why = if follower.wants.has(input.subtype) { "follower" } else { UNWANTED };
            list.add(follower.contact, why, false);
        }
    }
    list.out
}

const UNWANTED: &str = "unwanted";

struct List<'a, 'b> {
    input: &'b PostInput<'a>,
    seen: HashSet<&'a ContactId>,
    keys: HashSet<String>,
    out: Vec<Recipient>,
}

impl<'a> List<'a, '_> {
    fn is_internal(&self) -> bool {
        self.input.subtype != Subtype::Message
    }

    fn add_address(&mut self, extra: &Extra<'a>) {
        let key = extra.mailbox.address.key();
        if let Some(contact) = extra.contact.filter(|it| !it.archived) {
            let before = self.out.len();
            self.add(contact, "added", true);
            // The address that was typed, not the contact's first one.
            if let Some(it) = self.out.get_mut(before) {
                it.field = extra.field;
                it.address = Some(extra.mailbox.address.clone());
                if it.by == TellBy::Nobody && matches!(it.why, "suppressed" | "no_address") {
                    it.by = TellBy::Email;
                    it.why = "added";
                }
                if it.by == TellBy::Email && extra.suppressed {
                    it.by = TellBy::Nobody;
                    it.why = "suppressed";
                }
            }
            self.keys.insert(key);
            return;
        }
        if !self.keys.insert(key.clone()) {
            return;
        }
        let refused = if self.is_internal() || self.input.colleagues_only {
            Some("internal_only")
        } else if self.input.already.contains(&key) {
            Some("already")
        } else if extra.suppressed {
            Some("suppressed")
        } else {
            None
        };
        self.out.push(Recipient {
            contact: None,
            user: None,
            name: extra.mailbox.short().to_owned(),
            address: Some(extra.mailbox.address.clone()),
            by: if refused.is_some() { TellBy::Nobody } else { TellBy::Email },
            why: refused.unwrap_or("added"),
            field: extra.field,
        });
    }

    fn add(&mut self, contact: &'a ContactFact, why: &'static str, explicit: bool) {
        // An alias that follows would send us our own mail (AL-25).
        if contact.is_alias || !self.seen.insert(&contact.id) {
            return;
        }
        let address = contact.emails.first().cloned();
        let key = address.as_ref().map(EmailAddress::key);
        // Two contacts with one address are one mailbox.
        let is_twin = contact.active_user().is_none() && key.as_ref().is_some_and(|it| self.keys.contains(it));
        if is_twin {
            return;
        }
        let user = contact.active_user();
        let inside = user.is_some_and(|it| it.notify_by == NotifyBy::Mailroom);
        let refused = if !explicit && self.input.author == Some(&contact.id) {
            Some("author")
        } else if self.input.leave_out.contains(&&contact.id) {
            Some("left_out")
        } else if contact.archived {
            Some("archived")
        } else if (self.is_internal() || self.input.colleagues_only) && user.is_none() {
            Some("internal_only")
        } else if contact.emails.iter().any(|it| self.input.already.contains(&it.key())) {
            Some("already")
        } else if why == UNWANTED {
            Some(UNWANTED)
        } else if inside {
            None
        } else if address.is_none() {
            Some("no_address")
        } else if contact.suppressed {
            Some("suppressed")
        } else {
            None
        };
        let by = match refused {
            Some(_) => TellBy::Nobody,
            None if inside => TellBy::Mailroom,
            None => TellBy::Email,
        };
        // Somebody else may have the address of a contact that is gone.
        self.keys.extend(key.filter(|_| !contact.archived));
        self.out.push(Recipient {
            contact: Some(contact.id.clone()),
            user: user.map(|it| it.id.clone()),
            name: contact.name.clone(),
            address,
            by,
            why: refused.unwrap_or(why),
            field: Field::To,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::session::Role;
    use crate::gateway::facts::UserFact;

    /// `name flags`: `i` colleague told by email, `m` colleague told inside, `x` archived, `s` suppressed, `a` alias, `n`
    /// without address. Everybody's address is `name@corp.test`.
    fn person(word: &str) -> ContactFact {
        let (name, flags) = word.split_once(':').unwrap_or((word, ""));
        let has = |flag| flags.contains(flag);
        let notify_by = if has('m') { NotifyBy::Mailroom } else { NotifyBy::Email };
        let id = UserId::parse(format!("u-{name}")).unwrap();
        ContactFact {
            id: ContactId::parse(name).unwrap(),
            name: name.to_owned(),
            emails: EmailAddress::parse(&format!("{name}@corp.test")).into_iter().filter(|_| !has('n')).collect(),
            archived: has('x'),
            user: (has('i') || has('m')).then_some(UserFact { id, role: Role::Agent, notify_by, archived: false }),
            is_alias: has('a'),
            suppressed: has('s'),
            language: None,
        }
    }

    fn people(words: &str) -> Vec<ContactFact> {
        words.split_whitespace().map(person).collect()
    }

    #[derive(Default)]
    struct Post {
        subtype: Subtype,
        colleagues_only: bool,
        author: &'static str,
        followers: &'static str,
        /// Follow notes as well.
        watchers: &'static str,
        /// Follow stages alone.
        planners: &'static str,
        customer: &'static str,
        mentions: &'static str,
        /// `field=address`, a contact when `known` names him.
        extra: &'static str,
        known: &'static str,
        leave_out: &'static str,
        already: &'static str,
    }

    /// Expected: `name:by:why` in order.
    fn check(post: &Post, expect: &str) {
        let followers = people(post.followers);
        let watchers = people(post.watchers);
        let planners = people(post.planners);
        let plain = Subtypes::default();
        let customer = people(post.customer);
        let mentions = people(post.mentions);
        let known = people(post.known);
        let author = ContactId::parse(post.author).ok();
        let leave_out: Vec<ContactId> =
            post.leave_out.split_whitespace().map(|it| ContactId::parse(it).unwrap()).collect();
        let boxes: Vec<(Field, Mailbox)> = post
            .extra
            .split_whitespace()
            .map(|it| {
                let (field, address) = it.split_once('=').unwrap();
                let field = [Field::To, Field::Cc, Field::Bcc].into_iter().find(|it| it.as_str() == field).unwrap();
                (field, Mailbox::new(None, EmailAddress::parse(address).unwrap()))
            })
            .collect();
        let input = PostInput {
            subtype: post.subtype,
            author: author.as_ref(),
            followers: followers
                .iter()
                .map(|contact| Follower { contact, wants: plain })
                .chain(watchers.iter().map(|contact| Follower { contact, wants: Subtypes { notes: true, ..plain } }))
                .chain(planners.iter().map(|contact| Follower {
                    contact,
                    wants: Subtypes { messages: false, notes: false, stages: true },
                }))
                .collect(),
            customer: customer.first(),
            extra: boxes
                .iter()
                .map(|(field, mailbox)| Extra {
                    mailbox,
                    field: *field,
                    contact: known.iter().find(|it| it.has(&mailbox.address.key())),
                    suppressed: mailbox.address.as_str().starts_with("dead"),
                })
                .collect(),
            mentions: mentions.iter().collect(),
            leave_out: leave_out.iter().collect(),
            already: post.already.split_whitespace().map(str::to_owned).collect(),
            colleagues_only: post.colleagues_only,
        };
        let by = |it: TellBy| match it {
            TellBy::Email => "email",
            TellBy::Mailroom => "inside",
            TellBy::Nobody => "nobody",
        };
        let got: Vec<String> =
            recipients(&input).iter().map(|it| format!("{}:{}:{}", it.name, by(it.by), it.why)).collect();
        assert_eq!(got.join(" "), expect);
    }

    #[test]
    fn followers_and_the_customer_get_a_message() {
        check(&Post::default(), "");
        check(
            &Post { author: "jon", followers: "jon:i ada:m bo:i lee", customer: "mia", ..Post::default() },
            "mia:email:customer jon:nobody:author ada:inside:follower bo:email:follower lee:email:follower",
        );
        check(
            &Post { followers: "old:x desk:a mia mia", customer: "mia", ..Post::default() },
            "mia:email:customer old:nobody:archived",
        );
        check(
            &Post { followers: "gone:s mute:n ada:ms", customer: "mia", leave_out: "mia", ..Post::default() },
            "mia:nobody:left_out gone:nobody:suppressed mute:nobody:no_address ada:inside:follower",
        );
    }

    #[test]
    fn typed_addresses_go_first_and_count_once() {
        check(
            &Post { extra: "to=mia@corp.test cc=new@else.test", known: "mia", customer: "mia", ..Post::default() },
            "mia:email:added new@else.test:email:added",
        );
        check(
            &Post { extra: "bcc=new@else.test to=NEW@else.test to=dead@else.test", ..Post::default() },
            "new@else.test:email:added dead@else.test:nobody:suppressed",
        );
        // Somebody who writes to himself means it.
        check(&Post { author: "jon", extra: "cc=jon@corp.test", known: "jon:i", ..Post::default() }, "jon:email:added");
        check(&Post { mentions: "ada:m", followers: "ada:m", ..Post::default() }, "ada:inside:mention");
    }

    #[test]
    fn notes_stay_in_the_house() {
        check(
            &Post { subtype: Subtype::Note, followers: "jon:i lee", customer: "mia", ..Post::default() },
            "jon:nobody:unwanted",
        );
        check(
            &Post {
                subtype: Subtype::Note,
                mentions: "ada:i mia",
                watchers: "bo:m lee",
                extra: "to=new@else.test",
                ..Post::default()
            },
            "new@else.test:nobody:internal_only ada:email:mention mia:nobody:internal_only bo:inside:follower",
        );
    }

    #[test]
    fn followers_are_told_of_what_they_chose() {
        let post = |subtype| Post {
            subtype,
            author: "ada",
            followers: "jon:i lee",
            watchers: "bo:m",
            planners: "eve:i zoe ada:i",
            customer: "mia",
            ..Post::default()
        };
        check(
            &post(Subtype::Message),
            "mia:email:customer jon:email:follower lee:email:follower bo:inside:follower eve:nobody:unwanted \
             zoe:nobody:unwanted ada:nobody:author",
        );
        check(&post(Subtype::Note), "bo:inside:follower jon:nobody:unwanted eve:nobody:unwanted ada:nobody:author");
        check(&post(Subtype::Stage), "eve:email:follower ada:nobody:author jon:nobody:unwanted bo:nobody:unwanted");
        // Who is called by name or is the customer is told whatever he follows.
        check(
            &Post { planners: "eve:i mia", mentions: "eve:i", customer: "mia", ..Post::default() },
            "eve:email:mention mia:email:customer",
        );
    }

    #[test]
    fn nobody_is_told_twice_of_a_mail_that_came_in() {
        check(
            &Post { author: "mia", followers: "mia jon:i ada:i lee", already: "ada@corp.test", ..Post::default() },
            "mia:nobody:author jon:email:follower ada:nobody:already lee:email:follower",
        );
        check(
            &Post { colleagues_only: true, followers: "jon:i lee", customer: "mia", ..Post::default() },
            "mia:nobody:internal_only jon:email:follower lee:nobody:internal_only",
        );
    }
}

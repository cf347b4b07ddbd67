//! The delivery dialog: which recipients are tried again, with which address, and what *Send & close* will do.

use std::collections::BTreeMap;

use mailroom_shared::api::messages::DeliveriesView;
use mailroom_shared::api::messages::DeliveryView;
use mailroom_shared::api::messages::RetryDelivery;
use mailroom_shared::api::messages::SettleDeliveries;
use mailroom_shared::id::DeliveryId;
use mailroom_shared::outbox::state::DeliveryState;

/// What a person decided about one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// *Try again* is on.
    pub again: bool,
    /// The address in the field; the old one as long as nobody typed.
    pub address: String,
    pub update_contact: bool,
}

/// Choices of the dialog by delivery.
pub type Choices = BTreeMap<DeliveryId, Choice>;

/// The switch is on from the start where trying again can work: not for a permanent refusal (the address must change
/// first), and not for one that is tried again by itself.
pub fn first_choice(delivery: &DeliveryView) -> Choice {
    Choice {
        again: delivery.can_retry && delivery.state.needs_person() && !delivery.permanent && !maybe_twice(delivery),
        address: delivery.address.to_string(),
        update_contact: delivery.contact.is_some(),
    }
}

/// Trying again may deliver a second copy, so a person has to say so.
pub fn maybe_twice(delivery: &DeliveryView) -> bool {
    delivery.state == DeliveryState::Unknown
}

/// Choices for all deliveries: kept where somebody chose already, so that a live update loses nothing.
pub fn choices(view: &DeliveriesView, old: &Choices) -> Choices {
    view.deliveries
        .iter()
        .filter(|it| it.can_retry)
        .map(|it| (it.id.clone(), old.get(&it.id).cloned().unwrap_or_else(|| first_choice(it))))
        .collect()
}

/// Typing another address means that it shall be tried again.
pub fn type_address(choice: &mut Choice, old: &str, typed: &str) {
    typed.clone_into(&mut choice.address);
    choice.again = is_corrected(old, typed);
}

fn is_corrected(old: &str, typed: &str) -> bool {
    let typed = typed.trim();
    !typed.is_empty() && !typed.eq_ignore_ascii_case(old)
}

/// Something in the shape of an address; the Worker decides.
pub fn looks_like_address(text: &str) -> bool {
    let text = text.trim();
    match text.rsplit_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !text.contains(char::is_whitespace)
        }
        None => false,
    }
}

/// What the button will send. Who is switched off stays as he is, unless those shall be ignored.
pub fn settle(view: &DeliveriesView, choices: &Choices, ignores_rest: bool) -> SettleDeliveries {
    let retry = view
        .deliveries
        .iter()
        .filter_map(|it| {
            let choice = choices.get(&it.id).filter(|choice| choice.again)?;
            let corrected = is_corrected(&it.address.to_string(), &choice.address);
            Some(RetryDelivery {
                delivery: it.id.clone(),
                address: corrected.then(|| choice.address.trim().to_owned()),
                update_contact: corrected && choice.update_contact,
            })
        })
        .collect();
    let is_off = |it: &&DeliveryView| it.state.needs_person() && choices.get(&it.id).is_none_or(|choice| !choice.again);
    let ignore = view.deliveries.iter().filter(is_off).filter(|_| ignores_rest).map(|it| it.id.clone()).collect();
    SettleDeliveries { retry, ignore, ignore_all: false }
}

/// Addresses that were corrected, each once: what else failed there is offered too.
pub fn corrections(view: &DeliveriesView, settle: &SettleDeliveries) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for wish in &settle.retry {
        let old = view.deliveries.iter().find(|it| it.id == wish.delivery).map(|it| it.address.to_string());
        if let (Some(old), Some(new)) = (old, wish.address.clone())
            && !out.iter().any(|it| it.0 == old)
        {
            out.push((old, new));
        }
    }
    out
}

/// Figures of the line beside the button, and of the dialog's head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    pub sends: usize,
    /// Tried again by ourselves.
    pub keeps: usize,
    /// Stay red.
    pub leaves: usize,
    pub bad_address: usize,
}

pub fn outcome(view: &DeliveriesView, choices: &Choices) -> Outcome {
    let mut out = Outcome::default();
    for delivery in &view.deliveries {
        let choice = choices.get(&delivery.id);
        if let Some(choice) = choice.filter(|it| it.again) {
            out.sends += 1;
            out.bad_address += usize::from(!looks_like_address(&choice.address));
        } else if delivery.state == DeliveryState::Deferred {
            out.keeps += 1;
        } else if delivery.state.needs_person() {
            out.leaves += 1;
        }
    }
    out
}

/// How many are done, need a person, are tried again by ourselves, are on their way.
pub fn figures(view: &DeliveriesView) -> [(&'static str, usize); 4] {
    let count = |is: fn(DeliveryState) -> bool| view.deliveries.iter().filter(|it| is(it.state)).count();
    [
        ("delivery.figures.done", count(DeliveryState::is_done)),
        ("delivery.figures.needs", count(DeliveryState::needs_person)),
        ("delivery.figures.waits", count(|it| it == DeliveryState::Deferred)),
        ("delivery.figures.leaving", count(|it| matches!(it, DeliveryState::Outgoing | DeliveryState::Sending))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(id: &str, state: &str, permanent: bool) -> DeliveryView {
        let state = DeliveryState::parse(state).unwrap();
        let json = serde_json::json!({
            "id": id, "contact": "c1", "name": "Ann", "address": "ann@old.test", "state": state, "at": 0, "tries": 1,
            "permanent": permanent, "events": [], "can_retry": state.can_retry(),
        });
        serde_json::from_value(json).unwrap()
    }

    fn view(deliveries: Vec<DeliveryView>) -> DeliveriesView {
        let json = serde_json::json!({
            "message": "m1", "subject": "S", "author_name": "Mai", "sent_at": 0, "deliveries": [],
            "envelope": {"state": "failing", "recipients": 1, "done": 0, "failing": 1},
        });
        DeliveriesView { deliveries, ..serde_json::from_value(json).unwrap() }
    }

    #[test]
    fn a_permanent_refusal_is_tried_again_only_with_another_address() {
        let view = view(vec![delivery("d1", "failed", true), delivery("d2", "failed", false)]);
        let mut all = choices(&view, &Choices::new());
        let id = DeliveryId::parse("d1").unwrap();
        assert_eq!(outcome(&view, &all), Outcome { sends: 1, leaves: 1, ..Outcome::default() });
        type_address(all.get_mut(&id).unwrap(), "ann@old.test", "ann@new.test");
        assert_eq!(settle(&view, &Choices::new(), true).ignore.len(), 2, "nobody is switched on");
        let sent = settle(&view, &all, false);
        assert!(sent.ignore.is_empty(), "who is switched off is left");
        assert_eq!(sent.retry.len(), 2);
        assert_eq!(sent.retry[0].address.as_deref(), Some("ann@new.test"));
        assert!(sent.retry[0].update_contact);
        assert_eq!(sent.retry[1].address, None);
        assert!(!sent.retry[1].update_contact, "nothing to change");
        type_address(all.get_mut(&id).unwrap(), "ann@old.test", "ann@old.test");
        assert!(!all[&id].again);
    }

    #[test]
    fn what_waits_or_may_arrive_twice_is_left_alone() {
        let view = view(vec![
            delivery("d1", "deferred", false),
            delivery("d2", "unknown", false),
            delivery("d3", "delivered", false),
        ]);
        let all = choices(&view, &Choices::new());
        assert_eq!(outcome(&view, &all), Outcome { keeps: 1, leaves: 1, ..Outcome::default() });
        assert!(settle(&view, &all, false).retry.is_empty());
        assert_eq!(all.len(), 2, "nothing to choose for what has arrived");
    }

    #[test]
    fn a_live_update_keeps_what_was_chosen() {
        let view = view(vec![delivery("d1", "failed", false)]);
        let mut all = choices(&view, &Choices::new());
        for it in all.values_mut() {
            it.again = false;
        }
        assert!(!choices(&view, &all).values().next().unwrap().again);
    }

    #[test]
    fn addresses() {
        assert!(looks_like_address(" ann@new.test "));
        for bad in ["ann", "@x.test", "ann@test", "a b@x.test", "ann@.test", "ann@test."] {
            assert!(!looks_like_address(bad), "{bad}");
        }
    }
}

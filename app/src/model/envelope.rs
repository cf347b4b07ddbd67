//! What an envelope looks like: glyph, colour class and the key of its words. The only place that maps states to looks.

use mailroom_shared::api::messages::EnvelopeView;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::outbox::state::EnvelopeState;

/// Glyphs of the envelope family, our own drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeGlyph {
    Plain,
    Fail,
    Ok,
    Wait,
    Out,
    X,
    Off,
    Question,
}

/// Look of a message's envelope.
pub const fn look(state: EnvelopeState) -> (EnvelopeGlyph, &'static str) {
    match state {
        EnvelopeState::Fine => (EnvelopeGlyph::Plain, ""),
        EnvelopeState::Leaving => (EnvelopeGlyph::Out, "env--out"),
        EnvelopeState::Waiting => (EnvelopeGlyph::Wait, "env--wait"),
        EnvelopeState::Failing => (EnvelopeGlyph::Fail, "env--fail"),
    }
}

/// Look of one delivery with its word beside it.
pub const fn delivery_look(state: DeliveryState) -> (EnvelopeGlyph, &'static str) {
    match state {
        DeliveryState::Outgoing | DeliveryState::Sending => (EnvelopeGlyph::Out, "state--out"),
        DeliveryState::Sent => (EnvelopeGlyph::Plain, ""),
        DeliveryState::Delivered => (EnvelopeGlyph::Ok, ""),
        DeliveryState::Deferred => (EnvelopeGlyph::Wait, "state--wait"),
        DeliveryState::Failed | DeliveryState::Bounced | DeliveryState::Complained => {
            (EnvelopeGlyph::Fail, "state--fail")
        }
        DeliveryState::Unknown => (EnvelopeGlyph::Question, "state--wait"),
        DeliveryState::Cancelled => (EnvelopeGlyph::X, "state--off"),
        DeliveryState::Ignored => (EnvelopeGlyph::Off, "state--off"),
    }
}

/// The number beside an envelope: failing ones only, since a number calls for attention.
pub fn number(envelope: &EnvelopeView) -> Option<u32> {
    match envelope.state {
        EnvelopeState::Failing => Some(envelope.failing.max(1)),
        EnvelopeState::Fine | EnvelopeState::Leaving | EnvelopeState::Waiting => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn red_is_only_for_what_needs_a_person() {
        for state in DeliveryState::ALL {
            let (_, class) = delivery_look(state);
            let red = class == "state--fail";
            assert!(!red || state.needs_person(), "{state:?}");
        }
    }

    #[test]
    fn only_a_failing_envelope_has_a_number() {
        let envelope = |state, failing| EnvelopeView { state, recipients: 3, done: 1, failing, leaves_at: None };
        assert_eq!(number(&envelope(EnvelopeState::Failing, 2)), Some(2));
        assert_eq!(number(&envelope(EnvelopeState::Waiting, 1)), None);
    }
}

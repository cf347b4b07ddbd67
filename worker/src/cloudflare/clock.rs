//! The clock and the source of randomness of the platform.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use mailroom_shared::time::Span;
use mailroom_shared::time::Timestamp;

use crate::ports::Clock;
use crate::ports::Random;

/// Milliseconds by which development moves the clock; 0 in production, where nothing can set it.
pub static DEV_CLOCK: AtomicI64 = AtomicI64::new(0);

pub(super) struct PlatformClock;

impl Clock for PlatformClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        let now = worker::Date::now().as_millis();
        Timestamp::from_millis(now.cast_signed()) + Span::millis(DEV_CLOCK.load(Ordering::Relaxed))
    }
}

pub(super) struct PlatformRandom;

impl Random for PlatformRandom {
    fn bytes(&self, buffer: &mut [u8]) {
        // On Workers this is `crypto.getRandomValues`, which does not fail for such sizes.
        if getrandom::fill(buffer).is_err() {
            crate::log::error("no_randomness", &[]);
        }
    }
}

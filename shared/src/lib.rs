//! The domain of Mailroom, as data and pure functions.
//!
//! What is absent here: a clock, randomness, IO, async, any Cloudflare or browser type. Time, ids and secrets are
//! arguments. With the feature `mail` off (the page) nothing here parses mail or HTML.

pub mod access;
pub mod address;
pub mod api;
pub mod campaign;
pub mod i18n;
pub mod id;
pub mod log;
pub mod outbox;
pub mod people;
pub mod policy;
pub mod redact;
pub mod template;
pub mod time;
pub mod token;
pub mod way;

#[cfg(feature = "doctor")]
pub mod doctor;
#[cfg(feature = "mail")]
pub mod gateway;
#[cfg(feature = "mail")]
pub mod intake;
#[cfg(feature = "mail")]
pub mod mail;
#[cfg(any(feature = "mail", feature = "support"))]
pub mod received;
#[cfg(feature = "support")]
pub mod support;
#[cfg(feature = "mail")]
pub mod thread;

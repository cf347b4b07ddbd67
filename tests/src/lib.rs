//! What Mailroom is tested and developed with, as a library: `cargo xtask` and the stories in `tests/tests` use the same parts.
//!
//! Reading order: [`stack`] starts the Worker with its neighbours ([`front_door`] for mail that comes in, [`sink`] for mail
//! that goes out), [`client`], [`mail`] and `browser` (feature `browser`) talk to it, [`xtask`] is the automation.
//! Nothing here is deployed.
#![allow(clippy::disallowed_methods, reason = "these programs run natively, where the clock may be read")]

#[cfg(feature = "browser")]
pub mod browser;
pub mod client;
pub mod demo;
pub mod front_door;
pub mod journal;
pub mod mail;
pub mod paths;
pub mod postfix;
pub mod report;
pub mod resolver;
#[cfg(feature = "browser")]
pub mod screenshots;
pub mod sink;
pub mod smtp;
pub mod stack;
pub mod story;
pub mod xtask;

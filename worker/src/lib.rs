//! The Worker: what happens when mail arrives, a nudge comes, a minute passes or a page asks.
//!
//! `http`, `inbound`, `jobs` and `cron` read facts through `store`, let `mailroom_shared` decide, and write. Only this
//! file, `app.rs` and `cloudflare/` name the platform.

pub mod account;
pub mod app;
pub mod cloudflare;
pub mod cron;
mod doctor;
pub mod error;
pub mod group;
pub mod http;
pub mod inbound;
pub mod jobs;
pub mod journal;
pub mod log;
pub mod ports;
pub mod post;
pub mod seal;
pub mod store;

#[cfg(test)]
mod testing;

//! Inbound routing: what becomes of a mail, and why. `inquire → facts → decide → plan`, all of it pure.
//!
//! - [`arrival::Arrival`] is one hand-over as it is looked at: envelope, head, authentication, report, hashes.
//! - [`inquire::inquire`] says what has to be looked up; it needs only the mail and the secret, so that the settings can
//!   be read in the same database batch as the facts.
//! - [`facts::Facts`] is what the store answered, the same shape from SQL and from a scenario file.
//! - [`decide::decide`] is total and deterministic: same arrival, facts, context and time, same verdict.
//! - [`plan::plan`] turns the verdict and the whole mail into rows.
//!
//! Invariants: the envelope decides the recipient, the headers decide the thread. A mail is known again by envelope
//! recipient *and* Message-ID. From is believed only as far as the mail authenticated.

pub mod alias;
pub mod answer;
pub mod arrival;
mod case;
pub mod confirmation;
pub mod decide;
pub mod facts;
pub mod finish;
pub mod inquire;
pub mod loops;
pub mod names;
pub mod otherwise;
pub mod plan;
pub mod refuse;
pub mod reply;
pub mod report;
#[cfg(test)]
mod scenarios;
mod targets;
#[cfg(test)]
mod tests;
pub mod verdict;
pub mod why;
pub mod world;

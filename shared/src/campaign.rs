//! Mail to many: what a campaign says, who gets it, when it leaves, and what became of each recipient.
//!
//! The page compiles this too: its live preview is the code that writes the mail.

pub mod content;
pub mod hits;
#[cfg(feature = "mail")]
pub mod import;
pub mod ledger;
pub mod merge;
pub mod preflight;
pub mod queue;
pub mod state;

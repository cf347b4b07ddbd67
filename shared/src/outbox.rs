//! What leaves: by which server, when, within which limits; the states of a delivery, why it fails, when it is tried again.

pub mod actions;
pub mod address_health;
#[cfg(feature = "mail")]
pub mod advice;
pub mod breaker;
pub mod cause;
pub mod choice;
pub mod delay;
pub mod failure;
pub mod health;
pub mod limit;
pub mod reply;
pub mod retention;
pub mod retry;
#[cfg(feature = "mail")]
pub mod sending_event;
pub mod state;

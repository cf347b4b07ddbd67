//! What leaves: the states of a delivery, why it fails, when it is tried again.

#[cfg(feature = "mail")]
pub mod advice;
pub mod cause;
pub mod failure;
pub mod reply;
pub mod retry;
#[cfg(feature = "mail")]
pub mod sending_event;
pub mod state;

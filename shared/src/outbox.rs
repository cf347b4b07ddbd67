//! What leaves: the states of a delivery, why it fails, when it is tried again.

pub mod cause;
pub mod failure;
pub mod reply;
pub mod retry;
pub mod state;

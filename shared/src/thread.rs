//! The chatter: who is told of a message, and which earlier messages it refers to.

pub mod recipients;
pub mod references;

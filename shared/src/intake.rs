//! What people see of mail that comes in and do about it, around the decision of [`crate::gateway`]: the head that a
//! refusal keeps, what a person may overrule, what would change an outcome, invitations.

pub mod calendar;
pub mod change;
pub mod kept;
pub mod wish;

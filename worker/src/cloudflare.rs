//! Adapters to the platform, and the events it calls.

mod blobs;
mod clock;
mod d1;
mod env;
mod events;
pub mod halt;
mod hub;
mod jobs;
mod keys;
mod mailer;
mod nudges;
mod resolver;
mod smtp;
mod smtp_test;
mod socket;

pub use clock::DEV_CLOCK;
pub use env::DEV_FAULTS;
pub use env::app_from_env;
pub use hub::Hub;

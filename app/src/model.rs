//! View models: plain data and functions, without a DOM, a clock or a request, so that their tests run natively.

pub mod campaign;
pub mod composer;
pub mod delivery;
pub mod envelope;
pub mod filters;
pub mod merge;
pub mod query;
pub mod route;
pub mod selection;
pub mod server;
pub mod text;
pub mod timeline;
pub mod when;

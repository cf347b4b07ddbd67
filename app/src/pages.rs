//! One file per page; a page reads its address, asks for its data and lays out widgets.

pub mod alias;
pub mod aliases;
pub mod contacts;
pub mod emails;
pub mod inbox;
pub mod incoming;
pub mod login;
pub mod not_found;
pub mod record;
pub mod records;
pub mod search;
pub mod set_up;
pub mod shell;

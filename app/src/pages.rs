//! One file per page; a page reads its address, asks for its data and lays out widgets.

pub mod actions;
pub mod alias;
pub mod aliases;
pub mod campaign;
pub mod campaigns;
pub mod contacts;
pub mod emails;
pub mod failures;
pub mod inbox;
pub mod incoming;
pub mod limits;
pub mod login;
pub mod mailing_lists;
pub mod not_found;
pub mod record;
pub mod records;
pub mod search;
pub mod servers;
pub mod set_up;
pub mod shell;
pub mod suppressions;

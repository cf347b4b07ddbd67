//! Mail as data: what came in, read without ever failing, and what goes out, written by the book.
//!
//! Only [`parse`] and [`compose`] name the mail crates; the rest of the product sees the types of [`inbound`].

pub mod authres;
pub mod automatic;
pub mod compose;
pub mod dkim;
pub mod html;
pub mod inbound;
pub mod parse;
pub mod quote;
pub mod report;
pub mod rfc_id;

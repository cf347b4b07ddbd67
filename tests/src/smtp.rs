//! A small SMTP server for the front door and the sink.
//!
//! Why not a server crate: `mailin` (and `mailin-embedded`) refuses `MAIL FROM:<>`, every parameter but `BODY=`, and offers
//! neither SIZE, PIPELINING nor SMTPUTF8, so Postfix cannot relay a bounce or a long mail to it; `samotop` is asleep since
//! 2023 and rests on async-std. npm's `smtp-server` has the extensions, but would be one more process between workerd and a
//! test, and the sink could not be asked from Rust. So the protocol (commands, parameters, dot-stuffing, EHLO answer) is
//! `smtp-proto`, the maintained parser of the Stalwart server, and only the dialogue around it is ours: `session`.

mod reply;
mod scram;
mod server;
mod session;
mod stream;
mod tls;

pub mod client;

pub use reply::Reply;
pub use server::Server;
pub use session::{Answer, Envelope, Service};
pub use tls::TestCa;

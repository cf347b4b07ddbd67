//! Prints the OpenAPI document of the HTTP API.
//!
//! `cargo run -q -p mailroom-shared --features schema --example openapi`; `cargo xtask openapi` keeps it in
//! `worker/openapi.json`.

use std::io::Write;

use serde::Serialize;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    // Lines, so that a change reads as one; no indent, since the Worker carries the text.
    let lines = serde_json::ser::PrettyFormatter::with_indent(b"");
    mailroom_shared::api::openapi::document()
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, lines))?;
    writeln!(out)
}

//! Prints the OpenAPI document of the HTTP API.
//!
//! `cargo run -q -p mailroom-shared --features schema --example openapi`; `cargo xtask openapi` keeps it in
//! `worker/openapi.json`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let text = serde_json::to_string_pretty(&mailroom_shared::api::openapi::document())?;
    writeln!(std::io::stdout().lock(), "{text}")
}

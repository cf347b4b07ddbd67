//! Prints the OpenAPI document (`cargo xtask openapi` writes it where the Worker serves it from).

fn main() {
    println!("{:#}", mailroom_shared::api::openapi::document());
}

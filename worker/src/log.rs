//! Structured log lines: one JSON object each, no bodies, addresses masked.

pub use mailroom_shared::log::mask;

fn line(level: &str, event: &str, fields: &[(&str, &str)]) -> String {
    let mut object = serde_json::Map::new();
    object.insert("level".to_owned(), level.into());
    object.insert("event".to_owned(), event.into());
    for (key, value) in fields {
        object.insert((*key).to_owned(), (*value).into());
    }
    serde_json::Value::Object(object).to_string()
}

#[cfg(target_arch = "wasm32")]
pub fn info(event: &str, fields: &[(&str, &str)]) {
    worker::console_log!("{}", line("info", event, fields));
}

#[cfg(target_arch = "wasm32")]
pub fn warn(event: &str, fields: &[(&str, &str)]) {
    worker::console_warn!("{}", line("warn", event, fields));
}

#[cfg(target_arch = "wasm32")]
pub fn error(event: &str, fields: &[(&str, &str)]) {
    worker::console_error!("{}", line("error", event, fields));
}

#[cfg(not(target_arch = "wasm32"))]
pub fn info(event: &str, fields: &[(&str, &str)]) {
    let _ = line("info", event, fields);
}

#[cfg(not(target_arch = "wasm32"))]
pub fn warn(event: &str, fields: &[(&str, &str)]) {
    let _ = line("warn", event, fields);
}

#[cfg(not(target_arch = "wasm32"))]
pub fn error(event: &str, fields: &[(&str, &str)]) {
    let _ = line("error", event, fields);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        assert_eq!(
            line("info", "x", &[("a", "\"\n")]),
            r#"{"event":"x","a":"\"\n","level":"info"}"#
                .replace(r#""event":"x","a":"\"\n","level":"info""#, r#""a":"\"\n","event":"x","level":"info""#)
        );
    }
}

//! The form of an outgoing server, and a few figures in words.

use mailroom_shared::api::servers::EditServer;
use mailroom_shared::api::servers::ServerRow;

/// How a server is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Archived,
    Off,
    /// After trouble.
    Rests,
    Full,
    /// Some of the last day's hand-overs failed for its sake.
    Shaky,
    Unused,
    Well,
}

impl Condition {
    pub const ALL: [Self; 7] =
        [Self::Archived, Self::Off, Self::Rests, Self::Full, Self::Shaky, Self::Unused, Self::Well];

    pub fn of(row: &ServerRow) -> Self {
        let health = &row.health;
        if row.archived {
            Self::Archived
        } else if !row.settings.enabled {
            Self::Off
        } else if health.rests_until.is_some() {
            Self::Rests
        } else if row.limit.is_some_and(|it| row.used_today >= it) {
            Self::Full
        } else if health.error_rate() >= 5 {
            Self::Shaky
        } else if health.last_success.is_none() {
            Self::Unused
        } else {
            Self::Well
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Off => "off",
            Self::Rests => "rests",
            Self::Full => "full",
            Self::Shaky => "shaky",
            Self::Unused => "unused",
            Self::Well => "well",
        }
    }
}

/// Something was typed that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNumber;

/// A number typed, or nothing; what is no number is told apart from both.
pub fn optional_number(text: &str) -> Result<Option<u32>, NoNumber> {
    let text = text.trim().replace([',', ' ', '\u{a0}'], "");
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| NoNumber) }
}

/// The port that goes with an encryption, as long as nobody typed another.
pub fn usual_port(security: &str) -> &'static str {
    match security {
        "tls" => "465",
        "starttls" => "587",
        _ => "2525",
    }
}

/// Megabytes of a size limit, as typed, and back.
pub fn megabytes(bytes: Option<u32>) -> String {
    bytes.map(|it| (it / 1_000_000).max(1).to_string()).unwrap_or_default()
}

/// Hundredths used of a limit, for a bar.
pub fn share(used: u32, limit: Option<u32>) -> f64 {
    match limit {
        Some(0) => 100.0,
        Some(limit) => (f64::from(used) * 100.0 / f64::from(limit)).min(100.0),
        None => 0.0,
    }
}

/// Class of a bar that turns amber towards its end.
pub fn meter_class(percent: f64) -> &'static str {
    if percent >= 80.0 { "meter meter--warn" } else { "meter" }
}

/// `smtp.corp.test:465`
pub fn place(it: &EditServer) -> String {
    if it.host.is_empty() { String::new() } else { format!("{}:{}", it.host, it.port) }
}

/// `1.2 s`
pub fn seconds(millis: i64) -> String {
    format!("{}.{} s", millis / 1_000, millis % 1_000 / 100)
}

/// `3.4 MB`
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{} KB", n / 1_000),
        _ => format!("{}.{} MB", n / 1_000_000, n / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_or_told_wrong() {
        assert_eq!(optional_number(" 1,200 "), Ok(Some(1_200)));
        assert_eq!(optional_number(""), Ok(None));
        assert_eq!(optional_number("many"), Err(NoNumber));
    }

    #[test]
    fn the_worst_that_is_true_is_shown() {
        let row = |json: serde_json::Value| -> ServerRow {
            let mut all = serde_json::json!({
                "id": "s1", "settings": {}, "has_password": false, "archived": false, "used_today": 3, "used_hour": 0,
                "limit": 10, "learned": false,
                "health": { "taken": 100, "refused": 0, "trouble": 0, "last_success": 5 },
            });
            for (key, value) in json.as_object().unwrap() {
                all[key] = value.clone();
            }
            serde_json::from_value(all).unwrap()
        };
        let check = |json, expected| assert_eq!(Condition::of(&row(json)), expected);
        check(serde_json::json!({}), Condition::Well);
        check(serde_json::json!({ "used_today": 10 }), Condition::Full);
        check(
            serde_json::json!({ "health": { "taken": 90, "refused": 0, "trouble": 10, "last_success": 5 } }),
            Condition::Shaky,
        );
        check(
            serde_json::json!({ "health": { "taken": 0, "refused": 0, "trouble": 9, "rests_until": 9 } }),
            Condition::Rests,
        );
        check(serde_json::json!({ "health": { "taken": 0, "refused": 0, "trouble": 0 } }), Condition::Unused);
        check(serde_json::json!({ "settings": { "enabled": false } }), Condition::Off);
        check(serde_json::json!({ "archived": true }), Condition::Archived);
    }

    #[test]
    fn figures() {
        assert_eq!(seconds(1_290), "1.2 s");
        assert_eq!((bytes(999), bytes(80_400_000)), ("999 B".to_owned(), "80.4 MB".to_owned()));
        assert!((share(17, Some(34)) - 50.0).abs() < 0.01);
    }
}

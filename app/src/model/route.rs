//! The dry run as people read it: the questions in their order, and which of them answered.

use mailroom_shared::api::route::RouteReply;

/// The questions, in the order they are asked; texts are `route.step.<name>`.
pub const STEPS: [&str; 7] = ["own", "report", "token", "reference", "catchall", "alias", "fallback"];

/// How a question came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    No,
    /// This one decided.
    Yes,
    /// Decided before.
    NotAsked,
}

/// Which question decided; `None`: all were answered with no.
pub fn deciding(reply: &RouteReply) -> Option<usize> {
    let at = |name: &str| STEPS.iter().position(|it| *it == name);
    if reply.ignored.is_some() {
        return at("own");
    }
    if reply.report.is_some() {
        return at("report");
    }
    match reply.routes.first().map(|it| it.by.as_str()) {
        Some("token" | "bounce-of") => return at("token"),
        Some("reference") => return at("reference"),
        Some("alias" | "fixed") => return at("alias"),
        Some("fallback") => return at("fallback"),
        _ => {}
    }
    // A refusal: the last rule that is one of the questions.
    reply.why.iter().rev().find_map(|it| match it.rule.as_str() {
        "token" | "bounce_address" => at("token"),
        "reference" | "stranger" => at("reference"),
        "catchall" => at("catchall"),
        "alias" | "contact_rule" => at("alias"),
        "fallback" => at("fallback"),
        _ => None,
    })
}

/// Each question with its answer.
pub fn answers(reply: &RouteReply) -> Vec<(&'static str, Answer)> {
    let decided = deciding(reply);
    let answer = |i: usize| match decided {
        Some(n) if i == n => Answer::Yes,
        Some(n) if i > n => Answer::NotAsked,
        _ => Answer::No,
    };
    STEPS.iter().enumerate().map(|(i, name)| (*name, answer(i))).collect()
}

/// Key of the headline: `route.outcome.<key>`.
pub fn outcome(reply: &RouteReply) -> &'static str {
    let route = reply.routes.first();
    let creates = route.is_some_and(|it| it.action == "create");
    match (reply.decision.as_str(), creates) {
        ("accepted", true) => "create",
        ("accepted", false) if route.is_some_and(|it| it.internal) => "note",
        ("accepted", false) => "append",
        ("held", _) => "held",
        ("report", _) => "report",
        ("ignored", _) => "ignored",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailroom_shared::api::route::RouteView;
    use mailroom_shared::api::route::WhyView;

    fn reply(decision: &str, by: Option<&str>, rules: &[&str]) -> RouteReply {
        let route = |by: &str| RouteView {
            action: if by == "alias" { "create" } else { "append" }.to_owned(),
            r#type: "ticket".to_owned(),
            record: None,
            alias: None,
            by: by.to_owned(),
            parent: None,
            internal: false,
            author: None,
            author_from: String::new(),
            title: None,
            tags: Vec::new(),
            held: None,
        };
        let mut value = serde_json::json!({
            "decision": decision, "routes": [], "authentication": { "spf": "none", "dkim": "none", "dmarc": "none" },
            "notify": [], "copied": [], "why": [], "parsed": {},
        });
        if decision == "ignored" {
            value["ignored"] = "duplicate".into();
        }
        let mut out: RouteReply = serde_json::from_value(value).unwrap();
        out.routes = by.map(route).into_iter().collect();
        out.why = rules.iter().map(|it| WhyView { rule: (*it).to_owned(), text: String::new() }).collect();
        out
    }

    #[track_caller]
    fn check(reply: &RouteReply, step: Option<&str>, headline: &str) {
        assert_eq!(deciding(reply).map(|it| STEPS[it]), step);
        assert_eq!(outcome(reply), headline);
        let yes = answers(reply).iter().filter(|(_, it)| *it == Answer::Yes).count();
        assert_eq!(yes, usize::from(step.is_some()));
    }

    #[test]
    fn the_question_that_decided_is_found() {
        check(&reply("accepted", Some("alias"), &["alias"]), Some("alias"), "create");
        check(&reply("accepted", Some("token"), &["token"]), Some("token"), "append");
        check(&reply("held", Some("reference"), &["reference", "stranger"]), Some("reference"), "held");
        check(&reply("ignored", None, &["duplicate"]), Some("own"), "ignored");
        check(&reply("refused", None, &["alias", "contact_rule"]), Some("alias"), "refused");
        check(&reply("refused", None, &["no_such_address"]), None, "refused");
        check(&reply("refused", None, &["catchall"]), Some("catchall"), "refused");
    }
}

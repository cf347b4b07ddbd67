//! Rules of the page that no compiler knows: every text comes from the catalogue, in both languages; only `api` asks
//! the Worker; models have no DOM.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use mailroom_app::model::server::Condition;
use mailroom_shared::access::Scope;
use mailroom_shared::api::ProblemCode;
use mailroom_shared::api::aliases::AliasState;
use mailroom_shared::api::aliases::ContactRule;
use mailroom_shared::api::campaigns::RecipientFilter;
use mailroom_shared::api::emails::EmailAction;
use mailroom_shared::api::emails::EmailFilter;
use mailroom_shared::api::emails::Wait;
use mailroom_shared::api::servers::Auth;
use mailroom_shared::api::servers::Security;
use mailroom_shared::api::servers::ServerKind;
use mailroom_shared::api::servers::TestStage;
use mailroom_shared::api::session::Role;
use mailroom_shared::campaign::content::Block;
use mailroom_shared::campaign::ledger::LeftOut;
use mailroom_shared::campaign::preflight;
use mailroom_shared::campaign::state::CampaignState;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;
use mailroom_shared::outbox::actions::Action;
use mailroom_shared::outbox::choice::Hindrance;
use mailroom_shared::outbox::choice::Passed;
use mailroom_shared::outbox::choice::Why;
use mailroom_shared::outbox::delay::Delay;
use mailroom_shared::outbox::limit::Plan;
use mailroom_shared::outbox::retention::Class;
use mailroom_shared::outbox::state::DeliveryState;
use mailroom_shared::people::AddressWarning;

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 40, "the sources are found");
    out
}

/// The literal keys of `t!("…")` or `tn!("…")`.
fn keys<'a>(source: &'a str, call: &'a str) -> impl Iterator<Item = &'a str> {
    source.match_indices(call).filter_map(move |(at, _)| {
        let before = source[..at].chars().next_back();
        let rest = source[at + call.len()..].strip_prefix('"')?;
        (!before.is_some_and(char::is_alphanumeric)).then(|| rest.split('"').next()).flatten()
    })
}

#[test]
fn every_text_is_in_the_catalogue_of_both_languages() {
    let (mut missing, mut n_keys) = (Vec::new(), 0);
    for lang in Lang::ALL {
        let catalogue = Catalogue::load(lang);
        let mut need = |key: String| {
            n_keys += 1;
            if !catalogue.has(&key) {
                missing.push(format!("{} {key}", lang.code()));
            }
        };
        for (_, source) in sources() {
            let code: String =
                source.lines().filter(|it| !it.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            for it in keys(&code, "t!(") {
                need(it.to_owned());
            }
            for it in keys(&code, "tn!(") {
                need(format!("{it}.other"));
            }
        }
        for it in ProblemCode::ALL {
            need(format!("problem.{}", it.as_str()));
        }
        for it in DeliveryState::ALL {
            need(format!("state.{}", it.as_str()));
        }
        for it in EmailFilter::ALL {
            need(format!("emails.filter.{}", it.as_str()));
        }
        for it in ContactRule::ALL {
            need(format!("aliases.rule.{}", it.as_str()));
        }
        for it in AliasState::ALL {
            need(format!("aliases.state.{}", it.as_str()));
        }
        let mut each = |prefix: &str, words: Vec<&'static str>| {
            for word in words {
                need(format!("{prefix}.{word}"));
            }
        };
        each("wait", Wait::ALL.map(Wait::as_str).to_vec());
        each("wait", Delay::ALL.map(Delay::as_str).to_vec());
        each("delay", Delay::ALL.map(Delay::as_str).to_vec());
        each("servers.why", Why::ALL.map(Why::as_str).to_vec());
        each("servers.passed", Passed::ALL.map(Passed::as_str).to_vec());
        each("servers.never", Hindrance::ALL.map(Hindrance::as_str).to_vec());
        each("servers.stage", TestStage::ALL.map(TestStage::as_str).to_vec());
        each("servers.test", TestStage::ALL.map(TestStage::as_str).to_vec());
        each("servers.kind", ServerKind::ALL.map(ServerKind::as_str).to_vec());
        each("servers.security", Security::ALL.map(Security::as_str).to_vec());
        each("servers.auth", Auth::ALL.map(Auth::as_str).to_vec());
        each("servers.condition", Condition::ALL.map(Condition::as_str).to_vec());
        each("limits.plan", Plan::ALL.map(Plan::as_str).to_vec());
        each("actions.name", Action::ALL.map(Action::as_str).to_vec());
        each("actions.about", Action::ALL.map(Action::as_str).to_vec());
        each("retention.class", Class::ALL.map(Class::as_str).to_vec());
        each("emails.action", EmailAction::ALL.map(EmailAction::as_str).to_vec());
        each("role", Role::ALL.map(Role::as_str).to_vec());
        each("role.hint", Role::ALL.map(Role::as_str).to_vec());
        each("scope", Scope::ALL.map(Scope::as_str).to_vec());
        each("scope.hint", Scope::ALL.map(Scope::as_str).to_vec());
        each("profile.warning", AddressWarning::ALL.map(AddressWarning::as_str).to_vec());
        each("people.state", ["active", "invited", "archived"].to_vec());
        each("profile.theme", ["light", "dark"].to_vec());
        for it in ["invitation", "password", "address"] {
            each(&format!("mail.{it}"), ["subject", "text"].to_vec());
        }
        each("campaign.state", CampaignState::ALL.map(CampaignState::as_str).to_vec());
        each("campaign.left_out", LeftOut::ALL.map(LeftOut::as_str).to_vec());
        each("campaign.place", DeliveryState::ALL.map(DeliveryState::as_str).to_vec());
        each("campaign.filter", RecipientFilter::ALL.map(RecipientFilter::as_str).to_vec());
        each("campaign.block", Block::KINDS.to_vec());
        each("preflight", preflight::KEYS.to_vec());
        let acts = ["send", "schedule", "cancel", "pause", "resume", "stop", "retry"];
        each("campaign.act", acts.to_vec());
        each("campaign.did", acts.to_vec());
        for it in EmailAction::ALL {
            need(format!("emails.done.{}.other", it.as_str()));
        }
        for reason in mailroom_shared::outbox::failure::Reason::ALL {
            need(format!("reason.{}.title", reason.as_str()));
        }
    }
    assert!(n_keys > 700, "the keys are found: {n_keys}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_words_stand_in_views() {
    let mut found = Vec::new();
    for (path, source) in sources() {
        for (number, line) in source.lines().enumerate() {
            if line.contains("r#\"") || line.contains("\"#") {
                continue;
            }
            // Every other quote opens a literal.
            for (at, _) in line.match_indices('"').step_by(2) {
                // A literal child of an element stands behind `>` or `}` or alone; an attribute's behind `=`.
                let before = line[..at].trim_end();
                let is_child = before.ends_with('>') && !before.ends_with("=>") && !before.ends_with("->");
                let text = line[at + 1..].split('"').next().unwrap_or_default();
                let has_words = text.split(|c: char| !c.is_alphabetic()).any(|it| it.chars().count() > 1);
                if is_child && has_words {
                    found.push(format!("{}:{} {text}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "words belong to the catalogue: {found:#?}");
}

#[test]
fn models_are_pure_and_only_api_asks() {
    for (path, source) in sources() {
        let place = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
        let name = place.display().to_string();
        if place.starts_with("model") {
            for word in ["leptos", "web_sys", "js_sys", "gloo", "crate::api"] {
                assert!(!source.contains(word), "{name} names {word}");
            }
        }
        if name != "api.rs" {
            assert!(
                !source.contains("gloo::net::http") && !source.contains("XmlHttpRequest::new"),
                "{name} asks by itself"
            );
        }
        if place.starts_with("ui") {
            assert!(!source.contains("mailroom_shared"), "{name} knows the domain");
        }
    }
}

#[test]
fn colours_are_tokens() {
    let style = Path::new(env!("CARGO_MANIFEST_DIR")).join("style/app.css");
    let text = fs::read_to_string(style).unwrap();
    let raw: Vec<_> = text.lines().filter(|it| it.contains(": #") && !it.contains("toast")).collect();
    assert!(raw.len() <= 4, "raw colours belong to tokens.css: {raw:#?}");
}

/// The page's `shared` has no tables of letters and no IDNA; what it takes, the Worker judges.
#[test]
fn addresses_are_read_without_tables() {
    use mailroom_shared::address::EmailAddress;
    let check = |text: &str, expect: Option<&str>| {
        assert_eq!(EmailAddress::parse(text).ok().as_ref().map(EmailAddress::as_str), expect, "{text}");
    };
    check("Ann@Corp.TEST.", Some("Ann@corp.test"));
    check("ann@bücher.example", Some("ann@bücher.example"));
    check("ann@xn--bcher-kva.example", Some("ann@xn--bcher-kva.example"));
    check("Đặng@thư.vn", Some("Đặng@thư.vn"));
    for wrong in
        ["ann@bü cher.example", "ann@-bücher.example", "ann@bücher..example", "ann@b\u{202e}ücher.example", "ann@1.2"]
    {
        check(wrong, None);
    }
}

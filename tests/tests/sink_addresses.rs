//! From each address of the sink to what a person sees at the end: state, explanation and evidence in the dialog, the failure
//! inbox, the chatter.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::time::Duration;

use mailroom_tests::browser::Browser;
use mailroom_tests::story::*;
use serde_json::json;

/// Address, state when all have answered, what the dialog says of it (empty: it arrived and needs no words), a word of the
/// other side behind *See error details*.
const EXPECTED: [(&str, &str, &str, &str); 11] = [
    ("ok.a@sink.test", "sent", "", ""),
    ("slow.a@sink.test", "sent", "", ""),
    ("ooo.a@sink.test", "sent", "", ""),
    ("hard.a@sink.test", "failed", "This address does not exist", "is not known here"),
    ("soft.a@sink.test", "deferred", "The receiver asks unknown senders to come back later", "Greylisting in action"),
    ("full.a@sink.test", "deferred", "The Gmail mailbox is full", "out of storage space"),
    ("full.permanent.a@sink.test", "failed", "The recipient's mailbox is full", "Mailbox full, quota exceeded"),
    ("spam.a@sink.test", "failed", "The mail was taken for spam", "likely unsolicited mail"),
    ("drop.a@sink.test", "unknown", "Nobody knows whether it arrived", ""),
    ("later.a@sink.test", "bounced", "This address does not exist", "closed after the message had been accepted"),
    ("complain.a@sink.test", "complained", "The recipient marked the mail as unwanted", ""),
];

#[test]
fn each_address_of_the_sink_ends_on_its_screen() {
    let (stack, api) = start("sink-addresses");
    let new = json!({ "type": "order", "title": "To all of them", "email": EXPECTED[0].0 });
    let record = id(&api.post("/api/v1/records", &new).unwrap().ok().unwrap());
    let cc: Vec<&str> = EXPECTED[1..].iter().map(|it| it.0).collect();
    let message = id(&post(&api, &record, json!({ "text": "Your table is ready.", "cc": cc })));
    send_now(&stack, &api, Duration::from_secs(11));
    for (address, state, ..) in EXPECTED {
        within(Duration::from_secs(30), &format!("{address} to be {state}"), &stack, || {
            (state_of(&api, &message, address) == state).then_some(())
        });
    }

    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    browser.open(&format!("/record/{record}")).unwrap();
    // Red by the worst, with the number of those that did not arrive: six need a person, two wait.
    browser.wait_for_text(".env--fail", "8").unwrap();
    browser.click(".env--fail").unwrap();
    browser.find("dialog .dlv").unwrap();
    browser.screenshot("sink-dialog").unwrap();
    let all = deliveries(&api, &message);
    for (address, state, says, answer) in EXPECTED {
        let row = all["deliveries"].as_array().unwrap().iter().find(|it| it["address"] == address).unwrap();
        let css = format!("[data-delivery='{}'][data-state={state}]", row["id"].as_str().unwrap());
        browser.find(&css).unwrap();
        if says.is_empty() {
            assert!(browser.find_now(&format!("{css} .dlv-more")).unwrap().is_none(), "{address} needs no words");
            continue;
        }
        browser.wait_for_text(&format!("{css} .dlv-more"), says).unwrap();
        browser.click_text(&format!("{css} .dlv-more .link"), "See error details").unwrap();
        browser.find_text(&format!("{css} .code"), answer).unwrap();
        // Only what came back by mail has a raw report.
        let link = browser.find_now(&format!("{css} a[href*='/original']")).unwrap();
        assert_eq!(link.is_some(), matches!(state, "bounced" | "complained"), "{address}");
    }
    for address in ["later.a@sink.test", "complain.a@sink.test"] {
        let row = all["deliveries"].as_array().unwrap().iter().find(|it| it["address"] == address).unwrap();
        let report = row["events"].as_array().unwrap().iter().find_map(|it| it["report"].as_str()).unwrap();
        let raw = api.get(&format!("/api/v1/incoming/{report}/original")).unwrap().text();
        let part = if address.starts_with("later") { "message/delivery-status" } else { "message/feedback-report" };
        assert!(raw.contains(part), "{address}: {raw}");
    }
    browser.screenshot("sink-dialog-open").unwrap();
    browser.set_size(390, 900).unwrap();
    browser.screenshot("sink-dialog-390").unwrap();
    browser.set_size(1440, 900).unwrap();

    // Six wait for a person: the badge, the heading and the groups agree. Two are tried again.
    browser.open("/failures").unwrap();
    browser.wait_for_text(".section-title .badge--red", "6").unwrap();
    browser.wait_for_text(".rail .badge--red", "6").unwrap();
    for (group, n) in [("userunknown", "2"), ("mailboxfull", "1"), ("feedback", "1"), ("networkerror@sink.test", "1")] {
        browser.find_text(&format!("[data-group='{group}'] .cause .num"), n).unwrap();
    }
    browser.find_text("[data-group^=spamdetected]", "The mail was taken for spam").unwrap();
    browser.find_text(".section-title", "We are on it").unwrap();
    browser.screenshot("sink-failures").unwrap();

    // Who is away is told so in the chatter, and nothing failed by it.
    browser.open(&format!("/record/{record}")).unwrap();
    let note = messages(&api, &record).into_iter().find(|it| it["automatic"] == "auto-reply").unwrap();
    browser.find_text(".msg", note["text"].as_str().unwrap().lines().next().unwrap()).unwrap();
    // Hard, later and complained are not written to any more.
    let held = get(&api, "/api/v1/suppressions")["items"].clone();
    let mut held: Vec<&str> = held.as_array().unwrap().iter().map(|it| it["address"].as_str().unwrap()).collect();
    held.sort_unstable();
    assert_eq!(held, ["complain.a@sink.test", "hard.a@sink.test", "later.a@sink.test"]);

    // The third try of what was asked to wait gets through; what is full goes on waiting.
    for minutes in [2, 9, 40, 120] {
        send_now(&stack, &api, Duration::from_secs(60 * minutes));
        if state_of(&api, &message, "soft.a@sink.test") == "sent" {
            break;
        }
    }
    within(SOON, "the third try", &stack, || (state_of(&api, &message, "soft.a@sink.test") == "sent").then_some(()));
    assert_eq!(state_of(&api, &message, "full.a@sink.test"), "deferred");
}

//! The browser tools by themselves; what the page does in Chromium is told elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use mailroom_tests::browser::Browser;
use mailroom_tests::stack::{Stack, StackOptions};
use serde_json::json;

#[test]
fn the_browser_sees_sizes_colors_findings_and_errors() {
    let stack = Stack::start(StackOptions::test("browser")).unwrap();
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/").unwrap();
    browser.find("input").unwrap();
    let size = browser.run("return [innerWidth, innerHeight]", &[]).unwrap();
    assert_eq!(size, json!([1440, 900]));
    browser.set_size(390, 844).unwrap();
    assert_eq!(browser.run("return innerWidth", &[]).unwrap(), json!(390));
    browser.set_dark(true).unwrap();
    assert_eq!(browser.run("return matchMedia('(prefers-color-scheme: dark)').matches", &[]).unwrap(), json!(true));
    let picture = browser.screenshot("first-page").unwrap();
    assert!(std::fs::metadata(picture).unwrap().len() > 1000);

    // The tools find what is wrong, so that their silence elsewhere means something.
    browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\"><button></button>')", &[]).unwrap();
    let findings = browser.accessibility_findings().unwrap();
    assert!(findings.iter().any(|it| it.contains("image-alt")), "{findings:?}");
    // What the page itself says is for the stories to judge.
    browser.console_errors().unwrap();
    browser.run("console.error('on purpose')", &[]).unwrap();
    let after = browser.console_errors().unwrap();
    assert!(after.len() == 1 && after[0].contains("on purpose"), "{after:?}");
}

//! Users, My Profile, API tokens and the placeholder address in real Chromium.
#![cfg(feature = "browser")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]
#![allow(clippy::disallowed_methods, reason = "tests run natively, where the clock may be read")]

use mailroom_tests::browser::Browser;
use mailroom_tests::stack::Stack;
use mailroom_tests::stack::StackOptions;
use mailroom_tests::story::PASSWORD;
use mailroom_tests::story::SOON;
use mailroom_tests::story::link_to;
use mailroom_tests::story::received;
use mailroom_tests::story::start;
use mailroom_tests::story::within;
use serde_json::json;

/// All that the console and axe-core say of the page as it is. What the browser itself says of an answer that refuses is
/// shown by the page.
fn look(browser: &Browser, what: &str, wrong: &mut Vec<String>) {
    browser.screenshot(what).unwrap();
    let refused = ["422", "409", "404"];
    let errors =
        browser.console_errors().unwrap().into_iter().filter(|it| !refused.iter().any(|code| it.contains(code)));
    let findings = browser.accessibility_findings().unwrap();
    wrong.extend(errors.chain(findings).map(|it| format!("{what}: {it}")));
}

fn log_in(browser: &Browser, email: &str, password: &str) {
    browser.open("/login").unwrap();
    browser.fill("[type=email]", email).unwrap();
    browser.fill("[type=password]", password).unwrap();
    browser.press_enter().unwrap();
    browser.find(".rail").unwrap();
}

#[test]
fn changing_the_email_address_of_the_admin_user_account() {
    let stack = Stack::start(StackOptions::test("ui-placeholder")).unwrap();
    // A fresh installation, as it is set up without an address.
    let form = json!({
        "company": "Haldenmoss", "name": "Mai Lindqvist", "email": "", "password": PASSWORD, "domain": "corp.example",
        "language": "en", "smtp": { "host": "127.0.0.1", "port": stack.sink().address().port() },
    });
    let api = stack.client();
    let me = api.post("/api/v1/setup", &form).unwrap().ok().unwrap();
    assert_eq!((&me["email"], &me["confirmed"]), (&json!("admin@corp.example"), &json!(false)));
    let new = json!({ "type": "order", "title": "Twelve chairs", "email": "ok.ann@sink.test" });
    let record = api.post("/api/v1/records", &new).unwrap().ok().unwrap();
    let record = format!("/record/{}", record["id"].as_str().unwrap());

    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    log_in(&browser, "admin@corp.example", PASSWORD);
    let mut wrong = Vec::new();
    browser.find_text("[data-banner=placeholder]", "admin@corp.example").unwrap();
    // Nothing goes to customers, and the composer says why and what to do.
    browser.open(&record).unwrap();
    browser.fill(".composer-text", "Your order is ready.").unwrap();
    browser.click(".composer .btn--primary").unwrap();
    browser.find_text(".composer-error", "My Profile").unwrap();
    look(&browser, "placeholder-composer", &mut wrong);

    browser.click_text("[data-banner=placeholder] a", "My Profile").unwrap();
    browser.find("[data-warning=reserved]").unwrap();
    look(&browser, "profile-placeholder", &mut wrong);
    browser.fill("[name=email]", "ok.mai@sink.test").unwrap();
    browser.press_enter().unwrap();
    browser.find("[data-pending='ok.mai@sink.test']").unwrap();
    look(&browser, "profile-pending", &mut wrong);
    browser.open(&link_to(&stack, "ok.mai@sink.test", "confirm")).unwrap();
    browser.click_text("button", "Confirm").unwrap();
    browser.find_text(".gate", "ok.mai@sink.test is confirmed").unwrap();
    look(&browser, "confirm", &mut wrong);
    browser.click_text("a", "Go to Mailroom").unwrap();
    browser.find(".rail").unwrap();
    assert!(browser.find_now("[data-banner]").unwrap().is_none(), "the banner is gone");

    browser.open(&record).unwrap();
    browser.fill(".composer-text", "Your order is ready.").unwrap();
    browser.click(".composer .btn--primary").unwrap();
    browser.find_text(".toast", "Undo").unwrap();
    within(std::time::Duration::from_secs(30), "the mail to the customer", &stack, || {
        received(&stack, "ok.ann@sink.test").pop()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn users_profile_and_tokens() {
    let (stack, api) = start("ui-people");
    let browser = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    browser.open("/login").unwrap();
    browser.take_session(&api).unwrap();
    let mut wrong = Vec::new();

    // Invite, and change one's mind about what he sees.
    browser.open("/settings/users").unwrap();
    browser.find("[data-state=active]").unwrap();
    browser.click_text("button", "Invite").unwrap();
    browser.fill("[name=email]", "ok.bo@sink.test").unwrap();
    browser.fill(".dialog [name=name]", "Bo").unwrap();
    browser.click_text(".dialog label", "Tickets").unwrap();
    look(&browser, "people-invite", &mut wrong);
    browser.click_text(".dialog button", "Send invitation").unwrap();
    browser.find("[data-person='ok.bo@sink.test'][data-state=invited]").unwrap();
    let link = link_to(&stack, "ok.bo@sink.test", "join");
    browser.click_text("[data-person='ok.bo@sink.test'] button", "Send again").unwrap();
    let newest = within(SOON, "another link", &stack, || {
        Some(link_to(&stack, "ok.bo@sink.test", "join")).filter(|it| *it != link)
    });
    look(&browser, "people", &mut wrong);

    let other = Browser::start(&stack.base_url(), 1440, 900).unwrap();
    other.open(&link).unwrap();
    other.find_text(".gate", "This link does not work").unwrap();
    look(&other, "link-invalid", &mut wrong);
    other.open(&newest).unwrap();
    other.fill("[name=name]", "Bo Tran").unwrap();
    other.fill("[name=password]", "a good password").unwrap();
    look(&other, "join", &mut wrong);
    other.press_enter().unwrap();
    other.find_text(".rail", "Tickets").unwrap();
    assert!(!other.text(".rail").unwrap().contains("Orders"), "hidden from him");
    look(&other, "joined", &mut wrong);

    browser.find("[data-person='ok.bo@sink.test'][data-state=active]").unwrap();
    browser.click_text("[data-person='ok.bo@sink.test'] button", "Bo Tran").unwrap();
    browser.find(".dialog [name=role]").unwrap();
    look(&browser, "people-change", &mut wrong);
    browser.press_escape().unwrap();
    browser.wait_gone(".dialog").unwrap();
    // The last administrator stays.
    browser.click_text("[data-person='mai@corp.example'] button", "Archive").unwrap();
    browser.find_text(".toast", "Somebody has to be administrator").unwrap();

    // Forgotten: asked for on the login page, set by the link.
    other.forget_session().unwrap();
    other.open("/login").unwrap();
    other.click_text("a", "Forgot password?").unwrap();
    other.fill("[name=email]", "ok.bo@sink.test").unwrap();
    other.press_enter().unwrap();
    other.find_text(".gate", "a mail is on its way").unwrap();
    look(&other, "password-asked", &mut wrong);
    other.open(&link_to(&stack, "ok.bo@sink.test", "password")).unwrap();
    other.fill("[name=password]", "another good one").unwrap();
    look(&other, "password-set", &mut wrong);
    other.press_enter().unwrap();
    other.find(".rail").unwrap();

    // My profile.
    other.open("/profile").unwrap();
    other.find("[data-confirmed=true]").unwrap();
    other.click_text(".seg button", "By email").unwrap();
    other.find_text(".toast", "Saved").unwrap();
    look(&other, "profile", &mut wrong);
    // Another address asks for the password, and takes effect by its link only.
    other.fill("[name=email]", "ok.bo.tran@sink.test").unwrap();
    other.fill("[name=password]", "not this one").unwrap();
    other.press_enter().unwrap();
    other.find_text(".hint--bad", "not your password").unwrap();
    other.fill("[name=password]", "another good one").unwrap();
    look(&other, "profile-change", &mut wrong);
    other.press_enter().unwrap();
    other.find("[data-pending='ok.bo.tran@sink.test']").unwrap();
    other.click_text("button", "Keep the present one").unwrap();
    other.wait_gone("[data-pending]").unwrap();
    stack.client().login("ok.bo@sink.test", "another good one").unwrap();
    other.open("/profile?tab=security").unwrap();
    other.find("[data-session=other]").unwrap();
    look(&other, "profile-security", &mut wrong);
    other.click_text("button", "Log out everywhere else").unwrap();
    other.wait_gone("[data-session=other]").unwrap();

    // A token, shown once, that works.
    browser.open("/settings/tokens").unwrap();
    browser.click_text("button", "New token").unwrap();
    browser.fill(".dialog [name=name]", "Shop").unwrap();
    look(&browser, "tokens-new", &mut wrong);
    browser.click_text(".dialog button", "Create").unwrap();
    let secret = browser.text("[data-secret]").unwrap();
    look(&browser, "tokens-made", &mut wrong);
    browser.click_text(".dialog button", "Done").unwrap();
    browser.find("[data-token=Shop]").unwrap();
    let shop = stack.client().with_token(secret.trim());
    let new = json!({ "type": "order", "title": "By token" });
    shop.post("/api/v1/records", &new).unwrap().ok().unwrap();
    look(&browser, "tokens", &mut wrong);
    browser.click_text("[data-token=Shop] button", "Revoke").unwrap();
    browser.find("[data-token=Shop][data-revoked=true]").unwrap();
    assert_eq!(shop.get("/api/v1/records").unwrap().status, 401);

    browser.set_size(390, 844).unwrap();
    browser.set_dark(true).unwrap();
    for (path, part, name) in [
        ("/settings/users", "[data-person]", "people-narrow"),
        ("/settings/tokens", "[data-token]", "tokens-narrow"),
        ("/profile", "[data-confirmed]", "profile-narrow"),
        ("/profile?tab=security", "[data-session]", "profile-security-narrow"),
    ] {
        browser.open(path).unwrap();
        browser.find(part).unwrap();
        look(&browser, name, &mut wrong);
    }
    api.patch("/api/v1/session", &json!({ "language": "vi" })).unwrap().ok().unwrap();
    browser.open("/profile").unwrap();
    browser.find("[data-confirmed]").unwrap();
    look(&browser, "profile-narrow-vi", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

//! The stack by itself: starts, takes mail and triggers, dies and comes back.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use mailroom_tests::front_door::Outcome;
use mailroom_tests::stack::{Stack, StackOptions};

#[test]
fn it_starts_dies_hard_comes_back_and_leaves_nothing_behind() {
    let options = StackOptions::test("stack");
    let mut stack = Stack::start(options).unwrap();
    // Its state is its own while it runs, also against a fresh start.
    let refused = Stack::start(StackOptions::test("stack")).err().unwrap();
    assert!(format!("{refused:#}").contains("in use"), "{refused:#}");
    let http = stack.base_url();
    let health = stack.client().get("/api/health").unwrap();
    assert_eq!(health.status, 200, "{}", health.text());
    stack.cron(None).unwrap();
    // A page of the app is served for every path that is no file.
    let page = stack.client().get("/records/7").unwrap();
    assert!(page.content_type.starts_with("text/html"), "{}", page.content_type);

    stack.kill_hard().unwrap();
    assert!(!stack.is_alive());
    assert!(matches!(stack.poster().post("a@b.test", "c@d.test", b"x"), Outcome::Failed(_)));
    stack.restart().unwrap();
    assert!(stack.is_alive());
    assert_eq!(stack.client().get("/api/health").unwrap().status, 200);

    let addresses =
        [http.trim_start_matches("http://").parse().unwrap(), stack.sink().address(), stack.front_door().unwrap()];
    drop(stack);
    thread::sleep(Duration::from_millis(200));
    for address in addresses {
        assert!(TcpStream::connect(address).is_err(), "{address} still answers");
    }
}

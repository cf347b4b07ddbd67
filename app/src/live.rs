//! The live socket: the Worker says which tags went stale, and what shows them is read again.

use std::cell::RefCell;
use std::rc::Rc;

use futures::StreamExt;
use gloo::net::websocket::Message;
use gloo::net::websocket::futures::WebSocket;
use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::Stale;

use crate::dates::sleep;
use crate::queries::Cache;

/// Tags of one burst are gathered this long, so that six hundred mails are not six hundred requests.
const GATHER_MS: u32 = 150;
/// Waits between connections, in seconds; the last one repeats.
const WAITS: [u32; 5] = [1, 2, 5, 10, 20];

/// Whether the socket is open. While it is not, lists are read again from time to time.
#[derive(Clone, Copy)]
pub struct Live(pub RwSignal<bool>);

/// Connects for as long as the owner lives.
pub fn start(cache: Cache) {
    let open = RwSignal::new(true);
    provide_context(Live(open));
    let alive = Rc::new(RefCell::new(true));
    let ended = StoredValue::new_local(Rc::clone(&alive));
    on_cleanup(move || {
        if let Some(alive) = ended.try_get_value() {
            *alive.borrow_mut() = false;
        }
    });
    // Coming back to a tab that slept: whatever was missed is read now.
    let handle = window_event_listener(leptos::ev::online, move |_| cache.all_stale());
    on_cleanup(move || handle.remove());
    spawn_local(async move {
        let gather = Rc::new(Gather { cache, tags: RefCell::default(), timer: RefCell::default() });
        let mut failures = 0;
        while *alive.borrow() {
            if let Ok(mut socket) = WebSocket::open(&address()) {
                let mut first = true;
                while let Some(Ok(message)) = socket.next().await {
                    if !*alive.borrow() {
                        return;
                    }
                    if first {
                        first = false;
                        failures = 0;
                        let _ = open.try_set(true);
                    }
                    if let Message::Text(text) = message
                        && let Ok(stale) = crate::json::read::<Stale>(&text)
                    {
                        Gather::add(&gather, stale.tags);
                    }
                }
            }
            let wait = WAITS.get(failures).or(WAITS.last()).copied().unwrap_or(20);
            failures += 1;
            if failures > 2 {
                let _ = open.try_set(false);
            }
            sleep(wait * 1_000).await;
            if *alive.borrow() {
                // Something may have happened while nobody told us.
                cache.all_stale();
            }
        }
    });
}

fn address() -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|it| it == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}/api/live", location.host().unwrap_or_default())
}

struct Gather {
    cache: Cache,
    tags: RefCell<Vec<String>>,
    timer: RefCell<Option<Timeout>>,
}

impl Gather {
    fn add(this: &Rc<Self>, tags: Vec<String>) {
        for tag in tags {
            let is_known = this.tags.borrow().contains(&tag);
            if !is_known {
                this.tags.borrow_mut().push(tag);
            }
        }
        let mut timer = this.timer.borrow_mut();
        if timer.is_none() {
            let later = Rc::clone(this);
            *timer = Some(Timeout::new(GATHER_MS, move || {
                let tags = std::mem::take(&mut *later.tags.borrow_mut());
                later.timer.borrow_mut().take().map(Timeout::forget);
                for tag in tags {
                    later.cache.stale(&tag);
                }
            }));
        }
    }
}

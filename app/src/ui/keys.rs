//! Keys of the whole page, heard only while nobody types and no dialog is open.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use web_sys::KeyboardEvent;

/// Whether the focus is where keys are text, or belongs to something that has keys of its own.
fn is_typing() -> bool {
    let Some(element) = document().active_element() else { return false };
    let name = element.tag_name();
    let is_field = matches!(name.as_str(), "INPUT" | "TEXTAREA" | "SELECT" | "IFRAME")
        && element.get_attribute("type").as_deref() != Some("checkbox");
    is_field || element.dyn_ref::<HtmlElement>().is_some_and(HtmlElement::is_content_editable)
}

fn is_dialog_open() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Hears plain keys for as long as the owner lives; `true` takes the key.
pub fn use_keys(hear: impl Fn(&str, &KeyboardEvent) -> bool + 'static) {
    let handle = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
        let is_chord = event.ctrl_key() || event.meta_key() || event.alt_key();
        if is_chord || event.is_composing() || event.default_prevented() || is_typing() || is_dialog_open() {
            return;
        }
        if hear(&event.key(), &event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

/// `⌘↵` or `Ctrl ↵`, as the reader's keyboard has it.
pub fn send_keys() -> &'static str {
    let platform = window().navigator().platform().unwrap_or_default();
    if platform.starts_with("Mac") || platform.starts_with("iP") { "⌘↵" } else { "Ctrl ↵" }
}

/// Ctrl or ⌘ with Enter.
pub fn is_send(event: &KeyboardEvent) -> bool {
    event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) && !event.is_composing()
}

/// Gives focus to the first element that matches.
pub fn focus(selector: &str) {
    if let Some(element) = document().query_selector(selector).ok().flatten()
        && let Some(element) = element.dyn_ref::<HtmlElement>()
    {
        let _ = element.focus();
    }
}

//! Light and dark, and the browser's small store. The first paint is the job of `public/theme.js`.

use gloo::storage::LocalStorage;
use gloo::storage::Storage;
use leptos::prelude::*;

/// The theme that is on.
pub fn is_dark() -> bool {
    document().document_element().and_then(|it| it.get_attribute("data-theme")).as_deref() == Some("dark")
}

/// Switches and remembers; frames of mails listen to the signal to take the new colours.
pub fn toggle(dark: RwSignal<bool>) {
    let next = !is_dark();
    let name = if next { "dark" } else { "light" };
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", name);
    }
    store("mailroom-theme", name);
    dark.set(next);
}

/// Keeps a text in the browser. A full or forbidden store is no reason to fail.
pub fn store(key: &str, value: &str) {
    let _ = LocalStorage::raw().set_item(key, value);
}

pub fn stored(key: &str) -> Option<String> {
    LocalStorage::raw().get_item(key).ok().flatten()
}

pub fn forget(key: &str) {
    let _ = LocalStorage::raw().remove_item(key);
}

/// Whether the dark theme is on; tracked.
#[derive(Clone, Copy)]
pub struct Dark(pub RwSignal<bool>);

pub fn use_dark() -> RwSignal<bool> {
    use_context::<Dark>().map_or_else(|| RwSignal::new(false), |it| it.0)
}

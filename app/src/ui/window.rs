//! Long lists: only the rows in view are in the document.

use leptos::ev;
use leptos::html;
use leptos::prelude::*;

use crate::model::merge;

/// The rows of a list that are in view. `row_height` in CSS pixels; the page scrolls as a whole.
pub fn use_window(total: Signal<usize>, row_height: fn() -> f64, host: NodeRef<html::Div>) -> Memo<(usize, usize)> {
    let place = RwSignal::new((0.0, 900.0, row_height()));
    let measure = move || {
        let Some(host) = host.try_get_untracked().flatten() else { return };
        let height = window().inner_height().ok().and_then(|it| it.as_f64()).unwrap_or(900.0);
        place.set((-host.get_bounding_client_rect().top(), height, row_height()));
    };
    let scroll = window_event_listener(ev::scroll, move |_| measure());
    let resize = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || {
        scroll.remove();
        resize.remove();
    });
    Effect::new(move |_| {
        if host.get().is_some() {
            measure();
        }
    });
    Memo::new(move |_| {
        let (above, height, row) = place.get();
        merge::window(total.get(), row, above, height)
    })
}

/// Whether the page is narrow; the same limit as in the style sheet.
pub fn is_narrow() -> bool {
    window().inner_width().ok().and_then(|it| it.as_f64()).is_some_and(|it| it <= 820.0)
}

/// Whether the reader is at the end of the page.
pub fn is_at_end() -> bool {
    let root = document().scrolling_element();
    root.is_some_and(|root| root.scroll_height() - root.scroll_top() - root.client_height() < 160)
}

/// Goes to the end of the page.
pub fn scroll_to_end() {
    if let Some(root) = document().scrolling_element() {
        root.set_scroll_top(root.scroll_height());
    }
}

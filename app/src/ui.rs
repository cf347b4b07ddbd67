//! The design system: components without a domain word. Props in, callbacks out; no requests and no rules in here.
//! Classes are those of `style/components.css`.

pub mod avatar;
pub mod blank;
pub mod button;
pub mod check;
pub mod chip;
pub mod dialog;
pub mod field;
pub mod icon;
pub mod keys;
pub mod menu;
pub mod notice;
pub mod seg;
pub mod skeleton;
pub mod toast;
pub mod window;

use std::cell::Cell;

thread_local! {
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
}

/// An id no other element has, for labels and descriptions.
pub fn unique_id(prefix: &str) -> String {
    LAST_ID.with(|it| {
        it.set(it.get() + 1);
        format!("{prefix}-{}", it.get())
    })
}

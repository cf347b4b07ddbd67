//! A menu behind a button. Arrow keys move, Esc and a press elsewhere close, focus goes back to the button.

use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use web_sys::KeyboardEvent;
use web_sys::Node;

use super::icon::Glyph;
use super::icon::Icon;

/// Where it opens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Opens {
    #[default]
    DownLeft,
    DownRight,
    UpRight,
}

#[derive(Clone, Copy)]
struct MenuHandle(RwSignal<bool>);

/// A button with a menu.
#[component]
pub fn Menu(
    /// Classes of the button.
    #[prop(optional)]
    class: &'static str,
    #[prop(optional)] opens: Opens,
    /// Name of the button for screen readers.
    #[prop(into)]
    label: String,
    /// What stands on the button.
    trigger: AnyView,
    children: ChildrenFn,
) -> AnyView {
    let open = RwSignal::new(false);
    provide_context(MenuHandle(open));
    let host = NodeRef::<html::Span>::new();
    let button = NodeRef::<html::Button>::new();
    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let outside = window_event_listener(ev::pointerdown, move |event| {
        let target = event.target().and_then(|it| it.dyn_into::<Node>().ok());
        let inside = host.get_untracked().is_some_and(|host| host.contains(target.as_ref()));
        if !inside && open.get_untracked() {
            open.set(false);
        }
    });
    on_cleanup(move || outside.remove());
    let on_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Escape" if open.get_untracked() => {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
        "ArrowDown" | "ArrowUp" => {
            event.prevent_default();
            open.set(true);
            let down = event.key() == "ArrowDown";
            request_animation_frame(move || move_focus(host, down));
        }
        "Tab" => open.set(false),
        _ => {}
    };
    let place = match opens {
        Opens::DownLeft => "menu",
        Opens::DownRight => "menu menu--start",
        Opens::UpRight => "menu menu--up menu--start",
    };
    view! {
        <span class="menu-host" node_ref=host on:keydown=on_key>
            <button
                type="button"
                class=class
                node_ref=button
                aria-haspopup="menu"
                aria-expanded=move || if open.get() { "true" } else { "false" }
                on:click=move |_| {
                    open.update(|it| *it = !*it);
                    if open.get_untracked() {
                        request_animation_frame(move || move_focus(host, true));
                    }
                }
            >
                {trigger}
                <span class="vh">" "{label.clone()}</span>
            </button>
            {move || open.get().then(|| view! { <div class=place role="menu" aria-label=label.clone()>{children()}</div> })}
        </span>
    }
    .into_any()
}

/// Moves the focus among the items, round at the ends.
fn move_focus(host: NodeRef<html::Span>, down: bool) {
    let Some(host) = host.get_untracked() else { return };
    let Ok(items) = host.query_selector_all("[role=menu] [role^=menuitem]") else { return };
    let active = document().active_element();
    let n_items = items.length();
    let now = (0..n_items).find(|i| {
        let item = items.item(*i).and_then(|it| it.dyn_into::<web_sys::Element>().ok());
        item.is_some() && item == active
    });
    let next = match now {
        None if down => 0,
        Some(i) if down => (i + 1) % n_items.max(1),
        None | Some(0) => n_items.saturating_sub(1),
        Some(i) => i - 1,
    };
    if let Some(item) = items.item(next).and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
        let _ = item.focus();
    }
}

/// One line of a menu.
#[component]
pub fn MenuItem(
    #[prop(optional, into)] icon: Option<Glyph>,
    #[prop(into)] text: String,
    #[prop(optional, into)] detail: String,
    /// Of a group of which one is on.
    #[prop(optional, into)]
    checked: Option<bool>,
    /// Switched on and off by itself.
    #[prop(optional)]
    is_switch: bool,
    /// Leads somewhere instead of doing something.
    #[prop(optional, into)]
    href: Option<String>,
    /// The link opens beside the page.
    #[prop(optional)]
    blank: bool,
    #[prop(optional, into)] on_press: Option<Callback<()>>,
) -> AnyView {
    let handle = use_context::<MenuHandle>();
    let press = move || {
        if let Some(MenuHandle(open)) = handle {
            open.set(false);
        }
        if let Some(press) = on_press {
            press.run(());
        }
    };
    let inside = view! {
        {icon.map(|glyph| view! { <Icon glyph/> })}
        <span>{text}{(!detail.is_empty()).then(|| view! { <small>{detail}</small> })}</span>
        {(checked == Some(true)).then(|| view! { <Icon glyph=Glyph::Check class="mark"/> })}
    };
    match href {
        Some(href) => view! {
            <a
                class="menu-item"
                role="menuitem"
                tabindex="-1"
                href=href
                target=blank.then_some("_blank")
                rel=blank.then_some("noopener external")
                on:click=move |_| press()
            >
                {inside}
            </a>
        }
        .into_any(),
        None => view! {
            <button
                type="button"
                class="menu-item"
                role=if is_switch {
                    "menuitemcheckbox"
                } else if checked.is_some() {
                    "menuitemradio"
                } else {
                    "menuitem"
                }
                aria-checked=checked.map(|it| if it { "true" } else { "false" })
                tabindex="-1"
                on:click=move |_| press()
            >
                {inside}
            </button>
        }
        .into_any(),
    }
}

//! Modal dialogs over the native `<dialog>`: the browser traps focus, closes on Esc and gives focus back. On narrow
//! screens the style sheet makes it a sheet at the bottom.

use leptos::html;
use leptos::prelude::*;

use super::button::Button;
use super::button::Kind;
use super::icon::Glyph;
use super::unique_id;
use crate::t;

/// Lets what is inside close the dialog.
#[derive(Clone, Copy)]
pub struct DialogHandle {
    node: NodeRef<html::Dialog>,
    title_id: StoredValue<String>,
}

impl DialogHandle {
    /// Closes; focus goes back to where it was.
    pub fn close(self) {
        if let Some(dialog) = self.node.get_untracked() {
            dialog.close();
        }
    }
}

pub fn use_dialog() -> DialogHandle {
    use_context::<DialogHandle>()
        .unwrap_or_else(|| DialogHandle { node: NodeRef::new(), title_id: StoredValue::new(String::new()) })
}

/// A dialog, open from the moment it is built. Its owner takes it out in `on_close`.
#[component]
pub fn Dialog(
    #[prop(optional)] class: &'static str,
    #[prop(into)] on_close: Callback<()>,
    children: Children,
) -> AnyView {
    let node = NodeRef::<html::Dialog>::new();
    let handle = DialogHandle { node, title_id: StoredValue::new(unique_id("dialog")) };
    provide_context(handle);
    Effect::new(move |_| {
        if let Some(dialog) = node.get().filter(|it| !it.open()) {
            let _ = dialog.show_modal();
        }
    });
    view! {
        <dialog
            class=format!("dialog {class}")
            node_ref=node
            aria-labelledby=handle.title_id.get_value()
            on:close=move |_| on_close.run(())
            on:mousedown=move |event| {
                // A press on the backdrop hits the dialog itself, since its content covers it wholly.
                let outside = node.get_untracked().is_some_and(|dialog| {
                    let area = dialog.get_bounding_client_rect();
                    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
                    x < area.left() || x > area.right() || y < area.top() || y > area.bottom()
                });
                if outside {
                    handle.close();
                }
            }
        >
            {children()}
        </dialog>
    }
    .into_any()
}

/// Title, a line below it, and the ×.
#[component]
pub fn DialogHead(
    #[prop(into)] title: Signal<String>,
    /// Before the title.
    #[prop(optional, into)]
    mark: ViewFn,
    #[prop(optional, into)] sub: Signal<String>,
    /// The focus begins at the title, for a dialog that is read before it is used.
    #[prop(optional)]
    focus: bool,
) -> AnyView {
    let handle = use_dialog();
    view! {
        <div class="dialog-head">
            {move || mark.run()}
            <div class="trunc">
                <h2 id=handle.title_id.get_value() class="trunc" tabindex=focus.then_some("-1") autofocus=focus>{title}</h2>
                {move || {
                    let text = sub.get();
                    (!text.is_empty()).then(|| view! { <p>{text}</p> })
                }}
            </div>
            <Button class="push" kind=Kind::Ghost icon=Glyph::Close label=t!("ui.close") on_press=move |()| handle.close()/>
        </div>
    }
    .into_any()
}

//! Toasts: what was done, with Undo or View. They stay eight seconds, wait while hovered or focused, and are read out.
//! The bar below one is a CSS animation whose end takes it away, so that waiting is the style sheet's job too.

use leptos::prelude::*;

use super::icon::Glyph;
use super::icon::Icon;
use crate::t;

/// What a toast says.
#[derive(Clone)]
pub struct Toast {
    pub glyph: Glyph,
    pub text: String,
    pub detail: String,
    /// Words of the button and what it does.
    pub action: Option<(String, Callback<()>)>,
    pub seconds: u32,
    pub is_bad: bool,
    id: u32,
}

impl Toast {
    pub fn new(glyph: Glyph, text: impl Into<String>) -> Self {
        Self { glyph, text: text.into(), detail: String::new(), action: None, seconds: 8, is_bad: false, id: 0 }
    }

    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// Something went wrong.
    #[must_use]
    pub fn bad(self) -> Self {
        Self { is_bad: true, ..self }
    }

    #[must_use]
    pub fn seconds(self, seconds: u32) -> Self {
        Self { seconds, ..self }
    }

    #[must_use]
    pub fn undo(self, action: Callback<()>) -> Self {
        Self { action: Some((t!("ui.undo"), action)), ..self }
    }
}

/// The toasts of the page.
#[derive(Clone, Copy)]
pub struct Toasts {
    all: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
}

impl Toasts {
    pub fn provide() -> Self {
        let toasts = Self { all: RwSignal::new(Vec::new()), last: StoredValue::new(0) };
        provide_context(toasts);
        toasts
    }

    /// Shows one; the oldest goes when there are more than three.
    pub fn show(self, toast: Toast) -> u32 {
        let id = self.last.get_value() + 1;
        self.last.set_value(id);
        self.all.update(|all| {
            all.push(Toast { id, ..toast });
            if all.len() > 3 {
                all.remove(0);
            }
        });
        id
    }

    pub fn done(self, text: impl Into<String>) {
        self.show(Toast::new(Glyph::Check, text));
    }

    pub fn take_away(self, id: u32) {
        self.all.update(|all| all.retain(|it| it.id != id));
    }

    /// Undo of the newest toast that has one; whether there was one.
    pub fn undo_last(self) -> bool {
        let last = self.all.get_untracked().into_iter().rev().find(|it| it.action.is_some());
        let Some(Toast { id, action: Some((_, action)), .. }) = last else { return false };
        self.take_away(id);
        action.run(());
        true
    }
}

pub fn use_toasts() -> Toasts {
    use_context::<Toasts>().unwrap_or_else(|| Toasts { all: RwSignal::new(Vec::new()), last: StoredValue::new(0) })
}

/// Where toasts appear.
#[component]
pub fn ToastHost() -> AnyView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="region" aria-label=t!("ui.toasts") aria-live="polite">
            <For each=move || toasts.all.get() key=|it| it.id let:toast>
                <ToastCard toast/>
            </For>
        </div>
    }
    .into_any()
}

#[component]
fn ToastCard(toast: Toast) -> AnyView {
    let toasts = use_toasts();
    let id = toast.id;
    let class = if toast.is_bad { "toast toast--bad" } else { "toast" };
    view! {
        <div
            class=class
            role=if toast.is_bad { "alert" } else { "status" }
            style=format!("--life:{}s", toast.seconds)
            on:animationend=move |event| {
                if event.animation_name() == "life" {
                    toasts.take_away(id);
                }
            }
        >
            <Icon glyph=toast.glyph/>
            <span>{toast.text}{(!toast.detail.is_empty()).then(|| view! { <small>{toast.detail}</small> })}</span>
            {match toast.action {
                Some((words, action)) => view! {
                    <button type="button" class="btn" on:click=move |_| { toasts.take_away(id); action.run(()); }>
                        {words}<kbd class="kbd only-wide">"Z"</kbd>
                    </button>
                }
                .into_any(),
                None => view! {
                    <button type="button" class="btn btn--icon" aria-label=t!("ui.close") on:click=move |_| toasts.take_away(id)>
                        <Icon glyph=Glyph::Close/>
                    </button>
                }
                .into_any(),
            }}
        </div>
    }
    .into_any()
}

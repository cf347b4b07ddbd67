//! What stands where a list would: nothing there, nothing found, something went wrong.

use leptos::prelude::*;

/// Drawing above the words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Art {
    #[default]
    Envelope,
    /// Empty, and that is good.
    Done,
    Search,
    Error,
}

const ENVELOPE: &str = r#"<path class="hair" d="M2 20h8M0 28h10M4 36h6"/><rect class="paper" x="16" y="10" width="48" height="36" rx="5"/><path d="M18 14l22 17 22-17"/>"#;

impl Art {
    fn svg(self) -> String {
        match self {
            Self::Envelope => ENVELOPE.to_owned(),
            Self::Done => format!(r#"{ENVELOPE}<path class="cool" d="M54 40l5 5 9-10"/>"#),
            Self::Search => {
                r#"<circle class="paper" cx="32" cy="24" r="16"/><path d="M44 36l14 14"/><path class="hair" d="M25 24h14"/>"#.to_owned()
            }
            Self::Error => {
                format!(r#"{}<path class="hot" d="M56 38l10 10M66 38l-10 10"/>"#, ENVELOPE.replace("hair", "hair hot"))
            }
        }
    }
}

/// An empty state: what is true, what it means, what to do next.
#[component]
pub fn Blank(
    #[prop(optional)] art: Art,
    #[prop(into)] title: String,
    #[prop(optional, into)] text: String,
    /// Small print, for example an error code.
    #[prop(optional, into)]
    code: String,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> AnyView {
    view! {
        <div class="blank">
            <svg class="blank-art" viewBox="0 0 72 56" aria-hidden="true" inner_html=art.svg()></svg>
            <h2>{title}</h2>
            {(!text.is_empty()).then(|| view! { <p>{text}</p> })}
            {children.map(|it| view! { <div class="acts">{it()}</div> })}
            {(!code.is_empty()).then(|| view! { <p class="mono">{code}</p> })}
        </div>
    }
    .into_any()
}

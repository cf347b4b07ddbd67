//! A line that says something about what stands below it.

use leptos::prelude::*;

use super::icon::Glyph;
use super::icon::Icon;

/// Weight of a notice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Weight {
    #[default]
    Plain,
    Info,
    Warn,
    Bad,
}

impl Weight {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "notice",
            Self::Info => "notice notice--info",
            Self::Warn => "notice notice--warn",
            Self::Bad => "notice notice--bad",
        }
    }
}

/// A notice with room for a button at its end.
#[component]
pub fn Notice(
    #[prop(optional)] class: &'static str,
    #[prop(optional)] weight: Weight,
    icon: Glyph,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> AnyView {
    view! {
        <div class=format!("{} {class}", weight.as_str()) role="status">
            <Icon glyph=icon/>
            <span>{text}</span>
            {children.map(|it| it())}
        </div>
    }
    .into_any()
}

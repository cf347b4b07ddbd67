//! Initials in a circle.

use leptos::prelude::*;

use super::icon::Glyph;
use super::icon::Icon;
use crate::model::text::initials;

/// Whose avatar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Them,
    Us,
    Machine,
}

/// An avatar; the name stands beside it.
#[component]
pub fn Avatar(#[prop(into)] name: String, #[prop(optional)] side: Side, #[prop(optional)] small: bool) -> AnyView {
    let class = match (side, small) {
        (Side::Them, false) => "avatar",
        (Side::Them, true) => "avatar avatar--sm",
        (Side::Us, false) => "avatar avatar--us",
        (Side::Us, true) => "avatar avatar--us avatar--sm",
        (Side::Machine, _) => "avatar avatar--auto",
    };
    let inside = match side {
        Side::Machine => view! { <Icon glyph=Glyph::Bot/> }.into_any(),
        Side::Them | Side::Us => initials(&name).into_any(),
    };
    view! { <span class=class aria-hidden="true">{inside}</span> }.into_any()
}

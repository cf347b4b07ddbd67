//! Above every page, as long as the own address is not confirmed: why nothing goes to customers, and the way out.

use leptos::prelude::*;

use crate::routes::Page;
use crate::session::use_me;
use crate::t;
use crate::ui::icon::Glyph;
use crate::ui::notice::Notice;
use crate::ui::notice::Weight;

#[component]
pub fn PlaceholderBanner() -> AnyView {
    let email = use_me().get_untracked().map(|it| it.email.to_string()).unwrap_or_default();
    view! {
        <div class="banner" data-banner="placeholder">
            <Notice weight=Weight::Warn icon=Glyph::Alert text=t!("banner.placeholder", email = email)>
                <a class="btn btn--sm" href=Page::Profile.href()>{t!("profile.title")}</a>
            </Notice>
        </div>
    }
    .into_any()
}

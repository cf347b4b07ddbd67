//! A template to begin with, and a time to leave at.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::templates::TemplateRow;

use super::Composer;
use crate::dates;
use crate::queries::templates::fill_template;
use crate::queries::templates::use_templates;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::keys;
use crate::ui::menu::Menu;
use crate::ui::menu::MenuItem;
use crate::ui::menu::Opens;
use crate::widgets::problem::toast_problem;

/// The button of the templates; none where there are none.
#[component]
pub(super) fn TemplateMenu(composer: Composer) -> AnyView {
    let templates = use_templates();
    let rows = Memo::new(move |_| templates.data().unwrap_or_default());
    view! {
        {move || {
            let list = StoredValue::new(rows.get());
            (!composer.is_note() && list.with_value(|it| !it.is_empty())).then(|| view! {
                <Menu
                    class="btn btn--ghost btn--icon"
                    opens=Opens::UpRight
                    label=t!("templates.use")
                    trigger=view! { <Icon glyph=Glyph::Record/> }.into_any()
                >
                    {list
                        .get_value()
                        .into_iter()
                        .map(|row| {
                            let name = row.content.name.clone();
                            view! { <MenuItem text=name on_press=move |()| choose(composer, row.clone())/> }
                        })
                        .collect_view()}
                </Menu>
            })
        }}
    }
    .into_any()
}

/// Puts a filled template in front of what is written.
fn choose(composer: Composer, row: TemplateRow) {
    spawn_local(async move {
        let Some(record) = composer.record.try_get_value() else { return };
        match fill_template(record, &row.id).await {
            Ok(it) => {
                let has_subject = !it.subject.is_empty();
                composer.draft.update(|draft| draft.begin_with(&it.subject, &it.text));
                if has_subject {
                    composer.rows.update(|it| it[3] = true);
                }
                request_animation_frame(|| keys::focus(".composer-text"));
            }
            Err(error) => toast_problem(composer.toasts, &error),
        }
    });
}

/// The row with the time, once it is asked for.
#[component]
pub(super) fn LaterRow(composer: Composer) -> AnyView {
    let at = move || composer.draft.with(|it| it.send_at).map(dates::to_local).unwrap_or_default();
    view! {
        <div class="cc-row" hidden=move || composer.is_note() || !composer.later.get()>
            <label for="composer-later">{t!("composer.later.at")}</label>
            <input
                id="composer-later"
                type="datetime-local"
                name="send-at"
                prop:value=at
                on:change=move |event| {
                    let at = dates::from_local(&event_target_value(&event));
                    composer.draft.update(|it| it.send_at = at);
                }
            />
            <Button
                kind=Kind::Ghost
                small=true
                icon=Glyph::Close
                label=t!("composer.later.off")
                on_press=move |()| {
                    composer.later.set(false);
                    composer.draft.update(|it| it.send_at = None);
                }
            />
        </div>
    }
    .into_any()
}

//! `@` calls a colleague: a list above the text, by keyboard or pointer.

use leptos::html;
use leptos::prelude::*;
use mailroom_shared::api::session::UserRow;
use web_sys::KeyboardEvent;

use super::Composer;
use crate::model::composer;
use crate::t;
use crate::ui::avatar::Avatar;
use crate::ui::avatar::Side;

#[derive(Clone, Copy)]
pub(super) struct Mentions {
    composer: Composer,
    text: NodeRef<html::Textarea>,
    /// Where the `@` stands, where the caret is, and what is typed of the name.
    typed: RwSignal<Option<(usize, usize, String)>>,
    cursor: RwSignal<usize>,
}

/// What the browser counts in UTF-16 units, in characters.
fn chars_before(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    text.chars()
        .take_while(|c| {
            let n = c.len_utf16();
            let fits = left >= n;
            left = left.saturating_sub(n);
            fits
        })
        .count()
}

impl Mentions {
    pub(super) fn new(composer: Composer, text: NodeRef<html::Textarea>) -> Self {
        Self { composer, text, typed: RwSignal::new(None), cursor: RwSignal::new(0) }
    }

    fn found(self) -> Vec<UserRow> {
        let Some((_, _, typed)) = self.typed.get() else { return Vec::new() };
        let users = self.composer.users.data().unwrap_or_default();
        users.into_iter().filter(|it| composer::matches(&typed, &it.name, it.email.as_str())).take(6).collect()
    }

    /// Looks whether the caret stands behind an `@name`.
    pub(super) fn look(self) {
        let Some(text) = self.text.get_untracked() else { return };
        let value = text.value();
        let caret = chars_before(&value, text.selection_start().ok().flatten().unwrap_or(0));
        let typed = composer::mention_at(&value, caret).map(|(start, typed)| (start, caret, typed));
        if self.typed.get_untracked() != typed {
            self.cursor.set(0);
            self.typed.set(typed);
        }
    }

    /// The `@` button.
    pub(super) fn begin(self) {
        let Some(text) = self.text.get_untracked() else { return };
        let _ = text.focus();
        let value = text.value();
        let caret = chars_before(&value, text.selection_start().ok().flatten().unwrap_or(0));
        let before: String = value.chars().take(caret).collect();
        let after: String = value.chars().skip(caret).collect();
        let space = if before.is_empty() || before.ends_with(char::is_whitespace) { "" } else { " " };
        let next = format!("{before}{space}@{after}");
        self.put(&next, caret + space.len() + 1);
        self.look();
    }

    fn put(self, value: &str, caret: usize) {
        let units: usize = value.chars().take(caret).map(char::len_utf16).sum();
        self.composer.draft.update(|it| value.clone_into(&mut it.now_mut().text));
        if let Some(text) = self.text.get_untracked() {
            text.set_value(value);
            let units = u32::try_from(units).unwrap_or(u32::MAX);
            let _ = text.set_selection_range(units, units);
            let _ = text.focus();
        }
    }

    fn choose(self, user: &UserRow) {
        let Some((start, caret, _)) = self.typed.get_untracked() else { return };
        let value = self.composer.draft.with_untracked(|it| it.now().text.clone());
        let (value, caret) = composer::insert_mention(&value, start, caret, &user.name);
        self.composer.draft.update(|it| {
            let mentions = &mut it.now_mut().mentions;
            if mentions.iter().all(|(id, _)| *id != user.contact) {
                mentions.push((user.contact.clone(), user.name.clone()));
            }
        });
        self.typed.set(None);
        self.put(&value, caret);
    }

    /// Keys of the list while it is open.
    pub(super) fn take_key(self, event: &KeyboardEvent) -> bool {
        let found = untrack(move || self.found());
        if found.is_empty() {
            return false;
        }
        let last = found.len() - 1;
        match event.key().as_str() {
            "ArrowDown" => self.cursor.update(|it| *it = if *it >= last { 0 } else { *it + 1 }),
            "ArrowUp" => self.cursor.update(|it| *it = it.checked_sub(1).unwrap_or(last)),
            "Enter" | "Tab" if !event.ctrl_key() && !event.meta_key() => {
                if let Some(user) = found.get(self.cursor.get_untracked()) {
                    self.choose(user);
                }
            }
            "Escape" => self.typed.set(None),
            _ => return false,
        }
        true
    }

    /// A press on the list takes the focus first, so closing waits for it.
    pub(super) fn close_soon(self) {
        set_timeout(
            move || {
                // The focus may be back in the text already.
                let text = self.text.try_get_untracked().flatten();
                let here = text.is_some_and(|it| document().active_element().is_some_and(|now| now == **it));
                if !here {
                    let _ = self.typed.try_set(None);
                }
            },
            std::time::Duration::from_millis(150),
        );
    }
}

#[component]
pub(super) fn MentionList(mentions: Mentions) -> AnyView {
    let found = Memo::new(move |_| mentions.found());
    view! {
        {move || {
            let users = found.get();
            (!users.is_empty()).then(|| view! {
                <div class="menu mention-list" role="listbox" aria-label=t!("composer.mention")>
                    {users
                        .into_iter()
                        .enumerate()
                        .map(|(i, user)| {
                            let name = user.name.clone();
                            let email = user.email.to_string();
                            view! {
                                <div
                                    class="menu-item"
                                    class:is-active=move || mentions.cursor.get() == i
                                    role="option"
                                    aria-selected=move || if mentions.cursor.get() == i { "true" } else { "false" }
                                    on:mousedown=move |event| {
                                        event.prevent_default();
                                        mentions.choose(&user);
                                    }
                                >
                                    <Avatar name=name.clone() side=Side::Us small=true/>
                                    <span class="trunc">{name}<small class="trunc">{email}</small></span>
                                </div>
                            }
                        })
                        .collect_view()}
                </div>
            })
        }}
    }
    .into_any()
}

//! Files of a draft: by button, drag or paste, uploaded at once with progress.

use leptos::prelude::*;
use leptos::task::spawn_local;
use mailroom_shared::api::messages::PostMode;
use mailroom_shared::id::AttachmentId;
use web_sys::FileList;

use super::Composer;
use crate::api;
use crate::model::text;
use crate::t;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::widgets::attachments;
use crate::widgets::problem::problem_text;

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Upload {
    id: u32,
    name: String,
    percent: u32,
    failed: Option<String>,
}

#[derive(Clone, Copy)]
pub(super) struct Uploads {
    composer: Composer,
    all: RwSignal<Vec<Upload>>,
    last: StoredValue<u32>,
}

impl Uploads {
    pub(super) fn new(composer: Composer) -> Self {
        Self { composer, all: RwSignal::new(Vec::new()), last: StoredValue::new(0) }
    }

    /// Something is on its way: sending waits for it.
    pub(super) fn is_busy(self) -> bool {
        self.all.with(|all| all.iter().any(|it| it.failed.is_none()))
    }

    pub(super) fn add(self, files: Option<FileList>) {
        let Some(files) = files else { return };
        for file in (0..files.length()).filter_map(|i| files.item(i)) {
            self.upload(file);
        }
    }

    fn upload(self, file: web_sys::File) {
        let id = self.last.get_value() + 1;
        self.last.set_value(id);
        // The mode may change while it uploads; the file stays with the text it was put to.
        let mode = self.composer.draft.with_untracked(|it| it.mode);
        self.all.update(|all| all.push(Upload { id, name: file.name(), percent: 0, failed: None }));
        spawn_local(async move {
            let answer = api::upload(file, move |percent| self.change(id, |it| it.percent = percent)).await;
            match answer {
                Ok(done) => {
                    let _ = self.all.try_update(|all| all.retain(|it| it.id != id));
                    let _ = self.composer.draft.try_update(|draft| match mode {
                        PostMode::Message => draft.message.attachments.push(done),
                        PostMode::Note => draft.note.attachments.push(done),
                    });
                }
                Err(error) => self.change(id, |it| it.failed = Some(problem_text(&error))),
            }
        });
    }

    fn change(self, id: u32, change: impl FnOnce(&mut Upload)) {
        let _ = self.all.try_update(|all| {
            if let Some(upload) = all.iter_mut().find(|it| it.id == id) {
                change(upload);
            }
        });
    }

    fn forget(self, id: u32) {
        self.all.update(|all| all.retain(|it| it.id != id));
    }
}

#[component]
pub(super) fn FileChips(composer: Composer, uploads: Uploads) -> AnyView {
    let any =
        move || uploads.all.with(|it| !it.is_empty()) || composer.draft.with(|it| !it.now().attachments.is_empty());
    let remove = move |id: &AttachmentId| {
        composer.draft.update(|it| it.now_mut().attachments.retain(|file| file.id != *id));
    };
    view! {
        {move || any().then(|| view! {
            <div class="composer-files">
                {composer
                    .draft
                    .with(|it| it.now().attachments.clone())
                    .into_iter()
                    .map(|file| {
                        let label = t!("composer.file.remove", name = file.name);
                        let id = file.id.clone();
                        view! {
                            <span class="att" title=file.name.clone()>
                                <Icon glyph=attachments::glyph(&file)/>
                                <span class="trunc">{text::paragraphs(&file.name).join(" ")}</span>
                                <span class="muted num">{attachments::size(&file)}</span>
                                <button type="button" class="btn btn--ghost btn--sm btn--icon" aria-label=label on:click=move |_| remove(&id)>
                                    <Icon glyph=Glyph::Close/>
                                </button>
                            </span>
                        }
                    })
                    .collect_view()}
                {uploads
                    .all
                    .get()
                    .into_iter()
                    .map(|it| {
                        let label = t!("composer.file.remove", name = it.name);
                        let is_bad = it.failed.is_some();
                        view! {
                            <span class="att" class:is-bad=is_bad role="status" title=it.failed.clone()>
                                <Icon glyph=if is_bad { Glyph::Alert } else { Glyph::File }/>
                                <span class="trunc">{it.name.clone()}</span>
                                {if is_bad {
                                    view! {
                                        <button type="button" class="btn btn--ghost btn--sm btn--icon" aria-label=label on:click=move |_| uploads.forget(it.id)>
                                            <Icon glyph=Glyph::Close/>
                                        </button>
                                    }
                                    .into_any()
                                } else {
                                    view! { <span class="muted num">{format!("{} %", it.percent)}</span> }.into_any()
                                }}
                                <i style=format!("--v:{}%", it.percent)></i>
                            </span>
                        }
                    })
                    .collect_view()}
            </div>
        })}
    }
    .into_any()
}

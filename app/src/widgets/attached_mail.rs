//! A mail that came as a file, opened as a message.

use leptos::prelude::*;
use mailroom_shared::address::Mailbox;
use mailroom_shared::api::messages::BodyView;
use mailroom_shared::api::records::AttachmentView;

use super::attachments::size;
use super::html_frame::HtmlFrame;
use crate::dates;
use crate::queries::incoming::use_attached_mail;
use crate::queries::messages::attachment_address;
use crate::t;
use crate::ui::dialog::Dialog;
use crate::ui::dialog::DialogHead;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;
use crate::ui::skeleton::SkeletonList;
use crate::widgets::problem::ProblemBlank;

/// The chip of the file; a press opens it.
#[component]
pub(super) fn AttachedMail(file: AttachmentView) -> AnyView {
    let open = RwSignal::new(false);
    let (name, title) = (file.name.clone(), file.name.clone());
    let size = size(&file);
    let file = StoredValue::new(file);
    view! {
        <button type="button" class="att" title=title on:click=move |_| open.set(true)>
            <Icon glyph=Glyph::Envelope(crate::model::envelope::EnvelopeGlyph::Plain)/>
            <span class="trunc">{name}</span>
            <span class="muted num">{size}</span>
        </button>
        {move || open.get().then(|| view! {
            <Dialog on_close=move |()| open.set(false)><Mail file=file.get_value()/></Dialog>
        })}
    }
    .into_any()
}

#[component]
fn Mail(file: AttachmentView) -> AnyView {
    let mail = use_attached_mail(file.id.as_str());
    let title = Signal::derive({
        let name = file.name.clone();
        move || mail.data().map(|it| it.subject).filter(|it| !it.is_empty()).unwrap_or_else(|| name.clone())
    });
    let full = |all: &[Mailbox]| all.iter().map(Mailbox::display).collect::<Vec<_>>().join(", ");
    let href = attachment_address(file.id.as_str());
    view! {
        <DialogHead title focus=true/>
        <div class="dialog-body">
            {move || {
                let state = mail.state.get();
                match (state.data, state.problem) {
                    (None, None) => view! { <SkeletonList/> }.into_any(),
                    (None, Some(error)) => view! { <ProblemBlank error on_retry=move |()| mail.retry()/> }.into_any(),
                    (Some(it), _) => {
                        let lines = [
                            (t!("message.details.from"), full(&it.from)),
                            (t!("message.details.to"), full(&it.to)),
                            (t!("message.details.cc"), full(&it.cc)),
                            (t!("message.details.date"), it.date.map(|at| dates::format(at, dates::Style::Full)).unwrap_or_default()),
                            (t!("record.files"), it.files.join(", ")),
                        ];
                        let body = match it.html {
                            Some(html) => {
                                let body = BodyView { html, folded: None, has_remote_images: false };
                                view! { <HtmlFrame body images=false on_ready=|()| ()/> }.into_any()
                            }
                            None => view! { <pre class="mail-text">{it.text}</pre> }.into_any(),
                        };
                        view! {
                            <dl class="msg-details">
                                {lines
                                    .into_iter()
                                    .filter(|(_, value)| !value.is_empty())
                                    .map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> })
                                    .collect_view()}
                            </dl>
                            {body}
                        }
                        .into_any()
                    }
                }
            }}
        </div>
        <footer class="dialog-foot">
            <a class="btn push" href=href download=file.name.clone() rel="external"><Icon glyph=Glyph::Download/>{t!("incoming.download")}</a>
        </footer>
    }
    .into_any()
}

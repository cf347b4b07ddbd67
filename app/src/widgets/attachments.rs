//! Files of a message or record.

use leptos::prelude::*;
use mailroom_shared::api::records::AttachmentView;

use super::attached_mail::AttachedMail;
use crate::dates;
use crate::model::text;
use crate::queries::messages::attachment_address;
use crate::ui::icon::Glyph;
use crate::ui::icon::Icon;

/// The icon of a file.
pub fn glyph(file: &AttachmentView) -> Glyph {
    if file.content_type.starts_with("image/") { Glyph::Image } else { Glyph::File }
}

/// `212 KB`.
pub fn size(file: &AttachmentView) -> String {
    text::size(file.size, dates::decimal())
}

/// A file of a message; a mail that came as a file is opened, not saved.
#[component]
pub fn Attachment(file: AttachmentView) -> AnyView {
    if file.content_type == "message/rfc822" || file.name.to_ascii_lowercase().ends_with(".eml") {
        return view! { <AttachedMail file/> }.into_any();
    }
    view! {
        <a class="att" href=attachment_address(file.id.as_str()) download=file.name.clone() rel="external" title=file.name.clone()>
            <Icon glyph=glyph(&file)/>
            <span class="trunc">{file.name.clone()}</span>
            <span class="muted num">{size(&file)}</span>
        </a>
    }
    .into_any()
}

/// A line of the record's list of files.
#[component]
pub fn FileLine(file: AttachmentView) -> AnyView {
    view! {
        <li>
            <a class="file" href=attachment_address(file.id.as_str()) download=file.name.clone() rel="external" title=file.name.clone()>
                <Icon glyph=glyph(&file)/>
                <span class="trunc">{file.name.clone()}</span>
                <span class="sz">{size(&file)}</span>
            </a>
        </li>
    }
    .into_any()
}

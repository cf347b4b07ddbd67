//! Rail counts and whether mail flows.

use leptos::prelude::*;
use mailroom_shared::api::shell::ReadShell;
use mailroom_shared::api::shell::Shell;
use mailroom_shared::api::shell::TypeRow;
use mailroom_shared::api::tag;

use super::Read;
use super::read;
use crate::api;
use crate::i18n;

/// The shell's data, shared by all pages.
#[derive(Clone, Copy)]
pub struct ShellData(pub Read<Shell>);

pub fn provide_shell() -> Read<Shell> {
    let shell = read::<ReadShell>(vec![tag::SHELL.to_owned()], || Some(api::address::<ReadShell>(&[], &())));
    provide_context(ShellData(shell));
    shell
}

/// Record types; empty until they are read.
pub fn use_types() -> Memo<Vec<TypeRow>> {
    let shell = use_context::<ShellData>();
    Memo::new(move |_| shell.and_then(|it| it.0.data()).map(|it| it.types).unwrap_or_default())
}

/// One of a type, in the reader's language when it is a built-in one.
pub fn one_of(row: &TypeRow) -> String {
    i18n::try_text(&format!("type.{}.one", row.name), &[]).unwrap_or_else(|| row.label.clone())
}

/// Many of a type.
pub fn many_of(row: &TypeRow) -> String {
    i18n::try_text(&format!("type.{}.other", row.name), &[]).unwrap_or_else(|| row.label_plural.clone())
}

/// A stage, in the reader's language when it is a built-in one.
pub fn stage_label(stage: &str) -> String {
    let key = stage.to_ascii_lowercase().replace(' ', "_");
    i18n::try_text(&format!("stage.{key}"), &[]).unwrap_or_else(|| stage.to_owned())
}

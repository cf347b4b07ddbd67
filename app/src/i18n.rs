//! Texts of the page in the language of the reader.
//!
//! The language is one signal for the whole page, outside the context tree, because errors and toasts are worded in
//! tasks that have no owner. A change of language builds the page anew, so texts are plain strings rather than a
//! closure each: several hundred effects less to ship and to run.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use mailroom_shared::i18n::Catalogue;
use mailroom_shared::i18n::Lang;

use crate::api;
use crate::api::ApiError;
use crate::json;
use crate::json::Json;

thread_local! {
    static LANG: ArcRwSignal<Lang> = ArcRwSignal::new(Lang::default());
    static CATALOGUE: RefCell<Rc<Catalogue>> = RefCell::default();
}

fn signal() -> ArcRwSignal<Lang> {
    LANG.with(Clone::clone)
}

fn catalogue() -> Rc<Catalogue> {
    CATALOGUE.with(|it| Rc::clone(&it.borrow()))
}

/// The language; tracked.
pub fn lang() -> Lang {
    signal().get()
}

/// The language; not tracked.
pub fn lang_now() -> Lang {
    signal().get_untracked()
}

/// Changes the language once its catalogue is there, on `<html lang>` too; kept for the next visit, before anybody is
/// logged in.
///
/// # Errors
/// The catalogue can't be had; the language stays.
pub async fn set_lang(lang: Lang) -> Result<(), ApiError> {
    if CATALOGUE.with(|it| it.borrow().lang() != lang || !it.borrow().has("app.name")) {
        let json = api::asset(&address(lang)).await?;
        let Ok(Json::Object(fields)) = json::parse(&json) else {
            return Err(ApiError::Decode("catalogue".to_owned()));
        };
        let texts = fields.into_iter().filter_map(|(key, text)| match text {
            Json::Text(text) => Some((key, text)),
            _ => None,
        });
        CATALOGUE.with(|it| *it.borrow_mut() = Rc::new(Catalogue::new(lang, texts.collect())));
    }
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("lang", lang.code());
    }
    crate::theme::store("mailroom-language", lang.code());
    if lang_now() != lang {
        signal().set(lang);
    }
    Ok(())
}

/// The build names the files of the catalogues in the head of the page.
fn address(lang: Lang) -> String {
    let found = document().query_selector(&format!("meta[name=texts-{}]", lang.code())).ok().flatten();
    found.and_then(|it| it.get_attribute("content")).unwrap_or_default()
}

/// The language that the small script before the first paint found: the last one used, else the browser's.
///
/// # Errors
/// As [`set_lang`].
pub async fn start() -> Result<(), ApiError> {
    let code = document().document_element().and_then(|it| it.get_attribute("lang")).unwrap_or_default();
    set_lang(Lang::of(&code)).await
}

/// The text of a key; [`t!`](crate::t) is the short form.
pub fn text(key: &str, args: &[(&str, &str)]) -> String {
    catalogue().text(key, args)
}

/// The text of a key that counts; [`tn!`](crate::tn) is the short form.
pub fn count(key: &str, n: i64, args: &[(&str, &str)]) -> String {
    catalogue().count(key, n, args)
}

/// The text of a key that may be missing: names that come from outside.
pub fn try_text(key: &str, args: &[(&str, &str)]) -> Option<String> {
    let catalogue = catalogue();
    catalogue.has(key).then(|| catalogue.text(key, args))
}

/// `t!("page.element.state")`, `t!("…", name = value)`.
#[macro_export]
macro_rules! t {
    ($key:expr) => { $crate::i18n::text($key, &[]) };
    ($key:expr, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::i18n::text($key, &[$((stringify!($name), &*$value.to_string())),+])
    };
}

/// `tn!("page.element", n)`: the text for a number, `{n}` in it.
#[macro_export]
macro_rules! tn {
    ($key:expr, $n:expr) => { $crate::i18n::count($key, i64::try_from($n).unwrap_or(i64::MAX), &[]) };
    ($key:expr, $n:expr, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::i18n::count($key, i64::try_from($n).unwrap_or(i64::MAX), &[$((stringify!($name), &*$value.to_string())),+])
    };
}

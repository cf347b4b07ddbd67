//! One catalogue of texts for the page and for outgoing mail. A language is a file `locales/<code>.json`: a flat map
//! from key to text with `{name}` placeholders. A key that counts has two entries, `key.one` and `key.other`.
//!
//! Own code instead of a Fluent library: the page is paid for by every visitor in bytes, and two plural forms are all
//! that these languages need. A language that needs more adds its rule to [`Lang::plural`].

/// A language there is a catalogue for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    #[default]
    En,
    Vi,
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::En, Self::Vi];

    /// BCP 47 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Vi => "vi",
        }
    }

    /// The language of a code, English for one without a catalogue.
    pub fn of(code: &str) -> Self {
        Self::ALL.into_iter().find(|it| code.starts_with(it.code())).unwrap_or_default()
    }

    /// Its own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Vi => "Tiếng Việt",
        }
    }

    /// CLDR plural category of a whole number.
    pub const fn plural(self, n: i64) -> &'static str {
        match self {
            Self::En if n == 1 => "one",
            Self::En | Self::Vi => "other",
        }
    }

    #[cfg(feature = "locales")]
    const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../locales/en.json"),
            Self::Vi => include_str!("../locales/vi.json"),
        }
    }
}

/// The texts of one language.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    lang: Lang,
    /// Sorted by key.
    texts: Vec<(String, String)>,
}

impl Catalogue {
    /// Reads a language's file. A broken file is an empty catalogue; a test keeps them whole.
    #[cfg(feature = "locales")]
    pub fn load(lang: Lang) -> Self {
        Self::read(lang, lang.source())
    }

    /// Reads texts of another file in the same form.
    #[cfg(feature = "locales")]
    pub fn read(lang: Lang, source: &str) -> Self {
        let texts: std::collections::HashMap<_, _> = serde_json::from_str(source).unwrap_or_default();
        Self::new(lang, texts.into_iter().collect())
    }

    /// A catalogue that was read elsewhere.
    pub fn new(lang: Lang, mut texts: Vec<(String, String)>) -> Self {
        texts.sort_unstable();
        Self { lang, texts }
    }

    pub fn lang(&self) -> Lang {
        self.lang
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&str> {
        let at = self.texts.binary_search_by(|(it, _)| it.as_str().cmp(key)).ok()?;
        self.texts.get(at).map(|(_, text)| text.as_str())
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|(key, _)| key.as_str())
    }

    /// The text of a key with its placeholders filled; the key itself when there is none, so that a gap is seen.
    pub fn text(&self, key: &str, args: &[(&str, &str)]) -> String {
        let Some(template) = self.get(key) else { return key.to_owned() };
        fill(template, args)
    }

    /// The text of a counting key; `{n}` is the number.
    pub fn count(&self, key: &str, n: i64, args: &[(&str, &str)]) -> String {
        let number = n.to_string();
        let mut all = vec![("n", number.as_str())];
        all.extend_from_slice(args);
        let exact = format!("{key}.{}", self.lang.plural(n));
        let key = if self.has(&exact) { exact } else { format!("{key}.other") };
        self.text(&key, &all)
    }
}

fn fill(template: &str, args: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        if let Some((name, tail)) = after.split_once('}') {
            if let Some((_, value)) = args.iter().find(|(it, _)| *it == name) {
                out.push_str(value);
            } else {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
            rest = tail;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(all(test, feature = "locales"))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|it| it.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn languages_have_the_same_keys_and_placeholders() {
        let english = Catalogue::load(Lang::En);
        assert!(english.texts.len() > 20, "the catalogue can be read");
        let singular = |key: &str| key.rsplit('.').next() == Some("one");
        for lang in Lang::ALL {
            let other = Catalogue::load(lang);
            let missing: Vec<_> = english.keys().filter(|it| !singular(it) && !other.has(it)).collect();
            let extra: Vec<_> = other.keys().filter(|it| !singular(it) && !english.has(it)).collect();
            assert!(missing.is_empty() && extra.is_empty(), "{lang:?}: missing {missing:?}, extra {extra:?}");
            for (key, text) in &other.texts {
                let Some(ours) = english.get(key) else { continue };
                assert_eq!(placeholders(ours), placeholders(text), "{lang:?} {key}");
            }
        }
    }

    #[test]
    fn placeholders_are_filled_once() {
        assert_eq!(fill("{a} and {b}, {c} {", &[("a", "{b}"), ("b", "2")]), "{b} and 2, {c} {");
    }
}

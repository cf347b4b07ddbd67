//! Reads what the Worker answers, and what the page itself kept.
//!
//! Not by `serde_json` (which writes what is sent, and is the oracle of the tests here): that compiles its parser anew for
//! every type, with a path for structs written as lists and with prose for every kind of error, numbers included. It was
//! a sixth of the page's bytes. Here a text becomes [`Json`], and that is taken apart as objects, lists and plain values.
//! The wire has no fractions; a text with one is not read.

use std::fmt;
use std::vec::IntoIter;

use serde::de;
use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Visitor;

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Why a text is not what was expected: the field that is missing, or what kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

/// Reads a text.
///
/// # Errors
/// It is no JSON, or not of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    T::deserialize(parse(text)?)
}

/// # Errors
/// It is no JSON, or nests deeper than 64.
pub fn parse(text: &str) -> Result<Json, Unreadable> {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value(0)?;
    parser.blanks();
    if parser.at == text.len() { Ok(value) } else { Err(NO_JSON) }
}

const NO_JSON: Unreadable = Unreadable("json");
const MAX_DEPTH: u32 = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Steps over blanks and this byte, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        self.blanks();
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    fn needs(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.takes(byte) { Ok(()) } else { Err(NO_JSON) }
    }

    fn value(&mut self, depth: u32) -> Result<Json, Unreadable> {
        self.blanks();
        match self.peek() {
            b'{' | b'[' if depth == MAX_DEPTH => Err(NO_JSON),
            b'{' => {
                self.at += 1;
                let mut fields = Vec::new();
                if self.takes(b'}') {
                    return Ok(Json::Object(fields));
                }
                loop {
                    self.needs(b'"')?;
                    let name = self.string()?;
                    self.needs(b':')?;
                    fields.push((name, self.value(depth + 1)?));
                    if !self.takes(b',') {
                        break;
                    }
                }
                self.needs(b'}')?;
                Ok(Json::Object(fields))
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                if self.takes(b']') {
                    return Ok(Json::List(items));
                }
                loop {
                    items.push(self.value(depth + 1)?);
                    if !self.takes(b',') {
                        break;
                    }
                }
                self.needs(b']')?;
                Ok(Json::List(items))
            }
            b'"' => {
                self.at += 1;
                self.string().map(Json::Text)
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
                let rest = self.text.get(self.at..).unwrap_or_default();
                let (word, value) = words.into_iter().find(|(it, _)| rest.starts_with(it)).ok_or(NO_JSON)?;
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn number(&mut self) -> Result<Json, Unreadable> {
        let start = self.at;
        self.at += 1;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if matches!(self.peek(), b'.' | b'e' | b'E')
            || digits.trim_start_matches('-').starts_with('0') && digits.len() > 1
        {
            return Err(NO_JSON);
        }
        digits.parse().map(Json::Int).map_err(|_| NO_JSON)
    }

    /// The rest of a string, behind its first quote.
    fn string(&mut self) -> Result<String, Unreadable> {
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).unwrap_or_default());
            let end = self.peek();
            self.at += 1;
            match end {
                b'"' => return Ok(out),
                b'\\' => out.push(self.escape()?),
                _ => return Err(NO_JSON),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Unreadable> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    let is_pair = self.text.get(self.at..self.at + 2) == Some("\\u");
                    self.at += 2;
                    let second = self.hex()?;
                    if !is_pair || !(0xdc00..0xe000).contains(&second) {
                        return Err(NO_JSON);
                    }
                    0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or(NO_JSON)?
            }
            _ => return Err(NO_JSON),
        })
    }

    fn hex(&mut self) -> Result<u32, Unreadable> {
        let digits = self.text.get(self.at..self.at + 4).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        self.at += 4;
        u32::from_str_radix(digits.ok_or(NO_JSON)?, 16).map_err(|_| NO_JSON)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unreadable {}

impl de::Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("value")
    }
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self("type")
    }
    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self("value")
    }
    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self("length")
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self("variant")
    }
    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self("field")
    }
    fn missing_field(field: &'static str) -> Self {
        Self(field)
    }
    fn duplicate_field(field: &'static str) -> Self {
        Self(field)
    }
}

const WRONG: Unreadable = Unreadable("type");

/// All numbers are read in one way, all texts in another.
macro_rules! alike {
    ($($name:ident)* => $this:ident, $visitor:ident, $do:expr) => {$(
        fn $name<V: Visitor<'de>>(self, $visitor: V) -> Result<V::Value, Unreadable> {
            let $this = self;
            $do
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Json {
    type Error = Unreadable;

    alike! { deserialize_any => it, visitor, match it {
        Self::Null => visitor.visit_unit(),
        Self::Bool(it) => visitor.visit_bool(it),
        Self::Int(it) => visitor.visit_i64(it),
        Self::Text(it) => visitor.visit_string(it),
        Self::List(it) => visitor.visit_seq(Items(it.into_iter())),
        Self::Object(it) => visitor.visit_map(Fields(it.into_iter(), None)),
    } }
    alike! { deserialize_bool => it, visitor, match it {
        Self::Bool(it) => visitor.visit_bool(it),
        _ => Err(WRONG),
    } }
    alike! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 => it, visitor, match it {
            Self::Int(it) => visitor.visit_i64(it),
            _ => Err(WRONG),
        }
    }
    alike! { deserialize_char deserialize_str deserialize_string deserialize_identifier => it, visitor, match it {
        Self::Text(it) => visitor.visit_string(it),
        _ => Err(WRONG),
    } }
    alike! { deserialize_bytes deserialize_byte_buf deserialize_f32 deserialize_f64 => _it, _visitor, Err(WRONG) }
    alike! { deserialize_option => it, visitor, match it {
        Self::Null => visitor.visit_none(),
        it => visitor.visit_some(it),
    } }
    alike! { deserialize_unit => it, visitor, match it {
        Self::Null => visitor.visit_unit(),
        _ => Err(WRONG),
    } }
    alike! { deserialize_ignored_any => _it, visitor, visitor.visit_unit() }
    alike! { deserialize_seq => it, visitor, match it {
        Self::List(it) => visitor.visit_seq(Items(it.into_iter())),
        _ => Err(WRONG),
    } }
    alike! { deserialize_map => it, visitor, match it {
        Self::Object(it) => visitor.visit_map(Fields(it.into_iter(), None)),
        _ => Err(WRONG),
    } }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_unit(visitor)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_seq(visitor)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.deserialize_seq(visitor)
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.deserialize_map(visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        match self {
            Self::Text(name) => visitor.visit_enum(Variant(name, Self::Null)),
            Self::Object(fields) => match fields.into_iter().next() {
                Some((name, value)) => visitor.visit_enum(Variant(name, value)),
                None => Err(WRONG),
            },
            _ => Err(WRONG),
        }
    }
}

struct Items(IntoIter<Json>);

impl<'de> de::SeqAccess<'de> for Items {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        self.0.next().map(|it| seed.deserialize(it)).transpose()
    }
}

struct Fields(IntoIter<(String, Json)>, Option<Json>);

impl<'de> de::MapAccess<'de> for Fields {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some((key, value)) = self.0.next() else { return Ok(None) };
        self.1 = Some(value);
        seed.deserialize(Json::Text(key)).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        seed.deserialize(self.1.take().unwrap_or(Json::Null))
    }
}

/// A variant's name and what it holds, null for nothing.
struct Variant(String, Json);

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = Unreadable;
    type Variant = Json;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Json), Unreadable> {
        Ok((seed.deserialize(Json::Text(self.0))?, self.1))
    }
}

impl<'de> de::VariantAccess<'de> for Json {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        if self == Self::Null { Ok(()) } else { Err(WRONG) }
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unreadable> {
        seed.deserialize(self)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        de::Deserializer::deserialize_seq(self, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unreadable> {
        de::Deserializer::deserialize_map(self, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Plain,
        Held(u8),
        Full { at: i64 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        name: String,
        count: u32,
        when: i64,
        open: Option<bool>,
        #[serde(default)]
        late: Vec<Shape>,
        map: BTreeMap<String, Option<u8>>,
        pair: (i8, String),
        nothing: (),
    }

    /// Reads as serde_json does.
    fn check<T: DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
        assert_eq!(read::<T>(text).ok(), serde_json::from_str::<T>(text).ok(), "{text}");
    }

    #[test]
    fn texts_are_read_as_serde_json_reads_them() {
        let whole = r#"{"name":"Đặng \"A\" \u00e9","count":4294967295,"when":-5,"open":null,"extra":{"a":[1,{}]},
            "late":["plain",{"held":7},{"full":{"at":9007199254740993}}],"map":{"x":null,"y":3},"pair":[-1,"b"],"nothing":null}"#;
        assert!(read::<Thing>(whole).is_ok());
        check::<Thing>(whole);
        check::<Thing>(&whole.replace("\"late\"", "\"other\""));
        check::<Thing>(&whole.replace("4294967295", "4294967296"));
        check::<Thing>(&whole.replace("-5", "\"x\""));
        check::<Thing>(&whole.replace("\"plain\"", "\"unheard\""));
        check::<Thing>(&whole.replace("\"pair\"", "\"pear\""));
        check::<Thing>("{");
        check::<Option<Vec<u16>>>("[1,2,70000]");
        check::<Option<Vec<u16>>>("null");
        check::<String>(r#""\\ud83d\\ude00 \\ud83d""#);
        check::<String>(r#""\\ud83d\\ude00 \\\" \\/ \\b\\f\\n\\r\\t 😀""#);
        check::<Option<Vec<i64>>>(" [ 0 , 12,\t-9223372036854775808 ] ");
        for broken in [
            "[01]",
            "[1,]",
            "[1 2]",
            "[--1]",
            "[1]x",
            "[",
            "[\"a\nb\"]",
            "[+1]",
            "{\"a\":1,}",
            "\"\\u12\"",
            "\"\\x\"",
            "tru",
            "",
        ] {
            assert!(parse(broken).is_err(), "{broken}");
            assert!(serde_json::from_str::<serde_json::Value>(broken).is_err(), "{broken}");
        }
        assert!(parse(&format!("{}{}", "[".repeat(65), "]".repeat(65))).is_err());
        check::<()>("null");
        check::<String>("\"\"");
        check::<bool>("true");
    }

    #[test]
    fn an_error_names_the_field() {
        assert_eq!(read::<Thing>("{}"), Err(Unreadable("name")));
    }
}

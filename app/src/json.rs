//! Reads what the Worker answers, and what the page itself kept.
//!
//! `serde_json` parses; what it parsed is then taken apart by a reader that knows objects, lists and plain values only.
//! Reading straight into a type compiles serde_json's parser anew for each of them, with a path for structs written as
//! lists and with prose for every kind of error: a sixth of the page's bytes, of which it needs nothing.

use std::fmt;
use std::vec::IntoIter;

use serde::de;
use serde::de::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::Visitor;

/// A parsed text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
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
/// It is no JSON.
pub fn parse(text: &str) -> Result<Json, Unreadable> {
    serde_json::from_str(text).map_err(|_| Unreadable("json"))
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

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, it: bool) -> Result<Json, E> {
        Ok(Json::Bool(it))
    }
    fn visit_i64<E>(self, it: i64) -> Result<Json, E> {
        Ok(Json::Int(it))
    }
    fn visit_u64<E>(self, it: u64) -> Result<Json, E> {
        Ok(i64::try_from(it).map_or(Json::Float(it as f64), Json::Int))
    }
    fn visit_f64<E>(self, it: f64) -> Result<Json, E> {
        Ok(Json::Float(it))
    }
    fn visit_str<E>(self, it: &str) -> Result<Json, E> {
        Ok(Json::Text(it.to_owned()))
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut all: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = all.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut all: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = all.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyJson)
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
        Self::Float(it) => visitor.visit_f64(it),
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
    alike! { deserialize_f32 deserialize_f64 => it, visitor, match it {
        Self::Float(it) => visitor.visit_f64(it),
        Self::Int(it) => visitor.visit_f64(it as f64),
        _ => Err(WRONG),
    } }
    alike! { deserialize_char deserialize_str deserialize_string deserialize_identifier => it, visitor, match it {
        Self::Text(it) => visitor.visit_string(it),
        _ => Err(WRONG),
    } }
    alike! { deserialize_bytes deserialize_byte_buf => _it, _visitor, Err(WRONG) }
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
        part: f64,
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
        let whole = r#"{"name":"Đặng \"A\" \u00e9","count":4294967295,"when":-5,"part":1.5,"open":null,"extra":{"a":[1,{}]},
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
        check::<f64>("3");
        check::<()>("null");
        check::<String>("\"\"");
        check::<bool>("true");
    }

    #[test]
    fn an_error_names_the_field() {
        assert_eq!(read::<Thing>("{}"), Err(Unreadable("name")));
    }
}

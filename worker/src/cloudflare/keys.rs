//! RSA keys by the platform's WebCrypto: made and used outside wasm, in a few milliseconds.

use async_trait::async_trait;
use js_sys::Array;
use js_sys::Function;
use js_sys::Object;
use js_sys::Promise;
use js_sys::Reflect;
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::ports::KeyError;
use crate::ports::KeyPair;
use crate::ports::Keys;

pub(super) struct WebCrypto;

fn text(error: &JsValue) -> KeyError {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|it| it.as_string());
    KeyError(message.unwrap_or_else(|| format!("{error:?}")))
}

/// `crypto.subtle[name](...args)`, awaited.
async fn call(name: &str, args: &[JsValue]) -> Result<JsValue, JsValue> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let subtle = Reflect::get(&crypto, &"subtle".into())?;
    let function: Function = Reflect::get(&subtle, &name.into())?.dyn_into()?;
    let promise: Promise = Reflect::apply(&function, &subtle, &args.iter().collect::<Array>())?.dyn_into()?;
    JsFuture::from(promise).await
}

fn object(pairs: &[(&str, JsValue)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in pairs {
        Reflect::set(&object, &(*name).into(), value)?;
    }
    Ok(object.into())
}

fn algorithm() -> Result<JsValue, JsValue> {
    object(&[("name", "RSASSA-PKCS1-v1_5".into()), ("hash", "SHA-256".into())])
}

async fn make() -> Result<KeyPair, JsValue> {
    let wanted = object(&[
        ("name", "RSASSA-PKCS1-v1_5".into()),
        ("hash", "SHA-256".into()),
        ("modulusLength", 2048.into()),
        ("publicExponent", Uint8Array::from(&[1, 0, 1][..]).into()),
    ])?;
    let uses: Array = ["sign", "verify"].iter().map(|it| JsValue::from_str(it)).collect();
    let pair = call("generateKey", &[wanted, true.into(), uses.into()]).await?;
    let export = async |kind: &str, name: &str| -> Result<Vec<u8>, JsValue> {
        let key = Reflect::get(&pair, &name.into())?;
        Ok(Uint8Array::new(&call("exportKey", &[kind.into(), key]).await?).to_vec())
    };
    Ok(KeyPair { private: export("pkcs8", "privateKey").await?, public: export("spki", "publicKey").await? })
}

async fn sign(private: &[u8], input: &[u8]) -> Result<Vec<u8>, JsValue> {
    let uses: Array = std::iter::once(JsValue::from_str("sign")).collect();
    let bytes = Uint8Array::from(private);
    let key = call("importKey", &["pkcs8".into(), bytes.into(), algorithm()?, false.into(), uses.into()]).await?;
    let signature = call("sign", &[algorithm()?, key, Uint8Array::from(input).into()]).await?;
    Ok(Uint8Array::new(&signature).to_vec())
}

#[async_trait(?Send)]
impl Keys for WebCrypto {
    async fn make(&self) -> Result<KeyPair, KeyError> {
        make().await.map_err(|e| text(&e))
    }

    async fn sign(&self, private: &[u8], input: &[u8]) -> Result<Vec<u8>, KeyError> {
        sign(private, input).await.map_err(|e| text(&e))
    }
}

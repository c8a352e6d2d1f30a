//! The crate's errors as JS `Error`s that keep code and keys.

use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;

use crate::error::Error;

/// A JS `Error` with `code` (stable) and `keys` (all keys at fault).
pub fn to_js(error: &Error) -> JsValue {
    let value: JsValue = js_sys::Error::new(&error.message).into();
    let keys: Array = error.keys.iter().map(JsValue::from).collect();
    set(&value, "code", &error.code.as_str().into());
    set(&value, "keys", &keys.into());
    value
}

/// `object[key] = value`, on objects made here, where it cannot fail.
pub fn set(object: &JsValue, key: &str, value: &JsValue) {
    Reflect::set(object, &key.into(), value).unwrap_or(false);
}

//! The crate's errors as JS `Error`s that keep code, keys and sentence.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::sentences::Value;

/// A JS `Error` with `code` (stable), `keys` (all keys at fault) and, where there is one, `sentence` (its id) with `values`.
pub fn to_js(error: &Error) -> JsValue {
    let value: JsValue = js_sys::Error::new(&error.message).into();
    let keys: Array = error.keys.iter().map(JsValue::from).collect();
    set(&value, "code", &error.code.as_str().into());
    set(&value, "keys", &keys.into());
    if let Some(sentence) = &error.sentence {
        let values: JsValue = Object::new().into();
        for (name, said) in sentence.values() {
            let said = match said {
                Value::Number(number) => JsValue::from(number as f64),
                Value::Text(text) => JsValue::from(text),
            };
            set(&values, name, &said);
        }
        set(&value, "sentence", &sentence.id().into());
        set(&value, "values", &values);
    }
    value
}

/// `object[key] = value`, on objects made here, where it cannot fail.
pub fn set(object: &JsValue, key: &str, value: &JsValue) {
    Reflect::set(object, &key.into(), value).unwrap_or(false);
}

//! Decoding and encoding photos and masks.

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::js_error::{set, to_js};
use crate::pipeline::{self, Mask, Photo};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** An upright photo: straight 8-bit RGBA, colours as stored in the file. */
export interface DecodedPhoto {
  width: number; height: number; rgba: Uint8Array; hasAlpha: boolean; isGray: boolean;
  icc?: Uint8Array; notes: string[];
}
"#;

/// Decodes PNG, JPEG or WebP, upright, colours as stored.
#[wasm_bindgen(unchecked_return_type = "DecodedPhoto")]
pub fn decode_photo(bytes: &[u8]) -> Result<JsValue, JsValue> {
    let photo = pipeline::decode_photo(bytes).map_err(|e| to_js(&e))?;
    let object: JsValue = Object::new().into();
    set(&object, "width", &(photo.width as f64).into());
    set(&object, "height", &(photo.height as f64).into());
    set(&object, "rgba", &Uint8Array::from(&photo.rgba[..]).into());
    set(&object, "hasAlpha", &photo.has_alpha.into());
    set(&object, "isGray", &photo.is_gray.into());
    if let Some(icc) = &photo.icc {
        set(&object, "icc", &Uint8Array::from(&icc[..]).into());
    }
    let notes: Array = photo.notes.iter().map(JsValue::from).collect();
    set(&object, "notes", &notes.into());
    Ok(object)
}

/// Encodes a photo as PNG, with its ICC profile.
#[wasm_bindgen]
pub fn encode_photo(
    rgba: Vec<u8>,
    width: usize,
    height: usize,
    has_alpha: bool,
    is_gray: bool,
    icc: Option<Vec<u8>>,
) -> Result<Vec<u8>, JsValue> {
    let photo = Photo { width, height, rgba, has_alpha, is_gray, icc, notes: Vec::new() };
    pipeline::encode_photo(&photo).map_err(|e| to_js(&e))
}

/// Decodes a mask of the photo's size: 255 is hole, 0 known.
#[wasm_bindgen]
pub fn decode_mask(bytes: &[u8], width: usize, height: usize) -> Result<Vec<u8>, JsValue> {
    pipeline::decode_mask(bytes, width, height).map(|mask| mask.holes).map_err(|e| to_js(&e))
}

/// Encodes a mask as a gray PNG.
#[wasm_bindgen]
pub fn encode_mask(holes: Vec<u8>, width: usize, height: usize) -> Result<Vec<u8>, JsValue> {
    pipeline::encode_mask(&Mask { width, height, holes }).map_err(|e| to_js(&e))
}

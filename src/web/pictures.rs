//! Decoding and encoding photos and masks.

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::js_error::{set, to_js};
use crate::pipeline::{self, Mask, MaskChannel, MaskOptions, Photo};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** An upright photo: straight 8-bit RGBA, colours as stored in the file. */
export interface DecodedPhoto {
  width: number; height: number; rgba: Uint8Array; hasAlpha: boolean; isGray: boolean;
  icc?: Uint8Array; notes: string[];
}
/** A mask as it was found in a file: 255 is hole, 0 known. */
export interface FoundMask {
  holes: Uint8Array; channel: string; share: number; softPixels: number; isTurned: boolean; isPlain: boolean;
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

/// Decodes a mask of the photo's size, from the channel of this name; the crate looks for it where none is given.
#[wasm_bindgen(unchecked_return_type = "FoundMask")]
pub fn read_mask(
    bytes: &[u8],
    width: usize,
    height: usize,
    channel: Option<String>,
    is_inverted: bool,
) -> Result<JsValue, JsValue> {
    let channel = channel.and_then(|word| MaskChannel::parse(&word));
    let options = MaskOptions { channel, is_inverted };
    let reading = pipeline::read_mask(bytes, (width, height), options).map_err(|e| to_js(&e))?;
    let object: JsValue = Object::new().into();
    set(&object, "holes", &Uint8Array::from(&reading.mask.holes[..]).into());
    set(&object, "channel", &reading.channel.word().into());
    set(&object, "share", &reading.share.into());
    set(&object, "softPixels", &(reading.soft_pixels as f64).into());
    set(&object, "isTurned", &reading.is_turned.into());
    set(&object, "isPlain", &reading.is_plain().into());
    Ok(object)
}

/// Encodes a mask as a gray PNG.
#[wasm_bindgen]
pub fn encode_mask(holes: Vec<u8>, width: usize, height: usize) -> Result<Vec<u8>, JsValue> {
    pipeline::encode_mask(&Mask { width, height, holes }).map_err(|e| to_js(&e))
}

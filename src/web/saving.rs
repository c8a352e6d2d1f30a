//! Saving a photo with what its file tells.

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::js_error::{set, to_js};
use crate::photo_file::{self, Format, SaveOptions};
use crate::pipeline::Photo;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a photo's file is; `format` is `png`, `jpg` or `webp`. */
export interface SourceFile { format?: string; hasPlace: boolean; quality?: number; }
/** A file to be written; `kept` and `notes` hold the stable words of the crate's `Saved`. */
export interface SavedFile { bytes: Uint8Array; format: string; quality?: number; kept: string[]; notes: string[]; }
"#;

/// Says what a photo's file is.
#[wasm_bindgen(unchecked_return_type = "SourceFile")]
pub fn describe_file(bytes: &[u8]) -> JsValue {
    let file = photo_file::describe(bytes);
    let object: JsValue = Object::new().into();
    if let Some(format) = file.format {
        set(&object, "format", &format.ending().into());
    }
    set(&object, "hasPlace", &file.has_place.into());
    if let Some(quality) = file.quality {
        set(&object, "quality", &quality.into());
    }
    object
}

/// Saves a photo as `png`, `jpg` or `webp`, or, where no format is given, as its source. Without a quality, a JPEG keeps its
/// blocks.
#[allow(clippy::too_many_arguments)] // the boundary is flat by nature
#[wasm_bindgen(unchecked_return_type = "SavedFile")]
pub fn save_photo(
    rgba: Vec<u8>,
    width: usize,
    height: usize,
    has_alpha: bool,
    is_gray: bool,
    icc: Option<Vec<u8>>,
    source: Option<Vec<u8>>,
    format: Option<String>,
    quality: Option<u8>,
    without_place: bool,
) -> Result<JsValue, JsValue> {
    let photo = Photo { width, height, rgba, has_alpha, is_gray, icc, notes: Vec::new() };
    let source = source.as_deref();
    let format = format.and_then(|word| Format::parse(&word)).unwrap_or_else(|| Format::like(source));
    let options = SaveOptions { format, quality, without_place };
    let saved = photo_file::save(&photo, source, &options).map_err(|e| to_js(&e))?;
    let object: JsValue = Object::new().into();
    set(&object, "bytes", &Uint8Array::from(&saved.bytes[..]).into());
    set(&object, "format", &saved.format.ending().into());
    if let Some(quality) = saved.quality {
        set(&object, "quality", &quality.into());
    }
    let kept: Array = saved.kept.iter().map(|word| JsValue::from(*word)).collect();
    set(&object, "kept", &kept.into());
    let notes: Array = saved.notes.iter().map(JsValue::from).collect();
    set(&object, "notes", &notes.into());
    Ok(object)
}

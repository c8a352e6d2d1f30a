//! The page's photo as a run reads it.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use crate::pipeline::{FillOptions, Mask};
use crate::web::js_error::to_js;
use crate::web::page_pixels::PagePixels;

/// What a run on the page's photo is given.
pub struct Given {
    /// The photo, where it lies.
    pub photo: PagePixels,
    /// The holes; without any where the whole picture counts.
    pub mask: Mask,
    /// How to fill them.
    pub options: FillOptions,
}

impl Given {
    /// The run's arguments as they cross the boundary; `options` is the JSON of `FillOptions`, which has neither the
    /// second picture nor the edges.
    pub fn new(
        rgba: Uint8Array,
        (width, height): (usize, usize),
        mask: Vec<u8>,
        options: &str,
        second: Option<Vec<u8>>,
        edges: Option<Vec<u8>>,
    ) -> Result<Self, JsValue> {
        let options = FillOptions { second, edges, ..FillOptions::from_json(options).map_err(|e| to_js(&e))? };
        let photo = PagePixels { rgba, width, height, is_gray: false };
        Ok(Self { photo, mask: Mask { width, height, holes: mask }, options })
    }
}

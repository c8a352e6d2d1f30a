//! The page's photo as a run reads it.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use crate::pipeline::{FillOptions, Mask, Pixels, Rect};
use crate::web::js_error::to_js;

/// The page's own pixel buffer: only the windows that are filled are copied into wasm memory.
pub struct PagePixels {
    /// RGBA bytes.
    pub rgba: Uint8Array,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Whether the photo is gray.
    pub is_gray: bool,
}

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

impl Pixels for PagePixels {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn is_gray(&self) -> bool {
        self.is_gray
    }

    fn read(&self, rect: Rect) -> Vec<u8> {
        let mut out = vec![0; rect.width * rect.height * 4];
        for (row, target) in out.chunks_exact_mut((rect.width * 4).max(1)).enumerate() {
            let start = ((rect.y + row) * self.width + rect.x) * 4;
            self.rgba.subarray(start as u32, (start + rect.width * 4) as u32).copy_to(target);
        }
        out
    }
}

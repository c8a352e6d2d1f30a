//! Selecting objects: a photo is looked at once, then every prompt is answered.

use js_sys::{Object, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::js_error::{set, to_js};
use super::page_pixels::PagePixels;
use crate::error::Error;
use crate::pipeline::Mask;
use crate::pipeline::select::{Prompt, Selection, Selector};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A part of the photo that is selected: 255 inside, 0 outside. Nothing is where it has no width. */
export interface Selected { x: number; y: number; width: number; height: number; inside: Uint8Array; }
/** A selection at the size of the working copy, which covers the whole photo: 1 inside, 0 outside. */
export interface Preview { width: number; height: number; inside: Uint8Array; }
"#;

/// A photo that objects are selected in; it reads the page's pixels where they lie.
#[wasm_bindgen]
pub struct PhotoSelector {
    photo: PagePixels,
    selector: Selector,
}

#[wasm_bindgen]
impl PhotoSelector {
    /// Looks at a photo.
    #[wasm_bindgen(constructor)]
    pub fn new(rgba: Uint8Array, width: usize, height: usize) -> Self {
        let photo = PagePixels { rgba, width, height, is_gray: false };
        let selector = Selector::encode(&photo);
        Self { photo, selector }
    }

    /// What prompts select. `points` are x and y in turn, `counts` how many points each prompt has, `adds` whether it adds.
    #[wasm_bindgen(unchecked_return_type = "Selected")]
    pub fn select(&mut self, points: &[f32], counts: &[u32], adds: &[u8]) -> Result<JsValue, JsValue> {
        let selection = self.answer(points, counts, adds).map_err(|e| to_js(&e))?;
        Ok(self.whole(&selection))
    }

    /// The same as `select`, at the size of the working copy, which takes less time.
    #[wasm_bindgen(unchecked_return_type = "Preview")]
    pub fn preview(&mut self, points: &[f32], counts: &[u32], adds: &[u8]) -> Result<JsValue, JsValue> {
        let selection = self.answer(points, counts, adds).map_err(|e| to_js(&e))?;
        let inside: Vec<u8> = selection.inside.iter().map(|&inside| u8::from(inside)).collect();
        let object: JsValue = Object::new().into();
        set(&object, "width", &(selection.width as f64).into());
        set(&object, "height", &(selection.height as f64).into());
        set(&object, "inside", &Uint8Array::from(&inside[..]).into());
        Ok(object)
    }

    /// A rough mask of the photo's size (255 inside), moved to the edges near its own.
    #[wasm_bindgen(unchecked_return_type = "Selected")]
    pub fn snap(&self, holes: Vec<u8>) -> Result<JsValue, JsValue> {
        let mask = Mask { width: self.photo.width, height: self.photo.height, holes };
        let selection = self.selector.snap(&mask).map_err(|e| to_js(&e))?;
        Ok(self.whole(&selection))
    }

    fn answer(&mut self, points: &[f32], counts: &[u32], adds: &[u8]) -> Result<Selection, Error> {
        self.selector.select(&Prompt::from_flat(points, counts, adds)?)
    }

    /// A selection at the photo's own pixels.
    fn whole(&self, selection: &Selection) -> JsValue {
        let (rect, bytes) = self.selector.enlarge(&self.photo, selection);
        let object: JsValue = Object::new().into();
        for (key, value) in [("x", rect.x), ("y", rect.y), ("width", rect.width), ("height", rect.height)] {
            set(&object, key, &(value as f64).into());
        }
        set(&object, "inside", &Uint8Array::from(&bytes[..]).into());
        object
    }
}

//! What the networks see and what a file's tensors hold, for the page to draw.

use js_sys::{Array, Function, Object, Uint8Array};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Blob;

use super::blob::BlobSource;
use super::models::{Models, watcher};
use super::photo::Given;
use crate::checkpoint;
use crate::pipeline;
use crate::report;
use crate::web::js_error::{set, to_js};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** The edges of one window: `columns * rows` values, 255 is an edge. */
export interface EdgeMap { x: number; y: number; width: number; height: number; columns: number; rows: number; values: Uint8Array; }
/** One channel of one network's input: `columns * rows` gray values. */
export interface Channel { network: string; input: string; label: string; columns: number; rows: number; low: number; high: number; gray: Uint8Array; }
"#;

#[wasm_bindgen]
impl Models {
    /// The edges around every hole; with `propose` an edge generator completes them. Arguments as for `inpaint`.
    #[wasm_bindgen(unchecked_return_type = "EdgeMap[]")]
    #[allow(clippy::too_many_arguments)] // the boundary is flat by nature
    pub fn edges(
        &mut self,
        handle: &str,
        rgba: Uint8Array,
        width: usize,
        height: usize,
        mask: Vec<u8>,
        options: &str,
        propose: bool,
        progress: &Function,
    ) -> Result<Array, JsValue> {
        let Given { photo, mask, options } = Given::new(rgba, (width, height), mask, options, None, None)?;
        let models = self.networks(handle, &options)?;
        let maps = pipeline::edges(&photo, &mask, models, &options, propose, &mut watcher(progress));
        let object = |map: pipeline::EdgeMap| {
            let numbers = [
                ("x", map.x as f64),
                ("y", map.y as f64),
                ("width", map.size.0 as f64),
                ("height", map.size.1 as f64),
                ("columns", map.input.0 as f64),
                ("rows", map.input.1 as f64),
            ];
            with(&numbers, "values", &map.values)
        };
        Ok(maps.map_err(|e| to_js(&e))?.into_iter().map(object).collect())
    }

    /// Exactly what goes into the networks for the largest hole. Arguments as for `inpaint`.
    #[wasm_bindgen(unchecked_return_type = "Channel[]")]
    #[allow(clippy::too_many_arguments)] // the boundary is flat by nature
    pub fn preview(
        &mut self,
        handle: &str,
        rgba: Uint8Array,
        width: usize,
        height: usize,
        mask: Vec<u8>,
        options: &str,
        second: Option<Vec<u8>>,
        edges: Option<Vec<u8>>,
    ) -> Result<Array, JsValue> {
        let Given { photo, mask, options } = Given::new(rgba, (width, height), mask, options, second, edges)?;
        let channels = pipeline::preview(&photo, &mask, self.networks(handle, &options)?, &options);
        let object = |channel: pipeline::Channel| {
            let numbers = [
                ("columns", channel.size.0 as f64),
                ("rows", channel.size.1 as f64),
                ("low", f64::from(channel.range.0)),
                ("high", f64::from(channel.range.1)),
            ];
            let object = with(&numbers, "gray", &channel.gray);
            for (key, value) in
                [("network", channel.network.as_str()), ("input", channel.input.as_str()), ("label", channel.label)]
            {
                set(&object, key, &value.into());
            }
            object
        };
        Ok(channels.map_err(|e| to_js(&e))?.into_iter().map(object).collect())
    }

    /// The discriminator's scores of the whole picture, as the JSON of `Scores`.
    pub fn score(
        &mut self,
        handle: &str,
        rgba: Uint8Array,
        width: usize,
        height: usize,
        options: &str,
        progress: &Function,
    ) -> Result<String, JsValue> {
        let Given { photo, options, .. } = Given::new(rgba, (width, height), Vec::new(), options, None, None)?;
        let scores = pipeline::score(&photo, self.networks(handle, &options)?, &options, &mut watcher(progress));
        Ok(json!(scores.map_err(|e| to_js(&e))?).to_string())
    }

    /// A file's keys beside those of the network of this id, as JSON.
    pub fn align(&self, blob: Blob, name: &str, id: &str) -> Result<String, JsValue> {
        let checkpoint = checkpoint::open(BlobSource::new(blob)?, name).map_err(|e| to_js(&e))?;
        let rows = report::alignment(checkpoint.as_ref(), id).map_err(|e| to_js(&e.in_file(name)))?;
        Ok(json!(rows).to_string())
    }

    /// What the values of a file's tensors are, as JSON: of those with one of these keys, or of all.
    pub fn stats(&self, blob: Blob, name: &str, keys: Option<Vec<String>>) -> Result<String, JsValue> {
        let mut checkpoint = checkpoint::open(BlobSource::new(blob)?, name).map_err(|e| to_js(&e))?;
        let stats = report::stats(checkpoint.as_mut(), keys.as_deref()).map_err(|e| to_js(&e.in_file(name)))?;
        Ok(json!(stats).to_string())
    }
}

/// A JS object of numbers and one array of bytes.
fn with(numbers: &[(&str, f64)], key: &str, bytes: &[u8]) -> JsValue {
    let object: JsValue = Object::new().into();
    for (name, value) in numbers {
        set(&object, name, &(*value).into());
    }
    set(&object, key, &Uint8Array::from(bytes).into());
    object
}

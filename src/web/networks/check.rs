//! The fast engine beside the reference, on the hole at hand: only in the build that has both.

use js_sys::{Float32Array, Function, Uint8Array};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Blob;

use super::blob::BlobSource;
use super::models::{use_statistics, watcher};
use super::photo::Given;
use crate::checkpoint;
use crate::engine::compare::compare;
use crate::engine::run::ready;
use crate::engine::{EngineKind, Step};
use crate::error::{Code, Error};
use crate::models::load::{self, Loaded};
use crate::pipeline;
use crate::web::js_error::{set, to_js};

/// Share of the progress that preparing the inputs takes, where an edge generator runs first.
const INPUTS_SHARE: f32 = 0.1;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** How far the fast engine is from the reference: `values` holds the largest difference of every output pixel. */
export interface Check { json: string; columns: number; rows: number; values: Float32Array; }
"#;

/// Loads the networks of these files for both engines, runs both on the largest hole, and says layer by layer how far
/// their values are apart.
///
/// `model_id` and `by_position` as for `Models.load`, the rest as for `Models.inpaint`. `json` of the result is
/// `{largest, layers: [{path, op, largest, magnitude}]}`, in the order in which the reference ran.
#[wasm_bindgen(unchecked_return_type = "Check")]
#[allow(clippy::too_many_arguments)] // the boundary is flat by nature
pub fn check(
    blobs: Vec<Blob>,
    names: Vec<String>,
    model_id: Option<String>,
    by_position: bool,
    rgba: Uint8Array,
    width: usize,
    height: usize,
    mask: Vec<u8>,
    options: &str,
    progress: &Function,
    second: Option<Vec<u8>>,
    edges: Option<Vec<u8>>,
) -> Result<JsValue, JsValue> {
    let Given { photo, mask, options } = Given::new(rgba, (width, height), mask, options, second, edges)?;
    let load = |kind: EngineKind| -> Result<Vec<Loaded>, JsValue> {
        let mut all = Vec::new();
        for (blob, name) in blobs.iter().zip(&names) {
            let mut checkpoint = checkpoint::open(BlobSource::new(blob.clone())?, name).map_err(|e| to_js(&e))?;
            let load = if by_position { load::load_by_position } else { load::load };
            let mut loaded = load(checkpoint.as_mut(), name, model_id.as_deref(), kind).map_err(|e| to_js(&e))?;
            loaded.iter_mut().try_for_each(|one| use_statistics(one, blob, &options, kind))?;
            all.extend(loaded);
        }
        Ok(all)
    };
    let mut fast = load(EngineKind::Fast)?;
    let mut tell = watcher(progress);
    let mut first = |step: Step<'_>| tell(Step { done: step.done * INPUTS_SHARE, ..step });
    let inputs = pipeline::painting_inputs(&photo, &mask, &mut fast, &options, &mut first);
    let (main, inputs) = inputs.map_err(|e| to_js(&e))?;
    let mut fast = fast.swap_remove(main);
    // Only the one that paints is compared; the others' memory goes before the reference takes its own.
    let gone = || to_js(&Error::new(Code::Internal, "The reference engine lacks this network."));
    let mut reference = load(EngineKind::Reference)?.into_iter().nth(main).ok_or_else(gone)?;
    let mut rest = |step: Step<'_>| tell(Step { done: INPUTS_SHARE + step.done * (1.0 - INPUTS_SHARE), ..step });
    let compared = ready(compare(fast.engine.as_mut(), reference.engine.as_mut(), &inputs, &mut rest));
    let found = compared.map_err(|e| to_js(&e))?;
    let layers = found.layers.iter().map(
        |layer| json!({"path": layer.path, "op": layer.op, "largest": layer.largest, "magnitude": layer.magnitude}),
    );
    let text = json!({"largest": found.largest, "layers": layers.collect::<Vec<_>>()}).to_string();
    let object: JsValue = js_sys::Object::new().into();
    set(&object, "json", &text.into());
    set(&object, "columns", &(found.output.columns as f64).into());
    set(&object, "rows", &(found.output.rows as f64).into());
    set(&object, "values", &Float32Array::from(&found.output.values[..]).into());
    Ok(object)
}

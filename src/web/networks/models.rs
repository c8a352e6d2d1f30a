//! The models at hand: loaded from dropped files, kept by handle, run on the page's photo.

use std::collections::HashMap;
use std::ops::ControlFlow;

use js_sys::{Array, Function, Object, Uint8Array};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Blob;

use super::blob::BlobSource;
use super::photo::Given;
use super::speed;
use crate::checkpoint;
use crate::engine::{EngineKind, Step};
use crate::error::{Code, Error};
use crate::models::load::{self, Loaded};
use crate::models::registry;
use crate::models::spelling::listing;
use crate::pipeline::{self, FillOptions};
use crate::report;
use crate::web::js_error::{set, to_js};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** One rectangle of a filled photo; its pixels outside the mask equal the photo's. */
export interface Patch { x: number; y: number; width: number; height: number; rgba: Uint8Array; }
"#;

/// The known networks as JSON: `[{id, name, inputs, size_multiple}]`, each as in `infill models --json`.
#[wasm_bindgen]
pub fn models() -> String {
    let rows: Vec<_> = registry().iter().map(|model| listing(model)).collect();
    json!(rows).to_string()
}

/// Loaded networks by handle; one handle is one file and may hold several networks.
#[wasm_bindgen]
#[derive(Default)]
pub struct Models {
    files: HashMap<String, Networks>,
}

/// The networks of one handle, and the file that each came from.
#[derive(Default)]
pub(super) struct Networks {
    pub(super) loaded: Vec<Loaded>,
    pub(super) files: Vec<Blob>,
}

#[wasm_bindgen]
impl Models {
    /// No models yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a file is, as the JSON of `infill inspect --json`.
    pub fn inspect(&self, blob: Blob, name: &str) -> Result<String, JsValue> {
        let checkpoint = checkpoint::open(BlobSource::new(blob)?, name).map_err(|e| to_js(&e))?;
        Ok(json!(report::inspect(checkpoint.as_ref(), name)).to_string())
    }

    /// Reads a file, keeps its networks under `handle`, and returns `{report, loaded: [..]}` as JSON.
    ///
    /// When the file is readable but nothing in it fits, the error carries the report as `error.report`. With
    /// `by_position` the keys are taken by their places where only the names differ.
    pub fn load(
        &mut self,
        handle: &str,
        blob: Blob,
        name: &str,
        model_id: Option<String>,
        by_position: bool,
    ) -> Result<String, JsValue> {
        super::warm::once();
        let mut checkpoint = checkpoint::open(BlobSource::new(blob.clone())?, name).map_err(|e| to_js(&e))?;
        let report = json!(report::inspect(checkpoint.as_ref(), name));
        let load = if by_position { load::load_by_position } else { load::load };
        match load(checkpoint.as_mut(), name, model_id.as_deref(), EngineKind::Fast) {
            Ok(mut loaded) => {
                loaded.iter_mut().for_each(Loaded::prepare);
                let list: Vec<_> = loaded.iter().map(Loaded::to_json).collect();
                let files = vec![blob; loaded.len()];
                self.files.insert(handle.to_owned(), Networks { loaded, files });
                Ok(json!({"report": report, "loaded": list}).to_string())
            }
            Err(error) => {
                let value = to_js(&error);
                set(&value, "report", &report.to_string().into());
                Err(value)
            }
        }
    }

    /// Moves the networks of `from` to those of `handle`: EdgeConnect's two halves come as two files.
    pub fn combine(&mut self, handle: &str, from: &str) {
        if let Some(more) = self.files.remove(from) {
            let networks = self.files.entry(handle.to_owned()).or_default();
            networks.loaded.extend(more.loaded);
            networks.files.extend(more.files);
        }
    }

    /// Forgets a file's networks.
    pub fn unload(&mut self, handle: &str) {
        self.files.remove(handle);
    }

    /// What the last run of each network of `handle` took, as JSON: `[{name, engine, report}]`; none for the photo alone.
    pub fn speed(&self, handle: &str) -> String {
        let networks = self.files.get(handle).map_or(&[][..], |networks| networks.loaded.as_slice());
        let list: Vec<_> = networks
            .iter()
            .map(|loaded| {
                json!({"name": loaded.model.name, "engine": loaded.engine.name(), "report": speed::to_json(loaded.engine.report())})
            })
            .collect();
        json!(list).to_string()
    }

    /// Fills the mask's holes with the networks of `handle`, or from the photo alone if it is empty.
    ///
    /// `options` is the JSON of `FillOptions`; `progress(done, layer)` is called before every layer; `second` is a
    /// pair network's second picture, RGBA of the photo's size; `edges` what the user says of the edges.
    #[wasm_bindgen(unchecked_return_type = "Patch[]")]
    #[allow(clippy::too_many_arguments)] // the boundary is flat by nature
    pub fn inpaint(
        &mut self,
        handle: &str,
        rgba: Uint8Array,
        width: usize,
        height: usize,
        is_gray: bool,
        mask: Vec<u8>,
        options: &str,
        progress: &Function,
        second: Option<Vec<u8>>,
        edges: Option<Vec<u8>>,
    ) -> Result<Array, JsValue> {
        let Given { mut photo, mask, options } = Given::new(rgba, (width, height), mask, options, second, edges)?;
        photo.is_gray = is_gray;
        let models = self.networks(handle, &options)?;
        let mut watch = watcher(progress);
        let patches = pipeline::fill(&photo, &mask, models, &options, &mut watch).map_err(|e| to_js(&e))?;
        Ok(patches
            .into_iter()
            .map(|patch| {
                let object: JsValue = Object::new().into();
                for (key, value) in [
                    ("x", patch.rect.x),
                    ("y", patch.rect.y),
                    ("width", patch.rect.width),
                    ("height", patch.rect.height),
                ] {
                    set(&object, key, &(value as f64).into());
                }
                set(&object, "rgba", &Uint8Array::from(&patch.rgba[..]).into());
                object
            })
            .collect())
    }
}

impl Models {
    /// Keeps networks under a handle.
    #[cfg(feature = "classes")]
    pub(super) fn keep(&mut self, handle: &str, networks: Networks) {
        self.files.insert(handle.to_owned(), networks);
    }

    /// The networks of a handle, none for the photo alone; built anew from their files where the options ask for other norm
    /// statistics.
    pub(super) fn networks(&mut self, handle: &str, options: &FillOptions) -> Result<&mut [Loaded], JsValue> {
        if handle.is_empty() {
            return Ok(&mut []);
        }
        let gone = || to_js(&Error::new(Code::Internal, "This model is no longer loaded. Choose it again."));
        let Networks { loaded, files } = self.files.get_mut(handle).ok_or_else(gone)?;
        for (one, blob) in loaded.iter_mut().zip(files.iter()) {
            use_statistics(one, blob, options, EngineKind::Fast)?;
        }
        Ok(loaded)
    }
}

/// Builds a network anew from its file where the options ask for other norm statistics than it takes.
pub(super) fn use_statistics(
    loaded: &mut Loaded,
    blob: &Blob,
    options: &FillOptions,
    kind: EngineKind,
) -> Result<(), JsValue> {
    let guess = loaded.model.conventions(&loaded.config).norm_statistics;
    let Some(statistics) = options.norm_statistics.or(guess) else { return Ok(()) };
    let (source, name) = (BlobSource::new(blob.clone())?, loaded.file.clone());
    loaded.use_statistics(statistics, kind, || checkpoint::open(source, &name)).map_err(|e| to_js(&e))
}

/// Tells the page how far a run is; a call that throws ends it.
pub(super) fn watcher(progress: &Function) -> impl FnMut(Step<'_>) -> ControlFlow<()> {
    move |step| match progress.call2(&JsValue::NULL, &step.done.into(), &step.layer.into()) {
        Ok(_) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

//! Pasted classes: only in the builds that read them.

use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Blob;

use super::blob::BlobSource;
use super::models::{Models, Networks};
use crate::checkpoint;
use crate::engine::EngineKind;
use crate::error::{Code, Error, Result};
use crate::models::exported;
use crate::models::load::Loaded;
use crate::models::pasted::{self, Pasted};
use crate::report;
use crate::torch_source::notebook;
use crate::web::js_error::to_js;

/// What the page says of a pasted class.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Paste {
    /// The Python file.
    source: String,
    /// `Net(4, 3)`.
    class_args: String,
    /// Which of the returned tensors is the picture.
    returned: Option<usize>,
    /// Side of the squares that it runs on.
    side: Option<usize>,
    /// Whether keys of the file that the class has not are left out.
    leaves_out: bool,
}

impl Paste {
    fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::new(Code::Usage, format!("A setting makes no sense: {e}.")))
    }

    fn pasted(&self) -> Pasted<'_> {
        Pasted {
            source: &self.source,
            class_args: &self.class_args,
            returned: self.returned,
            channels: None,
            side: self.side,
            leaves_out: self.leaves_out,
        }
    }
}

/// The Python of what was pasted or dropped: a notebook's code cells, or the text as it is.
#[wasm_bindgen]
pub fn python(text: &str) -> Result<String, JsValue> {
    notebook::python(text).map_err(|e| to_js(&e))
}

#[wasm_bindgen]
impl Models {
    /// A pasted class beside a file, as the JSON of `infill inspect --class --json`; without a file, what the class is.
    /// `paste` is the JSON of `{source, classArgs, returned, side, leavesOut}`.
    pub fn read_class(&self, paste: &str, blob: Option<Blob>, name: &str) -> Result<String, JsValue> {
        let paste = Paste::read(paste).map_err(|e| to_js(&e))?;
        let open = |blob: Blob| checkpoint::open(BlobSource::new(blob)?, name).map_err(|e| to_js(&e));
        let checkpoint = blob.map(open).transpose()?;
        Ok(json!(report::read_class(checkpoint.as_deref(), name, &paste.pasted())).to_string())
    }

    /// Keeps the class with a file's weights under `handle`, and returns `{report, loaded: [..]}` as JSON, as `load` does.
    pub fn load_class(&mut self, handle: &str, blob: Blob, name: &str, paste: &str) -> Result<String, JsValue> {
        super::warm::once();
        let paste = Paste::read(paste).map_err(|e| to_js(&e))?;
        let mut checkpoint = checkpoint::open(BlobSource::new(blob.clone())?, name).map_err(|e| to_js(&e))?;
        let loaded = pasted::load(checkpoint.as_mut(), name, &paste.pasted(), EngineKind::Fast);
        let mut loaded: Loaded = loaded.map_err(|mut error| {
            error.message = notebook::placed(&error.message, &paste.source);
            to_js(&error)
        })?;
        let report = json!(report::inspect_loaded(checkpoint.as_ref(), name, &loaded));
        loaded.prepare();
        let list = [loaded.to_json()];
        self.keep(handle, Networks { loaded: vec![loaded], files: vec![blob] });
        Ok(json!({"report": report, "loaded": list}).to_string())
    }

    /// Keeps the graph of an ONNX file that is no known network under `handle`, and returns `{report, loaded: [..]}` as JSON,
    /// as `load` does.
    pub fn load_graph(&mut self, handle: &str, blob: Blob, name: &str) -> Result<String, JsValue> {
        super::warm::once();
        let mut checkpoint = checkpoint::open(BlobSource::new(blob.clone())?, name).map_err(|e| to_js(&e))?;
        let mut loaded = exported::load(checkpoint.as_mut(), name, None, EngineKind::Fast).map_err(|e| to_js(&e))?;
        let report = json!(report::inspect_loaded(checkpoint.as_ref(), name, &loaded));
        loaded.prepare();
        let list = [loaded.to_json()];
        self.keep(handle, Networks { loaded: vec![loaded], files: vec![blob] });
        Ok(json!({"report": report, "loaded": list}).to_string())
    }
}

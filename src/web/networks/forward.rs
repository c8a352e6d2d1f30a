//! A network on tensors as they are, as `infill forward` runs it natively: for the benchmark, and for whoever wants
//! to hold a browser's result against PyTorch.

use std::ops::ControlFlow;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Blob;

use super::blob::BlobSource;
use super::speed;
use crate::checkpoint;
use crate::engine::{Engine, EngineKind};
use crate::error::{Code, Error, Result};
use crate::models::load;
use crate::tensor::Tensor;
use crate::web::js_error::to_js;

/// One network of a checkpoint, on the engine of one's choice.
#[wasm_bindgen]
pub struct Forward {
    engine: Box<dyn Engine>,
}

#[wasm_bindgen]
impl Forward {
    /// Loads the network `model_id` of a checkpoint; `engine` is `fast` or `reference`.
    #[wasm_bindgen(constructor)]
    pub fn new(blob: Blob, name: &str, model_id: &str, engine: &str) -> Result<Self, JsValue> {
        super::warm::once();
        let kind = EngineKind::named(engine).map_err(|e| to_js(&e))?;
        let mut checkpoint = checkpoint::open(BlobSource::new(blob)?, name).map_err(|e| to_js(&e))?;
        let mut loaded = load::load(checkpoint.as_mut(), name, Some(model_id), kind).map_err(|e| to_js(&e))?;
        let mut loaded = loaded.remove(0);
        loaded.prepare();
        Ok(Self { engine: loaded.engine })
    }

    /// `forward(x)` or `forward(x, second)`: `[1, C, height, width]` in, the output's values out.
    pub fn run(
        &mut self,
        x: Vec<f32>,
        second: Option<Vec<f32>>,
        height: usize,
        width: usize,
    ) -> Result<Vec<f32>, JsValue> {
        self.forward([Some(x), second].into_iter().flatten().collect(), height, width).map_err(|e| to_js(&e))
    }

    /// What the last run took, as JSON; `null` where the engine does not say.
    pub fn report(&self) -> String {
        speed::to_json(self.engine.report()).to_string()
    }
}

impl Forward {
    fn forward(&mut self, values: Vec<Vec<f32>>, height: usize, width: usize) -> Result<Vec<f32>> {
        let channels: Vec<usize> = self.engine.network().inputs().map(|(_, _, channels)| channels).collect();
        if channels.len() != values.len() {
            let text = format!("The network takes {} inputs, not {}.", channels.len(), values.len());
            return Err(Error::new(Code::InputShape, text));
        }
        let inputs: Vec<Tensor> = values
            .into_iter()
            .zip(channels)
            .map(|(values, channels)| Tensor::new([1, channels, height, width], values))
            .collect::<Result<_>>()?;
        Ok(self.engine.run(&inputs, &mut |_| ControlFlow::Continue(()))?.into_data())
    }
}

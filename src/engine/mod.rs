//! Runs a network description with weights. Two engines stand behind one interface: the reference
//! (candle-nn, one node after another) and the fast plan, which is always held against it.

mod fast;
mod reference;

use std::ops::ControlFlow;

use crate::error::Result;
use crate::network::Network;
use crate::tensor::Tensor;

/// Where an engine takes its weights from: a checkpoint, with whatever folding its parametrisation asks for.
pub trait WeightSource {
    /// The values of one key of [`Network::parameters`], contiguous f32 in PyTorch's layout. Called once per key
    /// and in order, so that a file is read through and never held as a whole.
    fn take(&mut self, key: &str) -> Result<Vec<f32>>;
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<'a> {
    /// Work done before this layer, as a share of all multiply-adds, 0 to 1.
    pub done: f32,
    /// Path of the layer that starts now, such as `decoder.3`.
    pub layer: &'a str,
}

/// Told before every layer; `Break` ends the run with a `cancelled` error.
pub type Watch<'a> = &'a mut dyn FnMut(Step<'_>) -> ControlFlow<()>;

/// A network with its weights, ready to run at any size it takes.
pub trait Engine {
    /// The description it was built from.
    fn network(&self) -> &Network;
    /// `forward(inputs...)`: NCHW tensors in the order of [`Network::inputs`].
    fn run(&mut self, inputs: &[Tensor], watch: Watch<'_>) -> Result<Tensor>;
    /// Short name for reports: `reference` or `fast`.
    fn name(&self) -> &'static str;
}

/// Which engine to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// candle-nn.
    Reference,
    /// The compiled plan.
    Fast,
}

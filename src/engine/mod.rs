//! Runs a network description with weights. Two engines stand behind one interface: the reference
//! (candle-nn, one node after another) and the fast plan, which is always held against it.

pub mod compare;
pub mod cpu;
pub mod lower;
pub mod run;
// The page runs the fast plan alone: candle would be a third of what a visitor downloads.
#[cfg(any(not(target_arch = "wasm32"), feature = "reference"))]
pub mod reference;

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::network::{Network, Op, Shape};
use crate::sentences::Sentence;
use crate::tensor::Tensor;

pub use run::{Run, Step, Watch};

/// Where an engine takes its weights from: a checkpoint, with whatever folding its parametrisation asks for.
pub trait WeightSource {
    /// The values of one key of [`Network::parameters`], contiguous f32 in PyTorch's layout. Called about in
    /// order, so that a file is read through and never held as a whole; and rarely twice for a key.
    fn take(&mut self, key: &str) -> Result<Vec<f32>>;

    /// The same values in pieces, in order, for whoever needs no copy of the whole; they count only if the call succeeds.
    fn pieces(&mut self, key: &str, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        each(&self.take(key)?)
    }
}

/// A network with its weights, ready to run at any size it takes.
pub trait Engine {
    /// The description it was built from.
    fn network(&self) -> &Network;
    /// Takes the memory of a run at these shapes (one per input), so that the first run does not wait for it;
    /// `out-of-memory` if it cannot fit. Another size needs no other call.
    fn prepare(&mut self, _inputs: &[Shape]) -> Result<()> {
        Ok(())
    }
    /// Begins `forward(inputs...)`: NCHW tensors in the order of [`Network::inputs`]. What does not fit the network or
    /// memory is refused here, before any arithmetic.
    fn begin<'a>(&'a mut self, inputs: &'a [Tensor]) -> Result<Box<dyn Run + 'a>>;
    /// `forward(inputs...)` from begin to end, on an engine that never has to wait, such as a CPU.
    fn run(&mut self, inputs: &[Tensor], watch: Watch<'_>) -> Result<Tensor> {
        run::ready(run::to_end(self.begin(inputs)?, watch))
    }
    /// Short name for reports: `reference` or `fast`.
    fn name(&self) -> &'static str;
    /// Where the time of the last run went; nothing before the first, or from an engine that does not measure.
    fn report(&self) -> Option<&RunReport> {
        None
    }
}

/// What the last run took.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// In execution order; layers that were fused into another are part of it.
    pub layers: Vec<LayerTime>,
    /// Threads that took part.
    pub threads: usize,
    /// See [`simd`].
    pub simd: &'static str,
    /// Bytes of the weights as packed.
    pub weight_bytes: u64,
    /// Bytes of the memory for values and scratch.
    pub arena_bytes: u64,
    /// Milliseconds that packing the weights took, reading the file not counted.
    pub packing_ms: f64,
}

/// One step of the plan.
#[derive(Clone, Debug)]
pub struct LayerTime {
    /// Path of the first layer it does.
    pub path: String,
    /// PyTorch's name of that layer.
    pub op: &'static str,
    /// How it ran: `direct`, `winograd`, `narrow`, `reference`, ...
    pub kernel: &'static str,
    /// Milliseconds.
    pub ms: f64,
    /// Multiply-adds by the layer's definition, whatever the kernel saved.
    pub macs: u64,
}

/// The instructions that the kernels use here: `relaxed-simd`, `simd128`, `avx2` or `scalar`.
pub fn simd() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if cpu::has_avx() {
        return "avx2";
    }
    match () {
        () if cfg!(target_feature = "relaxed-simd") => "relaxed-simd",
        () if cfg!(target_feature = "simd128") => "simd128",
        () => "scalar",
    }
}

/// Which engine to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// candle-nn.
    Reference,
    /// The compiled plan.
    Fast,
}

impl EngineKind {
    /// The engine of this name, `fast` or `reference`; `usage` if there is none.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "fast" => Ok(Self::Fast),
            "reference" => Ok(Self::Reference),
            _ => Err(Error::new(Code::Usage, format!("There is no engine {name}: choose fast or reference."))),
        }
    }
}

/// Builds an engine: checks the description, then takes every weight it needs, in order.
///
/// `network-invalid` if PyTorch would refuse a layer; whatever `weights` raises.
pub fn build(kind: EngineKind, network: &Network, weights: &mut dyn WeightSource) -> Result<Box<dyn Engine>> {
    network.check()?;
    Ok(match kind {
        #[cfg(any(not(target_arch = "wasm32"), feature = "reference"))]
        EngineKind::Reference => Box::new(reference::Reference::new(network, weights)?),
        #[cfg(not(any(not(target_arch = "wasm32"), feature = "reference")))]
        EngineKind::Reference => {
            return Err(Error::new(
                Code::Usage,
                "This build has no reference engine: build it with --features reference.",
            ));
        }
        EngineKind::Fast => Box::new(cpu::Cpu::new(network, weights)?),
    })
}

/// The batch size, and `[1, C, H, W]` of every input, after checking that there are four dimensions and one batch size, and
/// that no layer mixes the images of a batch.
pub(crate) fn input_shapes(network: &Network, inputs: &[Tensor]) -> Result<(usize, Vec<Shape>)> {
    let mut batch = None;
    let mut shapes = Vec::with_capacity(inputs.len());
    for input in inputs {
        let (n, c, h, w) = input.nchw()?;
        if n == 0 || c == 0 || h == 0 || w == 0 {
            return Err(Error::new(Code::InputShape, format!("The input is empty: its shape is {:?}.", input.shape())));
        }
        if *batch.get_or_insert(n) != n {
            return Err(Error::new(Code::InputShape, "The inputs must have the same batch size."));
        }
        shapes.push(Shape::image(c, h, w));
    }
    let batch = batch.unwrap_or(1);
    check_batch(network, &shapes, batch)?;
    Ok((batch, shapes))
}

/// `input-shape` unless every value that depends on an input has so many times the images that it has for one: layers such
/// as `x.view(1, ...)` or a chunk of dimension 0 would make others of them, and so would values of fewer dimensions, whose
/// images are beside another dimension when they are broadcast.
fn check_batch(network: &Network, one: &[Shape], batch: usize) -> Result<()> {
    if batch == 1 {
        return Ok(());
    }
    let all: Vec<Shape> = one.iter().map(|shape| shape.with_side(0, batch)).collect();
    let (single, several) = (network.shapes(one)?, network.shapes(&all)?);
    let mut depends = vec![false; network.nodes.len()];
    for (index, node) in network.nodes.iter().enumerate() {
        depends[index] = matches!(node.op, Op::Input(_)) || node.inputs.iter().any(|value| depends[value.node]);
        let images = if depends[index] { batch } else { 1 };
        let scaled = |shape: &Shape| shape.with_side(0, shape.batch().saturating_mul(images));
        let is_scaled = single.outputs(index).iter().map(scaled).eq(several.outputs(index).iter().copied());
        let dependent = node.inputs.iter().filter(|value| depends[value.node]);
        let mut ranks = dependent.map(|value| single[*value].sides().len());
        let first = ranks.next();
        let is_broadcast = ranks.any(|rank| Some(rank) != first);
        if !is_scaled || is_broadcast || (depends[index] && node.op.mixes_images()) {
            let text = format!("{} mixes the images of a batch, so they can only be run one by one.", node.path);
            return Err(Error::new(Code::InputShape, text));
        }
    }
    Ok(())
}

/// The error of a run that asks for more memory than there is; `None` bytes are more than can be counted.
pub(crate) fn too_large(bytes: Option<u64>) -> Error {
    let room = limits::RUN_BYTES / 1_000_000;
    Error::said(match bytes {
        Some(bytes) => Sentence::RunMemory { need: bytes / 1_000_000, room },
        None => Sentence::RunMemoryUncounted { room },
    })
}

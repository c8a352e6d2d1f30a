//! The fast engine: a plan compiled once from the description and the weights, held against the reference.
//!
//! `plan` turns nodes into steps (`choice`: which of them on transformed weights); `layout` gives every value a place for
//! the shapes at hand; `step` runs one.
//! Convolutions are implicit GEMMs (`direct`), minimal filtering (`form`, `transformed`, `tiled`), products over whole rows
//! (`narrow`) or filters of single channels (`depthwise`), all over the loops in `kernels`.

mod choice;
#[cfg(test)]
mod definition;
mod depthwise;
mod direct;
mod form;
mod geometry;
mod kernels;
mod layout;
mod narrow;
mod plan;
mod step;
mod tiled;
mod transformed;
mod trial;
mod view;

#[cfg(target_arch = "x86_64")]
pub use kernels::has_avx;

use super::{Engine, LayerTime, RunReport, Step, Watch, WeightSource, cancelled, input_shapes, simd};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::network::{Network, Shape};
use crate::tensor::Tensor;
use crate::{clock, threads};
use layout::Layout;
use plan::Plan;

/// A compiled network.
pub struct Fast {
    plan: Plan,
    /// Places for the shapes of the last run.
    layout: Option<Layout>,
    arena: Vec<f32>,
    report: Option<RunReport>,
    weight_bytes: u64,
    packing_ms: f64,
}

/// Weights, and how long their source took to give them.
struct Timed<'a> {
    source: &'a mut dyn WeightSource,
    ms: f64,
}

impl WeightSource for Timed<'_> {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let start = clock::now_ms();
        let values = self.source.take(key);
        self.ms += clock::now_ms() - start;
        values
    }

    fn pieces(&mut self, key: &str, each: &mut dyn FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let (start, mut used) = (clock::now_ms(), 0.0);
        let outcome = self.source.pieces(key, &mut |piece| {
            let start = clock::now_ms();
            let outcome = each(piece);
            used += clock::now_ms() - start;
            outcome
        });
        self.ms += clock::now_ms() - start - used;
        outcome
    }
}

impl Fast {
    /// Compiles the plan, taking and packing the weights in order; the unpacked copy goes layer by layer.
    pub fn new(network: &Network, weights: &mut dyn WeightSource) -> Result<Self> {
        let start = clock::now_ms();
        let mut weights = Timed { source: weights, ms: 0.0 };
        let plan = Plan::new(network, &mut weights)?;
        let weight_bytes = plan.weight_bytes();
        let packing_ms = clock::now_ms() - start - weights.ms;
        Ok(Self { plan, layout: None, arena: Vec::new(), report: None, weight_bytes, packing_ms })
    }

    /// Takes the memory that a run at these shapes needs; `out-of-memory` before anything is taken if it cannot fit.
    fn lay_out(&mut self, inputs: &[Shape]) -> Result<Layout> {
        let threads = threads::count();
        if let Some(layout) = self.layout.take().filter(|layout| layout.inputs == inputs && layout.threads == threads) {
            return Ok(layout);
        }
        let layout = Layout::new(&self.plan, inputs, threads)?;
        let bytes = layout.bytes() + self.weight_bytes;
        if bytes > limits::RUN_BYTES {
            return Err(super::too_large(Some(bytes)));
        }
        if self.arena.len() < layout.size {
            // The old one goes first: memory once taken in wasm is never given back, only used again.
            self.arena = Vec::new();
            self.arena.try_reserve_exact(layout.size).map_err(|_| {
                Error::new(Code::OutOfMemory, "There is not enough memory. Choose a smaller size for the network.")
            })?;
            self.arena.resize(layout.size, 0.0);
        }
        Ok(layout)
    }

    fn run_image(&mut self, inputs: &[&[f32]], layout: &Layout, macs: &[u64], watch: Watch<'_>) -> Result<Vec<f32>> {
        let Self { plan, arena, report, weight_bytes, packing_ms, .. } = self;
        let total = macs.iter().sum::<u64>().max(1) as f32;
        let mut layers = Vec::with_capacity(plan.steps.len());
        let mut given = inputs.iter();
        let mut done = 0;
        for (index, step) in plan.steps.iter().enumerate() {
            let own: u64 = step.nodes.iter().map(|&node| macs[node]).sum();
            let node = step.nodes.first().map(|&index| &plan.network.nodes[index]);
            let layer = node.map_or("", |node| node.path.as_str());
            let mut tell = |part: f32| watch(Step { done: (done as f32 + part * own as f32) / total, layer });
            if !layer.is_empty() && tell(0.0).is_break() {
                return Err(cancelled());
            }
            let start = clock::now_ms();
            let input = if matches!(step.kernel, plan::Kernel::Input) { given.next().copied() } else { None };
            step::run((index, step), (arena, layout), input, &mut tell)?;
            layers.push(LayerTime {
                path: layer.to_owned(),
                op: node.map_or("copy", |node| node.op.name()),
                kernel: step.kernel.name(),
                ms: clock::now_ms() - start,
                macs: own,
            });
            done += own;
        }
        *report = Some(RunReport {
            layers,
            threads: threads::count(),
            simd: simd(),
            weight_bytes: *weight_bytes,
            arena_bytes: layout.bytes(),
            packing_ms: *packing_ms,
        });
        let view = &layout.views[plan.output];
        Ok(step::to_nchw(&arena[view.place()], view))
    }
}

impl Engine for Fast {
    fn network(&self) -> &Network {
        &self.plan.network
    }

    fn name(&self) -> &'static str {
        "fast"
    }

    fn report(&self) -> Option<&RunReport> {
        self.report.as_ref()
    }

    fn prepare(&mut self, inputs: &[Shape]) -> Result<()> {
        self.layout = Some(self.lay_out(inputs)?);
        Ok(())
    }

    fn run(&mut self, inputs: &[Tensor], watch: Watch<'_>) -> Result<Tensor> {
        let (batch, shapes) = input_shapes(inputs)?;
        let macs: Vec<u64> = self.plan.network.costs(&shapes)?.iter().map(|cost| cost.macs).collect();
        let layout = self.lay_out(&shapes)?;
        let output = layout.views[self.plan.output].shape;
        let count = (batch as u64).saturating_mul(output.elements());
        if count > limits::TENSOR_ELEMENTS as u64 {
            return Err(super::too_large(Some(count.saturating_mul(4))));
        }
        let mut values = Vec::with_capacity(count as usize);
        for image in 0..batch {
            let images: Vec<&[f32]> = inputs
                .iter()
                .zip(&shapes)
                .map(|(input, shape)| {
                    let length = shape.elements() as usize;
                    &input.data()[image * length..][..length]
                })
                .collect();
            let mut part =
                |step: Step<'_>| watch(Step { done: (image as f32 + step.done) / batch as f32, layer: step.layer });
            values.extend(self.run_image(&images, &layout, &macs, &mut part)?);
        }
        self.layout = Some(layout);
        Tensor::new([batch, output.channels, output.height, output.width], values)
    }
}

//! The fast engine: a plan compiled once from the description and the weights, held against the reference.
//!
//! `plan` gives every lowered step its kernel (`algorithm_selection`: which convolutions run on transformed weights); `layout` gives
//! every value a place for the shapes at hand; `step` runs one step.
//! Convolutions are implicit GEMMs (`implicit_gemm`), minimal filtering (`winograd`), products over whole rows
//! (`small_cout_conv`) or filters of single channels (`depthwise`), all over the loops in `kernels`. `fourier` transforms
//! planes.

mod algorithm_selection;
mod attention;
#[cfg(test)]
mod definition;
mod depthwise;
mod fourier;
mod geometry;
mod implicit_gemm;
mod kernels;
mod layout;
mod plan;
mod rows;
mod small_cout_conv;
mod step;
mod view;
mod winograd;

#[cfg(target_arch = "x86_64")]
pub use kernels::has_avx;

use super::run::{Pending, cancelled};
use super::{Engine, LayerTime, Run, RunReport, Step, Watch, WeightSource, input_shapes, simd};
use crate::error::{Error, Result};
use crate::limits;
use crate::network::{Network, Shape, ValueId};
use crate::sentences::Sentence;
use crate::tensor::Tensor;
use crate::{clock, threads};
use layout::Layout;
use plan::Plan;
use step::Place;

/// A compiled network.
pub struct Cpu {
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

impl Cpu {
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
            self.arena.try_reserve_exact(layout.size).map_err(|_| Error::said(Sentence::RunMemoryRefused {}))?;
            self.arena.resize(layout.size, 0.0);
        }
        Ok(layout)
    }
}

/// A run of a batch, one image after another.
struct CpuRun<'a> {
    cpu: &'a mut Cpu,
    layout: Layout,
    inputs: &'a [Tensor],
    batch: usize,
    /// Multiply-adds of every node for one image, and all together.
    macs: Vec<u64>,
    total: u64,
    /// The image at hand, the next step of it, and the multiply-adds before that step.
    image: usize,
    next: usize,
    done: u64,
    /// Inputs that the image's steps have taken.
    taken: usize,
    layers: Vec<LayerTime>,
    output: Vec<f32>,
}

impl CpuRun<'_> {
    /// The next step; `false` if there is none left.
    fn advance(&mut self, watch: Watch<'_>) -> Result<bool> {
        if self.image == self.batch {
            return Ok(false);
        }
        let Cpu { plan, arena, .. } = &mut *self.cpu;
        let step = &plan.steps[self.next];
        let own: u64 = step.nodes.iter().map(|&node| self.macs[node]).sum();
        let node = step.nodes.first().map(|&index| &plan.network.nodes[index]);
        let layer = node.map_or("", |node| node.path.as_str());
        let (image, batch, done, total) = (self.image as f32, self.batch as f32, self.done as f32, self.total as f32);
        let mut tell = |part: f32| watch(Step { done: (image + (done + part * own as f32) / total) / batch, layer });
        if !layer.is_empty() && tell(0.0).is_break() {
            return Err(cancelled());
        }
        let start = clock::now_ms();
        let mut input = None;
        if matches!(step.kernel, plan::Kernel::Input) {
            input = self.inputs.get(self.taken).map(|tensor| image_of(tensor, self.image, self.batch));
            self.taken += 1;
        }
        let mut place = Place { arena, layout: &self.layout, shapes: &self.layout.shapes };
        step::run(&plan.network, (self.next, step), &mut place, input, &mut tell)?;
        self.layers.push(LayerTime {
            path: layer.to_owned(),
            op: node.map_or("copy", |node| node.op.name()),
            kernel: step.kernel.name(),
            ms: clock::now_ms() - start,
            macs: own,
        });
        self.done += own;
        self.next += 1;
        if self.next == self.cpu.plan.steps.len() {
            self.end_image();
        }
        Ok(true)
    }

    /// Takes an image's result and its report, and goes on to the next image.
    fn end_image(&mut self) {
        let cpu = &mut *self.cpu;
        let view = &self.layout.views[cpu.plan.output];
        self.output.extend(step::to_planes(&cpu.arena[view.place()], view));
        cpu.report = Some(RunReport {
            layers: std::mem::take(&mut self.layers),
            threads: threads::count(),
            simd: simd(),
            weight_bytes: cpu.weight_bytes,
            arena_bytes: self.layout.bytes(),
            packing_ms: cpu.packing_ms,
        });
        (self.image, self.next, self.done, self.taken) = (self.image + 1, 0, 0, 0);
    }
}

/// One image of a batch.
fn image_of(tensor: &Tensor, image: usize, batch: usize) -> &[f32] {
    let length = tensor.data().len() / batch.max(1);
    &tensor.data()[image * length..][..length]
}

impl Run for CpuRun<'_> {
    fn step<'s>(&'s mut self, watch: Watch<'s>) -> Pending<'s, bool> {
        Box::pin(std::future::ready(self.advance(watch)))
    }

    fn last_value(&self) -> Result<Option<(ValueId, Tensor)>> {
        let plan = &self.cpu.plan;
        let last = if self.next == 0 { plan.steps.len() } else { self.next };
        let step = last.checked_sub(1).and_then(|last| plan.steps.get(last)).filter(|step| !step.partial);
        let Some(step) = step else { return Ok(None) };
        let Some(&node) = step.nodes.last() else { return Ok(None) };
        let value = step.output();
        let view = &self.layout.views[value];
        let values = step::to_planes(&self.cpu.arena[view.place()], view);
        Ok(Some((ValueId::first(node), Tensor::new(self.layout.shapes[value].sides(), values)?)))
    }

    fn finish<'s>(self: Box<Self>) -> Pending<'s, Tensor>
    where
        Self: 's,
    {
        let Self { cpu, layout, batch, output, .. } = *self;
        let mut shape = layout.shapes[cpu.plan.output].sides().to_vec();
        if let Some(images) = shape.first_mut() {
            *images *= batch;
        }
        cpu.layout = Some(layout);
        Box::pin(std::future::ready(Tensor::new(shape, output)))
    }
}

impl Engine for Cpu {
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

    fn begin<'a>(&'a mut self, inputs: &'a [Tensor]) -> Result<Box<dyn Run + 'a>> {
        let (batch, shapes) = input_shapes(&self.plan.network, inputs)?;
        let macs: Vec<u64> = self.plan.network.costs(&shapes)?.iter().map(|cost| cost.macs).collect();
        let total = macs.iter().fold(0u64, |all, &macs| all.saturating_add(macs)).max(1);
        let layout = self.lay_out(&shapes)?;
        let elements = layout.views[self.plan.output].shape.elements();
        let count = batch.checked_mul(elements).filter(|&count| count <= limits::TENSOR_ELEMENTS);
        let count = count.ok_or_else(|| super::too_large(None))?;
        Ok(Box::new(CpuRun {
            cpu: self,
            layout,
            inputs,
            batch,
            macs,
            total,
            image: 0,
            next: 0,
            done: 0,
            taken: 0,
            layers: Vec::new(),
            output: Vec::with_capacity(count),
        }))
    }
}

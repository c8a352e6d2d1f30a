//! Convolutions, plain and transposed, as implicit GEMM: five output pixels by eight output channels at a time,
//! reading input pixels in place. A transposed convolution is one plain convolution per output phase.

use std::ops::ControlFlow;

use super::kernels::{LANES, ROWS, multiply};
use super::simple::activate_slice;
use super::{Value, reflected};
use crate::engine::{WeightSource, cancelled};
use crate::error::{Code, Error, Result};
use crate::network::{Activation, Conv2d, ConvTranspose2d, Node, Op, PaddingMode};

/// Output pixels between two looks at the watcher, and between two passes over the weights.
const CHUNK: usize = 16 * ROWS;

/// What a convolution layer is.
#[derive(Clone)]
pub enum Convolution {
    /// `nn.Conv2d` without groups.
    Plain(Conv2d),
    /// `nn.ConvTranspose2d` without groups.
    Transposed(ConvTranspose2d),
}

impl Convolution {
    /// The layer, if it has a fast form.
    pub fn of(op: &Op) -> Option<Self> {
        match op {
            Op::Conv2d(conv) if conv.groups == 1 => Some(Self::Plain(conv.clone())),
            Op::ConvTranspose2d(conv) if conv.groups == 1 => Some(Self::Transposed(conv.clone())),
            _ => None,
        }
    }

    fn channels(&self) -> (usize, usize) {
        match self {
            Self::Plain(c) => (c.in_channels, c.out_channels),
            Self::Transposed(c) => (c.in_channels, c.out_channels),
        }
    }

    fn kernel(&self) -> (usize, usize) {
        match self {
            Self::Plain(c) => c.kernel_size,
            Self::Transposed(c) => c.kernel_size,
        }
    }

    /// Index of `[output channel, input channel, tap]` in PyTorch's layout.
    fn weight_index(&self, output: usize, input: usize, tap: usize) -> usize {
        let (inputs, outputs) = self.channels();
        let taps = self.kernel().0 * self.kernel().1;
        match self {
            Self::Plain(_) => (output * inputs + input) * taps + tap,
            Self::Transposed(_) => (input * outputs + output) * taps + tap,
        }
    }
}

/// A layer's weights as PyTorch has them.
pub struct Raw {
    /// PyTorch's layout.
    pub weight: Vec<f32>,
    /// One per output channel, a folded norm included.
    pub bias: Vec<f32>,
    /// What a folded norm multiplies each output channel with.
    pub scale: Vec<f32>,
}

impl Raw {
    /// Takes weight and bias.
    pub fn take(node: &Node, shape: &Convolution, weights: &mut dyn WeightSource) -> Result<Self> {
        let outputs = shape.channels().1;
        let weight = weights.take(&format!("{}.weight", node.path))?;
        let has_bias = match shape {
            Convolution::Plain(c) => c.bias,
            Convolution::Transposed(c) => c.bias,
        };
        let bias = if has_bias { weights.take(&format!("{}.bias", node.path))? } else { vec![0.0; outputs] };
        let expected = shape.channels().0 * outputs * shape.kernel().0 * shape.kernel().1;
        if weight.len() != expected || bias.len() != outputs {
            return Err(Error::new(Code::Internal, format!("{} has weights of another size.", node.path)));
        }
        Ok(Self { weight, bias, scale: vec![1.0; outputs] })
    }

    /// Folds a batch norm that follows: `y * scale + offset`.
    pub fn fold(&mut self, (scale, offset): &(Vec<f32>, Vec<f32>)) {
        for ((bias, s), o) in self.bias.iter_mut().zip(scale).zip(offset) {
            *bias = *bias * s + o;
        }
        self.scale.clone_from(scale);
    }
}

/// One tap of a phase along one axis: input index = output step * `step` + `offset`.
#[derive(Clone, Copy)]
struct Tap {
    kernel: usize,
    offset: isize,
}

/// Output positions `first, first + every, ..` of one axis, and the taps they read.
struct Phase {
    first: usize,
    every: usize,
    /// Input pixels between neighbouring output positions of the phase.
    step: usize,
    taps: Vec<Tap>,
}

impl Phase {
    fn plain(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Vec<Self> {
        let tap = |k: usize| Tap { kernel: k, offset: (k * dilation) as isize - padding as isize };
        vec![Self { first: 0, every: 1, step: stride, taps: (0..kernel).map(tap).collect() }]
    }

    /// Output `o` takes the taps `k` with `(o + padding - k * dilation) % stride == 0`.
    fn transposed(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Vec<Self> {
        let phase = |first: usize| {
            let offset = |k: usize| (first + padding) as isize - (k * dilation) as isize;
            let reads = |k: &usize| offset(*k).rem_euclid(stride as isize) == 0;
            let tap = |k: usize| Tap { kernel: k, offset: offset(k).div_euclid(stride as isize) };
            Self { first, every: stride, step: 1, taps: (0..kernel).filter(reads).map(tap).collect() }
        };
        (0..stride).map(phase).collect()
    }
}

/// The weights of these taps as `[output / 8][tap][input][8]`, zeros beyond the last output.
fn pack(shape: &Convolution, raw: &Raw, taps: &[usize]) -> Vec<f32> {
    let (inputs, outputs) = shape.channels();
    let per_block = taps.len() * inputs * LANES;
    let mut packed = vec![0.0; per_block * outputs.div_ceil(LANES)];
    for (block, target) in packed.chunks_exact_mut(per_block.max(1)).enumerate() {
        let first = block * LANES;
        let lanes = LANES.min(outputs - first);
        let mut place = |output: usize, input: usize| {
            let from = &raw.weight[shape.weight_index(output, input, 0)..];
            let scale = raw.scale[output];
            for (slot, &tap) in taps.iter().enumerate() {
                target[(slot * inputs + input) * LANES + output - first] = from[tap] * scale;
            }
        };
        // In the order in which the weights lie in memory.
        match shape {
            Convolution::Plain(_) => {
                (first..first + lanes).for_each(|output| (0..inputs).for_each(|input| place(output, input)));
            }
            Convolution::Transposed(_) => {
                (0..inputs).for_each(|input| (first..first + lanes).for_each(|output| place(output, input)));
            }
        }
    }
    packed
}

/// A layer ready to run.
pub struct Packed {
    shape: Convolution,
    rows: Vec<Phase>,
    columns: Vec<Phase>,
    /// For every pair of row and column phase: `[output / 8][tap][input][8]`.
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
    activation: Option<Activation>,
    padding_mode: PaddingMode,
}

impl Packed {
    /// Packs the weights; the raw ones are dropped.
    pub fn new(shape: Convolution, raw: Raw, activation: Option<Activation>) -> Self {
        let (rows, columns, padding_mode) = match &shape {
            Convolution::Plain(c) => (
                Phase::plain(c.kernel_size.0, c.stride.0, c.padding.0, c.dilation.0),
                Phase::plain(c.kernel_size.1, c.stride.1, c.padding.1, c.dilation.1),
                c.padding_mode,
            ),
            Convolution::Transposed(c) => (
                Phase::transposed(c.kernel_size.0, c.stride.0, c.padding.0, c.dilation.0),
                Phase::transposed(c.kernel_size.1, c.stride.1, c.padding.1, c.dilation.1),
                PaddingMode::Zeros,
            ),
        };
        let outputs = shape.channels().1;
        let width = shape.kernel().1;
        let mut weights = Vec::with_capacity(rows.len() * columns.len());
        for row in &rows {
            for column in &columns {
                let taps: Vec<usize> = row
                    .taps
                    .iter()
                    .flat_map(|y| column.taps.iter().map(move |x| y.kernel * width + x.kernel))
                    .collect();
                weights.push(pack(&shape, &raw, &taps));
            }
        }
        let mut bias = raw.bias;
        bias.resize(outputs.next_multiple_of(LANES), 0.0);
        Self { shape, rows, columns, weights, bias, activation, padding_mode }
    }

    /// The layer's output; `tell` is asked now and then whether to go on.
    pub fn run(&self, x: &Value, tell: &mut dyn FnMut(f32) -> ControlFlow<()>) -> Result<Value> {
        let size = match &self.shape {
            Convolution::Plain(c) => c.output_size(x.height, x.width),
            Convolution::Transposed(c) => c.output_size(x.height, x.width),
        };
        let (height, width) =
            size.ok_or_else(|| Error::new(Code::InputShape, "Calculated output size is too small"))?;
        let outputs = self.shape.channels().1;
        let mut out = Value::zeros(outputs, height, width);
        let zeros = vec![0.0f32; x.channels];
        let parts = self.weights.len() as f32;
        for (part, weights) in self.weights.iter().enumerate() {
            let (row, column) = (&self.rows[part / self.columns.len()], &self.columns[part % self.columns.len()]);
            self.phase(x, &zeros, (row, column), weights, &mut out, &mut |share| tell((part as f32 + share) / parts))?;
        }
        if let Some(activation) = self.activation {
            activate_slice(activation, &mut out.data);
        }
        Ok(out)
    }

    /// All output pixels of one pair of phases.
    fn phase(
        &self,
        x: &Value,
        zeros: &[f32],
        (row, column): (&Phase, &Phase),
        weights: &[f32],
        out: &mut Value,
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let count = |size: usize, phase: &Phase| size.saturating_sub(phase.first).div_ceil(phase.every);
        let (rows, columns) = (count(out.height, row), count(out.width, column));
        let taps = row.taps.len() * column.taps.len();
        let per_block = taps * x.channels * LANES;
        let source = |phase: &Phase, position: usize, size: usize| -> Vec<Option<usize>> {
            let read = |tap: &Tap| reflected((position * phase.step) as isize + tap.offset, size, self.padding_mode);
            phase.taps.iter().map(read).collect()
        };
        let across: Vec<Vec<Option<usize>>> = (0..columns).map(|c| source(column, c, x.width)).collect();
        let mut inputs: Vec<&[f32]> = Vec::with_capacity(CHUNK * taps);
        let mut targets = Vec::with_capacity(CHUNK);
        let total = rows * columns;
        let mut next = 0;
        while next < total {
            inputs.clear();
            targets.clear();
            let end = (next + CHUNK).min(total);
            for pixel in next..end {
                let (r, c) = (pixel / columns, pixel % columns);
                for y in source(row, r, x.height) {
                    for column in &across[c] {
                        inputs.push(match (y, column) {
                            (Some(y), Some(x_at)) => &x.data[(y * x.width + x_at) * x.channels..][..x.channels],
                            _ => zeros,
                        });
                    }
                }
                targets.push((row.first + r * row.every) * out.width + column.first + c * column.every);
            }
            for (block, weights) in weights.chunks_exact(per_block.max(1)).enumerate() {
                self.block(block, weights, taps, &inputs, &targets, out);
            }
            if taps == 0 {
                // No tap reaches these pixels: they are the bias.
                for &target in &targets {
                    let pixel = &mut out.data[target * out.channels..][..out.channels];
                    pixel.copy_from_slice(&self.bias[..pixel.len()]);
                }
            }
            if tell(end as f32 / total as f32).is_break() {
                return Err(cancelled());
            }
            next = end;
        }
        Ok(())
    }

    /// Eight output channels of a chunk of pixels.
    fn block(&self, block: usize, weights: &[f32], taps: usize, inputs: &[&[f32]], targets: &[usize], out: &mut Value) {
        let first = block * LANES;
        let lanes = LANES.min(out.channels - first);
        let mut bias = [0.0; LANES];
        bias.copy_from_slice(&self.bias[first..first + LANES]);
        for (tile, targets) in targets.chunks(ROWS).enumerate() {
            let start = tile * ROWS;
            let mut sums = [bias; ROWS];
            let per_tap = weights.len() / taps;
            for (tap, weights) in weights.chunks_exact(per_tap).enumerate() {
                // Where the chunk ends early, the last pixel is computed again and thrown away.
                let input = |i: usize| inputs[(start + i.min(targets.len() - 1)) * taps + tap];
                multiply(&mut sums, [input(0), input(1), input(2), input(3), input(4)], weights);
            }
            for (sum, &target) in sums.iter().zip(targets) {
                out.data[target * out.channels + first..][..lanes].copy_from_slice(&sum[..lanes]);
            }
        }
    }
}

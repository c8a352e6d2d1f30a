//! What a convolution reads and writes: phases and taps, the border it needs, its weights as PyTorch has them.

use crate::engine::WeightSource;
use crate::engine::lower::FusedPadding;
use crate::error::{Code, Error, Result};
use crate::network::{Conv2d, ConvTranspose2d, Node, Op, Pair};
use crate::ordering;

/// What a convolution layer is.
#[derive(Clone, Debug)]
pub enum Convolution {
    /// `nn.Conv2d`.
    Plain(Conv2d),
    /// `nn.ConvTranspose2d`.
    Transposed(ConvTranspose2d),
}

impl Convolution {
    /// The layer, if it is one.
    pub fn of(op: &Op) -> Option<Self> {
        match op {
            Op::Conv2d(conv) => Some(Self::Plain(conv.clone())),
            Op::ConvTranspose2d(conv) => Some(Self::Transposed(conv.clone())),
            _ => None,
        }
    }

    /// Input and output channels.
    pub fn channels(&self) -> (usize, usize) {
        match self {
            Self::Plain(c) => (c.in_channels, c.out_channels),
            Self::Transposed(c) => (c.in_channels, c.out_channels),
        }
    }

    /// Groups of channels: those of one group see those of the same group only.
    pub fn groups(&self) -> usize {
        match self {
            Self::Plain(c) => c.groups,
            Self::Transposed(c) => c.groups,
        }
    }

    /// Input and output channels of a group.
    pub fn group(&self) -> (usize, usize) {
        let (inputs, outputs) = self.channels();
        (inputs / self.groups(), outputs / self.groups())
    }

    /// Kernel height and width.
    pub fn kernel(&self) -> Pair {
        match self {
            Self::Plain(c) => c.kernel_size,
            Self::Transposed(c) => c.kernel_size,
        }
    }

    /// Values in its weight.
    pub fn weights(&self) -> usize {
        self.channels().0 * self.group().1 * self.kernel().0 * self.kernel().1
    }

    /// Index of `[output channel, input channel, tap 0]` in PyTorch's layout, without groups; the taps follow each other.
    pub fn weight_index(&self, output: usize, input: usize) -> usize {
        let (inputs, outputs) = self.channels();
        let taps = self.kernel().0 * self.kernel().1;
        match self {
            Self::Plain(_) => (output * inputs + input) * taps,
            Self::Transposed(_) => (input * outputs + output) * taps,
        }
    }
}

/// One tap along one axis: input index = output step * `step` + `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Index in the kernel.
    pub kernel: usize,
    /// Distance from the phase's input position.
    pub offset: isize,
}

/// Output positions `first, first + every, ..` of one axis, and the taps they read, by ascending offset.
#[derive(Clone, Debug)]
pub struct Phase {
    /// The first output position.
    pub first: usize,
    /// Distance to the next.
    pub every: usize,
    /// Input pixels between neighbouring output positions of the phase.
    pub step: usize,
    /// What each reads.
    pub taps: Vec<Tap>,
}

impl Phase {
    /// `padding` may come from the layer or from a padding layer in front of it.
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
            let mut taps: Vec<Tap> = (0..kernel).filter(reads).map(tap).collect();
            ordering::sort_by_key(&mut taps, |tap| tap.offset);
            Self { first, every: stride, step: 1, taps }
        };
        (0..stride).map(phase).collect()
    }

    /// Output positions of this phase along an axis of this size.
    pub fn count(&self, size: usize) -> usize {
        size.saturating_sub(self.first).div_ceil(self.every)
    }
}

/// A convolution with everything that its kernels need to know about places.
#[derive(Clone, Debug)]
pub struct Geometry {
    /// The layer.
    pub layer: Convolution,
    /// Phases of the rows.
    pub rows: Vec<Phase>,
    /// Phases of the columns.
    pub columns: Vec<Phase>,
}

impl Geometry {
    /// `padding` is a padding layer in front of the convolution that it does on the way.
    pub fn new(layer: Convolution, padding: Option<FusedPadding>) -> Self {
        let (top, left) = padding.map_or((0, 0), |padding| (padding.top, padding.left));
        let (rows, columns) = match &layer {
            Convolution::Plain(c) => (
                Phase::plain(c.kernel_size.0, c.stride.0, c.padding.0 + top, c.dilation.0),
                Phase::plain(c.kernel_size.1, c.stride.1, c.padding.1 + left, c.dilation.1),
            ),
            Convolution::Transposed(c) => (
                Phase::transposed(c.kernel_size.0, c.stride.0, c.padding.0, c.dilation.0),
                Phase::transposed(c.kernel_size.1, c.stride.1, c.padding.1, c.dilation.1),
            ),
        };
        Self { layer, rows, columns }
    }

    /// How far this convolution reads beyond its input: `(top, left, bottom, right)`.
    pub fn border(&self, input: Pair, output: Pair) -> [usize; 4] {
        let axis = |phases: &[Phase], size: usize, out: usize| {
            let (mut before, mut after) = (0isize, 0isize);
            for phase in phases.iter().filter(|p| p.count(out) > 0) {
                let last = ((phase.count(out) - 1) * phase.step) as isize;
                for tap in &phase.taps {
                    before = before.max(-tap.offset);
                    after = after.max(last + tap.offset + 1 - size as isize);
                }
            }
            (before as usize, after as usize)
        };
        let (top, bottom) = axis(&self.rows, input.0, output.0);
        let (left, right) = axis(&self.columns, input.1, output.1);
        [top, left, bottom, right]
    }
}

/// A layer's weights as PyTorch has them, with a folded norm.
pub struct ConvWeights {
    /// PyTorch's layout.
    pub weight: Vec<f32>,
    /// One per output channel, a folded norm included.
    pub bias: Vec<f32>,
    /// What a folded norm multiplies each output channel with.
    pub scale: Vec<f32>,
}

impl ConvWeights {
    /// Takes the bias; the weight stays empty until [`ConvWeights::take_weight`].
    pub fn take_bias(node: &Node, shape: &Convolution, weights: &mut dyn WeightSource) -> Result<Self> {
        let outputs = shape.channels().1;
        let has_bias = match shape {
            Convolution::Plain(c) => c.bias,
            Convolution::Transposed(c) => c.bias,
        };
        let bias = if has_bias { weights.take(key(node, 1)?)? } else { vec![0.0; outputs] };
        if bias.len() != outputs {
            return Err(other_size(node));
        }
        Ok(Self { weight: Vec::new(), bias, scale: vec![1.0; outputs] })
    }

    /// Takes the weight as a whole.
    pub fn take_weight(&mut self, node: &Node, shape: &Convolution, weights: &mut dyn WeightSource) -> Result<()> {
        self.weight = weights.take(key(node, 0)?)?;
        if self.weight.len() == shape.weights() { Ok(()) } else { Err(other_size(node)) }
    }

    /// Folds a norm with fixed statistics that follows: `y * scale + offset`.
    pub fn fold(&mut self, (scale, offset): &(Vec<f32>, Vec<f32>)) {
        for ((bias, s), o) in self.bias.iter_mut().zip(scale).zip(offset) {
            *bias = *bias * s + o;
        }
        self.scale.clone_from(scale);
    }

    /// The bias, zeros up to a multiple of eight.
    pub fn padded_bias(&self) -> Vec<f32> {
        let mut bias = self.bias.clone();
        bias.resize(bias.len().next_multiple_of(super::kernels::LANES), 0.0);
        bias
    }
}

/// Gives the weight of `node` in pieces, each with the index of its first value, and makes sure that they are all.
pub fn read_weight(
    node: &Node,
    shape: &Convolution,
    weights: &mut dyn WeightSource,
    each: &mut dyn FnMut(usize, &[f32]),
) -> Result<()> {
    let (all, mut done) = (shape.weights(), 0);
    weights.pieces(key(node, 0)?, &mut |piece| {
        if piece.len() > all - done {
            return Err(other_size(node));
        }
        each(done, piece);
        done += piece.len();
        Ok(())
    })?;
    if done == all { Ok(()) } else { Err(other_size(node)) }
}

/// The key of a convolution's weight (0) or bias (1).
fn key(node: &Node, index: usize) -> Result<&str> {
    node.keys.get(index).map(String::as_str).ok_or_else(|| other_size(node))
}

/// The error of a weight or bias that has not as many values as its layer.
fn other_size(node: &Node) -> Error {
    Error::new(Code::Internal, format!("{} has weights of another size.", node.path))
}

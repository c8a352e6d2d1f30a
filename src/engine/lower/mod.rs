//! From a description to the steps that an engine takes: norms folded into convolutions, element-wise functions, stored
//! maps and sums fused into what computes their input, padding layers left to the border of what they pad.
//!
//! This is data: no weight, kernel or memory is here, so that every engine starts from it. `cpu` chooses kernels for the
//! steps and packs their weights.

mod fuse;
mod pointwise;

pub use pointwise::Pointwise;

use crate::network::ops::ContextualAttention;
use crate::network::ops::norm::Statistics;
use crate::network::{Activation, Network, Op, PaddingMode, ValueId};

/// A network as steps in execution order.
#[derive(Clone, Debug, PartialEq)]
pub struct Lowered {
    /// The steps.
    pub steps: Vec<Step>,
    /// The values that steps read and write.
    pub values: Vec<Value>,
    /// Index of the value that `forward` returns.
    pub output: usize,
}

/// A value: where an engine keeps a node's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// The value of the description whose shape it has.
    pub of: ValueId,
    /// What its readers want beyond its border; `None` if nobody reads there.
    pub border: Option<PaddingMode>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The node it does, and those that were fused into it; none for a copy.
    pub nodes: Vec<usize>,
    /// What it does.
    pub work: Work,
    /// Indices of the values it reads. A step in place reads and writes one.
    pub inputs: Vec<usize>,
    /// Indices of the values it writes; most steps write one.
    pub outputs: Vec<usize>,
    /// What is done to its result before it is stored.
    pub epilogue: Epilogue,
}

/// What is done to a result before it is stored, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// Whether the result is added to what its value holds already.
    pub accumulate: bool,
    /// Index of a value of one channel, added to every channel.
    pub map: Option<usize>,
    /// An element-wise function.
    pub function: Pointwise,
    /// Index of a value of the result's shape that is added.
    pub plus: Option<usize>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Takes the next input tensor.
    Input,
    /// Takes a tensor of the weights.
    Stored,
    /// A convolution, plain or transposed.
    Convolution(Convolution),
    /// A norm with fixed statistics that no convolution took: a factor and a summand by channel. In place.
    FixedNorm,
    /// A norm by the picture's own statistics. In place.
    OwnNorm,
    /// [`Standardize`](crate::network::ops::Standardize). In place.
    Standardize,
    /// The epilogue's function alone. In place.
    Function,
    /// `x * scale + offset`, in place.
    Affine,
    /// `nn.Upsample`.
    Upsample,
    /// `torch.cat` along the channels.
    Cat,
    /// A sum.
    Add,
    /// A product, element by element.
    Mul,
    /// The gates of a gated convolution.
    Gated(Activation),
    /// Contextual attention.
    Attention(ContextualAttention),
    /// `rfft2`.
    Rfft2,
    /// `irfft2`; it reads the spectrum only.
    Irfft2,
    /// A padding layer, or a copy with another border.
    Copy(crate::network::Pad2d),
    /// The plain loops of the operator.
    Loops,
}

/// What a convolution does besides its node's own arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Convolution {
    /// A padding layer in front of it that it does on the way.
    pub padding: Option<FusedPadding>,
    /// The node of a norm with fixed statistics that is folded into its weights.
    pub norm: Option<usize>,
    /// Which part of a sum of two convolutions it is.
    pub part: SumPart,
}

/// A sum of two convolutions is one value: the second is added to the first where that lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SumPart {
    /// It is no such sum's.
    #[default]
    Whole,
    /// The first: of a norm behind the sum it takes the factor only.
    First,
    /// The second, with everything that follows the sum.
    Second,
}

/// A padding layer that its only reader does on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FusedPadding {
    pub top: usize,
    pub left: usize,
    pub mode: PaddingMode,
}

/// Lowers a network whose description has been checked.
pub fn lower(network: &Network) -> Lowered {
    let mut builder = fuse::Builder::new(network);
    for index in 0..network.nodes.len() {
        builder.node(index);
    }
    builder.finish()
}

/// Whether this is a norm with fixed statistics: a factor and a summand by channel.
pub fn is_fixed_norm(op: &Op) -> bool {
    match op {
        Op::BatchNorm2d(norm) => norm.statistics == Statistics::Stored,
        Op::InstanceNorm2d(norm) => norm.track_running_stats,
        _ => false,
    }
}

#[cfg(test)]
mod tests;

//! The operators a network is made of. A file here holds all that is to be known of a family of them; this one says what
//! that is, and lists them. `docs/adding-an-operator.md` leads through adding one.

pub mod activation;
pub mod adaptive;
pub mod arrange;
pub mod contextual_attention;
pub mod convolution;
pub mod elementwise;
pub mod fourier;
pub mod gated;
pub mod general;
pub mod given_weights;
pub mod group_norm;
pub mod interpolate;
pub mod mask_sums;
pub mod matmul;
pub mod norm;
pub mod padding;
pub mod pointwise;
pub mod pooling;
pub mod rearrange;
pub mod reduce;
pub mod resize;
pub mod sample;
pub mod shuffle;
pub mod source;
pub mod spelling;
pub mod standardize;
pub mod transposed;

pub use activation::{Activation, Clamp};
pub use adaptive::AdaptivePool2d;
pub use arrange::{Expand, Flip, Permute, SliceScatter, Steps};
pub use contextual_attention::ContextualAttention;
pub use convolution::Conv2d;
pub use elementwise::{Binary, Unary, Where};
pub use fourier::{Irfft2, Rfft2};
pub use gated::Gated;
pub use general::General;
pub use given_weights::{ConvTransposeWith, ConvWith};
pub use group_norm::{GroupNorm, LayerNorm, PReLU};
pub use interpolate::Interpolate;
pub use mask_sums::MaskSums;
pub use matmul::{Linear, MatMul};
pub use norm::{BatchNorm2d, InstanceNorm2d};
pub use padding::{Pad2d, PaddingMode};
pub use pointwise::{Add, Affine, Mul};
pub use pooling::{AvgPool2d, MaxPool2d};
pub use rearrange::{Cat, Chunk, Reshape, Slice};
pub use reduce::{Cumsum, Reduce, Reduction, Softmax};
pub use resize::{Upsample, UpsampleMode};
pub use sample::GridSample;
pub use shuffle::{Fold, PixelShuffle, PixelUnshuffle, Unfold};
pub use source::{Constant, Input, Stored};
pub use standardize::Standardize;
pub use transposed::ConvTranspose2d;

use serde::Serialize;

use super::Shape;
use crate::error::Result;
use crate::limits;
use crate::tensor::Tensor;

/// `(height, width)`, PyTorch's order for every pair.
pub type Pair = (usize, usize);

/// What a parameter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A trained weight or bias.
    Trained,
    /// A statistic gathered in training (`running_mean`, `running_var`) or a fixed buffer: as necessary in eval mode.
    Statistic,
    /// A counter that eval mode never reads (`num_batches_tracked`): harmless if missing.
    Counter,
}

/// One parameter of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Name within the module, such as `running_mean`.
    pub name: &'static str,
    /// PyTorch's shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// What it is for.
    pub kind: ParameterKind,
}

impl ParameterSpec {
    /// A trained parameter.
    pub fn trained(name: &'static str, shape: impl Into<Vec<usize>>) -> Self {
        Self { name, shape: shape.into(), kind: ParameterKind::Trained }
    }

    /// A statistic or fixed buffer.
    pub fn statistic(name: &'static str, shape: impl Into<Vec<usize>>) -> Self {
        Self { name, shape: shape.into(), kind: ParameterKind::Statistic }
    }
}

/// The values of an operator's parameters, by name, contiguous f32 in PyTorch's layout.
pub struct Parameters<'a>(pub &'a [(&'static str, Vec<f32>)]);

impl<'a> Parameters<'a> {
    /// The values of this name, if the operator has such a parameter.
    pub fn get(&self, name: &str) -> Option<&'a [f32]> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, values)| values.as_slice())
    }

    /// The values of this name; `internal` error if they were not taken.
    pub fn required(&self, name: &str) -> Result<&'a [f32]> {
        use crate::error::{Code, Error};
        self.get(name).ok_or_else(|| Error::new(Code::Internal, format!("The parameter {name} was not taken.")))
    }
}

/// A sliding window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Window {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
}

/// Which inputs an output depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The values at the same pixel.
    Pixel,
    /// A window of pixels, by rows and by columns.
    Window([Window; 2]),
    /// More than that, or elsewhere.
    Everything,
}

/// A convolution's geometry, for drawing it; every pair is `[height, width]`.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // the fields are PyTorch's arguments
pub struct Geometry {
    pub transposed: bool,
    pub input: [usize; 2],
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub output_padding: [usize; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
    pub padding_mode: &'static str,
}

/// All that is to be known of one operator.
pub trait Operator {
    /// PyTorch's name of the layer, or of the function for operations that are no module.
    fn name(&self) -> &'static str;

    /// How PyTorch would write it, arguments that are not defaults included.
    fn written(&self) -> String;

    /// Least and most inputs.
    fn arity(&self) -> (usize, usize) {
        (1, 1)
    }

    /// How many values it gives.
    fn outputs(&self) -> usize {
        1
    }

    /// PyTorch's constraints on the arguments, in its words, and the caps of `limits.rs`.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// Its entries of the state dict, in `state_dict()` order.
    fn parameters(&self) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// The shapes of its outputs, in checked arithmetic: a side that does not fit a `usize` may be the largest there is,
    /// which no tensor can have. PyTorch's words for what it refuses. There are as many inputs as [`Self::arity`] allows.
    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String>;

    /// Multiply-adds with weights, of shapes that [`Self::infer`] has seen; never wraps around.
    fn macs(&self, _inputs: &[Shape], _outputs: &[Shape]) -> u64 {
        0
    }

    /// How height and width come about, with the numbers filled in; `None` where the size does not change.
    fn formula(&self, _input: Shape, _output: Shape) -> Option<String> {
        None
    }

    /// Which inputs an output depends on.
    fn reach(&self) -> Reach {
        Reach::Everything
    }

    /// Whether it works along dimension 0, so that the images of a batch cannot be run one by one. What the output's shape
    /// gives away need not be told here.
    fn mixes_images(&self) -> bool {
        false
    }

    /// For convolutions: what "Explain this layer" draws.
    fn geometry(&self, _input: Shape) -> Option<Geometry> {
        None
    }

    /// The plain loop, to be read beside PyTorch's documentation. The inputs' shapes are ones that [`Self::infer`] takes.
    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>>;
}

/// Every operator: a variant, the type of its arguments, and all that follows from both.
macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One node's operation.
        ///
        /// Serialised as its arguments, under PyTorch's names; pairs are `[height, width]`.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Op { $($(#[$doc])* $name($name),)* }

        $(impl From<$name> for Op { fn from(op: $name) -> Self { Op::$name(op) } })*

        impl std::ops::Deref for Op {
            type Target = dyn Operator;

            fn deref(&self) -> &(dyn Operator + 'static) {
                match self { $(Op::$name(op) => op,)* }
            }
        }
    };
}

operators! {
    /// A network input.
    Input,
    /// A stored tensor that `forward` uses by itself.
    Stored,
    /// Numbers that are part of the description.
    Constant,
    /// `nn.Conv2d`.
    Conv2d,
    /// `nn.ConvTranspose2d`.
    ConvTranspose2d,
    /// `nn.BatchNorm2d`.
    BatchNorm2d,
    /// `nn.InstanceNorm2d`.
    InstanceNorm2d,
    /// `(x - mean) / (std + eps)` over height and width.
    Standardize,
    /// An element-wise function.
    Activation,
    /// `torch.clamp`.
    Clamp,
    /// `x * scale + offset`.
    Affine,
    /// A padding layer.
    Pad2d,
    /// `nn.Upsample(scale_factor=...)`.
    Upsample,
    /// `nn.MaxPool2d`.
    MaxPool2d,
    /// `nn.AvgPool2d`.
    AvgPool2d,
    /// `torch.fft.rfft2`.
    Rfft2,
    /// `torch.fft.irfft2`.
    Irfft2,
    /// `torch.cat`.
    Cat,
    /// `torch.chunk`.
    Chunk,
    /// Part of a dimension.
    Slice,
    /// `torch.reshape`.
    Reshape,
    /// A sum.
    Add,
    /// A product, element by element.
    Mul,
    /// The gates of a gated convolution.
    Gated,
    /// The sums of a partial convolution's mask.
    MaskSums,
    /// DeepFill's attention.
    ContextualAttention,
    /// One that only pasted classes use.
    General,
}

/// How a PyTorch class spells operators, by file.
pub(crate) const SPELLINGS: &[&[spelling::Spelling]] = &[
    convolution::SPELLINGS,
    transposed::SPELLINGS,
    norm::SPELLINGS,
    activation::SPELLINGS,
    padding::SPELLINGS,
    resize::SPELLINGS,
    pooling::SPELLINGS,
    pointwise::SPELLINGS,
    rearrange::SPELLINGS,
    matmul::SPELLINGS,
    group_norm::SPELLINGS,
    shuffle::SPELLINGS,
    adaptive::SPELLINGS,
];

/// An int or an `(h, w)` tuple, as PyTorch's layers take them.
pub trait IntoPair {
    /// The pair; an int stands for both.
    fn into_pair(self) -> Pair;
}

impl IntoPair for usize {
    fn into_pair(self) -> Pair {
        (self, self)
    }
}

impl IntoPair for Pair {
    fn into_pair(self) -> Pair {
        self
    }
}

/// Refuses what no network has, before anything is computed from it.
fn capped(argument: &str, value: usize, most: usize) -> Result<(), String> {
    if value <= most {
        return Ok(());
    }
    Err(format!("{argument} is {value}, and the most that can be run is {most}"))
}

/// [`capped`] for both sides.
fn capped_pair(argument: &str, pair: Pair, most: usize) -> Result<(), String> {
    capped(argument, pair.0, most).and_then(|()| capped(argument, pair.1, most))
}

/// Refuses a norm or layer of more channels than any network has.
fn capped_channels(argument: &str, channels: usize) -> Result<(), String> {
    capped(argument, channels, limits::MAX_CHANNELS)
}

/// `name=value` where the pair is not the default; equal sides as one number.
fn argument(list: &mut Vec<String>, name: &str, pair: Pair, default: usize) {
    if pair != (default, default) {
        list.push(format!("{name}={}", short(pair)));
    }
}

/// A pair as PyTorch would be given it: equal sides as one number.
fn short((h, w): Pair) -> String {
    if h == w { h.to_string() } else { format!("({h}, {w})") }
}

/// Two formulas as one where they agree.
fn both_sides(height: String, width: String) -> Option<String> {
    Some(if height == width { height } else { format!("{height}; {width}") })
}

/// A side of a shape, in PyTorch's words if there is no such dimension.
fn dimension(shape: Shape, dim: usize) -> Result<usize, String> {
    shape.sides().get(dim).copied().ok_or_else(|| {
        let rank = shape.sides().len();
        format!("Dimension out of range (expected to be in range of [-{rank}, {}], but got {dim})", rank as i64 - 1)
    })
}

/// The shape that `infer` says for these tensors; an error for people if it refuses them.
fn shape_of(inputs: &[&Tensor], infer: impl FnOnce(&[Shape]) -> Result<Shape, String>) -> Result<Shape> {
    let refused = |text: String| crate::error::Error::new(crate::error::Code::InputShape, text);
    let too_deep = || refused("There are too many dimensions.".to_owned());
    let shapes = inputs.iter().map(|x| Shape::of(x.shape()).ok_or_else(too_deep)).collect::<Result<Vec<_>>>()?;
    infer(&shapes).map_err(refused)
}

/// One value of the same shape for each value.
fn element_wise(x: &Tensor, function: impl Fn(f32) -> f32) -> Result<Vec<Tensor>> {
    Ok(vec![Tensor::new(x.shape(), x.data().iter().map(|&value| function(value)).collect())?])
}

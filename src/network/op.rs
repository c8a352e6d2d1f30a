//! The operations a network description is made of, with PyTorch's own names, parameters and defaults.

/// `(height, width)`, PyTorch's order for every pair.
pub type Pair = (usize, usize);

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

/// What lies beyond a border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaddingMode {
    /// Zeros.
    Zeros,
    /// The interior mirrored, without repeating the edge.
    Reflect,
    /// The edge repeated.
    Replicate,
    /// The other side.
    Circular,
}

impl PaddingMode {
    /// The index inside a side of `size` that the padded position `at` reads, or `None` where it reads zero.
    ///
    /// `at` may lie before the side or behind it; how far, [`Network::check`](super::Network::check) limits.
    pub fn source(self, at: isize, size: usize) -> Option<usize> {
        let size = size as isize;
        let index = match self {
            Self::Zeros => at,
            Self::Replicate => at.clamp(0, size - 1),
            Self::Circular => at.rem_euclid(size),
            Self::Reflect if at < 0 => -at,
            Self::Reflect if at >= size => 2 * (size - 1) - at,
            Self::Reflect => at,
        };
        (0..size).contains(&index).then_some(index as usize)
    }
}

/// [`torch.nn.Conv2d`](https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html): `[N, Cin, H, W]` to `[N, Cout, Ho, Wo]`.
///
/// `weight` is `[out, in / groups, kH, kW]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are PyTorch's arguments
pub struct Conv2d {
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_size: Pair,
    pub stride: Pair,
    pub padding: Pair,
    pub dilation: Pair,
    pub groups: usize,
    pub bias: bool,
    pub padding_mode: PaddingMode,
}

/// [`torch.nn.ConvTranspose2d`](https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html).
///
/// `weight` is `[in, out / groups, kH, kW]`. `padding` crops the output, `output_padding` extends it at the
/// bottom and right by computed values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are PyTorch's arguments
pub struct ConvTranspose2d {
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_size: Pair,
    pub stride: Pair,
    pub padding: Pair,
    pub output_padding: Pair,
    pub dilation: Pair,
    pub groups: usize,
    pub bias: bool,
    /// Only zeros are supported, as in PyTorch: `padding` crops here, so there is nothing to fill.
    pub padding_mode: PaddingMode,
}

macro_rules! setters {
    ($type:ty { $($pair:ident),* }) => {
        impl $type {
            $(
                /// PyTorch's argument of this name.
                pub fn $pair(mut self, value: impl IntoPair) -> Self {
                    self.$pair = value.into_pair();
                    self
                }
            )*
            /// PyTorch's `groups`.
            pub fn groups(mut self, groups: usize) -> Self {
                self.groups = groups;
                self
            }
            /// PyTorch's `bias`.
            pub fn bias(mut self, bias: bool) -> Self {
                self.bias = bias;
                self
            }
            /// PyTorch's `padding_mode`.
            pub fn padding_mode(mut self, mode: PaddingMode) -> Self {
                self.padding_mode = mode;
                self
            }
        }
    };
}

setters!(Conv2d { stride, padding, dilation });
setters!(ConvTranspose2d { stride, padding, output_padding, dilation });

impl Conv2d {
    /// `nn.Conv2d(in_channels, out_channels, kernel_size)` with PyTorch's defaults.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl IntoPair) -> Self {
        Self {
            in_channels,
            out_channels,
            kernel_size: kernel_size.into_pair(),
            stride: (1, 1),
            padding: (0, 0),
            dilation: (1, 1),
            groups: 1,
            bias: true,
            padding_mode: PaddingMode::Zeros,
        }
    }
}

impl ConvTranspose2d {
    /// `nn.ConvTranspose2d(in_channels, out_channels, kernel_size)` with PyTorch's defaults.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl IntoPair) -> Self {
        Self {
            in_channels,
            out_channels,
            kernel_size: kernel_size.into_pair(),
            stride: (1, 1),
            padding: (0, 0),
            output_padding: (0, 0),
            dilation: (1, 1),
            groups: 1,
            bias: true,
            padding_mode: PaddingMode::Zeros,
        }
    }
}

/// [`torch.nn.BatchNorm2d`](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html) in `eval()`:
/// `(x - running_mean) / sqrt(running_var + eps) * weight + bias`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct BatchNorm2d {
    pub num_features: usize,
    pub eps: f64,
    pub affine: bool,
}

impl BatchNorm2d {
    /// `nn.BatchNorm2d(num_features)`: eps 1e-5, affine.
    pub fn new(num_features: usize) -> Self {
        Self { num_features, eps: 1e-5, affine: true }
    }
}

/// [`torch.nn.InstanceNorm2d`](https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html):
/// each channel of each image normalised by its own mean and biased variance, or by running statistics if tracked.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct InstanceNorm2d {
    pub num_features: usize,
    pub eps: f64,
    pub affine: bool,
    pub track_running_stats: bool,
}

impl InstanceNorm2d {
    /// `nn.InstanceNorm2d(num_features)`: eps 1e-5, no parameters, no running statistics.
    pub fn new(num_features: usize) -> Self {
        Self { num_features, eps: 1e-5, affine: false, track_running_stats: false }
    }
}

/// Padding as a layer of its own: `nn.ReflectionPad2d`, `nn.ReplicationPad2d`, `nn.ZeroPad2d`, `nn.CircularPad2d`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Pad2d {
    pub left: usize,
    pub right: usize,
    pub top: usize,
    pub bottom: usize,
    pub mode: PaddingMode,
}

impl Pad2d {
    /// `nn.ReflectionPad2d(padding)`.
    pub fn reflection(padding: usize) -> Self {
        Self { left: padding, right: padding, top: padding, bottom: padding, mode: PaddingMode::Reflect }
    }
}

/// Element-wise functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    ReLU,
    /// `x` where positive, else `slope * x`.
    LeakyReLU {
        /// PyTorch's `negative_slope`.
        slope: f32,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
}

/// How `nn.Upsample` interpolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsampleMode {
    /// Nearest neighbour.
    Nearest,
    /// Bilinear with `align_corners=False`.
    Bilinear,
}

/// One node's operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A network input of this many channels.
    Input {
        /// Channels it must have.
        channels: usize,
    },
    /// `nn.Conv2d`.
    Conv2d(Conv2d),
    /// `nn.ConvTranspose2d`.
    ConvTranspose2d(ConvTranspose2d),
    /// `nn.BatchNorm2d` in eval mode.
    BatchNorm2d(BatchNorm2d),
    /// `nn.InstanceNorm2d`.
    InstanceNorm2d(InstanceNorm2d),
    /// An activation.
    Activation(Activation),
    /// A padding layer.
    Pad2d(Pad2d),
    /// `nn.Upsample(scale_factor=...)`.
    Upsample {
        /// Integer factor for both sides.
        scale: usize,
        /// Interpolation.
        mode: UpsampleMode,
    },
    /// `torch.cat(inputs, dim=1)`.
    Cat,
    /// Sum of two tensors of one shape.
    Add,
    /// `x * scale + offset`, as in EdgeConnect's `(tanh(x) + 1) / 2`.
    Affine {
        /// Factor.
        scale: f32,
        /// Summand.
        offset: f32,
    },
}

macro_rules! into_op {
    ($($type:ident),*) => { $(impl From<$type> for Op { fn from(op: $type) -> Self { Op::$type(op) } })* };
}
into_op!(Conv2d, ConvTranspose2d, BatchNorm2d, InstanceNorm2d, Activation, Pad2d);

impl Op {
    /// PyTorch's name of the layer, or of the function for operations that are no module.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::Conv2d(_) => "Conv2d",
            Op::ConvTranspose2d(_) => "ConvTranspose2d",
            Op::BatchNorm2d(_) => "BatchNorm2d",
            Op::InstanceNorm2d(_) => "InstanceNorm2d",
            Op::Activation(Activation::ReLU) => "ReLU",
            Op::Activation(Activation::LeakyReLU { .. }) => "LeakyReLU",
            Op::Activation(Activation::Sigmoid) => "Sigmoid",
            Op::Activation(Activation::Tanh) => "Tanh",
            Op::Pad2d(pad) => match pad.mode {
                PaddingMode::Zeros => "ZeroPad2d",
                PaddingMode::Reflect => "ReflectionPad2d",
                PaddingMode::Replicate => "ReplicationPad2d",
                PaddingMode::Circular => "CircularPad2d",
            },
            Op::Upsample { .. } => "Upsample",
            Op::Cat => "cat",
            Op::Add => "add",
            Op::Affine { .. } => "affine",
        }
    }
}

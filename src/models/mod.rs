//! The networks infill knows: one file per architecture, and how to tell them apart.

mod context_encoder;
mod context_unet;
mod edgeconnect;
pub mod fold;
pub mod identify;
mod image_pair;
pub mod load;
mod starter;

use crate::network::Network;

/// Value range of a network's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 0 to 1.
    ZeroOne,
    /// -1 to 1.
    MinusOneOne,
}

/// What stands in the hole of a network's input picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HoleValue {
    /// One value, in the input's range.
    Constant(f32),
    /// What surrounds the hole, continued smoothly.
    Smooth,
}

/// What a 1 in the mask channel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskMeans {
    /// 1 is to be filled.
    Hole,
    /// 1 is known.
    Known,
}

/// Which part of the input's field of view the output shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputCovers {
    /// The whole field, at whatever resolution.
    Field,
    /// The centre half (Pathak's context encoder).
    Centre,
}

/// What the network's input tensors hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// One tensor: RGB with the hole set to the hole value, then the mask.
    RgbMask,
    /// One tensor: RGB with the hole set to the hole value, then the edge map (EdgeConnect's inpaint generator).
    RgbEdges,
    /// One tensor: gray with the hole set to the hole value, edges, mask (EdgeConnect's edge generator).
    GrayEdgesMask,
    /// Two tensors of RGB: the photo with its hole, and a second picture.
    Pair,
    /// One tensor: RGB, scored by a discriminator.
    Score,
}

/// How the sides of the input are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRule {
    /// Both sides must be a multiple of this.
    pub multiple: usize,
    /// Side the network was trained at: the window is resampled to it.
    pub preferred: usize,
    /// Whether the input must be a square of `preferred`.
    pub fixed: bool,
}

/// What a file cannot tell: how the network was trained. Guessed per network, shown, and changeable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conventions {
    /// Value range of the input picture (the mask channel is always 0 or 1).
    pub input_range: Range,
    /// Value range of the output.
    pub output_range: Range,
    /// What the hole's pixels are set to.
    pub hole_value: HoleValue,
    /// Mask polarity.
    pub mask_means: MaskMeans,
    /// What the output covers.
    pub output_covers: OutputCovers,
    /// The inputs.
    pub inputs: InputKind,
    /// Sizes.
    pub size: SizeRule,
}

/// The channel counts that vary between checkpoints of one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Channels after the first convolution; most others are multiples of it.
    pub base: usize,
    /// Channels of the bottleneck, where the architecture has one of its own; else 0.
    pub bottleneck: usize,
    /// Whether residual convolutions have a bias though the published weights have none: EdgeConnect gives them one where
    /// it is trained without spectral norm.
    pub residual_bias: bool,
}

impl Widths {
    /// A base width, without a bottleneck of its own.
    pub const fn base(base: usize) -> Self {
        Self { base, bottleneck: 0, residual_bias: false }
    }
}

/// One architecture: its description, how to recognise it, and its conventions.
#[derive(Clone, Copy)]
pub struct Model {
    /// Stable id, as on the command line: `context-encoder`.
    pub id: &'static str,
    /// Name for people: `ContextEncoder`.
    pub name: &'static str,
    /// Builds the description for given widths.
    pub network: fn(Widths) -> Network,
    /// The widths as published; a checkpoint's own are read from its shapes.
    pub published: Widths,
    /// How it is run unless the user says otherwise.
    pub conventions: Conventions,
    /// Whether its pictures are meant for the sharpening to follow, not to be looked at as they are.
    pub needs_detail: bool,
    /// One line on the licence of the published weights.
    pub licence: &'static str,
}

/// All networks, in the order in which they are tried.
pub const MODELS: &[Model] = &[
    context_encoder::MODEL,
    edgeconnect::INPAINT,
    edgeconnect::EDGE,
    image_pair::GENERATOR,
    image_pair::DISCRIMINATOR,
    starter::MODEL,
    context_unet::MODEL,
];

/// The network of this id.
pub fn by_id(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.id == id)
}

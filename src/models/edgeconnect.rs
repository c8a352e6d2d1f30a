//! EdgeConnect's two generators (Nazeri et al. 2019, "EdgeConnect: Generative Image Inpainting with
//! Adversarial Edge Learning"): edges are completed first, then colours follow them.

use super::{Conventions, HoleValue, InputKind, MaskMeans, Model, OutputCovers, Range, SizeRule, Widths};
use crate::network::ops::{Add, Affine};
use crate::network::{Activation, Conv2d, ConvTranspose2d, InstanceNorm2d, Network, Pad2d, ValueId};

const SIZE: SizeRule = SizeRule { multiple: 4, preferred: 512, fixed: false };

const CONVENTIONS: Conventions = Conventions {
    input_range: Range::ZeroOne,
    output_range: Range::ZeroOne,
    hole_value: HoleValue::Constant(1.0),
    mask_means: MaskMeans::Hole,
    output_covers: OutputCovers::Field,
    inputs: InputKind::RgbEdges,
    size: SIZE,
};

/// InpaintGenerator: RGB with a white hole, and edges.
pub const INPAINT: Model = Model {
    id: "edgeconnect-inpaint",
    name: "EdgeConnect InpaintGenerator",
    network: inpaint,
    published: Widths::base(64),
    conventions: CONVENTIONS,
    needs_detail: false,
    licence: "published weights: CC BY-NC 4.0",
};

/// EdgeGenerator: gray with a white hole, edges outside the hole, mask.
pub const EDGE: Model = Model {
    id: "edgeconnect-edge",
    name: "EdgeConnect EdgeGenerator",
    network: edge,
    published: Widths::base(64),
    conventions: Conventions { inputs: InputKind::GrayEdgesMask, ..CONVENTIONS },
    needs_detail: false,
    licence: "published weights: CC BY-NC 4.0",
};

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides a multiple of 4.
fn inpaint(Widths { base: w, .. }: Widths) -> Network {
    let (mut net, y) = body(4, 3, w, true);
    let y = net.node("tanh", Activation::Tanh, &[y]);
    let y = net.node("rescale", Affine { scale: 0.5, offset: 0.5 }, &[y]);
    net.returns(y)
}

/// `[1, 3, H, W]` to `[1, 1, H, W]`, sides a multiple of 4.
fn edge(Widths { base: w, residual_bias, .. }: Widths) -> Network {
    let (mut net, y) = body(3, 1, w, residual_bias);
    let y = net.node("sigmoid", Activation::Sigmoid, &[y]);
    net.returns(y)
}

fn body(inputs: usize, outputs: usize, w: usize, residual_bias: bool) -> (Network, ValueId) {
    let mut net = Network::new();
    let x = net.input("x", inputs);
    let mut encoder = net.sequential("encoder", x);
    encoder.push(Pad2d::reflection(3)).push(Conv2d::new(inputs, w, 7));
    encoder.push(InstanceNorm2d::new(w)).push(Activation::ReLU);
    for c in [w, 2 * w] {
        encoder.push(Conv2d::new(c, 2 * c, 4).stride(2).padding(1));
        encoder.push(InstanceNorm2d::new(2 * c)).push(Activation::ReLU);
    }
    let mut y = encoder.end();
    for index in 0..8 {
        y = residual(&mut net, &format!("middle.{index}"), y, 4 * w, residual_bias);
    }
    let mut decoder = net.sequential("decoder", y);
    for c in [4 * w, 2 * w] {
        decoder.push(ConvTranspose2d::new(c, c / 2, 4).stride(2).padding(1));
        decoder.push(InstanceNorm2d::new(c / 2)).push(Activation::ReLU);
    }
    decoder.push(Pad2d::reflection(3)).push(Conv2d::new(w, outputs, 7));
    let y = decoder.end();
    (net, y)
}

/// `x + conv_block(x)`, without a ReLU after the sum.
fn residual(net: &mut Network, path: &str, x: ValueId, c: usize, bias: bool) -> ValueId {
    let mut block = net.sequential(format!("{path}.conv_block"), x);
    block.push(Pad2d::reflection(2)).push(Conv2d::new(c, c, 3).dilation(2).bias(bias));
    block.push(InstanceNorm2d::new(c)).push(Activation::ReLU);
    block.push(Pad2d::reflection(1)).push(Conv2d::new(c, c, 3).bias(bias));
    block.push(InstanceNorm2d::new(c));
    let y = block.end();
    net.node(path, Add, &[x, y])
}

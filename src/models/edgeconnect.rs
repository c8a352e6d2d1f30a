//! EdgeConnect's two generators (Nazeri et al. 2019, "EdgeConnect: Generative Image Inpainting with
//! Adversarial Edge Learning"): edges are completed first, then colours follow them.

use super::config::{RESIDUAL_BIAS, WIDTH};
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Channel, ClassHint, Conventions, HoleValue, InputTensor, ModelSpec, Range, Role,
    SizeRule, Source,
};
use crate::network::ops::{Add, Affine};
use crate::network::{Activation, Conv2d, ConvTranspose2d, InstanceNorm2d, Network, Pad2d, ValueId};

const LICENCE: &str = "published weights: CC BY-NC 4.0";

fn conventions(inputs: InputTensor) -> Conventions {
    Conventions {
        inputs: vec![inputs],
        input_range: Range::ZeroOne,
        output_range: Range::ZeroOne,
        hole_value: HoleValue::Constant(1.0),
        size: SizeRule::free(4, 512),
        ..Conventions::rgb_and_mask()
    }
}

/// InpaintGenerator: RGB with a white hole, and edges.
pub fn inpaint() -> ModelSpec {
    let inputs = InputTensor::masked_rgb_and(&[Channel::unit(Source::Edges)]);
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 64)],
        licence: LICENCE.to_owned(),
        about: sentences(&[
            "It takes RGB with a white hole and an edge map: 4 channels, no mask channel.",
            "In code: InpaintGenerator() of EdgeConnect's src/networks.py, with the state dict under 'generator'.",
        ]),
        class: Some(class("InpaintGenerator")),
        ..ModelSpec::new("edgeconnect-inpaint", "EdgeConnect InpaintGenerator", inpaint_network, move |_| {
            conventions(inputs.clone())
        })
    }
    .benchmarked("edgeconnect", &[256, 512])
}

/// EdgeGenerator: gray with a white hole, edges outside the hole, mask.
pub fn edge() -> ModelSpec {
    let channels = [Source::Gray, Source::KnownEdges, Source::Mask].map(Channel::unit);
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 64), ArchParameter::choice(RESIDUAL_BIAS, &[0, 1])],
        role: Role::Gives(Source::Edges),
        licence: LICENCE.to_owned(),
        about: sentences(&[
            "It completes edges inside the hole: gray, edges and mask in, one edge map out. The InpaintGenerator paints after it.",
        ]),
        class: Some(class("EdgeGenerator")),
        ..ModelSpec::new("edgeconnect-edge", "EdgeConnect EdgeGenerator", edge_network, move |_| {
            conventions(InputTensor::new(channels))
        })
    }
}

/// People try to load these files into a ContextEncoder.
fn class(class: &str) -> ClassHint {
    ClassHint { class: class.to_owned(), mistaken_for: "context-encoder".to_owned() }
}

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides a multiple of 4.
fn inpaint_network(config: &ArchConfig) -> Network {
    let (mut net, y) = body(4, 3, config.width(), true);
    let y = net.node("tanh", Activation::Tanh, &[y]);
    let y = net.node("rescale", Affine { scale: 0.5, offset: 0.5 }, &[y]);
    net.returns(y)
}

/// `[1, 3, H, W]` to `[1, 1, H, W]`, sides a multiple of 4.
fn edge_network(config: &ArchConfig) -> Network {
    let (mut net, y) = body(3, 1, config.width(), config.has(RESIDUAL_BIAS));
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

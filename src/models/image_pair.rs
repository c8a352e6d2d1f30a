//! The image-pair Generator and its Discriminator: a conditional GAN of the pix2pix kind, with the Context
//! Encoder's wide bottleneck as a 1x1 convolution.

use super::{Conventions, HoleValue, InputKind, MaskMeans, Model, OutputCovers, Range, SizeRule, Widths};
use crate::network::{Activation, BatchNorm2d, Cat, Conv2d, ConvTranspose2d, Network};

const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };

const CONVENTIONS: Conventions = Conventions {
    input_range: Range::MinusOneOne,
    output_range: Range::MinusOneOne,
    hole_value: HoleValue::Constant(0.0),
    mask_means: MaskMeans::Hole,
    output_covers: OutputCovers::Field,
    inputs: InputKind::Pair,
    size: SizeRule { multiple: 16, preferred: 256, fixed: false },
};

/// Generator: `forward(x1, x2)`.
pub const GENERATOR: Model = Model {
    id: "image-pair",
    name: "image-pair Generator",
    network: generator,
    published: Widths { base: 64, bottleneck: 4000, residual_bias: false },
    conventions: CONVENTIONS,
    needs_detail: false,
    licence: "your own weights",
};

/// Discriminator: scores patches of one picture.
pub const DISCRIMINATOR: Model = Model {
    id: "image-pair-discriminator",
    name: "image-pair Discriminator",
    network: discriminator,
    published: Widths::base(64),
    conventions: Conventions { inputs: InputKind::Score, output_range: Range::ZeroOne, ..CONVENTIONS },
    needs_detail: false,
    licence: "your own weights",
};

/// Two `[1, 3, H, W]` to `[1, 3, H, W]`, sides a multiple of 16.
fn generator(Widths { base: w, bottleneck, .. }: Widths) -> Network {
    let mut net = Network::new();
    let (x1, x2) = (net.input("x1", 3), net.input("x2", 3));
    let x = net.node("cat", Cat::CHANNELS, &[x1, x2]);
    let mut encoder = net.sequential("encoder", x);
    for (inputs, outputs) in [(6, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)] {
        encoder.push(Conv2d::new(inputs, outputs, 3).stride(2).padding(1));
        encoder.push(BatchNorm2d::new(outputs)).push(LEAKY);
    }
    encoder.push(Conv2d::new(8 * w, bottleneck, 1)).push(BatchNorm2d::new(bottleneck)).push(LEAKY);
    let code = encoder.end();
    let mut decoder = net.sequential("decoder", code);
    for (inputs, outputs) in [(bottleneck, 8 * w), (8 * w, 4 * w), (4 * w, 2 * w), (2 * w, w)] {
        decoder.push(ConvTranspose2d::new(inputs, outputs, 3).stride(2).padding(1).output_padding(1));
        decoder.push(BatchNorm2d::new(outputs)).push(LEAKY);
    }
    decoder.push(ConvTranspose2d::new(w, 3, 3).padding(1)).push(Activation::Tanh);
    let y = decoder.end();
    net.returns(y)
}

/// `[1, 3, H, W]` to `[1, 1, H/16 - 3, W/16 - 3]`, each cell the score of a patch.
fn discriminator(Widths { base: w, .. }: Widths) -> Network {
    let mut net = Network::new();
    let x = net.input("x", 3);
    let mut conv = net.sequential("conv", x);
    for (inputs, outputs) in [(3, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)] {
        conv.push(Conv2d::new(inputs, outputs, 4).stride(2).padding(1)).push(BatchNorm2d::new(outputs)).push(LEAKY);
    }
    conv.push(Conv2d::new(8 * w, 1, 4)).push(Activation::Sigmoid);
    let y = conv.end();
    net.returns(y)
}

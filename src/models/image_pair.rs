//! The image-pair Generator and its Discriminator: a conditional GAN of the pix2pix kind, with the Context
//! Encoder's wide bottleneck as a 1x1 convolution.

use super::config::{BOTTLENECK, WIDTH};
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Channel, Colour, Conventions, InputTensor, ModelSpec, Range, Role, SizeRule, Source,
};
use crate::network::{Activation, BatchNorm2d, Cat, Conv2d, ConvTranspose2d, Network};

const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };

fn conventions(inputs: Vec<InputTensor>) -> Conventions {
    Conventions { inputs, size: SizeRule::free(16, 256), ..Conventions::rgb_and_mask() }
}

fn about() -> Vec<String> {
    sentences(&[
        "It is conditional because the generator is given a second image: both are concatenated along the channels, 3 + 3.",
        "The discriminator sees one picture alone, patch by patch; unlike pix2pix's it does not see the condition.",
        "Its closest published relatives are pix2pix (Isola et al. 2017) and the Context Encoder (Pathak et al. 2016), whose 4000-channel bottleneck it has as a 1x1 convolution.",
    ])
}

/// Generator: `forward(x1, x2)`.
pub fn generator() -> ModelSpec {
    let inputs = vec![InputTensor::new(Channel::masked_rgb()), InputTensor::new(Channel::second_rgb())];
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 64), ArchParameter::voted(BOTTLENECK, 4000)],
        about: about(),
        ..ModelSpec::new("image-pair", "image-pair Generator", generator_network, move |_| conventions(inputs.clone()))
    }
    .benchmarked("image-pair", &[256])
}

/// Discriminator: scores patches of one picture.
pub fn discriminator() -> ModelSpec {
    let whole = Colour::RGB.map(|colour| Channel::picture(Source::Whole(colour)));
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 64)],
        role: Role::Scores,
        about: about(),
        ..ModelSpec::new("image-pair-discriminator", "image-pair Discriminator", discriminator_network, move |_| {
            Conventions { output_range: Range::ZeroOne, ..conventions(vec![InputTensor::new(whole)]) }
        })
    }
}

/// Two `[1, 3, H, W]` to `[1, 3, H, W]`, sides a multiple of 16.
fn generator_network(config: &ArchConfig) -> Network {
    let (w, bottleneck) = (config.width(), config.get(BOTTLENECK));
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
fn discriminator_network(config: &ArchConfig) -> Network {
    let w = config.width();
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

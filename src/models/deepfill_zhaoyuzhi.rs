//! DeepFillv2 as in zhaoyuzhi/deepfillv2: two equal networks of gated convolutions one after the other, without attention.

use super::config::WIDTH;
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Blend, Channel, Conventions, HoleValue, InputTensor, ModelSpec, Range, SizeRule, Source,
};
use crate::network::ops::{Add, Affine, Mul};
use crate::network::{Activation, Cat, Conv2d, InstanceNorm2d, Network, Upsample, UpsampleMode, ValueId};

/// DeepFillv2 without attention.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![ArchParameter::read(WIDTH, 64, |keys| keys.side("coarse.0.conv2d.weight", 0))],
        licence: "no licence is stated".to_owned(),
        about: sentences(&[
            "It paints a rough picture first, and then a finer one with the same layers again.",
            "Its code shows pictures as if they were -1..1, but it was trained with 0..1, which is how it is run here.",
        ]),
        ..ModelSpec::new("deepfillv2-plain", "DeepFillv2 without attention", network, conventions)
    }
    .benchmarked("deepfillv2-plain", &[256])
}

/// RGB in 0..1, then the mask (1: hole): the network whitens the hole itself. The output is pasted.
///
/// The training data is `img / 255`, and the samples of training are shown as `out * 255`. Another script shows
/// `(out + 1) * 128`, by which a white pixel of the photo itself would be 256: a slip.
fn conventions(_: &ArchConfig) -> Conventions {
    Conventions {
        inputs: vec![InputTensor::new(Channel::masked_rgb()), InputTensor::new([Channel::unit(Source::Mask)])],
        input_range: Range::ZeroOne,
        output_range: Range::ZeroOne,
        hole_value: HoleValue::Constant(0.0),
        blend: Blend::Pasted,
        size: SizeRule::free(4, 256),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, 3, H, W]` and the mask `[1, 1, H, W]` to `[1, 3, H, W]`, sides that are multiples of 4.
fn network(config: &ArchConfig) -> Network {
    let width = config.width();
    let mut net = Network::new();
    let (img, mask) = (net.input("img", 3), net.input("mask", 1));
    let known = net.node("known", Affine { scale: -1.0, offset: 1.0 }, &[mask]);
    let kept = net.node("kept", Mul, &[img, known]);
    let whitened = net.node("whitened", Add, &[kept, mask]);
    let coarse = stage(&mut net, "coarse", width, &[whitened, mask]);
    let painted = net.node("painted", Mul, &[coarse, mask]);
    let composite = net.node("composite", Add, &[kept, painted]);
    let y = stage(&mut net, "refinement", width, &[composite, mask]);
    net.returns(y)
}

/// One of the two networks.
fn stage(net: &mut Network, path: &str, width: usize, inputs: &[ValueId]) -> ValueId {
    let x = net.node(format!("{path}.in"), Cat::CHANNELS, inputs);
    let mut stage = Stage { net, path, last: x, next: 0 };
    stage.layer(Conv2d::new(4, width, 7).padding(3), false, LEAKY);
    stage.normed(Conv2d::new(width, 2 * width, 4).stride(2).padding(1));
    stage.normed(Conv2d::new(2 * width, 4 * width, 3).padding(1));
    stage.normed(Conv2d::new(4 * width, 4 * width, 4).stride(2).padding(1));
    for dilation in [1, 1, 2, 4, 8, 16, 1, 1] {
        stage.normed(Conv2d::new(4 * width, 4 * width, 3).padding(dilation).dilation(dilation));
    }
    stage.doubled(4 * width, 2 * width);
    stage.normed(Conv2d::new(2 * width, 2 * width, 3).padding(1));
    stage.doubled(2 * width, width);
    stage.layer(Conv2d::new(width, 3, 7).padding(3), false, Activation::Tanh);
    stage.last
}

const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };

struct Stage<'a> {
    net: &'a mut Network,
    path: &'a str,
    last: ValueId,
    /// Index of the next layer.
    next: usize,
}

impl Stage<'_> {
    fn normed(&mut self, conv: Conv2d) {
        self.layer(conv, true, LEAKY);
    }

    fn layer(&mut self, conv: Conv2d, normed: bool, activation: Activation) {
        let path = format!("{}.{}", self.path, self.next);
        self.next += 1;
        self.gated(&path, [format!("{path}.conv2d"), format!("{path}.mask_conv2d")], conv, normed, activation);
    }

    /// Twice the size by repeating pixels, then a layer under spectral norm.
    fn doubled(&mut self, from: usize, to: usize) {
        let path = format!("{}.{}", self.path, self.next);
        self.next += 1;
        let doubled = Upsample { scale: 2, mode: UpsampleMode::Nearest };
        self.last = self.net.node(format!("{path}.interpolate"), doubled, &[self.last]);
        let path = format!("{path}.gated_conv2d");
        let convs = ["conv2d", "mask_conv2d"].map(|name| format!("{path}.{name}.module"));
        self.gated(&path, convs, Conv2d::new(from, to, 3).padding(1), true, LEAKY);
    }

    /// A convolution times the sigmoid of another one, a norm by the picture's own statistics, a function.
    fn gated(&mut self, path: &str, convs: [String; 2], conv: Conv2d, normed: bool, activation: Activation) {
        let channels = conv.out_channels;
        let [values, gates] = convs.map(|name| self.net.node(name, conv.clone(), &[self.last]));
        let gates = self.net.node(format!("{path}.sigmoid"), Activation::Sigmoid, &[gates]);
        let mut y = self.net.node(format!("{path}.gate"), Mul, &[values, gates]);
        if normed {
            y = self.net.node(format!("{path}.norm"), InstanceNorm2d::new(channels), &[y]);
        }
        self.last = self.net.node(format!("{path}.activation"), activation, &[y]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `sum(p.numel() for p in GatedGenerator(opt).parameters())`, without the vectors of spectral norm.
    #[test]
    fn counts_are_the_published_ones() {
        let network = network(&spec().published());
        assert_eq!(network.parameter_count(), 26_937_100);
        let shapes = network.shapes(&network.square_inputs(256)).unwrap();
        assert_eq!(shapes[network.output()], crate::network::Shape::image(3, 256, 256));
    }
}

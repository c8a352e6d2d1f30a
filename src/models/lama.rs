//! LaMa (Suvorov et al. 2022, "Resolution-robust Large Mask Inpainting with Fourier Convolutions"): a ResNet whose features
//! are local ones, convolved, and global ones, of which a part is convolved as spectra. `big-lama` has 18 blocks.

use std::sync::Arc;

use super::config::{BLOCKS, INPUTS, OUTPUTS, WIDTH};
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Beyond, Blend, Conventions, HoleValue, KeyRules, Keys, ModelSpec, Range, SizeRule,
};
use crate::limits::MAX_BLOCKS;
use crate::network::ops::{Add, Irfft2, Rfft2};
use crate::network::{Activation, BatchNorm2d, Cat, Conv2d, ConvTranspose2d, Network, Op, Pad2d, PaddingMode, ValueId};

/// Halvings in front of the blocks.
const HALVINGS: &str = "halvings";
/// Local channels of the blocks; the others are global.
const LOCAL: &str = "local";
/// Most halvings that are looked for.
const MAX_HALVINGS: usize = 6;

/// LaMa with fast Fourier convolutions.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![
            ArchParameter::read(INPUTS, 4, |keys| keys.side("model.1.ffc.convl2l.weight", 1)),
            ArchParameter::read(OUTPUTS, 3, outputs),
            ArchParameter::read(WIDTH, 64, |keys| keys.side("model.1.ffc.convl2l.weight", 0)),
            ArchParameter::read(HALVINGS, 3, halvings),
            ArchParameter::read(BLOCKS, 18, blocks),
            ArchParameter::read(LOCAL, 128, |keys| {
                keys.side(&format!("model.{}.ffc.convl2l.weight", halvings(keys)? + 1), 0)
            }),
        ],
        keys: KeyRules {
            unread: Some((
                Arc::new(|_, key| BESIDE.iter().any(|part| key.starts_with(part))),
                "The discriminator and the losses beside it are not read: only training needs them.".to_owned(),
            )),
            ..KeyRules::default()
        },
        licence: "published weights: Apache-2.0, by the authors; others trained theirs under terms of their own"
            .to_owned(),
        about: sentences(&[
            "Its Fourier convolutions see the whole window at once, so that it continues regular patterns well.",
            "It was trained with masks that cover all of what goes: let the hole reach some pixels beyond it.",
        ]),
        ..ModelSpec::new("lama", "LaMa", network, conventions)
    }
    .benchmarked("lama", &[256, 512])
}

/// What a training checkpoint holds beside the generator.
const BESIDE: [&str; 4] = ["discriminator.", "loss_", "val_", "test_"];

/// The first layer that makes global features ends the halvings.
fn halvings(keys: &Keys<'_>) -> Option<usize> {
    (1..=MAX_HALVINGS).find(|halvings| keys.has(&format!("model.{}.ffc.convl2g.weight", halvings + 1)))
}

/// Where the first layer of the tail is, a transposed convolution.
fn tail(keys: &Keys<'_>) -> Option<usize> {
    let last = 4 + MAX_HALVINGS + MAX_BLOCKS;
    (3..last).find(|index| keys.shape(&format!("model.{index}.weight")).is_some_and(|shape| shape.len() == 4))
}

/// Told by the place of the tail, or else by the last block, so that one that is missing is missed.
fn blocks(keys: &Keys<'_>) -> Option<usize> {
    let first = 2 + halvings(keys)?;
    let last =
        (first..first + MAX_BLOCKS).rev().find(|index| keys.has(&format!("model.{index}.conv1.ffc.convl2l.weight")));
    let blocks = tail(keys).and_then(|tail| tail.checked_sub(first + 1)).or(last.map(|last| last + 1 - first));
    blocks.filter(|&blocks| blocks <= MAX_BLOCKS)
}

/// The last layer stands behind three for each halving, and a padding.
fn outputs(keys: &Keys<'_>) -> Option<usize> {
    keys.side(&format!("model.{}.weight", tail(keys)? + 3 * halvings(keys)? + 1), 0)
}

/// RGB in 0..1 with a black hole, then the mask: 1 is the hole. The output is pasted, as the authors do.
fn conventions(_: &ArchConfig) -> Conventions {
    Conventions {
        input_range: Range::ZeroOne,
        output_range: Range::ZeroOne,
        hole_value: HoleValue::Constant(0.0),
        blend: Blend::Pasted,
        // Any multiple of 8 is taken; with 64 the spectra have sides that are transformed fastest.
        size: SizeRule::free(64, 512).up_to(1024),
        beyond: Beyond::Symmetric,
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides that are multiples of 8 where there are three halvings.
fn network(config: &ArchConfig) -> Network {
    let (halvings, blocks) = (config.get(HALVINGS), config.get(BLOCKS));
    let channels = config.width() << halvings;
    // Where the width is changed and nothing else, some are still global.
    let local = config.get(LOCAL).clamp(1, channels.saturating_sub(2).max(1));
    let mut builder = Builder { net: Network::new(), channels, local };
    let x = builder.net.input("x", config.get(INPUTS));
    let mut x = builder.net.node("model.0", Pad2d::reflection(3), &[x]);
    let stem = Conv2d::new(config.get(INPUTS), config.width(), 7).bias(false);
    x = builder.local_layer("model.1", stem, x);
    for halving in 0..halvings.saturating_sub(1) {
        let channels = config.width() << halving;
        x = builder.local_layer(&format!("model.{}", 2 + halving), halved(channels, 2 * channels), x);
    }
    let mut features = builder.split(&format!("model.{}", 1 + halvings), x);
    for block in 0..blocks {
        features = builder.block(&format!("model.{}", 2 + halvings + block), features);
    }
    let tail = 2 + halvings + blocks;
    x = builder.net.node(format!("model.{tail}"), Cat::CHANNELS, &features);
    let mut layers = builder.net.sequential("model", x);
    for _ in 0..=tail {
        layers.skip();
    }
    for halving in (0..halvings).rev() {
        let to = config.width() << halving;
        layers.push(ConvTranspose2d::new(2 * to, to, 3).stride(2).padding(1).output_padding(1));
        layers.push(BatchNorm2d::new(to)).push(Activation::ReLU);
    }
    layers.push(Pad2d::reflection(3)).push(Conv2d::new(config.width(), config.get(OUTPUTS), 7));
    let y = layers.push(Activation::Sigmoid).end();
    builder.net.returns(y)
}

/// A 3x3 convolution at stride 2.
fn halved(inputs: usize, outputs: usize) -> Conv2d {
    reflected(inputs, outputs).stride(2)
}

/// A 3x3 convolution.
fn reflected(inputs: usize, outputs: usize) -> Conv2d {
    Conv2d::new(inputs, outputs, 3).padding(1).padding_mode(PaddingMode::Reflect).bias(false)
}

struct Builder {
    net: Network,
    /// Channels of the blocks.
    channels: usize,
    /// How many of these are local.
    local: usize,
}

impl Builder {
    fn global(&self) -> usize {
        self.channels.saturating_sub(self.local)
    }

    fn node(&mut self, path: &str, name: &str, op: impl Into<Op>, inputs: &[ValueId]) -> ValueId {
        self.net.node(format!("{path}.{name}"), op, inputs)
    }

    /// A norm and a ReLU.
    fn end(&mut self, path: &str, name: &str, channels: usize, x: ValueId) -> ValueId {
        let x = self.node(path, &format!("bn_{name}"), BatchNorm2d::new(channels), &[x]);
        self.node(path, &format!("act_{name}"), Activation::ReLU, &[x])
    }

    /// A layer of local features alone.
    fn local_layer(&mut self, path: &str, conv: Conv2d, x: ValueId) -> ValueId {
        let channels = conv.out_channels;
        let y = self.node(path, "ffc.convl2l", conv, &[x]);
        self.end(path, "l", channels, y)
    }

    /// The last halving: local and global features from local ones.
    fn split(&mut self, path: &str, x: ValueId) -> [ValueId; 2] {
        let (inputs, global) = (self.channels / 2, self.global());
        let l = self.node(path, "ffc.convl2l", halved(inputs, self.local), &[x]);
        let g = self.node(path, "ffc.convl2g", halved(inputs, global), &[x]);
        [self.end(path, "l", self.local, l), self.end(path, "g", global, g)]
    }

    /// Two fast Fourier convolutions, and what went into them; no activation behind the sum.
    fn block(&mut self, path: &str, [l, g]: [ValueId; 2]) -> [ValueId; 2] {
        let features = self.fourier_convolution(&format!("{path}.conv1"), [l, g]);
        let [own_l, own_g] = self.fourier_convolution(&format!("{path}.conv2"), features);
        [self.node(path, "sum_l", Add, &[l, own_l]), self.node(path, "sum_g", Add, &[g, own_g])]
    }

    fn fourier_convolution(&mut self, path: &str, [l, g]: [ValueId; 2]) -> [ValueId; 2] {
        let (local, global) = (self.local, self.global());
        let l2l = self.node(path, "ffc.convl2l", reflected(local, local), &[l]);
        let l2g = self.node(path, "ffc.convl2g", reflected(local, global), &[l]);
        let g2l = self.node(path, "ffc.convg2l", reflected(global, local), &[g]);
        let g2g = self.spectral_transform(&format!("{path}.ffc.convg2g"), g);
        let sum_l = self.node(path, "ffc.sum_l", Add, &[l2l, g2l]);
        let sum_g = self.node(path, "ffc.sum_g", Add, &[l2g, g2g]);
        [self.end(path, "l", local, sum_l), self.end(path, "g", global, sum_g)]
    }

    /// Global features to global features: half as many, to which their convolved spectrum is added.
    fn spectral_transform(&mut self, path: &str, g: ValueId) -> ValueId {
        let (global, half) = (self.global(), self.global() / 2);
        let x = self.node(path, "conv1.0", Conv2d::new(global, half, 1).bias(false), &[g]);
        let x = self.node(path, "conv1.1", BatchNorm2d::new(half), &[x]);
        let x = self.node(path, "conv1.2", Activation::ReLU, &[x]);
        let u = self.node(path, "fu.rfft2", Rfft2 {}, &[x]);
        let u = self.node(path, "fu.conv_layer", Conv2d::new(2 * half, 2 * half, 1).bias(false), &[u]);
        let u = self.node(path, "fu.bn", BatchNorm2d::new(2 * half), &[u]);
        let u = self.node(path, "fu.relu", Activation::ReLU, &[u]);
        let u = self.node(path, "fu.irfft2", Irfft2 {}, &[u, x]);
        let sum = self.node(path, "sum", Add, &[x, u]);
        self.node(path, "conv2", Conv2d::new(half, global, 1).bias(false), &[sum])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Published counts.
    #[test]
    fn counts_are_the_published_ones() {
        for (blocks, count) in [(18, 50_975_875), (9, 27_048_835), (6, 19_073_155)] {
            assert_eq!(network(&spec().published().with(BLOCKS, blocks)).parameter_count(), count, "{blocks} blocks");
        }
        let network = network(&spec().published());
        let shapes = network.shapes(&network.square_inputs(512)).unwrap();
        assert_eq!(shapes[network.output()], crate::network::Shape::image(3, 512, 512));
        let macs: u64 = network.costs(&network.square_inputs(512)).unwrap().iter().map(|cost| cost.macs).sum();
        assert_eq!(macs / 100_000_000, 2199, "219.9 G");
    }
}

//! AOT-GAN (Zeng et al. 2021, "Aggregated Contextual Transformations for High-Resolution Image Inpainting").

use super::config::{BLOCKS, WIDTH};
use super::spec::sentences;
use super::{ArchConfig, ArchParameter, Blend, Conventions, HoleValue, Keys, ModelSpec, SizeRule};
use crate::limits::MAX_BLOCKS;
use crate::network::ops::{Add, Affine, Mul, Standardize};
use crate::network::{Activation, Cat, Conv2d, Network, Pad2d, Upsample, UpsampleMode, ValueId};

/// Dilations of a block's branches.
const RATES: [usize; 4] = [1, 2, 4, 8];

/// AOT-GAN, trained on CelebA-HQ or Places2.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![
            ArchParameter::read(WIDTH, 64, |keys| keys.side("encoder.1.weight", 0)),
            ArchParameter::read(BLOCKS, 8, blocks),
        ],
        licence: "published weights: Apache-2.0, by the authors".to_owned(),
        about: sentences(&[
            "Each of its blocks looks at four distances at once.",
            "Its gates depend on the mean of the whole window, so that another window gives another picture.",
        ]),
        ..ModelSpec::new("aot-gan", "AOT-GAN", network, conventions)
    }
    .benchmarked("aot-gan", &[256])
}

fn blocks(keys: &Keys<'_>) -> Option<usize> {
    let last = (0..MAX_BLOCKS).rev().find(|index| keys.has(&format!("middle.{index}.fuse.1.weight")))?;
    Some(last + 1)
}

/// RGB in -1..1 with a white hole, then the mask: 1 is the hole. The output is pasted, as the authors do.
fn conventions(_: &ArchConfig) -> Conventions {
    Conventions {
        hole_value: HoleValue::Constant(1.0),
        blend: Blend::Pasted,
        size: SizeRule::free(4, 512),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides that are multiples of 4.
fn network(config: &ArchConfig) -> Network {
    let w = config.width();
    let mut net = Network::new();
    let x = net.input("x", 4);
    let mut layers = net.sequential("encoder", x);
    layers.push(Pad2d::reflection(3)).push(Conv2d::new(4, w, 7)).push(Activation::ReLU);
    for channels in [w, 2 * w] {
        layers.push(Conv2d::new(channels, 2 * channels, 4).stride(2).padding(1)).push(Activation::ReLU);
    }
    let mut x = layers.end();
    for index in 0..config.get(BLOCKS) {
        x = block(&mut net, &format!("middle.{index}"), 4 * w, x);
    }
    for (index, channels) in [(0, 2 * w), (2, w)] {
        let path = format!("decoder.{index}");
        let bilinear = Upsample { scale: 2, mode: UpsampleMode::BilinearAligned };
        let y = net.node(format!("{path}.interpolate"), bilinear, &[x]);
        let y = net.node(format!("{path}.conv"), Conv2d::new(2 * channels, channels, 3).padding(1), &[y]);
        x = net.node(format!("decoder.{}", index + 1), Activation::ReLU, &[y]);
    }
    let y = net.node("decoder.4", Conv2d::new(w, 3, 3).padding(1), &[x]);
    let y = net.node("tanh", Activation::Tanh, &[y]);
    net.returns(y)
}

/// Four dilated branches, joined, and a gate between what they give and what went in.
fn block(net: &mut Network, path: &str, channels: usize, x: ValueId) -> ValueId {
    let branches = RATES.into_iter().enumerate().map(|(index, rate)| {
        let mut branch = net.sequential(format!("{path}.block{index:02}"), x);
        let conv = Conv2d::new(channels, channels / 4, 3).dilation(rate);
        branch.push(Pad2d::reflection(rate)).push(conv).push(Activation::ReLU).end()
    });
    let branches: Vec<ValueId> = branches.collect();
    let joined = net.node(format!("{path}.cat"), Cat::CHANNELS, &branches);
    let convolved = |net: &mut Network, name: &str, x| {
        let mut layers = net.sequential(format!("{path}.{name}"), x);
        layers.push(Pad2d::reflection(1)).push(Conv2d::new(channels, channels, 3)).end()
    };
    let fused = convolved(net, "fuse", joined);
    let gate = convolved(net, "gate", x);
    let gate = net.node(format!("{path}.standardize"), Standardize { eps: 1e-9 }, &[gate]);
    let gate = net.node(format!("{path}.stretch"), Affine { scale: 10.0, offset: -5.0 }, &[gate]);
    let gate = net.node(format!("{path}.sigmoid"), Activation::Sigmoid, &[gate]);
    let rest = net.node(format!("{path}.rest"), Affine { scale: -1.0, offset: 1.0 }, &[gate]);
    let kept = net.node(format!("{path}.kept"), Mul, &[x, rest]);
    let new = net.node(format!("{path}.new"), Mul, &[fused, gate]);
    net.node(format!("{path}.sum"), Add, &[kept, new])
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Published counts.
    #[test]
    fn counts_are_the_published_ones() {
        let network = network(&spec().published());
        assert_eq!(network.parameter_count(), 15_200_835);
        let macs: u64 = network.costs(&network.square_inputs(512)).unwrap().iter().map(|cost| cost.macs).sum();
        assert_eq!(macs / 100_000_000, 2915, "291.5 G");
    }
}

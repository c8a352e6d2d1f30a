//! CycleGAN's ResNet (Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks"),
//! with any number of blocks, as `models/networks.py` of junyanz/pytorch-CycleGAN-and-pix2pix builds it.

use super::config::{BLOCKS, DROPOUT, INPUTS, OUTPUTS, WIDTH};
use super::norm_kind::{self, NormKind};
use super::spec::sentences;
use super::{ArchConfig, ArchParameter, Conventions, InputTensor, Keys, ModelSpec, NormStatistics, SizeRule};
use crate::limits::MAX_BLOCKS;
use crate::network::ops::Add;
use crate::network::{Activation, Conv2d, ConvTranspose2d, Network, Op, Pad2d, ValueId};

/// Index of the first block in `model`.
const FIRST_BLOCK: usize = 10;

/// The ResNet; `resnet_9blocks` as published.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![
            ArchParameter::read(WIDTH, 64, |keys| keys.side("model.1.weight", 0)),
            ArchParameter::read(INPUTS, 3, |keys| keys.side("model.1.weight", 1)),
            ArchParameter::read(BLOCKS, 9, blocks),
            ArchParameter::read(OUTPUTS, 3, |keys| keys.side(&format!("model.{}.weight", blocks(keys)? + 17), 0)),
            ArchParameter::read(DROPOUT, 0, |keys| {
                let second = keys.shape(&format!("model.{FIRST_BLOCK}.conv_block.6.weight"));
                Some(usize::from(second.is_some_and(|shape| shape.len() == 4)))
            }),
            norm_kind::parameter("model.1", "model.2", NormKind::Instance),
        ],
        keys: norm_kind::rules(),
        about: sentences(&[
            "CycleGAN makes a picture of another kind of the whole picture: as published it is given the photo with its hole filled and no mask, so it cannot see which part is to be painted.",
            "A file with four input channels is given the mask in the fourth.",
        ]),
        ..ModelSpec::new("cyclegan-resnet", "CycleGAN ResNet", network, conventions)
    }
    .benchmarked("cyclegan", &[256])
}

fn blocks(keys: &Keys<'_>) -> Option<usize> {
    let is_block = |index: &usize| keys.has(&format!("model.{}.conv_block.1.weight", FIRST_BLOCK + index));
    Some((0..MAX_BLOCKS).take_while(is_block).count()).filter(|&count| count > 0)
}

fn conventions(config: &ArchConfig) -> Conventions {
    Conventions {
        inputs: vec![InputTensor::of_channels(config.get(INPUTS))],
        size: SizeRule::free(4, 256),
        // The published test runs pix2pix's networks, of which this may be one, in training mode.
        norm_statistics: Some(NormStatistics::Picture),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, inputs, H, W]` to `[1, outputs, H, W]`, sides a multiple of 4.
fn network(config: &ArchConfig) -> Network {
    let mut net = Network::new();
    let x = net.input("x", config.get(INPUTS));
    let (w, norm, count) = (config.width(), NormKind::of(config), config.get(BLOCKS));
    let mut y = net.node("model.0", Pad2d::reflection(3), &[x]);
    y = layer(&mut net, 1, y, Conv2d::new(config.get(INPUTS), w, 7).bias(norm.has_bias()), norm, w);
    for (index, c) in [(4, 2 * w), (7, 4 * w)] {
        let down = Conv2d::new(c / 2, c, 3).stride(2).padding(1).bias(norm.has_bias());
        y = layer(&mut net, index, y, down, norm, c);
    }
    for index in 0..count {
        y = block(&mut net, config, &format!("model.{}", FIRST_BLOCK + index), y);
    }
    let tail = FIRST_BLOCK + count;
    for (index, c) in [(tail, 2 * w), (tail + 3, w)] {
        let up = ConvTranspose2d::new(2 * c, c, 3).stride(2).padding(1).output_padding(1).bias(norm.has_bias());
        y = layer(&mut net, index, y, up, norm, c);
    }
    y = net.node(format!("model.{}", tail + 6), Pad2d::reflection(3), &[y]);
    y = net.node(format!("model.{}", tail + 7), Conv2d::new(w, config.get(OUTPUTS), 7), &[y]);
    y = net.node(format!("model.{}", tail + 8), Activation::Tanh, &[y]);
    net.returns(y)
}

/// A convolution at this index, its norm and its ReLU.
fn layer(net: &mut Network, index: usize, x: ValueId, conv: impl Into<Op>, norm: NormKind, c: usize) -> ValueId {
    let y = net.node(format!("model.{index}"), conv, &[x]);
    let y = norm.push(net, format!("model.{}", index + 1), y, c);
    net.node(format!("model.{}", index + 2), Activation::ReLU, &[y])
}

/// `x + conv_block(x)`, without a ReLU after the sum; a dropout between the two convolutions moves the second.
fn block(net: &mut Network, config: &ArchConfig, path: &str, x: ValueId) -> ValueId {
    let (c, norm) = (4 * config.width(), NormKind::of(config));
    let at = |index: usize| format!("{path}.conv_block.{index}");
    let second = 4 + usize::from(config.has(DROPOUT));
    let mut y = x;
    for start in [0, second] {
        y = net.node(at(start), Pad2d::reflection(1), &[y]);
        y = net.node(at(start + 1), Conv2d::new(c, c, 3).bias(norm.has_bias()), &[y]);
        y = norm.push(net, at(start + 2), y, c);
        if start == 0 {
            y = net.node(at(3), Activation::ReLU, &[y]);
        }
    }
    net.node(path, Add, &[x, y])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::config::NORM;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn counts_are_the_published_ones() {
        let nine = spec().published();
        let six = nine.clone().with(BLOCKS, 6);
        let tensors = |config: &ArchConfig| network(config).parameters().len();
        assert_eq!((network(&nine).parameter_count(), tensors(&nine)), (11_378_179, 48));
        assert_eq!((network(&six).parameter_count(), tensors(&six)), (7_837_699, 36));
        assert_eq!(tensors(&nine.with(NORM, NormKind::Batch as usize)), 6 + 18 + 1 + 5 * 23);
    }
}

//! pix2pix's U-Net (Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks"), of any depth, as
//! `models/networks.py` of junyanz/pytorch-CycleGAN-and-pix2pix builds it.

use super::config::{DEPTH, INPUTS, OUTPUTS, WIDTH};
use super::norm_kind::{self, NormKind};
use super::spec::sentences;
use super::{ArchConfig, ArchParameter, Conventions, InputTensor, Keys, ModelSpec, NormStatistics, SizeRule};
use crate::limits::MAX_DEPTH;
use crate::network::{Activation, Cat, Conv2d, ConvTranspose2d, Network, ValueId};

const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };

/// The U-Net; `unet_256` as published.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![
            ArchParameter::read(WIDTH, 64, |keys| keys.side("model.model.0.weight", 0)),
            ArchParameter::read(INPUTS, 3, |keys| keys.side("model.model.0.weight", 1)),
            ArchParameter::read(OUTPUTS, 3, |keys| keys.side("model.model.3.weight", 1)),
            ArchParameter::read(DEPTH, 8, depth),
            norm_kind::parameter("model.model.0", "model.model.1.model.2", NormKind::Batch),
        ],
        keys: norm_kind::rules(),
        about: sentences(&[
            "pix2pix makes one picture of another: as published it is given the photo with its hole filled and no mask, so it cannot see which part is to be painted.",
            "A file with four input channels is given the mask in the fourth; one with six is given a second picture.",
        ]),
        ..ModelSpec::new("pix2pix-unet", "pix2pix U-Net", network, conventions)
    }
    .benchmarked("pix2pix", &[256])
}

/// Two levels, and one for each nested module between them.
fn depth(keys: &Keys<'_>) -> Option<usize> {
    let levels = (1..MAX_DEPTH - 1).take_while(|&level| keys.has(&format!("{}.3.model.1.weight", path(level)))).count();
    (levels > 0).then_some(levels + 2)
}

/// Where the layers of a level lie.
fn path(level: usize) -> String {
    match level {
        0 => "model.model".to_owned(),
        level => format!("model.model.1.model{}", ".3.model".repeat(level - 1)),
    }
}

fn conventions(config: &ArchConfig) -> Conventions {
    let multiple = 1 << config.get(DEPTH).min(MAX_DEPTH);
    // `unet_128` was made for pictures of 128 pixels, all others are trained at 256.
    let preferred = if multiple == 128 { 128 } else { multiple.max(256) };
    Conventions {
        inputs: vec![InputTensor::of_channels(config.get(INPUTS))],
        size: SizeRule::free(multiple, preferred),
        // The published test runs in training mode.
        norm_statistics: Some(NormStatistics::Picture),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, inputs, H, W]` to `[1, outputs, H, W]`, sides a multiple of 2 to the depth.
fn network(config: &ArchConfig) -> Network {
    let mut net = Network::new();
    let x = net.input("x", config.get(INPUTS));
    let (w, norm) = (config.width(), NormKind::of(config));
    let path = path(0);
    let down = Conv2d::new(config.get(INPUTS), w, 4).stride(2).padding(1).bias(norm.has_bias());
    let y = net.node(format!("{path}.0"), down, &[x]);
    let y = level(&mut net, config, 1, y);
    let y = net.node(format!("{path}.2"), Activation::ReLU, &[y]);
    let up = ConvTranspose2d::new(2 * w, config.get(OUTPUTS), 4).stride(2).padding(1);
    let y = net.node(format!("{path}.3"), up, &[y]);
    let y = net.node(format!("{path}.4"), Activation::Tanh, &[y]);
    net.returns(y)
}

/// One level below the outermost: `[x, up(deeper(down(x)))]`. Dropout would stand last, and moves no key.
fn level(net: &mut Network, config: &ArchConfig, level_index: usize, x: ValueId) -> ValueId {
    let width = |level: usize| config.width() * (1 << level.min(3));
    let (own, outer, norm) = (width(level_index), width(level_index - 1), NormKind::of(config));
    let innermost = level_index + 1 >= config.get(DEPTH);
    let path = path(level_index);
    let at = |index: usize| format!("{path}.{index}");
    let y = net.node(at(0), LEAKY, &[x]);
    let mut y = net.node(at(1), Conv2d::new(outer, own, 4).stride(2).padding(1).bias(norm.has_bias()), &[y]);
    if !innermost {
        y = norm.push(net, at(2), y, own);
        y = level(net, config, level_index + 1, y);
    }
    let (next, channels) = if innermost { (2, own) } else { (4, 2 * own) };
    let y = net.node(at(next), Activation::ReLU, &[y]);
    let up = ConvTranspose2d::new(channels, outer, 4).stride(2).padding(1).bias(norm.has_bias());
    let y = net.node(at(next + 1), up, &[y]);
    let y = norm.push(net, at(next + 2), y, outer);
    net.node(format!("{path}.cat"), Cat::CHANNELS, &[x, y])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::config::NORM;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn counts_are_the_published_ones() {
        let config = spec().published();
        let tensors = |config: &ArchConfig| network(config).parameters().len();
        assert_eq!((network(&config).parameter_count(), tensors(&config)), (54_413_955, 82));
        let instance = config.clone().with(NORM, NormKind::Instance as usize);
        assert_eq!((network(&instance).parameter_count(), tensors(&instance)), (54_409_603, 32));
        let small = config.with(DEPTH, 7);
        assert_eq!((network(&small).parameter_count(), tensors(&small)), (41_828_995, 70));
        assert_eq!(conventions(&small).size, SizeRule::free(128, 128));
    }
}

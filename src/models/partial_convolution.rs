//! The U-Net of partial convolutions (Liu et al. 2018, "Image Inpainting for Irregular Holes Using Partial Convolutions") as in
//! naoto0804/pytorch-inpainting-with-partial-conv: every layer sees what is known only, and says what its result knows.

use std::sync::Arc;

use super::config::{DEPTH, WIDTH};
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Blend, Channel, Conventions, HoleValue, InputTensor, KeyRules, Keys, ModelSpec, Range,
    SizeRule, Source,
};
use crate::limits::MAX_DEPTH;
use crate::network::ops::{Add, MaskSums, Mul, Reshape, Slice};
use crate::network::{Activation, BatchNorm2d, Cat, Conv2d, Network, Upsample, UpsampleMode, ValueId};

/// Halvings that a file has at least: their channels grow.
const LEAST_DEPTH: usize = 4;

/// The U-Net of partial convolutions.
pub fn spec() -> ModelSpec {
    ModelSpec {
        parameters: vec![
            ArchParameter::read(WIDTH, 64, |keys| keys.side("enc_1.conv.input_conv.weight", 0)),
            ArchParameter::read(DEPTH, 7, depth),
        ],
        keys: KeyRules {
            unread: Some((
                Arc::new(|_, key| key.ends_with(".mask_conv.weight")),
                "Masks are convolved with ones, which are never trained.".to_owned(),
            )),
            ..KeyRules::default()
        },
        licence: "published weights: MIT, by naoto0804".to_owned(),
        about: sentences(&["Each of its layers looks at known pixels only, and the hole shrinks from layer to layer."]),
        ..ModelSpec::new("partial-convolution", "the U-Net of partial convolutions", network, conventions)
    }
}

fn depth(keys: &Keys<'_>) -> Option<usize> {
    let last = (LEAST_DEPTH..=MAX_DEPTH).rev().find(|depth| keys.has(&format!("enc_{depth}.conv.input_conv.weight")));
    last.filter(|_| keys.has("dec_1.conv.input_conv.weight"))
}

/// RGB less ImageNet's mean, divided by its deviation; then the mask three times, 1 is known. The output is pasted.
fn conventions(config: &ArchConfig) -> Conventions {
    let halvings = u32::try_from(config.get(DEPTH)).unwrap_or(0);
    Conventions {
        inputs: vec![InputTensor::new(Channel::masked_rgb()), InputTensor::new([Channel::unit(Source::Known); 3])],
        input_range: Range::ImageNet,
        output_range: Range::ImageNet,
        hole_value: HoleValue::Constant(0.0),
        blend: Blend::Pasted,
        size: SizeRule::free(1usize.checked_shl(halvings).unwrap_or(1), 256),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, 3, H, W]` and the mask `[1, 3, H, W]`, of equal channels, to `[1, 3, H, W]`; sides that can be halved so often.
fn network(config: &ArchConfig) -> Network {
    let (width, depth) = (config.width(), config.get(DEPTH).clamp(LEAST_DEPTH, MAX_DEPTH));
    let channels = |level: usize| if level == 0 { 3 } else { width << (level - 1).min(3) };
    let mut net = Network::new();
    let (image, masks) = (net.input("input", 3), net.input("input_mask", 3));
    let mask = net.node("mask", Slice { dim: 1, start: 0, length: 1 }, &[masks]);
    let mut levels = vec![Known { value: image, mask, channels: 3 }];
    for level in 1..=depth {
        let kernel = match level {
            1 => 7,
            2 | 3 => 5,
            _ => 3,
        };
        let layer = Layer { kernel, stride: 2, channels: channels(level) };
        let path = format!("enc_{level}");
        let y = partial(&mut net, &path, &levels[level - 1..], layer);
        levels.push(end(&mut net, &path, y, level > 1, Activation::ReLU));
    }
    let mut last = levels[depth];
    for level in (1..=depth).rev() {
        let path = format!("dec_{level}");
        let doubled = Upsample { scale: 2, mode: UpsampleMode::Nearest };
        let value = net.node(format!("{path}.interpolate"), doubled, &[last.value]);
        let mask = net.node(format!("{path}.interpolate_mask"), doubled, &[last.mask]);
        let parts = [Known { value, mask, ..last }, levels[level - 1]];
        let y = partial(&mut net, &path, &parts, Layer { kernel: 3, stride: 1, channels: channels(level - 1) });
        last = match level {
            1 => biased(&mut net, &path, y),
            _ => end(&mut net, &path, y, true, Activation::LeakyReLU { slope: 0.2 }),
        };
    }
    net.returns(last.value)
}

/// Features, and where they are known: a mask of one channel, which stands for all.
#[derive(Clone, Copy)]
struct Known {
    value: ValueId,
    mask: ValueId,
    channels: usize,
}

#[derive(Clone, Copy)]
struct Layer {
    kernel: usize,
    stride: usize,
    channels: usize,
}

/// A partial convolution without its bias, of features one after the other.
fn partial(net: &mut Network, path: &str, parts: &[Known], layer: Layer) -> Known {
    let path = format!("{path}.conv");
    let known: Vec<ValueId> =
        parts.iter().map(|part| net.node(format!("{path}.known"), Mul, &[part.value, part.mask])).collect();
    let x = match known[..] {
        [one] => one,
        _ => net.node(format!("{path}.cat"), Cat::CHANNELS, &known),
    };
    let inputs = parts.iter().map(|part| part.channels).sum();
    let conv = Conv2d::new(inputs, layer.channels, layer.kernel);
    let conv = conv.stride(layer.stride).padding(layer.kernel / 2).bias(false);
    let sums = MaskSums {
        conv: Conv2d { in_channels: 1, out_channels: 1, ..conv.clone() },
        channels: parts.iter().map(|part| part.channels).collect(),
    };
    let y = net.node(format!("{path}.input_conv"), conv, &[x]);
    let masks: Vec<ValueId> = parts.iter().map(|part| part.mask).collect();
    let share = net.node(format!("{path}.mask_conv"), sums, &masks);
    let value = net.node(format!("{path}.share"), Mul, &[y, share]);
    Known { value, mask: share.output(1), channels: layer.channels }
}

/// The norm and the function behind a partial convolution.
fn end(net: &mut Network, path: &str, y: Known, normed: bool, activation: Activation) -> Known {
    let mut value = y.value;
    if normed {
        value = net.node(format!("{path}.bn"), BatchNorm2d::new(y.channels), &[value]);
    }
    Known { value: net.node(format!("{path}.activation"), activation, &[value]), ..y }
}

/// The bias of a partial convolution, which only known pixels have.
fn biased(net: &mut Network, path: &str, y: Known) -> Known {
    let bias = net.stored(&format!("{path}.conv.input_conv.bias"), &[y.channels]);
    let shape = vec![Some(1), Some(y.channels), Some(1), Some(1)];
    let bias = net.node(format!("{path}.conv.bias"), Reshape { shape }, &[bias]);
    let bias = net.node(format!("{path}.conv.known_bias"), Mul, &[y.mask, bias]);
    let value = net.node(format!("{path}.conv.biased"), Add, &[y.value, bias]);
    Known { value, ..y }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `sum(p.numel() for p in PConvUNet().parameters() if p.requires_grad)`, less the last bias, which is a tensor by itself
    /// here.
    #[test]
    fn counts_are_the_published_ones() {
        let network = network(&spec().published());
        assert_eq!(network.parameter_count(), 25_779_796 - 3);
        let shapes = network.shapes(&network.square_inputs(256)).unwrap();
        assert_eq!(shapes[network.output()], crate::network::Shape::image(3, 256, 256));
    }
}

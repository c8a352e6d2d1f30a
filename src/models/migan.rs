//! MI-GAN (Sargsyan et al. 2023, "MI-GAN: A Simple Baseline for Image Inpainting on Mobile Devices") in the form in which it
//! is published for inference. A file runs at one picture size, which its keys tell.

use std::sync::Arc;

use super::config::{BOTTLENECK, SIDE, WIDTH};
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Blend, Channel, ChannelRange, Conventions, InputTensor, KeyRules, KeyTransform, Keys,
    MaskMeans, ModelSpec, Range, SizeRule, Source,
};
use crate::limits::MAX_FIXED_SIDE;
use crate::network::ops::{Add, Affine, Clamp};
use crate::network::{Activation, Conv2d, ConvTranspose2d, Network, Parameter, ValueId};

/// The smallest side inside the network.
const LEAST: usize = 4;

/// MI-GAN 512, trained on Places2.
pub fn side_512() -> ModelSpec {
    spec("migan-512", "MI-GAN 512", 512, |side| side == 512).benchmarked("migan", &[512])
}

/// MI-GAN 256, trained on Places2 or FFHQ.
pub fn side_256() -> ModelSpec {
    spec("migan-256", "MI-GAN 256", 256, |side| side == 256)
}

/// MI-GAN of a side that its authors have not published.
pub fn other_side() -> ModelSpec {
    spec("migan", "MI-GAN of another side", 128, |side| side != 256 && side != 512)
}

/// MI-GAN for the sides that `takes` says, with `side` where a file does not tell.
fn spec(id: &str, name: &str, side: usize, takes: fn(usize) -> bool) -> ModelSpec {
    let from_rgb = |keys: &Keys<'_>| keys.side(&format!("encoder.b{}.fromrgb.weight", side_of(keys)?), 0);
    ModelSpec {
        parameters: vec![
            ArchParameter::read(SIDE, side, move |keys| side_of(keys).filter(|&side| takes(side))),
            ArchParameter::read(WIDTH, 32_768 / side, from_rgb),
            ArchParameter::read(BOTTLENECK, 512, |keys| keys.side("encoder.b4.conv1.conv1.weight", 0)),
        ],
        keys: rules(),
        licence: "published weights: MIT, copyright 2024 Picsart AI Research (PAIR)".to_owned(),
        about: sentences(&[
            "It runs at exactly one square size, because its noise is stored as maps of that size.",
            "It was trained to invent what random holes hide, so it may put a new thing where one was taken out.",
        ]),
        ..ModelSpec::new(id, name, network, conventions)
    }
}

/// The side of the only block that takes pictures.
fn side_of(keys: &Keys<'_>) -> Option<usize> {
    let sides = std::iter::successors(Some(2 * LEAST), |side| Some(2 * side));
    sides.take_while(|&side| side <= MAX_FIXED_SIDE).find(|side| keys.has(&format!("encoder.b{side}.fromrgb.weight")))
}

/// Known - 0.5, then RGB in -1..1 with a hole of 0; the output is pasted, as the authors do.
fn conventions(config: &ArchConfig) -> Conventions {
    let known = Channel { source: Source::Mask, range: ChannelRange::Fixed(Range::ZeroOne), offset: -0.5 };
    let side = config.get(SIDE);
    Conventions {
        inputs: vec![InputTensor::new([&[known][..], &Channel::masked_rgb()].concat())],
        mask_means: MaskMeans::Known,
        blend: Blend::Pasted,
        size: SizeRule::fixed(side),
        ..Conventions::rgb_and_mask()
    }
}

/// The blur filters never change, so files may leave them out; `filter_const` is a way to put zeros between pixels. Files
/// hold the filters of enlargements as those of plain convolutions.
fn rules() -> KeyRules {
    let why = "filter_const is not read: it only says where zeros lie between enlarged pixels.";
    KeyRules {
        unread: Some((Arc::new(|_, key| key.ends_with(".filter_const")), why.to_owned())),
        fixed: Some(Arc::new(binomial)),
        transforms: Some(Arc::new(|key| match key.strip_suffix("noise_const") {
            Some(path) => Some(KeyTransform::Times(format!("{path}noise_strength"))),
            None => key.ends_with("upsample.filter.weight").then_some(KeyTransform::ReverseKernel),
        })),
    }
}

/// A binomial filter `[channels, 1, 4, 4]`, whose sum is 1, or 4 where it enlarges; `None` for any other parameter.
fn binomial(parameter: &Parameter) -> Option<Vec<f32>> {
    const ROW: [f32; 4] = [1.0, 3.0, 3.0, 1.0];
    let name = parameter.key.strip_suffix(".filter.weight")?;
    let divisor = if name.ends_with("upsample") { 16.0 } else { 64.0 };
    let kernel: Vec<f32> = ROW.iter().flat_map(|a| ROW.map(|b| a * b / divisor)).collect();
    Some(kernel.repeat(*parameter.shape.first()?))
}

/// `[1, 4, side, side]` to `[1, 3, side, side]`.
fn network(config: &ArchConfig) -> Network {
    let side = config.get(SIDE);
    let mut builder = Builder { net: Network::new(), config };
    let x = builder.net.input("x", 4);
    let path = format!("encoder.b{side}.fromrgb");
    let rgb = builder.net.node(path.as_str(), Conv2d::new(4, builder.channels(side), 1), &[x]);
    let mut x = builder.activation(&path, rgb);
    let sides = || std::iter::successors(Some(LEAST), |side| Some(2 * side)).take_while(|&each| each <= side);
    let mut skips = Vec::new();
    for side in sides().collect::<Vec<_>>().into_iter().rev() {
        let path = format!("encoder.b{side}");
        let own = builder.channels(side);
        x = builder.separable(&format!("{path}.conv1"), x, own, own, Resize::None);
        skips.push((side, x));
        let (outputs, resize) =
            if side > LEAST { (builder.channels(side / 2), Resize::Down) } else { (own, Resize::None) };
        x = builder.separable(&format!("{path}.conv2"), x, own, outputs, resize);
    }
    let mut image = None;
    for (side, skip) in skips.into_iter().rev() {
        (x, image) = builder.synthesis(side, x, skip, image);
    }
    builder.net.returns(image.unwrap_or(x))
}

/// What a separable layer does to the size.
#[derive(Clone, Copy)]
enum Resize {
    None,
    Down,
    /// To this side; noise is added after it.
    Up(usize),
    /// Not at all, but noise of this side is added.
    Noise(usize),
}

struct Builder<'a> {
    net: Network,
    config: &'a ArchConfig,
}

impl Builder<'_> {
    /// Channels at a side.
    fn channels(&self, side: usize) -> usize {
        (self.config.width() * self.config.get(SIDE) / side).min(self.config.get(BOTTLENECK))
    }

    /// The network's only activation, with StyleGAN2's gain and clamp.
    fn activation(&mut self, path: &str, x: ValueId) -> ValueId {
        let y = self.net.node(format!("{path}.lrelu"), Activation::LeakyReLU { slope: 0.2 }, &[x]);
        let gain = Affine { scale: std::f32::consts::SQRT_2, offset: 0.0 };
        let y = self.net.node(format!("{path}.gain"), gain, &[y]);
        self.net.node(format!("{path}.clamp"), Clamp { low: -256.0, high: 256.0 }, &[y])
    }

    /// Twice as large: zeros between the pixels, then the filter, which is one transposed convolution.
    fn enlarge(&mut self, path: &str, x: ValueId, channels: usize) -> ValueId {
        let filter = ConvTranspose2d::new(channels, channels, 4).stride(2).padding(1).groups(channels).bias(false);
        self.net.node(format!("{path}.upsample.filter"), filter, &[x])
    }

    /// A depthwise 3x3 and a 1x1 convolution, resized between or after them, and its stored noise.
    fn separable(&mut self, path: &str, x: ValueId, inputs: usize, outputs: usize, resize: Resize) -> ValueId {
        let depthwise = Conv2d::new(inputs, inputs, 3).padding(1).groups(inputs);
        let y = self.net.node(format!("{path}.conv1"), depthwise, &[x]);
        let mut y = self.activation(&format!("{path}.conv1"), y);
        if let Resize::Down = resize {
            let filter = Conv2d::new(inputs, inputs, 4).stride(2).padding(1).groups(inputs).bias(false);
            y = self.net.node(format!("{path}.downsample.filter"), filter, &[y]);
        }
        y = self.net.node(format!("{path}.conv2"), Conv2d::new(inputs, outputs, 1).bias(false), &[y]);
        if let Resize::Up(_) = resize {
            y = self.enlarge(path, y, outputs);
        }
        if let Resize::Up(side) | Resize::Noise(side) = resize {
            let noise = self.net.stored(&format!("{path}.noise_const"), &[side, side]);
            y = self.net.node(format!("{path}.noise"), Add, &[y, noise]);
        }
        self.activation(path, y)
    }

    /// One side of the synthesis: its features and its picture, to which the smaller sides' pictures are added.
    fn synthesis(
        &mut self,
        side: usize,
        x: ValueId,
        skip: ValueId,
        image: Option<ValueId>,
    ) -> (ValueId, Option<ValueId>) {
        let path = format!("synthesis.b{side}");
        let own = self.channels(side);
        let (inputs, first, second) = match side {
            LEAST => (own, Resize::None, Resize::None),
            side => (self.channels(side / 2), Resize::Up(side), Resize::Noise(side)),
        };
        let x = self.separable(&format!("{path}.conv1"), x, inputs, own, first);
        let x = self.net.node(format!("{path}.skip"), Add, &[x, skip]);
        let x = self.separable(&format!("{path}.conv2"), x, own, own, second);
        let rgb = self.net.node(format!("{path}.torgb"), Conv2d::new(own, 3, 1), &[x]);
        let image = image.map_or(rgb, |image| {
            let larger = self.enlarge(&path, image, 3);
            self.net.node(format!("{path}.image"), Add, &[rgb, larger])
        });
        (x, Some(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Published counts, less the factors of the noise, which are folded into its maps.
    #[test]
    fn counts_are_the_published_ones() {
        for (spec, count, maps) in [(side_256(), 5_943_617, 12), (side_512(), 5_973_366, 14)] {
            let network = network(&spec.published());
            assert_eq!(network.parameter_count() + maps, count, "{}", spec.id);
            let stored = network.parameters().iter().filter(|p| p.key.ends_with("noise_const")).count();
            assert_eq!(stored as u64, maps);
        }
    }

    #[test]
    fn only_its_own_size_has_maps_of_noise() {
        let network = network(&other_side().published().with(SIDE, 16).with(WIDTH, 8).with(BOTTLENECK, 12));
        let shapes = network.shapes(&network.square_inputs(16)).unwrap();
        assert_eq!(shapes[network.output()], crate::network::Shape::image(3, 16, 16));
        assert!(network.shapes(&network.square_inputs(32)).is_err());
    }

    #[test]
    fn the_filters_are_binomial() {
        let parameter = |key: &str| Parameter {
            key: key.to_owned(),
            shape: vec![2, 1, 4, 4],
            kind: crate::network::ParameterKind::Trained,
        };
        let sum = |key: &str| binomial(&parameter(key)).map(|values| values.iter().sum::<f32>());
        assert_eq!(sum("encoder.b8.conv2.downsample.filter.weight"), Some(2.0));
        assert_eq!(sum("synthesis.b8.conv1.upsample.filter.weight"), Some(8.0));
        assert_eq!(sum("synthesis.b8.conv1.conv1.weight"), None);
    }
}

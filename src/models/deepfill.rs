//! DeepFillv2 (Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution") as in nipponjo/deepfillv2-pytorch: a coarse
//! network of gated convolutions, and a second one that refines its picture, half of it by contextual attention. There are two
//! forms, one trained in PyTorch and one that holds TensorFlow's weights; they differ in the names, in how a halving is padded,
//! and in the attention.

use std::sync::Arc;

use super::config::WIDTH;
use super::spec::sentences;
use super::{
    ArchConfig, ArchParameter, Blend, Channel, Conventions, HoleValue, InputTensor, KeyRules, ModelSpec, SizeRule,
    Source,
};
use crate::network::ops::{Add, Affine, ContextualAttention, Gated, Mul, Slice};
use crate::network::{Activation, Cat, Conv2d, Network, Pad2d, PaddingMode, Upsample, UpsampleMode, ValueId};

/// The form that was trained in PyTorch.
pub fn pytorch() -> ModelSpec {
    spec("deepfillv2", "DeepFillv2", &PYTORCH)
}

/// The form that holds TensorFlow's weights.
pub fn tensorflow() -> ModelSpec {
    spec("deepfillv2-tf", "DeepFillv2 (TensorFlow's)", &TENSORFLOW)
}

fn spec(id: &str, name: &str, form: &'static Form) -> ModelSpec {
    ModelSpec {
        parameters: vec![ArchParameter::read(WIDTH, 48, |keys| {
            keys.side(&format!("{}.conv.weight", form.coarse[0]), 0)
        })],
        keys: KeyRules {
            unread: Some((
                Arc::new(|_, key| key == FUSE),
                "The weights by which its attention adds neighbours are always the same.".to_owned(),
            )),
            ..KeyRules::default()
        },
        licence: "no licence is stated; where the weights come from the authors' own (CC BY-NC 4.0), they are not for \
                  commercial use"
            .to_owned(),
        about: sentences(&[
            "It paints a rough picture first, and then a finer one, for which it looks up what the rest of the picture has.",
        ]),
        ..ModelSpec::new(id, name, |config| network(config, form), conventions)
    }
}

/// Never trained: the identity.
const FUSE: &str = "stage2.contextual_attention.fuse_weight";

/// What the two forms differ in. The layers' names stand in the order in which they run.
struct Form {
    coarse: [&'static str; 17],
    /// The branch that convolves, down to its dilated layers.
    convolved: [&'static str; 10],
    /// The branch with the attention; it stands before the last two.
    attended: [&'static str; 8],
    joined: [&'static str; 7],
    attention: ContextualAttention,
    /// Whether a halving is padded below and to the right, as TensorFlow does it.
    same: bool,
}

static PYTORCH: Form = Form {
    coarse: [
        "stage1.conv1",
        "stage1.down_block1.conv1_downsample",
        "stage1.down_block1.conv2",
        "stage1.down_block2.conv1_downsample",
        "stage1.down_block2.conv2",
        "stage1.conv_bn1",
        "stage1.conv_bn2",
        "stage1.conv_bn3",
        "stage1.conv_bn4",
        "stage1.conv_bn5",
        "stage1.conv_bn6",
        "stage1.conv_bn7",
        "stage1.up_block1.conv1_upsample.conv",
        "stage1.up_block1.conv2",
        "stage1.up_block2.conv1_upsample.conv",
        "stage1.up_block2.conv2",
        "stage1.conv_to_rgb",
    ],
    convolved: [
        "stage2.conv_conv1",
        "stage2.conv_down_block1.conv1_downsample",
        "stage2.conv_down_block1.conv2",
        "stage2.conv_down_block2.conv1_downsample",
        "stage2.conv_down_block2.conv2",
        "stage2.conv_conv_bn1",
        "stage2.conv_conv_bn2",
        "stage2.conv_conv_bn3",
        "stage2.conv_conv_bn4",
        "stage2.conv_conv_bn5",
    ],
    attended: [
        "stage2.ca_conv1",
        "stage2.ca_down_block1.conv1_downsample",
        "stage2.ca_down_block1.conv2",
        "stage2.ca_down_block2.conv1_downsample",
        "stage2.ca_down_block2.conv2",
        "stage2.ca_conv_bn1",
        "stage2.ca_conv_bn4",
        "stage2.ca_conv_bn5",
    ],
    joined: [
        "stage2.conv_bn6",
        "stage2.conv_bn7",
        "stage2.up_block1.conv1_upsample.conv",
        "stage2.up_block1.conv2",
        "stage2.up_block2.conv1_upsample.conv",
        "stage2.up_block2.conv2",
        "stage2.conv_to_rgb",
    ],
    attention: ContextualAttention { fuse: true, aligned: false },
    same: false,
};

static TENSORFLOW: Form = Form {
    coarse: [
        "conv1",
        "conv2_downsample",
        "conv3",
        "conv4_downsample",
        "conv5",
        "conv6",
        "conv7_atrous",
        "conv8_atrous",
        "conv9_atrous",
        "conv10_atrous",
        "conv11",
        "conv12",
        "conv13_upsample.conv",
        "conv14",
        "conv15_upsample.conv",
        "conv16",
        "conv17",
    ],
    convolved: [
        "xconv1",
        "xconv2_downsample",
        "xconv3",
        "xconv4_downsample",
        "xconv5",
        "xconv6",
        "xconv7_atrous",
        "xconv8_atrous",
        "xconv9_atrous",
        "xconv10_atrous",
    ],
    attended: [
        "pmconv1",
        "pmconv2_downsample",
        "pmconv3",
        "pmconv4_downsample",
        "pmconv5",
        "pmconv6",
        "pmconv9",
        "pmconv10",
    ],
    joined: [
        "allconv11",
        "allconv12",
        "allconv13_upsample.conv",
        "allconv14",
        "allconv15_upsample.conv",
        "allconv16",
        "allconv17",
    ],
    attention: ContextualAttention { fuse: false, aligned: true },
    same: true,
};

/// RGB in -1..1 with a gray hole, a channel of ones, the mask (1: hole); then the mask alone. The output is pasted.
fn conventions(_: &ArchConfig) -> Conventions {
    let mask = Channel::unit(Source::Mask);
    Conventions {
        inputs: vec![
            InputTensor::masked_rgb_and(&[Channel::unit(Source::Constant(1.0)), mask]),
            InputTensor::new([mask]),
        ],
        hole_value: HoleValue::Constant(0.0),
        blend: Blend::Pasted,
        size: SizeRule::free(8, 512),
        ..Conventions::rgb_and_mask()
    }
}

/// `[1, 5, H, W]` and the mask `[1, 1, H, W]` to `[1, 3, H, W]`, sides that are multiples of 8.
fn network(config: &ArchConfig, form: &Form) -> Network {
    let width = config.width();
    let mut net = Network::new();
    let (x, mask) = (net.input("x", 5), net.input("mask", 1));
    let mut builder = Builder { net, same: form.same, last: x, channels: 5 };
    let down = Halvings::coarse(width);
    builder.encoder(&form.coarse[..5], down);
    builder.dilated(&form.coarse[5..10]);
    builder.gated(form.coarse[10], Layer::of(2 * width));
    builder.gated(form.coarse[11], Layer::of(2 * width));
    let coarse = builder.decoder(&form.coarse[12..], width);

    let net = &mut builder.net;
    let painted = net.node("painted", Mul, &[coarse, mask]);
    let known = net.node("known", Affine { scale: -1.0, offset: 1.0 }, &[mask]);
    let picture = net.node("picture", Slice { dim: 1, start: 0, length: 3 }, &[x]);
    let kept = net.node("kept", Mul, &[picture, known]);
    let composite = net.node("composite", Add, &[painted, kept]);

    builder.start(composite);
    builder.encoder(&form.convolved[..5], Halvings { hidden: [width / 2, width], ..down });
    let convolved = builder.dilated(&form.convolved[5..]);
    builder.start(composite);
    builder.encoder(&form.attended[..5], Halvings { hidden: [width / 2, 2 * width], ..down });
    let last = builder.gated(form.attended[5], Layer { activation: Activation::ReLU, ..Layer::of(2 * width) });
    builder.last = builder.net.node("contextual_attention", form.attention, &[last, mask]);
    builder.gated(form.attended[6], Layer::of(2 * width));
    let attended = builder.gated(form.attended[7], Layer::of(2 * width));
    builder.last = builder.net.node("joined", Cat::CHANNELS, &[convolved, attended]);
    builder.channels = 4 * width;
    builder.gated(form.joined[0], Layer::of(2 * width));
    builder.gated(form.joined[1], Layer::of(2 * width));
    let y = builder.decoder(&form.joined[2..], width);
    builder.net.returns(y)
}

/// One gated convolution.
#[derive(Clone, Copy)]
struct Layer {
    channels: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    activation: Activation,
}

impl Layer {
    /// 3x3.
    fn of(channels: usize) -> Self {
        Self { channels, kernel: 3, stride: 1, dilation: 1, activation: Activation::ELU { alpha: 1.0 } }
    }
}

/// Channels of a first layer and of two halvings: after the halving itself and after the layer behind it.
#[derive(Clone, Copy)]
struct Halvings {
    first: usize,
    hidden: [usize; 2],
    channels: [usize; 2],
}

impl Halvings {
    fn coarse(width: usize) -> Self {
        Self { first: width / 2, hidden: [width, 2 * width], channels: [width, 2 * width] }
    }
}

struct Builder {
    net: Network,
    same: bool,
    /// What the next layer reads, and its channels.
    last: ValueId,
    channels: usize,
}

impl Builder {
    /// The next layer reads a picture.
    fn start(&mut self, picture: ValueId) {
        (self.last, self.channels) = (picture, 3);
    }

    fn gated(&mut self, path: &str, layer: Layer) -> ValueId {
        let padding = layer.dilation * (layer.kernel - 1) / 2;
        let mut conv = Conv2d::new(self.channels, 2 * layer.channels, layer.kernel);
        conv = conv.stride(layer.stride).padding(padding).dilation(layer.dilation);
        if self.same && layer.stride == 2 {
            let pad = Pad2d { left: 0, top: 0, ..Pad2d::all(1, PaddingMode::Zeros) };
            self.last = self.net.node(format!("{path}.same_padding"), pad, &[self.last]);
            conv = conv.padding(0);
        }
        let x = self.net.node(format!("{path}.conv"), conv, &[self.last]);
        self.last = self.net.node(format!("{path}.gate"), Gated { activation: layer.activation }, &[x]);
        self.channels = layer.channels;
        self.last
    }

    /// A first layer of 5x5, and two halvings with a layer behind each.
    fn encoder(&mut self, names: &[&str], halvings: Halvings) {
        self.gated(names[0], Layer { kernel: 5, ..Layer::of(halvings.first) });
        for index in 0..2 {
            self.gated(names[1 + 2 * index], Layer { stride: 2, ..Layer::of(halvings.hidden[index]) });
            self.gated(names[2 + 2 * index], Layer::of(halvings.channels[index]));
        }
    }

    /// Dilated layers, which see twice as far each.
    fn dilated(&mut self, names: &[&str]) -> ValueId {
        for (index, name) in names.iter().enumerate() {
            self.gated(name, Layer { dilation: 1 << index, ..Layer::of(self.channels) });
        }
        self.last
    }

    /// Two doublings with a layer behind each, and a last layer without a gate.
    fn decoder(&mut self, names: &[&str], width: usize) -> ValueId {
        for (index, channels) in [[width, width], [width / 2, width / 4]].into_iter().enumerate() {
            let path = names[2 * index];
            let doubled = Upsample { scale: 2, mode: UpsampleMode::Nearest };
            self.last = self.net.node(format!("{path}.interpolate"), doubled, &[self.last]);
            self.gated(path, Layer::of(channels[0]));
            self.gated(names[2 * index + 1], Layer::of(channels[1]));
        }
        let last = Conv2d::new(self.channels, 3, 3).padding(1);
        let y = self.net.node(format!("{}.conv", names[4]), last, &[self.last]);
        self.net.node(format!("{}.tanh", names[4]), Activation::Tanh, &[y])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `sum(p.numel() for p in Generator().parameters())` of the published classes.
    #[test]
    fn counts_are_the_published_ones() {
        for spec in [pytorch(), tensorflow()] {
            let network = spec.network(&spec.published());
            assert_eq!(network.parameter_count(), PUBLISHED, "{}", spec.id);
            let shapes = network.shapes(&network.square_inputs(512)).unwrap();
            assert_eq!(shapes[network.output()], crate::network::Shape::image(3, 512, 512));
        }
    }

    const PUBLISHED: u64 = 4_052_478;
}

//! StarterUNet: the small U-Net that infill shipped first, and that the default model grew out of. 7.1 M parameters.

use super::config::WIDTH;
use super::{ArchConfig, ArchParameter, Conventions, ModelSpec, SizeRule};
use crate::network::ops::Add;
use crate::network::{Activation, BatchNorm2d, Cat, Conv2d, Network, Upsample, UpsampleMode, ValueId};

/// `train/starter.safetensors`.
pub fn spec() -> ModelSpec {
    let conventions = |_: &ArchConfig| Conventions { size: SizeRule::free(8, 256), ..Conventions::rgb_and_mask() };
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 32)],
        needs_detail: true,
        licence: "CC BY-SA 4.0".to_owned(),
        former_ids: vec!["default".to_owned()],
        ..ModelSpec::new("starter", "StarterUNet", network, conventions)
    }
}

pub(super) const LEAKY: Activation = Activation::LeakyReLU { slope: 0.2 };
pub(super) const DOUBLE: Upsample = Upsample { scale: 2, mode: UpsampleMode::Bilinear };

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides a multiple of 8; base width `c` (32).
fn network(config: &ArchConfig) -> Network {
    let c = config.width();
    let mut net = Network::new();
    let x = net.input("x", 4);
    let y = unet(&mut net, x, c, true, None);
    let y = net.node("tanh", Activation::Tanh, &[y]);
    net.returns(y)
}

/// A module from its path, its input and its number of channels.
pub(super) type Context = fn(&mut Network, &str, ValueId, usize) -> ValueId;

/// The U-Net, with or without batch norms, `[4, H, W]` to `[3, H, W]`; `context`, which is given its path and
/// `[8c, H/8, W/8]`, stands between the first two residual blocks.
pub(super) fn unet(net: &mut Network, x: ValueId, c: usize, norm: bool, context: Option<Context>) -> ValueId {
    let down = |c: usize| Conv2d::new(c, 2 * c, 4).stride(2).padding(1);
    let s = conv(net, "stem", x, Conv2d::new(4, c, 3).padding(1), norm);
    let h = conv(net, "down1", s, down(c), norm);
    let q = conv(net, "down2", h, down(2 * c), norm);
    let mut y = conv(net, "down3", q, down(4 * c), norm);
    y = residual(net, "body.0", y, 8 * c, 1, norm);
    let mut place = 1;
    if let Some(context) = context {
        y = context(net, "body.1", y, 8 * c);
        place += 1;
    }
    for (index, dilation) in [2, 4, 8, 1].into_iter().enumerate() {
        y = residual(net, &format!("body.{}", place + index), y, 8 * c, dilation, norm);
    }
    y = up(net, "up3", y, 8 * c, 4 * c, norm);
    y = net.node("cat2", Cat::CHANNELS, &[y, q]);
    y = up(net, "up2", y, 8 * c, 2 * c, norm);
    y = net.node("cat1", Cat::CHANNELS, &[y, h]);
    y = up(net, "up1", y, 4 * c, c, norm);
    y = net.node("cat0", Cat::CHANNELS, &[y, s]);
    let mut head = net.sequential("head", y);
    head.push(Conv2d::new(2 * c, c, 3).padding(1)).push(LEAKY).push(Conv2d::new(c, 3, 3).padding(1));
    head.end()
}

/// A convolution, its norm if there is one, and its activation.
pub(super) fn conv(net: &mut Network, path: &str, x: ValueId, conv: Conv2d, norm: bool) -> ValueId {
    let channels = conv.out_channels;
    let mut layers = net.sequential(path, x);
    layers.push(conv);
    if norm {
        layers.push(BatchNorm2d::new(channels));
    }
    layers.push(LEAKY);
    layers.end()
}

/// `x + conv2(conv1(x))`, with or without batch norms.
fn residual(net: &mut Network, path: &str, x: ValueId, c: usize, dilation: usize, norm: bool) -> ValueId {
    let first = Conv2d::new(c, c, 3).padding(dilation).dilation(dilation);
    let y = conv(net, &format!("{path}.conv1"), x, first, norm);
    let mut conv2 = net.sequential(format!("{path}.conv2"), y);
    conv2.push(Conv2d::new(c, c, 3).padding(1));
    if norm {
        conv2.push(BatchNorm2d::new(c));
    }
    let y = conv2.end();
    net.node(path, Add, &[x, y])
}

/// `[inputs, H, W]` to `[outputs, 2H, 2W]`.
fn up(net: &mut Network, path: &str, x: ValueId, inputs: usize, outputs: usize, norm: bool) -> ValueId {
    let mut layers = net.sequential(path, x);
    layers.push(Conv2d::new(inputs, outputs, 3).padding(1));
    if norm {
        layers.push(BatchNorm2d::new(outputs));
    }
    layers.push(LEAKY).push(DOUBLE);
    layers.end()
}

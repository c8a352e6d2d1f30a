//! ContextUNet, which `train/` trains to become the default model: the starter's U-Net with its batch norms folded into
//! the convolutions before training goes on, and a branch at 1/16 and 1/32 that sees the whole window. 7.9 M parameters.

use super::starter::{LEAKY, residual};
use super::{Conventions, InputKind, MaskMeans, Model, OutputCovers, Range, SizeRule, Widths};
use crate::network::{Activation, Conv2d, Network, NodeId, Op, UpsampleMode};

/// As `train/` leaves it.
pub const MODEL: Model = Model {
    id: "context-unet",
    name: "ContextUNet",
    network,
    published: Widths::base(32),
    conventions: Conventions {
        input_range: Range::MinusOneOne,
        output_range: Range::MinusOneOne,
        hole_value: 0.0,
        mask_means: MaskMeans::Hole,
        output_covers: OutputCovers::Field,
        inputs: InputKind::RgbMask,
        size: SizeRule { multiple: 32, preferred: 256, fixed: false },
    },
    guides: true,
    licence: "CC BY-SA 4.0",
};

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides a multiple of 32; base width `c` (32).
fn network(Widths { base: c, .. }: Widths) -> Network {
    let mut net = Network::new();
    let x = net.input("x", 4);
    let s = conv(&mut net, "stem", x, Conv2d::new(4, c, 3).padding(1));
    let h = conv(&mut net, "down1", s, Conv2d::new(c, 2 * c, 4).stride(2).padding(1));
    let q = conv(&mut net, "down2", h, Conv2d::new(2 * c, 4 * c, 4).stride(2).padding(1));
    let mut y = conv(&mut net, "down3", q, Conv2d::new(4 * c, 8 * c, 4).stride(2).padding(1));
    for (index, dilation) in [1, 2, 4, 8, 1].into_iter().enumerate() {
        y = residual(&mut net, &format!("body.{index}"), y, 8 * c, dilation, false);
        if index == 0 {
            y = context(&mut net, y, 8 * c, 4 * c);
        }
    }
    y = up(&mut net, "up3", y, 8 * c, 4 * c);
    y = net.node("cat2", Op::Cat, &[y, q]);
    y = up(&mut net, "up2", y, 8 * c, 2 * c);
    y = net.node("cat1", Op::Cat, &[y, h]);
    y = up(&mut net, "up1", y, 4 * c, c);
    y = net.node("cat0", Op::Cat, &[y, s]);
    let mut head = net.sequential("head", y);
    head.push(Conv2d::new(2 * c, c, 3).padding(1)).push(LEAKY).push(Conv2d::new(c, 3, 3).padding(1));
    let y = head.end();
    let y = net.node("tanh", Activation::Tanh, &[y]);
    net.returns(y)
}

const DOUBLE: Op = Op::Upsample { scale: 2, mode: UpsampleMode::Bilinear };

/// A convolution and its activation.
fn conv(net: &mut Network, path: &str, x: NodeId, conv: Conv2d) -> NodeId {
    let mut layers = net.sequential(path, x);
    layers.push(conv).push(LEAKY);
    layers.end()
}

/// `x + mix(down(x) + wide(down(x)))`, `[c, H, W]` at 1/8 of the window; `width` channels at 1/16 and 1/32.
fn context(net: &mut Network, x: NodeId, c: usize, width: usize) -> NodeId {
    let near = conv(net, "context.down", x, Conv2d::new(c, width, 3).stride(2).padding(1));
    let mut wide = net.sequential("context.wide", near);
    wide.push(Conv2d::new(width, width, 3).stride(2).padding(1)).push(LEAKY);
    wide.push(Conv2d::new(width, width, 3).padding(1)).push(LEAKY).push(DOUBLE);
    let far = wide.end();
    let both = net.node("context.both", Op::Add, &[near, far]);
    let mut mix = net.sequential("context.mix", both);
    mix.push(Conv2d::new(width, width, 3).padding(1)).push(LEAKY);
    mix.push(Conv2d::new(width, c, 1)).push(DOUBLE);
    let sum = mix.end();
    net.node("context", Op::Add, &[x, sum])
}

/// `[inputs, H, W]` to `[outputs, 2H, 2W]`.
fn up(net: &mut Network, path: &str, x: NodeId, inputs: usize, outputs: usize) -> NodeId {
    let mut layers = net.sequential(path, x);
    layers.push(Conv2d::new(inputs, outputs, 3).padding(1)).push(LEAKY).push(DOUBLE);
    layers.end()
}

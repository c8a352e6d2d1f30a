//! ContextUNet, the default model, trained by `train/`: it adds to a smooth continuation of the hole's
//! surroundings what that lacks. The starter's U-Net with its batch norms folded into the convolutions before training
//! goes on, a branch at 1/16 and 1/32 that sees the whole window, and a way past both. 7.9 M parameters.

use super::config::WIDTH;
use super::starter::{DOUBLE, LEAKY, conv, unet};
use super::{ArchConfig, ArchParameter, Conventions, HoleValue, ModelSpec, SizeRule};
use crate::network::ops::Add;
use crate::network::{Conv2d, Network, ValueId};

/// The model behind `default`.
pub fn spec() -> ModelSpec {
    let conventions = |_: &ArchConfig| Conventions {
        hole_value: HoleValue::Smooth,
        size: SizeRule::free(32, 256),
        ..Conventions::rgb_and_mask()
    };
    ModelSpec {
        parameters: vec![ArchParameter::voted(WIDTH, 32)],
        needs_detail: true,
        licence: "CC BY-SA 4.0".to_owned(),
        ..ModelSpec::new("default", "ContextUNet", network, conventions)
    }
    .benchmarked("default", &[256])
}

/// `[1, 4, H, W]` to `[1, 3, H, W]`, sides a multiple of 32; base width `c` (32).
fn network(config: &ArchConfig) -> Network {
    let c = config.width();
    let mut net = Network::new();
    let x = net.input("x", 4);
    let y = unet(&mut net, x, c, false, Some(context));
    let skip = net.node("skip", Conv2d::new(4, 3, 1), &[x]);
    let y = net.node("sum", Add, &[y, skip]);
    net.returns(y)
}

/// `x + mix(down(x) + wide(down(x)))`, `[c, H, W]` at 1/8 of the window; half the channels at 1/16 and 1/32.
fn context(net: &mut Network, path: &str, x: ValueId, c: usize) -> ValueId {
    let width = c / 2;
    let near = conv(net, &format!("{path}.down"), x, Conv2d::new(c, width, 3).stride(2).padding(1), false);
    let mut wide = net.sequential(format!("{path}.wide"), near);
    wide.push(Conv2d::new(width, width, 3).stride(2).padding(1)).push(LEAKY);
    wide.push(Conv2d::new(width, width, 3).padding(1)).push(LEAKY).push(DOUBLE);
    let far = wide.end();
    let both = net.node(format!("{path}.both"), Add, &[near, far]);
    let mut mix = net.sequential(format!("{path}.mix"), both);
    mix.push(Conv2d::new(width, width, 3).padding(1)).push(LEAKY);
    mix.push(Conv2d::new(width, c, 1)).push(DOUBLE);
    let sum = mix.end();
    net.node(path, Add, &[x, sum])
}

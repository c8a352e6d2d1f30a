use super::*;
use crate::network::ops::{Add, Affine, Clamp, Stored};
use crate::network::{Activation, BatchNorm2d, Conv2d, InstanceNorm2d, Pad2d, Upsample, UpsampleMode};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What the steps do, in order, and how many nodes each does.
fn summary(network: &Network) -> Vec<(String, usize)> {
    let name = |step: &Step| format!("{:?}", step.work).split([' ', '(']).next().unwrap_or_default().to_owned();
    lower(network).steps.iter().map(|step| (name(step), step.nodes.len())).collect()
}

fn named(steps: &[(&str, usize)]) -> Vec<(String, usize)> {
    steps.iter().map(|&(name, nodes)| (name.to_owned(), nodes)).collect()
}

#[test]
fn padding_norm_and_activation_become_one_convolution() {
    let mut network = Network::new();
    let x = network.input("x", 3);
    let mut layers = network.sequential("net", x);
    layers.push(Pad2d::reflection(1)).push(Conv2d::new(3, 8, 3)).push(BatchNorm2d::new(8)).push(Activation::ReLU);
    let y = layers.end();
    let network = network.returns(y);
    assert_eq!(summary(&network), named(&[("Input", 1), ("Convolution", 3)]));
    let lowered = lower(&network);
    let Work::Convolution(convolution) = &lowered.steps[1].work else { panic!("no convolution") };
    assert_eq!(convolution.padding, Some(FusedPadding { top: 1, left: 1, mode: PaddingMode::Reflect }));
    assert_eq!(convolution.norm, Some(3));
    assert_eq!(lowered.steps[1].epilogue.function, Pointwise::ReLU);
    assert_eq!(lowered.values[lowered.steps[1].inputs[0]].border, Some(PaddingMode::Reflect));
}

#[test]
fn gain_clamp_stored_map_and_skip_become_one_epilogue() {
    let mut network = Network::new();
    let x = network.input("x", 8);
    let y = network.node("conv", Conv2d::new(8, 8, 1), &[x]);
    let noise = network.stored("noise_const", &[256, 256]);
    let y = network.node("noise", Add, &[y, noise]);
    let y = network.node("act", Activation::LeakyReLU { slope: 0.2 }, &[y]);
    let y = network.node("gain", Affine { scale: 2.0, offset: 0.0 }, &[y]);
    let y = network.node("clamp", Clamp { low: -256.0, high: 256.0 }, &[y]);
    let y = network.node("skip", Add, &[y, x]);
    let network = network.returns(y);
    assert_eq!(summary(&network), named(&[("Input", 1), ("Stored", 1), ("Convolution", 6)]));
    let epilogue = &lower(&network).steps[2].epilogue;
    assert_eq!((epilogue.map, epilogue.plus), (Some(2), Some(0)));
    let function = Pointwise::Piecewise { positive: 2.0, negative: 0.4, low: -256.0, high: 256.0 };
    assert_eq!(epilogue.function, function);
}

#[test]
fn sums_that_broadcast_or_come_later_are_steps_of_their_own() {
    let mut network = Network::new();
    let x = network.input("x", 8);
    let y = network.node("conv", Conv2d::new(8, 8, 1), &[x]);
    let channel = network.node_with_keys("gain", Stored { shape: vec![8, 1, 1] }, &[], vec!["gain".to_owned()]);
    let y = network.node("sum", Add, &[y, channel]);
    let network = network.returns(y);
    assert_eq!(summary(&network), named(&[("Input", 1), ("Convolution", 1), ("Stored", 1), ("Add", 1)]));
}

#[test]
fn a_value_that_others_read_is_copied_before_it_is_changed() {
    let mut network = Network::new();
    let x = network.input("x", 8);
    let norm = network.node("norm", InstanceNorm2d::new(8), &[x]);
    let y = network.node("sum", Add, &[norm, x]);
    let network = network.returns(y);
    // The norm works on a copy and takes the sum along.
    assert_eq!(summary(&network), named(&[("Input", 1), ("Copy", 0), ("OwnNorm", 2)]));
    let lowered = lower(&network);
    assert_ne!(lowered.steps[2].outputs[0], lowered.steps[0].outputs[0]);
}

#[test]
fn two_borders_of_one_value_are_two_values() {
    let mut network = Network::new();
    let x = network.input("x", 8);
    let zeros = network.node("zeros", Conv2d::new(8, 8, 3).padding(1), &[x]);
    let reflect = network.node("reflect", Conv2d::new(8, 8, 3).padding(1).padding_mode(PaddingMode::Reflect), &[x]);
    let y = network.node("cat", crate::network::Cat::CHANNELS, &[zeros, reflect]);
    let up = network.node("up", Upsample { scale: 2, mode: UpsampleMode::Nearest }, &[y]);
    let network = network.returns(up);
    let steps = [("Input", 1), ("Convolution", 1), ("Copy", 0), ("Convolution", 1), ("Cat", 1), ("Upsample", 1)];
    assert_eq!(summary(&network), named(&steps));
}

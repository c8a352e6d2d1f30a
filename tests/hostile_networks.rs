//! Layers with arguments that no network has: one error with a code, the same from both engines; never a panic, a hang or
//! a wrong result. Tests run with overflow checks, so arithmetic that wraps around fails here.

use std::ops::ControlFlow;

use infill::engine::{self, EngineKind, WeightSource};
use infill::error::{Code, Result};
use infill::network::ops::{Add, Chunk, Cumsum, Flip, Reduce, Reduction, Reshape, Slice, Softmax};
use infill::network::{Cat, Conv2d, ConvTranspose2d, Network, Op, Pad2d, PaddingMode, Upsample, UpsampleMode};
use infill::tensor::Tensor;

/// Values that overflow when they are added, doubled or multiplied, beside plausible ones.
const HOSTILE: [usize; 12] =
    [0, 1, 2, 5, 257, 8193, 65_536, 1 << 31, usize::MAX >> 2, usize::MAX >> 1, usize::MAX - 1, usize::MAX];

/// The same small numbers for every key.
struct Numbers<'a>(&'a Network);

impl WeightSource for Numbers<'_> {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        let parameter = self.0.parameters().into_iter().find(|parameter| parameter.key == key).unwrap();
        let count: usize = parameter.shape.iter().product();
        Ok((0..count).map(|i| (i % 7) as f32 / 7.0 - 0.4).collect())
    }
}

fn run(kind: EngineKind, network: &Network, x: &Tensor) -> Result<Tensor> {
    engine::build(kind, network, &mut Numbers(network))?
        .run(std::slice::from_ref(x), &mut |_| ControlFlow::Continue(()))
}

/// Both engines agree: on the values, or on the error's code.
fn both(op: Op, (channels, height, width): (usize, usize, usize)) {
    let mut network = Network::new();
    let input = network.input("x", channels);
    let output = network.node("layer", op.clone(), &[input]);
    let network = network.returns(output);
    let count = channels * height * width;
    let x = Tensor::new([1, channels, height, width], (0..count).map(|i| (i % 11) as f32 / 11.0).collect()).unwrap();
    match (run(EngineKind::Fast, &network, &x), run(EngineKind::Reference, &network, &x)) {
        (Ok(fast), Ok(reference)) => {
            assert_eq!(fast.shape(), reference.shape(), "{op:?}");
            let pairs = fast.data().iter().zip(reference.data());
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{op:?}: {worst}");
        }
        (Err(fast), Err(reference)) => {
            assert_eq!(fast.code, reference.code, "{op:?}");
            let expected = [Code::NetworkInvalid, Code::InputShape, Code::OutOfMemory];
            assert!(expected.contains(&fast.code), "{op:?}: {:?}", fast.code);
        }
        (fast, reference) => panic!("{op:?}: {:?} and {:?}", fast.map(drop), reference.map(drop)),
    }
}

#[test]
fn hostile_arguments_of_convolutions_end_in_one_error() {
    for value in HOSTILE {
        for pair in [(value, 1), (1, value), (value, value)] {
            for mode in [PaddingMode::Zeros, PaddingMode::Reflect, PaddingMode::Replicate, PaddingMode::Circular] {
                both(Conv2d::new(2, 3, 3).padding(pair).stride(64).padding_mode(mode).into(), (2, 5, 6));
            }
            both(Conv2d::new(2, 3, 3).stride(pair).into(), (2, 5, 6));
            both(Conv2d::new(2, 3, 3).dilation(pair).into(), (2, 5, 6));
            both(ConvTranspose2d::new(2, 3, 3).stride(pair).into(), (2, 5, 6));
            both(ConvTranspose2d::new(2, 3, 3).dilation(pair).into(), (2, 2, 2));
            both(ConvTranspose2d::new(2, 3, 3).padding(pair).into(), (2, 5, 6));
            both(ConvTranspose2d::new(2, 3, 3).stride(2).output_padding(pair).into(), (2, 5, 6));
        }
        both(Conv2d::new(2, 4, 3).groups(value).into(), (2, 5, 6));
    }
}

#[test]
fn arguments_that_overflow_together_end_in_one_error() {
    // These reached the kernels as a small size once, and were written out of bounds.
    both(Conv2d::new(8, 8, 1).stride((1, 2_594_073_385_365_405_796)).padding((0, usize::MAX / 8)).into(), (8, 5, 6));
    both(ConvTranspose2d::new(4, 32, 4).stride(3).padding(1).output_padding(1).dilation(1 << 62).into(), (4, 3, 3));
    both(
        ConvTranspose2d::new(8, 3, 3).stride(2).padding(usize::MAX / 2).dilation(usize::MAX / 2 - 1).into(),
        (8, 3, 3),
    );
}

#[test]
fn hostile_padding_and_enlarging_end_in_one_error() {
    for value in HOSTILE {
        let mut pad = Pad2d::reflection(1);
        for mode in [PaddingMode::Zeros, PaddingMode::Reflect, PaddingMode::Replicate, PaddingMode::Circular] {
            pad.mode = mode;
            pad.left = value;
            both(pad.clone().into(), (2, 5, 6));
        }
        for mode in [UpsampleMode::Nearest, UpsampleMode::Bilinear] {
            both(Upsample { scale: value, mode }.into(), (2, 3, 4));
        }
    }
}

#[test]
fn what_memory_has_no_room_for_is_refused_before_it_is_taken() {
    // 8192 pixels around a pixel, 16 channels: 4.3 thousand million values.
    both(Conv2d::new(2, 16, 1).padding(8192).into(), (2, 1, 1));
    both(ConvTranspose2d::new(2, 3, 1).stride(256).into(), (2, 200, 200));
    // Within the cap of one tensor, but not within memory: many such values are alive at once.
    let mut network = Network::new();
    let input = network.input("x", 1);
    let values: Vec<_> =
        (0..12).map(|i| network.node(format!("c{i}"), Conv2d::new(1, 1, 1).padding(5000), &[input])).collect();
    let sum = network.node("sum", Cat::CHANNELS, &values);
    let network = network.returns(sum);
    let x = Tensor::zeros([1, 1, 1, 1]);
    for kind in [EngineKind::Fast, EngineKind::Reference] {
        assert_eq!(run(kind, &network, &x).unwrap_err().code, Code::OutOfMemory, "{kind:?}");
    }
}

#[test]
fn a_transposed_layer_on_a_single_row_has_phases_without_output() {
    for (height, width) in [(1, 1), (1, 9), (9, 1), (2, 2)] {
        both(ConvTranspose2d::new(32, 32, 3).stride(2).padding(1).into(), (32, height, width));
        both(ConvTranspose2d::new(32, 32, 4).stride(2).padding(1).into(), (32, height, width));
    }
}

/// PyTorch would give one picture of twice the height, or other pictures: neither is what a batch stands for.
#[test]
fn layers_that_mix_the_images_of_a_batch_are_refused_by_name() {
    let mixing: [Op; 7] = [
        Reshape { shape: vec![Some(1), Some(4), None, Some(1)] }.into(),
        Slice { dim: 0, start: 0, length: 1 }.into(),
        Chunk { chunks: 2, dim: 0 }.into(),
        Cat { dim: 0 }.into(),
        Cumsum { dim: 0 }.into(),
        Flip { dims: vec![0] }.into(),
        Softmax { dim: 0, log: false }.into(),
    ];
    for op in mixing {
        let mut network = Network::new();
        let input = network.input("x", 4);
        let inputs = if matches!(op, Op::Cat(_)) { vec![input, input] } else { vec![input] };
        let output = network.node("layer", op.clone(), &inputs);
        let network = network.returns(output);
        for kind in [EngineKind::Fast, EngineKind::Reference] {
            let error = run(kind, &network, &Tensor::zeros([2, 4, 3, 5])).unwrap_err();
            assert_eq!(error.code, Code::InputShape, "{kind:?} {op:?}");
            let alone = run(kind, &network, &Tensor::zeros([1, 4, 3, 5]));
            assert!(alone.is_ok() || matches!(op, Op::Chunk(_)), "{kind:?} {op:?}: {:?}", alone.map(drop));
        }
    }
}

/// PyTorch would put the images of the mean beside the channels of the other.
#[test]
fn values_whose_images_would_be_broadcast_over_channels_are_refused() {
    let mut network = Network::new();
    let input = network.input("x", 2);
    let mean = network.node("mean", Reduce { reduction: Reduction::Mean, dim: vec![1], keepdim: false }, &[input]);
    let output = network.node("sum", Add, &[input, mean]);
    let network = network.returns(output);
    for kind in [EngineKind::Fast, EngineKind::Reference] {
        assert!(run(kind, &network, &Tensor::zeros([1, 2, 3, 5])).is_ok());
        let error = run(kind, &network, &Tensor::zeros([2, 2, 3, 5])).unwrap_err();
        assert_eq!(error.code, Code::InputShape);
    }
}

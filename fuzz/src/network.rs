//! Small random networks, run by both engines: they agree on every value, or on the error's code.

use std::ops::ControlFlow;

use arbitrary::{Arbitrary, Result, Unstructured};
use infill::engine::{self, EngineKind, WeightSource};
use infill::error::Code;
use infill::network::ops::norm::Statistics;
use infill::network::ops::pooling::Pool;
use infill::network::ops::{Add, Affine, AvgPool2d, Chunk, Clamp, MaxPool2d, Mul, Reshape, Slice};
use infill::network::{
    Activation, BatchNorm2d, Cat, Conv2d, ConvTranspose2d, InstanceNorm2d, Network, Op, Pad2d, PaddingMode, Shape,
    Upsample, UpsampleMode, ValueId,
};
use infill::tensor::Tensor;

/// Most multiply-adds and values of a network that is run.
const MOST_MACS: u64 = 2_000_000;
const MOST_BYTES: u64 = 8 << 20;
/// Most weights of a network that is run.
const MOST_WEIGHTS: usize = 200_000;
/// `eps` of norms in random networks: PyTorch's 1e-5 enlarges rounding three hundred times where values hardly vary.
const GENTLE_EPS: f64 = 0.1;

/// A network and the shape of its one input.
#[derive(Debug)]
pub struct Case {
    network: Network,
    input: Shape,
    batch: usize,
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut network = Network::new();
        let channels = u.int_in_range(1..=40)?;
        let input = Shape::image(channels, side(u)?, side(u)?);
        let batch = u.int_in_range(1..=2)?;
        let mut values = vec![(network.input("x", channels), channels)];
        for index in 0..u.int_in_range(1..=8)? {
            layer(u, &mut network, &mut values, index)?;
        }
        let output = u.choose(&values)?.0;
        Ok(Self { network: network.returns(output), input, batch })
    }
}

/// A plausible side of a picture.
fn side(u: &mut Unstructured<'_>) -> Result<usize> {
    Ok(match u.int_in_range(0..=3)? {
        0 => u.int_in_range(1..=4)?,
        1 => *u.choose(&[8, 16, 24, 32])?,
        _ => u.int_in_range(1..=33)?,
    })
}

/// A number that layers have, or, rarely, one that none has.
fn number(u: &mut Unstructured<'_>, least: usize, most: usize) -> Result<usize> {
    if u.ratio(1, 200)? {
        return Ok(*u.choose(&[0, 257, 8193, 1 << 16, 1 << 31, usize::MAX / 4, usize::MAX / 2, usize::MAX])?);
    }
    u.int_in_range(least..=most)
}

fn pair(u: &mut Unstructured<'_>, least: usize, most: usize) -> Result<(usize, usize)> {
    let first = number(u, least, most)?;
    Ok(if u.ratio(2, 3)? { (first, first) } else { (first, number(u, least, most)?) })
}

fn mode(u: &mut Unstructured<'_>) -> Result<PaddingMode> {
    Ok(*u.choose(&[
        PaddingMode::Zeros,
        PaddingMode::Zeros,
        PaddingMode::Reflect,
        PaddingMode::Replicate,
        PaddingMode::Circular,
    ])?)
}

fn groups(u: &mut Unstructured<'_>, inputs: usize) -> Result<usize> {
    let divisors: Vec<usize> = (1..=inputs).filter(|divisor| inputs.is_multiple_of(*divisor)).collect();
    Ok(if u.ratio(1, 3)? { *u.choose(&divisors)? } else { 1 })
}

/// Adds a layer that reads one or two of the values so far.
fn layer(
    u: &mut Unstructured<'_>,
    network: &mut Network,
    values: &mut Vec<(ValueId, usize)>,
    index: usize,
) -> Result<()> {
    let (from, channels) = if u.ratio(3, 4)? { values[values.len() - 1] } else { *u.choose(values)? };
    let path = format!("layer{index}");
    let (op, inputs, after): (Op, Vec<ValueId>, usize) = match u.int_in_range(0..=15)? {
        0..=3 => {
            let groups = groups(u, channels)?;
            let after = groups * u.int_in_range(1..=40 / groups.min(40))?;
            let mut conv = Conv2d::new(channels, after, pair(u, 1, 5)?)
                .stride(pair(u, 1, 3)?)
                .padding(pair(u, 0, 3)?)
                .dilation(pair(u, 1, 3)?)
                .groups(groups)
                .padding_mode(mode(u)?);
            conv.bias = u.arbitrary()?;
            (conv.into(), vec![from], after)
        }
        4..=5 => {
            let groups = groups(u, channels)?;
            let after = groups * u.int_in_range(1..=40 / groups.min(40))?;
            let mut conv = ConvTranspose2d::new(channels, after, pair(u, 1, 5)?)
                .stride(pair(u, 1, 3)?)
                .padding(pair(u, 0, 2)?)
                .output_padding(pair(u, 0, 1)?)
                .dilation(pair(u, 1, 2)?)
                .groups(groups);
            conv.bias = u.arbitrary()?;
            (conv.into(), vec![from], after)
        }
        6 => {
            let mut norm = BatchNorm2d::new(channels);
            norm.eps = GENTLE_EPS;
            norm.affine = u.arbitrary()?;
            if u.ratio(1, 3)? {
                norm.statistics = *u.choose(&[Statistics::Picture, Statistics::Stored])?;
            }
            (norm.into(), vec![from], channels)
        }
        7 => {
            let mut norm = InstanceNorm2d::new(channels);
            norm.eps = GENTLE_EPS;
            norm.affine = u.arbitrary()?;
            (norm.into(), vec![from], channels)
        }
        8..=9 => (activation(u)?, vec![from], channels),
        10 => {
            let pad = Pad2d {
                left: number(u, 0, 4)?,
                right: number(u, 0, 4)?,
                top: number(u, 0, 4)?,
                bottom: number(u, 0, 4)?,
                mode: mode(u)?,
            };
            (pad.into(), vec![from], channels)
        }
        11 => {
            let mode = *u.choose(&[UpsampleMode::Nearest, UpsampleMode::Bilinear])?;
            (Upsample { scale: number(u, 1, 3)?, mode }.into(), vec![from], channels)
        }
        12 => {
            let pool = Pool { kernel_size: pair(u, 1, 4)?, stride: pair(u, 1, 3)?, padding: pair(u, 0, 1)? };
            let op = if u.arbitrary()? { MaxPool2d(pool).into() } else { AvgPool2d(pool).into() };
            (op, vec![from], channels)
        }
        13 => {
            let (other, more) = *u.choose(values)?;
            (Cat::CHANNELS.into(), vec![from, other], channels + more)
        }
        14 => {
            let (other, _) = *u.choose(values)?;
            (if u.arbitrary()? { Add.into() } else { Mul.into() }, vec![from, other], channels)
        }
        _ => rearranged(u, from, channels)?,
    };
    let value = network.node(path, op, &inputs);
    values.push((value, after));
    Ok(())
}

fn activation(u: &mut Unstructured<'_>) -> Result<Op> {
    Ok(match u.int_in_range(0..=7)? {
        0 => Activation::ReLU.into(),
        1 => Activation::LeakyReLU { slope: 0.2 }.into(),
        2 => Activation::Sigmoid.into(),
        3 => Activation::Tanh.into(),
        4 => Activation::ELU { alpha: 1.0 }.into(),
        5 => Activation::SiLU.into(),
        6 => Clamp { low: -0.5, high: 0.75 }.into(),
        _ => Affine { scale: 0.5, offset: 0.25 }.into(),
    })
}

fn rearranged(u: &mut Unstructured<'_>, from: ValueId, channels: usize) -> Result<(Op, Vec<ValueId>, usize)> {
    Ok(match u.int_in_range(0..=2)? {
        0 => {
            let chunks = number(u, 1, 3)?;
            let part = channels.div_ceil(chunks.clamp(1, channels));
            (Chunk { chunks, dim: 1 }.into(), vec![from], part)
        }
        1 => {
            let start = number(u, 0, channels - 1)?;
            let length = number(u, 1, channels)?;
            (Slice { dim: 1, start, length }.into(), vec![from], length.clamp(1, 64))
        }
        _ => {
            let shape = vec![Some(1), Some(channels), None, Some(number(u, 1, 8)?)];
            (Reshape { shape }.into(), vec![from], channels)
        }
    })
}

/// Small numbers that depend on the key and the place.
struct Numbers<'a>(&'a Network);

impl WeightSource for Numbers<'_> {
    fn take(&mut self, key: &str) -> infill::error::Result<Vec<f32>> {
        let parameters = self.0.parameters();
        let parameter = parameters.iter().find(|parameter| parameter.key == key).expect("a key of the network");
        let count: usize = parameter.shape.iter().product();
        let fan: usize = parameter.shape.iter().skip(1).product();
        let scale = 1.0 / (fan.max(1) as f32).sqrt();
        let is_variance = key.ends_with("running_var");
        let number = |i: usize| match (i * 7919 + key.len() * 31) % 101 {
            at if is_variance => at as f32 / 101.0 + 0.5,
            at => (at as f32 / 50.0 - 1.0) * scale,
        };
        Ok((0..count).map(number).collect())
    }
}

/// Runs the case on both engines.
pub fn both(case: &Case) {
    let Case { network, input, batch } = case;
    compare(network, &[*input], *batch);
}

/// Runs a network of these inputs on both engines, unless it is large, and holds one against the other.
pub fn compare(network: &Network, inputs: &[Shape], batch: usize) {
    if network.check().is_err() {
        return refused(network, inputs, batch);
    }
    let small = |macs: u64, bytes: u64| macs <= MOST_MACS && bytes <= MOST_BYTES;
    match network.costs(inputs) {
        Ok(costs) if small(costs.iter().map(|cost| cost.macs).sum(), network.live_bytes(&costs)) => {}
        Ok(_) => return,
        Err(_) => return refused(network, inputs, batch),
    }
    let counts = network.parameters().iter().map(|p| p.shape.iter().product::<usize>()).collect::<Vec<_>>();
    if counts.iter().sum::<usize>() > MOST_WEIGHTS {
        return;
    }
    match (run(EngineKind::Fast, network, inputs, batch), run(EngineKind::Reference, network, inputs, batch)) {
        (Ok(fast), Ok(reference)) => agree(network, &fast, &reference),
        (Err(fast), Err(reference)) => assert_eq!(fast, reference, "{network:?}"),
        (fast, reference) => panic!("{:?} and {:?}: {network:?}", fast.map(drop), reference.map(drop)),
    }
}

/// What cannot be described is refused by both with one code.
fn refused(network: &Network, inputs: &[Shape], batch: usize) {
    let total: u64 = inputs.iter().map(Shape::elements).fold(0, u64::saturating_add);
    if total > MOST_BYTES / 4 || network.parameters().iter().any(|p| p.shape.iter().any(|&side| side > 4096)) {
        return;
    }
    let codes = [EngineKind::Fast, EngineKind::Reference].map(|kind| run(kind, network, inputs, batch).map(drop));
    assert!(codes[0].is_err() && codes[0] == codes[1], "{codes:?}: {network:?}");
}

fn run(kind: EngineKind, network: &Network, inputs: &[Shape], batch: usize) -> Result<Tensor, Code> {
    let mut engine = engine::build(kind, network, &mut Numbers(network)).map_err(|error| error.code)?;
    let tensor = |shape: &Shape| {
        let mut sides = shape.sides().to_vec();
        sides[0] = batch;
        let count: usize = sides.iter().product();
        let values = (0..count).map(|i| ((i * 6151) % 211) as f32 / 105.0 - 1.0).collect();
        Tensor::new(sides, values).map_err(|error| error.code)
    };
    let tensors = inputs.iter().map(tensor).collect::<Result<Vec<_>, _>>()?;
    engine.run(&tensors, &mut |_| ControlFlow::Continue(())).map_err(|error| error.code)
}

/// Values are compared unless a norm may have enlarged the rounding before it.
fn agree(network: &Network, fast: &Tensor, reference: &Tensor) {
    assert_eq!(fast.shape(), reference.shape(), "{network:?}");
    let magnitude = reference.data().iter().filter(|v| v.is_finite()).fold(1.0f32, |most, v| most.max(v.abs()));
    let enlarges = |op: &Op| match op {
        Op::InstanceNorm2d(norm) => norm.eps < GENTLE_EPS,
        Op::BatchNorm2d(norm) => norm.eps < GENTLE_EPS && norm.statistics == Statistics::Picture,
        _ => false,
    };
    if network.nodes.iter().any(|node| enlarges(&node.op)) {
        return;
    }
    for (at, (a, b)) in fast.data().iter().zip(reference.data()).enumerate() {
        let is_same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 2e-4 * magnitude;
        assert!(is_same || !b.is_finite(), "value {at}: {a} and {b} (of {magnitude}): {network:?}");
    }
}

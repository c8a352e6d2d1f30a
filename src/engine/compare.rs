//! Two engines on the same inputs, layer by layer: how far the fast one is from the reference, and where.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use super::Engine;
use super::run::{Run, Step, Watch};
use crate::error::{Code, Error, Result};
use crate::network::ValueId;
use crate::tensor::Tensor;

/// Share of the progress that finding out which layers the fast engine keeps takes.
const FIRST_SHARE: f32 = 0.1;

/// How far two engines' values of one layer are apart.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDifference {
    /// Path of the last layer that the fast engine did in one step, such as `decoder.3`.
    pub path: String,
    /// PyTorch's name of that layer.
    pub op: &'static str,
    /// Largest absolute difference.
    pub largest: f32,
    /// Largest absolute value of the reference, to judge the difference by.
    pub magnitude: f32,
}

/// The largest difference of every pixel, over all channels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct DifferenceMap {
    /// Pixels in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Absolute differences.
    pub values: Vec<f32>,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// In the order in which the reference ran.
    pub layers: Vec<LayerDifference>,
    /// Where the outputs differ.
    pub output: DifferenceMap,
    /// Largest absolute difference of the outputs.
    pub largest: f32,
}

/// Runs both engines on the same inputs, of a batch of one. `fast` runs twice: which layers it keeps for comparing shows
/// in the first run, so that in the second no more than a few values are held at once.
///
/// Errors are those of a run; `internal` if the engines were not built from one network.
pub async fn compare(
    fast: &mut dyn Engine,
    reference: &mut dyn Engine,
    inputs: &[Tensor],
    watch: Watch<'_>,
) -> Result<Comparison> {
    if fast.network() != reference.network() {
        return Err(Error::new(Code::Internal, "Two different networks cannot be compared."));
    }
    let kept = kept_values(fast, inputs, &mut *watch).await?;
    let network = reference.network().clone();
    let mut layers = Vec::with_capacity(kept.len());
    let (mut fast, mut reference) = (fast.begin(inputs)?, reference.begin(inputs)?);
    let mut waiting: HashMap<ValueId, Tensor> = HashMap::new();
    let mut part = |step: Step<'_>| watch(Step { done: FIRST_SHARE + (1.0 - FIRST_SHARE) * step.done, ..step });
    while reference.step(&mut part).await? {
        let Some((id, expected)) = reference.last_value()? else { continue };
        if !kept.contains(&id) {
            continue;
        }
        let found = value_of(fast.as_mut(), id, &mut waiting).await?;
        let node = &network.nodes[id.node];
        layers.push(LayerDifference {
            path: node.path.clone(),
            op: node.op.name(),
            largest: largest(difference(&found, &expected)?),
            magnitude: largest(expected.data().iter().map(|value| value.abs())),
        });
    }
    while fast.step(&mut go_on).await? {}
    let (found, expected) = (fast.finish().await?, reference.finish().await?);
    let output = map(&found, &expected)?;
    let largest = largest(output.values.iter().copied());
    Ok(Comparison { layers, output, largest })
}

/// The reference's progress stands for both.
fn go_on(_: Step<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The values that an engine can show after one of its steps.
async fn kept_values(engine: &mut dyn Engine, inputs: &[Tensor], watch: Watch<'_>) -> Result<BTreeSet<ValueId>> {
    let mut run = engine.begin(inputs)?;
    let mut kept = BTreeSet::new();
    let mut part = |step: Step<'_>| watch(Step { done: FIRST_SHARE * step.done, ..step });
    while run.step(&mut part).await? {
        kept.extend(run.last_value()?.map(|(id, _)| id));
    }
    run.finish().await?;
    Ok(kept)
}

/// The fast engine's value, which it may have computed already; what it computes on the way waits for its turn.
async fn value_of(run: &mut dyn Run, id: ValueId, waiting: &mut HashMap<ValueId, Tensor>) -> Result<Tensor> {
    loop {
        if let Some(value) = waiting.remove(&id) {
            return Ok(value);
        }
        if !run.step(&mut go_on).await? {
            return Err(Error::new(Code::Internal, "An engine did not compute what it computed before."));
        }
        waiting.extend(run.last_value()?);
    }
}

/// Absolute differences, value by value; what is not a number on one side alone differs without limit.
fn difference<'a>(found: &'a Tensor, expected: &'a Tensor) -> Result<impl Iterator<Item = f32> + 'a> {
    if found.shape() != expected.shape() {
        let text = format!("The engines' shapes differ: {:?} and {:?}.", found.shape(), expected.shape());
        return Err(Error::new(Code::Internal, text));
    }
    let apart = |(a, b): (&f32, &f32)| match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) if a == b => 0.0,
        (false, false) => (a - b).abs(),
        _ => f32::INFINITY,
    };
    Ok(found.data().iter().zip(expected.data()).map(apart))
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, f32::max)
}

/// Where two tensors differ: pixels of `[1, C, H, W]`; any other shape is one row.
fn map(found: &Tensor, expected: &Tensor) -> Result<DifferenceMap> {
    let (rows, columns) = match *expected.shape() {
        [_, _, height, width] => (height, width),
        _ => (1, expected.data().len()),
    };
    let mut values = vec![0.0f32; rows * columns];
    for (index, apart) in difference(found, expected)?.enumerate() {
        let pixel = index % values.len();
        values[pixel] = values[pixel].max(apart);
    }
    Ok(DifferenceMap { columns, rows, values })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::engine::run::ready;
    use crate::engine::{EngineKind, WeightSource, build};
    use crate::network::ops::Add;
    use crate::network::{Activation, BatchNorm2d, Conv2d, InstanceNorm2d, Network};

    /// Numbers that depend on the key; those of `spoiled` are larger than they should be.
    struct Numbers<'a>(&'a Network, &'a str);

    impl WeightSource for Numbers<'_> {
        fn take(&mut self, key: &str) -> Result<Vec<f32>> {
            let parameter = self.0.parameters().into_iter().find(|parameter| parameter.key == key).unwrap();
            let factor = if key == self.1 { 1.1 } else { 1.0 };
            let count = parameter.shape.iter().product::<usize>();
            Ok((0..count).map(|i| (((i * 7 + key.len()) % 11) as f32 / 22.0 + 0.1) * factor).collect())
        }
    }

    fn network() -> Network {
        let mut network = Network::new();
        let x = network.input("x", 3);
        let mut layers = network.sequential("net", x);
        layers.push(Conv2d::new(3, 8, 3).padding(1)).push(BatchNorm2d::new(8)).push(Activation::ReLU);
        let a = layers.end();
        let b = network.node("second", Conv2d::new(8, 8, 3).padding(1), &[a]);
        let c = network.node("norm", InstanceNorm2d::new(8), &[a]);
        let sum = network.node("sum", Add, &[b, c]);
        let y = network.node("tail", Conv2d::new(8, 3, 1), &[sum]);
        network.returns(y)
    }

    fn compared(spoiled: &str) -> Comparison {
        let network = network();
        let mut fast = build(EngineKind::Fast, &network, &mut Numbers(&network, spoiled)).unwrap();
        let mut reference = build(EngineKind::Reference, &network, &mut Numbers(&network, "")).unwrap();
        let x = Tensor::new([1, 3, 9, 7], (0..189).map(|i| (i % 13) as f32 / 13.0).collect()).unwrap();
        let mut told = 0.0;
        let mut watch = |step: Step<'_>| {
            assert!(step.done >= told && step.done <= 1.0, "progress never goes back");
            told = step.done;
            ControlFlow::Continue(())
        };
        ready(compare(fast.as_mut(), reference.as_mut(), std::slice::from_ref(&x), &mut watch)).unwrap()
    }

    #[test]
    fn equal_engines_differ_by_rounding_alone() {
        let found = compared("");
        assert!(found.largest < 1e-4, "{found:?}");
        assert!(found.layers.len() >= 4 && found.layers.iter().all(|layer| layer.largest < 1e-4), "{found:?}");
        assert_eq!((found.output.columns, found.output.rows, found.output.values.len()), (7, 9, 63));
    }

    #[test]
    fn a_wrong_layer_is_named_and_those_before_it_are_not() {
        let found = compared("second.weight");
        let of = |path: &str| found.layers.iter().find(|layer| layer.path == path).unwrap();
        assert!(of("net.2").largest < 1e-4);
        assert!(of("tail").largest > 1e-2 && found.largest > 1e-2, "{found:?}");
        assert_eq!(found.largest, found.output.values.iter().copied().fold(0.0, f32::max));
    }
}

//! Both engines' `rfft2` and `irfft2` against PyTorch, at every side from 1 to 130.
//! The expectations are made by `tests/reference/fourier/make.py`.

use std::ops::ControlFlow;
use std::path::PathBuf;

use infill::engine::{self, EngineKind, WeightSource};
use infill::error::{Code, Error, Result};
use infill::network::Network;
use infill::network::ops::{Irfft2, Op, Rfft2};
use infill::tensor::Tensor;
use serde_json::Value;

const CHANNELS: usize = 3;

/// `numbers` of make.py.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let value = |i: u64| {
        let u = ((i + seed * 7919).wrapping_mul(2_654_435_761) % (1 << 32)) as f64 / (1u64 << 32) as f64;
        (-1.0 + 2.0 * u) as f32
    };
    (1..=count as u64).map(value).collect()
}

struct NoWeights;

impl WeightSource for NoWeights {
    fn take(&mut self, key: &str) -> Result<Vec<f32>> {
        Err(Error::new(Code::Internal, format!("{key}: there are no weights.")))
    }
}

/// One operator on inputs of these shapes.
fn run(kind: EngineKind, op: Op, inputs: &[Tensor]) -> Tensor {
    let mut network = Network::new();
    let names = ["x", "like"];
    let values: Vec<_> = inputs.iter().zip(names).map(|(input, name)| network.input(name, input.shape()[1])).collect();
    let y = network.node("transform", op, &values);
    let mut engine = engine::build(kind, &network.returns(y), &mut NoWeights).unwrap();
    engine.run(inputs, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn hold(found: &Tensor, row: &Value, name: &str) {
    let weights = numbers(found.data().len(), 3);
    let product: f64 = found.data().iter().zip(weights).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
    let error = (product - row[name].as_f64().unwrap()).abs();
    assert!(error < 5e-5, "{name} at {}: {error:e}", row["sides"]);
    if let Some(whole) = row[format!("{name}_whole")].as_array() {
        assert_eq!(whole.len(), found.data().len());
        for (found, expected) in found.data().iter().zip(whole) {
            let error = (f64::from(*found) - expected.as_f64().unwrap()).abs();
            assert!(error < 2e-6, "{name} at {}: {error:e}", row["sides"]);
        }
    }
}

#[test]
fn every_side_agrees_with_pytorch() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/fourier/fourier.json");
    let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(rows.len() > 130);
    for row in &rows {
        let [height, width] = [0, 1].map(|side: usize| row["sides"][side].as_u64().unwrap() as usize);
        let x = Tensor::new([1, CHANNELS, height, width], numbers(CHANNELS * height * width, 1)).unwrap();
        let half = [1, 2 * CHANNELS, height, width / 2 + 1];
        let spectrum = Tensor::new(half, numbers(half.iter().product(), 2)).unwrap();
        for kind in [EngineKind::Reference, EngineKind::Fast] {
            let found = run(kind, Rfft2 {}.into(), std::slice::from_ref(&x));
            assert_eq!(found.shape(), half);
            hold(&found, row, "forward");
            let found = run(kind, Irfft2 {}.into(), &[spectrum.clone(), x.clone()]);
            assert_eq!(found.shape(), x.shape());
            hold(&found, row, "inverse");
        }
    }
}

/// A batch of two is two transforms.
#[test]
fn a_batch_is_transformed_image_by_image() {
    let x = Tensor::new([2, 17, 6, 10], numbers(2 * 17 * 60, 4)).unwrap();
    let [fast, reference] =
        [EngineKind::Fast, EngineKind::Reference].map(|kind| run(kind, Rfft2 {}.into(), std::slice::from_ref(&x)));
    assert_eq!(fast.shape(), reference.shape());
    let worst = fast.data().iter().zip(reference.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 2e-6, "{worst:e}");
}

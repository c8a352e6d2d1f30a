//! A trial of transformed weights: one tile, eight output channels, held against sums in f64. Transforms add and subtract
//! values of like size, so that weights of very uneven size can lose digits that plain sums keep.

use super::weights::{Group, WinogradWeights};
use crate::engine::cpu::geometry::{ConvWeights, Geometry};
use crate::engine::cpu::kernels::product::{Product, Targets, product};
use crate::engine::cpu::kernels::winograd::{Gather, Points, Scatter, inverse_transform, transform};
use crate::engine::cpu::kernels::{Epilogue, LANES};

/// Largest error of a trial relative to the outputs' root mean square; layers beyond it are computed directly.
/// A tenth of what a whole network may differ by: usual weights stay below 1e-5.
pub const MAX_ERROR: f64 = 1e-4;

/// The largest error of any group; infinite if a value is not finite.
pub fn error(geometry: &Geometry, weights: &WinogradWeights, raw: &ConvWeights) -> f64 {
    let error = |group| group_error(geometry, group, &weights.sample, raw);
    weights.groups.iter().map(error).fold(0.0, f64::max)
}

fn group_error(geometry: &Geometry, group: &Group, sample: &[f32], raw: &ConvWeights) -> f64 {
    let form = &group.form;
    let inputs = geometry.layer.channels().0;
    let (sy, sx) = form.sides;
    let (ny, nx, my, mx) = (sy.points(), sx.points(), sy.outputs(), sx.outputs());
    let (points, depth) = (ny * nx, form.taps.len() * inputs);
    // Positive and uneven, as after an activation: `[source][pixel][input]`.
    let value = |i: usize| 0.5 + ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32;
    let input: Vec<f32> = (0..points * depth).map(value).collect();
    let (mut transformed, mut products) = (vec![0.0; points * depth], vec![0.0; points * LANES]);
    for source in 0..form.taps.len() {
        let pixels: Vec<Option<usize>> = (0..points).map(|p| Some((source * points + p) * inputs)).collect();
        let gather = Gather { input: &input, pixels: &pixels, channels: inputs };
        transform(form.sides, &gather, &mut transformed, Points { stride: depth, start: source * inputs });
    }
    let first = group.first_block();
    for point in 0..points {
        let weight = sy.weight_of(point / nx) * sx.weights().len() + sx.weight_of(point % nx);
        let p = Product {
            input: &transformed,
            rows: &[point * depth],
            segments: &[0],
            length: depth,
            weights: &first[weight * depth * LANES..][..depth * LANES],
            channels: 0..LANES,
            bias: &[],
        };
        let targets = Targets { starts: &[point * LANES], pixel: LANES };
        product(&p, targets, &mut products, Epilogue::default());
    }
    let mut found = vec![0.0; my * mx * LANES];
    let pixels: Vec<Option<usize>> = (0..my * mx).map(|p| Some(p * LANES)).collect();
    let scatter = Scatter { pixels: &pixels, pixel: LANES, channels: LANES, bias: &[0.0; LANES] };
    let place = Points { stride: LANES, start: 0 };
    inverse_transform(form.sides, &products, place, &scatter, &mut found, Epilogue::default());

    let (height, width) = geometry.layer.kernel();
    let (mut worst, mut squares) = (0.0f64, 0.0f64);
    for (place, &found) in found.iter().enumerate() {
        let (pixel, output) = (place / LANES, place % LANES);
        let mut expected = 0.0f64;
        for (source, (rows, columns)) in form.taps.iter().enumerate() {
            for (a, row) in rows.iter().enumerate() {
                for (b, column) in columns.iter().enumerate() {
                    let at = (source * points + (pixel / mx + a) * nx + pixel % mx + b) * inputs;
                    let weight = |c: usize| sample[(output * inputs + c) * height * width + row * width + column];
                    expected += (0..inputs).map(|c| f64::from(input[at + c]) * f64::from(weight(c))).sum::<f64>();
                }
            }
        }
        expected *= f64::from(raw.scale[output]);
        let difference = (f64::from(found) - expected).abs();
        worst = if difference.is_finite() { worst.max(difference) } else { f64::INFINITY };
        squares += expected * expected;
    }
    let scale = (squares / (my * mx * LANES) as f64).sqrt();
    if worst == 0.0 { 0.0 } else { worst / scale }
}

#[cfg(test)]
mod tests {
    use super::super::decomposition::{Tile, decompositions};
    use super::*;
    use crate::engine::cpu::geometry::Convolution;
    use crate::network::{Conv2d, ConvTranspose2d, Op};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The error with every transformed weight rounded to a multiple of `grain`, as if digits had been lost.
    fn trial(op: &Op, tile: Tile, weight: impl Fn(usize) -> f32, grain: f32) -> f64 {
        let geometry = Geometry::new(Convolution::of(op).unwrap(), None);
        let outputs = geometry.layer.channels().1;
        let weight: Vec<f32> = (0..geometry.layer.weights()).map(weight).collect();
        let raw = ConvWeights { weight: Vec::new(), bias: vec![0.0; outputs], scale: vec![1.0; outputs] };
        let mut transformed = WinogradWeights::empty(&geometry, tile.into());
        transformed.pack(&geometry, 0, &weight, &raw.scale);
        for value in transformed.groups.iter_mut().flat_map(|group| &mut group.weights).filter(|_| grain > 0.0) {
            *value = (*value / grain).round() * grain;
        }
        error(&geometry, &transformed, &raw)
    }

    #[test]
    fn usual_weights_pass_and_lost_digits_are_seen() {
        let noise = |i: usize| ((i as u32).wrapping_mul(747_796_405) >> 8) as f32 / (1 << 24) as f32 - 0.5;
        let layers: [Op; 4] = [
            Conv2d::new(64, 32, 3).padding(1).into(),
            Conv2d::new(32, 32, 4).stride(2).padding(1).into(),
            ConvTranspose2d::new(32, 32, 4).stride(2).padding(1).into(),
            ConvTranspose2d::new(32, 32, 3).stride(2).padding(1).output_padding(1).into(),
        ];
        for layer in layers {
            for tile in [Tile::Small, Tile::Large] {
                let geometry = Geometry::new(Convolution::of(&layer).unwrap(), None);
                if decompositions(&geometry, tile).is_none() {
                    continue;
                }
                let (usual, lost) = (trial(&layer, tile, noise, 0.0), trial(&layer, tile, noise, 0.01));
                assert!(usual < MAX_ERROR / 3.0, "{layer:?}, {tile:?}: {usual:e}");
                assert!(lost > MAX_ERROR, "{layer:?}, {tile:?}: {lost:e}");
            }
        }
    }
}

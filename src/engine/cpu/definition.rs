//! Convolutions by their definition, in f64: what tests hold the layers against.

use super::geometry::{ConvWeights, Convolution, Geometry};
use super::kernels::Epilogue;
use super::view::View;
use crate::network::{Activation, Op, PaddingMode, Shape};

/// Uneven values in [-0.5, 0.5).
fn noise(i: usize) -> f32 {
    ((i as u32).wrapping_mul(747_796_405) >> 8) as f32 / (1 << 24) as f32 - 0.5
}

/// What a test runs: a layer of this geometry and these weights, on an input, into an output.
pub type Run<'a> = &'a dyn Fn(Geometry, ConvWeights, (&[f32], &View), (&mut [f32], &View), Epilogue<'_>);

/// Runs a layer at an input size, with a folded norm, a stored map, an activation and a summand. Returns the largest
/// distance from the definition, and panics if anything was written beyond the interior.
pub fn distance(op: &Op, (height, width): (usize, usize), run: Run<'_>) -> f64 {
    let geometry = Geometry::new(Convolution::of(op).expect("a convolution"), None);
    let (inputs, outputs) = geometry.layer.channels();
    let size = match &geometry.layer {
        Convolution::Plain(c) => c.output_size(height, width),
        Convolution::Transposed(c) => c.output_size(height, width),
    };
    let (rows, columns) = size.expect("an output");
    let mode = match &geometry.layer {
        Convolution::Plain(conv) => conv.padding_mode,
        Convolution::Transposed(_) => PaddingMode::Zeros,
    };
    let view = |shape: Shape, border, mode| View { start: 0, shape: shape.into(), border, mode };
    let border = geometry.border((height, width), (rows, columns));
    let from = view(Shape::image(inputs, height, width), border, mode);
    let to = view(Shape::image(outputs, rows, columns), [1, 2, 0, 1], PaddingMode::Zeros);
    let mut x = vec![f32::NAN; from.len()];
    for row in 0..height {
        x[from.row(row)].iter_mut().enumerate().for_each(|(i, v)| *v = noise(i + 1000 * row));
    }
    from.fill_border(&mut x);
    let raw = || ConvWeights {
        weight: (0..geometry.layer.weights()).map(|i| noise(i + 5)).collect(),
        bias: (0..outputs).map(|i| noise(i + 7)).collect(),
        scale: (0..outputs).map(|i| noise(i + 11) + 1.0).collect(),
    };
    let mut out = vec![7.0; to.len()];
    let map: Vec<f32> = (0..to.len() / outputs).map(|i| noise(i + 13)).collect();
    let plus: Vec<f32> = (0..to.len()).map(|i| noise(i + 17)).collect();
    let activation = Activation::LeakyReLU { slope: 0.25 }.into();
    let epilogue = Epilogue { map: Some(&map), activation, plus: Some(&plus), ..Epilogue::default() };
    run(geometry.clone(), raw(), (&x, &from), (&mut out, &to), epilogue);

    let (raw, mut worst) = (raw(), 0.0f64);
    for (y, z, o) in (0..rows).flat_map(|y| (0..columns).flat_map(move |z| (0..outputs).map(move |o| (y, z, o)))) {
        let at = to.at(y, z) + o;
        let read = |y: isize, z: isize, c: usize| {
            let (y, z) = (mode.source(y, height)?, mode.source(z, width)?);
            Some(f64::from(x[from.at(y, z) + c]))
        };
        let sum = sum(&geometry.layer, &raw.weight, (y, z, o), &read);
        let sum = sum * f64::from(raw.scale[o]) + f64::from(raw.bias[o]) + f64::from(map[at / outputs]);
        let expected = sum.max(0.0) + 0.25 * sum.min(0.0) + f64::from(plus[at]);
        let difference = (f64::from(out[at]) - expected).abs();
        worst = if difference.is_finite() { worst.max(difference) } else { f64::INFINITY };
        out[at] = 7.0;
    }
    assert!(out.iter().all(|&v| v == 7.0), "{op:?} writes beyond its output");
    worst
}

/// PyTorch's sum for output channel `o` at row `y` and column `z`, without bias; `read(row, column, channel)` is the input.
fn sum(
    shape: &Convolution,
    weight: &[f32],
    (y, z, o): (usize, usize, usize),
    read: &dyn Fn(isize, isize, usize) -> Option<f64>,
) -> f64 {
    let ((inputs, outputs), (height, width)) = (shape.group(), shape.kernel());
    let group = o / outputs;
    let mut sum = 0.0;
    for (ky, kx, i) in (0..height).flat_map(|a| (0..width).flat_map(move |b| (0..inputs).map(move |i| (a, b, i)))) {
        let (place, index) = match shape {
            Convolution::Plain(c) => {
                let at = |o: usize, k: usize, stride: usize, dilation: usize, padding: usize| {
                    Some((o * stride + k * dilation) as isize - padding as isize)
                };
                let place = (
                    at(y, ky, c.stride.0, c.dilation.0, c.padding.0),
                    at(z, kx, c.stride.1, c.dilation.1, c.padding.1),
                );
                (place, o * inputs + i)
            }
            Convolution::Transposed(c) => {
                // Input p adds its kernel at p * stride - padding + k * dilation.
                let at = |o: usize, k: usize, stride: usize, dilation: usize, padding: usize| {
                    let p = (o + padding) as isize - (k * dilation) as isize;
                    (p % stride as isize == 0).then_some(p / stride as isize)
                };
                let place = (
                    at(y, ky, c.stride.0, c.dilation.0, c.padding.0),
                    at(z, kx, c.stride.1, c.dilation.1, c.padding.1),
                );
                (place, (group * inputs + i) * outputs + o % outputs)
            }
        };
        if let (Some(row), Some(column)) = place
            && let Some(value) = read(row, column, group * inputs + i)
        {
            sum += value * f64::from(weight[(index * height + ky) * width + kx]);
        }
    }
    sum
}

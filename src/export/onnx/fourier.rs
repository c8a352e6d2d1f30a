//! `rfft2` and `irfft2` as products with constant matrices, which every runtime computes as it does any product; their own
//! `DFT` is slower where they have one, and exporters write LaMa this way.
//!
//! With real and imaginary parts stacked along the rows, `[1, C, 2 H, W / 2 + 1]`, a transform along the columns is one
//! product with a `[2 H, 2 H]` matrix, and the same values in the same order are the `2 C` channels of the spectrum.

use std::f64::consts::TAU;

use super::graph::{Attribute, Graph};
use super::layers::Layer;

/// A sine or cosine of an angle.
type Wave = fn(f64) -> f64;

/// `value(y, k, 2 pi y k / n) / sqrt(n)`, row `y` of `rows`, column `k` of `columns`.
fn waves(rows: usize, columns: usize, n: usize, value: impl Fn(usize, usize, f64) -> f64) -> Vec<f32> {
    let root = (n as f64).sqrt();
    let angle = |y: usize, k: usize| TAU * ((y * k) % n) as f64 / n as f64;
    (0..rows)
        .flat_map(|y| (0..columns).map(move |k| (y, k)))
        .map(|(y, k)| (value(y, k, angle(y, k)) / root) as f32)
        .collect()
}

/// `[[cos, sin], [-sin, cos]]`, for the inverse `[[cos, -sin], [sin, cos]]`: `[2 n, 2 n]`.
fn along_columns(n: usize, inverse: bool) -> Vec<f32> {
    let sign = if inverse { -1.0 } else { 1.0 };
    waves(2 * n, 2 * n, n, |y, k, angle| match (y < n, k < n) {
        (true, false) => sign * angle.sin(),
        (false, true) => -sign * angle.sin(),
        _ => angle.cos(),
    })
}

impl Graph<'_> {
    /// The name of a constant that all layers of these sides share.
    fn matrix(&mut self, name: &str, shape: [usize; 2], values: impl FnOnce() -> Vec<f32>) -> String {
        match self.has(name) {
            true => name.to_owned(),
            false => self.floats(name, &shape, &values()),
        }
    }

    /// `[1, C, H, W]` to `[1, 2 C, H, W / 2 + 1]`.
    pub(super) fn rfft2(&mut self, layer: &Layer) {
        let sides = layer.inputs[0].1;
        let (channels, height, width) = (sides.channels(), sides.height(), sides.width());
        let half = width / 2 + 1;
        let parts: [(&str, Wave); 2] = [("re", |angle| angle.cos()), ("im", |angle| -angle.sin())];
        let rows = parts.map(|(part, wave)| {
            let values = || waves(width, half, width, |_, _, angle| wave(angle));
            let matrix = self.matrix(&format!("rfft.{part}.{width}"), [width, half], values);
            self.node("MatMul", &[layer.input(), matrix], &layer.part(part), &[])
        });
        let stacked = self.node("Concat", &rows, &layer.part("rows"), &[("axis", Attribute::Int(2))]);
        let values = || along_columns(height, false);
        let matrix = self.matrix(&format!("fft.{height}"), [2 * height, 2 * height], values);
        let whole = self.node("MatMul", &[matrix, stacked], &layer.part("columns"), &[]);
        self.reshaped(whole, &[1, 2 * channels as i64, height as i64, half as i64], layer.name());
    }

    /// `[1, 2 C, H, W / 2 + 1]` to `[1, C, H, W]`, the sides those of the second input.
    pub(super) fn irfft2(&mut self, layer: &Layer) {
        let sides = layer.inputs[1].1;
        let channels = layer.inputs[0].1.channels() / 2;
        let (height, width) = (sides.height(), sides.width());
        let half = width / 2 + 1;
        let stacked_sides = [1, channels as i64, 2 * height as i64, half as i64];
        let stacked = self.reshaped(layer.input(), &stacked_sides, &layer.part("stacked"));
        let values = || along_columns(height, true);
        let matrix = self.matrix(&format!("ifft.{height}"), [2 * height, 2 * height], values);
        let whole = self.node("MatMul", &[matrix, stacked], &layer.part("columns"), &[]);
        let parts = ["re", "im"].map(|part| layer.part(part));
        self.node_of_many("Split", &[whole], &parts, &[("axis", Attribute::Int(2))]);
        // Every column but the first, and the last of an even width, stands for its conjugate as well.
        let times = move |k: usize| if k == 0 || 2 * k == width { 1.0 } else { 2.0 };
        let cosine = || waves(half, width, width, |k, _, angle| times(k) * angle.cos());
        let cosine = self.matrix(&format!("irfft.re.{width}"), [half, width], cosine);
        // The sines of those columns are zero, so that their imaginary parts count for nothing.
        let sine = || waves(half, width, width, |k, _, angle| if times(k) == 1.0 { 0.0 } else { -2.0 * angle.sin() });
        let sine = self.matrix(&format!("irfft.im.{width}"), [half, width], sine);
        let [re, im] = parts;
        let cosines = self.node("MatMul", &[re, cosine], &layer.part("cosines"), &[]);
        let sines = self.node("MatMul", &[im, sine], &layer.part("sines"), &[]);
        self.node("Add", &[cosines, sines], layer.name(), &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_and_its_inverse_cancel() {
        let n = 3;
        let (there, back) = (along_columns(n, false), along_columns(n, true));
        for y in 0..2 * n {
            for x in 0..2 * n {
                let sum: f32 = (0..2 * n).map(|k| there[y * 2 * n + k] * back[k * 2 * n + x]).sum();
                assert!((sum - f32::from(u8::from(x == y))).abs() < 1e-6, "{y}, {x}: {sum}");
            }
        }
        // A constant row has its mean alone: sqrt(3).
        let row: f32 = there[..n].iter().sum();
        assert!((row - 3f32.sqrt()).abs() < 1e-6);
    }
}

//! `torch.fft.rfft2` and `torch.fft.irfft2`, with the real and imaginary parts as channels.

use std::f64::consts::TAU;

use serde::Serialize;

use super::{Operator, Parameters};
use crate::error::{Code, Error, Result};
use crate::network::Shape;
use crate::tensor::Tensor;

/// [`torch.fft.rfft2(x, norm="ortho")`](https://pytorch.org/docs/stable/generated/torch.fft.rfft2.html) of
/// `[N, C, H, W]`, as `[N, 2 C, H, W / 2 + 1]`: channel `2 c` is the real part of channel `c`'s spectrum, channel `2 c + 1`
/// its imaginary part. This is how fast Fourier convolutions (Chi et al. 2020) stack them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rfft2 {}

/// [`torch.fft.irfft2(x, s, norm="ortho")`](https://pytorch.org/docs/stable/generated/torch.fft.irfft2.html) of what
/// [`Rfft2`] gives. `s` is the sides of a second input, which tells an even width from an odd one.
///
/// A real row has a real mean, and a real value at its highest frequency if its width is even: the imaginary parts of column
/// 0 and of column `W / 2` for even `W` are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Irfft2 {}

/// Columns of the spectrum of rows of this width.
pub fn columns(width: usize) -> usize {
    width / 2 + 1
}

/// A complex number, `(real, imaginary)`.
type Complex = (f64, f64);

fn sum(terms: impl Iterator<Item = Complex>) -> Complex {
    terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1))
}

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// `exp(2 pi i k / n)` for every `k` below `n`.
fn roots(n: usize) -> Vec<Complex> {
    (0..n).map(|k| (TAU * k as f64 / n as f64).sin_cos()).map(|(sin, cos)| (cos, sin)).collect()
}

/// `sum over y of column[y] * exp(sign 2 pi i k y / n)` for every `k`, divided by `sqrt(n)`.
fn transform(column: &[Complex], roots: &[Complex], forward: bool) -> Vec<Complex> {
    let n = column.len();
    let root = |at: usize| {
        let (re, im) = roots[at % n];
        if forward { (re, -im) } else { (re, im) }
    };
    let scale = 1.0 / (n as f64).sqrt();
    let value = |k: usize| sum((0..n).map(|y| times(column[y], root(k * y))));
    (0..n).map(value).map(|(re, im)| (re * scale, im * scale)).collect()
}

/// One plane's half spectrum, row by row.
fn forward_plane(plane: &[f32], width: usize) -> Vec<Complex> {
    let (height, half) = (plane.len() / width, columns(width));
    let (along_rows, along_columns) = (roots(width), roots(height));
    let mut spectrum = Vec::with_capacity(height * half);
    for row in plane.chunks_exact(width) {
        let row: Vec<Complex> = row.iter().map(|&value| (f64::from(value), 0.0)).collect();
        spectrum.extend_from_slice(&transform(&row, &along_rows, true)[..half]);
    }
    for k in 0..half {
        let column: Vec<Complex> = (0..height).map(|y| spectrum[y * half + k]).collect();
        for (y, value) in transform(&column, &along_columns, true).into_iter().enumerate() {
            spectrum[y * half + k] = value;
        }
    }
    spectrum
}

/// The plane of a half spectrum.
fn inverse_plane(mut spectrum: Vec<Complex>, (height, width): (usize, usize)) -> Vec<f32> {
    let half = columns(width);
    let (along_rows, along_columns) = (roots(width), roots(height));
    for k in 0..half {
        let column: Vec<Complex> = (0..height).map(|y| spectrum[y * half + k]).collect();
        for (y, value) in transform(&column, &along_columns, false).into_iter().enumerate() {
            spectrum[y * half + k] = value;
        }
    }
    let mut plane = Vec::with_capacity(height * width);
    for row in spectrum.chunks_exact(half) {
        let real = |k: usize| k == 0 || 2 * k == width;
        // The other half of the row's spectrum is the conjugate of this one.
        let whole = (0..width).map(|k| match (row[k.min(width - k)], real(k)) {
            ((re, _), true) => (re, 0.0),
            ((re, im), false) => (re, if k < half { im } else { -im }),
        });
        let row = transform(&whole.collect::<Vec<_>>(), &along_rows, false);
        plane.extend(row.into_iter().map(|(re, _)| re as f32));
    }
    plane
}

impl Operator for Rfft2 {
    fn name(&self) -> &'static str {
        "rfft2"
    }

    fn written(&self) -> String {
        "torch.fft.rfft2(x, norm='ortho')".to_owned()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, _, width) = inputs[0].planes()?;
        if inputs[0].elements() == 0 {
            return Err(format!("Invalid number of data points ({}) specified", inputs[0].height().min(width)));
        }
        Ok(vec![inputs[0].with_side(1, channels.saturating_mul(2)).with_side(3, columns(width))])
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        let (height, width) = (input.height(), input.width());
        Some(format!("{height}; floor({width} / 2) + 1 = {}", output.width()))
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let mut out = Vec::with_capacity(2 * n * c * h * columns(w));
        for plane in inputs[0].data().chunks_exact(h * w) {
            let spectrum = forward_plane(plane, w);
            out.extend(spectrum.iter().map(|value| value.0 as f32));
            out.extend(spectrum.iter().map(|value| value.1 as f32));
        }
        Ok(vec![Tensor::new([n, 2 * c, h, columns(w)], out)?])
    }
}

impl Operator for Irfft2 {
    fn name(&self) -> &'static str {
        "irfft2"
    }

    fn written(&self) -> String {
        "torch.fft.irfft2(x, s=like.shape[-2:], norm='ortho')".to_owned()
    }

    fn arity(&self) -> (usize, usize) {
        (2, 2)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let ((channels, height, half), (_, like_height, like_width)) = (inputs[0].planes()?, inputs[1].planes()?);
        if !channels.is_multiple_of(2) {
            return Err(format!("{channels} channels are no real and imaginary parts"));
        }
        if height == 0 || like_width == 0 || (height, half) != (like_height, columns(like_width)) {
            return Err(format!("a spectrum of {height} x {half} is not that of {like_height} x {like_width} pixels"));
        }
        Ok(vec![inputs[0].with_side(1, channels / 2).with_side(3, like_width)])
    }

    fn formula(&self, _input: Shape, output: Shape) -> Option<String> {
        Some(format!("as before rfft2: {} x {}", output.height(), output.width()))
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let ((n, c, h, half), (.., w)) = (inputs[0].nchw()?, inputs[1].nchw()?);
        if half != columns(w) {
            return Err(Error::new(Code::InputShape, format!("A spectrum of {half} columns is not that of {w}.")));
        }
        let mut out = Vec::with_capacity(n * c / 2 * h * w);
        for pair in inputs[0].data().chunks_exact(2 * h * half) {
            let (real, imaginary) = pair.split_at(h * half);
            let spectrum = real.iter().zip(imaginary).map(|(&re, &im)| (f64::from(re), f64::from(im))).collect();
            out.extend(inverse_plane(spectrum, (h, w)));
        }
        Ok(vec![Tensor::new([n, c / 2, h, w], out)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn close(found: &Tensor, shape: [usize; 4], expected: &[f32]) {
        assert_eq!(found.shape(), shape);
        for (found, expected) in found.data().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
    }

    /// `torch.fft.rfft2(torch.arange(6.).reshape(1, 1, 2, 3), norm="ortho")`.
    #[test]
    fn a_small_spectrum_is_pytorchs() {
        let x = Tensor::new([1, 1, 2, 3], (0..6).map(|i| i as f32).collect()).unwrap();
        let y = Rfft2 {}.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        let root = 6f32.sqrt();
        let expected = [15.0, -3.0, -9.0, 0.0, 0.0, 3f32.sqrt(), 0.0, 0.0].map(|value| value / root);
        close(&y, [1, 2, 2, 2], &expected);
        let back = Irfft2 {}.forward(&[&y, &x], &Parameters(&[])).unwrap().remove(0);
        close(&back, [1, 1, 2, 3], x.data());
    }

    /// `torch.fft.irfft2` of all ones times `1 + 1j`: the imaginary parts of columns 0 and W / 2 count for nothing.
    #[test]
    fn imaginary_parts_that_a_real_row_has_not_are_not_read() {
        let ones = Tensor::new([1, 2, 1, 3], vec![1.0; 6]).unwrap();
        let even = Irfft2 {}.forward(&[&ones, &Tensor::zeros([1, 1, 1, 4])], &Parameters(&[])).unwrap().remove(0);
        close(&even, [1, 1, 1, 4], &[2.0, -1.0, 0.0, 1.0]);
        let odd = Irfft2 {}.forward(&[&ones, &Tensor::zeros([1, 1, 1, 5])], &Parameters(&[])).unwrap().remove(0);
        let expected = [2.236_068, -1.376_382, 0.324_920, -0.324_920, 1.376_382];
        close(&odd, [1, 1, 1, 5], &expected);
    }

    #[test]
    fn what_is_no_spectrum_is_refused() {
        let of = |shape: [usize; 4]| Shape::of(&shape).unwrap();
        assert!(Irfft2 {}.infer(&[of([1, 3, 4, 3]), of([1, 1, 4, 4])]).is_err());
        assert!(Irfft2 {}.infer(&[of([1, 4, 4, 3]), of([1, 1, 4, 6])]).is_err());
        assert!(Rfft2 {}.infer(&[of([1, 3, 4, 0])]).is_err());
        assert_eq!(Rfft2 {}.infer(&[of([1, 3, 5, 7])]).unwrap(), [of([1, 6, 5, 4])]);
    }
}

//! `rfft2` and `irfft2`: a task transforms some channels of the whole plane, in scratch of its thread's own, so that
//! threads meet once a layer. Two real rows are one complex one, which makes no difference between even and odd widths.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::kernels::Epilogue;
use super::kernels::fft::{Fft, Line, WIDTH};
use super::kernels::part::{Grid, Lattice, Part, Share};
use super::view::View;
use crate::engine::run::cancelled;
use crate::error::Result;
use crate::network::ops::fourier::columns;
use crate::threads;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fourier {
    /// From pixels to half spectra.
    Forward,
    /// From half spectra to pixels.
    Inverse,
}

/// What a task needs: the sides, transforms along them, and places to work in.
struct Plane<'a> {
    height: usize,
    width: usize,
    along_rows: &'a Fft,
    along_columns: &'a Fft,
    /// The half spectra, `[column][row][WIDTH]`.
    spectrum: Line<'a>,
    /// Two rows or columns.
    lines: [Line<'a>; 2],
}

impl Fourier {
    /// Values of scratch that so many threads need for this output.
    pub fn scratch(self, to: &View, threads: usize) -> usize {
        threads * self.share(to)
    }

    /// Values of scratch that one thread needs.
    fn share(self, to: &View) -> usize {
        let (height, width) = (to.shape.height, to.shape.width);
        let (half, longest) = match self {
            // The plane's width is twice this, less one or two.
            Self::Forward => (width, height.max(2 * width)),
            Self::Inverse => (columns(width), height.max(width)),
        };
        2 * WIDTH * (half * height + 2 * longest)
    }

    /// Runs the layer; `tell` is asked before it begins whether to go on. The scratch is for `threads`, and so many take
    /// part at most.
    pub fn run(
        self,
        (x, from): (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        (scratch, threads): (&mut [f32], usize),
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        if tell(0.0).is_break() {
            return Err(cancelled());
        }
        let plane = match self {
            Self::Forward => from.shape,
            Self::Inverse => to.shape,
        };
        let (along_rows, along_columns) = (Fft::new(plane.width), Fft::new(plane.height));
        let every = Lattice { first: 0, every: 1 };
        let grid = Grid::new(to.interior(), vec![(every, every)], (1, 1));
        let (all, values) = (grid.tiles_of(0..1), to.shape.channels / plane.channels.max(1));
        let shares = (0..plane.channels).step_by(WIDTH).map(|first| Share {
            tiles: all.clone(),
            channels: first * values..(first + WIDTH).min(plane.channels) * values,
        });
        let mut parts = grid.split(out, shares);
        let (share, queue) = (self.share(to), Mutex::new(parts.iter_mut()));
        threads::chunks(&mut scratch[..threads * share], share, &|_, mine| {
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some(part) = next() {
                let mut task = Plane::new((plane.height, plane.width), (&along_rows, &along_columns), mine);
                match self {
                    Self::Forward => task.forward((x, from), part, epilogue),
                    Self::Inverse => task.inverse((x, from), part, epilogue),
                }
            }
        });
        Ok(())
    }
}

/// Two halves, the first of them of `count` lanes' values.
fn line(values: &mut [f32], count: usize) -> (Line<'_>, &mut [f32]) {
    let (real, rest) = values.split_at_mut(count * WIDTH);
    let (imaginary, rest) = rest.split_at_mut(count * WIDTH);
    ((real, imaginary), rest)
}

fn cut<'a>((real, imaginary): &'a mut Line<'_>, start: usize, count: usize) -> Line<'a> {
    (&mut real[start * WIDTH..][..count * WIDTH], &mut imaginary[start * WIDTH..][..count * WIDTH])
}

fn lanes(values: &[f32], at: usize) -> &[f32; WIDTH] {
    values[at * WIDTH..].first_chunk().expect("a place inside")
}

fn lanes_mut(values: &mut [f32], at: usize) -> &mut [f32; WIDTH] {
    values[at * WIDTH..].first_chunk_mut().expect("a place inside")
}

impl<'a> Plane<'a> {
    fn new(
        (height, width): (usize, usize),
        (along_rows, along_columns): (&'a Fft, &'a Fft),
        scratch: &'a mut [f32],
    ) -> Self {
        let longest = height.max(width);
        let (spectrum, rest) = line(scratch, columns(width) * height);
        let (first, rest) = line(rest, longest);
        let (second, _) = line(rest, longest);
        Self { height, width, along_rows, along_columns, spectrum, lines: [first, second] }
    }

    /// `1 / sqrt(height * width)`: both transforms are orthonormal.
    fn scale(&self) -> f32 {
        1.0 / ((self.height * self.width) as f32).sqrt()
    }

    /// Pixels to half spectra. The part's channels are pairs of real and imaginary parts.
    fn forward(&mut self, (x, from): (&[f32], &View), part: &mut Part<'_>, epilogue: Epilogue<'_>) {
        let channels = part.share().channels.start / 2..part.share().channels.end / 2;
        for y in (0..self.height).step_by(2) {
            self.rows_forward(y, |y, column| &x[from.at(y, column) + channels.start..][..channels.len()]);
        }
        let [_, other] = &mut self.lines;
        let mut pixel = [0.0; 2 * WIDTH];
        for k in 0..columns(self.width) {
            let column = cut(&mut self.spectrum, k * self.height, self.height);
            let (real, imaginary) = self.along_columns.run(column, cut(other, 0, self.height));
            for y in 0..self.height {
                let pairs = lanes(real, y).iter().zip(lanes(imaginary, y));
                for (pair, (re, im)) in pixel.chunks_exact_mut(2).zip(pairs) {
                    (pair[0], pair[1]) = (*re, *im);
                }
                part.write(y, k, &pixel[..2 * channels.len()], epilogue);
            }
        }
    }

    /// The spectra of rows `y` and `y + 1`, whose pixels are the real and imaginary parts of one row.
    fn rows_forward<'x>(&mut self, y: usize, read: impl Fn(usize, usize) -> &'x [f32]) {
        let (width, height, scale) = (self.width, self.height, 0.5 * self.scale());
        let [first, second] = &mut self.lines;
        let both = y + 1 < height;
        let row = cut(first, 0, width);
        for x in 0..width {
            fill(lanes_mut(row.0, x), read(y, x));
            fill(lanes_mut(row.1, x), if both { read(y + 1, x) } else { &[] });
        }
        let (real, imaginary) = self.along_rows.run(row, cut(second, 0, width));
        for k in 0..columns(width) {
            let mirror = if k == 0 { 0 } else { width - k };
            let ((re, im), (mirror_re, mirror_im)) =
                ((lanes(real, k), lanes(imaginary, k)), (lanes(real, mirror), lanes(imaginary, mirror)));
            let at = k * height + y;
            let (to_re, to_im) = (lanes_mut(self.spectrum.0, at), lanes_mut(self.spectrum.1, at));
            for lane in 0..WIDTH {
                to_re[lane] = (re[lane] + mirror_re[lane]) * scale;
                to_im[lane] = (im[lane] - mirror_im[lane]) * scale;
            }
            if both {
                let (to_re, to_im) = (lanes_mut(self.spectrum.0, at + 1), lanes_mut(self.spectrum.1, at + 1));
                for lane in 0..WIDTH {
                    to_re[lane] = (im[lane] + mirror_im[lane]) * scale;
                    to_im[lane] = (mirror_re[lane] - re[lane]) * scale;
                }
            }
        }
    }

    /// Half spectra to pixels.
    fn inverse(&mut self, (x, from): (&[f32], &View), part: &mut Part<'_>, epilogue: Epilogue<'_>) {
        let channels = part.share().channels.clone();
        let (height, width) = (self.height, self.width);
        for k in 0..columns(width) {
            let [first, second] = &mut self.lines;
            let column = cut(first, 0, height);
            for y in 0..height {
                let pairs = x[from.at(y, k) + 2 * channels.start..][..2 * channels.len()].chunks_exact(2);
                let (re, im) = (lanes_mut(column.0, y), lanes_mut(column.1, y));
                re.fill(0.0);
                im.fill(0.0);
                for ((re, im), pair) in re.iter_mut().zip(im).zip(pairs) {
                    (*re, *im) = (pair[0], pair[1]);
                }
            }
            // With real and imaginary parts exchanged before and after, the transform is its own inverse.
            let other = cut(second, 0, height);
            let (imaginary, real) = self.along_columns.run((column.1, column.0), (other.1, other.0));
            let to = cut(&mut self.spectrum, k * height, height);
            to.0.copy_from_slice(real);
            to.1.copy_from_slice(imaginary);
        }
        for y in (0..height).step_by(2) {
            let (imaginary, real) = self.rows_inverse(y);
            for column in 0..width {
                part.write(y, column, &lanes(real, column)[..channels.len()], epilogue);
                if y + 1 < height {
                    part.write(y + 1, column, &lanes(imaginary, column)[..channels.len()], epilogue);
                }
            }
        }
    }

    /// Rows `y` and `y + 1`, as the second and the first of the result.
    fn rows_inverse(&mut self, y: usize) -> (&[f32], &[f32]) {
        let (width, height, scale) = (self.width, self.height, self.scale());
        let [first, second] = &mut self.lines;
        let row = cut(first, 0, width);
        let none = [0.0; WIDTH];
        for k in 0..columns(width) {
            let at = k * height + y;
            let below = (y + 1 < height).then_some(at + 1);
            // Where a real row has a real value, its imaginary part is not read.
            let real = k == 0 || 2 * k == width;
            let imaginary = |at: usize| if real { &none } else { lanes(self.spectrum.1, at) };
            let (re, im) = (lanes(self.spectrum.0, at), imaginary(at));
            let (below_re, below_im) =
                (below.map_or(&none, |at| lanes(self.spectrum.0, at)), below.map_or(&none, imaginary));
            if !real {
                let (to_re, to_im) = (lanes_mut(row.0, width - k), lanes_mut(row.1, width - k));
                for lane in 0..WIDTH {
                    to_re[lane] = (re[lane] + below_im[lane]) * scale;
                    to_im[lane] = (below_re[lane] - im[lane]) * scale;
                }
            }
            let (to_re, to_im) = (lanes_mut(row.0, k), lanes_mut(row.1, k));
            for lane in 0..WIDTH {
                to_re[lane] = (re[lane] - below_im[lane]) * scale;
                to_im[lane] = (im[lane] + below_re[lane]) * scale;
            }
        }
        let other = cut(second, 0, width);
        let (imaginary, real) = self.along_rows.run((row.1, row.0), (other.1, other.0));
        (imaginary, real)
    }
}

/// Some values, then zeros.
fn fill(to: &mut [f32; WIDTH], from: &[f32]) {
    let (values, rest) = to.split_at_mut(from.len());
    values.copy_from_slice(from);
    rest.fill(0.0);
}

#[cfg(test)]
mod tests {
    use super::super::step::to_planes;
    use super::*;
    use crate::network::ops::{Irfft2, Operator, Parameters, Rfft2};
    use crate::network::{PaddingMode, Shape};
    use crate::tensor::Tensor;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn noise(i: usize) -> f32 {
        ((i as u32).wrapping_mul(747_796_405) >> 8) as f32 / (1 << 24) as f32 - 0.5
    }

    fn view(shape: &[usize], border: [usize; 4]) -> View {
        View { start: 0, shape: Shape::of(shape).unwrap().into(), border, mode: PaddingMode::Zeros }
    }

    /// The layer on `x`, its borders filled with numbers that nothing may read or change.
    fn run(layer: Fourier, x: &Tensor, shape: &[usize]) -> Vec<f32> {
        let (from, to) = (view(x.shape(), [1, 2, 0, 1]), view(shape, [0, 1, 2, 0]));
        let (mut values, mut out) = (vec![f32::NAN; from.len()], vec![7.0; to.len()]);
        let (channels, area) = (from.shape.channels, from.shape.height * from.shape.width);
        for (pixel, c) in (0..area).flat_map(|pixel| (0..channels).map(move |c| (pixel, c))) {
            values[from.at(pixel / from.shape.width, pixel % from.shape.width) + c] = x.data()[c * area + pixel];
        }
        let mut scratch = vec![f32::NAN; layer.scratch(&to, 2)];
        let mut go = |_| ControlFlow::Continue(());
        layer.run((&values, &from), (&mut out, &to), Epilogue::default(), (&mut scratch, 2), &mut go).unwrap();
        let planes = to_planes(&out, &to);
        assert_eq!(out.iter().filter(|&&value| value == 7.0).count(), to.len() - planes.len(), "written beyond");
        planes
    }

    fn close(found: &[f32], expected: &[f32], what: &str) {
        assert_eq!(found.len(), expected.len());
        let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 3e-6, "{what}: {worst:e}");
    }

    #[test]
    fn all_sides_agree_with_plain_sums() {
        let sides = [(1, 1), (1, 6), (2, 1), (3, 5), (8, 9), (16, 12), (21, 26), (7, 64), (33, 25)];
        for ((height, width), channels) in sides.into_iter().zip([1, 16, 3, 17, 40, 5, 2, 33, 18]) {
            let what = format!("{channels} of {height} x {width}");
            let x = (0..channels * height * width).map(noise).collect();
            let x = Tensor::new([1, channels, height, width], x).unwrap();
            let spectrum = Rfft2 {}.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
            close(&run(Fourier::Forward, &x, spectrum.shape()), spectrum.data(), &what);
            // No real plane's spectrum: imaginary parts stand where there are none.
            let other = (0..spectrum.data().len()).map(|i| noise(i + 77)).collect();
            let other = Tensor::new(spectrum.shape(), other).unwrap();
            let y = Irfft2 {}.forward(&[&other, &x], &Parameters(&[])).unwrap().remove(0);
            close(&run(Fourier::Inverse, &other, y.shape()), y.data(), &what);
        }
    }
}

//! 3x3 convolutions with a quarter of the multiplications: F(4x4, 3x3) of Lavin & Gray 2015, "Fast Algorithms for
//! Convolutional Neural Networks". Dilated layers fall apart into interleaved plain ones.

use std::ops::ControlFlow;

use super::conv::Raw;
use super::kernels::{LANES, ROWS, multiply};
use super::{Value, reflected};
use crate::engine::cancelled;
use crate::error::{Code, Error, Result};
use crate::network::Conv2d;

/// Input pixels per side of a tile; it gives four output pixels per side.
const SIDE: usize = 6;
const POINTS: usize = SIDE * SIDE;
const OUT: usize = 4;
/// Tiles transformed together, a multiple of the kernel's rows: the weights are read once for each such group.
const GROUP: usize = 12 * ROWS;
/// Fewer channels than this are not worth the transforms.
const LEAST_CHANNELS: usize = 32;

/// A 3x3 layer with transformed weights.
pub struct Winograd {
    conv: Conv2d,
    /// `[point][output / 8][input][8]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// Eight channels of one pixel.
#[derive(Clone, Copy)]
struct Lane([f32; LANES]);

impl Lane {
    const ZERO: Self = Self([0.0; LANES]);

    #[inline(always)]
    fn load(values: &[f32], at: usize) -> Self {
        let mut lane = [0.0; LANES];
        lane.copy_from_slice(&values[at..at + LANES]);
        Self(lane)
    }

    #[inline(always)]
    fn store(self, values: &mut [f32], at: usize) {
        values[at..at + LANES].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }

    #[inline(always)]
    fn times(self, factor: f32) -> Self {
        Self(self.0.map(|v| v * factor))
    }
}

#[inline(always)]
fn transposed<const A: usize, const B: usize>(lanes: [[Lane; B]; A]) -> [[Lane; A]; B] {
    std::array::from_fn(|b| std::array::from_fn(|a| lanes[a][b]))
}

/// One side of the input transform.
#[inline(always)]
fn input_side(d: [Lane; SIDE]) -> [Lane; SIDE] {
    let p = d[4].minus(d[2].times(4.0));
    let q = d[3].minus(d[1].times(4.0));
    let r = d[4].minus(d[2]);
    let e = d[3].minus(d[1]).times(2.0);
    [
        d[0].times(4.0).minus(d[2].times(5.0)).plus(d[4]),
        p.plus(q),
        p.minus(q),
        r.plus(e),
        r.minus(e),
        d[1].times(4.0).minus(d[3].times(5.0)).plus(d[5]),
    ]
}

/// One side of the output transform.
#[inline(always)]
fn output_side(m: [Lane; SIDE]) -> [Lane; OUT] {
    let (sum, difference) = (m[1].plus(m[2]), m[1].minus(m[2]));
    let (sum2, difference2) = (m[3].plus(m[4]), m[3].minus(m[4]));
    [
        m[0].plus(sum).plus(sum2),
        difference.plus(difference2.times(2.0)),
        sum.plus(sum2.times(4.0)),
        difference.plus(difference2.times(8.0)).plus(m[5]),
    ]
}

/// One side of the weight transform.
fn weight_side(g: [f64; 3]) -> [f64; SIDE] {
    let (a, b) = (g[0] + g[2], g[0] / 24.0 + g[2] / 6.0);
    [g[0] / 4.0, -(a + g[1]) / 6.0, -(a - g[1]) / 6.0, b + g[1] / 12.0, b - g[1] / 12.0, g[2]]
}

impl Winograd {
    /// Whether a layer is one that gains.
    pub fn suits(conv: &Conv2d) -> bool {
        let wide = |channels: usize| channels >= LEAST_CHANNELS && channels.is_multiple_of(LANES);
        conv.kernel_size == (3, 3)
            && conv.stride == (1, 1)
            && conv.groups == 1
            && wide(conv.in_channels)
            && wide(conv.out_channels)
    }

    /// Transforms the weights; the raw ones are dropped.
    pub fn new(conv: Conv2d, raw: Raw) -> Self {
        let (inputs, outputs) = (conv.in_channels, conv.out_channels);
        let mut weights = vec![0.0; POINTS * inputs * outputs];
        for output in 0..outputs {
            for input in 0..inputs {
                let tap = |y: usize, x: usize| f64::from(raw.weight[(output * inputs + input) * 9 + y * 3 + x]);
                let rows: [[f64; SIDE]; 3] = std::array::from_fn(|y| weight_side([tap(y, 0), tap(y, 1), tap(y, 2)]));
                let [first, second, third] = rows;
                for (x, ((a, b), c)) in first.into_iter().zip(second).zip(third).enumerate() {
                    let column = weight_side([a, b, c]);
                    for (y, value) in column.into_iter().enumerate() {
                        let block = (y * SIDE + x) * (outputs / LANES) + output / LANES;
                        weights[(block * inputs + input) * LANES + output % LANES] =
                            (value * f64::from(raw.scale[output])) as f32;
                    }
                }
            }
        }
        Self { conv, weights, bias: raw.bias }
    }

    /// The layer's output, without its activation.
    pub fn run(&self, x: &Value, tell: &mut dyn FnMut(f32) -> ControlFlow<()>) -> Result<Value> {
        let size = self.conv.output_size(x.height, x.width);
        let (height, width) =
            size.ok_or_else(|| Error::new(Code::InputShape, "Calculated output size is too small"))?;
        let (inputs, outputs) = (self.conv.in_channels, self.conv.out_channels);
        let mut out = Value::zeros(outputs, height, width);
        let starts = |size: usize, dilation: usize| -> Vec<usize> {
            let residue = |r: usize| (r..size).step_by(OUT * dilation);
            (0..dilation).flat_map(residue).collect()
        };
        let columns = starts(width, self.conv.dilation.1);
        let tiles: Vec<(usize, usize)> = starts(height, self.conv.dilation.0)
            .into_iter()
            .flat_map(|y| columns.iter().map(move |&x| (y, x)))
            .collect();
        let mut transformed = vec![0.0; POINTS * GROUP * inputs];
        let mut products = vec![0.0; POINTS * GROUP * outputs];
        for (group, tiles) in tiles.chunks(GROUP).enumerate() {
            if tell((group * GROUP) as f32 / (height * width / (OUT * OUT) + 1) as f32).is_break() {
                return Err(cancelled());
            }
            for (t, &tile) in tiles.iter().enumerate() {
                self.transform(x, tile, t, &mut transformed);
            }
            self.multiply(tiles.len(), &transformed, &mut products);
            for (t, &tile) in tiles.iter().enumerate() {
                self.finish(tile, t, &products, &mut out);
            }
        }
        Ok(out)
    }

    /// One input tile to its 36 points: `[point][tile][input]`.
    fn transform(&self, x: &Value, (oy, ox): (usize, usize), t: usize, target: &mut [f32]) {
        let inputs = x.channels;
        let (padding, dilation) = (self.conv.padding, self.conv.dilation);
        let side = |start: usize, padding: usize, dilation: usize, size: usize| -> [Option<usize>; SIDE] {
            // Tiles at the far border reach beyond the padding; nothing that is kept depends on it.
            let limit = (size + padding) as isize;
            std::array::from_fn(|i| {
                let at = (start + i * dilation) as isize - padding as isize;
                if at < limit { reflected(at, size, self.conv.padding_mode) } else { None }
            })
        };
        let rows = side(oy, padding.0, dilation.0, x.height);
        let columns = side(ox, padding.1, dilation.1, x.width);
        for c in (0..inputs).step_by(LANES) {
            let half: [[Lane; SIDE]; SIDE] = std::array::from_fn(|i| {
                input_side(std::array::from_fn(|j| match (rows[i], columns[j]) {
                    (Some(y), Some(column)) => Lane::load(&x.data, (y * x.width + column) * inputs + c),
                    _ => Lane::ZERO,
                }))
            });
            for (j, column) in transposed(half).into_iter().enumerate() {
                let full = input_side(column);
                for (i, lane) in full.into_iter().enumerate() {
                    lane.store(target, ((i * SIDE + j) * GROUP + t) * inputs + c);
                }
            }
        }
    }

    /// 36 matrix products: `[tile][input] x [input][output]`.
    fn multiply(&self, tiles: usize, transformed: &[f32], products: &mut [f32]) {
        let (inputs, outputs) = (self.conv.in_channels, self.conv.out_channels);
        for (index, weights) in self.weights.chunks_exact(inputs * LANES).enumerate() {
            let (point, block) = (index / (outputs / LANES), index % (outputs / LANES));
            for start in (0..tiles).step_by(ROWS) {
                let row = |i: usize| {
                    let t = (start + i).min(tiles - 1);
                    &transformed[(point * GROUP + t) * inputs..][..inputs]
                };
                let mut sums = [[0.0; LANES]; ROWS];
                multiply(&mut sums, [row(0), row(1), row(2), row(3), row(4)], weights);
                for (i, sum) in sums.iter().enumerate().take(tiles - start) {
                    products[((point * GROUP) + start + i) * outputs + block * LANES..][..LANES].copy_from_slice(sum);
                }
            }
        }
    }

    /// One tile's 36 products to its 16 output pixels.
    fn finish(&self, (oy, ox): (usize, usize), t: usize, products: &[f32], out: &mut Value) {
        let outputs = out.channels;
        let dilation = self.conv.dilation;
        for k in (0..outputs).step_by(LANES) {
            let bias = Lane::load(&self.bias, k);
            let half: [[Lane; OUT]; SIDE] = std::array::from_fn(|i| {
                output_side(std::array::from_fn(|j| Lane::load(products, ((i * SIDE + j) * GROUP + t) * outputs + k)))
            });
            for (j, column) in transposed(half).into_iter().enumerate() {
                let x = ox + j * dilation.1;
                let full = output_side(column);
                for (i, lane) in full.into_iter().enumerate() {
                    let y = oy + i * dilation.0;
                    if y < out.height && x < out.width {
                        lane.plus(bias).store(&mut out.data, (y * out.width + x) * outputs + k);
                    }
                }
            }
        }
    }
}

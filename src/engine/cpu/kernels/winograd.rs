//! Minimal filtering (Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks"): the transforms of input
//! tiles and of products, eight channels at a time. The two sides of a tile may have different transforms.

use super::simd::Simd;
use super::{Epilogue, LANES, Shared, dispatch};

/// What one side of a tile does: `M` outputs of a filter with `taps` taps, from `N` inputs and `N` multiplications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WinogradVariant {
    /// F(4, 3).
    F43,
    /// F(3, 2).
    F32,
    /// Three outputs of a single tap: nothing to transform.
    F31,
    /// F(2, 2).
    F22,
    /// Two outputs of a single tap.
    F21,
}

impl WinogradVariant {
    /// Inputs, and multiplications.
    pub fn points(self) -> usize {
        match self {
            Self::F43 => 6,
            Self::F32 => 4,
            Self::F31 | Self::F22 => 3,
            Self::F21 => 2,
        }
    }

    /// Outputs.
    pub fn outputs(self) -> usize {
        match self {
            Self::F43 => 4,
            Self::F32 | Self::F31 => 3,
            Self::F22 | Self::F21 => 2,
        }
    }

    /// Which row of [`WinogradVariant::weights`] a point multiplies with: points of a single tap share theirs.
    pub fn weight_of(self, point: usize) -> usize {
        if matches!(self, Self::F31 | Self::F21) { 0 } else { point }
    }

    /// The weight transform G: a row of taps per point that has its own.
    pub fn weights(self) -> &'static [&'static [f32]] {
        const S: f32 = 1.0 / 6.0;
        const T: f32 = 1.0 / 24.0;
        const U: f32 = 1.0 / 12.0;
        match self {
            Self::F43 => &[&[0.25, 0.0, 0.0], &[-S, -S, -S], &[-S, S, -S], &[T, U, S], &[T, -U, S], &[0.0, 0.0, 1.0]],
            Self::F32 => &[&[1.0, 0.0], &[0.5, 0.5], &[0.5, -0.5], &[0.0, 1.0]],
            Self::F22 => &[&[1.0, 0.0], &[1.0, 1.0], &[0.0, 1.0]],
            Self::F31 | Self::F21 => &[&[1.0]],
        }
    }
}

/// The transforms of a side, at compile time.
trait Filter<const N: usize, const M: usize> {
    fn input<S: Simd>(d: [S; N]) -> [S; N];
    fn output<S: Simd>(m: [S; N]) -> [S; M];
}

struct F43;
impl Filter<6, 4> for F43 {
    #[inline(always)]
    fn input<S: Simd>(d: [S; 6]) -> [S; 6] {
        let minus4 = S::splat(-4.0);
        let p = d[4].madd(d[2], minus4);
        let q = d[3].madd(d[1], minus4);
        let r = d[4].minus(d[2]);
        let e = d[3].minus(d[1]);
        let e = e.plus(e);
        let (four, minus5) = (S::splat(4.0), S::splat(-5.0));
        [
            d[4].madd(d[0], four).madd(d[2], minus5),
            p.plus(q),
            p.minus(q),
            r.plus(e),
            r.minus(e),
            d[5].madd(d[1], four).madd(d[3], minus5),
        ]
    }
    #[inline(always)]
    fn output<S: Simd>(m: [S; 6]) -> [S; 4] {
        let (sum, difference) = (m[1].plus(m[2]), m[1].minus(m[2]));
        let (sum2, difference2) = (m[3].plus(m[4]), m[3].minus(m[4]));
        [
            m[0].plus(sum).plus(sum2),
            difference.madd(difference2, S::splat(2.0)),
            sum.madd(sum2, S::splat(4.0)),
            difference.madd(difference2, S::splat(8.0)).plus(m[5]),
        ]
    }
}

struct F32;
impl Filter<4, 3> for F32 {
    #[inline(always)]
    fn input<S: Simd>(d: [S; 4]) -> [S; 4] {
        [d[0].minus(d[2]), d[1].plus(d[2]), d[2].minus(d[1]), d[3].minus(d[1])]
    }
    #[inline(always)]
    fn output<S: Simd>(m: [S; 4]) -> [S; 3] {
        let sum = m[1].plus(m[2]);
        [m[0].plus(sum), m[1].minus(m[2]), sum.plus(m[3])]
    }
}

struct F22;
impl Filter<3, 2> for F22 {
    #[inline(always)]
    fn input<S: Simd>(d: [S; 3]) -> [S; 3] {
        [d[0].minus(d[1]), d[1], d[2].minus(d[1])]
    }
    #[inline(always)]
    fn output<S: Simd>(m: [S; 3]) -> [S; 2] {
        [m[0].plus(m[1]), m[1].plus(m[2])]
    }
}

/// F(n, 1).
struct Single;
impl<const N: usize> Filter<N, N> for Single {
    #[inline(always)]
    fn input<S: Simd>(d: [S; N]) -> [S; N] {
        d
    }
    #[inline(always)]
    fn output<S: Simd>(m: [S; N]) -> [S; N] {
        m
    }
}

/// Values of a plain 3x3 filter, and of one that F(4, 3) has transformed.
pub const PLAIN: usize = 9;
/// See [`PLAIN`].
pub const TRANSFORMED: usize = 36;

/// Transforms 3x3 filters for F(4x4, 3x3): `filters` is `[pair][9][8]`, and each of the 36 `points` gets `[pair][8]`.
/// Panics if a length is another.
pub fn transform_filters(filters: &[f32], points: &mut [&mut [f32]]) {
    let pairs = filters.len() / (PLAIN * LANES);
    assert!(filters.len() == pairs * PLAIN * LANES && points.len() == TRANSFORMED);
    assert!(points.iter().all(|point| point.len() == pairs * LANES));
    // SAFETY: all reads and writes lie inside, as just checked.
    unsafe { transform_filters_widest(filters, points) }
}

/// Where a tile's input pixels are.
pub struct Gather<'a> {
    /// The values; eight zeros per eight channels lie nowhere in it, hence `None` below.
    pub input: &'a [f32],
    /// Start of each input pixel of the tile, row by row; `None` reads as zero.
    pub pixels: &'a [Option<usize>],
    /// Channels to transform, a multiple of eight.
    pub channels: usize,
}

/// Where a tile's points go or come from: `[point][tile][channel]`.
#[derive(Clone, Copy)]
pub struct Points {
    /// Distance between two points of the same tile.
    pub stride: usize,
    /// Start of this tile in point 0.
    pub start: usize,
}

impl Points {
    /// Where so many points of so many channels end.
    fn end(self, count: usize, channels: usize) -> Option<usize> {
        count.checked_sub(1)?.checked_mul(self.stride)?.checked_add(self.start)?.checked_add(channels)
    }
}

/// Where a tile's outputs go.
pub struct Scatter<'a> {
    /// Start of each output pixel of the tile, row by row; `None` lies outside the picture.
    pub pixels: &'a [Option<usize>],
    /// Values of an output pixel.
    pub pixel: usize,
    /// Output channels, a multiple of eight.
    pub channels: usize,
    /// One per channel.
    pub bias: &'a [f32],
}

/// Transforms one tile's input pixels into its points. Panics if one of them lies outside.
pub fn transform(sides: (WinogradVariant, WinogradVariant), from: &Gather<'_>, to: &mut [f32], points: Points) {
    let count = sides.0.points() * sides.1.points();
    let furthest = from.pixels.iter().flatten().copied().max().unwrap_or(0);
    assert!(from.channels.is_multiple_of(LANES) && from.pixels.len() == count);
    assert!(furthest.checked_add(from.channels).is_some_and(|end| end <= from.input.len()));
    assert!(points.end(count, from.channels).is_some_and(|end| end <= to.len()));
    // SAFETY: all reads and writes lie inside, as just checked, and `to` is borrowed mutably.
    unsafe { transform_widest(sides, from, &Shared::new(to), points) }
}

/// Transforms one tile's products into its output pixels. Panics if one of them lies outside.
pub fn inverse_transform(
    sides: (WinogradVariant, WinogradVariant),
    from: &[f32],
    points: Points,
    to: &Scatter<'_>,
    out: &mut [f32],
    epilogue: Epilogue<'_>,
) {
    // SAFETY: all of `out` is borrowed mutably.
    unsafe { inverse_transform_at(sides, from, points, to, &Shared::new(out), epilogue) }
}

/// [`inverse_transform`] into an output that others write too. Panics as it does.
///
/// # Safety
/// Nobody else reads or writes the first `to.channels` channels of these pixels meanwhile.
pub(super) unsafe fn inverse_transform_at(
    sides: (WinogradVariant, WinogradVariant),
    from: &[f32],
    points: Points,
    to: &Scatter<'_>,
    out: &Shared<'_>,
    epilogue: Epilogue<'_>,
) {
    let count = sides.0.points() * sides.1.points();
    let furthest = to.pixels.iter().flatten().copied().max().unwrap_or(0);
    assert!(to.channels.is_multiple_of(LANES) && to.pixels.len() == sides.0.outputs() * sides.1.outputs());
    assert!(to.channels <= to.bias.len() && to.channels <= to.pixel);
    let end = furthest.checked_add(to.pixel).filter(|&end| end <= out.length).expect("pixels inside the output");
    epilogue.check(end, to.pixel);
    assert!(points.end(count, to.channels).is_some_and(|end| end <= from.len()));
    // SAFETY: all reads and writes lie inside, as just checked; the pixels are the caller's.
    unsafe { inverse_transform_widest(sides, from, points, to, out, epilogue) }
}

dispatch!(transform_widest => transform_any(sides: (WinogradVariant, WinogradVariant), from: &Gather<'_>, to: &Shared<'_>, points: Points));
dispatch!(transform_filters_widest => transform_filters_any(filters: &[f32], points: &mut [&mut [f32]]));
dispatch!(inverse_transform_widest => inverse_transform_any(sides: (WinogradVariant, WinogradVariant), from: &[f32], points: Points, to: &Scatter<'_>, out: &Shared<'_>, epilogue: Epilogue<'_>));

macro_rules! by_sides {
    ($sides:expr, $function:ident::<$simd:ident>($($arg:expr),*)) => {
        match $sides {
            (WinogradVariant::F43, WinogradVariant::F43) => $function::<$simd, F43, F43, 6, 4, 6, 4>($($arg),*),
            (WinogradVariant::F32, WinogradVariant::F32) => $function::<$simd, F32, F32, 4, 3, 4, 3>($($arg),*),
            (WinogradVariant::F32, WinogradVariant::F31) => $function::<$simd, F32, Single, 4, 3, 3, 3>($($arg),*),
            (WinogradVariant::F31, WinogradVariant::F32) => $function::<$simd, Single, F32, 3, 3, 4, 3>($($arg),*),
            (WinogradVariant::F31, WinogradVariant::F31) => $function::<$simd, Single, Single, 3, 3, 3, 3>($($arg),*),
            (WinogradVariant::F22, WinogradVariant::F22) => $function::<$simd, F22, F22, 3, 2, 3, 2>($($arg),*),
            (WinogradVariant::F22, WinogradVariant::F21) => $function::<$simd, F22, Single, 3, 2, 2, 2>($($arg),*),
            (WinogradVariant::F21, WinogradVariant::F22) => $function::<$simd, Single, F22, 2, 2, 3, 2>($($arg),*),
            (WinogradVariant::F21, WinogradVariant::F21) => $function::<$simd, Single, Single, 2, 2, 2, 2>($($arg),*),
            _ => unreachable!("these two sides are never combined"),
        }
    };
}

/// # Safety
/// As [`transform`] checks.
#[inline(always)]
unsafe fn transform_any<S: Simd>(
    sides: (WinogradVariant, WinogradVariant),
    from: &Gather<'_>,
    to: &Shared<'_>,
    points: Points,
) {
    // SAFETY: the caller's contract.
    unsafe { by_sides!(sides, transform_with::<S>(from, to, points)) }
}

/// # Safety
/// As [`transform_filters`] checks.
#[inline(always)]
unsafe fn transform_filters_any<S: Simd>(filters: &[f32], points: &mut [&mut [f32]]) {
    for (pair, filter) in filters.chunks_exact(PLAIN * LANES).enumerate() {
        // SAFETY: a filter has nine times eight values.
        let tap = |i: usize| unsafe { S::load(filter.as_ptr().add(i * LANES)) };
        let rows = [0, 1, 2].map(|i| filter_points::<S>([tap(i * 3), tap(i * 3 + 1), tap(i * 3 + 2)]));
        for x in 0..6 {
            for (y, value) in filter_points::<S>([rows[0][x], rows[1][x], rows[2][x]]).into_iter().enumerate() {
                // SAFETY: every point has eight values for every pair, by the caller's contract.
                unsafe { value.store(points[y * 6 + x].as_mut_ptr().add(pair * LANES)) };
            }
        }
    }
}

/// [`WinogradVariant::weights`] of F(4, 3), times three taps.
#[inline(always)]
fn filter_points<S: Simd>(g: [S; 3]) -> [S; 6] {
    let outer = g[0].plus(g[2]).times(S::splat(-1.0 / 6.0));
    let wide = g[2].times(S::splat(1.0 / 6.0)).madd(g[0], S::splat(1.0 / 24.0));
    let (sixth, twelfth) = (g[1].times(S::splat(1.0 / 6.0)), g[1].times(S::splat(1.0 / 12.0)));
    [g[0].times(S::splat(0.25)), outer.minus(sixth), outer.plus(sixth), wide.plus(twelfth), wide.minus(twelfth), g[2]]
}

/// # Safety
/// As [`inverse_transform_at`] checks and asks for.
#[inline(always)]
unsafe fn inverse_transform_any<S: Simd>(
    sides: (WinogradVariant, WinogradVariant),
    from: &[f32],
    points: Points,
    to: &Scatter<'_>,
    out: &Shared<'_>,
    epilogue: Epilogue<'_>,
) {
    // SAFETY: the caller's contract.
    unsafe { by_sides!(sides, inverse_transform_with::<S>(from, points, to, out, epilogue)) }
}

/// # Safety
/// As [`transform`] checks.
#[inline(always)]
unsafe fn transform_with<S: Simd, Y, X, const NY: usize, const MY: usize, const NX: usize, const MX: usize>(
    from: &Gather<'_>,
    to: &Shared<'_>,
    points: Points,
) where
    Y: Filter<NY, MY>,
    X: Filter<NX, MX>,
{
    for c in (0..from.channels).step_by(LANES) {
        let mut half = [[S::splat(0.0); NX]; NY];
        for (i, row) in half.iter_mut().enumerate() {
            // SAFETY: a pixel for every point, each with these channels inside the input: the caller's contract.
            let pixel = |j: usize| unsafe {
                match from.pixels.get_unchecked(i * NX + j) {
                    Some(at) => S::load(from.input.as_ptr().add(at + c)),
                    None => S::splat(0.0),
                }
            };
            *row = X::input(std::array::from_fn(pixel));
        }
        #[allow(clippy::needless_range_loop)] // a column across rows
        for j in 0..NX {
            let full = Y::input(std::array::from_fn(|i| half[i][j]));
            for (i, value) in full.into_iter().enumerate() {
                let at = (i * NX + j) * points.stride + points.start + c;
                // SAFETY: every point with these channels lies inside `to`, by the caller's contract.
                unsafe { value.store(to.place(at, LANES)) };
            }
        }
    }
}

/// # Safety
/// As [`inverse_transform_at`] checks and asks for.
#[inline(always)]
unsafe fn inverse_transform_with<S: Simd, Y, X, const NY: usize, const MY: usize, const NX: usize, const MX: usize>(
    from: &[f32],
    points: Points,
    to: &Scatter<'_>,
    out: &Shared<'_>,
    epilogue: Epilogue<'_>,
) where
    Y: Filter<NY, MY>,
    X: Filter<NX, MX>,
{
    for c in (0..to.channels).step_by(LANES) {
        let mut half = [[S::splat(0.0); MX]; NY];
        for (i, row) in half.iter_mut().enumerate() {
            // SAFETY: every point with these channels lies inside `from`, by the caller's contract.
            let point =
                |j: usize| unsafe { S::load(from.as_ptr().add((i * NX + j) * points.stride + points.start + c)) };
            *row = X::output(std::array::from_fn(point));
        }
        // SAFETY: the slice holds eight values.
        let bias = unsafe { S::load(to.bias[c..][..LANES].as_ptr()) };
        #[allow(clippy::needless_range_loop)] // a column across rows
        for j in 0..MX {
            let full = Y::output(std::array::from_fn(|i| half[i][j]));
            for (i, value) in full.into_iter().enumerate() {
                let Some(at) = to.pixels[i * MX + j] else { continue };
                let mapped = epilogue.map.map(|map| map[at / to.pixel]);
                // SAFETY: the pixel and its channels are the caller's, and lie inside `plus` too.
                unsafe { epilogue.store([value.plus(bias)], mapped.as_slice(), [at + c], out, LANES) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lower::Pointwise;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn filters_are_transformed_as_the_matrix_says() {
        let filters: Vec<f32> = (0..3 * PLAIN * LANES).map(|i| ((i * 29) % 23) as f32 / 11.0 - 1.0).collect();
        let mut points = vec![vec![0.0; 3 * LANES]; TRANSFORMED];
        transform_filters(&filters, &mut points.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
        let g = WinogradVariant::F43.weights();
        for (point, values) in points.iter().enumerate() {
            for (at, &found) in values.iter().enumerate() {
                let (pair, lane) = (at / LANES, at % LANES);
                let tap = |i: usize, j: usize| filters[(pair * PLAIN + i * 3 + j) * LANES + lane];
                let sum = |i: usize| (0..3).map(|j| g[point % 6][j] * tap(i, j)).sum::<f32>();
                let expected: f32 = (0..3).map(|i| g[point / 6][i] * sum(i)).sum();
                assert!((found - expected).abs() < 1e-6, "point {point}: {found} for {expected}");
            }
        }
    }

    /// Every pair of sides, one tile, one channel, against the plain sum.
    #[test]
    fn a_tile_is_a_small_convolution() {
        for (y, x) in [
            (WinogradVariant::F43, WinogradVariant::F43),
            (WinogradVariant::F32, WinogradVariant::F32),
            (WinogradVariant::F32, WinogradVariant::F31),
            (WinogradVariant::F31, WinogradVariant::F32),
            (WinogradVariant::F31, WinogradVariant::F31),
            (WinogradVariant::F22, WinogradVariant::F22),
            (WinogradVariant::F22, WinogradVariant::F21),
            (WinogradVariant::F21, WinogradVariant::F22),
            (WinogradVariant::F21, WinogradVariant::F21),
        ] {
            let (ny, nx, my, mx) = (y.points(), x.points(), y.outputs(), x.outputs());
            let (ky, kx) = (ny - my + 1, nx - mx + 1);
            let input: Vec<f32> = (0..ny * nx * LANES).map(|i| ((i * 37) % 19) as f32 / 9.0 - 1.0).collect();
            let weight = |i: usize, j: usize| ((i * 5 + j * 3) % 7) as f32 / 3.0 - 1.0;
            let mut points = vec![0.0; input.len()];
            let pixels: Vec<Option<usize>> = (0..ny * nx).map(|p| (p != 1).then_some(p * LANES)).collect();
            let gather = Gather { input: &input, pixels: &pixels, channels: LANES };
            let place = Points { stride: LANES, start: 0 };
            transform((y, x), &gather, &mut points, place);
            for (point, values) in points.chunks_exact_mut(LANES).enumerate() {
                let (gy, gx) = (y.weights()[y.weight_of(point / nx)], x.weights()[x.weight_of(point % nx)]);
                let factor: f32 = (0..ky).flat_map(|i| (0..kx).map(move |j| gy[i] * gx[j] * weight(i, j))).sum();
                values.iter_mut().for_each(|v| *v *= factor);
            }
            let mut out = vec![0.0; my * mx * LANES];
            let pixels: Vec<Option<usize>> = (0..my * mx).map(|p| Some(p * LANES)).collect();
            let scatter = Scatter { pixels: &pixels, pixel: LANES, channels: LANES, bias: &[0.5; LANES] };
            let map: Vec<f32> = (0..my * mx).map(|p| p as f32 / 8.0 - 1.0).collect();
            let plus: Vec<f32> = (0..out.len()).map(|i| (i % 5) as f32).collect();
            let epilogue =
                Epilogue { map: Some(&map), activation: Pointwise::ReLU, plus: Some(&plus), ..Epilogue::default() };
            inverse_transform((y, x), &points, place, &scatter, &mut out, epilogue);
            for i in 0..my {
                for j in 0..mx {
                    for lane in 0..LANES {
                        let read = |a: usize, b: usize| {
                            let p = (i + a) * nx + j + b;
                            if p == 1 { 0.0 } else { input[p * LANES + lane] }
                        };
                        let expected: f32 = (0..ky)
                            .flat_map(|a| (0..kx).map(move |b| (a, b)))
                            .map(|(a, b)| read(a, b) * weight(a, b))
                            .sum();
                        let at = (i * mx + j) * LANES + lane;
                        let expected = (expected + 0.5 + map[i * mx + j]).max(0.0) + plus[at];
                        let found = out[at];
                        assert!((found - expected).abs() < 1e-4, "{y:?} {x:?}: {found} for {expected}");
                    }
                }
            }
        }
    }
}

//! Depthwise convolution, a row of output pixels at a time: every channel is filtered by itself.
//!
//! Values are NHWC f32 of any range. Lanes are channels, in blocks of eight; where taps of neighbouring pixels read the
//! same input, it is loaded once for [`PIXELS`] of them. A last block of fewer than eight channels begins further in front
//! and computes some channels twice; pixels of fewer than eight channels are read beyond their end, into the next pixel,
//! where there is one.

use super::part::Lattice;
use super::simd::Simd;
use super::{Epilogue, LANES, Shared, dispatch};

/// Output pixels computed together, with two blocks of channels: their sums, the weights and an input fit the registers.
const PIXELS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 4 };

/// One row of outputs: for pixel `i` and channel `c`, the sum over all taps of
/// `input[rows[row tap] + columns[column tap] + i * step + c] * weights[row tap][column tap][c]`.
pub struct Depthwise<'a> {
    /// What is read, with a border as wide as the taps reach.
    pub input: &'a [f32],
    /// For each row tap, where the taps of the first output pixel start; none for outputs that are the bias alone.
    pub rows: &'a [usize],
    /// Distances of the column taps from there; at least one.
    pub columns: &'a [usize],
    /// Distance between the inputs of neighbouring output pixels.
    pub step: usize,
    /// Channels, of inputs and outputs alike.
    pub channels: usize,
    /// As [`pack`] lays them out.
    pub weights: &'a [f32],
    /// By channel, up to eight at least.
    pub bias: &'a [f32],
}

/// Packs `weight(tap, channel)` as `[block][tap][8]`: taps row by row, blocks as [`first`] says, zeros where a block has
/// fewer than eight channels.
pub fn pack(channels: usize, taps: usize, weight: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut packed = vec![0.0; channels.div_ceil(LANES) * taps * LANES];
    for (index, lanes) in packed.chunks_exact_mut(LANES).enumerate() {
        let (start, tap) = (first(channels, index / taps), index % taps);
        lanes.iter_mut().zip(start..channels).for_each(|(lane, channel)| *lane = weight(tap, channel));
    }
    packed
}

/// The first channel of a block: the last one ends with the last channel.
fn first(channels: usize, block: usize) -> usize {
    (block * LANES).min(channels.saturating_sub(LANES))
}

/// Writes the pixels of `lattice` in `line`, a row of whole output pixels; the epilogue's map and summand begin where the
/// row does.
///
/// Panics if a tap reads outside the input, or if weights, bias or epilogue have fewer values than the row asks for.
pub fn depthwise(d: &Depthwise<'_>, line: &mut [f32], lattice: Lattice, epilogue: Epilogue<'_>) {
    let taps = d.rows.len().checked_mul(d.columns.len()).expect("taps that can be counted");
    assert!(d.channels > 0 && lattice.every > 0 && line.len().is_multiple_of(d.channels));
    let blocks = d.channels.div_ceil(LANES);
    assert!(taps.checked_mul(blocks * LANES) == Some(d.weights.len()) && d.bias.len() >= d.channels.max(LANES));
    let count = lattice.count(line.len() / d.channels);
    if count == 0 {
        return;
    }
    let furthest = |places: &[usize]| places.iter().copied().max().unwrap_or(0);
    let end = (count - 1).checked_mul(d.step).and_then(|end| end.checked_add(furthest(d.rows)));
    let end = end.and_then(|end| end.checked_add(furthest(d.columns))?.checked_add(d.channels));
    assert!(taps == 0 || end.is_some_and(|end| end <= d.input.len()));
    epilogue.check(line.len(), d.channels);
    // SAFETY: all reads and writes lie inside, as just checked, and `line` is borrowed mutably.
    unsafe { widest(d, &Shared::new(line), lattice, count, epilogue) }
}

dispatch!(widest => run(d: &Depthwise<'_>, line: &Shared<'_>, lattice: Lattice, count: usize, epilogue: Epilogue<'_>));

/// Chooses the form: the column taps that occur, with their number and their distance between pixels known to the
/// compiler, or any taps.
///
/// # Safety
/// As [`depthwise`] checks, for `count` pixels.
#[inline(always)]
unsafe fn run<S: Simd>(d: &Depthwise<'_>, line: &Shared<'_>, lattice: Lattice, count: usize, epilogue: Epilogue<'_>) {
    let side_by_side = d.columns.iter().enumerate().all(|(i, &at)| at == i * d.channels);
    let step = if side_by_side && d.step.is_multiple_of(d.channels) { d.step / d.channels } else { 0 };
    let row = Row { d, line, lattice, epilogue };
    // SAFETY: the caller's contract; the taps are as the form says.
    unsafe {
        match (d.columns.len(), step) {
            _ if d.channels < LANES => row.narrow::<S>(count),
            (3, 1) => row.form::<S, 3, 1>(count),
            (2, 1) => row.form::<S, 2, 1>(count),
            (4, 2) => row.form::<S, 4, 2>(count),
            (3, 2) => row.form::<S, 3, 2>(count),
            (5, 1) => row.form::<S, 5, 1>(count),
            _ => row.form::<S, 0, 0>(count),
        }
    }
}

/// A row in progress.
struct Row<'a> {
    d: &'a Depthwise<'a>,
    line: &'a Shared<'a>,
    lattice: Lattice,
    epilogue: Epilogue<'a>,
}

impl Row<'_> {
    /// All pixels, where there are eight channels at least. `W` column taps side by side and `STEP` pixels from one output
    /// to the next; 0 stands for any.
    ///
    /// # Safety
    /// As [`depthwise`] checks, for `count` pixels; `W` and `STEP` are the row's own, or 0.
    #[inline(always)]
    unsafe fn form<S: Simd, const W: usize, const STEP: usize>(&self, count: usize) {
        let whole = count / PIXELS * PIXELS;
        for pixel in (0..whole).step_by(PIXELS) {
            // SAFETY: pixels below `count`.
            unsafe { self.pixels::<S, W, STEP, PIXELS>(pixel) };
        }
        for pixel in whole..count {
            // SAFETY: a pixel below `count`.
            unsafe { self.pixels::<S, W, STEP, 1>(pixel) };
        }
    }

    /// All channels of `P` pixels: two blocks at a time, which are what a cache line holds.
    ///
    /// # Safety
    /// As for [`Row::form`]; the pixels from `start` to `start + P` are among the row's.
    #[inline(always)]
    unsafe fn pixels<S: Simd, const W: usize, const STEP: usize, const P: usize>(&self, start: usize) {
        let blocks = self.d.channels.div_ceil(LANES);
        let pairs = self.d.channels / (2 * LANES) * 2;
        for block in (0..pairs).step_by(2) {
            // SAFETY: both blocks are whole; the rest is the caller's contract.
            unsafe { self.blocks::<S, W, STEP, P, 2>(start, block) };
        }
        for block in pairs..blocks {
            // SAFETY: a block of the row; the rest is the caller's contract.
            unsafe { self.blocks::<S, W, STEP, P, 1>(start, block) };
        }
    }

    /// `B` blocks of channels of `P` pixels.
    ///
    /// # Safety
    /// As for [`Row::pixels`]; the blocks from `block` to `block + B` are the row's, and whole if they are several.
    #[inline(always)]
    unsafe fn blocks<S: Simd, const W: usize, const STEP: usize, const P: usize, const B: usize>(
        &self,
        start: usize,
        block: usize,
    ) {
        let Self { d, lattice, .. } = self;
        let mut pixels = [lattice.first + start * lattice.every; P];
        for (p, pixel) in pixels.iter_mut().enumerate() {
            *pixel += p * lattice.every;
        }
        let mut values = [0.0; P];
        if let Some(map) = self.epilogue.map {
            values.iter_mut().zip(pixels).for_each(|(value, pixel)| *value = map[pixel]);
        }
        let map = if self.epilogue.map.is_some() { &values[..] } else { &[] };
        let channel = first(d.channels, block);
        // SAFETY: the caller's contract; eight channels of each block are there.
        unsafe {
            let sums = match W {
                0 => self.any::<S, P, B>(start, block, channel),
                _ => self.shared::<S, W, STEP, P, B>(start, block, channel),
            };
            for (b, sums) in sums.into_iter().enumerate() {
                let mut places = pixels;
                for place in &mut places {
                    *place = *place * d.channels + channel + b * LANES;
                }
                self.epilogue.store(sums, map, places, self.line, LANES);
            }
        }
    }

    /// Sums of `P` pixels for `B` blocks, each input loaded once for all taps of a row that read it.
    ///
    /// # Safety
    /// As for [`Row::blocks`]; `channel` is the first block's first.
    #[inline(always)]
    unsafe fn shared<S: Simd, const W: usize, const STEP: usize, const P: usize, const B: usize>(
        &self,
        start: usize,
        block: usize,
        channel: usize,
    ) -> [[S; P]; B] {
        let d = self.d;
        let per_block = d.rows.len() * W * LANES;
        let mut sums = [[S::splat(0.0); P]; B];
        // SAFETY: the caller's contract; the pixels' taps lie inside the input, and each block has a weight per tap.
        unsafe {
            for (b, sums) in sums.iter_mut().enumerate() {
                *sums = [S::load(d.bias.as_ptr().add(channel + b * LANES)); P];
            }
            for (r, &row) in d.rows.iter().enumerate() {
                for (b, sums) in sums.iter_mut().enumerate() {
                    let from = d.input.as_ptr().add(row + start * d.step + channel + b * LANES);
                    let w = d.weights.as_ptr().add((block + b) * per_block + r * W * LANES);
                    let mut weights = [S::splat(0.0); W];
                    for (t, weight) in weights.iter_mut().enumerate() {
                        *weight = S::load(w.add(t * LANES));
                    }
                    for column in 0..(P - 1) * STEP + W {
                        let value = S::load(from.add(column * d.channels));
                        for (p, sum) in sums.iter_mut().enumerate() {
                            if column >= p * STEP && column - p * STEP < W {
                                *sum = sum.madd(value, weights[column - p * STEP]);
                            }
                        }
                    }
                }
            }
        }
        sums
    }

    /// Sums of `P` pixels for `B` blocks, whatever the column taps.
    ///
    /// # Safety
    /// As for [`Row::blocks`]; `channel` is the first block's first.
    #[inline(always)]
    unsafe fn any<S: Simd, const P: usize, const B: usize>(
        &self,
        start: usize,
        block: usize,
        channel: usize,
    ) -> [[S; P]; B] {
        let d = self.d;
        let taps = d.rows.len() * d.columns.len();
        let mut sums = [[S::splat(0.0); P]; B];
        // SAFETY: the caller's contract; the pixels' taps lie inside the input, and each block has a weight per tap.
        unsafe {
            for (b, sums) in sums.iter_mut().enumerate() {
                *sums = [S::load(d.bias.as_ptr().add(channel + b * LANES)); P];
                let mut w = d.weights.as_ptr().add((block + b) * taps * LANES);
                for row in d.rows {
                    for column in d.columns {
                        let from = d.input.as_ptr().add(row + column + start * d.step + channel + b * LANES);
                        let weight = S::load(w);
                        w = w.add(LANES);
                        for (p, sum) in sums.iter_mut().enumerate() {
                            *sum = sum.madd(S::load(from.add(p * d.step)), weight);
                        }
                    }
                }
            }
        }
        sums
    }

    /// All pixels, where there are fewer than eight channels.
    ///
    /// # Safety
    /// As [`depthwise`] checks, for `count` pixels.
    #[inline(always)]
    unsafe fn narrow<S: Simd>(&self, count: usize) {
        let Self { d, lattice, .. } = self;
        for index in 0..count {
            let pixel = lattice.first + index * lattice.every;
            let map = self.epilogue.map.map(|map| map[pixel]);
            // SAFETY: the caller's contract; weights and bias are padded to eight.
            unsafe {
                let mut sum = S::load(d.bias.as_ptr());
                let mut w = d.weights.as_ptr();
                for row in d.rows {
                    for column in d.columns {
                        let value = self.some::<S>(row + column + index * d.step);
                        sum = sum.madd(value, S::load(w));
                        w = w.add(LANES);
                    }
                }
                let place = [pixel * d.channels];
                self.epilogue.store([sum], map.as_slice(), place, self.line, d.channels);
            }
        }
    }

    /// The channels of an input pixel and, in the lanes beyond them, finite or not, whatever follows it or zeros.
    ///
    /// # Safety
    /// A pixel lies at `at`.
    #[inline(always)]
    unsafe fn some<S: Simd>(&self, at: usize) -> S {
        let d = self.d;
        if at + LANES <= d.input.len() {
            // SAFETY: eight values are there.
            return unsafe { S::load(d.input.as_ptr().add(at)) };
        }
        let mut values = [0.0; LANES];
        values[..d.channels].copy_from_slice(&d.input[at..][..d.channels]);
        // SAFETY: `values` holds eight.
        unsafe { S::load(values.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lower::Pointwise;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn numbers(seed: usize, count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 31 + seed * 17) % 23) as f32 / 11.0 - 1.0).collect()
    }

    /// A row of `count` pixels whose input ends with the last tap's last channel, against plain sums.
    fn hold(channels: usize, count: usize, taps: (&[usize], &[usize]), step: usize, lattice: Lattice) {
        let (rows, columns) = taps;
        let starts: Vec<usize> = rows.iter().map(|row| row * 40 * channels + 3).collect();
        let distances: Vec<usize> = columns.iter().map(|column| column * channels).collect();
        let furthest = starts.iter().max().unwrap_or(&0) + distances.iter().max().unwrap();
        let input = numbers(1, furthest + (count - 1) * step * channels + channels);
        let weight = |tap: usize, channel: usize| ((tap * 13 + channel * 7) % 19) as f32 / 9.0 - 1.0;
        let weights = pack(channels, rows.len() * columns.len(), weight);
        let bias = numbers(40, channels.max(LANES));
        let pixels = lattice.first + (count - 1) * lattice.every + 1;
        let mut line = vec![7.0; pixels * channels];
        let (map, plus) = (numbers(41, pixels), numbers(42, line.len()));
        let d = Depthwise {
            input: &input,
            rows: &starts,
            columns: &distances,
            step: step * channels,
            channels,
            weights: &weights,
            bias: &bias,
        };
        let activation = Pointwise::Piecewise { positive: 1.5, negative: 0.25, low: -0.5, high: 2.0 };
        depthwise(
            &d,
            &mut line,
            lattice,
            Epilogue { map: Some(&map), activation, plus: Some(&plus), ..Epilogue::default() },
        );
        for (place, &found) in line.iter().enumerate() {
            let (pixel, channel) = (place / channels, place % channels);
            let Some(index) = pixel.checked_sub(lattice.first).filter(|at| at.is_multiple_of(lattice.every)) else {
                assert_eq!(found, 7.0, "{channels} channels: pixel {pixel} is not among the row's");
                continue;
            };
            let mut sum = bias[channel] + map[pixel];
            for (tap, (start, distance)) in
                starts.iter().flat_map(|s| distances.iter().map(move |d| (s, d))).enumerate()
            {
                let at = start + distance + index / lattice.every * step * channels + channel;
                sum += input[at] * weight(tap, channel);
            }
            let mut expected = [sum];
            activation.apply(&mut expected);
            let expected = expected[0] + plus[place];
            assert!((found - expected).abs() < 1e-4, "{channels} channels, {taps:?}, {step}: {found} for {expected}");
        }
    }

    #[test]
    fn rows_agree_with_plain_sums() {
        let (one, second) = (Lattice { first: 0, every: 1 }, Lattice { first: 1, every: 2 });
        for channels in [1, 3, 7, 8, 9, 16, 21, 37, 48] {
            for count in [1, 3, 4, 5, 9] {
                hold(channels, count, (&[0, 1, 2], &[0, 1, 2]), 1, one);
                hold(channels, count, (&[0, 1, 2, 3], &[0, 1, 2, 3]), 2, one);
                hold(channels, count, (&[0, 1], &[0, 1]), 1, second);
                hold(channels, count, (&[0, 1, 2], &[0, 1, 2]), 2, one);
                hold(channels, count, (&[0], &[0, 1, 2, 3, 4]), 1, one);
                hold(channels, count, (&[0, 2], &[0, 3]), 1, one);
                hold(channels, count, (&[1], &[0]), 3, second);
                hold(channels, count, (&[], &[0]), 1, one);
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    #[should_panic]
    fn an_input_that_is_too_short_is_refused() {
        let d = Depthwise {
            input: &[0.0; 8 * 5 - 1],
            rows: &[0],
            columns: &[0, 8, 16],
            step: 8,
            channels: 8,
            weights: &[0.0; 24],
            bias: &[0.0; 8],
        };
        depthwise(&d, &mut [0.0; 24], Lattice { first: 0, every: 1 }, Epilogue::default());
    }
}

//! Implicit GEMM: rows gathered in place from the input, times weights packed eight output channels wide.

use std::ops::Range;

use super::simd::Simd;
use super::{Epilogue, LANES, ROWS, Shared, dispatch};

/// One product: every row of the input with every block of eight output channels.
pub struct Product<'a> {
    /// What the rows are read from.
    pub input: &'a [f32],
    /// Where each row starts in `input`.
    pub rows: &'a [usize],
    /// A row is these stretches of `length` values, at these distances from its start.
    pub segments: &'a [usize],
    /// Values of a stretch.
    pub length: usize,
    /// `[block][segments * length][8]`.
    pub weights: &'a [f32],
    /// Output channels, eight for each block; the last block may have fewer.
    pub channels: Range<usize>,
    /// By output channel from channel 0 on, up to the end of the last block; or empty for zeros.
    pub bias: &'a [f32],
}

/// The output pixels of a product.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    /// Where each row's output pixel starts.
    pub starts: &'a [usize],
    /// Values of an output pixel.
    pub pixel: usize,
}

/// All rows with all blocks, into the targets' pixels.
///
/// Panics if a row or a target lies outside its slice, if a pixel has not the channels, or if the weights are not one
/// block for each eight of them.
pub fn product(p: &Product<'_>, targets: Targets<'_>, out: &mut [f32], epilogue: Epilogue<'_>) {
    // SAFETY: all of `out` is borrowed mutably.
    unsafe { product_at(p, targets, &Shared::new(out), epilogue) }
}

/// [`product`] into an output that others write too. Panics as it does.
///
/// # Safety
/// Nobody else reads or writes these channels of the targets' pixels meanwhile.
pub(super) unsafe fn product_at(p: &Product<'_>, targets: Targets<'_>, out: &Shared<'_>, epilogue: Epilogue<'_>) {
    let end = |places: &[usize], more: usize| places.iter().copied().max().unwrap_or(0).checked_add(more);
    let inside = |end: Option<usize>, length: usize| end.is_some_and(|end| end <= length);
    assert!(p.rows.len() == targets.starts.len());
    let row_end = end(p.segments, p.length).and_then(|length| end(p.rows, length));
    assert!(inside(row_end, p.input.len()));
    assert!(p.channels.start < p.channels.end && p.channels.end <= targets.pixel);
    let target_end = end(targets.starts, targets.pixel);
    let target_end = target_end.filter(|&end| end <= out.length).expect("targets inside the output");
    epilogue.check(target_end, targets.pixel);
    let map = epilogue.mapped(targets.starts, targets.pixel);
    let per_block = p.segments.len().checked_mul(p.length).and_then(|values| values.checked_mul(LANES));
    let per_block = per_block.filter(|&values| values > 0).expect("a product of something");
    let blocks = p.channels.len().div_ceil(LANES);
    assert!(per_block.checked_mul(blocks) == Some(p.weights.len()));
    assert!(p.bias.is_empty() || p.channels.start + blocks * LANES <= p.bias.len());
    // SAFETY: all reads and writes lie inside, as just checked; the targets are the caller's.
    unsafe { widest(p, targets.starts, out, epilogue, &map) }
}

dispatch!(widest => run(p: &Product<'_>, targets: &[usize], out: &Shared<'_>, epilogue: Epilogue<'_>, map: &[f32]));

/// # Safety
/// As [`product_at`] checks and asks for; `map` is empty or has a value for each row.
#[inline(always)]
unsafe fn run<S: Simd>(p: &Product<'_>, targets: &[usize], out: &Shared<'_>, epilogue: Epilogue<'_>, map: &[f32]) {
    let per_block = p.segments.len() * p.length * LANES;
    for (index, weights) in p.weights.chunks_exact(per_block).enumerate() {
        let channel = p.channels.start + index * LANES;
        let lanes = LANES.min(p.channels.end - channel);
        let bias = match p.bias {
            [] => S::splat(0.0),
            // SAFETY: the slice holds eight values.
            bias => unsafe { S::load(bias[channel..][..LANES].as_ptr()) },
        };
        let mut done = 0;
        macro_rules! tiles {
            ($($rows:literal)*) => {
                match p.rows.len() - done {
                    0 => break,
                    $(left if left == $rows || ($rows == ROWS && left > ROWS) => {
                        // SAFETY: `done + $rows` rows and targets are there; the rest is the caller's contract.
                        unsafe {
                            let sums = tile::<S, $rows>(p, done, weights, bias);
                            // Only now, so that no register holds it during the loop.
                            let map = map.get(done..done + $rows).unwrap_or_default();
                            let mut places = [channel; $rows];
                            for (place, target) in places.iter_mut().zip(&targets[done..done + $rows]) {
                                *place += target;
                            }
                            epilogue.store(sums, map, places, out, lanes);
                        }
                        done += $rows;
                    })*
                    _ => unreachable!("every count up to ROWS has an arm"),
                }
            };
        }
        loop {
            #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
            tiles!(5 4 3 2 1);
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            tiles!(6 5 4 3 2 1);
            #[cfg(not(target_arch = "wasm32"))]
            tiles!(12 11 10 9 8 7 6 5 4 3 2 1);
        }
    }
}

/// The sums of `R` rows, from row `first` on, for eight output channels.
///
/// # Safety
/// `first + R <= p.rows.len()`, every stretch of these rows lies inside the input, and the weights are one block.
#[inline(always)]
unsafe fn tile<S: Simd, const R: usize>(p: &Product<'_>, first: usize, weights: &[f32], bias: S) -> [S; R] {
    let mut sums = [bias; R];
    let mut w = weights.as_ptr();
    // SAFETY: the caller's contract; a block of weights is `segments * length * 8` values.
    unsafe {
        let starts: [*const f32; R] = std::array::from_fn(|i| p.input.as_ptr().add(*p.rows.get_unchecked(first + i)));
        for &segment in p.segments {
            let rows = starts.map(|row| row.add(segment));
            for k in 0..p.length {
                let values = S::load(w);
                w = w.add(LANES);
                for i in 0..R {
                    sums[i] = sums[i].madd(S::splat_from(rows[i].add(k)), values);
                }
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::lower::Pointwise;
    use crate::network::Activation;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn numbers(seed: usize, count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 31 + seed * 17) % 23) as f32 / 11.0 - 1.0).collect()
    }

    #[test]
    fn products_agree_with_plain_sums() {
        for rows in 1..=2 * ROWS + 1 {
            for (length, segments) in [(1, vec![0]), (3, vec![0, 5]), (8, vec![0, 9, 40]), (65, vec![3])] {
                for (channels, activation) in [
                    (0..8, Pointwise::Identity),
                    (0..3, Activation::LeakyReLU { slope: 0.2 }.into()),
                    (5..26, Pointwise::ReLU),
                    (8..24, Activation::Tanh.into()),
                ] {
                    hold(rows, length, &segments, channels, activation);
                }
            }
        }
    }

    /// One product into pixels of more channels than it has, with a map and a summand.
    fn hold(rows: usize, length: usize, segments: &[usize], channels: Range<usize>, activation: Pointwise) {
        let pixel = channels.end + 1;
        let input = numbers(1, 40 + 65 + rows * 7);
        let starts: Vec<usize> = (0..rows).map(|i| i * 7).collect();
        let targets: Vec<usize> = (0..rows).rev().map(|i| i * pixel).collect();
        let taps = length * segments.len();
        let weights = numbers(2, channels.len().div_ceil(LANES) * taps * LANES);
        let bias = numbers(3, pixel + LANES);
        let mut out = vec![7.0; rows * pixel];
        let (plus, map) = (numbers(4, out.len()), numbers(5, rows));
        let p = Product {
            input: &input,
            rows: &starts,
            segments,
            length,
            weights: &weights,
            channels: channels.clone(),
            bias: &bias,
        };
        let epilogue = Epilogue { map: Some(&map), activation, plus: Some(&plus), ..Epilogue::default() };
        product(&p, Targets { starts: &targets, pixel }, &mut out, epilogue);
        for (row, &target) in targets.iter().enumerate() {
            for c in channels.clone() {
                let block = c - channels.start;
                let mut sum = bias[c] + map[target / pixel];
                for (s, segment) in segments.iter().enumerate() {
                    for k in 0..length {
                        let w = weights[((block / LANES) * taps + s * length + k) * LANES + block % LANES];
                        sum += input[starts[row] + segment + k] * w;
                    }
                }
                let mut expected = [sum];
                activation.apply(&mut expected);
                let (expected, found) = (expected[0] + plus[target + c], out[target + c]);
                assert!((expected - found).abs() < 1e-4, "{rows} rows, {channels:?}: {found} for {expected}");
            }
            let mut others = (0..channels.start).chain(channels.end..pixel);
            assert!(others.all(|c| out[target + c] == 7.0), "written beyond {channels:?}");
        }
    }
}

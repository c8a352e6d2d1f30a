//! Implicit GEMM: rows gathered in place from the input, times weights packed eight output channels wide.

use std::ops::Range;

use super::simd::Simd;
use super::{Epilogue, LANES, ROWS, Shared, activate, dispatch};

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
    assert!(inside(target_end, out.length));
    assert!(epilogue.plus.is_none_or(|plus| inside(target_end, plus.len())));
    let per_block = p.segments.len().checked_mul(p.length).and_then(|values| values.checked_mul(LANES));
    let per_block = per_block.filter(|&values| values > 0).expect("a product of something");
    let blocks = p.channels.len().div_ceil(LANES);
    assert!(per_block.checked_mul(blocks) == Some(p.weights.len()));
    assert!(p.bias.is_empty() || p.channels.start + blocks * LANES <= p.bias.len());
    // SAFETY: all reads and writes lie inside, as just checked; the targets are the caller's.
    unsafe { widest(p, targets.starts, out, epilogue) }
}

dispatch!(widest => run(p: &Product<'_>, targets: &[usize], out: &Shared<'_>, epilogue: Epilogue<'_>));

/// # Safety
/// As [`product_at`] checks and asks for.
#[inline(always)]
unsafe fn run<S: Simd>(p: &Product<'_>, targets: &[usize], out: &Shared<'_>, epilogue: Epilogue<'_>) {
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
                            store(&targets[done..done + $rows], out, epilogue, channel, lanes, sums);
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

/// Stores the sums of `R` rows in their pixels.
///
/// # Safety
/// There are `R` targets; `lanes` channels from `channel` on are the caller's to write there, and inside `plus`.
#[inline(always)]
unsafe fn store<S: Simd, const R: usize>(
    targets: &[usize],
    out: &Shared<'_>,
    epilogue: Epilogue<'_>,
    channel: usize,
    lanes: usize,
    sums: [S; R],
) {
    for (target, sum) in targets.iter().zip(sums) {
        let at = target + channel;
        let value = activate(epilogue.activation, sum);
        // SAFETY: the caller's contract; `plus` is laid out as the output is.
        unsafe {
            if lanes == LANES {
                let value = match epilogue.plus {
                    Some(plus) => value.plus(S::load(plus[at..][..LANES].as_ptr())),
                    None => value,
                };
                value.store(out.place(at, LANES));
            } else {
                let mut values = [0.0; LANES];
                value.store(values.as_mut_ptr());
                for (lane, value) in values.into_iter().enumerate().take(lanes) {
                    *out.place(at + lane, 1) = value + epilogue.plus.map_or(0.0, |plus| plus[at + lane]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn numbers(seed: usize, count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 31 + seed * 17) % 23) as f32 / 11.0 - 1.0).collect()
    }

    #[test]
    fn products_agree_with_plain_sums() {
        let leaky = Some(Activation::LeakyReLU { slope: 0.2 });
        for rows in 1..=2 * ROWS + 1 {
            for (length, segments) in [(1, vec![0]), (3, vec![0, 5]), (8, vec![0, 9, 40]), (65, vec![3])] {
                for (channels, activation) in
                    [(8, None), (3, leaky), (21, Some(Activation::ReLU)), (16, Some(Activation::Tanh))]
                {
                    let input = numbers(1, 40 + 65 + rows * 7);
                    let starts: Vec<usize> = (0..rows).map(|i| i * 7).collect();
                    let targets: Vec<usize> = (0..rows).rev().map(|i| i * (channels + 1)).collect();
                    let taps = length * segments.len();
                    let weights = numbers(2, channels.div_ceil(LANES) * taps * LANES);
                    let bias = numbers(3, channels.next_multiple_of(LANES));
                    let mut out = vec![7.0; rows * (channels + 1)];
                    let plus = numbers(4, out.len());
                    let p = Product {
                        input: &input,
                        rows: &starts,
                        segments: &segments,
                        length,
                        weights: &weights,
                        channels: 0..channels,
                        bias: &bias,
                    };
                    let places = Targets { starts: &targets, pixel: channels };
                    product(&p, places, &mut out, Epilogue { activation, plus: Some(&plus) });
                    for (row, &target) in targets.iter().enumerate() {
                        for c in 0..channels {
                            let mut sum = bias[c];
                            for (s, segment) in segments.iter().enumerate() {
                                for k in 0..length {
                                    let w = weights[((c / LANES) * taps + s * length + k) * LANES + c % LANES];
                                    sum += input[starts[row] + segment + k] * w;
                                }
                            }
                            let sum = activation.map_or(sum, |a| super::super::pass::activation(a, sum));
                            let expected = sum + plus[target + c];
                            let found = out[target + c];
                            assert!(
                                (expected - found).abs() < 1e-4,
                                "{rows} rows, {channels} channels: {found} for {expected}"
                            );
                        }
                        assert_eq!(out[target + channels], 7.0, "written beyond the pixel");
                    }
                }
            }
        }
    }
}

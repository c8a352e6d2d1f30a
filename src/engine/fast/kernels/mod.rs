//! The microkernel, the only home of `unsafe`: five output pixels by eight output channels.
//!
//! Contract: `sums[i][lane] += sum over k of inputs[i][k] * weights[k * 8 + lane]`; all inputs have the same length `n`
//! and `weights` has `8 * n` values. Both forms are held against each other by the test below.

#[cfg(target_arch = "wasm32")]
mod simd128;

/// Output pixels of a tile: 5 x 8 is what plain simd128 keeps in registers.
pub const ROWS: usize = 5;
/// Output channels of a tile: two 128-bit registers.
pub const LANES: usize = 8;

/// One tap of one tile.
#[inline(always)]
pub fn multiply(sums: &mut [[f32; LANES]; ROWS], inputs: [&[f32]; ROWS], weights: &[f32]) {
    #[cfg(target_arch = "wasm32")]
    simd128::multiply(sums, inputs, weights);
    #[cfg(not(target_arch = "wasm32"))]
    scalar(sums, inputs, weights);
}

/// The plain form; the compiler makes what SIMD it can of it.
#[cfg(any(test, not(target_arch = "wasm32")))]
#[inline(always)]
fn scalar(sums: &mut [[f32; LANES]; ROWS], [a, b, c, d, e]: [&[f32]; ROWS], weights: &[f32]) {
    let [mut s0, mut s1, mut s2, mut s3, mut s4] = *sums;
    let (lines, _) = weights.as_chunks::<LANES>();
    for (((((w, a), b), c), d), e) in lines.iter().zip(a).zip(b).zip(c).zip(d).zip(e) {
        for lane in 0..LANES {
            s0[lane] += a * w[lane];
            s1[lane] += b * w[lane];
            s2[lane] += c * w[lane];
            s3[lane] += d * w[lane];
            s4[lane] += e * w[lane];
        }
    }
    *sums = [s0, s1, s2, s3, s4];
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn both_forms_agree_on_every_length() {
        for n in [0, 1, 2, 3, 4, 5, 7, 8, 31, 64, 100] {
            let numbers = |seed: usize, count: usize| -> Vec<f32> {
                (0..count).map(|i| ((i * 31 + seed * 17) % 23) as f32 / 11.0 - 1.0).collect()
            };
            let inputs: Vec<Vec<f32>> = (0..ROWS).map(|i| numbers(i, n)).collect();
            let inputs: [&[f32]; ROWS] = std::array::from_fn(|i| inputs[i].as_slice());
            let weights = numbers(9, n * LANES);
            let mut sums = [[0.25; LANES]; ROWS];
            let mut expected = sums;
            multiply(&mut sums, inputs, &weights);
            scalar(&mut expected, inputs, &weights);
            for (a, b) in sums.as_flattened().iter().zip(expected.as_flattened()) {
                assert!((a - b).abs() <= 1e-4, "n = {n}: {a} and {b}");
            }
        }
    }
}

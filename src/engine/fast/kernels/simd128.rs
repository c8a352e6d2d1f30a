//! Plain simd128: ten accumulators, two weight registers, one splat.

use std::arch::wasm32::{f32x4_add, f32x4_mul, v128, v128_load, v128_load32_splat, v128_store};

use super::{LANES, ROWS};

/// See the contract of the module above; lengths that do not fit end at the shortest.
#[inline(always)]
pub fn multiply(sums: &mut [[f32; LANES]; ROWS], inputs: [&[f32]; ROWS], weights: &[f32]) {
    let count = inputs.iter().map(|input| input.len()).fold(weights.len() / LANES, usize::min);
    let [a, b, c, d, e] = inputs.map(<[f32]>::as_ptr);
    let mut w = weights.as_ptr();
    let sum = sums.as_mut_ptr().cast::<v128>();
    // SAFETY: `sums` is ROWS * 2 vectors; every input has at least `count` values and `weights` at least `count * LANES`.
    unsafe {
        let mut s: [v128; 2 * ROWS] = std::array::from_fn(|i| v128_load(sum.add(i)));
        for k in 0..count {
            let (low, high) = (v128_load(w.cast()), v128_load(w.add(4).cast()));
            w = w.add(LANES);
            macro_rules! row {
                ($row:literal, $input:expr) => {
                    let x = v128_load32_splat($input.add(k).cast());
                    s[2 * $row] = f32x4_add(s[2 * $row], f32x4_mul(x, low));
                    s[2 * $row + 1] = f32x4_add(s[2 * $row + 1], f32x4_mul(x, high));
                };
            }
            row!(0, a);
            row!(1, b);
            row!(2, c);
            row!(3, d);
            row!(4, e);
        }
        for (i, value) in s.into_iter().enumerate() {
            v128_store(sum.add(i), value);
        }
    }
}

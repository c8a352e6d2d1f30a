//! How unlike two rows of a patch are: the innermost loop of the whole synthesis.

use super::level::PATCH;

/// Bytes of one row: RGB and detail.
const BYTES: usize = 4 * PATCH;

/// Sum of squared differences of two rows.
#[inline(always)]
pub fn difference(a: &[[u8; 4]], b: &[[u8; 4]]) -> u32 {
    sum(a, b, None)
}

/// As [`difference`], over known pixels of the target only (255 in `known`).
#[inline(always)]
pub fn masked(a: &[[u8; 4]], b: &[[u8; 4]], known: &[[u8; 4]]) -> u32 {
    sum(a, b, Some(known))
}

/// Compilers find the 16-bit dot product on other machines by themselves, but not for WebAssembly.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn sum(a: &[[u8; 4]], b: &[[u8; 4]], known: Option<&[[u8; 4]]>) -> u32 {
    use std::arch::wasm32::*;

    let half = |pixels: &[[u8; 4]], at: usize| {
        let word = |i: usize| {
            let [a, b] = [pixels[i], pixels[i + 1]];
            i64::from_le_bytes([a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]])
        };
        i64x2(word(at), word(at + 2))
    };
    // One check of the bounds for all that follows.
    let (a, b) = (&a[..PATCH], &b[..PATCH]);
    let mut total = i32x4_splat(0);
    for at in (0..PATCH).step_by(BYTES / 8) {
        let (mut a, mut b) = (half(a, at), half(b, at));
        if let Some(known) = known {
            let known = half(&known[..PATCH], at);
            (a, b) = (v128_and(a, known), v128_and(b, known));
        }
        let low = i16x8_sub(u16x8_extend_low_u8x16(a), u16x8_extend_low_u8x16(b));
        let high = i16x8_sub(u16x8_extend_high_u8x16(a), u16x8_extend_high_u8x16(b));
        total = i32x4_add(total, i32x4_add(i32x4_dot_i16x8(low, low), i32x4_dot_i16x8(high, high)));
    }
    let lanes = [
        i32x4_extract_lane::<0>(total),
        i32x4_extract_lane::<1>(total),
        i32x4_extract_lane::<2>(total),
        i32x4_extract_lane::<3>(total),
    ];
    lanes.iter().sum::<i32>() as u32
}

/// Written so that it becomes SIMD.
#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
fn sum(a: &[[u8; 4]], b: &[[u8; 4]], known: Option<&[[u8; 4]]>) -> u32 {
    let (a, b) = (a.as_flattened(), b.as_flattened());
    let mut sum = 0i32;
    match known {
        None => {
            for (&a, &b) in a[..BYTES].iter().zip(&b[..BYTES]) {
                let d = i16::from(a) - i16::from(b);
                sum += i32::from(d) * i32::from(d);
            }
        }
        Some(known) => {
            for ((&a, &b), &k) in a[..BYTES].iter().zip(&b[..BYTES]).zip(&known.as_flattened()[..BYTES]) {
                let d = i16::from(a & k) - i16::from(b & k);
                sum += i32::from(d) * i32::from(d);
            }
        }
    }
    sum as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn both_forms_are_plain_sums_of_squares() {
        let byte = |i: usize, factor: usize| (i * factor % 256) as u8;
        let row = |factor: usize| -> Vec<[u8; 4]> {
            (0..PATCH).map(|x| std::array::from_fn(|c| byte(4 * x + c + 1, factor))).collect()
        };
        let (mut a, b) = (row(97), row(151));
        a[0] = [255; 4];
        let known: Vec<[u8; 4]> = (0..PATCH).map(|x| if x % 3 == 0 { [255, 255, 255, 0] } else { [0; 4] }).collect();
        let plain = |counts: &dyn Fn(usize, usize) -> bool| -> u32 {
            let square = |x: usize, c: usize| u32::from(a[x][c].abs_diff(b[x][c])).pow(2);
            (0..PATCH)
                .flat_map(|x| (0..4).map(move |c| (x, c)))
                .filter(|&(x, c)| counts(x, c))
                .map(|(x, c)| square(x, c))
                .sum()
        };
        assert_eq!(difference(&a, &b), plain(&|_, _| true));
        assert_eq!(masked(&a, &b, &known), plain(&|x, c| x % 3 == 0 && c < 3));
    }
}

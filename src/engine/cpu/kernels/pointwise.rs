//! Functions of single values, and what else happens to an output value before it is stored.

use super::simd::Simd;
use super::{LANES, Shared, elementwise};
use crate::engine::lower::Pointwise;
use crate::network::Activation;

/// What happens to an output value before it is stored: `activation(sum + map) + plus`.
#[derive(Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Whether the sum includes what the output holds already; products and minimal filtering only.
    pub accumulate: bool,
    /// One value for each stored pixel of the output, border included, row by row: added to all channels of the pixel.
    pub map: Option<&'a [f32]>,
    /// Applied to the sum.
    pub activation: Pointwise,
    /// Values to be added afterwards, laid out as the output is, border included.
    pub plus: Option<&'a [f32]>,
}

impl<'a> Epilogue<'a> {
    /// The same for an output that is `pixels` pixels of `channels` values from value `start` on, the start of a pixel.
    ///
    /// Panics if the map or what is to be added does not reach so far.
    pub fn of(self, start: usize, pixels: usize, channels: usize) -> Self {
        let map = self.map.map(|map| &map[start / channels..][..pixels]);
        Self { map, plus: self.plus.map(|plus| &plus[start..][..pixels * channels]), ..self }
    }

    /// Panics unless the map and what is to be added reach as far as an output of `end` values, `pixel` to a pixel.
    pub(super) fn check(&self, end: usize, pixel: usize) {
        assert!(self.plus.is_none_or(|plus| end <= plus.len()));
        assert!(self.map.is_none_or(|map| end.div_ceil(pixel) <= map.len()));
    }

    /// The map's value at each of these pixels, or nothing without a map. Panics if there is none.
    pub(super) fn mapped(&self, starts: &[usize], pixel: usize) -> Vec<f32> {
        self.map.map_or(Vec::new(), |map| starts.iter().map(|start| map[start / pixel]).collect())
    }

    /// Applies it to sums of eight channels each, and stores `lanes` of these. `places` are where the channels lie in the
    /// output, `map` is the values of [`Epilogue::mapped`] for these pixels.
    ///
    /// # Safety
    /// `lanes` values at each place lie inside `out` and inside `plus`, and are the caller's to write; `map` is empty or
    /// holds `R` values.
    #[inline(always)]
    pub(super) unsafe fn store<S: Simd, const R: usize>(
        &self,
        mut sums: [S; R],
        map: &[f32],
        places: [usize; R],
        out: &Shared<'_>,
        lanes: usize,
    ) {
        if self.accumulate {
            for (sum, at) in sums.iter_mut().zip(places) {
                // SAFETY: the caller's contract.
                *sum = sum.plus(unsafe { held(out, at, lanes) });
            }
        }
        if !map.is_empty() {
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the caller's contract.
                *sum = sum.plus(unsafe { S::splat_from(map.as_ptr().add(i)) });
            }
        }
        sums = self.activation.lanes(sums);
        if lanes < LANES {
            for (at, sum) in places.into_iter().zip(sums) {
                // SAFETY: the caller's contract.
                unsafe { self.store_some(sum, at, out, lanes) };
            }
            return;
        }
        if let Some(plus) = self.plus {
            for (at, sum) in places.into_iter().zip(&mut sums) {
                // SAFETY: the caller's contract.
                *sum = sum.plus(unsafe { S::load(plus.as_ptr().add(at)) });
            }
        }
        for (at, sum) in places.into_iter().zip(sums) {
            // SAFETY: the caller's contract.
            unsafe { sum.store(out.place(at, LANES)) };
        }
    }

    /// Stores the first `lanes` of eight values after adding `plus`.
    ///
    /// # Safety
    /// `lanes`, fewer than eight, values at `at` lie inside `out` and `plus`, and are the caller's to write.
    #[inline(always)]
    unsafe fn store_some<S: Simd>(&self, sum: S, at: usize, out: &Shared<'_>, lanes: usize) {
        let mut values = [0.0; LANES];
        // SAFETY: `values` holds eight; the rest is the caller's contract.
        unsafe {
            sum.store(values.as_mut_ptr());
            for (lane, value) in values.into_iter().enumerate().take(lanes) {
                *out.place(at + lane, 1) = value + self.plus.map_or(0.0, |plus| *plus.get_unchecked(at + lane));
            }
        }
    }
}

/// The first `lanes` values of the output at a place, then zeros.
///
/// # Safety
/// `lanes` values at `at` lie inside `out` and are the caller's to write.
#[inline(always)]
unsafe fn held<S: Simd>(out: &Shared<'_>, at: usize, lanes: usize) -> S {
    if lanes == LANES {
        // SAFETY: the caller's contract.
        return unsafe { S::load(out.place(at, LANES)) };
    }
    let mut values = [0.0; LANES];
    for (lane, value) in values.iter_mut().enumerate().take(lanes) {
        // SAFETY: the caller's contract.
        *value = unsafe { *out.place(at + lane, 1) };
    }
    // SAFETY: eight values.
    unsafe { S::load(values.as_ptr()) }
}

impl Pointwise {
    /// The function over some values.
    pub fn apply(self, values: &mut [f32]) {
        // One loop per function, so that the choice stays outside.
        match self {
            Self::Identity => {}
            Self::ReLU => values.iter_mut().for_each(|v| *v = v.max(0.0)),
            Self::Piecewise { positive, negative, low, high } => {
                let side = |part: f32, slope: f32| if slope == 0.0 { 0.0 } else { part * slope };
                let value = |v: f32| side(v.max(0.0), positive) + side(v.min(0.0), negative);
                values.iter_mut().for_each(|v| *v = value(*v).max(low).min(high));
            }
            Self::Curve(Activation::Tanh) => values.iter_mut().for_each(|v| *v = elementwise::tanh(*v)),
            Self::Curve(Activation::Sigmoid) => values.iter_mut().for_each(|v| *v = elementwise::sigmoid(*v)),
            // What is left of the approximated sigmoid far below zero would be multiplied by a large number.
            Self::Curve(other) => values.iter_mut().for_each(|v| *v = other.value(*v)),
        }
    }

    /// The function of all lanes. `R` vectors at once, so that the choice is made once for all.
    #[inline(always)]
    pub(super) fn lanes<S: Simd, const R: usize>(self, mut values: [S; R]) -> [S; R] {
        let zero = S::splat(0.0);
        match self {
            Self::Identity => {}
            Self::ReLU => {
                for v in &mut values {
                    *v = v.max(zero);
                }
            }
            Self::Piecewise { positive, negative, low, high } => {
                let (up, down, low, high) = (S::splat(positive), S::splat(negative), S::splat(low), S::splat(high));
                if positive != 0.0 && negative != 0.0 {
                    for v in &mut values {
                        *v = v.max(zero).times(up).madd(v.min(zero), down).max(low).min(high);
                    }
                } else {
                    // Infinity times a slope of 0 would be NaN.
                    for v in &mut values {
                        let above = if positive == 0.0 { zero } else { v.max(zero).times(up) };
                        let below = if negative == 0.0 { zero } else { v.min(zero).times(down) };
                        *v = above.plus(below).max(low).min(high);
                    }
                }
            }
            Self::Curve(_) => {
                for v in &mut values {
                    *v = self.curve(*v);
                }
            }
        }
        values
    }

    /// The function of eight lanes, one after the other.
    #[inline(always)]
    fn curve<S: Simd>(self, value: S) -> S {
        let mut lanes = [0.0; LANES];
        // SAFETY: `lanes` holds eight values.
        unsafe {
            value.store(lanes.as_mut_ptr());
            self.apply(&mut lanes);
            S::load(lanes.as_ptr())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Eight values through the vector form.
    fn lanes(function: Pointwise, values: [f32; LANES]) -> [f32; LANES] {
        super::super::dispatch!(widest => run(function: Pointwise, values: &mut [f32; LANES]));
        /// # Safety
        /// None: the values are eight.
        #[inline(always)]
        unsafe fn run<S: Simd>(function: Pointwise, values: &mut [f32; LANES]) {
            // SAFETY: eight values.
            unsafe {
                let [value] = function.lanes([S::load(values.as_ptr())]);
                value.store(values.as_mut_ptr());
            }
        }
        let mut values = values;
        // SAFETY: `run` asks for nothing.
        unsafe { widest(function, &mut values) };
        values
    }

    #[test]
    fn both_forms_agree_with_the_definition() {
        let infinity = f32::INFINITY;
        let piecewise = |positive, negative, low, high| Pointwise::Piecewise { positive, negative, low, high };
        let gain = 2f32.sqrt();
        type Definition = fn(f32) -> f32;
        let cases: [(Pointwise, Definition); 11] = [
            (Activation::SiLU.into(), |x| x * (1.0 / (1.0 + (-x).exp()))),
            (Activation::ELU { alpha: 0.5 }.into(), |x| if x > 0.0 { x } else { 0.5 * x.exp_m1() }),
            (Pointwise::Identity, |x| x),
            (Activation::ReLU.into(), |x| x.max(0.0)),
            (Activation::LeakyReLU { slope: 0.2 }.into(), |x| if x > 0.0 { x } else { 0.2 * x }),
            (Activation::LeakyReLU { slope: 1.5 }.into(), |x| if x > 0.0 { x } else { 1.5 * x }),
            (piecewise(gain, 0.2 * gain, -256.0, 256.0), |x| {
                ((if x > 0.0 { x } else { 0.2 * x }) * 2f32.sqrt()).clamp(-256.0, 256.0)
            }),
            (piecewise(1.0, 0.0, 0.0, 6.0), |x| x.clamp(0.0, 6.0)),
            (piecewise(0.0, -1.0, -infinity, infinity), |x| if x > 0.0 { 0.0 } else { -x }),
            (Activation::Tanh.into(), |x| x.tanh()),
            (Activation::Sigmoid.into(), |x| (1.0 / (1.0 + (-f64::from(x)).exp())) as f32),
        ];
        let values = [-infinity, -1e30, -300.0, -1.25, 0.0, 0.75, 181.5, infinity];
        for (function, expected) in cases {
            let mut whole = values;
            function.apply(&mut whole);
            for (found, x) in lanes(function, values).into_iter().zip(values).chain(whole.into_iter().zip(values)) {
                let expected = expected(x);
                let close = found == expected
                    || (found.is_nan() && expected.is_nan())
                    || (found - expected).abs() <= 3e-7 * expected.abs().max(1.0);
                assert!(close, "{function:?} of {x}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn a_row_of_an_output_has_its_own_map_and_summand() {
        let (map, plus) = ([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let epilogue =
            Epilogue { map: Some(&map), activation: Pointwise::ReLU, plus: Some(&plus), ..Epilogue::default() };
        let row = epilogue.of(4, 2, 2);
        assert_eq!((row.map, row.plus), (Some(&map[2..]), Some(&plus[4..])));
        assert_eq!(row.activation, Pointwise::ReLU);
    }
}

//! Complex Fourier transforms of any length, sixteen side by side in the lanes: Stockham's self-sorting form (see Van Loan
//! 1992, "Computational Frameworks for the Fast Fourier Transform"), by fours, twos, threes, fives and other primes.

use std::f64::consts::TAU;

use super::simd::Simd;
use super::{LANES, Shared, dispatch};

/// Transforms side by side: a whole line of a cache.
pub const WIDTH: usize = 16;

/// Complex values, `[position][WIDTH]`: real parts, imaginary parts.
pub type Line<'a> = (&'a mut [f32], &'a mut [f32]);

/// `exp(-2 pi i k y / n)` summed over `y`, for one length `n`.
pub struct Fft {
    length: usize,
    stages: Vec<Stage>,
}

/// What is left of the length falls into `radix` interleaved parts.
struct Stage {
    radix: usize,
    /// Transforms that are done side by side already.
    done: usize,
    /// Positions of each part.
    rest: usize,
    /// `[position][output 1..radix]`: cosines and sines of what each is turned by.
    twiddles: Vec<(f32, f32)>,
    /// Cosine and sine of every multiple of a `radix`th of a turn, for primes that have no butterfly of their own.
    roots: Vec<(f32, f32)>,
}

/// `exp(-2 pi i k / n)`.
fn root(k: usize, n: usize) -> (f32, f32) {
    let (sin, cos) = (TAU * (k % n) as f64 / n as f64).sin_cos();
    (cos as f32, -sin as f32)
}

/// The factors of a length, fours first.
fn factors(mut length: usize) -> Vec<usize> {
    let mut all = Vec::new();
    for factor in [4, 2, 3, 5].into_iter().chain((7..).step_by(2)) {
        while length.is_multiple_of(factor) {
            all.push(factor);
            length /= factor;
        }
        if length == 1 {
            break;
        }
        if factor > 5 && factor * factor > length {
            all.push(length);
            break;
        }
    }
    all
}

impl Fft {
    /// For a length of at least 1.
    pub fn new(length: usize) -> Self {
        assert!(length > 0, "a transform of nothing");
        let (mut left, mut done, mut stages) = (length, 1, Vec::new());
        for radix in factors(length) {
            let rest = left / radix;
            let twiddles = (0..rest).flat_map(|p| (1..radix).map(move |u| root(p * u, left))).collect();
            let roots = if radix > 5 { (0..radix).map(|k| root(k, radix)).collect() } else { Vec::new() };
            stages.push(Stage { radix, done, rest, twiddles, roots });
            (left, done) = (rest, done * radix);
        }
        Self { length, stages }
    }

    /// Transforms `line`, using `other` on the way; the result is the line that is returned, the other one is anything.
    ///
    /// Panics if one of them has another length.
    pub fn run<'a>(&self, mut line: Line<'a>, mut other: Line<'a>) -> Line<'a> {
        let values = self.length.checked_mul(WIDTH);
        let fits = |line: &Line<'_>| Some(line.0.len()) == values && Some(line.1.len()) == values;
        assert!(fits(&line) && fits(&other));
        for stage in &self.stages {
            let to = (Shared::new(other.0), Shared::new(other.1));
            let from = (Shared::new(line.0), Shared::new(line.1));
            // SAFETY: all four have as many values as the stage has positions, times the lanes, and are borrowed mutably.
            unsafe { widest(stage, &from, &to) };
            std::mem::swap(&mut line, &mut other);
        }
        line
    }
}

dispatch!(widest => any(stage: &Stage, from: &(Shared<'_>, Shared<'_>), to: &(Shared<'_>, Shared<'_>)));

/// # Safety
/// All slices hold `radix * rest * done * WIDTH` values, and nobody else uses them.
#[inline(always)]
unsafe fn any<S: Simd>(stage: &Stage, from: &(Shared<'_>, Shared<'_>), to: &(Shared<'_>, Shared<'_>)) {
    // SAFETY: the caller's contract.
    unsafe {
        match stage.radix {
            2 => butterflies::<S, 2>(stage, from, to, two),
            3 => butterflies::<S, 3>(stage, from, to, three),
            4 => butterflies::<S, 4>(stage, from, to, four),
            5 => butterflies::<S, 5>(stage, from, to, five),
            _ => prime::<S>(stage, from, to),
        }
    }
}

/// A complex number in every lane.
type Complex<S> = (S, S);

#[inline(always)]
fn plus<S: Simd>(a: Complex<S>, b: Complex<S>) -> Complex<S> {
    (a.0.plus(b.0), a.1.plus(b.1))
}

#[inline(always)]
fn minus<S: Simd>(a: Complex<S>, b: Complex<S>) -> Complex<S> {
    (a.0.minus(b.0), a.1.minus(b.1))
}

/// `a - i b`.
#[inline(always)]
fn minus_i<S: Simd>(a: Complex<S>, b: Complex<S>) -> Complex<S> {
    (a.0.plus(b.1), a.1.minus(b.0))
}

/// `a + i b`.
#[inline(always)]
fn plus_i<S: Simd>(a: Complex<S>, b: Complex<S>) -> Complex<S> {
    (a.0.minus(b.1), a.1.plus(b.0))
}

/// `a + factor b`.
#[inline(always)]
fn madd<S: Simd>(a: Complex<S>, factor: f32, b: Complex<S>) -> Complex<S> {
    let factor = S::splat(factor);
    (a.0.madd(factor, b.0), a.1.madd(factor, b.1))
}

#[inline(always)]
fn scaled<S: Simd>(factor: f32, b: Complex<S>) -> Complex<S> {
    let factor = S::splat(factor);
    (b.0.times(factor), b.1.times(factor))
}

/// Times `cos + i sin`.
#[inline(always)]
fn turned<S: Simd>(a: Complex<S>, (cos, sin): (f32, f32)) -> Complex<S> {
    let (cos, sin, minus_sin) = (S::splat(cos), S::splat(sin), S::splat(-sin));
    (a.0.times(cos).madd(a.1, minus_sin), a.1.times(cos).madd(a.0, sin))
}

#[inline(always)]
fn two<S: Simd>([a, b]: [Complex<S>; 2]) -> [Complex<S>; 2] {
    [plus(a, b), minus(a, b)]
}

#[inline(always)]
fn three<S: Simd>([a, b, c]: [Complex<S>; 3]) -> [Complex<S>; 3] {
    let (sum, difference) = (plus(b, c), scaled(0.866_025_4, minus(b, c)));
    let middle = madd(a, -0.5, sum);
    [plus(a, sum), minus_i(middle, difference), plus_i(middle, difference)]
}

#[inline(always)]
fn four<S: Simd>([a, b, c, d]: [Complex<S>; 4]) -> [Complex<S>; 4] {
    let (even, odd) = (two([a, c]), two([b, d]));
    [plus(even[0], odd[0]), minus_i(even[1], odd[1]), minus(even[0], odd[0]), plus_i(even[1], odd[1])]
}

#[inline(always)]
fn five<S: Simd>([a, b, c, d, e]: [Complex<S>; 5]) -> [Complex<S>; 5] {
    // Cosines and sines of one and two fifths of a turn.
    const COS: [f32; 2] = [0.309_017, -0.809_017];
    const SIN: [f32; 2] = [0.951_056_5, 0.587_785_25];
    let (near, far) = (two([b, e]), two([c, d]));
    let first = madd(madd(a, COS[0], near[0]), COS[1], far[0]);
    let second = madd(madd(a, COS[1], near[0]), COS[0], far[0]);
    let turned = madd(scaled(SIN[0], near[1]), SIN[1], far[1]);
    let turned_twice = madd(scaled(SIN[1], near[1]), -SIN[0], far[1]);
    [
        plus(a, plus(near[0], far[0])),
        minus_i(first, turned),
        minus_i(second, turned_twice),
        plus_i(second, turned_twice),
        plus_i(first, turned),
    ]
}

/// # Safety
/// As [`any`].
#[inline(always)]
unsafe fn load<S: Simd>(from: &(Shared<'_>, Shared<'_>), at: usize) -> Complex<S> {
    // SAFETY: the caller's contract.
    unsafe { (S::load(from.0.place(at, LANES)), S::load(from.1.place(at, LANES))) }
}

/// # Safety
/// As [`any`].
#[inline(always)]
unsafe fn store<S: Simd>(value: Complex<S>, to: &(Shared<'_>, Shared<'_>), at: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        value.0.store(to.0.place(at, LANES));
        value.1.store(to.1.place(at, LANES));
    }
}

/// # Safety
/// As [`any`]; the radix is `R`.
#[inline(always)]
unsafe fn butterflies<S: Simd, const R: usize>(
    stage: &Stage,
    from: &(Shared<'_>, Shared<'_>),
    to: &(Shared<'_>, Shared<'_>),
    butterfly: impl Fn([Complex<S>; R]) -> [Complex<S>; R],
) {
    let step = stage.done * WIDTH;
    for p in 0..stage.rest {
        let twiddles = &stage.twiddles[p * (R - 1)..][..R - 1];
        for at in (0..step).step_by(LANES) {
            // SAFETY: `p + rest * (R - 1)` is the last position, of `done` transforms: the caller's contract.
            let parts = std::array::from_fn(|t| unsafe { load(from, (p + stage.rest * t) * step + at) });
            let mut sums = butterfly(parts);
            if p > 0 {
                for (sum, &twiddle) in sums[1..].iter_mut().zip(twiddles) {
                    *sum = turned(*sum, twiddle);
                }
            }
            for (u, sum) in sums.into_iter().enumerate() {
                // SAFETY: as above.
                unsafe { store(sum, to, (R * p + u) * step + at) };
            }
        }
    }
}

/// By the definition, with outputs `u` and `radix - u`, and inputs `t` and `radix - t`, together.
///
/// # Safety
/// As [`any`]; the radix is odd.
#[inline(always)]
unsafe fn prime<S: Simd>(stage: &Stage, from: &(Shared<'_>, Shared<'_>), to: &(Shared<'_>, Shared<'_>)) {
    let (radix, step, half) = (stage.radix, stage.done * WIDTH, stage.radix / 2);
    for p in 0..stage.rest {
        let twiddles = &stage.twiddles[p * (radix - 1)..][..radix - 1];
        for at in (0..step).step_by(LANES) {
            let input = |t: usize| (p + stage.rest * t) * step + at;
            let output = |u: usize| (radix * p + u) * step + at;
            // SAFETY: as in `butterflies`; `from` is not read again after this, so that sums can lie there.
            unsafe {
                let first: Complex<S> = load(from, input(0));
                let mut sum = first;
                for t in 1..=half {
                    let (a, b) = (load(from, input(t)), load(from, input(radix - t)));
                    sum = plus(sum, plus(a, b));
                    store(plus(a, b), from, input(t));
                    store(minus(a, b), from, input(radix - t));
                }
                store(sum, to, output(0));
                for u in 1..=half {
                    let (mut even, mut odd) = (first, (S::splat(0.0), S::splat(0.0)));
                    let mut angle = 0;
                    for t in 1..=half {
                        angle += u;
                        if angle >= radix {
                            angle -= radix;
                        }
                        let (cos, sin) = *stage.roots.get_unchecked(angle);
                        even = madd(even, cos, load(from, input(t)));
                        odd = madd(odd, -sin, load(from, input(radix - t)));
                    }
                    store(turned(minus_i(even, odd), twiddles[u - 1]), to, output(u));
                    store(turned(plus_i(even, odd), twiddles[radix - u - 1]), to, output(radix - u));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Uneven values in [-0.5, 0.5).
    fn noise(i: usize) -> f32 {
        ((i as u32).wrapping_mul(747_796_405) >> 8) as f32 / (1 << 24) as f32 - 0.5
    }

    fn plain(re: &[f32], im: &[f32], lane: usize, k: usize) -> (f64, f64) {
        let n = re.len() / WIDTH;
        (0..n).fold((0.0, 0.0), |(a, b), y| {
            let (sin, cos) = (-TAU * (k * y % n) as f64 / n as f64).sin_cos();
            let (x, z) = (f64::from(re[y * WIDTH + lane]), f64::from(im[y * WIDTH + lane]));
            (a + x * cos - z * sin, b + x * sin + z * cos)
        })
    }

    #[test]
    fn every_length_agrees_with_plain_sums() {
        for n in (1..=130).chain([169, 210, 256, 1024]) {
            let re: Vec<f32> = (0..n * WIDTH).map(noise).collect();
            let im: Vec<f32> = (0..n * WIDTH).map(|i| noise(i + 9999)).collect();
            let (mut a, mut b, mut c, mut d) = (re.clone(), im.clone(), re.clone(), im.clone());
            let (x, y) = Fft::new(n).run((&mut a, &mut b), (&mut c, &mut d));
            for (k, lane) in (0..n).flat_map(|k| [0, 5, 15].map(|lane| (k, lane))) {
                let (real, imaginary) = plain(&re, &im, lane, k);
                let at = k * WIDTH + lane;
                let worst = (f64::from(x[at]) - real).abs().max((f64::from(y[at]) - imaginary).abs());
                assert!(worst < 2e-6 * (n as f64).sqrt(), "{n}: {worst:e} at {k}");
            }
        }
    }
}

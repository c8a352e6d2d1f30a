//! One pass over rows of pixels: activations, norms, borders. Safe code that the compiler vectorises.

use super::Epilogue;

/// `tanh(x)` to within a few units in the last place: the rational approximation of degree 13 / 6 that Eigen uses.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let x = x.clamp(-7.905_311, 7.905_311);
    let s = x * x;
    let p = -2.760_768_5e-16f32;
    let p = p * s + 2.000_188e-13;
    let p = p * s - 8.604_672e-11;
    let p = p * s + 5.122_297e-8;
    let p = p * s + 1.485_722_4e-5;
    let p = p * s + 6.372_619e-4;
    let p = p * s + 4.893_524_6e-3;
    let q = 1.198_258_4e-6f32;
    let q = q * s + 1.185_347_1e-4;
    let q = q * s + 2.268_434_6e-3;
    let q = q * s + 4.893_525e-3;
    x * p / q
}

/// `1 / (1 + exp(-x))`, as exactly as [`tanh`].
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

/// `row * scale + offset` per channel, then the rest as ever.
pub fn scale(row: &mut [f32], scale: &[f32], offset: &[f32], epilogue: Epilogue<'_>) {
    let channels = scale.len().max(1);
    for (index, pixel) in row.chunks_exact_mut(channels).enumerate() {
        for ((v, s), o) in pixel.iter_mut().zip(scale).zip(offset) {
            *v = *v * s + o;
        }
        finish(pixel, channels, epilogue.of(index * channels, 1, channels));
    }
}

/// The epilogue of a row that holds sums of so many channels; its map and summand begin where the row does.
pub fn finish(row: &mut [f32], channels: usize, epilogue: Epilogue<'_>) {
    if let Some(map) = epilogue.map {
        for (pixel, value) in row.chunks_exact_mut(channels.max(1)).zip(map) {
            pixel.iter_mut().for_each(|v| *v += value);
        }
    }
    epilogue.activation.apply(row);
    if let Some(plus) = epilogue.plus {
        add(row, plus);
    }
}

/// `row += other`.
pub fn add(row: &mut [f32], other: &[f32]) {
    for (v, o) in row.iter_mut().zip(other) {
        *v += o;
    }
}

/// Count, mean and sum of squared deviations of each channel.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Over some rows of pixels; deviations are taken from the first pixel, so that nothing large is squared.
    pub fn of<'a>(rows: impl Iterator<Item = &'a [f32]>, channels: usize) -> Self {
        let (mut pivot, mut sums, mut squares) = (Vec::new(), vec![0.0f32; channels], vec![0.0f32; channels]);
        let mut count = 0usize;
        let mut total = Self { count: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] };
        for row in rows {
            for pixel in row.chunks_exact(channels.max(1)) {
                if pivot.is_empty() {
                    pivot = pixel.to_vec();
                }
                count += 1;
                for (((v, p), s), q) in pixel.iter().zip(&pivot).zip(&mut sums).zip(&mut squares) {
                    let d = v - p;
                    *s += d;
                    *q += d * d;
                }
            }
            // Short f32 sums, merged in f64.
            if count >= 256 {
                total.merge(&Self::close(&pivot, &mut sums, &mut squares, count));
                (count, pivot) = (0, Vec::new());
            }
        }
        if count > 0 {
            total.merge(&Self::close(&pivot, &mut sums, &mut squares, count));
        }
        total
    }

    fn close(pivot: &[f32], sums: &mut [f32], squares: &mut [f32], count: usize) -> Self {
        let n = count as f64;
        let mean = pivot.iter().zip(&*sums).map(|(&p, &s)| f64::from(p) + f64::from(s) / n).collect();
        let deviation = |(&s, &q): (&f32, &f32)| f64::from(q) - f64::from(s) * f64::from(s) / n;
        let moments = Self { count: n, mean, squares: sums.iter().zip(&*squares).map(deviation).collect() };
        sums.fill(0.0);
        squares.fill(0.0);
        moments
    }

    /// Both together (Chan et al. 1979).
    pub fn merge(&mut self, other: &Self) {
        let count = self.count + other.count;
        if count == 0.0 {
            return;
        }
        for (((m, q), om), oq) in self.mean.iter_mut().zip(&mut self.squares).zip(&other.mean).zip(&other.squares) {
            let d = om - *m;
            *q += oq + d * d * self.count * other.count / count;
            *m += d * other.count / count;
        }
        self.count = count;
    }

    /// `(x - mean) / (std + eps)` as factor and summand, `std` with one less than the count.
    pub fn standardize(&self, eps: f64) -> (Vec<f32>, Vec<f32>) {
        let deviation = |q: &f64| (q.max(0.0) / (self.count - 1.0).max(1.0)).sqrt();
        self.centred(self.squares.iter().map(|q| 1.0 / (deviation(q) + eps)).collect())
    }

    /// `(x - mean) / sqrt(biased variance + eps)` as factor and summand.
    pub fn normalise(&self, eps: f64) -> (Vec<f32>, Vec<f32>) {
        self.centred(self.squares.iter().map(|q| 1.0 / (q.max(0.0) / self.count.max(1.0) + eps).sqrt()).collect())
    }

    fn centred(&self, factor: Vec<f64>) -> (Vec<f32>, Vec<f32>) {
        let offset = self.mean.iter().zip(&factor).map(|(m, f)| (-m * f) as f32).collect();
        (factor.into_iter().map(|f| f as f32).collect(), offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn activations_agree_with_the_library() {
        for i in -4000..4000 {
            let x = i as f32 / 200.0;
            assert!((tanh(x) - x.tanh()).abs() < 3e-7, "tanh {x}");
            let expected = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - expected).abs() < 3e-7, "sigmoid {x}");
        }
    }

    #[test]
    fn a_scaled_row_gets_its_map_activation_and_summand() {
        let mut row = [1.0, -1.0, 2.0, -2.0];
        let epilogue = Epilogue {
            map: Some(&[10.0, -20.0]),
            activation: crate::engine::lower::Pointwise::ReLU,
            plus: Some(&[0.1, 0.2, 0.3, 0.4]),
            ..Epilogue::default()
        };
        scale(&mut row, &[2.0, 3.0], &[0.5, 0.25], epilogue);
        assert_eq!(row, [12.6, 7.45, 0.3, 0.4]);
    }

    #[test]
    fn moments_survive_a_large_mean() {
        let rows: Vec<Vec<f32>> = (0..20)
            .map(|y| (0..60).map(|i| 1e4 + ((y * 60 + i) % 7) as f32 - (i % 2) as f32 * 2e4).collect())
            .collect();
        let halves = [&rows[..7], &rows[7..]].map(|half| Moments::of(half.iter().map(Vec::as_slice), 2));
        let mut all = halves[0].clone();
        all.merge(&halves[1]);
        let (factor, offset) = all.normalise(1e-5);
        for c in 0..2 {
            let values: Vec<f64> = rows.iter().flatten().skip(c).step_by(2).map(|&v| f64::from(v)).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let var = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / values.len() as f64;
            let f = 1.0 / (var + 1e-5).sqrt();
            assert!((f64::from(factor[c]) - f).abs() < 1e-5 * f);
            assert!((f64::from(offset[c]) + mean * f).abs() < 1e-5 * (mean * f).abs());
        }
    }
}

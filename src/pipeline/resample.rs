//! Resampling of single planes: by area downwards, by Catmull-Rom upwards; and smooth extension into holes.

/// One output position: the first input it reads, and its weights.
struct Taps {
    start: usize,
    weights: Vec<f32>,
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let area = |o: usize| {
        let (begin, end) = (o as f64 * scale, (o + 1) as f64 * scale);
        let (first, last) = (begin as usize, (end.ceil() as usize).min(from));
        let cover = |i: usize| ((end.min((i + 1) as f64) - begin.max(i as f64)) / scale) as f32;
        Taps { start: first, weights: (first..last.max(first + 1)).map(cover).collect() }
    };
    let cubic = |o: usize| {
        let centre = (o as f64 + 0.5) * scale - 0.5;
        let base = centre.floor();
        let t = (centre - base) as f32;
        let kernel = [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ];
        // Beyond the border the edge is repeated: its weight is added to the edge's own.
        let clamp = |i: i64| i.clamp(0, from as i64 - 1) as usize;
        let start = clamp(base as i64 - 1);
        let end = clamp(base as i64 + 2);
        let mut weights = vec![0.0; end - start + 1];
        for (k, weight) in kernel.into_iter().enumerate() {
            weights[clamp(base as i64 - 1 + k as i64) - start] += weight;
        }
        Taps { start, weights }
    };
    (0..to).map(|o| if to <= from { area(o) } else { cubic(o) }).collect()
}

/// A plane of `width * height` values at another size.
pub fn resize(plane: &[f32], (width, height): (usize, usize), (to_width, to_height): (usize, usize)) -> Vec<f32> {
    if (width, height) == (to_width, to_height) {
        return plane.to_vec();
    }
    let columns = taps(width, to_width);
    let mut narrow = Vec::with_capacity(to_width * height);
    for row in plane.chunks_exact(width) {
        narrow.extend(
            columns.iter().map(|tap| {
                tap.weights.iter().zip(&row[tap.start..]).map(|(weight, value)| weight * value).sum::<f32>()
            }),
        );
    }
    let mut out = vec![0.0f32; to_width * to_height];
    for (target, tap) in out.chunks_exact_mut(to_width).zip(taps(height, to_height)) {
        for (offset, weight) in tap.weights.iter().enumerate() {
            let row = &narrow[(tap.start + offset) * to_width..][..to_width];
            for (value, source) in target.iter_mut().zip(row) {
                *value += weight * source;
            }
        }
    }
    out
}

/// Extends known values smoothly to where `weight` is 0 (Gortler et al. 1996, "The Lumigraph": push-pull).
pub fn extend(values: &[f32], weight: &[f32], size: (usize, usize)) -> Vec<f32> {
    continued(values, weight, size, 0)
}

/// Continues known values to where `weight` is 0 so that each is the mean of its neighbours, nearly: what the default
/// model was trained to complete (`smooth` of `train/data.py`, step by step).
pub fn harmonic(values: &[f32], weight: &[f32], size: (usize, usize)) -> Vec<f32> {
    const SWEEPS: usize = 40;
    continued(values, weight, size, SWEEPS)
}

/// Push-pull, and at every scale so many sweeps of Jacobi's method for Laplace's equation.
fn continued(values: &[f32], weight: &[f32], (width, height): (usize, usize), sweeps: usize) -> Vec<f32> {
    if width <= 1 && height <= 1 || weight.iter().all(|&w| w > 0.0) {
        return values.to_vec();
    }
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let mut coarse = vec![0.0f32; half_width * half_height];
    let mut coarse_weight = vec![0.0f32; half_width * half_height];
    for y in 0..height {
        for x in 0..width {
            let (at, to) = (y * width + x, y / 2 * half_width + x / 2);
            coarse[to] += values[at] * weight[at];
            coarse_weight[to] += weight[at];
        }
    }
    for (value, weight) in coarse.iter_mut().zip(&mut coarse_weight) {
        *value /= weight.max(1e-12);
        *weight = weight.min(1.0);
    }
    let coarse = continued(&coarse, &coarse_weight, (half_width, half_height), sweeps);
    let mut out = values.to_vec();
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            if weight[at] < 1.0 {
                let smooth = bilinear(&coarse, (half_width, half_height), x, y);
                out[at] = values[at] * weight[at] + smooth * (1.0 - weight[at]);
            }
        }
    }
    if sweeps > 0 {
        relax(&mut out, weight, (width, height), sweeps);
    }
    out
}

/// Replaces values of weight 0 by the mean of their neighbours, so many times. Beyond the border the edge is repeated.
fn relax(values: &mut [f32], weight: &[f32], (width, height): (usize, usize), sweeps: usize) {
    let free: Vec<usize> = (0..values.len()).filter(|&at| weight[at] <= 0.0).collect();
    let mut means = vec![0.0; free.len()];
    for _ in 0..sweeps {
        for (mean, &at) in means.iter_mut().zip(&free) {
            let (x, y) = (at % width, at / width);
            let across = values[at - usize::from(x > 0)] + values[at + usize::from(x + 1 < width)];
            let down = values[at - if y > 0 { width } else { 0 }] + values[at + if y + 1 < height { width } else { 0 }];
            *mean = (across + down) / 4.0;
        }
        free.iter().zip(&means).for_each(|(&at, &mean)| values[at] = mean);
    }
}

/// The half-size plane at a full-size pixel.
fn bilinear(plane: &[f32], (width, height): (usize, usize), x: usize, y: usize) -> f32 {
    let side = |at: usize, size: usize| {
        let position = (at as f32 - 0.5) / 2.0;
        let low = position.max(0.0) as usize;
        (low.min(size - 1), (low + 1).min(size - 1), (position - low as f32).max(0.0))
    };
    let ((x0, x1, fx), (y0, y1, fy)) = (side(x, width), side(y, height));
    let mix = |row: usize| plane[row * width + x0] * (1.0 - fx) + plane[row * width + x1] * fx;
    mix(y0) * (1.0 - fy) + mix(y1) * fy
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_constant_stays_constant_at_any_size() {
        let plane = vec![0.7f32; 7 * 5];
        for size in [(7, 5), (3, 2), (1, 1), (20, 13), (7, 40)] {
            let out = resize(&plane, (7, 5), size);
            assert!(out.iter().all(|v| (v - 0.7).abs() < 1e-5), "{size:?} {out:?}");
        }
    }

    #[test]
    fn halving_averages() {
        assert_eq!(resize(&[0.0, 1.0, 2.0, 5.0], (4, 1), (2, 1)), [0.5, 3.5]);
    }

    #[test]
    fn known_values_stay_and_holes_follow_them() {
        let (w, h) = (32, 32);
        let ramp: Vec<f32> = (0..w * h).map(|i| (i % w) as f32).collect();
        let hole = |i: usize| (10..22).contains(&(i % w)) && (10..22).contains(&(i / w));
        let weight: Vec<f32> = (0..w * h).map(|i| f32::from(u8::from(!hole(i)))).collect();
        let broken: Vec<f32> = (0..w * h).map(|i| if hole(i) { 999.0 } else { ramp[i] }).collect();
        let out = extend(&broken, &weight, (w, h));
        for i in 0..w * h {
            let tolerance = if hole(i) { 6.0 } else { 0.0 };
            assert!((out[i] - ramp[i]).abs() <= tolerance, "{i}: {} for {}", out[i], ramp[i]);
        }
    }

    #[test]
    fn holes_are_continued_as_in_training() {
        let text = include_str!("../../tests/reference/networks/smooth.json");
        let case: serde_json::Value = serde_json::from_str(text).unwrap();
        let numbers = |key: &str| -> Vec<f32> {
            case[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
        };
        let known: Vec<f32> = numbers("mask").iter().map(|m| 1.0 - m).collect();
        let out = harmonic(&numbers("x"), &known, (30, 21));
        let most = out.iter().zip(numbers("y")).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-5, "{most} from PyTorch");
    }
}

//! Canny's edges exactly as scikit-image's `feature.canny(gray, sigma, mask=known)` draws them, because EdgeConnect
//! was trained on those (Canny 1986; `skimage/feature/_canny.py`, thresholds 0.1 and 0.2).

const LOW: f64 = 0.1;
const HIGH: f64 = 0.2;

/// Edges of a gray picture in 0..1; `known` is where it may be looked at. One bool a pixel.
pub fn canny(gray: &[f64], known: &[bool], width: usize, height: usize, sigma: f64) -> Vec<bool> {
    let size = (width, height);
    let masked: Vec<f64> = gray.iter().zip(known).map(|(&v, &k)| if k { v } else { 0.0 }).collect();
    let cover: Vec<f64> = known.iter().map(|&k| f64::from(u8::from(k))).collect();
    // Smoothing only over what is known: the blurred picture divided by the blurred mask.
    let cover = gaussian(&cover, size, sigma);
    let smooth: Vec<f64> =
        gaussian(&masked, size, sigma).iter().zip(&cover).map(|(v, c)| v / (c + f64::EPSILON)).collect();
    let inside = erode(known, size);
    let across = sobel(&smooth, size, true);
    let down = sobel(&smooth, size, false);
    let magnitude: Vec<f64> = across.iter().zip(&down).map(|(a, b)| (a * a + b * b).sqrt()).collect();
    let thin = suppress(&down, &across, &magnitude, &inside, size);
    hysteresis(&thin, size)
}

/// Separable Gaussian, zero beyond the border, cut at 4 sigma (`scipy.ndimage.gaussian_filter`).
fn gaussian(plane: &[f64], (width, height): (usize, usize), sigma: f64) -> Vec<f64> {
    let radius = (4.0 * sigma + 0.5) as i64;
    let raw: Vec<f64> = (-radius..=radius).map(|i| (-0.5 * (i * i) as f64 / (sigma * sigma)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    let kernel: Vec<f64> = raw.iter().map(|v| v / sum).collect();
    let pass = |from: &[f64], horizontal: bool| {
        let mut out = vec![0.0; from.len()];
        for y in 0..height {
            for x in 0..width {
                let (at, limit) = if horizontal { (x, width) } else { (y, height) };
                let mut value = 0.0;
                for (k, weight) in kernel.iter().enumerate() {
                    let other = at as i64 + k as i64 - radius;
                    if (0..limit as i64).contains(&other) {
                        let index = if horizontal { y * width + other as usize } else { other as usize * width + x };
                        value += from[index] * weight;
                    }
                }
                out[y * width + x] = value;
            }
        }
        out
    };
    pass(&pass(plane, false), true)
}

/// A pixel stays if all its eight neighbours are set; the border counts as unset.
fn erode(known: &[bool], (width, height): (usize, usize)) -> Vec<bool> {
    let keep = |x: usize, y: usize| {
        x > 0
            && y > 0
            && x + 1 < width
            && y + 1 < height
            && (y - 1..=y + 1).all(|y| (x - 1..=x + 1).all(|x| known[y * width + x]))
    };
    (0..width * height).map(|at| keep(at % width, at / width)).collect()
}

/// `scipy.ndimage.sobel` with the border mirrored (edge repeated).
fn sobel(plane: &[f64], (width, height): (usize, usize), across: bool) -> Vec<f64> {
    let at =
        |x: i64, y: i64| plane[y.clamp(0, height as i64 - 1) as usize * width + x.clamp(0, width as i64 - 1) as usize];
    let value = |x: i64, y: i64| {
        let step = |i: i64| match across {
            true => at(x + 1, y + i) - at(x - 1, y + i),
            false => at(x + i, y + 1) - at(x + i, y - 1),
        };
        step(-1) + 2.0 * step(0) + step(1)
    };
    (0..width * height).map(|i| value((i % width) as i64, (i / width) as i64)).collect()
}

/// Keeps the crest: magnitudes that are not below their interpolated neighbours along the gradient.
fn suppress(
    down: &[f64],
    across: &[f64],
    magnitude: &[f64],
    inside: &[bool],
    (width, height): (usize, usize),
) -> Vec<f64> {
    let mut out = vec![0.0; magnitude.len()];
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let i = y * width + x;
            let m = magnitude[i];
            if !inside[i] || m < LOW {
                continue;
            }
            let (dy, dx) = (down[i], across[i]);
            let same = (dy >= 0.0 && dx >= 0.0) || (dy <= 0.0 && dx <= 0.0);
            let (ady, adx) = (dy.abs(), dx.abs());
            let steep = ady > adx;
            let w = if steep { adx / ady } else { ady / adx };
            let diagonal = if same { [i + width + 1, i - width - 1] } else { [i - width + 1, i + width - 1] };
            let straight = match (steep, same) {
                (true, true) => [i + width, i - width],
                (true, false) => [i - width, i + width],
                (false, _) => [i + 1, i - 1],
            };
            let crest = |k: usize| magnitude[diagonal[k]] * w + magnitude[straight[k]] * (1.0 - w) <= m;
            if crest(0) && crest(1) {
                out[i] = m;
            }
        }
    }
    out
}

/// Weak edges stay if they touch a strong one, corners included.
fn hysteresis(thin: &[f64], (width, height): (usize, usize)) -> Vec<bool> {
    let mut edges: Vec<bool> = thin.iter().map(|&m| m >= HIGH).collect();
    let mut stack: Vec<usize> = (0..thin.len()).filter(|&i| edges[i]).collect();
    while let Some(at) = stack.pop() {
        let (x, y) = (at % width, at / width);
        for ny in y.saturating_sub(1)..(y + 2).min(height) {
            for nx in x.saturating_sub(1)..(x + 2).min(width) {
                let next = ny * width + nx;
                if thin[next] > 0.0 && !edges[next] {
                    edges[next] = true;
                    stack.push(next);
                }
            }
        }
    }
    edges
}

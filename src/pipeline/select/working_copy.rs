//! The photo as selections see it: small, in CIELAB.

use crate::pipeline::{Pixels, Rect};

/// A Lab colour: lightness 0 to 100, a and b about -100 to 100.
pub type Lab = [f32; 3];

/// Most samples along each side of what becomes one pixel.
const SAMPLES: usize = 4;
/// What shows through where a photo is transparent.
const BACKDROP: u32 = 128;

/// A photo at a bounded size.
pub struct WorkingCopy {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height` colours.
    pub lab: Vec<Lab>,
}

impl WorkingCopy {
    /// The photo, smaller where it has more than so many pixels.
    pub fn new(photo: &dyn Pixels, most_pixels: usize) -> Self {
        let (from_width, from_height) = (photo.width(), photo.height());
        let shrink = ((from_width * from_height) as f64 / most_pixels as f64).sqrt().max(1.0);
        let side = |from: usize| ((from as f64 / shrink) as usize).clamp(1, most_pixels).min(from);
        let (width, height) = (side(from_width), side(from_height));
        let table = Table::new();
        let mut lab = Vec::with_capacity(width * height);
        for y in 0..height {
            let mut sums = vec![[0u32; 4]; width];
            for row in samples(y, height, from_height) {
                let row = photo.read(Rect { x: 0, y: row, width: from_width, height: 1 });
                for (x, sum) in sums.iter_mut().enumerate() {
                    for column in samples(x, width, from_width) {
                        let pixel = &row[column * 4..column * 4 + 4];
                        let alpha = u32::from(pixel[3]);
                        let shown = |value: u8| match alpha {
                            255 => u32::from(value),
                            _ => (u32::from(value) * alpha + BACKDROP * (255 - alpha)) / 255,
                        };
                        (0..3).for_each(|k| sum[k] += shown(pixel[k]));
                        sum[3] += 1;
                    }
                }
            }
            lab.extend(sums.into_iter().map(|[r, g, b, count]| table.lab([r, g, b].map(|sum| (sum / count) as u8))));
        }
        Self { width, height, lab }
    }

    /// Each pixel's mean with those around it.
    pub fn blurred(&self) -> Vec<Lab> {
        let (w, h) = (self.width, self.height);
        let mean3 = |a: Lab, b: Lab, c: Lab| -> Lab { std::array::from_fn(|k| (a[k] + b[k] + c[k]) / 3.0) };
        let mut across = Vec::with_capacity(w * h);
        for row in self.lab.chunks_exact(w) {
            across.extend((0..w).map(|x| mean3(row[x.saturating_sub(1)], row[x], row[(x + 1).min(w - 1)])));
        }
        let mut out = Vec::with_capacity(w * h);
        for y in 0..h {
            let [above, here, below] = [y.saturating_sub(1), y, (y + 1).min(h - 1)].map(|y| &across[y * w..][..w]);
            out.extend((0..w).map(|x| mean3(above[x], here[x], below[x])));
        }
        out
    }
}

/// Which of `from` positions are looked at for position `at` of `to`.
fn samples(at: usize, to: usize, from: usize) -> impl Iterator<Item = usize> {
    let (begin, end) = (at * from / to, (at + 1) * from / to);
    (begin..end.max(begin + 1)).step_by((end - begin).div_ceil(SAMPLES).max(1))
}

/// Squared difference of two colours.
pub fn gap2(a: Lab, b: Lab) -> f32 {
    let [x, y, z] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    x * x + y * y + z * z
}

/// sRGB (D65) to CIELAB.
pub struct Table {
    linear: [f32; 256],
    root: Vec<f32>,
}

impl Table {
    pub fn new() -> Self {
        let linear = std::array::from_fn(|i| {
            let v = i as f32 / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        });
        let root = |i: usize| {
            let t = i as f32 / 4096.0;
            if t > 0.008856 { t.powf(1.0 / 3.0) } else { 7.787 * t + 16.0 / 116.0 }
        };
        Self { linear, root: (0..=4096).map(root).collect() }
    }

    pub fn lab(&self, rgb: [u8; 3]) -> Lab {
        let [r, g, b] = rgb.map(|value| self.linear[usize::from(value)]);
        let root = |t: f32| self.root[((t * 4096.0 + 0.5) as usize).min(4096)];
        let x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
        let y = root(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }
}

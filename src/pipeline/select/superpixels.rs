//! Superpixels: small patches that keep to edges, by watershed from a grid of seeds (Meyer 1994; compact as in Neubert and
//! Protzel 2014).

use super::working_copy::{Lab, WorkingCopy, gap2};

/// How much a pixel's distance from its seed counts against gradient, in gradient levels a grid step.
const COMPACTNESS: f32 = 14.0;
/// Gradient levels for one unit of Lab.
const LEVELS_PER_LAB: f32 = 4.0;
const LEVELS: usize = 512;
/// Pixels without a superpixel yet.
const NONE: u32 = u32::MAX;

/// A partition of the working copy.
pub struct Superpixels {
    /// Which superpixel each pixel belongs to.
    pub label: Vec<u32>,
    /// How many there are.
    pub count: usize,
}

impl Superpixels {
    /// About as many as asked for.
    pub fn new(copy: &WorkingCopy, blurred: &[Lab], about: usize) -> Self {
        let (w, h) = (copy.width, copy.height);
        let gradient = gradient(blurred, w, h);
        let step = ((w * h) as f32 / about as f32).sqrt().max(1.0);
        let seeds = seeds(&gradient, w, h, step);
        let mut label = vec![NONE; w * h];
        // Pixels to visit (column and row), and for which superpixel, by the level at which the water reaches them.
        let mut waiting: Vec<Vec<([u32; 2], u32)>> = vec![Vec::new(); LEVELS];
        waiting[0].extend((0u32..).zip(&seeds).map(|(i, &seed)| (seed, i)));
        let (right, bottom) = (w as u32 - 1, h as u32 - 1);
        let mut level = 0;
        while level < LEVELS {
            let batch = std::mem::take(&mut waiting[level]);
            if batch.is_empty() {
                level += 1;
            }
            for ([x, y], owner) in batch {
                let at = y as usize * w + x as usize;
                if label[at] != NONE {
                    continue;
                }
                label[at] = owner;
                let [seed_x, seed_y] = seeds[owner as usize];
                let mut visit = |exists: bool, next: usize, x: u32, y: u32| {
                    if exists && label[next] == NONE {
                        let (dx, dy) = (x.abs_diff(seed_x) as f32, y.abs_diff(seed_y) as f32);
                        let far = (dx * dx + dy * dy).sqrt() / step;
                        let cost = (f32::from(gradient[next]) + far * COMPACTNESS) as usize;
                        waiting[cost.clamp(level, LEVELS - 1)].push(([x, y], owner));
                    }
                };
                visit(x > 0, at.wrapping_sub(1), x.wrapping_sub(1), y);
                visit(x < right, at + 1, x + 1, y);
                visit(y > 0, at.wrapping_sub(w), x, y.wrapping_sub(1));
                visit(y < bottom, at + w, x, y + 1);
            }
        }
        Self { label, count: seeds.len() }
    }
}

/// Length of the colour gradient, in levels.
fn gradient(lab: &[Lab], w: usize, h: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        let (above, below) = (y.saturating_sub(1) * w, (y + 1).min(h - 1) * w);
        for x in 0..w {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(w - 1));
            let across = gap2(lab[y * w + left], lab[y * w + right]);
            let down = gap2(lab[above + x], lab[below + x]);
            out.push(((across + down).sqrt() * LEVELS_PER_LAB).min(255.0) as u8);
        }
    }
    out
}

/// The flattest place of each cell of a grid, near its middle: column and row.
fn seeds(gradient: &[u8], w: usize, h: usize, step: f32) -> Vec<[u32; 2]> {
    let (columns, rows) = (((w as f32 / step) as usize).max(1), ((h as f32 / step) as usize).max(1));
    let mut out = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (x0, x1) = (column * w / columns, (column + 1) * w / columns);
            let (y0, y1) = (row * h / rows, (row + 1) * h / rows);
            let (mx, my) = ((x1 - x0) / 6, (y1 - y0) / 6);
            let inside = (y0 + my..y1 - my).flat_map(|y| (x0 + mx..x1 - mx).map(move |x| (x, y)));
            let (cx, cy) = ((x0 + x1) / 2, (y0 + y1) / 2);
            let off = |(x, y): (usize, usize)| x.abs_diff(cx) + y.abs_diff(cy);
            let flattest = inside.min_by_key(|&(x, y)| (gradient[y * w + x], off((x, y))));
            let (x, y) = flattest.unwrap_or((x0, y0));
            out.push([x as u32, y as u32]);
        }
    }
    out
}

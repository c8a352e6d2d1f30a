//! Every pixel of the hole becomes the weighted mean of what the patches over it say.

use std::ops::Range;
use std::sync::Mutex;

use super::field::Field;
use super::level::{Level, PATCH};
use crate::threads::parallel;

/// Distance at which a patch's weight falls to 1/e: 28 levels off in each channel of each pixel.
const SOFTNESS: f32 = (PATCH * PATCH * 3 * 800) as f32;
/// How quickly a patch's weight falls from its middle, in pixels.
const PEAK: f32 = 2.5;
/// How much more a patch counts than one a pixel deeper in the hole: the nearer to known pixels, the more reliable (Newson
/// et al. 2014).
const SURER: f32 = 1.5;

/// Rows of pixels that one task votes for.
const BAND: usize = 32;

/// Replaces the hole's pixels.
pub fn vote(level: &mut Level, field: &Field) {
    let hole = level.hole;
    let bands: Vec<Mutex<Vec<[u8; 4]>>> = (0..hole.height.div_ceil(BAND)).map(|_| Mutex::default()).collect();
    let shared = &*level;
    parallel(bands.len(), &|i| {
        let rows = hole.y + i * BAND..hole.y + ((i + 1) * BAND).min(hole.height);
        let voted = band(shared, field, rows);
        if let Ok(mut slot) = bands[i].lock() {
            *slot = voted;
        }
    });
    for (i, voted) in bands.into_iter().enumerate() {
        let voted = voted.into_inner().unwrap_or_default();
        for (y, row) in voted.chunks_exact(hole.width.max(1)).enumerate() {
            let start = (hole.y + i * BAND + y) * level.width + hole.x;
            for (offset, pixel) in row.iter().enumerate() {
                if !level.is_known(start + offset) {
                    level.picture[start + offset] = *pixel;
                }
            }
        }
    }
}

/// The weight of a patch's vote by how well it matches.
pub fn vote_weight(distance: u32) -> f32 {
    let near = if distance == u32::MAX { 0.0 } else { distance as f32 };
    (-near / SOFTNESS).exp() + 1e-4
}

/// The voted pixels of some rows of the hole's box.
fn band(level: &Level, field: &Field, rows: Range<usize>) -> Vec<[u8; 4]> {
    let middle = (PATCH - 1) as f32 / 2.0;
    let place: [[f32; PATCH]; PATCH] = std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let (dx, dy) = (x as f32 - middle, y as f32 - middle);
            (-(dx * dx + dy * dy) / (2.0 * PEAK * PEAK)).exp()
        })
    });
    let hole = level.hole;
    let deep: [f32; 256] = std::array::from_fn(|depth| SURER.powi(-(depth as i32)) + 1e-6);
    // Patches reach over the box's sides.
    let pad = PATCH - 1;
    let wide = hole.width + 2 * pad;
    let mut sums = vec![[0.0f32; 4]; wide * rows.len()];
    for row in field.rows_over(rows.clone()) {
        let top = field.y(row);
        for column in 0..field.columns {
            let at = row * field.columns + column;
            let Some(source) = field.matched(at) else { continue };
            let left = field.x(column);
            let mut weight = vote_weight(field.distances[at]);
            if !level.layered {
                weight *= deep[usize::from(level.depth(left + PATCH / 2, top + PATCH / 2))];
            }
            let left = left + pad - hole.x;
            for y in rows.start.max(top)..rows.end.min(top + PATCH) {
                let from = &level.picture[source + (y - top) * level.width..][..PATCH];
                let to = &mut sums[(y - rows.start) * wide + left..][..PATCH];
                for ((sum, pixel), place) in to.iter_mut().zip(from).zip(&place[y - top]) {
                    let w = weight * place;
                    let colour = [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]), 1.0];
                    sum.iter_mut().zip(colour).for_each(|(s, c)| *s += w * c);
                }
            }
        }
    }
    let mut out = Vec::with_capacity(hole.width * rows.len());
    for (row, y) in sums.chunks_exact(wide).zip(rows) {
        let present = &level.picture[y * level.width + hole.x..][..hole.width];
        out.extend(row[pad..].iter().zip(present).map(|(&[r, g, b, weight], &old)| {
            if weight <= 0.0 {
                return old;
            }
            let [r, g, b] = [r, g, b].map(|v| (v / weight + 0.5) as u8);
            [r, g, b, old[3]]
        }));
    }
    out
}

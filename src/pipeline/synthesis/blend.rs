//! Takes the seams out: between regions copied from different places, and at the hole's rim.
//!
//! The patches vote for differences between neighbouring pixels as well as for colours. The picture whose differences
//! are the voted ones, held to the known pixels and loosely to the voted colours, solves a screened Poisson equation
//! (Perez et al. 2003, "Poisson Image Editing"; Darabi et al. 2012). Only the correction is solved for, coarse to fine.

use std::sync::{Mutex, PoisonError};

use super::field::Field;
use super::level::{Level, PATCH};
use super::multigrid::solve;
use super::vote::vote_weight;
use crate::pipeline::Rect;
use crate::threads::parallel;

/// Largest difference between neighbouring pixels that counts as a seam, in levels.
const SEAM: f32 = 8.0;
/// Where the voted difference itself is larger, there is an edge, and patches that disagree by half a pixel are no seam.
const EDGE: f32 = 12.0;
/// Over what share of the hole's long side a seam is spread. Further, and the slopes of many small copies would add up
/// to a glow.
const SPREAD: f32 = 0.05;
/// Rows of pixels that one task collects differences for.
const BAND: usize = 32;

/// Corrects the hole's pixels in place.
pub fn blend(level: &mut Level, field: &Field) {
    // One pixel more than the hole on every side, as far as there is one: the rim is a seam like any other.
    let area = level.hole.grown(1, level.width, level.height);
    let (width, height) = (area.width, area.height);
    let index = |at: usize| (area.y + at / width) * level.width + area.x + at % width;
    let free: Vec<bool> = (0..width * height).map(|at| !level.is_known(index(at))).collect();
    let length = (level.hole_side() as f32 * SPREAD).max(8.0);
    let mut sources = vec![[0.0f32; 4]; width * height];
    for (step, beside) in [(1, 1), (level.width, width)] {
        for (at, voted) in differences(level, field, area, step).into_iter().enumerate() {
            let there = if step == 1 { at % width + 1 < width } else { at + width < free.len() };
            if !there || voted[3] <= 0.0 || !(free[at] || free[at + beside]) {
                continue;
            }
            let (a, b) = (level.picture[index(at)], level.picture[index(at) + step]);
            let wanted = [0, 1, 2].map(|c: usize| voted[c] / voted[3]);
            // What the voted difference asks beyond the present one. A larger step is no seam in a sky but something
            // that ends here; all channels together, or colours would appear.
            let steps = [0, 1, 2].map(|c: usize| wanted[c] - (f32::from(b[c]) - f32::from(a[c])));
            if steps.iter().all(|s| s.abs() <= SEAM) && wanted.iter().all(|w| w.abs() <= EDGE) {
                for (channel, step) in steps.into_iter().enumerate() {
                    sources[at][channel] -= step;
                    sources[at + beside][channel] += step;
                }
            }
        }
    }
    let correction = solve(&sources, free, (width, height), 1.0 / (length * length));
    for (at, correction) in correction.into_iter().enumerate() {
        let pixel = index(at);
        if !level.is_known(pixel) {
            for (value, add) in level.picture[pixel].iter_mut().zip(correction).take(3) {
                *value = (f32::from(*value) + add).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// For every pixel of the area: voted differences to the one `step` further, and their weight.
fn differences(level: &Level, field: &Field, area: Rect, step: usize) -> Vec<[f32; 4]> {
    let mut sums = vec![[0.0f32; 4]; area.width * area.height];
    let bands: Vec<Mutex<&mut [[f32; 4]]>> = sums.chunks_mut(BAND * area.width).map(Mutex::new).collect();
    parallel(bands.len(), &|i| {
        let mut band = bands[i].lock().unwrap_or_else(PoisonError::into_inner);
        let first = area.y + i * BAND;
        difference_band(level, field, area, step, first, &mut band);
    });
    drop(bands);
    sums
}

/// Some rows of [`differences`], from pixel row `first` on.
fn difference_band(level: &Level, field: &Field, area: Rect, step: usize, first: usize, band: &mut [[f32; 4]]) {
    let end = first + band.len() / area.width;
    let (columns, rows) = if step == 1 { (PATCH - 1, PATCH) } else { (PATCH, PATCH - 1) };
    for row in field.rows_over(first..end) {
        let top = field.y(row);
        for column in 0..field.columns {
            let at = row * field.columns + column;
            let Some(source) = field.matched(at) else { continue };
            let left = field.x(column);
            let weight = vote_weight(field.distances[at]);
            let over = left.max(area.x)..(left + columns).min(area.x + area.width);
            for y in top.max(first)..(top + rows).min(end) {
                for x in over.clone() {
                    let from = source + (y - top) * level.width + x - left;
                    let (a, b) = (level.picture[from], level.picture[from + step]);
                    let sum = &mut band[(y - first) * area.width + x - area.x];
                    for channel in 0..3 {
                        sum[channel] += weight * (f32::from(b[channel]) - f32::from(a[channel]));
                    }
                    sum[3] += weight;
                }
            }
        }
    }
}

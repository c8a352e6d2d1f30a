//! Takes the seams out: between regions copied from different places, and at the hole's rim.
//!
//! The patches vote for differences between neighbouring pixels as well as for colours. The picture whose differences
//! are the voted ones, held to the known pixels and loosely to the voted colours, solves a screened Poisson equation
//! (Perez et al. 2003, "Poisson Image Editing"; Darabi et al. 2012). Only the correction is solved for, coarse to fine.

use std::sync::{Mutex, PoisonError};

use super::field::Field;
use super::level::{Level, PATCH};
use super::vote::trust;
use crate::pipeline::Rect;
use crate::threads::parallel;

/// Sweeps of Gauss-Seidel on each way through a scale, and V-cycles.
const SWEEPS: usize = 2;
const CYCLES: usize = 5;
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
    let mut sources = vec![[0.0f32; 3]; width * height];
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
    let corrections: [Mutex<Vec<f32>>; 3] = Default::default();
    parallel(3, &|channel| {
        let source: Vec<f32> = sources.iter().map(|s| s[channel]).collect();
        let solved = solve(&source, &free, (width, height), 1.0 / (length * length));
        *corrections[channel].lock().unwrap_or_else(PoisonError::into_inner) = solved;
    });
    for (channel, correction) in corrections.into_iter().enumerate() {
        let correction = correction.into_inner().unwrap_or_else(PoisonError::into_inner);
        for at in (0..free.len()).filter(|&at| free[at]) {
            let pixel = (area.y + at / width) * level.width + area.x + at % width;
            let value = f32::from(level.picture[pixel][channel]) + correction[at];
            level.picture[pixel][channel] = value.round().clamp(0.0, 255.0) as u8;
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
            let weight = trust(field.distances[at]);
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

/// Solves `sum of (e - neighbour) + screen * e = source` over the free pixels; `e` is 0 elsewhere.
fn solve(source: &[f32], free: &[bool], size: (usize, usize), screen: f32) -> Vec<f32> {
    let mut grids = vec![Grid { size, free: free.to_vec(), screen }];
    while let Some(coarser) = grids.last().and_then(Grid::coarser) {
        grids.push(coarser);
    }
    let mut e = vec![0.0; source.len()];
    for _ in 0..CYCLES {
        cycle(&grids, &mut e, source);
    }
    e
}

/// One V-cycle of multigrid (Briggs et al. 2000, "A Multigrid Tutorial").
fn cycle(grids: &[Grid], e: &mut [f32], source: &[f32]) {
    let Some((grid, coarser)) = grids.split_first() else { return };
    if coarser.is_empty() {
        (0..4 * SWEEPS).for_each(|sweep| grid.relax(e, source, sweep % 2 == 0));
        return;
    }
    (0..SWEEPS).for_each(|sweep| grid.relax(e, source, sweep % 2 == 0));
    let residual = grid.restrict(&grid.residual(e, source));
    let mut correction = vec![0.0; residual.len()];
    cycle(coarser, &mut correction, &residual);
    grid.add(e, &correction);
    (0..SWEEPS).for_each(|sweep| grid.relax(e, source, sweep % 2 == 1));
}

/// The equation at one scale.
struct Grid {
    size: (usize, usize),
    free: Vec<bool>,
    screen: f32,
}

impl Grid {
    /// Half the size; a cell is free if all its pixels are.
    fn coarser(&self) -> Option<Self> {
        let (width, height) = self.size;
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        let mut free = vec![true; w * h];
        for (at, &open) in self.free.iter().enumerate() {
            free[at / width / 2 * w + at % width / 2] &= open;
        }
        let worth = width.min(height) > 4 && free.contains(&true);
        worth.then_some(Self { size: (w, h), free, screen: self.screen * 4.0 })
    }

    /// Sum of the neighbours' values and their number.
    #[inline(always)]
    fn around(&self, e: &[f32], at: usize) -> (f32, f32) {
        let (width, height) = self.size;
        let (x, y) = (at % width, at / width);
        let (mut sum, mut count) = (0.0, 0.0);
        let mut neighbour = |there: bool, other: usize| {
            if there {
                sum += e[other];
                count += 1.0;
            }
        };
        neighbour(x > 0, at.wrapping_sub(1));
        neighbour(x + 1 < width, at + 1);
        neighbour(y > 0, at.wrapping_sub(width));
        neighbour(y + 1 < height, at + width);
        (sum, count)
    }

    /// Gauss-Seidel, forwards or backwards.
    fn relax(&self, e: &mut [f32], source: &[f32], forward: bool) {
        for step in 0..e.len() {
            let at = if forward { step } else { e.len() - 1 - step };
            if self.free[at] {
                let (sum, count) = self.around(e, at);
                e[at] = (source[at] + sum) / (count + self.screen);
            }
        }
    }

    fn residual(&self, e: &[f32], source: &[f32]) -> Vec<f32> {
        let left = |at: usize| {
            let (sum, count) = self.around(e, at);
            if self.free[at] { source[at] + sum - (count + self.screen) * e[at] } else { 0.0 }
        };
        (0..e.len()).map(left).collect()
    }

    /// Sums over cells: fluxes add up.
    fn restrict(&self, fine: &[f32]) -> Vec<f32> {
        let (width, height) = self.size;
        let w = width.div_ceil(2);
        let mut coarse = vec![0.0; w * height.div_ceil(2)];
        for (at, value) in fine.iter().enumerate() {
            coarse[at / width / 2 * w + at % width / 2] += value;
        }
        coarse
    }

    /// Adds the coarse correction, bilinearly.
    fn add(&self, e: &mut [f32], coarse: &[f32]) {
        let (width, height) = self.size;
        let (w, h) = (width.div_ceil(2), height.div_ceil(2));
        let side = |at: usize, size: usize| {
            let near = at / 2;
            let far = if at.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(size - 1) };
            (near, far)
        };
        for at in (0..e.len()).filter(|&at| self.free[at]) {
            let ((x0, x1), (y0, y1)) = (side(at % width, w), side(at / width, h));
            let row = |y: usize| 0.75 * coarse[y * w + x0] + 0.25 * coarse[y * w + x1];
            e[at] += 0.75 * row(y0) + 0.25 * row(y1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_step_at_the_rim_is_spread_over_the_hole() {
        // A row of 40 pixels, free in the middle; the difference into the hole asks for a rise of 10.
        let (width, height) = (40, 40);
        let free: Vec<bool> = (0..width * height).map(|at| (10..30).contains(&(at % width))).collect();
        let mut source = vec![0.0; width * height];
        for row in 0..height {
            source[row * width + 10] = 10.0;
        }
        let e = solve(&source, &free, (width, height), 0.0);
        let row = &e[20 * width..21 * width];
        assert!(row[9] == 0.0 && row[30] == 0.0);
        assert!((row[10] - 9.5).abs() < 0.3, "{row:?}");
        assert!((row[20] - 4.8).abs() < 0.5, "{row:?}");
    }
}

//! The nearest-neighbour field: for every patch that touches the hole, the known patch it resembles most.

use std::ops::ControlFlow;

use super::Random;
use super::level::{Level, PATCH};

/// Marks a position without a patch to match.
const NONE: u32 = u32::MAX;
/// How much more known pixels of a patch count than guessed ones: 1 + this.
const KNOWN_EXTRA: u32 = 2;
/// Weight of one guide sample (five stand for the patch's 64 pixels).
const GUIDE: u32 = 2;
/// Passes of propagation and random search per round.
const PASSES: usize = 2;

/// The field of one level.
pub struct Field {
    /// Positions per row and column; position `(i, j)` is the corner `(i, j) * stride`.
    pub columns: usize,
    pub rows: usize,
    pub stride: usize,
    /// Corner of the matched patch, or [`NONE`].
    pub matches: Vec<u32>,
    /// Distance to it.
    pub distances: Vec<u32>,
    /// Whether the patch holds known pixels.
    mixed: Vec<bool>,
    width: usize,
}

impl Field {
    fn empty(level: &Level) -> Self {
        let stride = level.stride;
        // The last patch must reach the border, so that every pixel of the hole is covered.
        let count = |side: usize| (side - PATCH).div_ceil(stride) + 1;
        let (columns, rows) = (count(level.width), count(level.height));
        let mut field = Self {
            columns,
            rows,
            stride,
            matches: vec![NONE; columns * rows],
            distances: vec![u32::MAX; columns * rows],
            mixed: vec![false; columns * rows],
            width: level.width,
        };
        for at in 0..columns * rows {
            let corner = field.corner(level, at);
            if !level.source[corner] {
                field.matches[at] = 0;
                let known = (0..PATCH).any(|dy| (0..PATCH).any(|dx| level.is_known(corner + dy * level.width + dx)));
                field.mixed[at] = known;
            }
        }
        field
    }

    /// The pixel index of a position's corner.
    pub fn corner(&self, level: &Level, at: usize) -> usize {
        let x = (at % self.columns * self.stride).min(level.width - PATCH);
        let y = (at / self.columns * self.stride).min(level.height - PATCH);
        y * level.width + x
    }

    /// The matched corner of a position that has one.
    pub fn matched(&self, at: usize) -> Option<usize> {
        Some(self.matches[at]).filter(|&m| m != NONE).map(|m| m as usize)
    }

    /// Anything goes.
    pub fn random(level: &Level, random: &mut Random) -> Self {
        let mut field = Self::empty(level);
        for matched in field.matches.iter_mut().filter(|m| **m != NONE) {
            *matched = level.sources[random.below(level.sources.len())];
        }
        field
    }

    /// The coarser level's matches at twice the scale.
    pub fn from_coarser(level: &Level, coarse: &Field, random: &mut Random) -> Self {
        let mut field = Self::empty(level);
        for at in 0..field.matches.len() {
            if field.matches[at] == NONE {
                continue;
            }
            let corner = field.corner(level, at);
            let (x, y) = (corner % level.width, corner / level.width);
            let (i, j) =
                ((x / 2 / coarse.stride).min(coarse.columns - 1), (y / 2 / coarse.stride).min(coarse.rows - 1));
            let scaled = coarse.matched(j * coarse.columns + i).and_then(|matched| {
                let (from_x, from_y) = (2 * i * coarse.stride, 2 * j * coarse.stride);
                let qx = (matched % coarse.width * 2 + x).checked_sub(from_x)?;
                let qy = (matched / coarse.width * 2 + y).checked_sub(from_y)?;
                level.source_at(qx, qy)
            });
            field.matches[at] = scaled.unwrap_or_else(|| level.sources[random.below(level.sources.len())]);
        }
        field
    }

    /// Distances of the present matches, after the picture changed.
    pub fn measure(&mut self, level: &Level) {
        for at in 0..self.matches.len() {
            if let Some(matched) = self.matched(at) {
                self.distances[at] = distance(level, self.corner(level, at), matched, self.mixed[at], u32::MAX);
            }
        }
    }

    /// Propagation and random search.
    pub fn improve(
        &mut self,
        level: &Level,
        random: &mut Random,
        progress: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let reach = if self.stride == 1 { level.width.max(level.height) } else { 32 };
        for pass in 0..PASSES {
            let forward = pass % 2 == 0;
            for line in 0..self.rows {
                if line % 8 == 0 {
                    progress((pass as f32 + line as f32 / self.rows as f32) / PASSES as f32)?;
                }
                let row = if forward { line } else { self.rows - 1 - line };
                for step in 0..self.columns {
                    let column = if forward { step } else { self.columns - 1 - step };
                    self.improve_at(level, random, (column, row), forward, reach);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn improve_at(
        &mut self,
        level: &Level,
        random: &mut Random,
        (column, row): (usize, usize),
        forward: bool,
        reach: usize,
    ) {
        let at = row * self.columns + column;
        let Some(matched) = self.matched(at) else { return };
        let corner = self.corner(level, at);
        let (x, y) = (corner % level.width, corner / level.width);
        let mut best = Best { corner, mixed: self.mixed[at], matched, distance: self.distances[at] };
        let before = |index: usize, limit: usize| {
            if forward { index.checked_sub(1) } else { Some(index + 1).filter(|&i| i < limit) }
        };
        let beside = before(column, self.columns).map(|column| row * self.columns + column);
        let above = before(row, self.rows).map(|row| row * self.columns + column);
        for other in [beside, above].into_iter().flatten() {
            let Some(matched) = self.matched(other) else { continue };
            let from = self.corner(level, other);
            let (fx, fy) = (from % level.width, from / level.width);
            let qx = (matched % level.width + x).checked_sub(fx);
            let qy = (matched / level.width + y).checked_sub(fy);
            best.consider(level, qx, qy);
        }
        let mut radius = reach;
        while radius >= 1 {
            let (bx, by) = (best.matched % level.width, best.matched / level.width);
            let qx = (bx + random.below(2 * radius + 1)).checked_sub(radius);
            let qy = (by + random.below(2 * radius + 1)).checked_sub(radius);
            best.consider(level, qx, qy);
            radius /= 2;
        }
        self.matches[at] = best.matched as u32;
        self.distances[at] = best.distance;
    }
}

/// The best match of one patch so far.
struct Best {
    corner: usize,
    mixed: bool,
    matched: usize,
    distance: u32,
}

impl Best {
    fn consider(&mut self, level: &Level, x: Option<usize>, y: Option<usize>) {
        let Some(candidate) = x.zip(y).and_then(|(x, y)| level.source_at(x, y)) else { return };
        let found = distance(level, self.corner, candidate as usize, self.mixed, self.distance);
        if found < self.distance {
            (self.distance, self.matched) = (found, candidate as usize);
        }
    }
}

impl Level {
    /// The corner at these coordinates, if its patch is fully known.
    fn source_at(&self, x: usize, y: usize) -> Option<u32> {
        let inside = x < self.width && y < self.height;
        let index = y * self.width + x;
        (inside && self.source[index]).then_some(index as u32)
    }
}

/// Squared difference of two patches; stops early once it exceeds `limit`.
fn distance(level: &Level, target: usize, source: usize, mixed: bool, limit: u32) -> u32 {
    let width = level.width;
    // Neighbours resemble each other: far patches must be better to be taken.
    let away = (target % width).abs_diff(source % width).max((target / width).abs_diff(source / width));
    let mut sum = away as u32 * level.far;
    if sum >= limit {
        return sum;
    }
    if !level.guide.is_empty() {
        let corners = [0, PATCH - 1, PATCH / 2 * width + PATCH / 2, (PATCH - 1) * width, (PATCH - 1) * (width + 1)];
        for offset in corners {
            sum += GUIDE * pixel(level.guide[target + offset], level.guide[source + offset]);
        }
        if sum >= limit {
            return sum;
        }
    }
    for row in 0..PATCH {
        let (t, s) = (target + row * width, source + row * width);
        let (a, b) = (level.picture[t..t + PATCH].as_flattened(), level.picture[s..s + PATCH].as_flattened());
        sum += difference(a, b);
        if mixed {
            sum += KNOWN_EXTRA * masked(a, b, level.known[t..t + PATCH].as_flattened());
        }
        if sum >= limit {
            return sum;
        }
    }
    sum
}

fn pixel(a: [u8; 4], b: [u8; 4]) -> u32 {
    (0..4).map(|c| u32::from(a[c].abs_diff(b[c])).pow(2)).sum()
}

/// Sum of squared differences of one row; written so that it becomes SIMD.
#[inline(always)]
fn difference(a: &[u8], b: &[u8]) -> u32 {
    let mut sum = 0i32;
    for (&a, &b) in a[..4 * PATCH].iter().zip(&b[..4 * PATCH]) {
        let d = i16::from(a) - i16::from(b);
        sum += i32::from(d) * i32::from(d);
    }
    sum as u32
}

/// As [`difference`], over known pixels of the target only.
#[inline(always)]
fn masked(a: &[u8], b: &[u8], known: &[u8]) -> u32 {
    let mut sum = 0i32;
    for ((&a, &b), &k) in a[..4 * PATCH].iter().zip(&b[..4 * PATCH]).zip(&known[..4 * PATCH]) {
        let d = i16::from(a & k) - i16::from(b & k);
        sum += i32::from(d) * i32::from(d);
    }
    sum as u32
}

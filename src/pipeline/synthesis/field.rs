//! The nearest-neighbour field: for every patch that touches the hole, the known patch it resembles most.

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;

use super::Random;
use super::difference::{difference, masked};
use super::level::{Level, PATCH};
use super::patch_variance::PatchVariance;
use super::reuse_penalty::ReusePenalty;
use super::search::{Match, NONE, Search};
use super::self_similarity::Offset;
use super::smoothness::Smoothness;
use crate::threads::parallel;

/// Known pixels of a patch count 1 + this many times as much as guessed ones.
const KNOWN_EXTRA: u32 = 2;
/// Weight of one guide sample (five stand for the patch's 64 pixels).
const GUIDE: u32 = 1;
/// Levels with at most this many patch positions arrange the hole: there it costs more to copy a place often, or to copy
/// something smoother than its surroundings. Finer levels keep what these arranged. The pieces of a layered scene may be
/// copied as often as they fit.
const MAX_ARRANGED_PATCHES: usize = 8_000;
/// Passes of propagation and random search per round.
const PASSES: usize = 2;
/// Rows of positions that one task improves, one after another. Tasks see each other's rows only between passes, so
/// that the result does not depend on the number of threads.
const BAND: usize = 16;

/// The field of one level: positions lie on a grid over the box of all patches that touch the hole.
pub struct Field {
    /// Positions per row and column; see [`Field::corner`].
    pub columns: usize,
    pub rows: usize,
    pub stride: usize,
    /// Corner of position (0, 0).
    pub origin: (usize, usize),
    /// Corner of the matched patch, or [`NONE`].
    pub matches: Vec<u32>,
    /// Distance to it.
    pub distances: Vec<u32>,
    /// Whether the patch holds known pixels.
    mixed: Vec<bool>,
    width: usize,
    height: usize,
    reuse_penalty: ReusePenalty,
    smoothness: Smoothness,
}

impl Field {
    fn empty(level: &Level) -> Self {
        let (stride, hole) = (level.stride, level.hole);
        let (x, y) = ((hole.x + 1).saturating_sub(PATCH), (hole.y + 1).saturating_sub(PATCH));
        // The last patch must reach the end, so that every pixel of the hole is covered.
        let count = |first: usize, end: usize, side: usize| ((end - 1).min(side - PATCH) - first).div_ceil(stride) + 1;
        let columns = count(x.min(level.width - PATCH), hole.x + hole.width, level.width);
        let rows = count(y.min(level.height - PATCH), hole.y + hole.height, level.height);
        let mut field = Self {
            columns,
            rows,
            stride,
            origin: (x.min(level.width - PATCH), y.min(level.height - PATCH)),
            matches: vec![NONE; columns * rows],
            distances: vec![u32::MAX; columns * rows],
            mixed: vec![false; columns * rows],
            width: level.width,
            height: level.height,
            reuse_penalty: ReusePenalty::default(),
            smoothness: Smoothness::default(),
        };
        if level.patches() <= MAX_ARRANGED_PATCHES {
            let variance = PatchVariance::of(level);
            if !level.layered {
                field.reuse_penalty = ReusePenalty::of(&variance);
            }
            field.smoothness = Smoothness::of(level, &variance);
        }
        for at in 0..columns * rows {
            let corner = field.corner(at);
            if !level.source[corner] {
                field.matches[at] = 0;
                let known = (0..PATCH).any(|dy| (0..PATCH).any(|dx| level.is_known(corner + dy * level.width + dx)));
                field.mixed[at] = known;
            }
        }
        field
    }

    /// The pixel index of a position's corner.
    pub fn corner(&self, at: usize) -> usize {
        self.y(at / self.columns) * self.width + self.x(at % self.columns)
    }

    /// The position whose patch has this pixel nearest to its middle.
    pub fn around(&self, x: usize, y: usize) -> usize {
        let corner = |at: usize| (at + self.stride / 2).saturating_sub(PATCH / 2);
        let (column, row) = self.position(corner(x), corner(y));
        row * self.columns + column
    }

    /// Column and row of the last position whose corner is not beyond this one, or of the nearest there is.
    fn position(&self, x: usize, y: usize) -> (usize, usize) {
        let index = |at: usize, origin: usize, count: usize| (at.saturating_sub(origin) / self.stride).min(count - 1);
        (index(x, self.origin.0, self.columns), index(y, self.origin.1, self.rows))
    }

    /// Left column of the patches of a column of positions.
    pub fn x(&self, column: usize) -> usize {
        (self.origin.0 + column * self.stride).min(self.width - PATCH)
    }

    /// Top row of the patches of a row of positions.
    pub fn y(&self, row: usize) -> usize {
        (self.origin.1 + row * self.stride).min(self.height - PATCH)
    }

    /// Rows of positions whose patches reach into these pixel rows.
    pub fn rows_over(&self, pixels: Range<usize>) -> Range<usize> {
        let first = (0..self.rows).find(|&row| self.y(row) + PATCH > pixels.start).unwrap_or(self.rows);
        let end = (first..self.rows).find(|&row| self.y(row) >= pixels.end).unwrap_or(self.rows);
        first..end
    }

    /// The matched corner of a position that has one.
    pub fn matched(&self, at: usize) -> Option<usize> {
        Some(self.matches[at]).filter(|&m| m != NONE).map(|m| m as usize)
    }

    /// Mean distance of all matches.
    pub fn mismatch(&self) -> f64 {
        let matched = self.matches.iter().zip(&self.distances).filter(|(m, _)| **m != NONE);
        let (sum, count) = matched.fold((0.0, 0.0), |(sum, count), (_, d)| (sum + f64::from(*d), count + 1.0));
        sum / f64::max(count, 1.0)
    }

    /// Every patch with a random source.
    pub fn random(level: &Level, random: &mut Random) -> Self {
        let mut field = Self::empty(level);
        for matched in field.matches.iter_mut().filter(|m| **m != NONE) {
            *matched = level.sources[random.below(level.sources.len())];
        }
        field
    }

    /// Every patch from where its middle, or else some pixel of it, was taken.
    pub fn from_offsets(level: &Level, offsets: &[Option<Offset>], random: &mut Random) -> Self {
        const PLACES: [usize; 3] = [PATCH / 2, 0, PATCH - 1];
        let mut field = Self::empty(level);
        let hole = level.hole;
        for at in 0..field.matches.len() {
            if field.matches[at] == NONE {
                continue;
            }
            let (x, y) = (field.x(at % field.columns), field.y(at / field.columns));
            let places = PLACES.into_iter().flat_map(|dy| PLACES.into_iter().map(move |dx| (x + dx, y + dy)));
            let matched = |(px, py): (usize, usize)| {
                let column = px.checked_sub(hole.x).filter(|&c| c < hole.width)?;
                let row = py.checked_sub(hole.y).filter(|&r| r < hole.height)?;
                let (dx, dy) = offsets[row * hole.width + column]?;
                level.source_at(x.checked_add_signed(dx as isize)?, y.checked_add_signed(dy as isize)?)
            };
            let found = places.filter_map(matched).next();
            field.matches[at] = found.unwrap_or_else(|| level.sources[random.below(level.sources.len())]);
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
            let corner = field.corner(at);
            let (x, y) = (corner % level.width, corner / level.width);
            let (i, j) = coarse.position(x / 2, y / 2);
            let scaled = coarse.matched(j * coarse.columns + i).and_then(|matched| {
                let qx = (matched % coarse.width * 2 + x).checked_sub(2 * coarse.x(i))?;
                let qy = (matched / coarse.width * 2 + y).checked_sub(2 * coarse.y(j))?;
                level.source_at(qx, qy)
            });
            field.matches[at] = scaled.unwrap_or_else(|| level.sources[random.below(level.sources.len())]);
        }
        field
    }

    /// Distances of the present matches, after the picture changed, then propagation and random search.
    pub fn improve(
        &mut self,
        level: &Level,
        random: &mut Random,
        progress: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        progress(0.0)?;
        let copied = self.matches.iter().filter(|m| **m != NONE).map(|m| *m as usize);
        self.reuse_penalty.count(level, copied);
        for pass in 0..PASSES {
            let seed = (u64::from(random.next()) << 32) | u64::from(random.next());
            for parity in 0..2 {
                self.pass(level, pass, parity, seed);
                progress((pass as f32 + 0.5 * (parity + 1) as f32) / PASSES as f32)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// One pass over every second band. The first pass of a round also measures the distances anew.
    fn pass(&mut self, level: &Level, pass: usize, parity: usize, seed: u64) {
        let (columns, rows) = (self.columns, self.rows);
        let measure = pass == 0;
        let row_of = |row: Option<usize>| -> Vec<u32> {
            row.filter(|&row| row < rows).map_or(Vec::new(), |row| self.matches[row * columns..][..columns].to_vec())
        };
        let count = rows.div_ceil(BAND);
        let beside: Vec<Vec<u32>> =
            (0..count)
                .map(|i| {
                    if pass.is_multiple_of(2) {
                        row_of((i * BAND).checked_sub(1))
                    } else {
                        row_of(Some((i + 1) * BAND))
                    }
                })
                .collect();
        let mut matches = std::mem::take(&mut self.matches);
        let mut distances = std::mem::take(&mut self.distances);
        let bands: Vec<Mutex<Band<'_>>> = matches
            .chunks_mut(BAND * columns)
            .zip(distances.chunks_mut(BAND * columns))
            .zip(&beside)
            .enumerate()
            .filter(|(i, _)| i % 2 == parity)
            .map(|(i, ((matches, distances), beside))| {
                let random = Random::new(seed ^ (i as u64).wrapping_mul(0xd134_2543_de82_ef95));
                Mutex::new(Band { field: self, level, first: i * BAND, matches, distances, beside, random })
            })
            .collect();
        parallel(bands.len(), &|i| {
            if let Ok(mut band) = bands[i].lock() {
                band.improve(pass.is_multiple_of(2), measure);
            }
        });
        drop(bands);
        (self.matches, self.distances) = (matches, distances);
    }
}

/// Some rows of the field, improved by one task.
struct Band<'a> {
    field: &'a Field,
    level: &'a Level,
    /// Index of its first row.
    first: usize,
    matches: &'a mut [u32],
    distances: &'a mut [u32],
    /// The matches of the row that lies before the band on the way of the pass; may be empty.
    beside: &'a [u32],
    random: Random,
}

impl Band<'_> {
    fn improve(&mut self, forward: bool, measure: bool) {
        let columns = self.field.columns;
        let rows = self.matches.len() / columns;
        if measure {
            for at in 0..self.matches.len() {
                if self.matches[at] != NONE {
                    let whole = self.first * columns + at;
                    let (corner, mixed) = (self.field.corner(whole), self.field.mixed[whole]);
                    self.distances[at] =
                        distance(self.field, self.level, corner, self.matches[at] as usize, mixed, u32::MAX);
                }
            }
        }
        for line in 0..rows {
            let row = if forward { line } else { rows - 1 - line };
            for step in 0..columns {
                let column = if forward { step } else { columns - 1 - step };
                self.improve_at(column, row, forward);
            }
        }
    }

    fn improve_at(&mut self, column: usize, row: usize, forward: bool) {
        let (field, level) = (self.field, self.level);
        let columns = field.columns;
        let at = row * columns + column;
        if self.matches[at] == NONE {
            return;
        }
        let whole = (self.first + row) * columns + column;
        let corner = field.corner(whole);
        let (x, y) = (field.x(column), field.y(self.first + row));
        let mixed = field.mixed[whole];
        let mut search = Search {
            level,
            corner: (x, y),
            distance: |other, limit| distance(field, level, corner, other, mixed, limit),
            best: Match { corner: self.matches[at], distance: self.distances[at] },
        };
        let before = |index: usize, limit: usize| {
            if forward { index.checked_sub(1) } else { Some(index + 1).filter(|&i| i < limit) }
        };
        if let Some(other) = before(column, columns) {
            search.propagate((field.x(other), y), self.matches[row * columns + other]);
        }
        let above = match before(row, self.matches.len() / columns) {
            Some(other) => self.matches[other * columns + column],
            None => self.beside.get(column).copied().unwrap_or(NONE),
        };
        if above != NONE {
            let global = self.first + row;
            let other = if forward { global - 1 } else { global + 1 };
            search.propagate((x, field.y(other)), above);
        }
        search.search_around(&mut self.random, level.reach);
        (self.matches[at], self.distances[at]) = (search.best.corner, search.best.distance);
    }
}

impl Level {
    /// What it costs to copy from so far: neighbours resemble each other, so far patches must match better.
    #[inline(always)]
    pub fn distance_cost(&self, target: usize, source: usize) -> u32 {
        let across = (target % self.width).abs_diff(source % self.width) as u32;
        let down = (target / self.width).abs_diff(source / self.width) as u32;
        (across * self.away.0).max(down * self.away.1)
    }

    /// The corner at these coordinates, if its patch is fully known.
    #[inline(always)]
    pub fn source_at(&self, x: usize, y: usize) -> Option<u32> {
        let inside = x < self.width && y < self.height;
        let index = y * self.width + x;
        (inside && self.source[index]).then_some(index as u32)
    }
}

/// Squared difference of two patches, and what copying this one costs; stops early once it exceeds `limit`.
fn distance(field: &Field, level: &Level, target: usize, source: usize, mixed: bool, limit: u32) -> u32 {
    let width = level.width;
    let mut sum =
        level.distance_cost(target, source) + field.reuse_penalty.cost(source) + field.smoothness.cost(target, source);
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
        let (a, b) = (&level.picture[t..t + PATCH], &level.picture[s..s + PATCH]);
        sum += difference(a, b);
        if mixed {
            sum += KNOWN_EXTRA * masked(a, b, &level.known[t..t + PATCH]);
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

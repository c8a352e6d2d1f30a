//! How a photo resembles itself: the offsets from known patches to their nearest neighbours (He and Sun 2012, "Statistics
//! of Patch Offsets for Image Completion").

use crate::ordering;
use std::cmp::Reverse;

use super::Random;
use super::difference::difference;
use super::level::{Level, PATCH};
use super::search::{Match, Search};

/// Across and down, in pixels.
pub type Offset = (i32, i32);

/// Offsets that the pieces of a hole may be moved by.
const MAX_OFFSETS: usize = 40;
/// Passes of propagation and random search.
const PASSES: usize = 3;
/// Patches at every so many pixels search for their nearest neighbour.
const STEP: usize = 2;
/// Patches anywhere in the photo that each patch is compared with in every pass.
const RANDOM_SAMPLES: usize = 2;

/// The offsets under which the known part of a level resembles itself.
pub struct SelfSimilarity {
    offsets: Vec<Offset>,
    width: i32,
    height: i32,
    hole_side: usize,
}

impl SelfSimilarity {
    /// Of one level, by propagation and random search.
    pub fn of(level: &Level, random: &mut Random) -> Self {
        let (width, height) = (level.width, level.height);
        let is_sampled =
            |s: &&u32| (**s as usize % width).is_multiple_of(STEP) && (**s as usize / width).is_multiple_of(STEP);
        let patches: Vec<usize> = level.sources.iter().filter(is_sampled).map(|&s| s as usize).collect();
        let mut best = vec![Match::NOTHING; width * height];
        for pass in 0..PASSES {
            let forward = pass % 2 == 0;
            for step in 0..patches.len() {
                let patch = patches[if forward { step } else { patches.len() - 1 - step }];
                best[patch] = improve(level, &best, patch, forward, random);
            }
        }
        let offset = |&patch: &usize| {
            let (x, y) = best[patch].position(width)?;
            Some((x as i32 - (patch % width) as i32, y as i32 - (patch / width) as i32))
        };
        let offsets = patches.iter().filter_map(offset).collect();
        Self { offsets, width: width as i32, height: height as i32, hole_side: level.hole_side() }
    }

    /// Share of the offsets that go straight across or straight down, whichever is more, from 0 to 1.
    pub fn layered(&self) -> f32 {
        self.straight((self.hole_side / 24).max(1) as i32).count() as f32 / self.offsets.len().max(1) as f32
    }

    /// Offsets that leave the straight way by at most `near` pixels.
    fn straight(&self, near: i32) -> impl Iterator<Item = Offset> {
        let is_across = move |offset: &&Offset| offset.1.abs() <= near;
        let is_down = move |offset: &&Offset| offset.0.abs() <= near;
        let across = self.offsets.iter().filter(is_across).count();
        let down = self.offsets.iter().filter(is_down).count();
        let is_straight = move |offset: &&Offset| if across >= down { is_across(offset) } else { is_down(offset) };
        self.offsets.iter().filter(is_straight).copied()
    }

    /// The most frequent straight offsets, with their opposites, no two next to each other.
    pub fn peaks(&self) -> Vec<Offset> {
        let (w, h) = ((2 * self.width + 1) as usize, (2 * self.height + 1) as usize);
        let histogram = self.histogram(w, h);
        let mut peaks = Vec::new();
        for y in 2..h - 2 {
            for x in 2..w - 2 {
                let own = (histogram[y * w + x], Reverse((y, x)));
                let around = |j: usize, i: usize| (histogram[j * w + i], Reverse((j, i)));
                if own.0 > 0 && (y - 2..=y + 2).all(|j| (x - 2..=x + 2).all(|i| around(j, i) <= own)) {
                    peaks.push(own);
                }
            }
        }
        ordering::sort_by(&mut peaks, |a, b| b.cmp(a));
        peaks.truncate(MAX_OFFSETS);
        peaks.into_iter().map(|(_, Reverse((y, x)))| (x as i32 - self.width, y as i32 - self.height)).collect()
    }

    /// How often each straight offset and its opposite occur, smoothed by a 3x3 binomial kernel. The middle of the `w` x
    /// `h` bins is no offset.
    fn histogram(&self, w: usize, h: usize) -> Vec<u32> {
        let mut histogram = vec![0u32; w * h];
        for (dx, dy) in self.straight(1) {
            for (dx, dy) in [(dx, dy), (-dx, -dy)] {
                let (x, y) = ((dx + self.width) as usize, (dy + self.height) as usize);
                for (oy, ky) in [(0, 1), (1, 2), (2, 1)] {
                    for (ox, kx) in [(0, 1), (1, 2), (2, 1)] {
                        let bin = (y + oy).saturating_sub(1) * w + (x + ox).saturating_sub(1);
                        if let Some(count) = histogram.get_mut(bin) {
                            *count += kx * ky;
                        }
                    }
                }
            }
        }
        histogram
    }
}

/// The match of one patch after a step of the search; `forward` goes from left to right and from top to bottom.
fn improve(level: &Level, best: &[Match], patch: usize, forward: bool, random: &mut Random) -> Match {
    let (width, height) = (level.width, level.height);
    let (x, y) = (patch % width, patch / width);
    // Nearer neighbours only tell that pictures are smooth.
    let min_offset = level.hole_side() / 2;
    let distance = |other: usize, limit: u32| {
        let offset = x.abs_diff(other % width).max(y.abs_diff(other / width));
        if offset >= min_offset { squared_difference(level, patch, other, limit) } else { u32::MAX }
    };
    let mut search = Search { level, corner: (x, y), distance, best: best[patch] };
    let neighbours = if forward {
        [(x.checked_sub(STEP), Some(y)), (Some(x), y.checked_sub(STEP))]
    } else {
        [(Some(x + STEP), Some(y)), (Some(x), Some(y + STEP))]
    };
    let inside = neighbours.into_iter().filter_map(|(x, y)| x.zip(y)).filter(|&(x, y)| x < width && y < height);
    for (x, y) in inside {
        search.propagate((x, y), best[y * width + x].corner);
    }
    for _ in 0..RANDOM_SAMPLES {
        let any = level.sources[random.below(level.sources.len())] as usize;
        search.consider(Some(any % width), Some(any / width));
    }
    search.search_around(random, width.max(height) / 2);
    search.best
}

/// Squared difference of two known patches; stops early once it reaches `limit`.
fn squared_difference(level: &Level, a: usize, b: usize, limit: u32) -> u32 {
    let mut sum = 0;
    for row in 0..PATCH {
        let row = |at: usize| &level.picture[at + row * level.width..][..PATCH];
        sum += difference(row(a), row(b));
        if sum >= limit {
            break;
        }
    }
    sum
}

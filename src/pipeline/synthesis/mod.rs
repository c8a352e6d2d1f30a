//! Fills a hole with the photo's own detail: multi-scale PatchMatch, guided by a network's picture where there is one.
//!
//! Coarse to fine, every patch that touches the hole looks for its nearest neighbour among fully known patches
//! (Barnes et al. 2009, "PatchMatch"), and the hole's pixels are voted by the patches that cover them (Wexler et al.
//! 2007). A guide adds the distance between blurred pictures to the match. Without one, the first guess grows from the
//! rim inwards (`peel`); a layered scene, such as a horizon, is laid out in large pieces instead (`offset_labelling`). Known
//! pixels are never changed, and the result is the same for any number of threads.

mod blend;
mod difference;
mod field;
mod grain;
mod level;
mod multigrid;
mod offset_labelling;
mod patch_variance;
mod peel;
mod reuse_penalty;
mod search;
mod self_similarity;
mod smoothness;
mod vote;

use std::ops::ControlFlow;

use super::Rect;
use super::resample::extend;
use crate::engine::run::cancelled;
use crate::error::Result;
use field::Field;
use grain::Grain;
use level::Level;
use self_similarity::{Offset, SelfSimilarity};

/// One hole in a window of the photo.
pub struct Request<'a> {
    /// Width of the window in pixels.
    pub width: usize,
    /// Height of the window in pixels.
    pub height: usize,
    /// `width * height * 3` bytes; with `guided`, the hole holds the network's picture.
    pub rgb: &'a [u8],
    /// Pixels to be filled.
    pub hole: &'a [bool],
    /// Pixels that are known, so that detail may be copied from them; disjoint from `hole`.
    pub usable: &'a [bool],
    /// Whether the hole's pixels are a guide.
    pub guided: bool,
    /// Another seed gives another variant.
    pub seed: u64,
}

/// How much of the photo around a hole detail is taken from, in pixels on every side.
pub fn margin(hole: Rect) -> usize {
    let longest = hole.width.max(hole.height);
    longest.clamp(200, 1200)
}

/// Smallest side on which patches make sense.
const SMALLEST: usize = 24;
/// Levels with at most this many patches are cheap, and how often they are tried.
const CHEAP: usize = 3_000;
const TRIES: usize = 3;
/// Share of patches whose nearest neighbour lies straight beside or straight above them, from which a scene is layered.
/// Open country and walls of planks have more than 0.4, other photos less than 0.3.
const LAYERED: f32 = 0.35;
/// Long side of the hole, in pixels, from which layers show, and up to which they are looked for.
const MIN_LAYERED_HOLE: usize = 48;
const MAX_LAYERED_HOLE: usize = 160;
/// Rounds on pieces that lie where they belong already.
const LAYERED_ROUNDS: usize = 3;

/// `width * height * 3` bytes: known pixels as they were, the hole filled. `cancelled` if `progress` breaks off.
///
/// Without a single usable patch (tiny photos), the hole continues its surroundings smoothly.
pub fn synthesize(request: &Request<'_>, progress: &mut dyn FnMut(f32) -> ControlFlow<()>) -> Result<Vec<u8>> {
    let mut levels = vec![Level::finest(request)];
    while let Some(coarser) = levels.last().and_then(Level::coarser) {
        levels.push(coarser);
    }
    levels.retain(|level| !level.sources.is_empty());
    let mut out = request.rgb.to_vec();
    if levels.is_empty()
        || request.width.min(request.height) < SMALLEST
        || levels.len() == 1 && levels[0].width < request.width
    {
        smooth(request, &mut out);
        return Ok(out);
    }
    let stretch = levels.last().map_or(1.0, Level::stretch);
    levels.iter_mut().for_each(|level| level.stretch_by(stretch));
    let mut random = Random::new(request.seed);
    let pieces = lay_out(&mut levels, &mut random);
    // A part of the structure is luck: where it is cheap, it is tried several times, and what matches best goes on.
    let cheap = levels.iter().position(|level| level.patches() <= CHEAP).unwrap_or(levels.len());
    let tries = if pieces.is_some() { 1 } else { TRIES };
    let coarse = levels.split_off(cheap);
    let work = |levels: &[Level]| levels.iter().map(Level::work).sum::<f32>();
    let total = (tries as f32 * work(&coarse) + work(&levels)).max(1.0);
    let mut climb = Climb { random, pieces, total, done: 0.0, progress };
    let mut best: Option<(Level, Field)> = None;
    for attempt in 0..tries {
        // With a guide, every second try starts without it: the rim may know better what goes on.
        let from_rim = attempt % 2 == 1;
        let tried = climb.up(coarse.clone(), None, from_rim)?;
        let better = |(_, field): &(Level, Field)| best.as_ref().is_none_or(|(_, b)| field.mismatch() < b.mismatch());
        best = tried.filter(better).or(best);
    }
    let finest = match climb.up(levels, best.as_ref().map(|(_, field)| field), false)? {
        Some(finest) => Some(finest),
        None => best,
    };
    if let Some((mut level, field)) = finest {
        let grain = Grain::of(&level, &field);
        blend::blend(&mut level, &field);
        grain.add(&mut level);
        write(request, &level, &mut out);
    }
    Ok(out)
}

/// The way from coarse to fine.
struct Climb<'a> {
    random: Random,
    /// For a layered scene, what the coarsest level starts from.
    pieces: Option<Vec<Option<Offset>>>,
    total: f32,
    done: f32,
    progress: &'a mut dyn FnMut(f32) -> ControlFlow<()>,
}

impl Climb<'_> {
    /// Through these levels, the last one first; gives the finest, or `None` without any.
    fn up(&mut self, mut levels: Vec<Level>, below: Option<&Field>, from_rim: bool) -> Result<Option<(Level, Field)>> {
        let mut found: Option<(Level, Field)> = None;
        while let Some(mut level) = levels.pop() {
            let mut rounds = level.rounds();
            let mut field = match (found.as_ref().map(|(_, field)| field).or(below), &self.pieces) {
                (Some(coarse), _) => {
                    let field = Field::from_coarser(&level, coarse, &mut self.random);
                    vote::vote(&mut level, &field);
                    field
                }
                (None, Some(pieces)) => {
                    rounds = LAYERED_ROUNDS;
                    Field::from_offsets(&level, pieces, &mut self.random)
                }
                (None, None) => {
                    if level.guide.is_empty() || from_rim {
                        peel::peel(&mut level);
                    }
                    Field::random(&level, &mut self.random)
                }
            };
            let (done, work) = (self.done, level.work());
            for round in 0..rounds {
                let share = |part: f32| (done + work * (round as f32 + part) / rounds as f32) / self.total;
                let mut tell = |part: f32| (self.progress)(share(part));
                if field.improve(&level, &mut self.random, &mut tell).is_break() {
                    return Err(cancelled());
                }
                vote::vote(&mut level, &field);
            }
            self.done += work;
            found = Some((level, field));
        }
        Ok(found)
    }
}

/// If the scene is layered, drops the levels that are too coarse to see it, arranges pieces on the coarsest that is
/// left, and forgets the guide: lines that go on from both sides are surer than what a network imagines between them.
fn lay_out(levels: &mut Vec<Level>, random: &mut Random) -> Option<Vec<Option<Offset>>> {
    let middle = levels.iter().rposition(|level| level.hole_side() >= MIN_LAYERED_HOLE)?;
    if levels[middle].hole_side() > MAX_LAYERED_HOLE {
        return None;
    }
    let similarity = SelfSimilarity::of(&levels[middle], random);
    if similarity.layered() < LAYERED {
        return None;
    }
    levels.truncate(middle + 1);
    levels.iter_mut().for_each(Level::forget_guide);
    levels.last_mut().map(|level| {
        level.continue_smoothly();
        offset_labelling::arrange(level, &similarity)
    })
}

fn write(request: &Request<'_>, level: &Level, out: &mut [u8]) {
    for ((target, &hole), pixel) in out.chunks_exact_mut(3).zip(request.hole).zip(&level.picture) {
        if hole {
            target.copy_from_slice(&pixel[..3]);
        }
    }
}

/// Continues the surroundings smoothly; a guide stays as it is.
fn smooth(request: &Request<'_>, out: &mut [u8]) {
    if request.guided {
        return;
    }
    let weight: Vec<f32> = request.usable.iter().map(|&u| if u { 1.0 } else { 0.0 }).collect();
    for channel in 0..3 {
        let values: Vec<f32> = request.rgb.chunks_exact(3).map(|p| f32::from(p[channel])).collect();
        let values = extend(&values, &weight, (request.width, request.height));
        for (at, _) in request.hole.iter().enumerate().filter(|(_, hole)| **hole) {
            out[at * 3 + channel] = values[at].round().clamp(0.0, 255.0) as u8;
        }
    }
}

/// SplitMix64 (Steele et al. 2014): the same numbers on every machine.
pub struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }

    /// 0 to `limit - 1`.
    fn below(&mut self, limit: usize) -> usize {
        ((u64::from(self.next()) * limit as u64) >> 32) as usize
    }
}

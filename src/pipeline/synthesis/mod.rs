//! Fills a hole with the photo's own detail: multi-scale PatchMatch, guided by a network's picture where there is one.
//!
//! Coarse to fine, every patch that touches the hole looks for its nearest neighbour among fully known patches
//! (Barnes et al. 2009, "PatchMatch"), and the hole's pixels are voted by the patches that cover them (Wexler et al.
//! 2007). A guide adds the distance between blurred pictures to the match. Known pixels are never changed.

mod blend;
mod field;
mod level;
mod vote;

use std::ops::ControlFlow;

use super::Rect;
use super::resample::extend;
use crate::engine::cancelled;
use crate::error::Result;
use field::Field;
use level::Level;

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
    (longest * 3 / 4).clamp(160, 1200)
}

/// Smallest side on which patches make sense.
const SMALLEST: usize = 24;

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
    let total: f32 = levels.iter().map(Level::work).sum::<f32>().max(1.0);
    let mut done = 0.0;
    let mut random = Random::new(request.seed);
    let mut last: Option<Field> = None;
    while let Some(mut level) = levels.pop() {
        let mut field = match &last {
            Some(coarse) => Field::from_coarser(&level, coarse, &mut random),
            None => Field::random(&level, &mut random),
        };
        if last.is_some() {
            vote::vote(&mut level, &field);
        }
        let work = level.work();
        let rounds = level.rounds();
        for round in 0..rounds {
            let mut tell = |share: f32| progress((done + work * (round as f32 + share) / rounds as f32) / total);
            field.measure(&level);
            if field.improve(&level, &mut random, &mut tell).is_break() {
                return Err(cancelled());
            }
            let finishing = levels.is_empty() && round + 1 == rounds;
            vote::vote(&mut level, &field);
            if finishing {
                blend::blend(&mut level, &field);
            }
        }
        done += work;
        if levels.is_empty() {
            write(request, &level, &mut out);
        }
        last = Some(field);
    }
    Ok(out)
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

//! The first guess where there is no guide: from the rim inwards, each pixel from the known place that resembles its
//! surroundings most (Criminisi et al. 2004; Newson et al. 2014, "onion peel").

use super::level::{Level, PATCH};

/// How many times more known pixels count than pixels that were filled already.
const KNOWN: u32 = 3;
/// Most comparisons of two patches; beyond that only some sources are considered. It matters for narrow pictures, which
/// have no coarse levels.
const MAX_COMPARISONS: usize = 3_000_000;

/// Fills the hole of the coarsest level, one ring after another.
pub fn peel(level: &mut Level) {
    let (width, height) = (level.width, level.height);
    let mut open: Vec<bool> = (0..width * height).map(|at| !level.is_known(at)).collect();
    let count = open.iter().filter(|&&open| open).count();
    let step = (count * level.sources.len()).div_ceil(MAX_COMPARISONS).max(1);
    let sources: Vec<usize> = level.sources.iter().step_by(step).map(|&source| source as usize).collect();
    loop {
        let at_rim = |&at: &usize| {
            let (x, y) = (at % width, at / width);
            open[at]
                && (x > 0 && !open[at - 1]
                    || x + 1 < width && !open[at + 1]
                    || y > 0 && !open[at - width]
                    || y + 1 < height && !open[at + width])
        };
        let ring: Vec<usize> = (0..width * height).filter(at_rim).collect();
        let found: Vec<(usize, usize)> =
            ring.iter().filter_map(|&at| Some((at, resembling(level, &open, &sources, at)?))).collect();
        if found.is_empty() {
            return;
        }
        for (at, source) in found {
            let [r, g, b, _] = level.picture[source];
            let detail = level.picture[at][3];
            level.picture[at] = [r, g, b, detail];
            open[at] = false;
        }
    }
}

/// The known pixel whose surroundings resemble best what is filled around this one.
fn resembling(level: &Level, open: &[bool], sources: &[usize], at: usize) -> Option<usize> {
    let width = level.width;
    let (x, y) = (at % width, at / width);
    let side = |at: usize, limit: usize| at.saturating_sub(PATCH / 2).min(limit - PATCH);
    let corner = side(y, level.height) * width + side(x, width);
    let offsets = (0..PATCH).flat_map(|dy| (0..PATCH).map(move |dx| dy * width + dx));
    let filled: Vec<(usize, u32)> = offsets
        .filter(|offset| !open[corner + offset])
        .map(|offset| (offset, if level.is_known(corner + offset) { KNOWN } else { 1 }))
        .collect();
    let total: u32 = filled.iter().map(|(_, weight)| weight).sum();
    let (mut best, mut least) = (None, u32::MAX);
    for &source in sources {
        // As for whole patches of weight 64.
        let mut sum = level.distance_cost(corner, source).saturating_mul(total) / (PATCH * PATCH) as u32;
        for &(offset, weight) in &filled {
            let (a, b) = (level.picture[corner + offset], level.picture[source + offset]);
            sum = sum.saturating_add(weight * (0..4).map(|c| u32::from(a[c].abs_diff(b[c])).pow(2)).sum::<u32>());
            if sum >= least {
                break;
            }
        }
        if sum < least {
            (best, least) = (Some(source + at - corner), sum);
        }
    }
    best
}

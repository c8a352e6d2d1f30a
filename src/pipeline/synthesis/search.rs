//! How a patch finds the patch it resembles most: propagation and random search (Barnes et al. 2009, "PatchMatch").

use super::Random;
use super::level::Level;

/// Stands for the corner of a patch that is not there.
pub const NONE: u32 = u32::MAX;

/// The best match of a patch so far.
#[derive(Clone, Copy)]
pub struct Match {
    /// Top left corner of the matched patch, as a pixel index, or [`NONE`].
    pub corner: u32,
    /// Distance to it; `u32::MAX` where nothing is matched.
    pub distance: u32,
}

impl Match {
    /// Nothing is matched yet.
    pub const NOTHING: Self = Self { corner: NONE, distance: u32::MAX };

    /// Column and row of the matched corner, if there is one.
    pub fn position(self, width: usize) -> Option<(usize, usize)> {
        (self.corner != NONE).then_some((self.corner as usize % width, self.corner as usize / width))
    }
}

/// The search of one patch for its best match.
pub struct Search<'a, D> {
    pub level: &'a Level,
    /// Top left corner of the patch: column and row.
    pub corner: (usize, usize),
    /// Distance to the patch at a pixel index; may stop early with any value that is not below the limit.
    pub distance: D,
    /// The result so far.
    pub best: Match,
}

impl<D: Fn(usize, u32) -> u32> Search<'_, D> {
    /// Takes the patch at this corner if it is fully known and nearer than the best so far; `None` lies outside.
    #[inline(always)]
    pub fn consider(&mut self, x: Option<usize>, y: Option<usize>) {
        let Some(candidate) = x.zip(y).and_then(|(x, y)| self.level.source_at(x, y)) else { return };
        let distance = (self.distance)(candidate as usize, self.best.distance);
        if distance < self.best.distance {
            self.best = Match { corner: candidate, distance };
        }
    }

    /// Propagation: considers what lies beside the match of a neighbour as this patch lies beside the neighbour.
    #[inline(always)]
    pub fn propagate(&mut self, (x, y): (usize, usize), matched: u32) {
        let matched = Match { corner: matched, distance: 0 };
        if let Some((mx, my)) = matched.position(self.level.width) {
            self.consider((mx + self.corner.0).checked_sub(x), (my + self.corner.1).checked_sub(y));
        }
    }

    /// Random search: considers one patch within `reach` pixels of the best match, then one within half of that, and so
    /// on. Nothing happens before there is a match.
    #[inline(always)]
    pub fn search_around(&mut self, random: &mut Random, reach: usize) {
        let mut radius = reach;
        while radius >= 1 {
            let Some((x, y)) = self.best.position(self.level.width) else { return };
            let x = (x + random.below(2 * radius + 1)).checked_sub(radius);
            let y = (y + random.below(2 * radius + 1)).checked_sub(radius);
            self.consider(x, y);
            radius /= 2;
        }
    }
}

//! The cost of copying the same place again: a tuft of grass that appears four times in the hole gives the fill away.
//!
//! As in Kaspar et al. 2015, "Self Tuning Texture Optimization", patches that are used more often cost more, but here
//! only where they stand out: sky and grass may be copied from wherever they fit.

use super::level::{Level, PATCH, patch_sums};
use super::patch_variance::PatchVariance;

/// Share of a patch's salience that every copy beyond the first costs.
const GAIN: f32 = 0.5;
/// A patch stands out if its variance exceeds this many times the usual one.
const USUAL: u32 = 2;
/// Number of copies beyond which the cost no longer rises.
const MAX_COPIES: f32 = 8.0;

/// What copying each patch of a level costs; nothing until the copies are counted, and on levels where they are not.
#[derive(Default)]
pub struct ReusePenalty {
    /// How much each source stands out, by its corner: its variance beyond [`USUAL`] times the usual. Empty where copies
    /// are not counted.
    salience: Vec<u32>,
    costs: Vec<u32>,
}

impl ReusePenalty {
    /// `variance` of the level whose copies are counted.
    pub fn of(variance: &PatchVariance) -> Self {
        let usual = USUAL.saturating_mul(variance.usual);
        Self { salience: variance.patches.iter().map(|own| own.saturating_sub(usual)).collect(), costs: Vec::new() }
    }

    /// Counts the corners that are copied now.
    pub fn count(&mut self, level: &Level, copied: impl Iterator<Item = usize>) {
        if self.salience.is_empty() {
            return;
        }
        let mut counts = vec![0u32; level.width * level.height];
        copied.for_each(|corner| counts[corner] += 1);
        let mut around = vec![0; counts.len()];
        patch_sums(level.width, level.height, |at| counts[at], |corner, sum| around[corner] = sum);
        // One copy of an area takes each of its corners once, and so as many as fit into a patch around each.
        let copy = (PATCH * PATCH) as f32;
        self.costs.resize(counts.len(), 0);
        for corner in level.sources.iter().map(|&corner| corner as usize) {
            let (x, y) = (corner % level.width, corner / level.width);
            let count = around[y.saturating_sub(PATCH / 2) * level.width + x.saturating_sub(PATCH / 2)];
            let beyond = (count as f32 / copy - 1.0).clamp(0.0, MAX_COPIES);
            self.costs[corner] = (GAIN * beyond * self.salience[corner] as f32) as u32;
        }
    }

    /// What copying the patch at this corner costs.
    #[inline(always)]
    pub fn cost(&self, corner: usize) -> u32 {
        self.costs.get(corner).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_what_stands_out_and_is_copied_twice_gets_dearer() {
        let (width, height) = (60, 40);
        // Gray, with one bright spot of 4 x 4 pixels.
        let spot = |x: usize, y: usize| (10..14).contains(&x) && (20..24).contains(&y);
        let rgb: Vec<u8> =
            (0..width * height).flat_map(|i| [if spot(i % width, i / width) { 250 } else { 90 }; 3]).collect();
        let hole: Vec<bool> = (0..width * height).map(|i| i % width > 40 && i / width > 10 && i / width < 30).collect();
        let usable: Vec<bool> = hole.iter().map(|h| !h).collect();
        let request = Request { width, height, rgb: &rgb, hole: &hole, usable: &usable, guided: false, seed: 0 };
        let level = Level::finest(&request);
        // A copy of the area around the spot takes each corner of it once.
        let area = || (12..30).flat_map(|y| (2..22).map(move |x| y * width + x));
        let mut reuse_penalty = ReusePenalty::of(&PatchVariance::of(&level));
        reuse_penalty.count(&level, area());
        assert!((0..width * height).all(|corner| reuse_penalty.cost(corner) == 0));
        reuse_penalty.count(&level, area().chain(area()));
        let (on_it, beside) = (18 * width + 8, 18 * width + 15);
        assert_eq!(reuse_penalty.cost(beside), 0, "a flat patch costs something");
        // 16 of 64 pixels are 160 above: 160^2 * 3 * (16 - 16^2 / 64).
        assert_eq!(reuse_penalty.salience[on_it], 921_600);
        assert_eq!(reuse_penalty.cost(on_it), (0.5f32 * 921_600.0) as u32);
    }
}

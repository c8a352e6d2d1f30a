//! The cost of copying something smoother than what belongs into the hole. Without it, textures turn into fog.
//!
//! The guess that patches are matched with is a mean of votes, and so it is smoother than the texture it stands for. In
//! squared differences a smooth patch is always nearer to it than a patch of that texture, and the difference is just the
//! texture's variance. So a part of the variance that a source lacks is added to its cost.

use super::level::Level;
use super::patch_variance::PatchVariance;
use crate::pipeline::resample::extend;

/// Share of the missing variance that is added. All of it would make the two equal where the guess is flat; it is less,
/// because the expected variance is itself a guess.
const GAIN: f32 = 0.5;

/// The variance of every patch of a level, by its corner: of sources as it is, of others as expected from around them.
#[derive(Default)]
pub struct Smoothness {
    variances: Vec<u32>,
}

impl Smoothness {
    /// `variance` of the same level.
    pub fn of(level: &Level, variance: &PatchVariance) -> Self {
        // Between texture and edges the mean would be too much for either: fourth roots are continued. Roots, unlike
        // logarithms, are the same on every machine.
        let values: Vec<f32> = variance.patches.iter().map(|&variance| (variance as f32).sqrt().sqrt()).collect();
        let weight: Vec<f32> = level.source.iter().map(|&source| if source { 1.0 } else { 0.0 }).collect();
        let expected = extend(&values, &weight, (level.width, level.height));
        // No texture has to stand out: what is asked for beyond the usual would be met by things, not by texture.
        let patches = variance.patches.iter().zip(expected).zip(&level.source);
        let known = |((&own, expected), &source): ((&u32, f32), &bool)| {
            let square = expected * expected;
            if source { own } else { ((square * square) as u32).min(variance.usual) }
        };
        Self { variances: patches.map(known).collect() }
    }

    /// What copying the patch at `source` to `target` costs; nothing where the level has no variances.
    #[inline(always)]
    pub fn cost(&self, target: usize, source: usize) -> u32 {
        let Some((expected, own)) = self.variances.get(target).zip(self.variances.get(source)) else { return 0 };
        (GAIN * expected.saturating_sub(*own) as f32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_what_is_smoother_than_expected_costs_more() {
        let (width, height) = (90, 40);
        // Flat on the left, a checkerboard of +- 20 on the right, and a hole in the checkerboard.
        let value = |x: usize, y: usize| if x < 30 { 100 } else { 80 + 40 * ((x + y) % 2) as u8 };
        let rgb: Vec<u8> = (0..width * height).flat_map(|i| [value(i % width, i / width); 3]).collect();
        let hole: Vec<bool> =
            (0..width * height).map(|i| (60..74).contains(&(i % width)) && (12..26).contains(&(i / width))).collect();
        let usable: Vec<bool> = hole.iter().map(|hole| !hole).collect();
        let request = Request { width, height, rgb: &rgb, hole: &hole, usable: &usable, guided: false, seed: 0 };
        let level = Level::finest(&request);
        let smoothness = Smoothness::of(&level, &PatchVariance::of(&level));
        let (target, flat, like) = (15 * width + 63, 15 * width + 5, 15 * width + 45);
        // 64 pixels, three channels, 20 levels off the mean; rounding aside.
        assert!(smoothness.cost(target, flat).abs_diff(64 * 3 * 400 / 2) < 20);
        assert!(smoothness.cost(target, like) < 20);
        assert_eq!(smoothness.cost(flat, like), 0, "texture costs more on a flat place");
    }
}

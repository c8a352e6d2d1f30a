//! How much the pixels of every patch of a level vary.

use super::level::{Level, PATCH, patch_sums};

/// Squared deviations of the pixels of each patch from its mean, summed over the pixels and the colour channels.
pub struct PatchVariance {
    /// By the patch's top left corner.
    pub patches: Vec<u32>,
    /// The sources' median, 0 without any.
    pub usual: u32,
}

impl PatchVariance {
    pub fn of(level: &Level) -> Self {
        let (width, height) = (level.width, level.height);
        let mut patches = vec![0; width * height];
        for channel in 0..3 {
            let value = |at: usize| u32::from(level.picture[at][channel]);
            patch_sums(width, height, |at| value(at).pow(2), |corner, sum| patches[corner] += sum);
            let mean = |sum: u32| (u64::from(sum).pow(2) / (PATCH * PATCH) as u64) as u32;
            patch_sums(width, height, value, |corner, sum| patches[corner] -= mean(sum));
        }
        let mut known: Vec<u32> = level.sources.iter().map(|&source| patches[source as usize]).collect();
        let middle = known.len() / 2;
        let usual = if known.is_empty() { 0 } else { *known.select_nth_unstable(middle).1 };
        Self { patches, usual }
    }
}

//! A few colours that stand for all of a photo's, so that a colour model is a short histogram.

use super::regions::Region;
use super::working_copy::{Lab, gap2};

/// Cells along each axis of the table of nearest colours.
const CELLS: usize = 24;
/// Rounds of k-means.
const ROUNDS: usize = 4;
/// How far apart two colours are that still count for each other, in Lab units.
const BLUR: f32 = 5.0;

/// Shares or counts of each colour of a palette, then of each degree of detail.
pub type Histogram = [f32; Palette::LENGTH];

/// The colours and how they are looked up.
pub struct Palette {
    /// Which colour is nearest to the middle of each cell of Lab.
    nearest: Vec<u8>,
    /// How much one colour counts for another: `LENGTH * LENGTH`, rows sum to 1.
    likeness: Vec<f32>,
}

impl Palette {
    /// How many colours there are.
    pub const COLOURS: usize = 64;
    /// How many degrees of detail are told apart.
    pub const DETAILS: usize = 8;
    /// Length of a histogram: of colours, then of detail.
    pub const LENGTH: usize = Self::COLOURS + Self::DETAILS;

    /// The colours that stand for these regions' means best.
    pub fn new(regions: &[Region]) -> Self {
        let colours = k_means(regions);
        let mut nearest = Vec::with_capacity(CELLS * CELLS * CELLS);
        for i in 0..CELLS * CELLS * CELLS {
            let middle = |cell: usize| (cell as f32 + 0.5) / CELLS as f32;
            let [l, a, b] = [i / (CELLS * CELLS), i / CELLS % CELLS, i % CELLS].map(middle);
            nearest.push(closest(&colours, [l * 100.0, a * 200.0 - 100.0, b * 200.0 - 100.0]) as u8);
        }
        let mut likeness = Vec::with_capacity(Self::COLOURS * Self::COLOURS);
        for &from in &colours {
            let row: Vec<f32> = colours.iter().map(|&to| (-gap2(from, to) / (2.0 * BLUR * BLUR)).exp()).collect();
            let sum: f32 = row.iter().sum();
            likeness.extend(row.iter().map(|value| value / sum));
        }
        Self { nearest, likeness }
    }

    /// Which colour stands for this one.
    pub fn nearest(&self, [l, a, b]: Lab) -> usize {
        let cell = |value: f32| ((value * CELLS as f32) as usize).min(CELLS - 1);
        let [l, a, b] = [cell(l / 100.0), cell((a + 100.0) / 200.0), cell((b + 100.0) / 200.0)];
        usize::from(self.nearest[(l * CELLS + a) * CELLS + b])
    }

    /// How detailed a region is, in places of the histogram: `difference` is how far its pixels are from what surrounds them.
    pub fn detail(difference: f32) -> f32 {
        let place = ((difference + 0.25).ln() / std::f32::consts::LN_2 + 2.0) / 5.0 * Self::DETAILS as f32;
        place.clamp(0.0, (Self::DETAILS - 1) as f32)
    }

    /// A histogram in which similar colours count for each other, and similar detail; the sum of each part is 1.
    pub fn smoothed(&self, histogram: &Histogram) -> Histogram {
        let mut out = [0.0f32; Self::LENGTH];
        let (colours, details) = out.split_at_mut(Self::COLOURS);
        for (row, &count) in self.likeness.chunks_exact(Self::COLOURS).zip(histogram) {
            if count > 0.0 {
                colours.iter_mut().zip(row).for_each(|(out, share)| *out += count * share);
            }
        }
        let counts = &histogram[Self::COLOURS..];
        for (i, out) in details.iter_mut().enumerate() {
            let (before, after) = (counts[i.saturating_sub(1)], counts[(i + 1).min(Self::DETAILS - 1)]);
            *out = 0.25 * before + 0.5 * counts[i] + 0.25 * after;
        }
        for part in [colours, details] {
            let sum = part.iter().sum::<f32>().max(1e-6);
            part.iter_mut().for_each(|value| *value /= sum);
        }
        out
    }
}

fn closest(colours: &[Lab], colour: Lab) -> usize {
    let mut best = (f32::MAX, 0);
    for (i, &candidate) in colours.iter().enumerate() {
        let gap = gap2(candidate, colour);
        if gap < best.0 {
            best = (gap, i);
        }
    }
    best.1
}

/// Begins with colours that lie far from each other, so that no small but striking one is lost.
fn k_means(regions: &[Region]) -> Vec<Lab> {
    let mut gaps = vec![f32::MAX; regions.len()];
    let mut colours: Vec<Lab> = Vec::with_capacity(Palette::COLOURS);
    let mut next = 0;
    for _ in 0..Palette::COLOURS {
        let colour = regions[next].colour;
        colours.push(colour);
        let mut farthest = 0.0;
        for (i, (gap, region)) in gaps.iter_mut().zip(regions).enumerate() {
            *gap = gap.min(gap2(region.colour, colour));
            if *gap * region.size > farthest {
                (farthest, next) = (*gap * region.size, i);
            }
        }
    }
    for _ in 0..ROUNDS {
        let mut sums = vec![[0.0f32; 4]; colours.len()];
        for region in regions {
            let sum = &mut sums[closest(&colours, region.colour)];
            (0..3).for_each(|k| sum[k] += region.colour[k] * region.size);
            sum[3] += region.size;
        }
        for (colour, [l, a, b, weight]) in colours.iter_mut().zip(sums) {
            if weight > 0.0 {
                *colour = [l / weight, a / weight, b / weight];
            }
        }
    }
    colours
}

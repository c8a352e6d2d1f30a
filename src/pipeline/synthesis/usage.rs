//! What it costs to copy the same place again: a tuft that stands in the hole four times gives the fill away.
//!
//! As in Kaspar et al. 2015, "Self Tuning Texture Optimization", patches that are used more often become dearer, here only
//! where they stand out: sky and grass may be copied from wherever they fit.

use super::level::{Level, PATCH};

/// Share of a patch's [`salience`] that every copy beyond the first costs.
const GAIN: f32 = 0.5;
/// From how many times the usual energy on a patch stands out.
const USUAL: u32 = 2;
/// Copies beyond which it gets no dearer.
const MOST: f32 = 8.0;

/// `width * height` costs of copying the patch at each corner, given the corners that are copied now.
pub fn costs(level: &Level, copied: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut counts = vec![0u32; level.width * level.height];
    copied.for_each(|corner| counts[corner] += 1);
    let sums = boxes(&counts, level.width);
    // One copy of an area takes each of its corners once, and so as many as fit into a patch around each.
    let copy = (PATCH * PATCH) as f32;
    let mut costs = vec![0; counts.len()];
    for &corner in &level.sources {
        let corner = corner as usize;
        let (x, y) = (corner % level.width, corner / level.width);
        let around = y.saturating_sub(PATCH / 2) * level.width + x.saturating_sub(PATCH / 2);
        let beyond = (sums[around] as f32 / copy - 1.0).clamp(0.0, MOST);
        costs[corner] = (GAIN * beyond * level.salience[corner] as f32) as u32;
    }
    costs
}

/// How much each patch stands out, by its top left corner: its energy beyond [`USUAL`] times the sources' median.
pub fn salience(picture: &[[u8; 4]], width: usize, sources: &[u32]) -> Vec<u32> {
    let energy = energy(picture, width);
    let mut known: Vec<u32> = sources.iter().map(|&source| energy[source as usize]).collect();
    let middle = known.len() / 2;
    let usual = if known.is_empty() { 0 } else { USUAL.saturating_mul(*known.select_nth_unstable(middle).1) };
    energy.into_iter().map(|energy| energy.saturating_sub(usual)).collect()
}

/// Squared deviations of each patch from its mean, summed over the channels.
fn energy(picture: &[[u8; 4]], width: usize) -> Vec<u32> {
    let mut energy = vec![0; picture.len()];
    for channel in 0..3 {
        let values: Vec<u32> = picture.iter().map(|p| u32::from(p[channel])).collect();
        let squares: Vec<u32> = values.iter().map(|v| v * v).collect();
        let (sums, squares) = (boxes(&values, width), boxes(&squares, width));
        for ((energy, sum), square) in energy.iter_mut().zip(sums).zip(squares) {
            let mean = u64::from(sum) * u64::from(sum) / (PATCH * PATCH) as u64;
            *energy += square.saturating_sub(mean as u32);
        }
    }
    energy
}

/// Sums over the patch from each pixel to the right and down, as far as the picture goes.
fn boxes(values: &[u32], width: usize) -> Vec<u32> {
    let mut across = vec![0; values.len()];
    for (to, from) in across.chunks_exact_mut(width).zip(values.chunks_exact(width)) {
        let mut sum = 0;
        for x in (0..width).rev() {
            sum += from[x];
            sum -= from.get(x + PATCH).unwrap_or(&0);
            to[x] = sum;
        }
    }
    let mut both = vec![0; values.len()];
    let mut sums = vec![0; width];
    for y in (0..values.len() / width).rev() {
        for (x, sum) in sums.iter_mut().enumerate() {
            *sum += across[y * width + x];
            *sum -= across.get((y + PATCH) * width + x).unwrap_or(&0);
            both[y * width + x] = *sum;
        }
    }
    both
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
        assert!(costs(&level, area()).iter().all(|&cost| cost == 0));
        let twice = costs(&level, area().chain(area()));
        let (on_it, beside) = (18 * width + 8, 18 * width + 15);
        assert_eq!(twice[beside], 0, "a flat patch costs something");
        // 16 of 64 pixels are 160 above: 160^2 * 3 * (16 - 16^2 / 64).
        assert_eq!(level.salience[on_it], 921_600);
        assert_eq!(twice[on_it], (0.5f32 * 921_600.0) as u32);
    }
}

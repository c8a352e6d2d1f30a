//! DeepFill's contextual attention.

use serde::Serialize;

use super::{Operator, Parameters};
use crate::error::Result;
use crate::limits::MAX_ATTENTION_SCORES;
use crate::network::Shape;
use crate::tensor::Tensor;

/// Side of the patches that are compared, at half the features' size.
pub const KEY: usize = 3;
/// Side of the patches that are pasted, at the features' own size, one at every second pixel.
pub const PATCH: usize = 4;
/// Scores are multiplied by it before the softmax.
pub const SCALE: f32 = 10.0;
/// The features are this many times smaller than the mask, and what is compared twice that.
const MASK_FACTOR: usize = 4;
/// Norms of patches below this count as this.
pub const LEAST_NORM: f32 = 1e-4;

/// Contextual attention (Yu et al. 2018, "Generative Image Inpainting with Contextual Attention"), of features
/// `[N, C, H, W]` with even sides and the mask `[N, 1, 4 H, 4 W]` (1: hole), which gives `[N, C, H, W]`.
///
/// Features at half the size are compared with all of their own 3x3 patches, each divided by its norm; the softmax of ten
/// times the scores, without the patches that the hole touches, says how much of each patch of 4x4 features is pasted
/// there. Where patches overlap they are added, and the sum is divided by 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ContextualAttention {
    /// Whether scores of neighbours that move together are added, along rows and then along columns.
    pub fuse: bool,
    /// Whether features are halved as TensorFlow does it with `align_corners`, or else by taking every second.
    pub aligned: bool,
}

/// Height and width in patches, and the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Channels of the features.
    pub channels: usize,
    /// Rows of patches.
    pub height: usize,
    /// Columns of patches.
    pub width: usize,
}

impl Grid {
    /// Patches in all.
    pub fn patches(&self) -> usize {
        self.height * self.width
    }

    /// The index of a patch when they are counted column by column.
    fn by_column(&self, patch: usize) -> usize {
        patch % self.width * self.height + patch / self.width
    }

    /// The patch of an index that counts column by column.
    fn at_column_index(&self, index: usize) -> usize {
        index % self.height * self.width + index / self.height
    }

    /// The patch so many steps down a column, which goes on at the top of the next.
    pub fn in_column(&self, patch: usize, step: isize) -> Option<usize> {
        self.neighbour(self.by_column(patch), step).map(|index| self.at_column_index(index))
    }

    /// The patch so many steps on, which regards no row's end.
    fn neighbour(&self, patch: usize, step: isize) -> Option<usize> {
        patch.checked_add_signed(step).filter(|&patch| patch < self.patches())
    }

    /// The pairs of patches whose scores are added to that of `key` at `place`.
    pub fn fused(&self, key: usize, place: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let steps = || -1..=1isize;
        let columns = steps().filter_map(move |step| Some((self.in_column(key, step)?, self.in_column(place, step)?)));
        columns.flat_map(move |(key, place)| {
            steps().filter_map(move |step| Some((self.neighbour(key, step)?, self.neighbour(place, step)?)))
        })
    }
}

impl ContextualAttention {
    /// Which of `size` rows or columns stand in `count` of them, in single precision, as `torch.linspace` has it.
    pub fn sampled(&self, size: usize, count: usize) -> Vec<usize> {
        if !self.aligned || count < 2 {
            let step = if self.aligned { 0 } else { size / count.max(1) };
            return (0..count).map(|index| index * step).collect();
        }
        let (last, steps) = ((size - 1) as f32, count - 1);
        let step = last / steps as f32;
        let exact = |index: usize| match index < count / 2 {
            true => step * index as f32,
            false => last - step * (steps - index) as f32,
        };
        (0..count).map(|index| (exact(index) + 0.5) as usize).collect()
    }

    /// Whether the hole touches each patch, `mask` being one image's.
    pub fn touched(&self, mask: &[f32], grid: Grid) -> Vec<bool> {
        let factor = 2 * MASK_FACTOR;
        let rows = self.sampled(grid.height * factor, grid.height);
        let columns = self.sampled(grid.width * factor, grid.width);
        let masked = |y: usize, x: usize| mask[rows[y] * grid.width * factor + columns[x]] != 0.0;
        let near = |at: usize, size: usize| at.saturating_sub(1)..(at + 2).min(size);
        let patch = |index: usize| (index / grid.width, index % grid.width);
        let touched = |(y, x)| near(y, grid.height).any(|y| near(x, grid.width).any(|x| masked(y, x)));
        (0..grid.patches()).map(|index| touched(patch(index))).collect()
    }

    /// What is compared: the features of one image, `[C, H, W]`, at half the size.
    fn halved(&self, features: &[f32], grid: Grid) -> Vec<f32> {
        let (height, width) = (2 * grid.height, 2 * grid.width);
        let (rows, columns) = (self.sampled(height, grid.height), self.sampled(width, grid.width));
        let mut out = Vec::with_capacity(grid.channels * grid.patches());
        for plane in features.chunks_exact(height * width) {
            rows.iter().for_each(|y| out.extend(columns.iter().map(|x| plane[y * width + x])));
        }
        out
    }

    fn image(&self, features: &[f32], mask: &[f32], grid: Grid) -> Vec<f32> {
        let small = self.halved(features, grid);
        let patches: Vec<Vec<f32>> = (0..grid.patches()).map(|index| patch_of(&small, grid, index)).collect();
        let norm = |patch: &[f32]| patch.iter().map(|v| v * v).sum::<f32>().sqrt().max(LEAST_NORM);
        let keys: Vec<Vec<f32>> = patches.iter().map(|patch| patch.iter().map(|v| v / norm(patch)).collect()).collect();
        let touched = self.touched(mask, grid);
        let mut out = vec![0.0f32; features.len()];
        let score = |key: usize, place: usize| keys[key].iter().zip(&patches[place]).map(|(a, b)| a * b).sum::<f32>();
        let scores: Vec<Vec<f32>> =
            (0..grid.patches()).map(|place| (0..grid.patches()).map(|key| score(key, place)).collect()).collect();
        for place in 0..grid.patches() {
            let mut row: Vec<f32> = match self.fuse {
                false => scores[place].clone(),
                true => (0..grid.patches())
                    .map(|key| grid.fused(key, place).map(|(key, place)| scores[place][key]).sum())
                    .collect(),
            };
            weigh(&mut row, &touched);
            for (key, &weight) in row.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
                paste(features, &mut out, grid, (key, place), weight / 4.0);
            }
        }
        out
    }
}

/// Scores to shares: the softmax over all patches, of which those that the hole touches take part with a score of 0 and
/// are then left out.
pub fn weigh(row: &mut [f32], touched: &[bool]) {
    row.iter_mut().zip(touched).for_each(|(v, &touched)| *v = if touched { 0.0 } else { *v * SCALE });
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - most).exp();
        sum += *value;
    }
    row.iter_mut().zip(touched).for_each(|(v, &touched)| *v = if touched { 0.0 } else { *v / sum });
}

/// The 3x3 patch around a place of `[C, height, width]`, zeros outside.
fn patch_of(small: &[f32], grid: Grid, index: usize) -> Vec<f32> {
    let (y, x) = (index / grid.width, index % grid.width);
    let mut out = Vec::with_capacity(grid.channels * KEY * KEY);
    for plane in small.chunks_exact(grid.patches()) {
        for dy in 0..KEY {
            for dx in 0..KEY {
                let inside = |at: usize, step: usize, size: usize| (at + step).checked_sub(1).filter(|&at| at < size);
                let at = inside(y, dy, grid.height).zip(inside(x, dx, grid.width));
                out.push(at.map_or(0.0, |(y, x)| plane[y * grid.width + x]));
            }
        }
    }
    out
}

/// The row (or column) of the features, `size` in all, that is row `step` of the 4x4 patches in row `patch`: patches begin at
/// every second one, the first of them one outside. `None` outside.
pub fn in_patch(patch: usize, step: usize, size: usize) -> Option<usize> {
    (2 * patch + step).checked_sub(1).filter(|&at| at < size)
}

/// Adds a share of the 4x4 patch `key` at `place`.
fn paste(features: &[f32], out: &mut [f32], grid: Grid, (key, place): (usize, usize), share: f32) {
    let (height, width) = (2 * grid.height, 2 * grid.width);
    for (from, to) in features.chunks_exact(height * width).zip(out.chunks_exact_mut(height * width)) {
        for dy in 0..PATCH {
            let Some((y, to_y)) = in_patch(key / grid.width, dy, height).zip(in_patch(place / grid.width, dy, height))
            else {
                continue;
            };
            for dx in 0..PATCH {
                let columns = in_patch(key % grid.width, dx, width).zip(in_patch(place % grid.width, dx, width));
                if let Some((x, to_x)) = columns {
                    to[to_y * width + to_x] += from[y * width + x] * share;
                }
            }
        }
    }
}

/// The patches of features of this shape.
pub fn grid(features: Shape) -> Result<Grid, String> {
    let (channels, height, width) = features.planes()?;
    if !height.is_multiple_of(2) || !width.is_multiple_of(2) || height == 0 || width == 0 {
        return Err(format!("the sides must be even, but they are {height} x {width}"));
    }
    Ok(Grid { channels, height: height / 2, width: width / 2 })
}

impl Operator for ContextualAttention {
    fn name(&self) -> &'static str {
        "contextual attention"
    }

    fn written(&self) -> String {
        "ContextualAttention(ksize=3, stride=1, rate=2, softmax_scale=10)".to_owned()
    }

    fn arity(&self) -> (usize, usize) {
        (2, 2)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let grid = grid(inputs[0])?;
        let (channels, height, width) = inputs[1].planes()?;
        let of = |side: usize| side.saturating_mul(2 * MASK_FACTOR);
        if channels != 1 || (height, width) != (of(grid.height), of(grid.width)) {
            let (wanted_height, wanted_width) = (of(grid.height), of(grid.width));
            return Err(format!("the mask must be of one channel and {wanted_height} x {wanted_width}"));
        }
        let patches = grid.height.saturating_mul(grid.width);
        if patches.saturating_mul(patches) > MAX_ATTENTION_SCORES {
            return Err(format!(
                "attention compares all {patches} patches with each other, which are more than can be held; give it a \
                 smaller picture"
            ));
        }
        Ok(vec![inputs[0]])
    }

    fn macs(&self, inputs: &[Shape], _outputs: &[Shape]) -> u64 {
        let Ok(Grid { channels, height, width }) = grid(inputs[0]) else { return 0 };
        let patches = (height as u64).saturating_mul(width as u64);
        let each = (channels as u64).saturating_mul((KEY * KEY + PATCH * PATCH) as u64);
        patches.saturating_mul(patches).saturating_mul(each)
    }

    fn mixes_images(&self) -> bool {
        // The published code takes every image's mask to be the first one's.
        true
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let shape = super::shape_of(inputs, |shapes| self.infer(shapes).map(|mut one| one.remove(0)))?;
        let refused = |text| crate::error::Error::new(crate::error::Code::InputShape, text);
        let grid = grid(shape).map_err(refused)?;
        let images = inputs[0].data().chunks_exact(4 * grid.channels.max(1) * grid.patches());
        let masks = inputs[1].data().chunks_exact(64 * grid.patches());
        let filled = images.zip(masks).map(|(features, mask)| self.image(features, mask, grid));
        Ok(vec![Tensor::new(shape.sides(), filled.collect::<Vec<_>>().concat())?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const PLAIN: ContextualAttention = ContextualAttention { fuse: false, aligned: false };

    /// Away from the border, a known place finds itself: its patch is most like its own features.
    #[test]
    fn what_is_known_is_pasted_where_it_was() {
        let (side, channels) = (16, 6);
        let numbers = (0..channels * side * side).map(|i| ((i * 7919 + i * i % 101) % 211) as f32 - 105.0);
        let x = Tensor::new([1, channels, side, side], numbers.collect()).unwrap();
        let mask = Tensor::zeros([1, 1, 4 * side, 4 * side]);
        let y = PLAIN.forward(&[&x, &mask], &Parameters(&[])).unwrap().remove(0);
        for at in (0..channels * side * side)
            .filter(|at| (4..12).contains(&(at % side)) && (4..12).contains(&(at / side % side)))
        {
            assert!((y.data()[at] - x.data()[at]).abs() < 1e-3, "{at}: {} for {}", y.data()[at], x.data()[at]);
        }
    }

    /// `torch.linspace(0, 65, steps=33).add(0.5).floor()` and every second.
    #[test]
    fn rows_are_sampled_as_either_framework_does() {
        assert_eq!(PLAIN.sampled(8, 4), [0, 2, 4, 6]);
        let aligned = ContextualAttention { aligned: true, ..PLAIN };
        assert_eq!(aligned.sampled(8, 4), [0, 2, 5, 7]);
        let rows = aligned.sampled(66, 33);
        assert_eq!((rows[0], rows[1], rows[16], rows[32]), (0, 2, 33, 65));
        assert_eq!(aligned.sampled(2, 1), [0]);
    }

    #[test]
    fn scores_of_neighbours_are_added_along_both_orders() {
        let grid = Grid { channels: 1, height: 2, width: 3 };
        let pairs: Vec<_> = grid.fused(0, 1).collect();
        // Patch 0 is the first of both orders; the place below 1 is 4, and what follows 4 is 5.
        assert_eq!(pairs, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]);
    }

    #[test]
    fn shapes_that_do_not_belong_together_are_refused() {
        let of = |c, h, w| Shape::image(c, h, w);
        assert!(PLAIN.infer(&[of(8, 7, 8), of(1, 28, 32)]).is_err());
        assert!(PLAIN.infer(&[of(8, 8, 8), of(1, 32, 16)]).is_err());
        assert_eq!(PLAIN.infer(&[of(8, 8, 6), of(1, 32, 24)]).unwrap(), [of(8, 8, 6)]);
        let text = PLAIN.infer(&[of(8, 4096, 4096), of(1, 16384, 16384)]).unwrap_err();
        assert!(text.contains("more than can be held"), "{text}");
    }
}

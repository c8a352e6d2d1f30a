//! Contextual attention as two products: all patches with all, and their shares with what is pasted.

use std::ops::ControlFlow;

use super::kernels::product::{Product, Targets, product};
use super::kernels::{Epilogue, LANES};
use super::view::View;
use crate::engine::run::cancelled;
use crate::error::Result;
use crate::network::ops::ContextualAttention;
use crate::network::ops::contextual_attention::{Grid, KEY, LEAST_NORM, PATCH, in_patch, weigh};
use crate::threads;

/// Places that one task works on: their scores stay in the second-level cache.
const TASK: usize = 48;

/// What a run works with; all but the grid lies in scratch.
struct Attention<'a> {
    op: ContextualAttention,
    grid: Grid,
    /// Features at half the size, with a border of one pixel of zeros: `[height + 2][width + 2][C]`.
    small: &'a mut [f32],
    /// The patches that places are compared with, divided by their norms: `[patch / 8][KEY][KEY][C][8]`.
    keys: &'a mut [f32],
    /// The patches that are pasted: `[row, column and channel / 8][patch][8]`.
    patches: &'a mut [f32],
    /// What is pasted at each place: `[place][PATCH][PATCH][C]`.
    pasted: &'a mut [f32],
    /// All scores, `[place][patch]`; only where they are fused.
    scores: &'a mut [f32],
}

/// The patches of features that lie like this.
fn grid(view: &View) -> Grid {
    Grid { channels: view.shape.channels, height: view.shape.height / 2, width: view.shape.width / 2 }
}

/// Values of every part of the scratch.
fn parts(op: ContextualAttention, grid: Grid) -> [usize; 5] {
    let (patches, channels) = (grid.patches(), grid.channels);
    [
        (grid.height + 2) * (grid.width + 2) * channels,
        patches.next_multiple_of(LANES) * KEY * KEY * channels,
        patches * PATCH * PATCH * channels,
        patches * PATCH * PATCH * channels,
        if op.fuse { patches * patches } else { 0 },
    ]
}

/// Values of scratch for this output.
pub fn scratch(op: ContextualAttention, to: &View) -> usize {
    parts(op, grid(to)).iter().sum()
}

/// Runs it; `tell` is asked between its stages whether to go on.
pub fn run(
    op: ContextualAttention,
    (x, from): (&[f32], &View),
    mask: &[f32],
    (out, to): (&mut [f32], &View),
    mut scratch: &mut [f32],
    tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
) -> Result<()> {
    let grid = grid(to);
    let [small, keys, patches, pasted, scores] = parts(op, grid).map(|length| {
        let (part, rest) = std::mem::take(&mut scratch).split_at_mut(length);
        scratch = rest;
        part
    });
    let mut task = Attention { op, grid, small, keys, patches, pasted, scores };
    let touched = op.touched(mask, grid);
    let mut at = |done: f32| if tell(done).is_break() { Err(cancelled()) } else { Ok(()) };
    at(0.0)?;
    task.read(x, from);
    if op.fuse {
        task.score();
        at(0.4)?;
    }
    task.paste(&touched);
    at(0.9)?;
    task.gather(out, to);
    Ok(())
}

impl Attention<'_> {
    /// Everything that the products read.
    fn read(&mut self, x: &[f32], from: &View) {
        let Grid { channels, height, width } = self.grid;
        let rows = self.op.sampled(2 * height, height);
        let columns = self.op.sampled(2 * width, width);
        self.small.fill(0.0);
        let pitch = (width + 2) * channels;
        for (y, row) in rows.iter().enumerate() {
            for (x_small, column) in columns.iter().enumerate() {
                let at = (y + 1) * pitch + (x_small + 1) * channels;
                self.small[at..at + channels].copy_from_slice(&x[from.at(*row, *column)..][..channels]);
            }
        }
        let (small, grid) = (&*self.small, self.grid);
        let block = KEY * KEY * channels * LANES;
        threads::chunks(self.keys, block, &|index, block| {
            for lane in 0..LANES {
                let patch = index * LANES + lane;
                if patch >= grid.patches() {
                    block.iter_mut().skip(lane).step_by(LANES).for_each(|v| *v = 0.0);
                    continue;
                }
                let start = start(grid, patch);
                let line = |row: usize| &small[start + row * pitch..][..KEY * channels];
                let squares: f32 = (0..KEY).flat_map(line).map(|v| v * v).sum();
                let factor = 1.0 / squares.sqrt().max(LEAST_NORM);
                let values = (0..KEY).flat_map(line);
                block.iter_mut().skip(lane).step_by(LANES).zip(values).for_each(|(to, v)| *to = v * factor);
            }
        });
        threads::chunks(self.patches, grid.patches() * LANES, &|index, block| {
            for (patch, lanes) in block.chunks_exact_mut(LANES).enumerate() {
                for (lane, value) in lanes.iter_mut().enumerate() {
                    let (tap, channel) = ((index * LANES + lane) / channels, (index * LANES + lane) % channels);
                    let (dy, dx) = (tap / PATCH, tap % PATCH);
                    let (y, column) = (in_patch(patch / width, dy, 2 * height), in_patch(patch % width, dx, 2 * width));
                    let place = y.zip(column);
                    *value = place.map_or(0.0, |(y, column)| x[from.at(y, column) + channel]);
                }
            }
        });
    }

    /// Scores of places with all patches, without fusing: `[place][patch]`.
    fn scores_of(&self, places: std::ops::Range<usize>, out: &mut [f32]) {
        let Grid { channels, width, .. } = self.grid;
        let pitch = (width + 2) * channels;
        let rows: Vec<usize> = places.clone().map(|place| start(self.grid, place)).collect();
        let patches = self.grid.patches();
        let starts: Vec<usize> = (0..rows.len()).map(|index| index * patches).collect();
        let p = Product {
            input: self.small,
            rows: &rows,
            segments: &[0, pitch, 2 * pitch],
            length: KEY * channels,
            weights: self.keys,
            channels: 0..patches,
            bias: &[],
        };
        product(&p, Targets { starts: &starts, pixel: patches }, out, Epilogue::default());
    }

    /// All scores.
    fn score(&mut self) {
        let patches = self.grid.patches();
        let scores = std::mem::take(&mut self.scores);
        let all = &*self;
        threads::chunks(scores, TASK * patches, &|index, part| {
            all.scores_of(index * TASK..index * TASK + part.len() / patches, part);
        });
        self.scores = scores;
    }

    /// What is pasted at every place.
    fn paste(&mut self, touched: &[bool]) {
        let (patches, pixel) = (self.grid.patches(), PATCH * PATCH * self.grid.channels);
        let pasted = std::mem::take(&mut self.pasted);
        let all = &*self;
        threads::chunks(pasted, TASK * pixel, &|index, part| {
            let places = index * TASK..index * TASK + part.len() / pixel;
            let mut shares = vec![0.0; places.len() * patches];
            if all.op.fuse {
                for (place, row) in places.clone().zip(shares.chunks_exact_mut(patches)) {
                    fuse(all.scores, all.grid, place, row);
                }
            } else {
                all.scores_of(places.clone(), &mut shares);
            }
            shares.chunks_exact_mut(patches).for_each(|row| weigh(row, touched));
            let starts = |step: usize| (0..places.len()).map(|place| place * step).collect::<Vec<_>>();
            let p = Product {
                input: &shares,
                rows: &starts(patches),
                segments: &[0],
                length: patches,
                weights: all.patches,
                channels: 0..pixel,
                bias: &[],
            };
            product(&p, Targets { starts: &starts(pixel), pixel }, part, Epilogue::default());
        });
        self.pasted = pasted;
    }

    /// Adds up what overlaps.
    fn gather(&self, out: &mut [f32], to: &View) {
        let Grid { channels, height, width } = self.grid;
        // The patches over a row or column, and which of their own rows or columns lies there.
        let over = |at: usize, count: usize| {
            let last = at.div_ceil(2);
            (last.saturating_sub(1)..=last)
                .filter(move |&patch| patch < count)
                .map(move |patch| (patch, at + 1 - 2 * patch))
        };
        to.rows(out, &|y, row| {
            for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
                pixel.fill(0.0);
                for (patch_row, dy) in over(y, height) {
                    for (patch_column, dx) in over(x, width) {
                        let place = patch_row * width + patch_column;
                        let from = &self.pasted[((place * PATCH + dy) * PATCH + dx) * channels..][..channels];
                        pixel.iter_mut().zip(from).for_each(|(v, from)| *v += from);
                    }
                }
                pixel.iter_mut().for_each(|v| *v *= 0.25);
            }
        });
    }
}

/// Where the 3x3 patch of a place starts in the features at half the size.
fn start(grid: Grid, place: usize) -> usize {
    (place / grid.width * (grid.width + 2) + place % grid.width) * grid.channels
}

/// The scores of one place with those of neighbours that move together: [`Grid::fused`], patch after patch.
fn fuse(scores: &[f32], grid: Grid, place: usize, row: &mut [f32]) {
    let (patches, width) = (grid.patches(), grid.width);
    let of = |place: usize| &scores[place * patches..][..patches];
    let mut sums = vec![0.0; patches];
    for step in -1..=1 {
        let Some(beside) = grid.in_column(place, step) else { continue };
        sums.copy_from_slice(of(beside));
        if beside > 0 {
            add(&mut sums[1..], of(beside - 1));
        }
        if beside + 1 < patches {
            add(&mut sums, &of(beside + 1)[1..]);
        }
        match step {
            0 => add(row, &sums),
            1 => {
                add(row, &sums[width..]);
                // Below the last row is the next column.
                add(&mut row[patches - width..], &sums[1..width]);
            }
            _ => {
                add(&mut row[width..], &sums);
                add(&mut row[1..width], &sums[patches - width..]);
            }
        }
    }
}

/// Adds as far as both reach.
fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::ops::{Operator, Parameters};
    use crate::network::{PaddingMode, Shape};
    use crate::tensor::Tensor;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + (i + seed) * (i + 3) % 1013) % 401) as f32 / 200.0 - 1.0).collect()
    }

    fn view(shape: Shape) -> View {
        View { start: 0, shape: shape.into(), border: [1, 2, 3, 0], mode: PaddingMode::Zeros }
    }

    #[test]
    fn equals_the_plain_loops() {
        for (channels, height, width) in [(3, 10, 12), (8, 4, 22), (5, 2, 2), (1, 6, 4)] {
            let x = Tensor::new([1, channels, height, width], numbers(channels * height * width, 1)).unwrap();
            let hole = |i: usize| f32::from(u8::from(i / (4 * width) > 3 && i % (4 * width) < 11));
            let mask =
                Tensor::new([1, 1, 4 * height, 4 * width], (0..16 * height * width).map(hole).collect()).unwrap();
            for (fuse, aligned) in [(false, false), (true, false), (false, true), (true, true)] {
                let op = ContextualAttention { fuse, aligned };
                let expected = op.forward(&[&x, &mask], &Parameters(&[])).unwrap().remove(0);
                let (from, to) =
                    (view(Shape::image(channels, height, width)), view(Shape::image(channels, height, width)));
                let (mut values, mut out) = (vec![f32::NAN; from.len()], vec![f32::NAN; to.len()]);
                for (i, value) in x.data().iter().enumerate() {
                    let (c, y, column) = (i / (height * width), i / width % height, i % width);
                    values[from.at(y, column) + c] = *value;
                }
                let mut scratch = vec![f32::NAN; super::scratch(op, &to)];
                let mut go = |_| ControlFlow::Continue(());
                run(op, (&values, &from), mask.data(), (&mut out, &to), &mut scratch, &mut go).unwrap();
                for (i, expected) in expected.data().iter().enumerate() {
                    let (c, y, column) = (i / (height * width), i / width % height, i % width);
                    let found = out[to.at(y, column) + c];
                    assert!((found - expected).abs() < 1e-4, "{op:?} {i}: {found} for {expected}");
                }
            }
        }
    }
}

//! Convolutions by minimal filtering: 3x3 ones (dilated ones fall apart into interleaved plain ones) by F(4x4, 3x3), and
//! those that consist of 2x2 ones (kernel 4 at stride 2, transposed kernel 4 and 3 at stride 2) by F(3x3, 2x2) or F(2x2, 2x2).
//!
//! Tiles are transformed, multiplied by one matrix per point, and transformed back, some tens at a time. A thread does all
//! three for its tiles, in scratch of its own, so that threads meet once a layer.

use std::ops::{ControlFlow, Range};
use std::sync::{Mutex, PoisonError};

use super::decomposition::Axis;
use super::weights::{Group, WinogradWeights};
use crate::engine::cpu::geometry::{ConvWeights, Geometry};
use crate::engine::cpu::kernels::Epilogue;
use crate::engine::cpu::kernels::part::{Grid, Lattice, Part, Share, Tile};
use crate::engine::cpu::kernels::product::{Product, Targets, product};
use crate::engine::cpu::kernels::winograd::{Gather, Points, transform};
use crate::engine::cpu::view::View;
use crate::engine::run::cancelled;
use crate::error::Result;
use crate::threads;

/// Scratch for transformed tiles and products that still stays in a cache, values of a thread.
const SCRATCH: usize = 1 << 20;
/// Scratch of all threads together, values: memory is a layer's, not a machine's.
const ALL_SCRATCH: usize = 1 << 21;
/// Tiles transformed together: few enough to stay near, enough to pay for reading the weights once more.
const MAX_TILES: usize = 96;
const MIN_TILES: usize = 16;
/// Multiplications between two looks at the watcher.
const LOOK_MACS: usize = 1 << 29;

/// A layer with transformed weights.
pub struct WinogradConv {
    /// Places.
    pub geometry: Geometry,
    groups: Vec<Group>,
    bias: Vec<f32>,
}

/// What a task needs to know of its group.
#[derive(Clone)]
struct Work<'a> {
    group: &'a Group,
    /// Its weights, transformed.
    weights: &'a [f32],
    /// The group's first class in the grid.
    first: usize,
}

impl WinogradConv {
    /// A layer with these weights.
    pub fn new(geometry: Geometry, raw: &ConvWeights, weights: WinogradWeights) -> Self {
        Self { bias: raw.padded_bias(), groups: weights.groups, geometry }
    }

    /// Values of the packed weights.
    pub fn packed(&self) -> usize {
        self.groups.iter().map(|group| group.weights.len()).sum()
    }

    /// The output in the tiles of all groups, and the first class of each group.
    fn grid(&self, to: &View) -> (Grid, Vec<usize>) {
        let lattice = |axis: Axis| Lattice { first: axis.first, every: axis.every };
        let (mut classes, mut firsts) = (Vec::new(), vec![0]);
        for group in &self.groups {
            classes.extend(group.form.classes.iter().map(|axes| (lattice(axes[0].0), lattice(axes[0].1))));
            firsts.push(classes.len());
        }
        // All forms of a layer have tiles of one size.
        let tile = self.groups.first().map_or((1, 1), |g| (g.form.sides.0.outputs(), g.form.sides.1.outputs()));
        (Grid::new(to.interior(), classes, tile), firsts)
    }

    /// Channels per point of transformed tiles, and points.
    fn depth(&self, group: &Group) -> (usize, usize) {
        let sources = group.form.classes.first().map_or(1, Vec::len);
        (sources * self.geometry.layer.channels().0, group.form.points())
    }

    /// Values of scratch per tile.
    fn per_tile(&self, group: &Group) -> usize {
        let (depth, points) = self.depth(group);
        points * (depth + self.geometry.layer.channels().1)
    }

    /// Tiles that are transformed together where so many threads share the work.
    fn batch(&self, group: &Group, tiles: usize, threads: usize) -> usize {
        let most = SCRATCH.min(ALL_SCRATCH / threads) / self.per_tile(group);
        let most = most.clamp(MIN_TILES, MAX_TILES);
        // A phase of a transposed layer may have no output at all.
        let tiles = tiles.max(1);
        // As many batches for every thread.
        tiles.div_ceil(tiles.div_ceil(most).next_multiple_of(threads)).max(MIN_TILES.min(tiles)).max(1)
    }

    /// Values of scratch that one of so many threads needs for this output.
    fn share(&self, to: &View, threads: usize) -> usize {
        let (grid, firsts) = self.grid(to);
        let tiles = firsts.windows(2).map(|classes| grid.tiles_of(classes[0]..classes[1]).len());
        let need = |(group, tiles)| self.per_tile(group) * self.batch(group, tiles, threads);
        self.groups.iter().zip(tiles).map(need).max().unwrap_or(0)
    }

    /// Values of scratch that so many threads need for this output.
    pub fn scratch(&self, to: &View, threads: usize) -> usize {
        self.late() + threads * self.share(to, threads)
    }

    /// Values of scratch for weights that are transformed in every run.
    fn late(&self) -> usize {
        self.groups.iter().filter(|group| group.late).map(Group::transformed_len).sum()
    }

    /// Runs the layer; `tell` is asked now and then whether to go on. The scratch is for `threads`, and so many take part
    /// at most.
    pub fn run(
        &self,
        (x, from): (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        (scratch, threads): (&mut [f32], usize),
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let share = self.share(to, threads);
        let (mut late, scratch) = scratch.split_at_mut(self.late());
        let mut ready: Vec<&[f32]> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            if !group.late {
                ready.push(&group.weights);
                continue;
            }
            let (own, rest) = late.split_at_mut(group.transformed_len());
            group.transform_into(own);
            ready.push(own);
            late = rest;
        }
        let (grid, firsts) = self.grid(to);
        let (mut works, mut shares, mut most) = (Vec::new(), Vec::new(), 1);
        for ((group, classes), weights) in self.groups.iter().zip(firsts.windows(2)).zip(ready) {
            let tiles = grid.tiles_of(classes[0]..classes[1]);
            let size = self.batch(group, tiles.len(), threads);
            for start in tiles.clone().step_by(size) {
                shares.push(Share { tiles: start..(start + size).min(tiles.end), channels: 0..to.shape.channels });
                works.push(Work { group, weights, first: classes[0] });
            }
            let (depth, points) = self.depth(group);
            most = most.max(size * points * depth * self.geometry.layer.channels().1);
        }
        let together = (LOOK_MACS / most).max(1).next_multiple_of(threads);
        let mut parts = grid.split(out, shares);
        let all = parts.len();
        for (index, (parts, works)) in parts.chunks_mut(together).zip(works.chunks(together)).enumerate() {
            if tell((index * together) as f32 / all as f32).is_break() {
                return Err(cancelled());
            }
            let queue = Mutex::new(parts.iter_mut().zip(works));
            threads::chunks(&mut scratch[..threads * share], share, &|_, mine| {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                while let Some((part, work)) = next() {
                    self.part(part, work, (x, from), epilogue, mine);
                }
            });
        }
        Ok(())
    }

    /// Some tiles of a group, on the calling thread.
    fn part(
        &self,
        part: &mut Part<'_>,
        work: &Work<'_>,
        input: (&[f32], &View),
        epilogue: Epilogue<'_>,
        scratch: &mut [f32],
    ) {
        let tiles: Vec<Tile> = part.tiles().collect();
        let (depth, points) = self.depth(work.group);
        let (transformed, products) = scratch.split_at_mut(points * tiles.len() * depth);
        let outputs = self.geometry.layer.channels().1;
        let products = &mut products[..points * tiles.len() * outputs];
        self.transform(work, &tiles, input, transformed);
        self.multiply(work, tiles.len(), transformed, products);
        for (t, &tile) in tiles.iter().enumerate() {
            let points = Points { stride: tiles.len() * outputs, start: t * outputs };
            part.inverse_transform(tile, work.group.form.sides, (products, points), &self.bias, epilogue);
        }
    }

    /// Input pixels of tiles to points: `[point][tile][source][input]`.
    fn transform(&self, work: &Work<'_>, tiles: &[Tile], (x, from): (&[f32], &View), points: &mut [f32]) {
        let form = &work.group.form;
        let (inputs, depth) = (self.geometry.layer.channels().0, self.depth(work.group).0);
        let (ny, nx) = (form.sides.0.points(), form.sides.1.points());
        for (t, tile) in tiles.iter().enumerate() {
            let mut pixels = [None; 36];
            for (source, (rows, columns)) in form.classes[tile.class - work.first].iter().enumerate() {
                for j in 0..ny {
                    let y = rows.base + rows.step * (tile.row + j) as isize;
                    for i in 0..nx {
                        let x = columns.base + columns.step * (tile.column + i) as isize;
                        pixels[j * nx + i] = from.at_stored(y, x);
                    }
                }
                let gather = Gather { input: x, pixels: &pixels[..ny * nx], channels: inputs };
                let place = Points { stride: tiles.len() * depth, start: t * depth + source * inputs };
                transform(form.sides, &gather, points, place);
            }
        }
    }

    /// Points of so many tiles, times the weights: `[point][tile][output]`.
    fn multiply(&self, work: &Work<'_>, tiles: usize, transformed: &[f32], products: &mut [f32]) {
        let group = work.group;
        let outputs = self.geometry.layer.channels().1;
        let (depth, points) = self.depth(group);
        let (sy, sx) = group.form.sides;
        let per_weight = depth * outputs;
        for weight in 0..group.form.own() {
            // Every tile at every point that multiplies with these weights.
            let takes = |point: &usize| {
                let (y, x) = (point / sx.points(), point % sx.points());
                sy.weight_of(y) * sx.weights().len() + sx.weight_of(x) == weight
            };
            let all = |point: usize| -> Range<usize> { point * tiles..(point + 1) * tiles };
            let places: Vec<usize> = (0..points).filter(takes).flat_map(all).collect();
            let p = Product {
                input: transformed,
                rows: &places.iter().map(|place| place * depth).collect::<Vec<_>>(),
                segments: &[0],
                length: depth,
                weights: &work.weights[weight * per_weight..][..per_weight],
                channels: 0..outputs,
                bias: &[],
            };
            let starts: Vec<usize> = places.iter().map(|place| place * outputs).collect();
            product(&p, Targets { starts: &starts, pixel: outputs }, products, Epilogue::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decomposition::{Choice, Tile, decompositions};
    use super::{ControlFlow, ConvWeights, Epilogue, Geometry, View, WinogradConv, WinogradWeights};
    use crate::engine::cpu::geometry::Convolution;
    use crate::network::{Conv2d, ConvTranspose2d, Op, PaddingMode, Shape};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// Uneven values in [-0.5, 0.5).
    fn noise(i: usize) -> f32 {
        ((i as u32).wrapping_mul(747_796_405) >> 8) as f32 / (1 << 24) as f32 - 0.5
    }

    /// The layer with tiles of this size at `height` x `width`, and the largest distance from sums over the taps.
    fn distance(op: &Op, choice: Choice, height: usize, width: usize) -> f64 {
        let geometry = Geometry::new(Convolution::of(op).unwrap(), None);
        let (inputs, outputs) = geometry.layer.channels();
        let weight: Vec<f32> = (0..geometry.layer.weights()).map(noise).collect();
        let bias: Vec<f32> = (0..outputs).map(|i| noise(i + 7)).collect();
        let scale: Vec<f32> = (0..outputs).map(|i| noise(i + 11) + 1.0).collect();
        let raw = ConvWeights { weight: Vec::new(), bias, scale };
        let mut weights = WinogradWeights::empty(&geometry, choice);
        weights.pack(&geometry, 0, &weight, &raw.scale);
        let layer = WinogradConv::new(geometry.clone(), &raw, weights);

        let (rows, columns) = match &geometry.layer {
            Convolution::Plain(c) => c.output_size(height, width),
            Convolution::Transposed(c) => c.output_size(height, width),
        }
        .unwrap();
        let view = |channels, height, width, border| View {
            start: 0,
            shape: Shape::image(channels, height, width).into(),
            border,
            mode: PaddingMode::Zeros,
        };
        let from = view(inputs, height, width, geometry.border((height, width), (rows, columns)));
        let to = view(outputs, rows, columns, [0, 1, 1, 0]);
        let mut x = vec![0.0; from.len()];
        for row in 0..height {
            x[from.row(row)].iter_mut().enumerate().for_each(|(i, v)| *v = noise(i + 1000 * row));
        }
        let mut out = vec![0.0; to.len()];
        let mut scratch = vec![0.0; layer.scratch(&to, 2)];
        let mut go = |_| ControlFlow::Continue(());
        layer.run((&x, &from), (&mut out, &to), Epilogue::default(), (&mut scratch, 2), &mut go).unwrap();

        let taps = geometry.layer.kernel().1;
        let mut worst = 0.0f64;
        for (r, c) in geometry.rows.iter().flat_map(|r| geometry.columns.iter().map(move |c| (r, c))) {
            for (i, j) in (0..r.count(rows)).flat_map(|i| (0..c.count(columns)).map(move |j| (i, j))) {
                for output in 0..outputs {
                    let mut sum = 0.0;
                    for (y, z) in r.taps.iter().flat_map(|y| c.taps.iter().map(move |z| (y, z))) {
                        let place = ((i * r.step) as isize + y.offset, (j * c.step) as isize + z.offset);
                        let at = from.at_stored(place.0, place.1).unwrap();
                        for input in 0..inputs {
                            let w = geometry.layer.weight_index(output, input) + y.kernel * taps + z.kernel;
                            sum += f64::from(x[at + input]) * f64::from(weight[w]);
                        }
                    }
                    let expected = sum * f64::from(raw.scale[output]) + f64::from(raw.bias[output]);
                    let found = out[to.at(r.first + i * r.every, c.first + j * c.every) + output];
                    worst = worst.max((f64::from(found) - expected).abs());
                }
            }
        }
        worst
    }

    #[test]
    fn every_form_agrees_with_sums_over_the_taps_at_odd_sizes() {
        let layers: [Op; 6] = [
            Conv2d::new(32, 40, 3).padding(1).into(),
            Conv2d::new(40, 32, 3).padding(2).dilation(2).into(),
            Conv2d::new(32, 40, 4).stride(2).padding(1).into(),
            ConvTranspose2d::new(40, 32, 4).stride(2).padding(1).into(),
            ConvTranspose2d::new(32, 40, 3).stride(2).padding(1).output_padding(1).into(),
            ConvTranspose2d::new(72, 32, 3).stride(2).padding(1).into(),
        ];
        let mut seen = 0;
        for layer in layers {
            let geometry = Geometry::new(Convolution::of(&layer).unwrap(), None);
            for tile in [Tile::Small, Tile::Large] {
                if decompositions(&geometry, tile).is_none() {
                    continue;
                }
                let is_3x3 = matches!(&layer, Op::Conv2d(conv) if conv.kernel_size == (3, 3));
                for late in [false, true].into_iter().take(1 + usize::from(is_3x3)) {
                    for (height, width) in [(4, 4), (5, 7), (9, 6), (13, 17)] {
                        let worst = distance(&layer, Choice { tile, late }, height, width);
                        assert!(worst < 1e-4, "{layer:?}, {tile:?}, {late}, {height}x{width}: {worst:e}");
                        seen += 1;
                    }
                }
            }
        }
        // 3x3 filters have no small tile, but may be held plain.
        assert_eq!(seen, 12 * 4);
    }
}

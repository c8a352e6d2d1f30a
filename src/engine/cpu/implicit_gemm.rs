//! Convolutions, plain and transposed, with any groups, as implicit GEMM: input pixels are read in place, each phase of a
//! transposed convolution is a plain one, and each group is a product by itself.

use std::ops::ControlFlow;

use super::geometry::{ConvWeights, Convolution, Geometry, Phase, read_weight};
use super::kernels::part::{Grid, Lattice, Part, Share};
use super::kernels::product::Product;
use super::kernels::{Epilogue, LANES, ROWS};
use super::view::View;
use crate::engine::WeightSource;
use crate::engine::run::cancelled;
use crate::error::Result;
use crate::network::Node;
use crate::threads;

/// Input values of a task's pixels, so that they stay in the second-level cache while all weights pass by.
const TASK_VALUES: usize = 48 * 1024;
/// Tasks that a thread gets at least, if there is enough to do: what is left over at the end is one task's time.
const TASKS: usize = 8;
/// Tasks between two looks at the watcher.
const BATCH: usize = 64;

/// One pair of row and column phases.
struct PhasePair {
    row: usize,
    column: usize,
    /// `[group][output / 8][row tap][column tap][input][8]`, zeros beyond a group's last output.
    weights: Vec<f32>,
}

/// A layer ready to run.
pub struct ImplicitGemm {
    /// Places.
    pub geometry: Geometry,
    pairs: Vec<PhasePair>,
    bias: Vec<f32>,
}

impl ImplicitGemm {
    /// Packs the weight of `node` while it is read, so that there is never a second copy of it.
    pub fn read(geometry: Geometry, raw: &ConvWeights, node: &Node, weights: &mut dyn WeightSource) -> Result<Self> {
        let shape = geometry.layer.clone();
        let mut layer = Self::empty(geometry, raw);
        read_weight(node, &shape, weights, &mut |start, piece| layer.pack(start, piece, &raw.scale))?;
        Ok(layer)
    }

    /// Zeros where the weights will be.
    fn empty(geometry: Geometry, raw: &ConvWeights) -> Self {
        let ((inputs, outputs), groups) = (geometry.layer.group(), geometry.layer.groups());
        let mut pairs = Vec::new();
        for (row, y) in geometry.rows.iter().enumerate() {
            for (column, x) in geometry.columns.iter().enumerate() {
                let values = y.taps.len() * x.taps.len() * inputs * groups * outputs.next_multiple_of(LANES);
                pairs.push(PhasePair { row, column, weights: vec![0.0; values] });
            }
        }
        // A group's last block may begin anywhere.
        let mut bias = raw.padded_bias();
        bias.resize(bias.len() + LANES, 0.0);
        Self { bias, pairs, geometry }
    }

    /// Puts values of PyTorch's layout, from index `start` on, where the kernel reads them.
    fn pack(&mut self, start: usize, mut values: &[f32], scale: &[f32]) {
        let Self { geometry, pairs, .. } = self;
        let (inputs, outputs) = geometry.layer.group();
        let (height, width) = geometry.layer.kernel();
        // By tap: its pair of phases, its place among their taps, and how many these are.
        let mut places = vec![None; height * width];
        for (index, pair) in pairs.iter().enumerate() {
            let (y, x) = (&geometry.rows[pair.row].taps, &geometry.columns[pair.column].taps);
            let kernels = y.iter().flat_map(|y| x.iter().map(move |x| y.kernel * width + x.kernel));
            kernels.enumerate().for_each(|(slot, tap)| places[tap] = Some((index, slot, y.len() * x.len())));
        }
        let (mut pair, mut tap) = (start / places.len(), start % places.len());
        while !values.is_empty() {
            let (now, rest) = values.split_at(values.len().min(places.len() - tap));
            let (output, input) = match geometry.layer {
                Convolution::Plain(_) => (pair / inputs, pair % inputs),
                Convolution::Transposed(_) => {
                    let (input, group) = (pair / outputs % inputs, pair / (outputs * inputs));
                    (group * outputs + pair % outputs, input)
                }
            };
            let (group, within) = (output / outputs, output % outputs);
            let block = group * outputs.div_ceil(LANES) + within / LANES;
            let (lane, factor) = (within % LANES, scale[output]);
            for (value, place) in now.iter().zip(&places[tap..]) {
                if let &Some((phases, slot, taps)) = place {
                    pairs[phases].weights[((block * taps + slot) * inputs + input) * LANES + lane] = value * factor;
                }
            }
            (values, pair, tap) = (rest, pair + 1, 0);
        }
    }

    /// Values of the packed weights.
    pub fn packed(&self) -> usize {
        self.pairs.iter().map(|pair| pair.weights.len()).sum()
    }

    /// Runs the layer; `tell` is asked now and then whether to go on.
    pub fn run(
        &self,
        (x, from): (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let lattice = |phase: &Phase| Lattice { first: phase.first, every: phase.every };
        let phases = |pair: &PhasePair| (&self.geometry.rows[pair.row], &self.geometry.columns[pair.column]);
        let classes = self.pairs.iter().map(phases).map(|(row, column)| (lattice(row), lattice(column)));
        let grid = Grid::new(to.interior(), classes.collect(), (1, 1));
        let mut parts = grid.split(out, self.shares(&grid));
        let all = parts.len();
        for (index, batch) in parts.chunks_mut(BATCH).enumerate() {
            if tell((index * BATCH) as f32 / all as f32).is_break() {
                return Err(cancelled());
            }
            threads::chunks(batch, 1, &|_, part| self.part(&mut part[0], (x, from), epilogue));
        }
        Ok(())
    }

    /// What the tasks do: some pixels of a pair of phases with some of its output blocks.
    fn shares(&self, grid: &Grid) -> Vec<Share> {
        let (inputs, (_, outputs)) = (self.geometry.layer.channels().0, self.geometry.layer.group());
        let (of_group, groups) = (outputs.div_ceil(LANES), self.geometry.layer.groups());
        let blocks = of_group * groups;
        // The first channel of a block.
        let channel = |block: usize| block / of_group * outputs + block % of_group * LANES;
        let most = (TASK_VALUES / inputs).clamp(4 * ROWS, 1024).next_multiple_of(ROWS);
        let wanted = (TASKS * threads::count()).div_ceil(self.pairs.len().max(1));
        let mut shares = Vec::new();
        for index in 0..self.pairs.len() {
            let tiles = grid.tiles_of(index..index + 1);
            let pixels = tiles.len().div_ceil(wanted).next_multiple_of(ROWS).clamp(4 * ROWS, most);
            // Few pixels: the weights are what is divided, so that each is read once.
            let slices = wanted.checked_div(tiles.len().div_ceil(pixels)).unwrap_or(1).clamp(1, blocks);
            let cut = |slice: usize| channel(slice * blocks / slices);
            for start in tiles.clone().step_by(pixels) {
                let tiles = start..(start + pixels).min(tiles.end);
                shares.extend((0..slices).map(|i| Share { tiles: tiles.clone(), channels: cut(i)..cut(i + 1) }));
            }
        }
        shares
    }

    fn part(&self, part: &mut Part<'_>, (x, from): (&[f32], &View), epilogue: Epilogue<'_>) {
        let channels = part.share().channels.clone();
        let Some(first) = part.tiles().next() else { return };
        let pair = &self.pairs[first.class];
        let (row, column) = (&self.geometry.rows[pair.row], &self.geometry.columns[pair.column]);
        let (inputs, outputs) = self.geometry.layer.group();
        let (segments, length, origin) = segments(row, column, from, inputs);
        if segments.is_empty() {
            return self.bias_only(part, epilogue);
        }
        // The border is as wide as the taps reach, so no start is negative.
        let start = |y: usize, x: usize| (from.at(y * row.step, x * column.step) as isize + origin) as usize;
        let rows: Vec<usize> = part.tiles().map(|tile| start(tile.row, tile.column)).collect();
        let per_block = segments.len() * length * LANES;
        let mut pixels = part.pixels();
        for group in channels.start / outputs..channels.end.div_ceil(outputs) {
            // What the part has of the group's channels: whole blocks, up to the group's end.
            let base = group * outputs;
            let channels = channels.start.max(base)..channels.end.min(base + outputs);
            let blocks = (channels.start - base) / LANES..(channels.end - base).div_ceil(LANES);
            let weights = &pair.weights[group * outputs.div_ceil(LANES) * per_block..];
            let p = Product {
                input: &x[group * inputs..],
                rows: &rows,
                segments: &segments,
                length,
                weights: &weights[blocks.start * per_block..blocks.end * per_block],
                channels,
                bias: &self.bias,
            };
            pixels.product(&p, epilogue);
        }
    }

    /// Pixels that no tap reaches.
    fn bias_only(&self, part: &mut Part<'_>, epilogue: Epilogue<'_>) {
        let Share { tiles, channels } = part.share().clone();
        let p = Product {
            input: &[0.0],
            rows: &vec![0; tiles.len()],
            segments: &[0],
            length: 1,
            weights: &vec![0.0; channels.len().next_multiple_of(LANES)],
            channels,
            bias: &self.bias,
        };
        part.pixels().product(&p, epilogue);
    }
}

/// Stretches of input values that a pixel's taps read of a group of `inputs` channels: distances from the first, length,
/// and the first's distance from the pixel's position. Neighbouring column taps make one stretch if a group is all.
pub fn segments(row: &Phase, column: &Phase, from: &View, inputs: usize) -> (Vec<usize>, usize, isize) {
    let (pitch, channels) = (from.pitch() as isize, from.shape.channels);
    let (Some(top), Some(left)) = (row.taps.first(), column.taps.first()) else { return (Vec::new(), 0, 0) };
    let origin = top.offset * pitch + left.offset * channels as isize;
    let joined = inputs == channels && column.taps.windows(2).all(|pair| pair[1].offset == pair[0].offset + 1);
    let down = row.taps.iter().map(|tap| ((tap.offset - top.offset) * pitch) as usize);
    if joined {
        return (down.collect(), column.taps.len() * channels, origin);
    }
    let across = |y: usize| column.taps.iter().map(move |tap| y + (tap.offset - left.offset) as usize * channels);
    (down.flat_map(across).collect(), inputs, origin)
}

#[cfg(test)]
mod tests {
    use super::super::definition::distance;
    use super::*;
    use crate::network::{Conv2d, ConvTranspose2d, Op, PaddingMode};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn layers_with_and_without_groups_agree_with_the_definition() {
        let layers: [Op; 9] = [
            Conv2d::new(24, 40, 1).into(),
            Conv2d::new(12, 21, 3).padding(1).into(),
            Conv2d::new(12, 21, 3).padding(1).groups(3).padding_mode(PaddingMode::Reflect).into(),
            Conv2d::new(32, 64, 3).stride(2).padding(1).groups(4).into(),
            Conv2d::new(20, 10, (3, 2)).dilation((1, 2)).padding(2).groups(5).into(),
            Conv2d::new(32, 32, 1).groups(2).into(),
            ConvTranspose2d::new(12, 21, 4).stride(2).padding(1).groups(3).into(),
            ConvTranspose2d::new(32, 16, 3).stride(2).padding(1).output_padding(1).groups(2).into(),
            // Most pixels of the larger stride are reached by no tap.
            ConvTranspose2d::new(6, 22, 1).stride(3).groups(2).into(),
        ];
        for layer in layers {
            for size in [(4, 4), (5, 9), (17, 12)] {
                let worst = distance(&layer, size, &|geometry, raw, input, output, epilogue| {
                    let mut direct = ImplicitGemm::empty(geometry, &raw);
                    // In pieces that end anywhere.
                    for (index, piece) in raw.weight.chunks(101).enumerate() {
                        direct.pack(index * 101, piece, &raw.scale);
                    }
                    direct.run(input, output, epilogue, &mut |_| ControlFlow::Continue(())).unwrap();
                });
                assert!(worst < 1e-5, "{layer:?}, {size:?}: {worst:e}");
            }
        }
    }
}

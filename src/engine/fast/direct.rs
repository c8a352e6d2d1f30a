//! Convolutions, plain and transposed, as implicit GEMM: input pixels are read in place, and each phase of a
//! transposed convolution is a plain one.

use std::ops::{ControlFlow, Range};

use super::geometry::{Convolution, Geometry, Phase, Raw, read_weight};
use super::kernels::product::{Product, product};
use super::kernels::{Epilogue, LANES, ROWS, Shared};
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
struct Part {
    row: usize,
    column: usize,
    /// `[output / 8][row tap][column tap][input][8]`, zeros beyond the last output.
    weights: Vec<f32>,
}

/// A layer ready to run.
pub struct Direct {
    /// Places.
    pub geometry: Geometry,
    parts: Vec<Part>,
    bias: Vec<f32>,
}

/// Some pixels of a part with some of its output blocks.
struct Task {
    part: usize,
    pixels: Range<usize>,
    blocks: Range<usize>,
}

impl Direct {
    /// Packs the weight of `node` while it is read, so that there is never a second copy of it.
    pub fn read(geometry: Geometry, raw: &Raw, node: &Node, weights: &mut dyn WeightSource) -> Result<Self> {
        let shape = geometry.shape.clone();
        let mut layer = Self::empty(geometry, raw);
        read_weight(node, &shape, weights, &mut |start, piece| layer.pack(start, piece, &raw.scale))?;
        Ok(layer)
    }

    /// Zeros where the weights will be.
    fn empty(geometry: Geometry, raw: &Raw) -> Self {
        let (inputs, outputs) = geometry.shape.channels();
        let mut parts = Vec::new();
        for (row, y) in geometry.rows.iter().enumerate() {
            for (column, x) in geometry.columns.iter().enumerate() {
                let values = y.taps.len() * x.taps.len() * inputs * outputs.next_multiple_of(LANES);
                parts.push(Part { row, column, weights: vec![0.0; values] });
            }
        }
        Self { bias: raw.padded_bias(), parts, geometry }
    }

    /// Puts values of PyTorch's layout, from index `start` on, where the kernel reads them.
    fn pack(&mut self, start: usize, mut values: &[f32], scale: &[f32]) {
        let Self { geometry, parts, .. } = self;
        let (inputs, outputs) = geometry.shape.channels();
        let (height, width) = geometry.shape.kernel();
        // By tap: its part, its place among the part's taps, and how many these are.
        let mut places = vec![None; height * width];
        for (index, part) in parts.iter().enumerate() {
            let (y, x) = (&geometry.rows[part.row].taps, &geometry.columns[part.column].taps);
            let kernels = y.iter().flat_map(|y| x.iter().map(move |x| y.kernel * width + x.kernel));
            kernels.enumerate().for_each(|(slot, tap)| places[tap] = Some((index, slot, y.len() * x.len())));
        }
        let (mut pair, mut tap) = (start / places.len(), start % places.len());
        while !values.is_empty() {
            let (now, rest) = values.split_at(values.len().min(places.len() - tap));
            let (output, input) = match geometry.shape {
                Convolution::Plain(_) => (pair / inputs, pair % inputs),
                Convolution::Transposed(_) => (pair % outputs, pair / outputs),
            };
            let (block, lane, factor) = (output / LANES, output % LANES, scale[output]);
            for (value, place) in now.iter().zip(&places[tap..]) {
                if let &Some((part, slot, taps)) = place {
                    parts[part].weights[((block * taps + slot) * inputs + input) * LANES + lane] = value * factor;
                }
            }
            (values, pair, tap) = (rest, pair + 1, 0);
        }
    }

    /// Values of the packed weights.
    pub fn packed(&self) -> usize {
        self.parts.iter().map(|part| part.weights.len()).sum()
    }

    /// Runs the layer; `tell` is asked now and then whether to go on.
    pub fn run(
        &self,
        (x, from): (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let channels = self.geometry.shape.channels().0;
        let blocks = to.shape.channels.div_ceil(LANES);
        let pixels = (TASK_VALUES / channels).clamp(4 * ROWS, 1024).next_multiple_of(ROWS);
        let wanted = (TASKS * threads::count()).div_ceil(self.parts.len().max(1));
        let mut tasks = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let total = self.count(part, to);
            let pixels = total.div_ceil(wanted).next_multiple_of(ROWS).clamp(4 * ROWS, pixels);
            let chunks = total.div_ceil(pixels);
            // Few pixels: the weights are what is divided, so that each is read once.
            let groups = wanted.checked_div(chunks).unwrap_or(1).clamp(1, blocks);
            for chunk in 0..chunks {
                for group in 0..groups {
                    let share = |g: usize| g * blocks / groups;
                    let end = ((chunk + 1) * pixels).min(total);
                    tasks.push(Task {
                        part: index,
                        pixels: chunk * pixels..end,
                        blocks: share(group)..share(group + 1),
                    });
                }
            }
        }
        let out = Shared::new(out);
        for (index, batch) in tasks.chunks(BATCH).enumerate() {
            if tell((index * BATCH) as f32 / tasks.len() as f32).is_break() {
                return Err(cancelled());
            }
            threads::parallel(batch.len(), &|task| self.task(&batch[task], (x, from), (&out, to), epilogue));
        }
        Ok(())
    }

    fn count(&self, part: &Part, to: &View) -> usize {
        let (row, column) = (&self.geometry.rows[part.row], &self.geometry.columns[part.column]);
        row.count(to.shape.height) * column.count(to.shape.width)
    }

    fn task(&self, task: &Task, (x, from): (&[f32], &View), (out, to): (&Shared, &View), epilogue: Epilogue<'_>) {
        let part = &self.parts[task.part];
        let (row, column) = (&self.geometry.rows[part.row], &self.geometry.columns[part.column]);
        let columns = column.count(to.shape.width);
        let (segments, length, origin) = segments(row, column, from);
        let mut rows = Vec::with_capacity(task.pixels.len());
        let mut targets = Vec::with_capacity(task.pixels.len());
        for pixel in task.pixels.clone() {
            let (r, c) = (pixel / columns, pixel % columns);
            // The border is as wide as the taps reach, so no start is negative.
            rows.push((from.at(r * row.step, c * column.step) as isize + origin) as usize);
            targets.push(to.at(row.first + r * row.every, column.first + c * column.every));
        }
        if segments.is_empty() {
            // No tap reaches these pixels: they are the bias.
            let p = Product {
                input: &[0.0],
                rows: &vec![0; rows.len()],
                segments: &[0],
                length: 1,
                weights: &vec![0.0; task.blocks.len() * LANES],
                first_block: task.blocks.start,
                bias: &self.bias,
                targets: &targets,
                channels: to.shape.channels,
            };
            product(&p, out, epilogue);
            return;
        }
        let per_block = segments.len() * length * LANES;
        let p = Product {
            input: x,
            rows: &rows,
            segments: &segments,
            length,
            weights: &part.weights[task.blocks.start * per_block..task.blocks.end * per_block],
            first_block: task.blocks.start,
            bias: &self.bias,
            targets: &targets,
            channels: to.shape.channels,
        };
        product(&p, out, epilogue);
    }
}

/// Stretches of input values that a pixel's taps read: distances from the first, length, and the first's distance from
/// the pixel's position. Neighbouring column taps make one stretch.
pub fn segments(row: &Phase, column: &Phase, from: &View) -> (Vec<usize>, usize, isize) {
    let (pitch, channels) = (from.pitch() as isize, from.shape.channels);
    let (Some(top), Some(left)) = (row.taps.first(), column.taps.first()) else { return (Vec::new(), 0, 0) };
    let origin = top.offset * pitch + left.offset * channels as isize;
    let joined = column.taps.windows(2).all(|pair| pair[1].offset == pair[0].offset + 1);
    let down = row.taps.iter().map(|tap| ((tap.offset - top.offset) * pitch) as usize);
    if joined {
        return (down.collect(), column.taps.len() * channels, origin);
    }
    let across = |y: usize| column.taps.iter().map(move |tap| y + (tap.offset - left.offset) as usize * channels);
    (down.flat_map(across).collect(), channels, origin)
}

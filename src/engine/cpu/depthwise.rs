//! Depthwise convolutions, plain and transposed: every input channel makes one output channel of its own, or `k` of them.
//!
//! A task is some output rows. Each phase of a transposed convolution is a plain one of every so many columns. Where a
//! channel makes several outputs, the input rows of a task are copied with every channel repeated.

use std::ops::{ControlFlow, Range};

use super::geometry::{ConvWeights, Geometry, Phase};
use super::kernels::Epilogue;
use super::kernels::depthwise as kernel;
use super::kernels::part::Lattice;
use super::rows::Tasks;
use super::view::View;
use crate::error::Result;
use crate::threads;

/// Tasks that a thread gets at least, if there are rows enough.
const TASKS: usize = 4;
/// Most output rows of a task: the rows that two tasks read are few among them.
const MAX_TASK_ROWS: usize = 16;
/// Multiplications between two looks at the watcher.
const LOOK_MACS: usize = 1 << 27;

/// A layer ready to run.
pub struct Depthwise {
    /// Places.
    pub geometry: Geometry,
    /// By row phase and column phase: as the kernel packs them.
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl Depthwise {
    /// Whether a layer is one: as many groups as input channels, and more than one.
    pub fn suits(geometry: &Geometry) -> bool {
        geometry.layer.groups() > 1 && geometry.layer.groups() == geometry.layer.channels().0
    }

    /// Packs the weights; the raw ones are dropped.
    pub fn new(geometry: Geometry, raw: ConvWeights) -> Self {
        let outputs = geometry.layer.channels().1;
        let (height, width) = geometry.layer.kernel();
        let mut weights = Vec::new();
        for (row, column) in geometry.rows.iter().flat_map(|row| geometry.columns.iter().map(move |c| (row, c))) {
            let taps: Vec<usize> =
                row.taps.iter().flat_map(|y| column.taps.iter().map(|x| y.kernel * width + x.kernel)).collect();
            // PyTorch has the outputs in order, each with its taps, in plain and transposed layers alike.
            let weight =
                |tap: usize, output: usize| raw.weight[output * height * width + taps[tap]] * raw.scale[output];
            weights.push(kernel::pack(outputs, taps.len(), weight));
        }
        Self { weights, bias: raw.padded_bias(), geometry }
    }

    /// Values of the packed weights.
    pub fn packed(&self) -> usize {
        self.weights.iter().map(Vec::len).sum()
    }

    /// Runs the layer; `tell` is asked now and then whether to go on.
    pub fn run(
        &self,
        input: (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let rows = to.shape.height.div_ceil(TASKS * threads::count()).clamp(1, MAX_TASK_ROWS);
        let row_macs = self.packed() / self.geometry.rows.len().max(1) * to.shape.width.max(1);
        Tasks { rows, row_macs, look_macs: LOOK_MACS }.run((out, to), tell, &|first, rows| {
            self.rows(first, input, (rows, to), epilogue);
        })
    }

    /// Output rows from `first` on: `rows` holds them, borders left and right included.
    fn rows(&self, first: usize, (x, from): (&[f32], &View), (rows, to): (&mut [f32], &View), epilogue: Epilogue<'_>) {
        let (pitch, channels) = (to.pitch(), to.shape.channels);
        let last = first + rows.len() / pitch;
        let source = match channels / from.shape.channels {
            1 => Source { values: x.into(), pitch: from.pitch(), first: 0 },
            times => self.repeated(first..last, (x, from), times),
        };
        for (y, row) in (first..last).zip(rows.chunks_exact_mut(pitch)) {
            let line = &mut row[to.border[1] * channels..][..to.shape.width * channels];
            self.row(y, (&source, from), line, epilogue.of(to.at(y, 0), to.shape.width, channels));
        }
    }

    /// The stored input rows that these output rows read, with every channel `times` times.
    fn repeated<'a>(&self, rows: Range<usize>, (x, from): (&'a [f32], &View), times: usize) -> Source<'a> {
        let reads = |y: usize| self.stored_rows(self.phase(y), y, from);
        let first = rows.clone().flat_map(reads).min().unwrap_or(0);
        let end = rows.flat_map(reads).max().map_or(first, |last| last + 1);
        let stored = &x[first * from.pitch()..end * from.pitch()];
        let values: Vec<f32> = stored.iter().flat_map(|&value| std::iter::repeat_n(value, times)).collect();
        Source { values: values.into(), pitch: from.pitch() * times, first }
    }

    /// The phase of an output row.
    fn phase(&self, y: usize) -> usize {
        // Phases stand in the order of their first rows: one for each row of a stride.
        y % self.geometry.rows.len()
    }

    /// The input rows that the taps of output row `y` read, counted from the top of the border.
    fn stored_rows(&self, phase: usize, y: usize, from: &View) -> impl Iterator<Item = usize> + '_ {
        let phase = &self.geometry.rows[phase];
        let position = (from.border[0] + (y - phase.first) / phase.every * phase.step) as isize;
        // The border is as wide as the taps reach, so none is negative.
        phase.taps.iter().map(move |tap| (position + tap.offset) as usize)
    }

    /// One output row: `line` is its interior part, and so are the epilogue's map and summand.
    fn row(&self, y: usize, (source, from): (&Source<'_>, &View), line: &mut [f32], epilogue: Epilogue<'_>) {
        let (phase, channels) = (self.phase(y), self.geometry.layer.channels().1);
        for (index, column) in self.geometry.columns.iter().enumerate() {
            let (left, columns) = self.column(column, from, channels);
            let mut rows: Vec<usize> =
                self.stored_rows(phase, y, from).map(|row| (row - source.first) * source.pitch + left).collect();
            if column.taps.is_empty() {
                // No tap reaches these pixels: they are the bias.
                rows.clear();
            }
            let d = kernel::Depthwise {
                input: &source.values,
                rows: &rows,
                columns: &columns,
                step: column.step * channels,
                channels,
                weights: &self.weights[phase * self.geometry.columns.len() + index],
                bias: &self.bias,
            };
            kernel::depthwise(&d, line, Lattice { first: column.first, every: column.every }, epilogue);
        }
    }

    /// Where the first column tap of the first output lies in a stored row, and the distances of all from there.
    fn column(&self, phase: &Phase, from: &View, channels: usize) -> (usize, Vec<usize>) {
        let Some(first) = phase.taps.first() else { return (0, vec![0]) };
        let left = (from.border[1] as isize + first.offset) as usize * channels;
        (left, phase.taps.iter().map(|tap| (tap.offset - first.offset) as usize * channels).collect())
    }
}

/// What a task reads: the input itself, or rows of it with every channel repeated.
struct Source<'a> {
    values: std::borrow::Cow<'a, [f32]>,
    /// Values of a row.
    pitch: usize,
    /// The stored row that it begins with.
    first: usize,
}

#[cfg(test)]
mod tests {
    use super::super::definition::distance;
    use super::*;
    use crate::network::{Conv2d, ConvTranspose2d, Op, PaddingMode};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn layers_agree_with_the_definition() {
        let layers: [Op; 13] = [
            Conv2d::new(16, 16, 3).padding(1).groups(16).into(),
            Conv2d::new(21, 21, 3).padding(1).groups(21).padding_mode(PaddingMode::Circular).into(),
            Conv2d::new(40, 40, 4).stride(2).padding(1).groups(40).bias(false).into(),
            Conv2d::new(9, 9, (5, 1)).dilation((2, 1)).padding((4, 0)).groups(9).into(),
            Conv2d::new(8, 8, 3).dilation(2).padding(2).groups(8).padding_mode(PaddingMode::Replicate).into(),
            Conv2d::new(3, 3, 3).stride(2).padding(1).groups(3).into(),
            Conv2d::new(5, 15, 3).padding(1).groups(5).into(),
            Conv2d::new(12, 24, 3).stride(2).padding(1).groups(12).into(),
            ConvTranspose2d::new(24, 24, 4).stride(2).padding(1).groups(24).bias(false).into(),
            ConvTranspose2d::new(3, 3, 4).stride(2).padding(1).groups(3).into(),
            ConvTranspose2d::new(17, 17, 3).stride(2).padding(1).output_padding(1).groups(17).into(),
            ConvTranspose2d::new(6, 18, (2, 3)).stride((2, 1)).dilation((1, 2)).groups(6).into(),
            // Most pixels of the larger stride are reached by no tap.
            ConvTranspose2d::new(11, 11, (1, 2)).stride((3, 4)).groups(11).into(),
        ];
        for layer in layers {
            for size in [(4, 4), (5, 9), (19, 12)] {
                let worst = distance(&layer, size, &|geometry, raw, input, output, epilogue| {
                    assert!(Depthwise::suits(&geometry), "{layer:?}");
                    let layer = Depthwise::new(geometry, raw);
                    layer.run(input, output, epilogue, &mut |_| ControlFlow::Continue(())).unwrap();
                });
                assert!(worst < 1e-5, "{layer:?}, {size:?}: {worst:e}");
            }
        }
    }
}

//! Convolutions with very few output channels, such as a network's last: the kernel's columns become outputs of a
//! product over whole rows, which are then shifted and summed. Eight lanes would otherwise hold three channels.

use std::ops::ControlFlow;

use super::geometry::{ConvWeights, Geometry, Phase, Tap};
use super::implicit_gemm::segments;
use super::kernels::product::{Product, Targets, product};
use super::kernels::{Epilogue, LANES, elementwise};
use super::rows::Tasks;
use super::view::View;
use crate::error::Result;

/// Most output channels that are worth it.
const MAX_CHANNELS: usize = 4;
/// Multiplications between two looks at the watcher.
const LOOK_MACS: usize = 1 << 29;
/// Output rows of a task.
const TASK_ROWS: usize = 4;

/// A layer ready to run.
pub struct SmallCoutConv {
    /// Places.
    pub geometry: Geometry,
    /// By row phase: `[(column tap, output) / 8][row tap][input][8]`.
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl SmallCoutConv {
    /// Whether this way is shorter: fewer lanes for a row of taps than a block of outputs for each.
    pub fn suits(geometry: &Geometry) -> bool {
        let outputs = geometry.layer.channels().1;
        let columns = geometry.layer.kernel().1;
        let taps: usize = geometry.columns.iter().map(|phase| phase.taps.len()).sum();
        // A strided layer would compute rows of products that nobody needs.
        outputs <= MAX_CHANNELS
            && geometry.layer.groups() == 1
            && geometry.columns.iter().all(|phase| phase.step == 1)
            && (outputs * columns).next_multiple_of(LANES) < LANES * taps
    }

    /// Packs the weights; the raw ones are dropped.
    pub fn new(geometry: Geometry, raw: ConvWeights) -> Self {
        let (inputs, outputs) = geometry.layer.channels();
        let columns = geometry.layer.kernel().1;
        let pack = |row: &Phase| {
            let per_block = row.taps.len() * inputs * LANES;
            let mut packed = vec![0.0; per_block * (outputs * columns).div_ceil(LANES)];
            for (slot, tap) in row.taps.iter().enumerate() {
                for input in 0..inputs {
                    for output in 0..outputs {
                        let from = geometry.layer.weight_index(output, input) + tap.kernel * columns;
                        for column in 0..columns {
                            let lane = column * outputs + output;
                            let at = lane / LANES * per_block + (slot * inputs + input) * LANES + lane % LANES;
                            packed[at] = raw.weight[from + column] * raw.scale[output];
                        }
                    }
                }
            }
            packed
        };
        Self { weights: geometry.rows.iter().map(pack).collect(), bias: raw.bias, geometry }
    }

    /// Values of the packed weights.
    pub fn packed(&self) -> usize {
        self.weights.iter().map(Vec::len).sum()
    }

    /// Runs the layer; `tell` is asked now and then whether to go on.
    pub fn run(
        &self,
        (x, from): (&[f32], &View),
        (out, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
    ) -> Result<()> {
        let row_macs = self.packed() / self.weights.len().max(1) * (from.pitch() / from.shape.channels.max(1));
        Tasks { rows: TASK_ROWS, row_macs, look_macs: LOOK_MACS }.run((out, to), tell, &|first, rows| {
            let mut sums = Vec::new();
            for (y, row) in (first..).zip(rows.chunks_exact_mut(to.pitch())) {
                let line = &mut row[to.border[1] * to.shape.channels..][..to.shape.width * to.shape.channels];
                self.row(y, (x, from), (line, to), epilogue, &mut sums);
            }
        })
    }

    /// One output row: `line` is its interior part.
    fn row(
        &self,
        y: usize,
        (x, from): (&[f32], &View),
        (line, to): (&mut [f32], &View),
        epilogue: Epilogue<'_>,
        sums: &mut Vec<f32>,
    ) {
        let index = self.geometry.rows.iter().position(|p| y >= p.first && (y - p.first).is_multiple_of(p.every));
        let Some(index) = index else { return };
        let phase = &self.geometry.rows[index];
        let outputs = to.shape.channels;
        let lanes = self.geometry.layer.kernel().1 * outputs;
        // Products of every stored pixel of the row, border included: column taps may reach there.
        let pixels = from.border[1] + from.shape.width + from.border[3];
        sums.clear();
        sums.resize(pixels * lanes, 0.0);
        let position = (y - phase.first) / phase.every * phase.step;
        let here = Phase { first: 0, every: 1, step: 1, taps: vec![Tap { kernel: 0, offset: 0 }] };
        let (segments, length, origin) = segments(phase, &here, from, from.shape.channels);
        if !segments.is_empty() {
            let start = from.at(position, 0) as isize + origin - (from.border[1] * from.shape.channels) as isize;
            let rows: Vec<usize> = (0..pixels).map(|p| start as usize + p * from.shape.channels).collect();
            let targets: Vec<usize> = (0..pixels).map(|p| p * lanes).collect();
            let p = Product {
                input: x,
                rows: &rows,
                segments: &segments,
                length,
                weights: &self.weights[index],
                channels: 0..lanes,
                bias: &[],
            };
            product(&p, Targets { starts: &targets, pixel: lanes }, sums, Epilogue::default());
        }
        line.chunks_exact_mut(outputs).for_each(|pixel| pixel.copy_from_slice(&self.bias[..outputs]));
        for column in &self.geometry.columns {
            for tap in &column.taps {
                let first = (from.border[1] as isize + tap.offset) as usize;
                let targets = line.chunks_exact_mut(outputs).skip(column.first).step_by(column.every);
                let sources = sums[first * lanes..].chunks_exact(lanes);
                for (pixel, sum) in targets.zip(sources) {
                    elementwise::add(pixel, &sum[tap.kernel * outputs..][..outputs]);
                }
            }
        }
        elementwise::finish(line, outputs, epilogue.of(to.at(y, 0), to.shape.width, outputs));
    }
}

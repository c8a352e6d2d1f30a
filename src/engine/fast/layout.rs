//! Where values live: NHWC with a border as wide as their readers reach, in few buffers that are used again.

use super::geometry::reflected;
use super::plan::Plan;
use crate::error::Result;
use crate::network::{PaddingMode, Shape};
use crate::threads;

/// One value's place.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Index of its buffer.
    pub buffer: usize,
    /// The interior.
    pub shape: Shape,
    /// Border pixels: top, left, bottom, right.
    pub border: [usize; 4],
    /// What the border holds.
    pub mode: PaddingMode,
}

impl View {
    /// Values from one row to the next, border included.
    pub fn pitch(&self) -> usize {
        (self.border[1] + self.shape.width + self.border[3]) * self.shape.channels
    }

    /// Values in all, border included.
    pub fn len(&self) -> usize {
        (self.border[0] + self.shape.height + self.border[2]) * self.pitch()
    }

    /// Where an interior pixel starts.
    pub fn at(&self, y: usize, x: usize) -> usize {
        (self.border[0] + y) * self.pitch() + (self.border[1] + x) * self.shape.channels
    }

    /// Where a pixel starts, if it lies in the interior or in the border.
    pub fn at_stored(&self, y: isize, x: isize) -> Option<usize> {
        let (row, column) = (y + self.border[0] as isize, x + self.border[1] as isize);
        let rows = (self.border[0] + self.shape.height + self.border[2]) as isize;
        let columns = (self.border[1] + self.shape.width + self.border[3]) as isize;
        ((0..rows).contains(&row) && (0..columns).contains(&column))
            .then(|| row as usize * self.pitch() + column as usize * self.shape.channels)
    }

    /// The interior part of row `y`.
    pub fn row(&self, y: usize) -> std::ops::Range<usize> {
        let start = self.at(y, 0);
        start..start + self.shape.width * self.shape.channels
    }

    /// Runs `body(y, row)` for every interior row, on all threads.
    pub fn rows(&self, values: &mut [f32], body: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        let (pitch, skip) = (self.pitch(), self.border[1] * self.shape.channels);
        let interior = &mut values[self.border[0] * pitch..][..self.shape.height * pitch];
        let length = self.shape.width * self.shape.channels;
        // Several rows a task, or waking the threads costs more than they save.
        let rows = (16_384 / pitch.max(1)).clamp(1, self.shape.height.max(1));
        threads::chunks(interior, rows * pitch, &|index, chunk| {
            for (i, row) in chunk.chunks_exact_mut(pitch).enumerate() {
                body(index * rows + i, &mut row[skip..skip + length]);
            }
        });
    }

    /// Fills the border from the interior.
    pub fn fill_border(&self, values: &mut [f32]) {
        let [top, left, bottom, right] = self.border;
        let (c, pitch, Shape { height, width, .. }) = (self.shape.channels, self.pitch(), self.shape);
        if left + right > 0 {
            let source = |i: isize| reflected(i, width, self.mode).map(|x| (left + x) * c);
            let sources: Vec<(usize, Option<usize>)> = (0..left)
                .map(|i| (i * c, source(i as isize - left as isize)))
                .chain((0..right).map(|i| ((left + width + i) * c, source((width + i) as isize))))
                .collect();
            for row in values[top * pitch..][..height * pitch].chunks_exact_mut(pitch) {
                for &(to, from) in &sources {
                    match from {
                        Some(from) => row.copy_within(from..from + c, to),
                        None => row[to..to + c].fill(0.0),
                    }
                }
            }
        }
        for row in (0..top).chain(top + height..top + height + bottom) {
            match reflected(row as isize - top as isize, height, self.mode) {
                Some(y) => values.copy_within((top + y) * pitch..(top + y + 1) * pitch, row * pitch),
                None => values[row * pitch..(row + 1) * pitch].fill(0.0),
            }
        }
    }
}

/// All values' places for inputs of given shapes.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Shapes of the inputs it is for.
    pub inputs: Vec<Shape>,
    /// By value.
    pub views: Vec<View>,
    /// Values of each buffer.
    pub buffers: Vec<usize>,
    /// By step: a buffer that its transforms may use meanwhile.
    pub scratch: Vec<Option<usize>>,
    /// Index of the last step that reads each value.
    pub last_use: Vec<usize>,
}

impl Layout {
    /// Lays out a plan; `input-shape` errors name the layer.
    pub fn new(plan: &Plan, inputs: &[Shape]) -> Result<Self> {
        let shapes = plan.network.shapes(inputs)?;
        let mut views: Vec<View> = plan
            .values
            .iter()
            .map(|value| View {
                buffer: usize::MAX,
                shape: shapes[value.node],
                border: [0; 4],
                mode: value.mode.unwrap_or(PaddingMode::Zeros),
            })
            .collect();
        let mut last_use: Vec<usize> = vec![0; views.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            for &value in step.inputs.iter().chain(&step.plus) {
                last_use[value] = index;
            }
            if let (Some(geometry), Some(&from)) = (step.kernel.geometry(), step.inputs.first()) {
                let side = |view: &View| (view.shape.height, view.shape.width);
                let need = geometry.border(side(&views[from]), side(&views[step.output]));
                for (border, need) in views[from].border.iter_mut().zip(need) {
                    *border = (*border).max(need);
                }
            }
        }
        last_use[plan.output] = usize::MAX;
        let scratch = vec![None; plan.steps.len()];
        let mut layout = Self { inputs: inputs.to_vec(), views, buffers: Vec::new(), scratch, last_use };
        layout.assign(plan);
        Ok(layout)
    }

    /// Gives every value the free buffer that fits it best.
    fn assign(&mut self, plan: &Plan) {
        let mut free: Vec<usize> = Vec::new();
        for (index, step) in plan.steps.iter().enumerate() {
            if self.views[step.output].buffer == usize::MAX {
                let need = self.views[step.output].len();
                self.views[step.output].buffer = take(&mut self.buffers, &mut free, need);
            }
            let scratch = step.kernel.scratch(&self.views[step.output]);
            if scratch > 0 {
                let buffer = take(&mut self.buffers, &mut free, scratch);
                self.scratch[index] = Some(buffer);
                free.push(buffer);
            }
            let mut ended: Vec<usize> =
                step.inputs.iter().chain(&step.plus).copied().filter(|&v| self.last_use[v] == index).collect();
            ended.sort_unstable();
            ended.dedup();
            free.extend(ended.into_iter().filter(|&v| v != step.output).map(|v| self.views[v].buffer));
        }
    }

    /// Bytes of all buffers.
    pub fn bytes(&self) -> u64 {
        self.buffers.iter().map(|&b| b as u64 * 4).sum()
    }
}

/// The free buffer that fits best, grown if none is large enough; a new one if none is free.
fn take(buffers: &mut Vec<usize>, free: &mut Vec<usize>, need: usize) -> usize {
    let room = |b: &usize| buffers[*b];
    let best = free.iter().copied().filter(|b| room(b) >= need).min_by_key(room);
    match best.or_else(|| free.iter().copied().max_by_key(room)) {
        Some(buffer) => {
            free.retain(|&b| b != buffer);
            buffers[buffer] = buffers[buffer].max(need);
            buffer
        }
        None => {
            buffers.push(need);
            buffers.len() - 1
        }
    }
}

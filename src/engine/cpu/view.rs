//! One value of a plan in the arena: NHWC, with a border as wide as its readers reach.

use std::ops::Range;

use super::kernels::part::Interior;
use crate::network::{PaddingMode, Shape};
use crate::threads;

/// Sides of one image. A value that is no `[1, C, H, W]` lies flat, in the order of its elements, as so many channels of
/// one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Extent {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl From<Shape> for Extent {
    fn from(shape: Shape) -> Self {
        match *shape.sides() {
            [1, channels, height, width] => Self { channels, height, width },
            _ => Self { channels: shape.elements() as usize, height: 1, width: 1 },
        }
    }
}

impl Extent {
    /// Values without any border.
    pub fn elements(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// One value's place.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Where it starts in the arena.
    pub start: usize,
    /// The interior.
    pub shape: Extent,
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

    /// Values in all, border included; `None` if they cannot be counted.
    pub fn checked_len(&self) -> Option<usize> {
        let [top, left, bottom, right] = self.border;
        let rows = top.checked_add(self.shape.height)?.checked_add(bottom)?;
        let columns = left.checked_add(self.shape.width)?.checked_add(right)?;
        rows.checked_mul(columns)?.checked_mul(self.shape.channels)
    }

    /// Values in all, border included; [`Layout`](super::layout::Layout) has made sure that they can be counted.
    pub fn len(&self) -> usize {
        (self.border[0] + self.shape.height + self.border[2]) * self.pitch()
    }

    /// Its place in the arena, border included.
    pub fn place(&self) -> Range<usize> {
        self.start..self.start + self.len()
    }

    /// Where an interior pixel starts, counted from the value's own start.
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

    /// Where the interior lies, counted from the value's own start.
    pub fn interior(&self) -> Interior {
        let Extent { channels, height, width } = self.shape;
        Interior { start: self.at(0, 0), pitch: self.pitch(), pixel: channels, height, width }
    }

    /// The interior part of row `y`.
    pub fn row(&self, y: usize) -> Range<usize> {
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
        let (c, pitch, Extent { height, width, .. }) = (self.shape.channels, self.pitch(), self.shape);
        if left + right > 0 {
            let source = |i: isize| self.mode.source(i, width).map(|x| (left + x) * c);
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
            match self.mode.source(row as isize - top as isize, height) {
                Some(y) => values.copy_within((top + y) * pitch..(top + y + 1) * pitch, row * pitch),
                None => values[row * pitch..(row + 1) * pitch].fill(0.0),
            }
        }
    }
}

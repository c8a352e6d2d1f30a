//! New pixels into the blocks that they touch; no other block changes.

use super::dct::Dct;
use super::read::left_out;
use super::write::quantise;
use super::{BLOCK, Colour, Jpeg};

/// A picture that a JPEG is to show, in the orientation in which the JPEG is stored.
pub struct Picture<'a> {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// `width * height * 4` bytes; alpha is ignored.
    pub rgba: &'a [u8],
    /// Pixels that differ from what the JPEG shows, one bool each.
    pub changed: &'a [bool],
}

/// Encodes anew, with their own tables, the blocks of every component that a changed pixel lies in. In such a block,
/// samples without a changed pixel are taken from its old coefficients.
///
/// Where chroma has fewer samples than luma, a block of it covers more pixels, and decoders interpolate between its
/// samples: pixels that differ from the old file lie in the blocks of the sparsest component, or less than one of its
/// samples beside them.
pub fn repaint(jpeg: &mut Jpeg, picture: &Picture<'_>) {
    let dct = Dct::new();
    let sampling = jpeg.sampling();
    for index in 0..jpeg.components.len() {
        let precision: Vec<Option<u32>> = (0..BLOCK).map(|k| left_out(jpeg, index, k)).collect();
        let colour = jpeg.colour;
        let component = &mut jpeg.components[index];
        let grid = Grid {
            picture,
            across: (sampling.0, component.across),
            down: (sampling.1, component.down),
            channel: (colour, index),
        };
        for row in 0..component.blocks.1 {
            for column in 0..component.blocks.0 {
                if !grid.touches(column, row) {
                    continue;
                }
                let table = component.table;
                let block = component.block_mut(column, row);
                let old = dct.inverse(block, &table);
                let samples =
                    std::array::from_fn(|at| grid.sample(column * 8 + at % 8, row * 8 + at / 8).unwrap_or(old[at]));
                let mut new = quantise(&dct.forward(&samples), &table);
                for (value, precision) in new.iter_mut().zip(&precision) {
                    *value = precision.map_or(0, |low| rounded(*value, low));
                }
                block.copy_from_slice(&new);
            }
        }
    }
}

/// The nearest value that the file's scans can say: they may leave low bits out of every coefficient.
fn rounded(value: i16, low: u32) -> i16 {
    let half = if low == 0 { 0 } else { 1 << (low - 1) };
    let magnitude = (i32::from(value).abs() + half) >> low << low;
    (magnitude * i32::from(value.signum())) as i16
}

/// Where a component's samples lie among the pixels.
struct Grid<'a> {
    picture: &'a Picture<'a>,
    /// Greatest sampling factor and the component's own.
    across: (usize, usize),
    down: (usize, usize),
    /// What the components stand for, and which of them this is.
    channel: (Colour, usize),
}

/// The pixels that samples `from..to` cover; at least one, and none beyond the last.
fn span(from: usize, to: usize, (most, own): (usize, usize), side: usize) -> std::ops::Range<usize> {
    let start = (from * most / own).min(side - 1);
    start..(to * most).div_ceil(own).clamp(start + 1, side)
}

impl Grid<'_> {
    /// Whether a changed pixel lies in a block.
    fn touches(&self, column: usize, row: usize) -> bool {
        let columns = span(column * 8, column * 8 + 8, self.across, self.picture.width);
        let mut rows = span(row * 8, row * 8 + 8, self.down, self.picture.height);
        rows.any(|y| self.picture.changed[y * self.picture.width..][columns.clone()].contains(&true))
    }

    /// The mean of the pixels under a sample, around 0; `None` if none of them has changed. Beyond the picture, its last
    /// pixels go on.
    fn sample(&self, x: usize, y: usize) -> Option<f32> {
        let columns = span(x, x + 1, self.across, self.picture.width);
        let rows = span(y, y + 1, self.down, self.picture.height);
        let (mut sum, mut count, mut is_changed) = (0.0, 0.0, false);
        for y in rows {
            for x in columns.clone() {
                let at = y * self.picture.width + x;
                is_changed |= self.picture.changed[at];
                let rgb = &self.picture.rgba[at * 4..at * 4 + 3];
                sum += value(self.channel, [rgb[0], rgb[1], rgb[2]].map(f32::from));
                count += 1.0;
            }
        }
        is_changed.then(|| sum / count - 128.0)
    }
}

/// One component of a colour, 0 to 255 (JFIF 1.02, "Conversion to and from RGB").
fn value((colour, component): (Colour, usize), [r, g, b]: [f32; 3]) -> f32 {
    match (colour, component) {
        (Colour::Rgb, index) => [r, g, b][index],
        (Colour::Gray | Colour::YCbCr, 0) => 0.299 * r + 0.587 * g + 0.114 * b,
        (_, 1) => 128.0 - 0.168_735_9 * r - 0.331_264_1 * g + 0.5 * b,
        _ => 128.0 + 0.5 * r - 0.418_687_6 * g - 0.081_312_4 * b,
    }
}

//! A JPEG of pixels alone: baseline, with the tables of a quality.

use super::quality::table;
use super::repaint::{Picture, repaint};
use super::{BLOCK, Colour, Component, Jpeg, Scan, Segment};

/// From this quality on, chroma has as many samples as luma.
const FULL_CHROMA_QUALITY: u8 = 90;

/// Encodes an RGBA picture, whose alpha is ignored, as gray or YCbCr. Chroma is halved in both directions below quality 90.
pub fn encode(
    rgba: &[u8],
    (width, height): (usize, usize),
    is_gray: bool,
    quality: u8,
    segments: Vec<Segment>,
) -> Jpeg {
    let luma_samples = if quality < FULL_CHROMA_QUALITY && !is_gray { 2 } else { 1 };
    let component = |id: u8| Component {
        id,
        across: if id == 1 { luma_samples } else { 1 },
        down: if id == 1 { luma_samples } else { 1 },
        slot: (id - 1).min(1),
        table: table(quality, id > 1),
        blocks: (0, 0),
        padded: (0, 0),
        coefficients: Vec::new(),
    };
    let components: Vec<Component> = (1..=if is_gray { 1 } else { 3 }).map(component).collect();
    let all = (0..components.len()).collect();
    let scan = Scan { components: all, first: 0, last: BLOCK - 1, high: 0, low: 0, restart_interval: 0 };
    let colour = if is_gray { Colour::Gray } else { Colour::YCbCr };
    let mut jpeg = Jpeg { width, height, process: 0xc0, colour, components, scans: vec![scan], segments };
    jpeg.lay_out();
    for component in &mut jpeg.components {
        component.coefficients = vec![0; component.padded.0 * component.padded.1 * BLOCK];
    }
    let changed = vec![true; width * height];
    repaint(&mut jpeg, &Picture { width, height, rgba, changed: &changed });
    pad(&mut jpeg);
    jpeg
}

/// Blocks beyond the picture, which fill up the last MCUs, go on with the mean of their neighbour: that takes the fewest bits.
fn pad(jpeg: &mut Jpeg) {
    for component in &mut jpeg.components {
        let (columns, rows) = component.blocks;
        for row in 0..component.padded.1 {
            for column in 0..component.padded.0 {
                if column >= columns || row >= rows {
                    let mean = component.block(column.min(columns - 1), row.min(rows - 1))[0];
                    component.block_mut(column, row)[0] = mean;
                }
            }
        }
    }
}

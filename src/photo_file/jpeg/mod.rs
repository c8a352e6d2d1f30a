//! JPEG by its coefficients: read without decoding to pixels, changed block by block, and written with the source's own
//! tables, sampling and scans, so that a block that nobody touched keeps every bit of its meaning.
//!
//! Baseline, extended sequential and progressive files of 8 bits, Huffman coded, gray or of three components. ITU-T T.81
//! (JPEG) is the source of everything here; its section numbers stand beside what follows them.

mod bits;
mod dct;
mod decode;
mod encode;
mod fresh;
mod huffman;
mod quality;
mod read;
mod repaint;
mod scan;
mod write;

pub use fresh::encode;
pub use quality::estimate_quality;
pub use read::{Refusal, read};
pub use repaint::{Picture, repaint};
pub use write::write;

/// Coefficients of a block.
const BLOCK: usize = 64;

/// Where the coefficients of a file lie in a block: `ZIGZAG[k]` is `8 * row + column` of the k-th (T.81, figure A.6).
const ZIGZAG: [u8; BLOCK] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// What the components of a picture stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One component: luma.
    Gray,
    /// JFIF's full-range BT.601.
    YCbCr,
    /// Red, green and blue as they are.
    Rgb,
}

/// One component of a picture: its blocks from left to right, top to bottom.
#[derive(Clone, Debug)]
pub struct Component {
    /// As scans name it.
    pub id: u8,
    /// Samples across, relative to the other components (1 to 4).
    pub across: usize,
    /// Samples down, relative to the other components (1 to 4).
    pub down: usize,
    /// Which of the four tables it names.
    pub slot: u8,
    /// Its quantisation table, in the file's (zigzag) order.
    pub table: [u16; BLOCK],
    /// Blocks that hold pixels, across and down.
    pub blocks: (usize, usize),
    /// Blocks in memory, across and down: whole MCUs.
    pub padded: (usize, usize),
    /// `padded.0 * padded.1 * 64` quantised coefficients, each block in zigzag order.
    pub coefficients: Vec<i16>,
}

impl Component {
    /// One block's coefficients, in zigzag order.
    pub fn block(&self, column: usize, row: usize) -> &[i16] {
        &self.coefficients[(row * self.padded.0 + column) * BLOCK..][..BLOCK]
    }

    fn block_mut(&mut self, column: usize, row: usize) -> &mut [i16] {
        &mut self.coefficients[(row * self.padded.0 + column) * BLOCK..][..BLOCK]
    }
}

/// One scan of the file, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Indices of its components.
    pub components: Vec<usize>,
    /// First coefficient, in zigzag order (Ss).
    pub first: usize,
    /// Last coefficient (Se).
    pub last: usize,
    /// Bits that earlier scans left out (Ah); 0 in the first scan of a coefficient.
    pub high: u32,
    /// Bits that this one leaves out (Al).
    pub low: u32,
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: usize,
}

/// A segment that carries no picture: APPn or a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The marker's second byte: 0xe0 to 0xef, or 0xfe.
    pub marker: u8,
    /// What follows the length.
    pub data: Vec<u8>,
}

/// A JPEG file as coefficients.
#[derive(Clone, Debug)]
pub struct Jpeg {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// The frame's marker: 0xc0 baseline, 0xc1 extended sequential, 0xc2 progressive.
    pub process: u8,
    /// What the components stand for.
    pub colour: Colour,
    /// One or three.
    pub components: Vec<Component>,
    /// In the order of the file.
    pub scans: Vec<Scan>,
    /// APPn and comments, in the order of the file.
    pub segments: Vec<Segment>,
}

impl Jpeg {
    /// The greatest sampling factors, across and down.
    pub fn sampling(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|component| component.across), most(|component| component.down))
    }

    fn is_progressive(&self) -> bool {
        self.process == 0xc2
    }

    /// Gives every component its number of blocks; the coefficients are allocated by whoever fills them.
    fn lay_out(&mut self) {
        let (across, down) = self.sampling();
        let mcus = (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down));
        for component in &mut self.components {
            let samples = |side: usize, own: usize, most: usize| (side * own).div_ceil(most);
            component.blocks = (
                samples(self.width, component.across, across).div_ceil(8),
                samples(self.height, component.down, down).div_ceil(8),
            );
            component.padded = (mcus.0 * component.across, mcus.1 * component.down);
        }
    }
}

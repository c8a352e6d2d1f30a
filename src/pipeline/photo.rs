//! The photo and its mask, as the whole pipeline passes them.

use crate::error::{Error, Result};
use crate::sentences::Sentence;

/// A rectangle of pixels; always within its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Rect {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl Rect {
    /// The smallest rectangle that holds both.
    pub fn union(self, other: Rect) -> Rect {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Rect { x, y, width: right - x, height: bottom - y }
    }

    /// Grown by a margin on every side, within a picture of this size.
    pub fn grown(self, margin: usize, width: usize, height: usize) -> Rect {
        let (x, y) = (self.x.saturating_sub(margin), self.y.saturating_sub(margin));
        let right = (self.x + self.width + margin).min(width);
        let bottom = (self.y + self.height + margin).min(height);
        Rect { x, y, width: right - x, height: bottom - y }
    }

    /// Whether the two share a pixel.
    pub fn touches(self, other: Rect) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// A picture of which only windows are read, so that the page's own buffer is never copied as a whole.
pub trait Pixels {
    /// Width in pixels.
    fn width(&self) -> usize;
    /// Height in pixels.
    fn height(&self) -> usize;
    /// Whether all pixels are gray, so that the fill must be too.
    fn is_gray(&self) -> bool;
    /// `width * height * 4` bytes of the rectangle: straight RGBA.
    fn read(&self, rect: Rect) -> Vec<u8>;
}

/// An upright photo: 8-bit RGBA, rows from the top, colours as stored (never converted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height * 4` bytes, straight (not premultiplied) alpha.
    pub rgba: Vec<u8>,
    /// Whether the file had an alpha channel (saved with one again).
    pub has_alpha: bool,
    /// Whether the file was gray (saved gray again).
    pub is_gray: bool,
    /// The embedded ICC profile, copied along untouched.
    pub icc: Option<Vec<u8>>,
    /// What the user should be told, as stable words such as `sixteen-bit` or `animated`.
    pub notes: Vec<String>,
}

impl Pixels for Photo {
    fn width(&self) -> usize {
        self.width
    }

    fn height(&self) -> usize {
        self.height
    }

    fn is_gray(&self) -> bool {
        self.is_gray
    }

    fn read(&self, rect: Rect) -> Vec<u8> {
        let rows = self.rgba.chunks_exact(self.width * 4).skip(rect.y).take(rect.height);
        rows.flat_map(|row| &row[rect.x * 4..(rect.x + rect.width) * 4]).copied().collect()
    }
}

/// Which pixels are to be filled: one byte a pixel, 0 known, 255 hole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height` bytes.
    pub holes: Vec<u8>,
}

impl Mask {
    /// A mask from its bytes; `mask-size` error unless there is one for every pixel.
    pub fn new(width: usize, height: usize, holes: Vec<u8>) -> Result<Self> {
        if width.checked_mul(height) != Some(holes.len()) {
            let [pixels, width, height] = [holes.len(), width, height].map(|n| n as u64);
            return Err(Error::said(Sentence::MaskLength { pixels, width, height }));
        }
        Ok(Self { width, height, holes })
    }

    /// Whether the pixel is to be filled.
    pub fn is_hole(&self, x: usize, y: usize) -> bool {
        self.holes[y * self.width + x] > 127
    }

    /// Every hole grown by a disc of this radius, in pixels.
    pub fn grow(&mut self, radius: u32) {
        let (w, h) = (self.width, self.height);
        // A disc larger than the picture covers all of it.
        let reach = (radius as usize).min(w + h);
        if reach == 0 || self.holes.is_empty() {
            return;
        }
        let has_hole: Vec<bool> = self.holes.chunks_exact(w).map(|row| row.iter().any(|&hole| hole > 127)).collect();
        // Distance to the nearest hole within the row, then the disc's half-width decides row by row.
        let far = reach + 1;
        let mut distance = vec![far as u32; w * h];
        for (row, holes) in distance.chunks_exact_mut(w).zip(self.holes.chunks_exact(w)) {
            let mut run = far;
            for (d, &hole) in row.iter_mut().zip(holes) {
                run = if hole > 127 { 0 } else { (run + 1).min(far) };
                *d = run as u32;
            }
            run = far;
            for (d, &hole) in row.iter_mut().zip(holes).rev() {
                run = if hole > 127 { 0 } else { (run + 1).min(far) };
                *d = (*d).min(run as u32);
            }
        }
        let half: Vec<u32> = (0..=reach).map(|dy| ((reach * reach - dy * dy) as f64).sqrt() as u32).collect();
        for y in 0..h {
            let target = y * w;
            for other in (y.saturating_sub(reach)..(y + reach + 1).min(h)).filter(|&other| has_hole[other]) {
                let limit = half[y.abs_diff(other)];
                let near = &distance[other * w..][..w];
                for (hole, &d) in self.holes[target..target + w].iter_mut().zip(near) {
                    if d <= limit {
                        *hole = 255;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn growing_makes_a_disc() {
        let mut mask = Mask::new(9, 9, vec![0; 81]).unwrap();
        mask.holes[4 * 9 + 4] = 255;
        mask.grow(3);
        for y in 0..9usize {
            for x in 0..9usize {
                let inside = x.abs_diff(4).pow(2) + y.abs_diff(4).pow(2) <= 9;
                assert_eq!(mask.is_hole(x, y), inside, "{x}, {y}");
            }
        }
    }

    #[test]
    fn growing_beyond_the_picture_covers_it() {
        for radius in [20, 70_000, i32::MAX as u32, u32::MAX] {
            let mut mask = Mask::new(9, 7, vec![0; 63]).unwrap();
            mask.grow(radius);
            assert!(mask.holes.iter().all(|&hole| hole == 0), "nothing grows from nothing");
            mask.holes[0] = 255;
            mask.grow(radius);
            assert!(mask.holes.iter().all(|&hole| hole == 255), "{radius}");
        }
    }

    #[test]
    fn a_mask_of_another_length_is_refused() {
        assert_eq!(Mask::new(2, 2, vec![0; 3]).unwrap_err().code, Code::MaskSize);
        assert_eq!(Mask::new(2, usize::MAX, vec![0; 2]).unwrap_err().code, Code::MaskSize);
    }
}

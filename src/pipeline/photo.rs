//! The photo and its mask, as the whole pipeline passes them.

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
    /// Whether the pixel is to be filled.
    pub fn is_hole(&self, x: usize, y: usize) -> bool {
        self.holes[y * self.width + x] > 127
    }
}

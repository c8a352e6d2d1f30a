//! The page's own pixels, read where they lie.

use js_sys::Uint8Array;

use crate::pipeline::{Pixels, Rect};

/// The page's own pixel buffer: only the windows that are looked at are copied into wasm memory.
pub struct PagePixels {
    /// RGBA bytes.
    pub rgba: Uint8Array,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Whether the photo is gray.
    pub is_gray: bool,
}

impl Pixels for PagePixels {
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
        let mut out = vec![0; rect.width * rect.height * 4];
        for (row, target) in out.chunks_exact_mut((rect.width * 4).max(1)).enumerate() {
            let start = ((rect.y + row) * self.width + rect.x) * 4;
            self.rgba.subarray(start as u32, (start + rect.width * 4) as u32).copy_to(target);
        }
        out
    }
}

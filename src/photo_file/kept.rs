//! A JPEG whose blocks are the source's, but for those that the hole touches.

use std::borrow::Cow;

use image::metadata::Orientation;
use image::{DynamicImage, RgbaImage};

use super::container;
use super::jpeg::{self, Picture, Refusal};
use super::metadata::Edit;
use crate::pipeline::{self, Photo};

/// The photo as the source with some blocks encoded anew; or, as a stable word, why the source's blocks cannot be kept.
///
/// The file stays in the orientation in which it is stored, and keeps the tag that says so.
pub fn jpeg(photo: &Photo, source: &[u8], without_place: bool) -> Result<Vec<u8>, &'static str> {
    let mut coefficients = jpeg::read(source).map_err(word)?;
    let decoded = pipeline::decode_stored(source).map_err(|_| "damaged")?;
    let orientation = decoded.orientation;
    let shown = decoded.image.into_rgba8();
    let stored = stored(photo, orientation).filter(|(_, size)| *size == shown.dimensions());
    let (stored, _) = stored.ok_or("another-size")?;
    if (coefficients.width, coefficients.height) != (shown.width() as usize, shown.height() as usize) {
        return Err("damaged");
    }
    let changed: Vec<bool> =
        shown.as_chunks::<4>().0.iter().zip(stored.as_chunks::<4>().0).map(|(a, b)| a != b).collect();
    drop(shown);
    let (width, height) = (coefficients.width, coefficients.height);
    jpeg::repaint(&mut coefficients, &Picture { width, height, rgba: &stored, changed: &changed });
    let edit = Edit { without_place, ..Edit::default() };
    coefficients.segments = container::jpeg::edited(std::mem::take(&mut coefficients.segments), &edit);
    jpeg::write(&coefficients).map_err(|_| "damaged")
}

fn word(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Components => "components",
        Refusal::Arithmetic => "arithmetic",
        Refusal::Precision => "precision",
        Refusal::Process => "process",
        Refusal::Damaged => "damaged",
    }
}

/// RGBA bytes, with width and height.
type Rgba<'a> = (Cow<'a, [u8]>, (u32, u32));

/// The photo's pixels turned back into the orientation of its file.
fn stored(photo: &Photo, orientation: Orientation) -> Option<Rgba<'_>> {
    let size = (photo.width as u32, photo.height as u32);
    if orientation == Orientation::NoTransforms {
        return Some((Cow::Borrowed(&photo.rgba), size));
    }
    let upright = RgbaImage::from_raw(size.0, size.1, photo.rgba.clone())?;
    let back = match orientation {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        same => same,
    };
    let mut image = DynamicImage::ImageRgba8(upright);
    image.apply_orientation(back);
    let size = (image.width(), image.height());
    Some((Cow::Owned(image.into_rgba8().into_raw()), size))
}

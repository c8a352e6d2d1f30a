//! A PNG of 16 bits: the source's values where nothing was filled, and a fill without bands where something was.

use image::{DynamicImage, ExtendedColorType};

use crate::error::Result;
use crate::pipeline::{self, Photo, Rect};

/// Values of 16 bits for each of 8: 255 times this is 65535.
const STEP: f32 = 257.0;
/// How far a value of 16 bits may be from the one of 8 that it is rounded to.
const HALF: f32 = 128.0;
/// Rounds of relaxation: enough for bands a hundred pixels wide.
const ROUNDS: usize = 160;
/// How far each step of the relaxation overshoots.
const OVERSHOOT: f32 = 1.85;

/// The photo as a PNG of 16 bits with the source's values; `None` unless the source has 16 bits and the photo's size.
pub fn encode(photo: &Photo, source: &[u8]) -> Option<Result<Vec<u8>>> {
    let decoded = pipeline::decode_stored(source).ok()?;
    let mut image = decoded.image;
    image.apply_orientation(decoded.orientation);
    let (channels, color): (&[usize], _) = match &image {
        DynamicImage::ImageLuma16(_) => (&[0], ExtendedColorType::L16),
        DynamicImage::ImageLumaA16(_) => (&[0, 3], ExtendedColorType::La16),
        DynamicImage::ImageRgb16(_) => (&[0, 1, 2], ExtendedColorType::Rgb16),
        DynamicImage::ImageRgba16(_) => (&[0, 1, 2, 3], ExtendedColorType::Rgba16),
        _ => return None,
    };
    if (image.width() as usize, image.height() as usize) != (photo.width, photo.height) {
        return None;
    }
    let shown = image.to_rgba8();
    let pairs = shown.as_chunks::<4>().0.iter().zip(photo.rgba.as_chunks::<4>().0);
    let changed: Vec<bool> = pairs.map(|(a, b)| a != b).collect();
    drop(shown);
    let mut bytes = image.into_bytes();
    if let Some(rect) = bounds(&changed, photo.width) {
        let mut fill = Fill { photo, changed: &changed, rect, bytes: &mut bytes, count: channels.len() };
        channels.iter().enumerate().for_each(|(at, &channel)| fill.channel(at, channel));
    }
    Some(pipeline::write_png(&bytes, photo.width, photo.height, color, photo.icc.as_deref()))
}

/// The smallest rectangle with every changed pixel.
fn bounds(changed: &[bool], width: usize) -> Option<Rect> {
    let mut rect: Option<Rect> = None;
    for (y, row) in changed.chunks_exact(width).enumerate() {
        let (Some(x), Some(last)) = (row.iter().position(|&is| is), row.iter().rposition(|&is| is)) else { continue };
        let own = Rect { x, y, width: last - x + 1, height: 1 };
        rect = Some(rect.map_or(own, |rect| rect.union(own)));
    }
    rect
}

struct Fill<'a> {
    photo: &'a Photo,
    changed: &'a [bool],
    /// Holds every changed pixel.
    rect: Rect,
    /// Pixels of `count` values of 16 bits in the machine's byte order.
    bytes: &'a mut [u8],
    count: usize,
}

impl Fill<'_> {
    /// Writes one channel of what was filled.
    ///
    /// The fill is known in 8 bits, so each value lies in an interval. Of all that do, those are taken that vary least
    /// (a membrane held by its surroundings and by the intervals): a ramp is a ramp again, and detail stays.
    fn channel(&mut self, at: usize, channel: usize) {
        let area = self.rect.grown(1, self.photo.width, self.photo.height);
        let place = |index: usize| {
            let (x, y) = (area.x + index % area.width, area.y + index / area.width);
            y * self.photo.width + x
        };
        let coarse = |pixel: usize| f32::from(self.photo.rgba[pixel * 4 + channel]) * STEP;
        let mut values: Vec<f32> = Vec::with_capacity(area.width * area.height);
        let mut inside = Vec::new();
        for index in 0..area.width * area.height {
            let pixel = place(index);
            if self.changed[pixel] {
                inside.push(index);
                values.push(coarse(pixel));
            } else {
                let start = (pixel * self.count + at) * 2;
                values.push(f32::from(u16::from_ne_bytes([self.bytes[start], self.bytes[start + 1]])));
            }
        }
        for round in 0..ROUNDS {
            let mut relax = |&index: &usize| {
                let (x, y) = (index % area.width, index / area.width);
                let neighbours = [
                    (x > 0).then(|| index - 1),
                    (x + 1 < area.width).then(|| index + 1),
                    (y > 0).then(|| index - area.width),
                    (y + 1 < area.height).then(|| index + area.width),
                ];
                let around = neighbours.into_iter().flatten().map(|index| values[index]);
                let (sum, count) = around.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
                if count > 0.0 {
                    let middle = coarse(place(index));
                    let wanted = values[index] + OVERSHOOT * (sum / count - values[index]);
                    values[index] = wanted.clamp((middle - HALF).max(0.0), (middle + HALF).min(65535.0));
                }
            };
            match round % 2 {
                0 => inside.iter().for_each(&mut relax),
                _ => inside.iter().rev().for_each(&mut relax),
            }
        }
        let pixels: Vec<usize> = inside.iter().map(|&index| place(index)).collect();
        for (index, pixel) in inside.into_iter().zip(pixels) {
            let start = (pixel * self.count + at) * 2;
            self.bytes[start..start + 2].copy_from_slice(&(values[index].round() as u16).to_ne_bytes());
        }
    }
}

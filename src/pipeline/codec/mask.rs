//! Masks from files: white on black as infill saves them, or whatever else another program has written.

use super::{Decoded, decode};
use crate::error::{Error, Result};
use crate::limits::MIN_MASK_CONTRAST;
use crate::pipeline::Mask;
use crate::sentences::Sentence;

/// What a plain mask is split at: luma above this is to be filled.
const PLAIN: u8 = 127;
/// Gray pixels for each pixel of a hole's rim from which edges count as soft; smooth outlines have less than one.
const SOFT_WIDTH: f64 = 1.5;

/// The channel of a picture in which the mask is found, each 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MaskChannel {
    /// BT.601 luma.
    Luma,
    Alpha,
    Red,
    Green,
    Blue,
    /// The strongest of red, green and blue; no word, because only [`read_mask`] chooses it.
    Strongest,
}

impl MaskChannel {
    /// The words of the command line; `auto` is none of them in particular.
    pub const WORDS: &[&str] = &["auto", "luma", "alpha", "red", "green", "blue"];

    /// What a word stands for; `None` for `auto` and for any other.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "luma" => Some(Self::Luma),
            "alpha" => Some(Self::Alpha),
            "red" => Some(Self::Red),
            "green" => Some(Self::Green),
            "blue" => Some(Self::Blue),
            _ => None,
        }
    }

    /// Its word; the strongest colour's is none of [`Self::WORDS`].
    pub fn word(self) -> &'static str {
        match self {
            Self::Luma => "luma",
            Self::Alpha => "alpha",
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Strongest => "strongest",
        }
    }

    /// This channel of an RGBA pixel.
    fn of(self, pixel: &[u8]) -> u8 {
        match self {
            Self::Luma => luma(pixel),
            Self::Red => pixel[0],
            Self::Green => pixel[1],
            Self::Blue => pixel[2],
            Self::Alpha => pixel[3],
            Self::Strongest => pixel[0].max(pixel[1]).max(pixel[2]),
        }
    }
}

/// How a mask's file is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaskOptions {
    /// Where the mask is; `None` takes luma, and another channel where luma masks no pixel or every pixel.
    pub channel: Option<MaskChannel>,
    /// Whether to fill what would be kept, and keep what would be filled.
    pub is_inverted: bool,
}

/// A mask, and how it was found in its file.
#[derive(Clone, Debug)]
pub struct MaskReading {
    /// The mask, of the photo's size.
    pub mask: Mask,
    /// The channel it was found in.
    pub channel: MaskChannel,
    /// Values above this were taken for white, before any inversion.
    pub threshold: u8,
    /// Share of the pixels that is to be filled, 0 to 1.
    pub share: f64,
    /// Pixels of soft edges that are kept, because they are too dark to be filled; 0 if the edges are sharp.
    pub soft_pixels: usize,
    /// Whether the file was turned upright by its EXIF orientation.
    pub is_turned: bool,
}

impl MaskReading {
    /// Whether the file is a plain mask: white, by luma, is to be filled.
    pub fn is_plain(&self) -> bool {
        (self.channel, self.threshold) == (MaskChannel::Luma, PLAIN)
    }
}

/// Decodes a mask of the photo's size: luma above 127 is a hole, alpha is ignored. Where that masks no pixel or every
/// pixel, another reading of the file is taken if there is one (see [`read_mask`]).
///
/// `mask-size` if it has another size, `image-corrupt` if a part of it is missing; the codes of [`super::decode_photo`]
/// otherwise.
pub fn decode_mask(bytes: &[u8], width: usize, height: usize) -> Result<Mask> {
    read_mask(bytes, (width, height), MaskOptions::default()).map(|reading| reading.mask)
}

/// [`decode_mask`] that can be told where the mask is, and says how it was read.
///
/// If luma masks nothing, the file may hold the mask in its alpha, in one colour, in shades darker than middle gray, or
/// as labels (0 and 1). If luma masks everything, only alpha may hold it: what is light on white is anyone's guess.
pub fn read_mask(bytes: &[u8], size: (usize, usize), options: MaskOptions) -> Result<MaskReading> {
    let decoded = decode(bytes)?;
    let (is_lossy, is_turned) = (decoded.is_lossy, decoded.has_note("turned"));
    let rgba = rgba_of_size(decoded, size, Plane::Mask)?;
    let (channel, threshold) = match options.channel {
        Some(channel) => (channel, PLAIN),
        None => find(&rgba, is_lossy),
    };
    // Inverting the values, and the threshold with them, inverts the mask.
    let (flip, above) = if options.is_inverted { (255, 254 - threshold) } else { (0, threshold) };
    let values: Vec<u8> = rgba.chunks_exact(4).map(|pixel| channel.of(pixel) ^ flip).collect();
    drop(rgba);
    let holes = values.iter().map(|&value| if value > above { 255 } else { 0 }).collect();
    let mask = Mask::new(size.0, size.1, holes)?;
    let filled = mask.holes.iter().filter(|&&hole| hole > 0).count();
    let share = filled as f64 / mask.holes.len().max(1) as f64;
    let soft_pixels = soft_pixels(&values, above, &mask);
    Ok(MaskReading { mask, channel, threshold, share, soft_pixels, is_turned })
}

/// Decodes what a user says of the edges (see [`crate::pipeline::FillOptions::edges`]): the luma of a picture of the photo's
/// size.
///
/// The codes of [`decode_mask`].
pub fn decode_edges(bytes: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
    let rgba = rgba_of_size(decode(bytes)?, (width, height), Plane::Edges)?;
    Ok(rgba.chunks_exact(4).map(luma).collect())
}

/// ITU-R BT.601 luma, as image editors and PIL's `convert("L")` have it.
fn luma(p: &[u8]) -> u8 {
    ((299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2]) + 500) / 1000) as u8
}

/// What a picture of the photo's size says of its pixels.
#[derive(Clone, Copy)]
enum Plane {
    Mask,
    Edges,
}

/// The pixels of a mask or an edge map; `mask-size` unless there is one for every pixel of the photo, `image-corrupt` if a
/// part is missing: what a decoder puts there may be as bright as a hole.
fn rgba_of_size(decoded: Decoded, (width, height): (usize, usize), plane: Plane) -> Result<Vec<u8>> {
    if decoded.has_note("damaged") {
        return Err(Error::said(match plane {
            Plane::Mask => Sentence::MaskDamaged {},
            Plane::Edges => Sentence::EdgesDamaged {},
        }));
    }
    let rgba = decoded.image.into_rgba8();
    let found = (rgba.width() as usize, rgba.height() as usize);
    if found == (width, height) {
        return Ok(rgba.into_raw());
    }
    let is_turned = found == (height, width);
    let [width, height, photo_width, photo_height] = [found.0, found.1, width, height].map(|side| side as u64);
    Err(Error::said(match (plane, is_turned) {
        (Plane::Mask, false) => Sentence::MaskSize { width, height, photo_width, photo_height },
        (Plane::Mask, true) => Sentence::MaskTurned { width, height, photo_width, photo_height },
        (Plane::Edges, false) => Sentence::EdgesSize { width, height, photo_width, photo_height },
        (Plane::Edges, true) => Sentence::EdgesTurned { width, height, photo_width, photo_height },
    }))
}

/// The channel that holds the mask and the value that splits it.
fn find(rgba: &[u8], is_lossy: bool) -> (MaskChannel, u8) {
    let plain = (MaskChannel::Luma, PLAIN);
    let (low, high) = range(rgba, MaskChannel::Luma);
    let others: &[MaskChannel] = match (low > PLAIN, high > PLAIN) {
        (false, true) => return plain,
        (true, _) => &[MaskChannel::Alpha],
        (false, false) => &[MaskChannel::Alpha, MaskChannel::Strongest],
    };
    let reading = |&channel: &MaskChannel| Some((channel, threshold(range(rgba, channel), is_lossy)?));
    others.iter().find_map(reading).unwrap_or(plain)
}

/// The least and the greatest value of a channel.
fn range(rgba: &[u8], channel: MaskChannel) -> (u8, u8) {
    let values = rgba.chunks_exact(4).map(|pixel| channel.of(pixel));
    values.fold((255, 0), |(low, high), value| (low.min(value), high.max(value)))
}

/// What splits values of this range into kept and filled; `None` if they say nothing.
fn threshold((low, high): (u8, u8), is_lossy: bool) -> Option<u8> {
    let contrast = high.saturating_sub(low);
    if contrast >= MIN_MASK_CONTRAST {
        let is_plain = low <= PLAIN && high > PLAIN;
        return Some(if is_plain { PLAIN } else { low + contrast / 2 });
    }
    // Labels, such as 0 and 1: the lowest is the background. In a lossy file, the same values may be noise.
    let are_labels = contrast > 0 && high < MIN_MASK_CONTRAST && !is_lossy;
    are_labels.then_some(low)
}

/// Pixels that are nearer to a hole's value than those far from any hole, but too dark to be filled; 0 unless there are more
/// of them than the outline of a sharp mask has.
fn soft_pixels(values: &[u8], above: u8, mask: &Mask) -> usize {
    let darkest = values.iter().copied().min().unwrap_or(0);
    let floor = darkest + above.saturating_sub(darkest) / 4;
    let gray = values.iter().filter(|&&value| value > floor && value <= above).count();
    if gray as f64 > SOFT_WIDTH * rim(mask) as f64 { gray } else { 0 }
}

/// Pixels of holes that have a known neighbour above, below, to the left or to the right.
fn rim(mask: &Mask) -> usize {
    let (width, height) = (mask.width, mask.height);
    let is_rim = |x: usize, y: usize| {
        mask.is_hole(x, y)
            && (x > 0 && !mask.is_hole(x - 1, y)
                || y > 0 && !mask.is_hole(x, y - 1)
                || x + 1 < width && !mask.is_hole(x + 1, y)
                || y + 1 < height && !mask.is_hole(x, y + 1))
    };
    (0..height).map(|y| (0..width).filter(|&x| is_rim(x, y)).count()).sum()
}

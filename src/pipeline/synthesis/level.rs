//! One scale of the window.

use super::{Request, SMALLEST};
use crate::pipeline::Rect;
use crate::pipeline::resample::extend;
use crate::threads::chunks;

/// Side of a patch in pixels: 8 RGBX pixels are two 128-bit registers.
pub const PATCH: usize = 8;
/// Long side of the hole at the coarsest level.
const COARSEST_HOLE: usize = 20;
/// Detail is measured in cells of this many pixels.
const DETAIL_CELL: usize = 16;
/// How much a difference in detail counts beside one in colour.
const DETAIL_GAIN: f32 = 2.5;
/// What a match one hole's length away costs: about 5 levels in each channel of each pixel.
const FAR: u32 = (PATCH * PATCH * 3 * 25) as u32;
/// A squared difference, summed over three channels, up to which it is only grain.
const NOISE: f32 = 20.0;
/// Rows of pixels in a task.
const BAND: usize = 64;
/// From this many patch positions on, only every second row and column is searched: patches overlap anyway.
const DENSE: usize = 60_000;

/// Pictures and masks at one scale.
#[derive(Clone)]
pub struct Level {
    pub width: usize,
    pub height: usize,
    /// RGB and how much detail there is around the pixel; the hole holds the current guess.
    pub picture: Vec<[u8; 4]>,
    /// 255 in the colour bytes of known pixels, 0 in the hole.
    pub known: Vec<[u8; 4]>,
    /// The blurred guide, or empty without one.
    pub guide: Vec<[u8; 4]>,
    /// Whether the patch whose top left corner this is is fully known.
    pub source: Vec<bool>,
    /// Those corners as a list.
    pub sources: Vec<u32>,
    /// What one pixel of distance between a patch and its match costs, across and down.
    pub away: (u32, u32),
    /// Distance between neighbouring patch positions.
    pub stride: usize,
    /// The unblurred guide (own scale), to build the next level from.
    plain: Vec<[u8; 4]>,
    /// Whether the hole is laid out in pieces.
    pub layered: bool,
    /// For the hole's box, how far the nearest known pixel is.
    depths: Vec<u8>,
    /// Box around the unknown pixels.
    pub hole: Rect,
    /// How far the random search starts.
    pub reach: usize,
    patches: usize,
}

impl Level {
    /// The window itself.
    pub fn finest(request: &Request<'_>) -> Self {
        let known: Vec<bool> = request.usable.to_vec();
        let detail = detail(request.rgb, &known, request.width, request.height);
        let pixels = request.rgb.chunks_exact(3).zip(detail);
        let picture: Vec<[u8; 4]> = pixels.map(|(p, detail)| [p[0], p[1], p[2], detail]).collect();
        let guided = request.guided;
        Self::new(request.width, request.height, picture, known, guided)
    }

    fn new(width: usize, height: usize, picture: Vec<[u8; 4]>, known: Vec<bool>, guided: bool) -> Self {
        let plain = if guided { picture.clone() } else { Vec::new() };
        let guide = if guided { blur(&picture, width, height) } else { Vec::new() };
        let (source, touches) = patches(&known, width, height);
        let sources = (0..source.len() as u32).filter(|&i| source[i as usize]).collect();
        let patches = touches;
        let stride = if patches > DENSE { 2 } else { 1 };
        let hole = hole_box(&known, width);
        let hole_side = hole.width.max(hole.height);
        let reach = if stride == 1 { width.max(height) } else { 32 };
        let depths = depths(&known, width, hole);
        let known = known.iter().map(|&k| if k { [255, 255, 255, 0] } else { [0; 4] }).collect();
        let far = FAR / hole_side.max(1) as u32;
        Self {
            width,
            height,
            picture,
            known,
            guide,
            away: (far, far),
            source,
            sources,
            stride,
            plain,
            hole,
            reach,
            patches,
            depths,
            layered: false,
        }
    }

    /// Half the size, or `None` where that would be too coarse.
    pub fn coarser(&self) -> Option<Self> {
        let (w, h) = (self.width.div_ceil(2), self.height.div_ceil(2));
        if self.hole_side() <= COARSEST_HOLE || w.min(h) < SMALLEST {
            return None;
        }
        let guided = !self.guide.is_empty();
        let from = if guided { &self.plain } else { &self.picture };
        let mut pixels = vec![([0; 4], false); w * h];
        chunks(&mut pixels, BAND * w, &|band, rows| {
            for (i, pixel) in rows.iter_mut().enumerate() {
                let (x, y) = (i % w, band * BAND + i / w);
                let (mut sum, mut count, mut all) = ([0u32; 4], 0, true);
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (fx, fy) = (2 * x + dx, 2 * y + dy);
                    if fx < self.width && fy < self.height {
                        let at = fy * self.width + fx;
                        sum.iter_mut().zip(from[at]).for_each(|(s, v)| *s += u32::from(v));
                        count += 1;
                        all &= self.is_known(at);
                    }
                }
                *pixel = (sum.map(|s| ((s + count / 2) / count) as u8), all);
            }
        });
        let (picture, known) = pixels.into_iter().unzip();
        Some(Self::new(w, h, picture, known, guided))
    }

    /// How much more the picture changes over one hole's length across than down, as a ratio of amplitudes: where the
    /// sky lies over the land, matches are to be looked for beside the hole, not above it.
    pub fn stretch(&self) -> f32 {
        let step = self.hole_side().max(1);
        let change = |dx: usize, dy: usize| {
            let (mut sum, mut count) = (0.0f64, 0.0f64);
            for y in 0..self.height.saturating_sub(dy) {
                for x in 0..self.width.saturating_sub(dx) {
                    let (a, b) = (y * self.width + x, (y + dy) * self.width + x + dx);
                    if self.is_known(a) && self.is_known(b) {
                        let (a, b) = (self.picture[a], self.picture[b]);
                        sum += (0..3).map(|c| f64::from(a[c].abs_diff(b[c])).powi(2)).sum::<f64>();
                        count += 1.0;
                    }
                }
            }
            if count > 0.0 { (sum / count) as f32 } else { 0.0 }
        };
        ((change(step, 0) + NOISE) / (change(0, step) + NOISE)).sqrt().clamp(0.1, 10.0)
    }

    /// Makes matches across dearer by this ratio, and those down cheaper.
    pub fn stretch_by(&mut self, ratio: f32) {
        let far = self.away.0 as f32;
        self.away = ((far * ratio) as u32, (far / ratio) as u32);
    }

    /// Fills the hole smoothly from its surroundings: the simplest guess.
    pub fn continue_smoothly(&mut self) {
        let known = |at: usize| self.known[at][0] != 0;
        let weight: Vec<f32> = (0..self.known.len()).map(|at| if known(at) { 1.0 } else { 0.0 }).collect();
        for channel in 0..3 {
            let values: Vec<f32> = self.picture.iter().map(|p| f32::from(p[channel])).collect();
            let values = extend(&values, &weight, (self.width, self.height));
            for at in (0..weight.len()).filter(|&at| weight[at] == 0.0) {
                self.picture[at][channel] = values[at].round().clamp(0.0, 255.0) as u8;
            }
        }
    }

    /// From now on the hole is laid out in pieces, which may be copied as often as they fit, and no guide counts.
    pub fn forget_guide(&mut self) {
        self.guide = Vec::new();
        self.layered = true;
    }

    /// How far a pixel is from the nearest known one, up to 255.
    pub fn depth(&self, x: usize, y: usize) -> u8 {
        let Rect { x: left, y: top, width, height } = self.hole;
        let inside = x >= left && y >= top && x < left + width && y < top + height;
        if inside { self.depths[(y - top) * width + x - left] } else { 0 }
    }

    /// Long side of the box around the hole.
    pub fn hole_side(&self) -> usize {
        self.hole.width.max(self.hole.height)
    }

    /// Whether a pixel is known.
    pub fn is_known(&self, at: usize) -> bool {
        self.known[at][0] != 0
    }

    /// Rounds of searching and voting.
    pub fn rounds(&self) -> usize {
        match self.patches {
            0..8_000 => 12,
            8_000..30_000 => 8,
            30_000..120_000 => 4,
            120_000..300_000 => 3,
            _ => 2,
        }
    }

    /// How many patches touch the hole.
    pub fn patches(&self) -> usize {
        self.patches
    }

    /// Relative cost.
    pub fn work(&self) -> f32 {
        (self.patches / (self.stride * self.stride) * self.rounds()) as f32 + 1.0
    }
}

/// Mean gradient around each pixel, continued into the hole: what is out of focus must not fill what is sharp, though at
/// a coarse scale the two look alike.
fn detail(rgb: &[u8], known: &[bool], width: usize, height: usize) -> Vec<u8> {
    let green = |at: usize| i32::from(rgb[at * 3 + 1]);
    let (w, h) = (width.div_ceil(DETAIL_CELL), height.div_ceil(DETAIL_CELL));
    // Sum of gradients and their number.
    let mut cells = vec![(0.0f32, 0.0f32); w * h];
    chunks(&mut cells, w, &|line, cells| {
        for y in line * DETAIL_CELL..((line + 1) * DETAIL_CELL).min(height) {
            for x in 0..width {
                let at = y * width + x;
                let (sum, count) = &mut cells[x / DETAIL_CELL];
                for (there, other) in [(x + 1 < width, at + 1), (y + 1 < height, at + width)] {
                    if there && known[at] && known[other] {
                        *sum += (green(at) - green(other)).abs() as f32;
                        *count += 1.0;
                    }
                }
            }
        }
    });
    let weight: Vec<f32> = cells.iter().map(|(_, n)| if *n > 0.0 { 1.0 } else { 0.0 }).collect();
    let mean: Vec<f32> = cells.iter().map(|(s, n)| s / n.max(1.0) * DETAIL_GAIN).collect();
    let cells: Vec<u8> = extend(&mean, &weight, (w, h)).into_iter().map(|v| v.clamp(0.0, 255.0) as u8).collect();
    let row = |y: usize| (0..width).map(move |x| (y / DETAIL_CELL, x / DETAIL_CELL));
    (0..height).flat_map(row).map(|(y, x)| cells[y * w + x]).collect()
}

/// The box around all unknown pixels.
fn hole_box(known: &[bool], width: usize) -> Rect {
    let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
    for (at, _) in known.iter().enumerate().filter(|(_, k)| !**k) {
        let (x, y) = (at % width, at / width);
        (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
    }
    if left == usize::MAX {
        return Rect { x: 0, y: 0, width: 0, height: 0 };
    }
    Rect { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
}

/// For every corner: whether its patch is fully known; and how many patches lie in the picture and touch the hole.
fn patches(known: &[bool], width: usize, height: usize) -> (Vec<bool>, usize) {
    let mut source = vec![false; width * height];
    let mut touching = 0;
    let unknown = |at: usize| u32::from(!known[at]);
    patch_sums(width, height, unknown, |corner, unknown| {
        source[corner] = unknown == 0;
        touching += usize::from(unknown > 0);
    });
    (source, touching)
}

/// Gives every patch of a picture, by its top left corner, and the sum of its pixels' values.
pub fn patch_sums(width: usize, height: usize, value: impl Fn(usize) -> u32, mut give: impl FnMut(usize, u32)) {
    if width < PATCH || height < PATCH {
        return;
    }
    // Column sums over PATCH rows slide down; a row's window slides right.
    let mut columns = vec![0u32; width];
    for y in 0..height {
        for (x, column) in columns.iter_mut().enumerate() {
            *column += value(y * width + x);
            if y >= PATCH {
                *column -= value((y - PATCH) * width + x);
            }
        }
        if y + 1 < PATCH {
            continue;
        }
        let mut sum: u32 = columns[..PATCH - 1].iter().sum();
        for x in 0..=width - PATCH {
            sum += columns[x + PATCH - 1];
            give((y + 1 - PATCH) * width + x, sum);
            sum -= columns[x];
        }
    }
}

/// 5x5 box blur with repeated edges.
fn blur(picture: &[[u8; 4]], width: usize, height: usize) -> Vec<[u8; 4]> {
    let mean = |five: [&[u8; 4]; 5]| -> [u8; 4] {
        std::array::from_fn(|c| ((five.iter().map(|p| u16::from(p[c])).sum::<u16>() + 2) / 5) as u8)
    };
    let around =
        |at: usize, end: usize| -> [usize; 5] { std::array::from_fn(|i| (at + i).saturating_sub(2).min(end - 1)) };
    let mut across = vec![[0; 4]; picture.len()];
    chunks(&mut across, BAND * width, &|band, rows| {
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            let from = &picture[(band * BAND + i) * width..][..width];
            for x in (0..width.min(2)).chain(width.saturating_sub(2).max(2)..width) {
                row[x] = mean(around(x, width).map(|x| &from[x]));
            }
            for (to, five) in row.iter_mut().skip(2).zip(from.windows(5)) {
                *to = mean([&five[0], &five[1], &five[2], &five[3], &five[4]]);
            }
        }
    });
    let mut both = vec![[0; 4]; picture.len()];
    chunks(&mut both, BAND * width, &|band, rows| {
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            let [a, b, c, d, e] = around(band * BAND + i, height).map(|y| &across[y * width..][..width]);
            for (x, to) in row.iter_mut().enumerate() {
                *to = mean([&a[x], &b[x], &c[x], &d[x], &e[x]]);
            }
        }
    });
    both
}

/// Distance of each pixel of the box to the nearest known pixel, by chamfers of 3 and 4 thirds (Borgefors 1986).
fn depths(known: &[bool], width: usize, hole: Rect) -> Vec<u8> {
    let height = known.len() / width.max(1);
    let mut thirds = vec![u16::MAX / 2; hole.width * hole.height];
    let mut look = |i: usize, forward: bool| {
        let (x, y) = (hole.x + i % hole.width, hole.y + i / hole.width);
        if known[y * width + x] {
            thirds[i] = 0;
            return;
        }
        let way = if forward { -1isize } else { 1 };
        for (dx, dy, far) in [(way, 0, 3), (0, way, 3), (-1, way, 4), (1, way, 4)] {
            let Some(nx) = x.checked_add_signed(dx).filter(|&nx| nx < width) else { continue };
            let Some(ny) = y.checked_add_signed(dy).filter(|&ny| ny < height) else { continue };
            let inside = nx >= hole.x && ny >= hole.y && nx < hole.x + hole.width && ny < hole.y + hole.height;
            let there = if inside { thirds[(ny - hole.y) * hole.width + nx - hole.x] } else { 0 };
            thirds[i] = thirds[i].min(there.saturating_add(far));
        }
    };
    let count = hole.width * hole.height;
    (0..count).for_each(|i| look(i, true));
    (0..count).rev().for_each(|i| look(i, false));
    thirds.into_iter().map(|third| (third / 3).min(255) as u8).collect()
}

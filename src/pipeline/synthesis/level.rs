//! One scale of the window.

use super::{Request, SMALLEST};
use crate::pipeline::resample::extend;

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
/// From this many patch positions on, only every second row and column is searched: patches overlap anyway.
const DENSE: usize = 60_000;

/// Pictures and masks at one scale.
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
    /// What one pixel of distance between a patch and its match costs.
    pub far: u32,
    /// Distance between neighbouring patch positions.
    pub stride: usize,
    /// The unblurred guide (own scale), to build the next level from.
    plain: Vec<[u8; 4]>,
    hole_side: usize,
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

    fn new(width: usize, height: usize, mut picture: Vec<[u8; 4]>, known: Vec<bool>, guided: bool) -> Self {
        let plain = if guided { picture.clone() } else { Vec::new() };
        let guide = if guided { blur(&picture, width, height) } else { Vec::new() };
        if !guided {
            continue_smoothly(&mut picture, &known, width, height);
        }
        let (source, touches) = patches(&known, width, height);
        let sources = (0..source.len() as u32).filter(|&i| source[i as usize]).collect();
        let patches = touches;
        let stride = if patches > DENSE { 2 } else { 1 };
        let hole_side = hole_side(&known, width);
        let known = known.iter().map(|&k| if k { [255, 255, 255, 0] } else { [0; 4] }).collect();
        let far = FAR / hole_side.max(1) as u32;
        Self { width, height, picture, known, guide, far, source, sources, stride, plain, hole_side, patches }
    }

    /// Half the size, or `None` where that would be too coarse.
    pub fn coarser(&self) -> Option<Self> {
        let (w, h) = (self.width.div_ceil(2), self.height.div_ceil(2));
        if self.hole_side <= COARSEST_HOLE || w.min(h) < SMALLEST {
            return None;
        }
        let guided = !self.guide.is_empty();
        let from = if guided { &self.plain } else { &self.picture };
        let mut picture = Vec::with_capacity(w * h);
        let mut known = Vec::with_capacity(w * h);
        for y in 0..h {
            for x in 0..w {
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
                picture.push(sum.map(|s| ((s + count / 2) / count) as u8));
                known.push(all);
            }
        }
        Some(Self::new(w, h, picture, known, guided))
    }

    /// Long side of the box around the hole.
    pub fn hole_side(&self) -> usize {
        self.hole_side
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
    let (mut sums, mut counts) = (vec![0.0f32; w * h], vec![0.0f32; w * h]);
    for at in 0..known.len() {
        let (x, y) = (at % width, at / width);
        let cell = y / DETAIL_CELL * w + x / DETAIL_CELL;
        for (there, other) in [(x + 1 < width, at + 1), (y + 1 < height, at + width)] {
            if there && known[at] && known[other] {
                sums[cell] += (green(at) - green(other)).abs() as f32;
                counts[cell] += 1.0;
            }
        }
    }
    let weight: Vec<f32> = counts.iter().map(|&n| if n > 0.0 { 1.0 } else { 0.0 }).collect();
    let mean: Vec<f32> = sums.iter().zip(&counts).map(|(s, n)| s / n.max(1.0) * DETAIL_GAIN).collect();
    let cells = extend(&mean, &weight, (w, h));
    let value = |at: usize| cells[at / width / DETAIL_CELL * w + at % width / DETAIL_CELL].clamp(0.0, 255.0) as u8;
    (0..known.len()).map(value).collect()
}

/// Long side of the box around all unknown pixels.
fn hole_side(known: &[bool], width: usize) -> usize {
    let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
    for (at, _) in known.iter().enumerate().filter(|(_, k)| !**k) {
        let (x, y) = (at % width, at / width);
        (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
    }
    if left == usize::MAX { 0 } else { (right - left).max(bottom - top) + 1 }
}

/// For every corner: whether its patch is fully known; and how many patches lie in the picture and touch the hole.
fn patches(known: &[bool], width: usize, height: usize) -> (Vec<bool>, usize) {
    let mut source = vec![false; width * height];
    let mut touching = 0;
    if width < PATCH || height < PATCH {
        return (source, 0);
    }
    // Column sums of unknown pixels over PATCH rows slide down; a row's window slides right.
    let mut columns = vec![0u32; width];
    for y in 0..height {
        for (x, column) in columns.iter_mut().enumerate() {
            *column += u32::from(!known[y * width + x]);
            if y >= PATCH {
                *column -= u32::from(!known[(y - PATCH) * width + x]);
            }
        }
        if y + 1 < PATCH {
            continue;
        }
        let mut sum: u32 = columns[..PATCH - 1].iter().sum();
        for x in 0..=width - PATCH {
            sum += columns[x + PATCH - 1];
            source[(y + 1 - PATCH) * width + x] = sum == 0;
            touching += usize::from(sum > 0);
            sum -= columns[x];
        }
    }
    (source, touching)
}

/// Fills the unknown part smoothly from its surroundings: the first guess.
fn continue_smoothly(picture: &mut [[u8; 4]], known: &[bool], width: usize, height: usize) {
    let weight: Vec<f32> = known.iter().map(|&k| if k { 1.0 } else { 0.0 }).collect();
    for channel in 0..3 {
        let values: Vec<f32> = picture.iter().map(|p| f32::from(p[channel])).collect();
        let values = extend(&values, &weight, (width, height));
        for (at, pixel) in picture.iter_mut().enumerate().filter(|(at, _)| !known[*at]) {
            pixel[channel] = values[at].round().clamp(0.0, 255.0) as u8;
        }
    }
}

/// 5x5 box blur with repeated edges.
fn blur(picture: &[[u8; 4]], width: usize, height: usize) -> Vec<[u8; 4]> {
    let pass = |from: &[[u8; 4]], step: usize, position: &dyn Fn(usize) -> usize, limit: usize| -> Vec<[u8; 4]> {
        let average = |at: usize| {
            let here = position(at) as isize;
            let mut sum = [0u32; 4];
            for offset in -2isize..=2 {
                let moved = (here + offset).clamp(0, limit as isize - 1) - here;
                let pixel = from[(at as isize + moved * step as isize) as usize];
                sum.iter_mut().zip(pixel).for_each(|(s, v)| *s += u32::from(v));
            }
            sum.map(|s| ((s + 2) / 5) as u8)
        };
        (0..from.len()).map(average).collect()
    };
    let across = pass(picture, 1, &|at| at % width, width);
    pass(&across, width, &|at| at / width, height)
}

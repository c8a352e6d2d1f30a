//! From superpixels to pixels: a cut along the border of the selection in the working copy, then the photo's own colours.

use super::working_copy::{Lab, Table, WorkingCopy, gap2};
use crate::pipeline::min_cut::{Edge, FlowGraph};
use crate::pipeline::{Pixels, Rect};

/// How far from the superpixels' border pixels are decided anew, in pixels of the working copy.
const BAND: usize = 4;
/// How far around colours are compared, in pixels of the working copy.
const REACH: usize = 8;
/// Differences of colour that are noise, in Lab units.
const NOISE: f32 = 4.0;
/// What it is worth to a pixel to stay as its superpixel is, and to be as the colours near it say.
const STAY: f32 = 0.3;
const LIKENESS: f32 = 1.5;
/// What a cut between two pixels of one colour costs, what every cut costs, and how fast it falls with their squared difference.
const CUT: f32 = 2.0;
const LEAST_CUT: f32 = 0.1;
const CUT_FALL: f32 = 60.0;
/// How far a photo's pixel follows the colours near it rather than the working copy's outline, in pixels of that copy.
const FOLLOW: f32 = 0.5;
/// Units of capacity.
const UNIT: f32 = 64.0;

/// Pixels near where the selection ends.
fn band(inside: &[bool], width: usize, height: usize, reach: usize) -> Vec<bool> {
    let ends = |at: usize| {
        let (x, y) = (at % width, at / width);
        let here = inside[at];
        (x + 1 < width && inside[at + 1] != here) || (y + 1 < height && inside[at + width] != here)
    };
    let mut near: Vec<bool> = (0..inside.len()).map(ends).collect();
    grow(&mut near, width, reach);
    near
}

/// Grows by a square, in place: along the rows, then along the columns.
fn grow(near: &mut [bool], width: usize, reach: usize) {
    let height = near.len() / width;
    let mut line = Vec::new();
    for (count, length, step, along) in [(height, width, width, 1), (width, height, 1, width)] {
        for i in 0..count {
            let begin = i * step;
            line.clear();
            line.extend((0..length).map(|k| near[begin + k * along]));
            let mut until = 0;
            for (k, _) in line.iter().enumerate().filter(|(_, near)| **near) {
                let end = (k + reach + 1).min(length);
                (k.saturating_sub(reach).max(until)..end).for_each(|place| near[begin + place * along] = true);
                until = end;
            }
        }
    }
}

/// Mean colours within a square, of the pixels with a weight.
struct LocalMeans {
    width: usize,
    height: usize,
    /// Sums over all pixels above and left: three colours and the count.
    sums: Vec<[f32; 4]>,
}

impl LocalMeans {
    /// Of the pixels that are inside as asked, but for those still open.
    #[inline(never)]
    fn new(copy: &WorkingCopy, inside: &[bool], is_open: &[bool], asked: bool) -> Self {
        let (width, height) = (copy.width, copy.height);
        let mut sums = vec![[0.0f32; 4]; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = [0.0f32; 4];
            for x in 0..width {
                let at = y * width + x;
                if inside[at] == asked && !is_open[at] {
                    let [l, a, b] = copy.lab[at];
                    row[0] += l;
                    row[1] += a;
                    row[2] += b;
                    row[3] += 1.0;
                }
                let above = sums[y * (width + 1) + x + 1];
                sums[(y + 1) * (width + 1) + x + 1] = std::array::from_fn(|k| above[k] + row[k]);
            }
        }
        Self { width, height, sums }
    }

    #[inline(never)]
    fn at(&self, x: usize, y: usize) -> Option<Lab> {
        let (x0, x1) = (x.saturating_sub(REACH), (x + REACH + 1).min(self.width));
        let (y0, y1) = (y.saturating_sub(REACH), (y + REACH + 1).min(self.height));
        let corner = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let [a, b, c, d] = [corner(x0, y0), corner(x1, y0), corner(x0, y1), corner(x1, y1)];
        let sum: [f32; 4] = std::array::from_fn(|k| d[k] - b[k] - c[k] + a[k]);
        (sum[3] > 2.5).then(|| [sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3]])
    }
}

/// How much more a colour is like the object's near it than like the background's, -1 to 1.
fn likeness(colour: Lab, object: Option<Lab>, ground: Option<Lab>) -> f32 {
    let (Some(object), Some(ground)) = (object, ground) else { return 0.0 };
    let (o, g) = (gap2(colour, object), gap2(colour, ground));
    (g - o) / (g + o + NOISE * NOISE)
}

/// Decides the pixels along the border of a selection again, by the colours on either side of it.
#[inline(never)]
pub fn recut(copy: &WorkingCopy, inside: &[bool]) -> Vec<bool> {
    let (w, h) = (copy.width, copy.height);
    let is_open = band(inside, w, h, BAND);
    let object = LocalMeans::new(copy, inside, &is_open, true);
    let ground = LocalMeans::new(copy, inside, &is_open, false);
    let nodes: Vec<usize> = (0..w * h).filter(|&at| is_open[at]).collect();
    let mut index = vec![0u32; w * h];
    (0u32..).zip(&nodes).for_each(|(i, &at)| index[at] = i);
    let sign = |at: usize| if inside[at] { 1.0 } else { -1.0 };
    let gain = |&at: &usize| {
        sign(at) * STAY + LIKENESS * likeness(copy.lab[at], object.at(at % w, at / w), ground.at(at % w, at / w))
    };
    let mut gains: Vec<f32> = nodes.iter().map(gain).collect();
    let mut edges = Vec::new();
    let mut join = |a: usize, b: usize| {
        let cost = LEAST_CUT + CUT * (-gap2(copy.lab[a], copy.lab[b]) / CUT_FALL).exp();
        match (is_open[a], is_open[b]) {
            (true, true) => edges.push(Edge { nodes: [index[a], index[b]], capacity: [(cost * UNIT) as u32; 2] }),
            (true, false) => gains[index[a] as usize] += cost * sign(b),
            (false, true) => gains[index[b] as usize] += cost * sign(a),
            (false, false) => {}
        }
    };
    for at in
        (0..w * h).filter(|&at| is_open[at] || at % w + 1 < w && is_open[at + 1] || at + w < w * h && is_open[at + w])
    {
        if at % w + 1 < w {
            join(at, at + 1);
        }
        if at + w < w * h {
            join(at, at + w);
        }
    }
    let whole = |gain: f32| (gain * UNIT).clamp(0.0, 1e8) as u32;
    let source = gains.iter().map(|&gain| whole(gain)).collect();
    let sink = gains.iter().map(|&gain| whole(-gain)).collect();
    let mut out = inside.to_vec();
    for (&at, ground) in nodes.iter().zip(FlowGraph::new(source, sink, &edges).cut()) {
        out[at] = !ground;
    }
    out
}

/// The smallest rectangle of the photo that holds the selection, and its bytes: 255 inside, 0 outside.
pub fn enlarge(copy: &WorkingCopy, inside: &[bool], photo: &dyn Pixels) -> (Rect, Vec<u8>) {
    let (w, h) = (copy.width, copy.height);
    let Some(bounds) = bounds(inside, w) else { return (Rect { x: 0, y: 0, width: 0, height: 0 }, Vec::new()) };
    let bounds = bounds.grown(1, w, h);
    let scale = Scale { from: (w, h), to: (photo.width(), photo.height()) };
    let rect = scale.rect(bounds);
    let mut out = vec![0u8; rect.width * rect.height];
    let is_open = if scale.from == scale.to { vec![false; w * h] } else { band(inside, w, h, 1) };
    let object = LocalMeans::new(copy, inside, &is_open, true);
    let ground = LocalMeans::new(copy, inside, &is_open, false);
    let table = Table::new();
    let decide = |px: usize, py: usize, pixel: &[u8]| {
        let (fx, fy) = scale.back(px, py);
        let (cx, cy) = ((fx as usize).min(w - 1), (fy as usize).min(h - 1));
        let like = likeness(table.lab([pixel[0], pixel[1], pixel[2]]), object.at(cx, cy), ground.at(cx, cy));
        smooth(inside, (w, h), fx - 0.5, fy - 0.5) - 0.5 + FOLLOW * like > 0.0
    };
    for y in bounds.y..bounds.y + bounds.height {
        let row = y * w + bounds.x..y * w + bounds.x + bounds.width;
        let kinds: Vec<(bool, bool)> = row.map(|at| (is_open[at], inside[at] && !is_open[at])).collect();
        let mut x = bounds.x;
        for run in kinds.chunk_by(|a, b| a == b) {
            let piece = scale.rect(Rect { x, y, width: run.len(), height: 1 });
            x += run.len();
            match run[0] {
                (true, _) => decide_all(photo, piece, rect, &mut out, decide),
                (false, true) => (piece.y..piece.y + piece.height).for_each(|line| {
                    out[(line - rect.y) * rect.width + piece.x - rect.x..][..piece.width].fill(255);
                }),
                (false, false) => {}
            }
        }
    }
    (rect, out)
}

/// Writes what `decide` says of each of the photo's pixels in a piece of `rect`.
fn decide_all(
    photo: &dyn Pixels,
    piece: Rect,
    rect: Rect,
    out: &mut [u8],
    decide: impl Fn(usize, usize, &[u8]) -> bool,
) {
    if piece.width == 0 || piece.height == 0 {
        return;
    }
    for (i, pixel) in photo.read(piece).chunks_exact(4).enumerate() {
        let (x, y) = (piece.x + i % piece.width, piece.y + i / piece.width);
        if decide(x, y, pixel) {
            out[(y - rect.y) * rect.width + x - rect.x] = 255;
        }
    }
}

/// From the working copy to the photo and back.
struct Scale {
    from: (usize, usize),
    to: (usize, usize),
}

impl Scale {
    /// The photo's pixels whose middles lie in a rectangle of the working copy.
    fn rect(&self, rect: Rect) -> Rect {
        let begin = |at: usize, from: usize, to: usize| (at * to * 2).saturating_sub(from).div_ceil(2 * from);
        let (x, y) = (begin(rect.x, self.from.0, self.to.0), begin(rect.y, self.from.1, self.to.1));
        let right = begin(rect.x + rect.width, self.from.0, self.to.0);
        let bottom = begin(rect.y + rect.height, self.from.1, self.to.1);
        Rect { x, y, width: right - x, height: bottom - y }
    }

    /// Where the middle of a photo's pixel lies in the working copy.
    fn back(&self, x: usize, y: usize) -> (f32, f32) {
        let place = |at: usize, from: usize, to: usize| (at as f32 + 0.5) * from as f32 / to as f32;
        (place(x, self.from.0, self.to.0), place(y, self.from.1, self.to.1))
    }
}

/// The selection between the pixels, 0 to 1.
fn smooth(inside: &[bool], (w, h): (usize, usize), x: f32, y: f32) -> f32 {
    let (x, y) = (x.clamp(0.0, (w - 1) as f32), y.clamp(0.0, (h - 1) as f32));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(w - 1), (top + 1).min(h - 1));
    let (u, v) = (x - left as f32, y - top as f32);
    let at = |x: usize, y: usize| f32::from(u8::from(inside[y * w + x]));
    (at(left, top) * (1.0 - u) + at(right, top) * u) * (1.0 - v)
        + (at(left, bottom) * (1.0 - u) + at(right, bottom) * u) * v
}

/// The smallest rectangle around what is inside.
fn bounds(inside: &[bool], width: usize) -> Option<Rect> {
    let mut found: Option<Rect> = None;
    for (y, row) in inside.chunks_exact(width).enumerate() {
        if let Some(x) = row.iter().position(|&inside| inside) {
            let last = row.iter().rposition(|&inside| inside).unwrap_or(x);
            let line = Rect { x, y, width: last - x + 1, height: 1 };
            found = Some(found.map_or(line, |rect| rect.union(line)));
        }
    }
    found
}

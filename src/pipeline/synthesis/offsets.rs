//! The first structure: the hole as a few large pieces of the photo, each moved by one of the offsets under which the
//! photo resembles itself most (He and Sun 2012, "Statistics of Patch Offsets for Image Completion"), cut where they
//! fit best (Boykov et al. 2001, alpha expansion).

use super::Random;
use super::difference::difference;
use super::level::{Level, PATCH};
use super::min_cut::GridGraph;

/// Across and down, in pixels.
pub type Offset = (i32, i32);

/// Shifts that pieces may be moved by.
const MAX_OFFSETS: usize = 40;
/// Rounds over all offsets.
const SWEEPS: usize = 2;
/// Passes of propagation and random search for the photo's resemblance to itself.
const PASSES: usize = 3;
/// Patches at every so many pixels ask for their nearest neighbour.
const STEP: usize = 2;
/// How far around a pixel known ones must fit its offset.
const RIM: usize = 2;
/// What it costs that a pixel has no offset, cannot have it, or that its known surroundings would come from nowhere.
const NOTHING: u32 = 9_000;
const IMPOSSIBLE: u32 = 1_000_000;
const UNKNOWN: u32 = 100;
/// Label of a pixel without a offset.
const NONE: u8 = u8::MAX;

/// Fills the hole of a coarse level; gives the offset of each pixel of the hole's box.
pub fn arrange(level: &mut Level, resemblance: &Resemblance) -> Vec<Option<Offset>> {
    let offsets = resemblance.peaks();
    let labels = OffsetLabelling::new(level, &offsets).solve();
    let hole = level.hole;
    let mut out = vec![None; hole.width * hole.height];
    for (i, offset) in out.iter_mut().enumerate() {
        let (x, y) = (hole.x + i % hole.width, hole.y + i / hole.width);
        let at = y * level.width + x;
        let Some(&chosen) = offsets.get(usize::from(labels[i])) else { continue };
        let Some(from) = moved(level, x, y, chosen).filter(|_| !level.is_known(at)) else { continue };
        let ([r, g, b, _], [.., detail]) = (level.picture[from], level.picture[at]);
        level.picture[at] = [r, g, b, detail];
        *offset = Some(chosen);
    }
    out
}

/// The known pixel that lies this offset away.
fn moved(level: &Level, x: usize, y: usize, (dx, dy): Offset) -> Option<usize> {
    let x = x.checked_add_signed(dx as isize).filter(|&x| x < level.width)?;
    let y = y.checked_add_signed(dy as isize).filter(|&y| y < level.height)?;
    Some(y * level.width + x).filter(|&at| level.is_known(at))
}

/// Where known patches find their nearest neighbours: how the photo resembles itself.
pub struct Resemblance {
    offsets: Vec<Offset>,
    width: i32,
    height: i32,
    hole_side: usize,
}

impl Resemblance {
    /// Of one level, by propagation and random search.
    pub fn of(level: &Level, random: &mut Random) -> Self {
        let (width, height) = (level.width, level.height);
        // Nearer neighbours only tell that pictures are smooth.
        let least = level.hole_side() / 2;
        let far = |a: usize, b: usize| (a % width).abs_diff(b % width).max((a / width).abs_diff(b / width)) >= least;
        let asks =
            |s: &&u32| (**s as usize % width).is_multiple_of(STEP) && (**s as usize / width).is_multiple_of(STEP);
        let askers: Vec<usize> = level.sources.iter().filter(asks).map(|&s| s as usize).collect();
        let mut best = vec![(u32::MAX, u32::MAX); width * height];
        for pass in 0..PASSES {
            let forward = pass % 2 == 0;
            for step in 0..askers.len() {
                let s = askers[if forward { step } else { askers.len() - 1 - step }];
                let (x, y) = (s % width, s / width);
                let mut own = best[s];
                let consider = |own: &mut (u32, u32), x: Option<usize>, y: Option<usize>| {
                    let Some(candidate) = x.zip(y).and_then(|(x, y)| level.source_at(x, y)) else { return };
                    if far(s, candidate as usize) {
                        let found = unlike(level, s, candidate as usize, own.1);
                        if found < own.1 {
                            *own = (candidate, found);
                        }
                    }
                };
                let neighbours = match forward {
                    true => [(x.checked_sub(STEP), Some(y)), (Some(x), y.checked_sub(STEP))],
                    false => [(Some(x + STEP), Some(y)), (Some(x), Some(y + STEP))],
                };
                for (nx, ny) in neighbours {
                    let Some((nx, ny)) = nx.zip(ny).filter(|&(nx, ny)| nx < width && ny < height) else { continue };
                    let m = best[ny * width + nx].0;
                    if m != u32::MAX {
                        let (mx, my) = (m as usize % width, m as usize / width);
                        consider(&mut own, (mx + x).checked_sub(nx), (my + y).checked_sub(ny));
                    }
                }
                for _ in 0..2 {
                    let any = level.sources[random.below(level.sources.len())] as usize;
                    consider(&mut own, Some(any % width), Some(any / width));
                }
                let mut radius = width.max(height) / 2;
                while radius >= 1 && own.0 != u32::MAX {
                    let (bx, by) = (own.0 as usize % width, own.0 as usize / width);
                    let qx = (bx + random.below(2 * radius + 1)).checked_sub(radius);
                    let qy = (by + random.below(2 * radius + 1)).checked_sub(radius);
                    consider(&mut own, qx, qy);
                    radius /= 2;
                }
                best[s] = own;
            }
        }
        let offset = |&s: &usize| {
            let m = Some(best[s].0).filter(|&m| m != u32::MAX)? as usize;
            Some(((m % width) as i32 - (s % width) as i32, (m / width) as i32 - (s / width) as i32))
        };
        let offsets = askers.iter().filter_map(offset).collect();
        Self { offsets, width: width as i32, height: height as i32, hole_side: level.hole_side() }
    }

    /// Share of the offsets that go straight across or straight down, whichever is more.
    pub fn layered(&self) -> f32 {
        self.straight((self.hole_side / 24).max(1) as i32).count() as f32 / self.offsets.len().max(1) as f32
    }

    /// Shifts that leave the straight way by at most `near` pixels.
    fn straight(&self, near: i32) -> impl Iterator<Item = Offset> {
        let is_across = move |offset: &&Offset| offset.1.abs() <= near;
        let is_down = move |offset: &&Offset| offset.0.abs() <= near;
        let (across, down) =
            (self.offsets.iter().filter(is_across).count(), self.offsets.iter().filter(is_down).count());
        self.offsets
            .iter()
            .filter(move |offset| if across >= down { is_across(offset) } else { is_down(offset) })
            .copied()
    }

    /// The most frequent of them, with their opposites, no two next to each other.
    pub fn peaks(&self) -> Vec<Offset> {
        let (width, height) = (self.width, self.height);
        let (w, h) = ((2 * width + 1) as usize, (2 * height + 1) as usize);
        let mut histogram = vec![0u32; w * h];
        for (dx, dy) in self.straight(1) {
            for (dx, dy) in [(dx, dy), (-dx, -dy)] {
                let (x, y) = ((dx + width) as usize, (dy + height) as usize);
                // A 3x3 binomial kernel.
                for (oy, ky) in [(0, 1), (1, 2), (2, 1)] {
                    for (ox, kx) in [(0, 1), (1, 2), (2, 1)] {
                        if let Some(count) =
                            histogram.get_mut((y + oy).saturating_sub(1) * w + (x + ox).saturating_sub(1))
                        {
                            *count += kx * ky;
                        }
                    }
                }
            }
        }
        let mut peaks = Vec::new();
        for y in 2..h - 2 {
            for x in 2..w - 2 {
                let own = (histogram[y * w + x], std::cmp::Reverse((y, x)));
                let around = |j: usize, i: usize| (histogram[j * w + i], std::cmp::Reverse((j, i)));
                if own.0 > 0 && (y - 2..=y + 2).all(|j| (x - 2..=x + 2).all(|i| around(j, i) <= own)) {
                    peaks.push(own);
                }
            }
        }
        peaks.sort_by(|a, b| b.cmp(a));
        peaks.truncate(MAX_OFFSETS);
        peaks.into_iter().map(|(_, std::cmp::Reverse((y, x)))| (x as i32 - width, y as i32 - height)).collect()
    }
}

/// Squared difference of two known patches; stops early beyond `limit`.
fn unlike(level: &Level, a: usize, b: usize, limit: u32) -> u32 {
    let mut sum = 0;
    for row in 0..PATCH {
        let row = |at: usize| &level.picture[at + row * level.width..][..PATCH];
        sum += difference(row(a), row(b));
        if sum >= limit {
            break;
        }
    }
    sum
}

/// Which offset each pixel of the hole's box gets: known surroundings must fit, and neighbours with different offsets
/// must agree about both their colours.
struct OffsetLabelling {
    width: usize,
    height: usize,
    open: Vec<bool>,
    /// For every offset, the colour each pixel would get; `None` where the offset leads nowhere.
    taken: Vec<Vec<Option<[u8; 4]>>>,
    /// For every offset, what it costs each pixel.
    price: Vec<Vec<u32>>,
}

impl OffsetLabelling {
    fn new(level: &Level, offsets: &[Offset]) -> Self {
        let hole = level.hole;
        let place = |i: usize| (hole.x + i % hole.width, hole.y + i / hole.width);
        let open: Vec<bool> =
            (0..hole.width * hole.height).map(place).map(|(x, y)| !level.is_known(y * level.width + x)).collect();
        let taken = |&offset: &Offset| -> Vec<Option<[u8; 4]>> {
            let colour = |(x, y)| moved(level, x, y, offset).map(|at| level.picture[at]);
            (0..open.len()).map(place).map(colour).collect()
        };
        let rim: Vec<Vec<(usize, usize)>> =
            (0..open.len()).map(|i| if open[i] { rim(level, place(i)) } else { Vec::new() }).collect();
        let price = |&offset: &Offset| -> Vec<u32> {
            let cost = |i: usize| {
                let (x, y) = place(i);
                if moved(level, x, y, offset).is_none() {
                    return IMPOSSIBLE;
                }
                let mut sum = 0;
                for &(kx, ky) in &rim[i] {
                    let known = level.picture[ky * level.width + kx];
                    sum += moved(level, kx, ky, offset).map_or(UNKNOWN, |at| gap(known, level.picture[at]));
                }
                sum / 2
            };
            (0..open.len()).map(|i| if open[i] { cost(i) } else { 0 }).collect()
        };
        Self {
            width: hole.width,
            height: hole.height,
            taken: offsets.iter().map(taken).collect(),
            price: offsets.iter().map(price).collect(),
            open,
        }
    }

    fn price(&self, i: usize, label: u8) -> i64 {
        self.price.get(usize::from(label)).map_or(i64::from(NOTHING), |price| i64::from(price[i]))
    }

    /// What it costs that two neighbours have these labels: a metric, as alpha expansion asks for.
    fn seam(&self, i: usize, j: usize, a: u8, b: u8) -> i64 {
        if a == b {
            return 0;
        }
        let (Some(a), Some(b)) = (self.taken.get(usize::from(a)), self.taken.get(usize::from(b))) else { return 200 };
        let differ = |k: usize| a[k].zip(b[k]).map_or(UNKNOWN * 2, |(a, b)| gap(a, b));
        i64::from(differ(i) + differ(j)) + 2
    }

    fn solve(&self) -> Vec<u8> {
        let mut labels = vec![NONE; self.open.len()];
        for _ in 0..SWEEPS {
            let mut changed = false;
            for alpha in 0..self.taken.len() as u8 {
                changed |= self.expand(&mut labels, alpha);
            }
            if !changed {
                break;
            }
        }
        labels
    }

    /// Lets any set of pixels change to one label, if that is cheaper.
    fn expand(&self, labels: &mut [u8], alpha: u8) -> bool {
        let (w, h) = (self.width, self.height);
        let mut grid = GridGraph::new(w, h);
        // What changing a pixel adds, beyond what the edges say.
        let mut gain = vec![0i64; w * h];
        for i in (0..w * h).filter(|&i| self.open[i]) {
            gain[i] += self.price(i, alpha) - self.price(i, labels[i]);
            for (there, j, side) in [(i % w + 1 < w, i + 1, 0), (i / w + 1 < h, i + w, 2)] {
                if there && self.open[j] {
                    let stay = self.seam(i, j, labels[i], labels[j]);
                    let second = self.seam(i, j, labels[i], alpha);
                    let first = self.seam(i, j, alpha, labels[j]);
                    gain[i] += first - stay;
                    gain[j] -= first;
                    grid.to[side][i] = u32::try_from(first + second - stay).unwrap_or(0);
                }
            }
        }
        for (i, gain) in gain.into_iter().enumerate() {
            grid.source[i] = u32::try_from(gain).unwrap_or(0);
            grid.sink[i] = u32::try_from(-gain).unwrap_or(0);
        }
        let mut changed = false;
        for (i, moves) in grid.cut().into_iter().enumerate() {
            if moves && self.open[i] && labels[i] != alpha && self.price(i, alpha) < i64::from(IMPOSSIBLE) {
                labels[i] = alpha;
                changed = true;
            }
        }
        changed
    }
}

/// Known pixels around one of the hole.
fn rim(level: &Level, (x, y): (usize, usize)) -> Vec<(usize, usize)> {
    let rows = y.saturating_sub(RIM)..(y + RIM + 1).min(level.height);
    let row = |y: usize| (x.saturating_sub(RIM)..(x + RIM + 1).min(level.width)).map(move |x| (x, y));
    rows.flat_map(row).filter(|&(x, y)| level.is_known(y * level.width + x)).collect()
}

fn gap(a: [u8; 4], b: [u8; 4]) -> u32 {
    a.into_iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

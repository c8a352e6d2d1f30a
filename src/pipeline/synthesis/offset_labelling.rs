//! The first structure: the hole as a few large pieces of the photo, each moved by one of the offsets under which the
//! photo resembles itself most, cut where they fit best (Boykov et al. 2001, alpha expansion).

use super::level::Level;
use super::self_similarity::{Offset, SelfSimilarity};
use crate::pipeline::min_cut::{Edge, FlowGraph};

/// Rounds over all offsets.
const SWEEPS: usize = 2;
/// How far around a pixel known ones must fit its offset, in pixels.
const RIM: usize = 2;
/// What it costs that a pixel has no offset.
const NO_OFFSET: u32 = 9_000;
/// What it costs that a pixel takes an offset that leads to no known pixel.
const IMPOSSIBLE: u32 = 1_000_000;
/// What it costs that a known pixel beside the hole would come from nowhere.
const UNKNOWN: u32 = 100;
/// What it costs that of two neighbours one has no offset.
const NO_NEIGHBOUR: i64 = 200;
/// Label of a pixel without an offset.
const NONE: u8 = u8::MAX;

/// Fills the hole of a coarse level; gives the offset of each pixel of the hole's box.
pub fn arrange(level: &mut Level, similarity: &SelfSimilarity) -> Vec<Option<Offset>> {
    let offsets = similarity.peaks();
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

/// Which offset each pixel of the hole's box gets: known surroundings must fit, and neighbours with different offsets
/// must agree about both their colours.
struct OffsetLabelling {
    width: usize,
    height: usize,
    /// Whether a pixel is unknown.
    open: Vec<bool>,
    /// For every offset, the colour each pixel would get; `None` where the offset leads nowhere.
    taken: Vec<Vec<Option<[u8; 4]>>>,
    /// For every offset, what it costs each pixel.
    costs: Vec<Vec<u32>>,
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
        let costs = |&offset: &Offset| -> Vec<u32> {
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
            costs: offsets.iter().map(costs).collect(),
            open,
        }
    }

    /// What it costs that a pixel has this label.
    fn cost(&self, i: usize, label: u8) -> i64 {
        self.costs.get(usize::from(label)).map_or(i64::from(NO_OFFSET), |costs| i64::from(costs[i]))
    }

    /// What it costs that two neighbours have these labels: a metric, as alpha expansion asks for.
    fn seam_cost(&self, i: usize, j: usize, a: u8, b: u8) -> i64 {
        if a == b {
            return 0;
        }
        let (Some(a), Some(b)) = (self.taken.get(usize::from(a)), self.taken.get(usize::from(b))) else {
            return NO_NEIGHBOUR;
        };
        let differ = |k: usize| a[k].zip(b[k]).map_or(UNKNOWN * 2, |(a, b)| gap(a, b));
        i64::from(differ(i) + differ(j)) + 2
    }

    /// The label of every pixel of the box: the index of its offset, or [`NONE`].
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
        let mut edges = Vec::new();
        // What changing a pixel adds, beyond what the edges say.
        let mut gain = vec![0i64; w * h];
        for i in (0..w * h).filter(|&i| self.open[i]) {
            gain[i] += self.cost(i, alpha) - self.cost(i, labels[i]);
            for (there, j) in [(i % w + 1 < w, i + 1), (i / w + 1 < h, i + w)] {
                if there && self.open[j] {
                    let stay = self.seam_cost(i, j, labels[i], labels[j]);
                    let second = self.seam_cost(i, j, labels[i], alpha);
                    let first = self.seam_cost(i, j, alpha, labels[j]);
                    gain[i] += first - stay;
                    gain[j] -= first;
                    let capacity = u32::try_from(first + second - stay).unwrap_or(0);
                    edges.push(Edge { nodes: [i as u32, j as u32], capacity: [capacity, 0] });
                }
            }
        }
        let source = gain.iter().map(|&gain| u32::try_from(gain).unwrap_or(0)).collect();
        let sink = gain.iter().map(|&gain| u32::try_from(-gain).unwrap_or(0)).collect();
        let mut changed = false;
        for (i, moves) in FlowGraph::new(source, sink, &edges).cut().into_iter().enumerate() {
            if moves && self.open[i] && labels[i] != alpha && self.cost(i, alpha) < i64::from(IMPOSSIBLE) {
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

/// Sum of the differences of two colours.
fn gap(a: [u8; 4], b: [u8; 4]) -> u32 {
    a.into_iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

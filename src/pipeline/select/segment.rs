//! The cut of the superpixel graph between object and background, whose colour models and cut improve each other
//! (Rother et al. 2004, GrabCut).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::palette::{Histogram, Palette};
use super::regions::Regions;
use crate::pipeline::min_cut::{Edge, FlowGraph};

// Measured on the outlines of `tests/reference/selection` that are marked as tuned.

/// Share of a histogram that a colour has at least, so that one that was never seen decides nothing alone.
const COLOUR_FLOOR: f32 = 0.0019;
/// The same for a degree of detail.
const DETAIL_FLOOR: f32 = 0.03;
/// How much a pixel's evidence counts: neighbours say the same thing twice.
const EVIDENCE: f32 = 0.5;
/// What a cut costs for each pixel of its length: where colours are alike, at the strongest edge, and how fast it falls.
const PLAIN_CUT: f32 = 8.5;
const SHARP_CUT: f32 = 0.208;
const CUT_FALL: f32 = 0.8;
/// What crossing an edge of mean contrast adds to a geodesic distance; crossing the picture adds about 1.
const CROSSING: f32 = 0.83;
/// Units of capacity for one nat, and the capacity of what must not be cut.
const UNIT: f32 = 16.0;
const CERTAIN: u32 = 1 << 30;

/// What is asked of a cut, for every region.
pub struct Prior {
    /// What a pixel of the region costs as background, in nats, whatever its colour; negative: as object.
    pub pull: Vec<f32>,
    /// Regions that are object (`true`) or background for sure.
    pub fixed: Vec<Option<bool>>,
}

/// The superpixels of a photo, and how its colours are modelled.
pub struct Graph {
    pub regions: Regions,
    pub palette: Palette,
}

impl Graph {
    /// How many superpixels there are.
    pub fn len(&self) -> usize {
        self.regions.list.len()
    }

    /// Pixels of the regions chosen.
    pub fn area(&self, chosen: &[bool]) -> f32 {
        self.regions.list.iter().zip(chosen).map(|(region, &chosen)| if chosen { region.size } else { 0.0 }).sum()
    }

    /// How often colours and detail occur in the regions that are as asked: chosen, or not.
    #[inline(never)]
    pub fn model(&self, chosen: &[bool], asked: bool) -> Histogram {
        let mut sums = [0.0; Palette::LENGTH];
        for region in (0..self.len()).filter(|&region| chosen[region] == asked) {
            let histogram = self.regions.histogram(region);
            sums.iter_mut().zip(histogram).for_each(|(sum, &count)| *sum += f32::from(count));
        }
        self.palette.smoothed(&sums)
    }

    /// Cuts again and again, each time with the models of what was cut out before; `tidy` may change each cut.
    pub fn refine(
        &self,
        mut chosen: Vec<bool>,
        rounds: usize,
        prior: &Prior,
        tidy: &dyn Fn(Vec<bool>) -> Vec<bool>,
    ) -> Vec<bool> {
        for _ in 0..rounds {
            let (object, ground) = (self.model(&chosen, true), self.model(&chosen, false));
            let next = tidy(self.cut(&object, &ground, prior));
            if next == chosen {
                break;
            }
            chosen = next;
        }
        chosen
    }

    /// The cheapest way to tell object from background: which regions are the object's.
    pub fn cut(&self, object: &Histogram, ground: &Histogram, prior: &Prior) -> Vec<bool> {
        let whole = |value: f32| (value * UNIT).clamp(0.0, 1e8) as u32;
        let (mut source, mut sink) = (vec![0u32; self.len()], vec![0u32; self.len()]);
        let ratio = log_ratio(object, ground);
        for (i, region) in self.regions.list.iter().enumerate() {
            let counts = self.regions.histogram(i);
            let sum: f32 = counts.iter().zip(&ratio).map(|(&count, ratio)| f32::from(count) * ratio).sum();
            let gain = sum * EVIDENCE + prior.pull[i] * region.size;
            (source[i], sink[i]) = match prior.fixed[i] {
                Some(true) => (CERTAIN, 0),
                Some(false) => (0, CERTAIN),
                None => (whole(gain), whole(-gain)),
            };
        }
        let edges = self.regions.borders.iter().map(|border| {
            let cost = SHARP_CUT + PLAIN_CUT * (-CUT_FALL * border.contrast * border.contrast).exp();
            Edge { nodes: border.nodes, capacity: [whole(border.length * cost); 2] }
        });
        let ground = FlowGraph::new(source, sink, &edges.collect::<Vec<_>>()).cut();
        ground.into_iter().map(|ground| !ground).collect()
    }

    /// Of the regions chosen, those connected with one of the starts.
    pub fn connected(&self, chosen: &[bool], starts: &[usize]) -> Vec<bool> {
        let mut out = vec![false; self.len()];
        let mut open: Vec<usize> = starts.iter().copied().filter(|&start| chosen[start]).collect();
        open.iter().for_each(|&start| out[start] = true);
        while let Some(at) = open.pop() {
            for (_, next) in self.regions.neighbours(at) {
                if chosen[next] && !out[next] {
                    out[next] = true;
                    open.push(next);
                }
            }
        }
        out
    }

    /// Geodesic distance of every region from the starts, and the regions from near to far.
    pub fn distances(&self, starts: &[usize]) -> (Vec<f32>, Vec<usize>) {
        let total: f32 = self.regions.list.iter().map(|region| region.size).sum();
        let side = total.sqrt().max(1.0);
        let mut out = vec![f32::MAX; self.len()];
        let mut order = Vec::with_capacity(self.len());
        let mut done = vec![false; self.len()];
        // Bits of floats that are not negative are ordered as they are.
        let mut open: BinaryHeap<_> = starts.iter().map(|&start| Reverse((0u32, start))).collect();
        starts.iter().for_each(|&start| out[start] = 0.0);
        while let Some(Reverse((_, at))) = open.pop() {
            if std::mem::replace(&mut done[at], true) {
                continue;
            }
            order.push(at);
            let here = &self.regions.list[at];
            for (border, next) in self.regions.neighbours(at) {
                let there = &self.regions.list[next];
                let (dx, dy) = (here.x - there.x, here.y - there.y);
                let way = (dx * dx + dy * dy).sqrt() / side;
                let sum = out[at] + border.contrast * CROSSING + way;
                if sum < out[next] {
                    out[next] = sum;
                    open.push(Reverse((sum.to_bits(), next)));
                }
            }
        }
        (out, order)
    }
}

/// How much likelier each colour and degree of detail is in the object, in nats.
fn log_ratio(object: &Histogram, ground: &Histogram) -> Histogram {
    std::array::from_fn(|k| {
        let floor = if k < Palette::COLOURS { COLOUR_FLOOR } else { DETAIL_FLOOR };
        ((object[k] + floor) / (ground[k] + floor)).ln()
    })
}

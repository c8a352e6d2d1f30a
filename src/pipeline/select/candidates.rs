//! Whole objects that a click may mean, from small to large, and which of them is most like an object (Carreira and
//! Sminchisescu 2010, constrained parametric min-cuts, with GrabCut's colour models).

use super::palette::{Histogram, Palette};
use super::segment::{Graph, Prior};

/// Shares of the picture that the first guesses cover.
pub const SHARES: [f32; 11] = [0.002, 0.004, 0.008, 0.015, 0.03, 0.055, 0.09, 0.15, 0.24, 0.36, 0.5];
/// How often colour models and cut improve each other.
const ROUNDS: usize = 4;
/// How far beyond the guess the object may still lie, in radii of the guess.
const RADIUS: f32 = 1.73;
/// What nearness to the click is worth to a pixel, in nats.
const NEARNESS: f32 = 0.3;
/// What touching the picture's border costs: it is mostly background.
const RIM: f32 = 0.226;
/// Enclosed background up to this share of the object is part of it.
const LARGEST_SPOT: f32 = 0.128;
/// Contrast beyond this many means counts no more.
const MOST_CONTRAST: f32 = 3.0;
/// How many superpixels wide what surrounds an object is.
const RING: usize = 3;
/// How much each of [`features`] says for an object: fitted to the overlap of candidates with the outlines of
/// `tests/reference/selection` that are not held out (ridge regression within each click's candidates).
const WEIGHTS: [f32; 12] = [0.101, 0.125, -0.391, -0.002, -0.611, 0.156, 0.015, 0.011, -0.068, -0.007, -0.284, 0.076];

/// The regions nearest to a start, up to this area, and how far away the last of them is.
pub fn guess(graph: &Graph, order: &[usize], distance: &[f32], area: f32) -> (Vec<bool>, f32) {
    let mut chosen = vec![false; graph.len()];
    let (mut sum, mut radius) = (0.0, 1e-3);
    for &region in order {
        if sum > area {
            break;
        }
        chosen[region] = true;
        radius = distance[region].max(radius);
        sum += graph.regions.list[region].size;
    }
    (chosen, radius)
}

/// The object at these regions.
pub fn best(graph: &Graph, starts: &[usize], fixed: &[Option<bool>], total: f32) -> Vec<bool> {
    let pool = pool(graph, starts, fixed, total);
    let scores = scores(graph, &pool, starts, &vec![false; graph.len()], total);
    first_best(&scores).map_or_else(|| vec![false; graph.len()], |best| pool[best].clone())
}

/// The place of the highest score, of the first of equals.
pub fn first_best(scores: &[f32]) -> Option<usize> {
    (0..scores.len()).reduce(|best, other| if scores[other] > scores[best] { other } else { best })
}

/// One candidate for every size of the first guess; equal ones once.
fn pool(graph: &Graph, starts: &[usize], fixed: &[Option<bool>], total: f32) -> Vec<Vec<bool>> {
    let (distance, order) = graph.distances(starts);
    let mut out: Vec<Vec<bool>> = Vec::new();
    for share in SHARES {
        let (chosen, radius) = guess(graph, &order, &distance, share * total);
        let pull = |i: usize| {
            let region = &graph.regions.list[i];
            let near = 1.0 - distance[i] / (radius * RADIUS);
            near.max(-2.0) * NEARNESS - region.rim / region.size.max(1.0).sqrt() * RIM
        };
        let prior = Prior { pull: (0..graph.len()).map(pull).collect(), fixed: fixed.to_vec() };
        let chosen = graph.refine(chosen, ROUNDS, &prior, &|cut| filled(graph, graph.connected(&cut, starts)));
        if !out.contains(&chosen) {
            out.push(chosen);
        }
    }
    out
}

/// With the small spots that it encloses.
#[inline(never)]
pub fn filled(graph: &Graph, mut chosen: Vec<bool>) -> Vec<bool> {
    let outside: Vec<bool> = chosen.iter().map(|chosen| !chosen).collect();
    let rim: Vec<usize> = (0..graph.len()).filter(|&i| graph.regions.list[i].rim > 0.0).collect();
    let largest = graph.area(&chosen) * LARGEST_SPOT;
    let mut seen = graph.connected(&outside, &rim);
    for i in 0..graph.len() {
        if outside[i] && !seen[i] {
            let spot = graph.connected(&outside, &[i]);
            let fills = graph.area(&spot) < largest;
            for k in (0..graph.len()).filter(|&k| spot[k]) {
                seen[k] = true;
                chosen[k] |= fills;
            }
        }
    }
    chosen
}

/// How much each candidate is like an object. What is `ignored` is neither object nor background.
#[inline(never)]
pub fn scores(graph: &Graph, pool: &[Vec<bool>], starts: &[usize], ignored: &[bool], total: f32) -> Vec<f32> {
    let score = |i: usize| {
        let others = (0..pool.len()).filter(|&j| j != i);
        let steady = others.map(|j| overlap(graph, &pool[i], &pool[j])).fold(0.0, f32::max);
        let features = features(graph, &pool[i], starts, ignored, (total, steady));
        features.iter().zip(&WEIGHTS).map(|(feature, weight)| feature * weight).sum()
    };
    (0..pool.len()).map(score).collect()
}

/// Intersection over union.
#[inline(never)]
fn overlap(graph: &Graph, a: &[bool], b: &[bool]) -> f32 {
    let (mut both, mut any) = (0.0, 0.0);
    for ((region, &a), &b) in graph.regions.list.iter().zip(a).zip(b) {
        both += if a && b { region.size } else { 0.0 };
        any += if a || b { region.size } else { 0.0 };
    }
    both / f32::max(any, 1.0)
}

/// What tells an object from a part of one or from several: contrast of its outline and inside; colours that it shares with
/// what is around it and with all the rest; how much of its outline is the picture's border; how alike the candidate is that
/// a larger or smaller guess led to; its share of the picture (its logarithm, and how unusual it is); how far from its middle
/// the start lies; the length of its outline; detail that it shares, as colours.
fn features(
    graph: &Graph,
    chosen: &[bool],
    starts: &[usize],
    ignored: &[bool],
    (total, steady): (f32, f32),
) -> [f32; 12] {
    let (outline, inner) = contrasts(graph, chosen, ignored);
    let area = graph.area(chosen).max(1.0);
    let (mut rim, mut x, mut y) = (0.0, 0.0, 0.0);
    for (region, _) in graph.regions.list.iter().zip(chosen).filter(|(_, chosen)| **chosen) {
        rim += region.rim;
        x += region.x * region.size / area;
        y += region.y * region.size / area;
    }
    let ring = ring(graph, chosen, ignored);
    let rest: Vec<bool> = chosen.iter().zip(ignored).map(|(&chosen, &ignored)| !chosen && !ignored).collect();
    let [object, near, ground] = [chosen, &ring, &rest].map(|regions| graph.model(regions, true));
    let start = &graph.regions.list[starts[0]];
    let off = [start.x - x, start.y - y];
    let share = (area / total).ln();
    let usual = (0.1f32).ln();
    [
        outline[1] / outline[0].max(1.0),
        inner[1] / inner[0].max(1.0),
        shared(&object, &near, 0..Palette::COLOURS),
        shared(&object, &ground, 0..Palette::COLOURS),
        rim / (rim + outline[0]).max(1.0),
        steady,
        share,
        -(share - usual) * (share - usual),
        (off[0] * off[0] + off[1] * off[1]).sqrt() / area.sqrt(),
        outline[0] / area.sqrt(),
        shared(&object, &near, Palette::COLOURS..Palette::LENGTH),
        shared(&object, &ground, Palette::COLOURS..Palette::LENGTH),
    ]
}

/// Length, and contrast times length, of the borders around and inside what is chosen.
fn contrasts(graph: &Graph, chosen: &[bool], ignored: &[bool]) -> ([f32; 2], [f32; 2]) {
    let (mut outline, mut inner) = ([0.0; 2], [0.0; 2]);
    for border in &graph.regions.borders {
        let [a, b] = border.nodes.map(|node| node as usize);
        if ignored[a] || ignored[b] || !(chosen[a] || chosen[b]) {
            continue;
        }
        let sums = if chosen[a] && chosen[b] { &mut inner } else { &mut outline };
        sums[0] += border.length;
        sums[1] += border.length * border.contrast.min(MOST_CONTRAST);
    }
    (outline, inner)
}

/// What lies close around.
fn ring(graph: &Graph, chosen: &[bool], ignored: &[bool]) -> Vec<bool> {
    let mut ring = vec![false; graph.len()];
    for _ in 0..RING {
        let before = ring.clone();
        for border in &graph.regions.borders {
            let [a, b] = border.nodes.map(|node| node as usize);
            let reached = |i: usize| chosen[i] || before[i];
            if ignored[a] || ignored[b] {
                continue;
            }
            ring[a] |= reached(b) && !chosen[a];
            ring[b] |= reached(a) && !chosen[b];
        }
    }
    ring
}

/// How much of two histograms is the same.
fn shared(a: &Histogram, b: &Histogram, part: std::ops::Range<usize>) -> f32 {
    a[part.clone()].iter().zip(&b[part]).map(|(a, b)| a.min(*b)).sum()
}

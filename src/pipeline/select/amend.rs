//! Changing a selection: by a further click, and by snapping a rough one to the edges near it.

use super::candidates::{SHARES, filled, first_best, guess, scores};
use super::segment::{Graph, Prior};

// Measured on the outlines of `tests/reference/selection` that are marked as tuned.

/// A further click changes less than a first one selects: by this factor.
const SMALLER: f32 = 0.25;
/// How far beyond the guess a change may reach, in radii of the guess.
const RADIUS: f32 = 1.3;
/// What a pixel near the click gains by changing, and one far from it by staying, in nats.
const CHANGE: f32 = 1.0;
const STAY: f32 = 2.0;
/// What a change of the selection's own area costs at the second prompt, in score. Each further prompt is there for something
/// smaller, so that the cost rises with this power of their number.
const UPHEAVAL: f32 = 0.4;
const UPHEAVAL_RISE: f32 = 2.5;
/// How often colour models and cut improve each other.
const ROUNDS: usize = 3;
/// How far a rough outline may be off, in shares of the mask's width (the root of its area), and at least in pixels.
const SLACK: f32 = 0.09;
const LEAST_SLACK: f32 = 4.0;
/// What lies this many slacks inside, or outside, stays.
const SURE_INSIDE: f32 = 1.0;
const SURE_OUTSIDE: f32 = 4.0;
/// Background farther out than this many slacks says nothing about the background near the mask.
const SURROUNDINGS: f32 = 6.0;

/// A selection after a click at `starts`, which changes what is near and leaves the rest. `count` prompts came before it.
pub fn amended(
    graph: &Graph,
    (before, count): (&[bool], usize),
    starts: &[usize],
    adds: bool,
    fixed: &[Option<bool>],
    total: f32,
) -> Vec<bool> {
    if starts.iter().all(|&start| before[start] == adds) {
        return before.to_vec();
    }
    let pool = changes(graph, before, starts, adds, fixed, total);
    // What changes is judged as an object of its own, but for its border with what it joins.
    let joined: Vec<bool> = before.iter().map(|&before| before == adds).collect();
    let parts: Vec<Vec<bool>> = pool
        .iter()
        .map(|after| {
            let changed: Vec<bool> = after.iter().zip(before).map(|(after, before)| after != before).collect();
            graph.connected(&changed, starts)
        })
        .collect();
    let mut scores = scores(graph, &parts, starts, &joined, total);
    let upheaval = UPHEAVAL * (count.max(1) as f32).powf(UPHEAVAL_RISE);
    let area = graph.area(before).max(1.0);
    for (score, part) in scores.iter_mut().zip(&parts) {
        *score -= upheaval * graph.area(part) / area;
    }
    first_best(&scores).map_or_else(|| before.to_vec(), |best| pool[best].clone())
}

/// Selections in which the starts are as asked, for changes from small to large; equal ones once.
fn changes(
    graph: &Graph,
    before: &[bool],
    starts: &[usize],
    adds: bool,
    fixed: &[Option<bool>],
    total: f32,
) -> Vec<Vec<bool>> {
    let anchors: Vec<usize> = (0..graph.len()).filter(|&i| fixed[i] == Some(true)).collect();
    let (distance, order) = graph.distances(starts);
    let sign = |object: bool| if object { 1.0 } else { -1.0 };
    let mut out: Vec<Vec<bool>> = Vec::new();
    for share in SHARES {
        let (near, radius) = guess(graph, &order, &distance, share * SMALLER * total);
        let chosen = near.iter().zip(before).map(|(&near, &before)| if near { adds } else { before }).collect();
        let pull = |i: usize| {
            let near = (1.0 - distance[i] / (radius * RADIUS)).clamp(-1.0, 1.0);
            if near > 0.0 { near * CHANGE * sign(adds) } else { -near * STAY * sign(before[i]) }
        };
        let prior = Prior { pull: (0..graph.len()).map(pull).collect(), fixed: fixed.to_vec() };
        let after = graph.refine(chosen, ROUNDS, &prior, &|cut| filled(graph, graph.connected(&cut, &anchors)));
        if starts.iter().all(|&start| after[start] == adds) && !out.contains(&after) {
            out.push(after);
        }
    }
    out
}

/// The selection that a rough one means. `depth` is how far inside each region lies, in pixels of the working copy, negative
/// outside; `area` is the rough selection's.
pub fn snapped(graph: &Graph, depth: &[f32], area: f32) -> Vec<bool> {
    let slack = (area.sqrt() * SLACK).max(LEAST_SLACK);
    let fix = |&depth: &f32| {
        let sure = depth > slack * SURE_INSIDE || depth < -slack * SURE_OUTSIDE;
        sure.then_some(depth > 0.0)
    };
    let prior = Prior {
        pull: depth.iter().map(|depth| (depth / slack).clamp(-1.0, 1.0)).collect(),
        fixed: depth.iter().map(fix).collect(),
    };
    let mut chosen: Vec<bool> = depth.iter().map(|&depth| depth > 0.0).collect();
    for _ in 0..ROUNDS {
        let near: Vec<bool> =
            chosen.iter().zip(depth).map(|(&chosen, &depth)| !chosen && depth > -slack * SURROUNDINGS).collect();
        let (object, ground) = (graph.model(&chosen, true), graph.model(&near, true));
        let next = graph.cut(&object, &ground, &prior);
        if next == chosen {
            break;
        }
        chosen = next;
    }
    chosen
}

//! Which convolutions run on transformed weights: more memory and fewer multiplications.

use super::geometry::{Convolution, Geometry};
use super::tiled;
use crate::network::{Network, Node, Shape};

/// Saved multiply-adds per byte of growth below which transformed weights cost more than they bring, ..
const LEAST_GAIN: f64 = 8.0;
/// .. and above which they may grow beyond [`MOST_GROWTH`].
const SURE_GAIN: f64 = 30.0;
/// Packed weights at most this many times the plain ones, unless the gain is sure.
const MOST_GROWTH: f64 = 1.48;
/// Fewer tiles than this leave a product mostly waiting for its weights.
const LEAST_TILES: usize = 12;

/// Which convolutions run on transformed weights: those that save most per byte that the weights grow.
pub fn choose(network: &Network) -> Vec<bool> {
    let mut chosen = vec![false; network.nodes.len()];
    let sizes = [256, 512].map(|side| {
        let inputs: Vec<Shape> = network.inputs().map(|(_, _, channels)| Shape::new(channels, side, side)).collect();
        network.shapes(&inputs).ok().zip(network.costs(&inputs).ok())
    });
    let Some((shapes, costs)) = sizes.into_iter().flatten().next() else { return every_possible(network) };
    let (mut plain, mut grown) = (0.0, 0.0);
    let mut candidates = Vec::new();
    for (index, node) in network.nodes.iter().enumerate() {
        let Some(shape) = Convolution::of(&node.op) else { continue };
        let values = shape.weights() as f64;
        plain += values * 4.0;
        let geometry = Geometry::new(shape, None);
        let Some((packed, macs, tiles)) = tiled::cost(&geometry, shapes[index].height, shapes[index].width) else {
            continue;
        };
        let saved = costs[index].macs as f64 - macs as f64;
        let growth = (packed as f64 - values) * 4.0;
        if tiles >= LEAST_TILES && saved / growth > LEAST_GAIN {
            candidates.push((saved / growth, growth, index));
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (gain, growth, index) in candidates {
        if gain >= SURE_GAIN || plain + grown + growth <= plain * MOST_GROWTH {
            grown += growth;
            chosen[index] = true;
        }
    }
    chosen
}

/// A network that takes neither usual size (a single layer in a test): whatever has the form.
fn every_possible(network: &Network) -> Vec<bool> {
    let tiled = |node: &Node| {
        Convolution::of(&node.op).is_some_and(|shape| tiled::cost(&Geometry::new(shape, None), 64, 64).is_some())
    };
    network.nodes.iter().map(tiled).collect()
}

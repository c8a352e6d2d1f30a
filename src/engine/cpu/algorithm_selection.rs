//! Which convolutions run on transformed weights: more memory and fewer multiplications.

use super::geometry::{Convolution, Geometry};
use super::kernels::winograd::{PLAIN, TRANSFORMED};
use super::winograd::{Choice, Tile, cost};
use crate::network::{Cost, Network, Node};
use crate::ordering;

/// Saved multiply-adds per byte of growth below which transformed weights cost more than they bring, ..
const MIN_GAIN: f64 = 8.0;
/// .. and above which they may grow beyond [`MAX_GROWTH`].
const SURE_GAIN: f64 = 24.0;
/// Packed weights at most this many times the plain ones, unless the gain is sure.
const MAX_GROWTH: f64 = 1.48;
/// A network whose packed weights take more bytes than this leaves a tab short of memory ..
const LARGE: f64 = 300e6;
/// .. and holds the weights of 3x3 filters plain, which every run transforms anew, until it takes at most this many times
/// its plain ones. That costs some hundredths of a layer's time ..
const MAX_HELD: f64 = 1.5;
/// .. if it has at least so many outputs for every weight.
const MIN_OUTPUTS: u64 = 768;
/// Fewer tiles than this leave a product mostly waiting for its weights.
const MIN_TILES: usize = 12;

/// A layer's transformed weights instead of its plain ones, or of those for smaller tiles.
struct Step {
    layer: usize,
    tile: Tile,
    /// Bytes.
    growth: f64,
    /// Saved multiply-adds per byte.
    gain: f64,
}

/// Which convolutions run on transformed weights, and for which tiles: those that save most per byte that the weights
/// grow.
pub fn select(network: &Network) -> Vec<Option<Choice>> {
    let mut chosen = vec![None; network.nodes.len()];
    let sizes = [256, 512].map(|side| {
        let inputs = network.square_inputs(side);
        network.shapes(&inputs).ok().zip(network.costs(&inputs).ok())
    });
    let Some((shapes, costs)) = sizes.into_iter().flatten().next() else { return every_possible(network) };
    let (mut plain, mut grown) = (0.0, 0.0);
    let mut all = Vec::new();
    for (layer, node) in network.nodes.iter().enumerate() {
        let Some(shape) = Convolution::of(&node.op) else { continue };
        let values = shape.weights() as f64;
        plain += values * 4.0;
        let geometry = Geometry::new(shape, None);
        // Bytes more, and multiply-adds less.
        let option = |tile| {
            let output = shapes.outputs(layer)[0];
            let (packed, macs, tiles) = cost(&geometry, tile, output.height(), output.width())?;
            let saved = costs[layer].macs as f64 - macs as f64;
            (tiles >= MIN_TILES).then_some(((packed as f64 - values) * 4.0, saved))
        };
        all.extend(steps(layer, option(Tile::Small), option(Tile::Large)));
    }
    ordering::sort_by(&mut all, |a, b| b.gain.total_cmp(&a.gain));
    for Step { layer, tile, growth, gain } in all.into_iter().filter(|step| step.gain > MIN_GAIN) {
        if gain >= SURE_GAIN || plain + grown + growth <= plain * MAX_GROWTH {
            grown += growth;
            chosen[layer] = Some(Choice::from(tile));
        }
    }
    if plain + grown > LARGE {
        hold_plain(network, &costs, &mut chosen, plain + grown - plain * MAX_HELD);
    }
    chosen
}

/// Saves so many bytes by holding weights plain, those first that are multiplied most often in a run.
fn hold_plain(network: &Network, costs: &[Cost], chosen: &mut [Option<Choice>], mut bytes: f64) {
    let weights = |layer: usize| {
        let shape = Convolution::of(&network.nodes[layer].op)?;
        let is_3x3 = matches!(&shape, Convolution::Plain(conv) if conv.kernel_size == (3, 3));
        let outputs = costs[layer].macs / shape.weights().max(1) as u64;
        (is_3x3 && chosen[layer].is_some() && outputs >= MIN_OUTPUTS).then(|| (layer, shape.weights(), outputs))
    };
    let mut layers: Vec<(usize, usize, u64)> = (0..chosen.len()).filter_map(weights).collect();
    ordering::sort_by(&mut layers, |a, b| b.2.cmp(&a.2));
    for (layer, weights, _) in layers {
        if bytes <= 0.0 {
            return;
        }
        let Some(choice) = &mut chosen[layer] else { continue };
        choice.late = true;
        bytes -= (TRANSFORMED - PLAIN) as f64 / PLAIN as f64 * weights as f64 * 4.0;
    }
}

/// The steps of one layer, whose options are bytes and multiply-adds saved. A later step brings less per byte and takes
/// more bytes, so that it is refused where the one before it is.
fn steps(layer: usize, small: Option<(f64, f64)>, large: Option<(f64, f64)>) -> Vec<Step> {
    let step = |tile, (growth, saved): (f64, f64)| Step { layer, tile, growth, gain: saved / growth };
    match (small, large) {
        (Some(small), Some(large)) if small.1 / small.0 > large.1 / large.0 => {
            vec![step(Tile::Small, small), step(Tile::Large, (large.0 - small.0, large.1 - small.1))]
        }
        (_, Some(large)) => vec![step(Tile::Large, large)],
        (small, None) => small.into_iter().map(|small| step(Tile::Small, small)).collect(),
    }
}

/// A network that takes neither usual size (a single layer in a test): whatever has the form.
fn every_possible(network: &Network) -> Vec<Option<Choice>> {
    let tile = |node: &Node| {
        let geometry = Geometry::new(Convolution::of(&node.op)?, None);
        cost(&geometry, Tile::Large, 64, 64).map(|_| Choice::from(Tile::Large))
    };
    network.nodes.iter().map(tile).collect()
}

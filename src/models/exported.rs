//! A generator that its author exported as ONNX, as a network that fills: the graph itself is its description, and how it is
//! fed is guessed as for a pasted class.

use std::sync::Arc;

use super::identify::{KeyDiff, Match};
use super::load::Loaded;
use super::names::KeyNames;
use super::weights::Weights;
use super::{ArchConfig, KeyRules, ModelSpec, pasted};
use crate::checkpoint::Checkpoint;
use crate::checkpoint::onnx::Graph;
use crate::engine::{self, Engine, EngineKind};
use crate::error::{Code, Error, Result};
use crate::network::ops::Affine;
use crate::network::{Network, Op, Shape, ValueId};
use crate::onnx_source;
use crate::torch_source::{Described, Description};

/// Id of every exported graph that is no known network.
pub const ID: &str = "onnx";

/// Nodes back from the output among which a factor to 0..255 is looked for.
const ENDING: usize = 8;

fn graph(checkpoint: &dyn Checkpoint) -> Result<&Graph> {
    checkpoint.graph().ok_or_else(|| Error::new(Code::Internal, "The file holds no graph."))
}

/// The network of a file's graph as a match of its own: on squares of `side`, or of those that the graph takes.
///
/// `network-invalid` naming the node that is not followed, or why its pictures are not those of holes.
pub fn found(checkpoint: &dyn Checkpoint, file: &str, side: Option<usize>) -> Result<Match> {
    let mut description = onnx_source::pictured(graph(checkpoint)?, side, None)?;
    description.network = in_unit_range(description.network);
    let spec = spec(file, description)?;
    let config = ArchConfig::default();
    let wanted = spec.network(&config).parameters().len();
    Ok(Match {
        model: Arc::new(spec),
        config,
        dict: 0,
        names: KeyNames::default(),
        confidence: 1.0,
        why: "The file holds its graph, which is followed as it is.".to_owned(),
        diff: KeyDiff { fitting: wanted, wanted, ..KeyDiff::default() },
    })
}

/// The network of a file's graph, ready to fill. The codes of [`found`] and of [`super::load::load`].
pub fn load(checkpoint: &mut dyn Checkpoint, file: &str, side: Option<usize>, kind: EngineKind) -> Result<Loaded> {
    let found = found(checkpoint, file, side).map_err(|error| error.in_file(file))?;
    Loaded::of(checkpoint, found, file, kind).map_err(|error| error.in_file(file))
}

/// An engine for exactly what the graph computes of inputs of these shapes. The codes of [`onnx_source::describe`].
pub fn engine_for(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    inputs: &[Shape],
    kind: EngineKind,
) -> Result<(Box<dyn Engine>, Description)> {
    let description = onnx_source::describe(graph(checkpoint)?, inputs, None).map_err(|error| error.in_file(file))?;
    let (names, rules, network) = (&KeyNames::default(), &KeyRules::default(), &description.network);
    let mut weights = Weights { checkpoint, dict: 0, names, rules, network };
    let engine = engine::build(kind, network, &mut weights).map_err(|error| error.in_file(file))?;
    Ok((engine, description))
}

fn spec(file: &str, description: Description) -> Result<ModelSpec> {
    let name = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned();
    let class = Described { name, line: 0, is_part: false, arguments: Vec::new(), network: Ok(description.clone()) };
    let spec = pasted::spec(&class, &description, None)?;
    Ok(ModelSpec { id: ID.to_owned(), ..spec })
}

/// The factor that the output is multiplied with at the end of the network.
fn last_factor(network: &Network, output: ValueId) -> f32 {
    let (mut value, mut factor) = (output, 1.0);
    for _ in 0..ENDING {
        let node = &network.nodes[value.node];
        match (&node.op, node.inputs.first()) {
            (Op::Affine(Affine { scale, .. }), Some(&next)) => (value, factor) = (next, factor * scale),
            // Values are only placed, bounded or rounded on the way.
            (Op::Clamp(_) | Op::Reshape(_) | Op::Slice(_) | Op::General(_), Some(&next)) if node.inputs.len() == 1 => {
                value = next;
            }
            _ => break,
        }
    }
    factor
}

/// A network whose last step stretches its picture to 0..255 gives 0..1 instead, as pictures are everywhere here.
fn in_unit_range(mut network: Network) -> Network {
    const WHITE: f32 = 255.0;
    let output = network.output();
    let factor = last_factor(&network, output).abs();
    if (WHITE / 2.0 - 1.0..=WHITE + 1.0).contains(&factor) {
        let unit = Affine { scale: 1.0 / WHITE, offset: 0.0 };
        network.output = Some(network.node("to 0..1", unit, &[output]));
    }
    network
}

//! A network as an ONNX file: one layer after another, each as the few operators of ONNX that compute it.
//!
//! Field numbers: [onnx.proto3](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

mod attention;
mod fourier;
mod graph;
mod layers;
mod protobuf;

use graph::{FLOAT, Graph};
use protobuf::Message;

use super::Exported;
use crate::engine::WeightSource;
use crate::error::Result;
use crate::network::{Network, Op, Shape, ValueId};

/// The version of ONNX's operators.
const OPSET: u64 = 17;
/// The version of the file's form.
const IR_VERSION: u64 = 8;

/// The whole file. Height and width are open where no layer asks for them.
pub fn model(exported: &Exported<'_>, source: &mut dyn WeightSource) -> Result<Vec<u8>> {
    let network = exported.network;
    let shapes = network.shapes(exported.inputs)?;
    let is_fixed = exported.is_fixed || needs_sides(network);
    let mut graph = Graph::new(network, &shapes, source);
    for (index, node) in network.nodes.iter().enumerate() {
        if let Op::Input(_) = node.op {
            let value = ValueId::first(index);
            graph.names.insert(value, node.path.clone());
            graph.declare(11, &declared(&node.path, shapes[value], is_fixed, "in"));
            continue;
        }
        graph.layer(index)?;
    }
    let output = network.output();
    let name = graph.names.get(&output).cloned().unwrap_or_default();
    graph.node("Identity", &[name], "y", &[]);
    graph.declare(12, &declared("y", shapes[output], is_fixed, "out"));
    let graph = graph.finish();
    let opset = Message::default().string(1, "").int(2, OPSET);
    let file = Message::default().int(1, IR_VERSION).string(2, "infill").message(7, &graph).message(8, &opset);
    Ok(file.0)
}

/// Whether some layer is written for the sides at hand.
fn needs_sides(network: &Network) -> bool {
    let needs = |op: &Op| {
        matches!(op, Op::Rfft2(_) | Op::Irfft2(_) | Op::Standardize(_) | Op::ContextualAttention(_) | Op::Chunk(_))
    };
    !network.traced.is_empty() || network.nodes.iter().any(|node| needs(&node.op))
}

/// The type of a value, by its name.
fn declared(name: &str, shape: Shape, is_fixed: bool, which: &str) -> Message {
    let mut sides = Message::default();
    for (dimension, &side) in shape.sides().iter().enumerate() {
        let symbol = ["", "", "height", "width"].get(dimension).filter(|symbol| !symbol.is_empty() && !is_fixed);
        let side = match symbol {
            Some(symbol) => Message::default().string(2, &format!("{symbol}_{which}")),
            None => Message::default().int(1, side as u64),
        };
        sides = sides.message(1, &side);
    }
    let tensor = Message::default().int(1, FLOAT).message(2, &sides);
    Message::default().string(1, name).message(2, &Message::default().message(1, &tensor))
}

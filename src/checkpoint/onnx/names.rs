//! Weights under their modules' names, where an exporter gave them names of its own (`onnx::Conv_123`): the nodes that use them
//! are still named after their modules (`/model/model.1/conv/Conv`).

use std::collections::{HashMap, HashSet};

use super::super::TensorInfo;
use super::{Graph, GraphNode};
use crate::limits::NAME_BYTES;

/// The names of an operator's weights in PyTorch, by its inputs from the second on.
fn parameters(op: &str) -> &'static [&'static str] {
    match op {
        "Conv" | "ConvTranspose" | "InstanceNormalization" | "LayerNormalization" | "Gemm" => &["weight", "bias"],
        "BatchNormalization" => &["weight", "bias", "running_mean", "running_var"],
        "PRelu" => &["weight"],
        _ => &[],
    }
}

/// Ends of the names of numbers that a module adds or multiplies with and that have no name of their own.
pub const OPERANDS: [&str; 2] = [".summand", ".factor"];

/// The end of the name of an operator's operand.
fn operand(op: &str) -> Option<&'static str> {
    match op {
        "Add" => Some(OPERANDS[0]),
        "Mul" => Some(OPERANDS[1]),
        _ => None,
    }
}

/// The inputs of a node that are weights, with the ends of their names.
fn weights_of(node: &GraphNode) -> Vec<(&String, String)> {
    let operands = node.inputs.iter().filter_map(|input| Some((input, operand(&node.op)?.to_owned())));
    let parameters = node.inputs.iter().skip(1).zip(parameters(&node.op));
    operands.chain(parameters.map(|(input, name)| (input, format!(".{name}")))).collect()
}

/// Whether an exporter made this name up.
fn is_made_up(name: &str) -> bool {
    name.starts_with("onnx::") || name.starts_with('/') || !name.contains('.')
}

/// The path of the module that a node is named after: of `/model/model.1/conv/Conv`, `model.1.conv`. A part that begins with
/// the one before it and a dot stands for both. `None` if the node has no such name.
fn module(node: &GraphNode) -> Option<String> {
    let (path, _) = node.name.strip_prefix('/')?.rsplit_once('/')?;
    let (mut modules, mut last) = (Vec::new(), "");
    for part in path.split('/') {
        if !last.is_empty() && part.strip_prefix(last).is_some_and(|rest| rest.starts_with('.')) {
            modules.pop();
        }
        modules.push(part);
        last = part;
    }
    Some(modules.join(".")).filter(|path| path.len() + "running_mean".len() < NAME_BYTES)
}

/// Gives weights their modules' names, in the list and in the graph, as far as these are free.
pub fn restore(graph: &mut Graph, weights: &mut [TensorInfo]) {
    let mut taken: HashSet<String> = weights.iter().map(|weight| weight.key.clone()).collect();
    let (own, mut names) = (taken.clone(), HashMap::<String, String>::new());
    for node in graph.nodes.iter().filter(|node| node.domain.is_empty()) {
        for (input, end) in weights_of(node) {
            if !is_made_up(input) || !own.contains(input) {
                continue;
            }
            let Some(path) = module(node) else { continue };
            let key = format!("{path}{end}");
            if !names.contains_key(input) && taken.insert(key.clone()) {
                names.insert(input.clone(), key);
            }
        }
    }
    // PyTorch's newer exporter calls the bias that a folded norm leaves after the weight.
    for key in weights.iter().map(|weight| &weight.key) {
        if let Some(path) = key.strip_suffix(".weight_bias") {
            let bias = format!("{path}.bias");
            if taken.insert(bias.clone()) {
                names.insert(key.clone(), bias);
            }
        }
    }
    for weight in weights {
        if let Some(key) = names.get(&weight.key) {
            if let Some(tensor) = graph.tensors.get_mut(&weight.key) {
                tensor.info.key.clone_from(key);
            }
            weight.key.clone_from(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_node_tells_its_module() {
        let module = |name: &str| module(&GraphNode { name: name.to_owned(), ..GraphNode::default() });
        assert_eq!(module("/model/model.1/model/model.0/Conv").as_deref(), Some("model.1.model.0"));
        assert_eq!(
            module("/generator/model/model.5/conv1/ffc/convg2g/conv1/conv1.0/Conv").as_deref(),
            Some("generator.model.5.conv1.ffc.convg2g.conv1.0")
        );
        assert_eq!(module("/out/Conv_1").as_deref(), Some("out"));
        assert_eq!((module("/Conv"), module("Conv_3"), module("")), (None, None, None));
    }
}

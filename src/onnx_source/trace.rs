//! Follows a graph node by node, and writes down the layers.

use std::collections::HashMap;

use super::call::Call;
use super::value::{Content, Kind, Value};
use super::{Follow, fold};
use crate::checkpoint::onnx::{Graph, GraphNode, Numbers};
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_NODES, ONNX_FOLDED_STEPS, ONNX_FOLDED_TOTAL};
use crate::network::ops::{Constant, Reshape};
use crate::network::{Network, Op, Shape, ValueId};

/// A graph while it is followed.
pub struct Trace<'g> {
    graph: &'g Graph,
    /// What is written down.
    pub network: Network,
    values: HashMap<&'g str, Value>,
    /// Weights that are values of the network, by key.
    stored: HashMap<String, ValueId>,
    /// The name of the node at hand.
    path: String,
    /// What may still be computed before the network runs.
    steps: u64,
    /// How many more known numbers may be kept.
    room: usize,
}

fn invalid(text: String) -> Error {
    Error::new(Code::NetworkInvalid, text)
}

impl<'g> Trace<'g> {
    /// Begins with the graph's inputs in these shapes.
    pub fn new(graph: &'g Graph, inputs: &[Shape]) -> Result<Self> {
        let mut network = Network::new();
        let mut values = HashMap::new();
        for (port, &shape) in graph.inputs.iter().zip(inputs) {
            let id = network.input(&port.name, shape.channels());
            values.insert(port.name.as_str(), Value { shape, kind: Kind::Float, content: Content::Run(id) });
        }
        let (stored, path) = (HashMap::new(), String::new());
        let (steps, room) = (ONNX_FOLDED_STEPS, ONNX_FOLDED_TOTAL);
        Ok(Self { graph, network, values, stored, path, steps, room })
    }

    /// Follows the nodes that the outputs depend on.
    pub fn run(&mut self) -> Result<()> {
        let graph = self.graph;
        let needed = needed(graph);
        for (node, _) in graph.nodes.iter().zip(needed).filter(|(_, is_needed)| *is_needed) {
            self.node(node)?;
        }
        Ok(())
    }

    /// What a name stands for. `network-invalid` if nothing gives it.
    pub fn value(&self, name: &str) -> Result<Value> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let tensor = self.graph.tensors.get(name);
        let tensor = tensor.ok_or_else(|| invalid(format!("Nothing in the ONNX graph gives the value {name}.")))?;
        Value::stored(tensor).map_err(invalid)
    }

    fn node(&mut self, node: &'g GraphNode) -> Result<()> {
        let first = node.outputs.first().map_or("", String::as_str);
        let name = if node.name.is_empty() { first } else { &node.name };
        let opset = self.graph.opset;
        let Some(follow) = operator(node) else {
            let domain = if node.domain.is_empty() { String::new() } else { format!(" of {}", node.domain) };
            let text = format!(
                "The ONNX graph uses the operator {}{domain} (node {name}, opset {opset}), which infill does not follow.",
                node.op
            );
            return Err(invalid(text));
        };
        let wrong = |text: String| invalid(format!("{} (node {name}, opset {opset}): {text}.", node.op));
        let read = |name: &String| if name.is_empty() { Ok(None) } else { self.value(name).map(Some) };
        let inputs = node.inputs.iter().map(read).collect::<Result<Vec<_>>>()?;
        self.path = name.to_owned();
        let known = |value: &Value| value.numbers().map_or(0, Numbers::len);
        self.spend(1 + inputs.iter().flatten().map(known).sum::<usize>()).map_err(wrong)?;
        let given = follow(self, &Call { node, inputs, opset }).map_err(wrong)?;
        let kept = given.iter().map(known).sum();
        self.room = self
            .room
            .checked_sub(kept)
            .ok_or_else(|| wrong("too many numbers are known before the network runs".to_owned()))?;
        if self.network.nodes.len() > MAX_NODES {
            return Err(invalid(format!("The ONNX graph makes more than the {MAX_NODES} layers that can be run.")));
        }
        for (name, value) in node.outputs.iter().zip(given) {
            self.values.insert(name.as_str(), value);
        }
        Ok(())
    }

    /// Counts what is computed before the network runs. For people if it is too much.
    pub fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.steps = self.steps.checked_sub(steps as u64).ok_or("too much is computed before the network runs")?;
        Ok(())
    }

    /// One layer of these values without parameters, or its result if all are known.
    pub fn emit(&mut self, op: impl Into<Op>, inputs: &[Value]) -> Result<Value, String> {
        self.emit_as(op, inputs, Kind::Float)
    }

    /// The same, of another kind than floats.
    pub fn emit_as(&mut self, op: impl Into<Op>, inputs: &[Value], kind: Kind) -> Result<Value, String> {
        let op = op.into();
        let shape = inferred(&op, inputs)?;
        if let Some(numbers) = fold::folded(&op, inputs, shape, kind, &mut self.steps)? {
            return Value::known(shape.sides(), numbers, kind);
        }
        let inputs = inputs.iter().map(|input| self.materialised(input)).collect::<Result<Vec<_>, String>>()?;
        let id = self.network.node(self.path.clone(), op, &inputs);
        Ok(Value { shape, kind, content: Content::Run(id) })
    }

    /// One layer with weights of these keys.
    pub fn emit_keyed(&mut self, op: impl Into<Op>, input: &Value, keys: Vec<String>) -> Result<Value, String> {
        let op = op.into();
        let shape = inferred(&op, std::slice::from_ref(input))?;
        let input = self.materialised(input)?;
        let id = self.network.node_with_keys(self.path.clone(), op, &[input], keys);
        Ok(Value { shape, kind: Kind::Float, content: Content::Run(id) })
    }

    /// A value of the network for a value of the graph.
    fn materialised(&mut self, value: &Value) -> Result<ValueId, String> {
        if let Content::Run(id) = value.content {
            return Ok(id);
        }
        if let Some(key) = value.key() {
            let network = &mut self.network;
            let stored = || network.stored(&key, value.shape.sides());
            return Ok(*self.stored.entry(key.to_string()).or_insert_with(stored));
        }
        let tensor = value.tensor().ok_or("its numbers are not known")??;
        Ok(self.network.node(format!("{}.constant", self.path), Constant::new(tensor), &[]))
    }

    /// The same numbers in another shape; nothing happens where it has that shape.
    pub fn reshaped(&mut self, value: &Value, sides: &[usize]) -> Result<Value, String> {
        if value.shape.sides() == sides {
            return Ok(value.clone());
        }
        let shape = sides.iter().map(|&side| Some(side)).collect();
        self.emit_as(Reshape { shape }, std::slice::from_ref(value), value.kind)
    }

    /// The name of the node at hand.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// The shape of an operator's first output. PyTorch's words for what it refuses.
fn inferred(op: &Op, inputs: &[Value]) -> Result<Shape, String> {
    op.check()?;
    let (least, most) = op.arity();
    if !(least..=most).contains(&inputs.len()) {
        return Err(format!("it takes {least} inputs or more, up to {most}, and was given {}", inputs.len()));
    }
    let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape).collect();
    let shape = op.infer(&shapes)?.first().copied().ok_or("it gives nothing")?;
    match shape.checked_elements() {
        Some(_) => Ok(shape),
        None => Err(format!("its output of shape {shape:?} cannot be held in memory")),
    }
}

/// How an operator is followed, if it is.
fn operator(node: &GraphNode) -> Option<Follow> {
    let own = super::OPERATORS.iter().filter(|_| node.domain.is_empty());
    own.flat_map(|list| list.iter()).find(|(name, _)| *name == node.op).map(|(_, follow)| *follow)
}

/// By node, whether an output depends on it.
fn needed(graph: &Graph) -> Vec<bool> {
    let mut wanted: std::collections::HashSet<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
    let mut needed = vec![false; graph.nodes.len()];
    for (node, is_needed) in graph.nodes.iter().zip(&mut needed).rev() {
        *is_needed = node.outputs.iter().any(|name| wanted.contains(name.as_str()));
        if *is_needed {
            wanted.extend(node.inputs.iter().map(String::as_str));
        }
    }
    needed
}

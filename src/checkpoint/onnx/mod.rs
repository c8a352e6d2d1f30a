//! ONNX: a graph of operators and its weights, in one message of protobuf
//! ([onnx.proto](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto)). Read as data, in one pass and without recursion:
//! what a graph computes is followed elsewhere (`onnx_source`). Bodies of loops and branches are not read.

mod graph;
mod names;
mod tensor;
mod wire;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use names::OPERANDS;

use super::bytes::{BoundedReader, fail};
use super::tensors::{Opened, Storage};
use super::{Container, Source, StateDict, TensorInfo};
use crate::error::{Code, Result};
use crate::limits::TENSORS;
use wire::{Wire, corrupt};

/// Numbers that are known before a graph runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Whole numbers and truth values.
    Ints(Vec<i64>),
    /// Floats of any width.
    Floats(Vec<f32>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A tensor of the file.
#[derive(Clone, Debug)]
pub struct GraphTensor {
    /// Its name, shape and place.
    pub info: TensorInfo,
    /// Its values, if they are few.
    pub numbers: Option<Arc<Numbers>>,
    /// Whether its values are floats.
    pub is_float: bool,
    /// Whether it is in the state dict.
    pub is_weight: bool,
}

/// An attribute's value.
#[derive(Clone, Debug)]
pub enum Attribute {
    /// One float.
    Float(f32),
    /// One whole number.
    Int(i64),
    /// A word.
    Text(String),
    /// Floats.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A tensor.
    Tensor(Box<GraphTensor>),
    /// What is not read: the body of a loop or branch, and lists of such.
    Unread,
}

/// One operator.
#[derive(Clone, Debug, Default)]
pub struct GraphNode {
    /// Its name, such as `/model/model.1/Conv`; may be empty.
    pub name: String,
    /// The operator, such as `Conv`.
    pub op: String,
    /// Who defines the operator; empty for ONNX itself.
    pub domain: String,
    /// The values that it reads; an empty name is one that is left out.
    pub inputs: Vec<String>,
    /// The values that it gives.
    pub outputs: Vec<String>,
    /// Its attributes.
    pub attributes: Vec<(String, Attribute)>,
}

/// An input or output of the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its sides; `None` for those that vary. `None` where the file says none.
    pub sides: Option<Vec<Option<usize>>>,
    /// The type of its elements, as in `TensorProto.DataType`.
    pub element: i64,
}

/// The graph of a file.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Version of ONNX's own operators.
    pub opset: i64,
    /// What wrote the file, such as `pytorch`.
    pub producer: String,
    /// Its nodes, in execution order; constants are in [`Graph::tensors`].
    pub nodes: Vec<GraphNode>,
    /// What is given to it, its initializers left out.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// Initializers and constants, by name.
    pub tensors: HashMap<String, GraphTensor>,
}

/// How many norms a graph has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphNorms {
    /// `BatchNormalization`.
    pub batch: usize,
    /// `InstanceNormalization`.
    pub instance: usize,
}

impl Graph {
    fn norms(&self) -> GraphNorms {
        let count = |op: &str| self.nodes.iter().filter(|node| node.op == op).count();
        GraphNorms { batch: count("BatchNormalization"), instance: count("InstanceNormalization") }
    }
}

/// Opens an ONNX file: its graph, and its weights as a state dict in file order.
pub fn open<S: Source>(mut file: BoundedReader<S>) -> Result<Opened<S>> {
    let mut wire = Wire::new(&mut file);
    let graph::Read { mut graph, mut weights, storages } = graph::read(&mut wire)?;
    if weights.is_empty() {
        return Err(super::no_tensors());
    }
    if weights.len() > TENSORS {
        let text = format!("The file lists {} tensors; at most {TENSORS} are read.", weights.len());
        return fail(Code::CheckpointLimit, text);
    }
    unique(&graph, &weights)?;
    graph.inputs.retain(|port| !graph.tensors.contains_key(&port.name));
    names::restore(&mut graph, &mut weights);
    Ok(opened(file, graph, weights, storages))
}

/// Every value is given once.
fn unique(graph: &Graph, weights: &[TensorInfo]) -> Result<()> {
    let mut seen: HashSet<&str> = HashSet::new();
    let given = graph.nodes.iter().flat_map(|node| &node.outputs).filter(|name| !name.is_empty());
    for name in weights.iter().map(|tensor| &tensor.key).chain(given) {
        if !seen.insert(name) {
            return corrupt(&format!("the value {name} is given twice"));
        }
    }
    Ok(())
}

fn opened<S: Source>(
    file: BoundedReader<S>,
    graph: Graph,
    weights: Vec<TensorInfo>,
    storages: Vec<Storage>,
) -> Opened<S> {
    let dict = StateDict { tensors: weights, graph_norms: Some(graph.norms()), ..StateDict::default() };
    let metadata = vec![("opset".to_owned(), graph.opset.to_string()), ("producer".to_owned(), graph.producer.clone())];
    let mut opened = Opened::new(file, Container::Onnx, vec![dict], storages);
    opened.metadata = metadata;
    opened.graph = Some(graph);
    opened
}

#[cfg(test)]
mod tests;

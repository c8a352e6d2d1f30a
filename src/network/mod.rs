//! A network as data: a graph of named layers from which everything else derives.
//!
//! Keys and shapes of the state dict (`schema`), output shapes (`shape`), costs (`cost`), the reference run,
//! the fast plan and the inspector's rows all read this one description. Nobody writes an architecture twice.

mod check;
mod cost;
mod op;
mod receptive;
mod schema;
mod shape;

pub use check::unsigned;
pub use cost::Cost;
pub use op::*;
pub use receptive::ReceptiveField;
pub use schema::{Parameter, ParameterKind};
pub use shape::Shape;

/// Index of a node in [`Network::nodes`]; a node's inputs always come before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// One layer, or one function call of `forward`.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// PyTorch module path such as `encoder.3`, or a readable name for functions and inputs; unique.
    pub path: String,
    /// What it computes.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<NodeId>,
}

/// A network: nodes in execution order, single assignment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Network {
    /// All nodes; inputs are nodes too.
    pub nodes: Vec<Node>,
    /// The node whose value `forward` returns.
    pub output: Option<NodeId>,
}

impl Network {
    /// An empty network, to be built up.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a network input; the order of these calls is the order of `forward`'s arguments.
    pub fn input(&mut self, name: &str, channels: usize) -> NodeId {
        self.node(name, Op::Input { channels }, &[])
    }

    /// Adds one layer or function call.
    pub fn node(&mut self, path: impl Into<String>, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        self.nodes.push(Node { path: path.into(), op: op.into(), inputs: inputs.to_vec() });
        NodeId(self.nodes.len() - 1)
    }

    /// Starts an `nn.Sequential` at this path: layers are numbered from 0.
    pub fn sequential(&mut self, path: impl Into<String>, input: NodeId) -> Sequential<'_> {
        Sequential { network: self, path: path.into(), next: 0, last: input }
    }

    /// Declares what `forward` returns.
    pub fn returns(mut self, output: NodeId) -> Self {
        self.output = Some(output);
        self
    }

    /// The input nodes, in the order of `forward`'s arguments, with name and channels.
    pub fn inputs(&self) -> impl Iterator<Item = (NodeId, &str, usize)> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| match node.op {
            Op::Input { channels } => Some((NodeId(index), node.path.as_str(), channels)),
            _ => None,
        })
    }

    /// Shapes of its inputs where all are squares of this side.
    pub fn square_inputs(&self, side: usize) -> Vec<Shape> {
        self.inputs().map(|(_, _, channels)| Shape::new(channels, side, side)).collect()
    }

    /// For every node, the index of the last node that reads it (the output's is out of reach): when its value can go.
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..self.nodes.len()).collect();
        for (index, node) in self.nodes.iter().enumerate() {
            for id in &node.inputs {
                last[id.0] = index;
            }
        }
        if let Some(output) = last.get_mut(self.output().0) {
            *output = usize::MAX;
        }
        last
    }

    /// The node that `forward` returns (the last one if none was declared).
    pub fn output(&self) -> NodeId {
        self.output.unwrap_or(NodeId(self.nodes.len().saturating_sub(1)))
    }
}

/// An `nn.Sequential` under construction.
pub struct Sequential<'a> {
    network: &'a mut Network,
    path: String,
    next: usize,
    last: NodeId,
}

impl Sequential<'_> {
    /// Appends a layer under the next index.
    pub fn push(&mut self, op: impl Into<Op>) -> &mut Self {
        let path = format!("{}.{}", self.path, self.next);
        self.last = self.network.node(path, op, &[self.last]);
        self.next += 1;
        self
    }

    /// The value after the last layer.
    pub fn end(&self) -> NodeId {
        self.last
    }
}

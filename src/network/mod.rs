//! A network as data: a graph of named operations from which everything else derives.
//!
//! Keys and shapes of the state dict (`schema`), output shapes (`shape`), costs (`cost`), what an output pixel sees
//! (`receptive`), the reference run, the fast plan and the inspector's rows all read this one description. What an
//! operator is stands in one file of `ops/`. Nobody writes an architecture twice.

mod check;
mod cost;
pub mod ops;
mod receptive;
mod schema;
mod shape;

pub use cost::Cost;
pub use ops::{
    Activation, BatchNorm2d, Cat, Conv2d, ConvTranspose2d, Input, InstanceNorm2d, Op, Operator, Pad2d, PaddingMode,
    Pair, ParameterKind, ParameterSpec, Upsample, UpsampleMode,
};
pub use receptive::ReceptiveField;
pub use schema::Parameter;
pub use shape::{Shape, Shapes};

/// One value: an output of a node. A node's inputs always come before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId {
    /// Index in [`Network::nodes`].
    pub node: usize,
    /// Which of the node's outputs; most nodes have one.
    pub output: usize,
}

impl ValueId {
    /// The first output of a node.
    pub fn first(node: usize) -> Self {
        Self { node, output: 0 }
    }

    /// Another output of the same node.
    pub fn output(self, output: usize) -> Self {
        Self { output, ..self }
    }
}

/// One layer, or one function call of `forward`.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// PyTorch module path such as `encoder.3`, or a readable name for functions and inputs. A module that is called
    /// twice has two nodes of one path.
    pub path: String,
    /// What it computes.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<ValueId>,
    /// The state-dict key of each of the operator's parameters, in its order: usually the path, a dot and the name.
    pub keys: Vec<String>,
}

/// A network: nodes in execution order, single assignment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Network {
    /// All nodes; inputs are nodes too.
    pub nodes: Vec<Node>,
    /// The value that `forward` returns.
    pub output: Option<ValueId>,
    /// The shapes of the inputs for which alone it was described; empty if it holds for all.
    pub traced: Vec<Shape>,
}

impl Network {
    /// An empty network, to be built up.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a network input `[N, channels, H, W]`; the order of these calls is the order of `forward`'s arguments.
    pub fn input(&mut self, name: &str, channels: usize) -> ValueId {
        self.node(name, Input { channels }, &[])
    }

    /// Adds a stored tensor as a value: a parameter or buffer of this key that `forward` uses by itself.
    pub fn stored(&mut self, key: &str, shape: &[usize]) -> ValueId {
        self.node_with_keys(key, ops::Stored { shape: shape.to_vec() }, &[], vec![key.to_owned()])
    }

    /// Adds one layer or function call whose parameters lie at `path.name`.
    pub fn node(&mut self, path: impl Into<String>, op: impl Into<Op>, inputs: &[ValueId]) -> ValueId {
        let (path, op) = (path.into(), op.into());
        let keys = op.parameters().iter().map(|parameter| format!("{path}.{}", parameter.name)).collect();
        self.node_with_keys(path, op, inputs, keys)
    }

    /// Adds one layer or function call whose parameters lie at these keys, one for each of the operator's parameters.
    pub fn node_with_keys(
        &mut self,
        path: impl Into<String>,
        op: impl Into<Op>,
        inputs: &[ValueId],
        keys: Vec<String>,
    ) -> ValueId {
        self.nodes.push(Node { path: path.into(), op: op.into(), inputs: inputs.to_vec(), keys });
        ValueId::first(self.nodes.len() - 1)
    }

    /// Starts an `nn.Sequential` at this path: layers are numbered from 0.
    pub fn sequential(&mut self, path: impl Into<String>, input: ValueId) -> Sequential<'_> {
        Sequential { network: self, path: path.into(), next: 0, last: input }
    }

    /// Declares what `forward` returns.
    pub fn returns(mut self, output: ValueId) -> Self {
        self.output = Some(output);
        self
    }

    /// The inputs, in the order of `forward`'s arguments, with name and channels.
    pub fn inputs(&self) -> impl Iterator<Item = (ValueId, &str, usize)> {
        self.nodes.iter().enumerate().filter_map(|(index, node)| match node.op {
            Op::Input(Input { channels }) => Some((ValueId::first(index), node.path.as_str(), channels)),
            _ => None,
        })
    }

    /// Shapes of its inputs where all are squares of this side.
    pub fn square_inputs(&self, side: usize) -> Vec<Shape> {
        self.inputs_of(side, side)
    }

    /// Shapes of its inputs where all have this height and width.
    pub fn inputs_of(&self, height: usize, width: usize) -> Vec<Shape> {
        self.inputs().map(|(_, _, channels)| Shape::image(channels, height, width)).collect()
    }

    /// For every node, the index of the last node that reads it (the output's is out of reach): when its values can go.
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..self.nodes.len()).collect();
        for (index, node) in self.nodes.iter().enumerate() {
            for value in &node.inputs {
                last[value.node] = index;
            }
        }
        if let Some(output) = last.get_mut(self.output().node) {
            *output = usize::MAX;
        }
        last
    }

    /// The value that `forward` returns (the last node's if none was declared).
    pub fn output(&self) -> ValueId {
        self.output.unwrap_or(ValueId::first(self.nodes.len().saturating_sub(1)))
    }
}

/// An `nn.Sequential` under construction.
pub struct Sequential<'a> {
    network: &'a mut Network,
    path: String,
    next: usize,
    last: ValueId,
}

impl Sequential<'_> {
    /// Appends a layer under the next index.
    pub fn push(&mut self, op: impl Into<Op>) -> &mut Self {
        let path = format!("{}.{}", self.path, self.next);
        self.last = self.network.node(path, op, &[self.last]);
        self.next += 1;
        self
    }

    /// Passes an index that has no effect in `eval()`, such as a dropout's.
    pub fn skip(&mut self) -> &mut Self {
        self.next += 1;
        self
    }

    /// The value after the last layer.
    pub fn end(&self) -> ValueId {
        self.last
    }
}

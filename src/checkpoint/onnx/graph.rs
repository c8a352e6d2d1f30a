//! `ModelProto`, `GraphProto`, `NodeProto`, `AttributeProto` and `ValueInfoProto`.

use super::super::bytes::fail;
use super::super::tensors::Storage;
use super::super::{Source, TensorInfo};
use super::tensor::{self, Storages};
use super::wire::{Field, Span, Wire, corrupt, message, number};
use super::{Attribute, Graph, GraphNode, GraphTensor, Port};
use crate::error::{Code, Result};
use crate::limits::{ONNX_NODE_ITEMS, ONNX_NODES, ONNX_PORTS, TENSOR_DIMENSIONS, TENSORS};

/// What a file holds.
pub struct Read {
    /// The graph.
    pub graph: Graph,
    /// Its weights, in file order.
    pub weights: Vec<TensorInfo>,
    /// Where they lie.
    pub storages: Vec<Storage>,
}

struct Reader<'w, 'f, S: Source> {
    wire: &'w mut Wire<'f, S>,
    graph: Graph,
    weights: Vec<TensorInfo>,
    storages: Storages,
}

/// Reads the whole file. `checkpoint-corrupt` if it holds no graph.
pub fn read<S: Source>(wire: &mut Wire<'_, S>) -> Result<Read> {
    let mut span = wire.whole();
    let mut reader = Reader { wire, graph: Graph::default(), weights: Vec::new(), storages: Storages::default() };
    let mut has_graph = false;
    while let Some((tag, field)) = reader.wire.field(&mut span)? {
        match tag {
            2 => reader.graph.producer = reader.wire.name(field)?,
            7 if has_graph => return corrupt("it holds two graphs"),
            7 => {
                has_graph = true;
                reader.graph(message(field)?)?;
            }
            8 => reader.opset(message(field)?)?,
            _ => {}
        }
    }
    if !has_graph {
        return corrupt("it holds no graph");
    }
    let Reader { graph, weights, storages, .. } = reader;
    Ok(Read { graph, weights, storages: storages.list })
}

fn too_many<T>(what: &str, most: usize) -> Result<T> {
    fail(Code::CheckpointLimit, format!("The ONNX graph has more than {most} {what}."))
}

impl<S: Source> Reader<'_, '_, S> {
    /// `OperatorSetIdProto`.
    fn opset(&mut self, mut span: Span) -> Result<()> {
        let (mut domain, mut version) = (String::new(), 0);
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            match tag {
                1 => domain = self.wire.name(field)?,
                2 => version = number(field)?,
                _ => {}
            }
        }
        if is_onnx(&domain) {
            self.graph.opset = version;
        }
        Ok(())
    }

    fn graph(&mut self, mut span: Span) -> Result<()> {
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            match tag {
                1 => self.node(message(field)?)?,
                5 => {
                    let given = format!("initializer {}", self.weights.len());
                    let tensor = self.tensor(message(field)?, &given, false)?;
                    self.keep(tensor)?;
                }
                11 => {
                    let port = self.port(message(field)?)?;
                    self.graph.inputs.push(port);
                }
                12 => {
                    let port = self.port(message(field)?)?;
                    self.graph.outputs.push(port);
                }
                15 => {
                    let text = "The ONNX file holds sparse weights, which infill does not read. Export dense ones.";
                    return fail(Code::CheckpointDtype, text);
                }
                _ => {}
            }
            // Old files list every initializer among the inputs.
            if self.graph.inputs.len() > TENSORS || self.graph.outputs.len() > ONNX_PORTS {
                return too_many("inputs or outputs", ONNX_PORTS);
            }
        }
        Ok(())
    }

    fn tensor(&mut self, span: Span, given: &str, is_constant: bool) -> Result<GraphTensor> {
        tensor::read(self.wire, span, given, is_constant, &mut self.storages)
    }

    /// Keeps a tensor under its name, as a weight if it may be one.
    fn keep(&mut self, mut tensor: GraphTensor) -> Result<()> {
        tensor.is_weight = tensor.numbers.is_none() || tensor.is_float;
        if tensor.is_weight {
            self.weights.push(tensor.info.clone());
        }
        let name = tensor.info.key.clone();
        match self.graph.tensors.insert(name.clone(), tensor) {
            None if self.graph.tensors.len() <= TENSORS => Ok(()),
            None => too_many("tensors", TENSORS),
            Some(_) => corrupt(&format!("the tensor {name} is there twice")),
        }
    }

    fn node(&mut self, mut span: Span) -> Result<()> {
        let (mut node, mut attributes) = (GraphNode::default(), Vec::new());
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            match tag {
                1 => node.inputs.push(self.wire.name(field)?),
                2 => node.outputs.push(self.wire.name(field)?),
                3 => node.name = self.wire.name(field)?,
                4 => node.op = self.wire.name(field)?,
                5 => attributes.push(message(field)?),
                7 => node.domain = self.wire.name(field)?,
                _ => {}
            }
            if [node.inputs.len(), node.outputs.len(), attributes.len()].iter().any(|&count| count > ONNX_NODE_ITEMS) {
                return too_many("inputs, outputs or attributes of one node", ONNX_NODE_ITEMS);
            }
        }
        if is_onnx(&node.domain) {
            node.domain.clear();
        }
        // Attributes may stand before the names of what they belong to.
        let first = node.outputs.first().cloned().unwrap_or_default();
        for span in attributes {
            let attribute = self.attribute(span, &first)?;
            node.attributes.push(attribute);
        }
        if self.graph.nodes.len() >= ONNX_NODES {
            return too_many("nodes", ONNX_NODES);
        }
        match constant(&mut node) {
            Some(tensor) => self.keep_constant(tensor),
            None => {
                self.graph.nodes.push(node);
                Ok(())
            }
        }
    }

    /// A constant whose values are known is no weight.
    fn keep_constant(&mut self, tensor: GraphTensor) -> Result<()> {
        if tensor.numbers.is_none() {
            return self.keep(tensor);
        }
        let name = tensor.info.key.clone();
        match self.graph.tensors.insert(name.clone(), tensor) {
            None if self.graph.tensors.len() <= ONNX_NODES => Ok(()),
            None => too_many("constants", ONNX_NODES),
            Some(_) => corrupt(&format!("the constant {name} is there twice")),
        }
    }

    fn attribute(&mut self, mut span: Span, output: &str) -> Result<(String, Attribute)> {
        let (mut name, mut value) = (String::new(), Attribute::Unread);
        let (mut ints, mut floats, mut kind) = (Vec::new(), Vec::new(), 0);
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            match (tag, field) {
                (1, _) => name = self.wire.name(field)?,
                (2, Field::Fixed32(bits)) => value = Attribute::Float(f32::from_bits(bits)),
                (3, _) => value = Attribute::Int(number(field)?),
                (4, _) => value = Attribute::Text(self.wire.name(field)?),
                (5, _) => value = Attribute::Tensor(Box::new(self.tensor(message(field)?, output, true)?)),
                (7, _) => tensor::floats(self.wire, field, ONNX_NODE_ITEMS, &mut floats)?,
                (8, _) => tensor::whole_numbers(self.wire, field, ONNX_NODE_ITEMS, &mut ints)?,
                (20, _) => kind = number(field)?,
                _ => {}
            }
        }
        let value = match (kind, value) {
            (6, _) => Attribute::Floats(floats),
            (7, _) => Attribute::Ints(ints),
            // A value of zero may be left out.
            (1, Attribute::Unread) => Attribute::Float(0.0),
            (2, Attribute::Unread) => Attribute::Int(0),
            (3, Attribute::Unread) => Attribute::Text(String::new()),
            (_, Attribute::Unread) if !ints.is_empty() => Attribute::Ints(ints),
            (_, Attribute::Unread) if !floats.is_empty() => Attribute::Floats(floats),
            (_, value) => value,
        };
        Ok((name, value))
    }

    /// `ValueInfoProto`: name, and `TypeProto` with its tensor's element and shape.
    fn port(&mut self, mut span: Span) -> Result<Port> {
        let mut port = Port::default();
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            match tag {
                1 => port.name = self.wire.name(field)?,
                2 => {
                    let mut kind = message(field)?;
                    while let Some((tag, field)) = self.wire.field(&mut kind)? {
                        if tag == 1 {
                            self.tensor_type(message(field)?, &mut port)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(port)
    }

    fn tensor_type(&mut self, mut span: Span, port: &mut Port) -> Result<()> {
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            match tag {
                1 => port.element = number(field)?,
                2 => {
                    let (mut shape, mut sides) = (message(field)?, Vec::new());
                    while let Some((tag, field)) = self.wire.field(&mut shape)? {
                        if tag == 1 {
                            sides.push(self.dimension(message(field)?)?);
                        }
                        if sides.len() > TENSOR_DIMENSIONS {
                            return too_many("dimensions of one value", TENSOR_DIMENSIONS);
                        }
                    }
                    port.sides = Some(sides);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A side; `None` if it varies: named, left out, or, as some exporters write it, zero or negative.
    fn dimension(&mut self, mut span: Span) -> Result<Option<usize>> {
        let mut side = None;
        while let Some((tag, field)) = self.wire.field(&mut span)? {
            if tag == 1 {
                side = usize::try_from(number(field)?).ok().filter(|&side| side > 0);
            }
        }
        Ok(side)
    }
}

fn is_onnx(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// The tensor of a `Constant`.
fn constant(node: &mut GraphNode) -> Option<GraphTensor> {
    let is_constant = node.op == "Constant" && node.domain.is_empty() && node.outputs.len() == 1;
    let [(_, value)] = node.attributes.as_slice() else { return None };
    match value {
        Attribute::Tensor(tensor) if is_constant => Some(tensor.as_ref().clone()),
        _ => None,
    }
}

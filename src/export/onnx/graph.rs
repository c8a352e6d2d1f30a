//! A graph of ONNX under construction.

use std::collections::{BTreeSet, HashMap};

use super::super::weights::floats;
use super::protobuf::Message;
use crate::engine::WeightSource;
use crate::error::{Code, Error, Result};
use crate::network::{Network, Shape, Shapes, ValueId};

/// ONNX's number for f32.
pub const FLOAT: u64 = 1;
/// ONNX's number for i64.
const INT64: u64 = 7;

/// An attribute of a node.
pub enum Attribute {
    Int(i64),
    Ints(Vec<usize>),
    Float(f32),
    String(&'static str),
}

/// A graph: nodes and constants in order of their making.
pub struct Graph<'a> {
    body: Message,
    pub network: &'a Network,
    pub shapes: &'a Shapes,
    source: &'a mut dyn WeightSource,
    /// What the values of the network are called.
    pub names: HashMap<ValueId, String>,
    /// The constants that are written already.
    written: BTreeSet<String>,
}

impl<'a> Graph<'a> {
    /// An empty graph.
    pub fn new(network: &'a Network, shapes: &'a Shapes, source: &'a mut dyn WeightSource) -> Self {
        let (names, written) = (HashMap::new(), BTreeSet::new());
        Self { body: Message::default(), network, shapes, source, names, written }
    }

    /// The message of the whole.
    pub fn finish(self) -> Message {
        self.body.string(2, "network")
    }

    /// An input (field 11) or output (field 12).
    pub fn declare(&mut self, field: u64, value: &Message) {
        self.body = std::mem::take(&mut self.body).message(field, value);
    }

    /// What node `index` reads: names and shapes.
    pub fn inputs(&self, index: usize) -> Vec<(String, Shape)> {
        let name = |value: &ValueId| (self.names.get(value).cloned().unwrap_or_default(), self.shapes[*value]);
        self.network.nodes[index].inputs.iter().map(name).collect()
    }

    fn tensor(&mut self, name: &str, shape: &[usize], kind: u64, raw: &[u8]) {
        if !self.written.insert(name.to_owned()) {
            return;
        }
        let mut tensor = Message::default();
        for &side in shape {
            tensor = tensor.int(1, side as u64);
        }
        let tensor = tensor.int(2, kind).string(8, name).bytes(9, raw);
        self.body = std::mem::take(&mut self.body).message(5, &tensor);
    }

    /// A constant; one of a name that is written already is that one.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.tensor(name, shape, FLOAT, &floats(values));
        name.to_owned()
    }

    /// A single number.
    pub fn scalar(&mut self, name: &str, value: f32) -> String {
        self.floats(name, &[], &[value])
    }

    /// A constant list of whole numbers.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> String {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, &[values.len()], INT64, &raw);
        name.to_owned()
    }

    /// Whether a constant of this name is written.
    pub fn has(&self, name: &str) -> bool {
        self.written.contains(name)
    }

    /// The parameters of node `index`, of these names and in this order, as constants.
    pub fn parameters(&mut self, index: usize, wanted: &[&str]) -> Result<Vec<String>> {
        let node = &self.network.nodes[index];
        let own = node.op.parameters();
        let mut names = Vec::new();
        for name in wanted {
            let Some(at) = own.iter().position(|parameter| parameter.name == *name) else { continue };
            let key = node.keys.get(at).ok_or_else(|| Error::new(Code::Internal, "A parameter has no key."))?;
            if !self.written.contains(key) {
                let values = self.source.take(key)?;
                self.floats(key, &own[at].shape, &values);
            }
            names.push(key.clone());
        }
        Ok(names)
    }

    /// A node of one value; its name.
    pub fn node(&mut self, op: &str, inputs: &[String], output: &str, attributes: &[(&str, Attribute)]) -> String {
        self.node_of_many(op, inputs, &[output.to_owned()], attributes);
        output.to_owned()
    }

    /// A node of several values.
    pub fn node_of_many(&mut self, op: &str, inputs: &[String], outputs: &[String], attributes: &[(&str, Attribute)]) {
        let mut node = Message::default();
        for input in inputs {
            node = node.string(1, input);
        }
        for output in outputs {
            node = node.string(2, output);
        }
        node = node.string(3, &outputs[0]).string(4, op);
        for (name, attribute) in attributes {
            let message = Message::default().string(1, name);
            let message = match attribute {
                Attribute::Float(value) => message.float(2, *value).int(20, 1),
                Attribute::Int(value) => message.int(3, *value as u64).int(20, 2),
                Attribute::String(value) => message.string(4, value).int(20, 3),
                Attribute::Ints(values) => {
                    values.iter().fold(message, |message, &value| message.int(8, value as u64)).int(20, 7)
                }
            };
            node = node.message(5, &message);
        }
        self.body = std::mem::take(&mut self.body).message(1, &node);
    }

    /// The same values in another shape; -1 is what is left.
    pub fn reshaped(&mut self, from: String, shape: &[i64], to: &str) -> String {
        let sides = self.ints(&format!("{to}.sides"), shape);
        self.node("Reshape", &[from, sides], to, &[])
    }

    /// Zeros around the last two dimensions: `[top, left, bottom, right]`; or another mode of ONNX's.
    pub fn padded(&mut self, from: String, sides: [usize; 4], mode: &'static str, to: &str) -> String {
        let [top, left, bottom, right] = sides.map(|side| side as i64);
        let pads = self.ints(&format!("{to}.pads"), &[0, 0, top, left, 0, 0, bottom, right]);
        self.node("Pad", &[from, pads], to, &[("mode", Attribute::String(mode))])
    }

    /// `from[start : end : step]` along these axes.
    pub fn sliced(&mut self, from: String, parts: &[(i64, [i64; 3])], to: &str) -> String {
        let part = |which: usize| parts.iter().map(|(_, part)| part[which]).collect::<Vec<_>>();
        let axes: Vec<i64> = parts.iter().map(|(axis, _)| *axis).collect();
        let lists = [("starts", part(0)), ("ends", part(1)), ("axes", axes), ("steps", part(2))];
        let mut inputs = vec![from];
        for (name, values) in lists {
            inputs.push(self.ints(&format!("{to}.{name}"), &values));
        }
        self.node("Slice", &inputs, to, &[])
    }
}

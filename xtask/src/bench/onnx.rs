//! A network description as an ONNX file, for onnxruntime-web: a few messages of protobuf, written by hand.
//!
//! Field numbers: [onnx.proto3](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

mod fourier;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::weights::{Weights, number, pair, text};

const FLOAT: u64 = 1;
const INT64: u64 = 7;
const OPSET: u64 = 17;

/// One protobuf message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn string(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: Message) -> Self {
        self.bytes(field, &value.0)
    }
}

/// An attribute of a node.
enum Attribute {
    Int(u64),
    Ints(Vec<u64>),
    Float(f32),
    String(&'static str),
}

/// A graph under construction: each node's value is named by its index.
struct Graph<'a> {
    body: Message,
    weights: &'a Weights,
    /// The constants that are written already.
    matrices: BTreeSet<String>,
}

impl Graph<'_> {
    fn tensor(&mut self, name: &str, shape: &[usize], kind: u64, raw: &[u8]) {
        let mut tensor = Message::default();
        for &side in shape {
            tensor = tensor.int(1, side as u64);
        }
        let tensor = tensor.int(2, kind).string(8, name).bytes(9, raw);
        self.body = std::mem::take(&mut self.body).message(5, tensor);
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, shape, FLOAT, &raw);
    }

    fn node(&mut self, op: &str, inputs: &[String], output: &str, attributes: &[(&str, Attribute)]) {
        self.node_of_many(op, inputs, &[output.to_owned()], attributes);
    }

    /// Halves of the rows.
    fn split(&mut self, from: &str, to: &[String; 2]) {
        self.node_of_many("Split", &[from.to_owned()], to, &[("axis", Attribute::Int(2))]);
    }

    fn node_of_many(&mut self, op: &str, inputs: &[String], outputs: &[String], attributes: &[(&str, Attribute)]) {
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
            node = node.message(
                5,
                match attribute {
                    Attribute::Float(value) => message.float(2, *value).int(20, 1),
                    Attribute::Int(value) => message.int(3, *value).int(20, 2),
                    Attribute::String(value) => message.string(4, value).int(20, 3),
                    Attribute::Ints(values) => {
                        values.iter().fold(message, |message, &value| message.int(8, value)).int(20, 7)
                    }
                },
            );
        }
        self.body = std::mem::take(&mut self.body).message(1, node);
    }

    /// The parameters of a layer that exist, as initializers; their names.
    fn parameters(&mut self, path: &str, names: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for name in names {
            let key = format!("{path}.{name}");
            if let Some((shape, values)) = self.weights.get(&key) {
                let (shape, values) = (shape.clone(), values.clone());
                self.floats(&key, &shape, &values);
                found.push(key);
            }
        }
        found
    }

    /// Writes one layer.
    fn layer(&mut self, layer: Layer<'_>) -> Result<()> {
        let Layer { path, op, arguments: a, name, .. } = layer;
        match op {
            "Conv2d" | "ConvTranspose2d" => self.convolution(layer)?,
            "BatchNorm2d" | "InstanceNorm2d" => self.norm(layer)?,
            "ReLU" => self.node("Relu", &layer.inputs, name, &[]),
            "LeakyReLU" => {
                let slope = layer.float("negative_slope")?;
                self.node("LeakyRelu", &layer.inputs, name, &[("alpha", Attribute::Float(slope))]);
            }
            "clamp" => {
                let bounds = self.constants(&layer, ["low", "high"])?;
                let all = [layer.inputs, bounds.to_vec()].concat();
                self.node("Clip", &all, name, &[]);
            }
            "parameter" => {
                let (shape, values) = self.weights.get(path).with_context(|| format!("no values of {path}"))?.clone();
                self.floats(path, &shape, &values);
                self.node("Identity", &[path.to_owned()], name, &[]);
            }
            "mul" => self.node("Mul", &layer.inputs, name, &[]),
            "Sigmoid" | "Tanh" => self.node(op, &layer.inputs, name, &[]),
            "add" => self.node("Add", &layer.inputs, name, &[]),
            "cat" => self.node("Concat", &layer.inputs, name, &[("axis", Attribute::Int(1))]),
            "affine" => {
                let [scale, offset] = self.constants(&layer, ["scale", "offset"])?;
                let product = format!("{name}.product");
                self.node("Mul", &[layer.inputs[0].clone(), scale], &product, &[]);
                self.node("Add", &[product, offset], name, &[]);
            }
            "Upsample" => self.upsample(layer)?,
            "standardize" => self.standardize(&layer)?,
            "rfft2" => self.rfft2(&layer)?,
            "irfft2" => self.irfft2(&layer)?,
            "ReflectionPad2d" | "ReplicationPad2d" | "ZeroPad2d" => {
                let side = |name: &str| number(&a[name]);
                let sides = [side("top")?, side("left")?, side("bottom")?, side("right")?];
                self.pad(&layer.inputs[0], name, sides, text(&a["mode"])?);
            }
            other => bail!("{path}: {other} is not written"),
        }
        Ok(())
    }

    /// Pads by `[top, left, bottom, right]`, in one of PyTorch's modes.
    fn pad(&mut self, from: &str, name: &str, [top, left, bottom, right]: [usize; 4], mode: &str) {
        let pads = format!("{name}.pads");
        let raw = [0, 0, top, left, 0, 0, bottom, right].map(|n| (n as i64).to_le_bytes()).concat();
        self.tensor(&pads, &[8], INT64, &raw);
        let mode = match mode {
            "reflect" => "reflect",
            "replicate" => "edge",
            _ => "constant",
        };
        self.node("Pad", &[from.to_owned(), pads], name, &[("mode", Attribute::String(mode))]);
    }

    fn convolution(&mut self, layer: Layer<'_>) -> Result<()> {
        let Layer { path, op, arguments: a, name, mut inputs, .. } = layer;
        let ints = |key: &str| -> Result<Attribute> {
            let (h, w) = pair(&a[key])?;
            Ok(Attribute::Ints(vec![h as u64, w as u64]))
        };
        let (mut h, mut w) = pair(&a["padding"])?;
        if op == "Conv2d" && a["padding_mode"] != "zeros" {
            let padded = format!("{name}.padded");
            self.pad(&inputs[0], &padded, [h, w, h, w], text(&a["padding_mode"])?);
            (inputs[0], h, w) = (padded, 0, 0);
        }
        let mut attributes = vec![
            ("kernel_shape", ints("kernel_size")?),
            ("strides", ints("stride")?),
            ("dilations", ints("dilation")?),
            ("pads", Attribute::Ints(vec![h as u64, w as u64, h as u64, w as u64])),
            ("group", Attribute::Int(number(&a["groups"])? as u64)),
        ];
        if op == "ConvTranspose2d" {
            attributes.push(("output_padding", ints("output_padding")?));
        }
        let all = [inputs, self.parameters(path, &["weight", "bias"])].concat();
        self.node(if op == "Conv2d" { "Conv" } else { "ConvTranspose" }, &all, name, &attributes);
        Ok(())
    }

    fn norm(&mut self, layer: Layer<'_>) -> Result<()> {
        let eps = layer.float("eps")?;
        let Layer { path, op, arguments: a, name, inputs, .. } = layer;
        let (kind, parameters) = if op == "InstanceNorm2d" {
            let features = number(&a["num_features"])?;
            let (scale, offset) = (format!("{name}.scale"), format!("{name}.offset"));
            self.floats(&scale, &[features], &vec![1.0; features]);
            self.floats(&offset, &[features], &vec![0.0; features]);
            ("InstanceNormalization", vec![scale, offset])
        } else if a["statistics"] == "picture" {
            // A picture is alone in its batch: its own statistics are those of an instance norm.
            ("InstanceNormalization", self.parameters(path, &["weight", "bias"]))
        } else {
            ("BatchNormalization", self.parameters(path, &["weight", "bias", "running_mean", "running_var"]))
        };
        self.node(kind, &[inputs, parameters].concat(), name, &[("epsilon", Attribute::Float(eps))]);
        Ok(())
    }

    fn upsample(&mut self, layer: Layer<'_>) -> Result<()> {
        let Layer { arguments: a, name, inputs, .. } = layer;
        let (scale, scales) = (number(&a["scale_factor"])? as f32, format!("{name}.scales"));
        self.floats(&scales, &[4], &[1.0, 1.0, scale, scale]);
        let (mode, coordinates) = match text(&a["mode"])? {
            "nearest" => ("nearest", "asymmetric"),
            "bilinear_aligned" => ("linear", "align_corners"),
            _ => ("linear", "half_pixel"),
        };
        let attributes = [
            ("mode", Attribute::String(mode)),
            ("coordinate_transformation_mode", Attribute::String(coordinates)),
            ("nearest_mode", Attribute::String("floor")),
        ];
        self.node("Resize", &[inputs[0].clone(), String::new(), scales], name, &attributes);
        Ok(())
    }

    /// `(x - mean) / (std + eps)` of every channel, `std` with one less than the count.
    fn standardize(&mut self, layer: &Layer<'_>) -> Result<()> {
        let [_, height, width] = layer.input_sides(0)?;
        let count = (height * width) as f32;
        let part = |part: &'static str| format!("{}.{part}", layer.name);
        let [mean, rest, square, variance] = ["mean", "rest", "square", "variance"].map(part);
        let [unbiased, deviation, divisor] = ["unbiased", "deviation", "divisor"].map(part);
        let [bessel, eps] = ["bessel", "eps"].map(part);
        self.floats(&bessel, &[], &[count / (count - 1.0)]);
        self.floats(&eps, &[], &[layer.float("eps")?]);
        let axes = || [("axes", Attribute::Ints(vec![2, 3]))];
        self.node("ReduceMean", &[layer.inputs[0].clone()], &mean, &axes());
        self.node("Sub", &[layer.inputs[0].clone(), mean], &rest, &[]);
        self.node("Mul", &[rest.clone(), rest.clone()], &square, &[]);
        self.node("ReduceMean", &[square], &variance, &axes());
        self.node("Mul", &[variance, bessel], &unbiased, &[]);
        self.node("Sqrt", &[unbiased], &deviation, &[]);
        self.node("Add", &[deviation, eps], &divisor, &[]);
        self.node("Div", &[rest, divisor], layer.name, &[]);
        Ok(())
    }

    /// Two arguments of a layer as scalars of the graph; their names.
    fn constants(&mut self, layer: &Layer<'_>, arguments: [&str; 2]) -> Result<[String; 2]> {
        let names = arguments.map(|argument| format!("{}.{argument}", layer.name));
        for (name, argument) in names.iter().zip(arguments) {
            self.floats(name, &[], &[layer.float(argument)?]);
        }
        Ok(names)
    }
}

/// One layer of a network's description, on its way into the graph.
struct Layer<'a> {
    path: &'a str,
    op: &'a str,
    arguments: &'a Value,
    /// The name of its value in the graph.
    name: &'a str,
    /// The names of the values it reads.
    inputs: Vec<String>,
    /// Their shapes.
    shapes: Vec<&'a Value>,
}

impl Layer<'_> {
    /// Channels, height and width of an input.
    fn input_sides(&self, index: usize) -> Result<[usize; 3]> {
        let sides = self.shapes[index].as_array().with_context(|| format!("{}: no shape", self.path))?;
        let sides: Vec<usize> = sides.iter().map(number).collect::<Result<_>>()?;
        sides.get(1..).and_then(|sides| sides.try_into().ok()).with_context(|| format!("{}: no image", self.path))
    }

    fn float(&self, argument: &str) -> Result<f32> {
        let number = self.arguments[argument].as_f64();
        number.map(|number| number as f32).with_context(|| format!("{}: {argument} is no number", self.path))
    }
}

/// The type of a `[1, channels, H, W]` value of any size.
fn value(name: &str, channels: Option<usize>) -> Message {
    let known = |side: u64| Message::default().int(1, side);
    let open = |symbol: &str| Message::default().string(2, symbol);
    let channels = channels.map_or_else(|| open("C"), |c| known(c as u64));
    let suffix = if name.starts_with('v') { "out" } else { "in" };
    let sides = [known(1), channels, open(&format!("H{suffix}")), open(&format!("W{suffix}"))];
    let shape = sides.into_iter().fold(Message::default(), |shape, side| shape.message(1, side));
    let tensor = Message::default().int(1, FLOAT).message(2, shape);
    Message::default().string(1, name).message(2, Message::default().message(1, tensor))
}

/// The whole file, for values of these shapes, one for every node.
pub fn model(network: &Value, weights: &Weights, shapes: &Value) -> Result<Vec<u8>> {
    let mut graph = Graph { body: Message::default(), weights, matrices: BTreeSet::new() };
    let nodes = network["nodes"].as_array().context("nodes")?;
    let mut names: Vec<String> = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if node["op"] == "input" {
            let name = text(&node["path"])?;
            let declared = value(name, Some(number(&node["arguments"]["channels"])?));
            graph.body = std::mem::take(&mut graph.body).message(11, declared);
            names.push(name.to_owned());
            continue;
        }
        let inputs: Vec<usize> =
            node["inputs"].as_array().context("inputs")?.iter().map(number).collect::<Result<_>>()?;
        let name = format!("v{index}");
        let layer = Layer {
            path: text(&node["path"])?,
            op: text(&node["op"])?,
            arguments: &node["arguments"],
            name: &name,
            inputs: inputs.iter().map(|&i| names[i].clone()).collect(),
            shapes: inputs.iter().map(|&i| &shapes[i]).collect(),
        };
        graph.layer(layer)?;
        names.push(name);
    }
    let output = &names[number(&network["output"])?];
    let graph = graph.body.string(2, "network").message(12, value(output, None));
    let opset = Message::default().string(1, "").int(2, OPSET);
    Ok(Message::default().int(1, 8).message(7, graph).message(8, opset).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_protobuf() {
        // The examples of https://protobuf.dev/programming-guides/encoding/: field 1 is 150, field 2 is "testing".
        assert_eq!(Message::default().int(1, 150).0, [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().string(2, "testing").0, b"\x12\x07testing");
        let inner = Message::default().int(1, 150);
        assert_eq!(Message::default().message(3, inner).0, [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().float(2, 1.0).0, [0x15, 0, 0, 0x80, 0x3f]);
    }
}

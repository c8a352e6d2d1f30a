//! Each operator of a network in ONNX's.

use super::super::unwritten;
use super::graph::{Attribute, Graph};
use crate::error::Result;
use crate::network::ops::norm::Statistics;
use crate::network::ops::pooling::Pool;
use crate::network::ops::{Activation, Affine, Clamp, Conv2d, Gated, MaskSums, Op, PaddingMode, Pair, UpsampleMode};
use crate::network::{Shape, ValueId};

/// A node on its way into the graph.
pub struct Layer {
    pub index: usize,
    /// The names of its values.
    pub outputs: Vec<String>,
    /// What it reads: names and shapes.
    pub inputs: Vec<(String, Shape)>,
}

impl Layer {
    /// The name of its first value.
    pub fn name(&self) -> &str {
        &self.outputs[0]
    }

    /// A name within it.
    pub fn part(&self, part: &str) -> String {
        format!("{}.{part}", self.outputs[0])
    }

    /// The first value it reads.
    pub fn input(&self) -> String {
        self.inputs[0].0.clone()
    }

    fn names(&self) -> Vec<String> {
        self.inputs.iter().map(|(name, _)| name.clone()).collect()
    }
}

fn ints((h, w): Pair) -> Attribute {
    Attribute::Ints(vec![h, w])
}

impl Graph<'_> {
    /// Writes node `index`.
    pub fn layer(&mut self, index: usize) -> Result<()> {
        let op = self.network.nodes[index].op.clone();
        let outputs: Vec<String> = (0..op.outputs())
            .map(|output| if output == 0 { format!("v{index}") } else { format!("v{index}_{output}") })
            .collect();
        for (output, name) in outputs.iter().enumerate() {
            self.names.insert(ValueId::first(index).output(output), name.clone());
        }
        let layer = Layer { index, outputs, inputs: self.inputs(index) };
        self.written(&op, &layer)
    }

    fn written(&mut self, op: &Op, layer: &Layer) -> Result<()> {
        let path = &self.network.nodes[layer.index].path;
        match op {
            Op::Input(_) => {}
            Op::Conv2d(_) | Op::ConvTranspose2d(_) => self.convolution(op, layer)?,
            Op::BatchNorm2d(_) | Op::InstanceNorm2d(_) => self.norm(op, layer)?,
            Op::Activation(activation) => {
                self.activation(*activation, layer.input(), layer.name());
            }
            Op::Clamp(Clamp { low, high }) => {
                let low = self.scalar(&layer.part("low"), *low);
                let high = self.scalar(&layer.part("high"), *high);
                self.node("Clip", &[layer.input(), low, high], layer.name(), &[]);
            }
            Op::Affine(affine) => self.affine(*affine, layer),
            Op::Stored(_) => {
                let stored = self.parameters(layer.index, &["value"])?;
                self.node("Identity", &stored, layer.name(), &[]);
            }
            Op::Constant(constant) => {
                let value = constant.value();
                let stored = self.floats(&layer.part("value"), value.shape(), value.data());
                self.node("Identity", &[stored], layer.name(), &[]);
            }
            Op::Add(_) => self.chained("Add", layer),
            Op::Mul(_) => self.chained("Mul", layer),
            Op::Cat(_) | Op::Chunk(_) | Op::Slice(_) | Op::Reshape(_) => self.rearranged(op, layer),
            Op::Pad2d(pad) => {
                let mode = mode(pad.mode).ok_or_else(|| unwritten(path, "circular padding", "ONNX"))?;
                self.padded(layer.input(), [pad.top, pad.left, pad.bottom, pad.right], mode, layer.name());
            }
            Op::Upsample(upsample) => self.upsample(upsample.scale, upsample.mode, layer),
            Op::MaxPool2d(pool) => self.pool("MaxPool", &pool.0, layer),
            Op::AvgPool2d(pool) => self.pool("AveragePool", &pool.0, layer),
            Op::Standardize(standardize) => self.standardize(standardize.eps as f32, layer),
            Op::Rfft2(_) => self.rfft2(layer),
            Op::Irfft2(_) => self.irfft2(layer),
            Op::Gated(gated) => self.gated(*gated, layer),
            Op::MaskSums(sums) => self.mask_sums(sums, layer)?,
            Op::ContextualAttention(attention) => self.attention(*attention, layer)?,
            Op::General(general) => return Err(unwritten(path, crate::network::Operator::name(general), "ONNX")),
        }
        Ok(())
    }

    /// What moves values and changes none.
    fn rearranged(&mut self, op: &Op, layer: &Layer) {
        match op {
            Op::Cat(cat) => {
                self.node("Concat", &layer.names(), layer.name(), &[("axis", Attribute::Int(cat.dim as i64))]);
            }
            Op::Chunk(chunk) => {
                let side = layer.inputs[0].1.sides()[chunk.dim];
                let sizes: Vec<i64> = chunk.parts(side).iter().map(|&(_, length)| length as i64).collect();
                let sizes = self.ints(&layer.part("sizes"), &sizes);
                let axis = [("axis", Attribute::Int(chunk.dim as i64))];
                self.node_of_many("Split", &[layer.input(), sizes], &layer.outputs, &axis);
            }
            Op::Slice(slice) => {
                let part = [slice.start as i64, (slice.start + slice.length) as i64, 1];
                self.sliced(layer.input(), &[(slice.dim as i64, part)], layer.name());
            }
            Op::Reshape(reshape) => {
                let shape: Vec<i64> = reshape.shape.iter().map(|side| side.map_or(-1, |side| side as i64)).collect();
                self.reshaped(layer.input(), &shape, layer.name());
            }
            _ => {}
        }
    }

    fn affine(&mut self, affine: Affine, layer: &Layer) {
        let scale = self.scalar(&layer.part("scale"), affine.scale);
        let offset = self.scalar(&layer.part("offset"), affine.offset);
        let product = self.node("Mul", &[layer.input(), scale], &layer.part("product"), &[]);
        self.node("Add", &[product, offset], layer.name(), &[]);
    }

    /// An operator of two inputs, over all.
    fn chained(&mut self, op: &str, layer: &Layer) {
        let names = layer.names();
        let mut so_far = names[0].clone();
        for (at, other) in names.iter().enumerate().skip(1) {
            let to = if at + 1 == names.len() { layer.name().to_owned() } else { layer.part(&at.to_string()) };
            so_far = self.node(op, &[so_far, other.clone()], &to, &[]);
        }
    }

    fn activation(&mut self, activation: Activation, from: String, to: &str) -> String {
        match activation {
            Activation::ReLU => self.node("Relu", &[from], to, &[]),
            Activation::LeakyReLU { slope } => {
                self.node("LeakyRelu", &[from], to, &[("alpha", Attribute::Float(slope))])
            }
            Activation::Sigmoid => self.node("Sigmoid", &[from], to, &[]),
            Activation::Tanh => self.node("Tanh", &[from], to, &[]),
            Activation::ELU { alpha } => self.node("Elu", &[from], to, &[("alpha", Attribute::Float(alpha))]),
            Activation::SiLU => {
                let gate = self.node("Sigmoid", std::slice::from_ref(&from), &format!("{to}.gate"), &[]);
                self.node("Mul", &[from, gate], to, &[])
            }
        }
    }

    fn convolution(&mut self, op: &Op, layer: &Layer) -> Result<()> {
        let mut attributes = Vec::new();
        let mut from = layer.input();
        let (kind, kernel, stride, padding, dilation, groups) = match op {
            Op::Conv2d(c) => {
                let mut padding = c.padding;
                if c.padding_mode != PaddingMode::Zeros {
                    let path = &self.network.nodes[layer.index].path;
                    let mode = mode(c.padding_mode).ok_or_else(|| unwritten(path, "circular padding", "ONNX"))?;
                    let (h, w) = padding;
                    from = self.padded(from, [h, w, h, w], mode, &layer.part("padded"));
                    padding = (0, 0);
                }
                ("Conv", c.kernel_size, c.stride, padding, c.dilation, c.groups)
            }
            Op::ConvTranspose2d(c) => {
                attributes.push(("output_padding", ints(c.output_padding)));
                ("ConvTranspose", c.kernel_size, c.stride, c.padding, c.dilation, c.groups)
            }
            _ => return Ok(()),
        };
        let pads = |(h, w): Pair| Attribute::Ints(vec![h, w, h, w]);
        attributes.extend([
            ("kernel_shape", ints(kernel)),
            ("strides", ints(stride)),
            ("dilations", ints(dilation)),
            ("pads", pads(padding)),
            ("group", Attribute::Int(groups as i64)),
        ]);
        let parameters = self.parameters(layer.index, &["weight", "bias"])?;
        self.node(kind, &[vec![from], parameters].concat(), layer.name(), &attributes);
        Ok(())
    }

    fn norm(&mut self, op: &Op, layer: &Layer) -> Result<()> {
        let (features, eps, is_stored) = match op {
            Op::BatchNorm2d(norm) => (norm.num_features, norm.eps, norm.statistics == Statistics::Stored),
            Op::InstanceNorm2d(norm) => (norm.num_features, norm.eps, norm.track_running_stats),
            _ => return Ok(()),
        };
        let mut parameters = self.parameters(layer.index, &["weight", "bias"])?;
        if parameters.is_empty() {
            parameters.push(self.floats(&format!("ones.{features}"), &[features], &vec![1.0; features]));
            parameters.push(self.floats(&format!("zeros.{features}"), &[features], &vec![0.0; features]));
        }
        // A picture is alone in its batch: its own statistics are those of an instance norm.
        let kind = if is_stored { "BatchNormalization" } else { "InstanceNormalization" };
        if is_stored {
            parameters.extend(self.parameters(layer.index, &["running_mean", "running_var"])?);
        }
        let inputs = [vec![layer.input()], parameters].concat();
        self.node(kind, &inputs, layer.name(), &[("epsilon", Attribute::Float(eps as f32))]);
        Ok(())
    }

    fn upsample(&mut self, scale: usize, mode: UpsampleMode, layer: &Layer) {
        let scales = self.floats(&layer.part("scales"), &[4], &[1.0, 1.0, scale as f32, scale as f32]);
        let (mode, coordinates) = match mode {
            UpsampleMode::Nearest => ("nearest", "asymmetric"),
            UpsampleMode::Bilinear => ("linear", "half_pixel"),
            UpsampleMode::BilinearAligned => ("linear", "align_corners"),
        };
        let attributes = [
            ("mode", Attribute::String(mode)),
            ("coordinate_transformation_mode", Attribute::String(coordinates)),
            ("nearest_mode", Attribute::String("floor")),
        ];
        self.node("Resize", &[layer.input(), String::new(), scales], layer.name(), &attributes);
    }

    fn pool(&mut self, kind: &str, pool: &Pool, layer: &Layer) {
        let (h, w) = pool.padding;
        let mut attributes = vec![
            ("kernel_shape", ints(pool.kernel_size)),
            ("strides", ints(pool.stride)),
            ("pads", Attribute::Ints(vec![h, w, h, w])),
        ];
        if kind == "AveragePool" {
            attributes.push(("count_include_pad", Attribute::Int(1)));
        }
        self.node(kind, &[layer.input()], layer.name(), &attributes);
    }

    /// `(x - mean) / (std + eps)` of every channel, `std` with one less than the count.
    fn standardize(&mut self, eps: f32, layer: &Layer) {
        let sides = layer.inputs[0].1;
        let count = (sides.height() * sides.width()) as f32;
        let bessel = self.scalar(&layer.part("bessel"), count / (count - 1.0));
        let eps = self.scalar(&layer.part("eps"), eps);
        let axes = || [("axes", Attribute::Ints(vec![2, 3]))];
        let mean = self.node("ReduceMean", &[layer.input()], &layer.part("mean"), &axes());
        let rest = self.node("Sub", &[layer.input(), mean], &layer.part("rest"), &[]);
        let square = self.node("Mul", &[rest.clone(), rest.clone()], &layer.part("square"), &[]);
        let variance = self.node("ReduceMean", &[square], &layer.part("variance"), &axes());
        let unbiased = self.node("Mul", &[variance, bessel], &layer.part("unbiased"), &[]);
        let deviation = self.node("Sqrt", &[unbiased], &layer.part("deviation"), &[]);
        let divisor = self.node("Add", &[deviation, eps], &layer.part("divisor"), &[]);
        self.node("Div", &[rest, divisor], layer.name(), &[]);
    }

    fn gated(&mut self, gated: Gated, layer: &Layer) {
        let half = (layer.inputs[0].1.channels() / 2) as i64;
        let sizes = self.ints(&layer.part("sizes"), &[half, half]);
        let halves = ["a", "b"].map(|half| layer.part(half));
        self.node_of_many("Split", &[layer.input(), sizes], &halves, &[("axis", Attribute::Int(1))]);
        let [a, b] = halves;
        let value = self.activation(gated.activation, a, &layer.part("value"));
        let gate = self.node("Sigmoid", &[b], &layer.part("gate"), &[]);
        self.node("Mul", &[value, gate], layer.name(), &[]);
    }

    /// `1 / s` and whether `s` is not 0, `s` the known values under each window of all masks.
    fn mask_sums(&mut self, sums: &MaskSums, layer: &Layer) -> Result<()> {
        let Conv2d { kernel_size: (h, w), stride, padding, dilation, .. } = sums.conv;
        let mut all: Option<String> = None;
        for (at, (&channels, mask)) in sums.channels.iter().zip(layer.names()).enumerate() {
            let kernel =
                self.floats(&layer.part(&format!("{at}.kernel")), &[1, 1, h, w], &vec![channels as f32; h * w]);
            let attributes = [
                ("kernel_shape", ints((h, w))),
                ("strides", ints(stride)),
                ("dilations", ints(dilation)),
                ("pads", Attribute::Ints(vec![padding.0, padding.1, padding.0, padding.1])),
            ];
            let sum = self.node("Conv", &[mask, kernel], &layer.part(&format!("{at}.sum")), &attributes);
            all = Some(match all {
                Some(all) => self.node("Add", &[all, sum], &layer.part(&format!("{at}.all")), &[]),
                None => sum,
            });
        }
        let path = &self.network.nodes[layer.index].path;
        let sum = all.ok_or_else(|| unwritten(path, "a sum of no masks", "ONNX"))?;
        let zero = self.scalar("zero", 0.0);
        let one = self.scalar("one", 1.0);
        let half = self.scalar("half", 0.5);
        let known = self.node("Greater", &[sum.clone(), half], &layer.part("known"), &[]);
        // Sums are whole numbers: at least 1 where anything is known.
        let divisor = self.node("Max", &[sum, one.clone()], &layer.part("divisor"), &[]);
        let inverse = self.node("Div", &[one.clone(), divisor], &layer.part("inverse"), &[]);
        self.node("Where", &[known.clone(), inverse, zero.clone()], &layer.outputs[0], &[]);
        self.node("Where", &[known, one, zero], &layer.outputs[1], &[]);
        Ok(())
    }
}

/// ONNX's name of a padding; `None` where this version of it has none.
fn mode(mode: PaddingMode) -> Option<&'static str> {
    match mode {
        PaddingMode::Zeros => Some("constant"),
        PaddingMode::Reflect => Some("reflect"),
        PaddingMode::Replicate => Some("edge"),
        PaddingMode::Circular => None,
    }
}

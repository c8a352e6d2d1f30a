//! The lines of `forward`.

use std::collections::{BTreeSet, HashMap};

use super::super::unwritten;
use super::helpers::Helper;
use super::modules::{Modules, made};
use crate::error::{Code, Error, Result};
use crate::network::ops::norm::Statistics;
use crate::network::ops::{Activation, MaskSums, PaddingMode, Pair, UpsampleMode};
use crate::network::{Network, Op, ValueId};

/// `forward` of a class.
pub struct Forward {
    /// The names of its arguments.
    pub inputs: Vec<String>,
    /// Its lines, without their indentation.
    pub lines: Vec<String>,
    /// What it calls.
    pub helpers: BTreeSet<Helper>,
}

/// Writes every step.
pub fn lines(network: &Network, modules: &Modules) -> Result<Forward> {
    let forward = Forward { inputs: Vec::new(), lines: Vec::new(), helpers: BTreeSet::new() };
    let mut writer = Writer { network, modules, last: network.last_uses(), names: HashMap::new(), fresh: 0, forward };
    let mut index = 0;
    while index < network.nodes.len() {
        index = match modules.sequences.get(&index) {
            Some((path, last)) => {
                let call = format!("{}({})", modules.reached(path), writer.input(index, 0)?);
                writer.assign(index, *last, &call)?;
                last + 1
            }
            None => {
                writer.node(index)?;
                index + 1
            }
        };
    }
    let result = writer.name(network.output())?;
    writer.forward.lines.push(format!("return {result}"));
    Ok(writer.forward)
}

struct Writer<'a> {
    network: &'a Network,
    modules: &'a Modules,
    /// The last node that reads each node.
    last: Vec<usize>,
    names: HashMap<ValueId, String>,
    /// Names given so far.
    fresh: usize,
    forward: Forward,
}

/// `(1, 2)`.
fn pair((h, w): Pair) -> String {
    if h == w { h.to_string() } else { format!("({h}, {w})") }
}

/// A dimension's place in a subscript: `[:, `.
fn before(dim: usize) -> String {
    ":, ".repeat(dim)
}

/// PyTorch's function for an activation.
fn activation(activation: Activation, x: &str) -> String {
    match activation {
        Activation::ReLU => format!("F.relu({x})"),
        Activation::LeakyReLU { slope } => format!("F.leaky_relu({x}, {slope})"),
        Activation::Sigmoid => format!("torch.sigmoid({x})"),
        Activation::Tanh => format!("torch.tanh({x})"),
        Activation::ELU { alpha } => format!("F.elu({x}, {alpha:?})"),
        Activation::SiLU => format!("F.silu({x})"),
    }
}

impl Writer<'_> {
    fn name(&self, value: ValueId) -> Result<String> {
        let gone = || Error::new(Code::Internal, "A value has no name.");
        self.names.get(&value).cloned().ok_or_else(gone)
    }

    fn input(&self, index: usize, at: usize) -> Result<String> {
        let value = self.network.nodes[index].inputs.get(at).copied();
        self.name(value.ok_or_else(|| Error::new(Code::Internal, "A layer reads nothing."))?)
    }

    /// A name for the values of node `last`: that of what node `first` reads, if nobody reads it later.
    fn new_name(&mut self, first: usize, last: usize) -> String {
        let node = &self.network.nodes[first];
        let reused = node.inputs.first().filter(|value| self.last[value.node] <= last && value.output == 0);
        let is_single = |value: &&ValueId| self.network.nodes[value.node].op.outputs() == 1;
        if let Some(name) = reused.filter(is_single).and_then(|value| self.names.get(value)) {
            return name.clone();
        }
        loop {
            self.fresh += 1;
            let name = format!("y{}", self.fresh);
            if !self.forward.inputs.contains(&name) {
                return name;
            }
        }
    }

    fn assign(&mut self, first: usize, last: usize, expression: &str) -> Result<()> {
        let name = self.new_name(first, last);
        self.forward.lines.push(format!("{name} = {expression}"));
        self.names.insert(ValueId::first(last), name);
        Ok(())
    }

    fn node(&mut self, index: usize) -> Result<()> {
        let node = &self.network.nodes[index];
        if let Op::Input(_) = node.op {
            // Attributes of `self` do not clash with arguments.
            let name: String = node.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            let name = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("x_{name}") };
            self.forward.inputs.push(name.clone());
            self.names.insert(ValueId::first(index), name);
            return Ok(());
        }
        if node.op.outputs() == 1 {
            let expression = self.expression(index)?;
            return self.assign(index, index, &expression);
        }
        let expression = self.several(index)?;
        let mut names = Vec::new();
        for output in 0..node.op.outputs() {
            self.fresh += 1;
            names.push(format!("y{}", self.fresh));
            self.names.insert(ValueId::first(index).output(output), names[output].clone());
        }
        self.forward.lines.push(format!("{} = {expression}", names.join(", ")));
        Ok(())
    }

    fn inputs(&self, index: usize) -> Result<Vec<String>> {
        self.network.nodes[index].inputs.iter().map(|value| self.name(*value)).collect()
    }

    /// The expression of a node of several values.
    fn several(&mut self, index: usize) -> Result<String> {
        let node = &self.network.nodes[index];
        let inputs = self.inputs(index)?;
        match &node.op {
            Op::Chunk(chunk) => Ok(format!("torch.chunk({}, {}, dim={})", inputs[0], chunk.chunks, chunk.dim)),
            Op::MaskSums(MaskSums { conv, channels }) => {
                self.forward.helpers.insert(Helper::MaskSums);
                let counts = channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let (kernel, masks) = (conv.kernel_size, inputs.join(", "));
                Ok(format!(
                    "mask_sums([{masks}], [{counts}], ({}, {}), {}, {}, {})",
                    kernel.0,
                    kernel.1,
                    pair(conv.stride),
                    pair(conv.padding),
                    pair(conv.dilation)
                ))
            }
            op => Err(unwritten(&node.path, op.name(), "a class")),
        }
    }

    fn expression(&mut self, index: usize) -> Result<String> {
        let node = &self.network.nodes[index];
        let inputs = self.inputs(index)?;
        let x = inputs.first().map_or("", String::as_str);
        if !node.op.parameters().is_empty() {
            return self.with_parameters(index, x);
        }
        Ok(match &node.op {
            Op::Activation(function) => activation(*function, x),
            Op::Clamp(clamp) => format!("torch.clamp({x}, {}, {})", clamp.low, clamp.high),
            Op::Affine(affine) if affine.offset == 0.0 => format!("{x} * {}", affine.scale),
            Op::Affine(affine) => format!("{x} * {} + {}", affine.scale, affine.offset),
            Op::Add(_) => inputs.join(" + "),
            Op::Mul(_) => inputs.join(" * "),
            Op::Cat(cat) => format!("torch.cat([{}], dim={})", inputs.join(", "), cat.dim),
            Op::Slice(slice) => {
                format!("{x}[{}{}:{}]", before(slice.dim), slice.start, slice.start + slice.length)
            }
            Op::Reshape(reshape) => {
                let sides = reshape.shape.iter().map(|side| side.map_or("-1".to_owned(), |side| side.to_string()));
                format!("{x}.reshape({})", sides.collect::<Vec<_>>().join(", "))
            }
            Op::Pad2d(pad) => padded(x, [pad.left, pad.right, pad.top, pad.bottom], pad.mode),
            Op::Standardize(standardize) => format!(
                "({x} - {x}.mean((2, 3), keepdim=True)) / ({x}.std((2, 3), keepdim=True) + {:e})",
                standardize.eps
            ),
            Op::Gated(gated) => {
                let gate = format!("torch.sigmoid({x}[:, {x}.shape[1] // 2:])");
                format!("{} * {gate}", activation(gated.activation, &format!("{x}[:, :{x}.shape[1] // 2]")))
            }
            Op::Rfft2(_) => {
                self.forward.helpers.insert(Helper::Fourier);
                format!("rfft2({x})")
            }
            Op::Irfft2(_) => {
                self.forward.helpers.insert(Helper::Fourier);
                format!("irfft2({})", inputs.join(", "))
            }
            Op::ContextualAttention(attention) => {
                self.forward.helpers.insert(Helper::Attention);
                let flag = |flag: bool| if flag { "True" } else { "False" };
                let (fuse, aligned) = (flag(attention.fuse), flag(attention.aligned));
                format!("contextual_attention({}, fuse={fuse}, aligned={aligned})", inputs.join(", "))
            }
            Op::Upsample(upsample) => {
                let mode = match upsample.mode {
                    UpsampleMode::Nearest => "mode='nearest'",
                    UpsampleMode::Bilinear => "mode='bilinear'",
                    UpsampleMode::BilinearAligned => "mode='bilinear', align_corners=True",
                };
                format!("F.interpolate({x}, scale_factor={}, {mode})", upsample.scale)
            }
            Op::InstanceNorm2d(norm) => format!("F.instance_norm({x}, eps={:e})", norm.eps),
            Op::MaxPool2d(_) | Op::AvgPool2d(_) | Op::BatchNorm2d(_) => format!("{}({x})", made(&node.op)),
            op => return Err(unwritten(&node.path, op.name(), "a class")),
        })
    }

    /// A layer with parameters: a module's call, or PyTorch's function of registered tensors.
    fn with_parameters(&self, index: usize, x: &str) -> Result<String> {
        let node = &self.network.nodes[index];
        let key = |name: &str| {
            let at = node.op.parameters().iter().position(|parameter| parameter.name == name);
            at.and_then(|at| node.keys.get(at)).map_or("None".to_owned(), |key| self.modules.reached(key))
        };
        if self.modules.is_module(index) {
            return Ok(format!("{}({x})", self.modules.reached(&node.path)));
        }
        Ok(match &node.op {
            Op::Stored(_) => key("value"),
            Op::Conv2d(c) => {
                let is_padded = c.padding_mode != PaddingMode::Zeros;
                let (h, w) = c.padding;
                let x = if is_padded { padded(x, [w, w, h, h], c.padding_mode) } else { x.to_owned() };
                let padding = if is_padded { "0".to_owned() } else { pair(c.padding) };
                let (stride, dilation) = (pair(c.stride), pair(c.dilation));
                let tensors = format!("{}, {}", key("weight"), key("bias"));
                format!("F.conv2d({x}, {tensors}, {stride}, {padding}, {dilation}, {})", c.groups)
            }
            Op::ConvTranspose2d(c) => {
                let (stride, padding, more) = (pair(c.stride), pair(c.padding), pair(c.output_padding));
                let tensors = format!("{}, {}", key("weight"), key("bias"));
                let dilation = pair(c.dilation);
                format!("F.conv_transpose2d({x}, {tensors}, {stride}, {padding}, {more}, {}, {dilation})", c.groups)
            }
            Op::BatchNorm2d(norm) => {
                let affine = format!("{}, {}", key("weight"), key("bias"));
                match norm.statistics {
                    Statistics::Stored => {
                        let own = format!("{}, {}", key("running_mean"), key("running_var"));
                        format!("F.batch_norm({x}, {own}, {affine}, eps={:e})", norm.eps)
                    }
                    Statistics::Picture => {
                        format!("F.batch_norm({x}, None, None, {affine}, training=True, eps={:e})", norm.eps)
                    }
                }
            }
            Op::InstanceNorm2d(norm) if !norm.track_running_stats => {
                let affine = format!("weight={}, bias={}", key("weight"), key("bias"));
                format!("F.instance_norm({x}, {affine}, eps={:e})", norm.eps)
            }
            op => return Err(unwritten(&node.path, op.name(), "a class")),
        })
    }
}

fn padded(x: &str, [left, right, top, bottom]: [usize; 4], mode: PaddingMode) -> String {
    let mode = match mode {
        PaddingMode::Zeros => String::new(),
        other => format!(", mode='{}'", other.name()),
    };
    format!("F.pad({x}, ({left}, {right}, {top}, {bottom}){mode})")
}

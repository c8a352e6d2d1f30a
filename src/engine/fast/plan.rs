//! From a description and its weights to steps: norms folded, activations and sums fused, padding layers left to the
//! producers' borders, and for each convolution the kernel that pays.

use super::choice::choose;
use super::depthwise::Depthwise;
use super::direct::Direct;
use super::form::Tile;
use super::geometry::{Convolution, Geometry, Raw};
use super::narrow::Narrow;
use super::tiled::Tiled;
use super::transformed::Transformed;
use super::trial;
use super::view::View;
use crate::engine::WeightSource;
use crate::error::Result;
use crate::network::{Activation, Network, Node, NodeId, Op, Pad2d, PaddingMode, UpsampleMode};

/// What a step does.
pub enum Kernel {
    /// Takes the next input tensor.
    Input,
    /// Implicit GEMM.
    Direct(Box<Direct>),
    /// Minimal filtering.
    Tiled(Box<Tiled>),
    /// Few output channels.
    Narrow(Box<Narrow>),
    /// Every channel by itself.
    Depthwise(Box<Depthwise>),
    /// Instance norm by its own statistics; weight and bias if affine. In place.
    Norm { eps: f64, affine: Option<(Vec<f32>, Vec<f32>)> },
    /// A norm with fixed statistics that no convolution took. In place.
    Scale(Vec<f32>, Vec<f32>),
    /// An activation alone. In place.
    Activation,
    /// `x * scale + offset`. In place.
    Affine(f32, f32),
    /// `nn.Upsample`.
    Upsample(usize, UpsampleMode),
    /// `torch.cat(.., 1)`.
    Cat,
    /// A sum.
    Add,
    /// A padding layer, or a copy with another border.
    Copy(Pad2d),
}

impl Kernel {
    /// Name for the report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Direct(layer) if layer.geometry.shape.groups() > 1 => "grouped",
            Self::Direct(_) => "direct",
            Self::Tiled(_) => "winograd",
            Self::Narrow(_) => "narrow",
            Self::Depthwise(_) => "depthwise",
            Self::Norm { .. } => "norm",
            Self::Scale(..) | Self::Activation | Self::Affine(..) | Self::Add => "pointwise",
            Self::Upsample(..) => "upsample",
            Self::Cat | Self::Copy(_) => "copy",
        }
    }

    /// Places, of a convolution.
    pub fn geometry(&self) -> Option<&Geometry> {
        match self {
            Self::Direct(layer) => Some(&layer.geometry),
            Self::Tiled(layer) => Some(&layer.geometry),
            Self::Narrow(layer) => Some(&layer.geometry),
            Self::Depthwise(layer) => Some(&layer.geometry),
            _ => None,
        }
    }

    /// Values of scratch that so many threads need for this output.
    pub fn scratch(&self, to: &View, threads: usize) -> usize {
        match self {
            Self::Tiled(layer) => layer.scratch(to, threads),
            _ => 0,
        }
    }

    fn packed(&self) -> usize {
        match self {
            Self::Direct(layer) => layer.packed(),
            Self::Tiled(layer) => layer.packed(),
            Self::Narrow(layer) => layer.packed(),
            Self::Depthwise(layer) => layer.packed(),
            _ => 0,
        }
    }
}

/// One step of the plan.
pub struct Step {
    /// The node it does, and those that were fused into it.
    pub nodes: Vec<usize>,
    /// What it does.
    pub kernel: Kernel,
    /// Values it reads; a step in place reads and writes one.
    pub inputs: Vec<usize>,
    /// Value it writes.
    pub output: usize,
    /// Applied to what it computes, ..
    pub activation: Option<Activation>,
    /// .. and a value that is added afterwards.
    pub plus: Option<usize>,
}

/// A value of the plan.
pub struct ValueSpec {
    /// The node whose shape it has.
    pub node: usize,
    /// What its readers want beyond its border; `None` if nobody reads there.
    pub mode: Option<PaddingMode>,
}

/// Steps in execution order.
pub struct Plan {
    /// The description.
    pub network: Network,
    /// The steps.
    pub steps: Vec<Step>,
    /// The values.
    pub values: Vec<ValueSpec>,
    /// The value that `forward` returns.
    pub output: usize,
}

impl Plan {
    /// Compiles a network, taking and packing the weights in order; the unpacked copy goes layer by layer.
    pub fn new(network: &Network, weights: &mut dyn WeightSource) -> Result<Self> {
        let mut builder = Builder {
            network,
            users: users(network),
            tiles: choose(network),
            holder: vec![None; network.nodes.len()],
            ahead: vec![None; network.nodes.len()],
            steps: Vec::new(),
            values: Vec::new(),
        };
        for index in 0..network.nodes.len() {
            if builder.holder[index].is_none() {
                builder.node(index, weights)?;
            }
        }
        let output = builder.value_of(network.output());
        Ok(Self { network: network.clone(), steps: builder.steps, values: builder.values, output })
    }

    /// Bytes of the packed weights.
    pub fn weight_bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.kernel.packed() as u64 * 4).sum()
    }
}

struct Builder<'a> {
    network: &'a Network,
    users: Vec<Vec<usize>>,
    /// Where weights are to be transformed, and for which tiles.
    tiles: Vec<Option<Tile>>,
    /// The value that holds each node's result.
    holder: Vec<Option<usize>>,
    /// A padding layer that its only reader does on the way: `(top, left, mode)`.
    ahead: Vec<Option<(usize, usize, PaddingMode)>>,
    steps: Vec<Step>,
    values: Vec<ValueSpec>,
}

impl Builder<'_> {
    fn value_of(&self, id: NodeId) -> usize {
        self.holder[id.0].expect("a node's inputs come before it")
    }

    fn new_value(&mut self, node: usize) -> usize {
        self.values.push(ValueSpec { node, mode: None });
        self.values.len() - 1
    }

    /// The only node that reads this one, unless it is the network's result.
    fn only_user(&self, at: usize) -> Option<usize> {
        match self.users[at][..] {
            [user] if self.network.output() != NodeId(at) => Some(user),
            _ => None,
        }
    }

    fn push(&mut self, index: usize, kernel: Kernel, inputs: Vec<usize>, output: usize) {
        self.holder[index] = Some(output);
        self.steps.push(Step { nodes: vec![index], kernel, inputs, output, activation: None, plus: None });
    }

    /// Lets the last step do what follows `last`: an activation, or a sum with something that is already there.
    fn fuse(&mut self, last: usize) {
        let Some(next) = self.only_user(last) else { return };
        let node = &self.network.nodes[next];
        let Some(step) = self.steps.last_mut() else { return };
        match &node.op {
            Op::Activation(activation) => step.activation = Some(*activation),
            Op::Add if node.inputs.len() == 2 && node.inputs[0] != node.inputs[1] => {
                let other = node.inputs[usize::from(node.inputs[0].0 == last)].0;
                // What the step itself writes cannot be added to it.
                match self.holder[other] {
                    Some(value) if other < step.nodes[0] && value != step.output && self.ahead[other].is_none() => {
                        step.plus = Some(value);
                    }
                    _ => return,
                }
            }
            _ => return,
        }
        step.nodes.push(next);
        self.holder[next] = Some(step.output);
    }

    /// A value for reading with this border mode: the node's own, or a copy where its border is already another.
    fn with_border(&mut self, node: NodeId, mode: PaddingMode) -> usize {
        let value = self.value_of(node);
        match self.values[value].mode {
            Some(other) if other != mode => {
                let copy = self.new_value(self.values[value].node);
                let pad = Pad2d { left: 0, right: 0, top: 0, bottom: 0, mode };
                self.steps.push(Step {
                    nodes: Vec::new(),
                    kernel: Kernel::Copy(pad),
                    inputs: vec![value],
                    output: copy,
                    activation: None,
                    plus: None,
                });
                self.values[copy].mode = Some(mode);
                copy
            }
            _ => {
                self.values[value].mode = Some(mode);
                value
            }
        }
    }

    /// The node's input as a value that may be changed in place: its own if nobody else reads it, else a copy.
    fn changeable(&mut self, index: usize) -> usize {
        let input = self.network.nodes[index].inputs[0];
        let value = self.value_of(input);
        if self.only_user(input.0) == Some(index) && self.ahead[input.0].is_none() {
            return value;
        }
        let copy = self.new_value(index);
        let pad = Pad2d { left: 0, right: 0, top: 0, bottom: 0, mode: PaddingMode::Zeros };
        self.push(index, Kernel::Copy(pad), vec![value], copy);
        if let Some(step) = self.steps.last_mut() {
            step.nodes.clear();
        }
        copy
    }

    fn node(&mut self, index: usize, weights: &mut dyn WeightSource) -> Result<()> {
        let node = &self.network.nodes[index];
        if let Some(shape) = Convolution::of(&node.op) {
            return self.convolution(index, shape, weights);
        }
        match &node.op {
            Op::Input { .. } => {
                let value = self.new_value(index);
                self.push(index, Kernel::Input, Vec::new(), value);
            }
            Op::Pad2d(pad) => self.pad(index, pad),
            Op::BatchNorm2d(_) | Op::InstanceNorm2d(_) => {
                let kernel = match scale_and_offset(node, weights)? {
                    Some((scale, offset)) => Kernel::Scale(scale, offset),
                    None => {
                        let Op::InstanceNorm2d(norm) = &node.op else { unreachable!("batch norms have statistics") };
                        let affine = match norm.affine {
                            true => Some((
                                weights.take(&format!("{}.weight", node.path))?,
                                weights.take(&format!("{}.bias", node.path))?,
                            )),
                            false => None,
                        };
                        Kernel::Norm { eps: norm.eps, affine }
                    }
                };
                let value = self.changeable(index);
                self.push(index, kernel, vec![value], value);
                self.fuse(index);
            }
            Op::Activation(activation) => {
                let value = self.changeable(index);
                self.push(index, Kernel::Activation, vec![value], value);
                if let Some(step) = self.steps.last_mut() {
                    step.activation = Some(*activation);
                }
            }
            Op::Affine { scale, offset } => {
                let value = self.changeable(index);
                self.push(index, Kernel::Affine(*scale, *offset), vec![value], value);
            }
            Op::Upsample { scale, mode } => self.combine(index, Kernel::Upsample(*scale, *mode)),
            Op::Cat => self.combine(index, Kernel::Cat),
            Op::Add => self.combine(index, Kernel::Add),
            Op::Conv2d(_) | Op::ConvTranspose2d(_) => unreachable!("convolutions are done above"),
        }
        Ok(())
    }

    /// A step that makes a value of its own from the node's inputs.
    fn combine(&mut self, index: usize, kernel: Kernel) {
        let inputs = self.network.nodes[index].inputs.iter().map(|&id| self.value_of(id)).collect();
        let value = self.new_value(index);
        self.push(index, kernel, inputs, value);
    }

    /// A padding layer in front of a single convolution without padding becomes that convolution's border.
    fn pad(&mut self, index: usize, pad: &Pad2d) {
        let input = self.network.nodes[index].inputs[0];
        let reader = self.only_user(index).map(|user| &self.network.nodes[user].op);
        let bare = matches!(reader, Some(Op::Conv2d(c)) if c.padding == (0, 0));
        let value = self.value_of(input);
        let agrees = self.values[value].mode.is_none_or(|mode| mode == pad.mode);
        if bare && agrees && self.ahead[input.0].is_none() {
            self.ahead[index] = Some((pad.top, pad.left, pad.mode));
            self.holder[index] = Some(value);
            self.values[value].mode = Some(pad.mode);
        } else {
            let output = self.new_value(index);
            self.push(index, Kernel::Copy(pad.clone()), vec![value], output);
        }
    }

    fn convolution(&mut self, index: usize, shape: Convolution, weights: &mut dyn WeightSource) -> Result<()> {
        let node = &self.network.nodes[index];
        let mut raw = Raw::take_bias(node, &shape, weights)?;
        let mut nodes = vec![index];
        if let Some(next) = self.only_user(index)
            && let Some(folded) = scale_and_offset(&self.network.nodes[next], weights)?
        {
            raw.fold(&folded);
            nodes.push(next);
        }
        let ahead = self.ahead[node.inputs[0].0];
        let geometry = Geometry::new(shape, ahead);
        let input = match (ahead, &geometry.shape) {
            // Nothing beyond the border is read, so that any border will do.
            (None, Convolution::Plain(c)) if c.padding == (0, 0) => self.value_of(node.inputs[0]),
            _ => self.with_border(node.inputs[0], geometry.mode),
        };
        let kernel = match self.tiled(index, &geometry, &raw, weights)? {
            Some(layer) => Kernel::Tiled(Box::new(layer)),
            None if Narrow::suits(&geometry) => {
                raw.take_weight(node, &geometry.shape, weights)?;
                Kernel::Narrow(Box::new(Narrow::new(geometry, raw)))
            }
            None if Depthwise::suits(&geometry) => {
                raw.take_weight(node, &geometry.shape, weights)?;
                Kernel::Depthwise(Box::new(Depthwise::new(geometry, raw)))
            }
            None => Kernel::Direct(Box::new(Direct::read(geometry, &raw, node, weights)?)),
        };
        let last = *nodes.last().unwrap_or(&index);
        let output = self.new_value(index);
        self.push(index, kernel, vec![input], output);
        for &node in &nodes {
            self.holder[node] = Some(output);
        }
        if let Some(step) = self.steps.last_mut() {
            step.nodes = nodes;
        }
        self.fuse(last);
        Ok(())
    }

    /// The layer on transformed weights, if that was chosen and loses no digits.
    fn tiled(
        &self,
        index: usize,
        geometry: &Geometry,
        raw: &Raw,
        weights: &mut dyn WeightSource,
    ) -> Result<Option<Tiled>> {
        let Some(tile) = self.tiles[index] else { return Ok(None) };
        let transformed = Transformed::read(geometry, tile, raw, &self.network.nodes[index], weights)?;
        let fine = trial::error(geometry, &transformed, raw) <= trial::MOST_ERROR;
        Ok(fine.then(|| Tiled::new(geometry.clone(), raw, transformed)))
    }
}

/// Factor and summand per channel.
type ScaleAndOffset = (Vec<f32>, Vec<f32>);

/// A norm with fixed statistics as `x * scale + offset`: a batch norm in eval mode, or a tracking instance norm;
/// `None` if the node is no such norm; then nothing is taken.
fn scale_and_offset(node: &Node, weights: &mut dyn WeightSource) -> Result<Option<ScaleAndOffset>> {
    let (features, eps, affine) = match &node.op {
        Op::BatchNorm2d(norm) => (norm.num_features, norm.eps, norm.affine),
        Op::InstanceNorm2d(norm) if norm.track_running_stats => (norm.num_features, norm.eps, norm.affine),
        _ => return Ok(None),
    };
    let mut take = |name: &str| weights.take(&format!("{}.{name}", node.path));
    let (weight, bias) = match affine {
        true => (take("weight")?, take("bias")?),
        false => (vec![1.0; features], vec![0.0; features]),
    };
    let (mean, var) = (take("running_mean")?, take("running_var")?);
    let scale: Vec<f64> = weight.iter().zip(&var).map(|(&w, &v)| f64::from(w) / (f64::from(v) + eps).sqrt()).collect();
    let offset =
        bias.iter().zip(&mean).zip(&scale).map(|((&b, &m), s)| (f64::from(b) - f64::from(m) * s) as f32).collect();
    Ok(Some((scale.into_iter().map(|s| s as f32).collect(), offset)))
}

/// For every node, who reads it.
fn users(network: &Network) -> Vec<Vec<usize>> {
    let mut users = vec![Vec::new(); network.nodes.len()];
    for (index, node) in network.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|id| users[id.0].push(index));
    }
    users
}

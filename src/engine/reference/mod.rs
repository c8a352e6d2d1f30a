//! The reference engine: one node after another, as plain as PyTorch's `forward`.
//!
//! candle-nn runs the convolutions, norms and functions it has; what it lacks are the operators' own loops. It is what the
//! fast engine is compared with.

use candle_core::{Device, Module, Tensor as Candle};

use super::run::{Pending, cancelled};
use super::{Engine, Run, Step, Watch, WeightSource, input_shapes, too_large};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::network::ops::norm::Statistics;
use crate::network::ops::source::take;
use crate::network::ops::{Pad2d, Parameters};
use crate::network::{Activation, Cat, Conv2d, ConvTranspose2d, Cost, Network, Node, Op, PaddingMode, Shape, ValueId};
use crate::tensor::Tensor;

/// One node with its weights.
enum Layer {
    /// candle's convolution, after a padding layer where it pads with something else than zeros or unevenly.
    Conv(candle_nn::Conv2d, Option<Pad2d>),
    Transposed(candle_nn::ConvTranspose2d),
    BatchNorm(candle_nn::BatchNorm),
    /// The operator's own loops, or a function of candle: the parameters as they are, by name.
    Own(Vec<(&'static str, Vec<f32>)>),
}

/// A network on candle-nn.
pub struct Reference {
    network: Network,
    layers: Vec<Layer>,
}

impl Reference {
    /// Takes the weights in the description's order.
    pub fn new(network: &Network, weights: &mut dyn WeightSource) -> Result<Self> {
        let layers = network.nodes.iter().map(|node| layer(node, weights)).collect::<Result<_>>()?;
        Ok(Self { network: network.clone(), layers })
    }
}

/// Takes one node's weights.
fn layer(node: &Node, weights: &mut dyn WeightSource) -> Result<Layer> {
    let specs = node.op.parameters();
    let mut taken = take(specs.clone(), &node.keys, |key| weights.take(key))?;
    let mut candle = |name: &str| -> Result<Option<Candle>> {
        let Some(index) = taken.iter().position(|(own, _)| *own == name) else { return Ok(None) };
        let shape = specs.iter().find(|spec| spec.name == name).map(|spec| spec.shape.clone()).unwrap_or_default();
        Ok(Some(Candle::from_vec(taken.swap_remove(index).1, shape, &Device::Cpu)?))
    };
    let missing = || Error::new(Code::Internal, format!("{} has no weight", node.path));
    Ok(match &node.op {
        Op::Conv2d(conv) if candle_runs(conv) => {
            let (padding, pad) = padding(conv);
            let config = candle_nn::Conv2dConfig {
                padding,
                stride: conv.stride.0,
                dilation: conv.dilation.0,
                groups: conv.groups,
                ..Default::default()
            };
            let conv = candle_nn::Conv2d::new(candle("weight")?.ok_or_else(missing)?, candle("bias")?, config);
            Layer::Conv(conv, pad)
        }
        Op::ConvTranspose2d(conv) if candle_runs_transposed(conv) => {
            let config = candle_nn::ConvTranspose2dConfig {
                padding: conv.padding.0,
                output_padding: conv.output_padding.0,
                stride: conv.stride.0,
                dilation: conv.dilation.0,
            };
            let weight = candle("weight")?.ok_or_else(missing)?;
            Layer::Transposed(candle_nn::ConvTranspose2d::new(weight, candle("bias")?, config))
        }
        Op::BatchNorm2d(norm) if norm.affine && norm.eps > 0.0 && norm.statistics == Statistics::Stored => {
            let mut get = |name: &str| candle(name)?.ok_or_else(missing);
            let (weight, bias) = (get("weight")?, get("bias")?);
            let (mean, var) = (get("running_mean")?, get("running_var")?);
            Layer::BatchNorm(candle_nn::BatchNorm::new(norm.num_features, mean, var, weight, bias, norm.eps)?)
        }
        _ => Layer::Own(taken),
    })
}

fn square(pair: (usize, usize)) -> bool {
    pair.0 == pair.1
}

/// candle's convolution takes one stride and one dilation for both sides.
fn candle_runs(conv: &Conv2d) -> bool {
    square(conv.stride) && square(conv.dilation)
}

/// What candle pads itself, and the padding layer in front of it that does the rest.
fn padding(conv: &Conv2d) -> (usize, Option<Pad2d>) {
    let (height, width) = conv.padding;
    if conv.padding == (0, 0) || conv.padding_mode == PaddingMode::Zeros && square(conv.padding) {
        return (height, None);
    }
    let pad = Pad2d { left: width, right: width, top: height, bottom: height, mode: conv.padding_mode };
    (0, Some(pad))
}

fn candle_runs_transposed(conv: &ConvTranspose2d) -> bool {
    conv.groups == 1
        && square(conv.padding)
        && square(conv.stride)
        && square(conv.dilation)
        && square(conv.output_padding)
}

impl Reference {
    /// What the layers cost for one image; `out-of-memory` if the values of so many images cannot fit.
    fn affordable(&self, inputs: &[Shape], batch: usize) -> Result<Vec<Cost>> {
        let costs = self.network.costs(inputs)?;
        let bytes = self.network.live_bytes(&costs).saturating_mul(batch as u64);
        if bytes.saturating_add(self.network.parameter_count().saturating_mul(4)) > limits::RUN_BYTES {
            return Err(too_large(Some(bytes)));
        }
        Ok(costs)
    }
}

impl Engine for Reference {
    fn network(&self) -> &Network {
        &self.network
    }

    fn name(&self) -> &'static str {
        "reference"
    }

    fn prepare(&mut self, inputs: &[Shape]) -> Result<()> {
        self.affordable(inputs, 1).map(|_| ())
    }

    fn begin<'a>(&'a mut self, inputs: &'a [Tensor]) -> Result<Box<dyn Run + 'a>> {
        let (batch, shapes) = input_shapes(&self.network, inputs)?;
        let costs = self.affordable(&shapes, batch)?;
        Ok(Box::new(ReferenceRun {
            last_use: self.network.last_uses(),
            values: vec![Vec::new(); self.network.nodes.len()],
            macs: costs.iter().map(|cost| cost.macs).collect(),
            reference: self,
            inputs: inputs.iter(),
            next: 0,
        }))
    }
}

/// A run, node after node, of the whole batch at once.
struct ReferenceRun<'a> {
    reference: &'a Reference,
    inputs: std::slice::Iter<'a, Tensor>,
    last_use: Vec<usize>,
    /// By node, its outputs while somebody still reads them.
    values: Vec<Vec<Candle>>,
    macs: Vec<u64>,
    next: usize,
}

impl ReferenceRun<'_> {
    /// The next node; `false` if there is none left.
    fn advance(&mut self, watch: Watch<'_>) -> Result<bool> {
        let index = self.next;
        let Some(node) = self.reference.network.nodes.get(index) else { return Ok(false) };
        let sum = |macs: &[u64]| macs.iter().fold(0u64, |all, &macs| all.saturating_add(macs)) as f32;
        let done = sum(&self.macs[..index]) / sum(&self.macs).max(1.0);
        if watch(Step { done, layer: &node.path }).is_break() {
            return Err(cancelled());
        }
        // What nobody reads after the node before this one.
        if let Some(before) = index.checked_sub(1) {
            let read = self.reference.network.nodes[before].inputs.iter().map(|value| value.node);
            for id in read.chain([before]).filter(|&id| self.last_use[id] == before) {
                self.values[id] = Vec::new();
            }
        }
        let args: Vec<Candle> = node.inputs.iter().filter_map(|&id| value(&self.values, id)).collect();
        self.values[index] = match node.op {
            Op::Input(_) => {
                let input = self.inputs.next().ok_or_else(|| Error::new(Code::InputShape, "An input is missing."))?;
                vec![Candle::from_slice(input.data(), input.shape(), &Device::Cpu)?]
            }
            _ => forward(&node.op, &self.reference.layers[index], &args)?,
        };
        self.next += 1;
        Ok(true)
    }
}

impl Run for ReferenceRun<'_> {
    fn step<'s>(&'s mut self, watch: Watch<'s>) -> Pending<'s, bool> {
        Box::pin(std::future::ready(self.advance(watch)))
    }

    fn last_value(&self) -> Result<Option<(ValueId, Tensor)>> {
        let Some(node) = self.next.checked_sub(1) else { return Ok(None) };
        let Some(last) = value(&self.values, ValueId::first(node)) else { return Ok(None) };
        let first = if last.dims().first().is_some_and(|&batch| batch > 1) { last.narrow(0, 0, 1)? } else { last };
        Ok(Some((ValueId::first(node), tensor(&first)?)))
    }

    fn finish<'s>(self: Box<Self>) -> Pending<'s, Tensor>
    where
        Self: 's,
    {
        let output = value(&self.values, self.reference.network.output());
        let output = output.ok_or_else(|| Error::new(Code::NetworkInvalid, "The network has no layers."));
        Box::pin(std::future::ready(output.and_then(|output| tensor(&output))))
    }
}

fn value(values: &[Vec<Candle>], id: ValueId) -> Option<Candle> {
    values.get(id.node)?.get(id.output).cloned()
}

fn tensor(value: &Candle) -> Result<Tensor> {
    Tensor::new(value.dims(), value.flatten_all()?.to_vec1()?)
}

/// Eval mode, line by line as in candle-nn, whose `forward_t` would link what training needs: a tenth of all candle code.
fn batch_norm(norm: &candle_nn::BatchNorm, x: &Candle) -> candle_core::Result<Candle> {
    let channel = |values: &Candle| values.detach().reshape((1, (), 1, 1));
    let deviation = (channel(norm.running_var())? + norm.eps())?.sqrt()?;
    let x = x.broadcast_sub(&channel(norm.running_mean())?)?.broadcast_div(&deviation)?;
    match norm.weight_and_bias() {
        Some((weight, bias)) => x.broadcast_mul(&channel(weight)?)?.broadcast_add(&channel(bias)?),
        None => Ok(x),
    }
}

/// One node's `forward`.
fn forward(op: &Op, layer: &Layer, args: &[Candle]) -> Result<Vec<Candle>> {
    let parameters = match layer {
        Layer::Own(parameters) => parameters.as_slice(),
        _ => &[],
    };
    let Some(x) = args.first() else { return own(op, &[], parameters) };
    let output = match (layer, op) {
        (Layer::Conv(conv, None), _) => conv.forward(x)?,
        (Layer::Conv(conv, Some(pad)), _) => conv.forward(&own(&pad.clone().into(), args, &[])?[0])?,
        (Layer::Transposed(conv), _) => conv.forward(x)?,
        (Layer::BatchNorm(norm), _) => batch_norm(norm, x)?,
        (_, Op::Activation(Activation::ReLU)) => x.relu()?,
        // candle-nn's own takes `maximum` and `minimum`, which are linked for every dtype: the same values for less wasm.
        (_, Op::Activation(Activation::LeakyReLU { slope })) => (x.relu()? - (x.neg()?.relu()? * f64::from(*slope))?)?,
        (_, Op::Activation(Activation::Sigmoid)) => candle_nn::ops::sigmoid(x)?,
        (_, Op::Activation(Activation::Tanh)) => x.tanh()?,
        (_, Op::Cat(Cat { dim })) => Candle::cat(args, *dim)?,
        (_, Op::Affine(affine)) => x.affine(f64::from(affine.scale), f64::from(affine.offset))?,
        _ => return own(op, args, parameters),
    };
    Ok(vec![output])
}

/// The operator's own loops.
fn own(op: &Op, args: &[Candle], parameters: &[(&'static str, Vec<f32>)]) -> Result<Vec<Candle>> {
    let args = args.iter().map(tensor).collect::<Result<Vec<_>>>()?;
    let outputs = op.forward(&args.iter().collect::<Vec<_>>(), &Parameters(parameters))?;
    let candle = |output: Tensor| {
        let shape = output.shape().to_vec();
        Ok(Candle::from_vec(output.into_data(), shape, &Device::Cpu)?)
    };
    outputs.into_iter().map(candle).collect()
}

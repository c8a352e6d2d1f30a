//! The reference engine: one node after another, as plain as PyTorch's `forward`.
//!
//! candle-nn runs what it has; what it lacks (groups in transposed convolutions, tuples, padding modes,
//! instance norm) are the plain loops of `engine/plain.rs`. It is what the fast engine is held against.

use candle_core::{Device, Module, Tensor as Candle};

use super::{Engine, Watch, WeightSource, cancelled, input_shapes, plain, too_large};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::network::{Activation, Network, Node, Op, PaddingMode};
use crate::tensor::Tensor;

/// One node with its weights.
pub(super) enum Layer {
    /// No weights.
    Function,
    Conv(candle_nn::Conv2d),
    Transposed(candle_nn::ConvTranspose2d),
    BatchNorm(candle_nn::BatchNorm),
    /// What candle lacks: the parameters as they are, by name.
    Plain(Vec<(&'static str, Vec<f32>)>),
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
pub(super) fn layer(node: &Node, weights: &mut dyn WeightSource) -> Result<Layer> {
    let mut taken = plain::take(node, weights)?;
    let mut candle = |name: &str| -> Result<Option<Candle>> {
        let Some(index) = taken.iter().position(|(n, ..)| *n == name) else { return Ok(None) };
        let (_, shape, values) = taken.swap_remove(index);
        Ok(Some(Candle::from_vec(values, shape, &Device::Cpu)?))
    };
    let missing = || Error::new(Code::Internal, format!("{} has no weight", node.path));
    Ok(match &node.op {
        Op::Conv2d(conv) if candle_runs(conv) => {
            let config = candle_nn::Conv2dConfig {
                padding: conv.padding.0,
                stride: conv.stride.0,
                dilation: conv.dilation.0,
                groups: conv.groups,
                ..Default::default()
            };
            Layer::Conv(candle_nn::Conv2d::new(candle("weight")?.ok_or_else(missing)?, candle("bias")?, config))
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
        Op::BatchNorm2d(norm) if norm.affine && norm.eps > 0.0 => {
            let mut get = |name: &str| candle(name)?.ok_or_else(missing);
            let (weight, bias) = (get("weight")?, get("bias")?);
            let (mean, var) = (get("running_mean")?, get("running_var")?);
            Layer::BatchNorm(candle_nn::BatchNorm::new(norm.num_features, mean, var, weight, bias, norm.eps)?)
        }
        op if !op.parameters().is_empty() => {
            Layer::Plain(taken.into_iter().map(|(name, _, values)| (name, values)).collect())
        }
        _ => Layer::Function,
    })
}

/// candle's convolution takes square scalars and zeros beyond the border.
fn candle_runs(conv: &crate::network::Conv2d) -> bool {
    let square = |pair: (usize, usize)| pair.0 == pair.1;
    square(conv.padding) && square(conv.stride) && square(conv.dilation) && conv.padding_mode == PaddingMode::Zeros
}

fn candle_runs_transposed(conv: &crate::network::ConvTranspose2d) -> bool {
    let square = |pair: (usize, usize)| pair.0 == pair.1;
    conv.groups == 1
        && square(conv.padding)
        && square(conv.stride)
        && square(conv.dilation)
        && square(conv.output_padding)
}

impl Engine for Reference {
    fn network(&self) -> &Network {
        &self.network
    }

    fn name(&self) -> &'static str {
        "reference"
    }

    fn run(&mut self, inputs: &[Tensor], watch: Watch<'_>) -> Result<Tensor> {
        let (batch, shapes) = input_shapes(inputs)?;
        // Shape faults, and runs that memory has no room for, are found here, before any arithmetic.
        let costs = self.network.costs(&shapes)?;
        let bytes = self.network.live_bytes(&costs).saturating_mul(batch as u64);
        if bytes.saturating_add(self.network.parameter_count() * 4) > limits::RUN_BYTES {
            return Err(too_large(Some(bytes)));
        }
        let total = costs.iter().map(|cost| cost.macs).sum::<u64>().max(1);
        let last_use = self.network.last_uses();
        let mut given = inputs.iter();
        let mut values: Vec<Option<Candle>> = vec![None; self.network.nodes.len()];
        let mut done = 0;
        for (index, node) in self.network.nodes.iter().enumerate() {
            if watch(super::Step { done: done as f32 / total as f32, layer: &node.path }).is_break() {
                return Err(cancelled());
            }
            let args: Vec<Candle> = node.inputs.iter().filter_map(|id| values[id.0].clone()).collect();
            for id in node.inputs.iter().filter(|id| last_use[id.0] == index) {
                values[id.0] = None;
            }
            let value = match (&node.op, given.len()) {
                (Op::Input { .. }, 1..) => {
                    let input = given.next().ok_or_else(|| Error::new(Code::InputShape, "An input is missing."))?;
                    Candle::from_slice(input.data(), input.shape(), &Device::Cpu)?
                }
                _ => forward(&node.op, &self.layers[index], args)?,
            };
            done += costs[index].macs;
            values[index] = Some(value);
        }
        let output = values[self.network.output().0].take();
        let output = output.ok_or_else(|| Error::new(Code::NetworkInvalid, "The network has no layers."))?;
        let shape = output.dims().to_vec();
        Tensor::new(shape, output.flatten_all()?.to_vec1()?)
    }
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
pub(super) fn forward(op: &Op, layer: &Layer, mut args: Vec<Candle>) -> Result<Candle> {
    if args.is_empty() {
        return Err(Error::new(Code::NetworkInvalid, format!("A {} has no input.", op.name())));
    }
    let x = args.remove(0);
    Ok(match (layer, op) {
        (Layer::Conv(conv), _) => conv.forward(&x)?,
        (Layer::Transposed(conv), _) => conv.forward(&x)?,
        (Layer::BatchNorm(norm), _) => batch_norm(norm, &x)?,
        (_, Op::Activation(Activation::ReLU)) => x.relu()?,
        // candle-nn's own takes `maximum` and `minimum`, which are linked for every dtype: the same values for less wasm.
        (_, Op::Activation(Activation::LeakyReLU { slope })) => (x.relu()? - (x.neg()?.relu()? * f64::from(*slope))?)?,
        (_, Op::Activation(Activation::Sigmoid)) => candle_nn::ops::sigmoid(&x)?,
        (_, Op::Activation(Activation::Tanh)) => x.tanh()?,
        (_, Op::Cat) => {
            args.insert(0, x);
            Candle::cat(&args, 1)?
        }
        (_, Op::Add) => args.iter().try_fold(x, |sum, arg| sum + arg)?,
        (_, Op::Affine { scale, offset }) => x.affine(f64::from(*scale), f64::from(*offset))?,
        (layer, op) => {
            let shape = x.dims4()?;
            let input = plain::Planes { shape, data: x.flatten_all()?.to_vec1::<f32>()? };
            let parameter = |name: &str| match layer {
                Layer::Plain(list) => list.iter().find(|(n, _)| *n == name).map(|(_, values)| values.as_slice()),
                _ => None,
            };
            let plain::Planes { shape, data } = plain::forward(op, &input, &parameter)?;
            Candle::from_vec(data, shape, &Device::Cpu)?
        }
    })
}

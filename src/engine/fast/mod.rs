//! The fast plan: compiled once from the description and the weights, held against the reference.
//!
//! Values are NHWC. Convolutions, plain and transposed, are implicit GEMMs over packed weights (`conv`), with batch
//! norm folded in and bias and activation in the epilogue. What has no fast form runs as the reference operation
//! inside the same plan.

mod conv;
mod kernels;
mod simple;
mod winograd;

use super::reference::{self, Layer};
use super::{Engine, Step, Watch, WeightSource, cancelled, input_shapes};
use crate::error::{Code, Error, Result};
use crate::network::{
    Activation, BatchNorm2d, InstanceNorm2d, Network, Node, NodeId, Op, Pad2d, PaddingMode, UpsampleMode,
};
use crate::tensor::Tensor;
use conv::{Convolution, Packed};
use winograd::Winograd;

/// One image's values: `height * width * channels`, channels innermost.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The values.
    pub data: Vec<f32>,
}

impl Value {
    fn zeros(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width, data: vec![0.0; channels * height * width] }
    }
}

/// What one node has become.
enum Task {
    Input,
    /// Done by the node it was fused into: its value is that node's input.
    Fused,
    Convolution(Box<Packed>),
    Winograd(Box<Winograd>, Option<Activation>),
    InstanceNorm(InstanceNorm2d, Option<Activation>),
    BatchNorm(Vec<f32>, Vec<f32>),
    Activation(Activation),
    Pad(Pad2d),
    Upsample(usize, UpsampleMode),
    Cat,
    Add,
    Affine(f32, f32),
    /// No fast form yet: the reference operation.
    Reference(Box<Layer>),
}

/// A compiled network.
pub struct Fast {
    network: Network,
    tasks: Vec<Task>,
    /// Where each node's value is: itself, or the node that it was fused into.
    holder: Vec<usize>,
}

impl Fast {
    /// Compiles the plan, taking and packing the weights in order; the unpacked copy goes layer by layer.
    pub fn new(network: &Network, weights: &mut dyn WeightSource) -> Result<Self> {
        let count = network.nodes.len();
        let mut plan =
            Self { network: network.clone(), tasks: Vec::with_capacity(count), holder: (0..count).collect() };
        let users = users(network);
        let only_user = |at: usize| match users[at][..] {
            [user] if network.output() != NodeId(at) => Some(user),
            _ => None,
        };
        for (index, node) in network.nodes.iter().enumerate() {
            if plan.holder[index] != index {
                plan.tasks.push(Task::Fused);
                continue;
            }
            let task = match Convolution::of(&node.op) {
                Some(shape) => {
                    let mut values = conv::Raw::take(node, &shape, weights)?;
                    let mut last = index;
                    if let Some(next) = only_user(last)
                        && let Op::BatchNorm2d(norm) = &network.nodes[next].op
                    {
                        values.fold(&scale_and_offset(&network.nodes[next], norm, weights)?);
                        plan.holder[next] = index;
                        last = next;
                    }
                    let activation = plan.fuse_activation(only_user(last), index);
                    match shape {
                        Convolution::Plain(conv) if Winograd::suits(&conv) => {
                            Task::Winograd(Box::new(Winograd::new(conv, values)), activation)
                        }
                        shape => Task::Convolution(Box::new(Packed::new(shape, values, activation))),
                    }
                }
                None => plan.simple(index, node, only_user(index), weights)?,
            };
            plan.tasks.push(task);
        }
        Ok(plan)
    }

    /// The activation of `next`, if it is one, which from now on is done by `index`.
    fn fuse_activation(&mut self, next: Option<usize>, index: usize) -> Option<Activation> {
        let next = next?;
        let Op::Activation(activation) = self.network.nodes[next].op else { return None };
        self.holder[next] = index;
        Some(activation)
    }

    fn simple(
        &mut self,
        index: usize,
        node: &Node,
        next: Option<usize>,
        weights: &mut dyn WeightSource,
    ) -> Result<Task> {
        Ok(match &node.op {
            Op::Input { .. } => Task::Input,
            Op::InstanceNorm2d(norm) if !norm.affine && !norm.track_running_stats => {
                Task::InstanceNorm(norm.clone(), self.fuse_activation(next, index))
            }
            Op::BatchNorm2d(norm) => {
                let (scale, offset) = scale_and_offset(node, norm, weights)?;
                Task::BatchNorm(scale, offset)
            }
            Op::Activation(activation) => Task::Activation(*activation),
            Op::Pad2d(pad) => Task::Pad(pad.clone()),
            Op::Upsample { scale, mode } => Task::Upsample(*scale, *mode),
            Op::Cat => Task::Cat,
            Op::Add => Task::Add,
            Op::Affine { scale, offset } => Task::Affine(*scale, *offset),
            _ => Task::Reference(Box::new(reference::layer(node, weights)?)),
        })
    }

    /// Paths of the layers that have no fast form.
    pub fn fallbacks(&self) -> Vec<&str> {
        let slow =
            |(node, task): (&'_ Node, &Task)| matches!(task, Task::Reference(_)).then_some(node.path.as_str().len());
        let nodes = self.network.nodes.iter().zip(&self.tasks);
        nodes.filter(|(node, task)| slow((node, task)).is_some()).map(|(node, _)| node.path.as_str()).collect()
    }

    fn run_image(&self, inputs: Vec<Value>, macs: &[u64], watch: Watch<'_>) -> Result<Value> {
        let total = macs.iter().sum::<u64>().max(1);
        let mut last_use = vec![0usize; self.tasks.len()];
        for (index, node) in self.network.nodes.iter().enumerate() {
            for id in &node.inputs {
                last_use[self.holder[id.0]] = index;
            }
        }
        let output = self.holder[self.network.output().0];
        last_use[output] = usize::MAX;
        let mut given = inputs.into_iter();
        let mut values: Vec<Option<Value>> = vec![None; self.tasks.len()];
        let mut done = 0;
        for (index, node) in self.network.nodes.iter().enumerate() {
            let share = |part: f32| (done as f32 + part * macs[index] as f32) / total as f32;
            if watch(Step { done: share(0.0), layer: &node.path }).is_break() {
                return Err(cancelled());
            }
            let holders: Vec<usize> = node.inputs.iter().map(|id| self.holder[id.0]).collect();
            if !matches!(self.tasks[index], Task::Fused) {
                let mut tell = |part: f32| watch(Step { done: share(part), layer: &node.path });
                let value = match &self.tasks[index] {
                    Task::Input => given.next().ok_or_else(lost)?,
                    task => {
                        // A value that nobody needs afterwards may be changed in place.
                        let own = holders.first().filter(|&&h| last_use[h] == index && holders.len() == 1);
                        let first = own.and_then(|&h| values[h].take());
                        let args: Vec<&Value> = match &first {
                            Some(_) => Vec::new(),
                            None => {
                                holders.iter().map(|&h| values[h].as_ref().ok_or_else(lost)).collect::<Result<_>>()?
                            }
                        };
                        run_task(task, node, first, &args, &mut tell)?
                    }
                };
                values[index] = Some(value);
            }
            for holder in holders.into_iter().filter(|&h| last_use[h] == index) {
                values[holder] = None;
            }
            done += macs[index];
        }
        values[output].take().ok_or_else(lost)
    }
}

fn lost() -> Error {
    Error::new(Code::Internal, "A value of the plan is missing.")
}

/// For every node, who reads it.
fn users(network: &Network) -> Vec<Vec<usize>> {
    let mut users = vec![Vec::new(); network.nodes.len()];
    for (index, node) in network.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|id| users[id.0].push(index));
    }
    users
}

/// Batch norm in eval mode as `x * scale + offset`.
fn scale_and_offset(node: &Node, norm: &BatchNorm2d, weights: &mut dyn WeightSource) -> Result<(Vec<f32>, Vec<f32>)> {
    let mut take = |name: &str| weights.take(&format!("{}.{name}", node.path));
    let (weight, bias) = match norm.affine {
        true => (take("weight")?, take("bias")?),
        false => (vec![1.0; norm.num_features], vec![0.0; norm.num_features]),
    };
    let (mean, var) = (take("running_mean")?, take("running_var")?);
    let scale: Vec<f64> =
        weight.iter().zip(&var).map(|(&w, &v)| f64::from(w) / (f64::from(v) + norm.eps).sqrt()).collect();
    let offset =
        bias.iter().zip(&mean).zip(&scale).map(|((&b, &m), s)| (f64::from(b) - f64::from(m) * s) as f32).collect();
    Ok((scale.into_iter().map(|s| s as f32).collect(), offset))
}

/// One node; `first` is its only input if it may be changed in place, else `args` are its inputs.
fn run_task(
    task: &Task,
    node: &Node,
    first: Option<Value>,
    args: &[&Value],
    tell: &mut dyn FnMut(f32) -> std::ops::ControlFlow<()>,
) -> Result<Value> {
    let borrowed = first.as_ref().or(args.first().copied());
    let x = borrowed.ok_or_else(lost)?;
    let changeable = |first: Option<Value>| first.unwrap_or_else(|| args[0].clone());
    Ok(match task {
        Task::Convolution(packed) => packed.run(x, tell)?,
        Task::Winograd(layer, activation) => {
            let y = layer.run(x, tell)?;
            match activation {
                Some(activation) => simple::activate(*activation, y),
                None => y,
            }
        }
        Task::Pad(pad) => simple::pad(pad, x),
        Task::Upsample(scale, mode) => simple::upsample(*scale, *mode, x),
        Task::Cat => match first {
            Some(only) => only,
            None => simple::cat(args),
        },
        Task::Add => match first {
            Some(only) => only,
            None => simple::add(args),
        },
        Task::InstanceNorm(norm, activation) => simple::instance_norm(norm.eps, *activation, changeable(first)),
        Task::BatchNorm(scale, offset) => simple::scale(scale, offset, changeable(first)),
        Task::Activation(activation) => simple::activate(*activation, changeable(first)),
        Task::Affine(scale, offset) => simple::affine(*scale, *offset, changeable(first)),
        Task::Reference(layer) => {
            let planes = simple::to_nchw(x);
            let shape = [1, x.channels, x.height, x.width];
            let input = candle_core::Tensor::from_vec(planes, &shape, &candle_core::Device::Cpu)?;
            let output = reference::forward(&node.op, layer, vec![input])?;
            let (_, channels, height, width) = output.dims4()?;
            simple::from_nchw(&output.flatten_all()?.to_vec1()?, channels, height, width)
        }
        Task::Input | Task::Fused => return Err(lost()),
    })
}

impl Engine for Fast {
    fn network(&self) -> &Network {
        &self.network
    }

    fn name(&self) -> &'static str {
        "fast"
    }

    fn run(&mut self, inputs: &[Tensor], watch: Watch<'_>) -> Result<Tensor> {
        let (batch, shapes) = input_shapes(inputs)?;
        let macs: Vec<u64> = self.network.costs(&shapes)?.iter().map(|cost| cost.macs).collect();
        let mut out = Vec::new();
        let mut shape = vec![batch, 0, 0, 0];
        for image in 0..batch {
            let values = inputs.iter().zip(&shapes).map(|(input, s)| {
                let length = s.channels * s.height * s.width;
                simple::from_nchw(&input.data()[image * length..][..length], s.channels, s.height, s.width)
            });
            let mut part =
                |step: Step<'_>| watch(Step { done: (image as f32 + step.done) / batch as f32, layer: step.layer });
            let y = self.run_image(values.collect(), &macs, &mut part)?;
            shape = vec![batch, y.channels, y.height, y.width];
            out.extend(simple::to_nchw(&y));
        }
        Tensor::new(shape, out)
    }
}

/// The interior index that a padded position reads.
fn reflected(at: isize, size: usize, mode: PaddingMode) -> Option<usize> {
    let size = size as isize;
    let index = match mode {
        PaddingMode::Zeros => at,
        PaddingMode::Replicate => at.clamp(0, size - 1),
        PaddingMode::Circular => at.rem_euclid(size),
        PaddingMode::Reflect if at < 0 => -at,
        PaddingMode::Reflect if at >= size => 2 * (size - 1) - at,
        PaddingMode::Reflect => at,
    };
    (0..size).contains(&index).then_some(index as usize)
}

//! From steps and weights to kernels: for each convolution the one that pays, its weights packed as they are read.

use super::algorithm_selection::select;
use super::attention;
use super::depthwise::Depthwise;
use super::fourier::Fourier;
use super::geometry::{ConvWeights, Convolution, Geometry};
use super::implicit_gemm::ImplicitGemm;
use super::small_cout_conv::SmallCoutConv;
use super::view::View;
use super::winograd::{self, Choice, WinogradConv, WinogradWeights};
use crate::engine::WeightSource;
use crate::engine::lower::{self, Epilogue, Lowered, Pointwise, SumPart, Work, lower};
use crate::error::{Code, Error, Result};
use crate::network::ops::ContextualAttention;
use crate::network::ops::source::take;
use crate::network::{Network, Node, Op, Pad2d, PaddingMode, Upsample, ValueId};

/// What a step does.
pub enum Kernel {
    /// Takes the next input tensor.
    Input,
    /// Takes a tensor of the weights.
    Stored(Vec<f32>),
    /// Implicit GEMM.
    ImplicitGemm(Box<ImplicitGemm>),
    /// Minimal filtering.
    WinogradConv(Box<WinogradConv>),
    /// Few output channels.
    SmallCoutConv(Box<SmallCoutConv>),
    /// Every channel by itself.
    Depthwise(Box<Depthwise>),
    /// A norm by the picture's own statistics; weight and bias if affine. In place.
    Norm { eps: f64, affine: Option<(Vec<f32>, Vec<f32>)> },
    /// `(x - mean) / (std + eps)` by the picture's own statistics. In place.
    Standardize(f64),
    /// A norm with fixed statistics that no convolution took: factor and summand by channel. In place.
    Scale(Vec<f32>, Vec<f32>),
    /// The epilogue's function alone. In place.
    Function,
    /// `x * scale + offset`. In place.
    Affine(f32, f32),
    /// `nn.Upsample`.
    Upsample(Upsample),
    /// `torch.cat` along the channels.
    Cat,
    /// A sum.
    Add,
    /// A product, element by element.
    Mul,
    /// The gates of a gated convolution: the function of the first half of the channels.
    Gated(Pointwise),
    /// Contextual attention.
    Attention(ContextualAttention),
    /// A Fourier transform over height and width.
    Fourier(Fourier),
    /// A padding layer, or a copy with another border.
    Copy(Pad2d),
    /// The plain loops of the operator, with its parameters by name.
    Loops(Vec<(&'static str, Vec<f32>)>),
}

impl Kernel {
    /// Name for the report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Stored(_) => "stored",
            Self::ImplicitGemm(layer) if layer.geometry.layer.groups() > 1 => "grouped",
            Self::ImplicitGemm(_) => "direct",
            Self::WinogradConv(_) => "winograd",
            Self::SmallCoutConv(_) => "narrow",
            Self::Depthwise(_) => "depthwise",
            Self::Norm { .. } | Self::Standardize(_) => "norm",
            Self::Scale(..) | Self::Function | Self::Affine(..) | Self::Add | Self::Mul | Self::Gated(_) => "pointwise",
            Self::Attention(_) => "attention",
            Self::Upsample(..) => "upsample",
            Self::Fourier(_) => "fourier",
            Self::Cat | Self::Copy(_) => "copy",
            Self::Loops(_) => "loops",
        }
    }

    /// Places, of a convolution.
    pub fn geometry(&self) -> Option<&Geometry> {
        match self {
            Self::ImplicitGemm(layer) => Some(&layer.geometry),
            Self::WinogradConv(layer) => Some(&layer.geometry),
            Self::SmallCoutConv(layer) => Some(&layer.geometry),
            Self::Depthwise(layer) => Some(&layer.geometry),
            _ => None,
        }
    }

    /// Values of scratch that so many threads need for this output.
    pub fn scratch(&self, to: &View, threads: usize) -> usize {
        match self {
            Self::WinogradConv(layer) => layer.scratch(to, threads),
            Self::Fourier(layer) => layer.scratch(to, threads),
            Self::Attention(op) => attention::scratch(*op, to),
            _ => 0,
        }
    }

    fn packed(&self) -> usize {
        match self {
            Self::ImplicitGemm(layer) => layer.packed(),
            Self::WinogradConv(layer) => layer.packed(),
            Self::SmallCoutConv(layer) => layer.packed(),
            Self::Depthwise(layer) => layer.packed(),
            Self::Stored(values) => values.len(),
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
    /// Whether what it writes is part of a sum, and no node's result.
    pub partial: bool,
    /// Values it reads; a step in place reads and writes one.
    pub inputs: Vec<usize>,
    /// Values it writes.
    pub outputs: Vec<usize>,
    /// What is done to its result before it is stored.
    pub epilogue: Epilogue,
}

impl Step {
    /// The value it writes first; all kernels but the loops write one.
    pub fn output(&self) -> usize {
        self.outputs[0]
    }

    /// Every value that is read, in no order.
    pub fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        self.inputs.iter().copied().chain(self.epilogue.map).chain(self.epilogue.plus)
    }
}

/// A value of the plan.
pub struct ValueSpec {
    /// The value of the description whose shape it has.
    pub of: ValueId,
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
        let Lowered { steps, values, output } = lower(network);
        let choices = select(network);
        let step = |step: lower::Step| -> Result<Step> {
            let kernel = kernel(network, &choices, &step, weights)?;
            let lower::Step { nodes, work, inputs, outputs, epilogue } = step;
            let partial = matches!(work, Work::Convolution(lower::Convolution { part: SumPart::First, .. }));
            Ok(Step { nodes, kernel, partial, inputs, outputs, epilogue })
        };
        let steps = steps.into_iter().map(step).collect::<Result<_>>()?;
        let values = values.into_iter().map(|value| ValueSpec { of: value.of, mode: value.border }).collect();
        Ok(Self { network: network.clone(), steps, values, output })
    }

    /// Bytes of the packed weights.
    pub fn weight_bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.kernel.packed() as u64 * 4).sum()
    }
}

/// The kernel of one step, with its weights.
fn kernel(
    network: &Network,
    choices: &[Option<Choice>],
    step: &lower::Step,
    weights: &mut dyn WeightSource,
) -> Result<Kernel> {
    let node = step.nodes.first().map(|&index| (index, &network.nodes[index]));
    match (&step.work, node) {
        (Work::Input, _) => Ok(Kernel::Input),
        (Work::Copy(pad), _) => Ok(Kernel::Copy(pad.clone())),
        (Work::Function, _) => Ok(Kernel::Function),
        (Work::Cat, _) => Ok(Kernel::Cat),
        (Work::Add, _) => Ok(Kernel::Add),
        (Work::Mul, _) => Ok(Kernel::Mul),
        (Work::Gated(activation), _) => Ok(Kernel::Gated((*activation).into())),
        (Work::Attention(op), _) => Ok(Kernel::Attention(*op)),
        (Work::Rfft2, _) => Ok(Kernel::Fourier(Fourier::Forward)),
        (Work::Irfft2, _) => Ok(Kernel::Fourier(Fourier::Inverse)),
        (Work::Convolution(convolution), Some((index, node))) => {
            let norm = convolution.norm.map(|norm| &network.nodes[norm]);
            convolution_kernel(node, choices[index], convolution, norm, weights)
        }
        (Work::FixedNorm, Some((_, node))) => {
            let (scale, offset) = scale_and_offset(node, weights)?;
            Ok(Kernel::Scale(scale, offset))
        }
        (Work::OwnNorm, Some((_, node))) => own_norm(node, weights),
        (work, Some((_, node))) => match (work, &node.op) {
            (Work::Standardize, Op::Standardize(op)) => Ok(Kernel::Standardize(op.eps)),
            (Work::Affine, Op::Affine(affine)) => Ok(Kernel::Affine(affine.scale, affine.offset)),
            (Work::Upsample, Op::Upsample(upsample)) => Ok(Kernel::Upsample(*upsample)),
            _ => {
                let mut taken = take(node.op.parameters(), &node.keys, |key| weights.take(key))?;
                let stored = *work == Work::Stored && taken.len() == 1;
                Ok(if stored { Kernel::Stored(taken.remove(0).1) } else { Kernel::Loops(taken) })
            }
        },
        (_, None) => Err(Error::new(Code::Internal, "A step does nothing.")),
    }
}

fn convolution_kernel(
    node: &Node,
    choice: Option<Choice>,
    convolution: &lower::Convolution,
    norm: Option<&Node>,
    weights: &mut dyn WeightSource,
) -> Result<Kernel> {
    let other = || Error::new(Code::Internal, format!("{} is no convolution.", node.path));
    let shape = Convolution::of(&node.op).ok_or_else(other)?;
    let mut raw = ConvWeights::take_bias(node, &shape, weights)?;
    if let Some(norm) = norm {
        let (scale, mut offset) = scale_and_offset(norm, weights)?;
        if convolution.part == SumPart::First {
            // The second part adds it.
            offset.fill(0.0);
        }
        raw.fold(&(scale, offset));
    }
    let geometry = Geometry::new(shape, convolution.padding);
    if let Some(choice) = choice {
        let transformed = WinogradWeights::read(&geometry, choice, &raw, node, weights)?;
        // A layer that would lose digits is computed directly.
        if winograd::error(&geometry, &transformed, &raw) <= winograd::MAX_ERROR {
            return Ok(Kernel::WinogradConv(Box::new(WinogradConv::new(geometry, &raw, transformed))));
        }
    }
    // Of what follows, only products add to what is there.
    if convolution.part == SumPart::Second {
        return Ok(Kernel::ImplicitGemm(Box::new(ImplicitGemm::read(geometry, &raw, node, weights)?)));
    }
    if SmallCoutConv::suits(&geometry) {
        raw.take_weight(node, &geometry.layer, weights)?;
        return Ok(Kernel::SmallCoutConv(Box::new(SmallCoutConv::new(geometry, raw))));
    }
    if Depthwise::suits(&geometry) {
        raw.take_weight(node, &geometry.layer, weights)?;
        return Ok(Kernel::Depthwise(Box::new(Depthwise::new(geometry, raw))));
    }
    Ok(Kernel::ImplicitGemm(Box::new(ImplicitGemm::read(geometry, &raw, node, weights)?)))
}

/// A norm's parameters by name.
struct Norm {
    eps: f64,
    taken: Vec<(&'static str, Vec<f32>)>,
}

impl Norm {
    fn take(node: &Node, weights: &mut dyn WeightSource) -> Result<Self> {
        let eps = match &node.op {
            Op::BatchNorm2d(norm) => norm.eps,
            Op::InstanceNorm2d(norm) => norm.eps,
            _ => return Err(Error::new(Code::Internal, format!("{} is no norm.", node.path))),
        };
        Ok(Self { eps, taken: take(node.op.parameters(), &node.keys, |key| weights.take(key))? })
    }

    fn remove(&mut self, name: &str) -> Option<Vec<f32>> {
        let index = self.taken.iter().position(|(own, _)| *own == name)?;
        Some(self.taken.swap_remove(index).1)
    }
}

fn own_norm(node: &Node, weights: &mut dyn WeightSource) -> Result<Kernel> {
    let mut norm = Norm::take(node, weights)?;
    let affine = norm.remove("weight").zip(norm.remove("bias"));
    Ok(Kernel::Norm { eps: norm.eps, affine })
}

/// A norm with fixed statistics as `x * scale + offset`, by channel.
fn scale_and_offset(node: &Node, weights: &mut dyn WeightSource) -> Result<(Vec<f32>, Vec<f32>)> {
    let mut norm = Norm::take(node, weights)?;
    let missing = || Error::new(Code::Internal, format!("{} has no statistics.", node.path));
    let (mean, var) = norm.remove("running_mean").zip(norm.remove("running_var")).ok_or_else(missing)?;
    let weight = norm.remove("weight").unwrap_or_else(|| vec![1.0; var.len()]);
    let bias = norm.remove("bias").unwrap_or_else(|| vec![0.0; var.len()]);
    let scale = |(&w, &v): (&f32, &f32)| f64::from(w) / (f64::from(v) + norm.eps).sqrt();
    let scale: Vec<f64> = weight.iter().zip(&var).map(scale).collect();
    let offset = |((&b, &m), s): ((&f32, &f32), &f64)| (f64::from(b) - f64::from(m) * s) as f32;
    let offset = bias.iter().zip(&mean).zip(&scale).map(offset).collect();
    Ok((scale.into_iter().map(|s| s as f32).collect(), offset))
}

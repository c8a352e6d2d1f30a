//! Shape inference with PyTorch's formulas.

use super::check::too_small;
use super::{Conv2d, ConvTranspose2d, Network, Node, Op, PaddingMode};
use crate::error::{Code, Error, Result};
use crate::limits;

/// `[C, H, W]` of one node's value (the batch is carried along unchanged).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Shape {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl Shape {
    /// A shape from its three sides.
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Elements of one image of this shape; what [`Network::shapes`] gives stays below [`limits::TENSOR_ELEMENTS`].
    pub fn elements(&self) -> u64 {
        [self.height, self.width].into_iter().fold(self.channels as u64, |all, side| all.saturating_mul(side as u64))
    }
}

impl Conv2d {
    /// `floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1` per side; `None` if not positive.
    pub fn output_size(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let side = |size: usize, k: usize, s: usize, p: usize, d: usize| {
            let span = d.checked_mul(k.checked_sub(1)?)?.checked_add(1)?;
            let padded = size.checked_add(p.checked_mul(2)?)?;
            padded.checked_sub(span)?.checked_div(s)?.checked_add(1)
        };
        Some((
            side(height, self.kernel_size.0, self.stride.0, self.padding.0, self.dilation.0)?,
            side(width, self.kernel_size.1, self.stride.1, self.padding.1, self.dilation.1)?,
        ))
    }
}

impl ConvTranspose2d {
    /// `(in - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1` per side; `None` if not positive.
    pub fn output_size(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let side = |size: usize, k: usize, s: usize, p: usize, d: usize, op: usize| {
            let steps = size.checked_sub(1)?.checked_mul(s)?;
            let reach = d.checked_mul(k.checked_sub(1)?)?.checked_add(op)?.checked_add(1)?;
            steps.checked_add(reach)?.checked_sub(p.checked_mul(2)?).filter(|&n| n > 0)
        };
        Some((
            side(height, self.kernel_size.0, self.stride.0, self.padding.0, self.dilation.0, self.output_padding.0)?,
            side(width, self.kernel_size.1, self.stride.1, self.padding.1, self.dilation.1, self.output_padding.1)?,
        ))
    }
}

impl Network {
    /// The shape of every node's value for inputs of these shapes.
    ///
    /// Errors name the layer: `network-invalid` if PyTorch would refuse its arguments or they exceed a cap,
    /// `input-shape` if the input does not suit it, `out-of-memory` if its output has more values than can be held.
    pub fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.check()?;
        let expected = self.inputs().count();
        if inputs.len() != expected {
            return Err(Error::new(
                Code::InputShape,
                format!("The network takes {expected} input tensor(s), but {} were given.", inputs.len()),
            ));
        }
        let mut given = inputs.iter();
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let args: Vec<Shape> = node.inputs.iter().map(|id| shapes[id.0]).collect();
            let shape = match node.op {
                Op::Input { .. } => *given.next().expect("counted above"),
                _ => args[0],
            };
            let shape = infer(node, shape, &args)?;
            if shape.elements() > limits::TENSOR_ELEMENTS as u64 {
                let Shape { channels, height, width } = shape;
                let text = format!(
                    "{} ({}): its output of {channels} x {height} x {width} values cannot be held in memory. Choose a \
                     smaller size for the network.",
                    node.path,
                    node.op.name()
                );
                return Err(Error::new(Code::OutOfMemory, text));
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }
}

fn infer(node: &Node, shape: Shape, args: &[Shape]) -> Result<Shape> {
    let Shape { channels, height, width } = shape;
    let fault = |text: String| Error::new(Code::InputShape, format!("{} ({}): {text}", node.path, node.op.name()));
    let wants = |expected: usize| {
        if channels == expected {
            Ok(())
        } else {
            Err(fault(format!("expected input to have {expected} channels, but got {channels} channels instead")))
        }
    };
    // PyTorch names the weight's shape: it is what people compare with.
    let suits = |expected: usize, groups: usize, transposed: u8| match channels == expected {
        true => Ok(()),
        false => Err(fault(format!(
            "Given {}, weight of size {:?}, expected input[1, {channels}, {height}, {width}] to have {expected} channels, \
             but got {channels} channels instead",
            if transposed == 1 { "transposed=1".to_owned() } else { format!("groups={groups}") },
            node.op.parameters()[0].1
        ))),
    };
    match &node.op {
        Op::Input { channels } => wants(*channels).map(|()| shape),
        Op::Conv2d(conv) => {
            suits(conv.in_channels, conv.groups, 0)?;
            let (mode, padding) = (conv.padding_mode, conv.padding);
            fits(mode, padding.0, height).and(fits(mode, padding.1, width)).map_err(fault)?;
            let (h, w) = conv.output_size(height, width).ok_or_else(|| {
                let reach = |k: usize, d: usize| d.saturating_mul(k.max(1) - 1).saturating_add(1);
                fault(format!(
                    "Calculated padded input size per channel: ({} x {}). Kernel size: ({} x {}). Kernel size can't be \
                     greater than actual input size",
                    height + 2 * padding.0,
                    width + 2 * padding.1,
                    reach(conv.kernel_size.0, conv.dilation.0),
                    reach(conv.kernel_size.1, conv.dilation.1)
                ))
            })?;
            Ok(Shape::new(conv.out_channels, h, w))
        }
        Op::ConvTranspose2d(conv) => {
            suits(conv.in_channels, conv.groups, 1)?;
            let (h, w) = conv.output_size(height, width).ok_or_else(|| fault(too_small(conv, (height, width))))?;
            Ok(Shape::new(conv.out_channels, h, w))
        }
        Op::BatchNorm2d(norm) => wants(norm.num_features).map(|()| shape),
        Op::InstanceNorm2d(norm) => {
            wants(norm.num_features)?;
            if !norm.track_running_stats && height <= 1 && width <= 1 {
                return Err(fault(format!(
                    "Expected more than 1 spatial element when training, got input size ({height} x {width})"
                )));
            }
            Ok(shape)
        }
        Op::Activation(_) | Op::Affine { .. } => Ok(shape),
        Op::Pad2d(pad) => {
            fits(pad.mode, pad.left.max(pad.right), width)
                .and(fits(pad.mode, pad.top.max(pad.bottom), height))
                .map_err(fault)?;
            Ok(Shape::new(channels, height + pad.top + pad.bottom, width + pad.left + pad.right))
        }
        // What does not fit into a `usize` is refused with all else that cannot be held.
        Op::Upsample { scale, .. } => {
            Ok(Shape::new(channels, height.saturating_mul(*scale), width.saturating_mul(*scale)))
        }
        Op::Cat => {
            if args.iter().any(|a| (a.height, a.width) != (height, width)) {
                return Err(fault(format!("sizes of tensors must match except in dimension 1: {args:?}")));
            }
            let all = args.iter().try_fold(0usize, |sum, a| sum.checked_add(a.channels));
            let all = all.ok_or_else(|| fault("there are too many channels".to_owned()))?;
            Ok(Shape::new(all, height, width))
        }
        Op::Add => {
            if args.iter().any(|a| *a != shape) {
                return Err(fault(format!("the tensors' shapes must match: {args:?}")));
            }
            Ok(shape)
        }
    }
}

/// PyTorch's limits on padding that reads the picture itself.
fn fits(mode: PaddingMode, padding: usize, size: usize) -> Result<(), String> {
    match mode {
        PaddingMode::Reflect if padding >= size => Err(format!(
            "Padding size should be less than the corresponding input dimension, but got: {padding} at {size}"
        )),
        PaddingMode::Circular if padding > size => {
            Err(format!("Padding value causes wrapping around more than once: {padding} at {size}"))
        }
        _ => Ok(()),
    }
}

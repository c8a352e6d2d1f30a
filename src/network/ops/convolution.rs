//! `nn.Conv2d`, and what it shares with `nn.ConvTranspose2d`.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{
    Geometry, IntoPair, Operator, PaddingMode, Pair, ParameterSpec, Parameters, Reach, Window, argument, both_sides,
    capped_channels, capped_pair, short,
};
use crate::error::Result;
use crate::limits;
use crate::network::Shape;
use crate::network::ops::padding::fits;
use crate::tensor::Tensor;

/// [`torch.nn.Conv2d`](https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html): `[N, Cin, H, W]` to `[N, Cout, Ho, Wo]`.
///
/// `weight` is `[out, in / groups, kH, kW]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the fields are PyTorch's arguments
pub struct Conv2d {
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_size: Pair,
    pub stride: Pair,
    pub padding: Pair,
    pub dilation: Pair,
    pub groups: usize,
    pub bias: bool,
    pub padding_mode: PaddingMode,
}

/// Setters for PyTorch's keyword arguments.
macro_rules! setters {
    ($type:ty { $($pair:ident),* }) => {
        impl $type {
            $(
                /// PyTorch's argument of this name.
                pub fn $pair(mut self, value: impl IntoPair) -> Self {
                    self.$pair = value.into_pair();
                    self
                }
            )*
            /// PyTorch's `groups`.
            pub fn groups(mut self, groups: usize) -> Self {
                self.groups = groups;
                self
            }
            /// PyTorch's `bias`.
            pub fn bias(mut self, bias: bool) -> Self {
                self.bias = bias;
                self
            }
            /// PyTorch's `padding_mode`.
            pub fn padding_mode(mut self, mode: PaddingMode) -> Self {
                self.padding_mode = mode;
                self
            }
        }
    };
}
pub(super) use setters;

setters!(Conv2d { stride, padding, dilation });

impl Conv2d {
    /// `nn.Conv2d(in_channels, out_channels, kernel_size)` with PyTorch's defaults.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl IntoPair) -> Self {
        Self {
            in_channels,
            out_channels,
            kernel_size: kernel_size.into_pair(),
            stride: (1, 1),
            padding: (0, 0),
            dilation: (1, 1),
            groups: 1,
            bias: true,
            padding_mode: PaddingMode::Zeros,
        }
    }

    /// `floor((in + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1` per side; `None` if not positive.
    pub fn output_size(&self, height: usize, width: usize) -> Option<Pair> {
        let side = |size: usize, window: Window| {
            let span = window.dilation.checked_mul(window.kernel.checked_sub(1)?)?.checked_add(1)?;
            let padded = size.checked_add(window.padding.checked_mul(2)?)?;
            padded.checked_sub(span)?.checked_div(window.stride)?.checked_add(1)
        };
        let [rows, columns] = self.windows();
        Some((side(height, rows)?, side(width, columns)?))
    }

    /// Rows and columns.
    fn windows(&self) -> [Window; 2] {
        let (k, s, p, d) = (self.kernel_size, self.stride, self.padding, self.dilation);
        [
            Window { kernel: k.0, stride: s.0, padding: p.0, dilation: d.0 },
            Window { kernel: k.1, stride: s.1, padding: p.1, dilation: d.1 },
        ]
    }

    fn too_small(&self, height: usize, width: usize) -> String {
        let reach = |window: Window| window.dilation.saturating_mul(window.kernel.max(1) - 1).saturating_add(1);
        let padded = |size: usize, window: Window| size.saturating_add(window.padding.saturating_mul(2));
        let [rows, columns] = self.windows();
        format!(
            "Calculated padded input size per channel: ({} x {}). Kernel size: ({} x {}). Kernel size can't be greater \
             than actual input size",
            padded(height, rows),
            padded(width, columns),
            reach(rows),
            reach(columns)
        )
    }
}

/// The constraints that both kinds of convolution share, and the caps.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub inputs: usize,
    pub outputs: usize,
    pub groups: usize,
    pub kernel: Pair,
    pub stride: Pair,
    pub dilation: Pair,
    pub paddings: &'a [Pair],
}

impl Common<'_> {
    pub fn check(self) -> Result<(), String> {
        let zero = |pair: Pair| pair.0 == 0 || pair.1 == 0;
        let rules = [
            (self.groups == 0, "groups must be a positive integer"),
            (!self.inputs.is_multiple_of(self.groups), "in_channels must be divisible by groups"),
            (!self.outputs.is_multiple_of(self.groups), "out_channels must be divisible by groups"),
            (self.inputs == 0 || self.outputs == 0, "in_channels and out_channels must be positive"),
            (zero(self.kernel), "kernel size should be greater than zero"),
            (zero(self.stride), "non-positive stride is not supported"),
            (zero(self.dilation), "dilation should be greater than zero"),
        ];
        if let Some((_, text)) = rules.into_iter().find(|(broken, _)| *broken) {
            return Err(text.to_owned());
        }
        capped_channels("in_channels", self.inputs)?;
        capped_channels("out_channels", self.outputs)?;
        capped_pair("kernel_size", self.kernel, limits::MAX_KERNEL_SIDE)?;
        capped_pair("stride", self.stride, limits::MAX_STRIDE)?;
        capped_pair("dilation", self.dilation, limits::MAX_DILATION)?;
        self.paddings.iter().try_for_each(|&padding| capped_pair("padding", padding, limits::MAX_PADDING))
    }
}

/// Every output (or, transposed, every input) meets so many weights.
pub(super) fn macs(elements: u64, channels: usize, groups: usize, (kh, kw): Pair) -> u64 {
    elements.saturating_mul((channels / groups.max(1)) as u64).saturating_mul(kh as u64).saturating_mul(kw as u64)
}

/// `weight` of this shape, and `bias` if there is one.
pub(super) fn weight_and_bias(weight: [usize; 4], bias: Option<usize>) -> Vec<ParameterSpec> {
    let mut list = vec![ParameterSpec::trained("weight", weight)];
    list.extend(bias.map(|channels| ParameterSpec::trained("bias", [channels])));
    list
}

/// PyTorch's words for an input of other channels than the weight's: it names the weight's shape, which people compare.
pub(super) fn other_channels(kind: &str, weight: &[usize], input: Shape, expected: usize) -> String {
    format!(
        "Given {kind}, weight of size {weight:?}, expected input{:?} to have {expected} channels, but got {} channels \
         instead",
        input,
        input.channels()
    )
}

impl Operator for Conv2d {
    fn name(&self) -> &'static str {
        "Conv2d"
    }

    fn written(&self) -> String {
        let mut args = vec![self.in_channels.to_string(), self.out_channels.to_string(), short(self.kernel_size)];
        argument(&mut args, "stride", self.stride, 1);
        argument(&mut args, "padding", self.padding, 0);
        argument(&mut args, "dilation", self.dilation, 1);
        args.extend((self.groups != 1).then(|| format!("groups={}", self.groups)));
        args.extend((!self.bias).then(|| "bias=False".to_owned()));
        let mode = self.padding_mode.name();
        args.extend((self.padding_mode != PaddingMode::Zeros).then(|| format!("padding_mode='{mode}'")));
        format!("Conv2d({})", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        let paddings = &[self.padding];
        Common {
            inputs: self.in_channels,
            outputs: self.out_channels,
            groups: self.groups,
            kernel: self.kernel_size,
            stride: self.stride,
            dilation: self.dilation,
            paddings,
        }
        .check()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let (kh, kw) = self.kernel_size;
        let weight = [self.out_channels, self.in_channels / self.groups.max(1), kh, kw];
        weight_and_bias(weight, self.bias.then_some(self.out_channels))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, height, width) = inputs[0].planes()?;
        if channels != self.in_channels {
            let kind = format!("groups={}", self.groups);
            return Err(other_channels(&kind, &self.parameters()[0].shape, inputs[0], self.in_channels));
        }
        fits(self.padding_mode, self.padding.0, height)?;
        fits(self.padding_mode, self.padding.1, width)?;
        let (h, w) = self.output_size(height, width).ok_or_else(|| self.too_small(height, width))?;
        Ok(vec![inputs[0].with_side(1, self.out_channels).with_side(2, h).with_side(3, w)])
    }

    fn macs(&self, _inputs: &[Shape], outputs: &[Shape]) -> u64 {
        macs(outputs[0].elements(), self.in_channels, self.groups, self.kernel_size)
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        let side = |n: usize, Window { kernel: k, stride: s, padding: p, dilation: d }: Window, to: usize| {
            format!("floor(({n} + 2*{p} - {d}*({k} - 1) - 1) / {s}) + 1 = {to}")
        };
        let [rows, columns] = self.windows();
        both_sides(side(input.height(), rows, output.height()), side(input.width(), columns, output.width()))
    }

    fn reach(&self) -> Reach {
        Reach::Window(self.windows())
    }

    fn geometry(&self, input: Shape) -> Option<Geometry> {
        Some(Geometry {
            transposed: false,
            input: [input.height(), input.width()],
            kernel_size: self.kernel_size.into(),
            stride: self.stride.into(),
            padding: self.padding.into(),
            output_padding: [0, 0],
            dilation: self.dilation.into(),
            groups: self.groups,
            padding_mode: self.padding_mode.name(),
        })
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (weight, bias) = (parameters.required("weight")?, parameters.get("bias"));
        let (n, c, h, w) = inputs[0].nchw()?;
        let (oh, ow) = self.output_size(h, w).ok_or_else(|| super::padding::no_pixels(self.too_small(h, w)))?;
        let (group_in, group_out) = (c / self.groups, self.out_channels / self.groups);
        let taps = self.kernel_size.0 * self.kernel_size.1;
        let mut out = Tensor::zeros([n, self.out_channels, oh, ow]);
        for (index, target) in out.data_mut().chunks_exact_mut(oh * ow).enumerate() {
            let (image, channel) = (index / self.out_channels, index % self.out_channels);
            target.fill(bias.map_or(0.0, |b| b[channel]));
            for ic in 0..group_in {
                let plane = image * c + channel / group_out * group_in + ic;
                let plane = &inputs[0].data()[plane * h * w..][..h * w];
                self.add_plane(plane, (h, w), &weight[(channel * group_in + ic) * taps..][..taps], (target, ow));
            }
        }
        Ok(vec![out])
    }
}

impl Conv2d {
    /// One input plane under one kernel, added to an output plane of this width.
    fn add_plane(&self, plane: &[f32], (h, w): Pair, taps: &[f32], (target, width): (&mut [f32], usize)) {
        let ((kh, kw), (sh, sw), (dh, dw), (ph, pw)) = (self.kernel_size, self.stride, self.dilation, self.padding);
        let source =
            |at: usize, padding: usize, size: usize| self.padding_mode.source(at as isize - padding as isize, size);
        for (y, row) in target.chunks_exact_mut(width).enumerate() {
            for ky in 0..kh {
                let Some(iy) = source(y * sh + ky * dh, ph, h) else { continue };
                for (x, value) in row.iter_mut().enumerate() {
                    for kx in 0..kw {
                        if let Some(ix) = source(x * sw + kx * dw, pw, w) {
                            *value += plane[iy * w + ix] * taps[ky * kw + kx];
                        }
                    }
                }
            }
        }
    }
}

pub(super) const SPELLINGS: &[Spelling] = &[Spelling {
    names: &["Conv2d"],
    kind: Kind::Module,
    arguments: &[
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "bias",
        "padding_mode",
    ],
    read: |a| {
        let (inputs, outputs) = (a.count("in_channels", None)?, a.count("out_channels", None)?);
        let layer = Conv2d::new(inputs, outputs, a.pair("kernel_size", None)?)
            .stride(a.pair("stride", Some(1))?)
            .padding(padding(a)?)
            .dilation(a.pair("dilation", Some(1))?)
            .groups(a.count("groups", Some(1))?)
            .bias(a.flag("bias", true)?)
            .padding_mode(a.padding_mode("padding_mode")?);
        Ok(Some(layer.into()))
    },
}];

/// `padding` of a convolution: sizes, `'same'` or `'valid'`.
fn padding(a: &dyn Arguments) -> Result<Pair, String> {
    let Some(text) = a.text("padding") else { return a.pair("padding", Some(0)) };
    let ((kh, kw), (dh, dw)) = (a.pair("kernel_size", None)?, a.pair("dilation", Some(1))?);
    // What the kernel reaches over; half of it goes before, half behind.
    let reach = |kernel: usize, dilation: usize| kernel.saturating_sub(1).checked_mul(dilation);
    match (text.as_str(), reach(kh, dh), reach(kw, dw)) {
        ("valid", ..) => Ok((0, 0)),
        ("same", ..) if a.pair("stride", Some(1))? != (1, 1) => {
            Err("padding='same' is not supported for strided convolutions".to_owned())
        }
        ("same", Some(h), Some(w)) if h % 2 == 0 && w % 2 == 0 => Ok((h / 2, w / 2)),
        ("same", ..) => Err("padding='same' with an even kernel pads one side more, which is not read: use a padding \
                             layer before it"
            .to_owned()),
        _ => Err(a.unread("padding")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn sizes_that_overflow_are_none() {
        let conv = Conv2d::new(1, 1, 1).stride((1, 2_594_073_385)).padding((0, usize::MAX / 8));
        assert_eq!(conv.output_size(5, 6), Some((5, (usize::MAX / 8 * 2 + 6 - 1) / 2_594_073_385 + 1)));
        assert_eq!(Conv2d::new(1, 1, 3).padding(usize::MAX / 2 + 1).output_size(5, 5), None);
        assert_eq!(Conv2d::new(1, 1, 3).dilation(usize::MAX).output_size(5, 5), None);
        assert_eq!(Conv2d::new(1, 1, 3).stride(0).output_size(5, 5), None);
    }

    #[test]
    fn what_no_network_has_is_refused_by_name() {
        let text = |conv: Conv2d| conv.check().unwrap_err();
        assert_eq!(
            text(Conv2d::new(1, 1, 1).padding(1 << 30)),
            format!("padding is {}, and the most that can be run is {}", 1 << 30, limits::MAX_PADDING)
        );
        assert!(text(Conv2d::new(1, 1, 1).stride(limits::MAX_STRIDE + 1)).starts_with("stride is 257"));
        assert!(Conv2d::new(1, 1, 1).stride(limits::MAX_STRIDE).padding(limits::MAX_PADDING).check().is_ok());
        let op: super::super::Op = Conv2d::new(4, 6, 3).groups(2).into();
        assert_eq!(op.parameters()[0].shape, [6, 2, 3, 3]);
    }
}

//! `nn.ConvTranspose2d`.

use serde::Serialize;

use super::convolution::{Common, macs, other_channels, setters, weight_and_bias};
use super::spelling::{Kind, Spelling};
use super::{Geometry, IntoPair, Operator, PaddingMode, Pair, ParameterSpec, Parameters, argument, both_sides, short};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// [`torch.nn.ConvTranspose2d`](https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html).
///
/// `weight` is `[in, out / groups, kH, kW]`. `padding` crops the output, `output_padding` extends it at the bottom and
/// right by computed values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the fields are PyTorch's arguments
pub struct ConvTranspose2d {
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_size: Pair,
    pub stride: Pair,
    pub padding: Pair,
    pub output_padding: Pair,
    pub dilation: Pair,
    pub groups: usize,
    pub bias: bool,
    /// Only zeros are supported, as in PyTorch: `padding` crops here, so there is nothing to fill.
    pub padding_mode: PaddingMode,
}

setters!(ConvTranspose2d { stride, padding, output_padding, dilation });

/// The arguments of one axis.
#[derive(Clone, Copy)]
struct Axis {
    kernel: usize,
    stride: usize,
    padding: usize,
    output_padding: usize,
    dilation: usize,
}

impl ConvTranspose2d {
    /// `nn.ConvTranspose2d(in_channels, out_channels, kernel_size)` with PyTorch's defaults.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl IntoPair) -> Self {
        Self {
            in_channels,
            out_channels,
            kernel_size: kernel_size.into_pair(),
            stride: (1, 1),
            padding: (0, 0),
            output_padding: (0, 0),
            dilation: (1, 1),
            groups: 1,
            bias: true,
            padding_mode: PaddingMode::Zeros,
        }
    }

    /// Rows and columns.
    fn axes(&self) -> [Axis; 2] {
        let (k, s, p, o, d) = (self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation);
        [
            Axis { kernel: k.0, stride: s.0, padding: p.0, output_padding: o.0, dilation: d.0 },
            Axis { kernel: k.1, stride: s.1, padding: p.1, output_padding: o.1, dilation: d.1 },
        ]
    }

    /// `(in - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1` per side; `None` if not positive.
    pub fn output_size(&self, height: usize, width: usize) -> Option<Pair> {
        let side = |size: usize, axis: Axis| {
            let steps = size.checked_sub(1)?.checked_mul(axis.stride)?;
            let reach = axis.dilation.checked_mul(axis.kernel.checked_sub(1)?)?.checked_add(axis.output_padding)?;
            let full = steps.checked_add(reach.checked_add(1)?)?;
            full.checked_sub(axis.padding.checked_mul(2)?).filter(|&side| side > 0)
        };
        let [rows, columns] = self.axes();
        Some((side(height, rows)?, side(width, columns)?))
    }

    /// The layer that `forward(x, output_size=...)` runs for an input of this size: `output_size` chooses the
    /// `output_padding` (PyTorch's `_ConvTransposeNd._output_padding`); what a stride does not allow is refused in
    /// PyTorch's words.
    pub fn with_output_size(self, input: Pair, output_size: Pair) -> Result<Self, String> {
        let bare = self.clone().output_padding(0);
        let least = bare.output_size(input.0, input.1).ok_or_else(|| bare.too_small(input))?;
        let most = |least: usize, stride: usize| least.saturating_add(stride.saturating_sub(1));
        let most = (most(least.0, self.stride.0), most(least.1, self.stride.1));
        let inside = |size: usize, least: usize, most: usize| (least..=most).contains(&size);
        if !inside(output_size.0, least.0, most.0) || !inside(output_size.1, least.1, most.1) {
            return Err(format!(
                "requested an output size of {output_size:?}, but valid sizes range from [{}, {}] to [{}, {}] (for an \
                 input of torch.Size([{}, {}]))",
                least.0, least.1, most.0, most.1, input.0, input.1
            ));
        }
        Ok(self.output_padding((output_size.0 - least.0, output_size.1 - least.1)))
    }

    /// PyTorch's words for an output without pixels.
    fn too_small(&self, (height, width): Pair) -> String {
        let side = |size: usize, axis: Axis| {
            let [size, k, s] = [size, axis.kernel, axis.stride].map(|n| n as i128);
            let [p, d, o] = [axis.padding, axis.dilation, axis.output_padding].map(|n| n as i128);
            (size - 1) * s - 2 * p + d * (k - 1) + o + 1
        };
        let [rows, columns] = self.axes();
        format!(
            "Given input size per channel: ({height} x {width}). Calculated output size per channel: ({} x {}). Output \
             size is too small",
            side(height, rows),
            side(width, columns)
        )
    }

    fn check_output_padding(&self) -> Result<(), String> {
        let broken = |axis: &Axis| axis.output_padding >= axis.stride && axis.output_padding >= axis.dilation;
        if !self.axes().iter().any(broken) {
            return Ok(());
        }
        let ((oh, ow), (sh, sw), (dh, dw)) = (self.output_padding, self.stride, self.dilation);
        Err(format!(
            "output padding must be smaller than either stride or dilation, but got output_padding_height: {oh} \
             output_padding_width: {ow} stride_height: {sh} stride_width: {sw} dilation_height: {dh} dilation_width: {dw}"
        ))
    }
}

impl Operator for ConvTranspose2d {
    fn name(&self) -> &'static str {
        "ConvTranspose2d"
    }

    fn written(&self) -> String {
        let mut args = vec![self.in_channels.to_string(), self.out_channels.to_string(), short(self.kernel_size)];
        argument(&mut args, "stride", self.stride, 1);
        argument(&mut args, "padding", self.padding, 0);
        argument(&mut args, "output_padding", self.output_padding, 0);
        argument(&mut args, "dilation", self.dilation, 1);
        args.extend((self.groups != 1).then(|| format!("groups={}", self.groups)));
        args.extend((!self.bias).then(|| "bias=False".to_owned()));
        format!("ConvTranspose2d({})", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        if self.padding_mode != PaddingMode::Zeros {
            return Err("Only \"zeros\" padding mode is supported for ConvTranspose2d".to_owned());
        }
        Common {
            inputs: self.in_channels,
            outputs: self.out_channels,
            groups: self.groups,
            kernel: self.kernel_size,
            stride: self.stride,
            dilation: self.dilation,
            paddings: &[self.padding, self.output_padding],
        }
        .check()?;
        self.check_output_padding()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let (kh, kw) = self.kernel_size;
        let weight = [self.in_channels, self.out_channels / self.groups.max(1), kh, kw];
        weight_and_bias(weight, self.bias.then_some(self.out_channels))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, height, width) = inputs[0].planes()?;
        if channels != self.in_channels {
            return Err(other_channels("transposed=1", &self.parameters()[0].shape, inputs[0], self.in_channels));
        }
        let (h, w) = self.output_size(height, width).ok_or_else(|| self.too_small((height, width)))?;
        Ok(vec![inputs[0].with_side(1, self.out_channels).with_side(2, h).with_side(3, w)])
    }

    fn macs(&self, inputs: &[Shape], _outputs: &[Shape]) -> u64 {
        macs(inputs[0].elements(), self.out_channels, self.groups, self.kernel_size)
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        let side = |n: usize, axis: Axis, to: usize| {
            let Axis { kernel: k, stride: s, padding: p, output_padding: o, dilation: d } = axis;
            format!("({n} - 1)*{s} - 2*{p} + {d}*({k} - 1) + {o} + 1 = {to}")
        };
        let [rows, columns] = self.axes();
        both_sides(side(input.height(), rows, output.height()), side(input.width(), columns, output.width()))
    }

    fn geometry(&self, input: Shape) -> Option<Geometry> {
        Some(Geometry {
            transposed: true,
            input: [input.height(), input.width()],
            kernel_size: self.kernel_size.into(),
            stride: self.stride.into(),
            padding: self.padding.into(),
            output_padding: self.output_padding.into(),
            dilation: self.dilation.into(),
            groups: self.groups,
            padding_mode: PaddingMode::Zeros.name(),
        })
    }

    /// Every input pixel adds its scaled kernel to the output.
    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (weight, bias) = (parameters.required("weight")?, parameters.get("bias"));
        let (n, c, h, w) = inputs[0].nchw()?;
        let (oh, ow) = self.output_size(h, w).ok_or_else(|| super::padding::no_pixels(self.too_small((h, w))))?;
        let (group_in, group_out) = (c / self.groups, self.out_channels / self.groups);
        let taps = self.kernel_size.0 * self.kernel_size.1;
        let mut out = Tensor::zeros([n, self.out_channels, oh, ow]);
        for (index, target) in out.data_mut().chunks_exact_mut(oh * ow).enumerate() {
            let (image, channel) = (index / self.out_channels, index % self.out_channels);
            target.fill(bias.map_or(0.0, |b| b[channel]));
            let group = channel / group_out;
            for ic in group * group_in..(group + 1) * group_in {
                let plane = &inputs[0].data()[(image * c + ic) * h * w..][..h * w];
                let taps = &weight[(ic * group_out + channel % group_out) * taps..][..taps];
                self.add_plane(plane, w, taps, (target, (oh, ow)));
            }
        }
        Ok(vec![out])
    }
}

impl ConvTranspose2d {
    /// One input plane of this width, spread by one kernel over an output plane.
    fn add_plane(&self, plane: &[f32], width: usize, taps: &[f32], (target, (oh, ow)): (&mut [f32], Pair)) {
        let ((kh, kw), (sh, sw), (dh, dw), (ph, pw)) = (self.kernel_size, self.stride, self.dilation, self.padding);
        for (iy, row) in plane.chunks_exact(width).enumerate() {
            for ky in 0..kh {
                let Some(oy) = (iy * sh + ky * dh).checked_sub(ph).filter(|&y| y < oh) else { continue };
                for (ix, value) in row.iter().enumerate() {
                    for kx in 0..kw {
                        let Some(ox) = (ix * sw + kx * dw).checked_sub(pw).filter(|&x| x < ow) else { continue };
                        target[oy * ow + ox] += value * taps[ky * kw + kx];
                    }
                }
            }
        }
    }
}

pub(super) const SPELLINGS: &[Spelling] = &[Spelling {
    names: &["ConvTranspose2d"],
    kind: Kind::Module,
    arguments: &[
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "output_padding",
        "groups",
        "bias",
        "dilation",
        "padding_mode",
    ],
    read: |a| {
        let (inputs, outputs) = (a.count("in_channels", None)?, a.count("out_channels", None)?);
        let layer = ConvTranspose2d::new(inputs, outputs, a.pair("kernel_size", None)?)
            .stride(a.pair("stride", Some(1))?)
            .padding(a.pair("padding", Some(0))?)
            .output_padding(a.pair("output_padding", Some(0))?)
            .dilation(a.pair("dilation", Some(1))?)
            .groups(a.count("groups", Some(1))?)
            .bias(a.flag("bias", true)?)
            .padding_mode(a.padding_mode("padding_mode")?);
        Ok(Some(layer.into()))
    },
}];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn output_size_chooses_the_output_padding_that_gives_it() {
        let up = || ConvTranspose2d::new(2, 3, 3).stride(2).padding(1);
        for side in [9, 10] {
            let chosen = up().with_output_size((5, 5), (side, 9)).unwrap();
            assert_eq!(chosen.output_padding, (side - 9, 0));
            assert_eq!(chosen.output_size(5, 5), Some((side, 9)));
        }
        let text = up().with_output_size((5, 5), (20, 20)).unwrap_err();
        let theirs = "requested an output size of (20, 20), but valid sizes range from [9, 9] to [10, 10] (for an input of torch.Size([5, 5]))";
        assert_eq!(text, theirs);
    }

    #[test]
    fn what_pytorch_refuses_is_refused_in_its_words() {
        let layer = || ConvTranspose2d::new(4, 2, 3);
        let text = |conv: ConvTranspose2d| conv.check().unwrap_err();
        assert_eq!(text(layer().groups(0)), "groups must be a positive integer");
        assert_eq!(text(layer().groups(3)), "in_channels must be divisible by groups");
        assert_eq!(text(layer().groups(4)), "out_channels must be divisible by groups");
        assert_eq!(text(layer().stride(0)), "non-positive stride is not supported");
        let mode = layer().padding_mode(PaddingMode::Reflect);
        assert_eq!(text(mode), "Only \"zeros\" padding mode is supported for ConvTranspose2d");
        let words = text(layer().stride((2, 3)).output_padding((1, 3)));
        let theirs = "output padding must be smaller than either stride or dilation, but got output_padding_height: 1 output_padding_width: 3 stride_height: 2 stride_width: 3 dilation_height: 1 dilation_width: 1";
        assert_eq!(words, theirs);
        assert!(layer().stride(2).dilation(4).output_padding(3).check().is_ok(), "output_padding below dilation");
    }

    #[test]
    fn sizes_that_overflow_are_none() {
        assert_eq!(ConvTranspose2d::new(4, 32, 4).stride(3).dilation(1 << 31).output_size(usize::MAX / 2, 3), None);
        assert_eq!(
            ConvTranspose2d::new(1, 1, 3).dilation(usize::MAX / 2).padding(usize::MAX / 2).output_size(3, 3),
            None
        );
    }
}

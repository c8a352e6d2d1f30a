//! PyTorch's own constraints on a layer's arguments, with PyTorch's own words, which people search for.

use super::{Conv2d, ConvTranspose2d, Network, Node, Op, PaddingMode, Pair};
use crate::error::{Code, Error, Result};
use crate::limits;

impl Network {
    /// Checks every layer as PyTorch's constructors and first call would; `network-invalid` names the layer.
    pub fn check(&self) -> Result<()> {
        self.nodes.iter().try_for_each(Node::check)
    }
}

impl Node {
    fn check(&self) -> Result<()> {
        let outcome = match &self.op {
            Op::Conv2d(conv) => conv.check(),
            Op::ConvTranspose2d(conv) => conv.check(),
            Op::BatchNorm2d(norm) => capped("num_features", norm.num_features, limits::MAX_CHANNELS),
            Op::InstanceNorm2d(norm) => capped("num_features", norm.num_features, limits::MAX_CHANNELS),
            Op::Pad2d(pad) => [pad.left, pad.right, pad.top, pad.bottom]
                .into_iter()
                .try_for_each(|side| capped("padding", side, limits::MAX_PADDING)),
            Op::Upsample { scale: 0, .. } => Err("scale_factor should be greater than zero".to_owned()),
            Op::Upsample { scale, .. } => capped("scale_factor", *scale, limits::MAX_SCALE),
            _ => Ok(()),
        };
        outcome.map_err(|text| Error::new(Code::NetworkInvalid, format!("{} ({}): {text}", self.path, self.op.name())))
    }
}

/// Refuses what no network has, before anything is computed from it.
fn capped(argument: &str, value: usize, most: usize) -> Result<(), String> {
    if value <= most {
        return Ok(());
    }
    Err(format!("{argument} is {value}, and the most that can be run is {most}"))
}

/// The caps that both kinds of convolution share.
fn convolution_caps(
    (inputs, outputs): (usize, usize),
    kernel: Pair,
    stride: Pair,
    paddings: &[Pair],
    dilation: Pair,
) -> Result<(), String> {
    capped("in_channels", inputs, limits::MAX_CHANNELS)?;
    capped("out_channels", outputs, limits::MAX_CHANNELS)?;
    let sides = |argument: &str, pair: Pair, most: usize| {
        capped(argument, pair.0, most).and_then(|()| capped(argument, pair.1, most))
    };
    sides("kernel_size", kernel, limits::MAX_KERNEL_SIDE)?;
    sides("stride", stride, limits::MAX_STRIDE)?;
    sides("dilation", dilation, limits::MAX_DILATION)?;
    paddings.iter().try_for_each(|&padding| sides("padding", padding, limits::MAX_PADDING))
}

fn common(
    inputs: usize,
    outputs: usize,
    groups: usize,
    kernel: Pair,
    stride: Pair,
    dilation: Pair,
) -> Result<(), String> {
    let zero = |pair: Pair| pair.0 == 0 || pair.1 == 0;
    let fault = |text: &str| Err(text.to_owned());
    match () {
        () if groups == 0 => fault("groups must be a positive integer"),
        () if !inputs.is_multiple_of(groups) => fault("in_channels must be divisible by groups"),
        () if !outputs.is_multiple_of(groups) => fault("out_channels must be divisible by groups"),
        () if inputs == 0 || outputs == 0 => fault("in_channels and out_channels must be positive"),
        () if zero(kernel) => fault("kernel size should be greater than zero"),
        () if zero(stride) => fault("non-positive stride is not supported"),
        () if zero(dilation) => fault("dilation should be greater than zero"),
        () => Ok(()),
    }
}

impl Conv2d {
    /// `Ok` if `nn.Conv2d` would accept these arguments.
    pub fn check(&self) -> Result<(), String> {
        common(self.in_channels, self.out_channels, self.groups, self.kernel_size, self.stride, self.dilation)?;
        let channels = (self.in_channels, self.out_channels);
        convolution_caps(channels, self.kernel_size, self.stride, &[self.padding], self.dilation)
    }
}

/// One side of an argument as PyTorch's code may give it: what is negative is refused in PyTorch's words.
pub fn unsigned(argument: &str, value: i64) -> Result<usize, String> {
    usize::try_from(value).map_err(|_| match argument {
        "stride" => "non-positive stride is not supported".to_owned(),
        "groups" => "groups must be a positive integer".to_owned(),
        _ => format!("negative {argument} is not supported"),
    })
}

impl ConvTranspose2d {
    /// The layer that `forward(x, output_size=...)` runs for an input of this size: `output_size` chooses the
    /// `output_padding` (PyTorch's `_ConvTransposeNd._output_padding`); what a stride does not allow is refused in
    /// PyTorch's words.
    pub fn with_output_size(self, input: Pair, output_size: Pair) -> Result<Self, String> {
        let least = self.clone().output_padding(0).output_size(input.0, input.1);
        let least = least.ok_or_else(|| too_small(&self.clone().output_padding(0), input))?;
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

    /// `Ok` if `nn.ConvTranspose2d` would accept these arguments and its first call would run.
    pub fn check(&self) -> Result<(), String> {
        if self.padding_mode != PaddingMode::Zeros {
            return Err("Only \"zeros\" padding mode is supported for ConvTranspose2d".to_owned());
        }
        common(self.in_channels, self.out_channels, self.groups, self.kernel_size, self.stride, self.dilation)?;
        let sides = [
            (self.output_padding.0, self.stride.0, self.dilation.0),
            (self.output_padding.1, self.stride.1, self.dilation.1),
        ];
        if sides.iter().any(|&(extra, stride, dilation)| extra >= stride && extra >= dilation) {
            let ((oh, ow), (sh, sw), (dh, dw)) = (self.output_padding, self.stride, self.dilation);
            return Err(format!(
                "output padding must be smaller than either stride or dilation, but got output_padding_height: {oh} \
                 output_padding_width: {ow} stride_height: {sh} stride_width: {sw} dilation_height: {dh} \
                 dilation_width: {dw}"
            ));
        }
        let (channels, paddings) = ((self.in_channels, self.out_channels), [self.padding, self.output_padding]);
        convolution_caps(channels, self.kernel_size, self.stride, &paddings, self.dilation)
    }
}

/// PyTorch's words for an output without pixels.
pub fn too_small(conv: &ConvTranspose2d, (height, width): Pair) -> String {
    let side = |size: usize, k: usize, s: usize, p: usize, d: usize, op: usize| {
        let [size, k, s, p, d, op] = [size, k, s, p, d, op].map(|n| n as i128);
        (size - 1) * s - 2 * p + d * (k - 1) + op + 1
    };
    let (k, s, p, d, op) = (conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.output_padding);
    format!(
        "Given input size per channel: ({height} x {width}). Calculated output size per channel: ({} x {}). Output \
         size is too small",
        side(height, k.0, s.0, p.0, d.0, op.0),
        side(width, k.1, s.1, p.1, d.1, op.1)
    )
}

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
        assert_eq!(unsigned("padding", -1).unwrap_err(), "negative padding is not supported");
        assert_eq!(unsigned("output_padding", -1).unwrap_err(), "negative output_padding is not supported");
        assert_eq!(unsigned("stride", -1).unwrap_err(), "non-positive stride is not supported");
    }
}

//! PyTorch's own constraints on a layer's arguments, with PyTorch's own words, which people search for.

use super::{Conv2d, ConvTranspose2d, Network, Node, Op, Pair};
use crate::error::{Code, Error, Result};

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
            _ => Ok(()),
        };
        outcome.map_err(|text| Error::new(Code::NetworkInvalid, format!("{} ({}): {text}", self.path, self.op.name())))
    }
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
        common(self.in_channels, self.out_channels, self.groups, self.kernel_size, self.stride, self.dilation)
    }
}

impl ConvTranspose2d {
    /// `Ok` if `nn.ConvTranspose2d` would accept these arguments and its first call would run.
    pub fn check(&self) -> Result<(), String> {
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
        Ok(())
    }
}

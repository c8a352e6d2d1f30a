//! Convolutions whose weights are values of the network: `F.conv2d` and `F.conv_transpose2d`.

use serde::Serialize;

use super::{Conv2d, ConvTranspose2d, Operator, Pair, Parameters};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// `F.conv2d(x, weight, bias, ...)`; the inputs are `x`, the weight and, if there is one, the bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct ConvWith {
    pub stride: Pair,
    pub padding: Pair,
    pub dilation: Pair,
    pub groups: usize,
}

/// `F.conv_transpose2d(x, weight, bias, ...)`; the inputs as [`ConvWith`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct ConvTransposeWith {
    pub stride: Pair,
    pub padding: Pair,
    pub output_padding: Pair,
    pub dilation: Pair,
    pub groups: usize,
}

/// `[a, b, kh, kw]` of a weight.
fn weight(shape: Shape) -> Result<[usize; 4], String> {
    shape.sides().try_into().map_err(|_| format!("expected 4D weight (got {}D)", shape.sides().len()))
}

fn bias(inputs: &[Shape], channels: usize) -> Result<(), String> {
    match inputs.get(2).map(Shape::sides) {
        Some([count]) if *count != channels => Err(format!(
            "expected bias to be 1-dimensional with {channels} elements, but got bias of size [{count}] instead"
        )),
        None | Some([_]) => Ok(()),
        Some(sides) => Err(format!("expected bias to be 1-dimensional, but its shape is {sides:?}")),
    }
}

/// The layer with these weights.
trait Layer {
    fn layer(&self, inputs: &[Shape]) -> Result<Box<dyn Operator>, String>;
}

impl Layer for ConvWith {
    fn layer(&self, inputs: &[Shape]) -> Result<Box<dyn Operator>, String> {
        let [outputs, each, kh, kw] = weight(inputs[1])?;
        let channels = each.checked_mul(self.groups).ok_or("there are too many groups")?;
        bias(inputs, outputs)?;
        let layer = Conv2d::new(channels, outputs, (kh, kw)).stride(self.stride).padding(self.padding);
        Ok(Box::new(layer.dilation(self.dilation).groups(self.groups).bias(inputs.len() > 2)))
    }
}

impl Layer for ConvTransposeWith {
    fn layer(&self, inputs: &[Shape]) -> Result<Box<dyn Operator>, String> {
        let [channels, each, kh, kw] = weight(inputs[1])?;
        let outputs = each.checked_mul(self.groups).ok_or("there are too many groups")?;
        bias(inputs, outputs)?;
        let layer = ConvTranspose2d::new(channels, outputs, (kh, kw)).stride(self.stride).padding(self.padding);
        let layer = layer.output_padding(self.output_padding).dilation(self.dilation).groups(self.groups);
        Ok(Box::new(layer.bias(inputs.len() > 2)))
    }
}

fn infer(op: &dyn Layer, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
    let layer = op.layer(inputs)?;
    layer.check()?;
    layer.infer(&inputs[..1])
}

fn forward(op: &dyn Layer, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    let mut layer = None;
    super::shape_of(inputs, |shapes| {
        layer = Some(op.layer(shapes)?);
        infer(op, shapes).map(|shapes| shapes[0])
    })?;
    let names = ["weight", "bias"].into_iter().zip(&inputs[1..]);
    let values: Vec<_> = names.map(|(name, value)| (name, value.data().to_vec())).collect();
    match layer {
        Some(layer) => layer.forward(&inputs[..1], &Parameters(&values)),
        None => Err(super::padding::no_pixels("The weights are missing.".to_owned())),
    }
}

macro_rules! given_weights {
    ($type:ty, $name:literal) => {
        impl Operator for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn written(&self) -> String {
                format!("F.{}(x, weight, stride={:?}, padding={:?})", $name, self.stride, self.padding)
            }

            fn arity(&self) -> (usize, usize) {
                (2, 3)
            }

            fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
                infer(self, inputs)
            }

            fn macs(&self, inputs: &[Shape], outputs: &[Shape]) -> u64 {
                self.layer(inputs).map_or(0, |layer| layer.macs(&inputs[..1], outputs))
            }

            fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
                forward(self, inputs)
            }
        }
    };
}

given_weights!(ConvWith, "conv2d");
given_weights!(ConvTransposeWith, "conv_transpose2d");

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_weights_decide_the_shapes() {
        let conv = ConvWith { stride: (1, 1), padding: (0, 0), dilation: (1, 1), groups: 1 };
        let x = Tensor::new([1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let weight = Tensor::new([1, 1, 1, 2], vec![1.0, -1.0]).unwrap();
        let bias = Tensor::new([1], vec![0.5]).unwrap();
        let y = conv.forward(&[&x, &weight, &bias], &Parameters(&[])).unwrap().remove(0);
        assert_eq!((y.shape(), y.data()), (&[1, 1, 2, 1][..], &[-0.5, -0.5][..]));
        assert!(conv.infer(&[Shape::image(2, 4, 4), Shape::of(&[1, 1, 1, 2]).unwrap()]).is_err());
    }
}

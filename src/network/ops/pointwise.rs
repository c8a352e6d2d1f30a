//! Arithmetic between tensors, and of a tensor with numbers.

use serde::Serialize;

use super::spelling::{Kind, Spelling};
use super::{Operator, Parameters, Reach, element_wise};
use crate::error::Result;
use crate::limits::MAX_INPUTS;
use crate::network::Shape;
use crate::tensor::Tensor;

/// A sum of tensors; sides of 1, and missing outer sides, are repeated as PyTorch broadcasts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Add;

/// A product of tensors, element by element, broadcast as [`Add`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mul;

/// `x * scale + offset`, as in EdgeConnect's `(tanh(x) + 1) / 2`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Affine {
    /// Factor.
    pub scale: f32,
    /// Summand.
    pub offset: f32,
}

/// The shape that both are repeated to, in PyTorch's words if there is none.
fn broadcast(a: Shape, b: Shape) -> Result<Shape, String> {
    let (long, short) = if a.sides().len() >= b.sides().len() { (a, b) } else { (b, a) };
    let skip = long.sides().len() - short.sides().len();
    short.sides().iter().enumerate().try_fold(long, |shape, (index, &side)| {
        let dimension = skip + index;
        match (long.sides()[dimension], side) {
            (own, other) if own == other || other == 1 => Ok(shape),
            (1, other) => Ok(shape.with_side(dimension, other)),
            (own, other) => {
                // PyTorch counts from the first operand.
                let (first, second) = if long == a { (own, other) } else { (other, own) };
                Err(format!(
                    "The size of tensor a ({first}) must match the size of tensor b ({second}) at non-singleton \
                     dimension {dimension}"
                ))
            }
        }
    })
}

/// The shape that all are repeated to.
pub(super) fn common_shape(inputs: &[Shape]) -> Result<Shape, String> {
    inputs[1..].iter().try_fold(inputs[0], |shape, &other| broadcast(shape, other))
}

/// Combines all inputs, each repeated to the common shape.
fn combine(inputs: &[&Tensor], step: fn(f32, f32) -> f32) -> Result<Vec<Tensor>> {
    let shape = super::shape_of(inputs, common_shape)?;
    let mut out = repeated(inputs[0], shape)?;
    for input in &inputs[1..] {
        let other = repeated(input, shape)?;
        out.data_mut().iter_mut().zip(other.data()).for_each(|(value, &other)| *value = step(*value, other));
    }
    Ok(vec![out])
}

/// A tensor repeated to a shape that it broadcasts to.
pub(super) fn repeated(x: &Tensor, shape: Shape) -> Result<Tensor> {
    let sides = shape.sides();
    if x.shape() == sides {
        return Ok(x.clone());
    }
    let skip = sides.len() - x.shape().len();
    // Distance between neighbours along each dimension of the result; 0 where the tensor is repeated.
    let mut strides = vec![0; sides.len()];
    let mut stride = 1;
    for (dimension, &side) in x.shape().iter().enumerate().rev() {
        strides[skip + dimension] = if side == 1 { 0 } else { stride };
        stride *= side;
    }
    let value = |index: usize| {
        let (mut rest, mut at) = (index, 0);
        for (&side, &stride) in sides.iter().zip(&strides).rev() {
            at += rest % side * stride;
            rest /= side;
        }
        x.data()[at]
    };
    let count: usize = sides.iter().product();
    Tensor::new(sides, (0..count).map(value).collect())
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn written(&self) -> String {
        "a + b".to_owned()
    }

    fn arity(&self) -> (usize, usize) {
        (2, MAX_INPUTS)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![common_shape(inputs)?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        combine(inputs, |a, b| a + b)
    }
}

impl Operator for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn written(&self) -> String {
        "a * b".to_owned()
    }

    fn arity(&self) -> (usize, usize) {
        (2, MAX_INPUTS)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![common_shape(inputs)?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        combine(inputs, |a, b| a * b)
    }
}

impl Operator for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn written(&self) -> String {
        format!("x * {} + {}", self.scale, self.offset)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0]])
    }

    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        element_wise(inputs[0], |x| x * self.scale + self.offset)
    }
}

/// Layers that do nothing in `eval()`. Sums and products are Python's operators, which the reader of classes follows.
pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling {
        names: &["Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"],
        kind: Kind::Module,
        arguments: &["p", "inplace"],
        read: |_| Ok(None),
    },
    Spelling { names: &["Identity"], kind: Kind::Module, arguments: &[], read: |_| Ok(None) },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn tensor(shape: &[usize]) -> Tensor {
        let count = shape.iter().product::<usize>();
        Tensor::new(shape, (0..count).map(|i| i as f32).collect()).unwrap()
    }

    #[test]
    fn sides_of_one_and_missing_sides_are_repeated() {
        let (x, map, channel) = (tensor(&[1, 2, 2, 2]), tensor(&[2, 2]), tensor(&[1, 2, 1, 1]));
        let sum = Add.forward(&[&x, &map], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(sum.data(), [0.0, 2.0, 4.0, 6.0, 4.0, 6.0, 8.0, 10.0]);
        let product = Mul.forward(&[&channel, &x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(product.shape(), [1, 2, 2, 2]);
        assert_eq!(product.data(), [0.0, 0.0, 0.0, 0.0, 4.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn shapes_that_do_not_broadcast_are_refused_in_pytorchs_words() {
        let text = Add.infer(&[Shape::image(2, 4, 4), Shape::image(3, 4, 4)]).unwrap_err();
        let theirs = "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1";
        assert_eq!(text, theirs);
    }
}

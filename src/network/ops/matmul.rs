//! Products of matrices: `nn.Linear` and `torch.matmul`.

use serde::Serialize;

use super::pointwise::{common_shape, repeated};
use super::spelling::{Kind, Spelling};
use super::{Operator, ParameterSpec, Parameters, capped_channels};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// [`torch.nn.Linear`](https://pytorch.org/docs/stable/generated/torch.nn.Linear.html): `x @ weight.T + bias` along the
/// last dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Linear {
    pub in_features: usize,
    pub out_features: usize,
    pub bias: bool,
}

/// [`torch.matmul`](https://pytorch.org/docs/stable/generated/torch.matmul.html) of at least two dimensions each; those
/// before the last two are repeated as PyTorch broadcasts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MatMul;

/// Rows and columns of the matrices, and the sides before them.
fn matrices(shape: Shape) -> Result<(Shape, usize, usize), String> {
    match shape.sides() {
        [batch @ .., rows, columns] => Ok((Shape::of(batch).unwrap_or(shape), *rows, *columns)),
        sides => Err(format!("matmul takes matrices, and this has the shape {sides:?}")),
    }
}

impl MatMul {
    fn shape(inputs: &[Shape]) -> Result<Shape, String> {
        let ((batch_a, rows, inner), (batch_b, other, columns)) = (matrices(inputs[0])?, matrices(inputs[1])?);
        if inner != other {
            return Err(format!("mat1 and mat2 shapes cannot be multiplied ({rows}x{inner} and {other}x{columns})"));
        }
        let batch = common_shape(&[batch_a, batch_b])?;
        let sides = [batch.sides(), &[rows, columns]].concat();
        Shape::of(&sides).ok_or_else(|| "there are too many dimensions".to_owned())
    }
}

impl Operator for Linear {
    fn name(&self) -> &'static str {
        "Linear"
    }

    fn written(&self) -> String {
        let bias = if self.bias { "" } else { ", bias=False" };
        format!("Linear({}, {}{bias})", self.in_features, self.out_features)
    }

    fn check(&self) -> Result<(), String> {
        capped_channels("in_features", self.in_features)?;
        capped_channels("out_features", self.out_features)
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut list = vec![ParameterSpec::trained("weight", [self.out_features, self.in_features])];
        list.extend(self.bias.then(|| ParameterSpec::trained("bias", [self.out_features])));
        list
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let sides = inputs[0].sides();
        match sides.last() {
            Some(&last) if last == self.in_features => {
                Ok(vec![inputs[0].with_side(sides.len() - 1, self.out_features)])
            }
            last => {
                let rows: usize = sides.iter().rev().skip(1).fold(1, |all, &side| all.saturating_mul(side));
                Err(format!(
                    "mat1 and mat2 shapes cannot be multiplied ({rows}x{} and {}x{})",
                    last.unwrap_or(&1),
                    self.in_features,
                    self.out_features
                ))
            }
        }
    }

    fn macs(&self, _inputs: &[Shape], outputs: &[Shape]) -> u64 {
        outputs[0].elements().saturating_mul(self.in_features as u64)
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (weight, bias) = (parameters.required("weight")?, parameters.get("bias"));
        let mut shape = inputs[0].shape().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = self.out_features;
        }
        let mut out = Vec::with_capacity(shape.iter().product());
        for row in inputs[0].data().chunks_exact(self.in_features.max(1)) {
            for (index, column) in weight.chunks_exact(self.in_features.max(1)).enumerate() {
                let sum: f32 = row.iter().zip(column).map(|(a, b)| a * b).sum();
                out.push(sum + bias.map_or(0.0, |bias| bias[index]));
            }
        }
        Ok(vec![Tensor::new(shape, out)?])
    }
}

impl Operator for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn written(&self) -> String {
        "a @ b".to_owned()
    }

    fn arity(&self) -> (usize, usize) {
        (2, 2)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![Self::shape(inputs)?])
    }

    fn macs(&self, inputs: &[Shape], outputs: &[Shape]) -> u64 {
        outputs[0].elements().saturating_mul(inputs[0].sides().last().copied().unwrap_or(0) as u64)
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let shape = super::shape_of(inputs, Self::shape)?;
        let (batch, rows, columns) = matrices(shape).map_err(super::padding::no_pixels)?;
        let whole = |x: &Tensor| {
            let own = &x.shape()[x.shape().len() - 2..];
            let sides = [batch.sides(), own].concat();
            let sides =
                Shape::of(&sides).ok_or_else(|| super::padding::no_pixels("Too many dimensions.".to_owned()))?;
            repeated(x, sides)
        };
        let (a, b) = (whole(inputs[0])?, whole(inputs[1])?);
        let inner = a.shape()[a.shape().len() - 1];
        let mut out = vec![0.0; shape.sides().iter().product()];
        let blocks = out.chunks_exact_mut((rows * columns).max(1));
        let pairs = a.data().chunks_exact((rows * inner).max(1)).zip(b.data().chunks_exact((inner * columns).max(1)));
        for (target, (a, b)) in blocks.zip(pairs) {
            for (row, a) in target.chunks_exact_mut(columns.max(1)).zip(a.chunks_exact(inner.max(1))) {
                for (&factor, b) in a.iter().zip(b.chunks_exact(columns.max(1))) {
                    row.iter_mut().zip(b).for_each(|(sum, &value)| *sum += factor * value);
                }
            }
        }
        Ok(vec![Tensor::new(shape.sides(), out)?])
    }
}

pub(super) const SPELLINGS: &[Spelling] = &[Spelling {
    names: &["Linear"],
    kind: Kind::Module,
    arguments: &["in_features", "out_features", "bias"],
    read: |a| {
        let (in_features, out_features) = (a.count("in_features", None)?, a.count("out_features", None)?);
        Ok(Some(Linear { in_features, out_features, bias: a.flag("bias", true)? }.into()))
    },
}];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn matrices_are_multiplied_and_batches_repeated() {
        let a = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Tensor::new([2, 2], vec![1.0, 0.0, 5.0, 1.0]).unwrap();
        let y = MatMul.forward(&[&a, &b], &Parameters(&[])).unwrap().remove(0);
        assert_eq!((y.shape(), y.data()), (&[2, 1, 2][..], &[11.0, 2.0, 23.0, 4.0][..]));
        let text = MatMul.infer(&[Shape::of(&[2, 3]).unwrap(), Shape::of(&[4, 5]).unwrap()]).unwrap_err();
        assert_eq!(text, "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)");
    }
}

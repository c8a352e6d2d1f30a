//! Operators that place values elsewhere: permuted, repeated, mirrored, taken in steps, put back.

use serde::Serialize;

use super::pointwise::{common_shape, repeated};
use super::{Operator, Parameters, dimension};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// `x.permute(dims)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Permute {
    pub dims: Vec<usize>,
}

/// `x.expand(size)`: sides of 1, and missing outer sides, repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Expand {
    pub size: Vec<usize>,
}

/// `torch.flip(x, dims)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Flip {
    pub dims: Vec<usize>,
}

/// `length` values of a dimension, from `start` on, `step` apart: `x[:, start::step]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Steps {
    pub dim: usize,
    pub start: usize,
    pub step: usize,
    pub length: usize,
}

/// `torch.slice_scatter(x, part, dim, start, end, step)`: `x` with `part` in the place that [`Steps`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SliceScatter(pub Steps);

/// By element of the result, the index of the element it comes from.
fn gathered(x: &Tensor, sides: &[usize], start: usize, strides: &[isize]) -> Result<Tensor> {
    let count: usize = sides.iter().product();
    let value = |index: usize| {
        let (mut rest, mut place) = (index, start as isize);
        for (&side, &stride) in sides.iter().zip(strides).rev() {
            place += (rest % side) as isize * stride;
            rest /= side;
        }
        x.data()[place as usize]
    };
    Tensor::new(sides, (0..count).map(value).collect())
}

/// The distance between neighbours along each dimension.
fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; shape.len()];
    for dim in (1..shape.len()).rev() {
        strides[dim - 1] = strides[dim] * shape[dim] as isize;
    }
    strides
}

impl Operator for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn written(&self) -> String {
        format!("x.permute({:?})", self.dims)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let sides = inputs[0].sides();
        if (0..sides.len()).any(|dim| !self.dims.contains(&dim)) || self.dims.len() != sides.len() {
            return Err(format!("permute(dims): {:?} are not the dimensions of {sides:?}", self.dims));
        }
        let sides: Vec<usize> = self.dims.iter().map(|&dim| sides[dim]).collect();
        Ok(vec![Shape::of(&sides).ok_or("there are too many dimensions")?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let strides = strides(inputs[0].shape());
        let sides: Vec<usize> = self.dims.iter().map(|&dim| inputs[0].shape()[dim]).collect();
        let strides: Vec<isize> = self.dims.iter().map(|&dim| strides[dim]).collect();
        Ok(vec![gathered(inputs[0], &sides, 0, &strides)?])
    }
}

impl Operator for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn written(&self) -> String {
        format!("x.expand({:?})", self.size)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let size = Shape::of(&self.size).ok_or("there are too many dimensions")?;
        match common_shape(&[inputs[0], size]) {
            Ok(shape) if shape == size => Ok(vec![size]),
            _ => Err(format!("The expanded size of the tensor {size:?} must match the existing size {:?}", inputs[0])),
        }
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let shape = super::shape_of(inputs, |shapes| self.infer(shapes).map(|shapes| shapes[0]))?;
        Ok(vec![repeated(inputs[0], shape)?])
    }
}

impl Operator for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn written(&self) -> String {
        format!("torch.flip(x, {:?})", self.dims)
    }

    fn mixes_images(&self) -> bool {
        self.dims.contains(&0)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        self.dims.iter().try_for_each(|&dim| dimension(inputs[0], dim).map(|_| ()))?;
        Ok(vec![inputs[0]])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let sides = inputs[0].shape();
        let mut strides = strides(sides);
        let mut start = 0;
        for &dim in &self.dims {
            start += strides[dim] as usize * (sides[dim] - 1);
            strides[dim] = -strides[dim];
        }
        Ok(vec![gathered(inputs[0], sides, start, &strides)?])
    }
}

impl Steps {
    fn fits(&self, shape: Shape) -> Result<(), String> {
        let side = dimension(shape, self.dim)?;
        let last = self.length.checked_sub(1).and_then(|n| n.checked_mul(self.step)?.checked_add(self.start));
        match last {
            Some(last) if self.step > 0 && last < side => Ok(()),
            _ => Err(format!("a part of {} values from {} on is not in {side}", self.length, self.start)),
        }
    }
}

impl Operator for Steps {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn written(&self) -> String {
        format!("x[{}:{}:{}] along {}", self.start, self.start + self.length * self.step, self.step, self.dim)
    }

    fn mixes_images(&self) -> bool {
        self.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        self.fits(inputs[0])?;
        Ok(vec![inputs[0].with_side(self.dim, self.length)])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let mut sides = inputs[0].shape().to_vec();
        let mut strides = strides(&sides);
        let start = self.start * strides[self.dim] as usize;
        sides[self.dim] = self.length;
        strides[self.dim] *= self.step as isize;
        Ok(vec![gathered(inputs[0], &sides, start, &strides)?])
    }
}

impl Operator for SliceScatter {
    fn name(&self) -> &'static str {
        "slice_scatter"
    }

    fn written(&self) -> String {
        let Steps { dim, start, step, length } = self.0;
        format!("torch.slice_scatter(x, part, {dim}, {start}, {}, {step})", start + length * step)
    }

    fn arity(&self) -> (usize, usize) {
        (2, 2)
    }

    fn mixes_images(&self) -> bool {
        self.0.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let part = self.0.infer(&inputs[..1])?[0];
        if part != inputs[1] {
            return Err(format!(
                "expected src to have a size equal to the slice of self: {part:?} and {:?}",
                inputs[1]
            ));
        }
        Ok(vec![inputs[0]])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let Steps { dim, start, step, length } = self.0;
        let mut out = inputs[0].clone();
        let (side, inner) = (out.shape()[dim], out.shape()[dim + 1..].iter().product::<usize>());
        let parts = inputs[1].data().chunks_exact((length * inner).max(1));
        for (block, part) in out.data_mut().chunks_exact_mut((side * inner).max(1)).zip(parts) {
            for (index, row) in part.chunks_exact(inner.max(1)).enumerate() {
                block[(start + index * step) * inner..][..inner].copy_from_slice(row);
            }
        }
        Ok(vec![out])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn run(op: &dyn Operator, inputs: &[&Tensor]) -> Tensor {
        op.forward(inputs, &Parameters(&[])).unwrap().remove(0)
    }

    #[test]
    fn values_go_where_pytorch_puts_them() {
        let x = Tensor::new([2, 3], (0..6).map(|i| i as f32).collect()).unwrap();
        assert_eq!(run(&Permute { dims: vec![1, 0] }, &[&x]).data(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(run(&Flip { dims: vec![1] }, &[&x]).data(), [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
        let steps = Steps { dim: 1, start: 0, step: 2, length: 2 };
        let part = run(&steps, &[&x]);
        assert_eq!(part.data(), [0.0, 2.0, 3.0, 5.0]);
        let doubled = Tensor::new([2, 2], part.data().iter().map(|v| v * 2.0).collect()).unwrap();
        assert_eq!(run(&SliceScatter(steps), &[&x, &doubled]).data(), [0.0, 1.0, 4.0, 6.0, 4.0, 10.0]);
        let row = Tensor::new([3], vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(run(&Expand { size: vec![2, 3] }, &[&row]).data(), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        assert!(Permute { dims: vec![0, 0] }.infer(&[Shape::of(&[2, 3]).unwrap()]).is_err());
        assert!(Steps { dim: 1, start: 2, step: 2, length: 2 }.infer(&[Shape::of(&[2, 3]).unwrap()]).is_err());
    }
}

//! Functions along dimensions: sums, means and other reductions, softmax, running sums.

use serde::Serialize;

use super::{Operator, Parameters, dimension};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// What a reduction makes of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // PyTorch's functions
pub enum Reduction {
    Sum,
    Mean,
    Prod,
    Amax,
    Amin,
    /// The place of the first greatest value.
    Argmax,
    /// The place of the first least value.
    Argmin,
    /// `correction` is 1 for PyTorch's default, Bessel's.
    Var {
        correction: usize,
    },
    Std {
        correction: usize,
    },
    All,
    Any,
}

/// A reduction over dimensions, which go or stay as sides of 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Reduce {
    pub reduction: Reduction,
    /// In ascending order.
    pub dim: Vec<usize>,
    pub keepdim: bool,
}

/// `torch.softmax(x, dim)`, or its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Softmax {
    pub dim: usize,
    pub log: bool,
}

/// `torch.cumsum(x, dim)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Cumsum {
    pub dim: usize,
}

impl Reduction {
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Prod => "prod",
            Self::Amax => "amax",
            Self::Amin => "amin",
            Self::Argmax => "argmax",
            Self::Argmin => "argmin",
            Self::Var { .. } => "var",
            Self::Std { .. } => "std",
            Self::All => "all",
            Self::Any => "any",
        }
    }

    /// Of at least one value.
    fn of(self, values: &[f32]) -> f32 {
        let wide = || values.iter().map(|&v| f64::from(v));
        let count = values.len() as f64;
        let nan = values.iter().position(|v| v.is_nan());
        // The first of the best, as PyTorch's loops find it; NaN is the best of all.
        let place = |better: fn(f32, f32) -> bool| {
            let best = (0..values.len()).fold(0, |best, i| if better(values[i], values[best]) { i } else { best });
            nan.unwrap_or(best)
        };
        match self {
            Self::Sum => wide().sum::<f64>() as f32,
            Self::Mean => (wide().sum::<f64>() / count) as f32,
            Self::Prod => wide().product::<f64>() as f32,
            Self::Amax => values[place(|a, b| a > b)],
            Self::Amin => values[place(|a, b| a < b)],
            Self::Argmax => place(|a, b| a > b) as f32,
            Self::Argmin => place(|a, b| a < b) as f32,
            Self::Var { correction } | Self::Std { correction } => {
                let mean = wide().sum::<f64>() / count;
                let var = wide().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - correction as f64).max(0.0);
                (if matches!(self, Self::Std { .. }) { var.sqrt() } else { var }) as f32
            }
            Self::All => f32::from(values.iter().all(|&v| v != 0.0)),
            Self::Any => f32::from(values.iter().any(|&v| v != 0.0)),
        }
    }
}

impl Operator for Reduce {
    fn name(&self) -> &'static str {
        self.reduction.name()
    }

    fn written(&self) -> String {
        let keep = if self.keepdim { ", keepdim=True" } else { "" };
        format!("x.{}(dim={:?}{keep})", self.name(), self.dim)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let mut sides = inputs[0].sides().to_vec();
        for &dim in &self.dim {
            dimension(inputs[0], dim)?;
            sides[dim] = 1;
        }
        if !self.keepdim {
            let kept = sides.iter().enumerate().filter(|(dim, _)| !self.dim.contains(dim));
            sides = kept.map(|(_, &side)| side).collect();
        }
        Ok(vec![Shape::of(&sides).ok_or("there are too many dimensions")?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let x = inputs[0];
        let shape = super::shape_of(inputs, |shapes| self.infer(shapes).map(|shapes| shapes[0]))?;
        // Where each value goes: its index over the kept dimensions.
        let mut strides = vec![0; x.shape().len()];
        let mut count = 1;
        for (dim, &side) in x.shape().iter().enumerate().rev().filter(|(dim, _)| !self.dim.contains(dim)) {
            strides[dim] = count;
            count *= side;
        }
        let each = x.data().len() / count.max(1);
        let mut groups = vec![Vec::with_capacity(each); count];
        for (index, &value) in x.data().iter().enumerate() {
            let (mut rest, mut place) = (index, 0);
            for (&side, &stride) in x.shape().iter().zip(&strides).rev() {
                place += rest % side * stride;
                rest /= side;
            }
            groups[place].push(value);
        }
        Ok(vec![Tensor::new(shape.sides(), groups.iter().map(|values| self.reduction.of(values)).collect())?])
    }
}

/// Applies `work` to every line of values along a dimension.
fn along(x: &Tensor, dim: usize, work: impl Fn(&mut [f32])) -> Result<Vec<Tensor>> {
    let side = x.shape()[dim];
    let inner: usize = x.shape()[dim + 1..].iter().product();
    let mut out = x.clone();
    let mut line = vec![0.0; side];
    for block in out.data_mut().chunks_exact_mut((side * inner).max(1)) {
        for column in 0..inner {
            line.iter_mut().enumerate().for_each(|(i, value)| *value = block[i * inner + column]);
            work(&mut line);
            line.iter().enumerate().for_each(|(i, &value)| block[i * inner + column] = value);
        }
    }
    Ok(vec![out])
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn written(&self) -> String {
        format!("torch.{}(x, dim={})", self.name(), self.dim)
    }

    fn mixes_images(&self) -> bool {
        self.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        dimension(inputs[0], self.dim).map(|_| vec![inputs[0]])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        along(inputs[0], self.dim, |line| {
            let most = line.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let power = |value: f32| f64::from(value - most).exp();
            let sum: f64 = line.iter().map(|&value| power(value)).sum();
            let value = |x: f32| {
                if self.log { f64::from(x - most) - sum.ln() } else { power(x) / sum }
            };
            line.iter_mut().for_each(|x| *x = value(*x) as f32);
        })
    }
}

impl Operator for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn written(&self) -> String {
        format!("torch.cumsum(x, dim={})", self.dim)
    }

    fn mixes_images(&self) -> bool {
        self.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        dimension(inputs[0], self.dim).map(|_| vec![inputs[0]])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        along(inputs[0], self.dim, |line| {
            line.iter_mut().fold(0.0f64, |sum, value| {
                let sum = sum + f64::from(*value);
                *value = sum as f32;
                sum
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn dimensions_go_or_stay() {
        let x = Tensor::new([2, 2, 2], (0..8).map(|i| i as f32).collect()).unwrap();
        let run = |reduction, dim: &[usize], keepdim| {
            let op = Reduce { reduction, dim: dim.to_vec(), keepdim };
            op.forward(&[&x], &Parameters(&[])).unwrap().remove(0)
        };
        let mean = run(Reduction::Mean, &[0, 2], false);
        assert_eq!((mean.shape(), mean.data()), (&[2][..], &[2.5, 4.5][..]));
        let std = run(Reduction::Std { correction: 1 }, &[1], true);
        assert_eq!((std.shape(), std.data()), (&[2, 1, 2][..], &[std::f32::consts::SQRT_2; 4][..]));
        assert_eq!(run(Reduction::Argmax, &[0, 1, 2], false).data(), [7.0]);
    }
}

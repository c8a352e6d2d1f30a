//! A dense f32 tensor, NCHW and contiguous: the one currency between pipeline and engines.

use crate::error::{Code, Error, Result};

/// Contiguous f32 values with a shape; images and features are `[N, C, H, W]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// A tensor from values in row-major order; `internal` error if the count does not fit the shape.
    pub fn new(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Result<Self> {
        let shape = shape.into();
        if element_count(&shape) != Some(data.len()) {
            return Err(Error::new(
                Code::Internal,
                format!("{} values do not fill a tensor of shape {shape:?}", data.len()),
            ));
        }
        Ok(Self { shape, data })
    }

    /// All zeros.
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        let count = shape.iter().product();
        Self { shape, data: vec![0.0; count] }
    }

    /// The shape, outermost dimension first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, row-major.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values, row-major, to be changed in place.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The values alone.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// `(N, C, H, W)`; `input-shape` error unless there are four dimensions.
    pub fn nchw(&self) -> Result<(usize, usize, usize, usize)> {
        match self.shape[..] {
            [n, c, h, w] => Ok((n, c, h, w)),
            _ => Err(Error::new(
                Code::InputShape,
                format!("The input must have four dimensions, [N, C, H, W], but its shape is {:?}.", self.shape),
            )),
        }
    }
}

/// Product of a shape, or `None` if it overflows.
pub fn element_count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
}

//! `(x - mean) / (std + eps)` over height and width, as AOT-GAN's gates have it.

use serde::Serialize;

use super::{Operator, Parameters};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// `(x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + eps)`: each channel of each image by its own mean
/// and [`torch.std`](https://pytorch.org/docs/stable/generated/torch.std.html), which divides by one less than the number
/// of pixels. `[N, C, H, W]` of more than one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Standardize {
    /// Added to the deviation.
    pub eps: f64,
}

impl Operator for Standardize {
    fn name(&self) -> &'static str {
        "standardize"
    }

    fn written(&self) -> String {
        format!("(x - x.mean((2, 3), keepdim=True)) / (x.std((2, 3), keepdim=True) + {:e})", self.eps)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (_, height, width) = inputs[0].planes()?;
        if height.saturating_mul(width) < 2 {
            return Err(format!("a deviation needs more than one pixel, but there are {height} x {width}"));
        }
        Ok(vec![inputs[0]])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (.., height, width) = inputs[0].nchw()?;
        let mut out = inputs[0].clone();
        for plane in out.data_mut().chunks_exact_mut(height * width) {
            let count = plane.len() as f64;
            let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
            let squares: f64 = plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
            let factor = 1.0 / ((squares / (count - 1.0)).sqrt() + self.eps);
            plane.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * factor) as f32);
        }
        Ok(vec![out])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `x.std((2, 3))` of 1, 2, 3, 4 is `sqrt(5 / 3)`.
    #[test]
    fn the_deviation_is_unbiased() {
        let x = Tensor::new([1, 2, 2, 2], vec![1.0, 2.0, 3.0, 4.0, 7.0, 7.0, 7.0, 7.0]).unwrap();
        let y = Standardize { eps: 1e-9 }.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        for (found, expected) in y.data().iter().zip([-1.161_895, -0.387_298, 0.387_298, 1.161_895, 0.0, 0.0, 0.0, 0.0])
        {
            assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        }
        assert!(Standardize { eps: 1e-9 }.infer(&[Shape::image(3, 1, 1)]).is_err());
    }
}

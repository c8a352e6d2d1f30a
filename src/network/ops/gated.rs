//! The gates of gated convolutions.

use serde::Serialize;

use super::{Activation, Operator, Parameters, Reach};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// `activation(a) * sigmoid(b)` of `a, b = torch.chunk(x, 2, dim=1)`: `[N, 2 C, H, W]` to `[N, C, H, W]`. With the
/// convolution before it, a gated convolution (Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution").
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gated {
    /// Of the first half of the channels.
    pub activation: Activation,
}

impl Operator for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn written(&self) -> String {
        format!("{}(a) * sigmoid(b) of (a, b) = torch.chunk(x, 2, dim=1)", self.activation.name())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, ..) = inputs[0].planes()?;
        if !channels.is_multiple_of(2) {
            return Err(format!("{channels} channels have no two halves"));
        }
        Ok(vec![inputs[0].with_side(1, channels / 2)])
    }

    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let mut out = Vec::with_capacity(inputs[0].data().len() / 2);
        for image in inputs[0].data().chunks_exact((c * h * w).max(1)) {
            let (values, gates) = image.split_at(image.len() / 2);
            let gated = |(&a, &b): (&f32, &f32)| self.activation.value(a) * Activation::Sigmoid.value(b);
            out.extend(values.iter().zip(gates).map(gated));
        }
        Ok(vec![Tensor::new([n, c / 2, h, w], out)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `F.elu(x[:, :2]) * torch.sigmoid(x[:, 2:])`.
    #[test]
    fn the_second_half_gates_the_first() {
        let x = Tensor::new([1, 4, 1, 1], vec![2.0, -1.0, 0.0, 1.0]).unwrap();
        let y =
            Gated { activation: Activation::ELU { alpha: 1.0 } }.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(y.shape(), [1, 2, 1, 1]);
        for (found, expected) in y.data().iter().zip([1.0, -0.462_117_2]) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
        assert!(Gated { activation: Activation::ReLU }.infer(&[Shape::image(3, 2, 2)]).is_err());
    }
}

//! What partial convolutions (Liu et al. 2018, "Image Inpainting for Irregular Holes Using Partial Convolutions") compute
//! from masks, beside the convolution itself.

use serde::Serialize;

use super::{Operator, Pair, Parameters, Reach, Window, capped, capped_channels, capped_pair};
use crate::error::Result;
use crate::limits;
use crate::network::Shape;
use crate::tensor::Tensor;

/// How many known values each window of a convolution sees. The inputs are masks `[N, 1, H, W]` (1: known), each of which
/// stands for as many equal channels as `channels` says. With `s` their sum over a window and all channels, it gives two
/// values `[N, 1, H', W']`: `1 / s`, 0 where `s` is 0, and the mask of the result, 1 where `s` is not 0.
///
/// A partial convolution is then `conv(x * mask) * (1 / s)`, and its bias is added times the new mask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MaskSums {
    /// The convolution's.
    pub kernel_size: Pair,
    /// The convolution's.
    pub stride: Pair,
    /// The convolution's, with zeros: what lies outside is not known.
    pub padding: Pair,
    /// Channels that each mask stands for.
    pub channels: Vec<usize>,
}

impl MaskSums {
    /// Output size along one axis, as that of the convolution.
    fn side(size: usize, kernel: usize, stride: usize, padding: usize) -> Result<usize, String> {
        let padded = size.saturating_add(padding.saturating_mul(2));
        let room = padded.checked_sub(kernel).ok_or_else(|| {
            format!("Calculated padded input size per channel: ({padded}). Kernel size can't be greater than actual input size")
        })?;
        Ok(room / stride.max(1) + 1)
    }

    fn windows(&self) -> [Window; 2] {
        let window = |kernel, stride, padding| Window { kernel, stride, padding, dilation: 1 };
        let ((kh, kw), (sh, sw), (ph, pw)) = (self.kernel_size, self.stride, self.padding);
        [window(kh, sh, ph), window(kw, sw, pw)]
    }
}

impl Operator for MaskSums {
    fn name(&self) -> &'static str {
        "mask sums"
    }

    fn written(&self) -> String {
        format!(
            "sums of the mask over {} x {}, as partial convolutions take them",
            self.kernel_size.0, self.kernel_size.1
        )
    }

    fn arity(&self) -> (usize, usize) {
        (self.channels.len(), self.channels.len())
    }

    fn outputs(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), String> {
        for (name, pair) in [("kernel_size", self.kernel_size), ("stride", self.stride)] {
            capped_pair(name, pair, limits::MAX_KERNEL_SIDE)?;
            if pair.0 == 0 || pair.1 == 0 {
                return Err(format!("{name} should be greater than zero"));
            }
        }
        capped_pair("padding", self.padding, limits::MAX_KERNEL_SIDE)?;
        capped("masks", self.channels.len(), limits::MAX_INPUTS)?;
        self.channels.iter().try_for_each(|&channels| capped_channels("channels", channels))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (_, height, width) = inputs[0].planes()?;
        if inputs.iter().any(|shape| *shape != inputs[0]) || inputs[0].channels() != 1 {
            return Err("the masks must be of one channel and one size".to_owned());
        }
        let [rows, columns] = self.windows();
        let side = |size, window: Window| Self::side(size, window.kernel, window.stride, window.padding);
        let sums = inputs[0].with_side(2, side(height, rows)?).with_side(3, side(width, columns)?);
        Ok(vec![sums, sums])
    }

    fn formula(&self, _input: Shape, output: Shape) -> Option<String> {
        Some(format!("as the convolution's: {} x {}", output.height(), output.width()))
    }

    fn reach(&self) -> Reach {
        Reach::Window(self.windows())
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, _, height, width) = inputs[0].nchw()?;
        let shape = super::shape_of(inputs, |shapes| self.infer(shapes).map(|mut both| both.remove(0)))?;
        let [rows, columns] = self.windows();
        let mut sums = vec![0.0f32; shape.elements() as usize];
        for (input, &channels) in inputs.iter().zip(&self.channels) {
            let planes = input.data().chunks_exact((height * width).max(1)).take(n);
            for (plane, sums) in planes.zip(sums.chunks_exact_mut(shape.height() * shape.width())) {
                for (index, sum) in sums.iter_mut().enumerate() {
                    let (y, x) = (index / shape.width(), index % shape.width());
                    let seen = |window: Window, at: usize, size: usize| {
                        let start = at * window.stride;
                        start.saturating_sub(window.padding)
                            ..(start + window.kernel).saturating_sub(window.padding).min(size)
                    };
                    let known: f32 = seen(rows, y, height)
                        .map(|row| plane[row * width..][seen(columns, x, width)].iter().sum::<f32>())
                        .sum();
                    *sum += known * channels as f32;
                }
            }
        }
        let both: [fn(&f32) -> f32; 2] =
            [|&s| if s == 0.0 { 0.0 } else { 1.0 / s }, |&s| if s == 0.0 { 0.0 } else { 1.0 }];
        both.iter().map(|each| Tensor::new(shape.sides(), sums.iter().map(each).collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn three(channels: Vec<usize>) -> MaskSums {
        MaskSums { kernel_size: (3, 3), stride: (2, 2), padding: (1, 1), channels }
    }

    /// `F.conv2d(mask, torch.ones(1, C, 3, 3), stride=2, padding=1)`.
    #[test]
    fn what_lies_outside_is_not_known() {
        let mask = Tensor::new([1, 1, 4, 4], [vec![0.0; 9], vec![1.0; 7]].concat()).unwrap();
        let [scale, new]: [Tensor; 2] =
            three(vec![2]).forward(&[&mask], &Parameters(&[])).unwrap().try_into().expect("two values");
        assert_eq!(scale.shape(), [1, 1, 2, 2]);
        assert_eq!(scale.data(), [0.0, 0.0, 1.0 / 6.0, 1.0 / 12.0]);
        assert_eq!(new.data(), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn masks_count_as_often_as_they_have_channels() {
        let (some, none) = (Tensor::new([1, 1, 1, 1], vec![1.0]).unwrap(), Tensor::zeros([1, 1, 1, 1]));
        let both = three(vec![5, 3]).forward(&[&some, &none], &Parameters(&[])).unwrap();
        assert_eq!((both[0].data(), both[1].data()), (&[0.2][..], &[1.0][..]));
        assert!(three(vec![5, 3]).infer(&[Shape::image(1, 4, 4), Shape::image(1, 4, 5)]).is_err());
        assert!(MaskSums { kernel_size: (9, 9), ..three(vec![1]) }.infer(&[Shape::image(1, 4, 4)]).is_err());
        assert!(MaskSums { stride: (0, 1), ..three(vec![1]) }.check().is_err());
    }
}

//! What partial convolutions (Liu et al. 2018, "Image Inpainting for Irregular Holes Using Partial Convolutions") compute
//! from masks, beside the convolution itself.

use serde::Serialize;

use super::{Add, Conv2d, Operator, Parameters, Reach, capped, capped_channels, element_wise};
use crate::error::{Code, Error, Result};
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
    /// The convolution, but of one channel and without a bias. It pads with zeros: what lies outside is not known.
    #[serde(flatten)]
    pub conv: Conv2d,
    /// Channels that each mask stands for.
    pub channels: Vec<usize>,
}

impl Operator for MaskSums {
    fn name(&self) -> &'static str {
        "mask sums"
    }

    fn written(&self) -> String {
        let (height, width) = self.conv.kernel_size;
        format!("sums of the mask over {height} x {width}, as partial convolutions take them")
    }

    fn arity(&self) -> (usize, usize) {
        (self.channels.len(), self.channels.len())
    }

    fn outputs(&self) -> usize {
        2
    }

    fn check(&self) -> Result<(), String> {
        self.conv.check()?;
        capped("masks", self.channels.len(), limits::MAX_INPUTS)?;
        self.channels.iter().try_for_each(|&channels| capped_channels("channels", channels))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        if inputs.iter().any(|shape| *shape != inputs[0]) {
            return Err("the masks must be of one size".to_owned());
        }
        Ok(vec![self.conv.infer(inputs)?[0]; 2])
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        self.conv.formula(input, output)
    }

    fn reach(&self) -> Reach {
        self.conv.reach()
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let ones = [("weight", vec![1.0; self.conv.kernel_size.0 * self.conv.kernel_size.1])];
        let mut sums: Option<Tensor> = None;
        for (&input, &channels) in inputs.iter().zip(&self.channels) {
            let mut known = self.conv.forward(&[input], &Parameters(&ones))?.remove(0);
            known.data_mut().iter_mut().for_each(|sum| *sum *= channels as f32);
            sums = Some(match sums {
                Some(sums) => Add.forward(&[&sums, &known], &Parameters(&[]))?.remove(0),
                None => known,
            });
        }
        let sums = sums.ok_or_else(|| Error::new(Code::Internal, "There is no mask."))?;
        let both: [fn(f32) -> f32; 2] =
            [|s| if s == 0.0 { 0.0 } else { 1.0 / s }, |s| if s == 0.0 { 0.0 } else { 1.0 }];
        both.into_iter().map(|each| Ok(element_wise(&sums, each)?.remove(0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn three(channels: Vec<usize>) -> MaskSums {
        MaskSums { conv: Conv2d::new(1, 1, 3).stride(2).padding(1).bias(false), channels }
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
        let with = |conv| MaskSums { conv, ..three(vec![1]) };
        assert!(with(Conv2d::new(1, 1, 9).stride(2).padding(1)).infer(&[Shape::image(1, 4, 4)]).is_err());
        assert!(with(Conv2d::new(1, 1, 3).stride((0, 1)).padding(1)).check().is_err());
    }
}

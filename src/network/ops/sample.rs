//! `F.grid_sample`.

use serde::Serialize;

use super::padding::PaddingMode;
use super::{Operator, Parameters};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// [`F.grid_sample`](https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html) of a picture
/// `[N, C, H, W]` at a grid `[N, OH, OW, 2]` of positions from -1 to 1, `x` before `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GridSample {
    /// Bilinear, or else the nearest pixel.
    pub bilinear: bool,
    /// `Zeros`, `Replicate` (PyTorch's `border`) or `Reflect` (its `reflection`).
    pub padding_mode: PaddingMode,
    /// -1 and 1 are the centres of the corner pixels rather than their outer edges.
    pub align_corners: bool,
}

impl GridSample {
    /// A position of the grid in pixels.
    fn position(&self, at: f32, size: usize) -> f32 {
        let side = size as f32;
        let at = if self.align_corners { (at + 1.0) / 2.0 * (side - 1.0) } else { ((at + 1.0) * side - 1.0) / 2.0 };
        match self.padding_mode {
            PaddingMode::Replicate => at.clamp(0.0, side - 1.0),
            PaddingMode::Reflect => {
                let (low, span) = if self.align_corners { (0.0, side - 1.0) } else { (-0.5, side) };
                let from_low = (at - low).abs();
                let turned = match span {
                    0.0 => 0.0,
                    span if ((from_low / span).floor() as i64) % 2 == 0 => from_low % span + low,
                    span => span - from_low % span + low,
                };
                turned.clamp(0.0, side - 1.0)
            }
            _ => at,
        }
    }

    fn value(&self, plane: &[f32], (h, w): (usize, usize), x: f32, y: f32) -> f32 {
        let read = |x: f32, y: f32| {
            let inside = x >= 0.0 && y >= 0.0 && x < w as f32 && y < h as f32;
            if inside { plane[y as usize * w + x as usize] } else { 0.0 }
        };
        let (x, y) = (self.position(x, w), self.position(y, h));
        if !self.bilinear {
            return read(x.round_ties_even(), y.round_ties_even());
        }
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (x - left, y - top);
        let mix = |y: f32| read(left, y) * (1.0 - across) + read(left + 1.0, y) * across;
        mix(top) * (1.0 - down) + mix(top + 1.0) * down
    }
}

impl Operator for GridSample {
    fn name(&self) -> &'static str {
        "grid_sample"
    }

    fn written(&self) -> String {
        let mode = if self.bilinear { "bilinear" } else { "nearest" };
        let padding = match self.padding_mode {
            PaddingMode::Replicate => "border",
            PaddingMode::Reflect => "reflection",
            _ => "zeros",
        };
        let corners = if self.align_corners { "True" } else { "False" };
        format!("F.grid_sample(x, grid, mode='{mode}', padding_mode='{padding}', align_corners={corners})")
    }

    fn arity(&self) -> (usize, usize) {
        (2, 2)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, ..) = inputs[0].planes()?;
        match *inputs[1].sides() {
            [n, h, w, 2] if n == inputs[0].batch() => {
                Ok(vec![Shape::of(&[n, channels, h, w]).ok_or("there are too many dimensions")?])
            }
            _ => Err(format!(
                "expected grid to have size 2 in last dimension and the batch of the input, but got {:?}",
                inputs[1]
            )),
        }
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let (oh, ow) = (inputs[1].shape()[1], inputs[1].shape()[2]);
        let mut out = Tensor::zeros([n, c, oh, ow]);
        let planes = inputs[0].data().chunks_exact(h * w).zip(out.data_mut().chunks_exact_mut(oh * ow));
        for (index, (plane, target)) in planes.enumerate() {
            let grid = &inputs[1].data()[index / c * oh * ow * 2..];
            for (value, place) in target.iter_mut().zip(grid.chunks_exact(2)) {
                *value = self.value(plane, (h, w), place[0], place[1]);
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

    #[test]
    fn corners_are_where_they_should_be() {
        let x = Tensor::new([1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let grid = Tensor::new([1, 1, 3, 2], vec![-1.0, -1.0, 0.0, 0.0, 1.0, 1.0]).unwrap();
        let run = |padding_mode, align_corners| {
            let op = GridSample { bilinear: true, padding_mode, align_corners };
            op.forward(&[&x, &grid], &Parameters(&[])).unwrap().remove(0).into_data()
        };
        assert_eq!(run(PaddingMode::Zeros, true), [1.0, 2.5, 4.0]);
        assert_eq!(run(PaddingMode::Zeros, false), [0.25, 2.5, 1.0]);
        assert_eq!(run(PaddingMode::Replicate, false), [1.0, 2.5, 4.0]);
    }
}

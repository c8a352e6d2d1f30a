//! `F.interpolate` to any size: what [`Upsample`](super::Upsample) does not do by a whole factor.

use serde::Serialize;

use super::{Operator, Pair, Parameters, both_sides};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// How `F.interpolate` interpolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // PyTorch's modes
pub enum Interpolation {
    Nearest,
    NearestExact,
    Bilinear,
    Bicubic,
    Area,
}

/// [`F.interpolate`](https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html) to a size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interpolate {
    /// Height and width of the output.
    pub size: Pair,
    /// `scale_factor` where it decides which pixels are read, that is, without `recompute_scale_factor`.
    pub scale_factor: Option<(f64, f64)>,
    /// PyTorch's `mode`.
    pub mode: Interpolation,
    /// The corner pixels' centres stay where they are.
    pub align_corners: bool,
}

/// What an output position mixes: input positions and their shares.
type Taps = Vec<(usize, f32)>;

impl Interpolate {
    /// By output position along a side of `size` pixels.
    fn taps(&self, size: usize, out: usize, scale: Option<f64>) -> Vec<Taps> {
        if self.mode == Interpolation::Area {
            let span = |at: usize| at * size / out..((at + 1) * size).div_ceil(out);
            return (0..out).map(|at| span(at).map(|i| (i, 1.0 / span(at).len() as f32)).collect()).collect();
        }
        // Input pixels per output pixel, in f32 as PyTorch computes it.
        let ratio = match scale {
            _ if self.align_corners && out > 1 => (size - 1) as f32 / (out - 1) as f32,
            _ if self.align_corners => 0.0,
            Some(scale) if scale > 0.0 => (1.0 / scale) as f32,
            _ => size as f32 / out as f32,
        };
        (0..out).map(|at| self.tap(at, size, ratio)).collect()
    }

    /// For nearest neighbours, the pixel of a side of `size` that each of the output's takes: of a column, or of a row.
    pub(crate) fn pixels(&self, size: usize, is_row: bool) -> Vec<usize> {
        let (out, scale) = match is_row {
            true => (self.size.1, self.scale_factor.map(|scale| scale.1)),
            false => (self.size.0, self.scale_factor.map(|scale| scale.0)),
        };
        self.taps(size, out, scale).iter().filter_map(|taps| taps.first().map(|&(pixel, _)| pixel)).collect()
    }

    fn tap(&self, at: usize, size: usize, ratio: f32) -> Taps {
        let last = size - 1;
        let centre = if self.align_corners { ratio * at as f32 } else { ratio * (at as f32 + 0.5) - 0.5 };
        match self.mode {
            Interpolation::Nearest => vec![(((at as f32 * ratio).floor() as usize).min(last), 1.0)],
            Interpolation::NearestExact => vec![((((at as f32 + 0.5) * ratio).floor() as usize).min(last), 1.0)],
            Interpolation::Bicubic => {
                let (low, share) = (centre.floor(), centre - centre.floor());
                let place = |offset: f32| (low + offset).clamp(0.0, last as f32) as usize;
                let far = |d: f32| ((-0.75 * d + 3.75) * d - 6.0) * d + 3.0;
                let near = |d: f32| (1.25 * d - 2.25) * d * d + 1.0;
                let shares = [far(share + 1.0), near(share), near(1.0 - share), far(2.0 - share)];
                shares.into_iter().zip(-1i8..).map(|(part, offset)| (place(f32::from(offset)), part)).collect()
            }
            _ => {
                let centre = centre.max(0.0);
                let low = (centre as usize).min(last);
                let share = (centre - low as f32).clamp(0.0, 1.0);
                vec![(low, 1.0 - share), ((low + 1).min(last), share)]
            }
        }
    }
}

impl Operator for Interpolate {
    fn name(&self) -> &'static str {
        "interpolate"
    }

    fn written(&self) -> String {
        let mode = match self.mode {
            Interpolation::Nearest => "nearest",
            Interpolation::NearestExact => "nearest-exact",
            Interpolation::Bilinear => "bilinear",
            Interpolation::Bicubic => "bicubic",
            Interpolation::Area => "area",
        };
        let corners = if self.align_corners { ", align_corners=True" } else { "" };
        format!("F.interpolate(x, size={:?}, mode='{mode}'{corners})", self.size)
    }

    fn check(&self) -> Result<(), String> {
        if self.size.0 == 0 || self.size.1 == 0 {
            return Err(format!("Input and output sizes should be greater than 0, but got {:?}", self.size));
        }
        Ok(())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        inputs[0].planes()?;
        Ok(vec![inputs[0].with_side(2, self.size.0).with_side(3, self.size.1)])
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        let side = |from: usize, to: usize| format!("{from} to {to}");
        both_sides(side(input.height(), output.height()), side(input.width(), output.width()))
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let (oh, ow) = self.size;
        let (across, down) = (self.scale_factor.map(|scale| scale.1), self.scale_factor.map(|scale| scale.0));
        let (rows, columns) = (self.taps(h, oh, down), self.taps(w, ow, across));
        let mut out = Tensor::zeros([n, c, oh, ow]);
        let mut lines = vec![0.0f32; h * ow];
        for (plane, target) in inputs[0].data().chunks_exact(h * w).zip(out.data_mut().chunks_exact_mut(oh * ow)) {
            let mix = |line: &[f32], taps: &Taps| taps.iter().map(|&(i, share)| line[i] * share).sum::<f32>();
            for (line, row) in lines.chunks_exact_mut(ow).zip(plane.chunks_exact(w)) {
                line.iter_mut().zip(&columns).for_each(|(value, taps)| *value = mix(row, taps));
            }
            for (row, taps) in target.chunks_exact_mut(ow).zip(&rows) {
                for (x, value) in row.iter_mut().enumerate() {
                    *value = taps.iter().map(|&(y, share)| lines[y * ow + x] * share).sum();
                }
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

    fn row(mode: Interpolation, align_corners: bool, out: usize) -> Vec<f32> {
        let x = Tensor::new([1, 1, 1, 4], vec![0.0, 1.0, 2.0, 3.0]).unwrap();
        let op = Interpolate { size: (1, out), scale_factor: None, mode, align_corners };
        op.forward(&[&x], &Parameters(&[])).unwrap().remove(0).into_data()
    }

    #[test]
    fn sizes_that_are_no_multiples_are_pytorchs() {
        assert_eq!(row(Interpolation::Nearest, false, 3), [0.0, 1.0, 2.0]);
        assert_eq!(row(Interpolation::NearestExact, false, 3), [0.0, 2.0, 3.0]);
        assert_eq!(row(Interpolation::Bilinear, true, 3), [0.0, 1.5, 3.0]);
        assert_eq!(row(Interpolation::Area, false, 2), [0.5, 2.5]);
        let bilinear = row(Interpolation::Bilinear, false, 3);
        assert!((bilinear[0] - 1.0 / 6.0).abs() < 1e-6 && (bilinear[2] - 17.0 / 6.0).abs() < 1e-6, "{bilinear:?}");
    }
}

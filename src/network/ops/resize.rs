//! `nn.Upsample` and `F.interpolate` by a whole factor.

use serde::Serialize;

use super::interpolate::{Interpolate, Interpolation};
use super::spelling::{Arguments, Kind, Spelling};
use super::{Op, Operator, Pair, Parameters, both_sides, capped};
use crate::error::Result;
use crate::limits::{MAX_LAYER_NUMBER, MAX_SCALE};
use crate::network::Shape;
use crate::tensor::Tensor;

/// How `nn.Upsample` interpolates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpsampleMode {
    /// Nearest neighbour.
    Nearest,
    /// Bilinear with `align_corners=False`.
    Bilinear,
    /// Bilinear with `align_corners=True`: the corner pixels' centres stay where they are.
    BilinearAligned,
}

/// [`torch.nn.Upsample`](https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html)`(scale_factor=...)`:
/// `[N, C, H, W]` to `[N, C, scale * H, scale * W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Upsample {
    /// Whole factor for both sides.
    #[serde(rename = "scale_factor")]
    pub scale: usize,
    /// Interpolation.
    pub mode: UpsampleMode,
}

/// Which two input positions an output position mixes, and the share of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tap {
    /// The first position.
    pub low: usize,
    /// The second.
    pub high: usize,
    /// 0 to 1.
    pub share: f32,
}

impl Upsample {
    /// By output position along a side of `size` input pixels.
    pub fn taps(&self, size: usize) -> Vec<Tap> {
        let out = size * self.scale;
        let tap = |position: usize| {
            let at = match self.mode {
                UpsampleMode::Nearest => {
                    return Tap { low: position / self.scale, high: position / self.scale, share: 0.0 };
                }
                UpsampleMode::Bilinear => ((position as f32 + 0.5) / self.scale as f32 - 0.5).max(0.0),
                UpsampleMode::BilinearAligned if out > 1 => position as f32 * ((size - 1) as f32 / (out - 1) as f32),
                UpsampleMode::BilinearAligned => 0.0,
            };
            let low = (at as usize).min(size - 1);
            Tap { low, high: (low + 1).min(size - 1), share: at - low as f32 }
        };
        (0..out).map(tap).collect()
    }
}

impl Operator for Upsample {
    fn name(&self) -> &'static str {
        "Upsample"
    }

    fn written(&self) -> String {
        let mode = match self.mode {
            UpsampleMode::Nearest => "",
            UpsampleMode::Bilinear => ", mode='bilinear'",
            UpsampleMode::BilinearAligned => ", mode='bilinear', align_corners=True",
        };
        format!("Upsample(scale_factor={}{mode})", self.scale)
    }

    fn check(&self) -> Result<(), String> {
        match self.scale {
            0 => Err("scale_factor should be greater than zero".to_owned()),
            scale => capped("scale_factor", scale, MAX_SCALE),
        }
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (_, height, width) = inputs[0].planes()?;
        let (h, w) = (height.saturating_mul(self.scale), width.saturating_mul(self.scale));
        Ok(vec![inputs[0].with_side(2, h).with_side(3, w)])
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        let side = |from: usize, to: usize| format!("{from} * {} = {to}", self.scale);
        both_sides(side(input.height(), output.height()), side(input.width(), output.width()))
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let (rows, columns) = (self.taps(h), self.taps(w));
        let mut out = Tensor::zeros([n, c, rows.len(), columns.len()]);
        let targets = out.data_mut().chunks_exact_mut(rows.len() * columns.len());
        for (plane, target) in inputs[0].data().chunks_exact(h * w).zip(targets) {
            for (row, tap) in target.chunks_exact_mut(columns.len()).zip(&rows) {
                let (above, below) = (&plane[tap.low * w..][..w], &plane[tap.high * w..][..w]);
                for (value, across) in row.iter_mut().zip(&columns) {
                    let mix = |line: &[f32]| line[across.low] + (line[across.high] - line[across.low]) * across.share;
                    let (a, b) = (mix(above), mix(below));
                    *value = a + (b - a) * tap.share;
                }
            }
        }
        Ok(vec![out])
    }
}

/// The size to reach from an input's shape, and `scale_factor` where it decides which pixels are read.
type Target = (Pair, Option<(f64, f64)>);

fn target(a: &dyn Arguments, height: usize, width: usize) -> Result<Target, String> {
    if a.given("size") {
        return Ok((a.pair("size", None)?, None));
    }
    let (down, across) = a.floats("scale_factor")?;
    let side = |size: usize, scale: f64| {
        let side = (size as f64 * scale).floor();
        (scale > 0.0 && (1.0..=MAX_LAYER_NUMBER as f64).contains(&side)).then_some(side as usize)
    };
    let size = side(height, down).zip(side(width, across)).ok_or_else(|| a.unread("scale_factor"))?;
    Ok((size, (!a.flag("recompute_scale_factor", false)?).then_some((down, across))))
}

/// The whole factor that leads to a size, if there is one.
fn factor((height, width): Pair, (h, w): Pair) -> Option<usize> {
    let factor = h / height.max(1);
    let whole = |side: usize, to: usize| side.checked_mul(factor) == Some(to);
    ((1..=MAX_SCALE).contains(&factor) && whole(height, h) && whole(width, w)).then_some(factor)
}

/// `Upsample` and `interpolate`; `default` is the mode where none is given.
fn upsample(a: &dyn Arguments, default: &str) -> Result<Option<Op>, String> {
    let Some(input) = a.input() else {
        return Err("a size depends on the input".to_owned());
    };
    let (_, height, width) = input.planes()?;
    let (size, scale_factor) = target(a, height, width)?;
    if a.flag("antialias", false)? {
        return Err("antialias is not followed".to_owned());
    }
    if a.given("mode") && a.text("mode").is_none() {
        return Err(a.unread("mode"));
    }
    let mode = a.text("mode").unwrap_or_else(|| default.to_owned());
    // `UpsamplingBilinear2d` aligns corners.
    let align_corners = a.flag("align_corners", default == "bilinear")?;
    let whole = match (mode.as_str(), align_corners) {
        // A whole factor leaves both no choice.
        ("nearest" | "nearest-exact", _) => Some(UpsampleMode::Nearest),
        ("bilinear", false) => Some(UpsampleMode::Bilinear),
        ("bilinear", true) => Some(UpsampleMode::BilinearAligned),
        _ => None,
    };
    if let (Some(mode), Some(scale)) = (whole, factor((height, width), size)) {
        return Ok(Some(Upsample { scale, mode }.into()));
    }
    let mode = match mode.as_str() {
        "nearest" => Interpolation::Nearest,
        "nearest-exact" => Interpolation::NearestExact,
        "bilinear" => Interpolation::Bilinear,
        "bicubic" => Interpolation::Bicubic,
        "area" => Interpolation::Area,
        _ => return Err("the modes nearest, bilinear, bicubic and area are read".to_owned()),
    };
    Ok(Some(Interpolate { size, scale_factor, mode, align_corners }.into()))
}

const ARGUMENTS: &[&str] = &["size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias"];

pub(super) const SPELLINGS: &[Spelling] = &[Spelling {
    names: &["interpolate", "upsample"],
    kind: Kind::Function,
    arguments: ARGUMENTS,
    read: |a| upsample(a, "nearest"),
}];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn row(scale: usize, mode: UpsampleMode, values: &[f32]) -> Vec<f32> {
        let x = Tensor::new([1, 1, 1, values.len()], values.to_vec()).unwrap();
        let y = Upsample { scale, mode }.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        y.data()[..values.len() * scale].to_vec()
    }

    /// `torch.nn.functional.interpolate(torch.tensor([[[[1., 3., 2.]]]]), scale_factor=2, ...)`.
    #[test]
    fn values_are_pytorchs() {
        assert_eq!(row(2, UpsampleMode::Nearest, &[1.0, 3.0, 2.0]), [1.0, 1.0, 3.0, 3.0, 2.0, 2.0]);
        assert_eq!(row(2, UpsampleMode::Bilinear, &[1.0, 3.0, 2.0]), [1.0, 1.5, 2.5, 2.75, 2.25, 2.0]);
        let aligned = row(2, UpsampleMode::BilinearAligned, &[1.0, 3.0, 2.0]);
        for (found, expected) in aligned.iter().zip([1.0, 1.8, 2.6, 2.8, 2.4, 2.0]) {
            assert!((found - expected).abs() < 1e-6, "{aligned:?}");
        }
        assert_eq!(row(3, UpsampleMode::BilinearAligned, &[4.0]), [4.0; 3]);
    }
}

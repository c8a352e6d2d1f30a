//! Operators between channels and pixels: `nn.PixelShuffle`, `nn.PixelUnshuffle`, `nn.Unfold` and `nn.Fold`.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Op, Operator, Pair, Parameters, capped, capped_pair};
use crate::error::Result;
use crate::limits;
use crate::network::Shape;
use crate::tensor::Tensor;

/// `nn.PixelShuffle(upscale_factor)`: `[N, C * r * r, H, W]` to `[N, C, H * r, W * r]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct PixelShuffle {
    pub upscale_factor: usize,
}

/// `nn.PixelUnshuffle(downscale_factor)`: the inverse of [`PixelShuffle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct PixelUnshuffle {
    pub downscale_factor: usize,
}

/// The windows of [`Unfold`] and [`Fold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Windows {
    pub kernel_size: Pair,
    pub dilation: Pair,
    pub padding: Pair,
    pub stride: Pair,
}

/// [`torch.nn.Unfold`](https://pytorch.org/docs/stable/generated/torch.nn.Unfold.html): every window as a column,
/// `[N, C, H, W]` to `[N, C * kh * kw, L]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unfold(pub Windows);

/// [`torch.nn.Fold`](https://pytorch.org/docs/stable/generated/torch.nn.Fold.html): columns summed up where they lie,
/// `[N, C * kh * kw, L]` to `[N, C, H, W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Fold {
    pub output_size: Pair,
    #[serde(flatten)]
    pub windows: Windows,
}

/// Calls `each(inner, outer)` for every value: its index with the channels outside, and with the pixels outside.
fn shuffled(n: usize, c: usize, (h, w): Pair, r: usize, mut each: impl FnMut(usize, usize)) {
    let mut index = 0;
    for image in 0..n {
        for (channel, dy, dx) in (0..c).flat_map(|c| (0..r).flat_map(move |y| (0..r).map(move |x| (c, y, x)))) {
            for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
                each(index, ((image * c + channel) * h * r + y * r + dy) * w * r + x * r + dx);
                index += 1;
            }
        }
    }
}

fn factor(name: &str, factor: usize) -> Result<(), String> {
    match factor {
        0 => Err(format!("pixel_shuffle expects a positive {name}, but got 0")),
        factor => capped(name, factor, limits::MAX_SCALE),
    }
}

impl Operator for PixelShuffle {
    fn name(&self) -> &'static str {
        "PixelShuffle"
    }

    fn written(&self) -> String {
        format!("PixelShuffle({})", self.upscale_factor)
    }

    fn check(&self) -> Result<(), String> {
        factor("upscale_factor", self.upscale_factor)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, height, width) = inputs[0].planes()?;
        let r = self.upscale_factor;
        if !channels.is_multiple_of(r * r) {
            return Err(format!(
                "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, \
                 but input.size(-3)={channels} is not divisible by {}",
                r * r
            ));
        }
        let shape = inputs[0].with_side(1, channels / (r * r));
        Ok(vec![shape.with_side(2, height.saturating_mul(r)).with_side(3, width.saturating_mul(r))])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let r = self.upscale_factor;
        let mut out = Tensor::zeros([n, c / (r * r), h * r, w * r]);
        let target = out.data_mut();
        shuffled(n, c / (r * r), (h, w), r, |from, to| target[to] = inputs[0].data()[from]);
        Ok(vec![out])
    }
}

impl Operator for PixelUnshuffle {
    fn name(&self) -> &'static str {
        "PixelUnshuffle"
    }

    fn written(&self) -> String {
        format!("PixelUnshuffle({})", self.downscale_factor)
    }

    fn check(&self) -> Result<(), String> {
        factor("downscale_factor", self.downscale_factor)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, height, width) = inputs[0].planes()?;
        let r = self.downscale_factor;
        if !height.is_multiple_of(r) || !width.is_multiple_of(r) {
            return Err(format!(
                "pixel_unshuffle expects height and width to be divisible by downscale_factor, but they are {height} and \
                 {width}, and it is {r}"
            ));
        }
        let shape = inputs[0].with_side(1, channels.saturating_mul(r * r));
        Ok(vec![shape.with_side(2, height / r).with_side(3, width / r)])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let r = self.downscale_factor;
        let mut out = Tensor::zeros([n, c * r * r, h / r, w / r]);
        let target = out.data_mut();
        shuffled(n, c, (h / r, w / r), r, |to, from| target[to] = inputs[0].data()[from]);
        Ok(vec![out])
    }
}

impl Windows {
    fn check(&self) -> Result<(), String> {
        for (name, pair) in [("kernel size", self.kernel_size), ("dilation", self.dilation), ("stride", self.stride)] {
            if pair.0 == 0 || pair.1 == 0 {
                return Err(format!("{name} should be greater than zero"));
            }
        }
        capped_pair("kernel_size", self.kernel_size, limits::MAX_KERNEL_SIDE)?;
        capped_pair("stride", self.stride, limits::MAX_STRIDE)?;
        capped_pair("dilation", self.dilation, limits::MAX_STRIDE)?;
        capped_pair("padding", self.padding, limits::MAX_PADDING)
    }

    fn taps(&self) -> usize {
        self.kernel_size.0 * self.kernel_size.1
    }

    /// Windows by rows and by columns; `None` if not one fits.
    fn counts(&self, (height, width): Pair) -> Option<Pair> {
        let side = |size: usize, kernel: usize, dilation: usize, padding: usize, stride: usize| {
            let padded = size.checked_add(padding.checked_mul(2)?)?;
            padded.checked_sub(dilation.checked_mul(kernel - 1)?.checked_add(1)?)?.checked_div(stride)?.checked_add(1)
        };
        let (k, d, p, s) = (self.kernel_size, self.dilation, self.padding, self.stride);
        Some((side(height, k.0, d.0, p.0, s.0)?, side(width, k.1, d.1, p.1, s.1)?))
    }

    /// Calls `each(column index, pixel index)` for every value of `planes` planes that lies inside.
    fn visit(&self, planes: usize, (h, w): Pair, (rows, columns): Pair, mut each: impl FnMut(usize, usize)) {
        let (kh, kw) = self.kernel_size;
        let inside = |at: usize, padding: usize, size: usize| at.checked_sub(padding).filter(|&at| at < size);
        for (plane, ky, kx) in (0..planes).flat_map(|p| (0..kh).flat_map(move |y| (0..kw).map(move |x| (p, y, x)))) {
            let column = ((plane * kh + ky) * kw + kx) * rows * columns;
            for row in 0..rows {
                let Some(y) = inside(row * self.stride.0 + ky * self.dilation.0, self.padding.0, h) else {
                    continue;
                };
                for place in 0..columns {
                    if let Some(x) = inside(place * self.stride.1 + kx * self.dilation.1, self.padding.1, w) {
                        each(column + row * columns + place, (plane * h + y) * w + x);
                    }
                }
            }
        }
    }

    fn written(&self) -> String {
        let Self { kernel_size, dilation, padding, stride } = self;
        format!("kernel_size={kernel_size:?}, dilation={dilation:?}, padding={padding:?}, stride={stride:?}")
    }
}

impl Operator for Unfold {
    fn name(&self) -> &'static str {
        "Unfold"
    }

    fn written(&self) -> String {
        format!("Unfold({})", self.0.written())
    }

    fn check(&self) -> Result<(), String> {
        self.0.check()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, height, width) = inputs[0].planes()?;
        let (rows, columns) = self.0.counts((height, width)).ok_or_else(|| {
            format!("Given input with spatial size ({height}, {width}), {}: no block fits", self.0.written())
        })?;
        let sides = [inputs[0].batch(), channels.saturating_mul(self.0.taps()), rows.saturating_mul(columns)];
        Ok(vec![Shape::of(&sides).ok_or("there are too many dimensions")?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let shape = super::shape_of(inputs, |shapes| self.infer(shapes).map(|shapes| shapes[0]))?;
        let counts = self.0.counts((h, w)).unwrap_or((0, 0));
        let mut out = Tensor::zeros(shape.sides());
        let target = out.data_mut();
        self.0.visit(n * c, (h, w), counts, |column, pixel| target[column] = inputs[0].data()[pixel]);
        Ok(vec![out])
    }
}

impl Operator for Fold {
    fn name(&self) -> &'static str {
        "Fold"
    }

    fn written(&self) -> String {
        format!("Fold({:?}, {})", self.output_size, self.windows.written())
    }

    fn check(&self) -> Result<(), String> {
        self.windows.check()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let &[batch, columns, length] = inputs[0].sides() else {
            return Err("Expected 3D input for Fold".to_owned());
        };
        let taps = self.windows.taps();
        let counts = self.windows.counts(self.output_size);
        if !columns.is_multiple_of(taps) || counts.and_then(|(rows, columns)| rows.checked_mul(columns)) != Some(length)
        {
            return Err(format!(
                "Given output_size={:?}, {}: {columns} x {length} are not its blocks",
                self.output_size,
                self.windows.written()
            ));
        }
        let sides = [batch, columns / taps, self.output_size.0, self.output_size.1];
        Ok(vec![Shape::of(&sides).ok_or("there are too many dimensions")?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let shape = super::shape_of(inputs, |shapes| self.infer(shapes).map(|shapes| shapes[0]))?;
        let counts = self.windows.counts(self.output_size).unwrap_or((0, 0));
        let mut out = Tensor::zeros(shape.sides());
        let target = out.data_mut();
        let planes = shape.batch() * shape.channels();
        self.windows.visit(planes, self.output_size, counts, |column, pixel| target[pixel] += inputs[0].data()[column]);
        Ok(vec![out])
    }
}

fn windows(a: &dyn Arguments) -> Result<Windows, String> {
    Ok(Windows {
        kernel_size: a.pair("kernel_size", None)?,
        dilation: a.pair("dilation", Some(1))?,
        padding: a.pair("padding", Some(0))?,
        stride: a.pair("stride", Some(1))?,
    })
}

fn unfold(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(Unfold(windows(a)?).into()))
}

fn fold(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(Fold { output_size: a.pair("output_size", None)?, windows: windows(a)? }.into()))
}

fn shuffle(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(PixelShuffle { upscale_factor: a.count("upscale_factor", None)? }.into()))
}

fn unshuffle(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(PixelUnshuffle { downscale_factor: a.count("downscale_factor", None)? }.into()))
}

const UNFOLD: &[&str] = &["kernel_size", "dilation", "padding", "stride"];
const FOLD: &[&str] = &["output_size", "kernel_size", "dilation", "padding", "stride"];

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling { names: &["PixelShuffle"], kind: Kind::Module, arguments: &["upscale_factor"], read: shuffle },
    Spelling { names: &["pixel_shuffle"], kind: Kind::Function, arguments: &["upscale_factor"], read: shuffle },
    Spelling { names: &["PixelUnshuffle"], kind: Kind::Module, arguments: &["downscale_factor"], read: unshuffle },
    Spelling { names: &["pixel_unshuffle"], kind: Kind::Function, arguments: &["downscale_factor"], read: unshuffle },
    Spelling { names: &["Unfold"], kind: Kind::Module, arguments: UNFOLD, read: unfold },
    Spelling { names: &["unfold"], kind: Kind::Function, arguments: UNFOLD, read: unfold },
    Spelling { names: &["Fold"], kind: Kind::Module, arguments: FOLD, read: fold },
    Spelling { names: &["fold"], kind: Kind::Function, arguments: FOLD, read: fold },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_shuffled_comes_back() {
        let x = Tensor::new([1, 4, 2, 3], (0..24).map(|i| i as f32).collect()).unwrap();
        let y = PixelShuffle { upscale_factor: 2 }.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(y.shape(), [1, 1, 4, 6]);
        assert_eq!(y.data()[..6], [0.0, 6.0, 1.0, 7.0, 2.0, 8.0]);
        let back = PixelUnshuffle { downscale_factor: 2 }.forward(&[&y], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(back, x);
    }

    #[test]
    fn windows_without_overlap_come_back() {
        let x = Tensor::new([1, 2, 4, 4], (0..32).map(|i| i as f32).collect()).unwrap();
        let windows = Windows { kernel_size: (2, 2), dilation: (1, 1), padding: (0, 0), stride: (2, 2) };
        let columns = Unfold(windows).forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(columns.shape(), [1, 8, 4]);
        assert_eq!(columns.data()[..4], [0.0, 2.0, 8.0, 10.0]);
        let fold = Fold { output_size: (4, 4), windows };
        assert_eq!(fold.forward(&[&columns], &Parameters(&[])).unwrap().remove(0), x);
    }
}

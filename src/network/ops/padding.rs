//! Padding: what lies beyond a border, and the layers that pad.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Op, Operator, Parameters, both_sides, capped};
use crate::error::{Code, Error, Result};
use crate::limits::MAX_PADDING;
use crate::network::Shape;
use crate::tensor::Tensor;

/// What lies beyond a border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PaddingMode {
    /// Zeros.
    Zeros,
    /// The interior mirrored, without repeating the edge.
    Reflect,
    /// The edge repeated.
    Replicate,
    /// The other side.
    Circular,
}

impl PaddingMode {
    /// PyTorch's `padding_mode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Reflect => "reflect",
            Self::Replicate => "replicate",
            Self::Circular => "circular",
        }
    }

    /// The index inside a side of `size` that the padded position `at` reads, or `None` where it reads zero.
    ///
    /// `at` may lie before the side or behind it; how far, [`Network::check`](crate::network::Network::check) limits.
    pub fn source(self, at: isize, size: usize) -> Option<usize> {
        let size = size as isize;
        let index = match self {
            Self::Zeros => at,
            Self::Replicate => at.clamp(0, size - 1),
            Self::Circular => at.rem_euclid(size),
            Self::Reflect if at < 0 => -at,
            Self::Reflect if at >= size => 2 * (size - 1) - at,
            Self::Reflect => at,
        };
        (0..size).contains(&index).then_some(index as usize)
    }
}

/// PyTorch's limits on padding that reads the picture itself.
pub(super) fn fits(mode: PaddingMode, padding: usize, size: usize) -> Result<(), String> {
    match mode {
        PaddingMode::Reflect if padding >= size => Err(format!(
            "Padding size should be less than the corresponding input dimension, but got: {padding} at {size}"
        )),
        PaddingMode::Circular if padding > size => {
            Err(format!("Padding value causes wrapping around more than once: {padding} at {size}"))
        }
        _ => Ok(()),
    }
}

/// The error of a loop that was given a shape which shape inference refuses.
pub(super) fn no_pixels(text: String) -> Error {
    Error::new(Code::InputShape, text)
}

/// Padding as a layer of its own: `nn.ReflectionPad2d`, `nn.ReplicationPad2d`, `nn.ZeroPad2d`, `nn.CircularPad2d`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Pad2d {
    pub left: usize,
    pub right: usize,
    pub top: usize,
    pub bottom: usize,
    pub mode: PaddingMode,
}

impl Pad2d {
    /// The same padding on all four sides.
    pub fn all(padding: usize, mode: PaddingMode) -> Self {
        Self { left: padding, right: padding, top: padding, bottom: padding, mode }
    }

    /// `nn.ReflectionPad2d(padding)`.
    pub fn reflection(padding: usize) -> Self {
        Self::all(padding, PaddingMode::Reflect)
    }
}

impl Operator for Pad2d {
    fn name(&self) -> &'static str {
        match self.mode {
            PaddingMode::Zeros => "ZeroPad2d",
            PaddingMode::Reflect => "ReflectionPad2d",
            PaddingMode::Replicate => "ReplicationPad2d",
            PaddingMode::Circular => "CircularPad2d",
        }
    }

    fn written(&self) -> String {
        format!("{}(({}, {}, {}, {}))", self.name(), self.left, self.right, self.top, self.bottom)
    }

    fn check(&self) -> Result<(), String> {
        [self.left, self.right, self.top, self.bottom].into_iter().try_for_each(|p| capped("padding", p, MAX_PADDING))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (_, height, width) = inputs[0].planes()?;
        fits(self.mode, self.left.max(self.right), width)?;
        fits(self.mode, self.top.max(self.bottom), height)?;
        let padded = |size: usize, before: usize, after: usize| size.saturating_add(before).saturating_add(after);
        let (h, w) = (padded(height, self.top, self.bottom), padded(width, self.left, self.right));
        Ok(vec![inputs[0].with_side(2, h).with_side(3, w)])
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        both_sides(
            format!("{} + {} + {} = {}", input.height(), self.top, self.bottom, output.height()),
            format!("{} + {} + {} = {}", input.width(), self.left, self.right, output.width()),
        )
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let (oh, ow) = (h + self.top + self.bottom, w + self.left + self.right);
        let mut out = Tensor::zeros([n, c, oh, ow]);
        for (plane, target) in inputs[0].data().chunks_exact(h * w).zip(out.data_mut().chunks_exact_mut(oh * ow)) {
            for (y, row) in target.chunks_exact_mut(ow).enumerate() {
                let Some(iy) = self.mode.source(y as isize - self.top as isize, h) else { continue };
                for (x, value) in row.iter_mut().enumerate() {
                    let source = self.mode.source(x as isize - self.left as isize, w);
                    *value = source.map_or(0.0, |ix| plane[iy * w + ix]);
                }
            }
        }
        Ok(vec![out])
    }
}

fn layer(a: &dyn Arguments, mode: PaddingMode) -> Result<Option<Op>, String> {
    let [left, right, top, bottom] = a.sides("padding")?;
    Ok(Some(Pad2d { left, right, top, bottom, mode }.into()))
}

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling {
        names: &["ReflectionPad2d"],
        kind: Kind::Module,
        arguments: &["padding"],
        read: |a| layer(a, PaddingMode::Reflect),
    },
    Spelling {
        names: &["ReplicationPad2d"],
        kind: Kind::Module,
        arguments: &["padding"],
        read: |a| layer(a, PaddingMode::Replicate),
    },
    Spelling {
        names: &["ZeroPad2d"],
        kind: Kind::Module,
        arguments: &["padding"],
        read: |a| layer(a, PaddingMode::Zeros),
    },
    Spelling {
        names: &["CircularPad2d"],
        kind: Kind::Module,
        arguments: &["padding"],
        read: |a| layer(a, PaddingMode::Circular),
    },
    Spelling {
        names: &["pad"],
        kind: Kind::Function,
        arguments: &["pad", "mode", "value"],
        read: |a| {
            if a.float("value", 0.0)? != 0.0 {
                return Err(a.unread("value"));
            }
            let mode = a.padding_mode("mode")?;
            let [left, right, top, bottom] = a.sides("pad")?;
            Ok(Some(Pad2d { left, right, top, bottom, mode }.into()))
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_mode_reads_what_pytorch_reads() {
        let read = |mode: PaddingMode| (-2..5).map(|at| mode.source(at, 3)).collect::<Vec<_>>();
        assert_eq!(read(PaddingMode::Zeros), [None, None, Some(0), Some(1), Some(2), None, None]);
        assert_eq!(read(PaddingMode::Reflect), [2, 1, 0, 1, 2, 1, 0].map(Some));
        assert_eq!(read(PaddingMode::Replicate), [0, 0, 0, 1, 2, 2, 2].map(Some));
        assert_eq!(read(PaddingMode::Circular), [1, 2, 0, 1, 2, 0, 1].map(Some));
    }

    #[test]
    fn reflection_is_refused_in_pytorchs_words() {
        let text = Pad2d::reflection(3).infer(&[Shape::image(1, 3, 9)]).unwrap_err();
        assert_eq!(text, "Padding size should be less than the corresponding input dimension, but got: 3 at 3");
    }
}

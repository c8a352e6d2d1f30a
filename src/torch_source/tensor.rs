//! Tensors as a class sees them: several names for one tensor, and views that share its memory.
//!
//! A [`Storage`] is a piece of memory; what it holds now is a value of the network. A [`Tensor`] is a way of looking at one.
//! Changing a tensor in place gives its storage a new value, and everything that looks at the storage sees it.

use std::rc::Rc;

use super::value::Id;
use crate::network::ops::Steps;
use crate::network::{Shape, ValueId};

/// What a tensor's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Bool,
    Int,
    Float,
}

/// What a storage holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A value of the network.
    Known(ValueId),
    /// A parameter or buffer that the weights' file holds: it becomes a value when it is first used.
    Registered,
    /// Nothing that could be told, such as random numbers: the reason, for people.
    Unknown(&'static str),
}

/// A piece of memory.
#[derive(Clone, Debug)]
pub struct Storage {
    pub content: Content,
    /// The shape of the whole, which lies in memory row by row.
    pub shape: Shape,
    /// Counts the changes.
    pub version: u32,
    /// Whether it may share memory with another storage: only the layout, which is not followed, would tell.
    pub entangled: bool,
    /// The module and the name under which it was first registered as a parameter or buffer.
    pub owner: Option<(Id, Rc<str>)>,
}

/// A way of looking at a storage.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub storage: Id,
    /// What leads from the storage's whole to this, and the shape before each.
    pub steps: Vec<(View, Shape)>,
    pub shape: Shape,
    pub kind: Kind,
    /// Its value, and the version of the storage that it belongs to.
    pub seen: Option<(ValueId, u32)>,
    /// Where its elements lie; `None` if that is not followed.
    pub layout: Option<Layout>,
}

/// One step of a view.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    Reshape(Shape),
    Permute(Vec<usize>),
    Part(Steps),
    Expand(Shape),
}

/// Distances in memory between neighbours along each dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub strides: Vec<usize>,
}

impl Layout {
    /// Row by row.
    pub fn rows(shape: Shape) -> Self {
        let sides = shape.sides();
        let mut strides = vec![1usize; sides.len()];
        for dim in (1..sides.len()).rev() {
            strides[dim - 1] = strides[dim].saturating_mul(sides[dim].max(1));
        }
        Self { strides }
    }

    /// `is_contiguous()`.
    pub fn is_rows(&self, shape: Shape) -> bool {
        let rows = Self::rows(shape);
        let mut sides = shape.sides().iter().zip(self.strides.iter().zip(&rows.strides));
        sides.all(|(&side, (own, row))| side == 1 || own == row)
    }

    /// Whether the elements fill a piece of memory without overlap, in whatever order: functions of one tensor keep it.
    pub fn is_dense(&self, shape: Shape) -> bool {
        let mut dims: Vec<(usize, usize)> =
            self.strides.iter().copied().zip(shape.sides().iter().copied()).filter(|&(_, side)| side != 1).collect();
        dims.sort_unstable();
        let mut expected = 1usize;
        dims.into_iter().all(|(stride, side)| {
            let fits = stride == expected;
            expected = expected.saturating_mul(side);
            fits
        })
    }

    /// The layout of the same memory in another shape; `None` if `reshape` has to copy. PyTorch's `computeStride`.
    pub fn reshaped(&self, from: Shape, to: Shape) -> Option<Self> {
        let (old, new) = (from.sides(), to.sides());
        let mut strides = vec![1usize; new.len()];
        let Some(mut base) = self.strides.last().copied() else {
            return Some(Self::rows(to));
        };
        let mut view = new.len();
        let (mut run, mut viewed) = (1usize, 1usize);
        for dim in (0..old.len()).rev() {
            run = run.checked_mul(old[dim])?;
            let ends = dim == 0 || (old[dim - 1] != 1 && self.strides[dim - 1] != run.checked_mul(base)?);
            if !ends {
                continue;
            }
            while view > 0 && (viewed < run || new[view - 1] == 1) {
                strides[view - 1] = viewed.checked_mul(base)?;
                viewed = viewed.checked_mul(new[view - 1])?;
                view -= 1;
            }
            if viewed != run {
                return None;
            }
            if dim > 0 {
                base = self.strides[dim - 1];
                (run, viewed) = (1, 1);
            }
        }
        (view == 0).then_some(Self { strides })
    }

    /// The layout after a step of a view, which began at this shape.
    pub fn after(&self, view: &View, from: Shape, to: Shape) -> Option<Self> {
        match view {
            View::Reshape(_) => self.reshaped(from, to),
            View::Permute(dims) => Some(Self { strides: dims.iter().map(|&dim| self.strides[dim]).collect() }),
            View::Part(steps) => {
                let mut strides = self.strides.clone();
                strides[steps.dim] = strides[steps.dim].checked_mul(steps.step)?;
                Some(Self { strides })
            }
            View::Expand(_) => {
                let skip = to.sides().len() - from.sides().len();
                let stride = |dim: usize| match dim.checked_sub(skip) {
                    Some(own) if from.sides()[own] == to.sides()[dim] => self.strides[own],
                    _ => 0,
                };
                Some(Self { strides: (0..to.sides().len()).map(stride).collect() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn shape(sides: &[usize]) -> Shape {
        Shape::of(sides).unwrap()
    }

    #[test]
    fn what_pytorch_can_view_has_a_layout() {
        let (from, turned) = (shape(&[2, 3, 4]), shape(&[3, 2, 4]));
        let rows = Layout::rows(from);
        assert_eq!(rows.reshaped(from, shape(&[6, 4])), Some(Layout { strides: vec![4, 1] }));
        let permuted = rows.after(&View::Permute(vec![1, 0, 2]), from, turned).unwrap();
        assert_eq!(permuted.strides, [4, 12, 1]);
        assert!(!permuted.is_rows(turned) && permuted.is_dense(turned));
        // torch.zeros(2, 3, 4).permute(1, 0, 2).view(6, 4) is an error, .view(3, 2, 2, 2) is none.
        assert_eq!(permuted.reshaped(turned, shape(&[6, 4])), None);
        assert_eq!(permuted.reshaped(turned, shape(&[3, 2, 2, 2])).unwrap().strides, [4, 12, 2, 1]);
        let part = Steps { dim: 2, start: 0, step: 2, length: 2 };
        let stepped = rows.after(&View::Part(part), from, shape(&[2, 3, 2])).unwrap();
        assert!(!stepped.is_dense(shape(&[2, 3, 2])));
        assert_eq!(stepped.reshaped(shape(&[2, 3, 2]), shape(&[6, 2])).unwrap().strides, [4, 2]);
    }
}

//! What a graph's names stand for: values that are computed when the network runs, numbers that are known before, and weights.

use std::sync::Arc;

use crate::checkpoint::onnx::{GraphTensor, Numbers};
use crate::network::{Shape, ValueId};
use crate::tensor::Tensor;

/// Greatest whole number up to which f32 holds all.
const EXACT: i64 = 1 << 24;

/// What a value's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Floats of any width.
    Float,
    /// Whole numbers.
    Int,
    /// Truth values, 1 and 0.
    Bool,
}

/// Where a value's numbers come from.
#[derive(Clone, Debug)]
pub enum Content {
    /// The network computes them.
    Run(ValueId),
    /// They are known; the key of the weights that they are, if they are.
    Known(Arc<Numbers>, Option<Arc<str>>),
    /// Weights, by their key.
    Weight(Arc<str>),
}

/// What a name of the graph stands for.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its shape.
    pub shape: Shape,
    /// What its numbers are.
    pub kind: Kind,
    /// Where they come from.
    pub content: Content,
}

impl Value {
    /// A tensor of the file. For people if it has too many dimensions.
    pub fn stored(tensor: &GraphTensor) -> Result<Self, String> {
        let info = &tensor.info;
        let shape = Shape::of(&info.shape)
            .ok_or_else(|| format!("{} has the shape {:?}: more than eight dimensions", info.key, info.shape))?;
        let key: Arc<str> = info.key.as_str().into();
        let kind = if tensor.is_float { Kind::Float } else { Kind::Int };
        let content = match &tensor.numbers {
            Some(numbers) => Content::Known(Arc::clone(numbers), tensor.is_weight.then_some(key)),
            None => Content::Weight(key),
        };
        Ok(Self { shape, kind, content })
    }

    /// Known numbers. For people if there are too many dimensions.
    pub fn known(sides: &[usize], numbers: Numbers, kind: Kind) -> Result<Self, String> {
        let shape = Shape::of(sides).ok_or("there are too many dimensions")?;
        if shape.elements() != numbers.len() as u64 {
            return Err(format!("{} numbers do not fill the shape {sides:?}", numbers.len()));
        }
        Ok(Self { shape, kind, content: Content::Known(Arc::new(numbers), None) })
    }

    /// A list of whole numbers, as shapes are.
    pub fn list(numbers: Vec<i64>) -> Result<Self, String> {
        Self::known(&[numbers.len()], Numbers::Ints(numbers), Kind::Int)
    }

    /// A float by itself.
    pub fn scalar(value: f32) -> Result<Self, String> {
        Self::known(&[], Numbers::Floats(vec![value]), Kind::Float)
    }

    /// The numbers, if they are known.
    pub fn numbers(&self) -> Option<&Numbers> {
        match &self.content {
            Content::Known(numbers, _) => Some(numbers),
            _ => None,
        }
    }

    /// The weights' key, if these are weights as the file holds them.
    pub fn key(&self) -> Option<Arc<str>> {
        match &self.content {
            Content::Known(_, key) => key.clone(),
            Content::Weight(key) => Some(Arc::clone(key)),
            Content::Run(_) => None,
        }
    }

    /// The number, if it is a single one that is known.
    pub fn single(&self) -> Option<f32> {
        match self.numbers()? {
            Numbers::Floats(values) => <[f32; 1]>::try_from(values.as_slice()).ok().map(|[value]| value),
            Numbers::Ints(values) => <[i64; 1]>::try_from(values.as_slice()).ok().map(|[value]| value as f32),
        }
    }

    /// The whole numbers, if they are known.
    pub fn ints(&self) -> Option<Vec<i64>> {
        match self.numbers()? {
            Numbers::Ints(values) => Some(values.clone()),
            Numbers::Floats(_) => None,
        }
    }

    /// The numbers as floats, if they are known. For people if f32 does not hold one of them.
    pub fn floats(&self) -> Option<Result<Vec<f32>, String>> {
        Some(match self.numbers()? {
            Numbers::Floats(values) => Ok(values.clone()),
            Numbers::Ints(values) => match values.iter().find(|value| value.unsigned_abs() > EXACT as u64) {
                Some(value) => Err(format!("the whole number {value} is too large to be computed with as a float")),
                None => Ok(values.iter().map(|&value| value as f32).collect()),
            },
        })
    }

    /// The numbers as a tensor, if they are known.
    pub fn tensor(&self) -> Option<Result<Tensor, String>> {
        let values = match self.floats()? {
            Ok(values) => values,
            Err(text) => return Some(Err(text)),
        };
        Some(Tensor::new(self.shape.sides(), values).map_err(|error| error.message))
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.sides().len()
    }

    /// A dimension as ONNX counts it, negative ones from the end.
    pub fn axis(&self, axis: i64) -> Result<usize, String> {
        axis_of(axis, self.rank())
    }
}

/// A dimension of so many as ONNX counts it, negative ones from the end.
pub fn axis_of(axis: i64, rank: usize) -> Result<usize, String> {
    let from_start = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let found = usize::try_from(from_start).ok().filter(|&axis| axis < rank);
    found.ok_or_else(|| format!("it has no dimension {axis}: there are {rank}"))
}

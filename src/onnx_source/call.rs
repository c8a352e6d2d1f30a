//! A node of the graph with its inputs at hand.

use super::value::Value;
use crate::checkpoint::onnx::{Attribute, GraphNode};

/// A node, and what it reads.
pub struct Call<'g> {
    /// The node.
    pub node: &'g GraphNode,
    /// Its inputs; `None` where one is left out.
    pub inputs: Vec<Option<Value>>,
    /// Version of the operators.
    pub opset: i64,
}

impl Call<'_> {
    /// An input that must be there.
    pub fn input(&self, index: usize) -> Result<&Value, String> {
        self.given(index).ok_or_else(|| format!("its input {index} is missing"))
    }

    /// An input that may be left out.
    pub fn given(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// The inputs that are there.
    pub fn all(&self) -> Vec<Value> {
        self.inputs.iter().flatten().cloned().collect()
    }

    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.node.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Whether there is such an attribute.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A whole number.
    pub fn int(&self, name: &str, default: i64) -> Result<i64, String> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Int(value)) => Ok(*value),
            Some(_) => Err(format!("its {name} is no whole number")),
        }
    }

    /// A whole number that is not negative.
    pub fn count(&self, name: &str, default: usize) -> Result<usize, String> {
        let value = self.int(name, default as i64)?;
        usize::try_from(value).map_err(|_| format!("its {name} is {value}"))
    }

    /// A float.
    pub fn float(&self, name: &str, default: f32) -> Result<f32, String> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => Err(format!("its {name} is no float")),
        }
    }

    /// A word.
    pub fn text(&self, name: &str, default: &'static str) -> Result<&str, String> {
        match self.attribute(name) {
            None => Ok(default),
            Some(Attribute::Text(value)) => Ok(value),
            Some(_) => Err(format!("its {name} is no word")),
        }
    }

    /// Whole numbers; `None` if there is no such attribute.
    pub fn ints(&self, name: &str) -> Result<Option<&[i64]>, String> {
        match self.attribute(name) {
            None => Ok(None),
            Some(Attribute::Ints(values)) => Ok(Some(values)),
            Some(_) => Err(format!("its {name} are no whole numbers")),
        }
    }

    /// Floats; `None` if there is no such attribute.
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        match self.attribute(name) {
            Some(Attribute::Floats(values)) => Some(values),
            _ => None,
        }
    }

    /// A tensor, as a value.
    pub fn tensor(&self, name: &str) -> Option<Result<Value, String>> {
        match self.attribute(name) {
            Some(Attribute::Tensor(tensor)) => Some(Value::stored(tensor)),
            _ => None,
        }
    }

    /// A pair of numbers, one by height and one by width.
    pub fn pair(&self, name: &str, default: usize) -> Result<(usize, usize), String> {
        let Some(values) = self.ints(name)? else { return Ok((default, default)) };
        let sides: Vec<usize> = values.iter().filter_map(|&value| usize::try_from(value).ok()).collect();
        match sides[..] {
            [height, width] if values.len() == 2 => Ok((height, width)),
            _ => Err(format!("its {name} {values:?} are not two numbers, of height and width")),
        }
    }

    /// Whole numbers that an input says and that are known before the network runs.
    pub fn known(&self, index: usize, what: &str) -> Result<Vec<i64>, String> {
        let input = self.input(index)?;
        input.ints().ok_or_else(|| format!("its {what} are computed from the picture, or are no whole numbers"))
    }

    /// Whole numbers that older versions hold as an attribute and newer ones take as an input.
    pub fn either(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, String> {
        match (self.ints(name)?, self.given(index)) {
            (Some(values), _) => Ok(Some(values.to_vec())),
            (None, Some(_)) => self.known(index, name).map(Some),
            (None, None) => Ok(None),
        }
    }
}

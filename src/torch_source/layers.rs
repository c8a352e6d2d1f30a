//! Calls of PyTorch's layers and functions: arguments looked up by name, for the spellings of `network/ops`.

use super::at;
use super::value::{Given, Heap, Kind, Value};
use crate::error::Result;
use crate::limits::MAX_LAYER_NUMBER;
use crate::network::ops::spelling::{self, Arguments, Spelling};
use crate::network::{Op, Pair, Shape};

/// What a class may be made of, for people.
pub fn known() -> String {
    let layers = spelling::modules().join(", ");
    format!("{layers}, and the functions of torch and torch.nn.functional that docs/classes.md lists")
}

/// The arguments of one call.
struct Call<'a> {
    name: &'a str,
    spelling: &'a Spelling,
    given: &'a Given,
    heap: &'a Heap,
    input: Option<Shape>,
    /// 1 where the first argument is the tensor itself.
    skip: usize,
}

impl<'a> Call<'a> {
    /// Nothing may be given that is not read.
    fn check(&self) -> Result<(), String> {
        let names = self.spelling.arguments;
        let known = |name: &str| names.contains(&name) || self.skip == 1 && name == "input";
        match self.given.named.iter().find(|(name, _)| !known(name)) {
            Some((name, _)) => Err(format!("the argument {name} is not read")),
            None if self.given.args.len() > names.len() + self.skip => Err("there are too many arguments".to_owned()),
            None => Ok(()),
        }
    }

    /// `None` stands for an argument that is not given.
    fn get(&self, name: &str) -> Option<&'a Value> {
        let place = self.spelling.arguments.iter().position(|own| *own == name);
        let place = place.map_or(usize::MAX, |place| place + self.skip);
        self.given.get(place, name).filter(|value| !matches!(value, Value::None))
    }

    fn list(&self, name: &str) -> Option<&'a [Value]> {
        match self.get(name) {
            Some(Value::List(id) | Value::Tuple(id)) => Some(&self.heap.lists[id.0]),
            _ => None,
        }
    }

    fn number(&self, name: &str, value: &Value) -> Result<usize, String> {
        let Value::Int(number) = value else {
            return Err(self.unread(name));
        };
        if *number > MAX_LAYER_NUMBER {
            return Err(format!("{name} is {number}, and infill reads up to {MAX_LAYER_NUMBER}"));
        }
        // What is negative is refused in PyTorch's words.
        usize::try_from(*number).map_err(|_| match name {
            "stride" => "non-positive stride is not supported".to_owned(),
            "groups" => "groups must be a positive integer".to_owned(),
            _ => format!("negative {name} is not supported"),
        })
    }
}

impl Arguments for Call<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn given(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn count(&self, name: &str, default: Option<usize>) -> Result<usize, String> {
        match (self.get(name), default) {
            (Some(value), _) => self.number(name, value),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(format!("it needs the argument {name}")),
        }
    }

    fn pair(&self, name: &str, default: Option<usize>) -> Result<Pair, String> {
        match self.list(name) {
            Some([height, width]) => Ok((self.number(name, height)?, self.number(name, width)?)),
            Some([both]) => self.number(name, both).map(|side| (side, side)),
            Some(_) => Err(self.unread(name)),
            None => self.count(name, default).map(|side| (side, side)),
        }
    }

    fn counts(&self, name: &str) -> Result<Vec<usize>, String> {
        match self.list(name) {
            Some(items) => items.iter().map(|item| self.number(name, item)).collect(),
            None => Ok(vec![self.count(name, None)?]),
        }
    }

    fn open_pair(&self, name: &str) -> Result<(Option<usize>, Option<usize>), String> {
        let side = |value: &Value| match value {
            Value::None => Ok(None),
            value => self.number(name, value).map(Some),
        };
        match self.list(name) {
            Some([height, width]) => Ok((side(height)?, side(width)?)),
            Some(_) => Err(self.unread(name)),
            None => self.pair(name, None).map(|(height, width)| (Some(height), Some(width))),
        }
    }

    fn sides(&self, name: &str) -> Result<[usize; 4], String> {
        match self.list(name) {
            Some([left, right, top, bottom]) => {
                let side = |value: &Value| self.number(name, value);
                Ok([side(left)?, side(right)?, side(top)?, side(bottom)?])
            }
            Some(_) => Err(self.unread(name)),
            None => Ok([self.count(name, None)?; 4]),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, String> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::Int(number)) => Ok(*number != 0),
            Some(_) => Err(self.unread(name)),
        }
    }

    fn float(&self, name: &str, default: f64) -> Result<f64, String> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Float(number)) => Ok(*number),
            Some(Value::Int(number)) => Ok(*number as f64),
            Some(_) => Err(self.unread(name)),
        }
    }

    fn floats(&self, name: &str) -> Result<(f64, f64), String> {
        let number = |value: &Value| match value {
            Value::Float(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            _ => Err(self.unread(name)),
        };
        match self.list(name) {
            Some([height, width]) => Ok((number(height)?, number(width)?)),
            Some(_) => Err(self.unread(name)),
            None => {
                let both = number(self.get(name).ok_or_else(|| format!("it needs the argument {name}"))?)?;
                Ok((both, both))
            }
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    fn input(&self) -> Option<Shape> {
        self.input
    }
}

fn read(call: &Call<'_>, line: usize) -> Result<Option<Op>> {
    let op = call.check().and_then(|()| (call.spelling.read)(call));
    op.or_else(|text| at(line, format!("{}: {text}", call.name)))
}

/// Whether a call asks for its input to be changed in place.
fn in_place(call: &Call<'_>, line: usize) -> Result<bool> {
    if !call.spelling.arguments.contains(&"inplace") {
        return Ok(false);
    }
    call.flag("inplace", false).or_else(|text| at(line, format!("{}: {text}", call.name)))
}

/// The layer of this name; `None` if there is none.
pub fn layer(name: &str, given: &Given, heap: &Heap, line: usize) -> Result<Option<Kind>> {
    let Some(spelling) = spelling::find(spelling::Kind::Module, name) else {
        return Ok(None);
    };
    let call = Call { name, spelling, given, heap, input: None, skip: 0 };
    let in_place = in_place(&call, line)?;
    Ok(Some(read(&call, line)?.map_or(Kind::Nothing, |op| Kind::Layer(op, in_place))))
}

/// A function of `torch` or `torch.nn.functional` on one tensor of this shape, and whether it changes the tensor in
/// place; `None` if there is none of this name.
pub fn function(
    name: &str,
    given: &Given,
    heap: &Heap,
    input: Shape,
    line: usize,
) -> Result<Option<(Option<Op>, bool)>> {
    let Some(spelling) = spelling::find(spelling::Kind::Function, name) else {
        return Ok(None);
    };
    let call = Call { name, spelling, given, heap, input: Some(input), skip: 1 };
    let in_place = in_place(&call, line)?;
    Ok(Some((read(&call, line)?, in_place)))
}

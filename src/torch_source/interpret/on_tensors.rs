//! Functions of `torch` and `torch.nn.functional`, and methods of tensors.

mod arithmetic;
mod layers;
mod reductions;
mod views;

use super::super::tensor::Kind;
use super::super::value::{Given, Id, Value};
use super::super::{at, layers as known_layers};
use super::Run;
use super::arithmetic::int_of;
use crate::error::Result;

/// Arguments of functions under PyTorch's names; one with a star takes all that follow.
const SIGNATURES: &[(&[&str], &[&str])] = &[
    (&["view", "reshape", "expand", "repeat", "permute", "tile"], &["input", "shape*"]),
    (&["flip"], &["input", "dims*"]),
    (&["transpose", "swapaxes", "swapdims"], &["input", "dim0", "dim1"]),
    (&["flatten"], &["input", "start_dim", "end_dim"]),
    (&["squeeze", "unsqueeze", "unbind", "cumsum"], &["input", "dim"]),
    (&["t", "isnan", "logical_not", "bitwise_not", "numel"], &["input"]),
    (&["narrow"], &["input", "dim", "start", "length"]),
    (&["select"], &["input", "dim", "index"]),
    (&["roll"], &["input", "shifts", "dims"]),
    (&["chunk"], &["input", "chunks", "dim"]),
    (&["split"], &["input", "split_size_or_sections", "dim"]),
    (&["view_as", "reshape_as", "expand_as", "type_as"], &["input", "other"]),
    (
        &["sum", "mean", "prod", "amax", "amin", "all", "any", "max", "min", "argmax", "argmin"],
        &["input", "dim", "keepdim"],
    ),
    (&["var", "std"], &["input", "dim", "unbiased", "keepdim"]),
    (&["norm"], &["input", "p", "dim", "keepdim"]),
    (&["softmax", "log_softmax"], &["input", "dim", "_stacklevel"]),
    (&["normalize"], &["input", "p", "dim", "eps"]),
    (&["abs", "exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "rsqrt", "square", "reciprocal"], &["input"]),
    (
        &["sin", "cos", "tan", "atan", "floor", "ceil", "round", "trunc", "sign", "erf", "neg", "negative", "positive"],
        &["input"],
    ),
    (&["hardswish", "hardsigmoid", "mish", "selu"], &["input", "inplace"]),
    (&["logsigmoid", "softsign", "tanhshrink"], &["input"]),
    (&["gelu"], &["input", "approximate"]),
    (&["softplus"], &["input", "beta", "threshold"]),
    (&["celu"], &["input", "alpha", "inplace"]),
    (&["hardshrink", "softshrink"], &["input", "lambd"]),
    (&["threshold"], &["input", "threshold", "value", "inplace"]),
    (&["prelu"], &["input", "weight"]),
    (&["add", "sub", "subtract"], &["input", "other", "alpha"]),
    (&["div", "divide", "true_divide"], &["input", "other", "rounding_mode"]),
    (
        &["mul", "multiply", "maximum", "minimum", "atan2", "matmul", "bmm", "mm", "remainder", "fmod"],
        &["input", "other"],
    ),
    (&["eq", "ne", "lt", "le", "gt", "ge", "floor_divide"], &["input", "other"]),
    (&["logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or"], &["input", "other"]),
    (&["pow"], &["input", "exponent"]),
    (&["addcmul"], &["input", "tensor1", "tensor2", "value"]),
    (&["lerp"], &["input", "end", "weight"]),
    (&["clamp", "clip"], &["input", "min", "max"]),
    (&["clamp_min", "clamp_max"], &["input", "bound"]),
    (&["masked_fill"], &["input", "mask", "value"]),
    (&["where"], &["condition", "input", "other"]),
    (&["cat", "concat", "concatenate", "stack"], &["tensors", "dim"]),
    (&["linear"], &["input", "weight", "bias"]),
    (&["conv2d"], &["input", "weight", "bias", "stride", "padding", "dilation", "groups"]),
    (&["conv_transpose2d"], &["input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation"]),
    (&["layer_norm"], &["input", "normalized_shape", "weight", "bias", "eps"]),
    (
        &["instance_norm"],
        &["input", "running_mean", "running_var", "weight", "bias", "use_input_stats", "momentum", "eps"],
    ),
    (&["grid_sample"], &["input", "grid", "mode", "padding_mode", "align_corners"]),
    (
        &["dropout", "dropout2d", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"],
        &["input", "p", "training", "inplace"],
    ),
];

/// The arguments of one call, by name.
struct Bound {
    names: &'static [&'static str],
    values: Vec<Option<Value>>,
}

impl Bound {
    fn get(&self, name: &str) -> Option<&Value> {
        let place = self.names.iter().position(|own| own.trim_end_matches('*') == name)?;
        self.values[place].as_ref().filter(|value| !matches!(value, Value::None))
    }
}

fn signature(name: &str) -> Option<&'static [&'static str]> {
    SIGNATURES.iter().find(|(names, _)| names.contains(&name)).map(|(_, arguments)| *arguments)
}

impl Run<'_> {
    /// A function on tensors; `None` if it is not known. `x.relu_()` and `inplace=True` change the first tensor.
    pub(super) fn on_tensors(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        let plain = name.strip_suffix('_').filter(|plain| !plain.is_empty() && !plain.ends_with('_'));
        if signature(name).is_some() || plain.is_none() {
            return self.function_on_tensors(name, given, line);
        }
        let (Some(plain), Some(Value::Tensor(x))) = (plain, given.get(0, "input").cloned()) else {
            return Ok(None);
        };
        if matches!(plain, "requires_grad" | "detach") {
            return Ok(Some(Value::Tensor(x)));
        }
        if is_random(plain) || matches!(plain, "fill" | "zero" | "copy") {
            return self.filled_in_place(plain, x, given, line);
        }
        if matches!(plain, "squeeze" | "unsqueeze" | "transpose" | "t" | "resize") {
            return at(line, format!(".{name} changes the shape of a tensor in place, which is not followed"));
        }
        let Some(result) = self.function_on_tensors(plain, given, line)? else {
            return Ok(None);
        };
        self.overwrite(x, &result, line)?;
        Ok(Some(Value::Tensor(x)))
    }

    /// `x.zero_()`, `x.fill_(value)`, `x.copy_(other)`, `x.normal_()`.
    fn filled_in_place(&mut self, name: &str, x: Id, given: &Given, line: usize) -> Result<Option<Value>> {
        let value = match (name, given.args.get(1)) {
            ("zero", _) => Value::Int(0),
            ("fill" | "copy", Some(value)) => value.clone(),
            ("fill" | "copy", None) => return at(line, format!("{name}_ takes a value")),
            _ => {
                self.forget(x);
                return Ok(Some(Value::Tensor(x)));
            }
        };
        self.copy_into(x, &value, line)?;
        Ok(Some(Value::Tensor(x)))
    }

    fn function_on_tensors(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        if let Some(names) = signature(name) {
            let bound = self.bound(name, names, given, line)?;
            let result = self.known_function(name, &bound, line)?;
            let in_place = match bound.get("inplace") {
                Some(value) => self.truth(&value.clone(), line)?,
                None => false,
            };
            return self.returned(result, in_place, bound.get("input").cloned(), line);
        }
        let Some(Value::Tensor(x)) = given.get(0, "input").cloned() else {
            return Ok(None);
        };
        let shape = self.tensor(x).shape;
        let Some(call) = known_layers::function(name, given, &self.heap, shape, line)? else {
            return Ok(None);
        };
        let (op, in_place) = call;
        let result = match op {
            Some(op) => self.op(op, &[x], self.kind_after(x), line)?,
            None => x,
        };
        self.returned(Some(Value::Tensor(result)), in_place, Some(Value::Tensor(x)), line)
    }

    /// The result, or the tensor itself once it has been changed in place.
    fn returned(
        &mut self,
        result: Option<Value>,
        in_place: bool,
        x: Option<Value>,
        line: usize,
    ) -> Result<Option<Value>> {
        match (result, x) {
            (Some(result), Some(Value::Tensor(x))) if in_place => {
                self.overwrite(x, &result, line)?;
                Ok(Some(Value::Tensor(x)))
            }
            (result, _) => Ok(result),
        }
    }

    /// Functions of floats give floats; those that move or clamp values keep ints.
    fn kind_after(&self, _x: Id) -> Kind {
        Kind::Float
    }

    fn bound(&mut self, name: &str, names: &'static [&'static str], given: &Given, line: usize) -> Result<Bound> {
        let mut values: Vec<Option<Value>> = vec![None; names.len()];
        let mut args = given.args.iter().cloned();
        for (place, own) in names.iter().enumerate() {
            if own.ends_with('*') {
                let rest: Vec<Value> = args.by_ref().collect();
                values[place] = match &rest[..] {
                    [] => None,
                    [one @ (Value::List(_) | Value::Tuple(_))] => Some(one.clone()),
                    _ => Some(self.tuple(rest, line)?),
                };
            } else {
                values[place] = args.next();
            }
        }
        if args.next().is_some() {
            return at(line, format!("{name} is given more arguments than infill follows"));
        }
        for (key, value) in &given.named {
            let key = match key.as_str() {
                "axis" => "dim",
                "dims" | "size" if names.contains(&"shape*") => "shape",
                key => key,
            };
            match names.iter().position(|own| own.trim_end_matches('*') == key) {
                Some(place) => values[place] = Some(value.clone()),
                None if matches!((key, value), ("dtype" | "out", Value::None)) => {}
                None if key == "correction" && matches!(name, "var" | "std") => {
                    let place = names.iter().position(|own| *own == "unbiased").unwrap_or(0);
                    values[place] = Some(value.clone());
                }
                None => return at(line, format!("{name}: the argument {key} is not followed")),
            }
        }
        Ok(Bound { names, values })
    }

    fn tensor_argument(&mut self, bound: &Bound, name: &str, line: usize) -> Result<Id> {
        match bound.get(name) {
            Some(value) => self.as_tensor(&value.clone(), line),
            None => at(line, format!("the argument {name} is missing")),
        }
    }

    /// The ints of a list, or one int; what is left out is None.
    fn ints(&mut self, value: &Value, line: usize) -> Result<Vec<i64>> {
        let items = match value {
            Value::List(_) | Value::Tuple(_) => self.items(value, line)?,
            other => vec![other.clone()],
        };
        let int = |item: &Value| int_of(item).map_or_else(|| at(line, "a number is expected here"), Ok);
        items.iter().map(int).collect()
    }

    /// Dimensions counted from the end as places.
    fn dims(&mut self, x: Id, value: &Value, line: usize) -> Result<Vec<usize>> {
        let rank = self.tensor(x).shape.sides().len();
        let dims = self.ints(value, line)?;
        dims.into_iter().map(|dim| dimension(dim, rank, line)).collect()
    }

    fn dim(&mut self, x: Id, bound: &Bound, name: &str, default: Option<i64>, line: usize) -> Result<usize> {
        let value = bound.get(name).cloned().or(default.map(Value::Int));
        match value {
            Some(value) => match self.dims(x, &value, line)?[..] {
                [dim] => Ok(dim),
                _ => at(line, "one dimension is expected here"),
            },
            None => at(line, format!("the argument {name} is missing")),
        }
    }

    fn known_function(&mut self, name: &str, bound: &Bound, line: usize) -> Result<Option<Value>> {
        if matches!(name, "cat" | "concat" | "concatenate" | "stack") {
            return self.joined_tensors(name, bound, line).map(Some);
        }
        if name == "where" {
            return self.chosen(bound, line).map(Some);
        }
        if !matches!(bound.get("input"), Some(Value::Tensor(_))) {
            return match (bound.get("input"), bound.get("other")) {
                (Some(_), Some(Value::Tensor(_))) => self.arithmetic_function(name, bound, line),
                _ => Ok(None),
            };
        }
        let x = self.tensor_argument(bound, "input", line)?;
        if let Some(view) = self.view_function(name, x, bound, line)? {
            return Ok(Some(view));
        }
        if let Some(value) = self.reduction(name, x, bound, line)? {
            return Ok(Some(value));
        }
        if let Some(op) = arithmetic::unary(name, bound, line)? {
            let kind = match (name, self.tensor(x).kind) {
                ("isnan" | "logical_not", _) => Kind::Bool,
                ("abs" | "sign" | "square" | "floor" | "ceil" | "round" | "trunc", kind) => kind,
                _ => Kind::Float,
            };
            return self.op(op, &[x], kind, line).map(|id| Some(Value::Tensor(id)));
        }
        match self.arithmetic_function(name, bound, line)? {
            Some(value) => Ok(Some(value)),
            None => self.layer_function(name, x, bound, line),
        }
    }
}

/// Functions whose results are random.
pub(super) fn is_random(name: &str) -> bool {
    matches!(
        name,
        "normal" | "uniform" | "random" | "bernoulli" | "exponential" | "geometric" | "log_normal" | "cauchy"
    ) || matches!(name, "rand" | "randn" | "randint" | "randperm" | "rand_like" | "randn_like" | "randint_like")
        || matches!(name, "multinomial" | "poisson" | "xavier_normal" | "trunc_normal" | "rrelu")
}

/// A dimension counted from the end as a place.
fn dimension(dim: i64, rank: usize, line: usize) -> Result<usize> {
    let place = if dim < 0 { dim.saturating_add(rank as i64) } else { dim };
    match usize::try_from(place) {
        Ok(place) if place < rank => Ok(place),
        _ => at(
            line,
            format!(
                "Dimension out of range (expected to be in range of [-{rank}, {}], but got {dim})",
                rank as i64 - 1
            ),
        ),
    }
}

/// The modules that are these functions, and their arguments after the input.
pub(super) fn module_function(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    let function = match name {
        "Softmax" => "softmax",
        "LogSoftmax" => "log_softmax",
        "GELU" => "gelu",
        "Softplus" => "softplus",
        "CELU" => "celu",
        "SELU" => "selu",
        "Hardswish" => "hardswish",
        "Hardsigmoid" => "hardsigmoid",
        "Mish" => "mish",
        "LogSigmoid" => "logsigmoid",
        "Softsign" => "softsign",
        "Tanhshrink" => "tanhshrink",
        "Hardshrink" => "hardshrink",
        "Softshrink" => "softshrink",
        "Threshold" => "threshold",
        "Flatten" => "flatten",
        _ => return None,
    };
    signature(function).map(|arguments| (function, &arguments[1..]))
}

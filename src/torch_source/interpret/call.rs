//! Calls: layers and classes that are made, modules and functions on tensors.

use super::super::value::{Given, Id, Kind, Value};
use super::super::{at, layers};
use super::Run;
use super::arithmetic::tensor_of;
use super::modules::sets_weights;
use crate::error::Result;
use crate::limits::MAX_CLASS_SCAN_PER_STEP;
use crate::network::{Cat, ValueId};

impl Run<'_> {
    /// Calls whatever an expression stands for.
    pub(super) fn call(&mut self, callee: Value, given: Given, line: usize) -> Result<Value> {
        match callee {
            Value::Module(id) => self.forward(id, given, line),
            Value::Method(id, name, from) => self.call_method(id, &name, from, given, line),
            Value::Class(class) => self.instance(class, given, line).map(Value::Module),
            Value::Function(function, around) => self.function(&function, around, None, given, line),
            Value::Partial(id) => {
                let partial = self.heap.partials[id.0].clone();
                self.spend(1 + partial.given.named.len() * (1 + given.named.len()) / MAX_CLASS_SCAN_PER_STEP, line)?;
                let mut all = partial.given;
                all.args.extend(given.args);
                all.named.retain(|(name, _)| !given.named.iter().any(|(newer, _)| newer == name));
                all.named.extend(given.named);
                self.spend(all.args.len() + all.named.len(), line)?;
                self.deeper(line, |run| run.call(partial.callee, all, line))
            }
            Value::Of(held, name) => self.call_of(held, &name, given, line),
            Value::OfTensor(x, name) => self.call_of_tensor(x, &name, given, line),
            Value::Name(name) => self.outside(&name, given, line),
            Value::Unread => Ok(Value::Unread),
            _ => at(line, "this cannot be called here"),
        }
    }

    fn call_method(&mut self, id: Id, name: &str, from: usize, given: Given, line: usize) -> Result<Value> {
        if sets_weights(name) {
            return Ok(Value::Unread);
        }
        match self.method(id, name, from) {
            Some((function, place)) => match function.decorator.as_str() {
                "staticmethod" => self.function(&function, None, None, given, line),
                _ => self.function(&function, None, Some((id, place)), given, line),
            },
            None => self.outer_method(id, name, given, line),
        }
    }

    /// A method of a tensor.
    fn call_of_tensor(&mut self, x: ValueId, name: &str, mut given: Given, line: usize) -> Result<Value> {
        match name {
            // What changes neither values nor shape.
            "contiguous" | "clone" | "detach" | "float" | "to" | "cuda" | "cpu" | "type_as" | "requires_grad_" => {
                Ok(Value::Tensor(x))
            }
            "dim" => Ok(Value::Int(4)),
            "size" => {
                let sizes = self.sizes(x, line)?;
                match given.get(0, "dim").cloned() {
                    Some(place) => self.pick(sizes, place, line),
                    None => Ok(sizes),
                }
            }
            _ => {
                given.args.insert(0, Value::Tensor(x));
                match self.on_tensors(name, &given, line)? {
                    Some(value) => Ok(value),
                    None => at(line, format!(".{name} of a tensor is not read: sizes come from the layers alone")),
                }
            }
        }
    }

    /// A function of `torch` or `torch.nn.functional` on tensors; `None` if it is not known.
    fn on_tensors(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        let operator = match name.trim_end_matches('_') {
            "add" => "+",
            "sub" | "subtract" => "-",
            "mul" | "multiply" => "*",
            "div" | "divide" => "/",
            _ => "",
        };
        let first = given.get(0, "input").cloned();
        match (operator, first) {
            ("", Some(Value::Tensor(x))) => {
                if matches!(name, "dropout" | "dropout2d" | "alpha_dropout" | "feature_dropout") {
                    return Ok(Some(Value::Tensor(x)));
                }
                let shape = if given.get(1, "size").is_some() { self.shape(x, line)? } else { None };
                match layers::function(name, given, &self.heap, shape, line)? {
                    Some(op) => self.tensor(op, &[x], name, line).map(Some),
                    None => Ok(None),
                }
            }
            ("", _) => Ok(None),
            (operator, Some(first)) if given.args.len() == 2 && given.named.is_empty() => {
                self.binary(operator, first, given.args[1].clone(), line).map(Some)
            }
            _ => at(line, format!("{name} takes two tensors here")),
        }
    }

    /// `torch.cat` along the channels.
    fn cat(&mut self, given: &Given, line: usize) -> Result<Value> {
        let dim = given.get(1, "dim").or(given.get(1, "axis"));
        let (Some(Value::List(items)), Some(Value::Int(1 | -3))) = (given.get(0, "tensors"), dim) else {
            return at(line, "torch.cat joins channels here: torch.cat([a, b], dim=1)");
        };
        let items = self.heap.lists[items.0].iter();
        let ids = items.map(|item| tensor_of(item, line)).collect::<Result<Vec<_>>>()?;
        match &ids[..] {
            [] => at(line, "torch.cat needs at least one tensor"),
            [one] => Ok(Value::Tensor(*one)),
            _ => self.tensor(Cat::CHANNELS, &ids, "cat", line),
        }
    }

    /// Calls something from outside the file by its dotted name.
    pub(super) fn outside(&mut self, name: &str, mut given: Given, line: usize) -> Result<Value> {
        let short = name.rsplit('.').next().unwrap_or(name);
        if let Some(value) = self.builtin(name, &given, line)? {
            return Ok(value);
        }
        match short {
            "__init__" => return Ok(Value::None),
            "Sequential" | "ModuleList" | "ModuleDict" => {
                let kind = match short {
                    "Sequential" => Kind::Sequential,
                    "ModuleList" => Kind::List,
                    _ => Kind::Dict,
                };
                let id = self.heap.module(None, kind);
                self.fill(id, given, line)?;
                return Ok(Value::Module(id));
            }
            // Folded when the weights are loaded.
            "spectral_norm" | "weight_norm" if !given.args.is_empty() => return Ok(given.args.remove(0)),
            "cat" | "concat" | "concatenate" => {
                return self.cat(&given, line);
            }
            // Numbers that the weights' file or a run would give.
            "Parameter" | "zeros" | "ones" | "empty" | "rand" | "randn" | "tensor" | "manual_seed" | "print"
            | "warn" => {
                return Ok(Value::Unread);
            }
            _ if name.starts_with("init.") || name.contains(".init.") || sets_weights(short) => {
                return Ok(Value::Unread);
            }
            _ => {}
        }
        if let Some(kind) = layers::layer(short, &given, &self.heap, line)? {
            return Ok(Value::Module(self.heap.module(None, kind)));
        }
        match self.on_tensors(short, &given, line)? {
            Some(value) => Ok(value),
            None => at(line, format!("infill does not know {name}. It follows {}", layers::known())),
        }
    }
}

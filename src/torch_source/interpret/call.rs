//! Calls: layers and classes that are made, modules and functions on tensors.

use super::super::at;
use super::super::tensor::Kind as Number;
use super::super::value::{Given, Id, Kind, Value};
use super::Run;
use super::arithmetic::int_of;
use super::first_values::{changes_more, sets_weights};
use crate::error::Result;
use crate::limits::MAX_CLASS_SCAN_PER_STEP;
use crate::network::Shape;

/// A name as it is called: what stands before its last dot, and that.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

impl Run<'_> {
    /// Calls whatever an expression stands for.
    pub(super) fn call(&mut self, callee: Value, given: Given, line: usize) -> Result<Value> {
        match callee {
            Value::Module(id) => self.forward(id, given, line),
            Value::Method(id, name, from) => self.call_method(id, &name, from, given, line),
            Value::Class(class) => self.instance(class, given, line).map(Value::Module),
            Value::Function(function) => self.function(function, None, given, line),
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
            Value::Name(name) => self.outside(&name, given, line),
            Value::Unread => Ok(Value::Unread),
            _ => at(line, "this cannot be called here"),
        }
    }

    pub(super) fn call_method(
        &mut self,
        id: Id,
        name: &str,
        from: usize,
        mut given: Given,
        line: usize,
    ) -> Result<Value> {
        let Some((function, place)) = self.method(id, name, from) else {
            return self.outer_method(id, name, given, line);
        };
        if sets_weights(name) && function.parse_error.is_none() && !changes_more(&function.body) {
            return Ok(Value::Unread);
        }
        let is = |decorator: &str| function.decorators.iter().any(|own| own == decorator);
        let (is_static, is_of_class) = (is("staticmethod"), is("classmethod"));
        let function = self.defined(&function)?;
        if is_of_class {
            let class = self.heap.modules[id.0].class.unwrap_or_default();
            given.args.insert(0, Value::Class(class));
        }
        let this = if is_static || is_of_class { None } else { Some((id, place)) };
        self.function(function, this, given, line)
    }

    /// A method of a tensor.
    pub(super) fn tensor_method(&mut self, x: Id, name: &str, mut given: Given, line: usize) -> Result<Value> {
        let shape = self.tensor(x).shape;
        Ok(match name {
            "clone" => Value::Tensor(self.copied(x, line)?),
            "contiguous" => Value::Tensor(self.contiguous(x, line)?),
            "detach" | "cuda" | "cpu" | "requires_grad_" | "detach_" => Value::Tensor(x),
            "to" | "type" => self.converted_tensor(x, &given, line)?,
            "float" => Value::Tensor(self.cast(x, Number::Float, line)?),
            "int" | "long" | "short" | "byte" => Value::Tensor(self.cast(x, Number::Int, line)?),
            "bool" => Value::Tensor(self.cast(x, Number::Bool, line)?),
            "double" | "half" | "bfloat16" => {
                return at(line, format!(".{name} is not followed: infill counts in float32"));
            }
            "dim" | "ndimension" => Value::Int(shape.sides().len() as i64),
            "nelement" => Value::Int(shape.elements() as i64),
            "size" => {
                let sizes = self.sizes(x, line)?;
                match given.get(0, "dim").cloned() {
                    Some(place) => self.pick(sizes, place, line)?,
                    None => sizes,
                }
            }
            "is_contiguous" => match &self.tensor(x).layout {
                Some(layout) => Value::Bool(layout.is_rows(shape)),
                None => return at(line, "how this tensor lies in memory is not followed"),
            },
            "new_zeros" | "new_ones" | "new_full" | "new_empty" | "new_tensor" => {
                return self.outside(&format!("torch.{}", &name[4..]), given, line);
            }
            "item" | "tolist" | "numpy" | "backward" | "register_hook" | "data_ptr" => {
                return at(line, format!(".{name} needs a run of the network"));
            }
            _ => {
                given.args.insert(0, Value::Tensor(x));
                match self.on_tensors(name, &given, line)? {
                    Some(value) => value,
                    None => return at(line, format!(".{name} of a tensor is not followed")),
                }
            }
        })
    }

    /// `x.to(..)`: another kind of number, or what is no matter here.
    fn converted_tensor(&mut self, x: Id, given: &Given, line: usize) -> Result<Value> {
        let mut x = x;
        let named = given.named.iter().filter(|(name, _)| name == "dtype" || name == "other").map(|(_, value)| value);
        for value in given.args.iter().chain(named) {
            match value {
                Value::Tensor(other) => x = self.cast(x, self.tensor(*other).kind, line)?,
                Value::Name(name) => match number_kind(name) {
                    Some(Some(kind)) => x = self.cast(x, kind, line)?,
                    Some(None) => {
                        return at(line, format!("{name} is not followed: infill counts in float32"));
                    }
                    None if name.contains("device") || name.contains("memory_format") => {}
                    None => return at(line, format!("infill does not know {name}")),
                },
                _ => {}
            }
        }
        Ok(Value::Tensor(x))
    }

    /// `x.shape`.
    pub(super) fn sizes(&mut self, x: Id, line: usize) -> Result<Value> {
        let sides = self.tensor(x).shape.sides().to_vec();
        self.tuple(sides.into_iter().map(|side| Value::Int(side as i64)).collect(), line)
    }

    /// Calls something from outside the file by its dotted name.
    pub(super) fn outside(&mut self, name: &str, mut given: Given, line: usize) -> Result<Value> {
        let (module, short) = parts(name);
        if let Some(value) = self.builtin(name, &given, line)? {
            return Ok(value);
        }
        if !module.is_empty() && !super::names::is_library(module) {
            let text = format!("{short} comes from {module}, which is not in this file: paste what defines it as well");
            return at(line, text);
        }
        if module == "torch.nn.init" || module.ends_with(".init") || sets_weights(short) {
            return Ok(given.args.into_iter().next().unwrap_or(Value::Unread));
        }
        match short {
            "__init__" => return Ok(Value::None),
            "Sequential" | "ModuleList" | "ModuleDict" | "ParameterList" | "ParameterDict" => {
                let kind = match short {
                    "Sequential" => Kind::Sequential,
                    "ModuleList" | "ParameterList" => Kind::List,
                    _ => Kind::Dict,
                };
                let id = self.heap.module(None, kind);
                self.fill(id, given, line)?;
                return Ok(Value::Module(id));
            }
            // Folded when the weights are loaded.
            "spectral_norm" | "weight_norm" | "remove_spectral_norm" | "remove_weight_norm"
                if !given.args.is_empty() =>
            {
                return Ok(given.args.remove(0));
            }
            "Parameter" if !self.paths.is_empty() && matches!(given.args.first(), Some(Value::Tensor(_))) => {
                return Ok(given.args.remove(0));
            }
            "Parameter" => return self.parameter(&given, line),
            "Variable" | "as_tensor" if matches!(given.args.first(), Some(Value::Tensor(_))) => {
                return Ok(given.args.remove(0));
            }
            "manual_seed" | "print" | "warn" | "device" | "set_num_threads" | "is_available" | "empty_cache" => {
                return Ok(Value::Unread);
            }
            _ => {}
        }
        if let Some(kind) = self.layer_kind(short, &given, line)? {
            let id = self.heap.module(None, kind);
            self.lines.insert(id, line);
            return Ok(Value::Module(id));
        }
        if let Some(value) = self.created(short, &given, line)? {
            return Ok(value);
        }
        match self.on_tensors(short, &given, line)? {
            Some(value) => Ok(value),
            None => at(line, format!("infill does not know {name}. It follows {}", super::super::layers::known())),
        }
    }

    /// `nn.Parameter(tensor)`: only its shape matters, for its values are in the file.
    fn parameter(&mut self, given: &Given, line: usize) -> Result<Value> {
        match given.get(0, "data") {
            Some(Value::Tensor(id)) => {
                let (shape, kind) = (self.tensor(*id).shape, self.tensor(*id).kind);
                Ok(Value::Tensor(self.registered(shape, kind)))
            }
            _ => at(line, "the shape of this parameter is not known"),
        }
    }

    /// A method that PyTorch's own classes have.
    pub(super) fn outer_method(&mut self, id: Id, name: &str, given: Given, line: usize) -> Result<Value> {
        match (name, &given.args[..]) {
            ("__init__", _) => self.outer_init_method(id, given, line),
            ("forward", _) => self.outer_forward(id, given, line),
            ("__call__", _) => self.forward(id, given, line),
            ("append", [item]) => {
                let item = item.clone();
                self.append(id, vec![item], line).map(|()| Value::Module(id))
            }
            ("extend", [items]) => {
                let items = self.items(items, line)?;
                self.append(id, items, line).map(|()| Value::Module(id))
            }
            ("insert", [index, item]) => {
                let (index, item) = (int_of(index), item.clone());
                let mut items: Vec<Value> = self.members(id, line)?.into_iter().map(|(_, value)| value).collect();
                let count = items.len() as i64;
                let Some(index) = index else {
                    return at(line, "insert takes a number");
                };
                let place = if index < 0 { index.saturating_add(count) } else { index }.clamp(0, count);
                items.insert(place as usize, item);
                for (place, item) in items.into_iter().enumerate() {
                    self.add(id, Value::Int(place as i64), item, line)?;
                }
                Ok(Value::Module(id))
            }
            ("update", [items]) if matches!(self.heap.modules[id.0].kind, Kind::Dict) => {
                let items = items.clone();
                self.fill(id, Given::of([items]), line).map(|()| Value::None)
            }
            ("pop", [index]) => {
                let value = self.pick(Value::Module(id), index.clone(), line)?;
                self.remove_module(id, index, line).map(|()| value)
            }
            ("add_module" | "register_module" | "register_parameter", _) => {
                let value = given.get(1, "module").or(given.get(1, "param"));
                match (given.get(0, "name"), value) {
                    (Some(name), Some(item)) => {
                        let (name, item) = (name.clone(), item.clone());
                        self.add(id, name, item, line).map(|()| Value::None)
                    }
                    _ => at(line, format!("{name} takes a name and a value")),
                }
            }
            ("register_buffer", _) => self.register_buffer(id, &given, line),
            ("get_submodule", [Value::Text(path)]) => {
                let path = path.clone();
                path.split('.').try_fold(Value::Module(id), |module, name| self.attribute(module, name, line))
            }
            ("children" | "values" | "keys" | "named_children" | "items", _) => self.children_as(name, id, line),
            // Loops over these set first values or freeze them, which a file of weights has done with.
            (
                "modules" | "named_modules" | "parameters" | "named_parameters" | "buffers" | "named_buffers"
                | "state_dict",
                _,
            ) => {
                if self.paths.is_empty() {
                    Ok(Value::Unread)
                } else {
                    at(line, format!("{name}() is not followed in forward"))
                }
            }
            ("apply", [Value::Function(function)])
                if changes_more(&self.heap.functions[function.0].function.clone().body) =>
            {
                at(line, "this changes more than the weights' first values, which is not followed")
            }
            // The network is in eval mode when it runs, whatever the class itself has said before.
            ("train", args) if !self.paths.is_empty() && !matches!(args, [Value::Bool(false)]) => {
                at(line, "train() in forward is not followed")
            }
            ("apply" | "train" | "eval" | "to" | "cuda" | "cpu" | "float" | "requires_grad_", _) => {
                Ok(Value::Module(id))
            }
            ("register_forward_hook" | "register_forward_pre_hook" | "register_full_backward_hook", _) => {
                at(line, "hooks are not followed")
            }
            ("half" | "double" | "bfloat16", _) => {
                at(line, format!(".{name} is not followed: infill counts in float32"))
            }
            _ if sets_weights(name) => Ok(Value::Unread),
            _ => at(line, format!("{} has no {name}", self.class_name(id))),
        }
    }

    fn outer_init_method(&mut self, id: Id, given: Given, line: usize) -> Result<Value> {
        self.outer_init(id, given, line).map(|()| Value::None)
    }

    /// `register_buffer(name, tensor, persistent=True)`: what is persistent is in the file.
    fn register_buffer(&mut self, id: Id, given: &Given, line: usize) -> Result<Value> {
        let (Some(Value::Text(name)), Some(value)) = (given.get(0, "name"), given.get(1, "tensor")) else {
            return at(line, "register_buffer takes a name and a tensor");
        };
        let (name, value) = (name.clone(), value.clone());
        let persistent = match given.get(2, "persistent").cloned() {
            Some(flag) => self.truth(&flag, line)?,
            None => true,
        };
        let value = match value {
            Value::Tensor(tensor) if persistent => {
                let (shape, kind) = (self.tensor(tensor).shape, self.tensor(tensor).kind);
                Value::Tensor(self.registered(shape, kind))
            }
            Value::Tensor(_) | Value::None => value,
            _ => return at(line, "the shape of this buffer is not known"),
        };
        self.set(id, name, value, line).map(|()| Value::None)
    }

    /// The children as one of the methods that loops run over gives them: their names, themselves, or pairs of both.
    fn children_as(&mut self, method: &str, id: Id, line: usize) -> Result<Value> {
        let mut items = Vec::new();
        for (name, child) in self.members(id, line)? {
            items.push(match method {
                "keys" => Value::Text(name),
                "children" | "values" => child,
                _ => self.tuple(vec![Value::Text(name), child], line)?,
            });
        }
        self.list(items, line)
    }
}

/// What kind of numbers a dtype holds: `None` if it is none, `Some(None)` if infill does not count in it.
pub(super) fn number_kind(name: &str) -> Option<Option<Number>> {
    let (_, short) = parts(name);
    Some(match short {
        "float" | "float32" | "FloatTensor" => Some(Number::Float),
        "int" | "long" | "int64" | "int32" | "LongTensor" | "IntTensor" => Some(Number::Int),
        "bool" | "BoolTensor" => Some(Number::Bool),
        "half" | "float16" | "bfloat16" | "double" | "float64" | "uint8" | "int8" | "int16" | "short" => None,
        "HalfTensor" | "DoubleTensor" | "ByteTensor" | "complex64" => None,
        _ => return None,
    })
}

/// A shape from sides; an error if it has too many, or one that no tensor has.
pub(super) fn shape_from(sides: &[i64], line: usize) -> Result<Shape> {
    let sides: Option<Vec<usize>> = sides.iter().map(|&side| usize::try_from(side).ok()).collect();
    match sides.and_then(|sides| Shape::of(&sides)).filter(|shape| shape.checked_elements().is_some()) {
        Some(shape) => Ok(shape),
        None => at(line, "a tensor of this shape cannot be held"),
    }
}

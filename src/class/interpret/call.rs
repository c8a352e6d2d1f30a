//! Calls: layers and classes that are made, modules and functions on tensors.

use std::rc::Rc;

use super::super::{at, layers};
use super::arithmetic::{range, tensor_of};
use super::{ITEMS, Module, Names, Run, Value};
use crate::error::Result;
use crate::network::{NodeId, Op};

impl Run<'_> {
    /// Calls whatever an expression stands for.
    pub(super) fn call(&mut self, callee: Value, mut args: Vec<Value>, named: Names, line: usize) -> Result<Value> {
        match callee {
            Value::Module(module, path) => self.forward(&module, &path, args, named, line),
            Value::Method(module, path, name) => match name.as_str() {
                "__init__" => Ok(Value::None),
                // What changes how training goes, and nothing of the network.
                "apply" | "train" | "eval" | "init_weights" | "initialize" | "initialize_weights"
                | "reset_parameters" | "weight_init" | "_init_weights" | "register_buffer" => Ok(Value::None),
                _ => self.method(&module, &path, &name, args, named, line),
            },
            Value::Name(name) => {
                let short = name.rsplit('.').next().unwrap_or(&name).to_owned();
                if let Some(class) = self.classes.iter().position(|class| class.name == name) {
                    return Ok(Value::Module(self.instance(class, args, named, line)?, String::new()));
                }
                match short.as_str() {
                    "super" => Ok(Value::Name("super".to_owned())),
                    "__init__" => Ok(Value::None),
                    "range" => range(&args, line),
                    "len" => match args.first() {
                        Some(Value::List(items)) => Ok(Value::Int(items.len() as i64)),
                        _ => at(line, "len takes a list here"),
                    },
                    "Sequential" | "ModuleList" => {
                        if let [Value::List(items)] = &args[..] {
                            args = items.clone();
                        }
                        Ok(Value::Module(Rc::new(Module::List(args)), String::new()))
                    }
                    // Folded when the weights are loaded.
                    "spectral_norm" | "weight_norm" if !args.is_empty() => Ok(args.remove(0)),
                    "cat" | "concat" | "concatenate" => {
                        let dim = named.get("dim").or(named.get("axis")).or(args.get(1)).cloned();
                        match (args.into_iter().next(), dim) {
                            (Some(Value::List(items)), Some(Value::Int(1 | -3))) => {
                                let ids = items.iter().map(|item| tensor_of(item, line)).collect::<Result<Vec<_>>>()?;
                                self.tensor(Op::Cat, &ids, "cat", line)
                            }
                            _ => at(line, "torch.cat joins channels here: torch.cat([a, b], dim=1)"),
                        }
                    }
                    "add" if args.len() == 2 => {
                        let (a, b) = (args.remove(0), args.remove(0));
                        self.binary("+", a, b, line)
                    }
                    _ => match layers::layer(&short, &args, &named, line)? {
                        Some(module) => Ok(Value::Module(Rc::new(module), String::new())),
                        None => match (layers::function(&short, &args, &named, line)?, args.first()) {
                            (Some(op), Some(Value::Tensor(x))) => self.tensor(op, &[*x], &short, line),
                            _ => at(line, format!("infill does not know {name}")),
                        },
                    },
                }
            }
            _ => at(line, "this cannot be called here"),
        }
    }

    /// A module on tensors.
    fn forward(
        &mut self,
        module: &Rc<Module>,
        path: &str,
        args: Vec<Value>,
        mut named: Names,
        line: usize,
    ) -> Result<Value> {
        let op = match &**module {
            Module::Own(..) => return self.method(module, path, "forward", args, named, line),
            Module::Nothing => return args.into_iter().next().map_or_else(|| at(line, "an input is missing"), Ok),
            Module::List(_) => {
                let Some(mut value) = args.into_iter().next() else { return at(line, "an input is missing") };
                for child in children(module, path) {
                    value = self.call(child, vec![value], Names::new(), line)?;
                }
                return Ok(value);
            }
            Module::Layer(op) => op.clone(),
        };
        let x = args.first().map_or_else(|| at(line, "an input is missing"), |x| tensor_of(x, line))?;
        let op = match (op, named.remove("output_size").or(args.get(1).cloned())) {
            (Op::ConvTranspose2d(_), Some(_)) => {
                return at(
                    line,
                    "output_size depends on the input's size: give the layer the output_padding it chooses",
                );
            }
            (op, _) => op,
        };
        if !self.used.insert(path.to_owned()) && !op.parameters().is_empty() {
            return at(line, format!("{path} is used twice: shared weights are not read"));
        }
        self.tensor(op, &[x], path, line)
    }

    /// Adds a node; functions are named after themselves.
    pub(super) fn tensor(&mut self, op: Op, inputs: &[NodeId], path: &str, line: usize) -> Result<Value> {
        let count = self.network.nodes.len();
        if count > ITEMS {
            return at(line, "the network has too many layers");
        }
        let name = if path.is_empty() { op.name() } else { path };
        let taken = self.network.nodes.iter().any(|node| node.path == name);
        let name = if taken { format!("{name}@{count}") } else { name.to_owned() };
        Ok(Value::Tensor(self.network.node(name, op, inputs)))
    }
}

/// The items of a `Sequential` or `ModuleList`, each under its index.
pub(super) fn children(module: &Module, path: &str) -> Vec<Value> {
    let Module::List(items) = module else { return Vec::new() };
    let child = |(index, item): (usize, &Value)| match item {
        Value::Module(child, _) if path.is_empty() => Value::Module(child.clone(), index.to_string()),
        Value::Module(child, _) => Value::Module(child.clone(), format!("{path}.{index}")),
        other => other.clone(),
    };
    items.iter().enumerate().map(child).collect()
}

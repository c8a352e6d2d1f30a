//! Follows `__init__` and `forward`: modules and tensors are names in a growing description, numbers are numbers.

mod arithmetic;
mod call;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::at;
use super::parser::{Argument, Class, Expression, Function, Node, Statement};
use super::value::{Module, Value};
use crate::error::{Code, Error, Result};
use crate::network::{Network, Op};
use arithmetic::{pick, truth};
use call::children;

/// Most statements and calls that are followed.
const STEPS: usize = 200_000;
/// Deepest calls of methods.
const CALLS: usize = 24;
/// Most items of a list, and most layers.
const ITEMS: usize = 4096;

/// The network that the last class describes.
pub fn network(classes: &[Class], channels: &[usize]) -> Result<Network> {
    let missing = || Error::new(Code::NetworkInvalid, "There is no class with a forward method in this file.");
    let has_forward = |class: &Class| class.functions.iter().any(|(name, _)| name == "forward");
    let root = classes.iter().rposition(has_forward).ok_or_else(missing)?;
    let mut run = Run { classes, network: Network::new(), used: HashSet::new(), steps: 0, calls: 0 };
    let line = classes[root].line;
    let module = run.instance(root, Vec::new(), HashMap::new(), line)?;
    let forward = function(&classes[root], "forward").ok_or_else(missing)?;
    if let Some(fault) = &forward.fault {
        return Err(fault.clone());
    }
    let required = forward.parameters.iter().filter(|(_, default)| default.is_none()).count();
    if !(required..=forward.parameters.len()).contains(&channels.len()) {
        return at(forward.line, format!("forward takes {required} tensors, but {} are given", channels.len()));
    }
    let inputs = forward.parameters.iter().zip(channels);
    let tensors: Vec<Value> = inputs.map(|((name, _), &count)| Value::Tensor(run.network.input(name, count))).collect();
    match run.method(&module, "", "forward", tensors, HashMap::new(), line)? {
        Value::Tensor(output) => Ok(run.network.returns(output)),
        _ => at(forward.line, "forward must return one tensor"),
    }
}

fn function<'a>(class: &'a Class, name: &str) -> Option<&'a Function> {
    class.functions.iter().find(|(found, _)| found == name).map(|(_, function)| function)
}

struct Run<'a> {
    classes: &'a [Class],
    network: Network,
    used: HashSet<String>,
    steps: usize,
    calls: usize,
}

type Names = HashMap<String, Value>;

impl Run<'_> {
    fn step(&mut self, line: usize) -> Result<()> {
        self.steps += 1;
        match self.steps <= STEPS {
            true => Ok(()),
            false => at(line, "this goes on for too long"),
        }
    }

    fn instance(&mut self, class: usize, args: Vec<Value>, named: Names, line: usize) -> Result<Rc<Module>> {
        let module = Rc::new(Module::Own(class, RefCell::default()));
        if function(&self.classes[class], "__init__").is_some() {
            self.method(&module, "", "__init__", args, named, line)?;
        }
        Ok(module)
    }

    /// Follows a method of a class of the file.
    fn method(
        &mut self,
        module: &Rc<Module>,
        path: &str,
        name: &str,
        args: Vec<Value>,
        mut named: Names,
        line: usize,
    ) -> Result<Value> {
        let Module::Own(class, _) = &**module else { return at(line, format!("{name} is not read here")) };
        let classes = self.classes;
        let found = function(&classes[*class], name);
        let Some(function) = found else { return at(line, format!("{} has no {name}", classes[*class].name)) };
        if let Some(fault) = &function.fault {
            return Err(fault.clone());
        }
        self.calls += 1;
        if self.calls > CALLS {
            return at(line, "methods call each other too deeply");
        }
        if args.len() > function.parameters.len() {
            return at(
                line,
                format!("{name} is given {} arguments and takes {}", args.len(), function.parameters.len()),
            );
        }
        let mut names = Names::from([("self".to_owned(), Value::Module(module.clone(), path.to_owned()))]);
        let mut args = args.into_iter();
        for (parameter, default) in &function.parameters {
            let value = match (args.next().or_else(|| named.remove(parameter)), default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.value(default, &mut Names::new())?,
                (None, None) => {
                    let text = format!("{} needs the argument {parameter}", classes[*class].name);
                    return at(line, text + ": give it a default, which infill can take");
                }
            };
            names.insert(parameter.clone(), value);
        }
        if let Some(unknown) = named.keys().next() {
            return at(line, format!("{name} has no argument {unknown}"));
        }
        let returned = self.block(&function.body, &mut names)?;
        self.calls -= 1;
        Ok(returned.unwrap_or(Value::None))
    }

    /// Follows statements; `Some` is what they return.
    fn block(&mut self, body: &[Statement], names: &mut Names) -> Result<Option<Value>> {
        for statement in body {
            let returned = self.statement(statement, names)?;
            if returned.is_some() {
                return Ok(returned);
            }
        }
        Ok(None)
    }

    fn statement(&mut self, statement: &Statement, names: &mut Names) -> Result<Option<Value>> {
        match statement {
            Statement::Expression(expression) => {
                self.step(expression.line)?;
                self.value(expression, names)?;
            }
            Statement::Return(line, value) => {
                self.step(*line)?;
                return match value {
                    Some(value) => self.value(value, names).map(Some),
                    None => Ok(Some(Value::None)),
                };
            }
            Statement::Assign(targets, operator, value) => {
                self.step(value.line)?;
                let mut result = self.value(value, names)?;
                if let (Some(operator), [target]) = (operator, &targets[..]) {
                    let before = self.value(target, names)?;
                    result = self.binary(operator, before, result, value.line)?;
                }
                for target in targets {
                    self.assign(target, result.clone(), names)?;
                }
            }
            Statement::For(line, targets, over, body) => {
                for item in self.items(over, names)? {
                    self.step(*line)?;
                    bind(targets, item, names, *line)?;
                    let returned = self.block(body, names)?;
                    if returned.is_some() {
                        return Ok(returned);
                    }
                }
            }
            Statement::If(condition, then, other) => {
                self.step(condition.line)?;
                let value = self.value(condition, names)?;
                let body = if truth(&value, condition.line)? { then } else { other };
                return self.block(body, names);
            }
        }
        Ok(None)
    }

    fn assign(&mut self, target: &Expression, value: Value, names: &mut Names) -> Result<()> {
        match &target.node {
            Node::Name(name) => drop(names.insert(name.clone(), value)),
            Node::Attribute(owner, name) => match self.value(owner, names)? {
                Value::Module(module, _) if matches!(&*module, Module::Own(..)) => {
                    if let Module::Own(_, attributes) = &*module {
                        attributes.borrow_mut().insert(name.clone(), value);
                    }
                }
                _ => return at(target.line, format!("{name} can only be set on self")),
            },
            Node::Tuple(targets) => match value {
                Value::List(values) if values.len() == targets.len() => {
                    for (target, value) in targets.iter().zip(values) {
                        self.assign(target, value, names)?;
                    }
                }
                _ => return at(target.line, "as many values as names are expected here"),
            },
            _ => return at(target.line, "this cannot be assigned to here"),
        }
        Ok(())
    }

    /// What a loop runs over.
    fn items(&mut self, over: &Expression, names: &mut Names) -> Result<Vec<Value>> {
        match self.value(over, names)? {
            Value::List(items) => Ok(items),
            Value::Module(module, path) if matches!(&*module, Module::List(_)) => Ok(children(&module, &path)),
            _ => at(over.line, "a loop runs over a list, a range or a ModuleList here"),
        }
    }

    fn value(&mut self, expression: &Expression, names: &mut Names) -> Result<Value> {
        let line = expression.line;
        Ok(match &expression.node {
            Node::Int(number) => Value::Int(*number),
            Node::Float(number) => Value::Float(*number),
            Node::Text(text) => Value::Text(text.clone()),
            Node::Name(name) => match (names.get(name), name.as_str()) {
                (Some(value), _) => value.clone(),
                (None, "None") => Value::None,
                (None, "True") => Value::Bool(true),
                (None, "False") => Value::Bool(false),
                _ => Value::Name(name.clone()),
            },
            Node::Attribute(owner, name) => {
                let owner = self.value(owner, names)?;
                self.attribute(owner, name, line)?
            }
            Node::Call(callee, arguments) => {
                self.step(line)?;
                let callee = self.value(callee, names)?;
                let (args, named) = self.arguments(arguments, names)?;
                self.call(callee, args, named, line)?
            }
            Node::Index(list, index) => match (self.value(list, names)?, self.value(index, names)?) {
                (Value::List(items), Value::Int(at)) => pick(items, at, line)?,
                (Value::Module(module, path), Value::Int(at)) => pick(children(&module, &path), at, line)?,
                _ => return at(line, "an index picks from a list here"),
            },
            Node::List(arguments) => Value::List(self.arguments(arguments, names)?.0),
            Node::Tuple(items) => Value::List(items.iter().map(|item| self.value(item, names)).collect::<Result<_>>()?),
            Node::Each(item, targets, over) => {
                let mut list = Vec::new();
                for value in self.items(over, names)? {
                    self.step(line)?;
                    bind(targets, value, names, line)?;
                    list.push(self.value(item, names)?);
                }
                Value::List(list)
            }
            Node::Binary(operator, left, right) => {
                let left = self.value(left, names)?;
                if matches!(*operator, "and" | "or") {
                    return match truth(&left, line)? == (*operator == "or") {
                        true => Ok(left),
                        false => self.value(right, names),
                    };
                }
                let right = self.value(right, names)?;
                self.binary(operator, left, right, line)?
            }
            Node::Minus(value) => match self.value(value, names)? {
                Value::Int(number) => Value::Int(number.wrapping_neg()),
                Value::Float(number) => Value::Float(-number),
                Value::Tensor(x) => self.tensor(Op::Affine { scale: -1.0, offset: 0.0 }, &[x], "", line)?,
                _ => return at(line, "this has no negative"),
            },
            Node::Not(value) => Value::Bool(!truth(&self.value(value, names)?, line)?),
        })
    }

    fn arguments(&mut self, arguments: &[Argument], names: &mut Names) -> Result<(Vec<Value>, Names)> {
        let (mut args, mut named) = (Vec::new(), Names::new());
        for argument in arguments {
            let line = argument.value.line;
            let value = self.value(&argument.value, names)?;
            match (&argument.name, argument.is_spread, value) {
                (None, true, Value::List(items)) => args.extend(items),
                (None, true, _) => return at(line, "only a list can be spread with *"),
                (Some(name), _, value) => drop(named.insert(name.clone(), value)),
                (None, false, value) => args.push(value),
            }
            if args.len() > ITEMS {
                return at(line, "this list is too long");
            }
        }
        Ok((args, named))
    }

    fn attribute(&mut self, owner: Value, name: &str, line: usize) -> Result<Value> {
        match owner {
            Value::Name(owner) => Ok(Value::Name(format!("{owner}.{name}"))),
            Value::Module(module, path) => {
                let below = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                if let Module::Own(_, attributes) = &*module
                    && let Some(value) = attributes.borrow().get(name)
                {
                    return Ok(match value {
                        Value::Module(child, _) => Value::Module(child.clone(), below),
                        other => other.clone(),
                    });
                }
                Ok(Value::Method(module, path, name.to_owned()))
            }
            Value::Tensor(_) => at(line, format!(".{name} of a tensor is not read: sizes come from the layers alone")),
            Value::List(items) if name == "append" => {
                drop(items);
                at(line, "append is not read: write the list with +, or with [.. for ..]")
            }
            _ => at(line, format!(".{name} is not read here")),
        }
    }
}

/// Gives a loop's names their values.
fn bind(targets: &[String], value: Value, names: &mut Names, line: usize) -> Result<()> {
    match (targets, value) {
        ([name], value) => drop(names.insert(name.clone(), value)),
        (targets, Value::List(values)) if values.len() == targets.len() => {
            names.extend(targets.iter().cloned().zip(values));
        }
        _ => return at(line, "as many values as names are expected here"),
    }
    Ok(())
}

//! Follows `__init__` and `forward`: modules and tensors are names in a growing description, numbers are numbers.

mod arithmetic;
mod builtins;
mod call;
mod expression;
mod lists;
mod modules;

use std::collections::HashMap;
use std::rc::Rc;

use super::at;
use super::parser::{Expression, Function, Module, Node, Parameter, Statement, Takes};
use super::value::{Given, Heap, Id, Kind, Scope, Value};
use crate::error::{Code, Error, Result};
use crate::limits::{
    MAX_CLASS_CALL_DEPTH, MAX_CLASS_FILE_STEPS, MAX_CLASS_ITEMS, MAX_CLASS_SCAN_PER_STEP, MAX_CLASS_STEPS,
    MAX_CLASS_TEXT_BYTES,
};
use crate::network::{Network, Shape, ValueId};
use arithmetic::truth;

/// The classes with a `forward`, last one first: the order in which they are taken for the network.
pub fn candidates(module: &Module) -> Vec<usize> {
    let has_forward = |&class: &usize| {
        let own = &module.classes[class].lineage;
        own.iter().any(|&class| module.classes[class].functions.contains_key("forward"))
    };
    (0..module.classes.len()).rev().filter(has_forward).collect()
}

/// The steps that are left for a file's classes.
pub struct Budget(usize);

impl Budget {
    /// What a file may take.
    pub fn new() -> Self {
        Self(MAX_CLASS_FILE_STEPS)
    }
}

/// The network that this class describes.
pub fn network(
    module: &Module,
    root: usize,
    channels: &[usize],
    sizes: Option<&[Shape]>,
    budget: &mut Budget,
) -> Result<Network> {
    let (heap, network, paths) = (Heap::default(), Network::new(), HashMap::new());
    let left = MAX_CLASS_STEPS.min(budget.0);
    let mut run = Run { module, sizes, heap, network, paths, left, depth: 0 };
    let outcome = run.follow(root, channels);
    budget.0 -= left - run.left;
    let output = outcome?;
    Ok(run.network.returns(output))
}

impl Run<'_> {
    /// Makes an instance of the class and calls its `forward` on tensors of these channels; what comes out.
    fn follow(&mut self, root: usize, channels: &[usize]) -> Result<ValueId> {
        let line = self.module.classes[root].line;
        let id = self.instance(root, Given::default(), line)?;
        self.register(id, line)?;
        let missing = || Error::new(Code::NetworkInvalid, "There is no class with a forward method in this file.");
        let (forward, _) = self.method(id, "forward", 0).ok_or_else(missing)?;
        if let Some(error) = &forward.parse_error {
            return Err(error.clone());
        }
        let inputs = forward.parameters.iter().skip(1).filter(|parameter| parameter.takes == Takes::One);
        let (count, required) = (inputs.clone().count(), inputs.clone().filter(|p| p.default.is_none()).count());
        if !(required..=count).contains(&channels.len()) {
            return at(forward.line, format!("forward takes {required} tensors, but {} are given", channels.len()));
        }
        let tensor = |(input, &count): (&Parameter, &usize)| Value::Tensor(self.network.input(&input.name, count));
        let tensors: Vec<Value> = inputs.zip(channels).map(tensor).collect();
        match self.forward(id, Given::of(tensors), line)? {
            Value::Tensor(output) => Ok(output),
            _ => at(forward.line, "forward must return one tensor"),
        }
    }
}

/// One class as it is followed.
struct Run<'a> {
    module: &'a Module,
    /// The inputs' shapes, where they are known.
    sizes: Option<&'a [Shape]>,
    heap: Heap,
    network: Network,
    /// Where each module lies in the network: the first name under which it was registered.
    paths: HashMap<Id, Rc<str>>,
    /// Steps that may still be taken.
    left: usize,
    depth: usize,
}

/// How a statement ends.
enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

impl Run<'_> {
    /// Counts what is done, so that nothing goes on for ever and no memory is filled.
    fn spend(&mut self, count: usize, line: usize) -> Result<()> {
        let left = self.left.checked_sub(count);
        self.left = left.unwrap_or(0);
        match left {
            Some(_) => Ok(()),
            None => at(line, "this goes on for too long"),
        }
    }

    /// Does `work` one level of nesting deeper; an error beyond the cap.
    fn deeper<T>(&mut self, line: usize, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_CLASS_CALL_DEPTH {
            return at(line, "calls and expressions are nested too deeply");
        }
        let value = work(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// The shape of a tensor, where the inputs' are known.
    fn shape(&mut self, x: ValueId, line: usize) -> Result<Option<Shape>> {
        let Some(sizes) = self.sizes else { return Ok(None) };
        self.spend(self.network.nodes.len(), line)?;
        let shapes = self.network.shapes(sizes).or_else(|error| at(line, error.message))?;
        Ok(Some(shapes[x]))
    }

    /// `x.shape`; only a run would tell the batch.
    fn sizes(&mut self, x: ValueId, line: usize) -> Result<Value> {
        let Some(shape) = self.shape(x, line)? else { return Ok(Value::Unread) };
        let sides = shape.sides().iter().skip(1).map(|&side| Value::Int(side as i64));
        self.list(std::iter::once(Value::Unread).chain(sides).collect(), line)
    }

    fn list(&mut self, items: Vec<Value>, line: usize) -> Result<Value> {
        if items.len() > MAX_CLASS_ITEMS {
            return at(line, "this list is too long");
        }
        self.spend(items.len(), line)?;
        Ok(self.heap.list(items))
    }

    fn dict_of(&mut self, items: Vec<(Value, Value)>, line: usize) -> Result<Value> {
        if items.len() > MAX_CLASS_ITEMS {
            return at(line, "this dict is too long");
        }
        self.spend(items.len(), line)?;
        Ok(self.heap.dict(items))
    }

    fn text(&mut self, text: String, line: usize) -> Result<Value> {
        self.fits(&text, line)?;
        self.spend(text.len() / MAX_CLASS_SCAN_PER_STEP, line)?;
        Ok(Value::Text(text.into()))
    }

    /// An error if a text has become too long.
    fn fits(&self, text: &str, line: usize) -> Result<()> {
        if text.len() <= MAX_CLASS_TEXT_BYTES { Ok(()) } else { at(line, "this text is too long") }
    }

    /// Follows a function; `this` is the module of a method and the place of the method's class.
    fn function(
        &mut self,
        function: &Rc<Function>,
        around: Option<Id>,
        this: Option<(Id, usize)>,
        mut given: Given,
        line: usize,
    ) -> Result<Value> {
        if let Some(error) = &function.parse_error {
            return Err(error.clone());
        }
        let scope = self.heap.scope(Scope { names: HashMap::new(), around, this });
        if let Some((id, _)) = this {
            given.args.insert(0, Value::Module(id));
        }
        self.spend(1 + given.args.len(), line)?;
        self.bind(function, scope, given, this, line)?;
        self.deeper(line, |run| match run.block(&function.body, scope)? {
            Flow::Return(value) => Ok(value),
            _ => Ok(Value::None),
        })
    }

    /// Gives the parameters their values.
    fn bind(
        &mut self,
        function: &Function,
        scope: Id,
        given: Given,
        this: Option<(Id, usize)>,
        line: usize,
    ) -> Result<()> {
        let Given { args, mut named } = given;
        let count = args.len();
        // Every parameter is looked for among the named arguments.
        self.spend(function.parameters.len() * (1 + named.len() / MAX_CLASS_SCAN_PER_STEP), line)?;
        let mut args = args.into_iter();
        for parameter in &function.parameters {
            let name = parameter.name.as_str();
            let by_name = |named: &mut Vec<(String, Value)>| {
                let place = named.iter().position(|(found, _)| found == name);
                place.map(|place| named.remove(place).1)
            };
            let value = match parameter.takes {
                Takes::One => args.next().or_else(|| by_name(&mut named)),
                Takes::Named => by_name(&mut named),
                Takes::Rest => Some(self.list(args.by_ref().collect(), line)?),
                Takes::RestNamed => {
                    let rest = std::mem::take(&mut named).into_iter();
                    let rest = rest.map(|(name, value)| (Value::Text(name.into()), value)).collect();
                    Some(self.dict_of(rest, line)?)
                }
            };
            let value = match (value, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.value(default, scope)?,
                (None, None) => {
                    let owner = self.owner(function, this);
                    let text = format!("{owner} needs the argument {name}: give it a default, which infill can take");
                    return at(line, text);
                }
            };
            self.heap.scopes[scope.0].names.insert(name.to_owned(), value);
        }
        if args.next().is_some() {
            let text = format!("{} is given {count} arguments and takes {}", function.name, function.parameters.len());
            return at(line, text);
        }
        match named.first() {
            Some((name, _)) => at(line, format!("{} has no argument {name}", function.name)),
            None => Ok(()),
        }
    }

    /// The name that a user knows a function by: an `__init__` is its class.
    fn owner<'f>(&'f self, function: &'f Function, this: Option<(Id, usize)>) -> &'f str {
        let class = this.and_then(|(id, _)| self.heap.modules[id.0].class);
        let class = class.filter(|_| function.name == "__init__").map(|class| &self.module.classes[class].name);
        class.unwrap_or(&function.name)
    }

    /// Follows statements in the scope of their function.
    fn block(&mut self, body: &[Statement], scope: Id) -> Result<Flow> {
        for statement in body {
            let flow = self.statement(statement, scope)?;
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Statement, scope: Id) -> Result<Flow> {
        match statement {
            Statement::Expression(expression) => drop(self.value(expression, scope)?),
            Statement::Return(None) => return Ok(Flow::Return(Value::None)),
            Statement::Return(Some(value)) => return self.value(value, scope).map(Flow::Return),
            Statement::Assign(targets, operator, value) => {
                let mut result = self.value(value, scope)?;
                if let (Some(operator), [target]) = (operator, &targets[..]) {
                    let before = self.value(target, scope)?;
                    result = self.in_place(operator, before, result, value.line)?;
                }
                for target in targets {
                    self.assign(target, result.clone(), scope)?;
                }
            }
            Statement::For(line, targets, over, body) => return self.for_loop(*line, targets, over, body, scope),
            Statement::While(condition, body) => return self.while_loop(condition, body, scope),
            Statement::If(condition, then, other) => {
                let value = self.value(condition, scope)?;
                let body = if self.truth(&value, condition.line)? { then } else { other };
                return self.deeper(condition.line, |run| run.block(body, scope));
            }
            Statement::With(body) => return self.block(body, scope),
            Statement::Define(function) => {
                let value = Value::Function(function.clone(), Some(scope));
                self.heap.scopes[scope.0].names.insert(function.name.clone(), value);
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Raise(line) => return at(*line, "the class itself ends in an error here (raise)"),
        }
        Ok(Flow::Next)
    }

    /// `before operator= value`.
    fn in_place(&mut self, operator: &str, before: Value, value: Value, line: usize) -> Result<Value> {
        match (operator, &before, &value) {
            // Grows the list that is there, for everybody who holds it.
            ("+", Value::List(list), Value::List(more)) => {
                let more = self.heap.lists[more.0].clone();
                self.extend(*list, more, line)?;
                Ok(before)
            }
            _ => self.binary(operator, before, value, line),
        }
    }

    fn for_loop(
        &mut self,
        line: usize,
        targets: &Expression,
        over: &Expression,
        body: &[Statement],
        scope: Id,
    ) -> Result<Flow> {
        let over = self.value(over, scope)?;
        for item in self.items(&over, line)? {
            self.spend(1, line)?;
            self.assign(targets, item, scope)?;
            match self.deeper(line, |run| run.block(body, scope))? {
                Flow::Break => break,
                Flow::Return(value) => return Ok(Flow::Return(value)),
                Flow::Next | Flow::Continue => {}
            }
        }
        Ok(Flow::Next)
    }

    fn while_loop(&mut self, condition: &Expression, body: &[Statement], scope: Id) -> Result<Flow> {
        loop {
            let value = self.value(condition, scope)?;
            if !self.truth(&value, condition.line)? {
                return Ok(Flow::Next);
            }
            self.spend(1, condition.line)?;
            match self.deeper(condition.line, |run| run.block(body, scope))? {
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(value) => return Ok(Flow::Return(value)),
                Flow::Next | Flow::Continue => {}
            }
        }
    }

    fn truth(&mut self, value: &Value, line: usize) -> Result<bool> {
        match value {
            Value::List(id) => Ok(!self.heap.lists[id.0].is_empty()),
            Value::Dict(id) => Ok(!self.heap.dicts[id.0].items().is_empty()),
            Value::Module(id) if matches!(self.heap.modules[id.0].kind, Kind::Sequential | Kind::List | Kind::Dict) => {
                Ok(!self.children(*id, line)?.is_empty())
            }
            other => truth(other, line),
        }
    }

    fn assign(&mut self, target: &Expression, value: Value, scope: Id) -> Result<()> {
        let line = target.line;
        match &target.node {
            Node::Name(name) => drop(self.heap.scopes[scope.0].names.insert(name.clone(), value)),
            Node::Attribute(owner, name) => match self.value(owner, scope)? {
                Value::Module(module) => self.set(module, name.as_str().into(), value, line)?,
                Value::Unread => {}
                _ => return at(line, format!("{name} can only be set on self")),
            },
            Node::Index(owner, index) => {
                let (owner, index) = (self.value(owner, scope)?, self.value(index, scope)?);
                self.put(&owner, index, value, line)?;
            }
            Node::Tuple(targets) => match value {
                Value::List(id) if self.heap.lists[id.0].len() == targets.len() => {
                    for (target, value) in targets.iter().zip(self.heap.lists[id.0].clone()) {
                        self.assign(&target.value, value, scope)?;
                    }
                }
                Value::Unread => {
                    for target in targets {
                        self.assign(&target.value, Value::Unread, scope)?;
                    }
                }
                _ => return at(line, "as many values as names are expected here"),
            },
            _ => return at(line, "this cannot be assigned to here"),
        }
        Ok(())
    }
}

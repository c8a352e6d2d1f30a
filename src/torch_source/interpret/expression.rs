//! What expressions stand for.

use super::super::at;
use super::super::parser::{Argument, Clause, Expression, Node};
use super::super::value::{Given, Held, Id, Kind, Scope, Value};
use super::Run;
use super::arithmetic::int;
use crate::error::Result;
use crate::limits::MAX_CLASS_ITEMS;
use crate::network::Op;
use crate::network::ops::Affine;

impl Run<'_> {
    /// What an expression stands for in this scope.
    pub(super) fn value(&mut self, expression: &Expression, scope: Id) -> Result<Value> {
        self.spend(1, expression.line)?;
        self.deeper(expression.line, |run| run.followed(expression, scope))
    }

    fn followed(&mut self, expression: &Expression, scope: Id) -> Result<Value> {
        let line = expression.line;
        Ok(match &expression.node {
            Node::None => Value::None,
            Node::Bool(flag) => Value::Bool(*flag),
            Node::Int(number) => Value::Int(*number),
            Node::Float(number) => Value::Float(*number),
            Node::Text(text) => self.text(text.clone(), line)?,
            Node::Format(parts) => self.format(parts, scope, line)?,
            Node::Name(name) => self.name(name, scope, line)?,
            Node::Attribute(owner, name) => {
                let owner = self.value(owner, scope)?;
                self.attribute(owner, name, line)?
            }
            Node::Call(callee, _) if matches!(&callee.node, Node::Name(name) if name == "super") => {
                self.superior(scope, line)?
            }
            Node::Call(callee, arguments) => {
                let callee = self.value(callee, scope)?;
                let given = self.arguments(arguments, scope)?;
                self.call(callee, given, line)?
            }
            Node::Index(owner, index) => self.indexed(owner, index, scope, line)?,
            Node::Slice(_) => Value::Unread,
            Node::List(items) | Node::Tuple(items) => {
                let items = self.arguments(items, scope)?.args;
                self.list(items, line)?
            }
            Node::Dict(items) => self.dict(items, scope, line)?,
            Node::Each { item, clauses, is_dict } => {
                let inner = self.heap.scope(Scope { around: Some(scope), ..Scope::default() });
                let mut list = Vec::new();
                self.each(item, clauses, inner, &mut list)?;
                let list = self.list(list, line)?;
                if *is_dict { self.outside("dict", Given::of([list]), line)? } else { list }
            }
            Node::Binary(operator, left, right) => self.operation(operator, left, right, scope, line)?,
            Node::Either(parts) => {
                let [condition, value, other] = &**parts;
                let condition = self.value(condition, scope)?;
                let taken = if self.truth(&condition, line)? { value } else { other };
                self.value(taken, scope)?
            }
            Node::Lambda(function) => Value::Function(function.clone(), Some(scope)),
            Node::Minus(value) => {
                let value = self.value(value, scope)?;
                self.negative(value, line)?
            }
            Node::Not(value) => {
                let value = self.value(value, scope)?;
                Value::Bool(!self.truth(&value, line)?)
            }
        })
    }

    /// An f-string. One that holds other things than texts and numbers is most likely a message, and stays unread.
    fn format(&mut self, parts: &[Expression], scope: Id, line: usize) -> Result<Value> {
        let mut text = String::new();
        for part in parts {
            match self.value(part, scope)? {
                value @ (Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::None) => {
                    text += &self.shown(&value, line)?;
                    self.fits(&text, line)?;
                }
                _ => return Ok(Value::Unread),
            }
        }
        self.text(text, line)
    }

    /// `owner[index]`, where the index may be a slice.
    fn indexed(&mut self, owner: &Expression, index: &Expression, scope: Id, line: usize) -> Result<Value> {
        let owner = self.value(owner, scope)?;
        if let Value::Tensor(_) = owner {
            return at(line, "parts of a tensor are not read: give each input of its own to forward");
        }
        let Node::Slice(parts) = &index.node else {
            let index = self.value(index, scope)?;
            return self.pick(owner, index, line);
        };
        let mut ends = Vec::new();
        for part in parts {
            ends.push(match part {
                Some(part) => self.value(part, scope)?,
                None => Value::None,
            });
        }
        self.slice(owner, &ends, line)
    }

    /// `left operator right`; `and` and `or` look at the right side only where the left one leaves it open.
    fn operation(
        &mut self,
        operator: &str,
        left: &Expression,
        right: &Expression,
        scope: Id,
        line: usize,
    ) -> Result<Value> {
        let left = self.value(left, scope)?;
        if matches!(operator, "and" | "or") && self.truth(&left, line)? == (operator == "or") {
            return Ok(left);
        }
        let right = self.value(right, scope)?;
        if matches!(operator, "and" | "or") { Ok(right) } else { self.binary(operator, left, right, line) }
    }

    fn negative(&mut self, value: Value, line: usize) -> Result<Value> {
        match value {
            Value::Int(number) => int(number.checked_neg(), line),
            Value::Float(number) => Ok(Value::Float(-number)),
            Value::Tensor(x) => self.tensor(Affine { scale: -1.0, offset: 0.0 }, &[x], "affine", line),
            Value::Unread => Ok(Value::Unread),
            _ => at(line, "this has no negative"),
        }
    }

    /// A name of this function, of those around it, of the file, or from outside.
    fn name(&mut self, name: &str, scope: Id, line: usize) -> Result<Value> {
        let mut place = Some(scope);
        while let Some(id) = place {
            let scope = &self.heap.scopes[id.0];
            if let Some(value) = scope.names.get(name) {
                return Ok(value.clone());
            }
            place = scope.around;
        }
        let module = self.module;
        if let Some(&class) = module.class_places.get(name) {
            return Ok(Value::Class(class));
        }
        if let Some(function) = module.functions.get(name) {
            return Ok(Value::Function(function.clone(), None));
        }
        if let Some(constant) = module.constants.get(name) {
            let scope = self.heap.scope(Scope::default());
            return self.deeper(line, |run| run.value(constant, scope));
        }
        Ok(Value::Name(name.into()))
    }

    /// `super()` in a method.
    fn superior(&mut self, scope: Id, line: usize) -> Result<Value> {
        let mut place = Some(scope);
        while let Some(id) = place {
            let scope = &self.heap.scopes[id.0];
            if let Some((module, class)) = scope.this {
                return Ok(Value::Super(module, class + 1));
            }
            place = scope.around;
        }
        at(line, "super is read in a method of a class alone")
    }

    fn dict(&mut self, items: &[(Option<Expression>, Expression)], scope: Id, line: usize) -> Result<Value> {
        let mut list = Vec::new();
        for (key, value) in items {
            match key {
                Some(key) => list.push((self.value(key, scope)?, self.value(value, scope)?)),
                None => match self.value(value, scope)? {
                    Value::Dict(id) => list.extend_from_slice(self.heap.dicts[id.0].items()),
                    _ => return at(line, "only a dict can be spread with **"),
                },
            }
            if list.len() > MAX_CLASS_ITEMS {
                return at(line, "this dict is too long");
            }
        }
        self.dict_of(list, line)
    }

    fn each(&mut self, item: &Expression, clauses: &[Clause], scope: Id, list: &mut Vec<Value>) -> Result<()> {
        let Some((clause, rest)) = clauses.split_first() else {
            list.push(self.value(item, scope)?);
            return Ok(());
        };
        let line = clause.over.line;
        let over = self.value(&clause.over, scope)?;
        'items: for value in self.items(&over, line)? {
            self.spend(1, line)?;
            self.assign(&clause.targets, value, scope)?;
            for condition in &clause.conditions {
                let value = self.value(condition, scope)?;
                if !self.truth(&value, line)? {
                    continue 'items;
                }
            }
            self.deeper(line, |run| run.each(item, rest, scope, list))?;
            if list.len() > MAX_CLASS_ITEMS {
                return at(line, "this list is too long");
            }
        }
        Ok(())
    }

    fn arguments(&mut self, arguments: &[Argument], scope: Id) -> Result<Given> {
        let mut given = Given::default();
        for argument in arguments {
            let line = argument.value.line;
            let value = self.value(&argument.value, scope)?;
            match (&argument.name, argument.stars, value) {
                (None, 1, value) => given.args.extend(self.items(&value, line)?),
                (None, 2, Value::Dict(id)) => {
                    let items = self.heap.dicts[id.0].items().to_vec();
                    self.spend(items.len(), line)?;
                    for (key, value) in items {
                        let name = self.shown(&key, line)?;
                        given.named.push((name, value));
                    }
                }
                (None, 2, _) => return at(line, "only a dict can be spread with **"),
                (Some(name), _, value) => given.named.push((name.clone(), value)),
                (None, _, value) => given.args.push(value),
            }
            if given.args.len() + given.named.len() > MAX_CLASS_ITEMS {
                return at(line, "this list is too long");
            }
        }
        Ok(given)
    }

    /// `owner.name`.
    pub(super) fn attribute(&mut self, owner: Value, name: &str, line: usize) -> Result<Value> {
        Ok(match owner {
            Value::Name(owner) => self.text(format!("{owner}.{name}"), line).map(|text| match text {
                Value::Text(text) => Value::Name(text),
                other => other,
            })?,
            Value::Super(module, from) => Value::Method(module, name.into(), from),
            Value::Module(module) => self.attribute_of(module, name, line)?,
            Value::Class(class) => {
                let class = &self.module.classes[class];
                if let Some(function) = class.functions.get(name) {
                    return Ok(Value::Function(function.clone(), None));
                }
                match class.constants.get(name) {
                    Some(constant) => {
                        let scope = self.heap.scope(Scope::default());
                        self.value(constant, scope)?
                    }
                    None if name == "__name__" => Value::Text(class.name.as_str().into()),
                    None => return at(line, format!("{} has no {name}", class.name)),
                }
            }
            Value::Tensor(x) if name == "shape" => self.sizes(x, line)?,
            Value::Tensor(_) if name == "ndim" => Value::Int(4),
            Value::Tensor(_) if matches!(name, "dtype" | "device") => Value::Unread,
            Value::Tensor(x) => Value::OfTensor(x, name.into()),
            Value::Text(text) => Value::Of(Held::Text(text), name.into()),
            Value::List(id) => Value::Of(Held::List(id), name.into()),
            Value::Dict(id) => Value::Of(Held::Dict(id), name.into()),
            Value::Partial(id) if name == "func" => self.heap.partials[id.0].callee.clone(),
            Value::Unread => Value::Unread,
            _ => return at(line, format!(".{name} is not read here")),
        })
    }

    fn attribute_of(&mut self, id: Id, name: &str, line: usize) -> Result<Value> {
        if let Some(value) = self.heap.modules[id.0].get(name) {
            return Ok(value.clone());
        }
        if let Some((function, place)) = self.method(id, name, 0) {
            return match function.decorator.as_str() {
                "property" => self.function(&function, None, Some((id, place)), Given::default(), line),
                "staticmethod" => Ok(Value::Function(function, None)),
                _ => Ok(Value::Method(id, name.into(), 0)),
            };
        }
        let class = self.heap.modules[id.0].class;
        let constant = class.and_then(|class| {
            let own = &self.module.classes[class].lineage;
            own.iter().find_map(|&class| self.module.classes[class].constants.get(name))
        });
        if let Some(constant) = constant {
            let scope = self.heap.scope(Scope::default());
            return self.value(constant, scope);
        }
        let count = |number: usize| Value::Int(number as i64);
        Ok(match (name, &self.heap.modules[id.0].kind) {
            ("training", _) => Value::Bool(false),
            ("_modules", _) => {
                let children = self.children(id, line)?.into_iter();
                let children = children.map(|(name, child)| (Value::Text(name), Value::Module(child)));
                self.dict_of(children.collect(), line)?
            }
            ("weight" | "bias" | "device" | "dtype", _) => Value::Unread,
            ("in_channels", Kind::Layer(Op::Conv2d(conv))) => count(conv.in_channels),
            ("in_channels", Kind::Layer(Op::ConvTranspose2d(conv))) => count(conv.in_channels),
            ("out_channels", Kind::Layer(Op::Conv2d(conv))) => count(conv.out_channels),
            ("out_channels", Kind::Layer(Op::ConvTranspose2d(conv))) => count(conv.out_channels),
            ("num_features", Kind::Layer(Op::BatchNorm2d(norm))) => count(norm.num_features),
            _ => Value::Method(id, name.into(), 0),
        })
    }
}

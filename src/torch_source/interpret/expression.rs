//! What expressions stand for.

use super::super::at;
use super::super::parser::{Argument, Clause, Expression, Makes, Node};
use super::super::value::{Given, Id, Scope, Value};
use super::Run;
use super::arithmetic::{int, int_of};
use crate::error::Result;
use crate::limits::MAX_CLASS_ITEMS;

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
            Node::Ellipsis => Value::Ellipsis,
            Node::Bool(flag) => Value::Bool(*flag),
            Node::Int(number) => Value::Int(*number),
            Node::Float(number) => Value::Float(*number),
            Node::Text(text) => self.text(text.clone(), line)?,
            Node::Format(_) | Node::Formatted(..) => self.joined(expression, scope)?,
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
            Node::Index(owner, index) => {
                let owner = self.value(owner, scope)?;
                let index = self.value(index, scope)?;
                self.pick(owner, index, line)?
            }
            Node::List(items) => {
                let items = self.arguments(items, scope)?.args;
                self.list(items, line)?
            }
            Node::Tuple(items) => {
                let items = self.arguments(items, scope)?.args;
                self.tuple(items, line)?
            }
            Node::Slice(parts) => self.slice_value(parts, scope, line)?,
            Node::Dict(items) => self.dict(items, scope, line)?,
            Node::Each { item, clauses, makes } => self.comprehension(item, clauses, *makes, scope, line)?,
            Node::Binary(operator, left, right) => self.operation(operator, left, right, scope, line)?,
            Node::Compare(first, rest) => self.comparison(first, rest, scope, line)?,
            Node::Walrus(name, value) => {
                let value = self.value(value, scope)?;
                self.set_walrus(name, value.clone(), scope, line)?;
                value
            }
            Node::Either(parts) => {
                let [condition, value, other] = &**parts;
                let condition = self.value(condition, scope)?;
                let taken = if self.truth(&condition, line)? { value } else { other };
                self.value(taken, scope)?
            }
            Node::Lambda(function) => Value::Function(self.define(function, Some(scope))?),
            Node::Minus(value) => {
                let value = self.value(value, scope)?;
                self.negative(value, line)?
            }
            Node::Plus(value) => match self.value(value, scope)? {
                Value::Bool(flag) => Value::Int(i64::from(flag)),
                value @ (Value::Int(_) | Value::Float(_) | Value::Tensor(_) | Value::Unread) => value,
                _ => return at(line, "+ is not read before this"),
            },
            Node::Invert(value) => match self.value(value, scope)? {
                Value::Tensor(x) => self.inverted(x, line)?,
                other => match int_of(&other) {
                    Some(number) => Value::Int(!number),
                    None => return at(line, "~ is not read before this"),
                },
            },
            Node::Not(value) => {
                let value = self.value(value, scope)?;
                Value::Bool(!self.truth(&value, line)?)
            }
        })
    }

    /// `begin:end:step` inside an index.
    fn slice_value(&mut self, parts: &[Option<Expression>], scope: Id, line: usize) -> Result<Value> {
        let mut ends = Vec::new();
        for part in parts {
            ends.push(match part {
                Some(part) => self.value(part, scope)?,
                None => Value::None,
            });
        }
        self.listed(ends, line).map(Value::Slice)
    }

    /// `[item for ..]` and what resembles it.
    fn comprehension(
        &mut self,
        item: &Expression,
        clauses: &[Clause],
        makes: Makes,
        scope: Id,
        line: usize,
    ) -> Result<Value> {
        let inner = Scope { around: Some(scope), is_comprehension: true, ..Scope::default() };
        let inner = self.heap.scope(inner);
        let mut list = Vec::new();
        self.each(item, clauses, inner, &mut list)?;
        match makes {
            Makes::List => self.list(list, line),
            Makes::Generator => self.iterator(list, line),
            Makes::Dict => {
                let list = self.list(list, line)?;
                self.dict_from(&list, line)
            }
        }
    }

    /// `a < b <= c`, which looks no further once the answer is known.
    fn comparison(
        &mut self,
        first: &Expression,
        rest: &[(&'static str, Expression)],
        scope: Id,
        line: usize,
    ) -> Result<Value> {
        let mut left = self.value(first, scope)?;
        let mut answer = Value::Bool(true);
        for (index, (operator, right)) in rest.iter().enumerate() {
            let right = self.value(right, scope)?;
            answer = self.binary(operator, left, right.clone(), line)?;
            if index + 1 < rest.len() && !self.truth(&answer, line)? {
                return Ok(answer);
            }
            left = right;
        }
        Ok(answer)
    }

    /// `left operator right`; `and` and `or` look at the right side only where the left one leaves it open.
    fn operation(
        &mut self,
        operator: &'static str,
        left: &Expression,
        right: &Expression,
        scope: Id,
        line: usize,
    ) -> Result<Value> {
        let left = self.value(left, scope)?;
        if matches!(operator, "and" | "or") {
            return if self.truth(&left, line)? == (operator == "or") { Ok(left) } else { self.value(right, scope) };
        }
        let right = self.value(right, scope)?;
        self.binary(operator, left, right, line)
    }

    fn negative(&mut self, value: Value, line: usize) -> Result<Value> {
        match value {
            Value::Float(number) => Ok(Value::Float(-number)),
            Value::Tensor(_) => self.binary("*", value, Value::Int(-1), line),
            Value::Unread => Ok(Value::Unread),
            other => match int_of(&other) {
                Some(number) => int(number.checked_neg(), line),
                None => at(line, "this has no negative"),
            },
        }
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

    pub(super) fn arguments(&mut self, arguments: &[Argument], scope: Id) -> Result<Given> {
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
}

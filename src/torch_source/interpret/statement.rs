//! Statements.

use super::super::at;
use super::super::parser::{Expression, Node, Statement};
use super::super::value::{Id, Value};
use super::Run;
use super::first_values::{changes_more, is_walk};
use super::function::Flow;
use crate::error::Result;

impl Run<'_> {
    /// Follows statements in the scope of their function.
    pub(super) fn block(&mut self, body: &[Statement], scope: Id) -> Result<Flow> {
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
            Statement::Assign(targets, value) => {
                let result = self.value(value, scope)?;
                for target in targets {
                    self.assign(target, result.clone(), scope)?;
                }
            }
            Statement::Augment(target, operator, value) => self.augment(target, operator, value, scope)?,
            Statement::For(line, targets, over, body, other) => {
                let flow = self.for_loop(*line, targets, over, body, scope)?;
                return self.after_loop(*line, flow, other, scope);
            }
            Statement::While(condition, body, other) => {
                let flow = self.while_loop(condition, body, scope)?;
                return self.after_loop(condition.line, flow, other, scope);
            }
            Statement::If(condition, then, other) => {
                let value = self.value(condition, scope)?;
                let body = if self.truth(&value, condition.line)? { then } else { other };
                return self.deeper(condition.line, |run| run.block(body, scope));
            }
            Statement::With(entered, body) => return self.with(entered, body, scope),
            Statement::Define(function) => {
                let id = self.define(function, Some(scope))?;
                self.set_name(&function.name, Value::Function(id), scope, function.line)?;
            }
            Statement::Delete(targets) => targets.iter().try_for_each(|target| self.delete(target, scope))?,
            Statement::Global(names) => self.heap.scopes[scope.0].globals.extend(names.iter().cloned()),
            Statement::Nonlocal(names) => self.heap.scopes[scope.0].nonlocals.extend(names.iter().cloned()),
            Statement::Import(names) => {
                for (name, dotted) in names {
                    let value = self.imported(dotted);
                    self.heap.scopes[scope.0].names.insert(name.clone(), value);
                }
            }
            Statement::Try(line, body, last) => return self.attempt(*line, body, last, scope),
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Raise(line) => {
                return at(*line, "the class itself ends in an error here (raise)");
            }
        }
        Ok(Flow::Next)
    }

    /// A `try` whose body raises nothing; whether Python would raise is not followed, so that an error here is one.
    fn attempt(&mut self, line: usize, body: &[Statement], last: &[Statement], scope: Id) -> Result<Flow> {
        let flow = self.deeper(line, |run| run.block(body, scope))?;
        match self.deeper(line, |run| run.block(last, scope))? {
            Flow::Next => Ok(flow),
            other => Ok(other),
        }
    }

    /// `with a as b:`; what is entered may only be what has no part in the numbers.
    fn with(&mut self, entered: &[(Expression, Option<Expression>)], body: &[Statement], scope: Id) -> Result<Flow> {
        for (value, name) in entered {
            let entered = match &value.node {
                Node::Call(callee, _) => self.value(callee, scope)?,
                _ => Value::Unread,
            };
            let known = match &entered {
                Value::Name(name) => {
                    let short = name.rsplit('.').next().unwrap_or_default();
                    matches!(
                        short,
                        "no_grad" | "enable_grad" | "inference_mode" | "set_grad_enabled" | "record_function"
                    ) || matches!(short, "autocast" | "profile" | "range")
                }
                _ => false,
            };
            if !known || name.is_some() {
                return at(value.line, "infill does not follow what this enters");
            }
        }
        self.block(body, scope)
    }

    /// `target operator= value`: the target's parts are read once.
    fn augment(&mut self, target: &Expression, operator: &'static str, value: &Expression, scope: Id) -> Result<()> {
        let line = value.line;
        match &target.node {
            Node::Name(name) => {
                let before = self.value(target, scope)?;
                let value = self.value(value, scope)?;
                let result = self.in_place(operator, before, value, line)?;
                self.set_name(name, result, scope, line)
            }
            Node::Attribute(owner, name) => {
                let owner = self.value(owner, scope)?;
                let before = self.attribute(owner.clone(), name, line)?;
                let value = self.value(value, scope)?;
                let result = self.in_place(operator, before, value, line)?;
                self.set_attribute(owner, name, result, line)
            }
            Node::Index(owner, index) => {
                let (owner, index) = (self.value(owner, scope)?, self.value(index, scope)?);
                let before = self.pick(owner.clone(), index.clone(), line)?;
                let value = self.value(value, scope)?;
                let result = self.in_place(operator, before, value, line)?;
                self.put(&owner, index, result, line)
            }
            _ => at(line, "this cannot be assigned to here"),
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
        let is_walk = is_walk(over);
        let over = self.value(over, scope)?;
        if is_walk && matches!(over, Value::Unread) {
            return match changes_more(body) {
                true => at(line, "this loop changes more than the weights' first values, which is not followed"),
                false => Ok(Flow::Next),
            };
        }
        let mut items = match over {
            // A list may change while the loop runs over it.
            Value::List(_) | Value::Iterator(_) => Vec::new(),
            _ => self.items(&over, line)?,
        }
        .into_iter();
        let mut index = 0;
        loop {
            let item = match &over {
                Value::List(id) => self.heap.lists[id.0].get(index).cloned(),
                Value::Iterator(id) => self.heap.lists[id.0].pop(),
                _ => items.next(),
            };
            let Some(item) = item else {
                return Ok(Flow::Next);
            };
            index += 1;
            self.spend(1, line)?;
            self.assign(targets, item, scope)?;
            match self.deeper(line, |run| run.block(body, scope))? {
                Flow::Next | Flow::Continue => {}
                end => return Ok(end),
            }
        }
    }

    fn while_loop(&mut self, condition: &Expression, body: &[Statement], scope: Id) -> Result<Flow> {
        loop {
            let value = self.value(condition, scope)?;
            if !self.truth(&value, condition.line)? {
                return Ok(Flow::Next);
            }
            self.spend(1, condition.line)?;
            match self.deeper(condition.line, |run| run.block(body, scope))? {
                Flow::Next | Flow::Continue => {}
                end => return Ok(end),
            }
        }
    }

    /// What follows a loop: its `else`, unless a `break` ended it.
    fn after_loop(&mut self, line: usize, flow: Flow, other: &[Statement], scope: Id) -> Result<Flow> {
        match flow {
            Flow::Break => Ok(Flow::Next),
            Flow::Next => self.deeper(line, |run| run.block(other, scope)),
            end => Ok(end),
        }
    }

    pub(super) fn assign(&mut self, target: &Expression, value: Value, scope: Id) -> Result<()> {
        let line = target.line;
        match &target.node {
            Node::Name(name) => self.set_name(name, value, scope, line),
            Node::Attribute(owner, name) => {
                let owner = self.value(owner, scope)?;
                self.set_attribute(owner, name, value, line)
            }
            Node::Index(owner, index) => {
                let (owner, index) = (self.value(owner, scope)?, self.value(index, scope)?);
                self.put(&owner, index, value, line)
            }
            Node::Tuple(targets) | Node::List(targets) => {
                if matches!(value, Value::Unread) {
                    return targets.iter().try_for_each(|target| self.assign(&target.value, Value::Unread, scope));
                }
                let mut items = self.items(&value, line)?;
                let star = targets.iter().position(|target| target.stars == 1);
                let rest = items.len() as i64 - targets.len() as i64 + 1;
                match (star, usize::try_from(rest)) {
                    (Some(star), Ok(rest)) => {
                        let taken: Vec<Value> = items.splice(star..star + rest, []).collect();
                        items.insert(star, self.list(taken, line)?);
                    }
                    _ if items.len() != targets.len() => {
                        return at(line, "as many values as names are expected here");
                    }
                    _ => {}
                }
                targets.iter().zip(items).try_for_each(|(target, item)| self.assign(&target.value, item, scope))
            }
            _ => at(line, "this cannot be assigned to here"),
        }
    }

    /// `owner.name = value`.
    pub(super) fn set_attribute(&mut self, owner: Value, name: &str, value: Value, line: usize) -> Result<()> {
        match owner {
            Value::Module(module) => self.set(module, name.into(), value, line),
            Value::Tensor(tensor) if name == "data" => self.copy_into(tensor, &value, line),
            Value::Tensor(_) if matches!(name, "requires_grad" | "grad") => Ok(()),
            Value::Unread => Ok(()),
            Value::Class(class) => {
                self.heap.constants.insert((Some(class), name.to_owned()), value);
                Ok(())
            }
            _ => at(line, format!("{name} can only be set on self")),
        }
    }

    /// `del target`.
    fn delete(&mut self, target: &Expression, scope: Id) -> Result<()> {
        let line = target.line;
        match &target.node {
            Node::Name(name) => self.delete_name(name, scope, line),
            Node::Attribute(owner, name) => match self.value(owner, scope)? {
                Value::Module(id) => match self.heap.modules[id.0].remove(name) {
                    Some(_) => Ok(()),
                    None => at(line, format!("there is no {name} to delete")),
                },
                _ => at(line, "only a module's attribute can be deleted here"),
            },
            Node::Index(owner, index) => {
                let (owner, index) = (self.value(owner, scope)?, self.value(index, scope)?);
                self.remove(&owner, &index, line)
            }
            _ => at(line, "this cannot be deleted here"),
        }
    }
}

//! Functions of the file: how they are defined, and how a call binds their arguments.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::at;
use super::super::parser::{Function, Takes};
use super::super::value::{Closure, Given, Id, Scope, Value};
use super::Run;
use crate::error::Result;
use crate::limits::MAX_CLASS_SCAN_PER_STEP;

/// How a statement ends.
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

/// Decorators that change nothing about what a function computes.
fn is_harmless(decorator: &str) -> bool {
    let short = decorator.rsplit('.').next().unwrap_or_default();
    matches!(short, "staticmethod" | "classmethod" | "property" | "cached_property")
        || matches!(short, "no_grad" | "inference_mode" | "enable_grad" | "abstractmethod" | "override" | "final")
        || matches!(decorator, "torch.jit.ignore" | "torch.jit.unused" | "torch.jit.export" | "torch.jit.script_method")
        || matches!(decorator, "torch.jit.script" | "torch.compile" | "functools.wraps" | "wraps")
}

impl Run<'_> {
    /// A function that is defined here: its defaults are read now, once.
    pub(super) fn define(&mut self, function: &Rc<Function>, around: Option<Id>) -> Result<Id> {
        self.spend(1 + function.parameters.len(), function.line)?;
        let scope = match around {
            Some(around) => around,
            None => self.heap.scope(Scope::default()),
        };
        let mut defaults = Vec::new();
        for parameter in &function.parameters {
            defaults.push(parameter.default.as_ref().map(|default| self.value(default, scope)));
        }
        self.heap.functions.push(Closure { function: function.clone(), around, defaults: defaults.into() });
        Ok(Id(self.heap.functions.len() - 1))
    }

    /// A function or method of the file itself, which is defined once.
    pub(super) fn defined(&mut self, function: &Rc<Function>) -> Result<Id> {
        let place = Rc::as_ptr(function) as usize;
        if let Some(&id) = self.methods.get(&place) {
            return Ok(id);
        }
        let id = self.define(function, None)?;
        self.methods.insert(place, id);
        Ok(id)
    }

    /// Follows a function; `this` is the module of a method and the place of the method's class.
    pub(super) fn function(
        &mut self,
        id: Id,
        this: Option<(Id, usize)>,
        mut given: Given,
        line: usize,
    ) -> Result<Value> {
        let Closure { function, around, defaults } = self.heap.functions[id.0].clone();
        if let Some(error) = &function.parse_error {
            return Err(error.clone());
        }
        if let Some(other) = function.decorators.iter().find(|name| !is_harmless(name)) {
            return at(function.line, format!("the decorator @{other} may change what {} does", function.name));
        }
        let scope = self.heap.scope(Scope { around, this, ..Scope::default() });
        if let Some((id, _)) = this {
            given.args.insert(0, Value::Module(id));
        }
        self.spend(1 + given.args.len(), line)?;
        let names = self.bind(&function, &defaults, given, this, line)?;
        self.heap.scopes[scope.0].names = names;
        self.deeper(line, |run| match run.block(&function.body, scope)? {
            Flow::Return(value) => Ok(value),
            _ => Ok(Value::None),
        })
    }

    /// Gives the parameters their values.
    fn bind(
        &mut self,
        function: &Function,
        defaults: &[Option<Result<Value>>],
        given: Given,
        this: Option<(Id, usize)>,
        line: usize,
    ) -> Result<HashMap<String, Value>> {
        let Given { args, mut named } = given;
        let count = args.len();
        // Every parameter is looked for among the named arguments.
        self.spend(function.parameters.len() * (1 + named.len() / MAX_CLASS_SCAN_PER_STEP), line)?;
        let mut args = args.into_iter();
        let mut names = HashMap::new();
        for (parameter, default) in function.parameters.iter().zip(defaults) {
            let name = parameter.name.as_str();
            let by_name = |named: &mut Vec<(String, Value)>| {
                let place = named.iter().position(|(found, _)| found == name);
                place.map(|place| named.remove(place).1)
            };
            let value = match parameter.takes {
                Takes::One => args.next().or_else(|| by_name(&mut named)),
                Takes::Named => by_name(&mut named),
                Takes::Rest => Some(self.tuple(args.by_ref().collect(), line)?),
                Takes::RestNamed => {
                    let rest = std::mem::take(&mut named).into_iter();
                    let rest = rest.map(|(name, value)| (Value::Text(name.into()), value)).collect();
                    Some(self.dict_of(rest, line)?)
                }
            };
            let value = match (value, default) {
                (Some(value), _) => value,
                (None, Some(default)) => default.clone()?,
                (None, None) => {
                    let owner = self.owner(function, this);
                    let text = format!("{owner} needs the argument {name}: give it a default, or say what it is");
                    return at(line, text);
                }
            };
            names.insert(name.to_owned(), value);
        }
        if args.next().is_some() {
            let text = format!("{} is given {count} arguments and takes {}", function.name, function.parameters.len());
            return at(line, text);
        }
        match named.first() {
            Some((name, _)) => at(line, format!("{} has no argument {name}", function.name)),
            None => Ok(names),
        }
    }

    /// The name that a user knows a function by: an `__init__` is its class.
    fn owner<'f>(&'f self, function: &'f Function, this: Option<(Id, usize)>) -> &'f str {
        let class = this.and_then(|(id, _)| self.heap.modules[id.0].class);
        let class = class.filter(|_| function.name == "__init__").map(|class| &self.module.classes[class].name);
        class.unwrap_or(&function.name)
    }
}

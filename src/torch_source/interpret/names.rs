//! Names: of a function, of those around it, of the file, and from outside.

use super::super::at;
use super::super::value::{Id, Scope, Value};
use super::Run;
use crate::error::Result;

/// Names that are used without an import in what people paste, and what they stand for.
const USUAL: &[(&str, &str)] = &[
    ("nn", "torch.nn"),
    ("F", "torch.nn.functional"),
    ("np", "numpy"),
    ("init", "torch.nn.init"),
    ("partial", "functools.partial"),
    ("OrderedDict", "collections.OrderedDict"),
    ("spectral_norm", "torch.nn.utils.spectral_norm"),
    ("weight_norm", "torch.nn.utils.weight_norm"),
    ("Parameter", "torch.nn.Parameter"),
    ("Tensor", "torch.Tensor"),
    ("Variable", "torch.autograd.Variable"),
];

impl Run<'_> {
    /// What an imported name stands for: something of the file, if it defines it, or the name itself.
    pub(super) fn imported(&self, dotted: &str) -> Value {
        let short = dotted.rsplit('.').next().unwrap_or_default();
        match self.of_file(short) {
            Some(value) if !is_library(dotted) => value,
            _ => Value::Name(dotted.into()),
        }
    }

    /// A class of the file by its name; functions are looked up where they are called.
    fn of_file(&self, name: &str) -> Option<Value> {
        self.module.class_places.get(name).map(|&class| Value::Class(class))
    }

    /// A name as a function sees it.
    pub(super) fn name(&mut self, name: &str, scope: Id, line: usize) -> Result<Value> {
        let mut place = Some(scope);
        let mut is_global = false;
        while let Some(id) = place.filter(|_| !is_global) {
            let scope = &self.heap.scopes[id.0];
            if let Some(value) = scope.names.get(name) {
                return Ok(value.clone());
            }
            is_global = scope.globals.iter().any(|global| global == name);
            place = scope.around;
        }
        if let Some(value) = self.heap.globals.get(name) {
            return Ok(value.clone());
        }
        let module = self.module;
        if let Some(&class) = module.class_places.get(name) {
            return Ok(Value::Class(class));
        }
        if let Some(function) = module.functions.get(name) {
            return self.defined(function).map(Value::Function);
        }
        if module.constants.contains_key(name) {
            return self.constant(None, name, line);
        }
        if let Some(dotted) = module.imports.get(name) {
            return self.outer(dotted);
        }
        let usual = USUAL.iter().find(|(short, _)| *short == name).map(|(_, dotted)| *dotted);
        let star = module.imports.get("*").filter(|_| usual.is_none() && !super::builtins::is_builtin(name));
        match (usual, star) {
            (Some(dotted), _) => Ok(Value::Name(dotted.into())),
            (None, Some(module)) => Ok(Value::Name(format!("{module}.{name}").into())),
            (None, None) => Ok(Value::Name(name.into())),
        }
    }

    /// Something from outside by its dotted name, or a definition of the file that it names: people paste several files
    /// together.
    pub(super) fn outer(&mut self, dotted: &str) -> Result<Value> {
        let short = dotted.rsplit('.').next().unwrap_or_default();
        if !is_library(dotted)
            && let Some(function) = self.module.functions.get(short)
        {
            return self.defined(function).map(Value::Function);
        }
        Ok(self.imported(dotted))
    }

    /// A constant of the file, or of a class; it is read once.
    pub(super) fn constant(&mut self, class: Option<usize>, name: &str, line: usize) -> Result<Value> {
        let place = (class, name.to_owned());
        if let Some(value) = self.heap.constants.get(&place) {
            return Ok(value.clone());
        }
        let module = self.module;
        let constants = class.map_or(&module.constants, |class| &module.classes[class].constants);
        let Some(constant) = constants.get(name) else {
            return at(line, format!("there is no {name}"));
        };
        if let (None, Some(changes)) = (class, module.changing.get(name)) {
            return at(line, format!("{name} changes while the file runs (line {changes}), which is not followed"));
        }
        let scope = self.heap.scope(Scope::default());
        // A constant of a class may be made of others before it.
        if class.is_some() {
            for other in constants.keys() {
                if let Some(value) = self.heap.constants.get(&(class, other.clone())).cloned() {
                    self.heap.scopes[scope.0].names.insert(other.clone(), value);
                }
            }
        }
        let value = self.deeper(line, |run| run.value(constant, scope))?;
        self.heap.constants.insert(place, value.clone());
        Ok(value)
    }

    /// `name = value` in this scope.
    pub(super) fn set_name(&mut self, name: &str, value: Value, scope: Id, line: usize) -> Result<()> {
        let mut place = scope;
        if self.heap.scopes[scope.0].globals.iter().any(|global| global == name) {
            self.spend(1, line)?;
            self.heap.globals.insert(name.to_owned(), value);
            return Ok(());
        }
        if self.heap.scopes[scope.0].nonlocals.iter().any(|outer| outer == name) {
            let mut around = self.heap.scopes[scope.0].around;
            while let Some(id) = around {
                place = id;
                around = self.heap.scopes[id.0].around.filter(|_| !self.heap.scopes[id.0].names.contains_key(name));
            }
        }
        self.heap.scopes[place.0].names.insert(name.to_owned(), value);
        Ok(())
    }

    /// `name := value`, which belongs to the function around a comprehension.
    pub(super) fn set_walrus(&mut self, name: &str, value: Value, scope: Id, line: usize) -> Result<()> {
        let mut place = scope;
        while let (true, Some(around)) = (self.heap.scopes[place.0].is_comprehension, self.heap.scopes[place.0].around)
        {
            place = around;
        }
        self.set_name(name, value, place, line)
    }

    /// `del name`.
    pub(super) fn delete_name(&mut self, name: &str, scope: Id, line: usize) -> Result<()> {
        let own = &mut self.heap.scopes[scope.0];
        match own.globals.is_empty() && own.nonlocals.is_empty() && own.names.remove(name).is_some() {
            true => Ok(()),
            false => at(line, format!("there is no {name} to delete here")),
        }
    }
}

/// Whether a dotted name is of a library that is known: nothing of the file can be meant by it.
pub(super) fn is_library(dotted: &str) -> bool {
    let first = dotted.split('.').next().unwrap_or_default();
    matches!(first, "torch" | "math" | "numpy" | "functools" | "collections" | "typing" | "copy" | "itertools")
        || matches!(first, "torchvision" | "os" | "sys" | "warnings" | "abc" | "operator" | "enum" | "dataclasses")
}

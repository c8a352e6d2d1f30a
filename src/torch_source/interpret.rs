//! Follows `__init__` and `forward`: modules and tensors are names in a growing description, numbers are numbers.

mod arithmetic;
mod builtins;
mod call;
mod creation;
mod expression;
mod first_values;
mod format;
mod function;
mod indexing;
mod lists;
mod modules;
mod names;
mod on_tensors;
mod outputs;
mod reflection;
mod registered;
mod statement;
mod tensors;

use std::collections::HashMap;
use std::rc::Rc;

use super::at;
use super::guess::Numbers;
use super::parser::{Argument, Module, Parameter, Takes};
use super::value::{Given, Heap, Id, Kind, Scope, Value};
use crate::error::{Code, Error, Result};
use crate::limits::{
    MAX_CLASS_CALL_DEPTH, MAX_CLASS_FILE_STEPS, MAX_CLASS_ITEMS, MAX_CLASS_SCAN_PER_STEP, MAX_CLASS_STEPS,
    MAX_CLASS_TEXT_BYTES,
};
use crate::network::{Network, Shape, ValueId};
use arithmetic::truth;
pub use outputs::{Returned, picture, pruned};
pub use registered::{RegisteredKey, registered};

/// The classes with a `forward`, last one first: the order in which they are taken for the network.
pub fn candidates(module: &Module) -> Vec<usize> {
    let has_forward = |&class: &usize| {
        let own = &module.classes[class].lineage;
        own.iter().any(|&class| module.classes[class].functions.contains_key("forward"))
    };
    (0..module.classes.len()).rev().filter(has_forward).collect()
}

/// The steps that are left for a file's classes.
pub struct Budget {
    left: usize,
    /// Steps for arguments that are tried.
    trials: usize,
    /// By class: the arguments that give the file's keys, once they were looked for.
    fitting: HashMap<usize, Rc<[Numbers]>>,
}

impl Budget {
    /// What a file may take.
    pub fn new() -> Self {
        Self::of(MAX_CLASS_FILE_STEPS)
    }

    fn of(left: usize) -> Self {
        Self { left, trials: MAX_CLASS_FILE_STEPS, fitting: HashMap::new() }
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// The arguments of a class that give the file's keys: looked for once, with steps of their own, so that what does not
    /// fit leaves the steps of what does alone.
    pub fn fitting(&mut self, class: usize, look: impl FnOnce(&mut Self) -> Vec<Numbers>) -> Rc<[Numbers]> {
        if let Some(known) = self.fitting.get(&class) {
            return known.clone();
        }
        let mut trials = Self::of(self.trials);
        let found: Rc<[Numbers]> = look(&mut trials).into();
        self.trials = trials.left;
        self.fitting.insert(class, found.clone());
        found
    }
}

/// What becomes of a class that was followed.
pub struct Followed {
    /// What `forward` does.
    pub network: Network,
    /// Parameters and buffers that the class registers and `forward` does not use: keys and shapes.
    pub unused: Vec<(String, Vec<usize>)>,
    /// The tensors that `forward` returns.
    pub returned: Vec<Returned>,
    /// Which of them is taken.
    pub taken: usize,
}

/// What a class is made with.
pub enum Constructor<'a> {
    /// These arguments.
    Call(&'a [Argument]),
    /// These numbers for the arguments without default, by name.
    Guessed(&'a [(String, i64)]),
    /// Nothing.
    Defaults,
}

/// The network that this class describes, for inputs of these shapes; `taken` chooses what of it is returned.
pub fn network(
    module: &Module,
    root: usize,
    constructor: &Constructor<'_>,
    sizes: &[Shape],
    taken: Option<usize>,
    budget: &mut Budget,
) -> Result<Followed> {
    let left = MAX_CLASS_STEPS.min(budget.left);
    let mut run = Run::new(module, left);
    let outcome = run.follow(root, constructor, sizes);
    budget.left -= left - run.left;
    let (id, line, value) = outcome?;
    run.finish(id, value, sizes, taken, line)
}

impl<'a> Run<'a> {
    /// Before anything is followed.
    fn new(module: &'a Module, left: usize) -> Self {
        Self {
            module,
            heap: Heap::default(),
            network: Network::new(),
            shapes: Vec::new(),
            paths: HashMap::new(),
            lines: HashMap::new(),
            taken: HashMap::new(),
            methods: HashMap::new(),
            left,
            depth: 0,
        }
    }

    /// Makes an instance of the class, and gives its modules their paths.
    fn made(&mut self, root: usize, constructor: &Constructor<'_>) -> Result<Id> {
        let line = self.module.classes[root].line;
        let given = match constructor {
            Constructor::Call(arguments) => {
                let scope = self.heap.scope(Scope::default());
                self.arguments(arguments, scope)?
            }
            Constructor::Guessed(numbers) => {
                let named = numbers.iter().map(|(name, number)| (name.clone(), Value::Int(*number)));
                Given { args: Vec::new(), named: named.collect() }
            }
            Constructor::Defaults => Given::default(),
        };
        let id = self.instance(root, given, line)?;
        self.register(id, line)?;
        Ok(id)
    }

    /// Makes an instance of the class and calls its `forward` on tensors of these shapes; the instance, the line of
    /// `forward`, and what it returns.
    fn follow(&mut self, root: usize, constructor: &Constructor<'_>, sizes: &[Shape]) -> Result<(Id, usize, Value)> {
        let line = self.module.classes[root].line;
        let id = self.made(root, constructor)?;
        let missing = || Error::new(Code::NetworkInvalid, "There is no class with a forward method in this file.");
        let (forward, _) = self.method(id, "forward", 0).ok_or_else(missing)?;
        if let Some(error) = &forward.parse_error {
            return Err(error.clone());
        }
        let inputs = forward.parameters.iter().skip(1).filter(|parameter| parameter.takes == Takes::One);
        let (count, required) = (inputs.clone().count(), inputs.clone().filter(|p| p.default.is_none()).count());
        let takes_any = forward.parameters.iter().any(|parameter| parameter.takes == Takes::Rest);
        if sizes.len() < required || sizes.len() > count && !takes_any {
            return at(forward.line, format!("forward takes {required} tensors, but {} are given", sizes.len()));
        }
        let mut names = inputs.map(|input: &Parameter| input.name.clone());
        let mut tensors = Vec::new();
        for (index, shape) in sizes.iter().enumerate() {
            let name = names.next().unwrap_or_else(|| format!("input{index}"));
            tensors.push(self.input(&name, *shape, line)?);
        }
        let value = self.forward(id, Given::of(tensors), line)?;
        Ok((id, forward.line, value))
    }
}

/// One class as it is followed.
struct Run<'a> {
    module: &'a Module,
    heap: Heap,
    network: Network,
    /// By node, the shapes of its outputs.
    shapes: Vec<Vec<Shape>>,
    /// Where each module lies in the network: the first name under which it was registered.
    paths: HashMap<Id, Rc<str>>,
    /// The line of the call that made each layer.
    lines: HashMap<Id, usize>,
    /// How often each path was taken by a node without parameters.
    taken: HashMap<String, usize>,
    /// Functions of the file by the place of their definition, once somebody has called them.
    methods: HashMap<usize, Id>,
    /// Steps that may still be taken.
    left: usize,
    depth: usize,
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

    /// The shape of a value of the network.
    fn shape_of(&self, value: ValueId) -> Shape {
        self.shapes[value.node][value.output]
    }

    fn list(&mut self, items: Vec<Value>, line: usize) -> Result<Value> {
        self.listed(items, line).map(Value::List)
    }

    fn tuple(&mut self, items: Vec<Value>, line: usize) -> Result<Value> {
        self.listed(items, line).map(Value::Tuple)
    }

    /// Items that can be taken once.
    fn iterator(&mut self, mut items: Vec<Value>, line: usize) -> Result<Value> {
        items.reverse();
        self.listed(items, line).map(Value::Iterator)
    }

    fn listed(&mut self, items: Vec<Value>, line: usize) -> Result<Id> {
        if items.len() > MAX_CLASS_ITEMS {
            return at(line, "this list is too long");
        }
        self.spend(items.len(), line)?;
        match self.heap.list(items) {
            Value::List(id) => Ok(id),
            _ => at(line, "a list is expected here"),
        }
    }

    fn dict_of(&mut self, items: Vec<(Value, Value)>, line: usize) -> Result<Value> {
        if items.len() > MAX_CLASS_ITEMS {
            return at(line, "this dict is too long");
        }
        self.spend(items.len(), line)?;
        for (key, _) in &items {
            Self::key(key, line)?;
        }
        Ok(self.heap.dict(items))
    }

    /// An error unless this is followed as a key of a dict.
    fn key(key: &Value, line: usize) -> Result<()> {
        match key {
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
                at(line, "only texts, numbers, classes and modules are followed as keys of a dict")
            }
            Value::Unread => at(line, "this key depends on what infill does not follow"),
            _ => Ok(()),
        }
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

    fn truth(&mut self, value: &Value, line: usize) -> Result<bool> {
        match value {
            Value::List(id) | Value::Tuple(id) => Ok(!self.heap.lists[id.0].is_empty()),
            Value::Dict(id) => Ok(!self.heap.dicts[id.0].items().is_empty()),
            Value::Module(id) if matches!(self.heap.modules[id.0].kind, Kind::Sequential | Kind::List | Kind::Dict) => {
                Ok(!self.children(*id, line)?.is_empty())
            }
            Value::Module(id) => match ["__bool__", "__len__"].iter().any(|name| self.method(*id, name, 0).is_some()) {
                true => at(line, "whether this object counts as true is not followed"),
                false => Ok(true),
            },
            other => truth(other, line),
        }
    }
}

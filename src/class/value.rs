//! What expressions stand for: numbers, texts, modules and tensors.

use std::collections::HashMap;
use std::rc::Rc;

use super::parser::Function;
use crate::network::{NodeId, Op};

/// Index of a list, dict, module or scope in the [`Heap`]. Whatever can hold other values lies there, so that no value
/// nests: nothing is dropped or copied by recursion, and a cycle is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(pub usize);

/// What an expression stands for.
#[derive(Clone)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    /// A list or a tuple.
    List(Id),
    Dict(Id),
    Module(Id),
    Tensor(NodeId),
    /// Something from outside the file by its dotted name, such as `nn.Conv2d`.
    Name(Rc<str>),
    /// A class of the file.
    Class(usize),
    /// A function and the scope it was defined in.
    Function(Rc<Function>, Option<Id>),
    /// A method of a module, looked for from this place of its classes on.
    Method(Id, Rc<str>, usize),
    /// `super()` of a module, from this place of its classes on.
    Super(Id, usize),
    /// A method of a list, dict or text.
    Of(Held, Rc<str>),
    /// A method of a tensor.
    OfTensor(NodeId, Rc<str>),
    /// `functools.partial`.
    Partial(Id),
    /// What only a run would tell, such as a tensor's size: harmless until something depends on it.
    Unread,
}

/// What a method of [`Value::Of`] belongs to.
#[derive(Clone)]
pub enum Held {
    Text(Rc<str>),
    List(Id),
    Dict(Id),
}

/// What a module does when it is called and its class has no `forward`.
#[derive(Clone)]
pub enum Kind {
    /// `nn.Module`.
    Plain,
    /// `nn.Sequential`.
    Sequential,
    /// `nn.ModuleList`.
    List,
    /// `nn.ModuleDict`.
    Dict,
    /// One of PyTorch's layers.
    Layer(Op),
    /// `nn.Identity`, and Dropout in eval mode.
    Nothing,
}

/// A module: its class in the file, if it has one, and its attributes in the order they were set.
pub struct Module {
    pub class: Option<usize>,
    pub kind: Kind,
    pub attributes: Vec<(Rc<str>, Value)>,
}

impl Module {
    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|(found, _)| **found == *name).map(|(_, value)| value)
    }

    /// Sets an attribute; one that is set again keeps its place.
    pub fn set(&mut self, name: Rc<str>, value: Value) {
        match self.attributes.iter_mut().find(|(found, _)| *found == name) {
            Some((_, found)) => *found = value,
            None => self.attributes.push((name, value)),
        }
    }

    /// The modules it holds, by name, as `named_children()` gives them.
    pub fn children(&self) -> impl Iterator<Item = (Rc<str>, Id)> {
        let child = |(name, value): &(Rc<str>, Value)| match value {
            Value::Module(id) => Some((name.clone(), *id)),
            _ => None,
        };
        self.attributes.iter().filter_map(child)
    }
}

/// The names of one call.
#[derive(Default)]
pub struct Scope {
    pub names: HashMap<String, Value>,
    /// The scope around a function inside a function.
    pub around: Option<Id>,
    /// In a method: its module, and the place of its class among the module's classes.
    pub this: Option<(Id, usize)>,
}

/// `functools.partial(callee, *args, **named)`.
#[derive(Clone)]
pub struct Partial {
    pub callee: Value,
    pub given: Given,
}

/// The arguments of a call.
#[derive(Clone, Default)]
pub struct Given {
    pub args: Vec<Value>,
    pub named: Vec<(String, Value)>,
}

impl Given {
    /// Arguments by place alone.
    pub fn of(args: impl Into<Vec<Value>>) -> Self {
        Self { args: args.into(), named: Vec::new() }
    }

    /// The argument at this place or of this name.
    pub fn get(&self, place: usize, name: &str) -> Option<&Value> {
        let named = self.named.iter().find(|(found, _)| found == name);
        self.args.get(place).or(named.map(|(_, value)| value))
    }
}

/// Everything that can hold values.
#[derive(Default)]
pub struct Heap {
    pub lists: Vec<Vec<Value>>,
    pub dicts: Vec<Vec<(Value, Value)>>,
    pub modules: Vec<Module>,
    pub scopes: Vec<Scope>,
    pub partials: Vec<Partial>,
}

impl Heap {
    /// A new list.
    pub fn list(&mut self, items: Vec<Value>) -> Value {
        self.lists.push(items);
        Value::List(Id(self.lists.len() - 1))
    }

    /// A new dict.
    pub fn dict(&mut self, items: Vec<(Value, Value)>) -> Value {
        self.dicts.push(items);
        Value::Dict(Id(self.dicts.len() - 1))
    }

    /// A new module.
    pub fn module(&mut self, class: Option<usize>, kind: Kind) -> Id {
        self.modules.push(Module { class, kind, attributes: Vec::new() });
        Id(self.modules.len() - 1)
    }

    /// A new scope.
    pub fn scope(&mut self, scope: Scope) -> Id {
        self.scopes.push(scope);
        Id(self.scopes.len() - 1)
    }
}

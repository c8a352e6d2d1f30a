//! What expressions stand for: numbers, texts, modules and tensors.

use std::collections::HashMap;
use std::rc::Rc;

use super::parser::Function;
use super::tensor::{Storage, Tensor};
use crate::error::Error;
use crate::network::Op;

/// Index of a list, dict, module, tensor or scope in the [`Heap`]. Whatever can hold other values lies there, so that no value
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
    List(Id),
    /// A tuple; it lies among the lists.
    Tuple(Id),
    Dict(Id),
    /// Items that can be taken once, from first to last; they lie among the lists, last one first.
    Iterator(Id),
    /// A module, or an object of a class of the file that is none.
    Module(Id),
    Tensor(Id),
    /// Something from outside the file by its dotted name, such as `torch.nn.Conv2d`.
    Name(Rc<str>),
    /// A class of the file.
    Class(usize),
    /// A function as it was defined somewhere.
    Function(Id),
    /// A slice inside an index, by its three parts, which lie among the lists.
    Slice(Id),
    /// `...`.
    Ellipsis,
    /// A method of a module, looked for from this place of its classes on.
    Method(Id, Rc<str>, usize),
    /// `super()` of a module, from this place of its classes on.
    Super(Id, usize),
    /// A method of a list, dict, text or tensor.
    Of(Held, Rc<str>),
    /// `functools.partial`.
    Partial(Id),
    /// What has no part in the numbers (a device, a dtype that changes nothing), or what is not known: harmless until
    /// something depends on it.
    Unread,
}

/// What a method of [`Value::Of`] belongs to.
#[derive(Clone)]
pub enum Held {
    Text(Rc<str>),
    List(Id),
    Dict(Id),
    Tensor(Id),
}

/// What a module does when it is called and its class has no `forward`.
#[derive(Clone)]
pub enum Kind {
    /// An object of a class that is no module.
    Object,
    /// `nn.Module`.
    Plain,
    /// `nn.Sequential`.
    Sequential,
    /// `nn.ModuleList`.
    List,
    /// `nn.ModuleDict`.
    Dict,
    /// One of PyTorch's layers; whether it changes its input in place.
    Layer(Op, bool),
    /// One that is a function of PyTorch with arguments: `nn.Softmax(dim=1)`.
    Function(&'static str, Given),
    /// `nn.Identity`, and Dropout in eval mode.
    Nothing,
}

/// A dict, in the order in which its keys were first set.
#[derive(Clone, Default)]
pub struct Dict {
    items: Vec<(Value, Value)>,
    /// Where each key lies in the list.
    places: HashMap<Key, usize>,
}

/// What makes keys equal: `1`, `1.0` and `True` are one key, as in Python.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    None,
    Int(i64),
    /// The bits of a number that is not whole, or beyond an int.
    Float(u64),
    Text(Rc<str>),
    /// Without what stands before its last dot.
    Name(String),
    Class(usize),
    /// A list, dict, module, tensor, function or partial: the same one.
    Held(u8, Id),
}

impl Key {
    /// `None` for what equals nothing, not even itself.
    fn of(value: &Value) -> Option<Key> {
        Some(match value {
            Value::None => Key::None,
            Value::Bool(flag) => Key::Int(i64::from(*flag)),
            Value::Int(number) => Key::Int(*number),
            Value::Float(number) => match whole(*number) {
                Some(number) => Key::Int(number),
                None if number.is_nan() => return None,
                None => Key::Float(number.to_bits()),
            },
            Value::Text(text) => Key::Text(text.clone()),
            Value::Name(name) => Key::Name(short(name).to_owned()),
            Value::Class(class) => Key::Class(*class),
            Value::List(id) => Key::Held(0, *id),
            Value::Dict(id) => Key::Held(1, *id),
            Value::Module(id) => Key::Held(2, *id),
            Value::Partial(id) => Key::Held(3, *id),
            Value::Tensor(id) => Key::Held(4, *id),
            Value::Function(id) => Key::Held(5, *id),
            Value::Tuple(id) => Key::Held(6, *id),
            _ => return None,
        })
    }
}

impl Dict {
    /// Keys and values.
    pub fn items(&self) -> &[(Value, Value)] {
        &self.items
    }

    /// The value of this key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.places.get(&Key::of(key)?).map(|&place| &self.items[place].1)
    }

    /// Takes a key out; its value, if it was there.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let place = self.places.remove(&Key::of(key)?)?;
        self.places.values_mut().filter(|other| **other > place).for_each(|other| *other -= 1);
        Some(self.items.remove(place).1)
    }

    /// Sets a key's value; one that is set again keeps its place.
    pub fn set(&mut self, key: Value, value: Value) {
        let known = Key::of(&key);
        match known.as_ref().and_then(|known| self.places.get(known)) {
            Some(&place) => self.items[place].1 = value,
            None => {
                self.places.extend(known.map(|known| (known, self.items.len())));
                self.items.push((key, value));
            }
        }
    }
}

impl FromIterator<(Value, Value)> for Dict {
    fn from_iter<T: IntoIterator<Item = (Value, Value)>>(items: T) -> Self {
        let mut dict = Self::default();
        items.into_iter().for_each(|(key, value)| dict.set(key, value));
        dict
    }
}

/// `is`: numbers and texts that are equal are one, and so are `True` and `True`, but not `True` and `1`.
pub fn identical(left: &Value, right: &Value) -> bool {
    std::mem::discriminant(left) == std::mem::discriminant(right) && same(left, right)
}

/// `==`, of values that hold no others.
pub fn same(left: &Value, right: &Value) -> bool {
    Key::of(left).is_some_and(|left| Some(left) == Key::of(right))
}

/// A number as an int, if it is whole and an int holds it.
pub fn whole(number: f64) -> Option<i64> {
    // -2^63 and 2^63 are floats; the latter is no int.
    let holds = number.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    holds.then_some(number as i64)
}

/// A dotted name's last part.
pub fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// A module: its class in the file, if it has one, and its attributes in the order they were set.
pub struct Module {
    pub class: Option<usize>,
    pub kind: Kind,
    attributes: Vec<(Rc<str>, Value)>,
    /// Where each attribute lies in the list.
    places: HashMap<Rc<str>, usize>,
}

impl Module {
    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.places.get(name).map(|&place| &self.attributes[place].1)
    }

    /// Sets an attribute; one that is set again keeps its place.
    pub fn set(&mut self, name: Rc<str>, value: Value) {
        match self.places.get(&name) {
            Some(&place) => self.attributes[place].1 = value,
            None => {
                self.places.insert(name.clone(), self.attributes.len());
                self.attributes.push((name, value));
            }
        }
    }

    /// Takes an attribute away.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.places.remove(name)?;
        self.places.values_mut().filter(|other| **other > place).for_each(|other| *other -= 1);
        Some(self.attributes.remove(place).1)
    }

    /// All attributes, in the order in which they were set.
    pub fn attributes(&self) -> &[(Rc<str>, Value)] {
        &self.attributes
    }

    /// How many attributes it has, modules or not.
    pub fn attribute_count(&self) -> usize {
        self.attributes.len()
    }

    /// The modules it holds, by name, as `named_children()` gives them: a walk over all attributes.
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
    /// Names that belong to the file (`global`).
    pub globals: Vec<String>,
    /// Names that belong to a function around this one (`nonlocal`).
    pub nonlocals: Vec<String>,
    /// Whether it is a comprehension's, whose walruses belong to the function around it.
    pub is_comprehension: bool,
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

/// A function, the scope around it, and its parameters' defaults, which are made once.
#[derive(Clone)]
pub struct Closure {
    pub function: Rc<Function>,
    pub around: Option<Id>,
    /// By parameter; an error is told when somebody needs the value.
    pub defaults: Rc<[Option<Result<Value, Error>>]>,
}

/// Everything that can hold values.
#[derive(Default)]
pub struct Heap {
    /// Names of the file that a function has set (`global`).
    pub globals: HashMap<String, Value>,
    /// Constants of the file and of its classes that have been read; they are made once.
    pub constants: HashMap<(Option<usize>, String), Value>,
    pub functions: Vec<Closure>,
    pub tensors: Vec<Tensor>,
    pub storages: Vec<Storage>,
    pub lists: Vec<Vec<Value>>,
    pub dicts: Vec<Dict>,
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
        self.dicts.push(items.into_iter().collect());
        Value::Dict(Id(self.dicts.len() - 1))
    }

    /// A new module.
    pub fn module(&mut self, class: Option<usize>, kind: Kind) -> Id {
        self.modules.push(Module { class, kind, attributes: Vec::new(), places: HashMap::new() });
        Id(self.modules.len() - 1)
    }

    /// A new scope.
    pub fn scope(&mut self, scope: Scope) -> Id {
        self.scopes.push(scope);
        Id(self.scopes.len() - 1)
    }
}

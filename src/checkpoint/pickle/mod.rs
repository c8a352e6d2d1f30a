//! Pickle as data: protocols 0 to 5 become a flat arena of inert values. Nothing is imported, called or built.
//!
//! Every value is an index, so that a memo bomb copies four bytes at a time and deep nesting never recurses.
//! Source: CPython's `Lib/pickletools.py`.

mod stream;
mod vm;

pub use stream::Stream;
pub use vm::load;

use crate::error::Result;

/// Index of a value in its [`Heap`].
pub type Id = u32;

/// One pickled value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, and whatever carries no meaning here (bytes, long integers, texts longer than a name).
    None,
    /// A bool.
    Bool(bool),
    /// An int that fits 64 bits.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Str(Box<str>),
    /// A list, set or frozenset.
    List(Vec<Id>),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A dict in order; `state` is what BUILD set on it (an OrderedDict's `_metadata`).
    Dict { items: Vec<(Id, Id)>, state: Option<Id> },
    /// A class or function by name, such as `torch.FloatStorage`.
    Global(Box<str>),
    /// A persistent id: a storage.
    Persistent(Id),
    /// Something that a real unpickler would call: kept as callable, arguments, state and items.
    Object { callable: Id, args: Id, state: Option<Id>, items: Vec<(Id, Id)> },
}

/// All values of one pickle.
#[derive(Default)]
pub struct Heap {
    values: Vec<Value>,
}

impl Heap {
    /// The value; `None` stands for an index that is not there.
    pub fn get(&self, id: Id) -> &Value {
        self.values.get(id as usize).unwrap_or(&Value::None)
    }

    /// What every persistent id holds.
    pub fn persistent(&self) -> impl Iterator<Item = Id> {
        self.values.iter().filter_map(|value| match value {
            Value::Persistent(id) => Some(*id),
            _ => None,
        })
    }

    /// Every class and function that is named.
    pub fn globals(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(|value| match value {
            Value::Global(name) => Some(name.as_ref()),
            _ => None,
        })
    }

    /// The string, if it is one.
    pub fn str(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The int, if it is one.
    pub fn int(&self, id: Id) -> Option<i64> {
        match self.get(id) {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A non-negative int; what exceeds the address space is its end, so that every machine refuses it alike.
    pub fn size(&self, id: Id) -> Option<usize> {
        self.int(id).filter(|&n| n >= 0).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// The items of a tuple or list.
    pub fn sequence(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a dict.
    pub fn dict(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Value::Dict { items, .. } => Some(items),
            _ => None,
        }
    }

    /// The value of a string key of a dict (the last one given, as in Python).
    pub fn lookup(&self, dict: Id, key: &str) -> Option<Id> {
        self.dict(dict)?.iter().rev().find(|(k, _)| self.str(*k) == Some(key)).map(|&(_, v)| v)
    }

    /// The name of a global.
    pub fn global(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Global(name) => Some(name),
            _ => None,
        }
    }
}

/// Reads one pickle from bytes in memory.
pub fn load_bytes(bytes: &[u8]) -> Result<(Heap, Id)> {
    let mut source = std::io::Cursor::new(bytes);
    let mut stream = Stream::new(&mut source, 0, bytes.len() as u64);
    load(&mut stream)
}

//! What expressions stand for: numbers, texts, modules and tensors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::network::{NodeId, Op};

/// What an expression stands for.
#[derive(Clone)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    /// A module, and the path under which it was reached.
    Module(Rc<Module>, String),
    Tensor(NodeId),
    /// Something by its dotted name, such as `nn.Conv2d`.
    Name(String),
    /// A method of a module.
    Method(Rc<Module>, String, String),
}

/// A module.
pub enum Module {
    /// One of PyTorch's layers.
    Layer(Op),
    /// `nn.Sequential` or `nn.ModuleList`.
    List(Vec<Value>),
    /// An instance of a class of the file, with its attributes.
    Own(usize, RefCell<HashMap<String, Value>>),
    /// `nn.Identity`, and Dropout in eval mode.
    Nothing,
}
